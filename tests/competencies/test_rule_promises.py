"""What the rules promise, whatever numbers an owner publishes."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from competencies.enums import EvidenceKind as Kind
from competencies.levels import EvidenceItem, attained_level, disagreement, what_would_change
from competencies.rulebooks import SHIPPED, read_book
from tests.competencies.rulebook_contents import books

TODAY = date(2026, 11, 26)


def falling(values):
    return tuple(sorted(values, reverse=True))


items = st.builds(
    EvidenceItem,
    id=st.integers(1, 10**6),
    kind=st.sampled_from(list(Kind)),
    rank=st.integers(0, 5),
    assessed=st.booleans(),
    occurred_on=st.dates(TODAY - timedelta(days=2000), TODAY + timedelta(days=30)),
    valid_until=st.none() | st.dates(TODAY - timedelta(days=100), TODAY + timedelta(days=900)),
    passed=st.booleans() | st.just(True),
    probabilities=st.none() | st.lists(st.floats(0, 1), min_size=5, max_size=5).map(falling),
)
bundles = st.lists(items, max_size=8, unique_by=lambda i: i.id)
NOUGHT = read_book({"rules": {"manager": {"cap": 0}, "diagnostic": {"cap": 0}}}, version="2")


@given(books, bundles, items)
def test_the_attained_level_never_falls_when_evidence_is_added(book, evidence, more):
    before = attained_level(evidence, as_of=TODAY, rules=book.rules)
    after = attained_level([*evidence, more], as_of=TODAY, rules=book.rules)
    assert after.rank >= before.rank


@given(books, bundles, st.randoms())
def test_the_order_of_entry_does_not_matter(book, evidence, random):
    shuffled = list(evidence)
    random.shuffle(shuffled)
    level = attained_level(shuffled, as_of=TODAY, rules=book.rules)
    assert level == attained_level(evidence, as_of=TODAY, rules=book.rules)
    assert disagreement(level, as_of=TODAY) == disagreement(
        attained_level(evidence, as_of=TODAY, rules=book.rules), as_of=TODAY
    )


@given(books, bundles, st.data())
def test_withdrawing_a_piece_undoes_just_what_it_did(book, evidence, data):
    """Piece after piece is entered, then withdrawn in any order: each time the level is the one of what is left."""
    kept = list(evidence)
    for _step in range(min(3, len(evidence))):
        gone = data.draw(st.sampled_from(kept))
        entered_without = [item for item in kept if item.id != gone.id]
        before = attained_level(entered_without, as_of=TODAY, rules=book.rules)
        with_it = attained_level([*entered_without, gone], as_of=TODAY, rules=book.rules)
        kept = [item for item in (j.item for j in with_it.judged) if item.id != gone.id]
        assert attained_level(kept, as_of=TODAY, rules=book.rules) == before


@given(books, bundles)
@example(
    NOUGHT,
    [
        EvidenceItem(1, Kind.SELF, 3, True, TODAY - timedelta(days=9)),
        EvidenceItem(2, Kind.COURSE, 1, True, TODAY - timedelta(days=30), TODAY + timedelta(days=60)),
        EvidenceItem(3, Kind.MANAGER, 2, True, TODAY - timedelta(days=5)),
    ],
)
@example(
    NOUGHT,
    [
        EvidenceItem(1, Kind.SELF, 3, True, TODAY - timedelta(days=9)),
        EvidenceItem(2, Kind.COURSE, 1, True, TODAY - timedelta(days=30), TODAY + timedelta(days=60)),
        EvidenceItem(3, Kind.MANAGER, 1, True, TODAY - timedelta(days=5)),
    ],
)
def test_a_level_stands_until_the_day_it_is_said_to_lapse(book, evidence):
    level = attained_level(evidence, as_of=TODAY, rules=book.rules)
    if level.lapses_on is not None:
        eve = attained_level(evidence, as_of=level.lapses_on - timedelta(days=1), rules=book.rules)
        assert eve.rank >= level.rank


@given(books, bundles, st.integers(1, 5))
@example(NOUGHT, [], 1)
def test_each_remedy_that_is_named_really_brings_the_level(book, evidence, required):
    level = attained_level(evidence, as_of=TODAY, rules=book.rules)
    remedies = what_would_change(level, required=required, rules=book.rules)
    assert bool(remedies) == (level.rank < required)
    kinds = {"diagnostic": Kind.DIAGNOSTIC, "course": Kind.COURSE}
    for remedy in remedies:
        kind = kinds.get(remedy.code) or Kind(remedy.code)
        new = EvidenceItem(10**7, kind, remedy.rank, True, TODAY)
        assert attained_level([*evidence, new], as_of=TODAY, rules=book.rules).rank >= required


# --- Evidence that disagrees -------------------------------------------------------------------------------------
def level_of(*evidence):
    return attained_level(evidence, as_of=TODAY)


CERTIFICATE = EvidenceItem(1, Kind.CERTIFICATE, 4, True, TODAY - timedelta(days=300))


def later(kind, rank, *, pk=2, days_ago=10, **more):
    return EvidenceItem(pk, kind, rank, True, TODAY - timedelta(days=days_ago), **more)


def test_newer_evidence_two_levels_below_disagrees_and_one_below_does_not():
    for kind in (Kind.MANAGER, Kind.PANEL, Kind.DIAGNOSTIC):
        assert disagreement(level_of(CERTIFICATE, later(kind, 2)), as_of=TODAY) == later(kind, 2)
        assert disagreement(level_of(CERTIFICATE, later(kind, 3)), as_of=TODAY) is None


def test_what_does_not_place_a_person_never_disagrees():
    for kind in (Kind.SELF, Kind.COURSE, Kind.CERTIFICATE, Kind.PRIOR_LEARNING):
        assert disagreement(level_of(CERTIFICATE, later(kind, 1)), as_of=TODAY) is None
    assert disagreement(level_of(CERTIFICATE, later(Kind.QUIZ, 2)), as_of=TODAY) is None
    failed = later(Kind.QUIZ, 3, passed=False)
    assert disagreement(level_of(CERTIFICATE, failed), as_of=TODAY) == failed


def test_older_or_lapsed_evidence_does_not_disagree_and_the_newest_is_named():
    assert disagreement(level_of(CERTIFICATE, later(Kind.MANAGER, 1, days_ago=301)), as_of=TODAY) is None
    assert disagreement(level_of(CERTIFICATE, later(Kind.MANAGER, 1, valid_until=TODAY)), as_of=TODAY) is None
    old, new = later(Kind.PANEL, 1, days_ago=20), later(Kind.MANAGER, 2, pk=3, days_ago=5)
    assert disagreement(level_of(CERTIFICATE, old, new), as_of=TODAY) == new


def test_what_a_newer_piece_settled_or_the_same_source_took_back_no_longer_disagrees():
    certificate = EvidenceItem(1, Kind.CERTIFICATE, 3, True, TODAY - timedelta(days=150))
    manager = later(Kind.MANAGER, 1, days_ago=60, source="by-7")

    def found(*more):
        return disagreement(level_of(certificate, manager, *more), as_of=TODAY)

    assert found() == manager
    assert found(later(Kind.DIAGNOSTIC, 3, pk=3, days_ago=30)) is None
    assert found(later(Kind.MANAGER, 3, pk=3, days_ago=30, source="by-7")) is None
    assert found(later(Kind.DIAGNOSTIC, 3, pk=3, days_ago=90)) == manager  # older: it settles nothing
    assert found(later(Kind.MANAGER, 3, pk=3, days_ago=30, source="by-8", valid_until=TODAY)) == manager
    assert found(later(Kind.QUIZ, 3, pk=3, days_ago=30, passed=False)) == manager  # at most 2: 1 is within
    assert found(later(Kind.DIAGNOSTIC, 3, pk=3, days_ago=30, carried=True)) == manager


def test_a_quiz_that_was_passed_after_all_no_longer_disagrees_and_what_did_before_does():
    manager = later(Kind.MANAGER, 1, days_ago=60, source="by-7")
    failed = later(Kind.QUIZ, 2, pk=3, days_ago=40, passed=False, source="Risk")
    assert disagreement(level_of(CERTIFICATE, manager, failed), as_of=TODAY) == failed
    passed = later(Kind.QUIZ, 2, pk=4, days_ago=20, source="Risk")
    assert disagreement(level_of(CERTIFICATE, manager, failed, passed), as_of=TODAY) == manager
    assert disagreement(level_of(CERTIFICATE, failed, passed), as_of=TODAY) is None


def test_what_is_carried_over_as_the_least_it_shows_disagrees_with_nothing():
    assert disagreement(level_of(CERTIFICATE, later(Kind.MANAGER, 1, carried=True)), as_of=TODAY) is None


@given(books, bundles)
def test_a_disagreement_changes_no_level_and_always_lies_two_below(book, evidence):
    level = attained_level(evidence, as_of=TODAY, rules=book.rules)
    found = disagreement(level, as_of=TODAY)
    assert attained_level(evidence, as_of=TODAY, rules=book.rules) == level
    if found is not None:
        assert found.says <= level.rank - 2
        assert (found.occurred_on, found.id) > (level.basis.item.occurred_on, level.basis.item.id)
        without = [item for item in evidence if item.id != found.id]
        assert attained_level(without, as_of=TODAY, rules=book.rules).rank == level.rank


def test_the_shipped_book_is_one_of_them():
    assert read_book({}, version="1") == SHIPPED
