"""Writes of the courses floor: enrol, open, complete, answer, hand in - and what passing sets in motion."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from competencies.enums import HELD_RANK, EvidenceKind
from competencies.services import Finding, is_in_use, record_evidence
from courses import marking
from courses.enums import DATED_FORMATS
from courses.models import Attempt, CoursePage, Enrolment, LessonPage, LessonProgress, SeatBooking
from courses.questions import questions_in
from courses.selectors import CourseState, course_state
from courses.signals import course_passed
from organisations.audit import log_row
from organisations.models import User


class NotPossible(ValueError):
    """Something a learner cannot do now; the text is a sentence for her."""


def enrol(*, person: User, course: CoursePage, at: datetime | None = None) -> Enrolment:
    """Take a course. Who takes it already gets that enrolment; who passed it takes it again under a new number.

    One query and two rows; NotPossible where the course is not offered, or held on dates and no seat is booked.
    """
    taken = Enrolment.objects.of(person).filter(course=course).order_by("number")
    last = 0
    for enrolment in taken:
        if enrolment.completed_at is None:
            return enrolment
        last = enrolment.number
    if not course.live:
        raise NotPossible(_("This course is not offered at present."))
    if course.format in DATED_FORMATS and not _has_seat(person, course):
        raise NotPossible(_("This course is held on dates. Book a seat in one of its runs first."))
    moment = at or timezone.now()
    try:
        with transaction.atomic():
            enrolment = Enrolment.objects.create(
                person=person, course=course, number=last + 1, enrolled_at=moment, last_seen_at=moment
            )
            log_row(enrolment, "courses.enrol", person, {"course": course.key})
    except IntegrityError:  # the same button pressed twice
        return Enrolment.objects.get(person=person, course=course, completed_at__isnull=True)
    return enrolment


def _has_seat(person: User, course: CoursePage) -> bool:
    return SeatBooking.objects.filter(
        person=person, run__course__key=course.key, run__cancelled=False, cancelled_at__isnull=True
    ).exists()


@transaction.atomic
def open_lesson(*, enrolment: Enrolment, lesson: LessonPage, at: datetime | None = None) -> LessonProgress:
    """Remember that the lesson was opened, so that "continue" leads back to it."""
    moment = at or timezone.now()
    progress, _created = LessonProgress.objects.get_or_create(
        enrolment=enrolment, lesson=lesson, defaults={"opened_at": moment}
    )
    if enrolment.completed_at is None:
        Enrolment.objects.filter(pk=enrolment.pk).update(last_seen_at=moment)
    return progress


@transaction.atomic
def complete_lesson(*, enrolment: Enrolment, lesson: LessonPage, at: datetime | None = None) -> LessonProgress:
    """Mark a lesson as done. A final check is not marked but passed; doing it twice keeps the first time."""
    if lesson.is_check:
        raise NotPossible(_("A check is done when you pass it."))
    moment = at or timezone.now()
    progress, _created = LessonProgress.objects.get_or_create(
        enrolment=enrolment, lesson=lesson, defaults={"opened_at": moment}
    )
    if progress.completed_at is None:
        LessonProgress.objects.filter(pk=progress.pk, completed_at__isnull=True).update(completed_at=moment)
        progress.refresh_from_db()
    _complete_if_all_is_done(enrolment, moment)
    return progress


@transaction.atomic
def save_answers(
    *,
    enrolment: Enrolment,
    lesson: LessonPage,
    answers: Mapping[str, marking.Answer],
    number: int | None = None,
    at: datetime | None = None,
) -> Attempt | None:
    """Keep what is filled in so far; nothing is marked.

    None where it comes too late to be kept: the course is completed, or the attempt of this `number` was handed in
    while these answers were on their way (they would open another attempt and hide the result).
    """
    moment = at or timezone.now()
    enrolment = Enrolment.objects.select_for_update(of=("self",)).get(pk=enrolment.pk)
    if enrolment.completed_at is not None:
        return None
    if number is not None and _handed_in(enrolment, lesson).filter(number=number).exists():
        return None
    attempt = _open_attempt(enrolment, lesson, moment)
    attempt.answers = dict(answers)
    attempt.saved_at = moment
    attempt.save(update_fields=["answers", "saved_at"])
    return attempt


@transaction.atomic
def submit_attempt(
    *,
    enrolment: Enrolment,
    lesson: LessonPage,
    answers: Mapping[str, marking.Answer],
    number: int,
    at: datetime | None = None,
) -> Attempt:
    """Mark the answers of a lesson. For a final check, reaching the pass mark completes the course.

    `number` is the attempt the form was shown for: handing it in twice (a doubled press) gives what was marked first.
    Raises NotPossible when the check is not open yet because lessons before it are not done.
    """
    moment = at or timezone.now()
    enrolment = (
        Enrolment.objects.select_for_update(of=("self",)).select_related("course", "person").get(pk=enrolment.pk)
    )
    submitted = _handed_in(enrolment, lesson)
    already = submitted.filter(number=number).first()
    if already is not None:
        return already
    if lesson.is_check:
        if enrolment.completed_at is not None and submitted:
            return submitted[len(submitted) - 1]
        if left_before_check(course_state(enrolment)):
            raise NotPossible(_("Finish the lessons before the check first."))
    questions = questions_in(lesson.body)
    if not questions:
        raise NotPossible(_("This lesson has no questions."))
    marked = marking.mark(questions, answers)
    attempt = _open_attempt(enrolment, lesson, moment)
    attempt.answers = dict(answers)
    attempt.results = {m.question.id: m.correct is True for m in marked}
    attempt.score_pct = marking.score_pct(marked)
    attempt.passed = lesson.is_check and attempt.score_pct >= enrolment.course.pass_mark_pct
    attempt.saved_at = attempt.submitted_at = moment
    attempt.save()
    if attempt.passed:
        LessonProgress.objects.update_or_create(
            enrolment=enrolment,
            lesson=lesson,
            defaults={"completed_at": moment},
            create_defaults={"opened_at": moment, "completed_at": moment},
        )
        _complete_if_all_is_done(enrolment, moment)
    return attempt


@transaction.atomic
def finish_course(*, enrolment: Enrolment, at: datetime | None = None) -> Enrolment:
    """Complete a course of which nothing is left to do, because the lesson that was left has been withdrawn."""
    _complete_if_all_is_done(enrolment, at or timezone.now())
    enrolment.refresh_from_db()
    return enrolment


def left_before_check(state: CourseState) -> list[LessonPage]:
    """Teaching lessons that are not done yet."""
    return [row.lesson for row in state.lessons if not row.completed and not row.lesson.is_check]


def _handed_in(enrolment: Enrolment, lesson: LessonPage) -> QuerySet[Attempt]:
    return Attempt.objects.filter(enrolment=enrolment, lesson=lesson, submitted_at__isnull=False).order_by("number")


def _open_attempt(enrolment: Enrolment, lesson: LessonPage, moment: datetime) -> Attempt:
    attempt = (
        Attempt.objects.select_for_update(of=("self",))
        .filter(enrolment=enrolment, lesson=lesson, submitted_at__isnull=True)
        .first()
    )
    if attempt:
        return attempt
    last = Attempt.objects.filter(enrolment=enrolment, lesson=lesson).aggregate(last=Max("number"))["last"] or 0
    try:
        with transaction.atomic():
            return Attempt.objects.create(
                enrolment=enrolment, lesson=lesson, number=last + 1, started_at=moment, saved_at=moment
            )
    except IntegrityError:  # two tabs
        return Attempt.objects.get(enrolment=enrolment, lesson=lesson, submitted_at__isnull=True)


def _complete_if_all_is_done(enrolment: Enrolment, moment: datetime) -> None:
    """Every lesson done (checks passed): the course is completed, and that is evidence for its outcomes."""
    enrolment = (
        Enrolment.objects.select_for_update(of=("self",)).select_related("course", "person").get(pk=enrolment.pk)
    )
    state = course_state(enrolment)
    if enrolment.completed_at is not None or not state.lessons or any(not row.completed for row in state.lessons):
        return
    checks = [row.lesson.pk for row in state.lessons if row.lesson.is_check]
    best = Attempt.objects.filter(enrolment=enrolment, lesson__in=checks, passed=True).aggregate(best=Max("score_pct"))[
        "best"
    ]
    enrolment.completed_at = moment
    enrolment.assessed = bool(checks)
    enrolment.score_pct = best
    enrolment.save(update_fields=["completed_at", "assessed", "score_pct"])
    outcomes = enrolment.course.outcomes.select_related("competency__version", "level")
    record_evidence(
        person=enrolment.person,
        # A competency that was withdrawn meanwhile is left out: the course is completed all the same.
        findings=[
            Finding(o.competency, o.level.rank if o.level else HELD_RANK) for o in outcomes if is_in_use(o.competency)
        ],
        kind=EvidenceKind.COURSE,
        assessed=enrolment.assessed,
        source=enrolment.course.title,
        source_key=f"enrolment:{enrolment.pk}",
        by=None,
        occurred_on=timezone.localdate(moment),
        at=moment,
    )
    log(
        instance=enrolment,
        action="courses.complete",
        user=enrolment.person,
        data={"course": enrolment.course.key, "score_pct": best},
    )
    transaction.on_commit(partial(course_passed.send, sender=Enrolment, enrolment_id=enrolment.pk))
