"""What somebody knows before a course: optional, once, and only the score is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from courses.models import Attempt, Enrolment, PreCheck
from courses.precheck import hand_in, is_possible, questions_of
from courses.selectors import course_state, gains_of
from courses.services import NotPossible, complete_lesson, enrol, submit_attempt
from tests.builders import lessons_of, make_course, make_person, right_answers, take_course


@pytest.fixture
def begun(db) -> Enrolment:
    return enrol(person=make_person(), course=make_course(key="topic"))


def half_right(enrolment: Enrolment) -> dict:
    answers = right_answers(lessons_of(enrolment.course)[-1])
    return dict(list(answers.items())[:1])


def test_it_keeps_the_score_and_nothing_else(begun):
    hand_in(enrolment=begun, answers=half_right(begun))
    row = PreCheck.objects.get()
    assert (row.enrolment, row.score_pct) == (begun, 50)
    assert not Attempt.objects.exists()
    assert {field.name for field in PreCheck._meta.get_fields()} == {"id", "enrolment", "score_pct", "submitted_at"}


def test_a_doubled_press_keeps_the_first(begun):
    first = hand_in(enrolment=begun, answers=half_right(begun))
    again = hand_in(enrolment=begun, answers=right_answers(lessons_of(begun.course)[-1]))
    assert again.pk == first.pk
    assert again.score_pct == 50


def test_it_is_for_before_the_course(begun):
    assert is_possible(course_state(begun))
    complete_lesson(enrolment=begun, lesson=lessons_of(begun.course)[0])
    assert not is_possible(course_state(begun))
    with pytest.raises(NotPossible, match="begun it already"):
        hand_in(enrolment=begun, answers=half_right(begun))
    assert not PreCheck.objects.exists()


def test_a_course_without_a_check_offers_none(db):
    begun = enrol(person=make_person(), course=make_course(check=False))
    assert not is_possible(course_state(begun))
    assert questions_of(begun) == []
    with pytest.raises(NotPossible, match="no check"):
        hand_in(enrolment=begun, answers={})


def test_what_was_gained_is_from_before_to_the_first_try(begun):
    course = begun.course
    before = timezone.now() - timedelta(hours=2)
    hand_in(enrolment=begun, answers=half_right(begun), at=before)
    complete_lesson(enrolment=begun, lesson=lessons_of(course)[0])
    check = lessons_of(course)[-1]
    submit_attempt(enrolment=begun, lesson=check, answers={}, number=1, at=before + timedelta(hours=1))
    submit_attempt(enrolment=begun, lesson=check, answers=right_answers(check), number=2)
    take_course(make_person(), course)  # without a check before
    assert gains_of("topic") == [(50, 0)]
    assert gains_of("other") == []


def test_what_was_gained_takes_one_query(begun, count_queries):
    hand_in(enrolment=begun, answers=half_right(begun))
    assert count_queries(lambda: gains_of("topic")) == 1


# --- The page --------------------------------------------------------------------------------------------------------
def test_the_first_lesson_offers_it_once(client, begun):
    client.force_login(begun.person)
    first, url = lessons_of(begun.course)[0].url, reverse("pre_check", args=[begun.pk])
    assert url in client.get(first).text
    answers = right_answers(lessons_of(begun.course)[-1])
    page = client.get(url)
    assert page.status_code == 200
    assert "It does not count" in page.text
    fields = {f"q-{key}": value for key, value in answers.items()}
    names = [name for name in fields if f'name="{name}"' in page.text]
    assert len(names) == 2
    sent = client.post(url, fields, follow=True)
    assert sent.redirect_chain[0][0] == first
    assert "Before the course you know 100 %" in sent.text
    assert url not in sent.text


def test_an_empty_press_is_no_answer(client, begun):
    client.force_login(begun.person)
    sent = client.post(reverse("pre_check", args=[begun.pk]), {}, follow=True)
    assert "not answered anything" in sent.text
    assert not PreCheck.objects.exists()


def test_it_shows_nobody_what_is_right(client, begun):
    client.force_login(begun.person)
    page = client.get(reverse("pre_check", args=[begun.pk])).text
    assert "Because." not in page
    assert "Accepted" not in page


def test_it_is_nobody_elses(client, begun):
    client.force_login(make_person())
    url = reverse("pre_check", args=[begun.pk])
    assert client.get(url).status_code == 404
    assert client.post(url, {}).status_code == 404


def test_the_result_says_how_far_she_has_come(client, begun):
    hand_in(enrolment=begun, answers=half_right(begun), at=timezone.now() - timedelta(hours=1))
    take_course(begun.person, begun.course)
    client.force_login(begun.person)
    page = client.get(reverse("course_result", args=[begun.pk])).text
    assert "Before the course you knew 50 % of it, now 100 %." in page
