"""The periods of one requirement as they stand: replayed from what was completed, beside what is stored. Pure.

`learning/periods.py` knows days on which a requirement was met; here such a day is found - for a course, or for all that
a curated path asks for - and the date as it stands is laid over the period it belongs to. What holds for every input is
in docs/assignments.md, tested in tests/learning/test_rounds.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from learning.due_dates import moved
from learning.periods import DUE, Period, Recurrence, periods_of


@dataclass(frozen=True)
class Need:
    """So many of these courses, by key."""

    keys: frozenset[str]
    count: int


@dataclass(frozen=True)
class InForce:
    """What a requirement asks for from this day until the next one of its kind."""

    from_day: date
    needs: tuple[Need, ...]


def kept_on(
    asked: Sequence[InForce], completions: Sequence[tuple[date, str]], opens_on: date, until: date
) -> date | None:
    """The first day by which everything asked on that day was completed, all of it from `opens_on` to `until`.

    `completions` are days and course keys, in any order. A new version that asks for less may be met on the day it is
    published; one that asks for more counts from its day on and takes nothing back.
    """
    within = sorted((day, key) for day, key in completions if opens_on <= day <= until)
    if not within:
        return None
    versions = sorted(asked, key=lambda version: version.from_day)
    days = {day for day, _key in within} | {v.from_day for v in versions if opens_on < v.from_day <= until}
    for day in sorted(days):
        needs = next((v.needs for v in reversed(versions) if v.from_day <= day), ())
        done = {key for completed, key in within if completed <= day}
        if needs and all(len(need.keys & done) >= need.count for need in needs):
            return day
    return None


def periods_now(
    recurrence: Recurrence,
    *,
    due_on: date | None,
    stored: Sequence[Period],
    kept: Callable[[date, date], date | None],
    as_of: date,
) -> tuple[Period, ...]:
    """The periods opened by `as_of` and the next one, as they are to be stored; none while there is no due date.

    `due_on` is the date of the requirement as it stands, `stored` the periods by number as they were, `kept(opens_on,
    until)` the day on which the requirement was first met within those days. Once the first period has opened its
    window stays where it is, and with it the dates of all that follow: a date moved later is that of the period which is
    open, as far as the next one leaves room. Only a first date moved beyond all of that begins anew. Dates of a period
    that is completed or over are kept as they are stored.
    """
    first_due_on = _first_due_on(recurrence, due_on, stored, as_of)
    if first_due_on is None:
        return ()
    found = _completed(recurrence, first_due_on, kept, as_of)
    before = {period.number: period for period in stored}
    standing: list[Period] = []
    for place, period in enumerate(found):
        next_opens_on = found[place + 1].opens_on if place + 1 < len(found) else None
        # The date of an earlier period, late as it may be, is not that of this one.
        moved_to = due_on if due_on is not None and _is_later(due_on, period, standing) else None
        standing.append(_as_it_stands(recurrence, period, next_opens_on, before.get(period.number), moved_to, as_of))
    return tuple(standing)


def _is_later(due_on: date, period: Period, earlier: Sequence[Period]) -> bool:
    return not earlier or due_on > max(period.due_on, earlier[-1].due_on)


def _first_due_on(recurrence: Recurrence, due_on: date | None, stored: Sequence[Period], as_of: date) -> date | None:
    if not stored or stored[0].opens_on > as_of:
        return due_on
    first = moved(stored[0].opens_on, recurrence.opens_days_before)
    if stored[0].completed_on is None and due_on is not None and recurrence.anchor == DUE:
        [_first, *later] = periods_of(recurrence, first_due_on=first, completions=(), as_of=as_of)
        if later and as_of < later[0].opens_on <= due_on:
            return due_on
    return first


def _completed(
    recurrence: Recurrence, first_due_on: date, kept: Callable[[date, date], date | None], as_of: date
) -> tuple[Period, ...]:
    """Window by window: what opens next may hang on what was completed before."""
    days: list[date] = []
    place = 0
    while True:
        found = periods_of(recurrence, first_due_on=first_due_on, completions=days, as_of=as_of)
        if place >= len(found) or found[place].opens_on > as_of:
            return found
        last = moved(found[place + 1].opens_on, -1) if place + 1 < len(found) else as_of
        day = kept(found[place].opens_on, min(last, as_of))
        if day is not None:
            days.append(day)
        place += 1


def _as_it_stands(
    recurrence: Recurrence,
    period: Period,
    next_opens_on: date | None,
    before: Period | None,
    moved_to: date | None,
    as_of: date,
) -> Period:
    is_settled = period.completed_on is not None or (next_opens_on is not None and next_opens_on <= as_of)
    if is_settled:
        if before is None or before.opens_on != period.opens_on:
            return period
        return replace(period, due_on=before.due_on, grace_until=before.grace_until)
    if moved_to is None or not period.opens_on <= min(moved_to, as_of):
        return period
    last = date.max if next_opens_on is None else moved(next_opens_on, -1)
    due = min(moved_to, last)
    return replace(period, due_on=due, grace_until=min(moved(due, recurrence.grace_days), last))
