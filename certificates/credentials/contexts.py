"""What the terms of a credential mean: JSON-LD contexts, bundled, digest by digest.

A context decides what a signature covers, so none is ever fetched: an address that is not in BUNDLED is refused by
name. The files come from packages (copied to build/vendor/contexts at set-up) and, where no package has what verifiers
carry, from certificates/credentials/data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).resolve().parents[2] / "build" / "vendor" / "contexts"
DATA = Path(__file__).resolve().parent / "data"

CREDENTIALS_V1 = "https://www.w3.org/2018/credentials/v1"
CREDENTIALS_V2 = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
OPEN_BADGES_ANY = "https://purl.imsglobal.org/spec/ob/v3p0/context"
CLR_ANY = "https://purl.imsglobal.org/spec/clr/v2p0/context"


class UnknownContext(ValueError):
    """A context at this address is not bundled, so what the document says cannot be known."""

    def __init__(self, address: str) -> None:
        super().__init__(f"the context {address!r} is not bundled")
        self.address = address


class DamagedContext(RuntimeError):
    """A bundled file is missing or is not the one whose digest is written here: set up again (`make setup`)."""


@dataclass(frozen=True)
class Bundled:
    """A file and the SHA-256 of its bytes."""

    path: Path
    sha256: str


BUNDLED: Mapping[str, Bundled] = {
    CREDENTIALS_V1: Bundled(
        VENDOR / "credentials-v1.json", "00d7dd6d3ad8b920e3e550dd3a3d9090bffcac84cdbf943da6924b3e0a5c8bb8"
    ),
    CREDENTIALS_V2: Bundled(
        VENDOR / "credentials-v2.json", "8a9f494a89ecc51db093e90e84713e07e84d6d9204364a9b3c7868b21751236f"
    ),
    "https://w3id.org/security/data-integrity/v1": Bundled(
        VENDOR / "data-integrity-v1.json", "b5d829bd09aa7c42abc6efa0c8ed7635313b5487f37ccfce3ecd149ca9418554"
    ),
    "https://w3id.org/security/data-integrity/v2": Bundled(
        VENDOR / "data-integrity-v2.json", "0f77743daf5b4e8fc067fc5ba5b21044283053aa717fc6b0219843bed3b00363"
    ),
    "https://w3id.org/security/multikey/v1": Bundled(
        VENDOR / "multikey-v1.json", "c5f3806f8286920573221938917988a18a4cc5a09e968d29649613c7a1c2b1f6"
    ),
    "https://w3id.org/security/suites/ed25519-2020/v1": Bundled(
        VENDOR / "ed25519-2020-v1.json", "b9e1ab971fd8bf2c7553e0c4a9438e0b9450afde1ea1ca5b2492368b9f549588"
    ),
    "https://www.w3.org/ns/credentials/status/v1": Bundled(
        VENDOR / "status-list-v1.json", "fd08cbf28ddd829ab2f1978c48f43ab07a112c1c90245a0cfac7ba721c65170c"
    ),
    "https://www.w3.org/ns/did/v1": Bundled(
        VENDOR / "did-v1.json", "62c1054bf404d6dd3a4b26b64f830fd72095f6a26edc4469908c94351352ce5f"
    ),
    "https://purl.imsglobal.org/spec/ob/v3p0/context.json": Bundled(
        VENDOR / "ob-3.0.json", "6a5fca54dcdce195533c27cb1b353b11edf8e43a6e6122469e35b5c1dd85c554"
    ),
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json": Bundled(
        VENDOR / "ob-3.0.1.json", "93a07bf71d8a33e80cb28364fe38377c3cc662fc48859ff6d45ab5a69b90ffef"
    ),
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json": Bundled(
        VENDOR / "ob-3.0.2.json", "aa108723ab0c925d0f12f95a449254a00440cc47850e3382a4164d90550c3230"
    ),
    OPEN_BADGES: Bundled(DATA / "ob-3.0.3.json", "3d34f4d4ef1bce691106e63798beb5e7b862ba841423f5ee1e53ab7ddf3bca84"),
    "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json": Bundled(
        VENDOR / "ob-extensions.json", "890cbecef766499afb79bd71a3997cf381c6a10188152e65e9b84a93ee13fbad"
    ),
    "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json": Bundled(
        DATA / "clr-2.0.1.json", "880f1902d4158f2f33ce06af41b90719977cd1ea337a9de2e41edb3ff5e543d6"
    ),
}


def read(bundled: Bundled) -> dict[str, Any]:
    """The document in a bundled file. Raises DamagedContext."""
    try:
        content = bundled.path.read_bytes()
    except OSError as error:
        raise DamagedContext(f"{bundled.path.name} is missing") from error
    if hashlib.sha256(content).hexdigest() != bundled.sha256:
        raise DamagedContext(f"{bundled.path.name} is not the file it was")
    document: dict[str, Any] = json.loads(content)
    return document


@cache
def context_at(address: str) -> dict[str, Any]:
    """The context with this address, read once in a process. Raises UnknownContext or DamagedContext."""
    try:
        bundled = BUNDLED[address]
    except KeyError:
        raise UnknownContext(address) from None
    return read(bundled)


def load(address: str, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What pyld calls a document loader. "static" lets it keep what it made of a context."""
    return {
        "contentType": "application/ld+json",
        "contextUrl": None,
        "documentUrl": address,
        "document": context_at(address),
        "tag": "static",
    }
