"""What of one edition is what of the next: the proposal that a person confirms. Pure.

The surest ground wins: the same identifier, the same code, the same wording, then close wording. Each thing is matched
at most once. Source and worked example: docs/algorithms/crosswalk.md, tested in tests/competencies/test_crosswalk.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from competencies.enums import SuccessionBasis

# Below this, two texts are not worth a person's look; found on real editions (docs/algorithms/crosswalk.md).
CLOSE_PCT = 80
# The same code with words as different as this is more likely a code used again than a reworded competency.
SAME_CODE_PCT = 45
CHUNK = 500


@dataclass(frozen=True)
class Thing:
    """A competency or role profile of an edition. `title` and `text` are in one language, the same for all things."""

    key: int
    kind: str
    code: str
    title: str
    text: str = ""
    identifier: str = ""


@dataclass(frozen=True)
class Match:
    """`new` is None where nothing of the new edition is like `old`. `similarity` is 0 to 100."""

    old: int
    new: int | None
    basis: SuccessionBasis
    similarity: int


def propose(old: Iterable[Thing], new: Iterable[Thing]) -> tuple[Match, ...]:
    """For each thing of the old edition its most likely successor, in the order of `old`.

    Only things of one kind are matched. The order of `new` does not matter. Things of `new` in no match are added ones.
    """
    given = list(old)
    waiting = {thing.key: thing for thing in sorted(given, key=lambda thing: thing.key)}
    free = {thing.key: thing for thing in sorted(new, key=lambda thing: thing.key)}
    found: dict[int, Match] = {}
    grounds: list[tuple[SuccessionBasis, Callable[[Thing], Hashable], int]] = [
        (SuccessionBasis.IDENTIFIER, lambda t: t.identifier, 0),
        (SuccessionBasis.CODE, lambda t: t.code, SAME_CODE_PCT),
        (SuccessionBasis.WORDING, lambda t: _plain(t.title), 0),
    ]
    for basis, ground, least in grounds:
        for one, other in _pairs(waiting.values(), free.values(), ground):
            similarity = _similarity(one, other)
            if similarity >= least:
                found[one.key] = Match(one.key, other.key, basis, similarity)
                del waiting[one.key], free[other.key]
    for one, other, similarity in _close(list(waiting.values()), list(free.values())):
        found[one.key] = Match(one.key, other.key, SuccessionBasis.CLOSE, similarity)
    return tuple(found.get(key, Match(key, None, SuccessionBasis.NONE, 0)) for key in (t.key for t in given))


def _pairs(
    old: Iterable[Thing], new: Iterable[Thing], ground: Callable[[Thing], Hashable]
) -> list[tuple[Thing, Thing]]:
    """Things of one kind with the same ground, where it names one thing on each side."""
    ours = [(thing, (thing.kind, ground(thing))) for thing in old if ground(thing)]
    theirs = [(thing, (thing.kind, ground(thing))) for thing in new if ground(thing)]
    once_here = Counter(mark for _thing, mark in ours)
    once_there = Counter(mark for _thing, mark in theirs)
    by_mark = {mark: thing for thing, mark in theirs if once_there[mark] == 1}
    return [(thing, by_mark[mark]) for thing, mark in ours if once_here[mark] == 1 and mark in by_mark]


def _close(old: Sequence[Thing], new: Sequence[Thing]) -> list[tuple[Thing, Thing, int]]:
    """Pairs of close wording, the closest first, each thing once."""
    candidates: list[tuple[int, int, int, Thing, Thing]] = []
    for kind in sorted({thing.kind for thing in old}):
        ours = [thing for thing in old if thing.kind == kind]
        theirs = [thing for thing in new if thing.kind == kind]
        if not theirs:
            continue
        titles = [_plain(thing.title) for thing in theirs]
        for start in range(0, len(ours), CHUNK):
            chunk = ours[start : start + CHUNK]
            scores = process.cdist([_plain(t.title) for t in chunk], titles, scorer=fuzz.token_sort_ratio)
            texts = process.cdist([_plain(t.text) for t in chunk], [_plain(t.text) for t in theirs], scorer=fuzz.ratio)
            for i, one in enumerate(chunk):
                for j, other in enumerate(theirs):
                    # Title and text weigh alike: above the same text, a title that shares nothing is not close enough.
                    score = _together(float(scores[i, j]), float(texts[i, j]), one, other)
                    if score >= CLOSE_PCT:
                        candidates.append((-score, one.key, other.key, one, other))
    taken_old: set[int] = set()
    taken_new: set[int] = set()
    chosen = []
    for negative, old_key, new_key, one, other in sorted(candidates, key=lambda candidate: candidate[:3]):
        if old_key not in taken_old and new_key not in taken_new:
            taken_old.add(old_key)
            taken_new.add(new_key)
            chosen.append((one, other, -negative))
    return chosen


def _similarity(one: Thing, other: Thing) -> int:
    title = fuzz.token_sort_ratio(_plain(one.title), _plain(other.title))
    return _together(title, fuzz.ratio(_plain(one.text), _plain(other.text)), one, other)


def _together(title: float, text: float, one: Thing, other: Thing) -> int:
    """0 to 100: the title and, where both have one, the text below it in equal parts."""
    if one.text and other.text:
        return round((title + text) / 2)
    return round(title)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
