"""Files for importers: small ones made by hand, the platform's format from content, broken copies of real ones."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import xlsxwriter
from openpyxl import load_workbook

from competencies.importers.content import FrameworkContent

NICE_FILE = "nice-components-2.1.0.json"
ROLE_HEADER = [
    "Role Family",
    "Role",
    "Role Description",
    "Role Level",
    "Role Level Description",
    "Skill Name",
    "Skill Description",
    "Skill Level",
    "Skill Level Description",
    "Role Type",
]
SKILL_HEADER = [
    "Skill Name",
    "Skill Description",
    "Awareness",
    "Working",
    "Practitioner",
    "Expert",
    "Roles that require Skill",
]


def as_csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def ddat_roles() -> list[list[str]]:
    """One role with two grades, one without; the third row repeats nothing."""
    return [
        ROLE_HEADER,
        ["Data", "Analyst", "Analyses.", "Junior analyst", "Begins.", "Counting", "Counts.", "Awareness", "Knows.", ""],
        ["Data", "Analyst", "Analyses.", "Senior analyst", "Leads.", "Counting", "Counts.", "Expert", "Rules.", ""],
        [
            "Chiefs",
            "Chief data officer",
            "Answers.",
            *["NOT IN USE"] * 2,
            "Counting",
            "Counts.",
            *["NOT IN USE"] * 2,
            "SCS",
        ],
    ]


def ddat_skills() -> list[list[str]]:
    return [SKILL_HEADER, ["Counting", "Counts.", "Knows.", "", "", "Rules.", "Analyst, Chief data officer"]]


def write_ddat(folder: Path, roles: list[list[str]] | bytes, skills: list[list[str]] | bytes) -> Path:
    folder.mkdir(exist_ok=True)
    for name, table in (("roles.csv", roles), ("skills.csv", skills)):
        (folder / name).write_bytes(table if isinstance(table, bytes) else as_csv(table))
    return folder


def write_tables(folder: Path, tables: dict[str, list[list[str]] | bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, table in tables.items():
        (folder / name).write_bytes(table if isinstance(table, bytes) else as_csv(table))
    return folder


ESCO = "http://data.europa.eu/esco"
ANALYST = f"{ESCO}/occupation/11111111-0000-4000-8000-000000000001"
COUNTING = f"{ESCO}/skill/22222222-0000-4000-8000-000000000001"
STATISTICS = f"{ESCO}/skill/22222222-0000-4000-8000-000000000002"


def esco_tables() -> dict[str, list[list[str]]]:
    """One occupation with an essential and an optional skill, and a third that is known by its label alone."""
    return {
        "occupations_en.csv": [
            ["conceptUri", "iscoGroup", "preferredLabel", "altLabels", "hiddenLabels", "status", "description", "code"],
            [ANALYST, "2511", "analyst", "data expert\nfact finder", "analist", "released", "Analyses.", "2511.4"],
        ],
        "skills_en.csv": [
            ["conceptUri", "preferredLabel", "skillType", "reuseLevel", "altLabels", "description"],
            [COUNTING, "count things", "skill/competence", "cross-sector", "tally | reckon", "Counts."],
            [STATISTICS, "statistics", "knowledge", "", "", ""],
        ],
        "occupationSkillRelations_en.csv": [
            ["occupationUri", "occupationLabel", "relationType", "skillType", "skillUri", "skillLabel"],
            [ANALYST, "analyst", "essential", "skill/competence", COUNTING, "count things"],
            [ANALYST, "analyst", "optional", "knowledge", STATISTICS, "statistics"],
            [ANALYST, "analyst", "essential", "", "", "ask questions"],
        ],
    }


def onet_tables() -> dict[str, list[list[str]]]:
    """One occupation with a rated skill, a task and a tool."""
    soc, title = "15-1299.09", "Project Managers"
    about = ["O*NET-SOC Code", "Title"]
    figures = ["N", "Standard Error", "Recommend Suppress", "Not Relevant", "Date", "Domain Source"]
    element = ["Element ID", "Element Name", "Scale ID", "Scale Name"]
    return {
        "occupations.csv": [[*about, "Description"], [soc, title, "Manage projects."]],
        "skills.csv": [
            [*about, *element, "Data Value", *figures],
            onet_rating("IM", "4.12"),
            onet_rating("LV", "4.5"),
        ],
        "tasks.csv": [[*about, "Task ID", "Task", "Task Type"], [soc, title, "16170", "Plan projects.", "Core"]],
        "technology_skills.csv": [
            [*about, "Example", "Commodity Code", "Commodity Title", "Hot Technology", "In Demand"],
            [soc, title, "Microsoft Project", "43231513", "Office suite software", "Y", "N"],
        ],
        "level_anchors.csv": [
            [*element, "Anchor Value", "Anchor Description"],
            ["2.A.1.a", "Reading", "LV", "Level", "2", "Read a form"],
        ],
    }


def onet_rating(
    scale: str, value: str, suppress: str = "N", not_relevant: str = "", code: str = "2.A.1.a"
) -> list[str]:
    name = {"IM": "Importance", "LV": "Level"}.get(scale, "Other")
    return [
        *["15-1299.09", "Project Managers", code, "Reading", scale, name, value],
        *["8", "0.125", suppress, not_relevant, "08/2023", "Analyst"],
    ]


def platform_document() -> dict[str, Any]:
    """The smallest file that has one of everything."""
    return {
        "format": "digital-talent-framework/1",
        "framework": {
            "slug": "sample",
            "title": {"en": "Sample", "es": "Muestra"},
            "edition": "1",
            "source_url": "https://example.org/sample",
            "languages": ["en", "es"],
        },
        "levels": [
            {"rank": 0, "label": {"en": "None", "es": "Ninguno"}},
            {"rank": 1, "label": {"en": "Aware", "es": "Conoce"}},
        ],
        "areas": [{"code": "A", "title": {"en": "Area", "es": "Área"}}],
        "families": [{"code": "f", "title": {"en": "Family", "es": "Familia"}}],
        "competencies": [
            {
                "code": "A1",
                "area": "A",
                "title": {"en": "Counting", "es": "Contar"},
                "descriptors": {"1": {"en": "I can count.", "es": "Puedo contar."}},
            }
        ],
        "roles": [
            {
                "code": "clerk",
                "family": "f",
                "key_post": "",
                "title": {"en": "Clerk", "es": "Oficinista"},
                "requirements": [{"competency": "A1", "level": 1, "importance": 4}],
            }
        ],
    }


def nice_document() -> dict[str, Any]:
    def element(kind: str, code: str, title: str = "", text: str = "") -> dict[str, str]:
        return {"element_type": kind, "element_identifier": code, "title": title, "text": text, "doc_identifier": DOC}

    def relation(start: str, end: str) -> dict[str, str]:
        return {
            "source_element_identifier": start,
            "source_doc_identifier": DOC,
            "dest_element_identifier": end,
            "dest_doc_identifier": DOC,
            "relationship_identifier": "projection",
            "provenance_doc_identifier": DOC,
        }

    DOC = "SP_800_181_9_9_9"
    return {
        "response": {
            "requestType": 4,
            "elements": {
                "documents": [
                    {"doc_identifier": DOC, "name": "NICE", "version": "9.9.9", "website": "https://nist.gov"}
                ],
                "relationship_types": [{"relationship_identifier": "projection", "description": "Relates."}],
                "elements": [
                    element("category", "OG", "Oversight", "Oversees."),
                    element("work_role", "OG-WRL-001", "Planner", "Plans."),
                    element("task", "T1", text="Plan"),
                    element("opm_code", "752"),
                    element("sort", "S-1", "00001.00001"),
                ],
                "relationships": [
                    relation("OG", "OG-WRL-001"),
                    relation("OG-WRL-001", "T1"),
                    relation("OG-WRL-001", "752"),
                    relation("OG-WRL-001", "S-1"),
                ],
            },
        }
    }


CASE_DOCUMENT = "d0000000-0000-4000-8000-000000000000"


def case_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def case_item(number: int, statement: str = "", **members: Any) -> dict[str, Any]:
    identifier = case_id(number)
    return {
        "uri": f"https://case.example.org/CFItems/{identifier}",
        "identifier": identifier,
        "lastChangeDateTime": "2017-08-24T16:00:53+00:00",
        "fullStatement": statement or f"Item {number}",
    } | members


def case_association(number: int, origin: int, target: int | str, **members: Any) -> dict[str, Any]:
    """`target` is the number of an item, 0 for the document, or an identifier outside."""
    ends = [CASE_DOCUMENT if end == 0 else case_id(end) if isinstance(end, int) else end for end in (origin, target)]
    nodes = [{"title": f"Node {end[-2:]}", "identifier": end, "uri": f"https://case.example.org/{end}"} for end in ends]
    return {
        "uri": f"https://case.example.org/CFAssociations/{case_id(900 + number)}",
        "identifier": case_id(900 + number),
        "lastChangeDateTime": "2017-08-24T16:00:53+00:00",
        "associationType": "isChildOf",
        "originNodeURI": nodes[0],
        "destinationNodeURI": nodes[1],
    } | members


def case_package(items: list[dict[str, Any]], associations: list[dict[str, Any]], **document: Any) -> dict[str, Any]:
    return {
        "CFDocument": {
            "uri": f"https://case.example.org/CFDocuments/{CASE_DOCUMENT}",
            "identifier": CASE_DOCUMENT,
            "lastChangeDateTime": "2017-08-24T16:00:53+00:00",
            "creator": "A ministry",
            "title": "Sample package",
            "language": "en",
        }
        | document,
        "CFItems": items,
        "CFAssociations": associations,
    }


def write_json(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def platform_of(content: FrameworkContent) -> dict[str, Any]:
    """Content in the platform's own format, as its importer reads it."""
    return {
        "format": "digital-talent-framework/1",
        "framework": {
            "slug": content.slug,
            "title": content.title,
            "description": content.description,
            "publisher": content.publisher,
            "edition": content.edition,
            "source": content.source,
            "source_url": content.source_url,
            "licence": content.licence,
            "attribution": content.attribution,
            "languages": content.languages,
        },
        "levels": [
            {"rank": level.rank, "label": level.label, "description": level.description} for level in content.levels
        ],
        "areas": [{"code": area.code, "title": area.title, "description": area.description} for area in content.areas],
        "families": [
            {"code": family.code, "title": family.title, "description": family.description}
            for family in content.families
        ],
        "competencies": [
            {
                "code": competency.code,
                "kind": competency.kind,
                "area": competency.area,
                "title": competency.title,
                "description": competency.description,
                "example": competency.example,
                "descriptors": {str(descriptor.rank): descriptor.text for descriptor in competency.descriptors},
            }
            for competency in content.competencies
        ],
        "roles": [
            {
                "code": role.code,
                "family": role.family,
                "key_post": role.key_post,
                "title": role.title,
                "summary": role.summary,
                "external_codes": role.external_codes,
                "profiles": [
                    {
                        "code": profile.code,
                        "grade": profile.grade,
                        "summary": profile.summary,
                        "requirements": [
                            {
                                "competency": requirement.competency,
                                "level": requirement.level,
                                "importance": requirement.importance,
                            }
                            for requirement in profile.requirements
                        ],
                    }
                    for profile in role.profiles
                ],
            }
            for role in content.roles
        ],
    }


# --- Broken copies: each takes the bytes of a whole file and a seeded source of chance --------------------------------
Mutation = Callable[[bytes, random.Random], bytes]


def truncated(raw: bytes, chance: random.Random) -> bytes:
    return raw[: chance.randrange(len(raw))]


def truncated_near_the_end(raw: bytes, chance: random.Random) -> bytes:
    return raw[: len(raw) - chance.randrange(1, 400)]


def bytes_swapped(raw: bytes, chance: random.Random) -> bytes:
    broken = bytearray(raw)
    for _time in range(20):
        one, other = chance.randrange(len(raw)), chance.randrange(len(raw))
        broken[one], broken[other] = broken[other], broken[one]
    return bytes(broken)


def bytes_changed(raw: bytes, chance: random.Random) -> bytes:
    broken = bytearray(raw)
    for _time in range(5):
        broken[chance.randrange(len(raw))] = chance.randrange(256)
    return bytes(broken)


def piece_taken_out(raw: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(raw))
    return raw[:start] + raw[start + chance.randrange(1, 5000) :]


def piece_doubled(raw: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(raw))
    end = start + chance.randrange(1, 5000)
    return raw[:end] + raw[start:]


def in_utf_16(raw: bytes, chance: random.Random) -> bytes:
    return raw.decode().encode(chance.choice(["utf-16", "utf-16-le", "utf-16-be"]))


def in_latin_1(raw: bytes, chance: random.Random) -> bytes:
    place = raw.index(b"a", chance.randrange(len(raw) // 2))
    return raw[:place] + "ñ".encode("latin-1") + raw[place + 1 :]


def with_a_nul(raw: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(raw))
    return raw[:place] + b"\0" + raw[place:]


def emptied(raw: bytes, chance: random.Random) -> bytes:
    return chance.choice([b"", b"\n\n  ", b"\xef\xbb\xbf"])


def binary(raw: bytes, chance: random.Random) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + chance.randbytes(3000)


ALWAYS_REFUSED: tuple[Mutation, ...] = (in_utf_16, in_latin_1, with_a_nul, emptied, binary)
ANY_BYTES: tuple[Mutation, ...] = (
    truncated,
    truncated_near_the_end,
    bytes_swapped,
    bytes_changed,
    piece_taken_out,
    piece_doubled,
    *ALWAYS_REFUSED,
)

WRONG_VALUES: tuple[Any, ...] = (
    [],
    {},
    None,
    "",
    7,
    2.5,
    True,
    "7",
    "x" * 200_000,
    ["x"],
    {"en": 5},
    "\x00",
    "\ud800",
    "\x1b[2J",
)


def json_mutated(raw: bytes, chance: random.Random) -> bytes:
    """One value of the document replaced by something of another kind, taken out, or doubled."""
    document = json.loads(raw)
    places = list(_places(document, chance))
    parent, key = chance.choice(places)
    match chance.randrange(3):
        case 0:
            parent[key] = chance.choice(WRONG_VALUES)
        case 1:
            del parent[key]
        case _ if isinstance(parent, list):
            parent.append(parent[key])
        case _:
            parent[f"{key}_too"] = parent[key]
    return json.dumps(document).encode()


def _places(document: Any, chance: random.Random) -> Iterator[tuple[Any, Any]]:
    """A way down from the root, every step of which can be mutated: near the root as likely as deep down."""
    node = document
    while isinstance(node, dict | list) and node:
        key = chance.choice(list(node) if isinstance(node, dict) else range(len(node)))
        yield node, key
        node = node[key]


def json_key_doubled(raw: bytes, chance: random.Random) -> bytes:
    keys = [b'"title"', b'"text"', b'"code"', b'"level"', b'"response"', b'"roles"', b'"element_type"', b'"uri"']
    key = chance.choice([key for key in keys if key in raw])
    place = raw.index(key)
    return raw[:place] + key + b": 1, " + raw[place:]


def csv_mutated(raw: bytes, chance: random.Random) -> bytes:
    """One thing about the table changed that a spreadsheet or an export may do."""
    rows = list(csv.reader(io.StringIO(raw.decode(), newline="")))
    row = chance.randrange(1, len(rows))
    column = chance.randrange(len(rows[0]))
    match chance.randrange(8):
        case 0:
            rows = [cells[:column] + cells[column + 1 :] for cells in rows]
        case 1:
            del rows[row][column]
        case 2:
            rows[row].insert(column, "more")
        case 3:
            rows[row][column] = "x" * chance.choice([120_000, 150_000])
        case 4:
            rows[row][column] = chance.choice(["", "Master", "7", "\x1b[2J", "=cmd|' /C calc'!A0"])
        case 5:
            rows[0][column] = chance.choice(["", "skill level", rows[0][column - 1]])
        case 6:
            rows[1:] = chance.sample(rows[1:], len(rows) - 1)
        case _:
            rows = rows[: chance.randrange(1, len(rows))]
    return as_csv(rows)


# --- Workbooks --------------------------------------------------------------------------------------------------------
def as_workbook(sheets: Mapping[str, Iterable[Iterable[Any]]]) -> bytes:
    """A workbook as a spreadsheet program would write it, with these rows on its sheets."""
    raw = io.BytesIO()
    with xlsxwriter.Workbook(raw, {"in_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, list(row))
    return raw.getvalue()


def parts_of(raw: bytes) -> dict[str, bytes]:
    with ZipFile(io.BytesIO(raw)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def as_zip(parts: Mapping[str, bytes], packing: int = ZIP_DEFLATED) -> bytes:
    raw = io.BytesIO()
    with ZipFile(raw, "w", packing) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return raw.getvalue()


def part_mutated(raw: bytes, chance: random.Random) -> bytes:
    """A whole zip in which one part is broken, gone, or in the place of another."""
    parts = parts_of(raw)
    name = chance.choice([name for name in parts if name.startswith(("xl/", "[", "_rels"))])
    match chance.randrange(5):
        case 0:
            del parts[name]
        case 1:
            parts[name] = chance.choice([truncated, bytes_swapped, bytes_changed, piece_taken_out])(parts[name], chance)
        case 2:
            parts[name] = parts[chance.choice(list(parts))]
        case 3:
            parts[name] = chance.choice([b"", b"<a/>", b"\x89PNG\r\n", parts[name].replace(b'"', b"")])
        case _:
            found = re.findall(rb'"[^"]{1,20}"', parts[name]) or [b"<"]
            parts[name] = parts[name].replace(chance.choice(found), b'"%d"' % chance.randrange(-9, 10**12), 1)
    return as_zip(parts)


def cells_mutated(raw: bytes, chance: random.Random) -> bytes:
    """One thing about a sheet changed that people do to workbooks."""
    book = load_workbook(io.BytesIO(raw))
    sheet = chance.choice(book.worksheets)
    row, column = chance.randrange(1, sheet.max_row + 1), chance.randrange(1, sheet.max_column + 1)
    match chance.randrange(8):
        case 0:
            sheet.delete_rows(row, chance.randrange(1, 5))
        case 1:
            sheet.delete_cols(column)
        case 2:
            sheet.insert_rows(1, 2)
        case 3:
            sheet.title = "Sheet"
        case 4:
            book.remove(sheet)
        case 5:
            sheet.cell(1, column).value = sheet.cell(1, max(column - 1, 1)).value
        case _:
            values = [
                "",
                None,
                7,
                2.5,
                True,
                "x" * 30_000,
                "\x7f",
                datetime(2025, 11, 24),
                "=A1",
                "#N/A",
                "Basic",
                "9.9",
            ]
            sheet.cell(row, column).value = chance.choice(values)
    changed = io.BytesIO()
    book.save(changed)
    return changed.getvalue()


# --- DigComp ----------------------------------------------------------------------------------------------------------
DIGCOMP_GRAPH = "digcomp-3.0-data-supplement.jsonld"
DIGCOMP_WORKBOOK = "digcomp-3.0-data-supplement.xlsx"
DIGCOMP_LEVELS = ("Basic", "Intermediate", "Advanced", "Highly advanced")


def digcomp_document() -> dict[str, Any]:
    """A graph with all levels, and one of everything else."""
    types = ("CompetenceArea", "Competence", "ProficiencyLevel", "CompetenceStatement", "LearningOutcome", "Glossary")

    def part(kind: str, code: str, **more: str) -> dict[str, str]:
        return {
            "@type": kind,
            "@id": f"{kind}/{code}",
            "description": "Count things.",
            **more,
            "ai_label": "AI-Implicit",
            "competence_area_id": "CompetenceArea/1",
            "competence_id": "Competence/1.1",
            "four_levels_proficiency_name": "ProficiencyLevel/Advanced",
        }

    return {
        "@context": {kind: kind for kind in types},
        "@graph": [
            {"@type": "CompetenceArea", "@id": "CompetenceArea/1", "name": "Numbers", "description": "To count."},
            {
                "@type": "Competence",
                "@id": "Competence/1.1",
                "name": "Counting",
                "description": "To count things.",
                "competence_area_id": "CompetenceArea/1",
            },
            *(
                {
                    "@type": "ProficiencyLevel",
                    "@id": f"ProficiencyLevel/{DIGCOMP_LEVELS[index // 2]}_{index + 1}",
                    "four_levels_name": DIGCOMP_LEVELS[index // 2],
                    "eight_levels_mapping": index + 1,
                    "six_levels_mapping": ("A1", "A2", "B1", "B2", "C1", "C1", "C2", "C2")[index],
                    "four_levels_description": f"At {DIGCOMP_LEVELS[index // 2]} level.",
                    "eight_levels_description": f"At level {index + 1}.",
                    "applies_to": "To live.",
                }
                for index in range(8)
            ),
            part("CompetenceStatement", "CS1.1.01"),
            part("LearningOutcome", "LO1.1.01", type="Skill"),
            {"@type": "Glossary", "@id": "Glossary/Number", "explanation": "What one counts with."},
        ],
    }


def digcomp_sheets() -> dict[str, list[list[Any]]]:
    """The same as sheets of the workbook."""
    area, competence = [1, "Numbers", "To count."], [1.1, "Counting", "To count things."]
    area_header = ["Competence area number", "Competence area name", "Competence area descriptor"]
    competence_header = ["Competence number", "Competence name", "Competence descriptor"]
    levels = [node for node in digcomp_document()["@graph"] if node["@type"] == "ProficiencyLevel"]
    return {
        "ReadMe": [["The full DigComp 3.0 framework is elsewhere."]],
        "1 Competence Areas&Competences": [[*area_header, *competence_header], [*area, *competence]],
        "2 Proficiency Levels": [
            [
                "Proficiency level name",
                "Four level proficiency level description",
                "Purpose",
                "Eight level mapping",
                "Six level mapping",
                "Eight level proficiency level description",
            ],
            *(
                [
                    f"{level['four_levels_name']} ",
                    level["four_levels_description"],
                    level["applies_to"],
                    level["eight_levels_mapping"],
                    level["six_levels_mapping"],
                    level["eight_levels_description"],
                ]
                for level in levels
            ),
        ],
        "3 Competence Statements": [
            [
                *area_header,
                *competence_header,
                "Competence statement ID",
                "Competence statement",
                "Proficiency level name",
                "AI label",
            ],
            [*area, *competence, "CS1.1.01", "Count things.", "Advanced", "AI-Implicit"],
        ],
        "4 Learning Outcomes": [
            [
                *area_header[:2],
                *competence_header[:2],
                "Learning Outcome ID",
                "Learning Outcome",
                "Proficiency level",
                "Knowledge skill or attitude",
                "AI label",
            ],
            [*area[:2], *competence[:2], "LO1.1.01", "Count things. ", "Advanced", "Skill", "AI-Implicit"],
        ],
        "5 Glossary": [["Term", "Explanation"], ["Number", "What one counts with."]],
    }
