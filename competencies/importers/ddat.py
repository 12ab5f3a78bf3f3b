"""The UK Digital and Data framework (DDaT) as its site exports it: a table of roles and a table of skills.

The table of roles has one row per role level and skill. The four Chief roles have "NOT IN USE" as role level and as
skill level: they have one profile without a grade, which requires its skills without stating a level.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from competencies.enums import CompetencyKind
from competencies.importers.content import (
    MAX_AREA_CODE,
    MAX_COMPETENCY_CODE,
    MAX_PROFILE_CODE,
    MAX_ROLE_CODE,
    MAX_TITLE,
    CompetencyContent,
    DescriptorContent,
    Deviation,
    FamilyContent,
    Faults,
    FrameworkContent,
    LevelContent,
    ProfileContent,
    RequirementContent,
    RoleContent,
    objection_to_text,
    shown,
    slugs_for,
)
from competencies.importers.sources import Row, Source, line_place, only, read_table

TITLE = gettext_lazy(
    "DDaT: the CSV export of the UK Digital and Data framework, a folder with roles.csv and skills.csv"
)

SLUG = "ddat"
NAME = "UK Government Digital and Data Profession Capability Framework"
PUBLISHER = "UK Government Digital Service"
SOURCE = "Official CSV export of the framework site (ddat-capability-framework.service.gov.uk)"
SOURCE_URL = "https://ddat-capability-framework.service.gov.uk/"
LICENCE = "Open Government Licence v3.0"
ATTRIBUTION = (
    "Contains public sector information licensed under the Open Government Licence v3.0. "
    "Published by the UK Government Digital Service."
)
LANGUAGE = "en"

FAMILY, ROLE, ROLE_TEXT, ROLE_TYPE = "Role Family", "Role", "Role Description", "Role Type"
GRADE, GRADE_TEXT = "Role Level", "Role Level Description"
SKILL, SKILL_TEXT = "Skill Name", "Skill Description"
LEVEL, LEVEL_TEXT = "Skill Level", "Skill Level Description"
USED_BY = "Roles that require Skill"
LEVELS = ("Awareness", "Working", "Practitioner", "Expert")
RANKS = {label: rank for rank, label in enumerate(LEVELS, start=1)}
ROLE_COLUMNS = (FAMILY, ROLE, ROLE_TEXT, GRADE, GRADE_TEXT, SKILL, SKILL_TEXT, LEVEL, LEVEL_TEXT, ROLE_TYPE)
SKILL_COLUMNS = (SKILL, SKILL_TEXT, *LEVELS, USED_BY)
ONLY_IN_ROLES = frozenset(ROLE_COLUMNS) - frozenset(SKILL_COLUMNS)
ONLY_IN_SKILLS = frozenset(SKILL_COLUMNS) - frozenset(ROLE_COLUMNS)
ENOUGH_COLUMNS = 3  # to recognise a table by: a missing column is then named, not taken for another format

NOT_IN_USE = "NOT IN USE"
NOT_DEFINED = "This skill level is currently not defined."
NO_WORDS = frozenset({"", NOT_IN_USE, NOT_DEFINED})
KEY_POSTS = {
    "Chief information security officer": "CISO",
    "Chief technology officer": "CTO",
    "Chief digital and information officer": "CDIO",
    "Chief data officer": "CDO",
}


@dataclass
class Skill:
    line: int
    name: str
    text: str
    levels: dict[str, str]
    used_by: str
    row: Row


@dataclass
class Grade:
    text: str
    line: int
    levels: dict[str, int | None] = field(default_factory=dict)


@dataclass
class Role:
    family: str
    text: str
    type: str
    line: int
    grades: dict[str, Grade] = field(default_factory=dict)


def sniff(sources: Sequence[Source]) -> bool:
    """Whether one of the sources is one of the two tables."""
    return any(_is_roles(source) or _is_skills(source) for source in sources)


def read(sources: Sequence[Source]) -> FrameworkContent:
    """The framework of the two tables among the sources; every row is accounted for.

    Raises CannotImport with the line of each unknown level, unknown skill, contradiction and incomplete row.
    """
    together = _("Put roles.csv and skills.csv of the same export in one folder and give the path of the folder.")
    roles_source = only(sources, _is_roles, missing=_("The table of roles is missing.") + " " + together)
    skills_source = only(sources, _is_skills, missing=_("The table of skills is missing.") + " " + together)
    return _Reading(roles_source, skills_source).content()


def _is_roles(source: Source) -> bool:
    return len(ONLY_IN_ROLES.intersection(source.header)) >= ENOUGH_COLUMNS


def _is_skills(source: Source) -> bool:
    return len(ONLY_IN_SKILLS.intersection(source.header)) >= ENOUGH_COLUMNS


class _Reading:
    """One reading of the two tables."""

    def __init__(self, roles_source: Source, skills_source: Source) -> None:
        self.roles_name = roles_source.name
        self.skills_name = skills_source.name
        self.faults = Faults()
        self.deviations: list[Deviation] = []
        self.skills: dict[str, Skill] = {}
        self.roles: dict[str, Role] = {}
        self.rows: dict[tuple[str, str, str], Row] = {}
        self.repeated: defaultdict[int, list[int]] = defaultdict(list)
        self.reworded: defaultdict[str, list[int]] = defaultdict(list)
        self.texts_in_roles: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        skill_rows, skill_extra = read_table(skills_source, SKILL_COLUMNS, self.faults)
        role_rows, role_extra = read_table(roles_source, ROLE_COLUMNS, self.faults)
        self.row_count = len(role_rows)
        for row in skill_rows:
            self._take_skill(row)
        for row in role_rows:
            self._take_role_row(row)
        if not self.faults.count:
            self._refuse_unknown_roles()
        for name, rows in ((self.skills_name, skill_rows), (self.roles_name, role_rows)):
            if not rows:
                self.faults.add(name, _("The table has a header and no usable row. Export it again."))
        self.faults.raise_if_any()
        for name, extra in ((self.skills_name, skill_extra), (self.roles_name, role_extra)):
            for column in extra:
                self._remark(
                    name, _("The column “%(name)s” is not part of the format and not kept.") % {"name": shown(column)}
                )

    def _remark(self, place: str, message: str) -> None:
        self.deviations.append(Deviation(place, message))

    def _names_are_usable(self, source: str, row: Row, columns: Iterable[str]) -> bool:
        usable = True
        for column in columns:
            objection = (
                objection_to_text(row[column], limit=MAX_TITLE) if row[column] else _("The cell is empty. Fill it in.")
            )
            if objection:
                self.faults.add(line_place(source, row.line, column), objection)
                usable = False
        return usable

    def _take_skill(self, row: Row) -> None:
        if not self._names_are_usable(self.skills_name, row, [SKILL]):
            return
        name = row[SKILL]
        skill = Skill(row.line, name, row[SKILL_TEXT], {label: row[label] for label in LEVELS}, row[USED_BY], row)
        known = self.skills.setdefault(name, skill)
        if known is skill:
            return
        if known.row.cells == row.cells:
            self._remark(
                line_place(self.skills_name, row.line),
                _("The same row stands on line %(line)s as well; it counts once.") % {"line": known.line},
            )
        else:
            self.faults.add(
                line_place(self.skills_name, row.line, SKILL),
                _("“%(skill)s” stands on line %(line)s with other words. Keep the row that is right.")
                % {"skill": shown(name), "line": known.line},
            )

    def _take_role_row(self, row: Row) -> None:
        usable = self._names_are_usable(self.roles_name, row, [FAMILY, ROLE, GRADE, SKILL])
        if row[LEVEL] not in RANKS and row[LEVEL] != NOT_IN_USE:
            self.faults.add(
                line_place(self.roles_name, row.line, LEVEL),
                _("“%(value)s” is not a skill level. Write one of: %(known)s.")
                % {"value": shown(row[LEVEL]), "known": ", ".join([*LEVELS, NOT_IN_USE])},
            )
            usable = False
        if row[SKILL] and row[SKILL] not in self.skills:
            self.faults.add(
                line_place(self.roles_name, row.line, SKILL),
                _("“%(skill)s” is not in %(file)s. Add it there, or export both tables again.")
                % {"skill": shown(row[SKILL]), "file": self.skills_name},
            )
            usable = False
        if not usable:
            return
        role = self.roles.setdefault(row[ROLE], Role(row[FAMILY], row[ROLE_TEXT], row[ROLE_TYPE], row.line))
        if role.family != row[FAMILY]:
            self.faults.add(
                line_place(self.roles_name, row.line, FAMILY),
                _("“%(role)s” belongs to “%(family)s” on line %(line)s. Keep the family that is right.")
                % {"role": shown(row[ROLE]), "family": shown(role.family), "line": role.line},
            )
        self._compare_wording(row, ROLE_TEXT, role.text, role.line)
        self._compare_wording(row, ROLE_TYPE, role.type, role.line)
        grade = role.grades.setdefault(row[GRADE], Grade(row[GRADE_TEXT], row.line))
        self._compare_wording(row, GRADE_TEXT, grade.text, grade.line)
        self._take_requirement(row, grade)
        self.texts_in_roles[row[SKILL], ""][row[SKILL_TEXT]] += 1
        if row[LEVEL] in RANKS:
            self.texts_in_roles[row[SKILL], row[LEVEL]][row[LEVEL_TEXT]] += 1

    def _compare_wording(self, row: Row, column: str, text: str, line: int) -> None:
        if row[column] != text:
            place = line_place(self.roles_name, line, column)
            self.reworded[place].append(row.line)

    def _take_requirement(self, row: Row, grade: Grade) -> None:
        key = (row[ROLE], row[GRADE], row[SKILL])
        known = self.rows.setdefault(key, row)
        if known is row:
            grade.levels[row[SKILL]] = RANKS.get(row[LEVEL])
        elif known[LEVEL] != row[LEVEL]:
            self.faults.add(
                line_place(self.roles_name, row.line, LEVEL),
                _("“%(grade)s” requires “%(skill)s” at %(level)s on line %(line)s. Keep the row that is right.")
                % {
                    "grade": shown(row[ROLE] if row[GRADE] == NOT_IN_USE else row[GRADE]),
                    "skill": shown(row[SKILL]),
                    "level": known[LEVEL],
                    "line": known.line,
                },
            )
        else:
            self.repeated[known.line].append(row.line)

    def _refuse_unknown_roles(self) -> None:
        """The table of skills names the roles of each skill once more: a table that was cut off cannot hide it."""
        for skill in self.skills.values():
            for name in self._roles_named(skill.used_by)[1]:
                self.faults.add(
                    line_place(self.skills_name, skill.line, USED_BY),
                    _(
                        "“%(role)s” is not in %(file)s, which is cut off or of another export. "
                        "Export both tables again, or take the name out."
                    )
                    % {"role": shown(name), "file": self.roles_name},
                )

    def _compare_with_used_by(self) -> None:
        required: defaultdict[str, set[str]] = defaultdict(set)
        for role, _grade, skill_name in self.rows:
            required[skill_name].add(role)
        for skill in self.skills.values():
            named = self._roles_named(skill.used_by)[0]
            place = line_place(self.skills_name, skill.line, USED_BY)
            if missing := sorted(named - required[skill.name]):
                self._remark(
                    place,
                    _("Says that these roles require “%(skill)s”, %(file)s does not; not kept: %(roles)s.")
                    % {"skill": shown(skill.name), "file": self.roles_name, "roles": ", ".join(missing)},
                )
            if unnamed := sorted(required[skill.name] - named):
                self._remark(
                    place,
                    _("Does not name these roles that require “%(skill)s” in %(file)s; kept: %(roles)s.")
                    % {"skill": shown(skill.name), "file": self.roles_name, "roles": ", ".join(unnamed)},
                )

    def _roles_named(self, cell: str) -> tuple[set[str], list[str]]:
        """The roles of a list with commas, also those with a comma in their name, and the names that are no role."""
        named: set[str] = set()
        unknown = []
        parts = [part.strip() for part in cell.split(",") if part.strip()]
        start = 0
        while start < len(parts):
            for end in range(min(start + 5, len(parts)), start, -1):
                if (name := ", ".join(parts[start:end])) in self.roles:
                    named.add(name)
                    start = end
                    break
            else:
                unknown.append(parts[start])
                start += 1
        return named, unknown

    def content(self) -> FrameworkContent:
        families = list(dict.fromkeys(role.family for role in self.roles.values()))
        family_codes = slugs_for(families, MAX_AREA_CODE)
        role_codes = slugs_for(self.roles, MAX_ROLE_CODE)
        skill_codes = slugs_for(self.skills, MAX_COMPETENCY_CODE)
        competencies = self._competencies(skill_codes)
        self._remark_on_rows()
        self._compare_with_used_by()
        grades = {grade for role in self.roles.values() for grade in role.grades}
        return FrameworkContent(
            slug=SLUG,
            title=_text(NAME),
            edition=None,
            publisher=PUBLISHER,
            source=SOURCE,
            source_url=SOURCE_URL,
            licence=LICENCE,
            attribution=ATTRIBUTION,
            languages=(LANGUAGE,),
            levels=tuple(LevelContent(rank=rank, label=_text(label)) for label, rank in RANKS.items()),
            families=tuple(FamilyContent(code=family_codes[name], title=_text(name)) for name in families),
            competencies=competencies,
            roles=tuple(
                RoleContent(
                    code=role_codes[name],
                    title=_text(name),
                    family=family_codes[role.family],
                    summary=_text(role.text),
                    key_post=KEY_POSTS.get(name, ""),
                    profiles=_profiles(role_codes[name], role, skill_codes),
                )
                for name, role in self.roles.items()
            ),
            source_counts={"role_levels": len(grades), "rows": self.row_count},
            deviations=tuple(self.deviations),
        )

    def _remark_on_rows(self) -> None:
        for line, repeats in self.repeated.items():
            self._remark(
                line_place(self.roles_name, line),
                ngettext(
                    "The same role level and skill stand on line %(lines)s as well; they count once.",
                    "The same role level and skill stand on lines %(lines)s as well; they count once.",
                    len(repeats),
                )
                % {"lines": _lines(repeats)},
            )
        for place, lines in self.reworded.items():
            self._remark(
                place,
                ngettext(
                    "Line %(lines)s has another text for the same; this one is kept.",
                    "Lines %(lines)s have another text for the same; this one is kept.",
                    len(lines),
                )
                % {"lines": _lines(lines)},
            )
        unused = [
            row.line for row in self.rows.values() if row[LEVEL] == NOT_IN_USE and row[LEVEL_TEXT] not in NO_WORDS
        ]
        if unused:
            self._remark(
                line_place(self.roles_name, unused[0], LEVEL_TEXT),
                _("A text of a level that is not in use has no place and is not kept (lines %(lines)s).")
                % {"lines": _lines(unused)},
            )
        types = Counter(row[ROLE_TYPE] for row in self.rows.values() if row[ROLE_TYPE])
        for name, count in types.items():
            self._remark(
                self.roles_name,
                ngettext(
                    "The role type “%(name)s” (%(count)s row) is not kept.",
                    "The role type “%(name)s” (%(count)s rows) is not kept.",
                    count,
                )
                % {"name": shown(name), "count": count},
            )

    def _competencies(self, codes: dict[str, str]) -> tuple[CompetencyContent, ...]:
        competencies = []
        tally: Counter[str] = Counter()
        for skill in self.skills.values():
            text = self._settled(skill, "", skill.text, tally)
            tally["without"] += not text
            descriptors = []
            for label, rank in RANKS.items():
                if words := self._settled(skill, label, skill.levels[label], tally):
                    descriptors.append(DescriptorContent(rank=rank, text=_text(words)))
                else:
                    tally["undefined" if skill.levels[label] else "empty"] += 1
            competencies.append(
                CompetencyContent(
                    code=codes[skill.name],
                    title=_text(skill.name),
                    kind=CompetencyKind.SKILL.value,
                    description=_text(text),
                    descriptors=tuple(descriptors),
                )
            )
        for key, message in (
            ("taken", _("Texts that are empty here and taken from %(file)s: %(count)s (of %(rows)s rows there).")),
            ("without", _("Skills that have no description in either table: %(count)s.")),
            ("undefined", _("Level texts that say only “%(undefined)s” and are left out: %(count)s.")),
            ("empty", _("Level texts that are empty and left out: %(count)s.")),
            ("differing", _("Rows of %(file)s with another text than here, which is not kept: %(count)s.")),
        ):
            if tally[key]:
                self._remark(
                    self.skills_name,
                    message
                    % {
                        "count": tally[key],
                        "rows": tally["rows"],
                        "file": self.roles_name,
                        "undefined": NOT_DEFINED,
                    },
                )
        return tuple(competencies)

    def _settled(self, skill: Skill, label: str, text: str, tally: Counter[str]) -> str:
        """The table of skills decides; where it has no text, the one text of the table of roles."""
        text = "" if text == NOT_DEFINED else text
        others = {
            words: rows
            for words, rows in self.texts_in_roles[skill.name, label].items()
            if words not in ("", NOT_DEFINED, text)
        }
        if not text and len(others) == 1:
            [(text, rows)] = others.items()
            tally["taken"] += 1
            tally["rows"] += rows
        else:
            tally["differing"] += sum(others.values())
        return text


def _profiles(role_code: str, role: Role, skill_codes: dict[str, str]) -> tuple[ProfileContent, ...]:
    labels = [label for label in role.grades if label != NOT_IN_USE]
    grade_codes = slugs_for(labels, MAX_PROFILE_CODE - len(role_code) - 2)
    profiles = []
    for label, grade in role.grades.items():
        graded = label != NOT_IN_USE
        profiles.append(
            ProfileContent(
                code=f"{role_code}--{grade_codes[label]}" if graded else role_code,
                grade=_text(label if graded else ""),
                summary=_text("" if grade.text == NOT_IN_USE else grade.text),
                requirements=tuple(
                    RequirementContent(competency=skill_codes[skill], level=level)
                    for skill, level in grade.levels.items()
                ),
            )
        )
    return tuple(profiles)


def _lines(lines: Sequence[int]) -> str:
    return ", ".join(map(str, lines[:10])) + (" …" if len(lines) > 10 else "")


def _text(value: str) -> dict[str, str]:
    return {LANGUAGE: value} if value else {}
