"""Mails about due dates. A mail is a job of its own; one that a killed worker may have sent is not sent again."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy

from competencies.claim_mails import send_once
from learning.models import ExtensionRequest
from learning.titles import titles_of
from organisations.jobs import Run, enqueue, job_kind
from organisations.models import User

EXTENSION_MAIL = "learning.extension_mail"
# What a mail says of a request: to who decides, to the person.
ASKED, DECIDED = "asked", "decided"


def tell_asked(request: ExtensionRequest, decider: User) -> None:
    _tell(request, ASKED, decider.pk)


def tell_decided(request: ExtensionRequest) -> None:
    _tell(request, DECIDED, request.assignment.person_id)


def _tell(request: ExtensionRequest, what: str, to: int) -> None:
    enqueue(
        kind=EXTENSION_MAIL, key=f"{request.pk}:{what}:{to}", payload={"request": request.pk, "what": what, "to": to}
    )


@job_kind(EXTENSION_MAIL, gettext_lazy("Tell of a request for more time"))
def send_extension_mail(run: Run) -> dict[str, Any]:
    request = ExtensionRequest.objects.select_related(
        "assignment__person", "assignment__role_assignment__profile__role", "assignment__curated_path", "decided_by"
    ).get(pk=run.payload["request"])
    if run.payload["what"] == ASKED and request.decision:  # answered or withdrawn meanwhile
        return {"sent": False}
    # In words once the reader's language is set.
    context = {"request": request, "title": lambda: titles_of([request.assignment])[request.assignment_id]}
    return send_once(run, f"learning/mails/extension_{run.payload['what']}", context)
