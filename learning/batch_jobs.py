"""The jobs of a batch: make its dry run, apply it, take it back. Each may run twice and leaves the same state as once."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from competencies.models import RoleProfile
from learning.applying import give, take_back
from learning.asking import NotOffered
from learning.batches import count_batch
from learning.enums import ASSIGN_JOB, DRY_RUN_JOB, UNDO_JOB, BatchStatus, PlanReason
from learning.models import Assignment, AssignmentBatch
from learning.services import BATCH, assign_batch, replan_many
from organisations.jobs import CannotBeDone, Run, job_kind


@job_kind(DRY_RUN_JOB, gettext_lazy("Work out what an assignment would do"))
def dry_run(run: Run) -> dict[str, Any]:
    batch = _batch(run)
    if batch.status == BatchStatus.COUNTING:
        try:
            batch = count_batch(batch, run.progress)
        except NotOffered as refusal:
            raise CannotBeDone(str(refusal)) from refusal
    return _report(batch)


@job_kind(ASSIGN_JOB, gettext_lazy("Assign"))
def assign(run: Run) -> dict[str, Any]:
    if "batch" not in run.payload:
        return _assign_as_before(run)
    return _report(give(_batch(run), run.job.created_by, run.progress))


@job_kind(UNDO_JOB, gettext_lazy("Take an assignment back"))
def undo(run: Run) -> dict[str, Any]:
    return _report(take_back(_batch(run), run.job.created_by, run.progress))


def _batch(run: Run) -> AssignmentBatch:
    batch = (
        AssignmentBatch.objects.select_related("profile", "rule", "created_by").filter(pk=run.payload["batch"]).first()
    )
    if batch is None:
        raise CannotBeDone(_("This assignment is no longer there."))
    return batch


def _report(batch: AssignmentBatch) -> dict[str, Any]:
    return {"batch": batch.pk, "status": batch.status, "counts": batch.counts}


def _assign_as_before(run: Run) -> dict[str, Any]:
    """A job asked for before there were batches: its payload names the role and the people."""
    profile = RoleProfile.objects.filter(pk=run.payload["profile"]).first()
    if profile is None:
        raise CannotBeDone(_("The role profile is no longer there."))
    due_on = date.fromisoformat(run.payload["due_on"]) if run.payload["due_on"] else None
    people, officer, at = run.payload["people"], run.job.created_by, timezone.now()
    for start in range(0, len(people), BATCH):
        batch = people[start : start + BATCH]
        assign_batch(person_ids=batch, profile=profile, due_on=due_on, by=officer, job=run.job, at=at)
        replan_many(person_ids=batch, reason=PlanReason.ROLE, at=at)
        run.progress(start + len(batch), len(people))
    ours = set(Assignment.objects.filter(job=run.job).values_list("role_assignment__person_id", flat=True))
    # Those the preview found with the role already, and those somebody else was faster with.
    held = [*run.payload.get("holding", []), *(pk for pk in people if pk not in ours)]
    return {"assigned": sorted(ours), "held": held}
