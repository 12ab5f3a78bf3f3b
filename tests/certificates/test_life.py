"""What becomes of a certificate after issue: who may, what strangers then read, what is never rubbed out."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader
from wagtail.models import ModelLogEntry

from certificates import rate
from certificates.enums import RevocationReason, Verdict
from certificates.life import LifeRefused, reissue, revoke
from certificates.models import Certificate, Frozen, Revocation
from certificates.selectors import certificate_by_code, certificate_for, certificates_of
from certificates.verdicts import judge
from tests.builders import make_hr, make_person, make_post, make_unit
from tests.certificates.builders import build_certificate, read_document, tamper

pytestmark = pytest.mark.django_db
WHY = {"reason": RevocationReason.ISSUED_IN_ERROR, "note": "The check was opened to all by mistake."}


@pytest.fixture
def house():
    """A holder of a unit, the HR officer who serves it, and a certificate of hers."""
    unit, holder, hr = make_unit(), make_person("Ana Quispe"), make_person("Hannah Human")
    make_post(unit, holder=holder)
    make_hr(hr, unit)
    return holder, hr, build_certificate(holder)


def verdict_of(certificate: Certificate) -> Verdict:
    return judge(certificate_by_code(certificate.code), as_of=timezone.localdate()).verdict


def page(code: str) -> str:
    return " ".join(Client().get(reverse("verify_certificate", args=[code])).content.decode().split())


# --- Revoking -------------------------------------------------------------------------------------------------------
def test_a_revoked_certificate_says_since_when_and_why_and_nothing_of_its_holder(house):
    holder, hr, certificate = house
    assert verdict_of(certificate) == Verdict.VALID
    revoke(certificate=certificate, by=hr, **WHY)
    text = page(certificate.code)
    assert "This certificate does not count since" in text
    assert "It was issued in error" in text and certificate.serial in text
    assert holder.name not in text and "opened to all" not in text and "Governing cyber risk" not in text
    [letter] = mail.outbox
    assert letter.to == [holder.email]
    assert "opened to all by mistake" in letter.body and "It was issued in error" in letter.body
    entry = ModelLogEntry.objects.get(action="certificates.revoke")
    assert (entry.user, entry.data["reason"]) == (hr, "issued_in_error")


def test_revoking_twice_is_once_and_the_first_reason_stays(house):
    _holder, hr, certificate = house
    first = revoke(certificate=certificate, by=hr, **WHY)
    again = revoke(certificate=certificate, by=hr, reason=RevocationReason.CONDUCT, note="Another.")
    assert again == first and again.reason == RevocationReason.ISSUED_IN_ERROR
    assert len(mail.outbox) == 1
    assert ModelLogEntry.objects.filter(action="certificates.revoke").count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "whim"}, "reason"),
        ({"note": "  "}, "note"),
        ({"note": "x" * 501}, "note"),
    ],
)
def test_without_a_reason_and_a_note_nothing_is_revoked(house, change, field):
    _holder, hr, certificate = house
    with pytest.raises(LifeRefused) as refused:
        revoke(certificate=certificate, by=hr, **WHY | change)
    assert refused.value.field == field
    assert verdict_of(certificate) == Verdict.VALID


def test_nobody_revokes_her_own_or_that_of_somebody_she_does_not_serve(house):
    holder, _hr, certificate = house
    stranger, elsewhere = make_person(), make_unit()
    make_hr(stranger, elsewhere)
    make_hr(holder, elsewhere)
    for person in (holder, stranger, make_person()):
        with pytest.raises(LifeRefused):
            revoke(certificate=certificate, by=person, **WHY)
        with pytest.raises(LifeRefused):
            reissue(certificate=certificate, by=person, name="Ana María Quispe")
    assert not Revocation.objects.exists() and Certificate.objects.count() == 1


def test_that_of_somebody_whose_account_is_gone_is_revoked_by_an_administrator_and_nobody_is_written_to(house):
    _holder, hr, certificate = house
    QuerySet(Certificate).filter(pk=certificate.pk).update(holder=None)  # what deleting an account does
    certificate.refresh_from_db()
    with pytest.raises(LifeRefused):
        revoke(certificate=certificate, by=hr, **WHY)
    revoke(certificate=certificate, by=make_person(is_superuser=True), **WHY)
    assert verdict_of(certificate) == Verdict.REVOKED and mail.outbox == []


def test_what_was_written_of_a_revocation_is_neither_changed_nor_deleted(house):
    _holder, hr, certificate = house
    revocation = revoke(certificate=certificate, by=hr, **WHY)
    revocation.note = "Nothing happened."
    with pytest.raises(Frozen):
        revocation.save()
    with pytest.raises(Frozen):
        revocation.delete()


# --- Correcting a name ----------------------------------------------------------------------------------------------
def test_a_corrected_name_is_a_certificate_of_its_own_and_the_old_one_shows_neither_name(house):
    holder, hr, certificate = house
    fresh = reissue(certificate=certificate, by=hr, name="  Ana María   Quispe ")
    assert fresh.record["holder"]["name"] == "Ana María Quispe"
    same = ("award", "outcomes", "result", "completed_on", "valid_until", "issuer", "language")
    assert {key: fresh.record[key] for key in same} == {key: certificate.record[key] for key in same}
    assert fresh.serial != certificate.serial and fresh.code != certificate.code
    assert fresh.record["url"].endswith(f"/verify/{fresh.code}/")
    assert fresh.record["issued_on"] == timezone.localdate().isoformat()
    certificate.refresh_from_db()
    assert certificate.record["holder"]["name"] == "Ana Quispe"  # frozen
    assert "Ana María Quispe" in PdfReader(io.BytesIO(read_document(fresh))).pages[0].extract_text()
    text = page(certificate.code)
    assert "Another certificate took its place on" in text
    assert "Quispe" not in text and fresh.code not in text and fresh.serial not in text
    assert verdict_of(fresh) == Verdict.VALID
    [letter] = mail.outbox
    assert letter.to == [holder.email] and fresh.serial in letter.body


def test_correcting_twice_is_once_and_another_name_goes_to_the_new_one(house):
    _holder, hr, certificate = house
    fresh = reissue(certificate=certificate, by=hr, name="Ana María Quispe")
    assert reissue(certificate=certificate, by=hr, name="Ana María Quispe") == fresh
    with pytest.raises(LifeRefused, match="took its place"):
        reissue(certificate=certificate, by=hr, name="Anna Quispe")
    third = reissue(certificate=fresh, by=hr, name="Anna Quispe")
    assert [verdict_of(c) for c in (certificate, fresh, third)] == ["superseded", "superseded", "valid"]
    assert len(mail.outbox) == 2


def test_two_rows_never_take_the_place_of_one(house):
    _holder, hr, certificate = house
    fresh = reissue(certificate=certificate, by=hr, name="Ana María Quispe")
    with pytest.raises(IntegrityError), transaction.atomic():
        Certificate.objects.create(
            code="2345678923", serial="2026-999999", record=fresh.record, digest=fresh.digest,
            issued_on=fresh.issued_on, supersedes=certificate,
        )  # fmt: skip


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "Ana Quispe"])
def test_a_name_that_is_none_or_the_same_is_refused(house, name):
    _holder, hr, certificate = house
    with pytest.raises(LifeRefused) as refused:
        reissue(certificate=certificate, by=hr, name=name)
    assert refused.value.field == "name"
    assert Certificate.objects.count() == 1


def test_what_was_revoked_or_tampered_with_is_not_issued_anew_and_what_was_replaced_not_revoked(house):
    _holder, hr, certificate = house
    fresh = reissue(certificate=certificate, by=hr, name="Ana María Quispe")
    with pytest.raises(LifeRefused):
        revoke(certificate=certificate, by=hr, **WHY)
    revoke(certificate=fresh, by=hr, **WHY)
    with pytest.raises(LifeRefused):
        reissue(certificate=fresh, by=hr, name="Anna Quispe")
    other = build_certificate(make_person())
    tamper(other, digest="0" * 64)
    with pytest.raises(LifeRefused):
        reissue(certificate=other, by=make_person(is_superuser=True), name="Anybody")


def test_serial_numbers_go_on_without_a_gap(house):
    _holder, hr, certificate = house
    year = timezone.localdate().year
    fresh = reissue(certificate=certificate, by=hr, name="Ana María Quispe")
    with pytest.raises(LifeRefused):
        reissue(certificate=fresh, by=hr, name="")
    third = reissue(certificate=fresh, by=hr, name="Anna Quispe")
    assert int(third.serial.split("-")[1]) == int(fresh.serial.split("-")[1]) + 1
    assert third.serial.startswith(f"{year}-")


# --- The holder -----------------------------------------------------------------------------------------------------
def test_the_holder_sees_what_stands_today_and_that_it_was_revoked(house):
    holder, hr, certificate = house
    fresh = reissue(certificate=certificate, by=hr, name="Ana María Quispe")
    assert [item.serial for item in certificates_of(holder)] == [fresh.serial]
    assert certificate_for(certificate.enrolment).item.serial == fresh.serial
    revoke(certificate=fresh, by=hr, **WHY)
    client = Client()
    client.force_login(holder)
    text = client.get(reverse("my_certificates")).content.decode()
    assert "Revoked" in text and "It was issued in error" in text


def test_verdicts_come_in_their_order(house):
    """Tampered with before revoked, revoked before expired: what is worst is said."""
    _holder, hr, certificate = house
    revoke(certificate=certificate, by=hr, **WHY)
    as_of = timezone.localdate() + timedelta(days=40000)
    found = certificate_by_code(certificate.code)
    assert judge(found, as_of=as_of).verdict == Verdict.REVOKED
    tamper(certificate, digest="0" * 64)
    assert judge(certificate_by_code(certificate.code), as_of=as_of).verdict == Verdict.CHANGED


def test_checking_takes_as_many_queries_whatever_became_of_it(house, count_queries):
    _holder, hr, certificate = house
    fresh = reissue(certificate=certificate, by=hr, name="Ana María Quispe")
    revoke(certificate=fresh, by=hr, **WHY)
    counts = {
        count_queries(lambda code=code: page(code))
        for code in (certificate.code, fresh.code, "2345678923", "no code at all")
    }
    assert len(counts) == 1 and counts.pop() <= 5


def test_programs_get_the_same_answer_as_data_and_no_more_than_the_page_shows(house):
    holder, hr, certificate = house

    def data(code, status=200):
        response = Client().get(reverse("verify_data", args=[code]))
        assert (response.status_code, response["Cache-Control"]) == (status, "no-store")
        return response.json()

    found = data(certificate.code)
    assert (found["verdict"], found["holder"], found["serial"]) == ("valid", {"name": holder.name}, certificate.serial)
    assert "score_pct" not in str(found)  # is shown to nobody else
    fresh = reissue(certificate=certificate, by=hr, name="Ana María Quispe")
    old = data(certificate.code)
    assert (old["verdict"], old["since"]) == ("superseded", timezone.localdate().isoformat())
    assert set(old) == {"code", "verdict", "since", "reason", "serial"}
    revoke(certificate=fresh, by=hr, **WHY)
    assert data(fresh.code) == {
        "code": fresh.code, "verdict": "revoked", "since": timezone.localdate().isoformat(),
        "reason": "issued_in_error", "serial": fresh.serial,
    }  # fmt: skip
    assert data("2345678923", 404)["verdict"] == data("nonsense", 404)["verdict"] == "unknown"


# --- Guessing -------------------------------------------------------------------------------------------------------
def test_who_guesses_codes_is_asked_to_wait_and_others_are_not(house, settings):
    _holder, _hr, certificate = house
    cache.clear()
    guesser, other = Client(REMOTE_ADDR="198.51.100.7"), Client(REMOTE_ADDR="198.51.100.8")
    for _guess in range(rate.MOST_UNKNOWN):
        assert guesser.get(reverse("verify_certificate", args=["2345678923"])).status_code == 404
    stopped = guesser.get(reverse("verify_certificate", args=[certificate.code]))
    assert stopped.status_code == 429
    assert "within 60 minutes" in stopped.content.decode() and "Ana Quispe" not in stopped.content.decode()
    assert stopped["Cache-Control"] == "no-store"
    assert other.get(reverse("verify_certificate", args=[certificate.code])).status_code == 200
    for _check in range(rate.MOST_UNKNOWN + 5):  # real ones are never counted
        assert other.get(reverse("verify_certificate", args=[certificate.code])).status_code == 200
    cache.clear()


def test_a_network_of_many_addresses_is_one(settings):
    cache.clear()
    for host in range(rate.MOST_UNKNOWN):
        Client(REMOTE_ADDR=f"2001:db8:1:2::{host + 1:x}").get(reverse("verify_certificate", args=["X"]))
    assert Client(REMOTE_ADDR="2001:db8:1:2::ffff").get(reverse("verify_certificate", args=["X"])).status_code == 429
    assert Client(REMOTE_ADDR="2001:db8:1:3::1").get(reverse("verify_certificate", args=["X"])).status_code == 404
    cache.clear()


# --- The desk -------------------------------------------------------------------------------------------------------
def test_hr_finds_a_certificate_by_number_code_or_name_and_only_of_those_she_serves(house):
    _holder, hr, certificate = house
    stranger = build_certificate(make_person("Ana Stranger"))
    client = Client()
    client.force_login(hr)
    for wanted in ("", certificate.serial, certificate.code, certificate.code.lower(), "quispe"):
        text = client.get(reverse("certificate_desk"), {"q": wanted}).content.decode()
        assert certificate.serial in text and stranger.serial not in text, wanted
    assert "Nothing found" in client.get(reverse("certificate_desk"), {"q": stranger.serial}).content.decode()
    assert client.get(reverse("certificate_life", args=[stranger.serial])).status_code == 404


def test_hr_corrects_and_revokes_on_the_page_and_faults_stand_at_their_fields(house):
    _holder, hr, certificate = house
    client = Client()
    client.force_login(hr)
    url = reverse("certificate_life", args=[certificate.serial])
    for wrong in ({"do": "reissue", "name": "Ana Quispe"}, {"do": "revoke", "reason": "", "note": ""}, {}):
        assert client.post(url, wrong).status_code == 422
    assert Certificate.objects.count() == 1 and not Revocation.objects.exists()
    done = client.post(url, {"do": "reissue", "name": "Ana María Quispe"})
    fresh = Certificate.objects.get(supersedes=certificate)
    assert done.url == reverse("certificate_life", args=[fresh.serial])
    text = client.get(url).content.decode()
    assert fresh.serial in text and "Correct the name" not in text
    client.post(done.url, {"do": "revoke", "reason": "holder_asked", "note": "She wants none."})
    text = client.get(done.url).content.decode()
    assert "She wants none." in text
    assert "Revoke it" not in text
    assert "Certificate revoked" in text


def test_the_desk_costs_the_same_for_many_certificates(house, count_queries):
    holder, hr, _certificate = house
    client = Client()
    client.force_login(hr)
    few = count_queries(lambda: client.get(reverse("certificate_desk")))
    for _more in range(5):
        build_certificate(holder)
    assert count_queries(lambda: client.get(reverse("certificate_desk"))) == few
