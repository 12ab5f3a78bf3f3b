"""Margins of one attribute: no group of fewer than k comes out of what is shown, by any sum or difference."""

from __future__ import annotations

import json
from itertools import product
from random import Random

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.cuts import has_cut_below, shown_categories


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
