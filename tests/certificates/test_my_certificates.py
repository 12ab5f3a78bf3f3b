"""What a holder sees of hers: how each stands in words, what to do with it, and what others see."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from certificates.enums import RevocationReason
from certificates.holding import held_by
from certificates.life import reissue, revoke
from certificates.models import Certificate
from certificates.profile import cv_line, linkedin_address
from certificates.record import claim_of, digest_of, record_of
from certificates.sharing import end_link, make_link
from tests.certificates.builders import build_certificate, build_course, build_person, claim, tamper
from tests.certificates.held import with_credential
from tests.certificates.test_pages import without_document, words_of
from tests.certificates.test_sharing import with_grounds


def ending(certificate: Certificate, day: date) -> Certificate:
    from dataclasses import replace

    record = record_of(replace(claim_of(certificate.record), valid_until=day))
    return tamper(certificate, record=record, digest=digest_of(record), valid_until=day)


# --- For a profile and a CV --------------------------------------------------------------------------------------
def test_the_profile_gets_what_its_form_asks_for_and_nothing_else():
    made = claim(title="Risk & <rules>", valid_until=date(2029, 3, 4))
    address = urlsplit(linkedin_address(made))
    assert (address.scheme, address.netloc, address.path) == ("https", "www.linkedin.com", "/profile/add")
    assert parse_qs(address.query) == {
        "startTask": ["CERTIFICATION_NAME"],
        "name": ["Risk & <rules>"],
        "organizationName": ["Ministry of Digital Affairs"],
        "issueYear": ["2026"],
        "issueMonth": ["3"],
        "expirationYear": ["2029"],
        "expirationMonth": ["3"],
        "certId": ["2026-000123"],
        "certUrl": ["https://talent.gov.example/verify/7KQ2MXD4RF/"],
    }


def test_without_an_end_the_profile_names_none_and_the_last_month_is_the_one_that_counts():
    assert "expiration" not in linkedin_address(claim())
    assert "expirationMonth=2&" in linkedin_address(claim(valid_until=date(2029, 3, 1)))


def test_the_line_for_a_cv_says_what_whose_when_and_where_it_is_checked():
    assert cv_line(claim(), "March 2026") == (
        "Governing cyber risk. Ministry of Digital Affairs, March 2026. https://talent.gov.example/verify/7KQ2MXD4RF/"
    )


# --- How each stands ---------------------------------------------------------------------------------------------
@pytest.fixture
def ana(db):
    return build_person("Ana Quispe")


@pytest.fixture
def admin(db):
    return build_person("Administrator", is_superuser=True)


@pytest.mark.parametrize(
    ("days", "word"), [(400, "Valid"), (91, "Valid"), (90, "Valid, ends soon"), (1, "Valid, ends soon"), (0, "Expired")]
)
def test_a_certificate_with_an_end_says_how_it_stands(ana, days, word):
    ending(build_certificate(ana), timezone.localdate() + timedelta(days=days))
    [row] = held_by(ana)
    assert row.word == word
    assert row.last_valid_on == timezone.localdate() + timedelta(days=days - 1)


def test_replaced_renewed_and_revoked_are_said_in_words(client, ana, admin):
    first = build_certificate(ana, course=build_course("First course"))
    second = build_certificate(ana, course=build_course("Second course"))
    third = build_certificate(ana, course=build_course("Third course"))
    fresh = reissue(certificate=first, by=admin, name="Ana María Quispe")
    tamper(build_certificate(ana, course=build_course("Second course again")), renews=second)
    revoke(certificate=third, by=admin, reason=RevocationReason.ISSUED_IN_ERROR, note="Two people at one desk.")
    words = {row.title: row.word for row in held_by(ana) if row.serial != fresh.serial}
    assert words == {
        "First course": "Replaced", "Second course": "Renewed", "Second course again": "Valid", "Third course": "Revoked",
    }  # fmt: skip
    client.force_login(ana)
    page = words_of(client.get(reverse("my_certificates")))
    assert f"{fresh.serial} stands for it today" in page
    assert "It was issued in error." in page
    revoked = words_of(client.get(reverse("certificate_page", args=[third.serial])))
    assert "Two people at one desk." in revoked and "It cannot be shared any more." in revoked
    assert "LinkedIn" not in revoked


# --- The page of one ---------------------------------------------------------------------------------------------
def test_the_page_says_what_it_shows_why_and_what_others_see(client, ana):
    certificate = with_credential(with_grounds(build_certificate(ana)))
    client.force_login(ana)
    response = client.get(reverse("certificate_page", args=[certificate.serial]))
    words = words_of(response)
    for part in (
        "Download PDF", "Level 4 of 5 · Leads others", "Course passed: Governing cyber risk", "What a stranger sees",
        "Badge as picture (PNG)", "Credential (JWT)", "Make a link", "Add to my LinkedIn profile", "leaves this platform",
    ):  # fmt: skip
        assert part in words
    html = response.content.decode()
    assert 'rel="noopener noreferrer external"' in html
    assert html.count('data-variant="primary"') == 1
    assert "no-store" in response.headers["Cache-Control"]


def test_an_administrator_sees_it_without_what_is_the_holders_to_do(client, ana, admin):
    certificate = with_credential(build_certificate(ana))
    make_link(certificate=certificate, by=ana, number=uuid4(), days=7, label="The bank")
    client.force_login(admin)
    words = words_of(client.get(reverse("certificate_page", args=[certificate.serial])))
    assert "Download PDF" in words and "Credential (JSON)" in words
    for kept in ("Make a link", "The bank", "LinkedIn"):
        assert kept not in words


def test_what_is_being_made_is_said(client, ana):
    certificate = without_document(ana)
    client.force_login(ana)
    words = words_of(client.get(reverse("certificate_page", args=[certificate.serial])))
    assert "Your certificate is being made." in words and "They are being made." in words


def test_a_record_that_was_changed_is_said_to_its_holder(client, ana):
    certificate = tamper(build_certificate(ana), digest="0" * 64)
    client.force_login(ana)
    words = words_of(client.get(reverse("certificate_page", args=[certificate.serial])))
    assert "Its record was changed after it was issued" in words and "LinkedIn" not in words


def test_the_page_costs_the_same_for_many_links_and_competencies(client, ana, count_queries):
    certificate = build_certificate(ana)
    client.force_login(ana)
    page = reverse("certificate_page", args=[certificate.serial])
    client.get(page)
    before = count_queries(lambda: client.get(page))
    links = [make_link(certificate=certificate, by=ana, number=uuid4(), days=7) for _n in range(12)]
    end_link(link=links[0], by=ana)
    assert count_queries(lambda: client.get(page)) == before
