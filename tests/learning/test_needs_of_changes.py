"""The link from a change to learning: what it needs is due by its day, more urgent where a unit feels unable, and said so."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from competencies.services import assign_role
from learning import jobs
from learning.calendar_feed import feed_of
from learning.enums import PlanReason
from learning.jobs import REPLAN_CHANGE_JOB
from learning.models import PathPlan, PathStep
from learning.selectors import current_plans, path_of
from learning.services import replan, replan_many
from learning.wording import what_removes, why_next
from organisations.jobs import run_job
from organisations.models import Job
from organisations.tasks import run_job_task
from readiness.enums import InitiativeStatus
from readiness.models import Need
from readiness.needs import needed_of
from tests.builders import (
    LONG_AGO,
    appoint,
    competency,
    give_evidence,
    make_course,
    make_framework,
    make_person,
    make_post,
    make_profile,
    make_unit,
)
from tests.readiness.surveys import make_closed, make_initiative, make_instrument, staff


@pytest.fixture
def version(db):
    return make_framework(codes="AB")


@pytest.fixture
def house(version):
    """A unit with a person whose role needs A and B, a course for each, and a change of that unit."""
    unit = make_unit("Counter")
    person = make_person("Ana")
    make_post(unit, holder=person)
    assign_role(person=person, profile=make_profile(version, {"A": 2, "B": 2}), by=None, starts_on=LONG_AGO)
    make_course(version, {"A": 2}, key="first", title="First")
    make_course(version, {"B": 2}, key="second", title="Second")
    return unit, person, make_initiative(unit)


def need(initiative, version, code: str = "B", days: int = 30, **fields) -> Need:
    values = {"competency": competency(version, code), "by": timezone.localdate() + timedelta(days=days)} | fields
    return Need.objects.create(initiative=initiative, **values)


def keys(person) -> list[str]:
    return [step.course.key for step in current_plans([person.pk])[person.pk].steps.all()]


# --- What is needed of whom ------------------------------------------------------------------------------------------
def test_what_a_change_needs_concerns_its_unit_and_those_below(house, version):
    unit, person, change = house
    below, elsewhere = make_person(), make_person()
    make_post(make_unit("Below", parent=unit), holder=below)
    make_post(make_unit("Elsewhere"), holder=elsewhere)
    made = need(change, version)
    found = needed_of([person.pk, below.pk, elsewhere.pk], timezone.localdate())
    assert set(found) == {person.pk, below.pk}
    what = found[person.pk][made.competency_id]
    assert (what.initiative_id, what.by, what.factor) == (change.pk, made.by, Decimal("1.5"))


@pytest.mark.parametrize(("days", "factor"), [(90, Decimal("1.5")), (91, Decimal(1))])
def test_it_is_more_urgent_from_ninety_days_before(house, version, days, factor):
    _unit, person, change = house
    made = need(change, version, days=days)
    assert needed_of([person.pk], timezone.localdate())[person.pk][made.competency_id].factor == factor


@pytest.mark.parametrize("how", ["draft", "ended", "past"])
def test_what_is_not_under_way_needs_nothing(house, version, how):
    _unit, person, change = house
    need(change, version, days=-1 if how == "past" else 30)
    if how != "past":
        change.status = InitiativeStatus(how)
        change.save()
    assert needed_of([person.pk], timezone.localdate()) == {}


def test_a_role_that_is_needed_needs_what_it_asks_for(house, version):
    _unit, person, change = house
    profile = make_profile(version, {"A": 3})
    need(change, version, competency=None, profile=profile)
    assert set(needed_of([person.pk], timezone.localdate())[person.pk]) == {competency(version, "A").pk}


def test_of_who_holds_what_a_change_needs_it_needs_nothing_more(house, version):
    """The change asks for level 1, her role for level 2: the gap is her role's, and no more urgent for the change."""
    _unit, person, change = house
    made = need(change, version, level=version.levels.get(rank=1))
    day, pk = timezone.localdate(), made.competency_id
    assert pk in needed_of([person.pk], day, {person.pk: {}})[person.pk]
    assert needed_of([person.pk], day, {person.pk: {pk: 1}}) == {}
    give_evidence(person, competency(version, "B"), 1)
    replan(person=person, reason=PlanReason.CHANGE)
    steps = {step.course.key: step for step in path_of(person).steps}
    assert steps["second"].closes and steps["second"].needed_for == ()
    # A later need of a higher level is one for her.
    need(change, version, days=60, level=version.levels.get(rank=2))
    replan(person=person, reason=PlanReason.CHANGE)
    [step] = [step for step in path_of(person).steps if step.course.key == "second"]
    assert [row.by for row in step.needed_for] == [day + timedelta(days=60)]


def test_a_need_without_a_level_is_met_by_any(house, version):
    _unit, person, change = house
    made = need(change, version)
    held = {person.pk: {made.competency_id: 1}}
    assert needed_of([person.pk], timezone.localdate(), held) == {}


@pytest.mark.parametrize(("value", "factor"), [(2, Decimal("1.875")), (4, Decimal("1.5"))])
def test_a_unit_that_feels_unable_weighs_more(house, version, value, factor):
    unit, person, change = house
    staff(unit, 24)
    make_closed(change, make_instrument({"efficacy": 2, "commitment": 2}), value=lambda person, item: value)
    made = need(change, version)
    assert needed_of([person.pk], timezone.localdate())[person.pk][made.competency_id].factor == factor


def test_queries_do_not_grow_with_people(house, version, count_queries):
    unit, person, change = house
    need(change, version)
    one = count_queries(lambda: needed_of([person.pk], timezone.localdate()))
    people = [member.pk for member in staff(unit, 20)]
    assert count_queries(lambda: needed_of(people, timezone.localdate())) == one <= 8


# --- What becomes of a path ------------------------------------------------------------------------------------------
def test_a_need_puts_its_course_first_and_the_step_says_why(client, house, version):
    _unit, person, change = house
    replan(person=person, reason=PlanReason.ROLE)
    assert keys(person) == ["first", "second"]
    made = need(change, version)
    assert keys(person) == ["second", "first"]
    view = path_of(person)
    (why,) = view.steps[0].needed_for
    assert (why.initiative, why.competency.pk, why.by) == (change, made.competency_id, made.by)
    assert view.steps[1].needed_for == ()
    assert "The change “One counter” needs “Competency B”." in why_next(view.steps[0], None)
    client.force_login(person)
    page = client.get(reverse("path")).text
    day = date_format(made.by, "DATE_FORMAT")
    link = f'<a href="{reverse("initiative", args=[change.slug])}">“One counter”</a>'
    assert f"The change {link} needs “{made.competency}” by {day}." in page


def test_the_link_of_the_step_opens_for_who_works_there_with_another_of_her_posts(client, house, version):
    """Her first post is elsewhere; the change concerns the unit of her second."""
    unit, _person, change = house
    bea = make_person("Bea")
    appoint(bea, make_post(make_unit("Elsewhere")), starts_on=LONG_AGO)
    appoint(bea, make_post(unit), starts_on=LONG_AGO + timedelta(days=400))
    assign_role(person=bea, profile=make_profile(version, {"B": 2}), by=None, starts_on=LONG_AGO)
    need(change, version)
    replan(person=bea, reason=PlanReason.ROLE)
    assert [why.initiative for why in path_of(bea).steps[0].needed_for] == [change]
    client.force_login(bea)
    assert client.get(reverse("initiative", args=[change.slug])).status_code == 200


def test_a_step_names_no_change_of_a_unit_she_has_left(client, house, version):
    """Until she is planned anew, which comes in the background, the stored step still knows of it."""
    _unit, person, change = house
    need(change, version)
    replan(person=person, reason=PlanReason.ROLE)
    person.appointments.update(ends_on=timezone.localdate())
    assert current_plans([person.pk])[person.pk].steps.all()[0].needed_for != []
    assert all(step.needed_for == () for step in path_of(person).steps)
    client.force_login(person)
    assert str(change.title) not in client.get(reverse("path")).text


def test_changes_named_by_steps_take_one_query(house, version, count_queries):
    unit, person, change = house
    replan(person=person, reason=PlanReason.ROLE)
    without = count_queries(lambda: path_of(person))
    need(change, version)
    need(make_initiative(unit), version, "A")
    assert [len(step.needed_for) for step in path_of(person).steps] == [1, 1]
    assert count_queries(lambda: path_of(person)) == without + 1


def test_a_plan_stored_before_steps_knew_of_changes_still_loads(client, house, version):
    _unit, person, change = house
    need(change, version)
    replan(person=person, reason=PlanReason.ROLE)
    PathStep.objects.update(needed_for=[])
    client.force_login(person)
    assert client.get(reverse("path")).status_code == 200
    # The next plan says it, once.
    assert replan_many(person_ids=[person.pk], reason=PlanReason.SWEEP) == 1
    assert replan_many(person_ids=[person.pk], reason=PlanReason.SWEEP) == 0
    assert path_of(person).steps[0].needed_for != ()


def test_what_removes_the_step_stays_true(house, version):
    """The change makes a gap of her role more urgent; the gap is still that of the role."""
    _unit, person, change = house
    replan(person=person, reason=PlanReason.ROLE)
    before = {step.course.key: what_removes(step) for step in path_of(person).steps}
    made = need(change, version)
    assert {step.course.key: what_removes(step) for step in path_of(person).steps} == before
    made.delete()
    assert set(keys(person)) == {"first", "second"}


def test_the_plan_is_made_at_once_and_says_what_brought_it_about(house, version):
    _unit, person, change = house
    replan(person=person, reason=PlanReason.ROLE)
    need(change, version)
    plan = current_plans([person.pk])[person.pk]
    assert plan.reason == PlanReason.CHANGE
    assert {row["why"] for row in plan.changes} == {"due"}
    assert Job.objects.filter(kind=REPLAN_CHANGE_JOB, state="done").count() == 1


def test_saved_as_it_was_is_no_news(house, version):
    _unit, person, change = house
    replan(person=person, reason=PlanReason.ROLE)
    made = need(change, version)
    before = (PathPlan.objects.count(), Job.objects.count())
    made.save()
    change.save()
    assert (PathPlan.objects.count(), Job.objects.count()) == before
    made.by += timedelta(days=7)
    made.save()
    assert Job.objects.count() == before[1] + 1
    assert path_of(person).steps[0].needed_for[0].by == made.by


def test_the_same_inputs_write_no_other_plan(house, version):
    _unit, person, change = house
    need(change, version)
    replan(person=person, reason=PlanReason.ROLE)
    for reason in (PlanReason.CHANGE, PlanReason.SWEEP, PlanReason.EVIDENCE):
        assert replan_many(person_ids=[person.pk], reason=reason) == 0


@pytest.mark.parametrize("end", ["ended", "deleted"])
def test_a_change_that_is_over_leaves_the_path(house, version, end):
    _unit, person, change = house
    made = need(change, version)
    replan(person=person, reason=PlanReason.ROLE)
    if end == "ended":
        change.status = InitiativeStatus.ENDED
        change.save()
    else:
        made.delete()
    assert all(step.needed_for == [] for step in current_plans([person.pk])[person.pk].steps.all())
    assert keys(person) == ["first", "second"]


def test_a_change_that_needs_nothing_asks_for_no_plan(house):
    _unit, _person, change = house
    change.save()
    assert not Job.objects.filter(kind=REPLAN_CHANGE_JOB).exists()


def test_a_closed_survey_asks_for_new_plans_of_groups_only(house, version):
    unit, person, change = house
    people = staff(unit, 24)
    need(change, version)
    assert Job.objects.filter(kind=REPLAN_CHANGE_JOB).count() == 1
    wave = make_closed(change, make_instrument({"efficacy": 2, "commitment": 2}), value=lambda who, item: 1)
    job = Job.objects.filter(kind=REPLAN_CHANGE_JOB).latest("pk")
    assert job.payload == {"initiative": change.pk, "digest": ""}
    assert job.report["people"] == len(people) + 1
    assert wave.state == "closed"
    factors = {
        needed_of([one.pk], date.today())[one.pk][competency(version, "B").pk].factor for one in (person, people[0])
    }
    assert factors == {Decimal("1.875")}


def test_saving_needs_asks_for_one_job_and_plans_nobody_itself(house, version, monkeypatch, count_queries):
    """Whether it concerns one or a hundred thousand; the job plans those of the units of the change, and nobody else."""
    unit, person, change = house
    elsewhere, below = make_person(), make_person()
    make_post(make_unit("Elsewhere"), holder=elsewhere)
    make_post(make_unit("Below", parent=unit), holder=below)
    replan(person=person, reason=PlanReason.ROLE)
    handed: list[int] = []
    monkeypatch.setattr(run_job_task, "delay", handed.append)
    before = PathPlan.objects.count()
    alone = count_queries(lambda: need(change, version))
    staff(unit, 30)
    assert count_queries(lambda: need(change, version, "A")) <= alone
    assert PathPlan.objects.count() == before
    asked: list[list[int]] = []
    monkeypatch.setattr(jobs, "replan_many", lambda *, person_ids, **more: asked.append(list(person_ids)) or 0)
    assert [run_job(pk).state for pk in handed] == ["done", "done"]
    for people in asked:
        assert len(people) == 32
        assert {person.pk, below.pk} <= set(people)
        assert elsewhere.pk not in people


def test_a_whole_unit_is_planned_in_batches_of_bounded_queries(house, version, count_queries):
    unit, _person, change = house
    profile = make_profile(version, {"B": 2})
    few, many = staff(unit, 3), staff(unit, 30)
    for one in (*few, *many):
        assign_role(person=one, profile=profile, by=None, starts_on=LONG_AGO)
    need(change, version)

    def plan(people) -> int:
        PathPlan.objects.filter(person__in=people).update(planned_from=[])
        return count_queries(lambda: replan_many(person_ids=[one.pk for one in people], reason=PlanReason.CHANGE))

    assert plan(few) == plan(many)


def test_the_diff_of_a_plan_says_nothing_of_answers(client, house, version):
    """What is stored and shown holds ids, dates and reasons: no figure of a unit, no answer of anybody."""
    unit, person, change = house
    staff(unit, 24)
    replan(person=person, reason=PlanReason.ROLE)
    need(change, version, days=120)
    make_closed(change, make_instrument({"efficacy": 2, "commitment": 2}), value=lambda who, item: 1)
    plans = list(PathPlan.objects.filter(person=person, reason=PlanReason.CHANGE))
    assert plans
    for plan in plans:
        assert {key for row in plan.changes for key in row} <= {"kind", "key", "why", "competency_ids", "on"}
        for step in plan.steps.all():
            assert {key for row in step.needed_for for key in row} <= {"competency_id", "initiative_id", "by"}
    client.force_login(person)
    seen = client.get(reverse("path")).text
    assert "A change needs something by a day, or a survey of it closed" in seen
    assert "of 100" not in seen


def test_without_needs_a_closed_survey_asks_for_nothing(house):
    unit, _person, change = house
    staff(unit, 24)
    make_closed(change)
    assert not Job.objects.filter(kind=REPLAN_CHANGE_JOB).exists()


def test_the_calendar_has_the_date_of_a_step_that_only_a_change_asks_for(house, version):
    _unit, person, change = house
    made = need(change, version)
    replan(person=person, reason=PlanReason.CHANGE)
    feed = feed_of(person, timezone.localdate()).decode()
    assert "SUMMARY:Due: Second" in feed and f"DTSTART;VALUE=DATE:{made.by:%Y%m%d}" in feed
    assert "Due: First" not in feed  # has no date
    assert feed_of(person, timezone.localdate()).decode() == feed
