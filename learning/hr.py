"""Reading for the HR desk: key posts, units, gaps without a course. Sums are made by the database, not by the page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone

from competencies.models import Competency, RoleProfile
from competencies.selectors import (
    KeyPostView,
    holders_of_posts,
    key_posts,
    profiles_by_person,
    standings_of,
    successors_of,
)
from learning.due_dates import DuePolicy, read_policy
from learning.enums import ASSIGN_JOB
from learning.models import Assignment, AssignmentBatch, PathPlan
from organisations.models import Appointment, HrMandate, Job, Post, Unit, User
from organisations.perms import units_served

# How long before its date an assignment shows on the desk, and how many of them are looked at.
SOON = timedelta(days=30)
MOST_DUE = 300


def people_served(officer: User, as_of: date | None = None) -> QuerySet[User]:
    """Active people an officer may assign to."""
    people = User.objects.active()
    return people if officer.is_superuser else people.in_hr_scope_of(officer, as_of)


@dataclass(frozen=True)
class DueView:
    """An assigned role that is not met and is overdue or due soon."""

    person: User
    profile: RoleProfile
    due_on: date
    as_of: date
    met: int
    total: int

    @property
    def is_overdue(self) -> bool:
        return self.due_on < self.as_of


@dataclass(frozen=True)
class HrDesk:
    """What an HR officer looks at first. `due`: what was due longest ago first."""

    key_posts: list[KeyPostView]
    due: list[DueView]

    @property
    def overdue(self) -> list[DueView]:
        return [view for view in self.due if view.is_overdue]

    @property
    def due_soon(self) -> list[DueView]:
        return [view for view in self.due if not view.is_overdue]


def desk_of(officer: User, as_of: date | None = None) -> HrDesk:
    """Key posts and due dates in the units an officer serves; as many queries for many of them as for few."""
    day = as_of or timezone.localdate()
    rows = list(
        key_posts()
        .filter(post__in=Post.objects.existing(day).filter(unit__in=units_served(officer).values("pk")).values("pk"))
        .order_by("profile__role__position", "post__unit__path", "post__code")
    )
    holders = holders_of_posts(rows, day)
    assigned = list(_assignments_due(officer, day))
    people = {person.pk for person in holders.values()} | {a.person_id for a in assigned}
    standings = standings_of(sorted(people), as_of=day)
    roles = [a.role_assignment for a in assigned if a.role_assignment is not None]
    in_force = successors_of([*(row.profile_id for row in rows), *(a.profile_id for a in roles)])
    views = []
    for row in rows:
        holder = holders.get(row.post_id)
        views.append(KeyPostView(row, holder, standings[holder.pk] if holder else None, in_force[row.profile_id]))
    due = []
    for assignment, role in zip(assigned, roles, strict=True):
        met, total = standings[role.person_id].way_to(in_force[role.profile_id])
        if met < total and assignment.due_on is not None:
            due.append(DueView(role.person, role.profile, assignment.due_on, day, met, total))
    return HrDesk(views, due)


def _assignments_due(officer: User, day: date) -> QuerySet[Assignment]:
    """Assignments with a date that is past or near, of people whose plan in force still lacks something; the first of them
    by date, for each is looked at closely."""
    lacking = (
        PathPlan.objects.filter(person=OuterRef("person"))
        .order_by("-number")
        .values_list(F("requirements") - F("met"))[:1]
    )
    return (
        Assignment.objects.asking(day)
        .filter(
            due_on__lte=day + SOON,
            role_assignment__isnull=False,
            person__in=people_served(officer, day).values("pk"),
        )
        .annotate(lacking=Subquery(lacking))
        .exclude(lacking=0)
        .select_related("role_assignment__person", "role_assignment__profile__role")
        .order_by("due_on", "person__name", "pk")[:MOST_DUE]
    )


@dataclass(frozen=True)
class Asked:
    """What an assignment job was asked to do: a batch, or a role for people. `profile` is None where the role is no
    longer there, or the batch is of something else."""

    profile: RoleProfile | None
    due_on: date | None
    batch: AssignmentBatch | None = None


def asked_of(jobs: Iterable[Job]) -> dict[int, Asked]:
    """What assignment jobs were asked to do, by the job's id. One query; another one for jobs from before there were batches."""
    payloads = {job.pk: job.payload for job in jobs if job.kind == ASSIGN_JOB}
    wanted = {payload["batch"] for payload in payloads.values() if "batch" in payload}
    batches = AssignmentBatch.objects.select_related("profile__role", "curated_path").in_bulk(wanted) if wanted else {}
    roles = {payload["profile"] for payload in payloads.values() if "profile" in payload}
    profiles = RoleProfile.objects.select_related("role").in_bulk(roles) if roles else {}
    found = {}
    for pk, payload in payloads.items():
        batch = batches.get(payload.get("batch"))
        if batch is not None:
            policy = read_policy(batch.due_policy) if batch.due_policy else DuePolicy()
            found[pk] = Asked(batch.profile, policy.on, batch)
        else:
            due_on = payload.get("due_on")
            found[pk] = Asked(profiles.get(payload.get("profile")), date.fromisoformat(due_on) if due_on else None)
    return found


@dataclass(frozen=True)
class UnitView:
    """A unit in numbers: people with a path plan, what they need and have, how many still have steps to take."""

    unit: Unit
    people: int
    planned: int
    requirements: int
    met: int
    complete: int
    vacant: int

    @property
    def pct(self) -> int | None:
        return 100 * self.met // self.requirements if self.requirements else None


def newest_plans() -> QuerySet[PathPlan]:
    newest = PathPlan.objects.filter(person=OuterRef("person")).order_by("-number").values("number")[:1]
    return PathPlan.objects.annotate(newest=Subquery(newest)).filter(number=F("newest"))


def unit_views(officer: User, as_of: date | None = None) -> list[UnitView]:
    """Units served with their sums: four queries whatever the number of people."""
    day = as_of or timezone.localdate()
    units = list(units_served(officer))
    ids = [unit.pk for unit in units]
    current = Appointment.objects.current(day).filter(post__unit_id__in=ids)
    people = dict(current.values_list("post__unit_id").annotate(Count("person_id", distinct=True)))
    # Somebody may hold two posts of a unit: what counts is the post that nobody holds.
    vacant = dict(
        Post.objects.existing(day)
        .filter(~Exists(Appointment.objects.current(day).filter(post=OuterRef("pk"))), unit_id__in=ids)
        .values_list("unit_id")
        .annotate(Count("pk"))
    )
    sums: dict[int, dict[str, Any]] = {
        row["unit"]: dict(row)
        for row in newest_plans()
        .filter(person__in=current.values("person_id"))
        .annotate(
            unit=Subquery(
                current.filter(person=OuterRef("person")).order_by("starts_on", "pk").values("post__unit_id")[:1]
            )
        )
        .values("unit")
        .annotate(
            planned=Count("pk"),
            needed=Sum("requirements"),
            held=Sum("met"),
            complete=Count("pk", filter=Q(met__gte=F("requirements"))),
        )
    }
    nothing: dict[str, Any] = {}
    return [
        UnitView(
            unit=unit,
            people=people.get(unit.pk, 0),
            planned=sums.get(unit.pk, nothing).get("planned", 0),
            requirements=sums.get(unit.pk, nothing).get("needed") or 0,
            met=sums.get(unit.pk, nothing).get("held") or 0,
            complete=sums.get(unit.pk, nothing).get("complete", 0),
            vacant=vacant.get(unit.pk, 0),
        )
        for unit in units
    ]


@dataclass(frozen=True)
class OpenGap:
    """A competency that courses do not bring people to, and for how many people of the scope."""

    competency: Competency
    people: int
    highest_required: int
    highest_reached: int


def gaps_without_course(officer: User, limit: int = 8) -> list[OpenGap]:
    """What the catalogue does not offer, by the people it fails. Two queries; the sum is over plans in force."""
    plans = newest_plans().filter(person__in=people_served(officer).values("pk")).exclude(unclosed=[])
    count: dict[int, int] = defaultdict(int)
    required: dict[int, int] = defaultdict(int)
    reached: dict[int, int] = defaultdict(int)
    for unclosed in plans.values_list("unclosed", flat=True).iterator(chunk_size=2000):
        for closing in unclosed:
            pk = closing["competency_id"]
            count[pk] += 1
            required[pk] = max(required[pk], closing["required"])
            reached[pk] = max(reached[pk], closing["reaches"])
    top = sorted(count, key=lambda pk: (-count[pk], pk))[:limit]
    competencies = Competency.objects.in_bulk(top)
    return [OpenGap(competencies[pk], count[pk], required[pk], reached[pk]) for pk in top if pk in competencies]


def mandates_of(officer: User) -> QuerySet[HrMandate]:
    return officer.hr_mandates.select_related("unit").order_by("unit__path")


def holders_of(profile: RoleProfile, person_ids: Sequence[int], day: date) -> set[int]:
    """Who of these people has the role already, by post or by assignment."""
    return {pk for pk, profiles in profiles_by_person(person_ids, day).items() if profile.pk in profiles}
