"""Errands of the clock: they ask for jobs, nothing else."""

from __future__ import annotations

from datetime import datetime

from celery import shared_task
from django.utils import timezone

from competencies.campaigns import CAMPAIGN_JOB, MANAGERS_JOB, running
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
