"""A role on paper: what it requires, at which level, and the path to it. A4, as many pages as it takes. Pure drawing.

The same card gives the same bytes. Levels look as on the screen; a framework of statements becomes a list of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from reportlab.lib.colors import Color, white
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from organisations.paper import (
    ACTION,
    CAPITALS,
    INK,
    LINE,
    QUIET,
    REGULAR,
    SEMIBOLD,
    Fitted,
    draw_lines,
    draw_qr,
    draw_segments,
    fit,
    settable,
    sheet,
    wrap,
)
from organisations.templatetags.elements import duration

WIDTH, HEIGHT = A4
LEFT, RIGHT = 48.0, WIDTH - 48.0
COLUMN = RIGHT - LEFT
BAND = 138.0  # the coloured head of the first page
TOP, FOOT = HEIGHT - 62.0, 66.0
SQUARE = 82.0
BAR, WORDS = 84.0, 116.0
GUTTER = 18.0
HALF = (COLUMN - GUTTER) / 2
TITLE_STEPS = ((26, 1), (22, 2), (18, 2), (15, 3), (11, 5), (8, 9))
MOST_NAMES = 12


@dataclass(frozen=True)
class Row:
    """A competency. `level` of `levels` is what is asked for, None where no level is stated; `text` describes it."""

    title: str
    level: int | None = None
    levels: int = 0
    label: str = ""
    text: str = ""
    note: str = ""


@dataclass(frozen=True)
class Section:
    """Rows under a heading; `brief` ones are a plain list (statements)."""

    heading: str
    rows: tuple[Row, ...]
    brief: bool = False


@dataclass(frozen=True)
class Step:
    """A course of the path: what it leads to, in words, and the later courses that need it first."""

    title: str
    minutes: int
    leads_to: tuple[str, ...]
    needed_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class RoleCard:
    """All that a card says. `unclosed`: competencies no course leads to, or not all the way."""

    language: str
    dated: date
    title: str
    eyebrow: str
    summary: str
    required: int
    sections: tuple[Section, ...]
    steps: tuple[Step, ...]
    minutes: int
    unclosed: tuple[str, ...]
    framework: str
    licence: str
    attribution: str
    source: str
    url: str


@dataclass(frozen=True)
class Block:
    """Something drawn below a height; `keeps`: stays on the page of what comes next."""

    height: float
    draw: Callable[[Canvas, float], None]
    keeps: bool = False


@lru_cache(maxsize=32)
def render_role_card(card: RoleCard) -> bytes:
    """The document, in the language of the card. Equal cards are drawn once while they are asked for."""
    with sheet(size=A4, language=card.language, dated=card.dated) as paper:
        canvas = paper.canvas
        canvas.setTitle(_("Role card: %(role)s") % {"role": card.title})
        canvas.setSubject(_("What the role requires, as described in %(framework)s") % {"framework": card.framework})
        writer = _Writer()
        pages = _paged(list(writer.blocks(card)))
        for number, blocks in enumerate(pages, start=1):
            y = TOP
            if number == 1:
                _draw_head(canvas, card)
                y = HEIGHT - BAND - 18
            else:
                _draw_running_head(canvas, card)
            for block in blocks:
                block.draw(canvas, y)
                y -= block.height
            _draw_foot(canvas, card, number, len(pages))
            canvas.showPage()
        return paper.content()


def _paged(blocks: Sequence[Block]) -> list[list[Block]]:
    """Blocks page by page: what keeps together is moved together, unless it would not fit on any page."""
    pages: list[list[Block]] = [[]]
    room = HEIGHT - BAND - 18 - FOOT
    together: list[Block] = []
    for block in blocks:
        together.append(block)
        if block.keeps:
            continue
        height = sum(b.height for b in together)
        if height > room and pages[-1]:
            pages.append([])
            room = TOP - FOOT
        for b in together:
            if b.height > room and pages[-1]:
                pages.append([])
                room = TOP - FOOT
            pages[-1].append(b)
            room -= b.height
        together = []
    pages[-1] += together
    return pages


class _Writer:
    """Turns a card into blocks, and knows whether letters had to be replaced."""

    def __init__(self) -> None:
        self.changed = False

    def set(self, text: str) -> str:
        fitting, changed = settable(" ".join(text.split()))
        self.changed = self.changed or changed
        return fitting

    def blocks(self, card: RoleCard) -> Iterator[Block]:
        self.set(card.title)
        yield from self.text(card.summary, size=10.5, colour=INK)
        heading = ngettext("It requires %(count)s competency", "It requires %(count)s competencies", card.required) % {
            "count": card.required
        }
        yield from self.heading(heading, 15, above=8)
        for section in card.sections:
            yield from self.section(section)
        yield from self.path(card)
        yield from self.about(card)

    def heading(self, text: str, size: float, *, above: float = 12) -> Iterator[Block]:
        fitted = fit(self.set(text), SEMIBOLD, COLUMN, ((size, 2), (size - 2, 9)))
        yield Block(above, _nothing, keeps=True)
        yield Block(fitted.height + 8, _lines(fitted, LEFT, ACTION), keeps=True)

    def text(
        self, text: str, *, size: float, colour: Color, x: float = LEFT, width: float = COLUMN, after: float = 6
    ) -> Iterator[Block]:
        """A text of any length, a block a line, so that it may go on on the next page."""
        leading = size * 1.38
        for paragraph in text.splitlines():
            if paragraph.strip():
                for line in wrap(self.set(paragraph), REGULAR, size, width):
                    yield Block(leading, _lines(Fitted((line,), REGULAR, size, leading), x, colour))
        if text.strip():
            yield Block(after, _nothing)

    def section(self, section: Section) -> Iterator[Block]:
        if section.heading:
            yield from self.heading(section.heading, 12)
        if section.brief:
            for start in range(0, len(section.rows), 2):
                yield self.side_by_side(section.rows[start : start + 2])
            return
        for row in section.rows:
            yield from self.row(row)

    def row(self, row: Row) -> Iterator[Block]:
        narrow = COLUMN - BAR - WORDS - 28 if row.levels else COLUMN
        title = fit(self.set(row.title), SEMIBOLD, narrow, ((11, 3), (9.5, 5), (8, 40)))
        words = None
        if row.levels:
            said = _("Level %(step)s of %(steps)s") % {"step": row.level, "steps": row.levels}
            if row.level is None:
                said = _("no level stated")
            label = f"{said} · {row.label}" if row.label else said
            words = fit(self.set(label), REGULAR, WORDS, ((8.5, 2), (7.5, 3), (6.5, 6)))
        height = max(title.height, words.height if words else 0, 8) + 7

        def draw(canvas: Canvas, top: float) -> None:
            _rule(canvas, top + 5)
            draw_lines(canvas, title, LEFT, top - 4, INK)
            if words is not None:
                if row.level is not None:
                    draw_segments(canvas, row.level, row.levels, RIGHT - WORDS - BAR - 12, top - 13, BAR)
                draw_lines(canvas, words, RIGHT - WORDS, top - 5, QUIET)

        yield Block(5, _nothing, keeps=True)
        yield Block(height + 3, draw, keeps=bool(row.text or row.note))
        yield from self.text(row.text, size=9, colour=INK, after=4)
        yield from self.text(row.note, size=8, colour=QUIET, after=4)

    def side_by_side(self, rows: Sequence[Row]) -> Block:
        """One or two statements in half a column each: three hundred of them take five pages instead of eight."""
        texts = []
        for row in rows:
            said = self.set(f"{row.title} ({row.label})" if row.label else row.title)
            texts.append(Fitted(wrap(said, REGULAR, 8.5, HALF - 10), REGULAR, 8.5, 11.2))

        def draw(canvas: Canvas, top: float) -> None:
            for column, text in enumerate(texts):
                x = LEFT + column * (HALF + GUTTER)
                canvas.setFillColor(ACTION)
                canvas.circle(x + 3, top - 4, 1.4, stroke=0, fill=1)
                draw_lines(canvas, text, x + 10, top, INK)

        return Block(max(len(text.lines) for text in texts) * 11.2 + 3, draw)

    def path(self, card: RoleCard) -> Iterator[Block]:
        yield from self.heading(_("The path"), 15, above=18)
        if card.steps:
            said = ngettext(
                "Whoever starts from nothing takes %(count)s course: %(time)s of learning.",
                "Whoever starts from nothing takes %(count)s courses: %(time)s of learning.",
                len(card.steps),
            ) % {"count": len(card.steps), "time": duration(card.minutes)}
            said += " " + _("What somebody holds already shortens it.")
        else:
            said = _("No course leads to what this role requires yet.")
        yield from self.text(said, size=10, colour=INK)
        for number, step in enumerate(card.steps, start=1):
            yield from self.step(number, step)
        if card.unclosed and card.steps:
            names = "; ".join(card.unclosed[:MOST_NAMES])
            said = _("Courses do not lead all the way yet: %(names)s.") % {"names": names}
            more = len(card.unclosed) - MOST_NAMES
            if more > 0:
                said += " " + ngettext("And %(count)s more.", "And %(count)s more.", more) % {"count": more}
            yield Block(4, _nothing)
            yield from self.text(said, size=9, colour=QUIET)

    def step(self, number: int, step: Step) -> Iterator[Block]:
        title = fit(self.set(step.title), SEMIBOLD, COLUMN - 34 - 80, ((11, 2), (9.5, 9)))
        time = self.set(duration(step.minutes))

        def draw(canvas: Canvas, top: float) -> None:
            canvas.setFillColor(ACTION)
            canvas.circle(LEFT + 9, top - 8, 9, stroke=0, fill=1)
            canvas.setFillColor(white)
            canvas.setFont(SEMIBOLD, 9)
            canvas.drawCentredString(LEFT + 9, top - 11.2, str(number))
            draw_lines(canvas, title, LEFT + 28, top - 4, INK)
            canvas.setFillColor(QUIET)
            canvas.setFont(REGULAR, 9)
            canvas.drawRightString(RIGHT, top - 4 - 9 * CAPITALS, time)

        yield Block(max(title.height + 8, 20), draw, keeps=True)
        said = []
        if step.leads_to:
            said.append(_("Leads to: %(names)s.") % {"names": "; ".join(step.leads_to)})
        if step.needed_by:
            said.append(_("Comes before: %(names)s.") % {"names": "; ".join(step.needed_by)})
        yield from self.text(" ".join(said), size=9, colour=QUIET, x=LEFT + 28, width=COLUMN - 28, after=8)
        if not said:
            yield Block(2, _nothing)

    def about(self, card: RoleCard) -> Iterator[Block]:
        yield from self.heading(_("Where this comes from"), 12, above=18)
        lines = [card.framework, card.licence, card.attribution, card.source]
        if self.changed:
            lines.append(
                _(
                    "This document's typeface lacks some letters; they are set in Latin ones. "
                    "The originals are shown on the page of the role."
                )
            )
        for line in lines:
            yield from self.text(line, size=8.5, colour=QUIET, after=1)


def _nothing(canvas: Canvas, top: float) -> None:
    """Air."""


def _lines(fitted: Fitted, x: float, colour: Color) -> Callable[[Canvas, float], None]:
    def draw(canvas: Canvas, top: float) -> None:
        draw_lines(canvas, fitted, x, top, colour)

    return draw


def _rule(canvas: Canvas, y: float) -> None:
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.8)
    canvas.line(LEFT, y, RIGHT, y)


def _draw_head(canvas: Canvas, card: RoleCard) -> None:
    canvas.setFillColor(ACTION)
    canvas.rect(0, HEIGHT - BAND, WIDTH, BAND, stroke=0, fill=1)
    width = COLUMN - SQUARE - 24
    canvas.setFillColor(white)
    canvas.setFont(SEMIBOLD, 10)
    canvas.drawString(LEFT, HEIGHT - 36, _("Role card").upper(), charSpace=2)
    title = fit(settable(card.title)[0], SEMIBOLD, width, TITLE_STEPS)
    bottom = draw_lines(canvas, title, LEFT, HEIGHT - 48, white)
    if card.eyebrow:
        eyebrow = fit(settable(card.eyebrow)[0], REGULAR, width, ((10.5, 1), (9, 1), (7.5, 2)))
        draw_lines(canvas, eyebrow, LEFT, bottom - 6, white)
    draw_qr(canvas, card.url, RIGHT - SQUARE, HEIGHT - BAND + 32, SQUARE)
    address = fit(_plain(card.url), REGULAR, SQUARE, ((7.5, 1), (6.5, 1), (5.5, 2), (4.5, 3)))
    draw_lines(canvas, address, RIGHT - SQUARE, HEIGHT - BAND + 25, white)


def _plain(url: str) -> str:
    return url.split("://", 1)[-1].rstrip("/")


def _draw_running_head(canvas: Canvas, card: RoleCard) -> None:
    title = fit(settable(card.title)[0], SEMIBOLD, COLUMN, ((9, 1), (7, 1), (5, 2)))
    draw_lines(canvas, title, LEFT, HEIGHT - 34, QUIET)
    _rule(canvas, HEIGHT - 48)


def _draw_foot(canvas: Canvas, card: RoleCard, number: int, count: int) -> None:
    _rule(canvas, FOOT - 20)
    said = _joined((card.framework, card.licence, date_format(card.dated, "DATE_FORMAT")))
    draw_lines(canvas, fit(settable(said)[0], REGULAR, COLUMN - 80, ((8, 1), (7, 2), (5, 4))), LEFT, FOOT - 28, QUIET)
    canvas.setFillColor(QUIET)
    canvas.setFont(REGULAR, 8)
    pages = _("%(number)s of %(count)s") % {"number": number, "count": count}
    canvas.drawRightString(RIGHT, FOOT - 28 - 8 * CAPITALS, pages)


def _joined(parts: Iterable[str]) -> str:
    return " · ".join(part for part in parts if part)
