"""The plain design: A4 upright, from top to bottom, hardly any ink. For the file, for the printer in the office."""

from __future__ import annotations

from django.utils.translation import gettext as _
from reportlab.lib.pagesizes import A4

from certificates.pdf.drawing import Desk, Picture, fitted
from certificates.pdf.palette import INK, LINE, QUIET
from certificates.pdf.typesetting import STRONG, TEXT, clip, fit
from certificates.pdf.wording import Wording

WIDTH, HEIGHT = A4
LEFT, RIGHT = 64.0, WIDTH - 64.0
COLUMN = RIGHT - LEFT
TOP, FOOT = HEIGHT - 54.0, 52.0
SQUARE = 96.0
MOST_OUTCOMES = 12
NAME_STEPS = ((30, 1), (26, 1), (24, 2), (20, 2), (17, 3), (14, 3), (11, 6), (8, 14))
TITLE_STEPS = ((20, 1), (18, 2), (15, 2), (13, 3), (10, 4), (8, 12))


def draw(desk: Desk, words: Wording, picture: Picture | None) -> None:
    words.show_outcomes(MOST_OUTCOMES)
    colours = desk.palette
    desk.rule(0, HEIGHT - 4, WIDTH, colours.base, 8)
    y = TOP
    room = COLUMN
    if picture is not None:
        width, height = fitted(picture, 150, 44)
        desk.logo(picture, words.issuer, RIGHT - width, y - height, width, height)
        room -= width + 20
    issuer = fit(words.issuer, STRONG, room, ((13, 2), (11, 3), (9, 4)))
    desk.write(issuer, LEFT, y - 6, INK)
    y -= max(issuer.height + 6, 44) + 34
    y = desk.write(fit(_("Certificate"), STRONG, COLUMN, ((15, 1),)), LEFT, y, colours.strong, role="H1") - 22
    y = desk.write(fit(_("This is to certify that"), TEXT, COLUMN, ((11.5, 1),)), LEFT, y, QUIET) - 11
    y = desk.write(fit(words.holder or "–", STRONG, COLUMN, NAME_STEPS, 1.2), LEFT, y, INK) - 13
    y = desk.write(fit(words.sentence, TEXT, COLUMN, ((11.5, 1), (10.5, 2))), LEFT, y, QUIET) - 11
    title = fit(words.title or "–", STRONG, COLUMN, TITLE_STEPS, 1.2)
    y = desk.write(title, LEFT, y, colours.strong, role="H2", language=words.claim.title_language) - 12
    if words.criteria:
        y = desk.write(clip(words.criteria, TEXT, COLUMN, ((10, 2), (9, 3)), 1.35), LEFT, y, QUIET) - 12
    y = _draw_facts(desk, words, y - 8)
    floor = FOOT + SQUARE + 26 + (84 if words.signatories else 0)
    if words.outcomes:
        _draw_outcomes(desk, words, y - 22, floor)
    if words.signatories:
        _draw_signatories(desk, words, FOOT + SQUARE + 72)
    _draw_check(desk, words)


def _draw_facts(desk: Desk, words: Wording, top: float) -> float:
    desk.rule(LEFT, top, COLUMN, LINE, 0.7)
    column = COLUMN / len(words.facts)
    for index, fact in enumerate(words.facts):
        x = LEFT + index * column
        foot = desk.write(clip(fact.label, TEXT, column - 8, ((8.5, 1), (7, 2))), x, top - 9, QUIET)
        desk.write(clip(fact.value, STRONG, column - 8, ((10.5, 1), (9.5, 1), (8, 2))), x, foot - 4, INK)
    desk.rule(LEFT, top - 40, COLUMN, LINE, 0.7)
    return top - 40


def _draw_outcomes(desk: Desk, words: Wording, top: float, floor: float) -> None:
    y = desk.write(fit(words.heading, STRONG, COLUMN, ((11, 1), (9.5, 2))), LEFT, top, INK, role="H2") - 6
    height = min((y - floor - 12) / len(words.outcomes), 25.0)
    wide = height >= 17
    size = 10.0 if wide else max(height * 0.55, 5.0)
    middle = LEFT + COLUMN * 0.50
    with desk.page.group("L"):
        for shown in words.outcomes:
            base = y - height / 2
            room = COLUMN * 0.5 - 14 if shown.level else COLUMN
            steps = ((size, 1), (size * 0.88, 2 if height > 22 else 1), (size * 0.72, 2 if wide else 1))
            title = clip(shown.title, STRONG, room, steps, 1.15)
            with desk.page.group("LI"), desk.page.group("LBody"):
                desk.write(title, LEFT, base + title.height / 2 - title.size * 0.11, INK, language=shown.language)
                if shown.level is not None:
                    desk.segments(shown, middle, base - 3, 66, min(6, height * 0.4))
                    standing = clip(
                        shown.standing,
                        TEXT,
                        RIGHT - middle - 76,
                        ((size * 0.88, 1), (size * 0.75, 1), (size * 0.65, 1)),
                    )
                    desk.write(standing, middle + 76, base + standing.size * 0.36, QUIET)
            y -= height
            desk.rule(LEFT, y, COLUMN, LINE, 0.5)
    desk.write(clip(words.footnote, TEXT, COLUMN, ((7.5, 1), (6.5, 2))), LEFT, y - 5, QUIET)


def _draw_signatories(desk: Desk, words: Wording, top: float) -> None:
    column = COLUMN / max(len(words.signatories), 2)
    width = column - 18
    for index, (name, title) in enumerate(words.signatories):
        x = LEFT + index * column
        desk.rule(x, top - 6, width, INK, 0.6)
        foot = desk.write(clip(name, STRONG, width, ((10, 1), (9, 1), (8, 2))), x, top - 12, INK)
        if title:
            desk.write(clip(title, TEXT, width, ((8.5, 1), (8, 2), (7, 2)), 1.2), x, foot - 2, QUIET)


def _draw_check(desk: Desk, words: Wording) -> None:
    desk.rule(LEFT, FOOT + SQUARE + 6, COLUMN, LINE, 0.7)
    quiet = SQUARE * 0.1
    box = (LEFT - quiet, FOOT - 4, LEFT - quiet + SQUARE, FOOT - 4 + SQUARE)
    desk.square(words.claim.url, box[0], box[1], SQUARE)
    x, room = LEFT + SQUARE + 4, COLUMN - SQUARE - 4
    y = FOOT + SQUARE - 18
    y = desk.write(clip(_("Check this certificate"), TEXT, room, ((9, 1), (7, 2))), x, y, QUIET) - 5
    y = desk.write(fit(words.code, STRONG, room, ((16, 1), (12, 1))), x, y, INK) - 4
    address = fit(words.address, TEXT, room, ((9.5, 1), (8, 1), (7, 2), (6, 3)))
    y = desk.address(address, x, y, desk.palette.strong, words.claim.url, box) - 6
    desk.write(clip(words.number, TEXT, room, ((9, 1), (8, 1), (7, 2))), x, y, QUIET)
    if words.note:
        desk.write(clip(words.note, TEXT, COLUMN, ((7, 1), (6.5, 2))), LEFT, FOOT - 12, QUIET)
