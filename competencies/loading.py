"""A framework that an importer has read becomes a version in the database: all of it or nothing, once.

The first edition of a framework is published at once. A later one waits as a draft, beside the one it follows, until
its differences are read and it is published (competencies.lifecycle).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from i18nfield.strings import LazyI18nString
from wagtail.log_actions import log

from competencies.enums import FrameworkStatus
from competencies.importers.content import (
    MAX_EDITION,
    AreaContent,
    CompetencyContent,
    DescriptorContent,
    FamilyContent,
    Faults,
    FrameworkContent,
    LevelContent,
    LinkContent,
    ProfileContent,
    RequirementContent,
    RoleContent,
    Text,
    objection_to_text,
    refuse,
    shown,
    tidy,
)
from competencies.models import (
    Area,
    Competency,
    CompetencyLink,
    Framework,
    FrameworkVersion,
    LevelDescriptor,
    ProficiencyLevel,
    Requirement,
    Role,
    RoleFamily,
    RoleProfile,
)
from competencies.models.framework import in_languages as _text
from competencies.models.framework import version_uuid

if TYPE_CHECKING:
    from organisations.models import User

BATCH = 1_000


@dataclass(frozen=True)
class Loaded:
    """`created` is False when the version was there already and nothing was written."""

    version: FrameworkVersion
    created: bool
    counts: Mapping[str, int]


def edition_of(content: FrameworkContent, edition: str | None = None) -> str:
    """What the edition will be called: as asked, else as the source says, else by the day it is loaded.

    Raises CannotImport for a name that cannot be stored.
    """
    name = content.edition or _day_of_loading(content.slug) if edition is None else tidy(edition)
    objection = objection_to_text(name, limit=MAX_EDITION) if name else _("The edition has no name. Give it one.")
    if objection:
        refuse(_("edition"), objection)
    return name


def _day_of_loading(slug: str) -> str:
    """The day, with a number where an edition of this framework is called so already."""
    day = timezone.localdate().isoformat()
    taken = set(
        FrameworkVersion.objects.filter(framework__slug=slug, edition__startswith=day).values_list("edition", flat=True)
    )
    names = (day if number == 1 else f"{day} ({number})" for number in count(1))
    return next(name for name in names if name not in taken)


def same_version(content: FrameworkContent, edition: str | None = None) -> FrameworkVersion | None:
    """The version that is this content already, under whatever edition; None when the content is new.

    Raises CannotImport when the edition is there with other content: a published version never changes.
    """
    nameless = edition is None and not content.edition
    name = "" if nameless else edition_of(content, edition)
    versions = FrameworkVersion.objects.filter(framework__slug=content.slug).select_related("framework")
    labelled = None if nameless else versions.filter(edition=name).first()
    if labelled is None:
        return versions.filter(content_digest=content.digest).order_by("imported_at", "pk").first()
    if labelled.content_digest != content.digest:
        refuse(
            _("edition %(edition)s") % {"edition": shown(name)},
            _(
                "This edition of “%(framework)s” is there already with other content, and a version never changes. "
                "Give the new content an edition of its own (--edition)."
            )
            % {"framework": labelled.framework},
        )
    return labelled


@transaction.atomic
def load_framework(
    *, content: FrameworkContent, by: User | None = None, edition: str | None = None, publish: bool = True
) -> Loaded:
    """Store a framework as a new version. Loading the same content again writes nothing.

    The version is published where it is the framework's first and `publish` allows it, else it is a draft that follows
    the published one. `by` is None when a command loads it. Other versions of the framework stay as they are.
    Raises CannotImport when the edition is there with other content, or what it extends is not there.
    """
    same = same_version(content, edition)
    if same is None:
        Framework.objects.get_or_create(
            slug=content.slug, defaults={"title": _stored(content.title), "publisher": content.publisher}
        )
        # Whoever loads the same framework at the same moment waits here, and then finds what the first has written.
        framework = Framework.objects.select_for_update().get(slug=content.slug)
        same = same_version(content, edition)
    if same is not None:
        return Loaded(version=same, created=False, counts=content.counts)
    previous = FrameworkVersion.objects.published().filter(framework=framework).first()
    version = store_version(
        framework=framework,
        content=content,
        edition=edition_of(content, edition),
        previous=previous,
        publish=publish and previous is None,
        by=by,
    )
    return Loaded(version=version, created=True, counts=content.counts)


def store_version(
    *,
    framework: Framework,
    content: FrameworkContent,
    edition: str,
    previous: FrameworkVersion | None,
    publish: bool,
    by: User | None,
) -> FrameworkVersion:
    """Write a whole version, within the caller's transaction. Raises CannotImport when what it extends is not there."""
    base = _base_of(content)
    now = timezone.now()
    version = FrameworkVersion.objects.create(
        framework=framework,
        edition=edition,
        title=_stored(content.title),
        publisher=content.publisher,
        status=FrameworkStatus.PUBLISHED if publish else FrameworkStatus.DRAFT,
        description=_stored(content.description),
        source=content.source,
        source_url=content.source_url,
        licence=content.licence,
        attribution=content.attribution,
        languages=list(content.languages),
        identifier=content.identifier,
        extra=dict(content.extra),
        uuid=version_uuid(content.slug, edition),
        previous=previous,
        extends=base,
        content_digest=content.digest,
        imported_at=now,
        published_at=now if publish else None,
    )
    _store_content(version, content, base)
    log(
        instance=version,
        action="competencies.import_framework",
        user=by,
        data={"framework": content.slug, "edition": edition, "digest": content.digest, "counts": content.counts},
    )
    return version


def _base_of(content: FrameworkContent) -> FrameworkVersion | None:
    """The version a local extension adds to. Raises CannotImport when it is not there, or codes of it are given anew."""
    if content.extends is None:
        return None
    slug, edition = content.extends
    base = FrameworkVersion.objects.filter(framework__slug=slug, edition=edition).first()
    if base is None or base.status == FrameworkStatus.DRAFT:
        refuse(
            _("what it extends"),
            _("“%(framework)s” in edition %(edition)s is not published here. Import and publish it first.")
            % {"framework": shown(slug), "edition": shown(edition)},
        )
    faults = Faults()
    for taken, own in (
        (base.competencies, {competency.code for competency in content.competencies}),
        (base.roles, {role.code for role in content.roles}),
        (base.areas, {area.code for area in content.areas}),
    ):
        for code in sorted(own.intersection(taken.values_list("code", flat=True))):
            faults.add(shown(code), _("The extended framework has this code already. Give your own another one."))
    _check_what_is_of_the_base(content, base, faults)
    faults.raise_if_any()
    return base


def _check_what_is_of_the_base(content: FrameworkContent, base: FrameworkVersion, faults: Faults) -> None:
    """A code that is not the extension's own has to be the base's, and so has a level that is asked of it."""
    own = {competency.code for competency in content.competencies}
    theirs = set(base.competencies.values_list("code", flat=True))
    areas = {area.code for area in content.areas} | set(base.areas.values_list("code", flat=True))
    families = {family.code for family in content.families} | set(base.families.values_list("code", flat=True))
    ranks = set(base.levels.values_list("rank", flat=True))
    profiles = set(RoleProfile.objects.filter(role__version=base).values_list("code", flat=True))

    def check(code: str | None, known: set[str]) -> None:
        if code is not None and code not in known:
            faults.add(
                shown(code),
                _("Neither this framework nor the one it extends has this code. Correct it, or add what it names."),
            )

    for competency in content.competencies:
        check(competency.area, areas)
        check(competency.parent, own | theirs)
    for link in content.links:
        check(link.origin, own | theirs)
        check(link.target, own | theirs)
    for role in content.roles:
        check(role.family, families)
        for profile in role.profiles:
            check(profile.builds_on, profiles)
            for requirement in profile.requirements:
                check(requirement.competency, own | theirs)
                if requirement.competency in theirs - own and requirement.level not in {None, *ranks}:
                    faults.add(
                        shown(requirement.competency),
                        _("Level %(rank)s is not on the scale of the framework that is extended.")
                        % {"rank": requirement.level},
                    )


class _Known:
    """Rows by code: the version's own and, where it extends another, that one's."""

    def __init__(self, version: FrameworkVersion, base: FrameworkVersion | None) -> None:
        self.version = version
        self.levels: dict[int, ProficiencyLevel] = {}
        self.base_levels: dict[int, ProficiencyLevel] = {}
        self.areas: dict[str, Area] = {}
        self.families: dict[str, RoleFamily] = {}
        self.competencies: dict[str, Competency] = {}
        self.base_profiles: dict[str, RoleProfile] = {}
        if base is not None:
            self.base_levels = {level.rank: level for level in base.levels.all()}
            self.areas = {area.code: area for area in base.areas.all()}
            self.families = {family.code: family for family in base.families.all()}
            self.competencies = {competency.code: competency for competency in base.competencies.all()}
            self.base_profiles = {
                profile.code: profile for profile in RoleProfile.objects.filter(role__version=base).order_by("pk")
            }

    def level_for(self, competency: Competency, rank: int | None) -> ProficiencyLevel | None:
        if rank is None:
            return None
        return (self.levels if competency.version_id == self.version.pk else self.base_levels)[rank]


def _store_content(version: FrameworkVersion, content: FrameworkContent, base: FrameworkVersion | None) -> None:
    known = _Known(version, base)
    known.levels = {
        level.rank: ProficiencyLevel(
            version=version,
            rank=level.rank,
            label=_stored(level.label),
            description=_stored(level.description),
            identifier=level.identifier,
            extra=dict(level.extra),
        )
        for level in content.levels
    }
    areas = {
        area.code: Area(
            version=version,
            code=area.code,
            title=_stored(area.title),
            description=_stored(area.description),
            identifier=area.identifier,
            extra=dict(area.extra),
            position=position,
        )
        for position, area in enumerate(content.areas, start=1)
    }
    families = {
        family.code: RoleFamily(
            version=version,
            code=family.code,
            title=_stored(family.title),
            description=_stored(family.description),
            identifier=family.identifier,
            extra=dict(family.extra),
            position=position,
        )
        for position, family in enumerate(content.families, start=1)
    }
    _create(ProficiencyLevel, known.levels.values())
    _create(Area, areas.values())
    _create(RoleFamily, families.values())
    known.areas |= areas
    known.families |= families
    _store_competencies(version, content, known)
    _store_roles(version, content, known)
    _create(
        CompetencyLink,
        [
            CompetencyLink(
                version=version,
                origin=known.competencies[link.origin],
                relation=link.relation,
                target=None if link.target is None else known.competencies[link.target],
                target_uri=link.target_uri,
                target_title=link.target_title,
                note=link.note,
                identifier=link.identifier,
                extra=dict(link.extra),
                position=position,
            )
            for position, link in enumerate(content.links, start=1)
        ],
    )


def _store_competencies(version: FrameworkVersion, content: FrameworkContent, known: _Known) -> None:
    own = {
        competency.code: Competency(
            version=version,
            area=None if competency.area is None else known.areas[competency.area],
            kind=competency.kind,
            code=competency.code,
            title=_stored(competency.title),
            description=_stored(competency.description),
            example=_stored(competency.example),
            alternatives=_stored(competency.alternatives),
            rank=competency.rank,
            identifier=competency.identifier,
            extra=dict(competency.extra),
            position=position,
        )
        for position, competency in enumerate(content.competencies, start=1)
    }
    for competency in own.values():
        competency.search_text = competency.searchable()
    known.competencies |= own
    # A child points at a row that must be there: one batch for each depth of the tree.
    waiting = list(content.competencies)
    there = set(known.competencies) - set(own)
    while waiting:
        ready = [c for c in waiting if c.parent is None or c.parent in there]
        for c in ready:
            if c.parent is not None:
                own[c.code].parent = known.competencies[c.parent]
        _create(Competency, [own[c.code] for c in ready])
        there |= {c.code for c in ready}
        waiting = [c for c in waiting if c.code not in there]
    _create(
        LevelDescriptor,
        [
            LevelDescriptor(
                competency=own[competency.code],
                level=known.levels[descriptor.rank],
                text=_stored(descriptor.text),
            )
            for competency in content.competencies
            for descriptor in competency.descriptors
        ],
    )


def _store_roles(version: FrameworkVersion, content: FrameworkContent, known: _Known) -> None:
    roles = {
        role.code: Role(
            version=version,
            family=None if role.family is None else known.families[role.family],
            code=role.code,
            title=_stored(role.title),
            summary=_stored(role.summary),
            key_post=role.key_post,
            external_codes={system: list(codes) for system, codes in role.external_codes.items()},
            alternatives=_stored(role.alternatives),
            identifier=role.identifier,
            extra=dict(role.extra),
            position=position,
        )
        for position, role in enumerate(content.roles, start=1)
    }
    for row in roles.values():
        row.search_text = row.searchable()
    _create(Role, roles.values())
    profiles = {
        (role.code, profile.code): RoleProfile(
            role=roles[role.code],
            code=profile.code,
            grade=_stored(profile.grade),
            summary=_stored(profile.summary),
            builds_on=None if profile.builds_on is None else known.base_profiles[profile.builds_on],
            identifier=profile.identifier,
            extra=dict(profile.extra),
            position=position,
        )
        for role in content.roles
        for position, profile in enumerate(role.profiles, start=1)
    }
    _create(RoleProfile, profiles.values())
    requirements = []
    for role in content.roles:
        for profile in role.profiles:
            for position, requirement in enumerate(profile.requirements, start=1):
                competency = known.competencies[requirement.competency]
                requirements.append(
                    Requirement(
                        profile=profiles[role.code, profile.code],
                        competency=competency,
                        level=known.level_for(competency, requirement.level),
                        importance=requirement.importance,
                        necessity=requirement.necessity,
                        level_value=requirement.level_value,
                        importance_value=requirement.importance_value,
                        extra=dict(requirement.extra),
                        position=position,
                    )
                )
    _create(Requirement, requirements)


def _create(model: type[models.Model], rows: Iterable[models.Model]) -> None:
    model._default_manager.bulk_create(rows, batch_size=BATCH)


def _stored(text: Text) -> LazyI18nString | str:
    """A text for a column with languages; "" where there is none, as the columns' default is."""
    return LazyI18nString(dict(text)) if text else ""


# --- And back ----------------------------------------------------------------------------------------------------
def content_of(version: FrameworkVersion) -> FrameworkContent:
    """A version as importers hand it over and exporters take it. A fixed number of queries, whatever its size.

    `load_framework(content_of(version))` finds the version itself: the digest is the same.
    """
    levels = list(version.levels.order_by("rank"))
    areas = list(version.areas.order_by("position", "pk"))
    families = list(version.families.order_by("position", "pk"))
    competencies = list(version.competencies.select_related("area", "parent").order_by("position", "pk"))
    descriptors: dict[int, list[DescriptorContent]] = defaultdict(list)
    rows = LevelDescriptor.objects.filter(competency__version=version).order_by("level__rank")
    for competency_id, rank, text in rows.values_list("competency_id", "level__rank", "text"):
        descriptors[competency_id].append(DescriptorContent(rank, _text(text)))
    requirements: dict[int, list[RequirementContent]] = defaultdict(list)
    needs = Requirement.objects.filter(profile__role__version=version).order_by("position", "pk")
    for row in needs.values_list(
        "profile_id",
        "competency__code",
        "level__rank",
        "importance",
        "necessity",
        "level_value",
        "importance_value",
        "extra",
    ):
        requirements[row[0]].append(RequirementContent(*row[1:]))
    profiles: dict[int, list[ProfileContent]] = defaultdict(list)
    for profile in (
        RoleProfile.objects.filter(role__version=version).select_related("builds_on").order_by("position", "pk")
    ):
        profiles[profile.role_id].append(
            ProfileContent(
                code=profile.code,
                grade=_text(profile.grade),
                summary=_text(profile.summary),
                requirements=tuple(requirements[profile.pk]),
                builds_on=profile.builds_on.code if profile.builds_on is not None else None,
                identifier=profile.identifier,
                extra=profile.extra,
            )
        )
    base = version.extends
    return FrameworkContent(
        slug=version.framework.slug,
        title=_text(version.title) or _text(version.framework.title),
        edition=version.edition,
        description=_text(version.description),
        publisher=version.publisher,
        source=version.source,
        source_url=version.source_url,
        licence=version.licence,
        attribution=version.attribution,
        languages=tuple(version.languages),
        levels=tuple(
            LevelContent(level.rank, _text(level.label), _text(level.description), level.identifier, level.extra)
            for level in levels
        ),
        areas=tuple(
            AreaContent(area.code, _text(area.title), _text(area.description), area.identifier, area.extra)
            for area in areas
        ),
        families=tuple(
            FamilyContent(row.code, _text(row.title), _text(row.description), row.identifier, row.extra)
            for row in families
        ),
        competencies=tuple(
            CompetencyContent(
                code=row.code,
                title=_text(row.title),
                kind=row.kind,
                area=row.area.code if row.area is not None else None,
                description=_text(row.description),
                example=_text(row.example),
                descriptors=tuple(descriptors[row.pk]),
                parent=row.parent.code if row.parent is not None else None,
                rank=row.rank,
                alternatives=_text(row.alternatives),
                identifier=row.identifier,
                extra=row.extra,
            )
            for row in competencies
        ),
        roles=tuple(
            RoleContent(
                code=role.code,
                title=_text(role.title),
                family=role.family.code if role.family is not None else None,
                summary=_text(role.summary),
                key_post=role.key_post,
                external_codes={system: tuple(codes) for system, codes in role.external_codes.items()},
                profiles=tuple(profiles[role.pk]),
                alternatives=_text(role.alternatives),
                identifier=role.identifier,
                extra=role.extra,
            )
            for role in version.roles.select_related("family").order_by("position", "pk")
        ),
        links=tuple(
            LinkContent(
                origin=link.origin.code,
                relation=link.relation,
                target=link.target.code if link.target is not None else None,
                target_uri=link.target_uri,
                target_title=link.target_title,
                note=link.note,
                identifier=link.identifier,
                extra=link.extra,
            )
            for link in version.links.select_related("origin", "target").order_by("position", "pk")
        ),
        extends=(base.framework.slug, base.edition) if base is not None else None,
        identifier=version.identifier,
        extra=version.extra,
    )
