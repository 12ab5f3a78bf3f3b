"""Frameworks in versions: levels of their own scale, areas, competencies, descriptors."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from i18nfield.fields import I18nCharField, I18nTextField

from competencies.enums import CompetencyKind, FrameworkStatus


class Framework(models.Model):
    """A framework across its versions, e.g. "NICE"."""

    slug = models.SlugField(_("short name"), max_length=80, unique=True)
    title = I18nCharField(_("title"))
    publisher = models.CharField(_("published by"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("framework")
        verbose_name_plural = _("frameworks")
        ordering = ["slug"]

    def __str__(self) -> str:
        return str(self.title)


class FrameworkVersionQuerySet(models.QuerySet["FrameworkVersion"]):
    def published(self) -> FrameworkVersionQuerySet:
        return self.filter(status=FrameworkStatus.PUBLISHED)


class FrameworkVersion(models.Model):
    """One edition, with its source and licence. `content_digest` (SHA-256) tells whether a file is this edition."""

    framework = models.ForeignKey(
        Framework, on_delete=models.PROTECT, related_name="versions", verbose_name=_("framework")
    )
    edition = models.CharField(_("edition"), max_length=60)
    status = models.CharField(
        _("status"), max_length=12, choices=FrameworkStatus.choices, default=FrameworkStatus.DRAFT
    )
    description = I18nTextField(_("description"), blank=True, default="")
    source = models.CharField(_("source"), max_length=300, blank=True)
    source_url = models.URLField(_("source address"), max_length=500, blank=True)
    licence = models.CharField(_("licence"), max_length=200, blank=True)
    attribution = models.TextField(_("attribution"), blank=True)
    languages = models.JSONField(_("languages"), default=list)
    content_digest = models.CharField(max_length=64)
    imported_at = models.DateTimeField(_("imported"), default=timezone.now)
    published_at = models.DateTimeField(_("published"), null=True, blank=True)

    objects = FrameworkVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("framework version")
        verbose_name_plural = _("framework versions")
        ordering = ["framework", "-imported_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["framework", "edition"],
                name="competencies_one_version_per_edition",
                violation_error_message=_("This edition of the framework is already there."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.framework} {self.edition}"


class ProficiencyLevel(models.Model):  # type: ignore[django-manager-missing]  # Wagtail's ParentalKey is untyped
    """A level of a version's own scale: `rank` orders, `label` shows."""

    version = models.ForeignKey(
        FrameworkVersion, on_delete=models.CASCADE, related_name="levels", verbose_name=_("framework version")
    )
    rank = models.PositiveSmallIntegerField(_("rank"))
    label = I18nCharField(_("label"))
    description = I18nTextField(_("description"), blank=True, default="")

    class Meta:
        verbose_name = _("proficiency level")
        verbose_name_plural = _("proficiency levels")
        ordering = ["version", "rank"]
        constraints = [models.UniqueConstraint(fields=["version", "rank"], name="competencies_one_level_per_rank")]

    def __str__(self) -> str:
        return f"{self.rank} · {self.label}"


class Area(models.Model):
    version = models.ForeignKey(
        FrameworkVersion, on_delete=models.CASCADE, related_name="areas", verbose_name=_("framework version")
    )
    code = models.CharField(_("code"), max_length=80)
    title = I18nCharField(_("title"))
    description = I18nTextField(_("description"), blank=True, default="")
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("area")
        verbose_name_plural = _("areas")
        ordering = ["version", "position", "code"]
        constraints = [models.UniqueConstraint(fields=["version", "code"], name="competencies_one_area_per_code")]

    def __str__(self) -> str:
        return str(self.title)


class Competency(models.Model):  # type: ignore[django-manager-missing]  # Wagtail's ParentalKey is untyped
    """What a person can hold: a competency, or a skill, knowledge or task statement of a framework that has those."""

    version = models.ForeignKey(
        FrameworkVersion, on_delete=models.CASCADE, related_name="competencies", verbose_name=_("framework version")
    )
    area = models.ForeignKey(
        Area, on_delete=models.CASCADE, null=True, blank=True, related_name="competencies", verbose_name=_("area")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=CompetencyKind.choices, default=CompetencyKind.COMPETENCY)
    code = models.CharField(_("code"), max_length=160)
    title = I18nCharField(_("title"))
    description = I18nTextField(_("description"), blank=True, default="")
    example = I18nTextField(_("example"), blank=True, default="")
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("competency")
        verbose_name_plural = _("competencies")
        ordering = ["version", "position", "code"]
        constraints = [models.UniqueConstraint(fields=["version", "code"], name="competencies_one_competency_per_code")]

    def __str__(self) -> str:
        return str(self.title)


class LevelDescriptor(models.Model):
    """What a level looks like in this competency, in words a person can say yes or no to."""

    competency = models.ForeignKey(
        Competency, on_delete=models.CASCADE, related_name="descriptors", verbose_name=_("competency")
    )
    level = models.ForeignKey(
        ProficiencyLevel, on_delete=models.CASCADE, related_name="descriptors", verbose_name=_("level")
    )
    text = I18nTextField(_("descriptor"))

    class Meta:
        verbose_name = _("level descriptor")
        verbose_name_plural = _("level descriptors")
        ordering = ["competency", "level__rank"]
        constraints = [
            models.UniqueConstraint(fields=["competency", "level"], name="competencies_one_descriptor_per_level")
        ]

    def __str__(self) -> str:
        return str(self.text)
