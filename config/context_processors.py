from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import Permission
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.utils.functional import cached_property

from competencies.assessors import DECIDE, given_something
from competencies.perms import PUBLISH, VIEW_STANDING
from organisations import perms
from organisations.models import HrMandate, User


@dataclass
class Desks:
    """Which desks this visitor has; asked for only where the navigation shows them."""

    request: HttpRequest

    @cached_property
    def team(self) -> bool:
        return perms.is_manager(self.request.user)

    @cached_property
    def hr(self) -> bool:
        user = self.request.user
        return user.is_authenticated and (user.is_superuser or self._given[0])

    @property
    def cms(self) -> bool:
        return self._may("wagtailadmin.access_admin")

    @property
    def frameworks(self) -> bool:
        return self._may(f"competencies.{PUBLISH}")

    @cached_property
    def assess(self) -> bool:
        """For who may decide on claims, and who was asked to."""
        user = self.request.user
        return user.is_authenticated and (self._may(f"competencies.{DECIDE}") or self.hr or self._given[1])

    @cached_property
    def _given(self) -> tuple[bool, bool]:
        """Whether this visitor serves a unit as HR officer, and whether something waits for her answer. One query."""
        serves = Exists(HrMandate.objects.filter(officer=OuterRef("pk")))
        row = User.objects.filter(pk=self.request.user.pk).values_list(serves, given_something()).first()
        return row or (False, False)

    @property
    def standing(self) -> bool:
        """Those who see the whole in counts have no other desk that leads there."""
        return self._may(f"competencies.{VIEW_STANDING}")

    def _may(self, permission: str) -> bool:
        user = self.request.user
        return user.is_authenticated and (user.is_superuser or permission in self._permissions)

    @cached_property
    def _permissions(self) -> frozenset[str]:
        """Of the permissions that open a desk, those this visitor has. One query for all desks."""
        wanted = Permission.objects.filter(
            Q(content_type__app_label="wagtailadmin", codename="access_admin")
            | Q(content_type__app_label="competencies", codename__in=[PUBLISH, DECIDE, VIEW_STANDING])
        )
        own = wanted.filter(Q(group__user=self.request.user) | Q(user=self.request.user))
        return frozenset(f"{app}.{name}" for app, name in own.values_list("content_type__app_label", "codename"))


def site(request: HttpRequest) -> dict[str, object]:
    """What every page needs to know of the installation and of the visitor."""
    return {"SITE_NAME": settings.SITE_NAME, "SIGNUP_OPEN": settings.SIGNUP_OPEN, "desks": Desks(request)}
