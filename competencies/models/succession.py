"""How editions follow each other and how frameworks meet: crosswalks and alignments."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from competencies.enums import ALIGNMENT_CHOICES, SuccessionBasis, SuccessionDecision
from competencies.models.framework import Competency, FrameworkVersion
from competencies.models.roles import RoleProfile


class Succession(models.Model):
    """What became of one thing of the edition before: the crosswalk's line, proposed by a rule, decided by a person.

    Without `new` the thing is withdrawn. `similarity` is 0 to 100.
    """

    basis = models.CharField(_("because of"), max_length=10, choices=SuccessionBasis.choices)
    similarity = models.PositiveSmallIntegerField(_("similarity"), default=0)
    decision = models.CharField(
        _("decision"), max_length=9, choices=SuccessionDecision.choices, default=SuccessionDecision.PROPOSED
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        abstract = True


class CompetencySuccession(Succession):
    version = models.ForeignKey(
        FrameworkVersion, on_delete=models.CASCADE, related_name="competency_successions", verbose_name=_("edition")
    )
    old = models.ForeignKey(
        Competency, on_delete=models.PROTECT, related_name="successions", verbose_name=_("competency before")
    )
    new = models.ForeignKey(
        Competency,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="predecessors",
        verbose_name=_("competency now"),
    )

    class Meta:
        verbose_name = _("line of the crosswalk of competencies")
        verbose_name_plural = _("crosswalk of competencies")
        ordering = ["version", "old__position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["version", "old"], name="competencies_one_line_per_competency"),
            models.UniqueConstraint(
                fields=["version", "new"],
                condition=Q(new__isnull=False),
                name="competencies_one_predecessor_per_competency",
                violation_error_message=_("Another competency of the edition before is followed by this one already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.old} → {self.new or '–'}"


class ProfileSuccession(Succession):
    version = models.ForeignKey(
        FrameworkVersion, on_delete=models.CASCADE, related_name="profile_successions", verbose_name=_("edition")
    )
    old = models.ForeignKey(
        RoleProfile, on_delete=models.PROTECT, related_name="successions", verbose_name=_("role profile before")
    )
    new = models.ForeignKey(
        RoleProfile,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="predecessors",
        verbose_name=_("role profile now"),
    )

    class Meta:
        verbose_name = _("line of the crosswalk of role profiles")
        verbose_name_plural = _("crosswalk of role profiles")
        ordering = ["version", "old__role__position", "old__position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["version", "old"], name="competencies_one_line_per_profile"),
            models.UniqueConstraint(
                fields=["version", "new"],
                condition=Q(new__isnull=False),
                name="competencies_one_predecessor_per_profile",
                violation_error_message=_(
                    "Another role profile of the edition before is followed by this one already."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.old} → {self.new or '–'}"


class AlignmentQuerySet(models.QuerySet["Alignment"]):
    def standing(self) -> AlignmentQuerySet:
        return self.filter(withdrawn_at__isnull=True)


class Alignment(models.Model):
    """A person's word that competencies of two frameworks are the same, or how they differ; added to, never edited.

    With "exact", evidence for one counts for the other, in all their editions. `rank_map` says which level of the origin
    is which of the target, as {"2": 1}; empty where the levels of both scales are the same.
    """

    origin = models.ForeignKey(
        Competency, on_delete=models.PROTECT, related_name="alignments", verbose_name=_("competency")
    )
    target = models.ForeignKey(
        Competency, on_delete=models.PROTECT, related_name="aligned_by", verbose_name=_("competency there")
    )
    relation = models.CharField(_("relation"), max_length=12, choices=ALIGNMENT_CHOICES)
    rank_map = models.JSONField(_("levels"), default=dict, blank=True)
    note = models.TextField(_("reason"), blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("made by"),
    )
    made_at = models.DateTimeField(_("made"), default=timezone.now)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("withdrawn by"),
    )
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)

    objects = AlignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("alignment")
        verbose_name_plural = _("alignments")
        ordering = ["origin", "target", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["origin", "target"],
                condition=Q(withdrawn_at__isnull=True),
                name="competencies_one_standing_alignment",
                violation_error_message=_("These two competencies are aligned already."),
            ),
            models.CheckConstraint(
                condition=~Q(origin=F("target")),
                name="competencies_alignment_joins_two",
                violation_error_message=_("A competency cannot be aligned with itself."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.origin} {self.get_relation_display()} {self.target}"
