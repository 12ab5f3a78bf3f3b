"""Recertification as periods: docs/algorithms/periods.md, its worked example, and what holds for any history."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from learning.periods import Period, Recurrence, RecurrenceRefused, periods_of, status

DAY = timedelta(days=1)
unhurried = settings(deadline=None)
FIRST = date(2026, 6, 30)
YEARLY = Recurrence(12, opens_days_before=90, grace_days=30)


@st.composite
def recurrences(draw, anchors=("due", "completion")):
    months = draw(st.integers(1, 24))
    opens = draw(st.integers(0, 28 * months - 1))
    grace = draw(st.integers(0, 28 * months - 1 - opens))
    return Recurrence(months, opens, grace, draw(st.sampled_from(anchors)))


first_dates = st.dates(date(2024, 1, 1), date(2028, 12, 31))
histories = st.lists(st.dates(date(2023, 1, 1), date(2034, 12, 31)), max_size=12)
days_on = st.dates(date(2023, 1, 1), date(2036, 12, 31))


def replayed(recurrence, first, completions, as_of):
    return periods_of(recurrence, first_due_on=first, completions=completions, as_of=as_of)


# The worked example of the documentation


def test_the_worked_example_of_the_documentation():
    completions = [date(2026, 3, 1), date(2026, 5, 10), date(2027, 7, 20), date(2028, 9, 5), date(2030, 4, 2)]
    periods = replayed(YEARLY, FIRST, completions, date(2030, 6, 1))
    assert periods == (
        Period(1, date(2026, 4, 1), FIRST, date(2026, 7, 30), date(2026, 5, 10)),
        Period(2, date(2027, 4, 1), date(2027, 6, 30), date(2027, 7, 30), date(2027, 7, 20)),
        Period(3, date(2028, 4, 1), date(2028, 6, 30), date(2028, 7, 30), date(2028, 9, 5)),
        Period(4, date(2029, 4, 1), date(2029, 6, 30), date(2029, 7, 30), None),
        Period(5, date(2030, 4, 1), date(2030, 6, 30), date(2030, 7, 30), date(2030, 4, 2)),
        Period(6, date(2031, 4, 1), date(2031, 6, 30), date(2031, 7, 30), None),
    )
    assert [status(period, date(2030, 6, 1)) for period in periods] == [
        "done",
        "done",
        "done_late",
        "missed",
        "done",
        "upcoming",
    ]


def test_the_worked_example_when_the_date_follows_from_completion():
    recurrence = Recurrence(12, opens_days_before=90, grace_days=30, anchor="completion")
    completions = [date(2026, 5, 10), date(2027, 7, 20)]
    assert replayed(recurrence, FIRST, completions, date(2030, 6, 1)) == (
        Period(1, date(2026, 4, 1), FIRST, date(2026, 7, 30), date(2026, 5, 10)),
        Period(2, date(2027, 2, 9), date(2027, 5, 10), date(2027, 6, 9), date(2027, 7, 20)),
        Period(3, date(2028, 4, 21), date(2028, 7, 20), date(2028, 8, 19), None),
    )


# What counts for what


@pytest.mark.parametrize(
    ("completed_on", "period", "expected"),
    [
        (date(2026, 3, 31), 1, "missed"),  # the day before the window: for nothing
        (date(2026, 4, 1), 1, "done"),
        (date(2026, 6, 30), 1, "done"),
        (date(2026, 7, 1), 1, "done"),  # in grace
        (date(2026, 7, 30), 1, "done"),
        (date(2026, 7, 31), 1, "done_late"),
        (date(2027, 3, 31), 1, "done_late"),
        (date(2027, 4, 1), 1, "missed"),  # the next one is open: it counts there
        (date(2027, 4, 1), 2, "done"),
    ],
)
def test_a_completion_counts_for_the_period_that_is_open_until_the_next_one_opens(completed_on, period, expected):
    found = replayed(YEARLY, FIRST, [completed_on], date(2028, 1, 1))
    assert status(found[period - 1], date(2028, 1, 1)) == expected


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        (date(2026, 3, 31), "upcoming"),
        (date(2026, 4, 1), "open"),
        (date(2026, 6, 30), "open"),
        (date(2026, 7, 1), "grace"),
        (date(2026, 7, 30), "grace"),
        (date(2026, 7, 31), "missed"),
    ],
)
def test_a_period_opens_falls_due_has_grace_and_is_missed(as_of, expected):
    period = replayed(YEARLY, FIRST, [], as_of)[0]
    assert status(period, as_of) == expected
    later = Period(1, period.opens_on, period.due_on, period.grace_until, date(2026, 9, 1))
    assert status(later, as_of) == expected  # what comes later is not known yet


def test_the_last_day_of_a_month_does_not_drift():
    found = replayed(Recurrence(1, 10), date(2027, 1, 31), [], date(2028, 2, 1))
    assert [(period.due_on.month, period.due_on.day) for period in found] == [
        *(
            (1, 31),
            (2, 28),
            (3, 31),
            (4, 30),
            (5, 31),
            (6, 30),
            (7, 31),
            (8, 31),
            (9, 30),
            (10, 31),
            (11, 30),
            (12, 31),
        ),
        *((1, 31), (2, 29)),
    ]


def test_with_the_date_from_completion_a_missed_period_waits_for_its_completion():
    recurrence = Recurrence(24, 60, 0, "completion")
    [only] = replayed(recurrence, FIRST, [], date(2036, 1, 1))
    assert status(only, date(2036, 1, 1)) == "missed"
    first, second = replayed(recurrence, FIRST, [date(2035, 12, 1)], date(2036, 1, 1))
    assert (status(first, date(2036, 1, 1)), second.due_on) == ("done_late", date(2037, 12, 1))


@unhurried
@given(recurrences(), first_dates, histories, days_on)
def test_periods_follow_one_another_and_each_completion_counts_once(recurrence, first, completions, as_of):
    found = replayed(recurrence, first, completions, as_of)
    assert [period.number for period in found] == list(range(1, len(found) + 1))
    assert found[0].due_on == first
    assert all(period.opens_on <= as_of for period in found[:-1])
    for period, following in pairwise(found):
        assert period.opens_on <= period.due_on <= period.grace_until
        assert following.opens_on > (period.grace_until if recurrence.anchor == "due" else period.completed_on)
    counted = [period.completed_on for period in found if period.completed_on]
    assert counted == sorted(set(counted))
    assert set(counted) <= {day for day in completions if day <= as_of}
    for period, following in zip(found, [*found[1:], None], strict=True):
        if period.completed_on:
            assert period.opens_on <= period.completed_on
            assert following is None or period.completed_on < following.opens_on


@unhurried
@given(recurrences(("due",)), first_dates, histories, days_on)
def test_on_the_calendar_a_period_is_missed_only_when_nothing_was_completed_in_its_window(
    recurrence, first, completions, as_of
):
    found = replayed(recurrence, first, completions, as_of)
    for period, following in pairwise(found):
        within = [day for day in completions if period.opens_on <= day < following.opens_on and day <= as_of]
        assert period.completed_on == min(within, default=None)
        assert period.due_on == first + relativedelta(months=recurrence.every_months * (period.number - 1))


@unhurried
@given(recurrences(), first_dates, histories, days_on, st.randoms())
def test_the_order_of_completions_and_telling_one_twice_do_not_matter(recurrence, first, completions, as_of, random):
    shuffled = [*completions, *completions[:3]]
    random.shuffle(shuffled)
    assert replayed(recurrence, first, shuffled, as_of) == replayed(recurrence, first, completions, as_of)


# What is over stays as it was


def settled(periods, as_of) -> tuple[Period, ...]:
    """Those that are completed, and those whose successor is open."""
    return tuple(
        period
        for period, following in zip(periods, [*periods[1:], None], strict=True)
        if period.completed_on or (following is not None and following.opens_on <= as_of)
    )


@unhurried
@given(recurrences(), first_dates, histories, st.integers(0, 12), days_on)
def test_new_events_change_no_earlier_period(recurrence, first, completions, known, as_of):
    """As of the day of the last one known; what comes is dated later."""
    history = sorted(completions)
    assume(known < len(history))
    before, cut = history[:known], history[known] - DAY
    as_of = max(as_of, cut)
    earlier = replayed(recurrence, first, before, cut)
    later = replayed(recurrence, first, history, as_of)
    kept = settled(earlier, cut)
    assert later[: len(kept)] == kept


@settings(unhurried, max_examples=30)
@given(recurrences(), first_dates, histories, st.integers(7, 60))
def test_five_years_replayed_from_events_give_the_stored_dates(recurrence, first, completions, stride):
    """A job stores periods as they stand, every `stride` days for five years, and knows only what has happened."""
    stored: dict[int, Period] = {}
    start, end = first - 400 * DAY, first + relativedelta(years=5)
    # However seldom it looks, it looks on the last day too: then all that is settled is stored.
    for today in [*(start + n * DAY for n in range(0, (end - start).days, stride)), end]:
        so_far = replayed(recurrence, first, [day for day in completions if day <= today], today)
        for period in settled(so_far, today):
            assert stored.setdefault(period.number, period) == period
    at_the_end = {period.number: period for period in replayed(recurrence, first, completions, end)}
    assert stored.items() <= at_the_end.items()
    assert stored.keys() == {period.number for period in settled(list(at_the_end.values()), end)}


@unhurried
@given(recurrences(), first_dates, histories, days_on)
def test_a_period_never_goes_back(recurrence, first, completions, as_of):
    ways = ["upcoming", "open", "grace", "missed"]
    for period in replayed(recurrence, first, completions, as_of):
        seen = [status(period, period.opens_on + n * DAY) for n in range(-2, 60)]
        steps = [ways.index(s) if s in ways else len(ways) for s in seen]
        assert steps == sorted(steps)


# What is refused


@pytest.mark.parametrize(
    ("fields", "place", "problem"),
    [
        ((0, 0), "every_months", "out_of_range"),
        ((241, 0), "every_months", "out_of_range"),
        ((1, -1), "opens_days_before", "out_of_range"),
        ((1, 0, -1), "grace_days", "out_of_range"),
        ((1, 20, 8), "opens_days_before", "overlaps"),
        ((12, 400), "opens_days_before", "overlaps"),
        ((1, 0, 0, "moon"), "anchor", "unknown"),
    ],
)
def test_windows_that_would_overlap_are_refused(fields, place, problem):
    with pytest.raises(RecurrenceRefused) as told:
        Recurrence(*fields)
    assert (told.value.place, told.value.problem) == (place, problem)


def test_windows_end_where_the_calendar_does():
    found = replayed(Recurrence(240, 28, 28), date(9970, 1, 1), [], date.max)
    assert [period.due_on.year for period in found] == [9970, 9990]
