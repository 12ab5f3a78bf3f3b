"""Courses with dates: seats are booked once, the last one goes to one person, and the path follows."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from competencies.models import RoleAssignment
from courses.enums import CourseFormat
from courses.models import CoursePage, CourseRun, SeatBooking
from courses.runs import book_seat, give_back_seat, runs_of
from courses.services import NotPossible, enrol
from learning.selectors import path_of
from tests.builders import make_course, make_framework, make_person, make_profile


def day(n: int):
    return timezone.localdate() + timedelta(days=n)


def classroom(version, **fields) -> CoursePage:
    course = make_course(version, {"A": 3}, key="classroom", **fields)
    course.format = CourseFormat.CLASSROOM
    course.save()
    return CoursePage.objects.get(pk=course.pk)


@pytest.fixture
def course(db) -> CoursePage:
    return classroom(make_framework())


def run_of(course: CoursePage, begins: int = 10, **fields) -> CourseRun:
    return CourseRun.objects.create(course=course, starts_on=day(begins), ends_on=day(begins + 1), **fields)


def page(person, course) -> str:
    client = Client()
    client.force_login(person)
    return " ".join(client.get(course.url).content.decode().split())


def test_a_seat_is_booked_once_however_often_one_presses(course):
    ana, run = make_person(), run_of(course, seats=2)
    assert book_seat(person=ana, run=run) == book_seat(person=ana, run=run)
    [view] = runs_of(course, ana)
    assert (view.left, view.booked) == (1, True)
    assert "You have a seat" in page(ana, course)


def test_a_full_run_says_so_and_takes_nobody_else(course):
    run = run_of(course, seats=1)
    book_seat(person=make_person(), run=run)
    late = make_person()
    with pytest.raises(NotPossible, match="last seat has just gone"):
        book_seat(person=late, run=run)
    assert "Full" in page(late, course)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"cancelled": True}, "is not held"),
        ({"begins": -1}, "can no longer be booked"),
        ({"book_until": timezone.localdate() - timedelta(days=1)}, "can no longer be booked"),
    ],
)
def test_what_cannot_be_booked_is_refused_in_a_sentence(course, fields, sentence):
    with pytest.raises(NotPossible, match=sentence):
        book_seat(person=make_person(), run=run_of(course, **fields))
    assert not SeatBooking.objects.exists()


def test_booking_another_run_gives_the_first_seat_back(course):
    ana, first, second = make_person(), run_of(course, 10), run_of(course, 40)
    book_seat(person=ana, run=first)
    book_seat(person=ana, run=second)
    assert [booking.run for booking in SeatBooking.objects.filter(cancelled_at=None)] == [second]


def test_a_seat_given_back_is_free_again_until_the_run_begins(course):
    ana, run = make_person(), run_of(course, seats=1)
    book_seat(person=ana, run=run)
    give_back_seat(person=ana, run=run)
    give_back_seat(person=ana, run=run)
    assert runs_of(course, ana)[0].left == 1
    begun = CourseRun.objects.create(course=course, starts_on=day(0), ends_on=day(1))
    book_seat(person=ana, run=begun)
    with pytest.raises(NotPossible, match="has begun"):
        give_back_seat(person=ana, run=begun)


def test_a_course_with_dates_is_started_with_a_seat(course):
    ana, run = make_person(), run_of(course)
    with pytest.raises(NotPossible, match="Book a seat"):
        enrol(person=ana, course=course)
    assert "Choose a date" in page(ana, course)
    book_seat(person=ana, run=run)
    assert enrol(person=ana, course=course).course == course


def test_the_path_follows_the_seat(course):
    ana = make_person()
    first, second = run_of(course, 10), run_of(course, 40)
    version = course.outcomes.get().competency.version
    RoleAssignment.objects.create(person=ana, profile=make_profile(version, {"A": 3}), starts_on=day(0))
    # A path planned before there were dates does not know of them: publishing the course tells it.
    course.save_revision().publish()
    assert path_of(ana).steps[0].step.run == first
    book_seat(person=ana, run=second)
    assert path_of(ana).steps[0].step.run == second
    give_back_seat(person=ana, run=second)
    assert path_of(ana).steps[0].step.run == first


def test_a_run_with_seats_taken_cannot_be_deleted_in_the_cms(course):
    from courses.forms import CourseForm

    ana, run = make_person(), run_of(course)
    book_seat(person=ana, run=run)
    form_class = CoursePage.get_edit_handler().get_form_class()
    assert issubclass(form_class, CourseForm)
    editor = make_person(is_superuser=True, is_staff=True)
    client = Client()
    client.force_login(editor)
    url = f"/cms/pages/{course.pk}/edit/"
    form = client.get(url).context["form"]
    data = {
        "title": course.title, "slug": course.slug, "summary": course.summary, "language": "en", "format": "classroom",
        "effort_minutes": "60", "pass_mark_pct": "80", "key": course.key, "action-publish": "1",
    }  # fmt: skip
    for name, formset in form.formsets.items():
        rows = list(formset.queryset)
        data |= {
            f"{name}-TOTAL_FORMS": str(len(rows)), f"{name}-INITIAL_FORMS": str(len(rows)),
            f"{name}-MIN_NUM_FORMS": "0", f"{name}-MAX_NUM_FORMS": "1000",
        }  # fmt: skip
        for place, row in enumerate(rows):
            data |= {f"{name}-{place}-id": str(row.pk), f"{name}-{place}-ORDER": str(place + 1)}
            for field in form.formsets[name].form.base_fields:
                if hasattr(row, f"{field}_id"):
                    data[f"{name}-{place}-{field}"] = str(getattr(row, f"{field}_id") or "")
                elif hasattr(row, field) and getattr(row, field) is not None:
                    data[f"{name}-{place}-{field}"] = str(getattr(row, field))
    data["runs-0-cancelled"] = ""
    answer = client.post(url, data | {"runs-0-DELETE": "on"})
    assert "Mark it as cancelled instead" in answer.content.decode()
    assert CourseRun.objects.filter(pk=run.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_the_last_seat_goes_to_one_of_two_who_press_at_once():
    if connection.vendor == "sqlite":
        pytest.skip("the threads of a test would share one SQLite connection; the race is run on PostgreSQL")
    run = run_of(classroom(make_framework()), seats=1)
    people, start, outcomes = [make_person(), make_person()], Barrier(2), []

    def press(person) -> None:
        start.wait()
        try:
            book_seat(person=person, run=run)
            outcomes.append("seat")
        except NotPossible:
            outcomes.append("none")
        finally:
            connection.close()

    threads = [Thread(target=press, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["none", "seat"]
    assert SeatBooking.objects.filter(cancelled_at=None).count() == 1
