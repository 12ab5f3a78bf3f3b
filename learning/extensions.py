"""More time for what is asked of a person: she asks with a reason, her manager answers, or HR where there is none.

A decided request is history; after a decision a new one may be asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from learning.due_mails import tell_asked, tell_decided
from learning.enums import Decision, PlanReason
from learning.leave import fix_due_date, lock_people
from learning.models import Assignment, ExtensionRequest
from learning.room import Room, rooms_of
from learning.selectors import post_titles
from learning.services import replan
from learning.titles import title_for_its_person, titles_of
from organisations import perms
from organisations.models import Appointment, HrMandate, User
from organisations.perms import managers_of

MAX_DAYS_AHEAD = 3_653  # ten years, as for assigning
MAX_TEXT = 500


class ExtensionRefused(ValueError):
    """A request that cannot be asked or decided; the text is a sentence for the person who tried, `field` what is wrong."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class ExtensionDecided(ExtensionRefused):
    """Somebody has answered this request already."""


# --- Asking ----------------------------------------------------------------------------------------------------------
@transaction.atomic
def ask_extension(
    *, assignment: Assignment, until: date, reason: str, by: User, at: datetime | None = None
) -> ExtensionRequest:
    """Ask for a later date. The same request twice is one; a second one waits until the first is answered.

    Raises ExtensionRefused for what nobody could grant.
    """
    moment = at or timezone.now()
    assignment = _locked_assignment(assignment)
    if assignment.person_id != by.pk:
        raise ExtensionRefused(_("Only the person herself asks for more time."))
    check_can_be_extended(assignment, timezone.localdate(moment))
    reason = " ".join(reason.split())[:MAX_TEXT]
    known = ExtensionRequest.objects.filter(assignment=assignment, decision="").first()
    if known is not None:
        if (known.until, known.reason) == (until, reason):
            return known
        raise ExtensionRefused(_("You have asked already. Wait for the answer, or withdraw your request first."))
    check_later_date(assignment, until, timezone.localdate(moment))
    if not reason:
        raise ExtensionRefused(_("Say why: whoever decides reads it."), "reason")
    try:
        with transaction.atomic():
            request = ExtensionRequest.objects.create(
                assignment=assignment, until=until, reason=reason, asked_at=moment, due_before=assignment.due_on
            )
    except IntegrityError as error:  # the other window was a moment earlier
        raise ExtensionRefused(
            _("You have asked already. Wait for the answer, or withdraw your request first.")
        ) from error
    log(
        instance=assignment,
        action="learning.ask_extension",
        user=by,
        data={"request": request.pk, "until": until.isoformat()},
    )
    for decider in deciders_of([assignment.person_id], timezone.localdate(moment))[assignment.person_id].people:
        tell_asked(request, decider)
    return request


def check_can_be_extended(assignment: Assignment, day: date) -> None:
    """Raise ExtensionRefused unless the date of this assignment can be moved by a request."""
    if not Assignment.objects.asking(day).filter(pk=assignment.pk).exists():
        raise ExtensionRefused(_("This is no longer asked of the person, so it needs no more time."))
    if assignment.due_on is None:
        raise ExtensionRefused(_("This has no due date, so it needs no more time."))
    if assignment.periods.exists():
        raise ExtensionRefused(_("This comes round again on dates of its own. Ask your HR unit."))


def check_later_date(assignment: Assignment, until: date, day: date) -> None:
    if until <= day:
        raise ExtensionRefused(_("Choose a date after today."), "until")
    if assignment.due_on is not None and until <= assignment.due_on:
        values = {"day": formats.date_format(assignment.due_on, "DATE_FORMAT")}
        raise ExtensionRefused(_("It is due on %(day)s already: choose a later date.") % values, "until")
    if until > day + timedelta(days=MAX_DAYS_AHEAD):
        raise ExtensionRefused(_("Choose a date within the next ten years."), "until")


@transaction.atomic
def withdraw_extension(*, request: ExtensionRequest, by: User) -> ExtensionRequest:
    """She no longer asks; twice is once. Raises ExtensionDecided once it was answered."""
    request = _locked_request(request)
    if request.assignment.person_id != by.pk:
        raise ExtensionRefused(_("Only who asked withdraws a request."))
    if request.decision == Decision.WITHDRAWN:
        return request
    _check_open(request)
    request.decision, request.decided_at = Decision.WITHDRAWN, timezone.now()
    request.save(update_fields=["decision", "decided_at"])
    log(instance=request.assignment, action="learning.withdraw_extension", user=by, data={"request": request.pk})
    return request


# --- Deciding --------------------------------------------------------------------------------------------------------
@transaction.atomic
def grant_extension(
    *, request: ExtensionRequest, by: User, until: date, answer: str = "", at: datetime | None = None
) -> ExtensionRequest:
    """Give her that date, or another one after the one she has: from now on it is her date. Her path is planned again."""
    moment = at or timezone.now()
    request = _to_decide(request, by, Decision.GRANTED, until)
    if request.decision:
        return request
    assignment = request.assignment
    check_can_be_extended(assignment, timezone.localdate(moment))
    check_later_date(assignment, until, timezone.localdate(moment))
    request.due_before = assignment.due_on
    fix_due_date(assignment, until)
    request.granted_until = assignment.due_on
    _decide(request, Decision.GRANTED, by, answer, moment)
    log(
        instance=assignment,
        action="learning.grant_extension",
        user=by,
        data={"request": request.pk, "from": str(request.due_before), "to": str(request.granted_until)},
    )
    replan(person=assignment.person, reason=PlanReason.EXTENDED, about=title_for_its_person(assignment), at=moment)
    return request


@transaction.atomic
def refuse_extension(
    *, request: ExtensionRequest, by: User, answer: str, at: datetime | None = None
) -> ExtensionRequest:
    """The date stays, and she reads why."""
    request = _to_decide(request, by, Decision.REFUSED)
    if request.decision:
        return request
    if not answer.strip():
        raise ExtensionRefused(_("Say why, and what would help: the person reads it."), "answer")
    _decide(request, Decision.REFUSED, by, answer, at or timezone.now())
    log(instance=request.assignment, action="learning.refuse_extension", user=by, data={"request": request.pk})
    return request


def may_decide(user: User, person: User, day: date | None = None) -> bool:
    """Her manager, an HR officer who serves her, or an administrator; nobody for herself."""
    if user.pk == person.pk or not user.is_active:
        return False
    return perms.is_manager_of(user, person, day) or perms.is_hr_of(user, person, day)


def _to_decide(request: ExtensionRequest, by: User, decision: Decision, until: date | None = None) -> ExtensionRequest:
    """The request, locked. The same press a second time finds it decided just so; anybody else's raises."""
    request = _locked_request(request)
    if not may_decide(by, request.assignment.person):
        raise ExtensionRefused(_("You cannot decide on this request."))
    again = request.decision == decision and request.decided_by_id == by.pk
    if not (again and (until is None or until == request.granted_until)):
        _check_open(request)
    return request


def _check_open(request: ExtensionRequest) -> None:
    if request.decision == Decision.WITHDRAWN:
        raise ExtensionDecided(_("The person has withdrawn this request; nothing is left to decide."))
    if request.decision and request.decided_at is not None:
        values = {
            "name": request.decided_by,
            "day": formats.date_format(timezone.localtime(request.decided_at), "DATE_FORMAT"),
        }
        raise ExtensionDecided(_("This is decided already, by %(name)s on %(day)s.") % values)


def _decide(request: ExtensionRequest, decision: Decision, by: User, answer: str, moment: datetime) -> None:
    request.decision, request.decided_by, request.decided_at = decision, by, moment
    request.answer = answer.strip()[:MAX_TEXT]
    request.save(update_fields=["decision", "decided_by", "decided_at", "answer", "due_before", "granted_until"])
    tell_decided(request)


def _locked_assignment(assignment: Assignment) -> Assignment:
    lock_people([assignment.person_id])
    return Assignment.objects.select_for_update(of=("self",)).select_related("person").get(pk=assignment.pk)


def _locked_request(request: ExtensionRequest) -> ExtensionRequest:
    assignment = _locked_assignment(request.assignment)
    locked = ExtensionRequest.objects.select_for_update(of=("self",)).select_related("decided_by").get(pk=request.pk)
    locked.assignment = assignment
    return locked


# --- Who decides -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Deciders:
    """Who is asked to decide for a person: her managers, else the HR officers nearest to her. `people` may be empty."""

    people: tuple[User, ...] = ()
    by_hr: bool = False


def deciders_of(person_ids: Iterable[int], day: date) -> dict[int, Deciders]:
    """As many queries for one person as for many."""
    ids = set(person_ids)
    managers = managers_of(ids, day)
    officers = _officers_of([pk for pk in ids if not managers[pk]], day)
    people = User.objects.active().in_bulk({pk for found in (*managers.values(), *officers.values()) for pk in found})

    def active(found: Iterable[int]) -> tuple[User, ...]:
        return tuple(people[pk] for pk in sorted(found) if pk in people)

    led = {pk: active(found) for pk, found in managers.items()}
    # Whose manager has left the house meanwhile is as good as without one.
    left = [pk for pk in ids if managers[pk] and not led[pk]]
    if left:
        officers |= _officers_of(left, day)
        people |= User.objects.active().in_bulk({pk for who in left for pk in officers.get(who, ())})
    return {pk: Deciders(led[pk]) if led[pk] else Deciders(active(officers.get(pk, ())), by_hr=True) for pk in ids}


def _officers_of(person_ids: Sequence[int], day: date) -> dict[int, set[int]]:
    """The HR officers who serve the unit of each person; of several units above each other the nearest one's."""
    if not person_ids:
        return {}
    mandates = list(HrMandate.objects.values_list("officer_id", "unit__path"))
    held = Appointment.objects.current(day).filter(person_id__in=person_ids)
    found: dict[int, set[int]] = defaultdict(set)
    for person_id, path in held.values_list("person_id", "post__unit__path"):
        serving = [(len(unit), officer) for officer, unit in mandates if path.startswith(unit) and officer != person_id]
        nearest = max((depth for depth, _officer in serving), default=0)
        found[person_id] |= {officer for depth, officer in serving if depth == nearest}
    return found


# --- Reading ---------------------------------------------------------------------------------------------------------
def open_requests(day: date) -> QuerySet[ExtensionRequest]:
    """Requests that wait for an answer, for what is still asked; the oldest first."""
    return (
        ExtensionRequest.objects.filter(decision="", assignment__in=Assignment.objects.asking(day).values("pk"))
        .select_related("assignment__person", "assignment__role_assignment__profile__role", "assignment__curated_path")
        .order_by("asked_at", "pk")
    )


@dataclass(frozen=True)
class RequestView:
    """A request as who decides sees it: what for, what is left of it at her pace, and from when it can be done."""

    request: ExtensionRequest
    title: str
    post: str
    minutes: int
    realistic_on: date | None

    @property
    def person(self) -> User:
        return self.request.assignment.person

    @property
    def is_realistic(self) -> bool:
        """Whether the date she asks for leaves room for what is left."""
        return self.realistic_on is not None and self.realistic_on <= self.request.until


def request_views(requests: Sequence[ExtensionRequest], day: date) -> list[RequestView]:
    """As many queries for one request as for many."""
    people = [request.assignment.person_id for request in requests]
    titles = titles_of([request.assignment for request in requests])
    posts = post_titles(people, day)
    rooms = rooms_of(people, day)
    return [_view(request, titles, posts, rooms[request.assignment.person_id]) for request in requests]


def _view(request: ExtensionRequest, titles: Mapping[int, str], posts: Mapping[int, str], room: Room) -> RequestView:
    due_on = request.assignment.due_on or request.until
    return RequestView(
        request,
        titles[request.assignment_id],
        posts.get(request.assignment.person_id, ""),
        room.minutes_by(due_on),
        room.realistic_from(due_on),
    )


def requests_for(user: User, day: date) -> list[ExtensionRequest]:
    """What this person is to decide: of those she leads, and of those she serves as HR officer who have no manager."""
    led = User.objects.led_by(user, day)
    found = {request.pk: request for request in open_requests(day).filter(assignment__person__in=led.values("pk"))}
    if perms.is_hr(user):
        served = User.objects.active() if user.is_superuser else User.objects.in_hr_scope_of(user, day)
        others = [
            request
            for request in open_requests(day).filter(assignment__person__in=served.values("pk"))
            if request.pk not in found
        ]
        deciders = deciders_of({request.assignment.person_id for request in others}, day) if others else {}
        found |= {request.pk: request for request in others if deciders[request.assignment.person_id].by_hr}
    own = [pk for pk, request in found.items() if request.assignment.person_id == user.pk]
    for pk in own:
        del found[pk]
    return sorted(found.values(), key=lambda request: (request.asked_at, request.pk))


def count_to_decide(manager: User, day: date) -> int:
    """How many requests of those she leads wait for her."""
    led = User.objects.led_by(manager, day).exclude(pk=manager.pk)
    return open_requests(day).filter(assignment__person__in=led.values("pk")).count()


@dataclass(frozen=True)
class AskedView:
    """One thing asked of a person as she sees it: its name, its date, what became of her last request."""

    assignment: Assignment
    title: str
    request: ExtensionRequest | None
    repeats: bool
    is_declined: bool = False

    @property
    def is_exempt(self) -> bool:
        return self.assignment.exempted_at is not None

    @property
    def is_waiting(self) -> bool:
        return self.request is not None and not self.request.decision

    @property
    def can_be_extended(self) -> bool:
        return self.assignment.due_on is not None and not (
            self.is_exempt or self.is_waiting or self.repeats or self.is_declined
        )


def asked_of(assignments: Iterable[Assignment], day: date, declined: Collection[str] = ()) -> tuple[AskedView, ...]:
    """What is asked of a person (selectors.assignments_of) as she sees it, the first due first. `declined` are keys of the
    courses she declined: where one was recommended, nothing is asked any more.

    A query for requests and two for titles, where there are any.
    """
    rows = sorted(assignments, key=lambda row: (row.due_on is None, row.due_on or day, row.pk))
    latest: dict[int, ExtensionRequest] = {}
    wanted = [row.pk for row in rows if row.was_asked_to_extend]
    if wanted:
        asked = ExtensionRequest.objects.filter(assignment__in=wanted).select_related("decided_by")
        for request in asked.order_by("asked_at", "pk"):
            latest[request.assignment_id] = request
    titles = titles_of(rows)
    return tuple(
        AskedView(
            row, titles[row.pk], latest.get(row.pk), row.repeats, not row.mandatory and row.course_key in declined
        )
        for row in rows
    )
