"""Errands of the clock: they ask for jobs, nothing else."""

from __future__ import annotations

from datetime import datetime

from celery import shared_task
from django.utils import timezone

from competencies.campaigns import CAMPAIGN_JOB, MANAGERS_JOB, running
from competencies.case_packages import WRITE_JOB, served_state
from competencies.diagnosing_jobs import CLOSE_LEFT_JOB
from competencies.jobs import CLAIMS_JOB
from competencies.organisation import ask_to_count
from competencies.refreshing import REFRESH_JOB
from organisations.jobs import enqueue

# Mails are read in the morning: nobody is written to in the night.
FIRST_HOUR = 6


@shared_task(name="competencies.tasks.sweep_campaigns")
def sweep_campaigns() -> None:
    ask_for_campaigns(at=timezone.localtime())


def ask_for_campaigns(*, at: datetime) -> None:
    """Once a day, from FIRST_HOUR on, every running campaign is gone through, then the managers are told."""
    moment = timezone.localtime(at)
    if moment.hour < FIRST_HOUR:
        return
    day = moment.date()
    for pk in running(day).order_by("pk").values_list("pk", flat=True):
        enqueue(kind=CAMPAIGN_JOB, key=f"{pk}:{day}", payload={"campaign": pk})
    enqueue(kind=MANAGERS_JOB, key=f"daily:{day}", payload={})


@shared_task(name="competencies.tasks.write_case_packages")
def write_case_packages() -> None:
    """Once a day, and soon after a framework was published or superseded."""
    enqueue(kind=WRITE_JOB, key=f"{timezone.localdate()}:{served_state()}", payload={})


@shared_task(name="competencies.tasks.look_after_claims")
def look_after_claims() -> None:
    """Once a day: claims that nobody has are handed on, assessors who are late are reminded."""
    today = timezone.localdate().isoformat()
    enqueue(kind=CLAIMS_JOB, key=f"daily:{today}", payload={"day": today})


@shared_task(name="competencies.tasks.sweep_diagnostics")
def sweep_diagnostics() -> None:
    """Once a day, however often it is asked: what was left unfinished for long is closed."""
    enqueue(kind=CLOSE_LEFT_JOB, key=f"daily:{timezone.localdate()}", payload={})


@shared_task(name="competencies.tasks.count_standing")
def count_standing() -> None:
    """Once a day, in its first hour: levels lapse and posts change hands overnight."""
    ask_to_count(by=None, nightly=True)


@shared_task(name="competencies.tasks.notify_refresh_due")
def notify_refresh_due() -> None:
    """Once a night everybody is looked at whose level may lapse soon; asked often, because a night may be missed."""
    day = timezone.localdate().isoformat()
    enqueue(kind=REFRESH_JOB, key=f"nightly:{day}", payload={"day": day})
