"""Agreement in a unit and differences between units: against the reference and by hand."""

from __future__ import annotations

from collections import defaultdict
from statistics import mean, median

import pytest

from readiness.statistics.agreement import icc, rwg_j, rwg_j_star, shrink
from readiness.statistics.inference import Totals
from tests.readiness.reference import HERE, cases, close, rows


@HERE
@pytest.mark.parametrize("scale", ["lead", "tsig", "hostil"])
def test_agreement_and_differences_of_forty_nine_companies(scale):
    case = cases("lq2002_aggregation")[scale]
    answers: dict[int, list[list[float]]] = defaultdict(list)
    for row in rows("lq2002"):
        answers[int(row[case["group"]])].append([float(row[item]) for item in case["items"]])
    ids = case["group_ids"]
    agreed = [rwg_j(answers[pk], case["options"]) for pk in ids]
    assert close(agreed, case["rwg_j"])
    assert close([rwg_j_star(answers[pk], case["options"]) for pk in ids], case["rwg_j_star_lindell"])
    summed = [mean(agreed), median(agreed), min(agreed), max(agreed)]
    assert close(summed, [case[name] for name in ("rwg_j_mean", "rwg_j_median", "rwg_j_min", "rwg_j_max")])
    assert case["items"][0] == case["rwg_single_item"]
    single = [rwg_j([row[:1] for row in answers[pk]], case["options"]) for pk in ids]
    assert close(single, case["rwg_first_item"])
    assert close(mean(single), case["rwg_first_item_mean"])
    groups = [Totals.of(sum(row) / len(row) for row in answers[pk]) for pk in ids]
    assert (len(groups), [group.n for group in groups]) == (case["groups"], case["group_sizes"])
    assert sum(group.n for group in groups) == case["n"]
    assert close([group.mean for group in groups], case["group_mean"])
    found = icc(groups)
    assert found is not None
    names = {"ms_between": "ms_between", "ms_within": "ms_within", "k0": "k0", "icc1": "icc1_mean_size"}
    names |= {"icc1_k0": "icc1_k0", "icc2": "icc2", "tau2": "tau2_anova"}
    for ours, theirs in names.items():
        assert close(getattr(found, ours), case[theirs]), ours
    assert close([found.icc1, found.icc2], [case["icc1_multilevel_pkg"], case["icc2_multilevel_pkg"]])
    grand = sum(groups, Totals(0, 0, 0)).mean
    assert close(grand, case["grand_mean"])
    drawn = [
        shrink(g.sum / g.n, g.n, grand=case["grand_mean"], tau2=found.tau2, ms_within=found.ms_within) for g in groups
    ]
    assert close(drawn, case["eb_group_mean"])
    # How much of a mean is left: that of one in a whole of nothing.
    left = [shrink(1, group.n, grand=0, tau2=found.tau2, ms_within=found.ms_within) for group in groups]
    assert close(left, case["eb_lambda"])


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


def test_agreement_of_one_rater_and_differences_of_one_unit_are_none():
    one, same = Totals.of([3]), Totals.of([3, 3, 3])
    assert rwg_j([[3, 4, 5]], 5) is None
    assert rwg_j_star([[3, 4, 5]], 5) is None
    assert [icc([]), icc([same]), icc([one, one])] == [None, None, None]
    still = icc([same, same])
    assert still is not None
    assert (still.icc1, still.icc1_k0, still.icc2, still.tau2) == (None, None, None, 0.0)


@pytest.mark.parametrize(("matrix", "options"), [([[1, 2], [2, 1]], 1), ([1, 2], 5)])
def test_what_is_no_table_of_ratings_is_refused(matrix, options):
    for act in (rwg_j, rwg_j_star):
        with pytest.raises(ValueError, match=r"options|raters"):
            act(matrix, options)


def test_a_group_of_few_is_drawn_to_the_mean_of_all_more_than_a_group_of_many():
    few, many = (shrink(5.0, n, grand=3.0, tau2=0.5, ms_within=1.0) for n in (2, 50))
    assert 3 < few < many < 5
    assert shrink(5.0, 2, grand=3.0, tau2=0.0, ms_within=1.0) == 3.0
    assert shrink(5.0, 2, grand=3.0, tau2=0.0, ms_within=0.0) == 5.0
