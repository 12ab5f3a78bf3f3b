"""What is asked of whom: the words of an assignment before anybody has it, and the people they mean.

An `Ask` is what an officer fills in or a rule says; a batch (learning/batches.py) makes it a dry run and applies it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from competencies.models import RoleAssignment, RoleProfile
from courses.models import CoursePage
from learning.due_dates import DuePolicy, read_policy
from learning.enums import AssignmentKind, Existing
from learning.hr import people_served
from learning.models import Assignment, AssignmentBatch, CuratedPath
from learning.periods import Recurrence
from organisations.models import Appointment, Unit, User
from organisations.perms import hr_paths, units_served

# How many values a query names at a time.
NAMED = 500
MAX_LINE = 200


@dataclass(frozen=True)
class Whom:
    """Who is meant, all of them together: people of units (with or without those below), people, holders of roles (ids of
    role profiles), and the lines of a list or a file, in their order. `rule_id` is the standing rule that asks."""

    unit_ids: tuple[int, ...] = ()
    with_sub_units: bool = True
    person_ids: tuple[int, ...] = ()
    holders_of: tuple[int, ...] = ()
    emails: tuple[str, ...] = ()
    rule_id: int | None = None
    list_name: str = ""  # of the file the lines came in

    @property
    def is_empty(self) -> bool:
        return not (self.unit_ids or self.person_ids or self.holders_of or self.emails)


@dataclass(frozen=True)
class Ask:
    """A role, a curated path or a course, for whom, by when, how often."""

    kind: AssignmentKind
    whom: Whom
    profile_id: int | None = None
    curated_path_id: int | None = None
    course_key: str = ""
    mandatory: bool = True
    note: str = ""
    due_policy: DuePolicy = field(default_factory=DuePolicy)
    repeat: Recurrence | None = None
    existing: Existing = Existing.KEEP


@dataclass(frozen=True)
class Missing:
    """A line that leads to nobody this officer serves: "malformed", "unknown" or "inactive"."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True)
class Resolved:
    """The people meant, by name; the lines that lead to nobody; how many lines named somebody a second time."""

    people: tuple[User, ...]
    missing: tuple[Missing, ...] = ()
    repeated: int = 0


def resolve(officer: User | None, whom: Whom, day: date) -> Resolved:
    """The people meant, within what the officer serves. `officer` None is the calendar at work on a rule: everybody active.

    As many queries for one unit as for many; lines and named people are asked for 500 at a time.
    """
    served = _served(officer, day)
    people: dict[int, User] = {}
    for found in _named_at_large(officer, whom, day):
        people |= {person.pk: person for person in served.filter(pk__in=found)}
    for ids in in_parts(sorted(set(whom.person_ids))):
        people |= {person.pk: person for person in served.filter(pk__in=ids)}
    named, missing, repeated = _of_lines(officer, served, whom.emails, day)
    people |= named
    return Resolved(tuple(sorted(people.values(), key=lambda p: (p.name.casefold(), p.pk))), tuple(missing), repeated)


def count_meant(officer: User | None, whom: Whom, day: date) -> int:
    """How many people are meant at the most: enough to tell work of a moment from work for the background."""
    at_large = sum(
        _served(officer, day).filter(pk__in=found).order_by().count() for found in _named_at_large(officer, whom, day)
    )
    return at_large + len(whom.person_ids) + len(whom.emails)


def _served(officer: User | None, day: date) -> QuerySet[User]:
    people = User.objects.active() if officer is None else people_served(officer, day)
    return people.only("pk", "name", "email", "language", "is_active").order_by()


def _named_at_large(officer: User | None, whom: Whom, day: date) -> Iterator[QuerySet[Any, Any]]:
    """Ids of people by unit and by role, as queries."""
    if whom.unit_ids:
        units = Unit.objects.order_by("path") if officer is None else units_served(officer)
        within = Q(pk__in=[])
        for unit in units.filter(pk__in=whom.unit_ids):
            within |= Q(post__unit__path__startswith=unit.path) if whom.with_sub_units else Q(post__unit=unit)
        yield Appointment.objects.current(day).filter(within).order_by().values("person_id")
    if whom.holders_of:
        # A role is held in whatever edition it was given.
        lineages = RoleProfile.objects.filter(pk__in=whom.holders_of).values("lineage")
        yield (
            Appointment.objects.current(day)
            .filter(post__post_roles__profile__lineage__in=lineages)
            .order_by()
            .values("person_id")
        )
        yield RoleAssignment.objects.current(day).filter(profile__lineage__in=lineages).order_by().values("person_id")


def _of_lines(
    officer: User | None, served: QuerySet[User], emails: Sequence[str], day: date
) -> tuple[dict[int, User], list[Missing], int]:
    by_email: dict[str, User] = {}
    written = [plain_line(line) for line in emails]
    wanted = sorted({line.lower() for line in written if line})
    for some in in_parts(wanted):
        by_email |= {person.email.lower(): person for person in served.filter(email__in=some)}
    inactive: set[str] = set()
    for some in in_parts([email for email in wanted if email not in by_email]):
        inactive |= {email.lower() for email in _gone(officer).filter(email__in=some).values_list("email", flat=True)}
    people: dict[int, User] = {}
    missing: list[Missing] = []
    repeated = 0
    seen: set[str] = set()
    for number, line in enumerate(written, start=1):
        if not line:  # a blank line keeps the numbers of those after it
            continue
        email = line.lower()
        person = by_email.get(email)
        if email in seen:
            repeated += 1
        elif person is not None:
            people[person.pk] = person
        elif email in inactive:
            missing.append(Missing(number, line, "inactive"))
        else:
            missing.append(Missing(number, line, "unknown" if is_email(email) else "malformed"))
        seen.add(email)
    return people, missing, repeated


def _gone(officer: User | None) -> QuerySet[User]:
    """People who are no longer active, of the units an officer serves: about others an officer learns nothing."""
    gone = User.objects.filter(is_active=False).order_by()
    if officer is None or officer.is_superuser:
        return gone
    within = Q(pk__in=[])
    for path in hr_paths(officer):
        within |= Q(post__unit__path__startswith=path)
    return gone.filter(pk__in=Appointment.objects.filter(within).order_by().values("person_id"))


def plain_line(text: str) -> str:
    """A line as it can be kept and shown: no characters that a database refuses, and not without end."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode().strip()[:MAX_LINE]


def is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def in_parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), NAMED):
        yield values[start : start + NAMED]


# --- What may be asked -----------------------------------------------------------------------------------------------
class NotOffered(Exception):
    """What was asked for cannot be assigned, or not by this officer. The message is a sentence for people."""


@dataclass(frozen=True)
class Thing:
    """What is assigned: one of the three."""

    kind: AssignmentKind
    profile: RoleProfile | None = None
    path: CuratedPath | None = None
    course_key: str = ""

    def given(self) -> QuerySet[Assignment]:
        """Everybody's assignments of it, ended or not; of a role in whatever edition."""
        if self.profile is not None:
            return Assignment.objects.filter(role_assignment__profile__lineage=self.profile.lineage)
        if self.path is not None:
            return Assignment.objects.filter(curated_path=self.path)
        return Assignment.objects.filter(kind=AssignmentKind.COURSE, course_key=self.course_key)

    def batches(self) -> QuerySet[AssignmentBatch]:
        """All batches that are about it."""
        if self.profile is not None:
            return AssignmentBatch.objects.filter(profile__lineage=self.profile.lineage)
        if self.path is not None:
            return AssignmentBatch.objects.filter(curated_path=self.path)
        return AssignmentBatch.objects.filter(kind=AssignmentKind.COURSE, course_key=self.course_key)


def thing_of(ask: Ask, officer: User | None) -> Thing:
    """What is asked for, as it is in force. Raises NotOffered where it is not, or not for this officer."""
    if ask.kind == AssignmentKind.ROLE:
        profile = RoleProfile.objects.published().filter(pk=ask.profile_id or 0).first()
        if profile is None:
            raise NotOffered(_("This role is not offered any more. Choose another."))
        return Thing(ask.kind, profile=profile)
    if ask.kind == AssignmentKind.PATH:
        path = assignable_paths(officer).filter(pk=ask.curated_path_id or 0).first()
        if path is None:
            raise NotOffered(_("This path is not in use, or not yours to assign. Choose another."))
        return Thing(ask.kind, path=path)
    if not CoursePage.objects.offered().filter(key=ask.course_key).exclude(key="").exists():
        raise NotOffered(_("This course is not offered any more. Choose another."))
    return Thing(ask.kind, course_key=ask.course_key)


def assignable_paths(officer: User | None) -> QuerySet[CuratedPath]:
    """Curated paths in use that an officer may assign: those of her units and of the units above."""
    paths = CuratedPath.objects.filter(archived_at__isnull=True, versions__status="published")
    if officer is None or officer.is_superuser:
        return paths
    within = Q(pk__in=[])
    for path in hr_paths(officer):
        above = [path[:end] for end in range(Unit.steplen, len(path) + 1, Unit.steplen)]
        within |= Q(unit__path__startswith=path) | Q(unit__path__in=above)
    return paths.filter(within)


# --- As it is kept ---------------------------------------------------------------------------------------------------
def write_whom(whom: Whom) -> dict[str, Any]:
    """Whom as JSON; `read_whom` reads it back. The rule is kept beside it."""
    return {
        "units": list(whom.unit_ids),
        "with_sub_units": whom.with_sub_units,
        "people": list(whom.person_ids),
        "holders_of": list(whom.holders_of),
        "emails": [plain_line(line) for line in whom.emails],
        "list_name": whom.list_name,
    }


def read_whom(data: Mapping[str, Any], rule_id: int | None = None) -> Whom:
    return Whom(
        unit_ids=tuple(data.get("units", ())),
        with_sub_units=data.get("with_sub_units", True),
        person_ids=tuple(data.get("people", ())),
        holders_of=tuple(data.get("holders_of", ())),
        emails=tuple(data.get("emails", ())),
        rule_id=rule_id,
        list_name=data.get("list_name", ""),
    )


def write_repeat(repeat: Recurrence | None) -> dict[str, Any]:
    return {} if repeat is None else asdict(repeat)


def read_repeat(data: Mapping[str, Any]) -> Recurrence | None:
    if not data:
        return None
    return Recurrence(**data)


def ask_of(batch: AssignmentBatch) -> Ask:
    """What a batch was asked to do. Its people are those meant today."""
    return Ask(
        kind=AssignmentKind(batch.kind),
        whom=read_whom(batch.whom, batch.rule_id),
        profile_id=batch.profile_id,
        curated_path_id=batch.curated_path_id,
        course_key=batch.course_key,
        mandatory=batch.mandatory,
        note=batch.note,
        due_policy=read_policy(batch.due_policy) if batch.due_policy else DuePolicy(),
        repeat=read_repeat(batch.repeat),
        existing=Existing(batch.existing),
    )
