"""An assessor withdraws a piece of evidence that says too much, without waiting for somebody to contest it.

It takes two people: nobody withdraws what she made herself (whoever recorded a piece records the right one beside it), no
manager what is said of somebody she leads, and nobody what a person says of herself. The person is told, with the reason,
and may contest it like any piece.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from competencies import services
from competencies.assessors import can_decide, made_among, makers_of
from competencies.contest_mails import tell_of_withdrawal
from competencies.contests import MAX_TEXT
from competencies.enums import ContestState, EvidenceKind
from competencies.models import Contest, Evidence, EvidenceWithdrawal
from organisations import perms
from organisations.models import User


class WithdrawalRefused(ValueError):
    """Evidence that cannot be withdrawn; the text is a sentence for the person who tried."""


def may_withdraw(user: User, evidence: Evidence) -> bool:
    """Whoever might decide on a contest of it; what a person says of herself is hers."""
    return evidence.kind != EvidenceKind.SELF and _serves(user, evidence.person) and user.pk not in makers_of(evidence)


def may_withdraw_among(user: User, person: User, pieces: Iterable[Evidence]) -> set[int]:
    """Which of these standing pieces about one person `user` may withdraw. As many queries for many as for one."""
    said = [piece for piece in pieces if piece.kind != EvidenceKind.SELF]
    if not said or not _serves(user, person):
        return set()
    return {piece.pk for piece in said} - made_among(user, said)


def _serves(user: User, person: User) -> bool:
    return can_decide(user, person) and not perms.is_manager_of(user, person)


def objection_to_withdrawing(user: User, evidence: Evidence) -> str:
    """Why `user` cannot withdraw this piece now, in a sentence; "" where she can."""
    if user.pk == evidence.person_id:
        return _("Nobody withdraws evidence about herself. Contest it: somebody else looks at it.")
    if evidence.kind == EvidenceKind.SELF:
        return _("What a person says of herself is hers. She assesses herself anew.")
    if not _serves(user, evidence.person):
        return _("Only assessors and HR officers withdraw evidence, and nobody does about people she leads.")
    if user.pk in makers_of(evidence):
        return _("You had a part in this piece: somebody else withdraws it.")
    if Contest.objects.filter(evidence=evidence, state=ContestState.OPEN).exists():
        return _("The person contests this piece: its assessor decides, and can withdraw it there.")
    return ""


@transaction.atomic
def withdraw_as_assessor(
    *, evidence: Evidence, by: User, reason: str, at: datetime | None = None
) -> EvidenceWithdrawal:
    """Withdraw a piece that says too much; the person reads the reason. Withdrawn twice is withdrawn once, the first time.

    Raises WithdrawalRefused for somebody who may not, a piece that is being contested and a missing reason.
    """
    piece = (
        Evidence.objects.select_for_update(of=("self",))
        .select_related("person", "stands_for", "competency")
        .get(pk=evidence.pk)
    )
    known = EvidenceWithdrawal.objects.filter(evidence=piece).first()
    if known is not None:
        return known
    objection = objection_to_withdrawing(by, piece)
    if objection:
        raise WithdrawalRefused(objection)
    reason = reason.strip()
    if not reason:
        raise WithdrawalRefused(_("Say why: the person reads it."))
    withdrawal = services.withdraw_evidence(evidence=piece, by=by, reason=reason[:MAX_TEXT], at=at)
    tell_of_withdrawal(piece)
    return withdrawal
