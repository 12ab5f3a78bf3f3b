"""Frameworks in versions: levels of their own scale, areas, competencies, descriptors, and how they are linked.

A version is written while it is a draft and never changes once it is published. Its parts are written one by one in
the CMS (with Wagtail's drafts and history) or all at once by competencies.loading.
"""

from __future__ import annotations

import unicodedata
from typing import Any
from uuid import UUID, uuid4, uuid5

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from i18nfield.fields import I18nCharField, I18nTextField
from i18nfield.strings import LazyI18nString
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel
from wagtail.models import DraftStateMixin, RevisionMixin

from competencies.enums import CompetencyKind, FrameworkStatus, LinkRelation

# Versions are named in the exchange format by a UUID made from framework and edition: the same wherever they are loaded.
FRAMEWORKS = UUID("7f1c9b0e-4d0c-5c3e-9a5d-2f5a8f2f6f10")


class VersionIsFrozen(ValueError):
    """Somebody tried to change a published version instead of making the next one."""

    def __init__(self, version: FrameworkVersion) -> None:
        super().__init__(
            _("“%(version)s” is published and never changes. Make a draft of the next edition and change that.")
            % {"version": version}
        )


def version_uuid(slug: str, edition: str) -> UUID:
    return uuid5(FRAMEWORKS, f"{slug}/{edition}")


def fold(text: str) -> str:
    """Small letters without accents, in single spaces: how texts are laid down to be found, and how they are looked for."""
    small = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in small if not unicodedata.combining(c)).split())


def all_languages(*texts: object) -> str:
    """Texts with languages as one searchable text, every language of each."""
    words = []
    for text in texts:
        data = text.data if isinstance(text, LazyI18nString) else text
        words += [str(value) for value in data.values()] if isinstance(data, dict) else [str(data or "")]
    return fold(" ".join(words))


def in_languages(text: LazyI18nString | str) -> dict[str, str]:
    """A column with languages as importers write it; a bare text is in the installation's language."""
    data = text.data if isinstance(text, LazyI18nString) else text
    if isinstance(data, dict):
        return {language: words for language, words in data.items() if words}
    return {settings.LANGUAGE_CODE: str(data)} if data else {}


class PartOfVersion(models.Model):
    """What belongs to a version and changes only while that is a draft.

    `OWNER` is the lookup of the version. The database is asked, not the instance in hand: that may have been read before
    somebody published, or point to another version than its row does.
    """

    OWNER = "version"

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> Any:
        self._refuse_if_frozen()
        return super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        self._refuse_if_frozen()
        return super().delete(*args, **kwargs)

    def owner(self) -> FrameworkVersion:
        return self.version  # type: ignore[attr-defined]

    def _refuse_if_frozen(self) -> None:
        involved = Q(pk=self.owner().pk)
        if not self._state.adding:
            involved |= Q(pk__in=type(self)._base_manager.filter(pk=self.pk).values(self.OWNER))
        frozen = FrameworkVersion.objects.exclude(status=FrameworkStatus.DRAFT).filter(involved)
        for version in frozen.select_related("framework")[:1]:
            raise VersionIsFrozen(version)


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
    title = I18nCharField(_("title"), blank=True, default="")
    publisher = models.CharField(_("published by"), max_length=200, blank=True)
    status = models.CharField(
        _("status"), max_length=12, choices=FrameworkStatus.choices, default=FrameworkStatus.DRAFT
    )
    description = I18nTextField(_("description"), blank=True, default="")
    source = models.CharField(_("source"), max_length=300, blank=True)
    source_url = models.URLField(_("source address"), max_length=500, blank=True)
    licence = models.CharField(_("licence"), max_length=200, blank=True)
    attribution = models.TextField(_("attribution"), blank=True)
    languages = models.JSONField(_("languages"), default=list)
    identifier = models.CharField(_("identifier in the source"), max_length=500, blank=True)
    extra = models.JSONField(_("beyond our fields"), default=dict, blank=True)
    uuid = models.UUIDField(_("identifier"), unique=True, default=uuid4, editable=False)
    previous = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="successors",
        verbose_name=_("follows"),
        help_text=_("The edition this one takes the place of."),
    )
    extends = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="extensions",
        verbose_name=_("extends"),
        help_text=_("The framework this local one adds to."),
    )
    content_digest = models.CharField(max_length=64, blank=True)
    imported_at = models.DateTimeField(_("imported"), default=timezone.now)
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    superseded_at = models.DateTimeField(_("superseded"), null=True, blank=True)

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
            ),
            models.UniqueConstraint(
                fields=["framework"],
                condition=Q(status=FrameworkStatus.PUBLISHED),
                name="competencies_one_published_version",
                violation_error_message=_("Another edition of this framework is published. Supersede it first."),
            ),
            models.CheckConstraint(
                condition=~Q(previous=models.F("pk")) & ~Q(extends=models.F("pk")),
                name="competencies_version_is_not_its_own_base",
                violation_error_message=_("A framework version cannot follow or extend itself."),
            ),
        ]
        permissions = [("publish_frameworkversion", "Can load, compare and publish framework versions")]

    def __str__(self) -> str:
        return f"{self.framework} {self.edition}"

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        if not self.is_draft:
            raise VersionIsFrozen(self)
        return super().delete(*args, **kwargs)

    @property
    def is_draft(self) -> bool:
        return self.status == FrameworkStatus.DRAFT

    @property
    def is_published(self) -> bool:
        return self.status == FrameworkStatus.PUBLISHED


class ProficiencyLevel(PartOfVersion):  # type: ignore[django-manager-missing]  # Wagtail's ParentalKey is untyped
    """A level of a version's own scale: `rank` orders, `label` shows."""

    version = models.ForeignKey(
        FrameworkVersion, on_delete=models.CASCADE, related_name="levels", verbose_name=_("framework version")
    )
    rank = models.PositiveSmallIntegerField(_("rank"))
    label = I18nCharField(_("label"))
    description = I18nTextField(_("description"), blank=True, default="")
    identifier = models.CharField(_("identifier in the source"), max_length=500, blank=True)
    extra = models.JSONField(_("beyond our fields"), default=dict, blank=True)

    class Meta:
        verbose_name = _("proficiency level")
        verbose_name_plural = _("proficiency levels")
        ordering = ["version", "rank"]
        constraints = [models.UniqueConstraint(fields=["version", "rank"], name="competencies_one_level_per_rank")]

    def __str__(self) -> str:
        return f"{self.rank} · {self.label}"


class Area(PartOfVersion, DraftStateMixin, RevisionMixin):
    version = models.ForeignKey(
        FrameworkVersion, on_delete=models.CASCADE, related_name="areas", verbose_name=_("framework version")
    )
    code = models.CharField(_("code"), max_length=80)
    title = I18nCharField(_("title"))
    description = I18nTextField(_("description"), blank=True, default="")
    position = models.PositiveIntegerField(_("position"), default=0)
    identifier = models.CharField(_("identifier in the source"), max_length=500, blank=True)
    extra = models.JSONField(_("beyond our fields"), default=dict, blank=True)

    class Meta:
        verbose_name = _("area")
        verbose_name_plural = _("areas")
        ordering = ["version", "position", "code"]
        constraints = [models.UniqueConstraint(fields=["version", "code"], name="competencies_one_area_per_code")]

    def __str__(self) -> str:
        return str(self.title)


class CompetencyQuerySet(models.QuerySet["Competency"]):
    def published(self) -> CompetencyQuerySet:
        return self.filter(version__status=FrameworkStatus.PUBLISHED)


class Competency(PartOfVersion, DraftStateMixin, RevisionMixin, ClusterableModel):  # type: ignore[django-manager-missing]
    """What a person can hold: a competency, or a skill, knowledge or task statement of a framework that has those.

    `lineage` is shared by the editions of one competency: what was shown for one counts for the others.
    `rank` is the level that a statement or learning outcome speaks of.
    """

    version = models.ForeignKey(
        FrameworkVersion, on_delete=models.CASCADE, related_name="competencies", verbose_name=_("framework version")
    )
    area = models.ForeignKey(
        Area, on_delete=models.CASCADE, null=True, blank=True, related_name="competencies", verbose_name=_("area")
    )
    parent = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="children", verbose_name=_("part of")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=CompetencyKind.choices, default=CompetencyKind.COMPETENCY)
    code = models.CharField(_("code"), max_length=160)
    title = I18nCharField(_("title"))
    description = I18nTextField(_("description"), blank=True, default="")
    example = I18nTextField(_("example"), blank=True, default="")
    alternatives = I18nTextField(_("other names"), blank=True, default="", help_text=_("One a line."))
    rank = models.PositiveSmallIntegerField(_("level it speaks of"), null=True, blank=True)
    position = models.PositiveIntegerField(_("position"), default=0)
    identifier = models.CharField(_("identifier in the source"), max_length=500, blank=True)
    extra = models.JSONField(_("beyond our fields"), default=dict, blank=True)
    lineage = models.UUIDField(default=uuid4, editable=False, db_index=True)
    search_text = models.TextField(default="", blank=True, editable=False)

    objects = CompetencyQuerySet.as_manager()

    class Meta:
        verbose_name = _("competency")
        verbose_name_plural = _("competencies")
        ordering = ["version", "position", "code"]
        constraints = [models.UniqueConstraint(fields=["version", "code"], name="competencies_one_competency_per_code")]

    def __str__(self) -> str:
        return str(self.title)

    def save(self, *args: Any, **kwargs: Any) -> Any:
        self.search_text = self.searchable()
        return super().save(*args, **kwargs)

    def clean(self) -> None:
        super().clean()
        for field, other in (("area", self.area), ("parent", self.parent)):
            if other is not None and self.version_id and not belongs(other.version_id, self.version):
                raise ValidationError({field: _("This belongs to another framework version.")})
        if self.parent_id and self.parent_id == self.pk:
            raise ValidationError({"parent": _("A competency cannot be part of itself.")})

    def searchable(self) -> str:
        return all_languages(self.code, self.title, self.alternatives, self.description)


def belongs(version_id: int, version: FrameworkVersion) -> bool:
    """Whether something of this version may be referred to: the version itself, or the one it extends."""
    return version_id in (version.pk, version.extends_id)


class LevelDescriptor(PartOfVersion):
    """What a level looks like in this competency, in words a person can say yes or no to."""

    competency = ParentalKey(
        Competency, on_delete=models.CASCADE, related_name="descriptors", verbose_name=_("competency")
    )
    level = models.ForeignKey(
        ProficiencyLevel, on_delete=models.CASCADE, related_name="descriptors", verbose_name=_("level")
    )
    text = I18nTextField(_("descriptor"))

    OWNER = "competency__version"

    class Meta:
        verbose_name = _("level descriptor")
        verbose_name_plural = _("level descriptors")
        ordering = ["competency", "level__rank"]
        constraints = [
            models.UniqueConstraint(fields=["competency", "level"], name="competencies_one_descriptor_per_level")
        ]

    def __str__(self) -> str:
        return str(self.text)

    def owner(self) -> FrameworkVersion:
        return self.competency.version

    def clean(self) -> None:
        super().clean()
        if self.level_id and self.competency_id and self.level.version_id != self.competency.version_id:
            raise ValidationError({"level": _("This level belongs to another framework than the competency.")})


class CompetencyLink(PartOfVersion):
    """What the framework itself says of two competencies; a target outside stays a reference."""

    version = models.ForeignKey(
        FrameworkVersion, on_delete=models.CASCADE, related_name="links", verbose_name=_("framework version")
    )
    origin = models.ForeignKey(Competency, on_delete=models.CASCADE, related_name="links", verbose_name=_("origin"))
    relation = models.CharField(_("relation"), max_length=12, choices=LinkRelation.choices)
    target = models.ForeignKey(
        Competency, on_delete=models.CASCADE, null=True, blank=True, related_name="linked_by", verbose_name=_("target")
    )
    target_uri = models.CharField(_("target outside"), max_length=500, blank=True)
    target_title = models.TextField(_("title of the target"), blank=True)
    note = models.TextField(_("note"), blank=True)
    identifier = models.CharField(_("identifier in the source"), max_length=500, blank=True)
    extra = models.JSONField(_("beyond our fields"), default=dict, blank=True)
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("link")
        verbose_name_plural = _("links")
        ordering = ["version", "position", "pk"]

    def __str__(self) -> str:
        return f"{self.origin} {self.get_relation_display()} {self.target or self.target_title or self.target_uri}"
