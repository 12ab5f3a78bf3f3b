"""What is known of a person: added to, never edited. A correction is a withdrawal and a new piece."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from i18nfield.fields import I18nCharField

from competencies.enums import MAX_RANK, EvidenceKind
from competencies.models.framework import Competency


class HistoryIsKept(Exception):
    """Somebody tried to change or delete a piece of history instead of adding to it."""


class EvidenceQuerySet(models.QuerySet["Evidence"]):
    def standing(self) -> EvidenceQuerySet:
        """Evidence that has not been withdrawn."""
        return self.filter(withdrawal__isnull=True)

    def update(self, **kwargs: Any) -> int:
        raise HistoryIsKept("Evidence is added to, not edited: withdraw it and record anew.")


class Evidence(models.Model):
    """One statement that a person holds a competency at a rank: who said so, when, on what ground.

    `source_key` makes recording idempotent: the same press, the same passed course, one piece.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="evidence", verbose_name=_("person")
    )
    competency = models.ForeignKey(
        Competency, on_delete=models.PROTECT, related_name="evidence", verbose_name=_("competency")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=EvidenceKind.choices)
    rank = models.PositiveSmallIntegerField(_("level"))
    passed = models.BooleanField(_("passed"), default=True)
    # A diagnostic states more than a level: where the person stands in ranks, how surely, and P(>= 1), P(>= 2), …
    value = models.FloatField(_("estimate"), null=True, blank=True)
    se = models.FloatField(_("standard error"), null=True, blank=True)
    probabilities = models.JSONField(_("probabilities of the levels"), null=True, blank=True)
    assessed = models.BooleanField(
        _("assessed"), default=False, help_text=_("Whether somebody or something checked it.")
    )
    occurred_on = models.DateField(_("date"))
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    source = I18nCharField(_("source"), blank=True, default="")
    note = models.TextField(_("note"), blank=True)
    source_key = models.CharField(max_length=200, unique=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("recorded by"),
    )
    # A correction counts as the piece it stands for would: as that one's word, in its turn. Of a piece that was corrected
    # more than once it is the first.
    stands_for = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="corrections",
        verbose_name=_("stands for"),
    )
    recorded_at = models.DateTimeField(_("recorded"), default=timezone.now)

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("evidence")
        verbose_name_plural = _("evidence")
        ordering = ["-occurred_on", "-pk"]
        indexes = [models.Index(fields=["person", "competency"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(rank__lte=MAX_RANK),
                name="competencies_evidence_rank_is_on_a_scale",
                violation_error_message=_("This level is not on the scale of the framework."),
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("occurred_on")),
                name="competencies_evidence_is_valid_after_its_date",
                violation_error_message=_("The evidence would lapse before it is dated."),
            ),
            models.CheckConstraint(
                condition=Q(value__isnull=True, se__isnull=True) | Q(value__isnull=False, se__gt=0),
                name="competencies_evidence_estimate_has_its_error",
                violation_error_message=_("An estimate needs its standard error, and the other way round."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.competency} · {self.rank}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise HistoryIsKept("Evidence is added to, not edited: withdraw it and record anew.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise HistoryIsKept("Evidence is withdrawn, not deleted.")


class EvidenceWithdrawal(models.Model):
    """A piece of evidence no longer counts, and why."""

    evidence = models.OneToOneField(
        Evidence, on_delete=models.PROTECT, related_name="withdrawal", verbose_name=_("evidence")
    )
    reason = models.TextField(_("reason"))
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("withdrawn by"),
    )
    withdrawn_at = models.DateTimeField(_("withdrawn"), default=timezone.now)

    class Meta:
        verbose_name = _("withdrawal")
        verbose_name_plural = _("withdrawals")
        ordering = ["-withdrawn_at"]

    def __str__(self) -> str:
        return str(self.evidence)
