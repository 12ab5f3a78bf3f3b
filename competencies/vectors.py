"""Levels of very many people and competencies at once, from flat arrays. Pure; numpy and scipy, no Django.

The rules are those of `levels.attained_level` and `likely.estimate`, one group of pieces for each person and competency;
tests/competencies/test_vectors.py holds both to the same answers for any evidence and any rules in range.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from dateutil.relativedelta import relativedelta
from numpy.typing import NDArray

from competencies.enums import EvidenceKind
from competencies.levels import AttainmentRule, Attains, EvidenceItem, RuleSet, certain_rank
from competencies.likely import (
    CHUNK,
    DAYS_A_MONTH,
    PARAMETERS,
    STATED_RANKS,
    Parameters,
    fuse,
    likelihood_table,
    observed_as,
)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

KINDS: tuple[EvidenceKind, ...] = tuple(EvidenceKind)
KIND_NUMBER = {str(kind): number for number, kind in enumerate(KINDS)}
# A day after all days: what never lapses.
NEVER = date.max.toordinal() + 1
# Nobody assessed herself.
UNDECLARED = -1
# Says nothing to the estimate unless it was passed at a level above 0.
SPEAKS_WHEN_PASSED = frozenset({"certificate", "completion", "prior_learning"})


@dataclass(frozen=True)
class Pieces:
    """Evidence that has not been withdrawn, a row a piece. Days are proleptic ordinals (`date.toordinal`).

    `group` numbers the person and competency; `kind` is the place in KINDS; `until` is NEVER without a date of its own;
    `value` and `se` are NaN where there are none; `spread` is the place of the piece's probabilities in `spreads`, or -1;
    equal `source` numbers mean the same source.
    """

    group: Ints
    id: Ints
    kind: Ints
    rank: Ints
    assessed: Bools
    passed: Bools
    occurred: Ints
    until: Ints
    spread: Ints
    spreads: Sequence[tuple[float, ...]]
    value: Floats | None = None
    se: Floats | None = None
    source: Ints | None = None


@dataclass(frozen=True)
class Attained:
    """For each group the attained rank, the first day it no longer holds (NEVER), and the latest self-assessment."""

    rank: Ints
    lapses: Ints
    declared: Ints

    def refresh_due(self, *, as_of: date, rules: RuleSet) -> Bools:
        near = as_of.toordinal() >= self.lapses - rules.refresh_days
        return (self.rank > 0) & (self.lapses != NEVER) & near


def pack(items: Iterable[tuple[int, EvidenceItem]]) -> Pieces:
    """Pieces from (group, item) pairs, for small numbers of them."""
    pairs = list(items)
    sources: dict[str, int] = {}
    spreads: list[tuple[float, ...]] = []
    spread = []
    for _group, item in pairs:
        spread.append(-1 if item.probabilities is None else len(spreads))
        if item.probabilities is not None:
            spreads.append(item.probabilities)

    def ints(values: Iterable[int]) -> Ints:
        return np.fromiter(values, dtype=np.int64, count=len(pairs))

    def floats(values: Iterable[float | None]) -> Floats:
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)

    return Pieces(
        group=ints(group for group, _item in pairs),
        id=ints(item.id for _group, item in pairs),
        kind=ints(KIND_NUMBER[str(item.kind)] for _group, item in pairs),
        rank=ints(item.rank for _group, item in pairs),
        assessed=np.array([item.assessed for _group, item in pairs], dtype=bool),
        passed=np.array([item.passed for _group, item in pairs], dtype=bool),
        occurred=ints(item.occurred_on.toordinal() for _group, item in pairs),
        until=ints(NEVER if item.valid_until is None else item.valid_until.toordinal() for _group, item in pairs),
        spread=ints(spread),
        spreads=spreads,
        value=floats(item.value for _group, item in pairs),
        se=floats(item.se for _group, item in pairs),
        source=ints(sources.setdefault(item.source, len(sources)) for _group, item in pairs),
    )


# --- Attained ----------------------------------------------------------------------------------------------------
def attained_levels(pieces: Pieces, *, groups: int, as_of: date, rules: RuleSet) -> Attained:
    """`levels.attained_level` of each of `groups` groups. Raises ValueError for more than one rule that leans on others.

    `declared` needs the self-assessments among the pieces; the other two do not.
    """
    leaners = [number for number, rule in enumerate(rules.rules) if rule.attains is Attains.CORROBORATED]
    if len(leaners) > 1:
        raise ValueError("More than one corroborated rule: what leans on what would depend on the order.")
    today = as_of.toordinal()
    rule_of = _rules_of(pieces, rules)
    lapses = _lapses(pieces, rule_of, rules)
    nothing = [number for number, rule in enumerate(rules.rules) if rule.attains is Attains.NOTHING]
    counts = (rule_of >= 0) & pieces.passed & (pieces.occurred <= today) & (lapses > today)
    counts &= ~np.isin(rule_of, nothing)

    worth = np.zeros(len(pieces.rank), dtype=np.int64)
    for number, rule in enumerate(rules.rules):
        if rule.attains in (Attains.STATED, Attains.CAPPED, Attains.FIXED):
            chosen = counts & (rule_of == number)
            worth[chosen] = _alone(pieces, chosen, rule)
    others = np.zeros(groups, dtype=np.int64)
    np.maximum.at(others, pieces.group[counts], worth[counts])
    for number in leaners:
        leaning = counts & (rule_of == number)
        _lean(pieces, leaning, counts & ~leaning, rules.rules[number], others, worth, lapses)

    rank = np.zeros(groups, dtype=np.int64)
    np.maximum.at(rank, pieces.group[counts], worth[counts])
    carries = counts & (worth == rank[pieces.group]) & (worth > 0)
    until = np.zeros(groups, dtype=np.int64)
    np.maximum.at(until, pieces.group[carries], lapses[carries])
    until[rank == 0] = NEVER
    return Attained(rank, until, _declared(pieces, groups))


def _rules_of(pieces: Pieces, rules: RuleSet) -> Ints:
    """The place of the first rule that covers each piece, -1 where none does."""
    table = np.full((len(KINDS), 2), -1, dtype=np.int64)
    for number in reversed(range(len(rules.rules))):
        rule = rules.rules[number]
        for kind in rule.kinds:
            for assessed in (0, 1):
                if rule.assessed is None or rule.assessed == bool(assessed):
                    table[KIND_NUMBER[str(kind)], assessed] = number
    return table[pieces.kind, pieces.assessed.astype(np.int64)]


def _lapses(pieces: Pieces, rule_of: Ints, rules: RuleSet) -> Ints:
    """The first day each piece no longer counts; calendar months are added once for each distinct date."""
    found = pieces.until.copy()
    for number, rule in enumerate(rules.rules):
        chosen = np.flatnonzero((rule_of == number) & (pieces.until == NEVER))
        if rule.valid_months is None or not len(chosen):
            continue
        days, where = np.unique(pieces.occurred[chosen], return_inverse=True)
        months = relativedelta(months=rule.valid_months)
        ends = [(date.fromordinal(day) + months).toordinal() for day in days.tolist()]
        found[chosen] = np.array(ends, dtype=np.int64)[where]
    return found


def _alone(pieces: Pieces, chosen: Bools, rule: AttainmentRule) -> Ints:
    stated = pieces.rank[chosen]
    if rule.certainty is not None:
        spread = pieces.spread[chosen]
        shown = spread >= 0
        certain = [certain_rank(pieces.spreads[number], rule.certainty) for number in spread[shown].tolist()]
        stated[shown] = np.array(certain, dtype=np.int64)
    if rule.attains is Attains.FIXED:
        return np.minimum(stated, rule.cap or 0)
    if rule.attains is Attains.CAPPED and rule.cap is not None:
        return np.minimum(stated, rule.cap)
    return stated


def _lean(
    pieces: Pieces, leaning: Bools, props: Bools, rule: AttainmentRule, others: Ints, worth: Ints, lapses: Ints
) -> None:
    """What corroborated pieces attain beside the rest, and until when: `worth` and `lapses` are changed in place."""
    cap = rule.cap or 0
    beside = others[pieces.group]
    ceiling = np.maximum(cap, np.where(beside > 0, beside + 1, 0))
    worth[leaning] = np.minimum(pieces.rank, ceiling)[leaning]
    above = np.flatnonzero(leaning & (worth > cap) & (lapses != NEVER))
    if not len(above):
        return
    known, group = np.unique(pieces.group[above], return_inverse=True)
    near = np.flatnonzero(props)
    at = np.searchsorted(known, pieces.group[near])
    inside = at < len(known)
    inside[inside] = known[at[inside]] == pieces.group[near[inside]]
    near, at = near[inside], at[inside]
    # The latest lapse of what attains a rank or more, by group and rank.
    last = np.zeros((len(known), int(max(worth[near].max(initial=0), worth[above].max())) + 1), dtype=np.int64)
    np.maximum.at(last, (at, worth[near]), lapses[near])
    last = np.maximum.accumulate(last[:, ::-1], axis=1)[:, ::-1]
    lapses[above] = np.minimum(lapses[above], last[group, worth[above] - 1])


def _declared(pieces: Pieces, groups: int) -> Ints:
    found = np.full(groups, UNDECLARED, dtype=np.int64)
    own = np.flatnonzero(pieces.kind == KIND_NUMBER[str(EvidenceKind.SELF)])
    ordered = own[np.lexsort((pieces.id[own], pieces.occurred[own]))]
    found[pieces.group[ordered]] = pieces.rank[ordered]  # the last one stays
    return found


# --- Likely ------------------------------------------------------------------------------------------------------
def likely_levels(
    pieces: Pieces, *, groups: int, as_of: date, ranks: int = STATED_RANKS, parameters: Parameters = PARAMETERS
) -> tuple[Floats, Floats, Floats, Floats]:
    """`likely.estimate` of each group: means, sds, P(>= l) and shortfalls (groups × ranks); all groups on one scale."""
    if pieces.value is None or pieces.se is None or pieces.source is None:
        raise ValueError("The estimate needs values, standard errors and sources.")
    names = sorted(parameters.kinds)
    name_of = np.array(
        [[names.index(observed_as(kind, assessed)) for assessed in (False, True)] for kind in KINDS], dtype=np.int64
    )
    seen = np.flatnonzero(pieces.occurred <= as_of.toordinal())
    name = name_of[pieces.kind, pieces.assessed.astype(np.int64)]
    # The latest of each kind and source: the last of its run.
    keys = (pieces.source[seen], name[seen], pieces.group[seen])
    seen = seen[np.lexsort((pieces.id[seen], pieces.occurred[seen], *keys))]
    last = np.ones(len(seen), dtype=bool)
    if len(seen) > 1:
        run = np.zeros(len(seen) - 1, dtype=bool)
        for column in (pieces.source, name, pieces.group):
            run |= column[seen[1:]] != column[seen[:-1]]
        last[:-1] = run
    seen = seen[last]
    silent = [names.index(n) for n in SPEAKS_WHEN_PASSED if n in names]
    seen = seen[~(np.isin(name[seen], silent) & (~pieces.passed[seen] | (pieces.rank[seen] == 0)))]

    half_lives = np.array([parameters.kinds[n].half_life_months for n in names])
    ages = (as_of.toordinal() - pieces.occurred[seen]) / DAYS_A_MONTH
    weights = 2.0 ** (-ages / half_lives[name[seen]])
    group = pieces.group[seen]
    value = np.where(np.isnan(pieces.value[seen]), pieces.rank[seen], pieces.value[seen])
    means, sds = np.empty(groups), np.empty(groups)
    at_least, shortfalls = np.empty((groups, ranks)), np.empty((groups, ranks))
    for start in range(0, groups, CHUNK):  # a table of its own for each part: diagnostics are all different
        end = min(start + CHUNK, groups)
        part = slice(*np.searchsorted(group, (start, end)).tolist())
        rows = np.column_stack(
            (name[seen[part]], value[part], np.nan_to_num(pieces.se[seen[part]], nan=-1.0), pieces.passed[seen[part]])
        )
        distinct, column = np.unique(rows, axis=0, return_inverse=True)
        table = likelihood_table(
            [(names[int(n)], v, None if se < 0 else se, bool(passed)) for n, v, se, passed in distinct.tolist()],
            ranks=ranks,
            parameters=parameters,
        )
        means[start:end], sds[start:end], at_least[start:end], shortfalls[start:end] = fuse(
            group[part] - start,
            column.reshape(-1).astype(np.int64),
            weights[part],
            table,
            groups=end - start,
            ranks=ranks,
            parameters=parameters,
        )
    return means, sds, at_least, shortfalls
