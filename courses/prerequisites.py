"""Which course comes before which: a pure look at the graph of prerequisites."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter


def find_cycle(edges: Mapping[str, Iterable[str]]) -> list[str]:
    """The first circle among course keys (`edges` lead from a course to its prerequisites), or an empty list.

    The list starts and ends with the same key, in the order "needs".
    """
    sorter = TopologicalSorter({key: sorted(before) for key, before in sorted(edges.items())})
    try:
        sorter.prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []
