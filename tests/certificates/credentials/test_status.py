"""Status lists: places, packing, bounds, speed."""

from __future__ import annotations

import gzip
import random
import time
import zlib
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certificates.credentials import status
from certificates.credentials.status import BadStatusList
from tests.certificates.credentials.builders import DID, LIST, NOW

# The example of the Recommendation: 131,072 places, none of them set.
EXAMPLE = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"


def test_the_example_of_the_recommendation_is_read():
    assert status.decode(EXAMPLE) == bytes(16_384)


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(0, 131_999), max_size=30))
def test_a_list_says_of_every_place_what_was_put_in(revoked):
    bits = status.decode(status.encode(status.bits_of(revoked, size=132_000)))
    assert {place for place in [*revoked, *range(0, 132_000, 997)] if status.is_set(bits, place)} == revoked
    assert sum(byte.bit_count() for byte in bits) == len(revoked)


def test_the_first_place_is_the_leftmost_bit():
    assert status.bits_of([0], size=1)[0] == 0b1000_0000
    assert status.bits_of([9], size=10)[1] == 0b0100_0000


def test_a_list_is_never_shorter_than_the_standard_allows():
    assert len(status.bits_of([], size=5)) * 8 == status.LEAST_BITS


def test_the_same_places_give_the_same_text():
    assert status.encode(status.bits_of([5, 77], size=100)) == status.encode(status.bits_of([77, 5], size=100))


def test_a_million_places_are_made_anew_in_less_than_five_seconds():
    revoked = random.Random(1).sample(range(1_000_000), 100_000)
    started = time.process_time()
    encoded = status.encode(status.bits_of(revoked, size=1_000_000))
    assert time.process_time() - started < 5
    assert status.is_set(status.decode(encoded), revoked[0])


@pytest.mark.parametrize("place", [-1, 10, 10**9])
def test_a_place_outside_of_the_list_is_refused(place):
    with pytest.raises(ValueError, match="place"):
        status.bits_of([place], size=10)
    with pytest.raises(BadStatusList):
        status.is_set(bytes(16_384), place if place != 10 else 131_072)


def packed(content: bytes) -> str:
    return "u" + urlsafe_b64encode(content).rstrip(b"=").decode()


def bomb(size: int) -> bytes:
    packing = zlib.compressobj(9, wbits=31)
    return b"".join([*(packing.compress(bytes(1_048_576)) for _ in range(size)), packing.flush()])


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        "u",
        "z" + EXAMPLE[1:],
        EXAMPLE[1:],
        EXAMPLE[:-10],
        EXAMPLE + "AAAA",
        EXAMPLE + "==",
        packed(b"no gzip at all"),
        packed(zlib.compress(bytes(16_384))),  # zlib's own wrapping
        packed(gzip.compress(bytes(16_383))),  # a byte short of the least
        packed(gzip.compress(bytes(16_384)) * 2),
        packed(bomb(2)),
        "u" + "A" * 2_000_000,
    ],
    ids=range(15),
)
def test_what_is_no_list_is_refused(text):
    with pytest.raises(BadStatusList):
        status.decode(text)


def test_a_bomb_is_not_unpacked():
    """200 MB from 200 kB: refused after the first megabyte."""
    content = packed(bomb(200))
    assert len(content) < 300_000
    started = time.process_time()
    with pytest.raises(BadStatusList):
        status.decode(content)
    assert time.process_time() - started < 0.2


def listed(**subject):
    credential = status.list_credential(LIST, status.bits_of([7], size=10), issuer=DID, valid_from=NOW)
    credential["credentialSubject"] |= subject
    return credential


def test_a_list_answers_for_the_entry_that_names_it():
    assert status.is_status_set(status.entry(LIST, 7), listed())
    assert not status.is_status_set(status.entry(LIST, 8), listed())


@pytest.mark.parametrize(
    ("entry", "credential"),
    [
        (status.entry("https://other.example/1", 7), listed()),
        (status.entry(LIST, 7, purpose="suspension"), listed()),
        (status.entry(LIST, 131_072), listed()),
        ({**status.entry(LIST, 7), "statusListIndex": "-7"}, listed()),
        ({**status.entry(LIST, 7), "statusListIndex": True}, listed()),
        ({**status.entry(LIST, 7), "statusListIndex": "9" * 4_000}, listed()),
        ({**status.entry(LIST, 7), "statusSize": 2}, listed()),
        (status.entry(LIST, 7), listed(statusPurpose=["suspension"])),
        (status.entry(LIST, 7), listed(type="OtherList")),
        (status.entry(LIST, 7), {**listed(), "type": "VerifiableCredential"}),
        (status.entry(LIST, 7), {**listed(), "credentialSubject": []}),
    ],
    ids=range(11),
)
def test_a_list_answers_for_nothing_else(entry, credential):
    with pytest.raises(BadStatusList):
        status.is_status_set(entry, credential)


def test_a_list_for_several_purposes_answers_for_each():
    assert status.is_status_set(status.entry(LIST, 7), listed(statusPurpose=["suspension", "revocation"]))
