"""The envelope: always of one length, opened by its own key alone, and silent about what it holds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness.ballot import (
    ENVELOPE_BYTES,
    MOST_BYTES,
    Ballot,
    BallotTooLong,
    EnvelopeBroken,
    new_key,
    open_envelopes,
    seal_ballot,
)

PRIVATE, PUBLIC = new_key()
texts = st.text(max_size=400)
ballots = st.builds(
    Ballot,
    node=st.text(max_size=40),
    category=st.text(max_size=20),
    answers=st.dictionaries(st.text(max_size=12), st.integers(0, 5), max_size=60),
    comments=st.dictionaries(st.text(max_size=12), texts, max_size=2),
)


def encodable(ballot):
    said = [ballot.node, ballot.category, *ballot.answers, *ballot.comments, *ballot.comments.values()]
    return all(sign < "\ud800" or sign > "\udfff" for text in said for sign in text)


@settings(max_examples=60, deadline=None)
@given(ballots)
def test_what_goes_in_comes_out_and_every_envelope_has_one_length(ballot):
    sealed = seal_ballot(ballot, PUBLIC)
    assert len(sealed) == ENVELOPE_BYTES == 8240
    if encodable(ballot):
        assert open_envelopes([sealed], PRIVATE) == [ballot]


def test_two_envelopes_of_one_ballot_have_nothing_in_common():
    ballot = Ballot("A", "", {"why1": 4}, {})
    assert seal_ballot(ballot, PUBLIC) != seal_ballot(ballot, PUBLIC)


def test_another_key_opens_nothing():
    sealed = seal_ballot(Ballot("A", "", {"why1": 4}, {}), PUBLIC)
    with pytest.raises(EnvelopeBroken):
        open_envelopes([sealed], new_key()[0])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, ENVELOPE_BYTES - 1), st.integers(1, 255))
def test_a_changed_byte_is_noticed(at, by):
    sealed = bytearray(seal_ballot(Ballot("A", "", {"why1": 4}, {}), PUBLIC))
    sealed[at] ^= by
    with pytest.raises(EnvelopeBroken):
        open_envelopes([bytes(sealed)], PRIVATE)


def test_one_broken_envelope_opens_none():
    good = seal_ballot(Ballot("A", "", {"why1": 4}, {}), PUBLIC)
    with pytest.raises(EnvelopeBroken):
        open_envelopes([good, good[:-1]], PRIVATE)


@pytest.mark.parametrize(
    "ballot",
    [
        Ballot("SECRET", "", {"why1": 9}, {}),
        Ballot("SECRET", "", {"why1": True}, {}),
        Ballot("SECRET", "", {}, {"wish": 5}),
        Ballot(5, "SECRET", {}, {}),
    ],
)
def test_an_envelope_of_something_else_is_refused_without_a_word_of_it(ballot):
    sealed = seal_ballot(ballot, PUBLIC)
    with pytest.raises(EnvelopeBroken) as refused:
        open_envelopes([sealed], PRIVATE)
    assert "SECRET" not in repr(refused.value) and refused.value.__cause__ is None
    assert "SECRET" not in repr(ballot)


def test_a_ballot_that_is_too_long_is_refused_and_the_longest_fits():
    room = MOST_BYTES - len('{"n":"A","c":"","a":{},"t":{"wish":""}}')
    assert len(seal_ballot(Ballot("A", "", {}, {"wish": "x" * room}), PUBLIC)) == ENVELOPE_BYTES
    with pytest.raises(BallotTooLong):
        seal_ballot(Ballot("A", "", {}, {"wish": "x" * (room + 1)}), PUBLIC)
