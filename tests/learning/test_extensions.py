"""More time: a person asks, her manager answers, or HR where there is none; nobody for herself."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from wagtail.models import ModelLogEntry

from learning import extensions
from learning.due_dates import AFTER_ASSIGNMENT, DuePolicy, write_policy
from learning.enums import AssignmentKind, Decision, PlanReason
from learning.extensions import (
    ExtensionDecided,
    ExtensionRefused,
    ask_extension,
    deciders_of,
    grant_extension,
    refuse_extension,
    requests_for,
    withdraw_extension,
)
from learning.models import Assignment, ExtensionRequest, LearningPeriod
from learning.selectors import assignments_of, current_plans, path_of
from learning.services import replan
from organisations.models import Appointment, Leave
from tests.builders import make_course, make_framework, make_hr, make_person, make_post, make_unit

pytestmark = pytest.mark.django_db


def in_days(n: int) -> date:
    return timezone.localdate() + timedelta(days=n)


def asked(person, due_on, key="privacy", **fields) -> Assignment:
    assignment = Assignment.objects.create(
        person=person, kind=AssignmentKind.COURSE, course_key=key, due_on=due_on, **fields
    )
    replan(person=person, reason=PlanReason.ASSIGNMENT)
    return assignment


class Team:
    """A head of unit, an officer below a vacant chair, and who serves their unit as HR officer."""

    def __init__(self):
        self.unit = make_unit()
        self.head, self.ana, self.hr = make_person("Head"), make_person("Ana"), make_person("Hera")
        self.top = make_post(self.unit, holder=self.head)
        self.vacant = make_post(self.unit, reports_to=self.top)
        make_post(self.unit, holder=self.ana, reports_to=self.vacant)
        make_hr(self.hr, self.unit)
        make_course(make_framework(codes="A"), {"A": 2}, key="privacy", effort=600)
        self.assignment = asked(
            self.ana, in_days(10), due_policy=write_policy(DuePolicy(AFTER_ASSIGNMENT, days=10)), mandatory=True
        )

    def ask(self, until=None, reason="Two weeks of budget talks.", **kwargs) -> ExtensionRequest:
        return ask_extension(
            assignment=self.assignment, until=until or in_days(40), reason=reason, by=self.ana, **kwargs
        )

    def due(self) -> date | None:
        return Assignment.objects.get(pk=self.assignment.pk).due_on


@pytest.fixture
def team() -> Team:
    return Team()


def client_of(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


# --- Asking ----------------------------------------------------------------------------------------------------------
def test_asking_moves_nothing_and_tells_the_manager_above_the_vacant_chair(team):
    request = team.ask()
    assert team.due() == in_days(10)
    assert request.due_before == in_days(10)
    [letter] = mail.outbox
    assert letter.to == [team.head.email]
    assert "asks for more time for “Privacy”" in letter.subject
    assert "Two weeks of budget talks." in letter.body
    assert f"/team/extensions/{request.pk}/" in letter.body


def test_a_doubled_press_is_one_request_and_one_mail_and_another_one_waits(team):
    first = team.ask()
    assert team.ask() == first
    with pytest.raises(ExtensionRefused, match="You have asked already"):
        team.ask(in_days(60))
    assert ExtensionRequest.objects.count() == 1
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    ("days", "sentence"),
    [(-1, "after today"), (0, "after today"), (5, "is due on"), (10, "is due on"), (5000, "ten years")],
)
def test_a_date_that_helps_nobody_is_refused_with_a_sentence(team, days, sentence):
    with pytest.raises(ExtensionRefused, match=sentence) as refused:
        team.ask(in_days(days))
    assert refused.value.field == "until"
    assert not ExtensionRequest.objects.exists()


def test_only_the_person_asks_and_only_for_what_is_asked_of_her_with_a_date(team):
    with pytest.raises(ExtensionRefused, match="Only the person herself"):
        ask_extension(assignment=team.assignment, until=in_days(40), reason="Please.", by=team.head)
    with pytest.raises(ExtensionRefused, match="no due date"):
        other = asked(team.ana, None, key="other")
        ask_extension(assignment=other, until=in_days(40), reason="Please.", by=team.ana)
    with pytest.raises(ExtensionRefused, match="no longer asked"):
        over = asked(team.ana, in_days(10), key="over", ended_on=in_days(0))
        ask_extension(assignment=over, until=in_days(40), reason="Please.", by=team.ana)
    with pytest.raises(ExtensionRefused, match="comes round again"):
        again = asked(team.ana, in_days(10), key="again", repeat={"every_months": 12})
        LearningPeriod.objects.create(
            assignment=again, number=1, opens_on=in_days(0), due_on=in_days(10), grace_until=in_days(10)
        )
        ask_extension(assignment=again, until=in_days(40), reason="Please.", by=team.ana)


def test_a_request_may_be_withdrawn_and_asked_anew(team):
    request = team.ask()
    withdraw_extension(request=request, by=team.ana)
    assert withdraw_extension(request=request, by=team.ana).decision == Decision.WITHDRAWN
    with pytest.raises(ExtensionRefused, match="Only who asked"):
        withdraw_extension(request=request, by=team.head)
    with pytest.raises(ExtensionDecided, match="withdrawn"):
        grant_extension(request=request, by=team.head, until=in_days(40))
    assert team.ask(in_days(50)).pk != request.pk


# --- Deciding --------------------------------------------------------------------------------------------------------
def test_granting_moves_the_date_plans_the_path_and_tells_the_person(team):
    request = team.ask()
    mail.outbox.clear()
    granted = grant_extension(request=request, by=team.head, until=in_days(30), answer="As agreed.")
    assert team.due() == granted.granted_until == in_days(30)
    assert granted.due_before == in_days(10)
    [step] = current_plans([team.ana.pk])[team.ana.pk].steps.all()
    assert step.due_on == in_days(30)
    plan = current_plans([team.ana.pk])[team.ana.pk]
    assert (plan.reason, plan.about) == (PlanReason.EXTENDED, "Privacy")
    [letter] = mail.outbox
    assert letter.to == [team.ana.email]
    assert "“Privacy” is due on" in letter.subject
    assert "As agreed." in letter.body
    entry = ModelLogEntry.objects.get(action="learning.grant_extension")
    assert entry.user == team.head
    assert entry.data == {"request": request.pk, "from": str(in_days(10)), "to": str(in_days(30))}


def test_granting_twice_is_once_and_a_second_mind_comes_too_late(team):
    request = team.ask()
    for _ in range(2):
        grant_extension(request=request, by=team.head, until=in_days(30))
    assert ModelLogEntry.objects.filter(action="learning.grant_extension").count() == 1
    with pytest.raises(ExtensionDecided, match="decided already, by Head"):
        refuse_extension(request=request, by=team.hr, answer="No.")
    with pytest.raises(ExtensionDecided):
        grant_extension(request=request, by=team.head, until=in_days(90))
    assert team.due() == in_days(30)


def test_what_is_granted_is_what_is_due_whatever_leave_is_known_and_later_leave_moves_it(team):
    Leave.objects.create(person=team.ana, starts_on=in_days(5), ends_on=in_days(8))
    assert team.due() == in_days(13)
    grant_extension(request=team.ask(), by=team.head, until=in_days(30))
    assert team.due() == in_days(30)
    later = Leave.objects.create(person=team.ana, starts_on=in_days(20), ends_on=in_days(24))
    assert team.due() == in_days(34)
    later.delete()
    assert team.due() == in_days(30)


def test_refusing_needs_an_answer_and_leaves_the_date(team):
    request = team.ask()
    mail.outbox.clear()
    with pytest.raises(ExtensionRefused, match="Say why"):
        refuse_extension(request=request, by=team.head, answer="  ")
    refuse_extension(request=request, by=team.head, answer="The law sets this date.")
    assert team.due() == in_days(10)
    [letter] = mail.outbox
    assert letter.subject == "No more time for “Privacy”"
    assert "The law sets this date." in letter.body
    assert team.ask(in_days(50)).pk != request.pk  # a new one may be asked


def test_nobody_decides_her_own_request_nor_that_of_a_stranger(team):
    make_hr(team.ana, team.unit)
    request = team.ask()
    for stranger in (team.ana, make_person()):
        with pytest.raises(ExtensionRefused, match="cannot decide"):
            grant_extension(request=request, by=stranger, until=in_days(40))
        assert request not in requests_for(stranger, in_days(0))
    team.ana.is_superuser = True
    team.ana.save()
    assert request not in requests_for(team.ana, in_days(0))


def test_hr_decides_too_and_is_asked_where_there_is_no_manager(team):
    boss_asks = asked(team.head, in_days(10), key="top")
    request = ask_extension(assignment=boss_asks, until=in_days(40), reason="Please.", by=team.head)
    assert [letter.to for letter in mail.outbox] == [[team.hr.email]]
    assert requests_for(team.hr, in_days(0)) == [request]
    of_ana = team.ask()
    assert requests_for(team.hr, in_days(0)) == [request]  # Ana's has a manager to answer it
    grant_extension(request=of_ana, by=team.hr, until=in_days(40))
    assert team.due() == in_days(40)


def test_the_nearest_hr_officer_is_asked_and_somebody_who_left_is_not(team):
    far, below = make_person("Far"), make_unit(parent=team.unit)
    make_hr(far, below)
    ben = make_person("Ben")
    make_post(below, holder=ben)
    assert deciders_of([ben.pk], in_days(0))[ben.pk].people == (far,)
    far.is_active = team.head.is_active = False
    far.save()
    team.head.save()
    assert deciders_of([ben.pk], in_days(0))[ben.pk].people == ()
    found = deciders_of([team.ana.pk], in_days(0))[team.ana.pk]
    assert (found.people, found.by_hr) == ((team.hr,), True)


def test_a_request_for_what_has_ended_cannot_be_granted_and_is_no_longer_listed(team):
    request = team.ask()
    Assignment.objects.filter(pk=team.assignment.pk).update(ended_on=in_days(0))
    assert requests_for(team.head, in_days(0)) == []
    with pytest.raises(ExtensionRefused, match="no longer asked"):
        grant_extension(request=request, by=team.head, until=in_days(40))


def test_a_manager_who_has_left_her_post_decides_no_longer(team):
    request = team.ask()
    Appointment.objects.filter(person=team.head).update(ends_on=in_days(0))
    with pytest.raises(ExtensionRefused, match="cannot decide"):
        grant_extension(request=request, by=team.head, until=in_days(40))


# --- Doors -----------------------------------------------------------------------------------------------------------
def test_the_path_offers_more_time_beside_the_step_and_suggests_what_can_be_met(team):
    client = client_of(team.ana)
    address = f"/learn/asked/{team.assignment.pk}/more-time/"
    assert address in client.get("/learn/path/").content.decode()
    assert address in client.get("/learn/").content.decode()
    page = client.get(address)
    # Ten hours at two hours a week are 35 days, today included.
    assert page.context["form"].initial["until"] == in_days(34)
    assert "Head decides." in page.content.decode()
    page = client.post(address, {"until": in_days(34).isoformat(), "reason": "Budget talks."}, follow=True)
    text = page.content.decode()
    assert "Asked for time until" in text
    assert address not in text
    assert client.get(address).status_code == 302  # asked already
    request = ExtensionRequest.objects.get()
    page = client.post(f"/learn/more-time/{request.pk}/withdraw/", follow=True)
    assert "Withdrawn" in page.content.decode()
    assert address in page.content.decode()


def test_a_date_too_early_comes_back_with_the_sentence_beside_it(team):
    page = client_of(team.ana).post(
        f"/learn/asked/{team.assignment.pk}/more-time/", {"until": in_days(3).isoformat(), "reason": "Please."}
    )
    assert page.status_code == 422
    assert "choose a later date" in page.content.decode()


def test_the_team_desk_begins_with_the_requests_and_the_page_decides(team):
    client = client_of(team.head)
    assert "extension request" not in client.get("/team/").content.decode()
    request = team.ask()
    assert "Decide 1 extension request" in client.get("/team/").content.decode()
    text = client.get("/team/extensions/").content.decode()
    assert "Two weeks of budget talks." in text
    address = f"/team/extensions/{request.pk}/"
    refused = client.post(address, {"decision": "refused", "answer": ""})
    assert refused.status_code == 422
    too_early = client.post(address, {"decision": "granted", "until": in_days(2).isoformat()})
    assert too_early.status_code == 422
    for _ in range(2):
        page = client.post(
            address, {"decision": "granted", "until": in_days(40).isoformat(), "answer": ""}, follow=True
        )
    assert "Granted: it is due on" in page.content.decode()
    assert team.due() == in_days(40)
    assert "Nobody asks for more time" in page.content.decode()
    assert "Granted by Head" in client.get(address).content.decode()
    assert "More time granted until" in client_of(team.ana).get("/learn/path/").content.decode()


def test_the_request_of_another_team_is_not_to_be_found(team):
    request = team.ask()
    stranger = make_person()
    make_post(make_unit(), holder=stranger)
    for person in (stranger, team.ana):
        assert client_of(person).get(f"/team/extensions/{request.pk}/").status_code == 404
    assert client_of(stranger).get(f"/learn/asked/{team.assignment.pk}/more-time/").status_code == 404
    assert client_of(stranger).post(f"/learn/more-time/{request.pk}/withdraw/").status_code == 404


def test_who_is_exempt_reads_why_and_is_offered_no_more_time(team):
    Assignment.objects.filter(pk=team.assignment.pk).update(
        exempted_at=timezone.now(), exempt_reason="Shown in an earlier post."
    )
    replan(person=team.ana, reason=PlanReason.ASSIGNMENT)
    text = client_of(team.ana).get("/learn/path/").content.decode()
    assert "Shown in an earlier post." in text
    assert "more-time" not in text
    assert not path_of(team.ana).steps


def test_pages_cost_the_same_for_many_requests(team, count_queries):
    def look():
        client_of(team.head).get("/team/extensions/")

    team.ask()
    look()
    one = count_queries(look)
    for n in range(6):
        person = make_person()
        make_post(team.unit, holder=person, reports_to=team.top)
        ask_extension(assignment=asked(person, in_days(10)), until=in_days(40), reason=f"Reason {n}.", by=person)
    assert len(requests_for(team.head, in_days(0))) == 7
    assert count_queries(look) == one


def test_what_is_asked_costs_the_same_for_many_assignments(team, count_queries):
    def look() -> tuple[extensions.AskedView, ...]:
        return extensions.asked_of(assignments_of(team.ana, in_days(0)).values(), in_days(0))

    team.ask()
    one = count_queries(look)
    for n in range(5):
        assignment = asked(team.ana, in_days(20), key=f"key-{n}")
        ask_extension(assignment=assignment, until=in_days(40), reason="Please.", by=team.ana)
    assert len(look()) == 6
    assert count_queries(look) == one
