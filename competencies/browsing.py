"""Reading frameworks for everybody: what is there, what it holds, and how role, competency and course hang together.

Drafts are nobody's business; superseded editions stay readable. Every function asks the same number of queries for a
framework of ten competencies as for one of ten thousand, and none reads more rows than a page shows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.cache import cache
from django.core.paginator import Page, Paginator
from django.db.models import BooleanField, Case, Count, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery, When
from django.utils.translation import get_language

from competencies.enums import DEFAULT_IMPORTANCE, CompetencyKind, FrameworkStatus, LinkRelation, Necessity
from competencies.models import (
    Alignment,
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
from competencies.searching import containing, words_of
from competencies.selectors import Scale, descriptors_of, successors_of

PAGE_SIZE = 40
# Parts (statements, learning outcomes) are folded under their whole while they are few enough to be sent along.
MOST_PARTS = 250
MOST_ROLES = 150
MOST_CHILDREN = 500
ROLES_A_PAGE = 30
IMPORTANCE_KEPT_SECONDS = 7 * 24 * 3600

# A part is of the same version as its whole; a local competency under a national one stands for itself.
IS_PART = Q(parent__version=F("version"))
BY_NECESSITY = Case(*(When(necessity=n, then=i) for i, n in enumerate(Necessity.values)), default=9)


def readable_versions() -> QuerySet[FrameworkVersion]:
    return FrameworkVersion.objects.exclude(status=FrameworkStatus.DRAFT).select_related("framework")


# --- All frameworks ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Holdings:
    """What a version holds, in figures. `kinds`: (kind of competency, how many), in the order of CompetencyKind."""

    levels: int = 0
    areas: int = 0
    kinds: tuple[tuple[str, int], ...] = ()
    roles: int = 0


@dataclass(frozen=True)
class FrameworkCard:
    version: FrameworkVersion
    holdings: Holdings
    extensions: tuple[FrameworkCard, ...] = ()


def published_frameworks() -> list[FrameworkCard]:
    """Every published framework with what it holds; local ones under the framework they extend. Five queries."""
    versions = list(
        FrameworkVersion.objects.published()
        .select_related("framework", "extends")
        .defer("extra", "extends__extra", "extends__description")
        .order_by("pk")
    )
    holdings = _holdings()
    cards = {v.pk: FrameworkCard(v, holdings.get(v.pk, Holdings())) for v in versions}
    by_framework = {v.framework_id: v.pk for v in versions}
    under: dict[int, list[FrameworkCard]] = defaultdict(list)
    for v in versions:
        if v.extends is not None and v.extends.framework_id in by_framework:
            under[by_framework[v.extends.framework_id]].append(cards[v.pk])
    nested = {card.version.pk for found in under.values() for card in found}
    return [replace(card, extensions=tuple(under[pk])) for pk, card in cards.items() if pk not in nested]


def _holdings() -> dict[int, Holdings]:
    def counted(model: Any, *by: str) -> list[tuple[Any, ...]]:
        rows = model.objects.filter(version__status=FrameworkStatus.PUBLISHED).order_by()
        return list(rows.values_list("version_id", *by).annotate(n=Count("pk")))

    found: dict[int, dict[str, Any]] = defaultdict(dict)
    for name, model in (("levels", ProficiencyLevel), ("areas", Area), ("roles", Role)):
        for pk, n in counted(model):
            found[pk][name] = n
    kinds: dict[int, dict[str, int]] = defaultdict(dict)
    for pk, kind, n in counted(Competency, "kind"):
        kinds[pk][kind] = n
    return {pk: Holdings(kinds=in_order(kinds[pk]), **found[pk]) for pk in found.keys() | kinds.keys()}


def in_order(kinds: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple((kind, kinds[kind]) for kind in CompetencyKind.values if kinds.get(kind))


# --- One framework -----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Entry:
    """A competency in the list with what is folded under it: how many of each kind, and the parts where few."""

    competency: Competency
    counts: tuple[tuple[str, int], ...] = ()
    parts: tuple[Competency, ...] = ()


@dataclass(frozen=True)
class Filters:
    """What the reader asked to see of a framework. `area` is an id, 0 for what is in no area, None for all."""

    query: str = ""
    kind: str = ""
    area: int | None = None

    @property
    def any(self) -> bool:
        return bool(self.query or self.kind or self.area is not None)


@dataclass(frozen=True)
class AreaCount:
    area: Area
    count: int


@dataclass(frozen=True)
class FamilyView:
    """A family with its roles, or only how many where a framework has too many to list."""

    family: RoleFamily | None
    count: int
    roles: tuple[Role, ...] = ()


@dataclass(frozen=True)
class FrameworkView:
    version: FrameworkVersion
    editions: tuple[FrameworkVersion, ...]
    successor: FrameworkVersion | None
    extensions: tuple[FrameworkVersion, ...]
    levels: tuple[ProficiencyLevel, ...]
    kinds: tuple[tuple[str, int], ...]
    areas: tuple[AreaCount, ...]
    without_area: int
    filters: Filters
    page: Page[Any]
    entries: tuple[Entry, ...]
    families: tuple[FamilyView, ...]
    roles: int

    @property
    def can_choose_area(self) -> bool:
        return sum(row.count > 0 for row in self.areas) + (self.without_area > 0) > 1


def editions_of(slug: str) -> list[FrameworkVersion]:
    """All editions of a framework that may be read, the one in force first, then the newest. One query."""
    in_force = Case(When(status=FrameworkStatus.PUBLISHED, then=0), default=1)
    versions = readable_versions().select_related("extends__framework").filter(framework__slug=slug)
    return list(versions.order_by(in_force, "-imported_at", "-pk"))


def framework_view(
    editions: Sequence[FrameworkVersion], version: FrameworkVersion, *, filters: Filters, page: str | int | None = 1
) -> FrameworkView:
    """One edition with a page of its competencies; eleven queries at most whatever it holds."""
    kinds: Counter[str] = Counter()
    by_area: Counter[int | None] = Counter()
    known = 0  # how many the filters leave, where that can be told without asking again
    groups = (
        Competency.objects.filter(version=version)
        .annotate(part=ExpressionWrapper(IS_PART, output_field=BooleanField()))
        .order_by()
        .values_list("area_id", "kind", "part")
        .annotate(n=Count("pk"))
    )
    for area_id, kind, part, n in groups:
        kinds[kind] += n
        if not part:
            by_area[area_id] += n
        area_fits = filters.area is None or (area_id or 0) == filters.area
        known += n if area_fits and (kind == filters.kind if filters.kind else not part) else 0
    rows = _listed(version, filters)
    paginator = Paginator(rows, PAGE_SIZE)
    if not filters.query:
        paginator.count = known
    shown = paginator.get_page(page)
    areas = Area.objects.filter(Q(version=version) | Q(pk__in=[pk for pk in by_area if pk])).defer("extra")
    families, roles = _families(version)
    return FrameworkView(
        version=version,
        editions=tuple(editions),
        successor=_successor(editions, version),
        extensions=tuple(
            FrameworkVersion.objects.published()
            .filter(extends__framework=version.framework_id)
            .select_related("framework")
        ),
        levels=tuple(ProficiencyLevel.objects.filter(version=version)),
        kinds=in_order(kinds),
        areas=tuple(AreaCount(area, by_area[area.pk]) for area in areas),
        without_area=by_area[None],
        filters=filters,
        page=shown,
        entries=tuple(_entries(list(shown), folded=not (filters.query or filters.kind))),
        families=tuple(families),
        roles=roles,
    )


def _successor(editions: Sequence[FrameworkVersion], version: FrameworkVersion) -> FrameworkVersion | None:
    if version.is_published:
        return None
    follows = next((v for v in editions if v.previous_id == version.pk), None)
    return follows or next((v for v in editions if v.is_published), None)


def _listed(version: FrameworkVersion, filters: Filters) -> QuerySet[Competency]:
    """What is whole in itself; parts too where one asks for them, by their kind or by words."""
    rows: QuerySet[Competency] = Competency.objects.filter(version=version).select_related("area")
    if filters.query:
        rows = containing(rows, words_of(filters.query))
    if filters.kind:
        rows = rows.filter(kind=filters.kind)
    elif not filters.query:
        rows = rows.exclude(IS_PART)
    if filters.area is not None:
        rows = rows.filter(area=filters.area or None)
    return rows.defer("example", "alternatives", "search_text", "extra", "area__description", "area__extra").order_by(
        F("area__position").asc(nulls_last=True), "area__code", "position", "code"
    )


def _entries(competencies: Sequence[Competency], *, folded: bool) -> list[Entry]:
    if not folded:
        return [Entry(c) for c in competencies]
    # Not IS_PART: asking the database to compare versions as well made SQLite read the whole table for each page.
    inside = Competency.objects.filter(
        parent__in=[c.pk for c in competencies], version__in={c.version_id for c in competencies}
    ).order_by()
    counts: dict[int | None, dict[str, int]] = defaultdict(dict)
    for parent_id, kind, n in inside.values_list("parent_id", "kind").annotate(n=Count("pk")):
        counts[parent_id][kind] = n
    parts: dict[int | None, list[Competency]] = defaultdict(list)
    if 0 < sum(n for found in counts.values() for n in found.values()) <= MOST_PARTS:
        for part in inside.only("parent_id", "kind", "code", "title", "version_id").order_by("position", "code"):
            parts[part.parent_id].append(part)
    return [Entry(c, in_order(counts[c.pk]), tuple(parts[c.pk])) for c in competencies]


def _families(version: FrameworkVersion) -> tuple[list[FamilyView], int]:
    """Families with their roles and how many roles there are. Three queries, two where there are too many roles."""
    counts = dict(Role.objects.filter(version=version).order_by().values_list("family_id").annotate(n=Count("pk")))
    total = sum(counts.values())
    roles: dict[int | None, list[Role]] = defaultdict(list)
    if 0 < total <= MOST_ROLES:
        for role in with_first_profile(Role.objects.filter(version=version)).order_by("position", "code"):
            roles[role.family_id].append(role)
    families = [
        FamilyView(family, counts.pop(family.pk), tuple(roles[family.pk]))
        for family in RoleFamily.objects.filter(Q(version=version) | Q(pk__in=[pk for pk in counts if pk]))
        if family.pk in counts
    ]
    rest = sum(counts.values())
    return families + ([FamilyView(None, rest, tuple(roles[None]))] if rest else []), total


def with_first_profile(roles: QuerySet[Role]) -> QuerySet[Role]:
    """Roles with `first_profile_id`, where a link to the role leads to, and `grades`, how many profiles it has."""
    profiles = RoleProfile.objects.filter(role=OuterRef("pk")).order_by("position", "code")
    return roles.defer("extra", "search_text").annotate(
        first_profile_id=Subquery(profiles.values("pk")[:1]), grades=Count("profiles")
    )


# --- One competency ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Bond:
    """How a competency stands to another one. `backwards`: the other one is the subject of the relation's words.

    `counts`: what is shown for one counts for the other. Without `other` the target is outside, `title` and `uri`.
    """

    relation: str
    backwards: bool
    other: Competency | None
    title: str = ""
    uri: str = ""
    note: str = ""
    counts: bool = False

    @property
    def label(self) -> str:
        return str(LinkRelation(self.relation).label)


@dataclass(frozen=True)
class Leading:
    """A course that leads to a competency at a level (None where its scale has none). `via`: by one that is the same."""

    course: Any
    level: ProficiencyLevel | None
    via: Competency | None


@dataclass(frozen=True)
class Parts:
    """Parts of a competency of one kind, that speak of one level."""

    kind: str
    rank: int | None
    label: str
    competencies: tuple[Competency, ...]


@dataclass(frozen=True)
class CompetencyView:
    competency: Competency
    scale: Scale
    descriptors: tuple[Any, ...]
    names: tuple[str, ...]
    parts: tuple[Parts, ...]
    more_parts: bool
    bonds: tuple[Bond, ...]
    required_by: Page[Any]
    courses: tuple[Leading, ...]
    earlier: tuple[Competency, ...]
    later: tuple[Competency, ...]
    in_force: Competency | None = field(default=None)

    @property
    def is_withdrawn(self) -> bool:
        """It is of an edition that was superseded, and the one in force has nothing in its place."""
        return self.in_force is None and not self.competency.version.is_published


def readable_competencies() -> QuerySet[Competency]:
    return Competency.objects.exclude(version__status=FrameworkStatus.DRAFT).select_related(
        "version__framework", "area", "parent__version"
    )


def competency_view(competency: Competency, *, roles_page: str | int | None = 1) -> CompetencyView:
    """A competency with all that hangs together with it: eleven queries."""
    alignments = list(
        Alignment.objects.standing()
        .filter(Q(origin__lineage=competency.lineage) | Q(target__lineage=competency.lineage))
        .exclude(Q(origin__version__status=FrameworkStatus.DRAFT) | Q(target__version__status=FrameworkStatus.DRAFT))
        .select_related("origin__version__framework", "target__version__framework")
    )
    same = {
        a.target.lineage if a.origin.lineage == competency.lineage else a.origin.lineage
        for a in alignments
        if a.relation == LinkRelation.EXACT
    }
    relatives = list(
        readable_competencies()
        .filter(lineage__in={competency.lineage, *same})
        .prefetch_related("course_outcomes__course", "course_outcomes__level")
        .order_by("-version__imported_at", "-version_id")
    )
    editions = [c for c in relatives if c.lineage == competency.lineage and c.pk != competency.pk]
    since = competency.version.imported_at
    levels = descriptors_of(competency)
    scale = Scale({d.rank: d.label for d in levels})
    children = list(
        competency.children.filter(version=competency.version_id)
        .defer("example", "alternatives", "search_text", "extra", "description")
        .order_by(F("rank").asc(nulls_last=True), "position", "code")[: MOST_CHILDREN + 1]
    )
    return CompetencyView(
        competency=competency,
        scale=scale,
        descriptors=tuple(d for d in levels if d.text and d.rank > 0),
        names=tuple(name.strip() for name in str(competency.alternatives).splitlines() if name.strip()),
        parts=_parts(children[:MOST_CHILDREN], scale),
        more_parts=len(children) > MOST_CHILDREN,
        bonds=(*_alignment_bonds(competency, alignments), *_link_bonds(competency)),
        required_by=required_by(competency, page=roles_page),
        courses=leading_courses(relatives, competency),
        earlier=tuple(c for c in editions if c.version.imported_at < since),
        later=tuple(c for c in editions if c.version.imported_at >= since),
        in_force=competency
        if competency.version.is_published
        else next((c for c in editions if c.version.is_published), None),
    )


def _parts(children: Iterable[Competency], scale: Scale) -> tuple[Parts, ...]:
    found: dict[tuple[int | None, str], list[Competency]] = defaultdict(list)
    for child in children:
        found[child.rank, child.kind].append(child)
    kinds = CompetencyKind.values
    order = sorted(found, key=lambda key: (key[0] is None, key[0] or 0, kinds.index(key[1])))
    return tuple(
        Parts(kind, rank, scale.label(rank) if rank is not None else "", tuple(found[rank, kind]))
        for rank, kind in order
    )


# A relation read from the other end; the rest has no words for that and is said of the other one.
_INVERSE = {
    LinkRelation.EXACT: LinkRelation.EXACT,
    LinkRelation.BROADER: LinkRelation.NARROWER,
    LinkRelation.NARROWER: LinkRelation.BROADER,
    LinkRelation.RELATED: LinkRelation.RELATED,
    LinkRelation.PEER: LinkRelation.PEER,
    LinkRelation.OTHER: LinkRelation.OTHER,
}


def _bond(relation: str, other: Competency | None, *, backwards: bool, **values: Any) -> Bond:
    if backwards and relation in _INVERSE:
        return Bond(_INVERSE[LinkRelation(relation)].value, False, other, **values)
    return Bond(relation, backwards, other, **values)


def _alignment_bonds(competency: Competency, alignments: Iterable[Alignment]) -> list[Bond]:
    bonds = []
    for a in alignments:
        backwards = a.origin.lineage != competency.lineage
        other = a.origin if backwards else a.target
        exact = a.relation == LinkRelation.EXACT
        bonds.append(_bond(a.relation, other, backwards=backwards, note=a.note, counts=exact))
    return bonds


def _link_bonds(competency: Competency) -> list[Bond]:
    """What the framework itself says. One query."""
    links = CompetencyLink.objects.filter(
        Q(origin=competency) | Q(target=competency), version__status=competency.version.status
    ).select_related("origin__version__framework", "target__version__framework")
    bonds = []
    for link in links[:MOST_CHILDREN]:
        backwards = link.origin_id != competency.pk
        bonds.append(
            _bond(
                link.relation,
                link.origin if backwards else link.target,
                backwards=backwards,
                title=link.target_title,
                uri=link.target_uri if link.target_uri.startswith(("http://", "https://")) else "",
                note=link.note,
            )
        )
    return bonds


def required_by(competency: Competency, *, page: str | int | None = 1) -> Page[Any]:
    """Requirements of roles in force for this competency in whatever edition, what is required first. Two queries.

    Each has `states_importance`: where a source says nothing of importance, no page may.
    """
    rows = (
        Requirement.objects.filter(
            competency__lineage=competency.lineage, profile__role__version__status=FrameworkStatus.PUBLISHED
        )
        .select_related("profile__role__version__framework", "level")
        .defer("profile__role__search_text", "profile__role__extra", "profile__extra", "profile__role__version__extra")
        .order_by(BY_NECESSITY, "-importance", "profile__role__version_id", "profile__role__position", "profile_id")
    )
    shown = Paginator(rows, ROLES_A_PAGE).get_page(page)
    shown.object_list = list(shown.object_list)
    stating = versions_stating_importance({row.profile.role.version for row in shown.object_list})
    for row in shown.object_list:
        row.states_importance = bool(  # type: ignore[attr-defined]
            row.importance_value or row.importance != DEFAULT_IMPORTANCE or row.profile.role.version_id in stating
        )
    return shown


def versions_stating_importance(versions: Collection[FrameworkVersion]) -> set[int]:
    """Published versions whose source grades its requirements: not all weigh as what says nothing does.

    A source that gives figures gives them requirement by requirement (`importance_value`), so they say nothing of others.
    What is published never changes, so each version is looked through once. One query at most.
    """
    keys = {f"importance:{v.uuid}:{v.imported_at.timestamp()}:{v.is_published}": v.pk for v in versions}
    known: dict[str, bool] = cache.get_many(keys)
    if unknown := {key: pk for key, pk in keys.items() if key not in known}:
        stating = set(
            Requirement.objects.filter(profile__role__version__in=unknown.values(), importance_value="")
            .exclude(importance=DEFAULT_IMPORTANCE)
            .order_by()
            .values_list("profile__role__version_id", flat=True)
            .distinct()
        )
        found = {key: pk in stating for key, pk in unknown.items()}
        cache.set_many(found, IMPORTANCE_KEPT_SECONDS)
        known |= found
    return {pk for key, pk in keys.items() if known[key]}


def leading_courses(relatives: Iterable[Competency], competency: Competency) -> tuple[Leading, ...]:
    """Courses that lead to it in any edition, or to one that is exactly the same; each once. Pages come from above."""
    found: dict[str, Leading] = {}
    reader = get_language()
    outcomes = [(c, outcome) for c in relatives for outcome in c.course_outcomes.all() if outcome.course.live]
    outcomes.sort(key=lambda pair: (pair[0].lineage != competency.lineage, pair[1].course.language != reader))
    for c, outcome in outcomes:
        via = None if c.lineage == competency.lineage else c
        found.setdefault(outcome.course.key, Leading(outcome.course, outcome.level, via))
    return tuple(sorted(found.values(), key=lambda leading: (leading.course.title, leading.course.pk)))


# --- What roles require ------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Asked:
    """One competency a role profile asks for. `inherited`: by the profile of the extended framework it builds on."""

    competency: Competency
    level: ProficiencyLevel | None
    importance: int
    necessity: str
    inherited: bool = False

    @property
    def rank(self) -> int | None:
        return self.level.rank if self.level is not None else None


def requirements_of(profiles: Iterable[RoleProfile], *, prefetch: Sequence[Any] = ()) -> dict[int, tuple[Asked, ...]]:
    """What profiles ask for, with what they build on, the weightiest first: one query, two more with a base.

    Where a profile and its base ask for the same, the stricter counts. `prefetch` is read along with the requirements.
    """
    wanted = list(profiles)
    owners: dict[int, list[tuple[int, bool]]] = defaultdict(list)
    bases = successors_of(p.builds_on_id for p in wanted if p.builds_on_id is not None)
    for profile in wanted:
        owners[profile.pk].append((profile.pk, False))
        if profile.builds_on_id is not None:
            owners[bases[profile.builds_on_id]].append((profile.pk, True))
    rows = (
        Requirement.objects.filter(profile_id__in=owners)
        .select_related("competency__version__framework", "competency__area", "level")
        .defer("competency__search_text", "competency__extra", "competency__version__extra", "competency__area__extra")
        .prefetch_related(*prefetch)
        .order_by("-importance", "position", "pk")
    )
    found: dict[int, dict[int, Asked]] = {profile.pk: {} for profile in wanted}
    for row in rows:
        for profile_id, inherited in owners[row.profile_id]:
            asked = Asked(row.competency, row.level, row.importance, row.necessity, inherited)
            before = found[profile_id].get(row.competency_id)
            found[profile_id][row.competency_id] = asked if before is None else _stricter(before, asked)
    return {
        pk: tuple(sorted(asked.values(), key=lambda a: (-a.importance, a.inherited))) for pk, asked in found.items()
    }


def _stricter(one: Asked, other: Asked) -> Asked:
    order = Necessity.values
    if one.necessity != other.necessity:
        strict = min(one, other, key=lambda a: order.index(a.necessity))
        return replace(strict, importance=max(one.importance, other.importance))
    strict = max(one, other, key=lambda a: (a.rank or 0, not a.inherited))
    return replace(strict, importance=max(one.importance, other.importance))


def descriptor_texts(asked: Iterable[Asked]) -> dict[int, str]:
    """The words of the level asked for, by competency id. One query, and only these levels are read."""
    levels = {a.competency.pk: a.level.pk for a in asked if a.level is not None}
    if not levels:
        return {}
    rows = LevelDescriptor.objects.filter(competency_id__in=levels, level_id__in=set(levels.values()))
    return {d.competency_id: str(d.text) for d in rows if levels[d.competency_id] == d.level_id}
