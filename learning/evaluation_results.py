"""Whether a course helped, in four levels: was it worth it, was something learned, is it used, does the service get better.

The only door to these figures. Answers are totals of rounds, each of at least as many people as its smallest group, and
rounds have nobody in common that could be worked out by subtracting one from another. Source: docs/evaluation.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import fmean

from dateutil.relativedelta import relativedelta
from django.utils import timezone

from courses.models import Enrolment
from learning.enums import EvaluationKind
from learning.models import EvaluationRound, ServiceMeasure, ServiceValue
from learning.models.evaluating import first_of_month
from organisations.models import Appointment, Unit
from readiness.enums import DEFAULT_K
from readiness.questionnaire import block_items
from readiness.results import Figure, figures_of
from readiness.statistics.did import Effect, did
from readiness.statistics.inference import Totals, margin

# Below, a figure asks for something to be done.
LOW = 60
# What is learned about people's knowledge is said of as many as answers are.
LEAST_PAIRS = DEFAULT_K
# A month alone is chance: the three before the course began against the last three.
MONTHS_COMPARED = 3
# A unit counts as trained where at least half of its people completed the course.
TRAINED_FROM_PCT = 50
COVERAGE_STEP = 5


# --- Answers ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class RoundFigure:
    """What one round came to. `figure` None: fewer answers than its smallest group, and nothing was kept."""

    opened_on: date
    closed_on: date
    k: int
    asked: int
    answers: int
    figure: Figure | None

    @property
    def response_pct(self) -> int:
        return self.answers * 100 // self.asked if self.asked else 0

    @property
    def describes_few(self) -> bool:
        return self.response_pct < 50


@dataclass(frozen=True)
class Answers:
    """One kind of question about a course: its rounds, the newest first, and those asked alike taken together.

    `next_on`: when the round that is open shows its figures; None where none is open.
    """

    kind: EvaluationKind
    rounds: tuple[RoundFigure, ...]
    together: Figure | None
    next_on: date | None

    @property
    def score(self) -> int:
        """From 0 to 100; 100 where there is none, so that nothing is found to be low."""
        return 100 if self.together is None or self.together.score is None else self.together.score

    @property
    def is_low(self) -> bool:
        return self.score < LOW


def answers_of(rounds: Iterable[EvaluationRound], kind: EvaluationKind) -> Answers:
    """From the rounds of one course, open and closed."""
    own = sorted((at for at in rounds if at.kind == kind), key=lambda at: at.opened_on, reverse=True)
    shown = [at for at in own if at.state in ("closed", "destroyed")]
    figured = [at for at in shown if at.totals]
    return Answers(
        kind,
        tuple(
            RoundFigure(at.opened_on, at.closes_on, at.k, at.asked, at.answers, _figure([at]) if at.totals else None)
            for at in shown
        ),
        _figure(_alike(figured)),
        min((at.closes_on for at in own if at.state == "open"), default=None),
    )


def _alike(rounds: Sequence[EvaluationRound]) -> list[EvaluationRound]:
    """The newest and those that asked exactly its statements."""
    asked = block_items(rounds[0].questionnaire) if rounds else {}
    return [at for at in rounds if block_items(at.questionnaire) == asked]


def _figure(rounds: Sequence[EvaluationRound]) -> Figure | None:
    totals = [found for at in rounds if (found := at.block_totals()) is not None]
    if not totals:
        return None
    together = totals[0]
    for more in totals[1:]:
        together = together + more
    return figures_of(rounds[0].questionnaire, {rounds[0].block: together}, sum(at.asked for at in rounds))[0]


# --- What was learned ------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Gain:
    """Percent of the check known before the course and at the first try after it. `margin`: half the 95 % interval of
    the gain, in points; None where all gained the same."""

    people: int
    before: int
    after: int
    gain: int
    margin: int | None

    @property
    def is_proven(self) -> bool:
        return self.margin is not None and abs(self.gain) > self.margin


def gain_of(pairs: Sequence[tuple[int, int]]) -> Gain | None:
    """From (before, after) of each person, in percent; None for fewer than LEAST_PAIRS people."""
    if len(pairs) < LEAST_PAIRS:
        return None
    gains = [after - before for before, after in pairs]
    half = margin(Totals.of(gains))
    return Gain(
        len(pairs),
        round(fmean(before for before, _after in pairs)),
        round(fmean(after for _before, after in pairs)),
        round(fmean(gains)),
        None if not half else max(1, round(half)),
    )


# --- What became of the service --------------------------------------------------------------------------------------
@dataclass(frozen=True)
class UnitChange:
    """A figure in one unit: its mean before and after, and how many of its people completed the course.

    `pct` is None for fewer than ten people: a share of so few would say who did.
    """

    unit: Unit
    before: float
    after: float
    is_trained: bool
    pct: int | None

    @property
    def change(self) -> float:
        return self.after - self.before


@dataclass(frozen=True)
class MeasureOutcome:
    """`before`, `after`: the months compared, first and last; None where the months do not suffice.

    `effect`: mean change of trained units minus that of the others, in the unit of the figure; None for fewer than
    three units on a side.
    """

    measure: ServiceMeasure
    months: tuple[date, ...]
    before: tuple[date, date] | None
    after: tuple[date, date] | None
    units: tuple[UnitChange, ...]
    effect: Effect | None

    @property
    def trained(self) -> tuple[UnitChange, ...]:
        return tuple(unit for unit in self.units if unit.is_trained)

    @property
    def others(self) -> tuple[UnitChange, ...]:
        return tuple(unit for unit in self.units if not unit.is_trained)

    @property
    def is_better(self) -> bool | None:
        """Whether trained units moved the way they should, more than the others; None where that is not proven."""
        if self.effect is None or not self.effect.is_proven:
            return None
        return (self.effect.effect < 0) == self.measure.lower_is_better


def outcomes_of(course_key: str, day: date) -> tuple[MeasureOutcome, ...]:
    """Every figure that a course is meant to move. As many queries for one as for many; five at most."""
    measures = list(ServiceMeasure.objects.filter(course_key=course_key))
    if not measures:
        return ()
    values: dict[int, dict[int, dict[date, Decimal]]] = defaultdict(lambda: defaultdict(dict))
    units: dict[int, Unit] = {}
    for row in ServiceValue.objects.filter(measure__in=measures).select_related("unit"):
        values[row.measure_id][row.unit_id][row.month] = row.value
        units[row.unit_id] = row.unit
    completed = dict(
        Enrolment.objects.completed()
        .filter(course__key=course_key)
        .order_by("-completed_at")
        .values_list("person_id", "completed_at")
    )
    began = min((timezone.localdate(moment) for moment in completed.values()), default=None)
    people = _people(units.values(), day)
    return tuple(_outcome(measure, values[measure.pk], units, people, set(completed), began) for measure in measures)


def _people(units: Iterable[Unit], day: date) -> dict[int, set[int]]:
    """Who holds a post in each unit or below it."""
    by_path = {unit.path: unit.pk for unit in units}
    found: dict[int, set[int]] = {pk: set() for pk in by_path.values()}
    if not by_path:
        return found
    lengths = sorted({len(path) for path in by_path})
    rows = Appointment.objects.current(day).filter(person__is_active=True)
    for path, person_id in rows.values_list("post__unit__path", "person_id"):
        for length in lengths:
            pk = by_path.get(path[:length]) if length <= len(path) else None
            if pk is not None:
                found[pk].add(person_id)
    return found


def _outcome(
    measure: ServiceMeasure,
    values: Mapping[int, Mapping[date, Decimal]],
    units: Mapping[int, Unit],
    people: Mapping[int, set[int]],
    completed: set[int],
    began: date | None,
) -> MeasureOutcome:
    months = tuple(sorted({month for by_month in values.values() for month in by_month}))
    before, after = months_around(months, began)
    found = []
    for pk, by_month in values.items():
        one = mean_within(by_month, before)
        two = mean_within(by_month, after)
        if one is not None and two is not None:
            here = people.get(pk, set())
            pct = int(len(here & completed) * 100 / len(here)) if here else 0
            shown = int(pct / COVERAGE_STEP + 0.5) * COVERAGE_STEP if len(here) >= DEFAULT_K else None
            found.append(UnitChange(units[pk], one, two, pct >= TRAINED_FROM_PCT, shown))
    found.sort(key=lambda row: (not row.is_trained, row.unit.path))
    effect = did([row.change for row in found if row.is_trained], [row.change for row in found if not row.is_trained])
    return MeasureOutcome(measure, months, before, after, tuple(found), effect)


Span = tuple[date, date]


def months_around(months: Sequence[date], began: date | None) -> tuple[Span | None, Span | None]:
    """The last three months with figures before anybody had completed the course, and the last three after that month."""
    if began is None:
        return None, None
    start = first_of_month(began)
    before = [month for month in months if month < start][-MONTHS_COMPARED:]
    after = [month for month in months if month >= start + relativedelta(months=1)][-MONTHS_COMPARED:]
    return ((before[0], before[-1]) if before else None), ((after[0], after[-1]) if after else None)


def mean_within(by_month: Mapping[date, Decimal], span: Span | None) -> float | None:
    if span is None:
        return None
    found = [float(value) for month, value in by_month.items() if span[0] <= month <= span[1]]
    return fmean(found) if found else None
