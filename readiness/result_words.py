"""Figures in words, the same on pages, in spreadsheets and on paper."""

from __future__ import annotations

from django.utils.translation import gettext, ngettext

from readiness.results import Figure, Since
from readiness.statistics.did import Effect
from readiness.statistics.display import Share, Verdict


def share(found: Share) -> str:
    """A share as it may be said: near the ends only a bound."""
    if found.bound == "<=":
        return gettext("%(pct)s %% or less") % {"pct": found.pct}
    if found.bound == ">=":
        return gettext("%(pct)s %% or more") % {"pct": found.pct}
    return gettext("%(pct)s %%") % {"pct": found.pct}


def since_words(since: Since | None) -> str:
    """The change since the survey before, in words; with points only where something can be told."""
    if since is None:
        return ""
    if since.verdict == Verdict.TOO_FEW:
        return gettext("too few answers to tell")
    if since.verdict == Verdict.NO_CLEAR_CHANGE:
        return gettext("no clear change")
    values = {"points": abs(since.points or 0)}
    if since.verdict == Verdict.UP:
        return ngettext("up by about %(points)s point", "up by about %(points)s points", values["points"]) % values
    return ngettext("down by about %(points)s point", "down by about %(points)s points", values["points"]) % values


def since_range(since: Since | None) -> str:
    """Between which values the change lies, in points; empty where there are none."""
    if since is None or since.low is None or since.high is None:
        return ""
    return gettext("between %(low)s and %(high)s") % {"low": _signed_both(since.low), "high": _signed_both(since.high)}


def _signed_both(points: int) -> str:
    return f"+{points}" if points > 0 else _signed(points)


def since_kind(since: Since | None) -> str:
    """The mark that goes with the words."""
    kinds = {Verdict.UP: "done", Verdict.DOWN: "overdue"}
    return kinds.get(since.verdict, "neutral") if since is not None else "neutral"


def figure_words(figure: Figure) -> str:
    """The sentence behind a bar."""
    if figure.score is None:
        return gettext("Fewer answers than a group needs: no figure")
    if figure.margin is None:
        return gettext("%(score)s of 100; too few answers for a margin") % {"score": figure.score}
    return gettext("%(score)s of 100, give or take %(margin)s") % {"score": figure.score, "margin": figure.margin}


def effect_words(effect: Effect) -> str:
    """What training did as far as it can be said, always with what could not have been seen."""
    points, low, high = round(effect.effect), round(effect.low), round(effect.high)
    if not effect.is_proven:
        said = ngettext(
            "Not proven: %(points)s point between trained and other units (between %(low)s and %(high)s).",
            "Not proven: %(points)s points between trained and other units (between %(low)s and %(high)s).",
            abs(points),
        ) % {"points": _signed(points), "low": _signed(low), "high": _signed(high)}
    elif effect.effect >= 0:
        said = ngettext(
            "Trained units rose %(points)s point more than the others (between %(low)s and %(high)s).",
            "Trained units rose %(points)s points more than the others (between %(low)s and %(high)s).",
            points,
        ) % {"points": points, "low": low, "high": high}
    else:
        said = ngettext(
            "Trained units rose %(points)s point less than the others (between %(low)s and %(high)s).",
            "Trained units rose %(points)s points less than the others (between %(low)s and %(high)s).",
            -points,
        ) % {"points": -points, "low": -high, "high": -low}
    if effect.stands_alone and not effect.is_proven:
        said += " " + gettext("By itself it would stand; among all blocks looked at one like it comes by chance.")
    unseen = round(effect.unseen_below)
    beyond = ngettext(
        "An effect below %(unseen)s point could not have been seen.",
        "An effect below %(unseen)s points could not have been seen.",
        unseen,
    ) % {"unseen": unseen}
    return f"{said} {beyond}"


def _signed(points: int) -> str:
    """With the sign that is printed, not the hyphen."""
    return f"−{-points}" if points < 0 else str(points)


def placebo_words(effect: Effect) -> str:
    """Whether trained units had risen more already before most of the training: then it was not the training."""
    points = round(effect.effect)
    values = {"points": _signed(points)}
    if effect.is_proven:
        return (
            ngettext(
                "They already differed by %(points)s point at the survey between: it may not be the training.",
                "They already differed by %(points)s points at the survey between: it may not be the training.",
                abs(points),
            )
            % values
        )
    return (
        ngettext(
            "At the survey between they did not differ clearly (%(points)s point).",
            "At the survey between they did not differ clearly (%(points)s points).",
            abs(points),
        )
        % values
    )
