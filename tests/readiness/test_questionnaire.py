"""What people are asked: only what is meant for this kind of survey, in words that are all there, with every name in place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.questionnaire import (
    MIXED,
    NoLanguage,
    block_items,
    block_positions,
    fill,
    item_codes,
    missing_in,
    placeholders_in,
    questionnaire_of,
    sections_of,
    texts_of,
)

LANGUAGES = ("en", "es", "pt")
NAME = {"en": "One counter", "es": "Ventanilla única"}
SERVICE = {"es": "Ventanilla"}

words = st.sampled_from(["I know why {initiative} comes.", "{service} helps.", "We try.", "Why {not}?", "A { alone"])
# A language may be missing anywhere, but the first text of anything is in English.
texts = st.builds(
    lambda first, others: {"en": first, **others},
    words,
    st.dictionaries(st.sampled_from(LANGUAGES[1:]), words, max_size=2),
)


@st.composite
def contents(draw: st.DrawFn) -> dict[str, Any]:
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    blocks = [
        {
            "code": f"b{n}",
            "kind": "readiness",
            "title": draw(texts),
            "about": draw(st.one_of(st.just({}), texts)),
            "lead_in": draw(st.one_of(st.just({}), texts)),
            "items": [{"code": f"b{n}i{i}", "text": draw(texts), "pulse": draw(st.booleans())} for i in range(size)],
        }
        for n, size in enumerate(sizes)
    ]
    codes = [item["code"] for block in blocks for item in block["items"]]
    return {
        "instrument": {"slug": "x", "version": 1, "title": {"en": "X"}},
        "scale": [{"value": value, "text": draw(texts)} for value in range(6)],
        "blocks": blocks,
        "questions": [{"code": "q", "text": draw(texts), "pulse": draw(st.booleans())}],
        "order": draw(st.one_of(st.just([]), st.permutations([*codes, "gone"]))),
    }


def asked(content: dict[str, Any], kind: str = "baseline", languages: tuple[str, ...] = LANGUAGES) -> dict[str, Any]:
    return questionnaire_of(content, kind, NAME, SERVICE, languages)


@given(contents())
def test_a_whole_survey_asks_every_statement_and_a_pulse_only_those_meant_for_it(content):
    assert item_codes(asked(content)) == [i["code"] for b in content["blocks"] for i in b["items"]]
    wanted = [i["code"] for b in content["blocks"] for i in b["items"] if i["pulse"]]
    if not wanted:
        with pytest.raises(NoLanguage):
            asked(content, "pulse")
        return
    pulse = asked(content, "pulse")
    assert item_codes(pulse) == wanted
    assert all(codes for codes in block_items(pulse).values()), "no block without a statement"
    assert [q["code"] for q in pulse["questions"]] == [q["code"] for q in content["questions"] if q["pulse"]]


@given(contents())
def test_only_languages_in_which_everything_is_there_are_offered(content):
    found = asked(content)
    assert found["languages"][0] == "en"
    for language in LANGUAGES:
        needed = [words for name, words in texts_of(content) if name != "title" and " · " not in name]
        needed += [block["title"] for block in content["blocks"]]
        assert (language in found["languages"]) == all(words.get(language) for words in needed)
    everything = [
        *(step["text"] for step in found["scale"]),
        *(text for b in found["blocks"] for text in (b["title"], *(item["text"] for item in b["items"]))),
        *(q["text"] for q in found["questions"]),
    ]
    assert all(list(text) == found["languages"] for text in everything)


@given(contents())
def test_no_placeholder_of_ours_is_left_and_nothing_else_is_touched(content):
    for block, before in zip(asked(content)["blocks"], content["blocks"], strict=True):
        for item, old in zip(block["items"], before["items"], strict=True):
            for language, text in item["text"].items():
                ours, others = placeholders_in(text)
                assert not ours
                assert others == placeholders_in(old["text"][language])[1]


@given(contents(), st.sampled_from(["baseline", "pulse"]))
def test_people_see_each_statement_once_whatever_the_order_and_answers_keep_their_places(content, kind):
    try:
        found = asked(content, kind)
    except NoLanguage:
        return
    shown = [item["code"] for section in sections_of(found) for item in section["items"]]
    assert sorted(shown) == sorted(item_codes(found))
    if content["order"]:
        assert shown == [code for code in content["order"] if code in item_codes(found)]
        assert all(len(section["items"]) <= MIXED and not section["lead_in"] for section in sections_of(found))
    else:
        assert shown == item_codes(found)
    for code, place in block_positions(found).items():
        assert item_codes(found)[place] == block_items(found)[code]


def test_a_name_stands_in_the_language_of_the_question_or_in_the_first_it_has():
    assert fill("{initiative}: {service}", "es", NAME, SERVICE) == "Ventanilla única: Ventanilla"
    assert fill("{initiative}: {service}", "pt", NAME, SERVICE) == "One counter: Ventanilla"


def test_braces_in_a_name_are_not_filled_in_again():
    assert (
        fill("{initiative} and {service}", "en", {"en": "The {service}"}, {"en": "Portal"})
        == "The {service} and Portal"
    )


def test_statements_added_after_the_order_was_set_come_last():
    content = {
        "instrument": {"title": {"en": "X"}},
        "scale": [],
        "blocks": [
            {"code": "b", "kind": "readiness", "title": {"en": "B"}, "about": {}, "lead_in": {},
             "items": [{"code": code, "text": {"en": code}, "pulse": False} for code in ("new", "one", "two")]}
        ],
        "questions": [],
        "order": ["two", "one"],
    }  # fmt: skip
    assert asked(content)["order"] == ["two", "one", "new"]


def test_what_a_language_lacks_is_named_and_what_may_be_left_out_only_where_others_have_it():
    block = {"code": "b", "title": {"en": "B"}, "about": {}, "lead_in": {"en": "Think."},
             "items": [{"code": "one", "text": {"en": "One", "es": "Uno"}}]}  # fmt: skip
    content = {
        "instrument": {"title": {"en": "X", "es": "X"}}, "scale": [], "blocks": [block],
        "questions": [{"code": "q", "text": {"en": "Why?", "es": " "}}],
    }  # fmt: skip
    assert missing_in(content, "en") == []
    assert missing_in(content, "es") == ["b · title", "q", "b · lead_in"]
