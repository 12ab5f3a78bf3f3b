"""What training did, over units: against the reference and by hand."""

from __future__ import annotations

from collections import defaultdict
from math import comb

import numpy as np
import pytest

from readiness.statistics.did import did, looked_at_together
from readiness.statistics.inference import Totals
from tests.readiness.reference import HERE, cases, close, rows


@HERE
def test_training_effects_are_those_of_the_reference():
    answers = [(row["unit"], int(row["wave"]), row["trained"], float(row["score"])) for row in rows("synthetic_did")]
    for name, case in cases("did_synthetic").items():
        waves = {wave: defaultdict(list) for wave in (case["pre_wave"], case["post_wave"])}
        trained = {unit for unit, _wave, is_trained, _score in answers if is_trained == "1"}
        for unit, wave, _trained, score in answers:
            if wave in waves:
                waves[wave][unit].append(score)
        changes = {
            unit: Totals.of(after).sum / len(after)
            - Totals.of(waves[case["pre_wave"]][unit]).sum / len(waves[case["pre_wave"]][unit])
            for unit, after in waves[case["post_wave"]].items()
        }
        assert all(close(changes[unit], expected) for unit, expected in case["change_by_unit"].items()), name
        assert len(changes) == len(case["change_by_unit"])
        theirs = [change for unit, change in changes.items() if unit in trained]
        others = [change for unit, change in changes.items() if unit not in trained]
        assert (len(theirs), len(others)) == (case["units_trained"], case["units_comparison"])
        assert comb(len(changes), len(theirs)) == case["permutations"]
        means = [Totals.of(theirs).mean, Totals.of(others).mean]
        assert close(means, [case["mean_change_trained"], case["mean_change_comparison"]])
        found = did(theirs, others)
        assert found is not None
        ours = [found.effect, found.se, found.t, found.df, found.p, found.exact_p, found.low, found.high]
        assert close(ours, [case[k] for k in ("did", "se", "t", "df", "p", "exact_permutation_p")] + case["ci95"])
        assert not found.is_proven
        assert close(found.unseen_below, 2.8 * case["se"])


def test_an_effect_of_training_by_hand():
    found = did([9, 10, 11], [1, 2, 3])
    assert found is not None
    assert close([found.effect, found.se], [8, (2 / 3) ** 0.5])
    assert found.is_proven
    assert close(found.exact_p, 2 / 20)  # as it was, and the other way round, of twenty ways
    many = did(range(10), range(1, 11))
    assert many is not None
    assert many.exact_p is None


def test_an_effect_of_few_units_or_of_units_that_all_changed_alike_is_none():
    assert did([1, 2], [1, 2, 3]) is None
    assert did([1, 2, 3], [1, 2]) is None
    assert did([1, 1, 1], [1, 1, 1]) is None


def test_of_many_effects_of_nothing_seldom_any_is_proven():
    """Eight blocks, twenty units, training that does nothing: the share of bodies with any proven effect is that of one."""
    rng = np.random.default_rng(20261127)
    alone = together = 0
    for _body in range(400):
        changes = rng.normal(0, 5, (8, 20))
        found = looked_at_together({str(at): did(row[:10], row[10:]) for at, row in enumerate(changes)})
        alone += any(effect.stands_alone for effect in found.values())
        together += any(effect.is_proven for effect in found.values())
    assert alone / 400 > 0.25
    assert together / 400 < 0.08


def test_a_strong_effect_stays_proven_among_others_and_a_block_without_units_stays_without():
    rng = np.random.default_rng(7)
    strong = did(rng.normal(20, 3, 8), rng.normal(0, 3, 8))
    weak = did(rng.normal(0, 3, 8), rng.normal(0, 3, 8))
    found = looked_at_together({"strong": strong, "weak": weak, "none": None})
    assert found["strong"].is_proven and not found["weak"].is_proven and found["none"] is None
    assert found["strong"].family_p == pytest.approx(2 * strong.p)
    assert strong.is_proven and strong.family_p is None  # looked at alone
