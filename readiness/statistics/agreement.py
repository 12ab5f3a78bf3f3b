"""Whether people in a unit see things alike, and whether units differ: what may be said of a unit at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from readiness.statistics.inference import Totals


def rwg_j(matrix: ArrayLike, options: int) -> float | None:
    """Agreement of raters on J items, 0 none to 1 all alike: J (1-m) / (J (1-m) + m). None for fewer than two raters.

    `matrix`: raters x items. m is the mean variance of the items over the variance (A^2 - 1)/12 of answers spread evenly
    over A `options`, at most 1. Source: James, Demaree and Wolf 1984.
    """
    found = _spread(matrix, options)
    if found is None:
        return None
    m, items = min(found[0], 1.0), found[1]
    return items * (1 - m) / (items * (1 - m) + m)


def rwg_j_star(matrix: ArrayLike, options: int) -> float | None:
    """The same without the number of items in it: 1 - m, below 0 where people disagree more than chance would have it.

    Source: Lindell, Brandt and Whitney 1999.
    """
    found = _spread(matrix, options)
    return None if found is None else 1 - found[0]


def _spread(matrix: ArrayLike, options: int) -> tuple[float, int] | None:
    """Mean variance of the items relative to that of an even spread, and how many items there are."""
    if options < 2:
        raise ValueError("at least two options")
    values = np.asarray(matrix, dtype=float)
    if values.ndim != 2 or values.shape[1] == 0:
        raise ValueError("raters x items")
    if values.shape[0] < 2:
        return None
    return float(values.var(axis=0, ddof=1).mean()) / ((options * options - 1) / 12), values.shape[1]


@dataclass(frozen=True)
class Groups:
    """Variance between and within groups. An intraclass correlation that cannot be had is None.

    `icc1`: share of the variance that lies between groups, with the mean size of a group; `icc1_k0` with the size that is
    right for unequal groups, k0; `icc2`: how reliable the mean of a group is. `tau2`: variance between, never below 0.
    """

    ms_between: float
    ms_within: float
    k0: float
    icc1: float | None
    icc1_k0: float | None
    icc2: float | None
    tau2: float


def icc(groups: Sequence[Totals]) -> Groups | None:
    """One-way analysis of variance from the totals of groups; empty groups are left out.

    None for a single group, or where each is of one. Sources: Shrout and Fleiss 1979; Bliese 2000; k0: Snedecor.
    """
    filled = [group for group in groups if group.n]
    n, number = sum(group.n for group in filled), len(filled)
    if number < 2 or n == number:
        return None
    grand = sum(group.sum for group in filled) / n
    between = sum(group.n * (group.sum / group.n - grand) ** 2 for group in filled) / (number - 1)
    within = sum((group.variance or 0.0) * (group.n - 1) for group in filled) / (n - number)
    k0 = (n - sum(group.n * group.n for group in filled) / n) / (number - 1)

    def first(size: float) -> float | None:
        whole = between + (size - 1) * within
        return (between - within) / whole if whole else None

    return Groups(
        between,
        within,
        k0,
        first(n / number),
        first(k0),
        (between - within) / between if between else None,
        max(0.0, (between - within) / k0),
    )


def shrink(mean: float, n: int, *, grand: float, tau2: float, ms_within: float) -> float:
    """The mean of a group, drawn to the `grand` mean the more, the fewer people it is of (empirical Bayes).

    lambda = tau2 / (tau2 + ms_within / n); where nothing varies at all the mean stays as it is. Source: Bliese 2000.
    """
    whole = tau2 + ms_within / n
    weight = tau2 / whole if whole else 1.0
    return weight * mean + (1 - weight) * grand
