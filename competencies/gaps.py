"""What a role requires beside what a person holds. Pure.

Source and worked example: docs/algorithms/gaps.md, tested in tests/competencies/test_gaps.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from competencies.enums import HELD_RANK

# What an initiative needs within 90 days comes first.
SOON_FACTOR = Decimal("1.5")


class MixedFrameworks(ValueError):
    """Ranks of different frameworks were about to be compared."""


@dataclass(frozen=True)
class Required:
    """A competency required at `rank`; None means the role states no level: any rank from 1 meets it.

    `importance` is 1 to 5; `profiles` are the ids of the role profiles that ask for it.
    """

    competency_id: int
    framework_id: int
    rank: int | None
    importance: int
    profiles: tuple[int, ...] = ()

    @property
    def rank_needed(self) -> int:
        return HELD_RANK if self.rank is None else self.rank

    @property
    def weight(self) -> Decimal:
        """0.2 to 1."""
        return Decimal(self.importance) / 5


@dataclass(frozen=True)
class Gap:
    """An unmet requirement: `size` ranks are missing to the attained level.

    `shortfall` is how many ranks are likely to be missing (competencies.likely), or None where nobody estimated it;
    `priority` = weight × shortfall (or size), half as much again where a change needs the competency soon.
    """

    required: Required
    held: int
    shortfall: float | None = None
    needed_soon: bool = False

    @property
    def competency_id(self) -> int:
        return self.required.competency_id

    @property
    def size(self) -> int:
        return self.required.rank_needed - self.held

    @cached_property
    def priority(self) -> Decimal:
        missing = Decimal(self.size) if self.shortfall is None else Decimal(str(round(self.shortfall, 2)))
        return self.required.weight * missing * (SOON_FACTOR if self.needed_soon else 1)


def measure_gaps(
    requirements: Iterable[Required],
    held: Mapping[int, int],
    *,
    shortfalls: Mapping[int, float] | None = None,
    needed_soon: Collection[int] = (),
) -> tuple[Gap, ...]:
    """Compare what role profiles require with what a person holds (competency id → attained rank).

    Ranks are ordinals within one framework; a missing competency counts as rank 0. `shortfalls` (competency id → ranks
    likely to be missing) and `needed_soon` weigh gaps; they neither make one nor close it. Returns one Gap per unmet
    requirement, the highest priority first, ties by competency id.
    Raises MixedFrameworks when requirements come from different frameworks.
    """
    required = list(requirements)
    if len({r.framework_id for r in required}) > 1:
        raise MixedFrameworks("Requirements of different frameworks cannot be weighed against each other.")
    estimated = shortfalls or {}
    gaps = [
        Gap(r, held.get(r.competency_id, 0), estimated.get(r.competency_id), r.competency_id in needed_soon)
        for r in required
        if held.get(r.competency_id, 0) < r.rank_needed
    ]
    return tuple(sorted(gaps, key=lambda gap: (-gap.priority, gap.competency_id)))


def merge_requirements(requirements: Iterable[Required]) -> tuple[Required, ...]:
    """One requirement per competency for a person with several roles: the highest rank, the highest importance.

    A stated level outranks an unstated one. Ordered by competency id.
    """
    merged: dict[int, Required] = {}
    for new in requirements:
        old = merged.get(new.competency_id)
        if old is None:
            merged[new.competency_id] = new
            continue
        ranks = [rank for rank in (old.rank, new.rank) if rank is not None]
        merged[new.competency_id] = Required(
            competency_id=new.competency_id,
            framework_id=new.framework_id,
            rank=max(ranks) if ranks else None,
            importance=max(old.importance, new.importance),
            profiles=tuple(sorted({*old.profiles, *new.profiles})),
        )
    return tuple(merged[key] for key in sorted(merged))
