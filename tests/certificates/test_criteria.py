"""The worked examples of docs/algorithms/certificates.md, and what always holds."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates.criteria import Last, Piece, Term, met_on, nearest, next_term, pieces_showing
from competencies.enums import EvidenceKind
from competencies.levels import EvidenceItem, attained_level

ISSUED, END = date(2026, 3, 3), date(2028, 3, 3)
LAST = Last(1, ISSUED, END)


def term(last: Last | None, day: date, validity: int | None = 24, renewal: int = 3) -> Term | None:
    return next_term(last, validity_months=validity, renewal_months=renewal, day=day)


# --- Who is meant -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("found", "workplaces", "expected"),
    [
        ({"": "all"}, ("00010002",), "all"),
        ({"": "all", "0001": "ministry"}, ("00010002",), "ministry"),
        ({"": "all", "0001": "ministry", "00010002": "unit"}, ("00010002",), "unit"),
        ({"": "all", "00010003": "next door"}, ("00010002",), "all"),
        ({"0001": "ministry"}, ("0002",), None),
        ({"0001": "one", "0002": "two"}, ("0002", "0001"), "one"),
        ({"": "all", "0001": "ministry"}, (), "all"),
    ],
)
def test_the_nearest_unit_above_decides_and_else_what_is_for_everybody(found, workplaces, expected):
    assert nearest(found, workplaces) == expected


# --- Periods ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("last", "day", "expected"),
    [
        (None, ISSUED, Term(1, END)),
        (LAST, date(2027, 12, 2), None),
        (LAST, date(2027, 12, 3), Term(2, date(2030, 3, 3), True, ISSUED)),
        (LAST, date(2028, 3, 2), Term(2, date(2030, 3, 3), True, ISSUED)),
        (LAST, date(2028, 3, 3), Term(2, date(2030, 3, 3), True, ISSUED)),
        (LAST, date(2028, 9, 1), Term(2, date(2030, 9, 1), True, ISSUED)),
        (Last(1, ISSUED, None), date(2040, 1, 1), None),
        (Last(2, ISSUED, END, date(2026, 5, 1)), date(2026, 6, 1), Term(3, date(2028, 6, 1), False, date(2026, 5, 1))),
    ],
)
def test_what_is_due_next(last, day, expected):
    assert term(last, day) == expected


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(2, 120), st.data())
def test_renewed_in_time_no_day_is_lost_and_none_is_counted_twice(issued, months, data):
    first = term(None, issued, months, 1)
    assert first is not None and first.valid_until is not None
    early = data.draw(st.integers(0, 27))
    second = term(Last(1, issued, first.valid_until), first.valid_until - timedelta(days=early), months, 1)
    assert second is not None
    assert second == term(Last(1, issued, first.valid_until), first.valid_until, months, 1)


# --- What shows it ----------------------------------------------------------------------------------------------------
def item(pk: int, kind: EvidenceKind, rank: int, on: date) -> EvidenceItem:
    return EvidenceItem(pk, kind, rank, True, on)


MAY, JUNE, JULY = date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1)


def test_each_valid_piece_that_shows_the_level_is_named_the_newest_first():
    level = attained_level(
        [
            item(1, EvidenceKind.COURSE, 3, MAY),
            item(2, EvidenceKind.COURSE, 2, JUNE),
            item(3, EvidenceKind.PANEL, 4, JULY),
            item(4, EvidenceKind.COURSE, 3, date(2020, 1, 1)),  # has lapsed
            item(5, EvidenceKind.SELF, 5, JULY),
        ],
        as_of=date(2026, 8, 1),
    )
    assert pieces_showing(level, 3) == (Piece(3, JULY), Piece(1, MAY))
    assert pieces_showing(level, 5) == ()


def test_a_managers_word_shows_what_it_cannot_alone_from_the_day_something_stands_beside_it():
    level = attained_level(
        [item(1, EvidenceKind.MANAGER, 4, MAY), item(2, EvidenceKind.COURSE, 3, JUNE)], as_of=date(2026, 8, 1)
    )
    assert level.rank == 4
    assert pieces_showing(level, 4) == (Piece(2, JUNE), Piece(1, JUNE))


def test_all_is_met_on_the_day_the_last_of_it_was_first_shown():
    risk, command = (Piece(1, JULY), Piece(2, MAY)), (Piece(3, JUNE),)
    assert met_on([risk, command], None) == JUNE
    assert met_on([risk, ()], None) is None
    assert met_on([], None) is None


def test_a_further_time_something_must_be_new():
    risk, command = (Piece(1, JULY), Piece(2, MAY)), (Piece(3, JUNE),)
    assert met_on([risk, command], JUNE) == JULY
    assert met_on([risk, command], JULY) is None


pieces = st.builds(Piece, st.integers(1, 50), st.dates(date(2024, 1, 1), date(2026, 1, 1)))


@given(st.lists(st.lists(pieces, max_size=4), max_size=4), st.integers(0, 3), pieces, st.none() | st.dates())
def test_more_evidence_never_takes_away(shown, place, more, since):
    if met_on(shown, since) is not None:
        grown = [[*own, more] if n == place else own for n, own in enumerate(shown)]
        assert met_on(grown, since) is not None


kinds = st.sampled_from([EvidenceKind.COURSE, EvidenceKind.MANAGER, EvidenceKind.PANEL, EvidenceKind.DIAGNOSTIC])
items = st.builds(item, st.integers(1, 10**6), kinds, st.integers(0, 5), st.dates(date(2022, 1, 1), date(2026, 7, 1)))


@given(st.lists(items, max_size=6, unique_by=lambda one: one.id), st.integers(1, 5))
def test_something_shows_a_level_exactly_when_it_is_attained(evidence, rank):
    level = attained_level(evidence, as_of=date(2026, 8, 1))
    assert bool(pieces_showing(level, rank)) == (level.rank >= rank)
