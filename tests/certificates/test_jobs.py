"""From the news that a course was passed to the certificate, whatever gets lost on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from certificates import jobs as certificate_jobs
from certificates import selectors, services
from certificates.models import Certificate
from certificates.services import issue_certificates
from certificates.tasks import sweep_certificates
from courses.models import Enrolment
from courses.signals import course_passed
from organisations import jobs
from organisations.enums import JobState
from organisations.models import Job
from organisations.models.jobs import JobQuerySet
from tests.certificates.builders import NOON, build_completed, build_course, build_person, read_document, tamper

pytestmark = pytest.mark.django_db


def asked_for() -> JobQuerySet:
    """Those of certificates: a passed course has other work done too."""
    return Job.objects.filter(kind__startswith="certificates.")


@pytest.fixture
def lost(monkeypatch):
    """The broker forgets everything: rows stay, nothing runs until a test runs it."""
    from organisations.tasks import run_job_task

    monkeypatch.setattr(run_job_task, "delay", lambda job_id: None)


def announce(enrolment: Enrolment) -> None:
    course_passed.send(sender=Enrolment, enrolment_id=enrolment.pk)


def run_all() -> None:
    for pk in asked_for().open().order_by("pk").values_list("pk", flat=True):
        jobs.run_job(pk)


def old() -> Enrolment:
    return build_completed(at=timezone.now() - timedelta(hours=1))


def test_the_news_of_a_passed_course_makes_a_certificate_in_the_background(lost):
    enrolment = build_completed(at=timezone.now())
    announce(enrolment)
    announce(enrolment)
    job = asked_for().get()
    assert (job.kind, job.key, job.payload) == (
        "certificates.issue",
        f"certificates.issue:enrolment-{enrolment.pk}",
        {"enrolment": enrolment.pk},
    )
    assert job.created_by == enrolment.person
    assert not Certificate.objects.exists()

    jobs.run_job(job.pk)
    job.refresh_from_db()
    certificate = Certificate.objects.get()
    assert (job.state, job.done, job.total) == (JobState.DONE, 1, 1)
    assert job.report == {"serial": certificate.serial}
    assert jobs.label_of(job) == "Issue a certificate"
    assert read_document(certificate).startswith(b"%PDF")
    assert certificate.issued_on == timezone.localdate()


def test_a_job_that_runs_twice_leaves_one_certificate(lost):
    announce(old())
    job = asked_for().get()
    jobs.run_job(job.pk)
    asked_for().update(state=JobState.QUEUED)
    jobs.run_job(job.pk)
    assert Certificate.objects.count() == 1


def test_a_job_for_what_gives_no_certificate_says_why(lost):
    open_one = build_completed(at=None)
    announce(open_one)
    announce(Enrolment(pk=0))
    jobs.enqueue(kind="certificates.issue", key="gone", payload={"enrolment": 0})
    run_all()
    assert [job.error for job in asked_for().order_by("pk")] == [
        "The course is not completed yet, so there is no certificate.",
        "This enrolment is no longer there.",
    ]
    assert set(asked_for().values_list("state", flat=True)) == {JobState.FAILED}


# --- The sweep ---------------------------------------------------------------------------------------------------
def test_the_sweep_asks_for_certificates_that_nobody_asked_for():
    enrolment = old()
    build_completed(at=timezone.now())  # a moment ago: its own news is still on the way
    build_completed(at=None)
    assert sweep_certificates() == 1
    certificate = Certificate.objects.get()
    assert certificate.enrolment == enrolment
    assert certificate.document
    assert asked_for().get().created_by == enrolment.person
    assert sweep_certificates() == 0


def test_the_sweep_leaves_alone_what_is_under_way(lost):
    announce(old())
    assert sweep_certificates() == 0
    assert asked_for().count() == 1


def test_the_sweep_asks_again_once_a_day_for_what_has_stopped(lost):
    enrolment = old()
    announce(enrolment)
    asked_for().update(state=JobState.FAILED)
    assert sweep_certificates() == 1
    assert sweep_certificates() == 0
    again = asked_for().open().get()
    assert again.key == f"certificates.issue:enrolment-{enrolment.pk}-{timezone.localdate().isoformat()}"
    asked_for().update(state=JobState.FAILED)
    assert sweep_certificates() == 0
    asked_for().filter(pk=again.pk).update(key="certificates.issue:another-day")
    assert sweep_certificates() == 1
    run_all()
    assert Certificate.objects.get().enrolment == enrolment


def test_the_sweep_takes_them_in_batches_and_a_stopped_one_does_not_block_the_rest(monkeypatch, lost):
    monkeypatch.setattr("certificates.tasks.SWEEP_BATCH", 2)
    course = build_course()
    hour_ago = timezone.now() - timedelta(hours=1)
    for _ in range(5):
        build_completed(course, build_person(), at=hour_ago)
    taken = []
    for _ in range(4):
        taken.append(sweep_certificates())
        asked_for().update(state=JobState.FAILED)
    assert taken == [2, 2, 2, 2]  # five, and then the first three once more
    assert asked_for().count() == 8


def test_the_sweep_asks_as_many_queries_for_many_as_for_one_to_look(lost, count_queries):
    course = build_course()
    enrolments = [build_completed(course, build_person(), at=timezone.now() - timedelta(hours=1)) for _ in range(12)]
    issue_certificates(enrolments=enrolments, at=NOON)
    assert count_queries(sweep_certificates) <= 4


def test_the_sweep_completes_certificates_without_document():
    course = build_course()
    issued = issue_certificates(
        enrolments=[build_completed(course, build_person()) for _ in range(3)], at=NOON, documents=False
    )
    assert sweep_certificates() == 0  # they were written a moment ago
    hour_ago = timezone.now() - timedelta(hours=1)
    for certificate in issued:
        tamper(certificate, created_at=hour_ago)
    Enrolment.objects.filter(pk=issued[0].enrolment_id).delete()  # the certificate outlives what it came from

    assert sweep_certificates() == 1
    assert not Certificate.objects.without_document().exists()
    job = asked_for().get()
    assert (job.kind, job.state, job.done, job.total) == ("certificates.documents", JobState.DONE, 3, 3)
    assert job.report == {"written": 3, "failed": []}
    assert jobs.label_of(job) == "Make the documents of certificates"
    assert sweep_certificates() == 0


def test_a_document_that_cannot_be_made_keeps_no_other_waiting_and_is_tried_again_after_a_day(caplog):
    course = build_course()
    issued = issue_certificates(
        enrolments=[build_completed(course, build_person()) for _ in range(3)], at=NOON, documents=False
    )
    for certificate in issued:
        tamper(certificate, created_at=timezone.now() - timedelta(hours=1))
    tamper(issued[1], digest="0" * 64)

    assert sweep_certificates() == 1
    assert list(Certificate.objects.without_document()) == [issued[1]]
    assert asked_for().get().report == {"written": 2, "failed": [issued[1].serial]}
    assert issued[1].serial in caplog.text
    assert sweep_certificates() == 0

    asked_for().update(created_at=timezone.now() - timedelta(days=2))
    tamper(issued[1], digest=issued[1].digest)
    assert sweep_certificates() == 1
    assert not Certificate.objects.without_document().exists()


def test_a_kill_between_record_and_document_is_healed_by_the_next_run_of_the_job(lost, monkeypatch):
    announce(old())
    job = asked_for().get()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(services.Press, "paper", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
        jobs.run_job(job.pk)
    assert Certificate.objects.without_document().count() == 1
    asked_for().update(lease_until=timezone.now())  # its worker is dead
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.DONE
    assert Certificate.objects.get().document


def test_the_documents_job_notes_its_progress(monkeypatch):
    course = build_course()
    issued = issue_certificates(
        enrolments=[build_completed(course, build_person()) for _ in range(5)], at=NOON, documents=False
    )
    for certificate in issued:
        tamper(certificate, created_at=timezone.now() - timedelta(hours=1))
    monkeypatch.setattr(services, "DOCUMENT_BATCH", 2)
    noted = []
    services.render_missing_documents(
        made_before=timezone.now(), progress=lambda done, total: noted.append((done, total))
    )
    assert noted == [(0, 5), (2, 5), (4, 5), (5, 5)]


def test_job_kinds_are_registered():
    assert jobs.KINDS[selectors.ISSUE].handler is certificate_jobs.issue
    assert jobs.KINDS[selectors.DOCUMENTS].handler is certificate_jobs.make_documents
