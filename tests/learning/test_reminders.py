"""One digest a week at most: docs/algorithms/reminders.md, its worked example, and what holds for any run of days."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learning.reminders import OVERDUE, DueItem, Reminder, items_to_tell, threshold_of, told_after

TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)
unhurried = settings(deadline=None)


def tell(items, *, told=None, last_digest_on=None, as_of=TODAY, recommended_off=False):
    return items_to_tell(
        items, told=told or {}, last_digest_on=last_digest_on, as_of=as_of, recommended_off=recommended_off
    )


def item(key: str, in_days: int, *, mandatory: bool = True) -> DueItem:
    return DueItem(key, TODAY + in_days * DAY, mandatory)


# The worked example of the documentation


def test_the_worked_example_of_the_documentation():
    items = [item("risk", 62), item("law", 31), item("writing", 20, mandatory=False)]
    first = tell(items)
    assert [(r.key, r.threshold) for r in first] == [("writing", 30), ("law", 60), ("risk", 90)]
    told = told_after({}, first)
    # On the two days after, "law" passes 30 and "risk" 60: they wait for the week to be over, in one digest.
    for days in range(1, 7):
        assert tell(items, told=told, last_digest_on=TODAY, as_of=TODAY + days * DAY) == ()
    second = tell(items, told=told, last_digest_on=TODAY, as_of=TODAY + 7 * DAY)
    assert [(r.key, r.threshold) for r in second] == [("law", 30), ("risk", 60)]


# A day


@pytest.mark.parametrize(
    ("in_days", "threshold"),
    [
        (91, None),
        (90, 90),
        (61, 90),
        (60, 60),
        (31, 60),
        (30, 30),
        (8, 30),
        (7, 7),
        (0, 7),
        (-1, OVERDUE),
        (-500, OVERDUE),
    ],
)
def test_the_tightest_threshold_passed_is_what_is_told(in_days, threshold):
    assert threshold_of(TODAY + in_days * DAY, as_of=TODAY) == threshold
    expected = [] if threshold is None else [Reminder("a", threshold, TODAY + in_days * DAY, in_days < 0)]
    assert list(tell([item("a", in_days)])) == expected


def test_what_was_told_is_told_again_only_when_it_is_nearer():
    assert tell([item("a", 20)], told={"a": 30}) == ()
    assert tell([item("a", 20)], told={"a": 7}) == ()
    assert [r.threshold for r in tell([item("a", 20)], told={"a": 60})] == [30]
    assert [r.threshold for r in tell([item("a", -3)], told={"a": 7})] == [OVERDUE]
    assert tell([item("a", -3)], told={"a": OVERDUE}) == ()


@pytest.mark.parametrize(("days_ago", "expected"), [(0, 0), (3, 0), (6, 0), (7, 1), (30, 1), (-2, 0)])
def test_a_week_has_to_pass_between_digests(days_ago, expected):
    assert len(tell([item("a", 5)], last_digest_on=TODAY - days_ago * DAY)) == expected


def test_the_switch_is_for_what_is_not_mandatory_only():
    items = [item("must", 5), item("may", 3, mandatory=False)]
    assert [r.key for r in tell(items, recommended_off=True)] == ["must"]
    assert [r.key for r in tell(items)] == ["may", "must"]


def test_two_items_of_one_key_are_one_line_with_the_nearer_date():
    assert [(r.key, r.threshold) for r in tell([item("a", 50), item("a", 5), item("a", 80)])] == [("a", 7)]


def test_a_date_that_was_set_anew_is_told_like_a_new_one():
    assert [r.threshold for r in tell([item("risk, extended", 28)], told={"risk": OVERDUE})] == [30]


# Any run of days

lives = st.lists(
    st.tuples(st.integers(0, 60), st.integers(-10, 120), st.none() | st.integers(0, 120), st.booleans()), max_size=6
)
"""Of each item: the day it appears, days from then to its due date, days until it is done (None: never), mandatory."""


def run(lives, days, *, recommended_off=False):
    """The job on those days, as one who keeps what it says: the lines with their day."""
    told, last, sent = {}, None, []
    for day in days:
        as_of = TODAY + day * DAY
        items = [
            DueItem(str(n), TODAY + (born + span) * DAY, mandatory)
            for n, (born, span, done, mandatory) in enumerate(lives)
            if born <= day and (done is None or day < born + done)
        ]
        lines = items_to_tell(items, told=told, last_digest_on=last, as_of=as_of, recommended_off=recommended_off)
        if lines:
            told, last = told_after(told, lines), as_of
            sent.append((day, lines))
    return sent


some_days = st.lists(st.integers(0, 200), max_size=120).map(sorted)


@unhurried
@given(lives, some_days, st.booleans())
def test_never_two_digests_within_a_week_and_nothing_twice(lives, days, off):
    sent = run(lives, days, recommended_off=off)
    assert all(later - earlier >= 7 for (earlier, _), (later, _) in pairwise(sent))
    lines = [(line.key, line.threshold) for _, lines in sent for line in lines]
    assert max(Counter(lines).values(), default=1) == 1
    for key in {key for key, _ in lines}:
        thresholds = [threshold for told, threshold in lines if told == key]
        assert thresholds == sorted(thresholds, reverse=True)
    assert not off or all(lives[int(key)][3] for key, _ in lines)


@unhurried
@given(lives, some_days, st.booleans())
def test_running_twice_on_a_day_changes_nothing(lives, days, off):
    twice = sorted([*set(days), *set(days)])
    assert run(lives, twice, recommended_off=off) == run(lives, sorted(set(days)), recommended_off=off)


@unhurried
@given(lives, st.booleans())
def test_with_daily_runs_whoever_has_a_week_is_told_before_the_day(lives, off):
    sent = run(lives, range(200), recommended_off=off)
    for n, (born, span, done, mandatory) in enumerate(lives):
        if mandatory and span >= 7 and (done is None or done >= span):
            assert any(line.key == str(n) and day < born + span for day, lines in sent for line in lines)


@unhurried
@given(lives)
def test_with_daily_runs_what_passes_a_threshold_is_told_within_a_week_of_it(lives):
    """Nothing is lost: at the latest seven days on, the line is out at this threshold or a tighter one."""
    sent = run(lives, range(260))
    for n, (born, span, done, _) in enumerate(lives):
        for threshold, passed in [*((t, born + span - t) for t in (90, 60, 30, 7)), (OVERDUE, born + span + 1)]:
            since = max(passed, born)
            if done is None or born + done > since + 6:
                assert any(
                    line.key == str(n) and line.threshold <= threshold and day <= since + 6
                    for day, lines in sent
                    for line in lines
                )


@unhurried
@given(
    st.lists(
        st.builds(DueItem, st.sampled_from("abcd"), st.dates(TODAY - 20 * DAY, TODAY + 100 * DAY), st.booleans()),
        max_size=8,
    ),
    st.booleans(),
    st.randoms(),
)
def test_the_order_of_items_does_not_matter(items, off, random):
    shuffled = list(items)
    random.shuffle(shuffled)
    assert tell(shuffled, recommended_off=off) == tell(items, recommended_off=off)
