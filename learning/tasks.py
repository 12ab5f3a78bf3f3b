from datetime import datetime

from celery import shared_task
from django.utils import timezone

from competencies.tasks import FIRST_HOUR
from learning.digests import DIGESTS_JOB
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


@shared_task(name="learning.tasks.send_digests")
def send_digests() -> None:
    ask_for_digests(at=timezone.localtime())


def ask_for_digests(*, at: datetime) -> None:
    """Once a day, from FIRST_HOUR on, whoever has something due is reminded, if she was not within a week."""
    moment = timezone.localtime(at)
    if moment.hour >= FIRST_HOUR:
        enqueue(kind=DIGESTS_JOB, key=f"daily:{moment.date()}", payload={})
