"""DigComp 3.0, the European Digital Competence Framework, as its data supplement says it: a JSON-LD graph, a workbook.

Both are read into the same things under the graph's names, and everything after that is one path: the same content
gives the same digest whichever file it came from. Where both stand together they must say the same.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from competencies.enums import CompetencyKind
from competencies.importers import workbooks
from competencies.importers.content import (
    MAX_AREA_CODE,
    MAX_COMPETENCY_CODE,
    MAX_TITLE,
    AreaContent,
    CompetencyContent,
    Deviation,
    Faults,
    FrameworkContent,
    LevelContent,
    objection_to_text,
    refuse,
    shown,
)
from competencies.importers.sources import Node, Source, only, step

TITLE = gettext_lazy("DigComp 3.0: the data supplement as JSON-LD graph or as workbook (.xlsx), or a folder with both")

SLUG = "digcomp"
NAME = "DigComp 3.0: European Digital Competence Framework"
EDITION = "3.0"
PUBLISHER = "European Commission, Joint Research Centre"
SOURCE = "DigComp 3.0 data supplement (JRC144121)"
SOURCE_URL = "https://publications.jrc.ec.europa.eu/repository/handle/JRC144121"
LICENCE = "CC BY 4.0"
ATTRIBUTION = (
    "Cosgrove, J. and Cachia, R., DigComp 3.0: European Digital Competence Framework, Fifth Edition, "
    "European Commission, Joint Research Centre, 2025, JRC144121."
)
LANGUAGE = "en"

AREA, COMPETENCE, LEVEL = "CompetenceArea", "Competence", "ProficiencyLevel"
STATEMENT, OUTCOME, TERM = "CompetenceStatement", "LearningOutcome", "Glossary"
FIELDS = {
    AREA: ("name", "description"),
    COMPETENCE: ("name", "description", "competence_area_id"),
    LEVEL: (
        "four_levels_name",
        "eight_levels_mapping",
        "six_levels_mapping",
        "four_levels_description",
        "eight_levels_description",
        "applies_to",
    ),
    STATEMENT: ("description", "ai_label", "competence_area_id", "competence_id", "four_levels_proficiency_name"),
    OUTCOME: ("description", "type", "ai_label", "competence_area_id", "competence_id", "four_levels_proficiency_name"),
    TERM: ("explanation",),
}
NUMBER = "eight_levels_mapping"  # the one field that is a number in the graph
KINDS = {STATEMENT: CompetencyKind.STATEMENT, OUTCOME: CompetencyKind.OUTCOME}
SHAPES = {
    AREA: re.compile(r"[0-9]{1,3}"),
    COMPETENCE: re.compile(r"([0-9]{1,3})\.[0-9]{1,3}"),
    STATEMENT: re.compile(r"CS([0-9]{1,3}\.[0-9]{1,3})\.([0-9]{1,4})"),
    OUTCOME: re.compile(r"LO([0-9]{1,3}\.[0-9]{1,3})\.([0-9]{1,4})"),
}
RANKS = {"Basic": 1, "Intermediate": 2, "Advanced": 3, "Highly advanced": 4}
EIGHT_LEVELS = range(1, 9)
KNOWN_VALUES = {
    "ai_label": ("AI-Explicit", "AI-Implicit", "AI not Implicit or Explicit"),
    "type": ("Knowledge", "Skill", "Attitude"),
}
CODE_LIMITS = {AREA: MAX_AREA_CODE, COMPETENCE: MAX_COMPETENCY_CODE, TERM: MAX_TITLE}
TITLES = {(AREA, "name"), (COMPETENCE, "name"), (STATEMENT, "description"), (OUTCOME, "description")}

README = "ReadMe"
AREAS_SHEET, LEVELS_SHEET = "1 Competence Areas&Competences", "2 Proficiency Levels"
STATEMENTS_SHEET, OUTCOMES_SHEET, GLOSSARY_SHEET = "3 Competence Statements", "4 Learning Outcomes", "5 Glossary"
SHEETS = (AREAS_SHEET, LEVELS_SHEET, STATEMENTS_SHEET, OUTCOMES_SHEET, GLOSSARY_SHEET)
AREA_NUMBER, AREA_NAME, AREA_TEXT = "Competence area number", "Competence area name", "Competence area descriptor"
NUMBER_OF, NAME_OF, TEXT_OF = "Competence number", "Competence name", "Competence descriptor"
LEVEL_NAME, EIGHT_LEVEL = "Proficiency level name", "Eight level mapping"
COLUMNS = {
    LEVEL: {
        "four_levels_name": LEVEL_NAME,
        "eight_levels_mapping": EIGHT_LEVEL,
        "six_levels_mapping": "Six level mapping",
        "four_levels_description": "Four level proficiency level description",
        "eight_levels_description": "Eight level proficiency level description",
        "applies_to": "Purpose",
    },
    STATEMENT: {
        "@id": "Competence statement ID",
        "description": "Competence statement",
        "ai_label": "AI label",
        "competence_area_id": AREA_NUMBER,
        "competence_id": NUMBER_OF,
        "four_levels_proficiency_name": LEVEL_NAME,
    },
    OUTCOME: {
        "@id": "Learning Outcome ID",
        "description": "Learning Outcome",
        "type": "Knowledge skill or attitude",
        "ai_label": "AI label",
        "competence_area_id": AREA_NUMBER,
        "competence_id": NUMBER_OF,
        "four_levels_proficiency_name": "Proficiency level",
    },
    TERM: {"@id": "Term", "explanation": "Explanation"},
    AREA: {"@id": AREA_NUMBER, "name": AREA_NAME, "description": AREA_TEXT},
    COMPETENCE: {"@id": NUMBER_OF, "name": NAME_OF, "description": TEXT_OF, "competence_area_id": AREA_NUMBER},
}
# What a cell names by its number or name alone, and the graph by its identifier.
REFERENCES = {
    "competence_area_id": AREA,
    "competence_id": COMPETENCE,
    "four_levels_proficiency_name": LEVEL,
}
REPEATED = {
    STATEMENTS_SHEET: ((AREA, AREA_NAME), (AREA, AREA_TEXT), (COMPETENCE, NAME_OF), (COMPETENCE, TEXT_OF)),
    OUTCOMES_SHEET: ((AREA, AREA_NAME), (COMPETENCE, NAME_OF)),
}
MENTIONED_EDITION = re.compile(r"DigComp (\d+\.\d+)")


@dataclass(frozen=True, slots=True)
class Thing:
    """What one node of the graph says, or a row of the workbook: fields under the names of the graph, tidied."""

    type: str
    identifier: str
    said: Mapping[str, str]
    place: Callable[[str], str] = field(compare=False)

    def __getitem__(self, name: str) -> str:
        return self.said[name]

    @property
    def code(self) -> str:
        return self.identifier.partition("/")[2]


@dataclass
class Reading:
    """Everything that one file says, each thing once."""

    name: str
    faults: Faults
    things: dict[str, Thing] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    deviations: list[Deviation] = field(default_factory=list)

    def add(self, thing: Thing) -> None:
        if self.things.setdefault(thing.identifier, thing) is not thing:
            self.faults.add(
                thing.place("@id"),
                _("%(id)s is there already. Keep the one that is right.") % {"id": shown(thing.identifier)},
            )

    def tell(self, place: str, message: str) -> None:
        self.deviations.append(Deviation(place, message))

    def of_type(self, type: str) -> list[Thing]:
        return sorted(
            (thing for thing in self.things.values() if thing.type == type), key=lambda thing: _natural(thing.code)
        )


def sniff(sources: Sequence[Source]) -> bool:
    """Whether one of the sources is the graph or the workbook."""
    return any(_is_graph(source) or _is_workbook(source) for source in sources)


def read(sources: Sequence[Source]) -> FrameworkContent:
    """The one edition among the sources. Where graph and workbook stand there, both are read and must say the same.

    Raises CannotImport with the place of each unknown type, doubled identifier, loose end, missing level and
    contradiction.
    """
    graphs, books = list(filter(_is_graph, sources)), list(filter(_is_workbook, sources))
    missing = _("This is not the data supplement of DigComp 3.0: it has neither its graph nor its sheets.")
    readings = []
    if graphs or not books:
        readings.append(_read_graph(only(graphs or sources, _is_graph, missing=missing)))
    if books:
        readings.append(_read_workbook(only(books, _is_workbook, missing=missing)))
    for reading in readings:
        _check(reading)
        reading.faults.raise_if_any()
    if len(readings) > 1:
        _compare(*readings)
    return _content(readings)


def _is_graph(source: Source) -> bool:
    return source.looks_like_json and b'"@graph"' in source.raw and b'"CompetenceArea"' in source.raw


def _is_workbook(source: Source) -> bool:
    names = set(map(_plain, workbooks.sheet_names(source)))
    return sum(_plain(sheet) in names for sheet in SHEETS) > 1


# --- The graph --------------------------------------------------------------------------------------------------------
def _read_graph(source: Source) -> Reading:
    faults = Faults()
    reading = Reading(source.name, faults)
    extra: Counter[str] = Counter()
    fields = Node(source.document(), "$", faults).fields(["@graph"], ["@context"], extra=extra)
    for item in fields["@graph"].items():
        _read_node(item, reading, extra)
    faults.raise_if_any()
    context = fields["@context"]
    if context and context.value != {kind: kind for kind in FIELDS}:
        reading.tell(context.place, _("The context is not that of DigComp 3.0. It was not followed; names count."))
    reading.tell(
        source.name, _("The graph does not say which edition it is; it is taken for %(name)s.") % {"name": NAME}
    )
    for key, count in sorted(extra.items()):
        reading.tell(
            source.name,
            ngettext(
                "“%(key)s” is not part of the format; it stands in %(count)s place and is not kept.",
                "“%(key)s” is not part of the format; it stands in %(count)s places and is not kept.",
                count,
            )
            % {"key": shown(key), "count": count},
        )
    reading.counts["nodes"] = len(reading.things)
    return reading


def _read_node(item: Node, reading: Reading, extra: Counter[str]) -> None:
    type_ = item.fields(["@type"], extra=Counter())["@type"]
    kind = type_.text()
    if kind not in FIELDS:
        if kind:
            type_.fault(
                _("The type “%(type)s” is not one of DigComp: %(known)s. Correct it.")
                % {"type": shown(kind), "known": ", ".join(FIELDS)}
            )
        return
    nodes = item.fields(["@type", "@id", *FIELDS[kind]], extra=extra)
    identifier = nodes["@id"].text(limit=MAX_TITLE)
    said = {}
    for name in FIELDS[kind]:
        if name == NUMBER:
            number = nodes[name].integer(EIGHT_LEVELS[0], EIGHT_LEVELS[-1])
            said[name] = "" if number is None else str(number)
        else:
            said[name] = nodes[name].text()
    if not identifier:
        return
    if not identifier.startswith(f"{kind}/"):
        nodes["@id"].fault(
            _("“%(id)s” does not name a %(type)s: write “%(type)s/” and its number or name.")
            % {"id": shown(identifier), "type": kind}
        )
        return
    reading.add(Thing(kind, identifier, said, partial(step, item.place)))


# --- The workbook -----------------------------------------------------------------------------------------------------
def _read_workbook(source: Source) -> Reading:
    faults = Faults()
    reading = Reading(source.name, faults)
    book = workbooks.read_workbook(source)
    reading.deviations += book.deviations
    sheets = {_plain(name): sheet for name, sheet in book.sheets.items()}
    for name in SHEETS:
        if _plain(name) not in sheets:
            faults.add(source.name, _("The sheet “%(name)s” is missing. Export the workbook again.") % {"name": name})
    faults.raise_if_any()
    _check_edition(sheets.get(_plain(README)), reading)
    known = set(map(_plain, (README, *SHEETS)))
    for sheet in book.sheets.values():
        if _plain(sheet.name) not in known:
            reading.tell(sheet.place(), _("This sheet is not part of the format and was not read."))
    tables = {name: _read_table(sheets[_plain(name)], name, reading) for name in SHEETS}
    faults.raise_if_any()
    _read_areas(tables[AREAS_SHEET], reading)
    for name, kind in (
        (LEVELS_SHEET, LEVEL),
        (STATEMENTS_SHEET, STATEMENT),
        (OUTCOMES_SHEET, OUTCOME),
        (GLOSSARY_SHEET, TERM),
    ):
        for row in tables[name]:
            reading.add(_thing(kind, row))
    faults.raise_if_any()
    for name in REPEATED:
        _tell_other_wordings(name, tables[name], reading)
    reading.counts["rows"] = sum(map(len, tables.values()))
    return reading


def _read_table(sheet: workbooks.Sheet, name: str, reading: Reading) -> list[workbooks.Row]:
    kinds = {
        AREAS_SHEET: (AREA, COMPETENCE),
        LEVELS_SHEET: (LEVEL,),
        STATEMENTS_SHEET: (STATEMENT,),
        OUTCOMES_SHEET: (OUTCOME,),
        GLOSSARY_SHEET: (TERM,),
    }[name]
    needed = list(dict.fromkeys(column for kind in kinds for column in COLUMNS[kind].values()))
    repeated = [column for _kind, column in REPEATED.get(name, ())]
    rows, extra = sheet.table([*needed, *repeated], reading.faults)
    for column in extra:
        reading.tell(
            sheet.place(),
            _("The column “%(column)s” is not part of the format and is not kept.") % {"column": shown(column)},
        )
    for row in rows:
        for column in needed:
            if not row[column]:
                reading.faults.add(row.place(column), _("The cell is empty. Fill it in."))
    return rows


def _read_areas(rows: Iterable[workbooks.Row], reading: Reading) -> None:
    """Every row is a competence and says again which area it is of; the rows of an area must agree about it."""
    for row in rows:
        area = _thing(AREA, row)
        known = reading.things.setdefault(area.identifier, area)
        for name in FIELDS[AREA]:
            if known[name] != area[name]:
                reading.faults.add(
                    area.place(name),
                    _("Area %(code)s is worded otherwise in %(other)s. Keep the wording that is right.")
                    % {"code": shown(area.code), "other": known.place(name)},
                )
        reading.add(_thing(COMPETENCE, row))


def _thing(kind: str, row: workbooks.Row) -> Thing:
    columns = COLUMNS[kind]
    said = {name: row[columns[name]] for name in FIELDS[kind]}
    said |= {name: f"{REFERENCES[name]}/{value}" for name, value in said.items() if name in REFERENCES}
    code = f"{row[LEVEL_NAME]}_{row[EIGHT_LEVEL]}" if kind == LEVEL else row[columns["@id"]]
    return Thing(kind, f"{kind}/{code}", said, lambda name: row.place(columns.get(name, "")))


def _tell_other_wordings(name: str, rows: Sequence[workbooks.Row], reading: Reading) -> None:
    """The sheet of areas and competences decides about their words; other sheets repeat them, not always faithfully."""
    for kind, column in REPEATED[name]:
        columns = COLUMNS[kind]
        said = next(key for key, value in columns.items() if value == column)
        found: defaultdict[tuple[str, str], list[workbooks.Row]] = defaultdict(list)
        for row in rows:
            thing = reading.things.get(f"{kind}/{row[columns['@id']]}")
            if thing is not None and row[column] not in ("", thing[said]):
                found[thing.identifier, row[column]].append(row)
        for (identifier, wording), differing in found.items():
            reading.tell(
                differing[0].place(column),
                ngettext(
                    "“%(wording)s” is not what the sheet “%(sheet)s” says of %(id)s; that sheet decides.",
                    "“%(wording)s” is not what the sheet “%(sheet)s” says of %(id)s; that sheet decides. "
                    "So in %(count)s rows.",
                    len(differing),
                )
                % {"wording": shown(wording, 600), "sheet": AREAS_SHEET, "id": identifier, "count": len(differing)},
            )


def _check_edition(sheet: workbooks.Sheet | None, reading: Reading) -> None:
    texts = [text for cells in sheet.rows.values() for text in cells.values()] if sheet else []
    editions = {edition for text in texts for edition in MENTIONED_EDITION.findall(text)}
    if not editions:
        reading.tell(
            reading.name, _("The workbook does not say which edition it is; it is taken for %(name)s.") % {"name": NAME}
        )
    elif sheet and EDITION not in editions:
        refuse(
            sheet.place(),
            _("The workbook is of DigComp %(edition)s. Only DigComp %(known)s is understood.")
            % {"edition": ", ".join(sorted(editions)), "known": EDITION},
        )


# --- What both must satisfy -------------------------------------------------------------------------------------------
def _check(reading: Reading) -> None:
    for thing in reading.things.values():
        _check_texts(thing, reading.faults)
        _check_code(thing, reading.faults)
    _tell_unknown_values(reading)
    _check_levels(reading)
    reading.faults.raise_if_any()
    for thing in reading.things.values():
        _check_references(thing, reading)
    _tell_gaps(reading)


def _check_texts(thing: Thing, faults: Faults) -> None:
    limit = CODE_LIMITS.get(thing.type, MAX_COMPETENCY_CODE)
    if objection := objection_to_text(thing.code, limit=limit):
        faults.add(thing.place("@id"), objection)
    for name, value in thing.said.items():
        if (thing.type, name) in TITLES and (objection := objection_to_text(value, limit=MAX_TITLE)):
            faults.add(thing.place(name), objection)


def _check_code(thing: Thing, faults: Faults) -> None:
    """The number says where a thing belongs: 1.1 is of area 1, CS1.1.01 is of competence 1.1."""
    shape = SHAPES.get(thing.type)
    if shape is None:
        return
    found = shape.fullmatch(thing.code)
    if found is None:
        examples = {AREA: "1", COMPETENCE: "1.1", STATEMENT: "CS1.1.01", OUTCOME: "LO1.1.01"}
        faults.add(
            thing.place("@id"),
            _("“%(code)s” is not a number of its kind. Write it like %(example)s.")
            % {"code": shown(thing.code), "example": examples[thing.type]},
        )
    elif thing.type != AREA:
        name = "competence_area_id" if thing.type == COMPETENCE else "competence_id"
        expected = f"{REFERENCES[name]}/{found[1]}"
        if thing[name] != expected:
            faults.add(
                thing.place(name),
                _("%(code)s is by its number of %(expected)s, and %(found)s stands here. Correct one of them.")
                % {"code": shown(thing.code), "expected": expected, "found": shown(thing[name])},
            )


def _tell_unknown_values(reading: Reading) -> None:
    unknown: dict[tuple[str, str], list[Thing]] = {}
    for thing in reading.things.values():
        for name, known in KNOWN_VALUES.items():
            if name in thing.said and thing[name] not in known:
                unknown.setdefault((name, thing[name]), []).append(thing)
    for (name, value), things in unknown.items():
        reading.tell(
            things[0].place(name),
            ngettext(
                "“%(value)s” is not one of %(known)s; it is kept as it stands.",
                "“%(value)s” is not one of %(known)s; it is kept as it stands. So in %(count)s places.",
                len(things),
            )
            % {"value": shown(value), "known": ", ".join(KNOWN_VALUES[name]), "count": len(things)},
        )


def _check_levels(reading: Reading) -> None:
    faults = reading.faults
    before = faults.count
    levels = reading.of_type(LEVEL)
    numbers: set[str] = set()
    first: dict[str, Thing] = {}
    for level in levels:
        name, number = level["four_levels_name"], level[NUMBER]
        if name not in RANKS:
            faults.add(level.place("four_levels_name"), _unknown_level(name))
            continue
        if number not in map(str, EIGHT_LEVELS) or (int(number) + 1) // 2 != RANKS[name]:
            faults.add(
                level.place(NUMBER),
                _("“%(number)s” is not one of the eight levels that %(name)s covers: %(known)s. Correct it.")
                % {"number": shown(number), "name": name, "known": f"{2 * RANKS[name] - 1}, {2 * RANKS[name]}"},
            )
            continue
        if level.code != f"{name}_{number}":
            faults.add(
                level.place("@id"),
                _("The level %(name)s, %(number)s of eight, is called %(expected)s. Correct its identifier.")
                % {"name": name, "number": number, "expected": f"{LEVEL}/{name}_{number}"},
            )
        numbers.add(number)
        other = first.setdefault(name, level)
        for shared in ("four_levels_description", "applies_to"):
            if other[shared] != level[shared]:
                faults.add(
                    level.place(shared),
                    _("The level %(name)s is worded otherwise in %(other)s. Keep the wording that is right.")
                    % {"name": name, "other": other.place(shared)},
                )
    if faults.count == before:  # otherwise what is missing stands there and is wrong
        for expected in map(str, EIGHT_LEVELS):
            if expected not in numbers:
                message = _("Level %(number)s of the eight levels is missing. Add it.")
                faults.add(reading.name, message % {"number": expected})


def _unknown_level(name: str) -> str:
    return _("The level “%(name)s” is not one of %(known)s. Correct it.") % {
        "name": shown(name),
        "known": ", ".join(RANKS),
    }


def _check_references(thing: Thing, reading: Reading) -> None:
    for name, kind in REFERENCES.items():
        if name not in thing.said:
            continue
        if kind == LEVEL:
            if _level_name(thing) not in RANKS:
                reading.faults.add(thing.place(name), _unknown_level(_level_name(thing)))
        elif thing[name] not in reading.things:
            reading.faults.add(
                thing.place(name), _("There is no %(id)s. Add it, or correct the number.") % {"id": shown(thing[name])}
            )
    competence = reading.things.get(thing.said.get("competence_id", ""))
    if competence is None or thing["competence_area_id"] not in reading.things:
        return
    if competence["competence_area_id"] != thing["competence_area_id"]:
        reading.faults.add(
            thing.place("competence_area_id"),
            _("%(competence)s is of %(area)s, and %(found)s stands here. Correct one of them.")
            % {
                "competence": competence.identifier,
                "area": competence["competence_area_id"],
                "found": shown(thing["competence_area_id"]),
            },
        )


def _level_name(thing: Thing) -> str:
    return thing["four_levels_proficiency_name"].removeprefix(f"{LEVEL}/")


def _tell_gaps(reading: Reading) -> None:
    """Statements and outcomes are numbered through within a competence: a number that is missing is a thing missing."""
    for kind in KINDS:
        numbers: defaultdict[str, set[int]] = defaultdict(set)
        for thing in reading.of_type(kind):
            if found := SHAPES[kind].fullmatch(thing.code):
                numbers[found[1]].add(int(found[2]))
        for competence in reading.of_type(COMPETENCE):
            there = numbers[competence.code]
            missing = sorted(set(range(1, max(there, default=0) + 1)) - there)
            if not there:
                reading.tell(
                    competence.place("@id"),
                    _("Competence %(code)s has no %(type)s.") % {"code": competence.code, "type": kind},
                )
            elif missing:
                reading.tell(
                    competence.place("@id"),
                    _("The %(type)s of competence %(code)s are numbered through, but these are missing: %(numbers)s.")
                    % {"type": kind, "code": competence.code, "numbers": ", ".join(map(str, missing[:20]))},
                )
    areas = {competence["competence_area_id"] for competence in reading.of_type(COMPETENCE)}
    for area in reading.of_type(AREA):
        if area.identifier not in areas:
            reading.tell(area.place("@id"), _("Area %(code)s has no competence.") % {"code": area.code})


def _compare(graph: Reading, book: Reading) -> None:
    """Two files of one edition that contradict each other are refused: nobody but a person can say which is right."""
    faults = Faults()
    for one, other in ((graph, book), (book, graph)):
        for identifier, thing in one.things.items():
            if identifier not in other.things:
                faults.add(
                    thing.place("@id"),
                    _("%(id)s is not in %(other)s. Add it there, or give the path of the one file that is right.")
                    % {"id": shown(identifier), "other": other.name},
                )
    for identifier, thing in graph.things.items():
        twin = book.things.get(identifier)
        for name in FIELDS[thing.type] if twin else ():
            if twin and twin[name] != thing[name]:
                faults.add(
                    twin.place(name),
                    _(
                        "“%(book)s” stands here, and “%(graph)s” in %(other)s at %(place)s. Correct one of them, "
                        "or give the path of the one file that is right."
                    )
                    % {
                        "book": shown(twin[name], 160),
                        "graph": shown(thing[name], 160),
                        "other": graph.name,
                        "place": thing.place(name),
                    },
                )
    faults.raise_if_any()
    book.tell(
        book.name,
        _("The workbook says the same as %(graph)s, all %(count)s things of it; the graph was imported.")
        % {"graph": graph.name, "count": len(book.things)},
    )


# --- What is handed over ----------------------------------------------------------------------------------------------
def _content(readings: Sequence[Reading]) -> FrameworkContent:
    reading = readings[0]
    terms = sorted(reading.of_type(TERM), key=lambda term: (term.code.casefold(), term.code))
    levels = reading.of_type(LEVEL)
    return FrameworkContent(
        slug=SLUG,
        title=_text(NAME),
        edition=EDITION,
        publisher=PUBLISHER,
        source=SOURCE,
        source_url=SOURCE_URL,
        licence=LICENCE,
        attribution=ATTRIBUTION,
        languages=(LANGUAGE,),
        levels=tuple(_level(name, rank, levels) for name, rank in RANKS.items()),
        areas=tuple(
            AreaContent(
                code=area.code,
                title=_text(area["name"]),
                description=_text(area["description"]),
                identifier=area.identifier,
            )
            for area in reading.of_type(AREA)
        ),
        competencies=_competencies(reading),
        extra={
            "glossary": [
                {"@id": term.identifier, "term": term.code, "explanation": term["explanation"]} for term in terms
            ]
        },
        source_counts={**reading.counts, "level_nodes": len(levels), "glossary_terms": len(terms)},
        deviations=tuple(deviation for each in readings for deviation in each.deviations),
    )


def _level(name: str, rank: int, levels: Iterable[Thing]) -> LevelContent:
    """One of the four levels of the scale; the two of the eight that it covers are kept beside it."""
    parts = sorted((level for level in levels if level["four_levels_name"] == name), key=lambda level: level[NUMBER])
    return LevelContent(
        rank=rank,
        label=_text(name),
        description=_text(parts[0]["four_levels_description"]),
        identifier=f"{LEVEL}/{name}",
        extra={
            "applies_to": parts[0]["applies_to"],
            "eight_levels": [
                {
                    "@id": part.identifier,
                    "eight_levels_mapping": int(part[NUMBER]),
                    "six_levels_mapping": part["six_levels_mapping"],
                    "eight_levels_description": part["eight_levels_description"],
                }
                for part in parts
            ],
        },
    )


def _competencies(reading: Reading) -> tuple[CompetencyContent, ...]:
    """Each competence, then its statements, then its learning outcomes, by their numbers."""
    parts: defaultdict[str, list[Thing]] = defaultdict(list)
    for kind in KINDS:
        for thing in reading.of_type(kind):
            parts[thing["competence_id"]].append(thing)
    competencies = []
    for competence in reading.of_type(COMPETENCE):
        area = competence["competence_area_id"].partition("/")[2]
        competencies.append(
            CompetencyContent(
                code=competence.code,
                title=_text(competence["name"]),
                area=area,
                description=_text(competence["description"]),
                identifier=competence.identifier,
            )
        )
        competencies += [
            CompetencyContent(
                code=part.code,
                title=_text(part["description"]),  # a statement is its text; it has no name besides
                kind=KINDS[part.type].value,
                area=area,
                parent=competence.code,
                rank=RANKS[_level_name(part)],
                identifier=part.identifier,
                extra={name: part[name] for name in KNOWN_VALUES if name in part.said},
            )
            for part in parts[competence.identifier]
        ]
    return tuple(competencies)


def _natural(code: str) -> tuple[tuple[str | int, ...], ...]:
    """Sorts 1.10 behind 1.9."""
    pieces = re.split("0*([0-9]+)", code)
    numbered = zip(pieces[::2], [*pieces[1::2], ""], strict=True)
    return (*((text, len(number), number) for text, number in numbered), (code,))


def _plain(name: str) -> str:
    return "".join(name.split()).casefold()


def _text(value: str) -> dict[str, str]:
    return {LANGUAGE: value}
