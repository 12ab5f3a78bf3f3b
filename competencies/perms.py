"""Who looks after frameworks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet

from organisations.perms import signed_in

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.http import HttpRequest

    from organisations.models import User

# The group is made by a migration; the permission decides, so another group may have it too.
STEWARDS = "Framework stewards"
PUBLISH = "publish_frameworkversion"
VIEWERS = "Organisation viewers"
VIEW_STANDING = "view_standing"
# Whoever may do anything with these reads the questions of diagnostics, with the right answers, in the CMS.
BANK_MODELS = ("itembank", "bankfacet", "diagnosticitem")


def is_steward(user: User | AnonymousUser) -> bool:
    """Whether this person loads, edits and publishes frameworks. One query."""
    return _has(user, PUBLISH)


def sees_organisation(user: User | AnonymousUser) -> bool:
    """Whether this person sees where all units stand, in counts of groups that are large enough. One query."""
    return _has(user, VIEW_STANDING)


def reads_banks(user: User | AnonymousUser) -> bool:
    """Whether this person can read the questions of diagnostics with their answers. One query at most."""
    if not user.is_authenticated:
        return False
    return user.is_superuser or bank_permissions().filter(Q(group__user=user) | Q(user=user)).exists()


def bank_permissions() -> QuerySet[Permission]:
    return Permission.objects.filter(content_type__app_label="competencies", content_type__model__in=BANK_MODELS)


def _has(user: User | AnonymousUser, codename: str) -> bool:
    if not user.is_authenticated:
        return False
    wanted = Permission.objects.filter(content_type__app_label="competencies", codename=codename)
    return user.is_superuser or wanted.filter(Q(group__user=user) | Q(user=user)).exists()


def steward(request: HttpRequest) -> User:
    """The steward behind a request. Raises PermissionDenied for everybody else."""
    user = signed_in(request)
    if not is_steward(user):
        raise PermissionDenied
    return user
