"""The platform's spreadsheet before it has a meaning: tables with known columns, from a workbook or from CSV files."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter

from competencies import spreadsheet
from competencies.importers import workbooks
from competencies.importers.content import Deviation, Faults, refuse, shown, tidy
from competencies.importers.platform import LANGUAGE_PATTERN
from competencies.importers.sources import BOM, HEADER_BYTES, Source, line_place
from competencies.spreadsheet import Column, Heading, Names, Sheet

SEPARATORS = (",", ";", "\t")
MAX_COLUMNS = 1_000
# Of all tables together: what a framework takes in memory. NICE has under 10,000.
MAX_TABLE_ROWS = 120_000
MAX_REMARKS = 20
ENOUGH_SHEETS = 2  # to recognise a workbook by


def is_workbook(source: Source) -> bool:
    names = workbooks.sheet_names(source)
    return len({sheet.key for name in names if (sheet := spreadsheet.sheet_named(name))}) >= ENOUGH_SHEETS


def is_table(source: Source) -> bool:
    return not source.looks_like_zip and not source.looks_like_json and _separated(source)[0] is not None


def _separated(source: Source) -> tuple[Sheet | None, str]:
    """Which table the file is, and what stands between its cells: what makes the best sense of the first row."""
    best: tuple[int, Sheet | None, str] = (0, None, ",")
    for separator in SEPARATORS:
        start = io.TextIOWrapper(
            io.BytesIO(source.raw[:HEADER_BYTES].removeprefix(BOM)), "utf-8", "replace", newline=""
        )
        try:
            header = next((row for row in csv.reader(start, delimiter=separator) if any(map(str.strip, row))), [])
        except csv.Error:
            continue
        sheet, known = spreadsheet.sheet_of(header)
        if known > best[0]:
            best = (known, sheet, separator)
    return best[1], best[2]


# --- Two doors --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Grid:
    """A table as it stands there: its header and its rows by column number, and what to call a place in it."""

    sheet: Sheet
    name: str
    header_line: int
    header: Mapping[int, str]
    rows: Sequence[tuple[int, Mapping[int, str]]]
    locate: Callable[[int, int], str]

    def place(self, line: int, column: int = 0) -> str:
        return self.locate(line, column)


def grids_of_workbook(source: Source, deviations: list[Deviation]) -> list[Grid]:
    book = workbooks.read_workbook(source)
    deviations += book.deviations
    grids = []
    for name, opened in book.sheets.items():
        if spreadsheet.is_read_me(name) or not opened.rows:
            continue
        first = min(opened.rows)
        sheet = spreadsheet.sheet_named(name) or spreadsheet.sheet_of(opened.rows[first].values())[0]
        if sheet is None:
            deviations.append(
                Deviation(
                    opened.place(), _("This sheet is not part of the format and was not read.") + _near_sheet(name)
                )
            )
            continue
        header = opened.rows[first]

        def locate(line: int, column: int, opened: workbooks.Sheet = opened, header: Any = header) -> str:
            letter = get_column_letter(column) if column else ""
            title = f" ({shown(header[column])})" if header.get(column) else ""
            return workbooks.cell_place(opened.file, opened.name, line, f"{letter}{title}" if letter else "")

        rows = [(line, cells) for line, cells in opened.rows.items() if line > first]
        grids.append(Grid(sheet, name, first, header, rows, locate))
    return grids


def _near_sheet(name: str) -> str:
    names = Names()
    for sheet in spreadsheet.SHEETS:
        names.add(sheet.key, sheet.names)
    return suggestion(names.near(name))


def grids_of_files(sources: Sequence[Source], deviations: list[Deviation]) -> list[Grid]:
    faults = Faults()
    grids = []
    for source in sources:
        sheet, separator = _separated(source)
        if sheet is not None:
            grids.append(_grid_of_file(source, sheet, separator, faults))
        if separator != ",":
            deviations.append(
                Deviation(
                    source.name,
                    _("Read with semicolons between the cells.")
                    if separator == ";"
                    else _("Read with tabs between the cells."),
                )
            )
    faults.raise_if_any()
    return grids


def refuse_too_many_rows(name: str) -> NoReturn:
    refuse(
        name,
        _("The tables have more than %(limit)s rows. Divide them, or export only one framework.")
        % {"limit": MAX_TABLE_ROWS},
    )


def _grid_of_file(source: Source, sheet: Sheet, separator: str, faults: Faults) -> Grid:
    lines = ((line, cells) for line, cells in source.rows(separator) if any(map(str.strip, cells)))
    header_line, first = next(lines)
    header = {column: cell.strip() for column, cell in enumerate(first, start=1) if cell.strip()}
    rows: list[tuple[int, Mapping[int, str]]] = []
    for line, cells in lines:
        if len(cells) < len(first) or any(map(str.strip, cells[len(first) :])):
            faults.add(
                line_place(source.name, line),
                _("The row has %(count)s cells and the header has %(expected)s. Add or take out what differs.")
                % {"count": len(cells), "expected": len(first)},
            )
            continue
        if len(rows) >= MAX_TABLE_ROWS:
            refuse_too_many_rows(source.name)
        rows.append((line, {column: text for column, cell in enumerate(cells, start=1) if (text := tidy(cell))}))

    def locate(line: int, column: int) -> str:
        return line_place(source.name, line, shown(header.get(column, str(column))) if column else "")

    return Grid(sheet, source.name, header_line, header, rows, locate)


# --- Tables with known columns ----------------------------------------------------------------------------------------
Key = tuple[str, str]
"""A column's key and its language; the language is empty where the column has none."""


@dataclass(frozen=True)
class Record:
    """One row: its cells by key and language, put together from their pieces."""

    line: int
    cells: Mapping[Key, str]
    places: Mapping[Key, int]
    grid: Grid

    def __getitem__(self, key: str) -> str:
        return self.cells.get((key, ""), "")

    def place(self, key: str = "", language: str = "") -> str:
        return self.grid.place(self.line, self.places.get((key, language), 0) if key else 0)


@dataclass
class Table:
    records: list[Record] = field(default_factory=list)
    keys: frozenset[Key] = frozenset()
    grid: Grid | None = None


def suggestion(names: Sequence[str]) -> str:
    if not names:
        return ""
    return " " + _("Did you mean %(names)s?") % {"names": ", ".join(f"“{shown(name)}”" for name in names)}


class Matching:
    """Finds out what the columns of a grid are."""

    def __init__(
        self, grid: Grid, main: str, labels: Mapping[str, int], faults: Faults, deviations: list[Deviation]
    ) -> None:
        self.grid = grid
        self.main = main
        self.labels = labels
        self.faults = faults
        self.deviations = deviations
        self.parts: dict[Key, dict[int, int]] = defaultdict(dict)
        self.used = Counter(position for _line, cells in grid.rows for position in cells)
        self.known = Names()
        for column in grid.sheet.columns:
            self.known.add(column.key, column.names)

    def table(self) -> Table:
        if len(self.grid.header) > MAX_COLUMNS:
            refuse(
                self.grid.place(self.grid.header_line),
                _("The table has more than %(limit)s columns. Take out what does not belong to the framework.")
                % {"limit": MAX_COLUMNS},
            )
        for position, text in self.grid.header.items():
            self._take(position, text)
        for parts in self.parts.values():
            if sorted(parts) != list(range(1, len(parts) + 1)):
                self.faults.add(
                    self.grid.place(self.grid.header_line, next(iter(parts.values()))),
                    _("The pieces of this column do not follow each other: %(parts)s. Number them from (2) on.")
                    % {"parts": ", ".join(map(str, sorted(parts)))},
                )
        columns = {key: [parts[part] for part in sorted(parts)] for key, parts in self.parts.items()}
        places = {key: positions[0] for key, positions in columns.items()}
        self._remark_on_nameless()
        records = []
        for line, cells in self.grid.rows:
            found = {
                key: text
                for key, positions in columns.items()
                if (text := tidy("".join(spreadsheet.unmarked(cells.get(at, "")) for at in positions)))
            }
            if found:
                records.append(Record(line, found, places, self.grid))
        return Table(records, frozenset(columns), self.grid)

    def _take(self, position: int, text: str) -> None:
        if not text:
            return
        heading = Heading.of(text)
        place = self.grid.place(self.grid.header_line, position)
        column, key = self._column(heading)
        if column is None:
            if position in self.used:
                self._remark(place, text)
            return
        language = heading.language or ""
        if language and not column.translated:
            self.faults.add(place, _("This column has no languages. Take the brackets out of its name."))
            return
        if language and not LANGUAGE_PATTERN.match(language):
            self.faults.add(
                place,
                _("“%(code)s” is not a language code such as “en” or “pt-BR”. Correct it.") % {"code": shown(language)},
            )
            return
        if column.translated:
            language = language or self.main
        parts = self.parts[key, language]
        if heading.part in parts:
            self.faults.add(place, _("The column “%(name)s” stands there twice. Keep one.") % {"name": shown(text)})
        parts[heading.part] = position

    def _column(self, heading: Heading) -> tuple[Column | None, str]:
        sheet = self.grid.sheet
        if column := sheet.by_name.get(heading.name):
            return column, column.key
        if sheet is spreadsheet.COMPETENCIES:
            rank = heading.descriptor_rank
            rank = self.labels.get(heading.name) if rank is None else rank
            if rank is not None:
                return spreadsheet.DESCRIPTOR, f"level {rank}"
        return None, ""

    def _remark(self, place: str, text: str) -> None:
        message = _("The column “%(name)s” is not part of the format and not kept.") % {"name": shown(text)}
        self.deviations.append(Deviation(place, message + suggestion(self.known.near(text))))

    def _remark_on_nameless(self) -> None:
        nameless = sorted(position for position in self.used if position not in self.grid.header)
        for position in nameless[:MAX_REMARKS]:
            self.deviations.append(
                Deviation(
                    self.grid.place(self.grid.header_line, position),
                    _("This column has no name; what stands in its cells is not kept (%(count)s).")
                    % {"count": self.used[position]},
                )
            )
