"""Reading across frameworks, roles and evidence. Each function asks the same number of queries for one person as for a thousand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from competencies.enums import HELD_RANK, BankStatus, EvidenceKind, FrameworkStatus, LinkRelation, Necessity
from competencies.equivalence import is_same_level, translate_rank
from competencies.gaps import Gap, Required, measure_gaps, merge_requirements
from competencies.levels import NOTHING_HELD, Attains, EvidenceItem, Level, attained_level, lapse_date
from competencies.likely import Likely, contributions, estimate_many, observations_of
from competencies.models import (
    Alignment,
    Competency,
    Evidence,
    Framework,
    FrameworkVersion,
    ItemBank,
    PostRole,
    ProficiencyLevel,
    Requirement,
    Role,
    RoleAssignment,
    RoleProfile,
)
from competencies.models.framework import in_languages
from competencies.rulebooks import SHIPPED, Book
from competencies.ruling import books_in_force
from organisations.models import Appointment, Post, User


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
class Line:
    """One required competency of a person: what is required, what is held, what is missing, what is likely.

    `likely` is there for gaps; what is met is met by the rules, whatever is likely.
    """

    competency: Competency
    required: Required
    level: Level
    scale: Scale
    gap: Gap | None
    likely: Likely | None = None
    book: Book = SHIPPED

    @property
    def is_unsure(self) -> bool:
        """Whether so little is known that asking (a diagnostic) comes before a course."""
        return self.likely is not None and self.likely.sd > self.book.parameters.unsure_sd

    @property
    def is_met(self) -> bool:
        return self.gap is None

    @property
    def required_label(self) -> str:
        return self.scale.label(self.required.rank) if self.required.rank is not None else ""

    @property
    def held_label(self) -> str:
        return self.scale.label(self.level.rank)


@dataclass(frozen=True)
class Standing:
    """Where a person stands towards her roles on one day. `lines`: the largest gap first, then what is met."""

    person_id: int
    as_of: date
    profiles: tuple[RoleProfile, ...]
    lines: tuple[Line, ...] = ()
    levels: Mapping[int, Level] = field(default_factory=dict)
    # What each profile asks for by itself; `lines` have the highest level any of them needs.
    asked: Mapping[int, Sequence[Required]] = field(default_factory=dict)

    def way_to(self, profile_id: int) -> tuple[int, int]:
        """How many of the competencies that this profile of hers asks for are at its level, and how many it asks for."""
        needed: dict[int, int] = {}
        for r in self.asked.get(profile_id, ()):
            needed[r.competency_id] = max(r.rank_needed, needed.get(r.competency_id, 0))
        met = sum(self.levels.get(pk, NOTHING_HELD).rank >= rank for pk, rank in needed.items())
        return met, len(needed)

    def is_met(self, profile_id: int) -> bool:
        """Whether everything this profile of hers asks for is shown."""
        met, total = self.way_to(profile_id)
        return met == total

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        return tuple(line.gap for line in self.lines if line.gap is not None)

    @property
    def met(self) -> int:
        return sum(line.is_met for line in self.lines)

    @property
    def total(self) -> int:
        return len(self.lines)

    @property
    def pct(self) -> int:
        return 100 * self.met // self.total if self.total else 100

    @property
    def held(self) -> dict[int, int]:
        """Competency id → attained rank, of everything there is evidence for."""
        return {competency_id: level.rank for competency_id, level in self.levels.items()}

    @property
    def undeclared(self) -> list[Line]:
        """Required competencies the person has never assessed herself in, in the order of `lines`."""
        return [line for line in self.lines if line.level.declared is None]

    @property
    def refresh_due(self) -> list[Line]:
        """Required competencies whose level lapses soon, the soonest first."""
        due = [line for line in self.lines if line.level.refresh_due]
        return sorted(due, key=lambda line: (line.level.lapses_on or date.max, line.competency.pk))

    def line(self, competency_id: int) -> Line | None:
        return next((line for line in self.lines if line.competency.pk == competency_id), None)


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


def profiles_by_person(
    person_ids: Sequence[int], as_of: date, supposing: Supposing = NOTHING_SUPPOSED
) -> dict[int, list[int]]:
    """Role profile ids of each person, those of the posts held and those assigned, as they are in force."""
    return {
        person_id: sorted({profile.profile_id for profile in profiles})
        for person_id, profiles in _profiles_of(person_ids, as_of, supposing).items()
    }


def _profiles_of(
    person_ids: Sequence[int], as_of: date, supposing: Supposing, without: int | None = None
) -> dict[int, list[InForce]]:
    """One query, two after an edition was superseded. `without` is the id of an assignment that is left out."""

    def fields(prefix: str) -> tuple[str, ...]:
        of_profile = ("lineage", "role__version__status", "builds_on_id")
        return ("person_id", f"{prefix}_id", *(f"{prefix}__{name}" for name in of_profile))

    by_post = (
        Appointment.objects.current(as_of)
        .filter(person_id__in=person_ids, post__post_roles__isnull=False)
        .order_by()
        .values_list(*fields("post__post_roles__profile"))
    )
    assigned = (
        RoleAssignment.objects.current(as_of)
        .filter(person_id__in=person_ids)
        .exclude(pk__in=[] if without is None else [without])
        .order_by()
        .values_list(*fields("profile"))
    )
    found: dict[int, set[int]] = defaultdict(set)
    given: dict[int, Given] = {}
    for person_id, profile_id, lineage, status, base in by_post.union(assigned):
        found[person_id].add(profile_id)
        given[profile_id] = Given(profile_id, lineage, status == FrameworkStatus.SUPERSEDED, base)
    now = profiles_in_force(given.values(), supposing)
    return {
        person_id: sorted({now[pk] for pk in ids}, key=lambda profile: profile.profile_id)
        for person_id, ids in found.items()
    }


def competencies_asked(
    person_ids: Sequence[int], as_of: date, *, only: int | None = None
) -> tuple[dict[int, frozenset[int]], dict[int, Competency]]:
    """What the roles of each person require, as far as it can be assessed today: ids by person, and the competencies.

    `only` looks at one profile (in force); who does not have it is asked for nothing. Two queries, up to five more
    where editions were superseded or profiles build on others.
    """
    by_person = _profiles_of(person_ids, as_of, NOTHING_SUPPOSED)
    wanted = {p for profiles in by_person.values() for p in profiles if only is None or p.profile_id == only}
    bases = profiles_in_force(given_profiles({p.builds_on_id for p in wanted if p.builds_on_id is not None}))
    required, competencies, _profiles = _requirements_of(wanted, bases)
    required, competencies = _brought_forward(required, competencies, NOTHING_SUPPOSED)
    in_use = {pk: c for pk, c in competencies.items() if c.version.status == FrameworkStatus.PUBLISHED}
    asked = {
        profile_id: frozenset(r.competency_id for r in rs if r.competency_id in in_use)
        for profile_id, rs in required.items()
    }
    nothing: frozenset[int] = frozenset()
    return {
        person_id: nothing.union(*(asked.get(p.profile_id, nothing) for p in profiles if p in wanted))
        for person_id, profiles in by_person.items()
    }, in_use


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
class EvidenceRow:
    """A standing piece of evidence with the competency it was recorded for."""

    item: EvidenceItem
    competency_id: int
    lineage: UUID
    version_id: int
    framework_id: int
    in_force: bool


def source_of(kind: str, by_id: int | None, said: str) -> str:
    """What tells two pieces of one kind apart for the estimate: who said so, or what was passed."""
    if kind in {EvidenceKind.SELF, EvidenceKind.DIAGNOSTIC}:
        return ""
    return f"by-{by_id}" if kind in {EvidenceKind.MANAGER, EvidenceKind.PANEL} else said


def evidence_rows(person_ids: Sequence[int], *, lineages: Iterable[UUID] | None = None) -> dict[int, list[EvidenceRow]]:
    """Standing evidence of each person, in the order it was recorded; of these lineages alone where given. One query."""
    found: dict[int, list[EvidenceRow]] = defaultdict(list)
    fields = (
        "id", "kind", "rank", "assessed", "occurred_on", "valid_until", "person_id", "competency_id",
        "competency__lineage", "competency__version_id", "competency__version__framework_id",
        "competency__version__status", "passed", "value", "se", "probabilities", "recorded_by_id", "said",
        "stands_for_id", "stands_for__recorded_by_id",
    )  # fmt: skip
    rows = (
        Evidence.objects.standing()
        .filter(person_id__in=person_ids)
        .annotate(said=Cast("source", TextField()))
        .order_by("pk")
        .values_list(*fields)
    )
    if lineages is not None:
        rows = rows.filter(competency__lineage__in=set(lineages))
    for pk, kind, rank, assessed, occurred_on, valid_until, person_id, competency_id, *of in rows:
        lineage, version_id, framework_id, status, passed, value, se, probabilities, by, said, first, first_by = of
        item = EvidenceItem(
            pk,
            EvidenceKind(kind),
            rank,
            assessed,
            occurred_on,
            valid_until,
            passed=passed,
            value=value,
            se=se,
            probabilities=None if probabilities is None else tuple(probabilities),
            source=source_of(kind, by if first is None else first_by, said),
            turn=first,
        )
        found[person_id].append(
            EvidenceRow(item, competency_id, lineage, version_id, framework_id, status != FrameworkStatus.SUPERSEDED)
        )
    return found


def people_with_evidence() -> list[int]:
    """Everybody active of whom something is on record: nobody else holds a level. One query."""
    known = Evidence.objects.standing().order_by().values("person_id")
    return list(User.objects.active().filter(pk__in=known).order_by("pk").values_list("pk", flat=True))


def evidence_items(person_ids: Sequence[int]) -> dict[int, dict[int, list[EvidenceItem]]]:
    """Standing evidence by the competency it was recorded for: person id → competency id → items. One query."""
    found: dict[int, dict[int, list[EvidenceItem]]] = defaultdict(lambda: defaultdict(list))
    for person_id, rows in evidence_rows(person_ids).items():
        for row in rows:
            found[person_id][row.competency_id].append(row.item)
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


def _places_in_force(lineages: Iterable[UUID]) -> dict[UUID, Place]:
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


def holders_of_version(version: FrameworkVersion, as_of: date) -> list[int]:
    """Ids of everybody who has a role of this framework by post or assignment, in whatever edition it was given, or of a
    local one that builds on it. One query."""
    own = RoleProfile.objects.filter(role__version=version).values("lineage")
    # A local profile may build on an edition before: what counts is that edition's successor.
    lineages = RoleProfile.objects.filter(Q(lineage__in=own) | Q(builds_on__lineage__in=own)).values("lineage")
    by_post = (
        Appointment.objects.current(as_of)
        .filter(post__post_roles__profile__lineage__in=lineages, person__is_active=True)
        .order_by()
        .values_list("person_id")
    )
    assigned = (
        RoleAssignment.objects.current(as_of)
        .filter(profile__lineage__in=lineages, person__is_active=True)
        .order_by()
        .values_list("person_id")
    )
    return sorted({person_id for (person_id,) in by_post.union(assigned)})


@dataclass(frozen=True)
class Taught:
    """A competency that something (a course, say) leads to: what `equivalents_of` needs to know of it."""

    competency_id: int
    rank: int
    lineage: UUID
    version_id: int
    framework_id: int
    superseded: bool


def equivalents_of(
    taught: Iterable[Taught], supposing: Supposing = NOTHING_SUPPOSED
) -> dict[Taught, tuple[tuple[int, int], ...]]:
    """Where else each rank counts: (competency id, rank there), the competency itself first.

    That is the published edition of what is superseded, and whatever is aligned with it exactly. One query, up to two
    more where there is anything of the kind.
    """
    outcomes = list(taught)
    counterparts = counterparts_of(outcome.lineage for outcome in outcomes)
    lineages = {outcome.lineage for outcome in outcomes if outcome.superseded or supposing.lineages}
    lineages |= {c.lineage for found in counterparts.values() for c in found}
    published = _places_in_force(lineages)
    if supposing.lineages:
        drafts = Competency.objects.filter(pk__in=supposing.lineages).values_list(
            "pk", "version_id", "version__framework_id"
        )
        for pk, version_id, framework_id in drafts:
            lineage = supposing.lineages[pk]
            published[lineage] = Place(pk, lineage, version_id, framework_id)
    versions = {place.version_id for place in published.values()} | {outcome.version_id for outcome in outcomes}
    scales = scales_of(versions) if published else {}
    found: dict[Taught, tuple[tuple[int, int], ...]] = {}
    for outcome in outcomes:
        ways = [(outcome.competency_id, outcome.rank)]
        for counterpart in (Counterpart(outcome.lineage, {}), *counterparts.get(outcome.lineage, ())):
            place = published.get(counterpart.lineage)
            if place is None or place.competency_id == outcome.competency_id:
                continue
            rank = translate_rank(
                outcome.rank,
                source=scales[outcome.version_id].words,
                target=scales[place.version_id].words,
                stated=counterpart.outward,
                editions=place.framework_id == outcome.framework_id,
            )
            if rank:  # a level that shows nothing there is no way to it
                ways.append((place.competency_id, rank))
        found[outcome] = tuple(ways)
    return found


def standings_of(
    person_ids: Sequence[int],
    *,
    as_of: date | None = None,
    adding: RoleProfile | None = None,
    without: int | None = None,
    supposing: Supposing = NOTHING_SUPPOSED,
) -> dict[int, Standing]:
    """The standing of many people: six queries however many there are, up to seven more where editions were
    superseded or profiles build on others.

    `adding` asks "what if": everybody's standing as if they had this role profile too; `without` as if the assignment with
    this id had ended; `supposing` as if a draft of a framework were published.
    """
    day = as_of or timezone.localdate()
    ground = _ground(person_ids, day, adding=adding, without=without, supposing=supposing)
    places, scales = ground.places, ground.scales
    books = books_in_force(ground.framework_ids, supposing=supposing.books)
    levels = {pk: _levels(ground.evidence.get(pk, []), places, scales, day, books) for pk in person_ids}
    merged = ground.merged
    likely = _likely(merged, levels, places, scales, day, books)
    book_of = {pk: books[place.framework_id] for pk, place in places.items()}
    return {
        person_id: _standing(
            person_id,
            [profile.profile_id for profile in ground.by_person.get(person_id, [])],
            ground.profiles,
            ground.required,
            merged[person_id],
            ground.competencies,
            levels[person_id],
            likely.get(person_id, {}),
            book_of,
            scales,
            day,
        )
        for person_id in person_ids
    }


@dataclass(frozen=True)
class Outline:
    """A standing in ranks alone: what her roles ask for together, and what she holds (competency id → attained rank).

    Without grounds, likely levels and lines; for counting many people. People with the same roles share `required`.
    """

    required: tuple[Required, ...]
    held: Mapping[int, int]

    @property
    def missing(self) -> tuple[tuple[int, int, int], ...]:
        """Each gap as (competency id, rank held, rank needed), by competency id."""
        return tuple(
            (r.competency_id, rank, r.rank_needed)
            for r in self.required
            if (rank := self.held.get(r.competency_id, 0)) < r.rank_needed
        )


# What a piece of evidence says that still counts: kind, rank, whether it was assessed, and the probabilities of a diagnostic.
Said = tuple[str, int, bool, tuple[float, ...]]


class Outlines:
    """What `standings_of` says in ranks, for many people, some hundred at a time, for a tenth of the work.

    What people share is read and judged once: what roles require, and what equal records attain. Nothing is estimated
    and no grounds are kept. `adding` as in `standings_of`. One object is good for one look at the world.
    """

    def __init__(self, as_of: date, *, adding: RoleProfile | None = None) -> None:
        self.as_of = as_of
        self.adding = InForce(adding.pk, adding.builds_on_id) if adding is not None else None
        self._books = books_in_force(Framework.objects.values_list("pk", flat=True))
        self._required: dict[int, list[Required]] = {}
        self._merged: dict[tuple[InForce, ...], tuple[Required, ...]] = {}
        self._places: dict[int, Place] = {}
        self._takers: dict[UUID, list[Place]] = {}
        self._about: dict[int, EvidenceRow] = {}
        self._scales: dict[int, Scale] = {}
        self._ways: dict[tuple[Any, ...], tuple[tuple[int, Said], ...]] = {}
        self._ranks: dict[tuple[Any, ...], int] = {}
        self._stands: dict[tuple[Any, ...], bool] = {}

    def of(self, person_ids: Sequence[int]) -> dict[int, Outline]:
        """As many queries for one person as for five hundred."""
        by_person = _profiles_of(person_ids, self.as_of, NOTHING_SUPPOSED)
        roles: dict[int, tuple[InForce, ...]] = {}
        for pk in person_ids:
            own = by_person.get(pk, [])
            if self.adding is not None and self.adding not in own:
                own = sorted([*own, self.adding], key=_by_id)
            roles[pk] = tuple(own)
        self._require({profile for own in roles.values() for profile in own})
        held = self._held(person_ids)
        return {pk: Outline(self._together(roles[pk]), held.get(pk, {})) for pk in person_ids}

    def _together(self, roles: tuple[InForce, ...]) -> tuple[Required, ...]:
        found = self._merged.get(roles)
        if found is None:
            found = merge_requirements(r for profile in roles for r in self._required.get(profile.profile_id, []))
            self._merged[roles] = found
        return found

    def _require(self, profiles: set[InForce]) -> None:
        new = {profile for profile in profiles if profile.profile_id not in self._required}
        if not new:
            return
        bases = profiles_in_force(given_profiles({p.builds_on_id for p in new if p.builds_on_id is not None}))
        required, competencies, _profiles = _requirements_of(new, bases)
        required, competencies = _brought_forward(required, competencies, NOTHING_SUPPOSED)
        self._required |= {profile.profile_id: required.get(profile.profile_id, []) for profile in new}
        self._place(_places([c for pk, c in competencies.items() if pk not in self._places], NOTHING_SUPPOSED))

    def _place(self, places: Mapping[int, Place]) -> None:
        new = [place for pk, place in places.items() if pk not in self._places]
        if not new:
            return
        for place in new:
            self._places[place.competency_id] = place
            for lineage in {place.lineage, *(counterpart.lineage for counterpart in place.counterparts)}:
                self._takers.setdefault(lineage, []).append(place)
        self._ways.clear()  # what was recorded elsewhere may count here too

    def _held(self, person_ids: Sequence[int]) -> dict[int, dict[int, int]]:
        """The attained ranks by competency id, as `_levels` has them."""
        attaining = {
            kind
            for book in self._books.values()
            for rule in book.rules.rules
            if rule.attains is not Attains.NOTHING
            for kind in rule.kinds
        }
        rows = (
            Evidence.objects.standing()
            .filter(person_id__in=person_ids, kind__in=attaining, passed=True)
            .order_by()
            .values_list(
                "person_id", "competency_id", "kind", "rank", "assessed", "occurred_on", "valid_until", "probabilities"
            )
        )
        pieces = [
            (person_id, (pk, kind, rank, assessed, on, until, _NOTHING_LIKELY if likely is None else tuple(likely)))
            for person_id, pk, kind, rank, assessed, on, until, likely in rows
        ]
        self._learn_of({piece[0] for _person_id, piece in pieces})
        said: dict[int, dict[int, list[Said]]] = defaultdict(dict)
        for person_id, piece in pieces:
            way = self._ways.get(piece)
            if way is None:
                way = self._ways[piece] = self._way(piece)
            own = said[person_id]
            for competency_id, word in way:
                own.setdefault(competency_id, []).append(word)
        return {person_id: {pk: self._rank(pk, words) for pk, words in own.items()} for person_id, own in said.items()}

    def _learn_of(self, competency_ids: set[int]) -> None:
        """The competencies evidence was recorded for; of superseded editions where they count today."""
        rows = Competency.objects.filter(pk__in=competency_ids - self._about.keys()).values_list(
            "pk", "lineage", "version_id", "version__framework_id", "version__status"
        )
        new = {
            pk: EvidenceRow(_SAYING_NOTHING, pk, lineage, version, framework, status != FrameworkStatus.SUPERSEDED)
            for pk, lineage, version, framework, status in (rows if competency_ids - self._about.keys() else ())
        }
        self._about |= new
        in_force = _places_in_force(row.lineage for row in new.values() if not row.in_force)
        self._place({place.competency_id: place for place in in_force.values()})

    def _way(self, piece: tuple[Any, ...]) -> tuple[tuple[int, Said], ...]:
        """Where a piece counts, and as what; left out where it has lapsed or attains nothing."""
        competency_id, kind, rank, assessed, on, until, likely = piece
        row = self._about[competency_id]
        found: list[tuple[int, int, Said]] = []
        if competency_id not in self._places:
            found.append((competency_id, row.framework_id, (kind, rank, assessed, likely)))
        for place in self._takers.get(row.lineage, ()):
            if place.competency_id == competency_id:
                found.append((competency_id, place.framework_id, (kind, rank, assessed, likely)))
                continue
            item = _saying((kind, rank, assessed, likely), on, until)
            missing = {row.version_id, place.version_id} - self._scales.keys()
            self._scales |= scales_of(missing) if missing else {}
            taken = place.takes(replace(row, item=item), self._scales)
            if taken is not None:
                word = (str(taken.kind), taken.rank, taken.assessed, taken.probabilities or _NOTHING_LIKELY)
                found.append((place.competency_id, place.framework_id, word))
        return tuple(
            (pk, word)
            for pk, framework_id, word in found
            if self._still_counts(framework_id, word[0], word[2], on, until)
        )

    def _still_counts(self, framework_id: int, kind: str, assessed: bool, on: date, until: date | None) -> bool:
        asked = (framework_id, kind, assessed, on, until)
        found = self._stands.get(asked)
        if found is None:
            item = _saying((kind, 0, assessed, ()), on, until)
            rule = self._books[framework_id].rules.rule_for(item)
            found = False
            if rule is not None and rule.attains is not Attains.NOTHING and on <= self.as_of:
                lapses_on = lapse_date(item, rule)
                found = lapses_on is None or self.as_of < lapses_on
            self._stands[asked] = found
        return found

    def _rank(self, competency_id: int, words: list[Said]) -> int:
        place = self._places.get(competency_id)
        framework_id = place.framework_id if place is not None else self._about[competency_id].framework_id
        if len(words) > 1:
            words.sort()
        record = (framework_id, *words)
        found = self._ranks.get(record)
        if found is None:
            # Dated for ever: whether each of them counts today has been seen to.
            items = [_saying(word, self.as_of, date.max) for word in words]
            found = attained_level(items, as_of=self.as_of, rules=self._books[framework_id].rules).rank
            self._ranks[record] = found
        return found


def _saying(said: Said, occurred_on: date, valid_until: date | None) -> EvidenceItem:
    kind, rank, assessed, likely = said
    return EvidenceItem(
        0,
        EvidenceKind(kind),
        rank,
        assessed,
        occurred_on,
        valid_until,
        probabilities=None if likely == _NOTHING_LIKELY else likely,
    )


_NOTHING_LIKELY = (-1.0,)  # in the place of no probabilities: tuples can be sorted
_SAYING_NOTHING = EvidenceItem(0, EvidenceKind.SELF, 0, False, date.min)


@dataclass(frozen=True)
class Moving:
    """A competency of a person whose attained level is another one under other rules. `needed` is the rank her roles
    ask for, None where none of them asks."""

    person_id: int
    competency_id: int
    before: Level
    after: Level
    needed: int | None


def levels_moving(person_ids: Sequence[int], supposing: Supposing, *, as_of: date) -> list[Moving]:
    """Whose attained level moves if `supposing.books` were in force, by person and competency.

    Everything is read once and judged twice, so it costs as many queries as a standing, however many people. What was
    recorded for a superseded edition moves once: where it counts today.
    """
    ground = _ground(person_ids, as_of)
    now = books_in_force(ground.framework_ids)
    then = books_in_force(ground.framework_ids, supposing=supposing.books)
    touched = {pk for pk in ground.framework_ids if now[pk].rules != then[pk].rules}
    placed = {place.lineage for place in ground.places.values()}
    found = []
    for person_id in person_ids:
        rows = ground.evidence.get(person_id, [])
        if not rows or not touched:
            continue
        followed = {r.competency_id for r in rows if r.lineage in placed and r.competency_id not in ground.places}
        needed = {r.competency_id: r.rank_needed for r in ground.merged[person_id]}
        items, framework_of = _items(rows, ground.places, ground.scales)
        for competency_id, own in items.items():
            framework_id = framework_of[competency_id]
            if framework_id not in touched or competency_id in followed:
                continue
            before = attained_level(own, as_of=as_of, rules=now[framework_id].rules)
            after = attained_level(own, as_of=as_of, rules=then[framework_id].rules)
            if before.rank != after.rank:
                found.append(Moving(person_id, competency_id, before, after, needed.get(competency_id)))
    return found


def attained_ranks(person_ids: Sequence[int], lineages: Iterable[UUID], *, as_of: date) -> dict[int, dict[UUID, int]]:
    """The attained rank of each of these competencies, by person and lineage, whether a role asks for it or not.

    Ranks are of the edition in force; where there is none any more, of that it was shown in. What is not attained is left
    out. Five queries at the most, however many people.
    """
    wanted = set(lineages)
    if not wanted:
        return {}
    in_force = list(
        Competency.objects.published().filter(lineage__in=wanted).select_related("version").only(*_OF_PLACE)
    )
    places = _places(in_force, NOTHING_SUPPOSED)
    counting = wanted | {c.lineage for place in places.values() for c in place.counterparts}
    evidence = evidence_rows(person_ids, lineages=counting)
    rows = [row for found in evidence.values() for row in found]
    scales = scales_of({row.version_id for row in rows} | {place.version_id for place in places.values()})
    books = books_in_force({row.framework_id for row in rows} | {place.framework_id for place in places.values()})
    of_place = {place.competency_id: place.lineage for place in places.values()}
    found: dict[int, dict[UUID, int]] = {}
    for person_id, own in evidence.items():
        of_row = {row.competency_id: row.lineage for row in own if row.lineage not in of_place.values()}
        levels = _levels(own, places, scales, as_of, books)
        ranks: dict[UUID, int] = {}
        for competency_id, level in levels.items():
            lineage = of_place.get(competency_id) or of_row.get(competency_id)
            if lineage in wanted and level.rank > ranks.get(lineage, 0):
                ranks[lineage] = level.rank
        found[person_id] = ranks
    return found


_OF_PLACE = ("pk", "lineage", "version_id", "version__framework_id", "version__status")


@dataclass(frozen=True)
class _Ground:
    """What standings are computed from, read once for many people."""

    by_person: Mapping[int, list[InForce]]
    required: Mapping[int, list[Required]]
    competencies: Mapping[int, Competency]
    profiles: Mapping[int, RoleProfile]
    places: Mapping[int, Place]
    evidence: Mapping[int, list[EvidenceRow]]
    scales: Mapping[int, Scale]
    merged: Mapping[int, Sequence[Required]]

    @property
    def framework_ids(self) -> set[int]:
        return {place.framework_id for place in self.places.values()} | {
            row.framework_id for rows in self.evidence.values() for row in rows
        }


def _ground(
    person_ids: Sequence[int],
    day: date,
    *,
    adding: RoleProfile | None = None,
    without: int | None = None,
    supposing: Supposing = NOTHING_SUPPOSED,
) -> _Ground:
    by_person = _profiles_of(person_ids, day, supposing, without)
    if adding is not None:
        added = InForce(adding.pk, adding.builds_on_id)
        by_person = {pk: sorted({*by_person.get(pk, []), added}, key=_by_id) for pk in person_ids}
    wanted = {profile for profiles in by_person.values() for profile in profiles}
    bases = profiles_in_force(given_profiles({p.builds_on_id for p in wanted if p.builds_on_id is not None}), supposing)
    required, competencies, profiles = _requirements_of(wanted, bases)
    required, competencies = _brought_forward(required, competencies, supposing)
    places = _places(competencies.values(), supposing)
    evidence = evidence_rows(person_ids)
    places |= {
        place.competency_id: place
        for place in _places_in_force(
            row.lineage for rows in evidence.values() for row in rows if not row.in_force
        ).values()
        if place.competency_id not in places
    }
    versions = {place.version_id for place in places.values()}
    versions |= {row.version_id for rows in evidence.values() for row in rows}
    scales = scales_of(versions)
    merged = {
        person_id: merge_requirements(
            r for profile in by_person.get(person_id, []) for r in required.get(profile.profile_id, [])
        )
        for person_id in person_ids
    }
    return _Ground(by_person, required, competencies, profiles, places, evidence, scales, merged)


def _likely(
    merged: Mapping[int, Sequence[Required]],
    levels: Mapping[int, Mapping[int, Level]],
    places: Mapping[int, Place],
    scales: Mapping[int, Scale],
    day: date,
    books: Mapping[int, Book],
) -> dict[int, dict[int, Likely]]:
    """What is likely of each gap of each person, everybody at once: person id → competency id → estimate."""
    wanted: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for person_id, requirements in merged.items():
        for r in requirements:
            if levels[person_id].get(r.competency_id, NOTHING_HELD).rank < r.rank_needed:
                framework_id = places[r.competency_id].framework_id
                wanted[framework_id, scales[r.framework_id].max_rank].append((person_id, r.competency_id))
    found: dict[int, dict[int, Likely]] = defaultdict(dict)
    for (framework_id, ranks), pairs in wanted.items():
        groups = [
            tuple(
                observations_of(
                    (j.item for j in levels[person_id].get(competency_id, NOTHING_HELD).judged), as_of=day
                ).values()
            )
            for person_id, competency_id in pairs
        ]
        # Most people with a gap have nothing on record, or the same: each distinct record is estimated once.
        distinct = list(dict.fromkeys(groups))
        estimates = dict(
            zip(
                distinct,
                estimate_many(distinct, ranks=max(ranks, 1), parameters=books[framework_id].parameters),
                strict=True,
            )
        )
        for (person_id, competency_id), group in zip(pairs, groups, strict=True):
            found[person_id][competency_id] = estimates[group]
    return found


def _by_id(profile: InForce) -> int:
    return profile.profile_id


def _requirements_of(
    wanted: Iterable[InForce], bases: Mapping[int, InForce]
) -> tuple[dict[int, list[Required]], dict[int, Competency], dict[int, RoleProfile]]:
    """What profiles require, with what they build on; only what is required, not what is optional or uncertain."""
    stands_for: dict[int, list[int]] = defaultdict(list)
    for profile in wanted:
        stands_for[profile.profile_id].append(profile.profile_id)
        if profile.builds_on_id is not None:
            stands_for[bases[profile.builds_on_id].profile_id].append(profile.profile_id)
    rows = (
        Requirement.objects.filter(profile_id__in=stands_for, necessity=Necessity.REQUIRED)
        .select_related("competency__version__framework", "level", "profile__role")
        .defer(
            "competency__description",
            "competency__example",
            "competency__search_text",
            "competency__extra",
            "competency__version__description",
            "competency__version__extra",
            "level__description",
            "profile__summary",
            "profile__role__summary",
            "profile__role__search_text",
            "profile__role__extra",
        )
        .order_by("profile_id", "position", "pk")
    )
    required: dict[int, list[Required]] = defaultdict(list)
    competencies: dict[int, Competency] = {}
    profiles: dict[int, RoleProfile] = {}
    for row in rows:
        profiles[row.profile_id] = row.profile
        competencies[row.competency_id] = row.competency
        for profile_id in stands_for[row.profile_id]:
            required[profile_id].append(_as_required(row, profile_id))
    missing = {profile.profile_id for profile in wanted} - profiles.keys()
    if missing:  # profiles that require nothing of their own yet
        profiles |= RoleProfile.objects.filter(pk__in=missing).select_related("role").in_bulk()
    return required, competencies, profiles


def _brought_forward(
    required: dict[int, list[Required]], competencies: dict[int, Competency], supposing: Supposing
) -> tuple[dict[int, list[Required]], dict[int, Competency]]:
    """What is required of a superseded edition as the one in force has it: a local framework or a role that was
    withdrawn may still ask for it, and what is taught today teaches the edition in force. No query where there is
    nothing of the kind, else two. What has no successor stays as it is.
    """
    taken_over = set(supposing.lineages.values())
    stale = {
        c.lineage
        for c in competencies.values()
        if c.version.status == FrameworkStatus.SUPERSEDED or c.lineage in taken_over
    }
    if not stale:
        return required, competencies
    successors = Q(version__status=FrameworkStatus.PUBLISHED, lineage__in=stale)
    if taken_over:
        successors |= Q(pk__in=supposing.lineages)
    now: dict[UUID, Competency] = {}
    rows = (
        Competency.objects.filter(successors).select_related("version").defer("search_text", "extra", "version__extra")
    )
    for row in sorted(rows, key=lambda c: c.pk in supposing.lineages):
        now[supposing.lineages.get(row.pk, row.lineage)] = row
    scales = scales_of(c.version_id for c in (*competencies.values(), *now.values()))

    def forward(r: Required) -> Required:
        old = competencies[r.competency_id]
        new = now.get(old.lineage)
        if new is None or new.pk == old.pk:
            return r
        source, target = scales[old.version_id].words, scales[new.version_id].words
        rank = None
        if r.rank is not None and target:
            rank = translate_rank(r.rank, source=source, target=target, editions=True)
        return replace(r, competency_id=new.pk, framework_id=new.version_id, rank=rank)

    found = {profile_id: [forward(r) for r in rs] for profile_id, rs in required.items()}
    everything = competencies | {c.pk: c for c in now.values()}
    return found, {r.competency_id: everything[r.competency_id] for rs in found.values() for r in rs}


def _places(competencies: Iterable[Competency], supposing: Supposing) -> dict[int, Place]:
    """Where evidence counts: each required competency with its lineage, or the one it would take over. One query."""
    lineages = {c.pk: supposing.lineages.get(c.pk, c.lineage) for c in competencies}
    counterparts = counterparts_of(lineages.values())
    return {
        c.pk: Place(
            c.pk, lineages[c.pk], c.version_id, c.version.framework_id, tuple(counterparts.get(lineages[c.pk], ()))
        )
        for c in competencies
    }


@dataclass(frozen=True)
class Needs:
    """What profiles ask for as it counts today: by id of the profile, the competencies by id, and where evidence counts."""

    required: Mapping[int, Sequence[Required]]
    competencies: Mapping[int, Competency]
    places: Mapping[int, Place]


def needs_of(profiles: Iterable[InForce]) -> Needs:
    """What these profiles require with what they build on. As many queries for one as for a thousand."""
    wanted = set(profiles)
    bases = profiles_in_force(given_profiles({p.builds_on_id for p in wanted if p.builds_on_id is not None}))
    required, competencies, _profiles = _requirements_of(wanted, bases)
    required, competencies = _brought_forward(required, competencies, NOTHING_SUPPOSED)
    return Needs(required, competencies, _places(competencies.values(), NOTHING_SUPPOSED))


def _levels(
    rows: Sequence[EvidenceRow],
    places: Mapping[int, Place],
    scales: Mapping[int, Scale],
    day: date,
    books: Mapping[int, Book],
) -> dict[int, Level]:
    """The attained level of everything there is evidence for, by competency id: as recorded, and as it counts today."""
    items, framework_of = _items(rows, places, scales)
    return {
        competency_id: attained_level(found, as_of=day, rules=books[framework_of[competency_id]].rules)
        for competency_id, found in items.items()
    }


def _items(
    rows: Sequence[EvidenceRow], places: Mapping[int, Place], scales: Mapping[int, Scale]
) -> tuple[dict[int, list[EvidenceItem]], dict[int, int]]:
    """One person's evidence by the competency it counts for, and the framework of each of these."""
    items: dict[int, list[EvidenceItem]] = defaultdict(list)
    framework_of = {place.competency_id: place.framework_id for place in places.values()}
    by_lineage: dict[UUID, list[EvidenceRow]] = defaultdict(list)
    for row in rows:
        by_lineage[row.lineage].append(row)
        if row.competency_id not in places:
            items[row.competency_id].append(row.item)
            framework_of[row.competency_id] = row.framework_id
    for place in places.values():
        for lineage in (place.lineage, *(counterpart.lineage for counterpart in place.counterparts)):
            for row in by_lineage.get(lineage, ()):
                item = place.takes(row, scales)
                if item is not None:
                    items[place.competency_id].append(item)
    return items, framework_of


def standing_of(person: User, *, as_of: date | None = None) -> Standing:
    return standings_of([person.pk], as_of=as_of)[person.pk]


def _as_required(row: Requirement, profile_id: int) -> Required:
    return Required(
        competency_id=row.competency_id,
        framework_id=row.competency.version_id,
        rank=row.level.rank if row.level is not None else None,
        importance=row.importance,
        profiles=(profile_id,),
    )


def _standing(
    person_id: int,
    profile_ids: Sequence[int],
    profiles: Mapping[int, RoleProfile],
    required: Mapping[int, list[Required]],
    merged: Sequence[Required],
    competencies: Mapping[int, Competency],
    levels: dict[int, Level],
    likely: Mapping[int, Likely],
    book_of: Mapping[int, Book],
    scales: Mapping[int, Scale],
    day: date,
) -> Standing:
    held = {competency_id: level.rank for competency_id, level in levels.items()}
    shortfalls = {
        r.competency_id: likely[r.competency_id].shortfall(r.rank_needed) for r in merged if r.competency_id in likely
    }
    by_framework: dict[int, list[Required]] = defaultdict(list)
    for requirement in merged:
        by_framework[requirement.framework_id].append(requirement)
    gaps = sorted(
        (
            gap
            for requirements in by_framework.values()
            for gap in measure_gaps(requirements, held, shortfalls=shortfalls)
        ),
        key=lambda gap: (-gap.priority, gap.competency_id),
    )
    gap_of = {gap.competency_id: gap for gap in gaps}
    order = [gap.required for gap in gaps] + sorted(
        (r for r in merged if r.competency_id not in gap_of), key=lambda r: (-r.importance, r.competency_id)
    )
    lines = tuple(
        Line(
            competency=competencies[r.competency_id],
            required=r,
            level=levels.get(r.competency_id, NOTHING_HELD),
            scale=scales[r.framework_id],
            gap=gap_of.get(r.competency_id),
            likely=likely.get(r.competency_id),
            book=book_of[r.competency_id],
        )
        for r in order
    )
    return Standing(person_id, day, tuple(profiles[pk] for pk in profile_ids), lines, levels, required)


def item_of(row: Evidence) -> EvidenceItem:
    """A stored piece as the rules and the estimate see it."""
    return EvidenceItem(
        row.pk,
        EvidenceKind(row.kind),
        row.rank,
        row.assessed,
        row.occurred_on,
        row.valid_until,
        passed=row.passed,
        value=row.value,
        se=row.se,
        probabilities=None if row.probabilities is None else tuple(row.probabilities),
        source=source_of(row.kind, (row.stands_for or row).recorded_by_id, str(row.source)),
        turn=row.stands_for_id,
    )


@dataclass(frozen=True)
class Explained:
    """Everything "why this level" needs: the level, its evidence rows by id, the scale, and what is required of whom.

    `via`: the competencies that evidence was recorded for where it counts here because they are the same, by id.
    `contributions`: what each piece moves the likely level by, in ranks, by the id of the piece.
    `scales`: those of the editions that the pieces, withdrawn ones too, were recorded in, by the id of the edition.
    """

    competency: Competency
    level: Level
    scale: Scale
    rows: Mapping[int, Evidence]
    withdrawn: tuple[Evidence, ...]
    required: Required | None
    book: Book
    likely: Likely
    contributions: Mapping[int, float]
    via: Mapping[int, Competency] = field(default_factory=dict)
    scales: Mapping[int, Scale] = field(default_factory=dict)


def explained_level(person: User, competency: Competency, *, as_of: date | None = None) -> Explained:
    """The level of one person in one competency with its grounds; evidence for what is the same counts and is named."""
    day = as_of or timezone.localdate()
    place = _places([competency], NOTHING_SUPPOSED)[competency.pk]
    lineages = [place.lineage, *(counterpart.lineage for counterpart in place.counterparts)]
    everything = list(
        Evidence.objects.filter(person=person, competency__lineage__in=lineages)
        .select_related("recorded_by", "withdrawal__withdrawn_by", "stands_for", "competency__version__framework")
        .order_by("pk")
    )
    standing_rows = [row for row in everything if not hasattr(row, "withdrawal")]
    scales = scales_of({competency.version_id, *(row.competency.version_id for row in everything)})
    items = []
    for r in standing_rows:
        own = r.competency
        item = item_of(r)
        row = EvidenceRow(item, own.pk, own.lineage, own.version_id, own.version.framework_id, in_force=True)
        taken = place.takes(row, scales)
        if taken is not None:
            items.append(taken)
    book = books_in_force([competency.version.framework_id])[competency.version.framework_id]
    ranks = max(scales[competency.version_id].max_rank, 1)
    seen = observations_of(items, as_of=day)
    [likely] = estimate_many([list(seen.values())], ranks=ranks, parameters=book.parameters)
    required = None
    for line in standing_of(person, as_of=day).lines:
        if line.competency.pk == competency.pk:
            required = line.required
    return Explained(
        competency=competency,
        level=attained_level(items, as_of=day, rules=book.rules),
        scale=scales[competency.version_id],
        rows={row.pk: row for row in standing_rows},
        withdrawn=tuple(row for row in everything if hasattr(row, "withdrawal")),
        required=required,
        book=book,
        likely=likely,
        contributions=contributions(seen, ranks=ranks, parameters=book.parameters),
        via={
            row.competency_id: row.competency
            for row in standing_rows
            if row.competency_id in {item.via for item in items}
        },
        scales=scales,
    )


def level_shown_by(rows: Iterable[Evidence], competency: Competency, *, as_of: date) -> tuple[Level, Scale]:
    """The level that just these pieces of one person show in a competency, and its scale.

    Rows come with `competency__version` and `stands_for` selected. Four queries.
    """
    place = _places([competency], NOTHING_SUPPOSED)[competency.pk]
    taken = [
        EvidenceRow(
            item_of(row),
            row.competency_id,
            row.competency.lineage,
            row.competency.version_id,
            row.competency.version.framework_id,
            in_force=row.competency.version.status != FrameworkStatus.SUPERSEDED,
        )
        for row in rows
    ]
    scales = scales_of({place.version_id, *(row.version_id for row in taken)})
    books = books_in_force({place.framework_id, *(row.framework_id for row in taken)})
    levels = _levels(taken, {place.competency_id: place}, scales, as_of, books)
    return levels.get(competency.pk, NOTHING_HELD), scales[competency.version_id]


@dataclass(frozen=True)
class Moved:
    """What one event (a passed course, say) did to a level: as it stood before, and with its evidence."""

    competency: Competency
    scale: Scale
    before: Level
    after: Level


def levels_moved(person: User, event: str) -> list[Moved]:
    """The levels that an event gave evidence for, on the day it happened; what was recorded later does not matter.

    `event` is the `source_key` it was recorded under. As many queries for one competency as for many.
    """
    pieces = list(
        Evidence.objects.standing()
        .filter(person=person, source_key__startswith=f"{event}:")
        .select_related("competency__version")
        .order_by("pk")
    )
    if not pieces:
        return []
    day, own = pieces[0].occurred_on, {piece.pk for piece in pieces}
    rows = evidence_rows([person.pk])[person.pk]
    earlier = [row for row in rows if (row.item.occurred_on, row.item.id) < (day, pieces[0].pk)]
    places = _places([piece.competency for piece in pieces], NOTHING_SUPPOSED)
    scales = scales_of({row.version_id for row in rows})
    books = books_in_force({row.framework_id for row in rows} | {place.framework_id for place in places.values()})
    before = _levels(earlier, places, scales, day, books)
    after = _levels([*earlier, *(row for row in rows if row.item.id in own)], places, scales, day, books)
    return [
        Moved(
            piece.competency,
            scales[piece.competency.version_id],
            before.get(piece.competency_id, NOTHING_HELD),
            after.get(piece.competency_id, NOTHING_HELD),
        )
        for piece in pieces
    ]


def diagnostic_reach(competency: Competency) -> int:
    """How many levels the item bank in use tells apart; 0 where there is none. That of the edition in force before that
    of an earlier one. One query."""
    rows = ItemBank.objects.filter(competency__lineage=competency.lineage, status=BankStatus.IN_USE).values_list(
        "competency__version__status", "pk", "cuts"
    )
    found = max(rows, key=lambda row: (row[0] == FrameworkStatus.PUBLISHED, row[1]), default=None)
    return len(found[2]) if found is not None else 0


@dataclass(frozen=True)
class Descriptor:
    """A choice when assessing: a rank, its label, and what it looks like."""

    rank: int
    label: str
    text: str


def descriptors_of(competency: Competency) -> list[Descriptor]:
    """All levels of the scale with the competency's own words, or the scale's where it has none."""
    own = {d.level_id: str(d.text) for d in competency.descriptors.all()}
    return [
        Descriptor(level.rank, str(level.label), own.get(level.pk) or str(level.description))
        for level in ProficiencyLevel.objects.filter(version_id=competency.version_id).order_by("rank")
    ]


def published_profiles() -> QuerySet[RoleProfile]:
    """Profiles people can be assigned, with role, family and framework; grades of a role together."""
    return (
        RoleProfile.objects.published()
        .select_related("role__family", "role__version__framework")
        .order_by("role__version__framework__slug", "role__version_id", "role__position", "role__code", "position")
    )


def readable_profiles() -> QuerySet[RoleProfile]:
    """Profiles that are or were in force. What was printed or given stays readable; drafts are nobody's business."""
    return RoleProfile.objects.exclude(role__version__status=FrameworkStatus.DRAFT).select_related(
        "role__family", "role__version__framework"
    )


def published_roles() -> QuerySet[Role]:
    return _graded(Role.objects.filter(version__in=published_versions()))


def roles_of(version: FrameworkVersion | None) -> QuerySet[Role]:
    return _graded(Role.objects.filter(version=version))


def _graded(roles: QuerySet[Role]) -> QuerySet[Role]:
    profiles = Prefetch("profiles", RoleProfile.objects.order_by("position"), to_attr="graded")
    return (
        roles.select_related("family", "version__framework")
        .prefetch_related(profiles)
        .order_by("version__framework__slug", "version_id", "position", "code")
    )


STARTER = "public-digital-talent"


def frameworks_own_first(frameworks: Mapping[int, str]) -> list[int]:
    """Frameworks (id → slug) in the order in which a ministry looks for its roles: the one whose roles most of its posts
    carry comes first, without posts the starter framework; the rest by slug. One query.
    """
    carried = dict(
        PostRole.objects.filter(post__in=Post.objects.existing(timezone.localdate()).values("pk"))
        .order_by()
        .values_list("profile__role__version__framework")
        .annotate(Count("post", distinct=True))
    )
    return sorted(frameworks, key=lambda pk: (-carried.get(pk, 0), frameworks[pk] != STARTER, frameworks[pk]))


def home_roles(most: int = 8) -> tuple[list[Role], list[Role]]:
    """For the home page: the key roles of the first framework that has any, each key post once, and others of it.

    Three queries, none of them over all frameworks' roles.
    """
    roles = published_roles()
    having = dict(roles.exclude(key_post="").order_by().values_list("version__framework", "version__framework__slug"))
    if not having:
        return [], []
    own = roles.filter(version__framework=frameworks_own_first(having)[0])
    key: dict[str, Role] = {}
    for role in own.exclude(key_post=""):
        key.setdefault(role.key_post.casefold(), role)
    return list(key.values())[:most], list(own.filter(key_post="")[:most])


def published_versions() -> QuerySet:
    return FrameworkVersion.objects.published()


def key_posts() -> QuerySet[PostRole]:
    """Posts that carry a role a government must not leave unfilled."""
    return PostRole.objects.exclude(profile__role__key_post="").select_related("post__unit", "profile__role")
