"""The design worth hanging on a wall: A4 across, a frame of fine lines, everything about one axis.

From the top: who issues it, what it is, for whom, what for; below, the competencies, the dates, and on the last line
the QR code beside the signatures. What is short gets air, what is long gets smaller, and nothing is left out but
outcomes beyond twelve and criteria beyond three lines; both are shown where the certificate is checked.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from reportlab.lib.pagesizes import A4

from certificates.pdf.drawing import Desk, Picture, fitted, frame, rosette
from certificates.pdf.palette import INK, QUIET, mixed
from certificates.pdf.typesetting import DISPLAY, STRONG, TEXT, Block, clip, fit
from certificates.pdf.wording import Wording
from organisations.paper import CAPITALS

HEIGHT, WIDTH = A4
MIDDLE = WIDTH / 2
INSET, DEPTH = 20.0, 12.0
LEFT, RIGHT = 58.0, WIDTH - 58.0
TOP, FOOT = HEIGHT - 56.0, 47.0
COLUMN = RIGHT - LEFT
TEXT_COLUMN = 560.0
MOST_OUTCOMES = 12
SQUARE = 84.0
LAST = 236.0  # where the signatures begin, right of the QR code and its words

NAME_STEPS = ((42, 1), (38, 1), (34, 1), (30, 1), (28, 2), (24, 2), (20, 2), (17, 3), (14, 3), (12, 9))
TITLE_STEPS = ((25, 1), (22, 1), (20, 2), (17, 2), (14, 3), (12, 3), (10, 9))
SMALLER = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)


@dataclass(frozen=True)
class _Centre:
    """What stands in the middle, from the top down, at one scale."""

    heading: Block
    name: Block
    sentence: Block
    title: Block
    criteria: Block | None

    @property
    def height(self) -> float:
        total = self.heading.height + 11 + self.name.height + self.sentence.height + self.title.height
        return total + (self.criteria.height if self.criteria else 0)

    @property
    def gaps(self) -> int:
        return 5 if self.criteria else 4


def draw(desk: Desk, words: Wording, picture: Picture | None) -> None:
    words.show_outcomes(MOST_OUTCOMES)
    colours = desk.palette
    frame(desk, mixed(colours.soft, colours.strong, 0.3), colours.strong, (WIDTH, HEIGHT), INSET, DEPTH)
    rosette(desk, colours.faint, MIDDLE, HEIGHT * 0.55, 205)
    top = _draw_issuer(desk, words, picture)
    floor = FOOT + SQUARE + 14 + (42 if words.signatories else 0) + _outcomes_height(words)
    _draw_centre(desk, words, top, floor)
    y = FOOT + SQUARE + 14 + (42 if words.signatories else 0) + _outcomes_height(words)
    if words.outcomes:
        _draw_outcomes(desk, words, y)
    if words.signatories:
        desk.rule(LEFT, FOOT + SQUARE + 46, COLUMN, colours.soft, 0.5)
        _draw_facts(desk, words, LEFT, COLUMN, FOOT + SQUARE + 37)
        _draw_signatories(desk, words)
    else:
        desk.rule(LEFT, FOOT + SQUARE + 6, COLUMN, colours.soft, 0.5)
        _draw_facts(desk, words, LEFT + LAST, COLUMN - LAST, FOOT + SQUARE / 2 + 14)
    _draw_check(desk, words)


def _draw_issuer(desk: Desk, words: Wording, picture: Picture | None) -> float:
    y = TOP
    if picture is not None:
        width, height = fitted(picture, 190, 40)
        desk.logo(picture, words.issuer, MIDDLE - width / 2, y - height, width, height)
        y -= height + 9
        block = fit(words.issuer, STRONG, COLUMN - 60, ((11, 1), (10, 1), (9, 2), (7.5, 3)))
    else:
        block = fit(words.issuer, STRONG, COLUMN - 60, ((15, 1), (13, 1), (11, 2), (9, 3)))
    return desk.write(block, MIDDLE, y, INK, align="middle") - 4


def _centre(words: Wording, scale: float, criteria: int) -> _Centre:
    def scaled(steps: tuple[tuple[float, int], ...], scale: float) -> tuple[tuple[float, int], ...]:
        return tuple((round(size * scale, 2), most) for size, most in steps if size * scale >= 6) or steps[-1:]

    said = None
    if criteria and words.criteria:
        steps = ((9.5, 1), (9, 2), (8.5, criteria)) if criteria > 1 else ((9, 1), (8, 1))
        said = clip(words.criteria, TEXT, TEXT_COLUMN - 40, steps, 1.35)
    return _Centre(
        fit(_("Certificate"), DISPLAY, COLUMN, ((round(29 * max(scale, 0.72), 1), 1),)),
        fit(words.holder or "–", DISPLAY, COLUMN - 20, scaled(NAME_STEPS, scale**0.6), 1.15),
        fit(words.sentence, TEXT, TEXT_COLUMN, ((12.5, 1), (11, 2))),
        fit(words.title or "–", DISPLAY, COLUMN - 60, scaled(TITLE_STEPS, scale), 1.2),
        said,
    )


def _draw_centre(desk: Desk, words: Wording, top: float, floor: float) -> None:
    room = top - floor
    tried = [(scale, criteria) for scale in SMALLER for criteria in (3, 1)]
    for scale, criteria in [*tried, (SMALLER[-1], 0)]:
        centre = _centre(words, scale, criteria)
        if centre.height + 7.5 * (centre.gaps + 1) + 6 <= room:
            break
    spare = room - centre.height
    gap = min(max(spare / (centre.gaps + 2), 2), 19)
    y = top - max((spare - gap * centre.gaps - 6) / 2, 2)
    colours = desk.palette
    y = desk.write(centre.heading, MIDDLE, y, colours.strong, role="H1", align="middle", spaced=4) - gap * 0.75
    intro = fit(_("This is to certify that"), TEXT, COLUMN, ((12, 1),))
    y = desk.write(intro, MIDDLE, y, QUIET, align="middle") - gap * 0.95
    y = desk.write(centre.name, MIDDLE, y, INK, align="middle") - gap * 0.45
    desk.rule(MIDDLE - 60, y, 120, colours.strong, 1)
    y -= gap * 0.75
    y = desk.write(centre.sentence, MIDDLE, y, QUIET, align="middle") - gap * 0.8
    y = desk.write(
        centre.title, MIDDLE, y, colours.strong, role="H2", align="middle", language=words.claim.title_language
    )
    if centre.criteria:
        desk.write(centre.criteria, MIDDLE, y - gap * 0.7, QUIET, align="middle")


# --- Competencies ------------------------------------------------------------------------------------------------
def _grid(count: int) -> tuple[int, int, float]:
    """Columns, rows and the height of a row."""
    if count <= 3:
        return max(count, 1), 1, 36.0
    if count == 4:
        return 2, 2, 31.0
    rows = -(-count // 3)
    return 3, rows, {2: 31.0, 3: 28.0}.get(rows, 27.0)


def _outcomes_height(words: Wording) -> float:
    if not words.outcomes:
        return 0
    _columns, rows, height = _grid(len(words.outcomes))
    return 20 + rows * height + 8


def _draw_outcomes(desk: Desk, words: Wording, top: float) -> None:
    colours = desk.palette
    columns, _rows, height = _grid(len(words.outcomes))
    heading = fit(words.heading, STRONG, COLUMN, ((9.5, 1), (8, 2)))
    desk.write(heading, MIDDLE, top - 4, QUIET, role="H2", align="middle")
    for start in (LEFT, MIDDLE + heading.width / 2 + 14):
        desk.rule(start, top - 7.4, MIDDLE - heading.width / 2 - 14 - LEFT, colours.soft, 0.5)
    column = min(COLUMN / columns, 300 if columns < 3 else COLUMN / 3)
    left = MIDDLE - column * columns / 2
    room = column - 22
    steps = ((10.5, 1), (9.5, 1), (9, 1), (8, 2)) if height > 30 else ((9, 1), (8, 1), (7, 2))
    with desk.page.group("L"):
        for index, shown in enumerate(words.outcomes):
            row, place = divmod(index, columns)
            x, y = left + place * column + 11, top - 21 - row * height
            with desk.page.group("LI"), desk.page.group("LBody"):
                alone = shown.level is None
                title = clip(shown.title, STRONG, room, ((10.5, 1), (9.5, 2), (8, 2)) if alone else steps, 1.15)
                if columns == 1:
                    x = MIDDLE - max(min(title.width, room), 170) / 2
                foot = desk.write(title, x, y, INK, language=shown.language)
                if shown.level is not None:
                    desk.segments(shown, x, foot - 8, 62, 5.5)
                    standing = clip(shown.standing, TEXT, room - 70, ((8.5, 1), (7.5, 1), (6.5, 1)))
                    desk.write(standing, x + 69, foot - 2.2, QUIET)
    footnote = clip(words.footnote, TEXT, COLUMN - 20, ((7.5, 1), (6.5, 2)))
    desk.write(footnote, MIDDLE, top - _outcomes_height(words) + 6, QUIET, align="middle")


# --- The last line -----------------------------------------------------------------------------------------------
def _draw_facts(desk: Desk, words: Wording, left: float, width: float, top: float) -> None:
    column = width / len(words.facts)
    for index, fact in enumerate(words.facts):
        x = left + index * column + column / 2
        label = fit(fact.label, TEXT, column - 8, ((8.5, 1), (7, 2)))
        value = fit(fact.value, STRONG, column - 8, ((11, 1), (9.5, 1), (8, 2)))
        foot = desk.write(label, x, top, QUIET, align="middle")
        desk.write(value, x, foot - 3, INK, align="middle")


def _draw_signatories(desk: Desk, words: Wording) -> None:
    count = len(words.signatories)
    column = (COLUMN - LAST) / count
    width = min(column - 20, 210)
    for index, (name, title) in enumerate(words.signatories):
        x = LEFT + LAST + index * column + column / 2
        desk.rule(x - width / 2, FOOT + 38, width, INK, 0.6)
        foot = desk.write(clip(name, STRONG, width, ((10.5, 1), (9.5, 1), (8.5, 2))), x, FOOT + 31, INK, align="middle")
        if title:
            desk.write(clip(title, TEXT, width, ((8.5, 1), (8, 2)), 1.2), x, foot - 2, QUIET, align="middle")


def _draw_check(desk: Desk, words: Wording) -> None:
    left, room = LEFT + SQUARE + 4, LAST - SQUARE - 14
    quiet = SQUARE * 0.1  # the QR code's own margin: its modules align with the text column
    desk.square(words.claim.url, LEFT - quiet, FOOT - 6, SQUARE)
    box = (LEFT - quiet, FOOT - 6, LEFT - quiet + SQUARE, FOOT - 6 + SQUARE)
    y = FOOT + SQUARE - 20
    y = desk.write(clip(_("Check this certificate"), TEXT, room, ((8.5, 1), (7, 2))), left, y, QUIET) - 4
    y = desk.write(fit(words.code, STRONG, room, ((14, 1), (12, 1))), left, y, INK) - 3
    address = fit(words.address, TEXT, room, ((8.5, 1), (7.5, 1), (6.5, 1), (6, 3)))
    y = desk.address(address, left, y, desk.palette.strong, words.claim.url, box) - 4
    desk.write(clip(words.number, TEXT, room, ((8, 1), (7, 1), (6.5, 2))), left, y, QUIET)
    if words.note:
        # Beside the place of a visible signature (signing.STRIP).
        note = clip(words.note, TEXT, COLUMN - 240, ((6.5, 1), (6, 1), (5.5, 1)))
        desk.write(note, LEFT, INSET + DEPTH + 4 + note.size * CAPITALS, QUIET)
