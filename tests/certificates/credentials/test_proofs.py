"""Every step of eddsa-rdfc-2022 equals the vectors of the Recommendation, byte for byte."""

from __future__ import annotations

import copy
import hashlib
import json
from datetime import UTC, datetime

import base58
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from certificates.credentials import contexts, proofs
from certificates.credentials.canonical import UndefinedTerm
from certificates.credentials.keys import Kind, PublicKey, public_key
from tests.certificates.credentials.builders import (
    FOREIGN,
    HERE,
    NOW,
    OURS,
    VECTORS,
    build_credential,
    sign,
    with_name,
)

EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"


def vector(name: str) -> str:
    return (VECTORS / "vectors" / name).read_text(encoding="utf-8")


@pytest.fixture
def examples(monkeypatch):
    """The vectors use a context that defines every word, which is for examples and not bundled."""
    path = VECTORS / "contexts" / "credentials-examples-v2.json"
    bundled = contexts.Bundled(path, hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setitem(contexts.BUNDLED, EXAMPLES, bundled)
    yield
    contexts.context_at.cache_clear()


@HERE
def test_each_step_equals_the_vectors(examples):
    steps = proofs.hashed(json.loads(vector("unsigned.json")), json.loads(vector("proofConfigDataInt.json")))
    assert steps.document == vector("canonDocDataInt.txt")
    assert steps.options == vector("proofCanonDataInt.txt")
    assert steps.document_hash.hex() == vector("docHashDataInt.txt")
    assert steps.options_hash.hex() == vector("proofHashDataInt.txt")
    assert steps.combined.hex() == vector("combinedHashDataInt.txt")


@HERE
def test_the_signed_document_equals_the_vector(examples):
    pair = json.loads(vector("keyPair.json"))
    seed = base58.b58decode(pair["privateKeyMultibase"][1:]).removeprefix(b"\x80\x26")
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key = PublicKey(Kind.ED25519, private.public_key().public_bytes_raw())
    assert key.multibase == pair["publicKeyMultibase"]
    signed = proofs.add_proof(
        json.loads(vector("unsigned.json")),
        sign=private.sign,
        method=f"did:key:{key.multibase}#{key.multibase}",
        created=datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC),
    )
    (proof,) = signed["proof"]
    assert proof["proofValue"] == vector("sigBTC58DataInt.txt")
    assert base58.b58decode(proof["proofValue"][1:]).hex() == vector("sigHexDataInt.txt")
    expected = json.loads(vector("signedDataInt.json"))
    assert {**signed, "proof": proof} == expected
    proofs.check_proof(expected, expected["proof"], key)


def test_what_is_signed_verifies_and_no_other_key_does():
    signed = sign(build_credential())
    proofs.check_proof(signed, signed["proof"][0], OURS.key)
    with pytest.raises(proofs.BadSignature):
        proofs.check_proof(signed, signed["proof"][0], FOREIGN.key)


def test_the_same_credential_gives_the_same_bytes():
    assert sign(build_credential()) == sign(build_credential())


def _leaves(value, path=()):
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _leaves(part, (*path, name))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _leaves(part, (*path, number))
    else:
        yield path


SIGNED = sign(build_credential())


@pytest.mark.parametrize("path", list(_leaves(SIGNED)), ids=lambda path: ".".join(map(str, path)))
def test_no_value_can_be_changed_or_left_out(path):
    for change in ("replace", "remove"):
        changed = copy.deepcopy(SIGNED)
        *parents, last = path
        place = changed
        for step in parents:
            place = place[step]
        if change == "remove":
            del place[last]
        else:
            place[last] = not place[last] if isinstance(place[last], bool) else f"{place[last]}1"
        with pytest.raises((proofs.BadSignature, proofs.MalformedProof, ValueError)):
            proofs.check_proof(changed, changed["proof"][0], OURS.key)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=60))
def test_every_name_is_signed_as_it_is(name):
    signed = sign(build_credential(with_name(name)))
    again = json.loads(json.dumps(signed))
    proofs.check_proof(again, again["proof"][0], OURS.key)
    again["credentialSubject"]["identifier"][0]["identityHash"] = name + "x"
    with pytest.raises(proofs.BadSignature):
        proofs.check_proof(again, again["proof"][0], OURS.key)


def test_a_second_proof_leaves_the_first_as_it_was():
    once = sign(build_credential())
    twice = proofs.add_proof(once, sign=FOREIGN.sign, method=FOREIGN.method("did:web:other.example"), created=NOW)
    assert twice["proof"][0] == once["proof"][0]
    for proof, signer in zip(twice["proof"], (OURS, FOREIGN), strict=True):
        proofs.check_proof(twice, proof, signer.key)


def test_a_term_that_no_context_defines_is_not_signed():
    with pytest.raises(UndefinedTerm) as caught:
        sign({**build_credential(), "favouriteColour": "green"})
    assert caught.value.term == "favouriteColour"


@pytest.mark.parametrize(
    ("part", "value", "error"),
    [
        ("cryptosuite", "ecdsa-rdfc-2019", proofs.UnknownSuite),
        ("cryptosuite", ["eddsa-rdfc-2022"], proofs.UnknownSuite),
        ("type", {"a": 1}, proofs.UnknownSuite),
        ("proofPurpose", "authentication", proofs.MalformedProof),
        ("verificationMethod", {"id": "x"}, proofs.MalformedProof),
        ("proofValue", "u" + "A" * 86, proofs.MalformedProof),
        ("proofValue", "z" + "1" * 63, proofs.MalformedProof),
        ("proofValue", "z" + "z" * 89, proofs.MalformedProof),
        ("proofValue", 7, proofs.MalformedProof),
    ],
)
def test_a_proof_that_is_not_of_its_form_is_refused(part, value, error):
    proof = {**SIGNED["proof"][0], part: value}
    with pytest.raises(error):
        proofs.check_proof(SIGNED, proof, OURS.key)


def test_a_proof_cannot_bring_other_contexts_than_the_document_has():
    proof = {**SIGNED["proof"][0], "@context": ["https://www.w3.org/2018/credentials/v1"]}
    with pytest.raises(proofs.MalformedProof):
        proofs.check_proof(SIGNED, proof, OURS.key)


def test_a_key_of_another_kind_does_not_sign_this_suite():
    with pytest.raises(proofs.MalformedProof):
        proofs.signing(
            lambda key_id, message: b"", "x", public_key("zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169")
        )
