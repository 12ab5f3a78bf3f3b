"""Codes: what can be mistyped is noticed, what can be forgiven is forgiven."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates import codes

seeds = st.integers(min_value=0, max_value=2**32)
positions = st.integers(min_value=0, max_value=codes.LENGTH - 1)


def code_of(seed: int) -> str:
    return codes.new_code(random.Random(seed).choice)


def test_the_alphabet_has_no_look_alikes():
    assert not set("0O1ILU") & set(codes.ALPHABET)
    assert len(set(codes.ALPHABET)) == len(codes.ALPHABET) == 30


def test_the_worked_example():
    """docs/algorithms/certificates.md"""
    assert codes.check_character("7KQ2MXD4R") == "F"
    assert codes.is_wellformed("7KQ2MXD4RF")
    assert not codes.is_wellformed("7KQ2MXD4FR")
    assert codes.display("7KQ2MXD4RF") == "7KQ2M-XD4RF"
    assert codes.normalise(" 7kq2m – xd4rf ") == "7KQ2MXD4RF"


def test_codes_are_drawn_by_the_systems_own_randomness_and_differ():
    drawn = {codes.new_code() for _ in range(500)}
    assert len(drawn) == 500
    assert all(codes.is_wellformed(code) for code in drawn)


@given(seeds)
def test_a_new_code_is_wellformed_and_survives_being_written_and_typed(seed):
    code = code_of(seed)
    assert codes.is_wellformed(code)
    assert codes.normalise(codes.display(code)) == code


@given(seeds, positions, st.sampled_from(codes.ALPHABET))
def test_every_single_wrong_character_is_caught(seed, position, wrong):
    code = code_of(seed)
    typed = code[:position] + wrong + code[position + 1 :]
    assert codes.is_wellformed(typed) == (typed == code)


@given(seeds, positions, positions)
def test_every_swap_of_two_characters_is_caught_neighbours_or_not(seed, one, other):
    code = code_of(seed)
    swapped = list(code)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    typed = "".join(swapped)
    assert codes.is_wellformed(typed) == (typed == code)


@given(seeds, st.lists(st.tuples(positions, st.sampled_from(["-", " ", "–", "\u00a0", "\u2011", "\t"]))), seeds)
def test_case_spaces_and_dashes_are_forgiven(seed, extras, coins):
    code = code_of(seed)
    coin = random.Random(coins)
    typed = [c.lower() if coin.random() < 0.5 else c for c in code]
    for position, extra in extras:
        typed.insert(position, extra)
    assert codes.normalise("".join(typed)) == code


@given(st.text())
def test_nothing_else_is_guessed(typed):
    kept = codes.normalise(typed)
    assert codes.normalise(kept) == kept
    assert len(kept) <= len(typed)
    if codes.is_wellformed(kept):
        assert set(kept) <= set(codes.ALPHABET)


@pytest.mark.parametrize("typed", ["ıſß", "０１２", "ABCDE_FGHJK", "K\u212a"])
def test_letters_of_other_alphabets_are_not_taken_for_ours(typed):
    assert codes.normalise(typed) == typed


def test_a_body_without_check_character_is_drawn_again():
    """One in 31 sums asks for a character the alphabet does not have."""
    without = next(
        body
        for body in ("".join(random.Random(n).choices(codes.ALPHABET, k=9)) for n in range(1000))
        if codes.check_character(body) is None
    )
    draws = iter(without + "7KQ2MXD4R")
    assert codes.new_code(lambda _alphabet: next(draws)) == "7KQ2MXD4RF"


@pytest.mark.parametrize("code", ["", "7KQ2MXD4R", "7KQ2MXD4RFF", "0KQ2MXD4RF", "7KQ2M-XD4RF", "\x00" * 10])
def test_what_is_no_code_is_not_wellformed(code):
    assert not codes.is_wellformed(code)
