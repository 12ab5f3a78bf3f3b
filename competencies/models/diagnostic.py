"""Item banks and the adaptive diagnostics people take from them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from i18nfield.fields import I18nCharField, I18nTextField
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel

from competencies.enums import BankStatus, DiagnosticEnd
from competencies.models.evidence import Evidence
from competencies.models.framework import Competency


class ItemBank(ClusterableModel):
    """The questions of one competency. `cuts` part levels 0 | 1 | 2 | … on the ability scale and increase.

    A bank belongs to a competency across its editions (by `lineage`). One bank of a competency is in use at a time.
    """

    competency = models.ForeignKey(
        Competency, on_delete=models.PROTECT, related_name="item_banks", verbose_name=_("competency")
    )
    edition = models.CharField(_("edition"), max_length=60)
    title = I18nCharField(_("title"))
    cuts = models.JSONField(_("cuts between the levels"))
    status = models.CharField(_("status"), max_length=12, choices=BankStatus.choices, default=BankStatus.DRAFT)
    content_digest = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(_("written"), default=timezone.now)

    class Meta:
        verbose_name = _("item bank")
        verbose_name_plural = _("item banks")
        ordering = ["competency", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["competency", "edition"],
                name="competencies_one_bank_per_edition",
                violation_error_message=_("There is a bank of this name for the competency already."),
            ),
            models.UniqueConstraint(
                fields=["competency"],
                condition=Q(status="in_use"),
                name="competencies_one_bank_in_use",
                violation_error_message=_("Another bank of this competency is in use. Retire it first."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} · {self.edition}"


class BankFacet(models.Model):  # type: ignore[django-manager-missing]  # Wagtail's ParentalKey is untyped
    """A part of the competency and the share (0-1) of questions a diagnostic asks about it."""

    bank = ParentalKey(ItemBank, on_delete=models.CASCADE, related_name="facets", verbose_name=_("item bank"))
    code = models.SlugField(_("code"), max_length=60)
    title = I18nCharField(_("title"))
    share = models.FloatField(_("share"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("part of the competency")
        verbose_name_plural = _("parts of the competency")
        ordering = ["bank", "position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["bank", "code"], name="competencies_one_facet_per_code"),
            models.CheckConstraint(
                condition=Q(share__gt=0, share__lte=1),
                name="competencies_facet_share_is_a_share",
                violation_error_message=_("A share lies between 0 and 1."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.title)


class DiagnosticItem(ClusterableModel):
    """One question with one right answer. `difficulty` and `discrimination` are the b and a of item response theory.

    Until 200 people have answered, `discrimination` stays 1 and `difficulty` is its author's judgement; `calibrated_at`
    says when both were estimated from answers. A question that was asked is retired, not deleted or reworded.
    """

    bank = models.ForeignKey(ItemBank, on_delete=models.PROTECT, related_name="items", verbose_name=_("item bank"))
    facet = models.ForeignKey(
        BankFacet, on_delete=models.PROTECT, related_name="items", verbose_name=_("part of the competency")
    )
    key = models.SlugField(_("key"), max_length=60)
    level = models.PositiveSmallIntegerField(_("level it tells"))
    text = I18nTextField(_("question"))
    explanation = I18nTextField(_("explanation"), help_text=_("Shown at the end: why the right answer is right."))
    difficulty = models.FloatField(_("difficulty"))
    discrimination = models.FloatField(_("discrimination"), default=1.0)
    calibrated_at = models.DateTimeField(_("estimated from answers"), null=True, blank=True)
    is_retired = models.BooleanField(_("retired"), default=False)

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        ordering = ["bank", "difficulty", "key"]
        constraints = [
            models.UniqueConstraint(
                fields=["bank", "key"],
                name="competencies_one_item_per_key",
                violation_error_message=_("There is a question with this key in the bank already."),
            ),
            models.CheckConstraint(
                condition=Q(difficulty__gte=-4, difficulty__lte=4),
                name="competencies_difficulty_is_on_the_grid",
                violation_error_message=_("A difficulty lies between -4 and 4."),
            ),
            models.CheckConstraint(
                condition=Q(discrimination__gt=0, discrimination__lte=4),
                name="competencies_discrimination_is_positive",
                violation_error_message=_("A discrimination lies above 0, at most 4."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.text)


class ItemOption(models.Model):
    item = ParentalKey(DiagnosticItem, on_delete=models.CASCADE, related_name="options", verbose_name=_("question"))
    text = I18nTextField(_("answer"))
    correct = models.BooleanField(_("right answer"), default=False)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        ordering = ["item", "position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["item"], condition=Q(correct=True), name="competencies_one_right_answer_per_item"
            )
        ]

    def __str__(self) -> str:
        return str(self.text)


class Diagnostic(models.Model):
    """One person's way through a bank. Its seed and its answers say which question comes next, so it can be resumed."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="diagnostics", verbose_name=_("person")
    )
    bank = models.ForeignKey(
        ItemBank, on_delete=models.PROTECT, related_name="diagnostics", verbose_name=_("item bank")
    )
    seed = models.PositiveBigIntegerField()
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    ended = models.CharField(_("ended"), max_length=12, choices=DiagnosticEnd.choices, blank=True)
    # On the ability scale of the bank; the evidence has them in ranks.
    theta = models.FloatField(null=True, blank=True)
    se = models.FloatField(null=True, blank=True)
    evidence = models.OneToOneField(
        Evidence, on_delete=models.PROTECT, null=True, blank=True, related_name="diagnostic", verbose_name=_("evidence")
    )

    class Meta:
        verbose_name = _("diagnostic")
        verbose_name_plural = _("diagnostics")
        ordering = ["-started_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "bank"],
                condition=Q(finished_at__isnull=True),
                name="competencies_one_open_diagnostic_per_bank",
            )
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.bank}"


class DiagnosticAnswer(models.Model):
    """A question that was shown, and what was answered (nothing yet where `answered_at` is empty)."""

    diagnostic = models.ForeignKey(
        Diagnostic, on_delete=models.PROTECT, related_name="answers", verbose_name=_("diagnostic")
    )
    item = models.ForeignKey(
        DiagnosticItem, on_delete=models.PROTECT, related_name="answers", verbose_name=_("question")
    )
    position = models.PositiveSmallIntegerField(_("position"))
    shown_at = models.DateTimeField(_("shown"), default=timezone.now)
    option = models.ForeignKey(
        ItemOption, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("answer")
    )
    correct = models.BooleanField(_("right"), null=True, blank=True)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)

    class Meta:
        verbose_name = _("answer of a diagnostic")
        verbose_name_plural = _("answers of a diagnostic")
        ordering = ["diagnostic", "position"]
        constraints = [
            models.UniqueConstraint(fields=["diagnostic", "item"], name="competencies_item_once_a_diagnostic"),
            models.UniqueConstraint(fields=["diagnostic", "position"], name="competencies_one_item_a_position"),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, correct__isnull=True)
                | Q(answered_at__isnull=False, correct__isnull=False),
                name="competencies_answer_has_its_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.diagnostic} · {self.position}"
