"""Issuing: once, without gaps, frozen, the same one by one and by the thousand."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from functools import partial
from threading import Barrier, Thread

import pytest
from django.conf import settings
from django.db import connections, transaction
from wagtail.models import ModelLogEntry

from certificates import services, writing
from certificates.codes import is_wellformed, new_code
from certificates.models import Certificate, Frozen, SerialCounter
from certificates.record import claim_of, digest_of
from certificates.services import (
    NotCompleted,
    RecordChanged,
    issue_certificate,
    issue_certificates,
    render_document,
    render_documents,
)
from courses.models import Enrolment
from tests.certificates.builders import (
    LABELS,
    NOON,
    build_certificate,
    build_completed,
    build_course,
    build_framework,
    build_person,
    read_document,
    tamper,
)

pytestmark = pytest.mark.django_db


def forget_all() -> None:
    """As if nothing had been issued yet."""
    Certificate.objects.all()._raw_delete("default")
    SerialCounter.objects.all().delete()


# --- One certificate ---------------------------------------------------------------------------------------------
def test_a_completed_course_gives_a_certificate_that_says_what_was_done(settings):
    settings.ISSUER_NAME = "Ministry of Digital Affairs"
    course = build_course("Governing cyber risk", outcomes={"SR1": 4, "SR2": 3})
    enrolment = build_completed(course, build_person("  Ana   Quispe "), at=datetime(2026, 3, 1, 9, tzinfo=UTC))

    certificate = issue_certificate(enrolment=enrolment, at=NOON)

    assert certificate.serial == "2026-000001"
    assert is_wellformed(certificate.code)
    assert certificate.issued_on == date(2026, 3, 3)
    assert certificate.valid_until is None
    assert certificate.digest == digest_of(certificate.record)
    said = claim_of(certificate.record)
    assert (said.serial, said.code, said.issued_on) == (certificate.serial, certificate.code, certificate.issued_on)
    assert said.url == f"http://testserver/verify/{certificate.code}/"
    assert said.holder == "Ana Quispe"
    assert (said.title, said.key, said.title_language) == (course.title, course.key, "en")
    assert said.revision == course.live_revision_id
    assert (said.effort_minutes, said.assessed, said.score_pct) == (150, True, 90)
    assert said.completed_on == date(2026, 3, 1)
    assert said.issuer == "Ministry of Digital Affairs"
    assert [(o.framework, o.edition, o.code, o.title) for o in said.outcomes] == [
        ("Digital talent", "1.0", "SR1", "Cyber risk governance"),
        ("Digital talent", "1.0", "SR2", "Incident command"),
    ]
    assert [(o.level.rank, o.level.label, o.level.step, o.level.steps) for o in said.outcomes] == [
        (4, "Leads others", 4, 5),
        (3, "Independent", 3, 5),
    ]


def test_the_document_is_stored_where_only_its_owner_may_fetch_it():
    certificate = build_certificate()
    assert certificate.document.name == f"certificates/2026/{certificate.serial}.pdf"
    assert read_document(certificate).startswith(b"%PDF")
    assert not str(certificate.document.path).startswith(str(settings.MEDIA_ROOT))


def test_issuing_twice_gives_one_certificate_and_one_document(monkeypatch):
    enrolment = build_completed()
    first = issue_certificate(enrolment=enrolment, at=NOON)
    written = read_document(first)
    monkeypatch.setattr(services, "_store", pytest.fail)
    second = issue_certificate(enrolment=enrolment, at=NOON.replace(year=2027))
    assert (second.pk, second.serial, second.code, second.digest) == (first.pk, first.serial, first.code, first.digest)
    assert Certificate.objects.count() == 1
    assert read_document(second) == written


def test_an_open_course_gives_none_and_says_why():
    enrolment = build_completed(at=None)
    with pytest.raises(NotCompleted, match="not completed yet"):
        issue_certificate(enrolment=enrolment, at=NOON)
    assert not Certificate.objects.exists()


def test_taking_the_course_again_gives_another_certificate():
    course, person = build_course(), build_person()
    one = issue_certificate(enrolment=build_completed(course, person), at=NOON)
    two = issue_certificate(enrolment=build_completed(course, person, number=2), at=NOON)
    assert one.serial != two.serial
    assert one.code != two.code


def test_serial_numbers_have_no_gap_and_start_again_each_year(monkeypatch):
    course = build_course()
    serials = []
    for moment in (NOON, NOON, NOON.replace(year=2027), NOON):
        enrolment = build_completed(course, build_person(), at=moment)
        with pytest.MonkeyPatch.context() as patch:  # a failure takes no number
            patch.setattr(writing, "_log", lambda *args: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                issue_certificate(enrolment=enrolment, at=moment)
        serials.append(issue_certificate(enrolment=enrolment, at=moment).serial)
    assert serials == ["2026-000001", "2026-000002", "2027-000001", "2026-000003"]


def test_the_day_of_issue_is_that_of_the_installations_time_zone(settings):
    settings.TIME_ZONE = "America/Lima"
    late = datetime(2026, 1, 1, 3, tzinfo=UTC)
    certificate = issue_certificate(enrolment=build_completed(at=late), at=late)
    assert certificate.issued_on == date(2025, 12, 31)
    assert certificate.serial.startswith("2025-")


def test_a_code_that_is_taken_is_drawn_again():
    taken = build_certificate().code
    draws = iter([taken, taken, "7KQ2MXD4RF"])
    (certificate,) = issue_certificates(enrolments=[build_completed()], at=NOON, codes=lambda: next(draws))
    assert certificate.code == "7KQ2MXD4RF"


def test_a_code_taken_in_the_same_moment_is_drawn_again(monkeypatch):
    """The look before the leap sees it free, the unique constraint does not."""
    taken = build_certificate().code
    draws = iter([taken, "7KQ2MXD4RF"])
    monkeypatch.setattr(writing, "free_codes", lambda count, codes: [next(draws)])
    certificate = issue_certificate(enrolment=build_completed(), at=NOON)
    assert certificate.code == "7KQ2MXD4RF"
    assert certificate.serial == "2026-000002"


def test_issuing_is_logged_with_who_did_it():
    officer = build_person("Officer")
    certificate = issue_certificate(enrolment=build_completed(), by=officer, at=NOON)
    entry = ModelLogEntry.objects.get(action="certificates.issue")
    assert (entry.object_id, entry.user, entry.label) == (str(certificate.pk), officer, certificate.serial)
    assert entry.data == {"code": certificate.code, "digest": certificate.digest}
    assert entry.message == "Certificate issued"


# --- What it says ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("holder", "course", "document", "label"),
    [
        ("es", "en", "es", "Guía a otras personas"),
        ("", "es", "es", "Guía a otras personas"),
        ("en", "es", "en", "Leads others"),
        ("xx", "en", "en", "Leads others"),
    ],
)
def test_the_words_are_in_the_holders_language_and_the_title_in_the_courses(holder, course, document, label):
    certificate = build_certificate(build_person(language=holder), course=build_course("Título", language=course))
    said = claim_of(certificate.record)
    assert (said.language, said.title_language, said.title) == (document, course, "Título")
    assert (said.outcomes[0].level.label, said.outcomes[0].language) == (label, document)


def test_a_framework_that_does_not_speak_the_documents_language_keeps_its_own():
    version = build_framework(languages=("en",))
    certificate = build_certificate(build_person(language="es"), course=build_course(version=version))
    said = claim_of(certificate.record)
    assert said.language == "es"
    assert (said.outcomes[0].language, said.outcomes[0].title) == ("en", "Cyber risk governance")


def test_a_scale_may_start_anywhere_and_leave_numbers_out():
    version = build_framework({10: LABELS[1], 20: LABELS[2], 40: LABELS[3]})
    course = build_course(version=version, outcomes={"SR1": 20})
    level = claim_of(build_certificate(course=course).record).outcomes[0].level
    assert (level.rank, level.step, level.steps) == (20, 2, 3)


def test_a_framework_without_levels_gives_competencies_without_levels():
    course = build_course(version=build_framework({}), outcomes={"SR1": None})
    assert claim_of(build_certificate(course=course).record).outcomes[0].level is None


def test_a_course_without_check_claims_no_level():
    said = claim_of(build_certificate(assessed=False, score_pct=None).record)
    assert [o.code for o in said.outcomes] == ["SR1", "SR2"]
    assert [o.level for o in said.outcomes] == [None, None]


# --- Frozen ------------------------------------------------------------------------------------------------------
def test_what_is_issued_is_neither_changed_nor_deleted():
    certificate = build_certificate()
    certificate.record["holder"]["name"] = "Somebody Else"
    with pytest.raises(Frozen):
        certificate.save()
    with pytest.raises(Frozen):
        certificate.save(update_fields=["record"])
    with pytest.raises(Frozen):
        certificate.save(update_fields=["document"])
    with pytest.raises(Frozen):
        certificate.delete()
    with pytest.raises(Frozen):
        Certificate.objects.update(valid_until=date(2030, 1, 1))
    with pytest.raises(Frozen):
        Certificate.objects.all().delete()
    with pytest.raises(Frozen), transaction.atomic():
        Certificate.objects.bulk_update([certificate], ["record"])
    assert Certificate.objects.update(document="another.pdf") == 0
    assert Certificate.objects.get().document.name.endswith(f"{certificate.serial}.pdf")


def test_names_and_titles_that_change_later_change_nothing_that_was_issued():
    person, course = build_person("Ana Quispe"), build_course("Governing cyber risk")
    certificate = build_certificate(person, course=course)
    person.name = "Ana Rojas"
    person.save()
    course.title = "Something else"
    course.save()
    again = issue_certificate(enrolment=Enrolment.objects.get(), at=NOON)
    assert again.record == certificate.record
    assert claim_of(again.record).holder == "Ana Quispe"


# --- The document after the record -------------------------------------------------------------------------------
def test_a_kill_between_record_and_document_is_made_good_by_the_next_run(monkeypatch):
    enrolment = build_completed()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(services.Press, "paper", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
        issue_certificate(enrolment=enrolment, at=NOON)
    left = Certificate.objects.get()
    assert not left.document

    done = issue_certificate(enrolment=enrolment, at=NOON.replace(month=4))
    assert done.pk == left.pk
    assert read_document(done).startswith(b"%PDF")
    assert done.record == left.record


def test_a_file_that_a_killed_worker_left_is_replaced():
    (certificate,) = issue_certificates(enrolments=[build_completed()], at=NOON, documents=False)
    storage, name = certificate.document.storage, f"certificates/2026/{certificate.serial}.pdf"
    storage.delete(name)
    with storage.open(name, "wb") as file:
        file.write(b"%PDF half")
    render_document(certificate)
    assert certificate.document.name == name
    assert len(read_document(certificate)) > 5000


def test_the_second_of_two_renderings_writes_nothing():
    (certificate,) = issue_certificates(enrolments=[build_completed()], at=NOON, documents=False)
    twin = Certificate.objects.get(pk=certificate.pk)
    assert render_documents([certificate]) == 1
    assert render_documents([twin]) == 0
    assert twin.document.name == certificate.document.name
    assert render_documents([twin]) == 0


def test_nothing_is_put_on_paper_that_was_not_issued():
    (certificate,) = issue_certificates(enrolments=[build_completed()], at=NOON, documents=False)
    forged = tamper(certificate, record=certificate.record | {"holder": {"name": "Somebody Else"}})
    with pytest.raises(RecordChanged):
        render_document(forged)
    assert not Certificate.objects.get().document


# --- Many --------------------------------------------------------------------------------------------------------
def test_many_at_once_are_the_same_records_as_one_by_one():
    courses = [build_course("One"), build_course("Uno", language="es"), build_course("Two", outcomes={"GL1": 2})]
    enrolments = [
        build_completed(
            courses[n % 3],
            build_person(f"Person {n}", language=["", "en", "es"][n % 2]),
            at=NOON.replace(year=2025 + n % 2, day=n + 1),
            assessed=n % 4 > 0,
        )
        for n in range(9)
    ]
    single = partial(new_code, random.Random(7).choice)
    by_one = [
        issue_certificates(enrolments=[enrolment], at=enrolment.completed_at, codes=single, documents=False)[0]
        for enrolment in enrolments
    ]
    forget_all()
    at_once = issue_certificates(enrolments=enrolments, codes=partial(new_code, random.Random(7).choice))

    assert [c.enrolment_id for c in at_once] == [e.pk for e in enrolments]
    assert [(c.serial, c.code, c.digest, c.record) for c in at_once] == [
        (c.serial, c.code, c.digest, c.record) for c in by_one
    ]
    assert [c.issued_on for c in at_once] == [e.completed_at.date() for e in enrolments]
    assert all(c.document for c in at_once)


def test_many_at_once_keep_those_that_are_there_and_accept_doubles():
    course = build_course()
    enrolments = [build_completed(course, build_person()) for _ in range(3)]
    there = issue_certificate(enrolment=enrolments[1], at=NOON)
    issued = issue_certificates(enrolments=[*enrolments, enrolments[0]], at=NOON)
    assert issued[1].pk == there.pk
    assert issued[0].pk == issued[3].pk
    assert Certificate.objects.count() == 3
    assert sorted(Certificate.objects.values_list("serial", flat=True)) == ["2026-000001", "2026-000002", "2026-000003"]


def test_one_open_course_among_many_stops_them_all_before_anything_is_written(monkeypatch):
    monkeypatch.setattr(services, "WRITE_BATCH", 2)
    course = build_course()
    enrolments = [build_completed(course, build_person(), at=NOON if n < 4 else None) for n in range(5)]
    with pytest.raises(NotCompleted):
        issue_certificates(enrolments=enrolments, at=NOON)
    assert not Certificate.objects.exists()


def test_queries_grow_with_batches_and_not_with_certificates(count_queries, monkeypatch):
    course = build_course()

    def issue(people: int) -> int:
        enrolments = [build_completed(course, build_person()) for _ in range(people)]
        return count_queries(lambda: issue_certificates(enrolments=enrolments, at=NOON))

    issue(1)  # the counter's row and Django's own caches
    few, many = issue(2), issue(40)
    assert few == many <= 26
    monkeypatch.setattr(services, "WRITE_BATCH", 10)
    assert issue(40) <= 4 * many


# --- Races -------------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"),
    reason="the threads of a test would share one SQLite connection; the race is run on PostgreSQL",
)
@pytest.mark.parametrize("own_year", [False, True], ids=["same counter", "another year's counter"])
def test_threads_that_issue_at_the_same_moment_make_one_certificate_and_leave_no_gap(own_year):
    course = build_course()
    enrolments = [build_completed(course, build_person()) for _ in range(3)]
    start, results, errors = Barrier(6), [], []

    def work(number: int) -> None:
        try:
            start.wait(timeout=20)
            moment = NOON.replace(year=2026 + number) if own_year else NOON
            results.append([c.pk for c in issue_certificates(enrolments=enrolments, at=moment)])
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert not errors
    assert len(results) == 6
    assert all(result == results[0] for result in results)
    certificates = list(Certificate.objects.order_by("serial"))
    assert len(certificates) == 3
    assert all(certificate.document for certificate in certificates)
    numbers = [int(certificate.serial.split("-")[1]) for certificate in certificates]
    assert numbers == [1, 2, 3]
