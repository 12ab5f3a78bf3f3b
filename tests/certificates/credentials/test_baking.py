"""Pictures: what is baked in comes out, what was there stays, hostile ones are refused."""

from __future__ import annotations

import io
import struct
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from certificates.credentials import baking
from certificates.credentials.baking import BadImage
from tests.certificates.credentials.builders import BADGES, HERE


def png(mode: str = "RGBA", size: tuple[int, int] = (8, 8), **options) -> bytes:
    content = io.BytesIO()
    Image.new(mode, size, color=1).save(content, "PNG", **options)
    return content.getvalue()


SVG = (
    b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink" '
    b'viewBox="0 0 8 8"><!-- kept --><defs><g id="a"/></defs><use x:href="#a"/></svg>'
)
NAMESPACE = b'xmlns="https://purl.imsglobal.org/ob/v3p0"'
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=200)
xml_texts = texts.filter(lambda text: not any(ord(letter) in (0xFFFE, 0xFFFF) for letter in text))


@settings(max_examples=60, deadline=None)
@given(texts)
def test_what_goes_into_a_png_comes_out(text):
    assert baking.unbake_png(baking.bake_png(png(), text)) == text


@settings(max_examples=60, deadline=None)
@given(xml_texts)
def test_what_goes_into_an_svg_comes_out(text):
    import json

    document = json.dumps({"name": text, "tricky": "]]> <b>&amp;"}, ensure_ascii=False)
    assert json.loads(baking.unbake_svg(baking.bake_svg(SVG, document))) == json.loads(document)


def test_other_readers_find_it_in_the_png_and_see_the_same_picture():
    image = png(dpi=(300, 300))
    baked = Image.open(io.BytesIO(baking.bake_png(image, '{"name": "é"}')))
    assert baked.text["openbadgecredential"] == '{"name": "é"}'
    assert baked.tobytes() == Image.open(io.BytesIO(image)).tobytes()
    assert baked.info["dpi"] == Image.open(io.BytesIO(image)).info["dpi"]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_every_kind_of_png_stays_as_it_was_around_it(mode):
    image = png(mode)
    baked = baking.bake_png(image, "a.b.c")
    chunk = struct.pack(">I", 5 + 24) + b"iTXt" + b"openbadgecredential\0\0\0\0\0a.b.c"
    chunk += struct.pack(">I", zlib.crc32(chunk[4:]))
    assert baked == image[:33] + chunk + image[33:]


def test_baking_again_takes_the_place_of_the_first():
    twice = baking.bake_png(baking.bake_png(png(), "a.b.c"), "d.e.f")
    assert baking.unbake_png(twice) == "d.e.f"
    twice = baking.bake_svg(baking.bake_svg(SVG, '{"a": 1}'), "d.e.f")
    assert baking.unbake_svg(twice) == "d.e.f"
    assert twice.count(b"openbadges:credential ") == 1


def test_an_svg_has_the_form_of_the_standard():
    signed = baking.bake_svg(SVG, "header.payload.signature").decode()
    assert '<openbadges:credential verify="header.payload.signature"/>' in signed
    assert 'xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0"' in signed.split(">", 2)[1]
    plain = baking.bake_svg(SVG, '{"a": "<"}').decode()
    assert '<openbadges:credential><![CDATA[{"a": "<"}]]></openbadges:credential>' in plain
    assert "<!-- kept -->" in plain
    assert plain.index("<openbadges:credential>") < plain.index("<defs>")


@HERE
def test_the_pictures_of_the_standards_own_validator_are_read():
    for name, take in (("simple-json.png", baking.unbake_png), ("simple-json.svg", baking.unbake_svg)):
        assert '"OpenBadgeCredential"' in take((BADGES / "baked" / name).read_bytes())


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


HEAD, END = png()[:33], chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (b"", "not_a_png"),
        (b"GIF89a", "not_a_png"),
        (png(), "no_credential"),
        (png()[:-3], "damaged"),
        (png().replace(b"IDAT", b"IDAX"), "damaged"),
        (png()[:8] + END, "damaged"),
        (HEAD + struct.pack(">I", 2**31) + b"iTXt", "damaged"),
        (HEAD + HEAD[8:] + END, "damaged"),
        (HEAD + chunk(b"tEXt", b"") * 30_000 + END, "damaged"),
        (png() + bytes(baking.MAX_IMAGE), "too_large"),
        (HEAD + chunk(b"iTXt", b"openbadgecredential\0\1\0\0\0" + zlib.compress(b"{}")) + END, "compressed"),
        (HEAD + chunk(b"iTXt", b"openbadgecredential\0") + END, "compressed"),
        (HEAD + chunk(b"iTXt", b"openbadgecredential\0\0\0en") + END, "no_credential"),
        (HEAD + chunk(b"iTXt", b"openbadgecredential\0\0\0\0\0\xff") + END, "no_credential"),
        (HEAD + chunk(b"iTXt", b"openbadgecredential\0\0\0\0\0a") * 2 + END, "two_credentials"),
        (HEAD + chunk(b"iTXt", b"openbadgecredential\0\0\0\0\0" + b"a" * 1_500_000) + END, "too_large"),
    ],
    ids=range(16),
)
def test_a_png_that_is_none_or_holds_none_is_refused(image, code):
    with pytest.raises(BadImage) as caught:
        baking.unbake_png(image)
    assert caught.value.code == code


def test_a_picture_of_a_billion_points_costs_nothing():
    """Its header claims 100,000 by 100,000; nobody unpacks it."""
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 6, 0, 0, 0)
    image = HEAD[:8] + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + END
    started = time.process_time()
    assert baking.unbake_png(baking.bake_png(image, "a.b.c")) == "a.b.c"
    assert time.process_time() - started < 0.1


LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
TWO = b"<c " + NAMESPACE + b"><credential>{}</credential><credential>{}</credential></c>"
LAUGHING = SVG.replace(b"<svg", f'<!DOCTYPE svg [<!ENTITY a0 "ha">{LAUGHS}]><svg'.encode()).replace(
    b'"0 0 8 8"', b'"&a11;"'
)


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (b"", "not_an_svg"),
        (b"<html><svg/></html>", "not_an_svg"),
        (b"<svg/>", "not_an_svg"),
        (SVG[:-6], "not_an_svg"),
        (SVG, "no_credential"),
        (b" " * 5_000_000, "too_large"),
        (SVG.replace(b"<svg", b'<!DOCTYPE svg [<!ENTITY a "x">]><svg'), "entities"),
        (SVG.replace(b"<svg", b'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg'), "entities"),
        (SVG.replace(b"<svg", b'<!DOCTYPE svg [<!ENTITY % a SYSTEM "http://evil.example/x"> %a;]><svg'), "entities"),
        (LAUGHING, "not_an_svg"),
        (SVG.replace(b"<defs>", TWO + b"<defs>"), "two_credentials"),
        (SVG.replace(b"<defs>", b"<credential " + NAMESPACE + b"> </credential><defs>"), "no_credential"),
    ],
    ids=range(12),
)
def test_an_svg_that_is_none_or_holds_none_is_refused(image, code):
    started = time.process_time()
    with pytest.raises(BadImage) as caught:
        baking.unbake_svg(image)
    assert caught.value.code == code
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "part",
    [
        "<script>alert(1)</script>",
        '<g onload="alert(1)"/>',
        '<a x:href="javascript:alert(1)"><g/></a>',
        '<a href=" java\nscript:alert(1)"><g/></a>',
        '<image href="https://tracker.example/x.png"/>',
        "<foreignObject><b/></foreignObject>",
        '<animate attributeName="href" to="javascript:alert(1)"/>',
        "<?xml-stylesheet href='https://evil.example/x.css'?>",
    ],
)
def test_a_picture_that_does_things_is_not_baked(part):
    with pytest.raises(BadImage) as caught:
        baking.bake_svg(SVG.replace(b"<defs>", part.encode() + b"<defs>"), "a.b.c")
    assert caught.value.code == "active_content"


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 120))
def test_any_bytes_are_a_picture_or_are_refused(content, cut):
    for image in (content, HEAD[:8] + content, png()[:cut] + content, SVG[:cut] + content):
        for take in (baking.unbake_png, baking.unbake_svg):
            with pytest.raises(BadImage):
                take(image)
