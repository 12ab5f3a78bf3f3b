"""The platform's spreadsheet, filled in by people: one workbook, or a folder of CSV files with the same tables.

What the columns are called stands in competencies.spreadsheet. Codes may be left out and things be named by their
titles; a name that leads nowhere, or to several things, is a fault with its cell and with the names that are near.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from competencies import spreadsheet
from competencies.enums import DEFAULT_IMPORTANCE, MAX_RANK, CompetencyKind, Necessity
from competencies.importers.content import (
    MAX_AREA_CODE,
    MAX_COMPETENCY_CODE,
    MAX_PROFILE_CODE,
    MAX_ROLE_CODE,
    MAX_SLUG,
    UNUSABLE,
    AreaContent,
    CannotImport,
    CompetencyContent,
    DescriptorContent,
    Deviation,
    FamilyContent,
    Faults,
    FrameworkContent,
    LevelContent,
    LinkContent,
    ProfileContent,
    RequirementContent,
    RoleContent,
    objection_to_text,
    objection_to_url,
    refuse,
    shown,
    slugs_for,
)
from competencies.importers.grids import (
    MAX_TABLE_ROWS,
    Grid,
    Key,
    Matching,
    Record,
    Table,
    grids_of_files,
    grids_of_workbook,
    is_table,
    is_workbook,
    refuse_too_many_rows,
    suggestion,
)
from competencies.importers.platform import LANGUAGE_PATTERN, SLUG_PATTERN
from competencies.importers.sources import Source, refuse_unreadable_tables
from competencies.spreadsheet import Heading, Names, Sheet

TITLE = gettext_lazy(
    "template: the platform's spreadsheet, one workbook (.xlsx) or a folder with its tables as CSV files"
)

MAX_NESTING = 20


def sniff(sources: Sequence[Source]) -> bool:
    """Whether one of the sources is such a workbook or one of the tables."""
    return any(is_workbook(source) or is_table(source) for source in sources)


def read(sources: Sequence[Source]) -> FrameworkContent:
    """The framework of the one workbook, or of the tables, among the sources.

    Raises CannotImport with the sheet, row and column of each fault.
    """
    books = [source for source in sources if is_workbook(source)]
    tables = [source for source in sources if is_table(source)]
    refuse_unreadable_tables(sources)
    if len(books) > 1 or (books and tables):
        refuse(
            ", ".join(source.name for source in [*books, *tables]),
            _("The framework stands here more than once. Give the path of one workbook, or of a folder of CSV files."),
        )
    deviations: list[Deviation] = []
    grids = grids_of_workbook(books[0], deviations) if books else grids_of_files(tables, deviations)
    name = books[0].name if books else ", ".join(source.name for source in tables)
    return _Reading(name, grids, deviations).content()


# --- The framework ----------------------------------------------------------------------------------------------------
@dataclass
class _Profile:
    role: str
    code: str
    record: Record
    grade: dict[str, str]
    requirements: list[RequirementContent] = field(default_factory=list)
    required: dict[str, int] = field(default_factory=dict)


@dataclass
class _Role:
    code: str
    title: dict[str, str]
    records: list[Record] = field(default_factory=list)
    profiles: dict[str, _Profile] = field(default_factory=dict)


class _Reading:
    def __init__(self, name: str, grids: Sequence[Grid], deviations: list[Deviation]) -> None:
        self.name = name
        self.deviations = deviations
        self.faults = Faults()
        self.objected: set[str] = set()
        self.grids = self._by_sheet(grids)
        self.labels: dict[str, int] = {}
        self.main = ""
        self.languages: tuple[str, ...] = ()
        self.extends: tuple[str, str] | None = None
        self.levels = Names()
        self.ranks: set[int] = set()
        self.areas = Names()
        self.families = Names()
        self.competencies = Names()
        self.roles = Names()
        self.elsewhere: dict[tuple[str, str], int] = {}
        self.kinds = spreadsheet.choices_of(spreadsheet.KINDS)
        self.necessities = spreadsheet.choices_of(spreadsheet.NECESSITIES)
        self.relations = spreadsheet.choices_of(spreadsheet.RELATIONS)
        self.yes = spreadsheet.choices_of(spreadsheet.YES)

    def _by_sheet(self, grids: Sequence[Grid]) -> dict[str, Grid]:
        if sum(len(grid.rows) for grid in grids) > MAX_TABLE_ROWS:
            refuse_too_many_rows(self.name)
        found: dict[str, Grid] = {}
        for grid in grids:
            other = found.setdefault(grid.sheet.key, grid)
            if other is not grid:
                self.faults.add(
                    grid.place(grid.header_line),
                    _("“%(other)s” is the same table. Put all rows into one of them.") % {"other": shown(other.name)},
                )
        self.faults.raise_if_any()
        return found

    def content(self) -> FrameworkContent:
        about = self._about()
        levels = self._levels(self._table(spreadsheet.LEVELS))
        areas = self._coded(self._table(spreadsheet.AREAS), self.areas)
        families = self._coded(self._table(spreadsheet.FAMILIES), self.families)
        competencies = self._competencies(self._table(spreadsheet.COMPETENCIES))
        roles = self._roles(self._table(spreadsheet.ROLES))
        _Requiring(self, roles).take(self._table(spreadsheet.REQUIREMENTS).records)
        links = tuple(self._link(record) for record in self._table(spreadsheet.LINKS).records)
        self._remark_on_elsewhere()
        content = FrameworkContent(
            slug=about["slug"],
            title=about["title"],
            edition=about["edition"] or None,
            description=about["description"],
            publisher=about["publisher"],
            source=about["source"],
            source_url=about["source_url"],
            licence=about["licence"],
            attribution=about["attribution"],
            languages=self.languages,
            levels=levels,
            areas=tuple(AreaContent(*values) for values in areas),
            families=tuple(FamilyContent(*values) for values in families),
            competencies=competencies,
            roles=tuple(self._role(role) for role in roles.values()),
            links=links,
            extends=self.extends,
            identifier=about["identifier"],
            extra=about["extra"],
            source_counts={"rows": sum(len(grid.rows) for grid in self.grids.values())},
            deviations=tuple(self.deviations),
        )
        self.faults.raise_if_any()
        return content

    def _table(self, sheet: Sheet) -> Table:
        grid = self.grids.get(sheet.key)
        if grid is None:
            return Table()
        table = Matching(grid, self.main, self.labels, self.faults, self.deviations).table()
        for key, language in sorted(table.keys):
            if language and language not in self.languages:
                self.faults.add(
                    grid.place(grid.header_line, table.records[0].places[key, language] if table.records else 0),
                    _("“%(language)s” is not among the languages of the framework: %(languages)s. Add it there.")
                    % {"language": shown(language), "languages": ", ".join(self.languages)},
                )
        self._remark_on_languages(table)
        return table

    def _remark_on_languages(self, table: Table) -> None:
        missing: Counter[Key] = Counter()
        translated = {key for key, language in table.keys if language}
        for record in table.records:
            for key in translated:
                there = {language for language in self.languages if (key, language) in record.cells}
                if there:
                    missing.update((key, language) for language in self.languages if language not in there)
        for (key, language), count in sorted(missing.items()):
            if table.grid is None or not table.records:
                continue
            name = key if key.startswith("level ") else table.grid.sheet.by_key[key].names[0]
            self.deviations.append(
                Deviation(
                    table.grid.place(table.grid.header_line, table.records[0].places.get((key, language), 0)),
                    _("Texts in “%(column)s” that are not there in “%(language)s”: %(count)s.")
                    % {"column": name.capitalize(), "language": language, "count": count},
                )
            )

    # --- Cells
    def text(self, record: Record, key: str, limit: int, language: str = "") -> str:
        """The text of a cell; empty where it cannot be stored, which is a fault."""
        text = record.cells.get((key, language), "")
        if objection := objection_to_text(text, limit=limit):
            place = record.place(key, language)
            if place not in self.objected:
                self.objected.add(place)
                self.faults.add(place, objection)
            return ""
        return text

    def words(self, record: Record, key: str, limit: int, *, needed: bool = False) -> dict[str, str]:
        """The text in its languages."""
        words = {
            language: text
            for name, language in record.cells
            if name == key and (text := self.text(record, key, limit, language))
        }
        if needed and not any(name == key for name, _language in record.cells):
            self.faults.add(record.place(key, self.main), _("The cell is empty. Fill it in."))
        return {language: words[language] for language in sorted(words, key=self._language_order)}

    def _language_order(self, language: str) -> tuple[int, str]:
        return (self.languages.index(language) if language in self.languages else len(self.languages), language)

    def integer(self, record: Record, key: str, lowest: int, highest: int) -> int | None:
        text = record[key]
        if not text:
            return None
        found = spreadsheet.WHOLE.fullmatch(text)
        if found is None:
            self.faults.add(
                record.place(key),
                _("“%(value)s” is not a whole number. Write a number from %(lowest)s to %(highest)s.")
                % {"value": shown(text), "lowest": lowest, "highest": highest},
            )
            return None
        value = int(found[1])
        if not lowest <= value <= highest:
            self.faults.add(
                record.place(key),
                _("%(value)s is out of range. Write a number from %(lowest)s to %(highest)s.")
                % {"value": shown(text, 20), "lowest": lowest, "highest": highest},
            )
            return None
        return value

    def choice(self, record: Record, key: str, names: Names, default: str) -> str:
        text = record[key]
        if not text:
            return default
        found = names.find(text)
        if len(found) == 1:
            return found[0]
        column = record.grid.sheet.by_key[key]
        words = [words[spreadsheet.LANGUAGES.index("en")] for words in (column.choices or {}).values()]
        self.faults.add(
            record.place(key),
            _("“%(value)s” is not known here. Write one of: %(known)s.")
            % {"value": shown(text), "known": ", ".join(words)}
            + suggestion(names.near(text)),
        )
        return default

    def reference(self, record: Record, key: str, names: Names, limit: int) -> str | None:
        """The code of what the cell names, by code or by title; None where the cell is empty or nothing is found."""
        text = self.text(record, key, max(limit, record.grid.sheet.by_key[key].limit))
        return self.named(record, key, text, names, limit) if text else None

    def named_alone(self, record: Record, key: str, text: str, names: Names) -> str | None:
        """What the cell names of this framework itself: profiles are required of, whatever is extended."""
        return self.named(record, key, text, names, limit=-1)

    def named(self, record: Record, key: str, text: str, names: Names, limit: int) -> str | None:
        found = names.find(text)
        if len(found) == 1:
            return found[0]
        if found:
            self.faults.add(
                record.place(key),
                _("“%(name)s” is the name of several: %(codes)s. Write the code of the one that is meant.")
                % {"name": shown(text), "codes": ", ".join(shown(code) for code in found[:5])},
            )
        elif self.extends is not None and len(text) <= limit:
            self.elsewhere.setdefault((record.place(key), text), record.line)
            return text
        else:
            self.faults.add(
                record.place(key),
                _("There is no “%(name)s” to refer to. Correct the name, or add what it names.") % {"name": shown(text)}
                + suggestion(names.near(text)),
            )
        return None

    def _remark_on_elsewhere(self) -> None:
        for place, name in list(self.elsewhere)[:100]:
            self.deviations.append(
                Deviation(
                    place,
                    _("“%(name)s” is not in this file; it is taken for a code of the framework that is extended.")
                    % {"name": shown(name)},
                )
            )
        if (more := len(self.elsewhere) - 100) > 0:
            self.deviations.append(
                Deviation(self.name, _("Further codes of the framework that is extended: %(count)s.") % {"count": more})
            )

    def rank(self, record: Record, key: str) -> int | None:
        """A level by its rank or by its label."""
        text = record[key]
        if not text:
            return None
        found = spreadsheet.WHOLE.fullmatch(text)
        text = str(int(found[1])) if found else text
        codes = self.levels.find(text)
        if len(codes) == 1:
            return int(codes[0])
        if not codes and found and self.extends is not None and int(text) <= MAX_RANK:
            return int(text)
        if codes:
            message = _("“%(name)s” is the name of several levels: %(codes)s. Write the number of the level.") % {
                "name": shown(text),
                "codes": ", ".join(codes),
            }
        elif self.ranks:
            message = _("“%(name)s” is not a level of the scale: %(ranks)s. Write one of them.") % {
                "name": shown(text),
                "ranks": ", ".join(map(str, sorted(self.ranks))),
            } + suggestion(self.levels.near(text))
        else:
            message = _("The framework has no levels. List them in the table “%(table)s”, or leave the cell empty.") % {
                "table": spreadsheet.LEVELS.names[0]
            }
        self.faults.add(record.place(key), message)
        return None

    def json(self, record: Record, key: str) -> dict[str, Any]:
        """The object of a technical column."""
        text = record[key]
        if not text:
            return {}
        place = record.place(key)
        if len(text) > spreadsheet.MAX_JSON:
            self.faults.add(place, objection_to_text(text, limit=spreadsheet.MAX_JSON) or "")
            return {}
        try:
            document = Source(place, text.encode("utf-8", "replace")).document()
        except CannotImport as error:
            self.faults.add(place, error.faults[0].message)
            return {}
        if not isinstance(document, dict):
            self.faults.add(place, _("This is not a JSON object in braces. Write one, or leave the cell empty."))
            return {}
        if objection := _objection_to_json(document):
            self.faults.add(place, objection)
            return {}
        return document

    # --- Tables
    def _about(self) -> dict[str, Any]:
        record = self._properties()
        if record is None:
            refuse(
                self.name,
                _("The table “%(table)s” with the title of the framework is missing. Add it.")
                % {"table": spreadsheet.FRAMEWORK.names[0]},
            )
        limits = {column.key: column.limit for column in spreadsheet.PROPERTIES.columns}
        about: dict[str, Any] = {
            key: self.text(record, key, limits[key])
            for key in ("slug", "edition", "publisher", "source", "source_url", "licence", "attribution", "identifier")
        }
        about["title"] = self.words(record, "title", limits["title"])
        about["description"] = self.words(record, "description", limits["description"])
        about["extra"] = self.json(record, "extra")
        if not about["title"] and not any(key == "title" for key, _language in record.cells):
            self.faults.add(record.grid.name, _("The framework has no title. Write it beside “Title”."))
        if about["source_url"] and (objection := objection_to_url(about["source_url"])):
            self.faults.add(record.place("source_url"), objection)
        title = about["title"].get(self.main) or next(iter(about["title"].values()), "")
        if not record["slug"] and title:
            about["slug"] = slugs_for([title], MAX_SLUG)[title]
        elif about["slug"] and not SLUG_PATTERN.match(about["slug"]):
            self.faults.add(
                record.place("slug"),
                _("“%(slug)s” is not a short name. Write lower-case letters, digits and hyphens.")
                % {"slug": shown(about["slug"])},
            )
        extended = (
            self.text(record, "extends", limits["extends"]),
            self.text(record, "extends_edition", limits["extends_edition"]),
        )
        if all(extended):
            self.extends = extended
        elif any(extended):
            self.faults.add(
                record.place("extends" if extended[0] else "extends_edition"),
                _("What is extended is named by its short name and its edition. Write both, or neither."),
            )
        return about

    def _properties(self) -> Record | None:
        """The first table on its side: one record, whose headers stand one below the other."""
        grid = self.grids.get(spreadsheet.FRAMEWORK.key)
        if grid is None:
            return None
        lines = [(grid.header_line, grid.header), *grid.rows]
        columns = {spreadsheet.fold(text): position for position, text in grid.header.items()}
        known = spreadsheet.FRAMEWORK.by_name
        at = {known[name].key: position for name, position in columns.items() if name in known}
        if "property" in at and "value" in at:
            lines = lines[1:]
            left, right = at["property"], at["value"]
        else:
            left, right = 1, 2
        beyond = {position for _line, cells in lines for position in cells} - {left, right}
        for position in sorted(beyond)[:20]:
            self.deviations.append(
                Deviation(
                    grid.place(grid.header_line, position), _("This column is not part of the format and not kept.")
                )
            )
        named: dict[int, str] = {}
        values: dict[int, str] = {}
        for line, cells in lines:
            if cells.get(right):
                named[line] = spreadsheet.unmarked(cells.get(left, ""))
                values[line] = cells[right]
                if not named[line]:
                    self.faults.add(
                        grid.place(line, left),
                        _("This value has no property beside it. Say what it is, or take it out."),
                    )
        upright = Grid(
            spreadsheet.PROPERTIES,
            grid.place(grid.header_line),
            0,
            {line: name for line, name in named.items() if name},
            [(0, values)],
            lambda _line, line: grid.place(line, right) if line else grid.place(grid.header_line),
        )
        self._find_languages(upright)
        table = Matching(upright, self.main, {}, self.faults, self.deviations).table()
        for key, language in table.keys:
            if language and language not in self.languages:
                self.faults.add(
                    table.records[0].place(key, language),
                    _("“%(language)s” is not among the languages of the framework: %(languages)s. Add it there.")
                    % {"language": shown(language), "languages": ", ".join(self.languages)},
                )
        self.faults.raise_if_any()  # every text could be in a wrong language
        return table.records[0] if table.records else Record(0, {}, {}, upright)

    def _find_languages(self, upright: Grid) -> None:
        """The languages that are named; else the one of the headers and those that stand in brackets."""
        by_name = spreadsheet.PROPERTIES.by_name
        line = next(
            (
                line
                for line, name in upright.header.items()
                if (column := by_name.get(spreadsheet.fold(name))) and column.key == "languages"
            ),
            None,
        )
        if line is not None:
            languages = re.split(r"[\s,;]+", spreadsheet.unmarked(upright.rows[0][1][line]).strip(" ,;"))
            for language in languages:
                if not LANGUAGE_PATTERN.match(language):
                    self.faults.add(
                        upright.place(0, line),
                        _("“%(code)s” is not a language code such as “en” or “pt-BR”. Correct it.")
                        % {"code": shown(language)},
                    )
                elif languages.count(language) > 1:
                    self.faults.add(
                        upright.place(0, line), _("“%(code)s” stands there twice. Keep one.") % {"code": language}
                    )
            self.faults.raise_if_any()
            self.languages = tuple(languages)
            self.main = self.languages[0]
            return
        headings = [
            (grid.sheet, Heading.of(text)) for grid in [*self.grids.values(), upright] for text in grid.header.values()
        ]
        tally: Counter[str] = Counter()
        for sheet, item in headings:
            if column := sheet.by_name.get(item.name):
                folded = [spreadsheet.fold(name) for name in column.names]
                if item.name in folded and folded[0] != folded[1]:
                    tally[spreadsheet.LANGUAGES[folded.index(item.name)]] += 1
        self.main = "es" if tally["es"] > tally["en"] else "en"
        others = [item.language for _sheet, item in headings if item.language and LANGUAGE_PATTERN.match(item.language)]
        self.languages = tuple(dict.fromkeys([self.main, *others]))
        self.deviations.append(
            Deviation(
                upright.name,
                _("No language is named: texts without a language in brackets are taken for “%(language)s”.")
                % {"language": self.main},
            )
        )

    def _levels(self, table: Table) -> tuple[LevelContent, ...]:
        unnumbered = bool(table.records) and not any(record["rank"] for record in table.records)
        if unnumbered:
            self.deviations.append(
                Deviation(
                    table.records[0].grid.name,
                    _("The levels have no numbers; they are numbered from 1 in the order in which they stand."),
                )
            )
        levels = []
        for number, record in enumerate(table.records, start=1):
            rank = min(number, MAX_RANK + 1) if unnumbered else self.integer(record, "rank", 0, MAX_RANK)
            if not unnumbered and not record["rank"]:
                self.faults.add(record.place("rank"), _("The cell is empty. Fill it in."))
            if unnumbered and number > MAX_RANK:
                self.faults.add(
                    record.place(), _("There are more than %(limit)s levels. Take some out.") % {"limit": MAX_RANK}
                )
            label = self.words(record, "label", self._limit(record, "label"), needed=True)
            level = LevelContent(
                rank=rank or 0,
                label=label,
                description=self.words(record, "description", self._limit(record, "description")),
                identifier=self.text(record, "identifier", self._limit(record, "identifier")),
                extra=self.json(record, "extra"),
            )
            if rank is None:
                continue
            if rank in self.ranks:
                self.faults.add(
                    record.place("rank"),
                    _("Level %(rank)s is there already. Give each its own rank.") % {"rank": rank},
                )
            self.ranks.add(rank)
            self.levels.add(str(rank), label.values())
            self.labels.update({spreadsheet.fold(text): rank for text in label.values()})
            levels.append(level)
        return tuple(levels)

    def _limit(self, record: Record, key: str) -> int:
        return record.grid.sheet.by_key[key].limit

    def _codes(self, records: Iterable[Record], limit: int, *, every: bool = True) -> list[tuple[str, dict[str, str]]]:
        """The code and the title of every row; a code that was left out is made from the title."""
        found = []
        for record in records:
            title = self.words(record, "title", self._limit(record, "title"), needed=every or not record["code"])
            found.append((self.text(record, "code", limit), title))
        given = {code for code, _title in found if code}
        names = {self._main_text(title) for code, title in found if not code and title}
        made = slugs_for(names, limit)
        for name, code in made.items():
            number = 1
            while made[name] in given:
                number += 1
                made[name] = f"{code[: limit - len(str(number)) - 1]}-{number}"
            given.add(made[name])
        return [(code or made.get(self._main_text(title), ""), title) for code, title in found]

    def _main_text(self, title: Mapping[str, str]) -> str:
        return title.get(self.main) or next(iter(title.values()), "")

    def _is_new(self, record: Record, code: str, known: Mapping[str, int] | dict[str, int]) -> bool:
        if not code:
            return False
        if code not in known:
            return True
        key = "code" if record["code"] else "title"
        language = "" if key == "code" else self.main
        self.faults.add(
            record.place(key, language),
            _("“%(code)s” stands in row %(line)s already. Give each its own code, or take one out.")
            % {"code": shown(record["code"] or record.cells.get(("title", self.main), code)), "line": known[code]},
        )
        return False

    def _coded(
        self, table: Table, names: Names
    ) -> list[tuple[str, dict[str, str], dict[str, str], str, dict[str, Any]]]:
        found = []
        known: dict[str, int] = {}
        for record, (code, title) in zip(table.records, self._codes(table.records, MAX_AREA_CODE), strict=True):
            values = (
                code,
                title,
                self.words(record, "description", self._limit(record, "description")),
                self.text(record, "identifier", self._limit(record, "identifier")),
                self.json(record, "extra"),
            )
            if self._is_new(record, code, known):
                known[code] = record.line
                names.add(code, title.values())
                found.append(values)
        return found

    def _competencies(self, table: Table) -> tuple[CompetencyContent, ...]:
        codes = self._codes(table.records, MAX_COMPETENCY_CODE)
        known: dict[str, int] = {}
        rows = []
        for record, (code, title) in zip(table.records, codes, strict=True):
            if self._is_new(record, code, known):
                known[code] = record.line
                self.competencies.add(code, title.values())
                rows.append((record, code, title))
        described = self._described(table)
        found: dict[str, CompetencyContent] = {}
        lines: dict[str, Record] = {}
        for record, code, title in rows:
            lines[code] = record
            found[code] = CompetencyContent(
                code=code,
                title=title,
                kind=self.choice(record, "kind", self.kinds, CompetencyKind.COMPETENCY.value),
                area=self.reference(record, "area", self.areas, MAX_AREA_CODE),
                description=self.words(record, "description", self._limit(record, "description")),
                example=self.words(record, "example", self._limit(record, "example")),
                descriptors=tuple(
                    DescriptorContent(rank=rank, text=text)
                    for rank in described
                    if (text := self.words(record, f"level {rank}", spreadsheet.DESCRIPTOR.limit))
                ),
                parent=self.reference(record, "parent", self.competencies, MAX_COMPETENCY_CODE),
                rank=self.rank(record, "rank"),
                alternatives=self.words(record, "alternatives", self._limit(record, "alternatives")),
                identifier=self.text(record, "identifier", self._limit(record, "identifier")),
                extra=self.json(record, "extra"),
            )
        return self._parents_first(found, lines)

    def _described(self, table: Table) -> list[int]:
        """The levels that have a column. One that is not on the scale is a fault where something stands in it."""
        ranks = sorted({int(key.split()[1]) for key, _language in table.keys if key.startswith("level ")})
        for rank in ranks:
            key = f"level {rank}"
            if rank in self.ranks or (self.extends is not None and rank <= MAX_RANK):
                continue
            used = next((r for r in table.records if any(name == key for name, _language in r.cells)), None)
            if used is not None and table.grid is not None:
                language = next(language for name, language in used.cells if name == key)
                self.faults.add(
                    table.grid.place(table.grid.header_line, used.places[key, language]),
                    _("Level %(rank)s is not on the scale: %(ranks)s. List it in the table “%(table)s”.")
                    % {
                        "rank": rank,
                        "ranks": ", ".join(map(str, sorted(self.ranks))) or "–",
                        "table": spreadsheet.LEVELS.names[0],
                    },
                )
        return [rank for rank in ranks if rank <= MAX_RANK]

    def _parents_first(
        self, found: dict[str, CompetencyContent], records: Mapping[str, Record]
    ) -> tuple[CompetencyContent, ...]:
        ordered: dict[str, CompetencyContent] = {}
        moved: list[str] = []
        for code in found:
            way: dict[str, None] = {}
            at: str | None = code
            while at is not None and at in found and at not in ordered:
                if at in way:
                    self.faults.add(
                        records[at].place("parent"),
                        _("“%(code)s” is part of itself in the end. Correct what it is part of.") % {"code": shown(at)},
                    )
                    self.faults.raise_if_any()
                way[at] = None
                at = found[at].parent
            moved += list(way)[1:]
            ordered.update((name, found[name]) for name in reversed(way))
        if moved:
            self.deviations.append(
                Deviation(
                    records[moved[0]].place(),
                    _("Competencies that others are part of stand before those: %(count)s moved up.")
                    % {"count": len(moved)},
                )
            )
        return tuple(ordered.values())

    # --- Roles
    def _roles(self, table: Table) -> dict[str, _Role]:
        found: dict[str, _Role] = {}
        titles: dict[str, list[str]] = defaultdict(list)
        for record in table.records:
            for language in self.languages:
                title = record.cells.get(("title", language))
                if record["code"] and title and record["code"] not in titles[title]:
                    titles[title].append(record["code"])
        codes = self._codes(table.records, MAX_ROLE_CODE, every=False)
        for record, (made, words) in zip(table.records, codes, strict=True):
            known = [] if record["code"] else titles.get(self._main_text(words), [])
            code = known[0] if len(known) == 1 else made
            if code:
                found.setdefault(code, _Role(code, {})).records.append(record)
        for role in found.values():
            role.title = self._merged(role, "title")
            self.roles.add(role.code, role.title.values())
            if not role.title:
                self.faults.add(role.records[0].place("title", self.main), _("The cell is empty. Fill it in."))
            self._take_profiles(role)
        return found

    def _merged(self, role: _Role, key: str) -> dict[str, str]:
        """What the rows of a role say together; two that say different things contradict each other."""
        merged: dict[str, str] = {}
        first: dict[str, Record] = {}
        for record in role.records:
            for name, language in record.cells:
                if name != key:
                    continue
                text = self.text(record, key, self._limit(record, key), language)
                if not text:
                    continue
                if merged.setdefault(language, text) != text:
                    self.faults.add(
                        record.place(key, language),
                        _("“%(role)s” has another text in row %(line)s. Keep one, or empty this cell.")
                        % {"role": shown(role.code), "line": first[language].line},
                    )
                first.setdefault(language, record)
        return {language: merged[language] for language in sorted(merged, key=self._language_order)}

    def _first(self, role: _Role, key: str) -> Record:
        return next((record for record in role.records if record[key]), role.records[0])

    def _take_profiles(self, role: _Role) -> None:
        grades = {
            self._main_text(grade)
            for record in role.records
            if not record["profile"]
            and (grade := {language: text for (key, language), text in record.cells.items() if key == "grade"})
        }
        made = slugs_for(grades, max(MAX_PROFILE_CODE - len(role.code) - 2, 20))
        for record in role.records:
            if self.choice(record, "unprofiled", self.yes, ""):
                if len(role.records) > 1 or record["profile"]:
                    self.faults.add(
                        record.place("unprofiled"),
                        _("“%(role)s” has a profile. Empty this cell.") % {"role": role.code},
                    )
                continue
            grade = self.words(record, "grade", self._limit(record, "grade"))
            code = self.text(record, "profile", MAX_PROFILE_CODE)
            if not code:
                code = f"{role.code}--{made[self._main_text(grade)]}" if grade else role.code
            if code in role.profiles:
                self.faults.add(
                    record.place("profile" if record["profile"] else ""),
                    _(
                        "The profile “%(code)s” stands in row %(line)s already. Give each its own grade, or take one out."
                    )
                    % {"code": shown(code), "line": role.profiles[code].record.line},
                )
                continue
            role.profiles[code] = _Profile(role.code, code, record, grade)

    def _role(self, role: _Role) -> RoleContent:
        for key in ("family", "key_post", "external_codes", "identifier", "extra"):
            self._merged(role, key)
        family = self._first(role, "family")
        outside = self._first(role, "external_codes")
        return RoleContent(
            code=role.code,
            title=role.title,
            family=self.reference(family, "family", self.families, MAX_AREA_CODE),
            summary=self._merged(role, "summary"),
            key_post=self._merged(role, "key_post").get("", ""),
            external_codes=self._external_codes(outside),
            profiles=tuple(self._profile(profile) for profile in role.profiles.values()),
            alternatives=self._merged(role, "alternatives"),
            identifier=self._merged(role, "identifier").get("", ""),
            extra=self.json(self._first(role, "extra"), "extra"),
        )

    def _profile(self, profile: _Profile) -> ProfileContent:
        record = profile.record
        return ProfileContent(
            code=profile.code,
            grade=profile.grade,
            summary=self.words(record, "profile_summary", self._limit(record, "profile_summary")),
            requirements=tuple(profile.requirements),
            builds_on=self.text(record, "builds_on", MAX_PROFILE_CODE) or None,
            identifier=self.text(record, "profile_identifier", self._limit(record, "profile_identifier")),
            extra=self.json(record, "profile_extra"),
        )

    def _external_codes(self, record: Record) -> dict[str, tuple[str, ...]]:
        document = self.json(record, "external_codes")
        codes = {}
        for system, listed in document.items():
            usable = isinstance(listed, list) and all(isinstance(code, str) for code in listed)
            objections = [
                objection_to_text(system, limit=MAX_AREA_CODE),
                *(objection_to_text(code, limit=MAX_COMPETENCY_CODE) for code in (listed if usable else [])),
            ]
            if not usable:
                message = _("“%(system)s” has no list of codes in quotation marks. Write one.") % {
                    "system": shown(system)
                }
                self.faults.add(record.place("external_codes"), message)
            elif objection := next(filter(None, objections), None):
                self.faults.add(record.place("external_codes"), objection)
            else:
                codes[system] = tuple(listed)
        return codes

    def _link(self, record: Record) -> LinkContent:
        origin = self.reference(record, "origin", self.competencies, MAX_COMPETENCY_CODE)
        for key in ("origin", "relation"):
            if not record[key]:
                self.faults.add(record.place(key), _("The cell is empty. Fill it in."))
        if not record["target"] and not record["target_uri"] and not record["target_title"]:
            self.faults.add(
                record.place(),
                _("The link leads nowhere. Name the competency or the address that it leads to."),
            )
        return LinkContent(
            origin=origin or "",
            relation=self.choice(record, "relation", self.relations, ""),
            target=self.reference(record, "target", self.competencies, MAX_COMPETENCY_CODE),
            **{
                key: self.text(record, key, self._limit(record, key))
                for key in ("target_uri", "target_title", "note", "identifier")
            },
            extra=self.json(record, "extra"),
        )


class _Requiring:
    """Gives every requirement to its profile: by the profile's code, or by the role and, where it has several, the grade."""

    def __init__(self, reading: _Reading, roles: Mapping[str, _Role]) -> None:
        self.reading = reading
        self.faults = reading.faults
        self.roles = roles
        self.by_code: dict[str, list[_Profile]] = defaultdict(list)
        self.codes = Names()
        for role in roles.values():
            for profile in role.profiles.values():
                self.by_code[profile.code].append(profile)
                self.codes.add(profile.code, ())
        self.met: dict[tuple[str, str, str], _Profile] = {}
        self.renamed: dict[str, list[Record]] = defaultdict(list)

    def take(self, records: Sequence[Record]) -> None:
        for record in records:
            key = (record["profile"], record["role"], record["grade"])
            profile = self.met.get(key) or self._profile(record)
            if profile is not None:
                self.met[key] = profile
            competency = self._competency(record)
            requirement = self._requirement(record, competency or "")
            if profile is None or competency is None:
                continue
            if competency in profile.required:
                self.faults.add(
                    record.place("competency" if record["competency"] else "competency_code"),
                    _("“%(competency)s” is required by the same profile in row %(line)s already. Keep one requirement.")
                    % {"competency": shown(competency), "line": profile.required[competency]},
                )
                continue
            profile.required[competency] = record.line
            profile.requirements.append(requirement)
        for column, found in self.renamed.items():
            self.reading.deviations.append(
                Deviation(
                    found[0].place(column),
                    _("Names that are not those of the codes beside them; the codes count: %(count)s.")
                    % {"count": len(found)},
                )
            )

    def _requirement(self, record: Record, competency: str) -> RequirementContent:
        reading = self.reading
        importance = reading.integer(record, "importance", 1, 5)
        return RequirementContent(
            competency=competency,
            level=reading.rank(record, "level"),
            importance=DEFAULT_IMPORTANCE if importance is None else importance,
            necessity=reading.choice(record, "necessity", reading.necessities, Necessity.REQUIRED.value),
            level_value=reading.text(record, "level_value", spreadsheet.MAX_VALUE),
            importance_value=reading.text(record, "importance_value", spreadsheet.MAX_VALUE),
            extra=reading.json(record, "extra"),
        )

    def _competency(self, record: Record) -> str | None:
        reading = self.reading
        code, name = record["competency_code"], record["competency"]
        if not code:
            if not name:
                self.faults.add(record.place("competency"), _("The cell is empty. Fill it in."))
                return None
            return reading.reference(record, "competency", reading.competencies, MAX_COMPETENCY_CODE)
        found = reading.reference(record, "competency_code", reading.competencies, MAX_COMPETENCY_CODE)
        if found is not None and name and not self._agrees(record, "competency", reading.competencies, found):
            return None
        return found

    def _agrees(self, record: Record, key: str, names: Names, code: str) -> bool:
        """Whether a name may stand beside this code: its own, or one that nothing has (any more)."""
        meant = names.find(record[key])
        if not meant:
            self.renamed[key].append(record)
        elif code not in meant:
            self.faults.add(
                record.place(key),
                _("“%(name)s” is something else than the code “%(code)s” beside it. Correct one of them.")
                % {"name": shown(record[key]), "code": shown(code)},
            )
            return False
        return True

    def _profile(self, record: Record) -> _Profile | None:
        reading = self.reading
        profile, role, grade = record["profile"], record["role"], record["grade"]
        if profile:
            found = reading.named_alone(record, "profile", profile, self.codes)
            candidates = self.by_code[found] if found is not None else []
            if candidates and role and not any(self._agrees_quietly(role, item.role) for item in candidates):
                if not self._agrees(record, "role", reading.roles, candidates[0].role):
                    return None
            elif role:
                candidates = [item for item in candidates if self._agrees_quietly(role, item.role)]
            if found is None:
                return None
        elif role:
            named = reading.named_alone(record, "role", role, reading.roles)
            if named is None:
                return None
            candidates = list(self.roles[named].profiles.values())
            if grade:
                candidates = [
                    item
                    for item in candidates
                    if spreadsheet.fold(grade) in {spreadsheet.fold(text) for text in (*item.grade.values(), item.code)}
                ]
        else:
            self.faults.add(record.place("role"), _("The cell is empty. Fill it in."))
            return None
        return self._one(record, candidates)

    def _agrees_quietly(self, role: str, code: str) -> bool:
        return code in self.reading.roles.find(role)

    def _one(self, record: Record, candidates: Sequence[_Profile]) -> _Profile | None:
        if len(candidates) == 1:
            return candidates[0]
        key = "grade" if ("grade", "") in record.places and not record["profile"] else "role"
        if candidates:
            grades = [self.reading._main_text(item.grade) or item.code for item in candidates[:8]]
            message = _("“%(role)s” has several profiles: %(grades)s. Name the grade or the code of the profile.") % {
                "role": shown(record["role"] or record["profile"]),
                "grades": ", ".join(map(shown, grades)),
            }
        elif record["grade"]:
            message = _("“%(role)s” has no grade “%(grade)s”. Correct it, or add a row for it to the roles.") % {
                "role": shown(record["role"]),
                "grade": shown(record["grade"]),
            }
        else:
            message = _("“%(role)s” has no profile that could require something. Correct its row.") % {
                "role": shown(record["role"])
            }
        self.faults.add(record.place(key), message)
        return None


def _objection_to_json(document: Any) -> str | None:
    """The sentence that says why an object cannot be kept, or None."""
    heap = [(document, 1)]
    while heap:
        value, depth = heap.pop()
        if depth > MAX_NESTING:
            return _("The JSON is nested too deeply. Make it flatter.")
        if isinstance(value, str) and (found := UNUSABLE.search(value)):
            return _("The JSON contains the unusable character U+%(code)s. Remove it.") % {
                "code": f"{ord(found[0]):04X}"
            }
        if isinstance(value, dict):
            heap += [(item, depth + 1) for pair in value.items() for item in pair]
        elif isinstance(value, list):
            heap += [(item, depth + 1) for item in value]
        elif isinstance(value, float) and abs(value) == float("inf"):
            return _("The JSON contains a number that is too large. Correct it.")
    return None
