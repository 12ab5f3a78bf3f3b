"""Whether items hang together, and the scores made of them: against the reference and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from readiness.statistics.inference import Totals, margin
from readiness.statistics.reliability import (
    alpha,
    alpha_if_dropped,
    alpha_standardised,
    complete,
    feldt_interval,
    item_rest_r,
    omega,
    one_factor,
)
from readiness.statistics.scores import favourable, person_means, score_0_100
from tests.readiness.reference import HERE, answers_to, cases, close

SCALES = [("bfi_scales", "bfi"), ("lq2002_scales", "lq2002")]


@HERE
@pytest.mark.parametrize(("source", "data"), SCALES)
def test_reliability_of_real_scales(source, data):
    for name, case in cases(source).items():
        answers = answers_to(data, case)
        values = complete(answers)
        assert (len(answers), len(values)) == (case["n_total"], case["n_complete"]), name
        found = alpha(values)
        assert close([found, alpha_standardised(values)], [case["alpha_raw"], case["alpha_std"]]), name
        assert close(alpha_if_dropped(values), case["alpha_if_dropped"])
        assert close(item_rest_r(values), case["item_rest_r"])
        assert found is not None
        assert close(feldt_interval(found, *values.shape), case["alpha_feldt_ci95"])
        covariance = np.cov(values, rowvar=False)
        assert close(omega(covariance), case["omega_total_ml_cov"]), name
        # The reference divides by n, not by n - 1.
        factor = one_factor(covariance * (len(values) - 1) / len(values))
        assert factor is not None
        assert close(factor.loadings, case["ml_loadings"]), name
        assert close(factor.unique, case["ml_uniquenesses"]), name


@HERE
@pytest.mark.parametrize(("source", "data"), SCALES)
def test_scores_of_real_scales(source, data):
    for name, case in cases(source).items():
        answers = answers_to(data, case)
        values, ends, high = complete(answers), (case["scale_min"], case["scale_max"]), case["favourable_from"]
        items = [Totals.of(column) for column in values.T]
        assert close([item.mean for item in items], case["item_mean"])
        assert close([item.sd for item in items], case["item_sd"])
        assert close([100 * favourable(column, high) for column in values.T], case["item_pct_favourable"])
        means = person_means(values)
        totals = Totals.of(means)
        assert close([totals.mean, totals.sd], [case["score_mean"], case["score_sd"]]), name
        assert close(score_0_100(totals.mean, *ends), case["score_mean_0_100"])
        spread = score_0_100(totals.mean + totals.sd, *ends) - score_0_100(totals.mean, *ends)
        assert close(spread, case["score_sd_0_100"])
        assert close(100 * favourable(means, high), case["score_pct_favourable_mean_ge"])
        half = margin(totals)
        assert close([totals.mean - half, totals.mean + half], case["score_ci95_t"])
        # Everybody with half of the items answered, not only those who answered all.
        counted = person_means(answers)
        by_half = Totals.of(counted[~np.isnan(counted)])
        assert by_half.n == case["half_rule_n"]
        assert close([by_half.mean, by_half.sd], [case["half_rule_mean"], case["half_rule_sd"]]), name


@HERE
def test_a_forgotten_reversal_shows_in_the_item_that_goes_against_the_rest():
    case = cases("bfi_agree_wrong_key")
    values = complete(answers_to("bfi", case | {"scale_min": 1, "scale_max": 6}))
    assert len(values) == case["n_complete"]
    assert close(alpha(values), case["alpha_raw"])
    assert close(item_rest_r(values), case["item_rest_r"])


@HERE
def test_edge_cases_of_alpha():
    for row in cases("edge_cases")["alpha"]:
        assert close(alpha(row["rows"]), row["alpha"]), row["case"]


# --- By hand -----------------------------------------------------------------------------------------------------
def test_reliability_by_hand():
    # One factor with loadings .8 .7 .6 and nothing else: omega = 2.1² / (2.1² + .36 + .51 + .64).
    loads = np.array([0.8, 0.7, 0.6])
    c = np.outer(loads, loads)
    np.fill_diagonal(c, 1)
    assert close(omega(c), 4.41 / (4.41 + 1.51))
    four = np.array([0.8, 0.7, 0.6, 0.5])
    d = np.outer(four, four)
    np.fill_diagonal(d, 1)
    assert close(omega(d), 2.6**2 / (2.6**2 + 4 - 1.74))
    assert close(omega([[1, 0.6], [0.6, 1]]), 0.75)  # Spearman and Brown: 2 · .6 / 1.6
    # Two items with variances 1 and 1 and covariance .5: alpha = 2 (1 - 2/3).
    assert close(alpha([[0, 0], [1, 2], [2, 1]]), 2 * (1 - 2 / 3))


def test_loadings_by_hand_come_out_whatever_the_signs_of_the_items():
    loads = np.array([0.8, -0.7, 0.6, 0.5])
    for number in (3, 4):
        c = np.outer(loads[:number], loads[:number])
        np.fill_diagonal(c, 1)
        found = one_factor(c)
        assert close(found.loadings, list(loads[:number]))
        assert close(found.unique, list(1 - loads[:number] ** 2))


def test_what_does_not_hang_together_as_one_thing_has_no_figure():
    assert [alpha([[3, 4, 5]]), alpha([[3], [4]]), alpha([[3, 3], [3, 3]])] == [None, None, None]
    assert (alpha_standardised([[3, 1], [3, 2]]), item_rest_r([[3, 1], [3, 2]])) == (None, [None, None])
    assert feldt_interval(0.8, 1, 3) is None
    assert omega([[1.0]]) is None
    assert omega([[1, 0.5, 0.5], [0.5, 1, -0.5], [0.5, -0.5, 1]]) is None  # no one factor makes these signs
    assert omega([[1, 0.9, 0.9], [0.9, 1, 0.5], [0.9, 0.5, 1]]) is None  # the first item would be more than all of it
    assert one_factor([[1, 0.6], [0.6, 1]]) is None  # two items are the work of any number of factors
    assert omega([[1, 0], [0, 0]]) is None


def test_what_is_no_table_is_refused():
    for act in (lambda: complete([1, 2]), lambda: omega([1, 2]), lambda: one_factor([[1, 2]])):
        with pytest.raises(ValueError, match="items"):
            act()
