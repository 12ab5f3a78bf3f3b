"""The envelope of a ballot: encrypted for a key whose private half is only used at closing, and always of one length.

Pure. Cryptography is libsodium's sealed box (X25519, XSalsa20-Poly1305) by PyNaCl: who has only the public key can put
in, not take out. No exception and no printed form of a ballot holds anything that was answered.
Source: docs/algorithms/sealing.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

PAYLOAD_BYTES = 8192
LENGTH_BYTES = 4
MOST_BYTES = PAYLOAD_BYTES - LENGTH_BYTES
# An ephemeral public key of 32 bytes and an authenticator of 16 stand before what is encrypted.
ENVELOPE_BYTES = PAYLOAD_BYTES + 48
KEY_BYTES = 32


class BallotTooLong(ValueError):
    """More than MOST_BYTES: two very long comments."""


class EnvelopeBroken(ValueError):
    """An envelope that this key does not open, or that holds no ballot."""


@dataclass(frozen=True, repr=False)
class Ballot:
    """What one person answered: `answers` 0 to 5 by item code, `comments` by question code; her unit and category as
    they were at opening."""

    node: str
    category: str
    answers: Mapping[str, int]
    comments: Mapping[str, str]

    def __repr__(self) -> str:
        return "Ballot(…)"


def new_key() -> tuple[bytes, bytes]:
    """(private, public), 32 bytes each."""
    private = PrivateKey.generate()
    return bytes(private), bytes(private.public_key)


def public_of(private: bytes) -> bytes:
    return bytes(PrivateKey(private).public_key)


def seal_ballot(ballot: Ballot, public_key: bytes) -> bytes:
    """ENVELOPE_BYTES bytes, whatever was answered. Raises BallotTooLong."""
    box = SealedBox(PublicKey(public_key))
    padded = _padded(ballot)
    if padded is None:
        raise BallotTooLong(f"a ballot has at most {MOST_BYTES} bytes")
    return bytes(box.encrypt(padded))


def _padded(ballot: Ballot) -> bytes | None:
    """PAYLOAD_BYTES bytes: the length of what follows, the ballot, and zeros. None where it does not fit."""
    payload = {
        "n": ballot.node,
        "c": ballot.category,
        "a": dict(ballot.answers),
        "t": dict(ballot.comments),
    }
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    if len(text) > MOST_BYTES:
        return None
    return len(text).to_bytes(LENGTH_BYTES, "big") + text + bytes(MOST_BYTES - len(text))


def open_envelopes(blobs: Iterable[bytes], private_key: bytes) -> list[Ballot]:
    """All ballots, or none: raises EnvelopeBroken where a single one cannot be read. In the order of `blobs`."""
    box = SealedBox(PrivateKey(private_key))
    # A report of an error may print the variables of this frame.
    del private_key
    ballots = []
    for blob in blobs:
        found = _read(box, bytes(blob))
        if isinstance(found, str):
            raise EnvelopeBroken(found)
        ballots.append(found)
    return ballots


def _read(box: SealedBox, blob: bytes) -> Ballot | str:
    """The ballot of an envelope, or why there is none.

    It does not raise: with an error would go what it arose from, and the parser's holds all it was given to read.
    """
    if len(blob) != ENVELOPE_BYTES:
        return "an envelope has another length"
    try:
        padded = box.decrypt(blob)
    except CryptoError:
        return "an envelope is not for this key, or was changed"
    length = int.from_bytes(padded[:LENGTH_BYTES], "big")
    if length > MOST_BYTES or any(padded[LENGTH_BYTES + length :]):
        return "an envelope is not filled as ours are"
    try:
        return _ballot(json.loads(padded[LENGTH_BYTES : LENGTH_BYTES + length]))
    # Brackets nested by the thousand are deeper than the parser goes.
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return "an envelope holds no ballot"


def _ballot(payload: Any) -> Ballot:
    node, category, answers, comments = payload["n"], payload["c"], payload["a"], payload["t"]
    if not isinstance(node, str) or not isinstance(category, str):
        raise TypeError
    if not all(type(value) is int and 0 <= value <= 5 for value in answers.values()):
        raise ValueError
    if not all(isinstance(text, str) for text in comments.values()):
        raise TypeError
    return Ballot(node, category, dict(answers), dict(comments))
