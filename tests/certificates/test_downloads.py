"""What a holder fetches: as it was signed, byte for byte, by nobody else, and kept nowhere on the way."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from certificates.credentials import verifying
from certificates.credentials.baking import unbake_png, unbake_svg
from certificates.enums import RevocationReason
from certificates.life import revoke
from certificates.models import Certificate
from tests.certificates.builders import build_certificate, build_person, tamper
from tests.certificates.credentials.builders import NOW, key_of
from tests.certificates.held import with_credential
from tests.certificates.test_pages import words_of

pytestmark = pytest.mark.django_db

NAMES = ["credential.json", "credential.jwt", "badge.png", "badge.svg"]


@pytest.fixture
def certificate() -> Certificate:
    return with_credential(build_certificate(build_person()))


def fetch(client, certificate, name):
    return client.get(reverse("certificate_piece", args=[certificate.serial, name]))


def test_each_form_is_what_was_signed(client, certificate):
    client.force_login(certificate.holder)
    document, token = certificate.credential.document, certificate.credential.token
    got = {name: fetch(client, certificate, name).content for name in NAMES}
    assert got["credential.json"] == document.encode()
    assert got["credential.jwt"] == token.encode()
    assert unbake_png(got["badge.png"]) == document
    assert json.loads(unbake_svg(got["badge.svg"])) == json.loads(document)


@pytest.mark.parametrize("name", NAMES)
def test_each_form_is_genuine_by_itself(client, certificate, name):
    client.force_login(certificate.holder)
    verdict = verifying.verify(fetch(client, certificate, name).content, at=NOW, key_of=key_of)
    assert verdict.issuer_known and verdict.reasons == ("status_not_checked",)


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("credential.json", "application/vc+ld+json"),
        ("credential.jwt", "application/jwt"),
        ("badge.png", "image/png"),
        ("badge.svg", "image/svg+xml"),
    ],
)
def test_it_is_saved_under_its_number_and_kept_nowhere(client, certificate, name, media_type):
    client.force_login(certificate.holder)
    headers = fetch(client, certificate, name).headers
    stem, ending = name.split(".")
    assert headers["Content-Disposition"] == f'attachment; filename="{stem}-{certificate.serial}.{ending}"'
    assert headers["Content-Type"] == media_type
    assert "no-store" in headers["Cache-Control"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize("name", NAMES)
def test_only_the_holder_and_an_administrator_fetch_it(client, certificate, name):
    assert fetch(client, certificate, name).status_code == 302  # to sign in
    client.force_login(build_person("Somebody Else"))
    assert fetch(client, certificate, name).status_code == 404
    client.force_login(build_person("Administrator", is_superuser=True))
    assert fetch(client, certificate, name).status_code == 200


def test_while_it_is_being_made_a_page_says_so(client):
    certificate = build_certificate(person := build_person())
    client.force_login(person)
    for name in NAMES:
        response = fetch(client, certificate, name)
        assert response.status_code == 202
        assert "It is being made" in words_of(response)


def test_a_revoked_one_is_still_its_holders_to_fetch(client, certificate):
    admin = build_person("Administrator", is_superuser=True)
    revoke(certificate=certificate, by=admin, reason=RevocationReason.ISSUED_IN_ERROR, note="Two of the same.")
    client.force_login(certificate.holder)
    assert fetch(client, certificate, "credential.json").status_code == 200


def test_a_record_that_was_tampered_with_does_not_keep_what_was_signed_from_its_holder(client, certificate):
    holder = certificate.holder
    changed = tamper(certificate, record={"format": "no such thing"})
    client.force_login(holder)
    for name in NAMES:
        assert fetch(client, changed, name).status_code == 200


@pytest.mark.parametrize(
    "name", ["credential.xml", "badge.png/", "credential_json", "..%2Fbadge.png", "CREDENTIAL.JSON"]
)
def test_there_are_no_other_forms(client, certificate, name):
    client.force_login(certificate.holder)
    assert client.get(f"/learn/certificates/{certificate.serial}/{name}", follow=True).status_code == 404
