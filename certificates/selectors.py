"""Reading certificates. Each answers in one query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat
from django.urls import reverse
from django.utils import timezone

from certificates import codes
from certificates.models import Certificate
from certificates.record import Outcome, UnreadableRecord, claim_of
from courses.models import Enrolment
from organisations.enums import OPEN_JOB_STATES, JobState
from organisations.models import Job, User

ISSUE = "certificates.issue"
DOCUMENTS = "certificates.documents"
CREDENTIALS = "certificates.credentials"
# News that nobody passed on is missed after a minute; until then the job of the moment is on its way.
GRACE = timedelta(minutes=1)
# As long as a code, and none: the check never lets it through.
NO_CODE = "-" * codes.LENGTH


@dataclass(frozen=True)
class Why:
    """Why a certificate was issued, from its record alone: what it took, and what shows each outcome."""

    criteria: str
    outcomes: tuple[Outcome, ...]
    completed_on: date
    language: str


def why_of(certificate: Certificate) -> Why | None:
    """None for a record that is not readable. No query."""
    try:
        claim = claim_of(certificate.record)
    except UnreadableRecord:
        return None
    return Why(claim.criteria, claim.outcomes, claim.completed_on, claim.language)


@dataclass(frozen=True)
class CertificateItem:
    """A certificate as its holder's desk shows it. `ready` says whether the document can be fetched at `url`."""

    title: str
    title_language: str
    issued_on: date
    valid_until: date | None
    serial: str
    code: str
    ready: bool
    revoked_on: date | None = None
    revoked_why: str = ""
    why: Why | None = None

    @property
    def url(self) -> str:
        return reverse("certificate_document", args=[self.serial])

    @property
    def verify_url(self) -> str:
        return reverse("verify_certificate", args=[self.code])

    @property
    def last_valid_on(self) -> date | None:
        return self.valid_until - timedelta(days=1) if self.valid_until is not None else None

    @property
    def is_over(self) -> bool:
        return self.valid_until is not None and timezone.localdate() >= self.valid_until

    @property
    def display_code(self) -> str:
        return codes.display(self.code)


@dataclass(frozen=True)
class Standing:
    """How far the certificate of a completed enrolment is: there, or the state of the job that makes it.

    `job_state` is empty while nobody has asked for it yet; the sweep will within minutes.
    """

    title: str
    item: CertificateItem | None
    job_state: str

    @property
    def ready(self) -> bool:
        return self.item is not None and self.item.ready

    @property
    def stopped(self) -> bool:
        return not self.ready and self.job_state == JobState.FAILED

    @property
    def under_way(self) -> bool:
        return not (self.ready or self.stopped)

    @property
    def job_shown(self) -> str:
        """A state of organisations.JobState to show: what nobody has asked for yet, or needs asking again, waits."""
        return self.job_state if self.job_state in (JobState.RUNNING, JobState.FAILED) else JobState.QUEUED


def certificates_of(person: User) -> list[CertificateItem]:
    """A person's certificates, newest first."""
    return [_item(certificate) for certificate in Certificate.objects.of(person).standing().with_life()]


def certificate_for(enrolment: Enrolment | None) -> Standing | None:
    """The certificate of an enrolment, or how far it is; None while the course is not completed."""
    if enrolment is None or enrolment.completed_at is None:
        return None
    return next(iter(_standings(Q(pk=enrolment.pk))), None)


def standing_of(certificate: Certificate) -> Standing:
    """How far the document of a certificate is; its enrolment may be gone."""
    item = _item(certificate)
    key = f"{ISSUE}:{issue_key(certificate.enrolment_id or 0)}"
    state = Job.objects.filter(key=key).values_list("state", flat=True).first()
    return Standing(title=item.title, item=item, job_state=state or "")


def certificates_to_come(person: User) -> list[Standing]:
    """Completed courses whose certificate is still being made."""
    return _standings(Q(person=person, certificate__isnull=True))


def certificate_by_code(code: str) -> Certificate | None:
    """By a code as typed, with what became of it; None when it is unknown or none at all.

    What is no code is looked for too, as one that nobody has: the answer takes as long and tells nothing of its form.
    """
    code = codes.normalise(code)
    wanted = code if codes.is_wellformed(code) else NO_CODE
    return Certificate.objects.with_life().filter(code=wanted).first()


def issue_key(enrolment_id: int, *, again_on: date | None = None) -> str:
    """What makes the job of an enrolment's certificate unique; a stopped one may be asked for again once a day."""
    return f"enrolment-{enrolment_id}" + (f"-{again_on.isoformat()}" if again_on else "")


def enrolments_without_certificate(*, now: datetime, today: date) -> QuerySet[Enrolment]:
    """Completed enrolments that nobody is making a certificate for, oldest first.

    Those whose job has stopped are among them, until it was asked for again `today`.
    """
    first = Job.objects.filter(key=OuterRef("job_key"))
    today_key = Concat(OuterRef("job_key"), Value(f"-{today.isoformat()}"), output_field=CharField())
    again = Job.objects.filter(key=today_key)
    return (
        Enrolment.objects.completed()
        .filter(completed_at__lt=now - GRACE, certificate__isnull=True)
        .annotate(job_key=_job_key("pk"))
        .exclude(Exists(first.filter(state__in=OPEN_JOB_STATES)))
        .exclude(Exists(again))
        .select_related("person")
        .order_by("pk")
    )


def _job_key(pk: str | OuterRef) -> Concat:
    """In SQL, the whole key of the row that `issue_key` gives in Python."""
    return Concat(Value(f"{ISSUE}:enrolment-"), Cast(pk, CharField()), output_field=CharField())


def failed_documents(*, since: datetime) -> list[str]:
    """Serials whose document could not be made lately, so that trying again does not fill the list of jobs."""
    jobs = Job.objects.filter(kind=DOCUMENTS, created_at__gt=since, state=JobState.DONE)
    return sorted({serial for report in jobs.values_list("report", flat=True) for serial in report.get("failed", [])})


def _standings(which: Q) -> list[Standing]:
    job = Job.objects.filter(key=_job_key(OuterRef("pk")))
    rows = (
        Enrolment.objects.completed()
        .filter(which)
        .select_related("certificate__revocation", "certificate__superseded_by")
        .annotate(course_title=F("course__title"), job_state=Subquery(job.values("state")[:1]))
        .order_by("-completed_at", "-pk")
    )
    return [
        Standing(
            title=row.course_title,
            item=_item(_latest(row.certificate)) if hasattr(row, "certificate") else None,
            job_state=row.job_state or "",
        )
        for row in rows
    ]


def _latest(certificate: Certificate) -> Certificate:
    """What stands in its place today; a query for each correction after the first."""
    while certificate.newer is not None:
        certificate = certificate.newer
    return certificate


def _item(certificate: Certificate) -> CertificateItem:
    # The desk may read the record without checking it: the holder meets the verdict where it is checked.
    about = certificate.about
    return CertificateItem(
        title=about["title"],
        title_language=about["language"],
        issued_on=certificate.issued_on,
        valid_until=certificate.valid_until,
        serial=certificate.serial,
        code=certificate.code,
        ready=bool(certificate.document),
        revoked_on=timezone.localdate(certificate.revoked.revoked_at) if certificate.revoked else None,
        revoked_why=certificate.revoked.get_reason_display() if certificate.revoked else "",
        why=why_of(certificate),
    )
