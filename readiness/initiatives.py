"""The change as people meet it: reading why, asking, worrying aloud, and colleagues who help."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from secrets import randbelow
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
from django.core.cache import cache
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from competencies.models import RoleProfile
from competencies.selectors import profiles_by_person
from organisations.models import Appointment, Unit, User
from organisations.perms import is_hr, is_hr_of, is_manager_of, managers_of
from readiness.enums import (
    DEFAULT_K,
    IMPACT_ASPECTS,
    QUESTION_ANSWERED_WITHIN_WORKING_DAYS,
    ConcernDecision,
    ConcernKind,
    InitiativeStatus,
    TeamRole,
)
from readiness.journey_mails import answering, ask_for_hours, tell_answer, tell_champion_decided
from readiness.models import (
    Champion,
    Concern,
    Impact,
    Initiative,
    Milestone,
    Question,
    ReadConfirmation,
    RoleImpact,
)
from readiness.perms import champions_unit, is_in_team, manages_unit, may_run, may_see_all, unit_of, units_managed

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

QUESTIONS_A_DAY = 10
LATEST_PLACE = 2**31 - 1
MAX_REASON = 300
# Adults read about so many words of a text in their language in a minute (Brysbaert 2019, doi:10.1016/j.jml.2019.104047).
WORDS_A_MINUTE = 240
TEXTS = (
    "summary", "why", "evidence", "if_we_do_nothing", "for_citizens", "what_changes", "what_stays", "still_open", "decider",
)  # fmt: skip


class JourneyRefused(ValueError):
    """What cannot be done; the text is a sentence for the person who tried."""


def is_concerned(user: User | AnonymousUser, initiative: Initiative, unit: Unit | None) -> bool:
    """Whether the change is hers: she works where it happens (`unit` is hers), for it, or serves it as HR.

    Everybody else who may read it reads it as citizens do: without names, questions and answers.
    """
    if unit is not None and unit.path.startswith(initiative.unit.path):
        return True
    return is_in_team(user, initiative) or may_run(user, initiative)


def _check_under_way(initiative: Initiative) -> None:
    if initiative.status != InitiativeStatus.PUBLISHED:
        raise JourneyRefused(_("This change is not under way."))


# --- Reading ---------------------------------------------------------------------------------------------------------
def confirm_reading(*, initiative: Initiative, by: User) -> None:
    """She has read why. Twice is once. Raises JourneyRefused where the change is not under way."""
    _check_under_way(initiative)
    ReadConfirmation.objects.get_or_create(initiative=initiative, person=by)


def role_impacts_of(initiative: Initiative) -> list[RoleImpact]:
    return list(initiative.role_impacts.select_related("profile__role").order_by("sort_order", "pk"))


@dataclass(frozen=True)
class Touched:
    """How much a change asks of the people of a unit: (what, strength 0 to 3) and what is done about it."""

    impact: Impact
    aspects: tuple[tuple[str, int], ...]

    @property
    def strongest(self) -> tuple[tuple[str, int], ...]:
        """What changes at all, the most first."""
        return tuple(sorted((aspect for aspect in self.aspects if aspect[1]), key=lambda aspect: -aspect[1]))


def touched_of(impact: Impact) -> Touched:
    names = {field.name: str(field.verbose_name) for field in Impact._meta.fields}
    return Touched(impact, tuple((names[name], getattr(impact, name)) for name in IMPACT_ASPECTS))


def impacts_of(initiative: Initiative) -> list[Touched]:
    """Of every unit for which it was written down, in the order of the tree. One query."""
    rows = Impact.objects.filter(initiative=initiative).select_related("unit").order_by("unit__path")
    return [touched_of(row) for row in rows]


def impact_for(initiative: Initiative, unit: Unit | None) -> Touched | None:
    """What was written down for her unit, else for the nearest one above it. One query."""
    if unit is None:
        return None
    paths = [unit.path[:end] for end in range(Unit.steplen, len(unit.path) + 1, Unit.steplen)]
    row = (
        Impact.objects.filter(initiative=initiative, unit__path__in=paths)
        .select_related("unit")
        .order_by("-unit__path")
    )
    found = row.first()
    return touched_of(found) if found is not None else None


@dataclass(frozen=True)
class ToAnswer:
    """Questions that wait for an answer: how many, by when the first is promised, who answers, and whether she does."""

    n: int
    due_on: date
    who: tuple[str, ...]
    is_hers: bool
    is_overdue: bool = False


def to_answer(user: User, initiative: Initiative) -> ToAnswer | None:
    """None where no question waits. Two queries, one where none does."""
    due = sorted(Question.objects.waiting().filter(initiative=initiative).values_list("due_on", flat=True))
    if not due:
        return None
    people = answering(initiative.pk)
    names = tuple(person.name for person in people)
    return ToAnswer(len(due), due[0], names, user in people, due[0] < timezone.localdate())


def own_impacts(person: User, impacts: Sequence[RoleImpact], day: date) -> list[RoleImpact]:
    """What changes for her by the roles of her post and those assigned to her, whichever edition they are of.

    Up to three queries.
    """
    if not impacts:
        return []
    own = profiles_by_person([person.pk], day).get(person.pk, [])
    lineages = set(RoleProfile.objects.filter(pk__in=own).values_list("lineage", flat=True)) if own else set()
    return [impact for impact in impacts if impact.profile.lineage in lineages]


def reading_minutes(initiative: Initiative, mine: Sequence[RoleImpact]) -> int:
    """How long the texts take to read in the reader's language, at WORDS_A_MINUTE, in whole minutes, at least one."""
    texts = [getattr(initiative, name) for name in TEXTS] + [impact.text for impact in mine]
    return max(1, round(sum(len(str(text).split()) for text in texts) / WORDS_A_MINUTE))


def posts_of_sponsors(initiative: Initiative, day: date) -> list[str]:
    """Who stands behind the change, as the public reads it: posts with their unit, no names. One query."""
    sponsors = initiative.team.filter(role=TeamRole.SPONSOR).values("person_id")
    held = (
        Appointment.objects.current(day)
        .filter(person__in=sponsors)
        .select_related("post__unit")
        .order_by("starts_on", "post__unit__path", "pk")
    )
    first = {appointment.person_id: appointment.post for appointment in reversed(held)}
    return [f"{post.title}, {post.unit}" for post in first.values()]


@dataclass(frozen=True)
class Dated:
    """A milestone and where it stands: done, late, next or later."""

    milestone: Milestone
    place: str


def timeline_of(initiative: Initiative, day: date) -> list[Dated]:
    """In the order of dates. Next is the first that is not done and whose day is not past, with all of the same day."""
    milestones = list(initiative.milestones.order_by("on", "sort_order", "pk"))
    ahead = [m.on for m in milestones if not m.is_done and m.on >= day]
    first = min(ahead, default=None)

    def place(milestone: Milestone) -> str:
        if milestone.is_done:
            return "done"
        if milestone.on < day:
            return "late"
        return "next" if milestone.on == first else "later"

    return [Dated(milestone, place(milestone)) for milestone in milestones]


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
    """Ask for everybody to read. `token` is the form's: the same words sent twice with it are one question.

    Anonymously nothing of the person is kept, and nowhere a time finer than the day: not in a log, not in a job, not in a
    mail (`journey_mails.tell_of_questions`). Raises JourneyRefused for an empty question, for a change that is not under
    way, and for more than QUESTIONS_A_DAY of a person on a day.
    """
    on = day or timezone.localdate()
    _check_under_way(initiative)
    text = " ".join(text.split())
    if not text:
        raise JourneyRefused(_("Write your question."))
    pk = _question_id(initiative, text, token)
    known = Question.objects.filter(pk=pk).first()
    if known is not None:
        return known
    # Only a number is counted, and it is gone after a day: not what was asked, nor whether with a name.
    key = f"readiness:asked:{by.pk}:{on}"
    cache.add(key, 0, 86_400)
    if cache.incr(key) > QUESTIONS_A_DAY:
        raise JourneyRefused(_("That is enough for today. Ask the others tomorrow."))
    question, created = Question.objects.get_or_create(
        pk=pk,
        defaults={
            "initiative": initiative,
            "text": text,
            "asked_by": None if anonymously else by,
            "place": randbelow(LATEST_PLACE),
            "asked_on": on,
            "due_on": due_day(on),
        },
    )
    if created and not anonymously:
        log(instance=initiative, action="readiness.ask_question", user=by, data={"question": str(question.pk)})
    return question


def _question_id(initiative: Initiative, text: str, token: UUID) -> UUID:
    """The id that a form's token and these words lead to; what stands in a browser's cache does not say which question."""
    said = f"{initiative.pk}:{token}:{text}"
    return UUID(bytes=salted_hmac("readiness.question", said, algorithm="sha256").digest()[:16], version=4)


@dataclass(frozen=True)
class Waiting:
    """How many questions of a change wait for an answer, and how many of them longer than was promised."""

    all: int
    overdue: int


def waiting_of(initiative: Initiative, day: date) -> Waiting:
    due = list(Question.objects.waiting().filter(initiative=initiative).values_list("due_on", flat=True))
    return Waiting(len(due), sum(on < day for on in due))


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
    if first:
        tell_answer(question)
    return question


# --- Concerns --------------------------------------------------------------------------------------------------------
def may_raise_concern(user: User, initiative: Initiative, unit: Unit) -> bool:
    """The champion of the unit, who leads it, and the change team; never in somebody's name."""
    return champions_unit(user, initiative, unit) or manages_unit(user, unit) or may_run(user, initiative)


def unit_large_enough(unit: Unit, top: Unit, day: date) -> Unit | None:
    """The unit, or the nearest above it with at least ten people: a concern is never that of a few.

    None where fewer than that work in all of `top`. A query for each step upwards.
    """
    found: Unit | None = unit
    while found is not None and found.path.startswith(top.path):
        people = (
            Appointment.objects.current(day)
            .filter(post__unit__path__startswith=found.path, person__is_active=True)
            .values("person_id")
            .distinct()
            .count()
        )
        if people >= DEFAULT_K:
            return found
        found = found.get_parent()
    return None


@transaction.atomic
def raise_concern(*, initiative: Initiative, unit: Unit, kind: str, text: str, by: User) -> Concern:
    """Write down what people of a unit worry about. The same words for the same unit on a day are one concern.

    A unit of fewer than ten people is spoken for by the nearest above that has them: `unit` of what is returned.
    """
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
    large = unit_large_enough(unit, initiative.unit, day)
    if large is None:
        raise JourneyRefused(
            _(
                "Fewer than ten people work where this change happens: a concern would point at one of them. Talk instead."
            )
        )
    concern, _created = Concern.objects.get_or_create(
        initiative=initiative, unit=large, kind=kind, text=text, raised_on=day
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
    before = {"decision": concern.decision, "answer": concern.answer}
    if (decision, answer.strip()) == (concern.decision, concern.answer):
        return concern
    concern.decision, concern.answer, concern.decided_on = decision, answer.strip(), timezone.localdate()
    concern.save(update_fields=["decision", "answer", "decided_on"])
    log(
        instance=concern.initiative,
        action="readiness.decide_concern",
        user=by,
        data={"concern": concern.pk, "before": before},
    )
    return concern


def concerns_for(user: User, initiative: Initiative) -> QuerySet[Concern]:
    """Champions see their unit's, managers those at and below theirs, the team and HR all.

    Where a unit is too small to be spoken for, those of the one above that stands for it.
    """
    concerns = Concern.objects.filter(initiative=initiative).select_related("unit")
    if may_see_all(user, initiative) or is_in_team(user, initiative):
        return concerns
    day = timezone.localdate()
    within = Q(pk__in=[])
    led = units_managed(user, day)
    for unit in led:
        within |= Q(unit__path__startswith=unit.path)
    spoken_for = [unit for unit in led if unit.path.startswith(initiative.unit.path)]
    mine = Champion.objects.agreed().filter(initiative=initiative, person=user).select_related("unit")
    spoken_for += [champion.unit for champion in mine]
    standing = [unit_large_enough(unit, initiative.unit, day) for unit in spoken_for]
    within |= Q(unit__in=[unit.pk for unit in standing if unit is not None])
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


@dataclass(frozen=True)
class KindOfConcern:
    """The concerns of one kind, those not decided yet first."""

    label: str
    concerns: tuple[Concern, ...]
    waiting: int


def by_kind(concerns: Iterable[Concern]) -> list[KindOfConcern]:
    """Grouped by kind, the most frequent first, ties in the order of the kinds."""
    found: dict[str, list[Concern]] = {kind: [] for kind in ConcernKind.values}
    for concern in concerns:
        found[concern.kind].append(concern)
    groups = [
        KindOfConcern(
            str(ConcernKind(kind).label),
            tuple(sorted(rows, key=lambda row: bool(row.decision))),
            sum(not row.decision for row in rows),
        )
        for kind, rows in found.items()
        if rows
    ]
    return sorted(groups, key=lambda group: -len(group.concerns))


# --- Champions -------------------------------------------------------------------------------------------------------
@transaction.atomic
def propose_champion(*, initiative: Initiative, person: User, hours_month: int, by: User) -> Champion:
    """Propose a colleague as champion of her unit; her manager is asked for the hours by mail. Twice is once."""
    if not may_run(by, initiative):
        raise JourneyRefused(_("Champions are proposed by the change team."))
    day = timezone.localdate()
    unit = unit_of(person, day)
    if unit is None or not unit.path.startswith(initiative.unit.path):
        raise JourneyRefused(_("This person does not work where the change happens."))
    deciders = deciders_of_hours(person, day)
    if not deciders:
        raise JourneyRefused(_("Nobody is found who could agree to the hours: she has no manager and no HR officer."))
    champion, created = Champion.objects.get_or_create(
        initiative=initiative, person=person, defaults={"unit": unit, "hours_month": hours_month}
    )
    if created:
        log(instance=initiative, action="readiness.propose_champion", user=by, data={"person": person.pk})
        for decider in deciders:
            ask_for_hours(champion, decider)
    return champion


def deciders_of_hours(person: User, day: date) -> list[User]:
    """Her managers; where she has none, the HR officers who serve her unit."""
    managers = User.objects.active().filter(pk__in=managers_of([person.pk], day)[person.pk])
    found = list(managers.order_by("pk"))
    if found:
        return found
    unit = unit_of(person, day)
    if unit is None:
        return []
    line = [unit.path[:end] for end in range(Unit.steplen, len(unit.path) + 1, Unit.steplen)]
    officers = User.objects.active().filter(hr_mandates__unit__path__in=line).exclude(pk=person.pk)
    return list(officers.distinct().order_by("pk"))


def may_agree_to_hours(user: User, person: User, day: date) -> bool:
    """Her manager; where she has none, HR or an administrator. Nobody for herself."""
    if user.pk == person.pk:
        return False
    if is_manager_of(user, person, day):
        return True
    managers = User.objects.active().filter(pk__in=managers_of([person.pk], day)[person.pk])
    return not managers.exists() and is_hr_of(user, person, day)


def hours_to_decide(user: User, day: date, initiative: Initiative | None = None) -> list[Champion]:
    """Champions whose hours wait for this person's word. As many queries for one as for many."""
    waiting = Champion.objects.filter(manager_agreed=False, person__is_active=True).exclude(person=user)
    waiting = waiting.filter(initiative__status=InitiativeStatus.PUBLISHED)
    if initiative is not None:
        waiting = waiting.filter(initiative=initiative)
    waiting = waiting.select_related("initiative", "person", "unit")
    led = list(waiting.filter(person__in=User.objects.led_by(user, day).values("pk")))
    if not is_hr(user):
        return led
    served = User.objects.all() if user.is_superuser else User.objects.in_hr_scope_of(user, day)
    others = list(waiting.filter(person__in=served.values("pk")).exclude(pk__in=[row.pk for row in led]))
    managers = managers_of([row.person_id for row in others], day) if others else {}
    active = set(
        User.objects.active().filter(pk__in=set().union(*managers.values())).values_list("pk", flat=True)
        if managers
        else ()
    )
    return led + [row for row in others if not managers[row.person_id] & active]


@transaction.atomic
def decide_champion(*, champion: Champion, agreed: bool, by: User, reason: str = "") -> None:
    """The manager agrees to the hours, or does not: then there is no champion. The change team gets a mail.

    What is decided stays: a second press changes nothing. Raises JourneyRefused for who may not decide.
    """
    row = (
        Champion.objects.select_for_update(of=("self",))
        .select_related("initiative", "person")
        .filter(pk=champion.pk)
        .first()
    )
    if row is None or row.manager_agreed:
        return
    if not may_agree_to_hours(by, row.person, timezone.localdate()):
        raise JourneyRefused(_("The manager of the person agrees to the hours."))
    reason = " ".join(reason.split())[:MAX_REASON]
    log(
        instance=row.initiative,
        action="readiness.decide_champion",
        user=by,
        data={"person": row.person_id, "agreed": agreed, "reason": reason},
    )
    told = {member.pk: member for member in answering(row.initiative_id)}
    if agreed:
        row.manager_agreed = True
        row.save(update_fields=["manager_agreed"])
        told[row.person_id] = row.person
    for person in told.values():
        tell_champion_decided(row, agreed=agreed, reason=reason, by=by, to=person)
    if not agreed:
        row.delete()


@transaction.atomic
def release_champion(*, champion: Champion, by: User) -> None:
    """She helps no longer: said by herself, her manager or the change team. Twice is once."""
    row = (
        Champion.objects.select_for_update(of=("self",))
        .select_related("initiative__unit", "person")
        .filter(pk=champion.pk)
        .first()
    )
    if row is None:
        return
    if by.pk != row.person_id and not may_run(by, row.initiative) and not is_manager_of(by, row.person):
        raise JourneyRefused(_("A champion steps back herself, or is released by her manager or the change team."))
    log(instance=row.initiative, action="readiness.release_champion", user=by, data={"person": row.person_id})
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
