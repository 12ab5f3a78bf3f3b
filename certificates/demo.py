"""The demo ministry, top floor: the certificates of the past year, and the whole ministry in one call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import transaction
from wagtail.signal_handlers import disable_reference_index_auto_update

from certificates.demo_definitions import certify, lay_down_bodies
from certificates.models import Certificate
from certificates.services import issue_certificates
from competencies.demo import appoint_steward, assess, give_earlier_roles, give_roles, starter_framework
from competencies.demo_record import write_record
from competencies.models import FrameworkVersion
from competencies.organisation import lay_down_counts
from courses.demo import Library, appoint_editor
from courses.models import Enrolment
from learning.demo import live_through
from learning.enums import PlanReason
from learning.services import replan_many
from organisations.demo import DEMO_DOMAIN, draw_ministry, moment, write_ministry
from organisations.models import Unit, User


class NotEmpty(ValueError):
    """There is something that a demo ministry would mix with; the text is a sentence for whoever asked."""


@dataclass(frozen=True)
class Made:
    """What was made, as rows of a table: what, how many."""

    counts: tuple[tuple[str, int], ...]


@transaction.atomic
def seed_ministry(*, people: int, seed: int, as_of: date) -> Made | None:
    """Make the demo ministry: all of it or nothing; None when it is there already.

    Raises NotEmpty where people or units are that are not the demo's, NotReady where the framework or the courses it
    is built on are missing. `as_of` is the day it is made for: everything in it happened before.
    """
    # Two who seed at once: the second waits here, and then finds what the first has made.
    list(FrameworkVersion.objects.select_for_update().values_list("pk"))
    if User.objects.filter(email__iendswith=f"@{DEMO_DOMAIN}").exists():
        return None
    if User.objects.exists():
        raise NotEmpty("There are people here already. The demo ministry is only made where there is nobody yet.")
    if Unit.objects.exists():
        raise NotEmpty("There are units here already. The demo ministry is only made where there are none yet.")
    starter, library = starter_framework(), Library()
    ministry = draw_ministry(people=people, seed=seed, as_of=as_of)
    with disable_reference_index_auto_update():
        write_ministry(ministry)
        appoint_editor(ministry)
        appoint_steward(ministry)
        give_roles(ministry, starter)
        role_days = give_earlier_roles(ministry, starter)
        assessments = assess(ministry, starter)
        year = live_through(ministry, starter, library, assessments, role_days)
        body = lay_down_bodies(ministry)
        certificates = issue_past_certificates()
        record = write_record(ministry, starter)
        replan_many(
            person_ids=sorted(record.changed),
            reason=PlanReason.EVIDENCE,
            at=moment(ministry.last_day, 18 * 60),
        )
        awards = certify(ministry, starter, body)
        lay_down_counts(day=as_of)
    posts, vacant = len(ministry.seats), sum(seat.holder is None for seat in ministry.seats)
    return Made(
        (
            ("people", len(ministry.members)),
            ("units", len(ministry.places)),
            ("posts", posts),
            ("of them vacant", vacant),
            ("assessments", assessments.pieces),
            ("of them withdrawn", sum(map(len, assessments.withdrawals.values()))),
            ("roles assigned by HR", year.assignments),
            ("learning paths made", year.plans),
            ("courses begun", year.enrolments),
            ("courses completed", year.completed),
            ("attempts at questions", year.attempts),
            ("certificates", len(certificates)),
            ("by definition", awards),
            ("claims and contests", record.claims + record.contests),
            ("diagnostics taken", len(record.changed) - 1),
            ("people asked by a campaign", record.invited),
            ("people who agreed to be found", record.findable),
            ("changes", year.changes.initiatives),
            ("surveys about them", year.changes.surveys),
            ("answers given", year.changes.answers),
            ("actions agreed on", year.changes.actions),
        )
    )


def issue_past_certificates() -> list[Certificate]:
    """Certificates of all completed courses, with documents, dated and numbered in the order of completion."""
    completed = Enrolment.objects.completed().filter(certificate__isnull=True).order_by("completed_at", "pk")
    return issue_certificates(enrolments=completed.only("pk"))
