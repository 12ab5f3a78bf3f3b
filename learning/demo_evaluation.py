"""The demo ministry, fifth floor: what people say about courses, and a figure of a service beside one.

Rounds open, ask and close by the rules of the product; only the envelopes are written in bulk, as so many people would
have answered. What is open today waits on their desks.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from dateutil.relativedelta import relativedelta
from django.db.models import Count, Min
from django.utils import timezone

from courses.models import Attempt, CoursePage, Enrolment, PreCheck
from learning.enums import EvaluationKind
from learning.evaluating import PLACE, ask_everybody, round_for
from learning.evaluation_closing import close_round, due_to_close
from learning.models import EvaluationAsk, EvaluationEnvelope, EvaluationRound, ServiceMeasure, ServiceValue
from learning.models.evaluating import first_of_month
from organisations.demo import Ministry, stream
from organisations.models import Unit
from readiness.ballot import Ballot, seal_ballot
from readiness.questionnaire import item_codes

COURSES, LEAST_COMPLETED = 3, 3
# A small ministry needs half a year until enough have taken a course.
ROUND_MONTHS, EVERY_DAYS = 6, 14
ANSWER_PCT, PRE_CHECK_PCT = 88, 70
# Where statements stand on the scale of 1 to 5: worth it, used less, and managers see still less of it.
MEANS = {EvaluationKind.REACTION: 4.1, EvaluationKind.USE: 3.2, EvaluationKind.TEAM: 3.0}
# A figure of the service desks, in the words of the ministry; its people and its course are the demo's.
MEASURE = ("Letters sent back because something was missing", "per 100 letters", "Register of outgoing letters")
MEASURED_UNITS, MEASURED_MONTHS = 8, 12
# What the change to one case file is for, counted where citizens come: from four of ten to three of ten in half a year.
ASKED = ("Visits only to ask how far a request is", "per 100 visits", "Register of visits")
ASKED_WHERE, ASKED_TEACHES = ("MPS-CCC", "MPS-RN", "MPS-RS"), "SC1"
ASKED_BEFORE, ASKED_FALLS, ASKED_MONTHS_AGO = 40, 1.7, 6


def write_evaluation(ministry: Ministry) -> int:
    """Needs a year of learning and the questionnaires; returns how many rounds were closed with figures."""
    random = stream(ministry.seed, "evaluation")
    keys = list(
        Enrolment.objects.completed()
        .values("course__key")
        .annotate(n=Count("pk"), first=Min("completed_at"))
        .filter(n__gte=LEAST_COMPLETED)
        .order_by("-n", "course__key")[:COURSES]
    )
    closed = 0
    for row in keys:
        closed += _history(row["course__key"], timezone.localdate(row["first"]), ministry, random)
        _pre_checks(row["course__key"], random)
    if keys:
        _service(keys[0]["course__key"], ministry, random)
    _visits(ministry, random)
    return closed


def _history(key: str, day: date, ministry: Ministry, random: Random) -> int:
    """Ask every fortnight; whatever has run its time is answered and closed."""
    while day <= ministry.last_day:
        for kind in EvaluationKind:
            round_for(key, kind, day, months=ROUND_MONTHS)
        ask_everybody(day, key)
        day += timedelta(days=EVERY_DAYS)
    closed = 0
    for at in list(due_to_close(ministry.last_day)):
        if at.course_key == key:
            _answer(at, random)
            closed += bool(close_round(round_id=at.pk, day=ministry.last_day).totals)
    # Who has had her time either answered, or will not.
    for at in EvaluationRound.objects.open().filter(course_key=key):
        _answer(at, random, until=ministry.last_day)
    return closed


def _answer(at: EvaluationRound, random: Random, until: date | None = None) -> None:
    asks = EvaluationAsk.objects.filter(round=at, done=False).order_by("person_id")
    done, envelopes = [], []
    for ask in asks if until is None else asks.filter(until__lt=until):
        if random.randrange(100) >= ANSWER_PCT:
            continue
        mean = random.gauss(MEANS[EvaluationKind(at.kind)], 0.7)
        answers = {code: min(5, max(1, round(random.gauss(mean, 0.6)))) for code in item_codes(at.questionnaire)}
        ask.done = True
        done.append(ask)
        blob = seal_ballot(Ballot(PLACE, "", answers, {}), bytes(at.public_key))
        envelopes.append(EvaluationEnvelope(round=at, blob=blob))
    EvaluationAsk.objects.bulk_update(done, ["done"], batch_size=500)
    EvaluationEnvelope.objects.bulk_create(envelopes, batch_size=500)


def _pre_checks(key: str, random: Random) -> None:
    """Many looked first what they knew already: a good deal less than at their first try of the check."""
    first: dict[int, int] = {}
    tries = Attempt.objects.filter(
        enrolment__course__key=key,
        lesson__is_check=True,
        score_pct__isnull=False,
        enrolment__completed_at__isnull=False,
    )
    for enrolment_id, score in tries.order_by("-submitted_at").values_list("enrolment_id", "score_pct"):
        first[enrolment_id] = score or 0
    began = dict(Enrolment.objects.filter(pk__in=first).values_list("pk", "enrolled_at"))
    PreCheck.objects.bulk_create(
        PreCheck(enrolment_id=pk, score_pct=max(0, score - random.randrange(5, 55)), submitted_at=began[pk])
        for pk, score in sorted(first.items())
        if random.randrange(100) < PRE_CHECK_PCT
    )


def _visits(ministry: Ministry, random: Random) -> None:
    """The figure beside the change, of the course that teaches what it needs; none in a ministry without the units."""
    course = CoursePage.objects.offered().filter(outcomes__competency__code=ASKED_TEACHES).order_by("key").first()
    units = list(Unit.objects.filter(code__in=ASKED_WHERE).order_by("path"))
    if course is None or not units:
        return
    name, unit_of_measure, source = ASKED
    measure = ServiceMeasure.objects.create(
        course_key=course.key, name=name, unit_of_measure=unit_of_measure, source=source, lower_is_better=True,
        made_by=ministry.account("hr").user,
    )  # fmt: skip
    month = first_of_month(ministry.last_day)
    ServiceValue.objects.bulk_create(
        ServiceValue(
            measure=measure, unit=unit, month=month - relativedelta(months=back),
            value=round(
                Decimal(ASKED_BEFORE - ASKED_FALLS * max(0, ASKED_MONTHS_AGO - back) + random.gauss(0, 0.8)), 1
            ),
        )
        for unit in units
        for back in range(MEASURED_MONTHS, 0, -1)
    )  # fmt: skip


def _service(key: str, ministry: Ministry, random: Random) -> None:
    """Months of a figure in units in which few have taken the course yet: the page says that nothing can be told."""
    name, unit_of_measure, source = MEASURE
    measure = ServiceMeasure.objects.create(
        course_key=key, name=name, unit_of_measure=unit_of_measure, source=source, lower_is_better=True,
        made_by=ministry.account("hr").user,
    )  # fmt: skip
    month = first_of_month(ministry.last_day)
    units = [unit for unit in Unit.objects.order_by("path") if not unit.get_children().exists()]
    ServiceValue.objects.bulk_create(
        ServiceValue(
            measure=measure, unit=unit, month=month - relativedelta(months=back),
            value=round(Decimal(8 + back / 6 + random.gauss(0, 0.6)), 1),
        )
        for unit in units[:MEASURED_UNITS]
        for back in range(MEASURED_MONTHS, 0, -1)
    )  # fmt: skip
