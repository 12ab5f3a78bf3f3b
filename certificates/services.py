"""Writing certificates: the row and its record first, the document after.

A kill between the two leaves a certificate without document, which the next run or the sweep completes.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from typing import TypeVar

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.models import ModelLogEntry

from certificates.codes import new_code
from certificates.models import Certificate, SerialCounter
from certificates.models.certificate import document_path
from certificates.pdf import render_pdf
from certificates.record import Claim, Level, Outcome, digest_of, record_of, tidy
from certificates.verdicts import RecordChanged, believed_claim
from competencies.models import FrameworkVersion, ProficiencyLevel
from courses.models import CourseOutcome, Enrolment
from organisations.models import User

logger = logging.getLogger(__name__)
T = TypeVar("T")

ISSUE_BATCH = 500
DOCUMENT_BATCH = 50
# How often a batch is tried again after another worker was quicker or a code was drawn twice.
TRIES = 5


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
    for batch in _batches(ids, ISSUE_BATCH):
        open_one = Enrolment.objects.open().filter(pk__in=batch).values_list("pk", flat=True).first()
        if open_one is not None:
            raise NotCompleted(open_one)
    catalogue = _Catalogue()
    certificates: list[Certificate] = []
    for batch in _batches(ids, ISSUE_BATCH):
        issued = _issue_batch(batch, at=at, by=by, codes=codes, catalogue=catalogue)
        if documents:
            render_documents(issued)
        certificates += issued
    return certificates


def render_document(certificate: Certificate) -> Certificate:
    """Draw and store the document, once: where there is one, nothing is written."""
    render_documents([certificate])
    return certificate


def render_documents(certificates: Iterable[Certificate]) -> int:
    """Draw and store the documents that are missing; returns how many were written.

    Raises RecordChanged rather than put on paper what was not issued.
    """
    missing = [certificate for certificate in certificates if not certificate.document]
    return sum(_render_batch(batch) for batch in _batches(missing, DOCUMENT_BATCH))


def render_missing_documents(
    *, made_before: datetime, skip: Iterable[str] = (), progress: Callable[[int, int], None]
) -> tuple[int, list[str]]:
    """Complete every certificate without document; returns how many were written and the serials that failed.

    One that cannot be drawn does not keep the others waiting.
    """
    waiting = Certificate.objects.without_document().filter(created_at__lt=made_before).exclude(serial__in=skip)
    ids = list(waiting.order_by("pk").values_list("pk", flat=True))
    written, failed = 0, []
    for number, batch in enumerate(_batches(ids, DOCUMENT_BATCH)):
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


# --- Issuing -----------------------------------------------------------------------------------------------------
def _issue_batch(
    ids: Sequence[int], *, at: datetime | None, by: User | None, codes: Callable[[], str], catalogue: _Catalogue
) -> list[Certificate]:
    found, tries = _issued(ids), TRIES
    while missing := [pk for pk in dict.fromkeys(ids) if pk not in found]:
        enrolments = Enrolment.objects.filter(pk__in=missing).select_related("person", "course").in_bulk()
        catalogue.learn(enrolments.values())
        try:
            # A clash (the same enrolment elsewhere, a code drawn twice) undoes the batch and its serial numbers.
            with transaction.atomic():
                _write([enrolments[pk] for pk in missing], at=at, by=by, codes=codes, catalogue=catalogue)
        except IntegrityError:
            tries -= 1
            if not tries:
                raise
        found = _issued(ids)
    return [found[pk] for pk in ids]


def _issued(ids: Iterable[int]) -> dict[int, Certificate]:
    return {c.enrolment_id: c for c in Certificate.objects.filter(enrolment__in=ids) if c.enrolment_id is not None}


def _write(
    enrolments: Sequence[Enrolment],
    *,
    at: datetime | None,
    by: User | None,
    codes: Callable[[], str],
    catalogue: _Catalogue,
) -> None:
    days = {enrolment.pk: _day(at or _completed_at(enrolment)) for enrolment in enrolments}
    counters = _lock_counters({day.year for day in days.values()})
    # Whoever held the lock before us may have issued some of them.
    already = set(Certificate.objects.filter(enrolment__in=days).values_list("enrolment", flat=True))
    enrolments = [enrolment for enrolment in enrolments if enrolment.pk not in already]
    certificates = []
    for enrolment, code in zip(enrolments, free_codes(len(enrolments), codes), strict=True):
        day = days[enrolment.pk]
        counter = counters[day.year]
        counter.last += 1
        claim = _claim(enrolment, serial=_serial(day, counter), code=code, day=day, catalogue=catalogue)
        record = record_of(claim)
        certificates.append(
            Certificate(
                code=claim.code,
                serial=claim.serial,
                holder=enrolment.person,
                enrolment=enrolment,
                record=record,
                digest=digest_of(record),
                issued_on=claim.issued_on,
                valid_until=claim.valid_until,
            )
        )
    Certificate.objects.bulk_create(certificates)
    SerialCounter.objects.bulk_update(counters.values(), ["last"])
    _log(certificates, by)


def _lock_counters(years: set[int]) -> dict[int, SerialCounter]:
    """The counters of these years, locked until the transaction ends, so that numbers have no gap and no double."""
    counters = {}
    for year in sorted(years):
        SerialCounter.objects.get_or_create(year=year)
        counters[year] = SerialCounter.objects.select_for_update().get(year=year)
    return counters


def next_serial(day: date) -> str:
    """The next number of a year, within a transaction: the counter is locked until it ends, so there is no gap."""
    counter = _lock_counters({day.year})[day.year]
    counter.last += 1
    counter.save(update_fields=["last"])
    return _serial(day, counter)


def _serial(day: date, counter: SerialCounter) -> str:
    return f"{day.year}-{counter.last:06d}"


def free_codes(count: int, codes: Callable[[], str]) -> list[str]:
    """As many codes as asked for that nobody has yet; the unique constraint has the last word."""
    drawn: dict[str, None] = {}
    while len(drawn) < count:
        more = {codes(): None for _n in range(count - len(drawn))}
        taken = set(Certificate.objects.filter(code__in=more).values_list("code", flat=True))
        drawn |= {code: None for code in more if code not in taken}
    return list(drawn)


def _log(certificates: Sequence[Certificate], by: User | None) -> None:
    """What `wagtail.log_actions.log` writes, for many at once."""
    kind, now = ContentType.objects.get_for_model(Certificate), timezone.now()
    ModelLogEntry.objects.bulk_create(
        ModelLogEntry(
            content_type=kind,
            object_id=str(certificate.pk),
            label=str(certificate),
            action="certificates.issue",
            timestamp=now,
            user=by,
            data={"code": certificate.code, "digest": certificate.digest},
        )
        for certificate in certificates
    )


# --- What is claimed ---------------------------------------------------------------------------------------------
def _claim(enrolment: Enrolment, *, serial: str, code: str, day: date, catalogue: _Catalogue) -> Claim:
    person, course = enrolment.person, enrolment.course
    language = _document_language(person.language, course.language)
    return Claim(
        serial=serial,
        code=code,
        url=f"{settings.SITE_URL}{reverse('verify_certificate', args=[code])}",
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


class _Catalogue:
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


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


__all__ = [
    "NotCompleted",
    "RecordChanged",
    "issue_certificate",
    "issue_certificates",
    "render_document",
    "render_documents",
    "render_missing_documents",
]
