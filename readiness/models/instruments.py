"""Questionnaires: instruments in versions, their blocks and items. Once ready, a version is never changed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from i18nfield.fields import I18nCharField, I18nTextField
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel
from wagtail.models import Orderable

from readiness.enums import BlockKind, InstrumentStatus


class InstrumentQuerySet(models.QuerySet["Instrument"]):
    def usable(self) -> InstrumentQuerySet:
        return self.filter(status=InstrumentStatus.READY)


class Instrument(ClusterableModel):
    """A questionnaire in one version. `scale`: [{"value": 0..5, "text": {language: label}}], 0 meaning "don't know"."""

    slug = models.SlugField(_("short name"), max_length=60)
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    title = I18nCharField(_("title"))
    about = I18nTextField(_("what it measures"), blank=True)
    licence = models.CharField(_("licence"), max_length=60)
    attribution = models.TextField(
        _("attribution"), blank=True, help_text=_("Shown below the questionnaire and its results.")
    )
    scale = models.JSONField(default=list)
    status = models.CharField(
        _("status"), max_length=8, choices=InstrumentStatus.choices, default=InstrumentStatus.DRAFT
    )
    minutes = models.PositiveSmallIntegerField(_("minutes it takes"), default=6)

    objects = InstrumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("questionnaire")
        verbose_name_plural = _("questionnaires")
        ordering = ["slug", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["slug", "version"],
                name="readiness_one_instrument_per_version",
                violation_error_message=_("This version is there already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.version})"

    @property
    def is_frozen(self) -> bool:
        return self.status != InstrumentStatus.DRAFT


class Block(Orderable, ClusterableModel):
    """Questions about one thing, counted together. A sheet counts with at least half of them answered."""

    instrument = ParentalKey(Instrument, on_delete=models.CASCADE, related_name="blocks")
    code = models.SlugField(_("code"), max_length=40)
    title = I18nCharField(_("title"), help_text=_("What a high figure means, in a few words: “I know why”."))
    about = I18nTextField(_("what it tells"), blank=True)
    kind = models.CharField(_("for"), max_length=10, choices=BlockKind.choices, default=BlockKind.READINESS)

    class Meta(Orderable.Meta):
        verbose_name = _("block")
        verbose_name_plural = _("blocks")
        constraints = [
            models.UniqueConstraint(
                fields=["instrument", "code"],
                name="readiness_one_block_per_code",
                violation_error_message=_("There is already a block with this code."),
            )
        ]

    def __str__(self) -> str:
        return str(self.title)


class Item(Orderable):
    """One statement, answered from 1 to 5; worded so that agreeing is favourable. {initiative} and {service} are filled in."""

    block = ParentalKey(Block, on_delete=models.CASCADE, related_name="items")
    code = models.SlugField(_("code"), max_length=40)
    text = I18nTextField(_("statement"))
    pulse = models.BooleanField(_("also in the pulse"), default=False)

    class Meta(Orderable.Meta):
        verbose_name = _("statement")
        verbose_name_plural = _("statements")
        constraints = [
            models.UniqueConstraint(
                fields=["block", "code"],
                name="readiness_one_item_per_code",
                violation_error_message=_("There is already a statement with this code."),
            )
        ]

    def __str__(self) -> str:
        return self.code


class OpenQuestion(Orderable):
    """A question answered in words. Read by a moderator before anybody sees it."""

    instrument = ParentalKey(Instrument, on_delete=models.CASCADE, related_name="questions")
    code = models.SlugField(_("code"), max_length=40)
    text = I18nTextField(_("question"))
    pulse = models.BooleanField(_("also in the pulse"), default=False)

    class Meta(Orderable.Meta):
        verbose_name = _("open question")
        verbose_name_plural = _("open questions")
        constraints = [
            models.UniqueConstraint(
                fields=["instrument", "code"],
                name="readiness_one_question_per_code",
                violation_error_message=_("There is already a question with this code."),
            )
        ]

    def __str__(self) -> str:
        return self.code


class LanguageReview(models.Model):
    """A language of an instrument that somebody who speaks it has reviewed: only such a language is offered to people."""

    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="reviews")
    language = models.CharField(_("language"), max_length=12)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("reviewed by"),
    )
    on = models.DateField(_("reviewed on"), default=timezone.localdate)
    note = models.CharField(_("how it was reviewed"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("reviewed language")
        verbose_name_plural = _("reviewed languages")
        ordering = ["instrument", "language"]
        constraints = [
            models.UniqueConstraint(
                fields=["instrument", "language"],
                name="readiness_one_review_per_language",
                violation_error_message=_("This language is reviewed already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.instrument} · {self.language}"
