"""Published frameworks as CASE packages: built once, kept in the cache, with what people have aligned since.

A version never changes, so its own package is kept under its identifier and state; alignments come and go, so the
package that is served is kept under a stamp of them too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, F, Max, Q, QuerySet

from competencies.case_words import ALIGNMENT, KEY, MARK
from competencies.enums import FrameworkStatus, LinkRelation
from competencies.exporters import case
from competencies.loading import content_of
from competencies.models import Alignment, Competency, FrameworkVersion
from competencies.models.framework import FRAMEWORKS

SERVED = (FrameworkStatus.PUBLISHED, FrameworkStatus.SUPERSEDED)
KEPT_SECONDS = 7 * 24 * 3600
# Changed when what is written changes, so that packages of an older platform are not served.
WRITING = "3"
ASSOCIATION_TYPES: dict[str, str] = {
    LinkRelation.EXACT: "exactMatchOf",
    LinkRelation.BROADER: "ext:isBroaderThan",
    LinkRelation.NARROWER: "ext:isNarrowerThan",
    LinkRelation.RELATED: "isRelatedTo",
}
DEFINITIONS = ("CFConcepts", "CFSubjects", "CFLicenses", "CFItemTypes", "CFAssociationGroupings")
Thing = dict[str, Any]


def base_url() -> str:
    return f"{settings.SITE_URL}/ims/case/v1p1"


def served_versions() -> QuerySet[FrameworkVersion]:
    """In force before those that were, so that what is found by identifier is found in the newest."""
    return (
        FrameworkVersion.objects.filter(status__in=SERVED)
        .select_related("framework", "extends__framework")
        .order_by("status", F("published_at").desc(nulls_last=True), "framework__slug", "pk")
    )


@dataclass(frozen=True)
class Stamp:
    """Which alignments there are: changes whenever one is made or withdrawn."""

    text: str
    changed_at: datetime | None


def alignment_stamp() -> Stamp:
    """One query."""
    row = Alignment.objects.aggregate(n=Count("pk"), made=Max("made_at"), withdrawn=Max("withdrawn_at"), last=Max("pk"))
    moments = [moment for moment in (row["made"], row["withdrawn"]) if moment is not None]
    return Stamp(f"{row['n']}/{row['last']}/{row['made']}/{row['withdrawn']}", max(moments, default=None))


def changed_at(version: FrameworkVersion) -> datetime:
    """When a version became what it is: a draft when it was loaded, later when it was published or superseded."""
    return version.superseded_at or version.published_at or version.imported_at


def last_modified(version: FrameworkVersion, stamp: Stamp) -> datetime:
    moments = (changed_at(version), stamp.changed_at)
    return max(moment for moment in moments if moment is not None).astimezone(UTC)


def key_of(version: FrameworkVersion, stamp: Stamp) -> str:
    said = f"{WRITING}:{base_url()}:{version.uuid}:{version.status}:{changed_at(version)}:{stamp.text}"
    return hashlib.sha256(said.encode()).hexdigest()


def bare_package(version: FrameworkVersion) -> Thing:
    """What the version itself says. Drafts are written anew each time."""
    if version.status not in SERVED:
        return _write(version)
    key = f"case-bare:{key_of(version, Stamp('', None))}"
    package: Thing | None = cache.get(key)
    if package is None:
        package = _write(version)
        cache.set(key, package, KEPT_SECONDS)
    return package


def _write(version: FrameworkVersion) -> Thing:
    return case.package(
        content_of(version),
        identifier=version.uuid,
        base_url=base_url(),
        changed_at=changed_at(version).astimezone(UTC),
        edition=version.edition,
        status=version.status,
    )


def package_of(version: FrameworkVersion, stamp: Stamp | None = None) -> Thing:
    """The package of a version with the alignments that stand."""
    stamp = stamp or alignment_stamp()
    if version.status not in SERVED:
        return bare_package(version)
    key = f"case:{key_of(version, stamp)}"
    package: Thing | None = cache.get(key)
    if package is None:
        package = dict(bare_package(version))
        aligned = _aligned(version, package)
        if aligned:
            package["CFAssociations"] = [*package.get("CFAssociations", []), *aligned]
        cache.set(key, package, KEPT_SECONDS)
    return package


# --- Alignments --------------------------------------------------------------------------------------------------
def _aligned(version: FrameworkVersion, package: Thing) -> list[Thing]:
    """What people say of competencies of this version and of others: of the edition they looked at or of another one.

    A number of queries that grows with the frameworks aligned with, not with the alignments.
    """
    ours = Competency.objects.filter(version=version)
    lineages = ours.values("lineage")
    alignments = list(
        Alignment.objects.standing()
        .filter(Q(origin__lineage__in=lineages) | Q(target__lineage__in=lineages))
        .select_related("origin", "target")
        .order_by("pk")
    )
    if not alignments:
        return []
    ends = {row.lineage for alignment in alignments for row in (alignment.origin, alignment.target)}
    here = {row.lineage: row for row in ours.filter(lineage__in=ends)}
    there: dict[UUID, Competency] = {}
    rows = Competency.objects.filter(lineage__in=ends, version__status__in=SERVED).select_related("version__framework")
    for row in rows.order_by(F("version__published_at").asc(nulls_first=True), "pk"):  # the latest edition stays
        if row.version.is_published or row.lineage not in there:
            there[row.lineage] = row
    nodes = _Nodes({version.pk: package})
    associations = []
    for alignment in alignments:
        origin = here.get(alignment.origin.lineage) or there.get(alignment.origin.lineage)
        target = here.get(alignment.target.lineage) or there.get(alignment.target.lineage)
        if origin is None or target is None:  # what is a draft is nobody's yet
            continue
        ends_here = (nodes.link(origin), nodes.link(target))
        if ends_here[0] is not None and ends_here[1] is not None:
            associations.append(_association(alignment, ends_here[0], ends_here[1]))
    return associations


class _Nodes:
    """Competencies as nodes of packages."""

    def __init__(self, packages: dict[int, Thing]) -> None:
        self.packages = packages
        self.by_code: dict[int, dict[str, Thing]] = {}

    def link(self, row: Competency) -> Thing | None:
        if row.version_id not in self.packages:
            version = FrameworkVersion.objects.select_related("framework", "extends__framework").get(pk=row.version_id)
            self.packages[row.version_id] = bare_package(version)
        if row.version_id not in self.by_code:
            self.by_code[row.version_id] = case.competency_items(self.packages[row.version_id])
        item = self.by_code[row.version_id].get(row.code)
        if item is None:
            return None
        title = " ".join((item.get("abbreviatedStatement") or item["fullStatement"]).split())
        return {"title": title, "identifier": item["identifier"], "uri": item["uri"], "targetType": "CASE"}


def _association(alignment: Alignment, origin: Thing, destination: Thing) -> Thing:
    identifier = uuid5(FRAMEWORKS, f"alignment/{alignment.pk}/{origin['identifier']}/{destination['identifier']}")
    association: Thing = {
        "identifier": str(identifier),
        "uri": f"{base_url()}/CFAssociations/{identifier}",
        "associationType": ASSOCIATION_TYPES[alignment.relation],
        "originNodeURI": origin,
        "destinationNodeURI": destination,
        "lastChangeDateTime": alignment.made_at.astimezone(UTC).isoformat(timespec="seconds"),
    }
    if alignment.note:
        association["notes"] = alignment.note
    # Who reads this back tells a person's word from what the framework says by this mark.
    own: Thing = {MARK: ALIGNMENT}
    if alignment.rank_map:
        own["levels"] = alignment.rank_map
    association["extensions"] = {KEY: own}
    return association


# --- Finding -----------------------------------------------------------------------------------------------------
def identifiers_of(version: FrameworkVersion, stamp: Stamp) -> Mapping[str, str]:
    """Identifier → the collection of the package it stands in."""
    key = f"case-ids:{key_of(version, stamp)}"
    found: dict[str, str] | None = cache.get(key)
    if found is None:
        package = package_of(version, stamp)
        found = {thing["identifier"]: name for name, things in _collections(package).items() for thing in things}
        cache.set(key, found, KEPT_SECONDS)
    return found


def _collections(package: Thing) -> dict[str, list[Thing]]:
    definitions = package.get("CFDefinitions", {})
    return {
        "CFItems": package.get("CFItems", []),
        "CFAssociations": package.get("CFAssociations", []),
        "CFRubrics": package.get("CFRubrics", []),
        **{name: definitions.get(name, []) for name in DEFINITIONS},
    }


@dataclass(frozen=True)
class Found:
    """A thing of a package, with the version and the whole it stands in."""

    version: FrameworkVersion
    package: Thing
    thing: Thing

    def document_link(self) -> Thing:
        document = self.package["CFDocument"]
        return {key: document[key] for key in ("title", "identifier", "uri")}


def find(collection: str, identifier: UUID, stamp: Stamp) -> Found | None:
    """A thing by its identifier, in whichever version that is served. One query, however many there are."""
    wanted = str(identifier)
    for version in served_versions():
        if identifiers_of(version, stamp).get(wanted) != collection:
            continue
        package = package_of(version, stamp)
        thing = next((t for t in _collections(package)[collection] if t["identifier"] == wanted), None)
        if thing is not None:
            return Found(version, package, thing)
    return None
