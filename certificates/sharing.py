"""Links by which a holder shows a certificate for a time. The address is the key, as with the calendar.

The holder sees her addresses again, to send them once more; so they cannot be kept as digests of chance alone. Each is
made from the link's number with a secret of the installation: the database alone opens nothing.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.log_actions import log

from certificates.models import Certificate, ShareLink
from organisations.models import User

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}\Z")
DAYS = {
    7: gettext_lazy("A week"),
    30: gettext_lazy("30 days"),
    90: gettext_lazy("90 days"),
    365: gettext_lazy("A year"),
}
MOST_OPEN = 20
# To no other site. Not "no-referrer": browsers then call the origin of every form on the page "null", and no form works.
REFERRER = "same-origin"
# How long a holder is shown what has ended.
KEPT_IN_SIGHT = timedelta(days=90)
_SALT = "certificates.sharing"


class NotShared(ValueError):
    """No link is made; the text is a sentence for the holder."""


@dataclass(frozen=True)
class Shared:
    """A link as its holder sees it. `address` is empty where it cannot be shown again: the secret has changed since."""

    link: ShareLink
    is_over: bool
    address: str


def token_of(link: ShareLink) -> str:
    """What stands in the address, 43 characters."""
    return _token(link.certificate_id, link.number)


def _token(certificate_id: int, number: UUID) -> str:
    made = salted_hmac(_SALT, f"{certificate_id}:{number.hex}", algorithm="sha256").digest()
    return urlsafe_b64encode(made).rstrip(b"=").decode()


def _digest(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def address_of(link: ShareLink) -> str:
    token = token_of(link)
    if _digest(token) != link.digest:
        return ""
    return f"{settings.SITE_URL}{reverse('shared_certificate', args=[token])}"


@transaction.atomic
def make_link(
    *,
    certificate: Certificate,
    by: User,
    number: UUID,
    days: int,
    label: str = "",
    shows_grounds: bool = False,
    lets_download: bool = False,
    at: datetime | None = None,
) -> ShareLink:
    """A link of the holder's that ends after `days`. The same `number` is one link. Raises NotShared with a sentence."""
    moment = at or timezone.now()
    certificate = Certificate.objects.select_for_update(of=("self",)).get(pk=certificate.pk)
    if certificate.holder_id != by.pk:
        raise NotShared(_("Only the holder shares a certificate."))
    digest = _digest(_token(certificate.pk, number))
    known = ShareLink.objects.filter(digest=digest).first()
    if known is not None:
        return known
    if certificate.revoked is not None:
        raise NotShared(_("This certificate was revoked: there is nothing to show."))
    if certificate.newer is not None:
        raise NotShared(_("Another certificate took the place of this one: share that."))
    if days not in DAYS:
        raise NotShared(_("Choose how long the link is to work."))
    if ShareLink.objects.open(moment).filter(certificate=certificate).count() >= MOST_OPEN:
        raise NotShared(
            _("This certificate has %(count)s links already. End one that nobody needs any more.")
            % {"count": MOST_OPEN}
        )
    link = ShareLink.objects.create(
        certificate=certificate,
        number=number,
        digest=digest,
        label=" ".join(label.split()),
        shows_grounds=shows_grounds,
        lets_download=lets_download,
        created_at=moment,
        expires_at=moment + timedelta(days=days),
    )
    log(instance=certificate, action="certificates.share", user=by, data={"link": link.pk, "days": days})
    return link


@transaction.atomic
def end_link(*, link: ShareLink, by: User, at: datetime | None = None) -> ShareLink:
    """It opens nothing from now on; twice is once."""
    link = ShareLink.objects.select_for_update(of=("self",)).select_related("certificate").get(pk=link.pk)
    if link.certificate.holder_id != by.pk:
        raise NotShared(_("Only the holder ends a link."))
    if link.ended_at is None:
        link.ended_at = at or timezone.now()
        link.save(update_fields=["ended_at"])
        log(instance=link.certificate, action="certificates.end_share", user=by, data={"link": link.pk})
    return link


def link_behind(token: str) -> ShareLink | None:
    """The link of an address, over or not, with its certificate and what became of that. One query, whatever is asked."""
    link = (
        ShareLink.objects.select_related("certificate__revocation", "certificate__superseded_by")
        .filter(digest=_digest(token))
        .first()
    )
    return link if link is not None and TOKEN.match(token) else None


def opens(link: ShareLink, at: datetime) -> bool:
    """Whether it still shows something. With the holder's account the links go: nobody could end them any more."""
    return not link.is_over(at) and link.certificate.holder_id is not None


def count_opening(link: ShareLink) -> None:
    """One more time, and nothing of who it was."""
    ShareLink.objects.filter(pk=link.pk).update(opened=F("opened") + 1)


def links_of(certificate: Certificate, *, at: datetime) -> Sequence[Shared]:
    """What the holder has given out: what is open first, then what ended lately. One query."""
    rows = [
        Shared(link, link.is_over(at), "" if link.is_over(at) else address_of(link))
        for link in ShareLink.objects.filter(certificate=certificate, expires_at__gt=at - KEPT_IN_SIGHT)
    ]
    return sorted(rows, key=lambda row: row.is_over)
