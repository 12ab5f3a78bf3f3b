from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import template

from competencies import contests as contesting
from competencies import wording
from competencies.browsing import Asked
from competencies.enums import CompetencyKind
from competencies.gaps import Required
from competencies.level_page import Way
from competencies.levels import Level
from competencies.models import Competency, Contest, Evidence
from competencies.panel_rating import may_ask_panel, panels_to_rate, panels_under_way
from competencies.quizzes import may_record_quiz
from competencies.selectors import Line, Scale, Standing
from competencies.withdrawing import may_withdraw_among
from organisations.models import User

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


@register.simple_tag
def contests_about(rows: Mapping[int, Evidence], withdrawn: Iterable[Evidence] = ()) -> dict[int, Contest]:
    """The contest that says where each of these pieces stands. One query for all."""
    return contesting.contests_by_evidence({*rows, *(row.pk for row in withdrawn)})


@register.simple_tag
def contests_of(person: User) -> dict[int, Contest]:
    """The same for everything on record about one person. Two queries."""
    return contesting.contests_of(person)


@register.inclusion_tag("competencies/partials/_contest_link.html")
def contest_link(contests: Mapping[int, Contest], row: Evidence) -> dict[str, Any]:
    """For the person herself: contest this piece, or where her contest of it stands."""
    contest = contests.get(row.pk)
    if contesting.is_withdrawal_contestable(row, contest):
        contest = None  # what was decided before it was withdrawn
    return {"contest": contest, "row": row, "source": wording.source_words(row)}


@register.filter
def leads_to_contest(row: Evidence, contests: Mapping[int, Contest]) -> bool:
    """Whether there is something to say of a withdrawn piece: a contest of it, or that it can be contested."""
    return row.pk in contests or contesting.is_withdrawal_contestable(row, None)


@register.simple_tag
def withdrawable(reader: User, person: User, rows: Mapping[int, Evidence]) -> set[int]:
    """Which of these pieces about somebody else the reader may withdraw, by id."""
    return may_withdraw_among(reader, person, rows.values())


@register.inclusion_tag("competencies/partials/_withdraw_link.html")
def withdraw_link(row: Evidence) -> dict[str, Any]:
    return {"row": row, "source": wording.source_words(row)}


@register.inclusion_tag("competencies/partials/_rate_links.html", takes_context=True)
def rate_links(
    context: Mapping[str, Any], person: User, competency: Competency, ways: Sequence[Way] = ()
) -> dict[str, Any]:
    """What the reader may add to the record of somebody else beside her own assessment and the `ways` shown already."""
    reader, in_use = context["user"], competency.version.is_published
    may_ask = in_use and may_ask_panel(reader, person)
    return {
        "person": person,
        "competency": competency,
        "may_ask": may_ask and not any(way.code == "panel" and way.door for way in ways),
        "panels": panels_under_way(reader, person, competency) if may_ask else [],
        "may_record": in_use and may_record_quiz(reader, person),
    }


@register.inclusion_tag("competencies/partials/_quiz_link.html", takes_context=True)
def quiz_link(context: Mapping[str, Any], person: User, competency: Competency) -> dict[str, Any]:
    """For who decides: a quiz the person took elsewhere is recorded beside what is asked."""
    in_use = competency.version.is_published
    may_record = in_use and may_record_quiz(context["user"], person)
    return {"person": person, "competency": competency, "may_record": may_record}


@register.inclusion_tag("competencies/partials/_panels_to_rate.html")
def panels_waiting(person: User) -> dict[str, Any]:
    """What a panel asks of this person, for her desk; nothing where nothing waits. One query."""
    return {"ratings": panels_to_rate(person)[:10]}
