from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import Permission
from django.db.models import Q
from django.http import HttpRequest
from django.utils.functional import cached_property

from competencies.assessors import DECIDE, is_asked
from competencies.perms import PUBLISH, VIEW_STANDING
from organisations import perms


@dataclass
class Desks:
    """Which desks this visitor has; asked for only where the navigation shows them."""

    request: HttpRequest

    @cached_property
    def team(self) -> bool:
        return perms.is_manager(self.request.user)

    @cached_property
    def hr(self) -> bool:
        return perms.is_hr(self.request.user)

    @property
    def cms(self) -> bool:
        return self._may("wagtailadmin.access_admin")

    @property
    def frameworks(self) -> bool:
        return self._may(f"competencies.{PUBLISH}")

    @cached_property
    def assess(self) -> bool:
        """For who may decide on claims, and who was asked to: one query, and only where no other desk answers it."""
        user = self.request.user
        return user.is_authenticated and (self._may(f"competencies.{DECIDE}") or self.hr or is_asked(user))

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
