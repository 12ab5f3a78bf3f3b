"""Who may see and serve whom. Policies answer for one person; the Q objects answer for a whole queryset."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.http import HttpRequest

    from organisations.models import Post, Unit, User

NOBODY = Q(pk__in=[])


def signed_in(request: HttpRequest) -> User:
    """The person behind a request that only signed-in people can make (every door is closed unless opened on purpose)."""
    from django.core.exceptions import PermissionDenied

    if not request.user.is_authenticated:
        raise PermissionDenied
    return request.user


def posts_led_by(manager: User, as_of: date) -> list[int]:
    """Ids of the filled posts that report to a post `manager` holds.

    A vacant post passes its reports up, so nobody is without a manager because a chair is empty;
    so does a post that was closed, or is only planned, while others still report to it.
    One query for the manager's posts and one for each row of vacant posts on the way down.
    """
    from organisations.models import Appointment, Post

    frontier = list(Appointment.objects.current(as_of).filter(person=manager).values_list("post_id", flat=True))
    seen: set[int] = set(frontier)
    led: list[int] = []
    while frontier:
        held = Exists(Appointment.objects.current(as_of).filter(post=OuterRef("pk")))
        below = Post.objects.filter(reports_to__in=frontier).annotate(held=held).values_list("pk", "held")
        frontier = []
        for pk, is_held in below:
            if pk in seen:
                continue
            seen.add(pk)
            (led if is_held else frontier).append(pk)
    return led


def led_people(manager: User, as_of: date) -> Q:
    from organisations.models import Appointment

    posts = posts_led_by(manager, as_of)
    if not posts:
        return NOBODY
    return Q(pk__in=Appointment.objects.current(as_of).filter(post_id__in=posts).values("person_id"))


def hr_paths(officer: User) -> list[str]:
    """Tree paths of the units an officer serves; a path is the prefix of all paths below it."""
    return list(officer.hr_mandates.values_list("unit__path", flat=True))


def units_served(officer: User) -> QuerySet[Unit]:
    """All units an officer serves, in tree order; every unit for an administrator."""
    from organisations.models import Unit

    if officer.is_superuser:
        return Unit.objects.order_by("path")
    within = Q(pk__in=[])
    for path in hr_paths(officer):
        within |= Q(path__startswith=path)
    return Unit.objects.filter(within).order_by("path")


def people_in_hr_scope(officer: User, as_of: date) -> Q:
    from organisations.models import Appointment

    within = Q()
    for path in hr_paths(officer):
        within |= Q(post__unit__path__startswith=path)
    if not within:
        return NOBODY
    return Q(pk__in=Appointment.objects.current(as_of).filter(within).values("person_id"))


def visible_people(viewer: User | AnonymousUser, as_of: date) -> Q:
    if not viewer.is_authenticated:
        return NOBODY
    if viewer.is_superuser:
        return Q()
    return Q(pk=viewer.pk) | led_people(viewer, as_of) | people_in_hr_scope(viewer, as_of)


def is_manager(user: User | AnonymousUser) -> bool:
    """Whether posts report to a post this person holds: then there is a team desk. One query."""
    return user.is_authenticated and posts_below(user).exists()


def posts_below(user: User) -> QuerySet[Post]:
    """Posts that report to one this person holds, filled or not."""
    from organisations.models import Appointment, Post

    own = Appointment.objects.current().filter(person=user).values("post_id")
    return Post.objects.filter(reports_to__in=own).exclude(pk__in=own)


def is_editor(user: User | AnonymousUser) -> bool:
    """Whether the CMS is open to this person. One query, where Django's own check takes two."""
    from django.contrib.auth.models import Permission

    if not user.is_authenticated:
        return False
    wanted = Permission.objects.filter(content_type__app_label="wagtailadmin", codename="access_admin")
    return user.is_superuser or wanted.filter(Q(group__user=user) | Q(user=user)).exists()


def is_manager_of(user: User, person: User, as_of: date | None = None) -> bool:
    from organisations.models import User as Person

    return Person.objects.led_by(user, as_of).filter(pk=person.pk).exists()


def is_hr_of(user: User, person: User, as_of: date | None = None) -> bool:
    """Whether this person looks after her roles: as HR officer of a unit she is in, or as administrator."""
    from organisations.models import User as Person

    return user.is_superuser or Person.objects.in_hr_scope_of(user, as_of).filter(pk=person.pk).exists()


def managers_of(person_ids: Iterable[int], as_of: date) -> dict[int, set[int]]:
    """Who leads each of these people: the other way round of `led_people`, for many at once. Two queries.

    From each post a person holds the way goes up past vacant posts to the first that somebody holds.
    """
    from organisations.models import Appointment, Post

    wanted = set(person_ids)
    reports_to = dict(Post.objects.values_list("pk", "reports_to_id"))
    holders: dict[int, set[int]] = defaultdict(set)
    posts: dict[int, list[int]] = defaultdict(list)
    for post_id, person_id in Appointment.objects.current(as_of).values_list("post_id", "person_id"):
        holders[post_id].add(person_id)
        posts[person_id].append(post_id)
    found: dict[int, set[int]] = {person_id: set() for person_id in wanted}
    for person_id in wanted:
        for post_id in posts.get(person_id, ()):
            seen = {post_id}
            above = reports_to.get(post_id)
            while above is not None and above not in seen and not holders.get(above):
                seen.add(above)
                above = reports_to.get(above)
            if above is not None and above not in seen:
                found[person_id] |= holders[above] - {person_id}
    return found


def hr_officer(request: HttpRequest) -> User:
    """The HR officer behind a request. Raises PermissionDenied for everybody else."""
    from django.core.exceptions import PermissionDenied

    user = signed_in(request)
    if not is_hr(user):
        raise PermissionDenied(_("The HR desk is for people who serve a unit as HR officers."))
    return user


def is_hr(user: User | AnonymousUser) -> bool:
    """Whether the HR desk is open to this person."""
    return user.is_authenticated and (user.is_superuser or user.hr_mandates.exists())
