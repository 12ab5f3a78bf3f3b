"""Whether a course helped: rounds of questions to learners and managers, and figures of the services they run.

What is asked is kept under the promises of surveys (`readiness`): asks and envelopes exist only while their round is
open and have no page in the CMS, no API, no export; what is left of a round are totals of at least `k` people.
"""

from __future__ import annotations

import uuid
from datetime import date

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from learning.enums import EvaluationKind, RoundState
from organisations.models import Unit
from readiness.sealing import LEAST_K
from readiness.statistics.inference import Totals
from readiness.totals import BlockTotals


class EvaluationRoundQuerySet(models.QuerySet["EvaluationRound"]):
    def open(self) -> EvaluationRoundQuerySet:
        return self.filter(state=RoundState.OPEN)

    def with_results(self) -> EvaluationRoundQuerySet:
        return self.filter(state=RoundState.CLOSED)


class EvaluationRound(models.Model):
    """One kind of question about one course, put to everybody who comes to it between `opened_on` and `asks_until`.

    Answers are taken until the day before `closes_on`; then all are opened together. `questionnaire` has the shape of
    `readiness.models.Wave.questionnaire`, with one block. Filled at closing: `asked` people, `answers` of them, and
    `totals`: {"n": …, "sum": …, "sumsq": …, "items": [[unfavourable, neutral, favourable], …]}, empty where fewer than
    `k` answered.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    course_key = models.SlugField(_("course"), max_length=120)
    kind = models.CharField(_("kind"), max_length=8, choices=EvaluationKind.choices)
    opened_on = models.DateField(_("opened"))
    asks_until = models.DateField(_("asks until"))
    closes_on = models.DateField(_("closes"))
    k = models.PositiveSmallIntegerField(_("smallest group"), validators=[MinValueValidator(LEAST_K)])
    state = models.CharField(_("state"), max_length=9, choices=RoundState.choices, default=RoundState.OPEN)
    key_name = models.CharField(max_length=64)
    public_key = models.BinaryField()
    questionnaire = models.JSONField()
    asked = models.PositiveIntegerField(_("asked"), default=0)
    answers = models.PositiveIntegerField(_("answered"), default=0)
    totals = models.JSONField(default=dict)

    objects = EvaluationRoundQuerySet.as_manager()

    class Meta:
        verbose_name = _("evaluation of a course")
        verbose_name_plural = _("evaluations of courses")
        ordering = ["course_key", "kind", "-opened_on"]
        indexes = [models.Index(fields=["state", "closes_on"])]
        constraints = [
            models.UniqueConstraint(fields=["course_key", "kind", "opened_on"], name="learning_one_round_a_day"),
            models.CheckConstraint(condition=Q(k__gte=LEAST_K), name="learning_round_smallest_group"),
        ]

    def __str__(self) -> str:
        return f"{self.course_key} · {self.get_kind_display()} · {self.opened_on}"

    @property
    def block(self) -> str:
        return self.kind

    def block_totals(self) -> BlockTotals | None:
        """The totals of its one block; None where there are none."""
        if not self.totals:
            return None
        means = Totals(self.totals["n"], self.totals["sum"], self.totals["sumsq"])
        return BlockTotals(means, tuple((low, middle, high) for low, middle, high in self.totals["items"]))


class EvaluationAsk(models.Model):
    """Somebody is asked in a round, and whether she has answered: exists only while the round is open."""

    round = models.ForeignKey(EvaluationRound, on_delete=models.CASCADE, related_name="asks")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="evaluation_asks")
    # So long it stands on her desk; she may answer as long as the round is open.
    until = models.DateField()
    done = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["round", "person"], name="learning_asked_once_a_round")]
        indexes = [models.Index(fields=["person", "done"])]

    def __str__(self) -> str:
        return f"{self.round_id}"


class EvaluationEnvelope(models.Model):
    """One encrypted sheet of answers: exists only while the round is open."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    round = models.ForeignKey(EvaluationRound, on_delete=models.CASCADE, related_name="envelopes")
    blob = models.BinaryField()

    def __str__(self) -> str:
        return str(self.id)


class ServiceMeasure(models.Model):
    """A figure of a service, counted month by month in units, that a course is meant to move."""

    course_key = models.SlugField(_("course"), max_length=120)
    name = models.CharField(_("what is counted"), max_length=120)
    unit_of_measure = models.CharField(
        _("in"), max_length=30, help_text=_("days, %, complaints per 1,000 cases"), blank=True
    )
    source = models.CharField(_("where the figures are from"), max_length=200, blank=True)
    lower_is_better = models.BooleanField(_("less is better"), default=False)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("service figure")
        verbose_name_plural = _("service figures")
        ordering = ["course_key", "name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["course_key", "name"],
                name="learning_one_measure_per_name",
                violation_error_message=_("This course has a figure of that name already."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class ServiceValue(models.Model):
    """The figure of one unit in one month. `month` is its first day."""

    measure = models.ForeignKey(ServiceMeasure, on_delete=models.CASCADE, related_name="values")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+", verbose_name=_("unit"))
    month = models.DateField(_("month"))
    value = models.DecimalField(_("value"), max_digits=14, decimal_places=3)

    class Meta:
        ordering = ["measure", "month", "unit"]
        constraints = [models.UniqueConstraint(fields=["measure", "unit", "month"], name="learning_one_value_a_month")]

    def __str__(self) -> str:
        return f"{self.unit_id} · {self.month:%Y-%m}"


def first_of_month(day: date) -> date:
    return day.replace(day=1)
