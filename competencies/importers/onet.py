"""O*NET, the occupational database of the US Department of Labor: its tables as CSV in one folder.

Each occupation is rated on each skill and each element of knowledge: how important it is (scale IM) and on what level
(scale LV). Tasks and technology are listed for each occupation. A figure that O*NET recommends to suppress is kept and
does not count. The tables are recognised by their columns and name no edition.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from sys import intern
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from competencies.enums import DEFAULT_IMPORTANCE, MAX_RANK, CompetencyKind, Necessity
from competencies.importers.content import (
    MAX_COMPETENCY_CODE,
    MAX_TITLE,
    CompetencyContent,
    DescriptorContent,
    Deviation,
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
from competencies.importers.sources import Row, Source, line_place, only, read_open_table, refuse_unreadable_tables

TITLE = gettext_lazy(
    "O*NET: tables of the O*NET database as CSV, a folder with occupations, skills, knowledge and what else there is"
)

SLUG = "onet"
NAME = "O*NET"
PUBLISHER = "U.S. Department of Labor, Employment and Training Administration"
SOURCE = "Tables of the O*NET database (onetcenter.org)"
SOURCE_URL = "https://www.onetcenter.org/database.html"
LICENCE = "CC BY 4.0"
ATTRIBUTION = (
    "This includes information from the O*NET Database by the U.S. Department of Labor, Employment and Training "
    "Administration (USDOL/ETA), used under the CC BY 4.0 license. O*NET is a trademark of USDOL/ETA. The information "
    "has been modified; USDOL/ETA has not approved, endorsed, or tested these modifications."
)
LANGUAGE = "en"

SOC, OCCUPATION, TEXT = "O*NET-SOC Code", "Title", "Description"
ELEMENT, ELEMENT_NAME, SCALE, SCALE_NAME = "Element ID", "Element Name", "Scale ID", "Scale Name"
VALUE, SUPPRESS, NOT_RELEVANT = "Data Value", "Recommend Suppress", "Not Relevant"
ANCHOR, ANCHOR_TEXT = "Anchor Value", "Anchor Description"
LOWEST, HIGHEST = "Minimum", "Maximum"
TASK_ID, TASK, TASK_TYPE = "Task ID", "Task", "Task Type"
TOOL, COMMODITY, COMMODITY_TITLE, HOT = "Example", "Commodity Code", "Commodity Title", "Hot Technology"
DEMAND = "In Demand"
ZONE = "Job Zone"

OCCUPATION_COLUMNS = (SOC, OCCUPATION, TEXT)
RATING_COLUMNS = (SOC, ELEMENT, ELEMENT_NAME, SCALE, VALUE, SUPPRESS, NOT_RELEVANT)
TASK_COLUMNS = (SOC, TASK_ID, TASK, TASK_TYPE)
TOOL_COLUMNS = (SOC, TOOL, COMMODITY, COMMODITY_TITLE)
ZONE_COLUMNS = (SOC, ZONE)
SCALE_COLUMNS = (SCALE, LOWEST, HIGHEST)
ANCHOR_COLUMNS = (ELEMENT, SCALE, ANCHOR, ANCHOR_TEXT)

IMPORTANCE, LEVEL = "IM", "LV"
BOUNDS = {IMPORTANCE: (1, 5), LEVEL: (0, 7)}
"""What O*NET documents; the table of scales, where it is there, says the same or decides about the levels."""
# The content model says by the beginning of an element's number what it is.
KINDS = {
    "2.A": CompetencyKind.SKILL.value,
    "2.B": CompetencyKind.SKILL.value,
    "2.C": CompetencyKind.KNOWLEDGE.value,
    "1.A": CompetencyKind.COMPETENCY.value,  # abilities
    "4.A": CompetencyKind.COMPETENCY.value,  # work activities
}
YES, NO = "Y", "N"
# Who is rated on what: known by where the rating is kept. A whole table repeats it and few figures a hundred thousand
# times, so these go and the others are shared.
RATED = frozenset({SOC, OCCUPATION, ELEMENT, ELEMENT_NAME, SCALE, SCALE_NAME})
FLAGS = frozenset({YES, NO, "", "n/a"})
CORE, SUPPLEMENTAL = "Core", "Supplemental"
TASK_NECESSITIES = {
    CORE: Necessity.REQUIRED.value,
    SUPPLEMENTAL: Necessity.OPTIONAL.value,
    "": Necessity.REQUIRED.value,
}
SOC_CODE = re.compile(r"[0-9]{2}-[0-9]{4}(?:\.[0-9]{2})?")
ELEMENT_CODE = re.compile(r"[0-9]\.[A-Z](?:\.[0-9A-Za-z]{1,3}){0,6}")
# Too short and long enough never to be mistaken for each other.
TASK_CODE = re.compile(r"[0-9]{1,7}")
COMMODITY_CODE = re.compile(r"[0-9]{8}")
NUMBER = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,8})?")
ZONE_NUMBER = re.compile(r"[1-5]")
NOT_IMPORTANT = 1  # what the lowest point of the scale of importance says
NO_LEVEL = 0


@dataclass
class Rating:
    """What the rows of one occupation and element say, by scale."""

    rows: dict[str, Row] = field(default_factory=dict)


@dataclass
class Occupation:
    row: Row
    extra: dict[str, str]
    ratings: dict[str, Rating] = field(default_factory=dict)
    tasks: dict[str, Row] = field(default_factory=dict)
    tools: dict[tuple[str, str], Row] = field(default_factory=dict)
    zone: Row | None = None


def sniff(sources: Sequence[Source]) -> bool:
    """Whether one of the sources is one of the tables."""
    return any(_kind(source) for source in sources)


def read(sources: Sequence[Source]) -> FrameworkContent:
    """The framework of the tables among the sources; every row is accounted for.

    Raises CannotImport with the line of each unknown occupation, unusable number, contradiction and incomplete row.
    """
    refuse_unreadable_tables(sources)
    return _Reading(sources).content()


def _kind(source: Source) -> str:
    """Which of the tables this is, by its columns; empty where it is none, as O*NET's many others."""
    columns = set(source.header)
    if columns.intersection({ANCHOR, ANCHOR_TEXT}) and columns.intersection({ELEMENT, ELEMENT_NAME, SCALE}):
        return "anchors"
    if len(columns.intersection({SCALE, SCALE_NAME, LOWEST, HIGHEST})) >= 3:
        return "scales"
    if SOC not in columns and not {OCCUPATION, SCALE_NAME} <= columns:
        return ""
    if len(columns.intersection({ELEMENT, ELEMENT_NAME, SCALE, VALUE})) >= 3 and "Category" not in columns:
        return "ratings"
    if len(columns.intersection({TASK_ID, TASK, TASK_TYPE})) >= 2 and columns.isdisjoint({VALUE, "DWA ID"}):
        return "tasks"
    if len(columns.intersection({TOOL, COMMODITY, COMMODITY_TITLE})) >= 2:
        return "tools"
    if ZONE in columns:
        return "zones"
    return "occupations" if {SOC, OCCUPATION, TEXT} <= columns else ""


class _Reading:
    """One reading of the tables."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.faults = Faults()
        self.deviations: list[Deviation] = []
        self.tally: Counter[str] = Counter()
        self.occupations: dict[str, Occupation] = {}
        self.elements: dict[str, str] = {}
        self.tasks: dict[str, tuple[str, str]] = {}
        self.tools: dict[tuple[str, str], dict[str, set[str]]] = {}
        self.anchors: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self.bounds = dict(BOUNDS)
        self.row_count = 0
        tables: defaultdict[str, list[Source]] = defaultdict(list)
        for source in sources:
            tables[_kind(source)].append(source)
        together = _("The table of occupations is missing. Put it in one folder with the others.")
        self.occupations_name = self._take_occupations(only(sources, _is("occupations"), missing=together))
        # Without occupations every row would lead nowhere.
        self.faults.raise_if_any()
        if tables["scales"]:
            self._take_scales(only(sources, _is("scales"), missing=""))
            self.faults.raise_if_any()
        if tables["zones"]:
            self._take_zones(only(sources, _is("zones"), missing=""))
        for source in tables["ratings"]:
            self._take_ratings(source)
        for source in tables["tasks"]:
            self._take_tasks(source)
        for source in tables["tools"]:
            self._take_tools(source)
        if tables["anchors"]:
            self._take_anchors(only(sources, _is("anchors"), missing=""))
        self.faults.raise_if_any()

    def _remark(self, place: str, message: str) -> None:
        self.deviations.append(Deviation(place, message))

    def _fault(self, source: Source, row: Row, column: str, message: str) -> None:
        self.faults.add(line_place(source.name, row.line, column), message)

    # --- Rows -----------------------------------------------------------------------------------------------------
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
        self.row_count += len(rows)
        return rows

    def _rows_of_occupations(self, source: Source, columns: Sequence[str]) -> Iterable[tuple[Row, Occupation]]:
        """The rows whose occupation is known; that another title stands beside its code is told."""
        retitled = []
        for row in self._rows(source, columns):
            occupation = self.occupations.get(row[SOC])
            if occupation is None:
                self._fault(
                    source,
                    row,
                    SOC,
                    _("“%(code)s” is not in %(file)s. Add it there, or export the tables again.")
                    % {"code": shown(row[SOC]), "file": self.occupations_name},
                )
                continue
            if row.cells.get(OCCUPATION, "") not in ("", occupation.row[OCCUPATION]):
                retitled.append(row.line)
            yield row, occupation
        self._tell_lines(
            source,
            retitled,
            _("The title of the occupation is another than in the table of occupations, which decides"),
        )

    def _tell_lines(self, source: Source, lines: Sequence[int], what: str) -> None:
        if lines:
            self._remark(
                source.name,
                ngettext("%(what)s (line %(lines)s).", "%(what)s (lines %(lines)s).", len(lines))
                % {"what": what, "lines": _lines(lines)},
            )

    def _fits(self, source: Source, row: Row, column: str, pattern: re.Pattern[str], example: str) -> bool:
        if pattern.fullmatch(row[column]):
            return True
        message = (
            _("“%(value)s” is not what belongs here. Write it as in this example: %(example)s.")
            if row[column]
            else _("The cell is empty. Fill it in as in this example: %(example)s.")
        )
        self._fault(source, row, column, message % {"value": shown(row[column]), "example": example})
        return False

    def _is_title(self, source: Source, row: Row, column: str, limit: int = MAX_TITLE) -> bool:
        value = row[column]
        objection = objection_to_text(value, limit=limit) if value else _("The cell is empty. Fill it in.")
        if objection:
            self._fault(source, row, column, objection)
        return not objection

    def _flags_fit(self, source: Source, row: Row, columns: Iterable[str]) -> bool:
        fit = True
        for column in columns:
            if row.cells.get(column, "") not in FLAGS:
                self._fault(
                    source,
                    row,
                    column,
                    _("“%(value)s” is neither Y nor N. Write one of them, or leave it empty.")
                    % {"value": shown(row[column])},
                )
                fit = False
        return fit

    def _is_repetition(self, source: Source, row: Row, known: Row, column: str) -> bool:
        """Whether the row says what is known already: told when it is the same, a fault when it is not."""
        if known is row:
            return False
        if known.cells == row.cells:
            self._remark(
                line_place(source.name, row.line),
                _("The same row stands on line %(line)s as well; it counts once.") % {"line": known.line},
            )
        else:
            self._fault(
                source,
                row,
                column,
                _("Line %(line)s says something else about the same. Keep the row that is right.")
                % {"line": known.line},
            )
        return True

    # --- Tables ---------------------------------------------------------------------------------------------------
    def _take_occupations(self, source: Source) -> str:
        for row in self._rows(source, OCCUPATION_COLUMNS):
            usable = self._fits(source, row, SOC, SOC_CODE, "11-3021.00")
            if not self._is_title(source, row, OCCUPATION) or not usable:
                continue
            known = self.occupations.setdefault(row[SOC], Occupation(row, _rest(row, OCCUPATION_COLUMNS)))
            self._is_repetition(source, row, known.row, SOC)
        return source.name

    def _take_scales(self, source: Source) -> None:
        seen: dict[str, Row] = {}
        for row in self._rows(source, SCALE_COLUMNS):
            if row[SCALE] not in BOUNDS:
                self.tally["scales"] += 1
                continue
            if self._is_repetition(source, row, seen.setdefault(row[SCALE], row), SCALE):
                continue
            if not (row[LOWEST].isdecimal() and row[HIGHEST].isdecimal() and len(row[LOWEST] + row[HIGHEST]) <= 4):
                self._fault(source, row, LOWEST, _("The bounds of a scale are whole numbers. Correct them."))
                continue
            lowest, highest = int(row[LOWEST]), int(row[HIGHEST])
            if row[SCALE] == IMPORTANCE and (lowest, highest) != BOUNDS[IMPORTANCE]:
                self._fault(
                    source, row, HIGHEST, _("Importance goes from 1 to 5 here. Correct it, or export the table again.")
                )
            elif not lowest < highest <= MAX_RANK:
                self._fault(
                    source,
                    row,
                    HIGHEST,
                    _("A scale of levels ends above its beginning and at %(limit)s at most. Correct it.")
                    % {"limit": MAX_RANK},
                )
            else:
                self.bounds[row[SCALE]] = (lowest, highest)
        if count := self.tally["scales"]:
            self._remark(
                source.name,
                _("Scales that belong to other tables than are read, and are not kept: %(count)s.") % {"count": count},
            )

    def _take_zones(self, source: Source) -> None:
        for row, occupation in self._rows_of_occupations(source, ZONE_COLUMNS):
            if not self._fits(source, row, ZONE, ZONE_NUMBER, "4"):
                continue
            occupation.zone = occupation.zone or row
            if not self._is_repetition(source, row, occupation.zone, ZONE):
                occupation.extra |= _rest(row, (SOC, OCCUPATION))

    def _take_ratings(self, source: Source) -> None:
        flagged = {SUPPRESS, NOT_RELEVANT} <= set(source.header)
        of_others = not any(_is_read(row) for row in self._peeked(source)) if not flagged else False
        columns = RATING_COLUMNS[:5] if of_others else RATING_COLUMNS
        other_elements: set[str] = set()
        other_scales: Counter[str] = Counter()
        renamed = []
        skipped = 0
        for row, occupation in self._rows_of_occupations(source, columns):
            if not self._fits(source, row, ELEMENT, ELEMENT_CODE, "2.A.1.a"):
                continue
            if not _is_read(row):
                other_elements.add(row[ELEMENT])
                skipped += 1
                continue
            if row[SCALE] not in BOUNDS:
                other_scales[row[SCALE]] += 1
                continue
            usable = self._flags_fit(source, row, (SUPPRESS, NOT_RELEVANT))
            if not (self._is_title(source, row, ELEMENT_NAME) and self._number(source, row) and usable):
                continue
            if self.elements.setdefault(row[ELEMENT], row[ELEMENT_NAME]) != row[ELEMENT_NAME]:
                renamed.append(row.line)
            rating = occupation.ratings.setdefault(row[ELEMENT], Rating())
            slim = Row(row.line, {column: intern(value) for column, value in row.cells.items() if column not in RATED})
            self._is_repetition(source, slim, rating.rows.setdefault(row[SCALE], slim), VALUE)
        self._tell_lines(source, renamed, _("The element has another name than before, which is kept"))
        if skipped:
            self._remark(
                source.name,
                _(
                    "Rows of elements that are neither skills, knowledge, abilities nor work activities, "
                    "and are not kept: %(count)s (of %(elements)s elements)."
                )
                % {"count": skipped, "elements": len(other_elements)},
            )
        if other_scales:
            self._remark(
                source.name,
                _("Rows on other scales than IM and LV, which are not kept: %(count)s (%(scales)s).")
                % {"count": other_scales.total(), "scales": shown(", ".join(sorted(other_scales)))},
            )

    def _peeked(self, source: Source) -> Iterable[Row]:
        """Rows as far as they can be read, to find out whose table it is."""
        for line, cells in source.rows():
            yield Row(line, dict(zip(source.header, cells, strict=False)))

    def _number(self, source: Source, row: Row) -> bool:
        lowest, highest = self.bounds[row[SCALE]]
        if NUMBER.fullmatch(row[VALUE]) and lowest <= Decimal(row[VALUE]) <= highest:
            return True
        message = (
            _("“%(value)s” is not a number of this scale. Write one from %(lowest)s to %(highest)s.")
            if row[VALUE]
            else _("The cell is empty. Write a number from %(lowest)s to %(highest)s.")
        )
        self._fault(source, row, VALUE, message % {"value": shown(row[VALUE]), "lowest": lowest, "highest": highest})
        return False

    def _take_tasks(self, source: Source) -> None:
        untyped = []
        for row, occupation in self._rows_of_occupations(source, TASK_COLUMNS):
            usable = self._fits(source, row, TASK_ID, TASK_CODE, "8823")
            usable = self._is_title(source, row, TASK) and usable
            if row[TASK_TYPE] not in TASK_NECESSITIES:
                self._fault(
                    source,
                    row,
                    TASK_TYPE,
                    _("“%(value)s” is not a type of task. Write Core or Supplemental, or leave it empty.")
                    % {"value": shown(row[TASK_TYPE])},
                )
                usable = False
            if not usable:
                continue
            text, place = self.tasks.setdefault(row[TASK_ID], (row[TASK], line_place(source.name, row.line)))
            if text != row[TASK]:
                self._fault(
                    source,
                    row,
                    TASK,
                    _("Task %(id)s has another text at %(place)s. Keep the one that is right.")
                    % {"id": row[TASK_ID], "place": place},
                )
                continue
            if not self._is_repetition(source, row, occupation.tasks.setdefault(row[TASK_ID], row), TASK_ID):
                untyped += [] if row[TASK_TYPE] else [row.line]
        if untyped:
            self._remark(
                source.name,
                _("Tasks without a type, taken as required: %(count)s (lines %(lines)s).")
                % {"count": len(untyped), "lines": _lines(untyped)},
            )

    def _take_tools(self, source: Source) -> None:
        titles: dict[str, str] = {}
        retitled = []
        for row, occupation in self._rows_of_occupations(source, TOOL_COLUMNS):
            usable = self._fits(source, row, COMMODITY, COMMODITY_CODE, "43232202")
            usable = self._is_title(source, row, TOOL) and usable
            if not self._flags_fit(source, row, (HOT, DEMAND)) or not usable:
                continue
            if titles.setdefault(row[COMMODITY], row[COMMODITY_TITLE]) != row[COMMODITY_TITLE]:
                retitled.append(row.line)
            key = (row[COMMODITY], row[TOOL])
            if not self._is_repetition(source, row, occupation.tools.setdefault(key, row), TOOL):
                said = self.tools.setdefault(key, {COMMODITY_TITLE: set(), HOT: set()})
                said[COMMODITY_TITLE].add(titles[row[COMMODITY]])
                said[HOT].add(row.cells.get(HOT, ""))
        self._tell_lines(source, retitled, _("The commodity has another title than before, which is kept"))

    def _take_anchors(self, source: Source) -> None:
        between = []
        unknown: Counter[str] = Counter()
        other_scale = 0
        seen: dict[tuple[str, str], Row] = {}
        lowest, highest = self.bounds[LEVEL]
        for row in self._rows(source, ANCHOR_COLUMNS):
            if row[SCALE] != LEVEL:
                other_scale += 1
                continue
            if not self._fits(source, row, ELEMENT, ELEMENT_CODE, "2.A.1.a") or not self._is_title(
                source, row, ANCHOR_TEXT
            ):
                continue
            if not (NUMBER.fullmatch(row[ANCHOR]) and lowest <= Decimal(row[ANCHOR]) <= highest):
                self._fault(
                    source,
                    row,
                    ANCHOR,
                    _("“%(value)s” is not a number of this scale. Write one from %(lowest)s to %(highest)s.")
                    % {"value": shown(row[ANCHOR]), "lowest": lowest, "highest": highest},
                )
                continue
            value = Decimal(row[ANCHOR])
            if self._is_repetition(source, row, seen.setdefault((row[ELEMENT], str(value.normalize())), row), ANCHOR):
                continue
            if row[ELEMENT] not in self.elements:
                unknown[row[ELEMENT]] += 1
                continue
            if value != value.to_integral_value():
                between.append(row.line)
            self.anchors[row[ELEMENT]][row[ANCHOR]] = row[ANCHOR_TEXT]
        self._tell_lines(
            source, between, _("An anchor between two levels describes neither; it is kept beside the descriptors")
        )
        if unknown:
            self._remark(
                source.name,
                _("Anchors of elements that no occupation is rated on, and are not kept: %(count)s (%(elements)s).")
                % {
                    "count": unknown.total(),
                    "elements": ngettext("of %(count)s element", "of %(count)s elements", len(unknown))
                    % {"count": len(unknown)},
                },
            )
        if other_scale:
            self._remark(
                source.name,
                _("Anchors on other scales than LV, which are not kept: %(count)s.") % {"count": other_scale},
            )

    # --- Content --------------------------------------------------------------------------------------------------
    def content(self) -> FrameworkContent:
        lowest, highest = self.bounds[LEVEL]
        tool_codes = {key: f"{key[0]} {key[1]}" for key in self.tools}
        slugs = slugs_for(tool_codes.values(), MAX_COMPETENCY_CODE)
        tool_codes = {key: slugs[name] for key, name in tool_codes.items()}
        roles = tuple(self._role(code, occupation, tool_codes) for code, occupation in self.occupations.items())
        self._remark_on_ratings()
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
            levels=tuple(LevelContent(rank=rank, label=_text(str(rank))) for rank in range(lowest, highest + 1))
            if self.elements
            else (),
            competencies=(
                *(self._element(code, name) for code, name in self.elements.items()),
                *(
                    CompetencyContent(code=code, title=_text(text), kind=CompetencyKind.TASK.value)
                    for code, (text, _place) in self.tasks.items()
                ),
                *(self._tool(key, code) for key, code in tool_codes.items()),
            ),
            roles=roles,
            source_counts={
                "rows": self.row_count,
                "ratings": sum(len(occupation.ratings) for occupation in self.occupations.values()),
            },
            deviations=tuple(self.deviations),
        )

    def _element(self, code: str, name: str) -> CompetencyContent:
        anchors = sorted((Decimal(value), value, text) for value, text in self.anchors.get(code, {}).items())
        between = [{ANCHOR: value, ANCHOR_TEXT: text} for number, value, text in anchors if not _is_whole(number)]
        return CompetencyContent(
            code=code,
            title=_text(name),
            kind=KINDS[code[:3]],
            descriptors=tuple(
                DescriptorContent(rank=int(number), text=_text(text))
                for number, _value, text in anchors
                if _is_whole(number)
            ),
            extra={"Level Scale Anchors": between} if between else {},
        )

    def _tool(self, key: tuple[str, str], code: str) -> CompetencyContent:
        commodity, name = key
        said = {column: values for column, values in self.tools[key].items() if len(values) == 1}
        return CompetencyContent(
            code=code,
            title=_text(name),
            kind=CompetencyKind.TOOL.value,
            extra={
                COMMODITY: commodity,
                **{column: value for column, values in said.items() for value in values if value},
            },
        )

    def _role(self, code: str, occupation: Occupation, tool_codes: Mapping[tuple[str, str], str]) -> RoleContent:
        requirements = [
            *(self._rated(element, rating) for element, rating in occupation.ratings.items()),
            *(
                RequirementContent(
                    competency=task,
                    level=None,
                    necessity=TASK_NECESSITIES[row[TASK_TYPE]],
                    extra=_rest(row, (SOC, OCCUPATION, TASK_ID, TASK)),
                )
                for task, row in occupation.tasks.items()
            ),
            *(
                RequirementContent(
                    competency=tool_codes[key],
                    level=None,
                    necessity=Necessity.OPTIONAL.value,
                    extra=_rest(
                        row,
                        (SOC, OCCUPATION, TOOL, COMMODITY, COMMODITY_TITLE)
                        + ((HOT,) if len(self.tools[key][HOT]) == 1 else ()),
                    ),
                )
                for key, row in occupation.tools.items()
            ),
        ]
        return RoleContent(
            code=code,
            title=_text(occupation.row[OCCUPATION]),
            summary=_text(occupation.row[TEXT]),
            external_codes={"onet-soc": (code,)},
            profiles=(ProfileContent(code=code, requirements=tuple(requirements)),),
            extra=occupation.extra,
        )

    def _rated(self, element: str, rating: Rating) -> RequirementContent:
        """What the two rows of an occupation and an element ask for: the figures, and how far they count.

        Whatever O*NET recommends to suppress counts for nothing. What is not relevant to the occupation has no level.
        What is "not important" on O*NET's own scale, and level 0 (which is no level of it), is asked of nobody.
        """
        importance_row, level_row = rating.rows.get(IMPORTANCE), rating.rows.get(LEVEL)
        importance = _rounded(importance_row)
        irrelevant = any(row[NOT_RELEVANT] == YES for row in rating.rows.values())
        level = None if irrelevant else _rounded(level_row)
        if any(row[SUPPRESS] == YES for row in rating.rows.values()):
            necessity = Necessity.UNCERTAIN
        elif irrelevant or importance == NOT_IMPORTANT or level == NO_LEVEL:
            necessity = Necessity.OPTIONAL
        else:
            necessity = Necessity.REQUIRED
        self.tally["uncertain"] += necessity == Necessity.UNCERTAIN
        self.tally["irrelevant"] += irrelevant
        self.tally["unimportant"] += necessity == Necessity.OPTIONAL and importance == NOT_IMPORTANT
        self.tally["level 0"] += necessity == Necessity.OPTIONAL and level == NO_LEVEL
        self.tally["without importance"] += importance is None
        self.tally["without level"] += level_row is None
        return RequirementContent(
            competency=element,
            level=level,
            importance=DEFAULT_IMPORTANCE if importance is None else importance,
            necessity=necessity.value,
            level_value=level_row[VALUE] if level_row and not irrelevant else "",
            importance_value=importance_row[VALUE] if importance_row else "",
            extra={
                scale: _rest(row, () if irrelevant and scale == LEVEL else (VALUE,))
                for scale, row in sorted(rating.rows.items())
            },
        )

    def _remark_on_ratings(self) -> None:
        for key, message in (
            ("uncertain", _("Ratings that O*NET recommends to suppress, kept as too uncertain to be used: %(count)s.")),
            ("irrelevant", _("Ratings of what is not relevant to the occupation, kept without a level: %(count)s.")),
            ("unimportant", _("Ratings that round to importance 1, “not important”, kept as optional: %(count)s.")),
            ("level 0", _("Ratings that round to level 0, which asks for nothing, kept as optional: %(count)s.")),
            ("without importance", _("Ratings without a row on importance, taken as of middle importance: %(count)s.")),
            ("without level", _("Ratings without a row on the level, kept without a level: %(count)s.")),
        ):
            if count := self.tally[key]:
                self._remark(SLUG, message % {"count": count})
        unrated = [code for code, occupation in self.occupations.items() if not occupation.ratings]
        if unrated and self.elements:
            self._remark(
                self.occupations_name,
                _("Occupations that nobody has rated yet, with a profile without skills and knowledge: %(codes)s.")
                % {"codes": ", ".join(unrated[:20]) + (" …" if len(unrated) > 20 else "")},
            )


def _is(kind: str) -> Any:
    return lambda source: _kind(source) == kind


def _is_read(row: Row) -> bool:
    return row.cells.get(ELEMENT, "")[:3] in KINDS


def _rest(row: Row, placed: Iterable[str]) -> dict[str, str]:
    """What the row says in columns that have no place of their own."""
    return {column: value for column, value in row.cells.items() if value and column and column not in placed}


def _rounded(row: Row | None) -> int | None:
    return None if row is None else int(Decimal(row[VALUE]).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _is_whole(number: Decimal) -> bool:
    return number == number.to_integral_value()


def _lines(lines: Sequence[int]) -> str:
    return ", ".join(map(str, lines[:10])) + (" …" if len(lines) > 10 else "")


def _text(value: str) -> dict[str, str]:
    return {LANGUAGE: value} if value else {}
