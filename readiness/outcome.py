"""What has come of an initiative: readiness from survey to survey, who was trained where, and whether the one goes with
the other. Answers are never joined to people: training meets them only in the sealed groups of a survey (promise P5).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.utils import timezone

from competencies.enums import EvidenceKind
from competencies.models import Evidence
from organisations.models import Appointment
from readiness.models import Initiative, NodeBlock, Wave, WaveNode
from readiness.questionnaire import block_codes, comparable
from readiness.results import POINTS_PER_STEP, NodeName, Result, name_of, results_for
from readiness.statistics.did import Effect, did, looked_at_together

TRAINING = (EvidenceKind.COURSE, EvidenceKind.CERTIFICATE)
# A unit counts as trained where at least so many in a hundred of its people learned what the change needs.
TRAINED_FROM_PCT = 50
COVERAGE_STEP = 5


@dataclass(frozen=True)
class Coverage:
    """How many in a hundred of a unit's people, at least k, were trained between two surveys, in steps of five."""

    node: NodeName
    people: int
    pct: int

    @property
    def is_trained(self) -> bool:
        return self.pct >= TRAINED_FROM_PCT


@dataclass(frozen=True)
class BlockOutcome:
    """A block over all surveys of the whole body, and what training did to it as far as that can be said.

    `effect`, `placebo`: in points of 100; None where there are fewer than three units a side.
    """

    code: str
    title: str
    points: tuple[tuple[date, int | None, int | None], ...]
    effect: Effect | None
    placebo: Effect | None


@dataclass(frozen=True)
class Outcome:
    # When each closed, which it was, and how many answered it.
    surveys: tuple[tuple[date, str, int], ...]
    blocks: tuple[BlockOutcome, ...]
    coverage: tuple[Coverage, ...]
    trained_units: int
    other_units: int
    needed: tuple[str, ...]
    # The survey up to which effects are told, where that is not the last one; whether there was one between.
    told_until: date | None = None
    has_placebo: bool = False

    @property
    def tells_nothing(self) -> bool:
        return not any(block.effect for block in self.blocks)


def outcome_of(initiative: Initiative) -> Outcome | None:
    """None before the first survey has closed."""
    waves = list(
        Wave.objects.with_results()
        .filter(initiative=initiative)
        .select_related("initiative", "previous", "unit")
        .order_by("closes_at", "pk")
    )
    if not waves:
        return None
    roots = {node.wave_id: node for node in WaveNode.objects.filter(wave__in=waves, parent_code="")}
    results = [results_for(wave, roots[wave.pk]) for wave in waves]
    first, last = waves[0], waves[-1]
    until, coverage, raw = _last_told(initiative, waves)
    effects = looked_at_together(raw)
    # Not corrected: a warning that the groups differed before may be given too often rather than too seldom.
    placebo = _effects(first, waves[1], coverage) if until not in waves[:2] else {}
    return Outcome(
        tuple(
            (result.closed_on, wave.get_kind_display(), result.n) for wave, result in zip(waves, results, strict=True)
        ),
        tuple(_block(code, results, effects, placebo) for code in _codes(waves)),
        coverage,
        sum(row.is_trained for row in coverage),
        sum(not row.is_trained for row in coverage),
        tuple(str(need) for need in initiative.needs.select_related("competency", "profile__role")),
        timezone.localdate(until.closes_at) if until != last else None,
        bool(placebo),
    )


def _last_told(
    initiative: Initiative, waves: Sequence[Wave]
) -> tuple[Wave, tuple[Coverage, ...], dict[str, Effect | None]]:
    """The last survey up to which something can be told of training, with who was trained until then; where of none it can,
    the last one. Few answers to a later survey do not undo what was seen before."""
    first, last = waves[0], waves[-1]
    if first == last:
        return last, (), {}
    found: dict[int, tuple[tuple[Coverage, ...], dict[str, Effect | None]]] = {}
    for wave in reversed(waves[1:]):
        coverage = coverage_of(initiative, first, wave)
        found[wave.pk] = coverage, _effects(first, wave, coverage)
        if any(found[wave.pk][1].values()):
            return wave, *found[wave.pk]
    return last, *found[last.pk]


def _codes(waves: Sequence[Wave]) -> list[str]:
    """All blocks that were ever asked, in the order of the fullest questionnaire."""
    fullest = max(waves, key=lambda wave: len(wave.questionnaire["blocks"]))
    return block_codes(fullest.questionnaire)


def _block(
    code: str,
    results: Sequence[Result],
    effects: Mapping[str, Effect | None],
    placebo: Mapping[str, Effect | None],
) -> BlockOutcome:
    figures = [(result.closed_on, result.figure(code)) for result in results]
    title = next((figure.title for _on, figure in reversed(figures) if figure is not None), code)
    points = tuple((on, figure.score if figure else None, figure.margin if figure else None) for on, figure in figures)
    return BlockOutcome(code, title, points, effects.get(code), placebo.get(code))


# --- Training --------------------------------------------------------------------------------------------------------
def units_compared(first: Wave, last: Wave) -> list[WaveNode]:
    """The smallest units with a figure of their own in both surveys; none lies in another, so they are apart."""
    before = set(first.nodes.filter(sheets__gt=0).values_list("code", flat=True))
    both = [node for node in last.nodes.filter(sheets__gt=0).order_by("position") if node.code in before]
    return [
        node for node, after in zip(both, [*both[1:], None], strict=True) if after is None or after.position > node.last
    ]


def coverage_of(initiative: Initiative, first: Wave, last: Wave) -> tuple[Coverage, ...]:
    """Training in each of these units: people with evidence of a needed competency gained between the two surveys."""
    units = units_compared(first, last)
    if not units:
        return ()
    positions = dict(last.nodes.values_list("code", "position"))
    lineages = needed_lineages(initiative)
    since, until = timezone.localdate(first.closes_at), timezone.localdate(last.closes_at)
    trained = set(
        Evidence.objects.standing()
        .filter(
            competency__lineage__in=lineages, kind__in=TRAINING, passed=True,
            occurred_on__gte=since, occurred_on__lte=until,
        )
        .values_list("person_id", flat=True)
    )  # fmt: skip
    held = Appointment.objects.current().filter(post__unit__path__startswith=last.unit.path, person__is_active=True)
    people: dict[int, set[int]] = defaultdict(set)
    for person_id, code in held.values_list("person_id", "post__unit__code"):
        people[positions.get(code, -1)].add(person_id)
    found = []
    for unit in units:
        ids = set().union(*(people[at] for at in range(unit.position, unit.last + 1) if at in people))
        if len(ids) >= last.k:
            found.append(Coverage(name_of(unit), len(ids), _pct(len(ids & trained), len(ids))))
    return tuple(found)


def _pct(part: int, whole: int) -> int:
    return int(part / whole * 100 / COVERAGE_STEP + 0.5) * COVERAGE_STEP


def needed_lineages(initiative: Initiative) -> set[UUID]:
    """The competencies the change needs, those of needed roles with them, by their lineage across editions."""
    found: set[UUID] = set()
    for need in initiative.needs.select_related("competency", "profile").prefetch_related(
        "profile__requirements__competency"
    ):
        if need.competency is not None:
            found.add(need.competency.lineage)
        elif need.profile is not None:
            found |= {requirement.competency.lineage for requirement in need.profile.requirements.all()}
    return found


# --- Effects ---------------------------------------------------------------------------------------------------------
def _effects(before: Wave, after: Wave, coverage: Sequence[Coverage]) -> dict[str, Effect | None]:
    """By block: the mean change of trained groups minus that of the others."""
    trained = {row.node.code for row in coverage if row.is_trained}
    others = {row.node.code for row in coverage} - trained
    found: dict[str, Effect | None] = {}
    for block, (old, new) in comparable(before.questionnaire, after.questionnaire).items():
        one, two = _means(before, old), _means(after, new)
        changes = {code: (two[code] - one[code]) * POINTS_PER_STEP for code in one.keys() & two.keys()}
        found[block] = did(
            [changes[code] for code in sorted(trained & changes.keys())],
            [changes[code] for code in sorted(others & changes.keys())],
        )
    return found


def _means(wave: Wave, block: str) -> dict[str, float]:
    rows = NodeBlock.objects.filter(node__wave=wave, block=block, node__sheets__gt=0)
    return {code: total / n for code, total, n in rows.values_list("node__code", "sum", "n")}
