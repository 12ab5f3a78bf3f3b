"""A curated path as values: its stages, how far somebody is in them, and what a new version changes. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from i18nfield.strings import LazyI18nString


@dataclass(frozen=True)
class Stage:
    """A part of a curated path: all of its courses (`choose` None), or so many of them. `keys` in their order."""

    id: int
    path_id: int
    version_id: int
    title: LazyI18nString
    choose: int | None
    keys: tuple[str, ...]

    @property
    def needed(self) -> int:
        """How many of its courses are to be taken."""
        return len(self.keys) if self.choose is None else min(self.choose, len(self.keys))


@dataclass(frozen=True)
class StageProgress:
    """How far somebody is in a stage. `done` are all of its courses she has; no more than are needed count."""

    stage: Stage
    done: tuple[str, ...]

    @property
    def needed(self) -> int:
        return self.stage.needed

    @property
    def counted(self) -> int:
        return min(len(self.done), self.needed)

    @property
    def is_complete(self) -> bool:
        return self.counted == self.needed


@dataclass(frozen=True)
class Progress:
    """How far somebody is in a curated path, in courses."""

    stages: tuple[StageProgress, ...]

    @property
    def needed(self) -> int:
        return sum(stage.needed for stage in self.stages)

    @property
    def counted(self) -> int:
        return sum(stage.counted for stage in self.stages)

    @property
    def pct(self) -> int:
        """From 0 to 100, rounded down: 100 means that nothing is left. A path without courses is at 0."""
        return 100 * self.counted // self.needed if self.needed else 0

    @property
    def is_complete(self) -> bool:
        return bool(self.needed) and self.counted == self.needed


def progress(stages: Sequence[Stage], passed_or_held: Collection[str]) -> Progress:
    """How far somebody is who has passed, or holds all that is taught by, these courses (keys)."""
    return Progress(
        tuple(StageProgress(stage, tuple(key for key in stage.keys if key in passed_or_held)) for stage in stages)
    )


def minutes_left(stages: Sequence[Stage], minutes: Mapping[str, int], passed_or_held: Collection[str] = ()) -> int:
    """The least learner time to the end of the path: of a choice, the shortest courses that are still missing.

    `minutes` are those of the courses offered; one that is not offered takes nobody's time. Courses that are required
    first and are not part of the path are left out.
    """
    total = 0
    for part in progress(stages, passed_or_held).stages:
        left = sorted(minutes[key] for key in part.stage.keys if key not in part.done and key in minutes)
        total += sum(left if part.stage.choose is None else left[: part.needed - part.counted])
    return total


def out_of_order(stages: Sequence[Stage], needs: Mapping[str, Collection[str]]) -> tuple[tuple[str, str], ...]:
    """Courses with a prerequisite, direct or indirect, in a later stage: (course, prerequisite), in path order.

    `needs`: which courses a course requires first. Within a stage the planner finds the order itself.
    """
    place = {key: number for number, stage in enumerate(stages) for key in stage.keys}
    found = []
    for key, number in place.items():
        found += [(key, other) for other in sorted(_needed_by(key, needs)) if place.get(other, -1) > number]
    return tuple(found)


def _needed_by(key: str, needs: Mapping[str, Collection[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = list(needs.get(key, ()))
    while waiting:
        other = waiting.pop()
        if other not in seen:
            seen.add(other)
            waiting += needs.get(other, ())
    return seen - {key}


DifferenceKind = Literal[
    "stage_added", "stage_removed", "stage_renamed", "stages_moved", "choice", "added", "removed", "moved", "order"
]


@dataclass(frozen=True)
class Difference:
    """One thing that a version changes. `before` and `after` are stages; `key` a course, "" where it is about a stage."""

    kind: DifferenceKind
    key: str = ""
    before: Stage | None = None
    after: Stage | None = None


def differences(before: Sequence[Stage], after: Sequence[Stage]) -> tuple[Difference, ...]:
    """What the stages of a version change of those of the one before it.

    A stage is the same where its title is; else where most of its courses are in one whose title is gone.
    """
    same = _matched(before, after)
    were = {key: stage for stage in before for key in stage.keys}
    found = [Difference("stage_removed", before=old) for old in before if old not in same.values()]
    followed = [old for new in after if (old := same.get(new)) is not None]
    if followed != [old for old in before if old in followed]:
        found.append(Difference("stages_moved"))
    for new in after:
        old = same.get(new)
        if old is None:
            found.append(Difference("stage_added", after=new))
        else:
            if _words(old) != _words(new):
                found.append(Difference("stage_renamed", before=old, after=new))
            if old.choose != new.choose:
                found.append(Difference("choice", before=old, after=new))
        for key in new.keys:
            if key not in were:
                found.append(Difference("added", key, after=new))
            elif were[key] != old:
                found.append(Difference("moved", key, before=were[key], after=new))
        if old is not None and [k for k in old.keys if k in new.keys] != [k for k in new.keys if k in old.keys]:
            found.append(Difference("order", before=old, after=new))
    are = {key for stage in after for key in stage.keys}
    found += [Difference("removed", key, before=stage) for key, stage in were.items() if key not in are]
    return tuple(found)


def _words(stage: Stage) -> object:
    return getattr(stage.title, "data", stage.title)


def _matched(before: Sequence[Stage], after: Sequence[Stage]) -> _Matches:
    same = _Matches()
    for new in after:
        old = next((old for old in before if _words(old) == _words(new) and old not in same.values()), None)
        if old is not None:
            same[new] = old
    for new in after:
        free = [old for old in before if old not in same.values()]
        if same.get(new) is None and free:
            likest = max(free, key=lambda old: len(set(old.keys) & set(new.keys)))
            if 2 * len(set(likest.keys) & set(new.keys)) > len(likest.keys):
                same[new] = likest
    return same


class _Matches:
    """Stage → stage, by id: titles have no hash."""

    def __init__(self) -> None:
        self._by_id: dict[int, Stage] = {}

    def __setitem__(self, new: Stage, old: Stage) -> None:
        self._by_id[new.id] = old

    def get(self, new: Stage) -> Stage | None:
        return self._by_id.get(new.id)

    def values(self) -> Collection[Stage]:
        return self._by_id.values()
