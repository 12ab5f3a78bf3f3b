"""News from the floors below: a course was passed, so its certificate is asked for; evidence or a role is new, so somebody
may have earned one. Receivers only enqueue."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.db.models.signals import post_save
from django.dispatch import receiver

from certificates import selectors
from certificates.award_jobs import ask_for_award
from certificates.enums import Kind
from competencies.models import PostRole, RoleAssignment
from competencies.signals import evidence_changed
from courses.models import Enrolment
from courses.signals import course_passed
from organisations.jobs import enqueue
from organisations.models import Appointment


@receiver(course_passed)
def ask_for_certificate(sender: Any, enrolment_id: int, **kwargs: Any) -> None:
    enrolment = Enrolment.objects.select_related("person").filter(pk=enrolment_id).first()
    if enrolment is not None:
        enqueue(
            kind=selectors.ISSUE,
            key=selectors.issue_key(enrolment_id),
            payload={"enrolment": enrolment_id},
            by=enrolment.person,
        )


@receiver(course_passed)
def ask_for_path_award(sender: Any, enrolment_id: int, **kwargs: Any) -> None:
    person_id = Enrolment.objects.filter(pk=enrolment_id).values_list("person_id", flat=True).first()
    if person_id is not None:
        ask_for_award(person_id, f"enrolment-{enrolment_id}", Kind.PATH)


@receiver(evidence_changed)
def ask_for_level_award(*, person_id: int, key: str, **kwargs: Any) -> None:
    ask_for_award(person_id, key, Kind.LEVEL, Kind.ROLE)


@receiver(post_save, sender=Appointment)
@receiver(post_save, sender=RoleAssignment)
def ask_for_role_award(*, instance: Appointment | RoleAssignment, raw: bool = False, **kwargs: Any) -> None:
    """She has a role more, or works in a unit for which other definitions apply."""
    if not raw:
        ask_for_award(instance.person_id, str(uuid4()), Kind.ROLE, Kind.LEVEL, Kind.PATH)


@receiver(post_save, sender=PostRole)
def ask_for_post_award(*, instance: PostRole, raw: bool = False, **kwargs: Any) -> None:
    if not raw:
        for appointment in Appointment.objects.current().filter(post_id=instance.post_id):
            ask_for_award(appointment.person_id, str(uuid4()), Kind.ROLE)
