"""What does not go as asked: a work list for HR, and what an officer does about it.

A row is an assignment that is overdue, cannot be met in time, or cannot be done at all, or whose request for more time
finds no manager. What is looked at closely is bounded: who may have a problem is found by the database first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.log_actions import log

from competencies.selectors import Standing, standings_of
from learning.curated import published_stages
from learning.enums import AssignmentKind, PlanReason
from learning.extensions import MAX_DAYS_AHEAD, deciders_of, open_requests
from learning.hr import newest_plans, people_served
from learning.leave import fix_due_date, lock_people
from learning.models import Assignment, ExtensionRequest, LearnerSettings, LearningPeriod, PathPlan
from learning.room import Room, rooms_of
from learning.selectors import post_titles
from learning.services import replan
from learning.titles import course_titles, title_for_its_person, titles_of
from organisations.models import Appointment, Leave, Unit, User
from organisations.perms import is_hr_of

# So many assignments are looked at closely, those due first; an officer works through no more in a day.
MOST = 500
LONGEST_LEFT = timedelta(days=366)


class Kind(models.TextChoices):
    """What is wrong. The last one is no problem: it lists what HR has exempted people from."""

    OVERDUE = "overdue", gettext_lazy("Overdue")
    UNREALISTIC = "unrealistic", gettext_lazy("Cannot be met in time")
    UNAVAILABLE = "unavailable", gettext_lazy("Cannot be done")
    UNDECIDED = "undecided", gettext_lazy("No manager to decide")
    EXEMPT = "exempt", gettext_lazy("Exempt")


class ActRefused(ValueError):
    """Something that cannot be done with an assignment; the text is a sentence for the officer."""


# --- Reading ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Row:
    """An assignment with all that is wrong with it. `suggested`: the first date that can be met, where there is one."""

    assignment: Assignment
    title: str
    post: str
    kinds: tuple[Kind, ...]
    minutes: int = 0
    suggested: date | None = None
    missing: tuple[str, ...] = ()
    request: ExtensionRequest | None = None

    @property
    def person(self) -> User:
        return self.assignment.person


@dataclass(frozen=True)
class Worklist:
    """`rows`: what was due longest ago first. `is_cut`: there is more, it comes when these are done."""

    rows: tuple[Row, ...]
    is_cut: bool = False
    by_kind: Mapping[Kind, int] = field(default_factory=dict)


def worklist_of(
    officer: User, *, kind: Kind | None = None, unit: Unit | None = None, as_of: date | None = None
) -> Worklist:
    """The exceptions among the people an officer serves; as many queries for many rows as for one."""
    day = as_of or timezone.localdate()
    people = people_served(officer, day).exclude(pk=officer.pk)
    if unit is not None:
        held = Appointment.objects.current(day).filter(post__unit__path__startswith=unit.path)
        people = people.filter(pk__in=held.values("person_id"))
    if kind == Kind.EXEMPT:
        return _exempt(people, day)
    found, cut = _suspects(people, day)
    rows = _rows(found, people, day)
    count: dict[Kind, int] = defaultdict(int)
    for row in rows:
        for one in row.kinds:
            count[one] += 1
    if kind is not None:
        rows = [row for row in rows if kind in row.kinds]
    return Worklist(tuple(rows), cut, dict(count))


def count_for(officer: User, as_of: date | None = None) -> int:
    return len(worklist_of(officer, as_of=as_of).rows)


def _asked(people: QuerySet[User], day: date) -> QuerySet[Assignment]:
    return (
        Assignment.objects.filter(person__in=people.values("pk"))
        # What comes round again has periods, and a list of its own.
        .filter(~Exists(LearningPeriod.objects.filter(assignment=OuterRef("pk"))))
        .select_related("person", "role_assignment__profile__role", "curated_path")
    )


def _suspects(people: QuerySet[User], day: date) -> tuple[list[Assignment], bool]:
    """Assignments that may have a problem: by what the whole plan of the person takes, which is quickly looked up."""
    newest = PathPlan.objects.filter(person=OuterRef("person")).order_by("-number")
    weekly = LearnerSettings.objects.filter(person=OuterRef("person")).values("weekly_minutes")
    rows = (
        _asked(people, day)
        .filter(Q(left_until__isnull=True) | Q(left_until__lte=day), pk__in=Assignment.objects.asking(day).values("pk"))
        .annotate(
            effort=Subquery(newest.values("effort_minutes")[:1]),
            lacking=Subquery(newest.values_list(F("requirements") - F("met"))[:1]),
            blocked=Exists(newest_plans().filter(person=OuterRef("person")).exclude(unavailable=[])),
            weekly=Coalesce(Subquery(weekly[:1]), settings.WEEKLY_LEARNING_MINUTES),
        )
        .filter(Q(blocked=True) | Q(due_on__isnull=False, effort__gt=0) | Q(due_on__isnull=False, lacking__gt=0))
        .order_by(F("due_on").asc(nulls_last=True), "person__name", "pk")
    )
    light = rows.values_list("pk", "person_id", "due_on", "effort", "weekly", "blocked")
    wanted: list[int] = []
    away = _away(people, day)
    for pk, person_id, due_on, effort, minutes, blocked in light.iterator(chunk_size=2000):
        # A day has a seventh of the week: where even the whole plan fits before the date, nothing is wrong with it.
        days = (due_on - day).days + 1 - away.get(person_id, 0) if due_on is not None else 0
        if blocked or (due_on is not None and (due_on < day or days * minutes < effort * 7)):
            wanted.append(pk)
    # Requests that find no manager are looked at whatever the plan says, left alone or not.
    asked = open_requests(day).filter(assignment__in=_asked(people, day).values("pk"))
    requested = [pk for pk in asked.values_list("assignment_id", flat=True)[:MOST] if pk not in set(wanted)]
    chosen = [*requested, *wanted[:MOST]]
    found = list(
        _asked(people, day).filter(pk__in=chosen).order_by(F("due_on").asc(nulls_last=True), "person__name", "pk")
    )
    return found, len(wanted) > MOST


def _away(people: QuerySet[User], day: date) -> dict[int, int]:
    """Days of leave ahead of each person who has any: at most so many are not there for learning."""
    found: dict[int, int] = defaultdict(int)
    rows = Leave.objects.from_day(day).filter(person__in=people.values("pk"))
    for person_id, starts_on, ends_on in rows.values_list("person_id", "starts_on", "ends_on"):
        found[person_id] += (ends_on - max(starts_on, day)).days
    return found


def _rows(found: Sequence[Assignment], people: QuerySet[User], day: date) -> list[Row]:
    ids = sorted({assignment.person_id for assignment in found})
    rooms = rooms_of(ids, day)
    standings = standings_of(sorted({a.person_id for a in found if a.kind == AssignmentKind.ROLE}), as_of=day)
    stages = published_stages({a.curated_path_id for a in found if a.curated_path_id is not None})
    keys_of = {
        a.pk: [a.course_key] if a.course_key else [k for s in stages.get(a.curated_path_id or 0, ()) for k in s.keys]
        for a in found
    }
    requests = {
        request.assignment_id: request for request in open_requests(day).filter(assignment__in=[a.pk for a in found])
    }
    deciders = deciders_of({request.assignment.person_id for request in requests.values()}, day) if requests else {}
    titles, posts = titles_of(found), post_titles(ids, day)
    missing = {
        a.pk: [key for key in keys_of[a.pk] if key in _unavailable(rooms[a.person_id])] for a in found if keys_of[a.pk]
    }
    names = course_titles(key for keys in missing.values() for key in keys)
    rows = []
    for assignment in found:
        room = rooms[assignment.person_id]
        lacks = missing.get(assignment.pk, [])
        kinds = []
        is_left = assignment.left_until is not None and assignment.left_until > day
        due_on = assignment.due_on
        if not is_left:
            if due_on is not None and _is_open(assignment, room, standings, lacks):
                if due_on < day:
                    kinds.append(Kind.OVERDUE)
                elif not room.is_enough(due_on):
                    kinds.append(Kind.UNREALISTIC)
            if lacks:
                kinds.append(Kind.UNAVAILABLE)
        request = requests.get(assignment.pk)
        if request is not None and deciders[assignment.person_id].by_hr:
            kinds.append(Kind.UNDECIDED)
        if not kinds:
            continue
        rows.append(
            Row(
                assignment,
                titles[assignment.pk],
                posts.get(assignment.person_id, ""),
                tuple(kinds),
                room.minutes_by(due_on) if due_on is not None else 0,
                room.realistic_from(due_on) if due_on is not None else None,
                tuple(names.get(key, key) for key in lacks),
                request if Kind.UNDECIDED in kinds else None,
            )
        )
    return rows


def _unavailable(room: Room) -> Iterable[str]:
    return room.plan.unavailable if room.plan is not None else ()


def _is_open(assignment: Assignment, room: Room, standings: Mapping[int, Standing], missing: Sequence[str]) -> bool:
    """Whether something is left to do for it."""
    if assignment.role_assignment is not None:
        standing = standings[assignment.person_id]
        lineage = assignment.role_assignment.profile.lineage
        return any(p.lineage == lineage and not standing.is_met(p.pk) for p in standing.profiles)
    steps = room.plan.steps.all() if room.plan is not None else ()
    return bool(missing) or any(assignment.pk in step.assignments for step in steps)


def _exempt(people: QuerySet[User], day: date) -> Worklist:
    rows = list(
        _asked(people, day)
        .filter(exempted_at__isnull=False, pk__in=Assignment.objects.current(day).values("pk"))
        .select_related("exempted_by")
        .order_by("-exempted_at", "pk")[: MOST + 1]
    )
    cut, rows = len(rows) > MOST, rows[:MOST]
    titles, posts = titles_of(rows), post_titles([row.person_id for row in rows], day)
    return Worklist(tuple(Row(row, titles[row.pk], posts.get(row.person_id, ""), (Kind.EXEMPT,)) for row in rows), cut)


# --- Writing ---------------------------------------------------------------------------------------------------------
# Each returns whether it changed something; the same press twice changes nothing the second time.
@transaction.atomic
def set_due_date(*, assignment: Assignment, due_on: date, by: User, day: date | None = None) -> bool:
    """Give it another date. What was left as it was is no longer: it has been dealt with."""
    today = day or timezone.localdate()
    assignment = _to_act(assignment, by, today)
    if due_on <= today:
        raise ActRefused(_("Choose a date after today."))
    if due_on > today + timedelta(days=MAX_DAYS_AHEAD):
        raise ActRefused(_("Choose a date within the next ten years."))
    if assignment.exempted_at is not None:
        raise ActRefused(_("The person is exempt from it: take the exemption back first."))
    if assignment.due_on == due_on:
        return False
    before = assignment.due_on
    fix_due_date(assignment, due_on)
    assignment.left_until = None
    assignment.save(update_fields=["left_until"])
    data = {"from": before.isoformat() if before else None, "to": str(assignment.due_on)}
    log(instance=assignment, action="learning.set_due_date", user=by, data=data)
    _replan(assignment, PlanReason.REDATED)
    return True


def _replan(assignment: Assignment, reason: PlanReason) -> None:
    replan(person=assignment.person, reason=reason, about=title_for_its_person(assignment))


@transaction.atomic
def exempt(*, assignment: Assignment, reason: str, by: User, day: date | None = None) -> bool:
    """It is no longer asked of her, and she reads why; it can be taken back."""
    assignment = _to_act(assignment, by, day or timezone.localdate())
    reason = " ".join(reason.split())[:300]
    if not reason:
        raise ActRefused(_("Say why: the person reads it."))
    if assignment.exempted_at is not None:
        return False
    assignment.exempted_at, assignment.exempted_by, assignment.exempt_reason = timezone.now(), by, reason
    assignment.save(update_fields=["exempted_at", "exempted_by", "exempt_reason"])
    log(instance=assignment, action="learning.exempt", user=by, data={"reason": reason})
    _replan(assignment, PlanReason.EXEMPT)
    return True


@transaction.atomic
def end_exemption(*, assignment: Assignment, by: User, day: date | None = None) -> bool:
    """It is asked of her again, with the date it had."""
    assignment = _to_act(assignment, by, day or timezone.localdate())
    if assignment.exempted_at is None:
        return False
    data = {"reason": assignment.exempt_reason, "since": assignment.exempted_at.isoformat()}
    assignment.exempted_at, assignment.exempted_by, assignment.exempt_reason = None, None, ""
    assignment.save(update_fields=["exempted_at", "exempted_by", "exempt_reason"])
    log(instance=assignment, action="learning.end_exemption", user=by, data=data)
    _replan(assignment, PlanReason.ASKED_AGAIN)
    return True


@transaction.atomic
def leave_as_it_is(*, assignment: Assignment, until: date, by: User, day: date | None = None) -> bool:
    """Out of the list until that day; then it comes back, if it is still wrong."""
    today = day or timezone.localdate()
    assignment = _to_act(assignment, by, today)
    if until <= today:
        raise ActRefused(_("Choose a date after today."))
    if until > today + LONGEST_LEFT:
        raise ActRefused(_("Choose a date within the next year."))
    if assignment.left_until == until:
        return False
    assignment.left_until = until
    assignment.save(update_fields=["left_until"])
    log(instance=assignment, action="learning.leave_exception", user=by, data={"until": until.isoformat()})
    return True


def _to_act(assignment: Assignment, by: User, day: date) -> Assignment:
    """The assignment, locked, of somebody else whom the officer serves."""
    lock_people([assignment.person_id])
    assignment = Assignment.objects.select_for_update(of=("self",)).select_related("person").get(pk=assignment.pk)
    if assignment.person_id == by.pk:
        raise ActRefused(_("Somebody else decides on what is asked of you."))
    if not is_hr_of(by, assignment.person, day):
        raise ActRefused(_("You do not serve the unit of this person."))
    if not Assignment.objects.current(day).filter(pk=assignment.pk).exists():
        raise ActRefused(_("It has ended meanwhile."))
    return assignment


def assignments_served(officer: User, ids: Iterable[int], day: date) -> list[Assignment]:
    """Of these, the assignments of people an officer serves."""
    return list(_asked(people_served(officer, day), day).filter(pk__in=list(ids)).order_by("person__name", "pk"))
