"""Mails of a survey: invitations, reminders to those who have not answered, and the news that results are there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from organisations.jobs import enqueue
from organisations.mails import send
from organisations.models import Appointment, User
from readiness.enums import MAX_REMINDERS, REMIND_JOB, WaveEventKind, WaveState
from readiness.models import Participation, Wave
from readiness.surveys import minutes_of
from readiness.waves import note

Progress = Callable[[int, int], None]

FIRST_HOUR = 8
# Parts of the time after which those who have not answered are reminded; the last time is the day before the end.
REMIND_AFTER = (0.4, 0.75)


def invite(wave: Wave, *, done: int, progress: Progress) -> int:
    """Ask everybody who has not answered. `done` people were mailed before an interruption."""
    if wave.state != WaveState.OPEN:
        return 0
    people = Participation.objects.filter(wave=wave).order_by("person_id").values_list("person_id", flat=True)
    waiting = set(people.filter(done=False))
    return _mail(wave, "readiness/mails/invitation", list(people), waiting, done, progress)


def remind(wave: Wave, *, done: int, progress: Progress) -> int:
    """Remind whoever has not answered. Who that is, nobody is shown."""
    if wave.state != WaveState.OPEN:
        return 0
    people = Participation.objects.filter(wave=wave).order_by("person_id").values_list("person_id", flat=True)
    waiting = set(people.filter(done=False))
    return _mail(wave, "readiness/mails/reminder", list(people), waiting, done, progress)


def share(wave: Wave, *, done: int, progress: Progress) -> int:
    """Tell everybody in the unit, on the same day, that the results are there, or that nothing was kept."""
    template = "readiness/mails/result" if wave.has_results else "readiness/mails/no_result"
    people = list(
        Appointment.objects.current()
        .filter(post__unit__path__startswith=wave.unit.path)
        .order_by("person_id")
        .values_list("person_id", flat=True)
        .distinct()
    )
    return _mail(wave, template, people, set(people), done, progress)


def _mail(wave: Wave, template: str, people: list[int], to: Iterable[int], done: int, progress: Progress) -> int:
    """One mail each, in the order of the people, so that an interrupted run goes on where it was."""
    wanted, sent = set(to), 0
    context = {
        "wave": wave,
        "initiative": wave.initiative,
        "minutes": minutes_of(wave.questionnaire),
        "closes_on": wave.last_day,
        "survey_url": f"{settings.SITE_URL}{reverse('survey', args=[wave.pk])}",
        "results_url": f"{settings.SITE_URL}{reverse('survey_results', args=[wave.pk])}",
    }
    for start in range(done, len(people), 100):
        some = people[start : start + 100]
        for person in User.objects.active().filter(pk__in=[pk for pk in some if pk in wanted]).order_by("pk"):
            sent += send(person, template, context)
        progress(start + len(some), len(people))
    return sent


# --- When ------------------------------------------------------------------------------------------------------------
def reminder_days(opens: date, closes: date) -> list[date]:
    """At most MAX_REMINDERS days between the opening and the day before the end, each once."""
    days = (closes - opens).days
    found = [opens + timedelta(days=round(days * part)) for part in REMIND_AFTER] + [closes - timedelta(days=1)]
    return sorted({day for day in found if opens < day < closes})[:MAX_REMINDERS]


def ask_for_reminders(at: datetime) -> None:
    """Once a day, from FIRST_HOUR on: a reminder where one is due. One missed is made up for, never two on a day."""
    moment = timezone.localtime(at)
    day = moment.date()
    if moment.hour < FIRST_HOUR:
        return
    for wave in Wave.objects.answerable(at).exclude(reminded_on=day):
        due = [
            d for d in reminder_days(timezone.localdate(wave.opens_at), timezone.localdate(wave.closes_at)) if d <= day
        ]
        if len(due) <= wave.reminders or wave.reminders >= MAX_REMINDERS:
            continue
        with transaction.atomic():
            taken = Wave.objects.filter(pk=wave.pk, reminders=wave.reminders).update(
                reminders=len(due), reminded_on=day
            )
            if taken:
                note(wave, WaveEventKind.REMINDED, on=day)
                enqueue(kind=REMIND_JOB, key=f"{wave.pk}:{day}", payload={"wave": wave.pk})
