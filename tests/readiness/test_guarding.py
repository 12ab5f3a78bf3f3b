"""Who guards a survey hears of what waits for her: once of each, and only while it waits."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from organisations.jobs import enqueue
from readiness.enums import KeyKeeper, TeamRole
from readiness.journey_mails import GUARD_MAIL, tell_guards
from readiness.models import Comment, Wave
from tests.readiness.surveys import (
    approve,
    draft,
    in_team,
    make_closed,
    make_initiative,
    make_instrument,
    make_ministry,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def change():
    return make_initiative(make_ministry()["M"])


def morning() -> datetime:
    return timezone.localtime().replace(hour=7, minute=0)


def addressed() -> list[str]:
    return sorted(address for message in mail.outbox for address in message.to)


def emails(change, role: TeamRole) -> list[str]:
    return sorted(change.team.filter(role=role).values_list("person__email", flat=True))


def test_approvers_hear_once_of_a_survey_that_waits_for_them_and_not_in_the_night(change):
    wave = draft(change, make_instrument(), at=timezone.now() + timedelta(days=3))
    tell_guards(morning().replace(hour=5))
    assert mail.outbox == []
    for _hour in range(3):
        tell_guards(morning())
    assert addressed() == emails(change, TeamRole.APPROVER)
    assert all(f"/surveys/{wave.pk}/run/" in message.body for message in mail.outbox)
    assert all("waits for your approval" in message.subject for message in mail.outbox)


def test_who_has_approved_hears_nothing_and_a_draft_that_was_changed_is_another_one(change):
    wave = draft(change, make_instrument(), at=timezone.now() + timedelta(days=3))
    approve(wave)
    tell_guards(morning())
    assert mail.outbox == []
    Wave.objects.filter(pk=wave.pk).update(closes_at=wave.closes_at + timedelta(days=1))
    tell_guards(morning())
    tell_guards(morning())
    assert addressed() == emails(change, TeamRole.APPROVER)


def test_what_was_done_before_the_worker_came_is_not_told(change):
    wave = draft(change, make_instrument(), at=timezone.now() + timedelta(days=3))
    approve(wave)
    approver = in_team(change, TeamRole.APPROVER)
    enqueue(kind=GUARD_MAIL, key="late", payload={"wave": wave.pk, "task": "approve", "to": approver.pk})
    wave.delete()
    enqueue(kind=GUARD_MAIL, key="gone", payload={"wave": wave.pk or 0, "task": "approve", "to": approver.pk})
    assert mail.outbox == []


def test_the_steward_hears_that_a_key_is_to_be_made(change):
    draft(change, make_instrument(), at=timezone.now() + timedelta(days=3), key_keeper=KeyKeeper.PASSPHRASE)
    change.team.filter(role=TeamRole.APPROVER).delete()
    tell_guards(morning())
    assert addressed() == emails(change, TeamRole.STEWARD)
    assert "passphrase" in mail.outbox[0].subject


def test_moderators_hear_of_comments_until_they_are_read_and_nothing_of_what_they_say(change):
    wave = make_closed(change, comments={"wish": "ZEBRA by the door"})
    assert Comment.objects.filter(wave=wave).exists()
    mail.outbox.clear()
    tell_guards(morning())
    tell_guards(morning())
    assert addressed() == emails(change, TeamRole.MODERATOR)
    assert not any("ZEBRA" in message.body + message.subject for message in mail.outbox)
    assert f"/surveys/{wave.pk}/run/comments/" in mail.outbox[0].body
