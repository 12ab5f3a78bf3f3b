"""Margins of one attribute: no group of fewer than k comes out of what is shown, by any sum or difference."""

from __future__ import annotations

import json
from collections import Counter
from itertools import combinations, product
from random import Random

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness import cuts
from readiness.cuts import has_cut_below, shown_categories
from readiness.sealing import LEAST_K, Node, plant, seal
from tests.readiness.reference import HERE, cases, rows


def cells_of(table):
    return {(f"r{i}", f"c{j}"): n for i, row in enumerate(table) for j, n in enumerate(row)}


def smallest_cut(table):
    """By trying every way of dividing rows and columns: what crosses is what can be worked out."""
    rows, columns = len(table), len(table[0])
    graph = nx.Graph()
    for i, j in product(range(rows), range(columns)):
        if table[i][j]:
            graph.add_edge(("r", i), ("c", j), weight=table[i][j])
    found = []
    for part in nx.connected_components(graph):
        vertices = sorted(part)
        for bits in range(1, 2 ** (len(vertices) - 1)):
            side = {v for at, v in enumerate(vertices) if bits >> at & 1}
            found.append(nx.cut_size(graph, side, set(vertices) - side, weight="weight"))
    return min(found, default=None)


def test_the_smallest_cut_of_the_known_tables(shared_data):
    cases = json.loads((shared_data / "psychometrics" / "expected.json").read_text())["cases"]["role_margin_min_cut"]
    assert len(cases) >= 16
    for case in cases:
        cells = cells_of(case["table"])
        assert has_cut_below(cells, case["min_cut"] + 1), case
        assert not has_cut_below(cells, case["min_cut"]), case


@given(
    st.integers(1, 4).flatmap(
        lambda columns: st.lists(
            st.lists(st.sampled_from([0, 0, 1, 3, 5, 9, 12]), min_size=columns, max_size=columns),
            min_size=1,
            max_size=4,
        )
    ),
    st.integers(5, 12),
)
def test_joining_what_cannot_be_divided_changes_no_verdict(table, k):
    found = smallest_cut(table)
    assert has_cut_below(cells_of(table), k) == (found is not None and found < k)


# The worked example of docs/algorithms/sealing.md.
MINISTRY = {
    ("A", "clerical"): 15, ("A", "service"): 9,
    ("B", "service"): 1, ("B", "technical"): 15,
    ("C", "service"): 9, ("C", "technical"): 1,
}  # fmt: skip


def test_the_worked_example_of_the_docs():
    # All totals are ten and more, but B less technical is B's one in service less C's one in technical: two people.
    assert has_cut_below(MINISTRY, 3) and not has_cut_below(MINISTRY, 2)
    # Clerical alone would be hidden from nobody; with technical it is a column of 31, and the smallest cut is C's ten.
    hidden = {("A", "rest"): 15, ("B", "rest"): 15, ("C", "rest"): 1}
    merged = hidden | {cell: n for cell, n in MINISTRY.items() if cell[1] == "service"}
    assert has_cut_below(merged, 11) and not has_cut_below(merged, 10)
    assert shown_categories(MINISTRY, 10) == ("service",)


@HERE
@pytest.mark.parametrize("wave", [1, 2])
@pytest.mark.parametrize("k", [5, 10])
def test_roles_are_shown_as_in_the_reports_of_the_reference(wave, k):
    expected = cases("synthetic_reports")[f"k{k}_wave{wave}"]["roles"]
    ballots = [row for row in rows("synthetic_ballots") if row["wave"] == str(wave)]
    tree = plant(Node(row["node"], row["parent"] or None) for row in rows("synthetic_org"))
    found = seal(tree, Counter(row["node"] for row in ballots), k)
    cells = Counter((found.class_of[row["node"]], row["role"]) for row in ballots)
    shown = shown_categories(cells, k)
    sizes = Counter(row["role"] for row in ballots)
    assert {role: sizes[role] for role in shown} == expected["published"]
    merged = Counter()
    for (row, role), n in cells.items():
        merged[row, role if role in shown else "rest"] += n
    assert has_cut_below(merged, expected["min_cut"] + 1) and not has_cut_below(merged, expected["min_cut"])


def test_totals_of_ten_and_more_are_not_enough():
    # Row 2 minus column 3 leaves two people although every total is at least ten.
    table = [[15, 9, 0], [0, 1, 15], [0, 9, 1]]
    assert min(map(sum, table)) >= 10 and min(map(sum, zip(*table, strict=True))) >= 10
    assert shown_categories(cells_of(table), 10) != ("c0", "c1", "c2")


@given(st.integers(0, 10_000))
def test_what_is_shown_leaves_no_group_below_k(seed):
    chance = Random(seed)
    table = [[chance.choice([0, 2, 5, 8, 14]) for _ in range(chance.randint(2, 4))] for _ in range(3)]
    table = [row[: len(table[0])] + [0] * (len(table[0]) - len(row)) for row in table]
    shown = shown_categories(cells_of(table), 10)
    if not shown:
        return
    kept = [j for j in range(len(table[0])) if f"c{j}" in shown]
    merged = [[row[j] for j in kept] + [sum(n for j, n in enumerate(row) if j not in kept)] for row in table]
    assert smallest_cut(merged) is None or smallest_cut(merged) >= 10


def test_the_order_of_the_cells_changes_nothing():
    cells = cells_of([[15, 9, 0], [0, 1, 15], [0, 9, 1], [20, 30, 12]])
    items = list(cells.items())
    for seed in range(20):
        Random(seed).shuffle(items)
        assert shown_categories(dict(items), 10) == shown_categories(cells, 10)


@pytest.mark.parametrize("cells", [{}, {("r", "c"): 40}, {("r", "c"): 40, ("s", "c"): 12}])
def test_one_category_is_the_whole_body_and_is_not_shown_beside_it(cells):
    assert shown_categories(cells, 10) == ()


def test_a_category_nobody_is_in_makes_the_other_one_no_part_of_the_whole():
    assert shown_categories({("A", "x"): 40, ("B", "x"): 20, ("B", "y"): 0}, 10) == ()


def test_a_small_rest_takes_the_next_category_along():
    # All less x and y would leave z's four. With y they are thirty-six, and no class has fewer than ten of those.
    cells = {
        ("A", "x"): 20, ("B", "x"): 30, ("A", "y"): 20, ("B", "y"): 12, ("A", "z"): 2, ("B", "z"): 2,
    }  # fmt: skip
    assert shown_categories(cells, 10) == ("x",)


@pytest.mark.parametrize(("codes", "hidden"), [("ab", "a"), (("a", "ab"), "a"), (("b", "ab"), "ab")])
def test_of_two_categories_as_small_the_lowest_code_is_hidden_first(codes, hidden):
    # Two who may not stand alone need company: one of the two twelves, and it is the first of them.
    one, other = codes
    cells = {(row, one): 6 for row in "AB"} | {(row, other): 6 for row in "AB"}
    cells |= {(row, "large"): 40 for row in "AB"} | {("A", "tiny"): 1, ("B", "tiny"): 1}
    assert hidden not in shown_categories(cells, 10)
    assert shown_categories(cells, 10) == tuple(sorted({one, other, "large"} - {hidden}))


def test_no_k_below_the_least_is_taken():
    with pytest.raises(ValueError, match="at least"):
        shown_categories(MINISTRY, LEAST_K - 1)


# --- Speed: the search is exact, and only what may still be divided goes into it ---------------------------------
def plain(cells):
    """The smallest cut by the library alone, part by part."""
    graph = nx.Graph()
    graph.add_edges_from(((0, row), (1, column), {"weight": n}) for (row, column), n in cells.items() if n)
    parts = (graph.subgraph(part) for part in nx.connected_components(graph))
    return min(nx.stoer_wagner(part)[0] for part in parts)


@given(st.integers(1, 25), st.integers(1, 7), st.integers(1, 15), st.integers(0, 2**32))
def test_the_verdict_is_that_of_the_plain_search_whatever_k(classes, categories, k, seed):
    chance = Random(seed)
    few, many = chance.choice([(0, 2), (0, 9), (0, 0, 0, 0, 7)]), chance.choice([3, 8, 30])
    cells = {
        (f"r{i}", f"c{j}"): chance.choice(few) + chance.choice([0, 0, chance.randint(1, many)])
        for i, j in product(range(classes), range(categories))
    }
    if any(cells.values()):
        smallest = plain(cells)
        assert has_cut_below(cells, k) == (smallest < k)
        assert has_cut_below(cells, smallest + 1) and not has_cut_below(cells, smallest)


def searched(monkeypatch):
    """How many vertices each exact search was given."""
    sizes, search = [], nx.stoer_wagner
    monkeypatch.setattr(cuts.nx, "stoer_wagner", lambda graph: sizes.append(len(graph)) or search(graph))
    return sizes


def test_twelve_thousand_classes_need_no_search_where_categories_mix(monkeypatch):
    chance, cells = Random(1), Counter()
    for row in range(12_000):
        cells.update((f"r{row}", f"c{chance.randrange(6)}") for _sheet in range(chance.randint(10, 20)))
    sizes = searched(monkeypatch)
    assert shown_categories(cells, 10) == tuple(f"c{at}" for at in range(6))
    assert sizes == []


def test_what_is_searched_does_not_grow_with_the_classes(monkeypatch):
    # As hard as it gets: nine classes for each pair of categories, one sheet of each in the smaller cell, and
    # thousands of classes of one category.
    categories = [f"c{at}" for at in range(6)]
    cells = {(f"r{row}", categories[row % 6]): 12 for row in range(6_000)}
    for a, b in combinations(categories, 2):
        for number in range(9):
            cells |= {(f"{a}{b}{number}", a): 9, (f"{a}{b}{number}", b): 1}
    sizes = searched(monkeypatch)
    assert not has_cut_below(cells, 10)
    assert len(sizes) == 1 and 100 < sizes[0] < 6 + 10 * 6**2 / 2
