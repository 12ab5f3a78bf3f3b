"""Closing a survey: all ballots are opened at once, counted in groups, and whatever led to a person is destroyed.

One transaction does it all or nothing. Until then the survey is open with its key; after it the ballots are gone and
only the key remains to be destroyed, which an interruption may delay and a sweep takes up again: results are shown when
that is done, and not a moment earlier.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from secrets import SystemRandom

from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from wagtail.log_actions import log

from organisations.jobs import enqueue
from organisations.key_folder import KeyTrouble
from organisations.models import User
from readiness import keys
from readiness.ballot import Ballot, open_envelopes
from readiness.counting import Counted, count
from readiness.enums import CLOSE_JOB, SHARE_JOB, TeamRole, WaveEventKind, WaveState
from readiness.models import (
    ClassBlock,
    Comment,
    CutTotals,
    Envelope,
    NodeBlock,
    Participation,
    Sheet,
    SheetClass,
    Wave,
    WaveEligible,
    WaveNode,
)
from readiness.perms import is_in_team
from readiness.sealing import Tree
from readiness.signals import wave_closed
from readiness.totals import BlockTotals
from readiness.tree import tree_of
from readiness.waves import WaveRefused, key_words, note

logger = logging.getLogger(__name__)

BATCH = 2_000


class BallotBoxBroken(RuntimeError):
    """There are fewer ballots than people who have answered: nothing is counted before somebody has looked into it."""


# --- The key, where the data steward keeps it ------------------------------------------------------------------------
def release_key(*, wave: Wave, by: User, passphrase: str, at: datetime | None = None) -> None:
    """The data steward opens the key for counting, once the time is up; the survey is closed in the background then.

    Raises WaveRefused for anybody else, before the end, and for a wrong passphrase.
    """
    now = at or timezone.now()
    if not is_in_team(by, wave.initiative, TeamRole.STEWARD):
        raise WaveRefused(_("Only the data steward of the initiative opens the key."))
    if wave.state != WaveState.OPEN or now < wave.closes_at:
        raise WaveRefused(_("The key is opened when the time of the survey is up, and only once."))
    try:
        private = keys.passphrase_keys().read(wave.key_name, passphrase)
        keys.file_keys().put(wave.key_name, private)
    except KeyTrouble as error:
        raise WaveRefused(key_words(error)) from None
    log(instance=wave.initiative, action="readiness.release_key", user=by, data={"wave": wave.pk})
    ask_to_close(wave, now)


def ask_to_close(wave: Wave, now: datetime) -> None:
    """A job for each day: one that failed for good is asked for again tomorrow."""
    enqueue(kind=CLOSE_JOB, key=f"{wave.pk}:{now:%Y-%m-%d-%H}", payload={"wave": wave.pk})


def due_to_close(now: datetime) -> Iterator[Wave]:
    """Surveys whose time is up and whose key is at hand, and those that were interrupted after counting."""
    for wave in Wave.objects.filter(state=WaveState.OPEN, closes_at__lte=now):
        if keys.file_keys().exists(wave.key_name):
            yield wave
    yield from Wave.objects.filter(state=WaveState.SEALED)


# --- Closing ---------------------------------------------------------------------------------------------------------
def close_wave(*, wave: Wave, at: datetime | None = None) -> Wave:
    """Count a survey whose time is up and make an end of it. Twice is once.

    Raises WaveRefused before its end, and KeyMissing, EnvelopeBroken or BallotBoxBroken with nothing changed.
    """
    now = at or timezone.now()
    _count(wave, now)
    return _finish(wave, now)


def overwrite_what_is_deleted() -> None:
    """From here on deleted ballots are overwritten, not only forgotten, where the database is a file of ours."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")


@sensitive_variables()
def _count(wave: Wave, now: datetime) -> None:
    overwrite_what_is_deleted()
    with transaction.atomic():
        # Not the row's key: who answers refers to it while holding her own row, which is waited for next.
        wave = Wave.objects.select_for_update(of=("self",), no_key=True).get(pk=wave.pk)
        if wave.state in (WaveState.SEALED, WaveState.CLOSED, WaveState.DESTROYED):
            return
        if wave.state != WaveState.OPEN or now < wave.closes_at:
            raise WaveRefused(_("This survey is still open for answers: it closes when its time is up."))
        # Whoever is answering holds her own row: with all of them in hand nobody is half way any more.
        rows = Participation.objects.select_for_update().filter(wave=wave).order_by("pk").values_list("done", flat=True)
        answered = sum(rows)
        private = keys.file_keys().read(wave.key_name)
        ballots = _ballots(wave, private)
        if len(ballots) < answered:
            raise BallotBoxBroken(f"survey {wave.pk} has fewer ballots than people who answered")
        nodes = list(wave.nodes.order_by("position"))
        tree = tree_of(nodes)
        counted = count(ballots, tree, wave.questionnaire, wave.k, SystemRandom())
        _store(wave, nodes, tree, counted)
        Participation.objects.filter(wave=wave).delete()
        Envelope.objects.filter(wave=wave).delete()
        wave.state = WaveState.SEALED
        wave.summary = dict(counted.summary)
        wave.save(update_fields=["state", "summary"])
        note(wave, WaveEventKind.SEALED, on=timezone.localdate(now))


@sensitive_variables()
def _ballots(wave: Wave, private: bytes) -> list[Ballot]:
    """All ballots, opened some at a time: a cursor left open by a broken one would hide what went wrong."""
    found: list[Ballot] = []
    last = None
    while True:
        rows = Envelope.objects.filter(wave=wave).order_by("pk")
        some = list((rows.filter(pk__gt=last) if last else rows).values_list("pk", "blob")[:BATCH])
        if not some:
            return found
        found += open_envelopes((bytes(blob) for _pk, blob in some), private)
        last = some[-1][0]


@sensitive_variables()
def _store(wave: Wave, nodes: list[WaveNode], tree: Tree, counted: Counted) -> None:
    sealed = counted.sealed
    if sealed.is_destroyed:
        return
    asked: dict[str, int] = {}
    for code, n in WaveEligible.objects.filter(wave=wave).values_list("node_code", "n"):
        asked[code] = asked.get(code, 0) + n
    classes = {
        found.node: SheetClass(
            wave=wave, node_code=found.node, n=found.n, eligible=sum(asked.get(code, 0) for code in found.members)
        )
        for found in sealed.classes
    }
    SheetClass.objects.bulk_create(classes.values(), batch_size=BATCH)
    Sheet.objects.bulk_create(
        (Sheet(sheet_class=classes[node], answers=list(answers)) for node, answers in counted.sheets), batch_size=BATCH
    )
    ClassBlock.objects.bulk_create(
        (
            ClassBlock(sheet_class=classes[node], block=block, **_columns(totals))
            for (node, block), totals in sorted(counted.class_totals.items())
        ),
        batch_size=BATCH,
    )
    by_code = {node.code: node for node in nodes}
    for code, node in by_code.items():
        node.shown_code = sealed.shown_for(code) or ""
        node.sheets = sealed.shown.get(code, 0)
        node.counted_higher = code in sealed.counted_higher
    WaveNode.objects.bulk_create(
        nodes, batch_size=BATCH, update_conflicts=True, unique_fields=["wave", "code"],
        update_fields=["shown_code", "sheets", "counted_higher"],
    )  # fmt: skip
    NodeBlock.objects.bulk_create(
        (
            NodeBlock(node=by_code[code], block=block, **_columns(totals))
            for (code, block), totals in counted.node_totals.items()
        ),
        batch_size=BATCH,
    )
    CutTotals.objects.bulk_create(
        (
            CutTotals(wave=wave, category=category, block=block, **_columns(totals))
            for (category, block), totals in sorted(counted.cut_totals.items())
        ),
        batch_size=BATCH,
    )
    Comment.objects.bulk_create(
        (
            Comment(wave=wave, question=said.question, node_code=said.node, text=said.text, place=said.place)
            for said in counted.comments
        ),
        batch_size=BATCH,
    )


def _columns(totals: BlockTotals) -> dict[str, object]:
    means = totals.means
    return {"n": means.n, "sum": means.sum, "sumsq": means.sumsq, "items": [list(item) for item in totals.items]}


def _finish(wave: Wave, now: datetime) -> Wave:
    """Destroy the key, wipe what the database still has of deleted rows, then show the results to everybody at once."""
    wave.refresh_from_db()
    if wave.state != WaveState.SEALED:
        return wave
    keys.destroy_key(wave.key_name)
    wipe_deleted_rows(Participation, Envelope)
    with transaction.atomic():
        wave = Wave.objects.select_for_update(of=("self",)).get(pk=wave.pk)
        if wave.state != WaveState.SEALED:
            return wave
        day = timezone.localdate(now)
        note(wave, WaveEventKind.KEY_DESTROYED, on=day)
        has_results = wave.classes.exists()
        wave.state = WaveState.CLOSED if has_results else WaveState.DESTROYED
        wave.shared_on = day
        wave.save(update_fields=["state", "shared_on"])
        note(wave, WaveEventKind.CLOSED if has_results else WaveEventKind.DESTROYED, on=day)
        log(instance=wave.initiative, action="readiness.close_wave", data={"wave": wave.pk})
        enqueue(kind=SHARE_JOB, key=str(wave.pk), payload={"wave": wave.pk})
        transaction.on_commit(partial(wave_closed.send, sender=Wave, wave_id=wave.pk))
    return wave


def wipe_deleted_rows(*models: type[Model]) -> None:
    """Deleted rows of these tables stay in the files of a database until they are rewritten: have that done now."""
    if connection.in_atomic_block:
        return  # only in tests, whose transaction is never committed anyway
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for model in models:
                table = connection.ops.quote_name(model._meta.db_table)
                cursor.execute(f"VACUUM FULL {table}")
        else:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
