"""The holder is told: issued by criteria, ending soon and how to renew it, ended. Each once; a mail is a job of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.urls import reverse
from django.utils.translation import gettext_lazy

from certificates.criteria import window_opens_on
from certificates.enums import DefinitionStatus
from certificates.models import Certificate, Definition
from competencies.claim_mails import send_once
from organisations.jobs import Run, enqueue, job_kind
from organisations.models import Job

AWARDED_MAIL: Final = "certificates.awarded_mail"
ENDS_MAIL: Final = "certificates.ends_mail"
ENDED_MAIL: Final = "certificates.ended_mail"
# Of what ended longer ago nobody is told any more: the platform may have stood still, or been filled with histories.
LATELY = timedelta(days=30)
BATCH = 500


def tell_awarded(certificate: Certificate) -> None:
    _tell(AWARDED_MAIL, certificate)


def _tell(kind: str, certificate: Certificate) -> None:
    """Nobody is written to where the account is gone."""
    if certificate.holder_id is not None:
        payload = {"certificate": certificate.pk, "to": certificate.holder_id}
        enqueue(kind=kind, key=str(certificate.pk), payload=payload)


def tell_of_ends(*, day: date) -> int:
    """Ask for the mails about what can be renewed from about this day on, and about what has ended; returns how many.

    As long as there are any, in batches: what was asked for once is not found again.
    """
    told = 0
    for definition in Definition.objects.filter(certificates__valid_until__gt=day).distinct().order_by("pk"):
        # Months differ in length: looked for a little further, and then asked of each by the calendar.
        until = day + relativedelta(months=definition.renewal_months, days=3)
        ending = _ending(ENDS_MAIL).filter(definition=definition, valid_until__gt=day, valid_until__lte=until)
        for certificate in _each(ending):
            ends = certificate.valid_until
            if ends is not None and window_opens_on(ends, definition.renewal_months) <= day:
                _tell(ENDS_MAIL, certificate)
                told += 1
    for certificate in _each(_ending(ENDED_MAIL).filter(valid_until__lte=day, valid_until__gt=day - LATELY)):
        _tell(ENDED_MAIL, certificate)
        told += 1
    return told


def _ending(kind: str) -> QuerySet[Certificate]:
    """What still stands, was not renewed, and nobody was told of yet."""
    key = Concat(Value(f"{kind}:"), Cast(OuterRef("pk"), CharField()), output_field=CharField())
    return Certificate.objects.filter(
        ~Exists(Job.objects.filter(key=key)),
        holder__is_active=True,
        revocation__isnull=True,
        superseded_by__isnull=True,
        renewed_by__isnull=True,
    )


def _each(rows: QuerySet[Certificate]) -> Iterator[Certificate]:
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:BATCH]):
        yield from batch
        last = batch[-1].pk


@job_kind(AWARDED_MAIL, gettext_lazy("Tell that a certificate was issued"))
def send_awarded(run: Run) -> dict[str, Any]:
    return send_once(run, "certificates/mails/awarded", _context(run))


@job_kind(ENDS_MAIL, gettext_lazy("Tell that a certificate ends"))
def send_ends(run: Run) -> dict[str, Any]:
    if _is_settled(run):
        return {"sent": False}
    return send_once(run, "certificates/mails/ends", _context(run))


@job_kind(ENDED_MAIL, gettext_lazy("Tell that a certificate has ended"))
def send_ended(run: Run) -> dict[str, Any]:
    if _is_settled(run):
        return {"sent": False}
    return send_once(run, "certificates/mails/ended", _context(run))


def _is_settled(run: Run) -> bool:
    """Renewed, replaced or revoked since the mail was asked for."""
    return not Certificate.objects.filter(
        pk=run.payload["certificate"], revocation=None, superseded_by=None, renewed_by=None
    ).exists()


def _context(run: Run) -> dict[str, Any]:
    certificate = Certificate.objects.select_related("definition__course", "definition__path").get(
        pk=run.payload["certificate"]
    )
    definition = certificate.definition
    return {
        "certificate": certificate,
        "title": certificate.about["title"],
        "ends_on": certificate.valid_until - timedelta(days=1) if certificate.valid_until is not None else None,
        "kind": definition.kind if definition is not None else "",
        "is_issued": definition is not None and definition.status == DefinitionStatus.ACTIVE,
        "url": f"{settings.SITE_URL}{reverse('my_certificates')}",
        "renew_url": f"{settings.SITE_URL}{_where_to_renew(definition)}",
    }


def _where_to_renew(definition: Definition | None) -> str:
    if definition is not None and definition.course is not None and definition.course.live:
        return definition.course.url or reverse("learn")
    if definition is not None and definition.path is not None and definition.path.archived_at is None:
        return reverse("curated", args=[definition.path.key])
    return reverse("learn")
