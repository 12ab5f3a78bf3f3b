"""Whom an answer speaks for: against the reference and by hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.statistics.inference import Totals
from readiness.statistics.weighting import effective_n, poststratified, rake, stratified, weights
from tests.readiness.reference import HERE, cases, close, rows


@HERE
def test_weights_and_weighted_means_of_the_schools():
    case, population = cases("api_weights"), cases("api_weights")["population"]
    schools = rows("apisrs")
    scores = [float(row["api00"]) for row in schools]
    simple = stratified([(population["total"], Totals.of(scores))])
    assert len(scores) == case["srs_fpc"]["n"]
    assert close(simple, [case["srs_fpc"]["mean"], case["srs_fpc"]["se"]])
    by_type: dict[str, list[float]] = defaultdict(list)
    for row in rows("apistrat"):
        by_type[row["stype"]].append(float(row["api00"]))
    assert sum(map(len, by_type.values())) == case["stratified_fpc"]["n"]
    found = stratified([(population[kind], Totals.of(values)) for kind, values in by_type.items()])
    assert close(found, [case["stratified_fpc"]["mean"], case["stratified_fpc"]["se"]])
    kinds = ["E", "H", "M"]
    answers = {kind: sum(row["stype"] == kind for row in schools) for kind in kinds}
    found_weights = weights([(population[kind], answers[kind]) for kind in kinds])
    after = case["poststratified"]
    assert close(found_weights, [after["weights"][kind] for kind in kinds])
    by_kind = [Totals.of(float(row["api00"]) for row in schools if row["stype"] == kind) for kind in kinds]
    found = poststratified(list(zip(found_weights, by_kind, strict=True)), population["total"])
    assert close(found, [after["mean"], after["se"]])
    raked, cells = case["raked"], Counter((row["stype"], row["sch.wide"]) for row in schools)
    by_cell = rake(cells, list(raked["margins"].values()))
    assert by_cell is not None
    for name, expected in raked["cell_weights"].items():
        assert close(by_cell[tuple(name.split("_"))], expected), name
    assert len(by_cell) == len(raked["cell_weights"])
    total = sum(by_cell[row["stype"], row["sch.wide"]] * float(row["api00"]) for row in schools)
    assert close(total / population["total"], raked["mean"])
    assert close(effective_n([(by_cell[cell], n) for cell, n in cells.items()]), raked["n_eff"])


# --- By hand -----------------------------------------------------------------------------------------------------
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


def test_a_mean_after_weighting_by_hand():
    # Of 40 people in A two answered, 1 and 3; of 60 in B three, 4, 4 and 1: (20 · 4 + 20 · 9) / 100.
    a, b = Totals.of([1, 3]), Totals.of([4, 4, 1])
    mean, se = poststratified([(20, a), (20, b)], 100)
    # Within classes 2 and 6 are left of the squares, each answer is a fifth of all: 5/4 · 95/100 · (2 + 6) / 25.
    assert close([mean, se], [2.6, sqrt(1.25 * 0.95 * 8 / 25)])
    assert close(poststratified([(30, a), (10, b)], 100)[0], (30 * 4 + 10 * 9) / 90)


def test_a_weighted_mean_needs_two_answers_of_each_class():
    some = Totals.of([1, 3])
    assert poststratified([], 10) is None
    assert poststratified([(2, some), (2, Totals.of([4]))], 10) is None
    assert poststratified([(1, some), (1, Totals.of([2, 4]))], 4) == (2.5, 0.0)  # everybody answered
    with pytest.raises(ValueError, match="people"):
        poststratified([(1, some)], 1)


@given(
    st.lists(
        st.tuples(st.lists(st.integers(1, 5), min_size=2, max_size=20), st.integers(0, 50)), min_size=3, max_size=8
    )
)
def test_weighted_by_headcounts_the_mean_is_that_of_everybody_asked(classes):
    strata = [(len(values) + silent, Totals.of(values)) for values, silent in classes]
    everybody = sum(people for people, _totals in strata)
    mean, se = poststratified([(people / totals.n, totals) for people, totals in strata], everybody)
    assert close(mean, stratified(strata)[0])
    assert se >= 0
    # Where all classes answered alike, weights change nothing.
    alike = [(2.5, totals) for _people, totals in strata]
    whole = sum((totals for _people, totals in strata), Totals(0, 0, 0))
    assert close(poststratified(alike, 1000)[0], whole.mean)
