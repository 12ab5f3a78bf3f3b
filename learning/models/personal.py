"""What a person says about her own path, and what she was told of it."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from learning.enums import WishKind


class LearnerSettings(models.Model):
    """How much time a week, which reminders, and the private address of the calendar."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="learner_settings", verbose_name=_("person")
    )
    weekly_minutes = models.PositiveSmallIntegerField(
        _("minutes a week"),
        null=True,
        blank=True,
        validators=[MinValueValidator(15), MaxValueValidator(2400)],
        help_text=_("Empty: what the public body reckons with."),
    )
    reminds_of_recommended = models.BooleanField(_("remind me of what is not mandatory"), default=True)
    # Only the digest is kept: who reads the database cannot read the calendar's address.
    calendar_digest = models.CharField(max_length=64, unique=True, null=True, blank=True)
    calendar_made_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("learner's settings")
        verbose_name_plural = _("learners' settings")

    def __str__(self) -> str:
        return str(self.person)


class StepWish(models.Model):
    """A person pins a course to her path, or declines a recommended one with a reason."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="step_wishes", verbose_name=_("person")
    )
    course_key = models.SlugField(_("course"), max_length=120)
    kind = models.CharField(_("wish"), max_length=8, choices=WishKind.choices)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    made_at = models.DateTimeField(_("made"), default=timezone.now)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)

    class Meta:
        verbose_name = _("wish")
        verbose_name_plural = _("wishes")
        ordering = ["person", "-made_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "course_key"],
                condition=Q(withdrawn_at__isnull=True),
                name="learning_one_open_wish_per_course",
            )
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.course_key}"


class ReminderDigest(models.Model):
    """One mail with all that is due: [{"key", "threshold", "due_on"}]. At most one a week and person."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reminder_digests", verbose_name=_("person")
    )
    sent_on = models.DateField(_("sent"))
    items = models.JSONField(default=list)

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        ordering = ["person", "-sent_on"]
        constraints = [models.UniqueConstraint(fields=["person", "sent_on"], name="learning_one_digest_a_day")]

    def __str__(self) -> str:
        return f"{self.person} · {self.sent_on}"
