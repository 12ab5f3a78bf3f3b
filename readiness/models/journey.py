"""Accompanying people through the change: what they fear and ask, what is done about it, and who does it by when."""

from __future__ import annotations

import uuid
from datetime import date
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from i18nfield.fields import I18nCharField, I18nTextField

from organisations.models import Unit
from readiness.enums import ActionStatus, ConcernDecision, ConcernKind, NudgeKind, SuggestionKind
from readiness.models.initiatives import Initiative
from readiness.models.waves import Wave

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


def _strength(label: _StrPromise) -> models.PositiveSmallIntegerField[int, int]:
    """How much changes: 0 nothing, 1 a little, 2 clearly, 3 a great deal."""
    return models.PositiveSmallIntegerField(label, default=0, validators=[MaxValueValidator(3)])


class Impact(models.Model):
    """How much changes for the people of a unit, and what is done to make it bearable."""

    initiative = models.ForeignKey(
        Initiative, on_delete=models.CASCADE, related_name="impacts", verbose_name=_("initiative")
    )
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="impacts", verbose_name=_("unit"))
    role = _strength(_("role"))
    process = _strength(_("process"))
    tool = _strength(_("tools"))
    skill = _strength(_("skills"))
    workload = _strength(_("workload"))
    identity = _strength(_("how people see themselves"))
    people = models.PositiveIntegerField(_("people"), default=0)
    mitigation = I18nTextField(_("what is done about it"), blank=True)

    class Meta:
        verbose_name = _("impact")
        verbose_name_plural = _("impacts")
        ordering = ["unit__path"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative", "unit"],
                name="readiness_one_impact_per_unit",
                violation_error_message=_("This unit is there already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.initiative} · {self.unit}"


class Concern(models.Model):
    """What people of a unit worry about, told by a champion or manager. Of the unit, never of a person."""

    initiative = models.ForeignKey(
        Initiative, on_delete=models.CASCADE, related_name="concerns", verbose_name=_("initiative")
    )
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="concerns", verbose_name=_("unit"))
    kind = models.CharField(_("kind"), max_length=12, choices=ConcernKind.choices)
    text = models.TextField(_("concern"), max_length=1000)
    raised_on = models.DateField(_("raised on"), default=timezone.localdate)
    answer = models.TextField(_("answer"), max_length=2000, blank=True)
    decision = models.CharField(
        _("decision"), max_length=12, blank=True, choices=[(c.value, c.label) for c in ConcernDecision if c.value]
    )
    decided_on = models.DateField(_("decided on"), null=True, blank=True)

    class Meta:
        verbose_name = _("concern")
        verbose_name_plural = _("concerns")
        ordering = ["-raised_on", "-pk"]

    def __str__(self) -> str:
        return f"{self.unit} · {self.get_kind_display()}"


class QuestionQuerySet(models.QuerySet["Question"]):
    def waiting(self) -> QuestionQuerySet:
        return self.filter(answer="")


class Question(models.Model):
    """What somebody asks about the change, for everybody to read. Asked anonymously it keeps no person and no hour."""

    initiative = models.ForeignKey(
        Initiative, on_delete=models.CASCADE, related_name="questions", verbose_name=_("initiative")
    )
    text = models.TextField(_("question"), max_length=1000)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("asked by"),
    )
    # A row number would tell who came first; within a day questions stand in this random order.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    place = models.PositiveIntegerField()
    asked_on = models.DateField(_("asked on"), default=timezone.localdate)
    due_on = models.DateField(_("answered by"))
    answer = models.TextField(_("answer"), max_length=4000, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("answered by"),
    )
    answered_on = models.DateField(_("answered on"), null=True, blank=True)

    objects = QuestionQuerySet.as_manager()

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        ordering = ["-asked_on", "place"]
        indexes = [models.Index(fields=["initiative", "answer", "due_on"], name="readiness_question_waiting")]

    def __str__(self) -> str:
        return self.text[:60]

    def days_waiting(self, day: date) -> int:
        return (day - self.asked_on).days

    def is_overdue(self, day: date) -> bool:
        return not self.answer and self.due_on < day


class ActionQuerySet(models.QuerySet["Action"]):
    def open(self) -> ActionQuerySet:
        return self.filter(status=ActionStatus.OPEN)

    def overdue(self, day: date) -> ActionQuerySet:
        return self.open().filter(due_on__lt=day)


class Action(models.Model):
    """What is done about a low block, by whom and by when, and what staff will notice of it."""

    initiative = models.ForeignKey(
        Initiative, on_delete=models.CASCADE, related_name="actions", verbose_name=_("initiative")
    )
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="change_actions", verbose_name=_("unit"))
    wave = models.ForeignKey(
        Wave,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="actions",
        verbose_name=_("answers the survey"),
    )
    block = models.CharField(_("about"), max_length=40, blank=True)
    text = models.CharField(_("what is done"), max_length=300)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="change_actions", verbose_name=_("who does it")
    )
    due_on = models.DateField(_("by when"))
    what_staff_will_notice = models.CharField(_("what staff will notice"), max_length=300)
    status = models.CharField(_("status"), max_length=7, choices=ActionStatus.choices, default=ActionStatus.OPEN)
    outcome = models.CharField(_("what came of it"), max_length=300, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_on = models.DateField(default=timezone.localdate)
    ended_on = models.DateField(null=True, blank=True)

    objects = ActionQuerySet.as_manager()

    class Meta:
        verbose_name = _("action")
        verbose_name_plural = _("actions")
        ordering = ["due_on", "pk"]
        indexes = [models.Index(fields=["initiative", "unit", "status"])]
        constraints = [
            models.CheckConstraint(
                condition=~Q(text="") & ~Q(what_staff_will_notice=""),
                name="readiness_action_says_what_is_noticed",
                violation_error_message=_("Say what is done, and what staff will notice of it."),
            )
        ]

    def __str__(self) -> str:
        return self.text

    def is_overdue(self, day: date) -> bool:
        return self.status == ActionStatus.OPEN and self.due_on < day


class Suggestion(models.Model):
    """What helps where a block is low; edited in the CMS. `link` leads to a page of ours or anywhere."""

    block = models.CharField(_("block"), max_length=40)
    kind = models.CharField(_("kind"), max_length=12, choices=SuggestionKind.choices)
    title = I18nCharField(_("what to do"))
    text = I18nTextField(
        _("how"), blank=True, help_text=_("A talk guide, the agenda of a workshop: what a manager needs to begin.")
    )
    link = models.CharField(_("address"), max_length=300, blank=True)
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("suggestion for a low block")
        verbose_name_plural = _("suggestions for low blocks")
        ordering = ["block", "order", "pk"]

    def __str__(self) -> str:
        return str(self.title)  # what its block is called would take a query


class Nudge(models.Model):
    """A reminder a person has planned for herself, at most one a week, and only while the step is not done."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="nudges")
    kind = models.CharField(_("about"), max_length=16, choices=NudgeKind.choices)
    when_where_plan = models.CharField(
        _("when and where"),
        max_length=200,
        blank=True,
        help_text=_("“On Tuesday after the team meeting, at my desk”: a plan makes it likelier."),
    )
    last_sent = models.DateField(null=True, blank=True)
    is_off = models.BooleanField(_("off"), default=False)

    class Meta:
        verbose_name = _("nudge")
        verbose_name_plural = _("nudges")
        constraints = [models.UniqueConstraint(fields=["person", "kind"], name="readiness_one_nudge_per_kind")]

    def __str__(self) -> str:
        return f"{self.person_id} · {self.kind}"
