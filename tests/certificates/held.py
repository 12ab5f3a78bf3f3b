"""Certificates with signed credentials beside them, and badges of others, made with the keys of the credentials' builders."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from certificates.credentials import jwt
from certificates.credentials.keys import did_key
from certificates.models import Certificate, Credential, IssuerKey, StatusList
from certificates.record import claim_of
from tests.certificates.credentials.builders import FOREIGN, NOW, OURS, Signer, as_bytes, build_credential, sign

ELSEWHERE = did_key(FOREIGN.key)
_places = count(1)


def with_credential(certificate: Certificate) -> Certificate:
    """The certificate with its credential as the issuer would sign it."""
    document = sign(build_credential(claim_of(certificate.record)))
    key, _made = IssuerKey.objects.get_or_create(
        key_id="ours", defaults={"kind": OURS.key.kind, "public": OURS.key.multibase, "created_on": NOW.date()}
    )
    listed, _made = StatusList.objects.get_or_create(seed="seed")
    Credential.objects.create(
        certificate=certificate,
        document=as_bytes(document).decode(),
        token=jwt.sign_jwt(document, sign=OURS.sign, method=OURS.method(), key=OURS.key),
        status_list=listed,
        place=next(_places),
        key=key,
    )
    return Certificate.objects.get(pk=certificate.pk)


def badge(
    signer: Signer = FOREIGN, *, did: str = ELSEWHERE, subject: dict[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    """A badge of another body, signed. `subject` replaces parts of the subject, `changes` parts of the credential."""
    document = build_credential(place=None, did=did)
    document["id"] = "urn:uuid:5a0c2c6a-0000-4000-8000-000000000001"
    achievement = document["credentialSubject"]["achievement"]
    achievement["id"] = "https://elsewhere.example/achievements/1"
    achievement["name"] = "Cyber risk for boards"
    document["credentialSubject"] |= subject or {}
    document |= changes
    return sign({name: value for name, value in document.items() if value is not None}, signer, did=did)


def badge_file(**others: Any) -> bytes:
    return json.dumps(badge(**others)).encode()
