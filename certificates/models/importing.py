"""Badges from elsewhere that people hand in as evidence."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from competencies.models import Claim


class ImportedBadge(models.Model):
    """A credential somebody handed in, what was found when it was checked, and the claim it became.

    `content` is the credential as handed in (of a picture, what was inside it); `digest` is the SHA-256 of what it says,
    whichever form it came in. Without a claim it waits for the person to say what it shows, and goes after a while.
    `turn` counts the claims that one badge became: a further one only where those before came to nothing.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="imported_badges", verbose_name=_("person")
    )
    credential_id = models.CharField(_("identifier of the credential"), max_length=500, blank=True)
    digest = models.CharField(max_length=64)
    content = models.TextField(_("credential"))
    verdict = models.JSONField(_("what was found"))
    imported_at = models.DateTimeField(_("handed in"), default=timezone.now)
    claim = models.OneToOneField(
        Claim, on_delete=models.PROTECT, null=True, blank=True, related_name="imported_badge", verbose_name=_("claim")
    )
    turn = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        verbose_name = _("badge from elsewhere")
        verbose_name_plural = _("badges from elsewhere")
        ordering = ["-imported_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["digest", "turn"], name="certificates_a_badge_becomes_one_claim_at_a_time"),
            models.CheckConstraint(
                condition=models.Q(claim=None, turn=None) | models.Q(claim__isnull=False, turn__isnull=False),
                name="certificates_a_turn_with_each_claim",
            ),
        ]
        indexes = [
            models.Index(fields=["imported_at"], condition=models.Q(claim=None), name="certificates_badges_waiting")
        ]

    def __str__(self) -> str:
        return self.credential_id or self.digest[:12]
