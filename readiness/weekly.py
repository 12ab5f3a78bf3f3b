"""The manager's card of the week: what to look at in her unit's change, small enough for one screen of a phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from organisations.models import Unit, User
from readiness.actions import overdue_seen_by
from readiness.enums import SuggestionKind, WaveState
from readiness.initiatives import ToAnswer, to_answer
from readiness.looking import managed_nodes
from readiness.models import Action, Initiative, Suggestion, Wave, WaveNode
from readiness.perms import initiatives_for, units_managed
from readiness.results import Figure, NoResult, Result, results_for
from readiness.statistics import display

LOW_SCORE, STRONG_SCORE = 60, 70
MANY_ACTIONS = 3


def to_talk_about(figures: Sequence[Figure], weights: Mapping[str, float]) -> Figure | None:
    """The block with the most to win, `display.to_talk_about`; None where no figure is clear.

    The strength of the unit is not what she should talk about first, also where nothing else is clear.
    """
    strength = strength_of(figures)
    others = [figure for figure in figures if figure is not strength]
    code = display.to_talk_about({figure.code: (figure.score, figure.margin) for figure in others}, weights)
    return next((figure for figure in figures if figure.code == code), None)


def strength_of(figures: Sequence[Figure]) -> Figure | None:
    """The highest clear figure, where it is high at all."""
    clear = [f for f in figures if f.score is not None and f.margin is not None and f.margin <= display.CLEAR_MARGIN]
    best = max(clear, key=lambda f: f.score or 0, default=None)
    return best if best is not None and (best.score or 0) >= STRONG_SCORE else None


def low_figures(figures: Sequence[Figure]) -> list[Figure]:
    """Blocks that ask for something to be done, the lowest first."""
    return sorted((f for f in figures if f.score is not None and f.score < LOW_SCORE), key=lambda f: f.score or 0)


def suggestions_for(codes: Sequence[str]) -> dict[str, list[Suggestion]]:
    """What helps where these blocks are low. One query."""
    found: dict[str, list[Suggestion]] = {}
    for suggestion in Suggestion.objects.filter(block__in=codes):
        found.setdefault(suggestion.block, []).append(suggestion)
    return found


@dataclass(frozen=True)
class WeekOfChange:
    """One initiative in one unit she leads. Every part may be missing; then there is nothing to do about it."""

    initiative: Initiative
    unit: Unit
    open_wave: Wave | None
    open_node: WaveNode | None
    result: Result | None
    result_wave: Wave | None
    strength: Figure | None
    talk: Figure | None
    guide: Suggestion | None
    # The first of them, and how many there are.
    overdue: tuple[Action, ...]
    all_overdue: int
    questions: ToAnswer | None
    needs_action: bool

    @property
    def is_quiet(self) -> bool:
        return not (self.open_wave or self.result or self.overdue or self.questions)


def weeks_of(user: User, day: date) -> list[WeekOfChange]:
    """A card for each change under way in the units she leads."""
    units = units_managed(user, day)
    if not units:
        return []
    found = []
    for initiative in initiatives_for(user, units).under_way().select_related("unit"):
        for unit in units:
            if unit.path.startswith(initiative.unit.path) or initiative.unit.path.startswith(unit.path):
                found.append(_week(user, initiative, unit, day))
                break
    return [week for week in found if not week.is_quiet]


def _week(user: User, initiative: Initiative, unit: Unit, day: date) -> WeekOfChange:
    waves = list(
        Wave.objects.filter(initiative=initiative, state__in=[WaveState.OPEN, WaveState.CLOSED])
        .select_related("initiative", "previous", "unit")
        .order_by("-opens_at", "-pk")[:10]
    )
    open_wave = next((wave for wave in waves if wave.state == WaveState.OPEN), None)
    closed = next((wave for wave in waves if wave.has_results), None)
    result, wave_node = None, None
    if closed is not None:
        nodes = managed_nodes(user, closed, day)
        wave_node = nodes[0] if nodes else None
        if wave_node is not None:
            try:
                result = results_for(closed, wave_node)
            except NoResult:
                result = None
    open_nodes = managed_nodes(user, open_wave, day) if open_wave else []
    talk = to_talk_about(result.figures, closed.summary.get("weights", {})) if result and closed else None
    guides = suggestions_for([talk.code]).get(talk.code, []) if talk else []
    actions = Action.objects.filter(initiative=initiative)
    below = actions.filter(unit__path__startswith=unit.path)
    overdue = list(overdue_seen_by(user, initiative, unit, day))
    questions = to_answer(user, initiative)
    answers = below.filter(wave=closed)
    if result and result.is_of_above:
        # Too few answered here: what was said is said with the unit above, and so is what is done about it.
        answers |= actions.filter(wave=closed, unit__code=result.shown.code)
    return WeekOfChange(
        initiative,
        unit,
        open_wave,
        open_nodes[0] if open_nodes else None,
        result,
        closed if result else None,
        strength_of(result.figures) if result else None,
        talk,
        next((guide for guide in guides if guide.kind == SuggestionKind.GUIDE), guides[0] if guides else None),
        tuple(overdue[:MANY_ACTIONS]),
        len(overdue),
        questions,
        bool(result) and not answers.exists(),
    )
