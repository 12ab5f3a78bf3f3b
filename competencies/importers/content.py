"""What an importer hands over: a whole framework as frozen values, or every fault with its place. No database here."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from functools import cached_property
from typing import Any, NoReturn
from urllib.parse import urlsplit

from django.utils.text import slugify
from django.utils.translation import gettext as _

from competencies.enums import DEFAULT_IMPORTANCE, CompetencyKind, Necessity

Text = Mapping[str, str]
"""A text in its languages, e.g. {"en": "Aware", "es": "Conoce"}; empty when the source has none."""

Extra = Mapping[str, Any]
"""What the source says beyond our fields, under the source's own names: plain JSON values, kept and handed on."""

# What the columns of competencies.models hold; tests/competencies/importers keeps the two together.
MAX_SLUG = 80
MAX_EDITION = 60
MAX_PUBLISHER = 200
MAX_SOURCE = 300
MAX_URL = 500
MAX_LICENCE = 200
MAX_AREA_CODE = 80
MAX_COMPETENCY_CODE = 160
MAX_ROLE_CODE = 160
MAX_PROFILE_CODE = 200
MAX_KEY_POST = 20
MAX_IDENTIFIER = 500
MAX_RELATION = 80
# What a page can still show.
MAX_TITLE = 2_000
MAX_TEXT = 100_000

MAX_FAULTS_KEPT = 1_000
MAX_FAULTS_COUNTED = 10_000
# Databases refuse NUL, terminals obey ESC, nothing can encode half a surrogate pair: no text needs any of them.
UNUSABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why the source is refused: a sentence naming the field and the fix, in the reader's language."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


@dataclass(frozen=True, slots=True)
class Deviation:
    """What was read otherwise than it stands there, or not kept. The import goes on."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class CannotImport(ValueError):
    """The source is refused whole. `faults` are the first of them, `count` is how many there are."""

    def __init__(self, faults: Iterable[Fault], count: int | None = None) -> None:
        self.faults = tuple(faults)
        self.count = len(self.faults) if count is None else count
        super().__init__("\n".join(str(fault) for fault in self.faults[:5]))


class Faults:
    """Collects faults so that one reading names them all.

    A hostile file can have millions: the first are kept, and reading stops (`add` raises) when there are too many.
    """

    def __init__(self) -> None:
        self.kept: list[Fault] = []
        self.count = 0

    def add(self, place: str, message: str) -> None:
        self.count += 1
        if len(self.kept) < MAX_FAULTS_KEPT:
            self.kept.append(Fault(place, message))
        if self.count >= MAX_FAULTS_COUNTED:
            self.raise_if_any()

    def raise_if_any(self) -> None:
        if self.count:
            raise CannotImport(self.kept, self.count)


def refuse(place: str, message: str) -> NoReturn:
    raise CannotImport([Fault(place, message)])


# `identifier` is the source's own name for a thing, a URI or UUID; empty where it has none.
# `extra` is what the source says beyond our fields.
@dataclass(frozen=True)
class LevelContent:
    rank: int
    label: Text
    description: Text = field(default_factory=dict)
    identifier: str = ""
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True)
class AreaContent:
    code: str
    title: Text
    description: Text = field(default_factory=dict)
    identifier: str = ""
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True)
class FamilyContent:
    code: str
    title: Text
    description: Text = field(default_factory=dict)
    identifier: str = ""
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True)
class DescriptorContent:
    rank: int
    text: Text


@dataclass(frozen=True)
class CompetencyContent:
    """`parent` is the code of the competency this one is part of; a parent stands before its children.

    `rank` is the level of the scale that a statement or learning outcome speaks of, None where it speaks of none.
    `alternatives` are other names for it, one a line in each language.
    """

    code: str
    title: Text
    kind: str = CompetencyKind.COMPETENCY.value
    area: str | None = None
    description: Text = field(default_factory=dict)
    example: Text = field(default_factory=dict)
    descriptors: tuple[DescriptorContent, ...] = ()
    parent: str | None = None
    rank: int | None = None
    alternatives: Text = field(default_factory=dict)
    identifier: str = ""
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True)
class RequirementContent:
    """`level` is a rank of the framework's scale, or None: required without stating a level.

    `necessity` is a value of Necessity: only what is "required" makes a gap. Where the source states the level or the
    importance as a number of a finer kind, `level_value` and `importance_value` keep it as a decimal text ("4.62").
    """

    competency: str
    level: int | None
    importance: int = DEFAULT_IMPORTANCE
    necessity: str = Necessity.REQUIRED.value
    level_value: str = ""
    importance_value: str = ""
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True)
class ProfileContent:
    """What a role requires at one grade; an empty `grade` where the role has none.

    In a local extension `builds_on` is the code of the profile of the extended framework whose requirements count too.
    """

    code: str
    grade: Text = field(default_factory=dict)
    summary: Text = field(default_factory=dict)
    requirements: tuple[RequirementContent, ...] = ()
    builds_on: str | None = None
    identifier: str = ""
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True)
class RoleContent:
    code: str
    title: Text
    family: str | None = None
    summary: Text = field(default_factory=dict)
    key_post: str = ""
    external_codes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    profiles: tuple[ProfileContent, ...] = ()
    alternatives: Text = field(default_factory=dict)
    identifier: str = ""
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True)
class LinkContent:
    """A statement of the framework that `origin` (a competency's code) stands in a relation to something.

    `relation` is a value of LinkRelation, read "origin <relation> target": with "broader" the origin is the broader of
    the two; "other" keeps the source's own word in `extra`. The target is a competency of this framework (`target`, a
    code) or something outside, which stays a reference: `target_uri`, with `target_title` where the source has one.
    """

    origin: str
    relation: str
    target: str | None = None
    target_uri: str = ""
    target_title: str = ""
    note: str = ""
    identifier: str = ""
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True)
class FrameworkContent:
    """One edition of a framework, whole and consistent: every code that is referred to is there, once.

    The order of the tuples is the order in which things are shown. `edition` is None where the source names none;
    `source_counts` says in the source's own terms what was read. A local extension names what it extends: `extends` is
    (slug, edition), and codes that are not its own are of that version.
    """

    slug: str
    title: Text
    edition: str | None
    description: Text = field(default_factory=dict)
    publisher: str = ""
    source: str = ""
    source_url: str = ""
    licence: str = ""
    attribution: str = ""
    languages: tuple[str, ...] = ("en",)
    levels: tuple[LevelContent, ...] = ()
    areas: tuple[AreaContent, ...] = ()
    families: tuple[FamilyContent, ...] = ()
    competencies: tuple[CompetencyContent, ...] = ()
    roles: tuple[RoleContent, ...] = ()
    links: tuple[LinkContent, ...] = ()
    extends: tuple[str, str] | None = None
    identifier: str = ""
    extra: Extra = field(default_factory=dict)
    source_counts: Mapping[str, int] = field(default_factory=dict)
    deviations: tuple[Deviation, ...] = ()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content as canonical JSON, a line for each thing in it, whatever the edition is called and however
        the file is laid out."""
        digest = hashlib.sha256()
        for part in fields(self):
            if part.name in ("edition", "source_counts", "deviations"):
                continue
            value = getattr(self, part.name)
            # One thing at a time: a copy of a large framework as plain values would take as much memory again.
            lines = value if isinstance(value, tuple) and value and is_dataclass(value[0]) else (value,)
            for line in lines:
                plain = asdict(line) if is_dataclass(line) and not isinstance(line, type) else line
                canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"))
                digest.update(f"{part.name} {canonical}\n".encode())
        return digest.hexdigest()

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many of everything there will be, then what the source counts in its own terms."""
        kinds = Counter(competency.kind for competency in self.competencies)
        profiles = [profile for role in self.roles for profile in role.profiles]
        requirements = [requirement for profile in profiles for requirement in profile.requirements]
        return {
            "levels": len(self.levels),
            "areas": len(self.areas),
            "families": len(self.families),
            "competencies": len(self.competencies),
            **{f"competencies_{kind}": kinds[kind] for kind in CompetencyKind.values if kinds[kind]},
            "descriptors": sum(len(competency.descriptors) for competency in self.competencies),
            "roles": len(self.roles),
            "profiles": len(profiles),
            "requirements": len(requirements),
            "requirements_without_level": sum(requirement.level is None for requirement in requirements),
            **{
                f"requirements_{necessity}": count
                for necessity in (Necessity.OPTIONAL.value, Necessity.UNCERTAIN.value)
                if (count := sum(requirement.necessity == necessity for requirement in requirements))
            },
            **({"links": len(self.links)} if self.links else {}),
            **self.source_counts,
        }


def tidy(value: str) -> str:
    """The text as it stands, without the whitespace around it and with one kind of line ending."""
    return value.replace("\r\n", "\n").replace("\r", "\n").strip()


def shown(value: object, limit: int = 60) -> str:
    """A piece of the source, short and harmless enough to stand in a message."""
    text = str(value)
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(character if character.isprintable() else "�" for character in text)


def objection_to_text(value: str, *, limit: int = MAX_TEXT) -> str | None:
    """The sentence that says why a text cannot be stored, or None."""
    if len(value) > limit:
        return _("The text has %(count)s characters; at most %(limit)s fit. Shorten it.") % {
            "count": len(value),
            "limit": limit,
        }
    if found := UNUSABLE.search(value):
        return _("The text contains the unusable character U+%(code)s at position %(position)s. Remove it.") % {
            "code": f"{ord(found[0]):04X}",
            "position": found.start() + 1,
        }
    return None


def objection_to_url(value: str) -> str | None:
    """The sentence that says why an address cannot become a link, or None."""
    try:
        parts = urlsplit(value)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme in ("http", "https") and parts.hostname and not any(character.isspace() for character in value):
        return None
    return _("“%(value)s” is not a web address. Write one that starts with https://, or leave it empty.") % {
        "value": shown(value)
    }


def slugs_for(names: Iterable[str], limit: int) -> dict[str, str]:
    """A code for every name: made from the name alone, unique, the same in whatever order the names come.

    Where two names give one slug, the later in the alphabet gets a number.
    """
    codes: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(set(names)):
        mark = hashlib.sha256(name.encode()).hexdigest()[:8]
        slug = slugify(name) or mark
        base = slug if len(slug) <= limit else f"{slug[: limit - 9]}-{mark}"
        code, number = base, 1
        while code in taken:
            number += 1
            code = f"{base[: limit - len(str(number)) - 1]}-{number}"
        taken.add(code)
        codes[name] = code
    return codes
