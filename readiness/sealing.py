"""Sealing: which answer sheets are only ever counted together, so that no figure is about fewer than k people.

Pure: it takes a tree and head counts, not models. The rule, its worked example and why it is safe are in
docs/algorithms/sealing.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# Promise P1: this is a constant, not a setting.
LEAST_K = 5


class BadTree(ValueError):
    """The nodes are no single tree: no root or several, a parent that is missing, a code twice, or a circle."""


@dataclass(frozen=True)
class Node:
    """A unit as it was when the survey opened. `parent` is the code of the unit above, None at the root."""

    code: str
    parent: str | None


@dataclass(frozen=True)
class SealedClass:
    """Sheets that are only counted together: those of people directly in `members`, `n` of them, shown at `node`."""

    node: str
    members: tuple[str, ...]
    n: int


@dataclass(frozen=True)
class Tree:
    """Units in pre-order, children in ascending order of their codes. `last` is the last position at or below a unit."""

    codes: tuple[str, ...]
    parent: Mapping[str, str | None]
    depth: Mapping[str, int]
    position: Mapping[str, int]
    last: Mapping[str, int]

    @property
    def root(self) -> str:
        return self.codes[0]

    def ancestors(self, code: str) -> Iterable[str]:
        """The units above, the nearest first."""
        above = self.parent[code]
        while above is not None:
            yield above
            above = self.parent[above]

    def is_at_or_below(self, code: str, top: str) -> bool:
        return self.position[top] <= self.position[code] <= self.last[top]


def plant(nodes: Iterable[Node]) -> Tree:
    """The tree of these nodes, whatever order they come in. Raises BadTree."""
    parent: dict[str, str | None] = {}
    for node in nodes:
        if node.code in parent:
            raise BadTree(f"{node.code} comes twice")
        parent[node.code] = node.parent
    children: dict[str, list[str]] = {code: [] for code in parent}
    roots = []
    for code in sorted(parent, reverse=True):  # the lowest code is taken from the stack first
        above = parent[code]
        if above is None:
            roots.append(code)
        elif above not in parent:
            raise BadTree(f"{code} lies below {above}, which is not here")
        else:
            children[above].append(code)
    if len(roots) != 1:
        raise BadTree(f"{len(roots)} roots")
    codes: list[str] = []
    depth = {roots[0]: 0}
    waiting = roots
    while waiting:  # no recursion: an organisation may be deeper than Python's stack
        code = waiting.pop()
        codes.append(code)
        for child in children[code]:
            depth[child] = depth[code] + 1
        waiting.extend(children[code])
    if len(codes) != len(parent):
        raise BadTree("a circle")
    position = {code: at for at, code in enumerate(codes)}
    last = dict(position)
    for code in reversed(codes):
        above = parent[code]
        if above is not None:
            last[above] = max(last[above], last[code])
    return Tree(tuple(codes), parent, depth, position, last)


@dataclass(frozen=True)
class Sealed:
    """The classes of one wave, in the order of their units in the tree; none where everything is destroyed."""

    tree: Tree
    k: int
    classes: tuple[SealedClass, ...]
    # Of each unit with sheets, the unit whose class they are in.
    class_of: Mapping[str, str]
    # How many sheets the figure of a unit is of, for units that have one.
    shown: Mapping[str, int]
    # Units some of whose sheets are counted above them.
    counted_higher: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_destroyed(self) -> bool:
        """Fewer than k sheets in all: nothing may be kept."""
        return not self.classes

    def shown_for(self, code: str) -> str | None:
        """The unit whose figures people of this unit see: itself, else the nearest above that has any. None: nobody has."""
        if code in self.shown:
            return code
        return next((above for above in self.tree.ancestors(code) if above in self.shown), None)

    def classes_shown_at(self, code: str) -> tuple[SealedClass, ...]:
        """What the figure of a unit is the sum of: the classes at it and below."""
        return tuple(c for c in self.classes if self.tree.is_at_or_below(c.node, code))


def seal(tree: Tree, counts: Mapping[str, int], k: int) -> Sealed:
    """Put all sheets into classes of at least k.

    `counts`: how many sheets there are of people directly in a unit, by code; units left out have none. From the leaves
    up, a unit's own sheets are put together with what its sub-units could not use; as soon as there are k they are a
    class of that unit, else they are carried on upwards. What is left at the root joins the smallest class (ties: the
    shallowest unit, then the lowest code), and that class becomes the root's.
    Raises ValueError for k below LEAST_K, a negative count or a unit that is not in the tree.
    Source: docs/algorithms/sealing.md, whose worked example is tests/readiness/test_sealing.py.
    """
    if k < LEAST_K:
        raise ValueError(f"k is at least {LEAST_K}")
    if any(n < 0 for n in counts.values()) or counts.keys() - tree.parent.keys():
        raise ValueError("counts are of units of the tree and never negative")
    carried: dict[str, list[str]] = {code: [] for code in tree.codes}
    members: dict[str, list[str]] = {}
    # Backwards through pre-order every unit comes after all units below it. Of siblings the last comes first here, so
    # what they carry is put in front: members stay in the order of the tree.
    for code in reversed(tree.codes):
        own = [code] if counts.get(code, 0) else []
        carry = own + carried.pop(code)
        if sum(counts[unit] for unit in carry) >= k:
            members[code] = carry
            continue
        above = tree.parent[code]
        if above is not None:
            carried[above] = carry + carried[above]
        elif carry and members:
            smallest = min(members, key=lambda c: (sum(counts[u] for u in members[c]), tree.depth[c], c))
            # The root has no class of its own, or nothing would be left.
            members[code] = sorted(carry + members.pop(smallest), key=tree.position.__getitem__)
    classes = tuple(
        SealedClass(code, tuple(members[code]), sum(counts[unit] for unit in members[code]))
        for code in sorted(members, key=tree.position.__getitem__)
    )
    class_of = {unit: c.node for c in classes for unit in c.members}
    shown = _sums(tree, {c.node: c.n for c in classes})
    given = _sums(tree, counts) if classes else {}
    higher = frozenset(code for code, n in given.items() if 0 < shown.get(code, 0) < n)
    return Sealed(tree, k, classes, class_of, shown, higher)


def _sums(tree: Tree, at: Mapping[str, int]) -> dict[str, int]:
    """Of each unit the sum at it and below; units where it is nothing are left out."""
    total = {code: at.get(code, 0) for code in tree.codes}
    for code in reversed(tree.codes):
        above = tree.parent[code]
        if above is not None:
            total[above] += total[code]
    return {code: n for code, n in total.items() if n}
