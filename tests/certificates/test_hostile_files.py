"""Files of people who do not mean well: each gets a verdict or a refusal, never a page that breaks, never a fetch."""

from __future__ import annotations

import json
import struct
import zlib
from functools import cache

import pytest

from certificates import checking, papers_check
from certificates.credentials import baking, jwt, proofs, reading
from certificates.credentials.keys import method_of
from tests.certificates.builders import build_certificate, build_person
from tests.certificates.credentials.builders import (
    DID,
    FOREIGN,
    OURS,
    as_bytes,
    build_credential,
    build_token,
    encoded,
    forged,
    header,
    sign,
)
from tests.certificates.test_checking import SVG, credential_of, know_our_key, picture
from tests.certificates.test_file_doors import _no_other_host, ask, hand_in

__all__ = ["_no_other_host"]  # the fixture, for every test here

pytestmark = pytest.mark.django_db

REFUSED = {"changed", "invalid", "unreadable", "unknown", "unconfirmed"}


@cache
def good() -> bytes:
    return as_bytes(sign(build_credential(place=None)))


def chunk(kind: bytes, content: bytes, crc: int | None = None) -> bytes:
    mark = zlib.crc32(kind + content) if crc is None else crc
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", mark)


def png(*chunks: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IEND", b"")


def itxt(text: bytes, compressed: int = 0) -> bytes:
    return chunk(b"iTXt", baking.KEYWORD + b"\0" + bytes([compressed]) + b"\0\0\0" + text)


@cache
def bomb(size: int = 50_000_000) -> bytes:
    """Fifty kilobytes that unpack to fifty megabytes."""
    packer = zlib.compressobj(9)
    parts = [packer.compress(bytes(1_000_000)) for _ in range(size // 1_000_000)]
    return b"".join([*parts, packer.flush()])


def svg(inside: bytes = b"", before: bytes = b"") -> bytes:
    return (
        before
        + b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:ob="https://purl.imsglobal.org/ob/v3p0">'
        + inside
        + b"</svg>"
    )


def with_text(**changes) -> bytes:
    return as_bytes(json.loads(good()) | changes)


def other_header(**others) -> bytes:
    return forged(header(**others))


def unsigned_token() -> bytes:
    first = encoded({"alg": "none", "typ": "JWT", "kid": OURS.method()})
    return f"{first}.{build_token().split('.')[1]}.".encode()


ENTITIES = b'<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]>'
OUTSIDE = b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
FROM_AFAR = b'<!DOCTYPE svg SYSTEM "http://evil.example/x.dtd">'
LYING = (
    b"%PDF-1.7\nxref\n0 99999999\n0000000000 65535 f\ntrailer<</Size 99999999/Root 1 0 R/Prev 9>>\nstartxref\n9\n%%EOF"
)
ROUND = b"%PDF-1.7\n1 0 obj<</Pages 1 0 R/Parent 1 0 R>>endobj\ntrailer<</Root 1 0 R/Prev 0>>\nstartxref\n0\n%%EOF"
PACKED = b"%PDF-1.7\n1 0 obj<</Filter/FlateDecode/Length 400000>>stream\n"
IN_SVG = b"<ob:credential>%s</ob:credential>"

HOSTILE = {
    # JSON
    "nothing but a brace": lambda: b"{",
    "half of a badge": lambda: good()[: len(good()) // 2],
    "deep nesting": lambda: b'{"a":' + b"[" * 200_000,
    "deep nesting that closes": lambda: b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "deep objects": lambda: b'{"a":' * 100_000,
    "a huge number": lambda: b'{"a":' + b"9" * 500_000 + b"}",
    "a huge exponent": lambda: b'{"a":1e999999999}',
    "not a number": lambda: b'{"a":NaN}',
    "a name twice": lambda: good()[:-1] + b',"validUntil":"2099-01-01T00:00:00Z"}',
    "a name twice deep inside": lambda: good().replace(b'"identityType": "name"', b'"identityType": "x", "identityType": "name"'),
    "many values": lambda: as_bytes({"tags": list(range(200_000))}),
    "a long string": lambda: b'{"a":"' + b"x" * 5_000_000 + b'"}',
    "a string that never ends": lambda: b'{"a":"' + b"\\" * 900_001,
    "half of a surrogate": lambda: b'{"a":"\\ud800"}',
    "not UTF-8": lambda: b'{"a":"\xff\xfe"}',
    "UTF-16": lambda: good().decode().encode("utf-16"),
    "a list": lambda: b"[" + good() + b"]",
    "a context of one's own": lambda: with_text(**{"@context": [*json.loads(good())["@context"], {"x": "https://x.example/"}]}),
    "a context elsewhere": lambda: with_text(**{"@context": ["https://www.w3.org/ns/credentials/v2", "http://evil.example/c.json"]}),
    "a context on the disk": lambda: with_text(**{"@context": ["https://www.w3.org/ns/credentials/v2", "file:///etc/passwd"]}),
    "types that are numbers": lambda: with_text(type=[1, None, {}]),
    "an issuer that is a list": lambda: with_text(issuer=[[]]),
    "a subject that is a number": lambda: with_text(credentialSubject=7),
    "a subject of many": lambda: with_text(credentialSubject=[{}] * 500),
    "an id that is none": lambda: with_text(id={"a": []}),
    "a date that is none": lambda: with_text(validFrom="9999-99-99T99:99:99Z"),
    "a date beyond all calendars": lambda: with_text(validFrom="0001-01-01T00:00:00+23:59"),
    "a proof that is a number": lambda: with_text(proof=5),
    "a proof without a value": lambda: with_text(proof=[{"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022"}]),
    "a thousand proofs": lambda: with_text(proof=json.loads(good())["proof"] * 900),
    "nodes that all look alike": lambda: with_text(evidence=[{"type": ["Evidence"]} for _ in range(400)]),
    "re-signed by somebody else": lambda: as_bytes(sign(build_credential(place=None), FOREIGN)),
    "our key's name, another's signature": lambda: good().replace(OURS.method().encode(), method_of(DID, FOREIGN.key).encode()),
    # tokens
    "alg none": unsigned_token,
    "alg none with a signature": lambda: other_header(alg="none"),
    "alg None in capitals": lambda: other_header(alg="NONE"),
    "a shared secret": lambda: other_header(alg="HS256"),
    "a swapped key": lambda: other_header(jwk=FOREIGN.key.jwk),
    "a swapped key without a name": lambda: forged({"alg": "EdDSA", "jwk": FOREIGN.key.jwk}, signer=FOREIGN),
    "a key to fetch": lambda: other_header(jku="https://evil.example/keys.json"),
    "a certificate to fetch": lambda: other_header(x5u="https://evil.example/cert.pem"),
    "a critical header": lambda: other_header(crit=["b64"], b64=False),
    "a key that is enormous": lambda: other_header(jwk={"kty": "RSA", "n": "A" * 3000, "e": "AQAB"}),
    "an exponent that is enormous": lambda: forged({"alg": "RS256", "jwk": {"kty": "RSA", "n": "v" * 342, "e": "_" * 300}}),
    "three points": lambda: b"a.b.c",
    "a million points": lambda: b"." * 1_000_000,
    "a token that is a password": lambda: b"hunter2",
    "claims that contradict": lambda: forged(iss="did:web:evil.example"),
    "a token of numbers": lambda: forged(payload={"vc": 5, "exp": 10**40}),
    # pictures
    "a PNG cut off": lambda: picture()[:40],
    "a PNG with a bad sum": lambda: png(chunk(b"iTXt", b"x", crc=5)),
    "a PNG of nothing": lambda: b"\x89PNG\r\n\x1a\n",
    "a PNG whose chunk is endless": lambda: b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 2**31 - 1) + b"IHDR",
    "a PNG of many chunks": lambda: png(*[chunk(b"tEXt", b"")] * 30_000),
    "a PNG with two badges": lambda: png(itxt(good()), itxt(good())),
    "a PNG with a packed badge": lambda: png(itxt(bomb(), compressed=1)),
    "a PNG whose pixels explode": lambda: png(chunk(b"IDAT", bomb())),
    "a PNG whose text explodes": lambda: png(chunk(b"zTXt", b"openbadgecredential\0\0" + bomb())),
    "a PNG without a badge": picture,
    "an SVG with entities": lambda: svg(IN_SVG % b"&c;", ENTITIES),
    "an SVG that reads a file": lambda: svg(IN_SVG % b"&x;", OUTSIDE),
    "an SVG that reads from afar": lambda: svg(IN_SVG % good(), FROM_AFAR),
    "an SVG with a script and no badge": lambda: svg(b"<script>alert(1)</script>"),
    "an SVG with two badges": lambda: svg((IN_SVG % b"{}") * 2),
    "an SVG that never closes": lambda: b'<svg xmlns="http://www.w3.org/2000/svg">' * 50_000,
    "an SVG that is a page": lambda: b"<html><svg></svg></html>",
    "an SVG in another coding": lambda: b'<?xml version="1.0" encoding="utf-7"?>' + svg(),
    "an SVG that includes": lambda: svg(b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="http://evil.example/"/>'),
    # documents
    "a PDF of garbage": lambda: b"%PDF-1.7\n" + bytes(range(256)) * 50,
    "a PDF of nothing": lambda: b"%PDF-",
    "a PDF whose tables lie": lambda: LYING,
    "a PDF that goes round": lambda: ROUND,
    "a huge PDF": lambda: b"%PDF-1.7\n" + b"1 0 obj<<>>endobj\n" * 500_000,
    "a PDF of brackets": lambda: b"%PDF-1.7\n1 0 obj" + b"<<" * 100_000 + b"[" * 100_000,
    "a PDF whose stream explodes": lambda: PACKED + bomb() + b"\nendstream endobj",
    "a picture that says PDF": lambda: picture() + b"%PDF-1.7",
    # anything
    "a NUL": lambda: b"\0",
    "spaces": lambda: b" " * 100_000,
    "a zip": lambda: b"PK\x03\x04" + bytes(100),
    "a page": lambda: b"<html><body onload=alert(1)>",
    "random bytes": lambda: bytes((n * 7919 + n // 256) % 256 for n in range(50_000)),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gets_a_verdict_or_a_refusal(client, name):
    know_our_key()
    content = HOSTILE[name]()
    page, data = hand_in(client, content), ask(client, content)
    assert page.status_code == data.status_code
    assert data.status_code in (200, 422)
    found = data.json()
    assert found["verdict"] in REFUSED, found
    assert found["claim"] is None
    assert any(check["result"] != "passed" and len(check["sentence"]) > 20 for check in found["checks"])


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_status_list_breaks_nothing(name):
    listed = HOSTILE[name]()
    found = checking.check_file(good(), at=checking.timezone.now(), status_list=listed)
    assert "list_unreadable" in found.cautions or "list_not_used" in found.cautions


def test_a_document_of_ours_that_was_cut_or_written_into_is_not_ours(client):
    from tests.certificates.builders import read_document

    certificate = build_certificate(build_person("Ana Quispe"))
    content = read_document(certificate)
    for changed in (
        content[: len(content) // 2], content[:-20], content + b"\n1 0 obj<<>>endobj", content.replace(b"/Title", b"/Other", 1),
        content[:2000] + bytes([content[2000] ^ 1]) + content[2001:],
    ):  # fmt: skip
        found = ask(client, changed).json()
        assert found["verdict"] in REFUSED
        assert found["claim"] is None


@pytest.mark.parametrize("place", range(0, 2600, 97))
def test_every_bit_turned_in_a_badge_of_ours_is_noticed(client, place):
    know_our_key()
    content = bytearray(as_bytes(credential_of(build_certificate(build_person("Ana Quispe")))))
    if place >= len(content) or chr(content[place]).isspace():
        pytest.skip("nothing stands there")
    content[place] ^= 4
    found = ask(client, bytes(content)).json()
    # Of what only the format of a text covers (a key written otherwise), nothing is left that could be believed.
    assert found["verdict"] in REFUSED
    assert found["claim"] is None


# --- Bounds, in counts: a test of seconds would fail on a busy machine ----------------------------------------------
def test_nothing_is_canonicalised_that_is_beyond_the_bounds(client, monkeypatch):
    monkeypatch.setattr(proofs, "canonical_form", lambda *args, **kwargs: pytest.fail("it was worked on"))
    for name in ("many values", "deep nesting", "a long string", "a huge number", "a name twice"):
        assert ask(client, HOSTILE[name]()).status_code == 422
    assert reading.MAX_VALUES <= 4_000
    assert reading.MAX_BYTES <= 1_000_000
    assert jwt.MAX_TOKEN < 1_400_000


def test_no_pixel_and_no_packed_text_of_a_picture_is_unpacked(monkeypatch):
    monkeypatch.setattr(zlib, "decompress", lambda *args, **kwargs: pytest.fail("it was unpacked"))
    monkeypatch.setattr(zlib, "decompressobj", lambda *args, **kwargs: pytest.fail("it was unpacked"))
    for name in ("a PNG with a packed badge", "a PNG whose pixels explode", "a PNG whose text explodes"):
        assert checking.check_file(HOSTILE[name](), at=checking.timezone.now()).state == "unreadable"


def test_a_file_is_judged_once_however_many_proofs_it_has(monkeypatch):
    """The document is brought into its canonical form once, whatever the number of proofs over it."""
    know_our_key()
    asked = []
    real = proofs.canonical_form
    monkeypatch.setattr(proofs, "canonical_form", lambda *args, **kwargs: asked.append(1) or real(*args, **kwargs))
    checking.check_file(HOSTILE["a thousand proofs"](), at=checking.timezone.now())
    assert len(asked) <= 20


def test_the_good_ones_are_good(client):
    """Else all of the above would pass for the wrong reason."""
    know_our_key()
    certificate = build_certificate(build_person("Ana Quispe"))
    signed = credential_of(certificate)
    for content in (
        as_bytes(signed),
        baking.bake_png(picture(), json.dumps(signed)),
        baking.bake_svg(SVG, json.dumps(signed)),
    ):
        assert ask(client, content).json()["verdict"] == "valid"
    assert papers_check.is_pdf(b"%PDF-1.7")
