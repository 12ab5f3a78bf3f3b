"""Which block goes along with an outcome the most: relative weights, that share out what is explained among the blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from readiness.statistics.reliability import complete

LEAST_SHEETS, LEAST_SHEETS_EACH = 100, 20
MOST_VIF = 5.0
RESAMPLES = 1000


@dataclass(frozen=True)
class Drivers:
    """`weights` add up to `r2`, the share of the outcome's variance that the blocks explain; `betas` are standardised."""

    r2: float
    weights: tuple[float, ...]
    betas: tuple[float, ...]
    vif: tuple[float, ...]

    @property
    def shares(self) -> tuple[float, ...] | None:
        """Of all that is explained, the share of each block; they add up to 1. None where nothing is explained."""
        return tuple(weight / self.r2 for weight in self.weights) if self.r2 > 0 else None


@dataclass(frozen=True)
class Intervals:
    """Of each block the 95 % interval (low, high) of its weight, and of its share of all that is explained."""

    weights: tuple[tuple[float, float], ...]
    shares: tuple[tuple[float, float], ...]


def relative_weights(among: ArrayLike, with_outcome: ArrayLike) -> Drivers | None:
    """`among`: correlations of p blocks (p x p); `with_outcome`: of each with the outcome (p).

    None where blocks say the same (a singular matrix). Whether there are sheets enough, and blocks different enough, to
    show it is `may_be_shown`'s word. Source: Johnson 2000, with L = V sqrt(D) V' and b = L^-1 r: weights (L^2)(b^2).
    """
    matrix, r = np.asarray(among, dtype=float), np.asarray(with_outcome, dtype=float)
    if matrix.ndim != 2 or matrix.shape != (len(r), len(r)) or len(r) == 0:
        raise ValueError("p x p correlations and p with the outcome")
    values, vectors = np.linalg.eigh(matrix)
    if values.min() <= 1e-10:
        return None
    root = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    b = np.linalg.solve(root, r)
    weights = (root**2) @ (b**2)
    inverse = np.linalg.inv(matrix)
    return Drivers(
        float(weights.sum()),
        tuple(float(w) for w in weights),
        tuple(float(beta) for beta in inverse @ r),
        tuple(float(v) for v in np.diag(inverse)),
    )


def may_be_shown(drivers: Drivers, n: int) -> bool:
    """Whether there are sheets enough for so many blocks, and no block is nearly made of the others."""
    return n >= max(LEAST_SHEETS, LEAST_SHEETS_EACH * len(drivers.weights)) and max(drivers.vif) <= MOST_VIF


def bootstrap(
    blocks: ArrayLike, outcome: ArrayLike, by: np.random.Generator, resamples: int = RESAMPLES
) -> Intervals | None:
    """How far the weights would move if other people of the same body had answered: percentiles over resampled sheets.

    `blocks`: sheets x blocks, `outcome`: sheets; people's means, nan where a sheet does not count, and then it is left
    out. `by` draws the sheets: the same seed gives the same intervals. For the whole body only, never for a unit.
    A weight is never below 0, so an interval that leaves 0 out does not prove that a block matters; what can be read off
    it is how far apart blocks are.
    None where the weights may not be shown (`may_be_shown`), a block or the outcome never varies, or one of the resamples
    has no weights: an interval over the others would be too narrow. Raises ValueError for blocks and outcome of
    different sheets.
    Sources: Efron and Tibshirani 1993, chapter 13; Johnson 2004 for relative weights.
    """
    table = np.asarray(blocks, dtype=float)
    if table.ndim != 2 or table.shape[1] == 0 or np.shape(outcome) != table.shape[:1]:
        raise ValueError("sheets x blocks and an outcome of each sheet")
    table = complete(np.column_stack([table, np.asarray(outcome, dtype=float)]))
    whole = _drivers_of(table.T)
    if whole is None or not may_be_shown(whole, len(table)):
        return None
    drawn = []
    for _resample in range(resamples):
        again = _drivers_of(table[by.integers(len(table), size=len(table))].T)
        if again is None or again.shares is None:
            return None
        drawn.append([again.weights, again.shares])
    low, high = np.quantile(np.array(drawn), (0.025, 0.975), axis=0)
    of_weights, of_shares = (
        tuple((float(a), float(b)) for a, b in zip(*ends, strict=True)) for ends in zip(low, high, strict=True)
    )
    return Intervals(of_weights, of_shares)


def _drivers_of(columns: NDArray[np.float64]) -> Drivers | None:
    """Of (blocks and the outcome last) x sheets."""
    if columns.shape[1] < 2 or (np.ptp(columns, axis=1) == 0).any():
        return None
    r = np.atleast_2d(np.corrcoef(columns))
    return relative_weights(r[:-1, :-1], r[:-1, -1])
