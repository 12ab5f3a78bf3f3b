"""Status lists: which certificates no longer count, for programs that never ask about one of them.

Bits follow from the rows (revoked, replaced); a list is signed anew when something changed or when half of the time for
which a copy may be believed is over. Without a key the last one stays, and its end says that it is old.
"""

from __future__ import annotations

import json
import logging
import random
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from certificates import issuer
from certificates.credentials import proofs, status
from certificates.credentials.keys import Kind
from certificates.models import Certificate, Credential, Revocation, StatusList
from organisations.key_folder import KeyTrouble

logger = logging.getLogger(__name__)

# How long a copy may be believed, and so how late at most somebody learns who keeps one.
BELIEVED: Final = timedelta(hours=24)
RENEWED_AFTER: Final = BELIEVED / 2
# What a cache on the way may keep.
MAX_AGE_SECONDS: Final = 300


def list_url(number: int) -> str:
    """Where a list is served."""
    return f"{settings.SITE_URL}{reverse('status_list', args=[number])}"


@transaction.atomic
def deal_places(count: int) -> list[tuple[int, int]]:
    """So many (list, place) that nobody had before, in random order within each list. A few queries, whatever the count.

    What is dealt and then not used (a worker was killed) is nobody's and stays 0.
    """
    dealt: list[tuple[int, int]] = []
    while len(dealt) < count:
        current = StatusList.objects.select_for_update().filter(used__lt=F("size")).order_by("pk").first()
        if current is None:
            current = StatusList.objects.create(seed=secrets.token_hex(32))
        upto = min(current.used + count - len(dealt), current.size)
        dealt += [(current.pk, place) for place in _order(current.seed, current.size)[current.used : upto]]
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
    hand = issuer.hand(Kind.ED25519)
    url = list_url(found.pk)
    unsigned = status.list_credential(
        url,
        status.bits_of(revoked_places(found.pk), size=found.size),
        issuer=issuer.issuer_did(),
        valid_from=at,
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
    prefix, _, rest = url.rstrip("/").rpartition("/")
    if f"{prefix}/" != list_url(0).removesuffix("0/") or not rest.isascii() or not rest.isdigit() or len(rest) > 9:
        return None
    found = StatusList.objects.filter(pk=int(rest)).first()
    if found is None:
        return None
    try:
        return signed_list(found).encode()
    except KeyTrouble:
        return None


def place_of(certificate: Certificate) -> tuple[int, int] | None:
    """(list, place) of a certificate that has a credential."""
    return Credential.objects.filter(certificate=certificate).values_list("status_list", "place").first()
