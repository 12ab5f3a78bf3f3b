"""Background work of evaluation. Each handler may run twice and leaves the same state as once; a payload holds ids only."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy

from learning import evaluating, evaluation_closing
from learning.enums import ASK_ABOUT_COURSES_JOB, CLOSE_EVALUATION_JOB
from organisations.jobs import Run, enqueue, job_kind


@job_kind(ASK_ABOUT_COURSES_JOB, gettext_lazy("Ask about courses"))
def ask_about_courses(run: Run) -> dict[str, Any]:
    return {"asked": evaluating.ask_everybody(timezone.localdate())}


@job_kind(CLOSE_EVALUATION_JOB, gettext_lazy("Close the questions about a course and count them"))
def close_evaluation(run: Run) -> dict[str, Any]:
    at = evaluation_closing.close_round(round_id=run.payload["round"], day=timezone.localdate())
    return {"state": at.state}


def look_after_evaluation() -> None:
    """Once an hour asked, once a day done: people are asked, and rounds close, when their day has come."""
    day = timezone.localdate()
    enqueue(kind=ASK_ABOUT_COURSES_JOB, key=f"daily:{day}", payload={})
    for at in evaluation_closing.due_to_close(day):
        # A job for each day: one that failed for good is asked for again tomorrow.
        enqueue(kind=CLOSE_EVALUATION_JOB, key=f"{at.pk}:{day}", payload={"round": str(at.pk)})
