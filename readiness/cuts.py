"""Margins of one attribute: which categories may be shown for the whole body beside the results of units.

Pure; graphs by networkx. Source: docs/algorithms/sealing.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import networkx as nx

HIDDEN = "\0hidden"


def shown_categories(cells: Mapping[tuple[str, str], int], k: int) -> tuple[str, ...]:
    """The categories whose totals over all classes may be shown, in ascending order; none where that would say too much.

    `cells`: how many sheets there are by (class, category). Totals of classes and of categories are all known, so
    anybody may add and subtract them; the smallest group that can come out of that is the smallest cut of the graph of
    classes and categories in which an edge weighs what its cell holds. While a cut below k is there, the smallest
    category (ties: the last in the alphabet) is hidden: hidden ones are one column together, as the rest. A single
    category beside nothing else is the whole body itself: nothing is shown then.
    """
    sizes: dict[str, int] = defaultdict(int)
    for (_row, category), n in cells.items():
        sizes[category] += n
    shown = {category for category, n in sizes.items() if n}
    while shown:
        columns = len(shown) + (len(shown) < len(sizes))
        if columns > 1 and not has_cut_below(_merged(cells, shown), k):
            return tuple(sorted(shown))
        shown.remove(min(shown, key=lambda category: (sizes[category], [-ord(sign) for sign in category])))
    return ()


def _merged(cells: Mapping[tuple[str, str], int], shown: set[str]) -> dict[tuple[str, str], int]:
    """The same table with everything hidden in one column."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for (row, category), n in cells.items():
        found[row, category if category in shown else HIDDEN] += n
    return found


def has_cut_below(cells: Mapping[tuple[str, str], int], k: int) -> bool:
    """Whether some group of fewer than k, and not of nobody, comes out of the margins of this table.

    Parts of the graph that hang together are looked at one by one: between them nothing is cut. What an edge of k or more
    holds together no such cut divides, so it counts as one vertex from the start, and so does what such vertices are
    joined by together. That leaves little for the exact search (Stoer and Wagner 1997).
    """
    graph: nx.Graph[str] = nx.Graph()
    for (row, category), n in cells.items():
        if n > 0:
            graph.add_edge(f"r{row}", f"c{category}", weight=n)
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
