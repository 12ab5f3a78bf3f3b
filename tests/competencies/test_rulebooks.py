"""Rules written down, read and refused; what an edition changes; every sentence says the numbers it has."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from competencies import rules_wording, wording
from competencies.enums import EvidenceKind
from competencies.levels import RULES, EvidenceItem, attained_level
from competencies.likely import estimate
from competencies.rulebooks import (
    SHIPPED,
    RulesRefused,
    changed_numbers,
    is_whole,
    limits_of,
    numbers_of,
    read_book,
    read_kept,
    with_numbers,
    write_book,
)
from tests.competencies.rulebook_contents import PLACES, books, contents


def test_what_the_product_ships_with_goes_there_and_back():
    assert read_book(json.loads(json.dumps(write_book(SHIPPED))), version="1") == SHIPPED
    assert read_book({}, version="1") == SHIPPED


@given(contents)
def test_any_content_in_range_goes_there_and_back(content):
    book = read_book(content, version="7")
    written = json.loads(json.dumps(write_book(book)))
    assert read_book(written, version="7") == book
    assert with_numbers(numbers_of(written)) == written
    assert {place: numbers_of(written)[place] for place in numbers_of(content)} == numbers_of(content)


def test_an_edition_on_record_with_less_notice_than_may_be_written_today_is_still_read():
    for days, read in ((0, 30), (29, 30), (30, 30), (60, 60)):
        assert read_kept({"refresh_days": days}, version="2").rules.refresh_days == read
    assert read_kept({}, version="1") == SHIPPED
    with pytest.raises(RulesRefused):
        read_book({"refresh_days": 29}, version="2")


@given(books, books)
def test_what_changed_is_just_what_differs(before, after):
    changes = changed_numbers(before, after)
    numbers = numbers_of(write_book(before)) | {change.place: change.after for change in changes}
    assert read_book(with_numbers(numbers), version="2") == after
    assert not changed_numbers(before, before)
    assert all(change.before != change.after for change in changes)


@pytest.mark.parametrize("place", PLACES)
def test_every_number_is_refused_just_outside_its_limits_and_taken_at_them(place):
    least, most = limits_of(place)
    for good in (least, most):
        read_book(with_numbers({place: good}), version="2")
    step = 1 if is_whole(place) else 1e-6
    for bad in (least - step, most + step, float("nan"), float("inf"), float("-inf")):
        with pytest.raises(RulesRefused) as caught:
            read_book(with_numbers({place: bad}), version="2")
        assert (caught.value.place, caught.value.problem) == (place, "out_of_range")
    for bad in ("3", None, True, [3]):
        with pytest.raises(RulesRefused) as caught:
            read_book(with_numbers({place: bad}), version="2")
        assert (caught.value.place, caught.value.problem) == (place, "not_a_number")


@pytest.mark.parametrize("place", [place for place in PLACES if is_whole(place)])
def test_months_levels_and_days_are_whole(place):
    with pytest.raises(RulesRefused) as caught:
        read_book(with_numbers({place: limits_of(place)[0] + 0.5}), version="2")
    assert (caught.value.place, caught.value.problem) == (place, "not_whole")


@pytest.mark.parametrize(
    ("content", "place", "problem"),
    [
        ({"nonsense": 1}, "nonsense", "unknown"),
        ({"rules": {"self": {"months": 3}}}, "rules.self", "unknown"),
        ({"rules": {"assessed": {"cap": 3}}}, "rules.assessed.cap", "unknown"),
        ({"rules": 3}, "rules", "not_a_group"),
        ({"rules": {"manager": 3}}, "rules.manager", "not_a_group"),
        ({"parameters": {"kinds": []}}, "parameters.kinds", "not_a_group"),
        ({"parameters": {"kinds": {"gossip": {}}}}, "parameters.kinds.gossip", "unknown"),
        ({"parameters": {"kinds": {"quiz": {"sd": 1}}}}, "parameters.kinds.quiz.sd", "unknown"),
        ({"parameters": {"luck": 1}}, "parameters.luck", "unknown"),
    ],
)
def test_what_is_not_a_rule_is_refused_with_its_place(content, place, problem):
    with pytest.raises(RulesRefused) as caught:
        read_book(content, version="2")
    assert (caught.value.place, caught.value.problem) == (place, problem)
    assert place in rules_wording.refusal_words(caught.value)


@pytest.mark.parametrize("place", PLACES)
def test_a_refusal_names_the_limits_and_a_number_its_name(place):
    least, most = (rules_wording.number_words(place, limit) for limit in limits_of(place))
    for problem in ("not_a_number", "not_whole", "out_of_range"):
        words = rules_wording.refusal_words(RulesRefused(place, problem))
        assert f"from {least} to {most}" in words
    assert rules_wording.number_name(place)[0].isupper()
    assert rules_wording.as_kept(place, rules_wording.as_shown(place, limits_of(place)[0])) == limits_of(place)[0]


def test_a_piece_that_shows_no_level_counts_for_none():
    piece = EvidenceItem(1, EvidenceKind.DIAGNOSTIC, 0, True, date(2026, 11, 1))
    [judged] = attained_level([piece], as_of=date(2026, 11, 23)).judged
    assert wording.verdict_words(judged) == "Shows no level; kept on record."


def test_an_unsure_estimate_blames_little_evidence_or_evidence_that_disagrees():
    words = wording.sureness_words(estimate([]), unsure_sd=0.8, pieces=6)
    assert words.startswith("What is on record is little or does not agree:")


def test_every_number_has_a_name_of_its_own():
    assert len({rules_wording.place_name(place) for place in PLACES}) == len(PLACES)


# --- Sentences against numbers -----------------------------------------------------------------------------------
def time_said(sentence: str) -> int:
    number, unit = re.search(r"for (\d+) (month|year)", sentence).groups()
    return int(number) * (12 if unit == "year" else 1)


@given(books)
def test_every_rules_sentence_says_the_numbers_the_rule_has(book):
    for rule in book.rules.rules:
        sentence = wording.rule_words(rule)
        assert "%" not in sentence.replace(" % certain", "")
        if rule.valid_months is not None and "nothing by itself" not in sentence:
            assert time_said(sentence) == rule.valid_months, sentence
        if rule.cap == 0:
            assert "shows nothing" in sentence and not re.search(r"level \d", sentence), sentence
        elif rule.cap is not None:
            assert re.search(r"level (\d+)", sentence).group(1) == str(rule.cap), sentence
        if rule.certainty is not None and rule.cap:
            said = float(re.search(r"at least ([\d.]+) % certain", sentence).group(1))
            assert said == pytest.approx(100 * rule.certainty, abs=1e-6), sentence


def test_the_shipped_rules_in_words():
    words = {rule.code: wording.rule_words(rule) for rule in RULES.rules}
    assert words["diagnostic"] == (
        "A diagnostic shows the highest level that is at least 80 % certain, level 3 at most, for 2 years."
    )
    assert words["manager"] == (
        "A manager’s assessment shows at most level 2 alone – and one level more than other evidence shows – for 12 months."
    )
    assert words["completed"] == "A course completed without a check shows level 1 for 2 years."


@pytest.mark.parametrize(
    ("months", "words"), [(1, "1 month"), (12, "12 months"), (18, "18 months"), (24, "2 years"), (25, "25 months")]
)
def test_a_time_is_said_in_years_where_it_is_whole_years(months, words):
    assert wording.months_words(months) == words


@pytest.mark.parametrize("code", ["diagnostic", "manager", "completed"])
def test_a_rule_with_cap_nought_says_that_it_shows_nothing_alone(code):
    rule = next(rule for rule in RULES.rules if rule.code == code)
    assert "nothing" in wording.rule_words(replace(rule, cap=0))


@given(books)
def test_every_book_can_be_said(book):
    assert all("%(" not in words for words in rules_wording.book_words(book))
    rows = rules_wording.parameter_words(book.parameters)
    assert len({kind for kind, _words in rows}) == len(book.parameters.kinds)
    assert all(words and "%(" not in words for _kind, words in rows)


@given(st.integers(0, 365))
def test_the_days_of_a_refresh_are_said(days):
    words = rules_wording.refresh_words(days)
    assert (str(days) in words) == bool(days)
