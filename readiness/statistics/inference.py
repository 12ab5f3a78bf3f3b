"""How sure a figure is, and whether two differ. Means come as additive totals: count, sum and sum of squares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

from scipy import stats


@dataclass(frozen=True)
class Totals:
    """What is kept of many values: how many (`n`), their sum and the sum of their squares. Totals of disjoint groups add up."""

    n: int
    sum: float
    sumsq: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Totals:
        found = [float(value) for value in values]
        return cls(len(found), sum(found), sum(value * value for value in found))

    def __add__(self, other: Totals) -> Totals:
        return Totals(self.n + other.n, self.sum + other.sum, self.sumsq + other.sumsq)

    @property
    def mean(self) -> float | None:
        return self.sum / self.n if self.n else None

    @property
    def variance(self) -> float | None:
        """Of a sample, divisor n - 1. What rounding makes of no variance at all is 0, never a little below."""
        if self.n < 2:
            return None
        found = (self.sumsq - self.sum * self.sum / self.n) / (self.n - 1)
        # Sums of equal values differ from their exact value by the last bits of the float.
        return found if found > 1e-12 * max(1.0, self.sumsq / self.n) else 0.0

    @property
    def sd(self) -> float | None:
        return None if self.variance is None else sqrt(self.variance)


def margin(totals: Totals, population: int | None = None) -> float | None:
    """Half the width of the 95 % interval of a mean, in the unit of the values; None for fewer than two values.

    t(.975, n-1) sd / sqrt(n), times the root of 1 - n/N where the `population` N is known: who asked everybody has no
    margin left. Raises ValueError for more values than people. Source: Cochran 1977, sections 2.6 and 2.8.
    """
    if population is not None and population < totals.n:
        raise ValueError("more answers than people")
    if totals.sd is None:
        return None
    unseen = 1.0 if population is None else 1 - totals.n / population
    return float(stats.t.ppf(0.975, totals.n - 1)) * totals.sd / sqrt(totals.n) * sqrt(unseen)


def wilson(k: int, n: int, population: int | None = None) -> tuple[float, float] | None:
    """The 95 % interval of a share of k in n, between 0 and 1; None for n = 0.

    Wilson 1927; with a finite `population` N the sample counts as n* = n (N-1) / (N-n), and is exact at n = N.
    Raises ValueError unless 0 <= k <= n <= N.
    """
    if not 0 <= k <= n or (population is not None and population < n):
        raise ValueError("0 <= k <= n <= population")
    if n == 0:
        return None
    share = k / n
    if population is not None and population == n:
        return share, share
    size = n if population is None else n * (population - 1) / (population - n)
    z = float(stats.norm.ppf(0.975))
    centre = (share + z * z / (2 * size)) / (1 + z * z / size)
    half = z / (1 + z * z / size) * sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    # At the ends the interval touches 0 and 1; rounding would miss them by the last bit.
    return (0.0 if k == 0 else centre - half), (1.0 if k == n else centre + half)


@dataclass(frozen=True)
class Change:
    """From one group of values to another, `diff` = after - before in their unit; `low`, `high`: its 95 % interval."""

    diff: float
    se: float
    t: float
    df: float
    p: float
    low: float
    high: float
    # In pooled standard deviations, and without the bias small groups have. None where neither group varies.
    cohen_d: float
    hedges_g: float


def change(before: Totals, after: Totals) -> Change | None:
    """Whether two means differ, the two taken as independent; None for a group of fewer than two or where nothing varies.

    Welch 1947 with Satterthwaite's degrees of freedom; Hedges 1981 (1 - 3 / (4 df - 1)).
    Source: docs/algorithms/readiness.md, whose worked example is tests/readiness/test_inference.py.
    """
    one, two = before.variance, after.variance
    if one is None or two is None or (one == 0 and two == 0):
        return None
    a, b = one / before.n, two / after.n
    se = sqrt(a + b)
    df = (a + b) ** 2 / (a * a / (before.n - 1) + b * b / (after.n - 1))
    diff = after.sum / after.n - before.sum / before.n
    t = diff / se
    half = float(stats.t.ppf(0.975, df)) * se
    both = before.n + after.n - 2
    pooled = sqrt(((before.n - 1) * one + (after.n - 1) * two) / both)
    d = diff / pooled
    p = float(2 * stats.t.sf(abs(t), df))
    return Change(diff, se, t, df, p, diff - half, diff + half, d, d * (1 - 3 / (4 * both - 1)))


def holm(p: Sequence[float | None]) -> list[float | None]:
    """p values corrected so that all of them together are wrong at most as often as one alone. Holm 1979.

    Missing ones stay missing and are not counted.
    """

    def stepped(ordered: list[float]) -> list[float]:
        m, highest, found = len(ordered), 0.0, []
        for at, value in enumerate(ordered):
            highest = max(highest, min(1.0, (m - at) * value))
            found.append(highest)
        return found

    return _corrected(p, stepped)


def benjamini_hochberg(p: Sequence[float | None]) -> list[float | None]:
    """p values corrected for the share of false ones among those that are found. Benjamini and Hochberg 1995.

    Missing ones stay missing and are not counted.
    """

    def stepped(ordered: list[float]) -> list[float]:
        return [float(value) for value in stats.false_discovery_control(ordered, method="bh")]

    return _corrected(p, stepped)


def _corrected(p: Sequence[float | None], stepped: Callable[[list[float]], list[float]]) -> list[float | None]:
    known = sorted((value, at) for at, value in enumerate(p) if value is not None)
    found: list[float | None] = [None] * len(p)
    if known:
        for (_value, at), corrected in zip(known, stepped([value for value, _at in known]), strict=True):
            found[at] = corrected
    return found
