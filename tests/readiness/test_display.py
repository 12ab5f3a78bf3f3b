"""From answer sheets to what is shown: whole reports against the reference, and rules by hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from importlib import import_module
from inspect import isfunction
from math import sqrt
from pathlib import Path
from re import findall

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness import weekly
from readiness.results import Figure
from readiness.sealing import Node, plant, seal
from readiness.statistics.display import (
    FALSE_AMONG_FOUND,
    NOTABLE_POINTS,
    TOO_WIDE_POINTS,
    TOP_RESPONSE_PCT,
    Share,
    Standing,
    Verdict,
    describes_those_who_answered,
    index,
    may_compare,
    may_show_items,
    rounded,
    rounded_margin,
    shown_response,
    shown_share,
    standings,
    to_talk_about,
    trust_in_reliability,
    verdicts,
)
from readiness.statistics.inference import Change, Totals, change, margin
from readiness.statistics.scores import score_0_100
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
            n, mean = whole.means.n, score_0_100(whole.means.mean or 0)
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


# --- A unit beside the rest of the one above it ------------------------------------------------------------------
def test_what_is_said_of_a_unit_beside_the_rest():
    said = standings(
        {
            "above": change(group(50, 100), group(65, 100)),
            "below": change(group(65, 100), group(50, 100)),
            "certain but small": change(group(50, 1000, sd=10), group(54, 1000, sd=10)),
            "hardly": change(group(50, 100), group(53, 100)),
            "few": change(group(50, 10), group(60, 10)),
            "nobody": None,
        }
    )
    assert list(said.values()) == [
        Standing.ABOVE, Standing.BELOW, Standing.NO_CLEAR_DIFFERENCE, Standing.NO_CLEAR_DIFFERENCE,
        Standing.TOO_FEW, Standing.TOO_FEW,
    ]  # fmt: skip


def test_the_more_units_on_a_screen_the_harder_to_stand_out_but_one_among_many_that_do_still_does():
    one = change(group(50, 60), group(57.5, 60))
    assert one is not None
    assert 0.03 < one.p < 0.05
    still = change(group(50, 60), group(50.5, 60))
    assert standings({"a": one})["a"] == Standing.ABOVE
    assert standings({"a": one, "b": still, "c": still, "d": still})["a"] == Standing.NO_CLEAR_DIFFERENCE
    clear = change(group(50, 60), group(70, 60))
    assert standings({"a": one, "b": clear, "c": clear, "d": still})["a"] == Standing.ABOVE
    # Units without a figure are not counted among those looked at.
    assert standings({"a": one, "b": None, "c": None, "d": None})["a"] == Standing.ABOVE


def test_at_a_tenth_exactly_a_unit_still_stands_out():
    found = change(group(50, 60), group(57.5, 60))
    assert found is not None
    at, beyond = replace(found, p=0.10), replace(found, p=0.1001)
    assert standings({"a": at}) == {"a": Standing.ABOVE}
    assert standings({"a": beyond}) == {"a": Standing.NO_CLEAR_DIFFERENCE}


def test_on_a_screen_of_several_blocks_all_of_it_is_looked_at_together():
    one, still = change(group(50, 60), group(57.5, 60)), change(group(50, 60), group(50.5, 60))
    screen = {("A", "why"): one} | {("A", block): still for block in BLOCKS if block != "why"}
    assert set(standings(screen).values()) == {Standing.NO_CLEAR_DIFFERENCE}


@HERE
def test_segments_of_a_real_scale_differ_but_too_little_to_be_pointed_at():
    """Four of five are below .10 after correction; the largest difference is four points of a hundred."""
    case = cases("bfi_segments")
    assert [p <= 0.10 for p in case["bh"]] == [True, True, True, True, False]
    points = {
        at: Change(
            20 * s["diff"],
            20 * s["diff"] / s["t"],
            s["t"],
            s["df"],
            s["p"],
            20 * s["diff"] - 3,
            20 * s["diff"] + 3,
            0,
            0,
        )
        for at, s in enumerate(case["segments"])
    }
    assert set(standings(points).values()) == {Standing.NO_CLEAR_DIFFERENCE}
    doubled = {at: replace(found, diff=2 * found.diff) for at, found in points.items()}
    assert [*standings(doubled).values()] == [
        Standing.BELOW, Standing.NO_CLEAR_DIFFERENCE, Standing.ABOVE, Standing.NO_CLEAR_DIFFERENCE,
        Standing.NO_CLEAR_DIFFERENCE,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("icc2", "compares"), [(None, False), (-0.2, False), (0.6999, False), (0.70, True), (1.0, True)]
)
def test_units_are_set_side_by_side_only_where_their_means_are_reliable(icc2, compares):
    assert may_compare(icc2) is compares


# --- How many answered -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("done", "eligible", "shown"),
    [
        (0, 40, 0),
        (1, 40, 5),  # 2.5, halves upwards
        (9, 40, 25),  # 22.5
        (13, 40, 35),  # 32.5
        (24, 100, 25),
        (22, 100, 20),
        (94, 100, 90),  # nearer to 95, but "95 or more" would not be true
        (95, 100, TOP_RESPONSE_PCT),
        (100, 100, TOP_RESPONSE_PCT),
        (10, 10, TOP_RESPONSE_PCT),
        (9, 10, 90),
        (9, 9, None),
        (0, 0, None),
    ],
)
def test_while_a_survey_is_open_response_is_coarse_and_open_at_the_top(done, eligible, shown):
    assert shown_response(done, eligible, 10) == shown


def test_a_unit_that_nobody_is_in_has_no_response_whatever_the_least():
    assert shown_response(0, 0, 0) is None


@given(st.integers(10, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_response_shown_is_near_what_it_is_and_never_says_that_all_have_answered(case):
    done, eligible = case
    shown, pct = shown_response(done, eligible, 10), 100 * done / eligible
    assert shown in range(0, 100, 5)
    assert (shown == TOP_RESPONSE_PCT) is (pct >= 95)
    assert abs(shown - pct) <= 5
    assert abs(shown - pct) <= 2.5 or pct > 92


@pytest.mark.parametrize(
    ("n", "eligible", "classes", "says"),
    [
        (50, 100, [], False),
        (49, 100, [], True),
        (70, 100, [(60, 70), (10, 30)], False),
        (70, 100, [(15, 51), (55, 49)], True),  # 29.4 in one class
        (30, 100, [(30, 100)], True),
        (15, 0, [], True),  # nobody knows of how many
        (60, 100, [(30, 100)], False),  # in a class below 30, not at it
    ],
)
def test_few_answers_are_said_to_be_of_those_who_answered(n, eligible, classes, says):
    assert describes_those_who_answered(n, eligible, classes) is says


# --- What to talk about ------------------------------------------------------------------------------------------
def test_the_block_to_talk_about_has_the_most_to_win_among_clear_figures():
    weights = {"why": 0.5, "benefit": 0.3, "support": 0.2}
    # .5 · 40 = 20, .3 · 60 = 18, .2 · 80 = 16.
    assert to_talk_about({"why": (60, 5), "benefit": (40, 5), "support": (20, 5)}, weights) == "why"
    assert to_talk_about({"why": (60, 11), "benefit": (40, 10), "support": (20, 5)}, weights) == "benefit"
    assert to_talk_about({"why": (60, None), "benefit": (None, None), "support": (20, 5)}, weights) == "support"
    assert to_talk_about({"why": (60, 11), "benefit": (None, None)}, weights) is None
    assert to_talk_about({}, {}) is None


def test_without_weights_the_lowest_block_is_talked_about():
    assert to_talk_about({"why": (60, 5), "benefit": (40, 5), "support": (50, 5)}, {}) == "benefit"


def test_a_block_without_a_weight_counts_as_the_others_do_on_average():
    weights = {"why": 0.4, "benefit": 0.2}
    # .4 · 40 = 16; .3 · 54 = 16.2, .3 · 53 = 15.9.
    assert to_talk_about({"why": (60, 5), "commitment": (46, 5)}, weights) == "commitment"
    assert to_talk_about({"why": (60, 5), "commitment": (47, 5)}, weights) == "why"


def test_of_equals_the_lower_figure_then_the_order_decides():
    assert to_talk_about({"a": (60, 5), "b": (20, 5)}, {"a": 0.5, "b": 0.25}) == "b"
    assert to_talk_about({"a": (60, 5), "b": (60, 5)}, {}) == "a"


def test_the_card_of_the_week_talks_about_that_block_and_of_nothing_unclear():
    figures = [
        Figure(code, code, "", "readiness", 30, score, margin, None)
        for code, score, margin in (("why", 60, 6), ("benefit", 40, 10), ("support", 20, 12), ("efficacy", None, None))
    ]
    assert weekly.to_talk_about(figures, {}) is figures[1]
    assert weekly.to_talk_about(figures, {"why": 0.6, "benefit": 0.2, "support": 0.2}) is figures[0]
    assert weekly.to_talk_about(figures[2:], {}) is None


def test_the_strength_of_a_unit_is_never_what_to_talk_about_first():
    def figure(code: str, score: int, margin: int) -> Figure:
        return Figure(code, code, "", "readiness", 30, score, margin, None)

    only = [figure("why", 70, 10), figure("benefit", 40, 12)]
    assert weekly.strength_of(only) is only[0]
    assert weekly.to_talk_about(only, {}) is None
    all_high = [figure("why", 90, 5), figure("benefit", 75, 5)]
    assert weekly.to_talk_about(all_high, {}) is all_high[1]


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


# --- The documentation -------------------------------------------------------------------------------------------
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "algorithms" / "readiness.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """The rows of the table that begins with this column."""
    lines = PAGE[PAGE.index(f"| {heading} |") :].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_of_steps_in_the_docs_is_what_is_done():
    sizes = {"under 10": (5, 9), "10 to 19": (10, 19), "20 to 49": (20, 49), "50 and more": (50, 900)}
    found = table("of so many")
    assert [row[0] for row in found] == list(sizes)
    for words, steps, ends in found:
        low, high = (int(end.strip(" ≤≥")) for end in ends.split(","))
        for n in sizes[words]:
            shown = {rounded(points / 10, n) for points in range(1001)}
            assert shown == set(range(0, 101, int(steps)))
            assert rounded_margin(0, n) == int(steps)
            assert (str(shown_share(low, n)), str(shown_share(high, n))) == (f"<={low}", f">={high}")
            assert not shown_share(low + 0.1, n).bound
            assert not shown_share(high - 0.1, n).bound


def test_the_table_of_words_in_the_docs_is_what_is_done():
    found = {row[0]: row[1:] for row in table("said of")}
    for row, words in (("a change", Verdict), ("a unit beside the rest of the one above it", Standing)):
        assert findall(r"`(\w+)`", found[row][-1]) == [word.value for word in words], row
        assert f"{NOTABLE_POINTS:.0f} points" in found[row][1] and f"{TOO_WIDE_POINTS:.0f} points" in found[row][2]
    assert f"is {FALSE_AMONG_FOUND:.2f}".replace("0.", ".") in found["a unit beside the rest of the one above it"][0]


def test_every_figure_in_the_docs_is_a_function_and_every_public_function_is_in_the_docs():
    families = ("agreement", "did", "drivers", "inference", "reliability", "scores", "weighting")
    known = set()
    for family in families:
        module = import_module(f"readiness.statistics.{family}")
        known |= {
            name for name, thing in vars(module).items()
            if isfunction(thing) and thing.__module__ == module.__name__ and not name.startswith("_")
        }  # fmt: skip
    named = {name for row in table("figure") for name in findall(r"`(\w+)`", row[0])}
    assert named == known
