"""Who is nearest to a role, among people who agreed to be found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from django.db import transaction
from django.db.models import Q, QuerySet
from wagtail.log_actions import log
from wagtail.models import ModelLogEntry

from competencies.gaps import Required, merge_requirements
from competencies.models import Competency, Evidence, FindableConsent, RoleProfile
from competencies.organisation import ground_of, held_ranks, read_evidence
from competencies.selectors import InForce, Scale, needs_of, profiles_by_person, scales_of
from organisations.models import User

AGREED, TAKEN_BACK = "competencies.agree_to_be_found", "competencies.take_back_agreement"


# --- Agreement ---------------------------------------------------------------------------------------------------
@transaction.atomic
def agree_to_be_found(*, person: User) -> FindableConsent:
    """The person may be found by HR from now on. Agreeing twice is agreeing once."""
    consent, created = FindableConsent.objects.get_or_create(person=person)
    if created:
        log(instance=person, action=AGREED, user=person)
    return consent


@transaction.atomic
def take_back_agreement(*, person: User) -> None:
    """The person is found no more, at once. Nothing happens where she had not agreed."""
    deleted, _rows = FindableConsent.objects.filter(person=person).delete()
    if deleted:
        log(instance=person, action=TAKEN_BACK, user=person)


def agreement_of(person: User) -> FindableConsent | None:
    return FindableConsent.objects.filter(person=person).first()


def agreements_logged(person: User) -> QuerySet[ModelLogEntry]:
    """What the person agreed to and took back, the newest first."""
    entries = ModelLogEntry.objects.for_instance(person)
    return entries.filter(action__in=[AGREED, TAKEN_BACK]).order_by("-timestamp", "-pk")


# --- Nearest to a role -------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Lack:
    """A competency the role asks for that the person has not at its level."""

    competency: Competency
    held: int
    required: Required
    scale: Scale


@dataclass(frozen=True)
class Near:
    """A person and what of the role is missing, the weightiest first."""

    person: User
    met: int
    total: int
    lacks: Sequence[Lack]
    has_role: bool


@dataclass(frozen=True)
class Nearest:
    """People by how little they lack. `order`: ids of all who agreed, in that order; arrays hold what of it is shown."""

    profile: RoleProfile
    day: date
    required: Sequence[Required]
    competencies: dict[int, Competency]
    order: Sequence[int]
    held: dict[int, Sequence[int]]

    def __len__(self) -> int:
        return len(self.order)

    def views(self, start: int, end: int) -> list[Near]:
        """Those from `start` to before `end`: four queries, however many."""
        ids = self.order[start:end]
        people = User.objects.in_bulk(ids)
        scales = scales_of({r.framework_id for r in self.required})
        having = profiles_by_person(ids, self.day)
        views = []
        for pk in ids:
            lacks = [
                Lack(self.competencies[r.competency_id], held, r, scales[r.framework_id])
                for r, held in zip(self.required, self.held[pk], strict=True)
                if held < r.rank_needed
            ]
            lacks.sort(
                key=lambda lack: (-lack.required.weight * (lack.required.rank_needed - lack.held), lack.competency.pk)
            )
            total = len(self.required)
            views.append(Near(people[pk], total - len(lacks), total, lacks, self.profile.pk in having.get(pk, ())))
        return views


def findable(officer: User, day: date) -> QuerySet[User]:
    """People an officer serves who agreed to be found; nobody else."""
    people = User.objects.active().filter(findable__isnull=False)
    return people if officer.is_superuser else people.in_hr_scope_of(officer, day)


def nearest_to(profile: RoleProfile, people: QuerySet[User], *, day: date) -> Nearest:
    """Order these people by what they lack for a role: ranks missing to the attained level × importance, then by id.

    As many queries for ten thousand people as for one; levels are computed for all at once.
    """
    asked = needs_of([InForce(profile.pk, profile.builds_on_id)])
    merged = merge_requirements(asked.required.get(profile.pk, ()))
    ids = np.array(sorted(set(people.order_by().values_list("pk", flat=True))), dtype=np.int64)
    held = np.zeros((len(ids), len(merged)), dtype=np.int64)
    needed = np.array([r.rank_needed for r in merged], dtype=np.int64)
    if len(ids) and merged:
        ground = ground_of(asked.places.values())
        order = ground.order
        wanted = np.zeros((1, len(ground.places)), dtype=bool)
        column = np.full(len(ground.places), -1, dtype=np.int64)
        for number, r in enumerate(merged):
            wanted[0, order[r.competency_id]] = True
            column[order[r.competency_id]] = number
        evidence = Evidence.objects.filter(Q(person__in=people.order_by().values("pk")))
        found = held_ranks(
            read_evidence(evidence),
            people=ids,
            needed=wanted,
            of=np.zeros(len(ids), dtype=np.int64),
            ground=ground,
            day=day,
        )
        held[found.person, column[found.place]] = found.rank
    importance = np.array([r.importance for r in merged], dtype=np.int64)
    missing = (np.maximum(needed - held, 0) * importance).sum(axis=1)
    sorted_ = np.lexsort((ids, missing))
    return Nearest(
        profile,
        day,
        merged,
        dict(asked.competencies),
        ids[sorted_].tolist(),
        {int(ids[n]): held[n].tolist() for n in sorted_},
    )
