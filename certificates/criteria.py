"""When a certificate is due, for how long, and what shows it. Pure: no clock, no database.

Source: docs/algorithms/certificates.md, whose worked examples are tests/certificates/test_criteria.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from dateutil.relativedelta import relativedelta

from competencies.levels import Attains, Judged, Level, Verdict

T = TypeVar("T")
COUNTING = frozenset({Verdict.ATTAINS, Verdict.COUNTS})


def nearest(found: Mapping[str, T], workplaces: Collection[str]) -> T | None:
    """Of what was laid down for units, what applies to somebody who works in these: that of the nearest unit above her.

    `found` by the unit's tree path, "" for everybody; a path is the prefix of all paths below it. Of two units equally
    near (she holds two posts) the first of the tree; without any, what is for everybody, if there is such a thing.
    """
    above = [path for path in found if path and any(place.startswith(path) for place in workplaces)]
    if above:
        return found[min(above, key=lambda path: (-len(path), path))]
    return found.get("")


# --- Periods -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Last:
    """The newest certificate somebody has by a definition. `valid_until` is the first day on which it does not count."""

    period: int
    issued_on: date
    valid_until: date | None
    revoked_on: date | None = None


@dataclass(frozen=True)
class Term:
    """The certificate that is due next. What shows it must be later than `since` (None: whenever it was shown)."""

    period: int
    valid_until: date | None
    renews: bool = False
    since: date | None = None


def months_after(day: date, months: int | None) -> date | None:
    """The same day of the month, or the last one it has; None for no months: without end."""
    return None if months is None else day + relativedelta(months=months)


def window_opens_on(valid_until: date, renewal_months: int) -> date:
    """The first day on which what ends then can be renewed."""
    return valid_until - relativedelta(months=renewal_months)


def next_term(last: Last | None, *, validity_months: int | None, renewal_months: int, day: date) -> Term | None:
    """What could be issued on a day to somebody who has `last`; None while there is nothing to issue.

    Renewed before the end it follows the old one without a gap and no day is lost; after the end it begins anew. What
    was revoked is not renewed: it is earned again, by what was shown since.
    """
    if last is None:
        return Term(1, months_after(day, validity_months))
    if last.revoked_on is not None:
        return Term(last.period + 1, months_after(day, validity_months), since=last.revoked_on)
    if last.valid_until is None or day < window_opens_on(last.valid_until, renewal_months):
        return None
    begins_on = max(day, last.valid_until)
    return Term(last.period + 1, months_after(begins_on, validity_months), renews=True, since=last.issued_on)


# --- What shows a level ------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Piece:
    """A piece of evidence that shows what is asked: its id, and from which day on it did."""

    evidence_id: int
    on: date


def pieces_showing(level: Level, rank: int) -> tuple[Piece, ...]:
    """The valid pieces that show at least this rank, the newest first; none where the level is not attained.

    What shows it only beside another piece (a manager's word on a level that something else comes near to) shows it
    from the later of the two days on, and the other piece is named too.
    """
    counting = [judged for judged in level.judged if judged.verdict in COUNTING]
    showing = [judged for judged in counting if judged.attains >= rank]
    pieces = {j.item.id: Piece(j.item.id, j.item.occurred_on) for j in showing if not _leans(j)}
    for judged in showing:
        if not _leans(judged):
            continue
        beside = [other for other in counting if not _leans(other) and other.attains + 1 >= rank]
        first = min((other.item.occurred_on for other in beside), default=judged.item.occurred_on)
        pieces[judged.item.id] = Piece(judged.item.id, max(first, judged.item.occurred_on))
        if not pieces.keys() & {other.item.id for other in beside}:
            for other in beside:
                pieces[other.item.id] = Piece(other.item.id, max(other.item.occurred_on, judged.item.occurred_on))
    return tuple(sorted(pieces.values(), key=lambda piece: (piece.on, piece.evidence_id), reverse=True))


def _leans(judged: Judged) -> bool:
    rule = judged.rule
    return rule is not None and rule.attains is Attains.CORROBORATED and judged.attains > (rule.cap or 0)


def met_on(shown: Iterable[Sequence[Piece]], since: date | None) -> date | None:
    """The day on which everything asked for was shown: of each its pieces, never none of them.

    The first time, the day on which the last of it was first shown by what is still valid. A further time it is the day
    of the newest piece, which must be later than `since`; None where nothing is.
    """
    everything = list(shown)
    if not everything or not all(everything):
        return None
    if since is None:
        return max(min(piece.on for piece in pieces) for pieces in everything)
    newest = max(piece.on for pieces in everything for piece in pieces)
    return newest if newest > since else None
