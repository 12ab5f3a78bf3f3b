"""What a new plan changes against the one before, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from competencies.levels import Judged, Level, Verdict
from learning.planning import Closing


@dataclass(frozen=True)
class PlannedStep:
    """A step as stored: the course's key, what it was there for (`kinds` as in learning.models.PathStep), by when."""

    key: str
    closes: tuple[Closing, ...]
    kinds: tuple[str, ...] = ()
    due_on: date | None = None


@dataclass(frozen=True)
class Change:
    """`kind`: "added", "removed" or "dated"; `why` names the reason, `competency_ids` what it is about, `on` a date. (A
    plan also notes what lapsed since the one before, of kind and why "lapsed" and without a course: `lapsed_since`.)

    Reasons to remove: "passed" (the course), "not_offered", "unavailable" (mandatory, and cannot be taken at present),
    "declined" (by the person), "not_required" (no role asks for it any more), "held" (what it leads to is shown by
    other evidence), "not_asked" (the assignment ended or the person is exempt), "shorter" (another way is shorter now).
    Reasons to add: "mandatory", "gap" (competencies to close), "choice" (an elective of a curated path), "pinned",
    "prerequisite" (a course of the path needs it first).
    Reasons of a date: "due" (there is one now), "earlier", "later", "no_date".
    """

    kind: str
    key: str
    why: str
    competency_ids: tuple[int, ...] = ()
    on: date | None = None


def lapsed_since(level: Level, *, since: date, as_of: date) -> Judged | None:
    """What lapsed after the day `since` and would show more than the level that is left; the highest, then the newest."""
    gone = [
        j
        for j in level.judged
        if j.verdict is Verdict.LAPSED
        and j.lapses_on is not None
        and since < j.lapses_on <= as_of
        and j.item.rank > level.rank
    ]
    return max(gone, key=lambda j: (j.item.rank, j.item.occurred_on, j.item.id), default=None)


def compare_steps(
    old: Iterable[PlannedStep],
    new: Iterable[PlannedStep],
    *,
    passed: frozenset[str],
    offered: frozenset[str],
    required: Mapping[int, int],
    held: Mapping[int, int],
    satisfied: frozenset[str] = frozenset(),
    asked: frozenset[str] = frozenset(),
    declined: frozenset[str] = frozenset(),
    unavailable: frozenset[str] = frozenset(),
) -> tuple[Change, ...]:
    """Explain each step that came, went or has another date, in the order of the paths.

    `required` (competency id → rank) is of today, `held` likewise. Course keys: `passed`; `offered`; `satisfied`, all of
    whose outcomes are held; `asked`, by assignments; `declined`; `unavailable`, asked for but not to be had.
    """
    before = {step.key: step for step in old}
    after = {step.key: step for step in new}
    changes = []
    for key, step in before.items():
        if key in after:
            continue
        about = tuple(c.competency_id for c in step.closes)
        still = tuple(pk for pk in about if pk in required)
        was_asked = bool({"mandatory", "choice"} & set(step.kinds))
        if key in passed:
            changes.append(Change("removed", key, "passed", about))
        elif key in unavailable:
            changes.append(Change("removed", key, "unavailable", about))
        elif key not in offered:
            changes.append(Change("removed", key, "not_offered", about))
        elif key in declined:
            changes.append(Change("removed", key, "declined", about))
        elif about and still and all(held.get(pk, 0) >= required[pk] for pk in still):
            changes.append(Change("removed", key, "held", still))
        elif was_asked and key in satisfied:
            changes.append(Change("removed", key, "held", about))
        elif was_asked and key not in asked:
            changes.append(Change("removed", key, "not_asked", about))
        elif about and not still:
            changes.append(Change("removed", key, "not_required", about))
        else:
            changes.append(Change("removed", key, "shorter", about))
    for key, step in after.items():
        if key not in before:
            about = tuple(c.competency_id for c in step.closes)
            changes.append(Change("added", key, _why_added(step), about, step.due_on if _is_asked(step) else None))
        elif step.due_on != before[key].due_on:
            changes.append(Change("dated", key, _why_dated(before[key].due_on, step.due_on), on=step.due_on))
    return tuple(changes)


def _is_asked(step: PlannedStep) -> bool:
    return "mandatory" in step.kinds


def _why_added(step: PlannedStep) -> str:
    if _is_asked(step):
        return "mandatory"
    if step.closes:
        return "gap"
    return next((kind for kind in ("choice", "pinned") if kind in step.kinds), "prerequisite")


def _why_dated(old: date | None, new: date | None) -> str:
    if new is None:
        return "no_date"
    if old is None:
        return "due"
    return "earlier" if new < old else "later"
