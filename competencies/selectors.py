"""Reading across frameworks, roles and evidence. Each function asks the same number of queries for one person as for a thousand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from competencies.enums import HELD_RANK, EvidenceKind
from competencies.gaps import Gap, Required, measure_gaps, merge_requirements
from competencies.levels import NOTHING_HELD, EvidenceItem, Level, attained_level
from competencies.models import (
    Competency,
    Evidence,
    PostRole,
    ProficiencyLevel,
    Requirement,
    Role,
    RoleAssignment,
    RoleProfile,
)
from organisations.models import Appointment, User


@dataclass(frozen=True)
class Scale:
    """The levels of one framework version: rank → label. Without levels only "held" is known."""

    labels: Mapping[int, str]

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
    """One required competency of a person: what is required, what is held, what is missing."""

    competency: Competency
    required: Required
    level: Level
    scale: Scale
    gap: Gap | None

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

    def line(self, competency_id: int) -> Line | None:
        return next((line for line in self.lines if line.competency.pk == competency_id), None)


def profiles_by_person(person_ids: Sequence[int], as_of: date) -> dict[int, list[int]]:
    """Role profile ids of each person: those of the posts held and those assigned. Two queries."""
    found: dict[int, set[int]] = defaultdict(set)
    by_post = (
        Appointment.objects.current(as_of)
        .filter(person_id__in=person_ids, post__post_roles__isnull=False)
        .values_list("person_id", "post__post_roles__profile_id")
    )
    assigned = (
        RoleAssignment.objects.current(as_of).filter(person_id__in=person_ids).values_list("person_id", "profile_id")
    )
    for person_id, profile_id in [*by_post, *assigned]:
        found[person_id].add(profile_id)
    return {person_id: sorted(ids) for person_id, ids in found.items()}


def scales_of(version_ids: Iterable[int]) -> dict[int, Scale]:
    wanted = set(version_ids)
    labels: dict[int, dict[int, str]] = defaultdict(dict)
    for level in ProficiencyLevel.objects.filter(version_id__in=wanted):
        labels[level.version_id][level.rank] = str(level.label)
    return {version_id: Scale(labels.get(version_id, {})) for version_id in wanted}


def evidence_items(
    person_ids: Sequence[int], competency_ids: Sequence[int] | None = None
) -> dict[int, dict[int, list[EvidenceItem]]]:
    """Standing evidence as the pure rules take it: person id → competency id → items. One query."""
    found: dict[int, dict[int, list[EvidenceItem]]] = defaultdict(lambda: defaultdict(list))
    rows = Evidence.objects.standing().filter(person_id__in=person_ids)
    if competency_ids is not None:
        rows = rows.filter(competency_id__in=competency_ids)
    fields = ("id", "person_id", "competency_id", "kind", "rank", "assessed", "occurred_on", "valid_until")
    for pk, person_id, competency_id, kind, rank, assessed, occurred_on, valid_until in rows.order_by("pk").values_list(
        *fields
    ):
        found[person_id][competency_id].append(
            EvidenceItem(pk, EvidenceKind(kind), rank, assessed, occurred_on, valid_until)
        )
    return found


def standings_of(
    person_ids: Sequence[int], *, as_of: date | None = None, adding: RoleProfile | None = None
) -> dict[int, Standing]:
    """The standing of many people: five queries however many there are.

    `adding` asks "what if": everybody's standing as if they had this role profile too.
    """
    day = as_of or timezone.localdate()
    by_person = profiles_by_person(person_ids, day)
    if adding is not None:
        by_person = {pk: sorted({*by_person.get(pk, []), adding.pk}) for pk in person_ids}
    profile_ids = sorted({pk for ids in by_person.values() for pk in ids})
    required: dict[int, list[Required]] = defaultdict(list)
    competencies: dict[int, Competency] = {}
    requirements = (
        Requirement.objects.filter(profile_id__in=profile_ids)
        .select_related("competency", "level", "profile__role")
        .defer(
            "competency__description",
            "competency__example",
            "level__description",
            "profile__summary",
            "profile__role__summary",
        )
        .order_by("profile_id", "position", "pk")
    )
    profiles: dict[int, RoleProfile] = {}
    for row in requirements:
        profiles[row.profile_id] = row.profile
        competencies[row.competency_id] = row.competency
        required[row.profile_id].append(_as_required(row))
    if set(profile_ids) - profiles.keys():  # profiles that require nothing yet
        profiles |= (
            RoleProfile.objects.filter(pk__in=set(profile_ids) - profiles.keys()).select_related("role").in_bulk()
        )
    evidence = evidence_items(person_ids)
    scales = scales_of(c.version_id for c in competencies.values())
    return {
        person_id: _standing(
            person_id, by_person.get(person_id, []), profiles, required, competencies, evidence, scales, day
        )
        for person_id in person_ids
    }


def standing_of(person: User, *, as_of: date | None = None) -> Standing:
    return standings_of([person.pk], as_of=as_of)[person.pk]


def _as_required(row: Requirement) -> Required:
    return Required(
        competency_id=row.competency_id,
        framework_id=row.competency.version_id,
        rank=row.level.rank if row.level is not None else None,
        importance=row.importance,
        profiles=(row.profile_id,),
    )


def _standing(
    person_id: int,
    profile_ids: Sequence[int],
    profiles: Mapping[int, RoleProfile],
    required: Mapping[int, list[Required]],
    competencies: Mapping[int, Competency],
    evidence: Mapping[int, Mapping[int, list[EvidenceItem]]],
    scales: Mapping[int, Scale],
    day: date,
) -> Standing:
    own = evidence.get(person_id, {})
    levels = {competency_id: attained_level(items, as_of=day) for competency_id, items in own.items()}
    held = {competency_id: level.rank for competency_id, level in levels.items()}
    merged = merge_requirements(r for pk in profile_ids for r in required.get(pk, []))
    by_framework: dict[int, list[Required]] = defaultdict(list)
    for requirement in merged:
        by_framework[requirement.framework_id].append(requirement)
    gaps = sorted(
        (gap for requirements in by_framework.values() for gap in measure_gaps(requirements, held)),
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
        )
        for r in order
    )
    return Standing(person_id, day, tuple(profiles[pk] for pk in profile_ids), lines, levels)


@dataclass(frozen=True)
class Explained:
    """Everything "why this level" needs: the level, its evidence rows by id, the scale, and what is required of whom."""

    competency: Competency
    level: Level
    scale: Scale
    rows: Mapping[int, Evidence]
    withdrawn: tuple[Evidence, ...]
    required: Required | None


def explained_level(person: User, competency: Competency, *, as_of: date | None = None) -> Explained:
    day = as_of or timezone.localdate()
    everything = list(
        Evidence.objects.filter(person=person, competency=competency)
        .select_related("recorded_by", "withdrawal")
        .order_by("pk")
    )
    standing_rows = [row for row in everything if not hasattr(row, "withdrawal")]
    items = [
        EvidenceItem(r.pk, EvidenceKind(r.kind), r.rank, r.assessed, r.occurred_on, r.valid_until)
        for r in standing_rows
    ]
    profile_ids = profiles_by_person([person.pk], day).get(person.pk, [])
    requirements = Requirement.objects.filter(profile_id__in=profile_ids, competency=competency).select_related(
        "competency", "level"
    )
    merged = merge_requirements(_as_required(row) for row in requirements)
    return Explained(
        competency=competency,
        level=attained_level(items, as_of=day),
        scale=scales_of([competency.version_id])[competency.version_id],
        rows={row.pk: row for row in standing_rows},
        withdrawn=tuple(row for row in everything if hasattr(row, "withdrawal")),
        required=merged[0] if merged else None,
    )


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


def published_roles() -> QuerySet[Role]:
    profiles = Prefetch("profiles", RoleProfile.objects.order_by("position"), to_attr="graded")
    return (
        Role.objects.filter(version__in=published_versions())
        .select_related("family", "version__framework")
        .prefetch_related(profiles)
        .order_by("version__framework__slug", "version_id", "position", "code")
    )


def published_versions() -> QuerySet:
    from competencies.models import FrameworkVersion

    return FrameworkVersion.objects.published()


def key_posts() -> QuerySet[PostRole]:
    """Posts that carry a role a government must not leave unfilled."""
    return PostRole.objects.exclude(profile__role__key_post="").select_related("post__unit", "profile__role")
