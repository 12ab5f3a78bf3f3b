from celery import shared_task
from django.utils import timezone

from competencies.diagnosing_jobs import CLOSE_LEFT_JOB
from competencies.jobs import CLAIMS_JOB
from organisations.jobs import enqueue


@shared_task(name="competencies.tasks.look_after_claims")
def look_after_claims() -> None:
    """Once a day: claims that nobody has are handed on, assessors who are late are reminded."""
    today = timezone.localdate().isoformat()
    enqueue(kind=CLAIMS_JOB, key=f"daily:{today}", payload={"day": today})


@shared_task(name="competencies.tasks.sweep_diagnostics")
def sweep_diagnostics() -> None:
    """Once a day, however often it is asked: what was left unfinished for long is closed."""
    enqueue(kind=CLOSE_LEFT_JOB, key=f"daily:{timezone.localdate()}", payload={})
