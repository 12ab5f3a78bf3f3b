"""What an assignment would ask of each person: gaps, courses and minutes, as if she had it already. Reads, never writes.

People with the same gaps, offer and duties share one answer; neither what is likely nor in which order somebody learns
changes how long a path is, so neither is worked out here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings

from competencies.selectors import InForce, Outline, Standing, needs_of, outlines_of
from courses.selectors import offered_courses
from learning.asking import Thing
from learning.curated import published_stages
from learning.hr import newest_plans
from learning.inputs import Inputs, Shelf, read_inputs
from learning.models import PathStep
from learning.planning import Catalogue, Choice, Mandatory, Target, plan_path
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

    def __init__(self, thing: Thing, day: date, *, mandatory: bool = True) -> None:
        self.thing, self.day = thing, day
        self.shelf = Shelf(offered_courses())
        self.asked, self.choices = _asked_by(thing)
        self.mandatory = mandatory
        self._judged: dict[Any, int] = {}
        self._held_keys: dict[Any, frozenset[str]] = {}
        self._catalogues: dict[Any, Catalogue] = {}
        self._answers: dict[Any, tuple[int, int, frozenset[str]]] = {}
        self._thing_keys = self.shelf_keys({m.key for m in self.asked} | {key for c in self.choices for key in c.keys})
        self._taught = frozenset(pk for course in self.shelf.offered.values() for pk, _rank in course.outcomes)

    def shelf_keys(self, keys: set[str]) -> frozenset[str]:
        """These courses with all they need first, as far as they are offered."""
        return Catalogue.of(self.shelf.offer(key, "") for key in self.shelf.offered).with_needed(keys)

    def of(self, people: Sequence[User]) -> dict[int, Reckoning]:
        """As many queries for one person as for five hundred."""
        ids = [person.pk for person in people]
        if not ids:
            return {}
        outlines = outlines_of(ids, as_of=self.day, adding=self.thing.profile, shared=self._judged)
        inputs = read_inputs(ids, day=self.day, standings={pk: Standing(pk, self.day, ()) for pk in ids})
        planned = self._planned(inputs)
        if self.thing.profile is None:
            return {pk: self._of_courses(inputs[pk], outlines[pk], planned[pk]) for pk in ids}
        today = dict(newest_plans().filter(person__in=ids).values_list("person_id", "effort_minutes"))
        return {pk: self._of_role(inputs[pk], outlines[pk], planned[pk], today.get(pk, 0)) for pk in ids}

    def _planned(self, inputs: Mapping[int, Inputs]) -> dict[int, frozenset[str]]:
        """Courses of each plan in force, as far as they matter: those begun stay where they are planned, those asked for
        are nothing new."""
        begun = {pk: own.begun.keys() for pk, own in inputs.items()}
        keys = {key for own in begun.values() for key in own} | self._thing_keys
        people = list(inputs) if self.thing.profile is None else [pk for pk, own in begun.items() if own]
        steps = PathStep.objects.filter(
            plan__in=newest_plans().filter(person__in=people).values("pk"), course__key__in=keys
        )
        found: dict[int, set[str]] = defaultdict(set)
        for person_id, key in steps.order_by().values_list("plan__person_id", "course__key"):
            found[person_id].add(key)
        return defaultdict(frozenset, {person_id: frozenset(keys) for person_id, keys in found.items()})

    def _of_role(self, inputs: Inputs, outline: Outline, planned: frozenset[str], today: int) -> Reckoning:
        missing = outline.missing
        steps, minutes, _keys = self._answer(
            inputs, outline, planned, missing, _undated(inputs.mandatory), inputs.choices, inputs.pinned
        )
        return Reckoning(len(missing), steps, minutes, max(minutes - today, 0))

    def _of_courses(self, inputs: Inputs, outline: Outline, planned: frozenset[str]) -> Reckoning:
        """What is not passed or held of it, with what that needs first; new is what is not on the path of today."""
        asked = tuple(m for m in self.asked if self.mandatory or m.key not in inputs.declined)
        steps, minutes, keys = self._answer(inputs, outline, planned, (), asked, self.choices, frozenset())
        new = keys - planned
        effort = self._catalogue(inputs).by_key
        return Reckoning(0, steps, minutes, sum(effort[key].effort_minutes for key in new))

    def _answer(
        self,
        inputs: Inputs,
        outline: Outline,
        planned: frozenset[str],
        missing: tuple[tuple[int, int, int], ...],
        mandatory: tuple[Mandatory, ...],
        choices: tuple[Choice, ...],
        pinned: frozenset[str],
    ) -> tuple[int, int, frozenset[str]]:
        catalogue = self._catalogue(inputs)
        satisfied = inputs.passed | self._satisfied(outline)
        in_plan = planned.intersection(inputs.begun)
        question = (missing, catalogue, satisfied, mandatory, choices, pinned, inputs.declined, in_plan)
        found = self._answers.get(question)
        if found is None:
            plan = plan_path(
                [Target(pk, held, needed, Decimal(1)) for pk, held, needed in missing],
                catalogue,
                satisfied=satisfied,
                mandatory=mandatory,
                choices=choices,
                pinned=pinned,
                declined=inputs.declined,
                in_plan=in_plan,
                time_limit_seconds=settings.PLANNER_SECONDS,
            )
            keys = frozenset(step.key for step in plan.steps)
            found = self._answers[question] = (len(plan.steps), plan.effort_minutes, keys)
        return found

    def _catalogue(self, inputs: Inputs) -> Catalogue:
        if not inputs.begun and not inputs.booked:
            return self.shelf.catalogue(inputs)
        own = (inputs.language, frozenset(inputs.begun.items()), frozenset(inputs.booked.items()))
        found = self._catalogues.get(own)
        if found is None:
            found = self._catalogues[own] = self.shelf.catalogue(inputs)
        return found

    def _satisfied(self, outline: Outline) -> frozenset[str]:
        taught = frozenset((pk, rank) for pk, rank in outline.held.items() if rank and pk in self._taught)
        found = self._held_keys.get(taught)
        if found is None:
            found = self._held_keys[taught] = self.shelf.held_keys(dict(taught))
        return found


def _undated(mandatory: tuple[Mandatory, ...]) -> tuple[Mandatory, ...]:
    """By when something is asked for does not change how long the path is."""
    return tuple(Mandatory(m.key, None, m.again) for m in mandatory)


def _asked_by(thing: Thing) -> tuple[tuple[Mandatory, ...], tuple[Choice, ...]]:
    """The courses and elective groups of a curated path or a course."""
    if thing.path is None:
        return ((Mandatory(thing.course_key),) if thing.course_key else ()), ()
    mandatory: list[Mandatory] = []
    choices: list[Choice] = []
    for stage in published_stages([thing.path.pk]).get(thing.path.pk, ()):
        if stage.choose is None:
            mandatory += [Mandatory(key) for key in stage.keys]
        else:
            choices.append(Choice(str(stage.id), stage.keys, stage.choose))
    return tuple(mandatory), tuple(choices)


def courses_for(thing: Thing) -> dict[str, int]:
    """Of a role: how many competencies it requires, and of how many no course leads anywhere, or not far enough."""
    if thing.profile is None:
        return {}
    reached: dict[int, int] = defaultdict(int)
    for course in offered_courses().values():
        for competency_id, rank in course.outcomes:
            reached[competency_id] = max(reached[competency_id], rank)
    profile = thing.profile
    needed = {
        r.competency_id: r.rank_needed
        for r in needs_of([InForce(profile.pk, profile.builds_on_id)]).required[profile.pk]
    }
    return {
        "required": len(needed),
        "unserved": sum(not reached[pk] for pk in needed),
        "half_served": sum(0 < reached[pk] < rank for pk, rank in needed.items()),
    }
