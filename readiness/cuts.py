"""Margins of one attribute: which categories may be shown for the whole body beside the results of units.

Pure; graphs by networkx. Source: docs/algorithms/sealing.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import combinations

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from readiness.sealing import LEAST_K

HIDDEN = "\0hidden"


def shown_categories(cells: Mapping[tuple[str, str], int], k: int) -> tuple[str, ...]:
    """The categories whose totals over all classes may be shown, in ascending order; none where that would say too much.

    `cells`: how many sheets there are by (class, category), of one block and of every class that has a figure of that
    block. Totals of classes and of categories are all known, so anybody may add and subtract them; the smallest group
    that can come out of that is the smallest cut of the graph of classes and categories in which an edge weighs what
    its cell holds. While a cut below k is there, the smallest category (ties: the lowest code) is hidden as well.
    What is hidden is one column together, because that much of it anybody can work out: all less what is shown. So a
    hidden column of few people is a cut below k like any other, and one category hidden alone hides nothing. A category
    that everybody is in is the whole body itself: nothing is shown then.
    Raises ValueError for k below LEAST_K.
    """
    if k < LEAST_K:
        raise ValueError(f"k is at least {LEAST_K}")
    sizes: dict[str, int] = defaultdict(int)
    for (_row, category), n in cells.items():
        if n > 0:
            sizes[category] += n
    shown = set(sizes)
    while shown:
        columns = len(shown) + (len(shown) < len(sizes))
        if columns > 1 and not has_cut_below(_merged(cells, shown), k):
            return tuple(sorted(shown))
        shown.remove(min(shown, key=lambda category: (sizes[category], category)))
    return ()


def _merged(cells: Mapping[tuple[str, str], int], shown: set[str]) -> dict[tuple[str, str], int]:
    """The same table with everything hidden in one column."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for (row, category), n in cells.items():
        found[row, category if category in shown else HIDDEN] += n
    return found


def has_cut_below(cells: Mapping[tuple[str, str], int], k: int) -> bool:
    """Whether some group of fewer than k, and not of nobody, comes out of the margins of this table; k from 1.

    Parts of the graph that hang together are looked at one by one: between them nothing is cut. What no cut below k can
    divide counts as one vertex from the start: first columns that share enough rows, then what an edge of k or more
    holds together. A row that is left is itself a cut below k, or lies in two groups of columns, which share fewer than
    k: with g groups fewer than g + k·g²/2 vertices go into the exact search (Stoer and Wagner 1997), whatever the rows.
    """
    graph: nx.Graph[str] = nx.Graph()
    for at, column in enumerate(_joined(cells, k)):
        for row in np.flatnonzero(column):
            graph.add_edge(f"r{row}", f"c{at}", weight=int(column[row]))
    for part in list(nx.connected_components(graph)):
        whole = _contracted(graph.subgraph(part), k)
        if whole.number_of_nodes() < 2:
            continue
        # A vertex that hangs on fewer than k is itself such a cut.
        if min(weight for _vertex, weight in whole.degree(weight="weight")) < k:
            return True
        if nx.stoer_wagner(whole)[0] < k:
            return True
    return False


def _joined(cells: Mapping[tuple[str, str], int], k: int) -> list[NDArray[np.int64]]:
    """The columns of the table, each a count by row, with those added up that no cut below k divides.

    From one column to another each row is a way as wide as the smaller of its two cells. Ways over different rows have
    no edge in common, so whoever divides the two columns cuts all of them: where they are k together, nobody does below k.
    """
    place = {row: at for at, row in enumerate(sorted({row for row, _column in cells}))}
    by_name: dict[str, NDArray[np.int64]] = {}
    for (row, column), n in sorted(cells.items()):
        if n > 0:
            by_name.setdefault(column, np.zeros(len(place), dtype=np.int64))[place[row]] = n
    columns = list(by_name.values())
    while True:
        pairs = combinations(range(len(columns)), 2)
        pair = next(((a, b) for a, b in pairs if np.minimum(columns[a], columns[b]).sum() >= k), None)
        if pair is None:
            return columns
        columns[pair[0]] = columns[pair[0]] + columns.pop(pair[1])


def _contracted(graph: nx.Graph[str], k: int) -> nx.Graph[str]:
    """The graph with everything joined by k or more made one vertex, again and again until nothing is."""
    while True:
        strong: nx.Graph[str] = nx.Graph()
        strong.add_nodes_from(graph)
        strong.add_edges_from((a, b) for a, b, n in graph.edges(data="weight") if n >= k)
        if not strong.number_of_edges():
            return graph
        name = {vertex: f"{at}" for at, part in enumerate(nx.connected_components(strong)) for vertex in part}
        smaller: nx.Graph[str] = nx.Graph()
        smaller.add_nodes_from(name.values())
        for a, b, n in graph.edges(data="weight"):
            if name[a] != name[b]:
                known = smaller.get_edge_data(name[a], name[b], {"weight": 0})["weight"]
                smaller.add_edge(name[a], name[b], weight=known + n)
        graph = smaller
