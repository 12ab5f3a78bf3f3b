"""The pure half of the diagnostic: every published case, and what holds for any bank and any answers."""

from __future__ import annotations

import json
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from competencies import diagnostic
from competencies.diagnostic import (
    CALIBRATED,
    FEWEST_ITEMS,
    GRID,
    PRIOR,
    UNCALIBRATED,
    Bank,
    Item,
    Stop,
    at_least,
    eap,
    information,
    level_probabilities,
    next_item,
    posterior,
    to_ranks,
    verdict,
)
from competencies.enums import DiagnosticEnd

DATA = Path(os.environ.get("SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
EXPECTED = DATA / "psychometrics" / "expected.json"
HERE = pytest.mark.skipif(not EXPECTED.exists(), reason="the shared test data are not here (SHARED_DATA)")
TOLERANCE = 1e-6
CUTS = (-1.5, -0.5, 0.5, 1.5)
FACETS = {"one": 0.25, "two": 0.25, "three": 0.25, "four": 0.25}


def published():
    return json.loads(EXPECTED.read_text())["cases"]["irt_lsat6"] if EXPECTED.exists() else {}


def lsat6() -> Bank:
    case = published()
    items = [
        Item(id=number, facet="all", a=a, b=b, level=1, calibrated=True)
        for number, (a, b) in enumerate(zip(case["a"], case["b"], strict=True))
    ]
    return Bank(items=tuple(items), facets={"all": 1.0}, cuts=tuple(case["level_cuts"]))


def even_bank(count: int = 40, *, calibrated: bool = False, facets=FACETS, a: float = 1.0) -> Bank:
    """Difficulties spread evenly; facets in turn."""
    names = list(facets)
    return Bank(
        items=tuple(
            Item(
                id=100 + n,
                facet=names[n % len(names)],
                a=a,
                b=float(b),
                level=1 + 4 * n // count,
                calibrated=calibrated,
            )
            for n, b in enumerate(np.linspace(-2.4, 2.4, count))
        ),
        facets=facets,
        cuts=CUTS,
    )


def walk(bank: Bank, rights, *, seed: int = 7, seen=()) -> list[tuple[int, bool]]:
    """Take the diagnostic: `rights` says in turn whether an answer is right."""
    answers: list[tuple[int, bool]] = []
    for right in rights:
        if verdict(bank, answers, seen=seen):
            break
        item_id = next_item(bank, answers, seen=seen, seed=seed)
        assert item_id is not None
        answers.append((item_id, right))
    return answers


@HERE
def test_there_are_published_patterns_to_compare_with():
    assert len(published()["patterns"]) == 32


@HERE
@pytest.mark.parametrize("case", published().get("patterns", []), ids=lambda case: "".join(map(str, case["responses"])))
def test_a_published_pattern_is_met(case):
    bank = lsat6()
    found = posterior(bank, [(n, right == 1) for n, right in enumerate(case["responses"])])
    assert eap(found) == pytest.approx((case["eap"], case["sd"]), abs=TOLERANCE)
    assert level_probabilities(found, bank.cuts) == pytest.approx(case["level_probs"], abs=TOLERANCE)


@HERE
@pytest.mark.parametrize("case", published().get("information", []), ids=lambda case: str(case["theta"]))
def test_the_published_information_is_met(case):
    bank = lsat6()
    found = information(bank.a, bank.b, case["theta"])
    assert found == pytest.approx(case["info"], abs=TOLERANCE)
    assert int(found.argmax()) == case["most_informative_index"]


def test_before_the_first_answer_the_prior_is_what_is_known():
    bank = even_bank()
    found = posterior(bank, [])
    assert found == pytest.approx(PRIOR)
    theta, se = eap(found)
    assert theta == pytest.approx(0, abs=1e-12)
    assert se == pytest.approx(1, abs=1e-3)


def test_a_grid_point_on_a_cut_belongs_to_the_level_above():
    sure = (np.abs(GRID + 0.5) < 1e-12).astype(float)
    assert sure.sum() == 1
    assert level_probabilities(sure, CUTS) == (0, 0, 1, 0, 0)
    assert at_least(sure, CUTS) == (1, 1, 0, 0)


@st.composite
def banks(draw):
    names = draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=4, unique=True))
    weights = draw(st.lists(st.integers(1, 9), min_size=len(names), max_size=len(names)))
    count = draw(st.integers(8, 30))
    number = st.floats(-3, 3, allow_nan=False)
    return Bank(
        items=tuple(
            Item(
                id=n * 3,
                facet=names[n % len(names)],
                a=draw(st.floats(0.3, 2.5)),
                b=draw(number),
                level=1,
                calibrated=draw(st.booleans()),
            )
            for n in range(count)
        ),
        facets={name: weight / sum(weights) for name, weight in zip(names, weights, strict=True)},
        cuts=CUTS,
    )


@st.composite
def banks_with_answers(draw):
    bank = draw(banks())
    asked = draw(st.lists(st.sampled_from([item.id for item in bank.items]), unique=True, max_size=len(bank.items) - 1))
    return bank, [(item_id, draw(st.booleans())) for item_id in asked]


@settings(deadline=None)
@given(banks_with_answers(), st.randoms())
def test_the_order_of_answers_does_not_matter(taken, random):
    bank, answers = taken
    shuffled = random.sample(answers, len(answers))
    assert np.array_equal(posterior(bank, answers), posterior(bank, shuffled))
    assert verdict(bank, answers) == verdict(bank, shuffled)
    assert next_item(bank, answers, seed=3) == next_item(bank, shuffled, seed=3)


@settings(deadline=None)
@given(banks_with_answers())
def test_a_right_answer_never_lowers_and_a_wrong_one_never_raises(taken):
    bank, answers = taken
    before, _se = eap(posterior(bank, answers))
    asked = {item_id for item_id, _right in answers}
    free = next(item.id for item in bank.items if item.id not in asked)
    assert eap(posterior(bank, [*answers, (free, True)]))[0] >= before - 1e-12
    assert eap(posterior(bank, [*answers, (free, False)]))[0] <= before + 1e-12


@settings(deadline=None)
@given(banks_with_answers())
def test_probabilities_of_levels_add_up_to_one_and_at_least_never_rises_with_the_level(taken):
    bank, answers = taken
    found = posterior(bank, answers)
    chances, reached = level_probabilities(found, CUTS), at_least(found, CUTS)
    assert sum(chances) == pytest.approx(1)
    assert reached == pytest.approx([sum(chances[k:]) for k in range(1, 5)])
    assert all(upper <= lower + 1e-12 for lower, upper in pairwise(reached))


@settings(deadline=None)
@given(banks(), st.lists(st.booleans(), min_size=20, max_size=20), st.integers(0, 2**63 - 1))
def test_no_item_is_asked_twice_and_no_part_runs_ahead_of_its_share(bank, rights, seed):
    answers = walk(bank, rights, seed=seed)
    asked = [item_id for item_id, _right in answers]
    assert len(set(asked)) == len(asked)
    facet_of = {item.id: item.facet for item in bank.items}
    left = {name: sum(item.facet == name for item in bank.items) for name in bank.facets}
    for position, item_id in enumerate(asked):
        if not all(left.values()):
            break  # a part that has no items left cannot keep up
        left[facet_of[item_id]] -= 1
        counts = {name: sum(facet_of[one] == name for one in asked[: position + 1]) for name in bank.facets}
        for name, share in bank.facets.items():
            assert counts[name] < share * (position + 1) + 1
            assert counts[name] > share * (position + 1) - len(bank.facets)


@settings(deadline=None)
@given(banks_with_answers(), st.integers(0, 2**64 - 1))
def test_a_page_that_is_loaded_again_shows_the_same_question(taken, seed):
    bank, answers = taken
    assert next_item(bank, answers, seed=seed) == next_item(bank, list(answers), seed=seed)


def test_different_seeds_ask_different_first_questions_and_only_the_five_most_informative():
    bank = even_bank()
    firsts = {next_item(bank, [], seed=seed) for seed in range(200)}
    best = sorted(bank.items, key=lambda item: abs(item.b))[:6]
    assert len(firsts) == 5
    assert firsts <= {item.id for item in best}


def test_a_question_that_tells_much_less_than_the_best_is_not_drawn_while_two_are_left():
    difficulties = {1: 0.0, 2: 0.2, 3: -0.5, 4: 1.5, 5: 2.0, 6: -2.5}
    bank = Bank(tuple(Item(pk, "all", 1.0, b, 1) for pk, b in difficulties.items()), {"all": 1.0}, CUTS)
    assert {next_item(bank, [], seed=seed) for seed in range(100)} == {1, 2, 3}
    # Nobody is asked the same question for certain: of far ones the two nearest are drawn.
    assert {next_item(bank, [], seen={1, 2, 3}, seed=seed) for seed in range(100)} == {4, 5}
    assert next_item(bank, [], seen={1, 2, 3, 4, 5}, seed=1) == 6


def test_what_was_seen_before_is_not_asked_and_what_is_retired_neither():
    bank = even_bank(8)
    seen = {item.id for item in bank.items[:5]}
    assert {next_item(bank, [], seen=seen, seed=seed) for seed in range(100)} == {105, 106}
    assert {next_item(bank, [(105, True)], seen=seen, seed=seed) for seed in range(100)} == {106, 107}
    retired = Bank(
        items=tuple(Item(i.id, i.facet, i.a, i.b, i.level, retired=i.id != 103) for i in bank.items),
        facets=bank.facets,
        cuts=bank.cuts,
    )
    assert next_item(retired, [], seed=1) == 103
    assert next_item(retired, [(103, True)], seed=1) is None
    assert verdict(retired, [(103, True)]) == Stop.NO_ITEMS
    # A retired item that was answered still counts.
    assert eap(posterior(retired, [(100, True)]))[0] > 0


def test_a_diagnostic_asks_six_questions_at_least_even_of_the_sharpest():
    bank = even_bank(40, calibrated=True, a=4.0)
    answers: list[tuple[int, bool]] = []
    for _turn in range(FEWEST_ITEMS):
        assert verdict(bank, answers) is None
        item_id = next_item(bank, answers, seed=1)
        answers.append((item_id, bank.items[bank.index[item_id]].b < 0.1))
    assert verdict(bank, answers) == Stop.SURE


@pytest.mark.parametrize(("calibrated", "limits"), [(True, CALIBRATED), (False, UNCALIBRATED)])
def test_a_diagnostic_ends_by_length_when_no_level_stands_out(calibrated, limits):
    bank = even_bank(40, calibrated=calibrated, a=0.3 if calibrated else 1.0)
    answers = walk(bank, [n % 2 == 0 for n in range(40)])
    if calibrated:
        assert len(answers) == limits.most_items
    assert len(answers) <= limits.most_items
    assert verdict(bank, answers) in {Stop.LENGTH, Stop.SURE}


def test_one_item_without_calibration_makes_the_diagnostic_a_plain_one():
    sharp = [Item(n, "all", 0.3, 0.0, 1, calibrated=True) for n in range(15)]
    bank = Bank(items=(*sharp, Item(99, "all", 3.0, 0.0, 1)), facets={"all": 1.0}, cuts=CUTS)
    answers = [(n, n % 2 == 0) for n in range(15)]
    assert verdict(bank, answers) == Stop.LENGTH
    assert verdict(bank, [*answers[:14], (99, True)]) is None
    # and its discrimination counts as one
    assert bank.a[-1] == 1.0


def test_a_diagnostic_is_sure_only_when_one_level_stands_out():
    bank = even_bank()
    for seed in range(30):
        answers = walk(bank, [n % 3 != 0 for n in range(40)], seed=seed)
        found = posterior(bank, answers)
        if verdict(bank, answers) == Stop.SURE:
            assert eap(found)[1] <= UNCALIBRATED.se
            assert max(level_probabilities(found, CUTS)) >= diagnostic.LEVEL_STANDS_OUT


def test_with_the_usual_cuts_a_rank_is_the_ability_and_two():
    for theta in (-3.7, -1.5, -0.2, 0.0, 1.5, 3.9):
        assert to_ranks(theta, 0.45, CUTS) == pytest.approx((theta + 2, 0.45))


@settings(deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=1, max_size=6, unique=True).map(sorted), st.floats(-4, 4), st.floats(-4, 4))
def test_ranks_rise_with_ability_and_each_cut_lies_at_its_half(cuts, one, other):
    assume(all(b - a > 1e-3 for a, b in pairwise(cuts)))
    for k, cut in enumerate(cuts):
        assert to_ranks(cut, 0.1, cuts)[0] == pytest.approx(k + 0.5)
    low, high = sorted((one, other))
    assert to_ranks(low, 0.1, cuts)[0] <= to_ranks(high, 0.1, cuts)[0] + 1e-6
    assert to_ranks(one, 0.1, cuts)[1] > 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cuts": (0.0, 0.0)}, "increase"),
        ({"facets": {"one": 0.5, "two": 0.4}}, "add up"),
        ({"facets": {"other": 1.0}}, "without a share"),
        ({"items": (Item(1, "one", 1, 0, 1), Item(1, "one", 1, 0, 1))}, "twice"),
    ],
)
def test_a_bank_that_does_not_fit_is_refused(change, words):
    whole = {"items": (Item(1, "one", 1, 0, 1),), "facets": {"one": 0.5, "two": 0.5}, "cuts": CUTS}
    with pytest.raises(ValueError, match=words):
        Bank(**{**whole, **change})


def test_an_item_answered_twice_is_refused():
    with pytest.raises(ValueError, match="twice"):
        posterior(even_bank(), [(100, True), (100, False)])


def test_the_ends_are_those_that_are_stored():
    assert {stop.value for stop in Stop} <= set(DiagnosticEnd.values)


def test_the_worked_example_of_the_document():
    difficulties = {"a": -1.2, "b": -0.6, "c": 0.0, "d": 0.3, "e": 0.9, "f": 1.4, "g": -2.0, "h": 2.0}
    ids = {name: number for number, name in enumerate(difficulties)}
    bank = Bank(
        items=tuple(Item(ids[name], "all", 1.0, b, 1) for name, b in difficulties.items()),
        facets={"all": 1.0},
        cuts=CUTS,
    )
    said = [("c", True), ("d", True), ("e", False), ("b", True), ("f", False), ("a", True)]
    answers = [(ids[name], right) for name, right in said]
    rows = [
        (0.000, 1.000, (0.060, 0.231, 0.383, 0.253, 0.073)),
        (0.413, 0.910, (0.015, 0.129, 0.374, 0.355, 0.127)),
        (0.748, 0.843, (0.003, 0.057, 0.304, 0.436, 0.200)),
        (0.460, 0.780, (0.005, 0.091, 0.399, 0.404, 0.101)),
        (0.613, 0.743, (0.002, 0.055, 0.359, 0.456, 0.129)),
        (0.449, 0.702, (0.002, 0.074, 0.425, 0.423, 0.076)),
        (0.532, 0.680, (0.001, 0.053, 0.400, 0.457, 0.089)),
    ]
    for count, (theta, se, levels) in enumerate(rows):
        found = posterior(bank, answers[:count])
        assert eap(found) == pytest.approx((theta, se), abs=6e-4)
        assert level_probabilities(found, CUTS) == pytest.approx(levels, abs=6e-4)
    assert verdict(bank, answers) is None
    assert to_ranks(*eap(found), CUTS) == pytest.approx((2.532, 0.680), abs=6e-4)
    assert at_least(found, CUTS)[:3] == pytest.approx((0.999, 0.946, 0.546), abs=6e-4)
