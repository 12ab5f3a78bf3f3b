"""The badge's picture: the same for ever, to be seen in any colour, and with nothing in it but shapes."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from PIL import Image

from certificates.badge_picture import (
    KINDS,
    LEAST_CONTRAST,
    _contrast_with_white,
    badge_png,
    badge_svg,
    ground_of,
    of_claim,
    picture_caption,
    picture_url,
)
from certificates.credentials.baking import bake_png, bake_svg, unbake_png, unbake_svg
from certificates.record import Look
from tests.certificates.builders import claim


@pytest.mark.parametrize("kind", KINDS)
def test_the_picture_is_square_transparent_around_and_in_the_bodys_colour(kind):
    picture = Image.open(BytesIO(badge_png("#0B5A75", kind)))
    assert (picture.size, picture.mode) == ((600, 600), "RGBA")
    assert picture.getpixel((0, 0))[3] == 0
    assert picture.getpixel((300, 20)) == (0x0B, 0x5A, 0x75, 255)
    assert picture.getpixel((184, 412)) == (255, 255, 255, 255)  # the first bar


def test_the_same_colour_and_kind_give_the_same_bytes():
    for draw in (badge_png, badge_svg):
        first = draw("#0B5A75", "path")
        draw.cache_clear()
        assert draw("#0b5a75", "path") == first


def test_each_kind_has_a_mark_of_its_own():
    assert len({badge_png("#0B5A75", kind) for kind in KINDS}) == len(KINDS)
    assert len({badge_svg("#0B5A75", kind) for kind in KINDS}) == len(KINDS)


@given(st.integers(0, 0xFFFFFF))
@settings(max_examples=200, deadline=None)
def test_white_can_be_read_on_every_ground_and_a_dark_colour_stays_as_it_is(value):
    ground = ground_of(f"#{value:06x}")
    own = (value >> 16, value >> 8 & 255, value & 255)
    assert _contrast_with_white(ground) >= LEAST_CONTRAST
    if _contrast_with_white(own) >= LEAST_CONTRAST:
        assert ground == own


@pytest.mark.parametrize("colour", ["", "red", "#12345", "#1234567", "#12345g", "0B5A75\n", "\u0660" * 6, "#<svg/>"])
def test_what_is_no_colour_is_refused(colour):
    with pytest.raises(ValueError, match="colour"):
        badge_svg(colour, "course")
    with pytest.raises(ValueError, match="colour"):
        badge_png(colour, "course")


def test_what_is_no_kind_is_refused():
    for draw in (badge_svg, badge_png):
        with pytest.raises(ValueError, match="kind"):
            draw("#0B5A75", "gold")


def test_the_drawing_does_nothing_and_loads_nothing():
    root = etree.fromstring(badge_svg("#0B5A75", "role"))
    assert {etree.QName(element).localname for element in root.iter()} == {"svg", "circle", "g", "polygon", "rect"}
    assert not [name for element in root.iter() for name in element.attrib if name.startswith("on") or "href" in name]


@pytest.mark.parametrize("text", ['{"name":"José ]]> <b>"}', "eyJh.eyJi.c2ln"])
def test_a_credential_baked_into_it_comes_out_again(text):
    assert unbake_png(bake_png(badge_png("#0B5A75", "course"), text)) == text
    assert unbake_svg(bake_svg(badge_svg("#0B5A75", "course"), text)).replace("\\u003e", ">") == text


def test_the_credential_names_an_absolute_address_and_says_what_is_seen(settings):
    settings.SITE_URL = "https://talent.gov.example"
    made = claim(kind="level", look=Look(colour="#7A1F5C"))
    assert picture_url(made) == "https://talent.gov.example/badges/7a1f5c-level.png"
    assert picture_caption(made) == "Badge: a round seal with three steps and five bars"
    assert of_claim(claim(kind="unheard of", look=Look(colour="loud"))) == ("0b5a75", "course")


# --- Its address -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("ending", "media_type"), [("png", "image/png"), ("svg", "image/svg+xml")])
def test_anybody_fetches_it_and_may_keep_it_for_a_year(client, ending, media_type, db):
    response = client.get(f"/badges/0b5a75-course.{ending}")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == media_type
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    "address",
    [
        "0B5A75-course.png",
        "0b5a7-course.png",
        "0b5a75-gold.png",
        "0b5a75-course.gif",
        "0b5a75-course.png/x",
        "zzzzzz-path.svg",
    ],
)
def test_other_addresses_have_no_picture(client, address, db):
    assert client.get(f"/badges/{address}").status_code == 404
