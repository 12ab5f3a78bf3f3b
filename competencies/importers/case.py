"""1EdTech CASE 1.0 and 1.1: a CFPackage, one JSON file. The tree is made of isChildOf and sequenceNumber.

Other houses write CASE in many ways: what can be read is read and told, what has no place here stays in `extra["case"]`
under CASE's own names. What competencies.exporters.case wrote becomes the very framework that it was.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from competencies import case_words
from competencies.case_words import (
    ASSOCIATION_MEMBERS,
    DOCUMENT_MEMBERS,
    ITEM_MEMBERS,
    PACKAGE_MEMBERS,
    Plain,
    Thing,
    key_of_node,
    number,
    own_part,
)
from competencies.enums import MAX_RANK, CompetencyKind, LinkRelation, Necessity
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
    AreaContent,
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
    shown,
)
from competencies.importers.sources import Node, Source, only, step

TITLE = gettext_lazy("CASE: a package (CFPackage) of 1EdTech's CASE 1.0 or 1.1, one JSON file")

MARK = b'"CFDocument"'
MAX_DEPTH = 50
PAGE_BREAK = re.compile("[\x0b\x0c]")
MAX_FIGURE = 20
Coded = TypeVar("Coded", AreaContent, FamilyContent)


def sniff(sources: Sequence[Source]) -> bool:
    """Whether one of the sources is a package."""
    return any(map(_is_package, sources))


def read(sources: Sequence[Source]) -> FrameworkContent:
    """The one package among the sources.

    Raises CannotImport with the JSON path of what has no identifier or statement, of identifiers that stand there
    twice, and of items that are part of themselves.
    """
    source = only(sources, _is_package, missing=_("The file has no “CFDocument”. Export the whole package."))
    document = source.document()
    faults = Faults()
    page_breaks = _check_values(document, faults)
    faults.raise_if_any()
    package = _checked(document, faults)
    faults.raise_if_any()
    plain = case_words.plain(package)
    if plain.circle:
        faults.add(
            plain.circle,
            _("This item is part of itself: its isChildOf associations form a circle. Take one of them out."),
        )
    for place in plain.loose:
        faults.add(place, _("What this belongs to is not in the package. Correct the identifier, or export it again."))
    faults.raise_if_any()
    content = _Building(faults).framework(plain)
    faults.raise_if_any()
    counts = {
        "cf_items": len(package["CFItems"]),
        "cf_associations": len(package["CFAssociations"]),
        **({"cf_associations_outside": plain.outside} if plain.outside else {}),
    }
    deviations = [
        *_page_breaks_told(page_breaks),
        *_told(plain),
        *_alignments_told(plain.alignments),
        *_unknown_members(package),
    ]
    return FrameworkContent(**content, source_counts=counts, deviations=tuple(deviations))


def _is_package(source: Source) -> bool:
    return source.looks_like_json and MARK in source.raw


# --- What stands in the file -------------------------------------------------------------------------------------
def _check_values(document: Any, faults: Faults) -> list[str]:
    """Everything is kept, so everything must be fit to be kept: no text that cannot be stored, nothing bottomless.

    Page breaks in the middle of texts become line breaks; their places are given back.
    """
    page_breaks: list[str] = []
    heap: list[tuple[Any, str, int]] = [(document, "$", 0)]
    while heap:
        value, place, depth = heap.pop()
        if depth > MAX_DEPTH:
            faults.add(place[:200], _("The JSON is nested too deeply to be a framework. Export it again."))
            continue
        inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, member in inside:
            below = step(place, key) if isinstance(key, str) else f"{place}[{key}]"
            if isinstance(key, str) and (objection := objection_to_text(key)):
                faults.add(place, objection)
            if not isinstance(member, str):
                heap.append((member, below, depth + 1))
                continue
            if PAGE_BREAK.search(member):
                member = value[key] = PAGE_BREAK.sub("\n", member)
                page_breaks.append(below)
            if objection := objection_to_text(member):
                faults.add(below, objection)
    return sorted(page_breaks)


def _checked(document: Any, faults: Faults) -> dict[str, Any]:
    """The package with objects, lists and texts where they are read; faults for what is of another kind."""
    top = Node(document, "$", faults).fields(["CFDocument"], sorted(PACKAGE_MEMBERS - {"CFDocument"}), extra=Counter())
    about = _texts(
        top["CFDocument"],
        ["identifier", "title"],
        ["creator", "publisher", "description", "language", "version", "officialSourceURL", "notes"],
        DOCUMENT_MEMBERS,
    )
    if about["licenseURI"]:
        about["licenseURI"].members()
    package = dict(document) if isinstance(document, dict) else {}
    met = {key_of_node(top["CFDocument"].value)}
    items = top["CFItems"].items() if top["CFItems"] else []
    for node in items:
        named = _texts(
            node,
            ["identifier"],
            [
                *("fullStatement", "abbreviatedStatement", "alternativeLabel", "humanCodingScheme"),
                *("listEnumeration", "CFItemType", "language", "notes"),
            ],
            ITEM_MEMBERS,
        )
        identifier = _identifier(named["identifier"], MAX_COMPETENCY_CODE)
        if identifier and identifier in met:
            named["identifier"].fault(_("This identifier stands there already. Give each thing its own."))
        met.add(identifier)
        statements = [named[name].value for name in ("fullStatement", "abbreviatedStatement")]
        if isinstance(node.value, dict) and not any(case_words.words(value) for value in statements):
            node.fault(_("The item says nothing: “fullStatement” is missing. Fill it in, or take the item out."))
    associations = top["CFAssociations"].items() if top["CFAssociations"] else []
    for node in associations:
        named = _texts(node, ["associationType"], ["identifier", "notes"], ASSOCIATION_MEMBERS)
        if named["identifier"]:
            _identifier(named["identifier"], MAX_IDENTIFIER)
        for name in ("originNodeURI", "destinationNodeURI"):
            _end(named[name])
        sequence = named["sequenceNumber"]
        if sequence and number(sequence.value) is None:
            sequence.fault(_("“%(value)s” is not a whole number. Correct it.") % {"value": shown(sequence.value)})
    for name in ("CFItems", "CFAssociations"):
        package[name] = package.get(name) or []
    _check_definitions(top["CFDefinitions"])
    for node in top["CFRubrics"].items() if top["CFRubrics"] else []:
        _check_rubric(node)
    return package


def _texts(node: Node, required: Sequence[str], optional: Sequence[str], known: frozenset[str]) -> dict[str, Node]:
    """The members of an object; those that are named must be texts, null is as good as none."""
    members = node.fields(required, sorted(known.difference(required)), extra=Counter())
    for name in (*required, *optional):
        if members[name] or (name in required and members[name].usable):
            members[name].text(blank=name not in required)
    return members


def _identifier(node: Node, limit: int) -> str:
    found = node.value if isinstance(node.value, str) else ""
    if len(found) > limit:
        node.fault(
            _("The identifier has %(count)s characters; at most %(limit)s fit. Write a UUID.")
            % {"count": len(found), "limit": limit}
        )
    return found.strip().lower()


def _end(node: Node) -> None:
    if not node:
        node.faults.add(node.place, _("The association has no such end. Add it, or take the association out."))
        return
    members = node.fields([], ["identifier", "uri", "title"], extra=Counter())
    for member in members.values():
        if member:
            member.text(blank=True)
    if isinstance(node.value, dict) and not key_of_node(node.value):
        node.fault(_("The end of the association has neither “identifier” nor “uri”. Add one of them."))


def _check_definitions(node: Node) -> None:
    if not node:
        return
    members = dict(node.members())
    for name in case_words.DEFINITIONS:
        if members.get(name):
            for row in members[name].items():
                row.members()


def _check_rubric(node: Node) -> None:
    node.members()
    if not isinstance(node.value, dict) or own_part(node.value).get(case_words.MARK) != case_words.LEVELS:
        return
    criteria = node.fields([], ["CFRubricCriteria"], extra=Counter())["CFRubricCriteria"]
    for criterion in criteria.items() if criteria else []:
        members = criterion.fields([], ["CFItemURI", "CFRubricCriterionLevels"], extra=Counter())
        if members["CFItemURI"]:
            _end(members["CFItemURI"])
        levels = members["CFRubricCriterionLevels"]
        for level in levels.items() if levels else []:
            level.members()


def _page_breaks_told(places: Sequence[str]) -> list[Deviation]:
    message = ngettext(
        "%(count)s text has page breaks; they are read as line breaks.",
        "%(count)s texts have page breaks; they are read as line breaks.",
        len(places),
    )
    return [Deviation(places[0], message % {"count": len(places)})] if places else []


def _told(plain: Plain) -> list[Deviation]:
    """What was read otherwise than it stands there, one sentence for each way, at the first place."""
    sentences: dict[str, Callable[[int], str]] = {
        "second parent": lambda n: ngettext(
            "%(count)s item is part of several; the first is its place in the tree, the others are links.",
            "%(count)s times an item is part of another one too; the first is its place in the tree, the others are links.",
            n,
        ),
        "code not used": lambda n: ngettext(
            "%(count)s “humanCodingScheme” is too long, has line breaks or stands there twice: the identifier is the code.",
            "%(count)s “humanCodingScheme” are too long, have line breaks or stand there twice: "
            "the identifiers are the codes.",
            n,
        ),
        "in no tree": lambda n: ngettext(
            "%(count)s item is part of nothing here and stands at the end.",
            "%(count)s items are part of nothing here and stand at the end.",
            n,
        ),
        "long statement": lambda n: ngettext(
            "%(count)s statement is too long for a title; the title is its beginning, the description the whole.",
            "%(count)s statements are too long for titles; the titles are their beginnings, the descriptions the whole.",
            n,
        ),
        "begins outside": lambda n: ngettext(
            "%(count)s association does not begin at a competency of this package; it is kept as it stands.",
            "%(count)s associations do not begin at a competency of this package; they are kept as they stand.",
            n,
        ),
        "address not usable": lambda n: _("This is not a web address that can be shown; it is kept as it stands."),
        "language": lambda n: _("No usable language is named here: the texts are taken for English."),
        "name too long": lambda n: _("This is too long for its field; it is kept as it stands."),
    }
    told = []
    for what, places in sorted(plain.told.items()):
        if what.startswith("type "):
            message = ngettext(
                "“%(type)s” is not a type of association that is known here: %(count)s link is kept with this word.",
                "“%(type)s” is not a type of association that is known here: %(count)s links are kept with this word.",
                len(places),
            ) % {"type": shown(what[5:]), "count": len(places)}
        else:
            message = sentences[what](len(places)) % {"count": len(places)}
        told.append(Deviation(places[0], message))
    return told


def _alignments_told(alignments: Sequence[Thing]) -> list[Deviation]:
    """What people elsewhere said of competencies here and there: their word, so it is told and not taken for ours."""
    if not alignments:
        return []
    message = ngettext(
        "%(count)s alignment with another framework is stated. It is not part of the framework: "
        "where you agree, align the two on the page of the competency.",
        "%(count)s alignments with other frameworks are stated. They are not part of the framework: "
        "where you agree, align the two on the page of the competency.",
        len(alignments),
    )
    return [
        Deviation(alignments[0].place, message % {"count": len(alignments)}),
        *(Deviation(thing.place, _alignment_words(thing.source)) for thing in alignments),
    ]


def _alignment_words(association: Mapping[str, Any]) -> str:
    origin, destination = (
        shown(case_words.words(node.get("title")) or key_of_node(node))
        for node in (association["originNodeURI"], association["destinationNodeURI"])
    )
    relation = case_words.words(association["associationType"])
    levels = own_part(association).get("levels")
    values = {"origin": origin, "destination": destination, "relation": shown(relation)}
    said = _("“%(origin)s” %(relation)s “%(destination)s”") % values
    if isinstance(levels, dict) and levels:
        pairs = ", ".join(f"{shown(at)} → {shown(to)}" for at, to in levels.items())
        said = _("%(said)s, levels %(pairs)s") % {"said": said, "pairs": shown(pairs, 200)}
    if note := case_words.words(association.get("notes")):
        said = f"{said}: {shown(note, 200)}"
    return said


def _unknown_members(package: Mapping[str, Any]) -> list[Deviation]:
    """Members that neither CASE 1.0 nor 1.1 knows, with how often they are there."""
    found: Counter[tuple[str, str]] = Counter()
    for place, things, known in (
        ("$", [package], PACKAGE_MEMBERS),
        ("$.CFDocument", [package["CFDocument"]], DOCUMENT_MEMBERS),
        ("$.CFItems", package["CFItems"], ITEM_MEMBERS),
        ("$.CFAssociations", package["CFAssociations"], ASSOCIATION_MEMBERS),
        ("$.CFDefinitions", [package.get("CFDefinitions") or {}], frozenset({*case_words.DEFINITIONS, "extensions"})),
    ):
        found.update((place, name) for thing in things for name in thing if name not in known)
    return [
        Deviation(
            place,
            ngettext(
                "“%(name)s” is not known in CASE; it is kept as it stands (%(count)s time).",
                "“%(name)s” is not known in CASE; it is kept as it stands (%(count)s times).",
                count,
            )
            % {"name": shown(name), "count": count},
        )
        for (place, name), count in sorted(found.items())
    ]


# --- What becomes of it ------------------------------------------------------------------------------------------
class _Building:
    """Content of what was read. What CASE's own members say fits already; what `extensions` say must be looked at."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.ranks: set[int] = set()
        self.codes: dict[str, set[str]] = {}
        self.extends: tuple[str, str] | None = None

    def node(self, thing: Thing) -> Node:
        own = bool(own_part(thing.source))
        place = f"{thing.place}.extensions.{case_words.KEY}" if own else thing.place
        return Node(thing.said, place, self.faults)

    def fields(self, thing: Thing, required: Sequence[str], optional: Sequence[str]) -> dict[str, Node]:
        return self.node(thing).fields(required, [*optional, "extra"])

    def framework(self, plain: Plain) -> dict[str, Any]:
        fields = self.fields(
            plain.framework,
            ["slug", "title"],
            [
                *("edition", "description", "publisher", "source", "source_url", "licence", "attribution"),
                *("languages", "extends", "identifier"),
            ],
        )
        if fields["extends"]:
            pair = [node.text() for node in fields["extends"].items()]
            if len(pair) == 2:
                self.extends = (pair[0], pair[1])
            else:
                fields["extends"].fault(_("Write the short name of the extended framework and its edition."))
        url = self.text(fields["source_url"], MAX_URL)
        if url and (objection := objection_to_url(url)):
            fields["source_url"].fault(objection)
        languages = [node.text(limit=35) for node in fields["languages"].items()] if fields["languages"] else ["en"]
        levels = tuple(self.level(thing) for thing in plain.levels)
        competencies_come = {str(thing.said.get("code")) for thing in plain.competencies}
        areas = tuple(self.coded(thing, AreaContent, case_words.AREA) for thing in plain.areas)
        families = tuple(self.coded(thing, FamilyContent, case_words.FAMILY) for thing in plain.families)
        return {
            "slug": self.text(fields["slug"], MAX_SLUG, blank=False),
            "title": self.words(fields["title"], MAX_TITLE, blank=False),
            "edition": self.text(fields["edition"], MAX_EDITION) or None,
            "description": self.words(fields["description"]),
            "publisher": self.text(fields["publisher"], MAX_PUBLISHER),
            "source": self.text(fields["source"], MAX_SOURCE),
            "source_url": url,
            "licence": self.text(fields["licence"], MAX_LICENCE),
            "attribution": self.text(fields["attribution"], MAX_TEXT),
            "languages": tuple(languages),
            "levels": levels,
            "areas": areas,
            "families": families,
            "competencies": tuple(self.competency(thing, competencies_come) for thing in plain.competencies),
            "roles": tuple(self.role(thing) for thing in plain.roles),
            "links": tuple(self.link(thing) for thing in plain.links),
            "extends": self.extends,
            "identifier": self.text(fields["identifier"], MAX_IDENTIFIER),
            "extra": self.beyond(fields),
        }

    # --- Values ----------------------------------------------------------------------------------------------------
    def text(self, node: Node, limit: int, *, blank: bool = True) -> str:
        """As it stands: what is ours was tidied before it was written."""
        if not node:
            return ""
        tidied = node.text(limit=limit, blank=blank)
        return node.value if tidied else ""

    def words(self, node: Node, limit: int = MAX_TEXT, *, blank: bool = True) -> dict[str, str]:
        if not node:
            return {}
        found = {}
        for language, member in node.members():
            if not case_words.language_of(language):
                node.fault(
                    _("“%(code)s” is not a language code such as “en” or “pt-BR”. Correct it.")
                    % {"code": shown(language)}
                )
            elif text := self.text(member, limit):
                found[language] = text
        if not found and not blank:
            node.fault(_("The text is empty. Write it in at least one language."))
        return found

    def beyond(self, fields: Mapping[str, Node]) -> dict[str, Any]:
        node = fields["extra"]
        return dict(node.value) if node and node.members() else {}

    def code(self, node: Node, kind: str, limit: int, within: str = "") -> str:
        """A code that is there once."""
        code = self.text(node, limit, blank=False)
        known = self.codes.setdefault(f"{kind}/{within}", set())
        if code and code in known:
            node.fault(_("The code “%(code)s” is there already. Give each its own.") % {"code": shown(code)})
        known.add(code)
        return code

    def reference(self, node: Node, kind: str, limit: int) -> str | None:
        """A code that must be there, or in the framework that this one extends."""
        if not node:
            return None
        code = self.text(node, limit, blank=False)
        if code and code not in self.codes.get(f"{kind}/", ()) and self.extends is None:
            node.fault(
                _("There is no “%(code)s” to refer to. Correct the code, or add what it names.") % {"code": shown(code)}
            )
        return code

    def rank(self, node: Node, *, known: bool = True) -> int | None:
        """A level; where the scale is `known`, one that is on it."""
        if not node:
            return None
        rank = node.integer(0, MAX_RANK)
        if known and rank is not None and rank not in self.ranks:
            node.fault(
                _("Level %(rank)s is not on the scale: %(ranks)s. Write one of them.")
                % {"rank": rank, "ranks": ", ".join(map(str, sorted(self.ranks))) or "–"}
            )
        return rank

    def choice(self, node: Node, choices: Sequence[str], usual: str) -> str:
        if not node:
            return usual
        value = node.text()
        if value and value not in choices:
            node.fault(
                _("“%(value)s” is not known here. Write one of: %(known)s.")
                % {"value": shown(value), "known": ", ".join(choices)}
            )
        return value

    # --- Parts -----------------------------------------------------------------------------------------------------
    def level(self, thing: Thing) -> LevelContent:
        fields = self.fields(thing, ["rank", "label"], ["description", "identifier"])
        rank = self.rank(fields["rank"], known=False) or 0
        if rank in self.ranks:
            fields["rank"].fault(_("Level %(rank)s is there already. Give each its own rank.") % {"rank": rank})
        self.ranks.add(rank)
        return LevelContent(
            rank=rank,
            label=self.words(fields["label"], MAX_TITLE, blank=False),
            description=self.words(fields["description"]),
            identifier=self.text(fields["identifier"], MAX_IDENTIFIER),
            extra=self.beyond(fields),
        )

    def coded(self, thing: Thing, content: type[Coded], kind: str) -> Coded:
        fields = self.fields(thing, ["code", "title"], ["description", "identifier"])
        return content(
            code=self.code(fields["code"], kind, MAX_AREA_CODE),
            title=self.words(fields["title"], MAX_TITLE, blank=False),
            description=self.words(fields["description"]),
            identifier=self.text(fields["identifier"], MAX_IDENTIFIER),
            extra=self.beyond(fields),
        )

    def competency(self, thing: Thing, own: set[str]) -> CompetencyContent:
        fields = self.fields(
            thing,
            ["code", "title"],
            ["kind", "area", "description", "example", "parent", "rank", "alternatives", "identifier"],
        )
        parent = self.reference(fields["parent"], case_words.COMPETENCY, MAX_COMPETENCY_CODE)
        if self.extends and parent in own and parent not in self.codes.get(f"{case_words.COMPETENCY}/", ()):
            fields["parent"].fault(_("A competency stands behind the one that it is part of. Put it there."))
        return CompetencyContent(
            code=self.code(fields["code"], case_words.COMPETENCY, MAX_COMPETENCY_CODE),
            title=self.words(fields["title"], MAX_TITLE, blank=False),
            kind=self.choice(fields["kind"], CompetencyKind.values, CompetencyKind.COMPETENCY.value),
            area=self.reference(fields["area"], case_words.AREA, MAX_AREA_CODE),
            description=self.words(fields["description"]),
            example=self.words(fields["example"]),
            descriptors=self.descriptors(thing.below),
            parent=parent,
            rank=self.rank(fields["rank"]),
            alternatives=self.words(fields["alternatives"]),
            identifier=self.text(fields["identifier"], MAX_IDENTIFIER),
            extra=self.beyond(fields),
        )

    def descriptors(self, things: Sequence[Thing]) -> tuple[DescriptorContent, ...]:
        found: dict[int, DescriptorContent] = {}
        for thing in things:
            fields = self.node(thing).fields(["rank", "text"])
            rank = self.rank(fields["rank"]) or 0
            if rank in found:
                fields["rank"].fault(_("Level %(rank)s is described here already. Keep one.") % {"rank": rank})
            found[rank] = DescriptorContent(rank, self.words(fields["text"], blank=False))
        return tuple(found.values())

    def role(self, thing: Thing) -> RoleContent:
        fields = self.fields(
            thing,
            ["code", "title"],
            ["family", "summary", "key_post", "external_codes", "alternatives", "identifier"],
        )
        code = self.code(fields["code"], case_words.ROLE, MAX_ROLE_CODE)
        codes = fields["external_codes"].members() if fields["external_codes"] else []
        return RoleContent(
            code=code,
            title=self.words(fields["title"], MAX_TITLE, blank=False),
            family=self.reference(fields["family"], case_words.FAMILY, MAX_AREA_CODE),
            summary=self.words(fields["summary"]),
            key_post=self.text(fields["key_post"], MAX_KEY_POST),
            external_codes={
                system: tuple(self.text(item, MAX_COMPETENCY_CODE) for item in node.items()) for system, node in codes
            },
            profiles=tuple(self.profile(below, code) for below in thing.below),
            alternatives=self.words(fields["alternatives"]),
            identifier=self.text(fields["identifier"], MAX_IDENTIFIER),
            extra=self.beyond(fields),
        )

    def profile(self, thing: Thing, role: str) -> ProfileContent:
        fields = self.fields(thing, ["code"], ["grade", "summary", "builds_on", "identifier"])
        code = self.code(fields["code"], case_words.PROFILE, MAX_PROFILE_CODE, role)
        if fields["builds_on"] and self.extends is None:
            fields["builds_on"].fault(_("Only a framework that extends another one can build on its profiles."))
        requirements = tuple(self.requirement(below) for below in thing.below)
        for needed, times in Counter(requirement.competency for requirement in requirements).items():
            if times > 1:
                self.faults.add(
                    thing.place,
                    _("“%(code)s” is required here already. Keep one requirement.") % {"code": shown(needed)},
                )
        return ProfileContent(
            code=code,
            grade=self.words(fields["grade"], MAX_TITLE),
            summary=self.words(fields["summary"]),
            requirements=requirements,
            builds_on=self.text(fields["builds_on"], MAX_PROFILE_CODE) or None,
            identifier=self.text(fields["identifier"], MAX_IDENTIFIER),
            extra=self.beyond(fields),
        )

    def requirement(self, thing: Thing) -> RequirementContent:
        fields = self.fields(
            thing, ["competency"], ["level", "importance", "necessity", "level_value", "importance_value"]
        )
        competency = self.reference(fields["competency"], case_words.COMPETENCY, MAX_COMPETENCY_CODE) or ""
        elsewhere = self.extends is not None and competency not in self.codes.get(f"{case_words.COMPETENCY}/", ())
        content = RequirementContent(
            competency=competency,
            level=self.rank(fields["level"], known=not elsewhere),
            necessity=self.choice(fields["necessity"], Necessity.values, Necessity.REQUIRED.value),
            level_value=self.text(fields["level_value"], MAX_FIGURE),
            importance_value=self.text(fields["importance_value"], MAX_FIGURE),
            extra=self.beyond(fields),
        )
        importance = fields["importance"].integer(1, 5) if fields["importance"] else None
        return content if importance is None else RequirementContent(**{**vars(content), "importance": importance})

    def link(self, thing: Thing) -> LinkContent:
        fields = self.fields(
            thing, ["origin", "relation"], ["target", "target_uri", "target_title", "note", "identifier"]
        )
        return LinkContent(
            origin=self.reference(fields["origin"], case_words.COMPETENCY, MAX_COMPETENCY_CODE) or "",
            relation=self.choice(fields["relation"], LinkRelation.values, LinkRelation.OTHER.value),
            target=self.reference(fields["target"], case_words.COMPETENCY, MAX_COMPETENCY_CODE),
            target_uri=self.text(fields["target_uri"], MAX_URL),
            target_title=self.text(fields["target_title"], MAX_TEXT),
            note=self.text(fields["note"], MAX_TEXT),
            identifier=self.text(fields["identifier"], MAX_IDENTIFIER),
            extra=self.beyond(fields),
        )
