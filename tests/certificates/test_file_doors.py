"""The doors for a file: what strangers and programs are answered, and what is asked of them."""

from __future__ import annotations

import json
import logging
import re
import socket
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from certificates import checking, file_views, handing_in, life, papers_check, rate, trusting
from certificates.credentials import keys
from certificates.models import Certificate, TrustedIssuer
from certificates.verdicts import believed_claim
from tests.certificates.builders import build_certificate, build_person, read_document
from tests.certificates.credentials.builders import BADGES, FOREIGN, HERE, NOW, OURS, as_bytes, build_credential, sign
from tests.certificates.test_checking import (
    credential_of,
    foreign,
    foreign_list,
    in_form,
    know_our_key,
    trust_elsewhere,
)

pytestmark = pytest.mark.django_db

EXPECTED = json.loads((BADGES / "expected.json").read_text()) if (BADGES / "expected.json").exists() else {}
JSON, OCTETS = "application/json", "application/octet-stream"


@pytest.fixture(autouse=True)
def _no_other_host(monkeypatch):
    """The network is closed in all tests; here not even trying is allowed."""

    def refuse(*args, **kwargs):
        raise AssertionError(f"somebody asked the network: {args}")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def on_day(monkeypatch):
    """The examples have their dates: check as of then."""
    monkeypatch.setattr(file_views.timezone, "now", lambda: NOW)


@pytest.fixture
def certificate() -> Certificate:
    know_our_key()
    return build_certificate(build_person("Ana Quispe"))


def hand_in(client, content: bytes, *, listed: bytes | None = None, name: str = "badge", **extra):
    """By the form on the page."""
    data = {"file": SimpleUploadedFile(name, content)}
    if listed is not None:
        data["status_list"] = SimpleUploadedFile("list", listed)
    return client.post(reverse("verify_file"), data, **extra)


def ask(client, content: bytes, content_type: str = OCTETS, **extra):
    """By the door for programs, as the body itself."""
    return client.post(reverse("verify_file_data"), content, content_type=content_type, **extra)


def words_of(response) -> str:
    html = response.content.decode()
    main = html[html.index("<main") : html.index("</main>")]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


# --- What is answered --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("form", ["json", "jwt", "png", "svg"])
def test_a_stranger_hands_in_a_badge_of_ours_and_reads_the_least_that_proves_it(client, certificate, form):
    response = hand_in(client, in_form(form, credential_of(certificate)))
    words = words_of(response)
    assert response.status_code == 200
    assert words.startswith("Valid This certificate is genuine and as we issued it.")
    assert "Ana Quispe" in words
    assert certificate.serial in words
    assert "@" not in words


def test_a_stranger_hands_in_the_document(client, certificate):
    words = words_of(hand_in(client, read_document(certificate), name="certificate.pdf"))
    assert words.startswith("Valid This certificate is genuine and as we issued it.")
    assert "Ana Quispe" in words


def test_of_a_revoked_document_the_day_and_the_class_of_the_reason_are_said_and_no_name(client, certificate):
    content = read_document(certificate)
    life.revoke(certificate=certificate, reason="conduct", note="Copied.", by=build_person("Root", is_superuser=True))
    words = words_of(hand_in(client, content))
    assert words.startswith("Revoked This certificate does not count since")
    assert "The result was obtained against the rules" in words
    assert "Ana Quispe" not in words
    assert "Copied" not in words
    found = ask(client, content).json()
    assert (found["verdict"], found["reason"], found["claim"]) == ("revoked", "conduct", None)
    assert found["since"]


def test_a_genuine_badge_of_an_unknown_issuer_does_not_look_valid(client, on_day):
    did = keys.did_key(FOREIGN.key)
    response = hand_in(client, as_bytes(sign(build_credential(did=did, place=None), FOREIGN, did=did)))
    words, html = words_of(response), response.content.decode()
    assert words.startswith("Not confirmed Nothing was changed since it was signed, but we do not know who signed it.")
    assert "Names as its issuer" in words
    assert "verdict-done" not in html
    assert "verdict-neutral" in html


def test_a_status_list_handed_in_beside_a_badge_is_used(client, on_day):
    trust_elsewhere()
    content = as_bytes(foreign())
    words = words_of(hand_in(client, content))
    assert words.startswith("Not confirmed Genuine when it was issued.")
    assert "https://talent.gov.example/status/1" in words
    assert "Check it with its status list" in words
    assert words_of(hand_in(client, content, listed=foreign_list())).startswith("Valid")
    assert words_of(hand_in(client, content, listed=foreign_list(94_567))).startswith("Revoked")
    found = client.post(
        reverse("verify_file_data"),
        {"file": SimpleUploadedFile("b", content), "status_list": SimpleUploadedFile("l", foreign_list(94_567))},
    ).json()
    assert found["verdict"] == "revoked"


def test_what_a_badge_says_is_text_on_the_page_and_nothing_else(client, on_day):
    did = keys.did_key(FOREIGN.key)
    document = build_credential(did=did, place=None)
    document["credentialSubject"]["identifier"][0]["identityHash"] = "<script>alert(1)</script>\u202eX"
    html = hand_in(client, as_bytes(sign(document, FOREIGN, did=did))).content.decode()
    assert "<script>alert(1)" not in html
    assert "<bdi>&lt;script&gt;" in html  # and it turns no letters around it


def test_a_program_is_told_every_check_in_codes_and_sentences(client, certificate):
    found = ask(client, in_form("json", credential_of(certificate)), JSON).json()
    assert (found["verdict"], found["form"], found["serial"]) == ("valid", "json", certificate.serial)
    assert found["issuer"] == {
        "id": "did:web:testserver", "name": "Digital Talent Platform", "known": True, "ours": True,
    }  # fmt: skip
    assert found["claim"]["holder"] == {"name": "Ana Quispe"}
    assert "grounds" not in found["claim"]["outcomes"][0]
    assert "score" not in json.dumps(found)
    assert {check["check"] for check in found["checks"]} >= {"reading", "proof", "issuer", "records"}
    assert all(check["result"] == "passed" and check["sentence"] for check in found["checks"])


def test_the_page_and_the_program_say_the_same(client, certificate):
    forged = credential_of(certificate)
    forged["name"] = "Another title"
    page, data = hand_in(client, as_bytes(forged)), ask(client, as_bytes(forged))
    assert words_of(page).startswith("Not valid This is not what we issued.")
    assert data.json()["verdict"] == "changed"
    assert data.json()["claim"] is None
    assert page.status_code == data.status_code == 200


def test_what_cannot_be_read_is_refused_with_the_reason(client):
    page, data = hand_in(client, b"hello world, this is a letter"), ask(client, b"hello world, this is a letter")
    assert page.status_code == data.status_code == 422
    assert words_of(page).startswith("Not readable")
    assert data.json()["verdict"] == "unreadable"
    assert data.json()["checks"][0]["code"] in ("not_a_token", "not_recognised")


def test_the_page_has_both_ways_and_works_without_script(client):
    html = client.get(reverse("verify")).content.decode()
    assert 'name="code"' in html
    assert re.search(r'<form method="post" action="/verify/file/" enctype="multipart/form-data"', html)
    assert 'type="file" name="file"' in html


def test_no_answer_is_kept_or_indexed(client, certificate):
    content = in_form("json", credential_of(certificate))
    for response in (
        hand_in(client, content), ask(client, content), hand_in(client, b"?"), ask(client, b""),
        client.post(reverse("verify_file")), client.get(reverse("verify_file")),
    ):  # fmt: skip
        assert "noindex" in response.headers["X-Robots-Tag"]
        assert response.headers["Cache-Control"] == "no-store"


def test_nothing_of_a_file_is_written_down(client, certificate, caplog, tmp_path, settings, monkeypatch):
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    monkeypatch.setattr("tempfile.NamedTemporaryFile", lambda *args, **kwargs: pytest.fail("a file on the disk"))
    with caplog.at_level(logging.DEBUG):
        hand_in(client, in_form("json", credential_of(certificate)) + b" " * 4_000_000)
        hand_in(client, in_form("png", credential_of(certificate)))
    assert list(tmp_path.iterdir()) == []
    assert "Ana Quispe" not in caplog.text


# --- What is asked of who hands in ---------------------------------------------------------------------------------
def test_the_form_has_its_token_and_programs_need_none(certificate):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    assert hand_in(strict, b"{}").status_code == 403
    assert ask(strict, in_form("json", credential_of(certificate))).status_code == 200


@pytest.mark.parametrize("body", [b"", b"--x--"])
def test_without_a_file_one_is_asked_for(client, body):
    response = client.post(reverse("verify_file"), {})
    assert response.status_code == 422
    assert "Choose the file of the certificate or badge." in words_of(response)
    answer = client.post(reverse("verify_file_data"), body, content_type="multipart/form-data; boundary=x")
    assert (answer.status_code, answer.json()["error"]) == (422, "no_file")
    assert ask(client, b"").json()["error"] == "no_file"


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\x7f"]
)
def test_a_request_that_is_none_is_refused(client, content_type):
    answer = ask(client, b"x", content_type)
    assert (answer.status_code, answer.json()["error"]) == (422, "no_file")


def test_ten_megabytes_are_read_and_one_byte_more_is_not(client):
    most = b"{" + b" " * (checking.MAX_FILE_BYTES - 1)
    assert ask(client, most).status_code == 422  # read, and no badge
    for response in (ask(client, most + b" "), hand_in(client, most + b" ")):
        assert response.status_code == 413
    assert ask(client, most + b" ").json()["error"] == "too_large"
    assert "larger than 10 MB" in words_of(hand_in(client, most + b" "))


def test_what_announces_itself_as_endless_is_refused_before_it_is_read(client, monkeypatch):
    monkeypatch.setattr(handing_in, "from_body", lambda request: pytest.fail("it was read"))
    monkeypatch.setattr(handing_in, "from_form", lambda request, handler: pytest.fail("it was read"))
    for path in ("verify_file", "verify_file_data"):
        response = client.post(
            reverse(path), b"x", content_type=OCTETS, CONTENT_LENGTH=str(handing_in.MAX_REQUEST_BYTES + 1)
        )
        assert response.status_code == 413


def test_a_status_list_beyond_its_bound_is_refused(client):
    response = hand_in(client, b"{}", listed=b" " * (checking.MAX_LIST_BYTES + 1))
    assert response.status_code == 413


def test_of_many_files_only_the_two_asked_for_are_taken(client, certificate):
    good = in_form("json", credential_of(certificate))
    files = [SimpleUploadedFile(f"f{n}", b"x" * 1000) for n in range(50)]
    data = {"file": [SimpleUploadedFile("a", good), SimpleUploadedFile("b", b"no")], "other": files}
    assert client.post(reverse("verify_file_data"), data).json()["verdict"] == "valid"
    assert client.post(reverse("verify_file_data"), data | {"more": files * 2}).status_code == 413


def test_sixty_files_an_hour_from_one_network_and_codes_go_on(client, certificate, monkeypatch):
    monkeypatch.setattr(rate, "MOST_FILES", 3)
    content = in_form("json", credential_of(certificate))
    statuses = [ask(client, content).status_code for _ in range(4)] + [hand_in(client, content).status_code]
    assert statuses == [200, 200, 200, 429, 429]
    refused = ask(client, content)
    assert refused.json()["error"] == "too_many_files"
    assert refused.headers["Retry-After"] == "3600"
    assert "within 60 minutes" in words_of(hand_in(client, content))
    assert client.get(reverse("verify_certificate", args=[certificate.code])).status_code == 200
    assert ask(client, content, REMOTE_ADDR="192.0.2.9").status_code == 200


def test_beyond_the_limit_nothing_is_read_or_judged(client, monkeypatch):
    monkeypatch.setattr(rate, "MOST_FILES", 0)
    monkeypatch.setattr(file_views, "check_file", lambda *args, **kwargs: pytest.fail("it was judged"))
    assert ask(client, b"{}").status_code == 429


def test_a_process_judges_two_files_at_a_time(client, monkeypatch):
    monkeypatch.setattr(rate, "PATIENCE_SECONDS", 0.01)
    with rate.at_work(), rate.at_work():
        answer = ask(client, b"{}")
    assert (answer.status_code, answer.json()["error"], answer.headers["Retry-After"]) == (503, "busy", "60")
    assert ask(client, b"{}").status_code != 503


# --- The standard's examples, over HTTP ------------------------------------------------------------------------------
def key_in_the_name(method: str) -> keys.PublicKey | None:
    """The examples' issuers are made up and their keys stand in the names of their methods: as if we knew them all."""
    try:
        return keys.public_key(method.removeprefix("did:key:").rpartition("#")[2])
    except keys.MalformedKey:
        return None


class Everybody:
    """As if each of the examples' issuers had been listed."""

    class names(dict):
        def get(self, key, default=None):
            return "Listed issuer"

    names = names()
    key_of = staticmethod(key_in_the_name)


WHY = {
    "a credential with no proof is not verifiable": {"no_proof"},
    "signature value": {"signature"},
    "verification method": {"key_malformed", "method_malformed", "method_unknown"},
    "validUntil is past": {"expired"},
    "validFrom is in the future": {"not_yet_valid"},
    "issuer: JSON schema": {"issuer_missing"},
    "OB context missing": {"context_missing"},
    "type unknown": {"not_an_open_badge"},
    "credentialSubject.type": {"subject_malformed"},
    "identifier type": {"subject_malformed"},
    "profile type": {"profile_malformed"},
    "evidence type": {"evidence_malformed"},
}


@HERE
@pytest.mark.parametrize("name", EXPECTED)
def test_every_example_is_answered_as_its_publisher_expects(client, monkeypatch, on_day, name):
    content, row = (BADGES / "examples" / name).read_bytes(), EXPECTED[name]
    unknown = ask(client, content, JSON)
    assert unknown.status_code == 200
    assert unknown.json()["verdict"] != "valid"  # nobody has listed its issuer
    monkeypatch.setattr(trusting, "known_issuers", Everybody)
    found = ask(client, content, JSON).json()
    page = words_of(hand_in(client, content, name=name))
    codes = {check["code"] for check in found["checks"]} - {None}
    if row["document"].startswith(("valid", "legacy")):
        assert (found["verdict"], found["issuer"]["known"]) == ("valid", True)
        assert page.startswith("Valid This badge is genuine, and we know its issuer.")
        old = "warning" in row["document"] or "legacy" in row["document"] or "remark" in row["why"]
        assert old == any(caution["code"].startswith("older_") for caution in found["cautions"])
    else:
        assert found["verdict"] in ("invalid", "expired", "not_yet_valid")
        assert WHY[row["why"]] & codes
        assert not page.startswith("Valid")


@HERE
@pytest.mark.parametrize(
    "path", sorted(BADGES.glob("*/simple*")) if BADGES.exists() else [], ids=lambda path: path.name
)
def test_every_file_of_the_collection_gets_a_verdict_and_without_trust_none_is_valid(client, on_day, path):
    answer = ask(client, path.read_bytes())
    assert answer.status_code == 200
    assert answer.json()["verdict"] not in ("valid", "unreadable")
    assert hand_in(client, path.read_bytes()).status_code == 200


@HERE
@pytest.mark.parametrize("name", ["simple-json.png", "simple-json.svg"])
def test_the_baked_examples_are_valid_once_their_issuer_is_listed(client, monkeypatch, on_day, name):
    monkeypatch.setattr(trusting, "known_issuers", Everybody)
    assert ask(client, (BADGES / "baked" / name).read_bytes()).json()["verdict"] == "valid"


@HERE
def test_a_real_did_key_of_the_examples_can_be_listed(client, on_day):
    """Without any stand-in: listed by its did:key, the example verifies."""
    content = (BADGES / "examples" / "simple-did-key-method.json").read_bytes()
    method = json.loads(content)["proof"]
    method = (method[0] if isinstance(method, list) else method)["verificationMethod"]
    root = build_person("Root", is_superuser=True)
    trusting.trust_issuer(name="Example University", pasted=method, by=root)
    found = ask(client, content, JSON).json()
    assert (found["verdict"], found["issuer"]["name"]) == ("valid", "Example University")
    assert TrustedIssuer.objects.count() == 1
    assert found["claim"] is None


def test_documents_are_found_by_their_digest_alone(client, certificate, monkeypatch):
    monkeypatch.setattr(papers_check, "judge_signatures", lambda *args, **_: pytest.fail("the pages were read"))
    assert ask(client, read_document(certificate)).json()["verdict"] == "valid"
    assert believed_claim(certificate).holder == "Ana Quispe"
    assert OURS.key != FOREIGN.key
