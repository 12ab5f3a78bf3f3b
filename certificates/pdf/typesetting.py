"""Setting text by glyphs: shaping (HarfBuzz), right-to-left (UAX 9), lines that fit, and fonts embedded by glyph.

ReportLab sets characters one by one, which does for Latin, Greek and Cyrillic only. Here a text becomes lines of
glyphs with places, and a `FontUse` per face gathers which were used, so that the document holds just those.

Each glyph gets a number of its own for each text it stands for (a CID), so that copying gives back the letters even
where one shape serves several (Naskh draws beh, teh and theh as one shape with other dots). What has no letter of its
own, such as these dots, is drawn as an outline.
"""

from __future__ import annotations

import hashlib
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import uharfbuzz as hb
from bidi import algorithm as uax9
from django.conf import settings

from organisations.paper import CAPITALS, DESCENDERS

TEXT, STRONG, DISPLAY = "text", "strong", "display"
# For each style the faces in the order in which a letter is looked for.
_FILES = {
    TEXT: ("NotoSans_400Regular", "NotoNaskhArabic_400Regular", "NotoSansHebrew_400Regular"),
    STRONG: ("NotoSans_600SemiBold", "NotoNaskhArabic_600SemiBold", "NotoSansHebrew_600SemiBold"),
    DISPLAY: (
        "NotoSerifDisplay_600SemiBold",
        "NotoNaskhArabic_600SemiBold",
        "NotoSansHebrew_600SemiBold",
        "NotoSans_600SemiBold",
    ),
}
_KEPT = {"head", "hhea", "hmtx", "maxp", "loca", "glyf"}
_JOINERS = "\u200c\u200d"
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


class Face:
    """A TrueType file, read once in a process. Units are thousandths of the size: all our faces have 1000 to the em."""

    def __init__(self, file: str) -> None:
        whole = hb.Face(hb.Blob.from_file_path(str(settings.FONT_DIR / f"{file}.ttf")))
        if whole.upem != 1000:
            raise ValueError(f"{file} has not 1000 units to the em")
        family, _cut, weight = file.partition("_")
        self.name = f"{family}-{weight[3:]}"
        self.font = hb.Font(whole)
        self.letters = frozenset(whole.unicodes)
        extents = self.font.get_font_extents("ltr")
        self.ascender, self.descender = extents.ascender, extents.descender
        self.advances = [self.font.get_glyph_h_advance(glyph) for glyph in range(whole.glyph_count)]
        # What a PDF needs of it: without layout tables and hints a subset is made in a twentieth of a millisecond.
        keep = hb.SubsetInput()
        keep.glyph_set.update(range(whole.glyph_count))
        keep.flags = hb.SubsetFlags.RETAIN_GIDS | hb.SubsetFlags.NO_HINTING
        keep.drop_table_tag_set.update(_tag(table) for table in whole.table_tags if table not in _KEPT)
        self._lean = hb.Face(hb.Blob(hb.subset(whole, keep).blob.data))

    def subset(self, glyphs: Sequence[int]) -> bytes:
        """A TrueType file with these glyphs (and those they are made of) at their numbers."""
        keep = hb.SubsetInput()
        keep.glyph_set.update(glyphs)
        keep.flags = hb.SubsetFlags.RETAIN_GIDS | hb.SubsetFlags.NO_HINTING | hb.SubsetFlags.NOTDEF_OUTLINE
        content: bytes = hb.subset(self._lean, keep).blob.data
        return content

    @lru_cache(maxsize=1024)  # noqa: B019 - faces live as long as the process
    def outline(self, glyph: int) -> str:
        """The shape as PDF path operators, thousandths of the size."""
        pen = _Pen()
        self.font.draw_glyph_with_pen(glyph, pen)
        return " ".join(pen.operators)


class _Pen:
    """Takes the outline of a glyph; quadratic curves become cubic ones."""

    def __init__(self) -> None:
        self.operators: list[str] = []
        self._at = (0.0, 0.0)

    def moveTo(self, point: tuple[float, float]) -> None:
        self._at = point
        self.operators.append(f"{point[0]:g} {point[1]:g} m")

    def lineTo(self, point: tuple[float, float]) -> None:
        self._at = point
        self.operators.append(f"{point[0]:g} {point[1]:g} l")

    def qCurveTo(self, control: tuple[float, float], to: tuple[float, float]) -> None:
        first = [a + (c - a) * 2 / 3 for a, c in zip(self._at, control, strict=True)]
        second = [b + (c - b) * 2 / 3 for b, c in zip(to, control, strict=True)]
        self.curveTo((first[0], first[1]), (second[0], second[1]), to)

    def curveTo(self, first: tuple[float, float], second: tuple[float, float], to: tuple[float, float]) -> None:
        self._at = to
        self.operators.append(" ".join(f"{n:.1f}" for point in (first, second, to) for n in point) + " c")

    def closePath(self) -> None:
        self.operators.append("h")

    def endPath(self) -> None:
        """Outlines of fonts are always closed."""


def _tag(table: str) -> int:
    return int.from_bytes(table.encode(), "big")


@lru_cache(maxsize=32)
def face(file: str) -> Face:
    return Face(file)


@lru_cache(maxsize=8)
def _faces(style: str) -> tuple[Face, ...]:
    return tuple(face(file) for file in _FILES[style])


@lru_cache(maxsize=1)
def letters() -> frozenset[int]:
    """The characters that can be set in every style, joiners among them."""
    sets = [frozenset().union(*(one.letters for one in _faces(style))) for style in _FILES]
    return frozenset.intersection(*sets) | {ord(c) for c in _JOINERS}


# --- Shaping -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Glyph:
    """`text` is what it stands for when copied; empty for a part of a letter. Thousandths of the size."""

    number: int
    text: str
    advance: int
    dx: int
    dy: int


@dataclass(frozen=True)
class Run:
    """Glyphs of one face, from left to right."""

    face: Face
    glyphs: tuple[Glyph, ...]


@dataclass(frozen=True)
class Line:
    """A text ready to draw. `width` in thousandths of the size; `base` 1 where it is read from the right."""

    text: str
    runs: tuple[Run, ...]
    width: int
    base: int


@lru_cache(maxsize=8192)
def set_line(text: str, style: str) -> Line:
    """Shape a text of letters we have (paper.settable with `letters()`), in the order in which it is seen."""
    base, levels = _levels(text)
    pieces: list[tuple[int, Run]] = []
    for start, end in _spans(text, levels, style):
        backwards = levels[start] % 2 == 1
        pieces.append((levels[start], _shape(text[start:end], _face_of(text, start, style), backwards)))
    runs = tuple(_reordered(pieces))
    return Line(text, runs, sum(glyph.advance for run in runs for glyph in run.glyphs), base)


def _levels(text: str) -> tuple[int, Sequence[int]]:
    """Direction of the text and of each character (UAX 9): even from the left, odd from the right.

    Marks of direction count, but are not letters we have, so texts hold none. Joiners take the level of the letter
    before them; the algorithm itself would drop them.
    """
    if not any(unicodedata.bidirectional(c) in _RIGHT_TO_LEFT for c in text):
        return 0, [0] * len(text)
    kept = "".join(c for c in text if c not in _JOINERS)
    base = uax9.get_base_level(kept)
    storage = uax9.get_empty_storage()
    storage["base_level"], storage["base_dir"] = base, ("L", "R")[base]
    uax9.get_embedding_levels(kept, storage)
    uax9.explicit_embed_and_overrides(storage)
    uax9.resolve_weak_types(storage)
    uax9.resolve_neutral_types(storage, False)
    uax9.resolve_implicit_levels(storage, False)
    found = iter(storage["chars"])
    levels: list[int] = []
    for c in text:
        if c in _JOINERS:
            levels.append(levels[-1] if levels else base)
        else:
            levels.append(next(found)["level"])
    return base, levels


def _spans(text: str, levels: Sequence[int], style: str) -> Iterator[tuple[int, int]]:
    """Stretches of one level and one face."""
    start = 0
    for index in range(1, len(text) + 1):
        if (
            index == len(text)
            or levels[index] != levels[start]
            or _face_of(text, index, style) is not _face_of(text, start, style)
        ):
            if index > start:
                yield start, index
            start = index


def _face_of(text: str, index: int, style: str) -> Face:
    """The first face with the letter; signs, marks and spaces stay with the letter before where they can."""
    if text.isascii():
        return _faces(style)[0]
    c = text[index]
    if index and (unicodedata.category(c)[0] in "MZPN" or c in _JOINERS):
        before = _face_of(text, index - 1, style)
        if ord(c) in before.letters or c in _JOINERS:
            return before
    return next((one for one in _faces(style) if ord(c) in one.letters), _faces(style)[0])


def _shape(text: str, face: Face, backwards: bool) -> Run:
    buffer = hb.Buffer()
    buffer.cluster_level = hb.BufferClusterLevel.MONOTONE_CHARACTERS
    buffer.add_str(text)
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if backwards else "ltr"
    # A name is spelled, not adorned: no ligatures that tear letters from one another when copied.
    hb.shape(face.font, buffer, {} if backwards else {"liga": False, "clig": False})
    infos, positions = buffer.glyph_infos, buffer.glyph_positions
    places = sorted({info.cluster for info in infos})
    ends = dict(zip(places, [*places[1:], len(text)], strict=True))
    bearers: dict[int, int] = {}
    for index, info in enumerate(infos):
        best = bearers.get(info.cluster)
        if best is None or positions[index].x_advance > positions[best].x_advance:
            bearers[info.cluster] = index
    return Run(
        face,
        tuple(
            Glyph(
                info.codepoint,
                text[info.cluster : ends[info.cluster]] if bearers[info.cluster] == index else "",
                position.x_advance,
                position.x_offset,
                position.y_offset,
            )
            for index, (info, position) in enumerate(zip(infos, positions, strict=True))
        ),
    )


def _reordered(pieces: list[tuple[int, Run]]) -> Iterator[Run]:
    """Rule L2: from the highest level down to the lowest odd one, turn stretches of it or higher round."""
    for level in range(max((level for level, _ in pieces), default=0), 0, -1):
        index = 0
        while index < len(pieces):
            end = index
            while end < len(pieces) and pieces[end][0] >= level:
                end += 1
            pieces[index:end] = pieces[index:end][::-1]
            index = max(end, index + 1)
    return (run for _level, run in pieces)


# --- Fitting -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Block:
    """Lines at the largest size that fits."""

    text: str
    lines: tuple[Line, ...]
    style: str
    size: float
    leading: float

    @property
    def height(self) -> float:
        """From the top of the capitals to the foot of the descenders."""
        return self.size * (CAPITALS + DESCENDERS) + (len(self.lines) - 1) * self.leading

    @property
    def width(self) -> float:
        return max(line.width for line in self.lines) * self.size / 1000


@lru_cache(maxsize=4096)
def fit(text: str, style: str, width: float, steps: tuple[tuple[float, int], ...], leading: float = 1.25) -> Block:
    """Set a text as large as `steps` of (size, most lines) allow; the last step takes as many lines as it needs."""
    for size, most in steps:
        lines = wrap(text, style, width * 1000 / size)
        if len(lines) <= most:
            break
    lines = _balanced(text, style, width * 1000 / size, lines)
    return Block(text, tuple(set_line(line, style) for line in lines), style, size, size * leading)


def clip(text: str, style: str, width: float, steps: tuple[tuple[float, int], ...], leading: float = 1.25) -> Block:
    """As `fit`, but what the last step has no room for ends in an ellipsis."""
    block = fit(text, style, width, steps, leading)
    most = steps[-1][1]
    if len(block.lines) <= most:
        return block
    size, room = steps[-1][0], width * 1000 / steps[-1][0]
    lines = [set_line(line, style) for line in wrap(text, style, room)[:most]]
    last = lines[-1].text
    while last and set_line(f"{last}…", style).width > room:
        last = last[:-1].rstrip()
    return Block(text, (*lines[:-1], set_line(f"{last}…", style)), style, size, size * leading)


def wrap(text: str, style: str, room: float) -> tuple[str, ...]:
    """Greedy lines; `room` in thousandths of the size. A word wider than the line is broken where the line ends.

    Words are measured one by one: what kerning with spaces adds is nothing in our faces.
    """
    lines: list[str] = []
    line: list[str] = []
    used, space = 0, set_line(" ", style).width
    for word in text.split():
        width = set_line(word, style).width
        if line and used + space + width <= room:
            line.append(word)
            used += space + width
            continue
        if line:
            lines.append(" ".join(line))
        while len(word) > 1 and width > room:
            cut = _cut(word, style, room)
            lines.append(word[:cut])
            word = word[cut:]
            width = set_line(word, style).width
        line, used = [word], width
    return (*lines, " ".join(line)) if line or not lines else tuple(lines)


def _cut(word: str, style: str, room: float) -> int:
    """How many characters of the word the line takes; at least one, and no mark torn from its letter."""
    low, high = 1, len(word) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if set_line(word[:middle], style).width <= room else (low, middle - 1)
    while low > 1 and unicodedata.category(word[low])[0] == "M":
        low -= 1
    return low


def _balanced(text: str, style: str, room: float, lines: tuple[str, ...]) -> tuple[str, ...]:
    """The same number of lines, but of about the same length: no single word on the last."""
    if len(lines) < 2:
        return lines
    narrow, step = room, room / 32
    while narrow > room / 2:
        tried = wrap(text, style, narrow - step)
        if len(tried) > len(lines):
            break
        lines, narrow = tried, narrow - step
    return lines


# --- Fonts -------------------------------------------------------------------------------------------------------
@dataclass
class FontUse:
    """What a document uses of a face. CIDs are handed out as glyphs come, from 1."""

    face: Face
    resource: str
    cids: dict[tuple[int, str], int] = field(default_factory=dict)

    def cid(self, glyph: Glyph) -> int:
        return self.cids.setdefault((glyph.number, glyph.text), len(self.cids) + 1)

    @property
    def name(self) -> str:
        """The face's name with the six letters that say it is a part of it: the same part has the same letters."""
        digest = hashlib.sha256(repr(sorted(glyph for glyph, _text in self.cids)).encode()).digest()
        return "".join(chr(65 + byte % 26) for byte in digest[:6]) + "+" + self.face.name

    def program(self) -> bytes:
        return self.face.subset([glyph for glyph, _text in self.cids])

    def widths(self) -> str:
        return f"[1 [{' '.join(str(self.face.advances[glyph]) for glyph, _text in self.cids)}]]"

    def glyph_map(self) -> bytes:
        """CIDToGIDMap: the number of the glyph of each CID, 0 first."""
        return b"\0\0" + b"".join(glyph.to_bytes(2, "big") for glyph, _text in self.cids)

    def to_unicode(self) -> bytes:
        lines = [f"<{cid:04X}> <{text.encode('utf-16-be').hex().upper()}>" for (_glyph, text), cid in self.cids.items()]
        blocks = [lines[start : start + 100] for start in range(0, len(lines), 100)]
        body = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
        return _TO_UNICODE.replace("BODY", body).encode()


_TO_UNICODE = """/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
BODY
endcmap
CMapName currentdict /CMap defineresource pop
end
end"""


class Fonts:
    """The fonts of one document, and text written with them."""

    def __init__(self, prefix: str = "T") -> None:
        self.uses: dict[str, FontUse] = {}
        self._prefix = prefix

    def use(self, face: Face) -> FontUse:
        found = self.uses.get(face.name)
        if found is None:
            found = self.uses[face.name] = FontUse(face, f"{self._prefix}{len(self.uses) + 1}")
        return found

    def draw(self, line: Line, x: float, y: float, size: float, spaced: float = 0) -> str:
        """PDF operators that set a line with its left end at (x, y). `spaced`: points between letters."""
        parts = [f"BT 1 0 0 1 {x:.2f} {y:.2f} Tm"]
        if spaced:
            parts.append(f"{spaced:g} Tc")
        shapes: list[str] = []
        pen, risen = 0, 0
        for run in line.runs:
            use = self.use(run.face)
            parts.append(f"/{use.resource} {size:g} Tf")
            array: list[str] = []
            codes = ""
            drawn = pen  # where the viewer's pen stands
            for glyph in run.glyphs:
                if not glyph.text:
                    place = x + (pen + glyph.dx) * size / 1000, y + glyph.dy * size / 1000
                    outline = run.face.outline(glyph.number)
                    if outline:
                        scale = size / 1000
                        shapes.append(f"q {scale:.5f} 0 0 {scale:.5f} {place[0]:.3f} {place[1]:.3f} cm {outline} f Q")
                    pen += glyph.advance
                    continue
                if glyph.dy != risen:
                    if codes:
                        array.append(f"<{codes}>")
                    if array:
                        parts.append(f"[{' '.join(array)}] TJ")
                    array, codes, risen = [], "", glyph.dy
                    parts.append(f"{risen * size / 1000:.3f} Ts")
                move = pen + glyph.dx - drawn
                if move:
                    if codes:
                        array.append(f"<{codes}>")
                        codes = ""
                    array.append(str(-move))
                codes += f"{use.cid(glyph):04X}"
                drawn += move + run.face.advances[glyph.number]
                pen += glyph.advance
            if codes:
                array.append(f"<{codes}>")
            if pen != drawn:
                array.append(str(drawn - pen))
            parts.append(f"[{' '.join(array)}] TJ")
        if risen:
            parts.append("0 Ts")
        if spaced:
            parts.append("0 Tc")
        return " ".join([*parts, "ET", *shapes])

    def objects(self) -> Iterator[tuple[FontUse, FontObjects]]:
        """For each font the dictionaries and streams to embed, in the order in which the fonts were first used."""
        for use in self.uses.values():
            yield use, FontObjects(use)


class FontObjects:
    """A font as PDF: Type0 over CIDFontType2 with Identity-H. Dictionaries are without their references."""

    def __init__(self, use: FontUse) -> None:
        name, face = use.name, use.face
        self.program = use.program()
        self.program_packed = zlib.compress(self.program)
        self.to_unicode = zlib.compress(use.to_unicode())
        self.glyph_map = zlib.compress(use.glyph_map())
        box = f"[-1000 {face.descender} 2500 {face.ascender}]"
        self.descriptor = (
            f"/Type/FontDescriptor/FontName/{name}/Flags 4/FontBBox{box}/ItalicAngle 0/Ascent {face.ascender}"
            f"/Descent {face.descender}/CapHeight 714/StemV {100 if 'SemiBold' in name else 80}"
        )
        self.descendant = (
            f"/Type/Font/Subtype/CIDFontType2/BaseFont/{name}"
            f"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/DW 1000/W {use.widths()}"
        )
        self.font = f"/Type/Font/Subtype/Type0/BaseFont/{name}/Encoding/Identity-H"
