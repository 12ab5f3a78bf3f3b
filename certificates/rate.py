"""How often codes may be guessed from one address. Who checks real certificates never meets the limit."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from typing import Final

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

# Answers "unknown" an address gets within an hour before it has to wait.
MOST_UNKNOWN: Final = 60
WINDOW_SECONDS: Final = 3600


def has_guessed_enough(request: HttpRequest) -> bool:
    return (cache.get(_key(request)) or 0) >= MOST_UNKNOWN


def note_unknown(request: HttpRequest) -> None:
    """One more answer "unknown". Two at the same moment may count as one: it is a brake, not a book."""
    key = _key(request)
    if not cache.add(key, 1, WINDOW_SECONDS):
        try:
            cache.incr(key)
        except ValueError:  # it ran out between the two
            cache.add(key, 1, WINDOW_SECONDS)


def _key(request: HttpRequest) -> str:
    """By address; of an IPv6 one the network, for a household has more addresses in it than there are codes."""
    try:
        address = ip_address(get_adapter(request).get_client_ip(request))
    except (PermissionDenied, ValueError):
        return "verify:unknown:?"
    if isinstance(address, IPv6Address):
        return f"verify:unknown:{address.exploded[:19]}"
    return f"verify:unknown:{address}"
