"""What is done about what people said: by whom, by when, and what staff will notice. Overdue ones are seen one level up."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from organisations.models import Unit, User
from readiness.enums import MAX_OPEN_ACTIONS, ActionStatus
from readiness.models import Action, Initiative, Wave
from readiness.perms import manages_unit, may_run, units_managed

MAX_DAYS_AHEAD = 366


class ActionRefused(ValueError):
    """An action that cannot be set or changed; the text is a sentence for the person, `field` what is wrong."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


def may_act(user: User, initiative: Initiative, unit: Unit) -> bool:
    """Who leads the unit or one above it, and who runs the change."""
    return may_run(user, initiative) or manages_unit(user, unit)


@transaction.atomic
def set_action(
    *, initiative: Initiative, unit: Unit, wave: Wave | None, block: str, text: str, owner: User, due_on: date,
    what_staff_will_notice: str, by: User, day: date | None = None,
) -> Action:  # fmt: skip
    """Agree on an action. The same action for the same unit twice is one. Raises ActionRefused."""
    today = day or timezone.localdate()
    # The initiative's row is the gate: the number of open actions is counted and added to in one go.
    initiative = Initiative.objects.select_for_update(of=("self",)).select_related("unit").get(pk=initiative.pk)
    if not unit.path.startswith(initiative.unit.path):
        raise ActionRefused(_("This unit is not part of the change."), "unit")
    if not may_act(by, initiative, unit):
        raise ActionRefused(_("Actions of a unit are set by who leads it, or by the change team."))
    text, notice = " ".join(text.split()), " ".join(what_staff_will_notice.split())
    if not text:
        raise ActionRefused(_("Say what is done."), "text")
    if not notice:
        raise ActionRefused(
            _("Say what staff will notice of it: else it is done on paper only."), "what_staff_will_notice"
        )
    if not today <= due_on <= today + timedelta(days=MAX_DAYS_AHEAD):
        raise ActionRefused(_("Choose a date within the next year."), "due_on")
    if not owner.is_active:
        raise ActionRefused(_("Choose somebody who works here."), "owner")
    if wave is not None and (wave.initiative_id != initiative.pk or not wave.has_results):
        raise ActionRefused(_("This survey has no results to act on."))
    known = Action.objects.filter(initiative=initiative, unit=unit, wave=wave, block=block, text=text, owner=owner)
    same = known.open().filter(due_on=due_on).first()
    if same is not None:
        return same
    if Action.objects.open().filter(initiative=initiative, unit=unit).count() >= MAX_OPEN_ACTIONS:
        raise ActionRefused(
            _(
                "There are %(count)s open actions here already: finish one first. Few that happen are better than many that do not."
            )
            % {"count": MAX_OPEN_ACTIONS}
        )
    action = Action.objects.create(
        initiative=initiative, unit=unit, wave=wave, block=block, text=text, owner=owner, due_on=due_on,
        what_staff_will_notice=notice, made_by=by, made_on=today,
    )  # fmt: skip
    log(instance=initiative, action="readiness.set_action", user=by, data={"action": action.pk, "unit": unit.pk})
    return action


@transaction.atomic
def end_action(*, action: Action, status: str, outcome: str, by: User) -> Action:
    """Done, or dropped with a reason; staff read what came of it. Twice is once."""
    action = Action.objects.select_for_update(of=("self",)).select_related("initiative__unit", "unit").get(pk=action.pk)
    if not (may_act(by, action.initiative, action.unit) or action.owner_id == by.pk):
        raise ActionRefused(_("An action is ended by who does it, who leads the unit, or the change team."))
    if action.status != ActionStatus.OPEN:
        return action
    outcome = " ".join(outcome.split())
    if status not in (ActionStatus.DONE, ActionStatus.DROPPED) or not outcome:
        raise ActionRefused(_("Say in a sentence what came of it: staff read it."), "outcome")
    action.status, action.outcome, action.ended_on = status, outcome, timezone.localdate()
    action.save(update_fields=["status", "outcome", "ended_on"])
    log(
        instance=action.initiative, action="readiness.end_action", user=by, data={"action": action.pk, "status": status}
    )
    return action


@transaction.atomic
def move_action(*, action: Action, due_on: date, reason: str, by: User) -> Action:
    """A later date, with a reason that is kept: moving it quietly would be worse than being late."""
    action = Action.objects.select_for_update(of=("self",)).select_related("initiative__unit", "unit").get(pk=action.pk)
    if not may_act(by, action.initiative, action.unit):
        raise ActionRefused(_("The date is moved by who leads the unit, or by the change team."))
    if action.status != ActionStatus.OPEN:
        raise ActionRefused(_("This action has ended."))
    if not reason.strip():
        raise ActionRefused(_("Say why it takes longer."), "reason")
    if not timezone.localdate() <= due_on <= timezone.localdate() + timedelta(days=MAX_DAYS_AHEAD):
        raise ActionRefused(_("Choose a date within the next year."), "due_on")
    if due_on != action.due_on:
        log(
            instance=action.initiative, action="readiness.move_action", user=by,
            data={"action": action.pk, "from": action.due_on.isoformat(), "to": due_on.isoformat(), "reason": reason.strip()[:300]},
        )  # fmt: skip
        action.due_on = due_on
        action.save(update_fields=["due_on"])
    return action


def overdue_above(user: User, day: date) -> QuerySet[Action]:
    """Overdue actions of the units she leads and of all below: an action that nobody ends is seen one level up."""
    within = Q(pk__in=[])
    for unit in units_managed(user, day):
        within |= Q(unit__path__startswith=unit.path)
    return Action.objects.overdue(day).filter(within).select_related("owner", "unit", "initiative")


def actions_of_line(initiative: Initiative, unit: Unit) -> QuerySet[Action]:
    """Actions of a unit and of those above it: what its people will notice."""
    line = [unit.path[:end] for end in range(Unit.steplen, len(unit.path) + 1, Unit.steplen)]
    rows = Action.objects.filter(initiative=initiative, unit__path__in=line)
    return rows.select_related("owner", "unit").order_by("-status", "due_on", "pk")
