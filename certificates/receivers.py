"""News from the courses' floor: a course was passed, so a certificate is asked for."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from certificates import selectors
from courses.models import Enrolment
from courses.signals import course_passed
from organisations.jobs import enqueue


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
