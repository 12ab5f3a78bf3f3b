"""In which order and when: the courses of a path put on a calendar. Pure.

Without dated courses this is one machine with precedences, and the greatest lateness is least by Lawler's backward
rule (E. L. Lawler, Optimal sequencing of a single machine subject to precedence constraints, Management Science 19,
1973): last comes, of the courses nothing else waits for, the one that is due last. What that order keeps in time is
kept in time; within that, begun courses, the most urgent gap, the shortest, the key. Sessions are dates given from
outside; with them the rule is applied to what is left each time a session is taken.
Docs: docs/algorithms/planning.md.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from learning.path_terms import Pace, Session

FAR = date.max.toordinal()


@dataclass(frozen=True)
class Job:
    """A course of the plan; `before` are the courses of the plan it needs first."""

    key: str
    minutes: int
    before: frozenset[str] = frozenset()
    due_on: date | None = None
    urgency: Decimal = Decimal(0)
    begun: bool = False
    sessions: tuple[Session, ...] = ()
    dated: bool = False

    @property
    def in_session(self) -> bool:
        """A begun course goes on; with no session it is taken as an undated one."""
        return self.dated and not self.begun


@dataclass(frozen=True)
class Placed:
    key: str
    due_on: date | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    run_id: int | None = None
    is_late: bool = False


class Calendar:
    """Time to learn, day by day. A unit is a seventh of a minute: every day of a week then gives `weekly_minutes`."""

    def __init__(self, pace: Pace) -> None:
        self.first = pace.starts_on.toordinal()
        self.weekly = pace.weekly_minutes
        self.away: list[tuple[int, int]] = []
        for begin, until in sorted((a.toordinal(), b.toordinal()) for a, b in pace.away if a < b):
            if self.away and begin <= self.away[-1][1]:
                self.away[-1] = (self.away[-1][0], max(until, self.away[-1][1]))
            else:
                self.away.append((begin, until))
        self.booked: list[tuple[int, int, int]] = []
        self._lay_out()

    def _lay_out(self) -> None:
        """Stretches of days with one rate: where each begins, its rate, and what lies before it."""
        cuts = {self.first}
        for begin, until in [*self.away, *((a, b) for a, b, _units in self.booked)]:
            cuts |= {cut for cut in (begin, until) if cut > self.first}
        self.begins = sorted(cuts)
        self.rates = [
            0
            if any(a <= day < b for a, b in self.away)
            else max(0, self.weekly - sum(units for a, b, units in self.booked if a <= day < b))
            for day in self.begins
        ]
        self.before = [0]
        for here, after, rate in zip(self.begins, self.begins[1:], self.rates, strict=False):
            self.before.append(self.before[-1] + (after - here) * rate)

    def until(self, day: int) -> int:
        """Units from the first day to the end of this one."""
        if day < self.first:
            return 0
        at = bisect_left(self.begins, day + 1) - 1
        return self.before[at] + (day + 1 - self.begins[at]) * self.rates[at]

    def day_of(self, units: int) -> int:
        """The first day by whose end so many units (at least one) have passed; the last day of time if none."""
        units = max(units, 1)
        for at, rate in enumerate(self.rates):
            ends = self.before[at + 1] if at + 1 < len(self.before) else None
            if rate and (ends is None or units <= ends):
                return min(FAR, self.begins[at] - 1 + -(-(units - self.before[at]) // rate))
        return FAR

    def can_book(self, session: Session, minutes: int) -> bool:
        """A session is attended when nobody is away and what is booked besides it leaves its minutes a day."""
        begin, until = session.starts_on.toordinal(), session.ends_on.toordinal() + 1
        if any(a < until and begin < b for a, b in self.away):
            return False
        own = -(-minutes * 7 // (until - begin))
        return all(own + units <= self.weekly for a, b, units in self.booked if a < until and begin < b)

    def book(self, session: Session, minutes: int) -> None:
        begin, until = session.starts_on.toordinal(), session.ends_on.toordinal() + 1
        self.booked.append((begin, until, -(-minutes * 7 // (until - begin))))
        self._lay_out()


def arrange(jobs: Iterable[Job], pace: Pace | None) -> list[Placed]:
    """Put courses in an order that respects what they need, with dates if there is a pace.

    Prerequisites are due when what needs them is due. `before` outside the jobs does not count. Raises nothing;
    sessions nobody can attend leave a course without dates at the end.
    """
    by_key = {job.key: job for job in sorted(jobs, key=lambda job: job.key)}
    before = {key: frozenset(job.before & by_key.keys()) for key, job in by_key.items()}
    after: dict[str, list[str]] = {key: [] for key in by_key}
    for key, needed in before.items():
        for first in sorted(needed):
            after[first].append(key)
    sequence = topological(before, after)
    due = _inherited_dues(by_key, after, sequence)
    urgency: dict[str, Decimal] = {}
    for key in reversed(sequence):
        urgency[key] = max([by_key[key].urgency, *(urgency[other] for other in after[key])])
    preference = {key: (not job.begun, -urgency[key], job.minutes, key) for key, job in by_key.items()}
    if pace is None or pace.weekly_minutes <= 0:
        ranked = {key: (due[key] or date.max, *preference[key]) for key in by_key}
        return [Placed(key, due[key]) for key in topological(before, after, ranked)]
    return _Schedule(by_key, before, after, sequence, due, preference, pace).run()


def topological(
    before: Mapping[str, Iterable[str]], after: Mapping[str, Iterable[str]], rank: Mapping[str, tuple] | None = None
) -> list[str]:
    """What is needed first comes first; of what is ready, the smallest by rank."""
    ranks = rank or {key: (key,) for key in before}
    waiting = {key: len(list(needed)) for key, needed in before.items()}
    ready = [(ranks[key], key) for key, count in waiting.items() if not count]
    heapq.heapify(ready)
    order = []
    while ready:
        _rank, key = heapq.heappop(ready)
        order.append(key)
        for other in after[key]:
            waiting[other] -= 1
            if not waiting[other]:
                heapq.heappush(ready, (ranks[other], other))
    return order


def _inherited_dues(
    jobs: Mapping[str, Job], after: Mapping[str, Iterable[str]], sequence: Iterable[str]
) -> dict[str, date | None]:
    due: dict[str, date | None] = {}
    for key in reversed(list(sequence)):
        days = [day for day in (jobs[key].due_on, *(due[other] for other in after[key])) if day is not None]
        due[key] = min(days, default=None)
    return due


class _Schedule:
    """One path being laid on a calendar: sessions as soon as they can be taken, the rest fills the time."""

    def __init__(
        self,
        jobs: dict[str, Job],
        before: dict[str, frozenset[str]],
        after: dict[str, list[str]],
        sequence: list[str],
        due: dict[str, date | None],
        preference: dict[str, tuple],
        pace: Pace,
    ) -> None:
        self.jobs, self.before, self.after, self.sequence = jobs, before, after, sequence
        self.due, self.preference = due, preference
        self.calendar = Calendar(pace)
        self.placed: dict[str, Placed] = {}
        self.ends: dict[str, int | None] = {}  # the last day of what is placed; None: no session can be attended
        self.done_by: dict[str, int] = {}  # units by which a course should be done
        self.now = 0  # units used up

    def run(self) -> list[Placed]:
        self._take_sessions()
        self._set_deadlines()
        while len(self.placed) < len(self.jobs):
            ready = [key for key in self.sequence if key not in self.placed and self.before[key] <= self.ends.keys()]
            stuck = [key for key in ready if any(self.ends[first] is None for first in self.before[key])]
            if stuck:
                for key in stuck:
                    self._leave_open(key)
                self._take_sessions()
                continue
            today = self.calendar.day_of(self.now + 1)
            open_from = {key: self._opens(key) for key in ready}
            free = [key for key in ready if open_from[key] <= today]
            if not free:
                self.now = max(self.now, self.calendar.until(min(open_from.values()) - 1))
                today = self.calendar.day_of(self.now + 1)
                free = [key for key in ready if open_from[key] <= today] or ready
            self._do(self._next(free))
            if self._take_sessions():
                self._set_deadlines()
        order = {key: place for place, key in enumerate(self.placed)}
        return sorted(self.placed.values(), key=lambda p: (p.starts_on or date.max, order[p.key]))

    def _opens(self, key: str) -> int:
        """The first day on which the sessions it needs are over. Undated courses end within a day, so that day counts."""
        ends = [self.ends[first] or 0 for first in self.before[key] if self.placed[first].run_id is not None]
        return max(ends, default=self.calendar.first - 1) + 1

    def _do(self, key: str) -> None:
        units = max(self.jobs[key].minutes, 0) * 7
        starts, ends = self.calendar.day_of(self.now + 1), self.calendar.day_of(self.now + units)
        self.now += units
        self._place(key, starts, max(starts, ends) if units else starts, None)

    def _place(self, key: str, starts: int, ends: int, run_id: int | None) -> None:
        due, last = self.due[key], date.fromordinal(ends)
        self.ends[key] = ends
        self.placed[key] = Placed(key, due, date.fromordinal(starts), last, run_id, due is not None and last > due)

    def _leave_open(self, key: str) -> None:
        self.ends[key] = None
        self.placed[key] = Placed(key, self.due[key], is_late=self.due[key] is not None)

    def _take_sessions(self) -> bool:
        """Take a session of every dated course whose prerequisites are placed; whether anything was taken."""
        taken = False
        while True:
            ready = [
                key for key in self.sequence
                if self.jobs[key].in_session and key not in self.placed and self.before[key] <= self.ends.keys()
            ]  # fmt: skip
            if not ready:
                return taken
            key = min(ready, key=lambda key: (self.due[key] or date.max, self.preference[key]))
            ends = [self.ends[first] for first in self.before[key]]
            known = [day for day in ends if day is not None]
            session = (
                None if len(known) < len(ends) else self._session(key, max(known, default=self.calendar.first - 1))
            )
            if session is None:
                self._leave_open(key)
            else:
                self.calendar.book(session, self.jobs[key].minutes)
                self._place(key, session.starts_on.toordinal(), session.ends_on.toordinal(), session.run_id)
            taken = True

    def _session(self, key: str, ready_on: int) -> Session | None:
        """The earliest session after that day; one that ends by the due date before any other."""
        due = self.due[key]
        open_sessions = [
            session
            for session in self.jobs[key].sessions
            if session.starts_on.toordinal() > ready_on
            and session.starts_on <= session.ends_on
            and self.calendar.can_book(session, self.jobs[key].minutes)
        ]
        return min(
            open_sessions,
            key=lambda s: (due is not None and s.ends_on > due, s.starts_on, s.ends_on, s.run_id),
            default=None,
        )

    def _latest(self) -> dict[str, int]:
        """The last day by which each course should be over: its due date, and the day before a session that needs it."""
        latest: dict[str, int] = {}
        for key in reversed(self.sequence):
            due = self.due[key]
            days = [FAR if due is None else due.toordinal()]
            for other in self.after[key]:
                days.append(latest[other])
                job = self.jobs[other]
                if job.in_session and other not in self.placed:
                    limit = self.due[other]
                    starts = [s.starts_on.toordinal() for s in job.sessions if limit is None or s.ends_on <= limit]
                    starts = starts or [s.starts_on.toordinal() for s in job.sessions]
                    if starts:
                        days.append(max(starts) - 1)
            latest[key] = min(days)
        return latest

    def _set_deadlines(self) -> None:
        """Lawler's order of what is left; nothing has to be later than it is there or than it is due."""
        left = [key for key in self.sequence if key not in self.placed and not self.jobs[key].in_session]
        latest = self._latest()
        waiting = {key: sum(1 for other in self.after[key] if other in left) for key in left}
        heap = [(-latest[key], _Backwards(self.preference[key]), key) for key in left if not waiting[key]]
        heapq.heapify(heap)
        backwards = []
        while heap:
            key = heapq.heappop(heap)[-1]
            backwards.append(key)
            for first in self.before[key]:
                if first in waiting:
                    waiting[first] -= 1
                    if not waiting[first]:
                        heapq.heappush(heap, (-latest[first], _Backwards(self.preference[first]), first))
        units = self.now
        self.done_by = {}
        for key in reversed(backwards):
            units += max(self.jobs[key].minutes, 0) * 7
            self.done_by[key] = max(units, self.calendar.until(latest[key]))
        self.left = sorted(self.done_by, key=lambda key: (self.done_by[key], self.sequence.index(key)))

    def _next(self, free: list[str]) -> str:
        """The one most liked that lets everything else be done as late as Lawler's order allows, at the latest."""
        self.left = [key for key in self.left if key not in self.placed]
        slack, units = [], self.now
        least = None
        before: dict[str, int | None] = {}
        for key in self.left:
            before[key] = least
            units += max(self.jobs[key].minutes, 0) * 7
            slack.append(self.done_by[key] - units)
            least = slack[-1] if least is None else min(least, slack[-1])
        for key in sorted(free, key=lambda key: self.preference[key]):
            room = before.get(key)
            if room is None or max(self.jobs[key].minutes, 0) * 7 <= room:
                return key
        return min(free, key=lambda key: (self.done_by.get(key, 0), self.preference[key]))


class _Backwards:
    """Turns a preference round: what is liked least comes last of all."""

    __slots__ = ("value",)

    def __init__(self, value: tuple) -> None:
        self.value = value

    def __lt__(self, other: _Backwards) -> bool:
        return self.value > other.value
