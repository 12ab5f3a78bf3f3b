"""The demo ministry, third floor: who took which course, how it went, and the evidence that passing left.

A `Taking` is one person's way through one course, drawn in advance with all its moments. `begin` and `complete` write
what courses.services would have written on those days, for many people at once and without telling anybody
(tests/demo/test_courses.py lets the services take the same way and compares); `write_activity` adds lessons and
attempts, which nothing else depends on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import ceil
from random import Random

from django.contrib.auth.models import Group
from django.utils import timezone

from competencies.demo import STARTER_SLUG, NotReady
from competencies.enums import HELD_RANK, EvidenceKind
from competencies.models import Competency, Evidence
from courses import marking
from courses.marking import Answer, Question, QuestionKind
from courses.models import Attempt, CoursePage, Enrolment, LessonPage, LessonProgress
from courses.questions import questions_in
from courses.selectors import lessons_by_course
from organisations.demo import BATCH, Member, Ministry, moment, workdays

# What the story of the demo accounts needs; the other courses are taken as paths have them.
STORY_COURSES = (
    "safe-digital-work",
    "serving-citizens",
    "working-on-the-record",
    "data-governance",
    "service-design",
    "governing-cyber-risk",
    "leading-change",
    "building-digital-teams",
)
EDITOR_GROUPS = ("Editors", "Moderators")
# Typed by people who do not know the answer.
NO_IDEA = ("not sure", "I would have to look it up", "no lo sé", "tendría que buscarlo")


@dataclass(frozen=True)
class Lesson:
    page: LessonPage
    questions: tuple[Question, ...]

    @property
    def is_check(self) -> bool:
        return self.page.is_check


@dataclass(frozen=True)
class Course:
    """A course as somebody takes it: its lessons in order and what passing it is evidence for."""

    page: CoursePage
    lessons: tuple[Lesson, ...]
    outcomes: tuple[tuple[Competency, int], ...]


class Library:
    """Courses with their questions, read when the first person takes them."""

    def __init__(self) -> None:
        pages = {page.pk: page for page in CoursePage.objects.offered()}
        keys = {page.key for page in pages.values()}
        known = Competency.objects.filter(version__framework__slug=STARTER_SLUG, course_outcomes__course__in=pages)
        if not keys.issuperset(STORY_COURSES) or not known.exists():
            raise NotReady("The starter courses are not loaded. Run “manage.py load_courses” first.")
        self._pages, self._courses = pages, dict[int, Course]()
        self._lessons = lessons_by_course(pages.values())

    def course(self, page_id: int) -> Course:
        found = self._courses.get(page_id)
        if found is None:
            found = self._courses[page_id] = self._read(self._pages[page_id])
        return found

    def page(self, key: str, language: str) -> CoursePage:
        pages = [page for page in self._pages.values() if page.key == key]
        return min(pages, key=lambda page: (page.language != language, page.pk))

    def _read(self, page: CoursePage) -> Course:
        order = [lesson.pk for lesson in self._lessons.get(page.pk, [])]
        lessons = LessonPage.objects.in_bulk(order)
        outcomes = page.outcomes.select_related("competency", "level")
        return Course(
            page,
            tuple(Lesson(lessons[pk], tuple(questions_in(lessons[pk].body))) for pk in order),
            tuple((row.competency, row.level.rank if row.level else HELD_RANK) for row in outcomes),
        )


# --- One person's way through one course -----------------------------------------------------------------------------
@dataclass(frozen=True)
class Way:
    """How somebody takes a course: from when to when, how far, and how often the check is failed on the way.

    `lessons` is how many lessons she finishes; None: all of them, so that she passes on the last day. A `key` names the
    course where the story does; otherwise it is the next step of her path.
    """

    first: date
    last: date
    lessons: int | None = None
    fails: int = 0
    key: str = ""


@dataclass(eq=False)
class Taking:
    """`completed_at` is when the course will be completed, None when it stays open."""

    member: Member
    course: Course
    enrolment: Enrolment
    completed_at: datetime | None = None
    score_pct: int | None = None
    progress: list[LessonProgress] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)


def draw_taking(member: Member, course: Course, way: Way, chance: Random) -> Taking:
    """Draw a way through a course: every lesson and attempt with its moments. Writes nothing."""
    taking = Taking(member, course, Enrolment(person=member.user, course=course.page))
    visits = _visits(course, way)
    days = workdays(way.first, way.last) or [way.first]
    clock, today = 0.0, None
    opened = closed = moment(days[0], 9 * 60)
    for number, (lesson, outcome) in enumerate(visits):
        day = days[round(number * (len(days) - 1) / max(1, len(visits) - 1))]
        if day != today:
            clock, today = chance.uniform(8.2 * 60, 14 * 60), day
        opened = moment(day, clock)
        clock += lesson.page.minutes * chance.uniform(0.7, 1.4)
        closed = moment(day, clock)
        clock += chance.uniform(1, 6)
        _visit(taking, lesson, outcome, opened, closed, chance)
    first = taking.progress[0].opened_at if taking.progress else opened
    taking.enrolment.enrolled_at = first - timedelta(seconds=chance.randint(4, 40))
    taking.enrolment.last_seen_at = opened
    if way.lessons is None:
        taking.completed_at = closed
        scores = [attempt.score_pct or 0 for attempt in taking.attempts if attempt.passed]
        taking.score_pct = max(scores, default=None)
    return taking


def _visits(course: Course, way: Way) -> list[tuple[Lesson, str]]:
    """Which lesson is opened when, and what comes of it: "done", "open", "fail" or "pass"."""
    lessons = course.lessons if way.lessons is None else course.lessons[: way.lessons]
    visits: list[tuple[Lesson, str]] = []
    for lesson in lessons:
        if lesson.is_check:
            visits += [(lesson, "fail")] * way.fails
        visits.append((lesson, "pass" if lesson.is_check else "done"))
    if way.lessons is not None and way.lessons < len(course.lessons):
        following = course.lessons[way.lessons]
        visits += [(following, "fail")] * way.fails if following.is_check and way.fails else [(following, "open")]
    return visits


def _visit(taking: Taking, lesson: Lesson, outcome: str, opened: datetime, closed: datetime, chance: Random) -> None:
    row = next((p for p in taking.progress if p.lesson_id == lesson.page.pk), None)
    if row is None:
        row = LessonProgress(enrolment=taking.enrolment, lesson=lesson.page, opened_at=opened)
        taking.progress.append(row)
    if outcome in ("done", "pass"):
        row.completed_at = closed
    # Questions on the way are practice; not everybody stops for them.
    practice = outcome == "done" and bool(lesson.questions) and chance.random() < 0.6
    if outcome in ("fail", "pass") or practice:
        taking.attempts.append(_attempt(taking, lesson, outcome, opened, closed, chance))


def _attempt(
    taking: Taking, lesson: Lesson, outcome: str, opened: datetime, closed: datetime, chance: Random
) -> Attempt:
    """Answers handed in, marked by the product's own rules."""
    questions = lesson.questions
    needed = ceil(len(questions) * taking.course.page.pass_mark_pct / 100)
    if outcome == "pass":
        right = chance.randint(needed, len(questions))
    elif outcome == "fail":
        right = chance.randint(max(0, needed - 4), max(0, needed - 1))
    else:
        right = sum(chance.random() < 0.75 for _question in questions)
    knows = set(chance.sample(range(len(questions)), right))
    answers = {
        question.id: _right_answer(question) if number in knows else _wrong_answer(question, chance)
        for number, question in enumerate(questions)
    }
    marked = marking.mark(questions, answers)
    score = marking.score_pct(marked)
    before = [attempt for attempt in taking.attempts if attempt.lesson_id == lesson.page.pk]
    return Attempt(
        enrolment=taking.enrolment,
        lesson=lesson.page,
        number=len(before) + 1,
        answers=answers,
        results={m.question.id: m.correct is True for m in marked},
        score_pct=score,
        passed=lesson.is_check and score >= taking.course.page.pass_mark_pct,
        started_at=opened + (closed - opened) / 4,
        saved_at=closed,
        submitted_at=closed,
    )


def _right_answer(question: Question) -> Answer:
    match question.kind:
        case QuestionKind.MATCHING:
            return {pair.id: pair.id for pair in question.pairs}
        case QuestionKind.SHORT_TEXT:
            return question.accepted[0]
        case QuestionKind.MULTIPLE_CHOICE:
            return sorted(option.id for option in question.options if option.correct)
        case _:
            return next(option.id for option in question.options if option.correct)


def _wrong_answer(question: Question, chance: Random) -> Answer:
    """What somebody chooses who has not understood: near the truth, and wrong."""
    match question.kind:
        case QuestionKind.MATCHING:
            answers = {pair.id: pair.id for pair in question.pairs}
            first, second = chance.sample(sorted(answers), 2)
            return answers | {first: second, second: first}
        case QuestionKind.SHORT_TEXT:
            return chance.choice(NO_IDEA)
        case QuestionKind.MULTIPLE_CHOICE:
            right = [option.id for option in question.options if option.correct]
            wrong = [option.id for option in question.options if not option.correct]
            kept = chance.sample(right, len(right) - 1)
            return sorted([*kept, chance.choice(wrong)] if wrong else kept)
        case _:
            return chance.choice([option.id for option in question.options if not option.correct])


# --- Writing ---------------------------------------------------------------------------------------------------------
def begin(takings: Sequence[Taking]) -> None:
    """Write the enrolments of people who begin a course."""
    Enrolment.objects.bulk_create((taking.enrolment for taking in takings), batch_size=BATCH)


def complete(takings: Sequence[Taking]) -> list[Enrolment]:
    """Write that courses are completed, and the evidence this is; returns the enrolments."""
    enrolments, pieces = [], []
    for taking in takings:
        enrolment = taking.enrolment
        enrolment.completed_at, enrolment.score_pct = taking.completed_at, taking.score_pct
        enrolment.assessed = any(lesson.is_check for lesson in taking.course.lessons)
        enrolments.append(enrolment)
        pieces += _evidence(taking)
    Enrolment.objects.bulk_update(enrolments, ["completed_at", "score_pct", "assessed"], batch_size=BATCH)
    Evidence.objects.bulk_create(pieces, batch_size=BATCH)
    return enrolments


def _evidence(taking: Taking) -> list[Evidence]:
    enrolment, completed_at = taking.enrolment, taking.completed_at
    if completed_at is None:
        raise ValueError("Only a completed course is evidence.")
    return [
        Evidence(
            person=taking.member.user,
            competency=competency,
            kind=EvidenceKind.COURSE,
            rank=rank,
            assessed=enrolment.assessed,
            occurred_on=timezone.localdate(completed_at),
            source=taking.course.page.title,
            source_key=f"enrolment:{enrolment.pk}:{competency.pk}",
            recorded_at=completed_at,
        )
        for competency, rank in taking.course.outcomes
    ]


def write_activity(takings: Iterable[Taking]) -> Mapping[str, int]:
    """Write lessons and attempts of enrolments that are stored already; returns how many of each."""
    takings = list(takings)
    progress = [row for taking in takings for row in taking.progress]
    attempts = [row for taking in takings for row in taking.attempts]
    # The rows were made before their enrolments had a key.
    for row in progress:
        row.enrolment_id = row.enrolment.pk
    for attempt in attempts:
        attempt.enrolment_id = attempt.enrolment.pk
    LessonProgress.objects.bulk_create(progress, batch_size=BATCH)
    Attempt.objects.bulk_create(attempts, batch_size=BATCH)
    return {"lessons": len(progress), "attempts": len(attempts)}


def appoint_editor(ministry: Ministry) -> None:
    """The editor writes and publishes: Wagtail's own groups."""
    groups = Group.objects.filter(name__in=EDITOR_GROUPS)
    ministry.account("editor").user.groups.add(*groups)
