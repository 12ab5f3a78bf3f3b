"""Lists of people as officers have them: pasted, or a CSV or Excel file with a column of e-mail addresses.

A list is a text of lines, and line 17 of it is row 17 of the file: what leads to nobody is named by its number there.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from competencies.importers import CannotImport
from competencies.importers.content import shown
from competencies.importers.sources import BOM, Source
from competencies.importers.workbooks import read_workbook
from competencies.spreadsheet import fold, unmarked

MAX_LINES = 10_000
MAX_CHARACTERS = 1_000_000
MAX_FILE_BYTES = 5 * 1024 * 1024
MEGABYTE = 1024 * 1024
# Longer than any address: what is cut there stays none.
MAX_ENTRY = 330
MAX_NAME = 100
# How people call the column, folded: without capitals, accents and signs.
HEADERS = frozenset({
    "email", "emails", "mail", "emailaddress", "emailaddresses", "mailaddress", "correo", "correos",
    "correoelectronico", "direcciondecorreo", "direcciondecorreoelectronico", "direccionelectronica",
})  # fmt: skip
MOST_COLUMNS = 200
# By how many rows the column of addresses is recognised where no heading names it.
MOST_LOOKED_AT = 2_000
# Whatever ends a line somewhere (str.splitlines), and what separates addresses on one.
BREAKS = re.compile("[\r\n\v\f\x1c-\x1e\x85\u2028\u2029,;\t]+")
UNSEEN = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

Rows = Mapping[int, Sequence[str]]


class ListRefused(ValueError):
    """A file that is no list of people; the message is the sentence for who chose it."""


@dataclass(frozen=True)
class ListFile:
    """A file that was read: its lines as a text for the list field, and what it was called."""

    name: str
    text: str


class BoundedList(FileUploadHandler):
    """Stands before Django's own handlers; a file beyond the size of a list is not even kept on disk."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.too_large = False
        self.size = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.size += len(raw_data)
        if self.size > MAX_FILE_BYTES:
            self.too_large = True
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def lines_of(text: str) -> tuple[str, ...]:
    """The entries of a list, in their order: one a line, or several with commas or semicolons between them.

    A blank line is an empty entry, so that numbers stay true; blank lines at the end are none. Of "Ana <ana@x>" the
    address is kept.
    """
    entries: list[str] = []
    for line in text.splitlines():
        words = [_address_in(word) for word in re.split("[,;\t]", line) if word.strip()]
        if "\t" in line:  # whole rows of a spreadsheet: only the address counts
            words = [word for word in words if "@" in word] or words[:1]
        entries.extend(words or [""])
    while entries and not entries[-1]:
        entries.pop()
    return tuple(entries)


def count_of(entries: Iterable[str]) -> int:
    """How many entries say something."""
    return sum(1 for entry in entries if entry)


def read_list(file: UploadedFile) -> ListFile:
    """The column of addresses of a CSV file or an Excel workbook. Raises ListRefused with a sentence."""
    name = shown(str(file.name or "").replace("\\", "/").rpartition("/")[2], MAX_NAME) or _("the file")
    if (file.size or 0) > MAX_FILE_BYTES:
        raise ListRefused(too_large())
    raw = file.read()
    source = Source(name, raw)
    if not raw.removeprefix(BOM).strip():
        raise ListRefused(_("The file is empty. Choose the file with the addresses."))
    if source.looks_like_ole or source.looks_like_opendocument:
        raise ListRefused(
            _(
                "This file is of another kind than .xlsx, or locked with a password. Save it as an Excel workbook "
                "(.xlsx) without a password, or as CSV, and choose it again."
            )
        )
    tables = _tables_of_workbook(source) if source.looks_like_zip else [_table_of_csv(raw)]
    for rows in tables:
        column, first = _column_of(rows)
        if column is not None:
            return ListFile(name, _text_of(rows, column, first))
    raise ListRefused(
        _("No column of this file holds e-mail addresses. Give the column the heading “E-mail” and choose it again.")
    )


def too_large() -> str:
    return _("The file is larger than %(limit)s MB. Keep only the column of addresses and choose it again.") % {
        "limit": MAX_FILE_BYTES // MEGABYTE
    }


def too_many(count: int) -> str:
    return _("The list has %(count)s addresses; at most %(most)s at a time.") % {"count": count, "most": MAX_LINES}


def is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _address_in(text: str) -> str:
    word = text.strip()
    if "<" in word and word.endswith(">"):
        word = word[word.rindex("<") + 1 : -1].strip()
    return word


# --- Files -------------------------------------------------------------------------------------------------------
def _tables_of_workbook(source: Source) -> list[Rows]:
    try:
        book = read_workbook(source)
    except CannotImport as error:
        raise ListRefused(
            _(
                "This file cannot be read as an Excel workbook: it is damaged, too large or of another kind. Open it in "
                "a spreadsheet program, save it as .xlsx or CSV and choose it again."
            )
        ) from error
    return [
        {number: [cells.get(column, "") for column in range(1, max(cells) + 1)] for number, cells in sheet.rows.items()}
        for sheet in book.sheets.values()
        if max((max(cells) for cells in sheet.rows.values()), default=0) <= MOST_COLUMNS
    ]


def _table_of_csv(raw: bytes) -> Rows:
    """The rows by their number, as spreadsheet programs count them: a blank line is a row."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ListRefused(_not_in_utf8())
    if b"\0" in raw:
        raise ListRefused(_("This is not a CSV file or an Excel workbook. Save the list as one of them."))
    try:
        text = raw.removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ListRefused(_not_in_utf8()) from error
    start = text[:10_000]
    delimiter = max(",;\t", key=start.count)
    rows: dict[int, Sequence[str]] = {}
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    try:
        for number, cells in enumerate(reader, start=1):
            if any(cell.strip() for cell in cells):
                rows[number] = [unmarked(cell.strip()) for cell in cells[:MOST_COLUMNS]]
    except csv.Error as error:
        raise ListRefused(
            _("Line %(line)s does not end: a quotation mark is not closed. Correct it and choose the file again.")
            % {"line": reader.line_num}
        ) from error
    return rows


def _not_in_utf8() -> str:
    return _("The file is not in UTF-8. Save it as “CSV UTF-8” or as an Excel workbook and choose it again.")


def _column_of(rows: Rows) -> tuple[int | None, int]:
    """Where the addresses stand, and the first row that is none of a heading: the column called so, else the one with
    most addresses, the first among equals."""
    if not rows:
        return None, 0
    first = min(rows)
    headings = [re.sub("[^a-z0-9]", "", fold(cell)) for cell in rows[first]]
    for position, heading in enumerate(headings):
        if heading in HEADERS:
            return position, first + 1
    counts: dict[int, int] = {}
    for cells in islice(rows.values(), MOST_LOOKED_AT):
        for position, cell in enumerate(cells):
            if "@" in cell and is_address(_address_in(cell)):
                counts[position] = counts.get(position, 0) + 1
    if not counts:
        return None, 0
    column = min(counts, key=lambda position: (-counts[position], position))
    cells = rows[first]
    is_heading = "@" not in (cells[column] if column < len(cells) else "") and bool("".join(cells))
    return column, first + 1 if is_heading else first


def _text_of(rows: Rows, column: int, first: int) -> str:
    """A line for each row. Where a row has no address, its first word stands there: it is named, not passed over."""
    wanted = {number: cells for number, cells in rows.items() if number >= first}
    if not wanted:
        raise ListRefused(_("The column of addresses is empty. Choose the file with the addresses."))
    if len(wanted) > MAX_LINES:
        raise ListRefused(too_many(len(wanted)))
    if max(wanted) > 5 * MAX_LINES:
        raise ListRefused(_("The rows of this file lie too far apart. Delete the empty ones and choose it again."))
    lines = []
    for number in range(1, max(wanted) + 1):
        cells = wanted.get(number, ())
        entry = cells[column] if column < len(cells) else ""
        lines.append(_line(entry or next((cell for cell in cells if cell), "")) or ("?" if cells else ""))
    text = "\n".join(lines)
    if len(text) > MAX_CHARACTERS:
        raise ListRefused(too_large())
    return text


def _line(entry: str) -> str:
    """The entry on a single line, whatever its cell holds."""
    return " ".join(UNSEEN.sub("", BREAKS.sub(" ", _address_in(entry)))[:MAX_ENTRY].split())
