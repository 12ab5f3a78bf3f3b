"""Assigning a role and its path: whom it reaches, what it does to each, and the promise that just this is applied."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from django.conf import settings
from django.utils import timezone

from competencies.models import RoleProfile
from competencies.selectors import InForce, needs_of
from courses.selectors import offered_courses
from learning.asking import Missing, Whom, resolve
from learning.enums import ASSIGN_JOB
from learning.hr import holders_of, newest_plans
from learning.inputs import Shelf, read_inputs, solve
from learning.services import BATCH
from organisations.jobs import enqueue
from organisations.models import Job, User

MAX_PASTED = 10_000


@dataclass(frozen=True)
class Gaining:
    """What the assignment means for one person."""

    person: User
    gaps: int
    steps: int
    minutes: int
    realistic: bool
    # What of these minutes this role brings: the rest was on the path before.
    added: int = 0


@dataclass(frozen=True)
class Preview:
    """What pressing the button would do, and to whom. Nothing is written to make it."""

    profile: RoleProfile
    due_on: date | None
    gaining: tuple[Gaining, ...]
    holding: tuple[User, ...]
    not_found: tuple[Missing, ...]
    repeated: int
    # How many competencies the role requires, and of how many no course leads to any level, or not to the level required.
    required: int = 0
    unserved: int = 0
    half_served: int = 0

    @property
    def unrealistic(self) -> tuple[Gaining, ...]:
        return tuple(g for g in self.gaining if not g.realistic)

    @cached_property
    def digest(self) -> str:
        """Stands for this very outcome; applying compares it with the outcome at that moment."""
        content = [self.profile.pk, str(self.due_on), [(g.person.pk, g.steps, g.minutes) for g in self.gaining]]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    @property
    def mean_minutes(self) -> int:
        return round(sum(g.minutes for g in self.gaining) / len(self.gaining)) if self.gaining else 0

    @property
    def mean_added(self) -> int:
        return round(sum(g.added for g in self.gaining) / len(self.gaining)) if self.gaining else 0


def split_emails(text: str) -> tuple[str, ...]:
    """Addresses as people paste them: one a line, or with commas, semicolons, names in angle brackets."""
    found = []
    for line in text.replace(";", "\n").replace(",", "\n").splitlines():
        word = line.strip()
        if "<" in word and word.endswith(">"):
            word = word[word.rindex("<") + 1 : -1].strip()
        if word:
            found.append(word)
    return tuple(found)


def _batches(values: Sequence) -> Iterable[Sequence]:
    for start in range(0, len(values), 500):
        yield values[start : start + 500]


def preview_assignment(
    *, officer: User, profile: RoleProfile, whom: Whom, due_on: date | None, as_of: date | None = None
) -> Preview:
    """Compute what assigning would do: who gains a path and how long it is, who has the role, who was not found.

    A date is realistic when the path fits into it at WEEKLY_LEARNING_MINUTES a week.
    """
    day = as_of or timezone.localdate()
    found = resolve(officer, whom, day)
    people, missing, repeated = found.people, found.missing, found.repeated
    offered = offered_courses()
    shelf = Shelf(offered)
    reached: dict[int, int] = defaultdict(int)
    for course in offered.values():
        for competency_id, rank in course.outcomes:
            reached[competency_id] = max(reached[competency_id], rank)
    needed = {
        r.competency_id: r.rank_needed
        for r in needs_of([InForce(profile.pk, profile.builds_on_id)]).required[profile.pk]
    }
    gaining: list[Gaining] = []
    holding: list[User] = []
    for start in range(0, len(people), BATCH):
        batch = people[start : start + BATCH]
        ids = [person.pk for person in batch]
        held = holders_of(profile, ids, day)
        inputs = read_inputs(ids, day=day, adding=profile)
        today = dict(newest_plans().filter(person__in=ids).values_list("person_id", "effort_minutes"))
        for person in batch:
            if person.pk in held:
                holding.append(person)
                continue
            plan = solve(inputs[person.pk], shelf)
            gaining.append(
                Gaining(
                    person=person,
                    gaps=len(inputs[person.pk].standing.gaps),
                    steps=len(plan.steps),
                    minutes=plan.effort_minutes,
                    realistic=is_realistic(plan.effort_minutes, due_on, day),
                    added=max(plan.effort_minutes - today.get(person.pk, 0), 0),
                )
            )
    return Preview(
        profile,
        due_on,
        tuple(gaining),
        tuple(holding),
        tuple(missing),
        repeated,
        required=len(needed),
        unserved=sum(not reached[pk] for pk in needed),
        half_served=sum(0 < reached[pk] < rank for pk, rank in needed.items()),
    )


def is_realistic(minutes: int, due_on: date | None, day: date) -> bool:
    """Whether so many minutes of learning fit before the due date."""
    if due_on is None:
        return True
    return minutes * 7 <= max((due_on - day).days, 0) * settings.WEEKLY_LEARNING_MINUTES


def apply_assignment(*, officer: User, preview: Preview, token: str) -> Job:
    """Ask for the job that does what the preview says; the same press (`token`) asks once."""
    return enqueue(
        kind=ASSIGN_JOB,
        key=f"{officer.pk}:{token}",
        payload={
            "profile": preview.profile.pk,
            "due_on": preview.due_on.isoformat() if preview.due_on else None,
            "people": [g.person.pk for g in preview.gaining],
            "holding": [person.pk for person in preview.holding],
        },
        by=officer,
    )
