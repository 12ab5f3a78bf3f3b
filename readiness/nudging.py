"""Reminders a person has planned for herself: at most one mail a week in all, and only of what is not done.

A plan of when and where makes it likelier that an intention is carried out (Gollwitzer and Sheeran 2006, "Implementation
intentions and goal achievement", Advances in Experimental Social Psychology 38, doi:10.1016/S0065-2601(06)38002-1): the
mail repeats the plan in her own words.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from wagtail.log_actions import log

from organisations import mails
from organisations.jobs import Run, enqueue, job_kind
from organisations.models import Appointment, Leave, Unit, User
from readiness.enums import NudgeKind, TeamRole
from readiness.journey_mails import FIRST_HOUR
from readiness.models import Action, Initiative, Nudge, Participation, Question, ReadConfirmation, TeamMember, Wave
from readiness.perms import RUNNING_ROLES, units_managed

logger = logging.getLogger(__name__)

NUDGES_JOB: Final = "readiness.send_nudges"
BETWEEN: Final = timedelta(days=7)
# Rows and mails of so many people at a time: what a killed worker leaves without its mail.
BATCH: Final = 200
MAIL: Final = "readiness/mails/nudge"

Progress = Callable[[int, int], None]


# --- What a person plans -----------------------------------------------------------------------------------------
def kinds_for(person: User, day: date) -> list[NudgeKind]:
    """What this person may want to be reminded of: reading and answering; what she leads; what she answers."""
    kinds = [NudgeKind.READ_WHY, NudgeKind.ANSWER_SURVEY]
    if units_managed(person, day):
        kinds.append(NudgeKind.SET_ACTION)
    if TeamMember.objects.filter(person=person, role__in=RUNNING_ROLES).exists():
        kinds.append(NudgeKind.ANSWER_QUESTION)
    return kinds


@transaction.atomic
def plan_nudges(*, person: User, wishes: Mapping[NudgeKind, tuple[bool, str]], by: User) -> None:
    """Write down which reminders she wants, with the plan of each. What she has never wanted has no row."""
    User.objects.select_for_update(of=("self",)).get(pk=person.pk)
    known = {nudge.kind: nudge for nudge in Nudge.objects.filter(person=person)}
    changed = {}
    for kind, (is_on, plan) in wishes.items():
        nudge = known.get(kind)
        if nudge is None:
            if not is_on:
                continue
            nudge = Nudge(person=person, kind=kind, is_off=True)
        if (nudge.is_off, nudge.when_where_plan) == (not is_on, plan):
            continue
        if nudge.is_off == is_on:
            changed[str(kind)] = is_on
        nudge.is_off, nudge.when_where_plan = not is_on, plan
        nudge.save()
    if changed:
        log(instance=person, action="readiness.plan_nudges", user=by, data=changed)


# --- What is not done --------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Step:
    """Something she planned and has not done yet: about which change, where, and her plan."""

    kind: NudgeKind
    initiative: Initiative
    url: str
    plan: str = ""


def steps_of(nudges: Iterable[Nudge], at: datetime) -> dict[int, list[Step]]:
    """What is left to do of what these people planned, by person. As many queries for many people as for one, but for
    those who lead units: whose units those are is asked for each.
    """
    day = timezone.localdate(at)
    wanted: dict[NudgeKind, dict[int, str]] = defaultdict(dict)
    for nudge in nudges:
        wanted[NudgeKind(nudge.kind)][nudge.person_id] = nudge.when_where_plan
    under_way = {i.pk: i for i in Initiative.objects.under_way().select_related("unit").order_by("starts_on", "pk")}
    found: dict[int, list[Step]] = defaultdict(list)
    for kind, look in LOOKS.items():
        plans = wanted.get(kind)
        if plans and under_way:
            for person_id, initiative_id, url in look(list(plans), under_way, at, day):
                found[person_id].append(Step(kind, under_way[initiative_id], url, plans[person_id]))
    return found


Left = Iterable[tuple[int, int, str]]


def _unread(people: Sequence[int], under_way: Mapping[int, Initiative], at: datetime, day: date) -> Left:
    read = set(
        ReadConfirmation.objects.filter(person__in=people, initiative__in=under_way).values_list(
            "person_id", "initiative_id"
        )
    )
    held = (
        Appointment.objects.current(day)
        .filter(person__in=people)
        .order_by("starts_on", "post__unit__path", "pk")
        .values_list("person_id", "post__unit__path")
    )
    paths: dict[int, str] = {}
    for person_id, path in held:
        paths.setdefault(person_id, path)
    for person_id, path in paths.items():
        for pk, initiative in under_way.items():
            if path.startswith(initiative.unit.path) and (person_id, pk) not in read:
                yield person_id, pk, reverse("initiative", args=[initiative.slug])


def _unanswered(people: Sequence[int], under_way: Mapping[int, Initiative], at: datetime, day: date) -> Left:
    rows = Participation.objects.filter(
        person__in=people, done=False, wave__in=Wave.objects.answerable(at), wave__initiative__in=under_way
    )
    for person_id, initiative_id, wave_id in rows.order_by("wave__closes_at").values_list(
        "person_id", "wave__initiative_id", "wave_id"
    ):
        yield person_id, initiative_id, reverse("survey", args=[wave_id])


def _without_action(people: Sequence[int], under_way: Mapping[int, Initiative], at: datetime, day: date) -> Left:
    """Units she leads whose last survey has results and no action yet."""
    latest: dict[int, Wave] = {}
    waves = Wave.objects.with_results().filter(initiative__in=under_way).select_related("unit")
    for wave in waves.order_by("closes_at", "pk"):
        latest[wave.initiative_id] = wave
    answered: dict[int, list[str]] = defaultdict(list)
    for wave_id, path in Action.objects.filter(wave__in=latest.values()).values_list("wave_id", "unit__path"):
        answered[wave_id].append(path)
    for person in User.objects.filter(pk__in=people) if latest else ():
        for unit in units_managed(person, day):
            for wave in latest.values():
                if not _touch(unit, wave.unit):
                    continue
                top = unit if unit.path.startswith(wave.unit.path) else wave.unit
                if not any(path.startswith(top.path) for path in answered[wave.pk]):
                    slug = under_way[wave.initiative_id].slug
                    query = f"?unit={top.code}&wave={wave.pk}"
                    yield person.pk, wave.initiative_id, f"{reverse('action_new', args=[slug])}{query}"


def _touch(one: Unit, other: Unit) -> bool:
    return one.path.startswith(other.path) or other.path.startswith(one.path)


def _unasked(people: Sequence[int], under_way: Mapping[int, Initiative], at: datetime, day: date) -> Left:
    """Changes whose questions wait and which she runs."""
    waiting = Question.objects.waiting().filter(initiative__in=under_way).values("initiative_id")
    rows = TeamMember.objects.filter(
        person__in=people, role__in=[TeamRole.SPONSOR, TeamRole.LEAD], initiative__in=waiting
    )
    for person_id, initiative_id in rows.order_by().values_list("person_id", "initiative_id").distinct():
        url = reverse("initiative", args=[under_way[initiative_id].slug])
        yield person_id, initiative_id, f"{url}#questions"


LOOKS: Final = {
    NudgeKind.READ_WHY: _unread,
    NudgeKind.ANSWER_SURVEY: _unanswered,
    NudgeKind.SET_ACTION: _without_action,
    NudgeKind.ANSWER_QUESTION: _unasked,
}


# --- The mails ---------------------------------------------------------------------------------------------------
def ask_for_nudges(at: datetime) -> None:
    """Once a day, from FIRST_HOUR on."""
    moment = timezone.localtime(at)
    if moment.hour >= FIRST_HOUR:
        enqueue(kind=NUDGES_JOB, key=f"daily:{moment.date()}", payload={})


@job_kind(NUDGES_JOB, gettext_lazy("Remind people of what they planned"))
def send_planned(run: Run) -> dict[str, Any]:
    return send_nudges(timezone.now(), progress=run.progress)


def send_nudges(at: datetime, progress: Progress | None = None) -> dict[str, Any]:
    """Remind those who planned something, have not done it and were not reminded within a week; returns the counts.

    The day is written before the mail leaves, so nobody is reminded twice, even by a worker that was killed. What the
    server fails is tried again the next day. Who is on leave is reminded when she is back.
    """
    day = timezone.localdate(at)
    people = sorted(set(Nudge.objects.filter(is_off=False, person__is_active=True).values_list("person_id", flat=True)))
    told = failed = 0
    for start in range(0, len(people), BATCH):
        for person, steps, before in _note(people[start : start + BATCH], at):
            try:
                told += mails.send(person, MAIL, _context(steps))
            except SMTPRecipientsRefused:  # it would be refused tomorrow too
                logger.warning("the address of person %s was refused", person.pk)
            except Exception:
                logger.exception("the reminder to person %s could not be sent", person.pk)
                failed += 1
                for pk, last_sent in before.items():
                    Nudge.objects.filter(pk=pk, last_sent=day).update(last_sent=last_sent)
        if progress is not None:
            progress(min(start + BATCH, len(people)), len(people))
    return {"people": len(people), "told": told, "failed": failed}


Noted = tuple[User, list[Step], dict[int, date | None]]


@transaction.atomic
def _note(person_ids: Sequence[int], at: datetime) -> list[Noted]:
    """Write down who is reminded today; returns each with what is left to do, and when her nudges were sent before."""
    day = timezone.localdate(at)
    away = Leave.objects.filter(starts_on__lte=day, ends_on__gt=day).values("person_id")
    # The rows of the people are the lock: two runs look one after the other.
    rows = User.objects.select_for_update(of=("self",)).active().filter(pk__in=person_ids).exclude(pk__in=away)
    people = {person.pk: person for person in rows.order_by("pk")}
    nudges: dict[int, list[Nudge]] = defaultdict(list)
    for nudge in Nudge.objects.filter(person__in=people).order_by("pk"):
        nudges[nudge.person_id].append(nudge)
    # One a week in all: also one that is switched off by now counts.
    free = [
        pk
        for pk, hers in nudges.items()
        if all(nudge.last_sent is None or day - nudge.last_sent >= BETWEEN for nudge in hers)
    ]
    wanted = {pk: [nudge for nudge in nudges[pk] if not nudge.is_off] for pk in free}
    steps = steps_of((nudge for hers in wanted.values() for nudge in hers), at)
    found: list[Noted] = []
    for pk in sorted(steps):
        kinds = {step.kind for step in steps[pk]}
        sent = [nudge for nudge in wanted[pk] if nudge.kind in kinds]
        found.append((people[pk], steps[pk], {nudge.pk: nudge.last_sent for nudge in sent}))
    Nudge.objects.filter(pk__in=[nudge for _p, _s, before in found for nudge in before]).update(last_sent=day)
    return found


def _context(steps: Sequence[Step]) -> dict[str, Any]:
    return {"steps": steps, "settings_url": f"{settings.SITE_URL}{reverse('change_nudges')}"}
