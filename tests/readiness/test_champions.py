"""Champions: proposed by the change team, with hours that the manager agrees to, and how far they reach."""

from __future__ import annotations

import pytest
from django.core import mail

from readiness.initiatives import (
    JourneyRefused,
    champions_near,
    decide_champion,
    hours_to_decide,
    may_agree_to_hours,
    propose_champion,
    reach_of,
    release_champion,
)
from readiness.models import Champion
from tests.builders import make_person, make_unit
from tests.readiness.builders import make_body, make_champion
from tests.readiness.surveys import staff

pytestmark = pytest.mark.django_db


def today():
    from django.utils import timezone

    return timezone.localdate()


def test_a_champion_is_proposed_by_the_team_for_her_unit_and_her_manager_is_asked_by_mail():
    body = make_body()
    champion = make_champion(body, body.clerk)
    assert (champion.unit, champion.manager_agreed) == (body.desk, False)
    make_champion(body, body.clerk)
    [message] = mail.outbox
    assert message.to == [body.first.email]
    assert body.clerk.name in message.subject and "4 hours a month" in message.body


def test_nobody_else_proposes_and_nobody_from_elsewhere_is_proposed():
    body = make_body()
    with pytest.raises(JourneyRefused):
        propose_champion(initiative=body.change, person=body.clerk, hours_month=4, by=body.first)
    for person in (make_person(), *staff(make_unit(), 1)):
        with pytest.raises(JourneyRefused):
            propose_champion(initiative=body.change, person=person, hours_month=4, by=body.lead)
    assert not Champion.objects.exists()


def test_before_her_manager_agrees_she_is_no_champion_for_anybody():
    body = make_body()
    make_champion(body, body.clerk)
    assert champions_near(body.change, body.desk) == []
    assert reach_of(body.change).reached == 0


def test_her_manager_agrees_and_she_and_the_team_get_a_mail():
    body = make_body()
    champion = make_champion(body, body.clerk)
    mail.outbox.clear()
    for _press in range(2):
        decide_champion(champion=champion, agreed=True, reason="Gladly.", by=body.first)
    assert sorted(message.to[0] for message in mail.outbox) == sorted([body.clerk.email, body.lead.email])
    assert all("Gladly." in message.body for message in mail.outbox)
    assert champions_near(body.change, body.desk) == [champion]


def test_refused_hours_leave_no_champion_and_the_team_reads_why():
    body = make_body()
    champion = make_champion(body, body.clerk)
    mail.outbox.clear()
    decide_champion(champion=champion, agreed=False, reason="Not before May.", by=body.first)
    decide_champion(champion=champion, agreed=True, by=body.first)
    assert not Champion.objects.exists()
    [message] = mail.outbox
    assert message.to == [body.lead.email]
    assert "cannot be a champion" in message.subject and "Not before May." in message.body


def test_hours_are_agreed_to_by_her_manager_only_and_by_hr_where_she_has_none():
    body = make_body()
    champion = make_champion(body, body.clerk)
    for person in (body.clerk, body.head, body.chief, body.hr, body.lead, body.officer):
        assert not may_agree_to_hours(person, body.clerk, today())
        with pytest.raises(JourneyRefused):
            decide_champion(champion=champion, agreed=True, by=person)
    topmost = make_champion(body, body.chief)
    assert mail.outbox[-1].to == [body.hr.email]
    decide_champion(champion=topmost, agreed=True, by=body.hr)
    topmost.refresh_from_db()
    assert topmost.manager_agreed


def test_what_waits_for_her_word_is_on_the_manager_s_desk_and_only_there(client):
    body = make_body()
    clerk, chief = make_champion(body, body.clerk), make_champion(body, body.chief)
    assert hours_to_decide(body.first, today()) == [clerk]
    assert hours_to_decide(body.hr, today()) == [chief]
    assert hours_to_decide(body.head, today()) == hours_to_decide(body.clerk, today()) == []
    client.force_login(body.first)
    assert "is asked to be a champion" in client.get("/surveys/week/").content.decode()
    response = client.post(f"/changes/champions/{clerk.pk}/", {"agreed": "yes", "from": "week"}, follow=True)
    assert response.redirect_chain == [("/surveys/week/", 302)]
    assert "is asked to be a champion" not in response.content.decode()


def test_a_press_that_says_neither_yes_nor_no_decides_nothing(client):
    body = make_body()
    champion = make_champion(body, body.clerk)
    client.force_login(body.first)
    client.post(f"/changes/champions/{champion.pk}/", {"agreed": "perhaps"})
    champion.refresh_from_db()
    assert not champion.manager_agreed


def test_a_champion_steps_back_or_is_released_and_nobody_else_ends_it():
    body = make_body()
    for number, person in enumerate((body.clerk, body.first, body.lead)):
        champion = make_champion(body, body.clerk, body.first)
        for stranger in (body.officer, body.head):
            with pytest.raises(JourneyRefused):
                release_champion(champion=champion, by=stranger)
        release_champion(champion=champion, by=person)
        release_champion(champion=champion, by=person)
        assert Champion.objects.count() == 0, number


def test_champions_reach_their_unit_and_two_levels_below_it():
    body = make_body()
    below = [body.desk]
    for _level in range(3):
        below.append(make_unit(parent=below[-1]))
    assert (reach_of(body.change).units, reach_of(body.change).pct) == (6, 0)
    make_champion(body, body.officer, body.head)
    # The office, the desk, and what is right below the desk.
    assert (reach_of(body.change).reached, reach_of(body.change).pct) == (3, 50)


def test_the_page_asks_as_many_queries_for_many_champions_as_for_one(client, count_queries):
    body = make_body()
    address = f"/changes/{body.change.slug}/champions/"
    for person in (body.lead, body.head, body.hr):
        client.force_login(person)
        make_champion(body, staff(body.office, 1, body.posts["head"])[0])
        client.get(address)
        before = count_queries(lambda: client.get(address))
        for colleague in staff(body.office, 3, body.posts["head"]):
            make_champion(body, colleague)
        assert count_queries(lambda: client.get(address)) == before
