"""How much somebody has to learn by a date, and whether the days to it have room: read for many people at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings

from courses.models import Enrolment
from courses.selectors import course_states
from learning.due_dates import earliest_realistic, is_realistic
from learning.inputs import leave_of
from learning.models import LearnerSettings, PathPlan
from learning.selectors import current_plans


@dataclass(frozen=True)
class Room:
    """One person's time and what is left of her plan in force: (due date, minutes left) of each step that has a date."""

    day: date
    weekly_minutes: int
    leaves: tuple[tuple[date, date], ...]
    plan: PathPlan | None
    left: tuple[tuple[date, int], ...]

    def minutes_by(self, due_on: date) -> int:
        """All that is due by then, whoever asked for it: it needs the same days."""
        return sum(minutes for due, minutes in self.left if due <= due_on)

    def is_enough(self, due_on: date) -> bool:
        return is_realistic(
            self.minutes_by(due_on), due_on, as_of=self.day, weekly_minutes=self.weekly_minutes, leaves=self.leaves
        )

    def realistic_from(self, due_on: date) -> date | None:
        """The first day on which what is due by `due_on` can be done at her pace; tomorrow at the earliest."""
        found = earliest_realistic(self.minutes_by(due_on), self.day, self.weekly_minutes, self.leaves)
        return max(found, self.day + timedelta(days=1)) if found is not None else None


def rooms_of(person_ids: Sequence[int], day: date) -> dict[int, Room]:
    """The room of each person. As many queries for one as for many."""
    ids = sorted(set(person_ids))
    plans = current_plans(ids)
    weekly, away, left = weekly_minutes_by_person(ids), leave_of(ids, day), minutes_left_by_course(ids)
    found = {}
    for pk in ids:
        plan = plans.get(pk)
        steps = plan.steps.all() if plan is not None else ()
        found[pk] = Room(
            day,
            weekly.get(pk) or settings.WEEKLY_LEARNING_MINUTES,
            away.get(pk, ()),
            plan,
            tuple(
                (step.due_on, left.get((pk, step.course.key), step.course.effort_minutes))
                for step in steps
                if step.due_on is not None
            ),
        )
    return found


def weekly_minutes_by_person(person_ids: Sequence[int]) -> dict[int, int]:
    """Minutes a week of those who have said so; of the others nothing. One query."""
    rows = LearnerSettings.objects.filter(person_id__in=person_ids).values_list("person_id", "weekly_minutes")
    return {person_id: minutes for person_id, minutes in rows if minutes is not None}


def minutes_left_by_course(person_ids: Sequence[int]) -> dict[tuple[int, str], int]:
    """Minutes left of the courses each person has begun, by person and key: of one begun in two languages, where she was
    last. As many queries for one as for many."""
    begun = list(
        Enrolment.objects.open()
        .filter(person_id__in=person_ids)
        .select_related("course")
        .order_by("last_seen_at", "pk")
    )
    states = course_states(begun) if begun else {}
    return {(e.person_id, e.course.key): states[e.pk].minutes_left for e in begun if states[e.pk].lessons}
