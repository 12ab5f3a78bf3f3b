"""The page after a course: which levels moved, and what this course – not a later one – changed on the path."""

import pytest
from django.test import Client

from competencies.enums import EvidenceKind
from learning.selectors import plan_caused_by
from tests.builders import (
    competency,
    give_evidence,
    make_course,
    make_framework,
    make_person,
    make_post,
    make_profile,
    make_unit,
    take_course,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    return make_framework(codes="ABC")


def result(enrolment) -> str:
    client = Client()
    client.force_login(enrolment.person)
    return client.get(f"/learn/results/{enrolment.pk}/").content.decode()


def with_path(version, **needs):
    ana = make_person()
    make_post(make_unit(), holder=ana, roles=[make_profile(version, needs)])
    return ana


def test_a_result_shows_each_level_before_and_after(version):
    course = make_course(version, {"A": 4, "B": 2})
    ana = with_path(version, A=4, B=2)
    give_evidence(ana, competency(version, "A"), 2, days_ago=3)
    give_evidence(ana, competency(version, "B"), 3, days_ago=3)
    text = result(take_course(ana, course))
    assert "level 2 (label 2) before, level 4 (label 4) now" in text
    assert "level 3 (label 3), as before" in text


def test_what_is_recorded_later_does_not_change_what_a_course_has_moved(version):
    ana = with_path(version, A=5)
    enrolment = take_course(ana, make_course(version, {"A": 3}))
    give_evidence(ana, competency(version, "A"), 5)
    assert "level 0 before, level 3 (label 3) now" in result(enrolment)


def test_a_result_names_the_changes_of_its_own_course_not_of_the_newest_plan(version):
    first, second = (make_course(version, {code: 3}, key=f"course-{code.lower()}") for code in "AB")
    ana = with_path(version, A=3, B=3)
    one, two = take_course(ana, first), take_course(ana, second)
    assert "“Course A” left your path: you passed it." in result(one)
    assert "Course B” left" not in result(one)
    assert "“Course B” left your path: you passed it." in result(two)
    assert "Course A” left" not in result(two)


def test_a_course_that_was_not_on_the_path_changes_it_by_what_it_shows(version):
    make_course(version, {"A": 3}, key="planned", effort=30)
    ana = with_path(version, A=3)
    other = make_course(version, {"A": 3}, key="other", effort=90)
    assert "“Planned” left your path: level 3 in “Competency A” is shown by a course." in result(
        take_course(ana, other)
    )


def test_a_course_that_changes_nothing_names_no_change_although_others_did(version):
    ana = with_path(version, A=3)
    make_course(version, {"A": 3})
    aside = take_course(ana, make_course(version, {"C": 2}))
    give_evidence(ana, competency(version, "A"), 3, EvidenceKind.PANEL)  # changes the path, later
    assert plan_caused_by(aside) is None
    assert "What changed on your path" not in result(aside)


def test_a_course_taken_again_does_not_claim_what_the_first_time_changed(version):
    course = make_course(version, {"A": 3})
    ana = with_path(version, A=3)
    first, again = take_course(ana, course), take_course(ana, course)
    assert plan_caused_by(first) is not None
    assert plan_caused_by(again) is None
