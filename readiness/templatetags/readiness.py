"""What pages of surveys draw: bars with their margin, words for verdicts, texts in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.translation import get_language, gettext_lazy

from readiness.models import Initiative, Wave
from readiness.perms import initiatives_for
from readiness.questionnaire import in_language
from readiness.result_words import (
    effect_words,
    figure_words,
    placebo_words,
    share,
    since_kind,
    since_range,
    since_words,
)
from readiness.results import Figure, Since, change_drawn
from readiness.surveys import minutes_of

register = template.Library()
CATEGORY_WORDS = {
    "leads": gettext_lazy("Leads people"),
    "leads_nobody": gettext_lazy("Leads nobody"),
    "under_2": gettext_lazy("Less than two years in the post"),
    "under_10": gettext_lazy("Two to ten years in the post"),
    "from_10": gettext_lazy("Ten years and more in the post"),
    "-": gettext_lazy("No grade"),
}
for said in (share, since_words, since_kind, since_range, effect_words, placebo_words):
    register.filter(said.__name__, said)


@register.filter
def in_my_language(text: Mapping[str, str] | None) -> str:
    """A text {language: words} for this reader."""
    return in_language(text or {}, get_language() or "")


@register.inclusion_tag("readiness/elements/score_bar.html")
def score_bar(figure: Figure) -> dict[str, Any]:
    """A bar from 0 to 100 with its margin as a line across the end; the words stand in its label."""
    if figure.score is None:
        return {"label": figure_words(figure), "score": None}
    margin = figure.margin or 0
    low, high = max(0, figure.score - margin), min(100, figure.score + margin)
    return {
        "label": figure_words(figure),
        "score": figure.score,
        "width": figure.score * 2,
        "low": low * 2,
        "range": (high - low) * 2 if figure.margin is not None else 0,
    }


@register.inclusion_tag("readiness/elements/change_bar.html")
def change_bar(since: Since) -> dict[str, Any]:
    """The change since the survey before as a point with its range; the line in the middle is no change."""
    words = ", ".join(word for word in (since_words(since), since_range(since)) if word)
    drawn = change_drawn(since)
    if drawn is None:
        return {"label": words, "range": None}
    low, point, high = (round(at * 200) for at in drawn)
    return {"label": words, "low": low, "point": point, "range": high - low}


@register.filter
def category_words(category: str) -> str:
    """A category of the declared attribute as people say it; grades are written as the public body writes them."""
    return str(CATEGORY_WORDS.get(category, category))


@register.filter
def heat(score: int | None) -> int:
    """Which fifth of the scale a figure is in; 0 where there is none."""
    return 0 if score is None else min(5, score // 20 + 1)


@register.filter
def statements(block: Mapping[str, Any]) -> Any:
    """The items of a block: in a template `.items` would be the method of a mapping."""
    return block["items"]


@register.simple_tag(takes_context=True)
def changes_under_way(context: template.Context) -> list[Initiative]:
    """Public changes for everybody; for who is signed in those of her unit too, three at most."""
    user = context["user"]
    rows = initiatives_for(user) if user.is_authenticated else Initiative.objects.filter(is_public=True)
    return list(rows.under_way().select_related("unit")[:3])


@register.filter
def minutes_to_answer(wave: Wave) -> int:
    """About how long a survey takes."""
    return minutes_of(wave.questionnaire)
