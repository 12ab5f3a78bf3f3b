from __future__ import annotations

from typing import Any

from django import template

from courses.marking import Marked, Question

register = template.Library()


@register.filter
def get_item(mapping: dict[Any, Any], key: Any) -> Any:
    """A value of a dictionary by a key that is itself a variable; None where it is missing."""
    return mapping.get(key)


@register.filter
def is_chosen(marked: Marked, option_id: str) -> bool:
    """Whether this option was chosen."""
    answer = marked.answer
    return option_id in answer if isinstance(answer, list) else answer == option_id


@register.filter
def chosen_right(marked: Marked, pair_id: str) -> str:
    """Which right-hand side was chosen for this pair ("" for none)."""
    return marked.answer.get(pair_id, "") if isinstance(marked.answer, dict) else ""


@register.filter
def typed(marked: Marked) -> str:
    return marked.answer if isinstance(marked.answer, str) else ""


@register.filter
def field_name(question: Question) -> str:
    return f"q-{question.id}"


@register.simple_tag
def option_mark(marked: Marked, option: Any, show: bool) -> str:
    """After grading: how an option is shown (elements.choice), "" before or where there is nothing to say."""
    if not show:
        return ""
    chosen = is_chosen(marked, option.id)
    if option.correct:
        several = sum(other.correct for other in marked.question.options) > 1
        return "right" if chosen else "missed" if several else "answer"
    return "wrong" if chosen else ""
