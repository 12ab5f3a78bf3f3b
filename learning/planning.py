"""Which courses, in which order: the personal path as a small integer programme. Pure.

In this order: every gap a course can close is closed (and one that courses can only narrow is narrowed as far as they
reach); mandatory courses are in and elective groups filled; least learner time; what is due is in time; fewest changes
to the plan in force; the key. The model, a worked example and the proof are in docs/algorithms/planning.md;
tests/learning/test_planning.py and test_planning_properties.py compare with enumeration.

The words are in learning/path_terms.py, the solving in optimiser.py and greedy.py, the dates in ordering.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache

from learning.optimiser import Claim, Dates, NotSolved, choose_in_time, choose_least
from learning.ordering import Calendar, Job, Placed, arrange
from learning.path_terms import (
    Catalogue,
    Choice,
    Closing,
    Mandatory,
    Model,
    Offer,
    Pace,
    Plan,
    Proof,
    ReasonKind,
    Session,
    Step,
    Target,
)

__all__ = [
    "Catalogue", "Choice", "Closing", "Mandatory", "NotSolved", "Offer", "Pace", "Plan", "Proof", "Session", "Step",
    "Target", "plan_path",
]  # fmt: skip


@dataclass(frozen=True)
class Question:
    """What decides which courses are chosen, without what only orders them: people who ask the same share one solving."""

    catalogue: Catalogue
    targets: tuple[tuple[int, int, int], ...]  # competency, the highest rank of a course that is held, required
    satisfied: frozenset[str]
    mandatory: frozenset[str]
    choices: tuple[
        tuple[str, tuple[str, ...], frozenset[str], int], ...
    ]  # id, courses, those that count already, how many
    pinned: frozenset[str]
    declined: frozenset[str]
    in_plan: frozenset[str]
    since: date | None  # sessions before it are over; None where no course is dated
    time_limit_seconds: float


@dataclass(frozen=True)
class Answer:
    """The courses and why, before they are ordered."""

    chosen: frozenset[str]
    goals: tuple[tuple[int, int], ...]  # competency, the rank to reach
    reached: tuple[tuple[int, int], ...]  # competency, the rank courses lead to, for every target
    declined_gaps: frozenset[int]
    begun: frozenset[str]
    open_choices: frozenset[str]
    unavailable: tuple[str, ...]
    short_choices: tuple[str, ...]
    proof: Proof
    fixed: frozenset[str]
    model: Model
    keys: tuple[str, ...]  # of the columns of the model


def plan_path(
    targets: Iterable[Target],
    offers: Iterable[Offer] | Catalogue,
    *,
    satisfied: frozenset[str] = frozenset(),
    mandatory: Iterable[Mandatory] = (),
    choices: Iterable[Choice] = (),
    pinned: frozenset[str] = frozenset(),
    declined: frozenset[str] = frozenset(),
    in_plan: frozenset[str] = frozenset(),
    pace: Pace | None = None,
    time_limit_seconds: float = 2.0,
) -> Plan:
    """Choose and order the courses that close all closable gaps in the least learner time.

    `satisfied` are keys of courses that need not be taken: passed, or all their outcomes held. They meet what needs
    them, count in elective groups and are done as mandatory courses; one of them is taken again only where a gap asks,
    or where a mandatory course or a group comes back.
    Prerequisites outside `offers` and `satisfied` make a course unavailable.
    `declined` courses close no gap, fill no group and open no other course, except where a mandatory, pinned or begun
    course needs them. A mandatory course is never removed by declining, a pinned one neither; a begun one is.
    `begun` offers stay where they reach a goal, belong to a group that is to be filled, or are `in_plan`.
    For many people pass a Catalogue: hashing thousands of offers for each of them would take longer than planning.
    The order of the inputs does not matter and equal inputs give equal plans. Efforts are minutes.
    Raises NotSolved if the solver fails; its time limit is no failure but a `proof` that is not "optimal".
    """
    catalogue = Catalogue.of(offers)
    goals = tuple(sorted(set(targets), key=lambda t: t.competency_id))
    required = tuple(sorted(set(mandatory), key=lambda m: (m.key, m.due_on or date.max)))
    groups = tuple(sorted(set(choices), key=lambda c: c.id))
    due_first = {m.key: m.due_on for m in reversed(required)}
    todo = frozenset(m.key for m in required if m.again or m.key not in satisfied)
    pins = pinned - satisfied
    begun = catalogue.begun - satisfied - declined
    relevant = _relevant(
        catalogue,
        tuple(t.competency_id for t in goals),
        todo | pins | (begun & in_plan) | {key for group in groups for key in group.keys},
    )
    dated = pace is not None and any(catalogue.by_key[key].dated for key in relevant)
    question = Question(
        catalogue,
        # What is held matters as far as a course leads further: people between two courses ask the same.
        tuple((t.competency_id, catalogue.rank_below(t.competency_id, t.held), t.required) for t in goals),
        satisfied & (relevant | {key for group in groups for key in group.keys} | _needed(catalogue, relevant)),
        todo,
        tuple((g.id, tuple(sorted(set(g.keys))), g.done(satisfied), g.choose) for g in groups),
        pins,
        declined & relevant,
        in_plan & relevant,
        pace.starts_on if dated and pace is not None else None,
        time_limit_seconds,
    )
    answer = _chosen(question)
    plan = _laid_out(answer, question, goals, due_first, groups, pace)
    if pace is None or not any(step.is_late for step in plan.steps):
        return plan  # nothing is late: no other of the shortest plans can be better in time
    if not answer.keys and not _has_ways(plan, goals):
        return plan  # nothing is left to choose, and each date can only be met by one course
    due_claims = _claims(goals, required, groups)
    found = _chosen_in_time(question, due_claims, _room(pace, due_claims), pace.starts_on if dated else None)
    if found is None:
        return plan
    chosen, over_by = found
    other = _laid_out(replace(answer, chosen=chosen), question, goals, due_first, groups, pace, dict(over_by))
    return min((plan, other), key=_lateness)


def _has_ways(plan: Plan, targets: tuple[Target, ...]) -> bool:
    """Whether the date of some gap can be met by one course of the plan or by another."""
    serving = Counter(closing.competency_id for step in plan.steps for closing in step.closes)
    return any(t.due_on is not None and serving[t.competency_id] > 1 for t in targets)


@lru_cache(maxsize=4096)
def _relevant(catalogue: Catalogue, competency_ids: tuple[int, ...], keys: frozenset[str]) -> frozenset[str]:
    """Courses that lead to what is sought, courses that are asked for, and what they need first."""
    reach = {key for pk in competency_ids for _rank, key in catalogue.reaching.get(pk, ())}
    return catalogue.with_needed(reach | keys)


@lru_cache(maxsize=4096)
def _needed(catalogue: Catalogue, relevant: frozenset[str]) -> frozenset[str]:
    """Everything the relevant courses need first, offered or not."""
    return frozenset(before for key in relevant for before in catalogue.by_key[key].prerequisites)


@lru_cache(maxsize=4096)
def _chosen(question: Question) -> Answer:
    q = question
    relevant = _relevant(
        q.catalogue,
        tuple(pk for pk, _held, _required in q.targets),
        q.mandatory
        | q.pinned
        | ((q.catalogue.begun - q.satisfied - q.declined) & q.in_plan)
        | {key for _id, keys, _done, _choose in q.choices for key in keys},
    )
    offers = {key: q.catalogue.by_key[key] for key in sorted(relevant) if q.catalogue.by_key[key].can_be_sat(q.since)}
    takeable = _takeable(offers, q.satisfied)
    begun = {key for key, offer in takeable.items() if offer.begun} - q.satisfied - q.declined
    asked = (q.mandatory | q.pinned | (begun & q.in_plan)) & takeable.keys()
    fixed = _with_needed(asked, takeable, q.satisfied)
    allowed = _takeable({k: o for k, o in takeable.items() if k not in q.declined or k in fixed}, q.satisfied)
    reached = _reach(q, allowed)
    most = _reach(q, takeable)
    goals = {pk: min(reached[pk], required) for pk, held, required in q.targets if reached[pk] > held}
    missing = {id_: choose - len(done) for id_, _keys, done, choose in q.choices}
    groups = {
        id_: frozenset(key for key in keys if key in allowed and key not in done)
        for id_, keys, done, _choose in q.choices
        if missing[id_] > 0
    }
    begun = {
        key
        for key in begun & allowed.keys()
        if key in q.in_plan
        or any(allowed[key].reaches(pk) >= rank for pk, rank in goals.items())
        or any(key in group for group in groups.values())
    }
    fixed = _with_needed(fixed | begun, allowed, q.satisfied)
    model, keys = _model(goals, groups, missing, allowed, fixed, q.satisfied)
    wanted = frozenset(column for column, key in enumerate(keys) if key in q.in_plan)
    found = choose_least(model, wanted=wanted, time_limit_seconds=q.time_limit_seconds)
    chosen = frozenset(fixed) | {keys[column] for column in found.columns}
    minutes = sum(allowed[key].effort_minutes for key in chosen)
    open_minutes = 0 if found.status == "optimal" else min(model.cost(found.columns) - found.bound, minutes)
    return Answer(
        chosen,
        tuple(sorted(goals.items())),
        tuple(sorted(reached.items())),
        frozenset(pk for pk, _held, required in q.targets if reached[pk] < required and most[pk] > reached[pk]),
        frozenset(begun),
        frozenset(groups),
        tuple(sorted((q.mandatory | q.pinned) - takeable.keys())),
        tuple(sorted(id_ for id_, group in groups.items() if len(group) < missing[id_])),
        Proof(found.status, minutes - open_minutes, open_minutes),
        frozenset(fixed),
        model,
        keys,
    )


DueClaim = tuple[date, str, int | str]  # the day, "gap", "mandatory" or "choice", and which


def _claims(
    targets: tuple[Target, ...], mandatory: tuple[Mandatory, ...], choices: tuple[Choice, ...]
) -> tuple[DueClaim, ...]:
    return (
        *((t.due_on, "gap", t.competency_id) for t in targets if t.due_on is not None),
        *((m.due_on, "mandatory", m.key) for m in mandatory if m.due_on is not None),
        *((c.due_on, "choice", c.id) for c in choices if c.due_on is not None),
    )


def _room(pace: Pace, claims: tuple[DueClaim, ...]) -> tuple[tuple[date, int], ...]:
    calendar = Calendar(pace)
    return tuple((day, calendar.until(day.toordinal())) for day in sorted({day for day, _kind, _which in claims}))


def _lateness(plan: Plan) -> tuple[int, int]:
    """How many steps are late, and the greatest lateness in days; one that gets no date is late for ever."""
    late = [step for step in plan.steps if step.is_late and step.due_on is not None]
    return len(late), max(((step.ends_on or date.max) - (step.due_on or date.max)).days for step in late) if late else 0


@lru_cache(maxsize=1024)
def _chosen_in_time(
    question: Question, claims: tuple[DueClaim, ...], room: tuple[tuple[date, int], ...], since: date | None
) -> tuple[frozenset[str], tuple[tuple[str, date], ...]] | None:
    """Of the shortest plans the one with most in time, and by which date each course is over in it, if the time limit
    allows; only asked where something is late."""
    answer, q = _chosen(question), question
    offers = q.catalogue.by_key
    keys = tuple(sorted(answer.fixed | set(answer.keys)))
    column = {key: place for place, key in enumerate(keys)}
    days = [day for day, _units in room]
    goals = dict(answer.goals)
    groups = {id_: (members, choose - len(done)) for id_, members, done, choose in q.choices}
    asked = []
    for day, kind, which in claims:
        if kind == "gap":
            serving = [key for key in keys if which in goals and offers[key].reaches(int(which)) >= goals[int(which)]]
            least = 1
        elif kind == "choice":
            members, least = groups[str(which)]
            serving = [key for key in keys if key in members]
            least = min(least, len(serving))
        else:
            serving, least = [key for key in keys if key == which and key in q.mandatory], 1
        if serving and least > 0:
            asked.append(Claim(days.index(day), tuple(column[key] for key in serving), least))
    model = Model(
        tuple(_cost(offers[key]) for key in keys),
        tuple((tuple(column[answer.keys[c]] for c in columns), least) for columns, least in answer.model.covers),
        tuple(
            (column[key], column[b])
            for key in keys
            for b in sorted(offers[key].prerequisites & set(keys) - q.satisfied)
        ),
    )
    in_session = {key for key in keys if offers[key].dated and not offers[key].begun}
    found = choose_in_time(
        model,
        Dates(
            tuple(units for _day, units in room),
            tuple(0 if key in in_session else max(offers[key].effort_minutes, 0) * 7 for key in keys),
            tuple(asked),
            frozenset(
                (column[key], number)
                for key in in_session
                for number, day in enumerate(days)
                if not any(s.ends_on <= day and (since is None or s.starts_on >= since) for s in offers[key].sessions)
            ),
        ),
        fixed=frozenset(column[key] for key in answer.fixed),
        wanted=frozenset(column[key] for key in q.in_plan & set(keys)),
        most=sum(_cost(offers[key]) for key in answer.chosen - answer.fixed),
        time_limit_seconds=max(q.time_limit_seconds, 0.0),
    )
    if found is None:
        return None
    over_by = tuple((keys[place], days[number]) for place, number in sorted(found.over_by.items()))
    return frozenset(keys[place] for place in found.columns), over_by


def _takeable(offers: Mapping[str, Offer], satisfied: frozenset[str]) -> dict[str, Offer]:
    """Offers whose prerequisites can be met, directly and indirectly. Circles are not."""
    waiting = {key: len(offer.prerequisites - satisfied) for key, offer in offers.items()}
    opens: dict[str, list[str]] = {}
    for key, offer in offers.items():
        for before in offer.prerequisites - satisfied:
            opens.setdefault(before, []).append(key)
    ready = [key for key, count in waiting.items() if not count]
    takeable = set()
    while ready:
        key = ready.pop()
        takeable.add(key)
        for other in opens.get(key, ()):
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    return {key: offer for key, offer in offers.items() if key in takeable}


def _with_needed(keys: Iterable[str], offers: Mapping[str, Offer], satisfied: frozenset[str]) -> set[str]:
    found: set[str] = set()
    stack = list(keys)
    while stack:
        key = stack.pop()
        if key not in found:
            found.add(key)
            stack.extend(offers[key].prerequisites - satisfied)
    return found


def _reach(question: Question, offers: Mapping[str, Offer]) -> dict[int, int]:
    """The highest rank these courses lead to, for every target."""
    reaching = question.catalogue.reaching
    return {
        pk: max((rank for rank, key in reaching.get(pk, ()) if key in offers), default=0)
        for pk, _held, _required in question.targets
    }


def _model(
    goals: Mapping[int, int],
    groups: Mapping[str, frozenset[str]],
    missing: Mapping[str, int],
    allowed: Mapping[str, Offer],
    fixed: set[str],
    satisfied: frozenset[str],
) -> tuple[Model, tuple[str, ...]]:
    """What is left to choose once what is fixed is in: the programme, and the keys of its columns."""
    serving: dict[int, set[str]] = {pk: set() for pk in goals}
    for key, offer in allowed.items():
        for pk, rank in offer.outcomes:
            if pk in goals and rank >= goals[pk]:
                serving[pk].add(key)
    wishes = [(frozenset(keys), 1) for _pk, keys in sorted(serving.items()) if not keys & fixed]
    for id_, group in sorted(groups.items()):
        free = group - fixed
        least = min(missing[id_] - len(group & fixed), len(free))
        if least > 0:
            wishes.append((free, least))
    useful = _with_needed({key for keys, _least in wishes for key in keys}, allowed, satisfied | fixed) - fixed
    useful -= _beaten(useful, wishes, allowed, satisfied | fixed)
    keys = tuple(sorted(useful))
    column = {key: place for place, key in enumerate(keys)}
    return Model(
        tuple(_cost(allowed[key]) for key in keys),
        tuple((tuple(sorted(column[key] for key in members & useful)), least) for members, least in wishes),
        tuple(
            (column[key], column[before])
            for key in keys
            for before in sorted(allowed[key].prerequisites - satisfied - fixed)
        ),
    ), keys


def _cost(offer: Offer) -> int:
    """A course of no minutes is no reason to take it."""
    return max(offer.effort_minutes, 1)


def _beaten(
    useful: set[str], wishes: list[tuple[frozenset[str], int]], allowed: Mapping[str, Offer], done: frozenset[str]
) -> set[str]:
    """Courses in no shortest plan: another one serves all they serve and takes less, with all it needs first.

    Only courses nothing else needs, and only wishes for one course: in a wish for two both may be taken. The other
    one must take strictly less, so that plans of equal length all stay.
    """
    needed = {before for key in useful for before in allowed[key].prerequisites}
    serves: dict[str, set[int]] = {}
    for number, (members, _least) in enumerate(wishes):
        for key in members:
            serves.setdefault(key, set()).add(number)
    whole: dict[str, int] = {}
    for key in serves:
        whole[key] = sum(_cost(allowed[other]) for other in _with_needed({key}, allowed, done))
    beaten = set()
    for key, numbers in serves.items():
        if key in needed or any(wishes[number][1] > 1 for number in numbers):
            continue
        rivals = min((wishes[number][0] for number in numbers), key=len)
        cost = _cost(allowed[key])
        if any(whole[rival] < cost and numbers <= serves[rival] for rival in rivals):
            beaten.add(key)
    return beaten


def _laid_out(
    answer: Answer,
    question: Question,
    targets: tuple[Target, ...],
    mandatory_due: Mapping[str, date | None],
    choices: tuple[Choice, ...],
    pace: Pace | None,
    over_by: Mapping[str, date] | None = None,
) -> Plan:
    offers, goals = question.catalogue.by_key, dict(answer.goals)
    by_id = {target.competency_id: target for target in targets}
    chosen = sorted(answer.chosen)
    closes = {key: _closings(offers[key], goals, by_id) for key in chosen}
    before = {key: (offers[key].prerequisites - question.satisfied) & answer.chosen for key in chosen}
    needing: dict[str, list[str]] = {key: [] for key in chosen}
    for key in chosen:
        for first in before[key]:
            needing[first].append(key)
    needed_by = {key: tuple(others) for key, others in needing.items()}
    group_of = {
        key: next((c for c in choices if c.id in answer.open_choices and key in c.keys), None) for key in chosen
    }
    jobs = [
        Job(
            key,
            offers[key].effort_minutes,
            before[key],
            None,
            max((by_id[c.competency_id].priority for c in closes[key]), default=Decimal(0)),
            offers[key].begun,
            offers[key].sessions,
            offers[key].dated,
        )
        for key in chosen
    ]
    jobs = _with_dues(
        jobs, closes, by_id, mandatory_due, question.mandatory, choices, answer.open_choices, over_by or {}
    )
    placed = arrange(jobs, pace)

    def step(at: Placed) -> Step:
        group = group_of[at.key]
        kinds: list[tuple[bool, ReasonKind]] = [
            (bool(closes[at.key]), "gap"),
            (at.key in question.mandatory, "mandatory"),
            (group is not None, "choice"),
            (at.key in question.pinned, "pinned"),
            (at.key in answer.begun, "begun"),
            (bool(needed_by[at.key]), "prerequisite"),
        ]
        return Step(
            at.key,
            closes[at.key],
            needed_by[at.key],
            tuple(kind for holds, kind in kinds if holds),
            group.id if group is not None else None,
            at.due_on,
            at.starts_on,
            at.ends_on,
            at.run_id,
            at.is_late,
        )

    reached = dict(answer.reached)
    unclosed = tuple(
        Closing(t.competency_id, t.held, reached[t.competency_id], t.required, t.competency_id in answer.declined_gaps)
        for t in sorted(targets, key=lambda t: (-t.priority, t.competency_id))
        if reached[t.competency_id] < t.required
    )
    return Plan(
        tuple(step(at) for at in placed),
        unclosed,
        sum(offers[key].effort_minutes for key in chosen),
        answer.proof,
        answer.unavailable,
        answer.short_choices,
    )


def _closings(offer: Offer, goals: Mapping[int, int], targets: Mapping[int, Target]) -> tuple[Closing, ...]:
    """The gaps a course closes or narrows as far as courses can, the most urgent first."""
    found = [pk for pk in {pk for pk, _rank in offer.outcomes} if pk in goals and offer.reaches(pk) >= goals[pk]]
    found.sort(key=lambda pk: (-targets[pk].priority, pk))
    return tuple(Closing(pk, targets[pk].held, offer.reaches(pk), targets[pk].required) for pk in found)


def _with_dues(
    jobs: list[Job],
    closes: Mapping[str, tuple[Closing, ...]],
    targets: Mapping[int, Target],
    mandatory_due: Mapping[str, date | None],
    mandatory: frozenset[str],
    choices: tuple[Choice, ...],
    open_choices: frozenset[str],
    over_by: Mapping[str, date],
) -> list[Job]:
    """The date of a gap belongs to one of the courses that close it: to one that can be over by then (`over_by`, where
    that was worked out), to one that is due by then anyway, else to the one with the fewest minutes left. Gaps with the
    fewest ways first, for they decide what is due anyway."""
    minutes = {job.key: job.minutes for job in jobs}
    due: dict[str, list[date]] = {}
    for job in jobs:
        day = mandatory_due.get(job.key)
        if job.key in mandatory and day is not None:
            due.setdefault(job.key, []).append(day)
    for group in choices:
        if group.id in open_choices and group.due_on is not None:
            for key in minutes.keys() & set(group.keys):
                due.setdefault(key, []).append(group.due_on)
    serving: dict[int, list[str]] = {}
    for key, closings in closes.items():
        for closing in closings:
            serving.setdefault(closing.competency_id, []).append(key)
    dated = [(len(keys), day, pk) for pk, keys in serving.items() if (day := targets[pk].due_on) is not None]
    for _ways, day, pk in sorted(dated):
        if not any(other <= day for key in serving[pk] for other in due.get(key, ())):
            able = [key for key in serving[pk] if key in over_by and over_by[key] <= day] or serving[pk]
            due.setdefault(min(able, key=lambda key: (minutes[key], key)), []).append(day)
    return [
        Job(
            job.key, job.minutes, job.before, min(due[job.key]) if job.key in due else None, job.urgency, job.begun,
            job.sessions, job.dated,
        )
        for job in jobs
    ]  # fmt: skip
