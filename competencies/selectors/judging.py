"""What evidence attains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from competencies.levels import EvidenceItem, Level, attained_level
from competencies.models import (
    Competency,
)
from competencies.rulebooks import Book
from competencies.ruling import books_in_force
from competencies.selectors.editions import FIELDS_OF_PLACE, NOTHING_SUPPOSED, Place, Scale, places_of, scales_of
from competencies.selectors.evidence import EvidenceRow, evidence_rows


def attained_ranks(person_ids: Sequence[int], lineages: Iterable[UUID], *, as_of: date) -> dict[int, dict[UUID, int]]:
    """The attained rank of each of these competencies, by person and lineage, whether a role asks for it or not.

    Ranks are of the edition in force; where there is none any more, of that it was shown in. What is not attained is left
    out. Five queries at the most, however many people.
    """
    wanted = set(lineages)
    if not wanted:
        return {}
    in_force = list(
        Competency.objects.published().filter(lineage__in=wanted).select_related("version").only(*FIELDS_OF_PLACE)
    )
    places = places_of(in_force, NOTHING_SUPPOSED)
    counting = wanted | {c.lineage for place in places.values() for c in place.counterparts}
    evidence = evidence_rows(person_ids, lineages=counting)
    rows = [row for found in evidence.values() for row in found]
    scales = scales_of({row.version_id for row in rows} | {place.version_id for place in places.values()})
    books = books_in_force({row.framework_id for row in rows} | {place.framework_id for place in places.values()})
    of_place = {place.competency_id: place.lineage for place in places.values()}
    found: dict[int, dict[UUID, int]] = {}
    for person_id, own in evidence.items():
        of_row = {row.competency_id: row.lineage for row in own if row.lineage not in of_place.values()}
        levels = judged_levels(own, places, scales, as_of, books)
        ranks: dict[UUID, int] = {}
        for competency_id, level in levels.items():
            lineage = of_place.get(competency_id) or of_row.get(competency_id)
            if lineage in wanted and level.rank > ranks.get(lineage, 0):
                ranks[lineage] = level.rank
        found[person_id] = ranks
    return found


def levels_in(person_ids: Sequence[int], places: Mapping[int, Place], *, as_of: date) -> dict[int, dict[int, Level]]:
    """What each person has attained in the competencies of these places, with what shows it: person id → competency id →
    level. Where there is no evidence there is no level. Four queries at the most, however many people."""
    counting = {place.lineage for place in places.values()}
    counting |= {counterpart.lineage for place in places.values() for counterpart in place.counterparts}
    evidence = evidence_rows(person_ids, lineages=counting) if counting else {}
    rows = [row for found in evidence.values() for row in found]
    scales = scales_of({row.version_id for row in rows} | {place.version_id for place in places.values()})
    books = books_in_force({row.framework_id for row in rows} | {place.framework_id for place in places.values()})
    found = {}
    for person_id in person_ids:
        levels = judged_levels(evidence.get(person_id, []), places, scales, as_of, books)
        found[person_id] = {pk: level for pk, level in levels.items() if pk in places}
    return found


def judged_levels(
    rows: Sequence[EvidenceRow],
    places: Mapping[int, Place],
    scales: Mapping[int, Scale],
    day: date,
    books: Mapping[int, Book],
) -> dict[int, Level]:
    """The attained level of everything there is evidence for, by competency id: as recorded, and as it counts today."""
    items, framework_of = items_where_they_count(rows, places, scales)
    return {
        competency_id: attained_level(found, as_of=day, rules=books[framework_of[competency_id]].rules)
        for competency_id, found in items.items()
    }


def items_where_they_count(
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
