"""Tokens: the same credential, signed as text, and what is refused."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from certificates.credentials import jwt
from certificates.credentials.jwt import BadToken, BadTokenSignature
from certificates.credentials.keys import FileKeyStore, Kind
from tests.certificates.credentials.builders import (
    BADGES,
    FOREIGN,
    HERE,
    NOW,
    OURS,
    build_credential,
    build_token,
    encoded,
    forged,
    header,
)


def test_a_token_carries_the_credential_and_verifies():
    token = jwt.read_jwt(build_token().encode())
    jwt.check(token, OURS.key)
    credential = build_credential()
    assert jwt.credential_of(token) == credential
    assert {name: token.payload[name] for name in ("iss", "jti", "sub")} == {
        "iss": credential["issuer"]["id"],
        "jti": credential["id"],
        "sub": credential["credentialSubject"]["id"],
    }
    assert jwt.moment(credential["validFrom"]).timestamp() == token.payload["nbf"]
    assert jwt.moment(credential["validUntil"]).timestamp() == token.payload["exp"]
    assert token.header == {"alg": "EdDSA", "typ": "JWT", "kid": OURS.method(), "jwk": OURS.key.jwk}


def test_the_same_credential_gives_the_same_token():
    assert build_token() == build_token()


def test_another_key_does_not_verify():
    with pytest.raises(BadTokenSignature):
        jwt.check(jwt.read_jwt(build_token().encode()), FOREIGN.key)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_no_letter_of_a_token_can_be_changed(data):
    token = build_token()
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABCwxyz0129-_").filter(lambda letter: letter != token[place]))
    with pytest.raises(BadToken):
        jwt.check(jwt.read_jwt((token[:place] + letter + token[place + 1 :]).encode()), OURS.key)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "HS256", "RS512", "EdDSA ", "", None, 5, ["EdDSA"], {}])
def test_no_other_algorithm_is_even_looked_at(algorithm):
    with pytest.raises(BadToken) as caught:
        jwt.read_jwt(forged(header=header(alg=algorithm)))
    assert caught.value.code == "algorithm_refused"


def test_a_token_without_signature_is_none():
    first, second, _third = build_token().split(".")
    for text in (f"{first}.{second}.", f"{encoded(header(alg='none'))}.{second}.", f"{first}.{second}"):
        with pytest.raises(BadToken):
            jwt.read_jwt(text.encode())


def test_a_public_key_is_no_secret_to_sign_with():
    """HS256 over the public key, which fools verifiers that let the token choose."""
    second = build_token().split(".")[1]
    message = f"{encoded(header(alg='HS256'))}.{second}"
    mac = hmac.HMAC(OURS.key.raw, hashes.SHA256())
    mac.update(message.encode())
    with pytest.raises(BadToken):
        jwt.check(jwt.read_jwt(f"{message}.{encoded(mac.finalize())}".encode()), OURS.key)


def test_an_algorithm_that_is_not_the_keys_is_refused():
    with pytest.raises(BadToken) as caught:
        jwt.check(jwt.read_jwt(forged(header=header(alg="ES256"))), OURS.key)
    assert caught.value.code == "algorithm_refused"


@pytest.mark.parametrize(
    "others",
    [
        {"crit": ["exp"]},
        {"b64": False, "crit": ["b64"]},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"zip": "DEF"},
        {"typ": "at+jwt"},
        {"typ": ["JWT"]},
        {"kid": 7},
        {"jwk": "key"},
        {"jwk": {**OURS.key.jwk, "d": "c2VjcmV0"}},
    ],
)
def test_a_header_that_asks_for_more_is_refused(others):
    with pytest.raises(BadToken) as caught:
        jwt.read_jwt(forged(header=header(**others)))
    assert caught.value.code == "header_refused"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "did:web:evil.example"},
        {"jti": "https://talent.gov.example/verify/OTHER/"},
        {"sub": "did:example:other"},
        {"nbf": 0},
        {"exp": 4_102_444_800},
        {"exp": "tomorrow"},
        {"nbf": True},
        {"nbf": None},
        {"exp": 1e300},
        {"vc": "x"},
    ],
)
def test_claims_that_contradict_the_credential_are_refused(claims):
    with pytest.raises(BadToken) as caught:
        jwt.credential_of(jwt.read_jwt(forged(**claims)))
    assert caught.value.code in ("claims_disagree", "number_too_large")


def test_a_token_is_written_in_one_way():
    token = build_token()
    first, second, third = token.split(".")
    # The last letter of a signature of 64 bytes has four bits that stand for nothing.
    loose = third[:-1] + {"A": "B", "Q": "R", "g": "h", "w": "x"}[third[-1]]
    for text in (
        f"{first}.{second}.{loose}",
        token + "=",
        f"{first}.{second}.{third}.",
        f"{first}\n.{second}.{third}",
        f"{first}..{third}",
    ):
        with pytest.raises(BadToken):
            jwt.read_jwt(text.encode())


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b'{"iss":"a","iss":"b"}', "name_twice"),
        (b'{"nbf":NaN}', "not_json"),
        (b'{"nbf":1' + b"0" * 400 + b"}", "number_too_large"),
        (b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}", "too_deep"),
        (b"[]", "not_an_object"),
        (b"\xff", "not_json"),
    ],
)
def test_a_payload_that_two_readers_could_read_differently_is_refused(payload, code):
    with pytest.raises(BadToken) as caught:
        jwt.read_jwt(forged(payload=payload))
    assert caught.value.code == code


def test_a_token_that_is_too_large_is_not_decoded():
    with pytest.raises(BadToken) as caught:
        jwt.read_jwt(b"A" * jwt.MAX_TOKEN + b".A.A")
    assert caught.value.code == "too_large"
    with pytest.raises(BadToken) as caught:
        jwt.read_jwt(encoded(header(kid="x" * 5_000)).encode() + b".e30.AAAA")
    assert caught.value.code == "too_large"


def test_a_p256_key_signs_tokens_too(tmp_path):
    store = FileKeyStore(tmp_path / "keys")
    made = store.create(Kind.P256, on=NOW.date())
    text = jwt.sign_jwt(
        build_credential(), sign=lambda message: store.sign(made.key_id, message), method="did:web:x#k", key=made.key
    )
    token = jwt.read_jwt(text.encode())
    assert token.header["alg"] == "ES256"
    jwt.check(token, made.key)
    with pytest.raises(BadToken):
        jwt.check(token, OURS.key)


@HERE
def test_the_example_of_the_standard_is_read():
    """RS256 in the older form, its key not at hand."""
    token = jwt.read_jwt((BADGES / "examples" / "simple.jwt").read_bytes())
    assert token.header == {"alg": "RS256", "typ": "JWT"}
    assert jwt.credential_of(token)["issuer"]["name"] == "Example University"
    with pytest.raises(BadToken):
        jwt.check(token, OURS.key)


def rsa_token(private, payload) -> tuple[bytes, dict]:
    numbers = private.public_key().public_numbers()
    jwk = {
        "kty": "RSA",
        "n": encoded(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")),
        "e": encoded(numbers.e.to_bytes(3, "big")),
    }
    message = f"{encoded({'alg': 'RS256', 'typ': 'JWT'})}.{encoded(payload)}"
    signature = private.sign(message.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{message}.{encoded(signature)}".encode(), jwk


@pytest.fixture(scope="module")
def rsa_key():
    return rsa.generate_private_key(65_537, 2_048)


def test_others_sign_with_rsa(rsa_key):
    text, jwk = rsa_token(rsa_key, {"vc": {"issuer": "did:web:x"}, "iss": "did:web:x"})
    jwt.check(jwt.read_jwt(text), jwk)
    with pytest.raises(BadTokenSignature):
        jwt.check(jwt.read_jwt(text[:-8] + b"AAAAAAAA"), jwk)


def test_a_short_rsa_key_is_refused():
    weak = rsa.generate_private_key(65_537, 1_024)  # noqa: S505 - that is the point
    text, jwk = rsa_token(weak, {})
    with pytest.raises(BadToken) as caught:
        jwt.check(jwt.read_jwt(text), jwk)
    assert caught.value.code == "key_refused"


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"kty": "oct", "k": "AAAA"},
        {"kty": ["OKP"]},
        {"kty": "OKP", "crv": "X25519", "x": "A" * 43},
        {"kty": "OKP", "crv": "Ed25519", "x": "?"},
        {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
        {"kty": "RSA", "n": "A" * 9_000, "e": "AQAB"},
        {"kty": "OKP", "crv": "Ed25519", "x": 5},
    ],
)
def test_a_key_that_cannot_be_read_is_refused(jwk):
    with pytest.raises(BadToken):
        jwt.check(jwt.read_jwt(build_token().encode()), jwk)


def test_what_the_older_form_leaves_to_the_claims_is_put_back():
    payload = {
        "vc": {"type": ["VerifiableCredential"], "credentialSubject": {"type": "AchievementSubject"}},
        "iss": "did:web:x",
        "jti": "urn:uuid:1",
        "sub": "did:example:1",
        "nbf": 1_262_304_000,
        "exp": 1_300_000_000,
    }
    credential = jwt.credential_of(jwt.read_jwt(forged(payload=payload)))
    assert credential["issuer"] == "did:web:x"
    assert credential["id"] == "urn:uuid:1"
    assert credential["credentialSubject"]["id"] == "did:example:1"
    assert (credential["issuanceDate"], credential["expirationDate"]) == (
        "2010-01-01T00:00:00Z",
        "2011-03-13T07:06:40Z",
    )


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-04",
        "2026-03-04T00:00:00",
        "2026-02-30T00:00:00Z",
        "2026-03-04T00:00:00+99:00",
        "x",
        "",
        None,
        5,
        "2026-03-04T00:00:00Zx",
        "٢٠٢٦-03-04T00:00:00Z",
    ],
)
def test_a_moment_has_an_offset(text):
    with pytest.raises(ValueError, match=r".*"):
        jwt.moment(text)
