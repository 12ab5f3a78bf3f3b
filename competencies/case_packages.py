"""Published frameworks as CASE packages: built once, kept in the cache, with what people have aligned since.

A version never changes, so its own package is kept under its identifier and state. Beside it lie its parts: the head
(its document), the things on shelves that are found by their identifiers, and the nodes that alignments name. So a list
of documents or one item is answered without a whole package. Alignments come and go: they are kept under a stamp.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5
from zlib import crc32

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, F, Max, Q, QuerySet

from competencies.case_words import ALIGNMENT, COMPETENCY, KEY, MARK, derived
from competencies.enums import FrameworkStatus, LinkRelation
from competencies.exporters import case
from competencies.exporters.case_fitting import is_uuid
from competencies.loading import content_of
from competencies.models import Alignment, Competency, FrameworkVersion
from competencies.models.framework import FRAMEWORKS

SERVED = (FrameworkStatus.PUBLISHED, FrameworkStatus.SUPERSEDED)
KEPT_SECONDS = 30 * 24 * 3600
# Changed when what is written changes, so that packages of an older platform are not served.
WRITING = "3"
ASSOCIATION_TYPES: dict[str, str] = {
    LinkRelation.EXACT: "exactMatchOf",
    LinkRelation.BROADER: "ext:isBroaderThan",
    LinkRelation.NARROWER: "ext:isNarrowerThan",
    LinkRelation.RELATED: "isRelatedTo",
}
# So many things are read from the cache where one is looked for.
ON_A_SHELF = 250
WRITE_JOB = "competencies.write_case_packages"
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


def item_address(competency: Competency) -> str:
    """Where a competency stands as a CFItem: with us where its framework is served, else where its source says it does;
    "" where neither. Comes with its version; no query."""
    version = competency.version
    if version.status in SERVED:
        own = competency.identifier if is_uuid(competency.identifier) else ""
        return f"{base_url()}/CFItems/{own or derived(str(version.uuid), COMPETENCY, competency.code)}"
    return competency.identifier if competency.identifier.startswith(("http://", "https://")) else ""


@dataclass(frozen=True)
class Stamp:
    """Which alignments there are: changes whenever one is made or withdrawn."""

    text: str
    changed_at: datetime | None


NO_ALIGNMENTS = Stamp("", None)


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


def _key(part: str, version: FrameworkVersion) -> str:
    return f"case-{part}:{key_of(version, NO_ALIGNMENTS)}"


def bare_package(version: FrameworkVersion) -> Thing:
    """What the version itself says. Drafts are written anew each time."""
    if version.status not in SERVED:
        return _write(version)
    package: Thing | None = cache.get(_key("package", version))
    return _lay_down(version) if package is None else package


def _write(version: FrameworkVersion) -> Thing:
    return case.package(
        content_of(version),
        identifier=version.uuid,
        base_url=base_url(),
        changed_at=changed_at(version).astimezone(UTC),
        edition=version.edition,
        status=version.status,
    )


@dataclass(frozen=True)
class Head:
    """What is known of a package without reading it. `shelves`: on how many its things lie."""

    document: Thing
    shelves: int

    def link(self) -> Thing:
        return {key: self.document[key] for key in ("title", "identifier", "uri")}


def _lay_down(version: FrameworkVersion) -> Thing:
    """Build a package and lay it and its parts into the cache."""
    package = _write(version)
    things = [
        (f"{name}/{thing['identifier']}", thing) for name, rows in _collections(package).items() for thing in rows
    ]
    head = Head(package["CFDocument"], max(1, -(-len(things) // ON_A_SHELF)))
    shelves: list[dict[str, Thing]] = [{} for _n in range(head.shelves)]
    for name, thing in things:
        shelves[_shelf(name, head)][name] = thing
    nodes = {code: _node(item) for code, item in case.competency_items(package).items()}
    cache.set_many(
        {
            _key("package", version): package,
            _key("nodes", version): nodes,
            **{_key(f"shelf-{number}", version): shelf for number, shelf in enumerate(shelves)},
            _key("head", version): head,
        },
        KEPT_SECONDS,
    )
    return package


def _shelf(name: str, head: Head) -> int:
    return crc32(name.encode()) % head.shelves


def write_packages(progress: Callable[[int, int], None] | None = None) -> int:
    """Lay down what is not there, and keep what is: then nobody waits for a package. Returns how many were built."""
    versions = list(served_versions())
    built = 0
    for number, version in enumerate(versions):
        if progress is not None:
            progress(number, len(versions))
        head: Head | None = cache.get(_key("head", version))
        shelves = [f"shelf-{number}" for number in range(head.shelves if head is not None else 0)]
        if head is None or not all(
            cache.touch(_key(part, version), KEPT_SECONDS) for part in ("head", "package", "nodes", *shelves)
        ):
            _lay_down(version)
            built += 1
    return built


def served_state() -> str:
    """Changes when a version comes to be served, or is served as something else. One query."""
    keys = "/".join(key_of(version, NO_ALIGNMENTS) for version in served_versions())
    return hashlib.sha256(keys.encode()).hexdigest()[:20]


def heads_of(versions: Sequence[FrameworkVersion]) -> list[Head]:
    """The heads of versions that are served, in their order. No query, where they lie ready."""
    found: dict[str, Head] = cache.get_many([_key("head", version) for version in versions])
    return [found.get(_key("head", version)) or _missing_head(version) for version in versions]


def _missing_head(version: FrameworkVersion) -> Head:
    package = _lay_down(version)
    kept: Head | None = cache.get(_key("head", version))
    return kept or Head(package["CFDocument"], 1)


def package_of(version: FrameworkVersion, stamp: Stamp | None = None) -> Thing:
    """The package of a version with the alignments that stand."""
    stamp = stamp or alignment_stamp()
    if version.status not in SERVED:
        return bare_package(version)
    package = bare_package(version)
    aligned = aligned_of(version, stamp)
    return {**package, "CFAssociations": [*package.get("CFAssociations", []), *aligned]} if aligned else package


# --- Alignments --------------------------------------------------------------------------------------------------
def aligned_of(version: FrameworkVersion, stamp: Stamp) -> list[Thing]:
    """The alignments that stand, as associations of a version that is served."""
    key = f"case-aligned:{key_of(version, stamp)}"
    found: list[Thing] | None = cache.get(key)
    if found is None:
        found = _aligned(version)
        cache.set(key, found, KEPT_SECONDS)
    return found


def _aligned(version: FrameworkVersion) -> list[Thing]:
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
    nodes = _Nodes([version])
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

    def __init__(self, versions: Sequence[FrameworkVersion]) -> None:
        self.versions = {version.pk: version for version in versions}
        self.by_code: dict[int, dict[str, Thing]] = {}

    def link(self, row: Competency) -> Thing | None:
        if row.version_id not in self.versions:
            self.versions[row.version_id] = FrameworkVersion.objects.select_related(
                "framework", "extends__framework"
            ).get(pk=row.version_id)
        if row.version_id not in self.by_code:
            version = self.versions[row.version_id]
            nodes: dict[str, Thing] | None = cache.get(_key("nodes", version))
            if nodes is None:
                items = case.competency_items(_lay_down(version))
                nodes = {code: _node(item) for code, item in items.items()}
            self.by_code[row.version_id] = nodes
        return self.by_code[row.version_id].get(row.code)


def _node(item: Thing) -> Thing:
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
    """A thing, with the version and the head of the package it stands in."""

    version: FrameworkVersion
    head: Head
    thing: Thing


def find(collection: str, identifier: UUID, stamp: Stamp) -> Found | None:
    """A thing by its identifier, in whichever version that is served. One query, however many there are."""
    name = f"{collection}/{identifier}"
    versions = list(served_versions())
    heads = heads_of(versions)
    keys = [_key(f"shelf-{_shelf(name, head)}", version) for version, head in zip(versions, heads, strict=True)]
    shelves: dict[str, dict[str, Thing]] = cache.get_many(keys)
    for version, head, key in zip(versions, heads, keys, strict=True):
        thing = shelves[key].get(name) if key in shelves else _in_package(bare_package(version), collection, identifier)
        if thing is not None:
            return Found(version, head, thing)
    if collection == "CFAssociations":
        for version, head in zip(versions, heads, strict=True):
            for association in aligned_of(version, stamp):
                if association["identifier"] == str(identifier):
                    return Found(version, head, association)
    return None


def _in_package(package: Thing, collection: str, identifier: UUID) -> Thing | None:
    return next((t for t in _collections(package)[collection] if t["identifier"] == str(identifier)), None)
