"""Curated paths: what an HR unit puts together by hand, in versions."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from i18nfield.fields import I18nCharField, I18nTextField

from learning.enums import CuratedStatus
from organisations.models import Unit


class CuratedPath(models.Model):
    """A path put together by an HR unit, whatever its version. Who has it follows the published version."""

    key = models.SlugField(_("key"), max_length=80, unique=True)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="curated_paths", verbose_name=_("unit"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("made by")
    )
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    archived_at = models.DateTimeField(_("put away"), null=True, blank=True)

    class Meta:
        verbose_name = _("curated path")
        verbose_name_plural = _("curated paths")
        ordering = ["key"]

    def __str__(self) -> str:
        return self.key


class CuratedVersion(models.Model):
    """One version of a curated path. A published version never changes: another one follows it."""

    path = models.ForeignKey(
        CuratedPath, on_delete=models.PROTECT, related_name="versions", verbose_name=_("curated path")
    )
    number = models.PositiveIntegerField(_("version"))
    title = I18nCharField(_("title"))
    summary = I18nTextField(_("for whom, and what they can do afterwards"), blank=True)
    status = models.CharField(_("status"), max_length=10, choices=CuratedStatus.choices, default=CuratedStatus.DRAFT)
    note = models.CharField(_("what changed"), max_length=300, blank=True)
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("published by"),
    )

    class Meta:
        verbose_name = _("version of a curated path")
        verbose_name_plural = _("versions of curated paths")
        ordering = ["path", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["path", "number"], name="learning_one_curated_version_per_number"),
            models.UniqueConstraint(
                fields=["path"],
                condition=Q(status="published"),
                name="learning_one_published_version",
                violation_error_message=_("Another version of this path is published already."),
            ),
            models.UniqueConstraint(
                fields=["path"],
                condition=Q(status="draft"),
                name="learning_one_draft_version",
                violation_error_message=_("This path has a draft already. Go on with that one."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} · {self.number}"


class CuratedStage(models.Model):
    """A part of a curated path: all of its courses (`choose` empty), or so many of them."""

    version = models.ForeignKey(
        CuratedVersion, on_delete=models.CASCADE, related_name="stages", verbose_name=_("version")
    )
    position = models.PositiveSmallIntegerField(_("position"))
    title = I18nCharField(_("title"))
    choose = models.PositiveSmallIntegerField(
        _("how many to choose"), null=True, blank=True, validators=[MinValueValidator(1)]
    )

    class Meta:
        verbose_name = _("stage")
        verbose_name_plural = _("stages")
        ordering = ["version", "position"]
        constraints = [models.UniqueConstraint(fields=["version", "position"], name="learning_one_stage_per_position")]

    def __str__(self) -> str:
        return str(self.title)


class CuratedItem(models.Model):
    """A course in a stage, by its key: whatever its language, and still named when it is no longer offered."""

    stage = models.ForeignKey(CuratedStage, on_delete=models.CASCADE, related_name="items", verbose_name=_("stage"))
    position = models.PositiveSmallIntegerField(_("position"))
    course_key = models.SlugField(_("course"), max_length=120)

    class Meta:
        verbose_name = _("course of a stage")
        verbose_name_plural = _("courses of a stage")
        ordering = ["stage", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["stage", "course_key"],
                name="learning_one_item_per_course",
                violation_error_message=_("This course is in the stage already."),
            )
        ]

    def __str__(self) -> str:
        return self.course_key
