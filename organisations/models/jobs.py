"""Background work that people can see: one row a job, whatever carries it."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from organisations.enums import OPEN_JOB_STATES, JobState
from organisations.models.people import User


class JobQuerySet(models.QuerySet["Job"]):
    def open(self) -> JobQuerySet:
        return self.filter(state__in=OPEN_JOB_STATES)

    def left_behind(self, now: datetime) -> JobQuerySet:
        """Nobody is working on these although somebody should: due and waiting, or running past their lease."""
        return self.filter(
            Q(state=JobState.QUEUED, not_before__lte=now) | Q(state=JobState.RUNNING, lease_until__lte=now)
        )

    def visible_to(self, viewer: User) -> JobQuerySet:
        if viewer.is_superuser:
            return self
        return self.filter(created_by=viewer) if viewer.is_authenticated else self.none()


class Job(models.Model):
    """What to do (`kind`, `payload` of ids), how far it is, and what came of it.

    `key` makes a job unique: asking for the same thing twice is asking once.
    `lease` and `lease_until` say which worker has it and until when that is believed.
    """

    kind = models.CharField(_("kind"), max_length=60)
    key = models.CharField(max_length=200, unique=True)
    payload = models.JSONField(default=dict)
    state = models.CharField(_("state"), max_length=8, choices=JobState.choices, default=JobState.QUEUED)
    done = models.PositiveIntegerField(_("done"), default=0)
    total = models.PositiveIntegerField(_("of"), default=0)
    report = models.JSONField(_("report"), default=dict)
    error = models.TextField(_("what went wrong"), blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="jobs"
    )
    created_at = models.DateTimeField(_("asked for"), default=timezone.now)
    not_before = models.DateTimeField(default=timezone.now)
    lease = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["state", "not_before"]), models.Index(fields=["kind", "state"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_JOB_STATES

    @property
    def pct(self) -> int:
        """Progress in whole percent; a finished job is at 100."""
        if self.state == JobState.DONE:
            return 100
        return self.done * 100 // self.total if self.total else 0
