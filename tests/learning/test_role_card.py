"""The role card: everything it must say, on as many pages as it takes, the same bytes each time."""

from __future__ import annotations

import time
from datetime import date
from io import BytesIO

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from competencies.enums import CompetencyKind, Necessity
from competencies.models import Competency, FrameworkVersion, Requirement, Role, RoleFamily, RoleProfile
from learning import role_card as drawing
from learning.role_card import RoleCard, Row, Section, Step, render_role_card
from learning.role_path import role_card_of
from organisations.paper import letters
from tests.builders import competency, make_course, make_framework, make_profile

DAY = date(2026, 3, 14)


def card(**fields: object) -> RoleCard:
    values: dict[str, object] = {
        "language": "en", "dated": DAY, "title": "Chief Information Security Officer", "eyebrow": "CISO · Key posts",
        "summary": "Answers for the security of information.", "required": 2,
        "sections": (
            Section("", (
                Row("Cyber risk governance", 4, 5, "Leads others", "I can set how much risk a body takes."),
                Row("Ethics", None, 5, "", "Deciding with care."),
            )),
        ),
        "steps": (Step("Governing cyber risk", 150, ("Cyber risk governance, level 4",), ("Incident command",)),),
        "minutes": 150, "unclosed": (), "framework": "Digital talent 1.0", "licence": "CC-BY-4.0",
        "attribution": "The makers", "source": "https://talent.gov.example/source",
        "url": "https://talent.gov.example/roles/3/",
    }  # fmt: skip
    return RoleCard(**{**values, **fields})  # type: ignore[arg-type]


def read(content: bytes) -> PdfReader:
    return PdfReader(BytesIO(content))


def text_of(content: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in read(content).pages).split())


# --- The drawing -------------------------------------------------------------------------------------------------
def test_the_card_says_what_is_required_at_which_level_the_path_and_where_it_comes_from():
    text = text_of(render_role_card(card()))
    for words in (
        "ROLE CARD", "Chief Information Security Officer", "CISO · Key posts", "It requires 2 competencies",
        "Cyber risk governance", "Level 4 of 5 · Leads others", "I can set how much risk a body takes.",
        "no level stated", "The path", "takes 1 course: 2 h 30 min of learning", "Governing cyber risk", "2 h 30 min",
        "Leads to: Cyber risk governance, level 4.", "Comes before: Incident command.",
        "Digital talent 1.0", "CC-BY-4.0", "The makers", "14 March 2026", "1 of 1", "talent.gov.example/roles/3",
    ):  # fmt: skip
        assert words in text, words
    assert "lacks some letters" not in text


def test_it_speaks_the_readers_language_and_names_itself():
    reader = read(render_role_card(card(language="es", title="Ñandú y Óptica")))
    assert reader.trailer["/Root"]["/Lang"] == "es"
    assert "Ñandú y Óptica" in reader.metadata.title
    assert reader.metadata.creation_date.date() == DAY
    assert "14 de marzo de 2026" in text_of(render_role_card(card(language="es")))


def test_it_is_a4_and_all_fonts_are_embedded():
    (page,) = read(render_role_card(card())).pages
    assert [round(float(n)) for n in page.mediabox] == [0, 0, 595, 842]
    for font in page["/Resources"]["/Font"].values():
        assert "/FontFile2" in font.get_object()["/FontDescriptor"]


def test_equal_cards_give_equal_bytes_whatever_was_drawn_between():
    first = render_role_card(card())
    render_role_card.cache_clear()
    render_role_card(card(title="Łukasz"))
    assert render_role_card(card()) == first
    assert render_role_card(card(dated=date(2026, 3, 15))) != first


@pytest.mark.parametrize("count", [1, 10, 150, 400])
def test_statements_go_on_over_numbered_pages_and_none_is_lost(count):
    rows = tuple(
        Row(f"S{n:03} Knowledge of a thing that takes a line and a half of text to be said") for n in range(count)
    )
    content = render_role_card(card(sections=(Section(f"Knowledge ({count})", rows, brief=True),), required=count))
    pages = read(content).pages
    text = text_of(content)
    assert all(f"S{n:03}" in text for n in range(count))
    for number, page in enumerate(pages, start=1):
        assert f"{number} of {len(pages)}" in page.extract_text()
    assert (len(pages) > 1) == (count > 30)


def test_long_texts_wrap_over_pages_within_the_margins():
    long = "palabra " * 1_500
    row = Row("A competency with a long name " * 9, 3, 5, "Label " * 12, "I can do it. " * 60)
    content = render_role_card(
        card(
            title="Wolfeschlegelsteinhausen " * 8, summary=long, attribution=long, licence="Licence " * 20,
            sections=(Section("", (row,) * 6),),
            steps=tuple(Step("A course title " * 17, 60, ("Something, level 2",) * 30) for _ in range(8)),
            unclosed=tuple(f"Gap {n}" for n in range(30)),
        )
    )  # fmt: skip
    reader = read(content)
    assert len(reader.pages) > 5
    for page in reader.pages:
        places: list[tuple[float, float]] = []
        page.extract_text(
            visitor_text=lambda t, cm, tm, f, s, p=places: p.append((tm[4], tm[5])) if t.strip() else None
        )
        assert all(drawing.LEFT - 1 < x < drawing.RIGHT and 20 < y < drawing.HEIGHT - 20 for x, y in places)
    text = text_of(content)
    assert text.count("palabra") == 3_000
    assert "And 18 more." in text


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_no_text_breaks_the_card(text):
    content = render_role_card(
        card(
            title=text, eyebrow=text, summary=text, framework=text, licence=text, attribution=text, unclosed=(text,),
            sections=(Section(text, (Row(text, 2, 5, text, text, text),)), Section(text, (Row(text),), brief=True)),
            steps=(Step(text, 5, (text,)),),
        )
    )  # fmt: skip
    assert content.startswith(b"%PDF")
    assert letters()


def test_the_card_says_when_letters_were_replaced():
    text = text_of(render_role_card(card(summary="王小明")))
    assert "This document's typeface lacks some letters" in text


# --- What it says of a role --------------------------------------------------------------------------------------
def made(profile: RoleProfile, language: str = "en") -> RoleCard:
    profile = RoleProfile.objects.select_related("role__family", "role__version__framework").get(pk=profile.pk)
    with translation.override(language):
        return role_card_of(profile, language=language, dated=DAY)


@pytest.fixture
def version(db: None) -> FrameworkVersion:
    return make_framework("alpha", codes="ABC")


def test_the_descriptor_of_the_required_level_is_shown(version):
    profile = make_profile(version, {"A": 3, "B": None})
    (section,) = made(profile).sections
    a, b = section.rows
    assert (a.level, a.levels, a.label, a.text) == (3, 5, "Label 3", "I can do A at 3.")
    assert (b.level, b.levels, b.text) == (None, 5, "What B is.")


def test_the_path_is_what_the_planner_chooses_for_somebody_who_holds_nothing(version):
    first = make_course(version, {}, key="first", effort=30)
    make_course(version, {"A": 4}, key="short", effort=40, requires=[first])
    make_course(version, {"A": 4}, key="long", effort=90)
    make_course(version, {"B": 2}, key="b-course")
    profile = make_profile(version, {"A": 4, "B": 5, "C": 1})
    result = made(profile)
    assert [step.title for step in result.steps] == ["B Course", "First", "Short"]
    assert result.steps[1].needed_by == ("Short",)
    assert result.steps[2].leads_to == ("Competency A, level 4",)
    assert result.minutes == 130
    assert result.unclosed == ("Competency B (to level 2 of the 5 required)", "Competency C")


def test_optional_and_uncertain_requirements_have_sections_and_no_path(version):
    make_course(version, {"B": 4})
    profile = make_profile(version, {"A": 2, "B": 2, "C": 2})
    Requirement.objects.filter(profile=profile, competency__code="B").update(necessity=Necessity.OPTIONAL)
    Requirement.objects.filter(profile=profile, competency__code="C").update(necessity=Necessity.UNCERTAIN)
    result = made(profile)
    assert result.required == 1
    assert [[row.title for row in section.rows] for section in result.sections] == [
        ["Competency A"],
        ["Competency B"],
        ["Competency C"],
    ]
    assert result.steps == ()
    assert "No course leads to what this role requires yet." in text_of(render_role_card(result))


def test_a_card_has_what_its_profile_builds_on(version):
    base = make_profile(version, {"A": 3})
    local = make_framework("local", codes="L")
    FrameworkVersion.objects.filter(pk=local.pk).update(extends=version)
    mine = make_profile(local, {"L": 2})
    RoleProfile.objects.filter(pk=mine.pk).update(builds_on=base)
    result = made(mine)
    assert {row.title: row.note for row in result.sections[0].rows} == {
        "Competency L": "",
        "Competency A": "From the national framework: alpha",
    }
    assert result.framework == "local 1 · alpha 1"


def test_the_card_is_in_the_readers_language(client, version):
    profile = make_profile(version, {"A": 3})
    make_course(version, {"A": 3}, key="k", language="es", title="Curso de A")
    make_course(version, {"A": 3}, key="k", language="en", title="Course of A")
    client.cookies["django_language"] = "es"
    text = text_of(client.get(f"/roles/{profile.pk}/card.pdf").content)
    assert "Competencia A" in text
    assert "Curso de A" in text


# --- The door ----------------------------------------------------------------------------------------------------
def test_everybody_may_print_a_card(client, version):
    profile = make_profile(version, {"A": 3}, title="Señor / Árbitro")
    family = RoleFamily(version=version, code="f", title={"en": "Guardians"})
    RoleFamily.objects.bulk_create([family])
    Role.objects.filter(pk=profile.role_id).update(family=family)
    response = client.get(f"/roles/{profile.pk}/card.pdf")
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == 'inline; filename="senor-arbitro.pdf"'
    text = text_of(response.content)
    assert "Señor / Árbitro" in text
    assert "Guardians" in text
    assert client.get(f"/roles/{profile.pk}/card.pdf").content == response.content


def test_a_card_is_drawn_once_whichever_process_is_asked(client, version):
    profile = make_profile(version, {"A": 3})
    address = f"/roles/{profile.pk}/card.pdf"

    def draws() -> int:
        """How often a process that has drawn nothing yet draws for one request."""
        render_role_card.cache_clear()
        assert client.get(address).status_code == 200
        return render_role_card.cache_info().misses

    assert [draws(), draws()] == [1, 0]
    client.cookies["django_language"] = "es"
    assert [draws(), draws()] == [1, 0]
    Requirement.objects.filter(profile=profile).update(level=version.levels.get(rank=2))
    assert [draws(), draws()] == [1, 0]
    make_course(version, {"A": 3}, key="new")
    assert [draws(), draws()] == [1, 0]


def test_there_is_no_card_of_a_draft_or_of_nothing(client, version):
    draft = make_framework("draft", codes="Q", status="draft")
    assert client.get(f"/roles/{make_profile(draft, {'Q': 1}).pk}/card.pdf").status_code == 404
    assert client.get("/roles/999999/card.pdf").status_code == 404
    assert client.get("/roles/99999999999999999999/card.pdf").status_code == 404


def test_a_role_of_a_hundred_and_fifty_statements_is_printed_within_a_second(client, db, count_queries):
    version = make_framework("nice-like", ranks=0, codes="A")
    rows = [
        Competency(
            version=version, code=f"K{n}", kind=[CompetencyKind.KNOWLEDGE, CompetencyKind.TASK][n % 2], position=n,
            title={"en": f"Statement {n}: knowledge of principles, models and methods used in systems management"},
        )
        for n in range(150)
    ]  # fmt: skip
    Competency.objects.bulk_create(rows)
    profile = make_profile(version, {f"K{n}": None for n in range(150)})
    make_course(version, {"A": 1})
    few = make_profile(version, {"A": None})
    counts = [count_queries(lambda p=p: client.get(f"/roles/{p.pk}/card.pdf")) for p in (few, profile)]
    assert max(counts) <= 15
    render_role_card.cache_clear()
    started = time.perf_counter()
    content = client.get(f"/roles/{profile.pk}/card.pdf").content
    assert time.perf_counter() - started < 1
    text = text_of(content)
    assert "Knowledge (75)" in text
    assert "Task (75)" in text
    assert all(f"Statement {n}:" in text for n in range(150))


def test_courses_for_what_is_aligned_are_part_of_the_path(version):
    from competencies.enums import LinkRelation
    from competencies.models import Alignment

    other = make_framework("beta", codes="Z")
    Alignment.objects.create(
        origin=competency(other, "Z"), target=competency(version, "A"), relation=LinkRelation.EXACT
    )
    make_course(other, {"Z": 4}, key="beta-course")
    assert [step.title for step in made(make_profile(version, {"A": 3})).steps] == ["Beta Course"]
