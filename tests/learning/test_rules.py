"""Standing rules: who meets one has it, who leaves loses it as the rule says, and nothing happens unconfirmed."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from wagtail.models import ModelLogEntry

from competencies.enums import EvidenceKind
from competencies.models import RoleAssignment
from learning import applying
from learning.conditions import AllOf, HasLanguage, HasRole, HasTag, HoldsLevel, InUnit, Not
from learning.due_dates import DuePolicy
from learning.enums import AssignmentKind, BatchStatus, EndReason, OnLeaving
from learning.models import Assignment, AssignmentBatch, AssignmentRule
from learning.rule_sweep import check_people, differences, members_of, sweep_rule
from learning.rules import (
    RuleRefused,
    Said,
    change_rule,
    digest_of,
    make_rule,
    newest_try,
    start_rule,
    stop_rule,
    try_rule,
    what_is_stuck,
)
from learning.tasks import ask_for_rules
from organisations.jobs import sweep as hand_over_jobs
from organisations.models import Appointment, Job, PersonTag, User
from tests.builders import (
    appoint,
    competency,
    give_evidence,
    make_course,
    make_framework,
    make_hr,
    make_person,
    make_post,
    make_profile,
    make_unit,
    many_people,
)

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate()
TAGGED = HasTag("new manager")


class Office:
    """A unit with an officer, a unit below, a course, and people."""

    def __init__(self) -> None:
        self.version = make_framework(codes="AB")
        self.unit = make_unit()
        self.below = make_unit(parent=self.unit)
        self.unit.refresh_from_db()
        self.officer = make_person()
        make_hr(self.officer, self.unit)
        make_course(self.version, {"A": 3}, key="gdpr")

    def person(self, *, tagged: bool = True, below: bool = True) -> User:
        person = make_person()
        make_post(self.below if below else self.unit, holder=person)
        if tagged:
            PersonTag.objects.create(person=person, name="new manager")
        return person

    def said(self, **changes: object) -> Said:
        said = Said(
            title="Data protection for new managers",
            unit=self.unit,
            condition=TAGGED,
            kind=AssignmentKind.COURSE,
            course_key="gdpr",
            on_leaving=OnLeaving.END,
            due_policy=DuePolicy("after_assignment", days=30),
        )
        return replace(said, **changes)

    def working(self, **changes: object) -> AssignmentRule:
        return confirmed(make_rule(said=self.said(**changes), by=self.officer), self.officer)


@pytest.fixture
def office(db: None) -> Office:
    return Office()


def tried(rule: AssignmentRule, by: User, press: str = "t") -> AssignmentBatch:
    try_rule(rule=rule, by=by, token=press)
    batch = newest_try(rule)
    assert batch is not None
    return batch


def confirmed(rule: AssignmentRule, by: User, press: str = "t") -> AssignmentRule:
    start_rule(rule=rule, batch=tried(rule, by, press), by=by)
    rule.refresh_from_db()
    return rule


def having(rule: AssignmentRule) -> set[int]:
    return set(Assignment.objects.current().filter(course_key=rule.course_key).values_list("person_id", flat=True))


def untag(person: User) -> None:
    PersonTag.objects.get(person=person).delete()


# --- From saying to working ------------------------------------------------------------------------------------------
def test_a_rule_does_nothing_before_its_dry_run_is_confirmed(office):
    person = office.person()
    rule = make_rule(said=office.said(), by=office.officer)
    assert sweep_rule(rule=rule, day=TODAY) is None
    batch = tried(rule, office.officer)
    assert [row.person for row in batch.rows.all()] == [person]
    assert not Assignment.objects.exists() and not AssignmentRule.objects.get().is_working
    rule = start_rule(rule=rule, batch=batch, by=office.officer)
    assert rule.is_working
    given = Assignment.objects.get()
    assert (given.person, given.rule, given.due_on) == (person, rule, TODAY + timedelta(days=30))


def test_pressing_twice_makes_one_rule_one_dry_run_and_one_start(office):
    office.person()
    rules = [make_rule(said=office.said(), by=office.officer) for _ in range(2)]
    assert rules[0] == rules[1]
    batches = [tried(rules[0], office.officer) for _ in range(2)]
    assert batches[0] == batches[1]
    for _ in range(2):
        start_rule(rule=rules[0], batch=batches[0], by=office.officer)
    assert Assignment.objects.count() == 1
    assert ModelLogEntry.objects.filter(action="learning.start_rule").count() == 1


def test_a_rule_that_reaches_nobody_yet_can_be_started_and_waits_for_who_joins(office):
    rule = office.working()
    assert rule.is_working and not Assignment.objects.exists()
    person = office.person()
    assert having(rule) == {person.pk}


def test_a_changed_rule_works_again_only_after_a_new_confirmed_dry_run(office):
    person = office.person()
    rule = office.working()
    old = newest_try(rule)
    rule = change_rule(
        rule=rule, said=office.said(condition=HasLanguage("es")), by=office.officer, seen=digest_of(rule)
    )
    assert not rule.is_working and newest_try(rule) is None
    assert sweep_rule(rule=rule, day=TODAY) is None
    assert having(rule) == {person.pk}, "what it gave stays until then"
    with pytest.raises(RuleRefused):
        start_rule(rule=rule, batch=old, by=office.officer)
    rule = confirmed(rule, office.officer, "again")
    assert rule.is_working and having(rule) == set()


def test_a_rule_changed_and_changed_back_needs_its_dry_run_all_the_same(office):
    rule = office.working()
    for said in (office.said(mandatory=False), office.said()):
        rule = change_rule(rule=rule, said=said, by=office.officer, seen=digest_of(rule))
    ask_for_rules(at=timezone.now())
    rule.refresh_from_db()
    assert not rule.is_working


def test_another_title_is_no_other_rule(office):
    rule = office.working()
    rule = change_rule(rule=rule, said=office.said(title="Better"), by=office.officer, seen=digest_of(rule))
    assert rule.is_working and rule.title == "Better"


def test_who_changes_a_rule_that_somebody_changed_meanwhile_is_told(office):
    rule = office.working()
    seen = digest_of(rule)
    change_rule(rule=rule, said=office.said(mandatory=False), by=office.officer, seen=seen)
    with pytest.raises(RuleRefused):
        change_rule(rule=rule, said=office.said(note="Other"), by=office.officer, seen=seen)


def test_a_rule_may_not_ask_for_the_role_it_gives(office):
    profile = make_profile(office.version, {"A": 2})
    said = office.said(
        kind=AssignmentKind.ROLE, profile=profile, course_key="", condition=Not(HasRole(str(profile.lineage)))
    )
    with pytest.raises(RuleRefused):
        make_rule(said=said, by=office.officer)


def test_a_rule_that_has_given_something_cannot_give_something_else(office):
    make_course(office.version, {"B": 3}, key="other")
    office.person()
    rule = office.working()
    with pytest.raises(RuleRefused):
        change_rule(rule=rule, said=office.said(course_key="other"), by=office.officer, seen=digest_of(rule))


def test_an_officer_makes_no_rule_for_a_unit_she_does_not_serve(office):
    with pytest.raises(RuleRefused):
        make_rule(said=office.said(unit=make_unit()), by=office.officer)


# --- Joining, moving, leaving ----------------------------------------------------------------------------------------
def test_who_joins_gets_it_at_once_and_who_is_elsewhere_does_not(office):
    rule = office.working()
    inside = office.person()
    outside = make_person()
    make_post(make_unit(), holder=outside)
    PersonTag.objects.create(person=outside, name="new manager")
    assert having(rule) == {inside.pk}
    appoint(outside, make_post(office.below))
    assert having(rule) == {inside.pk, outside.pk}


@pytest.mark.parametrize("then", OnLeaving)
def test_who_leaves_keeps_it_or_not_as_the_rule_says(office, then):
    person = office.person()
    rule = office.working(on_leaving=then)
    untag(person)
    given = Assignment.objects.get()
    assert given.archived == (then == OnLeaving.ARCHIVE)
    if then == OnLeaving.KEEP:
        assert (given.ended_on, given.rule) == (None, None)
    else:
        assert (given.ended_on, given.end_reason, given.rule) == (TODAY, EndReason.LEFT_RULE, rule)


def test_who_moves_out_of_the_unit_leaves_its_rule(office):
    person = office.person()
    rule = office.working()
    appointment = Appointment.objects.get(person=person)
    appointment.ends_on = TODAY
    appointment.save()
    assert having(rule) == set()


def test_who_is_no_longer_active_leaves(office):
    person = office.person()
    rule = office.working()
    person.is_active = False
    person.save()
    assert having(rule) == set()


def test_who_comes_back_gets_it_again_as_a_new_assignment(office):
    person = office.person()
    rule = office.working()
    untag(person)
    PersonTag.objects.create(person=person, name="new manager")
    first, second = Assignment.objects.order_by("pk")
    assert (first.end_reason, second.ended_on, second.rule) == (EndReason.LEFT_RULE, None, rule)


def test_a_role_given_by_a_rule_ends_with_it(office):
    profile = make_profile(office.version, {"A": 2})
    person = office.person()
    rule = office.working(kind=AssignmentKind.ROLE, profile=profile, course_key="")
    assert RoleAssignment.objects.current().get().person == person
    untag(person)
    assert not RoleAssignment.objects.current().exists()
    assert Assignment.objects.get().rule == rule


def test_a_rule_on_levels_lets_go_of_who_has_reached_the_level(office):
    a = competency(office.version, "A")
    person = office.person()
    rule = office.working(condition=AllOf((TAGGED, HoldsLevel(str(a.lineage), below=2))))
    assert having(rule) == {person.pk}
    give_evidence(person, a, 2, EvidenceKind.MANAGER, by=office.officer)
    assert having(rule) == set()


def test_what_was_given_by_hand_is_left_alone_and_stays_by_hand(office):
    person = office.person()
    by_hand = Assignment.objects.create(person=person, kind="course", course_key="gdpr", due_on=TODAY)
    office.working()
    assert list(Assignment.objects.all()) == [by_hand]
    untag(person)
    by_hand.refresh_from_db()
    assert (by_hand.rule, by_hand.ended_on, by_hand.due_on) == (None, None, TODAY)


def test_who_leaves_one_rule_and_meets_another_keeps_it_by_that_one(office):
    person = office.person()
    office.working()
    other = office.working(title="All in the unit", condition=InUnit(office.unit.pk, office.unit.path, True))
    assert Assignment.objects.filter(person=person).count() == 1
    untag(person)
    given = Assignment.objects.get(person=person)
    assert (given.rule, given.ended_on) == (other, None)


# --- Sweeps ----------------------------------------------------------------------------------------------------------
def shuffle_quietly(office: Office, people: list[int], luck: random.Random) -> None:
    """Change tags, languages and posts past all news."""
    PersonTag.objects.all().delete()
    PersonTag.objects.bulk_create(PersonTag(person_id=pk, name="new manager") for pk in people if luck.random() < 0.5)
    for pk in people:
        User.objects.filter(pk=pk).update(language=luck.choice(["en", "es", "es-mx"]))
    gone = luck.sample(people, 4)
    Appointment.objects.filter(person_id__in=people).update(ends_on=None)
    Appointment.objects.filter(person_id__in=gone).update(ends_on=TODAY)


@pytest.mark.parametrize("seed", range(4))
def test_after_a_sweep_exactly_the_members_have_it_and_the_next_does_nothing(office, seed):
    luck = random.Random(seed)
    people = many_people(20, office.below)
    rule = office.working(condition=AllOf((TAGGED, Not(HasLanguage("es")))))
    for _round in range(3):
        shuffle_quietly(office, people, luck)
        sweep_rule(rule=rule, day=TODAY)
        assert having(rule) == members_of(rule, TODAY)
        before = list(Assignment.objects.values_list("pk", "ended_on")), AssignmentBatch.objects.count()
        assert sweep_rule(rule=rule, day=TODAY) is None
        assert (list(Assignment.objects.values_list("pk", "ended_on")), AssignmentBatch.objects.count()) == before


def test_a_sweep_says_in_the_log_what_it_did_and_that_nobody_pressed_for_it(office):
    person = office.person()
    rule = office.working()
    PersonTag.objects.filter(person=person).delete()
    User.objects.filter(pk=person.pk).update(language="en")
    batch = sweep_rule(rule=rule, day=TODAY) or rule.batches.filter(created_by=None).get()
    assert (batch.created_by, batch.rule, batch.status) == (None, rule, BatchStatus.APPLIED)
    entry = ModelLogEntry.objects.get(action="learning.sweep_rule")
    assert entry.user is None and entry.data == {"batch": batch.pk, "gaining": 0, "leaving": 1}


def test_the_hourly_sweep_heals_what_no_news_told(office):
    rule = office.working()
    (pk,) = many_people(1, office.below)
    PersonTag.objects.bulk_create([PersonTag(person_id=pk, name="new manager")])
    assert having(rule) == set()
    ask_for_rules(at=timezone.now())
    assert having(rule) == {pk}
    jobs = Job.objects.count()
    ask_for_rules(at=timezone.now())
    assert Job.objects.count() == jobs, "once an hour, however often it is asked"


def test_a_worker_killed_in_the_middle_leaves_nothing_double_and_the_next_goes_on(office, monkeypatch):
    rule = office.working()
    people = many_people(30, office.below)
    PersonTag.objects.bulk_create(PersonTag(person_id=pk, name="new manager") for pk in people)
    monkeypatch.setattr(applying, "BATCH", 10)
    parts, real = [], applying._give_part

    def killed(*args: object) -> list[int]:
        if len(parts) == 1:
            raise SystemExit
        parts.append(1)
        return real(*args)

    monkeypatch.setattr(applying, "_give_part", killed)
    with pytest.raises(SystemExit):
        sweep_rule(rule=rule, day=TODAY)
    assert Assignment.objects.count() == 10
    monkeypatch.setattr(applying, "_give_part", real)
    assert sweep_rule(rule=rule, day=TODAY) is None, "another worker is believed to be at it"
    Job.objects.filter(state="running").update(lease_until=timezone.now() - timedelta(minutes=5))
    hand_over_jobs()
    assert sorted(Assignment.objects.values_list("person_id", flat=True)) == people
    assert sweep_rule(rule=rule, day=TODAY) is None
    assert rule.batches.filter(created_by=None).get().status == BatchStatus.APPLIED


def test_a_unit_that_is_gone_stops_a_rule_from_guessing(office):
    person = office.person()
    extra = make_unit(parent=office.unit)
    rule = office.working(condition=AllOf((TAGGED, Not(InUnit(extra.pk, extra.path, True)))))
    extra.delete()
    assert what_is_stuck(rule)
    untag(person)
    assert sweep_rule(rule=rule, day=TODAY) is None
    assert having(rule) == {person.pk}


def test_a_unit_that_moves_takes_its_people_out_of_the_rule(office):
    rule = office.working()
    person = office.person()
    office.below.refresh_from_db()
    office.below.move(make_unit(), "last-child")
    sweep_rule(rule=rule, day=TODAY)
    assert having(rule) == set() and Assignment.objects.get().person == person


def test_taking_back_what_started_a_rule_stops_it(office):
    from learning.batches import undo_batch

    office.person()
    rule = office.working()
    undo_batch(batch=newest_try(rule), by=office.officer)
    rule.refresh_from_db()
    assert not rule.is_working and having(rule) == set()
    ask_for_rules(at=timezone.now())
    assert having(rule) == set()


@pytest.mark.parametrize(("then", "left"), [(OnLeaving.KEEP, 1), (OnLeaving.END, 0)])
def test_stopping_a_rule_keeps_or_ends_what_it_gave_and_gives_nothing_more(office, then, left):
    office.person()
    rule = office.working()
    for _ in range(2):
        rule = stop_rule(rule=rule, then=then, by=office.officer)
    assert len(having(rule)) == left
    office.person()
    ask_for_rules(at=timezone.now())
    assert len(having(rule)) == left


def test_a_stopped_rule_starts_again_with_a_new_dry_run(office):
    person = office.person()
    rule = stop_rule(rule=office.working(), then=OnLeaving.END, by=office.officer)
    ask_for_rules(at=timezone.now())
    rule.refresh_from_db()
    assert not rule.is_working
    rule = confirmed(rule, office.officer, "again")
    assert rule.is_working and having(rule) == {person.pk}


# --- Numbers ---------------------------------------------------------------------------------------------------------
def test_looking_at_200_people_takes_as_many_queries_as_at_10(office, count_queries):
    rule = office.working(condition=AllOf((TAGGED, Not(HasLanguage("es")))))
    people = many_people(10, office.below)
    PersonTag.objects.bulk_create(PersonTag(person_id=pk, name="new manager") for pk in people[::2])
    few = count_queries(lambda: differences(rule, TODAY))
    people = many_people(190, office.below)
    PersonTag.objects.bulk_create(PersonTag(person_id=pk, name="new manager") for pk in people[::2])
    assert count_queries(lambda: differences(rule, TODAY)) == few


def test_news_about_somebody_whom_no_rule_concerns_costs_the_same_for_one_rule_as_for_five(office, count_queries):
    person = office.person(tagged=False)
    office.working()
    one = count_queries(lambda: check_people([person.pk], TODAY))
    for n in range(4):
        office.working(title=f"Rule {n}", note=str(n))
    assert count_queries(lambda: check_people([person.pk], TODAY)) == one


def test_without_a_working_rule_news_ask_for_no_job(office):
    make_rule(said=office.said(), by=office.officer)
    office.person()
    assert not Job.objects.filter(kind="learning.check_rules").exists()


# --- At once ---------------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_sweeps_at_once_leave_everybody_with_one_assignment():
    office = Office()
    rule = office.working()
    people = many_people(60, office.below)
    PersonTag.objects.bulk_create(PersonTag(person_id=pk, name="new manager") for pk in people)
    gate, faults = threading.Barrier(4), []

    def run() -> None:
        try:
            gate.wait(timeout=10)
            sweep_rule(rule=rule, day=TODAY)
        except Exception as error:  # the test looks at it
            faults.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not faults
    assert sorted(Assignment.objects.values_list("person_id", flat=True)) == people
    sweep_rule(rule=rule, day=TODAY)
    assert Assignment.objects.count() == 60
