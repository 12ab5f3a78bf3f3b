"""The layout of the platform's spreadsheet: its sheets, their columns in English and Spanish, and how cells are written.

The reader (competencies.importers.template) and the writer (competencies.exporters.tables) share it. The Spanish words
are data of the format and not translations of the interface: a file reads the same in every installation.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from competencies.enums import CompetencyKind, LinkRelation, Necessity
from competencies.importers.content import (
    MAX_AREA_CODE,
    MAX_COMPETENCY_CODE,
    MAX_EDITION,
    MAX_IDENTIFIER,
    MAX_KEY_POST,
    MAX_LICENCE,
    MAX_PROFILE_CODE,
    MAX_PUBLISHER,
    MAX_ROLE_CODE,
    MAX_SLUG,
    MAX_SOURCE,
    MAX_TEXT,
    MAX_TITLE,
    MAX_URL,
)

LANGUAGES = ("en", "es")
"""The languages in which the headers are known."""

MAX_VALUE = 20
MAX_JSON = 1_000_000
# Excel cuts off what is longer, counted in UTF-16; such a text goes on in the column "Description (2)".
MAX_CELL = 32_767
MAX_PARTS = 40
MAX_ROWS = 1_048_576
# How many characters are compared to find what a slip of the pen may have meant: seconds at worst.
MAX_PATIENCE = 600_000
MAX_COMPARED = 200

Words = tuple[str, str]
Choices = Mapping[str, Words]

KINDS: Choices = {
    CompetencyKind.COMPETENCY.value: ("Competency", "Competencia"),
    CompetencyKind.SKILL.value: ("Skill", "Habilidad"),
    CompetencyKind.KNOWLEDGE.value: ("Knowledge", "Conocimiento"),
    CompetencyKind.TASK.value: ("Task", "Tarea"),
    CompetencyKind.TOOL.value: ("Technology", "Tecnología"),
    CompetencyKind.STATEMENT.value: ("Statement", "Enunciado"),
    CompetencyKind.OUTCOME.value: ("Learning outcome", "Resultado de aprendizaje"),
}
NECESSITIES: Choices = {
    Necessity.REQUIRED.value: ("Required", "Necesario"),
    Necessity.OPTIONAL.value: ("Optional", "Opcional"),
    Necessity.UNCERTAIN.value: ("Too uncertain to be used", "Demasiado incierto para usarse"),
}
RELATIONS: Choices = {
    LinkRelation.EXACT.value: ("is the same as", "es lo mismo que"),
    LinkRelation.BROADER.value: ("is broader than", "es más amplia que"),
    LinkRelation.NARROWER.value: ("is narrower than", "es más específica que"),
    LinkRelation.RELATED.value: ("is related to", "se relaciona con"),
    LinkRelation.PEER.value: ("stands beside", "está al lado de"),
    LinkRelation.PART_OF.value: ("is part of", "es parte de"),
    LinkRelation.PRECEDES.value: ("comes before", "va antes de"),
    LinkRelation.REPLACED_BY.value: ("is replaced by", "se reemplaza por"),
    LinkRelation.EXEMPLAR.value: ("is shown by the example", "se ilustra con el ejemplo"),
    LinkRelation.SKILL_LEVEL.value: ("has the skill level", "tiene el nivel de habilidad"),
    LinkRelation.TRANSLATION.value: ("is a translation of", "es traducción de"),
    LinkRelation.OTHER.value: ("is linked to", "está vinculada con"),
}
YES: Choices = {"yes": ("Yes", "Sí")}


@dataclass(frozen=True)
class Column:
    """`translated` columns are there once a language; `rare` ones are written only where something stands in them."""

    key: str
    names: Words
    limit: int = MAX_TEXT
    translated: bool = False
    rare: bool = False
    number: bool = False
    choices: Choices | None = None
    width: int = 24
    aliases: tuple[str, ...] = ()

    @property
    def all_names(self) -> tuple[str, ...]:
        return (*self.names, *self.aliases)


@dataclass(frozen=True)
class Sheet:
    """`signs` are what a header must have at least, in one of several ways, to be known for this table."""

    key: str
    names: Words
    columns: tuple[Column, ...]
    signs: tuple[frozenset[str], ...]
    aliases: tuple[str, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, Column]:
        return {fold(name): column for column in self.columns for name in column.all_names}

    @cached_property
    def by_key(self) -> dict[str, Column]:
        return {column.key: column for column in self.columns}


def fold(text: str) -> str:
    """The text for comparing headers and names: whatever its capitals, accents, spaces and the mark of what is needed."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).strip(" \t*:").split())


def _signs(*alternatives: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(alternative.split()) for alternative in alternatives)


IDENTIFIER = Column("identifier", ("Identifier", "Identificador"), MAX_IDENTIFIER, rare=True)
EXTRA = Column(
    "extra", ("Extra (JSON)", "Adicional (JSON)"), MAX_JSON, rare=True, width=30, aliases=("Extra", "Adicional")
)
DESCRIPTION = Column("description", ("Description", "Descripción"), translated=True, width=60)
OTHER_NAMES = Column("alternatives", ("Other names", "Otros nombres"), translated=True, rare=True, width=30)
DESCRIPTOR = Column("level", ("Level", "Nivel"), translated=True, width=40)
"""A descriptor's column is called after its level: "Level 1"."""


def _title(*aliases: str) -> Column:
    return Column("title", ("Title", "Título"), MAX_TITLE, translated=True, width=36, aliases=aliases)


PROPERTIES = Sheet(
    "properties",
    ("Framework", "Marco"),
    (
        Column("title", ("Title", "Título"), MAX_TITLE, translated=True, aliases=("Name", "Nombre")),
        Column("slug", ("Short name", "Nombre corto"), MAX_SLUG),
        Column("edition", ("Edition", "Edición"), MAX_EDITION),
        Column("languages", ("Languages", "Idiomas"), 200, aliases=("Language", "Idioma")),
        Column("description", ("Description", "Descripción"), translated=True),
        Column("publisher", ("Published by", "Publicado por"), MAX_PUBLISHER, aliases=("Publisher", "Institución")),
        Column("source", ("Source", "Fuente"), MAX_SOURCE),
        Column("source_url", ("Web address of the source", "Dirección web de la fuente"), MAX_URL),
        Column("licence", ("Licence", "Licencia"), MAX_LICENCE, aliases=("License",)),
        Column("attribution", ("Attribution", "Atribución")),
        Column("extends", ("Extends the framework", "Amplía el marco"), MAX_SLUG, rare=True),
        Column("extends_edition", ("Extends the edition", "Amplía la edición"), MAX_EDITION, rare=True),
        IDENTIFIER,
        EXTRA,
    ),
    (),
)
"""What the first sheet says, one property a row: read as one record whose headers stand in the first column."""

FRAMEWORK = Sheet(
    "framework",
    ("Framework", "Marco"),
    (Column("property", ("Property", "Propiedad"), width=30), Column("value", ("Value", "Valor"), width=90)),
    _signs("property value"),
    aliases=("Marco de competencias", "Competency framework"),
)
LEVELS = Sheet(
    "levels",
    ("Levels", "Niveles"),
    (
        Column("rank", ("Level", "Nivel"), number=True, width=8, aliases=("Rank", "Rango")),
        Column("label", ("Name", "Nombre"), MAX_TITLE, translated=True, aliases=("Label", "Etiqueta")),
        DESCRIPTION,
        IDENTIFIER,
        EXTRA,
    ),
    _signs("rank label"),
)
AREAS = Sheet(
    "areas",
    ("Areas", "Áreas"),
    (
        Column("code", ("Area code", "Código del área"), MAX_AREA_CODE, width=16, aliases=("Code", "Código")),
        _title("Area", "Área"),
        DESCRIPTION,
        IDENTIFIER,
        EXTRA,
    ),
    _signs("code title", "title"),
)
COMPETENCIES = Sheet(
    "competencies",
    ("Competencies", "Competencias"),
    (
        Column(
            "code",
            ("Competency code", "Código de la competencia"),
            MAX_COMPETENCY_CODE,
            width=18,
            aliases=("Code", "Código"),
        ),
        _title("Competency", "Competencia"),
        Column("area", ("Area", "Área"), MAX_TITLE),
        Column("kind", ("Kind", "Clase"), MAX_TITLE, choices=KINDS, width=16, aliases=("Tipo", "Type")),
        Column("parent", ("Part of", "Parte de"), MAX_TITLE, rare=True),
        DESCRIPTION,
        Column("example", ("Example", "Ejemplo"), translated=True, width=40),
        OTHER_NAMES,
        Column("rank", ("Level it speaks of", "Nivel del que habla"), MAX_TITLE, rare=True, number=True, width=12),
        IDENTIFIER,
        EXTRA,
    ),
    _signs("code title", "title"),
)
FAMILIES = Sheet(
    "families",
    ("Role families", "Familias de roles"),
    (
        Column("code", ("Family code", "Código de la familia"), MAX_AREA_CODE, width=16, aliases=("Code", "Código")),
        _title("Role family", "Familia de roles", "Family", "Familia"),
        DESCRIPTION,
        IDENTIFIER,
        EXTRA,
    ),
    _signs("code title", "title"),
    aliases=("Families", "Familias"),
)
ROLES = Sheet(
    "roles",
    ("Roles", "Roles"),
    (
        Column("code", ("Role code", "Código del rol"), MAX_ROLE_CODE, width=18, aliases=("Code", "Código")),
        _title("Role", "Rol"),
        Column("family", ("Family", "Familia"), MAX_TITLE, aliases=("Role family", "Familia de roles")),
        Column("key_post", ("Key post", "Cargo clave"), MAX_KEY_POST, width=12),
        Column("profile", ("Profile code", "Código del perfil"), MAX_PROFILE_CODE, width=18),
        Column("grade", ("Grade", "Grado"), MAX_TITLE, translated=True),
        Column("summary", ("Summary", "Resumen"), translated=True, width=60),
        Column("profile_summary", ("Summary of the grade", "Resumen del grado"), translated=True, rare=True, width=60),
        OTHER_NAMES,
        Column("builds_on", ("Builds on profile", "Se basa en el perfil"), MAX_PROFILE_CODE, rare=True),
        Column("unprofiled", ("Without profile", "Sin perfil"), choices=YES, rare=True, width=12),
        Column("external_codes", ("Codes elsewhere (JSON)", "Códigos en otros sistemas (JSON)"), MAX_JSON, rare=True),
        Column("identifier", ("Role identifier", "Identificador del rol"), MAX_IDENTIFIER, rare=True),
        Column("extra", ("Role extra (JSON)", "Adicional del rol (JSON)"), MAX_JSON, rare=True),
        Column("profile_identifier", ("Profile identifier", "Identificador del perfil"), MAX_IDENTIFIER, rare=True),
        Column("profile_extra", ("Profile extra (JSON)", "Adicional del perfil (JSON)"), MAX_JSON, rare=True),
    ),
    _signs("code title", "title"),
    aliases=("Role profiles", "Perfiles de rol"),
)
REQUIREMENTS = Sheet(
    "requirements",
    ("Requirements", "Requisitos"),
    (
        Column("profile", ("Profile code", "Código del perfil"), MAX_PROFILE_CODE, width=18),
        Column("role", ("Role", "Rol"), MAX_TITLE, width=30, aliases=("Role code", "Código del rol")),
        Column("grade", ("Grade", "Grado"), MAX_TITLE, rare=True),
        Column("competency_code", ("Competency code", "Código de la competencia"), MAX_COMPETENCY_CODE, width=18),
        Column("competency", ("Competency", "Competencia"), MAX_TITLE, width=36),
        Column("level", ("Level", "Nivel"), MAX_TITLE, width=18),
        Column("importance", ("Importance", "Importancia"), MAX_VALUE, number=True, width=12),
        Column(
            "necessity",
            ("Necessity", "Necesidad"),
            MAX_TITLE,
            choices=NECESSITIES,
            width=14,
            aliases=("Obligatoriedad",),
        ),
        Column("level_value", ("Level in the source", "Nivel en la fuente"), MAX_VALUE, rare=True),
        Column("importance_value", ("Importance in the source", "Importancia en la fuente"), MAX_VALUE, rare=True),
        EXTRA,
    ),
    _signs("role competency", "profile competency", "role competency_code", "profile competency_code"),
)
LINKS = Sheet(
    "links",
    ("Links", "Vínculos"),
    (
        Column("origin", ("From competency", "De la competencia"), MAX_TITLE),
        Column("relation", ("Relation", "Relación"), MAX_TITLE, choices=RELATIONS),
        Column("target", ("To competency", "A la competencia"), MAX_TITLE),
        Column("target_uri", ("To the address", "A la dirección"), MAX_URL, width=40),
        Column("target_title", ("Title there", "Título allí"), width=36),
        Column("note", ("Note", "Nota"), width=40),
        IDENTIFIER,
        EXTRA,
    ),
    _signs("origin relation"),
    aliases=("Vinculos", "Enlaces"),
)
SHEETS = (FRAMEWORK, LEVELS, AREAS, COMPETENCIES, FAMILIES, ROLES, REQUIREMENTS, LINKS)
READ_ME: Words = ("Read me", "Léame")

_SHEETS_BY_NAME = {fold(name): sheet for sheet in SHEETS for name in (*sheet.names, *sheet.aliases)}
_HEADING = re.compile(r"(?P<name>.*?)\s*(?:\[(?P<language>[^\[\]]*)\])?\s*(?:\((?P<part>\d{1,2})\))?\Z", re.DOTALL)
_DESCRIPTOR = re.compile(r"(?:level|nivel) (\d{1,2})(?![\d.,]).*")


@dataclass(frozen=True)
class Heading:
    """A header in its parts: "Description [es] (2)" is the second piece of the Spanish description."""

    name: str
    language: str | None
    part: int

    @classmethod
    def of(cls, text: str) -> Heading:
        found = _HEADING.match(" ".join(text.split()).strip(" *:"))
        if found is None:
            return cls(fold(text), None, 1)
        language = found["language"]
        return cls(fold(found["name"]), language.strip() if language is not None else None, int(found["part"] or 1))

    @property
    def descriptor_rank(self) -> int | None:
        found = _DESCRIPTOR.fullmatch(self.name)
        return int(found[1]) if found else None


def heading(name: str, language: str | None, part: int) -> str:
    return name + (f" [{language}]" if language else "") + (f" ({part})" if part > 1 else "")


def sheet_named(name: str) -> Sheet | None:
    return _SHEETS_BY_NAME.get(fold(name))


def is_read_me(name: str) -> bool:
    return fold(name) in {fold(known) for known in READ_ME}


def sheet_of(header: Iterable[str]) -> tuple[Sheet | None, int]:
    """The sheet whose table begins with this header, and how many of its columns are known there."""
    names = [Heading.of(cell) for cell in header if cell.strip()]
    best: tuple[Sheet | None, int] = (None, 0)
    for sheet in SHEETS:
        columns = [sheet.by_name[item.name].key for item in names if item.name in sheet.by_name]
        if sheet is COMPETENCIES:
            columns += ["level" for item in names if item.descriptor_rank is not None]
        if any(sign <= set(columns) for sign in _distinctive(sheet, names)) and len(columns) > best[1]:
            best = (sheet, len(columns))
    known = best[1]
    return best if names and 2 * known >= len(names) else (None, 0)


def _distinctive(sheet: Sheet, names: Iterable[Heading]) -> Iterator[frozenset[str]]:
    """The signs that hold: where several tables have a title, it must be said of what, by the title or the code."""
    if sheet not in (AREAS, COMPETENCIES, FAMILIES, ROLES):
        yield from sheet.signs
        return
    own = {fold(name) for name in sheet.by_key["code"].names} | {fold(name) for name in sheet.by_key["title"].aliases}
    if any(item.name in own for item in names):
        yield from sheet.signs


WHOLE = re.compile(r"(\d{1,9})(?:[.,]0+)?")
"""A whole number as spreadsheet programmes write it. A level's label that looks like one is not used as a name."""


# --- Cells ------------------------------------------------------------------------------------------------------------
# What a spreadsheet programme would take for a formula, and an apostrophe before it.
_FORMULA = re.compile(r"'*(?:\s*[=+\-@＝＋－＠]|[\t\r])")
# How workbooks write characters that XML cannot: a text that says so itself is divided there.
_ESCAPE = re.compile(r"_x(?=[0-9A-Fa-f]{4}_)|x(?=005F_)")


def disarmed(cell: str) -> str:
    """The cell for a CSV file: an apostrophe makes a text of what would be a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def marked(cell: str) -> str:
    """The cell for a workbook, whose cells say that they are texts: only an apostrophe of its own needs another."""
    return f"'{cell}" if cell.startswith("'") and _FORMULA.match(cell) else cell


def unmarked(cell: str) -> str:
    """The cell without the apostrophe that made a text of a formula."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell


def pieces(text: str) -> list[str] | None:
    """The text in pieces that fit a cell, none of which begins or ends with a space; None where there are no such."""
    cuts = [found.end() for found in _ESCAPE.finditer(text)]
    found = []
    start = 0
    for cut in [*cuts, len(text)]:
        while _width(text[start:cut]) > MAX_CELL:
            end = start + _fitting(text[start:cut])
            while end > start and (text[end - 1].isspace() or text[end].isspace()):
                end -= 1
            if end == start:
                return None
            found.append(text[start:end])
            start = end
        found.append(text[start:cut])
        start = cut
    return found


def _width(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def _fitting(text: str) -> int:
    """How many characters fit into a cell that is also left room for an apostrophe."""
    room = MAX_CELL - 1
    for position, character in enumerate(text):
        room -= 2 if character > "\uffff" else 1
        if room < 0:
            return position
    return len(text)


# --- Names ------------------------------------------------------------------------------------------------------------
class Names:
    """What a cell may refer to: by its code, or by its title in any language, if that is the title of one alone."""

    def __init__(self) -> None:
        self._tiers: tuple[defaultdict[str, dict[str, None]], ...] = tuple(defaultdict(dict) for _tier in range(3))
        self._shown: dict[str, None] = {}
        self._suggested: dict[str, list[str]] = {}
        self._patience = MAX_PATIENCE

    def add(self, code: str, titles: Iterable[str]) -> None:
        by_code, by_title, folded = self._tiers
        by_code[code][code] = None
        folded[fold(code)][code] = None
        self._shown[code] = None
        for title in titles:
            by_title[title][code] = None
            folded[fold(title)][code] = None
            self._shown[title] = None

    def find(self, name: str) -> tuple[str, ...]:
        """The codes that are meant: none, one, or several. As it is written counts more than as it is compared."""
        for tier, key in zip(self._tiers, (name, name, fold(name)), strict=True):
            if key in tier:
                return tuple(tier[key])
        return ()

    def name_for(self, code: str, title: str) -> str:
        """The title where it leads back to the code, else the code."""
        return title if title and self.find(title) == (code,) else code

    def name_beside(self, code: str, title: str) -> str:
        """The title for people, where the code stands beside it and it does not lead to something else alone."""
        return title if not title or code in self.find(title) else code

    def near(self, name: str) -> list[str]:
        """Names that a slip of the pen may have meant. For the first unknown names only: it takes time."""
        if name not in self._suggested:
            if self._patience <= 0 or len(name) > MAX_COMPARED:
                return []
            by_fold = {fold(known): known for known in self._shown if len(known) <= MAX_COMPARED}
            self._patience -= MAX_PATIENCE // 20 + sum(map(len, by_fold))
            if self._patience < 0:
                return []
            found = difflib.get_close_matches(fold(name), by_fold, n=3, cutoff=0.7)
            self._suggested[name] = [by_fold[key] for key in found]
        return self._suggested[name]


def choices_of(choices: Choices) -> Names:
    names = Names()
    for value, words in choices.items():
        names.add(value, words)
    return names
