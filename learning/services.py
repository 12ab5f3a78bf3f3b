"""Writes of the learning floor: plans are made, roles with their paths are assigned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from competencies.models import RoleAssignment, RoleProfile
from competencies.selectors import Standing, competencies_in_force, standings_of
from competencies.services import assign_role, end_role
from courses.selectors import OfferedCourse, offered_courses, passed_and_begun
from learning import changes as changes_of
from learning.enums import PlanReason
from learning.models import Assignment, PathPlan, PathStep
from learning.planning import Closing, Offer, Plan, Target, plan_path
from learning.selectors import current_plans
from organisations.models import Job, User

BATCH = 200


def targets_of(standing: Standing) -> tuple[Target, ...]:
    """The gaps of a person as the planner takes them."""
    return tuple(Target(g.competency_id, g.held, g.required.rank_needed, g.priority) for g in standing.gaps)


def offers_for(
    language: str, offered: dict[str, OfferedCourse], begun: Mapping[str, int] | None = None
) -> tuple[Offer, ...]:
    """The offer as the planner takes it, each course in the language a person takes it in.

    `begun` are courses she has begun (key → page): a course goes on in the language in which it was begun.
    """
    pages = begun or {}
    return tuple(
        Offer(
            key,
            course.page_for(language, pages.get(key)).effort_minutes,
            course.outcomes,
            course.prerequisites,
            key in pages,
        )
        for key, course in offered.items()
    )


def satisfied_keys(
    standing: Standing, offered: dict[str, OfferedCourse], passed: set[str] | frozenset[str]
) -> frozenset[str]:
    """Courses that need not be taken as a prerequisite: passed, or everything they lead to is held already."""
    held = standing.held
    return frozenset(passed) | frozenset(key for key, course in offered.items() if course.is_held(held))


def solve(
    standing: Standing, language: str, offered: dict[str, OfferedCourse], passed: set[str], begun: Mapping[str, int]
) -> Plan:
    targets = targets_of(standing)
    return plan_path(targets, offers_for(language, offered, begun), satisfied=satisfied_keys(standing, offered, passed))


def replan(*, person: User, reason: PlanReason, at: datetime | None = None) -> PathPlan | None:
    """Make today's plan for one person; returns the plan in force, None for somebody without roles and plans."""
    replan_many(person_ids=[person.pk], reason=reason, at=at)
    return current_plans([person.pk]).get(person.pk)


def replan_many(
    *,
    person_ids: Sequence[int],
    reason: PlanReason,
    at: datetime | None = None,
    offered: dict[str, OfferedCourse] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Make today's plans for many people, a batch a transaction; returns how many new plans were written.

    A plan equal to the one in force is not written again, so doing it twice leaves the same state. Queries grow with
    batches of people, not with people; people with the same gaps and offers share the solving (an LRU cache).
    """
    moment = at or timezone.now()
    offer = offered_courses() if offered is None else offered
    written = 0
    ids = sorted(set(person_ids))
    for start in range(0, len(ids), BATCH):
        written += _replan_batch(ids[start : start + BATCH], reason, moment, offer)
        if progress is not None:
            progress(min(start + BATCH, len(ids)), len(ids))
    return written


def _replan_batch(ids: Sequence[int], reason: PlanReason, moment: datetime, offered: dict[str, OfferedCourse]) -> int:
    with transaction.atomic():
        # The rows of the people are the lock: two plans for one person are made one after the other.
        people = User.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk").only("pk", "language")
        languages = {person.pk: person.language for person in people}
        standings = standings_of(ids, as_of=timezone.localdate(moment))
        passed, begun = passed_and_begun(ids)
        old_plans = current_plans(ids)
        now = competencies_in_force(
            {c["competency_id"] for old in old_plans.values() for step in old.steps.all() for c in step.closes}
        )
        plans, steps, pages = [], [], {}
        for person_id in ids:
            standing, old = standings[person_id], old_plans.get(person_id)
            if not standing.profiles and old is None:
                continue
            solved = solve(standing, languages[person_id], offered, passed[person_id], begun[person_id])
            language, open_pages = languages[person_id], begun[person_id]
            pages = {step.key: offered[step.key].page_for(language, open_pages.get(step.key)) for step in solved.steps}
            if old is not None and _same(old, solved, standing, pages, in_order=reason != PlanReason.SWEEP):
                continue
            plan = PathPlan(
                person_id=person_id,
                number=old.number + 1 if old else 1,
                made_at=moment,
                reason=reason if old else PlanReason.FIRST,
                effort_minutes=solved.effort_minutes,
                requirements=standing.total,
                met=standing.met,
                unclosed=[asdict(c) for c in solved.unclosed],
                changes=_changes(old, solved, standing, passed[person_id], offered, now),
            )
            plans.append(plan)
            steps += [
                PathStep(
                    plan=plan,
                    position=position,
                    course=pages[step.key],
                    closes=[asdict(c) for c in step.closes],
                    needed_by=list(step.needed_by),
                )
                for position, step in enumerate(solved.steps, start=1)
            ]
        PathPlan.objects.bulk_create(plans)
        PathStep.objects.bulk_create(steps)
    return len(plans)


def _same(old: PathPlan, solved: Plan, standing: Standing, pages: dict[str, Any], *, in_order: bool) -> bool:
    """Whether the plan in force is the one that was solved.

    What orders a path (what is likely) ages by the day. That alone moves nobody's steps overnight: the sweep compares
    without the order, and what happens (evidence, a role, an offer) puts the steps in their order again.
    """
    before = [(s.course_id, s.closes, s.needed_by) for s in old.steps.all()]
    after = [(pages[s.key].pk, [asdict(c) for c in s.closes], list(s.needed_by)) for s in solved.steps]
    unclosed = [asdict(c) for c in solved.unclosed]
    steps_are_the_same = (
        before == after if in_order else sorted(map(_unordered, before)) == sorted(map(_unordered, after))
    )
    return (
        steps_are_the_same
        and (old.unclosed == unclosed if in_order else _by_competency(old.unclosed) == _by_competency(unclosed))
        and (old.requirements, old.met) == (standing.total, standing.met)
    )


def _unordered(step: tuple[int, list[dict[str, Any]], list[str]]) -> tuple[int, list[list[tuple[str, Any]]], list[str]]:
    course_id, closes, needed_by = step
    return course_id, _by_competency(closes), sorted(needed_by)


def _by_competency(closings: list[dict[str, Any]]) -> list[list[tuple[str, Any]]]:
    return sorted(sorted(closing.items()) for closing in closings)


def _changes(
    old: PathPlan | None,
    solved: Plan,
    standing: Standing,
    passed: set[str],
    offered: dict[str, OfferedCourse],
    now: Mapping[int, int],
) -> list[dict[str, Any]]:
    """What differs from the plan before, with the evidence that made the difference where there is one.

    `now` leads from competencies of superseded editions to those in force: the plan before may speak of the former.
    """
    if old is None:
        return []

    def closing(stored: dict[str, Any]) -> Closing:
        return Closing(**stored | {"competency_id": now.get(stored["competency_id"], stored["competency_id"])})

    before = [
        changes_of.PlannedStep(step.course.key, tuple(closing(c) for c in step.closes)) for step in old.steps.all()
    ]
    after = [changes_of.PlannedStep(step.key, step.closes) for step in solved.steps]
    found = changes_of.compare_steps(
        before,
        after,
        passed=frozenset(passed),
        offered=frozenset(offered),
        required={line.competency.pk: line.required.rank_needed for line in standing.lines},
        held=standing.held,
    )
    described: list[dict[str, Any]] = []
    since = timezone.localdate(old.made_at)
    for line in standing.lines:
        gone = changes_of.lapsed_since(line.level, since=since, as_of=standing.as_of) if line.gap is not None else None
        if gone is not None and gone.lapses_on is not None:
            about = changes_of.Change("lapsed", "", "lapsed", (line.competency.pk,))
            evidence = {"id": gone.item.id, "kind": str(gone.item.kind), "rank": gone.item.rank}
            day = gone.lapses_on.isoformat()
            described.append(
                asdict(about) | {"competency_ids": list(about.competency_ids), "evidence": evidence, "on": day}
            )
    for change in found:
        row = asdict(change) | {"competency_ids": list(change.competency_ids)}
        level = next((standing.levels[pk] for pk in change.competency_ids if pk in standing.levels), None)
        if change.why == "held" and level is not None and level.basis is not None:
            row["evidence"] = {"id": level.basis.item.id, "kind": str(level.basis.item.kind), "rank": level.rank}
        described.append(row)
    return described


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
