"""What of a figure is shown: coarser, the fewer people it is of, so that one answer more or less changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, floor

from readiness.statistics.inference import Change, holm

NOTABLE_POINTS = 5.0
TOO_WIDE_POINTS = 10.0
# Shares of single items are shown of so many sheets, never their means.
LEAST_ITEM_SHEETS = 10
RELIABLE_MEANS = 0.70
RELIABLE_FROM, PROVISIONAL_FROM = 100, 30


def step(n: int) -> int:
    """In steps of how many points, of 100, a figure of n people is shown."""
    return 5 if n < 20 else 2 if n < 50 else 1


def on_scale(mean: float, low: float = 1, high: float = 5) -> float:
    """A mean between low and high as 0 to 100."""
    return (mean - low) / (high - low) * 100


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
        elif (change.high - change.low) / 2 > TOO_WIDE_POINTS:
            found[block] = Verdict.TOO_FEW
        else:
            found[block] = Verdict.NO_CLEAR_CHANGE
    return found


def index(block_means: Sequence[float | None]) -> float | None:
    """The mean of the means of all blocks; None unless each has one."""
    known = [mean for mean in block_means if mean is not None]
    return sum(known) / len(known) if known and len(known) == len(block_means) else None


def shown_response(done: int, eligible: int, least: int) -> int | None:
    """How many in a hundred have answered while a survey is open, in steps of 5; 95 stands for "95 or more".

    None for fewer than `least` people: there it would say who has answered. Near the end of the scale it would too.
    """
    if eligible < least or eligible == 0:
        return None
    return min(95, floor(done / eligible * 20 + 0.5) * 5)


def may_compare(icc2: float | None) -> bool:
    """Whether a chart may set units side by side: their means are reliable enough (Bliese 2000: .70)."""
    return icc2 is not None and icc2 >= RELIABLE_MEANS
