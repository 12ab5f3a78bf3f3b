"""Vocabulary and policy of frameworks and evidence."""

from django.db import models
from django.utils.translation import gettext_lazy as _

# A framework without a scale (NICE, for one) knows only whether something is held.
HELD_RANK = 1
MAX_RANK = 20
DEFAULT_IMPORTANCE = 3


class FrameworkStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    SUPERSEDED = "superseded", _("Superseded")


class CompetencyKind(models.TextChoices):
    COMPETENCY = "competency", _("Competency")
    SKILL = "skill", _("Skill")
    KNOWLEDGE = "knowledge", _("Knowledge")
    TASK = "task", _("Task")


class EvidenceKind(models.TextChoices):
    SELF = "self", _("Self-assessment")
    MANAGER = "manager", _("Manager's assessment")
    PANEL = "panel", _("Panel of assessors")
    QUIZ = "quiz", _("Quiz")
    DIAGNOSTIC = "diagnostic", _("Diagnostic")
    COURSE = "course", _("Course")
    CERTIFICATE = "certificate", _("Certificate")
    PRIOR_LEARNING = "prior_learning", _("Prior learning")
