"""A sound answer without a proof: the course that does most for its minutes, again and again. Pure.

Used as the first bound of the exact planner, as its answer when the time limit is hit, and as its rival in
docs/algorithms/planning.md. The ratio rule is Chvátal's for set cover (Mathematics of Operations Research 4, 1979).
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from learning.path_terms import Model


def choose_greedily(model: Model, weights: Sequence[float] | None = None) -> frozenset[int]:
    """Columns that meet every cover and contain what they need; none of them can be left out.

    `weights` may stand in for the costs while choosing. Ties go to the smaller column.
    The model must have a solution; what it needs is followed transitively.
    """
    price = model.costs if weights is None else weights
    first: dict[int, list[int]] = {}
    for after, before in model.needs:
        first.setdefault(after, []).append(before)
    serves: dict[int, list[int]] = {}
    missing = [least for _columns, least in model.covers]
    for row, (columns, _least) in enumerate(model.covers):
        for column in columns:
            serves.setdefault(column, []).append(row)
    chosen: set[int] = set()

    def bundle(column: int) -> set[int]:
        found: set[int] = set()
        stack = [column]
        while stack:
            here = stack.pop()
            if here not in found and here not in chosen:
                found.add(here)
                stack.extend(first.get(here, ()))
        return found

    def worth(column: int) -> float | None:
        """Minutes for each thing that is missing, None when nothing of it is."""
        added = bundle(column)
        gain: dict[int, int] = {}
        for here in added:
            for row in serves.get(here, ()):
                gain[row] = gain.get(row, 0) + 1
        closes = sum(min(count, missing[row]) for row, count in gain.items() if missing[row] > 0)
        return sum(price[here] for here in added) / closes if closes else None

    heap = [(ratio, column) for column in sorted(serves) if (ratio := worth(column)) is not None]
    heapq.heapify(heap)
    open_rows = sum(missing)
    while open_rows > 0 and heap:
        _stale, column = heapq.heappop(heap)
        if column in chosen or (ratio := worth(column)) is None:
            continue
        if heap and (ratio, column) > heap[0]:
            heapq.heappush(heap, (ratio, column))
            continue
        for here in bundle(column):
            chosen.add(here)
            for row in serves.get(here, ()):
                if missing[row] > 0:
                    open_rows -= 1
                missing[row] -= 1
    return without_redundant(model, chosen)


def without_redundant(model: Model, chosen: set[int] | frozenset[int]) -> frozenset[int]:
    """Leave out what is not needed, the costliest first, until every course is there for something."""
    kept = set(chosen)
    needed_by: dict[int, set[int]] = {}
    for after, before in model.needs:
        if after in kept and before in kept:
            needed_by.setdefault(before, set()).add(after)
    first: dict[int, list[int]] = {}
    for after, before in model.needs:
        first.setdefault(after, []).append(before)
    spare = [len(kept.intersection(columns)) - least for columns, least in model.covers]
    rows: dict[int, list[int]] = {}
    for row, (columns, _least) in enumerate(model.covers):
        for column in columns:
            if column in kept:
                rows.setdefault(column, []).append(row)
    stack = sorted(kept, key=lambda column: (model.costs[column], column))
    while stack:
        column = stack.pop()
        if column not in kept or needed_by.get(column) or any(spare[row] <= 0 for row in rows.get(column, ())):
            continue
        kept.remove(column)
        for row in rows.get(column, ()):
            spare[row] -= 1
        for before in first.get(column, ()):
            if before in needed_by:
                needed_by[before].discard(column)
                stack.append(before)  # it may have been there only for this course
    return frozenset(kept)
