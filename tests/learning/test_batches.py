"""Assigning in batches: the dry run, doing just that, and taking it back."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils import timezone
from wagtail.models import ModelLogEntry

from competencies.enums import EvidenceKind
from competencies.models import PostRole, RoleAssignment
from competencies.services import Finding, record_evidence
from courses.models import Enrolment, LessonProgress
from courses.selectors import course_states
from learning import applying, wishes
from learning.asking import Ask, Missing, NotOffered, Whom, resolve
from learning.batches import (
    CannotBeChanged,
    apply_batch,
    can_undo,
    rows_of,
    start_again,
    start_batch,
    undo_batch,
)
from learning.due_dates import DuePolicy
from learning.enums import (
    ASSIGN_JOB,
    AssignmentKind,
    BatchStatus,
    Existing,
    OnLeaving,
    PlanReason,
    RowOutcome,
    RowState,
)
from learning.leave import settle_due_dates
from learning.models import (
    Assignment,
    AssignmentBatch,
    AssignmentRule,
    BatchRow,
    CuratedItem,
    CuratedPath,
    CuratedStage,
    CuratedVersion,
    LearnerSettings,
    LearningPeriod,
    PathPlan,
)
from learning.periods import Recurrence
from learning.room import rooms_of
from learning.services import replan_many
from organisations.enums import JobState
from organisations.jobs import enqueue, run_job
from organisations.models import Appointment, Job, Leave, Post
from tests.builders import (
    appoint,
    competency,
    give_evidence,
    lessons_of,
    make_course,
    make_framework,
    make_hr,
    make_person,
    make_post,
    make_profile,
    make_unit,
)

pytestmark = pytest.mark.django_db
LATER = DuePolicy("fixed", on=date(2030, 6, 30))


class Ministry:
    """A ministry with a department of two (one in a team below), a neighbour with one, and the department's officer."""

    def __init__(self) -> None:
        self.version = make_framework(codes="ABC")
        self.profile = make_profile(self.version, {"A": 3, "B": 2}, title="Data steward")
        top = make_unit("Ministry")
        self.department = make_unit("Department", parent=top)
        self.team = make_unit("Team", parent=self.department)
        self.elsewhere = make_unit("Elsewhere", parent=top)
        self.ana, self.ben, self.eva = (
            make_person(name, email=f"{name.lower()}-{make_unit().pk}@gov.example") for name in ("Ana", "Ben", "Eva")
        )
        make_post(self.department, holder=self.ana)
        make_post(self.team, holder=self.ben)
        make_post(self.elsewhere, holder=self.eva)
        self.officer = make_person("Officer")
        make_hr(self.officer, self.department)
        self.course = make_course(self.version, {"A": 3, "B": 2}, key=f"both-{top.pk}", effort=600)
        self.whom = Whom(unit_ids=(self.department.pk,))

    def role(self, **changes) -> Ask:
        values = {"whom": self.whom, "profile_id": self.profile.pk, "due_policy": LATER}
        return Ask(AssignmentKind.ROLE, **values | changes)

    def for_course(self, **changes) -> Ask:
        values = {"whom": self.whom, "course_key": self.course.key, "due_policy": LATER}
        return Ask(AssignmentKind.COURSE, **values | changes)

    def start(self, ask: Ask | None = None, press="t", **more) -> AssignmentBatch:
        return start_batch(officer=self.officer, ask=ask or self.role(), token=press, **more)

    def apply(self, ask: Ask | None = None, press="t", **more) -> AssignmentBatch:
        return apply_batch(batch=self.start(ask, press, **more), by=self.officer)

    def crowd(self, count: int) -> None:
        """More people in the department, made at once."""
        people = [make_person() for _ in range(count)]
        posts = Post.objects.bulk_create(
            Post(unit=self.department, code=f"c{p.pk}", title={"en": "Clerk"}, starts_on=date(2020, 1, 1))
            for p in people
        )
        Appointment.objects.bulk_create(
            Appointment(person=person, post=post, starts_on=date(2020, 1, 1))
            for person, post in zip(people, posts, strict=True)
        )


@pytest.fixture
def m() -> Ministry:
    return Ministry()


def told(batch: AssignmentBatch) -> list[tuple[str, str, list[str]]]:
    return [(row.person.name if row.person else row.text, row.outcome, row.reasons) for row in rows_of(batch)]


def states(batch: AssignmentBatch) -> dict[str, int]:
    batch.refresh_from_db()
    return {name: count for name, count in batch.counts["states"].items() if count}


def fingerprint() -> list[tuple]:
    """What is asked of whom, and by when."""
    roles = RoleAssignment.objects.filter(pk__in=RoleAssignment.objects.current().values("pk"))
    return [
        *sorted(roles.values_list("person_id", "profile_id")),
        *sorted(
            map(
                repr,
                Assignment.objects.current().values_list(
                    "person_id", "kind", "curated_path_id", "course_key", "due_on", "due_policy", "rule_id", "archived"
                ),
            )
        ),
    ]


# --- Whom ------------------------------------------------------------------------------------------------------------
def test_lines_say_by_number_who_cannot_be_found_and_why(m):
    gone = make_person("Gone", email="gone@gov.example", is_active=False)
    make_post(m.team, holder=gone)
    stranger = make_person("Stranger", email="stranger@gov.example", is_active=False)
    make_post(m.elsewhere, holder=stranger)
    lines = (
        m.ana.email.upper(), f" {m.ana.email} ", m.eva.email, "not an address", gone.email, stranger.email, "nul\x00@gov",
    )  # fmt: skip
    found = resolve(m.officer, Whom(emails=lines), timezone.localdate())
    assert (found.people, found.repeated) == ((m.ana,), 1)
    assert found.missing == (
        Missing(3, m.eva.email, "unknown"),
        Missing(4, "not an address", "malformed"),
        Missing(5, gone.email, "inactive"),
        Missing(6, stranger.email, "unknown"),
        Missing(7, "nul\ufffd@gov", "malformed"),
    )


@pytest.mark.parametrize(("below", "expected"), [(True, ["Ana", "Ben"]), (False, ["Ana"])])
def test_a_unit_means_its_people_with_or_without_those_below(m, below, expected):
    whom = Whom(unit_ids=(m.department.pk, m.elsewhere.pk), with_sub_units=below)
    assert [p.name for p in resolve(m.officer, whom, timezone.localdate()).people] == expected


def test_holders_of_a_role_are_those_by_post_and_by_assignment_whom_the_officer_serves(m):
    PostRole.objects.create(post=m.ana.appointments.get().post, profile=m.profile)
    for person in (m.ben, m.eva):
        RoleAssignment.objects.create(person=person, profile=m.profile, starts_on=date(2026, 1, 1))
    found = resolve(m.officer, Whom(holders_of=(m.profile.pk,)), timezone.localdate())
    assert [p.name for p in found.people] == ["Ana", "Ben"]


def test_people_out_of_reach_are_not_reached_by_naming_them(m):
    found = resolve(m.officer, Whom(person_ids=(m.ana.pk, m.eva.pk), unit_ids=(m.elsewhere.pk,)), timezone.localdate())
    assert found.people == (m.ana,)


# --- The dry run -----------------------------------------------------------------------------------------------------
def test_the_dry_run_writes_nothing_but_itself(m):
    before = (RoleAssignment.objects.count(), Assignment.objects.count(), PathPlan.objects.count())
    batch = m.start()
    assert (RoleAssignment.objects.count(), Assignment.objects.count(), PathPlan.objects.count()) == before
    assert batch.status == BatchStatus.READY
    assert [(r.gaps, r.steps, r.minutes, r.added_minutes, r.due_on) for r in rows_of(batch)] == [
        (2, 1, 600, 600, LATER.on)
    ] * 2
    assert (batch.counts["gains"], batch.counts["required"], batch.counts["unserved"]) == (2, 2, 0)


def test_the_same_press_is_one_batch_and_another_officer_s_token_is_another(m):
    first = m.start()
    assert m.start().pk == first.pk
    other = make_person()
    make_hr(other, m.department)
    assert start_batch(officer=other, ask=m.role(), token="t").pk != first.pk


def test_who_has_it_keeps_the_date_or_is_moved_as_asked(m):
    m.apply(m.role(whom=Whom(person_ids=(m.ana.pk,)), due_policy=DuePolicy("fixed", on=date(2029, 1, 1))))
    assert told(m.start(press="keep")) == [("Ana", "holds", ["other_date"]), ("Ben", "gains", [])]
    moving = m.start(m.role(existing=Existing.MOVE), press="move")
    assert told(moving) == [("Ana", "moves", []), ("Ben", "gains", [])]
    assert rows_of(moving, outcome="moves").get().due_before == date(2029, 1, 1)


def test_a_role_held_by_post_is_held(m):
    PostRole.objects.create(post=m.ana.appointments.get().post, profile=m.profile)
    assert told(m.start())[0] == ("Ana", "holds", [])


def test_a_role_given_without_an_assignment_beside_it_gets_a_date_where_dates_move(m):
    role = RoleAssignment.objects.create(person=m.ana, profile=m.profile, starts_on=date(2026, 1, 1))
    batch = m.apply(m.role(existing=Existing.MOVE, whom=Whom(person_ids=(m.ana.pk,))))
    assert (told(batch), role.assignment.due_on) == ([("Ana", "moves", [])], LATER.on)
    undo_batch(batch=batch, by=m.officer)
    role.assignment.refresh_from_db()
    assert (role.assignment.due_on, RoleAssignment.objects.current().count()) == (None, 1)


def test_who_is_exempt_is_left_alone(m):
    m.apply(m.for_course(whom=Whom(person_ids=(m.ana.pk,))))
    Assignment.objects.update(exempted_at=timezone.now(), exempt_reason="Expert")
    batch = m.apply(m.for_course(existing=Existing.MOVE, due_policy=DuePolicy()), press="again")
    assert told(batch) == [("Ana", "conflict", ["exempt"]), ("Ben", "gains", [])]
    assert Assignment.objects.get(person=m.ana).due_on == LATER.on


def test_an_earlier_mandatory_date_of_another_rule_is_not_moved_back(m):
    rule = make_rule(m)
    Assignment.objects.create(
        person=m.ana, kind="course", course_key=m.course.key, due_on=date(2028, 1, 1), rule=rule, mandatory=True
    )
    ask = m.for_course(existing=Existing.MOVE)
    assert told(m.start(ask))[0] == ("Ana", "conflict", ["earlier_date"])
    sooner = m.for_course(existing=Existing.MOVE, due_policy=DuePolicy("fixed", on=date(2027, 1, 1)))
    assert told(m.start(sooner, press="sooner"))[0] == ("Ana", "moves", [])


def test_too_little_time_is_told_with_the_first_date_that_would_do_and_leave_counts(m):
    day = timezone.localdate()
    give_evidence(m.ben, competency(m.version, "A"), 3)
    Leave.objects.create(person=m.ana, starts_on=day, ends_on=day + timedelta(days=10))
    batch = m.start(m.role(due_policy=DuePolicy("fixed", on=day + timedelta(days=33))))
    ana, ben = rows_of(batch)
    # Ten hours at two hours a week are 35 days, today among them: a day more than there is; for Ana after ten of leave.
    assert (ana.due_on, ben.due_on) == (day + timedelta(days=43), day + timedelta(days=33))
    assert (ana.reasons, ana.realistic_on) == (["on_leave", "unrealistic"], day + timedelta(days=44))
    assert (ben.reasons, ben.realistic_on) == (["unrealistic"], day + timedelta(days=34))
    assert [row.pk for row in rows_of(batch, reason="unrealistic")] == [ana.pk, ben.pk]
    assert not rows_of(batch, reason="leave").exists()


def test_whose_other_date_could_no_longer_be_met_is_told_before_anything_is_written(m):
    """At two hours a week four weeks hold eight hours; Ana's path has seven of them already, due on the last day."""
    day = timezone.localdate()
    make_course(m.version, {"C": 1}, key="seven", effort=420)
    make_course(m.version, {"C": 2}, key="two", effort=120)
    for key, due_on in (("seven", day + timedelta(days=27)), ("none", None)):
        Assignment.objects.create(person=m.ana, kind=AssignmentKind.COURSE, course_key=key, due_on=due_on)
    replan_many(person_ids=[m.ana.pk], reason=PlanReason.ASSIGNMENT)

    def told_for(due_on, press):
        ana, ben = rows_of(m.start(m.for_course(course_key="two", due_policy=DuePolicy("fixed", on=due_on)), press))
        assert (ben.reasons, ben.late_on) == ([], None)
        return ana.reasons, ana.late_on

    last = day + timedelta(days=27)
    assert told_for(day + timedelta(days=20), "before") == (["others_late"], last)
    assert told_for(last, "same") == (
        ["unrealistic", "others_late"],
        last,
    )  # both are due then: nine hours, room for eight
    assert told_for(last + timedelta(days=9), "after") == ([], None)  # what is due later is learned later
    LearnerSettings.objects.create(person=m.ana, weekly_minutes=180)
    assert told_for(day + timedelta(days=20), "faster") == ([], None)


def test_a_date_moved_forward_pushes_others_and_one_moved_back_does_not(m):
    day = timezone.localdate()
    make_course(m.version, {"C": 1}, key="seven", effort=420)
    make_course(m.version, {"C": 2}, key="two", effort=120)
    for key, days in (("seven", 27), ("two", 60)):
        due_on = day + timedelta(days=days)
        Assignment.objects.create(person=m.ana, kind=AssignmentKind.COURSE, course_key=key, due_on=due_on)
    replan_many(person_ids=[m.ana.pk], reason=PlanReason.ASSIGNMENT)
    for days, late in ((20, day + timedelta(days=27)), (90, None)):
        ask = m.for_course(
            course_key="two", due_policy=DuePolicy("fixed", on=day + timedelta(days=days)), existing=Existing.MOVE
        )
        ana = rows_of(m.start(ask, f"in {days}")).get(person=m.ana)
        assert (ana.outcome, ana.late_on) == (RowOutcome.MOVES, late)


def test_what_comes_round_is_reckoned_with_for_who_passed_it_before_its_first_period_opens(m):
    day = timezone.localdate()
    long_ago, lately = timezone.now() - timedelta(days=400), timezone.now() - timedelta(days=5)
    Enrolment.objects.create(person=m.ana, course=m.course, completed_at=long_ago)
    Enrolment.objects.create(person=m.ben, course=m.course, completed_at=lately)
    once = m.start(m.for_course(due_policy=DuePolicy("fixed", on=day + timedelta(days=50))), "once")
    assert [row.minutes for row in rows_of(once)] == [0, 0]
    yearly = Recurrence(every_months=12, opens_days_before=60, grace_days=30)
    ask = m.for_course(due_policy=DuePolicy("fixed", on=day + timedelta(days=50)), repeat=yearly)
    batch = m.start(ask, "yearly")
    assert [(row.minutes, row.added_minutes) for row in rows_of(batch)] == [(600, 600), (0, 0)]
    apply_batch(batch=batch, by=m.officer)
    plans = PathPlan.objects.filter(steps__course=m.course).values_list("person", "effort_minutes")
    assert dict(plans) == {m.ana.pk: 600}  # as the dry run said


def test_electives_come_round_where_a_path_has_nothing_but_electives(m):
    day = timezone.localdate()
    for key, effort in (("one", 30), ("two", 60)):
        course = make_course(m.version, {"C": 1}, key=key, effort=effort)
        Enrolment.objects.create(person=m.ana, course=course, completed_at=timezone.now() - timedelta(days=400))
    path = make_path(m, keys=["one", "two"], choose=1)
    yearly = Recurrence(every_months=12, opens_days_before=60)
    ask = Ask(
        AssignmentKind.PATH, m.whom, curated_path_id=path.pk, repeat=yearly,
        due_policy=DuePolicy("fixed", on=day + timedelta(days=50)),
    )  # fmt: skip
    batch = m.start(ask)
    assert rows_of(batch).get(person=m.ana).minutes == 30
    apply_batch(batch=batch, by=m.officer)
    assert PathPlan.objects.filter(person=m.ana).latest().effort_minutes == 30


def test_where_a_window_that_opens_later_is_too_short_no_later_date_is_called_realistic(m):
    day = timezone.localdate()
    monthly = Recurrence(every_months=1, opens_days_before=20)
    batch = m.start(m.for_course(due_policy=DuePolicy("fixed", on=day + timedelta(days=100)), repeat=monthly))
    assert {(*row.reasons, row.realistic_on) for row in rows_of(batch)} == {("unrealistic", None)}


def test_what_comes_round_has_its_first_period_when_it_is_assigned(m):
    m.apply(m.for_course(repeat=Recurrence(every_months=12, opens_days_before=60, grace_days=30)))
    periods = LearningPeriod.objects.filter(assignment__person=m.ana)
    assert [(period.number, period.due_on) for period in periods] == [(1, LATER.on)]


def test_a_date_waits_for_leave_as_it_will_when_it_is_applied(m):
    day = timezone.localdate()
    Leave.objects.create(person=m.ana, starts_on=day + timedelta(days=5), ends_on=day + timedelta(days=15))
    rows = rows_of(m.start(m.for_course(due_policy=DuePolicy("after_assignment", days=30))))
    assert [row.due_on for row in rows] == [day + timedelta(days=40), day + timedelta(days=30)]
    batch = m.apply(m.for_course(), press="fixed")
    assert [row.due_on for row in rows_of(batch)] == [LATER.on + timedelta(days=10), LATER.on]
    # The nightly look at dates finds nothing to move.
    assert settle_due_dates(person_ids=[m.ana.pk, m.ben.pk], day=day) == set()


def test_dates_hang_on_the_post_on_another_course_and_on_what_was_certified(m):
    day = timezone.localdate()
    appoint(m.ana, make_post(m.team), starts_on=day - timedelta(days=10))
    other = make_course(m.version, {"C": 1}, key="other-step")
    Enrolment.objects.create(person=m.ben, course=other, completed_at=timezone.now() - timedelta(days=3))
    passed = Enrolment.objects.create(person=m.ana, course=m.course, completed_at=timezone.now())
    record_evidence(
        person=m.ana,
        findings=[Finding(competency(m.version, "A"), 3)],
        kind=EvidenceKind.COURSE,
        source_key=f"enrolment:{passed.pk}",
        by=None,
        occurred_on=day,
        assessed=True,
        valid_until=day + timedelta(days=400),
    )

    def dates(policy: DuePolicy) -> list[date | None]:
        return [r.due_on for r in rows_of(m.start(m.for_course(due_policy=policy), press=policy.kind))]

    assert dates(DuePolicy("after_start_in_post", days=60)) == [day + timedelta(days=50), date(2020, 3, 1)]
    assert dates(DuePolicy("after_step", days=30, course_key="other-step")) == [None, day + timedelta(days=27)]
    assert dates(DuePolicy("before_certification_ends", days=100)) == [day + timedelta(days=300), None]


def test_the_dry_run_asks_as_many_queries_for_forty_people_as_for_four(m, count_queries):
    ask = m.role(due_policy=DuePolicy("after_start_in_post", days=5000))
    m.crowd(2)
    few = count_queries(lambda: m.start(ask, press="few"))
    m.crowd(36)
    assert count_queries(lambda: m.start(ask, press="many")) == few


def test_what_is_not_offered_cannot_be_asked_for(m):
    with pytest.raises(NotOffered):
        m.start(m.for_course(course_key="no-such-course"))
    with pytest.raises(NotOffered):
        m.start(m.for_course(course_key=""))
    elsewhere = make_path(m, unit=m.elsewhere)
    with pytest.raises(NotOffered):
        m.start(Ask(AssignmentKind.PATH, m.whom, curated_path_id=elsewhere.pk))
    assert not AssignmentBatch.objects.exists()


# --- Applying --------------------------------------------------------------------------------------------------------
def test_what_is_applied_is_what_was_shown_and_a_doubled_press_applies_once(m):
    batch = m.apply()
    assert apply_batch(batch=batch, by=m.officer).status == BatchStatus.APPLIED
    assert (states(batch), Job.objects.filter(kind=ASSIGN_JOB).count()) == ({"applied": 2}, 1)
    for row in rows_of(batch):
        given, plan = row.assignment, PathPlan.objects.get(person=row.person)
        assert (given.due_on, given.batch, given.assigned_on) == (LATER.on, batch, timezone.localdate())
        assert (plan.steps.count(), plan.effort_minutes, plan.reason) == (row.steps, row.minutes, "first")
    entry = ModelLogEntry.objects.get(action="learning.assign")
    assert (entry.user, entry.data["applied"]) == (m.officer, 2)


def test_a_course_and_a_curated_path_are_assigned_with_the_minutes_that_are_left(m):
    short = make_course(m.version, {"C": 1}, key="short", effort=30)
    Enrolment.objects.create(person=m.ana, course=short, completed_at=timezone.now())
    path = make_path(m, keys=[m.course.key, "short"])
    batch = m.start(Ask(AssignmentKind.PATH, m.whom, curated_path_id=path.pk, note="For all", mandatory=False))
    assert [(row.steps, row.minutes, row.added_minutes) for row in rows_of(batch)] == [(1, 600, 600), (2, 630, 630)]
    apply_batch(batch=batch, by=m.officer)
    rows = Assignment.objects.asking().values_list("kind", "curated_path_id", "note", "mandatory", "due_on")
    assert set(rows) == {("path", path.pk, "For all", False, None)}
    course = m.apply(m.for_course(), press="course")
    assert [(r.outcome, r.added_minutes) for r in rows_of(course)] == [("gains", 0)] * 2  # on their paths already
    assert Assignment.objects.asking().count() == 4


def test_a_course_begun_for_another_reason_is_no_part_of_a_dry_run_for_a_course(m):
    make_course(m.version, {"C": 1}, key="short", effort=30)
    m.apply(m.for_course(), press="long")
    Enrolment.objects.create(person=m.ana, course=m.course)
    short = m.start(Ask(AssignmentKind.COURSE, m.whom, course_key="short"), press="short")
    assert {(row.steps, row.minutes, row.added_minutes) for row in rows_of(short)} == {(1, 30, 30)}


def test_when_the_world_has_changed_nothing_is_written_and_the_batch_says_what_changed(m):
    batch = m.start()
    give_evidence(m.ben, competency(m.version, "A"), 3)
    late = make_person("Late")
    make_post(m.team, holder=late)
    batch = apply_batch(batch=batch, by=m.officer)
    assert batch.status == BatchStatus.STALE
    changed = batch.counts["changed"]
    assert (changed["came"], changed["went"], changed["differ"], changed["people"]) == (1, 0, 1, [m.ben.pk, late.pk])
    assert not Assignment.objects.exists()
    with pytest.raises(CannotBeChanged):
        apply_batch(batch=batch, by=m.officer)
    again = start_again(batch=batch, by=m.officer, token="again")
    assert apply_batch(batch=again, by=m.officer).status == BatchStatus.APPLIED
    assert Assignment.objects.count() == 3


def test_a_course_that_is_gone_makes_the_batch_stale(m):
    batch = m.start(m.for_course())
    m.course.unpublish()
    assert apply_batch(batch=batch, by=m.officer).status == BatchStatus.STALE
    assert not Assignment.objects.exists()


def test_with_nobody_to_gain_there_is_nothing_to_apply(m):
    batch = m.start(m.role(whom=Whom(emails=("nobody@gov.example",))))
    with pytest.raises(CannotBeChanged):
        apply_batch(batch=batch, by=m.officer)


def test_a_job_that_is_interrupted_goes_on_and_each_person_has_it_once(m, monkeypatch):
    monkeypatch.setattr(applying, "BATCH", 5)
    m.crowd(18)
    batch = m.start()
    whole, parts = applying._give_part, []

    def killed(*args):
        parts.append(args)
        if len(parts) == 3:
            raise RuntimeError("the worker is gone")
        return whole(*args)

    monkeypatch.setattr(applying, "_give_part", killed)
    apply_batch(batch=batch, by=m.officer)
    batch.refresh_from_db()
    assert (batch.status, Assignment.objects.count()) == (BatchStatus.APPLYING, 10)
    Job.objects.filter(pk=batch.job_id).update(not_before=timezone.now())
    PathPlan.objects.filter(
        person__in=rows_of(batch).filter(state="applied").values("person")
    ).delete()  # not planned yet
    run_job(batch.job_id)
    assert states(batch) == {"applied": 20}
    assert set(Counter(Assignment.objects.values_list("person_id", flat=True)).values()) == {1}
    assert RoleAssignment.objects.count() == 20
    assert PathPlan.objects.values("person").distinct().count() == 15  # the last part done is planned again, not all


def test_a_job_that_gave_up_leaves_a_batch_that_can_be_finished_or_taken_back(m):
    batch = m.start()
    job = enqueue(kind="no.such.kind", key="gave-up", payload={}, here=False)
    Job.objects.filter(pk=job.pk).update(state=JobState.FAILED, finished_at=timezone.now())
    AssignmentBatch.objects.filter(pk=batch.pk).update(status=BatchStatus.APPLYING, job=job)
    assert apply_batch(batch=batch, by=m.officer).status == BatchStatus.APPLIED
    AssignmentBatch.objects.filter(pk=batch.pk).update(status=BatchStatus.APPLYING, applied_at=None, job=job)
    assert undo_batch(batch=batch, by=m.officer).status == BatchStatus.UNDONE


def test_somebody_who_was_faster_in_the_last_moment_keeps_what_she_gave(m, monkeypatch):
    batch = m.start()
    whole = applying._is_as_shown

    def looked(*args):
        seen = whole(*args)
        RoleAssignment.objects.create(person=m.ana, profile=m.profile, starts_on=date(2026, 1, 1))
        return seen

    monkeypatch.setattr(applying, "_is_as_shown", looked)
    apply_batch(batch=batch, by=m.officer)
    assert [(row.person.name, row.state) for row in rows_of(batch)] == [("Ana", "already"), ("Ben", "applied")]
    assert RoleAssignment.objects.filter(person=m.ana).count() == 1


def test_a_job_asked_for_before_there_were_batches_is_still_done(m):
    job = enqueue(
        kind=ASSIGN_JOB,
        key="old",
        payload={"profile": m.profile.pk, "due_on": "2030-06-30", "people": [m.ana.pk], "holding": []},
        by=m.officer,
    )
    job.refresh_from_db()
    assert (job.report, Assignment.objects.get().due_on) == ({"assigned": [m.ana.pk], "held": []}, LATER.on)


def test_two_hundred_people_are_applied_in_a_number_of_queries_that_does_not_grow(m, count_queries):
    m.crowd(3)
    few = m.start(press="few")
    asked = count_queries(lambda: apply_batch(batch=few, by=m.officer))
    undo_batch(batch=few, by=m.officer)
    m.crowd(30)
    many = m.start(press="many")
    assert count_queries(lambda: apply_batch(batch=many, by=m.officer)) <= asked + 4  # plans there already are compared


# --- Taking back -----------------------------------------------------------------------------------------------------
def test_what_was_given_and_moved_is_taken_back_and_a_doubled_press_does_it_once(m):
    m.apply(m.role(whom=Whom(person_ids=(m.ana.pk,)), due_policy=DuePolicy("fixed", on=date(2029, 1, 1))), press="one")
    before = fingerprint()
    batch = m.apply(m.role(existing=Existing.MOVE), press="two")
    assert fingerprint() != before
    undo_batch(batch=batch, by=m.officer)
    assert undo_batch(batch=batch, by=m.officer).status == BatchStatus.UNDONE
    assert (fingerprint(), states(batch)) == (before, {"restored": 2})
    role = RoleAssignment.objects.get(person=m.ben)
    assert role.starts_on == role.ends_on == timezone.localdate()
    assert ModelLogEntry.objects.filter(action="learning.undo", user=m.officer).count() == 1
    assert m.apply(press="three").counts["gains"] == 1  # it can be given again


def test_a_path_says_what_it_was_planned_anew_for(m):
    replan_many(person_ids=[m.ana.pk], reason=PlanReason.FIRST)
    make_course(m.version, {"C": 1}, key="pin", effort=10)
    Assignment.objects.create(person=m.ana, kind=AssignmentKind.COURSE, course_key="pin")
    replan_many(person_ids=[m.ana.pk], reason=PlanReason.ASSIGNMENT)

    def why():
        return PathPlan.objects.filter(person=m.ana).values_list("reason", "about").latest()

    batch = m.apply(m.for_course())
    assert why() == (PlanReason.ASSIGNMENT, "")
    undo_batch(batch=batch, by=m.officer)
    assert why() == (PlanReason.TAKEN_BACK, "")
    rule = make_rule(m)
    m.apply(m.for_course(whom=Whom(person_ids=(m.ana.pk,), rule_id=rule.pk)), "rule")
    assert why() == (PlanReason.RULE, rule.title)


def test_what_people_have_done_since_is_kept(m):
    m.crowd(2)
    batch = m.apply(m.for_course())
    _ana, ben, third, fourth = Assignment.objects.order_by("pk")
    Enrolment.objects.create(person=m.ana, course=m.course)
    Assignment.objects.filter(pk=ben.pk).update(due_on=date(2031, 1, 1))  # an extension was granted
    Assignment.objects.filter(pk=third.pk).update(exempted_at=timezone.now(), exempt_reason="Expert")
    Assignment.objects.filter(pk=fourth.pk).update(ended_on=timezone.localdate(), end_reason="ended")
    undo_batch(batch=batch, by=m.officer)
    assert states(batch) == {"restored": 1, "kept": 3}
    assert set(Assignment.objects.current().values_list("pk", flat=True)) == {ben.pk, third.pk}
    assert Assignment.objects.get(pk=fourth.pk).end_reason == "ended"
    assert Enrolment.objects.filter(person=m.ana).exists()


def test_after_a_week_it_stays(m):
    batch = m.apply()
    assert can_undo(batch)
    AssignmentBatch.objects.filter(pk=batch.pk).update(applied_at=timezone.now() - timedelta(days=7))
    with pytest.raises(CannotBeChanged):
        undo_batch(batch=batch, by=m.officer)
    assert Assignment.objects.current().count() == 2


def test_taking_back_that_is_interrupted_goes_on(m, monkeypatch):
    monkeypatch.setattr(applying, "BATCH", 5)
    m.crowd(10)
    before = fingerprint()
    batch = m.apply()
    whole, parts = applying._take_back_part, []

    def killed(*args):
        parts.append(args)
        if len(parts) == 2:
            raise RuntimeError("the worker is gone")
        return whole(*args)

    monkeypatch.setattr(applying, "_take_back_part", killed)
    undo_batch(batch=batch, by=m.officer)
    batch.refresh_from_db()
    assert (batch.status, Assignment.objects.current().count()) == (BatchStatus.UNDOING, 7)
    Job.objects.filter(pk=batch.job_id).update(not_before=timezone.now())
    run_job(batch.job_id)
    assert (fingerprint(), states(batch)) == (before, {"restored": 12})


# --- Rules -----------------------------------------------------------------------------------------------------------
def make_rule(m: Ministry, on_leaving: str = OnLeaving.END) -> AssignmentRule:
    return AssignmentRule.objects.create(
        title="All", unit=m.department, kind="course", course_key=m.course.key, on_leaving=on_leaving,
        created_by=m.officer,
    )  # fmt: skip


def make_path(m: Ministry, *, unit=None, keys=(), choose=None) -> CuratedPath:
    path = CuratedPath.objects.create(key=f"path-{make_unit().pk}", unit=unit or m.department, created_by=m.officer)
    version = CuratedVersion.objects.create(path=path, number=1, title={"en": "Path"}, status="published")
    stage = CuratedStage.objects.create(version=version, position=1, title={"en": "Stage"}, choose=choose)
    for position, key in enumerate(keys):
        CuratedItem.objects.create(stage=stage, position=position, course_key=key)
    return path


@pytest.mark.parametrize("leaving", list(OnLeaving))
def test_who_leaves_the_scope_of_a_rule_loses_it_as_the_rule_says_and_undo_brings_it_back(m, leaving):
    rule = make_rule(m, leaving)
    mine = Assignment.objects.create(person=m.ana, kind="course", course_key=m.course.key, rule=rule, due_on=LATER.on)
    before = fingerprint()
    ask = m.for_course(whom=Whom(person_ids=(m.ben.pk,), rule_id=rule.pk))
    batch = m.start(ask, losing=[mine])
    assert told(batch) == [("Ben", "gains", []), ("Ana", "loses", ["left_rule"])]
    apply_batch(batch=batch, by=None)
    mine.refresh_from_db()
    assert (mine.rule_id is None, mine.ended_on is None, mine.archived) == {
        OnLeaving.KEEP: (True, True, False),
        OnLeaving.END: (False, False, False),
        OnLeaving.ARCHIVE: (False, False, True),
    }[leaving]
    undo_batch(batch=batch, by=m.officer)
    assert (fingerprint(), states(batch)) == (before, {"restored": 2})


def test_what_was_given_again_since_is_not_brought_back_twice(m):
    rule = make_rule(m)
    mine = Assignment.objects.create(person=m.ana, kind="course", course_key=m.course.key, rule=rule)
    batch = m.apply(m.for_course(whom=Whom(person_ids=(m.ben.pk,), rule_id=rule.pk)), losing=[mine])
    m.apply(m.for_course(whom=Whom(person_ids=(m.ana.pk,))), press="again")
    undo_batch(batch=batch, by=m.officer)
    assert states(batch) == {"restored": 1, "kept": 1}
    assert Assignment.objects.current().filter(person=m.ana).count() == 1


# --- Whatever the world ----------------------------------------------------------------------------------------------
def shake(m: Ministry, seed: int) -> Ask:
    """A small world of people of whom some have it, some know it, some are exempt; and an ask."""
    chance = random.Random(seed)
    m.crowd(chance.randint(0, 4))
    people = [
        a.person for a in Appointment.objects.filter(post__unit__in=(m.department, m.team)).select_related("person")
    ]
    kind = chance.choice([AssignmentKind.ROLE, AssignmentKind.COURSE])
    for person in people:
        for code in "AB":
            if chance.random() < 0.4:
                give_evidence(person, competency(m.version, code), chance.randint(1, 4))
        if chance.random() < 0.4:
            due = chance.choice([None, date(2029, 1, 1), LATER.on])
            role = None
            if kind == AssignmentKind.ROLE:
                role = RoleAssignment.objects.create(person=person, profile=m.profile, starts_on=date(2026, 1, 1))
            Assignment.objects.create(
                person=person, kind=kind, role_assignment=role, course_key="" if role else m.course.key, due_on=due,
                exempted_at=timezone.now() if chance.random() < 0.2 else None,
            )  # fmt: skip
    policy = chance.choice([DuePolicy(), LATER, DuePolicy("after_assignment", days=chance.randint(1, 90))])
    existing = chance.choice(list(Existing))
    if kind == AssignmentKind.ROLE:
        return m.role(existing=existing, due_policy=policy)
    return m.for_course(existing=existing, due_policy=policy)


@pytest.mark.parametrize("seed", range(10))
def test_the_database_then_has_just_what_the_rows_said_and_undo_restores_just_what_was(m, seed):
    ask = shake(m, seed)
    before = fingerprint()
    expected = {a.person_id: a.due_on for a in Assignment.objects.current()}
    batch = m.start(ask)
    for row in rows_of(batch):
        if row.outcome in (RowOutcome.GAINS, RowOutcome.MOVES):
            expected[row.person_id] = row.due_on
    if not batch.counts["gains"] and not batch.counts["moves"]:
        return
    batch = apply_batch(batch=batch, by=m.officer)
    assert batch.status == BatchStatus.APPLIED
    assert {a.person_id: a.due_on for a in Assignment.objects.current()} == expected
    for row in rows_of(batch).filter(state=RowState.APPLIED):
        if ask.kind == AssignmentKind.ROLE:
            assert PathPlan.objects.filter(person=row.person).latest().effort_minutes == row.minutes
    undo_batch(batch=batch, by=m.officer)
    assert fingerprint() == before


# --- Two at once -----------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    connection.vendor == "sqlite",
    reason="the threads of a test would share one SQLite connection; the race is run on PostgreSQL",
)
@pytest.mark.parametrize("kind", ["role", "course"])
def test_two_officers_with_overlapping_batches_double_nobody_and_both_reports_are_true(kind, monkeypatch):
    m = Ministry()
    m.crowd(60)
    other = make_person("Second officer")
    make_hr(other, m.department)
    ask = m.role() if kind == "role" else m.for_course()
    batches = [m.start(ask), start_batch(officer=other, ask=ask, token="t")]
    monkeypatch.setattr(applying, "BATCH", 7)
    whole, barrier = applying._is_as_shown, Barrier(2)

    def both_look_first(*args):
        seen = whole(*args)
        barrier.wait(timeout=60)
        return seen

    monkeypatch.setattr(applying, "_is_as_shown", both_look_first)
    AssignmentBatch.objects.update(status=BatchStatus.APPLYING)
    faults = []

    def work(batch, by):
        try:
            applying.give(AssignmentBatch.objects.select_related("profile", "rule").get(pk=batch.pk), by)
        except Exception as fault:  # shown below
            faults.append(fault)
        finally:
            connection.close()

    threads = [Thread(target=work, args=pair) for pair in zip(batches, (m.officer, other), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert faults == []
    assert set(Counter(Assignment.objects.values_list("person_id", flat=True)).values()) == {1}
    assert Assignment.objects.count() == 62
    for batch in batches:
        batch.refresh_from_db()
        mine = set(Assignment.objects.filter(batch=batch).values_list("person_id", flat=True))
        said = set(BatchRow.objects.filter(batch=batch, state="applied").values_list("person_id", flat=True))
        assert (batch.status, mine) == (BatchStatus.APPLIED, said)
        assert states(batch).get("applied", 0) + states(batch).get("already", 0) == 62


def test_who_is_in_a_batch_that_is_being_applied_waits(m):
    first = m.start()
    AssignmentBatch.objects.filter(pk=first.pk).update(status=BatchStatus.APPLYING)
    Job.objects.filter(pk=first.job_id).update(state=JobState.RUNNING)
    assert told(m.start(press="second")) == [("Ana", "conflict", ["under_way"]), ("Ben", "conflict", ["under_way"])]


# --- What was recommended becomes mandatory --------------------------------------------------------------------------
def recommended(m, due_on=LATER.on) -> Assignment:
    m.apply(m.for_course(mandatory=False, note="For who likes", due_policy=DuePolicy("fixed", on=due_on)), "first")
    return Assignment.objects.get(person=m.ana)


def test_what_was_recommended_becomes_mandatory_with_its_date_and_undo_makes_it_recommended_again(m):
    before = recommended(m)
    wishes.decline_course(person=m.ana, key=m.course.key, reason="Not now.", by=m.ana)
    later = DuePolicy("fixed", on=date(2031, 1, 31))
    batch = m.start(m.for_course(note="The law asks for it", due_policy=later), "law")
    assert [(row.outcome, row.reasons, row.due_on) for row in rows_of(batch)] == [
        (RowOutcome.BINDS, ["other_date"], LATER.on)
    ] * 2
    assert not PathPlan.objects.filter(person=m.ana).latest().steps.exists()
    apply_batch(batch=batch, by=m.officer)
    now = Assignment.objects.get(pk=before.pk)
    assert (now.mandatory, now.note, now.due_on, now.due_policy) == (
        True, "The law asks for it", LATER.on, before.due_policy,
    )  # fmt: skip
    assert PathPlan.objects.filter(person=m.ana).latest().steps.get().course == m.course  # declining removes it no more
    undo_batch(batch=batch, by=m.officer)
    again = Assignment.objects.get(pk=before.pk)
    assert (again.mandatory, again.note, again.due_on) == (False, "For who likes", LATER.on)
    assert states(AssignmentBatch.objects.get(pk=batch.pk)) == {"restored": 2}


def test_with_another_date_it_moves_and_becomes_mandatory_and_both_come_back(m):
    before = recommended(m)
    later = DuePolicy("fixed", on=date(2031, 1, 31))
    batch = m.start(m.for_course(due_policy=later, existing=Existing.MOVE), "law")
    assert {(row.outcome, *row.reasons) for row in rows_of(batch)} == {(RowOutcome.MOVES, "becomes_mandatory")}
    apply_batch(batch=batch, by=m.officer)
    now = Assignment.objects.get(pk=before.pk)
    assert (now.mandatory, now.due_on) == (True, later.on)
    undo_batch(batch=batch, by=m.officer)
    now = Assignment.objects.get(pk=before.pk)
    assert (now.mandatory, now.due_on, now.due_policy) == (False, LATER.on, before.due_policy)


def test_recommending_what_is_mandatory_leaves_it_mandatory(m):
    m.apply(m.for_course(), "first")
    batch = m.start(m.for_course(mandatory=False), "second")
    assert {row.outcome for row in rows_of(batch)} == {RowOutcome.HOLDS}


def test_the_same_again_binds_nobody_twice(m):
    recommended(m)
    m.apply(m.for_course(), "law")
    assert {row.outcome for row in rows_of(m.start(m.for_course(), "once more"))} == {RowOutcome.HOLDS}


# --- The dry run and what is true once it is applied ------------------------------------------------------------------
def test_a_date_called_unrealistic_is_so_once_it_is_given_and_the_minutes_are_those_then(m):
    """Another role without a date, a course half done, another course due before: what is due by then counts, no more."""
    day = timezone.localdate()
    more = make_profile(m.version, {"C": 3}, title="Without a date")
    make_course(m.version, {"C": 3}, key="undated", effort=900)
    RoleAssignment.objects.create(person=m.ana, profile=more, starts_on=day)
    make_course(m.version, {"C": 1}, key="soon", effort=60)
    for person in (m.ana, m.ben):
        Assignment.objects.create(
            person=person, kind=AssignmentKind.COURSE, course_key="soon", due_on=day + timedelta(days=5)
        )
    replan_many(person_ids=[m.ana.pk, m.ben.pk], reason=PlanReason.ROLE)
    # Eleven hours at two a week are 39 days.
    for days, told in ((37, True), (38, False)):
        batch = m.start(m.role(due_policy=DuePolicy("fixed", on=day + timedelta(days=days))), f"in {days}")
        assert {"unrealistic" in row.reasons for row in rows_of(batch)} == {told}
        if told:
            assert {row.realistic_on for row in rows_of(batch)} == {day + timedelta(days=38)}
    apply_batch(batch=batch, by=m.officer)
    rooms = rooms_of([m.ana.pk, m.ben.pk], day)
    due_on = day + timedelta(days=38)
    assert {rooms[pk].minutes_by(due_on) for pk in rooms} == {660}
    assert all(room.is_enough(due_on) for room in rooms.values())


def test_what_is_done_of_a_course_begun_counts_in_the_dry_run(m):
    day = timezone.localdate()
    course = make_course(m.version, {"C": 1}, key="half", effort=600, lessons=4)
    enrolment = Enrolment.objects.create(person=m.ana, course=course)
    for lesson in lessons_of(course)[:2]:
        LessonProgress.objects.create(enrolment=enrolment, lesson=lesson, completed_at=timezone.now())
    left = course_states([enrolment])[enrolment.pk].minutes_left
    assert 0 < left < 600
    days = -(-left * 7 // 120)  # at two hours a week, today among them
    in_time = DuePolicy("fixed", on=day + timedelta(days=days - 1))
    ana, ben = rows_of(m.start(Ask(AssignmentKind.COURSE, m.whom, course_key="half", due_policy=in_time)))
    assert ("unrealistic" in ana.reasons, "unrealistic" in ben.reasons) == (False, True)
