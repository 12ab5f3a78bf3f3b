"""Status lists: which certificates no longer count, for programs that never ask about one of them.

Bits follow from the rows (revoked, replaced); a list is signed anew when something changed or when half of the time for
which a copy may be believed is over. Without a key the last one stays, and its end says that it is old.
"""

from __future__ import annotations

import json
import logging
import random
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from certificates import issuer
from certificates.credentials import proofs, status
from certificates.models import Certificate, Credential, Revocation, StatusList
from organisations.key_folder import KeyTrouble

logger = logging.getLogger(__name__)

# How long a copy may be believed, and so how late at most somebody learns who keeps one.
BELIEVED: Final = timedelta(hours=24)
RENEWED_AFTER: Final = BELIEVED / 2
# Who checks with a clock that is slow, or asked a moment before the list was signed, believes it all the same.
CLOCKS_DIFFER: Final = timedelta(minutes=5)
# What a cache on the way may keep.
MAX_AGE_SECONDS: Final = 300


def url_of(found: StatusList) -> str:
    """Where a list is served, as its credentials name it."""
    return f"{found.address}{_path(found.pk)}"


def list_url(number: int) -> str:
    """The same by its number. One query."""
    return url_of(StatusList.objects.get(pk=number))


def _path(number: int) -> str:
    return reverse("status_list", args=[number])


@dataclass(frozen=True)
class Dealt:
    """A place that nobody had before, and the list it is in."""

    number: int
    place: int
    url: str

    @property
    def entry(self) -> dict[str, Any]:
        """`credentialStatus` of whoever gets it."""
        return status.entry(self.url, self.place)


@transaction.atomic
def deal_places(count: int, *, issuer: str) -> list[Dealt]:
    """So many places in lists of this issuer, in random order within each list. A few queries, whatever the count.

    What is dealt and then not used (a worker was killed) is nobody's and stays 0.
    """
    dealt: list[Dealt] = []
    address = settings.SITE_URL
    while len(dealt) < count:
        open_ones = StatusList.objects.select_for_update().filter(issuer=issuer, address=address, used__lt=F("size"))
        current = open_ones.order_by("pk").first()
        if current is None:
            current = StatusList.objects.create(issuer=issuer, address=address, seed=secrets.token_hex(32))
        upto = min(current.used + count - len(dealt), current.size)
        url = url_of(current)
        dealt += [Dealt(current.pk, place, url) for place in _order(current.seed, current.size)[current.used : upto]]
        current.used = upto
        current.save(update_fields=["used"])
    return dealt


@lru_cache(maxsize=4)
def _order(seed: str, size: int) -> tuple[int, ...]:
    """All places of a list in the order in which they are dealt: a neighbour's place tells nothing of when one's was."""
    places = list(range(size))
    random.Random(seed).shuffle(places)  # noqa: S311 - the seed is secret and random; the order need not be more
    return tuple(places)


def note_change(certificates: Iterable[Certificate]) -> None:
    """Within the transaction that revokes or replaces them: their lists are to be signed anew."""
    ids = [certificate.pk for certificate in certificates]
    StatusList.objects.filter(credentials__certificate__in=ids).update(changes=F("changes") + 1)


def revoked_places(number: int) -> list[int]:
    """The places that no longer count: revoked, or replaced by a corrected one. Two queries, of indexes alone."""
    # A credential's key is its certificate's: neither the certificates nor the credentials themselves are read.
    dealt = Credential.objects.filter(status_list=number).order_by()
    gone = dealt.filter(pk__in=Revocation.objects.order_by().values("certificate"))
    replaced = dealt.filter(pk__in=Certificate.objects.filter(supersedes__isnull=False).order_by().values("supersedes"))
    return [*gone.values_list("place", flat=True), *replaced.values_list("place", flat=True)]


def signed_list(found: StatusList, *, at: datetime | None = None) -> str:
    """The list to serve: as last signed, or signed anew where that is old. Raises KeyTrouble where there is neither."""
    at = at or timezone.now()
    if found.content and found.made_at is not None:
        fresh = found.signed_changes == found.changes and at - found.made_at < RENEWED_AFTER
        if fresh:
            return found.content
    try:
        return sign_list(found, at=at)
    except KeyTrouble:
        if not found.content:
            raise
        logger.exception("status list %s could not be signed anew; the last one is served", found.pk)
        return found.content


def sign_list(found: StatusList, *, at: datetime) -> str:
    """Sign a list as it is now and keep it. Raises KeyTrouble."""
    # Counted before it is read: what is revoked meanwhile makes the list old again.
    changes = StatusList.objects.values_list("changes", flat=True).get(pk=found.pk)
    hand = issuer.hand_for(found.issuer)
    unsigned = status.list_credential(
        url_of(found),
        status.bits_of(revoked_places(found.pk), size=found.size),
        issuer=found.issuer,
        valid_from=at - CLOCKS_DIFFER,
        valid_until=at + BELIEVED,
    )
    content = json.dumps(
        proofs.add_proof(unsigned, sign=hand.sign, method=hand.method, created=at), separators=(",", ":")
    )
    # Who read earlier does not write over who read later.
    older = Q(made_at=None) | Q(signed_changes__lt=changes) | Q(signed_changes=changes, made_at__lt=at)
    StatusList.objects.filter(older, pk=found.pk).update(content=content, made_at=at, signed_changes=changes)
    return content


def list_at(url: str) -> bytes | None:
    """Our own list of this address, signed; None for every other address and where it cannot be signed."""
    number = re.search(r"/([0-9]{1,9})/\Z", url)
    found = StatusList.objects.filter(pk=int(number[1])).first() if number else None
    if found is None or url != url_of(found):
        return None
    try:
        return signed_list(found).encode()
    except KeyTrouble:
        return None


def place_of(certificate: Certificate) -> tuple[int, int] | None:
    """(list, place) of a certificate that has a credential."""
    return Credential.objects.filter(certificate=certificate).values_list("status_list", "place").first()
