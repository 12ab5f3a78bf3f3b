"""The demo ministry, fourth floor: a year of learning, day by day.

Each workday HR assigns what it assigns, people begin the next course of their path or finish one, and in the evening
everybody whose roles or levels changed gets a new plan from learning.services, as the product would have made it. So
every plan, and every sentence about what changed, comes from the rules themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from django.db.models import Max

from competencies.demo import Assessments, Starter, withdraw
from courses.demo import Library, Taking, Way, begin, complete, draw_taking, write_activity
from courses.selectors import OfferedCourse, offered_courses
from learning.demo_evaluation import write_evaluation
from learning.demo_paths import WelcomePath
from learning.enums import ASSIGN_JOB, PlanReason
from learning.jobs import REPLAN_CHANGE_JOB
from learning.models import PathPlan, PathStep
from learning.receivers import needs_of, survey_key
from learning.services import BATCH, assign_batch, replan_many
from organisations.demo import Member, Ministry, moment, stream, workday_from, workday_until, workdays
from organisations.enums import JobState
from organisations.models import Job
from readiness.demo import Changes, write_changes
from readiness.models import Initiative, Wave

BEGUN_FROM = 0.55


@dataclass(frozen=True)
class Habits:
    """From which `drive` on people have completed a course, and all they need; how many have completed 1, 2, 3."""

    completed_from: float
    all_from: float
    courses: tuple[int, int, int]


# Enough history for every corner of a small ministry; in a large one, most have what is asked of all still before them.
USUAL_HABITS = Habits(0.72, 0.965, (74, 19, 7))
LARGE_HABITS = Habits(0.74, 0.985, (90, 8, 2))
LARGE_FROM = 1000
# Activity is written when so many ways are over, so that a large ministry does not wait in memory.
FLUSH = 500
EVENING = 18 * 60


@dataclass
class Year:
    """What came of it."""

    plans: int = 0
    enrolments: int = 0
    completed: int = 0
    lessons: int = 0
    attempts: int = 0
    assignments: int = 0
    evaluations: int = 0
    changes: Changes = field(default_factory=Changes)


@dataclass(frozen=True)
class Order:
    """HR assigns a role and its path: to whom, on which day, due when."""

    officer: Member
    role: str
    people: tuple[Member, ...]
    on: date
    due_on: date | None


def live_through(
    ministry: Ministry,
    starter: Starter,
    library: Library,
    assessments: Assessments,
    role_days: Mapping[date, set[int]],
) -> Year:
    """Live through the history of a ministry whose people, roles and assessments are stored."""
    year = _Learning(ministry, starter, library, assessments, role_days).run()
    year.changes = write_changes(ministry, starter)
    year.evaluations = write_evaluation(ministry)
    # What the change needs is more urgent now for everybody it concerns; in a large ministry the night does that.
    small = len(ministry.members) < LARGE_FROM
    asked = sorted(m.user.pk for m in ministry.members if m.left_on is None) if small else year.changes.trained
    for start in range(0, len(asked), BATCH):
        some = asked[start : start + BATCH]
        replan_many(person_ids=some, reason=PlanReason.EVIDENCE, at=moment(ministry.last_day, EVENING))
    if small:
        _note_planned(ministry)
    return year


def _note_planned(ministry: Ministry) -> None:
    """What the changes need, and their surveys, have been planned for: nobody need be asked to do it again."""
    at = moment(ministry.last_day, EVENING)
    done: list[tuple[str, dict[str, Any]]] = []
    for initiative in Initiative.objects.order_by("pk"):
        done.append((f"{initiative.pk}:demo", {"initiative": initiative.pk, "digest": needs_of(initiative)[1]}))
    for wave in Wave.objects.with_results().order_by("pk"):
        done.append((survey_key(wave.initiative_id, wave.pk), {"initiative": wave.initiative_id, "digest": ""}))
    Job.objects.bulk_create(
        Job(
            kind=REPLAN_CHANGE_JOB, key=f"{REPLAN_CHANGE_JOB}:{key}", state=JobState.DONE, created_at=at, finished_at=at,
            payload=payload,
        )
        for key, payload in done
    )  # fmt: skip


@dataclass
class _Day:
    """What happens on one day."""

    orders: list[Order] = field(default_factory=list)
    begins: list[tuple[Member, Way]] = field(default_factory=list)
    ends: list[Taking] = field(default_factory=list)
    roles: set[int] = field(default_factory=set)


class _Learning:
    def __init__(
        self,
        ministry: Ministry,
        starter: Starter,
        library: Library,
        assessments: Assessments,
        role_days: Mapping[date, set[int]],
    ) -> None:
        self.ministry, self.starter, self.library, self.assessments = ministry, starter, library, assessments
        self.days: dict[date, _Day] = defaultdict(_Day)
        self.year = Year()
        self.offered: dict[str, OfferedCourse] = offered_courses()
        self.waiting: list[Taking] = []
        self.taken: set[tuple[int, str]] = set()
        for day, people in role_days.items():
            self.days[day].roles |= people
        self.welcome = WelcomePath(ministry)
        finishers = _finishers(ministry, starter)
        for order in orders(ministry, besides=finishers):
            self.days[order.on].orders.append(order)
        for member in ministry.members:
            self._role_days(member)
            for way in ways_of(ministry, member, finisher=member in finishers):
                self.days[way.first].begins.append((member, way))

    def _role_days(self, member: Member) -> None:
        """Days on which her posts gave her roles or took them."""
        first, last = self.ministry.first_day, self.ministry.last_day
        for holding in member.holdings:
            if holding.ends_on is not None:
                if holding.ends_on <= first:
                    continue
                self.days[workday_from(holding.ends_on)].roles.add(member.user.pk)
            if holding.starts_on <= last:
                self.days[max(first, holding.starts_on)].roles.add(member.user.pk)

    def run(self) -> Year:
        first, last = self.ministry.first_day, self.ministry.last_day
        for day in workdays(first, last):
            today = self.days[day]
            for number, order in enumerate(today.orders):
                self._assign(order, number)
            self._begin(today)
            self._end(today)
            if rows := self.assessments.withdrawals.get(day):
                withdraw(rows)
            changed = {taking.member.user.pk for taking in today.ends} | self.assessments.days.get(day, set())
            given, why = self.welcome.live(day)
            self._replan(day, today.roles, PlanReason.ROLE)
            self._replan(day, given - today.roles, why)
            self._replan(day, changed - today.roles - given, PlanReason.EVIDENCE)
        self._flush()
        return self.year

    def _assign(self, order: Order, number: int) -> None:
        """As the job of the HR desk does it, with the job as its trace."""
        at = moment(order.on, 10 * 60 + 7 * number)
        ids = [member.user.pk for member in order.people]
        profile = self.starter.profiles[order.role]
        job = Job.objects.create(
            kind=ASSIGN_JOB,
            key=f"{ASSIGN_JOB}:{order.officer.user.pk}:demo-{order.on:%Y%m%d}-{number}",
            payload={
                "profile": profile.pk,
                "due_on": order.due_on.isoformat() if order.due_on else None,
                "people": ids,
            },
            state=JobState.DONE,
            done=len(ids),
            total=len(ids),
            attempts=1,
            created_by=order.officer.user,
            created_at=at,
            not_before=at,
            finished_at=at + timedelta(seconds=2),
        )
        done: dict[int, str] = {}
        for start in range(0, len(ids), BATCH):
            done |= assign_batch(
                person_ids=ids[start : start + BATCH],
                profile=profile,
                due_on=order.due_on,
                by=order.officer.user,
                job=job,
                at=at,
            )
        job.report = {
            "assigned": sorted(pk for pk, outcome in done.items() if outcome == "assigned"),
            "held": [pk for pk, outcome in done.items() if outcome == "held"],
        }
        job.save(update_fields=["report"])
        self.days[order.on].roles |= set(ids)
        self.year.assignments += len(job.report["assigned"])

    def _begin(self, today: _Day) -> None:
        """People begin the next step of the path they have this morning."""
        if not today.begins:
            return
        paths = _paths([member.user.pk for member, way in today.begins if not way.key])
        begun = []
        for member, way in today.begins:
            page_id = self._next_course(member, way, paths.get(member.user.pk, []))
            if page_id is None:
                continue
            course = self.library.course(page_id)
            if not course.lessons:
                continue
            chance = stream(self.ministry.seed, "taking", member.number, course.page.key)
            taking = draw_taking(member, course, way, chance)
            self.taken.add((member.number, course.page.key))
            begun.append(taking)
            if taking.completed_at is not None:
                self.days[way.last].ends.append(taking)
            else:
                self.waiting.append(taking)
        begin(begun)
        self.year.enrolments += len(begun)

    def _next_course(self, member: Member, way: Way, path: Sequence[tuple[int, str]]) -> int | None:
        if way.key:
            return self.library.page(way.key, member.user.language).pk
        return next((page_id for page_id, key in path if (member.number, key) not in self.taken), None)

    def _end(self, today: _Day) -> None:
        if not today.ends:
            return
        complete(today.ends)
        self.year.completed += len(today.ends)
        self.waiting += today.ends
        if len(self.waiting) >= FLUSH:
            self._flush()

    def _flush(self) -> None:
        counts = write_activity(self.waiting)
        self.year.lessons += counts["lessons"]
        self.year.attempts += counts["attempts"]
        self.waiting = []

    def _replan(self, day: date, people: Iterable[int], reason: PlanReason) -> None:
        ids = sorted(people)
        if ids:
            at = moment(day, EVENING)
            self.year.plans += replan_many(person_ids=ids, reason=reason, at=at, offered=self.offered)


def _paths(person_ids: Sequence[int]) -> dict[int, list[tuple[int, str]]]:
    """The path in force of each person as (page id, course key); learning.selectors reads more than is needed here."""
    plans = PathPlan.objects.filter(person_id__in=person_ids).order_by()
    newest = dict(plans.values_list("person_id").annotate(Max("number")))
    found: dict[int, list[tuple[int, str]]] = defaultdict(list)
    rows = PathStep.objects.filter(plan__person_id__in=person_ids).order_by("position")
    for person_id, number, page_id, key in rows.values_list(
        "plan__person_id", "plan__number", "course_id", "course__key"
    ):
        if number == newest[person_id]:
            found[person_id].append((page_id, key))
    return found


# --- Who does what when ----------------------------------------------------------------------------------------------
def ways_of(ministry: Ministry, member: Member, *, finisher: bool = False) -> list[Way]:
    """The courses a person takes, one after the other; which they are her path says when the day comes."""
    ago = ministry.ago
    if member.account == "learner":
        return [
            Way(ago(192), ago(181), key="safe-digital-work"),
            Way(ago(151), ago(138), key="serving-citizens", fails=1),
            Way(ago(101), ago(92), key="working-on-the-record"),
            Way(ago(62), ago(46), key="data-governance"),
            Way(ago(13), ago(4), lessons=2, key="service-design"),
        ]
    if member.account == "ciso":
        return [Way(ago(160), ago(151), key="safe-digital-work")]
    if member.account == "manager":
        return [Way(ago(124), ago(112), key="leading-change")]
    if member.account == "hr":
        return [Way(ago(190), ago(178), key="building-digital-teams", fails=1)]
    if member.account == "editor":
        return [Way(ago(24), ago(10), lessons=3)]
    if member.account == "admin":
        return [Way(ago(112), ago(103), key="safe-digital-work")]
    chance = stream(ministry.seed, "ways", member.number)
    first = max(member.known_from, ministry.first_day) + timedelta(days=4)
    last = workday_until((member.left_on or ministry.as_of) - timedelta(days=2))
    if finisher:
        return _in_a_row(chance, workday_from(first), last, 12, pause=(2, 12))
    if member.drive < BEGUN_FROM:
        return []
    habits = habits_of(ministry)
    if member.drive < habits.completed_from:
        opened = workday_from(max(first, ministry.as_of - timedelta(days=chance.randint(8, 110))))
        return _open_way(chance, opened, last, ministry)
    courses = 8 if member.drive >= habits.all_from else chance.choices((1, 2, 3), habits.courses)[0]
    start = workday_from(first + timedelta(days=int((last - first).days * chance.random() * 0.7)))
    ways = _in_a_row(chance, start, last, courses, pause=(4, 40))
    if ways and chance.random() < 0.3 and member.left_on is None:
        ways += _open_way(chance, workday_from(ways[-1].last + timedelta(days=chance.randint(5, 30))), last, ministry)
    return ways


def habits_of(ministry: Ministry) -> Habits:
    return LARGE_HABITS if len(ministry.members) >= LARGE_FROM else USUAL_HABITS


def _in_a_row(chance: Random, first: date, last: date, courses: int, pause: tuple[int, int]) -> list[Way]:
    """So many courses completed one after the other, as far as there is time."""
    ways: list[Way] = []
    start = first
    for _number in range(courses):
        end = workday_from(start + timedelta(days=chance.randint(1, 18)))
        if end > last:
            break
        ways.append(Way(start, end, fails=chance.choices((0, 1, 2), (78, 18, 4))[0]))
        start = workday_from(end + timedelta(days=chance.randint(*pause)))
    return ways


def _open_way(chance: Random, first: date, last: date, ministry: Ministry) -> list[Way]:
    """A course begun and not finished; some failed the check and have not come back to it."""
    if first >= last:
        return []
    lessons = chance.choices((1, 2, 3, 4, 5), (25, 25, 20, 15, 15))[0]
    until = min(workday_from(first + timedelta(days=chance.randint(0, 14))), last, ministry.last_day)
    return [Way(first, until, lessons=lessons, fails=int(lessons == 5 and chance.random() < 0.6))]


def _finishers(ministry: Ministry, starter: Starter) -> list[Member]:
    """At least three people who have done all that is asked, whatever chance says: those of whom least is asked first.

    The manager's team stays as it was drawn, so that he meets every stage.
    """
    team = ministry.team_of(ministry.account("manager"))
    there = [
        member
        for member in ministry.members
        if not member.account
        and member.seats
        and member.known_from == ministry.first_day
        and (member not in team or member.drive >= 0.9)
    ]
    there.sort(key=lambda member: (len(starter.needs_of(member)), -member.drive, member.number))
    return there[:3]


def orders(ministry: Ministry, *, besides: Sequence[Member] = ()) -> list[Order]:
    """What HR assigned over the year: some of it overdue by now, some soon due, some with time left.

    Those named in `besides` are left in peace.
    """
    ago, as_of = ministry.ago, ministry.as_of
    hr, registry = ministry.officers["MPS"], ministry.officers["NRO"]
    learner, ciso = ministry.account("learner"), ministry.account("ciso")
    team = ministry.team_of(ministry.account("manager"))
    late = min((m for m in team if BEGUN_FROM <= m.drive < 0.79), key=lambda m: (abs(m.drive - 0.58), m.number))
    staff = [
        member
        for member in ministry.members
        if member.seats
        and member.seat.kind == "staff"
        and not member.account
        and member not in team
        and member not in besides
        and member.known_from < ago(190)
    ]
    some = max(2, len(staff) // 40)
    own = [member for member in staff if member.body == "MPS"]
    theirs = [member for member in staff if member.body == "NRO"]
    chance = stream(ministry.seed, "orders")
    drawn = chance.sample(own, min(len(own), 4 * some))
    data, change, lead, gone = (tuple(drawn[n::4]) for n in range(4))
    soon = workday_from(as_of + timedelta(days=9))
    found = [
        # Prepared for their posts before they took them.
        Order(hr, "ciso", (ciso,), ago(230), workday_from(as_of + timedelta(days=75))),
        Order(hr, "digital-service-owner", (learner,), ago(232), workday_from(as_of + timedelta(days=38))),
        Order(hr, "data-steward", (*data, late), ago(140), workday_until(as_of - timedelta(days=17))),
        Order(hr, "change-lead", change, ago(75), soon),
        Order(hr, "line-manager", lead, ago(24), workday_from(as_of + timedelta(days=130))),
        Order(hr, "data-steward", gone, ago(12), None),
        Order(registry, "data-steward", tuple(theirs[: max(1, some // 4)]), ago(88), soon + timedelta(days=14)),
    ]
    return [order for order in found if order.people]
