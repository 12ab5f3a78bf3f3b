"""Background work of the learning floor. Each handler may run twice and leaves the same state as once."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from competencies.models import FrameworkVersion
from courses.selectors import offered_courses
from learning import due_mails  # noqa: F401  (its kinds of jobs)
from learning.curated import CURATED_JOB, people_having
from learning.digests import DIGESTS_JOB, people_with_dates, send_digests
from learning.enums import PlanReason
from learning.framework_impact import IMPACT_JOB, measure_impact
from learning.leave import settle_due_dates
from learning.models import Assignment, PathPlan
from learning.recurring import PERIODS_JOB, repeating, settle_periods
from learning.services import replan_many
from organisations.jobs import CannotBeDone, Run, job_kind
from organisations.models import Appointment, User
from readiness.models import Initiative

REPLAN_JOB = "learning.replan"
REPLAN_ALL_JOB = "learning.replan_all"
REPLAN_CHANGE_JOB = "learning.replan_change"


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


@job_kind(REPLAN_CHANGE_JOB, gettext_lazy("Bring the learning paths of those up to date whom a change concerns"))
def replan_change(run: Run) -> dict[str, Any]:
    """Everybody who holds a post in the unit of the change or below it; whom it concerned before, the night looks after."""
    initiative = Initiative.objects.select_related("unit").filter(pk=run.payload["initiative"]).first()
    if initiative is None:
        raise CannotBeDone(_("This change is no longer there."))
    held = Appointment.objects.current().filter(
        post__unit__path__startswith=initiative.unit.path, person__is_active=True
    )
    people = sorted(set(held.values_list("person_id", flat=True)))
    written = replan_many(person_ids=people, reason=PlanReason.CHANGE, progress=run.progress)
    return {"people": len(people), "changed": written}


@job_kind(IMPACT_JOB, gettext_lazy("Measure what publishing a framework does"))
def framework_impact(run: Run) -> dict[str, Any]:
    version = FrameworkVersion.objects.select_related("previous", "framework").filter(pk=run.payload["version"]).first()
    if version is None:
        raise CannotBeDone(_("The draft is no longer there."))
    return measure_impact(version, day=date.fromisoformat(run.payload["day"]), progress=run.progress)


@job_kind(CURATED_JOB, gettext_lazy("Bring the learning paths of those who have a curated path up to date"))
def curated_published(run: Run) -> dict[str, Any]:
    """Who has the path when the job runs; who gets it later is planned with the version in force anyway."""
    people = sorted(set(people_having(run.payload["path"]).values_list("person_id", flat=True)))
    written = replan_many(person_ids=people, reason=PlanReason.CURATED, progress=run.progress)
    return {"people": len(people), "changed": written}


@job_kind(PERIODS_JOB, gettext_lazy("Bring what comes round up to date"))
def settle(run: Run) -> dict[str, Any]:
    """The periods of these people, or of everybody, and the paths of those for whom one opened, was kept or moved."""
    ids = repeating(run.payload.get("people"))
    people = settle_periods(assignment_ids=ids, day=timezone.localdate(), progress=run.progress)
    written = replan_many(person_ids=people, reason=PlanReason.PERIOD, progress=run.progress)
    return {"requirements": len(ids), "people": len(people), "changed": written}


@job_kind(DIGESTS_JOB, gettext_lazy("Remind people of what is due"))
def remind(run: Run) -> dict[str, Any]:
    day = timezone.localdate()
    return send_digests(person_ids=people_with_dates(day), day=day, progress=run.progress)
