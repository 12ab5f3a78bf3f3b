from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import template

from competencies import wording
from competencies.browsing import Asked
from competencies.enums import CompetencyKind
from competencies.gaps import Required
from competencies.levels import Level
from competencies.models import Competency
from competencies.selectors import Line, Scale, Standing

register = template.Library()


@register.inclusion_tag("competencies/partials/_line.html")
def competency_line(line: Line, own: bool = True, size: str = "normal") -> dict[str, Any]:
    """The level bar of a required competency and the sentence beside it."""
    return {
        "bar": bar_values(line.level, line.required.rank, line.scale, True),
        "sentence": wording.line_sentence(line, own=own),
        "size": size,
    }


@register.inclusion_tag("competencies/partials/_line.html")
def level_line(level: Level, scale: Scale, sentence: str, required: Any = None, size: str = "normal") -> dict[str, Any]:
    """The same for a level outside a list of requirements; `required` is competencies.gaps.Required or None."""
    rank = required.rank if required is not None else None
    return {"bar": bar_values(level, rank, scale, required is not None), "sentence": sentence, "size": size}


def bar_values(level: Level, required: int | None, scale: Scale, is_required: bool) -> dict[str, Any]:
    return {
        "held": level.rank,
        "declared": level.declared or 0,
        "required": ("any" if required is None else required) if is_required else None,
        "max": scale.max_rank,
    }


@register.filter
def required_of(standing: Standing, competency: Competency) -> Required | None:
    """What a person's roles ask for in a competency; None where none of them asks."""
    line = standing.line(competency.pk)
    return line.required if line else None


@register.filter
def shortened(text: object, most: int) -> str:
    """A text cut between two words, with an ellipsis, where it is longer than so many characters."""
    words = str(text)
    if len(words) <= most:
        return words
    kept = words[: most - 1]
    if not (kept[-1].isspace() or words[most - 1].isspace()):  # within a word
        kept = kept.rsplit(None, 1)[0]
    return f"{kept.rstrip(' ,;:–-(')}…"


@register.filter
def line_words(line: Line) -> str:
    return wording.line_sentence(line, own=False)


@register.filter
def kind_counts(kinds: Iterable[tuple[str, int]]) -> str:
    """ "946 tasks · 662 pieces of knowledge"."""
    return " · ".join(wording.count_words(kind, count) for kind, count in kinds)


@register.filter
def kind_name(kind: str) -> str:
    return str(CompetencyKind(kind).label)


@register.simple_tag
def asked_for(asked: Asked, scale: Scale) -> str:
    return wording.asked_words(asked.rank, scale)


@register.filter
def difference_words(difference: int | None) -> str:
    return wording.difference_words(difference)


@register.filter
def of_version(scales: Mapping[int, Scale], version_id: int) -> Scale:
    """The scale of a framework version among several."""
    return scales[version_id]
