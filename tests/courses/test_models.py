"""Courses refuse circles and doubles with a sentence; activity rows hold their own rules."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models.deletion import ProtectedError
from wagtail.models import Page

from courses.models import (
    Attempt,
    CataloguePage,
    CourseOutcome,
    CoursePage,
    CoursePrerequisite,
    Enrolment,
    HomePage,
    LessonPage,
    LessonProgress,
)
from tests.builders import competency, lessons_of, make_course, make_framework, make_person, take_course

pytestmark = pytest.mark.django_db


def refused(page) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        page.full_clean()
    return caught.value.messages


def need(course: CoursePage, *others: CoursePage) -> CoursePage:
    course = CoursePage.objects.get(pk=course.pk)
    course.prerequisites = [CoursePrerequisite(prerequisite=other, sort_order=n) for n, other in enumerate(others)]
    return course


# --- Prerequisites -----------------------------------------------------------------------------------------------
def test_a_course_cannot_be_its_own_prerequisite():
    course = make_course()
    assert refused(need(course, course)) == ["A course cannot be its own prerequisite."]


def test_nor_can_the_same_course_in_another_language():
    course = make_course(key="risk")
    spanish = make_course(key="risk", language="es")
    assert refused(need(course, spanish)) == ["A course cannot be its own prerequisite."]
    assert refused(need(spanish, course)) == ["A course cannot be its own prerequisite."]


def test_a_circle_is_refused_and_named():
    basics = make_course(key="basics")
    middle = make_course(key="middle", requires=[basics])
    top = make_course(key="top", requires=[middle])
    assert refused(need(basics, top)) == [
        "These courses would require each other in a circle: basics → top → middle → basics."
    ]
    basics = CoursePage.objects.get(key="basics")
    assert not basics.prerequisites.exists()


def test_a_circle_that_closes_over_languages_is_refused():
    """risk (en) needs law; law (es) needs risk: whoever mixes languages would never begin."""
    risk, law = make_course(key="risk"), make_course(key="law")
    risk_es, law_es = make_course(key="risk", language="es"), make_course(key="law", language="es")
    english = need(risk, law)
    english.full_clean()
    english.save()
    assert refused(need(law_es, risk_es)) == [
        "These courses would require each other in a circle: law → risk → law."
    ] or refused(need(law_es, risk_es)) == ["These courses would require each other in a circle: risk → law → risk."]


def test_two_ways_to_the_same_course_are_no_circle():
    basics = make_course()
    left, right = make_course(requires=[basics]), make_course(requires=[basics])
    need(make_course(), left, right, basics).full_clean()


def test_taking_a_prerequisite_away_opens_the_circle():
    first = make_course()
    second = make_course(requires=[first])
    opened = need(second)
    opened.save()
    closed = need(first, second)
    closed.full_clean()


# --- Keys and languages ------------------------------------------------------------------------------------------
def test_a_course_without_key_takes_its_slug():
    assert make_course(key="").key.startswith("course-")
    page = CoursePage(title="New", slug="brand-new", summary="-", effort_minutes=1)
    CataloguePage.objects.get().add_child(instance=page)
    assert page.key == "brand-new"


def test_there_is_one_course_for_each_key_and_language():
    make_course(key="risk")
    twin = CoursePage(title="Twin", slug="twin", key="risk", summary="-", effort_minutes=1)
    with pytest.raises(ValidationError) as caught:
        CataloguePage.objects.get().add_child(instance=twin)
    assert caught.value.messages == ["There is already a course with this key in this language."]
    make_course(key="risk", language="es")


def test_a_course_that_is_copied_gets_a_key_of_its_own():
    course = make_course(key="risk")
    copy = course.copy(update_attrs={"slug": "risk-again"})
    assert copy.key == "risk-again"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("pass_mark_pct", 0, "Ensure this value is greater than or equal to 1."),
        ("pass_mark_pct", 101, "Ensure this value is less than or equal to 100."),
        ("effort_minutes", 0, "Ensure this value is greater than or equal to 1."),
        ("effort_minutes", 12_001, "Ensure this value is less than or equal to 12000."),
        ("summary", "", "This field cannot be blank."),
        ("language", "xx", "Value 'xx' is not a valid choice."),
    ],
)
def test_a_course_that_cannot_be_is_refused_with_a_sentence(field, value, sentence):
    course = make_course()
    setattr(course, field, value)
    with pytest.raises(ValidationError) as caught:
        course.full_clean()
    assert caught.value.message_dict == {field: [sentence]}


@pytest.mark.parametrize("minutes", [0, 601])
def test_a_lesson_takes_between_a_minute_and_ten_hours(minutes):
    [lesson] = lessons_of(make_course(check=False))
    lesson.minutes = minutes
    with pytest.raises(ValidationError) as caught:
        lesson.full_clean()
    assert set(caught.value.message_dict) == {"minutes"}


# --- Outcomes ----------------------------------------------------------------------------------------------------
def test_an_outcome_says_its_level_where_the_framework_has_levels():
    version = make_framework()
    outcome = CourseOutcome(course=make_course(), competency=competency(version, "A"))
    with pytest.raises(ValidationError) as caught:
        outcome.clean()
    assert caught.value.message_dict == {"level": ["Say which level the course leads to."]}
    outcome.level = version.levels.get(rank=2)
    outcome.clean()


def test_an_outcome_has_no_level_where_the_framework_has_none():
    CourseOutcome(course=make_course(), competency=competency(make_framework(ranks=0), "A")).clean()


def test_a_level_of_another_framework_is_refused():
    version, other = make_framework(), make_framework()
    outcome = CourseOutcome(course=make_course(), competency=competency(version, "A"), level=other.levels.get(rank=2))
    with pytest.raises(ValidationError) as caught:
        outcome.clean()
    assert caught.value.message_dict == {"level": ["This level belongs to another framework than the competency."]}


def test_an_outcome_without_competency_leaves_the_sentence_to_the_field():
    CourseOutcome(course=make_course()).clean()


def test_a_course_leads_to_a_competency_once():
    version = make_framework()
    course = make_course(version, {"A": 2})
    twin = CourseOutcome(course=course, competency=competency(version, "A"), level=version.levels.get(rank=3))
    with pytest.raises(ValidationError) as caught:
        twin.validate_constraints()
    assert caught.value.messages == ["This competency is already an outcome of the course."]
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save()


# --- The tree ----------------------------------------------------------------------------------------------------
def test_each_page_has_its_place():
    root = Page.get_first_root_node()
    assert not HomePage.can_create_at(root)  # there is one
    assert not CataloguePage.can_create_at(HomePage.objects.get())
    assert CoursePage.can_create_at(CataloguePage.objects.get())
    assert not CoursePage.can_create_at(HomePage.objects.get())
    course = make_course()
    assert LessonPage.can_create_at(course)
    assert not LessonPage.can_create_at(CataloguePage.objects.get())
    assert LessonPage.allowed_subpage_models() == []


def test_a_lesson_knows_its_course():
    course = make_course(lessons=2)
    assert {lesson.course for lesson in lessons_of(course)} == {course}


def test_only_what_is_live_and_open_is_offered():
    from wagtail.models import PageViewRestriction

    shown, draft, closed = make_course(), make_course(), make_course()
    draft.unpublish()
    PageViewRestriction.objects.create(page=closed, restriction_type=PageViewRestriction.LOGIN)
    assert list(CoursePage.objects.offered()) == [shown]


# --- Activity ----------------------------------------------------------------------------------------------------
def refuse(act) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        act()


def test_a_person_takes_a_course_once_at_a_time():
    person, course = make_person(), make_course()
    first = Enrolment.objects.create(person=person, course=course)
    refuse(lambda: Enrolment.objects.create(person=person, course=course, number=2))
    refuse(lambda: Enrolment.objects.create(person=person, course=course, number=1, completed_at=first.enrolled_at))
    twin = Enrolment(person=person, course=course, number=2)
    with pytest.raises(ValidationError) as caught:
        twin.full_clean()
    assert caught.value.messages == ["This person already takes this course."]
    Enrolment.objects.create(person=make_person(), course=course)


def test_progress_and_attempts_are_unique():
    course = make_course()
    lesson, check = lessons_of(course)
    enrolment = Enrolment.objects.create(person=make_person(), course=course)
    LessonProgress.objects.create(enrolment=enrolment, lesson=lesson)
    refuse(lambda: LessonProgress.objects.create(enrolment=enrolment, lesson=lesson))
    attempt = Attempt.objects.create(enrolment=enrolment, lesson=check)
    refuse(lambda: Attempt.objects.create(enrolment=enrolment, lesson=check, number=2))
    attempt.submitted_at = attempt.started_at
    attempt.save()
    refuse(lambda: Attempt.objects.create(enrolment=enrolment, lesson=check, number=1))
    Attempt.objects.create(enrolment=enrolment, lesson=check, number=2)


def test_a_course_somebody_takes_cannot_be_deleted():
    course = make_course()
    enrolment = take_course(make_person("Ana"), course)
    for page in (course, CataloguePage.objects.get()):
        # The tree counts children before it deletes: the CMS does this in a transaction, and so must everybody.
        with pytest.raises(ProtectedError), transaction.atomic():
            page.delete()
    assert Enrolment.objects.get() == enrolment


def test_a_course_others_require_cannot_be_deleted():
    basics = make_course()
    make_course(requires=[basics])
    with pytest.raises(ProtectedError):
        basics.delete()


def test_rows_call_themselves_by_person_and_course():
    course = make_course(title="Risk")
    enrolment = take_course(make_person("Ana"), course)
    assert str(enrolment) == "Ana · Risk"
    assert {str(p) for p in enrolment.progress.all()} == {"Ana · Risk · Lesson 1", "Ana · Risk · Final check"}
    assert str(enrolment.attempts.get()) == "Ana · Risk · Final check · 1"
