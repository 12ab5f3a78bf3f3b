"""Surveys in every state, made by the services the product itself uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from organisations.models import Appointment, Post, Unit, User
from readiness.casting import cast
from readiness.closing import close_wave
from readiness.enums import InitiativeStatus, InstrumentStatus, TeamRole, WaveKind
from readiness.models import (
    Action,
    Block,
    Initiative,
    Instrument,
    Item,
    LanguageReview,
    OpenQuestion,
    Participation,
    TeamMember,
    Wave,
)
from readiness.questionnaire import item_codes
from readiness.waves import approve_wave, digest_of, make_wave, open_wave
from tests.builders import LONG_AGO, make_person, make_unit

_number = count(1)
SCALE = [
    {"value": value, "text": {"en": text, "es": texto}}
    for value, text, texto in (
        (1, "Disagree", "En desacuerdo"), (2, "Rather disagree", "Más bien en desacuerdo"), (3, "Neither", "Ni lo uno ni lo otro"),
        (4, "Rather agree", "Más bien de acuerdo"), (5, "Agree", "De acuerdo"), (0, "I don't know", "No sé"),
    )
]  # fmt: skip


def make_instrument(
    blocks: Mapping[str, int] | None = None, *, questions: Sequence[str] = ("wish",), pulse: int = 1, slug: str = ""
) -> Instrument:
    """A questionnaire ready for use: by block how many statements; the first `pulse` of each are in the pulse."""
    instrument = Instrument.objects.create(
        slug=slug or f"instrument{next(_number)}", title={"en": "Questions", "es": "Preguntas"}, licence="CC0-1.0",
        scale=SCALE,
    )  # fmt: skip
    for place, (code, items) in enumerate((blocks or {"why": 3, "support": 2, "commitment": 2}).items()):
        block = Block.objects.create(
            instrument=instrument, code=code, title={"en": code.title(), "es": code.title()}, sort_order=place
        )
        for n in range(items):
            text = {"en": f"{code} {n + 1} of {{initiative}}", "es": f"{code} {n + 1} de {{initiative}}"}
            Item.objects.create(block=block, code=f"{code}{n + 1}", text=text, pulse=n < pulse, sort_order=n)
    for place, code in enumerate(questions):
        OpenQuestion.objects.create(
            instrument=instrument,
            code=code,
            text={"en": "What helps?", "es": "¿Qué ayuda?"},
            pulse=True,
            sort_order=place,
        )
    for language in ("en", "es"):
        LanguageReview.objects.create(instrument=instrument, language=language)
    # Past the rules: some ask what becomes of a block of one statement, which only a pulse has.
    Instrument.objects.filter(pk=instrument.pk).update(status=InstrumentStatus.READY)
    instrument.refresh_from_db()
    return instrument


def make_initiative(unit: Unit, **fields: Any) -> Initiative:
    """A published initiative with two approvers, a lead and a moderator."""
    n = next(_number)
    values = {
        "slug": f"change{n}", "title": {"en": "One counter", "es": "Ventanilla única"},
        "short_name": {"en": "One counter", "es": "Ventanilla única"}, "summary": {"en": "All services at one counter."},
        "why": {"en": "People come five times for one thing."}, "status": InitiativeStatus.PUBLISHED,
        "starts_on": timezone.localdate() - timedelta(days=60),
    } | fields  # fmt: skip
    initiative = Initiative.objects.create(unit=unit, **values)
    for role in (TeamRole.LEAD, TeamRole.APPROVER, TeamRole.APPROVER, TeamRole.MODERATOR, TeamRole.STEWARD):
        TeamMember.objects.create(initiative=initiative, person=make_person(), role=role)
    return initiative


def in_team(initiative: Initiative, role: TeamRole) -> User:
    return initiative.team.filter(role=role).order_by("pk")[0].person


def staff(unit: Unit, n: int, boss: Post | None = None) -> list[User]:
    """So many people directly in a unit, whose posts report to `boss`."""
    start = next(_number)
    people = User.objects.bulk_create(
        [
            User(email=f"staff{start}.{i}@example.org", name=f"Staff {start}.{i}", password="!", language="en")
            for i in range(n)
        ]
    )
    posts = Post.objects.bulk_create(
        Post(
            unit=unit, code=f"s{start}.{i}", title={"en": "Officer"}, reports_to=boss,
            starts_on=timezone.localdate() - timedelta(days=900),
        )
        for i in range(n)
    )  # fmt: skip
    Appointment.objects.bulk_create(
        Appointment(person=person, post=post, starts_on=LONG_AGO) for person, post in zip(people, posts, strict=True)
    )
    return people


def make_ministry(sizes: Mapping[str, int] | None = None) -> dict[str, Unit]:
    """Units by name; "A1" lies below "A", "A" and "B" below the root "M". `sizes`: people directly in each."""
    units = {"M": make_unit("M")}
    for name, n in (sizes or {"M": 3, "A": 12, "A1": 4, "A2": 11, "B": 9}).items():
        if name not in units:
            units[name] = make_unit(name, parent=units[name[:-1] or "M"])
        staff(units[name], n)
    return units


def draft(initiative: Initiative, instrument: Instrument, *, at: datetime, days: int = 14, **fields: Any) -> Wave:
    values: dict[str, Any] = {"kind": WaveKind.BASELINE, "unit": initiative.unit, "k": 10} | fields
    return make_wave(
        initiative=initiative, instrument=instrument, opens_at=at, closes_at=at + timedelta(days=days),
        by=in_team(initiative, TeamRole.LEAD), **values,
    )  # fmt: skip


def approve(wave: Wave) -> None:
    for member in wave.initiative.team.filter(role=TeamRole.APPROVER):
        approve_wave(wave=wave, by=member.person, seen=digest_of(wave))


def make_open(
    initiative: Initiative, instrument: Instrument | None = None, *, at: datetime | None = None, **fields: Any
) -> Wave:
    """An open survey of everybody in the initiative's unit."""
    moment = at or timezone.now()
    wave = draft(initiative, instrument or make_instrument(), at=moment, **fields)
    approve(wave)
    return open_wave(wave=wave, by=in_team(initiative, TeamRole.LEAD), at=moment)


def rather_agree(_person: int, _item: str) -> int:
    return 4


def answer(
    wave: Wave,
    value: Callable[[int, str], int] = rather_agree,
    *,
    but: Sequence[User] = (),
    comments: Mapping[str, str] | None = None,
) -> None:
    """Everybody who is asked answers, except for some: `value` of the person's number and the item's code."""
    skipped = {person.pk for person in but}
    rows = Participation.objects.filter(wave=wave).order_by("person_id").select_related("person")
    for n, row in enumerate(rows):
        if row.person_id not in skipped:
            answers = {code: value(n, code) for code in item_codes(wave.questionnaire)}
            cast(person=row.person, wave=wave, answers=answers, comments=comments or {}, at=wave.opens_at)


def make_closed(
    initiative: Initiative, instrument: Instrument | None = None, *, days_ago: int = 20, value: Callable[[int, str], int] = rather_agree,
    **fields: Any,
) -> Wave:  # fmt: skip
    """A survey that is over and has results, opened and closed by then."""
    opened = timezone.now() - timedelta(days=days_ago)
    fields.setdefault("days", max(1, days_ago // 2))
    but, comments = fields.pop("but", ()), fields.pop("comments", None)
    wave = make_open(initiative, instrument, at=opened, **fields)
    answer(wave, value, but=but, comments=comments)
    return close_wave(wave=wave, at=wave.closes_at)


def act_on(wave: Wave) -> Action:
    """What promise P6 asks for before people are asked again."""
    lead = in_team(wave.initiative, TeamRole.LEAD)
    return Action.objects.create(
        initiative=wave.initiative, unit=wave.unit, wave=wave, block="why", text="Explain it in each team", owner=lead,
        due_on=timezone.localdate() + timedelta(days=14), what_staff_will_notice="A talk of half an hour", made_by=lead,
    )  # fmt: skip
