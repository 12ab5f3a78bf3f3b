"""How far a person is in an assessment campaign, and when she is reminded. Dates and counts in, dates and counts out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

# A self-assessment not older than this on the first day counts: nobody is asked twice.
COUNTS_FOR = timedelta(days=90)
LAST_CALL = timedelta(days=3)
MOST_REMINDERS = 2
# A manager is written to once in so many days at the most, whatever the number of campaigns.
MANAGER_PAUSE = timedelta(days=7)


class Step(StrEnum):
    """Where a person stands in a campaign."""

    NOT_BEGUN = "not_begun"
    BEGUN = "begun"
    ASSESSED = "assessed"
    CONFIRMED = "confirmed"


@dataclass(frozen=True)
class Word:
    """One assessment of a competency asked for: the person's own, or her manager's."""

    competency_id: int
    by_manager: bool
    on: date


@dataclass(frozen=True)
class Answers:
    """What a campaign asks one person for, and what of it has been answered, as ids of competencies."""

    asked: frozenset[int] = frozenset()
    assessed: frozenset[int] = frozenset()
    confirmed: frozenset[int] = frozenset()

    @property
    def left_to_assess(self) -> frozenset[int]:
        return self.asked - self.assessed

    @property
    def left_to_confirm(self) -> frozenset[int]:
        return self.assessed - self.confirmed

    @property
    def counts(self) -> tuple[int, int, int]:
        return len(self.asked), len(self.assessed), len(self.confirmed)


def gather_answers(asked: frozenset[int], words: Iterable[Word], *, opens_on: date, last_day: date) -> Answers:
    """What of `asked` is self-assessed (from COUNTS_FOR before the first day) and confirmed (from the first day).

    A manager's word counts where the person has assessed herself; the other way round there is nothing to confirm.
    """
    own: set[int] = set()
    managers: set[int] = set()
    for word in words:
        if word.competency_id not in asked or word.on > last_day:
            continue
        if word.by_manager and word.on >= opens_on:
            managers.add(word.competency_id)
        elif not word.by_manager and word.on >= opens_on - COUNTS_FOR:
            own.add(word.competency_id)
    return Answers(asked, frozenset(own), frozenset(own & managers))


def step_of(*, asked: int, assessed: int, confirmed: int) -> Step:
    if assessed < asked:
        return Step.BEGUN if assessed else Step.NOT_BEGUN
    return Step.CONFIRMED if confirmed >= assessed else Step.ASSESSED


def reminder_days(opens_on: date, closes_on: date) -> tuple[date, ...]:
    """Half the time, and three days before the end; in a campaign so short that the two nearly meet, only one of them."""
    half, last = opens_on + (closes_on - opens_on) // 2, closes_on - LAST_CALL
    if last - half >= LAST_CALL:
        return half, last
    return (max(half, last),)


def is_reminder_due(
    *, opens_on: date, closes_on: date, invited_on: date, reminded_on: date | None, reminders: int, on: date
) -> bool:
    """Whether a person who has something left is reminded today.

    Never on the day of the invitation, never twice for one of the days, never after the last day; who joins late is
    reminded only of the days that are still to come. A day on which nobody worked through the list is made up for.
    """
    if reminders >= MOST_REMINDERS or on > closes_on:
        return False
    passed = [day for day in reminder_days(opens_on, closes_on) if invited_on < day <= on]
    return bool(passed) and (reminded_on is None or reminded_on < max(passed))
