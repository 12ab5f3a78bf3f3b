from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import Permission
from django.db.models import Exists, Q, QuerySet
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

    @property
    def team(self) -> bool:
        return "team" in self._open

    @property
    def hr(self) -> bool:
        return self._is_admin or "hr" in self._open

    @property
    def cms(self) -> bool:
        return self._may("wagtailadmin.access_admin")

    @property
    def frameworks(self) -> bool:
        return self._may(f"competencies.{PUBLISH}")

    @property
    def assess(self) -> bool:
        """For who may decide on claims, and who was asked to."""
        return self._may(f"competencies.{DECIDE}") or self.hr or self.is_asked

    @property
    def is_asked(self) -> bool:
        """Whether a claim, a contest or a panel waits for her answer."""
        return "asked" in self._open

    @property
    def standing(self) -> bool:
        """Those who see the whole in counts have no other desk that leads there."""
        return self._may(f"competencies.{VIEW_STANDING}")

    @property
    def _is_admin(self) -> bool:
        user = self.request.user
        return user.is_authenticated and user.is_superuser

    def _may(self, permission: str) -> bool:
        return self._is_admin or permission in self._open

    @cached_property
    def _open(self) -> frozenset[str]:
        """What opens a desk to this visitor: permissions, a team, an HR mandate, something to answer. One query."""
        user = self.request.user
        if not user.is_authenticated:
            return frozenset()
        keys = {
            "team": Exists(perms.posts_below(user)),
            "hr": Exists(HrMandate.objects.filter(officer=user)),
            "asked": given_something(),
            **{name: Exists(_own(user, name)) for name in PERMISSIONS},
        }
        row = User.objects.filter(pk=user.pk).values_list(*keys.values()).first() or ()
        return frozenset(key for key, is_open in zip(keys, row, strict=False) if is_open)


PERMISSIONS = (
    "wagtailadmin.access_admin",
    f"competencies.{PUBLISH}",
    f"competencies.{DECIDE}",
    f"competencies.{VIEW_STANDING}",
)


def _own(user: User, name: str) -> QuerySet[Permission]:
    app, codename = name.split(".")
    wanted = Permission.objects.filter(content_type__app_label=app, codename=codename)
    return wanted.filter(Q(group__user=user) | Q(user=user))


def site(request: HttpRequest) -> dict[str, object]:
    """What every page needs to know of the installation and of the visitor."""
    return {"SITE_NAME": settings.SITE_NAME, "SIGNUP_OPEN": settings.SIGNUP_OPEN, "desks": Desks(request)}
