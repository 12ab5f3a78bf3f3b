"""From answers to scores: which sheets count for a block, what a person's mean of it is, and where that lies from 0 to 100.

An answer that is missing is nan.
"""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import ArrayLike, NDArray

FAVOURABLE_FROM, UNFAVOURABLE_TO = 4, 2

Matrix = NDArray[np.float64]


def score_0_100(mean: float, lo: float = 1, hi: float = 5) -> float:
    """A mean between lo and hi, the ends of the answer scale, as 0 to 100. Raises ValueError unless lo < hi."""
    if lo >= hi:
        raise ValueError("a scale runs from low to high")
    return (mean - lo) / (hi - lo) * 100


def counting(answers: ArrayLike) -> NDArray[np.bool_]:
    """Of sheets x items of one block, which sheets count: at least half of the items answered, rounded up."""
    values = _sheets(answers)
    return np.asarray((~np.isnan(values)).sum(axis=1) >= ceil(values.shape[1] / 2))


def person_means(answers: ArrayLike) -> Matrix:
    """Of each sheet the mean of the items of one block that were answered; nan where it does not count."""
    values = _sheets(answers)
    answered = (~np.isnan(values)).sum(axis=1)
    # Of no answers at all no mean is taken: such a sheet never counts.
    means = np.nansum(values, axis=1) / np.maximum(answered, 1)
    return np.where(counting(values), means, np.nan)


def completed(answers: ArrayLike) -> Matrix:
    """The sheets that count for a block, what is missing filled with the person's mean of it: sheets x items."""
    values = _sheets(answers)
    counts = counting(values)
    values, means = values[counts], person_means(values)[counts]
    return np.where(np.isnan(values), means[:, None], values)


def favourable(values: ArrayLike, start: float = FAVOURABLE_FROM) -> float | None:
    """The share, 0 to 1, of the answers that are `start` or more; what is missing is left out. None without answers."""
    known = np.asarray(values, dtype=float)
    known = known[~np.isnan(known)]
    return float((known >= start).mean()) if known.size else None


def _sheets(answers: ArrayLike) -> Matrix:
    values = np.asarray(answers, dtype=float)
    if values.size == 0 and len(values) == 0:
        return np.empty((0, 0))
    if values.ndim != 2 or values.shape[1] == 0:
        raise ValueError("sheets x items")
    return values
