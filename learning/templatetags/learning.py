from __future__ import annotations

from datetime import date

from django import template

from learning import selectors, wording
from learning.selectors import ChangeView, PathView, StepView
from organisations.models import User

register = template.Library()

register.filter("what_removes", wording.what_removes)
register.filter("change_words", wording.change_words)


@register.filter
def reasons(step: StepView) -> list[str]:
    return wording.why_here(step)


@register.filter
def closing(pair: tuple) -> str:
    line, what = pair
    return wording.closing_words(line, what)


@register.filter
def unclosed(pair: tuple) -> str:
    line, what = pair
    return wording.unclosed_words(line, what)


@register.simple_tag
def why_next(step: StepView, due_on: date | None) -> str:
    """The reason on the "next" card, with the due date where there is one."""
    return wording.why_next(step, due_on)


@register.simple_tag
def path_now(person: User) -> PathView:
    """The person's path as it stands, for pages of floors below."""
    return selectors.path_of(person)


@register.simple_tag
def latest_changes(person: User) -> list[ChangeView]:
    """What the latest plan changed; empty when it changed nothing."""
    plans = selectors.recent_changes(person, limit=1)
    return selectors.change_views(plans).get(plans[0].pk, []) if plans else []
