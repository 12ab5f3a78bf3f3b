"""Seeded offers and gaps of any size, for measuring planners against each other. Pure.

A course leads to one to four neighbouring competencies at ranks 2 to 5 and takes 30 minutes to 10 hours, longer for
more outcomes and higher ranks; two in five need one or two earlier courses of the same field. Every gap can be closed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal

from learning.path_terms import Offer, Target

FIELD = 12  # competencies that belong together


@dataclass(frozen=True)
class Instance:
    targets: tuple[Target, ...]
    offers: tuple[Offer, ...]


def make_instance(*, courses: int, gaps: int, seed: int) -> Instance:
    """The same instance for the same numbers, on every machine. Competencies are 1.2 times the gaps."""
    chance = random.Random(f"{courses}/{gaps}/{seed}")  # noqa: S311 - figures, not secrets
    competencies = max(gaps, gaps * 6 // 5)
    rows: list[Offer] = []
    by_field: dict[int, list[str]] = {}
    for number in range(courses):
        # The first courses go round, so that there is one for every gap.
        base = number % competencies + 1 if number < competencies else chance.randint(1, competencies)
        field = (base - 1) // FIELD
        members = range(field * FIELD + 1, min(competencies, (field + 1) * FIELD) + 1)
        others = [pk for pk in members if pk != base]
        width = min(chance.choice((1, 1, 2, 2, 3, 4)), len(others) + 1)
        outcomes = {base: chance.randint(2, 5)} | {pk: chance.randint(2, 5) for pk in chance.sample(others, width - 1)}
        minutes = round(chance.uniform(0.6, 1.4) * sum(25 * rank for rank in outcomes.values()) ** 0.9 / 5) * 5
        before = by_field.setdefault(field, [])
        need = chance.sample(before, min(len(before), chance.choice((0, 0, 0, 1, 2))))
        key = f"c{number:05d}"
        rows.append(Offer(key, min(600, max(30, minutes)), tuple(sorted(outcomes.items())), frozenset(need)))
        before.append(key)
    highest: dict[int, int] = {}
    for row in rows:
        for pk, rank in row.outcomes:
            highest[pk] = max(rank, highest.get(pk, 0))
    wanted = sorted(chance.sample(sorted(highest), min(gaps, len(highest))))
    targets = []
    for pk in wanted:
        required = chance.randint(2, highest[pk])
        targets.append(Target(pk, chance.randint(0, required - 1), required, Decimal(chance.randint(1, 25)) / 5))
    return Instance(tuple(targets), tuple(rows))
