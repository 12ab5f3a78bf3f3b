"""Which counts of a tree may be shown so that no small group can be worked out from them. Pure.

Source, worked example and what is not protected: docs/algorithms/standing.md, tested in
tests/competencies/test_suppression.py. A tree comes as the index of each node's parent, parents before children and each
branch in one piece (the order of the tree's paths); -1 for a root.

The seats of all nodes fall into blocks: each block is a number of whole direct groups and has at least `minimum` people.
A figure is shown when it is made of whole blocks. Whatever is added to or taken from shown figures is then made of whole
blocks too, so it never speaks of fewer people than a block.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

MINIMUM = 5
EMPTY = -1


@dataclass(frozen=True)
class Figure:
    """People who need a competency and how many of them are at the level.

    `exact` is False where blocks are among it, which say neither "nobody" nor "everybody".
    """

    people: int
    at_level: int
    exact: bool = True

    @property
    def lacking(self) -> int:
        return self.people - self.at_level


NOBODY = Figure(0, 0)


@dataclass
class Block:
    """Direct groups that are told only together. `top` is the depth of the branch they were joined in."""

    cells: list[int]
    people: int
    top: int


@dataclass(frozen=True)
class Published:
    """What may be shown of a tree: of each node by itself and with all below it, and of everything. None: not shown."""

    direct: Sequence[Figure | None]
    total: Sequence[Figure | None]
    whole: Figure | None
    # Which block each node's direct group belongs to, EMPTY for none; for those who check.
    block_of: Sequence[int] = field(default=())


def publish(
    parents: Sequence[int],
    people: Sequence[int],
    at_level: Sequence[int],
    *,
    known: Collection[int] = (),
    minimum: int = MINIMUM,
) -> Published:
    """Decide what of one competency is shown. `known`: nodes whose own figures the reader sees anyhow, in full.

    What is known neither protects others nor needs protection, so it stands outside the blocks.
    """
    size = len(parents)
    seen = set(known)
    hidden = [0 if node in seen else people[node] for node in range(size)]
    blocks, of = _blocks(parents, hidden, minimum)
    ends = _ends(parents)

    first, last = [min(block.cells) for block in blocks], [max(block.cells) for block in blocks]
    tells = [block.people >= minimum for block in blocks]
    # A block's figure is that it has at least one at the level and at least one who is not.
    sums = [0] * len(blocks)
    for node, block in enumerate(of):
        if block != EMPTY:
            sums[block] += at_level[node]
    sums = [min(max(total, 1), block.people - 1) for total, block in zip(sums, blocks, strict=True)]

    from_, to = list(range(size)), list(range(size))  # the reach of the blocks that each branch touches
    safe = [True] * size
    count, held, blurred = [0] * size, [0] * size, [False] * size
    for node in range(size):
        block = of[node]
        if node in seen:
            count[node], held[node] = people[node], at_level[node]
        elif block != EMPTY:
            from_[node], to[node], safe[node] = first[block], last[block], tells[block]
            if first[block] == node:  # counted once, where the block begins
                count[node], held[node] = blocks[block].people, sums[block]
            blurred[node] = True
    direct: list[Figure | None] = []
    for node in range(size):
        alone = of[node] == EMPTY or (safe[node] and from_[node] == node == to[node])
        direct.append(Figure(count[node], held[node], not blurred[node]) if alone else None)
    for node in reversed(range(size)):
        parent = parents[node]
        if parent >= 0:
            from_[parent], to[parent] = min(from_[parent], from_[node]), max(to[parent], to[node])
            count[parent] += count[node]
            held[parent] += held[node]
            safe[parent] = safe[parent] and safe[node]
            blurred[parent] = blurred[parent] or blurred[node]
    total = [
        Figure(count[node], held[node], not blurred[node])
        if safe[node] and from_[node] >= node and to[node] <= ends[node]
        else None
        for node in range(size)
    ]
    roots = [node for node in range(size) if parents[node] < 0]
    whole = Figure(sum(count[n] for n in roots), sum(held[n] for n in roots), not any(blurred[n] for n in roots))
    return Published(direct, total, whole if all(tells) else None, of)


def _ends(parents: Sequence[int]) -> list[int]:
    """The last node of each branch."""
    ends = list(range(len(parents)))
    for node in reversed(range(len(parents))):
        if parents[node] >= 0:
            ends[parents[node]] = max(ends[parents[node]], ends[node])
    return ends


def _blocks(parents: Sequence[int], people: Sequence[int], minimum: int) -> tuple[list[Block], list[int]]:
    """The blocks, and for each node the place of its block.

    From the leaves up: a group that is large enough is a block. Smaller ones of a branch wait for each other until they
    are large enough together. Where a branch has blocks already and what waits is too small, the block nearest to the
    branch's head takes it in (its figures are not shown by themselves any more), so that what the branch as a whole
    shows stays true. Only an organisation that is too small altogether is left with a block that is.
    """
    size = len(parents)
    depth = [0] * size
    for node, parent in enumerate(parents):
        depth[node] = depth[parent] + 1 if parent >= 0 else 1
    blocks: list[Block] = []
    of = [EMPTY] * size
    top = size  # the organisation above all roots
    waiting: list[list[int]] = [[] for _ in range(size + 1)]
    nearest: list[int | None] = [None] * (size + 1)  # the block of each branch that would cost least

    def cost(block: int) -> tuple[int, int, int]:
        return (blocks[block].top, blocks[block].people, block)

    def found(cells: list[int], at: int) -> int:
        blocks.append(Block(cells, sum(people[cell] for cell in cells), at))
        for cell in cells:
            of[cell] = len(blocks) - 1
        return len(blocks) - 1

    for node in (*reversed(range(size)), top):
        at = depth[node] if node < top else 0
        if node < top and people[node] >= minimum:
            mine = found([node], at)
            best = nearest[node]
            nearest[node] = mine if best is None or cost(mine) < cost(best) else best
        elif node < top and people[node]:
            waiting[node].append(node)
        small = sum(people[cell] for cell in waiting[node])
        best = nearest[node]
        if small >= minimum:
            mine = found(waiting[node], at)
            nearest[node] = mine if best is None or cost(mine) < cost(best) else best
            waiting[node] = []
        elif small and best is not None:
            block = blocks[best]
            for cell in waiting[node]:
                of[cell] = best
            block.cells, block.people, block.top = [*block.cells, *waiting[node]], block.people + small, at
            waiting[node] = []
        elif small and node == top:
            found(waiting[node], at)
        if node == top:
            break
        up = parents[node] if parents[node] >= 0 else top
        waiting[up] += waiting[node]
        best, theirs = nearest[node], nearest[up]
        if best is not None and (theirs is None or cost(best) < cost(theirs)):
            nearest[up] = best
    return blocks, of
