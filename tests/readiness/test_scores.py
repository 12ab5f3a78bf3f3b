"""From answers to scores: who counts for a block, what of it is missing, and where it lies from 0 to 100."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.statistics.scores import completed, counting, favourable, person_means, score_0_100
from tests.readiness.reference import close

NO = float("nan")
# The sheets of the worked example of docs/algorithms/readiness.md; nothing was said where it says NO.
SHEETS = [[5, 4, NO], [3, 3, 3], [NO, NO, 5], [1, 2, 3], [NO, NO, NO]]


@pytest.mark.parametrize(
    ("mean", "ends", "score"),
    [(1, (1, 5), 0), (5, (1, 5), 100), (3.8, (1, 5), 70), (4.5, (1, 6), 70), (1, (0, 4), 25), (4, (5, 3), None)],
)
def test_a_mean_on_a_scale_of_a_hundred(mean, ends, score):
    if score is None:
        with pytest.raises(ValueError, match="scale"):
            score_0_100(mean, *ends)
    else:
        assert score_0_100(mean, *ends) == pytest.approx(score)


def test_a_scale_is_one_to_five_unless_said_otherwise():
    assert score_0_100(3) == 50


@pytest.mark.parametrize(
    ("items", "least"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (6, 3), (7, 4)]
)  # half, rounded up
def test_a_sheet_counts_with_half_of_the_items_answered_rounded_up(items, least):
    sheets = [[3] * answered + [NO] * (items - answered) for answered in range(items + 1)]
    assert counting(sheets).tolist() == [answered >= least for answered in range(items + 1)]
    assert np.isnan(person_means(sheets)).tolist() == [answered < least for answered in range(items + 1)]


def test_the_worked_example_of_the_docs():
    assert counting(SHEETS).tolist() == [True, True, False, True, False]
    assert np.array_equal(person_means(SHEETS), [4.5, 3, NO, 2, NO], equal_nan=True)
    assert completed(SHEETS).tolist() == [[5, 4, 4.5], [3, 3, 3], [1, 2, 3]]
    assert close(favourable(completed(SHEETS)), 3 / 9)


def test_a_share_of_no_answers_is_none():
    assert (favourable([]), favourable([NO, NO])) == (None, None)
    assert favourable([NO, 4, 3.9, 5]) == pytest.approx(2 / 3)
    assert favourable([4, 5, 6], 5) == pytest.approx(2 / 3)
    assert (favourable([1, 2]), favourable([4, 5])) == (0.0, 1.0)


def test_no_sheets_are_no_error_but_sheets_without_items_are():
    assert (counting([]).size, person_means([]).size, completed([]).size) == (0, 0, 0)
    for act in (counting, person_means, completed):
        with pytest.raises(ValueError, match="sheets x items"):
            act([[], []])
        with pytest.raises(ValueError, match="sheets x items"):
            act([1, 2])


ANSWER = st.one_of(st.just(NO), st.integers(1, 5))


@given(st.integers(1, 7).flatmap(lambda j: st.lists(st.lists(ANSWER, min_size=j, max_size=j), max_size=12)))
def test_completing_a_block_moves_nobody_s_mean_and_invents_no_answer_off_the_scale(sheets):
    means, full = person_means(sheets), completed(sheets)
    assert close(list(full.mean(axis=1)) if len(full) else [], [m for m in means if not np.isnan(m)])
    assert not np.isnan(full).any()
    assert ((full >= 1) & (full <= 5)).all()
    given = np.array(sheets, dtype=float)[counting(sheets)] if len(full) else full
    assert ((given == full) | np.isnan(given)).all()
