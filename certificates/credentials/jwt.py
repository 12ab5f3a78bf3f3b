"""The same credential as a signed token (VC-JWT), for wallets that read those.

The payload is the credential itself with the registered claims beside it, as Open Badges 3.0, section 8.2 has it; the
older form, the credential inside a claim `vc`, is read and never written. The header carries the key and its name.
Source: Open Badges 3.0, 8.2; RFC 7515, 7519, 8037; W3C Securing Verifiable Credentials using JOSE and COSE.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSAlgModel, JWSRegistry
from joserfc.util import urlsafe_b64decode

from certificates.credentials.keys import Kind, PublicKey
from certificates.credentials.reading import MAX_BYTES, Unreadable, read_object

MAX_TOKEN = MAX_BYTES * 4 // 3 + 8_192
MAX_HEADER = 4_096
_TOKEN = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_ALGORITHM = {Kind.ED25519: "EdDSA", Kind.P256: "ES256"}
_HEADERS = {"alg", "typ", "cty", "kid", "jwk"}
_TYPES = {None, "JWT", "vc+jwt", "vc+ld+jwt"}
_PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
_CLAIMS = {"iss", "sub", "jti", "nbf", "exp", "iat", "aud"}


class BadToken(ValueError):
    """No token we accept; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class BadTokenSignature(BadToken):
    """The signature is not this key's on this token."""


Jwk = Mapping[str, Any]


@dataclass(frozen=True)
class Token:
    """A token that is well-formed. Nothing in it is to be believed before `check` has passed."""

    text: str
    header: dict[str, Any]
    payload: dict[str, Any]

    @property
    def kid(self) -> str:
        kid: str = self.header.get("kid", "")
        return kid

    @property
    def jwk(self) -> Jwk | None:
        return self.header.get("jwk")


def sign_jwt(credential: Mapping[str, Any], *, sign: Callable[[bytes], bytes], method: str, key: PublicKey) -> str:
    """A compact token for the credential, without its embedded proofs.

    `sign` gives the 64 bytes of EdDSA (or ES256 for a P-256 key) on a message; `method` names the key.
    The same input gives the same token, if `sign` gives the same bytes, as FileKeyStore does.
    """
    unsigned = {name: value for name, value in credential.items() if name != "proof"}
    claims: dict[str, Any] = {"iss": issuer_id(unsigned), "jti": unsigned["id"], "nbf": seconds(unsigned["validFrom"])}
    if "validUntil" in unsigned:
        claims["exp"] = seconds(unsigned["validUntil"])
    subject = unsigned["credentialSubject"]
    if isinstance(subject, dict) and "id" in subject:
        claims["sub"] = subject["id"]
    header = {"alg": _ALGORITHM[key.kind], "typ": "JWT", "kid": method, "jwk": key.jwk}
    message = f"{_encoded(header)}.{_encoded({**unsigned, **claims})}"
    return f"{message}.{_base64url(sign(message.encode()))}"


def read_jwt(data: bytes) -> Token:
    """Take a token apart, strictly. Raises BadToken."""
    data = data.strip()
    if len(data) > MAX_TOKEN:
        raise BadToken("too_large")
    if not _TOKEN.fullmatch(data):
        raise BadToken("not_a_token")
    first, second, third = data.split(b".")
    if len(first) > MAX_HEADER:
        raise BadToken("too_large")
    try:
        header, payload = read_object(urlsafe_b64decode(first)), read_object(urlsafe_b64decode(second))
        urlsafe_b64decode(third)
    except Unreadable as error:
        raise BadToken(error.code) from error
    except ValueError as error:  # a letter too few, or bits that stand for nothing
        raise BadToken("not_a_token") from error
    _check_header(header)
    return Token(data.decode("ascii"), header, payload)


def _check_header(header: dict[str, Any]) -> None:
    if not isinstance(header.get("alg"), str) or header["alg"] not in _REGISTRY.algorithms:
        raise BadToken("algorithm_refused")
    if header.get("typ") is not None and not isinstance(header["typ"], str):
        raise BadToken("header_refused")
    if set(header) - _HEADERS or header.get("typ") not in _TYPES:
        raise BadToken("header_refused")
    kid, jwk = header.get("kid", ""), header.get("jwk")
    if not isinstance(kid, str) or (jwk is not None and not isinstance(jwk, dict)):
        raise BadToken("header_refused")
    if jwk is not None and _PRIVATE & set(jwk):
        raise BadToken("header_refused")


def check(token: Token, key: PublicKey | Jwk) -> None:
    """Whether this key signed this token. Raises BadTokenSignature, or BadToken for a key that cannot be read or is of
    another algorithm."""
    imported = _imported(key)
    try:
        jws.deserialize_compact(token.text, imported, registry=_REGISTRY)
    except jws.BadSignatureError as error:
        raise BadTokenSignature("signature") from error
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadToken("algorithm_refused") from error


def same_key(one: PublicKey | Jwk, other: PublicKey | Jwk) -> bool:
    """Whether two descriptions are of one public key (RFC 7638). False also where one cannot be read."""
    try:
        return bool(_imported(one).thumbprint() == _imported(other).thumbprint())
    except BadToken:
        return False


def credential_of(token: Token) -> dict[str, Any]:
    """The credential in a token, whichever form it has. Raises BadToken where claims contradict it."""
    payload = token.payload
    wrapped = payload.get("vc")
    if wrapped is None:
        credential = {name: value for name, value in payload.items() if name not in _CLAIMS}
    elif isinstance(wrapped, dict):
        credential = _completed(wrapped, payload)
    else:
        raise BadToken("claims_disagree")
    _agree(credential, payload)
    return credential


def _completed(wrapped: dict[str, Any], claims: dict[str, Any]) -> dict[str, Any]:
    """What the older form may leave to the claims, put back."""
    credential = dict(wrapped)
    if "jti" in claims:
        credential.setdefault("id", claims["jti"])
    if "iss" in claims:
        credential.setdefault("issuer", claims["iss"])
    until = "validUntil" if "validFrom" in credential else "expirationDate"
    if "exp" in claims and until not in credential:
        credential[until] = _moment(claims["exp"])
    if "nbf" in claims and "validFrom" not in credential:
        credential.setdefault("issuanceDate", _moment(claims["nbf"]))
    subject = credential.get("credentialSubject")
    if "sub" in claims and isinstance(subject, dict):
        credential["credentialSubject"] = {"id": claims["sub"], **subject}
    return credential


def _agree(credential: dict[str, Any], claims: dict[str, Any]) -> None:
    subject = credential.get("credentialSubject")
    stated = {
        "iss": issuer_id(credential),
        "jti": credential.get("id"),
        "sub": subject.get("id") if isinstance(subject, dict) else None,
    }
    for claim, value in stated.items():
        if claim in claims and claims[claim] != value:
            raise BadToken("claims_disagree")
    for claim, names in (("nbf", ("validFrom", "issuanceDate")), ("exp", ("validUntil", "expirationDate"))):
        if claim not in claims:
            continue
        texts = [credential[name] for name in names if name in credential]
        try:
            if isinstance(claims[claim], bool) or not texts or int(claims[claim]) != seconds(texts[0]):
                raise BadToken("claims_disagree")
        except (ValueError, TypeError) as error:
            raise BadToken("claims_disagree") from error


def issuer_id(credential: Mapping[str, Any]) -> str:
    """The issuer's identifier, whether it stands alone or in a profile; empty where there is none."""
    issuer = credential.get("issuer")
    found = issuer.get("id") if isinstance(issuer, dict) else issuer
    return found if isinstance(found, str) else ""


def seconds(text: Any) -> int:
    """Seconds since 1970 of a date and time with its offset; fractions are cut. Raises ValueError."""
    return int(moment(text).timestamp())


def moment(text: Any) -> datetime:
    """An aware datetime from XML Schema's dateTimeStamp. Raises ValueError, also without an offset."""
    if not isinstance(text, str) or not _DATE_TIME.fullmatch(text):
        raise ValueError("not a date and time")
    try:
        return datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
    except OverflowError as error:
        raise ValueError("not a date and time") from error


_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _moment(stamp: Any) -> str:
    if isinstance(stamp, bool) or not isinstance(stamp, (int, float)):
        raise BadToken("claims_disagree")
    try:
        return datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError) as error:
        raise BadToken("claims_disagree") from error


class _Registry(JWSRegistry):
    """Four algorithms and no others. EdDSA is Ed25519 here and nothing else (RFC 9864 on why the old name is vague)."""

    algorithms: dict[str, JWSAlgModel] = {
        "EdDSA": JWSRegistry.algorithms["Ed25519"],
        **{name: JWSRegistry.algorithms[name] for name in ("Ed25519", "ES256", "RS256")},
    }
    max_header_length = MAX_HEADER
    max_payload_length = MAX_TOKEN


_REGISTRY = _Registry(algorithms=["EdDSA", "Ed25519", "ES256", "RS256"])
_KEYS: dict[str, type[OKPKey] | type[ECKey] | type[RSAKey]] = {"OKP": OKPKey, "EC": ECKey, "RSA": RSAKey}
_MEMBERS = {"OKP": ("kty", "crv", "x"), "EC": ("kty", "crv", "x", "y"), "RSA": ("kty", "n", "e")}


def _imported(key: PublicKey | Jwk) -> OKPKey | ECKey | RSAKey:
    jwk = key.jwk if isinstance(key, PublicKey) else key
    try:
        kind = jwk["kty"]
        members = {name: jwk[name] for name in _MEMBERS[kind]}
        if not all(isinstance(value, str) and len(value) <= 1_400 for value in members.values()):
            raise BadToken("key_refused")
        if kind == "RSA":
            modulus, exponent = (urlsafe_b64decode(members[name].encode()) for name in ("n", "e"))
            # Short keys are weak, long ones and large exponents are work for whoever checks.
            if not 2_048 <= int.from_bytes(modulus, "big").bit_length() <= 8_192 or len(exponent) > 4:
                raise BadToken("key_refused")
        found = _KEYS[kind].import_key(members)
        found.thumbprint()  # reads it
    except (KeyError, TypeError, ValueError, JoseError) as error:
        if isinstance(error, BadToken):
            raise
        raise BadToken("key_refused") from error
    return found


def _encoded(value: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _base64url(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
