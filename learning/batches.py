"""Assigning in batches: a dry run first, then just that, and the way back for a week.

`start_batch` writes what was asked and has it counted; `apply_batch` and `undo_batch` hand the work to a job
(learning/batch_jobs.py). Each of them pressed twice counts once: the row of the batch is the lock, its status the memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext as _

from learning.asking import Ask, ask_of, count_meant, resolve, thing_of, write_repeat, write_whom
from learning.dry_run import CHANGING, counts_of, digest_of, rows_of_ask, uncollected
from learning.due_dates import write_policy
from learning.enums import ASSIGN_JOB, DRY_RUN_JOB, UNDO_DAYS, UNDO_JOB, BatchStatus, RowState
from learning.models import Assignment, AssignmentBatch, BatchRow, CuratedPath
from learning.outlook import courses_for
from organisations.enums import JobState
from organisations.jobs import enqueue
from organisations.models import User

# Up to so many people the dry run is made while the officer waits.
COUNTED_HERE = 500
WORKING = (BatchStatus.COUNTING, BatchStatus.APPLYING, BatchStatus.UNDOING)


class CannotBeChanged(Exception):
    """What was asked of a batch is not possible as it stands. The message is a sentence for people."""


def start_batch(
    *,
    officer: User | None,
    ask: Ask,
    token: str,
    losing: Sequence[Assignment] = (),
    here: bool | None = None,
    at: datetime | None = None,
) -> AssignmentBatch:
    """Write down what is asked and have the dry run made; the same press (`token`) gives the same batch.

    `officer` None is the calendar at work on a rule; `losing` are assignments of people who have left its scope. A dry
    run of few people is made before this returns (at the latest when the transaction around it commits), that of many
    by the worker; `here` decides it otherwise. Raises NotOffered where the thing cannot be assigned.
    """
    day = timezone.localdate(at) if at else timezone.localdate()
    thing_of(ask, officer)
    with transaction.atomic():
        batch, created = AssignmentBatch.objects.get_or_create(
            token=f"{officer.pk if officer else 0}:{token}"[:80],
            defaults={
                "kind": ask.kind,
                "profile_id": ask.profile_id,
                "curated_path_id": ask.curated_path_id,
                "course_key": ask.course_key,
                "mandatory": ask.mandatory,
                "note": ask.note,
                "whom": write_whom(ask.whom) | ({"losing": sorted(a.pk for a in losing)} if losing else {}),
                "due_policy": write_policy(ask.due_policy),
                "repeat": write_repeat(ask.repeat),
                "existing": ask.existing,
                "rule_id": ask.whom.rule_id,
                "created_by": officer,
            },
        )
        if created:
            if here is None:
                here = count_meant(officer, ask.whom, day) <= COUNTED_HERE
            batch.job = enqueue(kind=DRY_RUN_JOB, key=str(batch.pk), payload={"batch": batch.pk}, by=officer, here=here)
            batch.save(update_fields=["job"])
    batch.refresh_from_db()
    return batch


def start_again(*, batch: AssignmentBatch, by: User, token: str) -> AssignmentBatch:
    """The same ask once more, for a dry run of today: what an officer does when the world has changed."""
    losing = losing_of(batch)
    return start_batch(officer=by, ask=ask_of(batch), token=token, losing=losing)


def losing_of(batch: AssignmentBatch) -> list[Assignment]:
    """Assignments that a batch of a rule takes away, as far as they are still open, by the name of the person."""
    ids = batch.whom.get("losing", [])
    if not ids:
        return []
    rows = Assignment.objects.filter(pk__in=ids, ended_on__isnull=True).select_related("person")
    return sorted(rows, key=lambda a: (a.person.name.casefold(), a.pk))


def rows_today(
    batch: AssignmentBatch, progress: Callable[[int, int], None] | None = None
) -> tuple[list[BatchRow], int]:
    """The rows the batch would have if it were counted now, unsaved, and how many lines are repeated.

    Raises NotOffered where the thing can no longer be assigned.
    """
    ask, day = ask_of(batch), timezone.localdate()
    thing = thing_of(ask, batch.created_by)
    resolved = resolve(batch.created_by, ask.whom, day)
    rows = rows_of_ask(
        ask=ask,
        thing=thing,
        resolved=resolved,
        losing=losing_of(batch),
        batch_id=batch.pk,
        day=day,
        progress=progress,
    )
    return rows, resolved.repeated


def count_batch(batch: AssignmentBatch, progress: Callable[[int, int], None] | None = None) -> AssignmentBatch:
    """Make the rows of the dry run. Nothing but the batch and its rows is written; doing it again makes them anew."""
    with uncollected():
        return _count(batch, progress)


def _count(batch: AssignmentBatch, progress: Callable[[int, int], None] | None) -> AssignmentBatch:
    rows, repeated = rows_today(batch, progress)
    with transaction.atomic():
        batch = AssignmentBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
        if batch.status != BatchStatus.COUNTING:
            return batch
        batch.rows.all().delete()
        BatchRow.objects.bulk_create(rows, batch_size=500)
        batch.counts = counts_of(rows, repeated) | courses_for(thing_of(ask_of(batch), batch.created_by))
        batch.digest = digest_of(rows)
        batch.counted_at = timezone.now()
        batch.status = BatchStatus.READY
        batch.save(update_fields=["counts", "digest", "counted_at", "status"])
    return batch


def apply_batch(*, batch: AssignmentBatch, by: User | None) -> AssignmentBatch:
    """Have the dry run done as it was shown. Pressed twice it is done once; one that stopped half-way goes on.

    The job looks at the world again first: where it is another one, nothing is written and the batch is STALE.
    Raises CannotBeChanged while it is counted, or when it is stale, taken back or has nothing to do.
    """
    with transaction.atomic():
        batch = _locked(batch)
        if batch.status in (BatchStatus.APPLYING, BatchStatus.APPLIED):
            return batch
        if not can_apply(batch):
            raise CannotBeChanged(_why_not_apply(batch))
        if batch.curated_path_id is not None:
            # The row is the lock against archive_path: it finds this batch being applied, or we find the path put away.
            path = CuratedPath.objects.select_for_update(of=("self",)).get(pk=batch.curated_path_id)
            if path.archived_at is not None:
                raise CannotBeChanged(_("This path was put away. Bring it back, then make a new dry run."))
        batch.status = BatchStatus.APPLYING
        batch.job = enqueue(kind=ASSIGN_JOB, key=_key(batch), payload={"batch": batch.pk}, by=by)
        batch.save(update_fields=["status", "job"])
    batch.refresh_from_db()
    return batch


def can_apply(batch: AssignmentBatch) -> bool:
    if batch.status == BatchStatus.FAILED:
        return batch.counted_at is not None and batch.undone_by_id is None and has_changes(batch)
    return batch.status == BatchStatus.READY and has_changes(batch)


def has_changes(batch: AssignmentBatch) -> bool:
    """Whether there is anybody to whom it does something."""
    return any(batch.counts.get(outcome.value) for outcome in CHANGING)


def _why_not_apply(batch: AssignmentBatch) -> str:
    if batch.status == BatchStatus.COUNTING:
        return _("The dry run is not ready yet. Wait for it, then look at it.")
    if batch.status == BatchStatus.STALE:
        return _("The world has changed since this dry run. Make a new one and look at it.")
    if batch.status in (BatchStatus.UNDOING, BatchStatus.UNDONE):
        return _("This assignment was taken back. Make a new dry run to assign it again.")
    return _("There is nobody to assign it to.")


def undo_batch(*, batch: AssignmentBatch, by: User | None) -> AssignmentBatch:
    """Have what a batch did taken back, for UNDO_DAYS. Pressed twice it is done once.

    What was there comes back; what somebody has changed since is kept and listed. Raises CannotBeChanged otherwise.
    """
    with transaction.atomic():
        batch = _locked(batch)
        if batch.status in (BatchStatus.UNDOING, BatchStatus.UNDONE):
            return batch
        if not can_undo(batch):
            if batch.applied_at is not None:
                raise CannotBeChanged(
                    _("An assignment can be taken back for %(days)s days. That time is over.") % {"days": UNDO_DAYS}
                )
            raise CannotBeChanged(_("Nothing was assigned, so there is nothing to take back."))
        batch.status = BatchStatus.UNDOING
        batch.undone_by = by
        batch.job = enqueue(kind=UNDO_JOB, key=_key(batch), payload={"batch": batch.pk}, by=by)
        batch.save(update_fields=["status", "undone_by", "job"])
    batch.refresh_from_db()
    return batch


def undo_until(batch: AssignmentBatch) -> datetime | None:
    """The moment until which a batch can be taken back; None where nothing was applied."""
    return batch.applied_at + timedelta(days=UNDO_DAYS) if batch.applied_at is not None else None


def can_undo(batch: AssignmentBatch, at: datetime | None = None) -> bool:
    """Within its days. What a working rule did by itself is not taken back: the next check would do it again."""
    until = undo_until(batch)
    if (
        until is None
        or (batch.rule_id is not None and batch.created_by_id is None)
        or (at or timezone.now()) >= until
        or batch.status not in (BatchStatus.APPLIED, BatchStatus.FAILED)
    ):
        return False
    return batch.rows.filter(state=RowState.APPLIED).exists()


def _key(batch: AssignmentBatch) -> str:
    # Whether it is asked for once is for the status under the lock to say; one that failed may be asked for again.
    return f"{batch.pk}:{uuid4()}"


def _locked(batch: AssignmentBatch) -> AssignmentBatch:
    """The batch as it is now, its row locked, and FAILED where its job has given up."""
    batch = AssignmentBatch.objects.select_for_update(of=("self",)).select_related("job").get(pk=batch.pk)
    return settle(batch)


def settle(batch: AssignmentBatch) -> AssignmentBatch:
    """A batch whose job has given up is FAILED: it waits for nobody. What was done of it can be taken back or finished."""
    if batch.status in WORKING and batch.job is not None and batch.job.state == JobState.FAILED:
        batch.status = BatchStatus.FAILED
        if batch.applied_at is None and batch.rows.filter(state=RowState.APPLIED).exists():
            batch.applied_at = batch.job.finished_at
        AssignmentBatch.objects.filter(pk=batch.pk, status__in=WORKING).update(
            status=batch.status, applied_at=batch.applied_at
        )
    return batch


# --- Reading ---------------------------------------------------------------------------------------------------------
def rows_of(batch: AssignmentBatch, outcome: str | None = None, reason: str | None = None) -> QuerySet[BatchRow]:
    """The rows of a batch in their order, of one outcome or with one reason, with their people."""
    rows = batch.rows.select_related("person").order_by("number")
    if outcome:
        rows = rows.filter(outcome=outcome)
    if reason:
        # Reasons are words of ours; as text, because SQLite cannot look into a list.
        rows = rows.annotate(said=Cast("reasons", TextField())).filter(said__contains=f'"{reason}"')
    return rows


def batches_visible_to(officer: User) -> QuerySet[AssignmentBatch]:
    """Batches an officer may look at: her own; all of them, as administrator."""
    batches = AssignmentBatch.objects.select_related("profile__role", "curated_path", "created_by", "rule", "job")
    return batches if officer.is_superuser else batches.filter(created_by=officer)


@transaction.atomic
def discard_batch(*, batch: AssignmentBatch) -> None:
    """Throw a dry run away that nothing came of: no act, so nothing is logged. Raises CannotBeChanged for any other."""
    batch = _locked(batch)
    nothing_came = batch.applied_at is None and batch.undone_at is None
    if batch.status not in (BatchStatus.READY, BatchStatus.STALE, BatchStatus.FAILED) or not nothing_came:
        raise CannotBeChanged(_("Only a dry run that was not applied can be thrown away."))
    batch.delete()
