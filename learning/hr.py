"""Reading for the HR desk: key posts, units, gaps without a course. Sums are made by the database, not by the page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone

from competencies.models import Competency, PostRole, RoleProfile
from competencies.selectors import Standing, key_posts, profiles_by_person, standings_of, successors_of
from learning.models import PathPlan
from organisations.models import Appointment, HrMandate, Post, Unit, User
from organisations.perms import hr_paths


def units_served(officer: User) -> QuerySet[Unit]:
    """All units an officer serves, in tree order; every unit for an administrator."""
    if officer.is_superuser:
        return Unit.objects.order_by("path")
    within = Q(pk__in=[])
    for path in hr_paths(officer):
        within |= Q(path__startswith=path)
    return Unit.objects.filter(within).order_by("path")


def people_served(officer: User, as_of: date | None = None) -> QuerySet[User]:
    """Active people an officer may assign to."""
    people = User.objects.active()
    return people if officer.is_superuser else people.in_hr_scope_of(officer, as_of)


@dataclass(frozen=True)
class KeyPostView:
    """A key post: filled by somebody at the level, filled below it, or vacant."""

    post_role: PostRole
    holder: User | None
    standing: Standing | None
    profile_id: int  # the profile in force, where that of the post is of a superseded edition

    @property
    def state(self) -> str:
        if self.holder is None or self.standing is None:
            return "vacant"
        return "at_level" if self.met == self.total else "below"

    @property
    def lines(self) -> list:
        if self.standing is None:
            return []
        return [line for line in self.standing.lines if self.profile_id in line.required.profiles]

    @property
    def met(self) -> int:
        return sum(line.is_met for line in self.lines)

    @property
    def total(self) -> int:
        return len(self.lines)


def key_post_views(officer: User, as_of: date | None = None) -> list[KeyPostView]:
    """Key posts in the units an officer serves; the number of queries does not depend on how many there are."""
    day = as_of or timezone.localdate()
    rows = list(
        key_posts()
        .filter(post__in=Post.objects.existing(day).filter(unit__in=units_served(officer).values("pk")).values("pk"))
        .order_by("profile__role__position", "post__unit__path", "post__code")
    )
    holders = {
        a.post_id: a.person
        for a in Appointment.objects.current(day)
        .filter(post_id__in=[row.post_id for row in rows])
        .select_related("person")
    }
    standings = standings_of([person.pk for person in holders.values()], as_of=day)
    in_force = successors_of(row.profile_id for row in rows)
    views = []
    for row in rows:
        holder = holders.get(row.post_id)
        views.append(KeyPostView(row, holder, standings[holder.pk] if holder else None, in_force[row.profile_id]))
    return views


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
