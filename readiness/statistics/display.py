"""What of a figure is shown: coarser, the fewer people it is of, so that one answer more or less changes nothing."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, floor
from typing import TypeVar

from readiness.statistics.inference import Change, benjamini_hochberg, holm

NOTABLE_POINTS = 5.0
TOO_WIDE_POINTS = 10.0
# A figure that may be off by more says too little to talk about.
CLEAR_MARGIN = 10
# Of what is pointed at on one screen, so many in a hundred may be chance.
FALSE_AMONG_FOUND = 0.10
# Below, a figure is of those who answered rather than of everybody: of the unit, and of any one class of it.
LOW_RESPONSE_PCT, LOW_CLASS_RESPONSE_PCT = 50, 30
# Response while a survey is open: stands for "95 or more".
TOP_RESPONSE_PCT = 95
# Shares of single items are shown of so many sheets, never their means.
LEAST_ITEM_SHEETS = 10
RELIABLE_MEANS = 0.70
RELIABLE_FROM, PROVISIONAL_FROM = 100, 30


def step(n: int) -> int:
    """In steps of how many points, of 100, a figure of n people is shown."""
    return 5 if n < 20 else 2 if n < 50 else 1


def rounded(points: float, n: int) -> int:
    """To the nearest step, halves upwards."""
    size = step(n)
    return floor(points / size + 0.5) * size


def rounded_margin(points: float, n: int) -> int:
    """Up to the next step, and never less than one."""
    size = step(n)
    return max(size, ceil(points / size - 1e-9) * size)


@dataclass(frozen=True)
class Share:
    """A share in percent as shown. `bound` is "<=" or ">=" where only that is said, else empty."""

    pct: int
    bound: str = ""

    def __str__(self) -> str:
        return f"{self.bound}{self.pct}"


def shown_share(pct: float, n: int) -> Share:
    """Near 0 and 100 a share would say what each of a few people answered: there only a bound is shown."""
    low = 20 if n < 10 else 10 if n < 20 else 5
    if pct <= low:
        return Share(low, "<=")
    if pct >= 100 - low:
        return Share(100 - low, ">=")
    return Share(rounded(pct, n))


def may_show_items(n: int) -> bool:
    return n >= LEAST_ITEM_SHEETS


class Trust(StrEnum):
    """How a reliability is shown."""

    SHOWN = "shown"
    PROVISIONAL = "provisional"
    HIDDEN = "hidden"


def trust_in_reliability(n: int) -> Trust:
    """A reliability of few people says more about them than about the questions."""
    return Trust.SHOWN if n >= RELIABLE_FROM else Trust.PROVISIONAL if n >= PROVISIONAL_FROM else Trust.HIDDEN


class Verdict(StrEnum):
    UP = "up"
    DOWN = "down"
    TOO_FEW = "too_few"
    NO_CLEAR_CHANGE = "no_clear_change"


def verdicts(changes: Mapping[str, Change | None]) -> dict[str, Verdict]:
    """What is said of the change of each block of a unit, in points of 100, all of them looked at together.

    Up or down: Holm's p below .05 and at least 5 points. Too few: the interval is wider than 10 points either way, or
    there is no figure. Otherwise: no clear change.
    """
    found = {}
    corrected = holm([change.p if change is not None else None for change in changes.values()])
    for (block, change), p in zip(changes.items(), corrected, strict=True):
        if change is None or p is None:
            found[block] = Verdict.TOO_FEW
        elif p < 0.05 and abs(change.diff) >= NOTABLE_POINTS:
            found[block] = Verdict.UP if change.diff > 0 else Verdict.DOWN
        elif _is_too_wide(change):
            found[block] = Verdict.TOO_FEW
        else:
            found[block] = Verdict.NO_CLEAR_CHANGE
    return found


class Standing(StrEnum):
    """A unit beside the rest of the one above it."""

    ABOVE = "above"
    BELOW = "below"
    TOO_FEW = "too_few"
    NO_CLEAR_DIFFERENCE = "no_clear_difference"


On = TypeVar("On", bound=Hashable)


def standings(differences: Mapping[On, Change | None]) -> dict[On, Standing]:
    """What is said of each unit of a screen beside the rest of the unit above it, all of them looked at together.

    `differences`: in points of 100, from the rest to the unit, `change(rest, unit)`. The two are disjoint: the rest is
    the sum of the classes of the unit above that are not in the unit, never the whole, which has the unit in it.
    Above or below: Benjamini and Hochberg's p at .10 or below, and at least 5 points, as for a change. Too few: the
    interval is wider than 10 points either way, or there is no figure. Otherwise: no clear difference.
    """
    found = {}
    corrected = benjamini_hochberg([d.p if d is not None else None for d in differences.values()])
    for (unit, difference), p in zip(differences.items(), corrected, strict=True):
        if difference is None or p is None:
            found[unit] = Standing.TOO_FEW
        elif p <= FALSE_AMONG_FOUND and abs(difference.diff) >= NOTABLE_POINTS:
            found[unit] = Standing.ABOVE if difference.diff > 0 else Standing.BELOW
        elif _is_too_wide(difference):
            found[unit] = Standing.TOO_FEW
        else:
            found[unit] = Standing.NO_CLEAR_DIFFERENCE
    return found


def _is_too_wide(change: Change) -> bool:
    return (change.high - change.low) / 2 > TOO_WIDE_POINTS


def index(block_means: Sequence[float | None]) -> float | None:
    """The mean of the means of all blocks; None unless each has one."""
    known = [mean for mean in block_means if mean is not None]
    return sum(known) / len(known) if known and len(known) == len(block_means) else None


def shown_response(done: int, eligible: int, least: int) -> int | None:
    """How many in a hundred have answered while a survey is open, in steps of 5; TOP_RESPONSE_PCT stands for so many or more.

    None for fewer than `least` people: there it would say who has answered. Near the end of the scale it would too.
    """
    if eligible < least or eligible == 0:
        return None
    if done * 100 >= TOP_RESPONSE_PCT * eligible:
        return TOP_RESPONSE_PCT
    # In whole numbers, halves upwards; but what is below the top is not said to have reached it.
    return min(TOP_RESPONSE_PCT - 5, (40 * done + eligible) // (2 * eligible) * 5)


def describes_those_who_answered(n: int, eligible: int, classes: Iterable[tuple[int, int]] = ()) -> bool:
    """Whether a page must say that its figures are of those who answered, rather than of everybody.

    `n` of `eligible` people answered, and of each of the unit's `classes` (answers, eligible). True below 50 in a hundred,
    below 30 in any class, or where it is not known how many were asked: who keeps silent may think otherwise.
    """
    return (
        eligible <= 0
        or n * 100 < LOW_RESPONSE_PCT * eligible
        or any(answers * 100 < LOW_CLASS_RESPONSE_PCT * people for answers, people in classes)
    )


def may_compare(icc2: float | None) -> bool:
    """Whether a chart may set units side by side: their means are reliable enough (Bliese 2000: .70)."""
    return icc2 is not None and icc2 >= RELIABLE_MEANS


def to_talk_about(figures: Mapping[str, tuple[float | None, float | None]], weights: Mapping[str, float]) -> str | None:
    """The block with the most to win: its weight times its distance to 100, of those with a clear figure.

    `figures`: by block (score, margin) in points of 100, in the order of the questionnaire; clear is a margin of at most
    10. A block without a weight counts as much as those with one do on average. Ties go to the lower figure, then to the
    order. None where no figure is clear.
    """
    clear = {
        block: score
        for block, (score, margin) in figures.items()
        if score is not None and margin is not None and margin <= CLEAR_MARGIN
    }
    usual = sum(weights.values()) / len(weights) if weights else 1.0
    return max(clear, key=lambda block: (weights.get(block, usual) * (100 - clear[block]), -clear[block]), default=None)
