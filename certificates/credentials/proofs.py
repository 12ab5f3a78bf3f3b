"""Data Integrity proofs: eddsa-rdfc-2022, step by step as the Recommendation has it.

What is signed is the hash of the canonical proof options followed by the hash of the canonical document. Two older
names for the same steps are read and never written: Ed25519Signature2020 and eddsa-2022.
Source: W3C Data Integrity EdDSA Cryptosuites 1.0, section 3.2; its vectors are tests/certificates/credentials/test_proofs.py.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import base58

from certificates.credentials.canonical import canonical_form
from certificates.credentials.keys import Kind, PublicKey

SUITE = "eddsa-rdfc-2022"
# (proof type, cryptosuite) that are made by the same steps.
KNOWN = {("DataIntegrityProof", SUITE), ("DataIntegrityProof", "eddsa-2022"), ("Ed25519Signature2020", None)}
MAX_PROOFS = 4
_SIGNATURE = re.compile(r"z[1-9A-HJ-NP-Za-km-z]{64,89}")


class MalformedProof(ValueError):
    """The proof lacks a part, or a part is not of its form."""


class UnknownSuite(MalformedProof):
    """The proof is of a kind we do not check."""


class BadSignature(ValueError):
    """The signature is not this key's on this document."""


@dataclass(frozen=True)
class Hashed:
    """The steps between a document and what is signed, each as the Recommendation's vectors show it."""

    document: str
    options: str

    @property
    def document_hash(self) -> bytes:
        return hashlib.sha256(self.document.encode()).digest()

    @property
    def options_hash(self) -> bytes:
        return hashlib.sha256(self.options.encode()).digest()

    @property
    def combined(self) -> bytes:
        return self.options_hash + self.document_hash


def hashed(document: Mapping[str, Any], options: Mapping[str, Any], *, canonical: str | None = None) -> Hashed:
    """Canonical forms of an unsigned document and of its proof options (without proofValue).

    `canonical` is that of the document, where it is known from another proof. Raises contexts.UnknownContext and canonical.NotCanonical.
    """
    context = options.get("@context", document.get("@context"))
    return Hashed(
        canonical_form(document) if canonical is None else canonical, canonical_form({"@context": context, **options})
    )


def add_proof(
    document: Mapping[str, Any],
    *,
    sign: Callable[[bytes], bytes],
    method: str,
    created: datetime,
    form: Callable[[Mapping[str, Any]], str] = canonical_form,
) -> dict[str, Any]:
    """The document with one proof more; `proof` is a list, as the schema of Open Badges wants it.

    `sign` gives the 64 bytes of Ed25519 on a message, `method` names the key, `created` is aware and cut to seconds.
    The same input gives the same bytes. `form` gives what canonical_form gives, where many are signed (moulds.Moulds).
    """
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": SUITE,
        "created": created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
    }
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    context = json.dumps(document.get("@context"))
    signature = sign(Hashed(form(unsigned), _canonical_options(context, *options.items())).combined)
    proof = {**options, "proofValue": "z" + base58.b58encode(signature).decode()}
    return {**unsigned, "proof": [*proofs_of(document), proof]}


@lru_cache(maxsize=16)
def _canonical_options(context: str, *options: tuple[str, str]) -> str:
    """What is signed in one go has the same options: a third of the work is done once."""
    return canonical_form({"@context": json.loads(context), **dict(options)})


def proofs_of(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The proofs of a document, none to MAX_PROOFS. Raises MalformedProof."""
    proofs = document.get("proof", [])
    if isinstance(proofs, dict):
        proofs = [proofs]
    if not isinstance(proofs, list) or not all(isinstance(proof, dict) for proof in proofs):
        raise MalformedProof("proof is an object or a list of objects")
    if len(proofs) > MAX_PROOFS:
        raise MalformedProof("too many proofs")
    return proofs


def check_proof(
    document: Mapping[str, Any], proof: Mapping[str, Any], key: PublicKey, *, canonical: str | None = None
) -> Hashed:
    """What was signed, if this key signed it. `canonical` is what an earlier proof of this document gave.

    Raises BadSignature, MalformedProof, UnknownSuite, contexts.UnknownContext or canonical.NotCanonical."""
    signature = signature_of(proof)
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    if "@context" in options:
        # A proof that brings its contexts along was made on the document with these, which must be the first it has.
        own, outer = _listed(options["@context"]), _listed(document.get("@context"))
        if outer[: len(own)] != own:
            raise MalformedProof("the contexts of the proof are not those of the document")
        unsigned["@context"], canonical = options["@context"], None
    signed = hashed(unsigned, options, canonical=canonical)
    if not key.verifies(signature, signed.combined):
        raise BadSignature("the signature is not this key's on this document")
    return signed


def signature_of(proof: Mapping[str, Any]) -> bytes:
    """The signature in a proof whose parts are of their form: 64 bytes. Raises MalformedProof or UnknownSuite."""
    suite = proof.get("type"), proof.get("cryptosuite")
    if not all(isinstance(part, (str, type(None))) for part in suite) or suite not in KNOWN:
        raise UnknownSuite("proofs of this kind are not checked here")
    if proof.get("proofPurpose") != "assertionMethod":
        raise MalformedProof("the proof was made for another purpose")
    if not isinstance(proof.get("verificationMethod"), str):
        raise MalformedProof("the proof names no key")
    value = proof.get("proofValue")
    if not isinstance(value, str) or not _SIGNATURE.fullmatch(value):
        raise MalformedProof("the signature is not written as one")
    signature = base58.b58decode(value[1:])
    if len(signature) != 64:
        raise MalformedProof("the signature has not 64 bytes")
    return signature


def signing(store_sign: Callable[[str, bytes], bytes], key_id: str, key: PublicKey) -> Callable[[bytes], bytes]:
    """`sign` for add_proof from a KeyStore. Raises MalformedProof for a key of another kind."""
    if key.kind is not Kind.ED25519:
        raise MalformedProof("this suite signs with Ed25519")
    return lambda message: store_sign(key_id, message)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
