"""Errands of the calendar: surveys open, remind, count, close and forget when their day has come."""

from __future__ import annotations

from datetime import datetime

from celery import shared_task
from dateutil.relativedelta import relativedelta
from django.utils import timezone

from organisations.jobs import enqueue
from readiness import closing, inviting, journey_mails, nudging, rates, waves
from readiness.enums import OPEN_JOB, SHEETS_KEPT_MONTHS
from readiness.models import Sheet, Wave


@shared_task(name="readiness.tasks.sweep_surveys")
def sweep_surveys() -> None:
    settle_surveys(timezone.now())


def settle_surveys(now: datetime) -> None:
    """Open what is approved and due, close what is over, and finish what was interrupted."""
    for wave in waves.due_to_open(now):
        enqueue(kind=OPEN_JOB, key=f"{wave.pk}:calendar:{now:%Y-%m-%d}", payload={"wave": wave.pk})
    for wave in closing.due_to_close(now):
        closing.ask_to_close(wave, now)


@shared_task(name="readiness.tasks.look_after_surveys")
def look_after_surveys() -> None:
    """Once an hour asked, once a day done: reminders, response rates, and answers that are old enough to go."""
    now = timezone.now()
    inviting.ask_for_reminders(now)
    for wave in Wave.objects.open():
        rates.count_daily(wave, now)
    forget_sheets(now)


@shared_task(name="readiness.tasks.look_after_changes")
def look_after_changes() -> None:
    """Once an hour asked, once a day done: who is to answer hears of questions, and people of what they planned."""
    now = timezone.now()
    journey_mails.tell_of_questions(now)
    journey_mails.tell_guards(now)
    nudging.ask_for_nudges(now)


def forget_sheets(now: datetime) -> int:
    """Delete answer sheets after 24 months; the totals of their classes stay."""
    last = now - relativedelta(months=SHEETS_KEPT_MONTHS)
    deleted, _by_model = Sheet.objects.filter(sheet_class__wave__closes_at__lt=last).delete()
    return deleted
