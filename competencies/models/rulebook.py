"""Rules and parameters in force: one row an edition, frozen when published."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from competencies.models.framework import Framework


class RulebookIsFrozen(ValueError):
    """Somebody tried to change rules that are, or were, in force."""


class RulebookStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    SUPERSEDED = "superseded", _("Superseded")


class Rulebook(models.Model):
    """Which evidence attains what, and the parameters of the estimate (competencies.rulebooks reads `content`).

    `framework` None: the rules of every framework that has none of its own. Number 1 is what the product ships with and
    has no row.
    """

    framework = models.ForeignKey(
        Framework,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="rulebooks",
        verbose_name=_("framework"),
        help_text=_("Empty: for all frameworks without rules of their own."),
    )
    number = models.PositiveIntegerField(_("number"))
    status = models.CharField(_("status"), max_length=12, choices=RulebookStatus.choices, default=RulebookStatus.DRAFT)
    content = models.JSONField(_("content"))
    note = models.TextField(_("what changed, and why"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("written by")
    )
    created_at = models.DateTimeField(_("written"), default=timezone.now)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("published by"),
    )
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    superseded_at = models.DateTimeField(_("superseded"), null=True, blank=True)

    class Meta:
        verbose_name = _("rules of attainment")
        verbose_name_plural = _("rules of attainment")
        ordering = ["framework", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["framework", "number"], name="competencies_one_rulebook_per_number"),
            models.UniqueConstraint(
                fields=["number"],
                condition=Q(framework__isnull=True),
                name="competencies_one_general_rulebook_per_number",
            ),
            models.UniqueConstraint(
                fields=["framework"], condition=Q(status="published"), name="competencies_one_rulebook_in_force"
            ),
            models.UniqueConstraint(
                fields=["status"],
                condition=Q(status="published", framework__isnull=True),
                name="competencies_one_general_rulebook_in_force",
            ),
        ]

    def __str__(self) -> str:
        framework = self.framework or _("All frameworks")
        return f"{framework} · {self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            before = type(self).objects.only("status", "content").get(pk=self.pk)
            if before.status != RulebookStatus.DRAFT and before.content != self.content:
                raise RulebookIsFrozen("Rules that were published are not changed: write the next edition.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        if not self.is_draft:
            raise RulebookIsFrozen("Rules that were published are not deleted.")
        return super().delete(*args, **kwargs)

    @property
    def is_draft(self) -> bool:
        return self.status == RulebookStatus.DRAFT
