"""The demo ministry's curated path: what HR gives to people who lead a team, published twice, with its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from learning.enums import AssignmentKind, CuratedStatus, PlanReason
from learning.models import Assignment, CuratedItem, CuratedPath, CuratedStage, CuratedVersion
from organisations.demo import Member, Ministry, moment, workday_from

Words = tuple[str, str]
Part = tuple[Words, int | None, Sequence[str]]

KEY = "welcome-to-digital-government"
TITLE = ("Welcome to digital government", "Bienvenida al gobierno digital")
SUMMARY = (
    "For everybody who leads a team here for the first time. Afterwards you keep information safe and decisions on the "
    "record, you begin with what citizens need, and you carry your team through a change.",
    "Para quienes dirigen por primera vez un equipo en esta casa. Al terminar, cuidas la información y dejas constancia "
    "de lo que se decide, partes de lo que la ciudadanía necesita y acompañas a tu equipo en un cambio.",
)
FIRST_WEEKS: Part = (
    ("In your first weeks", "En tus primeras semanas"),
    None,
    ("safe-digital-work", "working-on-the-record"),
)
FIRST: tuple[Part, ...] = (
    FIRST_WEEKS,
    (("Lead your team", "Dirige tu equipo"), None, ("leading-change", "building-digital-teams")),
)
SECOND: tuple[Part, ...] = (
    FIRST_WEEKS,
    (("Begin with the citizen", "Empieza por la ciudadanía"), None, ("serving-citizens",)),
    (("Lead your team", "Dirige tu equipo"), None, ("leading-change",)),
    (
        ("What your team’s work asks for", "Lo que pide el trabajo de tu equipo"),
        2,
        ("building-digital-teams", "buying-technology", "data-governance", "digital-strategy", "service-design"),
    ),
)
WHY = "Managers asked for two things: begin with the citizen, and leave out hiring where nobody hires."
NOTE = "Everybody who leads a team in the ministry begins with this."


@dataclass(frozen=True)
class Giving:
    """On a day, the path is given to people."""

    on: date
    people: tuple[Member, ...]
    due_on: date


class WelcomePath:
    """Lives through the year with the ministry: `live` does what a day brings, and says whose paths it touches."""

    def __init__(self, ministry: Ministry) -> None:
        self.ministry = ministry
        ago, as_of = ministry.ago, ministry.as_of
        self.published_on, self.changed_on = ago(152), ago(45)
        leaders = new_leaders(ministry)
        half = -(-len(leaders) // 2)
        self.givings = (
            Giving(ago(145), leaders[:half], workday_from(as_of + timedelta(days=26))),
            Giving(ago(31), leaders[half:], workday_from(as_of + timedelta(days=120))),
        )
        self.path: CuratedPath | None = None

    def live(self, day: date) -> tuple[set[int], PlanReason]:
        if day == self.published_on:
            self._publish(1, FIRST, day)
        elif day == self.changed_on:
            self._publish(2, SECOND, day)
            having = Assignment.objects.filter(curated_path=self.path).values_list("person_id", flat=True)
            return set(having), PlanReason.CURATED
        given = [giving for giving in self.givings if giving.on == day]
        return {pk for giving in given for pk in self._give(giving)}, PlanReason.ASSIGNMENT

    def _publish(self, number: int, parts: Sequence[Part], day: date) -> None:
        officer = self.ministry.officers["MPS"].user
        at = moment(day, 11 * 60)
        if self.path is None:
            unit = next(place.unit for place in self.ministry.places if place.code == "MPS" and place.unit is not None)
            self.path = CuratedPath.objects.create(key=KEY, unit=unit, created_by=officer, created_at=at)
        self.path.versions.update(status=CuratedStatus.SUPERSEDED)
        version = CuratedVersion.objects.create(
            path=self.path,
            number=number,
            title=_stored(TITLE),
            summary=_stored(SUMMARY),
            status=CuratedStatus.PUBLISHED,
            note=WHY if number > 1 else "",
            published_at=at,
            published_by=officer,
        )
        for position, (title, choose, keys) in enumerate(parts, start=1):
            stage = CuratedStage.objects.create(version=version, position=position, title=_stored(title), choose=choose)
            CuratedItem.objects.bulk_create(
                CuratedItem(stage=stage, position=place, course_key=key) for place, key in enumerate(keys, start=1)
            )

    def _give(self, giving: Giving) -> list[int]:
        people = [member.user.pk for member in giving.people]
        Assignment.objects.bulk_create(
            Assignment(
                person_id=pk,
                kind=AssignmentKind.PATH,
                curated_path=self.path,
                note=NOTE,
                assigned_on=giving.on,
                due_on=giving.due_on,
            )
            for pk in people
        )
        return people


def _stored(words: Words) -> dict[str, str]:
    return {"en": words[0], "es": words[1]}


def new_leaders(ministry: Ministry) -> tuple[Member, ...]:
    """Who leads people in the ministry, has been there when the path was first given, and took the post last; with
    `manager`, so that one who signs in has it. A quarter of the leaders, six at least."""
    there = ministry.ago(152)
    leading = {member.leader for member in ministry.members if member.leader is not None}
    leaders = [
        member
        for member in ministry.members
        if member in leading
        and member.seats
        and member.body == "MPS"
        and not member.account
        and member.known_from < there
    ]
    leaders.sort(key=lambda member: (-(member.seat.since or ministry.first_day).toordinal(), member.number))
    return (ministry.account("manager"), *leaders[: max(6, len(leaders) // 4)])
