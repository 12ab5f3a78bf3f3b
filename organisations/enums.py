"""Vocabulary and policy of the ground floor."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class UnitKind(models.TextChoices):
    BODY = "body", _("Public body")
    UNIT = "unit", _("Unit")


class JobState(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Under way")
    DONE = "done", _("Done")
    FAILED = "failed", _("Stopped")


OPEN_JOB_STATES = frozenset({JobState.QUEUED, JobState.RUNNING})
# After so many tries a job stops and says why; before that the sweep takes it up again.
MAX_JOB_ATTEMPTS = 5
