"""The attained level: what a published rule says the evidence is worth. Pure; the likely level is in competencies.likely.

A rule set is versioned. Source and worked example: docs/algorithms/levels.md, tested in tests/competencies/test_levels.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

from dateutil.relativedelta import relativedelta

from competencies.enums import EvidenceKind

# Kinds that place a person on the scale, so that a low one speaks against a higher level. A course passed at level 2
# says nothing against level 4.
PLACING_KINDS = frozenset({EvidenceKind.MANAGER, EvidenceKind.PANEL, EvidenceKind.DIAGNOSTIC, EvidenceKind.QUIZ})
# So many levels less than the attained one are a contradiction.
DISAGREES_BY = 2


class Attains(StrEnum):
    """How a rule turns a stated level into an attained one."""

    STATED = "stated"  # the level the evidence states
    CAPPED = "capped"  # the stated level, at most the rule's cap
    CORROBORATED = "corroborated"  # at most the cap alone; one above what other evidence attains
    FIXED = "fixed"  # the rule's cap, whatever is stated
    NOTHING = "nothing"  # shown beside, counts for nothing


class Verdict(StrEnum):
    """What became of one piece of evidence."""

    ATTAINS = "attains"  # it carries the attained level
    COUNTS = "counts"  # valid, but something else attains as much or more
    LAPSED = "lapsed"
    FUTURE = "future"  # dated after `as_of`
    SHOWN = "shown"  # the rule attains nothing (self-assessment), or it was not passed


@dataclass(frozen=True)
class AttainmentRule:
    """Which evidence attains what, for how many months. `cap` is a rank (None where it has no meaning).

    `certainty` (0-1) is for evidence with probabilities: it states the highest level that is at least so likely.
    """

    code: str
    kinds: frozenset[EvidenceKind]
    attains: Attains
    valid_months: int | None
    assessed: bool | None = None
    cap: int | None = None
    certainty: float | None = None

    def covers(self, item: EvidenceItem) -> bool:
        return item.kind in self.kinds and (self.assessed is None or self.assessed == item.assessed)


@dataclass(frozen=True)
class RuleSet:
    """The rules of a framework. Within `refresh_days` before a level lapses it is due for a refresh."""

    version: str
    rules: tuple[AttainmentRule, ...]
    refresh_days: int = 90

    def rule_for(self, item: EvidenceItem) -> AttainmentRule | None:
        return next((rule for rule in self.rules if rule.covers(item)), None)


RULES = RuleSet(
    version="1",
    rules=(
        AttainmentRule(
            "assessed", frozenset({EvidenceKind.COURSE, EvidenceKind.CERTIFICATE}), Attains.STATED, 36, assessed=True
        ),
        AttainmentRule("accepted", frozenset({EvidenceKind.PRIOR_LEARNING, EvidenceKind.PANEL}), Attains.STATED, 36),
        AttainmentRule("diagnostic", frozenset({EvidenceKind.DIAGNOSTIC}), Attains.CAPPED, 24, cap=3, certainty=0.80),
        AttainmentRule("manager", frozenset({EvidenceKind.MANAGER}), Attains.CORROBORATED, 12, cap=2),
        AttainmentRule(
            "completed",
            frozenset({EvidenceKind.COURSE, EvidenceKind.CERTIFICATE}),
            Attains.FIXED,
            24,
            assessed=False,
            cap=1,
        ),
        AttainmentRule("self", frozenset({EvidenceKind.SELF}), Attains.NOTHING, None),
        AttainmentRule("quiz", frozenset({EvidenceKind.QUIZ}), Attains.NOTHING, None),
    ),
)


@dataclass(frozen=True)
class EvidenceItem:
    """One piece of evidence that has not been withdrawn. `rank` is of the framework's own scale.

    `via` is the id of the competency it was recorded for, where that is another one that is the same as this.
    `value` and `se` (in ranks) and `probabilities` (P(>= 1), P(>= 2), …) come with a diagnostic. `source` tells two
    pieces of one kind apart: the assessor, the course, the issuer. `carried`: `rank` is the least that another scale's
    level shows here, not what was said: it attains, but places nobody.
    """

    id: int
    kind: EvidenceKind
    rank: int
    assessed: bool
    occurred_on: date
    valid_until: date | None = None
    via: int | None = None
    passed: bool = True
    value: float | None = None
    se: float | None = None
    probabilities: tuple[float, ...] | None = None
    source: str = ""
    # Of a correction: the id of the piece it stands for, in whose turn among those of one day it is read.
    turn: int | None = None
    carried: bool = False

    @property
    def order(self) -> tuple[date, int]:
        return self.occurred_on, self.id if self.turn is None else self.turn

    @property
    def says(self) -> int:
        """The rank that the piece itself puts the person at: what fails at a level says the one below it at most."""
        if not self.passed:
            return max(0, self.rank - 1)
        return self.rank if self.value is None else max(0, math.floor(self.value + 0.5))


@dataclass(frozen=True)
class Judged:
    """An item with what the rules make of it. `lapses_on` is the first day on which it no longer counts."""

    item: EvidenceItem
    rule: AttainmentRule | None
    verdict: Verdict
    attains: int = 0
    lapses_on: date | None = None


@dataclass(frozen=True)
class Level:
    """What a person is held to have attained in one competency, and why.

    `rank` 0 means nothing attained. `declared` is the latest self-assessment, or None.
    `basis` is the judged item that carries the rank (the one that lapses last), or None at rank 0.
    """

    rank: int
    declared: int | None
    basis: Judged | None
    judged: tuple[Judged, ...] = field(default=())
    refresh_due: bool = False

    @property
    def lapses_on(self) -> date | None:
        return self.basis.lapses_on if self.basis else None


NOTHING_HELD = Level(rank=0, declared=None, basis=None)


def lapse_date(item: EvidenceItem, rule: AttainmentRule) -> date | None:
    """The first day the item no longer counts: its own expiry, else the rule's months after its date."""
    if item.valid_until is not None:
        return item.valid_until
    if rule.valid_months is None:
        return None
    return _months_after(item.occurred_on, rule.valid_months)


@lru_cache(maxsize=1 << 14)
def _months_after(day: date, months: int) -> date:
    """Few days and fewer periods, asked for many people at a time."""
    return day + relativedelta(months=months)


def attained_level(items: Iterable[EvidenceItem], *, as_of: date, rules: RuleSet = RULES) -> Level:
    """Apply the attainment rules to all evidence of one person in one competency.

    The highest level attained by valid evidence counts; a level implies those below it. A manager's rating of L
    attains min(L, 2) alone and min(L, m + 1) beside other evidence that attains m, so it never needs more than
    what the rule in words says. The order of `items` does not matter; more items never lower the rank.
    """
    ordered = sorted(items, key=lambda item: item.order)
    judged: list[Judged] = []
    leaning: list[tuple[EvidenceItem, AttainmentRule, date | None]] = []
    for item in ordered:
        rule = rules.rule_for(item)
        if rule is None or rule.attains is Attains.NOTHING or not item.passed:
            judged.append(Judged(item, rule, Verdict.SHOWN))
            continue
        lapses_on = lapse_date(item, rule)
        if item.occurred_on > as_of:
            judged.append(Judged(item, rule, Verdict.FUTURE, 0, lapses_on))
        elif lapses_on is not None and as_of >= lapses_on:
            judged.append(Judged(item, rule, Verdict.LAPSED, 0, lapses_on))
        elif rule.attains is Attains.CORROBORATED:
            leaning.append((item, rule, lapses_on))
        else:
            judged.append(Judged(item, rule, Verdict.COUNTS, _alone(item, rule), lapses_on))
    others = max((j.attains for j in judged), default=0)
    for item, rule, lapses_on in leaning:
        attains = min(item.rank, _ceiling(rule, others))
        judged.append(Judged(item, rule, Verdict.COUNTS, attains, _leaning_until(attains, rule, lapses_on, judged)))

    rank = max((j.attains for j in judged), default=0)
    declared = next((j.item.rank for j in reversed(ordered_self(judged))), None)
    if rank == 0:
        return Level(0, declared, None, tuple(_by_date(judged)))
    carriers = [j for j in judged if j.attains == rank]
    basis = max(carriers, key=lambda j: (j.lapses_on or date.max, j.item.order))
    final = tuple(
        _by_date([Judged(j.item, j.rule, Verdict.ATTAINS, j.attains, j.lapses_on) if j is basis else j for j in judged])
    )
    basis = next(j for j in final if j.verdict is Verdict.ATTAINS)
    refresh_due = basis.lapses_on is not None and as_of >= basis.lapses_on - timedelta(days=rules.refresh_days)
    return Level(rank, declared, basis, final, refresh_due)


def _ceiling(rule: AttainmentRule, others: int) -> int:
    """The most a corroborated rule attains beside other evidence that attains `others`."""
    return max(rule.cap or 0, others + 1 if others else 0)


def _leaning_until(attains: int, rule: AttainmentRule, own: date | None, judged: Iterable[Judged]) -> date | None:
    """What leans on other evidence falls when the last of that evidence lapses, or with its own date."""
    if attains <= (rule.cap or 0):
        return own
    # What attains nothing holds nothing up, even where the rule attains nothing alone (cap 0).
    props = [
        j.lapses_on
        for j in judged
        if j.verdict is Verdict.COUNTS and j.rule is not rule and j.attains >= max(1, attains - 1)
    ]
    if own is None or None in props:
        return own
    return min(own, max(day for day in props if day is not None))


def _alone(item: EvidenceItem, rule: AttainmentRule) -> int:
    stated = item.rank
    if rule.certainty is not None and item.probabilities is not None:
        stated = certain_rank(item.probabilities, rule.certainty)
    if rule.attains is Attains.FIXED:
        return min(stated, rule.cap or 0)
    if rule.attains is Attains.CAPPED and rule.cap is not None:
        return min(stated, rule.cap)
    return stated


def certain_rank(probabilities: Sequence[float], certainty: float) -> int:
    """The highest rank l with P(>= l) of at least `certainty`; `probabilities[l - 1]` = P(>= l). 0 when none is."""
    return max((rank for rank, p in enumerate(probabilities, start=1) if p >= certainty), default=0)


def disagreement(level: Level, *, as_of: date) -> EvidenceItem | None:
    """The newest piece that speaks against the attained level, or None.

    It is newer than what carries the level, has not lapsed, places the person itself (a manager, a panel, a diagnostic,
    a quiz that was not passed) and says at least two levels less. A later word of the same source takes its place; a
    later piece that places her higher settles it. It changes nothing by itself: it is a reason to look.
    """
    if level.basis is None:
        return None
    basis = level.basis.item
    found: list[EvidenceItem] = []
    for judged in level.judged:
        item = judged.item
        if item.kind not in PLACING_KINDS or item.carried or item.order <= basis.order or item.occurred_on > as_of:
            continue
        found = [other for other in found if (other.kind, other.source) != (item.kind, item.source)]
        if item.kind == EvidenceKind.QUIZ and item.passed:
            continue
        months = judged.rule.valid_months if judged.rule is not None and judged.rule.valid_months else 12
        lapses_on = judged.lapses_on or item.occurred_on + relativedelta(months=months)
        if as_of >= lapses_on:
            continue
        if item.says <= level.rank - DISAGREES_BY:
            found.append(item)
        elif item.passed:  # what was not passed says "at most", which contradicts nothing lower
            found = []
    return found[-1] if found else None


def ordered_self(judged: Iterable[Judged]) -> list[Judged]:
    """Self-assessments, the oldest first."""
    return _by_date([j for j in judged if j.item.kind == EvidenceKind.SELF])


def _by_date(judged: Iterable[Judged]) -> list[Judged]:
    return sorted(judged, key=lambda j: j.item.order)


@dataclass(frozen=True)
class Remedy:
    """One thing that would bring a person to a rank: what kind of evidence, and whether it suffices alone."""

    code: str
    rank: int


def awaits_manager(level: Level) -> bool:
    """The person declares more than is attained, and no manager's word from after that is on record."""
    declared_on = max((j.item.occurred_on for j in level.judged if j.item.kind == EvidenceKind.SELF), default=None)
    rated_on = max((j.item.occurred_on for j in level.judged if j.item.kind == EvidenceKind.MANAGER), default=None)
    if declared_on is None or (level.declared or 0) <= level.rank:
        return False
    return rated_on is None or rated_on < declared_on


def what_would_change(level: Level, *, required: int, rules: RuleSet = RULES) -> tuple[Remedy, ...]:
    """Which new evidence would attain `required`, by the rules; empty when it is attained already.

    "diagnostic" is named whether or not there is a diagnostic for this competency: the caller knows.

    Ordered from the least to the most effort for the person.
    """
    if level.rank >= required:
        return ()
    remedies = []
    diagnostic = next((rule for rule in rules.rules if EvidenceKind.DIAGNOSTIC in rule.kinds), None)
    if diagnostic is not None and (diagnostic.cap is None or required <= diagnostic.cap):
        remedies.append(Remedy("diagnostic", required))
    manager = next((rule for rule in rules.rules if rule.attains is Attains.CORROBORATED), None)
    if manager is not None:
        others = max((j.attains for j in level.judged if j.rule is not manager), default=0)
        if required <= _ceiling(manager, others):
            remedies.append(Remedy("manager", required))
    remedies.append(Remedy("course", required))
    remedies.append(Remedy("prior_learning", required))
    if required >= 3:
        remedies.append(Remedy("panel", required))
    return tuple(remedies)
