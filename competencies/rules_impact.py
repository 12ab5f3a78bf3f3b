"""Whose level moves when a draft of the rules is published: measured before anybody presses the button.

Everybody's evidence is judged twice, by the rules in force and by the draft; nothing is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

from competencies.models import Rulebook
from competencies.rulemaking import rules_digest, supposing_rules
from competencies.selectors import Moving, levels_moving, people_with_evidence
from organisations.jobs import enqueue
from organisations.models import Job, User

RULES_IMPACT_JOB = "competencies.rules_impact"
BATCH = 1_000
# So many people's evidence is judged while the steward waits for the page.
AT_ONCE = 200
PEOPLE_KEPT = 500


def ask_for_rules_impact(*, rulebook: Rulebook, by: User, day: date) -> Job:
    """The job that measures the draft as it is now; asking again for the same draft on the same day asks once."""
    job = enqueue(
        kind=RULES_IMPACT_JOB,
        key=f"{rulebook.pk}:{rules_digest(rulebook)[:32]}:{day.isoformat()}",
        payload={"rulebook": rulebook.pk, "day": day.isoformat()},
        by=by,
        here=len(people_with_evidence()) <= AT_ONCE,
    )
    job.refresh_from_db()  # a small one has run by now
    return job


def measure_rules_impact(rulebook: Rulebook, *, day: date, progress: Callable[[int, int], None]) -> dict[str, Any]:
    """The report of the job: who goes up or down in which competency, and which requirements become met or unmet.

    `state` names the draft that was measured; publishing is refused when it is another one by then. As many queries a
    batch of people, however many people are in it.
    """
    state, supposing, people = rules_digest(rulebook), supposing_rules(rulebook), people_with_evidence()
    moving: list[Moving] = []
    for start in range(0, len(people), BATCH):
        moving += levels_moving(people[start : start + BATCH], supposing, as_of=day)
        progress(min(start + BATCH, len(people)), len(people))
    return {"state": state, "people": len(people), **summarise(moving)}


def becomes(row: Moving) -> int:
    """1 where a requirement becomes met, -1 where it becomes unmet, else 0."""
    if row.needed is None:
        return 0
    return int(row.after.rank >= row.needed) - int(row.before.rank >= row.needed)


def summarise(moving: list[Moving]) -> dict[str, Any]:
    """The figures of everybody, and person by person the rows of those for whom most changes, losses first."""
    up = {row.person_id for row in moving if row.after.rank > row.before.rank}
    down = {row.person_id for row in moving if row.after.rank < row.before.rank}
    steps = Counter((row.competency_id, row.before.rank, row.after.rank) for row in moving)
    by_person: dict[int, list[Moving]] = {}
    for row in moving:
        by_person.setdefault(row.person_id, []).append(row)

    def weight(person_id: int) -> tuple[int, int, int]:
        own = by_person[person_id]
        return sum(becomes(row) for row in own), sum(row.after.rank - row.before.rank for row in own), person_id

    return {
        "up": len(up),
        "down": len(down),
        "moved": len(by_person),
        "met": sum(becomes(row) > 0 for row in moving),
        "unmet": sum(becomes(row) < 0 for row in moving),
        "steps": [[*step, count] for step, count in sorted(steps.items(), key=lambda s: (-s[1], s[0]))],
        "rows": [
            [pk, [[row.competency_id, row.before.rank, row.after.rank, becomes(row)] for row in by_person[pk]]]
            for pk in sorted(by_person, key=weight)[:PEOPLE_KEPT]
        ],
    }
