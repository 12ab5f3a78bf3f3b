"""A cohort whose worker is killed anywhere: no number twice, none missing, and files that are complete or not there."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from certificates import cohort_files, cohort_making, crediting, services, writing
from certificates.cohorts import CohortAsk, How, make_again, start_cohort
from certificates.models import Certificate, Cohort, CohortFile, Credential
from certificates.models.certificate import private_storage
from courses.models import CoursePage, Enrolment
from organisations import jobs
from organisations.enums import JobState
from organisations.models import Job, User
from tests.certificates.builders import build_completed, build_course, build_person
from tests.organisations.test_worker import LEASE_SECONDS, broker, hire, wait_for

__all__ = ["broker", "hire"]  # fixtures

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """What nobody catches, like the end of a process."""


@pytest.fixture
def later(monkeypatch):
    from organisations.tasks import run_job_task

    monkeypatch.setattr(run_job_task, "delay", lambda job_id: None)


@pytest.fixture
def small(monkeypatch):
    """Parts of two, files of two parts, signed and drawn one after the other."""
    monkeypatch.setattr("certificates.cohorts.WRITE_BATCH", 2)
    monkeypatch.setattr(cohort_making, "PARTS_A_FILE", 2)
    monkeypatch.setattr(cohort_making, "COMPLETE_BATCH", 1)


@pytest.fixture
def issuing_key(settings, tmp_path):
    settings.ISSUER_KEY_DIR = str(tmp_path / "issuer-keys")
    call_command("issuer_keys", "create", verbosity=0)


def build_cohort(count: int) -> Cohort:
    course = build_course()
    for n in range(count):
        build_completed(course, build_person(f"Person {n:03d}"), at=datetime(2026, 3, 3, tzinfo=UTC))
    ask = CohortAsk(course.key, How.BETWEEN, date(2026, 3, 1), date(2026, 3, 31))
    return start_cohort(officer=build_person("Admin", is_superuser=True), ask=ask, token="press")


def check_whole(cohort: Cohort, count: int, private: Path) -> None:
    """What a cohort that nobody disturbed leaves behind."""
    cohort = Cohort.objects.select_related("job").get(pk=cohort.pk)
    assert cohort.job is not None and cohort.job.state == JobState.DONE and cohort.files_made_at is not None
    certificates = list(Certificate.objects.order_by("serial"))
    year = timezone.localdate().year
    assert [c.serial for c in certificates] == [f"{year}-{n:06d}" for n in range(1, count + 1)]
    assert len({c.enrolment_id for c in certificates}) == len({c.code for c in certificates}) == count
    assert [c.holder.name for c in certificates] == [f"Person {n:03d}" for n in range(count)]
    assert Credential.objects.count() == count and not Certificate.objects.without_document().exists()
    assert [pk for part in cohort.parts.all() for pk in part.certificates] == [c.pk for c in certificates]
    files = {kind: list(cohort.files.filter(kind=kind)) for kind in ("csv", "zip", "pdf")}
    assert {kind: sum(file.count for file in found) for kind, found in files.items()} == dict.fromkeys(files, count)
    folder = private / "certificates" / "cohorts" / str(cohort.pk)
    assert {path.name for path in folder.iterdir()} == {Path(file.file.name).name for file in cohort.files.all()}
    names = []
    for file in files["zip"]:
        packed = zipfile.ZipFile(io.BytesIO((private / file.file.name).read_bytes()))
        assert packed.testzip() is None
        names += packed.namelist()
    assert [name[:11] for name in names] == [c.serial for c in certificates for _ending in ("pdf", "json")]


POINTS = {
    "in the transaction of a batch": (writing, "_log"),
    "before anything is signed": (services, "credit"),
    "after places were dealt": (crediting, "credential_of"),
    "after a document was stored": (services, "_store"),
    "before a part is noted": (cohort_making.CohortPart.objects, "filter"),
    "in the middle of a ZIP": (cohort_files, "_info"),
    "after a file was stored": (cohort_making, "_note_left_out"),
    "before it is done": (cohort_making, "sweep_folder"),
}


@pytest.mark.parametrize(
    ("where", "time"),
    [(where, time) for where in POINTS for time in (1, 2) if (where, time) != ("before it is done", 2)],
)
def test_a_cohort_killed_anywhere_ends_as_if_nothing_had_been(monkeypatch, later, small, issuing_key, where, time):
    cohort = build_cohort(5)
    owner, name = POINTS[where]
    real, calls = getattr(owner, name), []

    def kill(*args, **values):
        calls.append(1)
        if len(calls) == time:
            if name == "_store":  # the file is there, and no row says so
                real(*args, **values)
            raise Killed
        return real(*args, **values)

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, kill)
        with pytest.raises(Killed):
            jobs.run_job(cohort.job_id)
    job = Job.objects.get(pk=cohort.job_id)
    assert job.state == JobState.RUNNING and jobs.run_job(job.pk) is None  # within its lease it is another's
    for file in CohortFile.objects.all():
        assert file.file.size == file.size_bytes
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now())
    assert job.pk in Job.objects.left_behind(timezone.now()).values_list("pk", flat=True)
    jobs.run_job(cohort.job_id)
    check_whole(cohort, 5, Path(private_storage().location))


def test_a_worker_that_was_taken_over_stops_and_leaves_what_the_other_one_made(monkeypatch, later, small, issuing_key):
    cohort = build_cohort(5)
    real = cohort_making.File

    def slow(draft):
        """Before its file is stored another worker takes the job over and comes to the end."""
        monkeypatch.setattr(cohort_making, "File", real)
        Job.objects.filter(pk=cohort.job_id).update(lease_until=timezone.now())
        jobs.run_job(cohort.job_id)
        return real(draft)

    monkeypatch.setattr(cohort_making, "File", slow)
    assert jobs.run_job(cohort.job_id) is None
    check_whole(cohort, 5, Path(private_storage().location))


def test_a_disk_that_is_full_is_tried_again(monkeypatch, later, small, issuing_key):
    cohort = build_cohort(5)
    real = cohort_making._note_left_out

    def full(*args):
        monkeypatch.setattr(cohort_making, "_note_left_out", real)
        raise OSError("no space left on the device")

    monkeypatch.setattr(cohort_making, "_note_left_out", full)
    jobs.run_job(cohort.job_id)
    assert Job.objects.get(pk=cohort.job_id).state == JobState.QUEUED  # to be tried again
    Job.objects.filter(pk=cohort.job_id).update(not_before=timezone.now())
    jobs.run_job(cohort.job_id)
    check_whole(cohort, 5, Path(private_storage().location))


def test_one_that_gave_up_goes_on_when_asked(monkeypatch, later, small, issuing_key):
    cohort = build_cohort(5)
    with monkeypatch.context() as patched:
        patched.setattr(cohort_files, "_info", lambda *args: 1 / 0)
        for _attempt in range(5):
            Job.objects.filter(pk=cohort.job_id).update(not_before=timezone.now())
            jobs.run_job(cohort.job_id)
    assert Job.objects.get(pk=cohort.job_id).state == JobState.FAILED
    cohort = make_again(cohort=cohort, by=User.objects.get(name="Admin"))
    jobs.run_job(cohort.job_id)
    check_whole(cohort, 5, Path(private_storage().location))


@pytest.mark.worker
def test_a_real_worker_is_killed_and_the_next_one_goes_on(tmp_path, issuing_key, broker, hire):
    count = 300
    first = hire("first@test")
    cohort = build_cohort(count)
    assert cohort.job_id is not None

    def drawn() -> int:
        return Certificate.objects.exclude(document="").count()

    wait_for(lambda: 100 <= drawn() < count, first, seconds=120)
    first.kill()
    assert Job.objects.get(pk=cohort.job_id).state == JobState.RUNNING and drawn() < count
    second = hire("second@test")
    wait_for(lambda: jobs.sweep() == 1, second, seconds=LEASE_SECONDS + 10)
    wait_for(lambda: Job.objects.get(pk=cohort.job_id).state == JobState.DONE, second, seconds=120)
    assert Job.objects.get(pk=cohort.job_id).attempts == 2
    check_whole(cohort, count, tmp_path / "private")
    assert CoursePage.objects.count() >= 1 and Enrolment.objects.count() == count
