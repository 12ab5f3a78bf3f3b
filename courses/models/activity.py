"""What people did: enrolments, lessons, attempts. Nothing here is edited once it is finished."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from courses.models.pages import CoursePage, LessonPage
from organisations.models import User


class EnrolmentQuerySet(models.QuerySet["Enrolment"]):
    def open(self) -> EnrolmentQuerySet:
        return self.filter(completed_at__isnull=True)

    def completed(self) -> EnrolmentQuerySet:
        return self.filter(completed_at__isnull=False)

    def of(self, person: User) -> EnrolmentQuerySet:
        return self.filter(person=person)


class Enrolment(models.Model):
    """A person takes a course; `number` counts how often. Completed once, it stays as it is."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="enrolments", verbose_name=_("person")
    )
    course = models.ForeignKey(
        CoursePage, on_delete=models.PROTECT, related_name="enrolments", verbose_name=_("course")
    )
    number = models.PositiveSmallIntegerField(_("number"), default=1)
    enrolled_at = models.DateTimeField(_("enrolled"), default=timezone.now)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    completed_at = models.DateTimeField(_("completed"), null=True, blank=True)
    assessed = models.BooleanField(_("passed a check"), default=False)
    score_pct = models.PositiveSmallIntegerField(_("score in percent"), null=True, blank=True)

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        ordering = ["-last_seen_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["person", "course", "number"], name="courses_one_enrolment_per_number"),
            models.UniqueConstraint(
                fields=["person", "course"],
                condition=Q(completed_at__isnull=True),
                name="courses_one_open_enrolment",
                violation_error_message=_("This person already takes this course."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.course}"


class LessonProgress(models.Model):
    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.CASCADE, related_name="progress", verbose_name=_("enrolment")
    )
    lesson = models.ForeignKey(LessonPage, on_delete=models.PROTECT, related_name="progress", verbose_name=_("lesson"))
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    completed_at = models.DateTimeField(_("completed"), null=True, blank=True)

    class Meta:
        verbose_name = _("lesson progress")
        verbose_name_plural = _("lesson progress")
        constraints = [models.UniqueConstraint(fields=["enrolment", "lesson"], name="courses_one_progress_per_lesson")]

    def __str__(self) -> str:
        return f"{self.enrolment} · {self.lesson}"


class Attempt(models.Model):
    """Answers to the questions of one lesson: kept while being filled in, marked once when handed in.

    `answers` maps a question's id to what was chosen or typed; `results` maps it to true or false as marked then.
    """

    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.CASCADE, related_name="attempts", verbose_name=_("enrolment")
    )
    lesson = models.ForeignKey(LessonPage, on_delete=models.PROTECT, related_name="attempts", verbose_name=_("lesson"))
    number = models.PositiveSmallIntegerField(_("number"), default=1)
    answers = models.JSONField(_("answers"), default=dict)
    results = models.JSONField(_("results"), default=dict)
    score_pct = models.PositiveSmallIntegerField(_("score in percent"), null=True, blank=True)
    passed = models.BooleanField(_("passed"), default=False)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    saved_at = models.DateTimeField(_("saved"), default=timezone.now)
    submitted_at = models.DateTimeField(_("handed in"), null=True, blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["enrolment", "lesson", "number"]
        constraints = [
            models.UniqueConstraint(fields=["enrolment", "lesson", "number"], name="courses_one_attempt_per_number"),
            models.UniqueConstraint(
                fields=["enrolment", "lesson"], condition=Q(submitted_at__isnull=True), name="courses_one_open_attempt"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.enrolment} · {self.lesson} · {self.number}"


class PreCheck(models.Model):
    """What somebody knew before a course: how many questions of its checks she answered rightly, before any lesson.

    Single answers are not kept: they count for nothing, and would tell nothing more.
    """

    enrolment = models.OneToOneField(
        Enrolment, on_delete=models.CASCADE, related_name="pre_check", verbose_name=_("enrolment")
    )
    score_pct = models.PositiveSmallIntegerField(_("score in percent"))
    submitted_at = models.DateTimeField(_("handed in"), default=timezone.now)

    class Meta:
        verbose_name = _("check before a course")
        verbose_name_plural = _("checks before courses")

    def __str__(self) -> str:
        return str(self.enrolment)
