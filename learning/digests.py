"""Reminders: one mail with everything that is due, at most once a week, and the switch for what is not mandatory."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from wagtail.log_actions import log

from learning.dues import Due, dues_of
from learning.models import Assignment, LearnerSettings, ReminderDigest
from learning.reminders import DAYS_BETWEEN_DIGESTS, THRESHOLDS, DueItem, Reminder, items_to_tell
from organisations import mails
from organisations.models import Leave, User

logger = logging.getLogger(__name__)

DIGESTS_JOB = "learning.send_digests"
# Rows and mails of so many people at a time: what a killed worker leaves without its mail.
BATCH = 200
MAIL = "learning/mails/digest"
SALT = "learning.digests.off"
LINK_LASTS = timedelta(days=365)

Progress = Callable[[int, int], None]


# --- The switch --------------------------------------------------------------------------------------------------
def off_token(person: User) -> str:
    """What the link in a mail carries: it switches reminders of one person off, and can do nothing else."""
    return signing.dumps(person.pk, salt=SALT)


def person_behind(token: str) -> User | None:
    """Whose reminders a link switches off; None for a forged one, one older than a year, and for somebody who has left."""
    try:
        pk = signing.loads(token, salt=SALT, max_age=LINK_LASTS)
    except signing.BadSignature:
        return None
    return User.objects.active().filter(pk=pk).first()


@transaction.atomic
def set_reminders(*, person: User, recommended: bool, by: User | None) -> LearnerSettings:
    """Whether a person is reminded of what is not mandatory. `by` is None for who came by the link in a mail."""
    User.objects.select_for_update(of=("self",)).get(pk=person.pk)
    row, _created = LearnerSettings.objects.get_or_create(person=person)
    if row.reminds_of_recommended != recommended:
        row.reminds_of_recommended = recommended
        row.save(update_fields=["reminds_of_recommended"])
        log(instance=person, action="learning.set_reminders", user=by, data={"recommended": recommended})
    return row


# --- The mails ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Line:
    """A line of the mail."""

    due: Due
    reminder: Reminder


def people_with_dates(day: date) -> list[int]:
    """Who may have something to be told: active people asked for something by a date that is near, or again and again."""
    near = Q(due_on__lte=day + timedelta(days=max(THRESHOLDS))) | ~Q(repeat={})
    asked = Assignment.objects.asking(day).filter(near, person__is_active=True)
    return sorted(set(asked.order_by().values_list("person_id", flat=True)))


def send_digests(*, person_ids: Sequence[int], day: date, progress: Progress | None = None) -> dict[str, Any]:
    """Remind those among these people for whom a date has come near since they were last told; returns the counts.

    The row is written before the mail leaves, so nobody is told twice even by a worker that was killed. A mail that the
    server fails takes its row back: it is tried again the next day. Who is on leave is told when she is back. As many
    queries a batch of people, however many are in it.
    """
    people = sorted(set(person_ids))
    told = failed = 0
    for start in range(0, len(people), BATCH):
        batch = people[start : start + BATCH]
        for digest, lines, reminds in _note(batch, day):
            try:
                told += _send(digest.person, lines, reminds)
            except SMTPRecipientsRefused:  # it would be refused tomorrow too
                logger.warning("the address of person %s was refused", digest.person_id)
            except Exception:
                logger.exception("the reminder to person %s could not be sent", digest.person_id)
                failed += 1
                ReminderDigest.objects.filter(person_id=digest.person_id, sent_on=day).delete()
        if progress is not None:
            progress(min(start + BATCH, len(people)), len(people))
    return {"people": len(people), "told": told, "failed": failed}


@transaction.atomic
def _note(person_ids: Sequence[int], day: date) -> list[tuple[ReminderDigest, list[Line], bool]]:
    """Write the digests of a batch; returns each with its lines, and whether what is not mandatory is among them."""
    away = Leave.objects.filter(starts_on__lte=day, ends_on__gt=day).values("person_id")
    # The rows of the people are the lock: two runs look one after the other.
    people = {
        person.pk: person
        for person in User.objects.select_for_update(of=("self",))
        .active()
        .filter(pk__in=person_ids)
        .exclude(pk__in=away)
        .order_by("pk")
    }
    told: dict[int, dict[str, int]] = defaultdict(dict)
    last: dict[int, date] = {}
    digests = ReminderDigest.objects.filter(person__in=people).order_by("sent_on")
    for person_id, sent_on, items in digests.values_list("person_id", "sent_on", "items"):
        last[person_id] = sent_on
        told[person_id] |= {item["key"]: item["threshold"] for item in items}
    week = timedelta(days=DAYS_BETWEEN_DIGESTS)
    waiting = {pk for pk, sent_on in last.items() if day - sent_on < week}
    off = set(
        LearnerSettings.objects.filter(person__in=people, reminds_of_recommended=False).values_list("person", flat=True)
    )
    dues = dues_of(people.keys() - waiting, day)
    found = []
    for person_id, rows in sorted(dues.items()):
        by_key = {due.key: due for due in rows}
        reminders = items_to_tell(
            [DueItem(due.key, due.due_on, due.assignment.mandatory) for due in rows],
            told=told[person_id],
            last_digest_on=last.get(person_id),
            as_of=day,
            recommended_off=person_id in off,
        )
        if reminders:
            items = [
                {"key": line.key, "threshold": line.threshold, "due_on": line.due_on.isoformat()} for line in reminders
            ]
            digest = ReminderDigest(person=people[person_id], sent_on=day, items=items)
            found.append((digest, [Line(by_key[line.key], line) for line in reminders], person_id not in off))
    ReminderDigest.objects.bulk_create([digest for digest, _lines, _reminds in found])
    return found


def _send(person: User, lines: Sequence[Line], reminds_of_recommended: bool) -> bool:
    off_url = settings.SITE_URL + reverse("reminders_off", args=[off_token(person)])
    context = {
        "overdue": [line for line in lines if line.reminder.is_overdue],
        "due": [line for line in lines if not line.reminder.is_overdue],
        "first": lines[0],
        "count": len(lines),
        "off_url": off_url if reminds_of_recommended else "",
    }
    # RFC 8058: mail programs offer the switch themselves and press it with a POST.
    headers = {"List-Unsubscribe": f"<{off_url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return mails.send(person, MAIL, context, headers if reminds_of_recommended else None)
