"""A certificate, an issuer and keys that are the same on every run. Made from seeds: keys to test with, never to use."""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from certificates.credentials import jwt, keys, proofs, status
from certificates.credentials.badge import EvidenceItem, IssuerProfile, Words, achievement_credential
from certificates.credentials.keys import Kind, PublicKey
from certificates.record import Claim, Level, Outcome

DATA = Path(os.environ.get("SHARED_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))
BADGES = DATA / "open-badges-3.0"
VECTORS = DATA / "vc-2.0-vectors"
HERE = pytest.mark.skipif(
    not (BADGES / "expected.json").exists() or not VECTORS.exists(),
    reason="the shared test data are not here (SHARED_DATA)",
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DID = keys.did_web("talent.gov.example")
LIST = "https://talent.gov.example/status/1"


class Signer:
    """A key from a seed of one byte, and what it signs."""

    def __init__(self, seed: int) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.key = PublicKey(Kind.ED25519, self._private.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)

    def method(self, did: str = DID) -> str:
        return keys.method_of(did, self.key)


OURS, FOREIGN = Signer(1), Signer(2)
CLAIM = Claim(
    serial="2026-000123",
    code="7KQ2MXD4RF",
    url="https://talent.gov.example/verify/7KQ2MXD4RF/",
    holder="José Ángel Muñoz",
    title="Governing cyber risk",
    key="governing-cyber-risk",
    title_language="en",
    revision=41,
    outcomes=(
        Outcome("Digital talent", "1.0", "SR1", "Cyber risk governance", "en", Level(4, "Leads others", 4, 5)),
        Outcome("Digital talent", "1.0", "SR2", "Incident command", "en", Level(3, "Independent", 3, 5)),
    ),
    effort_minutes=150,
    assessed=True,
    score_pct=90,
    completed_on=date(2026, 3, 3),
    issued_on=date(2026, 3, 4),
    valid_until=date(2029, 3, 4),
    issuer="Ministry of Digital Affairs",
    language="en",
)
WORDS = Words(
    description="A course of 2 hours 30 minutes on deciding about cyber risk, with a check at its end.",
    criteria="Complete every lesson and pass the check.",
    level_heading="Level in %(competency)s",
)
CASE_URI = "https://case.gov.example/ims/case/v1p1/CFItems/0f7d9d5e-6a0f-5b4a-9a8b-1b2c3d4e5f60"


def build_credential(
    claim: Claim = CLAIM, *, place: int | None = 94_567, did: str = DID, **others: Any
) -> dict[str, Any]:
    options: dict[str, Any] = {
        "issuer": IssuerProfile(did=did, url="https://talent.gov.example/", email="talent@gov.example"),
        "words": WORDS,
        "zone": UTC,
        "competency_urls": {("Digital talent", "1.0", "SR1"): CASE_URI},
        "status": None if place is None else status.entry(LIST, place),
        "evidence": (EvidenceItem("Final check", narrative="Passed.", genre="Assessment"),),
        "level_labels": {("Digital talent", "1.0", "SR1"): ("Aware", "With guidance", "Independent", "Leads others")},
        **others,
    }
    return achievement_credential(claim, **options)


def sign(document: dict[str, Any], signer: Signer = OURS, *, did: str = DID) -> dict[str, Any]:
    return proofs.add_proof(document, sign=signer.sign, method=signer.method(did), created=NOW)


def build_list(*revoked: int, signer: Signer = OURS, did: str = DID, **others: Any) -> bytes:
    bits = status.bits_of(revoked, size=200_000)
    listed = status.list_credential(LIST, bits, issuer=did, valid_from=NOW, **others)
    return as_bytes(sign(listed, signer, did=did))


def as_bytes(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def key_of(method: str) -> PublicKey | None:
    """What the platform knows: its own key and no other."""
    return OURS.key if method == OURS.method() else None


def with_days(issued_on: date, valid_until: date | None) -> Claim:
    return replace(CLAIM, completed_on=issued_on, issued_on=issued_on, valid_until=valid_until)


def with_name(name: str) -> Claim:
    return replace(CLAIM, holder=name)


# --- tokens taken apart and put together again --------------------------------------------------------------------------


def encoded(value) -> str:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def decoded(text: str):
    return json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def build_token(signer=OURS) -> str:
    return jwt.sign_jwt(sign(build_credential()), sign=signer.sign, method=signer.method(), key=signer.key)


def forged(header=None, payload=None, signer=OURS, **claims) -> bytes:
    """A token with other parts, signed by the true key all the same."""
    first, second, _third = build_token().split(".")
    header = decoded(first) if header is None else header
    payload = {**decoded(second), **claims} if payload is None else payload
    message = f"{encoded(header)}.{encoded(payload)}"
    return f"{message}.{encoded(signer.sign(message.encode()))}".encode()


def header(**others):
    return {"alg": "EdDSA", "typ": "JWT", "kid": OURS.method(), **others}
