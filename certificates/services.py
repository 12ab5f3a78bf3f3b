"""Writing certificates: the row and its record first, the document after.

A kill between the two leaves a certificate without document, which the next run or the sweep completes.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from certificates.applying import (
    Bodies,
    Definitions,
    Had,
    Workplaces,
    criteria_in,
    document_language,
    had_by,
    in_language,
    local_day,
)
from certificates.codes import new_code
from certificates.crediting import make_credentials
from certificates.criteria import months_after, next_term
from certificates.enums import Kind
from certificates.models import Certificate, Credential, Definition
from certificates.models.certificate import document_path
from certificates.outcomes import Steps, outcome_of
from certificates.papers import Press
from certificates.record import Claim, Outcome, tidy
from certificates.verdicts import RecordChanged, believed_claim
from certificates.writing import WRITE_BATCH, Draft, batches, write_certificates
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
        issued = issue_records(batch, at=at, by=by, codes=codes, catalogue=catalogue)
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
def issue_records(
    ids: Sequence[int],
    *,
    at: datetime | None,
    by: User | None,
    codes: Callable[[], str] = new_code,
    catalogue: Catalogue | None = None,
) -> list[Certificate]:
    """The certificates of completed enrolments, in their order, without credential and document; who is gone is passed over.

    Nothing is gathered for those that have theirs: asked twice, the second time costs a query. `catalogue` keeps what was
    read about courses from one batch to the next. Raises NotCompleted.
    """
    catalogue = catalogue if catalogue is not None else Catalogue()
    there = {c.enrolment_id: c for c in Certificate.objects.filter(enrolment__in=ids)}
    missing = Enrolment.objects.filter(pk__in=[pk for pk in ids if pk not in there])
    enrolments = missing.select_related("person", "course").in_bulk()
    catalogue.learn(enrolments.values())
    todo = [
        _Passed(enrolments[pk], day := local_day(at or _completed_at(enrolments[pk])), catalogue.laid_down(pk, day))
        for pk in dict.fromkeys(ids)
        if pk in enrolments
    ]
    for turn in _turns(todo):
        drafts = _drafts(turn, catalogue)
        there |= {c.enrolment_id: c for c in write_certificates(drafts, by=by, codes=codes)}
    return [there[pk] for pk in ids if pk in there]


@dataclass(frozen=True)
class _Passed:
    """A completed enrolment whose certificate is to be issued on a day, and the definition that applies."""

    enrolment: Enrolment
    day: date
    definition: Definition | None

    @property
    def key(self) -> tuple[int, int] | None:
        """Whose certificates by which definition it may follow on."""
        return None if self.definition is None else (self.definition.pk, self.enrolment.person_id)


def _turns(passed: Sequence[_Passed]) -> Iterator[list[_Passed]]:
    """All at once, but of one person by one definition one after the other: the second may renew the first."""
    waiting = list(passed)
    while waiting:
        seen: set[tuple[int, int]] = set()
        now: list[_Passed] = []
        later: list[_Passed] = []
        for one in waiting:
            (later if one.key in seen else now).append(one)
            if one.key is not None:
                seen.add(one.key)
        yield now
        waiting = later


def _drafts(turn: Sequence[_Passed], catalogue: Catalogue) -> list[Draft]:
    keys = [one.key for one in turn if one.key is not None]
    had = had_by({key[0] for key in keys}, {key[1] for key in keys}) if keys else {}
    return [_draft(one, had.get(one.key) if one.key is not None else None, catalogue) for one in turn]


def _draft(one: _Passed, had: Had | None, catalogue: Catalogue) -> Draft:
    definition, enrolment = one.definition, one.enrolment
    claim = catalogue.claim(enrolment, one.day, definition)
    if definition is None:
        return Draft(claim=claim, holder_id=enrolment.person_id, enrolment_id=enrolment.pk)
    term = next_term(
        had.last if had is not None else None,
        validity_months=definition.validity_months,
        renewal_months=definition.renewal_months,
        day=one.day,
    )
    renewed = had if term is not None and term.renews else None
    # Taken again before it can be renewed: a certificate of its own, which counts from its own day.
    valid_until = months_after(one.day, definition.validity_months) if term is None else term.valid_until
    period = term.period if term is not None else had.last.period if had is not None else 1
    return Draft(
        claim=replace(claim, valid_until=valid_until, renews=renewed.serial if renewed is not None else ""),
        holder_id=enrolment.person_id,
        enrolment_id=enrolment.pk,
        definition_id=definition.pk,
        period=period,
        renews_id=renewed.certificate_id if renewed is not None else None,
    )


# --- What is claimed ---------------------------------------------------------------------------------------------
def _completed_at(enrolment: Enrolment) -> datetime:
    if enrolment.completed_at is None:
        raise NotCompleted(enrolment.pk)
    return enrolment.completed_at


class Catalogue:
    """What courses lead to and what was laid down about their certificates, read once for many of them."""

    def __init__(self) -> None:
        self._enrolments: dict[int, Enrolment] = {}
        self._outcomes: dict[int, list[CourseOutcome]] = {}
        self._steps = Steps()
        self._workplaces = Workplaces()
        self._definitions = Definitions(Kind.COURSE)
        self._bodies = Bodies()
        self._worded: dict[tuple[int, str, bool], tuple[Outcome, ...]] = {}

    def learn(self, enrolments: Collection[Enrolment]) -> None:
        self._enrolments = {enrolment.pk: enrolment for enrolment in enrolments}
        self._workplaces.learn(enrolment.person_id for enrolment in enrolments)
        new = {enrolment.course_id for enrolment in enrolments} - self._outcomes.keys()
        if not new:
            return
        self._outcomes |= {course_id: [] for course_id in new}
        outcomes = CourseOutcome.objects.filter(course__in=new).order_by("course", "sort_order", "pk")
        for outcome in outcomes.select_related("competency__version__framework", "level"):
            self._outcomes[outcome.course_id].append(outcome)
        self._steps.learn(o.competency.version_id for course_id in new for o in self._outcomes[course_id])

    def laid_down(self, enrolment_id: int, day: date) -> Definition | None:
        """The definition that applies to whoever completed this, where she worked on the day of issue."""
        enrolment = self._enrolments[enrolment_id]
        workplaces = self._workplaces.on(enrolment.person_id, day)
        return self._definitions.of((Kind.COURSE, enrolment.course.key), workplaces)

    def claim(self, enrolment: Enrolment, day: date, definition: Definition | None) -> Claim:
        """All but the number, and the time that it counts."""
        person, course = enrolment.person, enrolment.course
        wished = definition.language if definition is not None else ""
        language = document_language(wished, person.language, course.language)
        title, title_language = tidy(course.title), course.language
        if definition is not None:
            title, title_language = in_language(definition.title, language)
        issuer = self._bodies.of(definition, self._workplaces.on(person.pk, day))
        return Claim(
            serial="",
            code="",
            url="",
            holder=tidy(str(person)),
            title=title,
            key=course.key,
            title_language=title_language,
            revision=course.live_revision_id,
            outcomes=self._outcomes_of(course.pk, language, assessed=enrolment.assessed),
            effort_minutes=course.effort_minutes,
            assessed=enrolment.assessed,
            score_pct=enrolment.score_pct,
            completed_on=local_day(_completed_at(enrolment)),
            issued_on=day,
            valid_until=None,
            issuer=issuer.name,
            language=language,
            kind=Kind.COURSE.value,
            definition=definition.reference if definition is not None else "",
            criteria=criteria_in(definition, Kind.COURSE, language, assessed=enrolment.assessed),
            signatories=issuer.signatories,
            look=issuer.look(definition),
        )

    def _outcomes_of(self, course_id: int, language: str, *, assessed: bool) -> tuple[Outcome, ...]:
        """A course without a check names its competencies but no levels: nobody has looked whether they are reached."""
        key = (course_id, language, assessed)
        if key not in self._worded:
            self._worded[key] = tuple(
                outcome_of(outcome.competency, outcome.level if assessed else None, language, self._steps)
                for outcome in self._outcomes[course_id]
            )
        return self._worded[key]


# --- Documents ---------------------------------------------------------------------------------------------------
def _render_batch(batch: Sequence[Certificate]) -> int:
    inside = dict(Credential.objects.filter(certificate__in=batch).values_list("certificate", "document"))
    press = Press(at=timezone.now())
    drawn = {c.pk: press.paper(believed_claim(c), inside.get(c.pk)) for c in batch}
    with transaction.atomic():
        rows = Certificate.objects.select_for_update().filter(pk__in=drawn).order_by("pk")
        stored = dict(rows.values_list("pk", "document"))
        waiting = [certificate for certificate in batch if not stored[certificate.pk]]
        for certificate in batch:
            certificate.document.name = stored[certificate.pk] or _store(certificate, drawn[certificate.pk])
        if waiting:
            Certificate.objects.bulk_update(waiting, ["document", "document_sha256"])
    return len(waiting)


def _store(certificate: Certificate, content: bytes) -> str:
    """Write the file under its own name; what a killed worker left there is replaced, for no row points to it."""
    storage, name = certificate.document.storage, document_path(certificate, "")
    certificate.document_sha256 = hashlib.sha256(content).hexdigest()
    storage.delete(name)
    return storage.save(name, ContentFile(content))


def note_document_digests(*, most: int) -> int:
    """Digests for documents that were stored before digests were, oldest first; returns how many were noted.

    A file that is not where it was stored is passed over.
    """
    noted = 0
    for certificate in Certificate.objects.without_document_digest().order_by("pk")[:most]:
        try:
            with certificate.document.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            continue  # whoever fetches it is told, and so is the log
        noted += Certificate.objects.filter(pk=certificate.pk).update(document_sha256=digest)
    return noted


__all__ = [
    "Catalogue",
    "NotCompleted",
    "RecordChanged",
    "issue_certificate",
    "issue_certificates",
    "issue_records",
    "note_document_digests",
    "render_document",
    "render_documents",
    "render_missing_documents",
]
