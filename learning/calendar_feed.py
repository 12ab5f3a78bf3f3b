"""A person's private calendar: due dates, course dates and windows that open, as an iCalendar feed without signing in.

The address is the key. It is shown once; only its digest is kept, so whoever reads the database cannot read the calendar.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import formats, timezone, translation
from django.utils.translation import gettext as _
from icalendar import Calendar, Event
from wagtail.log_actions import log

from courses.models import SeatBooking
from learning.due_dates import moved
from learning.dues import Due, dues_of
from learning.models import Assignment, LearnerSettings, LearningPeriod
from learning.selectors import current_plans
from learning.titles import Titles, with_names
from organisations.models import User

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
# How long what is over stays in the calendar.
KEPT = timedelta(days=90)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


# --- The address -------------------------------------------------------------------------------------------------
def _digest(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def owner_of(token: str) -> User | None:
    """Whose calendar an address opens. What cannot be a token is looked for like one: the answer takes as long."""
    row = LearnerSettings.objects.select_related("person").filter(calendar_digest=_digest(token)).first()
    if row is None or not row.person.is_active or not TOKEN.fullmatch(token):
        return None
    return row.person


def seen_of(row: LearnerSettings | None) -> str:
    """The state a form for the address was drawn from."""
    return row.calendar_made_at.isoformat() if row is not None and row.calendar_made_at is not None else ""


@transaction.atomic
def make_address(*, person: User, seen: str, by: User) -> str | None:
    """A new token; an earlier address stops working. None where the address has changed since the form was drawn
    (`seen`): of a doubled press the first counts, so that an address that is shown works."""
    row = _locked(person)
    if seen != seen_of(row):
        return None
    token = token_urlsafe(32)
    row.calendar_digest, row.calendar_made_at = _digest(token), timezone.now()
    row.save(update_fields=["calendar_digest", "calendar_made_at"])
    log(instance=person, action="learning.make_calendar", user=by)
    return token


@transaction.atomic
def stop_address(*, person: User, by: User) -> None:
    """The address stops working. Doing it twice leaves the same state."""
    row = _locked(person)
    if row.calendar_digest is None:
        return
    row.calendar_digest = row.calendar_made_at = None
    row.save(update_fields=["calendar_digest", "calendar_made_at"])
    log(instance=person, action="learning.stop_calendar", user=by)


def _locked(person: User) -> LearnerSettings:
    User.objects.select_for_update(of=("self",)).get(pk=person.pk)
    row, _created = LearnerSettings.objects.get_or_create(person=person)
    return row


# --- The feed ----------------------------------------------------------------------------------------------------
def feed_of(person: User, day: date) -> bytes:
    """The calendar in the person's language. Equal content gives equal bytes, whatever the hour."""
    with translation.override(person.language or settings.LANGUAGE_CODE):
        calendar = Calendar()
        calendar.add("prodid", f"-//{_text(settings.SITE_NAME)}//learning//")
        calendar.add("version", "2.0")
        calendar.add("x-wr-calname", _text(_("My learning · %(site)s") % {"site": settings.SITE_NAME}))
        events = [*_dues(person, day), *_needed(person), *_openings(person, day), *_runs(person, day)]
        for event in sorted(events, key=lambda event: (str(event.DTSTART), str(event["uid"]))):
            calendar.add_component(event)
        return bytes(calendar.to_ical())


def _dues(person: User, day: date) -> Iterable[Event]:
    for due in dues_of([person.pk], day).get(person.pk, []):
        event = _event(f"due-{due.assignment.pk}{_turn(due)}", due.due_on, _stamp(due.assignment, due))
        event.add("summary", _text(_("Due: %(title)s") % {"title": due.title}))
        # What was granted or given since counts up: programs take the later one.
        event.add("sequence", len(due.moved_at))
        event.add("transp", "TRANSPARENT")
        event.add("url", settings.SITE_URL + reverse("path"))
        yield event


def _turn(due: Due) -> str:
    return f"-{due.period.number}" if due.period is not None else ""


def _needed(person: User) -> Iterable[Event]:
    """Steps whose date is that of a change, and of nothing that was assigned."""
    plan = current_plans([person.pk]).get(person.pk)
    if plan is None:
        return
    for step in plan.steps.all():
        days = {row["by"] for row in step.needed_for}
        if step.due_on is None or step.due_on.isoformat() not in days or step.assignments:
            continue
        event = _event(f"step-{step.course.key}", step.due_on, plan.made_at)
        event.add("summary", _text(_("Due: %(title)s") % {"title": step.course.title}))
        event.add("transp", "TRANSPARENT")
        event.add("url", settings.SITE_URL + reverse("path"))
        yield event


def _openings(person: User, day: date) -> Iterable[Event]:
    """The first day of each window of what comes round, the next one included, unless it was kept."""
    rows = list(
        LearningPeriod.objects.filter(
            assignment__in=Assignment.objects.asking(day).filter(person=person), completed_on__isnull=True,
            opens_on__gte=moved(day, -KEPT.days),
        ).order_by("assignment_id", "number")
    )  # fmt: skip
    if not rows:
        return
    assignments = {a.pk: a for a in with_names(Assignment.objects.filter(pk__in={row.assignment_id for row in rows}))}
    titles = Titles(assignments.values())
    for row in rows:
        assignment = assignments[row.assignment_id]
        values = {"title": titles.of(assignment), "day": formats.date_format(row.due_on, "DATE_FORMAT")}
        event = _event(f"opens-{assignment.pk}-{row.number}", row.opens_on, _stamp(assignment))
        event.add("summary", _text(_("Comes round: %(title)s, due %(day)s") % values))
        event.add("transp", "TRANSPARENT")
        event.add("url", settings.SITE_URL + reverse("requirements"))
        yield event


def _runs(person: User, day: date) -> Iterable[Event]:
    bookings = SeatBooking.objects.filter(
        person=person, cancelled_at__isnull=True, run__ends_on__gte=moved(day, -KEPT.days)
    ).select_related("run__course")
    for booking in bookings.order_by("pk"):
        run = booking.run
        event = _event(f"run-{booking.pk}", run.starts_on, booking.booked_at)
        if run.ends_on > run.starts_on and run.ends_on < date.max:
            event.add("dtend", moved(run.ends_on, 1))  # the first day after it
        event.add("summary", _text(run.course.title))
        if run.place:
            event.add("location", _text(run.place))
        event.add("status", "CANCELLED" if run.cancelled else "CONFIRMED")
        event.add("sequence", int(run.cancelled))
        event.add("transp", "TRANSPARENT" if run.cancelled else "OPAQUE")
        yield event


def _event(name: str, day: date, stamp: datetime) -> Event:
    """All day: what is due on a day is due on that day everywhere."""
    event = Event()
    event.add("uid", f"{name}@{urlsplit(settings.SITE_URL).hostname or 'localhost'}")
    event.add("dtstamp", stamp.astimezone(UTC).replace(microsecond=0))
    event.add("dtstart", day)
    return event


def _stamp(assignment: Assignment, due: Due | None = None) -> datetime:
    """When what an event says was last changed, as far as it is on record."""
    if due is not None and due.moved_at:
        return due.moved_at[-1]
    return datetime.combine(assignment.assigned_on, time(), UTC)


def _text(words: str) -> str:
    """Words of others without what no calendar takes; line breaks and commas are escaped by the library."""
    return _CONTROL.sub("", words)
