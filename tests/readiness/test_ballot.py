"""The envelope: always of one length, opened by its own key alone, and silent about what it holds."""

from __future__ import annotations

import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.public import PublicKey, SealedBox

from readiness import ballot as module
from readiness.ballot import (
    ENVELOPE_BYTES,
    LENGTH_BYTES,
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


# --- What an error says ------------------------------------------------------------------------------------------
def envelope_of(content: bytes, length: int | None = None) -> bytes:
    """An envelope as somebody makes it who has the public key and none of our code."""
    length = len(content) if length is None else length
    padded = length.to_bytes(LENGTH_BYTES, "big") + content + bytes(MOST_BYTES - len(content))
    return bytes(SealedBox(PublicKey(PUBLIC)).encrypt(padded))


def all_that_is_known_of(error):
    """Its text, what it arose from, and the variables of our code that a report of it would print."""
    found = []
    while error is not None:
        found += [repr(error), *(repr(value) for value in vars(error).values())]
        for frame, _line in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_filename == module.__file__:
                found += [repr(value) for value in frame.f_locals.values()]
        error = error.__cause__ or error.__context__
    return "\n".join(found)


@pytest.mark.parametrize(
    "blob",
    [
        envelope_of(b'{"n":"SECRET","c":"","a":{},"t":{"wish":"SECRET"'),
        envelope_of(b'{"n":"SECRET","c":"","a":{"why1":6},"t":{}}'),
        envelope_of(b'{"n":"SECRET","c":"","a":{"why1":-1},"t":{}}'),
        envelope_of(b'{"n":"SECRET","c":"","a":{"why1":4.0},"t":{}}'),
        envelope_of(b'{"n":"SECRET","c":"","a":{"why1":NaN},"t":{}}'),
        envelope_of(b'{"n":"SECRET","c":"","a":{"why1":' + b"9" * 5000 + b"}}"),
        envelope_of(b'{"n":"SECRET","c":"","a":["why1"],"t":{}}'),
        envelope_of(b'{"n":"SECRET","c":null,"a":{},"t":{}}'),
        envelope_of(b'{"n":"SECRET","c":""}'),
        envelope_of(b'"SECRET"'),
        envelope_of(b'SECRET \xff\xfe'),
        envelope_of(b'{"t":"SECRET","a":' + b"[" * 8000),
        envelope_of(b'{"n":"SECRET","c":"","a":{},"t":{}}', length=20),
        envelope_of(b'{"n":"SECRET","c":"","a":{},"t":{}}', length=2**32 - 1),
        bytes(ENVELOPE_BYTES),
        b"",
    ],
)  # fmt: skip
def test_whatever_an_envelope_holds_instead_of_a_ballot_is_refused_and_not_repeated(blob):
    good = seal_ballot(Ballot("A", "", {"why1": 4}, {"wish": "SECRET"}), PUBLIC)
    with pytest.raises(EnvelopeBroken) as refused:
        open_envelopes(iter([good, blob]), PRIVATE)
    known = all_that_is_known_of(refused.value)
    assert "SECRET" not in known
    assert repr(PRIVATE) not in known


def test_who_learns_that_a_ballot_is_too_long_learns_nothing_of_it():
    with pytest.raises(BallotTooLong) as refused:
        seal_ballot(Ballot("A", "", {"why1": 4}, {"wish": "SECRET" * 2000}), PUBLIC)
    assert "SECRET" not in all_that_is_known_of(refused.value)


@given(ballots)
def test_a_ballot_printed_says_nothing(ballot):
    assert {repr(ballot), str(ballot), f"{ballot}", f"{[ballot]}"[1:-1]} == {"Ballot(…)"}


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=MOST_BYTES))
def test_any_bytes_are_a_ballot_or_refused(content):
    try:
        [found] = open_envelopes([envelope_of(content)], PRIVATE)
    except EnvelopeBroken:
        return
    assert isinstance(found, Ballot)
