"""What an assignment would ask of each person: gaps, courses and minutes, as if she had it already. Reads, never writes.

People with the same gaps, offer and duties share one answer; neither what is likely nor in which order somebody learns
changes how long a path is, so neither is worked out here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Any

from django.conf import settings

from competencies.selectors import InForce, Outline, Outlines, Standing, needs_of
from courses.selectors import offered_courses
from learning.asking import Thing
from learning.curated import published_stages
from learning.hr import newest_plans
from learning.inputs import Inputs, Shelf, read_inputs
from learning.models import PathStep
from learning.planning import Catalogue, Choice, Mandatory, Target, plan_path
from learning.recurring import completions_of
from organisations.ids import Ids
from organisations.models import User

# Gaps as (competency id, rank held, rank needed); an answer as courses, minutes and the keys of the courses.
Missing = tuple[tuple[int, int, int], ...]
Answer = tuple[int, int, frozenset[str]]


@dataclass(frozen=True)
class Reckoning:
    """For one person: open gaps with it, courses of the path with it, their minutes, and how many of these it brings.

    `due` are the courses its date is the date of, with their whole minutes.
    """

    gaps: int
    steps: int
    minutes: int
    added: int
    due: tuple[tuple[str, int], ...] = ()


class Outlook:
    """Reckons for many people, some hundred at a time; what they share is worked out once."""

    def __init__(self, thing: Thing, day: date, *, mandatory: bool = True) -> None:
        self.thing, self.day = thing, day
        self.shelf = Shelf(offered_courses())
        self.asked, self.choices = _asked_by(thing)
        self.mandatory = mandatory
        self._outlines = Outlines(day, adding=thing.profile)
        self._held_keys: dict[Any, frozenset[str]] = {}
        self._answers: dict[Any, Answer] = {}
        self._plain = Catalogue.of(self.shelf.offer(key, "") for key in self.shelf.offered)
        self._reached: dict[Any, frozenset[str]] = {}
        self._needed: dict[frozenset[str], frozenset[str]] = {}
        self._parts: dict[Any, tuple[tuple[frozenset[int], frozenset[str]], ...]] = {}
        self._thing_keys = self._reach(
            (), frozenset(m.key for m in self.asked) | {k for c in self.choices for k in c.keys}
        )
        # What the role asks for by itself: its date is the date of these gaps and of no others.
        self._own: dict[int, int] = {}
        if thing.profile is not None:
            needs = needs_of([InForce(thing.profile.pk, thing.profile.builds_on_id)]).required[thing.profile.pk]
            for r in needs:
                self._own[r.competency_id] = max(r.rank_needed, self._own.get(r.competency_id, 0))
        self._taught = frozenset(pk for course in self.shelf.offered.values() for pk, _rank in course.outcomes)

    def of(self, people: Sequence[User], opened: Mapping[int, date] | None = None) -> dict[int, Reckoning]:
        """As many queries for one person as for five hundred.

        `opened` is the day on which the first period of what comes round opens for each person: of courses passed before
        nothing counts then.
        """
        ids = Ids(person.pk for person in people)
        if not ids:
            return {}
        outlines = self._outlines.of(ids)
        inputs = read_inputs(ids, day=self.day, standings={pk: Standing(pk, self.day, ()) for pk in ids})
        planned = self._planned(inputs)
        if self.thing.profile is None:
            kept = self._kept(ids, opened or {})
            return {pk: self._of_courses(inputs[pk], outlines[pk], planned[pk], kept.get(pk)) for pk in ids}
        today = dict(newest_plans().filter(person__in=ids).values_list("person_id", "effort_minutes"))
        return {pk: self._of_role(inputs[pk], outlines[pk], planned[pk], today.get(pk, 0)) for pk in ids}

    def _kept(self, ids: Sequence[int], opened: Mapping[int, date]) -> dict[int, frozenset[str]]:
        """Of who begins a period: the courses of the thing completed since it opened."""
        if not opened:
            return {}
        done = completions_of(ids)
        return {
            pk: frozenset(key for on, key in done.get(pk, ()) if on >= since and key in self._thing_keys)
            for pk, since in opened.items()
        }

    def _planned(self, inputs: Mapping[int, Inputs]) -> dict[int, frozenset[str]]:
        """Courses of each plan in force, as far as they matter: those begun stay where they are planned, those asked for
        are nothing new."""
        begun = {pk: own.begun.keys() for pk, own in inputs.items()}
        keys = {key for own in begun.values() for key in own} | self._thing_keys
        people = Ids(pk for pk, own in begun.items() if own or self.thing.profile is None)
        steps = PathStep.objects.filter(
            plan__in=newest_plans().filter(person__in=people).values("pk"), course__key__in=keys
        )
        found: dict[int, set[str]] = defaultdict(set)
        for person_id, key in steps.order_by().values_list("plan__person_id", "course__key"):
            found[person_id].add(key)
        return defaultdict(frozenset, {person_id: frozenset(keys) for person_id, keys in found.items()})

    def _of_role(self, inputs: Inputs, outline: Outline, planned: frozenset[str], today: int) -> Reckoning:
        missing = outline.missing
        steps, minutes, keys = self._answer(
            inputs, outline, planned, missing, _undated(inputs.mandatory), inputs.choices, inputs.pinned
        )
        due = self._serving(keys, outline)
        return Reckoning(len(missing), steps, minutes, max(minutes - today, 0), self._efforts(due, inputs))

    def _serving(self, keys: frozenset[str], outline: Outline) -> frozenset[str]:
        """Of the courses of a path those that the date of the role falls to, as the planner deals dates out: for each of
        its gaps the shortest that closes it as far as the path does, and what that needs first."""
        offers = self._plain.by_key
        found = set()
        for pk, needed in self._own.items():
            held = outline.held.get(pk, 0)
            reaching = {key: offers[key].reaches(pk) for key in keys if offers[key].reaches(pk) > held}
            if held < needed and reaching:
                goal = min(needed, max(reaching.values()))
                serving = [key for key, rank in reaching.items() if rank >= goal]
                found.add(min(serving, key=lambda key: (offers[key].effort_minutes, key)))
        return self._plain.with_needed(found) & keys

    def _efforts(self, keys: frozenset[str], inputs: Inputs) -> tuple[tuple[str, int], ...]:
        page = self.shelf.page
        return tuple((key, page(key, inputs.language, inputs.begun).effort_minutes) for key in sorted(keys))

    def _of_courses(
        self, inputs: Inputs, outline: Outline, planned: frozenset[str], kept: frozenset[str] | None
    ) -> Reckoning:
        """What is not passed or held of it, with what that needs first; new is what is not on the path of today.

        `kept` where a period begins: what of it is kept already, all else is taken again.
        """
        asked = tuple(m for m in self.asked if self.mandatory or m.key not in inputs.declined)
        choices = self.choices
        if kept is not None:
            asked = tuple(Mandatory(m.key, again=m.key not in kept) for m in asked)
            if not self.asked:  # electives come round only where nothing is required whole, as in `required_courses`
                choices = tuple(replace(choice, kept=kept.intersection(choice.keys)) for choice in choices)
        planned &= self._thing_keys  # a course begun for another reason is no part of it
        steps, minutes, keys = self._answer(inputs, outline, planned, (), asked, choices, frozenset())
        new = keys - planned
        effort = {key: self.shelf.page(key, inputs.language, inputs.begun).effort_minutes for key in new}
        return Reckoning(0, steps, minutes, sum(effort.values()), self._efforts(keys, inputs))

    def _answer(
        self,
        inputs: Inputs,
        outline: Outline,
        planned: frozenset[str],
        missing: Missing,
        mandatory: tuple[Mandatory, ...] = (),
        choices: tuple[Choice, ...] = (),
        pinned: frozenset[str] = frozenset(),
    ) -> Answer:
        """The shortest way. Where nothing but gaps is asked, gaps that no course connects are answered one by one: many
        people share such a part who share no path."""
        satisfied = inputs.passed | self._satisfied(outline)
        begun = planned.intersection(inputs.begun) - satisfied - inputs.declined
        competencies = tuple(pk for pk, _held, _needed in missing)
        parts = self._apart(competencies)
        if mandatory or choices or pinned or not begun.issubset(chain.from_iterable(keys for _pks, keys in parts)):
            asked = {m.key for m in mandatory} | {key for choice in choices for key in choice.keys} | pinned | begun
            keys = self._reach(competencies, frozenset(asked))
            return self._solved(inputs, missing, keys, satisfied, begun, mandatory, choices, pinned)
        steps = minutes = 0
        taken: list[frozenset[str]] = []
        for pks, keys in parts:
            gaps = missing if len(parts) == 1 else tuple(gap for gap in missing if gap[0] in pks)
            answer = self._solved(inputs, gaps, keys, satisfied, begun)
            steps, minutes = steps + answer[0], minutes + answer[1]
            taken.append(answer[2])
        return steps, minutes, frozenset().union(*taken)

    def _solved(
        self,
        inputs: Inputs,
        missing: Missing,
        keys: frozenset[str],
        satisfied: frozenset[str],
        begun: frozenset[str],
        mandatory: tuple[Mandatory, ...] = (),
        choices: tuple[Choice, ...] = (),
        pinned: frozenset[str] = frozenset(),
    ) -> Answer:
        """The planner's answer to what is left of the question once only these courses are looked at."""
        question = (
            missing,
            inputs.language,
            frozenset((key, page) for key, page in inputs.begun.items() if key in keys),
            frozenset((key, run) for key, run in inputs.booked.items() if key in keys),
            satisfied & self._about(keys),
            inputs.declined & keys,
            begun & keys,
            mandatory,
            choices,
            pinned,
        )
        found = self._answers.get(question)
        if found is None:
            _missing, _language, open_pages, booked, done, declined, stays, *_asked = question
            plan = plan_path(
                [Target(pk, held, needed, Decimal(1)) for pk, held, needed in missing],
                self.shelf.catalogue(replace(inputs, begun=dict(open_pages), booked=dict(booked))),
                satisfied=done,
                mandatory=mandatory,
                choices=choices,
                pinned=pinned,
                declined=declined,
                in_plan=stays,
                time_limit_seconds=settings.PLANNER_SECONDS,
            )
            taken = frozenset(step.key for step in plan.steps)
            found = self._answers[question] = (len(plan.steps), plan.effort_minutes, taken)
        return found

    def _reach(self, competencies: tuple[int, ...], asked: frozenset[str] = frozenset()) -> frozenset[str]:
        """Courses that lead to any of these, and those asked for, with all they need first."""
        found = self._reached.get((competencies, asked))
        if found is None:
            keys = {key for pk in competencies for _rank, key in self._plain.reaching.get(pk, ())}
            found = self._reached[competencies, asked] = self._plain.with_needed(keys | asked)
        return found

    def _about(self, keys: frozenset[str]) -> frozenset[str]:
        """These courses and all they need first, offered or not."""
        found = self._needed.get(keys)
        if found is None:
            found = self._needed[keys] = keys.union(*(self._plain.by_key[key].prerequisites for key in keys))
        return found

    def _apart(self, competencies: tuple[int, ...]) -> tuple[tuple[frozenset[int], frozenset[str]], ...]:
        """Competencies in groups that no course and nothing it needs connects, with the courses of each group."""
        found = self._parts.get(competencies)
        if found is None:
            parts: list[tuple[frozenset[int], frozenset[str]]] = []
            for pk in competencies:
                keys = self._reach((pk,))
                if not keys:
                    continue
                joined = [part for part in parts if part[1] & keys]
                parts = [part for part in parts if not part[1] & keys]
                parts.append(
                    (
                        frozenset({pk}).union(*(part[0] for part in joined)),
                        keys.union(*(part[1] for part in joined)),
                    )
                )
            found = self._parts[competencies] = tuple(parts)
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
