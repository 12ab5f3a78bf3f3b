from celery import shared_task
from django.utils import timezone

from competencies.refreshing import REFRESH_JOB
from organisations.jobs import enqueue


@shared_task(name="competencies.tasks.notify_refresh_due")
def notify_refresh_due() -> None:
    """Once a night everybody is looked at whose level may lapse soon; asked often, because a night may be missed."""
    day = timezone.localdate().isoformat()
    enqueue(kind=REFRESH_JOB, key=f"nightly:{day}", payload={"day": day})
