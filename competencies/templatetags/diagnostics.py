from __future__ import annotations

from django import template

from competencies import diagnostic_words as words
from competencies.diagnosing import Offer, Result

register = template.Library()

register.filter("end_words", words.end_words)
register.filter("recorded_words", words.recorded_words)
register.filter("likely_words", words.likely_words)
register.filter("part_words", words.part_words)
register.filter("part_count", words.part_count)
register.filter("percent", words.percent)
register.filter("of_a_hundred", words.of_a_hundred)
register.filter("example_words", words.example_words)
register.filter("offer_words", words.offer_words)
register.filter("offer_reason", words.offer_reason)


register.simple_tag(words.unchanged_words)


@register.filter
def chance_words(result: Result, rank: int) -> str:
    return words.chance_words(rank, dict(result.chances)[rank], result.scale)


@register.filter
def chosen(mark: str) -> bool:
    """Whether an answer with this mark is the one that was given."""
    return mark in {"right", "wrong"}


@register.filter
def offer_of(offers: dict[int, Offer], competency_id: int) -> Offer | None:
    """The diagnostic offered for a competency, None where there is none."""
    return offers.get(competency_id)
