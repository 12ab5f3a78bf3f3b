"""Issuers elsewhere whose keys an administrator vouches for: read from what she pastes in, never fetched.

Pasted is a did:key, or the document of an issuer (did.json, or the profile at an https address) with its keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from certificates import issuer
from certificates.credentials import jwt
from certificates.credentials.jwt import Jwk
from certificates.credentials.keys import Kind, MalformedKey, PublicKey, did_web_address, key_in_did_key, public_key
from certificates.credentials.reading import Unreadable, read_object
from certificates.models import TrustedIssuer
from certificates.models.trusting import LONGEST_IDENTIFIER, described
from organisations.models import User

MOST_CHARACTERS = 50_000
MOST_KEYS = 20
_HTTPS = re.compile(r"https://[^\s\"<>#]+")
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k", "privateKeyMultibase", "privateKeyJwk", "privateKeyBase58")


class NotTrusted(ValueError):
    """What was pasted names no issuer we could trust; the text is the sentence for who pasted it."""


@dataclass(frozen=True)
class Pasted:
    """An issuer and its keys by the names they sign with."""

    identifier: str
    keys: Mapping[str, PublicKey | Jwk]


@dataclass(frozen=True)
class Known:
    """The trusted issuers of this moment. `key_of` is what credentials.verifying asks for; `names` by identifier."""

    keys: Mapping[str, PublicKey | Jwk]
    names: Mapping[str, str]

    def key_of(self, method: str) -> PublicKey | Jwk | None:
        found = self.keys.get(method)
        if found is not None or not method.startswith("did:key:"):
            return found
        # did:key is written with and without its key repeated after #.
        start, _mark, repeated = method.partition("#")
        return self.keys.get(start) if repeated in ("", start.removeprefix("did:key:")) else None


def known_issuers() -> Known:
    """Everybody in force, in one query."""
    keys: dict[str, PublicKey | Jwk] = {}
    names: dict[str, str] = {}
    for row in TrustedIssuer.objects.in_force():
        own = row.key_by_method()
        if len(own) == 1:  # a token without the name of a key means the only one
            keys[row.identifier] = next(iter(own.values()))
        keys |= own
        names[row.identifier] = row.name
    return Known(keys, names)


def key_finder() -> tuple[Callable[[str], PublicKey | Jwk | None], Known]:
    """`key_of` for everything this installation knows: its own keys first, then those it trusts. Two queries."""
    ours, known = issuer.key_finder(), known_issuers()
    return (lambda method: ours(method) or known.key_of(method)), known


# --- Reading what was pasted --------------------------------------------------------------------------------------
def read_pasted(text: str) -> Pasted:
    """A did:key, or a document with an `id` and its keys. Raises NotTrusted with what is wrong with it."""
    text = text.strip()
    if len(text) > MOST_CHARACTERS:
        raise NotTrusted(_("That is too long for the document of an issuer."))
    if text.startswith("did:key:"):
        return _did_key(text)
    if text.startswith("did:web:") or _HTTPS.fullmatch(text):
        raise NotTrusted(
            _(
                "Nothing is fetched from other addresses. Open the issuer’s document yourself (for did:web it is called "
                "did.json) and paste what it says."
            )
        )
    try:
        document = read_object(text.encode())
    except (Unreadable, UnicodeEncodeError):
        raise NotTrusted(_("This is neither a did:key nor a document in JSON.")) from None
    return _document(document)


def _did_key(text: str) -> Pasted:
    try:
        key = key_in_did_key(text)
    except MalformedKey:
        raise NotTrusted(_("This did:key cannot be read. Copy it whole.")) from None
    identifier = text.partition("#")[0]
    return Pasted(identifier, {identifier: key})


def _document(document: Mapping[str, Any]) -> Pasted:
    identifier = document.get("id")
    if not isinstance(identifier, str) or len(identifier) > LONGEST_IDENTIFIER or not _is_identifier(identifier):
        raise NotTrusted(_("The document has no “id” that is a did:web, a did:key or an https address."))
    methods = _listed(document.get("verificationMethod"))
    embedded = [part for part in _listed(document.get("assertionMethod")) if isinstance(part, dict)]
    # Where the document says which keys sign credentials, the others do not.
    allowed = {part for part in _listed(document.get("assertionMethod")) if isinstance(part, str)}
    allowed = {_full(identifier, name) for name in allowed}
    keys: dict[str, PublicKey | Jwk] = {}
    for method in [*methods, *embedded]:
        name = _full(identifier, method.get("id")) if isinstance(method, dict) else ""
        if not name or ("assertionMethod" in document and method not in embedded and name not in allowed):
            continue
        key = _key(method)
        if key is not None and len(keys) < MOST_KEYS:
            keys[name] = key
    if not keys:
        raise NotTrusted(
            _("The document has no public key for signing credentials that can be read here: Ed25519, P-256 or RSA.")
        )
    return Pasted(identifier, keys)


def _is_identifier(text: str) -> bool:
    if text.startswith("did:web:"):
        try:
            did_web_address(text)
        except MalformedKey:
            return False
        return True
    return bool(re.fullmatch(r"did:key:z[1-9A-HJ-NP-Za-km-z]+", text) or _HTTPS.fullmatch(text))


def _full(identifier: str, name: Any) -> str:
    """The whole name of a method; empty for one that belongs to somebody else."""
    if not isinstance(name, str) or len(name) > LONGEST_IDENTIFIER:
        return ""
    full = identifier + name if name.startswith("#") else name
    return full if full.startswith(f"{identifier}#") and len(full) > len(identifier) + 1 else ""


def _key(method: Mapping[str, Any]) -> PublicKey | Jwk | None:
    """The key of a method, None where it is of no kind we read. Raises NotTrusted for a private one."""
    jwk = method.get("publicKeyJwk")
    if any(name in part for part in (method, jwk) if isinstance(part, dict) for name in _PRIVATE):
        raise NotTrusted(
            _("There is a private key in it. Never hand that on: tell the issuer, and ask for the public document.")
        )
    multibase = method.get("publicKeyMultibase")
    if isinstance(multibase, str):
        try:
            return public_key(multibase)
        except MalformedKey:
            return None
    if not isinstance(jwk, dict) or not jwt.same_key(jwk, jwk):
        return None
    needed = {name: jwk[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in jwk}
    if needed.get("crv") == "Ed25519":
        raw = jwt.urlsafe_b64decode(needed["x"].encode())
        return PublicKey(Kind.ED25519, raw)
    return needed


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


# --- Adding and ending --------------------------------------------------------------------------------------------
@transaction.atomic
def trust_issuer(*, name: str, pasted: str, by: User, at: datetime | None = None) -> TrustedIssuer:
    """From now on badges signed with these keys are taken as this issuer's. Raises NotTrusted, PermissionDenied."""
    _administrators_only(by)
    read = read_pasted(pasted)
    ours = issuer.key_finder()
    if read.identifier == issuer.issuer_did() or any(ours(method) for method in read.keys):
        raise NotTrusted(_("This is the platform itself. Its own keys are known."))
    try:
        with transaction.atomic():
            row = TrustedIssuer.objects.create(
                name=" ".join(name.split()),
                identifier=read.identifier,
                keys={method: described(key) for method, key in read.keys.items()},
                added_by=by,
                added_at=at or timezone.now(),
            )
    except IntegrityError:
        raise NotTrusted(_("This issuer is listed already. End that entry first.")) from None
    log(instance=row, action="certificates.trust", user=by)
    return row


@transaction.atomic
def end_trust(*, trusted: TrustedIssuer, by: User, at: datetime | None = None) -> TrustedIssuer:
    """From now on nobody vouches for its keys here. Twice is once. Raises PermissionDenied."""
    _administrators_only(by)
    row = TrustedIssuer.objects.select_for_update().get(pk=trusted.pk)
    if row.ended_at is None:
        row.ended_at, row.ended_by = at or timezone.now(), by
        row.save(update_fields=["ended_at", "ended_by"])
        log(instance=row, action="certificates.end_trust", user=by)
    return row


def _administrators_only(by: User) -> None:
    if not by.is_superuser:
        raise PermissionDenied
