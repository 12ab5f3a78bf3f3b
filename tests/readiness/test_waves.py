"""Preparing and opening a survey: by whose word, of whom, how often, and what happens by the calendar."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from organisations.models import User
from readiness import keys
from readiness.closing import close_wave, release_key
from readiness.enums import InitiativeStatus, KeyKeeper, TeamRole, WaveKind, WaveState
from readiness.inviting import ask_for_reminders, reminder_days
from readiness.models import Action, LastInvitation, Participation, Sheet, Wave, WaveNode
from readiness.rates import count_daily, count_responses
from readiness.tasks import forget_sheets, settle_surveys
from readiness.waves import (
    WaveRefused,
    approvals_of,
    approve_wave,
    digest_of,
    discard_wave,
    make_key,
    obstacles,
    open_wave,
)
from tests.builders import make_person
from tests.readiness.surveys import (
    act_on,
    answer,
    approve,
    draft,
    in_team,
    make_closed,
    make_initiative,
    make_instrument,
    make_ministry,
    make_open,
    staff,
)

pytestmark = pytest.mark.django_db
WORDS = "four words of the steward"


@pytest.fixture
def units():
    return make_ministry()


def opened(wave: Wave, **fields):
    return open_wave(wave=wave, by=in_team(wave.initiative, TeamRole.LEAD), **fields)


# --- By whose word ---------------------------------------------------------------------------------------------------
def test_two_different_approvers_are_needed(units):
    wave = draft(make_initiative(units["M"]), make_instrument(), at=timezone.now())
    first = in_team(wave.initiative, TeamRole.APPROVER)
    for _press in range(2):
        approve_wave(wave=wave, by=first, seen=digest_of(wave))
    with pytest.raises(WaveRefused):
        opened(wave)
    assert not keys.file_keys().folder.exists() or not list(keys.file_keys().folder.glob(f"{wave.key_name or '-'}*"))
    approve(wave)
    assert opened(wave).state == WaveState.OPEN


def test_only_approvers_approve_and_only_what_they_have_seen(units):
    wave = draft(make_initiative(units["M"]), make_instrument(), at=timezone.now())
    with pytest.raises(WaveRefused):
        approve_wave(wave=wave, by=in_team(wave.initiative, TeamRole.LEAD), seen=digest_of(wave))
    with pytest.raises(WaveRefused):
        approve_wave(wave=wave, by=in_team(wave.initiative, TeamRole.APPROVER), seen="another")


def test_a_change_makes_approvals_void(units):
    initiative, instrument = make_initiative(units["M"]), make_instrument()
    now = timezone.now()
    wave = draft(initiative, instrument, at=now)
    approve(wave)
    wave = draft(initiative, instrument, at=now, k=12)
    assert approvals_of(wave) == []
    with pytest.raises(WaveRefused):
        opened(wave)


def test_who_does_not_run_the_change_prepares_and_opens_nothing(units):
    initiative = make_initiative(units["M"])
    wave = draft(initiative, make_instrument(), at=timezone.now())
    approve(wave)
    for act in (
        lambda by: open_wave(wave=wave, by=by),
        lambda by: discard_wave(wave=wave, by=by),
    ):
        for by in (make_person(), in_team(initiative, TeamRole.MODERATOR)):
            with pytest.raises(WaveRefused):
                act(by)


# --- Of whom, how often ----------------------------------------------------------------------------------------------
def test_fewer_than_two_groups_of_people_are_not_asked():
    units = make_ministry({"M": 19})
    wave = draft(make_initiative(units["M"]), make_instrument(), at=timezone.now())
    approve(wave)
    with pytest.raises(WaveRefused):
        opened(wave)
    staff(units["M"], 1)
    assert opened(wave).state == WaveState.OPEN


@pytest.mark.parametrize(("first", "second"), [("M", "A"), ("A", "M"), ("M", "M")])
def test_nested_audiences_are_not_asked_side_by_side_nor_within_a_fortnight(units, first, second):
    instrument, now = make_instrument(), timezone.now()
    running = make_open(make_initiative(units[first]), instrument, at=now - timedelta(days=5), days=4, k=5)
    later = draft(make_initiative(units[second]), instrument, at=now - timedelta(days=5), days=30, k=5)
    approve(later)
    with pytest.raises(WaveRefused):
        opened(later, at=now - timedelta(days=3))
    answer(running)
    close_wave(wave=running, at=running.closes_at)
    with pytest.raises(WaveRefused) as refused:
        opened(later, at=now)
    assert "fortnight" in str(refused.value)
    assert opened(later, at=now + timedelta(days=9, minutes=1)).state == WaveState.OPEN


def test_somebody_who_came_from_elsewhere_is_not_asked_twice_within_a_fortnight(units):
    now = timezone.now()
    newcomer = User.objects.filter(appointments__post__unit=units["A2"]).first()
    LastInvitation.objects.create(person=newcomer, on=timezone.localdate() - timedelta(days=3))
    wave = make_open(make_initiative(units["M"]), at=now)
    assert not Participation.objects.filter(wave=wave, person=newcomer).exists()
    assert wave.nodes.get(code=units["M"].code).eligible == 38


def test_the_next_survey_waits_for_an_action_on_the_last(units):
    initiative, instrument = make_initiative(units["M"]), make_instrument()
    first = make_closed(initiative, instrument, days_ago=40)
    wave = draft(initiative, instrument, at=timezone.now(), kind=WaveKind.PULSE)
    approve(wave)
    with pytest.raises(WaveRefused) as refused:
        opened(wave)
    assert "action" in str(refused.value)
    act_on(first)
    assert opened(wave).previous == first
    assert Action.objects.count() == 1


def test_what_stands_in_the_way_is_said_in_sentences(units):
    initiative = make_initiative(units["M"], status=InitiativeStatus.DRAFT)
    wave = draft(initiative, make_instrument(), at=timezone.now(), days=90)
    found = obstacles(wave, timezone.now())
    assert len(found) == 3 and all(sentence.endswith(".") for sentence in found)


def test_opening_freezes_questions_and_organisation(units):
    wave = make_open(make_initiative(units["M"]))
    initiative = wave.initiative
    initiative.short_name = {"en": "Renamed"}
    initiative.save()
    wave.refresh_from_db()
    assert wave.questionnaire["blocks"][0]["items"][0]["text"]["en"] == "why 1 of One counter"
    assert {node.code: node.eligible for node in wave.nodes.all()} == {
        units["M"].code: 39, units["A"].code: 27, units["A1"].code: 4, units["A2"].code: 11, units["B"].code: 9,
    }  # fmt: skip


def test_opening_twice_is_once_and_a_refused_opening_leaves_no_key(units):
    initiative = make_initiative(units["M"])
    wave = draft(initiative, make_instrument(), at=timezone.now())
    before = set(keys.file_keys().folder.glob("*")) if keys.file_keys().folder.exists() else set()
    with pytest.raises(WaveRefused):
        opened(wave)
    approve(wave)
    once, twice = opened(wave), opened(wave)
    assert once.key_name == twice.key_name
    assert len(set(keys.file_keys().folder.glob("*")) - before) == 1
    assert Participation.objects.filter(wave=wave).count() == 39


# --- The steward's key -----------------------------------------------------------------------------------------------
def test_with_the_stewards_passphrase_and_after_the_end_only(units, settings):
    initiative = make_initiative(units["M"])
    steward = in_team(initiative, TeamRole.STEWARD)
    wave = draft(initiative, make_instrument(), at=timezone.now(), key_keeper=KeyKeeper.PASSPHRASE)
    approve(wave)
    with pytest.raises(WaveRefused):
        opened(wave)
    with pytest.raises(WaveRefused):
        make_key(wave=wave, by=in_team(initiative, TeamRole.LEAD), passphrase=WORDS)
    make_key(wave=wave, by=steward, passphrase=WORDS)
    wave = opened(wave)
    answer(wave)
    with pytest.raises(WaveRefused):
        release_key(wave=wave, by=steward, passphrase=WORDS)
    for passphrase in ("", WORDS + "!"):
        with pytest.raises(WaveRefused):
            release_key(wave=wave, by=steward, passphrase=passphrase, at=wave.closes_at)
    settle_surveys(wave.closes_at)
    wave.refresh_from_db()
    assert wave.state == WaveState.OPEN
    release_key(wave=wave, by=steward, passphrase=WORDS, at=wave.closes_at)
    wave = close_wave(wave=wave, at=wave.closes_at)
    assert wave.state == WaveState.CLOSED
    assert not keys.file_keys().exists(wave.key_name) and not keys.passphrase_keys().exists(wave.key_name)


# --- By the calendar -------------------------------------------------------------------------------------------------
def test_the_calendar_opens_what_is_approved_and_closes_what_is_over(units):
    now = timezone.now()
    wave = draft(make_initiative(units["M"]), make_instrument(), at=now + timedelta(hours=1), days=2)
    approve(wave)
    settle_surveys(now)
    wave.refresh_from_db()
    assert wave.state == WaveState.DRAFT
    Wave.objects.filter(pk=wave.pk).update(opens_at=now - timedelta(minutes=1), closes_at=now + timedelta(days=2))
    wave.refresh_from_db()
    approve(wave)
    settle_surveys(now)
    wave.refresh_from_db()
    assert wave.state == WaveState.OPEN
    assert [event.actor_role for event in wave.events.filter(kind="opened")] == ["calendar"]
    answer(wave)
    Wave.objects.filter(pk=wave.pk).update(opens_at=now - timedelta(days=3), closes_at=now - timedelta(minutes=1))
    settle_surveys(now)
    wave.refresh_from_db()
    assert wave.state == WaveState.CLOSED


def test_everybody_gets_one_invitation_and_at_most_three_reminders_while_she_has_not_answered(units):
    now = timezone.now()
    wave = make_open(make_initiative(units["M"]), at=now)
    invited = [message.to[0] for message in mail.outbox if str(wave.pk) in message.body]
    assert len(invited) == len(set(invited)) == 39
    rows = list(Participation.objects.filter(wave=wave).select_related("person"))
    answer(wave, but=[row.person for row in rows[:5]])
    mail.outbox.clear()
    day = now.replace(hour=12)
    for days in range(1, 14):
        ask_for_reminders(day + timedelta(days=days))
        ask_for_reminders(day + timedelta(days=days, hours=2))
    wave.refresh_from_db()
    assert wave.reminders == 3
    assert len(mail.outbox) == 15 and {m.to[0] for m in mail.outbox} == {row.person.email for row in rows[:5]}


def test_reminders_lie_inside_of_the_time():
    opens = timezone.localdate()
    assert reminder_days(opens, opens + timedelta(days=1)) == []
    found = reminder_days(opens, opens + timedelta(days=14))
    assert len(found) == 3 and opens < found[0] and found[-1] == opens + timedelta(days=13)


def test_response_is_counted_once_a_day_in_steps_of_five_and_only_for_large_enough_units(units):
    now = timezone.now()
    wave = make_open(make_initiative(units["M"]), at=now)
    rows = list(Participation.objects.filter(wave=wave, node_code=units["A2"].code).select_related("person"))
    answer(wave, but=[row.person for row in rows[:4]])
    count_responses(wave)
    shown = dict(WaveNode.objects.filter(wave=wave).values_list("code", "response_pct"))
    assert shown[units["A1"].code] is None and shown[units["B"].code] is None
    assert shown[units["A2"].code] == 65 and shown[units["M"].code] == 90
    Participation.objects.filter(wave=wave).update(done=True)
    count_daily(wave, now)
    assert wave.nodes.get(code=units["M"].code).response_pct == 95
    Participation.objects.filter(wave=wave).update(done=False)
    count_daily(wave, now + timedelta(minutes=5))
    assert wave.nodes.get(code=units["M"].code).response_pct == 95


def test_sheets_are_forgotten_after_two_years_and_totals_stay(units):
    wave = make_closed(make_initiative(units["M"]))
    assert forget_sheets(wave.closes_at + timedelta(days=729)) == 0
    assert forget_sheets(wave.closes_at + timedelta(days=735)) == 39
    assert not Sheet.objects.exists() and wave.classes.exists()
