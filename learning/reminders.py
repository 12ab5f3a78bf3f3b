"""What to remind a person of, in one digest at most once a week. Pure.

Thresholds, what waits for the next digest, and the worked example: docs/algorithms/reminders.md, tested in
tests/learning/test_reminders.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

# Days to the due date at which a person is told; and the word for "overdue", the tightest of all.
THRESHOLDS = (90, 60, 30, 7)
OVERDUE = 0
DAYS_BETWEEN_DIGESTS = 7


@dataclass(frozen=True)
class DueItem:
    """Something to be done by a day; `due_on` is the last day in time.

    `key` names the item *and what set its date*: after an extension, or in the next period, it is another key, for
    what was told of the old date says nothing about the new one.
    """

    key: str
    due_on: date
    mandatory: bool


@dataclass(frozen=True)
class Reminder:
    """A line of the digest. `threshold`: the tightest one passed, in days before, or OVERDUE; store it as told."""

    key: str
    threshold: int
    due_on: date
    is_overdue: bool


def threshold_of(due_on: date, *, as_of: date) -> int | None:
    """The tightest threshold passed on the day; None while the due date is further away than any."""
    days = (due_on - as_of).days
    return OVERDUE if days < 0 else min((t for t in THRESHOLDS if days <= t), default=None)


def items_to_tell(
    items: Iterable[DueItem],
    *,
    told: Mapping[str, int],
    last_digest_on: date | None,
    as_of: date,
    recommended_off: bool,
) -> tuple[Reminder, ...]:
    """The lines of today's digest, most urgent first; empty: send none.

    `items` are what is still to be done; `told` is the smallest threshold already told of each key; `recommended_off`:
    the person wants no reminders of what is not mandatory. Less than a week after the last digest nothing is sent, and
    nothing is lost: what passed a threshold meanwhile, or several, is told once in the next, at the tightest. Of items
    with one key the first due counts. The order of items does not matter.
    """
    if last_digest_on is not None and (as_of - last_digest_on).days < DAYS_BETWEEN_DIGESTS:
        return ()
    due: dict[str, date] = {}
    for item in items:
        if item.mandatory or not recommended_off:
            due[item.key] = min(item.due_on, due.get(item.key, item.due_on))
    found = []
    for key, due_on in due.items():
        threshold = threshold_of(due_on, as_of=as_of)
        if threshold is not None and (key not in told or threshold < told[key]):
            found.append(Reminder(key, threshold, due_on, threshold == OVERDUE))
    return tuple(sorted(found, key=lambda reminder: (reminder.due_on, reminder.key)))


def told_after(told: Mapping[str, int], reminders: Iterable[Reminder]) -> dict[str, int]:
    """What has been told once a digest with these lines is out."""
    return {**told, **{reminder.key: reminder.threshold for reminder in reminders}}
