"""When something is due: docs/algorithms/due-dates.md, its worked example, and what holds for any input."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learning.due_dates import (
    AFTER_ASSIGNMENT,
    AFTER_STEP,
    BEFORE_CERTIFICATION_ENDS,
    FIXED,
    LAST_DAY,
    MAX_DAYS,
    DueFacts,
    DuePolicy,
    PolicyRefused,
    date_today,
    due_date,
    earliest_realistic,
    is_realistic,
    paused,
    read_policy,
    unpaused,
    write_policy,
)

TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)
unhurried = settings(deadline=None)

days_near = st.dates(TODAY - 40 * DAY, TODAY + 80 * DAY)
leaves = st.lists(st.tuples(days_near, days_near), max_size=6)
numbers = st.integers(1, MAX_DAYS)
policies = st.one_of(
    st.just(DuePolicy()),
    st.builds(lambda on: DuePolicy("fixed", on=on), st.dates(date(2000, 1, 1), LAST_DAY)),
    st.builds(
        lambda kind, n: DuePolicy(kind, days=n),
        st.sampled_from(["after_assignment", "after_start_in_post", "before_certification_ends"]),
        numbers,
    ),
    st.builds(
        lambda key, n: DuePolicy("after_step", days=n, course_key=key), st.sampled_from(["risk", "ley-39"]), numbers
    ),
)
any_day = st.dates()
facts = st.builds(
    DueFacts,
    any_day,
    st.none() | any_day,
    st.dictionaries(st.sampled_from(["risk", "ley-39"]), any_day),
    st.none() | any_day,
)


def on_leave(day: date, away) -> bool:
    return any(start <= day < end for start, end in away)


def days_at_work(first: date, last: date, away) -> int:
    return sum(not on_leave(first + n * DAY, away) for n in range((last - first).days + 1))


# The worked example of the documentation


def test_the_worked_example_of_the_documentation():
    policy = read_policy({"kind": "after_assignment", "days": 30})
    due_on = due_date(policy, DueFacts(assigned_on=date(2026, 11, 23)))
    assert due_on == date(2026, 12, 23)
    away = [
        (date(2026, 12, 1), date(2026, 12, 8)),
        (date(2026, 12, 5), date(2026, 12, 11)),
        (date(2026, 12, 28), date(2027, 1, 4)),
    ]
    assert paused(due_on, from_on=date(2026, 11, 23), leaves=away[:2]) == date(2027, 1, 2)
    assert paused(due_on, from_on=date(2026, 11, 23), leaves=away) == date(2027, 1, 9)
    assert unpaused(date(2027, 1, 9), from_on=date(2026, 11, 23), leaves=away) == due_on
    # 10 hours at 2 hours a week are 35 days at work.
    assert not is_realistic(600, due_on, as_of=date(2026, 11, 23), weekly_minutes=120)
    assert earliest_realistic(600, date(2026, 11, 23), 120) == date(2026, 12, 27)
    assert earliest_realistic(600, date(2026, 11, 23), 120, away) == date(2027, 1, 13)


# What each kind says


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (DuePolicy(), None),
        (DuePolicy("fixed", on=date(2027, 3, 31)), date(2027, 3, 31)),
        (DuePolicy("after_assignment", days=30), TODAY + 30 * DAY),
        (DuePolicy("after_start_in_post", days=30), date(2020, 1, 31)),
        (DuePolicy("after_step", days=10, course_key="risk"), date(2026, 11, 30)),
        (DuePolicy("after_step", days=10, course_key="ley-39"), None),
        (DuePolicy("before_certification_ends", days=1), date(2027, 5, 31)),
    ],
)
def test_a_due_date_hangs_on_what_its_kind_names(policy, expected):
    known = DueFacts(TODAY, date(2020, 1, 1), {"risk": date(2026, 11, 20)}, date(2027, 6, 1))
    assert due_date(policy, known) == expected


@pytest.mark.parametrize("kind", ["after_start_in_post", "after_step", "before_certification_ends"])
def test_what_is_not_known_yet_gives_no_date(kind):
    assert due_date(DuePolicy(kind, days=1, course_key="risk"), DueFacts(TODAY)) is None


@unhurried
@given(policies, facts)
def test_any_policy_that_was_read_answers_for_any_facts(policy, known):
    found = due_date(read_policy(write_policy(policy)), known)
    assert found is None or date.min <= found <= date.max


# Reading and writing


@unhurried
@given(policies)
def test_what_is_written_is_read_back_the_same(policy):
    assert read_policy(json.loads(json.dumps(write_policy(policy)))) == policy


@pytest.mark.parametrize(
    ("data", "faults"),
    [
        (None, [("$", "not_a_policy")]),
        ({}, [("$.kind", "missing")]),
        ({"kind": "soon"}, [("$.kind", "unknown")]),
        ({"kind": ["fixed"]}, [("$.kind", "unknown")]),
        ({"kind": "none", "days": 3}, [("$.days", "unknown")]),
        ({"kind": "fixed"}, [("$.on", "missing")]),
        ({"kind": "fixed", "on": "2026-02-30"}, [("$.on", "not_a_date")]),
        ({"kind": "fixed", "on": "20260201"}, [("$.on", "not_a_date")]),
        ({"kind": "fixed", "on": 20260201}, [("$.on", "not_a_date")]),
        ({"kind": "fixed", "on": "0202-06-20"}, [("$.on", "out_of_range")]),
        ({"kind": "after_assignment", "days": True}, [("$.days", "not_whole")]),
        ({"kind": "after_assignment", "days": "²"}, [("$.days", "not_whole")]),
        ({"kind": "after_assignment", "days": 0}, [("$.days", "out_of_range")]),
        ({"kind": "after_assignment", "days": 10**30}, [("$.days", "out_of_range")]),
        (
            {"kind": "after_step", "days": 0, "course": "a\x00", "x\n": 1},
            [("$.x?", "unknown"), ("$.course", "not_text"), ("$.days", "out_of_range")],
        ),
        ({"kind": "after_step", "days": 1, "course": ""}, [("$.course", "missing")]),
        ({"kind": "after_step", "days": 1, "course": "a" * 256}, [("$.course", "too_long")]),
    ],
)
def test_what_is_no_due_date_is_refused_with_all_faults(data, faults):
    with pytest.raises(PolicyRefused) as told:
        read_policy(data)
    assert [(fault.place, fault.problem) for fault in told.value.faults] == faults


# Leave


@unhurried
@given(days_near, days_near, leaves)
def test_leave_takes_no_day_at_work_away(from_on, due_on, away):
    later = paused(due_on, from_on=from_on, leaves=away)
    if due_on < from_on:
        assert later == due_on
    else:
        assert days_at_work(from_on, later, away) == (due_on - from_on).days + 1
        assert not on_leave(later, away)


@unhurried
@given(days_near, days_near, leaves)
def test_a_date_without_leave_leads_back_to_the_date_that_was_said(from_on, due_on, away):
    base = unpaused(due_on, from_on=from_on, leaves=away)
    back = paused(base, from_on=from_on, leaves=away)
    if due_on < from_on or not on_leave(due_on, away):
        assert back == due_on
    else:
        assert back > due_on
    # And it is the first one that does: nobody gets a day more than was said.
    assert paused(base - DAY, from_on=from_on, leaves=away) < due_on


def test_time_counts_from_what_a_date_hangs_on_and_what_lapses_does_not_wait():
    away = [(TODAY + 2 * DAY, TODAY + 5 * DAY)]
    step = DuePolicy(AFTER_STEP, days=10, course_key="cyber-risk")
    later = DueFacts(TODAY, completed={"cyber-risk": TODAY + 5 * DAY})
    assert date_today(step, later, away) == TODAY + 15 * DAY
    assert date_today(DuePolicy(AFTER_ASSIGNMENT, days=10), later, away) == TODAY + 13 * DAY
    assert date_today(DuePolicy(FIXED, on=TODAY + 10 * DAY), later, away) == TODAY + 13 * DAY
    ends = DueFacts(TODAY, certification_ends_on=TODAY + 20 * DAY)
    assert date_today(DuePolicy(BEFORE_CERTIFICATION_ENDS, days=10), ends, away) == TODAY + 10 * DAY
    assert date_today(DuePolicy(), ends, away) is None


@unhurried
@given(days_near, days_near, leaves, st.randoms())
def test_the_order_of_leaves_and_saying_one_twice_do_not_matter(from_on, due_on, away, random):
    shuffled = [*away, *away[:2]]
    random.shuffle(shuffled)
    assert paused(due_on, from_on=from_on, leaves=shuffled) == paused(due_on, from_on=from_on, leaves=away)


@unhurried
@given(days_near, days_near, leaves, st.tuples(days_near, days_near), st.integers(1, 30))
def test_more_leave_or_a_later_date_never_brings_a_due_date_forward(from_on, due_on, away, more, n):
    found = paused(due_on, from_on=from_on, leaves=away)
    assert due_on <= found <= paused(due_on, from_on=from_on, leaves=[*away, more])
    assert found < paused(due_on + n * DAY, from_on=from_on, leaves=away)


@pytest.mark.parametrize(
    ("start", "end", "moves_by"),
    [
        (-9, 0, 0),  # back on the first day
        (-9, 2, 2),
        (0, 1, 1),
        (10, 11, 1),  # the due date itself
        (10, 20, 10),
        (11, 20, 0),
        (5, 5, 0),
        (8, 3, 0),  # ends before it begins
    ],
)
def test_a_leave_counts_from_the_first_day_to_the_due_date(start, end, moves_by):
    away = [(TODAY + start * DAY, TODAY + end * DAY)]
    assert paused(TODAY + 10 * DAY, from_on=TODAY, leaves=away) == TODAY + (10 + moves_by) * DAY


def test_a_leave_within_another_counts_nothing_more_and_nothing_less():
    away = [(TODAY + DAY, TODAY + 9 * DAY), (TODAY + 2 * DAY, TODAY + 4 * DAY)]
    assert paused(TODAY + 10 * DAY, from_on=TODAY, leaves=away) == TODAY + 18 * DAY


def test_a_leave_without_an_end_in_sight_stays_within_the_calendar():
    assert paused(TODAY, from_on=TODAY, leaves=[(TODAY, date.max)]) == date.max


# Whether it can be met


@unhurried
@given(st.integers(1, 3000), st.integers(1, 600), leaves)
def test_the_earliest_realistic_date_is_realistic_and_the_day_before_is_not(minutes, weekly, away):
    found = earliest_realistic(minutes, TODAY, weekly, away)
    if found is None:
        assert not is_realistic(minutes, LAST_DAY, as_of=TODAY, weekly_minutes=weekly, leaves=away)
        return
    assert is_realistic(minutes, found, as_of=TODAY, weekly_minutes=weekly, leaves=away)
    assert not is_realistic(minutes, found - DAY, as_of=TODAY, weekly_minutes=weekly, leaves=away)


@unhurried
@given(st.integers(-5, 3000), days_near, st.integers(0, 600), leaves, st.tuples(days_near, days_near))
def test_less_time_never_makes_a_date_realistic(minutes, due_on, weekly, away, more):
    def fits(minutes=minutes, due_on=due_on, weekly=weekly, away=away) -> bool:
        return is_realistic(minutes, due_on, as_of=TODAY, weekly_minutes=weekly, leaves=away)

    if not fits():
        assert not fits(minutes=minutes + 1)
        assert not fits(due_on=due_on - DAY)
        assert not fits(weekly=weekly - 1)
        assert not fits(away=[*away, more])


@pytest.mark.parametrize(
    ("minutes", "due_in", "weekly", "expected"),
    [
        (120, 6, 120, True),  # seven days, today included
        (120, 5, 120, False),
        (1, 0, 7, True),
        (1, -1, 10_000, False),
        (0, -1, 0, True),
        (1, 1000, 0, False),
    ],
)
def test_a_date_is_realistic_when_the_days_to_it_have_room(minutes, due_in, weekly, expected):
    assert is_realistic(minutes, TODAY + due_in * DAY, as_of=TODAY, weekly_minutes=weekly) is expected


def test_there_is_no_realistic_date_for_one_without_time_or_for_what_takes_for_ever():
    assert earliest_realistic(1, TODAY, 0) is None
    assert earliest_realistic(10**30, TODAY, 1) is None
    assert earliest_realistic(1, TODAY, 60, [(TODAY, date.max)]) is None
    assert earliest_realistic(0, TODAY, 0) == TODAY
