"""A cohort: certificates of many people at once, who they are as it was asked, and the files to hand out."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import PurePosixPath
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from certificates.enums import CohortFileKind, Kind
from certificates.models.certificate import private_storage
from courses.models import CoursePage
from organisations.models import Job, User


class CohortQuerySet(models.QuerySet["Cohort"]):
    def past_their_days(self, now: datetime) -> CohortQuerySet:
        """Those whose files have been kept long enough."""
        return self.filter(files_made_at__lt=now - timedelta(days=settings.COHORT_FILES_DAYS))


class Cohort(models.Model):
    """Who gets certificates is laid down when it is asked (CohortPart); how far it is, is said by its job.

    `whom` is what was chosen, for the page to say; `scope` the tree paths of the units the officer served then ("" for
    everybody): who serves less today no longer reads what was made for her.
    """

    kind = models.CharField(_("given for"), max_length=10, choices=Kind.choices, default=Kind.COURSE)
    course = models.ForeignKey(
        CoursePage, on_delete=models.PROTECT, null=True, related_name="cohorts", verbose_name=_("course")
    )
    note = models.CharField(_("name of the cohort"), max_length=120, blank=True)
    whom = models.JSONField(default=dict)
    scope = models.JSONField(default=list)
    token = models.CharField(max_length=80, unique=True)
    asked_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="certificate_cohorts", verbose_name=_("asked by")
    )
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)
    count = models.PositiveIntegerField(_("people"), default=0)
    already = models.PositiveIntegerField(_("had theirs"), default=0)
    job = models.ForeignKey(Job, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("job"))
    # Serial numbers that are in no file, and why; a handful.
    left_out = models.JSONField(default=dict)
    # Empty until all files are there, and again when their days are over.
    files_made_at = models.DateTimeField(_("files made"), null=True, blank=True)

    objects = CohortQuerySet.as_manager()

    class Meta:
        verbose_name = _("cohort")
        verbose_name_plural = _("cohorts")
        ordering = ["-asked_at", "-pk"]

    def __str__(self) -> str:
        return self.note or (self.course.title if self.course is not None else str(self.pk))

    @property
    def files_until(self) -> datetime | None:
        return self.files_made_at and self.files_made_at + timedelta(days=settings.COHORT_FILES_DAYS)


class CohortPart(models.Model):
    """Some of a cohort in their order: ids of what is certified (enrolments), later those of their certificates.

    Ids in a list, not rows: a hundred thousand are two hundred of these, and a part is what a transaction takes.
    """

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    members = models.JSONField(default=list)
    certificates = models.JSONField(null=True)

    class Meta:
        verbose_name = _("part of a cohort")
        verbose_name_plural = _("parts of a cohort")
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["cohort", "number"], name="certificates_one_part_per_number")]

    def __str__(self) -> str:
        return f"{self.cohort_id}/{self.number}"


def cohort_path(file: CohortFile, _name: str) -> str:
    """A name of its own for each attempt: two workers never write into one file."""
    return str(PurePosixPath("certificates") / "cohorts" / str(file.cohort_id) / f"{uuid4().hex}.{file.kind}")


class CohortFile(models.Model):
    """A file to fetch. The row is written when the file is complete: what has no row is nobody's and is swept away."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="files")
    kind = models.CharField(max_length=4, choices=CohortFileKind.choices)
    number = models.PositiveIntegerField(default=1)
    file = models.FileField(storage=private_storage, upload_to=cohort_path)
    count = models.PositiveIntegerField(_("certificates"))
    size_bytes = models.PositiveBigIntegerField()
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("file of a cohort")
        verbose_name_plural = _("files of a cohort")
        ordering = ["kind", "number"]
        constraints = [
            models.UniqueConstraint(fields=["cohort", "kind", "number"], name="certificates_one_file_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.cohort_id}/{self.kind}-{self.number}"
