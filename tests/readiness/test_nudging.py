"""Reminders people plan for themselves: one mail a week at most, never of what is done, never unasked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import timezone

from organisations.models import Job, Leave
from readiness.enums import InitiativeStatus, NudgeKind
from readiness.initiatives import confirm_reading
from readiness.models import Nudge
from readiness.nudging import ask_for_nudges, kinds_for, plan_nudges, send_nudges
from tests.readiness.builders import ask, make_action, make_body
from tests.readiness.surveys import make_closed, make_initiative, make_open, staff

pytestmark = pytest.mark.django_db

MONDAY = timezone.make_aware(datetime(2026, 3, 16, 9))


def plan(person: Any, *kinds: NudgeKind, words: str = "") -> None:
    plan_nudges(person=person, wishes=dict.fromkeys(kinds, (True, words)), by=person)


def survey(body: Any, at: datetime = MONDAY) -> None:
    make_open(body.change, k=5, at=at)
    mail.outbox.clear()  # invitations


def told() -> list[str]:
    found = [message.to[0] for message in mail.outbox]
    mail.outbox.clear()
    return found


def test_without_a_wish_nobody_is_reminded_of_anything():
    body = make_body()
    survey(body, timezone.now())
    assert send_nudges(timezone.now())["people"] == 0
    assert told() == []


def test_who_planned_to_read_is_reminded_in_the_words_of_her_plan_until_she_has_read():
    body = make_body()
    plan(body.officer, NudgeKind.READ_WHY, words="On Tuesday, at my desk")
    send_nudges(MONDAY)
    [message] = mail.outbox
    assert "Your plan: On Tuesday, at my desk" in message.body
    assert f"/changes/{body.change.slug}/" in message.body
    assert "/account/changes/" in message.body
    mail.outbox.clear()
    confirm_reading(initiative=body.change, by=body.officer)
    send_nudges(MONDAY + timedelta(days=30))
    assert told() == []


def test_one_mail_a_week_at_most_whatever_there_is_to_be_reminded_of():
    body = make_body()
    make_initiative(body.top)
    plan(body.officer, NudgeKind.READ_WHY)
    days = [send_nudges(MONDAY + timedelta(days=day))["told"] for day in range(15)]
    assert [day for day, count in enumerate(days) if count] == [0, 7, 14]
    mail.outbox.clear()
    # Another kind, planned in between, waits for its week too.
    plan(body.officer, NudgeKind.ANSWER_SURVEY)
    assert send_nudges(MONDAY + timedelta(days=16))["told"] == 0


def test_all_there_is_to_do_comes_in_one_mail():
    body = make_body()
    survey(body)
    plan(body.officer, NudgeKind.READ_WHY, NudgeKind.ANSWER_SURVEY)
    send_nudges(MONDAY + timedelta(days=1))
    [message] = mail.outbox
    assert "Read why the change happens" in message.body and "Answer the survey" in message.body


def test_two_runs_of_one_day_send_one_mail():
    body = make_body()
    plan(body.officer, NudgeKind.READ_WHY)
    assert [send_nudges(MONDAY)["told"], send_nudges(MONDAY + timedelta(hours=1))["told"]] == [1, 0]


def test_the_switch_stops_it_and_the_plan_is_kept():
    body = make_body()
    plan(body.officer, NudgeKind.READ_WHY, words="On Tuesday")
    plan_nudges(person=body.officer, wishes={NudgeKind.READ_WHY: (False, "On Tuesday")}, by=body.officer)
    assert send_nudges(MONDAY)["told"] == 0
    nudge = Nudge.objects.get()
    assert (nudge.is_off, nudge.when_where_plan) == (True, "On Tuesday")


def test_what_is_not_wanted_and_never_was_leaves_no_row():
    body = make_body()
    plan_nudges(person=body.officer, wishes={NudgeKind.READ_WHY: (False, "")}, by=body.officer)
    assert not Nudge.objects.exists()


def test_who_has_answered_is_not_reminded_of_the_survey():
    body = make_body()
    survey(body)
    plan(body.officer, NudgeKind.ANSWER_SURVEY)
    plan(body.clerk, NudgeKind.ANSWER_SURVEY)
    body.officer.participations.update(done=True)
    send_nudges(MONDAY + timedelta(days=1))
    assert told() == [body.clerk.email]
    send_nudges(MONDAY + timedelta(days=20))  # it is over
    assert told() == []


def test_a_manager_is_reminded_until_her_unit_has_an_action_that_answers_the_survey():
    body = make_body()
    closed = make_closed(body.change, k=5)
    mail.outbox.clear()
    for person in (body.head, body.first):
        plan(person, NudgeKind.SET_ACTION)
    now = timezone.now()
    send_nudges(now)
    assert told() == [body.head.email, body.first.email]
    make_action(body.change, body.desk, body.first, timezone.localdate(), wave=closed)
    send_nudges(now + timedelta(days=7))
    assert told() == []  # the desk's action is in the office, too


def test_who_is_to_answer_is_reminded_while_a_question_waits():
    body = make_body()
    plan(body.lead, NudgeKind.ANSWER_QUESTION)
    assert send_nudges(MONDAY)["told"] == 0
    question = ask(body.change, body.officer, anonymously=True)
    assert send_nudges(MONDAY)["told"] == 1
    question.answer = "In May."
    question.save()
    assert send_nudges(MONDAY + timedelta(days=9))["told"] == 0


def test_changes_of_other_bodies_drafts_and_ended_ones_remind_nobody():
    make_body()
    other = make_body(status=InitiativeStatus.ENDED)
    make_initiative(other.top, status=InitiativeStatus.DRAFT)
    plan(other.officer, NudgeKind.READ_WHY)
    assert send_nudges(MONDAY)["told"] == 0


def test_who_is_on_leave_or_has_left_is_not_reminded():
    body = make_body()
    for person in (body.officer, body.clerk):
        plan(person, NudgeKind.READ_WHY)
    day = MONDAY.date()
    Leave.objects.create(person=body.officer, starts_on=day, ends_on=day + timedelta(days=3))
    body.clerk.is_active = False
    body.clerk.save()
    send_nudges(MONDAY)
    assert told() == []
    send_nudges(MONDAY + timedelta(days=3))
    assert told() == [body.officer.email]


def test_a_mail_that_the_server_fails_is_tried_again_the_next_day(monkeypatch):
    body = make_body()
    plan(body.officer, NudgeKind.READ_WHY)

    def fail(self, *args, **kwargs):
        raise OSError("no server")

    with monkeypatch.context() as broken:
        broken.setattr(EmailMessage, "send", fail)
        assert send_nudges(MONDAY) == {"people": 1, "told": 0, "failed": 1}
    assert Nudge.objects.get().last_sent is None
    assert send_nudges(MONDAY + timedelta(days=1))["told"] == 1


def test_reminders_are_asked_for_once_a_day_and_not_in_the_night():
    ask_for_nudges(timezone.make_aware(datetime(2026, 3, 16, 4)))
    assert not Job.objects.filter(kind="readiness.send_nudges").exists()
    for hour in (6, 7, 8):
        ask_for_nudges(timezone.make_aware(datetime(2026, 3, 16, hour)))
    assert Job.objects.filter(kind="readiness.send_nudges").count() == 1


def test_each_is_offered_the_reminders_there_are_for_her(client):
    body = make_body()
    day = timezone.localdate()
    assert kinds_for(body.officer, day) == ["read_why", "answer_survey"]
    assert kinds_for(body.head, day) == ["read_why", "answer_survey", "set_action"]
    assert kinds_for(body.lead, day) == ["read_why", "answer_survey", "answer_question"]
    client.force_login(body.officer)
    client.post("/account/changes/", {"on_read_why": "on", "plan_read_why": "On  Tuesday", "on_set_action": "on"})
    assert list(Nudge.objects.values_list("kind", "when_where_plan", "is_off")) == [("read_why", "On Tuesday", False)]
    assert 'value="On Tuesday"' in client.get("/account/changes/").content.decode()
    assert "/account/changes/" in client.get("/learn/settings/").content.decode()


def test_many_people_cost_as_many_queries_as_one_but_for_leading(count_queries):
    body = make_body()
    survey(body)
    plan(body.officer, NudgeKind.READ_WHY, NudgeKind.ANSWER_SURVEY)
    one = count_queries(lambda: send_nudges(MONDAY + timedelta(days=1)))
    for person in staff(body.office, 6):
        plan(person, NudgeKind.READ_WHY, NudgeKind.ANSWER_SURVEY)
    mail.outbox.clear()
    assert count_queries(lambda: send_nudges(MONDAY + timedelta(days=8))) == one
    assert len(told()) == 7
