"""A person's learning path: the plans made for her, one after the other, and what HR asked for."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from competencies.models import RoleAssignment
from courses.models import CoursePage
from learning.enums import PlanReason
from organisations.models import Job


class PathAssignment(models.Model):
    """HR assigned a role and with it the path to it, with or without a due date."""

    role_assignment = models.OneToOneField(
        RoleAssignment, on_delete=models.CASCADE, related_name="path_assignment", verbose_name=_("role assignment")
    )
    due_on = models.DateField(_("due"), null=True, blank=True)
    job = models.ForeignKey(
        Job, on_delete=models.PROTECT, null=True, blank=True, related_name="path_assignments", verbose_name=_("job")
    )

    class Meta:
        verbose_name = _("path assignment")
        verbose_name_plural = _("path assignments")

    def __str__(self) -> str:
        return str(self.role_assignment)


class PathPlan(models.Model):
    """One plan as it was made: never changed afterwards, the highest `number` is the path of today.

    `unclosed` lists the gaps that remain after the path, as in PathStep.closes; `requirements` and `met` are where the
    person stood on that day; `changes` says what this plan changed and why (learning/changes.py).
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="path_plans", verbose_name=_("person")
    )
    number = models.PositiveIntegerField(_("number"))
    made_at = models.DateTimeField(_("made"), default=timezone.now)
    reason = models.CharField(_("reason"), max_length=16, choices=PlanReason.choices)
    effort_minutes = models.PositiveIntegerField(_("effort in minutes"), default=0)
    requirements = models.PositiveSmallIntegerField(_("required competencies"), default=0)
    met = models.PositiveSmallIntegerField(_("at the level"), default=0)
    unclosed = models.JSONField(default=list)
    changes = models.JSONField(default=list)

    class Meta:
        verbose_name = _("learning path")
        verbose_name_plural = _("learning paths")
        ordering = ["person", "-number"]
        get_latest_by = "number"
        constraints = [models.UniqueConstraint(fields=["person", "number"], name="learning_one_plan_per_number")]

    def __str__(self) -> str:
        return f"{self.person} · {self.number}"


class PathStep(models.Model):
    """A course in a plan. `closes`: what it is there for, as [{"competency": id, "held": rank, "reaches": rank, "required": rank}];
    `needed_by`: ids of the courses in this plan that require it first."""

    plan = models.ForeignKey(PathPlan, on_delete=models.CASCADE, related_name="steps", verbose_name=_("learning path"))
    position = models.PositiveSmallIntegerField(_("position"))
    course = models.ForeignKey(
        CoursePage, on_delete=models.PROTECT, related_name="path_steps", verbose_name=_("course")
    )
    closes = models.JSONField(default=list)
    needed_by = models.JSONField(default=list)

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        ordering = ["plan", "position"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "position"], name="learning_one_step_per_position"),
            models.UniqueConstraint(fields=["plan", "course"], name="learning_one_step_per_course"),
        ]

    def __str__(self) -> str:
        return f"{self.position} · {self.course}"
