"""A person's learning path: the plans made for her, one after the other."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from courses.models import CoursePage, CourseRun
from learning.enums import PlanReason, Proof


class PathPlan(models.Model):
    """One plan as it was made: never changed afterwards, the highest `number` is the path of today.

    `unclosed` lists the gaps that remain after the path, as in PathStep.closes; `requirements` and `met` are where the
    person stood on that day; `changes` says what this plan changed and why (learning/changes.py). `proof` with
    `bound_minutes` and `gap_minutes` says how short the plan is known to be; `planned_from` names what it was planned
    from: [{"profile": id, "framework": name, "edition": text}]; `unavailable` are keys of mandatory or pinned courses
    that cannot be taken, `short_choices` ids of stages that cannot be filled.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="path_plans", verbose_name=_("person")
    )
    number = models.PositiveIntegerField(_("number"))
    made_at = models.DateTimeField(_("made"), default=timezone.now)
    reason = models.CharField(_("reason"), max_length=16, choices=PlanReason.choices)
    # What the reason is about, as it was called then: the rule, or what was assigned. May be empty.
    about = models.CharField(_("about"), max_length=300, blank=True)
    effort_minutes = models.PositiveIntegerField(_("effort in minutes"), default=0)
    requirements = models.PositiveSmallIntegerField(_("required competencies"), default=0)
    met = models.PositiveSmallIntegerField(_("at the level"), default=0)
    unclosed = models.JSONField(default=list)
    changes = models.JSONField(default=list)
    proof = models.CharField(_("proof"), max_length=8, choices=Proof.choices, default=Proof.OPTIMAL)
    bound_minutes = models.PositiveIntegerField(_("no plan is shorter than, in minutes"), default=0)
    gap_minutes = models.PositiveIntegerField(_("remaining gap in minutes"), default=0)
    planned_from = models.JSONField(default=list)
    unavailable = models.JSONField(default=list)
    short_choices = models.JSONField(default=list)

    class Meta:
        verbose_name = _("learning path")
        verbose_name_plural = _("learning paths")
        ordering = ["person", "-number"]
        get_latest_by = "number"
        constraints = [models.UniqueConstraint(fields=["person", "number"], name="learning_one_plan_per_number")]

    def __str__(self) -> str:
        return f"{self.person} · {self.number}"


class PathStep(models.Model):
    """A course in a plan. `closes`: the gaps it is there for, as [{"competency_id", "held", "reaches", "required"}];
    `needed_by`: keys of the courses in this plan that require it first. `kinds`: all that put it there, of "gap",
    "mandatory", "choice", "pinned", "begun", "prerequisite"; `assignments`: ids of the assignments behind it;
    `needed_for`: changes that need what it closes, as [{"competency_id", "initiative_id", "by"}];
    `stages`: ids of the stages of curated paths it stands in, one a path. Dates of a step are not stored: they follow from
    the hours a week and the day on which somebody looks.
    """

    plan = models.ForeignKey(PathPlan, on_delete=models.CASCADE, related_name="steps", verbose_name=_("learning path"))
    position = models.PositiveSmallIntegerField(_("position"))
    course = models.ForeignKey(
        CoursePage, on_delete=models.PROTECT, related_name="path_steps", verbose_name=_("course")
    )
    closes = models.JSONField(default=list)
    needed_by = models.JSONField(default=list)
    kinds = models.JSONField(default=list)
    assignments = models.JSONField(default=list)
    needed_for = models.JSONField(default=list)
    stages = models.JSONField(default=list)
    due_on = models.DateField(_("due"), null=True, blank=True)
    run = models.ForeignKey(
        CourseRun,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="path_steps",
        verbose_name=_("course run"),
    )

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
