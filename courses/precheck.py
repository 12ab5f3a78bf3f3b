"""What somebody knows before a course: the questions of its final check, answered before any lesson. It counts for nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from courses import marking
from courses.marking import Question
from courses.models import Attempt, Enrolment, LessonPage, LessonProgress, PreCheck
from courses.questions import questions_in
from courses.selectors import CourseState, lessons_by_course
from courses.services import NotPossible


def is_possible(state: CourseState) -> bool:
    """Whether it is offered: the course has a check, and she has only just begun. One query, none where it has no check."""
    if state.enrolment.completed_at is not None or state.completed:
        return False
    return any(row.lesson.is_check for row in state.lessons) and _has_just_begun(state.enrolment)


def _has_just_begun(enrolment: Enrolment) -> bool:
    """No lesson done, no check handed in, and nothing answered before."""
    done = LessonProgress.objects.filter(enrolment=OuterRef("pk"), completed_at__isnull=False)
    tried = Attempt.objects.filter(enrolment=OuterRef("pk"), submitted_at__isnull=False)
    before = PreCheck.objects.filter(enrolment=OuterRef("pk"))
    rows = Enrolment.objects.filter(pk=enrolment.pk, completed_at__isnull=True)
    return rows.filter(~Exists(done), ~Exists(tried), ~Exists(before)).exists()


def questions_of(enrolment: Enrolment) -> list[Question]:
    """The questions of the final check, the last where there are several; none where there is none. Two queries.

    Only that one, because it is compared with that one: see `selectors.gains_of`.
    """
    lessons = lessons_by_course([enrolment.course]).get(enrolment.course_id, [])
    final = next((lesson.pk for lesson in reversed(lessons) if lesson.is_check), None)
    return [] if final is None else questions_in(LessonPage.objects.get(pk=final).body)


@transaction.atomic
def hand_in(*, enrolment: Enrolment, answers: Mapping[str, marking.Answer], at: datetime | None = None) -> PreCheck:
    """Mark the answers and keep the score alone; a doubled press keeps the first. Raises NotPossible once a lesson is done."""
    locked = Enrolment.objects.select_for_update(of=("self",)).get(pk=enrolment.pk)
    there = PreCheck.objects.filter(enrolment=locked).first()
    if there is not None:
        return there
    if not _has_just_begun(locked):
        raise NotPossible(_("This is for before the course, and you have begun it already."))
    questions = questions_of(enrolment)
    if not questions:
        raise NotPossible(_("This course has no check."))
    score = marking.score_pct(marking.mark(questions, answers))
    try:
        with transaction.atomic():
            return PreCheck.objects.create(enrolment=locked, score_pct=score, submitted_at=at or timezone.now())
    except IntegrityError:
        return PreCheck.objects.get(enrolment=locked)
