"""Where one lands after signing in, and what is open without it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client

from competencies.perms import STEWARDS
from organisations.models import User
from tests.builders import (
    PASSWORD,
    make_framework,
    make_hr,
    make_person,
    make_post,
    make_profile,
    make_unit,
)

pytestmark = pytest.mark.django_db


def landing(person, **more: str) -> str:
    person.emailaddress_set.create(email=person.email, verified=True, primary=True)
    response = Client().post("/account/login/", {"login": person.email, "password": PASSWORD, **more})
    assert response.status_code == 302
    return response["Location"]


def in_group(name: str):
    person = make_person()
    person.groups.add(Group.objects.get(name=name))
    return person


def give_role(person) -> None:
    make_post(make_unit(), holder=person, roles=[make_profile(make_framework(), {"A": 2})])


def test_names_are_one_line(client):
    answer = {"name": "Ana\r\nBcc:  x", "email": "ana@ministry.example", "password1": PASSWORD, "password2": PASSWORD}
    assert client.post("/account/signup/", answer).status_code == 302
    person = User.objects.get(email="ana@ministry.example")
    assert person.name == "Ana Bcc: x"
    client.force_login(person)
    assert client.post("/account/details/", {"name": "Ana\nCosta", "known_as": "An\r\na"}).status_code == 302
    person.refresh_from_db()
    assert (person.name, person.known_as) == ("Ana Costa", "An a")
    client.force_login(make_person(is_superuser=True, is_staff=True))
    changes = {"email": person.email, "name": "Ana\nRuiz", "known_as": "A\nR", "is_active": "on"}
    assert client.post(f"/cms/users/edit/{person.pk}/", changes).status_code == 302
    person.refresh_from_db()
    assert (person.name, person.known_as) == ("Ana Ruiz", "A R")


@pytest.mark.parametrize("with_role", [False, True])
def test_an_officer_lands_on_the_hr_desk(with_role):
    officer = make_person()
    make_hr(officer, make_unit())
    if with_role:
        give_role(officer)
    assert landing(officer) == "/hr/"


def test_stewards_land_on_their_desk_unless_a_path_waits_for_them():
    assert landing(in_group(STEWARDS)) == "/frameworks/desk/"
    person = in_group(STEWARDS)
    give_role(person)
    assert landing(person) == "/learn/"


@pytest.mark.parametrize("with_role", [False, True])
def test_an_editor_lands_among_the_pages(with_role):
    editor = in_group("Editors")
    if with_role:
        give_role(editor)
    assert landing(editor) == "/cms/pages/"


@pytest.mark.parametrize("with_role", [False, True])
def test_an_administrator_lands_in_the_cms(with_role):
    admin = make_person(is_superuser=True, is_staff=True)
    if with_role:
        give_role(admin)
    assert landing(admin) == "/cms/"


@pytest.mark.parametrize(
    ("url", "data", "sentences"),
    [
        (
            "/account/signup/",
            {},
            [
                "Enter your name.",
                "Enter your e-mail address.",
                "Choose a password.",
                "Type the password a second time.",
            ],
        ),
        ("/account/signup/", {"email": "no address"}, ["Enter an e-mail address such as name@ministry.gov."]),
        ("/account/login/", {}, ["Enter your e-mail address.", "Enter your password."]),
        ("/account/password/reset/", {}, ["Enter your e-mail address."]),
    ],
)
def test_a_field_left_empty_says_which_one_and_what_to_do(client, url, data, sentences):
    page = client.post(url, data).content.decode()
    assert "This field is required" not in page
    for sentence in sentences:
        assert sentence in page


def test_everybody_else_lands_on_her_learning_also_who_leads_a_team():
    unit, boss = make_unit(), make_person()
    make_post(unit, reports_to=make_post(unit, holder=boss), holder=make_person())
    assert landing(make_person()) == "/learn/"
    assert landing(boss) == "/learn/"


def test_who_was_on_the_way_somewhere_gets_there():
    officer = make_person()
    make_hr(officer, make_unit())
    assert landing(officer, next="/jobs/") == "/jobs/"


@pytest.mark.parametrize("path", ["documents/plan.pdf", "secret.txt", "images/../documents/plan.pdf", "images"])
def test_of_uploaded_files_only_pictures_are_open(client, path):
    write("documents/plan.pdf")
    write("secret.txt")
    assert client.get(f"/media/{path}").status_code == 404


@pytest.mark.parametrize("path", ["images/a.png", "original_images/a.png"])
def test_pictures_are_open(client, path):
    write(path)
    response = client.get(f"/media/{path}")
    assert response.status_code == 200
    assert b"".join(response) == b"content"


def write(path: str) -> None:
    file = Path(settings.MEDIA_ROOT) / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"content")
