"""The worked example of docs/algorithms/credentials.md, and what every credential of ours is."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date
from pathlib import Path
from zoneinfo import ZoneInfo

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certificates.credentials import keys
from certificates.credentials.badge import Picture
from certificates.credentials.canonical import canonical_form
from certificates.record import Claim, Level, Outcome, claim_of, record_of
from tests.certificates.credentials.builders import BADGES, CASE_URI, CLAIM, HERE, OURS, VECTORS, build_credential, sign

ROOT = Path(__file__).resolve().parents[3]


def test_the_worked_example():
    page = (ROOT / "docs" / "algorithms" / "credentials.md").read_text(encoding="utf-8")
    blocks = [block.split("```")[0] for block in page.split("```json\n")[1:]]
    assert json.loads(blocks[0]) == sign(build_credential())


def test_a_credential_says_what_the_record_says():
    credential = build_credential()
    subject = credential["credentialSubject"]
    assert credential["id"] == CLAIM.url
    assert credential["issuer"]["name"] == "Ministry of Digital Affairs"
    assert (credential["validFrom"], credential["validUntil"]) == ("2026-03-04T00:00:00Z", "2029-03-03T23:59:59Z")
    assert subject["identifier"][0]["identityHash"] == "José Ángel Muñoz"
    assert [result["value"] for result in subject["result"]] == ["Leads others", "Independent"]
    assert [item["targetUrl"] for item in subject["achievement"]["alignment"]] == [CASE_URI, f"{CLAIM.url}#SR2"]


def test_the_score_is_shown_to_nobody():
    assert build_credential(replace(CLAIM, score_pct=17)) == build_credential()


def test_days_are_days_where_the_issuer_is():
    credential = build_credential(zone=ZoneInfo("America/Lima"))
    assert (credential["validFrom"], credential["validUntil"]) == ("2026-03-04T05:00:00Z", "2029-03-04T04:59:59Z")


def test_the_frozen_record_gives_the_same_credential():
    assert build_credential(claim_of(json.loads(json.dumps(record_of(CLAIM))))) == build_credential()


def test_two_certificates_share_no_identifier_of_their_holder():
    other = replace(CLAIM, url="https://talent.gov.example/verify/4RFXD7KQ2M/")
    one, two = (build_credential(claim)["credentialSubject"]["id"] for claim in (CLAIM, other))
    assert one != two


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=40)
levels = st.builds(Level, st.integers(0, 9), texts, st.integers(1, 9), st.integers(1, 9))
outcomes = st.builds(Outcome, texts, texts, texts, texts, st.just("en"), st.none() | levels)
days = st.dates(date(1990, 1, 1), date(2100, 1, 1))
claims = st.builds(
    Claim,
    serial=texts,
    code=st.just("7KQ2MXD4RF"),
    url=st.just(CLAIM.url),
    holder=texts,
    title=texts,
    key=st.just("k"),
    title_language=st.just("en"),
    revision=st.none() | st.integers(1, 10**6),
    outcomes=st.lists(outcomes, max_size=6).map(tuple),
    effort_minutes=st.integers(0, 10**5),
    assessed=st.booleans(),
    score_pct=st.none() | st.integers(0, 100),
    completed_on=days,
    issued_on=days,
    valid_until=st.none() | days,
    issuer=texts,
    language=st.just("en"),
)


@pytest.fixture(scope="module")
def schemas():
    paths = (BADGES / "schema/achievementcredential.json", VECTORS / "schema/verifiable-credential-schema.json")
    loaded = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    checker = jsonschema.FormatChecker()
    return [jsonschema.validators.validator_for(schema)(schema, format_checker=checker) for schema in loaded]


@HERE
@settings(max_examples=40, deadline=None)
@given(claims, st.booleans(), st.booleans())
def test_every_credential_has_the_form_of_both_standards_and_can_be_signed(schemas, claim, with_status, with_picture):
    picture = Picture("https://talent.gov.example/badge.png", "A shield") if with_picture else None
    credential = build_credential(claim, place=3 if with_status else None, picture=picture)
    signed = sign(credential)
    for schema in schemas:
        schema.validate(signed)


@HERE
def test_the_schema_refuses_what_is_not_of_its_form(schemas):
    """The check above can fail."""
    signed = sign(build_credential())
    del signed["credentialSubject"]["achievement"]["criteria"]
    assert list(schemas[0].iter_errors(signed))
    assert list(schemas[1].iter_errors({**signed, "issuer": 5}))


def test_a_did_key_may_issue_as_well():
    credential = build_credential(did=keys.did_key(OURS.key))
    assert credential["issuer"]["id"] == keys.did_key(OURS.key)
    assert canonical_form(credential)


def test_a_course_without_a_check_claims_no_level():
    outcome = replace(CLAIM.outcomes[0], level=None)
    credential = build_credential(replace(CLAIM, outcomes=(outcome,), assessed=False, valid_until=None))
    achievement = credential["credentialSubject"]["achievement"]
    assert achievement["achievementType"] == "CertificateOfCompletion"
    assert "resultDescription" not in achievement
    assert "result" not in credential["credentialSubject"]
    assert "validUntil" not in credential


def test_the_holder_may_have_a_did_of_their_own():
    assert build_credential(subject_id="did:example:holder")["credentialSubject"]["id"] == "did:example:holder"


def test_utc_is_what_the_example_uses():
    assert build_credential() == build_credential(zone=UTC)
