"""Background work of definitions: one person after news, one definition after it was put in force, everybody at night."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from django.utils.translation import gettext_lazy

from certificates.award_mails import tell_of_ends
from certificates.awarding import award
from certificates.defining import AWARD_DEFINITION
from certificates.enums import Kind
from certificates.models import Definition
from organisations.jobs import Run, enqueue, job_kind

AWARD: Final = "certificates.award"
AWARD_ALL: Final = "certificates.award_all"
TELL_ENDS: Final = "certificates.tell_ends"
AWARDED_KINDS = (Kind.PATH, Kind.LEVEL, Kind.ROLE)


def ask_for_award(person_id: int, key: str, *kinds: str) -> None:
    """Have a person looked at after news of her, where there is a definition of these kinds. One query where there is none."""
    if Definition.objects.active().filter(kind__in=kinds).exists():
        payload = {"person": person_id, "kinds": [str(kind) for kind in kinds]}
        enqueue(kind=AWARD, key=f"{person_id}:{key}"[:180], payload=payload)


@job_kind(AWARD, gettext_lazy("See which certificates somebody has earned"))
def award_person(run: Run) -> dict[str, Any]:
    """Payload: `person`, `kinds`."""
    written = 0
    for definition in Definition.objects.active().filter(kind__in=run.payload["kinds"]).order_by("pk"):
        written += award(definition=definition, only=[run.payload["person"]], progress=run.progress)
    return {"written": written}


@job_kind(AWARD_DEFINITION, gettext_lazy("Issue certificates by a definition"))
def award_definition(run: Run) -> dict[str, Any]:
    """Payload: `definition`."""
    definition = Definition.objects.get(pk=run.payload["definition"])
    return {"written": award(definition=definition, progress=run.progress)}


@job_kind(AWARD_ALL, gettext_lazy("See who has earned certificates"))
def award_all(run: Run) -> dict[str, Any]:
    """Every definition in force is gone through, in batches of people."""
    written = 0
    for definition in Definition.objects.active().filter(kind__in=AWARDED_KINDS).order_by("pk"):
        written += award(definition=definition, progress=run.progress)
    return {"written": written}


@job_kind(TELL_ENDS, gettext_lazy("Tell whose certificates end"))
def tell_ends(run: Run) -> dict[str, Any]:
    """Payload: `day`."""
    return {"told": tell_of_ends(day=date.fromisoformat(run.payload["day"]))}
