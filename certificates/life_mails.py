"""The holder is told what became of a certificate. A mail is a job of its own and never sent twice."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy

from certificates.models import Certificate
from competencies.claim_mails import send_once
from organisations.jobs import Run, enqueue, job_kind

REVOKED_MAIL: Final = "certificates.revoked_mail"
REPLACED_MAIL: Final = "certificates.replaced_mail"


def tell_revoked(certificate: Certificate) -> None:
    _tell(REVOKED_MAIL, certificate)


def tell_replaced(fresh: Certificate) -> None:
    _tell(REPLACED_MAIL, fresh)


def _tell(kind: str, certificate: Certificate) -> None:
    """Nobody is written to where the account is gone."""
    if certificate.holder_id is not None:
        payload = {"certificate": certificate.pk, "to": certificate.holder_id}
        enqueue(kind=kind, key=str(certificate.pk), payload=payload)


@job_kind(REVOKED_MAIL, gettext_lazy("Tell that a certificate was revoked"))
def send_revoked(run: Run) -> dict[str, Any]:
    return send_once(run, "certificates/mails/revoked", _context(run))


@job_kind(REPLACED_MAIL, gettext_lazy("Tell that a certificate was replaced"))
def send_replaced(run: Run) -> dict[str, Any]:
    return send_once(run, "certificates/mails/replaced", _context(run))


def _context(run: Run) -> dict[str, Any]:
    certificate = Certificate.objects.with_life().select_related("supersedes").get(pk=run.payload["certificate"])
    return {
        "certificate": certificate,
        "title": certificate.about["title"],
        "url": f"{settings.SITE_URL}{reverse('my_certificates')}",
    }
