"""From a certificate to its credential: made from the record, signed, stored as issued, once.

A kill between the place dealt and the row written loses a place and nothing else; whoever comes next makes it good.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from certificates import issuer
from certificates.badge_picture import picture_caption, picture_url
from certificates.credentials import jwt, proofs
from certificates.credentials.badge import EvidenceItem, IssuerProfile, Picture, Words, achievement_credential
from certificates.credentials.keys import Kind
from certificates.credentials.moulds import Moulds
from certificates.enums import Kind as CertificateKind
from certificates.models import Certificate, Credential
from certificates.record import Claim
from certificates.status_lists import deal_places
from certificates.verdicts import believed_claim
from certificates.words import date_in_words, duration_in_words
from certificates.writing import batches

CREDENTIAL_BATCH = 200


def make_credentials(certificates: Iterable[Certificate], *, at: datetime | None = None) -> int:
    """Sign and store the credentials that are missing; returns how many were made.

    Raises KeyMissing where nobody has made a key, RecordChanged rather than sign what was not issued.
    """
    at, moulds = at or timezone.now(), Moulds()
    return sum(_make(batch, at, moulds) for batch in batches(certificates, CREDENTIAL_BATCH))


def _make(certificates: Sequence[Certificate], at: datetime, moulds: Moulds) -> int:
    there = set(Credential.objects.filter(certificate__in=certificates).values_list("certificate", flat=True))
    missing = list({c.pk: c for c in certificates if c.pk not in there}.values())
    if not missing:
        return 0
    claims = [believed_claim(certificate) for certificate in missing]
    hand = issuer.hand(Kind.ED25519)
    rows = []
    places = deal_places(len(missing), issuer=hand.did)
    for certificate, claim, dealt in zip(missing, claims, places, strict=True):
        document = proofs.add_proof(
            credential_of(claim, did=hand.did, entry=dealt.entry),
            sign=hand.sign,
            method=hand.method,
            created=at,
            form=moulds.canonical_form,
        )
        rows.append(
            Credential(
                certificate=certificate,
                document=json.dumps(document, ensure_ascii=False, separators=(",", ":")),
                token=jwt.sign_jwt(document, sign=hand.sign, method=hand.method, key=hand.key),
                status_list_id=dealt.number,
                place=dealt.place,
                key=hand.row,
                made_at=at,
            )
        )
    # Who was quicker has the certificate's one credential; ours is then nobody's.
    Credential.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def credential_of(claim: Claim, *, did: str, entry: dict[str, Any] | None = None) -> dict[str, Any]:
    """The unsigned credential of a claim, in the words of its language. `did` is the issuer's name in public."""
    with translation.override(claim.language):
        words = Words(
            description=_description(claim),
            criteria=claim.criteria or _usual_criteria(claim),
            level_heading=_("Level in %(competency)s"),
        )
        evidence = _evidence(claim)
        picture = Picture(url=picture_url(claim), caption=picture_caption(claim))
    return achievement_credential(
        claim,
        issuer=IssuerProfile(did=did, url=f"{settings.SITE_URL}/", email=settings.ISSUER_EMAIL),
        words=words,
        zone=timezone.get_default_timezone(),
        status=entry,
        evidence=evidence,
        picture=picture,
        achievement_url=f"urn:uuid:{uuid5(NAMESPACE_URL, f'{settings.SITE_URL}#{claim.kind}:{claim.key}')}",
    )


def _description(claim: Claim) -> str:
    sentence: dict[str, Callable[[], str]] = {
        CertificateKind.COURSE: lambda: (
            _("A course of %(duration)s with a check at its end.")
            if claim.assessed
            else _("A course of %(duration)s without a check.")
        ),
        CertificateKind.PATH: lambda: _("A learning path of %(duration)s."),
        CertificateKind.LEVEL: lambda: _("A level of competency, shown by evidence."),
        CertificateKind.ROLE: lambda: _("What a role requires, met by evidence for each competency."),
    }
    return sentence.get(claim.kind, lambda: claim.title)() % {"duration": duration_in_words(claim.effort_minutes)}


def _usual_criteria(claim: Claim) -> str:
    if claim.kind == CertificateKind.COURSE and not claim.assessed:
        return _("Complete every lesson.")
    if claim.kind == CertificateKind.COURSE:
        return _("Complete every lesson and pass the final check.")
    return claim.title


def _evidence(claim: Claim) -> list[EvidenceItem]:
    """What shows it, without an address: it is not public. Of a course with a check, the check."""
    grounds = {ground: None for outcome in claim.outcomes for ground in outcome.grounds}
    if grounds:
        return [EvidenceItem(g.title, narrative=date_in_words(g.on), genre=g.kind) for g in grounds]
    if claim.kind == CertificateKind.COURSE and claim.assessed:
        return [EvidenceItem(_("Final check"), narrative=_("Passed."), genre=_("Assessment"))]
    return []
