"""What is done about what people said: by whom, by when, and what staff will notice. Overdue ones are seen one level up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Case, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log
from wagtail.models import ModelLogEntry

from organisations.models import Appointment, Unit, User
from readiness.enums import MAX_OPEN_ACTIONS, ActionStatus, TeamRole
from readiness.journey_mails import tell_owner
from readiness.models import Action, Initiative, TeamMember, Wave
from readiness.perms import manages_unit, may_run, unit_of, units_managed

MAX_DAYS_AHEAD = 366


class ActionRefused(ValueError):
    """An action that cannot be set or changed; the text is a sentence for the person, `field` what is wrong."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


def may_act(user: User, initiative: Initiative, unit: Unit) -> bool:
    """Who leads the unit or one above it, and who runs the change."""
    return may_run(user, initiative) or manages_unit(user, unit)


def possible_owners(by: User, initiative: Initiative, unit: Unit, day: date) -> QuerySet[User]:
    """Whom `by` may name: herself, those of the unit and below it, those she may look at anyway, and who runs the change."""
    here = Appointment.objects.current(day).filter(person=OuterRef("pk"), post__unit__path__startswith=unit.path)
    team = TeamMember.objects.filter(
        person=OuterRef("pk"), initiative=initiative, role__in=[TeamRole.SPONSOR, TeamRole.LEAD]
    )
    seen = User.objects.visible_to(by, day).values("pk")
    return User.objects.active().filter(Q(pk=by.pk) | Exists(here) | Exists(team) | Q(pk__in=seen))


@transaction.atomic
def set_action(
    *, initiative: Initiative, unit: Unit, wave: Wave | None, block: str, text: str, owner: User, due_on: date,
    what_staff_will_notice: str, by: User, day: date | None = None,
) -> Action:  # fmt: skip
    """Agree on an action; `wave` is the survey it answers. Who is named for it by somebody else gets a mail.

    The same action for the same unit while it is open is one, whoever presses twice. Raises ActionRefused.
    """
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
    if not possible_owners(by, initiative, unit, today).filter(pk=owner.pk).exists():
        raise ActionRefused(_("Choose somebody of this unit, or of the change team."), "owner")
    if wave is not None and (wave.initiative_id != initiative.pk or not wave.has_results):
        raise ActionRefused(_("This survey has no results to act on."))
    if block and (wave is None or block not in {asked["code"] for asked in wave.questionnaire["blocks"]}):
        raise ActionRefused(_("The survey did not ask about this."))
    known = Action.objects.filter(initiative=initiative, unit=unit, wave=wave, block=block, text=text, owner=owner)
    same = known.open().filter(due_on=due_on).first()
    if same is not None:
        return same
    if Action.objects.open().filter(initiative=initiative, unit=unit).count() >= MAX_OPEN_ACTIONS:
        sentence = _(
            "There are %(count)s open actions here already: finish one first. "
            "Few that happen are better than many that do not."
        )
        raise ActionRefused(sentence % {"count": MAX_OPEN_ACTIONS})
    action = Action.objects.create(
        initiative=initiative, unit=unit, wave=wave, block=block, text=text, owner=owner, due_on=due_on,
        what_staff_will_notice=notice, made_by=by, made_on=today,
    )  # fmt: skip
    log(instance=initiative, action="readiness.set_action", user=by, data={"action": action.pk, "unit": unit.pk})
    if owner.pk != by.pk:
        tell_owner(action)
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


# --- Reading ---------------------------------------------------------------------------------------------------------
def overdue_seen_by(user: User, initiative: Initiative, unit: Unit, day: date) -> QuerySet[Action]:
    """Overdue actions of a change that somebody who leads `unit` sees: of it and of all below, so that what nobody ends is
    seen one level up; her own; and, for who runs the change, those of the unit that is changed as a whole, above which
    nobody leads."""
    seen = Q(unit__path__startswith=unit.path) | Q(owner=user)
    if may_run(user, initiative):
        seen |= Q(unit=initiative.unit)
    return Action.objects.overdue(day).filter(seen, initiative=initiative).select_related("owner", "unit", "initiative")


def in_order(actions: QuerySet[Action], day: date) -> QuerySet[Action]:
    """As one reads them: overdue ones, open ones, done ones, dropped ones; the nearest date first."""
    place = Case(
        When(status=ActionStatus.OPEN, due_on__lt=day, then=Value(0)),
        When(status=ActionStatus.OPEN, then=Value(1)),
        When(status=ActionStatus.DONE, then=Value(2)),
        default=Value(3),
        output_field=IntegerField(),
    )
    return actions.select_related("owner", "unit").order_by(place, "due_on", "pk")


def actions_of_line(initiative: Initiative, unit: Unit, day: date | None = None) -> QuerySet[Action]:
    """Actions of a unit and of those above it: what its people will notice."""
    line = [unit.path[:end] for end in range(Unit.steplen, len(unit.path) + 1, Unit.steplen)]
    rows = Action.objects.filter(initiative=initiative, unit__path__in=line)
    return in_order(rows, day or timezone.localdate())


def actions_for(user: User, initiative: Initiative, day: date) -> QuerySet[Action]:
    """Staff see those of their line of units, who leads also those below, who does one her own, who runs the change all."""
    rows = Action.objects.filter(initiative=initiative)
    if not may_run(user, initiative):
        unit = unit_of(user, day)
        ends = range(Unit.steplen, len(unit.path) + 1, Unit.steplen) if unit is not None else ()
        seen = Q(owner=user) | Q(unit__path__in=[unit.path[:end] for end in ends] if unit is not None else [])
        for top in units_managed(user, day):
            seen |= Q(unit__path__startswith=top.path)
        rows = rows.filter(seen)
    return in_order(rows, day)


@dataclass(frozen=True)
class Moved:
    """An action has another date than it once had: the first one, and why it was moved last."""

    first: date
    reason: str


def moves_of(initiative: Initiative, actions: Iterable[Action]) -> dict[int, Moved]:
    """Which of these actions were moved, by id, out of the audit log: a date is never moved quietly. One query."""
    wanted = {action.pk for action in actions}
    found: dict[int, Moved] = {}
    if not wanted:
        return found
    entries = ModelLogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Initiative),
        object_id=str(initiative.pk),
        action="readiness.move_action",
    ).order_by("timestamp", "pk")
    for data in entries.values_list("data", flat=True):
        pk = data["action"]
        if pk in wanted:
            first = found[pk].first if pk in found else date.fromisoformat(data["from"])
            found[pk] = Moved(first, data["reason"])
    return found
