"""A file handed in: what is ours by our records, what is others' by their proof, and nothing more than either shows."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.management import call_command
from django.utils import timezone
from PIL import Image

from certificates import checking, issuer, life, papers_check, services, trusting
from certificates.credentials import baking, jwt, keys, status
from certificates.credentials.badge import IssuerProfile, achievement_credential
from certificates.credentials.keys import Kind, PublicKey
from certificates.credentials.verifying import Result
from certificates.enums import FileVerdict
from certificates.models import Certificate, IssuerKey
from certificates.pdf import render_pdf
from certificates.pdf.signing import PaperSigner, sign_pdf
from certificates.pdf.x509 import self_signed
from certificates.record import claim_of, digest_of, record_of
from certificates.verdicts import believed_claim
from tests.certificates.builders import build_certificate, build_person, claim, read_document, tamper
from tests.certificates.credentials.builders import FOREIGN, NOW, OURS, WORDS, Signer, as_bytes, build_credential, sign

pytestmark = pytest.mark.django_db

ELSEWHERE = "did:web:badges.example.org"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


def picture() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (8, 8)).save(content, "PNG")
    return content.getvalue()


def know_our_key(signer: Signer = OURS, **others) -> IssuerKey:
    return IssuerKey.objects.create(
        key_id=f"key-{signer.key.multibase[-6:].lower()}", kind=signer.key.kind.value, public=signer.key.multibase,
        created_on=NOW.date(), **others,
    )  # fmt: skip


@pytest.fixture
def our_key(db):
    return know_our_key()


@pytest.fixture
def certificate(our_key) -> Certificate:
    return build_certificate(build_person("Ana Quispe"))


def unsigned_of(certificate: Certificate, **others):
    said = believed_claim(certificate)
    return achievement_credential(
        replace(said, **others), issuer=IssuerProfile(did=issuer.issuer_did(), url="http://testserver/"), words=WORDS,
        zone=UTC, status=status.entry("http://testserver/status/1/", 5),
    )  # fmt: skip


def credential_of(certificate: Certificate, signer: Signer = OURS, **others):
    return sign(unsigned_of(certificate, **others), signer, did=issuer.issuer_did())


def in_form(form: str, signed, signer: Signer = OURS) -> bytes:
    token = jwt.sign_jwt(signed, sign=signer.sign, method=signer.method(issuer.issuer_did()), key=signer.key)
    return {
        "json": lambda: as_bytes(signed),
        "jwt": lambda: token.encode(),
        "png": lambda: baking.bake_png(picture(), json.dumps(signed)),
        "svg": lambda: baking.bake_svg(SVG, token),
    }[form]()


def check(content, *, at=None, **others):
    return checking.check_file(
        as_bytes(content) if isinstance(content, dict) else content, at=at or timezone.now(), **others
    )


def foreign(**others):
    """A badge of an issuer elsewhere, signed by its did:web, with its place in its own status list."""
    return sign(build_credential(did=ELSEWHERE, **others), FOREIGN, did=ELSEWHERE)


def elsewhere_document() -> str:
    method = {
        "id": FOREIGN.method(ELSEWHERE), "type": "Multikey", "controller": ELSEWHERE,
        "publicKeyMultibase": FOREIGN.key.multibase,
    }  # fmt: skip
    return json.dumps({"id": ELSEWHERE, "verificationMethod": [method], "assertionMethod": [method["id"]]})


def trust_elsewhere():
    return trusting.trust_issuer(
        name="Academy of Elsewhere", pasted=elsewhere_document(), by=build_person("Root", is_superuser=True)
    )


def foreign_list(*revoked: int, address: str = "https://talent.gov.example/status/1") -> bytes:
    bits = status.bits_of(revoked, size=200_000)
    return as_bytes(
        sign(status.list_credential(address, bits, issuer=ELSEWHERE, valid_from=NOW), FOREIGN, did=ELSEWHERE)
    )


# --- Ours --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("form", ["json", "jwt", "png", "svg"])
def test_what_we_signed_is_valid_and_says_what_our_record_says(certificate, form):
    found = check(in_form(form, credential_of(certificate)))
    assert (found.state, found.form) == (FileVerdict.VALID, form)
    assert found.claim == claim_of(certificate.record)
    assert found.issuer.ours
    assert all(step.result is Result.PASSED for step in found.steps), found.steps
    assert not found.cautions


def test_whether_it_was_taken_back_stands_in_our_records_and_not_in_a_list(certificate):
    """The credential names a list that nobody has; our records answer all the same."""
    assert "status" not in {step.check for step in check(credential_of(certificate)).steps}


def test_a_revoked_one_says_the_day_and_the_class_of_the_reason_and_nothing_else(certificate):
    content = in_form("json", credential_of(certificate))
    life.revoke(
        certificate=certificate, reason="conduct", note="Copied.", by=build_person("Root", is_superuser=True),
    )  # fmt: skip
    found = check(content)
    assert found.state == FileVerdict.REVOKED
    assert found.judgement.on == timezone.localdate()
    assert found.judgement.reason_class == "conduct"
    assert (found.claim, found.said) == (None, None)


def test_a_replaced_one_shows_no_name(certificate):
    content = in_form("png", credential_of(certificate))
    life.reissue(certificate=certificate, name="Ana Q. Ríos", by=build_person("Root", is_superuser=True))
    found = check(content)
    assert (found.state, found.claim, found.said) == (FileVerdict.SUPERSEDED, None, None)


def test_an_expired_one_says_until_when(our_key):
    past = timezone.localdate() - timedelta(days=1)
    made = claim(valid_until=past, issued_on=past - timedelta(days=9), completed_on=past - timedelta(days=9))
    record = record_of(made)
    row = Certificate.objects.create(
        code=made.code, serial=made.serial, record=record, digest=digest_of(record), issued_on=made.issued_on,
        valid_until=past,
    )  # fmt: skip
    found = check(credential_of(row))
    assert (found.state, found.claim.holder) == (FileVerdict.EXPIRED, "José Ángel Muñoz")


@pytest.mark.parametrize("form", ["json", "jwt", "png", "svg"])
def test_another_name_is_not_what_we_issued(certificate, form):
    signed = credential_of(certificate)
    signed["credentialSubject"]["identifier"][0]["identityHash"] = "Mallory Forger"
    content = (
        in_form(form, signed, FOREIGN)  # a token is signed as it is made
        if form in ("jwt", "svg")
        else in_form(form, signed)
    )
    found = check(content)
    assert (found.state, found.claim, found.said) == (FileVerdict.CHANGED, None, None)


def test_one_in_our_name_by_a_key_of_others_tells_nothing_of_our_records(certificate, django_assert_num_queries):
    known = check(credential_of(certificate, FOREIGN))
    with django_assert_num_queries(2):  # our keys and those we trust: the code is not looked up
        check(credential_of(certificate, FOREIGN))
    made_up = check(credential_of(certificate, FOREIGN, code="7KQ2MXD4RF", url="http://testserver/verify/7KQ2MXD4RF/"))
    assert (known.state, known.steps[:-1]) == (made_up.state, made_up.steps[:-1])
    assert known.state == FileVerdict.CHANGED
    assert known.steps[-1].code == "not_by_our_key"


def test_what_a_withdrawn_key_signed_is_no_longer_ours(certificate, our_key):
    content = in_form("json", credential_of(certificate))
    assert check(content).state == FileVerdict.VALID
    our_key.withdrawn = True
    our_key.save()
    assert check(content).state == FileVerdict.CHANGED


def test_what_a_retired_key_signed_stays_ours(certificate, our_key):
    our_key.retired_on = our_key.created_on
    our_key.save()
    assert check(credential_of(certificate)).state == FileVerdict.VALID


def test_our_signature_over_what_our_records_do_not_have_is_unknown(certificate):
    stray = credential_of(certificate, code="7KQ2MXD4RF", url="http://testserver/verify/7KQ2MXD4RF/")
    found = check(stray)
    assert (found.state, found.claim) == (FileVerdict.UNKNOWN, None)


def test_our_signature_over_other_words_than_our_record_is_not_valid(certificate):
    found = check(credential_of(certificate, holder="Mallory Forger"))
    assert (found.state, found.claim, found.steps[-1].code) == (FileVerdict.CHANGED, None, "records_differ")


def test_a_record_changed_in_the_database_is_not_valid(certificate):
    content = in_form("json", credential_of(certificate))
    tamper(certificate, record=certificate.record | {"holder": {"name": "Mallory Forger"}})
    assert check(content).state == FileVerdict.CHANGED


def test_one_of_the_years_under_another_address_is_still_ours(certificate):
    moved = unsigned_of(certificate, url=f"https://old.example/verify/{certificate.code}/")
    moved["issuer"]["id"] = "did:web:old.example"
    found = check(sign(moved, OURS, did="did:web:old.example"))
    assert (found.state, found.claim.holder) == (FileVerdict.VALID, "Ana Quispe")


@pytest.mark.parametrize("form", ["json", "jwt", "png", "svg"])
def test_a_file_costs_at_most_three_queries(certificate, form, django_assert_max_num_queries):
    content = in_form(form, credential_of(certificate))
    with django_assert_max_num_queries(3):
        check(content)


# --- Others ------------------------------------------------------------------------------------------------------
def test_a_sound_badge_of_an_issuer_nobody_knows_is_not_called_valid():
    found = check(foreign(place=None), at=NOW)
    assert (found.state, found.first_gap) == (FileVerdict.UNCONFIRMED, "proof")
    did = keys.did_key(FOREIGN.key)
    found = check(sign(build_credential(did=did, place=None), FOREIGN, did=did), at=NOW)
    assert (found.state, found.first_gap, found.issuer.known) == (FileVerdict.UNCONFIRMED, "issuer", False)
    assert (found.said.title, found.said.holder) == ("Governing cyber risk", "José Ángel Muñoz")
    assert found.issuer.name == "Ministry of Digital Affairs"  # as it says of itself


def test_a_badge_whose_key_is_not_known_says_nothing_of_what_is_in_it():
    assert check(foreign(place=None), at=NOW).said is None


def test_a_badge_of_a_trusted_issuer_is_valid_and_called_by_the_name_we_gave():
    trust_elsewhere()
    found = check(foreign(place=None), at=NOW)
    assert (found.state, found.issuer.known, found.issuer.ours) == (FileVerdict.VALID, True, False)
    assert found.issuer.name == "Academy of Elsewhere"


def test_when_the_trust_ends_its_badges_are_no_longer_confirmed():
    row = trust_elsewhere()
    trusting.end_trust(trusted=row, by=build_person("Root", is_superuser=True))
    assert check(foreign(place=None), at=NOW).state == FileVerdict.UNCONFIRMED


def test_a_trusted_issuer_cannot_sign_in_our_name(certificate):
    trust_elsewhere()
    stolen = sign(unsigned_of(certificate), FOREIGN, did=ELSEWHERE)
    found = check(stolen)
    assert (found.state, found.claim) == (FileVerdict.CHANGED, None)


@pytest.mark.parametrize(
    ("listed", "state", "cautions"),
    [
        (None, FileVerdict.UNCONFIRMED, ()),
        (foreign_list(), FileVerdict.VALID, ()),
        (foreign_list(94_567), FileVerdict.REVOKED, ()),
        (foreign_list(address="https://talent.gov.example/status/2"), FileVerdict.UNCONFIRMED, ("list_not_used",)),
        (b"not a list", FileVerdict.UNCONFIRMED, ("list_unreadable",)),
        (b"{}", FileVerdict.UNCONFIRMED, ("list_unreadable",)),
    ],
    ids=["none", "clean", "revoked", "another", "garbage", "empty"],
)
def test_the_status_list_that_comes_with_a_badge_answers_for_its_own_address(listed, state, cautions):
    trust_elsewhere()
    found = check(foreign(), at=NOW, status_list=listed)
    assert (found.state, found.cautions) == (state, cautions)


def test_a_status_list_that_somebody_else_signed_decides_nothing():
    trust_elsewhere()
    address = "https://talent.gov.example/status/1"
    made = status.list_credential(address, status.bits_of([], size=200_000), issuer=ELSEWHERE, valid_from=NOW)
    forged = as_bytes(sign(made, Signer(3), did=ELSEWHERE))
    found = check(foreign(), at=NOW, status_list=forged)
    assert (found.state, found.troubles[0].code) == (FileVerdict.UNCONFIRMED, "status_list_refused")


def test_a_badge_that_ended_is_expired_whoever_issued_it():
    did = keys.did_key(FOREIGN.key)
    found = check(sign(build_credential(did=did, place=None), FOREIGN, did=did), at=datetime(2030, 1, 1, tzinfo=UTC))
    assert (found.state, found.issuer.known) == (FileVerdict.EXPIRED, False)


def test_of_what_does_not_hold_nothing_is_shown():
    trust_elsewhere()
    signed = foreign(place=None)
    signed["credentialSubject"]["identifier"][0]["identityHash"] = "Mallory Forger"
    found = check(signed, at=NOW)
    assert (found.state, found.said, found.issuer.known) == (FileVerdict.INVALID, None, False)


# --- Documents ---------------------------------------------------------------------------------------------------
def test_the_document_we_stored_is_ours_whatever_it_carries(certificate):
    found = check(read_document(certificate))
    assert (found.state, found.form, found.claim.holder) == (FileVerdict.VALID, "pdf", "Ana Quispe")
    assert [step.check for step in found.steps] == ["paper", "records"]


def test_a_document_follows_its_record(certificate):
    content = read_document(certificate)
    life.revoke(certificate=certificate, reason="conduct", note="Copied.", by=build_person("Root", is_superuser=True))
    found = check(content)
    assert (found.state, found.claim) == (FileVerdict.REVOKED, None)


def test_digests_of_documents_stored_before_are_noted_later(certificate):
    content = read_document(certificate)
    tamper(certificate, document_sha256="")
    assert services.note_document_digests(most=10) == 1
    assert services.note_document_digests(most=10) == 0
    assert check(content).state == FileVerdict.VALID


@pytest.fixture
def keys_of_ours(settings, tmp_path):
    settings.ISSUER_KEY_DIR = str(tmp_path / "keys")
    call_command("issuer_keys", "create", verbosity=0)


def signed_by_a_stranger(content: bytes) -> bytes:
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)

    def sign(message: bytes) -> bytes:
        r, s = decode_dss_signature(private.sign(message, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    own = self_signed(
        PublicKey(Kind.P256, public), sign=sign, name="Mallory", organisation="Mallory", country="", on=NOW.date()
    )
    return sign_pdf(content, signer=PaperSigner((own,), sign), at=NOW)


def test_a_document_we_signed_is_judged_by_its_signature_where_we_did_not_keep_it(keys_of_ours):
    certificate = build_certificate(build_person("Ana Quispe"))
    content = read_document(certificate)
    tamper(certificate, document_sha256="")
    found = check(content)
    assert (found.state, found.claim.holder) == (FileVerdict.VALID, "Ana Quispe")
    assert found.steps[0].code == "paper_signed"
    life.revoke(certificate=certificate, reason="conduct", note="Copied.", by=build_person("Root", is_superuser=True))
    assert check(content).state == FileVerdict.REVOKED


@pytest.mark.parametrize("change", [lambda c: c + b" ", lambda c: c.replace(b"Quispe", b"Quispo", 1)])
def test_a_document_we_signed_that_was_changed_is_called_so(keys_of_ours, change):
    content = read_document(build_certificate(build_person("Ana Quispe")))
    changed = change(content)
    assert changed != content
    found = check(changed)
    assert (found.state, found.claim, found.judgement) == (FileVerdict.CHANGED, None, None)


def test_a_document_signed_with_a_key_in_other_hands_is_not_ours(keys_of_ours):
    certificate = build_certificate()
    content = read_document(certificate)
    tamper(certificate, document_sha256="")
    IssuerKey.objects.update(withdrawn=True)
    assert check(content).state not in (FileVerdict.VALID, FileVerdict.REVOKED)


@pytest.mark.parametrize("by", [lambda c: c, signed_by_a_stranger])
def test_a_document_that_is_not_ours_leads_to_no_record(certificate, by):
    """The code on a page proves nothing: else a file would tell which codes there are."""
    found = check(by(render_pdf(replace(claim_of(certificate.record), holder="Mallory Forger"))))
    assert (found.state, found.claim, found.judgement) == (FileVerdict.UNKNOWN, None, None)


@pytest.mark.parametrize("by", [lambda c: c, signed_by_a_stranger])
def test_the_badge_inside_a_document_is_judged_and_the_pages_are_not(keys_of_ours, by):
    certificate = build_certificate(build_person("Ana Quispe"))
    forged = replace(claim_of(certificate.record), holder="Mallory Forger")
    found = check(by(render_pdf(forged, credential=certificate.credential.document.encode())))
    assert (found.state, found.form, found.covers_paper) == (FileVerdict.UNCONFIRMED, "pdf", False)
    assert found.claim.holder == "Ana Quispe"
    assert "paper_not_covered" in found.cautions


def test_a_reader_that_breaks_breaks_no_page(monkeypatch):
    def breaks(content, *, trusted):
        raise RecursionError

    monkeypatch.setattr(papers_check, "judge_signatures", breaks)
    assert check(b"%PDF-1.7 something").state == FileVerdict.UNREADABLE
