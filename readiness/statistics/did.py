"""Whether units that were trained rose more than the others: differences in differences, with what cannot be claimed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import comb

import numpy as np

from readiness.statistics.inference import Totals, change, holm

LEAST_UNITS = 3
# Up to so many units all ways of dealing out the training are gone through.
MOST_PERMUTED = 12
# An effect of 2.8 standard errors is seen in four of five studies (Bloom 1995: 1.96 + 0.84).
DETECTABLE = 2.8
# How often chance alone may prove any of the effects looked at together.
FAMILY_ERROR = 0.05


@dataclass(frozen=True)
class Effect:
    """Mean change of trained units minus that of the others, in points; `low`, `high`: its 95 % interval.

    `exact_p` is None where there are too many units to go through all ways. `unseen_below`: an effect smaller than this
    could not have been seen, so its absence is not shown.
    """

    effect: float
    se: float
    t: float
    df: float
    p: float
    low: float
    high: float
    exact_p: float | None
    unseen_below: float
    # Corrected for all effects looked at together (Holm 1979); None where this is the only one.
    family_p: float | None = None

    @property
    def stands_alone(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0

    @property
    def is_proven(self) -> bool:
        """Whether the interval leaves 0 out, and would seldom do so by chance in any of those looked at together."""
        return self.stands_alone and (self.family_p is None or self.family_p < FAMILY_ERROR)


def looked_at_together(effects: Mapping[str, Effect | None]) -> dict[str, Effect | None]:
    """The same effects, each with its corrected p: of eight of nothing one leaves 0 out in every third body."""
    known = {name: effect for name, effect in effects.items() if effect is not None}
    corrected = dict(zip(known, holm([effect.p for effect in known.values()]), strict=True))
    return {
        name: replace(effect, family_p=corrected[name]) if effect is not None else None
        for name, effect in effects.items()
    }


def did(trained: Sequence[float], others: Sequence[float]) -> Effect | None:
    """From the change of each unit; None with fewer than three units a side, or where no unit's change differs.

    Units, not people, are what training is given to: Welch over units (Donald and Lang 2007), and the exact share of all
    ways of dealing out the training that give a difference at least as large (Fisher 1935).
    """
    if min(len(trained), len(others)) < LEAST_UNITS:
        return None
    found = change(Totals.of(others), Totals.of(trained))
    if found is None:
        return None
    few = len(trained) + len(others) <= MOST_PERMUTED
    return Effect(
        found.diff,
        found.se,
        found.t,
        found.df,
        found.p,
        found.low,
        found.high,
        _exact(trained, others) if few else None,
        DETECTABLE * found.se,
    )


def _exact(trained: Sequence[float], others: Sequence[float]) -> float:
    values = np.array([*trained, *others])
    n, of = len(trained), len(values)
    chosen = np.array(list(combinations(range(of), n)))
    sums = values[chosen].sum(axis=1)
    differences = np.abs(sums / n - (values.sum() - sums) / (of - n))
    # The way it was is one of them: what only rounding sets apart counts as equal.
    return float((differences >= differences[0] - 1e-9).sum()) / comb(of, n)
