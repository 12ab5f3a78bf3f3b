"""What people are told about a survey of theirs, and what is written down before one opens: facts, never a result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from organisations.enums import UnitKind
from organisations.models import Unit
from readiness.enums import LEAST_COMMENT_K, MAX_REMINDERS, SHEETS_KEPT_MONTHS, TeamRole, WaveState
from readiness.models import Wave, WaveNode
from readiness.moderating import withheld_by_reason
from readiness.questionnaire import NoLanguage, item_codes, question_codes
from readiness.tree import audience_of
from readiness.waves import questions_of


@dataclass(frozen=True)
class Facts:
    """Of one survey. `statements`, `questions`: 0 while no language of the questionnaire is complete and reviewed.

    `comment_k`: so many writers at least, or no comment is shown. Names are those of the change team, by what they do.
    """

    body: str
    statements: int
    questions: int
    k: int
    comment_k: int
    kept_months: int
    reminders: int
    approvers: tuple[str, ...]
    moderators: tuple[str, ...]
    stewards: tuple[str, ...]


def facts_of(wave: Wave) -> Facts:
    people: dict[str, list[str]] = {}
    for role, name in wave.initiative.team.order_by("pk").values_list("role", "person__name"):
        people.setdefault(role, []).append(name)
    try:
        asked = questions_of(wave)
    except NoLanguage:
        asked = None
    return Facts(
        body=str(_body_of(wave.unit).name),
        statements=len(item_codes(asked)) if asked else 0,
        questions=len(question_codes(asked)) if asked else 0,
        k=wave.k,
        comment_k=max(LEAST_COMMENT_K, wave.k),
        kept_months=SHEETS_KEPT_MONTHS,
        reminders=MAX_REMINDERS,
        approvers=tuple(people.get(TeamRole.APPROVER, ())),
        moderators=tuple(people.get(TeamRole.MODERATOR, ())),
        stewards=tuple(people.get(TeamRole.STEWARD, ())),
    )


@dataclass(frozen=True)
class Record:
    """What happened to a survey so far, by day, and how many comments were withheld for which reason."""

    events: tuple[tuple[date, str], ...]
    withheld: tuple[tuple[str, int], ...]


def record_of(wave: Wave) -> Record:
    """Two queries, one before there are results."""
    return Record(
        events=tuple((event.on, event.get_kind_display()) for event in wave.events.all()),
        withheld=tuple(withheld_by_reason(wave)) if wave.has_results else (),
    )


def _body_of(unit: Unit) -> Unit:
    """The public body that answers for it: the nearest one at the unit or above, else the top of the tree."""
    line = [*unit.get_ancestors(), unit]
    bodies = [one for one in line if one.kind == UnitKind.BODY]
    return bodies[-1] if bodies else line[0]


def people_asked(wave: Wave) -> int:
    """How many people are asked, or would be on the day it is to open. Reads the whole unit while it is a draft."""
    if wave.state == WaveState.DRAFT:
        return audience_of(wave.unit, timezone.localdate(wave.opens_at), wave.cut_attribute).n
    return WaveNode.objects.filter(wave=wave, parent_code="").values_list("eligible", flat=True).first() or 0
