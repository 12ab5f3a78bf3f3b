"""The path as its owner sees it: how short, when, why; what she may decide; and what if."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from wagtail.models import ModelLogEntry

from competencies.models import RoleAssignment
from learning import selectors, wishes, wording
from learning.enums import AssignmentKind, PlanReason
from learning.models import Assignment, LearnerSettings, PathPlan, StepWish
from learning.services import replan
from organisations.models import Leave, User
from tests.builders import make_course, make_framework, make_hr, make_person, make_post, make_profile, make_unit

pytestmark = pytest.mark.django_db


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def page(person: User, url: str = "/learn/path/", status: int = 200) -> str:
    response = client_of(person).get(url)
    assert response.status_code == status
    return " ".join(response.content.decode().split())


def keys(person: User) -> list[str]:
    return [step.course.key for step in selectors.path_of(person).steps]


@pytest.fixture
def version():
    return make_framework()


@pytest.fixture
def ana(version) -> User:
    """Two gaps, a course for each, and a longer way for the first."""
    make_course(version, {"A": 3}, key="short", effort=120, title="Short course")
    make_course(version, {"A": 3}, key="long", effort=300, title="Long course")
    make_course(version, {"B": 2}, key="other", effort=60, title="Other course")
    person = make_person("Ana")
    RoleAssignment.objects.create(
        person=person, profile=make_profile(version, {"A": 3, "B": 2}, title="Lead"), starts_on=timezone.localdate()
    )
    return person


def test_it_says_when_it_is_done_that_nothing_is_shorter_and_what_it_was_planned_from(ana):
    text = page(ana)
    assert "Done by" in text
    assert "Proven: no shorter path closes these gaps." in text
    assert "Planned from: Lead" in text


def test_a_path_whose_proof_ran_out_of_time_says_what_might_still_be_saved(ana):
    PathPlan.objects.filter(person=ana).update(proof="limit", gap_minutes=90)
    assert "at most 1 h 30 min could still be saved" in page(ana)


def test_own_hours_move_the_dates_and_the_limits_are_said(ana):
    client = client_of(ana)
    before = client.get("/learn/path/").context["done_by"]
    assert client.post("/learn/path/pace/", {"hours": "1"}).status_code == 302
    assert client.get("/learn/path/").context["done_by"] > before
    refused = client.post("/learn/path/pace/", {"hours": "41"})
    assert refused.status_code == 422
    assert "between a quarter of an hour and 40 hours a week" in refused.content.decode()
    assert LearnerSettings.objects.get().weekly_minutes == 60
    assert ModelLogEntry.objects.filter(action="learning.set_pace").count() == 1


def test_leave_is_left_out(ana):
    before = client_of(ana).get("/learn/path/").context["done_by"]
    today = timezone.localdate()
    Leave.objects.create(person=ana, starts_on=today + timedelta(days=1), ends_on=today + timedelta(days=15))
    assert client_of(ana).get("/learn/path/").context["done_by"] == before + timedelta(days=14)
    assert "Your leave is left out." in page(ana)


def test_declining_with_a_reason_plans_another_way_and_can_be_taken_back(ana):
    client = client_of(ana)
    form = client.get("/learn/path/short/decline/").content.decode()
    assert "Long course" in form  # what would come instead is shown before
    assert client.post("/learn/path/short/decline/", {"reason": "I wrote it."}).status_code == 302
    assert sorted(keys(ana)) == ["long", "other"]
    assert "I wrote it." in page(ana)
    assert "“Short course” left your path: you declined it." in page(ana)
    client.post("/learn/path/short/as-before/")
    client.post("/learn/path/short/as-before/")
    assert sorted(keys(ana)) == ["other", "short"]


def test_hr_reads_beside_the_course_why_it_was_declined_without_the_name(ana):
    wishes.decline_course(person=ana, key="other", reason="I teach it.", by=ana)
    unit = make_unit()
    make_post(unit, holder=ana)
    officer, elsewhere = make_person(), make_person()
    make_hr(officer, unit)
    make_hr(elsewhere, make_unit())
    text = page(officer, "/evaluation/other/")
    assert "I teach it." in text
    assert "Ana" not in text
    assert "I teach it." not in page(elsewhere, "/evaluation/other/")
    wishes.withdraw_wish(person=ana, key="other", by=ana)
    assert "I teach it." not in page(officer, "/evaluation/other/")


def test_a_gap_that_stays_open_because_a_course_was_declined_says_so(ana):
    wishes.decline_course(person=ana, key="other", reason="Not now.", by=ana)
    assert "a course leads there, and you declined it" in page(ana)


def test_without_a_reason_nothing_is_declined(ana):
    answer = client_of(ana).post("/learn/path/short/decline/", {"reason": "  "})
    assert answer.status_code == 422
    assert not StepWish.objects.exists()


def test_what_is_mandatory_cannot_be_declined_and_the_sentence_says_what_helps(ana):
    Assignment.objects.create(person=ana, kind=AssignmentKind.COURSE, course_key="short")
    replan(person=ana, reason=PlanReason.ASSIGNMENT)
    assert "Not for me" not in page(ana).split("Short course")[1].split("</li>")[0]
    answer = client_of(ana).post("/learn/path/short/decline/", {"reason": "No."})
    assert answer.status_code == 422
    assert "is mandatory for you" in answer.content.decode()
    assert "short" in keys(ana)


def test_a_pinned_course_stays_when_its_gap_is_closed_and_pinning_twice_is_pinning_once(ana):
    client = client_of(ana)
    for _press in range(2):
        assert client.post("/learn/path/long/pin/").status_code == 302
    assert StepWish.objects.count() == 1
    assert sorted(keys(ana)) == ["long", "other"]  # it closes the gap as well, so the short one is not needed
    assert "Take the pin away" in page(ana)


def test_a_pinned_course_that_closes_a_gap_does_not_say_that_it_leaves_with_the_role(ana):
    wishes.pin_course(person=ana, key="short", by=ana)
    [step] = [step for step in selectors.path_of(ana).steps if step.course.key == "short"]
    assert wording.what_removes(step) == (
        "It leaves your path when you pass it or show all it leads to in another way. Your pin keeps it even if your role "
        "no longer asks for it."
    )


def test_pinning_what_is_not_offered_is_refused_in_a_sentence(ana):
    answer = client_of(ana).post("/learn/path/nowhere/pin/", follow=True)
    assert "This course is not offered any more." in answer.content.decode()
    assert not StepWish.objects.exists()


def test_what_if_shows_the_difference_and_saves_nothing(ana):
    plans = PathPlan.objects.count()
    text = page(ana, "/learn/path/what-if/?hours=0.5&skip=short")
    assert "instead of" in text
    assert "Long course" in text
    assert "<del>Short course</del>" in text
    assert PathPlan.objects.count() == plans
    assert not StepWish.objects.exists()
    assert not LearnerSettings.objects.exists()


def test_what_if_names_the_gaps_that_would_stay_open(ana):
    supposed = wishes.suppose(ana, skipping=["other"])
    assert supposed.open_after == supposed.open_before + 1 == len(supposed.left_open)
    assert f"It leaves open: {', '.join(supposed.left_open)}." in page(ana, "/learn/path/what-if/?skip=other")
    assert "It leaves open" not in page(ana, "/learn/path/what-if/?skip=short")


def test_what_if_offers_no_role_that_is_held_already(ana, version):
    more = make_profile(version, {"C": 2}, title="Deputy")
    offered = client_of(ana).get("/learn/path/what-if/").context["form"].fields["role"].choices
    assert [pk for _group, options in offered[1:] for pk, _label in options] == [more.pk]


def test_declining_what_another_course_needs_first_says_that_it_stays(ana, version):
    base = make_course(version, {"C": 2}, key="base", title="Base course")
    make_course(version, {"C": 4}, key="top", title="Top course", requires=[base])
    Assignment.objects.create(person=ana, kind=AssignmentKind.COURSE, course_key="top")
    replan(person=ana, reason=PlanReason.ASSIGNMENT)
    assert "It would stay on your path all the same: “Top course” there needs it first." in page(
        ana, "/learn/path/base/decline/"
    )
    assert "all the same" not in page(ana, "/learn/path/short/decline/")


def test_declining_the_only_way_to_what_a_role_asks_for_says_that_the_role_goes_on_asking(ana):
    assert "Your role goes on asking for it" in page(ana, "/learn/path/other/decline/")
    assert "goes on asking" not in page(ana, "/learn/path/short/decline/")


def test_what_she_declined_of_what_was_recommended_is_said_so_and_asks_for_no_more_time(ana):
    Assignment.objects.create(
        person=ana, kind=AssignmentKind.COURSE, course_key="long", mandatory=False,
        due_on=timezone.localdate() + timedelta(days=30),
    )  # fmt: skip
    replan(person=ana, reason=PlanReason.ASSIGNMENT)
    for url in ("/learn/path/", "/learn/"):
        assert "Ask for more time" in page(ana, url)
    wishes.decline_course(person=ana, key="long", reason="Not for me.", by=ana)
    text = page(ana)
    assert text.count("Declined by you") == 2  # at what is asked, and over the list of what she declined
    assert "Ask for more time" not in text and "Ask for more time" not in page(ana, "/learn/")


@settings(max_examples=200, deadline=None)
@given(st.permutations(range(6)))
def test_of_an_order_that_changes_as_few_steps_as_possible_are_said_to_have_moved(order):
    before, after = [f"s{n}" for n in range(6)], [f"s{n}" for n in order]
    moved = wishes.moved_among(before, after)
    assert [key for key in before if key not in moved] == [key for key in after if key not in moved]
    for fewer in combinations(before, len(moved) - 1) if moved else ():
        assert [k for k in before if k not in fewer] != [k for k in after if k not in fewer]


def test_what_only_follows_has_not_moved():
    assert wishes.moved_among(["a", "b", "c", "d"], ["d", "a", "b", "c"]) == {"d"}
    assert wishes.moved_among(["a", "b"], ["a", "b"]) == frozenset()
    assert wishes.moved_among([], []) == frozenset()


def test_what_if_with_one_role_more(ana, version):
    make_course(version, {"C": 2}, key="third", title="Third course")
    more = make_profile(version, {"C": 2}, title="Deputy")
    text = page(ana, f"/learn/path/what-if/?role={more.pk}")
    assert "Third course" in text
    assert "A role is given by your HR unit." in text


def test_what_if_leaves_what_is_mandatory_in_place(ana):
    Assignment.objects.create(person=ana, kind=AssignmentKind.COURSE, course_key="short")
    supposed = wishes.suppose(ana, skipping=["short"])
    assert "short" in [step.course.key for step in supposed.steps if step.change != "removed"]


def test_the_hours_looked_at_can_be_kept(ana):
    client_of(ana).post("/learn/path/what-if/", {"hours": "5"})
    assert LearnerSettings.objects.get().weekly_minutes == 300


def test_a_stranger_sees_and_decides_only_her_own_path(ana):
    other = make_person()
    client_of(other).post("/learn/path/short/decline/", {"reason": "No."})
    assert "short" in keys(ana)


def test_a_supposed_path_is_the_path_when_it_comes_true(ana):
    supposed = wishes.suppose(ana, weekly_minutes=60, skipping=["short"])
    wishes.decline_course(person=ana, key="short", reason="No.", by=ana)
    wishes.set_pace(person=ana, weekly_minutes=60, by=ana)
    assert [step.course.key for step in supposed.steps if step.change != "removed"] == keys(ana)
    assert client_of(ana).get("/learn/path/").context["done_by"] == supposed.ends_after
