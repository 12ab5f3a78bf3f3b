"""The adaptive diagnostic: what is known after some answers, what is asked next, when enough was asked. Pure; numpy, no Django.

Item response theory with two parameters an item: P(right | theta) = 1 / (1 + exp(-a (theta - b))). Ability `theta` has
the prior N(0, 1) on a grid of 81 points from -4 to 4. Each function has two forms: one for many people at a time
(arrays, a row a person), which the simulation uses, and one for a single person, which calls it with one row - so what
is simulated is what people meet. Model, rules and the worked example: docs/algorithms/diagnostic.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
# What was answered, in the order it was asked: the item's id, and whether the answer was right.
Answers = Sequence[tuple[int, bool]]

GRID: Floats = np.linspace(-4.0, 4.0, 81)
GRID.setflags(write=False)
PRIOR: Floats = np.exp(-0.5 * GRID**2)
PRIOR /= PRIOR.sum()
PRIOR.setflags(write=False)
# A grid point that lies on a cut belongs to the level above it.
ON_THE_CUT = 1e-9

# One of so many most informative items is drawn, so that neighbours are not asked the same ones; but none that tells
# less than this share of what the best one tells, the best two apart. Why: docs/decisions/0017-no-question-is-wasted.md.
CHOICE_OF = 5
CHOICE_AT_LEAST = 2
NEARLY_AS_GOOD = 0.9
FEWEST_ITEMS = 6
# Going on until one level stands out: docs/decisions/0014-going-on-until-one-level-stands-out.md, and 0017.
LEVEL_STANDS_OUT = 0.66


@dataclass(frozen=True)
class Limits:
    """When a diagnostic is precise enough, and how long it lasts at most."""

    se: float
    most_items: int


CALIBRATED = Limits(se=0.40, most_items=15)
# As soon as one item that was asked has its author's difficulty only.
UNCALIBRATED = Limits(se=0.50, most_items=20)


# What decides the course of a diagnostic besides the bank: figures of a simulation hold for these only.
RULES_OF_ASKING = (CHOICE_OF, CHOICE_AT_LEAST, NEARLY_AS_GOOD, FEWEST_ITEMS, LEVEL_STANDS_OUT, CALIBRATED, UNCALIBRATED)


class Stop(StrEnum):
    """Why no more is asked. The values are those of enums.DiagnosticEnd."""

    SURE = "sure"
    LENGTH = "length"
    NO_ITEMS = "no_items"


@dataclass(frozen=True)
class Item:
    """A question as the model sees it. Until it is calibrated its discrimination counts as 1, whatever `a` says.

    A retired item still counts where it was answered; it is not asked any more.
    """

    id: int
    facet: str
    a: float
    b: float
    level: int
    calibrated: bool = False
    retired: bool = False

    @property
    def slope(self) -> float:
        return self.a if self.calibrated else 1.0


@dataclass(frozen=True)
class Bank:
    """The items of one competency, the shares of its facets (they add up to 1) and the cuts between its levels.

    `cuts` increase; cut k (from 0) parts level k from level k + 1. Raises ValueError when items, facets or cuts do not fit.
    """

    items: tuple[Item, ...]
    facets: Mapping[str, float]
    cuts: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.cuts or any(upper <= lower for lower, upper in pairwise(self.cuts)):
            raise ValueError("cuts must increase")
        if len({item.id for item in self.items}) != len(self.items):
            raise ValueError("an item is in the bank twice")
        if unknown := {item.facet for item in self.items} - set(self.facets):
            raise ValueError(f"facets without a share: {', '.join(sorted(unknown))}")
        if not self.facets or min(self.facets.values()) < 0 or abs(sum(self.facets.values()) - 1) > 1e-6:
            raise ValueError("shares must add up to 1")

    @cached_property
    def index(self) -> dict[int, int]:
        """Where an item stands in `items`."""
        return {item.id: position for position, item in enumerate(self.items)}

    @cached_property
    def a(self) -> Floats:
        return np.array([item.slope for item in self.items], dtype=np.float64)

    @cached_property
    def b(self) -> Floats:
        return np.array([item.b for item in self.items], dtype=np.float64)

    @cached_property
    def calibrated(self) -> Bools:
        return np.array([item.calibrated for item in self.items], dtype=np.bool_)

    @cached_property
    def askable(self) -> Bools:
        return np.array([not item.retired for item in self.items], dtype=np.bool_)

    @cached_property
    def shares(self) -> Floats:
        return np.array(list(self.facets.values()), dtype=np.float64)

    @cached_property
    def in_facet(self) -> Floats:
        """items × facets: 1 where the item belongs to the facet."""
        names = list(self.facets)
        table = np.zeros((len(self.items), len(names)))
        for row, item in enumerate(self.items):
            table[row, names.index(item.facet)] = 1.0
        return table

    @cached_property
    def log_chances(self) -> tuple[Floats, Floats]:
        """log P(right) and log P(wrong) of each item on the grid: items × 81 each."""
        logit = self.a[:, None] * (GRID[None, :] - self.b[:, None])
        return -np.logaddexp(0.0, -logit), -np.logaddexp(0.0, logit)


# --- Many people at a time: `answered` is people × items, 1 right, -1 wrong, 0 not asked --------------------------
def answers_as_rows(bank: Bank, everybody: Iterable[Answers]) -> NDArray[np.int8]:
    """Raises KeyError for an item that is not in the bank, ValueError for one that is answered twice."""
    rows = []
    for answers in everybody:
        row = np.zeros(len(bank.items), dtype=np.int8)
        for item_id, right in answers:
            position = bank.index[item_id]
            if row[position]:
                raise ValueError(f"item {item_id} is answered twice")
            row[position] = 1 if right else -1
        rows.append(row)
    return np.array(rows, dtype=np.int8).reshape(len(rows), len(bank.items))


def posteriors(bank: Bank, answered: NDArray[np.int8]) -> Floats:
    """P(theta = each grid point | answers): people × 81."""
    log_right, log_wrong = bank.log_chances
    table = (answered > 0).astype(np.float64) @ log_right + (answered < 0).astype(np.float64) @ log_wrong
    return normalised(table)


def normalised(log_likelihood: Floats) -> Floats:
    table = log_likelihood - log_likelihood.max(axis=1, keepdims=True)
    table = np.exp(table) * PRIOR
    return np.asarray(table / table.sum(axis=1, keepdims=True), dtype=np.float64)


def eaps(posterior: Floats) -> tuple[Floats, Floats]:
    """Expected ability and its standard error (the posterior's standard deviation), a row a person."""
    theta = posterior @ GRID
    return theta, np.sqrt(np.maximum(posterior @ GRID**2 - theta**2, 0.0))


def levels_of_grid(cuts: Sequence[float]) -> Ints:
    """The level each grid point lies in."""
    return np.searchsorted(np.asarray(cuts, dtype=np.float64) - ON_THE_CUT, GRID, side="right").astype(np.int64)


def level_chances(posterior: Floats, cuts: Sequence[float]) -> Floats:
    """P(level 0), P(level 1), …: people × (cuts + 1)."""
    level = levels_of_grid(cuts)
    return np.asarray(posterior @ (level[:, None] == np.arange(len(cuts) + 1)[None, :]).astype(np.float64))


def information(
    a: float | Floats | Sequence[float], b: float | Floats | Sequence[float], theta: float | Floats
) -> Floats:
    """Fisher information a² P (1 - P) of items at an ability; arguments broadcast as numpy's do."""
    slope = np.asarray(a, dtype=np.float64)
    half = 0.5 * slope * (np.asarray(theta, dtype=np.float64) - np.asarray(b, dtype=np.float64))
    return np.asarray((0.5 * slope / np.cosh(half)) ** 2, dtype=np.float64)


def draws(seeds: NDArray[np.uint64], positions: Ints) -> NDArray[np.uint64]:
    """A number of 64 bits from a seed and a position, the same on every machine (splitmix64)."""
    with np.errstate(over="ignore"):
        z = seeds.astype(np.uint64) + (positions.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(z ^ (z >> np.uint64(31)), dtype=np.uint64)


def next_items(
    bank: Bank, answered: NDArray[np.int8], theta: Floats, *, excluded: Bools, seeds: NDArray[np.uint64]
) -> Ints:
    """The position in `bank.items` of what each person is asked next; -1 where nothing is left. See `next_item`."""
    asked = answered != 0
    count = asked.sum(axis=1)
    free = ~asked & ~excluded & bank.askable[None, :]
    lag = bank.shares[None, :] * (count[:, None] + 1) - asked.astype(np.float64) @ bank.in_facet
    has_free = free.astype(np.float64) @ bank.in_facet > 0
    lag = np.where(has_free, lag, -np.inf)
    furthest = has_free & (lag >= lag.max(axis=1, keepdims=True) - 1e-9)
    eligible = free & (furthest.astype(np.float64) @ bank.in_facet.T > 0)
    worth = np.where(eligible, information(bank.a[None, :], bank.b[None, :], theta[:, None]), -1.0)
    # Ties go to the smaller position.
    best = np.argsort(-worth, axis=1, kind="stable")[:, :CHOICE_OF]
    told = np.take_along_axis(worth, best, axis=1)
    good = (told >= NEARLY_AS_GOOD * told[:, :1]).sum(axis=1)
    choice = np.minimum(np.maximum(good, CHOICE_AT_LEAST), eligible.sum(axis=1))
    turn = draws(seeds, count) % np.maximum(choice, 1).astype(np.uint64)
    return np.where(choice > 0, best[np.arange(len(best)), turn.astype(np.int64)], -1).astype(np.int64)


def verdicts(bank: Bank, answered: NDArray[np.int8], posterior: Floats, *, excluded: Bools) -> list[Stop | None]:
    """Why each person is asked no more, None where the diagnostic goes on. See `verdict`."""
    asked = answered != 0
    count = asked.sum(axis=1)
    all_calibrated = ~(asked & ~bank.calibrated[None, :]).any(axis=1)
    enough = np.where(all_calibrated, CALIBRATED.se, UNCALIBRATED.se)
    longest = np.where(all_calibrated, CALIBRATED.most_items, UNCALIBRATED.most_items)
    _theta, se = eaps(posterior)
    stands_out = level_chances(posterior, bank.cuts).max(axis=1) >= LEVEL_STANDS_OUT
    nothing_left = ~(~asked & ~excluded & bank.askable[None, :]).any(axis=1)
    sure = (count >= FEWEST_ITEMS) & (se <= enough) & stands_out
    return [
        Stop.SURE if sure[i] else Stop.LENGTH if count[i] >= longest[i] else Stop.NO_ITEMS if nothing_left[i] else None
        for i in range(len(count))
    ]


# --- One person ---------------------------------------------------------------------------------------------------
def posterior(bank: Bank, answers: Answers) -> Floats:
    """P(theta = each of the 81 grid points | answers). The order of answers does not matter."""
    return np.asarray(posteriors(bank, answers_as_rows(bank, [answers]))[0])


def eap(posterior: Floats) -> tuple[float, float]:
    """Expected ability and its standard error."""
    theta, se = eaps(posterior[None, :])
    return float(theta[0]), float(se[0])


def level_probabilities(posterior: Floats, cuts: Sequence[float]) -> tuple[float, ...]:
    """P(level 0), P(level 1), …; they add up to 1."""
    return tuple(level_chances(posterior[None, :], cuts)[0].tolist())


def at_least(posterior: Floats, cuts: Sequence[float]) -> tuple[float, ...]:
    """P(level >= 1), P(level >= 2), …: one figure a cut."""
    chances = level_chances(posterior[None, :], cuts)[0]
    return tuple(chances[::-1].cumsum()[::-1][1:].tolist())


def next_item(bank: Bank, answers: Answers, *, seen: Collection[int] = (), seed: int) -> int | None:
    """The id of the item to ask next; None when nothing is left.

    Of the facets that lag most behind their share and still have items, the five most informative items at the
    present estimate are taken, without those that tell much less than the best, and one is drawn. Items of `answers`,
    of `seen` (asked in earlier diagnostics; the one on the screen is not `seen`) and retired ones are out. The same
    call gives the same item: a page that is loaded again shows the same question.
    """
    answered = answers_as_rows(bank, [answers])
    theta, _se = eaps(posteriors(bank, answered))
    chosen = next_items(
        bank, answered, theta, excluded=_excluded(bank, seen), seeds=np.array([seed % 2**64], dtype=np.uint64)
    )[0]
    return None if chosen < 0 else bank.items[chosen].id


def verdict(bank: Bank, answers: Answers, *, seen: Collection[int] = ()) -> Stop | None:
    """Why no more is asked, None while it goes on.

    Sure: at least 6 answers, the standard error small enough (`CALIBRATED`, `UNCALIBRATED`) and one level with a
    probability of `LEVEL_STANDS_OUT` or more. Else it ends by length, or when no item is left.
    """
    answered = answers_as_rows(bank, [answers])
    return verdicts(bank, answered, posteriors(bank, answered), excluded=_excluded(bank, seen))[0]


def to_ranks(theta: float, se: float, cuts: Sequence[float]) -> tuple[float, float]:
    """Ability and standard error in ranks of the scale: linear between cuts, cut k (from 0) lies at rank k + 0.5.

    Beyond the outer cuts the outermost stretch goes on; with a single cut a rank is one unit of ability.
    """
    if len(cuts) == 1:
        return theta - cuts[0] + 0.5, se
    below = sum(cut - ON_THE_CUT <= theta for cut in cuts) - 1
    k = min(max(below, 0), len(cuts) - 2)
    width = cuts[k + 1] - cuts[k]
    return k + 0.5 + (theta - cuts[k]) / width, se / width


def _excluded(bank: Bank, seen: Collection[int]) -> Bools:
    out = np.zeros((1, len(bank.items)), dtype=np.bool_)
    for item_id in seen:
        if item_id in bank.index:
            out[0, bank.index[item_id]] = True
    return out
