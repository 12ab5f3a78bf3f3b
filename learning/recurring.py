"""Requirements that come round: their periods stored as they stand, and read for who has them.

`settle_periods` works out from what was completed what `LearningPeriod` is to hold, and writes what differs. Nothing is
reset: a course passed in an earlier period stays passed, and is taken again under a new number.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from competencies.models import RoleProfile
from competencies.selectors import Standing, standings_of
from courses.models import Enrolment
from learning.enums import AssignmentKind, CuratedStatus
from learning.models import Assignment, CuratedItem, CuratedStage, CuratedVersion, LearningPeriod
from learning.periods import GRACE, MISSED, OPEN, UPCOMING, Period, Recurrence, RecurrenceRefused, status
from learning.rounds import InForce, Need, kept_on, periods_now
from learning.titles import Titles, with_names
from organisations.models import User

logger = logging.getLogger(__name__)

PERIODS_JOB = "learning.settle_periods"
BATCH = 500
# A window that opened so recently is looked at again each night: a plan may have missed its day.
LATELY = timedelta(days=7)

Progress = Callable[[int, int], None]


def recurrence_of(assignment: Assignment) -> Recurrence | None:
    """How an assignment comes round; None for one that does not, or says it in a way nobody can follow."""
    if not assignment.repeat:
        return None
    try:
        return Recurrence(**assignment.repeat)
    except (RecurrenceRefused, TypeError):
        logger.exception("assignment %s repeats in a way that cannot be read", assignment.pk)
        return None


# --- Writing -----------------------------------------------------------------------------------------------------
def settle_periods(*, assignment_ids: Iterable[int], day: date, progress: Progress | None = None) -> list[int]:
    """Store the periods of these assignments as they stand on a day; returns whose paths are to be planned anew.

    Those are the people for whom a period opened, was kept or moved. Doing it twice leaves the same rows; what is
    completed or over stays as it was unless what was completed is corrected. Assignments that do not repeat, that have
    ended or whose person is exempt keep the rows they have. As many queries a batch, however many assignments are in it.
    """
    ids = sorted(set(assignment_ids))
    people: set[int] = set()
    for start in range(0, len(ids), BATCH):
        people |= _settle_batch(ids[start : start + BATCH], day)
        if progress is not None:
            progress(min(start + BATCH, len(ids)), len(ids))
    return sorted(people)


def repeating(person_ids: Collection[int] | None = None, day: date | None = None) -> list[int]:
    """Ids of the assignments that come round: of everybody, or of these people."""
    rows = Assignment.objects.asking(day).exclude(repeat={}).order_by("pk")
    if person_ids is not None:
        rows = rows.filter(person_id__in=person_ids)
    return list(rows.values_list("pk", flat=True))


@transaction.atomic
def _settle_batch(ids: Sequence[int], day: date) -> set[int]:
    # The rows of the assignments are the lock: two runs settle one after the other.
    list(Assignment.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk").values_list("pk"))
    assignments = list(
        Assignment.objects.asking(day)
        .filter(pk__in=ids)
        .exclude(repeat={})
        .select_related("role_assignment__profile")
        .order_by("pk")
    )
    rows: dict[int, list[LearningPeriod]] = defaultdict(list)
    for row in LearningPeriod.objects.filter(assignment__in=assignments).order_by("number"):
        rows[row.assignment_id].append(row)
    met = _Met(assignments, rows, day)
    changed: list[LearningPeriod] = []
    gone: list[int] = []
    people: set[int] = set()
    for assignment in assignments:
        recurrence = recurrence_of(assignment)
        if recurrence is None:
            continue
        stored = {row.number: _period(row) for row in rows[assignment.pk]}
        found = periods_now(
            recurrence,
            due_on=assignment.due_on,
            stored=list(stored.values()),
            kept=met.by(assignment),
            as_of=day,
        )
        changed += [_row(assignment, period) for period in found if stored.get(period.number) != period]
        gone += [row.pk for row in rows[assignment.pk] if row.number > len(found)]
        if _asked(stored.values(), day) != _asked(found, day) or _opened_lately(found, day):
            people.add(assignment.person_id)
    LearningPeriod.objects.filter(pk__in=gone).delete()
    LearningPeriod.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["assignment", "number"],
        update_fields=["opens_on", "due_on", "grace_until", "completed_on"],
    )
    return people


def _period(row: LearningPeriod) -> Period:
    return Period(row.number, row.opens_on, row.due_on, row.grace_until, row.completed_on)


def _row(assignment: Assignment, period: Period) -> LearningPeriod:
    return LearningPeriod(
        assignment=assignment,
        number=period.number,
        opens_on=period.opens_on,
        due_on=period.due_on,
        grace_until=period.grace_until,
        completed_on=period.completed_on,
    )


def _asked(found: Iterable[Period], day: date) -> Period | None:
    """The period last opened: what the path asks for hangs on it."""
    return max((period for period in found if period.opens_on <= day), key=lambda p: p.number, default=None)


def _opened_lately(found: Iterable[Period], day: date) -> bool:
    last = _asked(found, day)
    return last is not None and last.completed_on is None and day - last.opens_on <= LATELY


class _Met:
    """When people met what comes round: read for a batch, then asked window by window."""

    def __init__(
        self, assignments: Sequence[Assignment], rows: Mapping[int, Sequence[LearningPeriod]], day: date
    ) -> None:
        self.day = day
        self.completions = completions_of({a.person_id for a in assignments})
        self.asked = required_courses({a.curated_path_id for a in assignments if a.curated_path_id is not None})
        self.kept_before = {pk: [row.completed_on for row in found if row.completed_on] for pk, found in rows.items()}
        roles = [a for a in assignments if a.kind == AssignmentKind.ROLE]
        standings = standings_of([a.person_id for a in roles], as_of=day) if roles else {}
        self.met_today = {
            a.pk for a in roles if a.role_assignment and _is_met(standings[a.person_id], a.role_assignment.profile)
        }

    def by(self, assignment: Assignment) -> Callable[[date, date], date | None]:
        if assignment.kind == AssignmentKind.ROLE:
            return lambda opens_on, until: self._role_met(assignment.pk, opens_on, until)
        if assignment.curated_path_id is not None:
            asked: Sequence[InForce] = self.asked.get(assignment.curated_path_id, ())
        else:
            asked = [InForce(date.min, (Need(frozenset({assignment.course_key}), 1),))]
        completions = self.completions.get(assignment.person_id, ())
        return lambda opens_on, until: kept_on(asked, _from(completions, opens_on), opens_on, until)

    def _role_met(self, assignment_id: int, opens_on: date, until: date) -> date | None:
        """Levels of the past are not looked up: a role is met on the first day of the window on which it was seen to be."""
        days = [*self.kept_before.get(assignment_id, ()), *([self.day] if assignment_id in self.met_today else ())]
        return min((seen for seen in days if opens_on <= seen <= until), default=None)


def _from(completions: Sequence[tuple[date, str]], day: date) -> Sequence[tuple[date, str]]:
    return completions[bisect_left(completions, (day, "")) :]


def _is_met(standing: Standing, profile: RoleProfile) -> bool:
    """Whether the person shows all that the role asks for, in the edition of it that is in force."""
    own = [held for held in standing.profiles if held.lineage == profile.lineage]
    return bool(own) and all(standing.is_met(held.pk) for held in own)


def completions_of(person_ids: Collection[int]) -> dict[int, list[tuple[date, str]]]:
    """Days on which people completed courses, in whatever language, with the course's key; in order. One query."""
    found: dict[int, list[tuple[date, str]]] = defaultdict(list)
    rows = Enrolment.objects.completed().filter(person_id__in=person_ids)
    for person_id, key, completed_at in rows.values_list("person_id", "course__key", "completed_at"):
        found[person_id].append((timezone.localdate(completed_at), key))
    return {person_id: sorted(done) for person_id, done in found.items()}


def required_courses(path_ids: Collection[int]) -> dict[int, list[InForce]]:
    """What curated paths ask for to be kept, by CuratedPath id, in the versions since they were first published.

    Those are the courses of the stages that are required as a whole; only in a path without such a stage the electives.
    Three queries, none for no paths.
    """
    if not path_ids:
        return {}
    versions = list(
        CuratedVersion.objects.filter(path_id__in=path_ids, published_at__isnull=False)
        .exclude(status=CuratedStatus.DRAFT)
        .order_by("published_at", "number")
    )
    keys: dict[int, list[str]] = defaultdict(list)
    stages: dict[int, list[CuratedStage]] = defaultdict(list)
    for stage in CuratedStage.objects.filter(version__in=versions).order_by("position"):
        stages[stage.version_id].append(stage)
    for stage_id, key in CuratedItem.objects.filter(stage__version__in=versions).values_list("stage_id", "course_key"):
        keys[stage_id].append(key)
    found: dict[int, list[InForce]] = defaultdict(list)
    for version in versions:
        if version.published_at is not None:
            needs = [
                (stage.choose is None, Need(frozenset(keys[stage.pk]), stage.choose or len(set(keys[stage.pk]))))
                for stage in stages[version.pk]
                if keys[stage.pk]
            ]
            required = [need for is_whole, need in needs if is_whole] or [need for _whole, need in needs]
            # Before its first publishing nobody can have followed it.
            found[version.path_id].append(InForce(timezone.localdate(version.published_at), tuple(required)))
    return found


# --- Reading -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Turn:
    """One period as a page shows it. `status` is a word of learning/periods.py."""

    period: Period
    status: str

    @property
    def is_open(self) -> bool:
        return self.status in {OPEN, GRACE}

    @property
    def is_asked(self) -> bool:
        """Its window has opened and it was not kept."""
        return self.status in {OPEN, GRACE, MISSED}


@dataclass(frozen=True)
class Round:
    """A requirement that comes round, with its periods, the newest first; none while it has no due date."""

    assignment: Assignment
    title: str
    url: str
    recurrence: Recurrence
    turns: tuple[Turn, ...]

    @property
    def current(self) -> Turn | None:
        """The period whose window opened last; before the first one opens the one to come."""
        opened = [turn for turn in self.turns if turn.status != UPCOMING]
        return opened[0] if opened else next(iter(self.turns), None)


def rounds_of(person: User, day: date) -> tuple[Round, ...]:
    """What comes round for a person, what is due first first. The number of queries does not depend on how much it is."""
    assignments = list(
        with_names(Assignment.objects.asking(day).filter(person=person).exclude(repeat={})).order_by("pk")
    )
    rows: dict[int, list[Period]] = defaultdict(list)
    for row in LearningPeriod.objects.filter(assignment__in=assignments).order_by("-number"):
        rows[row.assignment_id].append(_period(row))
    titles = Titles(assignments)
    found = []
    for assignment in assignments:
        recurrence = recurrence_of(assignment)
        if recurrence is None:
            continue
        page = titles.page(assignment.course_key) if assignment.course_key else None
        turns = tuple(Turn(period, status(period, day)) for period in rows[assignment.pk])
        url = page.url or "" if page is not None and page.live else ""
        found.append(Round(assignment, titles.of(assignment), url, recurrence, turns))
    return tuple(sorted(found, key=_due_first))


def _due_first(row: Round) -> tuple[bool, date, int]:
    turn = row.current
    return (turn is None or not turn.is_asked, turn.period.due_on if turn is not None else date.max, row.assignment.pk)


def due_again(person: User, key: str, day: date) -> date | None:
    """By when a person is to take this course again: it comes round, its period is open and she has not completed it
    since it opened. At most five queries, one for who has nothing that comes round."""
    assignments = {
        a.pk: a
        for a in Assignment.objects.asking(day)
        .filter(person=person)
        .exclude(repeat={})
        .exclude(kind=AssignmentKind.ROLE)
        if not a.course_key or a.course_key == key
    }
    if not assignments:
        return None
    opened: dict[int, LearningPeriod] = {}
    for row in LearningPeriod.objects.filter(assignment__in=assignments, opens_on__lte=day).order_by("number"):
        opened[row.assignment_id] = row
    asked = required_courses({a.curated_path_id for a in assignments.values() if a.curated_path_id is not None})
    done = [on for on, completed in completions_of([person.pk]).get(person.pk, ()) if completed == key]
    dates = [
        row.due_on
        for pk, row in opened.items()
        if row.completed_on is None
        and not any(row.opens_on <= on <= day for on in done)
        and (assignments[pk].course_key or _requires(asked, assignments[pk].curated_path_id, key))
    ]
    return min(dates, default=None)


def _requires(asked: Mapping[int, Sequence[InForce]], path_id: int | None, key: str) -> bool:
    versions = asked.get(path_id, ()) if path_id is not None else ()
    return bool(versions) and any(key in need.keys for need in versions[-1].needs)
