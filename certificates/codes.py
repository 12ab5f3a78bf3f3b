"""Verification codes: ten characters that can be read aloud, typed back and caught when mistyped.

Nine random characters and a check character over an alphabet without look-alikes (no 0 O, no 1 I L, no U,
which is taken for V). The check is a weighted sum modulo 31, the prime next above the alphabet's 30 characters:
every single wrong character and every swap of two characters changes it. The well-known ISO 7064 schemes work
on alphabets of 10, 26 or 36 characters, not on ours. Source: docs/algorithms/certificates.md.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 10
MODULUS = 31
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_UPPER = {ord(small): ord(small) - 32 for small in "abcdefghijklmnopqrstuvwxyz"}
# What people and word processors put between the groups: hyphens, dashes, the minus sign.
_DASHES = frozenset("-\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d")


def new_code(choose: Callable[[Sequence[str]], str] = secrets.choice) -> str:
    """Draw a code. `choose` picks one of a sequence; anything but the default is for demo data and tests.

    One draw in 31 has no check character within the alphabet and is drawn again.
    """
    while True:
        body = "".join(choose(ALPHABET) for _ in range(LENGTH - 1))
        check = check_character(body)
        if check is not None:
            return body + check


def check_character(body: str) -> str | None:
    """The character that completes nine others of the alphabet; None where the sum asks for a 31st character."""
    rest = _weighted_sum(body) % MODULUS
    # The last weight is 10: find c with rest + 10 c = 0 (mod 31).
    value = -rest * pow(LENGTH, -1, MODULUS) % MODULUS
    return ALPHABET[value] if value < len(ALPHABET) else None


def is_wellformed(code: str) -> bool:
    """Whether `code`, already normalised, can be a code at all."""
    return len(code) == LENGTH and all(c in _VALUES for c in code) and _weighted_sum(code) % MODULUS == 0


def normalise(typed: str) -> str:
    """ "abcde-fghjk" → "ABCDEFGHJK": forgives case, spaces and dashes, and guesses nothing else."""
    return "".join(c for c in typed.translate(_UPPER) if not c.isspace() and c not in _DASHES)


def display(code: str) -> str:
    """ "ABCDEFGHJK" → "ABCDE-FGHJK", as it stands on paper."""
    return f"{code[:5]}-{code[5:]}" if len(code) == LENGTH else code


def _weighted_sum(characters: str) -> int:
    return sum(weight * _VALUES[c] for weight, c in enumerate(characters, start=1))
