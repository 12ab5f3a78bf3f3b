"""Judging a certificate from its own record."""

from __future__ import annotations

import copy
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates.enums import Verdict
from certificates.models import Certificate
from certificates.record import digest_of, record_of
from certificates.verdicts import RecordChanged, believed_claim, judge
from tests.certificates.builders import claim

TODAY = date(2026, 6, 1)


def row(**changes) -> Certificate:
    """A row as it was issued, in memory only."""
    made = claim(**changes)
    record = record_of(made)
    return Certificate(
        code=made.code, serial=made.serial, record=record, digest=digest_of(record), issued_on=made.issued_on,
        valid_until=made.valid_until,
    )  # fmt: skip


def leaves(value, path=()):
    if isinstance(value, dict):
        return [leaf for key, part in value.items() for leaf in leaves(part, (*path, key))]
    if isinstance(value, list):
        return [leaf for key, part in enumerate(value) for leaf in leaves(part, (*path, key))]
    return [path]


def test_a_code_that_leads_nowhere_is_unknown():
    assert judge(None, as_of=TODAY).verdict == Verdict.UNKNOWN


def test_without_time_limit_it_stays_valid():
    judgement = judge(row(), as_of=TODAY + timedelta(days=36500))
    assert (judgement.verdict, judgement.claim) == (Verdict.VALID, claim())


@pytest.mark.parametrize(("days", "verdict"), [(-1, Verdict.VALID), (0, Verdict.EXPIRED), (1, Verdict.EXPIRED)])
def test_it_expires_on_the_first_day_it_no_longer_counts(days, verdict):
    until = date(2028, 3, 1)
    judgement = judge(row(valid_until=until), as_of=until + timedelta(days=days))
    assert judgement.verdict == verdict
    assert judgement.claim.holder == "José Ángel Muñoz"


@given(
    st.sampled_from(leaves(record_of(claim()))),
    st.none() | st.integers() | st.text(max_size=5) | st.floats() | st.booleans(),
)
def test_a_record_changed_anywhere_is_not_believed(path, value):
    certificate = row()
    place = certificate.record = copy.deepcopy(certificate.record)
    for key in path[:-1]:
        place = place[key]
    if type(place[path[-1]]) is type(value) and place[path[-1]] == value:
        return
    place[path[-1]] = value
    assert judge(certificate, as_of=TODAY).verdict == Verdict.CHANGED
    assert judge(certificate, as_of=TODAY).claim is None


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "ABCDEFGHJK"},
        {"serial": "2026-000124"},
        {"issued_on": date(2026, 3, 5)},
        {"valid_until": date(2099, 1, 1)},
    ],
)
def test_a_row_that_says_other_than_its_record_is_not_believed(changes):
    certificate = row()
    for name, value in changes.items():
        setattr(certificate, name, value)
    assert judge(certificate, as_of=TODAY).verdict == Verdict.CHANGED


def test_the_record_of_another_certificate_is_not_believed():
    certificate, other = row(), row(serial="2026-000124", code="ABCDEFGHJK", holder="Somebody Else")
    certificate.record, certificate.digest = other.record, other.digest
    with pytest.raises(RecordChanged):
        believed_claim(certificate)


@pytest.mark.parametrize(
    "record", [None, [], {}, "x", 1.5, {"format": "\ud800"}, {"format": "digital-talent-certificate/1"}]
)
def test_no_record_however_strange_breaks_the_verdict(record):
    certificate = row()
    certificate.record = record
    assert judge(certificate, as_of=TODAY).verdict == Verdict.CHANGED
    try:
        certificate.digest = digest_of(record)
    except (TypeError, UnicodeEncodeError):
        return
    assert judge(certificate, as_of=TODAY).verdict == Verdict.CHANGED
