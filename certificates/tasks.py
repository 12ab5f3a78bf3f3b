"""Errands of Celery on this floor."""

from datetime import datetime, timedelta

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from certificates import cohort_making, issuer, selectors
from certificates.award_jobs import AWARD_ALL, TELL_ENDS
from certificates.credentials.keys import Kind
from certificates.models import Certificate
from certificates.services import note_document_digests
from competencies.tasks import FIRST_HOUR
from organisations.jobs import enqueue
from organisations.models import Job

# So many a run: the next one is five minutes away, and the broker is nobody's warehouse.
SWEEP_BATCH = 500


@shared_task(name="certificates.tasks.sweep_credentials")
def sweep_credentials() -> bool:
    """Once a day at most, ask for credentials of what was issued before there was a key. Returns whether it was asked."""
    key = f"day-{timezone.localdate().isoformat()}"
    if Job.objects.filter(key=f"{selectors.CREDENTIALS}:{key}").exists() or not issuer.has_key(Kind.ED25519):
        return False
    waiting = Certificate.objects.without_credential().filter(created_at__lt=timezone.now() - selectors.GRACE)
    if not waiting.exists():
        return False
    enqueue(kind=selectors.CREDENTIALS, key=key, payload={})
    return True


@shared_task(name="certificates.tasks.sweep_certificates")
def sweep_certificates() -> int:
    """Ask for what an event or a worker missed: certificates of completed courses, documents of certificates.

    Returns how many jobs were asked for. What has stopped is asked for again once a day.
    """
    now, today = timezone.now(), timezone.localdate()
    left = list(selectors.enrolments_without_certificate(now=now, today=today)[:SWEEP_BATCH])
    keys = {enrolment.pk: f"{selectors.ISSUE}:{selectors.issue_key(enrolment.pk)}" for enrolment in left}
    known = set(Job.objects.filter(key__in=keys.values()).values_list("key", flat=True))
    asked = len(left)
    with transaction.atomic():
        for enrolment in left:
            enqueue(
                kind=selectors.ISSUE,
                key=selectors.issue_key(enrolment.pk, again_on=today if keys[enrolment.pk] in known else None),
                payload={"enrolment": enrolment.pk},
                by=enrolment.person,
            )
    if not Job.objects.open().filter(kind=selectors.DOCUMENTS).exists():
        skip = selectors.failed_documents(since=now - timedelta(days=1))
        waiting = Certificate.objects.without_document().filter(created_at__lt=now - selectors.GRACE)
        if waiting.exclude(serial__in=skip).exists():
            enqueue(kind=selectors.DOCUMENTS, key=f"sweep-{now.isoformat()}", payload={"skip": skip})
            asked += 1
    return asked


@shared_task(name="certificates.tasks.look_after_definitions")
def look_after_definitions() -> None:
    ask_for_awards(at=timezone.localtime())


def ask_for_awards(*, at: datetime) -> None:
    """Once a day all definitions in force are gone through: evidence lapses, windows open, and an event may have been
    lost. Once a day, from FIRST_HOUR on, holders are told what ends. However often it is asked."""
    moment = timezone.localtime(at)
    day = moment.date().isoformat()
    enqueue(kind=AWARD_ALL, key=f"daily:{day}", payload={})
    if moment.hour >= FIRST_HOUR:
        enqueue(kind=TELL_ENDS, key=f"daily:{day}", payload={"day": day})


@shared_task(name="certificates.tasks.sweep_document_digests")
def sweep_document_digests() -> int:
    """Once an hour, digests for documents that were stored before there were any. Returns how many were noted."""
    return note_document_digests(most=SWEEP_BATCH)


@shared_task(name="certificates.tasks.sweep_cohorts")
def sweep_cohorts() -> int:
    """Remove the files of cohorts that were kept for their days. Returns how many."""
    return cohort_making.remove_old_files(now=timezone.now())
