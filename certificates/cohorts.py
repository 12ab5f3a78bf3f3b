"""Asking for the certificates of a whole cohort: who is meant, what it would do, and the row that a job then carries out.

Who gets one is laid down when it is asked, in the order of names, so that numbers and files follow it. What is asked twice
with one token is one cohort. What the job does is certificates.cohort_making.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from certificates.enums import CohortState
from certificates.models import Cohort, CohortPart, CohortQuerySet
from certificates.writing import WRITE_BATCH, batches
from courses.models import CoursePage, Enrolment
from learning.asking import Missing, Whom, resolve
from organisations.enums import JobState
from organisations.ids import Ids
from organisations.jobs import enqueue
from organisations.models import Appointment, User
from organisations.perms import units_served

COHORT_JOB: Final = "certificates.cohort"
# Lines of a list that a cohort remembers as leading to nobody.
MOST_REMEMBERED = 50
# In the place of units: everybody was served.
EVERYBODY = 0


class How(StrEnum):
    BETWEEN = "between"
    UNIT = "unit"
    LIST = "list"


class NobodyMeant(Exception):
    """There is nobody to certify; the text is a sentence for whoever asked."""


@dataclass(frozen=True)
class CohortAsk:
    """Who completed the course `course_key` (in whatever language): between two days, in a unit and below, on a list."""

    course_key: str
    how: How
    first: date | None = None
    last: date | None = None
    unit_id: int | None = None
    emails: tuple[str, ...] = ()
    list_name: str = ""
    note: str = ""

    @property
    def digest(self) -> str:
        content = json.dumps(asdict(self), default=str, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Preview:
    """What a cohort would do. `absent`: lines that lead to nobody; `open`: people who have not completed the course."""

    to_issue: int
    already: int
    absent: tuple[Missing, ...] = ()
    open: tuple[User, ...] = ()

    @property
    def count(self) -> int:
        return self.to_issue + self.already

    @property
    def left_out(self) -> int:
        return len(self.absent) + len(self.open)


def look(officer: User, ask: CohortAsk) -> Preview:
    """Count; nothing is written. A handful of queries, for a list one more for each 500 lines."""
    people, absent = _listed(officer, ask)
    rows = completed_of(officer, ask, people)
    already = rows.filter(certificate__isnull=False).count()
    not_yet: tuple[User, ...] = ()
    if ask.how == How.LIST:
        done = set(rows.values_list("person_id", flat=True))
        not_yet = tuple(person for person in people if person.pk not in done)
    return Preview(rows.count() - already, already, absent, not_yet)


def completed_of(officer: User, ask: CohortAsk, people: Iterable[User] = ()) -> QuerySet[Enrolment]:
    """The enrolments meant, one a person: her last completion (of those days, where days are asked for)."""
    pages = CoursePage.objects.filter(key=ask.course_key).exclude(key="")
    meant = Enrolment.objects.completed().filter(course__in=list(pages.values_list("pk", flat=True)))
    if ask.how == How.BETWEEN:
        meant = meant.filter(completed_at__gte=_start(ask.first), completed_at__lt=_start(ask.last, days=1))
    later = Q(completed_at__gt=OuterRef("completed_at")) | Q(
        completed_at=OuterRef("completed_at"), pk__gt=OuterRef("pk")
    )
    rows = meant.exclude(Exists(meant.filter(later, person=OuterRef("person"))))
    if ask.how == How.UNIT:
        unit = units_served(officer).filter(pk=ask.unit_id).first()
        path = unit.path if unit is not None else "-"
        placed = Appointment.objects.current().filter(post__unit__path__startswith=path)
        rows = rows.filter(person__in=placed.order_by().values("person_id"))
    if ask.how == How.LIST:
        rows = rows.filter(person__in=Ids([person.pk for person in people]))
    if not officer.is_superuser:
        rows = rows.filter(person__in=User.objects.in_hr_scope_of(officer).order_by().values("pk"))
    return rows.order_by("person__name", "pk")


def _start(day: date | None, *, days: int = 0) -> datetime:
    """The first moment of a day (or of one after it) where the installation is."""
    return timezone.make_aware(
        datetime.combine((day or date.min) + timedelta(days=days), time.min), timezone.get_default_timezone()
    )


def _listed(officer: User, ask: CohortAsk) -> tuple[tuple[User, ...], tuple[Missing, ...]]:
    if ask.how != How.LIST:
        return (), ()
    found = resolve(officer, Whom(emails=ask.emails), timezone.localdate())
    return found.people, found.missing


def start_cohort(*, officer: User, ask: CohortAsk, token: str) -> Cohort:
    """Lay down who is meant and have it done in the background; the same press (`token`) gives the same cohort.

    Raises NobodyMeant.
    """
    people, absent = _listed(officer, ask)
    rows = completed_of(officer, ask, people)
    with transaction.atomic():
        cohort, created = Cohort.objects.get_or_create(
            token=f"{officer.pk}:{token}:{ask.digest}"[:80],
            defaults={
                "course": _page_of(ask.course_key),
                "note": ask.note,
                "whom": _said(officer, ask, absent),
                "scope": _scope_of(officer),
                "asked_by": officer,
            },
        )
        if created:
            # Numbers of a hundred thousand, not rows: two hundred lists.
            cohort.count = sum(len(part.members) for part in _lay_down(cohort, rows))
            if not cohort.count:
                raise NobodyMeant(_("Nobody you serve completed this course so."))
            cohort.already = rows.filter(certificate__isnull=False).count()
            cohort.job = enqueue(kind=COHORT_JOB, key=str(cohort.pk), payload={"cohort": cohort.pk}, by=officer)
            cohort.save(update_fields=["count", "already", "job"])
            log(instance=cohort, action="certificates.cohort", user=officer, data={"count": cohort.count})
    cohort.refresh_from_db()
    return cohort


def _lay_down(cohort: Cohort, rows: QuerySet[Enrolment]) -> list[CohortPart]:
    ids = rows.values_list("pk", flat=True).iterator(chunk_size=4 * WRITE_BATCH)
    parts = (
        CohortPart(cohort=cohort, number=number, members=members)
        for number, members in enumerate(batches(ids, WRITE_BATCH), start=1)
    )
    return CohortPart.objects.bulk_create(parts, batch_size=50)


def _page_of(key: str) -> CoursePage:
    """The page the cohort is called after: in the installation's language where there is one."""
    pages = list(CoursePage.objects.filter(key=key).exclude(key="").order_by("pk"))
    if not pages:
        raise NobodyMeant(_("This course is no longer there."))
    return next((page for page in pages if page.language == settings.LANGUAGE_CODE), pages[0])


def _said(officer: User, ask: CohortAsk, absent: tuple[Missing, ...]) -> dict[str, Any]:
    said: dict[str, Any] = {"how": ask.how.value}
    if ask.how == How.BETWEEN:
        said |= {"first": str(ask.first), "last": str(ask.last)}
    elif ask.how == How.UNIT:
        unit = units_served(officer).filter(pk=ask.unit_id).first()
        said |= {"unit": ask.unit_id, "name": unit.name.data if unit is not None else ""}
    else:
        lines = sum(1 for entry in ask.emails if entry.strip())
        said |= {"lines": lines, "list_name": ask.list_name, "absent": len(absent)}
        said["absent_lines"] = [[one.line, one.text[:120]] for one in absent[:MOST_REMEMBERED]]
    return said


def _scope_of(officer: User) -> list[int]:
    if officer.is_superuser:
        return [EVERYBODY]
    return list(officer.hr_mandates.order_by("unit").values_list("unit", flat=True))


# --- Afterwards ----------------------------------------------------------------------------------------------------
def cohorts_visible_to(officer: User) -> CohortQuerySet:
    """Her own, as long as she serves all units she served then; all of them, as administrator."""
    found = Cohort.objects.select_related("course", "asked_by", "job")
    if officer.is_superuser:
        return found
    own = dict(Cohort.objects.filter(asked_by=officer).order_by().values_list("pk", "scope"))
    asked = {unit for scope in own.values() for unit in scope}
    served = set(units_served(officer).filter(pk__in=asked).values_list("pk", flat=True)) if asked else set()
    return found.filter(pk__in=[pk for pk, scope in own.items() if scope and served.issuperset(scope)])


def state_of(cohort: Cohort) -> CohortState:
    """From its job and its files; asks nothing where the job was read along."""
    if cohort.job is None or cohort.job.is_open:
        return CohortState.WORKING
    if cohort.files_made_at is not None:
        return CohortState.READY
    return CohortState.STOPPED if cohort.job.state == JobState.FAILED else CohortState.EXPIRED


@transaction.atomic
def make_again(*, cohort: Cohort, by: User) -> Cohort:
    """Go on with what has stopped, or make files that were removed. Pressed twice it is asked once; what is there stays."""
    cohort = Cohort.objects.select_for_update(of=("self",)).select_related("job").get(pk=cohort.pk)
    if state_of(cohort) in (CohortState.STOPPED, CohortState.EXPIRED):
        key = f"{cohort.pk}:{uuid4()}"
        cohort.job = enqueue(kind=COHORT_JOB, key=key, payload={"cohort": cohort.pk}, by=by)
        cohort.save(update_fields=["job"])
    return cohort
