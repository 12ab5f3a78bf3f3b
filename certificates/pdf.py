"""A certificate on paper: A4 landscape, drawn from its record alone.

The same record gives the same bytes (and so does the same release of ReportLab and of the fonts). Letters that
Noto Sans lacks are written in Latin letters, and the document says so; nothing is drawn as an empty box.
Speed and what it costs: docs/decisions/0006-certificates.md.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from threading import Lock

import segno
from anyascii import anyascii
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from reportlab import rl_config
from reportlab.lib.colors import Color, HexColor, white
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from certificates import codes
from certificates.record import Claim, Level, Outcome
from certificates.words import date_in_words, duration_in_words, level_in_words, outcomes_heading

REGULAR, SEMIBOLD = "NotoSans", "NotoSans-SemiBold"
FONT_FILES = {REGULAR: "NotoSans_400Regular.ttf", SEMIBOLD: "NotoSans_600SemiBold.ttf"}
ACTION, INK, QUIET, LINE, EDGE = (HexColor(c) for c in ("#0B5A75", "#16202B", "#4A5763", "#D9DEE3", "#6F7C87"))
# Tints of the action colour for the picture on the strip.
ACTION_DIM = HexColor("#14657F")
RISING = tuple(HexColor(c) for c in ("#2A7A96", "#3A87A2", "#4C95AF", "#61A5BD", "#7AB6CB"))

WIDTH, HEIGHT = landscape(A4)
PANEL = 206.0  # the coloured strip at the left
MARGIN = 30.0
LEFT, RIGHT = PANEL + 48, WIDTH - 46
TOP, FOOT = HEIGHT - 42, 38.0
COLUMN = RIGHT - LEFT
MOST_OUTCOMES = 12
# (size, most lines), tried one after the other.
NAME_STEPS = ((40, 1), (36, 1), (32, 1), (28, 1), (28, 2), (24, 2), (20, 2), (17, 3), (14, 3), (12, 9))
COURSE_STEPS = ((23, 1), (21, 1), (20, 2), (17, 2), (14, 3), (12, 3), (10, 9))
# Of Noto Sans, in parts of the size.
CAPITALS, DESCENDERS = 0.72, 0.22
# Scripts that Noto Sans has letters for but that need shaping, which ReportLab does not do.
_UNSHAPED = ((0x0900, 0x097F), (0x1CD0, 0x1CFF), (0xA8E0, 0xA8FF))
# Binary streams as they are: the detour through ASCII made documents larger and took a tenth of the time.
rl_config.useA85 = 0
# A TTFont reads its file through a cursor of its own: one document at a time in a process.
_drawing = Lock()


def render_pdf(claim: Claim) -> bytes:
    """The document of a certificate, in the language of its claim."""
    with translation.override(claim.language), _drawing:
        _register_fonts()
        buffer = BytesIO()
        canvas = Canvas(
            buffer,
            pagesize=(WIDTH, HEIGHT),
            pageCompression=1,
            invariant=1,
            initialFontName=REGULAR,
            lang=claim.language,
        )
        canvas.setTitle(_("Certificate: %(course)s, %(name)s") % {"course": claim.course, "name": claim.holder})
        canvas.setAuthor(claim.issuer)
        canvas.setSubject(
            _("Certificate %(serial)s, to be checked at %(url)s") % {"serial": claim.serial, "url": claim.url}
        )
        canvas.setKeywords([claim.serial, codes.display(claim.code)])
        canvas.setCreator(settings.SITE_NAME)
        # The day of issue, not of drawing: the same record gives the same bytes.
        canvas.setDateFormatter(lambda *_now: f"D:{claim.issued_on:%Y%m%d}000000Z")
        canvas.setViewerPreference("DisplayDocTitle", "true")
        _draw(canvas, claim)
        canvas.showPage()
        canvas.save()
        return buffer.getvalue()


@lru_cache(maxsize=1)
def _register_fonts() -> frozenset[int]:
    """Once in a process: reading the files takes longer than a document. Returns the characters both have."""
    fonts = [TTFont(name, str(settings.FONT_DIR / file), asciiReadable=0) for name, file in FONT_FILES.items()]
    for font in fonts:
        pdfmetrics.registerFont(font)
    known = set.intersection(*(set(font.face.charToGlyph) for font in fonts))
    return frozenset(c for c in known if not any(first <= c <= last for first, last in _UNSHAPED))


# --- Letters -----------------------------------------------------------------------------------------------------
def settable(text: str) -> tuple[str, bool]:
    """The text in letters the fonts have, and whether some had to be written in others.

    Compatibility forms ("ﬁ", "Ａ") become what they stand for; pictures and invisible marks are left out;
    words with letters of any other script are written in Latin letters.
    """
    known = _register_fonts()
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
        lines = _wrap(text, font, size, width)
        if len(lines) <= most:
            break
    return Fitted(_balanced(text, lines, font, size, width), font, size, size * leading)


def _wrap(text: str, font: str, size: float, width: float) -> tuple[str, ...]:
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
        tried = _wrap(text, font, size, narrow - 8)
        if len(tried) > len(lines):
            break
        lines, narrow = tried, narrow - 8
    return lines


# --- Drawing -----------------------------------------------------------------------------------------------------
def _draw(canvas: Canvas, claim: Claim) -> None:
    """Label on top, facts at the foot, outcomes above the facts; name and course in the middle of what is left."""
    name, name_changed = settable(claim.holder)
    course, course_changed = settable(claim.course)
    outcomes = _Outcomes.of(claim)

    canvas.setFillColor(ACTION)
    canvas.setFont(SEMIBOLD, 14)
    canvas.drawString(LEFT, TOP - 12, _("Certificate").upper(), charSpace=3)

    floor = FOOT + 62 + outcomes.height
    intro = fit(_("This is to certify that"), REGULAR, COLUMN, ((13, 1),))
    title = fit(name, SEMIBOLD, COLUMN, NAME_STEPS)
    sentence = fit(
        _("has completed the course and passed its final check") if claim.assessed else _("has completed the course"),
        REGULAR,
        COLUMN,
        ((13, 1), (11, 2)),
    )
    subject = fit(course, SEMIBOLD, COLUMN, COURSE_STEPS)
    block = intro.height + 16 + title.height + 14 + sentence.height + 14 + subject.height
    room = TOP - 12 - floor
    air = min(max((room - block) / 16, 0), 7)
    y = TOP - 12 - (room - block - 3 * air) * 0.46
    y = _draw_lines(canvas, intro, LEFT, y, QUIET) - 16 - air
    y = _draw_lines(canvas, title, LEFT, y, INK) - 14 - air
    y = _draw_lines(canvas, sentence, LEFT, y, QUIET) - 14 - air
    _draw_lines(canvas, subject, LEFT, y, ACTION)
    outcomes.draw(canvas, floor)
    _draw_facts(canvas, claim)
    if name_changed or course_changed or outcomes.changed:
        note = _(
            "This document's typeface lacks some letters; they are set in Latin ones. "
            "The original is shown where the certificate is checked."
        )
        _draw_lines(canvas, fit(note, REGULAR, COLUMN, ((7.5, 1), (7, 2))), LEFT, FOOT - 12, QUIET)
    _draw_panel(canvas, claim)


def _draw_lines(canvas: Canvas, text: Fitted, x: float, top: float, colour: Color) -> float:
    """Draw lines below `top`; returns where they end."""
    canvas.setFillColor(colour)
    canvas.setFont(text.font, text.size)
    y = top - text.size * CAPITALS
    for line in text.lines:
        canvas.drawString(x, y, line)
        y -= text.leading
    return top - text.height


def _draw_panel(canvas: Canvas, claim: Claim) -> None:
    """Who issued it, a picture of rising levels, and how to check it."""
    canvas.setFillColor(ACTION)
    canvas.rect(0, 0, PANEL, HEIGHT, stroke=0, fill=1)
    issuer = fit(
        settable(claim.issuer)[0], SEMIBOLD, PANEL - MARGIN - 22, ((16, 3), (14, 4), (12, 5), (9, 9)), leading=1.3
    )
    _draw_lines(canvas, issuer, MARGIN, TOP - 12 + issuer.size * CAPITALS, white)

    # The level bar, grown: five columns of segments, each a step higher than the one before.
    width, gap, height = (PANEL - 2 * MARGIN - 20) / 5, 5.0, 12.0
    for column, tint in enumerate(RISING):
        for row in range(5):
            canvas.setFillColor(tint if row <= column else ACTION_DIM)
            canvas.addLiteral(
                _rounded(MARGIN + column * (width + gap), 268 + row * (height + gap), width, height, 2) + " f"
            )

    canvas.setFillColor(white)
    canvas.setFont(REGULAR, 9)
    canvas.drawString(MARGIN, 218, _("Check this certificate"))
    _draw_qr(canvas, claim.url, MARGIN, 100, 108)
    canvas.setFillColor(white)
    canvas.setFont(SEMIBOLD, 15)
    canvas.drawString(MARGIN, 76, codes.display(claim.code), charSpace=0.8)
    address = claim.url.split("://", 1)[-1].rstrip("/").rsplit("/", 1)[0]
    _draw_lines(canvas, fit(address, REGULAR, PANEL - MARGIN - 16, ((9, 1), (8, 1), (7, 2), (6, 3))), MARGIN, 68, white)
    canvas.setFont(REGULAR, 9)
    canvas.drawString(MARGIN, FOOT, _("No. %(serial)s") % {"serial": claim.serial})


def _draw_qr(canvas: Canvas, url: str, x: float, y: float, side: float) -> None:
    """A white card with its four modules of quiet zone; runs of dark modules become one rectangle of one path."""
    canvas.setFillColor(white)
    canvas.addLiteral(_rounded(x, y, side, side, 6) + " f")
    matrix = segno.make(url, error="m", micro=False, boost_error=False).matrix
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


@dataclass(frozen=True)
class _Row:
    title: Fitted
    level: Level | None
    label: str


@dataclass(frozen=True)
class _Outcomes:
    """Up to five outcomes stand one below the other, more of them in two columns."""

    rows: tuple[_Row, ...]
    columns: int
    row_height: float
    heading: str
    footnote: str
    changed: bool

    HEAD, TAIL = 20.0, 18.0
    BAR, WORDS = 88.0, 112.0

    @classmethod
    def of(cls, claim: Claim) -> _Outcomes:
        shown = claim.outcomes if len(claim.outcomes) <= MOST_OUTCOMES else claim.outcomes[: MOST_OUTCOMES - 1]
        wide = len(shown) <= 5
        width = COLUMN - cls.BAR - cls.WORDS - 32 if wide else COLUMN / 2 - 12
        steps = ((12.5, 1), (11.5, 1), (10.5, 2), (9, 2), (7.5, 3)) if wide else ((10.5, 1), (9, 1), (8, 1), (7, 2))
        rows, changed = [], False
        for outcome in shown:
            title, title_changed = settable(outcome.title)
            label, label_changed = settable(outcome.level.label) if outcome.level else ("", False)
            changed = changed or title_changed or label_changed
            rows.append(_Row(fit(title, SEMIBOLD, width, steps), outcome.level, label))
        levels = any(outcome.level for outcome in claim.outcomes)
        return cls(
            tuple(rows),
            1 if wide else 2,
            32.0 if wide else 34.0,
            outcomes_heading(claim),
            _footnote(claim.outcomes, len(shown), levels),
            changed,
        )

    @property
    def per_column(self) -> int:
        return -(-len(self.rows) // self.columns)

    @property
    def height(self) -> float:
        return self.HEAD + self.per_column * self.row_height + self.TAIL if self.rows else 0

    def draw(self, canvas: Canvas, top: float) -> None:
        if not self.rows:
            return
        canvas.setFillColor(QUIET)
        canvas.setFont(REGULAR, 10)
        canvas.drawString(LEFT, top - 8, self.heading)
        y = top - self.HEAD
        _draw_rule(canvas, y)
        for index, row in enumerate(self.rows):
            column, line = divmod(index, self.per_column)
            if self.columns == 1:
                self._draw_wide(canvas, row, y - line * self.row_height)
            else:
                self._draw_narrow(canvas, row, LEFT + column * (COLUMN / 2 + 12), y - line * self.row_height)
        y -= self.per_column * self.row_height
        if self.columns == 2:
            _draw_rule(canvas, y)
        _draw_lines(canvas, fit(self.footnote, REGULAR, COLUMN, ((8, 1), (7, 2))), LEFT, y - 8, QUIET)

    def _draw_wide(self, canvas: Canvas, row: _Row, top: float) -> None:
        middle = top - self.row_height / 2
        _draw_lines(canvas, row.title, LEFT, middle + _half(row.title), INK)
        if row.level:
            _draw_level(canvas, row.level, RIGHT - self.WORDS - 16 - self.BAR, middle - 4, self.BAR)
            label = fit(row.label, SEMIBOLD, self.WORDS, ((10, 1), (9, 1), (8, 1), (7, 2)))
            _draw_lines(canvas, label, RIGHT - self.WORDS, middle + 10, INK)
            _draw_lines(canvas, _standing(row.level, self.WORDS), RIGHT - self.WORDS, middle - 4, QUIET)
        _draw_rule(canvas, top - self.row_height)

    def _draw_narrow(self, canvas: Canvas, row: _Row, x: float, top: float) -> None:
        bottom = _draw_lines(canvas, row.title, x, top - 7, INK)
        if row.level:
            _draw_level(canvas, row.level, x, bottom - 11, 56)
            words = level_in_words(row.level, row.label)
            _draw_lines(
                canvas, fit(words, REGULAR, COLUMN / 2 - 78, ((8, 1), (7, 1), (6, 2))), x + 64, bottom - 4, QUIET
            )


def _half(text: Fitted) -> float:
    """From the middle of the capitals (of all lines) to their top."""
    return (text.size * CAPITALS + (len(text.lines) - 1) * text.leading) / 2


def _standing(level: Level, width: float) -> Fitted:
    return fit(
        _("Level %(step)s of %(steps)s") % {"step": level.step, "steps": level.steps},
        REGULAR,
        width,
        ((8.5, 1), (7, 1)),
    )


@lru_cache(maxsize=256)
def _rounded(x: float, y: float, width: float, height: float, radius: float) -> str:
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


def _draw_rule(canvas: Canvas, y: float) -> None:
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.8)
    canvas.line(LEFT, y, RIGHT, y)


def _draw_level(canvas: Canvas, level: Level, x: float, y: float, width: float) -> None:
    """The level bar: one segment a level, filled up to the one shown."""
    gap = 3.0
    segment = (width - gap * (level.steps - 1)) / max(level.steps, 1)
    canvas.setLineWidth(0.8)
    for step in range(level.steps):
        filled = step < level.step
        canvas.setFillColor(ACTION if filled else white)
        canvas.setStrokeColor(ACTION if filled else EDGE)
        canvas.addLiteral(_rounded(x + step * (segment + gap), y, segment, 8, 1.6) + " B")


def _footnote(outcomes: Sequence[Outcome], shown: int, levels: bool) -> str:
    names = "; ".join(dict.fromkeys(settable(f"{outcome.framework} {outcome.edition}")[0] for outcome in outcomes))
    text = _("Levels as described in: %(frameworks)s.") if levels else _("As described in: %(frameworks)s.")
    text %= {"frameworks": names}
    more = len(outcomes) - shown
    if more:
        text += " " + ngettext(
            "%(count)s more is listed where the certificate is checked.",
            "%(count)s more are listed where the certificate is checked.",
            more,
        ) % {"count": more}
    return text


def _draw_facts(canvas: Canvas, claim: Claim) -> None:
    facts = [
        (_("Completed on"), date_in_words(claim.completed_on)),
        (_("Issued on"), date_in_words(claim.issued_on)),
        (_("Learning time"), duration_in_words(claim.effort_minutes)),
    ]
    if claim.last_valid_on:
        facts.append((_("Valid up to and including"), date_in_words(claim.last_valid_on)))
    width = COLUMN / len(facts)
    for index, (label, value) in enumerate(facts):
        x = LEFT + index * width
        canvas.setFillColor(QUIET)
        canvas.setFont(REGULAR, 9)
        canvas.drawString(x, FOOT + 17, label)
        text = fit(value, SEMIBOLD, width - 10, ((12, 1), (10.5, 1), (9, 1), (7, 2)))
        _draw_lines(canvas, text, x, FOOT + text.size * CAPITALS, INK)
