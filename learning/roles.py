"""Which roles a person has and where they come from, what ending or replacing one does, and who has a withdrawn one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from competencies.enums import FrameworkStatus
from competencies.models import Competency, PostRole, RoleAssignment, RoleProfile
from competencies.selectors import Standing, successors_of
from courses.selectors import offered_courses
from learning.hr import people_served
from learning.inputs import Shelf, read_inputs, solve
from learning.selectors import path_of
from organisations.models import Appointment, Post, User

NAMED_MOST = 20


@dataclass(frozen=True)
class HeldRole:
    """A role of a person: by a post she holds, or by an assignment. `profile` is the edition that counts today."""

    profile: RoleProfile
    withdrawn: bool
    post: Post | None = None
    since: date | None = None
    assignment: RoleAssignment | None = None
    due_on: date | None = None


def roles_of(person: User, standing: Standing) -> list[HeldRole]:
    """The roles of a person as of her standing, those of posts first. Two queries, four after an edition was superseded."""
    by_id = {profile.pk: profile for profile in standing.profiles}
    held = Appointment.objects.current(standing.as_of).filter(person=person)
    by_post = list(
        PostRole.objects.filter(post__appointments__in=held)
        .annotate(since=F("post__appointments__starts_on"))
        .select_related("post__unit", "profile__role__version__framework")
        .order_by("since", "pk")
    )
    assigned = list(
        RoleAssignment.objects.current(standing.as_of)
        .filter(person=person)
        .select_related("profile__role__version__framework", "assigned_by", "assignment")
        .order_by("starts_on", "pk")
    )
    given_profiles = [*(row.profile for row in by_post), *(row.profile for row in assigned)]
    now = successors_of(p.pk for p in given_profiles if p.role.version.status == FrameworkStatus.SUPERSEDED)

    def counting(profile: RoleProfile) -> tuple[RoleProfile, bool]:
        """The edition of it that counts today, and whether it is in none that is in force."""
        return by_id.get(now.get(profile.pk, profile.pk), profile), now.get(profile.pk) == profile.pk

    found = []
    for row in by_post:
        profile, withdrawn = counting(row.profile)
        found.append(HeldRole(profile, withdrawn, post=row.post, since=row.since))
    for given in assigned:
        profile, withdrawn = counting(given.profile)
        path = getattr(given, "assignment", None)
        due_on = path.due_on if path is not None else None
        found.append(HeldRole(profile, withdrawn, since=given.starts_on, assignment=given, due_on=due_on))
    return found


@dataclass(frozen=True)
class Effect:
    """What ending a role (and giving another instead) does to a person: courses by title, competencies, minutes."""

    leaving: tuple[str, ...]
    coming: tuple[str, ...]
    no_longer_asked: tuple[Competency, ...]
    newly_asked: tuple[Competency, ...]
    minutes_before: int
    minutes_after: int
    roles_left: int

    @property
    def changes_nothing(self) -> bool:
        return not (self.leaving or self.coming or self.no_longer_asked or self.newly_asked)


def effect_of_ending(
    assignment: RoleAssignment, *, instead: RoleProfile | None = None, as_of: date | None = None
) -> Effect:
    """What it does to the path. Nothing is written; evidence and courses begun stay whatever happens."""
    day, person = as_of or timezone.localdate(), assignment.person
    shelf = Shelf(offered_courses())
    now = read_inputs([person.pk], day=day)[person.pk]
    then = read_inputs([person.pk], day=day, without=assignment.pk, adding=instead)[person.pk]
    before, after = now.standing, then.standing
    old, new = solve(now, shelf), solve(then, shelf)
    pages = {step.key: shelf.page(step.key, now.language, now.begun) for step in (*old.steps, *new.steps)}
    # Of a course begun only the rest is still to do.
    rest = {step.course.key: step.minutes_left for step in path_of(person, as_of=day).steps}

    def titles(keys: set[str], order: list[str]) -> tuple[str, ...]:
        return tuple(pages[key].title for key in order if key in keys)

    def minutes(order: list[str]) -> int:
        return sum(rest.get(key, pages[key].effort_minutes) for key in order)

    old_keys, new_keys = [step.key for step in old.steps], [step.key for step in new.steps]
    asked_before = {line.competency.pk: line.competency for line in before.lines}
    asked_after = {line.competency.pk: line.competency for line in after.lines}
    return Effect(
        leaving=titles(set(old_keys) - set(new_keys), old_keys),
        coming=titles(set(new_keys) - set(old_keys), new_keys),
        no_longer_asked=tuple(c for pk, c in asked_before.items() if pk not in asked_after),
        newly_asked=tuple(c for pk, c in asked_after.items() if pk not in asked_before),
        minutes_before=minutes(old_keys),
        minutes_after=minutes(new_keys),
        roles_left=len(after.profiles),
    )


# --- Withdrawn roles -------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class WithdrawnRole:
    """A role that is in no edition in force, and the people who still have it."""

    profile: RoleProfile
    people: tuple[User, ...]

    @property
    def named(self) -> tuple[User, ...]:
        return self.people[:NAMED_MOST]

    @property
    def unnamed(self) -> int:
        return len(self.people) - len(self.named)


def withdrawn_profiles() -> QuerySet[RoleProfile]:
    """Profiles of superseded editions that no edition in force goes on with."""
    successor = RoleProfile.objects.published().filter(lineage=OuterRef("lineage"))
    return RoleProfile.objects.filter(~Exists(successor), role__version__status=FrameworkStatus.SUPERSEDED)


def withdrawn_roles(officer: User, as_of: date | None = None) -> list[WithdrawnRole]:
    """Withdrawn roles that people an officer serves still have, by post or assignment. One query; three if there are any."""
    day = as_of or timezone.localdate()
    served = people_served(officer, day).values("pk")
    gone = withdrawn_profiles().values("pk")
    by_post = (
        Appointment.objects.current(day)
        .filter(person__in=served, post__post_roles__profile__in=gone)
        .order_by()
        .values_list("person_id", "post__post_roles__profile_id")
    )
    assigned = (
        RoleAssignment.objects.current(day)
        .filter(person__in=served, profile__in=gone)
        .order_by()
        .values_list("person_id", "profile_id")
    )
    holders: dict[int, set[int]] = {}
    for person_id, profile_id in by_post.union(assigned):
        holders.setdefault(profile_id, set()).add(person_id)
    if not holders:
        return []
    people = User.objects.in_bulk({pk for ids in holders.values() for pk in ids})
    profiles = (
        RoleProfile.objects.filter(pk__in=holders)
        .select_related("role__version__framework")
        .order_by("role__version__framework__slug", "role__position", "position", "pk")
    )
    return [
        WithdrawnRole(
            profile, tuple(sorted((people[pk] for pk in holders[profile.pk]), key=lambda p: (p.name.casefold(), p.pk)))
        )
        for profile in profiles
    ]
