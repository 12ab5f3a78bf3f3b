"""Figures of services beside a change: how they stood before it began and how they stand of late. Nothing is claimed of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import fmean

from courses.models import CourseOutcome
from learning.evaluation_results import Span, mean_within, months_around
from learning.models import ServiceMeasure, ServiceValue
from readiness.models import Initiative
from readiness.outcome import needed_lineages


@dataclass(frozen=True)
class ServiceTrend:
    """A figure in the units of a change: its mean over units with figures on both sides; None where there are none.

    `before_months`, `after_months`: the first and the last month of each side, by their first days.
    """

    measure: ServiceMeasure
    before: float | None
    after: float | None
    before_months: Span | None
    after_months: Span | None
    units: int


def trends_beside(initiative: Initiative) -> list[ServiceTrend]:
    """Figures that courses are meant to move which teach what the change needs, counted in its unit and below it.

    Compared are the last three months with figures before the change began and the last ones after its first
    month. As many queries for many figures as for one: five at most.
    """
    lineages = needed_lineages(initiative)
    if not lineages:
        return []
    keys = CourseOutcome.objects.filter(competency__lineage__in=lineages).values("course__key")
    measures = list(ServiceMeasure.objects.filter(course_key__in=keys).order_by("name", "pk"))
    values: dict[int, dict[int, dict[date, Decimal]]] = defaultdict(lambda: defaultdict(dict))
    rows = ServiceValue.objects.filter(measure__in=measures, unit__path__startswith=initiative.unit.path)
    for measure_id, unit_id, month, value in rows.values_list("measure_id", "unit_id", "month", "value"):
        values[measure_id][unit_id][month] = value
    found = [_trend(measure, values[measure.pk], initiative.starts_on) for measure in measures]
    return [trend for trend in found if trend.before_months or trend.after_months]


def _trend(measure: ServiceMeasure, values: dict[int, dict[date, Decimal]], began: date) -> ServiceTrend:
    months = sorted({month for by_month in values.values() for month in by_month})
    before, after = months_around(months, began)
    pairs = [(mean_within(by_month, before), mean_within(by_month, after)) for by_month in values.values()]
    both = [(one, two) for one, two in pairs if one is not None and two is not None]
    return ServiceTrend(
        measure,
        fmean(one for one, _two in both) if both else None,
        fmean(two for _one, two in both) if both else None,
        before,
        after,
        len(both),
    )
