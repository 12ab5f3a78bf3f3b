"""How often codes may be guessed and files handed in from one address. Who checks real codes never meets the limit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address
from threading import BoundedSemaphore
from typing import Final

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

# Answers "unknown" an address gets within an hour before it has to wait.
MOST_UNKNOWN: Final = 60
WINDOW_SECONDS: Final = 3600
# Files an address may hand in within an hour: each may cost some seconds of work, a code costs none.
MOST_FILES: Final = 60
# Files a process judges at a time; whoever is beyond that comes again. The other threads go on serving pages.
MOST_AT_WORK: Final = 2
PATIENCE_SECONDS: Final = 3.0
_at_work = BoundedSemaphore(MOST_AT_WORK)


class Busy(Exception):
    """Too many files are being judged at this moment."""


def has_guessed_enough(request: HttpRequest) -> bool:
    return (cache.get(_key(request, "unknown")) or 0) >= MOST_UNKNOWN


def note_unknown(request: HttpRequest) -> None:
    """One more answer "unknown". Two at the same moment may count as one: it is a brake, not a book."""
    _count(_key(request, "unknown"))


def may_hand_in(request: HttpRequest) -> bool:
    """Count one more file, before it is read; False for a network that has handed in enough."""
    return _count(_key(request, "file")) <= MOST_FILES


@contextmanager
def at_work() -> Iterator[None]:
    """While a file is judged. Raises Busy after a short wait where enough others are."""
    if not _at_work.acquire(timeout=PATIENCE_SECONDS):
        raise Busy
    try:
        yield
    finally:
        _at_work.release()


def _count(key: str) -> int:
    """One more within the hour; returns how many that makes."""
    if cache.add(key, 1, WINDOW_SECONDS):
        return 1
    try:
        return cache.incr(key)
    except ValueError:  # it ran out between the two
        cache.add(key, 1, WINDOW_SECONDS)
        return 1


def _key(request: HttpRequest, what: str) -> str:
    """By address; of an IPv6 one the network, for a household has more addresses in it than there are codes."""
    try:
        address = ip_address(get_adapter(request).get_client_ip(request))
    except (PermissionDenied, ValueError):
        return f"verify:{what}:?"
    if isinstance(address, IPv6Address):
        return f"verify:{what}:{address.exploded[:19]}"
    return f"verify:{what}:{address}"
