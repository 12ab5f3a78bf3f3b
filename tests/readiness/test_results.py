"""What people see of a closed survey: the same figures by every door, of whole groups only, and for whom."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from random import Random

import openpyxl
import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from organisations.models import User
from readiness.enums import TeamRole, WaveKind
from readiness.looking import may_look_at, own_node, start_node
from readiness.models import Comment, NodeBlock
from readiness.result_words import since_range
from readiness.results import NoResult, Since, change_drawn, map_of, results_for
from readiness.statistics.display import Standing, Verdict
from tests.builders import appoint, make_hr, make_person, make_post
from tests.readiness.surveys import (
    act_on,
    in_team,
    make_closed,
    make_initiative,
    make_instrument,
    make_ministry,
    make_open,
    staff,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def units():
    return make_ministry()


def some_of(unit) -> User:
    return User.objects.filter(appointments__post__unit=unit).order_by("pk").first()


def test_a_unit_shows_its_own_figures_and_a_small_one_those_above(units):
    wave = make_closed(make_initiative(units["M"]))
    own = results_for(wave, wave.nodes.get(code=units["A2"].code))
    assert (own.shown.code, own.n, own.eligible, own.is_of_above) == (units["A2"].code, 11, 11, False)
    assert {figure.code: figure.score for figure in own.figures} == {"why": 75, "support": 75, "commitment": 75}
    small = results_for(wave, wave.nodes.get(code=units["A1"].code))
    assert small.is_of_above and small.shown.code == units["A"].code and small.n == 27
    assert small.asked_for.code == units["A1"].code


def test_nothing_is_shown_before_the_end_nor_where_everything_was_destroyed(units):
    wave = make_open(make_initiative(units["M"]))
    with pytest.raises(NoResult):
        results_for(wave, wave.nodes.get(code=units["M"].code))


def test_a_change_is_told_in_words_and_only_of_what_was_asked_alike(units):
    initiative, instrument = make_initiative(units["M"]), make_instrument()
    first = make_closed(initiative, instrument, days_ago=90, value=lambda n, item: 2 + n % 2)
    act_on(first)
    later = make_closed(initiative, instrument, days_ago=30, value=lambda n, item: 4 + n % 2, kind=WaveKind.POST)
    result = results_for(later, later.nodes.get(code=units["M"].code))
    assert result.compared_with == timezone.localdate(first.closes_at)
    since = result.figure("why").since
    assert since.verdict == Verdict.UP and since.points == 50
    assert since.low <= 50 <= since.high


def test_a_change_is_drawn_with_its_margin_on_the_page_on_paper_and_in_the_spreadsheet(client, units):
    initiative, instrument = make_initiative(units["M"]), make_instrument()
    first = make_closed(initiative, instrument, days_ago=90, value=lambda n, item: 2 + n % 2)
    act_on(first)
    later = make_closed(initiative, instrument, days_ago=30, value=lambda n, item: 3 + n % 2, kind=WaveKind.POST)
    since = results_for(later, later.nodes.get(code=units["M"].code)).figure("why").since
    assert since.low < since.points == 26 < since.high  # one step of the scale, in steps of two points
    client.force_login(in_team(initiative, TeamRole.LEAD))

    def door(name):
        return client.get(reverse(name, args=[later.pk, units["M"].code]))

    said = f"up by about 26 points, between +{since.low} and +{since.high}"
    text = door("survey_results_of").content.decode()
    assert text.count(f'aria-label="{said}"') == 3
    assert f'cx="{(26 + 50) * 2}"' in text
    book = openpyxl.load_workbook(io.BytesIO(door("survey_results_sheet").content))
    assert [cell.value for cell in book.worksheets[0][5][8:11]] == [26, since.low, since.high]
    paper = PdfReader(io.BytesIO(door("survey_results_paper").content)).pages[1].extract_text()
    assert paper.count(said) == 3
    data = json.loads(door("survey_results_data").content)
    assert {tuple(f["since"][name] for name in ("low", "points", "high")) for f in data["figures"]} == {
        (since.low, 26, since.high)
    }


@given(st.integers(-100, 100), st.integers(0, 100), st.integers(0, 100))
def test_what_is_drawn_of_a_change_stays_on_the_line_and_in_order(points, below, above):
    low, point, high = change_drawn(Since(Verdict.UP, points, points - below, points + above))
    assert 0 <= low <= point <= high <= 1
    assert (point < 0.5) == (points < 0)


def test_of_a_change_that_nobody_can_tell_nothing_is_drawn():
    assert change_drawn(Since(Verdict.TOO_FEW)) is None
    assert since_range(Since(Verdict.TOO_FEW)) == since_range(None) == ""


def test_a_figure_that_is_not_shown_says_why_in_the_spreadsheet_too(client, units):
    wave = make_closed(make_initiative(units["M"]))
    NodeBlock.objects.filter(node__wave=wave, block="why").delete()
    client.force_login(in_team(wave.initiative, TeamRole.LEAD))
    sheet = client.get(reverse("survey_results_sheet", args=[wave.pk, units["M"].code]))
    row = openpyxl.load_workbook(io.BytesIO(sheet.content)).worksheets[0][5]
    assert [cell.value for cell in row[2:4]] == ["too few", "too few"]
    assert row[7].value == "no survey before"


def test_a_pulse_is_compared_with_what_was_said_to_the_same_statements(units):
    initiative, instrument = make_initiative(units["M"]), make_instrument({"why": 3})
    # The statement of the pulse is answered with 5, the others with 1 or 2.
    first = make_closed(
        initiative, instrument, days_ago=90, value=lambda n, item: 5 - n % 2 if item == "why1" else 1 + n % 2
    )
    act_on(first)
    pulse = make_closed(initiative, instrument, days_ago=30, value=lambda n, item: 5 - n % 2, kind=WaveKind.PULSE)
    assert [len(b["items"]) for b in pulse.questionnaire["blocks"]] == [1]
    since = results_for(pulse, pulse.nodes.get(code=units["M"].code)).figure("why").since
    assert since.verdict == Verdict.NO_CLEAR_CHANGE and since.points == 0


def test_the_result_of_any_unit_asks_few_queries(units, django_assert_max_num_queries):
    wave = make_closed(make_initiative(units["M"]))
    node = wave.nodes.get(code=units["A1"].code)
    with django_assert_max_num_queries(6):
        results_for(wave, node)


def test_the_page_asks_fewer_than_ten_queries_for_its_figures_whatever_the_size(client, units, count_queries):
    wave = make_closed(make_initiative(units["M"]))
    client.force_login(in_team(wave.initiative, TeamRole.LEAD))
    url = reverse("survey_results", args=[wave.pk])
    client.get(url)
    few = count_queries(lambda: client.get(url))
    larger = make_ministry(
        {"M": 3, **{f"{x}": 12 for x in "ABCDEFGH"}, **{f"{x}{n}": 11 for x in "ABC" for n in "1234"}}
    )
    other = make_closed(make_initiative(larger["M"]))
    client.force_login(in_team(other.initiative, TeamRole.LEAD))
    url = reverse("survey_results", args=[other.pk])
    client.get(url)
    assert count_queries(lambda: client.get(url)) == few


@pytest.mark.parametrize(("who", "most"), [("lead", 13), ("staff", 16)])
def test_the_whole_page_finds_out_once_who_is_looking(client, units, count_queries, who, most):
    """Session, person, navigation and rights with it; its figures themselves are four."""
    wave = make_closed(make_initiative(units["M"]))
    client.force_login(in_team(wave.initiative, TeamRole.LEAD) if who == "lead" else some_of(units["A2"]))
    url = reverse("survey_results", args=[wave.pk])
    client.get(url)
    assert count_queries(lambda: client.get(url)) <= most


# --- Who looks -------------------------------------------------------------------------------------------------------
def test_staff_see_their_own_unit_and_what_stands_for_it_and_nothing_else(client, units):
    wave = make_closed(make_initiative(units["M"]))
    person = some_of(units["A1"])
    client.force_login(person)
    assert client.get(reverse("survey_results", args=[wave.pk])).status_code == 200
    for name, status in {"A1": 200, "A": 200, "A2": 404, "M": 404, "B": 404}.items():
        for door in ("survey_results_of", "survey_results_data", "survey_results_sheet", "survey_results_paper"):
            assert client.get(reverse(door, args=[wave.pk, units[name].code])).status_code == status, (name, door)
    assert client.get(reverse("survey_results_of", args=[wave.pk, "nowhere"])).status_code == 404
    assert client.get(reverse("survey_map", args=[wave.pk])).status_code == 404


def test_who_leads_a_unit_sees_it_and_what_is_below_and_who_runs_the_change_sees_all(client, units):
    boss = make_post(units["A"], holder=make_person("Boss"))
    staff(units["A"], 2, boss)
    for post in units["A"].posts.filter(reports_to=None).exclude(pk=boss.pk):
        post.reports_to = boss
        post.save()
    wave = make_closed(make_initiative(units["M"]))
    client.force_login(User.objects.get(name="Boss"))
    for name, status in {"A": 200, "A1": 200, "A2": 200, "M": 404, "B": 404}.items():
        found = client.get(reverse("survey_results_of", args=[wave.pk, units[name].code])).status_code
        # B and M are not hers.
        assert found == status, name
    officer = make_person()
    make_hr(officer, units["M"])
    for everything in (officer, in_team(wave.initiative, TeamRole.LEAD)):
        client.force_login(everything)
        assert client.get(reverse("survey_map", args=[wave.pk])).status_code == 200
        for unit in units.values():
            assert client.get(reverse("survey_results_of", args=[wave.pk, unit.code])).status_code == 200


def test_a_manager_and_her_staff_see_the_same_figures_by_every_door(client, units):
    wave = make_closed(make_initiative(units["M"]), value=lambda n, item: 1 + n % 5)
    url = reverse("survey_results_data", args=[wave.pk, units["A2"].code])
    found = []
    for reader in (some_of(units["A2"]), in_team(wave.initiative, TeamRole.LEAD)):
        client.force_login(reader)
        found.append(json.loads(client.get(url).content))
    assert found[0] == found[1]
    result = results_for(wave, wave.nodes.get(code=units["A2"].code))
    assert [figure["score"] for figure in found[0]["figures"]] == [figure.score for figure in result.figures]
    book = openpyxl.load_workbook(
        io.BytesIO(client.get(reverse("survey_results_sheet", args=[wave.pk, units["A2"].code])).content)
    )
    assert [row[2].value for row in book.worksheets[0].iter_rows(min_row=5, max_row=7)] == [
        figure.score for figure in result.figures
    ]
    paper = PdfReader(io.BytesIO(client.get(reverse("survey_results_paper", args=[wave.pk, units["A2"].code])).content))
    assert len(paper.pages) == 2
    text = paper.pages[0].extract_text()
    assert f"{result.figures[0].score} of 100" in text and "11 of 11 people answered" in text


def test_a_survey_without_result_is_a_404_by_every_door_for_everybody(client, units):
    wave = make_open(make_initiative(units["M"]))
    for reader in (in_team(wave.initiative, TeamRole.LEAD), some_of(units["A"]), make_person(is_superuser=True)):
        client.force_login(reader)
        assert client.get(reverse("survey_results", args=[wave.pk])).status_code == 404
        assert client.get(reverse("survey_map", args=[wave.pk])).status_code == 404
        for door in ("survey_results_of", "survey_results_data", "survey_results_sheet", "survey_results_paper"):
            assert client.get(reverse(door, args=[wave.pk, units["M"].code])).status_code == 404


def test_somebody_from_elsewhere_sees_nothing(units):
    wave = make_closed(make_initiative(units["A"]), k=5)
    outsider = some_of(units["B"])
    assert own_node(outsider, wave) is None and start_node(outsider, wave) is None
    assert not any(may_look_at(outsider, wave, node) for node in wave.nodes.all())


def test_who_has_moved_since_sees_the_unit_she_is_in_now(units):
    wave = make_closed(make_initiative(units["M"]))
    person = some_of(units["A2"])
    person.appointments.update(ends_on=timezone.localdate())
    appoint(person, make_post(units["B"]), starts_on=timezone.localdate() - timedelta(days=0))
    assert own_node(person, wave).code == units["B"].code


# --- The map ---------------------------------------------------------------------------------------------------------
def test_the_map_draws_small_units_towards_the_whole_and_hides_what_is_too_small(units):
    wave = make_closed(make_initiative(units["M"]), value=lambda n, item: 1 + (n * 7) % 5)
    nodes = list(wave.nodes.order_by("position"))
    found = {row.node.code: row for row in map_of(wave, nodes).rows}
    assert {cell.score for cell in found[units["A1"].code].cells} == {None} and found[units["A1"].code].n == 0
    grand = wave.summary["groups"]["why"]["grand"]
    raw = NodeBlock.objects.get(node__wave=wave, node__code=units["A2"].code, block="why")
    shown = next(cell.score for cell in found[units["A2"].code].cells if cell.block == "why")
    low, high = sorted([(grand - 1) * 25, (raw.sum / raw.n - 1) * 25])
    assert low - 5 <= shown <= high + 5


def test_the_map_is_two_queries_for_any_number_of_units(units, django_assert_num_queries):
    wave = make_closed(make_initiative(units["M"]))
    with django_assert_num_queries(2):
        map_of(wave, list(wave.nodes.order_by("position")))


def test_what_the_key_of_the_map_says_is_about_reliable_differences_only(units):
    wave = make_closed(make_initiative(units["M"]), value=lambda n, item: 3)
    assert map_of(wave, []).compares == frozenset()


def test_where_nothing_is_marked_the_map_says_that_differences_are_chance(client, units):
    wave = make_closed(make_initiative(units["M"]), value=lambda n, item: 2 + n % 3)
    client.force_login(in_team(wave.initiative, TeamRole.LEAD))
    page = client.get(reverse("survey_map", args=[wave.pk]))
    assert not page.context["map"].has_marks
    assert "In no block do units differ reliably" in page.text
    assert "the rest" not in page.text


def test_a_code_no_database_has_is_a_404_by_every_door(client, units):
    wave = make_closed(make_initiative(units["M"]))
    client.force_login(in_team(wave.initiative, TeamRole.LEAD))
    for door in (
        "survey_results_of",
        "survey_results_data",
        "survey_results_sheet",
        "survey_results_paper",
        "survey_map_of",
    ):
        assert client.get(reverse(door, args=[wave.pk, "\0"])).status_code == 404


# --- Beside the rest, and what goes along ----------------------------------------------------------------------------
def differing(low_unit) -> object:
    """Answers of everybody by chance around 4, and around 2 in one unit."""
    ids = sorted(User.objects.filter(appointments__isnull=False).values_list("pk", flat=True))
    low = set(User.objects.filter(appointments__post__unit=low_unit).values_list("pk", flat=True))
    chance = Random(7)

    def value(n: int, item: str) -> int:
        return min(5, max(1, round(chance.gauss(2 if ids[n] in low else 4, 0.6))))

    return value


def test_a_unit_on_the_map_stands_beside_the_rest_of_the_one_above(client):
    units = make_ministry({"M": 3, "A": 14, "B": 14, "C": 14})
    wave = make_closed(make_initiative(units["M"]), value=differing(units["B"]))
    root = wave.nodes.get(code=units["M"].code)
    below = list(wave.nodes.filter(parent_code=root.code).order_by("position"))
    found = {row.node.code: {cell.standing for cell in row.cells} for row in map_of(wave, [root, *below], root).rows}
    assert found[units["B"].code] == {Standing.BELOW}
    assert Standing.BELOW not in found[units["A"].code]
    assert found[root.code] == {None}
    # What stands for a unit beside the rest follows from figures that are on the same screen, of whole groups.
    assert {cell.standing for row in map_of(wave, below).rows for cell in row.cells} == {None}
    client.force_login(in_team(wave.initiative, TeamRole.LEAD))
    page = client.get(reverse("survey_map", args=[wave.pk])).text
    assert page.count("▼ below the rest") == 3
    assert "beside the rest of M" in page
    marked = next(row for row in map_of(wave, [root, *below], root).rows if row.node.code == units["B"].code).cells[0]
    assert marked.counted == results_for(wave, wave.nodes.get(code=units["B"].code)).figure(marked.block).score
    assert f"▼ below the rest (counted: {marked.counted})" in page
    # What stands above the table and what is marked in it never contradict each other.
    assert "In no block do units differ reliably" not in page


def test_the_rest_of_a_unit_has_nobody_of_it_in_it():
    """Two units that differ, each the whole rest of the other: one is as far above as the other is below."""
    units = make_ministry({"M": 0, "A": 14, "B": 14})
    wave = make_closed(make_initiative(units["M"]), value=differing(units["B"]))
    root = wave.nodes.get(code=units["M"].code)
    below = list(wave.nodes.filter(parent_code=root.code))
    found = {row.node.code: {cell.standing for cell in row.cells} for row in map_of(wave, [root, *below], root).rows}
    assert found[units["A"].code] == {Standing.ABOVE}
    assert found[units["B"].code] == {Standing.BELOW}


def test_a_group_in_which_few_answered_is_said(client):
    units = make_ministry({"M": 0, "A": 40, "B": 40})
    silent = list(User.objects.filter(appointments__post__unit=units["B"]).order_by("pk"))[:29]
    wave = make_closed(make_initiative(units["M"]), but=silent)
    result = results_for(wave, wave.nodes.get(code=units["M"].code))
    assert (result.describes_few, result.has_silent_part) == (False, True)
    assert not results_for(wave, wave.nodes.get(code=units["A"].code)).has_silent_part
    client.force_login(in_team(wave.initiative, TeamRole.LEAD))
    assert "in a part of it fewer than three in ten" in client.get(reverse("survey_results", args=[wave.pk])).text


@pytest.mark.parametrize(("people", "shown"), [(99, False), (120, True)])
def test_what_goes_along_with_commitment_is_said_of_the_whole_body_alone(client, people, shown):
    units = make_ministry({"M": 0, "A": people // 2, "B": people - people // 2})
    chance = Random(11)
    moods = [(chance.gauss(3, 0.8), chance.gauss(3, 0.8)) for _ in range(people)]

    def value(n: int, item: str) -> int:
        why, support = moods[n]
        mean = {"w": why, "s": support}.get(item[0], 0.8 * why + 0.2 * support)
        return min(5, max(1, round(chance.gauss(mean, 0.3))))

    wave = make_closed(make_initiative(units["M"]), value=value)
    result = results_for(wave, wave.nodes.get(code=units["M"].code))
    client.force_login(in_team(wave.initiative, TeamRole.LEAD))
    page = client.get(reverse("survey_results", args=[wave.pk])).text
    assert ("What goes along with commitment" in page) is shown
    if not shown:
        assert result.drivers == ()
        return
    first, second = result.drivers
    assert (first.code, second.code) == ("why", "support")
    assert first.low <= first.pct <= first.high
    assert {value % 5 for driver in result.drivers for value in (driver.pct, driver.low, driver.high)} == {0}
    assert results_for(wave, wave.nodes.get(code=units["A"].code)).drivers == ()


def test_the_first_of_many_comments_stand_open_and_the_rest_can_be_opened(client):
    units = make_ministry({"M": 30})
    wave = make_closed(make_initiative(units["M"]), comments={"wish": "More rooms"})
    Comment.objects.filter(wave=wave).update(state="shown")
    client.force_login(in_team(wave.initiative, TeamRole.LEAD))
    page = client.get(reverse("survey_results", args=[wave.pk])).text
    said = page[page.index('id="said"') : page.index("Shown where at least ten")]
    assert said.count("<li>More rooms") == 30
    assert said[: said.index("<details")].count("<li>More rooms") == 8
    assert "All 30" in said


def test_results_and_surveys_stand_under_changes_in_the_navigation(client, units):
    wave = make_closed(make_initiative(units["M"]))
    client.force_login(in_team(wave.initiative, TeamRole.LEAD))
    for url in (reverse("survey_results", args=[wave.pk]), reverse("surveys")):
        assert re.search(r'href="/changes/"[^>]*aria-current="true"', client.get(url).text)


def test_a_block_with_too_few_answers_has_no_number_of_people_either(client, units):
    wave = make_closed(make_initiative(units["M"]))
    NodeBlock.objects.filter(node__wave=wave, block="why").delete()
    client.force_login(in_team(wave.initiative, TeamRole.LEAD))
    url = [wave.pk, units["M"].code]
    data = json.loads(client.get(reverse("survey_results_data", args=url)).content)
    assert {f["code"]: f["n"] for f in data["figures"]}["why"] is None
    book = openpyxl.load_workbook(io.BytesIO(client.get(reverse("survey_results_sheet", args=url)).content))
    assert [cell.value for cell in book.worksheets[0][5][1:4]] == ["too few"] * 3
    assert ">0</td>" not in client.get(reverse("survey_results_of", args=url)).text


def test_where_too_few_answered_the_survey_before_that_is_why_no_change_is_told(client, units):
    initiative, instrument = make_initiative(units["M"]), make_instrument()
    first = make_closed(initiative, instrument, days_ago=90)
    act_on(first)
    NodeBlock.objects.filter(node__wave=first, node__code=units["A2"].code).delete()
    later = make_closed(initiative, instrument, days_ago=30, kind=WaveKind.POST)
    result = results_for(later, later.nodes.get(code=units["A2"].code))
    assert {figure.since for figure in result.figures} == {Since(Verdict.TOO_FEW)}
    client.force_login(in_team(initiative, TeamRole.LEAD))
    text = client.get(reverse("survey_results_of", args=[later.pk, units["A2"].code])).text
    assert "too few answers to tell" in text and "not asked alike" not in text


def test_who_leads_finds_the_way_to_an_action_also_where_no_block_is_the_one_to_talk_about(client):
    """Twelve of thirty answered, each otherwise: no block is sure enough to talk about, and an action is asked for."""
    units = make_ministry({"M": 0, "A": 30, "B": 12})
    people = list(User.objects.filter(appointments__post__unit=units["A"]).order_by("pk"))
    wave = make_closed(make_initiative(units["M"]), but=people[:18], value=lambda n, item: 1 if n % 3 else 5)
    client.force_login(in_team(wave.initiative, TeamRole.LEAD))
    response = client.get(reverse("survey_results_of", args=[wave.pk, units["A"].code]))
    assert response.context["talk"] is None
    assert f"/changes/{wave.initiative.slug}/actions/new/?wave={wave.pk}" in response.text
    low = [figure.code for figure, _helps, _act in response.context["low"]]
    assert low and all(f"block={code}" in response.text for code in low)
    client.force_login(people[0])
    text = client.get(reverse("survey_results_of", args=[wave.pk, units["A"].code])).text
    assert "actions/new" not in text
