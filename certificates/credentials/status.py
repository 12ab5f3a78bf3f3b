"""Who is revoked, in public and without names: W3C Bitstring Status List v1.0.

Every certificate has a place in a list of bits; a 1 says revoked. The list holds at least 131,072 places, so that
asking for it says little about whom one asks, is compressed, and is itself a signed credential.
Source: W3C Bitstring Status List v1.0; docs/algorithms/credentials.md.
"""

from __future__ import annotations

import gzip
import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from certificates.credentials.contexts import CREDENTIALS_V2

LEAST_BITS = 131_072
# 8 million places, unpacked. A list from others that is larger is refused before it is unpacked further.
MAX_BITS = 8 * 1_048_576
MAX_ENCODED = 1_500_000
REVOCATION = "revocation"
_ENCODED = re.compile(r"u[A-Za-z0-9_-]+")


class BadStatusList(ValueError):
    """No status list we can read, or not the one the entry names."""


def bits_of(revoked: Iterable[int], *, size: int) -> bytes:
    """A list of at least `size` places with these set; place 0 is the leftmost bit of the first byte.

    Raises ValueError for a place outside of `size`.
    """
    bits = bytearray((max(size, LEAST_BITS) + 7) // 8)
    for place in revoked:
        if not 0 <= place < size:
            raise ValueError(f"place {place} is not in a list of {size}")
        bits[place >> 3] |= 0x80 >> (place & 7)
    return bytes(bits)


def is_set(bits: bytes, place: int) -> bool:
    """Raises BadStatusList for a place outside of the list."""
    if not 0 <= place < len(bits) * 8:
        raise BadStatusList("the list has no such place")
    return bool(bits[place >> 3] & (0x80 >> (place & 7)))


def encode(bits: bytes) -> str:
    """The list as text: GZIP, base64url, multibase `u`. The same bits give the same text."""
    return "u" + urlsafe_b64encode(gzip.compress(bits, compresslevel=6, mtime=0)).rstrip(b"=").decode()


def decode(text: Any) -> bytes:
    """Read a list back, unpacking at most MAX_BITS. Raises BadStatusList."""
    if not isinstance(text, str) or len(text) > MAX_ENCODED or not _ENCODED.fullmatch(text):
        raise BadStatusList("the list is not written as one")
    try:
        packed = urlsafe_b64decode(text[1:] + "=" * (-(len(text) - 1) % 4))
        unpacking = zlib.decompressobj(wbits=31)
        bits = unpacking.decompress(packed, MAX_BITS // 8 + 1)
    except (ValueError, zlib.error) as error:
        raise BadStatusList("the list does not unpack") from error
    if len(bits) > MAX_BITS // 8:
        raise BadStatusList("the list is too large")
    if not unpacking.eof or unpacking.unused_data:
        raise BadStatusList("the list is cut off, or something follows it")
    if len(bits) * 8 < LEAST_BITS:
        raise BadStatusList("the list is shorter than the standard allows")
    return bits


def entry(list_url: str, place: int, *, purpose: str = REVOCATION) -> dict[str, Any]:
    """`credentialStatus` of the credential with this place."""
    return {
        "id": f"{list_url}#{place}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": str(place),
        "statusListCredential": list_url,
    }


def list_credential(
    list_url: str,
    bits: bytes,
    *,
    issuer: str,
    valid_from: datetime,
    valid_until: datetime | None = None,
    purpose: str = REVOCATION,
) -> dict[str, Any]:
    """The unsigned credential to serve at `list_url`. Times are aware; sign it as any other credential.

    `valid_until` says how long a copy may be believed: make the list anew before.
    """
    credential: dict[str, Any] = {
        "@context": [CREDENTIALS_V2],
        "id": list_url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": stamp(valid_from),
    }
    if valid_until is not None:
        credential["validUntil"] = stamp(valid_until)
    credential["credentialSubject"] = {
        "id": f"{list_url}#list",
        "type": "BitstringStatusList",
        "statusPurpose": purpose,
        "encodedList": encode(bits),
    }
    return credential


def place_in(entry: Mapping[str, Any]) -> int:
    """The place an entry names. Raises BadStatusList."""
    place = entry.get("statusListIndex")
    if isinstance(place, int) and not isinstance(place, bool):
        place = str(place)
    if not isinstance(place, str) or not re.fullmatch(r"[0-9]{1,12}", place):
        raise BadStatusList("the entry names no place")
    return int(place)


def is_status_set(entry: Mapping[str, Any], credential: Mapping[str, Any]) -> bool:
    """What a list says of an entry. Its signature and dates are the caller's to check. Raises BadStatusList."""
    types, subject = credential.get("type"), credential.get("credentialSubject")
    if not isinstance(types, list) or "BitstringStatusListCredential" not in types or not isinstance(subject, dict):
        raise BadStatusList("not a status list")
    if credential.get("id") != entry.get("statusListCredential"):
        raise BadStatusList("the list is not the one the entry names")
    purposes = subject.get("statusPurpose")
    if subject.get("type") != "BitstringStatusList" or entry.get("statusPurpose") not in (
        purposes if isinstance(purposes, list) else [purposes]
    ):
        raise BadStatusList("the list is for another purpose")
    if entry.get("statusSize", 1) != 1:
        raise BadStatusList("lists with more than one bit a place are not read here")
    return is_set(decode(subject.get("encodedList")), place_in(entry))


def stamp(at: datetime) -> str:
    """An aware time as it stands in a credential: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
