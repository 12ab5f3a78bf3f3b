"""A framework as a CASE 1.1 CFPackage (1EdTech). Pure: what is said, not where it is stored.

Areas, competencies, role families, roles and their profiles are CFItems of those types, requirements and links
associations, the scale with its descriptors a CFRubric. What came from a CASE package goes out under its own
identifiers, dates and addresses. What CASE has no word for stands under `extensions` (competencies.case_words): what is
written is read as anybody reads it, and what that leaves out is added. So `importers.read` finds the same framework.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from competencies import case_words
from competencies.case_words import (
    AREA,
    CHILD_OF,
    COMPETENCY,
    DEFINITIONS,
    FAMILY,
    FOREIGN_LINK,
    FRAMEWORK,
    ITEM_WORDS,
    KEY,
    KIND_WORDS,
    LEVELS,
    LINK,
    MARK,
    POSITION,
    PROFILE,
    RELATION_OF,
    RELATIONS,
    REQUIREMENT,
    REQUIRES,
    ROLE,
    Object,
    Thing,
    derived,
    difference,
    fields_of,
    key_of_node,
    language_of,
    normal,
)
from competencies.enums import FrameworkStatus
from competencies.exporters.case_fitting import ASSOCIATION, DEFINITION, DOCUMENT, ITEM, RUBRIC, Fit, is_uuid
from competencies.importers.content import CompetencyContent, FrameworkContent, LinkContent, ProfileContent, Text

ADOPTION = {
    FrameworkStatus.DRAFT: "Draft",
    FrameworkStatus.PUBLISHED: "Adopted",
    FrameworkStatus.SUPERSEDED: "Deprecated",
}


def package(
    content: FrameworkContent,
    *,
    identifier: UUID | str,
    base_url: str,
    changed_at: datetime,
    edition: str,
    status: str,
) -> Object:
    """The package whose document is called `identifier`.

    Document, date and status are those of the version here; things that have no identifier get one made from the
    document's and their codes. Equal content gives equal packages.
    """
    return _Writing(content, str(UUID(str(identifier))), base_url.rstrip("/"), changed_at).package(edition, status)


def competency_items(package: Mapping[str, Any]) -> dict[str, Object]:
    """The items of a package that are competencies, by their codes."""
    return {str(thing.said["code"]): thing.source for thing in case_words.plain(package).competencies}


class _Writing:
    def __init__(self, content: FrameworkContent, document: str, base_url: str, changed_at: datetime) -> None:
        self.content = content
        self.document = document
        self.base_url = base_url
        self.at = changed_at.isoformat(timespec="seconds")
        self.language = (content.languages and language_of(content.languages[0])) or "en"
        self.source = _case_of(content.extra)  # what the package said that this framework was read from, if any
        self.items: list[Object] = []
        self.associations: list[Object] = []
        self.types: dict[str, Object] = {}
        self.used = {document}
        self.written: dict[tuple[str, ...], Object] = {}
        self.means: list[tuple[Object, Object]] = []  # a CASE object, and what it must be read as
        self.orders: list[list[Object]] = []

    def package(self, edition: str, status: str) -> Object:
        content = self.content
        self.reserve()
        self.write_items()
        self.tree()
        self.links()
        found: Object = {"CFDocument": self.cf_document(edition, status)}
        package_source = (self.source or {}).get("package")
        if isinstance(package_source, dict) and (extensions := _extensions(package_source)):
            found["extensions"] = extensions
        rubrics = [fit for row in self.kept("CFRubrics") if (fit := self.whole(row, "CFRubrics", RUBRIC))]
        rubrics += [self.rubric()] if content.levels or any(row.descriptors for row in content.competencies) else []
        found |= {
            "CFItems": self.items,
            "CFAssociations": self.associations,
            "CFDefinitions": self.definitions(),
            "CFRubrics": rubrics,
        }
        found = {name: value for name, value in found.items() if value}
        self.add_what_is_missing(found)
        return found

    # --- What CASE does not say --------------------------------------------------------------------------------------
    def add_what_is_missing(self, package: Object) -> None:
        plain = case_words.plain(package)
        things: dict[int, Thing] = {}
        waiting = [plain.framework, *plain.levels, *plain.areas, *plain.families, *plain.competencies]
        waiting += [*plain.roles, *plain.links]
        while waiting:
            thing = waiting.pop()
            things[id(thing.source)] = thing
            waiting += thing.below
        for wanted, order in (
            (self.orders[0], plain.areas),
            (self.orders[1], plain.competencies),
            (self.orders[2], plain.families),
            (self.orders[3], plain.roles),
            (self.orders[4], plain.links),
        ):
            if [id(source) for source in wanted] != [id(thing.source) for thing in order]:
                for number, source in enumerate(wanted, start=1):
                    _say(source, {POSITION: number})
        for source, meaning in self.means:
            thing = things[id(source)]
            _say(source, difference(thing.plain, meaning))

    # --- Words -----------------------------------------------------------------------------------------------------
    def say(self, text: Text, language: str = "") -> str:
        others = sorted(text, key=lambda code: (code not in self.content.languages, code))
        return next((text[code] for code in (language or self.language, *others) if text.get(code)), "")

    def kept(self, name: str) -> list[Any]:
        rows = (self.source or {}).get(name)
        return rows if isinstance(rows, list) else []

    # --- Names -----------------------------------------------------------------------------------------------------
    def reserve(self) -> None:
        """Identifiers of the source are taken before any is made; a second thing of one name gets a made one."""
        self.own_names: dict[tuple[str, ...], str] = {}
        content = self.content
        named: list[tuple[tuple[str, ...], str]] = [((AREA, row.code), row.identifier) for row in content.areas]
        named += [((COMPETENCY, row.code), row.identifier) for row in content.competencies]
        named += [((FAMILY, row.code), row.identifier) for row in content.families]
        named += [((LINK, str(number)), row.identifier) for number, row in enumerate(content.links, start=1)]
        for role in content.roles:
            named.append(((ROLE, role.code), role.identifier))
            named += [((PROFILE, role.code, profile.code), profile.identifier) for profile in role.profiles]
        named += [(("level", str(level.rank)), level.identifier) for level in content.levels]
        for key, identifier in named:
            if is_uuid(identifier) and identifier not in self.used:
                self.used.add(identifier)
                self.own_names[key] = identifier

    def name(self, *key: str) -> str:
        return self.own_names.get(key) or derived(self.document, *key)

    def thing(self, collection: str, *key: str) -> Object:
        identifier = self.name(*key)
        return {
            "identifier": identifier,
            "uri": f"{self.base_url}/{collection}/{identifier}",
            "lastChangeDateTime": self.at,
        }

    def link(self, kind: str, *codes: str) -> Object:
        item = self.written.get((kind, *codes))
        if item is None:  # of the framework that this one extends
            identifier = self.name(kind, *codes)
            return {
                "title": normal(codes[-1]),
                "identifier": identifier,
                "uri": f"{self.base_url}/CFItems/{identifier}",
            }
        title = normal(item.get("abbreviatedStatement") or item["fullStatement"])
        return {"title": title, "identifier": item["identifier"], "uri": item["uri"]}

    @property
    def top(self) -> Object:
        title = normal(self.say(self.content.title)) or self.content.slug
        return {
            "title": title,
            "identifier": self.document,
            "uri": f"{self.base_url}/CFDocuments/{self.document}",
        }

    # --- The document ------------------------------------------------------------------------------------------------
    def cf_document(self, edition: str, status: str) -> Object:
        content = self.content
        document: Object = self.fitted(self.source, DOCUMENT) if self.source is not None else {}
        document |= {
            **self.top,
            "caseVersion": "1.1",
            "creator": document.get("creator") or normal(content.publisher) or content.slug,
            "lastChangeDateTime": self.at,
            "adoptionStatus": ADOPTION[FrameworkStatus(status)],
            "language": self.language,
            "officialSourceURL": content.source_url or document.get("officialSourceURL"),
            "publisher": normal(content.publisher),
            "description": self.say(content.description),
            "version": normal(edition) or document.get("version"),
        }
        if self.source is None:
            document["notes"] = content.attribution
            _say(document, {MARK: FRAMEWORK})
        elif document["publisher"] == document["creator"]:
            del document["publisher"]
        if content.licence:
            link = document.get("licenseURI")
            if link is None or link["title"] != content.licence:
                made = self.thing("CFLicenses", "license", content.licence)
                document["licenseURI"] = {
                    "title": normal(content.licence),
                    **{name: made[name] for name in ("identifier", "uri")},
                }
        document = {name: value for name, value in document.items() if value}
        meaning = fields_of(
            content,
            ("edition", "levels", "areas", "families", "competencies", "roles", "links", "source_counts", "deviations"),
        )
        self.means.append((document, meaning | ({"edition": edition} if edition else {})))
        return document

    def definitions(self) -> Object:
        source = (self.source or {}).get("CFDefinitions")
        source = source if isinstance(source, dict) else {}
        found: Object = {}
        for name in DEFINITIONS:
            rows = source.get(name)
            rows = (
                [fit for row in rows if (fit := self.whole(row, name, DEFINITION[name]))]
                if isinstance(rows, list)
                else []
            )
            if name == "CFItemTypes":
                rows += self.types.values()
            if name == "CFLicenses" and self.content.licence:
                licence = self.content.licence
                made = self.thing("CFLicenses", "license", licence)
                if not any(row["title"] == normal(licence) for row in rows):
                    text = self.content.attribution or licence
                    rows.append(made | {"title": normal(licence), "licenseText": text})
            if rows:
                found[name] = rows
        if extensions := _extensions(source):
            found["extensions"] = extensions
        return found

    # --- Items -------------------------------------------------------------------------------------------------------
    def write_items(self) -> None:
        content = self.content
        without = ("profiles", "descriptors", "requirements")
        areas = [self.item((AREA, row.code), row.title, row.description, fields_of(row)) for row in content.areas]
        competencies = [self.competency(row, fields_of(row, without)) for row in content.competencies]
        families = [
            self.item((FAMILY, row.code), row.title, row.description, fields_of(row)) for row in content.families
        ]
        roles = []
        for role in content.roles:
            item = self.item((ROLE, role.code), role.title, role.summary, fields_of(role, without))
            _put(item, "alternativeLabel", _one_line(self.say(role.alternatives)))
            roles.append(item)
            for profile in role.profiles:
                grade = self.say(profile.grade)
                title = self.say(role.title)
                item = self.item(
                    (PROFILE, role.code, profile.code),
                    {self.language: f"{title} · {grade}" if grade else title},
                    profile.summary,
                    fields_of(profile, without),
                )
                _put(item, "abbreviatedStatement", normal(grade))
        self.orders = [areas, competencies, families, roles]

    def item(self, key: tuple[str, ...], title: Text, notes: Text, meaning: Object, word: str = "") -> Object:
        kind, code = key[0], key[-1]
        item = self.thing("CFItems", *key) | {
            "fullStatement": self.say(title) or code,
            "humanCodingScheme": normal(code),
            **self.typed(word or ITEM_WORDS[kind]),
            "language": self.language,
        }
        _put(item, "notes", self.say(notes))
        _say(item, {MARK: kind})
        return self.add(key, item, meaning)

    def add(self, key: tuple[str, ...], item: Object, meaning: Object) -> Object:
        self.written[key] = item
        self.items.append(item)
        self.means.append((item, meaning))
        return item

    def typed(self, word: str) -> Object:
        if word not in self.types:
            self.types[word] = self.thing("CFItemTypes", "type", word) | {
                "title": word,
                "description": word,
                "hierarchyCode": str(len(self.types) + 1),
            }
        made = self.types[word]
        return {
            "CFItemType": word,
            "CFItemTypeURI": {name: made[name] for name in ("title", "identifier", "uri")},
        }

    def competency(self, row: CompetencyContent, meaning: Object) -> Object:
        source = _case_of(row.extra)
        if source is None:
            item = self.item((COMPETENCY, row.code), row.title, row.description, meaning, KIND_WORDS[row.kind])
            _put(item, "alternativeLabel", _one_line(self.say(row.alternatives)))
            return item
        item = self.thing("CFItems", COMPETENCY, row.code) | self.fitted(source, ITEM)
        language = language_of(item.get("language")) or self.language
        title, description = self.say(row.title, language), self.say(row.description, language)
        only_its_beginning = title != description and title == case_words.shortened(description)
        if description and not only_its_beginning:
            item |= {"fullStatement": description, "abbreviatedStatement": normal(title)}
        else:
            item["fullStatement"] = description or title or row.code
        _put(item, "alternativeLabel", _one_line(self.say(row.alternatives, language)))
        if row.code != row.identifier and normal(item.get("humanCodingScheme", "")) != row.code:
            item["humanCodingScheme"] = normal(row.code)
        if case_words.KIND_OF.get(item.get("CFItemType", "").casefold(), COMPETENCY) != row.kind:
            item |= self.typed(KIND_WORDS[row.kind])
        return self.add((COMPETENCY, row.code), item, meaning)

    # --- How they hang together ------------------------------------------------------------------------------------
    def tree(self) -> None:
        content = self.content
        for number, area in enumerate(content.areas, start=1):
            self.below((AREA, area.code), self.top, number)
        for number, row in enumerate(content.competencies, start=1):
            above = self.top
            for kind, code in ((AREA, row.area), (COMPETENCY, row.parent)):
                if code is not None and (kind, code) in self.written:
                    above = self.link(kind, code)
            self.hang_competency(row, above, number)
        for number, family in enumerate(content.families, start=1):
            self.below((FAMILY, family.code), self.top, number)
        for number, role in enumerate(content.roles, start=1):
            in_family = role.family is not None and (FAMILY, role.family) in self.written
            above = self.link(FAMILY, str(role.family)) if in_family else self.top
            self.below((ROLE, role.code), above, number)
            for place, profile in enumerate(role.profiles, start=1):
                self.below((PROFILE, role.code, profile.code), self.link(ROLE, role.code), place)
                self.requirements(role.code, profile)

    def below(self, key: tuple[str, ...], above: Object, number: int) -> None:
        made = self.thing("CFAssociations", CHILD_OF, *key)
        self.associations.append(
            made
            | {
                "associationType": CHILD_OF,
                "originNodeURI": self.link(*key),
                "destinationNodeURI": above,
                "sequenceNumber": number,
            }
        )

    def hang_competency(self, row: CompetencyContent, above: Object, number: int) -> None:
        """As the source hung it, where it still hangs there."""
        source = _case_of(row.extra)
        hung = source.get(CHILD_OF) if source is not None else None
        if source is not None and hung is None and above["identifier"] == self.document:
            return  # it was in no tree
        fit = self.fitted(hung, ASSOCIATION) if isinstance(hung, dict) else {}
        key = (COMPETENCY, row.code)
        old_top = self.content.identifier.lower()
        target = key_of_node(fit.get("destinationNodeURI"))
        if above["identifier"] == self.document and target == old_top:
            target = self.document
            fit["destinationNodeURI"] = above
        stands = (
            key_of_node(fit.get("originNodeURI")) == self.link(*key)["identifier"]
            and target == above["identifier"].lower()
            and fit.get("associationType") == CHILD_OF
            and self.free(hung.get("identifier") if isinstance(hung, dict) else None)
        )
        if stands:
            self.associations.append(self.thing("CFAssociations", CHILD_OF, *key) | fit)
        else:
            self.below(key, above, number)

    def free(self, identifier: Any) -> bool:
        """Whether it can be the name of a thing; then it is."""
        if not is_uuid(identifier) or identifier in self.used:
            return False
        self.used.add(identifier)
        return True

    def requirements(self, role: str, profile: ProfileContent) -> None:
        for number, need in enumerate(profile.requirements, start=1):
            association = self.thing("CFAssociations", REQUIREMENT, role, profile.code, need.competency) | {
                "associationType": REQUIRES,
                "originNodeURI": self.link(PROFILE, role, profile.code),
                "destinationNodeURI": self.link(COMPETENCY, need.competency),
                "sequenceNumber": number,
            }
            level = {} if need.level is None else {"level": need.level}
            _say(association, {MARK: REQUIREMENT, "importance": need.importance, "necessity": need.necessity} | level)
            self.associations.append(association)
            self.means.append((association, fields_of(need)))

    def links(self) -> None:
        order = []
        for number, link in enumerate(self.content.links, start=1):
            association = self.association(link, number)
            self.associations.append(association)
            self.means.append((association, fields_of(link)))
            order.append(association)
        self.orders.append(order)
        for row in self.kept("CFAssociations"):
            fit = self.whole(row, "CFAssociations", ASSOCIATION)
            if fit and self.begins_outside(fit) and self.free(fit["identifier"]):
                self.associations.append(fit)

    def begins_outside(self, association: Object) -> bool:
        origin = key_of_node(association["originNodeURI"])
        return all(item["identifier"].lower() != origin for item in self.items)

    def association(self, link: LinkContent, number: int) -> Object:
        source = _case_of(link.extra)
        made = self.thing("CFAssociations", LINK, str(number))
        association = self.fitted(source, ASSOCIATION) if source is not None else {}
        word = association.get("associationType", "")
        if not word or RELATION_OF.get(word.casefold(), "other") != link.relation:
            association["associationType"] = RELATIONS[link.relation]
        origin = self.link(COMPETENCY, link.origin)
        if key_of_node(association.get("originNodeURI")) != origin["identifier"].lower():
            association["originNodeURI"] = origin
        node = association.get("destinationNodeURI", {})
        if (COMPETENCY, link.target) in self.written or (link.target is not None and not node):
            target = self.link(COMPETENCY, str(link.target))
            if key_of_node(node) != target["identifier"].lower():
                association["destinationNodeURI"] = target
        elif link.target_uri not in (node.get("uri"), node.get("identifier")):
            association["destinationNodeURI"] = {
                "title": normal(link.target_title) or link.target_uri or "–",
                "identifier": normal(link.target_uri) or "–",
                "uri": link.target_uri,
                "targetType": "ext:reference",
            }
        _put(association, "notes", link.note)
        if source is None:
            association["sequenceNumber"] = number
            _say(association, {MARK: LINK, POSITION: number})
        elif association["associationType"] == CHILD_OF or (COMPETENCY, link.origin) not in self.written:
            _say(association, {MARK: FOREIGN_LINK})
        return made | association | {"identifier": made["identifier"]}

    # --- The scale -------------------------------------------------------------------------------------------------
    def rubric(self) -> Object:
        rubric = self.thing("CFRubrics", LEVELS, "")
        labels = {level.rank: normal(self.say(level.label)) for level in self.content.levels}
        scale = self.criterion(rubric, 0, "scale")
        for number, level in enumerate(self.content.levels, start=1):
            made = self.thing("CFRubricCriterionLevels", "level", str(level.rank))
            self.rung(scale, made, number, level.rank, labels, self.say(level.description), fields_of(level))
        criteria = [scale] if self.content.levels else []
        for row in self.content.competencies:
            if not row.descriptors:
                continue
            criterion = self.criterion(rubric, len(criteria) + 1, "criterion", row.code)
            criterion["CFItemURI"] = self.link(COMPETENCY, row.code)
            for number, descriptor in enumerate(row.descriptors, start=1):
                made = self.thing("CFRubricCriterionLevels", "descriptor", row.code, str(descriptor.rank))
                text = self.say(descriptor.text)
                self.rung(criterion, made, number, descriptor.rank, labels, text, fields_of(descriptor))
            criteria.append(criterion)
        _say(rubric, {MARK: LEVELS})
        return rubric | {"title": self.top["title"], "CFRubricCriteria": criteria}

    def criterion(self, rubric: Object, position: int, *key: str) -> Object:
        made = self.thing("CFRubricCriteria", *key)
        return made | {"position": position, "rubricId": rubric["identifier"], "CFRubricCriterionLevels": []}

    def rung(
        self,
        criterion: Object,
        made: Object,
        number: int,
        rank: int,
        labels: Mapping[int, str],
        text: str,
        meaning: Object,
    ) -> None:
        level = made | {"score": rank, "position": number, "rubricCriterionId": criterion["identifier"]}
        _put(level, "quality", labels.get(rank, ""))
        _put(level, "description", text)
        criterion["CFRubricCriterionLevels"].append(level)
        self.means.append((level, meaning))

    # --- What others wrote -------------------------------------------------------------------------------------------
    def fitted(self, source: Any, members: Mapping[str, Fit]) -> Object:
        """What of it CASE 1.1 has a place for, and as it has to be there."""
        if not isinstance(source, dict):
            return {}
        found: Object = {}
        for name, fit in members.items():
            if name in source and (value := fit(source[name])) is not None:
                found[name] = value
        if extensions := _extensions(source):
            found["extensions"] = extensions
        return found

    def whole(self, source: Any, collection: str, members: Mapping[str, Fit]) -> Object:
        """A thing of others with all that CASE wants of it; empty where it has no name, or leads nowhere."""
        found = self.fitted(source, members)
        if "identifier" not in found:
            return {}
        title = found.get("title") or "–"
        usual = {
            "uri": f"{self.base_url}/{collection}/{found['identifier']}",
            "lastChangeDateTime": self.at,
            "title": title,
            "description": title,
            "hierarchyCode": "1",
            "licenseText": title,
        }
        found = {name: usual[name] for name in members if name in usual} | found
        return found if set(found) >= set(members) & {"associationType", "originNodeURI", "destinationNodeURI"} else {}


# --- Small things --------------------------------------------------------------------------------------------------
def _case_of(extra: Mapping[str, Any]) -> Object | None:
    case = extra.get("case")
    return case if isinstance(case, dict) else None


def _extensions(source: Mapping[str, Any]) -> Object:
    extensions = source.get("extensions")
    others = {name: value for name, value in extensions.items() if name != KEY} if isinstance(extensions, dict) else {}
    return dict(_in_order(others))


def _in_order(value: Any) -> Any:
    """Members by name: equal content gives equal bytes, in whatever order it was put together."""
    if isinstance(value, dict):
        return {name: _in_order(value[name]) for name in sorted(value)}
    return [_in_order(row) for row in value] if isinstance(value, list) else value


def _say(thing: Object, said: Mapping[str, Any]) -> None:
    """Adds to our part of its `extensions`, which are a list on the levels of a rubric."""
    own = _in_order(case_words.own_part(thing) | dict(said))
    if not own:
        return
    if "rubricCriterionId" in thing:
        thing["extensions"] = [{KEY: own}]
    else:
        thing["extensions"] = thing.get("extensions", {}) | {KEY: own}


def _put(thing: Object, name: str, text: str) -> None:
    if text:
        thing[name] = text


def _one_line(text: str) -> str:
    return normal(text.replace("\n", "; "))
