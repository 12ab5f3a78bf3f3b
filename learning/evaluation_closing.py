"""Closing a round of questions about a course: all envelopes are opened at once, counted, and destroyed with the list of
who was asked. As for surveys (`readiness.closing`): one transaction, then the key goes, and only then there are figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from secrets import SystemRandom
from uuid import UUID

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from learning.enums import RoundState
from learning.evaluating import PLACE
from learning.models import EvaluationAsk, EvaluationEnvelope, EvaluationRound
from readiness import keys
from readiness.ballot import Ballot, open_envelopes
from readiness.closing import BallotBoxBroken, overwrite_what_is_deleted, wipe_deleted_rows
from readiness.counting import count
from readiness.sealing import Node, plant
from readiness.totals import BlockTotals

BATCH = 2_000


class TooEarly(ValueError):
    """A round is not closed before its day."""


def due_to_close(day: date) -> Iterator[EvaluationRound]:
    """Rounds whose time is up, and those that were interrupted after counting."""
    yield from EvaluationRound.objects.open().filter(closes_on__lte=day).order_by("closes_on", "pk")
    yield from EvaluationRound.objects.filter(state=RoundState.SEALED)


def close_round(*, round_id: UUID | str, day: date) -> EvaluationRound:
    """Count a round whose time is up and make an end of it. Twice is once.

    Raises TooEarly; KeyMissing, EnvelopeBroken or BallotBoxBroken with nothing changed.
    """
    overwrite_what_is_deleted()
    _count(round_id, day)
    return _finish(round_id)


@sensitive_variables()
def _count(round_id: UUID | str, day: date) -> None:
    with transaction.atomic():
        at = EvaluationRound.objects.select_for_update(of=("self",), no_key=True).get(pk=round_id)
        if at.state != RoundState.OPEN:
            return
        if day < at.closes_on:
            raise TooEarly
        # Whoever is answering holds her own row: with all of them in hand nobody is half way any more.
        rows = list(
            EvaluationAsk.objects.select_for_update().filter(round=at).order_by("pk").values_list("done", flat=True)
        )
        ballots = _ballots(at)
        if len(ballots) < sum(rows):
            raise BallotBoxBroken(f"round {at.pk} has fewer envelopes than people who answered")
        tree = plant([Node(PLACE, None)])
        counted = count(ballots, tree, at.questionnaire, at.k, SystemRandom())
        at.asked, at.answers = len(rows), len(ballots)
        at.totals = _kept(counted.class_totals.get((PLACE, at.block)))
        if counted.sealed.is_destroyed:
            at.asked = at.answers = 0  # of so few not even how many
        EvaluationAsk.objects.filter(round=at).delete()
        EvaluationEnvelope.objects.filter(round=at).delete()
        at.state = RoundState.SEALED
        at.save(update_fields=["asked", "answers", "totals", "state"])


@sensitive_variables()
def _ballots(at: EvaluationRound) -> list[Ballot]:
    private = keys.file_keys().read(at.key_name)
    blobs = EvaluationEnvelope.objects.filter(round=at).order_by("pk").values_list("blob", flat=True)
    return open_envelopes([bytes(blob) for blob in blobs], private)


def _kept(totals: BlockTotals | None) -> dict:
    if totals is None:
        return {}
    means = totals.means
    return {"n": means.n, "sum": means.sum, "sumsq": means.sumsq, "items": [list(item) for item in totals.items]}


def _finish(round_id: UUID | str) -> EvaluationRound:
    at = EvaluationRound.objects.get(pk=round_id)
    if at.state != RoundState.SEALED:
        return at
    keys.destroy_key(at.key_name)
    wipe_deleted_rows(EvaluationAsk, EvaluationEnvelope)
    at.state = RoundState.CLOSED if at.totals else RoundState.DESTROYED
    EvaluationRound.objects.filter(pk=at.pk, state=RoundState.SEALED).update(state=at.state)
    return at
