"""Taking a course: twice is once, late is nothing, passing is evidence."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from wagtail.models import ModelLogEntry

from competencies.enums import EvidenceKind
from competencies.levels import attained_level
from competencies.models import Evidence
from competencies.selectors import evidence_items
from courses.models import Attempt, CoursePage, Enrolment, LessonPage, LessonProgress
from courses.models.activity import EnrolmentQuerySet
from courses.questions import questions_in
from courses.selectors import course_state
from courses.services import (
    NotPossible,
    complete_lesson,
    enrol,
    finish_course,
    left_before_check,
    open_lesson,
    save_answers,
    submit_attempt,
)
from courses.signals import course_passed
from tests.builders import (
    check_body,
    competency,
    lessons_of,
    make_course,
    make_framework,
    make_person,
    right_answers,
    take_course,
)

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def version():
    return make_framework(codes="AB")


@pytest.fixture
def person():
    return make_person("Ana")


@pytest.fixture
def course(version):
    return make_course(version, {"A": 3, "B": 2}, lessons=2)


@pytest.fixture
def taken(person, course):
    return enrol(person=person, course=course, at=NOON)


@pytest.fixture
def ready(taken):
    """All lessons done, the check is open."""
    for lesson in teaching(taken.course):
        complete_lesson(enrolment=taken, lesson=lesson, at=NOON)
    return taken


@pytest.fixture
def passed_news():
    """What is announced: ids of enrolments."""
    heard: list[int] = []

    def hear(enrolment_id: int, **kwargs: object) -> None:
        heard.append(enrolment_id)

    course_passed.connect(hear)
    yield heard
    course_passed.disconnect(hear)


def teaching(course: CoursePage) -> list[LessonPage]:
    return [lesson for lesson in lessons_of(course) if not lesson.is_check]


def check_of(course: CoursePage) -> LessonPage:
    return next(lesson for lesson in lessons_of(course) if lesson.is_check)


def wrong_answers(lesson: LessonPage) -> dict:
    return {q.id: next((o.id for o in q.options if not o.correct), "nonsense") for q in questions_in(lesson.body)}


def hand_in(enrolment: Enrolment, number: int = 1, *, right: bool = True, at: datetime = LATER) -> Attempt:
    check = check_of(enrolment.course)
    answers = right_answers(check) if right else wrong_answers(check)
    return submit_attempt(enrolment=enrolment, lesson=check, answers=answers, number=number, at=at)


def again(enrolment: Enrolment) -> Enrolment:
    return Enrolment.objects.get(pk=enrolment.pk)


# --- Enrolling ---------------------------------------------------------------------------------------------------
def test_enrolling_twice_is_enrolling_once(person, course):
    first = enrol(person=person, course=course, at=NOON)
    second = enrol(person=person, course=course, at=LATER)
    assert first == second
    assert (second.number, second.enrolled_at) == (1, NOON)
    assert ModelLogEntry.objects.filter(action="courses.enrol").count() == 1


def test_who_presses_at_the_same_moment_gets_the_enrolment_of_the_other(person, course, monkeypatch):
    """Both looked and saw none: the constraint lets one in, and the other gets what is there."""
    winner = Enrolment.objects.create(person=person, course=course)
    monkeypatch.setattr(EnrolmentQuerySet, "first", lambda self: None)
    assert enrol(person=person, course=course) == winner
    assert Enrolment.objects.count() == 1
    assert not ModelLogEntry.objects.filter(action="courses.enrol").exists()


def test_a_course_that_is_not_published_cannot_be_begun(person, course):
    course.unpublish()
    with pytest.raises(NotPossible, match=r"^This course is not offered at present\.$"):
        enrol(person=person, course=CoursePage.objects.get(pk=course.pk))
    assert not Enrolment.objects.exists()


def test_a_course_that_is_withdrawn_goes_on_for_who_takes_it(taken, person):
    taken.course.unpublish()
    course = CoursePage.objects.get(pk=taken.course_id)
    assert enrol(person=person, course=course) == taken
    for lesson in teaching(course):
        complete_lesson(enrolment=taken, lesson=lesson, at=NOON)
    assert hand_in(taken).passed
    assert again(taken).completed_at == LATER
    with pytest.raises(NotPossible):
        enrol(person=person, course=course)  # but not once more


def test_a_course_is_taken_again_under_a_new_number_from_the_beginning(person, course):
    first = take_course(person, course, at=NOON)
    second = enrol(person=person, course=course, at=LATER)
    assert (first.number, second.number) == (1, 2)
    assert course_state(second).completed == 0
    assert again(first).completed_at == NOON
    third = enrol(person=person, course=course)
    assert third == second
    take_course(person, course, at=LATER)
    assert enrol(person=person, course=course).number == 3


def test_two_people_take_the_same_course_each_for_herself(person, course):
    mine, hers = enrol(person=person, course=course), enrol(person=make_person(), course=course)
    complete_lesson(enrolment=mine, lesson=teaching(course)[0])
    assert (course_state(mine).completed, course_state(hers).completed) == (1, 0)


# --- Lessons -----------------------------------------------------------------------------------------------------
def test_opening_a_lesson_is_remembered_once_and_moves_the_course_to_the_top(taken):
    [first, _] = teaching(taken.course)
    open_lesson(enrolment=taken, lesson=first, at=NOON)
    open_lesson(enrolment=taken, lesson=first, at=LATER)
    progress = LessonProgress.objects.get()
    assert (progress.opened_at, progress.completed_at) == (NOON, None)
    assert again(taken).last_seen_at == LATER
    assert [row.state for row in course_state(taken).lessons] == ["current", "todo", "todo"]


def test_looking_back_after_completion_changes_nothing(ready):
    hand_in(ready)
    open_lesson(enrolment=again(ready), lesson=teaching(ready.course)[0], at=LATER + timedelta(days=1))
    assert again(ready).last_seen_at == NOON


def test_completing_a_lesson_twice_keeps_the_first_time(taken):
    lesson = teaching(taken.course)[0]
    first = complete_lesson(enrolment=taken, lesson=lesson, at=NOON)
    second = complete_lesson(enrolment=taken, lesson=lesson, at=LATER)
    assert first == second
    assert second.completed_at == NOON
    assert (course_state(taken).completed, course_state(taken).minutes_left) == (1, 15)


def test_a_check_is_not_marked_as_done_but_passed(taken):
    with pytest.raises(NotPossible, match=r"^A check is done when you pass it\.$"):
        complete_lesson(enrolment=taken, lesson=check_of(taken.course))
    assert not LessonProgress.objects.exists()


def test_progress_is_kept_in_the_database_and_not_in_the_session(client, taken):
    [first, second] = teaching(taken.course)
    client.force_login(taken.person)
    client.get(first.url)
    client.post(f"/learn/lessons/{first.pk}/done/")
    client.logout()
    client.cookies.clear()
    client.force_login(taken.person)
    html = client.get(taken.course.url).content.decode()
    assert second.url in html
    assert "Lesson 2 of 3" in html
    state = course_state(again(taken))
    assert state.next.lesson == second
    assert [row.state for row in state.lessons] == ["done", "todo", "todo"]


# --- The check ---------------------------------------------------------------------------------------------------
def test_the_check_is_refused_while_lessons_are_missing(taken):
    complete_lesson(enrolment=taken, lesson=teaching(taken.course)[1])
    assert left_before_check(course_state(taken)) == [teaching(taken.course)[0]]
    with pytest.raises(NotPossible, match=r"^Finish the lessons before the check first\.$"):
        hand_in(taken)
    assert not Attempt.objects.exists()
    assert again(taken).completed_at is None


def test_handing_in_twice_is_handing_in_once(ready, passed_news):
    first = hand_in(ready, 1, right=False)
    second = hand_in(ready, 1, right=True)  # the same form, pressed again with other answers
    assert first == second
    assert (second.passed, second.score_pct, Attempt.objects.count()) == (False, 0, 1)
    assert again(ready).completed_at is None
    assert passed_news == []


def test_who_fails_may_try_again_and_pass(ready, version, passed_news):
    failed = hand_in(ready, 1, right=False, at=NOON)
    assert (failed.passed, failed.score_pct, set(failed.results.values())) == (False, 0, {False})
    assert not Evidence.objects.exists()
    passed = hand_in(ready, 2)
    assert (passed.number, passed.passed, passed.score_pct, set(passed.results.values())) == (2, True, 100, {True})
    done = again(ready)
    assert (done.completed_at, done.assessed, done.score_pct) == (LATER, True, 100)
    assert Attempt.objects.get(number=1).score_pct == 0
    assert passed_news == [ready.pk]


def test_passing_is_evidence_once_at_the_level_of_the_outcome(ready, version, person, passed_news):
    hand_in(ready)
    hand_in(ready)
    hand_in(ready, 2)
    a, b = competency(version, "A"), competency(version, "B")
    rows = Evidence.objects.order_by("competency__code").values_list(
        "person", "competency", "rank", "kind", "assessed", "occurred_on", "source_key", "recorded_by"
    )
    shared = (EvidenceKind.COURSE, True, NOON.date())
    assert list(rows) == [
        (person.pk, a.pk, 3, *shared, f"enrolment:{ready.pk}:{a.pk}", None),
        (person.pk, b.pk, 2, *shared, f"enrolment:{ready.pk}:{b.pk}", None),
    ]
    assert str(Evidence.objects.first().source) == ready.course.title
    assert passed_news == [ready.pk]
    assert ModelLogEntry.objects.filter(action="courses.complete").count() == 1


def test_taking_it_again_is_new_evidence_and_the_old_stays(person, course):
    take_course(person, course, at=NOON)
    take_course(person, course, at=NOON + timedelta(days=400))
    assert Evidence.objects.count() == 4
    assert len(set(Evidence.objects.values_list("source_key", flat=True))) == 4


@pytest.mark.parametrize(("mark", "passes"), [(50, True), (51, False), (100, False), (1, True)])
def test_the_pass_mark_decides(ready, mark, passes):
    CoursePage.objects.update(pass_mark_pct=mark)
    check = check_of(ready.course)
    half = right_answers(check) | {questions_in(check.body)[0].id: "forged"}
    attempt = submit_attempt(enrolment=ready, lesson=check, answers=half, number=1)
    assert (attempt.score_pct, attempt.passed) == (50, passes)
    assert (again(ready).completed_at is not None) is passes


def test_answers_to_other_questions_count_for_nothing(ready):
    attempt = submit_attempt(
        enrolment=ready, lesson=check_of(ready.course), answers={"forged": "a", "other": ["b"]}, number=1
    )
    assert (attempt.score_pct, attempt.passed) == (0, False)


def test_a_lesson_without_questions_cannot_be_handed_in(taken):
    with pytest.raises(NotPossible, match=r"^This lesson has no questions\.$"):
        submit_attempt(enrolment=taken, lesson=teaching(taken.course)[0], answers={}, number=1)


def test_practice_is_marked_but_completes_nothing(taken):
    lesson = teaching(taken.course)[0]
    lesson.body = check_body()
    lesson.save()
    attempt = submit_attempt(enrolment=taken, lesson=lesson, answers=right_answers(lesson), number=1)
    assert (attempt.score_pct, attempt.passed) == (100, False)
    assert course_state(taken).completed == 0


def test_after_completion_the_check_gives_what_was_passed(ready):
    passed = hand_in(ready)
    for number in (1, 2, 99):
        assert hand_in(ready, number, right=False, at=LATER + timedelta(days=1)) == passed
    assert Attempt.objects.count() == 1
    assert again(ready).completed_at == LATER


@pytest.mark.parametrize("number", [0, -1, 7, 10**30])
def test_a_number_that_makes_no_sense_is_the_next_attempt(ready, number):
    hand_in(ready, 1, right=False)
    assert hand_in(ready, number).number == 2


def test_a_course_with_two_checks_is_passed_with_both(person, version):
    course = make_course(version, {"A": 3})
    course.add_child(
        instance=LessonPage(title="Second check", slug="second", minutes=5, is_check=True, body=check_body())
    )
    enrolment = enrol(person=person, course=course, at=NOON)
    lesson, first, second = lessons_of(course)
    complete_lesson(enrolment=enrolment, lesson=lesson, at=NOON)
    submit_attempt(enrolment=enrolment, lesson=first, answers=right_answers(first), number=1, at=NOON)
    assert again(enrolment).completed_at is None
    submit_attempt(enrolment=enrolment, lesson=second, answers=right_answers(second), number=1, at=NOON)
    assert again(enrolment).completed_at == NOON


# --- Courses without check ---------------------------------------------------------------------------------------
def test_a_course_without_check_is_completed_and_counts_as_level_one(person, version, passed_news):
    course = make_course(version, {"A": 3}, lessons=2, check=False)
    enrolment = enrol(person=person, course=course, at=NOON)
    for lesson in lessons_of(course):
        assert again(enrolment).completed_at is None
        complete_lesson(enrolment=enrolment, lesson=lesson, at=NOON)
    done = again(enrolment)
    assert (done.completed_at, done.assessed, done.score_pct) == (NOON, False, None)
    piece = Evidence.objects.get()
    assert (piece.rank, piece.assessed) == (3, False)
    items = evidence_items([person.pk])[person.pk][competency(version, "A").pk]
    assert attained_level(items, as_of=NOON.date()).rank == 1
    assert passed_news == [enrolment.pk]


def test_a_framework_without_levels_holds_what_the_course_leads_to(person):
    plain = make_framework(ranks=0)
    take_course(person, make_course(plain, {"A": 1}), at=NOON)
    assert Evidence.objects.get().rank == 1


def test_a_course_without_lessons_is_never_complete(person, version):
    course = make_course(version, {"A": 3}, lessons=0, check=False)
    enrolment = enrol(person=person, course=course)
    assert finish_course(enrolment=enrolment).completed_at is None
    assert not Evidence.objects.exists()


def test_a_course_without_outcomes_is_passed_without_evidence(person, passed_news):
    enrolment = take_course(person, make_course())
    assert enrolment.completed_at is not None
    assert not Evidence.objects.exists()
    assert passed_news == [enrolment.pk]


# --- The course changes under the learner ------------------------------------------------------------------------
def test_when_the_lesson_that_was_left_is_withdrawn_the_course_can_be_finished(person, version):
    course = make_course(version, {"A": 3}, lessons=2, check=False)
    enrolment = enrol(person=person, course=course, at=NOON)
    first, second = lessons_of(course)
    complete_lesson(enrolment=enrolment, lesson=first, at=NOON)
    assert finish_course(enrolment=enrolment, at=LATER).completed_at is None
    second.unpublish()
    assert finish_course(enrolment=enrolment, at=LATER).completed_at == LATER
    assert finish_course(enrolment=enrolment, at=LATER + timedelta(days=1)).completed_at == LATER
    assert Evidence.objects.count() == 1


def test_a_lesson_that_is_added_later_does_not_undo_what_was_completed(ready):
    hand_in(ready)
    ready.course.add_child(instance=LessonPage(title="New", slug="new", minutes=5))
    assert again(ready).completed_at == LATER
    complete_lesson(enrolment=again(ready), lesson=LessonPage.objects.get(slug="new"), at=LATER + timedelta(days=1))
    assert again(ready).completed_at == LATER
    assert Evidence.objects.count() == 2


def test_a_lesson_that_is_added_before_the_check_has_to_be_done_first(ready):
    ready.course.add_child(instance=LessonPage(title="New", slug="new", minutes=5))
    with pytest.raises(NotPossible):
        hand_in(ready)


# --- Answers on the way ------------------------------------------------------------------------------------------
def test_answers_are_kept_as_they_are_given_and_marked_only_when_handed_in(ready):
    check = check_of(ready.course)
    first = save_answers(enrolment=ready, lesson=check, answers={"q": "a"}, number=1, at=NOON)
    second = save_answers(enrolment=ready, lesson=check, answers={"q": "b"}, number=1, at=LATER)
    assert first == second
    assert (second.answers, second.saved_at, second.submitted_at, second.score_pct) == ({"q": "b"}, LATER, None, None)
    attempt = hand_in(ready, 1)
    assert attempt == first
    assert (attempt.answers, attempt.started_at) == (right_answers(check), NOON)


def test_answers_are_kept_before_the_check_is_open(taken):
    save_answers(enrolment=taken, lesson=check_of(taken.course), answers={"q": "a"}, number=1)
    assert Attempt.objects.get().answers == {"q": "a"}


def test_answers_that_arrive_after_they_were_handed_in_do_not_open_another_attempt(ready):
    """The form saved itself while the button was pressed: the result must not hide behind an empty attempt."""
    failed = hand_in(ready, 1, right=False)
    assert save_answers(enrolment=ready, lesson=check_of(ready.course), answers={"q": "a"}, number=1) is None
    assert list(Attempt.objects.all()) == [failed]
    assert save_answers(enrolment=ready, lesson=check_of(ready.course), answers={"q": "a"}, number=2).number == 2


def test_answers_are_not_kept_after_completion(ready):
    lesson = teaching(ready.course)[0]
    hand_in(ready)
    for page in (lesson, check_of(ready.course)):
        assert save_answers(enrolment=ready, lesson=page, answers={"q": "a"}, number=2) is None
    assert Attempt.objects.count() == 1


def test_two_tabs_share_one_attempt(ready, monkeypatch):
    """Both looked and saw none: the constraint lets one in."""
    check = check_of(ready.course)
    Attempt.objects.create(enrolment=ready, lesson=check)
    monkeypatch.setattr("django.db.models.query.QuerySet.first", lambda self: None)
    save_answers(enrolment=ready, lesson=check, answers={"q": "a"})
    assert Attempt.objects.get().answers == {"q": "a"}


# --- All or nothing ----------------------------------------------------------------------------------------------
def test_what_fails_half_way_leaves_nothing_behind(ready, monkeypatch):
    def burst(**kwargs: object) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr("courses.services.record_evidence", burst)
    with pytest.raises(RuntimeError):
        hand_in(ready)
    assert again(ready).completed_at is None
    assert not Attempt.objects.exists()
    assert course_state(ready).completed == 2


def test_nobody_hears_of_a_pass_that_was_rolled_back(ready, passed_news):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        hand_in(ready)
        raise ZeroDivisionError
    assert passed_news == []
    assert again(ready).completed_at is None


# --- Real threads ------------------------------------------------------------------------------------------------
def at_once(act, times: int = 4) -> list[object]:
    """Call `act` in as many threads as `times`, all let go together."""
    gate, results = threading.Barrier(times), []

    def run() -> None:
        try:
            gate.wait(timeout=10)
            results.append(act())
        except Exception as error:  # the test looks at it
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


@pytest.mark.django_db(transaction=True)
def test_many_presses_at_once_leave_one_enrolment_one_attempt_and_one_piece_of_evidence():
    version = make_framework(codes="A")
    course = make_course(version, {"A": 3})
    person = make_person()
    enrolled = at_once(lambda: enrol(person=person, course=course))
    assert enrolled == [Enrolment.objects.get()] * 4
    enrolment = enrolled[0]
    lesson, check = lessons_of(course)

    at_once(lambda: complete_lesson(enrolment=enrolment, lesson=lesson))
    assert LessonProgress.objects.count() == 1
    saved = at_once(lambda: save_answers(enrolment=enrolment, lesson=check, answers={"q": "a"}, number=1))
    assert saved == [Attempt.objects.get()] * 4

    answers = right_answers(check)
    handed_in = at_once(lambda: submit_attempt(enrolment=enrolment, lesson=check, answers=answers, number=1))
    assert handed_in == [Attempt.objects.get()] * 4
    assert again(enrolment).completed_at is not None
    assert Evidence.objects.count() == 1
    assert timezone.now() >= again(enrolment).completed_at
