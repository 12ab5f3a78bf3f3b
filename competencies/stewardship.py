"""What stewards see of frameworks: what is in force, what is a draft, what is being loaded, what to do next.

Each function asks the same number of queries whatever the size of the frameworks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Count, F, IntegerField, Model, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from wagtail.models import ModelLogEntry

from competencies.enums import FrameworkStatus
from competencies.jobs import IMPORT_JOB
from competencies.models import (
    Area,
    Competency,
    CompetencyLink,
    FrameworkVersion,
    LevelDescriptor,
    ProficiencyLevel,
    Requirement,
    Role,
    RoleFamily,
    RoleProfile,
)
from organisations.enums import OPEN_JOB_STATES
from organisations.models import Job, User

LATEST_UPLOADS = 6
# In the order and under the keys in which importers count (FrameworkContent.counts).
PARTS: tuple[tuple[str, type[Model], str], ...] = (
    ("levels", ProficiencyLevel, "version"),
    ("areas", Area, "version"),
    ("families", RoleFamily, "version"),
    ("competencies", Competency, "version"),
    ("descriptors", LevelDescriptor, "competency__version"),
    ("roles", Role, "version"),
    ("profiles", RoleProfile, "role__version"),
    ("requirements", Requirement, "profile__role__version"),
    ("links", CompetencyLink, "version"),
)
WRITTEN_IN_CMS: tuple[tuple[type[Model], str], ...] = (
    (Area, "version"),
    (Competency, "version"),
    (Role, "version"),
    (RoleProfile, "role__version"),
)


def _how_many(model: type[Model], lookup: str, **only: object) -> Coalesce:
    rows = model._default_manager.filter(**{lookup: OuterRef("pk")}, **only).order_by().values(lookup)
    return Coalesce(Subquery(rows.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0)


def counted_versions() -> QuerySet[FrameworkVersion]:
    """Versions with `n_competencies` and `n_roles`, by framework, the newest first."""
    return (
        FrameworkVersion.objects.select_related("framework", "previous__framework", "extends__framework")
        .annotate(n_competencies=_how_many(Competency, "version"), n_roles=_how_many(Role, "version"))
        .order_by("framework__slug", "-imported_at", "-pk")
    )


def uploads_of_stewards() -> QuerySet[Job]:
    """Uploads of every steward: frameworks belong to all of them."""
    return Job.objects.filter(kind=IMPORT_JOB).select_related("created_by").order_by("-created_at", "-pk")


@dataclass(frozen=True)
class Desk:
    in_force: tuple[FrameworkVersion, ...]
    drafts: tuple[FrameworkVersion, ...]
    uploads: tuple[Job, ...]

    @property
    def under_way(self) -> tuple[Job, ...]:
        return tuple(job for job in self.uploads if job.is_open)

    @property
    def refused(self) -> Job | None:
        """The latest upload, where it was refused and no other is under way: its files wait to be corrected."""
        latest = self.uploads[0] if self.uploads else None
        return latest if latest is not None and not latest.is_open and "version" not in latest.report else None


def desk() -> Desk:
    """Two queries: versions, uploads."""
    versions = list(counted_versions().exclude(status=FrameworkStatus.SUPERSEDED))
    open_first = Case(When(state__in=OPEN_JOB_STATES, then=Value(0)), default=Value(1))
    uploads = list(uploads_of_stewards().order_by(open_first, "-created_at", "-pk")[:LATEST_UPLOADS])
    return Desk(
        in_force=tuple(version for version in versions if version.is_published),
        drafts=tuple(version for version in versions if version.is_draft),
        uploads=tuple(uploads),
    )


@dataclass(frozen=True)
class Held:
    """What a version holds: how many of everything, and who loaded it when."""

    counts: dict[str, int]
    unsettled: int
    loaded_by: User | None
    loaded_at: datetime
    upload: Job | None


def held_by(version: FrameworkVersion) -> Held:
    """Four queries. `unsettled`: parts with words in the CMS that are not in the draft yet."""
    row = (
        FrameworkVersion.objects.filter(pk=version.pk)
        .annotate(**{f"n_{key}": _how_many(model, lookup) for key, model, lookup in PARTS})
        .annotate(
            **{
                f"unsettled_{model._meta.model_name}": _how_many(model, lookup, has_unpublished_changes=True)
                for model, lookup in WRITTEN_IN_CMS
            }
        )
        .get()
    )
    entry = (
        ModelLogEntry.objects.for_instance(version)
        .filter(action="competencies.import_framework")
        .select_related("user")
        .order_by("timestamp", "pk")
        .first()
    )
    upload = uploads_of_stewards().filter(report__version=version.pk, report__created=True).first()
    return Held(
        counts={key: getattr(row, f"n_{key}") for key, _model, _lookup in PARTS},
        unsettled=sum(getattr(row, f"unsettled_{model._meta.model_name}") for model, _lookup in WRITTEN_IN_CMS),
        loaded_by=entry.user if entry is not None else None,
        loaded_at=version.imported_at,
        upload=upload,
    )


def other_editions(version: FrameworkVersion) -> Sequence[FrameworkVersion]:
    return list(
        FrameworkVersion.objects.filter(framework=version.framework_id)
        .exclude(pk=version.pk)
        .select_related("framework")
        .order_by(F("published_at").desc(nulls_last=True), "-imported_at")[:20]
    )
