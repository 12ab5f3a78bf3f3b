"""Where the organisation stands: counts laid down by a job, and who agreed to be found."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from competencies.models.framework import Competency
from organisations.models import Unit


class StandingCount(models.Model):
    """Of the people who hold posts directly in a unit: how many need a competency, and how many are at the level.

    Derived: a job lays all rows down anew in one transaction; `as_of` is the day they speak of.
    """

    unit = models.ForeignKey(Unit, on_delete=models.CASCADE, related_name="+", verbose_name=_("unit"))
    competency = models.ForeignKey(Competency, on_delete=models.CASCADE, related_name="+", verbose_name=_("competency"))
    people = models.PositiveIntegerField(_("people who need it"))
    at_level = models.PositiveIntegerField(_("people at the level"))
    as_of = models.DateField(_("as of"))

    class Meta:
        verbose_name = _("count of a unit")
        verbose_name_plural = _("counts of units")
        ordering = ["unit", "competency"]
        permissions = [("view_standing", "Can see where the whole organisation stands, in counts")]
        constraints = [
            models.UniqueConstraint(fields=["unit", "competency"], name="competencies_one_count_per_unit"),
            models.CheckConstraint(
                condition=Q(at_level__lte=F("people")), name="competencies_no_more_at_level_than_people"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.unit} · {self.competency}: {self.at_level}/{self.people}"


class FindableConsent(models.Model):
    """The person agreed to be found by HR when a role is to be filled. Taking it back deletes the row; the log keeps it."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="findable", verbose_name=_("person")
    )
    agreed_at = models.DateTimeField(_("agreed"), default=timezone.now)

    class Meta:
        verbose_name = _("agreement to be found")
        verbose_name_plural = _("agreements to be found")
        ordering = ["person"]

    def __str__(self) -> str:
        return str(self.person)
