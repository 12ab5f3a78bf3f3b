"""Workbooks (.xlsx) as importers meet them: checked before anything is unpacked, then rows of texts with their places.

A workbook is a zip of XML parts, and openpyxl builds trees of what it reads. So the directory of the zip is checked
first, then every part is run through once without keeping anything of it; what is left for openpyxl is known to be
small and well-formed. Macros, pictures and links to other files are never opened.
"""

from __future__ import annotations

import re
import struct
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any, NoReturn
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from django.utils.translation import gettext as _
from openpyxl import load_workbook
from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook as OpenedWorkbook
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.worksheet._reader import WorkSheetParser

from competencies.importers.content import (
    MAX_TEXT,
    CannotImport,
    Deviation,
    Fault,
    Faults,
    objection_to_text,
    refuse,
    shown,
    tidy,
)
from competencies.importers.sources import Source

MAX_MEMBERS = 2_000
MAX_UNPACKED_BYTES = 200 * 1024 * 1024
MAX_RATIO = 200
RATIO_MATTERS_FROM = 20 * 1024 * 1024
# Elements and attributes, of all parts together: what makes XML grow in memory. The real files have under 200,000.
MAX_PIECES = 2_000_000
MAX_CELLS = 500_000
MAX_CHARACTERS = 25_000_000
MAX_SHEETS = 200
MAX_ROW = 1_048_576  # what the file format knows
MAX_COLUMN = 16_384
MAX_TOKEN_BYTES = 4 * 1024 * 1024
MAX_WORKBOOK_PART = 4 * 1024 * 1024
MAX_NESTING = 200
MAX_REMARKS = 100
CHUNK = 64 * 1024

CENTRAL_ENTRY = b"PK\x01\x02"
ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
CONTENT_TYPES = "[Content_Types].xml"
STYLES_PART = "xl/styles.xml"
WORKBOOK_PART = "xl/workbook.xml"
BINARY_WORKBOOK_PART = "xl/workbook.bin"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/"
COLUMN = re.compile("[A-Za-z]{1,3}")
# Spreadsheets write a line break within a text as an escape where XML would lose it.
ESCAPED_SPACE = re.compile("_x00(0[9AaDd])_")
BROKEN_ZIP = (BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error)
PLAIN_FORMAT = re.compile(r"0(?:\.(0+))?(%)?")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table on a sheet: its number there, and its cells by the names of the columns, tidied."""

    file: str
    sheet: str
    number: int
    cells: Mapping[str, str]
    letters: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def place(self, column: str = "") -> str:
        return cell_place(self.file, self.sheet, self.number, self.letters.get(column, ""))


@dataclass(frozen=True)
class Sheet:
    """The cells that have something in them: by row number, then by column number, both counted from one."""

    file: str
    name: str
    rows: Mapping[int, Mapping[int, str]]

    def place(self, row: int = 0, column: int = 0) -> str:
        return cell_place(self.file, self.name, row, get_column_letter(column) if column else "")

    def table(self, columns: Sequence[str], faults: Faults, *, header: int = 0) -> tuple[list[Row], list[str]]:
        """The rows of a table with these columns, in whatever order, and the names of the columns beyond them.

        The names stand in row `header`, or in the first row that has something in it. Cells that cannot be stored are
        added to `faults` and their rows left out. Raises CannotImport when a column is missing or stands there twice.
        """
        first = header or min(self.rows, default=1)
        names = {column: " ".join(text.split()) for column, text in self.rows.get(first, {}).items()}
        self._check_header(first, list(names.values()), columns)
        letters = {name: get_column_letter(column) for column, name in names.items()}
        table = []
        for number, cells in self.rows.items():
            if number <= first:
                continue
            row = Row(self.file, self.name, number, {n: cells.get(c, "") for c, n in names.items()}, letters)
            nameless = [column for column in cells if column not in names]
            for column in nameless:
                faults.add(
                    self.place(number, column), _("The cell stands under no column name. Name the column or empty it.")
                )
            objections = [(name, objection) for name in columns if (objection := objection_to_text(row[name]))]
            for name, objection in objections:
                faults.add(row.place(name), objection)
            if not (nameless or objections):
                table.append(row)
        return table, [name for name in names.values() if name not in columns]

    def _check_header(self, row: int, names: Sequence[str], columns: Sequence[str]) -> None:
        faults = Faults()
        for name, times in Counter(names).items():
            if times > 1:
                faults.add(
                    self.place(row), _("The column “%(name)s” stands there twice. Keep one.") % {"name": shown(name)}
                )
        for name in columns:
            if name not in names:
                faults.add(
                    self.place(row),
                    _("The column “%(name)s” is missing. Add it, or export the table again.") % {"name": name},
                )
        faults.raise_if_any()


@dataclass(frozen=True)
class Workbook:
    """The sheets by name, in their order, and what is remarkable about their cells."""

    sheets: Mapping[str, Sheet]
    deviations: tuple[Deviation, ...] = ()


def cell_place(file: str, sheet: str, row: int = 0, column: str = "") -> str:
    names = {"file": file, "sheet": shown(sheet), "row": row, "column": column}
    if row and column:
        return _("%(file)s sheet “%(sheet)s” row %(row)s, column %(column)s") % names
    if row:
        return _("%(file)s sheet “%(sheet)s” row %(row)s") % names
    return _("%(file)s sheet “%(sheet)s”") % names


def sheet_names(source: Source) -> tuple[str, ...]:
    """The names of the sheets. For recognising only: cheap, never raises, says nothing about the rest of the file."""
    if not source.looks_like_workbook:
        return ()
    try:
        with _opened_zip(source) as archive, archive.open(WORKBOOK_PART) as part:
            return _named_sheets(part.read(MAX_WORKBOOK_PART))
    except (CannotImport, KeyError, OSError, ValueError, *BROKEN_ZIP, expat.ExpatError):
        return ()


def read_workbook(source: Source) -> Workbook:
    """Every sheet with the texts that people see: 1.0 as 1, dates as 2025-11-24, formulas as what they last gave.

    Raises CannotImport for what is no workbook, is locked or damaged, or would not fit into memory.
    """
    _refuse_other_kinds(source)
    try:
        with _opened_zip(source) as archive:
            scan = _Scan(source.name)
            for member in archive.infolist():
                scan.run(archive, member)
            names = _named_sheets(archive.read(_workbook_part(source, archive)))
    except CannotImport:
        raise
    except (*BROKEN_ZIP, KeyError, OSError, ValueError) as error:  # a directory may lead anywhere
        _refuse_damaged(source.name, error)
    return _read_sheets(source, names, scan)


def _refuse_other_kinds(source: Source) -> None:
    """Say what a file is that people take for a workbook, and how it becomes one."""
    if source.looks_like_ole:
        if ENCRYPTED_PACKAGE in source.raw:
            refuse(source.name, _("The workbook is locked with a password. Save it without one and import it again."))
        refuse(
            source.name,
            _("This is a workbook of the old kind (.xls). Save it as an Excel workbook (.xlsx) and import it again."),
        )
    if not source.looks_like_zip:
        refuse(source.name, _("This is not a workbook. Save it as an Excel workbook (.xlsx) and import it again."))
    if source.looks_like_opendocument:
        refuse(
            source.name,
            _("This is an OpenDocument spreadsheet (.ods). Save it as an Excel workbook (.xlsx) and import it again."),
        )


def _opened_zip(source: Source) -> ZipFile:
    """The zip, after its directory has been checked. Raises CannotImport, or one of BROKEN_ZIP."""
    if source.raw.count(CENTRAL_ENTRY) > MAX_MEMBERS:  # counted here because opening it makes an object of each
        refuse(
            source.name,
            _("The workbook has more than %(limit)s parts. Save it again with the sheets of the framework alone.")
            % {"limit": MAX_MEMBERS},
        )
    try:
        archive = ZipFile(BytesIO(source.raw))
    except (OSError, ValueError, OverflowError) as error:  # offsets that lead out of the file
        raise BadZipFile(str(error)) from error
    members = archive.infolist()
    for member in members:
        _check_member(source.name, member)
    for name, times in Counter(member.filename for member in members).items():
        if times > 1:
            refuse(
                source.name,
                _("The workbook has the part “%(part)s” twice. Save it again with a spreadsheet program.")
                % {"part": shown(name)},
            )
    unpacked = sum(member.file_size for member in members)
    if unpacked > MAX_UNPACKED_BYTES:
        refuse(
            source.name,
            _("The workbook unpacks to more than %(limit)s MB. Take out what does not belong to the framework.")
            % {"limit": MAX_UNPACKED_BYTES // 1024**2},
        )
    if unpacked > RATIO_MATTERS_FROM and unpacked > MAX_RATIO * len(source.raw):
        refuse(
            source.name,
            _("The workbook unpacks to more than %(limit)s times its size. Save it again with a spreadsheet program.")
            % {"limit": MAX_RATIO},
        )
    return archive


def _check_member(file: str, member: ZipInfo) -> None:
    part = {"part": shown(member.filename)}
    steps = member.filename.replace("\\", "/").split("/")
    if ".." in steps or steps[0] == "" or ":" in steps[0]:
        refuse(file, _("The part “%(part)s” leads out of the workbook. Save it with a spreadsheet program.") % part)
    if member.flag_bits & 0x1:
        refuse(file, _("The part “%(part)s” is encrypted. Save the workbook without a password.") % part)
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        refuse(
            file,
            _("The part “%(part)s” is packed in a way that workbooks do not know. Save it with a spreadsheet program.")
            % part,
        )


def _workbook_part(source: Source, archive: ZipFile) -> str:
    names = archive.namelist()
    if BINARY_WORKBOOK_PART in names:
        refuse(
            source.name,
            _("This is a binary workbook (.xlsb). Save it as an Excel workbook (.xlsx) and import it again."),
        )
    if WORKBOOK_PART not in names:
        refuse(
            source.name,
            _("This zip has no “%(part)s”: it is not a workbook, or damaged. Save it as an Excel workbook (.xlsx).")
            % {"part": WORKBOOK_PART},
        )
    if STYLES_PART not in names and STYLES_PART.encode() in archive.read(CONTENT_TYPES):
        refuse(
            source.name,
            _(
                "The workbook has lost its styles, which tell dates from numbers. Open it in a spreadsheet program and save it."
            ),
        )
    return WORKBOOK_PART


def _refuse_damaged(file: str, error: Exception) -> NoReturn:
    message = _("The workbook is damaged or cut off. Open it in a spreadsheet program and save it again.")
    raise CannotImport([Fault(file, message)]) from error


def _named_sheets(part: bytes) -> tuple[str, ...]:
    names: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag in (f"{MAIN}}}sheet", f"{STRICT}spreadsheetml/main}}sheet"):
            names.append(attributes.get("name", ""))

    def refuse_document_type(*_declaration: Any) -> NoReturn:
        raise ValueError

    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = refuse_document_type
    parser.Parse(part, True)
    return tuple(names)


class _Scan:
    """Runs through every part once and keeps only counts: what openpyxl will build trees of is bounded and well-formed.

    Every part is run through, whatever it is called: which part is read as what is for the workbook to say.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.pieces = 0
        self.cells = 0
        self.characters = 0
        self.unanswered: dict[str, list[str]] = {}  # part → cells with a formula that has never been calculated

    def run(self, archive: ZipFile, member: ZipInfo) -> None:
        self.part = member.filename
        self.text = 0
        self.cell = ""
        self.formula = self.answer = self.of_cells = False
        self.depth = 0
        parser = expat.ParserCreate(namespace_separator="}")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._refuse_document_type
        fed = 0
        broken: expat.ExpatError | None = None
        with archive.open(member) as part:
            while chunk := part.read(CHUNK):  # to the end even where it is no XML: that checks the part's sum
                if broken is None:
                    fed += len(chunk)
                    try:
                        parser.Parse(chunk)
                    except expat.ExpatError as error:
                        broken = error
                    if fed - max(parser.CurrentByteIndex, 0) > MAX_TOKEN_BYTES and broken is None:
                        self._refuse_size()
            if broken is None:
                try:
                    parser.Parse(b"", True)
                except expat.ExpatError as error:
                    broken = error
        if broken is not None and member.filename.endswith((".xml", ".rels")):
            refuse(
                self.file,
                _("The part “%(part)s” is broken in line %(line)s. Save the workbook again with a spreadsheet program.")
                % {"part": shown(member.filename), "line": broken.lineno},
            )

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self.pieces += 1 + len(attributes)
        self.depth += 1
        self.text = 0
        self.of_cells = tag.startswith(MAIN)
        if self.pieces > MAX_PIECES or self.depth > MAX_NESTING:
            self._refuse_size()
        if tag.startswith(STRICT):
            refuse(
                self.file,
                _("This is a workbook of the kind “Strict Open XML”. Save it as an Excel workbook (.xlsx)."),
            )
        if not self.of_cells:
            return
        match tag[len(MAIN) + 1 :]:
            case "c":
                self.cells += 1
                self.cell = attributes.get("r", "")
                self.formula = self.answer = False
                if self.cells > MAX_CELLS:
                    self._refuse_cells()
            case "f":
                self.formula = True
            case "v" | "is":
                self.answer = True

    def _end(self, tag: str) -> None:
        self.depth -= 1
        if tag == f"{MAIN}}}c" and self.formula and not self.answer:
            self.unanswered.setdefault(self.part, []).append(self.cell)

    def _characters(self, text: str) -> None:
        self.text += len(text)
        self.characters += len(text)
        if self.text > MAX_TEXT and self.of_cells and text.strip():
            place = _("%(file)s part “%(part)s”") % {"file": self.file, "part": shown(self.part)}
            refuse(place, _("A text has more than %(limit)s characters. Shorten it.") % {"limit": MAX_TEXT})
        if self.characters > MAX_CHARACTERS:
            self._refuse_size()

    def _refuse_document_type(self, *_declaration: Any) -> NoReturn:
        refuse(
            self.file,
            _(
                "The part “%(part)s” declares a document type, which no workbook does. Save it with a spreadsheet program."
            )
            % {"part": shown(self.part)},
        )

    def _refuse_size(self) -> NoReturn:
        refuse(
            self.file,
            _("The part “%(part)s” is too large. Take out of the workbook what does not belong to the framework.")
            % {"part": shown(self.part)},
        )

    def _refuse_cells(self) -> NoReturn:
        refuse(
            self.file,
            _("The workbook has more than %(limit)s cells. Take out what does not belong to the framework.")
            % {"limit": MAX_CELLS},
        )


def _read_sheets(source: Source, names: Sequence[str], scan: _Scan) -> Workbook:
    for name, times in Counter(names).items():
        if times > 1:
            refuse(
                source.name, _("The sheet “%(name)s” stands there twice. Rename one of them.") % {"name": shown(name)}
            )
    if len(names) > MAX_SHEETS:
        refuse(
            source.name,
            _("The workbook has more than %(limit)s sheets. Keep those of the framework.") % {"limit": MAX_SHEETS},
        )
    remarks = _Remarks()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and extensions, which are not read
            opened = load_workbook(BytesIO(source.raw), read_only=True, data_only=True, keep_links=False)
            try:
                found = {sheet.title: sheet for sheet in opened.worksheets}
                charts = {sheet.title for sheet in opened.chartsheets}
                sheets = {
                    name: _Reading(source.name, opened, sheet, remarks, scan).sheet() for name, sheet in found.items()
                }
            finally:
                opened.close()
    except CannotImport:
        raise
    except Exception as error:  # openpyxl trusts what it reads, and raises whatever that leads to
        _refuse_damaged(source.name, error)
    for name in names:
        if name not in sheets and name not in charts:
            refuse(
                cell_place(source.name, name),
                _("The workbook names this sheet and does not hold it. Save it again with a spreadsheet program."),
            )
    return Workbook(sheets, remarks.deviations(source.name))


@dataclass
class _Remarks:
    kept: list[Deviation] = field(default_factory=list)
    more: int = 0
    characters: int = 0

    def add(self, place: str, message: str) -> None:
        if len(self.kept) < MAX_REMARKS:
            self.kept.append(Deviation(place, message))
        else:
            self.more += 1

    def deviations(self, file: str) -> tuple[Deviation, ...]:
        if not self.more:
            return tuple(self.kept)
        rest = _("Further cells with an error or a formula without a result, read as empty: %(count)s.")
        return (*self.kept, Deviation(file, rest % {"count": self.more}))


@dataclass
class _Reading:
    """One sheet, cell by cell. The size that a sheet declares for itself is not believed."""

    file: str
    workbook: OpenedWorkbook
    opened: ReadOnlyWorksheet
    remarks: _Remarks
    scan: _Scan
    shapes: dict[int, str] = field(default_factory=dict)

    def sheet(self) -> Sheet:
        rows: dict[int, dict[int, str]] = {}
        for cell in self._cells():
            row, column = cell["row"], cell["column"]
            if not (1 <= row <= MAX_ROW and 1 <= column <= MAX_COLUMN):
                refuse(
                    cell_place(self.file, self.opened.title),
                    _("A cell stands where no sheet has one. Save the workbook again with a spreadsheet program."),
                )
            place = cell_place(self.file, self.opened.title, row, get_column_letter(column))
            if text := self._text(cell, place):
                cells = rows.setdefault(row, {})
                if column in cells:
                    refuse(place, _("The cell stands there twice. Save the workbook again with a spreadsheet program."))
                cells[column] = text
        for reference in self.scan.unanswered.get(self.opened._worksheet_path, ()):
            column_name = COLUMN.match(reference)
            self.remarks.add(
                cell_place(
                    self.file,
                    self.opened.title,
                    int(reference[column_name.end() :]) if column_name else 0,
                    column_name[0] if column_name else "",
                ),
                _("The formula has never been calculated; the cell is read as empty. Open and save the workbook."),
            )
        ordered = {row: dict(sorted(rows[row].items())) for row in sorted(rows)}
        return Sheet(self.file, self.opened.title, ordered)

    def _cells(self) -> Iterator[dict[str, Any]]:
        # Not iter_rows: it fills up what is missing, and a sheet may claim to begin in row 1,000,000,000.
        with self.opened._get_source() as part:
            parser = WorkSheetParser(
                part,
                self.opened._shared_strings,
                data_only=True,
                epoch=self.workbook.epoch,
                date_formats=self.workbook._date_formats,
                timedelta_formats=self.workbook._timedelta_formats,
            )
            for _row, cells in parser.parse():
                yield from cells

    def _shape(self, cell: dict[str, Any]) -> str:
        style = cell["style_id"]
        if style not in self.shapes:
            self.shapes[style] = str(ReadOnlyCell(self.opened, **cell).number_format)
        return self.shapes[style]

    def _text(self, cell: dict[str, Any], place: str) -> str:
        value = cell["value"]
        if value is None:
            return ""
        if cell["data_type"] == "e":
            self.remarks.add(
                place, _("The cell holds the error %(error)s; it is read as empty.") % {"error": shown(value)}
            )
            return ""
        if isinstance(value, str):
            text = tidy(ESCAPED_SPACE.sub(lambda found: chr(int(found[1], 16)), value))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            text = _number(value, self._shape(cell))
        else:
            text = _as_seen(value)
        self.remarks.characters += len(text)
        if self.remarks.characters > MAX_CHARACTERS:
            refuse(
                self.file,
                _("The workbook has more than %(limit)s characters. Take out what does not belong to the framework.")
                % {"limit": MAX_CHARACTERS},
            )
        return text


def _number(value: int | float, shape: str) -> str:
    """The number as people see it: 1.0 as 1, and 1.1 as 1.10 in a column of two decimals. Nothing is rounded away."""
    number = Decimal(value) if isinstance(value, int) else Decimal(f"{value:.15g}")  # the digits that spreadsheets keep
    plain = PLAIN_FORMAT.fullmatch(shape)
    decimals, percent = (len(plain[1] or ""), plain[2] or "") if plain else (0, "")
    number = number * 100 if percent else number
    if abs(number.adjusted()) > 20:
        return f"{value}"
    text = f"{number:f}"
    whole, _point, fraction = text.partition(".")
    fraction = fraction.rstrip("0").ljust(decimals, "0")
    return (f"{whole}.{fraction}" if fraction else whole) + percent


def _as_seen(value: object) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return tidy(str(value))
