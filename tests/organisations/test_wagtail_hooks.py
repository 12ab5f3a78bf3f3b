"""The organisation in the CMS: units are planted, moved with all below them, and never lost by mistake."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from organisations.models import Appointment, HrMandate, Leave, PersonTag, Post, Unit
from tests.builders import appoint, make_hr, make_person, make_post, make_unit

pytestmark = pytest.mark.django_db
BELOW_ITSELF = "A unit cannot belong to itself or to a unit below it."


@pytest.fixture
def admin(client):
    person = make_person("Admin", is_superuser=True, is_staff=True)
    client.force_login(person)
    return person


def address(model: str, action: str, *args: int) -> str:
    return reverse(f"wagtailsnippets_organisations_{model}:{action}", args=args)


def sentences(response) -> str:
    """What stands beside the fields and above the form."""
    html = response.content.decode()
    found = re.findall(r'class="error-message">(.*?)</', html, re.DOTALL)
    found += re.findall(r'<li class="error">.*?</svg>(.*?)</li>', html, re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", " ".join(found))).split())


def save_unit(client, unit: Unit | None = None, **fields: object):
    there = {"name_0": str(unit.name), "code": unit.code, "kind": unit.kind} if unit else {}
    new = {"name_0": "Unit", "name_1": "", "kind": "unit", "parent": ""}
    return client.post(address("unit", "edit", unit.pk) if unit else address("unit", "add"), new | there | fields)


def tree() -> list[tuple[int, str]]:
    assert Unit.find_problems() == ([], [], [], [], [])
    return [(unit.depth, str(unit.name)) for unit in Unit.objects.order_by("path")]


@pytest.fixture
def house():
    """Ministry → Directorate → Section, and an Agency beside it."""
    units = {"Ministry": make_unit("Ministry"), "Agency": make_unit("Agency")}
    units["Directorate"] = make_unit("Directorate", units["Ministry"])
    units["Section"] = make_unit("Section", units["Directorate"])
    return {name: Unit.objects.get(pk=unit.pk) for name, unit in units.items()}


# --- Units -------------------------------------------------------------------------------------------------------
def test_a_unit_is_planted_below_another_with_its_names(client, admin, house):
    response = save_unit(
        client, name_0="Registry", name_1="Registro", code="REG", kind="unit", parent=house["Directorate"].pk
    )
    assert response.status_code == 302
    unit = Unit.objects.get(code="REG")
    assert unit.get_parent() == house["Directorate"]
    assert unit.name.data == {"en": "Registry", "es": "Registro"}
    assert tree() == [(1, "Ministry"), (2, "Directorate"), (3, "Section"), (3, "Registry"), (1, "Agency")]


def test_a_unit_without_one_above_it_is_a_root(client, admin, house):
    assert save_unit(client, name_0="Court", code="C", kind="body").status_code == 302
    assert Unit.objects.get(code="C").is_root()


def test_the_form_offers_the_unit_above_and_keeps_it(client, admin, house):
    html = client.get(address("unit", "edit", house["Section"].pk)).content.decode()
    assert f'<option value="{house["Directorate"].pk}" selected>' in html
    before = tree()
    response = save_unit(client, house["Section"], name_0="Renamed", parent=house["Directorate"].pk)
    assert response.status_code == 302
    assert [(d, n.replace("Renamed", "Section")) for d, n in tree()] == before


def test_choosing_another_unit_moves_the_whole_branch(client, admin, house):
    assert save_unit(client, house["Directorate"], parent=house["Agency"].pk).status_code == 302
    assert tree() == [(1, "Ministry"), (1, "Agency"), (2, "Directorate"), (3, "Section")]


def test_choosing_none_makes_the_branch_a_house_of_its_own(client, admin, house):
    assert save_unit(client, house["Directorate"]).status_code == 302
    assert tree() == [(1, "Ministry"), (1, "Agency"), (1, "Directorate"), (2, "Section")]


def test_a_root_that_stays_a_root_stays_where_it_is(client, admin, house):
    before = tree()
    assert save_unit(client, house["Ministry"]).status_code == 302
    assert tree() == before


@pytest.mark.parametrize("below", ["Ministry", "Directorate", "Section"])
def test_a_unit_cannot_move_below_itself(client, admin, house, below):
    before = tree()
    response = save_unit(client, house["Ministry"], parent=house[below].pk)
    assert response.status_code == 200
    assert BELOW_ITSELF in sentences(response)
    assert tree() == before


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"code": ""}, "This field is required."),
        ({"name_0": ""}, "This field is required."),
        ({"code": "x" * 41}, "Ensure this value has at most 40 characters (it has 41)."),
        ({"code": "taken"}, "Another unit has this code already."),
        ({"kind": "planet"}, "Select a valid choice. planet is not one of the available choices."),
        ({"parent": "0"}, "Select a valid choice. That choice is not one of the available choices."),
        ({"parent": "x' OR 1=1"}, "Select a valid choice. That choice is not one of the available choices."),
        ({"code": "a\0b"}, "Null characters are not allowed."),
    ],
)
def test_a_unit_that_cannot_be_is_refused_with_a_sentence_and_nothing_is_written(
    client, admin, house, fields, sentence
):
    Unit.objects.filter(pk=house["Agency"].pk).update(code="taken")
    before = tree()
    response = save_unit(client, **({"code": "new"} | fields))
    assert response.status_code == 200
    assert sentence in sentences(response)
    assert tree() == before


def test_a_unit_with_units_below_is_not_deleted_with_them(client, admin, house):
    make_post(house["Section"])
    before = tree()
    for name in ("Ministry", "Directorate"):
        for method in (client.get, client.post):
            response = method(address("unit", "delete", house[name].pk), follow=True)
            sentence = f"“{name}” has units below it. Move those elsewhere or delete them first."
            assert sentence in sentences(response)
    bulk = reverse("wagtail_bulk_action", args=["organisations", "unit", "delete"])
    client.post(f"{bulk}?id={house['Agency'].pk}&id={house['Ministry'].pk}")
    assert tree() == before


def test_a_unit_that_has_posts_stays_and_an_empty_one_goes(client, admin, house):
    make_post(house["Section"])
    assert client.post(address("unit", "delete", house["Section"].pk)).status_code == 302
    assert Unit.objects.filter(code=house["Section"].code).exists()
    assert client.post(address("unit", "delete", house["Agency"].pk)).status_code == 302
    assert tree() == [(1, "Ministry"), (2, "Directorate"), (3, "Section")]


# --- Posts, appointments, mandates -------------------------------------------------------------------------------
def save_post(client, post: Post | None = None, **fields: object):
    values = {
        "title_0": "Officer",
        "title_1": "",
        "code": "P",
        "reports_to": "",
        "starts_on": "2020-01-01",
        "ends_on": "",
    }
    if post:
        values |= {"code": post.code, "unit": post.unit_id}
    return client.post(address("post", "edit", post.pk) if post else address("post", "add"), values | fields)


def test_a_post_is_made_and_reports_to_another(client, admin, house):
    head = make_post(house["Ministry"])
    response = save_post(client, unit=house["Section"].pk, reports_to=head.pk)
    assert response.status_code == 302
    assert Post.objects.get(code="P").reports_to == head


@pytest.mark.parametrize("between", [0, 1, 3])
def test_posts_cannot_report_to_each_other_in_a_circle(client, admin, house, between):
    top = make_post(house["Ministry"])
    lowest = make_post(house["Ministry"], reports_to=top)
    for _ in range(between):
        lowest = make_post(house["Ministry"], reports_to=lowest)
    response = save_post(client, top, reports_to=lowest.pk)
    assert response.status_code == 200
    assert "“Officer” reports to this post already, directly or through others. Choose another post." in sentences(
        response
    )
    assert Post.objects.get(pk=top.pk).reports_to is None


def test_a_circle_that_is_there_already_does_not_hang_the_form(client, admin, house):
    one, two = make_post(house["Ministry"]), make_post(house["Ministry"])
    Post.objects.filter(pk=one.pk).update(reports_to=two)
    Post.objects.filter(pk=two.pk).update(reports_to=one)
    third = make_post(house["Ministry"])
    assert save_post(client, third, reports_to=one.pk).status_code == 302


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"unit": ""}, "This field is required."),
        ({"starts_on": "soon"}, "Enter a valid date."),
        ({"ends_on": "2019-12-31"}, "A post cannot end before it starts."),
        ({"code": "taken"}, "Another post has this code already."),
    ],
)
def test_a_post_that_cannot_be_is_refused_with_a_sentence(client, admin, house, fields, sentence):
    Post.objects.filter(pk=make_post(house["Section"]).pk).update(code="taken")
    response = save_post(client, **({"unit": house["Section"].pk} | fields))
    assert response.status_code == 200
    assert sentence in sentences(response)
    assert Post.objects.count() == 1


def test_a_post_cannot_report_to_itself_in_the_form_either(client, admin, house):
    post = make_post(house["Section"])
    response = save_post(client, post, reports_to=post.pk)
    assert "A post cannot report to itself." in sentences(response)


def test_an_appointment_that_cannot_be_is_refused_with_a_sentence(client, admin, house):
    post, person = make_post(house["Section"], holder=make_person()), make_person()
    values = {"person": person.pk, "post": post.pk, "starts_on": "2021-01-01", "ends_on": ""}
    response = client.post(address("appointment", "add"), values)
    assert "Somebody holds this post already. End that appointment first." in sentences(response)
    response = client.post(address("appointment", "add"), values | {"ends_on": "2020-01-01"})
    assert "An appointment cannot end before it starts." in sentences(response)
    assert Appointment.objects.count() == 1
    assert (
        client.post(address("appointment", "add"), values | {"post": make_post(house["Section"]).pk}).status_code == 302
    )


def test_a_mandate_is_given_once(client, admin, house):
    values = {"officer": make_person().pk, "unit": house["Section"].pk}
    assert client.post(address("hrmandate", "add"), values).status_code == 302
    response = client.post(address("hrmandate", "add"), values)
    assert "This person already serves this unit as HR officer." in sentences(response)
    assert HrMandate.objects.count() == 1


def test_what_history_hangs_on_stays_when_somebody_deletes_it(client, admin, house):
    post = make_post(house["Section"], holder=make_person())
    assert client.post(address("post", "delete", post.pk)).status_code == 302
    assert Post.objects.filter(pk=post.pk).exists()


@pytest.mark.parametrize("model", ["unit", "post", "appointment", "hrmandate"])
def test_every_list_and_form_opens_for_administrators_and_for_no_editor(client, admin, house, model):
    post = make_post(house["Section"])
    rows = {
        "unit": house["Section"],
        "post": post,
        "appointment": appoint(make_person(), post),
        "hrmandate": make_hr(make_person(), house["Section"]),
    }
    pages = [address(model, "list"), address(model, "add"), address(model, "edit", rows[model].pk)]
    pages.append(f"{address(model, 'list')}?q=sec&page=99")
    assert [client.get(page).status_code for page in pages] == [200] * 4
    editor = make_person("Editor")
    editor.groups.add(Group.objects.get(name="Editors"))
    client.force_login(editor)
    assert [client.get(page).status_code for page in pages] == [302] * 4
    assert client.post(address(model, "delete", rows[model].pk)).status_code == 302
    assert type(rows[model]).objects.filter(pk=rows[model].pk).exists()


# --- Leave, tags, grades -----------------------------------------------------------------------------------------
def test_leave_is_kept_and_found_by_the_person(client, admin):
    ana = make_person("Ana Away")
    fields = {"person": ana.pk, "starts_on": "2026-03-01", "ends_on": "2026-04-01"}
    assert client.post(address("leave", "add"), fields).status_code == 302
    assert Leave.objects.get().person == ana
    assert "Ana Away" in client.get(address("leave", "list"), {"q": "away"}).content.decode()
    assert "Ana Away" not in client.get(address("leave", "list"), {"q": "ben"}).content.decode()


def test_leave_that_ends_before_it_starts_is_refused_with_a_sentence(client, admin):
    fields = {"person": make_person().pk, "starts_on": "2026-03-01", "ends_on": "2026-03-01"}
    response = client.post(address("leave", "add"), fields)
    assert response.status_code == 200
    assert "The day back lies after the first day of leave." in sentences(response)
    assert not Leave.objects.exists()


def test_a_person_has_a_tag_once_however_it_is_written(client, admin):
    ana = make_person()
    assert client.post(address("persontag", "add"), {"person": ana.pk, "name": " new  manager "}).status_code == 302
    assert PersonTag.objects.get().name == "new manager"
    response = client.post(address("persontag", "add"), {"person": ana.pk, "name": "New Manager"})
    assert "This person has this tag already." in sentences(response)
    assert PersonTag.objects.count() == 1


def test_the_grade_of_a_post_is_kept_and_posts_are_found_by_it(client, admin):
    unit = make_unit()
    fields = {
        "title_0": "Auditor", "title_1": "", "code": "A1", "unit": unit.pk, "grade": "A2", "reports_to": "",
        "starts_on": "2026-01-01", "ends_on": "",
    }  # fmt: skip
    assert client.post(address("post", "add"), fields).status_code == 302
    assert Post.objects.get().grade == "A2"
    assert "Auditor" in client.get(address("post", "list"), {"grade": "A2"}).content.decode()


@pytest.mark.parametrize("model", ["leave", "persontag"])
def test_leave_and_tags_are_closed_to_who_edits_pages(client, model):
    editor = make_person()
    editor.groups.add(Group.objects.get(name="Editors"))
    client.force_login(editor)
    for action in ("list", "add"):
        assert client.get(address(model, action)).status_code == 302
