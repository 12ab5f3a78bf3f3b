"""What is signed of many alike is, to the letter, what is signed of each by itself."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certificates.credentials import canonical, moulds, status
from certificates.credentials.badge import EvidenceItem, IssuerProfile, Words, achievement_credential
from certificates.credentials.canonical import NotCanonical, canonical_form
from certificates.credentials.moulds import Moulds
from certificates.record import Claim, Level, Outcome
from tests.certificates.builders import claim

ISSUER = IssuerProfile(did="did:web:talent.gov.example", url="https://talent.gov.example/")
WORDS = Words("A course.", "Pass the check.", "Level in %(competency)s")
COURSE = "urn:uuid:6f9b1c3e-0000-5000-8000-000000000001"
LIST = "https://talent.gov.example/status/1/"


def credential(made: Claim, place: int, **values: Any) -> dict[str, Any]:
    return achievement_credential(
        made, issuer=ISSUER, words=WORDS, zone=UTC, status=status.entry(LIST, place), achievement_url=COURSE, **values
    )


def numbered(number: int, **changes: Any) -> Claim:
    code = f"{number:010d}"
    return claim(serial=f"2026-{number:06d}", code=code, url=f"https://talent.gov.example/verify/{code}/", **changes)


@pytest.fixture
def read(monkeypatch):
    """How many documents were read as JSON-LD."""
    found: list[int] = []
    real = canonical.dataset_of

    def counted(document):
        found.append(1)
        return real(document)

    monkeypatch.setattr(canonical, "dataset_of", counted)
    monkeypatch.setattr(moulds, "dataset_of", counted)
    return found


def test_of_a_cohort_two_are_read_and_all_are_as_if_each_had_been(read):
    ours = Moulds()
    many = [credential(numbered(n, holder=f"Ana {n}"), n) for n in range(20)]
    made = [ours.canonical_form(one) for one in many]
    assert len(read) == 2  # the first, and the mould
    assert made == [canonical_form(one) for one in many]
    assert len(set(made)) == 20


@settings(max_examples=60, deadline=None)
@given(
    holders=st.lists(st.text(min_size=0, max_size=40), min_size=2, max_size=5),
    places=st.lists(st.integers(0, 200_000), min_size=5, max_size=5),
    ranks=st.lists(st.none() | st.integers(1, 5), min_size=0, max_size=4),
    uri=st.booleans(),
    valid=st.booleans(),
)
def test_whatever_they_say(holders, places, ranks, uri, valid):
    outcomes = tuple(
        Outcome("F", "1", f"C{n}", f"Competency {n}", "en", rank and Level(rank, f"Level {rank}", rank, 5),
                uri=f"https://case.example/{n}" if uri else "")
        for n, rank in enumerate(ranks)
    )  # fmt: skip
    ours = Moulds()
    for number, holder in enumerate(holders):
        one = numbered(number, holder=holder, outcomes=outcomes, valid_until=date(2030, 1, 1) if valid else None)
        document = credential(one, places[number], evidence=[EvidenceItem("Final check", "Passed.")])
        assert ours.canonical_form(document) == canonical_form(document)


NAMES = (
    "mould-of-ours0", "a mould-of-ours0", "https://mould-of-ours0", "name", "Certificate", "Achievement", "@id", "_:b0",
    "https://talent.gov.example/", "did:web:talent.gov.example", "urn:uuid:x", "urn:uuid:mould-of-ours1", "\n\t\"\\", "É",
    "https://talent.gov.example/status/1/#7", "https://talent.gov.example/status/1/", "2026-000001", "7", "a:b", "ceasn:x",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_looks_like_something_else_is_a_name(name):
    for before in ("Ana", name):
        ours = Moulds()
        for number, holder in enumerate((before, name, "Ana", name), start=1):
            document = credential(numbered(number, holder=holder, title=f"About {name}"), 7)
            assert ours.canonical_form(document) == canonical_form(document)


@pytest.mark.parametrize(
    "change",
    [
        {"id": "https://talent.gov.example/status/1/"},
        {"id": "did:web:talent.gov.example"},
        {"id": "https://purl.imsglobal.org/spec/vc/ob/vocab.html#Achievement"},
        {"id": "http://talent.gov.example/verify/1/"},
        {"id": "_:b0"},
        {"id": "relative"},
        {"id": "https://x/ y"},
        {"id": ["https://x/"]},
        {"credentialSubject": []},
        {"credentialSubject": "x"},
        {"credentialStatus": None},
        {"unheard_of": 1},
    ],
)
def test_what_is_not_as_ours_are_is_read_in_full_with_the_same_answer(change):
    def answer(of, document):
        try:
            return of(document)
        except (NotCanonical, ValueError) as error:
            return type(error), str(error)

    ours = Moulds()
    ours.canonical_form(credential(numbered(1), 1))
    document = deepcopy(credential(numbered(2), 2)) | change
    for _time in range(2):
        assert answer(ours.canonical_form, document) == answer(canonical_form, document)


def test_other_days_and_courses_are_moulds_of_their_own_and_no_more_than_some_are_kept(monkeypatch):
    monkeypatch.setattr(moulds, "_KINDS_KEPT", 3)
    ours = Moulds()
    for number in range(12):
        one = replace(numbered(number), title=f"Course {number % 5}", completed_on=date(2026, 1, 1 + number % 4))
        document = credential(one, number)
        assert ours.canonical_form(document) == canonical_form(document)
    assert len(ours._made) <= 3
