"""How the standing of many people would change if something were asked or a draft published, without reading them twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from competencies.enums import EvidenceKind, FrameworkStatus
from competencies.gaps import Required, merge_requirements
from competencies.levels import Attains, EvidenceItem, Level, attained_level, lapse_date
from competencies.models import (
    Competency,
    Evidence,
    Framework,
    RoleProfile,
)
from competencies.ruling import books_in_force
from competencies.selectors.editions import (
    NOTHING_SUPPOSED,
    InForce,
    Place,
    Scale,
    Supposing,
    given_profiles,
    places_in_force,
    places_of,
    profiles_in_force,
    scales_of,
)
from competencies.selectors.evidence import EvidenceRow
from competencies.selectors.judging import items_where_they_count
from competencies.selectors.standings import (
    brought_forward,
    by_profile_id,
    ground_of,
    profiles_of_people,
    requirements_of_profiles,
)


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
        by_person = profiles_of_people(person_ids, self.as_of, NOTHING_SUPPOSED)
        roles: dict[int, tuple[InForce, ...]] = {}
        for pk in person_ids:
            own = by_person.get(pk, [])
            if self.adding is not None and self.adding not in own:
                own = sorted([*own, self.adding], key=by_profile_id)
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
        required, competencies, _profiles = requirements_of_profiles(new, bases)
        required, competencies = brought_forward(required, competencies, NOTHING_SUPPOSED)
        self._required |= {profile.profile_id: required.get(profile.profile_id, []) for profile in new}
        self._place(places_of([c for pk, c in competencies.items() if pk not in self._places], NOTHING_SUPPOSED))

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
        """The attained ranks by competency id, as `judged_levels` has them."""
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
        in_force = places_in_force(row.lineage for row in new.values() if not row.in_force)
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
    ground = ground_of(person_ids, as_of)
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
        items, framework_of = items_where_they_count(rows, ground.places, ground.scales)
        for competency_id, own in items.items():
            framework_id = framework_of[competency_id]
            if framework_id not in touched or competency_id in followed:
                continue
            before = attained_level(own, as_of=as_of, rules=now[framework_id].rules)
            after = attained_level(own, as_of=as_of, rules=then[framework_id].rules)
            if before.rank != after.rank:
                found.append(Moving(person_id, competency_id, before, after, needed.get(competency_id)))
    return found
