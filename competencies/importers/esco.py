"""ESCO, the European classification of occupations and skills, as its portal exports it: CSV tables in one folder.

The tables of occupations, of skills (and of collections of skills, in the same layout) and of the relations between
them. ESCO has no scale: a skill is essential or optional for an occupation. No table says its edition or its language;
the language is taken from the end of the file names ("_en"), and several languages become one framework.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from competencies.enums import CompetencyKind, LinkRelation, Necessity
from competencies.importers.content import (
    MAX_COMPETENCY_CODE,
    MAX_IDENTIFIER,
    MAX_ROLE_CODE,
    MAX_TEXT,
    MAX_TITLE,
    CompetencyContent,
    Deviation,
    Extra,
    Faults,
    FrameworkContent,
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
from competencies.importers.sources import Row, Source, line_place, only, read_open_table, refuse_unreadable_tables

TITLE = gettext_lazy(
    "ESCO: the CSV export of the ESCO portal, a folder with the tables occupations, skills and occupationSkillRelations"
)

SLUG = "esco"
NAMES = {
    "en": "European Skills, Competences, Qualifications and Occupations (ESCO)",
    "es": "Capacidades, Competencias, Cualificaciones y Ocupaciones Europeas (ESCO)",
}
PUBLISHER = "European Commission"
SOURCE = "CSV export of the ESCO portal (esco.ec.europa.eu)"
SOURCE_URL = "https://esco.ec.europa.eu/"
LICENCE = "Reusable under Commission Decision 2011/833/EU (terms of CC BY 4.0)"
ATTRIBUTION = "This uses the ESCO classification of the European Commission."
# The languages ESCO is published in: what a file name may end with.
LANGUAGE_IN_NAME = re.compile(
    r"_(ar|bg|cs|da|de|el|en|es|et|fi|fr|ga|hr|hu|is|it|lt|lv|mt|nl|no|pl|pt|ro|sk|sl|sv|uk)(?:\.\w{1,5})?$"
)
USUAL_LANGUAGE = "en"

URI, LABEL, TEXT, CODE, ISCO = "conceptUri", "preferredLabel", "description", "code", "iscoGroup"
OTHER_LABELS = ("altLabels", "hiddenLabels")
TYPE, BROADER, BROADER_LABELS = "skillType", "broaderConceptUri", "broaderConceptPT"
OCCUPATION, OCCUPATION_LABEL = "occupationUri", "occupationLabel"
SKILL, SKILL_LABEL, RELATION = "skillUri", "skillLabel", "relationType"
OCCUPATION_COLUMNS = (URI, LABEL, ISCO)
SKILL_COLUMNS = (URI, LABEL, TYPE)
RELATION_COLUMNS = (OCCUPATION, RELATION, TYPE, SKILL, SKILL_LABEL)
ONLY_IN_OCCUPATIONS = frozenset({ISCO, "regulatedProfessionNote", "naceCode"})
ONLY_IN_SKILLS = frozenset({TYPE, "reuseLevel"})
ONLY_IN_RELATIONS = frozenset({OCCUPATION, OCCUPATION_LABEL, SKILL, SKILL_LABEL, RELATION})
ENOUGH_COLUMNS = 3  # of a table of relations: a missing column is then named

# What is said of a concept, not in a language; and what has a place of its own.
SAME_IN_ALL_LANGUAGES = (ISCO, CODE, TYPE)
PLACED = frozenset({URI, LABEL, TEXT, CODE, ISCO, TYPE, *OTHER_LABELS})
KINDS = {
    "knowledge": CompetencyKind.KNOWLEDGE.value,
    "skill/competence": CompetencyKind.SKILL.value,
    "": CompetencyKind.COMPETENCY.value,  # the word that claims neither
}
NECESSITIES = {"essential": Necessity.REQUIRED.value, "optional": Necessity.OPTIONAL.value}
BETWEEN_LABELS = re.compile(r"\n|\s\|\s")
ISCO_GROUP = re.compile(r"C?[0-9]{1,4}")
SHOWN_NAMES = 5


@dataclass
class Concept:
    """An occupation or a skill: its cells by column and language, and where it stands first.

    Where it has no URI, `uri` is its language, a space and its label, which is nobody's URI.
    """

    uri: str
    place: str
    cells: defaultdict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    broader: dict[str, str] = field(default_factory=dict)
    """The title of each broader concept by its URI; empty where it has none."""

    @property
    def identifier(self) -> str:
        return "" if " " in self.uri else self.uri

    def one(self, column: str) -> str:
        """What the column says in whatever language."""
        return next((value for value in self.cells[column].values() if value), "")

    def text(self, column: str) -> dict[str, str]:
        return {language: value for language, value in self.cells[column].items() if value}

    def alternatives(self) -> dict[str, str]:
        names: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for column in OTHER_LABELS:
            for language, cell in self.cells[column].items():
                names[language].update(dict.fromkeys(_listed(cell)))
        for language, title in self.cells[LABEL].items():
            names[language].pop(title, None)
        return {language: "\n".join(known) for language, known in names.items() if known}

    def extra(self) -> Extra:
        """The columns that have no place of their own: one text, or one for each language where they differ."""
        extra: dict[str, str | dict[str, str]] = {}
        for column in self.cells:
            if column not in PLACED and (values := self.text(column)):
                same = len(set(values.values())) == 1
                extra[column] = next(iter(values.values())) if same else values
        return extra


@dataclass(frozen=True)
class Asked:
    """What a row of the table of relations asks for, and where it stands."""

    relation: str
    source: str
    line: int


def sniff(sources: Sequence[Source]) -> bool:
    """Whether one of the sources is one of the tables."""
    return any(_is_occupations(source) or _is_skills(source) or _is_relations(source) for source in sources)


def read(sources: Sequence[Source]) -> FrameworkContent:
    """The framework of the tables among the sources; every row is accounted for.

    Raises CannotImport with the line of each unknown type, unknown occupation, contradiction and incomplete row.
    """
    return _Reading(_Tables(sources)).content()


def _is_occupations(source: Source) -> bool:
    return not ONLY_IN_OCCUPATIONS.isdisjoint(source.header) and not {URI, LABEL}.isdisjoint(source.header)


def _is_skills(source: Source) -> bool:
    return (
        not ONLY_IN_SKILLS.isdisjoint(source.header)
        and not {URI, LABEL}.isdisjoint(source.header)
        and ONLY_IN_OCCUPATIONS.isdisjoint(source.header)
    )


def _is_relations(source: Source) -> bool:
    return len(ONLY_IN_RELATIONS.intersection(source.header)) >= ENOUGH_COLUMNS


def _is_collection(source: Source) -> bool:
    return _is_skills(source) and not {BROADER, BROADER_LABELS}.isdisjoint(source.header)


class _Tables:
    """The tables by language. Only the ends of the file names tell the languages apart."""

    def __init__(self, sources: Sequence[Source]) -> None:
        refuse_unreadable_tables(sources)
        self.sources = [source for source in sources if sniff([source])]
        named = {source.name: _language_in(source.name) for source in self.sources}
        found = sorted({language for language in named.values() if language}, key=_english_first)
        self.named = tuple(found)
        self.languages = self.named or (USUAL_LANGUAGE,)
        if len(found) > 1 and (nameless := [name for name, language in named.items() if not language]):
            refuse(
                ", ".join(nameless),
                _(
                    "The tables here are in several languages (%(languages)s), and this name ends with none of them. "
                    "End it like the others, for example “_%(example)s.csv”."
                )
                % {"languages": ", ".join(found), "example": found[0]},
            )
        self.language = {name: language or self.languages[0] for name, language in named.items()}
        self.occupations = self._each_language(_is_occupations, _("The table of occupations is missing."))
        self.relations = self._each_language(_is_relations, _("The table of relations is missing."))
        self.skills = self._each_language(
            lambda source: _is_skills(source) and not _is_collection(source), _("The table of skills is missing.")
        )
        self.collections = sorted(
            filter(_is_collection, self.sources), key=lambda source: self.languages.index(self.language[source.name])
        )

    def _each_language(self, test: Callable[[Source], bool], missing: str) -> list[Source]:
        """One table in each language that has one. Raises CannotImport where there is none, or two in one language."""
        tables = []
        for language in self.languages:
            of_language = [source for source in self.sources if self.language[source.name] == language]
            if any(map(test, of_language)):
                tables.append(only(of_language, test, missing=missing))
        if not tables:
            together = _(
                "Put the tables occupations, skills and occupationSkillRelations of one export in one folder "
                "and give the path of the folder."
            )
            only(self.sources, test, missing=missing + " " + together)
        return tables


class _Reading:
    """One reading of the tables."""

    def __init__(self, tables: _Tables) -> None:
        self.tables = tables
        self.languages = tables.languages
        self.faults = Faults()
        self.deviations: list[Deviation] = []
        self.occupations: dict[str, Concept] = {}
        self.skills: dict[str, Concept] = {}
        # Of relations alone: skills with a URI, and skills known by nothing but a label in a language.
        self.unlisted: dict[str, Concept] = {}
        self.loose: dict[tuple[str, str], Concept] = {}
        self.required: defaultdict[str, dict[str, Asked]] = defaultdict(dict)
        self.relation_count = 0
        self.tally: Counter[str] = Counter()
        self._tell_languages()
        for source in tables.occupations:
            self._take_concepts(source, OCCUPATION_COLUMNS, self.occupations)
        for source in (*tables.skills, *tables.collections):
            self._take_concepts(source, SKILL_COLUMNS, self.skills)
        # Without the tables of concepts every relation would lead nowhere.
        self.faults.raise_if_any()
        self._compare_languages()
        self._take_relations()
        self.faults.raise_if_any()

    def _remark(self, place: str, message: str) -> None:
        self.deviations.append(Deviation(place, message))

    def _tell_languages(self) -> None:
        names = ", ".join(source.name for source in self.tables.sources)
        languages = ", ".join(self.languages)
        if self.tables.named:
            message = _("No table says its language; taken from the ends of the file names: %(languages)s.")
        else:
            message = _("Neither the tables nor their names say the language; taken as: %(languages)s.")
        self._remark(shown(names, 300), message % {"languages": languages})

    def _rows(self, source: Source, columns: Sequence[str]) -> list[Row]:
        rows, nameless = read_open_table(source, columns, self.faults)
        if not rows:
            self.faults.add(source.name, _("The table has a header and no usable row. Export it again."))
        if nameless:
            self._remark(
                source.name,
                ngettext(
                    "%(count)s column has no usable name and is not kept.",
                    "%(count)s columns have no usable name and are not kept.",
                    nameless,
                )
                % {"count": nameless},
            )
        return rows

    def _usable(self, source: Source, row: Row, *, uris: Iterable[str] = (), labels: Iterable[str] = ()) -> bool:
        usable = True
        for column in (*uris, *labels):
            limit = MAX_IDENTIFIER if column in uris else MAX_TITLE
            value = row[column]
            if not value:
                objection = _("The cell is empty. Fill it in.")
            elif too_long := objection_to_text(value, limit=limit):
                objection = too_long
            elif column not in uris or not (not_an_address := _objection_to_uri(value)):
                continue
            else:
                objection = not_an_address
            self.faults.add(line_place(source.name, row.line, column), objection)
            usable = False
        return usable

    def _take_type(self, source: Source, row: Row) -> bool:
        if row[TYPE] in KINDS:
            return True
        self.faults.add(
            line_place(source.name, row.line, TYPE),
            _("“%(value)s” is not a type of skill. Write one of: %(known)s; or leave it empty.")
            % {"value": shown(row[TYPE]), "known": ", ".join(filter(None, KINDS))},
        )
        return False

    def _take_concepts(self, source: Source, columns: Sequence[str], concepts: dict[str, Concept]) -> None:
        language = self.tables.language[source.name]
        here: dict[str, Row] = {}
        reworded = []
        for row in self._rows(source, columns):
            usable = self._usable(source, row, uris=[URI], labels=[LABEL])
            if TYPE in columns and not self._take_type(source, row):
                usable = False
            if ISCO in columns and row[ISCO] and not ISCO_GROUP.fullmatch(row[ISCO]):
                self.faults.add(
                    line_place(source.name, row.line, ISCO),
                    _("“%(value)s” is not a group of ISCO. Write its number of up to four digits, or leave it empty.")
                    % {"value": shown(row[ISCO])},
                )
                usable = False
            if len(row.cells.get(CODE, "")) > MAX_COMPETENCY_CODE:
                self.faults.add(
                    line_place(source.name, row.line, CODE),
                    objection_to_text(row[CODE], limit=MAX_COMPETENCY_CODE) or "",
                )
                usable = False
            if not usable:
                continue
            known = here.setdefault(row[URI], row)
            if known is not row:
                self._take_repetition(source, row, known)
                continue
            concept = concepts.setdefault(row[URI], Concept(row[URI], line_place(source.name, row.line)))
            if self._merge(source, row, concept, language):
                reworded.append(row.line)
            self._take_broader(source, row, concept)
        if reworded:
            self._remark(
                source.name,
                ngettext(
                    "Another table read before has another text for the same; that one is kept (line %(lines)s).",
                    "Another table read before has other texts for the same; those are kept (lines %(lines)s).",
                    len(reworded),
                )
                % {"lines": _lines(reworded)},
            )
        if source in self.tables.collections:
            self._remark(
                source.name,
                _("Its skills are read (%(count)s); that they form a collection has no place and is not kept.")
                % {"count": len(here)},
            )

    def _take_repetition(self, source: Source, row: Row, known: Row) -> None:
        if row.cells == known.cells:
            self._remark(
                line_place(source.name, row.line),
                _("The same row stands on line %(line)s as well; it counts once.") % {"line": known.line},
            )
        else:
            self.faults.add(
                line_place(source.name, row.line, URI),
                _("“%(label)s” stands on line %(line)s with other words. Keep the row that is right.")
                % {"label": shown(row[LABEL]), "line": known.line},
            )

    def _merge(self, source: Source, row: Row, concept: Concept, language: str) -> bool:
        """Add what the row says to what is known. Whether it says something otherwise, which is not kept."""
        otherwise = False
        for column, value in row.cells.items():
            if not value or column in (URI, BROADER, BROADER_LABELS):
                continue
            texts = concept.cells[column]
            if column in SAME_IN_ALL_LANGUAGES and (first := concept.one(column)) and first != value:
                self.faults.add(
                    line_place(source.name, row.line, column),
                    _("“%(label)s” has “%(value)s” here and “%(first)s” at %(place)s. Keep the one that is right.")
                    % {
                        "label": shown(row[LABEL]),
                        "value": shown(value),
                        "first": shown(first),
                        "place": concept.place,
                    },
                )
            elif column in OTHER_LABELS:
                texts[language] = "\n".join(dict.fromkeys([*_listed(texts.get(language, "")), *_listed(value)]))
            else:
                otherwise |= texts.setdefault(language, value) != value
        return otherwise

    def _take_broader(self, source: Source, row: Row, concept: Concept) -> None:
        place = line_place(source.name, row.line, BROADER)
        uris = _listed(row.cells.get(BROADER, ""))
        titles = _listed(row.cells.get(BROADER_LABELS, ""))
        if titles and len(titles) != len(uris):
            self._remark(
                line_place(source.name, row.line, BROADER_LABELS),
                _("There are %(titles)s titles for %(uris)s broader concepts; the titles are not kept.")
                % {"titles": len(titles), "uris": len(uris)},
            )
        if len(titles) != len(uris):
            titles = [""] * len(uris)
        for uri, title in zip(uris, titles, strict=True):
            if objection := objection_to_text(uri, limit=MAX_IDENTIFIER) or _objection_to_uri(uri):
                self.faults.add(place, objection)
            elif objection := objection_to_text(title, limit=MAX_TITLE):
                self.faults.add(line_place(source.name, row.line, BROADER_LABELS), objection)
            elif uri == concept.uri:
                self._remark(place, _("The concept is named as broader than itself; that is not kept."))
            else:
                concept.broader[uri] = concept.broader.get(uri) or title

    def _compare_languages(self) -> None:
        for language in self.languages if len(self.languages) > 1 else ():
            for concepts, message in (
                (self.occupations, _("Occupations that have no title in the language %(language)s: %(count)s.")),
                (self.skills, _("Skills that have no title in the language %(language)s: %(count)s.")),
            ):
                if count := sum(language not in concept.cells[LABEL] for concept in concepts.values()):
                    self._remark(SLUG, message % {"language": language, "count": count})

    # --- Relations ------------------------------------------------------------------------------------------------
    def _take_relations(self) -> None:
        tables = [(source, self._relation_rows(source)) for source in self.tables.relations]
        self.relation_count = sum(len(rows) for _source, rows in tables)
        for source, rows in tables:
            language = self.tables.language[source.name]
            for row in rows:
                if (uri := row[SKILL]) and uri not in self.skills:
                    skill = self.unlisted.setdefault(uri, Concept(uri, line_place(source.name, row.line)))
                    skill.cells[LABEL].setdefault(language, row[SKILL_LABEL])
        for source, rows in tables:
            self._take_relation_rows(source, rows)

    def _relation_rows(self, source: Source) -> list[Row]:
        rows = []
        for row in self._rows(source, RELATION_COLUMNS):
            usable = self._usable(source, row, uris=[SKILL] if row[SKILL] else (), labels=[SKILL_LABEL])
            if not self._take_type(source, row):
                usable = False
            if row[RELATION] not in NECESSITIES:
                self.faults.add(
                    line_place(source.name, row.line, RELATION),
                    _("“%(value)s” is not a type of relation. Write one of: %(known)s.")
                    % {"value": shown(row[RELATION]), "known": ", ".join(NECESSITIES)},
                )
                usable = False
            if row[OCCUPATION] not in self.occupations:
                self.faults.add(
                    line_place(source.name, row.line, OCCUPATION),
                    _("“%(uri)s” is not in the table of occupations. Add it there, or export the tables again.")
                    % {"uri": shown(row[OCCUPATION], 100)},
                )
                usable = False
            if usable:
                rows.append(row)
        return rows

    def _take_relation_rows(self, source: Source, rows: Iterable[Row]) -> None:
        language = self.tables.language[source.name]
        by_label = defaultdict(list)
        for listed in (*self.skills.values(), *self.unlisted.values()):
            if label := listed.cells[LABEL].get(language):
                by_label[_folded(label)].append(listed)
        repeated: defaultdict[int, list[int]] = defaultdict(list)
        relabelled = []
        for row in rows:
            if (skill := self._skill_of(source, row, by_label)) is None:
                continue
            self._compare_type(source, row, skill, language)
            occupation = self.occupations[row[OCCUPATION]]
            if _relabelled(row, OCCUPATION_LABEL, occupation, language) or _relabelled(
                row, SKILL_LABEL, skill, language
            ):
                relabelled.append(row.line)
            asked = Asked(row[RELATION], source.name, row.line)
            known = self.required[occupation.uri].setdefault(skill.uri, asked)
            if known.relation != row[RELATION]:
                self.faults.add(
                    line_place(source.name, row.line, RELATION),
                    _("“%(skill)s” is %(relation)s for this occupation at %(place)s. Keep the row that is right.")
                    % {
                        "skill": shown(row[SKILL_LABEL]),
                        "relation": known.relation,
                        "place": line_place(known.source, known.line),
                    },
                )
            elif known is not asked and known.source == source.name:
                repeated[known.line].append(row.line)
        for line, repeats in repeated.items():
            self._remark(
                line_place(source.name, line),
                ngettext(
                    "The same occupation and skill stand on line %(lines)s as well; they count once.",
                    "The same occupation and skill stand on lines %(lines)s as well; they count once.",
                    len(repeats),
                )
                % {"lines": _lines(repeats)},
            )
        if relabelled:
            self._remark(
                source.name,
                ngettext(
                    "A label is another than in the tables of occupations and skills, which decide (line %(lines)s).",
                    "Labels are others than in the tables of occupations and skills, which decide (lines %(lines)s).",
                    len(relabelled),
                )
                % {"lines": _lines(relabelled)},
            )

    def _skill_of(self, source: Source, row: Row, by_label: Mapping[str, Sequence[Concept]]) -> Concept | None:
        """The skill the row means: by URI, else by label, else one that is known from the relations alone."""
        if row[SKILL]:
            return self.skills.get(row[SKILL]) or self.unlisted[row[SKILL]]
        label = _folded(row[SKILL_LABEL])
        matches = by_label.get(label, ())
        if len(matches) > 1:
            self.faults.add(
                line_place(source.name, row.line, SKILL),
                _("Several skills are called “%(label)s”. Fill in the URI of the one that is meant.")
                % {"label": shown(row[SKILL_LABEL])},
            )
            return None
        if matches:
            self.tally["matched"] += 1
            return matches[0]
        language = self.tables.language[source.name]
        skill = self.loose.setdefault(
            (language, label), Concept(f"{language} {label}", line_place(source.name, row.line))
        )
        skill.cells[LABEL].setdefault(language, row[SKILL_LABEL])
        return skill

    def _compare_type(self, source: Source, row: Row, skill: Concept, language: str) -> None:
        known = skill.one(TYPE)
        if not row[TYPE] or row[TYPE] == known:
            return
        if not known:
            skill.cells[TYPE][language] = row[TYPE]
            return
        self.faults.add(
            line_place(source.name, row.line, TYPE),
            _("“%(skill)s” is of the type “%(type)s” elsewhere (first at %(place)s). Keep the one that is right.")
            % {"skill": shown(row[SKILL_LABEL]), "type": known, "place": skill.place},
        )

    # --- Content --------------------------------------------------------------------------------------------------
    def content(self) -> FrameworkContent:
        skills = [*self.skills.values(), *self.unlisted.values(), *self.loose.values()]
        names = {uri: _last_part(uri) for uri in (*self.skills, *self.unlisted)}
        names |= {skill.uri: label for (_language, label), skill in self.loose.items()}
        codes = _codes(names, MAX_COMPETENCY_CODE)
        role_codes = _codes({uri: _last_part(uri) for uri in self.occupations}, MAX_ROLE_CODE)
        self._remark_on_skills(skills)
        roles = tuple(self._role(occupation, role_codes, codes) for occupation in self.occupations.values())
        competencies = tuple(self._competency(skill, codes) for skill in skills)
        self.faults.raise_if_any()
        return FrameworkContent(
            slug=SLUG,
            title={language: NAMES.get(language, NAMES["en"]) for language in self.languages},
            edition=None,
            publisher=PUBLISHER,
            source=SOURCE,
            source_url=SOURCE_URL,
            licence=LICENCE,
            attribution=ATTRIBUTION,
            languages=self.languages,
            competencies=competencies,
            roles=roles,
            links=self._links(codes),
            source_counts={
                "relations": self.relation_count,
                "relations_by_label": self.tally["matched"],
                "skills_from_relations": len(self.loose) + len(self.unlisted),
            },
            deviations=tuple(self.deviations),
        )

    def _role(self, occupation: Concept, role_codes: Mapping[str, str], codes: Mapping[str, str]) -> RoleContent:
        code = role_codes[occupation.uri]
        external = {"esco": occupation.one(CODE), "isco": occupation.one(ISCO)}
        return RoleContent(
            code=code,
            title=occupation.text(LABEL),
            summary=occupation.text(TEXT),
            external_codes={system: (value,) for system, value in external.items() if value},
            profiles=(
                ProfileContent(
                    code=code,
                    requirements=tuple(
                        RequirementContent(competency=codes[skill], level=None, necessity=NECESSITIES[asked.relation])
                        for skill, asked in self.required[occupation.uri].items()
                    ),
                ),
            ),
            alternatives=self._alternatives(occupation),
            identifier=occupation.identifier,
            extra=occupation.extra(),
        )

    def _competency(self, skill: Concept, codes: Mapping[str, str]) -> CompetencyContent:
        return CompetencyContent(
            code=codes[skill.uri],
            title=skill.text(LABEL),
            kind=KINDS[skill.one(TYPE)],
            description=skill.text(TEXT),
            alternatives=self._alternatives(skill),
            identifier=skill.identifier,
            extra=skill.extra(),
        )

    def _alternatives(self, concept: Concept) -> dict[str, str]:
        names = concept.alternatives()
        for text in names.values():
            if objection := objection_to_text(text, limit=MAX_TEXT):
                self.faults.add(concept.place, objection)
        return names

    def _links(self, codes: Mapping[str, str]) -> tuple[LinkContent, ...]:
        return tuple(
            LinkContent(origin=codes[skill.uri], relation=LinkRelation.NARROWER.value, target=codes[uri])
            if uri in codes
            else LinkContent(
                origin=codes[skill.uri], relation=LinkRelation.NARROWER.value, target_uri=uri, target_title=title
            )
            for skill in self.skills.values()
            for uri, title in skill.broader.items()
        )

    def _remark_on_skills(self, skills: Sequence[Concept]) -> None:
        place = ", ".join(source.name for source in self.tables.relations)
        for told, message in (
            (
                list(self.unlisted.values()),
                _("Skills that stand in no table of skills and have their label from here: %(count)s (%(names)s)."),
            ),
            (
                list(self.loose.values()),
                _(
                    "Skills without URI that stand in no table of skills, each stored once with its label from here: "
                    "%(count)s (%(names)s)."
                ),
            ),
            (
                [skill for skill in skills if not skill.one(TYPE)],
                _("Skills of which no table says the type, stored as kind “competency”: %(count)s (%(names)s)."),
            ),
        ):
            if told:
                names = [shown(next(iter(skill.text(LABEL).values()))) for skill in told[:SHOWN_NAMES]]
                more = " …" if len(told) > SHOWN_NAMES else ""
                self._remark(place, message % {"count": len(told), "names": ", ".join(names) + more})
        if matched := self.tally["matched"]:
            self._remark(
                place, _("Relations without URI that were matched by the label: %(count)s.") % {"count": matched}
            )


def _english_first(language: str) -> tuple[bool, str]:
    return language != USUAL_LANGUAGE, language


def _language_in(name: str) -> str | None:
    found = LANGUAGE_IN_NAME.search(name)
    return found[1] if found else None


def _listed(cell: str) -> list[str]:
    """The entries of a list: a line each, or with upright strokes between them."""
    return [entry for part in BETWEEN_LABELS.split(cell) if (entry := part.strip())]


def _folded(label: str) -> str:
    return " ".join(label.casefold().split())


def _relabelled(row: Row, column: str, concept: Concept, language: str) -> bool:
    label = concept.cells[LABEL].get(language)
    written = row.cells.get(column, "")
    return bool(label and written) and _folded(written) != _folded(label or "")


def _objection_to_uri(value: str) -> str | None:
    if objection_to_url(value) is None:
        return None
    return _("“%(value)s” is not the URI of a concept. Write one that starts with http.") % {"value": shown(value)}


def _last_part(uri: str) -> str:
    """Of ESCO's URIs this is a UUID."""
    return uri.rstrip("/").rsplit("/", 1)[-1]


def _codes(names: Mapping[str, str], limit: int) -> dict[str, str]:
    """A code for every key, made from its name; from the whole key where several have the same name."""
    times = Counter(names.values())
    names = {key: key if times[name] > 1 else name for key, name in names.items()}
    codes = slugs_for(names.values(), limit)
    return {key: codes[name] for key, name in names.items()}


def _lines(lines: Sequence[int]) -> str:
    return ", ".join(map(str, lines[:10])) + (" …" if len(lines) > 10 else "")
