"""What people see: strangers who check, holders who fetch, and nobody else."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template import Context, Template
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from certificates import codes
from certificates.models import Certificate
from certificates.record import digest_of, record_of
from certificates.services import issue_certificates
from courses.models import Enrolment
from organisations.enums import JobState
from organisations.models import Job, User
from tests.certificates.builders import (
    NOON,
    build_certificate,
    build_completed,
    build_course,
    build_person,
    claim,
    read_document,
    tamper,
)

pytestmark = pytest.mark.django_db


def words_of(response) -> str:
    """The visible words of a page's main part."""
    html = response.content.decode()
    main = html[html.index("<main") : html.index("</main>")] if "<main" in html else html
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


def check(client, code: str, **extra):
    return client.get(reverse("verify_certificate", args=[code]), **extra)


def without_document(person: User | None = None) -> Certificate:
    return issue_certificates(enrolments=[build_completed(person=person)], at=NOON, documents=False)[0]


# --- Checking ----------------------------------------------------------------------------------------------------
def test_a_stranger_sees_the_least_that_proves_it(client):
    certificate = build_certificate(build_person("Ana Quispe"))
    response = check(client, certificate.code)
    words = words_of(response)
    assert response.status_code == 200
    assert words.startswith("Valid This certificate is genuine.")
    for part in [
        "Ana Quispe", "Governing cyber risk", "Cyber risk governance", "Level 4 of 5 · Leads others", "3 March 2026",
        certificate.serial, "Digital Talent Platform", "Without a time limit", "What this means",
        codes.display(certificate.code),
    ]:  # fmt: skip
        assert part in words
    assert "90" not in words.replace(certificate.serial, "").replace(codes.display(certificate.code), "")
    assert "@" not in words


def test_case_spaces_and_dashes_in_the_address_are_forgiven(client):
    certificate = build_certificate()
    for typed in (codes.display(certificate.code).lower(), f" {certificate.code[:3]} {certificate.code[3:]}"):
        assert check(client, typed).status_code == 200


def test_an_expired_certificate_says_until_when_it_counted(client):
    past = timezone.localdate() - timedelta(days=1)
    made = claim(valid_until=past, issued_on=past - timedelta(days=1))
    record = record_of(made)
    Certificate.objects.create(
        code=made.code,
        serial=made.serial,
        record=record,
        digest=digest_of(record),
        issued_on=made.issued_on,
        valid_until=past,
    )
    response = check(client, made.code)
    assert response.status_code == 200
    assert words_of(response).startswith("Expired This certificate is genuine. It was valid up to and including")
    assert "José Ángel Muñoz" in words_of(response)


def test_a_changed_record_is_not_valid_and_shows_nothing_of_what_it_says(client):
    certificate = build_certificate()
    tamper(certificate, record=certificate.record | {"holder": {"name": "Mallory Forger"}})
    response = check(client, certificate.code)
    assert response.status_code == 200
    assert words_of(response).startswith("Not valid The record of this certificate was changed")
    assert "Mallory" not in words_of(response)


@pytest.mark.parametrize("record", [[], {}, None, 3, "text", {"format": 1.5}])
def test_a_record_that_is_none_is_not_valid_either(client, record):
    from django.db.models import JSONField, Value

    certificate = build_certificate()
    tamper(certificate, record=Value(record, JSONField()))
    assert words_of(check(client, certificate.code)).startswith("Not valid")


def test_unknown_and_malformed_codes_get_the_same_page(client):
    unknown = "7KQ2MXD4RF"
    pages = []
    for code in [unknown, "7KQ2MXD4RX", "hello", "0", "١٢٣", "x" * 300, "%00", "<script>", "'; DROP", "🎓"]:
        response = client.get(f"/verify/{code}/")
        assert response.status_code == 404, code
        words = words_of(response)
        assert words.startswith("Unknown There is no certificate with this code."), code
        assert "A code has ten letters and digits" in words
        assert "<script>" not in response.content.decode().split("<main")[1].split("</main>")[0]
        pages.append(re.sub(r"Code: \S.*? What", "Code: What", words))
    assert len(set(pages)) == 1


def test_the_page_is_not_kept_and_not_indexed(client):
    for code in (build_certificate().code, "7KQ2MXD4RF"):
        response = check(client, code)
        assert "noindex" in response.headers["X-Robots-Tag"]
        assert response.headers["Cache-Control"] == "no-store"
        assert '<meta name="robots" content="noindex' in response.content.decode()


def test_a_certificate_outlives_account_enrolment_and_course(client):
    person, course = build_person("Ana Quispe"), build_course()
    certificate = build_certificate(person, course=course)
    Enrolment.objects.all().delete()
    Job.objects.all().delete()
    person.delete()
    assert not User.objects.filter(name="Ana Quispe").exists()
    course.delete()

    kept = Certificate.objects.get()
    assert (kept.holder, kept.enrolment, kept.record) == (None, None, certificate.record)
    words = words_of(check(client, certificate.code))
    assert words.startswith("Valid")
    assert "Ana Quispe" in words
    assert "Governing cyber risk" in words


def test_a_certificate_outlives_a_closed_account_and_a_withdrawn_course(client):
    person, course = build_person("Ana Quispe"), build_course()
    certificate = build_certificate(person, course=course)
    User.objects.filter(pk=person.pk).update(is_active=False, name="Closed account")
    course.unpublish()
    words = words_of(check(client, certificate.code))
    assert words.startswith("Valid")
    assert "Ana Quispe" in words


def test_checking_asks_one_query_also_for_what_cannot_be_a_code(client, count_queries):
    certificate = build_certificate(course=build_course(outcomes={"SR1": 4, "SR2": 3, "GL1": 2}))
    check(client, certificate.code)
    assert count_queries(lambda: check(client, certificate.code)) == 1
    assert count_queries(lambda: check(client, "7KQ2MXD4RF")) == 1
    assert count_queries(lambda: check(client, "nonsense")) == 1  # the answer tells nothing of its form


def test_the_page_speaks_the_readers_language_and_marks_that_of_the_course(client):
    certificate = build_certificate(
        build_person(language="es"), course=build_course("Gobernar el riesgo", language="es")
    )
    html = check(client, certificate.code, headers={"accept-language": "en"}).content.decode()
    assert '<html lang="en"' in html
    assert '<dd lang="es">Gobernar el riesgo</dd>' in html
    assert '<b lang="es">Gobernanza del riesgo cibernético</b>' in html
    assert "3 March 2026" in html
    spanish = check(client, certificate.code, headers={"accept-language": "es"}).content.decode()
    assert '<html lang="es"' in spanish
    assert "3 de marzo de 2026" in spanish


def test_looking_changes_nothing_so_nothing_but_looking_is_allowed(client):
    code = build_certificate().code
    for address in (reverse("verify"), reverse("verify_certificate", args=[code])):
        assert client.post(address).status_code == 405
        assert client.head(address).status_code == 200


# --- The field ---------------------------------------------------------------------------------------------------
def test_the_field_leads_to_the_page_of_the_code(client):
    response = client.get(reverse("verify"))
    assert response.status_code == 200
    assert 'name="code"' in response.content.decode()
    response = client.get(reverse("verify"), {"code": " 7kq2m-xd4rf "})
    assert (response.status_code, response.url) == (302, "/verify/7KQ2MXD4RF/")
    assert client.get(reverse("verify"), {"code": "nonsense"}).url == "/verify/NONSENSE/"


@pytest.mark.parametrize("typed", ["..", "a/b", "code?", "é", "x y; z", "1" * 60, "\x07", "-"])
def test_what_cannot_be_an_address_is_answered_on_the_spot(client, typed):
    response = client.get(reverse("verify"), {"code": typed})
    assert response.status_code == 404
    assert words_of(response).startswith("Unknown")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Type the code that stands on the certificate."),
        ("   ", "Type the code"),
        ("x" * 61, "That is too long for a code"),
        ("a\x00b", "Null characters"),
    ],
)
def test_an_empty_or_endless_code_is_asked_for_again(client, typed, sentence):
    response = client.get(reverse("verify"), {"code": typed})
    assert response.status_code == 422
    assert sentence in words_of(response)


# --- The holder's desk -------------------------------------------------------------------------------------------
def test_the_holder_downloads_the_document_as_it_was_stored(client):
    certificate = build_certificate(person := build_person())
    client.force_login(person)
    response = client.get(reverse("certificate_document", args=[certificate.serial]))
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["Content-Disposition"] == f'attachment; filename="certificate-{certificate.serial}.pdf"'
    assert response.headers["Cache-Control"] == "private, no-store"
    assert b"".join(response.streaming_content) == read_document(certificate)
    response.close()


def test_only_the_holder_and_an_administrator_reach_the_document(client):
    certificate = build_certificate(build_person())
    address = reverse("certificate_document", args=[certificate.serial])
    assert client.get(address).status_code == 302  # to sign in
    client.force_login(build_person("Somebody Else"))
    assert client.get(address).status_code == 404
    client.force_login(build_person("Administrator", is_superuser=True))
    response = client.get(address)
    assert response.status_code == 200
    response.close()


@pytest.mark.parametrize("serial", ["2026-999999", "2026-1", "../../etc", "2026-000001.pdf", "%00"])
def test_a_serial_that_is_none_is_not_found(client, serial):
    client.force_login(build_person())
    assert client.get(f"/learn/certificates/{serial}/").status_code == 404


def test_while_the_document_is_being_made_the_page_says_so(client):
    certificate = without_document(person := build_person())
    client.force_login(person)
    address = reverse("certificate_document", args=[certificate.serial])
    response = client.get(address)
    assert response.status_code == 200
    assert "Waiting Your certificate is being made." in words_of(response)
    Job.objects.create(
        kind="certificates.issue",
        key=f"certificates.issue:enrolment-{certificate.enrolment_id}",
        state=JobState.RUNNING,
    )
    assert "Under way Your certificate is being made." in words_of(client.get(address))
    Job.objects.update(state=JobState.FAILED)
    assert "Stopped The certificate could not be made." in words_of(client.get(address))


def test_the_page_of_an_unmade_document_works_when_the_enrolment_is_gone(client):
    certificate = without_document(person := build_person())
    Enrolment.objects.all().delete()
    client.force_login(person)
    assert client.get(reverse("certificate_document", args=[certificate.serial])).status_code == 200


def test_a_lost_file_is_said_and_noted_and_no_fault(client, caplog):
    certificate = build_certificate(person := build_person())
    certificate.document.storage.delete(certificate.document.name)
    client.force_login(person)
    response = client.get(reverse("certificate_document", args=[certificate.serial]))
    assert response.status_code == 404
    assert "The document is missing" in words_of(response)
    assert certificate.serial in caplog.text


def test_my_certificates_lists_them_newest_first_with_download_and_check(client):
    person = build_person()
    first = build_certificate(person, course=build_course("First course"))
    second = build_certificate(person, course=build_course("Second course"), at=NOON + timedelta(days=1))
    build_certificate(build_person("Somebody Else"), course=build_course("Not mine"))
    client.force_login(person)
    response = client.get(reverse("my_certificates"))
    words = words_of(response)
    assert words.index("Second course") < words.index("First course")
    assert "Not mine" not in words
    for certificate in (first, second):
        assert reverse("certificate_document", args=[certificate.serial]) in response.content.decode()
        assert codes.display(certificate.code) in words


def test_my_certificates_shows_what_is_being_made_and_what_has_stopped(client):
    person = build_person()
    waiting = build_completed(build_course("Waiting course"), person)
    stopped = build_completed(build_course("Stopped course"), person)
    Job.objects.create(
        kind="certificates.issue", key=f"certificates.issue:enrolment-{stopped.pk}", state=JobState.FAILED
    )
    without_document(person)
    client.force_login(person)
    words = words_of(client.get(reverse("my_certificates")))
    assert f"Waiting {waiting.course.title}" in words
    assert "Stopped Stopped course It could not be made and is tried again every day." in words
    assert "The document is being made" in words


def test_without_certificates_the_page_says_how_to_get_one(client):
    client.force_login(build_person())
    words = words_of(client.get(reverse("my_certificates")))
    assert "No certificates yet" in words
    assert "See the courses" in words


def test_my_certificates_asks_as_many_queries_for_ten_as_for_one(client, count_queries):
    course = build_course()
    people = [build_person(), build_person()]
    for person, many in zip(people, (1, 10), strict=True):
        enrolments = [build_completed(course, person, number=n + 1) for n in range(many)]
        issue_certificates(enrolments=enrolments, at=NOON, documents=False)
        for n in range(many):
            build_completed(course, person, number=100 + n)
    counts = []
    for person in people:
        client.force_login(person)
        client.get(reverse("my_certificates"))
        counts.append(count_queries(lambda: client.get(reverse("my_certificates"))))
    assert counts[0] == counts[1]


# --- On the course's page ----------------------------------------------------------------------------------------
def show(template: str, **context) -> str:
    request = RequestFactory().get("/")
    request.user = context.get("user", AnonymousUser())
    return Template("{% load certificates %}" + template).render(Context({"request": request} | context))


def test_the_tags_ask_one_query_each(count_queries):
    person = build_person()
    for n in range(3):
        build_certificate(person, course=build_course(f"Course {n}"))
    enrolment = Enrolment.objects.order_by("pk").first()
    of = (
        "{% certificates_of person as certs %}"
        "{% for c in certs %}{{ c.title }} {{ c.serial }} {{ c.ready }} {{ c.url }};{% endfor %}"
    )
    for_one = "{% certificate_for enrolment as cert %}{{ cert.item.title }} {{ cert.ready }} {{ cert.item.url }}"
    assert count_queries(lambda: show(of, person=person)) == 1
    assert count_queries(lambda: show(for_one, enrolment=enrolment)) == 1
    assert "Course 2 2026-000003 True /learn/certificates/2026-000003/certificate.pdf;" in show(of, person=person)
    assert show(for_one, enrolment=enrolment) == "Course 0 True /learn/certificates/2026-000001/certificate.pdf"


def test_an_open_course_has_no_certificate_and_asks_nothing(count_queries):
    open_one = build_completed(at=None)
    shown = "{% certificate_for enrolment as cert %}{{ cert|default_if_none:'none' }}"
    assert count_queries(lambda: show(shown, enrolment=open_one)) == 0
    assert show(shown, enrolment=open_one) == show(shown, enrolment=None) == "none"


def test_the_page_asks_until_the_certificate_is_there(client):
    person = build_person()
    enrolment = build_completed(person=person)
    part = '{% include "certificates/partials/_for_enrolment.html" %}'
    address = reverse("certificate_state", args=[enrolment.pk])
    client.force_login(person)
    assert f'hx-get="{address}"' in show(part, enrolment=enrolment)
    assert client.get(address, headers={"hx-request": "true"}).status_code == 204
    assert "Your certificate is being made" in words_of(client.get(address))

    (certificate,) = issue_certificates(enrolments=[enrolment], at=NOON)
    response = client.get(address, headers={"hx-request": "true"})
    assert response.status_code == 286
    assert reverse("certificate_document", args=[certificate.serial]) in response.content.decode()
    assert "<html" not in response.content.decode()
    shown = show(part, enrolment=enrolment)
    assert "hx-get" not in shown
    assert response.content.decode().strip() in shown


def test_only_the_learner_may_ask_how_far_it_is(client):
    enrolment, open_one = build_completed(), build_completed(at=None)
    client.force_login(build_person("Somebody Else"))
    assert client.get(reverse("certificate_state", args=[enrolment.pk])).status_code == 404
    client.force_login(open_one.person)
    assert client.get(reverse("certificate_state", args=[open_one.pk])).status_code == 404
