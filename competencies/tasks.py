from celery import shared_task
from django.utils import timezone

from competencies.jobs import CLAIMS_JOB
from organisations.jobs import enqueue


@shared_task(name="competencies.tasks.look_after_claims")
def look_after_claims() -> None:
    """Once a day: claims that nobody has are handed on, assessors who are late are reminded."""
    today = timezone.localdate().isoformat()
    enqueue(kind=CLAIMS_JOB, key=f"daily:{today}", payload={"day": today})
