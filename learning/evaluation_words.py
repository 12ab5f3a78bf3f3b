"""What came of a service figure, in words: always with what could not have been seen."""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from learning.evaluation_results import MeasureOutcome
from readiness.statistics.did import LEAST_UNITS


def signed(value: float) -> str:
    """A change with its sign, one decimal, as the reader writes numbers: −1,5."""
    words = number_format(abs(value), 1)
    return f"+{words}" if value > 0.05 else f"−{words}" if value < -0.05 else words


def outcome_words(outcome: MeasureOutcome) -> str:
    """One or two sentences on what the figure tells of the course."""
    if outcome.before is None or outcome.after is None:
        return _(
            "Not to be told yet: it takes figures of months before anybody had completed the course, and of months after."
        )
    if not outcome.units:
        return _("Not to be told: no unit has figures of both before and after.")
    effect = outcome.effect
    if effect is None:
        counts = {"trained": len(outcome.trained), "others": len(outcome.others), "least": LEAST_UNITS}
        return (
            _(
                "Not to be told: %(trained)s units in which at least half completed the course, %(others)s others; it takes "
                "%(least)s of each."
            )
            % counts
        )
    values = {
        "effect": signed(effect.effect), "low": signed(effect.low), "high": signed(effect.high),
        "unseen": number_format(effect.unseen_below, 1),
    }  # fmt: skip
    unseen = _("An effect below %(unseen)s could not have been seen.") % values
    if outcome.is_better is None:
        said = _("Not proven: %(effect)s between units that took the course and others (between %(low)s and %(high)s).")
    elif outcome.is_better:
        said = _("Better where the course was taken: %(effect)s against the others (between %(low)s and %(high)s).")
    else:
        said = _("Worse where the course was taken: %(effect)s against the others (between %(low)s and %(high)s).")
    return f"{said % values} {unseen}"
