"""The record: same claim, same bytes, and back again."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates.record import (
    Claim,
    Ground,
    Level,
    Look,
    Outcome,
    Signatory,
    UnreadableRecord,
    canonical,
    claim_of,
    digest_of,
    heading_of,
    record_of,
    tidy,
)
from tests.certificates.builders import claim

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
days = st.dates(min_value=date(2000, 1, 2), max_value=date(2100, 1, 1))
levels = st.builds(Level, rank=st.integers(0, 20), label=texts, step=st.integers(0, 20), steps=st.integers(0, 20))
grounds = st.builds(Ground, texts, texts, days)
outcomes = st.builds(
    Outcome, texts, texts, texts, texts, texts, st.none() | levels, texts, st.lists(grounds, max_size=2).map(tuple)
)
claims = st.builds(
    Claim,
    serial=texts,
    code=texts,
    url=texts,
    holder=texts,
    title=texts,
    key=texts,
    title_language=texts,
    revision=st.none() | st.integers(0),
    outcomes=st.lists(outcomes, max_size=3).map(tuple),
    effort_minutes=st.integers(0),
    assessed=st.booleans(),
    score_pct=st.none() | st.integers(0, 100),
    completed_on=days,
    issued_on=days,
    valid_until=st.none() | days,
    issuer=texts,
    language=texts,
    kind=texts,
    definition=texts,
    criteria=texts,
    signatories=st.lists(st.builds(Signatory, texts, texts), max_size=2).map(tuple),
    look=st.builds(Look, texts, texts, texts),
    renews=texts,
)


EXAMPLE = (
    '{"award":{"criteria":"Complete every lesson and pass the check.","definition":"","effort_minutes":15'
    '0,"key":"governing-cyber-risk","kind":"course","language":"en","revision":41,"title":"Governing cybe'
    'r risk"},"code":"7KQ2MXD4RF","completed_on":"2026-03-03","format":"digital-talent-certificate/2","ho'
    'lder":{"name":"José Ángel Muñoz"},"issued_on":"2026-03-04","issuer":{"name":"Ministry of Digital Aff'
    'airs","signatories":[{"name":"Rosa Medina","title":"Minister of Digital Affairs"}]},"language":"en",'
    '"look":{"colour":"#0B5A75","design":"formal","logo":""},"outcomes":[{"competency":{"code":"SR1","lan'
    'guage":"en","title":"Cyber risk governance","uri":""},"framework":{"edition":"1.0","title":"Digital '
    'talent"},"grounds":[],"level":{"label":"Leads others","rank":4,"step":4,"steps":5}},{"competency":{"'
    'code":"SR2","language":"en","title":"Incident command","uri":""},"framework":{"edition":"1.0","title'
    '":"Digital talent"},"grounds":[],"level":{"label":"Independent","rank":3,"step":3,"steps":5}}],"rene'
    'ws":"","result":{"assessed":true,"score_pct":90},"serial":"2026-000123","url":"https://talent.gov.ex'
    'ample/verify/7KQ2MXD4RF/","valid_until":null}'
)


def test_the_worked_example():
    """docs/algorithms/certificates.md shows these bytes and this digest."""
    example = claim(
        criteria="Complete every lesson and pass the check.",
        signatories=(Signatory("Rosa Medina", "Minister of Digital Affairs"),),
    )
    assert canonical(record_of(example)).decode() == EXAMPLE
    assert digest_of(record_of(example)) == "1eba5abcbc3118e35165cc5fc5ff7b903ffc1777719e21faebddd9e619e30696"


# What was issued before certificates could be for more than courses: these bytes stay readable for ever.
FIRST = (
    '{"code":"7KQ2MXD4RF","completed_on":"2026-03-03","course":{"effort_minutes":150,"key":"governing-cyber-risk",'
    '"language":"en","revision":41,"title":"Governing cyber risk"},"format":"digital-talent-certificate/1",'
    '"holder":{"name":"José Ángel Muñoz"},"issued_on":"2026-03-04","issuer":{"name":"Ministry of Digital Affairs"},'
    '"language":"en","outcomes":[{"competency":{"code":"SR1","language":"en","title":"Cyber risk governance"},'
    '"framework":{"edition":"1.0","title":"Digital talent"},"level":'
    '{"label":"Leads others","rank":4,"step":4,"steps":5}},'
    '{"competency":{"code":"SR2","language":"en","title":"Incident command"},"framework":{"edition":"1.0",'
    '"title":"Digital talent"},"level":{"label":"Independent","rank":3,"step":3,"steps":5}}],'
    '"result":{"assessed":true,"score_pct":90},"serial":"2026-000123",'
    '"url":"https://talent.gov.example/verify/7KQ2MXD4RF/","valid_until":null}'
)


def test_a_record_of_the_first_format_is_read_and_keeps_its_digest():
    record = json.loads(FIRST)
    assert claim_of(record) == claim()
    assert digest_of(record) == "a8a95eab8531ec16e1f03804e8e6d066b82a8f23ad3fa131bce5b37da8d0f347"
    assert heading_of(record) == heading_of(record_of(claim())) == {"title": "Governing cyber risk", "language": "en"}


@pytest.mark.parametrize("nothing", [None, [], {}, {"award": 3}, {"course": "?"}])
def test_what_is_no_record_has_an_empty_heading(nothing):
    assert heading_of(nothing) == {"title": "", "language": ""}


@given(claims)
def test_a_record_is_read_back_as_the_claim_it_was_made_from(made):
    assert claim_of(record_of(made)) == made


@given(claims)
def test_storing_a_record_as_json_changes_nothing(made):
    record = record_of(made)
    stored = json.loads(json.dumps(record))
    shuffled = dict(reversed(list(stored.items())))
    assert digest_of(shuffled) == digest_of(record)
    assert claim_of(shuffled) == made


@given(claims, claims)
def test_different_claims_have_different_digests(one, other):
    assert (digest_of(record_of(one)) == digest_of(record_of(other))) == (one == other)


def test_fractions_are_refused_because_they_have_more_than_one_spelling():
    with pytest.raises(TypeError):
        canonical({"a": [{"b": 1.5}]})


@pytest.mark.parametrize(
    "record",
    [
        None, [], "certificate", 7, {}, {"format": "digital-talent-certificate/3"}, {"format": None},
        record_of(claim()) | {"outcomes": [{}]},
        record_of(claim()) | {"outcomes": [{"framework": {}, "competency": {}, "level": 3}]},
        record_of(claim()) | {"issued_on": "yesterday"},
        record_of(claim()) | {"completed_on": None},
        record_of(claim()) | {"holder": "Ana"},
    ],
)  # fmt: skip
def test_what_we_never_wrote_is_refused(record):
    with pytest.raises(UnreadableRecord):
        claim_of(record)


@pytest.mark.parametrize(
    ("given_text", "tidied"),
    [
        ("  Ana   María\u00a0Quispe ", "Ana María Quispe"),
        ("Jose\u0301", "José"),
        ("A\x00na\x1b", "Ana"),
        ("محمد علي", "محمد علي"),
    ],
)
def test_texts_enter_a_record_on_one_line_composed_and_without_control_characters(given_text, tidied):
    assert tidy(given_text) == tidied


def test_the_last_valid_day_is_the_one_before_it_no_longer_counts():
    assert claim(valid_until=date(2028, 3, 1)).last_valid_on == date(2028, 2, 29)
    assert claim().last_valid_on is None
