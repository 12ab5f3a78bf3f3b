"""Which courses, in which order: the personal path as a small integer programme. Pure.

Least learner time such that every gap a course can close is closed (and one that courses can only narrow is
narrowed as far as they reach), with prerequisites taken first. The model, a worked example and what comes later
are in docs/algorithms/planning.md; tests/learning/test_planning.py compares with enumeration.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import highspy

# A course already begun costs next to nothing to go on with: a plan does not abandon it for a rival.
BEGUN_COST_MINUTES = 1


@dataclass(frozen=True)
class Target:
    """A gap to close: ranks are of the competency's own framework; `priority` orders, it does not choose."""

    competency_id: int
    held: int
    required: int
    priority: Decimal


@dataclass(frozen=True)
class Offer:
    """A course that can be taken, whatever its language. `outcomes`: (competency id, rank) pairs."""

    key: str
    effort_minutes: int
    outcomes: tuple[tuple[int, int], ...]
    prerequisites: frozenset[str] = frozenset()
    begun: bool = False

    def reaches(self, competency_id: int) -> int:
        return max((rank for pk, rank in self.outcomes if pk == competency_id), default=0)


@dataclass(frozen=True)
class Closing:
    """What a course does for a gap; it closes it when `reaches` >= `required`, else it narrows it."""

    competency_id: int
    held: int
    reaches: int
    required: int

    @property
    def is_closed(self) -> bool:
        return self.reaches >= self.required


@dataclass(frozen=True)
class Step:
    """A course of the plan: the gaps it is there for, and the courses of the plan that need it first."""

    key: str
    closes: tuple[Closing, ...]
    needed_by: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """The path. `unclosed`: gaps that remain after it, with the rank that courses lead to (0: no course at all)."""

    steps: tuple[Step, ...]
    unclosed: tuple[Closing, ...]
    effort_minutes: int


class NotSolved(RuntimeError):
    """The solver gave no optimal answer; with this model that is a fault, never a property of the input."""


def plan_path(
    targets: Iterable[Target],
    offers: Iterable[Offer],
    *,
    satisfied: frozenset[str] = frozenset(),
) -> Plan:
    """Choose and order the courses that close all closable gaps in the least learner time.

    `satisfied` are keys of courses that need not be taken as prerequisites: passed, or all their outcomes held.
    Prerequisites outside `offers` and `satisfied` make a course unavailable. The order of the inputs does not
    matter and equal inputs give equal plans. Efforts are minutes.
    Raises NotSolved if the solver fails.
    """
    return _plan(
        tuple(sorted(set(targets), key=lambda t: t.competency_id)),
        tuple(sorted(set(offers), key=lambda o: o.key)),
        satisfied,
    )


def _plan(targets: tuple[Target, ...], offers: tuple[Offer, ...], satisfied: frozenset[str]) -> Plan:
    available = _available(offers, satisfied)
    best = {
        t.competency_id: max((offer.reaches(t.competency_id) for offer in available.values()), default=0)
        for t in targets
    }
    goals = {t.competency_id: min(best[t.competency_id], t.required) for t in targets if best[t.competency_id] > t.held}
    chosen = _chosen(tuple(sorted(goals.items())), offers, satisfied)
    by_id = {target.competency_id: target for target in targets}
    closes = {
        key: tuple(
            Closing(pk, by_id[pk].held, available[key].reaches(pk), by_id[pk].required)
            for pk in sorted(goals, key=lambda pk: (-by_id[pk].priority, pk))
            if available[key].reaches(pk) >= goals[pk]
        )
        for key in chosen
    }
    needed_by = {
        key: tuple(sorted(other for other in chosen if key in available[other].prerequisites - satisfied))
        for key in chosen
    }
    steps = tuple(Step(key, closes[key], needed_by[key]) for key in _order(chosen, closes, needed_by, by_id, available))
    unclosed = tuple(
        Closing(t.competency_id, t.held, best[t.competency_id], t.required)
        for t in sorted(targets, key=lambda t: (-t.priority, t.competency_id))
        if best[t.competency_id] < t.required
    )
    return Plan(steps, unclosed, sum(available[key].effort_minutes for key in chosen))


@lru_cache(maxsize=4096)
def _chosen(
    goals: tuple[tuple[int, int], ...], offers: tuple[Offer, ...], satisfied: frozenset[str]
) -> tuple[str, ...]:
    """What is solved, without what only orders: people who lack the same share one solving."""
    available = _available(offers, satisfied)
    return tuple(_choose(dict(goals), _relevant(dict(goals), available, satisfied), satisfied))


def _available(offers: Iterable[Offer], satisfied: frozenset[str]) -> dict[str, Offer]:
    """Offers whose prerequisites can be met, directly and indirectly."""
    remaining = {offer.key: offer for offer in offers}
    available: dict[str, Offer] = {}
    while True:
        ready = [key for key, offer in remaining.items() if offer.prerequisites <= satisfied | available.keys()]
        if not ready:
            return available
        for key in ready:
            available[key] = remaining.pop(key)


def _relevant(goals: Mapping[int, int], available: Mapping[str, Offer], satisfied: frozenset[str]) -> dict[str, Offer]:
    """Offers that reach a goal, and what they need first."""
    stack = [key for key, offer in available.items() if any(offer.reaches(pk) >= rank for pk, rank in goals.items())]
    relevant: dict[str, Offer] = {}
    while stack:
        key = stack.pop()
        if key not in relevant:
            relevant[key] = available[key]
            stack.extend(available[key].prerequisites - satisfied)
    return dict(sorted(relevant.items()))


def _choose(goals: Mapping[int, int], offers: Mapping[str, Offer], satisfied: frozenset[str]) -> list[str]:
    """The cheapest set of courses that reaches every goal and contains what it needs (HiGHS, proven optimal)."""
    if not goals:
        return []
    solver = highspy.Highs()
    solver.silent()
    for option, value in (("threads", 1), ("random_seed", 0), ("mip_rel_gap", 0.0), ("mip_abs_gap", 0.0)):
        solver.setOptionValue(option, value)
    take = {
        key: solver.addBinary(obj=BEGUN_COST_MINUTES if offer.begun else max(offer.effort_minutes, 1))
        for key, offer in offers.items()
    }
    for pk, rank in sorted(goals.items()):
        solver.addConstr(solver.qsum(take[key] for key, offer in offers.items() if offer.reaches(pk) >= rank) >= 1)
    for key, offer in offers.items():
        for before in sorted(offer.prerequisites - satisfied):
            solver.addConstr(take[before] - take[key] >= 0)
    solver.minimize()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise NotSolved(str(solver.getModelStatus()))
    values = solver.getSolution().col_value
    return [key for key, variable in take.items() if values[variable.index] > 0.5]


def _order(
    chosen: Iterable[str],
    closes: Mapping[str, tuple[Closing, ...]],
    needed_by: Mapping[str, tuple[str, ...]],
    targets: Mapping[int, Target],
    offers: Mapping[str, Offer],
) -> list[str]:
    """Prerequisites first; among those ready, what is begun, then what leads to the most urgent gap, then the shortest."""
    keys = list(chosen)
    urgency: dict[str, Decimal] = {}

    def urgent(key: str) -> Decimal:
        if key not in urgency:
            own = [targets[c.competency_id].priority for c in closes[key]]
            urgency[key] = max([*own, *(urgent(other) for other in needed_by[key])], default=Decimal(0))
        return urgency[key]

    waiting = {key: len([1 for other in keys if key in needed_by[other]]) for key in keys}
    ready = [(not offers[key].begun, -urgent(key), offers[key].effort_minutes, key) for key in keys if not waiting[key]]
    heapq.heapify(ready)
    order = []
    while ready:
        key = heapq.heappop(ready)[-1]
        order.append(key)
        for other in needed_by[key]:
            waiting[other] -= 1
            if not waiting[other]:
                heapq.heappush(ready, (not offers[other].begun, -urgent(other), offers[other].effort_minutes, other))
    return order
