"""What the platform issues, with the keys and lists it serves, in the hands of verifiers that share no code with it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from certificates import issuer, life, status_lists
from certificates.credentials import keys as names
from certificates.models import StatusList
from tests.certificates.builders import build_certificate, build_person
from tests.certificates.credentials.builders import BADGES
from tests.certificates.credentials.test_interoperability import FOLDER, NODE, SCHEMA, ask_others

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        NODE is None or not (FOLDER / "node_modules" / ".done").exists(),
        reason="Node or the other verifiers are not here (make verifiers)",
    ),
]


@pytest.fixture(autouse=True)
def issuing(settings, tmp_path):
    settings.ISSUER_KEY_DIR = str(tmp_path / "keys")
    settings.SITE_URL = "https://talent.gov.example"
    call_command("issuer_keys", "create", verbosity=0)


def served(client) -> dict[str, Any]:
    """By address: what a stranger's program gets from us."""
    documents = {names.did_web_address(issuer.issuer_did()): client.get("/.well-known/did.json").json()}
    for found in StatusList.objects.all():
        address = status_lists.url_of(found)
        documents[address] = client.get(address.removeprefix("https://talent.gov.example")).json()
    if (BADGES / "schema").exists():
        documents[SCHEMA] = json.loads((BADGES / "schema" / "achievementcredential.json").read_text(encoding="utf-8"))
    return documents


def test_good_revoked_and_rotated_ones_are_judged_rightly_by_others(client):
    at = timezone.now() - timedelta(days=3)
    before = build_certificate(at=at)
    call_command("issuer_keys", "rotate", verbosity=0)
    good = build_certificate(build_person("José Ángel Muñoz"), at=at)
    revoked = build_certificate(build_person("Eva Paz"), at=at)
    root = build_person("Root", is_superuser=True)
    life.revoke(certificate=revoked, reason="conduct", note="A test.", by=root)
    renamed = build_certificate(build_person("Ana Roja"), at=at)
    life.reissue(certificate=renamed, name="Ana Rojas", by=root)

    found = {"before": before, "good": good, "revoked": revoked, "renamed": renamed}
    credentials = {name: json.loads(certificate.credential.document) for name, certificate in found.items()}
    credentials["changed"] = json.loads(good.credential.document.replace("José Ángel Muñoz", "Someone Else"))
    said = ask_others(
        {
            "documents": served(client),
            "credentials": credentials,
            "tokens": {"good": {"token": good.credential.token, "jwk": good.credential.key.key.jwk}},
        }
    )
    for verifier in ("bazaar", "consortium"):
        verdicts = {name: answer["verified"] for name, answer in said[verifier].items()}
        assert verdicts == {"before": True, "good": True, "revoked": False, "renamed": False, "changed": False}, said
    assert "status is set" in said["bazaar"]["revoked"]["reason"]
    assert "revocation_status" in said["consortium"]["revoked"]["reason"]
    assert "Invalid signature" in said["bazaar"]["changed"]["reason"]
    assert said["jose"]["good"]["verified"]
    if (BADGES / "schema").exists():
        assert said["consortium"]["good"]["schema"]["valid"], said["consortium"]["good"]["schema"]
