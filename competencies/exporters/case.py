"""A framework as a CASE 1.1 CFPackage (1EdTech). Pure: what is said, not where it is stored.

Competencies, areas, role families, roles and their profiles are CFItems of those types, descriptors a CFRubric for each
competency; what has no attribute of its own in CASE stands under `extensions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from competencies.enums import FrameworkStatus, LinkRelation
from competencies.importers.content import CompetencyContent, FrameworkContent, ProfileContent, RoleContent, Text

RELATIONS: dict[str, str] = {
    LinkRelation.EXACT: "exactMatchOf",
    LinkRelation.BROADER: "ext:isBroaderThan",
    LinkRelation.NARROWER: "ext:isNarrowerThan",
    LinkRelation.RELATED: "isRelatedTo",
    LinkRelation.PEER: "isPeerOf",
    LinkRelation.PART_OF: "isPartOf",
    LinkRelation.PRECEDES: "precedes",
    LinkRelation.REPLACED_BY: "replacedBy",
    LinkRelation.EXEMPLAR: "exemplar",
    LinkRelation.SKILL_LEVEL: "hasSkillLevel",
    LinkRelation.TRANSLATION: "isTranslationOf",
    LinkRelation.OTHER: "ext:isLinkedTo",
}
REQUIRES = "ext:requires"
ADOPTION = {
    FrameworkStatus.DRAFT: "Draft",
    FrameworkStatus.PUBLISHED: "Adopted",
    FrameworkStatus.SUPERSEDED: "Deprecated",
}
Thing = dict[str, Any]


def package(
    content: FrameworkContent,
    *,
    identifier: UUID | str,
    base_url: str,
    changed_at: datetime,
    edition: str,
    status: str,
) -> Thing:
    """The package whose document is called `identifier`; its things have identifiers made from that and their codes."""
    return _Writing(content, UUID(str(identifier)), base_url.rstrip("/"), changed_at).package(edition, status)


class _Writing:
    def __init__(self, content: FrameworkContent, document: UUID, base_url: str, changed_at: datetime) -> None:
        self.content = content
        self.document = document
        self.base_url = base_url
        self.at = changed_at.isoformat(timespec="seconds")
        self.language = content.languages[0] if content.languages else "en"
        self.items: list[Thing] = []
        self.associations: list[Thing] = []
        self.types: dict[str, Thing] = {}
        self.titles: dict[UUID, str] = {}

    def package(self, edition: str, status: str) -> Thing:
        content = self.content
        for area in content.areas:
            self.item("area", area.code, "Area", self.say(area.title), self.say(area.description), texts=area)
        for competency in content.competencies:
            self.competency(competency)
        for family in content.families:
            self.item("family", family.code, "Role family", self.say(family.title), self.say(family.description))
        for role in content.roles:
            self.role(role)
        self.tree()
        self.links()
        definitions: Thing = {"CFItemTypes": list(self.types.values())} if self.types else {}
        if content.licence:
            licence = self.thing("license", content.licence, "CFLicenses")
            definitions["CFLicenses"] = [
                {**licence, "title": content.licence, "licenseText": content.attribution or content.licence}
            ]
        found = {
            "CFDocument": self.cf_document(edition, status),
            "CFItems": self.items,
            "CFAssociations": self.associations,
            "CFDefinitions": definitions,
            "CFRubrics": [rubric for c in content.competencies if (rubric := self.rubric(c))],
        }
        return {key: value for key, value in found.items() if value}

    # --- Words -----------------------------------------------------------------------------------------------------
    def say(self, text: Text) -> str:
        return text.get(self.language) or next(iter(text.values()), "")

    def name(self, kind: str, code: str) -> UUID:
        return uuid5(self.document, f"{kind}/{code}")

    def thing(self, kind: str, code: str, collection: str) -> Thing:
        identifier = self.name(kind, code)
        return {
            "identifier": str(identifier),
            "uri": f"{self.base_url}/{collection}/{identifier}",
            "lastChangeDateTime": self.at,
        }

    def link(self, kind: str, code: str) -> Thing:
        identifier = self.name(kind, code)
        title = self.titles.get(identifier, code)
        return {"title": title, "identifier": str(identifier), "uri": f"{self.base_url}/CFItems/{identifier}"}

    # --- Things ----------------------------------------------------------------------------------------------------
    def cf_document(self, edition: str, status: str) -> Thing:
        content = self.content
        document: Thing = {
            "identifier": str(self.document),
            "uri": f"{self.base_url}/CFDocuments/{self.document}",
            "caseVersion": "1.1",
            "creator": content.publisher or content.slug,
            "title": one_line(self.say(content.title)) or content.slug,
            "lastChangeDateTime": self.at,
            "officialSourceURL": content.source_url,
            "publisher": content.publisher,
            "description": self.say(content.description),
            "language": self.language,
            "version": edition,
            "adoptionStatus": ADOPTION[FrameworkStatus(status)],
            "notes": content.attribution,
        }
        if content.licence:
            identifier = self.name("license", content.licence)
            document["licenseURI"] = {
                "title": content.licence,
                "identifier": str(identifier),
                "uri": f"{self.base_url}/CFLicenses/{identifier}",
            }
        return {key: value for key, value in document.items() if value}

    def item(self, kind: str, code: str, item_type: str, statement: str, notes: str, *, texts: Any = None) -> Thing:
        type_thing = self.types.setdefault(item_type, self.item_type(item_type))
        item = self.thing(kind, code, "CFItems") | {
            "fullStatement": statement or code,
            "humanCodingScheme": one_line(code),
            "CFItemType": item_type,
            "CFItemTypeURI": {key: type_thing[key] for key in ("title", "identifier", "uri")},
            "language": self.language,
        }
        if notes:
            item["notes"] = notes
        translations = {} if texts is None else self.translations(texts)
        if translations:
            item["extensions"] = {"translations": translations}
        self.titles[self.name(kind, code)] = one_line(statement or code)
        self.items.append(item)
        return item

    def translations(self, texts: Any) -> Mapping[str, Mapping[str, str]]:
        """What is said in other languages: field → language → text."""
        found = {}
        for field in ("title", "description", "example", "summary"):
            text = getattr(texts, field, {})
            others = {language: words for language, words in text.items() if language != self.language and words}
            if others:
                found[field] = others
        return found

    def item_type(self, title: str) -> Thing:
        return self.thing("type", title, "CFItemTypes") | {
            "title": title,
            "description": title,
            "hierarchyCode": str(len(self.types) + 1),
        }

    def competency(self, row: CompetencyContent) -> None:
        self.item(
            "competency",
            row.code,
            row.kind.replace("_", " ").capitalize(),
            self.say(row.title),
            self.say(row.description),
            texts=row,
        )

    def role(self, role: RoleContent) -> None:
        self.item("role", role.code, "Role", self.say(role.title), self.say(role.summary), texts=role)
        for profile in role.profiles:
            grade = self.say(profile.grade)
            title = self.say(role.title)
            self.item(
                "profile",
                f"{role.code}/{profile.code}",
                "Role profile",
                f"{title} · {grade}" if grade else title,
                self.say(profile.summary),
            )

    def rubric(self, row: CompetencyContent) -> Thing | None:
        if not row.descriptors:
            return None
        labels = {level.rank: self.say(level.label) for level in self.content.levels}
        rubric = self.thing("rubric", row.code, "CFRubrics")
        criterion = self.thing("criterion", row.code, "CFRubricCriteria")
        levels = []
        for position, descriptor in enumerate(row.descriptors, start=1):
            level = self.thing("criterion level", f"{row.code}/{descriptor.rank}", "CFRubricCriterionLevels")
            levels.append(
                level
                | {
                    "quality": one_line(labels.get(descriptor.rank, "")),
                    "score": descriptor.rank,
                    "description": self.say(descriptor.text),
                    "position": position,
                    "rubricCriterionId": criterion["identifier"],
                }
            )
        criterion |= {
            "CFItemURI": self.link("competency", row.code),
            "position": 1,
            "rubricId": rubric["identifier"],
            "CFRubricCriterionLevels": levels,
        }
        return rubric | {"title": one_line(self.say(row.title)), "CFRubricCriteria": [criterion]}

    # --- How they hang together ------------------------------------------------------------------------------------
    def associate(self, relation: str, origin: Thing, destination: Thing, key: str, **more: Any) -> None:
        thing = self.thing("association", f"{relation}/{key}", "CFAssociations")
        self.associations.append(
            thing
            | {
                "associationType": relation,
                "originNodeURI": origin,
                "destinationNodeURI": destination,
                **{name: value for name, value in more.items() if value not in ("", None, {})},
            }
        )

    def tree(self) -> None:
        top = {
            "title": one_line(self.say(self.content.title)) or self.content.slug,
            "identifier": str(self.document),
            "uri": f"{self.base_url}/CFDocuments/{self.document}",
        }

        def below(kind: str, code: str, above: Thing, number: int) -> None:
            key = f"{kind}/{code}"
            self.associate("isChildOf", self.link(kind, code), above, key, sequenceNumber=number)

        for number, area in enumerate(self.content.areas, start=1):
            below("area", area.code, top, number)
        for number, row in enumerate(self.content.competencies, start=1):
            above = (
                self.link("competency", row.parent)
                if row.parent is not None
                else self.link("area", row.area)
                if row.area is not None
                else top
            )
            below("competency", row.code, above, number)
        for number, family in enumerate(self.content.families, start=1):
            below("family", family.code, top, number)
        for number, role in enumerate(self.content.roles, start=1):
            below("role", role.code, self.link("family", role.family) if role.family is not None else top, number)
            for place, profile in enumerate(role.profiles, start=1):
                code = f"{role.code}/{profile.code}"
                below("profile", code, self.link("role", role.code), place)
                self.requirements(code, profile)

    def requirements(self, code: str, profile: ProfileContent) -> None:
        for number, need in enumerate(profile.requirements, start=1):
            said = {"level": need.level, "importance": need.importance, "necessity": need.necessity}
            self.associate(
                REQUIRES,
                self.link("profile", code),
                self.link("competency", need.competency),
                f"{code}/{need.competency}",
                sequenceNumber=number,
                extensions={key: value for key, value in said.items() if value is not None},
            )

    def links(self) -> None:
        for number, link in enumerate(self.content.links, start=1):
            destination = (
                self.link("competency", link.target)
                if link.target is not None
                else {
                    "title": one_line(link.target_title) or link.target_uri,
                    "identifier": link.target_uri,
                    "uri": link.target_uri,
                    "targetType": "ext:reference",
                }
            )
            self.associate(
                RELATIONS[link.relation],
                self.link("competency", link.origin),
                destination,
                f"{number}/{link.origin}",
                notes=link.note,
            )


def one_line(text: str) -> str:
    """CASE's normalised strings know no line breaks."""
    return " ".join(text.split())
