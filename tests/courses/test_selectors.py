"""What is on offer and where people are, in as many queries for many as for one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from courses.models import CoursePage, Enrolment, LessonPage
from courses.selectors import (
    course_state,
    course_states,
    enrolments_of,
    latest_attempt,
    latest_enrolment,
    lessons_by_course,
    offered_courses,
    passed_and_begun,
)
from courses.services import complete_lesson, enrol, open_lesson, save_answers
from tests.builders import competency, lessons_of, make_course, make_framework, make_person, take_course

pytestmark = pytest.mark.django_db


# --- The offer ---------------------------------------------------------------------------------------------------
def test_a_course_is_one_across_its_languages():
    version = make_framework(codes="ABC")
    basics = make_course(version, {"A": 1}, key="basics")
    english = make_course(version, {"A": 2, "B": 3}, key="risk", requires=[basics])
    spanish = make_course(version, {"A": 4}, key="risk", language="es")
    offer = offered_courses()
    assert list(offer) == ["basics", "risk"]
    risk = offer["risk"]
    a, b = competency(version, "A").pk, competency(version, "B").pk
    assert risk.outcomes == tuple(sorted([(a, 4), (b, 3)]))  # the higher of both
    assert risk.prerequisites == frozenset({"basics"})
    assert [risk.page_for(code) for code in ("en", "es", "fr", "")] == [english, spanish, english, english]


def test_without_the_readers_language_and_ours_any_page_will_do(settings):
    spanish = make_course(key="risk", language="es")
    assert offered_courses()["risk"].page_for("fr") == spanish
    settings.LANGUAGE_CODE = "es"
    make_course(key="risk", language="en")
    assert offered_courses()["risk"].page_for("fr") == spanish


def test_a_framework_without_levels_counts_as_rank_one():
    plain = make_framework(ranks=0)
    make_course(plain, {"A": 1}, key="plain")
    assert [rank for _id, rank in offered_courses()["plain"].outcomes] == [1]


def test_what_is_withdrawn_is_not_on_offer_and_leads_nowhere():
    version = make_framework()
    make_course(version, {"A": 2}, key="risk")
    make_course(version, {"A": 5}, key="risk", language="es").unpublish()
    make_course(version, {"A": 5}, key="gone").unpublish()
    offer = offered_courses()
    assert list(offer) == ["risk"]
    assert [rank for _id, rank in offer["risk"].outcomes] == [2]


def test_the_whole_offer_takes_four_queries_however_large_it_is(count_queries):
    version = make_framework()
    for n in range(3):
        make_course(version, {"A": 2, "B": 1}, key=f"c{n}", check=False)
    assert count_queries(offered_courses) == 5
    assert count_queries(lambda: [course.page_for("es") for course in offered_courses().values()]) == 5


# --- Where somebody is -------------------------------------------------------------------------------------------
def test_the_state_of_a_course_is_counted_from_its_lessons():
    course = make_course(lessons=3)
    enrolment = enrol(person=make_person(), course=course)
    first, second, third, check = lessons_of(course)
    complete_lesson(enrolment=enrolment, lesson=first)
    open_lesson(enrolment=enrolment, lesson=third)
    state = course_state(enrolment)
    assert [(row.number, row.state) for row in state.lessons] == [(1, "done"), (2, "todo"), (3, "current"), (4, "todo")]
    assert (state.completed, state.total, state.minutes_left, state.next.lesson) == (1, 4, 25, second)
    second.unpublish()
    assert course_state(enrolment).total == 3
    assert check.is_check


def test_a_finished_course_has_nothing_next():
    state = course_state(take_course(make_person(), make_course()))
    assert (state.next, state.completed, state.minutes_left) == (None, 2, 0)


def test_lessons_come_in_their_order_without_drafts_and_without_their_content(count_queries):
    one, two = make_course(lessons=2, check=False), make_course(lessons=1)
    two.add_child(instance=LessonPage(title="Draft", slug="draft", live=False))
    lessons = lessons_by_course([one, two])
    assert [lesson.title for lesson in lessons[one.pk]] == ["Lesson 1", "Lesson 2"]
    assert [lesson.title for lesson in lessons[two.pk]] == ["Lesson 1", "Final check"]
    assert "body" in lessons[one.pk][0].get_deferred_fields()
    assert lessons_by_course([]) == {}


def test_many_states_take_two_queries_however_many_there_are(count_queries):
    person = make_person()
    courses = [make_course(key=f"c{n}", check=False) for n in range(45)]
    for course in courses:
        Enrolment.objects.create(person=person, course=course)
    enrolments = enrolments_of(person)
    assert count_queries(lambda: course_states(enrolments[:1])) == 2
    assert count_queries(lambda: course_states(enrolments[:40])) == 2
    assert count_queries(lambda: course_states(enrolments)) == 2  # another way of asking, the same answer
    states = course_states(enrolments)
    assert {state.total for state in states.values()} == {1}
    assert {pk: state.course for pk, state in states.items()} == {e.pk: e.course for e in enrolments}


def test_enrolments_come_with_their_course_the_one_seen_last_first(count_queries):
    person = make_person()
    now = timezone.now()
    first = enrol(person=person, course=make_course(), at=now - timedelta(hours=2))
    second = enrol(person=person, course=make_course(), at=now - timedelta(hours=1))
    enrol(person=make_person(), course=make_course(), at=now)
    assert enrolments_of(person) == [second, first]
    open_lesson(enrolment=first, lesson=lessons_of(first.course)[0], at=now)
    assert enrolments_of(person) == [first, second]
    assert count_queries(lambda: [e.course.title for e in enrolments_of(person)]) == 1


def test_the_latest_enrolment_is_the_open_one(count_queries):
    person, course = make_person(), make_course()
    assert latest_enrolment(person, course) is None
    first = take_course(person, course)
    assert latest_enrolment(person, course) == first
    second = enrol(person=person, course=course)
    assert latest_enrolment(person, course) == second
    assert count_queries(lambda: latest_enrolment(person, course).course.title) == 1


def test_attempts_are_counted():
    person, course = make_person(), make_course()
    enrolment = enrol(person=person, course=course)
    check = lessons_of(course)[-1]
    assert latest_attempt(enrolment, check) is None
    attempt = save_answers(enrolment=enrolment, lesson=check, answers={})
    assert latest_attempt(enrolment, check) == attempt


def test_what_people_have_passed_and_begun_is_told_by_key_in_one_query(count_queries):
    ana, bea, cleo = (make_person() for _ in range(3))
    risk, risk_es = make_course(key="risk"), make_course(key="risk", language="es")
    law = make_course(key="law")
    take_course(ana, risk)
    enrol(person=ana, course=risk_es)
    enrol(person=bea, course=law)
    people = [ana.pk, bea.pk, cleo.pk]
    passed, begun = passed_and_begun(people)
    assert (passed[ana.pk], begun[ana.pk]) == ({"risk"}, {"risk": risk_es.pk})
    assert (passed[bea.pk], begun[bea.pk]) == (set(), {"law": law.pk})
    assert (passed[cleo.pk], begun[cleo.pk]) == (set(), {})
    assert count_queries(lambda: passed_and_begun(people)) == 1


def test_offered_is_what_one_can_take_now():
    shown = make_course()
    make_course().unpublish()
    assert list(CoursePage.objects.offered()) == [shown]
