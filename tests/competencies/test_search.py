"""Finding roles and competencies by their wording, in whatever language."""

from __future__ import annotations

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from competencies import searching
from competencies.enums import CompetencyKind, FrameworkStatus
from competencies.models import Competency
from competencies.searching import Match, clean_query, containing, excerpt_of, match_of, search, words_of
from tests.builders import make_framework, make_profile
from tests.competencies.test_browsing import add, big_framework

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    version = make_framework("alpha", codes="A")
    add(version, "R1", title={"en": "Risk", "es": "Riesgo"}, description={"en": "Seeing what may go wrong."})
    add(version, "R2", title={"en": "Risk management", "es": "Gestión del riesgo"}, kind=CompetencyKind.SKILL)
    add(version, "R3", title={"en": "Cyber risk", "es": "Riesgo cibernético"})
    add(version, "R4", title={"en": "Planning"}, description={"en": "Plans name a risk, an owner and a day."})
    add(version, "D1", title={"en": "Open data", "es": "Datos abiertos"}, alternatives={"en": "Public data sets"})
    return version


def codes(query: str, **filters: str) -> list[str]:
    return [found.thing.code for found in search(query, **filters).competencies]


# --- The words ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", []),
        ("   \t\n ", []),
        ("\0", []),
        ("Gestión  del\0RIESGO", ["gestion", "del", "riesgo"]),
        ("risk Risk RISK", ["risk"]),
        ("ﬁnance", ["finance"]),
        (
            "one two three four five six seven eight nine ten",
            ["one", "two", "three", "four", "five", "six", "seven", "eight"],
        ),
    ],
)
def test_a_query_is_folded_into_words(typed, words):
    assert words_of(typed) == words


def test_an_endless_query_is_cut():
    assert len(clean_query("x" * 10_000)) == 100
    assert words_of("x " * 10_000) == ["x"]


@given(st.text(max_size=300))
def test_no_query_has_more_than_a_few_short_words(typed):
    words = words_of(typed)
    assert len(words) <= 8
    assert all(word and "\0" not in word and not any(c.isspace() for c in word) for word in words)


@pytest.mark.parametrize(
    ("titles", "match"),
    [
        (["risk management"], Match.WHOLE),
        (["gestion", "risk management"], Match.WHOLE),
        (["risk management of projects"], Match.BEGINS),
        (["management of risk"], Match.CONTAINS),
        (["risk", "management"], Match.ELSEWHERE),
        ([], Match.ELSEWHERE),
    ],
)
def test_how_well_a_title_fits(titles, match):
    assert match_of(titles, ["risk", "management"]) is match


# --- What is found -----------------------------------------------------------------------------------------------
def test_the_whole_title_comes_first_then_its_beginning_then_what_contains_it_then_the_rest(version):
    assert codes("risk") == ["R1", "R2", "R3", "R4"]
    assert codes("RIESGO") == ["R1", "R3", "R2"]


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("gestion riesgo", ["R2"]),
        ("GESTIÓN", ["R2"]),
        ("management risk", ["R2"]),
        ("cibernetico", ["R3"]),
        ("public sets", ["D1"]),
        ("d1", ["D1"]),
        ("data wrong", []),
    ],
)
def test_words_are_found_in_any_language_whatever_the_reader_speaks(version, language, query, expected):
    with translation.override(language):
        assert codes(query) == expected


def test_the_title_that_was_meant_stands_beside_the_readers_own(client, version):
    with translation.override("es"):
        (found,) = search("open data").competencies
        assert (str(found.thing.title), found.other_wording) == ("Datos abiertos", "Open data")
        (found,) = search("datos abiertos").competencies
        assert found.other_wording == ""
    client.cookies["django_language"] = "es"
    page = client.get("/frameworks/search/?q=open+data").content.decode()
    assert "Datos abiertos</a>" in page
    assert "(Open data)" in page


def test_what_is_found_by_its_description_shows_where_it_says_so(version):
    found = {f.thing.code: f.excerpt for f in search("risk").competencies}
    assert found["R4"] == "Plans name a risk, an owner and a day."
    assert found["R1"] == ""
    long = {"en": " ".join(f"w{n}" for n in range(60)), "es": "Un texto"}
    assert excerpt_of(long["en"], ["w30"]).startswith("… w22 ")
    assert excerpt_of(long["en"], ["w30"]).endswith(" w45 …")


def test_roles_and_competencies_are_grouped_with_framework_and_kind(client, version):
    profile = make_profile(version, {"A": 1}, title="Risk officer", key_post="CISO")
    page = client.get("/frameworks/search/?q=risk").content.decode()
    assert page.index("Risk officer") < page.index("Risk management")
    assert f"/roles/{profile.pk}/" in page
    assert "1 role · 3 competencies · 1 skill" in " ".join(page.split())
    assert "Skill · alpha · Area" not in page  # R2 is in no area
    assert "Skill · alpha" in page


def test_results_are_narrowed_by_framework_and_kind(client, version):
    other = make_framework("beta", codes="")
    add(other, "B1", title={"en": "Risk appetite"})
    make_profile(version, {"A": 1}, title="Risk officer")
    assert codes("risk", framework="beta") == ["B1"]
    assert codes("risk", kind="skill") == ["R2"]
    results = search("risk", kind="role")
    assert not results.competencies
    assert [str(found.thing) for found in results.roles] == ["Risk officer"]
    assert search("risk", framework="beta").role_count == 0
    assert len(codes("risk", framework="nonsense", kind="nonsense")) == 5
    page = client.get("/frameworks/search/?q=risk&framework=beta&kind=competency").content.decode()
    assert '<option value="beta" selected>' in page
    assert '<option value="competency" selected>' in page


def test_more_roles_than_the_first_few_have_a_list_of_their_own(client, version):
    for n in range(9):
        make_profile(version, {}, title=f"Archivist {n}")
    page = client.get("/frameworks/search/?q=archivist").content.decode()
    assert page.count("Archivist") == 6
    assert "?q=archivist&amp;kind=role" in page
    assert client.get("/frameworks/search/?q=archivist&kind=role").content.decode().count("Archivist") == 9


def test_drafts_and_superseded_editions_are_not_searched(version):
    for status in (FrameworkStatus.DRAFT, FrameworkStatus.SUPERSEDED):
        other = make_framework(status, codes="", status=status)
        add(other, "Q", title={"en": "Quantum risk"})
        make_profile(other, {}, title="Quantum officer")
    results = search("quantum")
    assert results.role_count == results.competency_count == 0


def test_more_than_can_be_ranked_says_so(client, version, monkeypatch):
    monkeypatch.setattr(searching, "MOST_RANKED", 3)
    page = client.get("/frameworks/search/?q=risk").content.decode()
    assert "Only the first thousand are listed." in page
    assert search("risk").competency_count == 4


# --- Bad input ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "query",
    [
        "",
        " ",
        "%00",
        "a%00b",
        "x" * 10_000,
        "%25",
        "_",
        "'",
        '"',
        "\\",
        "' OR 1=1 --",
        "%F0%9F%98%80",
        "%ED%A0%80",
        "*",
        "(",
        "[a-",
    ],
)
def test_no_query_breaks_the_search(client, version, query):
    for address in ("/frameworks/search/", "/frameworks/alpha/", "/roles/compare/"):
        assert client.get(f"{address}?q={query}&page=-1&framework=%00&kind=%00").status_code == 200


@pytest.mark.parametrize("query", ["%25", "_", "\\"])
def test_signs_with_a_meaning_for_the_database_mean_themselves(client, version, query):
    assert client.get(f"/frameworks/search/?q={query}").context["results"].competency_count == 0
    add(version, "P", title={"en": r"100 % of_all \ things"})
    assert client.get(f"/frameworks/search/?q={query}").context["results"].competency_count == 1


def test_what_is_typed_is_shown_as_text(client, version):
    page = client.get("/frameworks/search/?q=<script>x</script>").content.decode()
    assert "<script>x" not in page


# --- Without script, and its cost --------------------------------------------------------------------------------
def test_the_partial_is_the_region_of_the_whole(client, version):
    whole = client.get("/frameworks/search/?q=risk").content.decode()
    part = client.get("/frameworks/search/?q=risk", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert part.strip() in whole


def test_nothing_typed_and_nothing_found_lead_on(client, version):
    assert "Type a word" in client.get("/frameworks/search/").content.decode()
    page = client.get("/frameworks/search/?q=zebra").content.decode()
    assert "Nothing found" in page
    assert "/frameworks/" in page


def test_searching_much_costs_as_many_queries_as_searching_little(client, count_queries):
    big_framework(40)
    client.get("/frameworks/search/")
    few = count_queries(lambda: client.get("/frameworks/search/?q=number"))
    big_framework(4_000)
    many = count_queries(lambda: client.get("/frameworks/search/?q=number"))
    assert few <= 12
    assert many <= few + 1  # what is not ranked is counted
    assert count_queries(lambda: client.get("/frameworks/search/?q=number&kind=role")) <= 12
    assert client.get("/frameworks/search/?q=number&page=3").content.count(b"Skill number") == 20


def test_every_word_must_be_contained_and_order_does_not_matter(version):
    rows = Competency.objects.all()
    assert list(containing(rows, ["management", "risk"])) == list(containing(rows, ["risk", "management"]))
