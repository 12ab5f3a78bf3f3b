"""News from below becomes work: every change that may alter a path asks for a new plan after commit."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from competencies.models import PostRole, RoleAssignment
from competencies.signals import alignment_changed, evidence_changed, framework_published, rules_changed
from courses.models import Enrolment
from courses.signals import course_passed, offer_changed
from learning.enums import PlanReason
from learning.jobs import REPLAN_ALL_JOB, REPLAN_JOB
from organisations.enums import JobState
from organisations.jobs import enqueue
from organisations.models import Appointment, Job, Leave


def _ask(person_ids: list[int], reason: PlanReason, key: str) -> None:
    if person_ids:
        # One person's plan takes milliseconds and she looks at it on the next page.
        enqueue(kind=REPLAN_JOB, key=key, payload={"people": person_ids, "reason": reason}, here=len(person_ids) == 1)


@receiver(evidence_changed)
def on_evidence(*, person_id: int, key: str, **kwargs: Any) -> None:
    _ask([person_id], PlanReason.EVIDENCE, f"{person_id}:{key}")


@receiver(course_passed)
def on_passed(*, enrolment_id: int, **kwargs: Any) -> None:
    """A course that shows nothing leaves no evidence: it may be a step all the same, and dates may count from it."""
    people = list(Enrolment.objects.filter(pk=enrolment_id).values_list("person_id", flat=True))
    _ask(people, PlanReason.EVIDENCE, f"passed-{enrolment_id}")


@receiver([post_save, post_delete], sender=Appointment)
@receiver([post_save, post_delete], sender=RoleAssignment)
def on_person_roles(*, instance: Appointment | RoleAssignment, raw: bool = False, **kwargs: Any) -> None:
    if not raw:
        _ask([instance.person_id], PlanReason.ROLE, f"{instance.person_id}:{uuid4()}")


@receiver([post_save, post_delete], sender=Leave)
def on_leave(*, instance: Leave, raw: bool = False, **kwargs: Any) -> None:
    if not raw:
        _ask([instance.person_id], PlanReason.PACE, f"{instance.person_id}:{uuid4()}")


@receiver([post_save, post_delete], sender=PostRole)
def on_post_role(*, instance: PostRole, raw: bool = False, **kwargs: Any) -> None:
    if not raw:
        holders = list(
            Appointment.objects.current().filter(post_id=instance.post_id).values_list("person_id", flat=True)
        )
        _ask(holders, PlanReason.ROLE, f"post-{instance.post_id}:{uuid4()}")


@receiver(offer_changed)
def on_offer(*, course_key: str, revision: str, **kwargs: Any) -> None:
    _ask_for_everybody(f"offer:{course_key}:{revision}", PlanReason.OFFER)


@receiver(framework_published)
def on_framework(*, version_id: int, previous_id: int | None, **kwargs: Any) -> None:
    if previous_id is not None:  # nobody has a role of a framework's first edition yet
        _ask_for_everybody(f"framework:{version_id}", PlanReason.FRAMEWORK)


@receiver(alignment_changed)
def on_alignment(*, alignment_id: int, **kwargs: Any) -> None:
    _ask_for_everybody(f"alignment:{alignment_id}:{uuid4()}", PlanReason.FRAMEWORK)


@receiver(rules_changed)
def on_rules(*, rulebook_id: int, **kwargs: Any) -> None:
    _ask_for_everybody(f"rules:{rulebook_id}", PlanReason.RULES)


def _ask_for_everybody(key: str, reason: PlanReason) -> None:
    # One look at everybody is enough for all changes that come before it begins.
    if not Job.objects.filter(kind=REPLAN_ALL_JOB, state=JobState.QUEUED).exists():
        enqueue(kind=REPLAN_ALL_JOB, key=key, payload={"reason": reason})
