"""Doors to the catalogue and to lessons. Pages come through Wagtail; what people do in them comes here."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from competencies.searching import clean_query
from competencies.selectors import home_roles
from courses import marking, precheck, runs, selectors, services
from courses.enums import DATED_FORMATS
from courses.models import CataloguePage, CourseOutcome, CoursePage, CourseRun, Enrolment, LessonPage
from courses.questions import questions_in
from courses.searching import Fit, find_courses
from organisations.perms import signed_in

PAGE_SIZE = 24


def home_context(request: HttpRequest) -> dict[str, Any]:
    """The home page: where to go on for who is signed in, key roles, and a few courses."""
    context: dict[str, Any] = {"continue_state": None}
    if request.user.is_authenticated:
        enrolment = Enrolment.objects.of(signed_in(request)).open().select_related("course").first()
        if enrolment is not None:
            context["continue_state"] = selectors.course_state(enrolment)
    context["key_roles"], context["other_roles"] = home_roles()
    context["courses"] = list(CoursePage.objects.offered().filter(language=get_language()).order_by("title")[:6])
    context["catalogue"] = CataloguePage.objects.live().first()
    return context


def catalogue_context(request: HttpRequest) -> dict[str, Any]:
    """Courses in the reader's language first; those found, the best fit first."""
    query = clean_query(request.GET.get("q", ""))
    language = request.GET.get("language", "")
    courses = CoursePage.objects.offered()
    languages = sorted(set(CoursePage.objects.offered().values_list("language", flat=True)))
    if language not in languages:
        language = ""
    if language:
        courses = courses.filter(language=language)
    outcomes = CourseOutcome.objects.select_related("competency", "level")
    courses = courses.prefetch_related(Prefetch("outcomes", outcomes))
    found = find_courses(courses, query) if query else [(course, Fit.TITLE) for course in courses.order_by("title")]
    in_lessons = {course.pk for course, fit in found if fit is Fit.LESSON}
    reader = get_language()
    ordered = sorted((course for course, _fit in found), key=lambda course: course.language != reader)
    page = Paginator(ordered, PAGE_SIZE).get_page(request.GET.get("page"))
    return {
        "query": query,
        "language": language,
        "languages": languages,
        "page_of_courses": page,
        "found": len(ordered),
        "in_lessons": in_lessons,
    }


def course_context(request: HttpRequest, course: CoursePage) -> dict[str, Any]:
    """A course: what it leads to, what comes before, its lessons, and where this person is in it."""
    enrolment = None
    if request.user.is_authenticated and not getattr(request, "is_preview", False):
        enrolment = selectors.latest_enrolment(signed_in(request), course)
        if enrolment is None or enrolment.completed_at is not None:
            # Begun in another language, it is gone on with there; passed in one is passed in all.
            elsewhere = selectors.enrolment_elsewhere(signed_in(request), course)
            if elsewhere is not None and (enrolment is None or elsewhere.completed_at is None):
                enrolment = elsewhere
    state = selectors.course_state(enrolment) if enrolment else None
    here = enrolment is not None and enrolment.course_id == course.pk
    lessons = [] if here or not course.path else selectors.lessons_by_course([course]).get(course.pk, [])
    prerequisites = [p.prerequisite for p in course.prerequisites.select_related("prerequisite")] if course.pk else []
    passed = (
        selectors.passed_keys(signed_in(request), [page.key for page in prerequisites])
        if prerequisites and request.user.is_authenticated
        else set()
    )
    dates = (
        runs.runs_of(course, request.user if request.user.is_authenticated else None)
        if course.pk and course.format in DATED_FORMATS
        else []
    )
    return {
        "course": course,
        "enrolment": enrolment,
        "state": state,
        "pre_check": state is not None and precheck.is_possible(state),
        "here": here,
        "lessons": lessons,
        "outcomes": list(course.outcomes.select_related("competency", "level")) if course.pk else [],
        "prerequisites": prerequisites,
        "passed": passed,
        "is_dated": course.format in DATED_FORMATS,
        "runs": dates,
        "has_seat": any(view.booked and not view.run.cancelled for view in dates),
        "other_languages": list(CoursePage.objects.offered().filter(key=course.key).exclude(pk=course.pk)),
    }


@require_POST
def enrol(request: HttpRequest, course_id: int) -> HttpResponse:
    # By `id`, the page's own number: `pk` is a link to it, which Django does not check for numbers no database has.
    course = get_object_or_404(CoursePage.objects.offered(), id=course_id)
    try:
        enrolment = services.enrol(person=signed_in(request), course=course)
    except services.NotPossible as error:
        messages.error(request, str(error))
        return redirect(course.url)
    state = selectors.course_state(enrolment)
    if state.next:
        return redirect(state.next.lesson.url)
    if services.finish_course(enrolment=enrolment).completed_at is not None:
        return redirect("course_result", enrolment_id=enrolment.pk)
    return redirect(course.url)


@require_POST
def book_seat(request: HttpRequest, run_id: int) -> HttpResponse:
    run = get_object_or_404(CourseRun.objects.select_related("course").filter(course__live=True), pk=run_id)
    try:
        runs.book_seat(person=signed_in(request), run=run)
        messages.success(request, _("You have a seat. It is on your path and in your calendar."))
    except services.NotPossible as error:
        messages.error(request, str(error))
    return redirect(run.course.url)


@require_POST
def give_back_seat(request: HttpRequest, run_id: int) -> HttpResponse:
    run = get_object_or_404(CourseRun.objects.select_related("course").filter(course__live=True), pk=run_id)
    try:
        runs.give_back_seat(person=signed_in(request), run=run)
        messages.success(request, _("You have given the seat back."))
    except services.NotPossible as error:
        messages.error(request, str(error))
    return redirect(run.course.url)


def show_lesson(request: HttpRequest, lesson: LessonPage) -> HttpResponse:
    """A lesson for somebody who takes the course. Called by the page itself (Wagtail)."""
    course = lesson.course
    enrolment = selectors.latest_enrolment(signed_in(request), course)
    if enrolment is None:
        messages.info(request, _("Start the course to open its lessons."))
        return redirect(course.url)
    services.open_lesson(enrolment=enrolment, lesson=lesson)
    return render(request, "courses/lesson_page.html", lesson_context(request, lesson, enrolment))


def lesson_context(
    request: HttpRequest, lesson: LessonPage, enrolment: Enrolment, errors: dict[str, str] | None = None
) -> dict[str, Any]:
    """What a lesson page shows: its place, its questions with what was answered, and what comes next.

    Of the last attempt handed in, the feedback is shown until the learner tries again (?again=1). A check that is not
    passed yet shows which answers are right, and nothing that gives the other ones away.
    """
    state = selectors.course_state(enrolment)
    rows = list(state.lessons)
    index = next((i for i, row in enumerate(rows) if row.lesson.pk == lesson.pk), 0)
    questions = questions_in(lesson.body)
    attempt = selectors.latest_attempt(enrolment, lesson) if questions else None
    again = request.GET.get("again") == "1" and enrolment.completed_at is None
    show_feedback = attempt is not None and attempt.submitted_at is not None and not again
    answers = attempt.answers if attempt is not None and (show_feedback or attempt.submitted_at is None) else {}
    marked = marking.mark(questions, answers)
    results = attempt.results if show_feedback and attempt is not None else {}
    missing = services.left_before_check(state) if lesson.is_check and enrolment.completed_at is None else []
    number = 1 if attempt is None else attempt.number + (attempt.submitted_at is not None)
    by_slug = {row.lesson.slug: row.lesson for row in rows}
    return {
        "page": lesson,
        "lesson": lesson,
        "course": state.course,
        "enrolment": enrolment,
        "state": state,
        "row": rows[index] if rows else None,
        "previous": rows[index - 1].lesson if index else None,
        "next": rows[index + 1].lesson if index + 1 < len(rows) else None,
        "questions": {m.question.id: m for m in marked},
        "results": results,
        "show_feedback": show_feedback,
        "show_answers": show_feedback and attempt is not None and (attempt.passed or not lesson.is_check),
        "attempt": attempt,
        "attempt_number": number,
        "missing": missing,
        "errors": errors or {},
        "revisit": _revisit(marked, results, by_slug) if show_feedback else [],
        "pre_check": index == 0 and precheck.is_possible(state),
        "is_preview": False,
    }


@require_http_methods(["GET", "HEAD", "POST"])
def pre_check(request: HttpRequest, enrolment_id: int) -> HttpResponse:
    """The questions of the check before the course. What is right is not said: it would spoil the check."""
    enrolment = get_object_or_404(Enrolment.objects.of(signed_in(request)).select_related("course"), pk=enrolment_id)
    state = selectors.course_state(enrolment)
    first = state.next.lesson.url if state.next else enrolment.course.url
    if request.method == "POST":
        answers = marking.read_answers(precheck.questions_of(enrolment), dict(request.POST.lists()))
        if not any(answers.values()):
            messages.info(request, _("You have not answered anything yet. You can also skip it."))
            return redirect("pre_check", enrolment.pk)
        try:
            before = precheck.hand_in(enrolment=enrolment, answers=answers)
        except services.NotPossible as error:
            messages.error(request, str(error))
        else:
            words = _("Before the course you know %(score)s %%. After it you see how far you have come.")
            messages.success(request, words % {"score": before.score_pct})
        return redirect(first)
    questions = precheck.questions_of(enrolment)
    if not questions or not precheck.is_possible(state):
        return redirect(first)
    context = {
        "course": enrolment.course,
        "enrolment": enrolment,
        "questions": marking.mark(questions, {}),
        "first": first,
    }
    return render(request, "courses/pre_check.html", context)


def _revisit(
    marked: tuple[marking.Marked, ...], results: dict[str, bool], by_slug: dict[str, LessonPage]
) -> list[LessonPage]:
    """Lessons that teach what was answered wrongly, each once, in the order of the questions."""
    slugs = [m.question.revisit for m in marked if not results.get(m.question.id) and m.question.revisit in by_slug]
    return [by_slug[slug] for slug in dict.fromkeys(slugs)]


def preview_lesson(request: HttpRequest, lesson: LessonPage) -> HttpResponse:
    """What an author sees: the page with unanswered questions; nothing is written."""
    course = lesson.course
    lessons = selectors.lessons_by_course([course]).get(course.pk, [])
    if lesson.pk not in {other.pk for other in lessons}:  # a draft
        lessons = [*lessons, lesson]
    rows = tuple(selectors.LessonState(item, i, False, False) for i, item in enumerate(lessons, start=1))
    state = selectors.CourseState(Enrolment(course=course), course, rows)
    context = {
        "page": lesson, "lesson": lesson, "course": course, "enrolment": None, "state": state,
        "row": next((row for row in rows if row.lesson.pk == lesson.pk), None), "previous": None, "next": None,
        "questions": {m.question.id: m for m in marking.mark(questions_in(lesson.body), {})}, "results": {},
        "show_feedback": False, "show_answers": False, "attempt": None, "attempt_number": 1, "missing": [], "errors": {},
        "revisit": [], "is_preview": True,
    }  # fmt: skip
    return render(request, "courses/lesson_page.html", context)


def _taken(request: HttpRequest, lesson_id: int) -> tuple[LessonPage, Enrolment]:
    """The lesson and the person's enrolment in its course, or 404: nobody writes into a course she does not take."""
    lesson = get_object_or_404(LessonPage.objects.live(), id=lesson_id)
    enrolment = selectors.latest_enrolment(signed_in(request), lesson.course)
    if enrolment is None:
        enrolment = get_object_or_404(Enrolment.objects.none())
    return lesson, enrolment


@require_POST
def complete_lesson(request: HttpRequest, lesson_id: int) -> HttpResponse:
    lesson, enrolment = _taken(request, lesson_id)
    try:
        services.complete_lesson(enrolment=enrolment, lesson=lesson)
    except services.NotPossible as error:
        messages.error(request, str(error))
        return redirect(lesson.url)
    enrolment.refresh_from_db()
    if enrolment.completed_at is not None:
        return redirect("course_result", enrolment_id=enrolment.pk)
    following = selectors.course_state(enrolment).next
    return redirect(following.lesson.url if following else enrolment.course.url)


@require_POST
def save_answers(request: HttpRequest, lesson_id: int) -> HttpResponse:
    """Keeps answers while they are being given (HTMX sends the form on change)."""
    lesson, enrolment = _taken(request, lesson_id)
    answers = marking.read_answers(questions_in(lesson.body), dict(request.POST.lists()))
    services.save_answers(enrolment=enrolment, lesson=lesson, answers=answers, number=_attempt_number(request))
    return HttpResponse(status=204)


def _attempt_number(request: HttpRequest) -> int:
    """The attempt the form was shown for; 0, which is none, where the form says nothing sensible."""
    try:
        return int(request.POST.get("attempt", ""))
    except ValueError:
        return 0


@require_POST
def submit_answers(request: HttpRequest, lesson_id: int) -> HttpResponse:
    lesson, enrolment = _taken(request, lesson_id)
    questions = questions_in(lesson.body)
    answers = marking.read_answers(questions, dict(request.POST.lists()))
    number = _attempt_number(request)
    blank = [q for q in questions if marking.is_blank(q, answers.get(q.id))]
    if blank and lesson.is_check:
        if not services.save_answers(enrolment=enrolment, lesson=lesson, answers=answers, number=number):
            return redirect(f"{lesson.url}#result")
        errors = {q.id: _("Answer this question.") for q in blank}
        return render(
            request, "courses/lesson_page.html", lesson_context(request, lesson, enrolment, errors), status=422
        )
    try:
        attempt = services.submit_attempt(enrolment=enrolment, lesson=lesson, answers=answers, number=number)
    except services.NotPossible as error:
        messages.error(request, str(error))
        return redirect(lesson.url)
    if attempt.passed:
        enrolment.refresh_from_db()
        if enrolment.completed_at is not None:
            return redirect("course_result", enrolment_id=enrolment.pk)
    return redirect(f"{lesson.url}#result")


def course_result(request: HttpRequest, enrolment_id: int) -> HttpResponse:
    """After a course: the result, the levels that moved, what became of the path, and the certificate."""
    enrolment = get_object_or_404(
        Enrolment.objects.of(signed_in(request)).completed().select_related("course", "person"), pk=enrolment_id
    )
    return render(
        request,
        "courses/course_result.html",
        {
            "enrolment": enrolment,
            "course": enrolment.course,
            "state": selectors.course_state(enrolment),
            "gain": selectors.gain_of(enrolment),
        },
    )
