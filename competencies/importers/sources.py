"""Files as importers meet them: bounded, UTF-8, and with a place for everything that is wrong in them."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from django.utils.translation import gettext as _

from competencies.importers.content import MAX_TEXT, CannotImport, Fault, Faults, objection_to_text, refuse, shown, tidy

MAX_FILE_BYTES = 50 * 1024 * 1024
MAX_FOLDER_BYTES = 2 * MAX_FILE_BYTES
MAX_TEXT_BYTES = 2 * MAX_FILE_BYTES
MAX_FOLDER_FILES = 100
# Commas, brackets and lines: what makes a small file grow in memory. The real files have under 100,000.
MAX_PIECES = 1_000_000
PIECES = (b",", b"[", b"{", b"\n")
BOM = b"\xef\xbb\xbf"
HEADER_BYTES = 64 * 1024
ZIP_MAGIC = b"PK\x03\x04"
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_COLUMNS = 200
MAX_COLUMN_NAME = 100


@dataclass(frozen=True)
class Source:
    """One file in memory. `name` is what messages call it."""

    name: str
    raw: bytes

    @cached_property
    def header(self) -> tuple[str, ...]:
        """The first row, if this is a table. For recognising only: says nothing about the rest of the file."""
        start = io.TextIOWrapper(io.BytesIO(self.raw[:HEADER_BYTES].removeprefix(BOM)), "utf-8", "replace", newline="")
        try:
            first = next((row for row in csv.reader(start) if row), [])
        except csv.Error:
            return ()
        return tuple(cell.strip() for cell in first)

    @property
    def looks_like_json(self) -> bool:
        return self.raw[:HEADER_BYTES].removeprefix(BOM).lstrip()[:1] in (b"{", b"[")

    @property
    def looks_like_zip(self) -> bool:
        return self.raw.startswith(ZIP_MAGIC)

    @property
    def looks_like_ole(self) -> bool:
        """Whether this is Microsoft's container of old: an .xls, or a workbook that is locked with a password."""
        return self.raw.startswith(OLE_MAGIC)

    @property
    def looks_like_opendocument(self) -> bool:
        return self.looks_like_zip and b"application/vnd.oasis.opendocument" in self.raw[:HEADER_BYTES]

    @property
    def looks_like_workbook(self) -> bool:
        """Whether this is a spreadsheet program's file, be it one that cannot be read (competencies.importers.workbooks)."""
        return self.looks_like_ole or self.looks_like_opendocument or (self.looks_like_zip and b"xl/work" in self.raw)

    def decoded(self) -> str:
        """The whole text. Raises CannotImport naming the byte that is not UTF-8."""
        if not self.raw.removeprefix(BOM).strip():
            refuse(self.name, _("The file is empty. Export it again."))
        if self.raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            refuse(
                byte_place(self.name, 1),
                _("The file is in UTF-16 and not in UTF-8. Save it as UTF-8 and import it again."),
            )
        if (position := self.raw.find(b"\0")) >= 0:
            refuse(
                byte_place(self.name, position + 1),
                _("The file contains a NUL byte: it is not a text in UTF-8. Save it as UTF-8 and import it again."),
            )
        if sum(self.raw.count(mark) for mark in PIECES) > MAX_PIECES:
            refuse(
                self.name,
                _("The file has more than %(limit)s values and lines. Divide it, or export only one framework.")
                % {"limit": MAX_PIECES},
            )
        without_bom = self.raw.removeprefix(BOM)
        try:
            text = without_bom.decode("utf-8")
        except UnicodeDecodeError as error:
            refuse(
                byte_place(self.name, error.start + len(self.raw) - len(without_bom) + 1),
                _("The file is not in UTF-8. Save it as UTF-8 and import it again."),
            )
        if sys.getsizeof(text) > MAX_TEXT_BYTES:  # one emoji makes every character four bytes wide
            refuse(
                self.name,
                _("The file takes more than %(limit)s MB in memory. Divide it, or export only one framework.")
                % {"limit": MAX_TEXT_BYTES // 1024**2},
            )
        return text

    def document(self) -> Any:
        """The file as JSON. Raises CannotImport for what is cut off, doubled, endless or not a number."""
        text = self.decoded()
        blemished = False

        def as_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            nonlocal blemished
            members = dict(pairs)
            if len(members) == len(pairs):
                return members
            blemished = True
            return _Doubled(members, [key for key, times in Counter(key for key, _v in pairs).items() if times > 1])

        def as_constant(name: str) -> _NotANumber:
            nonlocal blemished
            blemished = True
            return _NotANumber(name)

        try:
            document = json.loads(text, object_pairs_hook=as_object, parse_constant=as_constant)
        except json.JSONDecodeError as error:
            place = _("%(file)s line %(line)s, character %(column)s") % {
                "file": self.name,
                "line": error.lineno,
                "column": error.colno,
            }
            if error.pos >= len(text.rstrip()):
                refuse(place, _("The JSON ends too early: the file is cut off. Export it again."))
            if error.msg.startswith("Unterminated string"):
                refuse(
                    place,
                    _("The text that begins here does not end: its quotation mark is missing, or the file is cut off."),
                )
            refuse(
                place,
                _("From here on this is not valid JSON: something is missing or too much. Correct or export it again."),
            )
        except RecursionError:
            refuse(self.name, _("The JSON is nested too deeply to be a framework. Export it again."))
        except ValueError:
            refuse(self.name, _("The JSON contains a number that is too long to be read. Correct it."))
        if blemished:
            _refuse_blemishes(document)
        return document

    def rows(self, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
        """The rows of a CSV file, each with the physical line on which it begins; blank lines are passed over.

        Raises CannotImport where a quotation mark or the end of the file breaks a row.
        """
        self.decoded()
        if self.raw.count(delimiter.encode()) > MAX_PIECES:
            refuse(
                self.name,
                _("The file has more than %(limit)s values and lines. Divide it, or export only one framework.")
                % {"limit": MAX_PIECES},
            )
        start = io.TextIOWrapper(io.BytesIO(self.raw.removeprefix(BOM)), "utf-8", newline="")
        reader = csv.reader(start, strict=True, delimiter=delimiter)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self._refuse_row(line, str(error))
            if cells:
                yield line, cells

    def _refuse_row(self, line: int, error: str) -> NoReturn:
        place = line_place(self.name, line)
        if "field larger" in error:
            refuse(
                place,
                _("The row has a cell of more than %(limit)s characters. Shorten it, or close its quotation mark.")
                % {"limit": MAX_TEXT},
            )
        refuse(
            place,
            _(
                "The row does not end: a quotation mark is not closed or not doubled, or the file is cut off. "
                "Correct it or export it again."
            ),
        )


class _Doubled(dict[str, Any]):
    """A JSON object that says the same key twice."""

    def __init__(self, members: dict[str, Any], keys: list[str]) -> None:
        super().__init__(members)
        self.doubled = keys


@dataclass(frozen=True)
class _NotANumber:
    name: str


def _refuse_blemishes(document: Any) -> None:
    faults = Faults()
    heap = [(document, "$")]
    while heap:
        value, place = heap.pop()
        if isinstance(value, _Doubled):
            for key in value.doubled:
                faults.add(place, _("“%(key)s” stands here twice. Keep the one that is right.") % {"key": shown(key)})
        if isinstance(value, _NotANumber):
            faults.add(place, _("%(value)s is not a number. Write a number or null.") % {"value": value.name})
        elif isinstance(value, dict):
            heap.extend((member, step(place, key)) for key, member in value.items())
        elif isinstance(value, list):
            heap.extend((item, f"{place}[{index}]") for index, item in enumerate(value))
    faults.raise_if_any()


def gather(path: Path) -> list[Source]:
    """The file, or the files directly in the folder, by name. Raises CannotImport when there is nothing to read."""
    name = shown(path, 200)
    try:
        if path.is_dir():
            return _gather_folder(path, name)
        if path.is_file():
            return [_read_file(path)]
        message = (
            # A pipe or a device may never end.
            _("This is neither a file nor a folder. Give the path of a file or of a folder.")
            if path.exists()
            else _("There is no file or folder at this path. Check the path.")
        )
    except OSError as error:
        message = _("This cannot be read (%(reason)s). Check the path and the permissions.") % {
            "reason": error.strerror
        }
    raise CannotImport([Fault(name, message)])


def _gather_folder(path: Path, name: str) -> list[Source]:
    files = sorted(child for child in path.iterdir() if child.is_file() and not child.name.startswith("."))
    if not files:
        refuse(name, _("This folder holds no file. Give the path of the folder that holds the edition's files."))
    if len(files) > MAX_FOLDER_FILES:
        refuse(
            name,
            _("This folder holds %(count)s files. Put the files of the edition in a folder of their own.")
            % {"count": len(files)},
        )
    sources = []
    total = 0
    for file in files:
        source = _read_file(file)
        total += len(source.raw)
        if total > MAX_FOLDER_BYTES:
            refuse(
                name,
                _(
                    "The files of this folder have more than %(limit)s MB. "
                    "Put the files of the edition in a folder of their own."
                )
                % {"limit": MAX_FOLDER_BYTES // 1024**2},
            )
        sources.append(source)
    return sources


def _read_file(path: Path) -> Source:
    name = shown(path.name, 100)
    with path.open("rb") as file:
        raw = file.read(MAX_FILE_BYTES + 1)
    if len(raw) > MAX_FILE_BYTES:
        refuse(
            name,
            _("The file is larger than %(limit)s MB. A framework is smaller: check the file, or divide it.")
            % {"limit": MAX_FILE_BYTES // 1024**2},
        )
    return Source(name, raw)


def only(sources: Sequence[Source], test: Callable[[Source], bool], *, missing: str) -> Source:
    """The one source that passes the test. Raises CannotImport when there is none (`missing` says so) or several."""
    found = [source for source in sources if test(source)]
    names = ", ".join(source.name for source in found or sources)
    if not found:
        refuse(names, missing)
    if len(found) > 1:
        refuse(
            names,
            _(
                "These files are several editions of the same kind. "
                "Give the path of one file, or keep one edition in the folder."
            ),
        )
    return found[0]


def refuse_unreadable_tables(sources: Iterable[Source]) -> None:
    """Read the text of every file that is called a table.

    A table that is empty or in another encoding cannot be recognised by its columns; among many tables it would be
    taken for a file that does not belong to them, and left out. Raises CannotImport for the first of them.
    """
    for source in sources:
        if source.name.lower().endswith((".csv", ".tsv")):
            source.decoded()


def byte_place(name: str, position: int) -> str:
    return _("%(file)s byte %(position)s") % {"file": name, "position": position}


def line_place(name: str, line: int, column: str = "") -> str:
    if column:
        return _("%(file)s line %(line)s, column %(column)s") % {"file": name, "line": line, "column": column}
    return _("%(file)s line %(line)s") % {"file": name, "line": line}


def step(place: str, key: str) -> str:
    """The JSON path one member further down."""
    return f"{place}.{key}" if key.isidentifier() and len(key) <= 60 else f"{place}['{shown(key)}']"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its first line in the file, and its cells by column, tidied."""

    line: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]


def read_table(source: Source, columns: Sequence[str], faults: Faults) -> tuple[list[Row], list[str]]:
    """The rows of a table with exactly these columns, in whatever order, and the names of the columns beyond them.

    Rows with too few or too many cells and cells that cannot be stored are added to `faults` and left out.
    Raises CannotImport when a column is missing or stands there twice.
    """
    rows = source.rows()
    header_line, header = next(rows, (1, []))
    names = [cell.strip() for cell in header]
    _check_header(line_place(source.name, header_line), names, columns)
    table = []
    for line, cells in rows:
        if not any(cell.strip() for cell in cells):  # spreadsheets leave such rows at the end
            continue
        if len(cells) != len(names):
            faults.add(
                line_place(source.name, line),
                _("The row has %(count)s cells and the header has %(expected)s. Add or take out what differs.")
                % {"count": len(cells), "expected": len(names)},
            )
            continue
        row = Row(line, {name: tidy(cell) for name, cell in zip(names, cells, strict=True)})
        objections = [(name, objection) for name in columns if (objection := objection_to_text(row[name]))]
        for name, objection in objections:
            faults.add(line_place(source.name, line, name), objection)
        if not objections:
            table.append(row)
    return table, [name for name in names if name not in columns]


def read_open_table(source: Source, required: Sequence[str], faults: Faults) -> tuple[list[Row], int]:
    """The rows of a table that may have more columns than are known, and how many columns have no usable name.

    All columns with a name are checked as the known ones are, and their cells are kept.
    Raises CannotImport when a required column is missing, one stands there twice, or there are too many.
    """
    if len(source.header) > MAX_COLUMNS:
        refuse(
            source.name,
            _("The table has more than %(limit)s columns. Export it again, or take out what does not belong to it.")
            % {"limit": MAX_COLUMNS},
        )
    named = [name for name in source.header if name and not objection_to_text(name, limit=MAX_COLUMN_NAME)]
    rows, others = read_table(source, list(dict.fromkeys((*required, *named))), faults)
    return rows, len(others)


def _check_header(place: str, names: Sequence[str], columns: Sequence[str]) -> None:
    faults = Faults()
    for name, times in Counter(names).items():
        if times > 1:
            faults.add(place, _("The column “%(name)s” stands there twice. Keep one.") % {"name": shown(name)})
    for name in columns:
        if name not in names:
            faults.add(
                place, _("The column “%(name)s” is missing. Add it, or export the table again.") % {"name": name}
            )
    faults.raise_if_any()


class Node:
    """A value of a JSON document with its place. Reading goes on behind a fault, so that one reading names them all."""

    __slots__ = ("faults", "place", "usable", "value")

    def __init__(self, value: Any, place: str, faults: Faults, *, usable: bool = True) -> None:
        self.value = value
        self.place = place
        self.faults = faults
        self.usable = usable

    def fault(self, message: str) -> None:
        self.faults.add(self.place, message)

    def __bool__(self) -> bool:
        """Whether there is a value to be read."""
        return self.usable and self.value is not None

    def fields(
        self, required: Sequence[str], optional: Sequence[str] = (), *, extra: Counter[str] | None = None
    ) -> dict[str, Node]:
        """The members of an object. Unknown ones are counted in `extra`, or faults where nobody counts them."""
        members: dict[str, Any] = self.value if isinstance(self.value, dict) else {}
        if self.usable and not isinstance(self.value, dict):
            self._expected(_("an object in braces"))
        nodes = {}
        for key in (*required, *optional):
            usable = key in members
            if not usable and key in required and isinstance(self.value, dict):
                self.fault(_("“%(key)s” is missing. Add it.") % {"key": key})
            nodes[key] = Node(members.get(key), step(self.place, key), self.faults, usable=usable)
        for key in members:
            if key in nodes:
                continue
            if extra is None:
                self.fault(_("“%(key)s” is not known here. Correct its spelling or take it out.") % {"key": shown(key)})
            else:
                extra[key] += 1
        return nodes

    def items(self) -> list[Node]:
        """The items of a list; none where this is something else, which is a fault."""
        if not self.usable:
            return []
        if not isinstance(self.value, list):
            self._expected(_("a list in square brackets"))
            return []
        return [Node(item, f"{self.place}[{index}]", self.faults) for index, item in enumerate(self.value)]

    def members(self) -> list[tuple[str, Node]]:
        """The members of an object whose keys are data."""
        if not self.usable:
            return []
        if not isinstance(self.value, dict):
            self._expected(_("an object in braces"))
            return []
        return [(key, Node(member, step(self.place, key), self.faults)) for key, member in self.value.items()]

    def text(self, *, limit: int = MAX_TEXT, blank: bool = False) -> str:
        """The text, tidied; empty where this is something else, which is a fault."""
        if not self.usable:
            return ""
        if not isinstance(self.value, str):
            self._expected(_("text in quotation marks"))
            return ""
        text = tidy(self.value)
        if objection := objection_to_text(text, limit=limit):
            self.fault(objection)
            return ""
        if not text and not blank:
            self.fault(_("The text is empty. Fill it in."))
        return text

    def integer(self, lowest: int, highest: int) -> int | None:
        """The whole number; None where this is something else, which is a fault."""
        if not self.usable:
            return None
        if type(self.value) is not int:
            self._expected(_("a whole number"))
            return None
        if not lowest <= self.value <= highest:
            self.fault(
                _("%(value)s is out of range. Write a number from %(lowest)s to %(highest)s.")
                % {"value": shown(self.value, 20), "lowest": lowest, "highest": highest}
            )
            return None
        return self.value

    def number(self, lowest: float, highest: float) -> float | None:
        """The number, whole or not; None where this is something else, which is a fault."""
        if not self.usable:
            return None
        if type(self.value) not in (int, float):
            self._expected(_("a number"))
            return None
        if not lowest <= self.value <= highest:
            self.fault(
                _("%(value)s is out of range. Write a number from %(lowest)s to %(highest)s.")
                % {"value": shown(self.value, 20), "lowest": lowest, "highest": highest}
            )
            return None
        return float(self.value)

    def boolean(self) -> bool | None:
        """true or false; None where this is something else, which is a fault."""
        if not self.usable:
            return None
        if type(self.value) is not bool:
            self._expected(_("true or false"))
            return None
        return self.value

    def _expected(self, what: str) -> None:
        self.fault(
            _("Expected %(expected)s, found %(found)s. Correct it.") % {"expected": what, "found": _kind(self.value)}
        )


def _kind(value: Any) -> str:
    if value is None:
        return _("null")
    if isinstance(value, bool):
        return _("true or false")
    if isinstance(value, int | float):
        return _("a number")
    if isinstance(value, str):
        return _("text in quotation marks")
    return _("a list in square brackets") if isinstance(value, list) else _("an object in braces")
