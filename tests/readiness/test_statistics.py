"""Statistics of a survey against figures computed elsewhere (S1), by hand, and by what must hold of any numbers."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter, defaultdict
from itertools import pairwise
from math import isclose
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.statistics.agreement import icc, rwg_j, rwg_j_star, shrink
from readiness.statistics.did import did
from readiness.statistics.drivers import may_be_shown, relative_weights
from readiness.statistics.inference import Change, Totals, benjamini_hochberg, change, holm, margin, wilson
from readiness.statistics.reliability import (
    alpha,
    alpha_if_dropped,
    alpha_standardised,
    complete,
    feldt_interval,
    item_rest_r,
    omega,
)
from readiness.statistics.weighting import effective_n, rake, stratified, weights

DATA = Path(os.environ.get("SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / "psychometrics"
HERE = pytest.mark.skipif(
    not (DATA / "expected.json").exists(), reason="the shared test data are not here (SHARED_DATA)"
)


def cases(name: str) -> Any:
    return json.loads((DATA / "expected.json").read_text(encoding="utf-8"))["cases"][name]


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def close(found: Any, expected: Any) -> bool:
    """Within 1e-6, None for None."""
    if isinstance(expected, (list, tuple)):
        return found is not None and len(found) == len(expected) and all(map(close, found, expected))
    if expected is None or found is None:
        return found is expected
    return isclose(found, expected, rel_tol=0, abs_tol=1e-6)


def is_change(found: Change | None, expected: dict[str, Any], names: dict[str, str]) -> bool:
    return found is not None and all(close(getattr(found, ours), expected[theirs]) for ours, theirs in names.items())


# --- The shared cases (S1) ---------------------------------------------------------------------------------------
@HERE
def test_changes_between_waves_are_those_of_the_reference():
    people = rows("univbct_waves")
    names = {"diff": "diff", "se": "welch_se", "t": "welch_t", "df": "welch_df", "p": "welch_p"}
    names |= {"cohen_d": "cohen_d_pooled", "hedges_g": "hedges_g"}
    compared = cases("univbct_waves")
    for expected in compared.values():
        before, after = (Totals.of(float(row[v]) for row in people if row[v]) for v in (expected["v1"], expected["v2"]))
        assert (before.n, after.n) == (expected["n1"], expected["n2"])
        assert close(
            [before.mean, before.sd, after.mean, after.sd], [expected[k] for k in ("mean1", "sd1", "mean2", "sd2")]
        )
        found = change(before, after)
        assert is_change(found, expected, names)
        assert found is not None
        assert close([found.low, found.high], expected["welch_ci95"])
    assert len(compared) == 4


@HERE
@pytest.mark.parametrize("number", range(4))
def test_edge_cases_of_a_change(number):
    case = cases("edge_cases")["welch"][number]
    before, after = Totals.of(case["before"]), Totals.of(case["after"])
    assert close((after.mean or 0) - (before.mean or 0), case["diff"])
    found, expected = change(before, after), case["welch"]
    if expected is None:
        assert found is None
    else:
        assert is_change(
            found, expected, {n: n for n in ("diff", "se", "t", "df", "p")} | {"cohen_d": "d", "hedges_g": "g"}
        )
        assert found is not None
        assert close([found.low, found.high], expected["ci"])


@HERE
@pytest.mark.parametrize("name", ["padjust_bh1995", "padjust_na"])
def test_corrections_for_many_comparisons(name):
    case = cases(name)
    assert close(holm(case["p"]), case["holm"])
    assert close(benjamini_hochberg(case["p"]), case["bh"])


@HERE
def test_corrections_of_the_segments_of_a_scale():
    case = cases("bfi_segments")
    p = [segment["p"] for segment in case["segments"]]
    assert close(holm(p), case["holm"])
    assert close(benjamini_hochberg(p), case["bh"])


@HERE
def test_margins_and_intervals_of_shares():
    case = cases("confidence_intervals")
    for row in case["wilson_fpc"]:
        assert close(wilson(row["k"], row["n"], row["N"]), row["ci95"]), row
    for row in case["mean_t_fpc"]:
        totals = Totals.of(row["values"])
        assert close(totals.mean, row["mean"])
        assert close(margin(totals, row["N"]), row["moe95"]), row
    assert len(case["wilson_fpc"]) + len(case["mean_t_fpc"]) == 17


@HERE
@pytest.mark.parametrize("scale", ["lead", "tsig", "hostil"])
def test_agreement_and_differences_of_forty_nine_companies(scale):
    case = cases("lq2002_aggregation")[scale]
    answers: dict[int, list[list[float]]] = defaultdict(list)
    for row in rows("lq2002"):
        answers[int(row[case["group"]])].append([float(row[item]) for item in case["items"]])
    ids = case["group_ids"]
    assert close([rwg_j(answers[pk], case["options"]) for pk in ids], case["rwg_j"])
    assert close([rwg_j_star(answers[pk], case["options"]) for pk in ids], case["rwg_j_star_lindell"])
    groups = [Totals.of(sum(row) / len(row) for row in answers[pk]) for pk in ids]
    found = icc(groups)
    assert found is not None
    names = {"ms_between": "ms_between", "ms_within": "ms_within", "k0": "k0", "icc1": "icc1_mean_size"}
    names |= {"icc1_k0": "icc1_k0", "icc2": "icc2", "tau2": "tau2_anova"}
    for ours, theirs in names.items():
        assert close(getattr(found, ours), case[theirs]), ours
    grand = sum(groups, Totals(0, 0, 0)).mean
    assert close(grand, case["grand_mean"])
    drawn = [
        shrink(g.sum / g.n, g.n, grand=case["grand_mean"], tau2=found.tau2, ms_within=found.ms_within) for g in groups
    ]
    assert close(drawn, case["eb_group_mean"])


@HERE
def test_edge_cases_of_agreement():
    case = cases("edge_cases")
    for row in case["rwg_j"]:
        assert close(rwg_j(row["rows"], row["options"]), row["rwg_j"]), row["case"]
    for row in case["icc"]:
        by_group: dict[int, list[float]] = defaultdict(list)
        for group, value in zip(row["group"], row["y"], strict=True):
            by_group[group].append(value)
        found = icc([Totals.of(values) for values in by_group.values()])
        assert close(found and found.icc1, row["icc1_mean_size"]), row["case"]
        assert close(found and found.icc2, row["icc2"]), row["case"]


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
        found = did(
            [c for u, c in changes.items() if u in trained], [c for u, c in changes.items() if u not in trained]
        )
        assert found is not None
        ours = [found.effect, found.se, found.t, found.df, found.p, found.exact_p, found.low, found.high]
        assert close(ours, [case[k] for k in ("did", "se", "t", "df", "p", "exact_permutation_p")] + case["ci95"])
        assert not found.is_proven
        assert close(found.unseen_below, 2.8 * case["se"])


@HERE
def test_relative_weights_of_the_published_example_and_of_real_answers():
    case = cases("drivers_iopsych_example")
    matrix, last = case["R"], case["outcome_index"] - 1
    found = relative_weights([row[:last] for row in matrix[:last]], matrix[last][:last])
    assert found is not None
    assert close(found.weights, case["relative_weight"])
    case = cases("drivers_bfi")
    scales = cases("bfi_scales")
    people = [answer for answer in (scale_means(row, scales) for row in rows("bfi")) if answer is not None]
    assert len(people) == case["n"]
    r = np.corrcoef(
        np.array([[p[name] for name in [*case["predictors"], case["outcome"]]] for p in people]), rowvar=False
    )
    found = relative_weights(r[:-1, :-1], r[-1, :-1])
    assert found is not None
    assert close(found.r2, case["r2"])
    assert close(found.weights, case["relative_weight"])
    assert close(found.betas, case["std_beta"])
    assert close(found.vif, case["vif"])
    assert may_be_shown(found, case["n"])
    assert not may_be_shown(found, 99)


def turned(row: dict[str, str], scale: dict[str, Any]) -> list[float]:
    """The answers of a person to a scale, nan where there is none, reversed items turned round."""
    ends = scale["scale_min"] + scale["scale_max"]
    found = [float(row[item]) if row[item] not in ("", "NA") else np.nan for item in scale["items"]]
    return [ends - v if item in scale.get("reversed", ()) else v for item, v in zip(scale["items"], found, strict=True)]


def scale_means(row: dict[str, str], scales: dict[str, Any]) -> dict[str, float] | None:
    found = {name: turned(row, scale) for name, scale in scales.items()}
    if np.isnan([v for values in found.values() for v in values]).any():
        return None
    return {name: sum(values) / len(values) for name, values in found.items()}


@HERE
@pytest.mark.parametrize(("source", "data"), [("bfi_scales", "bfi"), ("lq2002_scales", "lq2002")])
def test_reliability_of_real_scales(source, data):
    people = rows(data)
    for name, case in cases(source).items():
        values = complete([turned(row, case) for row in people])
        assert len(values) == case["n_complete"], name
        assert close(list(values.mean(axis=0)), case["item_mean"])
        found = alpha(values)
        assert close([found, alpha_standardised(values)], [case["alpha_raw"], case["alpha_std"]]), name
        assert close(alpha_if_dropped(values), case["alpha_if_dropped"])
        assert close(item_rest_r(values), case["item_rest_r"])
        assert found is not None
        assert close(feldt_interval(found, *values.shape), case["alpha_feldt_ci95"])
        assert close(omega(np.cov(values, rowvar=False)), case["omega_total_ml_cov"]), name


@HERE
def test_a_forgotten_reversal_shows_in_the_item_that_goes_against_the_rest():
    case = cases("bfi_agree_wrong_key")
    values = complete([turned(row, case | {"scale_min": 1, "scale_max": 6}) for row in rows("bfi")])
    assert close(alpha(values), case["alpha_raw"])
    assert close(item_rest_r(values), case["item_rest_r"])


@HERE
def test_edge_cases_of_alpha():
    for row in cases("edge_cases")["alpha"]:
        assert close(alpha(row["rows"]), row["alpha"]), row["case"]


@HERE
def test_weights_and_weighted_means_of_the_schools():
    case, population = cases("api_weights"), cases("api_weights")["population"]
    schools = rows("apisrs")
    scores = [float(row["api00"]) for row in schools]
    simple = stratified([(population["total"], Totals.of(scores))])
    assert close(simple, [case["srs_fpc"]["mean"], case["srs_fpc"]["se"]])
    by_type: dict[str, list[float]] = defaultdict(list)
    for row in rows("apistrat"):
        by_type[row["stype"]].append(float(row["api00"]))
    found = stratified([(population[kind], Totals.of(values)) for kind, values in by_type.items()])
    assert close(found, [case["stratified_fpc"]["mean"], case["stratified_fpc"]["se"]])
    kinds = ["E", "H", "M"]
    answers = {kind: sum(row["stype"] == kind for row in schools) for kind in kinds}
    found_weights = weights([(population[kind], answers[kind]) for kind in kinds])
    assert close(found_weights, [case["poststratified"]["weights"][kind] for kind in kinds])
    raked, cells = case["raked"], Counter((row["stype"], row["sch.wide"]) for row in schools)
    by_cell = rake(cells, list(raked["margins"].values()))
    assert by_cell is not None
    for name, expected in raked["cell_weights"].items():
        assert close(by_cell[tuple(name.split("_"))], expected), name
    assert len(by_cell) == len(raked["cell_weights"])
    total = sum(by_cell[row["stype"], row["sch.wide"]] * float(row["api00"]) for row in schools)
    assert close(total / population["total"], raked["mean"])
    assert close(effective_n([(by_cell[cell], n) for cell, n in cells.items()]), raked["n_eff"])


COVERED = {
    "univbct_waves", "padjust_bh1995", "padjust_na", "confidence_intervals", "lq2002_aggregation", "did_synthetic",
    "drivers_iopsych_example", "drivers_bfi", "bfi_scales", "lq2002_scales", "bfi_agree_wrong_key", "edge_cases",
}  # fmt: skip
IN_PART = {"bfi_segments": "differences of segments", "api_weights": "standard error after weighting"}
ELSEWHERE = {
    "irt_lsat6": "tests/competencies",
    "irt_rasch_lsat6": "tests/competencies",
    "competency_fusion": "tests/competencies",
    "sealing_trees": "tests/readiness/test_sealing.py",
    "synthetic_reports": "tests/readiness/test_display.py, `roles` in tests/readiness/test_cuts.py",
    "role_margin_min_cut": "tests/readiness/test_cuts.py",
}


@HERE
def test_no_shared_case_is_forgotten():
    every = json.loads((DATA / "expected.json").read_text(encoding="utf-8"))["cases"].keys()
    assert set(every) == COVERED | set(IN_PART) | set(ELSEWHERE)


# --- By hand -----------------------------------------------------------------------------------------------------
# The worked example of docs/algorithms/readiness.md: a block of ten people before, ten after.
BEFORE, AFTER = [2.0, 3, 3, 3, 4, 3, 2, 4, 3, 3], [3.0, 4, 4, 3, 4, 4, 3, 5, 4, 4]


def test_the_worked_example_of_the_docs():
    before, after = Totals.of(BEFORE), Totals.of(AFTER)
    assert (before, after) == (Totals(10, 30, 94), Totals(10, 38, 148))
    assert (before.mean, after.mean) == (3.0, 3.8)
    # sd² = (94 - 90) / 9 = 0.444 and (148 - 144.4) / 9 = 0.4
    assert close(before.variance, 4 / 9)
    assert close(after.variance, 0.4)
    # t(.975, 9) = 2.262; all ten of sixteen: 2.262 · 0.667 / 3.162 · √(1 - 10/16)
    assert margin(before) == pytest.approx(0.4769, abs=5e-5)
    assert margin(before, 16) == pytest.approx(0.2920, abs=5e-5)
    found = change(before, after)
    assert found is not None
    assert (found.diff, found.se) == (pytest.approx(0.8), pytest.approx(0.2906, abs=5e-5))
    assert (found.t, found.p) == (pytest.approx(2.7530, abs=5e-4), pytest.approx(0.0131, abs=5e-5))
    assert (found.low, found.high) == (pytest.approx(0.1894, abs=5e-4), pytest.approx(1.4106, abs=5e-4))


def test_what_cannot_be_had_is_none():
    nothing, one, same = Totals.of([]), Totals.of([3]), Totals.of([3, 3, 3])
    assert (nothing.mean, nothing.variance, one.variance, one.sd, same.sd) == (None, None, None, None, 0.0)
    assert [margin(nothing), margin(one), margin(same)] == [None, None, 0.0]
    assert wilson(0, 0) is None
    assert [change(one, same), change(same, one), change(same, Totals.of([4, 4]))] == [None, None, None]
    assert rwg_j([[3, 4, 5]], 5) is None
    assert rwg_j_star([[3, 4, 5]], 5) is None
    assert [icc([]), icc([same]), icc([one, one])] == [None, None, None]
    assert [alpha([[3, 4, 5]]), alpha([[3], [4]]), alpha([[3, 3], [3, 3]])] == [None, None, None]
    assert (alpha_standardised([[3, 1], [3, 2]]), item_rest_r([[3, 1], [3, 2]])) == (None, [None, None])
    assert feldt_interval(0.8, 1, 3) is None
    assert omega([[1.0]]) is None
    assert omega([[1, 0.5, 0.5], [0.5, 1, -0.5], [0.5, -0.5, 1]]) is None  # no one factor makes these signs
    assert omega([[1, 0.9, 0.9], [0.9, 1, 0.5], [0.9, 0.5, 1]]) is None  # the first item would be more than all of it
    assert did([1, 2], [1, 2, 3]) is None
    assert did([1, 1, 1], [1, 1, 1]) is None
    assert relative_weights([[1, 1], [1, 1]], [0.5, 0.5]) is None
    still = icc([same, same])
    assert still is not None
    assert (still.icc1, still.icc1_k0, still.icc2, still.tau2) == (None, None, None, 0.0)
    assert (holm([]), holm([None]), benjamini_hochberg([None, None])) == ([], [None], [None, None])


def test_what_makes_no_sense_is_refused():
    for act in (
        lambda: margin(Totals.of([1, 2, 3]), 2),
        lambda: wilson(4, 3),
        lambda: wilson(-1, 3),
        lambda: wilson(2, 3, 2),
        lambda: rwg_j([[1, 2], [2, 1]], 1),
        lambda: rwg_j([1, 2], 5),
    ):
        with pytest.raises(ValueError, match=r"people|population|options|raters"):
            act()


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


def test_weights_by_hand():
    assert weights([(10, 5), (10, 5)]) is None
    # 2, 4 and 50 people an answer: the last speaks for three times the middle one at the most.
    assert weights([(10, 5), (20, 5), (250, 5)]) == [2.0, 4.0, 12.0]
    assert weights([(5, 5), (20, 5), (30, 5)]) == [4 / 3, 4.0, 6.0]
    for impossible in ([(3, 4)] * 3, [(3, 0)] * 3):
        with pytest.raises(ValueError, match="answers"):
            weights(impossible)
    assert (effective_n([]), effective_n([(2.0, 10)]), effective_n([(1.0, 1), (3.0, 1)])) == (None, 10.0, 1.6)


def test_raking_makes_every_margin_right_or_says_that_it_cannot():
    cells = {("a", "x"): 4, ("a", "y"): 2, ("b", "x"): 1, ("b", "y"): 3}
    found = rake(cells, [{"a": 30, "b": 20}, {"x": 15, "y": 35}])
    assert found is not None
    assert found["a", "x"] * 4 + found["a", "y"] * 2 == pytest.approx(30)
    assert found["a", "y"] * 2 + found["b", "y"] * 3 == pytest.approx(35)
    assert rake(cells, [{"a": 30, "b": 20}, {"x": 15, "y": 36}]) is None  # not the same people
    assert rake(cells, [{"a": 30, "c": 20}, {"x": 15, "y": 35}]) is None  # nobody of c answered
    assert rake(cells, [{"a": 50}, {"x": 15, "y": 35}]) is None  # answers of people who are not there
    assert rake({}, [{"a": 1}]) is None
    assert stratified([(5, Totals.of([1]))]) is None
    assert stratified([]) is None


def test_an_effect_of_training_by_hand():
    found = did([9, 10, 11], [1, 2, 3])
    assert found is not None
    assert close([found.effect, found.se], [8, (2 / 3) ** 0.5])
    assert found.is_proven
    assert close(found.exact_p, 2 / 20)  # as it was, and the other way round, of twenty ways
    many = did(range(10), range(1, 11))
    assert many is not None
    assert many.exact_p is None


def test_who_asked_everybody_has_no_margin_left():
    assert margin(Totals.of([1, 2, 5]), 3) == 0
    assert wilson(2, 3, 3) == (2 / 3, 2 / 3)


def test_a_group_of_few_is_drawn_to_the_mean_of_all_more_than_a_group_of_many():
    few, many = (shrink(5.0, n, grand=3.0, tau2=0.5, ms_within=1.0) for n in (2, 50))
    assert 3 < few < many < 5
    assert shrink(5.0, 2, grand=3.0, tau2=0.0, ms_within=1.0) == 3.0
    assert shrink(5.0, 2, grand=3.0, tau2=0.0, ms_within=0.0) == 5.0


# --- What holds of any answers -----------------------------------------------------------------------------------
ANSWERS = st.lists(st.integers(1, 5), min_size=2, max_size=40)


@given(ANSWERS, ANSWERS, st.randoms(use_true_random=False))
def test_totals_add_up_and_the_order_of_people_never_matters(one, other, chance):
    both = one + other
    assert Totals.of(one) + Totals.of(other) == Totals.of(both)
    shuffled = list(both)
    chance.shuffle(shuffled)
    assert Totals.of(shuffled) == Totals.of(both)
    there, back = change(Totals.of(one), Totals.of(other)), change(Totals.of(other), Totals.of(one))
    assert (there is None) is (back is None)
    if there is not None and back is not None:
        assert close([there.diff, there.p, there.low], [-back.diff, back.p, -back.high])


@given(ANSWERS, st.integers(0, 100))
def test_the_more_of_all_people_answered_the_smaller_the_margin(values, more):
    totals = Totals.of(values)
    whole, unknown = margin(totals, totals.n + more), margin(totals)
    assert whole is not None
    assert unknown is not None
    assert 0 <= whole <= unknown


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_the_interval_of_a_share_holds_the_share(k, rest, unseen):
    found = wilson(k, k + rest, k + rest + unseen)
    if k + rest:
        assert found is not None
        assert 0 <= found[0] <= k / (k + rest) + 1e-12
        assert k / (k + rest) - 1e-12 <= found[1] <= 1


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=20))
def test_corrections_only_raise_and_keep_the_order(p):
    for corrected in (holm(p), benjamini_hochberg(p)):
        pairs = [(a, b) for a, b in zip(p, corrected, strict=True) if a is not None and b is not None]
        assert len(pairs) == sum(value is not None for value in p)
        assert all(a <= b + 1e-12 and b <= 1 for a, b in pairs)
        ordered = sorted(pairs)
        assert all(one[1] <= two[1] + 1e-12 for one, two in pairwise(ordered))
