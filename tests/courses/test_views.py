"""The doors to courses: who gets in, what a garbled form leads to, and how many questions the database is asked."""

from __future__ import annotations

import gc
import re
from hashlib import sha256
from html import unescape
from io import StringIO
from urllib.parse import urlencode

import pytest
from django.core.management import call_command
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from wagtail.models import PageViewRestriction
from wagtail.search.backends import get_search_backend

from courses.marking import MAX_TEXT
from courses.models import Attempt, CataloguePage, CoursePage, Enrolment, HomePage, LessonPage, LessonProgress
from courses.questions import questions_in
from courses.services import complete_lesson, enrol
from courses.views import catalogue_context
from tests.builders import (
    check_body,
    lessons_of,
    make_course,
    make_framework,
    make_person,
    right_answers,
    take_course,
)
from tests.courses.builders import (
    block,
    choice,
    make_document,
    make_image,
    matching,
    short_text,
    true_false,
)

pytestmark = pytest.mark.django_db
HUGE = 10**30


@pytest.fixture
def person():
    return make_person("Ana")


@pytest.fixture
def learner(client, person):
    client.force_login(person)
    return client


@pytest.fixture
def course():
    return make_course(make_framework(), {"A": 3}, lessons=2, title="Governing cyber risk")


@pytest.fixture
def taken(person, course):
    return enrol(person=person, course=course)


def check_of(course: CoursePage) -> LessonPage:
    return lessons_of(course)[-1]


def finish_lessons(enrolment: Enrolment) -> LessonPage:
    """Every lesson done; returns the check."""
    for lesson in lessons_of(enrolment.course):
        if not lesson.is_check:
            complete_lesson(enrolment=enrolment, lesson=lesson)
    return check_of(enrolment.course)


def words(response) -> str:
    """The page as somebody reads it."""
    html = re.sub(r"<(script|style|svg).*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def fields(lesson: LessonPage, answers: dict) -> dict[str, object]:
    """Answers as the form sends them."""
    sent: dict[str, object] = {}
    for key, answer in answers.items():
        if isinstance(answer, dict):
            tokens = {pair.id: pair.token for q in questions_in(lesson.body) if q.id == key for pair in q.pairs}
            sent |= {f"q-{key}-{left}": tokens[right] for left, right in answer.items()}
        else:
            sent[f"q-{key}"] = answer
    return sent


def activity() -> tuple[int, int, int]:
    return Enrolment.objects.count(), LessonProgress.objects.count(), Attempt.objects.count()


# --- Who gets in -------------------------------------------------------------------------------------------------
def test_a_lesson_of_a_course_one_does_not_take_leads_to_the_course(learner, course):
    make = enrol(person=make_person(), course=course)  # somebody else takes it
    for lesson in lessons_of(course):
        response = learner.get(lesson.url, follow=True)
        assert response.redirect_chain == [(course.url, 302)]
        assert "Start the course to open its lessons." in words(response)
    assert activity() == (1, 0, 0)
    assert make.progress.count() == 0


def test_a_stranger_is_asked_to_sign_in_and_comes_back_to_the_lesson(client, course):
    lesson = lessons_of(course)[0]
    response = client.get(lesson.url)
    assert response.status_code == 302
    assert response["Location"] == f"/account/login/?next={lesson.url}"


@pytest.mark.parametrize("door", ["done", "answers", "submit"])
def test_nobody_writes_into_a_course_she_does_not_take(learner, course, door):
    enrol(person=make_person(), course=course)
    for lesson in lessons_of(course):
        answers = fields(lesson, right_answers(lesson)) | {"attempt": "1"}
        assert learner.post(f"/learn/lessons/{lesson.pk}/{door}/", answers).status_code == 404
    assert activity() == (1, 0, 0)


@pytest.mark.parametrize("door", ["done", "answers", "submit"])
def test_a_stranger_writes_nothing(client, taken, door):
    lesson = lessons_of(taken.course)[0]
    response = client.post(f"/learn/lessons/{lesson.pk}/{door}/")
    assert response["Location"].startswith("/account/login/")
    assert activity() == (1, 0, 0)


@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "patch"])
def test_doors_that_write_take_posts_only(learner, taken, method):
    lesson = lessons_of(taken.course)[0]
    urls = [f"/learn/lessons/{lesson.pk}/{door}/" for door in ("done", "answers", "submit")]
    for url in [*urls, f"/learn/enrol/{taken.course_id}/"]:
        assert getattr(learner, method)(url).status_code == 405
    assert activity() == (1, 0, 0)


def test_forms_without_token_are_refused(person, course):
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    assert client.post(f"/learn/enrol/{course.pk}/").status_code == 403
    assert activity() == (0, 0, 0)


@pytest.mark.parametrize("wrong", [0, 99_999, HUGE])
def test_numbers_of_nothing_are_not_found(learner, taken, wrong):
    urls = [f"/learn/lessons/{wrong}/{door}/" for door in ("done", "answers", "submit")]
    for url in [*urls, f"/learn/enrol/{wrong}/"]:
        assert learner.post(url).status_code == 404
    assert learner.get(f"/learn/results/{wrong}/").status_code == 404


@pytest.mark.parametrize("wrong", ["-1", "x", "1.5", "%00", "1/2", "١"])
def test_what_is_no_number_is_not_found(learner, wrong):
    assert learner.post(f"/learn/enrol/{wrong}/").status_code == 404
    assert learner.post(f"/learn/lessons/{wrong}/done/").status_code == 404


def test_the_number_of_another_kind_of_page_is_not_found(learner, taken):
    for page in (HomePage.objects.get(), CataloguePage.objects.get(), lessons_of(taken.course)[0]):
        assert learner.post(f"/learn/enrol/{page.pk}/").status_code == 404
    for page in (HomePage.objects.get(), taken.course):
        assert learner.post(f"/learn/lessons/{page.pk}/submit/").status_code == 404


# --- Starting and going on ---------------------------------------------------------------------------------------
def test_starting_a_course_leads_to_its_first_lesson_and_twice_to_the_same(learner, person, course):
    first = lessons_of(course)[0]
    for _ in range(2):
        response = learner.post(f"/learn/enrol/{course.pk}/")
        assert (response.status_code, response["Location"]) == (302, first.url)
    assert Enrolment.objects.get().person == person


def test_a_course_that_is_not_offered_cannot_be_started(learner, course):
    restriction = PageViewRestriction.objects.create(page=course, restriction_type=PageViewRestriction.LOGIN)
    assert learner.post(f"/learn/enrol/{course.pk}/").status_code == 404
    restriction.delete()
    course.unpublish()
    assert learner.post(f"/learn/enrol/{course.pk}/").status_code == 404
    assert activity() == (0, 0, 0)


def test_a_course_withdrawn_between_look_and_press_says_so(learner, course, monkeypatch):
    from courses import services

    def refuse(**kwargs):
        raise services.NotPossible("This course is not offered at present.")

    monkeypatch.setattr(services, "enrol", refuse)
    response = learner.post(f"/learn/enrol/{course.pk}/", follow=True)
    assert "This course is not offered at present." in words(response)


def test_a_course_that_is_withdrawn_goes_on_for_who_takes_it(learner, taken):
    taken.course.unpublish()
    first, second, check = lessons_of(taken.course)
    assert learner.get(taken.course.url).status_code == 404
    assert learner.get(first.url).status_code == 200
    assert learner.post(f"/learn/lessons/{first.pk}/done/")["Location"] == second.url
    assert learner.post(f"/learn/lessons/{second.pk}/done/")["Location"] == check.url
    answers = fields(check, right_answers(check)) | {"attempt": "1"}
    response = learner.post(f"/learn/lessons/{check.pk}/submit/", answers, follow=True)
    assert response.redirect_chain == [(f"/learn/results/{taken.pk}/", 302)]
    assert response.status_code == 200


def test_a_lesson_that_is_withdrawn_is_gone_for_reading_and_writing(learner, taken):
    lesson = lessons_of(taken.course)[0]
    lesson.unpublish()
    assert learner.get(lesson.url).status_code == 404
    assert learner.post(f"/learn/lessons/{lesson.pk}/done/").status_code == 404


def test_done_leads_to_what_is_left_and_at_the_end_to_the_result(learner, person):
    course = make_course(make_framework(), {"A": 2}, lessons=2, check=False)
    enrolment = enrol(person=person, course=course)
    first, second = lessons_of(course)
    assert learner.post(f"/learn/lessons/{second.pk}/done/")["Location"] == first.url
    response = learner.post(f"/learn/lessons/{first.pk}/done/", follow=True)
    assert response.redirect_chain == [(f"/learn/results/{enrolment.pk}/", 302)]
    assert "Completed" in words(response)
    assert learner.post(f"/learn/lessons/{first.pk}/done/")["Location"] == f"/learn/results/{enrolment.pk}/"


def test_a_check_cannot_be_marked_as_done(learner, taken):
    check = finish_lessons(taken)
    response = learner.post(f"/learn/lessons/{check.pk}/done/", follow=True)
    assert response.redirect_chain == [(check.url, 302)]
    assert "A check is done when you pass it." in words(response)


def test_a_course_whose_last_lesson_was_withdrawn_is_no_dead_end(learner, person):
    course = make_course(make_framework(), {"A": 2}, lessons=2, check=False)
    enrolment = enrol(person=person, course=course)
    first, second = lessons_of(course)
    complete_lesson(enrolment=enrolment, lesson=first)
    second.unpublish()
    assert f'action="/learn/enrol/{course.pk}/"' in learner.get(course.url).content.decode()
    response = learner.post(f"/learn/enrol/{course.pk}/", follow=True)
    assert response.redirect_chain == [(f"/learn/results/{enrolment.pk}/", 302)]


def test_a_course_without_lessons_stays_on_its_page(learner, course):
    empty = make_course(lessons=0, check=False)
    response = learner.post(f"/learn/enrol/{empty.pk}/", follow=True)
    assert response.redirect_chain == [(empty.url, 302)]
    assert response.status_code == 200


# --- The check ---------------------------------------------------------------------------------------------------
def test_blank_answers_come_back_with_a_sentence_each_and_what_was_answered(learner, taken):
    check = finish_lessons(taken)
    one, text = questions_in(check.body)
    typed = "<b>it & all</b>"
    response = learner.post(f"/learn/lessons/{check.pk}/submit/", {f"q-{text.id}": typed, "attempt": "1"})
    assert response.status_code == 422
    html = response.content.decode()
    assert html.count("Answer this question.") == 2  # above, and beside the one question
    assert f'href="#question-{one.id}"' in html
    assert f'href="#question-{text.id}"' not in html
    assert 'value="&lt;b&gt;it &amp; all&lt;/b&gt;"' in html
    assert typed not in html
    attempt = Attempt.objects.get()
    assert (attempt.answers, attempt.submitted_at) == ({text.id: typed}, None)
    # They are still there when she comes back.
    assert 'value="&lt;b&gt;it &amp; all&lt;/b&gt;"' in learner.get(check.url).content.decode()


def test_an_empty_form_gets_a_sentence_for_every_question(learner, taken):
    check = finish_lessons(taken)
    check.body = [
        choice(True, False),
        choice(True, True, False, kind="multiple_choice"),
        true_false(),
        short_text("it"),
        matching(("a", "1"), ("b", "2")),
    ]
    check.save()
    response = learner.post(f"/learn/lessons/{check.pk}/submit/")
    assert response.status_code == 422
    for question in questions_in(LessonPage.objects.get(pk=check.pk).body):
        assert f'href="#question-{question.id}"' in response.content.decode()
    assert response.content.decode().count("Answer this question.") == 10


@pytest.mark.parametrize("garbage", ["", "x", "1.5", "-1", "0", "9" * 30, "9" * 5000, "\0", "１", None])
def test_a_garbled_number_of_the_attempt_is_the_next_attempt(learner, taken, garbage):
    check = finish_lessons(taken)
    answers = fields(check, right_answers(check))
    if garbage is not None:
        answers["attempt"] = garbage
    response = learner.post(f"/learn/lessons/{check.pk}/submit/", answers)
    assert response["Location"] == f"/learn/results/{taken.pk}/"
    assert Attempt.objects.get().number == 1
    assert learner.post(f"/learn/lessons/{check.pk}/answers/", answers).status_code == 204
    assert Attempt.objects.count() == 1


def test_a_check_before_the_lessons_are_done_is_refused_with_a_sentence(learner, taken):
    check = check_of(taken.course)
    answers = fields(check, right_answers(check)) | {"attempt": "1"}
    response = learner.post(f"/learn/lessons/{check.pk}/submit/", answers, follow=True)
    assert response.redirect_chain == [(check.url, 302)]
    assert "Finish the lessons before the check first." in words(response)
    assert 'id="answers"' not in response.content.decode()
    assert not Attempt.objects.exists()


def test_blank_answers_to_a_check_that_is_not_open_only_say_what_comes_first(learner, taken):
    check = check_of(taken.course)
    response = learner.post(f"/learn/lessons/{check.pk}/submit/", {"attempt": "1"})
    assert response.status_code == 422
    assert "First finish these lessons" in words(response)
    assert "Answer this question." not in words(response)


def test_failing_shows_what_to_read_again_and_trying_again_begins_anew(learner, taken):
    check = finish_lessons(taken)
    one, text = questions_in(check.body)
    wrong = {f"q-{one.id}": one.options[1].id, f"q-{text.id}": "no", "attempt": "1"}
    response = learner.post(f"/learn/lessons/{check.pk}/submit/", wrong, follow=True)
    page = words(response)
    assert "Not passed yet" in page
    assert "0 % right; 80 % are needed." in page
    assert "Worth reading again: Lesson 1" in page

    form = learner.get(f"{check.url}?again=1").content.decode()
    assert 'name="attempt" value="2"' in form
    assert "checked" not in form
    assert "Because." not in form

    right = fields(check, right_answers(check)) | {"attempt": "2"}
    response = learner.post(f"/learn/lessons/{check.pk}/submit/", right, follow=True)
    assert response.redirect_chain == [(f"/learn/results/{taken.pk}/", 302)]
    assert "100 % right answers in the check" in words(response)
    # Afterwards there is nothing to try again.
    assert 'name="attempt" value="3"' in learner.get(f"{check.url}?again=1").content.decode()
    assert "Passed" in words(learner.get(f"{check.url}?again=1"))


def test_a_failed_check_says_which_answers_are_right_and_gives_no_other_away(learner, taken):
    check = finish_lessons(taken)
    check.body = [
        choice(True, False, explanation="WHY ONE"),
        choice(False, True, explanation="WHY TWO"),
        choice(True, True, False, kind="multiple_choice", explanation="WHY MANY"),
        short_text("the-secret-word", explanation="WHY TEXT"),
        matching(("Peru", "Lima"), ("Chile", "Santiago"), explanation="WHY PAIRS"),
    ]
    check.save()
    check = LessonPage.objects.get(pk=check.pk)
    one, two, many, text, pairs = questions_in(check.body)
    lima, santiago = pairs.pairs
    answers = {
        one.id: one.options[0].id,
        two.id: two.options[0].id,
        many.id: [many.options[2].id],
        text.id: "no",
        pairs.id: {lima.id: santiago.id, santiago.id: lima.id},
    }
    learner.post(f"/learn/lessons/{check.pk}/submit/", fields(check, answers) | {"attempt": "1"})
    html = learner.get(check.url).content.decode()
    page = words(learner.get(check.url))
    assert page.count("Not right yet") == 4
    assert html.count("feedback-right") == 1
    for secret in ("WHY", "the-secret-word", "Belongs to", "Right answer", "Also right"):
        assert secret not in page, secret
    assert not re.search(r'class="[^"]*choice-(right|answer|missed|wrong)', html)

    learner.post(f"/learn/lessons/{check.pk}/submit/", fields(check, right_answers(check)) | {"attempt": "2"})
    page = words(learner.get(check.url))
    assert page.count("WHY") == 5


def test_the_form_of_a_matching_question_does_not_say_what_belongs_together(learner, taken):
    check = finish_lessons(taken)
    check.body = [matching(("Peru", "Lima"), ("Chile", "Santiago"), ("Ecuador", "Quito"))]
    check.save()
    html = learner.get(check.url).content.decode()
    [question] = questions_in(LessonPage.objects.get(pk=check.pk).body)
    offered = set(re.findall(r'<option value="([^"]+)"', html))
    assert len(offered) == 3
    # Whatever stands in the page for a right side is not what stands there for its left side, nor made of it.
    for pair in question.pairs:
        assert pair.id not in offered
        for text in (pair.id, f"{question.id}{pair.id}", f"{question.id}:{pair.id}"):
            assert not any(sha256(text.encode()).hexdigest().startswith(token) for token in offered)
    answers = {question.id: {pair.id: pair.id for pair in question.pairs}}
    learner.post(f"/learn/lessons/{check.pk}/answers/", fields(check, answers) | {"attempt": "1"})
    assert Attempt.objects.get().answers == answers
    shown = learner.get(check.url).content.decode()
    assert re.findall(r"selected>([^<]+)<", shown) == ["Lima", "Santiago", "Quito"]


def test_the_same_form_pressed_twice_leads_to_the_same_place(learner, taken):
    check = finish_lessons(taken)
    one, text = questions_in(check.body)
    wrong = {f"q-{one.id}": one.options[1].id, f"q-{text.id}": "no", "attempt": "1"}
    for sent in (wrong, wrong, fields(check, right_answers(check)) | {"attempt": "1"}, {"attempt": "1"}):
        response = learner.post(f"/learn/lessons/{check.pk}/submit/", sent)
        assert response["Location"] == f"{check.url}#result"
    assert Attempt.objects.get().score_pct == 0


def test_forged_and_foreign_answers_are_not_kept(learner, taken):
    check = finish_lessons(taken)
    one, text = questions_in(check.body)
    sent = {
        f"q-{one.id}": "forged",
        f"q-{text.id}": "x" * 10_000,
        "q-00000000-0000-0000-0000-000000000000": "x",
        "results": '{"a": true}',
        "score_pct": "100",
        "passed": "1",
    }
    assert learner.post(f"/learn/lessons/{check.pk}/answers/", sent).status_code == 204
    attempt = Attempt.objects.get()
    assert attempt.answers == {text.id: "x" * MAX_TEXT}
    assert (attempt.passed, attempt.score_pct, attempt.results) == (False, None, {})


def test_a_zero_byte_in_an_answer_breaks_no_database(learner, taken):
    check = finish_lessons(taken)
    text = questions_in(check.body)[1]
    assert learner.post(f"/learn/lessons/{check.pk}/answers/", {f"q-{text.id}": "i\0t"}).status_code == 204
    assert Attempt.objects.get().answers == {text.id: "it"}


def test_an_autosave_that_comes_late_does_not_hide_the_result(learner, taken):
    check = finish_lessons(taken)
    one, text = questions_in(check.body)
    wrong = {f"q-{one.id}": one.options[1].id, f"q-{text.id}": "no", "attempt": "1"}
    learner.post(f"/learn/lessons/{check.pk}/submit/", wrong)
    assert learner.post(f"/learn/lessons/{check.pk}/answers/", wrong).status_code == 204
    assert "Not passed yet" in words(learner.get(check.url))


def test_after_completion_nothing_is_saved_and_nothing_offers_to(learner, person, taken):
    lesson = lessons_of(taken.course)[0]
    lesson.body = check_body()
    lesson.save()
    take_course(person, taken.course)
    check = check_of(taken.course)
    for page in (lesson, check):
        answers = fields(page, right_answers(page)) | {"attempt": "2"}
        assert learner.post(f"/learn/lessons/{page.pk}/answers/", answers).status_code == 204
        html = learner.get(page.url).content.decode()
        assert "hx-post" not in html
        assert "data-saved-mark" not in html
    assert Attempt.objects.count() == 1
    assert "Your result and your certificate" in words(learner.get(check.url))
    assert learner.post(f"/learn/lessons/{check.pk}/submit/", {"attempt": "2"})["Location"] == f"{check.url}#result"


def test_practice_is_marked_beside_each_question(learner, taken):
    lesson = lessons_of(taken.course)[0]
    lesson.body = [
        choice(False, True),
        choice(True, True, False, kind="multiple_choice"),
        true_false("false"),
        short_text("it"),
        matching(("Peru", "Lima"), ("Chile", "Santiago")),
    ]
    lesson.save()
    lesson = LessonPage.objects.get(pk=lesson.pk)
    questions = questions_in(lesson.body)
    sent = fields(lesson, right_answers(lesson)) | {f"q-{questions[3].id}": "that", "attempt": "1"}
    response = learner.post(f"/learn/lessons/{lesson.pk}/submit/", sent)
    assert response["Location"] == f"{lesson.url}#result"
    page = words(learner.get(lesson.url))
    assert "80 % right. The feedback stands below each question." in page
    assert "Accepted: “it”." in page
    html = learner.get(lesson.url).content.decode()
    assert html.count("disabled") >= 4
    assert "hx-post" not in html
    # An empty form is an answer too: everything is wrong, nothing breaks.
    learner.post(f"/learn/lessons/{lesson.pk}/submit/", {"attempt": "2"})
    assert "0 % right." in words(learner.get(lesson.url))


# Wagtail leaves the file of an SVG's rendition to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_every_kind_of_block_is_drawn(learner, taken):
    document, image = make_document("form.pdf"), make_image()
    lesson = lessons_of(taken.course)[0]
    lesson.body = [
        {"type": "text", "value": "<p>Words.</p>"},
        block("picture", image=image.pk, alt="A circle in a square", caption="Figure 1"),
        block(
            "video",
            title="Film",
            video=make_document("film.mp4").pk,
            captions=make_document("film.vtt").pk,
            transcript="<p>She speaks.</p>",
        ),
        *[block("call_out", kind=kind, title="", text="<p>x</p>") for kind in ("key_point", "example", "warning")],
        block("call_out", kind="try_it", title="Yours", text="<p>Go.</p>"),
        block("document", title="A form", document=document.pk),
        choice(True, False),
    ]
    lesson.save()
    html = learner.get(lesson.url).content.decode()
    for part in ('alt="A circle in a square"', "Figure 1", '<track kind="captions"', "She speaks.", "A form", "PDF"):
        assert part in html
    for eyebrow in ("Key point", "Example", "Take care", "Try it"):
        assert eyebrow in html
    gc.collect()


def test_a_lesson_without_content_says_so(learner, taken):
    lesson = lessons_of(taken.course)[0]
    LessonPage.objects.filter(pk=lesson.pk).update(body=[])
    assert "This lesson has no content yet." in words(learner.get(lesson.url))


def test_a_document_that_was_deleted_does_not_break_the_lesson(learner, taken):
    document, image = make_document("form.pdf"), make_image()
    lesson = lessons_of(taken.course)[0]
    lesson.body = [
        block("document", title="A form", document=document.pk),
        block("picture", image=image.pk, alt="A circle", caption=""),
        block("video", title="Film", video=document.pk, captions=document.pk, transcript="<p>She speaks.</p>"),
        {"type": "text", "value": "<p>Words.</p>"},
    ]
    lesson.save()
    document.delete()
    image.delete()
    page = words(learner.get(lesson.url))
    assert "Words." in page
    assert "She speaks." in page


# --- The result --------------------------------------------------------------------------------------------------
def test_a_result_is_seen_by_who_passed_and_by_nobody_else(learner, client, person, taken):
    assert learner.get(f"/learn/results/{taken.pk}/").status_code == 404  # not yet
    take_course(person, taken.course)
    assert learner.get(f"/learn/results/{taken.pk}/").status_code == 200
    for other in (make_person(), make_person(is_superuser=True)):
        client.force_login(other)
        assert client.get(f"/learn/results/{taken.pk}/").status_code == 404


def test_the_course_page_says_where_one_is(client, person, course):
    assert "Sign in to take this course" in words(client.get(course.url))
    client.force_login(person)
    assert "Start the course" in words(client.get(course.url))
    enrolment = enrol(person=person, course=course)
    complete_lesson(enrolment=enrolment, lesson=lessons_of(course)[0])
    assert "Lesson 2 of 3" in words(client.get(course.url))
    take_course(person, course)
    assert "You have passed this course" in words(client.get(course.url))


def test_the_course_page_names_what_comes_before_and_other_languages(client):
    version = make_framework()
    basics = make_course(version, {"A": 1}, title="Basics")
    course = make_course(version, {"A": 3}, key="risk", requires=[basics])
    make_course(version, {"A": 3}, key="risk", language="es", title="Riesgo")
    page = words(client.get(course.url))
    assert "Take first Basics" in page
    assert "Also in: español: Riesgo" in page
    assert "level 3, Label 3" in page


def test_take_first_marks_what_is_passed_in_whatever_language(client, person):
    version = make_framework()
    basics = make_course(version, {"A": 1}, key="basics")
    bases = make_course(version, {"A": 1}, key="basics", language="es", title="Bases")
    other = make_course(version, {"B": 1}, key="other")
    course = make_course(version, {"A": 3}, key="risk", requires=[basics, other])
    client.force_login(person)
    assert "Take first Basics Other Lessons" in words(client.get(course.url))
    take_course(person, bases)
    assert "Take first Basics Passed Other Lessons" in words(client.get(course.url))


def test_a_course_of_a_framework_without_levels_names_no_level(client, person):
    course = make_course(make_framework(ranks=0), {"A": 1})
    page = words(client.get(course.url))
    assert "Competency A" in page
    assert "level 1" not in page
    client.force_login(person)
    enrolment = take_course(person, course)
    assert client.get(f"/learn/results/{enrolment.pk}/").status_code == 200


# --- The catalogue -----------------------------------------------------------------------------------------------
@pytest.fixture
def offer():
    make_course(title="Governing cyber risk", key="risk")
    make_course(title="Gobernar el riesgo cibernético", key="risk", language="es")
    make_course(title="Serving citizens", key="citizens")
    course = make_course(title="Servir a la ciudadanía", key="citizens", language="es")
    course.summary = "Trámites que se entienden."
    course.save_revision().publish()


def titles(response) -> list[str]:
    return [course.title for course in response.context["page_of_courses"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("cyber", ["Governing cyber risk"]),
        ("CYBER", ["Governing cyber risk"]),
        ("cyb", ["Governing cyber risk"]),
        ("cyber ris", ["Governing cyber risk"]),
        ("risk cyber", ["Governing cyber risk"]),
        ("ries", ["Gobernar el riesgo cibernético"]),
        ("cibernético", ["Gobernar el riesgo cibernético"]),
        ("ciudad", ["Servir a la ciudadanía"]),
        ("trám", ["Servir a la ciudadanía"]),  # in the summary
        ("  citizens  ", ["Serving citizens"]),
        ('"cyber risk"', ["Governing cyber risk"]),
        ("yber", []),  # not the beginning of a word
        ("cyber citizens", []),
        ("zzz", []),
    ],
)
def test_courses_are_found_by_words_and_beginnings_of_words(client, offer, query, found):
    response = client.get("/courses/", {"q": query})
    assert titles(response) == found
    if not found:
        assert "0 courses" in words(response)
        assert "No course found Try a shorter word, or look at all courses." in words(response)


@pytest.fixture
def starter(db):
    for command in ("load_starter_framework", "load_courses"):
        call_command(command, stdout=StringIO())


def test_the_starter_courses_are_found_by_what_they_teach(client, starter):
    expected = {
        "cyber risk governance": ["governing-cyber-risk"],
        "cyber risks": ["governing-cyber-risk"],  # no database here knows plurals
        "privacy": ["data-protection-by-design", "safe-digital-work"],
        "procurement": ["buying-technology"],
        "phishing": ["safe-digital-work"],
        "protección de datos": ["data-protection-by-design", "safe-digital-work"],  # the outcome's Spanish name
        "supply-chain": ["governing-cyber-risk"],
    }
    for query, first in expected.items():
        found = [course.key for course in client.get("/courses/", {"q": query}).context["page_of_courses"]]
        assert found[: len(first)] == first, query
        assert len(found) < 10, query
    spanish = {course.key for course in client.get("/courses/", {"q": "ciberseguridad"}).context["page_of_courses"]}
    assert spanish == {"governing-cyber-risk", "incident-command"}


def test_a_card_says_what_the_course_leads_to_and_where_a_word_was_found(client, starter):
    page = words(client.get("/courses/", {"q": "passkey", "language": "en"}))
    assert "Safe everyday practice · level" in page
    assert "Found in a lesson of this course" in page
    assert "Found in a lesson" not in words(client.get("/courses/", {"q": "cyber risk governance", "language": "en"}))


def test_a_lesson_published_changed_or_deleted_is_found_as_it_is(client, offer):
    lesson = lessons_of(CoursePage.objects.get(title="Serving citizens"))[0]
    lesson.body = [{"type": "text", "value": "<p>How a <b>queue</b> is shortened.</p>"}]
    lesson.save_revision().publish()
    assert titles(client.get("/courses/", {"q": "queue"})) == ["Serving citizens"]
    lesson.unpublish()
    assert titles(client.get("/courses/", {"q": "queue"})) == []
    lesson.save_revision().publish()
    assert titles(client.get("/courses/", {"q": "queue"})) == ["Serving citizens"]
    LessonPage.objects.get(pk=lesson.pk).delete()
    assert titles(client.get("/courses/", {"q": "queue"})) == []


def test_the_index_of_pages_that_are_there_is_refreshed_by_a_command(client, offer):
    get_search_backend().get_index_for_model(CoursePage).reset()
    assert titles(client.get("/courses/", {"q": "cyber"})) == []
    call_command("update_index", stdout=StringIO())
    assert titles(client.get("/courses/", {"q": "cyber"})) == ["Governing cyber risk"]


def test_courses_in_the_readers_language_come_first(client, offer):
    english = titles(client.get("/courses/", headers={"accept-language": "en"}))
    spanish = titles(client.get("/courses/", headers={"accept-language": "es"}))
    assert english == [
        "Governing cyber risk",
        "Serving citizens",
        "Gobernar el riesgo cibernético",
        "Servir a la ciudadanía",
    ]
    assert spanish == english[2:] + english[:2]


@pytest.mark.parametrize(("language", "count"), [("es", 2), ("en", 2), ("xx", 4), ("", 4), ("\0", 4), ("es'--", 4)])
def test_a_language_narrows_and_an_unknown_one_does_not(client, offer, language, count):
    response = client.get("/courses/", {"language": language})
    assert response.status_code == 200
    assert len(titles(response)) == count


def test_word_and_language_go_together(client, offer):
    assert titles(client.get("/courses/", {"q": "r", "language": "es"})) == ["Gobernar el riesgo cibernético"]
    assert titles(client.get("/courses/", {"q": "cyber", "language": "es"})) == []


NASTY = [
    *"\"'*()^-:%_\\{}[]~!&|<>;,.?#$@",
    "\0",
    "a\0b",
    '"""',
    'x" OR "y',
    "AND",
    "OR NOT",
    "NEAR(a b)",
    "title:cyber",
    "a*b",
    "<->",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "🙂",
    "ﬁ",
    "\u202e",
    "a" * 5000,
    "a " * 500,
    "\n\t",
]


def test_no_search_breaks_the_catalogue(client, offer):
    for query in NASTY:
        response = client.get("/courses/", {"q": query})
        assert response.status_code == 200, query
        assert "<script>alert" not in response.content.decode()


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.text(max_size=20), st.text(max_size=4), st.text(max_size=4))
def test_nothing_one_can_type_breaks_the_catalogue(offer, query, language, page):
    request = RequestFactory().get("/courses/?" + urlencode({"q": query, "language": language, "page": page}))
    assert catalogue_context(request)["page_of_courses"].number == 1


@pytest.mark.parametrize(("page", "number"), [("999", 2), ("abc", 1), ("0", 2), ("-1", 2), ("", 1), ("9" * 30, 2)])
def test_a_page_that_is_not_there_is_the_nearest(client, monkeypatch, offer, page, number):
    monkeypatch.setattr("courses.views.PAGE_SIZE", 3)
    response = client.get("/courses/", {"page": page})
    assert response.status_code == 200
    assert response.context["page_of_courses"].number == number


def test_pages_keep_the_words_and_the_language(client, monkeypatch):
    monkeypatch.setattr("courses.views.PAGE_SIZE", 1)
    for _ in range(3):
        make_course(title="Risk")
    html = unescape(client.get("/courses/", {"q": "ris", "language": "en"}).content.decode())
    addresses = set(re.findall(r'href="([^"]*\bpage=[^"]*)"', html))
    numbers = set()
    for address in addresses:
        response = client.get(f"/courses/{address}" if address.startswith("?") else address)
        assert (response.context["query"], response.context["language"]) == ("ris", "en")
        numbers.add(response.context["page_of_courses"].number)
    assert numbers >= {2, 3}


def test_the_partial_is_the_region_of_the_whole(client, offer):
    for address in ("/courses/", "/courses/?q=cyber", "/courses/?q=zzz", "/courses/?language=es&page=2"):
        whole = client.get(address)
        partial = client.get(address, headers={"hx-request": "true"})
        region = partial.content.decode().strip()
        assert region.startswith('<div id="catalogue">')
        assert region in whole.content.decode()
        assert "<html" not in region
        for response in (whole, partial):
            assert "HX-Request" in response["Vary"]


def test_what_is_withdrawn_or_closed_is_not_in_the_catalogue(client, offer):
    CoursePage.objects.get(title="Serving citizens").unpublish()
    closed = CoursePage.objects.get(title="Governing cyber risk")
    PageViewRestriction.objects.create(page=closed, restriction_type=PageViewRestriction.LOGIN)
    assert titles(client.get("/courses/")) == ["Gobernar el riesgo cibernético", "Servir a la ciudadanía"]
    for query in ("cyber", "citizens"):
        assert titles(client.get("/courses/", {"q": query})) == []


def test_an_empty_catalogue_says_so(client):
    response = client.get("/courses/")
    assert "0 courses" in words(response)
    assert "No course found" in words(response)


# --- Home --------------------------------------------------------------------------------------------------------
def test_home_leads_on_to_the_course_seen_last(client, person, course):
    assert client.get("/").status_code == 200
    client.force_login(person)
    assert "See your path" in words(client.get("/"))
    enrolment = enrol(person=person, course=course)
    complete_lesson(enrolment=enrolment, lesson=lessons_of(course)[0])
    page = words(client.get("/"))
    assert "Continue Governing cyber risk" in page
    assert "Lesson 2 of 3 · 10 min" in page
    take_course(person, course)
    assert "See your path" in words(client.get("/"))


def test_home_shows_courses_in_the_readers_language(client, offer):
    assert "Serving citizens" in words(client.get("/", headers={"accept-language": "en"}))
    spanish = words(client.get("/", headers={"accept-language": "es"}))
    assert "Servir a la ciudadanía" in spanish
    assert "Serving citizens" not in spanish


# --- How much is asked of the database ---------------------------------------------------------------------------
def warm_count(count_queries, client, url: str) -> int:
    """Queries of a page that somebody has opened before."""
    assert client.get(url).status_code == 200
    return count_queries(lambda: client.get(url))


def big_course(lessons: int, before: int, competencies: int) -> CoursePage:
    codes = [f"C{n}" for n in range(competencies)]
    version = make_framework(codes=codes)
    earlier = [make_course(version, {"C0": 1}, check=False) for _ in range(before)]
    return make_course(version, dict.fromkeys(codes, 2), lessons=lessons, requires=earlier)


@pytest.mark.parametrize("signed_in", [False, True])
def test_a_course_page_takes_as_many_queries_for_a_large_course_as_for_a_small_one(
    client, count_queries, signed_in, person
):
    small, large = big_course(1, 1, 1), big_course(20, 8, 6)
    if signed_in:
        client.force_login(person)
        for course in (small, large):
            enrol(person=person, course=course)
    counts = [warm_count(count_queries, client, course.url) for course in (small, large)]
    assert counts[0] == counts[1]
    assert counts[1] <= 21


def test_a_lesson_takes_as_many_queries_in_a_large_course_as_in_a_small(learner, person, count_queries):
    counts = []
    for lessons, questions in ((1, 1), (20, 15)):
        course = make_course(make_framework(), {"A": 3}, lessons=lessons)
        lesson = lessons_of(course)[0]
        lesson.body = [{"type": "text", "value": "<p>x</p>"}, *[choice(True, False) for _ in range(questions)]]
        lesson.save()
        enrolment = enrol(person=person, course=course)
        counts.append(warm_count(count_queries, learner, lesson.url))
        check = finish_lessons(enrolment)
        counts.append(warm_count(count_queries, learner, check.url))
    assert counts[:2] == counts[2:]
    assert max(counts) <= 21


def test_the_catalogue_takes_as_many_queries_for_many_courses_as_for_few(learner, person, count_queries):
    for _ in range(2):
        enrol(person=person, course=make_course(make_framework(), {"A": 2}, title="Risk"))
    urls = ("/courses/", "/courses/?q=risk", "/courses/?language=en")
    few = [warm_count(count_queries, learner, url) for url in urls]
    for _ in range(20):
        enrol(person=person, course=make_course(make_framework(), {"A": 2}, title="Risk"))
    many = [warm_count(count_queries, learner, url) for url in urls]
    assert few == many
    assert max(many) <= 16


def test_home_takes_as_many_queries_for_many_enrolments_as_for_one(learner, person, count_queries):
    enrol(person=person, course=make_course(make_framework(), {"A": 2}))
    one = warm_count(count_queries, learner, "/")
    for _ in range(15):
        enrol(person=person, course=make_course(make_framework(), {"A": 2}, lessons=5))
    assert warm_count(count_queries, learner, "/") == one
    assert one <= 18


def test_a_result_takes_as_many_queries_for_many_outcomes_as_for_one(learner, person, count_queries):
    counts = []
    for course in (big_course(1, 1, 1), big_course(10, 4, 6)):
        enrolment = take_course(person, course)
        counts.append(warm_count(count_queries, learner, f"/learn/results/{enrolment.pk}/"))
    assert counts[0] == counts[1]
    assert counts[1] <= 40


def test_a_course_begun_in_another_language_is_gone_on_with_there(client):
    ours, theirs = make_course(key="both", title="Ours"), make_course(key="both", language="es", title="Suyo")
    ana = make_person("Ana")
    client.force_login(ana)
    assert "Start the course" in client.get(ours.url).content.decode()
    client.post(f"/learn/enrol/{theirs.pk}/")
    page = client.get(ours.url).content.decode()
    assert "You have begun it in español" in page
    assert lessons_of(theirs)[0].url in page
    assert "Start the course" not in page
    assert "Start the course" not in client.get(theirs.url).content.decode()


def test_a_course_passed_in_another_language_is_passed(client):
    ours, theirs = make_course(key="both", title="Ours"), make_course(key="both", language="es", title="Suyo")
    ana = make_person("Ana")
    client.force_login(ana)
    enrolment = take_course(ana, theirs)
    page = client.get(ours.url).content.decode()
    assert "You have passed this course" in page
    assert f"/learn/results/{enrolment.pk}/" in page
