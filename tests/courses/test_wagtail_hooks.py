"""Courses in the CMS: what an author sees before publishing, what she is told, and what she cannot destroy."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group
from wagtail.models import Page
from wagtail.test.utils.form_data import inline_formset, nested_form_data, rich_text, streamfield

from courses.models import Attempt, CataloguePage, CoursePage, Enrolment, LessonPage, LessonProgress
from courses.services import complete_lesson, enrol
from tests.builders import competency, lessons_of, make_course, make_framework, make_person, right_answers, take_course
from tests.courses.builders import choice, short_text

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    person = make_person("Admin", is_superuser=True, is_staff=True)
    client.force_login(person)
    return person


@pytest.fixture
def version():
    return make_framework(codes="AB")


def sentences(response) -> str:
    html = response.content.decode()
    found = re.findall(r'class="error-message">(.*?)</', html, re.DOTALL)
    found += re.findall(r'<li class="error">(.*?)</li>', html, re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", " ".join(found))).split())


def activity() -> tuple[int, int, int, int]:
    models = (Enrolment, LessonProgress, Attempt, Page)
    return tuple(model.objects.count() for model in models)


# --- Forms -------------------------------------------------------------------------------------------------------
class Desk:
    """The form of a course, filled in well."""

    def __init__(self, client, version) -> None:
        self.client = client
        self.row = {"competency": competency(version, "A").pk, "level": version.levels.get(rank=2).pk}
        self.other = {"competency": competency(version, "B").pk, "level": version.levels.get(rank=1).pk}

    def values(self, **changes: Any) -> dict[str, Any]:
        outcomes = changes.pop("outcomes", [self.row])
        needs = [{"prerequisite": page.pk} for page in changes.pop("needs", [])]
        return nested_form_data(
            {
                "title": "Risk",
                "slug": "risk",
                "summary": "What you can do afterwards.",
                "effort_minutes": "60",
                "pass_mark_pct": "80",
                "language": "en",
                "format": "self_paced",
                "runs": inline_formset([]),
                "key": "",
                "outcomes": inline_formset(outcomes),
                "prerequisites": inline_formset(needs),
                "comments": inline_formset([]),
                "action-publish": "1",
                **changes,
            }
        )

    def create(self, **changes: Any):
        parent = CataloguePage.objects.get()
        return self.client.post(f"/cms/pages/add/courses/coursepage/{parent.pk}/", self.values(**changes))


@pytest.fixture
def desk(client, admin, version):
    return Desk(client, version)


def test_a_course_is_written_published_and_in_the_catalogue(desk, client):
    basics = make_course(title="Basics")
    assert desk.create(outcomes=[desk.row, desk.other], needs=[basics]).status_code == 302
    course = CoursePage.objects.get(slug="risk")
    assert (course.key, course.live) == ("risk", True)
    assert list(course.outcomes.values_list("competency__code", "level__rank")) == [("A", 2), ("B", 1)]
    assert course.prerequisites.get().prerequisite == basics
    assert "Risk" in client.get("/courses/").content.decode()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title": ""}, "This field is required."),
        ({"summary": ""}, "This field is required."),
        ({"summary": "x" * 401}, "Ensure this value has at most 400 characters (it has 401)."),
        ({"effort_minutes": "0"}, "Ensure this value is greater than or equal to 1."),
        ({"effort_minutes": "an hour"}, "Enter a whole number."),
        ({"pass_mark_pct": "101"}, "Ensure this value is less than or equal to 100."),
        ({"pass_mark_pct": ""}, "This field is required."),
        ({"language": "xx"}, "Select a valid choice. xx is not one of the available choices."),
        ({"slug": "taken"}, "The slug 'taken' is already in use within the parent page."),
        ({"key": "taken"}, "There is already a course with this key in this language."),
        ({"key": "a b"}, "Enter a valid “slug” consisting of letters, numbers, underscores or hyphens."),
        ({"outcomes": []}, "Please submit at least 1 form."),
    ],
)
def test_a_course_that_cannot_be_is_refused_with_a_sentence(desk, changes, sentence):
    make_course(key="taken")
    assert_refused(desk, sentence, **changes)


def assert_refused(desk: Desk, sentence: str, **changes: Any) -> None:
    before = activity()
    response = desk.create(**changes)
    assert response.status_code == 200
    assert sentence in sentences(response)
    assert activity() == before


def test_a_key_that_is_taken_from_the_slug_is_looked_at_too(desk):
    make_course(key="risk")
    CoursePage.objects.update(slug="elsewhere")
    assert_refused(desk, "There is already a course with this key in this language.", key="")


def test_outcomes_that_cannot_be_are_refused_with_a_sentence(desk):
    assert_refused(desk, "Say which level the course leads to.", outcomes=[desk.row | {"level": ""}])
    assert_refused(
        desk,
        "This level belongs to another framework than the competency.",
        outcomes=[desk.row | {"level": make_framework().levels.get(rank=2).pk}],
    )
    assert_refused(
        desk,
        "Please correct the duplicate data for course and competency, which must be unique.",
        outcomes=[desk.row, desk.row],
    )


def test_a_course_that_needs_itself_is_refused_in_the_form(desk):
    course = make_course(key="law")
    assert_refused(
        desk, "A course cannot be its own prerequisite.", key="law", language="es", slug="ley", needs=[course]
    )


def test_a_circle_is_refused_in_the_form_of_the_course_that_closes_it(desk, client):
    basics = make_course(key="basics")
    top = make_course(key="top", requires=[basics])
    values = desk.values(title=basics.title, slug=basics.slug, key="basics", needs=[top])
    response = client.post(f"/cms/pages/{basics.pk}/edit/", values)
    assert response.status_code == 200
    assert "These courses would require each other in a circle: basics → top → basics." in sentences(response)
    assert not CoursePage.objects.get(pk=basics.pk).prerequisites.exists()
    draft = client.post(f"/cms/pages/{basics.pk}/edit/", {k: v for k, v in values.items() if k != "action-publish"})
    assert draft.status_code == 200  # not as a draft either
    assert "in a circle" in sentences(draft)


def test_a_prerequisite_that_is_taken_away_in_the_form_closes_no_circle(desk, client):
    basics = make_course(key="basics")
    top = make_course(key="top", requires=[basics])
    row = top.prerequisites.get()
    gone = inline_formset([{"id": row.pk, "prerequisite": basics.pk, "DELETE": "on"}], initial=1)
    values = desk.values(title=top.title, slug=top.slug, key="top") | nested_form_data({"prerequisites": gone})
    assert client.post(f"/cms/pages/{top.pk}/edit/", values).status_code == 302
    values = desk.values(title=basics.title, slug=basics.slug, key="basics", needs=[top])
    assert client.post(f"/cms/pages/{basics.pk}/edit/", values).status_code == 302
    assert CoursePage.objects.get(pk=basics.pk).prerequisites.get().prerequisite.key == "top"


# --- Lessons -----------------------------------------------------------------------------------------------------
def lesson_values(**changes: Any) -> dict[str, Any]:
    values = {
        "title": "New lesson",
        "slug": "new-lesson",
        "minutes": "10",
        "body": streamfield([("text", rich_text("<p>Read this.</p>"))]),
        "comments": inline_formset([]),
        "action-publish": "1",
    }
    return nested_form_data(values | changes)


def test_a_lesson_is_written_and_published(client, admin):
    course = make_course()
    response = client.post(f"/cms/pages/add/courses/lessonpage/{course.pk}/", lesson_values())
    assert response.status_code == 302
    assert [lesson.title for lesson in lessons_of(course)] == ["Lesson 1", "Final check", "New lesson"]


def test_a_check_without_question_is_refused_with_a_sentence(client, admin):
    course = make_course()
    response = client.post(f"/cms/pages/add/courses/lessonpage/{course.pk}/", lesson_values(is_check="on"))
    assert response.status_code == 200
    assert "A final check needs at least one question." in unescape(response.content.decode())
    assert not LessonPage.objects.filter(slug="new-lesson").exists()


# --- Previews ----------------------------------------------------------------------------------------------------
def test_a_preview_of_a_lesson_shows_its_questions_and_keeps_nothing(client, admin):
    course = make_course(lessons=2)
    lesson = lessons_of(course)[0]
    lesson.body = [choice(True, False), short_text("it")]
    lesson.save_revision()
    enrol(person=admin, course=course)
    before = activity()
    html = client.get(f"/cms/pages/{lesson.pk}/view_draft/").content.decode()
    assert "Preview: answers are not kept." in html
    assert "Lesson 1 of 3" in html
    assert "Which?" in html
    assert "hx-post" not in html
    assert "/submit/" not in html
    assert "/done/" not in html
    assert activity() == before
    assert Enrolment.objects.get().last_seen_at == Enrolment.objects.get().enrolled_at


def test_a_preview_of_a_lesson_that_is_not_saved_yet_says_where_it_will_stand(client, admin):
    course = make_course(lessons=2)
    before = activity()
    url = f"/cms/pages/add/courses/lessonpage/{course.pk}/preview/"
    assert client.post(url, lesson_values()).json()["is_valid"]
    response = client.get(url)
    assert response.status_code == 200
    html = response.content.decode()
    assert "Lesson 4 of 4" in html
    assert "Read this." in html
    assert activity() == before


def test_previews_of_home_catalogue_and_course_write_nothing(client, admin, version, desk):
    course = make_course(version, {"A": 2})
    enrolment = enrol(person=admin, course=course)
    complete_lesson(enrolment=enrolment, lesson=lessons_of(course)[0])
    course.save_revision()
    before = activity()
    catalogue = CataloguePage.objects.get()
    for page in (course, catalogue, catalogue.get_parent()):
        page.specific.save_revision()
        assert client.get(f"/cms/pages/{page.pk}/view_draft/").status_code == 200
    html = client.get(f"/cms/pages/{course.pk}/view_draft/").content.decode()
    assert "Lesson 2 of 2" not in html  # an author looks at the course, not at herself in it
    url = f"/cms/pages/add/courses/coursepage/{catalogue.pk}/preview/"
    assert client.post(url, desk.values(slug="not-yet")).json()["is_valid"]
    assert client.get(url).status_code == 200
    assert activity() == before


# --- Deleting ----------------------------------------------------------------------------------------------------
def try_to_delete(client, *pages: Page) -> list[str]:
    """By the page's own button and in a list; what is said."""
    said = []
    for page in pages:
        for method in (client.get, client.post):
            said.append(sentences(method(f"/cms/pages/{page.pk}/delete/", follow=True)))
        bulk = f"/cms/bulk/wagtailcore/page/delete/?id={page.pk}"
        said.append(sentences(client.post(bulk, follow=True)))
    return said


def test_what_people_took_cannot_be_deleted_and_the_catalogue_stays_whole(client, admin, version):
    course = make_course(version, {"A": 2}, lessons=2)
    person = make_person()
    take_course(person, course)
    before = activity()
    catalogue = CataloguePage.objects.get()
    pages = [catalogue, course, *lessons_of(course)]
    for said, page in zip(try_to_delete(client, *pages), [page for page in pages for _ in range(3)], strict=True):
        assert f"“{page.title}” cannot be deleted: people have worked in it" in said
    assert activity() == before
    assert Page.find_problems() == ([], [], [], [], [])
    assert client.get(course.url).status_code == 200


def test_a_course_somebody_has_begun_cannot_be_deleted_but_a_lesson_nobody_opened_can(client, admin, version):
    course = make_course(version, {"A": 2}, lessons=2)
    enrolment = enrol(person=make_person(), course=course)
    first, second, check = lessons_of(course)
    complete_lesson(enrolment=enrolment, lesson=first)
    assert all("cannot be deleted" in said for said in try_to_delete(client, course, first))
    assert client.post(f"/cms/pages/{second.pk}/delete/").status_code == 302
    assert lessons_of(course) == [first, check]


def test_a_course_others_require_cannot_be_deleted(client, admin):
    basics = make_course(title="Basics")
    make_course(requires=[basics])
    asked, pressed, _in_a_list = try_to_delete(client, basics)  # in a list Wagtail itself refuses, with less to say
    assert "“Basics” cannot be deleted" in asked
    assert "“Basics” cannot be deleted" in pressed
    assert CoursePage.objects.filter(pk=basics.pk).exists()


def test_a_course_nobody_took_is_deleted_with_its_lessons(client, admin):
    course, other = make_course(), make_course()
    assert client.post(f"/cms/pages/{course.pk}/delete/").status_code == 302
    assert list(CoursePage.objects.all()) == [other]
    assert LessonPage.objects.count() == 2
    assert client.post(f"/cms/bulk/wagtailcore/page/delete/?id={other.pk}").status_code == 302
    assert not CoursePage.objects.exists()


def test_a_course_that_is_withdrawn_keeps_what_people_did(client, admin, version):
    course = make_course(version, {"A": 2})
    person = make_person()
    take_course(person, course)
    values = {"include_descendants": "on"}
    assert client.post(f"/cms/pages/{course.pk}/unpublish/", values).status_code == 302
    assert not LessonPage.objects.live().exists()
    assert Enrolment.objects.get().completed_at is not None
    assert Attempt.objects.get().answers == right_answers(lessons_of(course)[-1])
    client.force_login(person)
    assert client.get(f"/learn/results/{Enrolment.objects.get().pk}/").status_code == 200
    assert client.get("/learn/").status_code == 200


# --- Who may -----------------------------------------------------------------------------------------------------
def test_an_editor_may_write_and_a_learner_may_not(client):
    editor, learner = make_person(), make_person()
    editor.groups.add(Group.objects.get(name="Editors"))
    course = make_course()
    client.force_login(editor)
    assert client.get(f"/cms/pages/{course.pk}/edit/").status_code == 200
    assert client.get(f"/cms/pages/add/courses/lessonpage/{course.pk}/").status_code == 200
    client.force_login(learner)
    for address in (f"{course.pk}/edit", f"add/courses/lessonpage/{course.pk}", f"{course.pk}/delete"):
        assert client.post(f"/cms/pages/{address}/").status_code == 403
    assert CoursePage.objects.filter(pk=course.pk).exists()


def test_starting_and_completing_have_their_words_in_the_log(client, admin, version):
    take_course(make_person("Ana"), make_course(version, {"A": 2}))
    html = client.get("/cms/reports/site-history/").content.decode()
    assert "Course started" in html
    assert "Course completed" in html
