"""Putting a ballot into the box: encrypted before it is stored, once, and only while the survey is open."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from organisations.models import User
from readiness.ballot import Ballot, BallotTooLong, seal_ballot
from readiness.enums import MAX_COMMENT, WaveState
from readiness.models import Envelope, Participation, Wave
from readiness.questionnaire import item_codes, question_codes


class CastRefused(ValueError):
    """Answers that are not taken; the text is a sentence for the person. `already`: she has answered before."""

    def __init__(self, sentence: str, *, already: bool = False) -> None:
        super().__init__(sentence)
        self.already = already


@sensitive_variables()
def cast(
    *, person: User, wave: Wave, answers: Mapping[str, int], comments: Mapping[str, str], at: datetime | None = None
) -> None:
    """Take the answers of one person: `answers` by item code, 1 to 5, 0 or left out for "don't know".

    The stored length is the same whatever is answered. Raises CastRefused; nothing is stored then.
    """
    now = at or timezone.now()
    given = {code: answers.get(code, 0) for code in item_codes(wave.questionnaire)}
    if any(value not in range(6) for value in given.values()):
        raise CastRefused(_("An answer is not on the scale. Look at your answers again."))
    said = {code: comments.get(code, "").strip() for code in question_codes(wave.questionnaire)}
    said = {code: text for code, text in said.items() if text}
    if any(len(text) > MAX_COMMENT for text in said.values()):
        raise CastRefused(_("A comment has at most %(count)s characters.") % {"count": MAX_COMMENT})
    if not any(given.values()) and not said:
        raise CastRefused(_("You have not answered anything yet."))
    with transaction.atomic():
        row = Participation.objects.select_for_update().filter(wave=wave, person=person).first()
        if row is None:
            raise CastRefused(_("You are not asked in this survey, or it has been closed."))
        if row.done:
            raise CastRefused(_("You have answered already. Your answers cannot be changed."), already=True)
        # Read after the lock: who closes the survey holds all these rows, so what is read now stays so.
        now_open = Wave.objects.only("state", "opens_at", "closes_at", "public_key").get(pk=wave.pk)
        if now_open.state != WaveState.OPEN or not now_open.opens_at <= now < now_open.closes_at:
            raise CastRefused(_("This survey is closed. Your answers were not taken."))
        try:
            blob = seal_ballot(Ballot(row.node_code, row.category, given, said), bytes(now_open.public_key))
        except BallotTooLong:
            # The context of the first error holds the ballot.
            raise CastRefused(_("Your comments are too long together. Shorten one of them.")) from None
        Envelope.objects.create(wave=wave, blob=blob)
        row.done = True
        row.save(update_fields=["done"])
