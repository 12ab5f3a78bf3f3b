"""What somebody knows before a course: optional, once, and only the score is kept."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.urls import reverse
from django.utils import timezone

from courses.models import Attempt, Enrolment, PreCheck
from courses.precheck import hand_in, is_possible, questions_of
from courses.selectors import course_state, gain_of, gains_of
from courses.services import NotPossible, complete_lesson, enrol, submit_attempt
from tests.builders import lessons_of, make_course, make_person, right_answers, take_course
from tests.courses.builders import choice


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


@pytest.fixture
def two_checks(db) -> Enrolment:
    """A course with a check half-way, of one question, before the final one of two."""
    course = make_course(key="topic", lessons=2)
    half_way = lessons_of(course)[1]
    half_way.is_check = True
    half_way.body = [choice(True, False)]
    half_way.save_revision().publish()
    return enrol(person=make_person(), course=course)


def test_of_several_checks_the_final_one_is_asked_before_and_compared_after(two_checks):
    first, half_way, final = lessons_of(two_checks.course)
    assert {question.id for question in questions_of(two_checks)} == set(right_answers(final))
    before = timezone.now() - timedelta(hours=2)
    hand_in(enrolment=two_checks, answers=half_right(two_checks), at=before)
    complete_lesson(enrolment=two_checks, lesson=first)
    submit_attempt(enrolment=two_checks, lesson=half_way, answers=right_answers(half_way), number=1)
    assert gains_of("topic") == []  # other questions than those asked before
    assert gain_of(two_checks) is None
    submit_attempt(enrolment=two_checks, lesson=final, answers=half_right(two_checks), number=1)
    assert gains_of("topic") == [(50, 50)]
    submit_attempt(enrolment=two_checks, lesson=final, answers=right_answers(final), number=2)
    assert gains_of("topic") == [(50, 50)]
    assert gain_of(two_checks) == (50, 100)


def test_what_was_gained_takes_one_query(begun, count_queries):
    hand_in(enrolment=begun, answers=half_right(begun))
    assert count_queries(lambda: gains_of("topic")) == 1


def test_what_was_gained_since_a_day_is_of_those_who_began_since(begun):
    began = timezone.now() - timedelta(days=3)
    hand_in(enrolment=begun, answers=half_right(begun), at=began)
    take_course(begun.person, begun.course)
    assert gains_of("topic", since=began) == [(50, 100)]
    assert gains_of("topic", since=began + timedelta(seconds=1)) == []


def test_nothing_was_gained_by_who_was_not_asked_before(begun):
    assert gain_of(take_course(begun.person, begun.course)) is None


def test_a_check_that_was_withdrawn_keeps_what_was_gained(begun):
    hand_in(enrolment=begun, answers=half_right(begun), at=timezone.now() - timedelta(hours=1))
    take_course(begun.person, begun.course)
    lessons_of(begun.course)[-1].unpublish()
    assert gains_of("topic") == [(50, 100)]


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


def test_the_course_page_offers_it_to_who_has_just_begun(client, begun):
    client.force_login(begun.person)
    url = reverse("pre_check", args=[begun.pk])
    assert url in client.get(begun.course.url).text
    complete_lesson(enrolment=begun, lesson=lessons_of(begun.course)[0])
    assert url not in client.get(begun.course.url).text


def test_the_course_page_offers_it_to_nobody_else(client, begun):
    url = reverse("pre_check", args=[begun.pk])
    assert url not in client.get(begun.course.url).text
    client.force_login(make_person())
    assert url not in client.get(begun.course.url).text
    client.force_login(begun.person)
    hand_in(enrolment=begun, answers=half_right(begun))
    assert url not in client.get(begun.course.url).text


def test_too_late_leads_on_and_keeps_nothing(client, begun):
    client.force_login(begun.person)
    first, check = lessons_of(begun.course)
    complete_lesson(enrolment=begun, lesson=first)
    url = reverse("pre_check", args=[begun.pk])
    assert client.get(url).url == check.url
    fields = {f"q-{key}": value for key, value in right_answers(check).items()}
    assert "begun it already" in client.post(url, fields, follow=True).text
    assert not PreCheck.objects.exists()


def test_a_second_press_with_other_answers_says_the_first_score(client, begun):
    client.force_login(begun.person)
    url = reverse("pre_check", args=[begun.pk])
    fields = {f"q-{key}": value for key, value in right_answers(lessons_of(begun.course)[-1]).items()}
    client.post(url, dict(list(fields.items())[:1]))
    assert "Before the course you know 50 %" in client.post(url, fields, follow=True).text
    assert PreCheck.objects.get().score_pct == 50
    assert client.get(url).status_code == 302  # it is not shown twice


@pytest.mark.parametrize("value", ["no such option", "²", "\x00", "🦉", "x" * 5000, str(UUID(int=7))])
def test_what_names_nothing_offered_is_no_answer_or_a_wrong_one(client, begun, value):
    client.force_login(begun.person)
    url = reverse("pre_check", args=[begun.pk])
    choice_id, words_id = right_answers(lessons_of(begun.course)[-1])

    def send(fields: dict):
        # As browsers send it: Django itself refuses a part of several with a name this long.
        return client.post(url, urlencode(fields), content_type="application/x-www-form-urlencoded", follow=True)

    for fields in ({f"q-{choice_id}": value}, {f"q-{UUID(int=8)}": value}, {value: value}):
        assert "not answered anything" in send(fields).text
        assert not PreCheck.objects.exists()
    send({f"q-{words_id}": value})
    assert not PreCheck.objects.filter(score_pct__gt=0).exists()


def test_an_enrolment_that_is_not_there_is_not_found(client, begun):
    client.force_login(begun.person)
    for number in (begun.pk + 1000, 10**30):
        assert client.get(f"/learn/courses/{number}/before/").status_code == 404
