"""Counting and reminding as arithmetic: no database, no clock."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from competencies.campaign_progress import (
    COUNTS_FOR,
    MOST_REMINDERS,
    Step,
    Word,
    gather_answers,
    is_reminder_due,
    reminder_days,
    step_of,
)

OPENS, CLOSES = date(2026, 3, 2), date(2026, 3, 30)
RISK, DATA = 1, 2
words = st.lists(
    st.builds(
        Word,
        competency_id=st.integers(1, 6),
        by_manager=st.booleans(),
        on=st.dates(OPENS - timedelta(days=120), CLOSES + timedelta(days=20)),
    ),
    max_size=30,
)


def answers(*said: Word, asked: frozenset[int] = frozenset({RISK, DATA})):
    return gather_answers(asked, said, opens_on=OPENS, last_day=CLOSES)


@pytest.mark.parametrize(
    ("on", "counts"),
    [
        (OPENS - COUNTS_FOR - timedelta(days=1), False),
        (OPENS - COUNTS_FOR, True),
        (OPENS, True),
        (CLOSES, True),
        (CLOSES + timedelta(days=1), False),
    ],
)
def test_a_self_assessment_of_the_last_90_days_is_not_asked_for_again(on, counts):
    assert (RISK in answers(Word(RISK, False, on)).assessed) is counts


@pytest.mark.parametrize(("on", "counts"), [(OPENS - timedelta(days=1), False), (OPENS, True), (CLOSES, True)])
def test_a_manager_confirms_within_the_campaign(on, counts):
    found = answers(Word(RISK, False, OPENS), Word(RISK, True, on))
    assert (RISK in found.confirmed) is counts


def test_a_manager_s_word_alone_is_no_answer_of_the_person():
    assert answers(Word(RISK, True, OPENS)).counts == (2, 0, 0)


@given(asked=st.frozensets(st.integers(1, 5)), said=words, more=words)
def test_counts_never_exceed_what_was_asked_and_more_words_never_undo_an_answer(asked, said, more):
    before, after = answers(*said, asked=asked), answers(*said, *more, asked=asked)
    assert before.confirmed <= before.assessed <= before.asked == asked
    assert before.assessed <= after.assessed
    assert before.confirmed <= after.confirmed
    assert before == answers(*reversed(said), asked=asked)


@pytest.mark.parametrize(
    ("asked", "assessed", "confirmed", "step"),
    [
        (3, 0, 0, Step.NOT_BEGUN),
        (3, 1, 1, Step.BEGUN),
        (3, 3, 1, Step.ASSESSED),
        (3, 3, 3, Step.CONFIRMED),
    ],
)
def test_where_a_person_stands(asked, assessed, confirmed, step):
    assert step_of(asked=asked, assessed=assessed, confirmed=confirmed) == step


def test_reminders_come_at_half_the_time_and_three_days_before_the_end():
    assert reminder_days(OPENS, CLOSES) == (date(2026, 3, 16), date(2026, 3, 27))
    assert reminder_days(OPENS, OPENS + timedelta(days=7)) == (OPENS + timedelta(days=4),)  # the two would nearly meet


@given(
    length=st.integers(0, 200),
    joined=st.integers(0, 200),
    worked=st.sets(st.integers(0, 210)),
)
def test_whatever_days_are_worked_a_person_gets_two_reminders_at_most_and_none_on_her_first_day(length, joined, worked):
    closes = OPENS + timedelta(days=length)
    invited = OPENS + timedelta(days=min(joined, length))
    sent: list[date] = []
    for n in sorted(worked):
        day = OPENS + timedelta(days=n)
        if day < invited:
            continue
        if is_reminder_due(
            opens_on=OPENS,
            closes_on=closes,
            invited_on=invited,
            reminded_on=sent[-1] if sent else None,
            reminders=len(sent),
            on=day,
        ):
            sent.append(day)
    assert len(sent) <= MOST_REMINDERS
    assert all(invited < day <= closes for day in sent)
    assert len(set(sent)) == len(sent)


def test_who_joins_after_half_the_time_is_reminded_only_of_the_end():
    joined = date(2026, 3, 20)
    due = [
        day
        for day in (joined + timedelta(days=n) for n in range(12))
        if is_reminder_due(opens_on=OPENS, closes_on=CLOSES, invited_on=joined, reminded_on=None, reminders=0, on=day)
    ]
    assert due[0] == date(2026, 3, 27)
