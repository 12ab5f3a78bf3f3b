"""A result as a spreadsheet, and on two pages of paper. They hold what the page holds, never more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO

import xlsxwriter
from django.utils import formats
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from reportlab.lib.colors import Color
from reportlab.lib.pagesizes import A4

from organisations.paper import ACTION, INK, LINE, QUIET, REGULAR, SEMIBOLD, Sheet, settable, sheet, wrap
from readiness.enums import WaveKind
from readiness.models import Action
from readiness.result_words import figure_words, share, since_range, since_words
from readiness.results import Figure, Map, Result, Since, change_drawn

MARGIN = 50.0
COLUMNS_ON_PAPER = 9


# --- Spreadsheet -----------------------------------------------------------------------------------------------------
def result_workbook(result: Result, below: Map | None) -> bytes:
    """Sheets: figures, statements, and the units below. Same result, same bytes."""
    buffer = BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    figures = book.add_worksheet(_("Figures")[:31])
    heads = [
        _("Block"),
        _("People"),
        _("Score (0 to 100)"),
        _("Give or take"),
        _("Unfavourable"),
        _("Neutral"),
        _("Favourable"),
        _("Since the survey before"),
        _("Change in points"),
        _("at least"),
        _("at most"),
    ]
    figures.write_row(0, 0, [result.initiative, result.shown.name], bold)
    figures.write_row(1, 0, [_answered(result), _closed(result)])
    figures.write_row(3, 0, heads, bold)
    for row, figure in enumerate(result.figures, start=4):
        figures.write(row, 0, figure.title, wrapped)
        figures.write_row(
            row,
            1,
            [
                _or_few(figure.n),
                _or_few(figure.score),
                _or_few(figure.margin),
                *_share_words(figure),
                since_words(figure.since) or _no_change(result),
                *_change_of(figure.since),
            ],
        )
    figures.set_column(0, 0, 44)
    figures.set_column(1, 10, 16)
    statements = book.add_worksheet(_("Statements")[:31])
    statements.write_row(
        0, 0, [_("Block"), _("Statement"), _("People"), _("Unfavourable"), _("Neutral"), _("Favourable")], bold
    )
    row = 1
    for figure in result.figures:
        for item in figure.items:
            shares = item.shares
            statements.write_row(
                row,
                0,
                [
                    figure.title,
                    item.text,
                    shares.n,
                    share(shares.unfavourable),
                    share(shares.neutral),
                    share(shares.favourable),
                ],
                wrapped,
            )
            row += 1
    if row == 1:
        statements.write(1, 0, _("Here fewer than ten answered each of them."))
    statements.set_column(0, 0, 30)
    statements.set_column(1, 1, 70)
    statements.set_column(2, 5, 16)
    if below is not None:
        units = book.add_worksheet(_("Units")[:31])
        units.write_row(0, 0, [_("Unit"), _("People"), *(title for _code, title in below.blocks)], bold)
        for at, unit in enumerate(below.rows, start=1):
            units.write_row(
                at, 0, [unit.node.name, unit.n or _("too few"), *(_or_few(cell.score) for cell in unit.cells)]
            )
        units.set_column(0, 0, 44)
        units.set_column(1, 1 + len(below.blocks), 16)
    book.set_properties({"title": result.initiative, "created": _dated(result)})
    book.close()
    return buffer.getvalue()


def _dated(result: Result) -> datetime:
    return datetime(result.closed_on.year, result.closed_on.month, result.closed_on.day)


def _or_dash(value: int | None) -> int | str:
    return "–" if value is None else value


def _no_change(result: Result) -> str:
    """Why nothing is said of a change."""
    return _("no survey before") if result.compared_with is None else _("not asked alike")


def _change_of(since: Since | None) -> list[int | str]:
    """The change and where it may lie, in points; why not where there is none."""
    if since is None:
        return ["", "", ""]
    return [_or_few(value) for value in (since.points, since.low, since.high)]


def _or_few(value: int | None) -> int | str:
    """A figure that is not shown says why."""
    return _("too few") if value is None else value


def _share_words(figure: Figure) -> list[str]:
    if figure.shares is None:
        return ["–", "–", "–"]
    return [share(part) for part in (figure.shares.unfavourable, figure.shares.neutral, figure.shares.favourable)]


def _answered(result: Result) -> str:
    said = ngettext("%(n)s of %(asked)s person answered", "%(n)s of %(asked)s people answered", result.eligible)
    return said % {"n": result.n, "asked": result.eligible}


def _closed(result: Result) -> str:
    values = {"kind": WaveKind(result.kind).label, "day": formats.date_format(result.closed_on, "DATE_FORMAT")}
    return _("%(kind)s, closed on %(day)s") % values


# --- Paper -----------------------------------------------------------------------------------------------------------
def result_pdf(result: Result, below: Map | None, actions: Sequence[Action]) -> bytes:
    """Two pages: the blocks with their margins and changes; then what is done about it and the units below."""
    with sheet(size=A4, language=get_language() or "en", dated=result.closed_on) as paper:
        paper.canvas.setTitle(f"{result.initiative} – {result.shown.name}")
        _first_page(paper, result)
        paper.canvas.showPage()
        _second_page(paper, result, below, actions)
        paper.canvas.showPage()
        return paper.content()


def _write(
    paper: Sheet,
    x: float,
    y: float,
    text: str,
    size: float = 10,
    font: str = REGULAR,
    colour: Color = INK,
    width: float = 495,
    most: int = 3,
) -> float:
    """Lines of text from the left edge at `x` downwards; returns where the next line stands."""
    paper.canvas.setFillColor(colour)
    for line in wrap(settable(text)[0], font, size, width)[:most]:
        paper.canvas.setFont(font, size)
        paper.canvas.drawString(x, y, line)
        y -= size * 1.4
    return y


def _first_page(paper: Sheet, result: Result) -> None:
    _width, height = A4
    y = _write(paper, MARGIN, height - 70, result.initiative, 18, SEMIBOLD)
    y = _write(paper, MARGIN, y - 2, result.shown.name, 13)
    y = _write(paper, MARGIN, y, f"{_answered(result)} · {_closed(result)}", 10, colour=QUIET)
    if result.is_of_above:
        values = {"k": result.k, "name": result.shown.name, "unit": result.asked_for.name}
        y = _write(paper, MARGIN, y, _("Fewer than %(k)s answers in %(unit)s; you see %(name)s.") % values, 10)
    if result.describes_few:
        y = _write(paper, MARGIN, y, _("Fewer than half answered: this describes those who did."), 10)
    elif result.has_silent_part:
        y = _write(paper, MARGIN, y, _("In a part of it fewer than three in ten answered."), 10)
    y -= 10
    gap = min(46.0, (y - 70) / max(1, len(result.figures)))
    for figure in result.figures:
        _write(paper, MARGIN, y, figure.title, 10, SEMIBOLD, width=230, most=2)
        _bar(paper, 300, y - 2, figure)
        words = [figure_words(figure), _people(figure), since_words(figure.since)]
        _write(paper, 300, y - 18, " · ".join(word for word in words if word), 8, colour=QUIET, width=250, most=2)
        y -= gap
    _foot(paper, result)


def _people(figure: Figure) -> str:
    if figure.score is None or figure.n is None:
        return ""
    return ngettext("%(n)s person", "%(n)s people", figure.n) % {"n": figure.n}


def _bar(paper: Sheet, x: float, y: float, figure: Figure) -> None:
    canvas, wide = paper.canvas, 245.0
    canvas.setFillColor(LINE)
    canvas.rect(x, y, wide, 10, stroke=0, fill=1)
    if figure.score is None:
        return
    canvas.setFillColor(ACTION)
    canvas.rect(x, y, wide * figure.score / 100, 10, stroke=0, fill=1)
    if figure.margin is not None:
        low, high = max(0, figure.score - figure.margin), min(100, figure.score + figure.margin)
        canvas.setStrokeColor(INK)
        canvas.setLineWidth(1.6)
        canvas.line(x + wide * low / 100, y + 5, x + wide * high / 100, y + 5)


def _change_line(paper: Sheet, y: float, figure: Figure) -> float:
    """A block, its change in words, and the change as a point with its range; the line in the middle is no change."""
    canvas, x, wide = paper.canvas, 430.0, 115.0
    _write(paper, MARGIN, y, figure.title, 8, width=170, most=1)
    words = [since_words(figure.since) or _("not asked alike"), since_range(figure.since)]
    _write(paper, 225, y, ", ".join(word for word in words if word), 8, colour=QUIET, width=200, most=1)
    canvas.setFillColor(LINE)
    canvas.rect(x, y - 1, wide, 8, stroke=0, fill=1)
    canvas.setStrokeColor(QUIET)
    canvas.setLineWidth(0.6)
    canvas.line(x + wide / 2, y - 3, x + wide / 2, y + 9)
    drawn = change_drawn(figure.since) if figure.since is not None else None
    if drawn is not None:
        low, point, high = (x + wide * at for at in drawn)
        canvas.setStrokeColor(INK)
        canvas.setLineWidth(1.4)
        canvas.line(low, y + 3, high, y + 3)
        canvas.setFillColor(ACTION)
        canvas.circle(point, y + 3, 2.6, stroke=0, fill=1)
    return y - 14


def _second_page(paper: Sheet, result: Result, below: Map | None, actions: Sequence[Action]) -> None:
    _width, height = A4
    y = _write(paper, MARGIN, height - 70, _("What we do about it"), 14, SEMIBOLD)
    for action in actions[:6]:
        y = _write(paper, MARGIN, y - 4, action.text, 10, SEMIBOLD, most=2)
        values = {"name": action.owner, "day": formats.date_format(action.due_on, "DATE_FORMAT")}
        said = _("%(name)s, by %(day)s.") % values
        y = _write(paper, MARGIN, y, f"{said} {action.get_status_display()}", 9, colour=QUIET)
        y = _write(
            paper, MARGIN, y, _("You will notice: %(what)s") % {"what": action.what_staff_will_notice}, 9, most=2
        )
    if not actions:
        y = _write(paper, MARGIN, y - 4, _("Nothing is agreed yet."), 10)
    if result.compared_with is not None:
        day = formats.date_format(result.compared_with, "DATE_FORMAT")
        y = _write(paper, MARGIN, y - 14, _("Change since %(day)s") % {"day": day}, 14, SEMIBOLD)
        for figure in result.figures:
            if y < 90:
                y = _write(paper, MARGIN, y, _("The rest is in the spreadsheet."), 8, colour=QUIET)
                break
            y = _change_line(paper, y, figure)
    if below is not None and len(below.rows) > 1:
        y = _write(paper, MARGIN, y - 14, _("Units"), 14, SEMIBOLD)
        said = _(
            "Figures of units are drawn towards the whole here; those counted stand with the results of each unit."
        )
        y = _write(paper, MARGIN, y, said + " " + _("“–”: too few answers."), 8, colour=QUIET)
        blocks = below.blocks[:COLUMNS_ON_PAPER]
        wide = 330.0 / max(1, len(blocks))
        for at, (_code, title) in enumerate(blocks):
            _write(paper, 215 + at * wide, y, title, 6, colour=QUIET, width=wide - 3, most=3)
        y -= 28
        for row in below.rows:
            if y < 80:
                _write(paper, MARGIN, y, _("More units are in the spreadsheet."), 8, colour=QUIET)
                break
            _write(paper, MARGIN, y, row.node.name, 8, width=160, most=1)
            for at, cell in enumerate(row.cells[:COLUMNS_ON_PAPER]):
                _write(paper, 215 + at * wide, y, str(_or_dash(cell.score)), 8, width=wide)
            y -= 14
    _foot(paper, result)


def _foot(paper: Sheet, result: Result) -> None:
    said = _("Scores from 0 to 100, rounded; no figure is about fewer than %(k)s people. Not used for appraisal.")
    _write(paper, MARGIN, 46, said % {"k": result.k}, 8, colour=QUIET)
