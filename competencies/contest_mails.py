"""Mails about contests and panels, each a job of its own, sent as those about claims."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext_lazy

from competencies import wording
from competencies.claim_mails import send_once
from competencies.models import Contest, Evidence, Panel
from competencies.selectors import scales_of
from organisations.jobs import Run, enqueue, job_kind
from organisations.models import User

CONTEST_MAIL, PANEL_MAIL = "competencies.contest_mail", "competencies.panel_mail"
WITHDRAWAL_MAIL = "competencies.withdrawal_mail"
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


def tell_of_withdrawal(evidence: Evidence) -> None:
    """Write to the person that somebody else withdrew a piece about her, once."""
    payload = {"evidence": evidence.pk, "to": evidence.person_id}
    enqueue(kind=WITHDRAWAL_MAIL, key=f"{evidence.pk}", payload=payload)


@job_kind(CONTEST_MAIL, gettext_lazy("Tell of a contest"))
def send_contest_mail(run: Run) -> dict[str, Any]:
    contest = Contest.objects.select_related(
        "person", "evidence__competency", "evidence__withdrawal", "correction", "decided_by"
    ).get(pk=run.payload["contest"])
    context = {
        "contest": contest,
        "evidence": contest.evidence,
        "competency": contest.evidence.competency,
        "recorded_level": _level(contest.evidence),
        "corrected_level": _level(contest.correction),
        "of_withdrawal": contest.is_of_withdrawal,
    }
    return send_once(run, f"competencies/mails/contest_{run.payload['what']}", context)


@job_kind(WITHDRAWAL_MAIL, gettext_lazy("Tell of withdrawn evidence"))
def send_withdrawal_mail(run: Run) -> dict[str, Any]:
    evidence = Evidence.objects.select_related("competency", "withdrawal__withdrawn_by").get(pk=run.payload["evidence"])
    context = {
        "evidence": evidence,
        "withdrawal": evidence.withdrawal,
        "competency": evidence.competency,
        "recorded_level": _level(evidence),
    }
    return send_once(run, "competencies/mails/evidence_withdrawn", context)


@job_kind(PANEL_MAIL, gettext_lazy("Tell of a panel"))
def send_panel_mail(run: Run) -> dict[str, Any]:
    panel = Panel.objects.select_related("person", "competency", "asked_by", "evidence").get(pk=run.payload["panel"])
    context = {
        "panel": panel,
        "subject_person": panel.person,
        "competency": panel.competency,
        "level": _level(panel.evidence),
    }
    return send_once(run, f"competencies/mails/panel_{run.payload['what']}", context)


def _level(piece: Evidence | None) -> Callable[[], str]:
    """What a piece says, in words: said when the mail is written, in its reader's language."""

    def words() -> str:
        if piece is None:
            return ""
        version_id = piece.competency.version_id
        return wording.level_words(piece.rank, scales_of([version_id])[version_id])

    return words
