"""Recertification as periods that follow one another, replayed from what was completed; nothing is ever reset. Pure.

Which completion counts for which period, what is late, and the worked example: docs/algorithms/periods.md, tested in
tests/learning/test_periods.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from dateutil.relativedelta import relativedelta

from learning.due_dates import moved

DUE = "due"
COMPLETION = "completion"
ANCHORS = frozenset({DUE, COMPLETION})
MAX_MONTHS = 240
# No month is shorter: what fits into so many days for each month fits between any two due dates.
SHORTEST_MONTH = 28

UPCOMING = "upcoming"
OPEN = "open"
GRACE = "grace"
MISSED = "missed"
DONE = "done"
DONE_LATE = "done_late"


class RecurrenceRefused(ValueError):
    """`place` names the field, `problem` is "out_of_range", "unknown", or "overlaps": the windows of two periods would."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place, self.problem = place, problem


@dataclass(frozen=True)
class Recurrence:
    """How a requirement comes back. `anchor`: the next date follows from the first due date ("due": on the calendar,
    whatever happened) or from the day of completion ("completion": so many months of validity).

    Raises RecurrenceRefused unless window and grace fit between two due dates.
    """

    every_months: int
    opens_days_before: int
    grace_days: int = 0
    anchor: str = DUE

    def __post_init__(self) -> None:
        if not 1 <= self.every_months <= MAX_MONTHS:
            raise RecurrenceRefused("every_months", "out_of_range")
        if self.opens_days_before < 0:
            raise RecurrenceRefused("opens_days_before", "out_of_range")
        if self.grace_days < 0:
            raise RecurrenceRefused("grace_days", "out_of_range")
        if self.opens_days_before + self.grace_days >= SHORTEST_MONTH * self.every_months:
            raise RecurrenceRefused("opens_days_before", "overlaps")
        if self.anchor not in ANCHORS:
            raise RecurrenceRefused("anchor", "unknown")


@dataclass(frozen=True)
class Period:
    """One turn, counted from 1. `due_on` is the last day in time, `grace_until` the last day that is let pass."""

    number: int
    opens_on: date
    due_on: date
    grace_until: date
    completed_on: date | None = None


def periods_of(
    recurrence: Recurrence, *, first_due_on: date, completions: Sequence[date], as_of: date
) -> tuple[Period, ...]:
    """All periods opened by `as_of` and the next one where its dates are known, replayed from the completions.

    A completion counts for the period whose window it falls into: from the day it opens until the day before the next
    one opens. The first in a window counts, the others are attempts that change nothing; what came before the first
    window counts for nothing, nor does what lies after `as_of`. With anchor "completion" the next period exists once
    this one is completed. Neither later days nor later completions change a period that is completed or over.
    """
    known = sorted({day for day in completions if day <= as_of})
    found: list[Period] = []
    for period in _replay(recurrence, first_due_on, known):
        found.append(period)
        if period.opens_on > as_of:
            break
    return tuple(found)


def status(period: Period, as_of: date) -> str:
    """Where a period stands on a day. What is completed in grace is done; after it, done late.

    A completion after the day is not known on it.
    """
    if period.completed_on is not None and period.completed_on <= as_of:
        return DONE if period.completed_on <= period.grace_until else DONE_LATE
    if as_of < period.opens_on:
        return UPCOMING
    if as_of <= period.due_on:
        return OPEN
    return GRACE if as_of <= period.grace_until else MISSED


def _replay(recurrence: Recurrence, first_due_on: date, completions: Sequence[date]) -> Iterator[Period]:
    """Period after period without end, or to the one that waits for its completion. `completions` in order."""
    period = _period(recurrence, 1, first_due_on)
    while True:
        if recurrence.anchor == COMPLETION:
            completed_on = next((day for day in completions if day >= period.opens_on), None)
            yield replace(period, completed_on=completed_on)
            if completed_on is None:
                return
            following = _period(recurrence, period.number + 1, _months_after(completed_on, recurrence.every_months))
        else:
            # From the first date each time: 31 January, 28 February, 31 March.
            due_on = _months_after(first_due_on, period.number * recurrence.every_months)
            following = _period(recurrence, period.number + 1, due_on)
            within = (day for day in completions if period.opens_on <= day < following.opens_on)
            yield replace(period, completed_on=next(within, None))
        if following.due_on == date.max:
            return
        period = following


def _period(recurrence: Recurrence, number: int, due_on: date) -> Period:
    return Period(
        number, moved(due_on, -recurrence.opens_days_before), due_on, moved(due_on, recurrence.grace_days), None
    )


@lru_cache(maxsize=4096)  # many people share their dates
def _months_after(day: date, months: int) -> date:
    try:
        return day + relativedelta(months=months)
    except (ValueError, OverflowError):
        return date.max
