"""Requirements that come round: stored from what happened, planned for, shown - and never reset."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from dateutil.relativedelta import relativedelta
from django.utils import timezone
from django.utils.formats import date_format
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from competencies.services import assign_role
from courses.models import CoursePage, Enrolment
from learning import selectors, tasks
from learning.enums import AssignmentKind, CuratedStatus, PlanReason
from learning.models import (
    Assignment,
    CuratedItem,
    CuratedPath,
    CuratedStage,
    CuratedVersion,
    LearningPeriod,
    PathPlan,
)
from learning.periods import Recurrence, periods_of
from learning.recurring import PERIODS_JOB, due_again, repeating, rounds_of, settle_periods
from learning.services import replan
from organisations.models import Job, User
from tests.builders import (
    LONG_AGO,
    competency,
    give_evidence,
    make_course,
    make_framework,
    make_person,
    make_post,
    make_profile,
    make_unit,
    take_course,
)

pytestmark = pytest.mark.django_db
YEARLY = {"every_months": 12, "opens_days_before": 60, "grace_days": 30, "anchor": "due"}


def today() -> date:
    return timezone.localdate()


def in_days(n: int) -> date:
    return today() + timedelta(days=n)


def noon(day: date) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day, 12))


def comes_round(person: User, key: str = "yearly", *, due_on: date | None, repeat=YEARLY, **fields) -> Assignment:
    return Assignment.objects.create(
        person=person, kind=AssignmentKind.COURSE, course_key=key, due_on=due_on, repeat=repeat, **fields
    )


def completed(person: User, course: CoursePage, day: date) -> Enrolment:
    """Completed on a day, past the services: only the day counts here."""
    number = Enrolment.objects.filter(person=person, course=course).count() + 1
    return Enrolment.objects.create(
        person=person, course=course, number=number, enrolled_at=noon(day), completed_at=noon(day)
    )


def rows(assignment: Assignment) -> list[tuple]:
    fields = ("number", "opens_on", "due_on", "grace_until", "completed_on")
    return list(LearningPeriod.objects.filter(assignment=assignment).order_by("number").values_list(*fields))


def keys(person: User) -> list[str]:
    plan = selectors.current_plans([person.pk]).get(person.pk)
    return [step.course.key for step in plan.steps.all()] if plan else []


def last_reason(person: User) -> str:
    return PathPlan.objects.filter(person=person).latest().reason


@pytest.fixture
def version():
    return make_framework()


@pytest.fixture
def yearly(version):
    return make_course(version, {"A": 2}, key="yearly")


@pytest.fixture
def ana():
    return make_person("Ana Costa")


# Storing


def test_an_assignment_that_comes_round_has_its_periods_at_once(ana, yearly):
    assignment = comes_round(ana, due_on=in_days(10))
    next_due = in_days(10) + relativedelta(months=12)
    assert rows(assignment) == [
        (1, in_days(-50), in_days(10), in_days(40), None),
        (2, next_due - timedelta(days=60), next_due, next_due + timedelta(days=30), None),
    ]
    assert keys(ana) == ["yearly"]


def test_what_does_not_come_round_has_no_periods(ana, yearly):
    assignment = comes_round(ana, due_on=in_days(10), repeat={})
    settle_periods(assignment_ids=[assignment.pk], day=today())
    assert rows(assignment) == []
    assert not Job.objects.filter(kind=PERIODS_JOB).exists()


def test_completing_the_course_keeps_the_period_and_the_course_leaves_the_path(ana, yearly):
    assignment = comes_round(ana, due_on=in_days(10))
    take_course(ana, yearly)
    assert rows(assignment)[0][4] == today()
    assert keys(ana) == []


def test_the_course_comes_back_when_the_next_window_opens_and_its_attempts_stay(ana, yearly):
    first = completed(ana, yearly, in_days(-350))
    assignment = comes_round(ana, due_on=in_days(-340), assigned_on=in_days(-400))
    assert rows(assignment)[0][4] == in_days(-350)
    assert keys(ana) == ["yearly"]  # the second period is open
    second = take_course(ana, yearly)
    assert (second.number, rows(assignment)[1][4], keys(ana)) == (2, today(), [])
    first.refresh_from_db()
    assert timezone.localdate(first.completed_at) == in_days(-350)


def test_a_window_that_opens_by_the_calendar_opens_at_night(ana, version, yearly, monkeypatch):
    make_course(version, {"B": 2}, key="other")
    comes_round(ana, "other", due_on=None, repeat={})
    replan(person=ana, reason=PlanReason.ASSIGNMENT)
    completed(ana, yearly, in_days(-350))
    assignment = comes_round(ana, due_on=in_days(-300), assigned_on=in_days(-400))
    opens_on = rows(assignment)[1][1]
    assert opens_on > today() and keys(ana) == ["other"]
    passing = opens_on - today()
    monkeypatch.setattr(timezone, "now", lambda: datetime.now(UTC) + passing)
    tasks.settle_periods()
    assert (sorted(keys(ana)), last_reason(ana)) == (["other", "yearly"], "period")


def test_the_nightly_run_heals_an_event_that_was_lost(ana, yearly):
    assignment = comes_round(ana, due_on=in_days(10))
    completed(ana, yearly, today())  # nobody was told
    assert rows(assignment)[0][4] is None
    [person] = settle_periods(assignment_ids=repeating(), day=today())
    assert (person, rows(assignment)[0][4]) == (ana.pk, today())
    assert settle_periods(assignment_ids=repeating(), day=today()) == []


def test_before_the_first_window_opens_the_course_waits_for_it_would_count_for_nothing(ana, yearly):
    assignment = comes_round(ana, due_on=in_days(100))
    assert keys(ana) == []
    assert [row[1] for row in rows(assignment)] == [in_days(40)]


def test_a_course_completed_in_another_language_keeps_the_period(ana, version, yearly):
    spanish = make_course(version, {"A": 2}, key="yearly", language="es")
    assignment = comes_round(ana, due_on=in_days(10))
    take_course(ana, spanish)
    assert rows(assignment)[0][4] == today()


def test_an_extension_moves_the_period_that_is_open(ana, yearly):
    assignment = comes_round(ana, due_on=in_days(10))
    assignment.due_on = in_days(25)
    assignment.save()
    assert rows(assignment)[0][:4] == (1, in_days(-50), in_days(25), in_days(55))
    assert selectors.path_of(ana).steps[0].step.due_on == in_days(25)


def test_a_completion_that_is_corrected_is_corrected_here_too(ana, yearly):
    enrolment = completed(ana, yearly, today())
    assignment = comes_round(ana, due_on=in_days(10))
    assert rows(assignment)[0][4] == today()
    Enrolment.objects.filter(pk=enrolment.pk).delete()
    settle_periods(assignment_ids=[assignment.pk], day=today())
    assert rows(assignment)[0][4] is None


def test_who_is_exempt_and_what_has_ended_keep_the_rows_they_have(ana, yearly):
    assignment = comes_round(ana, due_on=in_days(10))
    before = rows(assignment)
    assignment.exempted_at, assignment.due_on = timezone.now(), in_days(20)
    assignment.save()
    completed(ana, yearly, today())
    settle_periods(assignment_ids=[assignment.pk], day=today())
    assert rows(assignment) == before


def test_a_repetition_that_cannot_be_read_stops_nobody_else(ana, yearly, caplog):
    broken = comes_round(make_person(), due_on=in_days(10), repeat={"every_months": 0, "opens_days_before": 1})
    assignment = comes_round(ana, due_on=in_days(10))
    settle_periods(assignment_ids=[broken.pk, assignment.pk], day=today())
    assert (rows(broken), len(rows(assignment))) == ([], 2)
    assert f"assignment {broken.pk} repeats in a way that cannot be read" in caplog.text


# Curated paths and roles


def make_path(*stages: tuple[int | None, tuple[str, ...]], published_on: date) -> CuratedPath:
    path = CuratedPath.objects.create(
        key=f"path-{CuratedPath.objects.count()}", unit=make_unit(), created_by=make_person()
    )
    publish(path, *stages, on=published_on)
    return path


def publish(path: CuratedPath, *stages: tuple[int | None, tuple[str, ...]], on: date) -> CuratedVersion:
    path.versions.filter(status=CuratedStatus.PUBLISHED).update(status=CuratedStatus.SUPERSEDED)
    new = CuratedVersion.objects.create(
        path=path, number=path.versions.count() + 1, title={"en": "Data protection"}, status=CuratedStatus.PUBLISHED,
        published_at=noon(on),
    )  # fmt: skip
    for position, (choose, courses) in enumerate(stages, start=1):
        stage = CuratedStage.objects.create(version=new, position=position, title={"en": "Stage"}, choose=choose)
        for place, key in enumerate(courses, start=1):
            CuratedItem.objects.create(stage=stage, position=place, course_key=key)
    return new


def follows(person: User, path: CuratedPath, due_on: date, **fields) -> Assignment:
    return Assignment.objects.create(
        person=person, kind=AssignmentKind.PATH, curated_path=path, due_on=due_on, repeat=YEARLY, **fields
    )


def test_a_path_is_kept_on_the_day_its_last_required_course_was_completed_in_the_window(ana, version):
    law, risk = make_course(version, {"A": 2}, key="law"), make_course(version, {"B": 2}, key="risk")
    make_course(version, {"C": 2}, key="extra")
    path = make_path((None, ("law", "risk")), (1, ("extra",)), published_on=in_days(-500))
    completed(ana, law, in_days(-100))
    completed(ana, risk, in_days(-30))
    assignment = follows(ana, path, in_days(10))
    assert rows(assignment)[0][4] is None
    assert "law" in keys(ana) and "risk" not in keys(ana)  # risk was taken since the window opened
    take_course(ana, law)
    assert rows(assignment)[0][4] == today()
    assert "law" not in keys(ana)


def test_a_new_version_of_a_path_leaves_earlier_periods_as_they_were(ana, version):
    law = make_course(version, {"A": 2}, key="law")
    make_course(version, {"B": 2}, key="risk")
    path = make_path((None, ("law",)), published_on=in_days(-500))
    completed(ana, law, in_days(-350))
    assignment = follows(ana, path, in_days(-340), assigned_on=in_days(-400))
    before = rows(assignment)
    publish(path, (None, ("law", "risk")), on=in_days(-1))
    settle_periods(assignment_ids=[assignment.pk], day=today())
    assert rows(assignment) == before
    completed(ana, law, today())
    settle_periods(assignment_ids=[assignment.pk], day=today())
    assert rows(assignment)[1][4] is None  # now it takes both


@pytest.mark.parametrize(
    ("first_due", "dates"),
    [
        (400, [400]),  # the first turn has not opened: its date is known all the same
        (30, [30]),
        (-350, [15]),  # the first turn is over and was missed; the second is open
    ],
)
def test_a_gap_of_a_role_that_comes_round_is_due_by_the_turn_that_is_open(ana, version, first_due, dates):
    profile = make_profile(version, {"A": 3})
    make_course(version, {"A": 3}, key="way")
    role = assign_role(person=ana, profile=profile, by=None, starts_on=LONG_AGO)[0]
    Assignment.objects.update_or_create(
        role_assignment=role,
        defaults={"person": ana, "kind": AssignmentKind.ROLE, "due_on": in_days(first_due), "repeat": YEARLY},
    )
    settle_periods(assignment_ids=repeating([ana.pk]), day=today())
    replan(person=ana, reason=PlanReason.SWEEP)
    (step,) = selectors.current_plans([ana.pk])[ana.pk].steps.all()
    assert abs((step.due_on - in_days(dates[0])).days) <= 1  # a year may have a leap day


def test_a_role_is_kept_on_the_day_it_is_seen_to_be_met(ana, version):
    from competencies.services import assign_role

    profile = make_profile(version, {"A": 2})
    held, _new = assign_role(person=ana, profile=profile, by=None, starts_on=in_days(-5))
    assignment = Assignment.objects.create(role_assignment=held, due_on=in_days(10), repeat=YEARLY)
    assert rows(assignment)[0][4] is None
    give_evidence(ana, competency(version, "A"), 2)
    assert rows(assignment)[0][4] == today()
    settle_periods(assignment_ids=[assignment.pk], day=in_days(3))
    assert rows(assignment)[0][4] == today()


# Properties


class FiveYears(TestCase):
    @settings(max_examples=12, deadline=None)
    @given(
        months=st.integers(2, 18), opens=st.integers(0, 40), grace=st.integers(0, 10),
        anchor=st.sampled_from(["due", "completion"]), days=st.lists(st.integers(-60, 1900), max_size=8),
        looked_at=st.lists(st.integers(0, 1900), min_size=1, max_size=20),
    )  # fmt: skip
    def test_five_years_stored_as_they_happened_are_those_replayed_at_the_end(
        self, months, opens, grace, anchor, days, looked_at
    ):
        course = make_course(None, key="law", check=False)
        repeat = {"every_months": months, "opens_days_before": opens, "grace_days": grace, "anchor": anchor}
        start = date(2020, 1, 1)
        first_due = start + timedelta(days=opens + 20)
        step_by_step, at_the_end = make_person(), make_person()
        pair = [
            comes_round(person, "law", due_on=first_due, repeat=repeat, assigned_on=start)
            for person in (step_by_step, at_the_end)
        ]
        LearningPeriod.objects.all().delete()
        for n in days:
            for person in (step_by_step, at_the_end):
                completed(person, course, start + timedelta(days=n))
        for n in sorted({*looked_at, 1900}):
            settle_periods(assignment_ids=[pair[0].pk], day=start + timedelta(days=n))
        end = start + timedelta(days=1900)
        settle_periods(assignment_ids=[pair[1].pk], day=end)
        assert rows(pair[0]) == rows(pair[1])
        replayed = periods_of(
            Recurrence(**repeat),
            first_due_on=first_due,
            completions=[start + timedelta(days=n) for n in days],
            as_of=end,
        )
        assert rows(pair[0]) == [(p.number, p.opens_on, p.due_on, p.grace_until, p.completed_on) for p in replayed]


def test_a_batch_of_many_asks_as_many_queries_as_one(version, yearly, count_queries):
    path = make_path((None, ("yearly",)), published_on=in_days(-500))
    one = comes_round(make_person(), due_on=in_days(10))
    also = follows(one.person, path, in_days(10))
    ids = [one.pk, also.pk]
    few = count_queries(lambda: settle_periods(assignment_ids=ids, day=in_days(1)))
    for _n in range(6):
        person = make_person()
        ids += [comes_round(person, due_on=in_days(10)).pk, follows(person, path, in_days(10)).pk]
        completed(person, yearly, today())
    assert count_queries(lambda: settle_periods(assignment_ids=ids, day=in_days(1))) <= few + 1  # rows to write


# Reading


def test_what_comes_round_is_listed_what_is_due_first_first(ana, version, yearly):
    make_course(version, {"B": 2}, key="kept")
    kept = completed(ana, CoursePage.objects.get(key="kept"), today())
    comes_round(ana, "kept", due_on=in_days(5))
    comes_round(ana, due_on=in_days(10))
    comes_round(make_person(), due_on=in_days(1))
    found = rounds_of(ana, today())
    assert [(row.title, row.current.status) for row in found] == [("Yearly", "open"), ("Kept", "done")]
    assert found[1].current.period.completed_on == timezone.localdate(kept.completed_at)


def test_the_page_of_what_comes_round_asks_as_many_queries_for_many(ana, version, yearly, count_queries):
    comes_round(ana, due_on=in_days(10))
    rounds_of(ana, today())  # warms the cache of site roots
    few = count_queries(lambda: rounds_of(ana, today()))
    for n in range(4):
        make_course(version, {"B": 2}, key=f"more-{n}")
        comes_round(ana, f"more-{n}", due_on=in_days(n))
    assert count_queries(lambda: rounds_of(ana, today())) == few


# The pages


def test_a_passed_course_is_offered_again_while_its_period_is_open(client, ana, yearly):
    completed(ana, yearly, in_days(-350))
    assignment = comes_round(ana, due_on=in_days(-340), assigned_on=in_days(-400))
    due_on = rows(assignment)[1][2]
    client.force_login(ana)
    page = client.get(yearly.url).content.decode()
    assert f"Take it again: your certification is due by {date_format(due_on, 'DATE_FORMAT')}" in page
    assert f'action="/learn/enrol/{yearly.pk}/"' in page
    assert client.post(f"/learn/enrol/{yearly.pk}/").status_code == 302
    assert Enrolment.objects.get(person=ana, course=yearly, number=2).completed_at is None
    assert "Take it again" not in client.get(yearly.url).content.decode()  # begun: it is gone on with
    take_course(ana, yearly)
    page = client.get(yearly.url).content.decode()
    assert "You have passed this course" in page and "Take it again" not in page


def test_a_course_that_does_not_come_round_is_not_offered_again(client, ana, yearly):
    take_course(ana, yearly)
    comes_round(make_person(), due_on=in_days(10))
    client.force_login(ana)
    assert "You have passed this course" in client.get(yearly.url).content.decode()


def test_a_course_of_a_path_is_offered_again_until_it_is_completed_in_the_window(ana, version):
    law = make_course(version, {"A": 2}, key="law")
    make_course(version, {"B": 2}, key="risk")
    make_course(version, {"C": 2}, key="extra")
    path = make_path((None, ("law", "risk")), (1, ("extra",)), published_on=in_days(-500))
    follows(ana, path, in_days(10))
    assert [due_again(ana, key, today()) for key in ("law", "risk", "extra", "other")] == [
        in_days(10), in_days(10), None, None,
    ]  # fmt: skip
    completed(ana, law, today())
    assert [due_again(ana, key, today()) for key in ("law", "risk")] == [None, in_days(10)]


def test_the_page_shows_each_requirement_with_its_periods(client, ana, yearly):
    completed(ana, yearly, in_days(-350))
    comes_round(ana, due_on=in_days(-340), assigned_on=in_days(-400), note="You work with personal data.")
    client.force_login(ana)
    page = client.get("/learn/requirements/").content.decode()
    assert "Every year; it counts from 60 days before." in page
    assert "You work with personal data." in page
    assert page.index("Opens later") < page.index("To be done") < page.index("Kept</")
    client.force_login(make_person())
    assert "Nothing comes round for you" in client.get("/learn/requirements/").content.decode()


def test_her_manager_sees_the_same_and_a_stranger_nothing(client, ana, yearly):
    unit, boss = make_unit(), make_person()
    post = make_post(unit, holder=boss)
    make_post(unit, holder=ana, reports_to=post)
    comes_round(ana, due_on=in_days(10))
    client.force_login(boss)
    assert "Periods of “Yearly”" in client.get(f"/team/{ana.pk}/").content.decode()
    client.force_login(make_person())
    assert client.get(f"/team/{ana.pk}/").status_code == 404
