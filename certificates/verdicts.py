"""Judging a certificate from its own record: nothing else needs to exist any more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from certificates.enums import Verdict
from certificates.models import Certificate
from certificates.record import Claim, UnreadableRecord, claim_of, digest_of


@dataclass(frozen=True)
class Judgement:
    """`claim` is there only where it may be believed."""

    verdict: Verdict
    claim: Claim | None = None


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
    """The verdict on what a code led to. Asks the database nothing."""
    if certificate is None:
        return Judgement(Verdict.UNKNOWN)
    try:
        claim = believed_claim(certificate)
    except RecordChanged:
        return Judgement(Verdict.CHANGED)
    return Judgement(Verdict.EXPIRED if certificate.is_expired(as_of) else Verdict.VALID, claim)
