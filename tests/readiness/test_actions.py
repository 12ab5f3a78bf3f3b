"""Actions: few, each with an owner, a date and what staff will notice; never moved quietly, overdue ones seen above."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from django.utils.formats import date_format

from readiness.actions import (
    ActionRefused,
    actions_for,
    actions_of_line,
    end_action,
    move_action,
    moves_of,
    overdue_seen_by,
    set_action,
)
from readiness.enums import ActionStatus
from readiness.models import Action
from readiness.weekly import weeks_of
from tests.builders import make_person, make_unit
from tests.readiness.builders import ask, make_action, make_body, make_sponsor
from tests.readiness.surveys import make_closed, make_instrument, make_open, staff

pytestmark = pytest.mark.django_db


def in_days(days: int):
    return timezone.localdate() + timedelta(days=days)


def agree(body, unit, by, **said: Any) -> Action:
    values = {
        "wave": None, "block": "", "text": "Explain it in each team", "owner": by, "due_on": in_days(30),
        "what_staff_will_notice": "A talk of half an hour",
    } | said  # fmt: skip
    return set_action(initiative=body.change, unit=unit, by=by, **values)


# --- Setting ---------------------------------------------------------------------------------------------------------
def test_who_leads_the_unit_or_one_above_and_the_team_set_an_action_and_nobody_else():
    body = make_body()
    for number, person in enumerate((body.first, body.head, body.chief)):
        agree(body, body.desk, person, text=f"Thing {number}")
    for person in (body.lead, body.hr):
        agree(body, body.office, person, text=f"Thing of {person.pk}")
    for person, unit in ((body.clerk, body.desk), (body.first, body.office), (make_body().lead, body.desk)):
        with pytest.raises(ActionRefused):
            agree(body, unit, person)
    with pytest.raises(ActionRefused):
        agree(body, make_unit(), body.lead)


def test_an_action_says_what_by_whom_by_when_and_what_is_noticed():
    body = make_body()
    for said, field in (
        ({"text": "  "}, "text"),
        ({"what_staff_will_notice": ""}, "what_staff_will_notice"),
        ({"due_on": in_days(-1)}, "due_on"),
        ({"due_on": in_days(800)}, "due_on"),
        ({"owner": make_person()}, "owner"),
    ):
        with pytest.raises(ActionRefused) as refused:
            agree(body, body.office, body.head, **said)
        assert refused.value.field == field
    assert not Action.objects.exists()


def test_a_doubled_press_is_one_action_and_one_mail():
    body = make_body()
    first = agree(body, body.office, body.head, owner=body.officer)
    assert agree(body, body.office, body.head, owner=body.officer, text=" Explain it in  each team") == first
    [message] = mail.outbox
    assert message.to == [body.officer.email]
    assert "A talk of half an hour" in message.body and f"/changes/actions/{first.pk}/" in message.body


def test_who_sets_her_own_action_gets_no_mail_about_it():
    body = make_body()
    agree(body, body.office, body.head)
    assert mail.outbox == []


def test_of_open_actions_a_unit_has_three_at_most_and_the_next_after_one_is_done():
    body = make_body()
    three = [agree(body, body.office, body.head, text=f"Thing {number}") for number in range(3)]
    with pytest.raises(ActionRefused, match="3 open actions"):
        agree(body, body.office, body.head, text="One more")
    agree(body, body.desk, body.first, text="Of another unit")
    end_action(action=three[0], status=ActionStatus.DONE, outcome="Done in March.", by=body.head)
    agree(body, body.office, body.head, text="One more")


def test_the_owner_is_somebody_of_the_unit_of_the_team_or_whom_one_leads():
    body = make_body()
    agree(body, body.office, body.lead, owner=body.clerk, text="By staff of a unit below")
    agree(body, body.office, body.head, owner=body.lead, text="By the change lead")
    with pytest.raises(ActionRefused):
        agree(body, body.desk, body.first, owner=body.officer)
    gone = body.clerk
    gone.is_active = False
    gone.save()
    with pytest.raises(ActionRefused):
        agree(body, body.office, body.head, owner=gone, text="By nobody")


def test_an_action_answers_a_survey_that_has_results_and_a_block_it_asked_about():
    body = make_body()
    questions = make_instrument({"why": 2})
    closed = make_closed(body.change, questions, k=5, days_ago=60)
    answered = agree(body, body.office, body.head, wave=closed, block="why")
    assert (answered.wave, answered.block) == (closed, "why")
    wave = make_open(body.change, questions, k=5)
    for said in ({"wave": wave}, {"wave": closed, "block": "nothing"}, {"block": "why"}):
        with pytest.raises(ActionRefused):
            agree(body, body.office, body.head, text="Other", **said)


# --- Ending and moving -----------------------------------------------------------------------------------------------
def test_owner_leader_and_team_end_an_action_once_with_what_came_of_it():
    body = make_body()
    action = agree(body, body.office, body.head, owner=body.officer)
    with pytest.raises(ActionRefused):
        end_action(action=action, status=ActionStatus.DONE, outcome="Done.", by=body.clerk)
    with pytest.raises(ActionRefused) as refused:
        end_action(action=action, status=ActionStatus.DROPPED, outcome=" ", by=body.officer)
    assert refused.value.field == "outcome"
    end_action(action=action, status=ActionStatus.DROPPED, outcome="Nobody came.", by=body.officer)
    end_action(action=action, status=ActionStatus.DONE, outcome="Done after all.", by=body.head)
    action.refresh_from_db()
    assert (action.status, action.outcome, action.ended_on) == ("dropped", "Nobody came.", timezone.localdate())


def test_a_date_is_moved_with_a_reason_that_staff_read_beside_the_first_date(client):
    body = make_body()
    action = agree(body, body.office, body.head, due_on=in_days(5))
    for reason, days in (("", 9), ("Still waiting.", -1)):
        with pytest.raises(ActionRefused):
            move_action(action=action, due_on=in_days(days), reason=reason, by=body.head)
    move_action(action=action, due_on=in_days(9), reason="The room is being painted.", by=body.head)
    move_action(action=action, due_on=in_days(12), reason="The paint is wet.", by=body.chief)
    move_action(action=action, due_on=in_days(12), reason="The paint is wet.", by=body.chief)
    moved = moves_of(body.change, [action])[action.pk]
    assert (moved.first, moved.reason) == (in_days(5), "The paint is wet.")
    client.force_login(body.officer)
    assert "The paint is wet." in client.get(f"/changes/{body.change.slug}/actions/").content.decode()


def test_the_owner_alone_does_not_move_the_date_and_what_has_ended_is_not_moved():
    body = make_body()
    action = agree(body, body.office, body.head, owner=body.officer)
    with pytest.raises(ActionRefused):
        move_action(action=action, due_on=in_days(40), reason="So.", by=body.officer)
    end_action(action=action, status=ActionStatus.DONE, outcome="Done.", by=body.officer)
    with pytest.raises(ActionRefused):
        move_action(action=action, due_on=in_days(40), reason="So.", by=body.head)


# --- Reading ---------------------------------------------------------------------------------------------------------
def test_overdue_actions_are_seen_by_who_leads_the_unit_and_everybody_above_on_the_card_of_the_week():
    body, today = make_body(), timezone.localdate()
    late = make_action(body.change, body.desk, body.first, in_days(-1))
    make_action(body.change, body.desk, body.first, today)
    make_action(body.change, body.desk, body.first, in_days(-9), status=ActionStatus.DONE)
    for person, unit in ((body.first, body.desk), (body.head, body.office), (body.chief, body.top)):
        assert list(overdue_seen_by(person, body.change, unit, today)) == [late]
        [week] = weeks_of(person, today)
        assert (week.overdue, week.all_overdue) == ((late,), 1)
    assert weeks_of(make_body().chief, today) == []


def test_who_does_a_late_action_elsewhere_sees_it_and_who_runs_the_change_those_of_the_whole():
    body, today = make_body(), timezone.localdate()
    hers = make_action(body.change, body.top, body.head, in_days(-1))
    whole = make_action(body.change, body.top, body.chief, in_days(-2))
    assert list(overdue_seen_by(body.head, body.change, body.office, today)) == [hers]
    assert set(overdue_seen_by(body.lead, body.change, body.office, today)) == {hers, whole}
    assert not overdue_seen_by(body.first, body.change, body.desk, today).exists()


def test_the_card_says_who_answers_what_people_asked_and_by_when(client):
    body, today = make_body(), timezone.localdate()
    question = ask(body.change, body.officer)
    promised = date_format(question.due_on, "DATE_FORMAT")
    client.force_login(body.head)
    text = client.get("/surveys/week/").content.decode()
    assert f"{body.lead.name} will, by {promised}." in text
    [week] = weeks_of(body.chief, today)
    assert (week.questions.n, week.questions.who, week.questions.is_hers) == (1, (body.lead.name,), False)
    body.change.team.all().delete()
    make_sponsor(body.change, body.chief)
    client.force_login(body.chief)
    assert f"Yours to answer by {promised}." in client.get("/surveys/week/").content.decode()


def test_staff_see_what_is_done_in_their_unit_and_above_and_leaders_also_below():
    body, today = make_body(), timezone.localdate()
    top, office, desk = (
        make_action(body.change, unit, body.chief, today) for unit in (body.top, body.office, body.desk)
    )
    annex = make_unit("Annex", parent=body.top)
    [aside] = staff(annex, 1, body.posts["chief"])

    def seen(person):
        return set(actions_for(person, body.change, today))

    assert seen(body.clerk) == {top, office, desk} == set(actions_of_line(body.change, body.desk, today))
    assert seen(body.officer) == {top, office}
    assert seen(body.head) == seen(body.lead) == seen(body.hr) == {top, office, desk}
    assert seen(aside) == {top}
    Action.objects.filter(pk=desk.pk).update(owner=aside)
    assert seen(aside) == {top, desk}


def test_overdue_ones_stand_first_then_open_done_and_dropped_ones():
    body, today = make_body(), timezone.localdate()
    rows = {
        name: make_action(body.change, body.office, body.head, in_days(days), status=status, text=name)
        for name, days, status in (
            ("dropped", -5, ActionStatus.DROPPED), ("done", -9, ActionStatus.DONE), ("open", 3, ActionStatus.OPEN),
            ("late", -1, ActionStatus.OPEN),
        )
    }  # fmt: skip
    assert [action.text for action in actions_of_line(body.change, body.office, today)] == [
        "late", "open", "done", "dropped",
    ]  # fmt: skip
    assert len(rows) == 4


# --- Pages -----------------------------------------------------------------------------------------------------------
FORM = {"text": "Explain it", "what_staff_will_notice": "A talk", "owner": ""}


def test_a_manager_sets_an_action_for_her_unit_and_it_stands_on_the_page_of_the_change(client):
    body = make_body()
    client.force_login(body.head)
    address = f"/changes/{body.change.slug}/actions/new/"
    assert "An action for Office" in client.get(address).content.decode()
    sent = FORM | {"unit": body.desk.code, "owner": body.clerk.email, "due_on": in_days(9).isoformat()}
    response = client.post(address, sent, follow=True)
    assert response.redirect_chain == [(f"/changes/{body.change.slug}/actions/", 302)]
    assert Action.objects.get().unit == body.desk
    client.force_login(body.clerk)
    assert "Explain it" in client.get(f"/changes/{body.change.slug}/").content.decode()


def test_of_an_address_nobody_may_name_the_form_does_not_say_whose_it_is(client):
    body, stranger = make_body(), make_person()
    client.force_login(body.first)
    sent = FORM | {"owner": stranger.email, "due_on": in_days(9).isoformat()}
    response = client.post(f"/changes/{body.change.slug}/actions/new/", sent)
    assert response.status_code == 422
    assert stranger.name not in response.content.decode()
    assert "Choose somebody of this unit" in response.content.decode()


def test_an_owner_from_elsewhere_ends_her_action_without_the_page_of_the_change(client):
    body = make_body()
    [aside] = staff(make_unit(), 1)
    action = make_action(body.change, body.office, aside, in_days(3))
    client.force_login(aside)
    response = client.post(f"/changes/actions/{action.pk}/", {"status": "done", "outcome": "Explained."}, follow=True)
    assert response.status_code == 200
    assert "Explained." in response.content.decode()


def test_the_list_asks_as_many_queries_for_ten_actions_as_for_one(client, count_queries):
    body = make_body()
    client.force_login(body.head)
    address = f"/changes/{body.change.slug}/actions/"
    move_action(action=agree(body, body.office, body.head), due_on=in_days(40), reason="So.", by=body.head)
    client.get(address)
    before = count_queries(lambda: client.get(address))
    for number in range(9):
        made = make_action(body.change, body.desk, body.first, in_days(number), text=f"Thing {number}")
        move_action(action=made, due_on=in_days(50), reason="So.", by=body.head)
    assert count_queries(lambda: client.get(address)) == before


# --- The card of the week --------------------------------------------------------------------------------------------
def card(person):
    [week] = weeks_of(person, timezone.localdate())
    return week


def test_an_overdue_action_of_the_whole_is_on_the_card_of_its_owner_and_of_who_runs_the_change():
    body = make_body()
    make_sponsor(body.change, body.head)
    of_all = make_action(body.change, body.top, body.first, in_days(-1))
    of_office = make_action(body.change, body.office, body.clerk, in_days(-2))
    assert card(body.first).overdue == (of_all,)
    assert set(card(body.head).overdue) == {of_all, of_office}
    assert set(card(body.chief).overdue) == {of_all, of_office}


def test_the_card_counts_all_overdue_actions_and_names_three(client):
    body = make_body()
    for number in range(5):
        make_action(body.change, body.desk, body.first, in_days(-1), text=f"Thing {number}")
    client.force_login(body.head)
    page = client.get("/surveys/week/").content.decode()
    assert "5 actions are overdue" in page
    assert sum(f"Thing {number}" in page for number in range(5)) == 3


def test_where_the_figures_are_those_of_above_an_action_above_answers_them():
    body = make_body()
    staff(body.office, 12, body.posts["head"])
    wave = make_closed(body.change, make_instrument())
    week = card(body.first)
    assert week.result is not None and week.result.is_of_above
    assert week.needs_action
    above = body.top if week.result.shown.code == body.top.code else body.office
    make_action(body.change, above, body.head, in_days(5), wave=wave)
    assert not card(body.first).needs_action


def test_an_action_set_from_a_result_keeps_the_block_it_answers(client):
    body = make_body()
    wave = make_closed(body.change, make_instrument({"why": 2}), k=5)
    client.force_login(body.lead)
    url = f"/changes/{body.change.slug}/actions/new/?wave={wave.pk}&unit={body.top.code}&block=why"
    page = client.get(url).content.decode()
    sent = dict(re.findall(r'<input type="hidden" name="(wave|block|unit)" value="([^"]*)"', page))
    assert sent == {"wave": str(wave.pk), "block": "why", "unit": body.top.code}
    data = sent | {
        "text": "Explain it", "owner": body.lead.email, "due_on": in_days(20).isoformat(), "what_staff_will_notice": "A talk",
    }  # fmt: skip
    again = client.post(url, data | {"text": ""}).content.decode()
    assert 'name="block" value="why"' in again and "Because of" in again
    client.post(url, data)
    assert Action.objects.get(wave=wave).block == "why"


def test_a_promise_that_was_broken_is_no_promise_any_more(client):
    body = make_body()
    question = ask(body.change, body.officer)
    type(question).objects.filter(pk=question.pk).update(due_on=in_days(-3))
    client.force_login(body.head)
    text = " ".join(client.get("/surveys/week/").content.decode().split())
    assert f"promised by {date_format(in_days(-3), 'DATE_FORMAT')}" in text
    assert f"{body.lead.name} will" not in text and body.lead.name in text
