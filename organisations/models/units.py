"""The tree of public bodies and units, their posts, and who holds them."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from i18nfield.fields import I18nCharField
from treebeard.mp_tree import MP_Node

from organisations.enums import UnitKind


class Unit(MP_Node):
    """A public body or a unit in it. A path prefix names a whole branch (treebeard)."""

    name = I18nCharField(_("name"))
    code = models.CharField(
        _("code"), max_length=40, unique=True, error_messages={"unique": _("Another unit has this code already.")}
    )
    kind = models.CharField(_("kind"), max_length=8, choices=UnitKind.choices, default=UnitKind.UNIT)

    class Meta:
        verbose_name = _("unit")
        verbose_name_plural = _("units")

    def __str__(self) -> str:
        return str(self.name)


class PostQuerySet(models.QuerySet["Post"]):
    def existing(self, as_of: date) -> PostQuerySet:
        return self.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=as_of), starts_on__lte=as_of)


class Post(models.Model):
    """A place in a unit that one person holds at a time, or nobody."""

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="posts", verbose_name=_("unit"))
    code = models.CharField(
        _("code"), max_length=60, unique=True, error_messages={"unique": _("Another post has this code already.")}
    )
    title = I18nCharField(_("title"))
    grade = models.CharField(
        _("grade"), max_length=20, blank=True, help_text=_("The pay grade of the post, as your public body writes it.")
    )
    reports_to = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="reports", verbose_name=_("reports to")
    )
    starts_on = models.DateField(_("exists from"))
    ends_on = models.DateField(
        _("exists until"), null=True, blank=True, help_text=_("The first day on which the post no longer exists.")
    )

    objects = PostQuerySet.as_manager()

    class Meta:
        verbose_name = _("post")
        verbose_name_plural = _("posts")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gt=F("starts_on")),
                name="organisations_post_ends_after_it_starts",
                violation_error_message=_("A post cannot end before it starts."),
            ),
            models.CheckConstraint(
                condition=~Q(reports_to=F("pk")),
                name="organisations_post_does_not_report_to_itself",
                violation_error_message=_("A post cannot report to itself."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.title)


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def current(self, as_of: date | None = None) -> AppointmentQuerySet:
        """Held on the day `as_of` (today): started, not ended, and the post still exists."""
        day = as_of or timezone.localdate()
        return self.filter(
            Q(ends_on__isnull=True) | Q(ends_on__gt=day),
            Q(post__ends_on__isnull=True) | Q(post__ends_on__gt=day),
            starts_on__lte=day,
        )


class Appointment(models.Model):
    """A person holds a post from `starts_on` until the day before `ends_on`."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="appointments", verbose_name=_("person")
    )
    post = models.ForeignKey(Post, on_delete=models.PROTECT, related_name="appointments", verbose_name=_("post"))
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(
        _("until"), null=True, blank=True, help_text=_("The first day on which the person no longer holds the post.")
    )

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("appointment")
        verbose_name_plural = _("appointments")
        ordering = ["-starts_on", "pk"]
        indexes = [models.Index(fields=["person", "ends_on"]), models.Index(fields=["post", "ends_on"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gt=F("starts_on")),
                name="organisations_appointment_ends_after_it_starts",
                violation_error_message=_("An appointment cannot end before it starts."),
            ),
            models.UniqueConstraint(
                fields=["post"],
                condition=Q(ends_on__isnull=True),
                name="organisations_one_open_holder_per_post",
                violation_error_message=_("Somebody holds this post already. End that appointment first."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.post}"


class HrMandate(models.Model):
    """An HR officer serves a unit and everything below it."""

    officer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="hr_mandates", verbose_name=_("HR officer")
    )
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="hr_mandates", verbose_name=_("unit"))
    granted_at = models.DateTimeField(_("since"), default=timezone.now)

    class Meta:
        verbose_name = _("HR mandate")
        verbose_name_plural = _("HR mandates")
        constraints = [
            models.UniqueConstraint(
                fields=["officer", "unit"],
                name="organisations_one_mandate_per_unit",
                violation_error_message=_("This person already serves this unit as HR officer."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.officer} · {self.unit}"
