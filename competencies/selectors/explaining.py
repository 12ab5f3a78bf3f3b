"""Why somebody has a level, and what moved it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from django.utils import timezone

from competencies.enums import BankStatus, FrameworkStatus
from competencies.gaps import Required
from competencies.levels import NOTHING_HELD, Level, attained_level
from competencies.likely import Likely, contributions, estimate_many, observations_of
from competencies.models import (
    Competency,
    Evidence,
    ItemBank,
    ProficiencyLevel,
)
from competencies.rulebooks import Book
from competencies.ruling import books_in_force
from competencies.selectors.editions import NOTHING_SUPPOSED, Scale, places_of, scales_of
from competencies.selectors.evidence import EvidenceRow, evidence_rows, item_of
from competencies.selectors.judging import judged_levels
from competencies.selectors.standings import standing_of
from organisations.models import User


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
    place = places_of([competency], NOTHING_SUPPOSED)[competency.pk]
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
    place = places_of([competency], NOTHING_SUPPOSED)[competency.pk]
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
    levels = judged_levels(taken, {place.competency_id: place}, scales, as_of, books)
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
    places = places_of([piece.competency for piece in pieces], NOTHING_SUPPOSED)
    scales = scales_of({row.version_id for row in rows})
    books = books_in_force({row.framework_id for row in rows} | {place.framework_id for place in places.values()})
    before = judged_levels(earlier, places, scales, day, books)
    after = judged_levels([*earlier, *(row for row in rows if row.item.id in own)], places, scales, day, books)
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
