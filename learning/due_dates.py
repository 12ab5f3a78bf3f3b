"""When something is due: how a due date is said, worked out, paused by leave, and whether it can be met. Pure.

A due date is the last day in time. Leave is given as (first day away, first day back), like every span of this house.
Rules and worked example: docs/algorithms/due-dates.md, tested in tests/learning/test_due_dates.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from learning.conditions import Fault

NONE = "none"
FIXED = "fixed"
AFTER_ASSIGNMENT = "after_assignment"
AFTER_START_IN_POST = "after_start_in_post"
AFTER_STEP = "after_step"
BEFORE_CERTIFICATION_ENDS = "before_certification_ends"

MAX_DAYS = 3_660  # ten years
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)
MAX_KEY_LENGTH = 255

# What each kind states beside itself, as named in JSON.
STATES = {
    NONE: (),
    FIXED: ("on",),
    AFTER_ASSIGNMENT: ("days",),
    AFTER_START_IN_POST: ("days",),
    AFTER_STEP: ("course", "days"),
    BEFORE_CERTIFICATION_ENDS: ("days",),
}


@dataclass(frozen=True)
class DuePolicy:
    """How a due date is said; what its kind does not state stays at its default.

    `days` are calendar days after (or, for the end of a certification, before) the day the kind names.
    """

    kind: str = NONE
    on: date | None = None
    days: int = 0
    course_key: str = ""


@dataclass(frozen=True)
class DueFacts:
    """What a due date may hang on. `completed`: course key to the day it was first completed;
    `certification_ends_on`: the first day on which the certification no longer counts."""

    assigned_on: date
    started_in_post_on: date | None = None
    completed: Mapping[str, date] = field(default_factory=dict)
    certification_ends_on: date | None = None


class PolicyRefused(ValueError):
    """Data that is no due date, with every fault: places as "$.days", problems as in `conditions.Fault`."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.place}: {fault.problem}" for fault in self.faults))


def read_policy(data: Any) -> DuePolicy:
    """The due date that parsed JSON says: `kind` and just what it states. Raises PolicyRefused with all faults."""
    if not isinstance(data, dict):
        raise PolicyRefused([Fault("$", "not_a_policy")])
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in STATES:
        raise PolicyRefused([Fault("$.kind", "missing" if kind is None else "unknown")])
    faults = [
        Fault(f"$.{''.join(c if c.isprintable() else '?' for c in str(name)[:40])}", "unknown")
        for name in data
        if name not in ("kind", *STATES[kind])
    ]
    read: dict[str, Any] = {}
    for name in STATES[kind]:
        value = data.get(name)
        problem = "missing" if value is None else _problem_of(name, value)
        if problem:
            faults.append(Fault(f"$.{name}", problem))
        else:
            read[name] = value
    if faults:
        raise PolicyRefused(faults)
    return DuePolicy(
        kind,
        on=date.fromisoformat(read["on"]) if "on" in read else None,
        days=read.get("days", 0),
        course_key=read.get("course", ""),
    )


def write_policy(policy: DuePolicy) -> dict[str, Any]:
    """The due date as JSON; `read_policy` reads the very same back."""
    values = {"on": policy.on and policy.on.isoformat(), "days": policy.days, "course": policy.course_key}
    return {"kind": policy.kind, **{name: values[name] for name in STATES[policy.kind]}}


def due_date(policy: DuePolicy, facts: DueFacts) -> date | None:
    """The last day in time; None where there is no due date, or none yet (a step not completed, nobody in post).

    It may lie in the past, for one who started in her post long ago: whether it can be met is for `is_realistic`.
    """
    match policy.kind:
        case "fixed":
            return policy.on
        case "after_assignment":
            return moved(facts.assigned_on, policy.days)
        case "after_start_in_post":
            return _moved(facts.started_in_post_on, policy.days)
        case "after_step":
            return _moved(facts.completed.get(policy.course_key), policy.days)
        case "before_certification_ends":
            return _moved(facts.certification_ends_on, -policy.days)
    return None


def paused(due_on: date, *, from_on: date, leaves: Iterable[tuple[date, date]]) -> date:
    """The due date moved on by every day of leave from `from_on` to it, both included, and to what it becomes.

    Between `from_on` and the new date there are as many days at work as there were days to the old one, and it is no
    day of leave itself. Leaves that overlap count once, in any order; one that ends before it begins counts nothing.
    A date before `from_on` stays.
    """
    for start, end in _apart(leaves, from_on):
        # Once a leave has begun by the due date, each of its days moves the date past one more of them: all count.
        if start > due_on:
            break
        due_on = moved(due_on, (end - start).days)
    return due_on


def unpaused(due_on: date, *, from_on: date, leaves: Iterable[tuple[date, date]]) -> date:
    """The date without leave that leave moves to `due_on`: `paused` leads back to it.

    Where `due_on` is a day of leave no date is moved to it; then it is the first that is moved to the day back.
    """
    moved_by = sum((min(end, due_on) - start).days for start, end in _apart(leaves, from_on) if start < due_on)
    return moved(due_on, -moved_by)


# What lapses does not wait until somebody is back.
WAITS_FOR_NOBODY = frozenset({BEFORE_CERTIFICATION_ENDS})


def date_today(policy: DuePolicy, facts: DueFacts, leaves: Iterable[tuple[date, date]]) -> date | None:
    """What the due date is by all that is known today: the policy's date, moved on by leave; None as in `due_date`.

    The time counts from the day of the assignment, or from what the policy hangs on where that came later.
    """
    due_on = due_date(policy, facts)
    if due_on is None or policy.kind in WAITS_FOR_NOBODY:
        return due_on
    since = {
        AFTER_START_IN_POST: facts.started_in_post_on,
        AFTER_STEP: facts.completed.get(policy.course_key),
    }.get(policy.kind)
    return paused(due_on, from_on=max(facts.assigned_on, since or facts.assigned_on), leaves=leaves)


def is_realistic(
    minutes: int, due_on: date, *, as_of: date, weekly_minutes: int, leaves: Iterable[tuple[date, date]] = ()
) -> bool:
    """Whether the days from today to the due date, both included and without leave, have room for the minutes.

    A day has a seventh of the week's minutes: which days somebody works is not known. Nothing left to do always fits.
    """
    if minutes <= 0:
        return True
    days = (due_on - as_of).days + 1
    away = sum((min(end, moved(due_on, 1)) - start).days for start, end in _apart(leaves, as_of) if start <= due_on)
    return max(days - away, 0) * max(weekly_minutes, 0) >= minutes * 7


def earliest_realistic(
    minutes: int, as_of: date, weekly_minutes: int, leaves: Iterable[tuple[date, date]] = ()
) -> date | None:
    """The first due date that `is_realistic`; None where there is none: no minutes in the week, or too much for ever."""
    if minutes <= 0:
        return as_of
    if weekly_minutes <= 0:
        return None
    days = -(-minutes * 7 // weekly_minutes)
    if days > (LAST_DAY - as_of).days:
        return None
    found = paused(moved(as_of, days - 1), from_on=as_of, leaves=leaves)
    return found if found <= LAST_DAY else None


def moved(day: date, days: int) -> date:
    """So many days later (or earlier), and never beyond the calendar."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.max if days > 0 else date.min


def _moved(day: date | None, days: int) -> date | None:
    return None if day is None else moved(day, days)


def _apart(leaves: Iterable[tuple[date, date]], from_on: date) -> list[tuple[date, date]]:
    """The leaves from a day on, in order, those that overlap or touch made one."""
    merged: list[tuple[date, date]] = []
    for start, end in sorted((max(start, from_on), end) for start, end in leaves):
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _problem_of(name: str, value: Any) -> str:
    """What is wrong with a value of this name; empty when nothing is."""
    if name == "days":
        if isinstance(value, bool) or not isinstance(value, int):
            return "not_whole"
        return "" if 1 <= value <= MAX_DAYS else "out_of_range"
    if not isinstance(value, str):
        return "not_a_date" if name == "on" else "not_text"
    if name == "on":
        if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            return "not_a_date"
        try:
            day = date.fromisoformat(value)
        except ValueError:
            return "not_a_date"
        return "" if FIRST_DAY <= day <= LAST_DAY else "out_of_range"
    if not value:
        return "missing"
    if len(value) > MAX_KEY_LENGTH:
        return "too_long"
    unseen = any(unicodedata.category(character) in {"Cc", "Cs"} for character in value)
    return "not_text" if unseen or value.strip() != value else ""
