"""Vocabulary of paths."""

from django.db import models
from django.utils.translation import gettext_lazy as _

# The kind of the job that assigns a role and its path.
ASSIGN_JOB = "learning.assign"


class PlanReason(models.TextChoices):
    """Why a plan was made."""

    FIRST = "first", _("First plan")
    EVIDENCE = "evidence", _("New evidence")
    ROLE = "role", _("A role was added or ended")
    OFFER = "offer", _("The course offer changed")
    FRAMEWORK = "framework", _("The framework changed")
    RULES = "rules", _("The rules of attainment changed")
    SWEEP = "sweep", _("Regular check")
