"""Due dates as they stand: worked out again from policies, facts and leave whenever one of them changes.

There is one answer to "what is it today" (`due_dates.date_today`), so it does not matter what happened, in which order,
or how often somebody asks: leave entered moves a date, leave taken away moves it back to the very day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from wagtail.log_actions import log

from competencies.selectors import standings_of
from courses.models import Enrolment
from courses.selectors import offered_courses
from learning.curated import published_stages
from learning.due_dates import (
    AFTER_START_IN_POST,
    AFTER_STEP,
    BEFORE_CERTIFICATION_ENDS,
    FIXED,
    NONE,
    DueFacts,
    DuePolicy,
    PolicyRefused,
    date_today,
    paused,
    read_policy,
    unpaused,
    write_policy,
)
from learning.enums import AssignmentKind
from learning.models import Assignment, LearningPeriod
from organisations.models import Appointment, Leave, User

BATCH = 200
Leaves = Mapping[int, Sequence[tuple[date, date]]]


# --- Writing ---------------------------------------------------------------------------------------------------------
def settle_due_dates(
    *, person_ids: Iterable[int], day: date | None = None, progress: Callable[[int, int], None] | None = None
) -> set[int]:
    """Bring the due dates of what these people are asked for up to date; returns whose dates moved.

    Twice is once. Whoever calls it plans again for those it returns. Periods that have begun keep their dates.
    """
    today = day or timezone.localdate()
    ids = sorted(set(person_ids))
    found: set[int] = set()
    for start in range(0, len(ids), BATCH):
        found |= _settle_batch(ids[start : start + BATCH], today)
        if progress is not None:
            progress(min(start + BATCH, len(ids)), 2 * len(ids))  # planning follows
    return found


@transaction.atomic
def _settle_batch(ids: Sequence[int], day: date) -> set[int]:
    lock_people(ids)
    rows = list(
        Assignment.objects.current(day)
        .select_for_update(of=("self",))
        .filter(~Exists(LearningPeriod.objects.filter(assignment=OuterRef("pk"))), person_id__in=ids)
        .select_related("role_assignment__profile")
        .order_by("pk")
    )
    policies = {row.pk: policy for row in rows if (policy := policy_of(row)) is not None}
    rows = [row for row in rows if row.pk in policies]
    if not rows:
        return set()
    leaves = all_leave_of(ids)
    facts = due_facts(rows, policies, day)
    changed = []
    for row in rows:
        due_on = date_today(policies[row.pk], facts[row.pk], leaves.get(row.person_id, ()))
        # A date once known stays when what it hung on is gone: somebody left the post, a certification has lapsed.
        if due_on is None or due_on == row.due_on:
            continue
        log(instance=row, action="learning.move_due_date", data={"from": _text(row.due_on), "to": due_on.isoformat()})
        row.due_on, row.due_policy = due_on, write_policy(policies[row.pk])
        changed.append(row)
    Assignment.objects.bulk_update(changed, ["due_on", "due_policy"])
    return {row.person_id for row in changed}


def fix_due_date(assignment: Assignment, due_on: date) -> None:
    """Give a locked assignment this date, whatever it hung on before.

    What is said is what is due: leave known today is reckoned in. Leave that comes later moves the date on, leave that
    is taken away moves it back.
    """
    leaves = all_leave_of([assignment.person_id]).get(assignment.person_id, ())
    base = unpaused(due_on, from_on=assignment.assigned_on, leaves=leaves)
    assignment.due_policy = write_policy(DuePolicy(FIXED, on=base))
    assignment.due_on = paused(base, from_on=assignment.assigned_on, leaves=leaves)
    assignment.save(update_fields=["due_on", "due_policy"])


def lock_people(ids: Iterable[int]) -> None:
    """Their rows are the lock, always taken first and in the order of ids, as plans take it."""
    list(User.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk").values_list("pk"))


# --- Reading ---------------------------------------------------------------------------------------------------------
def policy_of(assignment: Assignment) -> DuePolicy | None:
    """Where its date comes from; None where there is no date, nor will be one.

    A date without a policy (from before there were policies) is the date as it was set.
    """
    try:
        policy = read_policy(assignment.due_policy) if assignment.due_policy else DuePolicy()
    except PolicyRefused:
        return None
    if policy.kind != NONE:
        return policy
    return DuePolicy(FIXED, on=assignment.due_on) if assignment.due_on is not None else None


def all_leave_of(person_ids: Iterable[int]) -> dict[int, list[tuple[date, date]]]:
    """Leave of each person, also what is over: it has moved dates. One query."""
    found: dict[int, list[tuple[date, date]]] = defaultdict(list)
    rows = Leave.objects.filter(person_id__in=list(person_ids)).order_by("starts_on", "pk")
    for person_id, starts_on, ends_on in rows.values_list("person_id", "starts_on", "ends_on"):
        found[person_id].append((starts_on, ends_on))
    return dict(found)


def due_facts(rows: Sequence[Assignment], policies: Mapping[int, DuePolicy], day: date) -> dict[int, DueFacts]:
    """What the dates of these assignments hang on. As many queries for one as for many, none for what none hangs on."""
    by_kind: dict[str, list[Assignment]] = defaultdict(list)
    for row in rows:
        by_kind[policies[row.pk].kind].append(row)
    started: dict[int, date] = {}
    if starting := by_kind[AFTER_START_IN_POST]:
        people = {row.person_id for row in starting}
        held = Appointment.objects.current(day).filter(person_id__in=people).order_by("starts_on")
        started = dict(held.values_list("person_id", "starts_on"))  # of several posts the one she came to last
    completed: dict[int, dict[str, date]] = defaultdict(dict)
    if waiting := by_kind[AFTER_STEP]:
        passed = (
            Enrolment.objects.completed()
            .filter(
                person_id__in={row.person_id for row in waiting},
                course__key__in={policies[row.pk].course_key for row in waiting},
            )
            .order_by("completed_at")
            .values_list("person_id", "course__key", "completed_at")
        )
        for person_id, key, at in passed:
            completed[person_id].setdefault(key, timezone.localdate(at))
    ends = certification_ends(by_kind[BEFORE_CERTIFICATION_ENDS], day)
    return {
        row.pk: DueFacts(
            row.assigned_on, started.get(row.person_id), completed.get(row.person_id, {}), ends.get(row.pk)
        )
        for row in rows
    }


def certification_ends(rows: Sequence[Assignment], day: date) -> dict[int, date]:
    """By assignment: the first day on which a level that what it asks for leads to no longer counts."""
    if not rows:
        return {}
    standings = standings_of(sorted({row.person_id for row in rows}), as_of=day)
    offered = offered_courses() if any(row.kind != AssignmentKind.ROLE for row in rows) else {}
    stages = published_stages({row.curated_path_id for row in rows if row.curated_path_id is not None})
    found = {}
    for row in rows:
        standing = standings[row.person_id]
        if row.role_assignment is not None:
            lineage = row.role_assignment.profile.lineage
            profiles = [profile.pk for profile in standing.profiles if profile.lineage == lineage]
            about = {required.competency_id for pk in profiles for required in standing.asked.get(pk, ())}
        else:
            keys = [row.course_key] if row.course_key else []
            keys += [key for stage in stages.get(row.curated_path_id or 0, ()) for key in stage.keys]
            about = {pk for key in keys if key in offered for pk, _rank in offered[key].outcomes}
        ends = [standing.levels[pk].lapses_on for pk in about if pk in standing.levels]
        dates = [end for end in ends if end is not None]
        if dates:
            found[row.pk] = min(dates)
    return found


def _text(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None
