"""Calibration: the published estimates of the law school test (LSAT6), and what was put into invented answers comes out."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from competencies.calibration import NO_PRIORS, calibrate
from competencies.diagnostic import Bank, Item
from competencies.simulation import chances, take

DATA = Path(os.environ.get("SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
EXPECTED = DATA / "psychometrics" / "expected.json"
HERE = pytest.mark.skipif(not EXPECTED.exists(), reason="the shared test data are not here (SHARED_DATA)")

# Bock and Lieberman (1970): how many of 1,000 people gave each pattern of right answers, from 00000 to 11111.
LSAT6 = [
    3, 6, 2, 11, 1, 1, 3, 4, 1, 8, 0, 16, 0, 3, 2, 15, 10, 29, 14, 81, 3, 28, 15, 80, 16, 56, 21, 173, 11, 61, 28, 298,
]  # fmt: skip


def lsat6() -> np.ndarray:
    patterns = [[float(bit) for bit in f"{number:05b}"] for number in range(32)]
    return np.repeat(np.array(patterns), LSAT6, axis=0)


def published(case: str):
    return json.loads(EXPECTED.read_text())["cases"][case]


def test_the_patterns_are_the_published_ones():
    assert lsat6().shape == (1000, 5)
    assert lsat6().sum(axis=0).tolist() == [924, 709, 553, 763, 870]


@HERE
def test_the_published_estimates_of_two_parameters_are_met():
    case = published("irt_lsat6")
    found = calibrate(lsat6(), np.ones(5), np.zeros(5), priors=NO_PRIORS)
    assert found.converged
    # The published figures were made with 21 points of another grid.
    assert found.a == pytest.approx(case["a"], abs=0.002)
    assert found.b == pytest.approx(case["b"], abs=0.005)


@HERE
def test_the_published_estimates_of_one_parameter_are_met():
    case = published("irt_rasch_lsat6")
    found = calibrate(lsat6(), np.ones(5), np.zeros(5), priors=NO_PRIORS, same_slope=True)
    assert found.a == pytest.approx([case["discrimination"]] * 5, abs=case["tolerance"])
    assert found.b == pytest.approx(case["difficulty"], abs=case["tolerance"])


def invented(people: int, *, seed: int, count: int = 20) -> tuple[Bank, np.ndarray, np.ndarray]:
    """A bank with unequal slopes, what everybody would answer, and the true abilities."""
    random = np.random.default_rng(seed)
    slopes = random.uniform(0.7, 1.8, count)
    items = [
        Item(n, "all", float(slopes[n]), float(b), 1, calibrated=True) for n, b in enumerate(np.linspace(-2, 2, count))
    ]
    bank = Bank(items=tuple(items), facets={"all": 1.0}, cuts=(-1.5, -0.5, 0.5, 1.5))
    theta = random.standard_normal(people)
    return bank, random.random((people, count)) < chances(bank, theta, 0.0), theta


def test_what_was_put_in_comes_out():
    bank, would_be_right, _theta = invented(1500, seed=4)
    found = calibrate(would_be_right.astype(float), np.ones(20), np.zeros(20))
    assert found.converged
    assert found.estimated.all()
    assert np.abs(found.b - bank.b).max() < 0.3
    assert np.sqrt(((found.b - bank.b) ** 2).mean()) < 0.13
    assert np.sqrt(((found.a - bank.a) ** 2).mean()) < 0.2


def test_what_an_adaptive_diagnostic_left_out_does_not_bend_the_estimates():
    bank, would_be_right, _theta = invented(2000, seed=5, count=40)
    answered = take(bank, would_be_right, np.arange(2000, dtype=np.uint64))
    right = np.where(answered == 0, np.nan, (answered + 1) / 2)
    assert 0.3 < np.isnan(right).mean() < 0.9
    found = calibrate(right, np.ones(40), bank.b.round(0))
    assert found.converged
    assert np.sqrt(((found.b - bank.b)[found.estimated] ** 2).mean()) < 0.3
    assert abs((found.b - bank.b)[found.estimated].mean()) < 0.13


def test_a_question_with_too_few_answers_stays_as_it_is():
    _bank, would_be_right, _theta = invented(400, seed=6)
    right = would_be_right.astype(float)
    right[199:, 3] = np.nan
    start = np.linspace(-1, 1, 20)
    found = calibrate(right, np.full(20, 0.9), start)
    assert not found.estimated[3]
    assert (found.a[3], found.b[3], found.answers[3]) == (0.9, start[3], 199)
    assert found.estimated.sum() == 19
    assert found.b[0] != start[0]


def test_without_enough_answers_nothing_is_estimated():
    found = calibrate(np.ones((10, 2)), np.ones(2), np.zeros(2))
    assert not found.estimated.any()
    assert found.a.tolist() == [1, 1]


def test_a_question_everybody_gets_right_stays_on_the_grid():
    _bank, would_be_right, _theta = invented(300, seed=7)
    right = would_be_right.astype(float)
    right[:, 0] = 1.0
    found = calibrate(right, np.ones(20), np.zeros(20))
    assert -4 <= found.b[0] < -2
    assert 0 < found.a[0] <= 4


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="every item"):
        calibrate(np.ones((3, 2)), np.ones(3), np.zeros(3))
