"""What the jobs of a batch do: give, move and take away as the dry run said, and take that back again.

Two hundred rows are one transaction that locks their people in the order of their ids, so two batches at once wait for
each other and never for ever. A row that is done says so in that same transaction: what an interrupted job has done is
done, the next one goes on with the rest.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Model, OuterRef, Subquery
from django.utils import timezone
from wagtail.log_actions import log

from competencies.models import RoleAssignment, RoleProfile
from courses.selectors import offered_courses
from learning.asking import NotOffered
from learning.batches import rows_today
from learning.dry_run import CHANGING, uncollected, what_changed
from learning.enums import AssignmentKind, BatchStatus, EndReason, OnLeaving, PlanReason, RowOutcome, RowState
from learning.models import Assignment, AssignmentBatch, BatchRow
from learning.recurring import repeating, settle_periods
from learning.services import BATCH, replan_many
from organisations.models import User

Progress = Callable[[int, int], None]


def give(batch: AssignmentBatch, by: User | None, progress: Progress | None = None) -> AssignmentBatch:
    """Do what the dry run says; where the world is another one, do nothing and say so."""
    if batch.status != BatchStatus.APPLYING:
        return batch
    todo = batch.rows.filter(outcome__in=CHANGING)
    begun = todo.exclude(state=RowState.PLANNED).exists()
    if not begun and not _is_as_shown(batch, progress):
        return AssignmentBatch.objects.get(pk=batch.pk)
    if begun:  # whoever was interrupted may have given without planning
        interrupted = todo.filter(state=RowState.APPLIED).order_by("-number").values_list("person_id", flat=True)
        replan_many(person_ids=list(interrupted[:BATCH]), **_why(batch))
    _in_parts(todo.filter(state=RowState.PLANNED), lambda ids: _give_part(batch, ids, by), _why(batch), progress)
    return _finish(batch, BatchStatus.APPLYING, BatchStatus.APPLIED, "learning.assign", by)


def _is_as_shown(batch: AssignmentBatch, progress: Progress | None) -> bool:
    """Look at every row again; where one differs, the batch is stale and keeps what has changed."""
    try:
        with uncollected():
            rows, _repeated = rows_today(batch, _alive(progress))
            changed = what_changed(list(batch.rows.all()), rows)
    except NotOffered as refusal:
        changed = {"why": str(refusal)}
    if not changed:
        return True
    with transaction.atomic():
        batch = AssignmentBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
        if batch.status == BatchStatus.APPLYING:
            batch.status = BatchStatus.STALE
            batch.counts |= {"changed": changed}
            batch.save(update_fields=["status", "counts"])
    return False


def _alive(progress: Progress | None) -> Progress | None:
    """Looking again is no progress to show, but a sign of life."""
    return None if progress is None else lambda _done, total: progress(0, total)


def _why(batch: AssignmentBatch) -> dict[str, Any]:
    """What a path that this batch changes says it was planned anew for."""
    if batch.rule is not None:
        return {"reason": PlanReason.RULE, "about": batch.rule.title}
    return {"reason": PlanReason.ASSIGNMENT}


def _in_parts(
    todo: Any, act: Callable[[list[int]], list[int]], why: Mapping[str, Any], progress: Progress | None
) -> None:
    ids = list(todo.order_by("number").values_list("pk", flat=True))
    offered = offered_courses() if ids else {}
    for start in range(0, len(ids), BATCH):
        people = act(ids[start : start + BATCH])
        # What comes round has its periods before the path is planned; should this stop here, the daily look makes them.
        settle_periods(assignment_ids=repeating(people), day=timezone.localdate())
        replan_many(person_ids=people, offered=offered, **why)
        if progress is not None:
            progress(min(start + BATCH, len(ids)), len(ids))


def _lock(ids: Sequence[int], state: RowState) -> tuple[list[BatchRow], set[int]]:
    """The rows that still wait, and who of their people is active; the people are locked before the rows are looked at."""
    people = list(BatchRow.objects.filter(pk__in=ids).values_list("person_id", flat=True))
    locked = User.objects.select_for_update(of=("self",)).filter(pk__in=people).order_by("pk")
    active = {pk for pk, is_active in locked.values_list("pk", "is_active") if is_active}
    return list(BatchRow.objects.filter(pk__in=ids, state=state).order_by("number")), active


@transaction.atomic
def _give_part(batch: AssignmentBatch, ids: list[int], by: User | None) -> list[int]:
    """Up to two hundred rows; returns the people whose plans may be others now."""
    at = timezone.now()
    rows, active = _lock(ids, RowState.PLANNED)
    for row in rows:
        row.state = RowState.ALREADY if row.person_id in active else RowState.FAILED
    here = [row for row in rows if row.person_id in active]
    _give([row for row in here if row.outcome == RowOutcome.GAINS], batch, by, at)
    _move([row for row in here if row.outcome in (RowOutcome.MOVES, RowOutcome.BINDS)], batch, at)
    _take([row for row in rows if row.outcome == RowOutcome.LOSES], batch, at)
    _note(rows)
    given = [row.pk for row in here if row.outcome == RowOutcome.GAINS and row.state == RowState.APPLIED]
    own = Assignment.objects.filter(batch=batch, person=OuterRef("person")).values("pk")[:1]
    BatchRow.objects.filter(pk__in=given).update(assignment=Subquery(own))
    BatchRow.objects.bulk_update(
        [row for row in rows if row.outcome != RowOutcome.GAINS and row.state == RowState.APPLIED],
        ["assignment", "before"],
    )
    return [row.person_id for row in rows if row.state == RowState.APPLIED and row.person_id is not None]


def _note(rows: Iterable[BatchRow]) -> None:
    """Keep what has become of rows: a statement for each state, for a statement with a case for each row takes longer
    than all the rest."""
    _set_alike(BatchRow, rows, "state")


def _set_alike(model: type[Model], rows: Iterable[Any], *fields: str) -> None:
    """Keep these fields of rows, with one statement for all rows that have the same values."""
    alike: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for row in rows:
        alike[tuple(getattr(row, name) for name in fields)].append(row.pk)
    for values, ids in alike.items():
        model._default_manager.filter(pk__in=ids).update(**dict(zip(fields, values, strict=True)))


def _give(rows: list[BatchRow], batch: AssignmentBatch, by: User | None, at: datetime) -> None:
    """Whoever has it meanwhile keeps it as it is: the row then says so."""
    if not rows:
        return
    day = timezone.localdate(at)
    people = [row.person_id for row in rows if row.person_id is not None]
    roles = _give_roles(people, batch.profile, by, at) if batch.profile is not None else {}
    Assignment.objects.bulk_create(
        [
            Assignment(
                person_id=row.person_id or 0,
                kind=batch.kind,
                role_assignment=roles.get(row.person_id or 0),
                curated_path_id=batch.curated_path_id,
                course_key=batch.course_key,
                mandatory=batch.mandatory,
                note=batch.note,
                assigned_on=day,
                due_on=row.due_on,
                due_policy=batch.due_policy,
                repeat=batch.repeat,
                rule_id=batch.rule_id,
                batch=batch,
                job_id=batch.job_id,
            )
            for row in rows
            if batch.profile is None or row.person_id in roles
        ],
        ignore_conflicts=True,
    )
    given = _given_by(batch, people)
    for row in rows:
        if row.person_id in given:
            row.assignment_id, row.state = given[row.person_id], RowState.APPLIED


def _give_roles(
    people: Sequence[int], profile: RoleProfile, by: User | None, at: datetime
) -> dict[int, RoleAssignment]:
    """The roles given just now, by person: of those who have it open, in whatever edition, none."""
    day = timezone.localdate(at)
    held = set(
        RoleAssignment.objects.filter(
            person_id__in=people, profile__lineage=profile.lineage, ends_on__isnull=True
        ).values_list("person_id", flat=True)
    )
    RoleAssignment.objects.bulk_create(
        [
            RoleAssignment(person_id=pk, profile=profile, starts_on=day, assigned_by=by, assigned_at=at)
            for pk in people
            if pk not in held
        ],
        ignore_conflicts=True,
    )
    given = RoleAssignment.objects.filter(
        person_id__in=people, profile=profile, ends_on__isnull=True, assigned_at=at, assigned_by=by
    ).exclude(person_id__in=held)
    return {row.person_id: row for row in given}


def _move(rows: list[BatchRow], batch: AssignmentBatch, at: datetime) -> None:
    """Give the new date to those whose assignment is still as it was shown; keep what it was beside the row."""
    open_now = _open([row.assignment_id for row in rows])
    bare = _bare_roles([row for row in rows if row.assignment_id is None], batch)
    moved, made = [], []
    for row in rows:
        if row.assignment_id is None:
            role = bare.get(row.person_id or 0)
            if role is not None:
                made.append((row, role))
            continue
        assignment = open_now.get(row.assignment_id)
        if assignment is None or assignment.exempted_at is not None or assignment.due_on != row.due_before:
            continue
        row.before = {
            "assignment": assignment.pk,
            "due_on": _text(assignment.due_on),
            "due_policy": assignment.due_policy,
            "mandatory": assignment.mandatory,
            "note": assignment.note,
        }
        if row.outcome == RowOutcome.MOVES:
            assignment.due_on, assignment.due_policy = row.due_on, batch.due_policy
        if batch.mandatory and not assignment.mandatory:
            # Why it is asked of her now is what she is to read.
            assignment.mandatory, assignment.note = True, batch.note or assignment.note
        moved.append(assignment)
        row.state = RowState.APPLIED
    Assignment.objects.bulk_update(moved, ["due_on", "due_policy", "mandatory", "note"])
    # A role that somebody has without an assignment beside it gets one: there the date is kept.
    Assignment.objects.bulk_create(
        [
            Assignment(
                person_id=role.person_id,
                kind=AssignmentKind.ROLE,
                role_assignment=role,
                mandatory=batch.mandatory,
                note=batch.note,
                assigned_on=timezone.localdate(at),
                due_on=row.due_on,
                due_policy=batch.due_policy,
                repeat=batch.repeat,
                rule_id=batch.rule_id,
                batch=batch,
                job_id=batch.job_id,
            )
            for row, role in made
        ],
        ignore_conflicts=True,
    )
    given = _given_by(batch, [row.person_id for row, _role in made])
    for row, _role in made:
        if row.person_id in given:
            row.assignment_id, row.state = given[row.person_id], RowState.APPLIED
            row.before = {"assignment": None, "due_on": None, "due_policy": {}}


def _bare_roles(rows: list[BatchRow], batch: AssignmentBatch) -> dict[int, RoleAssignment]:
    """The open role of each of these people, as long as no assignment stands beside it."""
    if not rows or batch.profile is None:
        return {}
    found = RoleAssignment.objects.filter(
        person_id__in=[row.person_id for row in rows],
        profile__lineage=batch.profile.lineage,
        ends_on__isnull=True,
        assignment__isnull=True,
    )
    return {role.person_id: role for role in found.order_by("-pk")}


def _take(rows: list[BatchRow], batch: AssignmentBatch, at: datetime) -> None:
    """Do with the assignments of those who left what the rule says."""
    leaving = batch.rule.on_leaving if batch.rule is not None else OnLeaving.END
    day = timezone.localdate(at)
    open_now = _open([row.assignment_id for row in rows])
    changed, roles = [], []
    for row in rows:
        assignment = open_now.get(row.assignment_id or 0)
        if assignment is None or (batch.rule_id is not None and assignment.rule_id != batch.rule_id):
            continue
        role = assignment.role_assignment
        row.before = {
            "assignment": assignment.pk,
            "rule": assignment.rule_id,
            "role_ends_on": _text(role.ends_on) if role is not None else None,
        }
        row.state = RowState.APPLIED
        changed.append(assignment)
        if leaving == OnLeaving.KEEP:
            assignment.rule_id = None
            continue
        assignment.ended_on, assignment.end_reason = max(day, assignment.assigned_on), EndReason.LEFT_RULE
        assignment.archived = leaving == OnLeaving.ARCHIVE
        if role is not None and (role.ends_on is None or role.ends_on > day):
            role.ends_on = max(day, role.starts_on)
            roles.append(role)
    _set_alike(Assignment, changed, "rule_id", "ended_on", "end_reason", "archived")
    _set_alike(RoleAssignment, roles, "ends_on")


def _open(ids: Iterable[int | None]) -> dict[int, Assignment]:
    """Assignments that have not ended, locked, with their roles."""
    wanted = [pk for pk in ids if pk is not None]
    if not wanted:
        return {}
    rows = Assignment.objects.select_for_update(of=("self",)).filter(pk__in=wanted, ended_on__isnull=True)
    return {row.pk: row for row in rows.select_related("role_assignment").order_by("pk")}


def _given_by(batch: AssignmentBatch, people: Iterable[int | None]) -> dict[int, int]:
    rows = Assignment.objects.filter(batch=batch, person_id__in=[pk for pk in people if pk is not None])
    return dict(rows.values_list("person_id", "pk"))


def _text(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


# --- Taking back -----------------------------------------------------------------------------------------------------
def take_back(batch: AssignmentBatch, by: User | None, progress: Progress | None = None) -> AssignmentBatch:
    """Restore what was there before the batch; what somebody has changed since stays as it is and its row says so."""
    if batch.status != BatchStatus.UNDOING:
        return batch
    done = batch.rows.filter(state__in=(RowState.RESTORED, RowState.KEPT), outcome__in=CHANGING)
    why: dict[str, Any] = {"reason": PlanReason.TAKEN_BACK}
    replan_many(person_ids=list(done.order_by("-number").values_list("person_id", flat=True)[:BATCH]), **why)
    todo = batch.rows.filter(outcome__in=CHANGING, state=RowState.APPLIED)
    _in_parts(todo, lambda ids: _take_back_part(batch, ids), why, progress)
    return _finish(batch, BatchStatus.UNDOING, BatchStatus.UNDONE, "learning.undo", by)


@transaction.atomic
def _take_back_part(batch: AssignmentBatch, ids: list[int]) -> list[int]:
    at = timezone.now()
    rows, _active = _lock(ids, RowState.APPLIED)
    for row in rows:
        row.state = RowState.KEPT
    found = {
        row.pk: row
        for row in Assignment.objects.select_for_update(of=("self",))
        .filter(pk__in=[row.assignment_id for row in rows if row.assignment_id is not None])
        .select_related("role_assignment")
        .order_by("pk")
    }
    pairs = [(row, found[row.assignment_id]) for row in rows if row.assignment_id in found]
    _end([pair for pair in pairs if pair[0].outcome == RowOutcome.GAINS], timezone.localdate(at))
    _move_back([pair for pair in pairs if pair[0].outcome in (RowOutcome.MOVES, RowOutcome.BINDS)], batch)
    _bring_back([pair for pair in pairs if pair[0].outcome == RowOutcome.LOSES], batch)
    _note(rows)
    return [row.person_id for row in rows if row.state == RowState.RESTORED and row.person_id is not None]


Pairs = list[tuple[BatchRow, Assignment]]


def _is_untouched(row: BatchRow, assignment: Assignment) -> bool:
    """Whether it stands as the batch left it: neither ended nor exempt, nor another date (an extension, leave, an officer)."""
    return assignment.ended_on is None and assignment.exempted_at is None and assignment.due_on == row.due_on


def _end(pairs: Pairs, day: date) -> None:
    """What was given ends. A role given and taken back on one day was never in force: it ends on the day it began."""
    ended, roles = [], []
    for row, assignment in pairs:
        role = assignment.role_assignment
        if not _is_untouched(row, assignment) or (role is not None and role.ends_on is not None):
            continue
        assignment.ended_on, assignment.end_reason = max(day, assignment.assigned_on), EndReason.UNDONE
        ended.append(assignment)
        if role is not None:
            role.ends_on = max(day, role.starts_on)
            roles.append(role)
        row.state = RowState.RESTORED
    _set_alike(Assignment, ended, "ended_on", "end_reason")
    _set_alike(RoleAssignment, roles, "ends_on")


def _move_back(pairs: Pairs, batch: AssignmentBatch) -> None:
    changed = []
    for row, assignment in pairs:
        left_as = batch.due_policy if row.outcome == RowOutcome.MOVES else row.before["due_policy"]
        if not _is_untouched(row, assignment) or assignment.due_policy != left_as:
            continue
        assignment.due_on, assignment.due_policy = _day(row.before["due_on"]), row.before["due_policy"]
        # Rows of before there was anything to say of it have neither.
        assignment.mandatory = row.before.get("mandatory", assignment.mandatory)
        assignment.note = row.before.get("note", assignment.note)
        changed.append(assignment)
        row.state = RowState.RESTORED
    Assignment.objects.bulk_update(changed, ["due_on", "due_policy", "mandatory", "note"])


def _bring_back(pairs: Pairs, batch: AssignmentBatch) -> None:
    """What a rule took away comes back, unless somebody has given it again or changed it since."""
    again = _open_beside(pairs)
    changed, roles = [], []
    for row, assignment in pairs:
        role = assignment.role_assignment
        kept = assignment.ended_on is None  # the rule only let go of it
        if kept and (assignment.rule_id is not None or assignment.exempted_at is not None):
            continue
        if not kept and (assignment.end_reason != EndReason.LEFT_RULE or row.person_id in again):
            continue
        assignment.rule_id = row.before["rule"]
        if not kept:
            assignment.ended_on, assignment.end_reason, assignment.archived = None, "", False
            if role is not None:
                role.ends_on = _day(row.before["role_ends_on"])
                roles.append(role)
        changed.append(assignment)
        row.state = RowState.RESTORED
    _set_alike(Assignment, changed, "rule_id", "ended_on", "end_reason", "archived")
    _set_alike(RoleAssignment, roles, "ends_on")


def _open_beside(pairs: Pairs) -> set[int]:
    """Who of these people has the same thing open by now, in another assignment or as a role of her own."""
    if not pairs:
        return set()
    people = [assignment.person_id for _row, assignment in pairs]
    first = pairs[0][1]
    if first.role_assignment is not None:
        lineage = first.role_assignment.profile.lineage
        rows = RoleAssignment.objects.filter(person_id__in=people, profile__lineage=lineage, ends_on__isnull=True)
        return set(rows.values_list("person_id", flat=True))
    same = Assignment.objects.filter(
        person_id__in=people,
        kind=first.kind,
        curated_path_id=first.curated_path_id,
        course_key=first.course_key,
        ended_on__isnull=True,
    )
    return set(same.values_list("person_id", flat=True))


def _finish(
    batch: AssignmentBatch, working: BatchStatus, done: BatchStatus, action: str, by: User | None
) -> AssignmentBatch:
    with transaction.atomic():
        batch = AssignmentBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
        if batch.status != working:
            return batch
        states = Counter(batch.rows.filter(outcome__in=CHANGING).order_by().values_list("state", flat=True))
        batch.counts |= {"states": {state.value: states[state.value] for state in RowState}}
        batch.status = done
        if done == BatchStatus.APPLIED:
            batch.applied_at = timezone.now()
        else:
            batch.undone_at = timezone.now()
        batch.save(update_fields=["counts", "status", "applied_at", "undone_at"])
        log(instance=batch, action=action, user=by, data=batch.counts["states"])
    return batch
