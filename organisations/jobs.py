"""Jobs: rows that people can see, carried by Celery, healed by a sweep.

The row is the truth, the broker's message only a hint. A handler may run twice (a worker that was
killed, a message delivered twice), so it must be idempotent; the lease keeps two workers apart as long
as the one that holds it gives a sign of life (`Run.progress`) at least every JOB_LEASE_SECONDS.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from organisations.enums import MAX_JOB_ATTEMPTS, JobState
from organisations.models import Job, User

logger = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Another worker has taken this job over; this one must stop without a trace."""


class CannotBeDone(Exception):
    """A handler raises it with a sentence for people when trying again would not help."""


@dataclass(frozen=True)
class Kind:
    name: str
    label: str | Promise
    handler: Callable[[Run], dict[str, Any] | None]


KINDS: dict[str, Kind] = {}


def job_kind(name: str, label: str | Promise) -> Callable[[Callable[[Run], dict[str, Any] | None]], Callable[..., Any]]:
    """Register a handler: it takes a `Run` and returns the job's report."""

    def register(handler: Callable[[Run], dict[str, Any] | None]) -> Callable[..., Any]:
        KINDS[name] = Kind(name, label, handler)
        return handler

    return register


@dataclass
class Run:
    """One attempt at a job, as its handler sees it."""

    job: Job
    lease: uuid.UUID
    _noted: datetime

    @property
    def payload(self) -> dict[str, Any]:
        return self.job.payload

    def progress(self, done: int, total: int) -> None:
        """Note how far the job is and renew the lease; writes at most once a second. Raises LeaseLost."""
        now = timezone.now()
        if done < total and now - self._noted < timedelta(seconds=1):
            return
        self._noted = now
        kept = Job.objects.filter(pk=self.job.pk, lease=self.lease, state=JobState.RUNNING).update(
            done=done, total=total, lease_until=now + timedelta(seconds=settings.JOB_LEASE_SECONDS)
        )
        if not kept:
            raise LeaseLost(self.job)


@transaction.atomic
def enqueue(*, kind: str, key: str, payload: dict[str, Any], by: User | None = None, here: bool = False) -> Job:
    """Ask for a job once: the same `key` gives the same row. `payload` holds ids and plain values.

    The row is written in the caller's transaction; it is handed over when that commits.
    `here` is for work of milliseconds whose result the person expects on the next page: it runs in this
    process after the commit. Should that fail, the row stays and the sweep takes it up like any other.
    """
    job, created = Job.objects.get_or_create(
        key=f"{kind}:{key}", defaults={"kind": kind, "payload": payload, "created_by": by}
    )
    if created:
        transaction.on_commit(lambda: _hand_over(job.pk, here=here))
    return job


def _hand_over(job_id: int, *, here: bool) -> None:
    from organisations.tasks import run_job_task

    try:
        if here:
            run_job(job_id)
        else:
            run_job_task.delay(job_id)
    except Exception:  # the row is safe; the sweep will find it
        logger.exception("job %s could not be handed over and waits for the sweep", job_id)


def run_job(job_id: int) -> Job | None:
    """Run a job if it is free. Returns None when it is finished, not yet due or in another worker's hands."""
    now = timezone.now()
    lease = uuid.uuid4()
    claimed = (
        Job.objects.left_behind(now)
        .filter(pk=job_id)
        .update(
            state=JobState.RUNNING,
            lease=lease,
            lease_until=now + timedelta(seconds=settings.JOB_LEASE_SECONDS),
            attempts=F("attempts") + 1,
        )
    )
    if not claimed:
        return None
    job = Job.objects.get(pk=job_id)
    # Sentences in the report and the error are for the person who asked, in her language.
    with translation.override(_language_of(job)):
        if job.attempts > MAX_JOB_ATTEMPTS:
            sentence = _("It was interrupted %(count)s times.") % {"count": MAX_JOB_ATTEMPTS}
            _finish(job, lease, JobState.FAILED, error=sentence)
        else:
            try:
                _attempt(job, lease, now)
            except LeaseLost:
                logger.warning("job %s was taken over by another worker", job_id)
                return None
    job.refresh_from_db()
    return job


def _attempt(job: Job, lease: uuid.UUID, now: datetime) -> None:
    """Call the handler and write down what came of it. Raises LeaseLost."""
    try:
        report = KINDS[job.kind].handler(Run(job=job, lease=lease, _noted=now)) or {}
    except LeaseLost:
        raise
    except CannotBeDone as error:
        _finish(job, lease, JobState.FAILED, error=str(error))
    except Exception as error:
        logger.exception("job %s failed (attempt %s)", job.pk, job.attempts)
        fault = type(error).__name__
        if job.attempts >= MAX_JOB_ATTEMPTS:
            sentence = _(
                "It went wrong %(count)s times and was given up (%(fault)s). "
                "An administrator finds the reason in the log."
            )
            _finish(job, lease, JobState.FAILED, error=sentence % {"count": job.attempts, "fault": fault})
        else:
            # The pause begins when the attempt ends: a long one would otherwise be tried again at once.
            pause = timedelta(seconds=30 * 2 ** (job.attempts - 1))
            Job.objects.filter(pk=job.pk, lease=lease).update(
                state=JobState.QUEUED, lease=None, lease_until=None, error=fault, not_before=timezone.now() + pause
            )
    else:
        _finish(job, lease, JobState.DONE, report=report)


def _language_of(job: Job) -> str:
    return (job.created_by.language if job.created_by else "") or settings.LANGUAGE_CODE


def _finish(
    job: Job, lease: uuid.UUID, state: JobState, *, report: dict[str, Any] | None = None, error: str = ""
) -> None:
    Job.objects.filter(pk=job.pk, lease=lease).update(
        state=state, report=report or {}, error=error, lease=None, lease_until=None, finished_at=timezone.now()
    )


def sweep(*, now: datetime | None = None) -> int:
    """Hand over again what a killed worker or a forgetful broker left behind; returns how many."""
    from organisations.tasks import run_job_task

    ids = list(Job.objects.left_behind(now or timezone.now()).order_by("pk").values_list("pk", flat=True)[:1000])
    for job_id in ids:
        run_job_task.delay(job_id)
    return len(ids)


def label_of(job: Job) -> str:
    kind = KINDS.get(job.kind)
    return str(kind.label) if kind else job.kind
