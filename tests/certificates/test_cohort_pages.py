"""The pages of cohorts: asked in two steps, followed while it works, fetched when it is done; each officer her own."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from certificates import services
from certificates.cohorts import CohortAsk, How, start_cohort
from certificates.models import Certificate, Cohort
from organisations import jobs
from organisations.enums import JobState
from organisations.models import Job
from tests.builders import make_hr, make_post, make_unit
from tests.certificates.builders import build_completed, build_course, build_person

pytestmark = pytest.mark.django_db
NEW = "/hr/certificates/cohorts/new/"


@pytest.fixture
def later(monkeypatch):
    from organisations.tasks import run_job_task

    monkeypatch.setattr(run_job_task, "delay", lambda job_id: None)


@pytest.fixture
def unit():
    return make_unit("Here")


@pytest.fixture
def officer(unit, client):
    person = build_person("Officer")
    make_hr(person, unit)
    client.force_login(person)
    return person


@pytest.fixture
def course():
    return build_course()


def completed(course, unit, count: int = 3) -> list:
    rows = [
        build_completed(course, build_person(f"Person {n}"), at=datetime(2026, 3, 3, tzinfo=UTC)) for n in range(count)
    ]
    for row in rows:
        make_post(unit, holder=row.person)
    return rows


def answers(course, **changes) -> dict:
    return {"course": course.key, "how": "between", "first": "2026-03-01", "last": "2026-03-31", "do": "look"} | changes


def start(officer, course, **changes) -> Cohort:
    values = {"course_key": course.key, "how": How.BETWEEN, "first": date(2026, 3, 1), "last": date(2026, 3, 31)}
    return start_cohort(officer=officer, ask=CohortAsk(**(values | changes)), token=str(uuid4()))


def text(response) -> str:
    return response.content.decode()


def test_it_is_asked_in_two_steps_and_nothing_is_written_before_the_second(client, officer, unit, course, later):
    rows = completed(course, unit)
    services.issue_certificate(enrolment=rows[0], at=datetime(2026, 3, 4, tzinfo=UTC))
    seen = client.post(NEW, answers(course, note="Spring"))
    assert "2 people get a certificate" in text(seen) and "has theirs" in text(seen)
    assert not Cohort.objects.exists() and Certificate.objects.count() == 1
    sent = dict(seen.context["carried"]) | {"token": str(seen.context["token"]), "do": "issue"}
    first, second = client.post(NEW, sent), client.post(NEW, sent)
    cohort = Cohort.objects.get()
    assert first.url == second.url == f"/hr/certificates/cohorts/{cohort.pk}/"
    assert (cohort.note, cohort.count, cohort.already, cohort.asked_by) == ("Spring", 3, 1, officer)
    assert Job.objects.filter(kind="certificates.cohort").count() == 1


def test_going_back_keeps_the_answers(client, officer, unit, course):
    completed(course, unit)
    back = client.post(NEW, answers(course, note="Spring", do="back"))
    assert back.context["form"]["note"].value() == "Spring" and back.context["form"]["first"].value() == "2026-03-01"
    assert back.status_code == 200


def test_a_file_is_read_and_its_lines_that_lead_to_nobody_are_named(client, officer, unit, course, later):
    [row] = completed(course, unit, 1)
    file = SimpleUploadedFile("list.csv", f"E-mail\n{row.person.email}\nnobody@x.example\n<script>alert(1)\n".encode())
    seen = client.post(NEW, answers(course, how="list", file=file))
    assert "1 person gets a certificate" in text(seen)
    assert (
        "nobody@x.example" in text(seen)
        and "&lt;script&gt;alert(1)" in text(seen)
        and "<script>alert" not in text(seen)
    )
    sent = dict(seen.context["carried"]) | {"token": str(seen.context["token"]), "do": "issue"}
    page = client.get(client.post(NEW, sent).url)
    assert "A list of 3 addresses from “list.csv”" in text(page)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"course": "nothing"}, "course"),
        ({"course": ""}, "course"),
        ({"how": "x"}, "how"),
        ({"first": ""}, "first"),
        ({"first": "0001-01-01"}, "first"),
        ({"last": "9999-12-31"}, "last"),
        ({"last": "2026-02-01"}, "last"),
        ({"how": "unit"}, "unit"),
        ({"how": "unit", "unit": "9" * 30}, "unit"),
        ({"how": "unit", "unit": "²"}, "unit"),
        ({"how": "list", "emails": " \n"}, "emails"),
        ({"how": "list", "emails": "x\n" * 10_001}, "emails"),
        ({"note": "x" * 121}, "note"),
    ],
)
def test_what_is_not_answered_is_asked_again(client, officer, unit, course, changes, field):
    completed(course, unit, 1)
    answer = client.post(NEW, answers(course) | changes)
    assert answer.status_code == 422 and field in answer.context["form"].errors


def test_a_unit_of_others_is_none_to_choose_and_its_people_are_not_counted(client, officer, unit, course):
    there = make_unit("There")
    completed(course, there, 2)
    [row] = completed(course, unit, 1)
    assert client.post(NEW, answers(course, how="unit", unit=there.pk)).status_code == 422
    seen = client.post(NEW, answers(course))
    assert "1 person gets a certificate" in text(seen)
    other = course.enrolments.exclude(pk=row.pk).first().person
    seen = client.post(NEW, answers(course, how="list", emails=other.email))
    assert "Nobody would get a certificate" in text(seen) and other.name not in text(seen)
    sent = dict(seen.context["carried"]) | {"token": str(seen.context["token"]), "do": "issue"}
    assert client.post(NEW, sent).status_code == 422 and not Cohort.objects.exists()


def test_its_page_says_how_far_it_is_and_the_partial_is_the_region_of_the_whole(client, officer, unit, course, later):
    completed(course, unit)
    cohort = start(officer, course)
    url = f"/hr/certificates/cohorts/{cohort.pk}/"
    assert "waiting for their turn" in text(client.get(url))
    Job.objects.filter(pk=cohort.job_id).update(state=JobState.RUNNING, done=1, total=12)
    page, partial = text(client.get(url)), text(client.get(url, headers={"HX-Request": "true"}))
    assert "1 of 3 certificates" in page and "every 2s" in page
    assert partial.strip() in page
    Job.objects.filter(pk=cohort.job_id).update(done=9)
    assert "files: 2 of 3" in text(client.get(url))
    Job.objects.filter(pk=cohort.job_id).update(state=JobState.FAILED, error="It was interrupted 5 times.")
    page = text(client.get(url))
    assert "It was interrupted 5 times." in page and "every 2s" not in page
    assert client.post(f"{url}again/").url == url
    client.post(f"{url}again/")
    assert Job.objects.filter(kind="certificates.cohort").count() == 2
    jobs.run_job(Cohort.objects.get().job_id)
    assert "3 certificates, ready to hand out" in text(client.get(url))
    assert "Ready" in text(client.get("/hr/certificates/cohorts/"))


def test_files_are_fetched_by_who_asked_and_by_nobody_else(client, officer, unit, course):
    completed(course, unit)
    cohort = start(officer, course, note="Spring & “Más”")
    for file in cohort.files.all():
        url = f"/hr/certificates/cohorts/{cohort.pk}/files/{file.pk}/"
        answer = client.get(url)
        assert b"".join(answer) and "no-store" in answer["Cache-Control"]
        assert answer["Content-Disposition"] == f'attachment; filename="spring-mas-{cohort.pk}.{file.kind}"'
    other = build_person("Other")
    make_hr(other, unit)
    client.force_login(other)
    assert client.get(url).status_code == 404
    assert client.get(f"/hr/certificates/cohorts/{cohort.pk}/").status_code == 404
    assert client.post(f"/hr/certificates/cohorts/{cohort.pk}/again/").status_code == 404
    assert "No cohort yet" in text(client.get("/hr/certificates/cohorts/"))
    client.force_login(build_person("Learner"))
    assert client.get(url).status_code == 403
    second = start(build_person("Admin", is_superuser=True), course)
    client.force_login(officer)
    assert client.get(f"/hr/certificates/cohorts/{second.pk}/files/{second.files.first().pk}/").status_code == 404
    assert client.get(f"/hr/certificates/cohorts/{cohort.pk}/files/{second.files.first().pk}/").status_code == 404


def test_a_file_that_is_lost_is_said(client, officer, unit, course):
    completed(course, unit, 1)
    cohort = start(officer, course)
    file = cohort.files.first()
    file.file.storage.delete(file.file.name)
    page = client.get(f"/hr/certificates/cohorts/{cohort.pk}/files/{file.pk}/", follow=True)
    assert "not where it was stored" in text(page)


def test_lists_ask_as_much_for_many_cohorts_as_for_one(client, officer, unit, course, later, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    completed(course, unit, 1)
    asked = []
    for _n in range(2):
        for _m in range(3):
            jobs.run_job(start(officer, course).job_id)
        with CaptureQueriesContext(connection) as queries:
            client.get("/hr/certificates/cohorts/")
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_parts_are_said_on_the_page(client, officer, unit, course, monkeypatch):
    for where in ("certificates.cohorts.WRITE_BATCH", "certificates.cohort_views.WRITE_BATCH"):
        monkeypatch.setattr(where, 2)
    for where in ("certificates.cohort_making.PARTS_A_FILE", "certificates.cohort_views.PARTS_A_FILE"):
        monkeypatch.setattr(where, 1)
    completed(course, unit, 3)
    cohort = start(officer, course)
    page = text(client.get(f"/hr/certificates/cohorts/{cohort.pk}/"))
    assert "parts of 2 certificates at most" in page and "1 to 2" in page and "3 to 3" in page
    url = f"/hr/certificates/cohorts/{cohort.pk}/files/{cohort.files.get(kind='zip', number=2).pk}/"
    answer = client.get(url)
    assert b"".join(answer) and answer["Content-Disposition"].endswith(f'-{cohort.pk}-2.zip"')
