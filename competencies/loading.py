"""A framework that an importer has read becomes a version in the database: all of it or nothing, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from i18nfield.strings import LazyI18nString
from wagtail.log_actions import log

from competencies.enums import FrameworkStatus
from competencies.importers.content import (
    MAX_EDITION,
    FrameworkContent,
    Text,
    objection_to_text,
    refuse,
    shown,
    tidy,
)
from competencies.models import (
    Area,
    Competency,
    Framework,
    FrameworkVersion,
    LevelDescriptor,
    ProficiencyLevel,
    Requirement,
    Role,
    RoleFamily,
    RoleProfile,
)

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
    """What the edition will be called: as asked, else as the source says, else by its content.

    Raises CannotImport for a name that cannot be stored.
    """
    name = content.edition or f"content-{content.digest[:10]}" if edition is None else tidy(edition)
    objection = objection_to_text(name, limit=MAX_EDITION) if name else _("The edition has no name. Give it one.")
    if objection:
        refuse(_("edition"), objection)
    return name


def same_version(content: FrameworkContent, edition: str | None = None) -> FrameworkVersion | None:
    """The version that is this content already, under whatever edition; None when the content is new.

    Raises CannotImport when the edition is there with other content: a published version never changes.
    """
    name = edition_of(content, edition)
    versions = FrameworkVersion.objects.filter(framework__slug=content.slug).select_related("framework")
    labelled = versions.filter(edition=name).first()
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

    `by` is None when a command loads it. Other versions of the framework stay as they are.
    Raises CannotImport when the edition is there with other content.
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
    now = timezone.now()
    version = FrameworkVersion.objects.create(
        framework=framework,
        edition=edition_of(content, edition),
        status=FrameworkStatus.PUBLISHED if publish else FrameworkStatus.DRAFT,
        description=_stored(content.description),
        source=content.source,
        source_url=content.source_url,
        licence=content.licence,
        attribution=content.attribution,
        languages=list(content.languages),
        content_digest=content.digest,
        imported_at=now,
        published_at=now if publish else None,
    )
    _store_content(version, content)
    log(
        instance=version,
        action="competencies.import_framework",
        user=by,
        data={
            "framework": content.slug,
            "edition": version.edition,
            "digest": content.digest,
            "counts": content.counts,
        },
    )
    return Loaded(version=version, created=True, counts=content.counts)


def _store_content(version: FrameworkVersion, content: FrameworkContent) -> None:
    levels = {
        level.rank: ProficiencyLevel(
            version=version, rank=level.rank, label=_stored(level.label), description=_stored(level.description)
        )
        for level in content.levels
    }
    areas = {
        area.code: Area(
            version=version,
            code=area.code,
            title=_stored(area.title),
            description=_stored(area.description),
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
            position=position,
        )
        for position, family in enumerate(content.families, start=1)
    }
    _create(ProficiencyLevel, levels)
    _create(Area, areas)
    _create(RoleFamily, families)
    competencies = _store_competencies(version, content, levels, areas)
    _store_roles(version, content, levels, families, competencies)


def _store_competencies(
    version: FrameworkVersion,
    content: FrameworkContent,
    levels: Mapping[int, ProficiencyLevel],
    areas: Mapping[str, Area],
) -> dict[str, Competency]:
    competencies = {
        competency.code: Competency(
            version=version,
            area=None if competency.area is None else areas[competency.area],
            kind=competency.kind,
            code=competency.code,
            title=_stored(competency.title),
            description=_stored(competency.description),
            example=_stored(competency.example),
            position=position,
        )
        for position, competency in enumerate(content.competencies, start=1)
    }
    _create(Competency, competencies)
    descriptors = {
        (competency.code, descriptor.rank): LevelDescriptor(
            competency=competencies[competency.code], level=levels[descriptor.rank], text=_stored(descriptor.text)
        )
        for competency in content.competencies
        for descriptor in competency.descriptors
    }
    _create(LevelDescriptor, descriptors)
    return competencies


def _store_roles(
    version: FrameworkVersion,
    content: FrameworkContent,
    levels: Mapping[int, ProficiencyLevel],
    families: Mapping[str, RoleFamily],
    competencies: Mapping[str, Competency],
) -> None:
    roles = {
        role.code: Role(
            version=version,
            family=None if role.family is None else families[role.family],
            code=role.code,
            title=_stored(role.title),
            summary=_stored(role.summary),
            key_post=role.key_post,
            external_codes={system: list(codes) for system, codes in role.external_codes.items()},
            position=position,
        )
        for position, role in enumerate(content.roles, start=1)
    }
    _create(Role, roles)
    profiles = {
        (role.code, profile.code): RoleProfile(
            role=roles[role.code],
            code=profile.code,
            grade=_stored(profile.grade),
            summary=_stored(profile.summary),
            position=position,
        )
        for role in content.roles
        for position, profile in enumerate(role.profiles, start=1)
    }
    _create(RoleProfile, profiles)
    requirements = {
        (role.code, profile.code, requirement.competency): Requirement(
            profile=profiles[role.code, profile.code],
            competency=competencies[requirement.competency],
            level=None if requirement.level is None else levels[requirement.level],
            importance=requirement.importance,
            position=position,
        )
        for role in content.roles
        for profile in role.profiles
        for position, requirement in enumerate(profile.requirements, start=1)
    }
    _create(Requirement, requirements)


def _create(model: type[models.Model], rows: Mapping[Any, models.Model]) -> None:
    model._default_manager.bulk_create(rows.values(), batch_size=BATCH)


def _stored(text: Text) -> LazyI18nString | str:
    """A text for a column with languages; "" where there is none, as the columns' default is."""
    return LazyI18nString(dict(text)) if text else ""
