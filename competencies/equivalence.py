"""What evidence for one competency is worth for another that is the same. Pure.

Two competencies are the same when they are editions of one (a common lineage) or a person has aligned them exactly.
Source and worked example: docs/algorithms/equivalence.md, tested in tests/competencies/test_equivalence.py.
"""

from __future__ import annotations

from collections.abc import Mapping

LEAST = 1

Label = Mapping[str, str]
"""A label in its languages, e.g. {"en": "Aware", "es": "Conoce"}"""


def translate_rank(
    rank: int,
    *,
    source: Mapping[int, Label],
    target: Mapping[int, Label],
    stated: Mapping[int, int] | None = None,
    editions: bool = False,
) -> int:
    """The rank of the target's scale that a rank of the source's scale shows.

    `source` and `target` are scales, rank → label (empty: only "held" is known); `stated` is what a person said,
    source rank → target rank; `editions` says that both are editions of one framework, whose ranks keep their meaning
    when only labels are reworded. Labels are the same when they read the same in a language that both have; in which
    language somebody reads plays no part. The answer never claims more than what is known: a scale that says nothing of
    the other's levels shows its lowest level above 0. Raises nothing; a higher rank never shows less.
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
    here, there = _words(source), _words(target)
    if here.keys() == there.keys() and (editions or all(here[r] & there[r] for r in here)):
        return rank if rank in there else max((r for r in there if r <= rank), default=lowest)
    shared = [to for to, words in there.items() if any(words & here[at] for at in here if at <= rank)]
    return max([lowest, *shared])


def is_same_level(
    rank: int, shown: int, *, source: Mapping[int, Label], target: Mapping[int, Label], stated: Mapping[int, int] | None
) -> bool:
    """Whether `shown`, as translated from `rank`, is that level here and not just the least that it shows: it has its
    number, a person said so, or both scales call it the same."""
    if shown == rank or (stated and stated.get(rank) == shown):
        return True
    return not stated and bool(_words(source).get(rank, set()) & _words(target).get(shown, set()))


def same_labels(one: Mapping[int, Label], other: Mapping[int, Label]) -> bool:
    """Whether each level of one scale is called as a level of the other, and the other way round."""
    here, there = _words(one).values(), _words(other).values()
    return all(any(a & b for b in there) for a in here) and all(any(a & b for a in here) for b in there)


def _words(scale: Mapping[int, Label]) -> dict[int, set[tuple[str, str]]]:
    return {
        rank: {(language, " ".join(text.casefold().split())) for language, text in label.items() if text.strip()}
        for rank, label in scale.items()
    }
