"""Judging a certificate from its own record: nothing else needs to exist any more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from certificates.enums import Verdict
from certificates.models import Certificate
from certificates.record import Claim, UnreadableRecord, claim_of, digest_of


@dataclass(frozen=True)
class Judgement:
    """`claim` is there only where it may be believed and counts, or did until it expired.

    Of what was revoked or replaced the day is said, of the former the class of the reason too, and nothing of the claim: a
    corrected name is nobody else's business, and what does not count proves nothing.
    """

    verdict: Verdict
    claim: Claim | None = None
    on: date | None = None
    reason: str = ""
    reason_class: str = ""
    serial: str = ""


class RecordChanged(Exception):
    """The record is not the one that was issued."""


def believed_claim(certificate: Certificate) -> Claim:
    """What the certificate claims. Raises RecordChanged when the record, its digest and its row disagree."""
    try:
        if digest_of(certificate.record) != certificate.digest:
            raise RecordChanged(certificate.serial)
        claim = claim_of(certificate.record)
    except (UnreadableRecord, TypeError, UnicodeEncodeError, RecursionError) as error:
        raise RecordChanged(certificate.serial) from error
    row = (certificate.serial, certificate.code, certificate.issued_on, certificate.valid_until)
    if row != (claim.serial, claim.code, claim.issued_on, claim.valid_until):
        raise RecordChanged(certificate.serial)
    return claim


def judge(certificate: Certificate | None, *, as_of: date) -> Judgement:
    """The verdict on what a code led to. Asks the database nothing where the certificate was read `with_life`."""
    if certificate is None:
        return Judgement(Verdict.UNKNOWN)
    try:
        claim = believed_claim(certificate)
    except RecordChanged:
        return Judgement(Verdict.CHANGED)
    if certificate.revoked is not None:
        on = timezone.localdate(certificate.revoked.revoked_at)
        said = certificate.revoked.get_reason_display()
        return Judgement(Verdict.REVOKED, None, on, said, certificate.revoked.reason, claim.serial)
    if certificate.newer is not None:
        return Judgement(Verdict.SUPERSEDED, None, certificate.newer.issued_on, serial=claim.serial)
    return Judgement(Verdict.EXPIRED if certificate.is_expired(as_of) else Verdict.VALID, claim)
