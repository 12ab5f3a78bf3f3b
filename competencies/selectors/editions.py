"""What counts today of frameworks in several editions: profiles, competencies, scales."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from django.db.models import OuterRef, Q, Subquery

from competencies.enums import HELD_RANK, EvidenceKind, FrameworkStatus, LinkRelation
from competencies.equivalence import is_same_level, translate_rank
from competencies.levels import EvidenceItem
from competencies.models import (
    Alignment,
    Competency,
    ProficiencyLevel,
    RoleProfile,
)
from competencies.models.framework import in_languages
from competencies.rulebooks import Book
from competencies.selectors.evidence import EvidenceRow


@dataclass(frozen=True)
class Scale:
    """The levels of one framework version: rank → label. Without levels only "held" is known.

    `labels` are in the reader's language, to be shown; `words` in all of them, to tell whether two scales are the same.
    """

    labels: Mapping[int, str]
    words: Mapping[int, Mapping[str, str]] = field(default_factory=dict)

    @property
    def max_rank(self) -> int:
        return max(self.labels, default=HELD_RANK)

    @property
    def is_stated(self) -> bool:
        return bool(self.labels)

    def label(self, rank: int) -> str:
        return self.labels.get(rank, "")


@dataclass(frozen=True)
class Supposing:
    """What would be in force if a draft were published: whose place its profiles and competencies would take.

    `profiles`: id of a profile in force → id of the draft's; `lineages`: id of a competency of the draft → lineage it
    would take over; `books`: rules as if they were in force, by framework id (None: those for all).
    """

    profiles: Mapping[int, int] = field(default_factory=dict)
    lineages: Mapping[int, UUID] = field(default_factory=dict)
    books: Mapping[int | None, Book] = field(default_factory=dict)


NOTHING_SUPPOSED = Supposing()


@dataclass(frozen=True)
class InForce:
    """A profile as it counts today: the published edition of what was given, and what that builds on."""

    profile_id: int
    builds_on_id: int | None


@dataclass(frozen=True)
class Given:
    """A profile as it was given to somebody, in whatever edition."""

    profile_id: int
    lineage: UUID
    superseded: bool
    builds_on_id: int | None


def profiles_in_force(given: Iterable[Given], supposing: Supposing = NOTHING_SUPPOSED) -> dict[int, InForce]:
    """For each profile the one that counts today: the published edition where that it was given in is superseded.

    A profile without successor (its role was withdrawn) goes on counting as it is. No query unless an edition was
    superseded, then one.
    """
    all_given = {profile.profile_id: profile for profile in given}
    found = {pk: InForce(pk, profile.builds_on_id) for pk, profile in all_given.items()}
    stale = {profile.lineage for profile in all_given.values() if profile.superseded}
    if stale:
        rows = RoleProfile.objects.published().filter(lineage__in=stale).values_list("lineage", "pk", "builds_on_id")
        published = {lineage: InForce(pk, base) for lineage, pk, base in rows}
        found = {pk: published.get(all_given[pk].lineage, profile) for pk, profile in found.items()}
    if supposing.profiles:
        bases = dict(RoleProfile.objects.filter(pk__in=supposing.profiles.values()).values_list("pk", "builds_on_id"))
        for pk, profile in found.items():
            new = supposing.profiles.get(profile.profile_id)
            if new is not None:
                found[pk] = InForce(new, bases[new])
    return found


def successors_of(profile_ids: Iterable[int]) -> dict[int, int]:
    """For each profile id that of the profile which counts today. One query, two after an edition was superseded."""
    return {pk: profile.profile_id for pk, profile in profiles_in_force(given_profiles(profile_ids)).items()}


def given_profiles(profile_ids: Iterable[int]) -> list[Given]:
    wanted = set(profile_ids)
    if not wanted:
        return []
    rows = RoleProfile.objects.filter(pk__in=wanted)
    return [
        Given(pk, lineage, status == FrameworkStatus.SUPERSEDED, base)
        for pk, lineage, status, base in rows.values_list("pk", "lineage", "role__version__status", "builds_on_id")
    ]


@dataclass(frozen=True)
class Counterpart:
    """A lineage whose evidence counts for another one, and what a person said of its levels: `rank_map` from rank there
    to rank here, `outward` from rank here to rank there."""

    lineage: UUID
    rank_map: Mapping[int, int]
    outward: Mapping[int, int] = field(default_factory=dict)


def counterparts_of(lineages: Iterable[UUID]) -> dict[UUID, list[Counterpart]]:
    """Which lineages are aligned exactly with these, in either direction. One query."""
    wanted = set(lineages)
    found: dict[UUID, list[Counterpart]] = defaultdict(list)
    if not wanted:
        return found
    rows = Alignment.objects.standing().filter(
        Q(origin__lineage__in=wanted) | Q(target__lineage__in=wanted), relation=LinkRelation.EXACT
    )
    for origin, target, rank_map in rows.values_list("origin__lineage", "target__lineage", "rank_map"):
        there = {int(at): int(to) for at, to in rank_map.items()}
        back: dict[int, int] = {}
        for at, to in sorted(there.items()):  # the lowest level there that is as high as this one
            back.setdefault(to, at)
        if target in wanted:
            found[target].append(Counterpart(origin, there, back))
        if origin in wanted:
            found[origin].append(Counterpart(target, back, there))
    return found


@dataclass(frozen=True)
class Place:
    """A competency as evidence meets it: its lineage and scale, and the lineages that count for it beside its own."""

    competency_id: int
    lineage: UUID
    version_id: int
    framework_id: int
    counterparts: tuple[Counterpart, ...] = ()

    def takes(self, row: EvidenceRow, scales: Mapping[int, Scale]) -> EvidenceItem | None:
        """The item as it counts here, in ranks of this scale; None when it is about something else or shows nothing here."""
        if row.competency_id == self.competency_id:
            return row.item
        stated: Mapping[int, int] | None = None
        if row.lineage != self.lineage:
            counterpart = next((c for c in self.counterparts if c.lineage == row.lineage), None)
            if counterpart is None:
                return None
            stated = counterpart.rank_map
        source, target = scales[row.version_id], scales[self.version_id]
        rank = translate_rank(
            row.item.rank,
            source=source.words,
            target=target.words,
            stated=stated,
            editions=row.framework_id == self.framework_id,
        )
        # A level that shows nothing here says nothing here either: a self-assessment at 4 there is not one at 0 here.
        if not rank and row.item.rank:
            return None
        if rank == row.item.rank and source.max_rank == target.max_rank:
            return replace(row.item, via=row.competency_id)
        # An estimate speaks of the ranks of its own scale; on another one only the level it showed is carried over.
        item = replace(row.item, rank=rank, via=row.competency_id, value=None, se=None, probabilities=None)
        if is_same_level(row.item.rank, rank, source=source.words, target=target.words, stated=stated):
            return item
        # The least that it shows attains it; it is not what she said of herself, nor what she failed.
        if item.kind == EvidenceKind.SELF or not item.passed:
            return None
        return replace(item, carried=True)


def places_in_force(lineages: Iterable[UUID]) -> dict[UUID, Place]:
    """The published competency of each lineage. One query, none where nothing is asked."""
    wanted = set(lineages)
    if not wanted:
        return {}
    rows = Competency.objects.published().filter(lineage__in=wanted)
    return {
        lineage: Place(pk, lineage, version_id, framework_id)
        for pk, lineage, version_id, framework_id in rows.values_list(
            "pk", "lineage", "version_id", "version__framework_id"
        )
    }


def scales_of(version_ids: Iterable[int]) -> dict[int, Scale]:
    wanted = set(version_ids)
    labels: dict[int, dict[int, str]] = defaultdict(dict)
    words: dict[int, dict[int, Mapping[str, str]]] = defaultdict(dict)
    for level in ProficiencyLevel.objects.filter(version_id__in=wanted):
        labels[level.version_id][level.rank] = str(level.label)
        words[level.version_id][level.rank] = in_languages(level.label)
    return {version_id: Scale(labels[version_id], words[version_id]) for version_id in wanted}


def competencies_in_force(competency_ids: Iterable[int]) -> dict[int, int]:
    """For competencies of superseded editions the id of the one in force; others are left out. One query."""
    wanted = set(competency_ids)
    if not wanted:
        return {}
    in_force = Competency.objects.published().filter(lineage=OuterRef("lineage")).values("pk")[:1]
    rows = (
        Competency.objects.filter(pk__in=wanted, version__status=FrameworkStatus.SUPERSEDED)
        .annotate(now=Subquery(in_force))
        .exclude(now=None)
    )
    return dict(rows.values_list("pk", "now"))


def competency_in_force(competency: Competency) -> int:
    """The id of the competency that counts today: its own unless an edition that follows is in force. No query for what
    is published, else one. Comes with its version."""
    if competency.version.is_published:
        return competency.pk
    return competencies_in_force([competency.pk]).get(competency.pk, competency.pk)


FIELDS_OF_PLACE = ("pk", "lineage", "version_id", "version__framework_id", "version__status")


def places_of(competencies: Iterable[Competency], supposing: Supposing) -> dict[int, Place]:
    """Where evidence counts: each required competency with its lineage, or the one it would take over. One query."""
    lineages = {c.pk: supposing.lineages.get(c.pk, c.lineage) for c in competencies}
    counterparts = counterparts_of(lineages.values())
    return {
        c.pk: Place(
            c.pk, lineages[c.pk], c.version_id, c.version.framework_id, tuple(counterparts.get(lineages[c.pk], ()))
        )
        for c in competencies
    }
