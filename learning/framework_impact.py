"""What publishing an edition would do to people: levels, gaps and paths, before anybody presses the button.

Everything is computed twice from the same records, as things are and as if the draft were in force; nothing is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from competencies.lifecycle import state_digest, supposing_published
from competencies.models import Evidence, FrameworkVersion, RoleProfile
from competencies.selectors import NOTHING_SUPPOSED, Standing, Supposing, holders_of_version, standings_of
from courses.models import CourseOutcome
from courses.selectors import OfferedCourse, offered_courses
from learning.inputs import Shelf, read_inputs, solve
from learning.planning import Plan
from learning.services import BATCH
from organisations.jobs import enqueue
from organisations.models import Job, User

IMPACT_JOB = "learning.framework_impact"
ROWS_KEPT = 500


@dataclass(frozen=True)
class Side:
    """Where a person stands and what her path costs, on one side of the change. `missing` counts levels, over all gaps."""

    met: int
    total: int
    missing: int
    steps: tuple[str, ...]
    minutes: int


@dataclass(frozen=True)
class Affected:
    person_id: int
    before: Side
    after: Side

    @property
    def changes(self) -> bool:
        return self.before != self.after

    @property
    def weight(self) -> tuple[int, int]:
        """What is shown first: who has most more to reach, then whose path grows most."""
        return self.after.missing - self.before.missing, self.after.minutes - self.before.minutes


def ask_for_impact(*, version: FrameworkVersion, by: User, day: date) -> Job:
    """The job that computes it for the draft as it is now; asking again for the same draft on the same day asks once."""
    job = enqueue(
        kind=IMPACT_JOB,
        key=f"{version.pk}:{state_digest(version)[:32]}:{day.isoformat()}",
        payload={"version": version.pk, "day": day.isoformat()},
        by=by,
        here=len(holders_of_version(version.previous, day)) <= BATCH if version.previous is not None else True,
    )
    job.refresh_from_db()  # a small one has run by now
    return job


def measure_impact(version: FrameworkVersion, *, day: date, progress: Callable[[int, int], None]) -> dict[str, Any]:
    """The report of the job: who is affected and how. Queries grow with batches of people.

    `state` names the draft that was measured; publishing it is refused when it is another one by then.
    """
    state = state_digest(version)
    supposing = supposing_published(version)
    people = holders_of_version(version.previous, day) if version.previous is not None else []
    offers = (offered_courses(), offered_courses(supposing))
    affected: list[Affected] = []
    for start in range(0, len(people), BATCH):
        affected += _compare(people[start : start + BATCH], day, supposing, offers)
        progress(min(start + BATCH, len(people)), len(people))
    changed = sorted(
        (row for row in affected if row.changes), key=lambda row: (*(-n for n in row.weight), row.person_id)
    )
    return {
        "state": state,
        "people": len(people),
        "changed": len(changed),
        "more_missing": sum(1 for row in affected if row.weight[0] > 0),
        "less_missing": sum(1 for row in affected if row.weight[0] < 0),
        "paths_changed": sum(1 for row in affected if set(row.before.steps) != set(row.after.steps)),
        "minutes_before": sum(row.before.minutes for row in affected),
        "minutes_after": sum(row.after.minutes for row in affected),
        "rows": [_as_row(row) for row in changed[:ROWS_KEPT]],
        "roles_withdrawn": _withdrawn_roles(version, people, day),
        "evidence_withdrawn": _withdrawn_evidence(version),
        "courses": _courses_to_review(version),
    }


def _compare(
    ids: Sequence[int],
    day: date,
    supposing: Supposing,
    offers: tuple[dict[str, OfferedCourse], dict[str, OfferedCourse]],
) -> list[Affected]:
    sides = []
    for supposed, offered in ((NOTHING_SUPPOSED, offers[0]), (supposing, offers[1])):
        inputs = read_inputs(ids, day=day, supposing=supposed)
        shelf = Shelf(offered)
        sides.append({pk: _side(inputs[pk].standing, solve(inputs[pk], shelf)) for pk in ids})
    return [Affected(pk, sides[0][pk], sides[1][pk]) for pk in ids]


def _side(standing: Standing, plan: Plan) -> Side:
    missing = sum(gap.size for gap in standing.gaps)
    return Side(standing.met, standing.total, missing, tuple(step.key for step in plan.steps), plan.effort_minutes)


def _as_row(row: Affected) -> list[Any]:
    return [
        row.person_id,
        *([side.met, side.total, len(side.steps), side.minutes, side.missing] for side in (row.before, row.after)),
        sorted(set(row.after.steps) - set(row.before.steps)),
        sorted(set(row.before.steps) - set(row.after.steps)),
    ]


def _withdrawn_roles(version: FrameworkVersion, people: Sequence[int], day: date) -> list[list[int]]:
    """Profiles without successor that somebody has: they go on counting as they are until HR decides."""
    gone = set(version.profile_successions.filter(new=None).values_list("old_id", flat=True))
    if not gone:
        return []
    held: Counter[int] = Counter()
    for start in range(0, len(people), BATCH):
        for standing in standings_of(people[start : start + BATCH], as_of=day).values():
            held.update(profile.pk for profile in standing.profiles if profile.pk in gone)
    order = RoleProfile.objects.filter(pk__in=held).order_by("role__position", "position").values_list("pk", flat=True)
    return [[pk, held[pk]] for pk in order]


def _withdrawn_evidence(version: FrameworkVersion) -> list[list[int]]:
    """Competencies without successor for which there is evidence, and of how many people: it stays and is readable."""
    lineages = dict(version.competency_successions.filter(new=None).values_list("old__lineage", "old_id"))
    people: dict[Any, set[int]] = {}
    rows = Evidence.objects.standing().filter(competency__lineage__in=lineages)
    for lineage, person_id in rows.values_list("competency__lineage", "person_id").distinct():
        people.setdefault(lineage, set()).add(person_id)
    return sorted(([lineages[lineage], len(ids)] for lineage, ids in people.items()), key=lambda row: (-row[1], row[0]))


def _courses_to_review(version: FrameworkVersion) -> list[list[Any]]:
    """Live courses that lead to a withdrawn competency: [course id, competency ids]."""
    lineages = dict(version.competency_successions.filter(new=None).values_list("old__lineage", "old_id"))
    found: dict[int, list[int]] = {}
    outcomes = CourseOutcome.objects.filter(competency__lineage__in=lineages, course__live=True).order_by("course_id")
    for course_id, lineage in outcomes.values_list("course_id", "competency__lineage"):
        found.setdefault(course_id, []).append(lineages[lineage])
    return [[course_id, ids] for course_id, ids in found.items()]
