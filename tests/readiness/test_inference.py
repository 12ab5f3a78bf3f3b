"""Margins, intervals, changes and corrections: against the reference, by hand, and by what holds of any numbers."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.statistics.inference import Change, Totals, benjamini_hochberg, change, holm, margin, wilson
from readiness.statistics.scores import person_means
from tests.readiness.reference import HERE, answers_to, cases, close, rows


def is_change(found: Change | None, expected: dict[str, Any], names: dict[str, str]) -> bool:
    return found is not None and all(close(getattr(found, ours), expected[theirs]) for ours, theirs in names.items())


# --- The reference (S1) ------------------------------------------------------------------------------------------
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
def test_segments_differ_from_all_others_as_in_the_reference():
    """Each level of education against the rest, as a unit is compared with the rest of the unit above it."""
    case, scale = cases("bfi_segments"), cases("bfi_scales")["agree"]
    means, levels = person_means(answers_to("bfi", scale)), [row["education"] for row in rows("bfi")]
    whole = ~np.isnan(answers_to("bfi", scale)).any(axis=1)
    known = [(level, mean) for level, mean, is_whole in zip(levels, means, whole, strict=True) if is_whole and level]
    found = []
    for segment in case["segments"]:
        its = Totals.of(mean for level, mean in known if level == str(segment["education"]))
        rest = Totals.of(mean for level, mean in known if level != str(segment["education"]))
        assert (its.n, rest.n) == (segment["n"], segment["n_rest"])
        difference = change(rest, its)
        assert is_change(difference, segment, {name: name for name in ("diff", "t", "df", "p", "hedges_g")})
        found.append(difference.p)
    assert len(found) == 5
    assert close(holm(found), case["holm"])
    assert close(benjamini_hochberg(found), case["bh"])


@HERE
def test_margins_and_intervals_of_shares():
    case = cases("confidence_intervals")
    for row in case["wilson_fpc"]:
        assert close(wilson(row["k"], row["n"], row["N"]), row["ci95"]), row
    for row in case["mean_t_fpc"]:
        totals = Totals.of(row["values"])
        assert close([totals.mean, totals.sd], [row["mean"], row.get("sd")])
        assert close(margin(totals, row["N"]), row["moe95"]), row
    assert len(case["wilson_fpc"]) + len(case["mean_t_fpc"]) == 17


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


def test_a_figure_of_too_few_or_of_nothing_that_varies_is_none():
    nothing, one, same = Totals.of([]), Totals.of([3]), Totals.of([3, 3, 3])
    assert (nothing.mean, nothing.variance, one.variance, one.sd, same.sd) == (None, None, None, None, 0.0)
    assert [margin(nothing), margin(one), margin(same)] == [None, None, 0.0]
    assert wilson(0, 0) is None
    assert [change(one, same), change(same, one), change(same, Totals.of([4, 4]))] == [None, None, None]
    assert (holm([]), holm([None]), benjamini_hochberg([None, None])) == ([], [None], [None, None])


@pytest.mark.parametrize(
    "act",
    [
        lambda: margin(Totals.of([1, 2, 3]), 2),
        lambda: wilson(4, 3),
        lambda: wilson(-1, 3),
        lambda: wilson(2, 3, 2),
    ],
)
def test_more_answers_than_people_are_refused(act):
    with pytest.raises(ValueError, match=r"people|population"):
        act()


def test_who_asked_everybody_has_no_margin_left():
    assert margin(Totals.of([1, 2, 5]), 3) == 0
    assert wilson(2, 3, 3) == (2 / 3, 2 / 3)


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
