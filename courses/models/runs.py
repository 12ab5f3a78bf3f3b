"""Runs: when a course with dates is held, and who has a seat."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Count, F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from wagtail.admin.panels import FieldPanel, FieldRowPanel

from courses.models.pages import CoursePage


class CourseRunQuerySet(models.QuerySet["CourseRun"]):
    def bookable(self, as_of: date) -> CourseRunQuerySet:
        """Neither cancelled nor begun, and the last day to book not past. Whether seats are left is `with_taken`'s."""
        return self.filter(Q(book_until__isnull=True) | Q(book_until__gte=as_of), starts_on__gte=as_of, cancelled=False)

    def with_taken(self) -> CourseRunQuerySet:
        return self.annotate(taken=Count("bookings", filter=Q(bookings__cancelled_at__isnull=True)))


class CourseRun(models.Model):
    """One time that a course is held. `ends_on` is its last day; `seats` empty: as many as come."""

    course = ParentalKey(CoursePage, on_delete=models.CASCADE, related_name="runs", verbose_name=_("course"))
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"))
    book_until = models.DateField(_("book until"), null=True, blank=True)
    seats = models.PositiveIntegerField(_("seats"), null=True, blank=True, validators=[MinValueValidator(1)])
    place = models.CharField(_("place"), max_length=200, blank=True)
    cancelled = models.BooleanField(_("cancelled"), default=False)

    objects = CourseRunQuerySet.as_manager()
    taken: int  # by with_taken()

    panels = [
        FieldRowPanel([FieldPanel("starts_on"), FieldPanel("ends_on"), FieldPanel("book_until")]),
        FieldRowPanel([FieldPanel("seats"), FieldPanel("place"), FieldPanel("cancelled")]),
    ]

    class Meta:
        verbose_name = _("course run")
        verbose_name_plural = _("course runs")
        ordering = ["starts_on", "pk"]
        indexes = [models.Index(fields=["course", "starts_on"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="courses_run_ends_after_it_starts",
                violation_error_message=_("The last day lies before the first."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.course} · {self.starts_on}"


class SeatBooking(models.Model):
    """A person has a seat in a run until she gives it back."""

    run = models.ForeignKey(CourseRun, on_delete=models.PROTECT, related_name="bookings", verbose_name=_("run"))
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="seat_bookings", verbose_name=_("person")
    )
    booked_at = models.DateTimeField(_("booked"), default=timezone.now)
    cancelled_at = models.DateTimeField(_("given back"), null=True, blank=True)

    class Meta:
        verbose_name = _("booking")
        verbose_name_plural = _("bookings")
        ordering = ["run", "booked_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "person"],
                condition=Q(cancelled_at__isnull=True),
                name="courses_one_seat_per_person",
                violation_error_message=_("You have a seat in this run already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.run} · {self.person}"
