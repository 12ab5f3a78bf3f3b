"""Which block goes along with an outcome: against the reference, by hand, and how sure it is."""

from __future__ import annotations

import numpy as np
import pytest

from readiness.statistics.drivers import bootstrap, may_be_shown, relative_weights
from tests.readiness.reference import HERE, answers_to, cases, close


@HERE
def test_relative_weights_of_the_published_example():
    case = cases("drivers_iopsych_example")
    matrix, last = case["R"], case["outcome_index"] - 1
    found = relative_weights([row[:last] for row in matrix[:last]], matrix[last][:last])
    assert found is not None
    assert close(found.weights, case["relative_weight"])
    assert close(found.weights, case["published"])


@HERE
def test_relative_weights_of_real_answers():
    case, scales = cases("drivers_bfi"), cases("bfi_scales")
    means = np.column_stack([answers_to("bfi", scales[name]).mean(axis=1) for name in scales])
    # Whoever left an item of any scale out is not among them.
    means = means[~np.isnan(means).any(axis=1)]
    assert len(means) == case["n"]
    at = {name: column for column, name in enumerate(scales)}
    blocks, outcome = means[:, [at[name] for name in case["predictors"]]], means[:, at[case["outcome"]]]
    r = np.corrcoef(np.column_stack([blocks, outcome]), rowvar=False)
    found = relative_weights(r[:-1, :-1], r[-1, :-1])
    assert found is not None
    assert close(found.r2, case["r2"])
    assert close(found.weights, case["relative_weight"])
    assert close([100 * share for share in found.shares], case["relative_weight_pct"])
    assert close(found.betas, case["std_beta"])
    assert close(found.vif, case["vif"])
    assert may_be_shown(found, case["n"])
    assert not may_be_shown(found, 99)
    spread = bootstrap(blocks, outcome, np.random.default_rng(1), resamples=200)
    assert spread is not None
    assert all(low < w < high for (low, high), w in zip(spread.weights, found.weights, strict=True))
    # Agreeableness goes along with extraversion more than anything else; which of the last two comes first is open.
    assert spread.shares[0][0] > max(high for _low, high in spread.shares[1:])
    assert spread.shares[3][1] > spread.shares[2][0]


def test_weights_of_blocks_that_do_not_go_together_are_their_squared_correlations():
    found = relative_weights([[1, 0], [0, 1]], [0.6, 0.3])
    assert close(found.weights, [0.36, 0.09])
    assert close([found.r2, *found.shares], [0.45, 0.8, 0.2])
    assert relative_weights([[1, 0], [0, 1]], [0, 0]).shares is None


def test_blocks_that_say_the_same_have_no_weights():
    assert relative_weights([[1, 1], [1, 1]], [0.5, 0.5]) is None
    with pytest.raises(ValueError, match="correlations"):
        relative_weights([[1, 0], [0, 1]], [0.5])


# --- How sure the weights are ------------------------------------------------------------------------------------
def survey(seed: int, n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Two blocks that do not go together, and an outcome of which they explain .36 and .09 in the long run."""
    chance = np.random.default_rng(seed)
    blocks = chance.normal(size=(n, 2))
    return blocks, blocks @ [0.6, 0.3] + chance.normal(size=n) * 0.55**0.5


def drawn(blocks, outcome, seed=7, resamples=200):
    return bootstrap(blocks, outcome, np.random.default_rng(seed), resamples)


def test_the_same_seed_gives_the_same_intervals_and_another_hardly_different_ones():
    one, again, other = (drawn(*survey(1), seed=seed) for seed in (7, 7, 8))
    assert one == again != other
    assert np.allclose(one.weights, other.weights, atol=0.05)


def test_in_most_surveys_the_intervals_hold_the_weights_of_the_long_run():
    held = np.zeros(4)
    for seed in range(60):
        found = drawn(*survey(seed), seed=seed)
        for at, ((low, high), true) in enumerate(
            zip(found.weights + found.shares, (0.36, 0.09, 0.8, 0.2), strict=True)
        ):
            held[at] += low <= true <= high
    # 95 in a hundred in the long run; of sixty, fewer than fifty would be a wonder.
    assert (held >= 50).all() and held.sum() < 240


def test_more_sheets_make_the_intervals_narrower():
    few, many = drawn(*survey(3, 150)), drawn(*survey(3, 2400))
    for (low, high), (lower, higher) in zip(few.weights + few.shares, many.weights + many.shares, strict=True):
        assert higher - lower < 0.5 * (high - low)


def test_sheets_that_do_not_count_for_a_block_are_left_out():
    blocks, outcome = survey(4)
    more = np.vstack([blocks, [[np.nan, 1], [1, 2]]]), np.append(outcome, [1, np.nan])
    assert drawn(*more) == drawn(blocks, outcome)


def test_weights_that_may_not_be_shown_have_no_intervals():
    blocks, outcome = survey(5)
    assert drawn(blocks[:99], outcome[:99]) is None
    six = np.random.default_rng(5).normal(size=(119, 6))
    assert drawn(six, six.sum(axis=1) + outcome[:119]) is None  # six blocks need 120 sheets
    nearly = np.column_stack([blocks[:, 0], blocks[:, 0] + 0.3 * blocks[:, 1]])  # a VIF of about 12
    assert drawn(nearly, outcome) is None
    assert drawn(np.column_stack([blocks[:, 0], blocks[:, 0]]), outcome) is None
    assert drawn(np.column_stack([blocks[:, 0], np.ones(200)]), outcome) is None
    assert drawn(blocks, np.ones(200)) is None


def test_a_block_in_which_one_sheet_alone_differs_has_no_interval():
    # A third of the resamples miss that sheet: what the others say would look surer than it is.
    blocks, outcome = survey(6)
    blocks[:, 1] = np.arange(200) == 0
    assert drawn(blocks, outcome) is None


def test_blocks_and_an_outcome_of_different_sheets_are_refused():
    blocks, outcome = survey(1)
    for wrong in ((blocks, outcome[:-1]), (blocks[:, 0], outcome), (blocks[:, :0], outcome)):
        with pytest.raises(ValueError, match="sheets"):
            drawn(*wrong)
