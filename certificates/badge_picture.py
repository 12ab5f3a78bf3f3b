"""The badge's picture: a seal in the body's colour with a mark for what was certified and, below it, the level bar.

No words and no names: those are in the credential. The shapes are written once, for SVG and for PNG, on a square of 600.
The same colour and kind give the same bytes.
"""

from __future__ import annotations

import re
from functools import lru_cache
from io import BytesIO
from typing import Any, Final

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from PIL import Image, ImageDraw

from certificates.enums import Kind
from certificates.record import Claim, Look

SIZE: Final = 600
KINDS: Final = tuple(kind.value for kind in Kind)
COLOUR: Final = re.compile(r"#?([0-9A-Fa-f]{6})\Z")
# White on the seal's ground is read from afar: WCAG's ratio for text.
LEAST_CONTRAST: Final = 4.5
_DRAWN_LARGER: Final = 4

Point = tuple[float, float]
# White on the seal: outlines of polygons, each a list of points.
_MIDDLE: Final = SIZE / 2
_MARKS: Final[dict[str, tuple[tuple[Point, ...], ...]]] = {
    # An open book.
    "course": (
        ((176, 176), (290, 206), (290, 350), (176, 320)),
        ((424, 176), (310, 206), (310, 350), (424, 320)),
    ),
    # A way through three places; they are circles.
    "path": (
        ((184, 322), (292, 250), (300, 262), (192, 334)),
        ((298, 250), (398, 184), (406, 196), (306, 262)),
    ),
    # Steps, each higher than the one before.
    "level": (
        ((176, 350), (176, 298), (242, 298), (242, 350)),
        ((267, 350), (267, 238), (333, 238), (333, 350)),
        ((358, 350), (358, 170), (424, 170), (424, 350)),
    ),
    # A person: shoulders; the head is a circle.
    "role": (((186, 350), (196, 312), (224, 288), (262, 276), (338, 276), (376, 288), (404, 312), (414, 350)),),
}
_CIRCLES: Final[dict[str, tuple[tuple[float, float, float], ...]]] = {
    "path": ((188, 328, 26), (300, 256, 26), (402, 190, 44)),
    "role": ((300, 204, 54),),
}
_SEAL, _RING, _RING_WIDTH = 292, 262, 8
_BARS: Final = tuple((164 + n * 58, 400, 40, 26) for n in range(5))


def colour_of(text: str) -> str:
    """Six small hexadecimal digits of a colour, with or without #. Raises ValueError for anything else."""
    found = COLOUR.match(text)
    if found is None:
        raise ValueError("not a colour")
    return found[1].lower()


@lru_cache(maxsize=256)
def ground_of(colour: str) -> tuple[int, int, int]:
    """The colour itself where white can be read on it, else a darker one of the same hue."""
    digits = colour_of(colour)
    red, green, blue = (int(digits[n : n + 2], 16) for n in (0, 2, 4))
    share = 100
    while (
        share and _contrast_with_white((red * share // 100, green * share // 100, blue * share // 100)) < LEAST_CONTRAST
    ):
        share -= 2
    return red * share // 100, green * share // 100, blue * share // 100


def _contrast_with_white(colour: tuple[int, int, int]) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [value / 255 for value in colour]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _checked(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError("not a kind of certificate")
    return kind


@lru_cache(maxsize=64)
def badge_svg(colour: str, kind: str) -> bytes:
    """The picture as SVG. Raises ValueError for what is no colour (#RRGGBB) or no kind (enums.Kind)."""
    ground = "#{:02x}{:02x}{:02x}".format(*ground_of(colour))
    marks = [f'<polygon points="{" ".join(f"{x:g},{y:g}" for x, y in mark)}"/>' for mark in _MARKS[_checked(kind)]]
    marks += [f'<circle cx="{x:g}" cy="{y:g}" r="{r:g}"/>' for x, y, r in _CIRCLES.get(kind, ())]
    marks += [f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}"/>' for x, y, w, h in _BARS]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" width="{SIZE}" height="{SIZE}">',
        f'<circle cx="{_MIDDLE:g}" cy="{_MIDDLE:g}" r="{_SEAL}" fill="{ground}"/>',
        f'<circle cx="{_MIDDLE:g}" cy="{_MIDDLE:g}" r="{_RING - _RING_WIDTH / 2:g}" fill="none" stroke="#ffffff" '
        f'stroke-width="{_RING_WIDTH}"/>',
        f'<g fill="#ffffff" stroke="#ffffff" stroke-width="8" stroke-linejoin="round">{"".join(marks)}</g>',
        "</svg>\n",
    ]
    return "\n".join(lines).encode()


@lru_cache(maxsize=64)
def badge_png(colour: str, kind: str) -> bytes:
    """The picture as PNG, transparent around the seal. Raises ValueError as `badge_svg` does.

    What is costly is drawn once a kind; a colour is only filled in.
    """
    ground = ground_of(colour)
    seal, white = _shapes(_checked(kind))
    parts = [white.point([value + (255 - value) * share // 255 for share in range(256)]) for value in ground]
    picture = Image.merge("RGBA", (*parts, seal))
    file = BytesIO()
    picture.save(file, "PNG", compress_level=9)
    return file.getvalue()


@lru_cache(maxsize=len(KINDS))
def _shapes(kind: str) -> tuple[Image.Image, Image.Image]:
    """How much of each pixel is seal, and how much is white on it: drawn large and made small, so that edges are soft."""
    times = _DRAWN_LARGER
    large = (SIZE * times, SIZE * times)
    seal, white = Image.new("L", large), Image.new("L", large)
    _disc(ImageDraw.Draw(seal), _SEAL, fill=255)
    draw = ImageDraw.Draw(white)
    _disc(draw, _RING, fill=255)
    _disc(draw, _RING - _RING_WIDTH, fill=0)
    edge = 4  # the SVG's round stroke
    for mark in _MARKS[kind]:
        points = [(x * times, y * times) for x, y in mark]
        draw.polygon(points, fill=255)
        draw.line([*points, points[0]], fill=255, width=2 * edge * times)
        for x, y in points:
            draw.ellipse((x - edge * times, y - edge * times, x + edge * times - 1, y + edge * times - 1), fill=255)
    for x, y, r in _CIRCLES.get(kind, ()):
        draw.ellipse(
            ((x - r - edge) * times, (y - r - edge) * times, (x + r + edge) * times - 1, (y + r + edge) * times - 1),
            fill=255,
        )
    for x, y, w, h in _BARS:
        box = ((x - edge) * times, (y - edge) * times, (x + w + edge) * times - 1, (y + h + edge) * times - 1)
        draw.rounded_rectangle(box, radius=edge * times, fill=255)
    return seal.reduce(times), white.reduce(times)


def _disc(draw: ImageDraw.ImageDraw, radius: float, *, fill: int) -> None:
    low, high = (_MIDDLE - radius) * _DRAWN_LARGER, (_MIDDLE + radius) * _DRAWN_LARGER - 1
    draw.ellipse((low, low, high, high), fill=fill)


def of_claim(claim: Claim) -> tuple[str, str]:
    """Colour and kind of the badge of a certificate; the house's own for what a record does not say."""
    return _sound(claim.look.colour, claim.kind)


def of_record(record: Any) -> tuple[str, str]:
    """The same for a record as it is stored, of whatever form, for lists that show many. Raises nothing."""
    record = record if isinstance(record, dict) else {}
    look, award = record.get("look"), record.get("award")
    return _sound(
        look.get("colour") if isinstance(look, dict) else "", award.get("kind") if isinstance(award, dict) else ""
    )


def _sound(colour: Any, kind: Any) -> tuple[str, str]:
    try:
        colour = colour_of(str(colour))
    except ValueError:
        colour = colour_of(Look().colour)
    return colour, kind if kind in KINDS else Kind.COURSE.value


def path_of(colour: str, kind: str, ending: str) -> str:
    """The picture's address on this site."""
    return reverse("badge_picture", args=[colour, kind, ending])


def picture_url(claim: Claim) -> str:
    """Where anybody fetches the badge of a certificate: what the credential names as its image."""
    return settings.SITE_URL + path_of(*of_claim(claim), "png")


def picture_caption(claim: Claim) -> str:
    """What the picture shows, in the language of the document."""
    with translation.override(claim.language or settings.LANGUAGE_CODE):
        words = {
            Kind.COURSE: _("Badge: a round seal with an open book and five bars"),
            Kind.PATH: _("Badge: a round seal with a way through three places and five bars"),
            Kind.LEVEL: _("Badge: a round seal with three steps and five bars"),
            Kind.ROLE: _("Badge: a round seal with a person and five bars"),
        }
        return words[Kind(of_claim(claim)[1])]
