"""The four steps of assigning, as an officer meets them - and as somebody in a hurry or in bad faith does."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from competencies.enums import FrameworkStatus
from competencies.models import FrameworkVersion, RoleAssignment
from competencies.selectors import STARTER
from organisations.models import Job
from tests.builders import make_course, make_framework, make_hr, make_person, make_post, make_profile, make_unit

pytestmark = pytest.mark.django_db
URL = "/hr/assign/"


@pytest.fixture
def desk(client):
    version = make_framework(codes="A")
    profile = make_profile(version, {"A": 3}, title="Change lead")
    unit = make_unit("Unit")
    ana, officer = make_person("Ana"), make_person("Officer")
    make_post(unit, holder=ana)
    make_hr(officer, unit)
    make_course(version, {"A": 3}, key="c")
    client.force_login(officer)
    return {"client": client, "profile": profile, "unit": unit, "ana": ana, "officer": officer}


def answers(desk, **more):
    return {
        "profile": desk["profile"].pk,
        "units": [desk["unit"].pk],
        "with_sub_units": "on",
        "emails": "",
        "due_on": "",
    } | more


def test_the_steps_follow_each_other_and_nothing_is_written_before_the_last(desk):
    post = desk["client"].post
    assert b"Which role?" in desk["client"].get(URL).content
    assert b"List of e-mail addresses" in post(URL, {"step": "what", "profile": desk["profile"].pk}).content
    assert b"Due date" in post(URL, answers(desk, step="whom")).content
    page = post(URL, answers(desk, step="when"))
    assert b"1 person gains the path" in page.content
    assert not RoleAssignment.objects.exists()
    context = page.context
    done = post(
        URL, answers(desk, step="preview", go="apply", token=str(context["token"]), digest=context["preview"].digest)
    )
    assert done.url == f"/jobs/{Job.objects.latest('pk').pk}/" or done.url.startswith("/jobs/")
    assert RoleAssignment.objects.get().person == desk["ana"]
    assert b"gained the path" in desk["client"].get(done.url).content


@pytest.mark.parametrize(
    ("step", "change", "sentence"),
    [
        ("what", {"profile": ""}, "Choose the role to assign."),
        ("what", {"profile": "999999"}, "This role is not offered any more"),
        ("what", {"profile": "x"}, "This role is not offered any more"),
        ("whom", {"units": [], "emails": ""}, "Say whom you mean"),
        ("whom", {"units": ["999999"]}, "One of these units is not among those you serve."),
        ("whom", {"people": ["999999"]}, "One of these people is not among those you serve."),
        ("when", {"due_on": "31.12.2030"}, "Enter a valid date."),
        ("when", {"due_on": "2001-01-01"}, "Choose a date after today."),
        ("when", {"due_on": "2999-01-01"}, "Choose a date within ten years."),
    ],
)
def test_a_wrong_answer_gets_a_sentence_at_its_step(desk, step, change, sentence):
    response = desk["client"].post(URL, answers(desk, step=step, **change))
    assert response.status_code == 422
    assert sentence in response.content.decode()


def test_going_back_keeps_what_was_answered(desk):
    due = (timezone.localdate() + timedelta(days=30)).isoformat()
    page = (
        desk["client"]
        .post(URL, answers(desk, step="preview", go="whom", due_on=due, emails="x@y.example"))
        .content.decode()
    )
    assert "x@y.example" in page
    assert f'name="due_on" value="{due}"' in page
    assert "checked" in page


def test_a_forged_step_or_a_jump_ahead_asks_for_what_is_missing(desk):
    for data in ({"step": "nonsense"}, {"go": "apply"}, {"step": "preview", "go": "apply"}, {"go": "preview"}):
        response = desk["client"].post(URL, data)
        assert response.status_code in (200, 422)
        assert "Which role?" in response.content.decode()
    assert not Job.objects.filter(kind="learning.assign").exists()


def test_pressing_twice_leads_to_the_same_job(desk):
    context = desk["client"].post(URL, answers(desk, step="when")).context
    data = answers(desk, step="preview", go="apply", token=str(context["token"]), digest=context["preview"].digest)
    assert desk["client"].post(URL, data).url == desk["client"].post(URL, data).url
    assert RoleAssignment.objects.count() == 1


def test_when_the_world_has_changed_the_officer_looks_again(desk):
    context = desk["client"].post(URL, answers(desk, step="when")).context
    make_post(desk["unit"], holder=make_person("Newcomer"))
    data = answers(desk, step="preview", go="apply", token=str(context["token"]), digest=context["preview"].digest)
    page = desk["client"].post(URL, data)
    assert "Something has changed since you looked" in page.content.decode()
    assert len(page.context["preview"].gaining) == 2
    assert not RoleAssignment.objects.exists()


def test_a_get_with_apply_writes_nothing(desk):
    context = desk["client"].post(URL, answers(desk, step="when")).context
    desk["client"].get(URL, answers(desk, go="apply", token=str(context["token"]), digest=context["preview"].digest))
    assert not RoleAssignment.objects.exists()


def test_people_ticked_in_the_roster_are_carried_along(desk):
    page = desk["client"].post(URL, {"go": "what", "people": [desk["ana"].pk]}).content.decode()
    assert f'name="people" value="{desk["ana"].pk}"' in page
    page = (
        desk["client"]
        .post(URL, {"step": "what", "profile": desk["profile"].pk, "people": [desk["ana"].pk]})
        .content.decode()
    )
    assert "People you chose" in page
    page = desk["client"].post(
        URL, {"step": "when", "profile": desk["profile"].pk, "people": [desk["ana"].pk], "due_on": ""}
    )
    assert [g.person for g in page.context["preview"].gaining] == [desk["ana"]]


def test_a_list_of_ten_thousand_and_one_is_refused_with_the_number(desk):
    emails = "\n".join(f"p{n}@gov.example" for n in range(10_001))
    response = desk["client"].post(URL, answers(desk, step="whom", units=[], emails=emails))
    assert "The list has 10001 addresses; at most 10000 at a time." in response.content.decode()


def test_the_preview_says_what_no_course_leads_to_and_what_the_role_adds(desk):
    version = make_framework(codes="ABCD")
    make_course(version, {"A": 3}, key="whole", effort=120)
    make_course(version, {"B": 2}, key="half", effort=60)
    wanting = make_profile(version, {"A": 3, "B": 4, "C": 2, "D": 1}, title="Half served")
    page = desk["client"].post(URL, answers(desk, step="when", profile=wanting.pk)).content.decode()
    assert "No course leads to 2 of the 4 competencies of this role" in page
    assert "In 1 more competency courses stop below the level the role requires." in page
    assert "This role adds 3 h to what is on the paths already." in page
    nowhere = make_profile(make_framework(codes="XY"), {"X": 1, "Y": 1}, title="Not served")
    page = desk["client"].post(URL, answers(desk, step="when", profile=nowhere.pk)).content.decode()
    assert "No course leads to 2 of the 2 competencies of this role" in page
    assert "This role adds no learning to the paths there are." in page


def test_a_role_that_courses_serve_is_not_called_unserved_and_adds_only_what_is_new(desk):
    version = desk["profile"].role.version
    make_post(desk["unit"], holder=desk["ana"], roles=[make_profile(version, {"A": 3})])
    page = desk["client"].post(URL, answers(desk, step="when"))
    assert "No course leads" not in page.content.decode()
    assert "only part of the way" not in page.content.decode()
    [gaining] = page.context["preview"].gaining
    assert gaining.minutes > 0
    assert gaining.added == 0  # what it asks for is on her path already


def test_roles_are_offered_by_framework_with_the_edition_the_ministry_s_own_first(desk):
    """Only editions in force; a role of several grades names them."""
    FrameworkVersion.objects.filter(pk=desk["profile"].role.version_id).update(edition="2026")
    starter = make_profile(make_framework(STARTER, codes="A"), {"A": 1}, title="Starter role")
    make_profile(make_framework("aaa", codes="A"), {"A": 1}, title="Another role")
    old = make_framework("aaa-old", codes="A")
    make_profile(old, {"A": 1}, title="Superseded role")
    FrameworkVersion.objects.filter(pk=old.pk).update(status=FrameworkStatus.SUPERSEDED)

    def groups() -> list[str]:
        page = desk["client"].get(URL).content.decode()
        assert "Superseded role" not in page
        return re.findall(r'<optgroup label="([^"]+)"', page)

    framework = desk["profile"].role.version.framework.slug  # also its title
    assert groups() == [f"{STARTER}, edition 1", "aaa, edition 1", f"{framework}, edition 2026"]
    make_post(desk["unit"], roles=[desk["profile"]])
    make_post(desk["unit"], roles=[desk["profile"], starter])
    assert groups() == [f"{framework}, edition 2026", f"{STARTER}, edition 1", "aaa, edition 1"]
