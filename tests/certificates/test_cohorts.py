"""A whole cohort at once: who is meant, what the job leaves behind, and what stands in the files."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone
from pypdf import PdfReader

from certificates import cohort_making, life, services
from certificates.cohort_files import stem_of
from certificates.cohorts import (
    CohortAsk,
    How,
    NobodyMeant,
    cohorts_visible_to,
    look,
    make_again,
    start_cohort,
    state_of,
)
from certificates.enums import CohortState, RevocationReason
from certificates.models import Certificate, Cohort, Credential
from certificates.models.certificate import private_storage
from certificates.tasks import sweep_cohorts
from organisations import jobs
from organisations.enums import JobState
from organisations.models import Job, User
from tests.builders import make_hr, make_post, make_unit
from tests.certificates.builders import build_completed, build_course, build_person, claim, read_document, tamper

pytestmark = pytest.mark.django_db

MARCH = {"first": date(2026, 3, 1), "last": date(2026, 3, 31)}


@pytest.fixture
def later(monkeypatch):
    """The broker forgets everything: rows stay, nothing runs until a test runs it."""
    from organisations.tasks import run_job_task

    monkeypatch.setattr(run_job_task, "delay", lambda job_id: None)


@pytest.fixture
def issuing_key(settings, tmp_path):
    settings.ISSUER_KEY_DIR = str(tmp_path / "keys")
    call_command("issuer_keys", "create", verbosity=0)


def build_admin() -> User:
    return build_person("Admin", is_superuser=True)


def completed_in(course, count: int, *, day: int = 3, names: str = "Person") -> list:
    at = datetime(2026, 3, day, 12, tzinfo=UTC)
    return [build_completed(course, build_person(f"{names} {n:03d}"), at=at) for n in range(count)]


def ask(course, **changes) -> CohortAsk:
    return CohortAsk(**({"course_key": course.key, "how": How.BETWEEN, **MARCH} | changes))


def start(officer, course, token: str = "press", **changes) -> Cohort:  # noqa: S107
    cohort = start_cohort(officer=officer, ask=ask(course, **changes), token=token)
    cohort.refresh_from_db()
    return cohort


def content(cohort: Cohort, kind: str, number: int = 1) -> bytes:
    with cohort.files.get(kind=kind, number=number).file.open("rb") as file:
        return file.read()


def lines(cohort: Cohort) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content(cohort, "csv").decode("utf-8-sig"), newline="")))


def names_in(cohort: Cohort) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(content(cohort, "zip"))).namelist()


# --- Who -----------------------------------------------------------------------------------------------------------
def test_looking_counts_and_writes_nothing():
    course = build_course()
    rows = completed_in(course, 3)
    completed_in(course, 1, day=1)
    build_completed(course, at=datetime(2026, 4, 1, tzinfo=UTC))
    build_completed(course, at=datetime(2026, 2, 28, 23, 59, tzinfo=UTC))
    build_completed(course, at=None)
    build_completed(at=datetime(2026, 3, 3, tzinfo=UTC))
    services.issue_certificate(enrolment=rows[0], at=timezone.now())
    seen = look(build_admin(), ask(course))
    assert (seen.to_issue, seen.already, seen.count, seen.left_out) == (3, 1, 4, 0)
    assert not Cohort.objects.exists() and Certificate.objects.count() == 1


def test_the_last_completion_of_a_person_counts(later):
    course, person = build_course(), build_person()
    build_completed(course, person, at=datetime(2026, 3, 2, tzinfo=UTC))
    second = build_completed(course, person, at=datetime(2026, 3, 20, tzinfo=UTC), number=2)
    build_completed(course, person, at=datetime(2026, 5, 1, tzinfo=UTC), number=3)
    assert start(build_admin(), course).parts.get().members == [second.pk]


def test_a_course_is_meant_in_all_its_languages(later):
    course = build_course(key="cyber")
    other = build_course(key="cyber", language="es")
    a, b = completed_in(course, 1)[0], completed_in(other, 1, names="Persona")[0]
    assert start(build_admin(), course).parts.get().members == [a.pk, b.pk]


def test_an_officer_means_those_she_serves_and_a_unit_those_in_it_and_below(later):
    course, officer = build_course(), build_person("Officer")
    here, there = make_unit("Here"), make_unit("There")
    below = make_unit("Below", here)
    make_hr(officer, here)
    rows = completed_in(course, 3)
    for row, unit in zip(rows, (here, below, there), strict=True):
        make_post(unit, holder=row.person)
    assert start(officer, course).parts.get().members == [rows[0].pk, rows[1].pk]
    assert start(officer, course, how=How.UNIT, unit_id=below.pk).parts.get().members == [rows[1].pk]
    assert start(build_admin(), course, how=How.UNIT, unit_id=there.pk).parts.get().members == [rows[2].pk]
    with pytest.raises(NobodyMeant):
        start(officer, course, how=How.UNIT, unit_id=there.pk)
    assert Cohort.objects.count() == 3


def test_a_list_says_who_is_not_found_and_who_has_not_completed(later):
    course, officer, unit = build_course(), build_person("Officer"), make_unit()
    make_hr(officer, unit)
    [row] = completed_in(course, 1)
    [stranger] = completed_in(course, 1)
    open_one = build_completed(course, at=None).person
    for person in (row.person, open_one):
        make_post(unit, holder=person)
    emails = (row.person.email.upper(), open_one.email, stranger.person.email, "nobody@x.example", "", "=cmd|' /C'!A0")
    seen = look(officer, ask(course, how=How.LIST, emails=emails))
    assert (seen.to_issue, seen.already) == (1, 0)
    assert [missing.line for missing in seen.absent] == [3, 4, 6] and seen.open == (open_one,)
    cohort = start(officer, course, how=How.LIST, emails=emails)
    assert cohort.parts.get().members == [row.pk]
    assert cohort.whom["absent"] == 3


def test_pressing_twice_is_one_cohort_and_another_answer_another_one(later):
    course, admin = build_course(), build_admin()
    completed_in(course, 2)
    first = start(admin, course)
    assert start(admin, course) == first
    assert start(admin, course, note="Second edition") != first
    assert Job.objects.filter(kind="certificates.cohort").count() == 2
    assert [part.members for part in first.parts.all()] != []


def test_who_completes_after_it_was_asked_is_not_in_it(later):
    course = build_course()
    completed_in(course, 2)
    cohort = start(build_admin(), course)
    completed_in(course, 1)
    jobs.run_job(cohort.job_id)
    assert Certificate.objects.count() == 2 == cohort.count


# --- What is made ----------------------------------------------------------------------------------------------------
def test_the_job_issues_signs_draws_and_makes_the_files(issuing_key):
    course = build_course()
    rows = completed_in(course, 3)
    first = services.issue_certificate(enrolment=rows[1], at=datetime(2026, 3, 4, tzinfo=UTC))
    cohort = start(build_admin(), course)
    assert state_of(cohort) == CohortState.READY and (cohort.count, cohort.already) == (3, 1)
    certificates = [row.certificate for row in rows]
    assert all(c.document and c.credential for c in certificates)
    assert certificates[1] == first
    assert [c.issued_on for c in certificates] == [timezone.localdate(), first.issued_on, timezone.localdate()]
    assert [line[0] for line in lines(cohort)] == ["Number", *(c.serial for c in certificates)]
    assert lines(cohort)[1][1:] == [
        f"{certificates[0].code[:5]}-{certificates[0].code[5:]}", "Person 000", "Governing cyber risk",
        timezone.localdate().isoformat(), "", f"http://testserver/verify/{certificates[0].code}/", "Valid",
    ]  # fmt: skip
    packed = zipfile.ZipFile(io.BytesIO(content(cohort, "zip")))
    assert packed.namelist() == [
        f"{c.serial} Person {n:03d}.{ending}" for n, c in enumerate(certificates) for ending in ("pdf", "json")
    ]
    assert packed.read(packed.namelist()[0]) == read_document(certificates[0])
    assert json.loads(packed.read(packed.namelist()[1])) == json.loads(certificates[0].credential.document)
    pages = PdfReader(io.BytesIO(content(cohort, "pdf")), strict=True).pages
    assert [c.serial in page.extract_text() for c, page in zip(certificates, pages, strict=True)] == [True] * 3
    report = cohort.job.report
    assert report == {"cohort": cohort.pk, "certificates": 3, "files": 3}
    assert (cohort.job.done, cohort.job.total) == (12, 12)


def test_certificates_are_numbered_in_the_order_of_names():
    course = build_course()
    for name in ("Celia", "Ana", "Berta"):
        build_completed(course, build_person(name), at=datetime(2026, 3, 3, tzinfo=UTC))
    cohort = start(build_admin(), course)
    assert [line[2] for line in lines(cohort)[1:]] == ["Ana", "Berta", "Celia"]


def test_what_was_revoked_is_in_no_file_and_what_was_replaced_gives_its_place_to_the_new_one(later):
    course, admin = build_course(), build_admin()
    rows = completed_in(course, 3)
    services.issue_certificates(enrolments=rows)
    revoked, replaced, kept = (row.certificate for row in rows)
    life.revoke(certificate=revoked, reason=RevocationReason.CONDUCT, note="Copied.", by=admin)
    fresh = life.reissue(certificate=replaced, name="Rosa", by=admin)
    fresh = life.reissue(certificate=fresh, name="Rosa Luz", by=admin)
    cohort = start(admin, course)
    jobs.run_job(cohort.job_id)
    cohort.refresh_from_db()
    assert [name[:-4] for name in names_in(cohort)] == [f"{fresh.serial} Rosa Luz", f"{kept.serial} Person 002"]
    assert len(PdfReader(io.BytesIO(content(cohort, "pdf"))).pages) == 2
    assert [(line[0], line[2], line[7]) for line in lines(cohort)[1:]] == [
        (revoked.serial, "", "Revoked"), (fresh.serial, "Rosa Luz", "Valid"), (kept.serial, "Person 002", "Valid"),
    ]  # fmt: skip
    assert cohort.left_out == {"revoked": [revoked.serial]}


def test_a_record_that_was_changed_keeps_no_other_waiting(later, monkeypatch):
    course = build_course()
    rows = completed_in(course, 3)
    services.issue_certificates(enrolments=rows, documents=False)
    changed = tamper(rows[1].certificate, digest="0" * 64)
    cohort = start(build_admin(), course)
    jobs.run_job(cohort.job_id)
    cohort.refresh_from_db()
    assert len(names_in(cohort)) == 2 and cohort.left_out == {"changed": [changed.serial]}
    assert not Certificate.objects.get(pk=changed.pk).document


def test_a_document_that_is_lost_is_named(later):
    course = build_course()
    rows = completed_in(course, 2)
    services.issue_certificates(enrolments=rows)
    lost = rows[0].certificate
    lost.document.storage.delete(lost.document.name)
    cohort = start(build_admin(), course)
    jobs.run_job(cohort.job_id)
    cohort.refresh_from_db()
    assert len(names_in(cohort)) == 1 and cohort.left_out == {"lost": [lost.serial]}


def test_files_have_parts(monkeypatch):
    monkeypatch.setattr("certificates.cohorts.WRITE_BATCH", 2)
    monkeypatch.setattr(cohort_making, "PARTS_A_FILE", 2)
    course = build_course()
    completed_in(course, 7)
    cohort = start(build_admin(), course)
    assert [(f.kind, f.number, f.count) for f in cohort.files.all()] == [
        ("csv", 1, 7), ("pdf", 1, 4), ("pdf", 2, 3), ("zip", 1, 4), ("zip", 2, 3),
    ]  # fmt: skip
    assert all(f.size_bytes == f.file.size > 0 for f in cohort.files.all())


def test_as_many_queries_for_a_long_batch_as_for_a_short_one(later, django_assert_max_num_queries):
    """Documents come by the fifty and are left aside; everything else is asked once a batch."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    asked = []
    for count in (2, 40):
        course = build_course()
        completed_in(course, count)
        cohort = start(build_admin(), course)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            jobs.run_job(cohort.job_id)
        asked.append(len(queries))
    assert abs(asked[1] - asked[0]) <= 4, asked  # SQLite takes inserts by the hundred values
    assert Certificate.objects.count() == 42


# --- Names and cells ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("holder", "stem"),
    [
        ("Ana Quispe", "2026-000123 Ana Quispe"),
        ("../../etc/passwd", "2026-000123 etc passwd"),
        ("A\\B:C*D?E\"F<G>H|I", "2026-000123 A B C D E F G H I"),
        ("\u202eexe.\u202cAna\u200f\u2066", "2026-000123 exe.Ana"),
        ("Ana\x00\r\n\tB", "2026-000123 AnaB"),
        ("...", "2026-000123"),
        ("\u202e", "2026-000123"),
        ("שרה לוי", "2026-000123 שרה לוי"),
        ("Jose\u0301", "2026-000123 Jos\u00e9"),
    ],
)  # fmt: skip
def test_a_name_in_the_zip_is_a_name_everywhere(holder, stem):
    assert stem_of(claim(holder=holder)) == stem
    for text in (holder * 200, "𝒜" * 500):
        assert len(stem_of(claim(holder=text)).encode()) <= 200


def test_two_people_of_one_name_are_two_files():
    course = build_course()
    for _n in range(2):
        build_completed(course, build_person("Ana/Quispe"), at=datetime(2026, 3, 3, tzinfo=UTC))
    names = names_in(start(build_admin(), course))
    assert len(set(names)) == 2 and not any("/" in name for name in names)


def test_a_name_that_is_a_formula_is_a_text_in_the_csv():
    course = build_course('=HYPERLINK("http://x")')
    build_completed(course, build_person('=cmd|"/C calc"!A0'), at=datetime(2026, 3, 3, tzinfo=UTC))
    [_heading, line] = lines(start(build_admin(), course))
    assert line[2].startswith("'=") and line[3].startswith("'=")


def test_a_cohort_of_which_nothing_counts_has_a_list_and_no_documents():
    course, admin = build_course(), build_admin()
    completed_in(course, 1)
    [certificate] = services.issue_certificates(enrolments=list(course.enrolments.all()))
    life.revoke(certificate=certificate, reason="conduct", note="Copied.", by=admin)
    cohort = start(admin, course)
    assert list(cohort.files.values_list("kind", flat=True)) == ["csv"]
    assert cohort.files_made_at is not None


# --- Afterwards ----------------------------------------------------------------------------------------------------------
def test_files_are_removed_after_their_days_and_made_again_on_demand(settings):
    course, admin = build_course(), build_admin()
    completed_in(course, 2)
    cohort = start(admin, course)
    before = {f.kind: content(cohort, f.kind) for f in cohort.files.all()}
    names = [f.file.name for f in cohort.files.all()]
    assert sweep_cohorts() == 0
    settings.COHORT_FILES_DAYS = 0
    cohort.files.update(made_at=timezone.now() - timedelta(seconds=1))
    assert sweep_cohorts() == 3
    cohort.refresh_from_db()
    assert state_of(cohort) == CohortState.EXPIRED and not cohort.files.exists()
    assert not any(private_storage().exists(name) for name in names)
    settings.COHORT_FILES_DAYS = 14
    make_again(cohort=cohort, by=admin)
    make_again(cohort=Cohort.objects.get(pk=cohort.pk), by=admin)
    cohort = Cohort.objects.select_related("job").get(pk=cohort.pk)
    assert state_of(cohort) == CohortState.READY
    assert {f.kind: content(cohort, f.kind) for f in cohort.files.all()} == before
    assert Certificate.objects.count() == 2
    assert Job.objects.filter(kind="certificates.cohort").count() == 2


def test_making_again_what_is_ready_or_under_way_asks_for_nothing(later):
    course, admin = build_course(), build_admin()
    completed_in(course, 1)
    cohort = start(admin, course)
    make_again(cohort=cohort, by=admin)
    jobs.run_job(cohort.job_id)
    make_again(cohort=cohort, by=admin)
    assert Job.objects.filter(kind="certificates.cohort").count() == 1
    Job.objects.filter(pk=cohort.job_id).update(state=JobState.FAILED)
    assert state_of(Cohort.objects.select_related("job").get(pk=cohort.pk)) == CohortState.READY


def test_who_serves_less_no_longer_sees_what_was_made_for_her(later):
    course, officer, unit = build_course(), build_person("Officer"), make_unit()
    mandate = make_hr(officer, unit)
    [row] = completed_in(course, 1)
    make_post(unit, holder=row.person)
    cohort = start(officer, course)
    other = build_person("Other")
    make_hr(other, unit)
    assert list(cohorts_visible_to(officer)) == [cohort] == list(cohorts_visible_to(build_admin()))
    assert list(cohorts_visible_to(other)) == []
    mandate.delete()
    assert list(cohorts_visible_to(officer)) == []
    make_hr(officer, make_unit())
    assert list(cohorts_visible_to(officer)) == []


def test_without_a_key_there_are_documents_and_no_credentials():
    course = build_course()
    completed_in(course, 1)
    cohort = start(build_admin(), course)
    assert [name[-4:] for name in names_in(cohort)] == [".pdf"]
    assert not Credential.objects.exists()
