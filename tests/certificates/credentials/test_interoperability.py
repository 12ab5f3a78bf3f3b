"""Verifiers that share no code with ours accept what we issue and refuse what is wrong, for the right reason.

They run in Node, from tests/certificates/node with a lock file of its own (`make verifiers`). Their network is a list of
documents: what an issuer publishes. They look at the real clock, so these credentials are of today.
"""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from certificates.credentials import jwt, keys, proofs, status
from certificates.credentials.keys import PublishedKey
from tests.certificates.credentials.builders import BADGES, CLAIM, DID, FOREIGN, LIST, OURS, build_credential, with_days

FOLDER = Path(__file__).resolve().parents[1] / "node"
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(
    NODE is None or not (FOLDER / "node_modules" / ".done").exists(),
    reason="Node or the other verifiers are not here (make verifiers)",
)
SCHEMA = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"
NOW = datetime.now(UTC).replace(microsecond=0)
GOOD, REVOKED = 1_001, 2_002


def signed(
    place: int | None, *, signer=OURS, method: str = "", until: timedelta = timedelta(days=365)
) -> dict[str, Any]:
    claim = with_days(NOW.date() - timedelta(days=30), (NOW + until).date())
    document = build_credential(claim, place=place)
    return proofs.add_proof(document, sign=signer.sign, method=method or signer.method(), created=NOW)


def changed(credential: dict[str, Any]) -> dict[str, Any]:
    other = copy.deepcopy(credential)
    other["credentialSubject"]["identifier"][0]["identityHash"] = "Someone Else"
    return other


def token(signer=OURS) -> dict[str, Any]:
    text = jwt.sign_jwt(signed(GOOD), sign=signer.sign, method=signer.method(), key=signer.key)
    return {"token": text, "jwk": OURS.key.jwk}


def ask_others(asked: dict[str, Any]) -> dict[str, Any]:
    """`documents` by address, `credentials` and `tokens` by name; answers by verifier and name."""
    done = subprocess.run(
        [str(NODE), "verify.mjs"], cwd=FOLDER, input=json.dumps(asked), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    published = keys.did_document(DID, [PublishedKey("ours", OURS.key, NOW.date())])
    bits = status.bits_of([REVOKED], size=200_000)
    listed = status.list_credential(LIST, bits, issuer=DID, valid_from=NOW - timedelta(days=1))
    listed = proofs.add_proof(listed, sign=OURS.sign, method=OURS.method(), created=NOW)
    documents = {keys.did_web_address(DID): published, LIST: listed}
    if (BADGES / "schema").exists():
        documents[SCHEMA] = json.loads((BADGES / "schema" / "achievementcredential.json").read_text(encoding="utf-8"))
    own = keys.did_key(OURS.key)
    by_key = proofs.add_proof(
        build_credential(with_days(NOW.date() - timedelta(days=1), None), did=own, place=None),
        sign=OURS.sign,
        method=keys.did_key_method(OURS.key),
        created=NOW,
    )
    asked = {
        "documents": documents,
        "credentials": {
            "good": signed(GOOD),
            "changed": changed(signed(GOOD)),
            "foreign key": signed(GOOD, signer=FOREIGN),
            "foreign key under our name": signed(GOOD, signer=FOREIGN, method=OURS.method()),
            "revoked": signed(REVOKED),
            "expired": signed(GOOD, until=timedelta(days=-2)),
            "by did:key": by_key,
        },
        "tokens": {
            "good": token(),
            "foreign key": token(FOREIGN),
            "changed": {**token(), "token": token()["token"].replace(".eyJ", ".eyK", 1)},
        },
    }
    return ask_others(asked)


@pytest.mark.parametrize("verifier", ["bazaar", "consortium"])
def test_others_accept_what_we_issue(said, verifier):
    assert said[verifier]["good"]["verified"], said[verifier]["good"]


def test_others_accept_a_did_key(said):
    assert said["consortium"]["by did:key"]["verified"], said["consortium"]["by did:key"]


@pytest.mark.parametrize(
    ("verifier", "name", "reason"),
    [
        ("bazaar", "changed", "Invalid signature"),
        ("bazaar", "foreign key", "NotFoundError"),
        ("bazaar", "foreign key under our name", "Invalid signature"),
        ("bazaar", "revoked", "status is set"),
        ("bazaar", "expired", "validUntil"),
        ("consortium", "changed", "invalid_signature"),
        ("consortium", "foreign key", "invalid_signature"),
        ("consortium", "foreign key under our name", "invalid_signature"),
        ("consortium", "revoked", "revocation_status"),
        ("consortium", "expired", "expiration"),
    ],
)
def test_others_refuse_what_is_wrong_for_the_right_reason(said, verifier, name, reason):
    found = said[verifier][name]
    assert not found["verified"]
    assert reason in found["reason"], found


def test_the_schema_the_others_know_accepts_it_too(said):
    if not (BADGES / "schema").exists():
        pytest.skip("the shared test data are not here (SHARED_DATA)")
    assert said["consortium"]["good"]["schema"]["valid"], said["consortium"]["good"]["schema"]


def test_others_read_our_tokens(said):
    found = said["jose"]["good"]
    assert found["verified"], found
    assert found["payload"]["credentialSubject"]["identifier"][0]["identityHash"] == CLAIM.holder
    assert found["header"]["kid"] == OURS.method()
    for name in ("foreign key", "changed"):
        assert not said["jose"][name]["verified"]


def test_they_asked_for_nothing_but_what_an_issuer_publishes(said):
    assert set(said["asked"]) <= {keys.did_web_address(DID), LIST, SCHEMA}
