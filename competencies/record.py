"""What is on record about one person: every piece of evidence by competency, with what it counts for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from competencies.levels import Judged, Verdict
from competencies.models import Competency, Evidence
from competencies.selectors import Scale, competencies_in_force, scales_of, standing_of
from organisations.models import User


@dataclass(frozen=True)
class Piece:
    """A piece of evidence, and what the rules make of it today (None where it was withdrawn or counts nowhere)."""

    row: Evidence
    scale: Scale
    judged: Judged | None

    @property
    def is_withdrawn(self) -> bool:
        return hasattr(self.row, "withdrawal")

    @property
    def state(self) -> str:
        """The kind of mark beside it, an element of the design: done, info, neutral."""
        if self.is_withdrawn or self.judged is None:
            return "neutral"
        return {Verdict.ATTAINS: "done", Verdict.COUNTS: "info"}.get(self.judged.verdict, "neutral")


@dataclass(frozen=True)
class Recorded:
    """A competency as it is in force, with its evidence, the newest first."""

    competency: Competency
    pieces: list[Piece] = field(default_factory=list)


def record_of(person: User, *, as_of: date | None = None) -> list[Recorded]:
    """Everything there is about a person, withdrawn pieces too; competencies by their framework and name.

    As many queries for a thousand pieces as for one.
    """
    rows = list(
        Evidence.objects.filter(person=person)
        .select_related("competency__version__framework", "recorded_by", "withdrawal")
        .order_by("-occurred_on", "-pk")
    )
    in_force = competencies_in_force({row.competency_id for row in rows})
    competencies = {row.competency_id: row.competency for row in rows}
    later = set(in_force.values()) - competencies.keys()
    if later:
        competencies |= Competency.objects.select_related("version__framework").in_bulk(later)
    scales = scales_of({row.competency.version_id for row in rows})
    judged: dict[int, dict[int, Judged]] = defaultdict(dict)
    for competency_id, level in standing_of(person, as_of=as_of).levels.items():
        judged[competency_id] = {j.item.id: j for j in level.judged}
    found: dict[int, Recorded] = {}
    for row in rows:
        counts_for = in_force.get(row.competency_id, row.competency_id)
        verdict = judged[counts_for].get(row.pk) or judged[row.competency_id].get(row.pk)
        recorded = found.setdefault(counts_for, Recorded(competencies[counts_for]))
        recorded.pieces.append(Piece(row, scales[row.competency.version_id], verdict))
    return sorted(
        found.values(),
        key=lambda recorded: (
            recorded.competency.version.framework_id,
            str(recorded.competency).casefold(),
            recorded.competency.pk,
        ),
    )
