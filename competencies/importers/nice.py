"""The NICE Framework as NIST's Cybersecurity and Privacy Reference Tool (CPRT) exports it: a graph in JSON.

Elements of eight types, and relations that all bear the one name "projection"; the types at their two ends tell what
each relation means. The framework has no levels: a work role requires a statement, and that is all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from competencies.enums import CompetencyKind
from competencies.importers.content import (
    MAX_AREA_CODE,
    MAX_COMPETENCY_CODE,
    MAX_EDITION,
    MAX_ROLE_CODE,
    MAX_TITLE,
    AreaContent,
    CompetencyContent,
    Deviation,
    FamilyContent,
    Faults,
    FrameworkContent,
    ProfileContent,
    RequirementContent,
    RoleContent,
    objection_to_url,
    refuse,
    shown,
)
from competencies.importers.sources import Node, Source, only

TITLE = gettext_lazy("NICE: the JSON export of the NIST reference tool (CPRT), one file")

SLUG = "nice"
PUBLISHER = "National Institute of Standards and Technology"
SOURCE = "NIST Cybersecurity and Privacy Reference Tool (CPRT), JSON export of %(document)s"
LICENCE = "US Government work, public domain in the United States"
ATTRIBUTION = "National Institute of Standards and Technology, NICE Framework components %(edition)s."
DOCUMENT_PREFIX = "SP_800_181"  # the export has the same shape for NIST's other publications
LANGUAGE = "en"
RELATION = "projection"

CATEGORY, ROLE, AREA, OPM_CODE, SORT = "category", "work_role", "competency_area", "opm_code", "sort"
STATEMENTS = {
    "task": CompetencyKind.TASK,
    "knowledge": CompetencyKind.KNOWLEDGE,
    "skill": CompetencyKind.SKILL,
}
TYPES = (CATEGORY, ROLE, AREA, OPM_CODE, SORT, *STATEMENTS)
CODE_LIMITS = {CATEGORY: MAX_AREA_CODE, AREA: MAX_AREA_CODE, ROLE: MAX_ROLE_CODE}
AFTER_ALL_SORT_KEYS = "\uffff"


@dataclass(frozen=True, slots=True)
class Element:
    type: str
    identifier: str
    title: str
    text: str


@dataclass
class Graph:
    """What the relations say, told apart by the types of their ends."""

    elements: dict[str, Element] = field(default_factory=dict)
    category: dict[str, str] = field(default_factory=dict)
    sort: dict[str, str] = field(default_factory=dict)
    opm_codes: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    statements: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    relations: int = 0

    def of_type(self, *types: str) -> list[Element]:
        found = [element for element in self.elements.values() if element.type in types]
        return sorted(found, key=lambda element: (types.index(element.type), element.identifier))

    def sort_key(self, identifier: str) -> str:
        key = self.sort.get(identifier)
        return self.elements[key].title if key else AFTER_ALL_SORT_KEYS


def sniff(sources: Sequence[Source]) -> bool:
    """Whether one of the sources is a CPRT export."""
    return any(map(_is_cprt, sources))


def read(sources: Sequence[Source]) -> FrameworkContent:
    """The one CPRT export among the sources; every element and every relation is accounted for.

    Raises CannotImport with the JSON path of each unknown type, unknown relation, contradiction and loose end.
    """
    source = only(sources, _is_cprt, missing=_("This is not a CPRT export: it has no elements and relationships."))
    faults = Faults()
    extra: Counter[str] = Counter()
    root = Node(source.document(), "$", faults)
    response = root.fields(["response"], extra=extra)["response"]
    parts = response.fields(["elements"], ["requestType"], extra=extra)["elements"].fields(
        ["documents", "elements", "relationships"], ["relationship_types"], extra=extra
    )
    document = _read_document(parts["documents"], extra)
    deviations: list[Deviation] = []
    graph = Graph()
    _read_elements(parts["elements"], document["doc_identifier"], graph, extra, deviations)
    faults.raise_if_any()  # every relation would be a loose end now
    _read_relations(parts["relationships"], document["doc_identifier"], graph, extra, deviations)
    for element in graph.of_type(*STATEMENTS):
        if not element.text:
            faults.add(element.identifier, _("The statement has no text. Fill in “text”."))
    faults.raise_if_any()
    deviations += _remarks(graph, source.name, extra)
    return _content(graph, document, tuple(deviations))


def _is_cprt(source: Source) -> bool:
    return source.looks_like_json and b'"element_identifier"' in source.raw


def _read_document(node: Node, extra: Counter[str]) -> dict[str, str]:
    documents = node.items()
    if node and len(documents) != 1:
        node.fault(
            _("The file describes %(count)s documents. Export the NICE Framework alone.") % {"count": len(documents)}
        )
    first = documents[0] if documents else Node(None, node.place, node.faults, usable=False)
    fields = first.fields(["doc_identifier", "name", "version"], ["website"], extra=extra)
    document = {
        "doc_identifier": fields["doc_identifier"].text(limit=MAX_AREA_CODE),
        "name": fields["name"].text(limit=MAX_TITLE),
        "version": fields["version"].text(limit=MAX_EDITION),
        "website": fields["website"].text(limit=500, blank=True) if fields["website"] else "",
    }
    if document["website"] and (objection := objection_to_url(document["website"])):
        fields["website"].fault(objection)
    if document["doc_identifier"] and not document["doc_identifier"].startswith(DOCUMENT_PREFIX):
        refuse(
            fields["doc_identifier"].place,
            _("The file is the export of %(document)s. Only the NICE Framework (%(expected)s…) is understood.")
            % {"document": shown(document["doc_identifier"]), "expected": DOCUMENT_PREFIX},
        )
    return document


def _read_elements(node: Node, document: str, graph: Graph, extra: Counter[str], deviations: list[Deviation]) -> None:
    for item in node.items():
        fields = item.fields(["element_type", "element_identifier", "title", "text", "doc_identifier"], extra=extra)
        kind = fields["element_type"].text()
        if kind and kind not in TYPES:
            fields["element_type"].fault(
                _("The element type “%(type)s” is not one of NICE: %(known)s. Correct it.")
                % {"type": shown(kind), "known": ", ".join(TYPES)}
            )
            kind = ""
        identifier = fields["element_identifier"].text(limit=CODE_LIMITS.get(kind, MAX_COMPETENCY_CODE))
        wordless = kind in (OPM_CODE, SORT)
        title = fields["title"].text(limit=MAX_TITLE, blank=kind not in (CATEGORY, ROLE, AREA, SORT))
        text = fields["text"].text(limit=MAX_TITLE if kind in STATEMENTS else 100_000, blank=True)
        _check_document(fields["doc_identifier"], document)
        if not (kind and identifier):
            continue
        element = Element(kind, identifier, title, text)
        if (kind in STATEMENTS and title) or (wordless and text):
            deviations.append(Deviation(item.place, _("The element has a text where NICE has none; it is not kept.")))
        known = graph.elements.setdefault(identifier, element)
        if known is element:
            continue
        if known == element:
            deviations.append(
                Deviation(item.place, _("%(code)s stands here again; it counts once.") % {"code": identifier})
            )
        else:
            fields["element_identifier"].fault(
                _("%(code)s is there already with other words. Keep the one that is right.")
                % {"code": shown(identifier)}
            )


def _read_relations(node: Node, document: str, graph: Graph, extra: Counter[str], deviations: list[Deviation]) -> None:
    seen: set[tuple[str, str]] = set()
    for item in node.items():
        fields = item.fields(
            ["source_element_identifier", "dest_element_identifier", "relationship_identifier"],
            ["source_doc_identifier", "dest_doc_identifier", "provenance_doc_identifier"],
            extra=extra,
        )
        for end in ("source_doc_identifier", "dest_doc_identifier"):
            _check_document(fields[end], document)
        name = fields["relationship_identifier"].text()
        if name and name != RELATION:
            fields["relationship_identifier"].fault(
                _("The relation “%(name)s” is not known; NICE has “%(known)s”. Correct it.")
                % {"name": shown(name), "known": RELATION}
            )
        start = _end(fields["source_element_identifier"], graph)
        end_ = _end(fields["dest_element_identifier"], graph)
        if start is None or end_ is None:
            continue
        graph.relations += 1
        if (start.identifier, end_.identifier) in seen:
            deviations.append(Deviation(item.place, _("The same relation stands here again; it counts once.")))
            continue
        seen.add((start.identifier, end_.identifier))
        _relate(item, start, end_, graph)


def _end(node: Node, graph: Graph) -> Element | None:
    identifier = node.text(limit=MAX_COMPETENCY_CODE)
    element = graph.elements.get(identifier)
    if identifier and element is None:
        node.fault(_("There is no element %(code)s. Add it, or take the relation out.") % {"code": shown(identifier)})
    return element


def _relate(item: Node, start: Element, end: Element, graph: Graph) -> None:
    match (start.type, end.type):
        case ("category", "work_role"):
            _settle(item, graph.category, end.identifier, start.identifier)
        case ("category" | "work_role", "sort"):
            _settle(item, graph.sort, start.identifier, end.identifier)
        case ("work_role", "opm_code"):
            graph.opm_codes[start.identifier].add(end.identifier)
        case ("work_role", kind) if kind in STATEMENTS:
            graph.statements[start.identifier].add(end.identifier)
        case pair:
            item.fault(
                _("NICE has no relation from %(from)s to %(to)s. Take it out or correct its ends.")
                % {"from": pair[0], "to": pair[1]}
            )


def _settle(item: Node, settled: dict[str, str], key: str, value: str) -> None:
    if settled.setdefault(key, value) != value:
        item.fault(
            _("%(element)s has %(one)s already and cannot have %(other)s too. Keep one of them.")
            % {"element": shown(key), "one": shown(settled[key]), "other": shown(value)}
        )


def _check_document(node: Node, document: str) -> None:
    if node and document and (named := node.text()) and named != document:
        node.fault(
            _("This belongs to %(other)s and not to %(document)s. Export the NICE Framework alone.")
            % {"other": shown(named), "document": document}
        )


def _remarks(graph: Graph, name: str, extra: Counter[str]) -> list[Deviation]:
    remarks = []

    def remark(message: str) -> None:
        remarks.append(Deviation(name, message))

    roles = [role.identifier for role in graph.of_type(ROLE)]
    for codes, message in (
        ([code for code in roles if code not in graph.category], _("Roles without a category: %(codes)s.")),
        ([code for code in roles if not graph.opm_codes.get(code)], _("Roles without an OPM code: %(codes)s.")),
        (
            [code for code in roles if code not in graph.sort],
            _("Roles without a sort key, put last in their category: %(codes)s."),
        ),
        ([code for code in roles if not graph.statements.get(code)], _("Roles that require nothing: %(codes)s.")),
        (
            [
                element.identifier
                for element in graph.of_type(OPM_CODE)
                if not any(element.identifier in codes for codes in graph.opm_codes.values())
            ],
            _("OPM codes of no role, not kept: %(codes)s."),
        ),
        (
            sorted({element.identifier for element in graph.of_type(SORT)} - set(graph.sort.values())),
            _("Sort keys of nothing, not kept: %(codes)s."),
        ),
    ):
        if codes:
            remark(message % {"codes": ", ".join(codes)})
    if areas := graph.of_type(AREA):
        remark(
            ngettext(
                "The file links no statement to a competency area: the %(count)s area has no competencies.",
                "The file links no statement to a competency area: the %(count)s areas have no competencies.",
                len(areas),
            )
            % {"count": len(areas)}
        )
    wordings: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for element in graph.of_type(*STATEMENTS):
        wordings[element.type, element.text].append(element.identifier)
    for (_type, wording), codes in wordings.items():
        if len(codes) > 1:
            remark(
                _("%(codes)s have the same wording, “%(wording)s”; all are kept.")
                % {"codes": ", ".join(codes), "wording": shown(wording)}
            )
    for key, count in sorted(extra.items()):
        remark(
            ngettext(
                "“%(key)s” is not part of the format; it stands in %(count)s place and is not kept.",
                "“%(key)s” is not part of the format; it stands in %(count)s places and is not kept.",
                count,
            )
            % {"key": shown(key), "count": count}
        )
    return remarks


def _content(graph: Graph, document: dict[str, str], deviations: tuple[Deviation, ...]) -> FrameworkContent:
    edition = document["version"]
    categories = sorted(graph.of_type(CATEGORY), key=lambda element: graph.sort_key(element.identifier))
    rank = {category.identifier: index for index, category in enumerate(categories)}

    def role_order(role: Element) -> tuple[Any, ...]:
        return (rank.get(graph.category.get(role.identifier, ""), len(rank)), graph.sort_key(role.identifier))

    return FrameworkContent(
        slug=SLUG,
        title=_text(document["name"]),
        edition=edition,
        publisher=PUBLISHER,
        source=SOURCE % {"document": document["doc_identifier"]},
        source_url=document["website"],
        licence=LICENCE,
        attribution=ATTRIBUTION % {"edition": edition},
        languages=(LANGUAGE,),
        areas=tuple(
            AreaContent(code=area.identifier, title=_text(area.title), description=_text(area.text))
            for area in graph.of_type(AREA)
        ),
        families=tuple(
            FamilyContent(code=category.identifier, title=_text(category.title), description=_text(category.text))
            for category in categories
        ),
        competencies=tuple(
            CompetencyContent(code=element.identifier, title=_text(element.text), kind=STATEMENTS[element.type].value)
            for element in graph.of_type(*STATEMENTS)
        ),
        roles=tuple(_role(role, graph) for role in sorted(graph.of_type(ROLE), key=role_order)),
        source_counts={
            "opm_codes": len(graph.of_type(OPM_CODE)),
            "sort_keys": len(graph.of_type(SORT)),
            "elements": len(graph.elements),
            "relations": graph.relations,
        },
        deviations=deviations,
    )


def _role(role: Element, graph: Graph) -> RoleContent:
    required = graph.statements.get(role.identifier, set())
    kinds = list(STATEMENTS)
    ordered = sorted(required, key=lambda code: (kinds.index(graph.elements[code].type), code))
    opm_codes = sorted(graph.opm_codes.get(role.identifier, ()))
    return RoleContent(
        code=role.identifier,
        title=_text(role.title),
        family=graph.category.get(role.identifier),
        summary=_text(role.text),
        external_codes={"opm": tuple(opm_codes)} if opm_codes else {},
        profiles=(
            ProfileContent(
                code=role.identifier,
                requirements=tuple(RequirementContent(competency=code, level=None) for code in ordered),
            ),
        ),
    )


def _text(value: str) -> dict[str, str]:
    return {LANGUAGE: value} if value else {}
