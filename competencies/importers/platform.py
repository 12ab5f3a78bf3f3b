"""The platform's own format, "digital-talent-framework/1": one JSON file with every text in its languages.

Written by hand as often as by a program: whatever is not understood is a fault with its path, nothing is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from competencies.enums import DEFAULT_IMPORTANCE, MAX_RANK, CompetencyKind
from competencies.importers.content import (
    MAX_AREA_CODE,
    MAX_COMPETENCY_CODE,
    MAX_EDITION,
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
    ProfileContent,
    RequirementContent,
    RoleContent,
    objection_to_text,
    objection_to_url,
    shown,
)
from competencies.importers.sources import Node, Source, only

TITLE = gettext_lazy("platform: a JSON file of the platform's own format, “digital-talent-framework/1”")

FORMAT = "digital-talent-framework/1"
MARK = re.compile(rb'"format"\s*:\s*"digital-talent-framework/')
SLUG_PATTERN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")
LANGUAGE_PATTERN = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*\Z")


def sniff(sources: Sequence[Source]) -> bool:
    """Whether one of the sources says that it is of this format."""
    return any(map(_is_platform, sources))


def read(sources: Sequence[Source]) -> FrameworkContent:
    """The one file of this format among the sources. Raises CannotImport with the JSON path of each fault."""
    missing = _("The file does not say “format”: “%(format)s”. Add it.") % {"format": FORMAT}
    source = only(sources, _is_platform, missing=missing)
    faults = Faults()
    root = Node(source.document(), "$", faults)
    top = root.fields(["format", "framework", "levels", "areas", "families", "competencies", "roles"])
    named = top["format"].text()
    if named and named != FORMAT:
        top["format"].fault(
            _("The format “%(found)s” is not understood, only “%(expected)s”. Export the file again.")
            % {"found": shown(named), "expected": FORMAT}
        )
    faults.raise_if_any()
    about = top["framework"].fields(
        ["slug", "title", "edition", "languages"],
        ["description", "publisher", "source", "source_url", "licence", "attribution"],
    )
    reading = _Reading(_languages(about["languages"]))
    faults.raise_if_any()  # every text would be in a wrong language now
    levels = tuple(reading.level(node) for node in top["levels"].items())
    areas = tuple(AreaContent(*reading.coded(node, reading.areas, MAX_AREA_CODE)) for node in top["areas"].items())
    families = tuple(
        FamilyContent(*reading.coded(node, reading.families, MAX_AREA_CODE)) for node in top["families"].items()
    )
    competencies = tuple(reading.competency(node) for node in top["competencies"].items())
    roles = tuple(reading.role(node) for node in top["roles"].items())
    content = FrameworkContent(
        slug=_slug(about["slug"]),
        title=reading.words(about["title"], limit=MAX_TITLE),
        edition=about["edition"].text(limit=MAX_EDITION),
        description=reading.words(about["description"], blank=True),
        publisher=_optional(about["publisher"], MAX_PUBLISHER),
        source=_optional(about["source"], MAX_SOURCE),
        source_url=_url(about["source_url"]),
        licence=_optional(about["licence"], MAX_LICENCE),
        attribution=_optional(about["attribution"], MAX_TEXT),
        languages=reading.languages,
        levels=levels,
        areas=areas,
        families=families,
        competencies=competencies,
        roles=roles,
        deviations=tuple(reading.deviations),
    )
    faults.raise_if_any()
    return content


def _is_platform(source: Source) -> bool:
    return source.looks_like_json and bool(MARK.search(source.raw))


@dataclass
class _Reading:
    """What has been met so far: codes that others may refer to, and what is worth telling."""

    languages: tuple[str, ...]
    ranks: set[int] = field(default_factory=set)
    areas: set[str] = field(default_factory=set)
    families: set[str] = field(default_factory=set)
    competencies: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    deviations: list[Deviation] = field(default_factory=list)

    def words(self, node: Node, *, limit: int = MAX_TEXT, blank: bool = False) -> dict[str, str]:
        """A text in its languages. A language that is missing is told; a text that is missing wholly is a fault."""
        if not node and blank:
            return {}
        words = {}
        for language, member in node.members():
            if language not in self.languages:
                node.fault(
                    _("“%(language)s” is not among the languages of the framework: %(languages)s. Add it there.")
                    % {"language": shown(language), "languages": ", ".join(self.languages)}
                )
                continue
            if text := member.text(limit=limit, blank=True):
                words[language] = text
        missing = [language for language in self.languages if language not in words]
        if words and missing:
            self.deviations.append(
                Deviation(node.place, _("Not in every language: %(missing)s.") % {"missing": ", ".join(missing)})
            )
        if not words and not blank and isinstance(node.value, dict) and not set(node.value) - set(self.languages):
            node.fault(_("The text is empty. Write it in at least one language."))
        return words

    def code(self, node: Node, known: set[str], limit: int) -> str:
        """A code that is there once."""
        code = node.text(limit=limit)
        if code and code in known:
            node.fault(_("The code “%(code)s” is there already. Give each its own.") % {"code": shown(code)})
        known.add(code)
        return code

    def reference(self, node: Node, known: Collection[str], limit: int) -> str:
        """A code that must be there."""
        code = node.text(limit=limit)
        if code and code not in known:
            node.fault(
                _("There is no “%(code)s” to refer to. Correct the code, or add what it names.") % {"code": shown(code)}
            )
        return code

    def rank(self, node: Node) -> int | None:
        """A level that is on the scale."""
        rank = node.integer(0, MAX_RANK)
        if rank is not None and rank not in self.ranks:
            node.fault(
                _("Level %(rank)s is not on the scale: %(ranks)s. Write one of them.")
                % {"rank": rank, "ranks": ", ".join(map(str, sorted(self.ranks))) or "–"}
            )
        return rank

    def level(self, node: Node) -> LevelContent:
        fields = node.fields(["rank", "label"], ["description"])
        rank = fields["rank"].integer(0, MAX_RANK)
        if rank in self.ranks:
            fields["rank"].fault(_("Level %(rank)s is there already. Give each its own rank.") % {"rank": rank})
        if rank is not None:
            self.ranks.add(rank)
        return LevelContent(
            rank=rank or 0,
            label=self.words(fields["label"], limit=MAX_TITLE),
            description=self.words(fields["description"], blank=True),
        )

    def coded(self, node: Node, known: set[str], limit: int) -> tuple[str, dict[str, str], dict[str, str]]:
        fields = node.fields(["code", "title"], ["description"])
        return (
            self.code(fields["code"], known, limit),
            self.words(fields["title"], limit=MAX_TITLE),
            self.words(fields["description"], blank=True),
        )

    def competency(self, node: Node) -> CompetencyContent:
        fields = node.fields(["code", "title"], ["kind", "area", "description", "example", "descriptors"])
        kind = fields["kind"].text() if fields["kind"] else CompetencyKind.COMPETENCY.value
        if kind and kind not in CompetencyKind.values:
            fields["kind"].fault(
                _("“%(kind)s” is not a kind of competency. Write one of: %(known)s.")
                % {"kind": shown(kind), "known": ", ".join(CompetencyKind.values)}
            )
        return CompetencyContent(
            code=self.code(fields["code"], self.competencies, MAX_COMPETENCY_CODE),
            title=self.words(fields["title"], limit=MAX_TITLE),
            kind=kind,
            area=self.reference(fields["area"], self.areas, MAX_AREA_CODE) if fields["area"] else None,
            description=self.words(fields["description"], blank=True),
            example=self.words(fields["example"], blank=True),
            descriptors=self.descriptors(fields["descriptors"]) if fields["descriptors"] else (),
        )

    def descriptors(self, node: Node) -> tuple[DescriptorContent, ...]:
        descriptors = []
        for key, member in node.members():
            if key not in {str(rank) for rank in self.ranks}:
                member.fault(
                    _("“%(key)s” is not the rank of a level: %(ranks)s. Write one of them.")
                    % {"key": shown(key), "ranks": ", ".join(map(str, sorted(self.ranks))) or "–"}
                )
                continue
            if text := self.words(member):
                descriptors.append(DescriptorContent(rank=int(key), text=text))
        return tuple(sorted(descriptors, key=lambda descriptor: descriptor.rank))

    def role(self, node: Node) -> RoleContent:
        fields = node.fields(
            ["code", "title"], ["family", "summary", "key_post", "external_codes", "requirements", "profiles"]
        )
        code = self.code(fields["code"], self.roles, MAX_ROLE_CODE)
        if isinstance(node.value, dict) and bool(fields["requirements"]) == bool(fields["profiles"]):
            node.fault(_("A role has either “requirements” or, with grades, “profiles”. Keep one of them."))
        if fields["profiles"]:
            known: set[str] = set()
            profiles = tuple(self.profile(profile, known) for profile in fields["profiles"].items())
        else:
            profiles = (ProfileContent(code=code, requirements=self.requirements(fields["requirements"])),)
        return RoleContent(
            code=code,
            title=self.words(fields["title"], limit=MAX_TITLE),
            family=self.reference(fields["family"], self.families, MAX_AREA_CODE) if fields["family"] else None,
            summary=self.words(fields["summary"], blank=True),
            key_post=_optional(fields["key_post"], MAX_KEY_POST),
            external_codes=_external_codes(fields["external_codes"]) if fields["external_codes"] else {},
            profiles=profiles,
        )

    def profile(self, node: Node, known: set[str]) -> ProfileContent:
        fields = node.fields(["code", "requirements"], ["grade", "summary"])
        return ProfileContent(
            code=self.code(fields["code"], known, MAX_PROFILE_CODE),
            grade=self.words(fields["grade"], limit=MAX_TITLE, blank=True),
            summary=self.words(fields["summary"], blank=True),
            requirements=self.requirements(fields["requirements"]),
        )

    def requirements(self, node: Node) -> tuple[RequirementContent, ...]:
        requirements = []
        met: set[str] = set()
        for item in node.items():
            fields = item.fields(["competency", "level"], ["importance"])
            competency = self.reference(fields["competency"], self.competencies, MAX_COMPETENCY_CODE)
            if competency and competency in met:
                fields["competency"].fault(
                    _("“%(code)s” is required here already. Keep one requirement.") % {"code": shown(competency)}
                )
            met.add(competency)
            importance = fields["importance"].integer(1, 5)
            requirements.append(
                RequirementContent(
                    competency=competency,
                    level=self.rank(fields["level"]) if fields["level"] else None,
                    importance=DEFAULT_IMPORTANCE if importance is None else importance,
                )
            )
        return tuple(requirements)


def _languages(node: Node) -> tuple[str, ...]:
    languages = []
    for item in node.items():
        language = item.text(limit=35)
        if language and not LANGUAGE_PATTERN.match(language):
            item.fault(
                _("“%(code)s” is not a language code such as “en” or “pt-BR”. Correct it.") % {"code": shown(language)}
            )
        elif language in languages:
            item.fault(_("“%(code)s” stands there twice. Keep one.") % {"code": shown(language)})
        languages.append(language)
    if node and isinstance(node.value, list) and not languages:
        node.fault(_("The framework has no language. Name at least one, for example “en”."))
    return tuple(languages)


def _slug(node: Node) -> str:
    slug = node.text(limit=MAX_SLUG)
    if slug and not SLUG_PATTERN.match(slug):
        node.fault(
            _("“%(slug)s” is not a short name. Write lower-case letters, digits and hyphens.") % {"slug": shown(slug)}
        )
    return slug


def _optional(node: Node, limit: int) -> str:
    return node.text(limit=limit, blank=True) if node else ""


def _url(node: Node) -> str:
    url = _optional(node, MAX_URL)
    if url and (objection := objection_to_url(url)):
        node.fault(objection)
    return url


def _external_codes(node: Node) -> Mapping[str, tuple[str, ...]]:
    codes = {}
    for system, member in node.members():
        if objection := objection_to_text(system, limit=MAX_AREA_CODE):
            member.fault(objection)
        codes[system] = tuple(item.text(limit=MAX_COMPETENCY_CODE) for item in member.items())
    return codes
