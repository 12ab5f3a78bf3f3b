"""What pages of a change draw beside the shared elements: first paragraphs, roles by name, hours that wait for a word."""

from __future__ import annotations

from django import template
from django.utils import timezone
from django.utils.translation import gettext

from competencies.models import RoleProfile
from organisations.models import User
from organisations.plain_text import without_links
from readiness.enums import IMPACT_STRENGTHS
from readiness.initiatives import hours_to_decide
from readiness.models import Champion

register = template.Library()


@register.filter
def first_paragraph(text: object) -> str:
    """What stands before the first empty line, for a glance."""
    paragraphs = without_links("" if text is None else str(text)).replace("\r\n", "\n").strip().split("\n\n")
    return " ".join(paragraphs[0].split())


@register.filter
def strength_words(strength: int) -> str:
    """How much changes, 0 to 3, in words."""
    return str(dict(IMPACT_STRENGTHS)[strength])


@register.inclusion_tag("readiness/elements/impact_mark.html")
def impact_mark(strength: int) -> dict[str, list[bool]]:
    """How much changes as three squares, as many of them filled; the words stand beside it."""
    return {"squares": [number < strength for number in range(3)]}


@register.filter
def role_and_grade(profile: RoleProfile) -> str:
    """The role, and its grade where it has one: a grade alone says too little among other roles."""
    role, grade = str(profile.role), str(profile.grade)
    return gettext("%(role)s, %(grade)s") % {"role": role, "grade": grade} if grade and grade != role else role


@register.simple_tag
def hours_waiting(user: User) -> list[Champion]:
    """Champions whose hours wait for this manager's word."""
    return hours_to_decide(user, timezone.localdate())
