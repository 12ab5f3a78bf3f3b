"""The changes of a demo ministry of the usual size: one that runs, and one whose first survey waits to be approved and opened."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from certificates.demo import seed_ministry
from organisations.demo import USUAL_PEOPLE
from organisations.models import User
from readiness.enums import TeamRole, WaveEventKind, WaveState
from readiness.models import Initiative, Participation, Wave
from readiness.perms import may_run
from readiness.waves import due_to_open, make_wave, obstacles, open_wave

pytestmark = pytest.mark.usefixtures("today")


@pytest.fixture(scope="module")
def today(starter: None) -> Iterator[None]:
    """A ministry as somebody meets it who has just made one."""
    with transaction.atomic():
        assert seed_ministry(people=USUAL_PEOPLE, seed=1, as_of=timezone.localdate())
        yield
        transaction.set_rollback(True)


def person(name: str) -> User:
    return User.objects.get(email=f"{name}@demo.example")


def at_desk(name: str) -> Client:
    client = Client()
    client.force_login(person(name))
    return client


def text(response) -> str:
    assert response.status_code == 200, response
    return unescape(response.content.decode())


@pytest.fixture
def wave() -> Wave:
    return Wave.objects.select_related("initiative__unit", "unit").get(state=WaveState.DRAFT)


def test_who_may_sign_in_may_approve_and_open_the_first_survey_of_the_second_change(wave):
    team = wave.initiative.team
    assert may_run(person("manager"), wave.initiative)
    assert person("ciso").pk in set(team.filter(role=TeamRole.APPROVER).values_list("person_id", flat=True))
    # One word is missing, and nothing else.
    assert obstacles(wave, timezone.now()) == ["1 approval is missing."]
    assert wave not in due_to_open(timezone.now())


def test_it_is_approved_at_one_desk_and_opened_at_another_on_the_day_of_seeding(wave, undone):
    page = reverse("wave", args=[wave.pk])
    lead, approver = at_desk("manager"), at_desk("ciso")
    assert reverse("wave_open", args=[wave.pk]) not in text(lead.get(page))
    looked = approver.get(page)
    assert reverse("wave_approve", args=[wave.pk]) in text(looked)
    approver.post(reverse("wave_approve", args=[wave.pk]), {"seen": looked.context["digest"]})
    assert reverse("wave_open", args=[wave.pk]) in text(lead.get(page))
    assert list(due_to_open(timezone.now())) == [wave]
    opened = open_wave(wave=wave, by=person("manager"))
    assert opened.state == WaveState.OPEN
    asked = Participation.objects.filter(wave=opened)
    assert asked.count() >= 2 * opened.k
    # Nobody of those is asked twice: the pulse of the first change asks people of the other body.
    others = Participation.objects.exclude(wave=opened)
    assert others.exists()
    assert not others.filter(person__in=asked.values("person_id")).exists()


def test_the_first_change_is_in_its_middle_and_still_cannot_ask_again(undone):
    first = Initiative.objects.exclude(waves__state=WaveState.DRAFT).get()
    states = list(first.waves.order_by("opens_at").values_list("state", flat=True))
    assert states == [WaveState.CLOSED, WaveState.CLOSED, WaveState.OPEN]
    last = first.waves.select_related("instrument", "unit").get(state=WaveState.OPEN)
    now = timezone.now()
    again = make_wave(
        initiative=first, instrument=last.instrument, kind=last.kind, unit=last.unit, opens_at=now,
        closes_at=now + timedelta(days=14), by=person("hr"), k=last.k,
    )  # fmt: skip
    assert any("is open until" in sentence for sentence in obstacles(again, now))


def test_what_happened_to_the_survey_in_preparation_happened_before_today(wave):
    days = list(wave.events.values_list("kind", "on"))
    assert {kind for kind, _on in days} == {WaveEventKind.MADE, WaveEventKind.APPROVED}
    assert all(on < timezone.localdate() for _kind, on in days)
    assert all(approval.on < timezone.localdate() for approval in wave.approvals.all())
