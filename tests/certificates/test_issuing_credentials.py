"""Credentials as issued, keys and status lists: what outlives the platform is signed here."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import QuerySet
from django.utils import timezone

from certificates import issuer, life, services, status_lists
from certificates.credentials import status, verifying
from certificates.credentials.keys import Kind, PublishedKey
from certificates.credentials.verifying import State
from certificates.crediting import make_credentials
from certificates.models import Certificate, Credential, Frozen, IssuerKey, StatusList
from certificates.record import claim_of
from certificates.services import issue_certificates
from certificates.tasks import sweep_credentials
from certificates.verdicts import RecordChanged
from organisations.jobs import run_job
from organisations.key_folder import KeyMissing
from organisations.models import Job
from tests.certificates.builders import NOON, build_certificate, build_completed, build_course, build_person, tamper

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.ISSUER_KEY_DIR = str(tmp_path / "keys")
    return tmp_path / "keys"


@pytest.fixture
def keys(folder):
    call_command("issuer_keys", "create", verbosity=0)


def say(*words: str) -> str:
    out = StringIO()
    call_command("issuer_keys", *words, stdout=out)
    return out.getvalue()


def judge(content: str, **others):
    others = {"key_of": issuer.key_finder(), "status_list": status_lists.list_at, **others}
    return verifying.verify(content.encode(), at=timezone.now(), **others)


def deal(count: int):
    return status_lists.deal_places(count, issuer=issuer.issuer_did())


def build_administrator():
    return build_person("Root", is_superuser=True)


# --- Credentials -------------------------------------------------------------------------------------------------
def test_a_certificate_is_issued_as_document_and_credential_of_one_record(keys):
    certificate = build_certificate()
    credential = Credential.objects.get(certificate=certificate)
    said, claim = json.loads(credential.document), claim_of(certificate.record)
    assert said["id"] == claim.url
    assert said["issuer"]["id"] == issuer.issuer_did() == "did:web:testserver"
    assert said["credentialSubject"]["identifier"][0]["identityHash"] == claim.holder
    assert said["credentialStatus"]["statusListCredential"] == status_lists.list_url(credential.status_list_id)
    assert said["evidence"][0]["name"] == "Final check"
    assert certificate.document


def test_both_forms_verify_with_what_we_publish_and_nothing_else(keys):
    credential = Credential.objects.get(certificate=build_certificate())
    for content in (credential.document, credential.token):
        verdict = judge(content)
        assert (verdict.state, verdict.issuer_known, verdict.reasons) == (State.VALID, True, ())


def test_a_changed_name_does_not_verify(keys):
    credential = Credential.objects.get(certificate=build_certificate())
    assert judge(credential.document.replace("Ana Quispe", "Eva Quispe")).state == State.INVALID


def test_the_words_are_in_the_language_of_the_document(keys):
    certificate = build_certificate(build_person(language="es"))
    said = json.loads(certificate.credential.document)
    assert said["credentialSubject"]["achievement"]["inLanguage"] == "es"


def test_issuing_twice_signs_once(keys):
    certificate = build_certificate()
    before = Credential.objects.get().document
    assert make_credentials([certificate, certificate]) == 0
    assert Credential.objects.get().document == before
    with pytest.raises(Frozen):
        Credential.objects.get().save()


def test_who_is_slower_adds_nothing(keys, monkeypatch):
    """Both looked and found none; the second row is refused without a word and its place is nobody's."""
    (certificate,) = issue_certificates(enrolments=[build_completed()], at=NOON, documents=False)
    make_credentials([certificate])
    kept = Credential.objects.get().place
    nobody = Credential.objects.none()
    with monkeypatch.context() as patch:
        patch.setattr(Credential.objects, "filter", lambda **_: nobody)
        make_credentials([certificate])
    assert Credential.objects.get().place == kept


def test_what_was_changed_after_issue_is_not_signed(keys):
    (certificate,) = issue_certificates(enrolments=[build_completed()], at=NOON, documents=False)
    forged = tamper(certificate, record=certificate.record | {"holder": {"name": "Somebody Else"}})
    with pytest.raises(RecordChanged):
        make_credentials([forged])
    assert not Credential.objects.exists()
    # It keeps no other waiting.
    issue_certificates(enrolments=[build_completed()], at=NOON, documents=False)
    assert services.make_missing_credentials(progress=lambda *_: None) == (1, [certificate.serial])


def test_without_a_key_there_is_a_document_and_the_credential_follows_when_there_is_one(folder):
    certificate = build_certificate()
    assert certificate.document
    assert not Credential.objects.exists()
    assert not sweep_credentials()
    call_command("issuer_keys", "create", verbosity=0)
    run_job(Job.objects.get(kind="certificates.credentials").pk)
    assert judge(Credential.objects.get(certificate=certificate).document).state == State.VALID


def test_the_sweep_signs_what_nobody_signed_once_a_day(keys, settings):
    issue_certificates(enrolments=[build_completed()], at=NOON, documents=False)
    QuerySet(Certificate).update(created_at=timezone.now() - timedelta(hours=1))
    assert sweep_credentials()
    assert not sweep_credentials()


def test_queries_grow_with_batches(keys, count_queries):
    course = build_course()

    def sign(people: int) -> int:
        made = issue_certificates(
            enrolments=[build_completed(course, build_person()) for _ in range(people)], at=NOON, documents=False
        )
        return count_queries(lambda: make_credentials(made))

    sign(1)
    few, many = sign(2), sign(40)
    assert few == many <= 10


# --- Keys --------------------------------------------------------------------------------------------------------
def test_the_command_makes_a_key_of_each_kind_once(folder):
    assert say("create").count("\n") == 2
    assert "already" in say("create")
    assert IssuerKey.objects.count() == 2
    assert {row.kind for row in IssuerKey.objects.all()} == {"Ed25519", "P-256"}
    assert say("list").count("signs\n") == 2


def test_keys_lie_outside_of_what_is_served_and_are_for_the_server_alone(keys, folder, settings):
    assert folder.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
    settings.ISSUER_KEY_DIR = f"{settings.MEDIA_ROOT}/keys"
    with pytest.raises(CommandError, match="served"):
        call_command("issuer_keys", "create", verbosity=0)


def test_after_a_rotation_the_old_key_is_published_and_what_it_signed_verifies(keys):
    old = Credential.objects.get(certificate=build_certificate())
    say("rotate")
    new = Credential.objects.get(certificate=build_certificate(build_person("Eva Paz")))
    assert old.key != new.key
    published = [method["publicKeyMultibase"] for method in issuer.did_document()["verificationMethod"]]
    assert published == [old.key.public, new.key.public] or set(published) == {old.key.public, new.key.public}
    assert judge(old.document).state == judge(new.document).state == State.VALID
    assert not issuer.IssuerKey.objects.get(pk=old.key.pk).signs_on(timezone.localdate())


def test_a_lost_key_invalidates_nothing(keys, folder):
    credential = Credential.objects.get(certificate=build_certificate())
    status_lists.list_at(status_lists.list_url(credential.status_list_id))  # signed while the key was there
    for path in folder.iterdir():
        path.unlink()
    assert judge(credential.document).state == State.VALID
    assert "lost" in say("list")
    with pytest.raises(KeyMissing):
        issuer.hand(Kind.ED25519)
    say("retire", credential.key.key_id)
    assert judge(credential.document).state == State.VALID


def test_a_key_in_other_hands_vouches_for_nothing(keys):
    credential = Credential.objects.get(certificate=build_certificate())
    say("withdraw", credential.key.key_id)
    assert judge(credential.document).state == State.UNCONFIRMED
    assert credential.key.public not in json.dumps(issuer.did_document())
    # Publishing what the store says does not bring it back.
    issuer.publish(PublishedKey(credential.key.key_id, credential.key.key, credential.key.created_on))
    assert IssuerKey.objects.get(pk=credential.key.pk).withdrawn


def test_what_was_signed_under_another_address_is_still_ours(keys, settings):
    credential = Credential.objects.get(certificate=build_certificate())
    settings.SITE_URL = "https://learning.gov.example"
    assert issuer.issuer_did() == "did:web:learning.gov.example"
    assert judge(credential.document).state == State.VALID
    life.revoke(certificate=credential.certificate, reason="conduct", note="A test.", by=build_administrator())
    assert judge(credential.document).state == State.REVOKED
    # What is issued now has the new name, in a list of its own.
    fresh = build_certificate(build_person("Eva Paz")).credential
    assert fresh.status_list_id != credential.status_list_id
    assert judge(fresh.document).state == State.VALID


def test_an_issuer_without_a_lasting_address_is_named_by_its_key(keys, settings):
    settings.ISSUER_DID = "key"
    credential = build_certificate().credential
    assert json.loads(credential.document)["issuer"]["id"] == f"did:key:{credential.key.public}"
    assert judge(credential.document).state == judge(credential.token).state == State.VALID
    # After a rotation its list is still signed with its own key, for no other can speak for it.
    say("rotate")
    life.revoke(certificate=credential.certificate, reason="conduct", note="A test.", by=build_administrator())
    assert judge(credential.document).state == State.REVOKED
    assert f"did:key:{credential.key.public}" in issuer.did_document()["alsoKnownAs"]


def test_a_key_that_is_not_there_cannot_be_ended():
    with pytest.raises(CommandError, match="No key"):
        call_command("issuer_keys", "retire", "nothing-here")


@pytest.mark.parametrize(
    ("address", "did"),
    [
        ("https://talent.gov.example", "did:web:talent.gov.example"),
        ("http://127.0.0.1:8000", "did:web:127.0.0.1%3A8000"),
        ("https://gov.example/talent", "did:web:gov.example:talent"),
    ],
)
def test_the_name_of_the_issuer_follows_from_the_address(settings, address, did):
    settings.SITE_URL = address
    assert issuer.issuer_did() == did


# --- Status lists ------------------------------------------------------------------------------------------------
def test_revoking_sets_the_place_and_signs_the_list_anew(keys):
    certificate = build_certificate()
    other = build_certificate(build_person("Eva Paz"))
    credential = certificate.credential
    url = status_lists.list_url(credential.status_list_id)
    before = status_lists.list_at(url)
    assert judge(credential.document).state == State.VALID
    life.revoke(certificate=certificate, reason="issued_in_error", note="A test.", by=build_administrator())
    assert status_lists.list_at(url) != before
    assert judge(credential.document).state == State.REVOKED
    assert judge(credential.token).state == State.REVOKED
    assert judge(other.credential.document).state == State.VALID


def test_a_certificate_with_a_corrected_name_takes_the_old_credential_out(keys):
    certificate = build_certificate()
    fresh = life.reissue(certificate=certificate, name="Ana Rojas", by=build_administrator())
    assert judge(certificate.credential.document).state == State.REVOKED
    assert judge(fresh.credential.document).state == State.VALID
    assert "Ana Rojas" in fresh.credential.document


def test_a_list_is_signed_once_and_again_when_half_of_its_time_is_over(keys):
    credential = build_certificate().credential
    found, now = StatusList.objects.get(pk=credential.status_list_id), timezone.now()
    first = status_lists.signed_list(found, at=now)
    found.refresh_from_db()
    assert status_lists.signed_list(found, at=now + timedelta(hours=11)) == first
    assert status_lists.signed_list(found, at=now + timedelta(hours=13)) != first


def test_a_revocation_that_commits_while_the_list_is_read_makes_it_old_again(keys, monkeypatch):
    certificate = build_certificate()
    found = StatusList.objects.get(pk=certificate.credential.status_list_id)
    read = status_lists.revoked_places

    def read_and_then_somebody_revokes(number: int) -> list[int]:
        places = read(number)
        life.revoke(certificate=certificate, reason="conduct", note="A test.", by=build_administrator())
        return places

    with monkeypatch.context() as patch:
        patch.setattr(status_lists, "revoked_places", read_and_then_somebody_revokes)
        status_lists.signed_list(found)
    assert judge(certificate.credential.document).state == State.REVOKED


def test_a_list_that_is_signed_while_somebody_checks_is_believed(keys):
    """Who checks notes the time first, and the list is signed a moment later."""
    credential = build_certificate().credential
    before = timezone.now() - timedelta(seconds=30)
    verdict = verifying.verify(
        credential.document.encode(), at=before, key_of=issuer.key_finder(), status_list=status_lists.list_at
    )
    assert verdict.of(verifying.Check.STATUS).result == verifying.Result.PASSED


def test_who_read_earlier_does_not_write_over_who_read_later(keys):
    credential = build_certificate().credential
    found, now = StatusList.objects.get(pk=credential.status_list_id), timezone.now()
    later = status_lists.sign_list(found, at=now)
    status_lists.sign_list(found, at=now - timedelta(seconds=5))
    found.refresh_from_db()
    assert found.content == later


def test_without_a_key_the_last_list_is_served(keys, folder):
    credential = build_certificate().credential
    url = status_lists.list_url(credential.status_list_id)
    last = status_lists.list_at(url)
    for path in folder.iterdir():
        path.unlink()
    StatusList.objects.update(changes=7)
    assert status_lists.list_at(url) == last
    StatusList.objects.update(content="", made_at=None)
    assert status_lists.list_at(url) is None


def test_places_are_dealt_once_in_an_order_that_tells_nothing():
    first, second = deal(50), deal(50)
    assert len(set(first + second)) == 100
    places = [dealt.place for dealt in first]
    assert places != sorted(places)
    assert max(places) > 50_000


def test_a_full_list_is_followed_by_another():
    StatusList.objects.create(
        issuer=issuer.issuer_did(), address="http://testserver", seed="s", used=status.LEAST_BITS - 3
    )
    lists = [dealt.number for dealt in deal(10)]
    assert [lists.count(number) for number in sorted(set(lists))] == [3, 7]


@pytest.mark.parametrize("address", ["", "http://testserver/status/", "http://testserver/status/x/", "https://other/1/",
                                     "http://testserver/status/999/", "http://testserver/status/99999999999999/"])  # fmt: skip
def test_no_other_address_is_a_list_of_ours(keys, address):
    assert status_lists.list_at(address) is None


# --- What strangers fetch ----------------------------------------------------------------------------------------
def test_keys_and_lists_are_served_to_everybody_with_caching(keys, client):
    credential = build_certificate().credential
    answer = client.get("/.well-known/did.json")
    assert answer["Content-Type"] == "application/did+json"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "max-age=3600" in answer["Cache-Control"]
    assert answer.json()["id"] == issuer.issuer_did()
    assert len(answer.json()["verificationMethod"]) == 1  # documents are checked by their own certificates

    path = f"/status/{credential.status_list_id}/"
    answer = client.get(path)
    assert answer["Content-Type"] == "application/vc+ld+json"
    assert "public" in answer["Cache-Control"] and "max-age=300" in answer["Cache-Control"]
    assert not answer.cookies
    again = client.get(path, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["Access-Control-Allow-Origin"] == "*"


def test_a_list_that_nobody_can_sign_says_so(client):
    number = deal(1)[0].number
    answer = client.get(f"/status/{number}/")
    assert (answer.status_code, answer.json()) == (503, {"error": "no_key"})


def test_a_moment_is_cut_to_seconds_and_the_same_input_gives_the_same_bytes(keys):
    (certificate,) = issue_certificates(enrolments=[build_completed()], at=NOON, documents=False)
    at = datetime(2026, 3, 3, 12, 0, 0, 999, tzinfo=UTC)
    make_credentials([certificate], at=at)
    assert json.loads(Credential.objects.get().document)["proof"][0]["created"] == "2026-03-03T12:00:00Z"
