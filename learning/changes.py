"""What a new plan changes against the one before, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from competencies.levels import Judged, Level, Verdict
from learning.planning import Closing


@dataclass(frozen=True)
class PlannedStep:
    """A step as stored: the course's key and what it was there for."""

    key: str
    closes: tuple[Closing, ...]


@dataclass(frozen=True)
class Change:
    """`kind`: "added" or "removed"; `why` names the reason, `competency_ids` what it is about. (A plan also notes what
    lapsed since the one before, of kind and why "lapsed" and without a course: `lapsed_since`.)

    Reasons to remove: "passed" (the course), "held" (its gaps are closed by other evidence), "not_required" (no role
    asks for it any more), "not_offered", "shorter" (another way is shorter now).
    Reasons to add: "gap" (competencies to close), "prerequisite" (a course of the path needs it first).
    """

    kind: str
    key: str
    why: str
    competency_ids: tuple[int, ...] = ()


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
) -> tuple[Change, ...]:
    """Explain each step that came or went, in the order of the paths.

    `required` (competency id → rank) is of today, `held` likewise; `passed` and `offered` are course keys.
    """
    before = {step.key: step for step in old}
    after = {step.key: step for step in new}
    changes = []
    for key, step in before.items():
        if key in after:
            continue
        about = tuple(c.competency_id for c in step.closes)
        asked = [pk for pk in about if pk in required]
        if key in passed:
            changes.append(Change("removed", key, "passed", about))
        elif key not in offered:
            changes.append(Change("removed", key, "not_offered", about))
        elif about and not asked:
            changes.append(Change("removed", key, "not_required", about))
        elif about and all(held.get(pk, 0) >= required[pk] for pk in asked):
            changes.append(Change("removed", key, "held", tuple(asked)))
        else:
            changes.append(Change("removed", key, "shorter", about))
    for key, step in after.items():
        if key not in before:
            about = tuple(c.competency_id for c in step.closes)
            changes.append(Change("added", key, "gap" if about else "prerequisite", about))
    return tuple(changes)
