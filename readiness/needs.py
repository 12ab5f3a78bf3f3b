"""What changes ask people to be able to do, by when: the link from an initiative to learning.

Only groups weigh here: that a unit feels unable makes what it needs more urgent for everybody in it, and nobody's answer is
looked at (promise P5).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import QuerySet

from competencies.gaps import HELD_RANK, SOON_FACTOR
from competencies.models import Competency, Requirement
from organisations.models import Appointment
from readiness.enums import InitiativeStatus
from readiness.models import Need, NodeBlock, Wave, WaveNode
from readiness.statistics.scores import score_0_100

SOON = timedelta(days=90)
# Blocks that say that people do not feel able yet, or do not see why; low is below 60 of 100.
URGENT_BLOCKS = ("efficacy", "why", "change_efficacy")
LOW = 60
LOW_FACTOR = Decimal("1.25")


@dataclass(frozen=True)
class NeededFor:
    """A change needs this competency of a person: by when, and how much more urgent that makes a gap."""

    initiative_id: int
    title: str
    by: date
    factor: Decimal


def open_needs(day: date) -> QuerySet[Need]:
    """What changes under way need from this day on."""
    return Need.objects.filter(initiative__status=InitiativeStatus.PUBLISHED, by__gte=day)


def needed_of(
    person_ids: Sequence[int], day: date, held: Mapping[int, Mapping[int, int]] | None = None
) -> dict[int, dict[int, NeededFor]]:
    """By person and competency (in every edition of it); one query where no change needs anything, else eight at most.

    `held` are the ranks each person holds, by competency: of who holds what a change needs it needs nothing more. Without
    it everybody is named.
    """
    needs = list(open_needs(day).select_related("initiative__unit", "competency", "level").order_by("by", "pk"))
    if not needs:
        return {}
    lineages = _lineages(needs)
    editions: dict[UUID, list[int]] = defaultdict(list)
    wanted = {lineage for ranks in lineages.values() for lineage in ranks}
    for pk, lineage in Competency.objects.filter(lineage__in=wanted).values_list("pk", "lineage"):
        editions[lineage].append(pk)
    low = _low_units({need.initiative_id for need in needs})
    units: dict[int, set[tuple[str, str]]] = defaultdict(set)
    posts = Appointment.objects.current(day).filter(person_id__in=person_ids)
    for person_id, path, code in posts.values_list("person_id", "post__unit__path", "post__unit__code"):
        units[person_id].add((path, code))
    found: dict[int, dict[int, NeededFor]] = defaultdict(dict)
    for need in needs:
        soon = SOON_FACTOR if need.by <= day + SOON else Decimal(1)
        title = str(need.initiative.title)
        for person_id, places in units.items():
            here = [code for path, code in places if path.startswith(need.initiative.unit.path)]
            if not here:
                continue
            factor = soon * (LOW_FACTOR if any(code in low[need.initiative_id] for code in here) else 1)
            for lineage, rank in lineages[need.pk].items():
                for pk in editions[lineage]:
                    if held is not None and held.get(person_id, {}).get(pk, 0) >= rank:
                        continue
                    # Needs come by date: the first that names a competency is the one to meet.
                    found[person_id].setdefault(pk, NeededFor(need.initiative_id, title, need.by, factor))
    return found


def _lineages(needs: Sequence[Need]) -> dict[int, dict[UUID, int]]:
    """By need: the competencies it names, or those of the role it names, each with the rank it asks for; where no level is
    stated, any."""
    profiles = {need.profile_id for need in needs if need.profile_id}
    of_profile: dict[int, dict[UUID, int]] = defaultdict(dict)
    if profiles:
        rows = Requirement.objects.filter(profile_id__in=profiles)
        for profile_id, lineage, rank in rows.values_list("profile_id", "competency__lineage", "level__rank"):
            of_profile[profile_id][lineage] = max(rank or HELD_RANK, of_profile[profile_id].get(lineage, 0))
    return {
        need.pk: {need.competency.lineage: need.level.rank if need.level is not None else HELD_RANK}
        if need.competency is not None
        else of_profile[need.profile_id or 0]
        for need in needs
    }


def _low_units(initiative_ids: set[int]) -> dict[int, set[str]]:
    """By initiative: units in whose last result one of the urgent blocks is low, those counted above with them."""
    last: dict[int, int] = {}
    waves = Wave.objects.with_results().filter(initiative_id__in=initiative_ids).order_by("closes_at", "pk")
    for pk, initiative_id in waves.values_list("pk", "initiative_id"):
        last[initiative_id] = pk
    found: dict[int, set[str]] = defaultdict(set)
    if not last:
        return found
    low: dict[int, set[str]] = defaultdict(set)
    rows = NodeBlock.objects.filter(node__wave_id__in=last.values(), block__in=URGENT_BLOCKS)
    for wave_id, code, n, total in rows.values_list("node__wave_id", "node__code", "n", "sum"):
        if n and score_0_100(total / n) < LOW:
            low[wave_id].add(code)
    shown = WaveNode.objects.filter(wave_id__in=last.values()).exclude(shown_code="")
    at = {wave_id: initiative_id for initiative_id, wave_id in last.items()}
    for wave_id, code, stands_for in shown.values_list("wave_id", "code", "shown_code"):
        if stands_for in low[wave_id]:
            found[at[wave_id]].add(code)
    return found
