from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import cached_property

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

    @cached_property
    def cms(self) -> bool:
        return perms.is_editor(self.request.user)


def site(request: HttpRequest) -> dict[str, object]:
    """What every page needs to know of the installation and of the visitor."""
    return {"SITE_NAME": settings.SITE_NAME, "SIGNUP_OPEN": settings.SIGNUP_OPEN, "desks": Desks(request)}
