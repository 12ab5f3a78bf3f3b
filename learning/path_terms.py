"""The words of a path: what the planner takes and what it gives. Pure.

The planner itself is learning/planning.py; the model behind these words is in docs/algorithms/planning.md.
Efforts are minutes, days are dates, intervals of days are half-open where they say `from` and `until`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Literal

ReasonKind = Literal["gap", "mandatory", "choice", "pinned", "begun", "prerequisite"]
ProofStatus = Literal["optimal", "limit", "greedy"]


@dataclass(frozen=True)
class Target:
    """A gap to close: ranks are of the competency's own framework; `priority` orders, it does not choose."""

    competency_id: int
    held: int
    required: int
    priority: Decimal
    due_on: date | None = None


@dataclass(frozen=True)
class Session:
    """A dated run of a course with seats left; both days belong to it."""

    run_id: int
    starts_on: date
    ends_on: date


@dataclass(frozen=True)
class Offer:
    """A course that can be taken, whatever its language. `outcomes`: (competency id, rank) pairs.

    `effort_minutes` is what is left of it. A `dated` course is taken in one of its `sessions` and in no other way;
    without a session it cannot be taken, unless it is begun: then it goes on.
    """

    key: str
    effort_minutes: int
    outcomes: tuple[tuple[int, int], ...]
    prerequisites: frozenset[str] = frozenset()
    begun: bool = False
    sessions: tuple[Session, ...] = ()
    dated: bool = False

    def reaches(self, competency_id: int) -> int:
        return max((rank for pk, rank in self.outcomes if pk == competency_id), default=0)

    def can_be_sat(self, since: date | None) -> bool:
        """Whether there is a session that starts on `since` or later (None: at all)."""
        if not self.dated or self.begun:
            return True
        return any(since is None or session.starts_on >= since for session in self.sessions)


@dataclass(frozen=True)
class Mandatory:
    """An assigned course or a required item of a curated path.

    It counts as done when it is satisfied, unless it is to be taken `again` (a requirement that comes back).
    """

    key: str
    due_on: date | None = None
    again: bool = False


@dataclass(frozen=True)
class Choice:
    """An elective group of a curated path: `choose` of the courses `keys`.

    `kept` are those that count already where the group comes back and what was passed before does not; None: all that is
    satisfied counts.
    """

    id: str
    keys: tuple[str, ...]
    choose: int
    due_on: date | None = None
    kept: frozenset[str] | None = None

    def done(self, satisfied: frozenset[str]) -> frozenset[str]:
        return (satisfied if self.kept is None else self.kept).intersection(self.keys)


@dataclass(frozen=True)
class Pace:
    """From which day somebody learns, how many minutes a week, and when not: `away` are half-open [from, until)."""

    weekly_minutes: int
    starts_on: date
    away: tuple[tuple[date, date], ...] = ()


@dataclass(frozen=True)
class Closing:
    """What a course does for a gap; it closes it when `reaches` >= `required`, else it narrows it.

    `declined`, of a gap that stays open: a course the person has declined would take it further.
    """

    competency_id: int
    held: int
    reaches: int
    required: int
    declined: bool = False

    @property
    def is_closed(self) -> bool:
        return self.reaches >= self.required


@dataclass(frozen=True)
class Step:
    """A course of the plan: the gaps it is there for, the courses of the plan that need it first, why and when.

    `due_on` is the earliest date it serves, by itself or by what needs it. `choice` is the elective group it counts
    towards. Without a pace there are no dates; a dated course no session of which can be attended has none either.
    """

    key: str
    closes: tuple[Closing, ...]
    needed_by: tuple[str, ...]
    reason_kinds: tuple[ReasonKind, ...] = ()
    choice: str | None = None
    due_on: date | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    run_id: int | None = None
    is_late: bool = False


@dataclass(frozen=True)
class Proof:
    """How far the effort is proven: no feasible plan takes less than `bound_minutes`.

    "optimal": none is shorter. "limit": the solver's best answer at its time limit. "greedy": the limit was hit and
    the greedy answer was the better one. `gap_minutes` is what might still be saved.
    """

    status: ProofStatus = "optimal"
    bound_minutes: int = 0
    gap_minutes: int = 0


@dataclass(frozen=True)
class Plan:
    """The path.

    `unclosed`: gaps that remain after it, with the rank that courses lead to (0: no course at all).
    `unavailable`: mandatory and pinned courses that cannot be taken: not offered, or something they need is not.
    `short_choices`: elective groups with too few courses that can be taken.
    """

    steps: tuple[Step, ...]
    unclosed: tuple[Closing, ...]
    effort_minutes: int
    proof: Proof = Proof()
    unavailable: tuple[str, ...] = ()
    short_choices: tuple[str, ...] = ()


class Catalogue:
    """The offer, sorted and indexed once and hashed once, for plans of many people.

    `with_offers` gives the catalogue of one person: the same courses, some of them begun. It costs a copy of the
    index, not a new one. Equal are catalogues made of equal offers in the same way; unequal ones only share less.
    """

    def __init__(self, by_key: Mapping[str, Offer], identity: object) -> None:
        self.by_key = by_key
        self._identity = identity
        self._hash = hash(identity)

    @classmethod
    def of(cls, offers: Iterable[Offer] | Catalogue) -> Catalogue:
        """Sort and index offers; of two with the same key the one with less effort counts."""
        if isinstance(offers, Catalogue):
            return offers
        rows = sorted(set(offers), key=_canonical)
        by_key: dict[str, Offer] = {}
        for row in rows:
            by_key.setdefault(row.key, row)
        return cls(by_key, tuple(by_key.values()))

    def with_offers(self, offers: Iterable[Offer]) -> Catalogue:
        """The same catalogue with these offers added or in place of those with the same key."""
        changed = tuple(sorted(set(offers), key=_canonical, reverse=True))
        if not changed:
            return self
        by_key = dict(self.by_key) | {offer.key: offer for offer in changed}
        return Catalogue(dict(sorted(by_key.items())), (self, changed))

    @cached_property
    def reaching(self) -> dict[int, tuple[tuple[int, str], ...]]:
        """For each competency the (rank, key) pairs of the courses that lead to it."""
        index: dict[int, dict[str, int]] = {}
        for key, offer in self.by_key.items():
            for pk, rank in offer.outcomes:
                ranks = index.setdefault(pk, {})
                ranks[key] = max(rank, ranks.get(key, 0))
        return {pk: tuple((rank, key) for key, rank in ranks.items()) for pk, ranks in index.items()}

    def rank_below(self, competency_id: int, held: int) -> int:
        """The highest rank some course leads to that is not above what is held; 0 where there is none."""
        return max((rank for rank, _key in self.reaching.get(competency_id, ()) if rank <= held), default=0)

    @cached_property
    def begun(self) -> frozenset[str]:
        return frozenset(key for key, offer in self.by_key.items() if offer.begun)

    def with_needed(self, keys: Iterable[str]) -> frozenset[str]:
        """Courses with all they need first, directly and indirectly, as far as they are offered."""
        found: set[str] = set()
        stack = [key for key in keys if key in self.by_key]
        while stack:
            key = stack.pop()
            if key not in found:
                found.add(key)
                stack.extend(before for before in self.by_key[key].prerequisites if before in self.by_key)
        return frozenset(found)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Catalogue) and self._hash == other._hash and self._identity == other._identity

    def __hash__(self) -> int:
        return self._hash


def _canonical(offer: Offer) -> tuple[object, ...]:
    sessions = tuple((s.starts_on, s.ends_on, s.run_id) for s in offer.sessions)
    return (
        offer.key, offer.effort_minutes, offer.outcomes, tuple(sorted(offer.prerequisites)), offer.begun, offer.dated, sessions,
    )  # fmt: skip


@dataclass(frozen=True)
class Model:
    """The integer programme: columns are courses in the order of their keys.

    `covers`: at least so many of these columns. `needs`: (course, course it needs first).
    """

    costs: tuple[int, ...]
    covers: tuple[tuple[tuple[int, ...], int], ...]
    needs: tuple[tuple[int, int], ...] = field(default=())

    def cost(self, chosen: Iterable[int]) -> int:
        return sum(self.costs[column] for column in chosen)

    def is_feasible(self, chosen: frozenset[int] | set[int]) -> bool:
        return all(before in chosen for after, before in self.needs if after in chosen) and all(
            len(chosen.intersection(columns)) >= least for columns, least in self.covers
        )
