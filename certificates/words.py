"""How a certificate puts dates, durations and levels into words: the same on paper and on the screen."""

from __future__ import annotations

from datetime import date

from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from certificates.record import Claim, Level


def date_in_words(day: date) -> str:
    """ "3 March 2026", "3 de marzo de 2026": Django's own form, but British in English."""
    return date_format(day, "j F Y" if (get_language() or "en").startswith("en") else "DATE_FORMAT")


def duration_in_words(minutes: int) -> str:
    """ "2 hours 30 minutes"; what is nought is left out."""
    hours, rest = divmod(minutes, 60)
    parts = []
    if hours:
        parts.append(ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": hours})
    if rest or not hours:
        parts.append(ngettext("%(count)s minute", "%(count)s minutes", rest) % {"count": rest})
    return " ".join(parts)


def level_in_words(level: Level, label: str | None = None) -> str:
    """ "Level 4 of 5 · Leads others". `label` stands in for the level's own where that cannot be written."""
    return _("Level %(step)s of %(steps)s · %(label)s") % {
        "step": level.step,
        "steps": level.steps,
        "label": level.label if label is None else label,
    }


def outcomes_heading(claim: Claim) -> str:
    """What the list of competencies is a list of."""
    if not claim.assessed:
        return _("Competencies it is about") if claim.kind != "course" else _("Competencies the course is about")
    if any(outcome.level for outcome in claim.outcomes):
        return _("Competencies and levels shown")
    return _("Competencies shown")
