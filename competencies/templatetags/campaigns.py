"""What assessment campaigns ask of the reader, for the desks of the floors above."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _

from competencies import campaigns, wording
from competencies.selectors import Line
from organisations.models import User

register = template.Library()


@register.simple_tag
def campaign_tasks(person: User) -> list[campaigns.Task]:
    """What running campaigns still ask a person for. One query."""
    return campaigns.tasks_of(person, timezone.localdate())


@register.simple_tag
def campaign_confirmations(people: Sequence[User]) -> list[dict[str, Any]]:
    """Of a manager's people those who wait for her word, by campaign. One query."""
    by_id = {person.pk: person for person in people}
    found = campaigns.confirmations_of(list(by_id), timezone.localdate())
    return [{"campaign": item.campaign, "people": [by_id[pk] for pk in item.person_ids]} for item in found]


@register.filter
def persons(members: Sequence[Any]) -> list[User]:
    """The people of a team's rows."""
    return [member.person for member in members]


@register.simple_tag
def self_assessed(line: Line) -> str:
    """What the person said of herself, what is shown and what is needed, in one sentence."""
    said = wording.level_words(line.level.declared or 0, line.scale)
    shown = wording.level_words(line.level.rank, line.scale)
    if line.required.rank is None:
        return _("Self-assessed: %(said)s. Shown so far: %(shown)s.") % {"said": said, "shown": shown}
    needed = wording.level_words(line.required.rank, line.scale)
    return _("Self-assessed: %(said)s. Shown so far: %(shown)s. The role needs: %(needed)s.") % {
        "said": said,
        "shown": shown,
        "needed": needed,
    }
