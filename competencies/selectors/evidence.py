"""What is on record about people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import TextField
from django.db.models.functions import Cast

from competencies.enums import EvidenceKind, FrameworkStatus
from competencies.levels import EvidenceItem
from competencies.models import (
    Evidence,
)
from organisations.models import User


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
