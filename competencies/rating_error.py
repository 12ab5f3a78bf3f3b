"""What a ministry's own data say of self-assessments and managers' assessments, held against diagnostics. Pure.

A rating is the true level plus a bias plus an error; a diagnostic is the true level plus its own error, whose size it
states. So the mean of (rating - diagnostic) is the bias, and the variance of it, less that of the diagnostics, is the
rating's own. Source: docs/algorithms/likely.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from competencies.likely import DAYS_A_MONTH, STATED_RANKS

ENOUGH_PEOPLE = 100
MONTHS_APART = 12


@dataclass(frozen=True)
class Said:
    """A rating or a diagnostic of one person in one competency. `value` in ranks of a scale with `ranks` ranks; `se`
    only of a diagnostic."""

    person_id: int
    competency: object
    on: date
    value: float
    ranks: int
    se: float | None = None


@dataclass(frozen=True)
class Pair:
    """A rating with the diagnostic nearest in time, both on the stated scale of five."""

    person_id: int
    rating: float
    measured: float
    se: float


@dataclass(frozen=True)
class Proposal:
    """What the pairs say. `people` are counted once however many competencies they were rated in; `bias` and `sd` are
    None as long as there are too few."""

    people: int
    pairs: int
    bias: float | None = None
    sd: float | None = None


def pair_up(ratings: Iterable[Said], diagnostics: Iterable[Said]) -> list[Pair]:
    """For each person and competency the rating and the diagnostic that lie nearest to each other, at most 12 months
    apart; of two as near, the later ones. The order of the input does not matter."""
    measured: dict[tuple[int, object], list[Said]] = {}
    for said in diagnostics:
        measured.setdefault((said.person_id, said.competency), []).append(said)
    best: dict[tuple[int, object], tuple[tuple[int, int, int, float, float], Pair]] = {}
    for rating in ratings:
        key = (rating.person_id, rating.competency)
        for diagnostic in measured.get(key, ()):
            days = abs((rating.on - diagnostic.on).days)
            if days > MONTHS_APART * DAYS_A_MONTH or diagnostic.se is None:
                continue
            there, here = STATED_RANKS / diagnostic.ranks, STATED_RANKS / rating.ranks
            pair = Pair(rating.person_id, rating.value * here, diagnostic.value * there, diagnostic.se * there)
            rank = (days, -rating.on.toordinal(), -diagnostic.on.toordinal(), pair.rating, pair.measured)
            if key not in best or rank < best[key][0]:
                best[key] = rank, pair
    return [pair for _rank, pair in best.values()]


def propose(
    pairs: Sequence[Pair],
    *,
    extra_sd: float,
    bias_limits: tuple[float, float],
    sd_limits: tuple[float, float],
    enough: int = ENOUGH_PEOPLE,
) -> Proposal:
    """Bias and sd of a kind of rating; only counted below `enough` people.

    `extra_sd` is the uncertainty the estimate adds to a diagnostic's own. Both figures are held within their limits and
    rounded to three places.
    """
    people = len({pair.person_id for pair in pairs})
    if people < enough or len(pairs) < 2:
        return Proposal(people, len(pairs))
    differences = [pair.rating - pair.measured for pair in pairs]
    mean = math.fsum(differences) / len(pairs)
    variance = math.fsum((d - mean) ** 2 for d in differences) / (len(pairs) - 1)
    of_diagnostics = math.fsum(pair.se**2 + extra_sd**2 for pair in pairs) / len(pairs)
    own = math.sqrt(max(variance - of_diagnostics, 0.0))
    return Proposal(people, len(pairs), _within(mean, bias_limits), _within(own, sd_limits))


def _within(value: float, limits: tuple[float, float]) -> float:
    return round(min(max(value, limits[0]), limits[1]), 3)
