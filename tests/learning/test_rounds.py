"""Periods as they stand: what counts as met, and a date that is moved. Beside it, what holds for any history."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from learning.periods import Period, Recurrence, periods_of
from learning.rounds import InForce, Need, kept_on, periods_now

unhurried = settings(deadline=None)
FIRST = date(2026, 6, 30)
YEARLY = Recurrence(12, opens_days_before=90, grace_days=30)
OPENS = date(2026, 4, 1)
NEXT_OPENS = date(2027, 4, 1)


def course(key="yearly"):
    return [InForce(date.min, (Need(frozenset({key}), 1),))]


def both(from_day=date.min):
    return InForce(from_day, (Need(frozenset({"law", "risk"}), 2),))


def now(as_of, *, days=(), due_on=FIRST, stored=(), recurrence=YEARLY):
    completions = [(day, "yearly") for day in days]
    return periods_now(
        recurrence,
        due_on=due_on,
        stored=stored,
        kept=lambda opens_on, until: kept_on(course(), completions, opens_on, until),
        as_of=as_of,
    )


# What counts


def test_a_course_is_met_on_the_first_day_it_was_completed_within_the_window():
    completions = [(date(2026, 5, 20), "yearly"), (date(2026, 3, 31), "yearly"), (date(2026, 5, 10), "yearly")]
    assert kept_on(course(), completions, OPENS, date(2027, 3, 31)) == date(2026, 5, 10)
    assert kept_on(course("other"), completions, OPENS, date(2027, 3, 31)) is None


def test_a_path_is_met_on_the_day_its_last_course_was_completed_all_within_the_window():
    completions = [(date(2026, 3, 1), "law"), (date(2026, 5, 10), "risk"), (date(2026, 6, 20), "law")]
    assert kept_on([both()], completions, OPENS, date(2027, 3, 31)) == date(2026, 6, 20)
    assert kept_on([both()], completions[:2], OPENS, date(2027, 3, 31)) is None


def test_of_an_elective_group_so_many_are_enough():
    two_of_three = [InForce(date.min, (Need(frozenset("abc"), 2),))]
    completions = [(date(2026, 5, 1), "a"), (date(2026, 5, 2), "a"), (date(2026, 5, 3), "c")]
    assert kept_on(two_of_three, completions, OPENS, date(2027, 3, 31)) == date(2026, 5, 3)


def test_what_a_path_asks_for_is_what_it_asked_for_on_that_day():
    shorter = InForce(date(2026, 6, 1), (Need(frozenset({"law"}), 1),))
    longer = InForce(date(2026, 6, 1), (Need(frozenset({"law", "risk", "writing"}), 3),))
    law = [(date(2026, 5, 10), "law")]
    assert kept_on([shorter, both()], law, OPENS, date(2027, 3, 31)) == date(2026, 6, 1)  # published shorter
    done = [*law, (date(2026, 5, 20), "risk")]
    assert kept_on([both(), longer], done, OPENS, date(2027, 3, 31)) == date(2026, 5, 20)  # met before it grew


def test_a_path_not_published_yet_and_one_that_asks_for_nothing_are_met_by_nobody():
    done = [(date(2026, 5, 10), "law"), (date(2026, 5, 10), "risk")]
    assert kept_on([both(date(2026, 5, 11))], done, OPENS, date(2026, 5, 10)) is None
    assert kept_on([InForce(date.min, ())], done, OPENS, date(2027, 3, 31)) is None


# A date that is moved


def test_without_a_date_there_are_no_periods():
    assert now(date(2026, 5, 1), due_on=None) == ()


def test_before_the_first_window_opens_a_moved_date_moves_the_window():
    stored = now(date(2026, 3, 1))
    later = now(date(2026, 3, 2), due_on=date(2026, 9, 30), stored=stored)
    assert [(p.opens_on, p.due_on) for p in later] == [(date(2026, 7, 2), date(2026, 9, 30))]


def test_an_extension_moves_the_period_that_is_open_and_neither_its_window_nor_what_follows():
    stored = now(date(2026, 5, 1))
    extended = now(date(2026, 6, 1), due_on=date(2026, 9, 30), stored=stored)
    assert extended == (
        Period(1, OPENS, date(2026, 9, 30), date(2026, 10, 30)),
        Period(2, NEXT_OPENS, date(2027, 6, 30), date(2027, 7, 30)),
    )
    # ... nor what was completed before it was granted
    kept = now(date(2026, 6, 2), due_on=date(2026, 9, 30), stored=extended, days=[date(2026, 4, 10)])
    assert kept[0] == Period(1, OPENS, date(2026, 9, 30), date(2026, 10, 30), date(2026, 4, 10))


def test_an_extension_in_a_later_period_leaves_the_earlier_ones_as_they_were():
    stored = now(date(2027, 5, 1), days=[date(2026, 5, 10)])
    extended = now(date(2027, 6, 1), due_on=date(2027, 8, 31), stored=stored, days=[date(2026, 5, 10)])
    assert extended[0] == stored[0]
    assert extended[1] == Period(2, NEXT_OPENS, date(2027, 8, 31), date(2027, 9, 30))
    over = now(date(2028, 5, 1), due_on=date(2027, 8, 31), stored=extended, days=[date(2026, 5, 10)])
    assert over[:2] == extended[:2]
    assert (over[2].opens_on, over[2].due_on) == (date(2028, 4, 1), date(2028, 6, 30))


def test_an_extension_ends_before_the_next_window_opens():
    stored = now(date(2027, 5, 1))
    extended = now(date(2027, 6, 1), due_on=date(2028, 5, 1), stored=stored)
    assert extended[1] == Period(2, NEXT_OPENS, date(2028, 3, 31), date(2028, 3, 31))
    assert extended[2].due_on == date(2028, 6, 30)


def test_a_first_date_moved_beyond_its_whole_turn_begins_anew():
    stored = now(date(2026, 5, 1))
    again = now(date(2026, 6, 1), due_on=date(2027, 6, 30), stored=stored)
    assert again == (Period(1, NEXT_OPENS, date(2027, 6, 30), date(2027, 7, 30)),)


def test_a_first_date_moved_earlier_is_the_date_of_the_first_period():
    stored = now(date(2026, 5, 1))
    assert now(date(2026, 5, 2), due_on=date(2026, 5, 20), stored=stored)[0] == Period(
        1, OPENS, date(2026, 5, 20), date(2026, 6, 19)
    )


def test_with_the_date_from_completion_the_first_date_is_not_that_of_the_second_period():
    recurrence = Recurrence(2, opens_days_before=20, grace_days=5, anchor="completion")
    found = now(date(2026, 8, 1), days=[date(2026, 6, 10)], recurrence=recurrence, due_on=date(2026, 6, 30))
    assert [period.due_on for period in found] == [date(2026, 6, 30), date(2026, 8, 10)]
    early = Recurrence(1, opens_days_before=20, anchor="completion")
    [_first, second] = now(date(2026, 7, 1), days=[date(2026, 6, 10)], recurrence=early, due_on=date(2026, 7, 30),
                           stored=[Period(1, date(2026, 6, 10), date(2026, 7, 30), date(2026, 7, 30))])  # fmt: skip
    assert second.due_on == date(2026, 7, 10)


# What holds for every history


@st.composite
def recurrences(draw):
    months = draw(st.integers(1, 24))
    opens = draw(st.integers(0, 28 * months - 1))
    grace = draw(st.integers(0, 28 * months - 1 - opens))
    return Recurrence(months, opens, grace, draw(st.sampled_from(["due", "completion"])))


histories = st.lists(st.dates(date(2025, 1, 1), date(2031, 12, 31)), max_size=12)
first_dates = st.dates(date(2026, 1, 1), date(2027, 12, 31))


@unhurried
@given(recurrences(), first_dates, histories, st.dates(date(2025, 1, 1), date(2032, 12, 31)))
def test_a_date_that_nobody_moves_gives_the_periods_of_the_pure_replay(recurrence, first, days, as_of):
    replayed = periods_of(recurrence, first_due_on=first, completions=days, as_of=as_of)
    assert now(as_of, days=days, due_on=first, recurrence=recurrence) == replayed


@unhurried
@given(recurrences(), first_dates, histories, st.lists(st.integers(1, 120), min_size=1, max_size=20))
def test_stored_step_by_step_they_are_those_replayed_at_the_end(recurrence, first, days, steps):
    day, stored = date(2025, 12, 1), ()
    for step in steps:
        day += timedelta(days=step)
        stored = now(day, days=days, due_on=first, recurrence=recurrence, stored=stored)
    assert stored == now(day, days=days, due_on=first, recurrence=recurrence)


@unhurried
@given(
    recurrences(), first_dates, histories,
    st.lists(st.tuples(st.integers(1, 120), st.none() | st.integers(-30, 400)), min_size=1, max_size=12),
)  # fmt: skip
def test_whatever_is_moved_periods_follow_one_another_and_what_is_settled_stays(recurrence, first, days, steps):
    day, due_on, stored = date(2025, 12, 1), first, ()
    for step, move in steps:
        day += timedelta(days=step)
        due_on = due_on if move is None else day + timedelta(days=move)
        found = now(day, days=days, due_on=due_on, recurrence=recurrence, stored=stored)
        assert now(day, days=days, due_on=due_on, recurrence=recurrence, stored=found) == found  # twice is once
        for period, following in itertools.pairwise(found):
            assert period.opens_on <= period.due_on <= period.grace_until
            assert period.completed_on is not None or period.grace_until < following.opens_on
        settled = [
            p for n, p in enumerate(stored) if p.completed_on or (n + 1 < len(stored) and stored[n + 1].opens_on <= day)
        ]
        assert [(p.opens_on, p.due_on) for p in settled] == [(p.opens_on, p.due_on) for p in found[: len(settled)]]
        stored = found
