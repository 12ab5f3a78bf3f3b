"""Due dates follow leave and events, there and back, however often and in whatever order it is looked at."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone
from wagtail.models import ModelLogEntry

from competencies.enums import EvidenceKind
from competencies.services import Finding, record_evidence
from learning.due_dates import (
    AFTER_ASSIGNMENT,
    AFTER_START_IN_POST,
    AFTER_STEP,
    BEFORE_CERTIFICATION_ENDS,
    FIXED,
    DuePolicy,
    write_policy,
)
from learning.enums import AssignmentKind
from learning.leave import fix_due_date, settle_due_dates
from learning.models import Assignment, LearningPeriod
from learning.selectors import current_plans
from learning.tasks import sweep_paths
from organisations.models import Leave
from tests.builders import (
    appoint,
    competency,
    make_course,
    make_framework,
    make_person,
    make_post,
    make_unit,
    take_course,
)

pytestmark = pytest.mark.django_db


def in_days(n: int) -> date:
    return timezone.localdate() + timedelta(days=n)


def asked(person, due_on=None, policy: DuePolicy | None = None, key="privacy", **fields) -> Assignment:
    return Assignment.objects.create(
        person=person, kind=AssignmentKind.COURSE, course_key=key, due_on=due_on,
        due_policy=write_policy(policy) if policy else {}, **fields,
    )  # fmt: skip


def due(assignment: Assignment) -> date | None:
    return Assignment.objects.get(pk=assignment.pk).due_on


def away(person, first: int, back: int) -> Leave:
    return Leave.objects.create(person=person, starts_on=in_days(first), ends_on=in_days(back))


@pytest.fixture
def version():
    return make_framework(codes="AB")


@pytest.mark.parametrize(
    "policy",
    [None, DuePolicy(FIXED, on=in_days(30)), DuePolicy(AFTER_ASSIGNMENT, days=30)],
    ids=["bare", "fixed", "days"],
)
def test_leave_moves_a_date_and_taking_it_away_moves_it_back(policy):
    assignment = asked(make_person(), in_days(30), policy)
    leave = away(assignment.person, 10, 20)
    assert due(assignment) == in_days(40)
    leave.ends_on = in_days(15)
    leave.save()
    assert due(assignment) == in_days(35)
    second = away(assignment.person, 12, 18)
    assert due(assignment) == in_days(38)  # three of its six days are days of the other one
    leave.delete()
    second.delete()
    assert due(assignment) == in_days(30)


def test_a_date_of_somebody_else_or_of_what_has_ended_stays():
    ana, ben = make_person(), make_person()
    hers = asked(ana, in_days(30), ended_on=timezone.localdate())
    his = asked(ben, in_days(30))
    away(ana, 1, 5)
    assert (due(hers), due(his)) == (in_days(30), in_days(30))


def test_looking_twice_moves_nothing_twice_and_says_once_what_moved():
    assignment = asked(make_person(), in_days(30))
    away(assignment.person, 10, 20)
    assert settle_due_dates(person_ids=[assignment.person_id]) == set()
    assert due(assignment) == in_days(40)
    [entry] = ModelLogEntry.objects.filter(action="learning.move_due_date")
    assert entry.data == {"from": in_days(30).isoformat(), "to": in_days(40).isoformat()}


def test_the_path_is_planned_with_the_date_that_leave_made(version):
    make_course(version, {"A": 2}, key="privacy")
    assignment = asked(make_person(), in_days(30))
    away(assignment.person, 10, 20)
    [step] = current_plans([assignment.person_id])[assignment.person_id].steps.all()
    assert step.due_on == in_days(40)


def test_the_sweep_heals_what_was_entered_behind_its_back():
    assignment = asked(make_person(), in_days(30))
    Leave.objects.bulk_create([Leave(person=assignment.person, starts_on=in_days(1), ends_on=in_days(4))])
    assert due(assignment) == in_days(30)
    sweep_paths()
    assert due(assignment) == in_days(33)


def test_a_date_that_waits_for_a_course_is_known_when_it_is_passed(version):
    ana = make_person()
    first = make_course(version, {}, key="basics")  # it shows nothing, so that no evidence tells of it
    assignment = asked(ana, None, DuePolicy(AFTER_STEP, days=20, course_key="basics"))
    take_course(ana, first)
    assert due(assignment) == in_days(20)


def test_a_date_that_counts_from_the_post_follows_an_appointment_and_stays_when_it_ends():
    ana = make_person()
    assignment = asked(ana, None, DuePolicy(AFTER_START_IN_POST, days=60))
    appointment = appoint(ana, make_post(make_unit()), starts_on=in_days(-10))
    assert due(assignment) == in_days(50)
    appointment.ends_on = in_days(0)
    appointment.save()
    assert due(assignment) == in_days(50)


def test_a_date_before_a_certification_ends_follows_the_evidence_and_no_leave(version):
    ana = make_person()
    make_course(version, {"A": 2}, key="privacy")
    assignment = asked(ana, None, DuePolicy(BEFORE_CERTIFICATION_ENDS, days=30))
    record_evidence(
        person=ana, findings=[Finding(competency(version, "A"), 2)], kind=EvidenceKind.CERTIFICATE, source_key="paper",
        by=None, occurred_on=timezone.localdate(), assessed=True, valid_until=in_days(100),
    )  # fmt: skip
    away(ana, 2, 12)
    assert due(assignment) == in_days(70)


def test_what_was_set_is_what_is_due_and_leave_from_then_on_moves_it():
    assignment = asked(make_person(), in_days(10), DuePolicy(AFTER_ASSIGNMENT, days=10))
    known = away(assignment.person, 5, 8)
    assignment.refresh_from_db()
    fix_due_date(assignment, in_days(50))
    assert due(assignment) == in_days(50)
    settle_due_dates(person_ids=[assignment.person_id])
    assert due(assignment) == in_days(50)
    later = away(assignment.person, 20, 25)
    assert due(assignment) == in_days(55)
    later.delete()
    known.delete()
    assert due(assignment) == in_days(47)


def test_periods_that_have_begun_keep_their_dates():
    assignment = asked(make_person(), in_days(30), repeat={"every_months": 12})
    LearningPeriod.objects.create(
        assignment=assignment, number=1, opens_on=in_days(0), due_on=in_days(30), grace_until=in_days(40)
    )
    away(assignment.person, 1, 5)
    assert due(assignment) == in_days(30)


def test_a_policy_nobody_can_read_leaves_the_date_alone():
    assignment = asked(make_person(), in_days(30))
    Assignment.objects.filter(pk=assignment.pk).update(due_policy={"kind": "whenever"})
    away(assignment.person, 1, 5)
    assert due(assignment) == in_days(30)


def test_many_people_take_as_many_queries_as_one(version, count_queries):
    def crowd(n):
        people = [make_person() for _ in range(n)]
        make_course(version, {"A": 1}, key=f"basics-{n}")
        for person in people:
            asked(person, in_days(30))
            asked(person, None, DuePolicy(AFTER_STEP, days=5, course_key="basics-1"), key="two")
            asked(person, None, DuePolicy(AFTER_START_IN_POST, days=5), key="three")
            asked(person, None, DuePolicy(BEFORE_CERTIFICATION_ENDS, days=5), key="four")
        return [person.pk for person in people]

    one, ten = crowd(1), crowd(10)
    assert count_queries(lambda: settle_due_dates(person_ids=one)) == count_queries(
        lambda: settle_due_dates(person_ids=ten)
    )
