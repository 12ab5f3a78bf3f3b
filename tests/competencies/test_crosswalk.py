"""Which competency of an edition follows on which: docs/algorithms/crosswalk.md."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from competencies.crosswalk import CLOSE_PCT, SAME_CODE_PCT, Match, Thing, propose
from competencies.enums import SuccessionBasis as Basis

HANDS_OVER = "Hands work over to another team so that nothing is lost on the way."
COUNTS = "Counts what is there and says how sure the count is."


def thing(key: int, code: str = "", title: str = "", text: str = "", *, kind: str = "skill", identifier: str = ""):
    return Thing(key, kind, code, title, text, identifier)


def only(old: Thing, new: Thing) -> Match:
    [match] = propose([old], [new])
    return match


def test_the_worked_example():
    old = [
        thing(1, "S1", "Counting", COUNTS, identifier="urn:counting"),
        thing(2, "S2", "Handing over", HANDS_OVER),
        thing(3, "S3", "Asking", "Asks until the need behind the wish is clear."),
        thing(4, "S4", "Accessibility", "Makes services that everybody can use."),
        thing(5, "S5", "Telex", "Sends messages by telex."),
    ]
    new = [
        thing(11, "N1", "Measuring", "Measures what is there.", identifier="urn:counting"),
        thing(12, "S2", "Handing over work", HANDS_OVER),
        thing(13, "N3", "asking", "Finds out what is needed."),
        thing(14, "N4", "Accessibility and inclusion", "Makes services that everybody can use."),
        thing(15, "S5", "Cloud cost", "Keeps what a service costs in view."),
    ]
    assert [(m.old, m.new, m.basis) for m in propose(old, new)] == [
        (1, 11, Basis.IDENTIFIER),
        (2, 12, Basis.CODE),
        (3, 13, Basis.WORDING),
        (4, 14, Basis.CLOSE),
        (5, None, Basis.NONE),
    ]
    assert [m.similarity for m in propose(old, new)][3:] == [82, 0]


@pytest.mark.parametrize(
    ("old", "new", "basis"),
    [
        (thing(1, "a", "A", identifier="urn:x"), thing(2, "b", "B", identifier="urn:x"), Basis.IDENTIFIER),
        (thing(1, "a", "Counting"), thing(2, "a", "Counting things"), Basis.CODE),
        (thing(1, "a", "Counting"), thing(2, "b", " COUNTING "), Basis.WORDING),
        (thing(1, "a", "Counting things"), thing(2, "b", "Counting all things"), Basis.CLOSE),
        (thing(1, "a", "Counting"), thing(2, "b", "Sailing"), Basis.NONE),
    ],
)
def test_each_ground(old, new, basis):
    match = only(old, new)
    assert (match.basis, match.new) == (basis, None if basis is Basis.NONE else 2)


def test_the_surest_ground_wins():
    old = [thing(1, "S1", "Counting", identifier="urn:1"), thing(2, "S2", "Asking")]
    new = [thing(11, "S2", "Counting"), thing(12, "S1", "Counting", identifier="urn:1")]
    found = {m.old: (m.new, m.basis) for m in propose(old, new)}
    assert found[1] == (12, Basis.IDENTIFIER)


def test_a_code_used_again_for_something_else_is_no_successor():
    old, new = thing(1, "S1", "Telex operation", "Sends telexes."), thing(2, "S1", "Cloud cost", "Watches the bill.")
    assert only(old, new) == Match(1, None, Basis.NONE, 0)


def test_where_a_code_was_given_to_something_else_the_wording_finds_the_one_that_moved():
    old = [thing(1, "S1", "Telex operation", "Sends telexes.")]
    new = [thing(11, "S1", "Cloud cost", "Watches the bill."), thing(12, "S9", "Telex operation", "Sends telexes.")]
    assert propose(old, new) == (Match(1, 12, Basis.WORDING, 100),)


def test_a_code_with_reworded_texts_is_still_the_same():
    match = only(thing(1, "S1", "Agile working", "Works in teams."), thing(2, "S1", "Working in an agile way"))
    assert match.basis is Basis.CODE
    assert SAME_CODE_PCT <= match.similarity < CLOSE_PCT


def test_kinds_are_kept_apart():
    old, new = thing(1, "K1", "Statistics", identifier="urn:s"), thing(2, "K1", "Statistics", identifier="urn:s")
    assert only(old, replace(new, kind="knowledge")) == Match(1, None, Basis.NONE, 0)


def test_what_names_two_things_names_none():
    old = [thing(1, "", "Teaching"), thing(2, "", "Teaching")]
    new = [thing(11, "", "Teaching")]
    found = propose(old, new)
    assert [(m.new, m.basis) for m in found] == [(11, Basis.CLOSE), (None, Basis.NONE)]


def test_the_closest_is_taken_first_and_once():
    old = [thing(1, "a", "Data analysis of budgets"), thing(2, "b", "Data analysis of budget")]
    new = [thing(11, "c", "Data analyses of budget")]
    assert [(m.old, m.new) for m in propose(old, new)] == [(1, None), (2, 11)]


def test_empty_editions():
    assert propose([], [thing(1, "a", "A")]) == ()
    assert propose([thing(1, "a", "A")], []) == (Match(1, None, Basis.NONE, 0),)


def test_more_things_than_a_chunk_are_matched_all(monkeypatch):
    monkeypatch.setattr("competencies.crosswalk.CHUNK", 3)
    old = [thing(n, f"o{n}", f"The {word} skill of clerks") for n, word in enumerate(WORDS)]
    new = [thing(100 + n, f"n{n}", f"The {word} skill of all clerks") for n, word in enumerate(WORDS)]
    assert [m.new - m.old for m in propose(old, new)] == [100] * len(WORDS)


WORDS = ["counting", "sailing", "writing", "budget", "archive", "negotiation", "hardware", "translation"]
things = st.builds(
    Thing,
    key=st.integers(1, 10**6),
    kind=st.sampled_from(["skill", "task"]),
    code=st.sampled_from(["", "S1", "S2", "S3", "S4"]),
    title=st.sampled_from(["Counting", "counting", "Counting things", "Sailing", "Sailing ships", "Asking", ""]),
    text=st.sampled_from(["", COUNTS, HANDS_OVER, "Counts what is there."]),
    identifier=st.sampled_from(["", "urn:1", "urn:2"]),
)
editions = st.lists(things, max_size=8, unique_by=lambda t: t.key)


@given(editions, editions)
def test_each_old_thing_has_one_line_and_each_new_one_at_most_one(old, new):
    found = propose(old, new)
    assert sorted(m.old for m in found) == sorted(t.key for t in old)
    taken = [m.new for m in found if m.new is not None]
    assert len(taken) == len(set(taken))
    assert set(taken) <= {t.key for t in new}
    kind = {t.key: t.kind for t in old}, {t.key: t.kind for t in new}
    assert all(kind[0][m.old] == kind[1][m.new] for m in found if m.new is not None)
    assert all((m.basis is Basis.NONE) == (m.new is None) and 0 <= m.similarity <= 100 for m in found)


@given(editions, editions, st.randoms())
def test_the_order_of_things_does_not_matter(old, new, random):
    shuffled_old, shuffled_new = list(old), list(new)
    random.shuffle(shuffled_old)
    random.shuffle(shuffled_new)
    by_old = {m.old: m for m in propose(old, new)}
    found = propose(shuffled_old, shuffled_new)
    assert [m.old for m in found] == [t.key for t in shuffled_old]
    assert {m.old: m for m in found} == by_old


@given(st.lists(things, max_size=8, unique_by=(lambda t: t.key, lambda t: (t.kind, t.code))))
def test_an_edition_follows_itself(edition):
    coded = [replace(t, code=t.code or f"x{t.key}", identifier="", title=t.title or "Untitled") for t in edition]
    found = propose(coded, [replace(t, key=-t.key) for t in coded])
    assert all(m.new == -m.old and m.basis is Basis.CODE and m.similarity == 100 for m in found)
