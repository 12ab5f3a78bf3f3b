"""What both designs draw with: blocks of text, level bars, the QR code, a logo, fine lines."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from io import BytesIO

from django.utils.translation import gettext as _
from PIL import Image

from certificates.pdf.palette import EDGE, INK, WHITE, Colour, Palette
from certificates.pdf.tagging import Tagged
from certificates.pdf.typesetting import Block, Line
from certificates.pdf.wording import Shown
from organisations import qr
from organisations.paper import CAPITALS, rounded

# A logo is shown two inches wide at most: more samples than these nobody sees.
MOST_SAMPLES = 900
LARGEST_PICTURE = 40_000_000  # samples; a "decompression bomb" has more


class UnreadableLogo(ValueError):
    """The picture is no PNG or JPEG we can draw."""


@dataclass(frozen=True)
class Picture:
    width: int
    height: int
    dictionary: str
    content: bytes
    digest: str


@dataclass
class Desk:
    """A page under way."""

    page: Tagged
    palette: Palette

    def fill(self, colour: Colour) -> None:
        self.page.canvas.addLiteral(_rgb(colour) + " rg")

    def write(
        self,
        block: Block,
        x: float,
        top: float,
        colour: Colour = INK,
        *,
        role: str = "P",
        align: str = "left",
        language: str = "",
        spaced: float = 0,
    ) -> float:
        """A block below `top` as an element of its own; `x` is its left edge, middle or right edge. Returns its foot."""
        shaped = any(line.base or not _plainly(line) for line in block.lines)
        with self.page.element(role, actual=block.text if shaped else "", language=language):
            return self.letters(block, x, top, colour, align=align, spaced=spaced)

    def letters(
        self, block: Block, x: float, top: float, colour: Colour, *, align: str = "left", spaced: float = 0
    ) -> float:
        """The same inside an element that is open."""
        self.fill(colour)
        y = top - block.size * CAPITALS
        for line in block.lines:
            width = line.width * block.size / 1000 + spaced * max(len(line.text) - 1, 0)
            left = x - {"left": 0.0, "middle": width / 2, "right": width}[align]
            self.page.canvas.addLiteral(self.page.fonts.draw(line, left, y, block.size, spaced))
            y -= block.leading
        return top - block.height

    def rule(self, x: float, y: float, width: float, colour: Colour, thickness: float = 0.6) -> None:
        with self.page.decoration():
            self.page.canvas.addLiteral(
                f"{_rgb(colour)} rg {x:.2f} {y - thickness / 2:.2f} {width:.2f} {thickness:g} re f"
            )

    def segments(self, shown: Shown, x: float, y: float, width: float, height: float = 6) -> None:
        """The level bar: one segment a level, filled up to the one that is meant. The words beside it say the same."""
        level = shown.level
        if level is None:
            return
        gap = 2.4
        segment = (width - gap * (level.steps - 1)) / max(level.steps, 1)
        parts = [f"{_rgb(self.palette.strong)} rg {_rgb(self.palette.strong)} RG 0.7 w"]
        boxes = [rounded(x + n * (segment + gap), y, segment, height, 1.4) for n in range(level.steps)]
        parts += [box + " B" for box in boxes[: level.step]]
        parts.append(f"{_rgb(WHITE)} rg {_rgb(EDGE)} RG")
        parts += [box + " B" for box in boxes[level.step :]]
        with self.page.decoration():
            self.page.canvas.addLiteral(" ".join(parts))

    def square(self, url: str, x: float, y: float, side: float) -> None:
        """The QR code with its four modules of quiet zone: `side` is that of the whole."""
        words = _("QR code of the address where this certificate is checked: %(url)s") % {"url": url}
        box = (x, y, x + side, y + side)
        modules = qr.symbol(url)
        module = side / (len(modules) + 8)
        with self.page.element("Figure", alt=words, box=box):
            self.page.canvas.addLiteral(
                f"q {_rgb(WHITE)} rg {x:.2f} {y:.2f} {side:.2f} {side:.2f} re f "
                f"{module:.5f} 0 0 {-module:.5f} {x + 4 * module:.3f} {y + side - 4 * module:.3f} cm {_rgb(INK)} rg"
            )
            self.page.canvas.addLiteral(rectangles(modules.tolist()) + " f")
            self.page.canvas.addLiteral("Q")

    def address(self, block: Block, x: float, top: float, colour: Colour, url: str, also: tuple[float, ...]) -> float:
        """The typed address, which also leads there when it is clicked, as does the box `also` (the QR code)."""
        words = _("Check this certificate: %(url)s") % {"url": url}
        with self.page.group("P"), self.page.element("Link") as link:
            foot = self.letters(block, x, top, colour)
        self.page.link(link, (min(x, also[0]), min(foot, also[1]), max(x + block.width, also[2]), also[3]), url, words)
        return foot

    def logo(self, picture: Picture, issuer: str, x: float, y: float, width: float, height: float) -> None:
        name = self.page.picture(picture.digest, picture.dictionary, picture.content)
        alt = _("Logo of %(organisation)s") % {"organisation": issuer}
        with self.page.element("Figure", alt=alt, box=(x, y, x + width, y + height)):
            self.page.canvas.addLiteral(f"q {width:.2f} 0 0 {height:.2f} {x:.2f} {y:.2f} cm /{name} Do Q")

    def ornament(self, key: str, box: tuple[float, float, float, float], packed: bytes, places: Sequence[str]) -> None:
        """A drawing, once at each of the places (matrices)."""
        name = self.page.form(key, box, packed)
        with self.page.decoration():
            self.page.canvas.addLiteral(" ".join(f"q {place} cm /{name} Do Q" for place in places))


@lru_cache(maxsize=256)
def _rgb(colour: Colour) -> str:
    return " ".join(f"{round(part, 4):g}" for part in colour)


def rgb(colour: Colour) -> str:
    return _rgb(colour)


def _plainly(line: Line) -> bool:
    """Each glyph stands for its letters, in their order."""
    return all(glyph.text for run in line.runs for glyph in run.glyphs) and line.text == "".join(
        glyph.text for run in line.runs for glyph in run.glyphs
    )


def rectangles(matrix: Sequence[Sequence[int]]) -> str:
    """Runs of dark modules, each a rectangle of whole modules: a thousand numbers through ReportLab's path took longer."""
    path = []
    for row, modules in enumerate(matrix):
        column, size = 0, len(modules)
        while column < size:
            if not modules[column]:
                column += 1
                continue
            start = column
            while column < size and modules[column]:
                column += 1
            path.append(f"{start} {row} {column - start} 1 re")
    return " ".join(path)


# --- Pictures ----------------------------------------------------------------------------------------------------
@lru_cache(maxsize=32)
def read_logo(content: bytes) -> Picture:
    """A PNG or JPEG as PDF samples on white. Raises UnreadableLogo."""
    try:
        with Image.open(BytesIO(content), formats=("PNG", "JPEG")) as image:
            if image.width * image.height > LARGEST_PICTURE:
                raise UnreadableLogo("the picture has too many points")
            image.load()
            grounded = Image.new("RGB", image.size, "white")
            seen = image.convert("RGBA")
    except UnreadableLogo:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadableLogo(str(error)) from error
    # Without transparency a reader needs no blending, and the archive profile no rules for it.
    grounded.paste(seen, mask=seen.getchannel("A"))
    if max(grounded.size) > MOST_SAMPLES:
        grounded.thumbnail((MOST_SAMPLES, MOST_SAMPLES), Image.Resampling.LANCZOS)
    dictionary = (
        f"/Width {grounded.width}/Height {grounded.height}/ColorSpace/DeviceRGB/BitsPerComponent 8/Interpolate false"
    )
    digest = sha256(content).hexdigest()
    return Picture(grounded.width, grounded.height, dictionary, zlib.compress(grounded.tobytes(), 9), digest)


def fitted(picture: Picture, width: float, height: float) -> tuple[float, float]:
    """As large as the box allows, in its own proportions."""
    scale = min(width / picture.width, height / picture.height)
    return picture.width * scale, picture.height * scale


# --- Fine lines --------------------------------------------------------------------------------------------------
# Both ornaments repeat themselves, so a part is written once and drawn four or six times: a fifth of the bytes.
# Their numbers are tenths of a point, whole.
@lru_cache(maxsize=64)
def rosette_part(colour: Colour, radius: float) -> bytes:
    """A sixth of a rosette as on banknotes, packed: curves r = radius · (a + b · cos kt), turned against each other."""
    parts = [f"0.1 0 0 0.1 0 0 cm {_rgb(colour)} RG 3.5 w 1 J"]
    for ring, (inner, depth, petals) in enumerate(
        ((0.30, 0.10, 12), (0.52, 0.13, 18), (0.76, 0.14, 24), (0.93, 0.06, 36))
    ):
        for turn in range(6):
            points = []
            for step in range(-1, petals + 2):  # six points a petal, and one beyond each end for the bend there
                angle = 2 * math.pi * step / (petals * 6)
                reach = 10 * radius * (inner + depth * math.cos(petals * angle + turn * math.pi / 3 + ring))
                points.append((reach * math.cos(angle), reach * math.sin(angle)))
            parts.append(_curve(points))
    return zlib.compress(" ".join(parts).encode(), 9)


@lru_cache(maxsize=64)
def braid_part(colour: Colour, edge: Colour, width: float, height: float, inset: float, depth: float) -> bytes:
    """A quarter of a frame of interlaced waves between two rules, packed: from the middle to the right and upwards.

    `inset` is the distance from the edge of the paper, `depth` how wide the frame is. Waves begin at the middle of a
    side with their crests there, so that they meet their mirror images.
    """
    right, top = width * 5 - inset * 10, height * 5 - inset * 10
    inner = depth * 10
    parts = [
        f"0.1 0 0 0.1 0 0 cm {_rgb(edge)} RG 11 w 0 {top:.0f} m {right:.0f} {top:.0f} l {right:.0f} 0 l S",
        f"5 w 0 {top - inner:.0f} m {right - inner:.0f} {top - inner:.0f} l {right - inner:.0f} 0 l S",
        f"{_rgb(colour)} RG 4.5 w 1 J",
    ]
    swing = inner / 2 - 16
    for length, across, turned in (
        (right - inner / 2, top - inner / 2, False),
        (top - inner / 2, right - inner / 2, True),
    ):
        waves = round(length / 150)
        step = length / waves / 4
        for phase in range(3):
            points = []
            for n in range(-1, waves * 4 + 2):
                place, offset = n * step, across + swing * math.cos(n * math.pi / 2 + phase * math.pi * 2 / 3)
                points.append((offset, place) if turned else (place, offset))
            parts.append(_curve(points))
    return zlib.compress(" ".join(parts).encode(), 9)


def _curve(points: Sequence[tuple[float, float]]) -> str:
    """From the second point to the last but one (Catmull-Rom as Bézier)."""
    parts = [f"{points[1][0]:.0f} {points[1][1]:.0f} m"]
    for n in range(1, len(points) - 2):
        before, start, end, after = points[n - 1 : n + 3]
        first = start[0] + (end[0] - before[0]) / 6, start[1] + (end[1] - before[1]) / 6
        second = end[0] - (after[0] - start[0]) / 6, end[1] - (after[1] - start[1]) / 6
        parts.append(" ".join(f"{n:.0f}" for point in (first, second, end) for n in point) + " c")
    return " ".join([*parts, "S"])


def rosette(desk: Desk, colour: Colour, x: float, y: float, radius: float) -> None:
    turns = []
    for sixth in range(6):
        cosine, sine = math.cos(sixth * math.pi / 3), math.sin(sixth * math.pi / 3)
        turns.append(f"{cosine:.5f} {sine:.5f} {-sine:.5f} {cosine:.5f} {x:.2f} {y:.2f}")
    desk.ornament("rosette", (-radius, -radius, radius, radius), rosette_part(colour, radius), turns)


def frame(desk: Desk, colour: Colour, edge: Colour, size: tuple[float, float], inset: float, depth: float) -> None:
    width, height = size
    mirrors = [f"{a} 0 0 {b} {width / 2:.2f} {height / 2:.2f}" for a in (1, -1) for b in (1, -1)]
    desk.ornament(
        "frame", (0, 0, width / 2, height / 2), braid_part(colour, edge, width, height, inset, depth), mirrors
    )
