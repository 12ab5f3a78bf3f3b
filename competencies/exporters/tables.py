"""A framework as the platform's spreadsheet: as tables, as a workbook, as CSV files.

What the columns are called stands in competencies.spreadsheet; competencies.importers.template reads it back to the
same content. Equal content gives equal bytes.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import xlsxwriter
from django.utils.translation import gettext as _

from competencies import spreadsheet
from competencies.exporters import examples
from competencies.importers.content import UNUSABLE, FrameworkContent, ProfileContent, RoleContent, Text, shown
from competencies.spreadsheet import Choices, Column, Names, Sheet

# What is written in a file that must be the same tomorrow.
NO_DAY = datetime(2000, 1, 1)
ZIP_DAY = (1980, 1, 1, 0, 0, 0)
ROOM = 1_000
"""Rows below the filled ones in which the drop-down lists work too."""

Key = tuple[str, str]
Cells = dict[Key, str]


class CannotExport(ValueError):
    """The content does not fit into a spreadsheet; the sentence says what and what to do."""


@dataclass(frozen=True)
class Table:
    """A sheet with its header and its rows; `columns` say what each stands for. Cells are texts as they are."""

    sheet: Sheet
    name: str
    columns: tuple[Column, ...]
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(content: FrameworkContent, edition: str | None = None, language: str = "en") -> tuple[Table, ...]:
    """The tables of a framework in the order of the sheets; `language` is that of the headers.

    `edition` is what the edition is called, where that is not what the content says. Raises CannotExport.
    """
    return _Writing(content, edition, language).tables()


class _Writing:
    def __init__(self, content: FrameworkContent, edition: str | None, language: str) -> None:
        self.content = content
        self.edition = edition
        self.word = spreadsheet.LANGUAGES.index(language if language in spreadsheet.LANGUAGES else "en")
        self.main = content.languages[0] if content.languages else "en"
        self.levels = Names()
        for level in content.levels:
            self.levels.add(str(level.rank), level.label.values())
        self.level_labels = {level.rank: level.label for level in content.levels}
        self.areas, self.area_titles = self._named(content.areas)
        self.families, self.family_titles = self._named(content.families)
        self.competencies, self.competency_titles = self._named(content.competencies)
        self.roles, self.role_titles = self._named(content.roles)

    def _named(self, things: Iterable[Any]) -> tuple[Names, dict[str, str]]:
        names = Names()
        titles = {}
        for thing in things:
            names.add(thing.code, thing.title.values())
            titles[thing.code] = self._main_text(thing.title)
        return names, titles

    def _main_text(self, text: Text) -> str:
        return text.get(self.main) or next(iter(text.values()), "")

    def tables(self) -> tuple[Table, ...]:
        content = self.content
        return (
            self._properties(),
            self._table(spreadsheet.LEVELS, map(self._level, content.levels)),
            self._table(spreadsheet.AREAS, map(self._coded, content.areas)),
            self._table(spreadsheet.COMPETENCIES, map(self._competency, content.competencies)),
            self._table(spreadsheet.FAMILIES, map(self._coded, content.families)),
            self._table(spreadsheet.ROLES, (row for role in content.roles for row in self._role(role))),
            self._table(spreadsheet.REQUIREMENTS, self._requirements()),
            *([self._table(spreadsheet.LINKS, map(self._link, content.links))] if content.links else []),
        )

    # --- Rows
    def _about(self) -> Cells:
        content = self.content
        extends, extends_edition = content.extends or ("", "")
        return {
            **self._words("title", content.title),
            ("slug", ""): content.slug,
            ("edition", ""): (content.edition if self.edition is None else self.edition) or "",
            ("languages", ""): ", ".join(content.languages),
            **self._words("description", content.description),
            ("publisher", ""): content.publisher,
            ("source", ""): content.source,
            ("source_url", ""): content.source_url,
            ("licence", ""): content.licence,
            ("attribution", ""): content.attribution,
            ("extends", ""): extends,
            ("extends_edition", ""): extends_edition,
            **_beyond(content),
        }

    def _level(self, level: Any) -> Cells:
        return {
            ("rank", ""): str(level.rank),
            **self._words("label", level.label),
            **self._words("description", level.description),
            **_beyond(level),
        }

    def _coded(self, thing: Any) -> Cells:
        return {
            ("code", ""): thing.code,
            **self._words("title", thing.title),
            **self._words("description", thing.description),
            **_beyond(thing),
        }

    def _competency(self, competency: Any) -> Cells:
        return {
            **self._coded(competency),
            ("area", ""): self._reference(self.areas, self.area_titles, competency.area),
            ("kind", ""): self._choice(spreadsheet.KINDS, competency.kind),
            ("parent", ""): competency.parent or "",
            **self._words("example", competency.example),
            **self._words("alternatives", competency.alternatives),
            **{
                key: text
                for descriptor in competency.descriptors
                for key, text in self._words(f"level {descriptor.rank}", descriptor.text).items()
            },
            ("rank", ""): "" if competency.rank is None else str(competency.rank),
        }

    def _role(self, role: RoleContent) -> Iterable[Cells]:
        """A row a profile: what finds the role again stands in each, what is long in the first."""
        repeated = {
            ("code", ""): role.code,
            **self._words("title", role.title),
            ("family", ""): self._reference(self.families, self.family_titles, role.family),
            ("key_post", ""): role.key_post,
        }
        once = {
            **self._words("summary", role.summary),
            **self._words("alternatives", role.alternatives),
            ("external_codes", ""): _as_json({system: list(codes) for system, codes in role.external_codes.items()}),
            **_beyond(role),
        }
        if not role.profiles:
            yield {**repeated, **once, ("unprofiled", ""): self._choice(spreadsheet.YES, "yes")}
        for number, profile in enumerate(role.profiles):
            yield {
                **repeated,
                ("profile", ""): profile.code,
                **self._words("grade", profile.grade),
                **self._words("profile_summary", profile.summary),
                ("builds_on", ""): profile.builds_on or "",
                ("profile_identifier", ""): profile.identifier,
                ("profile_extra", ""): _as_json(profile.extra),
                **({} if number else once),
            }

    def _requirements(self) -> Iterable[Cells]:
        several = {role.code for role in self.content.roles if len(role.profiles) > 1}
        for role in self.content.roles:
            name = self.roles.name_for(role.code, self.role_titles[role.code])
            for profile in role.profiles:
                grade = self._grade(profile) if role.code in several else ""
                for requirement in profile.requirements:
                    code = requirement.competency
                    yield {
                        ("profile", ""): profile.code,
                        ("role", ""): name,
                        ("grade", ""): grade,
                        ("competency_code", ""): code,
                        ("competency", ""): self.competencies.name_beside(code, self.competency_titles.get(code, "")),
                        ("level", ""): self._level_name(requirement.level),
                        ("importance", ""): str(requirement.importance),
                        ("necessity", ""): self._choice(spreadsheet.NECESSITIES, requirement.necessity),
                        ("level_value", ""): requirement.level_value,
                        ("importance_value", ""): requirement.importance_value,
                        ("extra", ""): _as_json(requirement.extra),
                    }

    def _link(self, link: Any) -> Cells:
        return {
            ("origin", ""): link.origin,
            ("relation", ""): self._choice(spreadsheet.RELATIONS, link.relation),
            ("target", ""): link.target or "",
            ("target_uri", ""): link.target_uri,
            ("target_title", ""): link.target_title,
            ("note", ""): link.note,
            **_beyond(link),
        }

    # --- Cells
    def _words(self, key: str, text: Text) -> Cells:
        return {(key, language): words for language, words in text.items()}

    def _choice(self, choices: Choices, value: str) -> str:
        return choices[value][self.word] if value in choices else value

    def _reference(self, names: Names, titles: Mapping[str, str], code: str | None) -> str:
        return names.name_for(code, titles.get(code, "")) if code else ""

    def _level_name(self, rank: int | None) -> str:
        if rank is None:
            return ""
        label = self._main_text(self.level_labels.get(rank, {}))
        return str(rank) if spreadsheet.WHOLE.fullmatch(label) else self.levels.name_for(str(rank), label)

    def _grade(self, profile: ProfileContent) -> str:
        return self._main_text(profile.grade)

    # --- Tables
    def _properties(self) -> Table:
        about = self._about()
        names = spreadsheet.PROPERTIES.names[self.word]
        rows = []
        for column in spreadsheet.PROPERTIES.columns:
            languages = self._languages(about, column.key) if column.translated else [""]
            for language in languages:
                value = about.get((column.key, language), "")
                if not value and column.rare:
                    continue
                for part, piece in enumerate(_pieces(value, names), start=1):
                    shown_language = language if language != self.main else None
                    rows.append((spreadsheet.heading(column.names[self.word], shown_language, part), piece))
        columns = spreadsheet.FRAMEWORK.columns
        header = tuple(column.names[self.word] for column in columns)
        return Table(spreadsheet.FRAMEWORK, spreadsheet.FRAMEWORK.names[self.word], columns, header, tuple(rows))

    def _languages(self, used: Iterable[Key], key: str) -> list[str]:
        """The main language first, then the others of the framework, then whatever else there is."""
        found = {language for name, language in used if name == key}
        listed = [language for language in self.content.languages if language in found or language == self.main]
        return [*listed, *sorted(found - set(listed))]

    def _table(self, sheet: Sheet, cells: Iterable[Cells]) -> Table:
        records = list(cells)
        name = sheet.names[self.word]
        if len(records) >= spreadsheet.MAX_ROWS:
            raise CannotExport(
                _("The table “%(table)s” has %(count)s rows, and a sheet holds at most %(limit)s. Export it as CASE.")
                % {"table": name, "count": len(records), "limit": spreadsheet.MAX_ROWS - 1}
            )
        used: dict[Key, int] = {}
        divided: dict[tuple[int, Key], list[str]] = {}
        for number, record in enumerate(records):
            for key, text in record.items():
                if not text:
                    continue
                parts = _pieces(text, name)
                used[key] = max(used.get(key, 1), len(parts))
                if len(parts) > 1:
                    divided[number, key] = parts
        columns: list[Column] = []
        header: list[str] = []
        places: list[tuple[Key, int]] = []
        for column, key, title in self._columns(sheet, used):
            for part in range(1, used.get(key, 1) + 1):
                language = key[1] if key[1] != self.main else None
                columns.append(column)
                header.append(spreadsheet.heading(title, language, part))
                places.append((key, part))
        rows = tuple(
            tuple(_piece(record.get(key, ""), divided.get((number, key)), part) for key, part in places)
            for number, record in enumerate(records)
        )
        return Table(sheet, name, tuple(columns), tuple(header), rows)

    def _columns(self, sheet: Sheet, used: Mapping[Key, int]) -> Iterable[tuple[Column, Key, str]]:
        for column in sheet.columns:
            if sheet is spreadsheet.COMPETENCIES and column.key == "rank":
                yield from self._descriptor_columns(used)
            languages = self._languages(used, column.key) if column.translated else [""]
            for language in languages:
                if (column.key, language) in used or not column.rare:
                    yield column, (column.key, language), column.names[self.word]

    def _descriptor_columns(self, used: Mapping[Key, int]) -> Iterable[tuple[Column, Key, str]]:
        ranks = {int(key.split()[1]) for key, _language in used if key.startswith("level ")}
        ranks |= set() if ranks else {level.rank for level in self.content.levels}
        for rank in sorted(ranks):
            for language in self._languages(used, f"level {rank}"):
                name = f"{spreadsheet.DESCRIPTOR.names[self.word]} {rank}"
                yield spreadsheet.DESCRIPTOR, (f"level {rank}", language), name


def _beyond(thing: Any) -> Cells:
    return {("identifier", ""): thing.identifier, ("extra", ""): _as_json(thing.extra)}


def _as_json(document: Mapping[str, Any]) -> str:
    if not document:
        return ""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True)
    return UNUSABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _pieces(text: str, table: str) -> list[str]:
    found = spreadsheet.pieces(text)
    if found is None or len(found) > spreadsheet.MAX_PARTS:
        raise CannotExport(
            _("A text of the table “%(table)s” does not fit into the cells of a sheet: “%(text)s”. Shorten it.")
            % {"table": table, "text": shown(text)}
        )
    return found


def _piece(text: str, parts: Sequence[str] | None, part: int) -> str:
    if parts is not None:
        return parts[part - 1] if part <= len(parts) else ""
    return text if part == 1 else ""


# --- CSV --------------------------------------------------------------------------------------------------------------
def csv_files(content: FrameworkContent, edition: str | None = None, language: str = "en") -> dict[str, bytes]:
    """The tables that have rows as CSV files by name, in UTF-8 with the mark that spreadsheet programmes look for."""
    files = {}
    for table in tables(content, edition, language):
        if not table.rows:
            continue
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(table.header)
        writer.writerows([spreadsheet.disarmed(cell) for cell in row] for row in table.rows)
        files[f"{table.sheet.key}.csv"] = b"\xef\xbb\xbf" + text.getvalue().encode()
    return files


def csv_zip(content: FrameworkContent, edition: str | None = None, language: str = "en") -> bytes:
    """The CSV files in one zip."""
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name, raw in csv_files(content, edition, language).items():
            member = ZipInfo(name, ZIP_DAY)
            member.compress_type = ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            archive.writestr(member, raw)
    return packed.getvalue()


# --- Workbook ---------------------------------------------------------------------------------------------------------
def workbook(content: FrameworkContent, edition: str | None = None, language: str = "en") -> bytes:
    """The tables as an Excel workbook with a sheet on how to fill it in, headers that stay, and lists to choose from."""
    return _Book(tables(content, edition, language), language).packed(shown(content.slug))


def empty_template(language: str = "en") -> bytes:
    """A workbook to be filled in, with an example in each sheet that is to be written over."""
    return workbook(examples.example(language), None, language)


class _Book:
    def __init__(self, tables: Sequence[Table], language: str) -> None:
        self.tables = tables
        self.language = language
        self.word = spreadsheet.LANGUAGES.index(language if language in spreadsheet.LANGUAGES else "en")

    def packed(self, title: str) -> bytes:
        packed = io.BytesIO()
        book = xlsxwriter.Workbook(
            packed,
            {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
        )
        book.set_properties({"title": title, "created": NO_DAY})
        # Texts stay texts where people go on writing: 1-2 is no day and 007 no number.
        self.text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
        self.fixed = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top", "quote_prefix": True})
        self.number = book.add_format({"valign": "top", "align": "left"})
        self.head = book.add_format(
            {"num_format": "@", "bold": True, "text_wrap": True, "valign": "top", "bg_color": "#DCE6F1", "bottom": 1}
        )
        self.plain_head = book.add_format({"bold": True, "font_size": 14})
        self._read_me(book.add_worksheet(spreadsheet.READ_ME[self.word]))
        sheets = {table.sheet.key: book.add_worksheet(table.name) for table in self.tables}
        for table in self.tables:
            self._fill(sheets[table.sheet.key], table)
        book.close()
        return packed.getvalue()

    def _read_me(self, sheet: Any) -> None:
        sheet.set_column(0, 0, 110, self.text)
        row = 0
        languages = [self.language, *(other for other in spreadsheet.LANGUAGES if other != self.language)]
        for language in languages:
            if language not in examples.READ_ME:
                continue
            heading, *lines = examples.READ_ME[language]
            sheet.write_string(row, 0, heading, self.plain_head)
            for line in lines:
                row += 1
                sheet.write_string(row, 0, line, self.text)
            row += 2

    def _fill(self, sheet: Any, table: Table) -> None:
        # Codes of digits are texts on purpose: no green corners.
        if table.rows:
            sheet.ignore_errors({"number_stored_as_text": f"A1:{_column(len(table.header) - 1)}{len(table.rows) + 1}"})
        for position, column in enumerate(table.columns):
            sheet.set_column(position, position, column.width, self.number if column.number else self.text)
        for position, name in enumerate(table.header):
            sheet.write_string(0, position, name, self.head)
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(table.rows, start=1):
            for position, (column, cell) in enumerate(zip(table.columns, row, strict=True)):
                if not cell:
                    continue
                if column.number and cell.isascii() and cell.isdigit() and str(int(cell)) == cell:
                    sheet.write_number(number, position, int(cell), self.number)
                else:
                    format = self.fixed if spreadsheet.disarmed(cell) != cell else self.text
                    sheet.write_string(number, position, spreadsheet.marked(cell), format)
        if table.header and table.sheet is not spreadsheet.FRAMEWORK:
            sheet.autofilter(0, 0, max(len(table.rows), 1), len(table.header) - 1)
        for position, column in enumerate(table.columns):
            if rule := self._rule(table, column):
                sheet.data_validation(1, position, len(table.rows) + ROOM, position, {**rule, "ignore_blank": True})

    def _rule(self, table: Table, column: Column) -> dict[str, Any] | None:
        """What may be chosen in a column. Where names may be written otherwise, the list only offers."""
        if column.choices:
            # A list within the rule has at most 255 characters.
            words = [words[self.word] for words in column.choices.values()]
            return {"validate": "list", "source": words, "show_error": False} if len(",".join(words)) <= 255 else None
        if column.key == "importance":
            return {"validate": "integer", "criteria": "between", "minimum": 1, "maximum": 5}
        offered = {
            ("requirements", "level"): ("levels", "label"),
            ("requirements", "role"): ("roles", "title"),
            ("requirements", "competency"): ("competencies", "title"),
            ("competencies", "area"): ("areas", "title"),
            ("roles", "family"): ("families", "title"),
        }.get((table.sheet.key, column.key))
        if offered is None:
            return None
        for other in self.tables:
            if other.sheet.key == offered[0]:
                at = next(i for i, known in enumerate(other.columns) if known.key == offered[1])
                letter = _column(at)
                source = f"='{other.name}'!${letter}$2:${letter}${len(other.rows) + ROOM}"
                return {"validate": "list", "source": source, "show_error": False}
        return None


def _column(position: int) -> str:
    return xlsxwriter.utility.xl_col_to_name(position)
