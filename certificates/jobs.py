"""Background work of certificates. Each may run twice and leaves the same state."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from certificates import selectors, services
from courses.models import Enrolment
from organisations.jobs import CannotBeDone, Run, job_kind
from organisations.key_folder import KeyMissing


@job_kind(selectors.ISSUE, gettext_lazy("Issue a certificate"))
def issue(run: Run) -> dict[str, Any]:
    """Payload: `enrolment`."""
    enrolment = Enrolment.objects.filter(pk=run.payload["enrolment"]).first()
    if enrolment is None:
        raise CannotBeDone(_("This enrolment is no longer there."))
    run.progress(0, 1)
    try:
        certificate = services.issue_certificate(enrolment=enrolment, by=run.job.created_by, at=timezone.now())
    except services.NotCompleted as error:
        raise CannotBeDone(str(error)) from error
    run.progress(1, 1)
    return {"serial": certificate.serial}


@job_kind(selectors.CREDENTIALS, gettext_lazy("Sign the credentials of certificates"))
def sign_credentials(run: Run) -> dict[str, Any]:
    """Every certificate that has no credential gets one: those issued before there was a key."""
    try:
        made, failed = services.make_missing_credentials(progress=run.progress)
    except KeyMissing as error:
        raise CannotBeDone(_("There is no key to sign with: make one with “manage.py issuer_keys create”.")) from error
    return {"made": made, "failed": failed}


@job_kind(selectors.DOCUMENTS, gettext_lazy("Make the documents of certificates"))
def make_documents(run: Run) -> dict[str, Any]:
    """Every certificate that has no document gets one. Payload: `skip`, serials that failed within the day."""
    written, failed = services.render_missing_documents(
        made_before=timezone.now() - selectors.GRACE, skip=run.payload.get("skip", []), progress=run.progress
    )
    return {"written": written, "failed": failed}
