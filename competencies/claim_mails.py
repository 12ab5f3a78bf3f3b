"""Mails about claims. A mail is a job of its own; one that a killed worker may have sent is not sent again."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any

from django.utils.translation import gettext_lazy

from competencies.assessors import waiting_for
from competencies.models import Claim
from competencies.selectors import scales_of
from competencies.wording import level_words
from organisations import mails
from organisations.jobs import Run, enqueue, job_kind
from organisations.models import Job, User

CLAIM_MAIL, REMINDER_MAIL = "competencies.claim_mail", "competencies.reminder_mail"
# What a mail says of a claim: to the assessor, to the person.
ASKED, ANSWERED = "asked", "answered"


def tell_assessor(claim: Claim) -> None:
    """Write to who is to answer, once for each claim and assessor; nobody is written to where nobody is found."""
    if claim.assessor_id is not None:
        _tell(claim, ASKED, claim.assessor_id)


def tell_answer(claim: Claim) -> None:
    _tell(claim, ANSWERED, claim.person_id)


def _tell(claim: Claim, what: str, to: int) -> None:
    enqueue(kind=CLAIM_MAIL, key=f"{claim.pk}:{what}:{to}", payload={"claim": claim.pk, "what": what, "to": to})


def remind(assessor: User, *, day: date) -> None:
    """At most one mail a week, whatever is overdue."""
    week = day.isocalendar()
    enqueue(
        kind=REMINDER_MAIL,
        key=f"{assessor.pk}:{week.year}-{week.week:02}",
        payload={"to": assessor.pk, "day": day.isoformat()},
    )


@job_kind(CLAIM_MAIL, gettext_lazy("Tell of a claim"))
def send_claim_mail(run: Run) -> dict[str, Any]:
    claim = Claim.objects.select_related("person", "competency", "decided_by", "evidence").get(pk=run.payload["claim"])
    context = {"claim": claim, "level": partial(_level_accepted, claim)}  # in words, once the reader's language is set
    return send_once(run, f"competencies/mails/claim_{run.payload['what']}", context)


def _level_accepted(claim: Claim) -> str:
    if claim.evidence is None:
        return ""
    version = claim.competency.version_id
    return level_words(claim.evidence.rank, scales_of([version])[version])


@job_kind(REMINDER_MAIL, gettext_lazy("Remind an assessor"))
def send_reminder(run: Run) -> dict[str, Any]:
    overdue = waiting_for(User.objects.get(pk=run.payload["to"]), as_of=date.fromisoformat(run.payload["day"])).overdue
    if not overdue:  # answered meanwhile
        return {"sent": False}
    return send_once(run, "competencies/mails/reminder", {"overdue": overdue})


def send_once(run: Run, template: str, context: dict[str, Any]) -> dict[str, Any]:
    """Note that the mail goes out, then send it. What fails is tried again; what was cut off between the two is not."""
    if run.job.done:
        return {"sent": None}  # nobody knows whether it went out
    person = User.objects.get(pk=run.payload["to"])
    run.progress(1, 1)
    try:
        return {"sent": mails.send(person, template, context)}
    except Exception:
        Job.objects.filter(pk=run.job.pk, lease=run.lease).update(done=0)
        raise
