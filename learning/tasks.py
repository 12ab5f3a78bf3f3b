from __future__ import annotations

from datetime import datetime

from celery import shared_task
from django.utils import timezone

from competencies.tasks import FIRST_HOUR
from learning.conditions import ConditionRefused, mentions, read_condition
from learning.digests import DIGESTS_JOB
from learning.enums import PlanReason
from learning.evaluation_jobs import look_after_evaluation
from learning.jobs import REPLAN_ALL_JOB
from learning.recurring import PERIODS_JOB
from learning.rules import SWEEP_RULE_JOB, settle_rules, working_rules
from organisations.jobs import enqueue


@shared_task(name="learning.tasks.sweep_paths")
def sweep_paths() -> None:
    """Once a day every path is looked at: evidence lapses, roles end, and an event may have been lost."""
    settle_periods()  # first, so that a path says that a requirement came round
    enqueue(kind=REPLAN_ALL_JOB, key=f"daily:{timezone.localdate()}", payload={"reason": PlanReason.SWEEP})


@shared_task(name="learning.tasks.sweep_rules")
def sweep_rules() -> None:
    ask_for_rules(at=timezone.localtime())


def ask_for_rules(*, at: datetime) -> None:
    """Every working rule is checked once an hour, however often it is asked: days pass, and an event may have been lost.

    Those that ask for levels read all evidence of their people, so they are checked once a day; evidence itself is news
    that is looked at when it comes.
    """
    moment = timezone.localtime(at)
    settle_rules()
    for rule in working_rules():
        try:
            slow = bool(mentions(read_condition(rule.condition)).competencies)
        except ConditionRefused:
            continue
        turn = f"{moment.date()}" if slow else f"{moment.date()}-{moment.hour:02}"
        enqueue(kind=SWEEP_RULE_JOB, key=f"{rule.pk}:{turn}", payload={"rule": rule.pk})


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


@shared_task(name="learning.tasks.evaluate_courses")
def evaluate_courses() -> None:
    look_after_evaluation()
