from celery import shared_task
from django.utils import timezone

from learning.enums import PlanReason
from learning.jobs import REPLAN_ALL_JOB
from learning.recurring import PERIODS_JOB
from organisations.jobs import enqueue


@shared_task(name="learning.tasks.sweep_paths")
def sweep_paths() -> None:
    """Once a day every path is looked at: evidence lapses, roles end, and an event may have been lost."""
    settle_periods()  # first, so that a path says that a requirement came round
    enqueue(kind=REPLAN_ALL_JOB, key=f"daily:{timezone.localdate()}", payload={"reason": PlanReason.SWEEP})


@shared_task(name="learning.tasks.settle_periods")
def settle_periods() -> None:
    """Once a day everything that comes round is looked at: windows open by the calendar, and an event may have been lost."""
    enqueue(kind=PERIODS_JOB, key=f"daily:{timezone.localdate()}", payload={})
