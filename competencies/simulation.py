"""What a bank does with invented people: how often the level is right, how long it takes, which items wear out. Pure.

People are drawn from N(0, 1), answer as the model says, and go through the very functions of competencies.diagnostic.
So the figures tell what the bank can do at best: real people are not the model. `guessing` shows one way they differ.
Rules and figures: docs/algorithms/diagnostic.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import expit, ndtr, ndtri

from competencies.diagnostic import (
    ON_THE_CUT,
    Bank,
    Bools,
    Floats,
    Ints,
    eaps,
    level_chances,
    next_items,
    posteriors,
    verdicts,
)

PEOPLE = 2000
# Enough that chance moves a percentage by less than a quarter of a point: a fourth of what the banks that ship reach
# above the line.
CHECKED_PEOPLE = 40_000
# A page that is waited for simulates so many answers to come, but never fewer people than say something.
CELLS_ON_A_PAGE = 200_000
FEWEST_ON_A_PAGE = 200
# What a bank must reach before it is used; docs/decisions/0017-no-question-is-wasted.md.
LEAST_EXACT_PCT = 65.0
LEAST_WITHIN_ONE_PCT = 99.0
MOST_MEDIAN_ITEMS = 16.0
# The published rule: a diagnostic attains a level that is reached with this probability.
ATTAINS_AT = 0.80


@dataclass(frozen=True)
class LevelReport:
    """What people of one true level were told."""

    level: int
    people: int
    exact_pct: float
    within_one_pct: float
    mean_items: float


@dataclass(frozen=True)
class Report:
    """Percentages are of all people. `told_more_pct`: an attained level (P >= .80) above the true one."""

    people: int
    seed: int
    exact_pct: float
    within_one_pct: float
    median_items: float
    mean_items: float
    mean_se: float
    most_exposed_pct: float
    told_more_pct: float
    by_level: tuple[LevelReport, ...]

    def shortfalls(self, *, give_or_take: float = 0.0) -> tuple[str, ...]:
        """The names of the figures that miss what a bank must reach, by more than so many points of a percentage."""
        missed = {
            "exact_pct": self.exact_pct + give_or_take < LEAST_EXACT_PCT,
            "within_one_pct": self.within_one_pct + give_or_take < LEAST_WITHIN_ONE_PCT,
            "median_items": self.median_items > MOST_MEDIAN_ITEMS,
        }
        return tuple(name for name, is_missed in missed.items() if is_missed)

    @property
    def chance_points(self) -> float:
        """By how many points the percentage of people told their level may be off: two standard errors."""
        return float(2 * np.sqrt(self.exact_pct * (100 - self.exact_pct) / self.people))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def simulate(bank: Bank, *, people: int = PEOPLE, seed: int = 1, even: bool = False, guessing: float = 0.0) -> Report:
    """Send invented people through a diagnostic. `even`: as many of each level; `guessing`: P(right) of who knows nothing.

    The same arguments give the same report. Raises ValueError for a bank without items that can be asked.
    """
    if not bank.askable.any():
        raise ValueError("nothing to ask")
    random = np.random.default_rng(seed)
    theta = even_abilities(random, people, bank.cuts) if even else random.standard_normal(people)
    would_be_right = random.random((people, len(bank.items))) < chances(bank, theta, guessing)
    seeds = random.integers(0, 2**63, people, dtype=np.uint64)
    answered = take(bank, would_be_right, seeds)
    found = posteriors(bank, answered)
    _eap, se = eaps(found)
    told = level_chances(found, bank.cuts)
    return report_on(bank, theta, answered, told, se, seed)


def people_on_a_page(bank: Bank) -> int:
    """How many people a page simulates while it is waited for: fewer where there are many questions."""
    return int(np.clip(CELLS_ON_A_PAGE // max(len(bank.items), 1), FEWEST_ON_A_PAGE, PEOPLE))


def chances(bank: Bank, theta: Floats, guessing: float) -> Floats:
    """P(right): people × items."""
    knows = expit(bank.a[None, :] * (theta[:, None] - bank.b[None, :]))
    return np.asarray(guessing + (1 - guessing) * knows, dtype=np.float64)


def even_abilities(random: np.random.Generator, people: int, cuts: Sequence[float]) -> Floats:
    """As many people of each level, within a level as N(0, 1) has them."""
    edges = np.concatenate([[0.0], ndtr(np.asarray(cuts, dtype=np.float64)), [1.0]])
    level = np.arange(people) % (len(cuts) + 1)
    share = edges[level] + random.random(people) * (edges[level + 1] - edges[level])
    return np.asarray(ndtri(np.clip(share, 1e-9, 1 - 1e-9)), dtype=np.float64)


def take(bank: Bank, would_be_right: Bools, seeds: np.typing.NDArray[np.uint64]) -> np.typing.NDArray[np.int8]:
    """Everybody's way through the bank, a step at a time: people × items, 1 right, -1 wrong, 0 not asked."""
    people = len(would_be_right)
    answered = np.zeros(would_be_right.shape, dtype=np.int8)
    going_on = np.arange(people)
    while len(going_on):
        rows = answered[going_on]
        found = posteriors(bank, rows)
        nobody = np.zeros((len(going_on), 1), dtype=np.bool_)
        stops = verdicts(bank, rows, found, excluded=nobody)
        still = np.array([stop is None for stop in stops], dtype=np.bool_)
        going_on, rows, found = going_on[still], rows[still], found[still]
        if len(going_on):
            theta, _se = eaps(found)
            chosen = next_items(bank, rows, theta, excluded=nobody[still], seeds=seeds[going_on])
            answered[going_on, chosen] = np.where(would_be_right[going_on, chosen], 1, -1)
    return answered


def report_on(
    bank: Bank, theta: Floats, answered: np.typing.NDArray[np.int8], told: Floats, se: Floats, seed: int
) -> Report:
    true: Ints = np.searchsorted(np.asarray(bank.cuts) - ON_THE_CUT, theta, side="right").astype(np.int64)
    level: Ints = told.argmax(axis=1)
    off = np.abs(level - true)
    length = (answered != 0).sum(axis=1)
    reached = told[:, ::-1].cumsum(axis=1)[:, ::-1]
    attained = (reached[:, 1:] >= ATTAINS_AT).sum(axis=1)
    return Report(
        people=len(theta),
        seed=seed,
        exact_pct=pct(off == 0),
        within_one_pct=pct(off <= 1),
        median_items=float(np.median(length)),
        mean_items=float(length.mean()),
        mean_se=float(se.mean()),
        most_exposed_pct=float(100 * (answered != 0).mean(axis=0).max()),
        told_more_pct=pct(attained > true),
        by_level=tuple(
            LevelReport(
                level=one,
                people=int((true == one).sum()),
                exact_pct=pct(off[true == one] == 0),
                within_one_pct=pct(off[true == one] <= 1),
                mean_items=float(length[true == one].mean()) if (true == one).any() else 0.0,
            )
            for one in range(len(bank.cuts) + 1)
        ),
    )


def pct(is_so: Bools) -> float:
    return float(100 * is_so.mean()) if len(is_so) else 0.0
