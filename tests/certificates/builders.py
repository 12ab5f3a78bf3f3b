"""States of the certificates' floor. Courses and frameworks are made small, by hand, one word after the other."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from wagtail.models import Locale, Page, Site

from certificates.models import Certificate
from certificates.record import Claim, Level, Outcome
from certificates.services import issue_certificate
from competencies.models import Competency, Framework, FrameworkVersion, ProficiencyLevel
from courses.models import CataloguePage, CourseOutcome, CoursePage, Enrolment, HomePage
from organisations.models import User

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
LABELS = {
    0: {"en": "None", "es": "Ninguno"},
    1: {"en": "Aware", "es": "Conoce"},
    2: {"en": "With guidance", "es": "Con orientación"},
    3: {"en": "Independent", "es": "Con autonomía"},
    4: {"en": "Leads others", "es": "Guía a otras personas"},
    5: {"en": "Shapes policy", "es": "Define políticas"},
}
TITLES = {
    "SR1": {"en": "Cyber risk governance", "es": "Gobernanza del riesgo cibernético"},
    "SR2": {"en": "Incident command", "es": "Dirección de incidentes"},
    "GL1": {"en": "Data protection", "es": "Protección de datos"},
}
_numbers = count(1)


def build_person(name: str = "Ana Quispe", language: str = "", **fields: Any) -> User:
    return User.objects.create_user(
        f"person{next(_numbers)}@ministry.example", None, name=name, language=language, **fields
    )


def build_framework(
    labels: dict[int, dict[str, str]] = LABELS, languages: tuple[str, ...] = ("en", "es")
) -> FrameworkVersion:
    number = next(_numbers)
    framework = Framework.objects.create(
        slug=f"talent-{number}", title={"en": "Digital talent", "es": "Talento digital"}
    )
    version = FrameworkVersion.objects.create(
        framework=framework,
        edition="1.0",
        languages=list(languages),
        content_digest=f"{number:064d}",
    )
    for rank, label in labels.items():
        ProficiencyLevel.objects.create(version=version, rank=rank, label=label)
    for position, (code, title) in enumerate(TITLES.items()):
        Competency.objects.create(version=version, code=code, title=title, position=position)
    version.status = "published"
    version.save()
    return version


def build_catalogue() -> CataloguePage:
    """The one of the migrations, or a new one where a test has emptied the database."""
    catalogue = CataloguePage.objects.first()
    if catalogue:
        return catalogue
    Locale.objects.get_or_create(language_code="en")
    root = Page.get_first_root_node() or Page.add_root(instance=Page(title="Root", slug="root"))
    home = HomePage.objects.first() or root.add_child(instance=HomePage(title="Home", slug="digital-talent"))
    if not Site.objects.filter(is_default_site=True).exists():
        Site.objects.create(hostname="localhost", root_page=home, is_default_site=True)
    return home.add_child(instance=CataloguePage(title="Courses", slug="courses"))


def build_course(
    title: str = "Governing cyber risk",
    *,
    outcomes: dict[str, int | None] | None = None,
    version: FrameworkVersion | None = None,
    language: str = "en",
    **fields: Any,
) -> CoursePage:
    version = version or build_framework()
    course = build_catalogue().add_child(
        instance=CoursePage(
            title=title, slug=f"course-{next(_numbers)}", language=language, summary="-", effort_minutes=150, **fields
        )
    )
    for order, (code, rank) in enumerate((outcomes if outcomes is not None else {"SR1": 4, "SR2": 3}).items()):
        CourseOutcome.objects.create(
            course=course,
            sort_order=order,
            competency=version.competencies.get(code=code),
            level=version.levels.get(rank=rank) if rank is not None else None,
        )
    revision = course.save_revision()
    CoursePage.objects.filter(pk=course.pk).update(live_revision=revision)
    course.refresh_from_db()
    return course


def build_completed(
    course: CoursePage | None = None, person: User | None = None, *, at: datetime | None = NOON, **fields: Any
) -> Enrolment:
    """An enrolment completed without a word to anybody: no signal, no job."""
    values: dict[str, Any] = {"assessed": True, "score_pct": 90, "completed_at": at} | fields
    return Enrolment.objects.create(course=course or build_course(), person=person or build_person(), **values)


def build_certificate(person: User | None = None, *, at: datetime = NOON, **fields: Any) -> Certificate:
    return issue_certificate(enrolment=build_completed(person=person, at=at, **fields), at=at)


def tamper(certificate: Certificate, **fields: Any) -> Certificate:
    """What somebody with a database console could do."""
    from django.db.models import QuerySet

    QuerySet(Certificate).filter(pk=certificate.pk).update(**fields)
    return Certificate.objects.get(pk=certificate.pk)


def claim(**changes: Any) -> Claim:
    """A claim without a database: that of the worked example."""
    values: dict[str, Any] = {
        "serial": "2026-000123",
        "code": "7KQ2MXD4RF",
        "url": "https://talent.gov.example/verify/7KQ2MXD4RF/",
        "holder": "José Ángel Muñoz",
        "title": "Governing cyber risk",
        "key": "governing-cyber-risk",
        "title_language": "en",
        "revision": 41,
        "outcomes": (outcome("SR1", "Cyber risk governance", 4), outcome("SR2", "Incident command", 3)),
        "effort_minutes": 150,
        "assessed": True,
        "score_pct": 90,
        "completed_on": date(2026, 3, 3),
        "issued_on": date(2026, 3, 4),
        "valid_until": None,
        "issuer": "Ministry of Digital Affairs",
        "language": "en",
    }
    return Claim(**(values | changes))


def outcome(code: str, title: str, rank: int | None, language: str = "en") -> Outcome:
    level = None if rank is None else Level(rank=rank, label=LABELS[rank][language], step=rank, steps=5)
    return Outcome("Digital talent", "1.0", code, title, language, level)


def read_document(certificate: Certificate) -> bytes:
    with certificate.document.open("rb") as file:
        return file.read()
