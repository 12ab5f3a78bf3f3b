"""Links that show a certificate for a time: what they open, for how long, and what they never tell."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from certificates import rate, sharing
from certificates.enums import RevocationReason
from certificates.life import reissue, revoke
from certificates.models import Certificate, ShareLink
from certificates.record import Ground, claim_of, digest_of, record_of
from certificates.sharing import MOST_OPEN, NotShared, address_of, end_link, link_behind, make_link, token_of
from tests.certificates.builders import build_certificate, build_person, read_document, tamper
from tests.certificates.held import with_credential
from tests.certificates.test_pages import words_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def certificate() -> Certificate:
    return build_certificate(build_person("Ana Quispe"))


def link_to(certificate, **others) -> ShareLink:
    values = {"certificate": certificate, "by": certificate.holder, "number": uuid4(), "days": 30}
    return make_link(**(values | others))


def opened(client, link, name=""):
    return client.get(f"/c/{token_of(link)}/{name}")


def with_grounds(certificate: Certificate) -> Certificate:
    from dataclasses import replace

    claim = claim_of(certificate.record)
    ground = Ground("Course passed", "Governing cyber risk", claim.issued_on)
    record = record_of(replace(claim, outcomes=tuple(replace(o, grounds=(ground,)) for o in claim.outcomes)))
    return tamper(certificate, record=record, digest=digest_of(record))


# --- Making and ending -------------------------------------------------------------------------------------------
def test_the_address_is_the_key_and_the_database_alone_does_not_have_it(certificate, settings):
    link = link_to(certificate)
    token = token_of(link)
    assert len(token) == 43
    assert token not in str(ShareLink.objects.values().get())
    assert address_of(link) == f"{settings.SITE_URL}/c/{token}/"
    settings.SECRET_KEY = "another secret of another installation altogether"
    assert token_of(link) != token
    assert address_of(link) == ""  # it cannot be shown any more, and still works
    assert link_behind(token) == link


def test_a_doubled_press_makes_one_link(certificate):
    number = uuid4()
    assert link_to(certificate, number=number) == link_to(certificate, number=number)
    assert ShareLink.objects.count() == 1


def test_the_number_of_one_certificate_opens_no_other(certificate):
    other = build_certificate(certificate.holder)
    number = uuid4()
    assert token_of(link_to(certificate, number=number)) != token_of(link_to(other, number=number))


def test_only_the_holder_shares_and_ends(certificate):
    admin = build_person("Administrator", is_superuser=True)
    with pytest.raises(NotShared, match="Only the holder"):
        link_to(certificate, by=admin)
    link = link_to(certificate)
    with pytest.raises(NotShared, match="Only the holder"):
        end_link(link=link, by=admin)


def test_so_many_are_open_at_once_and_an_ended_one_makes_room(certificate):
    links = [link_to(certificate) for _ in range(MOST_OPEN)]
    with pytest.raises(NotShared, match="20 links"):
        link_to(certificate)
    end_link(link=links[0], by=certificate.holder)
    assert link_to(certificate).pk


@pytest.mark.parametrize("days", [0, -1, 1, 31, 366, 10**9])
def test_a_link_lasts_as_long_as_one_may_choose(certificate, days):
    with pytest.raises(NotShared, match="how long"):
        link_to(certificate, days=days)


def test_what_no_longer_counts_is_not_shared_anew(certificate):
    admin = build_person("Administrator", is_superuser=True)
    fresh = reissue(certificate=certificate, by=admin, name="Ana María Quispe")
    with pytest.raises(NotShared, match="took the place"):
        link_to(Certificate.objects.get(pk=certificate.pk))
    revoke(certificate=fresh, by=admin, reason=RevocationReason.ISSUED_IN_ERROR, note="Two of the same.")
    with pytest.raises(NotShared, match="revoked"):
        link_to(Certificate.objects.get(pk=fresh.pk))


def test_ending_twice_is_ending_once(certificate):
    link = link_to(certificate)
    first = end_link(link=link, by=certificate.holder).ended_at
    assert end_link(link=link, by=certificate.holder).ended_at == first


def test_a_link_that_ends_before_it_begins_cannot_be_written(certificate):
    now = timezone.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        ShareLink.objects.create(certificate=certificate, number=uuid4(), digest="x", created_at=now, expires_at=now)


# --- Opening -----------------------------------------------------------------------------------------------------
def test_a_stranger_sees_the_verdict_and_the_least_that_proves_it(client, certificate):
    certificate = with_grounds(with_credential(certificate))
    response = opened(client, link_to(certificate, label="The bank"))
    words = words_of(response)
    assert response.status_code == 200
    assert "Valid This certificate is genuine." in words
    assert "Ana Quispe" in words and "Level 4 of 5 · Leads others" in words
    for kept in ("Course passed", "The bank", "To keep", "@"):
        assert kept not in words


def test_grounds_and_downloads_are_there_where_the_holder_ticked_them(client, certificate):
    certificate = with_grounds(with_credential(certificate))
    link = link_to(certificate, shows_grounds=True, lets_download=True)
    words = words_of(opened(client, link))
    assert "Course passed: Governing cyber risk" in words
    assert "The certificate (PDF)" in words and "The credential, for programs (JSON)" in words
    assert opened(client, link, "credential.json").content == certificate.credential.document.encode()
    assert opened(client, link, "credential.jwt").status_code == 404  # more than two is nobody's need
    paper = opened(client, link, "certificate.pdf")
    assert b"".join(paper.streaming_content) == read_document(certificate)
    paper.close()


def test_nothing_is_fetched_where_the_holder_did_not_tick_it(client, certificate):
    link = link_to(with_credential(certificate), shows_grounds=True)
    for name in ("certificate.pdf", "credential.json", "badge.png"):
        assert opened(client, link, name).status_code == 404


def test_the_page_is_kept_nowhere_found_nowhere_and_tells_no_other_site_its_address(client, certificate):
    certificate = with_credential(certificate)
    link = link_to(certificate, lets_download=True)
    for name in ("", "credential.json"):
        headers = opened(client, link, name).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == sharing.REFERRER
        assert headers["X-Robots-Tag"] == "noindex, nofollow, noarchive"


def test_a_link_counts_how_often_it_was_opened_and_not_by_its_holder(client, certificate):
    link = link_to(certificate)
    opened(client, link)
    opened(client, link)
    client.head(f"/c/{token_of(link)}/")  # programs that look ahead
    client.force_login(certificate.holder)
    opened(client, link)
    link.refresh_from_db()
    assert link.opened == 2


def test_what_became_of_the_certificate_is_said_through_the_link_too(client, certificate):
    admin = build_person("Administrator", is_superuser=True)
    certificate = with_credential(certificate)
    link = link_to(certificate, lets_download=True, shows_grounds=True)
    fresh = reissue(certificate=certificate, by=admin, name="Ana María Quispe")
    words = words_of(opened(client, link))
    assert "Another certificate took its place" in words and "Quispe" not in words
    assert opened(client, link, "certificate.pdf").status_code == 404
    other = link_to(Certificate.objects.get(pk=fresh.pk), lets_download=True)
    revoke(certificate=fresh, by=admin, reason=RevocationReason.ISSUED_IN_ERROR, note="Two of the same.")
    words = words_of(opened(client, other))
    assert "does not count since" in words and "Quispe" not in words and "Two of the same" not in words
    assert opened(client, other, "certificate.pdf").status_code == 404


def test_after_its_end_a_link_says_that_it_has_ended_and_nothing_else(client, certificate):
    past = link_to(certificate, at=timezone.now() - timedelta(days=30, seconds=1), lets_download=True)
    ended = end_link(link=link_to(certificate, lets_download=True), by=certificate.holder)
    for link in (past, ended):
        for name in ("", "certificate.pdf"):
            response = opened(client, link, name)
            assert response.status_code == 410
            words = words_of(response)
            assert "This link has ended" in words and "Quispe" not in words and certificate.serial not in words


def test_links_end_with_the_account_that_could_have_ended_them(client, certificate):
    link = link_to(certificate)
    tamper(certificate, holder=None)
    assert opened(client, link).status_code == 410


@pytest.mark.parametrize("token", ["x", "A" * 43, "%00", "A" * 5000, "ñ" * 43, "A" * 42 + "%0A"])
def test_what_is_no_address_of_ours_is_not_found(client, token):
    response = client.get(f"/c/{token}/")
    assert response.status_code == 404
    assert "There is nothing at this address" in words_of(response)


def test_unknown_addresses_take_as_many_queries_whatever_they_look_like(client, count_queries):
    client.get("/c/warm/")
    counts = {count_queries(lambda t=token: client.get(f"/c/{t}/")) for token in ("x", "A" * 43, "A" * 43 + "!")}
    assert counts == {1}


def test_who_guesses_addresses_is_asked_to_wait(client, certificate, monkeypatch):
    monkeypatch.setattr(rate, "MOST_UNKNOWN", 3)
    for _n in range(3):
        assert client.get("/c/guess/").status_code == 404
    assert client.get("/c/guess/").status_code == 429
    assert opened(client, link_to(certificate)).status_code == 429
    assert client.get("/c/guess/badge.png").status_code == 429


def test_the_language_may_be_changed_on_the_page(client, certificate):
    """A browser that is told to give no referrer calls the origin of a form “null”, and that is refused."""
    assert sharing.REFERRER == "same-origin"


# --- The holder's page -------------------------------------------------------------------------------------------
def test_the_holder_makes_a_link_sees_it_again_and_ends_it(client, certificate):
    client.force_login(certificate.holder)
    page = reverse("certificate_page", args=[certificate.serial])
    data = {"label": " The   bank ", "days": "7", "lets_download": "on", "number": str(uuid4())}
    response = client.post(reverse("share_certificate", args=[certificate.serial]), data)
    assert response.url.startswith(page)
    link = ShareLink.objects.get()
    assert (link.label, link.lets_download, link.shows_grounds) == ("The bank", True, False)
    assert link.expires_at - link.created_at == timedelta(days=7)
    words = words_of(client.get(page))
    assert address_of(link) in words and "The bank" in words and "0 times" in words
    client.post(reverse("end_share_link", args=[link.pk]))
    words = words_of(client.get(page))
    assert address_of(link) not in words and "Ended by you on" in words


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"days": "7"}, "This field is required"),
        ({"days": "8", "number": str(uuid4())}, "Choose how long"),
        ({"days": "7", "number": "x"}, "Open the page again"),
        ({"days": "7", "number": str(uuid4()), "label": "x" * 81}, "80 characters"),
        ({"days": "7", "number": str(uuid4()), "label": "a\x00b"}, "Null characters"),
    ],
)
def test_what_cannot_be_made_is_asked_again(client, certificate, data, sentence):
    client.force_login(certificate.holder)
    response = client.post(reverse("share_certificate", args=[certificate.serial]), data)
    assert response.status_code == 422
    assert not ShareLink.objects.exists()
    assert sentence in response.content.decode()


def test_nobody_shares_or_ends_for_somebody_else(client, certificate):
    link = link_to(certificate)
    for person in (build_person("Somebody Else"), build_person("Administrator", is_superuser=True)):
        client.force_login(person)
        data = {"days": "7", "number": str(uuid4())}
        assert client.post(reverse("share_certificate", args=[certificate.serial]), data).status_code == 404
        assert client.post(reverse("end_share_link", args=[link.pk])).status_code == 404
    assert (
        urlsplit(address_of(link)).path not in client.get(f"/learn/certificates/{certificate.serial}/").content.decode()
    )
