"""Where the organisation stands: counts laid down by a job, the heat map and the key posts read from them.

The levels are those of `selectors.standings_of`, computed for everybody at once (competencies.vectors); a test compares
the two. Counting and suppression: docs/algorithms/standing.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from competencies.enums import MAX_RANK, EvidenceKind, FrameworkStatus
from competencies.gaps import Required, merge_requirements
from competencies.levels import RULES, Attains, EvidenceItem
from competencies.models import Competency, Evidence, RoleAssignment, StandingCount
from competencies.ruling import books_in_force
from competencies.selectors import (
    EvidenceRow,
    Needs,
    Place,
    Scale,
    given_profiles,
    needs_of,
    profiles_in_force,
    scales_of,
)
from competencies.vectors import KIND_NUMBER, NEVER, Ints, Pieces, attained_levels
from organisations.enums import JobState
from organisations.jobs import enqueue
from organisations.models import Appointment, Job, User

# People whose evidence is read and judged at a time, and rows taken from the database at a time.
PEOPLE_AT_A_TIME = 20_000
ROWS_AT_A_TIME = 20_000
# What these kinds say is shown beside and attains nothing, in any edition of the rules.
SILENT_KINDS = frozenset(EvidenceKind) - {
    kind for rule in RULES.rules if rule.attains is not Attains.NOTHING for kind in rule.kinds
}
NOT_ASKED = -1
COUNT_JOB = "competencies.count_standing"


# --- Levels of many ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Way:
    """How evidence for one competency counts for another: rank there → rank here (-1: not at all), and whether an
    estimate's probabilities come with it."""

    place: int
    ranks: Ints
    keeps: NDArray[np.bool_]


@dataclass(frozen=True)
class Ground:
    """Everything that decides what a piece of evidence is worth for some competencies, read once for all people.

    `places` are the competencies asked about, in this order; `ways` are by the id of the competency of the evidence.
    """

    places: Sequence[Place]
    ways: Mapping[int, Sequence[Way]]
    frameworks: Mapping[int, Sequence[int]]

    @property
    def order(self) -> dict[int, int]:
        return {place.competency_id: number for number, place in enumerate(self.places)}


def ground_of(places: Iterable[Place]) -> Ground:
    """How evidence counts for these competencies, of their own and earlier editions and what is aligned with them."""
    ordered = sorted(places, key=lambda place: place.competency_id)
    by_lineage: dict[Any, list[int]] = defaultdict(list)
    for number, place in enumerate(ordered):
        for lineage in {place.lineage, *(counterpart.lineage for counterpart in place.counterparts)}:
            by_lineage[lineage].append(number)
    rows = list(
        Competency.objects.filter(lineage__in=by_lineage.keys())
        .order_by("pk")
        .values_list("pk", "lineage", "version_id", "version__framework_id", "version__status")
    )
    scales = scales_of({row[2] for row in rows} | {place.version_id for place in ordered})
    ways: dict[int, list[Way]] = {}
    for pk, lineage, version_id, framework_id, status in rows:
        source = EvidenceRow(
            EvidenceItem(0, EvidenceKind.DIAGNOSTIC, 0, True, date.min, probabilities=()),
            pk, lineage, version_id, framework_id, status != FrameworkStatus.SUPERSEDED,
        )  # fmt: skip
        ways[pk] = [_way(number, ordered[number], source, scales) for number in by_lineage[lineage]]
    frameworks: dict[int, list[int]] = defaultdict(list)
    for number, place in enumerate(ordered):
        frameworks[place.framework_id].append(number)
    return Ground(ordered, ways, frameworks)


def _way(number: int, place: Place, source: EvidenceRow, scales: Mapping[int, Scale]) -> Way:
    """What `Place.takes` makes of each rank there."""
    ranks = np.full(MAX_RANK + 1, NOT_ASKED, dtype=np.int64)
    keeps = np.zeros(MAX_RANK + 1, dtype=bool)
    for rank in range(MAX_RANK + 1):
        item = EvidenceItem(0, EvidenceKind.DIAGNOSTIC, rank, True, date.min, probabilities=())
        taken = place.takes(
            EvidenceRow(
                item, source.competency_id, source.lineage, source.version_id, source.framework_id, source.in_force
            ),
            scales,
        )
        if taken is not None:
            ranks[rank], keeps[rank] = taken.rank, taken.probabilities is not None
    return Way(number, ranks, keeps)


@dataclass(frozen=True)
class Read:
    """Evidence as it lies in the database: columns, `person` and `competency` by id."""

    person: Ints
    competency: Ints
    pieces: Pieces


def read_evidence(evidence: QuerySet[Evidence]) -> Read:
    """Standing evidence that can attain something, as columns. One query, no instances."""
    fields = (
        "person_id", "competency_id", "pk", "kind", "rank", "assessed", "passed", "occurred_on", "valid_until",
    )  # fmt: skip
    attaining = evidence.standing().exclude(kind__in=SILENT_KINDS).order_by()  # type: ignore[attr-defined]
    columns: list[list[Any]] = [[] for _ in fields]
    for batch in _batches(attaining.values_list(*fields).iterator(chunk_size=ROWS_AT_A_TIME)):
        person, competency, pk, kind, rank, assessed, passed, occurred, until = zip(*batch, strict=True)
        for column, values in zip(
            columns,
            (
                person, competency, pk, [KIND_NUMBER[k] for k in kind], rank, assessed, passed,
                [day.toordinal() for day in occurred], [NEVER if day is None else day.toordinal() for day in until],
            ), strict=True,
        ):  # fmt: skip
            column.append(np.array(values, dtype=np.int64))
    of: list[Ints] = [np.concatenate(column) if column else np.empty(0, dtype=np.int64) for column in columns]
    spread, spreads = _spreads(attaining, of[2])
    yes = [of[5].astype(bool), of[6].astype(bool)]
    pieces = Pieces(of[0], of[2], of[3], of[4], yes[0], yes[1], of[7], of[8], spread, spreads)
    return Read(of[0], of[1], pieces)


def _spreads(evidence: QuerySet[Evidence], pk: Ints) -> tuple[Ints, list[tuple[float, ...]]]:
    """Probabilities of those pieces that have some, which are few."""
    spread = np.full(len(pk), -1, dtype=np.int64)
    stated = [
        (piece, tuple(probabilities))
        for piece, probabilities in evidence.filter(probabilities__isnull=False)
        .values_list("pk", "probabilities")
        .iterator(chunk_size=ROWS_AT_A_TIME)
        if probabilities is not None
    ]
    if stated and len(pk):
        order = np.argsort(pk)
        wanted = np.array([piece for piece, _values in stated], dtype=np.int64)
        at = np.minimum(np.searchsorted(pk, wanted, sorter=order), len(pk) - 1)
        there = pk[order[at]] == wanted  # recorded between the two questions: counted next time
        spread[order[at[there]]] = np.flatnonzero(there)
    return spread, [values for _piece, values in stated]


def _batches(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while batch := list(islice(rows, ROWS_AT_A_TIME)):
        yield batch


@dataclass(frozen=True)
class Held:
    """Attained ranks above 0: who (place in `people`), what (place in the ground's places), the rank."""

    person: Ints
    place: Ints
    rank: Ints


def held_ranks(read: Read, *, people: Ints, needed: NDArray[np.bool_], of: Ints, ground: Ground, day: date) -> Held:
    """What these people have attained of what they need.

    `people`: ids in ascending order; `of[i]`: which row of `needed` (kinds of people × places) person i has.
    """
    books = books_in_force(ground.frameworks)
    who = np.minimum(np.searchsorted(people, read.person), max(len(people) - 1, 0))
    ours = people[who] == read.person if len(people) else np.zeros(len(who), dtype=bool)
    order = np.argsort(read.competency, kind="stable")
    order = order[ours[order]]
    starts = read.competency[order]
    taken: dict[int, list[tuple[Ints, Ints, NDArray[np.bool_], Ints]]] = defaultdict(list)
    for source in np.unique(starts).tolist():
        rows = order[slice(*np.searchsorted(starts, (source, source + 1)).tolist())]
        for way in ground.ways.get(source, ()):
            ranks = way.ranks[read.pieces.rank[rows]]
            kept = (ranks >= 0) & needed[of[who[rows]], way.place]
            if kept.any():
                chosen = rows[kept]
                keeps = way.keeps[read.pieces.rank[chosen]]
                place = np.full(len(chosen), way.place, dtype=np.int64)
                taken[ground.places[way.place].framework_id].append((chosen, ranks[kept], keeps, place))
    found: list[tuple[Ints, Ints, Ints]] = []
    for framework_id, parts in taken.items():
        rows, ranks, keeps, place = (np.concatenate(part) for part in zip(*parts, strict=True))
        pairs, group = np.unique(who[rows] * len(ground.places) + place, return_inverse=True)
        own = read.pieces
        pieces = Pieces(
            group, own.id[rows], own.kind[rows], ranks, own.assessed[rows], own.passed[rows], own.occurred[rows],
            own.until[rows], np.where(keeps, own.spread[rows], -1), own.spreads,
        )  # fmt: skip
        level = attained_levels(pieces, groups=len(pairs), as_of=day, rules=books[framework_id].rules)
        person, at = np.divmod(pairs, len(ground.places))
        shown = level.rank > 0
        found.append((person[shown], at[shown], level.rank[shown]))
    if not found:
        nothing = np.empty(0, dtype=np.int64)
        return Held(nothing, nothing, nothing)
    return Held(*(np.concatenate(part) for part in zip(*found, strict=True)))


# --- Counts ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Seats:
    """Who sits where and needs what: ids of people in ascending order, `of` their kind of need, and their units.

    `seat_person` and `seat_unit` say each unit a person holds a post in, once; units by id.
    """

    people: Ints
    of: Ints
    needs: Sequence[Mapping[int, Required]]
    seat_person: Ints
    seat_unit: Ints


def seats_of(day: date) -> tuple[Seats, Needs]:
    """Everybody who holds a post, with what her roles by post and by assignment ask for. Eight queries at the most."""
    held = set(
        Appointment.objects.current(day)
        .filter(person__is_active=True)
        .order_by()
        .values_list("person_id", "post__unit_id")
        .iterator(chunk_size=ROWS_AT_A_TIME)
    )
    by_post = (
        Appointment.objects.current(day)
        .filter(person__is_active=True, post__post_roles__isnull=False)
        .order_by()
        .values_list("person_id", "post__post_roles__profile_id")
    )
    assigned = (
        RoleAssignment.objects.current(day)
        .filter(person__is_active=True)
        .order_by()
        .values_list("person_id", "profile_id")
    )
    given: dict[int, set[int]] = defaultdict(set)
    for rows in (by_post, assigned):
        for person_id, profile_id in rows.iterator(chunk_size=ROWS_AT_A_TIME):
            given[person_id].add(profile_id)
    in_force = profiles_in_force(given_profiles({pk for profiles in given.values() for pk in profiles}))
    asked = needs_of(in_force.values())
    kinds: dict[frozenset[int], int] = {}
    people = np.array(sorted({person_id for person_id, _unit in held}), dtype=np.int64)
    of = np.array(
        [
            kinds.setdefault(frozenset(in_force[pk].profile_id for pk in given.get(person_id, ())), len(kinds))
            for person_id in people.tolist()
        ],
        dtype=np.int64,
    )
    needs = [
        {r.competency_id: r for r in merge_requirements(r for pk in sorted(kind) for r in asked.required.get(pk, ()))}
        for kind in kinds
    ]
    seats = np.array(sorted(held), dtype=np.int64).reshape(-1, 2)
    return Seats(people, of, needs, np.searchsorted(people, seats[:, 0]), seats[:, 1]), asked


@dataclass(frozen=True)
class Count:
    unit_id: int
    competency_id: int
    people: int
    at_level: int


def count_standing(day: date, progress: Callable[[int, int], None] = lambda done, total: None) -> list[Count]:
    """For each unit with posts and each competency needed there: people who need it, people at the level.

    A person is counted in each unit she holds a post in, once. Evidence is read for some thousand people at a time.
    """
    seats, asked = seats_of(day)
    ground = ground_of(asked.places.values())
    order = ground.order
    ranks = np.full((len(seats.needs), len(ground.places)), NOT_ASKED, dtype=np.int64)
    for kind, needs in enumerate(seats.needs):
        for competency_id, required in needs.items():
            ranks[kind, order[competency_id]] = required.rank_needed
    units, unit = np.unique(seats.seat_unit, return_inverse=True)
    shape = (len(units), len(ground.places))
    one = np.ones(len(unit), dtype=np.int64)
    kinds = csr_matrix((one, (unit, seats.of[seats.seat_person])), shape=(len(units), max(len(seats.needs), 1)))
    people = np.zeros(shape, dtype=np.int64)
    met = np.zeros(shape, dtype=np.int64)
    if len(seats.needs):
        people += kinds @ (ranks != NOT_ASKED).astype(np.int64)
        met += kinds @ (ranks == 0).astype(np.int64)  # nothing is asked that anybody could lack
    where = csr_matrix((one, (unit, seats.seat_person)), shape=(len(units), max(len(seats.people), 1)))
    for start in range(0, len(seats.people), PEOPLE_AT_A_TIME):
        ids = seats.people[start : start + PEOPLE_AT_A_TIME]
        of = seats.of[start : start + PEOPLE_AT_A_TIME]
        evidence = Evidence.objects.filter(person_id__gte=int(ids[0]), person_id__lte=int(ids[-1]))
        held = held_ranks(read_evidence(evidence), people=ids, needed=ranks > 0, of=of, ground=ground, day=day)
        reached = held.rank >= ranks[of[held.person], held.place]
        pairs = (held.person[reached] + start, held.place[reached])
        own = csr_matrix((np.ones(len(pairs[0]), dtype=np.int64), pairs), shape=(where.shape[1], shape[1]))
        met += (where @ own).toarray()
        progress(min(start + PEOPLE_AT_A_TIME, len(seats.people)), len(seats.people))
    return [
        Count(int(units[u]), ground.places[p].competency_id, int(people[u, p]), int(met[u, p]))
        for u, p in np.argwhere(people > 0).tolist()
    ]


def ask_to_count(*, by: User | None, nightly: bool = False) -> Job | None:
    """Ask for new counts, one counting at a time; returns the job under way, or None where tonight's is done already.

    The key names the counting before: two who ask at once get the same job.
    """
    jobs = Job.objects.filter(kind=COUNT_JOB)
    under_way = jobs.open().first()
    if under_way is not None:
        return under_way
    last = jobs.order_by("-pk").first()
    done_at = last.finished_at if last is not None and last.state == JobState.DONE else None
    if nightly and done_at is not None and timezone.localdate(done_at) == timezone.localdate():
        return None
    return enqueue(kind=COUNT_JOB, key=f"after:{last.pk if last else 0}", payload={}, by=by)


def lay_down_counts(*, day: date, progress: Callable[[int, int], None] = lambda done, total: None) -> int:
    """Count everybody and put the new counts in the place of the old ones; returns how many there are.

    Only the exchange is a transaction: a minute of counting must neither hold a lock nor hide its signs of life.
    """
    counts = count_standing(day, progress)
    with transaction.atomic():
        StandingCount.objects.all().delete()
        StandingCount.objects.bulk_create(
            (
                StandingCount(
                    unit_id=count.unit_id,
                    competency_id=count.competency_id,
                    people=count.people,
                    at_level=count.at_level,
                    as_of=day,
                )
                for count in counts
            ),
            batch_size=2000,
        )
    return len(counts)
