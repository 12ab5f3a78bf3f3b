"""Published frameworks, roles and key posts, as they are offered to readers."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Count, Prefetch, QuerySet
from django.utils import timezone

from competencies.enums import FrameworkStatus
from competencies.models import (
    FrameworkVersion,
    PostRole,
    Role,
    RoleProfile,
)
from organisations.models import Post


def published_profiles() -> QuerySet[RoleProfile]:
    """Profiles people can be assigned, with role, family and framework; grades of a role together."""
    return (
        RoleProfile.objects.published()
        .select_related("role__family", "role__version__framework")
        .order_by("role__version__framework__slug", "role__version_id", "role__position", "role__code", "position")
    )


def readable_profiles() -> QuerySet[RoleProfile]:
    """Profiles that are or were in force. What was printed or given stays readable; drafts are nobody's business."""
    return RoleProfile.objects.exclude(role__version__status=FrameworkStatus.DRAFT).select_related(
        "role__family", "role__version__framework"
    )


def published_roles() -> QuerySet[Role]:
    return _graded(Role.objects.filter(version__in=published_versions()))


def roles_of(version: FrameworkVersion | None) -> QuerySet[Role]:
    return _graded(Role.objects.filter(version=version))


def _graded(roles: QuerySet[Role]) -> QuerySet[Role]:
    profiles = Prefetch("profiles", RoleProfile.objects.order_by("position"), to_attr="graded")
    return (
        roles.select_related("family", "version__framework")
        .prefetch_related(profiles)
        .order_by("version__framework__slug", "version_id", "position", "code")
    )


STARTER = "public-digital-talent"


def frameworks_own_first(frameworks: Mapping[int, str]) -> list[int]:
    """Frameworks (id → slug) in the order in which a ministry looks for its roles: the one whose roles most of its posts
    carry comes first, without posts the starter framework; the rest by slug. One query.
    """
    carried = dict(
        PostRole.objects.filter(post__in=Post.objects.existing(timezone.localdate()).values("pk"))
        .order_by()
        .values_list("profile__role__version__framework")
        .annotate(Count("post", distinct=True))
    )
    return sorted(frameworks, key=lambda pk: (-carried.get(pk, 0), frameworks[pk] != STARTER, frameworks[pk]))


def home_roles(most: int = 8) -> tuple[list[Role], list[Role]]:
    """For the home page: the key roles of the first framework that has any, each key post once, and others of it.

    Three queries, none of them over all frameworks' roles.
    """
    roles = published_roles()
    having = dict(roles.exclude(key_post="").order_by().values_list("version__framework", "version__framework__slug"))
    if not having:
        return [], []
    own = roles.filter(version__framework=frameworks_own_first(having)[0])
    key: dict[str, Role] = {}
    for role in own.exclude(key_post=""):
        key.setdefault(role.key_post.casefold(), role)
    return list(key.values())[:most], list(own.filter(key_post="")[:most])


def published_versions() -> QuerySet:
    return FrameworkVersion.objects.published()


def key_posts() -> QuerySet[PostRole]:
    """Posts that carry a role a government must not leave unfilled."""
    return PostRole.objects.exclude(profile__role__key_post="").select_related("post__unit", "profile__role")
