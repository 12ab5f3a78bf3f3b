"""Sealing: no class of fewer than k, nobody in two, and every figure the sum of whole classes."""

from __future__ import annotations

import json
import os
import random
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness.sealing import LEAST_K, BadTree, Node, Sealed, plant, seal

DATA = Path(os.environ.get("SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
EXPECTED = DATA / "psychometrics" / "expected.json"
HERE = pytest.mark.skipif(not EXPECTED.exists(), reason="the shared test data are not here (SHARED_DATA)")


def sealed(shape: dict[str, tuple[str | None, int]], k: int) -> Sealed:
    tree = plant(Node(code, parent) for code, (parent, _n) in shape.items())
    return seal(tree, {code: n for code, (_parent, n) in shape.items()}, k)


def sizes(found: Sealed) -> dict[str, int]:
    return {c.node: c.n for c in found.classes}


# The worked example of docs/algorithms/sealing.md.
MINISTRY = {
    "M": (None, 3),
    "A": ("M", 12),
    "A1": ("A", 4),
    "A2": ("A", 11),
    "B": ("M", 2),
    "B1": ("B", 6),
    "B2": ("B", 1),
    "C": ("M", 10),
}


def test_the_worked_example_of_the_docs():
    found = sealed(MINISTRY, 10)
    # A takes A1's four along; B's nine cannot stand alone and become, with the ministry's own three, the root's class.
    assert sizes(found) == {"M": 12, "A": 16, "A2": 11, "C": 10}
    assert {c.node: c.members for c in found.classes}["M"] == ("M", "B", "B1", "B2")
    assert found.shown == {"M": 49, "A": 27, "A2": 11, "C": 10}
    assert [found.shown_for(code) for code in ("A1", "A2", "B1", "B", "C")] == ["A", "A2", "M", "M", "C"]
    assert found.counted_higher == frozenset()


def test_what_is_left_at_the_root_joins_the_smallest_class_and_that_becomes_the_root_s():
    found = sealed({"M": (None, 2), "A": ("M", 9), "B": ("M", 7), "B1": ("B", 5)}, 5)
    assert sizes(found) == {"M": 7, "A": 9, "B": 7}
    assert {c.node: c.members for c in found.classes}["M"] == ("M", "B1")
    # B's own figure goes without the five of B1, and says so.
    assert (found.shown["B"], found.counted_higher) == (7, {"B"})
    assert found.shown_for("B1") == "B"


@pytest.mark.parametrize(
    ("shape", "joined"),
    [
        ({"M": (None, 1), "B": ("M", 5), "A": ("M", 5)}, "A"),  # as many, as deep: the lowest code
        ({"M": (None, 1), "B": ("M", 5), "C": ("M", 6), "CA": ("C", 5)}, "B"),  # as many: the shallowest
        ({"M": (None, 1), "A": ("M", 9), "C": ("M", 6), "CA": ("C", 5)}, "CA"),  # the smallest before the shallowest
    ],
)
def test_ties_are_broken_by_depth_then_by_code(shape, joined):
    found = sealed(shape, 5)
    assert joined not in sizes(found)
    assert joined in {c.node: c.members for c in found.classes}["M"]


def test_fewer_than_k_sheets_in_all_are_destroyed():
    found = sealed({"M": (None, 4), "A": ("M", 5)}, 10)
    assert found.is_destroyed
    assert (found.classes, found.shown, found.counted_higher) == ((), {}, frozenset())
    assert found.shown_for("A") is None


def test_nobody_answered_at_all():
    assert sealed({"M": (None, 0)}, 5).is_destroyed


def test_a_very_deep_organisation_is_sealed():
    shape: dict[str, tuple[str | None, int]] = {"n00000": (None, 1)}
    shape |= {f"n{at:05}": (f"n{at - 1:05}", 1) for at in range(1, 5000)}
    found = sealed(shape, 10)
    assert (sum(sizes(found).values()), set(sizes(found).values())) == (5000, {10})


@pytest.mark.parametrize(
    ("nodes", "why"),
    [
        ([], "0 roots"),
        ([Node("A", None), Node("B", None)], "2 roots"),
        ([Node("A", None), Node("B", "C")], "not here"),
        ([Node("A", None), Node("A", None)], "twice"),
        ([Node("A", None), Node("B", "C"), Node("C", "B")], "circle"),
    ],
)
def test_what_is_no_tree_is_refused(nodes, why):
    with pytest.raises(BadTree, match=why):
        plant(nodes)


@pytest.mark.parametrize(("counts", "k"), [({"A": 9}, LEAST_K - 1), ({"A": -1}, 5), ({"X": 9}, 5)])
def test_what_cannot_be_sealed_is_refused(counts, k):
    with pytest.raises(ValueError, match=r"k is at least|counts are"):
        seal(plant([Node("A", None)]), counts, k)


# --- The shared cases (S2) ---------------------------------------------------------------------------------------
@HERE
def test_the_shared_cases_come_out_exactly():
    cases = json.loads(EXPECTED.read_text(encoding="utf-8"))["cases"]["sealing_trees"]
    looked_at = 0
    for case in cases:
        nodes = [Node(row["node"], row["parent"]) for row in case["nodes"]]
        counts = {row["node"]: row["responses"] for row in case["nodes"]}
        for name in (key for key in case if key.startswith("k")):
            expected = case[name]
            found = seal(plant(nodes), counts, int(name[1:]))
            assert found.class_of == {c: home for c, home in expected["class_of_node"].items() if counts[c]}, case[
                "case"
            ]
            assert sizes(found) == expected["class_sizes"]
            assert found.shown == expected["shown"]
            assert found.is_destroyed is bool(expected["destroyed"])
            looked_at += 1
    assert looked_at == 2 * len(cases) > 0


# --- What holds of every tree (S3) -------------------------------------------------------------------------------
@st.composite
def organisations(draw: st.DrawFn) -> tuple[list[Node], dict[str, int], int]:
    size = draw(st.integers(1, 14))
    # Codes do not follow the tree: the order of siblings is theirs.
    codes = draw(st.permutations([f"u{n:02}" for n in range(size)]))
    nodes = [Node(codes[0], None)]
    nodes += [Node(codes[at], codes[draw(st.integers(0, at - 1))]) for at in range(1, size)]
    counts = {code: draw(st.integers(0, 13)) for code in codes}
    return nodes, counts, draw(st.integers(LEAST_K, 12))


@settings(max_examples=2000, deadline=None)
@given(organisations(), st.randoms(use_true_random=False))
def test_every_class_has_k_everybody_is_in_one_and_figures_are_sums_of_classes(organisation, chance: random.Random):
    nodes, counts, k = organisation
    found = seal(plant(nodes), counts, k)
    asked = sum(counts.values())
    assert found.is_destroyed is (asked < k)
    assert all(c.n >= k for c in found.classes)
    units = [unit for c in found.classes for unit in c.members]
    assert len(units) == len(set(units))
    assert found.is_destroyed or set(units) == {code for code, n in counts.items() if n}
    assert all(c.n == sum(counts[unit] for unit in c.members) for c in found.classes)
    for c in found.classes:  # nobody is counted below or beside where she works
        assert all(found.tree.is_at_or_below(unit, c.node) for unit in c.members)
    for code in found.tree.codes:
        assert found.shown.get(code, 0) == sum(c.n for c in found.classes_shown_at(code))
        below = sum(n for unit, n in counts.items() if found.tree.is_at_or_below(unit, code))
        assert found.shown.get(code, 0) <= below
        assert (code in found.counted_higher) is (0 < found.shown.get(code, 0) < below)
    # In whatever order the units come, the classes are the same.
    shuffled = list(nodes)
    chance.shuffle(shuffled)
    again = seal(plant(shuffled), dict(sorted(counts.items(), key=lambda _item: chance.random())), k)
    assert again.classes == found.classes


@settings(max_examples=300, deadline=None)
@given(organisations())
def test_no_sum_or_difference_of_up_to_three_figures_is_about_fewer_than_k(organisation):
    """Promise P1 against subtraction: groups that can be looked at, added and subtracted, never isolate 1..k-1 people."""
    nodes, counts, k = organisation
    found = seal(plant(nodes), counts, k)
    if found.is_destroyed:
        return
    size = np.array([c.n for c in found.classes])
    at = {c.node: number for number, c in enumerate(found.classes)}
    rows = []
    for code in found.shown:
        row = np.zeros(len(size), dtype=int)
        row[[at[c.node] for c in found.classes_shown_at(code)]] = 1
        rows.append(row)
    groups = np.unique(np.array(rows), axis=0)
    for some in range(1, min(3, len(groups)) + 1):
        for chosen in combinations(groups, some):
            for signs in range(2**some):
                mix = sum((1 if signs >> n & 1 else -1) * row for n, row in enumerate(chosen))
                people = size[mix != 0].sum()
                assert people == 0 or people >= k
