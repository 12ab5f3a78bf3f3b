"""Background work of diagnostics. It may run twice and leaves the same state as once."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy

from competencies.diagnosing import close_left_diagnostics
from organisations.jobs import Run, job_kind

CLOSE_LEFT_JOB = "competencies.close_left_diagnostics"


@job_kind(CLOSE_LEFT_JOB, gettext_lazy("Close diagnostics that were left"))
def close_left(run: Run) -> dict[str, Any]:
    return {"closed": close_left_diagnostics(at=timezone.now())}
