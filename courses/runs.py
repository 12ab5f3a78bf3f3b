"""Seats in the runs of a course with dates: book one, give it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from courses.models import CoursePage, CourseRun, SeatBooking
from courses.services import NotPossible
from courses.signals import seat_changed
from organisations.models import User


@dataclass(frozen=True)
class RunView:
    """A run as a reader meets it. `left` is None where there is no limit."""

    run: CourseRun
    left: int | None
    booked: bool
    open: bool

    @property
    def is_full(self) -> bool:
        return self.left == 0 and not self.booked


def runs_of(course: CoursePage, person: User | None, as_of: date | None = None) -> list[RunView]:
    """Runs that are not over, the earliest first, cancelled ones only for who has a seat. Two queries."""
    day = as_of or timezone.localdate()
    runs = list(CourseRun.objects.filter(course=course, ends_on__gte=day).with_taken())
    booked = (
        set(
            SeatBooking.objects.filter(
                person=person, run__in=[run.pk for run in runs], cancelled_at__isnull=True
            ).values_list("run_id", flat=True)
        )
        if person is not None
        else set()
    )
    return [
        RunView(
            run,
            None if run.seats is None else max(run.seats - run.taken, 0),
            run.pk in booked,
            not run.cancelled and run.starts_on >= day and (run.book_until is None or run.book_until >= day),
        )
        for run in runs
        if not run.cancelled or run.pk in booked
    ]


@transaction.atomic
def book_seat(*, person: User, run: CourseRun, at: datetime | None = None) -> SeatBooking:
    """A seat in this run; one in another run of the course that has not begun is given back. Twice is once.

    The row of the run is the lock: the last seat goes to one person. Raises NotPossible with a sentence.
    """
    moment = at or timezone.now()
    day = timezone.localdate(moment)
    # Runs of a course are locked in one order, so that two people who change places do not wait for each other.
    list(
        CourseRun.objects.select_for_update(of=("self",)).filter(course=run.course_id).order_by("pk").values_list("pk")
    )
    run = CourseRun.objects.select_related("course").get(pk=run.pk)
    own = SeatBooking.objects.filter(person=person, cancelled_at__isnull=True)
    existing = own.filter(run=run).first()
    if existing is not None:
        return existing
    if not run.course.live or run.cancelled:
        raise NotPossible(_("This run is not held."))
    if run.starts_on < day or (run.book_until is not None and run.book_until < day):
        raise NotPossible(_("This run can no longer be booked. Choose another one."))
    if run.seats is not None and SeatBooking.objects.filter(run=run, cancelled_at__isnull=True).count() >= run.seats:
        raise NotPossible(_("The last seat has just gone. Choose another run."))
    for other in own.filter(run__course__key=run.course.key, run__starts_on__gt=day):
        _give_back(other, moment)
    booking = SeatBooking.objects.create(run=run, person=person, booked_at=moment)
    log(instance=booking, action="courses.book_seat", user=person, data={"course": run.course.key, "run": run.pk})
    _tell(person)
    return booking


@transaction.atomic
def give_back_seat(*, person: User, run: CourseRun, at: datetime | None = None) -> None:
    """The seat is free again. Doing it twice leaves the same state. Raises NotPossible once the run has begun."""
    moment = at or timezone.now()
    booking = (
        SeatBooking.objects.select_for_update(of=("self",))
        .select_related("run__course")
        .filter(person=person, run=run, cancelled_at__isnull=True)
        .first()
    )
    if booking is None:
        return
    if booking.run.starts_on <= timezone.localdate(moment):
        raise NotPossible(_("The run has begun. Talk to whoever holds it."))
    _give_back(booking, moment)
    _tell(person)


def _give_back(booking: SeatBooking, moment: datetime) -> None:
    booking.cancelled_at = moment
    booking.save(update_fields=["cancelled_at"])
    log(instance=booking, action="courses.give_back_seat", user=booking.person, data={"run": booking.run_id})


def _tell(person: User) -> None:
    transaction.on_commit(partial(seat_changed.send, sender=SeatBooking, person_id=person.pk))


def runs_in_use(runs: Sequence[int]) -> set[int]:
    """Which of these runs anybody has or had a seat in: they are cancelled, not deleted."""
    return set(SeatBooking.objects.filter(run__in=runs).values_list("run_id", flat=True))
