"""Small states for tests, made by the services and models the product itself uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from competencies.assessors import ASSESSORS
from competencies.claims import Asked, submit_claim
from competencies.enums import ClaimKind, CompetencyKind, EvidenceKind, FrameworkStatus
from competencies.models import (
    Area,
    Claim,
    Competency,
    Evidence,
    Framework,
    FrameworkVersion,
    LevelDescriptor,
    PostRole,
    ProficiencyLevel,
    Requirement,
    Role,
    RoleProfile,
)
from competencies.services import Finding, record_evidence
from courses.models import CataloguePage, CourseOutcome, CoursePage, CoursePrerequisite, Enrolment, LessonPage
from courses.questions import questions_in
from courses.services import complete_lesson, enrol, submit_attempt
from organisations.models import Appointment, HrMandate, Post, Unit, User

_number = count(1)
LONG_AGO = date(2020, 1, 1)
PASSWORD = "a-long-test-password"


def make_person(name: str = "", **fields: Any) -> User:
    n = next(_number)
    name = name or f"Person {n}"
    return User.objects.create_user(fields.pop("email", f"person{n}@example.org"), PASSWORD, name=name, **fields)


def make_unit(name: str = "", parent: Unit | None = None) -> Unit:
    n = next(_number)
    values = {"name": {"en": name or f"Unit {n}"}, "code": f"u{n}"}
    if parent is None:
        return Unit.add_root(**values)
    return Unit.objects.get(pk=parent.pk).add_child(**values)


def make_post(
    unit: Unit,
    *,
    title: str = "Officer",
    reports_to: Post | None = None,
    holder: User | None = None,
    roles: Sequence[RoleProfile] = (),
) -> Post:
    post = Post.objects.create(
        unit=unit, code=f"p{next(_number)}", title={"en": title}, reports_to=reports_to, starts_on=LONG_AGO
    )
    for profile in roles:
        PostRole.objects.create(post=post, profile=profile)
    if holder is not None:
        appoint(holder, post)
    return post


def appoint(person: User, post: Post, starts_on: date = LONG_AGO, ends_on: date | None = None) -> Appointment:
    return Appointment.objects.create(person=person, post=post, starts_on=starts_on, ends_on=ends_on)


def many_people(
    number: int, unit: Unit, *, reports_to: Post | None = None, roles: Sequence[RoleProfile] = (), **fields: Any
) -> list[int]:
    """Ids of so many people, each in a post of the unit; without news, for what is about large numbers."""
    numbers = [next(_number) for _ in range(number)]
    people = User.objects.bulk_create(
        User(email=f"person{n}@example.org", name=f"Person {n}", password="!", **fields) for n in numbers
    )
    posts = Post.objects.bulk_create(
        Post(unit=unit, code=f"p{n}", title={"en": "Officer"}, reports_to=reports_to, starts_on=LONG_AGO)
        for n in numbers
    )
    PostRole.objects.bulk_create(PostRole(post=post, profile=profile) for post in posts for profile in roles)
    Appointment.objects.bulk_create(
        Appointment(person=person, post=post, starts_on=LONG_AGO) for person, post in zip(people, posts, strict=True)
    )
    return [person.pk for person in people]


def make_hr(officer: User, unit: Unit) -> HrMandate:
    return HrMandate.objects.create(officer=officer, unit=unit)


def make_framework(
    slug: str = "", *, ranks: int = 5, codes: Sequence[str] = ("A", "B", "C"), status: str = FrameworkStatus.PUBLISHED
) -> FrameworkVersion:
    """A framework with levels 0..ranks (none when `ranks` is 0) and a competency per code, with descriptors."""
    slug = slug or f"framework-{next(_number)}"
    framework = Framework.objects.create(slug=slug, title={"en": slug})
    version = FrameworkVersion.objects.create(
        framework=framework, edition="1", content_digest=uuid4().hex, languages=["en"]
    )
    levels = (
        [ProficiencyLevel.objects.create(version=version, rank=r, label={"en": f"Label {r}"}) for r in range(ranks + 1)]
        if ranks
        else []
    )
    area = Area.objects.create(version=version, code="area", title={"en": "Area"})
    for position, code in enumerate(codes):
        competency = Competency.objects.create(
            version=version,
            area=area,
            code=code,
            title={"en": f"Competency {code}", "es": f"Competencia {code}"},
            kind=CompetencyKind.COMPETENCY,
            position=position,
            description={"en": f"What {code} is."},
        )
        for level in levels[1:]:
            LevelDescriptor.objects.create(
                competency=competency, level=level, text={"en": f"I can do {code} at {level.rank}."}
            )
    version.status = status
    version.save()
    return version


def competency(version: FrameworkVersion, code: str) -> Competency:
    return version.competencies.get(code=code)


def make_profile(
    version: FrameworkVersion,
    needs: Mapping[str, int | None],
    *,
    title: str = "",
    importance: int = 3,
    key_post: str = "",
) -> RoleProfile:
    n = next(_number)
    # A published version never changes; here it is only made piece by piece, past the guard.
    role = Role(version=version, code=f"role{n}", title={"en": title or f"Role {n}"}, key_post=key_post)
    role.search_text = role.searchable()
    Role.objects.bulk_create([role])
    profile = RoleProfile(role=role, code=f"role{n}")
    RoleProfile.objects.bulk_create([profile])
    levels = {level.rank: level for level in version.levels.all()}
    Requirement.objects.bulk_create(
        Requirement(
            profile=profile,
            competency=competency(version, code),
            level=None if rank is None else levels[rank],
            importance=importance,
        )
        for code, rank in needs.items()
    )
    return profile


def make_course(
    version: FrameworkVersion | None = None,
    outcomes: Mapping[str, int] | None = None,
    *,
    key: str = "",
    effort: int = 60,
    lessons: int = 1,
    check: bool = True,
    requires: Sequence[CoursePage] = (),
    language: str = "en",
    title: str = "",
) -> CoursePage:
    """A published course with `lessons` teaching lessons and a check of two questions."""
    key = key or f"course-{next(_number)}"
    page = CoursePage(
        title=title or key.replace("-", " ").title(),
        slug=f"{key}-{language}" if language != "en" else key,
        key=key,
        language=language,
        summary=f"Summary of {key}.",
        effort_minutes=effort,
        pass_mark_pct=80,
    )
    levels = {level.rank: level for level in version.levels.all()} if version else {}
    page.outcomes = [
        CourseOutcome(competency=competency(version, code), level=levels.get(rank), sort_order=i)
        for i, (code, rank) in enumerate((outcomes or {}).items())
        if version
    ]
    page.prerequisites = [CoursePrerequisite(prerequisite=other, sort_order=i) for i, other in enumerate(requires)]
    CataloguePage.objects.get().add_child(instance=page)
    for n in range(1, lessons + 1):
        page.add_child(
            instance=LessonPage(
                title=f"Lesson {n}",
                slug=f"lesson-{n}",
                minutes=10,
                body=[{"type": "text", "value": f"<p>Text of lesson {n}.</p>"}],
            )
        )
    if check:
        page.add_child(
            instance=LessonPage(title="Final check", slug="final-check", minutes=5, is_check=True, body=check_body())
        )
    return CoursePage.objects.get(pk=page.pk)


def check_body() -> list[dict[str, Any]]:
    shared = {"explanation": "Because.", "revisit": "lesson-1"}

    def item(value: Any) -> dict[str, Any]:
        return {"type": "item", "id": str(uuid4()), "value": value}

    options = [item({"text": text, "correct": text == "Right", "feedback": ""}) for text in ("Right", "Wrong")]
    choice = {"question": "Which?", "options": options, **shared}
    words = {"question": "Say it.", "accepted": [item("it")], **shared}
    return [
        {"type": "single_choice", "id": str(uuid4()), "value": choice},
        {"type": "short_text", "id": str(uuid4()), "value": words},
    ]


def right_answers(lesson: LessonPage) -> dict[str, Any]:
    """Answers that mark every question of a lesson right."""
    answers: dict[str, Any] = {}
    for question in questions_in(lesson.body):
        if question.pairs:
            answers[question.id] = {pair.id: pair.id for pair in question.pairs}
        elif question.accepted:
            answers[question.id] = question.accepted[0]
        elif question.kind == "multiple_choice":
            answers[question.id] = [o.id for o in question.options if o.correct]
        else:
            answers[question.id] = next(o.id for o in question.options if o.correct)
    return answers


def lessons_of(course: CoursePage) -> list[LessonPage]:
    return [page.specific for page in course.get_children().order_by("path")]


def take_course(person: User, course: CoursePage, at: datetime | None = None) -> Enrolment:
    """Enrol, do every lesson, pass the check."""
    moment = at or timezone.now()
    enrolment = enrol(person=person, course=course, at=moment)
    for lesson in lessons_of(course):
        if lesson.is_check:
            submit_attempt(enrolment=enrolment, lesson=lesson, answers=right_answers(lesson), number=1, at=moment)
        else:
            complete_lesson(enrolment=enrolment, lesson=lesson, at=moment)
    enrolment.refresh_from_db()
    return enrolment


def give_evidence(
    person: User,
    what: Competency,
    rank: int,
    kind: EvidenceKind = EvidenceKind.PRIOR_LEARNING,
    *,
    days_ago: int = 0,
    by: User | None = None,
    assessed: bool = True,
) -> Evidence:
    on = timezone.localdate() - timedelta(days=days_ago)
    [piece] = record_evidence(
        person=person,
        findings=[Finding(what, rank)],
        kind=kind,
        source_key=f"test:{uuid4()}",
        by=by,
        occurred_on=on,
        assessed=assessed,
    )
    return piece


def make_assessor(name: str = "") -> User:
    """Somebody in the group that decides on claims and contests of everybody."""
    person = make_person(name)
    person.groups.add(Group.objects.get(name=ASSESSORS))
    return person


# As small as a PDF is that a reader opens.
PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"


def pdf_file(name: str = "certificate.pdf", *, mark: str = "") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, PDF.replace(b"/Catalog", f"/Catalog /Mark ({mark})".encode()))


def make_claim(
    person: User, what: Competency, rank: int = 3, kind: ClaimKind = ClaimKind.CERTIFICATE, **more: Any
) -> Claim:
    """A claim as a person submits it, with a document."""
    at, previous, token = more.pop("at", None), more.pop("previous", None), more.pop("token", str(uuid4()))
    day = timezone.localdate(at) if at else timezone.localdate()
    values = {
        "title": f"Security professional {next(_number)}",
        "issuer": "Institute of Security",
        "issued_on": day - timedelta(days=30),
        "statement": "I did it for two years.",
        "files": [pdf_file(mark=token)],
    }
    asked = Asked(competency=what, kind=kind, rank=rank, **{**values, **more})  # type: ignore[arg-type]
    return submit_claim(person=person, asked=asked, token=token, previous=previous, at=at)
