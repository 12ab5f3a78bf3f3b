"""A certificate on paper: A4 landscape, drawn from its record alone.

The same record gives the same bytes (and so does the same release of ReportLab and of the fonts). Letters that
Noto Sans lacks are written in Latin letters, and the document says so; nothing is drawn as an empty box.
Speed and what it costs: docs/decisions/0006-certificates.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from reportlab.lib.colors import HexColor, white
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfgen.canvas import Canvas

from certificates import codes
from certificates.record import Claim, Level, Outcome
from certificates.words import date_in_words, duration_in_words, level_in_words, outcomes_heading
from organisations.paper import (
    ACTION,
    ACTION_DIM,
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
    rounded,
    settable,
    sheet,
)

# Tints of the action colour for the picture on the strip.
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


def render_pdf(claim: Claim) -> bytes:
    """The document of a certificate, in the language of its claim."""
    # The day of issue, not of drawing: the same record gives the same bytes.
    with sheet(size=(WIDTH, HEIGHT), language=claim.language, dated=claim.issued_on) as paper:
        canvas = paper.canvas
        canvas.setTitle(_("Certificate: %(course)s, %(name)s") % {"course": claim.title, "name": claim.holder})
        canvas.setAuthor(claim.issuer)
        canvas.setSubject(
            _("Certificate %(serial)s, to be checked at %(url)s") % {"serial": claim.serial, "url": claim.url}
        )
        canvas.setKeywords([claim.serial, codes.display(claim.code)])
        _draw(canvas, claim)
        canvas.showPage()
        return paper.content()


# --- Drawing -----------------------------------------------------------------------------------------------------
def _draw(canvas: Canvas, claim: Claim) -> None:
    """Label on top, facts at the foot, outcomes above the facts; name and course in the middle of what is left."""
    name, name_changed = settable(claim.holder)
    course, course_changed = settable(claim.title)
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
    y = draw_lines(canvas, intro, LEFT, y, QUIET) - 16 - air
    y = draw_lines(canvas, title, LEFT, y, INK) - 14 - air
    y = draw_lines(canvas, sentence, LEFT, y, QUIET) - 14 - air
    draw_lines(canvas, subject, LEFT, y, ACTION)
    outcomes.draw(canvas, floor)
    _draw_facts(canvas, claim)
    if name_changed or course_changed or outcomes.changed:
        note = _(
            "This document's typeface lacks some letters; they are set in Latin ones. "
            "The original is shown where the certificate is checked."
        )
        draw_lines(canvas, fit(note, REGULAR, COLUMN, ((7.5, 1), (7, 2))), LEFT, FOOT - 12, QUIET)
    _draw_panel(canvas, claim)


def _draw_panel(canvas: Canvas, claim: Claim) -> None:
    """Who issued it, a picture of rising levels, and how to check it."""
    canvas.setFillColor(ACTION)
    canvas.rect(0, 0, PANEL, HEIGHT, stroke=0, fill=1)
    issuer = fit(
        settable(claim.issuer)[0], SEMIBOLD, PANEL - MARGIN - 22, ((16, 3), (14, 4), (12, 5), (9, 9)), leading=1.3
    )
    draw_lines(canvas, issuer, MARGIN, TOP - 12 + issuer.size * CAPITALS, white)

    # The level bar, grown: five columns of segments, each a step higher than the one before.
    width, gap, height = (PANEL - 2 * MARGIN - 20) / 5, 5.0, 12.0
    for column, tint in enumerate(RISING):
        for row in range(5):
            canvas.setFillColor(tint if row <= column else ACTION_DIM)
            canvas.addLiteral(
                rounded(MARGIN + column * (width + gap), 268 + row * (height + gap), width, height, 2) + " f"
            )

    canvas.setFillColor(white)
    canvas.setFont(REGULAR, 9)
    canvas.drawString(MARGIN, 218, _("Check this certificate"))
    draw_qr(canvas, claim.url, MARGIN, 100, 108)
    canvas.setFillColor(white)
    canvas.setFont(SEMIBOLD, 15)
    canvas.drawString(MARGIN, 76, codes.display(claim.code), charSpace=0.8)
    address = claim.url.split("://", 1)[-1].rstrip("/").rsplit("/", 1)[0]
    draw_lines(canvas, fit(address, REGULAR, PANEL - MARGIN - 16, ((9, 1), (8, 1), (7, 2), (6, 3))), MARGIN, 68, white)
    canvas.setFont(REGULAR, 9)
    canvas.drawString(MARGIN, FOOT, _("No. %(serial)s") % {"serial": claim.serial})


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
        draw_lines(canvas, fit(self.footnote, REGULAR, COLUMN, ((8, 1), (7, 2))), LEFT, y - 8, QUIET)

    def _draw_wide(self, canvas: Canvas, row: _Row, top: float) -> None:
        middle = top - self.row_height / 2
        draw_lines(canvas, row.title, LEFT, middle + _half(row.title), INK)
        if row.level:
            draw_segments(
                canvas, row.level.step, row.level.steps, RIGHT - self.WORDS - 16 - self.BAR, middle - 4, self.BAR
            )
            label = fit(row.label, SEMIBOLD, self.WORDS, ((10, 1), (9, 1), (8, 1), (7, 2)))
            draw_lines(canvas, label, RIGHT - self.WORDS, middle + 10, INK)
            draw_lines(canvas, _standing(row.level, self.WORDS), RIGHT - self.WORDS, middle - 4, QUIET)
        _draw_rule(canvas, top - self.row_height)

    def _draw_narrow(self, canvas: Canvas, row: _Row, x: float, top: float) -> None:
        bottom = draw_lines(canvas, row.title, x, top - 7, INK)
        if row.level:
            draw_segments(canvas, row.level.step, row.level.steps, x, bottom - 11, 56)
            words = level_in_words(row.level, row.label)
            draw_lines(
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


def _draw_rule(canvas: Canvas, y: float) -> None:
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.8)
    canvas.line(LEFT, y, RIGHT, y)


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
        draw_lines(canvas, text, x, FOOT + text.size * CAPITALS, INK)
