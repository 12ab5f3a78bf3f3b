"""What people are still to do by a day: one line for each assignment with a date, as reminders and calendars tell it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q

from competencies.selectors import Standing, standings_of
from learning.enums import AssignmentKind, Decision, RowOutcome, RowState
from learning.models import Assignment, BatchRow, ExtensionRequest, LearningPeriod, PathPlan, PathStep
from learning.selectors import current_plans
from learning.titles import Titles, with_names


@dataclass(frozen=True)
class Due:
    """An assignment that asks for something still, by `due_on`; with the period it is for, where it comes round.

    `moved_at`: when another date was granted or given, in order. `steps` are the courses left for it.
    """

    assignment: Assignment
    period: LearningPeriod | None
    due_on: date
    moved_at: tuple[datetime, ...]
    steps: tuple[PathStep, ...]
    titles: Titles

    @property
    def key(self) -> str:
        """The thing and what set its date: after it was moved, and in the next period, it is another key.

        A pause by leave moves the date and keeps the key.
        """
        turn = f".{self.period.number}" if self.period is not None else ""
        return f"assignment-{self.assignment.pk}{turn}:{len(self.moved_at)}"

    @property
    def title(self) -> str:
        """In the language that is active when it is asked for."""
        return self.titles.of(self.assignment)

    @property
    def minutes_left(self) -> int:
        return sum(step.course.effort_minutes for step in self.steps)


def dues_of(person_ids: Collection[int], day: date) -> dict[int, list[Due]]:
    """What each of these people is still to do by a date, what is due first first. As many queries for many as for one.

    What cannot be done is not asked for: a course that is not offered at present has no step in the plan.
    """
    assignments = list(
        with_names(Assignment.objects.asking(day).filter(person_id__in=person_ids))
        .filter(Q(due_on__isnull=False) | ~Q(repeat={}))
        .order_by("pk")
    )
    periods = _opened_last([a.pk for a in assignments if a.repeat], day)
    moved = _moved_at(assignments)
    plans = current_plans(sorted({a.person_id for a in assignments}))
    roles = sorted({a.person_id for a in assignments if a.kind == AssignmentKind.ROLE})
    standings = standings_of(roles, as_of=day) if roles else {}
    titles = Titles(assignments)
    found: dict[int, list[Due]] = defaultdict(list)
    for assignment in assignments:
        period = periods.get(assignment.pk)
        if assignment.pk in periods and (period is None or period.completed_on is not None):
            continue  # kept, or its first window has not opened
        steps = _steps_of(assignment, plans.get(assignment.person_id), standings.get(assignment.person_id))
        due_on = period.due_on if period is not None else assignment.due_on
        if steps is None or due_on is None or (period is None and not steps and assignment.role_assignment is None):
            continue
        found[assignment.person_id].append(
            Due(assignment, period, due_on, tuple(sorted(moved.get(assignment.pk, ()))), steps, titles)
        )
    return {pk: sorted(rows, key=lambda due: (due.due_on, due.assignment.pk)) for pk, rows in found.items()}


def _moved_at(assignments: Sequence[Assignment]) -> dict[int, list[datetime]]:
    """When dates were moved: by an extension that was granted, or by an officer's batch. Two queries."""
    granted = ExtensionRequest.objects.filter(assignment__in=assignments, decision=Decision.GRANTED)
    given = BatchRow.objects.filter(assignment__in=assignments, outcome=RowOutcome.MOVES, state=RowState.APPLIED)
    found: dict[int, list[datetime]] = defaultdict(list)
    for rows in (
        granted.values_list("assignment_id", "decided_at"),
        given.values_list("assignment_id", "batch__applied_at"),
    ):
        for assignment_id, moment in rows:
            if assignment_id is not None and moment is not None:
                found[assignment_id].append(moment)
    return found


def _opened_last(assignment_ids: Sequence[int], day: date) -> Mapping[int, LearningPeriod | None]:
    """The period that opened last of each assignment that has periods; None before the first one opens."""
    found: dict[int, LearningPeriod | None] = {}
    for row in LearningPeriod.objects.filter(assignment_id__in=assignment_ids).order_by("number"):
        found.setdefault(row.assignment_id, None)
        if row.opens_on <= day:
            found[row.assignment_id] = row
    return found


def _steps_of(assignment: Assignment, plan: PathPlan | None, standing: Standing | None) -> tuple[PathStep, ...] | None:
    """The courses left for an assignment; None for a role that is met or not held any more."""
    steps = list(plan.steps.all()) if plan is not None else []
    if assignment.role_assignment is None:
        return tuple(step for step in steps if assignment.pk in step.assignments)
    lineage = assignment.role_assignment.profile.lineage
    own = [p for p in standing.profiles if p.lineage == lineage] if standing is not None else []
    if standing is None or not own or all(standing.is_met(profile.pk) for profile in own):
        return None
    asked = {required.competency_id for profile in own for required in standing.asked.get(profile.pk, ())}
    return tuple(step for step in steps if any(closing["competency_id"] in asked for closing in step.closes))
