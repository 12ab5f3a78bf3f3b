"""HR ends an assigned role or gives another one instead, reads before what it does, and finds who has a withdrawn one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from wagtail.models import ModelLogEntry

from competencies.enums import FrameworkStatus
from competencies.models import FrameworkVersion, RoleAssignment, RoleProfile
from competencies.services import assign_role, end_role
from courses.models import CoursePage
from courses.services import complete_lesson, enrol
from learning import role_views
from learning.models import Assignment
from learning.roles import effect_of_ending, roles_of, withdrawn_roles
from learning.selectors import path_of
from learning.services import replace_role
from tests.builders import (
    appoint,
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
TODAY = timezone.localdate


@pytest.fixture
def house():
    """Ana has one role by her post (A at 2) and one assigned by her HR officer (B at 3); courses lead to A, B and C."""
    version = make_framework(codes="ABC")
    posted = make_profile(version, {"A": 2}, title="Records officer")
    given = make_profile(version, {"A": 2, "B": 3}, title="Data steward")
    other = make_profile(version, {"C": 2}, title="Change lead")
    for code, rank, minutes in (("A", 2, 60), ("B", 3, 120), ("C", 2, 90)):
        make_course(version, {code: rank}, key=f"course-{code.lower()}", title=f"Course {code}", effort=minutes)
    unit = make_unit("Registry")
    boss, ana, officer = make_person("Boss"), make_person("Ana"), make_person("Olga Officer")
    lead = make_post(unit, holder=boss)
    post = make_post(unit, title="Clerk", reports_to=lead, roles=[posted])
    appoint(make_person("Before Her"), post, ends_on=TODAY() - timedelta(days=50))
    appoint(ana, post, starts_on=TODAY() - timedelta(days=40))
    make_hr(officer, unit)
    assignment, _new = assign_role(person=ana, profile=given, by=officer, starts_on=TODAY() - timedelta(days=9))
    Assignment.objects.create(role_assignment=assignment, due_on=TODAY() + timedelta(days=100))
    return {
        "version": version, "posted": posted, "given": given, "other": other, "unit": unit, "boss": boss, "ana": ana,
        "officer": officer, "assignment": assignment,
    }  # fmt: skip


def as_(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def text(response) -> str:
    assert response.status_code == 200, response
    return response.content.decode()


def end_url(house) -> str:
    return f"/team/{house['ana'].pk}/roles/{house['assignment'].pk}/end/"


def replace_url(house) -> str:
    return f"/team/{house['ana'].pk}/roles/{house['assignment'].pk}/replace/"


def ends(assignment) -> int:
    return ModelLogEntry.objects.filter(action="competencies.end_role", object_id=assignment.pk).count()


def titles(person) -> list[str]:
    return [step.course.title for step in path_of(person).steps]


# --- The person's page -----------------------------------------------------------------------------------------------
def test_a_person_s_page_says_where_each_role_comes_from(house):
    page = text(as_(house["officer"]).get(f"/team/{house['ana'].pk}/"))
    since = TODAY() - timedelta(days=40)
    assert f"Comes with the post “Clerk”, Registry, held since {since:%-d %B %Y}." in page
    assert "Assigned by Olga Officer, since" in page
    due = path_of(house["ana"]).due_on
    assert due == TODAY() + timedelta(days=100)
    assert f"Due {due:%-d %B %Y}" in page
    assert page.count("End this role") == 1  # what comes with a post is the post's
    assert page.count("Replace by …") == 1


@pytest.mark.parametrize("reader", ["boss", "ana"])
def test_managers_and_the_person_read_the_roles_and_have_no_button(house, reader):
    page = text(as_(house[reader]).get(f"/team/{house['ana'].pk}/"))
    assert "Assigned by Olga Officer" in page
    assert "End this role" not in page
    assert "Replace by" not in page
    for url in (end_url(house), replace_url(house)):
        assert as_(house[reader]).get(url).status_code == 403
        assert as_(house[reader]).post(url, {"profile": house["other"].pk}).status_code == 403
    house["assignment"].refresh_from_db()
    assert house["assignment"].ends_on is None


def test_officers_of_other_units_do_not_find_the_role(house):
    stranger = make_person("Stranger")
    make_hr(stranger, make_unit())
    for url in (end_url(house), replace_url(house)):
        assert as_(stranger).get(url).status_code == 404
        assert as_(stranger).post(url, {"profile": house["other"].pk}).status_code == 404


def test_a_role_is_only_found_with_the_person_who_has_it(house):
    somebody = make_person()
    make_post(house["unit"], holder=somebody)
    assert as_(house["officer"]).post(f"/team/{somebody.pk}/roles/{house['assignment'].pk}/end/").status_code == 404


# --- Ending ----------------------------------------------------------------------------------------------------------
def test_before_a_role_ends_its_officer_reads_what_leaves_and_nothing_is_written(house):
    page = text(as_(house["officer"]).get(end_url(house)))
    assert "Leaves the path" in page
    assert "Course B" in page
    assert "Course A" not in page  # the post asks for it too
    assert "1 competency is no longer asked for" in page
    assert "Learning still to do: 3 h today, 1 h afterwards." in page
    house["assignment"].refresh_from_db()
    assert house["assignment"].ends_on is None


def test_what_the_page_promises_is_what_happens(house):
    ana = house["ana"]
    before = titles(ana)
    effect = effect_of_ending(house["assignment"])
    response = as_(house["officer"]).post(end_url(house))
    assert response.url == f"/team/{ana.pk}/"
    assert sorted(titles(ana)) == sorted(set(before) - set(effect.leaving))
    assert path_of(ana).plan.effort_minutes == effect.minutes_after
    assert [str(held.post.title) for held in roles_of(ana, path_of(ana).standing)] == ["Clerk"]


@pytest.mark.parametrize("who", ["officer", "admin"])
def test_pressed_twice_a_role_ends_once(house, who):
    reader = house["officer"] if who == "officer" else make_person("Admin", is_superuser=True)
    client = as_(reader)
    client.post(end_url(house))
    house["assignment"].refresh_from_db()
    again = client.post(end_url(house), follow=True)
    assert "has ended already" in text(again)
    assert house["assignment"].ends_on == TODAY()
    assert ends(house["assignment"]) == 1


def test_the_only_role_ends_with_the_path(house):
    lone = make_person("Lone")
    make_post(house["unit"], holder=lone)
    assignment, _new = assign_role(person=lone, profile=house["other"], by=None, starts_on=TODAY())
    page = text(as_(house["officer"]).get(f"/team/{lone.pk}/roles/{assignment.pk}/end/"))
    assert "It is the only role" in page
    as_(house["officer"]).post(f"/team/{lone.pk}/roles/{assignment.pk}/end/")
    assert titles(lone) == []
    page = text(as_(house["officer"]).get(f"/team/{lone.pk}/"))
    assert "No role yet" in page
    assert "Assign a role" in page


def test_an_end_still_to_come_can_be_brought_forward_and_never_put_off(house):
    RoleAssignment.objects.filter(pk=house["assignment"].pk).update(ends_on=TODAY() + timedelta(days=30))
    end_role(assignment=house["assignment"], by=None, ends_on=TODAY() + timedelta(days=60))
    house["assignment"].refresh_from_db()
    assert house["assignment"].ends_on == TODAY() + timedelta(days=30)
    as_(house["officer"]).post(end_url(house))
    house["assignment"].refresh_from_db()
    assert house["assignment"].ends_on == TODAY()


def test_of_a_course_begun_only_the_rest_counts_as_still_to_do(house):
    before = effect_of_ending(house["assignment"]).minutes_before
    course = CoursePage.objects.get(key="course-b")
    complete_lesson(enrolment=enrol(person=house["ana"], course=course), lesson=lessons_of(course)[0])
    effect = effect_of_ending(house["assignment"])
    assert effect.minutes_before == path_of(house["ana"]).minutes_left < before


# --- Replacing -------------------------------------------------------------------------------------------------------
def test_a_role_is_replaced_after_its_officer_has_read_what_it_does(house):
    client, ana = as_(house["officer"]), house["ana"]
    form = text(client.get(replace_url(house)))
    assert "Which role instead?" in form
    page = text(client.get(replace_url(house), {"profile": house["other"].pk, "due_on": ""}))
    assert "“Change lead” instead of “Data steward”" in page
    assert "Comes into the path" in page
    assert RoleAssignment.objects.filter(person=ana).count() == 1
    due = TODAY() + timedelta(days=60)
    client.post(replace_url(house), {"profile": house["other"].pk, "due_on": due.isoformat()})
    new = RoleAssignment.objects.current().get(person=ana)
    assert (new.profile, new.assigned_by, new.assignment.due_on) == (house["other"], house["officer"], due)
    assert sorted(titles(ana)) == ["Course A", "Course C"]


def test_pressed_twice_a_role_is_replaced_once_even_by_another(house):
    client = as_(house["officer"])
    third = make_profile(house["version"], {"B": 1}, title="Third")
    client.post(replace_url(house), {"profile": house["other"].pk, "due_on": ""})
    client.post(replace_url(house), {"profile": house["other"].pk, "due_on": ""})
    client.post(replace_url(house), {"profile": third.pk, "due_on": ""})
    replace_role(assignment=house["assignment"], profile=third, due_on=None, by=None, day=TODAY())
    assert RoleAssignment.objects.filter(person=house["ana"]).count() == 2
    assert ends(house["assignment"]) == 1


def test_a_press_that_another_one_overtakes_does_not_say_that_it_replaced_the_role(house, monkeypatch):
    client = as_(house["officer"])
    third = make_profile(house["version"], {"B": 1}, title="Third")
    is_over = role_views._is_over

    def overtaken(assignment):  # the other press counts between the look at the role and the writing
        was_over = is_over(assignment)
        replace_role(assignment=house["assignment"], profile=house["other"], due_on=None, by=None, day=TODAY())
        return was_over

    monkeypatch.setattr(role_views, "_is_over", overtaken)
    page = text(client.post(replace_url(house), {"profile": third.pk, "due_on": ""}, follow=True))
    assert "“Data steward” of Ana has ended already." in page
    assert "instead of" not in page
    assert RoleAssignment.objects.current().get(person=house["ana"]).profile == house["other"]


@pytest.mark.parametrize(
    ("profile", "due_on", "sentence"),
    [
        ("", "", "Choose the role that comes instead."),
        ("999999", "", "This role is not offered any more"),
        ("9" * 40, "", "This role is not offered any more"),
        ("given", "", "This is the role that ends."),
        ("posted", "", "Ana has this role already."),
        ("other", "2001-01-01", "Choose a date after today."),
        ("other", "x", "Enter a valid date."),
    ],
)
def test_a_wrong_choice_gets_a_sentence_and_nothing_ends(house, profile, due_on, sentence):
    data = {"profile": house[profile].pk if profile in house else profile, "due_on": due_on}
    for response in (
        as_(house["officer"]).get(replace_url(house), data),
        as_(house["officer"]).post(replace_url(house), data),
    ):
        assert response.status_code == 422
        assert sentence in response.content.decode()
    assert RoleAssignment.objects.current().get(person=house["ana"]).profile == house["given"]


def test_when_the_new_role_cannot_be_given_the_old_one_has_not_ended(house):
    with pytest.raises(ValueError, match="saved"):
        replace_role(assignment=house["assignment"], profile=RoleProfile(), due_on=None, by=None, day=TODAY())
    house["assignment"].refresh_from_db()
    assert house["assignment"].ends_on is None


# --- Withdrawn roles -------------------------------------------------------------------------------------------------
def withdraw(profile) -> None:
    """Its edition is superseded by one without it."""
    FrameworkVersion.objects.filter(pk=profile.role.version_id).update(status=FrameworkStatus.SUPERSEDED)


def test_the_hr_desk_lists_withdrawn_roles_with_the_people_who_have_them(house):
    page = text(as_(house["officer"]).get("/hr/"))
    assert "Roles that were withdrawn" not in page
    withdraw(house["given"])
    page = text(as_(house["officer"]).get("/hr/"))
    assert "Roles that were withdrawn, and who has them" in page
    assert f'/team/{house["ana"].pk}/#roles">Ana</a>' in page
    assert [(str(r.profile), [p.name for p in r.people]) for r in withdrawn_roles(house["officer"])] == [
        ("Records officer", ["Ana"]),
        ("Data steward", ["Ana"]),
    ]
    stranger = make_person()
    make_hr(stranger, make_unit())
    assert withdrawn_roles(stranger) == []
    person_page = text(as_(house["officer"]).get(f"/team/{house['ana'].pk}/"))
    assert person_page.count("Withdrawn") == 2
    as_(house["officer"]).post(end_url(house))
    assert [str(r.profile) for r in withdrawn_roles(house["officer"])] == ["Records officer"]


def test_a_role_with_a_successor_was_not_withdrawn(house):
    later = make_framework(codes="A")
    new = make_profile(later, {"A": 1}, title="Data steward, second edition")
    RoleProfile.objects.filter(pk=new.pk).update(lineage=house["given"].lineage)
    withdraw(house["given"])
    assert [str(r.profile) for r in withdrawn_roles(house["officer"])] == ["Records officer"]
    [posted, assigned] = roles_of(house["ana"], path_of(house["ana"]).standing)
    assert (posted.withdrawn, assigned.withdrawn, str(assigned.profile)) == (
        True,
        False,
        "Data steward, second edition",
    )


def test_withdrawn_roles_cost_as_many_queries_for_many_people_as_for_one(house, count_queries):
    def counted() -> int:
        return count_queries(lambda: withdrawn_roles(house["officer"]))

    gone = make_framework(codes="A")
    roles = [make_profile(gone, {"A": 1}) for _ in range(5)]
    assign_role(person=house["ana"], profile=roles[0], by=None, starts_on=TODAY())
    withdraw(roles[0])
    one = counted()
    for role in roles:
        for _ in range(5):
            person = make_person()
            make_post(house["unit"], holder=person)
            assign_role(person=person, profile=role, by=None, starts_on=TODAY())
    assert counted() == one <= 5
    assert len(withdrawn_roles(house["officer"])) == 5
