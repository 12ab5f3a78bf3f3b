"""Why this level: somebody who knows no statistics finds what shows it, what would change it, and how sure it is."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from wagtail.models import ModelLogEntry

from competencies import wording
from competencies.disagreements import NotShared, share_disagreement, unshare_disagreement
from competencies.enums import EvidenceKind
from competencies.likely import Likely, Observation, estimate
from competencies.models import SharedDisagreement
from competencies.selectors import Scale, explained_level
from competencies.services import Finding, record_evidence, withdraw_evidence
from tests.builders import (
    competency,
    give_evidence,
    make_course,
    make_framework,
    make_hr,
    make_person,
    make_post,
    make_profile,
    make_unit,
)
from tests.competencies.banks import make_bank

FIVE = Scale({rank: f"Label {rank}" for rank in range(6)})
WORKED = [
    Observation("self", 4, 2),
    Observation("manager", 3, 5),
    Observation("quiz", 3, 1),
    Observation("certificate", 2, 20),
]


# --- Words for figures -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (1.0, "almost certain"),
        (0.95, "almost certain"),
        (0.94, "very likely"),
        (0.80, "very likely"),
        (0.79, "likely"),
        (0.60, "likely"),
        (0.59, "about as likely as not"),
        (0.40, "about as likely as not"),
        (0.39, "unlikely"),
        (0.15, "unlikely"),
        (0.14, "very unlikely"),
        (0.05, "very unlikely"),
        (0.04, "almost ruled out"),
        (0.0, "almost ruled out"),
    ],
)
def test_each_probability_has_its_word(probability, words):
    assert wording.probability_words(probability) == words


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.999, "over 99 %"), (1.0, "over 99 %"), (0.96, "96 %"), (0.184, "18 %"), (0.001, "under 1 %")],
)
def test_a_percentage_never_claims_certainty(share, words):
    assert wording.share_words(share) == words


def test_what_is_likely_is_a_sentence():
    assert wording.likely_words(estimate(WORKED), FIVE, required=4) == (
        "Most likely level 3; level 2 or more is almost certain (96 %), level 4 or more is unlikely (18 %)."
    )


def test_a_level_required_far_above_is_named_too_and_none_off_the_scale():
    words = wording.likely_words(estimate(WORKED), FIVE, required=5)
    assert "level 4 or more" in words and "level 5 or more" in words
    sure = Likely(5.0, 0.1, (1.0, 1.0, 1.0, 1.0, 0.99), (0.0,) * 5)
    assert wording.likely_words(sure, FIVE) == "Most likely level 5; level 4 or more is almost certain (over 99 %)."


def test_a_scale_without_levels_speaks_of_holding():
    words = wording.likely_words(estimate([], ranks=1), Scale({}))
    assert words.startswith("That it is held is ")


@given(st.lists(st.floats(0, 1), min_size=5, max_size=5).map(lambda ps: tuple(sorted(ps, reverse=True))))
def test_the_level_called_most_likely_is_the_most_likely(at_least):
    likely = Likely(2.0, 1.0, at_least, (0.0,) * 5)
    reached = (1.0, *at_least, 0.0)
    each = [reached[n] - reached[n + 1] for n in range(6)]
    assert each[wording.likeliest_level(likely)] == max(each)


@pytest.mark.parametrize(
    ("moves", "words"),
    [
        (None, "is not looked at for the likely level"),
        (0.0, "hardly moves the likely level"),
        (-0.09, "hardly moves the likely level"),
        (0.15, "moves the likely level up a little"),
        (-0.3, "moves the likely level down by about a quarter of a level"),
        (0.5, "moves the likely level up by about half a level"),
        (-1.0, "moves the likely level down by about one level"),
        (1.5, "moves the likely level up by about one and a half levels"),
        (2.2, "moves the likely level up by about 2 levels"),
        (-3.0, "moves the likely level down by about 3 levels"),
    ],
)
def test_a_contribution_is_said_in_words(moves, words):
    assert wording.contribution_words(moves) == words


@given(st.floats(-5, 5))
def test_no_contribution_is_a_decimal_and_its_direction_is_right(moves):
    words = wording.contribution_words(moves)
    assert not re.search(r"\d[.,]\d", words)
    if abs(moves) >= 0.1:
        assert (" up " in words) == (moves > 0)


# --- The page ----------------------------------------------------------------------------------------------------
@pytest.fixture
def house(db):
    version = make_framework(codes="ABC")
    unit, ana, boss, officer = make_unit(), make_person("Ana Pérez"), make_person("Berta Boss"), make_person("Olga HR")
    post = make_post(unit, holder=boss)
    make_post(unit, holder=ana, reports_to=post, roles=[make_profile(version, {"A": 4, "B": 2})])
    make_hr(officer, unit)
    return {"version": version, "ana": ana, "boss": boss, "officer": officer, "a": competency(version, "A")}


def page(client, reader, house, what="a") -> str:
    client.force_login(reader)
    own = reader == house["ana"]
    url = (
        f"/learn/competencies/{house[what].pk}/" if own else f"/people/{house['ana'].pk}/competencies/{house[what].pk}/"
    )
    response = client.get(url)
    assert response.status_code == 200
    return unescape(response.content.decode())


def test_the_first_glance_says_what_would_change_it(client, house):
    give_evidence(house["ana"], house["a"], 3, EvidenceKind.COURSE, days_ago=30)
    text = page(client, house["ana"], house)
    assert "Level 3 of the 4 your role needs" in text
    assert "What would change it, the least effort first: Your manager confirms level 4. Other ways are below." in text
    before_sections = text.split("<h2", 1)[0]
    assert "What would change it, the least effort first" in before_sections


def test_the_page_tells_the_rule_the_piece_what_would_change_it_and_how_sure_it_is(client, house):
    give_evidence(house["ana"], house["a"], 2, EvidenceKind.COURSE, days_ago=600)
    give_evidence(house["ana"], house["a"], 4, EvidenceKind.SELF, days_ago=60, by=house["ana"])
    make_course(house["version"], {"A": 4}, key="to-four", effort=300)
    make_course(house["version"], {"A": 5}, key="to-five", effort=90)
    make_course(house["version"], {"A": 3}, key="to-three")
    text = page(client, house["ana"], house)
    marks = ('<h2 id="shows"', '<h2 id="change"', '<h2 id="record"', '<h2 id="sure"', "How levels are decided")
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)
    shows = text[places[0] : places[1]]
    assert "This is what shows level 2, until" in shows and "A course or certificate passed with a check" in shows
    change = text[places[1] : places[2]]
    assert "Any one of these is enough, the least effort first:" in change
    assert change.index("/courses/to-five/") < change.index("/courses/to-four/")
    assert "/courses/to-three/" not in change
    record = text[places[2] : places[3]]
    assert "It moves the likely level up" in record
    sure = text[places[3] : places[4]]
    assert "Most likely level" in sure and "This estimate decides nothing." in sure
    assert not re.search(r"\d\.\d", re.sub(r"<[^>]*>", "", sure))


def test_what_is_not_enough_but_brings_a_person_nearer_is_named_with_the_level_it_shows(client, house):
    make_bank(house["a"])
    nearer = (
        page(client, house["ana"], house).split("Not enough for that level, but nearer to it:")[1].split("</ul>")[0]
    )
    assert "A diagnostic shows level 3." in nearer and "Your manager confirms level 2." in nearer
    give_evidence(house["ana"], house["a"], 3, EvidenceKind.COURSE)
    text = page(
        client, house["ana"], house
    )  # now a manager's word is enough, and a diagnostic shows no more than is shown
    assert "nearer to it" not in text and "Your manager confirms level 4." in text


def test_a_course_is_named_only_where_there_is_one(client, house):
    assert "An assessor accepts a certificate from elsewhere at level 4." in page(client, house["ana"], house)
    assert "You pass a course" not in page(client, house["ana"], house)
    make_course(house["version"], {"A": 4}, key="to-four")
    text = page(client, house["ana"], house)
    assert "You pass a course with a check for level 4." in text and "a certificate from elsewhere" not in text


def test_who_has_asked_her_manager_by_her_self_assessment_is_told_so(client, house):
    asked, ask = (
        "Your manager is asked already: you see yourself at 4.",
        "Assess yourself, so that your manager is asked",
    )
    give_evidence(house["ana"], house["a"], 3, EvidenceKind.COURSE, days_ago=30)
    text = page(client, house["ana"], house)
    assert ask in text and asked not in text
    give_evidence(house["ana"], house["a"], 4, EvidenceKind.SELF, days_ago=20, by=house["ana"])
    text = page(client, house["ana"], house)
    assert asked in text and ask not in text
    assert asked not in page(client, house["boss"], house)
    give_evidence(house["ana"], house["a"], 3, EvidenceKind.MANAGER, days_ago=10, by=house["boss"])
    text = page(client, house["ana"], house)
    assert ask in text and asked not in text


def test_a_panel_is_offered_once_to_who_may_ask_one_and_the_person_reads_whom_to_ask(client, house):
    door = f'href="/people/{house["ana"].pk}/competencies/{house["a"].pk}/panel/"'
    assert page(client, house["boss"], house).count(door) == 1
    assert page(client, house["officer"], house).count(door) == 1
    assert "Ask your manager or your HR officer for one." in page(client, house["ana"], house)


def test_a_failed_quiz_is_said_to_be_failed(client, house):
    record_evidence(
        person=house["ana"],
        findings=[Finding(house["a"], 3, passed=False)],
        kind=EvidenceKind.QUIZ,
        source_key="quiz",
        by=None,
        occurred_on=timezone.localdate(),
    )
    assert "not passed at level 3 (label 3)" in page(client, house["ana"], house)


def test_each_reader_gets_the_doors_she_may_use(client, house):
    give_evidence(house["ana"], house["a"], 3, EvidenceKind.COURSE)
    mine, hers = (
        f"/learn/competencies/{house['a'].pk}/assess/",
        f"/people/{house['ana'].pk}/competencies/{house['a'].pk}/assess/",
    )
    assert mine in page(client, house["ana"], house)
    assert hers in page(client, house["boss"], house)
    officer = page(client, house["officer"], house)
    assert mine not in officer and hers not in officer
    assert "The manager confirms level 4." in officer


def test_a_level_that_is_reached_says_so_and_what_the_next_one_takes(client, house):
    give_evidence(house["ana"], house["a"], 4, EvidenceKind.COURSE)
    text = page(client, house["ana"], house)
    assert "What would bring level 5" in text and "The role asks for no more." in text
    assert "What would change it" not in text
    give_evidence(house["ana"], house["a"], 5, EvidenceKind.COURSE)
    assert "What would bring" not in page(client, house["ana"], house)


def test_a_managers_word_that_leans_on_other_evidence_says_on_what(client, house):
    give_evidence(house["ana"], house["a"], 3, EvidenceKind.PRIOR_LEARNING, days_ago=10)
    give_evidence(house["ana"], house["a"], 4, EvidenceKind.MANAGER, by=house["boss"])
    assert "It leans on this, and falls with it: Prior learning" in page(client, house["ana"], house)


def test_a_refresh_says_the_day_and_the_shortest_way(client, house):
    make_course(house["version"], {"A": 4}, key="long-way", effort=600)
    make_course(house["version"], {"A": 5}, key="short-way", effort=60)
    [piece] = record_evidence(
        person=house["ana"],
        findings=[Finding(house["a"], 4)],
        kind=EvidenceKind.CERTIFICATE,
        source_key="old",
        by=None,
        assessed=True,
        occurred_on=timezone.localdate() - timedelta(days=100),
        valid_until=timezone.localdate() + timedelta(days=60),
    )
    text = page(client, house["ana"], house)
    callout = text[text.index("Refresh due by") : text.index(">What shows it")]
    assert "/courses/short-way/" in callout and "/courses/long-way/" not in callout
    withdraw_evidence(evidence=piece, by=house["boss"], reason="Wrong person.")
    assert "Refresh due by" not in page(client, house["ana"], house)


def test_the_page_asks_as_many_queries_for_many_pieces_as_for_few(client, house, count_queries):
    give_evidence(house["ana"], house["a"], 2, EvidenceKind.COURSE)
    give_evidence(house["ana"], house["a"], 1, EvidenceKind.MANAGER, by=house["boss"], days_ago=50)
    page(client, house["ana"], house)
    few = count_queries(lambda: page(client, house["ana"], house))
    for n in range(12):
        give_evidence(house["ana"], house["a"], 3 + n % 2, EvidenceKind.PANEL, by=make_person(), days_ago=n)
        give_evidence(house["ana"], house["a"], 3 + n % 2, EvidenceKind.COURSE, days_ago=n)
    assert count_queries(lambda: page(client, house["ana"], house)) == few


def test_withdrawing_a_piece_undoes_just_what_it_did(house):
    give_evidence(house["ana"], house["a"], 2, EvidenceKind.COURSE, days_ago=40)
    before = explained_level(house["ana"], house["a"])
    piece = give_evidence(house["ana"], house["a"], 4, EvidenceKind.PANEL)
    assert explained_level(house["ana"], house["a"]).level.rank == 4
    withdraw_evidence(evidence=piece, by=house["boss"], reason="Wrong person.")
    after = explained_level(house["ana"], house["a"])
    assert (after.level, after.likely) == (before.level, before.likely)
    assert [row.pk for row in after.withdrawn] == [piece.pk]


# --- Evidence that disagrees -------------------------------------------------------------------------------------
@pytest.fixture
def disagreeing(house):
    give_evidence(house["ana"], house["a"], 4, EvidenceKind.PRIOR_LEARNING, days_ago=200)
    return give_evidence(house["ana"], house["a"], 2, EvidenceKind.MANAGER, by=house["boss"], days_ago=3)


def share(client, house, **data):
    client.force_login(house["ana"])
    return client.post(f"/learn/competencies/{house['a'].pk}/share/", data, follow=True)


def test_a_disagreement_is_a_note_to_the_person_and_to_her_manager_only_if_she_agrees(client, house, disagreeing):
    assert "Evidence disagrees" in page(client, house["ana"], house)
    assert "Let my manager see this note" in page(client, house["ana"], house)
    assert "Evidence disagrees" not in page(client, house["boss"], house)
    for _press in range(2):
        share(client, house, do="share")
    assert SharedDisagreement.objects.get().evidence == disagreeing
    assert "Your manager can see this note." in page(client, house["ana"], house)
    assert "Evidence disagrees" in page(client, house["boss"], house)
    assert "Evidence disagrees" not in page(client, house["officer"], house)
    for _press in range(2):
        share(client, house, do="undo")
    assert not SharedDisagreement.objects.exists()
    assert "Evidence disagrees" not in page(client, house["boss"], house)
    actions = [a for a in ModelLogEntry.objects.order_by("pk").values_list("action", flat=True) if "disagreement" in a]
    assert actions == ["competencies.share_disagreement", "competencies.unshare_disagreement"]


def test_a_disagreement_changes_no_level(house, disagreeing):
    assert explained_level(house["ana"], house["a"]).level.rank == 4
    share_disagreement(person=house["ana"], competency=house["a"], by=house["ana"], as_of=timezone.localdate())
    assert explained_level(house["ana"], house["a"]).level.rank == 4


def test_nobody_else_shares_or_hides_a_note(house, disagreeing):
    for other in (house["boss"], house["officer"]):
        with pytest.raises(NotShared):
            share_disagreement(person=house["ana"], competency=house["a"], by=other, as_of=timezone.localdate())
        with pytest.raises(NotShared):
            unshare_disagreement(person=house["ana"], competency=house["a"], by=other)
    assert not SharedDisagreement.objects.exists()


def test_what_no_longer_disagrees_cannot_be_shared(client, house):
    give_evidence(house["ana"], house["a"], 4, EvidenceKind.PRIOR_LEARNING)
    assert "so there is no note to show" in unescape(share(client, house).content.decode())
    assert not SharedDisagreement.objects.exists()


@pytest.mark.parametrize(("cuts", "among_the_ways"), [((-1.0, 0.0), False), ((-1.0, 0.0, 1.0), True)])
def test_a_diagnostic_is_a_way_only_to_levels_its_questions_tell_apart(client, house, cuts, among_the_ways):
    unasked = make_person("Unasked")  # her next level is 3
    give_evidence(unasked, house["a"], 2, EvidenceKind.COURSE, days_ago=30)
    make_bank(house["a"], items=6, cuts=cuts)
    client.force_login(unasked)
    response = client.get(f"/learn/competencies/{house['a'].pk}/")
    assert response.context["target"] == 3
    assert any(way.code == "diagnostic" for way in response.context["ways"]) is among_the_ways
    assert response.content.decode().count(f'href="/learn/competencies/{house["a"].pk}/diagnostic/"') == 1
