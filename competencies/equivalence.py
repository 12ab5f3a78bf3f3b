"""What evidence for one competency is worth for another that is the same. Pure.

Two competencies are the same when they are editions of one (a common lineage) or a person has aligned them exactly.
Source and worked example: docs/algorithms/equivalence.md, tested in tests/competencies/test_equivalence.py.
"""

from __future__ import annotations

from collections.abc import Mapping

LEAST = 1


def translate_rank(
    rank: int,
    *,
    source: Mapping[int, str],
    target: Mapping[int, str],
    stated: Mapping[int, int] | None = None,
    editions: bool = False,
) -> int:
    """The rank of the target's scale that a rank of the source's scale shows.

    `source` and `target` are scales, rank → label (empty: only "held" is known); `stated` is what a person said,
    source rank → target rank; `editions` says that both are editions of one framework, whose ranks keep their meaning
    when only labels are reworded. The answer never claims more than what is known: a scale that says nothing of the
    other's levels shows its lowest level above 0. Raises nothing; a higher rank never shows less.
    """
    if rank <= 0:
        return 0
    if not target:
        return LEAST
    lowest = min((r for r in target if r > 0), default=0)
    if stated:
        return max((to for at, to in stated.items() if at <= rank and to in target), default=0)
    if not source:
        return lowest
    if source.keys() == target.keys() and (editions or _words(source) == _words(target)):
        return rank if rank in target else max((r for r in target if r <= rank), default=lowest)
    by_label = {label: r for r, label in _words(target).items()}
    shared = [by_label[label] for r, label in _words(source).items() if r <= rank and label in by_label]
    return max([lowest, *shared])


def _words(scale: Mapping[int, str]) -> dict[int, str]:
    return {rank: " ".join(label.casefold().split()) for rank, label in scale.items()}
