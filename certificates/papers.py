"""From a claim to paper: drawn with the picture of the body that issued it and its credential inside, then signed.

Who makes many keeps one Press: logos are read once, and the key that signs is looked for once.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from asn1crypto import pem
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from pyhanko.sign.timestamps import HTTPTimeStamper, TimeStamper

from certificates import issuer
from certificates.credentials.keys import Kind
from certificates.models import Logo
from certificates.pdf import render_pdf
from certificates.pdf.signing import PaperSigner, sign_pdf
from certificates.record import Claim
from organisations.key_folder import KeyMissing

logger = logging.getLogger(__name__)


def logo_of(claim: Claim) -> bytes | None:
    """The picture the record names by its digest; None where it names none. One query."""
    if not claim.look.logo:
        return None
    row = Logo.objects.filter(pk=claim.look.logo).values_list("content", flat=True).first()
    return None if row is None else bytes(row)


def draw(claim: Claim) -> bytes:
    """The document of a claim, unsigned and without a credential: what a sample is."""
    return render_pdf(claim, logo=logo_of(claim))


def paper_signer() -> PaperSigner | None:
    """Who signs papers today; None where there is no key for it, or one that has no certificate. A few queries.

    Raises KeyMissing where there was a key and the store has lost it: papers wait for the next one rather than go out
    unsigned.
    """
    try:
        hand = issuer.hand(Kind.P256)
    except KeyMissing:
        if issuer.is_lost(Kind.P256):
            raise
        return None
    chain = certificates_in(hand.row.chain)
    if not chain:
        logger.warning("the key %s has no certificate, so papers are not signed: issuer_keys install", hand.row.key_id)
        return None
    return PaperSigner(chain=chain, sign=hand.sign)


def certificates_in(text: str) -> tuple[bytes, ...]:
    """The X.509 certificates of a PEM text, as DER. Raises ValueError for what is no PEM."""
    if not text.strip():
        return ()
    return tuple(der for kind, _headers, der in pem.unarmor(text.encode(), multiple=True) if kind == "CERTIFICATE")


class Press:
    """Makes papers, one after the other. `at` is the moment they are signed, aware."""

    def __init__(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)
        self._logos: dict[str, bytes | None] = {}
        self._signer = paper_signer()
        self._timestamper: TimeStamper | None = (
            HTTPTimeStamper(settings.TIMESTAMP_URL) if settings.TIMESTAMP_URL else None
        )

    def paper(self, claim: Claim, credential: str | None) -> bytes:
        """The document as it is issued: with its credential (JSON) inside, and signed where there is a key.

        With TIMESTAMP_URL the authority is asked for a time stamp; where it does not answer, nothing is made.
        """
        if claim.look.logo not in self._logos:
            self._logos[claim.look.logo] = logo_of(claim)
        inside = credential.encode() if credential else None
        content = render_pdf(claim, logo=self._logos[claim.look.logo], credential=inside)
        if self._signer is None:
            return content
        with translation.override(claim.language):
            return sign_pdf(
                content,
                signer=self._signer,
                at=self._at,
                reason=_("Certificate %(serial)s as issued") % {"serial": claim.serial},
                visible=settings.PAPER_SIGNATURE_VISIBLE,
                timestamper=self._timestamper,
            )
