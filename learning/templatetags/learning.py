from __future__ import annotations

from datetime import date, datetime

from django import template
from django.utils import formats, timezone

from competencies.diagnosing import Offer
from competencies.models import Evidence
from competencies.selectors import Moved, levels_moved
from competencies.wording import moved_words
from courses.models import CoursePage, Enrolment
from learning import evaluation_words, recurring, selectors, wording
from learning.evaluation_results import Span
from learning.extensions import AskedView
from learning.selectors import ChangeView, PathView, StepView
from learning.service_trends import ServiceTrend, trends_beside
from organisations.models import User
from readiness.models import Initiative

register = template.Library()

register.filter("what_removes", wording.what_removes)
register.filter("change_words", wording.change_words)
register.filter("outcome_words", evaluation_words.outcome_words)
register.filter("signed", evaluation_words.signed)


@register.filter
def reasons(step: StepView) -> list[str]:
    return wording.why_here(step)


@register.filter
def offers_beside(step: StepView, offers: dict[int, Offer]) -> list[Offer]:
    """The diagnostics that can show what a step is there for, or a part of it."""
    found = [offers.get(line.competency.pk) for line, _closing in step.closes]
    return [offer for offer in found if offer is not None and (offer.can_close or offer.begun)]


@register.filter
def offers_instead(step: StepView, offers: dict[int, Offer]) -> list[Offer]:
    """The diagnostics that together can show everything a step is there for, so that it would not be needed."""
    found = offers_beside(step, offers)
    return found if len(found) == len(step.closes) and all(offer.can_close for offer in found) else []


@register.filter
def closing(pair: tuple) -> str:
    line, what = pair
    return wording.closing_words(line, what)


@register.filter
def unclosed(pair: tuple) -> str:
    line, what = pair
    return wording.unclosed_words(line, what)


@register.filter
def timing(step: StepView, timings: dict[int, selectors.Timing]) -> selectors.Timing | None:
    """When a step begins and ends at the person's pace."""
    return timings.get(step.step.pk)


@register.simple_tag
def why_next(step: StepView, due_on: date | None) -> str:
    """The reason on the "next" card, with the due date where there is one."""
    return wording.why_next(step, due_on)


@register.simple_tag
def path_now(person: User) -> PathView:
    """The person's path as it stands, for pages of floors below."""
    return selectors.path_of(person)


@register.simple_tag
def changes_caused(enrolment: Enrolment) -> list[ChangeView]:
    """What completing this course changed on the path; empty when it changed nothing."""
    plan = selectors.plan_caused_by(enrolment)
    return selectors.change_views([plan])[plan.pk] if plan else []


@register.simple_tag
def path_changes_after(person: User, moment: datetime) -> list[ChangeView]:
    """What evidence recorded or withdrawn at a moment changed on the path; empty when it changed nothing."""
    plan = selectors.plan_made_after(person, moment)
    return selectors.change_views([plan])[plan.pk] if plan else []


@register.simple_tag
def changes_by(evidence: Evidence) -> list[ChangeView]:
    """What a piece of evidence changed on the path; empty when it changed nothing."""
    plan = selectors.plan_after(evidence)
    return selectors.change_views([plan])[plan.pk] if plan else []


@register.simple_tag
def levels_shown(enrolment: Enrolment) -> list[Moved]:
    """The levels a completed course gave evidence for, before and after."""
    return levels_moved(enrolment.person, f"enrolment:{enrolment.pk}")


register.filter("moved_words", moved_words)


# --- What comes round ----------------------------------------------------------------------------------------------
register.filter("recurrence_words", wording.recurrence_words)


@register.filter
def turn_kind(turn: recurring.Turn) -> str:
    """The shape and colour of a period's status."""
    return wording.TURN_WORDS[turn.status][0]


@register.filter
def turn_words(turn: recurring.Turn) -> str:
    return str(wording.TURN_WORDS[turn.status][1])


@register.simple_tag
def rounds_of(person: User) -> tuple[recurring.Round, ...]:
    """What comes round for a person."""
    return recurring.rounds_of(person, timezone.localdate())


@register.simple_tag
def due_again(person: User, course: CoursePage) -> date | None:
    """By when somebody who has passed this course is to take it again; None while she need not."""
    return recurring.due_again(person, course.key, timezone.localdate())


@register.simple_tag
def more_time(step: StepView, asked: tuple[AskedView, ...]) -> AskedView | None:
    """What a person may ask more time for beside a step with a date: of those behind it, or behind its date, the first due."""
    if step.step.due_on is None:
        return None
    behind = {assignment.pk for assignment in step.asked_by}
    found = [
        item
        for item in asked
        if item.can_be_extended
        and (item.assignment.pk in behind or (not behind and item.assignment.due_on == step.step.due_on))
    ]
    return found[0] if found else None


@register.simple_tag
def service_trends(initiative: Initiative) -> list[ServiceTrend]:
    """Figures of services in the units of a change, before it began and of late."""
    return trends_beside(initiative)


@register.filter
def months(span: Span) -> str:
    """The first and the last month, once where they are one."""
    first, last = (formats.date_format(month, "YEAR_MONTH_FORMAT") for month in span)
    return first if first == last else f"{first} – {last}"
