"""Mails about contests and panels. A mail is a job of its own; one that a killed worker may have sent is not sent again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext_lazy

from competencies import wording
from competencies.models import Contest, Evidence, Panel
from competencies.selectors import scales_of
from organisations import mails
from organisations.jobs import Run, enqueue, job_kind
from organisations.models import Job, User

CONTEST_MAIL, PANEL_MAIL = "competencies.contest_mail", "competencies.panel_mail"
# What a mail says of a contest: to the assessor, to the person, to who recorded the piece.
ASKED, ANSWERED, RECORDED = "asked", "answered", "recorded"
# What a mail says of a panel: to a member, to who asked for it.
CLOSED = "closed"


def tell_of_contest(contest: Contest, what: str, to: User) -> None:
    enqueue(
        kind=CONTEST_MAIL,
        key=f"{contest.pk}:{what}:{to.pk}",
        payload={"contest": contest.pk, "what": what, "to": to.pk},
    )


def tell_of_panel(panel: Panel, what: str, to: User) -> None:
    enqueue(kind=PANEL_MAIL, key=f"{panel.pk}:{what}:{to.pk}", payload={"panel": panel.pk, "what": what, "to": to.pk})


@job_kind(CONTEST_MAIL, gettext_lazy("Tell of a contest"))
def send_contest_mail(run: Run) -> dict[str, Any]:
    contest = Contest.objects.select_related("person", "evidence__competency", "correction", "decided_by").get(
        pk=run.payload["contest"]
    )
    context = {
        "contest": contest,
        "evidence": contest.evidence,
        "competency": contest.evidence.competency,
        "recorded_level": _level(contest.evidence),
        "corrected_level": _level(contest.correction),
    }
    return _send_once(run, f"competencies/mails/contest_{run.payload['what']}", context)


@job_kind(PANEL_MAIL, gettext_lazy("Tell of a panel"))
def send_panel_mail(run: Run) -> dict[str, Any]:
    panel = Panel.objects.select_related("person", "competency", "asked_by", "evidence").get(pk=run.payload["panel"])
    context = {
        "panel": panel,
        "subject_person": panel.person,
        "competency": panel.competency,
        "level": _level(panel.evidence),
    }
    return _send_once(run, f"competencies/mails/panel_{run.payload['what']}", context)


def _level(piece: Evidence | None) -> Callable[[], str]:
    """What a piece says, in words: said when the mail is written, in its reader's language."""

    def words() -> str:
        if piece is None:
            return ""
        version_id = piece.competency.version_id
        return wording.level_words(piece.rank, scales_of([version_id])[version_id])

    return words


def _send_once(run: Run, template: str, context: dict[str, Any]) -> dict[str, Any]:
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
