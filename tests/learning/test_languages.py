"""Who changes the language goes on where she is; what is still to come, comes in the language chosen."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils.translation import override

from courses.services import complete_lesson, enrol
from learning.enums import PlanReason
from learning.models import PathPlan
from learning.selectors import change_views, current_plans, path_of, recent_changes
from learning.services import replan
from tests.builders import (
    lessons_of,
    make_course,
    make_framework,
    make_hr,
    make_person,
    make_post,
    make_profile,
    make_unit,
    take_course,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    return make_framework(codes="AB")


@pytest.fixture
def courses(version):
    """Two courses in two languages each, as (key, language) → page."""
    return {
        (key, language): make_course(
            version, {code: 4}, key=key, language=language, title=f"{key} {language}", lessons=2
        )
        for key, code in (("begun", "A"), ("later", "B"))
        for language in ("en", "es")
    }


@pytest.fixture
def house(version, courses):
    """Ana has begun a course in English; Max leads her, Hilda serves her unit."""
    unit, boss = make_unit(), make_person("Max")
    make_hr(hilda := make_person("Hilda"), unit)
    post = make_post(unit, holder=boss)
    ana = make_person("Ana", language="en")
    make_post(unit, holder=ana, reports_to=post, roles=[make_profile(version, {"A": 4, "B": 4})])
    enrolment = enrol(person=ana, course=courses["begun", "en"])
    complete_lesson(enrolment=enrolment, lesson=lessons_of(courses["begun", "en"])[0])
    replan(person=ana, reason=PlanReason.SWEEP)
    return ana, boss, hilda


def client_of(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def choose(person, language: str) -> Client:
    client = client_of(person)
    client.post("/language/", {"language": language})
    person.refresh_from_db()
    return client


def test_a_course_begun_goes_on_in_its_language_and_the_others_change(house, courses):
    ana, _boss, _hilda = house
    client = choose(ana, "es")
    pages = [step.course for step in current_plans([ana.pk])[ana.pk].steps.all()]
    assert pages == [courses["begun", "en"], courses["later", "es"]]
    text = client.get("/learn/").content.decode()
    assert "/courses/begun/lesson-2/" in text
    assert "/courses/begun-es/" not in text
    assert "later es" in text
    assert path_of(ana).other == ()


def test_choosing_the_same_language_or_having_no_path_writes_no_plan(house):
    ana, boss, _hilda = house
    plans = PathPlan.objects.count()
    choose(ana, "en")
    choose(boss, "es")
    assert PathPlan.objects.count() == plans


def test_manager_and_hr_see_that_it_is_begun_whatever_the_plan_says(house, courses):
    ana, boss, hilda = house
    choose(ana, "es")
    # A plan from before courses went on in their language names the other page.
    step = current_plans([ana.pk])[ana.pk].steps.get(course__key="begun")
    type(step).objects.filter(pk=step.pk).update(course=courses["begun", "es"])
    first = path_of(ana).steps[0]
    assert (first.state, first.course) == ("current", courses["begun", "en"])
    assert first.minutes_left == 15  # one lesson of ten minutes and the check
    for reader in (boss, hilda):
        text = client_of(reader).get(f"/team/{ana.pk}/").content.decode()
        assert "begun en" in text
        assert "begun es" not in text


def test_of_a_course_begun_in_two_languages_the_one_seen_last_counts(house, courses):
    ana, _boss, _hilda = house
    second = enrol(person=ana, course=courses["begun", "es"])
    path = path_of(ana)
    assert path.steps[0].progress.enrolment == second
    assert [state.course for state in path.other] == [courses["begun", "en"]]
    replan(person=ana, reason=PlanReason.SWEEP)
    assert current_plans([ana.pk])[ana.pk].steps.get(course__key="begun").course == courses["begun", "es"]


def test_what_changed_is_told_in_the_readers_language(house, courses):
    ana, _boss, _hilda = house
    take_course(ana, courses["later", "en"])
    plans = recent_changes(ana)
    for language in ("en", "es"):
        with override(language):
            titles = {change.course_title for change in change_views(plans)[plans[0].pk]}
        assert titles == {f"later {language}"}
