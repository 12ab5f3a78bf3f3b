"""What else is known of people that assignments depend on: leave, and tags."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class LeaveQuerySet(models.QuerySet["Leave"]):
    def from_day(self, day: date) -> LeaveQuerySet:
        """Leave that has not ended on that day."""
        return self.filter(ends_on__gt=day)


class Leave(models.Model):
    """A person is away from `starts_on` until the day before `ends_on`. Why is nobody's business here."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="leaves", verbose_name=_("person")
    )
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("back on"), help_text=_("The first day at work again."))

    objects = LeaveQuerySet.as_manager()

    class Meta:
        verbose_name = _("leave")
        verbose_name_plural = _("leaves")
        ordering = ["person", "starts_on"]
        indexes = [models.Index(fields=["person", "ends_on"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")),
                name="organisations_leave_ends_after_it_starts",
                violation_error_message=_("The day back lies after the first day of leave."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.starts_on} – {self.ends_on}"


class PersonTag(models.Model):
    """A word an HR unit sorts people by: "new manager", "works with personal data"."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tags", verbose_name=_("person")
    )
    name = models.CharField(_("tag"), max_length=60)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["name", "person"]
        constraints = [
            models.UniqueConstraint(
                "person",
                Lower("name"),
                name="organisations_one_tag_per_name",
                violation_error_message=_("This person has this tag already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.name}"

    def clean(self) -> None:
        super().clean()
        self.name = " ".join(self.name.split())
