"""What an assignment would ask of each person: gaps, courses and minutes, as if she had it already. Reads, never writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from competencies.selectors import standings_of
from courses.selectors import offered_courses, passed_and_begun
from learning.asking import Thing
from learning.hr import newest_plans
from learning.services import solve
from organisations.models import User


@dataclass(frozen=True)
class Reckoning:
    """For one person: open gaps with it, courses of the path with it, their minutes, and how many of these it brings."""

    gaps: int
    steps: int
    minutes: int
    added: int


class Outlook:
    """Reckons for many people, some hundred at a time; what they share is worked out once."""

    def __init__(self, thing: Thing, day: date) -> None:
        self.thing, self.day = thing, day
        self.offered = offered_courses()

    def of(self, people: Sequence[User]) -> dict[int, Reckoning]:
        ids = [person.pk for person in people]
        standings = standings_of(ids, as_of=self.day, adding=self.thing.profile)
        passed, begun = passed_and_begun(ids)
        today = dict(newest_plans().filter(person__in=ids).values_list("person_id", "effort_minutes"))
        found = {}
        for person in people:
            standing = standings[person.pk]
            plan = solve(standing, person.language, self.offered, passed[person.pk], begun[person.pk])
            found[person.pk] = Reckoning(
                len(standing.gaps),
                len(plan.steps),
                plan.effort_minutes,
                max(plan.effort_minutes - today.get(person.pk, 0), 0),
            )
        return found
