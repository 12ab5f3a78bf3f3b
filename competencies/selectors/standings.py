"""Where people stand towards their roles, for one person or a thousand at the same number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from competencies.enums import FrameworkStatus, Necessity
from competencies.equivalence import translate_rank
from competencies.gaps import Gap, Required, measure_gaps, merge_requirements
from competencies.levels import NOTHING_HELD, Level
from competencies.likely import Likely, estimate_many, observations_of
from competencies.models import (
    Competency,
    FrameworkVersion,
    Requirement,
    RoleAssignment,
    RoleProfile,
)
from competencies.rulebooks import SHIPPED, Book
from competencies.ruling import books_in_force
from competencies.selectors.editions import (
    NOTHING_SUPPOSED,
    Counterpart,
    Given,
    InForce,
    Place,
    Scale,
    Supposing,
    counterparts_of,
    given_profiles,
    places_in_force,
    places_of,
    profiles_in_force,
    scales_of,
)
from competencies.selectors.evidence import EvidenceRow, evidence_rows
from competencies.selectors.judging import judged_levels
from organisations.models import Appointment, User


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


def profiles_by_person(
    person_ids: Sequence[int], as_of: date, supposing: Supposing = NOTHING_SUPPOSED
) -> dict[int, list[int]]:
    """Role profile ids of each person, those of the posts held and those assigned, as they are in force."""
    return {
        person_id: sorted({profile.profile_id for profile in profiles})
        for person_id, profiles in profiles_of_people(person_ids, as_of, supposing).items()
    }


def profiles_of_people(
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
    by_person = profiles_of_people(person_ids, as_of, NOTHING_SUPPOSED)
    wanted = {p for profiles in by_person.values() for p in profiles if only is None or p.profile_id == only}
    bases = profiles_in_force(given_profiles({p.builds_on_id for p in wanted if p.builds_on_id is not None}))
    required, competencies, _profiles = requirements_of_profiles(wanted, bases)
    required, competencies = brought_forward(required, competencies, NOTHING_SUPPOSED)
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
    published = places_in_force(lineages)
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
    ground = ground_of(person_ids, day, adding=adding, without=without, supposing=supposing)
    places, scales = ground.places, ground.scales
    books = books_in_force(ground.framework_ids, supposing=supposing.books)
    levels = {pk: judged_levels(ground.evidence.get(pk, []), places, scales, day, books) for pk in person_ids}
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


def ground_of(
    person_ids: Sequence[int],
    day: date,
    *,
    adding: RoleProfile | None = None,
    without: int | None = None,
    supposing: Supposing = NOTHING_SUPPOSED,
) -> _Ground:
    by_person = profiles_of_people(person_ids, day, supposing, without)
    if adding is not None:
        added = InForce(adding.pk, adding.builds_on_id)
        by_person = {pk: sorted({*by_person.get(pk, []), added}, key=by_profile_id) for pk in person_ids}
    wanted = {profile for profiles in by_person.values() for profile in profiles}
    bases = profiles_in_force(given_profiles({p.builds_on_id for p in wanted if p.builds_on_id is not None}), supposing)
    required, competencies, profiles = requirements_of_profiles(wanted, bases)
    required, competencies = brought_forward(required, competencies, supposing)
    places = places_of(competencies.values(), supposing)
    evidence = evidence_rows(person_ids)
    places |= {
        place.competency_id: place
        for place in places_in_force(
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


def by_profile_id(profile: InForce) -> int:
    return profile.profile_id


def requirements_of_profiles(
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


def brought_forward(
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
    required, competencies, _profiles = requirements_of_profiles(wanted, bases)
    required, competencies = brought_forward(required, competencies, NOTHING_SUPPOSED)
    return Needs(required, competencies, places_of(competencies.values(), NOTHING_SUPPOSED))


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
