"""The heat map and the key posts, as this reader may see them: in full what she serves, in safe counts all else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from django.db.models import Max, Q, QuerySet, Sum
from django.utils import timezone

from competencies.models import Area, Competency, PostRole, RoleProfile, StandingCount
from competencies.perms import sees_organisation
from competencies.selectors import InForce, Standing, key_posts, needs_of, standings_of, successors_of
from competencies.suppression import Figure, Published, publish
from organisations.enums import UnitKind
from organisations.models import Appointment, Post, Unit, User
from organisations.perms import hr_paths

COLUMNS = 6
# From which share (per cent) a cell has which band; the first and the last hold "nobody" and "everybody" too.
BANDS = 5


@dataclass(frozen=True)
class Scope:
    """What a reader sees: units below `paths` in full; all others, where she may, in counts of five people or more."""

    everything: bool = False
    paths: tuple[str, ...] = ()
    organisation: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.everything or self.paths or self.organisation)

    @property
    def is_full(self) -> bool:
        """Whether all she sees she sees in full."""
        return self.everything or not self.organisation

    def serves(self, path: str) -> bool:
        return self.everything or path.startswith(self.paths)

    def units(self) -> QuerySet[Unit]:
        """In the order of the tree."""
        if self.everything or self.organisation:
            return Unit.objects.order_by("path")
        return Unit.objects.filter(below(self.paths)).order_by("path")


def below(paths: Collection[str], prefix: str = "") -> Q:
    within = Q(pk__in=[])
    for path in paths:
        within |= Q(**{f"{prefix}path__startswith": path})
    return within


def scope_of(reader: User) -> Scope:
    """Two queries at the most."""
    if reader.is_superuser:
        return Scope(everything=True)
    return Scope(paths=tuple(hr_paths(reader)), organisation=sees_organisation(reader))


# --- Heat map ----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Cell:
    """One unit in one competency; `figure` None: too few to show."""

    competency: Competency
    figure: Figure | None

    @property
    def is_hidden(self) -> bool:
        return self.figure is None

    @property
    def is_empty(self) -> bool:
        return self.figure is not None and not self.figure.people

    @property
    def is_exact(self) -> bool:
        return self.figure is not None and self.figure.exact

    @property
    def pct(self) -> int:
        return 100 * self.figure.at_level // self.figure.people if self.figure and self.figure.people else 0

    @property
    def band(self) -> int:
        """1 (up to a fifth at the level) to 5 (four fifths or more); 0 without a figure."""
        if self.figure is None or not self.figure.people:
            return 0
        fifths = 5 * self.figure.at_level / self.figure.people
        return BANDS if fifths >= BANDS - 1 else max(1, -int(-fifths // 1))

    @property
    def lacking(self) -> int:
        return self.figure.lacking if self.figure else 0


@dataclass(frozen=True)
class Row:
    """`kind`: "all" (the chosen unit with all below it), "direct" (posts directly there) or "unit" (a unit below it)."""

    kind: str
    unit: Unit | None
    cells: Sequence[Cell]
    has_below: bool = False

    @property
    def lacking(self) -> int:
        return sum(cell.lacking for cell in self.cells)


@dataclass(frozen=True)
class HeatMap:
    """`rows`: the chosen unit as a whole first, then its parts, the largest lack first. `pages`: of competencies."""

    unit: Unit | None
    ancestors: Sequence[Unit]
    competencies: Sequence[Competency]
    rows: Sequence[Row]
    page: int
    pages: int
    as_of: date | None
    scope: Scope

    @cached_property
    def largest(self) -> tuple[Row, Cell] | None:
        """The part and the competency that most people lack, of what is shown."""
        parts = [row for row in self.rows if row.kind != "all"] or self.rows
        cells = [(row, cell) for row in parts for cell in row.cells if cell.lacking]
        return max(cells, key=lambda pair: pair[1].lacking, default=None)

    @property
    def hides_some(self) -> bool:
        return any(cell.is_hidden for row in self.rows for cell in row.cells)


@dataclass(frozen=True)
class Tree:
    """Units of a scope in the order of the tree."""

    ids: Sequence[int]
    paths: Sequence[str]
    parents: Sequence[int]

    @cached_property
    def at(self) -> dict[int, int]:
        return {pk: number for number, pk in enumerate(self.ids)}


def tree_of(scope: Scope) -> Tree:
    rows = list(scope.units().values_list("pk", "path"))
    place = {path: number for number, (_pk, path) in enumerate(rows)}
    parents = [place.get(path[: -Unit.steplen], -1) for _pk, path in rows]
    return Tree([pk for pk, _path in rows], [path for _pk, path in rows], parents)


def heat_map(
    scope: Scope,
    unit: Unit | None = None,
    *,
    only: Collection[int] | None = None,
    page: int = 1,
) -> HeatMap:
    """Units below `unit` (or the heads of what the reader sees) × the competencies most people need, `only` these.

    As many queries for many units and people as for few. What is shown of a competency does not depend on the page or
    on `only`: the tree is always judged as a whole.
    """
    tree = tree_of(scope)
    heads = [number for number, parent in enumerate(tree.parents) if parent < 0]
    if unit is None and len(heads) == 1:
        unit = Unit.objects.get(pk=tree.ids[heads[0]])
    counts = StandingCount.objects.order_by()
    if not (scope.everything or scope.organisation):
        counts = counts.filter(below(scope.paths, "unit__"))
    # How much a competency is needed orders the columns; below a unit only for those who may know how much.
    ranked = counts.filter(unit__path__startswith=unit.path) if unit is not None and scope.is_full else counts
    if only is not None:
        ranked = ranked.filter(competency_id__in=only)
    needed = list(ranked.values_list("competency_id").annotate(n=Sum("people")).order_by("-n", "competency_id"))
    pages = max(1, -(-len(needed) // COLUMNS))
    page = min(max(page, 1), pages)
    chosen = [pk for pk, _n in needed[(page - 1) * COLUMNS : page * COLUMNS]]
    titles = Competency.objects.defer("search_text", "extra").in_bulk(chosen)
    competencies = [titles[pk] for pk in chosen]
    published = _published(scope, tree, counts.filter(competency_id__in=chosen), chosen)
    at = tree.at
    here = at[unit.pk] if unit is not None else None
    parts = [number for number, parent in enumerate(tree.parents) if parent == here] if here is not None else heads
    units = Unit.objects.in_bulk([tree.ids[number] for number in parts])
    with_below = set(tree.parents)

    def cells(of: Mapping[int, Figure | None]) -> list[Cell]:
        return [Cell(c, of[c.pk]) for c in competencies]

    rows = [
        Row(
            "unit",
            units[tree.ids[number]],
            cells({pk: found.total[number] for pk, found in published.items()}),
            number in with_below,
        )
        for number in parts
    ]
    if here is not None and parts:
        rows.append(Row("direct", unit, cells({pk: found.direct[here] for pk, found in published.items()})))
    rows = [row for row in rows if any(not cell.is_empty for cell in row.cells)]
    rows.sort(key=lambda row: -row.lacking)
    whole = {pk: found.total[here] if here is not None else found.whole for pk, found in published.items()}
    return HeatMap(
        unit=unit,
        ancestors=_ancestors(unit, scope),
        competencies=competencies,
        rows=[Row("all", unit, cells(whole)), *rows] if competencies else [],
        page=page,
        pages=pages,
        as_of=counts.aggregate(day=Max("as_of"))["day"],
        scope=scope,
    )


def _published(
    scope: Scope, tree: Tree, counts: QuerySet[StandingCount], competency_ids: Sequence[int]
) -> dict[int, Published]:
    at = tree.at
    people: dict[int, list[int]] = {pk: [0] * len(tree.ids) for pk in competency_ids}
    at_level: dict[int, list[int]] = {pk: [0] * len(tree.ids) for pk in competency_ids}
    for unit_id, pk, needing, held in counts.values_list("unit_id", "competency_id", "people", "at_level"):
        if unit_id in at:  # a unit that was added or removed this moment
            people[pk][at[unit_id]], at_level[pk][at[unit_id]] = needing, held
    known = [n for n, path in enumerate(tree.paths) if scope.is_full or scope.serves(path)]
    return {pk: publish(tree.parents, people[pk], at_level[pk], known=known) for pk in competency_ids}


def _ancestors(unit: Unit | None, scope: Scope) -> list[Unit]:
    """Those the reader may open, the highest first."""
    if unit is None:
        return []
    own = [unit.path[:end] for end in range(Unit.steplen, len(unit.path), Unit.steplen)]
    return list(scope.units().filter(path__in=own))


def asked_by_profile(profile: RoleProfile) -> set[int]:
    """The competencies a role asks for, as they count today."""
    asked = needs_of([InForce(profile.pk, profile.builds_on_id)])
    return {r.competency_id for r in asked.required.get(profile.pk, ())}


def areas_counted() -> QuerySet[Area]:
    """Areas of which some competency is needed somewhere."""
    counted = StandingCount.objects.order_by().values("competency_id")
    wanted = Competency.objects.filter(pk__in=counted, area__isnull=False).order_by().values("area_id")
    return (
        Area.objects.filter(pk__in=wanted)
        .select_related("version__framework")
        .order_by("version__framework__slug", "position", "pk")
    )


def competencies_counted() -> QuerySet[Competency]:
    """Competencies that are needed somewhere, framework by framework."""
    counted = StandingCount.objects.order_by().values("competency_id")
    return (
        Competency.objects.filter(pk__in=counted)
        .only("title", "code", "version", "position")
        .order_by("version__framework__slug", "version_id", "position", "pk")
    )


# --- Key posts ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class KeyPost:
    """A key post of a unit the reader serves: vacant, filled at the level, or filled below it."""

    body: Unit
    post_role: PostRole
    holder: User | None
    met: int = 0
    total: int = 0
    profile_id: int = 0  # the profile in force, where that of the post is of a superseded edition

    @property
    def state(self) -> str:
        if self.holder is None:
            return "vacant"
        return "at_level" if self.met == self.total else "below"


@dataclass(frozen=True)
class KeyPostCount:
    """Key posts of one kind in one public body, for who may not know their holders: how many, how many are filled."""

    body: Unit
    key_post: str
    posts: int
    filled: int

    @property
    def vacant(self) -> int:
        return self.posts - self.filled


def key_post_rows(scope: Scope, unit: Unit | None, day: date | None = None) -> QuerySet[PostRole]:
    """Key posts that exist today below `unit`, body by body."""
    within = scope.units()
    if unit is not None:
        within = within.filter(path__startswith=unit.path)
    posts = Post.objects.existing(day or timezone.localdate()).filter(unit__in=within.values("pk"))
    return (
        key_posts()
        .filter(post__in=posts.values("pk"))
        .order_by("post__unit__path", "profile__role__position", "post__code", "pk")
    )


def key_posts_in_full(scope: Scope, rows: QuerySet[PostRole]) -> QuerySet[PostRole]:
    """Those in units the reader serves."""
    return rows if scope.everything else rows.filter(below(scope.paths, "post__unit__"))


def key_posts_in_counts(scope: Scope, rows: QuerySet[PostRole]) -> list[KeyPostCount]:
    """Those elsewhere, counted by body and kind. Two queries and one for the bodies; nothing if all are seen in full."""
    if scope.is_full:
        return []
    day = timezone.localdate()
    elsewhere = list(rows.exclude(below(scope.paths, "post__unit__")))
    held = set(
        Appointment.objects.current(day)
        .filter(post_id__in=[row.post_id for row in elsewhere])
        .values_list("post_id", flat=True)
    )
    bodies = _bodies({row.post.unit.path for row in elsewhere})
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in elsewhere:
        count = found[bodies[row.post.unit.path].path, row.profile.role.key_post]
        count[0] += 1
        count[1] += row.post_id in held
    by_path = {body.path: body for body in bodies.values()}
    return [KeyPostCount(by_path[path], name, posts, filled) for (path, name), (posts, filled) in sorted(found.items())]


def key_post_views(rows: Sequence[PostRole], day: date | None = None) -> list[KeyPost]:
    """Holders of these posts and how many competencies of the post's role they have at the level."""
    today = day or timezone.localdate()
    holders = {
        a.post_id: a.person
        for a in Appointment.objects.current(today)
        .filter(post_id__in=[row.post_id for row in rows])
        .select_related("person")
    }
    standings: dict[int, Standing] = standings_of(sorted({p.pk for p in holders.values()}), as_of=today)
    in_force = successors_of(row.profile_id for row in rows)
    bodies = _bodies({row.post.unit.path for row in rows})
    views = []
    for row in rows:
        holder = holders.get(row.post_id)
        way = standings[holder.pk].way_to(in_force[row.profile_id]) if holder else (0, 0)
        views.append(KeyPost(bodies[row.post.unit.path], row, holder, *way, in_force[row.profile_id]))
    return views


def _bodies(paths: Collection[str]) -> dict[str, Unit]:
    """The public body each unit is part of: the nearest above it, or the highest unit where none is one. One query."""
    wanted = {path[:end] for path in paths for end in range(Unit.steplen, len(path) + 1, Unit.steplen)}
    units = {unit.path: unit for unit in Unit.objects.filter(path__in=wanted)}
    found = {}
    for path in paths:
        above = [units[path[:end]] for end in range(len(path), 0, -Unit.steplen) if path[:end] in units]
        found[path] = next((unit for unit in above if unit.kind == UnitKind.BODY), above[-1])
    return found
