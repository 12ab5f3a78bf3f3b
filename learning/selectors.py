"""Reading for the desks: what a learner, a manager and an HR officer see first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db.models import Exists, F, Max, OuterRef, Prefetch, Q, Subquery
from django.utils import timezone
from django.utils.translation import get_language

from competencies.levels import awaits_manager
from competencies.models import Competency, Evidence, RoleAssignment
from competencies.selectors import Line, Standing, standing_of, standings_of
from courses.models import CoursePage, Enrolment
from courses.selectors import CourseState, course_states, in_language
from learning.enums import CuratedStatus, PlanReason
from learning.models import (
    Assignment,
    CuratedStage,
    CuratedVersion,
    PathPlan,
    PathStep,
)
from learning.ordering import Job, arrange
from learning.planning import Closing, Pace, Session
from organisations.models import Appointment, User
from readiness.enums import InitiativeStatus
from readiness.models import Initiative

# How long a change of the path is shown on the desk.
NEWS_FOR = timedelta(days=14)
# A plan for evidence is made right after the commit; should a worker be late, its change is only told on the path.
PLANNED_WITHIN = timedelta(minutes=5)


def current_plans(person_ids: Sequence[int]) -> dict[int, PathPlan]:
    """The plan in force of each person, with its steps and their courses. Three queries."""
    newest = PathPlan.objects.filter(person=OuterRef("person")).order_by("-number").values("number")[:1]
    # Courses are few and steps are many: each course is read once, not joined to every step.
    steps = PathStep.objects.prefetch_related("course").select_related("run").order_by("position")
    plans = (
        PathPlan.objects.filter(person_id__in=person_ids)
        .annotate(newest=Subquery(newest))
        .filter(number=F("newest"))
        .prefetch_related(Prefetch("steps", queryset=steps))
    )
    return {plan.person_id: plan for plan in plans}


def due_dates(standings: Mapping[int, Standing], as_of: date) -> dict[int, date]:
    """The earliest due date of each person's assignments whose role asks for something not shown yet. One query.

    What a role asks for is known when it is met; then its date is kept and no longer a date to meet.
    """
    # An assignment may be of a superseded edition; the standing speaks of the one in force, of the same lineage.
    open_lineages = {
        person_id: {profile.lineage for profile in standing.profiles if not standing.is_met(profile.pk)}
        for person_id, standing in standings.items()
    }
    found: dict[int, date] = {}
    rows = (
        Assignment.objects.filter(
            person_id__in=standings, role_assignment__isnull=False, due_on__isnull=False, exempted_at__isnull=True
        )
        .filter(role_assignment__in=RoleAssignment.objects.current(as_of).values("pk"))
        .values_list("role_assignment__person_id", "role_assignment__profile__lineage", "due_on")
    )
    for person_id, lineage, due_on in rows:
        if due_on is not None and lineage in open_lineages[person_id]:
            found[person_id] = min(due_on, found.get(person_id, due_on))
    return found


@dataclass(frozen=True)
class NeededBy:
    """A change needs a competency by a day."""

    initiative: Initiative
    competency: Competency
    by: date


@dataclass(frozen=True)
class StepView:
    """A step of the path as it stands today: "done", "current" (begun) or "todo"."""

    step: PathStep
    number: int
    closes: tuple[tuple[Line, Closing], ...]
    state: str
    progress: CourseState | None
    needed_by: tuple[CoursePage, ...]
    # The assignments behind it, those of today: who asked, why, by when; and by curated path the stage it counts in.
    asked_by: tuple[Assignment, ...] = ()
    stages: Mapping[int, CuratedStage] = field(default_factory=dict)
    # Of the competencies it closes, by id: the roles of hers that ask for that level.
    roles: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    # Changes that need what it closes, those under way: of which competency, by when.
    needed_for: tuple[NeededBy, ...] = ()

    @property
    def is_mandatory(self) -> bool:
        """Whether it may not be declined: asked for by an assignment that says so."""
        return "mandatory" in self.step.kinds and any(assignment.mandatory for assignment in self.asked_by)

    @property
    def is_pinned(self) -> bool:
        return "pinned" in self.step.kinds

    @property
    def course(self) -> CoursePage:
        """The page of the step; of a course that is begun, the page (the language) in which it is."""
        return self.progress.course if self.progress is not None else self.step.course

    @property
    def minutes_left(self) -> int:
        return (
            self.progress.minutes_left
            if self.progress is not None and self.progress.lessons
            else self.course.effort_minutes
        )


@dataclass(frozen=True)
class PathView:
    """A person's path: what is done, the steps to come, and the gaps that remain after it."""

    person: User
    standing: Standing
    plan: PathPlan | None
    done: tuple[CourseState, ...]
    steps: tuple[StepView, ...]
    unclosed: tuple[tuple[Line, Closing], ...]
    other: tuple[CourseState, ...]
    due_on: date | None
    # All that is asked of her, what she is exempt from too.
    assignments: tuple[Assignment, ...] = ()

    @property
    def next_step(self) -> StepView | None:
        return next((step for step in self.steps if step.state == "current"), next(iter(self.steps), None))

    @property
    def minutes_left(self) -> int:
        return sum(step.minutes_left for step in self.steps)

    @property
    def is_overdue(self) -> bool:
        return self.due_on is not None and bool(self.steps) and self.due_on < self.standing.as_of


def path_of(person: User, *, as_of: date | None = None) -> PathView:
    """A person's path with everything its pages show; the number of queries does not depend on its length."""
    day = as_of or timezone.localdate()
    standing = standing_of(person, as_of=day)
    plan = current_plans([person.pk]).get(person.pk)
    enrolments = list(Enrolment.objects.of(person).select_related("course"))
    states = course_states(enrolments)
    # Whatever the language: of two open enrolments in one course the one seen last.
    by_seen = sorted(enrolments, key=lambda e: (e.last_seen_at, e.pk))
    begun = {e.course.key: states[e.pk] for e in by_seen if e.completed_at is None}
    steps = list(plan.steps.all()) if plan else []
    every = assignments_of(person, day)
    assignments = {pk: assignment for pk, assignment in every.items() if assignment.exempted_at is None}
    wanted = {pk for step in steps for pk in step.stages}
    stages = CuratedStage.objects.select_related("version").in_bulk(wanted) if wanted else {}
    asking = {row["initiative_id"] for step in steps for row in step.needed_for}
    initiatives = _changes_of(person, day, asking) if asking else {}
    views = tuple(
        _step_view(step, number, steps, standing, begun, assignments, stages, initiatives)
        for number, step in enumerate(steps, start=1)
    )
    planned = {view.progress.enrolment.pk for view in views if view.progress is not None}
    done = [e for e in enrolments if e.completed_at is not None]
    return PathView(
        person=person,
        standing=standing,
        plan=plan,
        done=tuple(states[e.pk] for e in sorted(done, key=lambda e: e.completed_at or e.enrolled_at)),
        steps=views,
        unclosed=_lines(plan.unclosed if plan else [], standing),
        other=tuple(states[e.pk] for e in enrolments if e.completed_at is None and e.pk not in planned),
        due_on=_first_due(standing, assignments.values(), steps),
        assignments=tuple(every.values()),
    )


def assignments_of(person: User, day: date) -> dict[int, Assignment]:
    """What is asked of a person on a day, exempt or not, by id, with who asked and why. One query, two more for curated paths.

    `repeats` and `was_asked_to_extend` say whether there are periods and requests for more time, so that nobody looks in vain.
    """
    published = CuratedVersion.objects.filter(status=CuratedStatus.PUBLISHED)
    rows = (
        Assignment.objects.current(day)
        .filter(person=person)
        .with_history()
        .select_related("role_assignment__profile__role", "curated_path", "rule", "batch__created_by")
        .prefetch_related(Prefetch("curated_path__versions", queryset=published, to_attr="in_force"))
        .order_by("pk")
    )
    return {assignment.pk: assignment for assignment in rows}


def _first_due(standing: Standing, assignments: Iterable[Assignment], steps: Iterable[PathStep]) -> date | None:
    """The earliest date to meet: of a step, or of a role that asks for something not shown yet."""
    open_lineages = {profile.lineage for profile in standing.profiles if not standing.is_met(profile.pk)}
    dates = [
        assignment.due_on
        for assignment in assignments
        if assignment.role_assignment is not None and assignment.role_assignment.profile.lineage in open_lineages
    ]
    return min((day for day in [*dates, *(step.due_on for step in steps)] if day is not None), default=None)


@dataclass(frozen=True)
class Timing:
    """When a step begins and ends at the person's pace, and whether that is after it is due."""

    starts_on: date | None
    ends_on: date | None
    is_late: bool


def timetable(path: PathView, pace: Pace) -> dict[int, Timing]:
    """The steps of a path on the calendar, in their order, by step id; what is done of a course begun counts.

    No query: runs come with the steps.
    """
    jobs, before = [], frozenset[str]()
    for view in path.steps:
        run = view.step.run
        session = (Session(run.pk, max(run.starts_on, pace.starts_on), run.ends_on),) if run is not None else ()
        key = str(view.step.pk)
        jobs.append(Job(key, view.minutes_left, before, view.step.due_on, sessions=session, dated=run is not None))
        before = frozenset({key})
    return {int(at.key): Timing(at.starts_on, at.ends_on, at.is_late) for at in arrange(jobs, pace)}


def _step_view(
    step: PathStep,
    number: int,
    steps: Sequence[PathStep],
    standing: Standing,
    begun: Mapping[str, CourseState],
    assignments: Mapping[int, Assignment],
    stages: Mapping[int, CuratedStage],
    initiatives: Mapping[int, Initiative],
) -> StepView:
    progress = begun.get(step.course.key)
    return StepView(
        step=step,
        number=number,
        closes=_lines(step.closes, standing),
        state="current" if progress is not None else "todo",
        progress=progress,
        needed_by=tuple(other.course for other in steps if other.course.key in step.needed_by),
        asked_by=tuple(assignments[pk] for pk in step.assignments if pk in assignments),
        stages={stages[pk].version.path_id: stages[pk] for pk in step.stages if pk in stages},
        roles={row["competency_id"]: _roles_asking(row["competency_id"], standing) for row in step.closes},
        needed_for=_needed_for(step, standing, initiatives),
    )


def _roles_asking(competency_id: int, standing: Standing) -> tuple[str, ...]:
    """Her roles that ask for the most of a competency, by name."""
    asking = {
        str(profile): r.rank_needed
        for profile in standing.profiles
        for r in standing.asked.get(profile.pk, ())
        if r.competency_id == competency_id
    }
    return tuple(sorted(role for role, rank in asking.items() if rank == max(asking.values())))


def _changes_of(person: User, day: date, ids: set[int]) -> dict[int, Initiative]:
    """Those of these changes that are under way where she works today, which she may read therefore. One query."""
    here = Appointment.objects.current(day).filter(person=person, post__unit__path__startswith=OuterRef("unit__path"))
    return Initiative.objects.filter(Exists(here), status=InitiativeStatus.PUBLISHED).in_bulk(ids)


def _needed_for(step: PathStep, standing: Standing, initiatives: Mapping[int, Initiative]) -> tuple[NeededBy, ...]:
    """Those whose change is still under way and whose gap is still hers."""
    competencies = {line.competency.pk: line.competency for line in standing.lines}
    return tuple(
        NeededBy(initiatives[row["initiative_id"]], competencies[row["competency_id"]], date.fromisoformat(row["by"]))
        for row in step.needed_for
        if row["initiative_id"] in initiatives and row["competency_id"] in competencies
    )


def _lines(closings: Sequence[dict], standing: Standing) -> tuple[tuple[Line, Closing], ...]:
    lines = {line.competency.pk: line for line in standing.lines}
    return tuple((lines[c["competency_id"]], Closing(**c)) for c in closings if c["competency_id"] in lines)


def recent_changes(person: User, limit: int = 5) -> list[PathPlan]:
    """Plans that changed something, the newest first."""
    return [plan for plan in PathPlan.objects.filter(person=person).order_by("-number")[:limit] if plan.changes]


def plan_made_after(person: User, moment: datetime) -> PathPlan | None:
    """The plan that evidence of a moment brought about: the first one made for evidence soon afterwards. One query."""
    return (
        PathPlan.objects.filter(
            person=person, reason=PlanReason.EVIDENCE, made_at__gte=moment, made_at__lt=moment + PLANNED_WITHIN
        )
        .order_by("number")
        .first()
    )


def plan_caused_by(enrolment: Enrolment) -> PathPlan | None:
    """The plan that a completed course brought about: the first afterwards that speaks of it or of what it shows.

    None where nothing changed. Two queries; three where the course was completed again later.
    """
    again = (
        Enrolment.objects.completed()
        .filter(person=enrolment.person_id, course__key=enrolment.course.key, completed_at__gt=enrolment.completed_at)
        .values("completed_at")
        .order_by("completed_at")[:1]
    )
    evidence = set(
        Evidence.objects.filter(
            person=enrolment.person_id, source_key__startswith=f"enrolment:{enrolment.pk}:"
        ).values_list("pk", flat=True)
    )
    plans = (
        PathPlan.objects.filter(person=enrolment.person_id, made_at__gte=enrolment.completed_at)
        .annotate(again=Subquery(again))
        .filter(Q(again=None) | Q(made_at__lt=F("again")))
        .order_by("number")
    )
    for plan in plans:
        for change in plan.changes:
            passed = change["why"] == "passed" and change["key"] == enrolment.course.key
            if passed or change.get("evidence", {}).get("id") in evidence:
                return plan
    return None


def plan_after(evidence: Evidence) -> PathPlan | None:
    """The plan that a piece of evidence brought about: the first after it and before the next piece. Two queries."""
    following = (
        Evidence.objects.filter(person=evidence.person_id, recorded_at__gt=evidence.recorded_at)
        .order_by("recorded_at")
        .values_list("recorded_at", flat=True)
        .first()
    )
    plans = PathPlan.objects.filter(
        person=evidence.person_id, made_at__gte=evidence.recorded_at, reason=PlanReason.EVIDENCE
    )
    if following is not None:
        plans = plans.filter(made_at__lt=following)
    return plans.order_by("number").first()


@dataclass(frozen=True)
class ChangeView:
    """One change of a path with what it speaks of looked up."""

    kind: str
    why: str
    course_title: str
    competencies: tuple[Competency, ...]
    evidence_kind: str
    rank: int | None
    on: date | None = None


def fresh_changes(path: PathView) -> list[ChangeView]:
    """What the plan in force changed, while that is news."""
    plan = path.plan
    if plan is None or not plan.changes or path.standing.as_of - timezone.localdate(plan.made_at) > NEWS_FOR:
        return []
    return change_views([plan], known={line.competency.pk: line.competency for line in path.standing.lines})[plan.pk]


def change_views(
    plans: Sequence[PathPlan], known: Mapping[int, Competency] | None = None
) -> dict[int, list[ChangeView]]:
    """The changes of some plans with what they speak of: two queries at most, however many.

    `known` competencies need not be asked for again.
    """
    keys = {change["key"] for plan in plans for change in plan.changes}
    ids = {pk for plan in plans for change in plan.changes for pk in change["competency_ids"]}
    # The reader's language last, so that it is what stays.
    wanted = [settings.LANGUAGE_CODE, get_language()]
    pages = CoursePage.objects.filter(key__in=keys).order_by("-pk").values_list("key", "language", "title")
    titles = {
        key: title
        for key, language, title in sorted(pages, key=lambda page: wanted.index(page[1]) if page[1] in wanted else -1)
    }
    competencies = dict(known or {})
    missing = ids - competencies.keys()
    if missing:
        competencies |= Competency.objects.in_bulk(missing)
    return {
        plan.pk: [
            ChangeView(
                kind=change["kind"],
                why=change["why"],
                course_title=titles.get(change["key"], change["key"]),
                competencies=tuple(competencies[pk] for pk in change["competency_ids"] if pk in competencies),
                evidence_kind=change.get("evidence", {}).get("kind", ""),
                rank=change.get("evidence", {}).get("rank"),
                on=date.fromisoformat(change["on"]) if "on" in change else None,
            )
            for change in plan.changes
        ]
        for plan in plans
    }


# --- The manager's desk ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class MemberView:
    """One person of a team: role, way to it, next step, and what waits for the manager."""

    person: User
    title: str
    standing: Standing
    plan: PathPlan | None
    due_on: date | None
    last_seen_on: date | None
    to_confirm: tuple[Line, ...]
    next_step: PathStep | None
    # The next step's course by the name the reader knows it by.
    next_course: CoursePage | None
    # What is due first, where that is another course than the next one or the role as a whole.
    due_course: CoursePage | None = None
    due_is_of_role: bool = False

    @property
    def is_overdue(self) -> bool:
        return self.due_on is not None and self.next_step is not None and self.due_on < self.standing.as_of


@dataclass(frozen=True)
class TeamView:
    members: tuple[MemberView, ...]

    @property
    def to_confirm(self) -> tuple[MemberView, ...]:
        return tuple(m for m in self.members if m.to_confirm)

    @property
    def overdue(self) -> tuple[MemberView, ...]:
        return tuple(m for m in self.members if m.is_overdue)

    @property
    def not_begun(self) -> tuple[MemberView, ...]:
        return tuple(m for m in self.members if m.next_step is not None and m.last_seen_on is None)

    @property
    def ready(self) -> int:
        return sum(1 for m in self.members if m.standing.total and m.standing.met == m.standing.total)


def team_of(manager: User, *, as_of: date | None = None) -> TeamView:
    """The team of a manager; as many queries for a hundred and fifty people as for one."""
    day = as_of or timezone.localdate()
    people = list(User.objects.led_by(manager, day).active())
    return TeamView(members_of(people, day))


def members_of(people: Sequence[User], day: date) -> tuple[MemberView, ...]:
    ids = [person.pk for person in people]
    standings = standings_of(ids, as_of=day)
    plans = current_plans(ids)
    due = due_dates(standings, day)
    steps = {person_id: next(iter(plan.steps.all()), None) for person_id, plan in plans.items()}
    first_due: dict[int, PathStep] = {}
    for person_id, plan in plans.items():
        dated = min((s for s in plan.steps.all() if s.due_on is not None), key=_due_then_place, default=None)
        if dated is not None and dated.due_on is not None and dated.due_on <= due.get(person_id, dated.due_on):
            due[person_id], first_due[person_id] = dated.due_on, dated
    titles = post_titles(ids, day)
    shown = [*steps.values(), *first_due.values()]
    courses = in_language(get_language() or "", [step.course for step in shown if step is not None])
    seen = {
        person_id: timezone.localdate(moment)
        for person_id, moment in Enrolment.objects.filter(person_id__in=ids)
        .values_list("person_id")
        .annotate(Max("last_seen_at"))
    }
    return tuple(
        MemberView(
            person=person,
            title=titles.get(person.pk, ""),
            standing=standings[person.pk],
            plan=plans.get(person.pk),
            due_on=due.get(person.pk),
            last_seen_on=seen.get(person.pk),
            to_confirm=to_confirm(standings[person.pk]),
            next_step=step,
            next_course=courses[step.course_id] if step is not None else None,
            due_course=courses[dated.course_id] if dated is not None and dated is not step else None,
            due_is_of_role=dated is None and person.pk in due,
        )
        for person in people
        for step, dated in [(steps.get(person.pk), first_due.get(person.pk))]
    )


def _due_then_place(step: PathStep) -> tuple[date, int]:
    return step.due_on or date.max, step.position


def to_confirm(standing: Standing) -> tuple[Line, ...]:
    """Gaps where the person declares more than is attained and no manager's word from after that is on record.

    These are the lines where a manager's look may change something, so they are what the manager is asked for.
    """
    return tuple(line for line in standing.lines if line.gap is not None and awaits_manager(line.level))


def post_titles(person_ids: Sequence[int], day: date) -> dict[int, str]:
    """Post and unit of each person in words. One query."""
    found: dict[int, list[str]] = defaultdict(list)
    rows = (
        Appointment.objects.current(day)
        .filter(person_id__in=person_ids)
        .select_related("post__unit")
        .order_by("person_id", "starts_on", "pk")
    )
    for row in rows:
        found[row.person_id].append(f"{row.post.title} · {row.post.unit.name}")
    return {person_id: "; ".join(titles) for person_id, titles in found.items()}
