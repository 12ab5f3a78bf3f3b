from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import Permission
from django.db.models import Exists, Q, QuerySet, Value
from django.db.models.functions import Concat
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
        me = User.objects.filter(pk=user.pk).order_by()
        selects = [
            *(_named(held) for held in (Q(group__user=user), Q(user=user))),
            me.filter(Exists(perms.posts_below(user))).values_list(Value("team")),
            me.filter(Exists(HrMandate.objects.filter(officer=user))).values_list(Value("hr")),
            me.filter(given_something()).values_list(Value("asked")),
        ]
        # One select beside the other: as one row of existence tests the database takes longer to plan it than to answer.
        return frozenset(key for (key,) in selects[0].union(*selects[1:]))


PERMISSIONS = (
    "wagtailadmin.access_admin",
    f"competencies.{PUBLISH}",
    f"competencies.{DECIDE}",
    f"competencies.{VIEW_STANDING}",
)


def _named(held: Q) -> QuerySet[Permission, tuple[str]]:
    """Those of PERMISSIONS that are held this way, as “app.codename”."""
    wanted = Permission.objects.filter(held, codename__in=[name.split(".")[1] for name in PERMISSIONS])
    return wanted.order_by().values_list(Concat("content_type__app_label", Value("."), "codename"))


def site(request: HttpRequest) -> dict[str, object]:
    """What every page needs to know of the installation and of the visitor."""
    return {"SITE_NAME": settings.SITE_NAME, "SIGNUP_OPEN": settings.SIGNUP_OPEN, "desks": Desks(request)}
