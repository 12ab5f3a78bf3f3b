"""Writes of the learning floor: plans are made, roles with their paths are assigned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from competencies.models import RoleAssignment, RoleProfile
from competencies.selectors import competencies_in_force
from competencies.services import assign_role, end_role
from courses.selectors import OfferedCourse, offered_courses
from learning import changes as changes_of
from learning.enums import PlanReason
from learning.inputs import Inputs, Shelf, read_inputs, solve
from learning.models import Assignment, PathPlan, PathStep
from learning.planning import Closing, Offer, Plan
from learning.selectors import current_plans
from organisations.models import Job, User

BATCH = 200


def offers_for(language: str, offered: dict[str, OfferedCourse]) -> tuple[Offer, ...]:
    """The offer as the planner takes it, each course in this language where it is offered in it."""
    shelf = Shelf(offered)
    return tuple(shelf.offer(key, language) for key in offered)


def replan(*, person: User, reason: PlanReason, about: str = "", at: datetime | None = None) -> PathPlan | None:
    """Make today's plan for one person; returns the plan in force, None for somebody without roles and plans."""
    replan_many(person_ids=[person.pk], reason=reason, about=about, at=at)
    return current_plans([person.pk]).get(person.pk)


def replan_many(
    *,
    person_ids: Sequence[int],
    reason: PlanReason,
    about: str = "",
    at: datetime | None = None,
    offered: dict[str, OfferedCourse] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Make today's plans for many people, a batch a transaction; returns how many new plans were written.

    `about` names what the reason is about, for people. A plan equal to the one in force is not written again, so doing
    it twice leaves the same state. Queries grow with batches of people, not with people; people with
    the same gaps and offers share the solving (an LRU cache).
    """
    moment = at or timezone.now()
    shelf = Shelf(offered_courses() if offered is None else offered)
    written = 0
    ids = sorted(set(person_ids))
    for start in range(0, len(ids), BATCH):
        written += _replan_batch(ids[start : start + BATCH], reason, about, moment, shelf)
        if progress is not None:
            progress(min(start + BATCH, len(ids)), len(ids))
    return written


def _replan_batch(ids: Sequence[int], reason: PlanReason, about: str, moment: datetime, shelf: Shelf) -> int:
    with transaction.atomic():
        # The rows of the people are the lock: two plans for one person are made one after the other.
        inputs = read_inputs(ids, day=timezone.localdate(moment), locking=True)
        old_plans = current_plans(ids)
        now = competencies_in_force(
            {c["competency_id"] for old in old_plans.values() for step in old.steps.all() for c in step.closes}
        )
        plans, steps = [], []
        for person_id in ids:
            old = old_plans.get(person_id)
            planned = frozenset(step.course.key for step in old.steps.all()) if old is not None else frozenset()
            own = replace(inputs[person_id], in_plan=planned)
            if old is None and own.asks_for_nothing:
                continue
            drawn = draw_plan(own, shelf, solve(own, shelf))
            if old is not None and _same(old, drawn, in_order=reason != PlanReason.SWEEP):
                continue
            drawn.plan.person_id = person_id
            drawn.plan.number = old.number + 1 if old else 1
            drawn.plan.made_at = moment
            drawn.plan.reason = reason if old else PlanReason.FIRST
            drawn.plan.about = about[:300] if old else ""
            drawn.plan.changes = describe_changes(old, drawn, own, shelf, now)
            plans.append(drawn.plan)
            steps += drawn.steps
        PathPlan.objects.bulk_create(plans)
        PathStep.objects.bulk_create(steps)
    return len(plans)


@dataclass(frozen=True)
class Drawn:
    """A plan and its steps as they would be stored, and what was solved."""

    plan: PathPlan
    steps: list[PathStep]
    solved: Plan


def draw_plan(inputs: Inputs, shelf: Shelf, solved: Plan) -> Drawn:
    """What was solved as rows, none of them saved."""
    standing = inputs.standing
    plan = PathPlan(
        person_id=standing.person_id,
        effort_minutes=solved.effort_minutes,
        requirements=standing.total,
        met=standing.met,
        unclosed=[closing_row(c) for c in solved.unclosed],
        proof=solved.proof.status,
        bound_minutes=solved.proof.bound_minutes,
        gap_minutes=solved.proof.gap_minutes,
        planned_from=[{"profile": p.pk, "version": p.role.version_id} for p in standing.profiles],
        unavailable=list(solved.unavailable),
        short_choices=list(solved.short_choices),
    )
    steps = [
        PathStep(
            plan=plan,
            position=position,
            course=shelf.page(step.key, inputs.language, inputs.begun),
            closes=[closing_row(c) for c in step.closes],
            needed_by=list(step.needed_by),
            kinds=list(step.reason_kinds),
            assignments=list(inputs.asked_by.get(step.key, ())),
            needed_for=[
                {"competency_id": pk, "initiative_id": need.initiative_id, "by": need.by.isoformat()}
                for pk in (c.competency_id for c in step.closes)
                if (need := inputs.needed.get(pk)) is not None
            ],
            stages=list(inputs.stages_of.get(step.key, ())),
            due_on=step.due_on,
            run_id=step.run_id,
        )
        for position, step in enumerate(solved.steps, start=1)
    ]
    return Drawn(plan, steps, solved)


def closing_row(closing: Closing) -> dict[str, Any]:
    """A closing as it is stored; that a declined course is missing only where one is."""
    row: dict[str, Any] = {
        "competency_id": closing.competency_id,
        "held": closing.held,
        "reaches": closing.reaches,
        "required": closing.required,
    }
    if closing.declined:
        row["declined"] = True
    return row


def _same(old: PathPlan, drawn: Drawn, *, in_order: bool) -> bool:
    """Whether the plan in force is the one that was solved.

    What orders a path (what is likely, and which day it is) changes by the day. That alone moves nobody's steps
    overnight: the sweep compares without the order and without what follows from it, and what happens (evidence, a
    role, an offer) puts the steps in their order again.
    """
    new = drawn.plan
    before, after = [_row(s) for s in old.steps.all()], [_row(s) for s in drawn.steps]
    steps_are_the_same = (
        before == after if in_order else sorted(map(_unordered, before)) == sorted(map(_unordered, after))
    )
    return (
        steps_are_the_same
        and (old.unclosed == new.unclosed if in_order else _by_competency(old.unclosed) == _by_competency(new.unclosed))
        and (old.requirements, old.met) == (new.requirements, new.met)
        and (old.proof, old.unavailable, old.short_choices) == (new.proof, new.unavailable, new.short_choices)
        and sorted(row["profile"] for row in old.planned_from) == sorted(row["profile"] for row in new.planned_from)
    )


StepRow = tuple[
    int,
    list[dict[str, Any]],
    list[str],
    list[str],
    list[int],
    list[int],
    date | None,
    int | None,
    list[tuple[int, int, str]],
]


def _row(step: PathStep) -> StepRow:
    kinds = [kind for kind in step.kinds if kind != "begun"]  # beginning a course is no reason for another plan
    return (
        step.course_id, step.closes, step.needed_by, kinds, step.assignments, step.stages, step.due_on, step.run_id,
        sorted((row["initiative_id"], row["competency_id"], row["by"]) for row in step.needed_for),
    )  # fmt: skip


def _unordered(row: StepRow) -> str:
    course_id, closes, needed_by, *others = row
    return repr((course_id, _by_competency(closes), sorted(needed_by), others))


def _by_competency(closings: list[dict[str, Any]]) -> list[list[tuple[str, Any]]]:
    return sorted(sorted(closing.items()) for closing in closings)


def describe_changes(
    old: PathPlan | None, drawn: Drawn, inputs: Inputs, shelf: Shelf, now: Mapping[int, int]
) -> list[dict[str, Any]]:
    """What differs from the plan before, with the evidence that made the difference where there is one.

    `now` leads from competencies of superseded editions to those in force: the plan before may speak of the former.
    """
    if old is None:
        return []
    standing = inputs.standing

    def closing(stored: dict[str, Any]) -> Closing:
        return Closing(**stored | {"competency_id": now.get(stored["competency_id"], stored["competency_id"])})

    before = [
        changes_of.PlannedStep(step.course.key, tuple(closing(c) for c in step.closes), tuple(step.kinds), step.due_on)
        for step in old.steps.all()
    ]
    after = [
        changes_of.PlannedStep(step.key, step.closes, step.reason_kinds, step.due_on) for step in drawn.solved.steps
    ]
    found = changes_of.compare_steps(
        before,
        after,
        passed=inputs.passed,
        offered=frozenset(shelf.offered),
        required={line.competency.pk: line.required.rank_needed for line in standing.lines},
        held=standing.held,
        satisfied=shelf.held_keys(standing.held),
        asked=frozenset(m.key for m in inputs.mandatory) | {key for c in inputs.choices for key in c.keys},
        declined=inputs.declined,
        unavailable=frozenset(drawn.solved.unavailable),
    )
    described: list[dict[str, Any]] = []
    since = timezone.localdate(old.made_at)
    for line in standing.lines:
        gone = changes_of.lapsed_since(line.level, since=since, as_of=standing.as_of) if line.gap is not None else None
        if gone is not None and gone.lapses_on is not None:
            about = changes_of.Change("lapsed", "", "lapsed", (line.competency.pk,))
            evidence = {"id": gone.item.id, "kind": str(gone.item.kind), "rank": gone.item.rank}
            described.append(_change_row(about) | {"evidence": evidence, "on": gone.lapses_on.isoformat()})
    for change in found:
        row = _change_row(change)
        level = next((standing.levels[pk] for pk in change.competency_ids if pk in standing.levels), None)
        if change.why == "held" and level is not None and level.basis is not None:
            row["evidence"] = {"id": level.basis.item.id, "kind": str(level.basis.item.kind), "rank": level.rank}
        described.append(row)
    return described


def _change_row(change: changes_of.Change) -> dict[str, Any]:
    row: dict[str, Any] = {
        "kind": change.kind,
        "key": change.key,
        "why": change.why,
        "competency_ids": list(change.competency_ids),
    }
    return row if change.on is None else row | {"on": change.on.isoformat()}


@transaction.atomic
def assign_batch(
    *,
    person_ids: Sequence[int],
    profile: RoleProfile,
    due_on: date | None,
    by: User | None,
    job: Job | None,
    at: datetime,
) -> dict[int, str]:
    """Give a batch of people a role and its path; returns for each person "assigned" or "held".

    Who has the role, in this or an earlier edition, keeps it as it is: running a batch again, or two officers at once,
    leaves one assignment each.
    """
    day = timezone.localdate(at)
    held = set(
        RoleAssignment.objects.filter(
            person_id__in=person_ids, profile__lineage=profile.lineage, ends_on__isnull=True
        ).values_list("person_id", flat=True)
    )
    new = [
        RoleAssignment(person_id=pk, profile=profile, starts_on=day, assigned_by=by, assigned_at=at)
        for pk in person_ids
        if pk not in held
    ]
    # An officer who was faster between the look and the write has won; her row stays.
    RoleAssignment.objects.bulk_create(new, ignore_conflicts=True)
    rows = {
        row.person_id: row
        for row in RoleAssignment.objects.filter(
            person_id__in=person_ids, profile=profile, ends_on__isnull=True, assigned_at=at, assigned_by=by
        )
    }
    Assignment.objects.bulk_create(
        [
            Assignment(person_id=row.person_id, role_assignment=row, due_on=due_on, job=job, assigned_on=day)
            for row in rows.values()
        ],
        ignore_conflicts=True,
    )
    return {pk: "assigned" if pk in rows else "held" for pk in person_ids}


@transaction.atomic
def replace_role(
    *, assignment: RoleAssignment, profile: RoleProfile, due_on: date | None, by: User | None, day: date
) -> tuple[RoleAssignment, bool]:
    """End an assigned role and give another one instead, both or neither. Returns what the person has and whether it is new.

    Of two presses the first one counts: where the role has ended already, nothing is given.
    """
    assignment = RoleAssignment.objects.select_for_update(of=("self",)).get(pk=assignment.pk)
    if assignment.ends_on is not None and assignment.ends_on <= day:
        return assignment, False
    end_role(assignment=assignment, by=by, ends_on=day)
    given, created = assign_role(person=assignment.person, profile=profile, by=by, starts_on=day)
    Assignment.objects.get_or_create(role_assignment=given, defaults={"person": given.person, "due_on": due_on})
    return given, created
