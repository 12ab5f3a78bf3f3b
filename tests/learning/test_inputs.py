"""What stands beside the gaps: assignments, curated paths, wishes, leave, runs - and what becomes of them on the path."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from competencies.models import RoleAssignment
from courses.enums import CourseFormat
from courses.models import CourseRun, SeatBooking
from learning import selectors, wording
from learning.enums import AssignmentKind, CuratedStatus, PlanReason, WishKind
from learning.inputs import Shelf, read_inputs
from learning.models import (
    Assignment,
    AssignmentRule,
    CuratedItem,
    CuratedPath,
    CuratedStage,
    CuratedVersion,
    LearnerSettings,
    LearningPeriod,
    PathPlan,
    StepWish,
)
from learning.planning import Pace
from learning.services import replan, replan_many
from organisations.models import Leave, User
from tests.builders import make_course, make_framework, make_person, make_profile, make_unit, take_course

pytestmark = pytest.mark.django_db


def today():
    return timezone.localdate()


def in_days(n: int):
    return today() + timedelta(days=n)


def keys(person: User) -> list[str]:
    plan = selectors.current_plans([person.pk]).get(person.pk)
    return [step.course.key for step in plan.steps.all()] if plan else []


def asked(person: User, key: str, **fields) -> Assignment:
    assignment = Assignment.objects.create(person=person, kind=AssignmentKind.COURSE, course_key=key, **fields)
    replan(person=person, reason=PlanReason.ASSIGNMENT)
    return assignment


def curated(
    *stages: tuple[int | None, tuple[str, ...]],
    officer: User,
    key: str = "welcome",
    title: str = "Welcome to government",
) -> CuratedPath:
    path = CuratedPath.objects.create(key=key, unit=make_unit(), created_by=officer)
    version = CuratedVersion.objects.create(path=path, number=1, title={"en": title}, status=CuratedStatus.PUBLISHED)
    for position, (choose, courses) in enumerate(stages, start=1):
        stage = CuratedStage.objects.create(
            version=version, position=position, title={"en": f"Stage {position}"}, choose=choose
        )
        for place, key in enumerate(courses, start=1):
            CuratedItem.objects.create(stage=stage, position=place, course_key=key)
    return path


def follow(person: User, path: CuratedPath, **fields) -> Assignment:
    assignment = Assignment.objects.create(person=person, kind=AssignmentKind.PATH, curated_path=path, **fields)
    replan(person=person, reason=PlanReason.ASSIGNMENT)
    return assignment


def last_change(person: User) -> str:
    plan = PathPlan.objects.filter(person=person).latest()
    [change] = selectors.change_views([plan])[plan.pk]
    return wording.change_words(change)


@pytest.fixture
def version():
    return make_framework()


def test_a_course_somebody_asked_for_is_on_the_path_and_says_who_why_and_by_when(version):
    make_course(version, {"A": 2}, key="privacy")
    ana = make_person()
    asked(ana, "privacy", due_on=in_days(30), note="You work with personal data.")
    [step] = selectors.path_of(ana).steps
    assert step.step.due_on == in_days(30)
    assert step.is_mandatory
    assert step.step.kinds == ["mandatory"]
    assert "Why: You work with personal data." in wording.why_here(step)[0]
    assert "mandatory" in wording.what_removes(step)


def test_what_is_held_already_need_not_be_sat_through(version):
    course = make_course(version, {"A": 2}, key="privacy")
    ana = make_person()
    take_course(ana, course)
    asked(ana, "privacy", due_on=in_days(30))
    assert keys(ana) == []


def test_a_mandatory_course_cannot_be_declined_and_a_recommended_one_can(version):
    make_course(version, {"A": 2}, key="must")
    make_course(version, {"B": 2}, key="may")
    ana = make_person()
    for key in ("must", "may"):
        StepWish.objects.create(person=ana, course_key=key, kind=WishKind.DECLINED, reason="Not now.")
    asked(ana, "must")
    asked(ana, "may", mandatory=False)
    assert keys(ana) == ["must"]


def test_an_assignment_that_ends_says_so_on_the_path(version):
    make_course(version, {"A": 2}, key="privacy")
    ana = make_person()
    assignment = asked(ana, "privacy")
    assignment.ended_on = today()
    assignment.save()
    replan(person=ana, reason=PlanReason.ASSIGNMENT)
    assert keys(ana) == []
    assert last_change(ana) == "“Privacy” left your path: you are no longer asked for it."


def test_who_is_exempt_is_not_asked(version):
    make_course(version, {"A": 2}, key="privacy")
    ana = make_person()
    asked(ana, "privacy", exempted_at=timezone.now(), exempt_reason="Holds a law degree.")
    assert keys(ana) == []


def test_a_date_that_moves_is_told(version):
    make_course(version, {"A": 2}, key="privacy")
    ana = make_person()
    assignment = asked(ana, "privacy", due_on=in_days(30))
    assignment.due_on = in_days(60)
    assignment.save()
    replan(person=ana, reason=PlanReason.ASSIGNMENT)
    assert last_change(ana).startswith("“Privacy” is due later:")


def test_a_mandatory_course_that_is_withdrawn_does_not_vanish_silently(version):
    course = make_course(version, {"A": 2}, key="privacy")
    ana = make_person()
    asked(ana, "privacy")
    course.unpublish()
    replan(person=ana, reason=PlanReason.OFFER)
    assert PathPlan.objects.filter(person=ana).latest().unavailable == ["privacy"]
    assert last_change(ana) == "“Privacy” is asked of you, but cannot be taken at present. Your HR unit can see it."


def test_a_rule_is_named_behind_a_step(version):
    make_course(version, {"A": 2}, key="privacy")
    ana, officer = make_person(), make_person()
    rule = AssignmentRule.objects.create(
        title="Personal data", unit=make_unit(), kind=AssignmentKind.COURSE, course_key="privacy", on_leaving="end",
        created_by=officer,
    )  # fmt: skip
    asked(ana, "privacy", rule=rule)
    [step] = selectors.path_of(ana).steps
    assert wording.why_here(step)[0].startswith("The rule “Personal data” asks for it")


def test_a_curated_path_and_gaps_make_one_path_without_repeating_what_is_held(version):
    """Required: intro, safe; two of a, b, c. The role's gap A is closed by `a`, which then counts as one of the two."""
    held = make_course(version, {"C": 2}, key="intro", effort=30)
    make_course(version, {"B": 1}, key="safe", effort=40)
    make_course(version, {"A": 3}, key="a", effort=90)
    make_course(version, {"B": 2}, key="b", effort=50)
    make_course(version, {"C": 4}, key="c", effort=45)
    ana, officer = make_person(), make_person()
    take_course(ana, held)
    RoleAssignment.objects.create(person=ana, profile=make_profile(version, {"A": 3}), starts_on=today())
    follow(ana, curated((None, ("intro", "safe")), (2, ("a", "b", "c")), officer=officer), due_on=in_days(90))
    assert sorted(keys(ana)) == ["a", "c", "safe"]
    steps = {step.course.key: step for step in selectors.path_of(ana).steps}
    assert "It is part of the path “Welcome to government”." in wording.why_here(steps["safe"])
    assert "of which 2 are chosen" in wording.why_here(steps["c"])[0]
    assert {"gap", "choice"} <= set(steps["a"].step.kinds)


def test_a_course_of_two_paths_is_never_said_to_count_in_a_stage_of_the_other(version):
    for key in ("a", "b", "c"):
        make_course(version, {"A": 3}, key=key)
    ana, officer = make_person(), make_person()
    follow(ana, curated((2, ("a", "b", "c")), officer=officer))
    follow(ana, curated((None, ("a",)), officer=officer, key="managers", title="New managers"))
    steps = {step.course.key: step for step in selectors.path_of(ana).steps}
    assert wording.why_here(steps["a"])[:2] == [
        "It counts in “Welcome to government”, stage “Stage 1”, of which 2 are chosen.",
        "It is part of the path “New managers”.",
    ]


def test_a_course_chosen_in_two_paths_names_its_stage_in_each(version):
    for key in ("a", "b", "c"):
        make_course(version, {"A": 3}, key=key)
    ana, officer = make_person(), make_person()
    follow(ana, curated((2, ("a", "b", "c")), officer=officer))
    follow(ana, curated((None, ("b",)), (1, ("a", "c")), officer=officer, key="managers", title="New managers"))
    steps = {step.course.key: step for step in selectors.path_of(ana).steps}
    assert wording.why_here(steps["a"])[:2] == [
        "It counts in “Welcome to government”, stage “Stage 1”, of which 2 are chosen.",
        "It counts in “New managers”, stage “Stage 2”, of which 1 are chosen.",
    ]


def test_a_step_names_the_roles_that_ask_for_the_level_it_leads_to(version):
    make_course(version, {"A": 3}, key="a")
    ana = make_person()
    _steward, lead, _clerk = (
        RoleAssignment.objects.create(
            person=ana, profile=make_profile(version, {"A": n}, title=title), starts_on=today()
        )
        for title, n in (("Data steward", 3), ("Team lead", 3), ("Clerk", 1))
    )
    replan(person=ana, reason=PlanReason.ROLE)
    [step] = selectors.path_of(ana).steps
    assert wording.why_here(step) == [
        "Your roles “Data steward” and “Team lead” ask for “Competency A” at level 3; nothing is shown so far."
    ]
    lead.delete()
    [step] = selectors.path_of(ana).steps
    assert wording.why_here(step) == [
        "Your role “Data steward” asks for “Competency A” at level 3; nothing is shown so far."
    ]


def test_a_pinned_course_stays_and_says_so(version):
    make_course(version, {"A": 2}, key="own-choice")
    ana = make_person()
    StepWish.objects.create(person=ana, course_key="own-choice", kind=WishKind.PINNED)
    replan(person=ana, reason=PlanReason.WISH)
    [step] = selectors.path_of(ana).steps
    assert wording.why_here(step) == ["You pinned it to your path."]
    assert wording.why_next(step, None) == "You pinned it."


def test_a_declined_course_makes_room_for_another_way_and_the_gap_says_why_it_stays_open(version):
    make_course(version, {"A": 3}, key="short", effort=30)
    ana = make_person()
    RoleAssignment.objects.create(person=ana, profile=make_profile(version, {"A": 3}), starts_on=today())
    assert keys(ana) == ["short"]
    StepWish.objects.create(person=ana, course_key="short", kind=WishKind.DECLINED, reason="I teach it.")
    replan(person=ana, reason=PlanReason.WISH)
    assert keys(ana) == []
    [closing] = PathPlan.objects.filter(person=ana).latest().unclosed
    assert closing["declined"] is True
    make_course(version, {"A": 3}, key="long", effort=300)
    replan(person=ana, reason=PlanReason.OFFER)
    assert keys(ana) == ["long"]


def test_the_date_of_a_role_puts_its_courses_before_more_urgent_ones_without_date(version):
    make_course(version, {"A": 1}, key="dated", effort=60)
    make_course(version, {"B": 5}, key="urgent", effort=60)
    ana = make_person()
    soon = RoleAssignment.objects.create(person=ana, profile=make_profile(version, {"A": 1}), starts_on=today())
    Assignment.objects.create(role_assignment=soon, due_on=in_days(5))
    RoleAssignment.objects.create(person=ana, profile=make_profile(version, {"B": 5}, importance=5), starts_on=today())
    replan(person=ana, reason=PlanReason.ROLE)
    assert keys(ana) == ["dated", "urgent"]


def test_a_requirement_that_comes_round_is_taken_again_while_its_period_is_open(version):
    course = make_course(version, {"A": 2}, key="yearly")
    ana = make_person()
    take_course(ana, course)
    repeat = {"every_months": 12, "opens_days_before": 60, "grace_days": 30, "anchor": "due"}
    assignment = asked(ana, "yearly", repeat=repeat)
    LearningPeriod.objects.create(
        assignment=assignment, number=1, opens_on=in_days(-400), due_on=in_days(-340), grace_until=in_days(-310),
        completed_on=in_days(-350),
    )  # fmt: skip
    replan(person=ana, reason=PlanReason.PERIOD)
    assert keys(ana) == []
    LearningPeriod.objects.create(
        assignment=assignment, number=2, opens_on=in_days(-5), due_on=in_days(25), grace_until=in_days(55)
    )
    replan(person=ana, reason=PlanReason.PERIOD)
    [step] = selectors.path_of(ana).steps
    assert (step.course.key, step.step.due_on) == ("yearly", in_days(25))


def test_a_classroom_course_is_taken_in_a_run_with_a_seat(version):
    course = make_course(version, {"A": 3}, key="classroom")
    course.format = CourseFormat.CLASSROOM
    course.save()
    full = CourseRun.objects.create(course=course, starts_on=in_days(10), ends_on=in_days(11), seats=1)
    SeatBooking.objects.create(run=full, person=make_person())
    ana = make_person()
    RoleAssignment.objects.create(person=ana, profile=make_profile(version, {"A": 3}), starts_on=today())
    assert keys(ana) == []  # the only run is full: the gap stays open
    later = CourseRun.objects.create(course=course, starts_on=in_days(40), ends_on=in_days(41), seats=5)
    replan(person=ana, reason=PlanReason.OFFER)
    [step] = selectors.path_of(ana).steps
    assert step.step.run == later
    own = CourseRun.objects.create(course=course, starts_on=in_days(60), ends_on=in_days(61), seats=5)
    SeatBooking.objects.create(run=own, person=ana)
    replan(person=ana, reason=PlanReason.WISH)
    assert selectors.path_of(ana).steps[0].step.run == own


def test_hours_a_week_and_leave_date_the_path(version):
    make_course(version, {"A": 3}, key="long", effort=240)
    ana = make_person()
    RoleAssignment.objects.create(person=ana, profile=make_profile(version, {"A": 3}), starts_on=today())
    path = selectors.path_of(ana)
    [timing] = selectors.timetable(path, Pace(120, today())).values()
    # Ten minutes of lessons and five of check stand in the course, not begun: its whole effort counts.
    assert timing.ends_on == in_days(13)
    [slow] = selectors.timetable(path, Pace(120, today(), ((today(), in_days(30)),))).values()
    assert slow.ends_on == in_days(43)
    LearnerSettings.objects.create(person=ana, weekly_minutes=60)
    Leave.objects.create(person=ana, starts_on=in_days(1), ends_on=in_days(8))
    own = read_inputs([ana.pk], day=today())[ana.pk]
    assert own.pace == Pace(60, today(), ((in_days(1), in_days(8)),))


def test_the_same_inputs_never_write_a_new_plan(version):
    make_course(version, {"A": 2}, key="privacy")
    make_course(version, {"B": 3}, key="risk")
    ana = make_person()
    RoleAssignment.objects.create(person=ana, profile=make_profile(version, {"B": 3}), starts_on=today())
    asked(ana, "privacy", due_on=in_days(30))
    before = PathPlan.objects.count()
    for reason in (PlanReason.EVIDENCE, PlanReason.SWEEP, PlanReason.ASSIGNMENT):
        assert replan_many(person_ids=[ana.pk], reason=reason) == 0
    assert replan_many(person_ids=[ana.pk], reason=PlanReason.SWEEP, at=timezone.now() + timedelta(days=3)) == 0
    assert PathPlan.objects.count() == before


def test_inputs_cost_as_many_queries_for_forty_people_as_for_four(version, count_queries):
    make_course(version, {"A": 2}, key="privacy")
    path = curated((None, ("privacy",)), officer=make_person())

    def people(n: int) -> list[int]:
        found = [make_person() for _ in range(n)]
        for person in found:
            Assignment.objects.create(person=person, kind=AssignmentKind.PATH, curated_path=path)
            Leave.objects.create(person=person, starts_on=in_days(1), ends_on=in_days(8))
        return [person.pk for person in found]

    few, many = people(4), people(40)
    assert count_queries(lambda: read_inputs(many, day=today())) == count_queries(lambda: read_inputs(few, day=today()))


def test_courses_held_are_found_by_what_they_lead_to(version):
    from courses.selectors import offered_courses

    make_course(version, {"A": 2, "B": 1}, key="both")
    a, b = (version.competencies.get(code=code).pk for code in "AB")
    shelf = Shelf(offered_courses())
    assert shelf.held_keys({a: 2, b: 1}) == {"both"}
    assert shelf.held_keys({a: 2}) == frozenset()


def test_what_comes_round_takes_neither_date_nor_reason_of_a_path_in_which_it_is_done(version):
    """A rule asks for the course again by its own date; a path due before counts it as done already."""
    course = make_course(version, {"A": 2}, key="yearly")
    make_course(version, {"A": 3}, key="other")
    ana, officer = make_person(), make_person()
    take_course(ana, course, at=timezone.now() - timedelta(days=400))
    path = follow(ana, curated((None, ("yearly", "other")), officer=officer), due_on=in_days(20))
    rule = asked(ana, "yearly", due_on=in_days(30), repeat={"every_months": 12, "opens_days_before": 60})
    assert LearningPeriod.objects.get(assignment=rule, number=1).opens_on == in_days(-30)
    replan(person=ana, reason=PlanReason.PERIOD)
    steps = {step.course.key: step for step in selectors.path_of(ana).steps}
    assert steps["yearly"].step.due_on == in_days(30)
    assert [a.pk for a in steps["yearly"].asked_by] == [rule.pk]
    assert steps["other"].step.due_on == in_days(20)
    assert [a.pk for a in steps["other"].asked_by] == [path.pk]
