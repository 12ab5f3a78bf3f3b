"""Whether a course helped: asking, answering under seal, counting, and what is said of it."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.signals import got_request_exception
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django.views.debug import ExceptionReporter
from wagtail.models import ModelLogEntry

from courses.models import Enrolment, PreCheck
from learning import evaluating, evaluation_closing
from learning.enums import EvaluationKind
from learning.evaluating import ask_everybody, ask_of, cast, round_for, waiting_for
from learning.evaluation_closing import TooEarly, close_round, due_to_close
from learning.evaluation_jobs import look_after_evaluation
from learning.evaluation_results import answers_of, gain_of, outcomes_of
from learning.evaluation_words import outcome_words
from learning.models import EvaluationAsk, EvaluationEnvelope, EvaluationRound, ServiceMeasure, ServiceValue
from learning.service_figures import FiguresRefused, read_figures, store_figures
from organisations.models import Job
from readiness import keys
from readiness.casting import CastRefused
from readiness.loading import DATA, load_instrument
from readiness.models import Instrument
from tests.builders import make_course, make_hr, make_person, make_post, make_unit, take_course
from tests.readiness.surveys import staff

TODAY = date(2026, 6, 15)
REACTION, USE, TEAM = EvaluationKind.REACTION, EvaluationKind.USE, EvaluationKind.TEAM


@pytest.fixture(autouse=True)
def _keys(settings, tmp_path):
    settings.SURVEY_KEY_DIR = str(tmp_path / "keys")


@pytest.fixture
def questions(db) -> Instrument:
    instrument, _created = load_instrument(path=DATA / "course-evaluation.json")
    return instrument


@pytest.fixture
def course(questions):
    return make_course(key="counter")


def noon(day: date) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day, 12))


def completed(people, course, day: date) -> None:
    Enrolment.objects.bulk_create(
        Enrolment(person=person, course=course, enrolled_at=noon(day), completed_at=noon(day)) for person in people
    )


def team_of(n: int):
    """(manager, her people)"""
    unit = make_unit()
    boss = make_person()
    return boss, staff(unit, n, make_post(unit, holder=boss))


def answer_all(at: EvaluationRound, value: int = 4, but: int = 0) -> None:
    for ask in list(EvaluationAsk.objects.filter(round=at).order_by("pk"))[but:]:
        codes = [item["code"] for block in at.questionnaire["blocks"] for item in block["items"]]
        cast(ask=ask, answers=dict.fromkeys(codes, value), day=at.closes_on - timedelta(days=1))


def closed_round(course, kind=REACTION, n: int = 12, value: int = 4, but: int = 0) -> EvaluationRound:
    people = [make_person() for _ in range(n)]
    completed(people, course, TODAY)
    ask_everybody(TODAY)
    at = EvaluationRound.objects.get(kind=kind)
    answer_all(at, value, but)
    return close_round(round_id=at.pk, day=at.closes_on)


# --- Who is asked, when ----------------------------------------------------------------------------------------------
def test_who_completes_a_course_is_asked_at_once(course):
    person = make_person()
    take_course(person, course)
    today = timezone.localdate()
    (ask,) = waiting_for(person, today)
    assert (ask.round.course_key, ask.round.kind, ask.until) == ("counter", REACTION, today + timedelta(days=14))


def test_completing_a_course_does_not_depend_on_the_question(course, monkeypatch, caplog):
    def broken(*args):
        raise OSError("no space left")

    monkeypatch.setattr(keys, "create_key", broken)
    enrolment = take_course(make_person(), course)
    assert enrolment.completed_at is not None
    assert "could be asked" in caplog.text
    monkeypatch.undo()
    assert ask_everybody(timezone.localdate()) == 1  # what went wrong is made good


@pytest.mark.parametrize(
    ("days", "asked"),
    [(0, {REACTION}), (14, {REACTION}), (15, set()), (59, set()), (60, {USE}), (90, {USE}), (91, set())],
)
def test_reaction_is_asked_within_a_fortnight_and_use_after_two_to_three_months(course, days, asked):
    completed([make_person()], course, TODAY - timedelta(days=days))
    ask_everybody(TODAY)
    assert set(EvaluationAsk.objects.values_list("round__kind", flat=True)) == asked


def test_asking_twice_is_asking_once(course):
    completed([make_person() for _ in range(3)], course, TODAY)
    assert ask_everybody(TODAY) == 3
    assert ask_everybody(TODAY) == 0
    assert ask_everybody(TODAY + timedelta(days=1)) == 0
    assert EvaluationAsk.objects.count() == 3


def test_a_manager_is_asked_once_for_all_of_her_people(course):
    boss, people = team_of(4)
    completed(people[:3], course, TODAY - timedelta(days=60))
    completed(people[3:], course, TODAY - timedelta(days=61))
    ask_everybody(TODAY)
    ask = EvaluationAsk.objects.get(round__kind=TEAM)
    assert ask.person == boss
    assert len(evaluating.people_meant(boss, "counter", TODAY)) == 4


def test_nobody_who_has_left_is_asked(course):
    completed([make_person(is_active=False)], course, TODAY)
    assert ask_everybody(TODAY) == 0


def test_without_a_questionnaire_nobody_is_asked(db):
    course = make_course(key="counter")
    completed([make_person()], course, TODAY)
    assert ask_everybody(TODAY) == 0
    assert not EvaluationRound.objects.exists()


def test_the_number_of_queries_does_not_grow_with_people(course, count_queries):
    completed([make_person()], course, TODAY)
    one = count_queries(lambda: ask_everybody(TODAY))
    EvaluationRound.objects.all().delete()
    completed([make_person() for _ in range(30)], course, TODAY)
    assert count_queries(lambda: ask_everybody(TODAY)) <= one


# --- Rounds ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("before", "months"), [(20, 3), (0, 12)])
def test_a_round_lasts_as_long_as_it_takes_for_enough_to_come(course, before, months):
    completed([make_person() for _ in range(before)], course, TODAY - timedelta(days=50))
    at = round_for("counter", REACTION, TODAY)
    assert (at.asks_until - TODAY).days in ({91} if months == 3 else {364})
    assert at.closes_on == at.asks_until + timedelta(days=15)


def test_who_comes_last_has_her_whole_fortnight(course):
    at = round_for("counter", REACTION, TODAY)
    completed([make_person()], course, at.asks_until)
    ask_everybody(at.asks_until)
    ask = EvaluationAsk.objects.get()
    assert ask.round == at
    assert at.closes_on > ask.until


def test_after_its_time_another_round_takes_over(course):
    first = round_for("counter", USE, TODAY)
    second = round_for("counter", USE, first.asks_until + timedelta(days=1))
    assert second != first
    assert round_for("counter", USE, first.asks_until) == first


def test_two_workers_open_one_round_and_leave_one_key(course, tmp_path, monkeypatch):
    mine = round_for("counter", REACTION, TODAY)
    real = EvaluationRound.objects.open
    calls = iter([EvaluationRound.objects.none()])
    # The second worker looked before the first had written.
    monkeypatch.setattr(EvaluationRound.objects, "open", lambda: next(calls, None) or real())
    assert round_for("counter", REACTION, TODAY) == mine
    assert len(list((tmp_path / "keys").iterdir())) == 1


# --- Answers ---------------------------------------------------------------------------------------------------------
def test_answers_are_in_the_envelope_and_nowhere_else(course):
    person = make_person()
    take_course(person, course)
    (ask,) = waiting_for(person, timezone.localdate())
    cast(ask=ask, answers={"trn1": 5, "rea2": 1})
    envelope = EvaluationEnvelope.objects.get()
    assert len(bytes(envelope.blob)) == 8240
    assert not {field.name for field in EvaluationEnvelope._meta.fields} - {"id", "round", "blob"}
    assert waiting_for(person, timezone.localdate()) == []
    # What is stored about her says that she has answered, and the same whatever she answered.
    assert set(EvaluationAsk.objects.values().get()) == {"id", "round_id", "person_id", "until", "done"}


def test_nobody_answers_twice_or_late(course):
    person = make_person()
    take_course(person, course)
    (ask,) = waiting_for(person, timezone.localdate())
    with pytest.raises(CastRefused, match="up"):
        cast(ask=ask, answers={"trn1": 4}, day=ask.round.closes_on)
    cast(ask=ask, answers={"trn1": 4})
    with pytest.raises(CastRefused, match="already"):
        cast(ask=ask, answers={"trn1": 1})
    assert EvaluationEnvelope.objects.count() == 1


@pytest.mark.parametrize("answers", [{}, {"trn1": 0}, {"trn1": 6}, {"trn1": -1}, {"other": 4}])
def test_nothing_off_the_scale_and_nothing_empty(course, answers):
    person = make_person()
    take_course(person, course)
    (ask,) = waiting_for(person, timezone.localdate())
    with pytest.raises(CastRefused):
        cast(ask=ask, answers=answers)
    assert not EvaluationEnvelope.objects.exists()


# --- Closing ---------------------------------------------------------------------------------------------------------
def test_what_is_left_of_a_round_are_totals(course, tmp_path):
    at = closed_round(course, n=12, but=1)
    assert (at.state, at.asked, at.answers) == ("closed", 12, 11)
    assert at.totals["n"] == 11
    assert at.totals["sum"] == 44.0
    assert at.totals["items"] == [[0, 0, 11]] * 4
    assert not EvaluationAsk.objects.exists()
    assert not EvaluationEnvelope.objects.exists()
    assert list((tmp_path / "keys").iterdir()) == []


@pytest.mark.parametrize(("n", "left"), [(9, "destroyed"), (10, "closed")])
def test_of_fewer_than_ten_learners_nothing_is_left(course, n, left):
    at = closed_round(course, n=n)
    assert at.state == left
    assert bool(at.totals) == (left == "closed")
    assert at.answers == (10 if left == "closed" else 0)


@pytest.mark.parametrize(("n", "left"), [(4, "destroyed"), (5, "closed")])
def test_of_fewer_than_five_managers_nothing_is_left(course, n, left):
    for _ in range(n):
        _boss, people = team_of(1)
        completed(people, course, TODAY - timedelta(days=70))
    ask_everybody(TODAY)
    at = EvaluationRound.objects.get(kind=TEAM)
    answer_all(at)
    assert close_round(round_id=at.pk, day=at.closes_on).state == left


def test_a_round_is_not_closed_before_its_day_and_only_once(course):
    completed([make_person() for _ in range(10)], course, TODAY)
    ask_everybody(TODAY)
    at = EvaluationRound.objects.get()
    answer_all(at)
    with pytest.raises(TooEarly):
        close_round(round_id=at.pk, day=at.closes_on - timedelta(days=1))
    once = close_round(round_id=at.pk, day=at.closes_on)
    again = close_round(round_id=at.pk, day=at.closes_on)
    assert (once.state, once.totals) == (again.state, again.totals)


@pytest.mark.parametrize("where", ["_ballots", "count", "_kept", "keys.destroy_key", "wipe_deleted_rows"])
def test_killed_anywhere_it_is_open_with_its_key_or_counted_without_figures(course, monkeypatch, where):
    completed([make_person() for _ in range(10)], course, TODAY)
    ask_everybody(TODAY)
    at = EvaluationRound.objects.get()
    answer_all(at)

    def killed(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"learning.evaluation_closing.{where}", killed)
    with pytest.raises(KeyboardInterrupt):
        close_round(round_id=at.pk, day=at.closes_on)
    monkeypatch.undo()
    at.refresh_from_db()
    if at.state == "open":
        assert keys.file_keys().exists(at.key_name)
        assert EvaluationEnvelope.objects.count() == 10
    else:
        assert at.state == "sealed"
        assert answers_of([at], REACTION).together is None
    assert list(due_to_close(at.closes_on)) == [at]
    assert close_round(round_id=at.pk, day=at.closes_on).state == "closed"


def test_the_errand_of_the_day_asks_and_closes(course):
    completed([make_person() for _ in range(10)], course, timezone.localdate())
    look_after_evaluation()
    at = EvaluationRound.objects.get()
    answer_all(at)
    EvaluationRound.objects.update(closes_on=timezone.localdate())
    look_after_evaluation()
    at.refresh_from_db()
    assert at.state == "closed"
    assert not Job.objects.exclude(state="done").exists()
    # Jobs are kept and read by operators: nothing of what was answered is in them.
    assert "trn1" not in json.dumps(list(Job.objects.values("payload", "report", "key")))


# --- What is said of it ----------------------------------------------------------------------------------------------
def test_the_figure_of_a_round_and_of_all_together(course):
    first = closed_round(course, n=12, value=4)
    answers = answers_of(EvaluationRound.objects.all(), REACTION)
    assert answers.together.score == 75
    assert answers.rounds[0].figure.score == 75
    assert not answers.is_low
    second = round_for("counter", REACTION, first.closes_on)
    people = [make_person() for _ in range(12)]
    completed(people, course, first.closes_on)
    ask_everybody(first.closes_on)
    answer_all(second, 1)
    close_round(round_id=second.pk, day=second.closes_on)
    answers = answers_of(EvaluationRound.objects.all(), REACTION)
    assert [found.figure.score for found in answers.rounds] == [0, 75]
    assert answers.together.n == 24
    assert answers.together.score == 38
    assert answers.is_low


@pytest.mark.parametrize("n", [9, 10])
def test_a_gain_is_said_of_ten_people_and_more(n):
    found = gain_of([(40, 80)] * (n - 1) + [(50, 70)])
    if n < 10:
        assert found is None
        return
    assert (found.people, found.before, found.after, found.gain) == (10, 41, 79, 38)
    assert found.margin == 5  # t(.975, 9) · 6.32 / √10 = 4.5
    assert found.is_proven


def test_a_gain_that_may_be_chance_is_not_proven():
    assert not gain_of([(40, 90), (60, 20)] * 6).is_proven


# --- Figures of services ---------------------------------------------------------------------------------------------
def months_from(first: date, n: int) -> list[date]:
    return [date(first.year + (first.month - 1 + i) // 12, (first.month - 1 + i) % 12 + 1, 1) for i in range(n)]


@pytest.fixture
def service(course):
    """Six units: three took the course in March and got faster by four days, the others by one."""
    measure = ServiceMeasure.objects.create(
        course_key="counter", name="Days until a permit", unit_of_measure="days", lower_is_better=True,
        made_by=make_person(),
    )  # fmt: skip
    for n in range(6):
        unit = make_unit()
        people = staff(unit, 12)
        if n < 3:
            completed(people[:8], course, date(2026, 3, 10))
        for month in months_from(date(2025, 12, 1), 7):
            value = Decimal(20 + n) - (Decimal(4) + Decimal(n) / 10 if n < 3 else Decimal(1)) * (
                month >= date(2026, 4, 1)
            )
            ServiceValue.objects.create(measure=measure, unit=unit, month=month, value=value)
    return measure


def test_units_that_took_the_course_against_the_others(service):
    (outcome,) = outcomes_of("counter", TODAY)
    assert outcome.before == (date(2025, 12, 1), date(2026, 2, 1))
    assert outcome.after == (date(2026, 4, 1), date(2026, 6, 1))
    assert (len(outcome.trained), len(outcome.others)) == (3, 3)
    assert [row.pct for row in outcome.trained] == [65, 65, 65]
    assert outcome.effect.effect == pytest.approx(-3.1)
    assert outcome.is_better is True
    assert outcome_words(outcome).startswith("Better where the course was taken: −3.1 against the others")
    assert "could not have been seen" in outcome_words(outcome)


def test_more_is_not_better_where_less_is(service):
    ServiceMeasure.objects.update(lower_is_better=False)
    (outcome,) = outcomes_of("counter", TODAY)
    assert outcome.is_better is False
    assert outcome_words(outcome).startswith("Worse")


def test_what_cannot_be_told_is_said(service):
    last = ServiceValue.objects.order_by("-unit__path")[0].unit
    ServiceValue.objects.filter(unit=last).delete()
    (outcome,) = outcomes_of("counter", TODAY)
    assert outcome.effect is None
    assert "3 units in which at least half completed the course, 2 others" in outcome_words(outcome)
    ServiceValue.objects.filter(month__lt=date(2026, 3, 1)).delete()
    (outcome,) = outcomes_of("counter", TODAY)
    assert outcome.units == ()
    assert outcome_words(outcome).startswith("Not to be told yet")


def test_a_share_of_fewer_than_ten_people_is_not_shown(service):
    unit = ServiceValue.objects.order_by("unit__path")[0].unit
    for post in list(unit.posts.order_by("pk"))[3:]:
        post.appointments.all().delete()
    (outcome,) = outcomes_of("counter", TODAY)
    assert [row.pct for row in outcome.units if row.unit == unit] == [None]


def test_effects_take_a_constant_number_of_queries(service, count_queries):
    one = count_queries(lambda: outcomes_of("counter", TODAY))
    other = ServiceMeasure.objects.create(course_key="counter", name="Complaints", made_by=service.made_by)
    ServiceValue.objects.bulk_create(
        ServiceValue(measure=other, unit=value.unit, month=value.month, value=1) for value in service.values.all()
    )
    assert count_queries(lambda: outcomes_of("counter", TODAY)) == one <= 5


# --- Typing figures --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text", ["a;2026-01;1,5\nb;2026-02;2", "a\t2026-01\t1,5\nb\t2026-02\t2", "a,2026-01,1.5\nb,2026-2-28,2",
             "Unit;Month;Days\na;2026-01;1.5\n\nb;2026-02;2.000"],
)  # fmt: skip
def test_figures_come_as_a_spreadsheet_gives_them(text):
    lines = read_figures(text)
    assert [(line.unit_code, line.month, line.value) for line in lines] == [
        ("a", date(2026, 1, 1), Decimal("1.5")),
        ("b", date(2026, 2, 1), Decimal(2)),
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a;2026-01", "Line 1: three columns"),
        ("a;2026-13;1", "Line 1: write the month"),
        ("a;May;1\nb;2026-01;1", "Line 1: write the month"),
        ("a;2026-01;many", "Line 1: the figure is no number"),
        ("a;2026-01;NaN", "Line 1: the figure is no number"),
        ("a;2026-01;1e400", "Line 1: the figure is no number"),
        ("a;2026-01;1\na;2026-1;2", "Line 2: this unit has a figure"),
        ("x\n" * 6000, "At most 5000 lines"),
    ],
)
def test_every_line_that_cannot_be_read_is_named(text, fault):
    with pytest.raises(FiguresRefused, match=re.escape(fault)):
        read_figures(text)


def test_all_lines_or_none_and_only_of_units_she_serves(service):
    unit, other = make_unit(), make_unit()
    officer = make_person()
    make_hr(officer, unit)
    with pytest.raises(FiguresRefused, match="no unit that you serve"):
        store_figures(measure=service, text=f"{unit.code};2026-01;1\n{other.code};2026-01;1", by=officer)
    assert not ServiceValue.objects.filter(unit=unit).exists()
    assert store_figures(measure=service, text=f"{unit.code};2026-01;1", by=officer) == 1
    assert store_figures(measure=service, text=f"{unit.code};2026-01;2", by=officer) == 1
    assert ServiceValue.objects.get(unit=unit).value == 2


# --- The doors -------------------------------------------------------------------------------------------------------
def feedback(kind=REACTION) -> str:
    return reverse("course_feedback", args=["counter", kind])


def test_a_learner_says_whether_it_was_worth_it(client, course):
    person = make_person()
    enrolment = take_course(person, course)
    client.force_login(person)
    assert feedback() in client.get(reverse("course_result", args=[enrolment.pk])).text
    assert "Was “Counter” worth it?" in client.get(reverse("evaluation_waiting")).text
    page = client.get(feedback())
    assert "Your answers are encrypted" in page.text
    assert page.text.count('name="a_') == 4 * 6
    assert client.post(feedback(), {}).status_code == 422
    assert client.post(feedback(), {"a_trn1": "9"}).status_code == 422
    sent = client.post(feedback(), {"a_trn1": "4", "a_rea2": "0"}, follow=True)
    assert "Your answers are in the box" in sent.text
    assert client.post(feedback(), {"a_trn1": "1"}).status_code == 409
    assert EvaluationEnvelope.objects.count() == 1


def test_a_manager_is_asked_about_all_of_her_people(client, course):
    boss, people = team_of(2)
    completed(people, course, timezone.localdate() - timedelta(days=65))
    ask_everybody(timezone.localdate())
    client.force_login(boss)
    page = client.get(feedback(TEAM)).text
    assert "2 of your people completed it" in page
    assert "not of one of them" in page
    assert client.post(feedback(TEAM), {"a_tea1": "4"}, follow=True).status_code == 200


def test_who_is_not_asked_is_told_the_same_as_who_was(client, course):
    """Once a round is closed, an old link tells nobody whether this person was asked."""
    was, never = make_person(), make_person()
    take_course(was, course)
    at = EvaluationRound.objects.get()
    close_round(round_id=at.pk, day=at.closes_on)
    texts = []
    for person in (was, never):
        client.force_login(person)
        page = client.get(feedback())
        assert page.status_code == 410
        texts.append(re.sub(r"csrf\w+\" value=\"\w+|nonce-\S+", "", page.text))
    assert client.get(reverse("course_feedback", args=["nothing", REACTION])).status_code == 404
    assert client.get(reverse("course_feedback", args=["counter", "other"])).status_code == 404
    assert "You are not asked about this course" in texts[0]
    assert "You are not asked about this course" in texts[1]


def test_the_page_of_a_course_answers_four_questions(client, course, service):
    closed_round(course, n=12)
    before = Enrolment.objects.completed().filter(course=course)[:3]
    PreCheck.objects.bulk_create(PreCheck(enrolment=row, score_pct=40) for row in before)
    officer = make_person()
    make_hr(officer, make_unit())
    client.force_login(officer)
    page = client.get(reverse("evaluation", args=["counter"])).text
    for heading in (
        "Was it worth it?",
        "Was something learned?",
        "Is it used at work?",
        "Does the service get better?",
    ):
        assert heading in page
    assert "<b>75</b>" in page
    assert "0 people answered the check before and after" in page
    assert "Better where the course was taken" in page
    assert "Counter" in client.get(reverse("evaluation_list")).text


def test_who_sees_what_came_of_a_course(client, course):
    took, stranger = make_person(), make_person()
    take_course(took, course)
    url = reverse("evaluation", args=["counter"])
    for person, status in ((took, 200), (stranger, 403), (team_of(1)[0], 200)):
        client.force_login(person)
        assert client.get(url).status_code == status
    client.force_login(took)
    assert client.get(reverse("evaluation_list")).status_code == 403


def test_pages_take_as_many_queries_for_many_courses(client, questions, count_queries):
    officer = make_person(is_superuser=True)
    client.force_login(officer)
    for key in ("one", "two", "three"):
        course = make_course(key=key)
        closed_round_of(course)
        if key == "one":
            one = count_queries(lambda: client.get(reverse("evaluation_list")))
    assert count_queries(lambda: client.get(reverse("evaluation_list"))) == one <= 10


def closed_round_of(course) -> None:
    completed([make_person() for _ in range(10)], course, TODAY)
    ask_everybody(TODAY)
    at = EvaluationRound.objects.get(course_key=course.key)
    answer_all(at)
    close_round(round_id=at.pk, day=at.closes_on)


def test_an_officer_writes_figures(client, course):
    unit, officer = make_unit(), make_person()
    make_hr(officer, unit)
    client.force_login(officer)
    fields = {"name": "Days until a permit", "unit_of_measure": "days", "lower_is_better": "on", "source": "Register"}
    sent = client.post(reverse("measure_new", args=["counter"]), fields, follow=True)
    found = ServiceMeasure.objects.get()
    assert found.lower_is_better
    url = reverse("measure", args=[found.pk])
    assert sent.redirect_chain[-1][0] == url
    again = client.post(reverse("measure_new", args=["counter"]), fields)
    assert again.status_code == 422
    assert "has a figure of that name" in again.text
    bad = client.post(url, {"text": f"{unit.code};2026-01;x"})
    assert bad.status_code == 422
    assert "Line 1" in bad.text
    client.post(url, {"text": f"{unit.code};2026-01;12.5"})
    assert "12.5" in client.get(url).text


def test_an_officer_corrects_what_a_figure_is_and_takes_it_away(client, course, service):
    officer = make_person()
    make_hr(officer, make_unit())
    client.force_login(officer)
    ServiceMeasure.objects.create(course_key="counter", name="Complaints", made_by=officer)
    url = reverse("measure", args=[service.pk])
    taken = client.post(url, {"do": "change", "name": "Complaints"})
    assert taken.status_code == 422
    assert "has a figure of that name" in taken.text
    client.post(url, {"do": "change", "name": "Days until a licence", "lower_is_better": "on"})
    service.refresh_from_db()
    assert service.name == "Days until a licence"
    assert service.values.count() == 42
    gone = client.post(url, {"do": "remove"})
    assert gone.url == reverse("evaluation", args=["counter"])
    assert not ServiceMeasure.objects.filter(pk=service.pk).exists()
    assert not ServiceValue.objects.exists()
    entry = ModelLogEntry.objects.get(action="learning.remove_figure")
    assert (entry.user, entry.data["values"]) == (officer, 42)
    assert client.post(url, {"do": "remove"}).status_code == 404


# --- Attacks ---------------------------------------------------------------------------------------------------------
def test_no_screen_tells_one_answer_from_another(client, course):
    """Eleven who agree, or ten and one who does not: nothing shown differs before closing, whoever looks."""
    pages = []
    client.force_login(make_person(is_superuser=True))
    for value in (5, 1):
        EvaluationRound.objects.all().delete()
        Enrolment.objects.all().delete()
        people = [make_person() for _ in range(11)]
        completed(people, course, TODAY)
        ask_everybody(TODAY)
        at = EvaluationRound.objects.get()
        answer_all(at, 5, but=1)
        ask = EvaluationAsk.objects.get(done=False)
        cast(ask=ask, answers={"trn1": value}, day=TODAY)
        page = client.get(reverse("evaluation", args=["counter"])).text
        pages.append(re.sub(r"csrfmiddlewaretoken\" value=\"\w+", "", page))
    assert re.sub(r"\w{32,}", "", pages[0]) == re.sub(r"\w{32,}", "", pages[1])


def test_no_number_of_an_envelope_tells_when_it_came(course):
    completed([make_person() for _ in range(5)], course, TODAY)
    ask_everybody(TODAY)
    answer_all(EvaluationRound.objects.get())
    assert {pk.version for pk in EvaluationEnvelope.objects.values_list("pk", flat=True)} == {4}


def test_a_fresh_round_is_not_told_apart_by_subtracting(course):
    """Together minus one round is the other round: at least ten people as well."""
    first = closed_round(course, n=10)
    second = round_for("counter", REACTION, first.closes_on)
    people = [make_person() for _ in range(9)]
    completed(people, course, first.closes_on)
    ask_everybody(first.closes_on)
    answer_all(second, 1)
    close_round(round_id=second.pk, day=second.closes_on)
    answers = answers_of(EvaluationRound.objects.all(), REACTION)
    assert answers.together.n == 10  # nine more change nothing
    assert answers.rounds[0].figure is None
    assert answers.rounds[0].answers == 0


def test_ask_of_prefers_what_is_still_to_be_answered(course):
    person = make_person()
    take_course(person, course)
    ask = ask_of(person, "counter", REACTION, timezone.localdate())
    assert ask is not None
    assert not ask.done
    assert evaluation_closing.PLACE == evaluating.PLACE


# What somebody sends, so odd that it is found wherever it is left.
MARK = "4711"
BREAKS = {
    "encrypting": "learning.evaluating.seal_ballot",
    "casting": "learning.evaluation_views.evaluating.cast",
    "reading": "learning.evaluation_views.read_answers",
    "before the view": "django.contrib.sessions.backends.base.SessionBase.get",
}


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("place", BREAKS)
def test_no_report_of_an_error_carries_an_answer(client, course, settings, monkeypatch, place, debug):
    person = make_person()
    take_course(person, course)
    client.force_login(person)
    reports: list[str] = []

    def note(request, **_kwargs) -> None:
        reporter = ExceptionReporter(request, *sys.exc_info())
        reports.append(reporter.get_traceback_html() + reporter.get_traceback_text())

    def breaks(*_args, **_kwargs):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(BREAKS[place], breaks)
    settings.DEBUG = debug
    got_request_exception.connect(note)
    try:
        client.raise_request_exception = False
        response = client.post(feedback(), {"a_trn1": "4", "a_rea2": "5", "language": MARK})
    finally:
        got_request_exception.disconnect(note)
    assert response.status_code == 500
    [report] = reports
    assert "the disk is full" in report
    assert MARK not in report
    assert not re.search(r"(a_trn1|trn1|a_rea2|rea2)[^*<>]{0,40}?\b[45]\b", report)


def test_what_is_logged_is_the_same_whatever_she_answers(client, course, caplog):
    caplog.set_level(logging.INFO)
    said = []
    for value in ("1", "5"):
        person = make_person()
        take_course(person, course)
        client.force_login(person)
        caplog.clear()
        client.post(feedback(), {"a_trn1": value, "a_rea2": value})
        said.append([record.getMessage() for record in caplog.records])
    assert said[0] == said[1]


def test_statements_about_an_envelope_are_never_logged(client, course, caplog):
    person = make_person()
    take_course(person, course)
    client.force_login(person)
    caplog.set_level(logging.DEBUG, logger="django.db.backends")
    connection.force_debug_cursor = True
    try:
        client.post(feedback(), {"a_trn1": "4", "a_rea2": "4"})
    finally:
        connection.force_debug_cursor = False
    envelope = EvaluationEnvelope.objects.get()
    said = [str(vars(record)).replace("-", "") for record in caplog.records if record.name == "django.db.backends"]
    assert any(EvaluationAsk._meta.db_table in line for line in said)
    assert not any(envelope.pk.hex in line or EvaluationEnvelope._meta.db_table in line for line in said)
