"""What a level of one scale is worth on another: docs/algorithms/equivalence.md."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from competencies.equivalence import LEAST, is_same_level, same_labels, translate_rank


def scale(*labels: str, start: int = 1, language: str = "en") -> dict[int, dict[str, str]]:
    return {rank: {language: label} for rank, label in enumerate(labels, start=start)}


DDAT = scale("Awareness", "Working", "Practitioner", "Expert")
HOUSE = scale("None", "Foundation", "Working", "Expert", start=0)
BARE: dict[int, dict[str, str]] = {}


@pytest.mark.parametrize(
    ("rank", "stated", "same"),
    [
        (2, None, True),  # both call it Working
        (3, None, False),  # what lies below it
        (4, None, True),  # Expert is 4 there, 3 here
        (3, {3: 2}, True),  # somebody said so
        (4, {3: 2}, False),  # the level named below it
    ],
)
def test_a_level_is_told_from_the_least_that_it_shows(rank, stated, same):
    shown = translate_rank(rank, source=DDAT, target=HOUSE, stated=stated)
    assert is_same_level(rank, shown, source=DDAT, target=HOUSE, stated=stated) is same


@pytest.mark.parametrize(
    ("rank", "expected", "why"),
    [
        (1, 1, "nothing in common yet: the lowest level"),
        (2, 2, "both call it Working"),
        (3, 2, "Practitioner is not on the other scale: what lies below it counts"),
        (4, 3, "both call it Expert"),
    ],
)
def test_the_worked_example(rank, expected, why):
    assert translate_rank(rank, source=DDAT, target=HOUSE) == expected, why


def test_the_worked_example_with_a_person_s_word():
    stated = {2: 1, 4: 3}
    assert [translate_rank(r, source=DDAT, target=HOUSE, stated=stated) for r in (1, 2, 3, 4)] == [0, 1, 1, 3]


@pytest.mark.parametrize("rank", [0, -1])
def test_nothing_shows_nothing(rank):
    for target in (DDAT, HOUSE, BARE):
        assert translate_rank(rank, source=DDAT, target=target) == 0


def test_without_a_scale_there_only_held_is_known():
    assert [translate_rank(r, source=DDAT, target=BARE) for r in (1, 4)] == [LEAST, LEAST]
    assert translate_rank(4, source=DDAT, target=BARE, stated={2: 1}) == LEAST


def test_without_a_scale_here_the_lowest_level_there_is_shown():
    assert translate_rank(1, source=BARE, target=DDAT) == 1
    assert translate_rank(1, source=BARE, target=HOUSE) == 1


def test_editions_keep_their_ranks_when_labels_are_reworded():
    reworded = scale("Aware", "Doing", "Leading", "Shaping")
    assert [translate_rank(r, source=DDAT, target=reworded, editions=True) for r in (1, 2, 3, 4)] == [1, 2, 3, 4]
    assert [translate_rank(r, source=DDAT, target=reworded) for r in (1, 2, 3, 4)] == [1, 1, 1, 1]


def test_an_edition_with_another_number_of_levels_is_compared_by_its_labels():
    fewer = scale("Working", "Expert")
    assert [translate_rank(r, source=DDAT, target=fewer, editions=True) for r in (1, 2, 3, 4)] == [1, 1, 1, 2]


def test_a_person_s_word_goes_before_the_labels_and_levels_that_are_gone_do_not_count():
    assert translate_rank(4, source=DDAT, target=DDAT, stated={4: 2}) == 2
    assert translate_rank(4, source=DDAT, target=DDAT, stated={3: 2, 4: 9}) == 2


def test_case_and_spaces_of_labels_do_not_matter():
    assert translate_rank(4, source=scale("a", "working", start=3), target=HOUSE) == 2
    assert translate_rank(1, source=scale("  FOUNDATION ", "x", "y"), target=scale("q", "foundation", "z")) == 2


def test_labels_are_the_same_when_one_language_of_both_says_so():
    both = {1: {"en": "Aware", "es": "Conoce"}, 2: {"en": "Working", "es": "Aplica"}, 3: {"en": "Expert", "es": "Guía"}}
    spanish = {1: {"es": "Inicia"}, 2: {"es": "Conoce"}, 3: {"es": "Guía"}}
    assert [translate_rank(r, source=both, target=spanish) for r in (1, 2, 3)] == [2, 2, 3]


def test_levels_without_a_label_are_not_the_same():
    nameless = {1: {}, 2: {"en": " "}}
    assert translate_rank(2, source=nameless, target=nameless) == 1
    assert not same_labels(nameless, nameless)
    assert translate_rank(2, source=nameless, target=nameless, editions=True) == 2


def test_scales_have_the_same_labels_whatever_their_ranks():
    assert same_labels(DDAT, scale("awareness", "Working", "Practitioner", "Expert", start=0))
    assert not same_labels(DDAT, HOUSE)
    assert not same_labels(DDAT, scale("Awareness", "Working", "Practitioner"))
    assert same_labels(BARE, BARE)
    assert not same_labels(BARE, DDAT)


labels = st.sampled_from(["Aware", "Working", "Practitioner", "Expert", "Guía", "Conoce", ""])
label = st.dictionaries(st.sampled_from(["en", "es"]), labels, max_size=2)
scales = st.dictionaries(st.integers(0, 6), label, max_size=6)
maps = st.none() | st.dictionaries(st.integers(1, 6), st.integers(0, 6), max_size=5)


@given(scales, scales, maps, st.booleans())
def test_a_higher_rank_never_shows_less(source, target, stated, editions):
    shown = [translate_rank(r, source=source, target=target, stated=stated, editions=editions) for r in range(8)]
    assert shown == sorted(shown)


@given(scales, scales, maps, st.booleans(), st.integers(0, 7))
def test_what_is_shown_is_on_the_scale_there_or_nothing(source, target, stated, editions, rank):
    shown = translate_rank(rank, source=source, target=target, stated=stated, editions=editions)
    assert shown in {0, *(target or {LEAST: {}})}


@given(st.dictionaries(st.integers(0, 6), st.just(None), min_size=1, max_size=6), st.booleans())
def test_a_scale_is_itself(ranks, editions):
    own = {rank: {"en": f"Level {rank}"} for rank in ranks}
    for rank in own:
        assert translate_rank(rank, source=own, target=own, editions=editions) == rank


@given(scales, scales)
def test_having_the_same_labels_is_mutual(one, other):
    assert same_labels(one, other) == same_labels(other, one)
