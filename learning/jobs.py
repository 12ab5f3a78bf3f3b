"""Background work of the learning floor. Each handler may run twice and leaves the same state as once."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from competencies.models import FrameworkVersion, RoleProfile
from courses.selectors import offered_courses
from learning import due_mails  # noqa: F401  (its kinds of jobs)
from learning.enums import ASSIGN_JOB, PlanReason
from learning.framework_impact import IMPACT_JOB, measure_impact
from learning.leave import settle_due_dates
from learning.models import Assignment, PathPlan
from learning.services import BATCH, assign_batch, replan_many
from organisations.jobs import CannotBeDone, Run, job_kind
from organisations.models import User

REPLAN_JOB = "learning.replan"
REPLAN_ALL_JOB = "learning.replan_all"


@job_kind(REPLAN_JOB, gettext_lazy("Bring a learning path up to date"))
def replan_people(run: Run) -> dict[str, Any]:
    people = run.payload["people"]
    settle_due_dates(person_ids=people)
    written = replan_many(person_ids=people, reason=PlanReason(run.payload["reason"]), progress=run.progress)
    return {"people": len(people), "changed": written}


@job_kind(REPLAN_ALL_JOB, gettext_lazy("Bring all learning paths up to date"))
def replan_all(run: Run) -> dict[str, Any]:
    """Everybody who has a path, a role or an assignment: heals every event that was lost."""
    people = sorted(
        set(Assignment.objects.current().values_list("person_id", flat=True).distinct())
        | set(PathPlan.objects.values_list("person_id", flat=True).distinct())
        | set(User.objects.active().filter(role_assignments__isnull=False).values_list("pk", flat=True))
        | set(User.objects.active().filter(appointments__post__post_roles__isnull=False).values_list("pk", flat=True))
    )
    settle_due_dates(person_ids=people, progress=run.progress)
    written = replan_many(
        person_ids=people, reason=PlanReason(run.payload["reason"]), offered=offered_courses(), progress=run.progress
    )
    return {"people": len(people), "changed": written}


@job_kind(ASSIGN_JOB, gettext_lazy("Assign a role and its path"))
def assign(run: Run) -> dict[str, Any]:
    """Assign in batches, each a transaction of its own; what an interrupted run has done counts as done by this job."""
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


@job_kind(IMPACT_JOB, gettext_lazy("Measure what publishing a framework does"))
def framework_impact(run: Run) -> dict[str, Any]:
    version = FrameworkVersion.objects.select_related("previous", "framework").filter(pk=run.payload["version"]).first()
    if version is None:
        raise CannotBeDone(_("The draft is no longer there."))
    return measure_impact(version, day=date.fromisoformat(run.payload["day"]), progress=run.progress)
