"""Keys of an issuer: how they are named in public, and where their private halves lie.

A public key is named by itself: did:key carries it, and in a did:web document its method is called after it. Private
halves are behind KeyStore, which only signs; FileKeyStore keeps them in files, an HSM or a KMS can take its place.
Source: W3C Controlled Identifiers 1.0 (Multikey), did:key, did:web; RFC 8032, FIPS 186-5; docs/algorithms/credentials.md.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from urllib.parse import quote, unquote

import base58
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from organisations import key_folder
from organisations.key_folder import LEAST_PASSPHRASE, KeyMissing, KeyTrouble, WrongPassphrase

# The longest key written as text that we read; a P-256 key takes 49 characters.
MAX_MULTIBASE = 120
_KEY_ID = re.compile(r"[a-z0-9][a-z0-9-]{2,63}")
_HOST = re.compile(
    r"(?=.{1,253}(?::|$))[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*(?::[0-9]{1,5})?"
)


class MalformedKey(KeyTrouble):
    """The text names no public key of a kind we know."""


class Kind(StrEnum):
    ED25519 = "Ed25519"  # credentials
    P256 = "P-256"  # documents on paper: what readers of PDF know


_CODECS = {Kind.ED25519: b"\xed\x01", Kind.P256: b"\x80\x24"}
_LENGTHS = {Kind.ED25519: 32, Kind.P256: 33}


@dataclass(frozen=True)
class PublicKey:
    """`raw` is 32 bytes for Ed25519 and the 33 of the compressed point for P-256."""

    kind: Kind
    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != _LENGTHS[self.kind]:
            raise MalformedKey("the key has not the length of its kind")

    @property
    def multibase(self) -> str:
        """z6Mk… for Ed25519, zDn… for P-256."""
        return "z" + base58.b58encode(_CODECS[self.kind] + self.raw).decode()

    @property
    def jwk(self) -> dict[str, str]:
        """The key as RFC 7517 and RFC 8037 write it: public members only."""
        if self.kind is Kind.ED25519:
            return {"kty": "OKP", "crv": "Ed25519", "x": _base64url(self.raw)}
        numbers = self._point().public_numbers()
        return {
            "kty": "EC",
            "crv": "P-256",
            "x": _base64url(numbers.x.to_bytes(32, "big")),
            "y": _base64url(numbers.y.to_bytes(32, "big")),
        }

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether the signature (64 bytes; r and s for P-256 with SHA-256) is this key's on the message."""
        if len(signature) != 64:
            return False
        try:
            if self.kind is Kind.ED25519:
                ed25519.Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
            else:
                self._point().verify(as_der(signature), message, ec.ECDSA(hashes.SHA256()))
        except (InvalidSignature, ValueError):
            return False
        return True

    def _point(self) -> ec.EllipticCurvePublicKey:
        try:
            return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), self.raw)
        except ValueError as error:
            raise MalformedKey("the key is not a point of the curve") from error


def public_key(multibase: str) -> PublicKey:
    """Read a Multikey (`z` and base58btc of codec and key). Raises MalformedKey."""
    if not multibase.startswith("z") or len(multibase) > MAX_MULTIBASE or not multibase.isascii():
        raise MalformedKey("a public key begins with z and is short")
    try:
        content = base58.b58decode(multibase[1:])
    except ValueError as error:
        raise MalformedKey("the key is not base58") from error
    for kind, codec in _CODECS.items():
        if content.startswith(codec):
            found = PublicKey(kind, content[len(codec) :])
            if found.multibase != multibase:
                raise MalformedKey("the key is not written in its one way")
            if kind is Kind.P256:
                found._point()
            return found
    raise MalformedKey("keys of this kind are not known here")


def did_key(key: PublicKey) -> str:
    """did:key:z6Mk…, an identifier that is the key."""
    return f"did:key:{key.multibase}"


def did_key_method(key: PublicKey) -> str:
    """The name under which the key of a did:key signs."""
    return f"{did_key(key)}#{key.multibase}"


def key_in_did_key(method: str) -> PublicKey:
    """The key of `did:key:z…` or `did:key:z…#z…`. Raises MalformedKey, also where the two differ."""
    identifier, _, fragment = method.partition("#")
    multibase = identifier.removeprefix("did:key:")
    if multibase == identifier or (fragment and fragment != multibase) or method.endswith("#"):
        raise MalformedKey("not a did:key")
    return public_key(multibase)


def did_web(host: str, path: str = "") -> str:
    """did:web for `https://host/path`, where `path/did.json` is served (`/.well-known/did.json` without path).

    Raises MalformedKey for what is no host name with an optional port.
    """
    if not _HOST.fullmatch(host):
        raise MalformedKey("not a host name")
    parts = [quote(part, safe="-._~") for part in path.strip("/").split("/") if part]
    return ":".join(["did:web", host.replace(":", "%3A"), *parts])


def did_web_address(did: str) -> str:
    """Where the document of a did:web is to be served. Raises MalformedKey. Nothing here fetches it."""
    parts = did.split(":")
    if len(parts) < 3 or parts[:2] != ["did", "web"] or not all(parts[2:]):
        raise MalformedKey("not a did:web")
    host = unquote(parts[2])
    path = parts[3:] or [".well-known"]
    if not _HOST.fullmatch(host) or any(unquote(part) in (".", "..") or "/" in unquote(part) for part in path):
        raise MalformedKey("not a did:web")
    return f"https://{host}/{'/'.join(path)}/did.json"


@dataclass(frozen=True)
class PublishedKey:
    """A key of an issuer with its days. `retired_on` is the first day on which it signs nothing more.

    A retired key stays published: what it signed goes on verifying. `withdrawn` is for one that fell into other hands.
    """

    key_id: str
    key: PublicKey
    created_on: date
    retired_on: date | None = None
    withdrawn: bool = False

    def signs_on(self, day: date) -> bool:
        return not self.withdrawn and self.created_on <= day and (self.retired_on is None or day < self.retired_on)


def method_of(did: str, key: PublicKey) -> str:
    """The name under which a key of this issuer signs: the fragment is the key itself."""
    return f"{did}#{key.multibase}"


def signing_key(keys: Iterable[PublishedKey], *, kind: Kind, as_of: date) -> PublishedKey:
    """The youngest key of the kind that signs on this day. Raises KeyMissing."""
    able = [key for key in keys if key.key.kind is kind and key.signs_on(as_of)]
    if not able:
        raise KeyMissing(f"there is no {kind} key that signs on {as_of.isoformat()}")
    return max(able, key=lambda key: (key.created_on, key.key_id))


def did_document(did: str, keys: Iterable[PublishedKey]) -> dict[str, Any]:
    """The document to serve for a did:web: every Ed25519 key that was not withdrawn, retired ones too."""
    methods = [
        {
            "id": method_of(did, key.key),
            "type": "Multikey",
            "controller": did,
            "publicKeyMultibase": key.key.multibase,
        }
        for key in sorted(keys, key=lambda key: (key.created_on, key.key_id))
        if key.key.kind is Kind.ED25519 and not key.withdrawn
    ]
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }


def known_methods(did: str, keys: Iterable[PublishedKey]) -> dict[str, PublicKey]:
    """The keys of an issuer under the names they sign with, those not withdrawn: its `get` is `key_of` for verify."""
    return {method_of(did, key.key): key.key for key in keys if not key.withdrawn}


def as_der(signature: bytes) -> bytes:
    """A P-256 signature (r and s, 32 bytes each) in the form that certificates and PDF use. Raises ValueError."""
    if len(signature) != 64:
        raise ValueError("r and s have 32 bytes each")
    return encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))


class KeyStore(Protocol):
    """What signing needs, and all of it: private halves never leave the store."""

    def keys(self) -> tuple[PublishedKey, ...]:
        """Every key, oldest first."""
        ...

    def sign(self, key_id: str, message: bytes) -> bytes:
        """64 bytes: Ed25519 on the message, or ECDSA with SHA-256 as r and s. Raises KeyMissing or WrongPassphrase."""
        ...


PrivateKey: TypeAlias = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey
_MAKERS: dict[Kind, Callable[[], PrivateKey]] = {
    Kind.ED25519: ed25519.Ed25519PrivateKey.generate,
    Kind.P256: lambda: ec.generate_private_key(ec.SECP256R1()),
}


class FileKeyStore:
    """Keys as files of one folder, readable for the account of the server alone.

    One file a key: `<id>.json` holds what is public and its days, `<id>.pem` the private half as PKCS #8, encrypted
    where there is a passphrase. `forbidden` are folders that are served or backed up: keys must not lie in them.
    """

    def __init__(self, folder: Path, forbidden: Iterable[Path] = (), *, passphrase: str = "") -> None:
        if passphrase and len(passphrase) < LEAST_PASSPHRASE:
            raise KeyTrouble(f"a passphrase has at least {LEAST_PASSPHRASE} characters")
        self.folder = folder
        self._forbidden = tuple(forbidden)
        self._passphrase = passphrase.encode("utf-8", "surrogatepass") or None
        self._opened: dict[str, PrivateKey] = {}

    def create(self, kind: Kind, *, on: date, key_id: str = "") -> PublishedKey:
        """Make a pair. Raises KeyTrouble where there is a key of this name, KeyFolderRefused."""
        key_id = key_id or f"{kind.lower().replace('-', '')}-{on.isoformat()}-{secrets.token_hex(3)}"
        path = self._path(key_id, ".pem")
        private = _MAKERS[kind]()
        lock: KeySerializationEncryption = (
            BestAvailableEncryption(self._passphrase) if self._passphrase else NoEncryption()
        )
        published = PublishedKey(key_id, _public_half(private), created_on=on)
        self._prepare()
        # The private half first: a key that is listed can sign.
        self._write(path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock), replace=False)
        self._write(self._path(key_id, ".json"), _described(published), replace=True)
        return published

    def retire(self, key_id: str, *, on: date, withdrawn: bool = False) -> PublishedKey:
        """From this day the key signs nothing more. Twice is once; the first day stays. Raises KeyMissing."""
        key = self._key(key_id)
        retired_on = min(on, key.retired_on) if key.retired_on else on
        changed = PublishedKey(key_id, key.key, key.created_on, retired_on, key.withdrawn or withdrawn)
        self._prepare()
        self._write(self._path(key_id, ".json"), _described(changed), replace=True)
        return changed

    def keys(self) -> tuple[PublishedKey, ...]:
        if not self.folder.is_dir():
            return ()
        self._prepare()
        found = [self._key(path.stem) for path in self.folder.glob("*.json") if _KEY_ID.fullmatch(path.stem)]
        return tuple(sorted(found, key=lambda key: (key.created_on, key.key_id)))

    def sign(self, key_id: str, message: bytes) -> bytes:
        private = self._private(key_id)
        if isinstance(private, ed25519.Ed25519PrivateKey):
            return private.sign(message)
        r, s = decode_dss_signature(private.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def _private(self, key_id: str) -> PrivateKey:
        """Kept open once read: opening an encrypted key takes longer than a hundred signatures."""
        if key_id not in self._opened:
            content = key_folder.read(self._path(key_id, ".pem"))
            try:
                private = load_pem_private_key(content, self._passphrase)
            except TypeError:  # a passphrase for a key without one, or none for a key that has one
                try:
                    private = load_pem_private_key(content, None)
                except (TypeError, ValueError):
                    raise WrongPassphrase("this key is locked with a passphrase") from None
            except ValueError:
                raise WrongPassphrase("this passphrase does not open the key, or its file is damaged") from None
            if not isinstance(private, (ed25519.Ed25519PrivateKey, ec.EllipticCurvePrivateKey)):
                raise KeyMissing("the file holds no key of a kind we use")
            if _public_half(private) != self._key(key_id).key:
                raise KeyTrouble("the private half is not that of the published key")
            self._opened[key_id] = private
        return self._opened[key_id]

    def _key(self, key_id: str) -> PublishedKey:
        try:
            described = json.loads(key_folder.read(self._path(key_id, ".json")))
            retired_on = described["retired_on"]
            return PublishedKey(
                key_id,
                public_key(described["public"]),
                date.fromisoformat(described["created_on"]),
                date.fromisoformat(retired_on) if retired_on else None,
                described["withdrawn"] is True,
            )
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise KeyTrouble(f"the description of the key {key_id} is damaged") from error

    def _path(self, key_id: str, suffix: str) -> Path:
        if not _KEY_ID.fullmatch(key_id):
            raise KeyTrouble("a key's name has 3 to 64 small letters, digits and hyphens")
        return self.folder / f"{key_id}{suffix}"

    def _write(self, path: Path, content: bytes, *, replace: bool) -> None:
        """All of it or nothing, and on the disk before it counts."""
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            key_folder.write_new(draft, content)
            if replace:
                draft.replace(path)
            else:
                os.link(draft, path)  # unlike a rename, refuses to take the place of a key
        except FileExistsError:
            raise KeyTrouble("there is a key of this name already") from None
        finally:
            draft.unlink(missing_ok=True)
        key_folder.sync(self.folder)

    def _prepare(self) -> None:
        key_folder.prepare(self.folder, self._forbidden, closes=False)


def _public_half(private: PrivateKey) -> PublicKey:
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return PublicKey(Kind.ED25519, private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
    return PublicKey(Kind.P256, private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint))


def _described(key: PublishedKey) -> bytes:
    described = {
        "kind": key.key.kind,
        "public": key.key.multibase,
        "created_on": key.created_on.isoformat(),
        "retired_on": key.retired_on.isoformat() if key.retired_on else None,
        "withdrawn": key.withdrawn,
    }
    return json.dumps(described, indent=1).encode() + b"\n"


def _base64url(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
