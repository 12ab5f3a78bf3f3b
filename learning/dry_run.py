"""The dry run of an assignment: for every person meant one row that says what would become of her. Reads, never writes.

`rows_of_ask` makes the same rows at any time from the same world; that is how a batch finds out, before it is applied,
whether the world is still as it was shown.
"""

from __future__ import annotations

import gc
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from competencies.levels import lapse_date
from competencies.models import Evidence, Framework, RoleAssignment
from competencies.ruling import books_in_force
from competencies.selectors import item_of, standings_of
from courses.models import Enrolment
from learning.asking import Ask, Resolved, Thing, in_parts
from learning.curated import published_stages
from learning.due_dates import (
    AFTER_START_IN_POST,
    AFTER_STEP,
    BEFORE_CERTIFICATION_ENDS,
    DueFacts,
    date_today,
    earliest_realistic,
    is_realistic,
    moved,
)
from learning.enums import BatchStatus, Existing, RowOutcome, RowState
from learning.hr import newest_plans
from learning.inputs import leave_of
from learning.models import Assignment, BatchRow, PathStep
from learning.outlook import Outlook, Reckoning
from learning.room import minutes_left_by_course, weekly_minutes_by_person
from organisations.enums import OPEN_JOB_STATES
from organisations.ids import Ids
from organisations.models import Appointment, User

# Outcomes that write something.
CHANGING = (RowOutcome.GAINS, RowOutcome.MOVES, RowOutcome.BINDS, RowOutcome.LOSES)


@dataclass(frozen=True)
class Had:
    """What a person has of the thing already. `assignment_id` is None for a role without an assignment beside it."""

    assignment_id: int | None = None
    role_assignment_id: int | None = None
    due_on: date | None = None
    mandatory: bool = False
    exempt: bool = False
    rule_id: int | None = None


@dataclass
class Facts:
    """What rows are made from, read for some hundred people at once."""

    had: dict[int, Had] = field(default_factory=dict)
    # Steps of the path of today by the day they are due, with the minutes left of each; undated ones left out.
    dated: dict[int, list[tuple[date, str, int]]] = field(default_factory=dict)
    # Minutes left of courses begun, by person and course.
    left: dict[tuple[int, str], int] = field(default_factory=dict)
    under_way: set[int] = field(default_factory=set)
    due: dict[int, DueFacts] = field(default_factory=dict)
    leaves: dict[int, tuple[tuple[date, date], ...]] = field(default_factory=dict)
    weekly_minutes: dict[int, int] = field(default_factory=dict)


@contextmanager
def uncollected() -> Iterator[None]:
    """Rows are made by the ten thousand and none of them is garbage: looking for some takes a quarter of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def rows_of_ask(
    *,
    ask: Ask,
    thing: Thing,
    resolved: Resolved,
    losing: Sequence[Assignment] = (),
    batch_id: int | None = None,
    day: date | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[BatchRow]:
    """The rows of a dry run, unsaved and numbered: people by name, then lines that lead to nobody, then who loses it."""
    today = day or timezone.localdate()
    outlook = Outlook(thing, today, mandatory=ask.mandatory)
    rows: list[BatchRow] = []
    for people in in_parts(resolved.people):
        facts = read_facts(Ids(person.pk for person in people), ask, thing, today, batch_id)
        rows += _rows_of(people, facts, ask, today, outlook)
        if progress is not None:
            progress(len(rows), len(resolved.people) + 1)
    rows += [
        BatchRow(line=m.line, text=m.text, outcome=RowOutcome.NOT_FOUND, reasons=[m.reason]) for m in resolved.missing
    ]
    meant = {person.pk for person in resolved.people}
    rows += [
        BatchRow(
            person_id=assignment.person_id,
            outcome=RowOutcome.LOSES,
            reasons=["left_rule"],
            due_before=assignment.due_on,
            assignment_id=assignment.pk,
        )
        for assignment in losing
        if assignment.person_id not in meant
    ]
    for number, row in enumerate(rows, start=1):
        row.number = number
        row.batch_id = batch_id  # type: ignore[assignment]
    return rows


def _rows_of(people: Sequence[User], facts: Facts, ask: Ask, day: date, outlook: Outlook) -> list[BatchRow]:
    rows = []
    reckoned: list[tuple[BatchRow, User]] = []
    for person in people:
        had = facts.had.get(person.pk)
        leaves = facts.leaves.get(person.pk, ())
        due_on = date_today(ask.due_policy, facts.due[person.pk], leaves)
        outcome, reasons = _outcome(ask, had, due_on, person.pk in facts.under_way)
        row = BatchRow(person=person, outcome=outcome, reasons=reasons)
        if had is not None:
            row.due_before, row.assignment_id = had.due_on, had.assignment_id
        if outcome in CHANGING:
            row.due_on = had.due_on if outcome == RowOutcome.BINDS and had is not None else due_on
            reckoned.append((row, person))
        elif had is not None:
            row.due_on = had.due_on
        if any(start <= day < end for start, end in leaves):
            row.reasons.append("on_leave")
        rows.append(row)
    opened = {}
    if ask.repeat is not None:
        before = ask.repeat.opens_days_before
        opened = {person.pk: moved(row.due_on, -before) for row, person in reckoned if row.due_on is not None}
    reckonings = outlook.of([person for _row, person in reckoned], opened)
    for row, person in reckoned:
        _measure(row, reckonings[person.pk], facts, day, max(opened.get(person.pk, day), day))
    return rows


def _outcome(ask: Ask, had: Had | None, due_on: date | None, under_way: bool) -> tuple[RowOutcome, list[str]]:
    if under_way:
        return RowOutcome.CONFLICT, ["under_way"]
    if had is None:
        return RowOutcome.GAINS, []
    if had.exempt:
        return RowOutcome.CONFLICT, ["exempt"]
    # What was recommended is mandatory from now on, whatever becomes of its date.
    binds = ask.mandatory and had.assignment_id is not None and not had.mandatory
    if binds and (had.due_on == due_on or ask.existing != Existing.MOVE):
        return RowOutcome.BINDS, ["other_date"] if had.due_on != due_on else []
    if had.due_on == due_on or (had.assignment_id is None and had.role_assignment_id is None):
        return RowOutcome.HOLDS, []
    if ask.existing != Existing.MOVE:
        return RowOutcome.HOLDS, ["other_date"]
    by_another_rule = had.rule_id is not None and had.rule_id != ask.whom.rule_id
    if by_another_rule and had.mandatory and had.due_on is not None and (due_on is None or due_on > had.due_on):
        return RowOutcome.CONFLICT, ["earlier_date"]
    return RowOutcome.MOVES, ["becomes_mandatory"] if binds else []


def _measure(row: BatchRow, reckoning: Reckoning, facts: Facts, day: date, opens_on: date) -> None:
    """Whether there is time for it from the day it opens, and whether it leaves the time that other dates need."""
    row.gaps, row.steps = reckoning.gaps, reckoning.steps
    row.minutes, row.added_minutes = reckoning.minutes, reckoning.added
    if row.due_on is None or row.person_id is None:
        return
    weekly = facts.weekly_minutes.get(row.person_id) or settings.WEEKLY_LEARNING_MINUTES
    leaves = facts.leaves.get(row.person_id, ())
    dated = facts.dated.get(row.person_id, [])
    # As `Room.minutes_by` will say of it once it is given: all that is due by then, whoever asked for it.
    own = {key: facts.left.get((row.person_id, key), minutes) for key, minutes in reckoning.due}
    needed = sum(own.values()) + sum(left for due, key, left in dated if due <= row.due_on and key not in own)
    if not is_realistic(needed, row.due_on, as_of=opens_on, weekly_minutes=weekly, leaves=leaves):
        row.reasons.append("unrealistic")
        # Where it opens later than today the days from there to the date are always as many: no later date has more.
        row.realistic_on = earliest_realistic(needed, day, weekly, leaves) if opens_on == day else None
    row.late_on = _first_late(row, dated, day, weekly, leaves)
    if row.late_on is not None:
        row.reasons.append("others_late")


def _first_late(
    row: BatchRow, dated: Sequence[tuple[date, str, int]], day: date, weekly: int, leaves: tuple[tuple[date, date], ...]
) -> date | None:
    """The first other date that can be met today and no longer with this: what is due first is learned first, so only
    dates from the new one on are touched. `dated` are the steps of the path by the day they are due, in order."""
    if row.due_on is None:
        return None
    before, total = row.due_before, 0
    for number, (due_on, _key, minutes) in enumerate(dated):
        total += minutes
        if due_on < row.due_on or (number + 1 < len(dated) and dated[number + 1][0] == due_on):
            continue
        more = row.added_minutes
        if row.outcome == RowOutcome.MOVES:  # it is on the path already: new is only that it has to be done by then
            more = row.minutes if before is None or due_on < before else 0
        fits = partial(is_realistic, due_on=due_on, as_of=day, weekly_minutes=weekly, leaves=leaves)
        if more and fits(total) and not fits(total + more):
            return due_on
    return None


# --- Facts -----------------------------------------------------------------------------------------------------------
def read_facts(ids: Sequence[int], ask: Ask, thing: Thing, day: date, batch_id: int | None) -> Facts:
    """As many queries for one person as for five hundred."""
    facts = Facts(had=_had(ids, thing, day), due=_due_facts(ids, ask, thing, day))
    facts.under_way = set(
        BatchRow.objects.filter(
            person_id__in=ids,
            outcome__in=CHANGING,
            state=RowState.PLANNED,
            batch__in=thing.batches()
            .filter(status=BatchStatus.APPLYING, job__state__in=OPEN_JOB_STATES)
            .exclude(pk=batch_id or 0)
            .values("pk"),
        ).values_list("person_id", flat=True)
    )
    facts.leaves = leave_of(ids, day)
    facts.left = minutes_left_by_course(ids)
    facts.dated = _dated(ids, day, facts.left)
    facts.weekly_minutes = weekly_minutes_by_person(ids)
    return facts


def _dated(
    ids: Sequence[int], day: date, left: Mapping[tuple[int, str], int]
) -> dict[int, list[tuple[date, str, int]]]:
    """Steps of each path in force by the day they are due, in order; what is overdue cannot become late. One query."""
    found: dict[int, list[tuple[date, str, int]]] = defaultdict(list)
    plans = newest_plans().filter(person__in=ids).values("pk")
    rows = PathStep.objects.filter(plan__in=plans, due_on__gte=day).order_by("due_on")
    names = ("plan__person_id", "due_on", "course__key", "course__effort_minutes")
    for person_id, due_on, key, minutes in rows.values_list(*names):
        if due_on is not None:
            found[person_id].append((due_on, key, left.get((person_id, key), minutes)))
    return found


def _had(ids: Sequence[int], thing: Thing, day: date) -> dict[int, Had]:
    """What each of these people has of it. What is open but not in force yet stands in the way of another one too."""
    found: dict[int, Had] = {}
    if thing.profile is not None:
        posts = Appointment.objects.current(day).filter(
            person_id__in=ids, post__post_roles__profile__lineage=thing.profile.lineage
        )
        found = {pk: Had() for pk in posts.order_by().values_list("person_id", flat=True)}
        open_roles = RoleAssignment.objects.filter(
            Q(ends_on__isnull=True) | Q(ends_on__gt=day), person_id__in=ids, profile__lineage=thing.profile.lineage
        )
        for pk, person_id in open_roles.order_by("-pk").values_list("pk", "person_id"):
            found[person_id] = Had(role_assignment_id=pk)
    rows = (
        thing.given()
        .filter(Q(ended_on__isnull=True) | Q(ended_on__gt=day), person_id__in=ids)
        .filter(
            Q(role_assignment__isnull=True)
            | Q(role_assignment__ends_on__isnull=True)
            | Q(role_assignment__ends_on__gt=day)
        )
        .order_by("-pk")
        .values_list("pk", "person_id", "role_assignment_id", "due_on", "mandatory", "exempted_at", "rule_id")
    )
    for pk, person_id, role_id, due_on, mandatory, exempted_at, rule_id in rows:
        found[person_id] = Had(pk, role_id, due_on, mandatory, exempted_at is not None, rule_id)
    return found


def _due_facts(ids: Sequence[int], ask: Ask, thing: Thing, day: date) -> dict[int, DueFacts]:
    """What the date hangs on, read only as far as this date hangs on it."""
    kind = ask.due_policy.kind
    started: dict[int, date] = {}
    completed: dict[int, dict[str, date]] = {}
    ends: dict[int, date] = {}
    if kind == AFTER_START_IN_POST:
        rows = Appointment.objects.current(day).filter(person_id__in=ids).order_by("starts_on")
        started = dict(rows.values_list("person_id", "starts_on"))  # the post held last counts
    elif kind == AFTER_STEP:
        passed = Enrolment.objects.completed().filter(person_id__in=ids, course__key=ask.due_policy.course_key)
        for person_id, at in passed.order_by("-completed_at").values_list("person_id", "completed_at"):
            completed[person_id] = {ask.due_policy.course_key: timezone.localdate(at)}
    elif kind == BEFORE_CERTIFICATION_ENDS:
        ends = certification_ends(ids, thing, day)
    return {pk: DueFacts(day, started.get(pk), completed.get(pk, {}), ends.get(pk)) for pk in ids}


def certification_ends(ids: Sequence[int], thing: Thing, day: date) -> dict[int, date]:
    """The first day on which what each person has shown with it no longer counts, the earliest where it is several things.

    Of a course and a curated path it is what they passed last in its courses that counts, of a role what shows it.
    """
    if thing.profile is not None:
        found: dict[int, date] = {}
        for pk, standing in standings_of(ids, as_of=day, adding=thing.profile).items():
            own = [line for line in standing.lines if line.is_met and thing.profile.pk in line.required.profiles]
            lapses = [line.level.lapses_on for line in own if line.level.lapses_on is not None]
            if lapses:
                found[pk] = min(lapses)
        return found
    keys = {thing.course_key} if thing.path is None else set()
    if thing.path is not None:
        keys = {key for stage in published_stages([thing.path.pk]).get(thing.path.pk, ()) for key in stage.keys}
    passed = (
        Enrolment.objects.completed()
        .filter(person_id__in=ids, course__key__in=keys)
        .order_by("completed_at", "pk")
        .values_list("pk", "person_id", "course__key")
    )
    last = {(person_id, key): pk for pk, person_id, key in passed}
    return _lapsing(ids, {pk: person_id for (person_id, _key), pk in last.items()})


def _lapsing(ids: Sequence[int], enrolments: Mapping[int, int]) -> dict[int, date]:
    """When the first of what these enrolments (id → person) have shown lapses, by person."""
    books = books_in_force(Framework.objects.values_list("pk", flat=True))
    found: dict[int, date] = {}
    rows = Evidence.objects.standing().filter(person_id__in=ids, source_key__startswith="enrolment:")
    for row in rows.select_related("competency__version", "stands_for"):
        source = row.source_key.split(":")[1]
        person_id = enrolments.get(int(source)) if source.isdigit() else None
        if person_id is None:
            continue
        item = item_of(row)
        rule = books[row.competency.version.framework_id].rules.rule_for(item)
        lapses_on = lapse_date(item, rule) if rule is not None else None
        if lapses_on is not None:
            found[person_id] = min(lapses_on, found.get(person_id, lapses_on))
    return found


# --- What stands for a dry run ---------------------------------------------------------------------------------------
def print_of(row: BatchRow) -> str:
    """Everything a row shows: equal where nothing has changed."""
    return json.dumps(
        [
            row.person_id, row.line, row.text, str(row.outcome), sorted(row.reasons), str(row.due_before),
            str(row.due_on), str(row.realistic_on), str(row.late_on), row.gaps, row.steps, row.minutes, row.added_minutes,
        ]
    )  # fmt: skip


def digest_of(rows: Iterable[BatchRow]) -> str:
    """Stands for a whole dry run, whatever the order of its rows."""
    return hashlib.sha256("\n".join(sorted(print_of(row) for row in rows)).encode()).hexdigest()


def counts_of(rows: Sequence[BatchRow], repeated: int) -> dict[str, Any]:
    """How many rows there are by outcome, how many have which reason, and what the people who gain have before them."""
    outcomes = Counter(str(row.outcome) for row in rows)
    gaining = [row for row in rows if row.outcome == RowOutcome.GAINS]
    return {
        **{outcome.value: outcomes[outcome.value] for outcome in RowOutcome},
        "rows": len(rows),
        "repeated": repeated,
        "reasons": dict(sorted(Counter(reason for row in rows for reason in row.reasons).items())),
        "mean_minutes": round(sum(row.minutes for row in gaining) / len(gaining)) if gaining else 0,
        "mean_added": round(sum(row.added_minutes for row in gaining) / len(gaining)) if gaining else 0,
    }


def what_changed(before: Sequence[BatchRow], after: Sequence[BatchRow]) -> dict[str, Any]:
    """How the rows of today differ from those that were shown; empty where they do not."""
    old, new = {_about(row): row for row in before}, {_about(row): row for row in after}
    came = [key for key in new if key not in old]
    went = [key for key in old if key not in new]
    differ = [key for key in new if key in old and print_of(new[key]) != print_of(old[key])]
    if not (came or went or differ):
        return {}
    moves: Counter[str] = Counter(
        f"{old[key].outcome}:{new[key].outcome}" for key in differ if old[key].outcome != new[key].outcome
    )
    return {
        "came": len(came),
        "went": len(went),
        "differ": len(differ),
        "outcomes": dict(sorted(moves.items())),
        "people": sorted({key[1] for key in [*came, *went, *differ] if key[0] == "person"})[:200],
    }


def _about(row: BatchRow) -> tuple[str, int]:
    return ("person", row.person_id) if row.person_id is not None else ("line", row.line or 0)
