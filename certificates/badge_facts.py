"""What a badge from elsewhere says, and whom it names. Pure: a document of anybody's in, tidy values out.

Everything here is somebody else's word: nothing is trusted to have the form it should, and texts are cut and cleaned.
Source: Open Badges 3.0, AchievementSubject, Alignment and IdentityObject.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any

from certificates.credentials.jwt import moment
from certificates.record import tidy

MAX_TEXT = 200
MAX_LIST = 20
# Marks that turn the direction of writing: a name could read other than it is.
_TURNING = frozenset("\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


class Names(StrEnum):
    """Whether a badge names the person who hands it in. What is said first is the strongest of several."""

    BY_EMAIL = "email"
    BY_NAME = "name"
    SOMEBODY_ELSE = "differs"
    NOBODY = "nobody"  # it says not whom, or in a way that cannot be compared


@dataclass(frozen=True)
class Alignment:
    """What the issuer says it corresponds to."""

    name: str
    code: str
    url: str
    framework: str


@dataclass(frozen=True)
class BadgeFacts:
    """Of `named` only what stands there in plain words; an e-mail address is mostly there as a digest."""

    credential_id: str
    title: str
    issuer: str
    issuer_id: str
    issued_on: date | None
    valid_until: date | None
    criteria: str
    alignments: tuple[Alignment, ...]
    named: str


def facts_of(credential: Mapping[str, Any], *, zone: tzinfo) -> BadgeFacts:
    """The facts of a credential that could be read; what is missing or no text is empty. Days are those of `zone`.

    `valid_until` is the first day on which it no longer counts, as everywhere in this house.
    """
    subject = _first(credential.get("credentialSubject"))
    achievement = _first(subject.get("achievement"))
    issuer = credential.get("issuer")
    profile = _first(issuer)
    listed = [item for item in _listed(achievement.get("alignment")) if isinstance(item, dict)]
    return BadgeFacts(
        credential_id=text_of(credential.get("id"), 500),
        title=text_of(achievement.get("name")) or text_of(credential.get("name")),
        issuer=text_of(profile.get("name")),
        issuer_id=text_of(profile.get("id")) or text_of(issuer),
        issued_on=_day(credential.get("validFrom", credential.get("issuanceDate")), zone),
        valid_until=_end(credential.get("validUntil", credential.get("expirationDate")), zone),
        criteria=text_of(_first(achievement.get("criteria")).get("narrative"), 1000),
        alignments=tuple(
            Alignment(
                text_of(item.get("targetName")),
                text_of(item.get("targetCode")),
                text_of(item.get("targetUrl"), 500),
                text_of(item.get("targetFramework")),
            )
            for item in listed[:MAX_LIST]
        ),
        named=next((said for kind, said, _item in _identities(subject) if kind == "name" and said), "")
        or text_of(subject.get("name")),
    )


def names(credential: Mapping[str, Any], *, name: str, emails: Iterable[str]) -> Names:
    """Whether the badge was given to somebody of this name or one of these addresses.

    An address is the stronger sign. Names are compared without accents, capitals and order. Only SHA-256 digests are
    compared: of what an MD5 digest was made of cannot be told.
    """
    subject = _first(credential.get("credentialSubject"))
    mails = {mail.strip() for mail in emails} | {mail.strip().lower() for mail in emails}
    found: list[Names] = []
    for kind, said, item in _identities(subject):
        if item.get("hashed") is True:
            of_name = _is_digest_of(item, {name})
            of_mail = _is_digest_of(item, mails)
            if of_name is not None and of_mail is not None:
                found.append(Names.BY_EMAIL if of_mail else Names.BY_NAME if of_name else Names.SOMEBODY_ELSE)
        elif kind == "email" and said:
            found.append(Names.BY_EMAIL if said.lower() in mails else Names.SOMEBODY_ELSE)
        elif kind == "name" and said:
            found.append(Names.BY_NAME if _same_name(said, name) else Names.SOMEBODY_ELSE)
    own, plain = text_of(subject.get("id")), text_of(subject.get("name"))
    if own.lower().startswith("mailto:"):
        found.append(Names.BY_EMAIL if own[7:].lower() in mails else Names.SOMEBODY_ELSE)
    if plain:
        found.append(Names.BY_NAME if _same_name(plain, name) else Names.SOMEBODY_ELSE)
    return next((one for one in Names if one in found), Names.NOBODY)


def digest_of(credential: Mapping[str, Any]) -> str:
    """SHA-256 of what it says, without what proves it: the same badge as data, token or picture has one digest."""
    said = {name: value for name, value in credential.items() if name != "proof"}
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def text_of(value: Any, most: int = MAX_TEXT) -> str:
    """One clean line of a text, a value with a language, or the first of several; empty for anything else."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, dict):
        value = value.get("@value", "")
    if not isinstance(value, str):
        return ""
    return tidy("".join(c for c in value[: 4 * most] if c not in _TURNING))[:most]


def _identities(subject: Mapping[str, Any]) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Kind (email, name or another), what is said in plain, and the object itself."""
    kinds = {"emailAddress": "email", "email": "email", "name": "name"}
    items = [item for item in _listed(subject.get("identifier")) if isinstance(item, dict)]
    return [
        (kinds.get(str(item.get("identityType")), ""), text_of(item.get("identityHash")), item)
        for item in items[:MAX_LIST]
    ]


def _is_digest_of(item: Mapping[str, Any], wanted: Iterable[str]) -> bool | None:
    """Whether the digest is of one of the wanted; None where that cannot be told."""
    said, salt = item.get("identityHash"), item.get("salt", "")
    if not isinstance(said, str) or not isinstance(salt, str) or not said.lower().startswith("sha256$"):
        return None
    digest = said[7:].lower().encode("utf-8", "surrogatepass")
    made = (hashlib.sha256((word + salt).encode("utf-8", "surrogatepass")).hexdigest().encode() for word in wanted)
    return any(hmac.compare_digest(one, digest) for one in made)


def _same_name(one: str, other: str) -> bool:
    return bool(_words(one)) and _words(one) == _words(other)


def _words(name: str) -> frozenset[str]:
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return frozenset(letters.split())


def _first(value: Any) -> Mapping[str, Any]:
    found = value[0] if isinstance(value, list) and value else value
    return found if isinstance(found, dict) else {}


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _day(value: Any, zone: tzinfo) -> date | None:
    try:
        return moment(value).astimezone(zone).date()
    except (ValueError, OverflowError):
        return None


def _end(value: Any, zone: tzinfo) -> date | None:
    """The first day on which what counts up to a moment no longer counts."""
    try:
        last = moment(value).astimezone(zone)
        return last.date() if last.time() == time() else last.date() + timedelta(days=1)
    except (ValueError, OverflowError):
        return None
