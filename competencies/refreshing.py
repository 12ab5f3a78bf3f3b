"""Refresh notices: who holds a required level that lapses soon is told once for each piece and day, in one mail a night.

The desk shows what is due by itself; the rows here only keep anybody from being told twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from competencies.levels import attained_level
from competencies.models import RefreshNotice
from competencies.ruling import books_in_force
from competencies.selectors import Line, Standing, standings_of
from organisations import mails
from organisations.models import User

logger = logging.getLogger(__name__)

REFRESH_JOB = "competencies.refresh_notices"
# Notices and mails of so many people at a time: what a killed worker leaves without its mail.
BATCH = 200
MAIL = "competencies/mails/refresh_due"


@dataclass(frozen=True)
class Due:
    """A required competency whose level lapses soon: the piece that carries it, and the rank that counts afterwards."""

    line: Line
    evidence_id: int
    lapses_on: date
    rank_after: int

    @property
    def stays_met(self) -> bool:
        return self.rank_after >= self.line.required.rank_needed


def due_in(standings: Sequence[Standing]) -> dict[int, list[Due]]:
    """What is due for a refresh, by person, the soonest first. One query."""
    waiting = [(s, line) for s in standings for line in s.lines if line.level.refresh_due and line.level.basis]
    books = books_in_force({line.competency.version.framework_id for _s, line in waiting}) if waiting else {}
    found: dict[int, list[Due]] = {}
    for standing, line in waiting:
        basis = line.level.basis
        if basis is None or basis.lapses_on is None:
            continue
        items = [j.item for j in line.level.judged]
        rules = books[line.competency.version.framework_id].rules
        after = attained_level(items, as_of=basis.lapses_on, rules=rules)
        found.setdefault(standing.person_id, []).append(Due(line, basis.item.id, basis.lapses_on, after.rank))
    return {pk: sorted(rows, key=lambda d: (d.lapses_on, d.line.competency.pk)) for pk, rows in found.items()}


def notify_refresh_due(
    *, person_ids: Sequence[int], as_of: date, progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Tell everybody among these whose required level lapses soon, each piece of evidence once for each later day
    on which it lapses; returns the counts.

    The notices are written before the mails leave, so nobody is told twice even by a worker that was killed. A mail that
    the server refuses takes its notices back: it is tried again the next night. As many queries a batch of people,
    however many are in it.
    """
    people = sorted(set(person_ids))
    told = notices = failed = 0
    for start in range(0, len(people), BATCH):
        batch = people[start : start + BATCH]
        for person, dues in _note(batch, as_of):
            notices += len(dues)
            try:
                told += mails.send(person, MAIL, {"dues": dues, "count": len(dues)})
            except Exception:
                logger.exception("the notice of a refresh to person %s could not be sent", person.pk)
                failed += 1
                RefreshNotice.objects.filter(evidence_id__in=[due.evidence_id for due in dues]).delete()
        if progress is not None:
            progress(min(start + BATCH, len(people)), len(people))
    return {"people": len(people), "told": told, "notices": notices, "failed": failed}


@transaction.atomic
def _note(person_ids: Sequence[int], as_of: date) -> list[tuple[User, list[Due]]]:
    """Write the notices of a batch; returns whom to tell of what."""
    # The rows of the people are the lock: two runs look one after the other.
    people = {
        person.pk: person
        for person in User.objects.select_for_update(of=("self",)).active().filter(pk__in=person_ids).order_by("pk")
    }
    dues = due_in(list(standings_of(sorted(people), as_of=as_of).values()))
    wanted = {due.evidence_id for rows in dues.values() for due in rows}
    known = dict(RefreshNotice.objects.filter(evidence_id__in=wanted).values_list("evidence_id", "lapses_on"))
    # A piece that is carried on (a prop renewed, other rules) lapses later than was told. One piece may count for two
    # competencies whose rules differ: the latest day is kept, so that it is not told in turns.
    new = {
        pk: [due for due in rows if due.lapses_on > known.get(due.evidence_id, date.min)] for pk, rows in dues.items()
    }
    dates: dict[int, date] = {}
    for due in (due for rows in new.values() for due in rows):
        dates[due.evidence_id] = max(due.lapses_on, dates.get(due.evidence_id, date.min))
    moment = timezone.now()
    RefreshNotice.objects.bulk_create(
        [RefreshNotice(evidence_id=pk, lapses_on=day, noticed_at=moment) for pk, day in sorted(dates.items())],
        update_conflicts=True,
        unique_fields=["evidence"],
        update_fields=["lapses_on", "noticed_at"],
    )
    return [(people[pk], rows) for pk, rows in sorted(new.items()) if rows]
