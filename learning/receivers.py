"""News from below becomes work: every change that may alter a path asks for a new plan after commit."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from competencies.models import PostRole, RoleAssignment
from competencies.signals import alignment_changed, evidence_changed, framework_published, rules_changed
from courses.models import Enrolment
from courses.signals import course_passed, offer_changed, seat_changed
from learning.enums import AssignmentKind, BatchStatus, PlanReason
from learning.evaluating import ask_for_reaction
from learning.jobs import REPLAN_ALL_JOB, REPLAN_CHANGE_JOB, REPLAN_JOB
from learning.models import Assignment, AssignmentBatch, AssignmentRule
from learning.recurring import PERIODS_JOB
from learning.rules import CHECK_PEOPLE_JOB, SWEEP_RULE_JOB
from organisations.enums import JobState
from organisations.jobs import enqueue
from organisations.models import Appointment, Job, Leave, PersonTag, Post, User
from readiness.enums import InitiativeStatus
from readiness.models import Initiative, Need
from readiness.signals import needs_changed, wave_closed

logger = logging.getLogger(__name__)


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


@receiver(course_passed)
def on_passed_evaluation(*, enrolment_id: int, **kwargs: Any) -> None:
    """Whether it was worth it is asked on the page she sees next; what goes wrong here the daily errand makes good."""
    enrolment = Enrolment.objects.filter(pk=enrolment_id).select_related("course").first()
    if enrolment is None:
        return
    try:
        ask_for_reaction(enrolment, timezone.localdate())
    except Exception:  # she has completed the course, whatever becomes of the question
        logger.exception("nobody could be asked about enrolment %s yet", enrolment_id)


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


@receiver(wave_closed)
def on_survey(*, wave_id: int, **kwargs: Any) -> None:
    """What a change needs is more urgent in units that feel unable, and less where they do no longer."""
    for initiative_id in Need.objects.filter(initiative__waves=wave_id).values_list("initiative_id", flat=True)[:1]:
        _ask_for_change(survey_key(initiative_id, wave_id), initiative_id)


@receiver(needs_changed)
def on_needs(*, initiative_id: int, **kwargs: Any) -> None:
    """Saved as it was is no news: what is needed, by when and of whom is compared with what was last planned for."""
    initiative = Initiative.objects.filter(pk=initiative_id).first()
    if initiative is None:
        return
    needs, digest = needs_of(initiative)
    asked = Job.objects.filter(kind=REPLAN_CHANGE_JOB, payload__initiative=initiative_id).exclude(payload__digest="")
    last = asked.order_by("-pk").first()
    known = last.payload["digest"] if last is not None else ""
    if digest != known and (known or (needs and initiative.status == InitiativeStatus.PUBLISHED)):
        _ask_for_change(f"{initiative_id}:{uuid4()}", initiative_id, digest)


def needs_of(initiative: Initiative) -> tuple[bool, str]:
    """Whether a change needs anything, and a digest of what, by when, of whom."""
    needs = list(
        Need.objects.filter(initiative=initiative).order_by("pk").values_list("competency_id", "profile_id", "by")
    )
    state = repr((initiative.status, initiative.unit_id, [(c, p, f"{by}") for c, p, by in needs]))
    return bool(needs), hashlib.sha256(state.encode()).hexdigest()


def survey_key(initiative_id: int, wave_id: int) -> str:
    """The key of the job that plans for a survey that has closed: once a survey."""
    return f"{initiative_id}:survey-{wave_id}"


def _ask_for_change(key: str, initiative_id: int, digest: str = "") -> None:
    enqueue(kind=REPLAN_CHANGE_JOB, key=key, payload={"initiative": initiative_id, "digest": digest})


@receiver(seat_changed)
def on_seat(*, person_id: int, **kwargs: Any) -> None:
    _ask([person_id], PlanReason.OFFER, f"{person_id}:{uuid4()}")


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


# --- Standing rules --------------------------------------------------------------------------------------------------
def _check(*, people: Iterable[int] = (), posts: Iterable[int] = ()) -> None:
    """Have these people looked at once their transaction has committed: one job for all of them, none without a rule.

    What waits is kept beside the connection. After a rollback it is looked at with the next news, which does no harm.
    """
    waiting = transaction.get_connection().__dict__.setdefault("_people_to_check", (set(), set()))
    waiting[0].update(people)
    waiting[1].update(posts)
    transaction.on_commit(_hand_in)


def _hand_in() -> None:
    people, posts = transaction.get_connection().__dict__.pop("_people_to_check", (set(), set()))
    if (people or posts) and AssignmentRule.objects.filter(started_at__isnull=False, stopped_at__isnull=True).exists():
        payload = {"people": sorted(people), "posts": sorted(posts)}
        enqueue(kind=CHECK_PEOPLE_JOB, key=str(uuid4()), payload=payload)


@receiver(evidence_changed)
def on_evidence_rules(*, person_id: int, **kwargs: Any) -> None:
    _check(people=[person_id])


@receiver([post_save, post_delete], sender=Appointment)
def on_appointment_rules(*, instance: Appointment, raw: bool = False, **kwargs: Any) -> None:
    if not raw:
        _check(people=[instance.person_id], posts=[instance.post_id])


@receiver([post_save, post_delete], sender=RoleAssignment)
@receiver([post_save, post_delete], sender=PersonTag)
def on_role_or_tag_rules(*, instance: RoleAssignment | PersonTag, raw: bool = False, **kwargs: Any) -> None:
    if not raw:
        _check(people=[instance.person_id])


@receiver([post_save, post_delete], sender=PostRole)
def on_post_role_rules(*, instance: PostRole, raw: bool = False, **kwargs: Any) -> None:
    if not raw:
        _check(posts=[instance.post_id])


@receiver(post_save, sender=Post)
def on_post_rules(*, instance: Post, created: bool, raw: bool = False, **kwargs: Any) -> None:
    """Its unit, its grade or the post above may be others now. A new post has nobody in it yet."""
    if not (raw or created):
        _check(posts=[instance.pk])


@receiver(post_save, sender=User)
def on_person_rules(
    *, instance: User, created: bool, raw: bool = False, update_fields: frozenset[str] | None = None, **kwargs: Any
) -> None:
    """Language, and whether she is active; signing in is no news."""
    if raw or created or (update_fields is not None and not {"language", "is_active"} & set(update_fields)):
        return
    _check(people=[instance.pk])


@receiver(post_save, sender=AssignmentBatch)
def on_batch_rules(*, instance: AssignmentBatch, raw: bool = False, **kwargs: Any) -> None:
    """A confirmed dry run of a rule has been applied, or taken back: the rule begins to work, or stops."""
    settled = (BatchStatus.APPLIED, BatchStatus.UNDOING, BatchStatus.UNDONE)
    if not raw and instance.rule_id and instance.created_by_id and instance.status in settled:
        key = f"{instance.rule_id}:batch-{instance.pk}-{instance.status}"
        enqueue(kind=SWEEP_RULE_JOB, key=key, payload={"rule": instance.rule_id})


# --- What comes round ----------------------------------------------------------------------------------------------
@receiver(course_passed)
def on_completion(*, enrolment_id: int, **kwargs: Any) -> None:
    person_id = Enrolment.objects.filter(pk=enrolment_id).values_list("person_id", flat=True).first()
    if person_id is not None and Assignment.objects.asking().filter(person=person_id).exclude(repeat={}).exists():
        _settle(person_id, f"{person_id}:enrolment-{enrolment_id}")


@receiver(evidence_changed)
def on_role_met(*, person_id: int, key: str, **kwargs: Any) -> None:
    roles = Assignment.objects.asking().filter(person=person_id, kind=AssignmentKind.ROLE)
    if roles.exclude(repeat={}).exists():
        _settle(person_id, f"{person_id}:evidence-{key}")


@receiver(post_save, sender=Assignment)
def on_assignment(*, instance: Assignment, raw: bool = False, **kwargs: Any) -> None:
    """Given, moved or exempted one by one; batches settle what they wrote themselves."""
    if not raw and instance.repeat:
        _settle(instance.person_id, f"{instance.person_id}:{uuid4()}")


def _settle(person_id: int, key: str) -> None:
    enqueue(kind=PERIODS_JOB, key=key, payload={"people": [person_id]}, here=True)
