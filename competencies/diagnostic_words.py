"""What a diagnostic found, in sentences for people who do not read statistics."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from competencies.diagnosing import BROKEN_OFF, Offer, Part, Result
from competencies.enums import DiagnosticEnd
from competencies.gaps import Required
from competencies.selectors import Scale
from competencies.wording import level_words


def how_sure(chance: float) -> str:
    """A probability in everyday words; the figure stands beside it."""
    words = [
        (0.95, _("almost certain")),
        (0.80, _("very likely")),
        (0.60, _("likely")),
        (0.40, _("about as likely as not")),
        (0.20, _("not likely")),
    ]
    return next((word for least, word in words if chance >= least), _("hardly likely"))


def percent(chance: float) -> int:
    """Whole per cent; what is not certain is never shown as certain."""
    return min(99, max(1, round(100 * chance)))


def chance_words(rank: int, chance: float, scale: Scale) -> str:
    """ "At least level 2 (with guidance): very likely" """
    if not scale.is_stated:
        return _("Held: %(sure)s") % {"sure": how_sure(chance)}
    return _("At least %(level)s: %(sure)s") % {"level": level_words(rank, scale), "sure": how_sure(chance)}


def of_a_hundred(chance: float) -> str:
    return _("%(count)s of 100") % {"count": percent(chance)}


def likely_words(result: Result) -> str:
    """The most likely level, and how likely it is."""
    values = {"level": level_words(result.most_likely, result.scale), "count": percent(result.most_likely_chance)}
    if not result.scale.is_stated:
        return (
            _("Your answers speak for it: of 100 people who answer as you did, about %(count)s hold it.")
            if result.most_likely
            else _(
                "Your answers do not show it yet: of 100 people who answer as you did, about %(count)s do not hold it."
            )
        ) % values
    return (
        _("Your answers fit %(level)s best: of 100 people who answer as you did, about %(count)s are at this level.")
        % values
    )


def recorded_words(result: Result) -> str:
    """Which level is shown by the answers, and why not a higher one."""
    values = {
        "level": level_words(result.recorded, result.scale),
        "pct": round(100 * result.certainty),
        "likely": level_words(result.most_likely, result.scale),
        "cap": result.cap,
        "count": percent(dict(result.chances).get(result.recorded, 0.0)),
    }
    if not result.recorded:
        return (
            _("No level is shown yet: a level counts as shown once it is at least %(pct)s %% sure, and none is.")
            % values
        )
    said = (
        _("Shown: %(level)s. That is the highest level that is at least %(pct)s %% sure (%(count)s of 100).") % values
    )
    if result.most_likely > result.cap:
        return (
            said
            + " "
            + _("A diagnostic shows at most level %(cap)s; what lies above is shown by work, a course or a panel.")
            % values
        )
    if result.most_likely > result.recorded:
        return said + " " + _("You may well be at %(likely)s; for that the answers are not sure enough.") % values
    return said


def example_words(result: Result) -> str:
    """What "98 of 100" means, said of a figure that the page shows: the level that was recorded, else the lowest."""
    count = percent(dict(result.chances).get(result.recorded or 1, 0.0))
    return _(
        "“%(count)s of 100” means: of 100 people who answer as you did, about %(count)s are at this level or higher."
    ) % {"count": count}


def end_words(result: Result) -> str:
    """How many questions it took and why it ended; where it was broken off, only that."""
    count = len(result.questions)
    asked = ngettext("%(count)s question, %(right)s right.", "%(count)s questions, %(right)s right.", count) % {
        "count": count,
        "right": result.right,
    }
    why = {
        DiagnosticEnd.SURE: _("It ended because your level was sure enough."),
        DiagnosticEnd.LENGTH: _("It ended because it was long enough; more questions would say little more."),
        DiagnosticEnd.NO_ITEMS: _("It ended because there were no more questions that you had not seen."),
        DiagnosticEnd.STOPPED: _("You stopped it."),
        DiagnosticEnd.LEFT: _("It was left for 90 days and closed."),
    }[DiagnosticEnd(result.diagnostic.ended)]
    return why if result.diagnostic.ended in BROKEN_OFF else f"{asked} {why}"


def unchanged_words(result: Result, required: Required | None, more_to_do: Sequence[object]) -> str:
    """Why no course came to the path or left it."""
    moved = result.moved
    if moved is None or moved.after.rank <= moved.before.rank or required is None:
        return _("Nothing: your path stays as it was.")
    values = {"name": moved.competency}
    if moved.before.rank < required.rank_needed <= moved.after.rank:
        if not more_to_do:
            return _("“%(name)s” is now at the level your role needs. No course came or went.") % values
        return (
            _(
                "“%(name)s” is now at the level your role needs. The courses of your path stay: each leads to something else you need."
            )
            % values
        )
    return _("The gap in “%(name)s” is smaller. The courses of your path stay.") % values


def part_count(part: Part) -> str:
    """ "3 of 5", on one line."""
    return (_("%(right)s of %(asked)s") % {"right": part.right, "asked": part.asked}).replace(" ", "\xa0")


def part_words(part: Part) -> str:
    return {
        "strong": _("Went better than the rest"),
        "even": _("Like the rest"),
        "weak": _("Worth a look"),
    }[part.tells]


def offer_words(offer: Offer) -> str:
    """The words of the link."""
    if offer.begun:
        return _("Go on with the diagnostic")
    return _("Take the diagnostic (about %(minutes)s min)") % {"minutes": offer.minutes}


def offer_reason(offer: Offer) -> str:
    """Why the diagnostic is offered, beside a course that it can spare."""
    return _("Know “%(name)s” already? A diagnostic can show it without the course.") % {"name": offer.line.competency}
