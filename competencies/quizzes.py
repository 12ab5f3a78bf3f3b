"""The result of a quiz outside the platform, recorded by an assessor or the manager."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from competencies import services
from competencies.assessors import can_decide
from competencies.enums import EvidenceKind
from competencies.models import Competency, Evidence
from organisations import perms
from organisations.models import User


def may_record_quiz(user: User, person: User) -> bool:
    """Who may decide on her claims, and her manager; nobody for herself."""
    return user.pk != person.pk and (can_decide(user, person) or perms.is_manager_of(user, person))


@transaction.atomic
def record_quiz(
    *, person: User, competency: Competency, rank: int, passed: bool, title: str, on: date, token: str, by: User
) -> Evidence:
    """A quiz at a level, passed or not. It attains nothing by the rules and moves what is likely.

    Raises EvidenceRefused with a sentence for oneself, people one does not serve, level 0, a missing title, and whatever
    `record_evidence` refuses.
    """
    if by.pk == person.pk:
        raise services.EvidenceRefused(_("You cannot record your own quiz. Ask your manager or an assessor."))
    if not may_record_quiz(by, person):
        raise services.EvidenceRefused(_("Only the person’s manager or an assessor records a quiz."))
    if not title.strip():
        raise services.EvidenceRefused(_("Say which quiz it was."))
    if rank < 1:
        raise services.EvidenceRefused(_("A quiz is about a level: choose the level it tests."))
    [piece] = services.record_evidence(
        person=person,
        findings=[services.Finding(competency, rank, passed=passed)],
        kind=EvidenceKind.QUIZ,
        source_key=f"quiz:{by.pk}:{person.pk}:{token}",
        by=by,
        occurred_on=on,
        assessed=True,
        source=services.as_written(title.strip()),
    )
    return piece
