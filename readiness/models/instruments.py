"""Questionnaires: instruments in versions, their blocks and items. Once ready, a version is never changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from i18nfield.fields import I18nCharField, I18nTextField
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel
from wagtail.models import Orderable

from competencies.models.framework import in_languages
from readiness.enums import COURSE_EVALUATION, INSTRUMENT_TRANSITIONS, BlockKind, InstrumentStatus


class InstrumentIsFrozen(ValueError):
    """Somebody tried to change a questionnaire that is no draft instead of making the next version."""

    def __init__(self, instrument: Instrument) -> None:
        super().__init__(
            _("“%(instrument)s” is no draft any more and never changes. Make the next version and change that.")
            % {"instrument": instrument}
        )


def reworded(before: Iterable[dict[str, str]], after: Iterable[dict[str, str]]) -> set[str]:
    """Languages in which a text is there now that was not there, or read otherwise, before; texts in the same order."""
    return {
        language
        for old, new in zip(before, after, strict=True)
        for language, words in new.items()
        if words and words != old.get(language)
    }


def forget_reviews(instrument_id: int, languages: Iterable[str]) -> None:
    """What somebody has reviewed are the words as they were: new ones wait for her again."""
    LanguageReview.objects.filter(instrument_id=instrument_id, language__in=list(languages)).delete()


class PartOfInstrument(models.Model):
    """What belongs to a questionnaire and changes only while that is a draft; whoever rewords a language unreviews it.

    `OWNER` is the lookup of the questionnaire, `TEXTS` the fields people read. The database is asked, not the instance
    in hand: that may have been read before somebody made the questionnaire ready, or belong to another than its row.
    """

    OWNER = "instrument"
    TEXTS: tuple[str, ...] = ("text",)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> Any:
        self._refuse_if_frozen()
        row = None if self._state.adding else type(self)._base_manager.filter(pk=self.pk).first()
        before = [in_languages(getattr(row, name)) if row else {} for name in self.TEXTS]
        saved = super().save(*args, **kwargs)
        if languages := reworded(before, [in_languages(getattr(self, name)) for name in self.TEXTS]):
            forget_reviews(self.owner().pk, languages)
        return saved

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        self._refuse_if_frozen()
        return super().delete(*args, **kwargs)

    def owner(self) -> Instrument:
        return self.instrument  # type: ignore[attr-defined]

    def _refuse_if_frozen(self) -> None:
        involved = Q(pk=self.owner().pk)
        if not self._state.adding:
            involved |= Q(pk__in=type(self)._base_manager.filter(pk=self.pk).values(self.OWNER))
        for instrument in Instrument.objects.exclude(status=InstrumentStatus.DRAFT).filter(involved)[:1]:
            raise InstrumentIsFrozen(instrument)


class InstrumentQuerySet(models.QuerySet["Instrument"]):
    def usable(self) -> InstrumentQuerySet:
        return self.filter(status=InstrumentStatus.READY)

    def for_waves(self) -> InstrumentQuerySet:
        """Usable for everybody in a unit: not what is asked after a course of those who took it."""
        return self.usable().exclude(slug=COURSE_EVALUATION)


class Instrument(ClusterableModel):
    """A questionnaire in one version. `scale`: [{"value": 0..5, "text": {language: label}}], 0 meaning "don't know".

    `asked_in_order`: codes of the statements in the order in which they are put to people, all in one list, where a
    published instrument prescribes it; empty for most: block by block.
    """

    slug = models.SlugField(_("short name"), max_length=60)
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    title = I18nCharField(_("title"))
    about = I18nTextField(_("what it measures"), blank=True)
    licence = models.CharField(_("licence"), max_length=60)
    attribution = models.TextField(
        _("attribution"), blank=True, help_text=_("Shown below the questionnaire and its results.")
    )
    source = models.TextField(
        _("source"), blank=True, help_text=_("Where the questions come from, and what is known of them.")
    )
    scale = models.JSONField(default=list)
    asked_in_order = models.JSONField(default=list, blank=True)
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

    def save(self, *args: Any, **kwargs: Any) -> Any:
        row = None if self._state.adding else Instrument.objects.filter(pk=self.pk).first()
        if row is not None and row.is_frozen:
            steps = {row.status, *INSTRUMENT_TRANSITIONS[InstrumentStatus(row.status)]}
            if set(kwargs.get("update_fields") or ()) != {"status"} or self.status not in steps:
                raise InstrumentIsFrozen(row)
        saved = super().save(*args, **kwargs)
        if row is not None and not row.is_frozen and (languages := reworded(row._words(), self._words())):
            forget_reviews(self.pk, languages)
        return saved

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        for row in Instrument.objects.filter(pk=self.pk).exclude(status=InstrumentStatus.DRAFT):
            raise InstrumentIsFrozen(row)
        return super().delete(*args, **kwargs)

    def _words(self) -> list[dict[str, str]]:
        labels = {step["value"]: step["text"] for step in self.scale}
        return [in_languages(self.title), in_languages(self.about), *(labels.get(value, {}) for value in range(6))]


class Block(PartOfInstrument, Orderable, ClusterableModel):
    """Questions about one thing, counted together. A sheet counts with at least half of them answered."""

    TEXTS = ("title", "about", "lead_in")

    instrument = ParentalKey(Instrument, on_delete=models.CASCADE, related_name="blocks")
    code = models.SlugField(_("code"), max_length=40)
    title = I18nCharField(_("title"), help_text=_("What a high figure means, in a few words: “I know why”."))
    about = I18nTextField(_("what it tells"), blank=True, help_text=_("Shown with its result, not to who answers."))
    lead_in = I18nTextField(
        _("said before its statements"),
        blank=True,
        help_text=_("Only where the statements need it: “Think of the last course you took for your work.”"),
    )
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


class Item(PartOfInstrument, Orderable):
    """One statement, answered from 1 to 5; worded so that agreeing is favourable. {initiative} and {service} are filled in."""

    OWNER = "block__instrument"

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

    def owner(self) -> Instrument:
        return self.block.instrument


class OpenQuestion(PartOfInstrument, Orderable):
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
