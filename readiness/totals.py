"""From answer sheets to what is kept of a class: additive totals of each block, and nothing below k sheets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from readiness.statistics import scores
from readiness.statistics.inference import Totals
from readiness.statistics.scores import FAVOURABLE_FROM, UNFAVOURABLE_TO

DONT_KNOW = 0


@dataclass(frozen=True)
class BlockTotals:
    """A block in a class. `means`: of people's block means; `items`: by item, how many completed answers are
    unfavourable, neutral and favourable. Totals of disjoint classes add up."""

    means: Totals
    items: tuple[tuple[int, int, int], ...]

    def __add__(self, other: BlockTotals) -> BlockTotals:
        items = tuple(
            (one[0] + two[0], one[1] + two[1], one[2] + two[2])
            for one, two in zip(self.items, other.items, strict=True)
        )
        return BlockTotals(self.means + other.means, items)

    @property
    def favourable_pct(self) -> float:
        """The share of all answers of the block that are favourable, in percent."""
        return 100 * sum(item[2] for item in self.items) / sum(sum(item) for item in self.items)


def block_totals(answers: Sequence[Sequence[int]], k: int) -> BlockTotals | None:
    """Totals of one block in one class; None where fewer than k of its sheets count.

    `answers`: sheets x items, 1 to 5; 0 is "don't know" and missing. A sheet counts with at least half of the items
    answered, rounded up; what is missing then takes the person's mean of the block, for items as for means, so that
    every figure of a block is about the same people. Raises ValueError for an answer off the scale.
    Source: docs/algorithms/readiness.md.
    """
    values = completed(answers)
    return None if len(values) < max(k, 1) else totals_of(values)


def completed(answers: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """The sheets that count for a block, what is missing filled with the person's mean: sheets x items."""
    return scores.completed(known(answers))


def known(answers: ArrayLike) -> NDArray[np.float64]:
    """Answers with nan for "don't know". Raises ValueError for an answer off the scale."""
    values = np.asarray(answers, dtype=float)
    if not np.isin(values, (DONT_KNOW, 1, 2, 3, 4, 5)).all():
        raise ValueError("answers are 1 to 5, or 0")
    return np.where(values == DONT_KNOW, np.nan, values)


def totals_of(values: NDArray[np.float64]) -> BlockTotals:
    """Additive totals of completed sheets x items, at least one of each.

    Some items of a block are compared with a survey that asked only those: on the completed values of the same sheets,
    so that no two figures of a class are about people who differ by one.
    """
    means = values.mean(axis=1)
    low, high = values <= UNFAVOURABLE_TO, values >= FAVOURABLE_FROM
    items = tuple(
        (int(a), int(len(values) - a - b), int(b)) for a, b in zip(low.sum(axis=0), high.sum(axis=0), strict=True)
    )
    return BlockTotals(Totals(len(means), float(means.sum()), float((means**2).sum())), items)
