"""Texts of a framework as people read them: lines stay lines, links are their words."""

from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import timezone
from i18nfield.strings import LazyI18nString

from competencies.models import Competency, LevelDescriptor, Role, RoleProfile
from competencies.searching import excerpt_of
from learning.role_path import role_card_of
from tests.builders import make_framework, make_person, make_post, make_profile, make_unit

pytestmark = pytest.mark.django_db
WRITTEN = "You can:\n- understand the [standard](https://gov.example/standard)\n- help fix it"
READ = "You can:\n- understand the standard\n- help fix it"
BROKEN = READ.replace("\n", "<br>")


@pytest.fixture
def house():
    version = make_framework(codes="A")
    profile = make_profile(version, {"A": 2}, title="Engineer")
    Competency.objects.update(description={"en": WRITTEN}, example={"en": WRITTEN}, search_text="standard")
    LevelDescriptor.objects.update(text={"en": WRITTEN})
    Role.objects.update(summary={"en": WRITTEN})
    RoleProfile.objects.update(summary={"en": WRITTEN + "!"})
    boss, ana = make_person("Boss"), make_person("Ana")
    unit = make_unit()
    make_post(unit, holder=ana, reports_to=make_post(unit, holder=boss), roles=[profile])
    return {"boss": boss, "ana": ana, "profile": profile, "a": version.competencies.get()}


def page(person, url: str) -> str:
    client = Client()
    client.force_login(person)
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def test_who_assesses_reads_descriptors_line_by_line(house):
    for person, url in (
        ("ana", f"/learn/competencies/{house['a'].pk}/assess/"),
        ("boss", f"/people/{house['ana'].pk}/competencies/{house['a'].pk}/assess/"),
    ):
        text = page(house[person], url)
        assert f'<p class="lead quiet">{READ}</p>' in text
        assert text.count(f'_text">{READ}</p>') == 5
        assert "gov.example" not in text


def test_the_styles_keep_the_lines_of_these_texts():
    sheet = Path(finders.find("css/base.css")).read_text(encoding="utf-8")
    rule = next(block for block in sheet.split("}") if "white-space: pre-line" in block)
    for place in (".page-header .lead", ".choice-text", ".as-written"):
        assert place in rule


def test_role_and_competency_pages_show_lines_and_no_addresses(house):
    for url in (f"/roles/{house['profile'].pk}/", f"/competencies/{house['a'].pk}/"):
        text = page(house["ana"], url)
        assert BROKEN in text
        assert "gov.example" not in text


def test_the_printed_card_shows_words_instead_of_addresses(house):
    card = role_card_of(RoleProfile.objects.get(pk=house["profile"].pk), language="en", dated=timezone.localdate())
    assert card.summary == f"{READ}\n{READ}!"
    assert [row.text for section in card.sections for row in section.rows] == [READ]


def test_an_excerpt_keeps_lines_and_shows_words_instead_of_addresses(house):
    assert excerpt_of(LazyI18nString({"en": WRITTEN}), ["standard"]) == READ
    assert excerpt_of(LazyI18nString({"en": "one   two\n \n three"}), ["two"]) == "one two\nthree"
    assert excerpt_of(LazyI18nString({"en": WRITTEN}), ["gov"]) == ""
    assert f'<p class="as-written">{READ}</p>' in page(house["ana"], "/frameworks/search/?q=standard")
