from datetime import date, timedelta

import pytest
from django.utils import timezone

from competencies.enums import EvidenceKind
from competencies.models import RoleAssignment
from competencies.services import assign_role, end_role, withdraw_evidence
from courses.services import enrol
from learning.enums import PlanReason
from learning.models import Assignment, PathPlan
from learning.selectors import change_views, current_plans, path_of, recent_changes
from learning.services import assign_batch, replan, replan_many
from organisations.models import Job
from tests.builders import (
    appoint,
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


@pytest.fixture
def version():
    return make_framework(codes="ABC")


@pytest.fixture
def profile(version):
    return make_profile(version, {"A": 4, "B": 2})


@pytest.fixture
def ana():
    return make_person("Ana Pérez")


def keys(person) -> list[str]:
    plan = current_plans([person.pk]).get(person.pk)
    return [step.course.key for step in plan.steps.all()] if plan else []


def test_a_role_brings_its_path_without_anybody_asking(version, profile, ana):
    make_course(version, {"A": 4}, key="top", requires=[make_course(version, {"B": 2}, key="base")])
    assign_role(person=ana, profile=profile, by=None, starts_on=timezone.localdate())
    assert keys(ana) == ["base", "top"]


def test_a_post_brings_the_path_of_its_role_and_takes_it_along(version, profile, ana):
    make_course(version, {"A": 4}, key="top")
    post = make_post(make_unit(), roles=[profile])
    appointment = appoint(ana, post)
    assert keys(ana) == ["top"]
    appointment.ends_on = timezone.localdate()
    appointment.save()
    assert keys(ana) == []


def test_passing_a_course_moves_the_level_takes_the_step_off_and_says_so(version, profile, ana):
    base = make_course(version, {"B": 2}, key="base")
    make_course(version, {"A": 4}, key="top", requires=[base])
    assign_role(person=ana, profile=profile, by=None, starts_on=timezone.localdate())
    take_course(ana, base)
    path = path_of(ana)
    assert keys(ana) == ["top"]
    assert path.standing.met == 1
    [plan] = recent_changes(ana)
    assert [(c.kind, c.why, c.course_title) for c in change_views([plan])[plan.pk]] == [("removed", "passed", "Base")]
    assert plan.reason == PlanReason.EVIDENCE


def test_a_managers_word_takes_a_step_off_and_is_named_as_the_reason(version, ana):
    profile = make_profile(version, {"B": 2})
    make_course(version, {"B": 2}, key="base")
    boss = make_person()
    assign_role(person=ana, profile=profile, by=None, starts_on=timezone.localdate())
    give_evidence(ana, competency(version, "B"), 2, EvidenceKind.MANAGER, by=boss)
    [change] = change_views(recent_changes(ana)).popitem()[1]
    assert (change.why, change.evidence_kind, change.rank) == ("held", "manager", 2)
    assert keys(ana) == []


def test_withdrawn_evidence_brings_the_step_back(version, ana):
    profile = make_profile(version, {"B": 2})
    make_course(version, {"B": 2}, key="base")
    assign_role(person=ana, profile=profile, by=None, starts_on=timezone.localdate())
    piece = give_evidence(ana, competency(version, "B"), 2)
    assert keys(ana) == []
    withdraw_evidence(evidence=piece, by=None, reason="Wrong person.")
    assert keys(ana) == ["base"]


def test_the_end_of_a_role_ends_its_path_with_the_reason(version, profile, ana):
    make_course(version, {"A": 4}, key="top")
    assignment, _new = assign_role(
        person=ana, profile=profile, by=None, starts_on=timezone.localdate() - timedelta(days=9)
    )
    end_role(assignment=assignment, by=None, ends_on=timezone.localdate())
    assert keys(ana) == []
    [change] = change_views(recent_changes(ana)).popitem()[1]
    assert change.why == "not_required"


def test_equal_inputs_never_write_a_new_plan(version, profile, ana):
    make_course(version, {"A": 4}, key="top")
    assign_role(person=ana, profile=profile, by=None, starts_on=timezone.localdate())
    before = PathPlan.objects.count()
    assert replan_many(person_ids=[ana.pk], reason=PlanReason.SWEEP) == 0
    replan(person=ana, reason=PlanReason.SWEEP)
    assert PathPlan.objects.count() == before == 1


def test_somebody_without_roles_gets_no_plan(ana):
    assert replan(person=ana, reason=PlanReason.SWEEP) is None
    assert not PathPlan.objects.exists()


def test_a_course_begun_stays_on_the_path_when_a_shorter_one_appears(version, ana):
    profile = make_profile(version, {"A": 4})
    slow = make_course(version, {"A": 4}, key="slow", effort=300)
    assign_role(person=ana, profile=profile, by=None, starts_on=timezone.localdate())
    enrol(person=ana, course=slow)
    make_course(version, {"A": 4}, key="quick", effort=30)
    replan(person=ana, reason=PlanReason.OFFER)
    assert keys(ana) == ["slow"]


def test_a_prerequisite_whose_outcomes_are_held_is_not_asked_for(version, ana):
    profile = make_profile(version, {"A": 4})
    base = make_course(version, {"B": 2}, key="base")
    make_course(version, {"A": 4}, key="top", requires=[base])
    give_evidence(ana, competency(version, "B"), 3)
    assign_role(person=ana, profile=profile, by=None, starts_on=timezone.localdate())
    assert keys(ana) == ["top"]


def test_courses_are_planned_in_the_language_of_the_person(version, ana):
    profile = make_profile(version, {"A": 4})
    make_course(version, {"A": 4}, key="top")
    spanish = make_course(version, {"A": 4}, key="top", language="es")
    ana.language = "es"
    ana.save()
    assign_role(person=ana, profile=profile, by=None, starts_on=timezone.localdate())
    assert [s.course_id for s in current_plans([ana.pk])[ana.pk].steps.all()] == [spanish.pk]


def test_two_frameworks_are_planned_side_by_side(version, ana):
    other = make_framework(codes="Z", ranks=0)
    make_course(version, {"A": 4}, key="levels")
    make_course(other, {"Z": 1}, key="no-levels")
    for profile in (make_profile(version, {"A": 4}), make_profile(other, {"Z": None})):
        assign_role(person=ana, profile=profile, by=None, starts_on=timezone.localdate())
    assert sorted(keys(ana)) == ["levels", "no-levels"]


def test_a_competency_without_a_stated_level_is_closed_by_the_shortest_course(version, ana):
    profile = make_profile(version, {"A": None})
    make_course(version, {"A": 4}, key="long", effort=200)
    make_course(version, {"A": 1}, key="short", effort=20)
    assign_role(person=ana, profile=profile, by=None, starts_on=timezone.localdate())
    assert keys(ana) == ["short"]


def test_replanning_asks_as_many_queries_for_forty_people_as_for_four(version, profile, count_queries):
    make_course(version, {"A": 4}, key="top")

    def people(n: int) -> list[int]:
        ids = [make_person().pk for _ in range(n)]
        RoleAssignment.objects.bulk_create(
            RoleAssignment(person_id=pk, profile=profile, starts_on=date(2026, 1, 1)) for pk in ids
        )
        return ids

    few, many = people(4), people(40)
    first = count_queries(lambda: replan_many(person_ids=few, reason=PlanReason.SWEEP))
    assert count_queries(lambda: replan_many(person_ids=many, reason=PlanReason.SWEEP)) == first <= 20


def test_a_batch_assigned_twice_leaves_one_assignment_each(profile, ana):
    officer, at = make_person(), timezone.now()
    first = assign_batch(person_ids=[ana.pk], profile=profile, due_on=date(2030, 1, 1), by=officer, job=None, at=at)
    again = assign_batch(
        person_ids=[ana.pk], profile=profile, due_on=date(2031, 1, 1), by=officer, job=None, at=timezone.now()
    )
    assert (first, again) == ({ana.pk: "assigned"}, {ana.pk: "held"})
    assert Assignment.objects.get().due_on == date(2030, 1, 1)


def test_publishing_a_course_brings_everybodys_path_up_to_date(version, profile, ana):
    assign_role(person=ana, profile=profile, by=None, starts_on=timezone.localdate())
    assert keys(ana) == []
    course = make_course(version, {"A": 4}, key="new")
    course.save_revision().publish()
    assert keys(ana) == ["new"]
    course.unpublish()
    assert keys(ana) == []
    assert set(Job.objects.filter(kind="learning.replan_all").values_list("state", flat=True)) == {"done"}


def test_time_alone_reorders_no_path_overnight_and_the_next_event_does(version, ana):
    """What is likely ages: of two gaps that a self-assessment told apart, years later neither comes first."""
    make_course(version, {"A": 3}, key="first", effort=90)
    make_course(version, {"B": 3}, key="second", effort=30)
    now = timezone.now()
    give_evidence(ana, competency(version, "A"), 0, EvidenceKind.SELF, assessed=False)
    give_evidence(ana, competency(version, "B"), 4, EvidenceKind.SELF, assessed=False)
    assign_role(person=ana, profile=make_profile(version, {"A": 3, "B": 3}), by=None, starts_on=timezone.localdate())
    assert keys(ana) == ["first", "second"]
    later = now + timedelta(days=365 * 12)
    replan_many(person_ids=[ana.pk], reason=PlanReason.SWEEP, at=later)
    assert keys(ana) == ["first", "second"]
    replan_many(person_ids=[ana.pk], reason=PlanReason.EVIDENCE, at=later)
    assert keys(ana) == ["second", "first"]
