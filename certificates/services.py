"""Writing certificates: the row and its record first, the document after.

A kill between the two leaves a certificate without document, which the next run or the sweep completes.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from certificates.codes import new_code
from certificates.crediting import make_credentials
from certificates.models import Certificate
from certificates.models.certificate import document_path
from certificates.pdf import render_pdf
from certificates.record import Claim, Level, Outcome, tidy
from certificates.verdicts import RecordChanged, believed_claim
from certificates.writing import WRITE_BATCH, Draft, batches, write_certificates
from competencies.models import FrameworkVersion, ProficiencyLevel
from courses.models import CourseOutcome, Enrolment
from organisations.key_folder import KeyMissing
from organisations.models import User

logger = logging.getLogger(__name__)

DOCUMENT_BATCH = 50


class NotCompleted(Exception):
    """Only completed courses give certificates."""

    def __init__(self, enrolment_id: int) -> None:
        super().__init__(_("The course is not completed yet, so there is no certificate."))
        self.enrolment_id = enrolment_id


def issue_certificate(*, enrolment: Enrolment, by: User | None = None, at: datetime) -> Certificate:
    """Issue the certificate of a completed enrolment, with its document; the one there is when there is one.

    Raises NotCompleted. `by` is None when the sweep issues it.
    """
    return issue_certificates(enrolments=[enrolment], by=by, at=at)[0]


def issue_certificates(
    *,
    enrolments: Iterable[Enrolment],
    at: datetime | None = None,
    by: User | None = None,
    documents: bool = True,
    codes: Callable[[], str] = new_code,
) -> list[Certificate]:
    """Issue the certificates of many completed enrolments, in their order; queries grow with batches.

    `at` None dates each certificate on the day its course was completed: for histories brought in later.
    Raises NotCompleted before anything is written. `codes` is for demo data that must repeat itself.
    """
    ids = [enrolment.pk for enrolment in enrolments]
    for batch in batches(ids, WRITE_BATCH):
        open_one = Enrolment.objects.open().filter(pk__in=batch).values_list("pk", flat=True).first()
        if open_one is not None:
            raise NotCompleted(open_one)
    catalogue = Catalogue()
    certificates: list[Certificate] = []
    for batch in batches(ids, WRITE_BATCH):
        issued = _issue_batch(batch, at=at, by=by, codes=codes, catalogue=catalogue)
        if documents:
            complete(issued)
        certificates += issued
    return certificates


def complete(certificates: Sequence[Certificate]) -> None:
    """Everything that follows from a record: its credential, then its document, which carries the credential along.

    Without a key there are documents and no credentials; the sweep makes these good once there is one.
    """
    credit(certificates)
    render_documents(certificates)


def credit(certificates: Sequence[Certificate]) -> int:
    """The credentials that are missing, if anything can be signed here; returns how many were made."""
    try:
        return make_credentials(certificates)
    except KeyMissing:
        logger.warning("no key signs credentials: make one with `manage.py issuer_keys create`")
        return 0


def render_document(certificate: Certificate) -> Certificate:
    """Draw and store the document, once: where there is one, nothing is written."""
    render_documents([certificate])
    return certificate


def render_documents(certificates: Iterable[Certificate]) -> int:
    """Draw and store the documents that are missing; returns how many were written.

    Raises RecordChanged rather than put on paper what was not issued.
    """
    missing = [certificate for certificate in certificates if not certificate.document]
    return sum(_render_batch(batch) for batch in batches(missing, DOCUMENT_BATCH))


def render_missing_documents(
    *, made_before: datetime, skip: Iterable[str] = (), progress: Callable[[int, int], None]
) -> tuple[int, list[str]]:
    """Complete every certificate without document; returns how many were written and the serials that failed.

    One that cannot be drawn does not keep the others waiting.
    """
    waiting = Certificate.objects.without_document().filter(created_at__lt=made_before).exclude(serial__in=skip)
    ids = list(waiting.order_by("pk").values_list("pk", flat=True))
    written, failed = 0, []
    for number, batch in enumerate(batches(ids, DOCUMENT_BATCH)):
        progress(number * DOCUMENT_BATCH, len(ids))
        certificates = list(Certificate.objects.filter(pk__in=batch).order_by("pk"))
        try:
            written += render_documents(certificates)
        except Exception:  # one of them; the others shall have theirs
            for certificate in certificates:
                try:
                    written += render_documents([certificate])
                except Exception:
                    logger.exception("the document of certificate %s could not be made", certificate.serial)
                    failed.append(certificate.serial)
    progress(len(ids), len(ids))
    return written, failed


def make_missing_credentials(*, progress: Callable[[int, int], None]) -> tuple[int, list[str]]:
    """A credential for every certificate without one, batch by batch; returns how many were made and the serials that failed.

    Raises KeyMissing. What was changed after issue is not signed, and keeps no other waiting.
    """
    waiting = Certificate.objects.without_credential()
    left, last, made, failed = waiting.count(), 0, 0, list[str]()
    done = 0
    while batch := list(waiting.filter(pk__gt=last).order_by("pk")[:WRITE_BATCH]):
        progress(done, left)
        try:
            made += make_credentials(batch)
        except RecordChanged:
            for certificate in batch:
                try:
                    made += make_credentials([certificate])
                except RecordChanged:
                    failed.append(certificate.serial)
        last, done = batch[-1].pk, done + len(batch)
    progress(left, left)
    return made, failed


# --- Issuing -----------------------------------------------------------------------------------------------------
def _issue_batch(
    ids: Sequence[int], *, at: datetime | None, by: User | None, codes: Callable[[], str], catalogue: Catalogue
) -> list[Certificate]:
    """Nothing is gathered for those that have theirs: asked twice, the second time costs a query."""
    there = {c.enrolment_id: c for c in Certificate.objects.filter(enrolment__in=ids)}
    drafts = course_drafts([pk for pk in dict.fromkeys(ids) if pk not in there], at=at, catalogue=catalogue)
    there |= {c.enrolment_id: c for c in write_certificates(drafts, by=by, codes=codes)}
    return [there[pk] for pk in ids]


def course_drafts(ids: Sequence[int], *, at: datetime | None, catalogue: Catalogue | None = None) -> list[Draft]:
    """What is to be certified of these completed enrolments, in their order; who is gone is passed over.

    One query; a few more for courses that `catalogue` does not know yet. Raises NotCompleted.
    """
    enrolments = Enrolment.objects.filter(pk__in=ids).select_related("person", "course").in_bulk()
    catalogue = catalogue if catalogue is not None else Catalogue()
    catalogue.learn(enrolments.values())
    return [
        Draft(
            claim=_claim(enrolments[pk], day=_day(at or _completed_at(enrolments[pk])), catalogue=catalogue),
            holder_id=enrolments[pk].person_id,
            enrolment_id=pk,
        )
        for pk in ids
        if pk in enrolments
    ]


# --- What is claimed ---------------------------------------------------------------------------------------------
def _claim(enrolment: Enrolment, *, day: date, catalogue: Catalogue) -> Claim:
    person, course = enrolment.person, enrolment.course
    language = _document_language(person.language, course.language)
    return Claim(
        serial="",
        code="",
        url="",
        holder=tidy(str(person)),
        title=tidy(course.title),
        key=course.key,
        title_language=course.language,
        revision=course.live_revision_id,
        outcomes=catalogue.outcomes_of(course.pk, language, assessed=enrolment.assessed),
        effort_minutes=course.effort_minutes,
        assessed=enrolment.assessed,
        score_pct=enrolment.score_pct,
        completed_on=_day(_completed_at(enrolment)),
        issued_on=day,
        valid_until=None,  # no course sets a time limit yet
        issuer=tidy(settings.ISSUER_NAME),
        language=language,
    )


def _completed_at(enrolment: Enrolment) -> datetime:
    if enrolment.completed_at is None:
        raise NotCompleted(enrolment.pk)
    return enrolment.completed_at


def _day(moment: datetime) -> date:
    """The date in the installation's own time zone, whoever asks from wherever."""
    return timezone.localtime(moment, timezone.get_default_timezone()).date()


def _document_language(*wishes: str) -> str:
    spoken = dict(settings.LANGUAGES)
    return next((language for language in wishes if language in spoken), settings.LANGUAGE_CODE)


class Catalogue:
    """What courses lead to, read once for many certificates."""

    def __init__(self) -> None:
        self._outcomes: dict[int, list[CourseOutcome]] = {}
        self._ranks: dict[int, list[int]] = {}
        self._worded: dict[tuple[int, str, bool], tuple[Outcome, ...]] = {}

    def learn(self, enrolments: Iterable[Enrolment]) -> None:
        new = {enrolment.course_id for enrolment in enrolments} - self._outcomes.keys()
        if not new:
            return
        self._outcomes |= {course_id: [] for course_id in new}
        outcomes = CourseOutcome.objects.filter(course__in=new).order_by("course", "sort_order", "pk")
        for outcome in outcomes.select_related("competency__version__framework", "level"):
            self._outcomes[outcome.course_id].append(outcome)
        versions = {o.competency.version_id for course_id in new for o in self._outcomes[course_id]}
        if versions := versions - self._ranks.keys():
            ranks = defaultdict(list)
            levels = ProficiencyLevel.objects.filter(version__in=versions, rank__gt=0)
            for version_id, rank in levels.values_list("version", "rank"):
                ranks[version_id].append(rank)
            self._ranks |= {version_id: ranks[version_id] for version_id in versions}

    def outcomes_of(self, course_id: int, language: str, *, assessed: bool) -> tuple[Outcome, ...]:
        """A course without a check names its competencies but no levels: nobody has looked whether they are reached."""
        key = (course_id, language, assessed)
        if key not in self._worded:
            self._worded[key] = tuple(self._word(outcome, language, assessed) for outcome in self._outcomes[course_id])
        return self._worded[key]

    def _word(self, outcome: CourseOutcome, language: str, assessed: bool) -> Outcome:
        competency, level = outcome.competency, outcome.level if assessed else None
        version = competency.version
        language = _framework_language(version, language)
        ranks = self._ranks.get(version.pk, [])
        return Outcome(
            framework=tidy(version.framework.title.localize(language)),
            edition=tidy(version.edition),
            code=tidy(competency.code),
            title=tidy(competency.title.localize(language)),
            language=language,
            level=None
            if level is None
            else Level(
                rank=level.rank,
                label=tidy(level.label.localize(language)),
                step=sum(rank <= level.rank for rank in ranks),
                steps=len(ranks),
            ),
        )


def _framework_language(version: FrameworkVersion, wished: str) -> str:
    """The wished language if the framework speaks it, else the installation's, else the framework's first."""
    spoken = version.languages or [wished]
    return next((language for language in (wished, settings.LANGUAGE_CODE) if language in spoken), spoken[0])


# --- Documents ---------------------------------------------------------------------------------------------------
def _render_batch(batch: Sequence[Certificate]) -> int:
    drawn = {certificate.pk: render_pdf(believed_claim(certificate)) for certificate in batch}
    with transaction.atomic():
        rows = Certificate.objects.select_for_update().filter(pk__in=drawn).order_by("pk")
        stored = dict(rows.values_list("pk", "document"))
        waiting = [certificate for certificate in batch if not stored[certificate.pk]]
        for certificate in batch:
            certificate.document.name = stored[certificate.pk] or _store(certificate, drawn[certificate.pk])
        if waiting:
            Certificate.objects.bulk_update(waiting, ["document"])
    return len(waiting)


def _store(certificate: Certificate, content: bytes) -> str:
    """Write the file under its own name; what a killed worker left there is replaced, for no row points to it."""
    storage, name = certificate.document.storage, document_path(certificate, "")
    storage.delete(name)
    return storage.save(name, ContentFile(content))


__all__ = [
    "Catalogue",
    "NotCompleted",
    "RecordChanged",
    "course_drafts",
    "issue_certificate",
    "issue_certificates",
    "render_document",
    "render_documents",
    "render_missing_documents",
]
