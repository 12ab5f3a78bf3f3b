"""From answer sheets to what is shown: whole reports against the reference, and rules by hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.sealing import Node, plant, seal
from readiness.statistics.display import (
    Share,
    Verdict,
    index,
    may_show_items,
    on_scale,
    rounded,
    rounded_margin,
    shown_share,
    trust_in_reliability,
    verdicts,
)
from readiness.statistics.inference import Totals, change, margin
from readiness.totals import BlockTotals, block_totals
from tests.readiness.reference import HERE, cases, close, rows

BLOCKS = ("why", "benefit", "support", "efficacy", "commitment", "involved")


@HERE
@pytest.mark.parametrize("wave", [1, 2])
@pytest.mark.parametrize("k", [5, 10])
def test_whole_reports_come_out_as_those_of_the_reference(wave, k):
    case = cases("synthetic_reports")[f"k{k}_wave{wave}"]
    tree = plant(Node(row["node"], row["parent"] or None) for row in rows("synthetic_org"))
    ballots = [row for row in rows("synthetic_ballots") if row["wave"] == str(wave)]
    asked: Counter[str] = Counter()
    for row in rows("synthetic_eligible"):
        asked[row["node"]] += int(row["eligible"]) * (row["wave"] == str(wave))
    found = seal(tree, Counter(row["node"] for row in ballots), k)
    assert {c.node: c.n for c in found.classes} == case["classes"]
    assert found.class_of == case["class_of_node"]
    assert found.shown.keys() == case["nodes"].keys()
    sheets = defaultdict(list)
    for row in ballots:
        sheets[found.class_of[row["node"]]].append(row)
    totals = {
        (c.node, block): block_totals([[int(r[f"{block}{n}"] or 0) for n in (1, 2, 3)] for r in sheets[c.node]], k)
        for c in found.classes
        for block in BLOCKS
    }
    for code, expected in case["nodes"].items():
        assert found.shown[code] == expected["n_shown"]
        eligible = sum(n for unit, n in asked.items() if tree.is_at_or_below(unit, code))
        assert eligible == expected["eligible"]
        responded = sum(tree.is_at_or_below(row["node"], code) for row in ballots)
        assert responded == expected["n_responded"]
        assert (code in found.counted_higher) is (expected["n_shown"] < responded)
        assert close(responded / eligible, expected["response_rate"])
        means = []
        for block in BLOCKS:
            parts = [t for c in found.classes_shown_at(code) if (t := totals[c.node, block]) is not None]
            dims = expected["dims"][block]
            if not parts:
                assert dims is None or dims.get("mean") is None
                means.append(None)
                continue
            whole = parts[0]
            for part in parts[1:]:
                whole += part
            n, mean = whole.means.n, on_scale(whole.means.mean or 0)
            means.append(mean)
            assert n == dims["n"]
            assert close(mean, dims["mean"])
            assert close(whole.favourable_pct, dims["pct_favourable"])
            assert close(25 * (whole.means.sd or 0), dims["sd"])
            assert close(25 * (margin(whole.means, eligible) or 0), dims["moe95_fpc"])
            assert close(25 * (margin(whole.means) or 0), dims["moe95"])
            assert rounded(mean, n) == dims["display_mean"]
            assert str(shown_share(whole.favourable_pct, n)) == dims["display_favourable"]
        assert close(index(means), expected["index"])


# --- By hand -----------------------------------------------------------------------------------------------------
def test_half_of_a_block_is_enough_and_what_is_missing_takes_the_person_s_mean():
    found = block_totals([[5, 4, 0], [3, 3, 3], [0, 0, 5], [1, 2, 3], [4, 4, 4], [2, 0, 2]], 5)
    # The third sheet does not count. 4.5, 3, 2, 4, 2: sum 15.5; the missing third of the first is 4.5, favourable.
    assert found == BlockTotals(Totals(5, 15.5, 53.25), ((2, 1, 2), (2, 1, 2), (1, 2, 2)))
    assert close(found.favourable_pct, 40.0)
    assert block_totals([[5, 4, 0], [3, 3, 3], [0, 0, 5], [1, 2, 3], [4, 4, 4]], 5) is None
    assert block_totals([], 5) is None


@pytest.mark.parametrize("answers", [[[6]], [[-1]], [[2.5]], [1, 2]])
def test_an_answer_off_the_scale_is_refused(answers):
    with pytest.raises(ValueError, match=r"answers|sheets"):
        block_totals(answers, 5)


@pytest.mark.parametrize(
    ("points", "n", "shown"), [(62.4, 12, 60), (62.5, 12, 65), (61, 20, 62), (60.9, 49, 60), (60.5, 50, 61)]
)
def test_the_fewer_people_the_coarser_the_figure(points, n, shown):
    assert rounded(points, n) == shown


@pytest.mark.parametrize(("points", "n", "shown"), [(0, 12, 5), (5, 12, 5), (5.1, 12, 10), (0.2, 60, 1), (3.01, 30, 4)])
def test_a_margin_is_rounded_up_and_never_nothing(points, n, shown):
    assert rounded_margin(points, n) == shown


@pytest.mark.parametrize(
    ("pct", "n", "shown"),
    [
        (0, 8, "<=20"),
        (100, 8, ">=80"),
        (20, 8, "<=20"),
        (80, 8, ">=80"),
        (23, 8, "25"),
        (9.9, 12, "<=10"),
        (96, 30, ">=95"),
        (94, 30, "94"),
        (50, 5, "50"),
    ],
)
def test_near_nothing_and_all_only_a_bound_is_shown(pct, n, shown):
    assert str(shown_share(pct, n)) == shown
    assert shown_share(pct, n) == Share(int(shown.strip("<>=")), shown.rstrip("0123456789"))


def test_of_few_people_neither_items_nor_reliability_are_shown():
    assert [may_show_items(n) for n in (9, 10)] == [False, True]
    assert [trust_in_reliability(n) for n in (29, 30, 99, 100)] == ["hidden", "provisional", "provisional", "shown"]


def group(mean: float, n: int, sd: float = 20.0) -> Totals:
    """n values of this mean and standard deviation, half of them above, half below."""
    away = sd * sqrt((n - 1) / n)
    return Totals.of([mean + away] * (n // 2) + [mean - away] * (n // 2))


def test_what_is_said_of_a_change():
    said = verdicts(
        {
            "clear": change(group(50, 100), group(65, 100)),
            "worse": change(group(65, 100), group(50, 100)),
            "certain but small": change(group(50, 1000, sd=10), group(54, 1000, sd=10)),
            "hardly": change(group(50, 100), group(53, 100)),
            "few": change(group(50, 10), group(60, 10)),
            "nobody": None,
        }
    )
    assert list(said.values()) == [
        Verdict.UP, Verdict.DOWN, Verdict.NO_CLEAR_CHANGE, Verdict.NO_CLEAR_CHANGE, Verdict.TOO_FEW, Verdict.TOO_FEW,
    ]  # fmt: skip


def test_many_blocks_looked_at_together_make_a_change_harder_to_claim():
    one = change(group(50, 60), group(58, 60))
    assert one is not None
    assert 0.02 < one.p < 0.05
    still = change(group(50, 60), group(50.5, 60))
    assert verdicts({"a": one})["a"] == Verdict.UP
    assert verdicts({"a": one, "b": still, "c": still})["a"] == Verdict.NO_CLEAR_CHANGE


def test_an_index_needs_every_block():
    assert (index([50, 60]), index([50, None]), index([])) == (55, None, None)


@given(st.floats(0, 100), st.integers(5, 200))
def test_what_is_shown_is_never_further_off_than_a_step(points, n):
    assert abs(rounded(points, n) - points) <= 2.5
    assert rounded_margin(points, n) >= points - 1e-6
    share = shown_share(points, n)
    assert share.bound or abs(share.pct - points) <= 2.5


SHEET = st.lists(st.integers(0, 5), min_size=3, max_size=3)


@given(st.lists(SHEET, min_size=5, max_size=20), st.lists(SHEET, min_size=5, max_size=20))
def test_totals_of_two_classes_add_up_to_those_of_both(one, other):
    parts = block_totals(one, 1), block_totals(other, 1)
    both = block_totals(one + other, 1)
    if None in parts:
        return
    added = parts[0] + parts[1]
    assert (added.means.n, added.items) == (both.means.n, both.items)
    assert close([added.means.sum, added.means.sumsq], [both.means.sum, both.means.sumsq])
