"""What plans are made from, read for many people at once: gaps, assignments, curated paths, wishes, pace, the offer.

`read_inputs` asks the same number of queries for one person as for a batch of them; `solve` is the planner called with
what one person's inputs say. Changing an `Inputs` with `dataclasses.replace` and solving again answers "what if".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from django.conf import settings
from django.db.models import Exists

from competencies.models import RoleProfile
from competencies.selectors import NOTHING_SUPPOSED, Standing, Supposing, standings_of
from courses.models import CoursePage, SeatBooking
from courses.selectors import OfferedCourse, passed_and_begun
from learning.curated import published_stages
from learning.enums import AssignmentKind, WishKind
from learning.models import Assignment, LearningPeriod, StepWish
from learning.planning import Catalogue, Choice, Mandatory, Offer, Pace, Plan, Session, Target, plan_path
from learning.recurring import completions_of
from organisations.models import Leave, User
from readiness.needs import NeededFor, needed_of, open_needs


class Shelf:
    """The whole offer, prepared once for the plans of many people."""

    def __init__(self, offered: dict[str, OfferedCourse]) -> None:
        self.offered = offered
        self._catalogues: dict[str, Catalogue] = {}

    def page(self, key: str, language: str, begun: Mapping[str, int]) -> CoursePage:
        """The page a person takes a course in: the one it is begun in, else her language."""
        return self.offered[key].page_for(language, begun.get(key))

    def catalogue(self, inputs: Inputs) -> Catalogue:
        """The offer in a person's language, with what she has begun or booked."""
        base = self._catalogues.get(inputs.language)
        if base is None:
            base = Catalogue.of(self.offer(key, inputs.language) for key in self.offered)
            self._catalogues[inputs.language] = base
        own = inputs.begun.keys() | inputs.booked.keys()
        return base.with_offers(
            self.offer(key, inputs.language, inputs.begun, inputs.booked.get(key), inputs.left.get(key))
            for key in sorted(own & self.offered.keys())
        )

    def offer(
        self,
        key: str,
        language: str,
        begun: Mapping[str, int] | None = None,
        booked: Session | None = None,
        left: int | None = None,
    ) -> Offer:
        course = self.offered[key]
        page = course.page_for(language, (begun or {}).get(key))
        sessions = (booked,) if booked is not None else course.sessions_of(page)
        return Offer(
            key,
            page.effort_minutes if left is None else left,
            course.outcomes,
            course.prerequisites,
            key in (begun or {}),
            tuple(Session(s.run_id, s.starts_on, s.ends_on) for s in sessions),
            course.is_dated(page),
        )

    @cached_property
    def _leading_to(self) -> dict[int, list[str]]:
        found: dict[int, list[str]] = defaultdict(list)
        for key, course in self.offered.items():
            for pk, _rank in course.outcomes:
                found[pk].append(key)
        return found

    def held_keys(self, held: Mapping[int, int]) -> frozenset[str]:
        """Courses all of whose outcomes somebody holds (competency id → attained rank)."""
        near = {key for pk, rank in held.items() if rank for key in self._leading_to.get(pk, ())}
        return frozenset(key for key in near if self.offered[key].is_held(held))


@dataclass(frozen=True)
class Inputs:
    """What one person's plan is made from on one day.

    `mandatory` are all courses asked for, those recommended by HR too as long as they are not declined; `asked_by` leads
    from a course to the assignments behind it, `stages_of` to the stages of the curated paths it stands in.
    """

    standing: Standing
    language: str = ""
    passed: frozenset[str] = frozenset()
    begun: Mapping[str, int] = field(default_factory=dict)
    booked: Mapping[str, Session] = field(default_factory=dict)
    # Minutes left of courses begun, where they matter: what is stored reckons with whole courses, so that a plan does not
    # change with every lesson.
    left: Mapping[str, int] = field(default_factory=dict)
    mandatory: tuple[Mandatory, ...] = ()
    choices: tuple[Choice, ...] = ()
    asked_by: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    stages_of: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    gap_due: Mapping[int, date] = field(default_factory=dict)
    # What changes need of her, by competency: more urgent, and by a day.
    needed: Mapping[int, NeededFor] = field(default_factory=dict)
    pinned: frozenset[str] = frozenset()
    declined: frozenset[str] = frozenset()
    in_plan: frozenset[str] = frozenset()
    away: tuple[tuple[date, date], ...] = ()
    weekly_minutes: int = 0

    @property
    def asks_for_nothing(self) -> bool:
        return not (self.standing.profiles or self.mandatory or self.choices or self.pinned)

    @property
    def pace(self) -> Pace:
        return Pace(self.weekly_minutes or settings.WEEKLY_LEARNING_MINUTES, self.standing.as_of, self.away)

    def due_of(self, competency_id: int) -> date | None:
        """The day a gap is to be closed by: that of an assignment, or of a change that needs it, whichever is earlier."""
        dates = [self.gap_due.get(competency_id)]
        if competency_id in self.needed:
            dates.append(self.needed[competency_id].by)
        return min((day for day in dates if day is not None), default=None)

    @property
    def targets(self) -> tuple[Target, ...]:
        return tuple(
            Target(
                g.competency_id,
                g.held,
                g.required.rank_needed,
                g.priority * (self.needed[g.competency_id].factor if g.competency_id in self.needed else 1),
                self.due_of(g.competency_id),
            )
            for g in self.standing.gaps
        )


def solve(inputs: Inputs, shelf: Shelf) -> Plan:
    """The plan of one person. Courses passed, or all of whose outcomes she holds, need not be taken."""
    return plan_path(
        inputs.targets,
        shelf.catalogue(inputs),
        satisfied=inputs.passed | shelf.held_keys(inputs.standing.held),
        mandatory=inputs.mandatory,
        choices=inputs.choices,
        pinned=inputs.pinned,
        declined=inputs.declined,
        in_plan=inputs.in_plan,
        pace=inputs.pace,
        time_limit_seconds=settings.PLANNER_SECONDS,
    )


def read_inputs(
    person_ids: Sequence[int],
    *,
    day: date,
    locking: bool = False,
    adding: RoleProfile | None = None,
    without: int | None = None,
    supposing: Supposing = NOTHING_SUPPOSED,
    standings: Mapping[int, Standing] | None = None,
) -> dict[int, Inputs]:
    """The inputs of many people on one day. `adding`, `without` and `supposing` are those of `standings_of`; who has the
    standings already, or needs none, passes them. `locking` holds the rows of the people until the transaction ends,
    before anything else is read.
    """
    people = User.objects.filter(pk__in=person_ids).order_by("pk")
    if locking:
        people = people.select_for_update(of=("self",))
    # Whether any change needs anything comes along, so that where none does nothing more is asked.
    people = people.annotate(any_need=Exists(open_needs(day)))
    rows = list(people.values_list("pk", "language", "learner_settings__weekly_minutes", "any_need"))
    own = {pk: (language, pace) for pk, language, pace, _any in rows}
    if standings is None:
        standings = standings_of(person_ids, as_of=day, adding=adding, without=without, supposing=supposing)
    passed, begun = passed_and_begun(person_ids)
    asked = _Asked(person_ids, day, standings, without)
    wishes = _wishes(person_ids)
    away = leave_of(person_ids, day)
    booked = _booked(person_ids, day)
    held = {pk: standings[pk].held for pk in person_ids}
    needed = needed_of(person_ids, day, held) if any(row[3] for row in rows) else {}
    found = {}
    for pk in person_ids:
        declined = wishes[pk, WishKind.DECLINED]
        language, pace = own.get(pk, ("", None))
        mandatory, choices, asked_by, stages_of = asked.of(pk, declined, passed.get(pk, ()))
        found[pk] = Inputs(
            standing=standings[pk],
            language=language,
            passed=frozenset(passed.get(pk, ())),
            begun=begun.get(pk, {}),
            booked=booked.get(pk, {}),
            mandatory=mandatory,
            choices=choices,
            asked_by=asked_by,
            stages_of=stages_of,
            gap_due=asked.gap_due.get(pk, {}),
            needed=needed.get(pk, {}),
            pinned=wishes[pk, WishKind.PINNED],
            declined=declined,
            away=away.get(pk, ()),
            weekly_minutes=pace or 0,
        )
    return found


def leave_of(person_ids: Sequence[int], day: date) -> dict[int, tuple[tuple[date, date], ...]]:
    """Leave of each person that has not ended, as half-open intervals. One query."""
    found: dict[int, list[tuple[date, date]]] = defaultdict(list)
    rows = Leave.objects.from_day(day).filter(person_id__in=person_ids).order_by("starts_on", "ends_on")
    for person_id, starts_on, ends_on in rows.values_list("person_id", "starts_on", "ends_on"):
        found[person_id].append((starts_on, ends_on))
    return {person_id: tuple(leaves) for person_id, leaves in found.items()}


def _wishes(person_ids: Sequence[int]) -> dict[tuple[int, str], frozenset[str]]:
    found: dict[tuple[int, str], set[str]] = defaultdict(set)
    rows = StepWish.objects.filter(person_id__in=person_ids, withdrawn_at__isnull=True)
    for person_id, kind, key in rows.values_list("person_id", "kind", "course_key"):
        found[person_id, kind].add(key)
    return defaultdict(frozenset, {who: frozenset(keys) for who, keys in found.items()})


def _booked(person_ids: Sequence[int], day: date) -> dict[int, dict[str, Session]]:
    """The run in which each person has a seat and which is not over, by course. One query."""
    found: dict[int, dict[str, Session]] = defaultdict(dict)
    rows = (
        SeatBooking.objects.filter(
            person_id__in=person_ids, cancelled_at__isnull=True, run__cancelled=False, run__ends_on__gte=day
        )
        .order_by("-run__starts_on", "-run_id")
        .values_list("person_id", "run__course__key", "run_id", "run__starts_on", "run__ends_on")
    )
    for person_id, key, run_id, starts_on, ends_on in rows:
        found[person_id][key] = Session(run_id, max(starts_on, day), ends_on)
    return found


@dataclass(frozen=True)
class _Row:
    """An assignment as the planner takes it."""

    id: int
    kind: str
    mandatory: bool
    due_on: date | None
    course_key: str
    curated_path_id: int | None
    again: bool  # a period of a requirement that repeats is open
    waits: bool  # it repeats, and no period is open
    kept: frozenset[str]  # of the courses of a path whose period is open, those completed since it opened


class _Asked:
    """What assignments ask of people: courses, elective groups, and by when gaps are to be closed."""

    def __init__(
        self, person_ids: Sequence[int], day: date, standings: Mapping[int, Standing], without: int | None
    ) -> None:
        self.rows: dict[int, list[_Row]] = defaultdict(list)
        self.gap_due: dict[int, dict[int, date]] = defaultdict(dict)
        rows = list(
            Assignment.objects.asking(day)
            .filter(person_id__in=person_ids)
            .order_by("pk")
            .values_list(
                "pk", "person_id", "kind", "mandatory", "due_on", "course_key", "curated_path_id", "repeat",
                "role_assignment_id", "role_assignment__profile__lineage",
            )
        )  # fmt: skip
        periods = _open_periods([row[0] for row in rows if row[7]], day)
        done = completions_of({row[1] for row in rows if row[6] is not None and periods.get(row[0]) is not None})
        for pk, person_id, kind, mandatory, due_on, key, path_id, repeat, role_id, lineage in rows:
            if kind == AssignmentKind.ROLE:
                if repeat and pk in periods:
                    # Its first date is past once it has come round: what counts is the turn that is open.
                    turn = periods[pk]
                    due_on = turn[1] if turn is not None else due_on if due_on is not None and due_on >= day else None
                if due_on is not None and (without is None or role_id != without):
                    self._due(person_id, standings[person_id], lineage, due_on)
                continue
            again, waits, kept = False, False, frozenset[str]()
            if repeat and pk in periods:
                period = periods[pk]
                again, waits = period is not None, period is None
                if period is not None:
                    opens_on, due_on = period
                    kept = frozenset(key for on, key in done.get(person_id, ()) if on >= opens_on)
            self.rows[person_id].append(_Row(pk, kind, mandatory, due_on, key, path_id, again, waits, kept))
        self.stages = published_stages(
            {row.curated_path_id for rows in self.rows.values() for row in rows if row.curated_path_id is not None}
        )

    def _due(self, person_id: int, standing: Standing, lineage: object, due_on: date) -> None:
        """The date of a role is the date of each gap that stands between the person and the role."""
        for profile in standing.profiles:
            if profile.lineage != lineage:
                continue
            dates, held = self.gap_due[person_id], standing.held
            for required in standing.asked.get(profile.pk, ()):
                pk = required.competency_id
                if held.get(pk, 0) < required.rank_needed:  # what this role asks for may be met where another asks more
                    dates[pk] = min(due_on, dates.get(pk, due_on))

    def of(
        self, person_id: int, declined: frozenset[str], passed: Collection[str]
    ) -> tuple[tuple[Mandatory, ...], tuple[Choice, ...], dict[str, tuple[int, ...]], dict[str, tuple[int, ...]]]:
        asked: dict[str, list[Mandatory]] = defaultdict(list)
        choices: list[Choice] = []
        asked_by: dict[str, list[int]] = defaultdict(list)
        stages_of: dict[str, list[int]] = defaultdict(list)
        for row in self.rows.get(person_id, ()):
            if row.waits:
                continue
            keys: Iterable[str] = (row.course_key,) if row.course_key else ()
            stages = self.stages.get(row.curated_path_id, ()) if row.curated_path_id is not None else ()
            only_electives = all(stage.choose is not None for stage in stages)
            for stage in stages:
                for key in stage.keys:
                    stages_of[key].append(stage.id)
                if stage.choose is None:
                    keys = (*keys, *stage.keys)
                else:
                    # As `required_courses` says: electives are what is to be kept only where nothing is required whole.
                    kept = row.kept if row.again and only_electives else None
                    choices.append(Choice(str(stage.id), tuple(stage.keys), stage.choose, row.due_on, kept))
                    for key in stage.keys:
                        asked_by[key].append(row.id)
            for key in keys:
                again = row.again and key not in row.kept
                if key in passed and not again:
                    continue  # done as far as this one asks: it lends neither date nor reason to one that asks again
                asked_by[key].append(row.id)
                if row.mandatory or key not in declined:
                    asked[key].append(Mandatory(key, row.due_on, again))
        return (
            tuple(_strictest(key, rows) for key, rows in sorted(asked.items())),
            tuple(choices),
            {key: tuple(ids) for key, ids in asked_by.items()},
            {key: tuple(ids) for key, ids in stages_of.items()},
        )


def _strictest(key: str, asked: Sequence[Mandatory]) -> Mandatory:
    """Asked for more than once, a course is due when it is due first, and taken again if anybody asks so."""
    dates = [row.due_on for row in asked if row.due_on is not None]
    return Mandatory(key, min(dates, default=None), any(row.again for row in asked))


def _open_periods(assignment_ids: Sequence[int], day: date) -> dict[int, tuple[date, date] | None]:
    """For assignments that repeat and have periods: when the one that is open opened and by when it is due; None where
    it is kept, and before the first one opens, for what is completed then counts for nothing."""
    if not assignment_ids:
        return {}
    found: dict[int, tuple[date, date] | None] = {}
    rows = LearningPeriod.objects.filter(assignment_id__in=assignment_ids).order_by("number")
    for assignment_id, opens_on, due_on, completed_on in rows.values_list(
        "assignment_id", "opens_on", "due_on", "completed_on"
    ):
        found.setdefault(assignment_id, None)
        if opens_on <= day:
            found[assignment_id] = (opens_on, due_on) if completed_on is None else None
    return found
