"""The job of a cohort. It may run twice, or be killed and run again, and leaves the same state as once."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from certificates.cohort_making import carry_out
from certificates.cohorts import COHORT_JOB
from certificates.models import Cohort
from organisations.jobs import CannotBeDone, Run, job_kind


@job_kind(COHORT_JOB, gettext_lazy("Certificates of a cohort"))
def make_cohort(run: Run) -> dict[str, Any]:
    """Payload: `cohort`."""
    cohort = Cohort.objects.select_related("asked_by").filter(pk=run.payload["cohort"]).first()
    if cohort is None:
        raise CannotBeDone(_("This cohort is no longer there."))
    return carry_out(cohort, cohort.asked_by, run.progress)
