"""Reading across courses and what people did in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.conf import settings
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils import timezone

from competencies.enums import FrameworkStatus
from competencies.selectors import NOTHING_SUPPOSED, Supposing, Taught, equivalents_of
from courses.enums import DATED_FORMATS
from courses.models import (
    Attempt,
    CourseOutcome,
    CoursePage,
    CoursePrerequisite,
    CourseRun,
    Enrolment,
    LessonPage,
    LessonProgress,
    PreCheck,
)
from organisations.models import User


@dataclass(frozen=True)
class OfferedRun:
    """A run of a course with at least one seat left; both days belong to it."""

    run_id: int
    starts_on: date
    ends_on: date


@dataclass(frozen=True)
class OfferedCourse:
    """A course across its languages. `outcomes`: (competency id, rank), rank 1 where the framework has no levels.

    An outcome also counts for the published edition of its competency and for what is aligned with it exactly: all of
    them are among the outcomes. `ways` has them by stated outcome: one of each group stands for it.
    """

    key: str
    pages: tuple[CoursePage, ...]
    outcomes: tuple[tuple[int, int], ...]
    prerequisites: frozenset[str]
    ways: tuple[tuple[tuple[int, int], ...], ...] = ()
    # Runs with seats left by page: only courses with dates have them.
    runs: Mapping[int, tuple[OfferedRun, ...]] = field(default_factory=dict)

    def is_dated(self, page: CoursePage) -> bool:
        """Whether this page's course is taken in a run, with its dates and seats."""
        return page.format in DATED_FORMATS

    def sessions_of(self, page: CoursePage) -> tuple[OfferedRun, ...]:
        """The runs in which a seat can be had, the earliest first."""
        return self.runs.get(page.pk, ())

    def is_held(self, held: Mapping[int, int]) -> bool:
        """Whether somebody holds everything it leads to (competency id → attained rank)."""
        return bool(self.ways) and all(any(held.get(pk, 0) >= rank for pk, rank in way) for way in self.ways)

    def page_for(self, language: str, begun: int | None = None) -> CoursePage:
        """The page in this language, else in the installation's, else in any; the page `begun` before all of them."""
        wanted = [language, settings.LANGUAGE_CODE]
        return min(
            self.pages,
            key=lambda page: (
                page.pk != begun,
                wanted.index(page.language) if page.language in wanted else len(wanted),
                page.pk,
            ),
        )


def offered_courses(supposing: Supposing = NOTHING_SUPPOSED) -> dict[str, OfferedCourse]:
    """The whole offer by key: five queries, one of them for pages closed to the public; two more where outcomes are of a
    superseded edition or aligned with other frameworks. `supposing` asks as if a draft of a framework were published.
    """
    pages: dict[str, list[CoursePage]] = defaultdict(list)
    for page in CoursePage.objects.offered().order_by("pk"):
        pages[page.key].append(page)
    ids = [page.pk for group in pages.values() for page in group]
    taught: dict[str, dict[int, Taught]] = defaultdict(dict)
    for key, rank, competency_id, lineage, version_id, framework_id, status in CourseOutcome.objects.filter(
        course_id__in=ids
    ).values_list(
        "course__key",
        "level__rank",
        "competency_id",
        "competency__lineage",
        "competency__version_id",
        "competency__version__framework_id",
        "competency__version__status",
    ):
        before = taught[key].get(competency_id)
        rank = max(1 if rank is None else rank, before.rank if before else 0)
        superseded = status == FrameworkStatus.SUPERSEDED
        taught[key][competency_id] = Taught(competency_id, rank, lineage, version_id, framework_id, superseded)
    ways = equivalents_of({outcome for outcomes in taught.values() for outcome in outcomes.values()}, supposing)
    required_first: dict[str, set[str]] = defaultdict(set)
    for key, other in CoursePrerequisite.objects.filter(course_id__in=ids).values_list(
        "course__key", "prerequisite__key"
    ):
        required_first[key].add(other)
    runs = runs_with_seats([page.pk for group in pages.values() for page in group if page.format in DATED_FORMATS])
    return {
        key: _offered(key, group, [ways[taught[key][pk]] for pk in sorted(taught[key])], required_first[key], runs)
        for key, group in sorted(pages.items())
    }


def runs_with_seats(course_ids: Sequence[int], as_of: date | None = None) -> dict[int, tuple[OfferedRun, ...]]:
    """Runs that can be booked, by course page, the earliest first. One query, none for no courses."""
    found: dict[int, list[OfferedRun]] = defaultdict(list)
    if not course_ids:
        return {}
    runs = CourseRun.objects.bookable(as_of or timezone.localdate()).filter(course_id__in=course_ids)
    for run in runs.with_taken().order_by("starts_on", "pk"):
        if run.seats is None or run.taken < run.seats:
            found[run.course_id].append(OfferedRun(run.pk, run.starts_on, run.ends_on))
    return {course_id: tuple(runs) for course_id, runs in found.items()}


def _offered(
    key: str,
    pages: Sequence[CoursePage],
    ways: Sequence[tuple[tuple[int, int], ...]],
    required_first: Iterable[str],
    runs: Mapping[int, tuple[OfferedRun, ...]],
) -> OfferedCourse:
    ranks: dict[int, int] = {}
    for pk, rank in (pair for way in ways for pair in way):
        ranks[pk] = max(ranks.get(pk, 0), rank)
    return OfferedCourse(
        key,
        tuple(pages),
        tuple(sorted(ranks.items())),
        frozenset(required_first),
        tuple(ways),
        {page.pk: runs[page.pk] for page in pages if page.pk in runs},
    )


@dataclass(frozen=True)
class LessonState:
    lesson: LessonPage
    number: int
    completed: bool
    opened: bool

    @property
    def state(self) -> str:
        return "done" if self.completed else "current" if self.opened else "todo"


@dataclass(frozen=True)
class CourseState:
    """Where a person is in a course. `next` is the first lesson not completed, None when all are."""

    enrolment: Enrolment
    course: CoursePage
    lessons: tuple[LessonState, ...]

    @property
    def completed(self) -> int:
        return sum(lesson.completed for lesson in self.lessons)

    @property
    def total(self) -> int:
        return len(self.lessons)

    @property
    def next(self) -> LessonState | None:
        return next((lesson for lesson in self.lessons if not lesson.completed), None)

    @property
    def minutes_left(self) -> int:
        return sum(lesson.lesson.minutes for lesson in self.lessons if not lesson.completed)


def lessons_by_course(courses: Iterable[CoursePage]) -> dict[int, list[LessonPage]]:
    """Live lessons of many courses in their order, without their content. One query."""
    paths = {course.path: course.pk for course in courses}
    if not paths:
        return {}
    found: dict[int, list[LessonPage]] = defaultdict(list)
    parents = LessonPage.objects.live().filter(depth=5).defer("body").order_by("path")
    for lesson in _below(parents, list(paths)):
        found[paths[lesson.path[: -LessonPage.steplen]]].append(lesson)
    return found


def _below(lessons, paths: Sequence[str]):  # type: ignore[no-untyped-def]
    """Lessons directly below any of these tree paths; by range for few, in one sweep for many."""
    from django.db.models import Q

    if len(paths) > 40:
        wanted = set(paths)
        return [lesson for lesson in lessons if lesson.path[: -LessonPage.steplen] in wanted]
    within = Q()
    for path in paths:
        within |= Q(path__startswith=path)
    return lessons.filter(within)


def course_states(enrolments: Sequence[Enrolment]) -> dict[int, CourseState]:
    """States of many enrolments (with `course` selected): two queries."""
    lessons = lessons_by_course(enrolment.course for enrolment in enrolments)
    progress: dict[tuple[int, int], LessonProgress] = {
        (p.enrolment_id, p.lesson_id): p
        for p in LessonProgress.objects.filter(enrolment__in=[e.pk for e in enrolments])
    }
    states = {}
    for enrolment in enrolments:
        rows = []
        for number, lesson in enumerate(lessons.get(enrolment.course_id, []), start=1):
            done = progress.get((enrolment.pk, lesson.pk))
            rows.append(
                LessonState(lesson, number, done is not None and done.completed_at is not None, done is not None)
            )
        states[enrolment.pk] = CourseState(enrolment, enrolment.course, tuple(rows))
    return states


def course_state(enrolment: Enrolment) -> CourseState:
    return course_states([enrolment])[enrolment.pk]


def enrolment_elsewhere(person: User, course: CoursePage) -> Enrolment | None:
    """What the person has begun, else passed, of this course in another of its languages."""
    others = Enrolment.objects.of(person).filter(course__key=course.key, course__live=True).exclude(course=course.pk)
    return others.select_related("course").order_by(F("completed_at").desc(nulls_first=True), "-last_seen_at").first()


def latest_enrolment(person: User, course: CoursePage) -> Enrolment | None:
    """The latest enrolment of a person in this course; the open one, where there is one."""
    return Enrolment.objects.of(person).filter(course=course).select_related("course").order_by("number").last()


def enrolments_of(person: User) -> list[Enrolment]:
    """All enrolments of a person with their course, the one seen last first. One query."""
    return list(Enrolment.objects.of(person).select_related("course"))


def passed_and_begun(person_ids: Sequence[int]) -> tuple[dict[int, set[str]], dict[int, dict[str, int]]]:
    """Keys of the courses each person has completed, and of those begun and open with the page (its language) she
    takes: of two the one seen last. One query."""
    passed: dict[int, set[str]] = defaultdict(set)
    begun: dict[int, dict[str, int]] = defaultdict(dict)
    rows = (
        Enrolment.objects.filter(person_id__in=person_ids)
        .order_by("last_seen_at", "pk")
        .values_list("person_id", "course__key", "course_id", "completed_at")
    )
    for person_id, key, page_id, completed_at in rows:
        if completed_at is None:
            begun[person_id][key] = page_id
        else:
            passed[person_id].add(key)
    return passed, begun


def passed_keys(person: User, keys: Iterable[str]) -> set[str]:
    """Which of these courses a person has completed, in whatever language. One query."""
    return set(
        Enrolment.objects.of(person).completed().filter(course__key__in=keys).values_list("course__key", flat=True)
    )


def in_language(language: str, courses: Iterable[CoursePage]) -> dict[int, CoursePage]:
    """For each course the page a reader of this language would call it by: hers where it is offered, else its own.

    One query, none where all are in that language.
    """
    pages = {course.pk: course for course in courses}
    others = {course.key for course in pages.values() if course.language != language}
    found = (
        {page.key: page for page in CoursePage.objects.offered().filter(key__in=others, language=language)}
        if others
        else {}
    )
    return {pk: found.get(course.key, course) for pk, course in pages.items()}


def latest_attempt(enrolment: Enrolment, lesson: LessonPage) -> Attempt | None:
    return Attempt.objects.filter(enrolment=enrolment, lesson=lesson).order_by("number").last()


def _final_checks(courses: QuerySet[CoursePage]) -> QuerySet[CoursePage, int]:
    """Ids of the check that ends each of these courses: the last one offered, else the last one withdrawn."""
    checks = LessonPage.objects.filter(is_check=True, depth=5, path__startswith=OuterRef("path"))
    final = checks.order_by("-live", "-path").values("pk")[:1]
    return courses.annotate(final_check=Subquery(final)).values_list("final_check", flat=True)


def gains_of(course_key: str, since: datetime | None = None) -> list[tuple[int, int]]:
    """What people knew before a course and at their first try of its final check, in percent, in whatever language.

    The same questions both times, and the first try, not the best one: later ones are helped by what it said.
    `since` leaves out who answered before the course earlier than that. One query.
    """
    first = (
        Attempt.objects.filter(
            enrolment=OuterRef("enrolment"),
            lesson__in=_final_checks(CoursePage.objects.filter(key=course_key)),
            submitted_at__gt=OuterRef("submitted_at"),
        )
        .order_by("submitted_at", "pk")
        .values("score_pct")[:1]
    )
    rows = PreCheck.objects.filter(enrolment__course__key=course_key).annotate(after=Subquery(first))
    if since is not None:
        rows = rows.filter(submitted_at__gte=since)
    return list(rows.filter(after__isnull=False).order_by("pk").values_list("score_pct", "after"))


def gain_of(enrolment: Enrolment) -> tuple[int, int] | None:
    """What she knew before the course and knows now, in percent: her best pass of the final check. One query.

    None where she was not asked before, or has not passed yet.
    """
    best = (
        Attempt.objects.filter(
            enrolment=OuterRef("enrolment"),
            lesson__in=_final_checks(CoursePage.objects.filter(pk=enrolment.course_id)),
            passed=True,
        )
        .order_by("-score_pct")
        .values("score_pct")[:1]
    )
    rows = PreCheck.objects.filter(enrolment=enrolment).annotate(now=Subquery(best)).filter(now__isnull=False)
    return rows.values_list("score_pct", "now").first()
