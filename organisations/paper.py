"""Documents on paper: the typeface, letters it lacks, lines that fit, and the house's few drawings. No domain here.

The same input gives the same bytes (and so does the same release of ReportLab and of the fonts). Letters that
Noto Sans lacks are written in Latin letters; nothing is drawn as an empty box.
Speed and what it costs: docs/decisions/0006-certificates.md.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from io import BytesIO
from threading import Lock

from anyascii import anyascii
from django.conf import settings
from django.utils import translation
from reportlab import rl_config
from reportlab.lib.colors import Color, HexColor, white
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from organisations import qr

REGULAR, SEMIBOLD = "NotoSans", "NotoSans-SemiBold"
FONT_FILES = {REGULAR: "NotoSans_400Regular.ttf", SEMIBOLD: "NotoSans_600SemiBold.ttf"}
ACTION, INK, QUIET, LINE, EDGE = (HexColor(c) for c in ("#0B5A75", "#16202B", "#4A5763", "#D9DEE3", "#6F7C87"))
# Tints of the action colour on a ground of that colour.
ACTION_DIM = HexColor("#14657F")
# Of Noto Sans, in parts of the size.
CAPITALS, DESCENDERS = 0.72, 0.22
# Scripts that Noto Sans has letters for but that need shaping, which ReportLab does not do.
_UNSHAPED = ((0x0900, 0x097F), (0x1CD0, 0x1CFF), (0xA8E0, 0xA8FF))
# Binary streams as they are: the detour through ASCII made documents larger and took a tenth of the time.
rl_config.useA85 = 0
# A TTFont reads its file through a cursor of its own: one document at a time in a process.
_drawing = Lock()


@dataclass(frozen=True)
class Sheet:
    """A canvas to draw on; `content()` closes it and gives the document. The caller ends each page."""

    canvas: Canvas
    buffer: BytesIO

    def content(self) -> bytes:
        self.canvas.save()
        return self.buffer.getvalue()


@contextmanager
def sheet(*, size: tuple[float, float], language: str, dated: date) -> Iterator[Sheet]:
    """Paper of this size (points), written in this language and dated on a day: not on the day of drawing."""
    with translation.override(language), _drawing:
        letters()
        buffer = BytesIO()
        canvas = Canvas(buffer, pagesize=size, pageCompression=1, invariant=1, initialFontName=REGULAR, lang=language)
        canvas.setCreator(settings.SITE_NAME)
        canvas.setDateFormatter(lambda *_now: f"D:{dated:%Y%m%d}000000Z")
        canvas.setViewerPreference("DisplayDocTitle", "true")
        yield Sheet(canvas, buffer)


@lru_cache(maxsize=1)
def letters() -> frozenset[int]:
    """Once in a process: reading the files takes longer than a document. Returns the characters both have."""
    fonts = [TTFont(name, str(settings.FONT_DIR / file), asciiReadable=0) for name, file in FONT_FILES.items()]
    for font in fonts:
        pdfmetrics.registerFont(font)
    known = set.intersection(*(set(font.face.charToGlyph) for font in fonts))
    return frozenset(c for c in known if not any(first <= c <= last for first, last in _UNSHAPED))


# --- Letters -----------------------------------------------------------------------------------------------------
def settable(text: str, known: frozenset[int] | None = None) -> tuple[str, bool]:
    """The text in letters the fonts have, and whether some had to be written in others.

    Compatibility forms ("ﬁ", "Ａ") become what they stand for; pictures and invisible marks are left out;
    words with letters of any other script are written in Latin letters. `known` are the characters at hand, if they
    are others than those of Noto Sans.
    """
    known = letters() if known is None else known
    if all(ord(c) in known for c in text):
        return text, False
    words, changed = [], False
    for word in text.split(" "):
        if any(ord(c) not in known for c in word):
            word = unicodedata.normalize("NFKC", word)
            word = "".join(c for c in word if ord(c) in known or unicodedata.category(c)[0] in "LMN")
        if any(ord(c) not in known for c in word):
            changed = True
            word = _in_latin_letters(word)
        words.append(word)
    return " ".join(word for word in words if word), changed


def _in_latin_letters(word: str) -> str:
    """A reading aid, not a spelling: capitals where the script has none, letters, figures and hyphens only."""
    latin = "".join(c for c in anyascii(word) if c.isalnum() or c in "-'")
    return latin[:1].upper() + latin[1:] if word == word.lower() else latin


# --- Fitting -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Fitted:
    """Lines of text at the largest size that fits."""

    lines: tuple[str, ...]
    font: str
    size: float
    leading: float

    @property
    def height(self) -> float:
        """From the top of the capitals to the foot of the descenders."""
        return self.size * (CAPITALS + DESCENDERS) + (len(self.lines) - 1) * self.leading


def fit(text: str, font: str, width: float, steps: Sequence[tuple[float, int]], leading: float = 1.2) -> Fitted:
    """Set text as large as `steps` of (size, most lines) allow; the last step takes as many lines as it needs."""
    for size, most in steps:
        lines = wrap(text, font, size, width)
        if len(lines) <= most:
            break
    return Fitted(_balanced(text, lines, font, size, width), font, size, size * leading)


def wrap(text: str, font: str, size: float, width: float) -> tuple[str, ...]:
    """Greedy lines; a word wider than the line is broken where the line ends."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if pdfmetrics.stringWidth(longer, font, size) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        while pdfmetrics.stringWidth(word, font, size) > width:
            cut = len(word) - 1
            while cut > 1 and pdfmetrics.stringWidth(word[:cut], font, size) > width:
                cut -= 1
            lines.append(word[:cut])
            word = word[cut:]
        line = word
    return (*lines, line) if line or not lines else tuple(lines)


def _balanced(text: str, lines: tuple[str, ...], font: str, size: float, width: float) -> tuple[str, ...]:
    """The same number of lines, but of about the same length: no single word on the last."""
    if len(lines) < 2:
        return lines
    narrow = width
    while narrow > width / 2:
        tried = wrap(text, font, size, narrow - 8)
        if len(tried) > len(lines):
            break
        lines, narrow = tried, narrow - 8
    return lines


# --- Drawing -----------------------------------------------------------------------------------------------------
def draw_lines(canvas: Canvas, text: Fitted, x: float, top: float, colour: Color) -> float:
    """Draw lines below `top`; returns where they end."""
    canvas.setFillColor(colour)
    canvas.setFont(text.font, text.size)
    y = top - text.size * CAPITALS
    for line in text.lines:
        canvas.drawString(x, y, line)
        y -= text.leading
    return top - text.height


def draw_qr(canvas: Canvas, url: str, x: float, y: float, side: float) -> None:
    """A white card with its four modules of quiet zone; runs of dark modules become one rectangle of one path."""
    canvas.setFillColor(white)
    canvas.addLiteral(rounded(x, y, side, side, 6) + " f")
    matrix = qr.symbol(url).tolist()
    module = side / (len(matrix) + 8)
    canvas.saveState()
    canvas.translate(x + 4 * module, y + side - 4 * module)
    canvas.scale(module, -module)
    canvas.setFillColor(INK)
    # Whole modules, written by hand: a thousand numbers through ReportLab's own path took a third of the time.
    path = []
    for row, modules in enumerate(matrix):
        column = 0
        while column < len(modules):
            start = column
            while column < len(modules) and modules[column]:
                column += 1
            if column > start:
                path.append(f"{start} {row} {column - start} 1 re")
            column += 1
    canvas.addLiteral(" ".join([*path, "f"]))
    canvas.restoreState()


@lru_cache(maxsize=256)
def rounded(x: float, y: float, width: float, height: float, radius: float) -> str:
    """A rounded rectangle as PDF operators. The same few places on every certificate, so written once."""
    bend = radius * 0.4477  # where the handles of a quarter circle lie
    right, top = x + width, y + height
    return (
        f"{x + radius:.2f} {y:.2f} m {right - radius:.2f} {y:.2f} l "
        f"{right - bend:.2f} {y:.2f} {right:.2f} {y + bend:.2f} {right:.2f} {y + radius:.2f} c "
        f"{right:.2f} {top - radius:.2f} l "
        f"{right:.2f} {top - bend:.2f} {right - bend:.2f} {top:.2f} {right - radius:.2f} {top:.2f} c "
        f"{x + radius:.2f} {top:.2f} l "
        f"{x + bend:.2f} {top:.2f} {x:.2f} {top - bend:.2f} {x:.2f} {top - radius:.2f} c "
        f"{x:.2f} {y + radius:.2f} l "
        f"{x:.2f} {y + bend:.2f} {x + bend:.2f} {y:.2f} {x + radius:.2f} {y:.2f} c h"
    )


def draw_segments(canvas: Canvas, filled: int, count: int, x: float, y: float, width: float) -> None:
    """The level bar: one segment a level, filled up to the one that is meant."""
    gap = 3.0
    segment = (width - gap * (count - 1)) / max(count, 1)
    canvas.setLineWidth(0.8)
    for step in range(count):
        full = step < filled
        canvas.setFillColor(ACTION if full else white)
        canvas.setStrokeColor(ACTION if full else EDGE)
        canvas.addLiteral(rounded(x + step * (segment + gap), y, segment, 8, 1.6) + " B")
