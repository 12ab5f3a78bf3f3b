"""What a person decides about her own path: pin a course, decline one with a reason, hours a week - and "what if"."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.conf import settings
from django.db import transaction
from django.db.models import FilteredRelation, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from competencies.models import RoleProfile
from courses.models import CoursePage
from courses.selectors import offered_courses
from learning.enums import PlanReason, WishKind
from learning.inputs import Inputs, Shelf, read_inputs, solve
from learning.models import Assignment, LearnerSettings, StepWish
from learning.planning import Pace, Plan, Step
from learning.room import minutes_left_by_course
from learning.services import replan
from organisations.models import User

LEAST_WEEKLY, MOST_WEEKLY = 15, 2400
MOST_REASON = 500
MOST_REASONS = 50


class WishRefused(Exception):
    """A wish that cannot be kept; the text is a sentence for the person."""


@transaction.atomic
def pin_course(*, person: User, key: str, by: User) -> StepWish:
    """Keep a course on the path whatever else changes. Raises WishRefused for a course that is not offered."""
    page = _offered_page(key)
    return _wish(person, page, WishKind.PINNED, "", by)


@transaction.atomic
def decline_course(*, person: User, key: str, reason: str, by: User) -> StepWish:
    """Take a recommended course off the path. Raises WishRefused without a reason, and for what is mandatory."""
    page, reason = _offered_page(key), " ".join(reason.split())
    if not reason:
        raise WishRefused(_("Say why, so that whoever plans courses learns from it."))
    if len(reason) > MOST_REASON:
        raise WishRefused(_("Say it in 500 characters at most."))
    today = timezone.localdate()
    inputs = read_inputs([person.pk], day=today)[person.pk]
    asking = {pk for ids in inputs.asked_by.values() for pk in ids}
    mandatory = set(Assignment.objects.filter(pk__in=asking, mandatory=True).values_list("pk", flat=True))
    required = {m.key for m in inputs.mandatory}
    if key in required and mandatory & set(inputs.asked_by.get(key, ())):
        raise WishRefused(
            _("“%(course)s” is mandatory for you. Ask your manager for a later date, or your HR unit to exempt you.")
            % {"course": page.title}
        )
    return _wish(person, page, WishKind.DECLINED, reason, by)


@transaction.atomic
def withdraw_wish(*, person: User, key: str, by: User) -> None:
    """Let the planner decide again. Doing it twice leaves the same state."""
    _lock(person)
    wish = StepWish.objects.filter(person=person, course_key=key, withdrawn_at__isnull=True).first()
    if wish is None:
        return
    wish.withdrawn_at = timezone.now()
    wish.save(update_fields=["withdrawn_at"])
    log(instance=person, action="learning.withdraw_wish", user=by, data={"course": key, "wish": wish.kind})
    replan(person=person, reason=PlanReason.WISH)


@transaction.atomic
def set_pace(*, person: User, weekly_minutes: int | None, by: User) -> LearnerSettings:
    """Hours a week for learning; None is what the public body reckons with. Raises WishRefused outside 15 min to 40 h."""
    if weekly_minutes is not None and not LEAST_WEEKLY <= weekly_minutes <= MOST_WEEKLY:
        raise WishRefused(_("Choose between a quarter of an hour and 40 hours a week."))
    _lock(person)
    row, _created = LearnerSettings.objects.get_or_create(person=person)
    if row.weekly_minutes != weekly_minutes:
        row.weekly_minutes = weekly_minutes
        row.save(update_fields=["weekly_minutes"])
        log(instance=person, action="learning.set_pace", user=by, data={"weekly_minutes": weekly_minutes})
        replan(person=person, reason=PlanReason.PACE)
    return row


def reasons_declined(key: str, people: QuerySet[User]) -> list[tuple[datetime, str]]:
    """Why people decline a course today, the newest first and without their names. One query."""
    found = StepWish.objects.filter(
        course_key=key, kind=WishKind.DECLINED, withdrawn_at__isnull=True, person__in=people.values("pk")
    )
    return list(found.order_by("-made_at", "-pk").values_list("made_at", "reason")[:MOST_REASONS])


def declined_of(person: User, assignments: Iterable[Assignment]) -> frozenset[str]:
    """Keys of the courses she declined of those recommended to her. One query, none where nothing is recommended."""
    keys = {row.course_key for row in assignments if row.course_key and not row.mandatory}
    if not keys:
        return frozenset()
    rows = StepWish.objects.filter(
        person=person, kind=WishKind.DECLINED, withdrawn_at__isnull=True, course_key__in=keys
    )
    return frozenset(rows.values_list("course_key", flat=True))


def _lock(person: User) -> None:
    User.objects.select_for_update(of=("self",)).get(pk=person.pk)


def _offered_page(key: str) -> CoursePage:
    page = CoursePage.objects.offered().filter(key=key).order_by("pk").first()
    if page is None:
        raise WishRefused(_("This course is not offered any more."))
    return page


def _wish(person: User, page: CoursePage, kind: WishKind, reason: str, by: User) -> StepWish:
    """One open wish a course: another one takes its place, the same one again changes nothing."""
    _lock(person)
    open_wish = StepWish.objects.filter(person=person, course_key=page.key, withdrawn_at__isnull=True).first()
    if open_wish is not None and open_wish.kind == kind:
        return open_wish
    if open_wish is not None:
        open_wish.withdrawn_at = timezone.now()
        open_wish.save(update_fields=["withdrawn_at"])
    wish = StepWish.objects.create(person=person, course_key=page.key, kind=kind, reason=reason)
    log(instance=person, action="learning.make_wish", user=by, data={"course": page.key, "wish": kind})
    replan(person=person, reason=PlanReason.WISH)
    return wish


# --- What if -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class SupposedStep:
    """A step of the supposed path beside the one of today: `change` is "added", "removed", "moved" or ""."""

    course: CoursePage
    change: str
    minutes: int
    starts_on: date | None
    ends_on: date | None
    due_on: date | None
    is_late: bool


@dataclass(frozen=True)
class Supposed:
    """The path as it would be; nothing is written."""

    steps: tuple[SupposedStep, ...]
    minutes_before: int
    minutes_after: int
    ends_before: date | None
    ends_after: date | None
    open_before: int
    open_after: int
    # Names of the competencies whose gaps would stay open, which close today.
    left_open: tuple[str, ...] = ()

    @property
    def changes_nothing(self) -> bool:
        return not any(step.change for step in self.steps) and self.ends_before == self.ends_after

    @property
    def late(self) -> int:
        return sum(step.is_late for step in self.steps)


def suppose(
    person: User,
    *,
    weekly_minutes: int | None = None,
    adding: RoleProfile | None = None,
    skipping: Collection[str] = (),
    as_of: date | None = None,
) -> Supposed:
    """What the path would be with other hours a week, one role more, or without some courses.

    Both sides are solved now from the same facts, so the difference is what was asked and nothing else. `skipping` what is
    mandatory leaves it where it is, as declining it would.
    """
    day = as_of or timezone.localdate()
    shelf = Shelf(offered_courses())
    left = {key: minutes for (_person, key), minutes in minutes_left_by_course([person.pk]).items()}
    now = replace(read_inputs([person.pk], day=day)[person.pk], left=left)
    before = solve(now, shelf)
    now = replace(now, in_plan=frozenset(step.key for step in before.steps))
    then = now
    if adding is not None:
        added = read_inputs([person.pk], day=day, adding=adding)[person.pk]
        then = replace(then, standing=added.standing, gap_due=added.gap_due)
    if skipping:
        then = replace(
            then,
            declined=then.declined | frozenset(skipping),
            pinned=then.pinned - frozenset(skipping),
            mandatory=tuple(m for m in then.mandatory if m.key not in skipping or _is_mandatory(then, m.key)),
        )
    if weekly_minutes is not None:
        then = replace(then, weekly_minutes=weekly_minutes)
    after = solve(then, shelf)
    return _compared(before, after, now, then, shelf)


def _is_mandatory(inputs: Inputs, key: str) -> bool:
    return Assignment.objects.filter(pk__in=inputs.asked_by.get(key, ()), mandatory=True).exists()


def moved_among(before: Sequence[str], after: Sequence[str]) -> frozenset[str]:
    """Which of the same steps moved: the fewest whose moving makes the one order of the other.

    What stays is a longest run of steps that keep their order among themselves; a step that only follows, because
    another one went before it, has not moved. Of several such runs the one that keeps what comes first is taken.
    """
    place = {key: number for number, key in enumerate(before)}
    numbers = [place[key] for key in after]
    longest = [1] * len(numbers)  # of the runs that begin here
    for start in reversed(range(len(numbers))):
        longest[start] += max(
            (longest[k] for k in range(start + 1, len(numbers)) if numbers[k] > numbers[start]), default=0
        )
    stays: list[int] = []
    for here, number in enumerate(numbers):
        if longest[here] == max(longest, default=0) - len(stays) and (not stays or number > stays[-1]):
            stays.append(number)
    return frozenset(key for key in after if place[key] not in set(stays))


def _compared(before: Plan, after: Plan, now: Inputs, then: Inputs, shelf: Shelf) -> Supposed:
    old = {step.key: place for place, step in enumerate(before.steps)}
    new_keys = {step.key for step in after.steps}
    moved = moved_among(
        [step.key for step in before.steps if step.key in new_keys],
        [step.key for step in after.steps if step.key in old],
    )

    def view(step: Step, inputs: Inputs, change: str) -> SupposedStep:
        page = shelf.page(step.key, inputs.language, inputs.begun)
        return SupposedStep(
            page,
            change,
            inputs.left.get(step.key, page.effort_minutes),
            step.starts_on,
            step.ends_on,
            step.due_on,
            step.is_late,
        )

    steps = [
        view(step, then, "added" if step.key not in old else "moved" if step.key in moved else "")
        for step in after.steps
    ]
    steps += [view(step, now, "removed") for step in before.steps if step.key not in new_keys]
    return Supposed(
        tuple(steps),
        before.effort_minutes,
        after.effort_minutes,
        max((step.ends_on for step in before.steps if step.ends_on is not None), default=None),
        max((step.ends_on for step in after.steps if step.ends_on is not None), default=None),
        len(before.unclosed),
        len(after.unclosed),
        _left_open(before, after, then),
    )


def _left_open(before: Plan, after: Plan, then: Inputs) -> tuple[str, ...]:
    names = {line.competency.pk: str(line.competency) for line in then.standing.lines}
    open_today = {gap.competency_id for gap in before.unclosed}
    ids = [gap.competency_id for gap in after.unclosed if gap.competency_id not in open_today]
    return tuple(names[pk] for pk in ids if pk in names)


def weekly_minutes_of(person: User) -> int:
    """Minutes a week a person learns, by her own word or what the public body reckons with. One query."""
    own = LearnerSettings.objects.filter(person=person).values_list("weekly_minutes", flat=True).first()
    return own or settings.WEEKLY_LEARNING_MINUTES


def pace_of(person: User, day: date) -> Pace:
    """How much she learns a week, and when she is away from `day` on. One query for both."""
    ahead = FilteredRelation("leaves", condition=Q(leaves__ends_on__gt=day))
    rows = list(
        User.objects.filter(pk=person.pk)
        .annotate(ahead=ahead)
        .order_by("ahead__starts_on", "ahead__ends_on")
        .values_list("learner_settings__weekly_minutes", "ahead__starts_on", "ahead__ends_on")
    )
    own = rows[0][0] if rows else None
    away = tuple((starts_on, ends_on) for _own, starts_on, ends_on in rows if starts_on is not None)
    return Pace(own or settings.WEEKLY_LEARNING_MINUTES, day, away)
