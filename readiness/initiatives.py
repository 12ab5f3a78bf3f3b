"""The change as people meet it: reading why, asking, worrying aloud, and colleagues who help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from secrets import randbelow
from uuid import UUID

import numpy as np
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from competencies.models import PostRole, RoleAssignment
from organisations.mails import send
from organisations.models import Appointment, Unit, User
from organisations.perms import is_manager_of
from readiness.enums import (
    DEFAULT_K,
    QUESTION_ANSWERED_WITHIN_WORKING_DAYS,
    ConcernDecision,
    ConcernKind,
    TeamRole,
)
from readiness.models import (
    Champion,
    Concern,
    Initiative,
    Question,
    ReadConfirmation,
    RoleImpact,
)
from readiness.perms import champions_unit, is_in_team, manages_unit, may_run, may_see_all, unit_of, units_managed

QUESTIONS_A_DAY = 10
LATEST_PLACE = 2**31 - 1


class JourneyRefused(ValueError):
    """What cannot be done; the text is a sentence for the person who tried."""


# --- Reading ---------------------------------------------------------------------------------------------------------
def confirm_reading(*, initiative: Initiative, by: User) -> None:
    """She has read why. Twice is once."""
    ReadConfirmation.objects.get_or_create(initiative=initiative, person=by)


def role_impacts_of(initiative: Initiative) -> list[RoleImpact]:
    return list(initiative.role_impacts.select_related("profile__role").order_by("sort_order", "pk"))


def own_profiles(person: User, day: date) -> set[int]:
    """Role profiles of her post and those assigned to her. Two queries."""
    posts = Appointment.objects.current(day).filter(person=person).values("post_id")
    found = set(PostRole.objects.filter(post__in=posts).values_list("profile_id", flat=True))
    return found | set(RoleAssignment.objects.current(day).filter(person=person).values_list("profile_id", flat=True))


# --- Questions -------------------------------------------------------------------------------------------------------
def due_day(day: date) -> date:
    """Five working days later."""
    later = np.busday_offset(np.datetime64(day), QUESTION_ANSWERED_WITHIN_WORKING_DAYS, roll="backward")
    found: date = later.astype(date)
    return found


@transaction.atomic
def ask_question(
    *, initiative: Initiative, text: str, by: User, anonymously: bool, token: UUID, day: date | None = None
) -> Question:
    """Ask for everybody to read. `token` makes a doubled press one question. Anonymously nothing of the person is kept.

    Raises JourneyRefused for an empty question, and for more than QUESTIONS_A_DAY of a person on a day.
    """
    on = day or timezone.localdate()
    text = " ".join(text.split())
    if not text:
        raise JourneyRefused(_("Write your question."))
    known = Question.objects.filter(pk=token).first()
    if known is not None:
        return known
    # Only a number is counted, and it is gone after a day: not what was asked.
    key = f"readiness:asked:{by.pk}:{on}"
    cache.add(key, 0, 86_400)
    if cache.incr(key) > QUESTIONS_A_DAY:
        raise JourneyRefused(_("That is enough for today. Ask the others tomorrow."))
    question = Question.objects.create(
        pk=token,
        initiative=initiative,
        text=text,
        asked_by=None if anonymously else by,
        place=randbelow(LATEST_PLACE),
        asked_on=on,
        due_on=due_day(on),
    )
    if not anonymously:
        log(instance=initiative, action="readiness.ask_question", user=by, data={"question": str(question.pk)})
    for member in _answering(initiative):
        _mail(member, "readiness/mails/question_asked", question)
    return question


def _answering(initiative: Initiative) -> list[User]:
    """Who is expected to answer: the leads, else the sponsor."""
    members = list(
        initiative.team.filter(role__in=[TeamRole.LEAD, TeamRole.SPONSOR], person__is_active=True)
        .select_related("person")
        .order_by("pk")
    )
    leads = [member.person for member in members if member.role == TeamRole.LEAD]
    return leads or [member.person for member in members]


def _mail(person: User, template: str, question: Question) -> None:
    url = f"{settings.SITE_URL}{reverse('initiative', args=[question.initiative.slug])}#questions"
    transaction.on_commit(
        lambda: send(person, template, {"question": question, "initiative": question.initiative, "url": url})
    )


@transaction.atomic
def answer_question(*, question: Question, answer: str, by: User) -> Question:
    """Answer, or mend an answer: what stood there before is in the audit log. The asker, where known, gets a mail."""
    question = (
        Question.objects.select_for_update(of=("self",))
        .select_related("initiative__unit", "asked_by")
        .get(pk=question.pk)
    )
    if not may_run(by, question.initiative):
        raise JourneyRefused(_("Questions are answered by the change team."))
    answer = answer.strip()
    if not answer:
        raise JourneyRefused(_("Write an answer. “We don't know yet, we will on …” is one too."))
    if question.answer == answer:
        return question
    before, first = question.answer, not question.answer
    question.answer, question.answered_by, question.answered_on = answer, by, timezone.localdate()
    question.save(update_fields=["answer", "answered_by", "answered_on"])
    log(
        instance=question.initiative, action="readiness.answer_question", user=by,
        data={"question": str(question.pk), "before": before},
    )  # fmt: skip
    if first and question.asked_by is not None:
        _mail(question.asked_by, "readiness/mails/question_answered", question)
    return question


# --- Concerns --------------------------------------------------------------------------------------------------------
def may_raise_concern(user: User, initiative: Initiative, unit: Unit) -> bool:
    """The champion of the unit, who leads it, and the change team; never in somebody's name."""
    return champions_unit(user, initiative, unit) or manages_unit(user, unit) or may_run(user, initiative)


def unit_large_enough(unit: Unit, top: Unit, day: date) -> Unit:
    """The unit, or the nearest above it with at least ten people: a concern is never that of a few."""
    found = unit
    while True:
        people = (
            Appointment.objects.current(day)
            .filter(post__unit__path__startswith=found.path, person__is_active=True)
            .values("person_id")
            .distinct()
            .count()
        )
        above = found.get_parent()
        if people >= DEFAULT_K or found.path == top.path or above is None:
            return found
        found = above


@transaction.atomic
def raise_concern(*, initiative: Initiative, unit: Unit, kind: str, text: str, by: User) -> Concern:
    """Write down what people of a unit worry about. The same words for the same unit on a day are one concern."""
    day = timezone.localdate()
    if not unit.path.startswith(initiative.unit.path):
        raise JourneyRefused(_("This unit is not part of the change."))
    if not may_raise_concern(by, initiative, unit):
        raise JourneyRefused(
            _("Concerns are raised by the champion of a unit, by who leads it, or by the change team.")
        )
    if kind not in ConcernKind.values:
        raise JourneyRefused(_("Choose what kind of concern it is."))
    text = " ".join(text.split())
    if not text:
        raise JourneyRefused(_("Write what people worry about, without names."))
    Initiative.objects.select_for_update(of=("self",)).get(pk=initiative.pk)
    concern, _created = Concern.objects.get_or_create(
        initiative=initiative, unit=unit_large_enough(unit, initiative.unit, day), kind=kind, text=text, raised_on=day
    )
    # Of the unit, not of the person: who wrote it down stays out of the log.
    return concern


@transaction.atomic
def decide_concern(*, concern: Concern, decision: str, answer: str, by: User) -> Concern:
    """Say what became of it: accepted, plan adapted, or explained why not."""
    concern = Concern.objects.select_for_update(of=("self",)).select_related("initiative__unit").get(pk=concern.pk)
    if not may_run(by, concern.initiative):
        raise JourneyRefused(_("Concerns are decided by the change team."))
    if decision not in ConcernDecision.values or not decision or not answer.strip():
        raise JourneyRefused(_("Choose a decision and say it in a sentence: people read it."))
    concern.decision, concern.answer, concern.decided_on = decision, answer.strip(), timezone.localdate()
    concern.save(update_fields=["decision", "answer", "decided_on"])
    log(instance=concern.initiative, action="readiness.decide_concern", user=by, data={"concern": concern.pk})
    return concern


def concerns_for(user: User, initiative: Initiative) -> QuerySet[Concern]:
    """Champions see their unit's, managers those at and below theirs, the team and HR all."""
    concerns = Concern.objects.filter(initiative=initiative).select_related("unit")
    if may_see_all(user, initiative) or is_in_team(user, initiative):
        return concerns
    within = Q(unit__in=Champion.objects.agreed().filter(initiative=initiative, person=user).values("unit_id"))
    for unit in units_managed(user):
        within |= Q(unit__path__startswith=unit.path)
    return concerns.filter(within)


def concerns_by_kind(initiative: Initiative) -> list[tuple[str, int, int]]:
    """(kind in words, how many, how many not decided yet), the most frequent first."""
    rows = (
        Concern.objects.filter(initiative=initiative)
        .values_list("kind")
        .annotate(n=Count("pk"), waiting=Count("pk", filter=Q(decision="")))
        .order_by("-n", "kind")
    )
    return [(str(ConcernKind(kind).label), n, waiting) for kind, n, waiting in rows]


# --- Champions -------------------------------------------------------------------------------------------------------
@transaction.atomic
def propose_champion(*, initiative: Initiative, person: User, hours_month: int, by: User) -> Champion:
    """Propose a colleague as champion of her unit; her manager then agrees to the hours. Twice is once."""
    if not may_run(by, initiative):
        raise JourneyRefused(_("Champions are proposed by the change team."))
    unit = unit_of(person)
    if unit is None or not unit.path.startswith(initiative.unit.path):
        raise JourneyRefused(_("This person does not work where the change happens."))
    champion, created = Champion.objects.get_or_create(
        initiative=initiative, person=person, defaults={"unit": unit, "hours_month": hours_month}
    )
    if created:
        log(instance=initiative, action="readiness.propose_champion", user=by, data={"person": person.pk})
    return champion


@transaction.atomic
def decide_champion(*, champion: Champion, agreed: bool, by: User) -> None:
    """The manager agrees to the hours, or does not: then there is no champion."""
    row = Champion.objects.select_for_update(of=("self",)).select_related("initiative").filter(pk=champion.pk).first()
    if row is None:
        return
    if not is_manager_of(by, row.person):
        raise JourneyRefused(_("The manager of the person agrees to the hours."))
    log(
        instance=row.initiative,
        action="readiness.decide_champion",
        user=by,
        data={"person": row.person_id, "agreed": agreed},
    )
    if agreed:
        row.manager_agreed = True
        row.save(update_fields=["manager_agreed"])
    else:
        row.delete()


@dataclass(frozen=True)
class Reach:
    """How far champions reach: units of the change with one of their own or at most two levels above."""

    units: int
    reached: int

    @property
    def pct(self) -> int:
        return self.reached * 100 // self.units if self.units else 0


def reach_of(initiative: Initiative) -> Reach:
    paths = list(Unit.objects.filter(path__startswith=initiative.unit.path).values_list("path", flat=True))
    theirs = set(Champion.objects.agreed().filter(initiative=initiative).values_list("unit__path", flat=True))
    step = Unit.steplen
    reached = sum(any(path[: len(path) - up * step] in theirs for up in range(3)) for path in paths)
    return Reach(len(paths), reached)


def champions_near(initiative: Initiative, unit: Unit | None) -> Sequence[Champion]:
    """Champions of her unit first, then of those above, the nearest first."""
    if unit is None:
        return []
    above = [unit.path[:end] for end in range(len(unit.path), len(initiative.unit.path) - 1, -Unit.steplen)]
    rows = Champion.objects.agreed().filter(initiative=initiative, unit__path__in=above, person__is_active=True)
    return sorted(rows.select_related("person", "unit"), key=lambda row: (-len(row.unit.path), row.person.name))[:5]
