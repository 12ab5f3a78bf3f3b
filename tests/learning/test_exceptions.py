"""The work list of what does not go as asked, and what an officer does about it."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from wagtail.models import ModelLogEntry

from competencies.services import assign_role
from courses.enums import CourseFormat
from learning import exceptions
from learning.enums import AssignmentKind, PlanReason
from learning.exceptions import (
    ActRefused,
    Kind,
    count_for,
    end_exemption,
    exempt,
    leave_as_it_is,
    set_due_date,
    worklist_of,
)
from learning.extensions import ask_extension
from learning.hr import desk_of
from learning.models import Assignment
from learning.selectors import current_plans
from learning.services import replan, replan_many
from organisations.models import Leave
from tests.builders import (
    make_course,
    make_framework,
    make_hr,
    make_person,
    make_post,
    make_profile,
    make_unit,
    take_course,
)

pytestmark = pytest.mark.django_db


def in_days(n: int) -> date:
    return timezone.localdate() + timedelta(days=n)


class House:
    """A unit with its HR officer, and a course of ten hours: 35 days at two hours a week."""

    def __init__(self):
        self.version = make_framework(codes="AB")
        self.unit = make_unit("Here")
        self.hr = make_person("Hera")
        make_hr(self.hr, self.unit)
        self.boss = make_person("Boss")
        self.top = make_post(self.unit, holder=self.boss)
        self.course = make_course(self.version, {"A": 2}, key="privacy", effort=600)

    def person(self, name: str, unit=None):
        person = make_person(name)
        make_post(unit or self.unit, holder=person, reports_to=self.top)
        return person

    def asks(self, person, due_on=None, key="privacy", **fields) -> Assignment:
        assignment = Assignment.objects.create(
            person=person,
            kind=AssignmentKind.COURSE,
            course_key=key,
            due_on=due_on,
            assigned_on=in_days(-100),
            **fields,
        )
        replan(person=person, reason=PlanReason.ASSIGNMENT)
        return assignment

    def rows(self, **kwargs) -> list[tuple[str, list[str]]]:
        return [(row.person.name, [str(k.value) for k in row.kinds]) for row in worklist_of(self.hr, **kwargs).rows]


@pytest.fixture
def house() -> House:
    return House()


def client_of(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


# --- What is listed --------------------------------------------------------------------------------------------------
def test_what_is_overdue_and_what_cannot_be_met_is_listed_and_what_fits_is_not(house):
    house.asks(house.person("Late"), in_days(-1))
    house.asks(house.person("Tight"), in_days(33))
    house.asks(house.person("Fits"), in_days(34))
    house.asks(house.person("Dateless"))
    assert house.rows() == [("Late", ["overdue"]), ("Tight", ["unrealistic"])]
    assert house.rows(kind=Kind.UNREALISTIC) == [("Tight", ["unrealistic"])]
    assert count_for(house.hr) == 2
    assert [row.suggested for row in worklist_of(house.hr).rows] == [in_days(34), in_days(34)]


def test_leave_leaves_less_room_and_the_suggested_date_reckons_with_it(house):
    person = house.person("Away")
    house.asks(person, in_days(40))
    Leave.objects.bulk_create([Leave(person=person, starts_on=in_days(5), ends_on=in_days(25))])
    [row] = worklist_of(house.hr).rows
    assert row.kinds == (Kind.UNREALISTIC,)
    assert row.suggested == in_days(54)


def test_what_is_done_or_exempt_or_ended_is_nobodys_exception(house):
    done = house.person("Done")
    take_course(done, house.course)
    house.asks(done, in_days(-1))
    house.asks(house.person("Exempt"), in_days(-1), exempted_at=timezone.now())
    house.asks(house.person("Ended"), in_days(-1), ended_on=in_days(0))
    assert house.rows() == []


def test_an_assigned_role_that_is_not_met_is_overdue_though_no_course_leads_there(house):
    person = house.person("Role")
    profile = make_profile(house.version, {"B": 3})
    given, _new = assign_role(person=person, profile=profile, by=house.hr, starts_on=in_days(-50))
    Assignment.objects.create(role_assignment=given, due_on=in_days(-2), assigned_on=in_days(-50))
    replan(person=person, reason=PlanReason.ROLE)
    [row] = worklist_of(house.hr).rows
    assert (row.kinds, row.title) == ((Kind.OVERDUE,), str(type(profile).objects.get(pk=profile.pk)))

    assert [view.person for view in desk_of(house.hr).due] == [person]
    exempt(assignment=row.assignment, reason="Leaves the post in May.", by=house.hr)
    assert worklist_of(house.hr).rows == ()
    assert desk_of(house.hr).due == []


def test_a_mandatory_course_that_is_not_to_be_had_is_named(house):
    seminar = make_course(house.version, {"B": 2}, key="seminar", title="The seminar")
    seminar.format = CourseFormat.CLASSROOM
    seminar.save()
    house.asks(house.person("Stuck"), key="seminar")
    [row] = worklist_of(house.hr).rows
    assert row.kinds == (Kind.UNAVAILABLE,)
    assert row.missing == ("The seminar",)


def test_a_request_that_finds_no_manager_is_listed_even_where_the_row_was_left(house):
    assignment = house.asks(house.boss, in_days(90))
    ask_extension(assignment=assignment, until=in_days(120), reason="Please.", by=house.boss)
    led = house.asks(house.person("Led"), in_days(90))
    ask_extension(assignment=led, until=in_days(120), reason="Please.", by=led.person)
    leave_as_it_is(assignment=assignment, until=in_days(30), by=house.hr)
    assert house.rows() == [("Boss", ["undecided"])]


def test_only_people_the_officer_serves_are_listed_and_never_herself(house):
    elsewhere = make_unit("There")
    house.asks(house.person("Stranger", elsewhere), in_days(-1))
    make_post(house.unit, holder=house.hr)
    house.asks(house.hr, in_days(-1))
    below = make_unit("Below", parent=house.unit)
    house.asks(house.person("Below", below), in_days(-1))
    assert house.rows() == [("Below", ["overdue"])]
    house.asks(house.person("Here"), in_days(-1))
    assert house.rows(unit=below) == [("Below", ["overdue"])]


def test_more_than_can_be_looked_at_is_cut_and_says_so(house, monkeypatch):
    monkeypatch.setattr(exceptions, "MOST", 2)
    for n in range(3):
        house.asks(house.person(f"P{n}"), in_days(-n - 1))
    found = worklist_of(house.hr)
    assert found.is_cut
    assert [row.person.name for row in found.rows] == ["P2", "P1"]
    assert "The first 2 are shown" in client_of(house.hr).get("/hr/exceptions/").content.decode()


# --- What is done ----------------------------------------------------------------------------------------------------
def test_a_realistic_date_is_set_planned_and_logged_once(house):
    assignment = house.asks(house.person("Late"), in_days(-1))
    assert set_due_date(assignment=assignment, due_on=in_days(34), by=house.hr)
    assert not set_due_date(assignment=assignment, due_on=in_days(34), by=house.hr)
    assert house.rows() == []
    plan = current_plans([assignment.person_id])[assignment.person_id]
    [step] = plan.steps.all()
    assert (step.due_on, plan.reason, plan.about) == (in_days(34), PlanReason.REDATED, step.course.title)
    [entry] = ModelLogEntry.objects.filter(action="learning.set_due_date")
    assert (entry.user, entry.data) == (house.hr, {"from": str(in_days(-1)), "to": str(in_days(34))})


def test_exempting_ends_asking_and_can_be_taken_back(house):
    assignment = house.asks(house.person("Late"), in_days(-1))
    assert exempt(assignment=assignment, reason="Shown in an earlier post.", by=house.hr)
    assert not exempt(assignment=assignment, reason="Again.", by=house.hr)
    plan = current_plans([assignment.person_id])[assignment.person_id]
    assert (plan.reason, list(plan.steps.all())) == (PlanReason.EXEMPT, [])
    assert house.rows() == []
    assert house.rows(kind=Kind.EXEMPT) == [("Late", ["exempt"])]
    with pytest.raises(ActRefused, match="exempt"):
        set_due_date(assignment=assignment, due_on=in_days(34), by=house.hr)
    assert end_exemption(assignment=assignment, by=house.hr)
    assert not end_exemption(assignment=assignment, by=house.hr)
    assert house.rows() == [("Late", ["overdue"])]
    plan = current_plans([assignment.person_id])[assignment.person_id]
    assert plan.reason == PlanReason.ASKED_AGAIN
    assert plan.steps.all()
    [entry] = ModelLogEntry.objects.filter(action="learning.exempt")
    assert entry.data == {"reason": "Shown in an earlier post."}


def test_what_is_left_as_it_is_comes_back_on_its_day(house):
    assignment = house.asks(house.person("Late"), in_days(-1))
    assert leave_as_it_is(assignment=assignment, until=in_days(10), by=house.hr)
    assert not leave_as_it_is(assignment=assignment, until=in_days(10), by=house.hr)
    assert house.rows(as_of=in_days(9)) == []
    assert house.rows(as_of=in_days(10)) == [("Late", ["overdue"])]


@pytest.mark.parametrize("days", [-1, 0, 5000])
def test_days_that_make_no_sense_are_refused(house, days):
    assignment = house.asks(house.person("Late"), in_days(-1))
    with pytest.raises(ActRefused):
        set_due_date(assignment=assignment, due_on=in_days(days), by=house.hr)
    with pytest.raises(ActRefused):
        leave_as_it_is(assignment=assignment, until=in_days(days), by=house.hr)


def test_nobody_acts_on_herself_or_on_people_she_does_not_serve(house):
    stranger, own = make_person(), house.asks(house.hr, in_days(-1))
    make_hr(stranger, make_unit())
    assignment = house.asks(house.person("Late"), in_days(-1))
    make_post(house.unit, holder=house.hr)
    for target, by in ((assignment, stranger), (assignment, house.boss), (own, house.hr)):
        with pytest.raises(ActRefused):
            exempt(assignment=target, reason="So.", by=by)
        with pytest.raises(ActRefused):
            set_due_date(assignment=target, due_on=in_days(30), by=by)
        with pytest.raises(ActRefused):
            leave_as_it_is(assignment=target, until=in_days(30), by=by)
    assert not Assignment.objects.filter(exempted_at__isnull=False).exists()


def test_what_has_ended_meanwhile_is_left_alone(house):
    assignment = house.asks(house.person("Late"), in_days(-1))
    Assignment.objects.filter(pk=assignment.pk).update(ended_on=in_days(0))
    with pytest.raises(ActRefused, match="ended meanwhile"):
        exempt(assignment=assignment, reason="So.", by=house.hr)


# --- The door --------------------------------------------------------------------------------------------------------
def test_the_page_sets_the_date_of_each_row_ticked_and_says_what_could_not_be_done(house):
    one, two, three = (house.asks(house.person(name), in_days(-1)) for name in ("One", "Two", "Three"))
    client = client_of(house.hr)
    text = client.get("/hr/exceptions/").content.decode()
    assert f'value="{in_days(34):%Y-%m-%d}"' in text
    data = {
        "do": "date", "rows": [one.pk, two.pk],
        f"due_{one.pk}": in_days(34).isoformat(), f"due_{two.pk}": in_days(-3).isoformat(),
        f"due_{three.pk}": in_days(50).isoformat(),
    }  # fmt: skip
    text = client.post("/hr/exceptions/", data, follow=True).content.decode()
    assert "Done for 1 person." in text
    assert "Two: Choose a date after today." in text
    dates = dict(Assignment.objects.values_list("pk", "due_on"))
    assert dates == {one.pk: in_days(34), two.pk: in_days(-1), three.pk: in_days(-1)}
    text = client.post("/hr/exceptions/", data, follow=True).content.decode()
    assert "1 was so already." in text


def test_exempting_several_needs_a_reason_and_keeps_what_was_ticked(house):
    one, two = (house.asks(house.person(name), in_days(-1)) for name in ("One", "Two"))
    client = client_of(house.hr)
    page = client.post("/hr/exceptions/", {"do": "exempt", "rows": [one.pk], "reason": ""})
    assert page.status_code == 422
    assert f'value="{one.pk}" id="row{one.pk}" checked' in page.content.decode()
    assert f'value="{two.pk}" id="row{two.pk}" checked' not in page.content.decode()
    page = client.post(
        "/hr/exceptions/", {"do": "exempt", "rows": [one.pk, two.pk], "reason": "Retiring."}, follow=True
    )
    assert "Done for 2." in page.content.decode()
    text = client.get("/hr/exceptions/?kind=exempt").content.decode()
    assert "Retiring." in text
    page = client.post("/hr/exceptions/?kind=exempt", {"do": "again", "rows": [one.pk]}, follow=True)
    assert "Done for 1 person." in page.content.decode()
    assert house.rows() == [("One", ["overdue"])]


def test_the_rows_of_a_page_are_ticked_at_once_without_script(house):
    one, two = (house.asks(house.person(name), in_days(-1)) for name in ("One", "Two"))
    client = client_of(house.hr)
    link = client.get("/hr/exceptions/?kind=overdue").context["tick_all_url"]
    text = client.get(link).content.decode()
    assert "kind=overdue" in link
    assert all(f'id="row{row.pk}" checked' in text for row in (one, two))
    done = client.post(link, {"do": "exempt", "rows": [one.pk, two.pk], "reason": "Retiring."})
    assert done.url == "/hr/exceptions/?kind=overdue"


def test_nothing_ticked_or_rows_of_others_is_said(house):
    stranger = make_person("Stranger")
    make_post(make_unit(), holder=stranger)
    theirs = house.asks(stranger, in_days(-1))
    client = client_of(house.hr)
    for rows in ([], [theirs.pk], ["²"], ["9" * 30]):
        page = client.post("/hr/exceptions/", {"do": "exempt", "rows": rows, "reason": "So."})
        assert page.status_code == 422
        assert "Tick at least one row." in page.content.decode()
    theirs.refresh_from_db()
    assert theirs.exempted_at is None


def test_an_empty_list_of_one_kind_does_not_say_that_all_is_well(house):
    house.asks(house.person("Late"), in_days(-1))
    client = client_of(house.hr)
    text = client.get("/hr/exceptions/?kind=exempt").content.decode()
    assert "Of this kind and unit there is nothing." in text and "can be met as it stands" not in text


def test_the_desk_shows_the_number_and_leads_there(house):
    def link_on_the_desk() -> str:
        """What the browser fetches into the link as soon as the desk is there."""
        page = client_of(house.hr).get("/hr/").content.decode()
        link = re.search(
            r'<a href="/hr/exceptions/"><span hx-get="([^"]+)" hx-trigger="load">Exceptions</span></a>', page
        )
        assert link is not None
        return client_of(house.hr).get(link[1]).content.decode()

    assert link_on_the_desk() == "Exceptions"
    house.asks(house.person("Late"), in_days(-1))
    assert link_on_the_desk() == "1 exception"
    house.asks(house.person("Later"), in_days(-1))
    assert link_on_the_desk() == "2 exceptions"


def test_the_list_costs_the_same_for_many_rows(house, count_queries):
    seminar = make_course(house.version, {"B": 2}, key="seminar")
    seminar.format = CourseFormat.CLASSROOM
    seminar.save()

    def crowd(n):
        for number in range(n):
            person = house.person(f"P{number}")
            house.asks(person, in_days(-1))
            house.asks(person, in_days(90), key="seminar")
            given, _new = assign_role(person=person, profile=house.profile, by=house.hr, starts_on=in_days(-50))
            Assignment.objects.create(role_assignment=given, due_on=in_days(-2), assigned_on=in_days(-50))
            alone = make_person()
            make_post(house.unit, holder=alone)
            assignment = house.asks(alone, in_days(90))
            ask_extension(assignment=assignment, until=in_days(120), reason="Please.", by=alone)
            replan_many(person_ids=[person.pk], reason=PlanReason.ROLE)

    house.profile = make_profile(house.version, {"B": 3})
    crowd(1)
    client = client_of(house.hr)
    client.get("/hr/exceptions/")
    one = count_queries(lambda: client.get("/hr/exceptions/"))
    crowd(4)
    assert len(worklist_of(house.hr).rows) == 20
    assert count_queries(lambda: client.get("/hr/exceptions/")) == one
