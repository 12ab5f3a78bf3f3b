"""CASE (1EdTech) in our words: what a CFPackage says by itself, and what of ours stands beside it. Pure.

`plain` reads a package as anybody's: a framework, its competencies, how they hang together. What CASE has no word for
stands in `extensions` under KEY, as a merge patch (RFC 7396) to what the plain reading gives. The exporter asks `plain`
what a reader will understand and adds the rest, the importer asks it and applies the rest: one cannot drift from the other.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid5

from django.utils.text import slugify

from competencies.enums import CompetencyKind, LinkRelation
from competencies.importers.content import (
    MAX_COMPETENCY_CODE,
    MAX_EDITION,
    MAX_LICENCE,
    MAX_PUBLISHER,
    MAX_SLUG,
    MAX_TITLE,
    MAX_URL,
    objection_to_url,
    tidy,
)

KEY = "digitalTalentPlatform"
"""Under which our part of an `extensions` object stands: `is` says what the thing is to us, the rest is the patch."""

MARK = "is"
POSITION = "position"  # in the whole list, where the tree does not give it
EXACTLY = "exactly"  # fields that a merge patch cannot express: those with a null in them
NOT_FIELDS = frozenset({MARK, POSITION, EXACTLY})

AREA, COMPETENCY, FAMILY, ROLE, PROFILE = "area", "competency", "family", "role", "profile"
ITEM_KINDS = (AREA, COMPETENCY, FAMILY, ROLE, PROFILE)
FRAMEWORK, LEVELS, REQUIREMENT, LINK, FOREIGN_LINK = "framework", "levels", "requirement", "link", "foreign link"
# What people said of competencies of two frameworks: of neither framework's content.
ALIGNMENT = "alignment"

CHILD_OF = "isChildOf"
REQUIRES = "ext:requires"
RELATIONS: dict[str, str] = {
    LinkRelation.EXACT.value: "exactMatchOf",
    LinkRelation.BROADER.value: "ext:isBroaderThan",
    LinkRelation.NARROWER.value: "ext:isNarrowerThan",
    LinkRelation.RELATED.value: "isRelatedTo",
    LinkRelation.PEER.value: "isPeerOf",
    LinkRelation.PART_OF.value: "isPartOf",
    LinkRelation.PRECEDES.value: "precedes",
    LinkRelation.REPLACED_BY.value: "replacedBy",
    LinkRelation.EXEMPLAR.value: "exemplar",
    LinkRelation.SKILL_LEVEL.value: "hasSkillLevel",
    LinkRelation.TRANSLATION.value: "isTranslationOf",
    LinkRelation.OTHER.value: "ext:isLinkedTo",
}
RELATION_OF = {word.casefold(): relation for relation, word in RELATIONS.items()}
# A second parent is something else than the one that the tree shows.
RELATION_OF[CHILD_OF.casefold()] = LinkRelation.PART_OF.value

KIND_WORDS: dict[str, str] = {kind: kind.capitalize() for kind in CompetencyKind.values} | {
    CompetencyKind.TOOL.value: "Technology",
    CompetencyKind.OUTCOME.value: "Learning outcome",
}
KIND_OF = {word.casefold(): kind for kind, word in KIND_WORDS.items()} | {kind: kind for kind in KIND_WORDS}
ITEM_WORDS = {AREA: "Area", FAMILY: "Role family", ROLE: "Role", PROFILE: "Role profile"}

DEFINITIONS = ("CFConcepts", "CFSubjects", "CFLicenses", "CFItemTypes", "CFAssociationGroupings")
# What CASE 1.0 and 1.1 know, in packages and outside of them.
DOCUMENT_MEMBERS = frozenset({
    "identifier", "uri", "frameworkType", "caseVersion", "creator", "title", "lastChangeDateTime",
    "officialSourceURL", "publisher", "description", "subject", "subjectURI", "language", "version",
    "adoptionStatus", "statusStartDate", "statusEndDate", "licenseURI", "notes", "extensions", "CFPackageURI",
})  # fmt: skip
ITEM_MEMBERS = frozenset({
    "identifier", "fullStatement", "alternativeLabel", "CFItemType", "uri", "humanCodingScheme", "listEnumeration",
    "abbreviatedStatement", "conceptKeywords", "conceptKeywordsURI", "notes", "subject", "subjectURI", "language",
    "educationLevel", "CFItemTypeURI", "licenseURI", "statusStartDate", "statusEndDate", "lastChangeDateTime",
    "extensions", "CFDocumentURI",
})  # fmt: skip
ITEM_MEMBERS_OF_OURS = frozenset({
    "identifier", "fullStatement", "alternativeLabel", "CFItemType", "uri", "humanCodingScheme",
    "abbreviatedStatement", "notes", "language", "CFItemTypeURI", "lastChangeDateTime", "CFDocumentURI",
})  # fmt: skip
ASSOCIATION_MEMBERS = frozenset({
    "identifier", "associationType", "sequenceNumber", "uri", "originNodeURI", "destinationNodeURI",
    "CFAssociationGroupingURI", "lastChangeDateTime", "notes", "extensions", "CFDocumentURI",
})  # fmt: skip
PACKAGE_MEMBERS = frozenset({"CFDocument", "CFItems", "CFAssociations", "CFDefinitions", "CFRubrics", "extensions"})
LANGUAGE_PATTERN = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*\Z")
DIGITS = re.compile(r"(\d+)")
LAST = float("inf")
Object = dict[str, Any]


# --- Texts and numbers -------------------------------------------------------------------------------------------
def normal(text: str) -> str:
    """CASE's normalised strings know no line breaks and no tabs."""
    return re.sub(r"[\t\n\r]+", " ", text)


def words(value: Any) -> str:
    return tidy(value) if isinstance(value, str) else ""


def number(value: Any) -> int | None:
    """A sequence number or rank, also where it was written as 3.0 or "3"."""
    if isinstance(value, str) and len(value) < 12 and value.strip().isdecimal():
        return int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**9:
        return int(value)
    return value if type(value) is int and abs(value) < 10**9 else None


def shortened(text: str) -> str:
    return text if len(text) <= MAX_TITLE else text[: MAX_TITLE - 1] + "…"


def natural(value: Any) -> tuple[Any, ...]:
    """ "A.10" behind "A.9"; what is not there last."""
    text = words(value)
    return (not text, [(not part.isdecimal(), part.zfill(30)) for part in DIGITS.split(text.casefold()) if part])


def language_of(value: Any) -> str:
    return value if isinstance(value, str) and LANGUAGE_PATTERN.match(value) else ""


def slug_of(title: str, identifier: str) -> str:
    return (slugify(title)[:MAX_SLUG].strip("-_") or slugify(identifier)[:MAX_SLUG].strip("-_") or "case").replace(
        "_", "-"
    )


# --- Names -------------------------------------------------------------------------------------------------------
def derived(document: str, kind: str, *codes: str) -> str:
    """The identifier of a thing that has none: made from the document's, what it is, and its codes."""
    try:
        space = UUID(document)
    except ValueError:
        return ""
    return str(uuid5(space, "/".join((kind, *(quote(code, safe="") for code in codes)))))


def key_of_node(node: Any) -> str:
    """What a link points at, as identifiers are compared: by its identifier, or by the end of its address."""
    if not isinstance(node, dict):
        return ""
    return (words(node.get("identifier")) or words(node.get("uri")).rstrip("/").rpartition("/")[2]).lower()


# --- What is ours ------------------------------------------------------------------------------------------------
def own_part(thing: Mapping[str, Any]) -> Object:
    """Our part of its `extensions`, which are a list on the levels of a rubric."""
    extensions = thing.get("extensions")
    for extension in extensions if isinstance(extensions, list) else [extensions]:
        if isinstance(extension, dict) and isinstance(extension.get(KEY), dict):
            own: Object = extension[KEY]
            return own
    return {}


def without_own(thing: Mapping[str, Any]) -> Object:
    """What others say: without our part, and without nulls, which say nothing."""
    said = {name: value for name, value in thing.items() if value is not None}
    if own_part(thing) and isinstance(said["extensions"], dict):
        said["extensions"] = {name: value for name, value in said["extensions"].items() if name != KEY}
        if not said["extensions"]:
            del said["extensions"]
    return said


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def difference(plain: Mapping[str, Any], meant: Mapping[str, Any]) -> Object:
    """What has to be said so that `merged(plain, …)` is `meant`: a merge patch, and EXACTLY where that is not enough."""
    patch = _patch(plain, meant)
    found = merged(plain, patch)
    exactly = {name: meant[name] for name in meant if canonical(found.get(name)) != canonical(meant[name])}
    if exactly:
        patch = {name: value for name, value in patch.items() if name not in exactly} | {EXACTLY: exactly}
    return patch


def _patch(plain: Mapping[str, Any], meant: Mapping[str, Any]) -> Object:
    patch: Object = {}
    for name, value in meant.items():
        if name not in plain:
            patch[name] = value
        elif canonical(plain[name]) != canonical(value):
            both = isinstance(plain[name], dict) and isinstance(value, dict)
            patch[name] = _patch(plain[name], value) if both else value
    return patch | {name: None for name in plain if name not in meant}


def merged(plain: Mapping[str, Any], own: Mapping[str, Any]) -> Object:
    """The plain reading with our part applied."""
    found = _merge(plain, {name: value for name, value in own.items() if name not in NOT_FIELDS})
    exactly = own.get(EXACTLY)
    return found | exactly if isinstance(exactly, dict) else found


def _merge(value: Any, patch: Mapping[str, Any]) -> Object:
    found = dict(value) if isinstance(value, dict) else {}
    for name, change in patch.items():
        if change is None:
            found.pop(name, None)
        elif isinstance(change, dict):
            found[name] = _merge(found.get(name), change)
        else:
            found[name] = change
    return found


def fields_of(thing: Any, leave_out: Iterable[str] = ()) -> Object:
    """A part of a framework as JSON knows it; what is empty or as usual is left out."""
    said = {}
    for known in fields(thing):
        if known.name in leave_out:
            continue
        value = _as_json(getattr(thing, known.name))
        usual = known.default_factory() if callable(known.default_factory) else known.default
        if value is not None and canonical(value) != canonical_or_none(usual):
            said[known.name] = value
    return said


def canonical_or_none(value: Any) -> str | None:
    try:
        return canonical(value)
    except TypeError:  # a field that has no usual value
        return None


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _as_json(member) for name, member in value.items()}
    return [_as_json(item) for item in value] if isinstance(value, list | tuple) else value


# --- The plain reading -------------------------------------------------------------------------------------------
@dataclass
class Thing:
    """What a CASE object says by itself (`plain`), the object (`source`), where it stands, and what belongs to it."""

    source: Object
    place: str
    plain: Object = field(default_factory=dict)
    below: list[Thing] = field(default_factory=list)

    @property
    def said(self) -> Object:
        return merged(self.plain, own_part(self.source))


@dataclass
class Plain:
    """A package as it is read. `told` are the places of what was read otherwise than it stands there, by what it was."""

    framework: Thing
    levels: list[Thing] = field(default_factory=list)
    areas: list[Thing] = field(default_factory=list)
    families: list[Thing] = field(default_factory=list)
    competencies: list[Thing] = field(default_factory=list)
    roles: list[Thing] = field(default_factory=list)
    links: list[Thing] = field(default_factory=list)
    alignments: list[Thing] = field(default_factory=list)
    told: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    circle: str = ""
    loose: list[str] = field(default_factory=list)
    outside: int = 0


@dataclass
class _Item:
    source: Object
    place: str
    kind: str
    foreign: bool
    code: str = ""
    above: Object | None = None  # the association that hangs it into the tree
    parent: str = ""
    thing: Thing = field(default_factory=lambda: Thing({}, ""))


def plain(package: Mapping[str, Any]) -> Plain:
    """The package as anybody reads it. What is read must have been checked: objects, lists and texts where CASE has them."""
    return _Reading(package).plain()


class _Reading:
    def __init__(self, package: Mapping[str, Any]) -> None:
        self.package = package
        self.document: Object = package["CFDocument"]
        self.key = words(self.document.get("identifier")).lower()
        self.foreign = own_part(self.document).get(MARK) != FRAMEWORK
        self.language = language_of(self.document.get("language")) or "en"
        self.result = Plain(Thing(self.document, "$.CFDocument"))
        self.items: dict[str, _Item] = {}
        self.began_outside: list[Object] = []
        self.requirements: dict[str, list[Thing]] = defaultdict(list)
        self.found_links: list[tuple[Any, Thing]] = []
        self.places: dict[str, int] = {}

    def plain(self) -> Plain:
        self.read_items()
        associations = [
            (f"$.CFAssociations[{index}]", association)
            for index, association in enumerate(self.package.get("CFAssociations") or [])
        ]
        hanging: dict[str, list[tuple[str, Object]]] = defaultdict(list)
        rest = []
        for place, association in associations:
            if self.hangs(association):
                hanging[key_of_node(association["originNodeURI"])].append((place, association))
            else:
                rest.append((place, association))
        for key, found in hanging.items():
            found.sort(key=lambda pair: (_sequence(pair[1]), words(pair[1].get("identifier")).lower()))
            item = self.items[key]
            item.above, item.parent = found[0][1], key_of_node(found[0][1]["destinationNodeURI"])
            for place, association in found[1:]:
                self.result.told["second parent"].append(place)
                rest.append((place, association))
        self.order()
        if not self.result.circle:
            self.things()
            for place, association in rest:
                self.association(place, association)
            self.links()
            rubrics = self.rubrics()
            self.framework(rubrics)
        return self.result

    # --- Items and their tree --------------------------------------------------------------------------------------
    def read_items(self) -> None:
        for index, source in enumerate(self.package.get("CFItems") or []):
            kind = own_part(source).get(MARK)
            item = _Item(source, f"$.CFItems[{index}]", COMPETENCY, foreign=kind not in ITEM_KINDS)
            if not item.foreign:
                item.kind = str(kind)
            self.items[words(source.get("identifier")).lower()] = item
        schemes = Counter(words(item.source.get("humanCodingScheme")) for item in self.items.values() if item.foreign)
        for item in self.items.values():
            scheme = words(item.source.get("humanCodingScheme"))
            usable = not item.foreign or (
                bool(scheme)
                and schemes[scheme] == 1
                and len(scheme) <= MAX_COMPETENCY_CODE
                and normal(scheme) == scheme
            )
            if scheme and not usable:
                self.result.told["code not used"].append(item.place)
            item.code = scheme if usable else words(item.source.get("identifier"))
            item.thing = Thing(item.source, item.place, {"code": item.code})
            said = item.thing.said.get("code")
            item.code = said if isinstance(said, str) and said else item.code

    def hangs(self, association: Object) -> bool:
        """Whether it says what an item of this package is part of in this package."""
        if words(association.get("associationType")).casefold() != CHILD_OF.casefold() or MARK in own_part(association):
            return False
        above = key_of_node(association["destinationNodeURI"])
        return key_of_node(association["originNodeURI"]) in self.items and (above == self.key or above in self.items)

    def order(self) -> None:
        """Items as the tree shows them, from the top; what is in no tree at the end."""
        below: dict[str, list[str]] = defaultdict(list)
        for key, item in self.items.items():
            below[item.parent if item.above is not None else self.key].append(key)

        def place(key: str) -> tuple[Any, ...]:
            item = self.items[key]
            return (
                item.above is None,
                ITEM_KINDS.index(item.kind),
                _sequence(item.above or {}),
                natural(item.source.get("listEnumeration")),
                natural(item.source.get("humanCodingScheme")),
                key,
            )

        for keys in below.values():
            keys.sort(key=place)
        waiting = list(reversed(below[self.key]))
        while waiting:
            key = waiting.pop()
            self.places[key] = len(self.places)
            waiting += reversed(below.get(key, []))
        if len(self.places) < len(self.items):
            key, met = next(key for key in self.items if key not in self.places), set()
            while key not in met:
                met.add(key)
                key = self.items[key].parent
            self.result.circle = self.items[key].place

    def things(self) -> None:
        for key in sorted(self.places, key=self.places.__getitem__):
            item = self.items[key]
            parent = self.items.get(item.parent) if item.above is not None else None
            if item.foreign:
                self.foreign_item(item)
            else:
                self.own_item(item, parent)
            if parent is not None:
                self.hang(item, parent)
            if item.above is None and item.foreign:
                self.result.told["in no tree"].append(item.place)
            if item.kind == PROFILE:
                if parent is None or parent.kind != ROLE:
                    self.result.loose.append(item.place)
                else:
                    parent.thing.below.append(item.thing)
            else:
                self.lists[item.kind].append(item.thing)
        for things in self.lists.values():
            things.sort(key=_position)

    @property
    def lists(self) -> Mapping[str, list[Thing]]:
        found = self.result
        return {AREA: found.areas, COMPETENCY: found.competencies, FAMILY: found.families, ROLE: found.roles}

    def hang(self, item: _Item, parent: _Item) -> None:
        above = {(COMPETENCY, COMPETENCY): "parent", (COMPETENCY, AREA): "area", (ROLE, FAMILY): "family"}
        if name := above.get((item.kind, parent.kind)):
            item.thing.plain[name] = parent.code

    def own_item(self, item: _Item, parent: _Item | None) -> None:
        source, said = item.source, item.thing.plain
        language = language_of(source.get("language")) or self.language
        codes = (parent.code, item.code) if item.kind == PROFILE and parent is not None else (item.code,)
        identifier = words(source.get("identifier"))
        if identifier != derived(self.key, item.kind, *codes):
            said["identifier"] = identifier
        texts = {
            AREA: {"title": "fullStatement", "description": "notes"},
            FAMILY: {"title": "fullStatement", "description": "notes"},
            COMPETENCY: {"title": "fullStatement", "description": "notes", "alternatives": "alternativeLabel"},
            ROLE: {"title": "fullStatement", "summary": "notes", "alternatives": "alternativeLabel"},
            PROFILE: {"grade": "abbreviatedStatement", "summary": "notes"},
        }[item.kind]
        for name, member in texts.items():
            if text := words(source.get(member)):
                said[name] = {language: text}
        if item.kind == COMPETENCY:
            self.kind(said, source)
        if rest := beyond(source, ITEM_MEMBERS_OF_OURS):
            said["extra"] = {"case": rest}

    def kind(self, said: Object, source: Object) -> None:
        kind = KIND_OF.get(words(source.get("CFItemType")).casefold(), COMPETENCY)
        if kind != COMPETENCY:
            said["kind"] = kind

    def foreign_item(self, item: _Item) -> None:
        """A competency: the short statement is its title and the full one its description, where there are two."""
        source, said = item.source, item.thing.plain
        language = language_of(source.get("language")) or self.language
        rest = without_own(source)
        said["identifier"] = words(rest.pop("identifier", ""))
        full, short = words(rest.pop("fullStatement", "")), words(rest.get("abbreviatedStatement"))
        if 0 < len(short) <= MAX_TITLE:
            title, description = short, full
            del rest["abbreviatedStatement"]
        else:
            title = shortened(full or short)
            description = full if title != full else ""
        if title.endswith("…") and title not in (full, short):
            self.result.told["long statement"].append(item.place)
        said["title"] = {language: title}
        if description:
            said["description"] = {language: description}
        if label := words(rest.pop("alternativeLabel", "")):
            said["alternatives"] = {language: label}
        if said["code"] == words(rest.get("humanCodingScheme")):
            del rest["humanCodingScheme"]
        self.kind(said, source)
        if item.above is not None:
            rest[CHILD_OF] = without_own(item.above)
        said["extra"] = {"case": rest}

    # --- Associations ----------------------------------------------------------------------------------------------
    def association(self, place: str, association: Object) -> None:
        origin = self.items.get(key_of_node(association["originNodeURI"]))
        mark = own_part(association).get(MARK)
        if mark == ALIGNMENT:
            self.result.alignments.append(Thing(association, place))
            return
        target = key_of_node(association["destinationNodeURI"])
        ends = (key_of_node(association["originNodeURI"]), target)
        self.result.outside += any(end not in self.items and end != self.key for end in ends)
        if mark == REQUIREMENT:
            needed = self.items.get(target)
            thing = Thing(association, place)
            if needed is not None and needed.kind == COMPETENCY:
                thing.plain["competency"] = needed.code
            if origin is None or origin.kind != PROFILE:
                self.result.loose.append(place)
            else:
                origin.thing.below.append(thing)
        elif mark in (LINK, FOREIGN_LINK) or (origin is not None and origin.kind == COMPETENCY):
            self.link(place, association, origin, target, foreign=mark != LINK)
        else:
            self.result.told["begins outside"].append(place)
            self.began_outside.append(without_own(association))

    def link(self, place: str, association: Object, origin: _Item | None, target: str, *, foreign: bool) -> None:
        thing = Thing(association, place)
        said = thing.plain
        if origin is not None:
            said["origin"] = origin.code
        word = words(association.get("associationType"))
        relation = RELATION_OF.get(word.casefold(), LinkRelation.OTHER.value)
        said["relation"] = relation
        if relation == LinkRelation.OTHER.value and word != RELATIONS[relation]:
            self.result.told[f"type {word}"].append(place)
        node = association["destinationNodeURI"]
        goal = self.items.get(target)
        if goal is not None and goal.kind == COMPETENCY:
            said["target"] = goal.code
        else:
            identifier, uri = words(node.get("identifier")), words(node.get("uri"))
            said["target_uri"] = uri if 0 < len(uri) <= MAX_URL else identifier[:MAX_URL] or uri[:MAX_URL]
            if title := words(node.get("title")):
                said["target_title"] = title
        rest = without_own(association)
        if note := words(rest.pop("notes", "")):
            said["note"] = note
        identifier = words(rest.pop("identifier", ""))
        position = own_part(association).get(POSITION)
        if foreign or identifier != derived(self.key, LINK, str(position)):
            said["identifier"] = identifier
        if not foreign:
            rest = beyond(association, ASSOCIATION_MEMBERS)
        if foreign or rest:
            said["extra"] = {"case": rest}
        begins = self.places.get(key_of_node(association["originNodeURI"]), LAST)
        self.found_links.append(((begins, _sequence(association), word, target, identifier.lower()), thing))

    def links(self) -> None:
        self.found_links.sort(key=lambda pair: pair[0])
        self.result.links = sorted((thing for _key, thing in self.found_links), key=_position)
        for role in self.result.roles:
            for profile in role.below:
                profile.below.sort(key=lambda thing: _sequence(thing.source))

    # --- Levels ----------------------------------------------------------------------------------------------------
    def rubrics(self) -> list[Object]:
        """Reads the rubric that is the scale with its descriptors; the others are given back."""
        others = []
        for index, rubric in enumerate(self.package.get("CFRubrics") or []):
            if own_part(rubric).get(MARK) == LEVELS:
                for number_, criterion in enumerate(rubric.get("CFRubricCriteria") or []):
                    self.criterion(f"$.CFRubrics[{index}].CFRubricCriteria[{number_}]", criterion)
            else:
                others.append(without_own(rubric))
        return others

    def criterion(self, place: str, criterion: Object) -> None:
        levels = []
        for index, level in enumerate(criterion.get("CFRubricCriterionLevels") or []):
            thing = Thing(level, f"{place}.CFRubricCriterionLevels[{index}]")
            rank = number(level.get("score"))
            if rank is not None:
                thing.plain["rank"] = rank
            if criterion.get("CFItemURI") is None:
                if quality := words(level.get("quality")):
                    thing.plain["label"] = {self.language: quality}
                if description := words(level.get("description")):
                    thing.plain["description"] = {self.language: description}
                identifier = words(level.get("identifier"))
                if identifier != derived(self.key, "level", str(rank)):
                    thing.plain["identifier"] = identifier
            elif description := words(level.get("description")):
                thing.plain["text"] = {self.language: description}
            levels.append(thing)
        levels.sort(key=lambda thing: number(thing.source.get("position")) or 0)
        if criterion.get("CFItemURI") is None:
            self.result.levels += levels
            return
        item = self.items.get(key_of_node(criterion["CFItemURI"]))
        if item is None or item.kind != COMPETENCY:
            self.result.loose.append(place)
        else:
            item.thing.below += levels

    # --- The framework ---------------------------------------------------------------------------------------------
    def framework(self, rubrics: list[Object]) -> None:
        document, said = self.document, self.result.framework.plain
        rest = without_own(document)
        identifier = words(rest.pop("identifier", ""))
        title = words(rest.pop("title", ""))
        if not language_of(document.get("language")):
            self.result.told["language"].append("$.CFDocument.language")
        said["slug"] = slug_of(title, identifier)
        if len(title) > MAX_TITLE:
            rest["title"] = title
            self.result.told["name too long"].append("$.CFDocument.title")
        said["title"] = {self.language: shortened(title)}
        others = {language_of(item.source.get("language")) for item in self.items.values()} - {"", self.language}
        if others or self.language != "en":  # as content has it where nothing is said
            said["languages"] = [self.language, *sorted(others)]
        edition = words(rest.get("version"))
        if edition and len(edition) <= MAX_EDITION:
            said["edition"] = edition
            del rest["version"]
        elif edition:
            self.result.told["name too long"].append("$.CFDocument.version")
        if description := words(rest.pop("description", "")):
            said["description"] = {self.language: description}
        url = words(rest.get("officialSourceURL"))
        if url and len(url) <= MAX_URL and not objection_to_url(url):
            said["source_url"] = url
            del rest["officialSourceURL"]
        elif url:
            self.result.told["address not usable"].append("$.CFDocument.officialSourceURL")
        creator, publisher = words(rest.get("creator")), words(rest.get("publisher"))
        if self.foreign:
            publisher = publisher or creator
        if publisher and len(publisher) <= MAX_PUBLISHER:
            said["publisher"] = publisher
            if publisher == words(rest.get("publisher")):
                del rest["publisher"]
        elif publisher:
            self.result.told["name too long"].append("$.CFDocument.publisher")
        licence = self.licence()
        if licence:
            said["licence"] = licence
        if not self.foreign:
            if attribution := words(rest.get("notes")):
                said["attribution"] = attribution
            rest = beyond(document, DOCUMENT_MEMBERS)
        else:
            said["identifier"] = identifier
        definitions = self.definitions()
        if definitions:
            rest["CFDefinitions"] = definitions
        if rubrics:
            rest["CFRubrics"] = in_order(rubrics)
        if self.began_outside:
            rest["CFAssociations"] = in_order(self.began_outside)
        known = ("CFDocument", "CFItems", "CFAssociations", "CFDefinitions", "CFRubrics")
        package = {name: value for name, value in without_own(self.package).items() if name not in known}
        if package:
            rest["package"] = package
        if self.foreign or rest:
            said["extra"] = {"case": rest}

    def licence(self) -> str:
        link = self.document.get("licenseURI")
        key = key_of_node(link)
        licences = (self.package.get("CFDefinitions") or {}).get("CFLicenses") or []
        titles = [words(row.get("title")) for row in licences if key and words(row.get("identifier")).lower() == key]
        title = next(filter(None, titles), "") or (words(link.get("title")) if isinstance(link, dict) else "")
        if len(title) > MAX_LICENCE:
            self.result.told["name too long"].append("$.CFDocument.licenseURI")
            return ""
        return title

    def definitions(self) -> Object:
        """Those of others: ours have names that are made from the document's."""
        found: Object = {}
        for name, value in (self.package.get("CFDefinitions") or {}).items():
            if name in DEFINITIONS and isinstance(value, list):
                kind = {"CFItemTypes": "type", "CFLicenses": "license"}.get(name, name)
                value = in_order(
                    row
                    for row in value
                    if words(row.get("identifier")) != derived(self.key, kind, words(row.get("title")))
                )
            if value not in (None, []):
                found[name] = value
        return found


def in_order(things: Iterable[Object]) -> list[Object]:
    """By identifier: in which order they stand in the file says nothing."""
    return sorted(things, key=lambda thing: (words(thing.get("identifier")).lower(), canonical(thing)))


def _sequence(association: Mapping[str, Any]) -> float:
    found = number(association.get("sequenceNumber"))
    return LAST if found is None else found


def _position(thing: Thing) -> float:
    found = number(own_part(thing.source).get(POSITION))
    return LAST if found is None else found


def beyond(thing: Mapping[str, Any], known: frozenset[str]) -> Object:
    """What somebody added to a thing that we wrote."""
    return {name: value for name, value in without_own(thing).items() if name not in known}
