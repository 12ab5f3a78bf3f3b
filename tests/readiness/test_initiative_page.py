"""The page of a change: who reads what of it, what it means for her, what she can do now."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from organisations.models import Post
from readiness.enums import InitiativeStatus, TeamRole
from readiness.initiatives import JourneyRefused, confirm_reading, timeline_of
from readiness.models import Initiative, Milestone, ReadConfirmation, RoleImpact
from readiness.perms import initiatives_for
from readiness.waves import approve_wave, digest_of
from readiness.weekly import weeks_of
from tests.builders import make_framework, make_person, make_post, make_profile, make_unit
from tests.readiness.builders import ask, make_action, make_body, make_champion, make_sponsor
from tests.readiness.surveys import draft, in_team, make_initiative, make_instrument, make_open, staff

pytestmark = pytest.mark.django_db


def page(client, body, who=None, **query) -> str:
    if who is not None:
        client.force_login(who)
    response = client.get(f"/changes/{body.change.slug}/", query)
    assert response.status_code == 200
    return response.content.decode()


# --- Who reads it ----------------------------------------------------------------------------------------------------
def test_a_change_that_is_not_for_citizens_is_nowhere_for_who_does_not_work_there(client):
    body, stranger = make_body(), make_person()
    [elsewhere] = staff(make_unit(), 1)
    address = f"/changes/{body.change.slug}/"
    assert client.get(address).status_code == 404
    for person in (stranger, elsewhere):
        client.force_login(person)
        assert client.get(address).status_code == 404
        assert str(body.change.title) not in client.get("/changes/").content.decode()


def of_a_part():
    """A change of the desk alone, with a question that waits."""
    body = make_body()
    change = make_initiative(body.desk, title={"en": "A new file", "es": "Un expediente nuevo"})
    ask(change, body.clerk)
    return body, change


@pytest.mark.parametrize("who", ["chief", "head", "first", "clerk"])
def test_who_leads_a_unit_above_that_of_a_change_reads_it(client, who):
    body, change = of_a_part()
    client.force_login(getattr(body, who))
    assert client.get(f"/changes/{change.slug}/").status_code == 200
    assert "A new file" in client.get("/changes/").content.decode()


def test_who_leads_a_unit_above_finds_the_change_on_her_card_of_the_week(client):
    body, change = of_a_part()
    assert [week.initiative for week in weeks_of(body.head, timezone.localdate())] == [change]
    client.force_login(body.head)
    assert "1 question waits for an answer" in client.get("/surveys/week/").content.decode()


def test_who_leads_a_unit_from_elsewhere_reads_what_changes_there(client):
    body = make_body()
    away = make_person()
    boss = make_post(make_unit("Elsewhere"), holder=away)
    Post.objects.filter(pk=body.posts["first"].pk).update(reports_to=boss)
    client.force_login(away)
    assert client.get(f"/changes/{body.change.slug}/").status_code == 200


def test_who_works_above_without_leading_or_leads_elsewhere_does_not_read_it(client):
    body, change = of_a_part()
    other = make_person()
    make_post(make_unit("Other office", parent=body.top), holder=other, reports_to=body.posts["chief"])
    for person in (body.officer, other):
        client.force_login(person)
        assert client.get(f"/changes/{change.slug}/").status_code == 404
        assert weeks_of(person, timezone.localdate()) == []


def test_a_draft_of_a_part_is_not_read_from_above(client):
    body, change = of_a_part()
    Initiative.objects.filter(pk=change.pk).update(status=InitiativeStatus.DRAFT)
    client.force_login(body.head)
    assert client.get(f"/changes/{change.slug}/").status_code == 404


def test_the_only_one_of_a_unit_leads_what_is_below_it_with_nobody_reporting_to_her(client):
    body, change = of_a_part()
    Post.objects.filter(pk__in=[body.posts["chief"].pk, body.posts["head"].pk]).update(reports_to=None)
    assert not Post.objects.filter(reports_to=body.posts["chief"]).exists()
    client.force_login(body.chief)
    assert client.get(f"/changes/{change.slug}/").status_code == 200


def test_what_she_leads_is_asked_only_where_that_opens_a_change_to_her(count_queries):
    """One for her places, one for the units she serves, one for the changes; who leads asks whether there are others."""
    body, change = of_a_part()
    assert count_queries(lambda: list(initiatives_for(body.clerk))) == 3
    assert count_queries(lambda: list(initiatives_for(body.chief))) <= 9
    Initiative.objects.filter(pk=change.pk).update(is_public=True)
    assert count_queries(lambda: list(initiatives_for(body.chief))) == 4


def test_citizens_read_a_public_change_without_anybody_s_name_question_or_action(client):
    body = make_body(is_public=True, decider={"en": "The council decides."})
    make_sponsor(body.change, body.chief)
    make_champion(body, body.officer, body.head)
    ask(body.change, body.officer, "What about my desk?")
    make_action(body.change, body.top, body.first, timezone.localdate(), text="Talk about it")
    seen = page(client, body)
    assert "People come five times for one thing." in seen
    assert "Director, Registry" in seen
    for hidden in (body.chief.name, body.officer.name, body.lead.name, "What about my desk?", "Talk about it"):
        assert hidden not in seen


def test_who_works_elsewhere_reads_a_public_change_as_citizens_do_and_can_neither_ask_nor_confirm(client):
    body = make_body(is_public=True)
    ask(body.change, body.officer, "What about my desk?")
    [elsewhere] = staff(make_unit(), 1)
    assert "What about my desk?" not in page(client, body, elsewhere)
    for door in ("read", "ask", "concerns", "champions"):
        assert client.post(f"/changes/{body.change.slug}/{door}/", {"text": "Why?"}).status_code == 404
    assert not ReadConfirmation.objects.exists()


def test_a_draft_is_read_by_who_works_on_it_only(client):
    body = make_body(status=InitiativeStatus.DRAFT, is_public=True)
    assert client.get(f"/changes/{body.change.slug}/").status_code == 404
    client.force_login(body.officer)
    assert client.get(f"/changes/{body.change.slug}/").status_code == 404
    assert "A draft" in page(client, body, body.lead)


def test_the_home_page_shows_changes_for_everybody_and_to_staff_their_own(client):
    body = make_body()
    assert "Change under way" not in client.get("/").content.decode()
    client.force_login(body.officer)
    assert "One counter" in client.get("/").content.decode()


# --- What it says ----------------------------------------------------------------------------------------------------
def test_the_page_speaks_the_reader_s_language_and_keeps_her_paragraphs(client):
    body = make_body(why={"en": "First.\n\nSecond <b>.", "es": "Primero.\n\nSegundo."})
    seen = page(client, body, body.officer)
    assert "<p>First.</p>" in seen and "<p>Second &lt;b&gt;.</p>" in seen
    client.post("/language/", {"language": "es"})
    assert "<p>Segundo.</p>" in page(client, body)


def test_empty_parts_leave_no_heading_behind(client):
    seen = page(client, body := make_body(), body.officer)
    assert "What happens if we do nothing" not in seen and "Timeline" not in seen
    body.change.if_we_do_nothing = {"en": "The system ends."}
    body.change.save()
    assert "What happens if we do nothing" in page(client, body)


def test_the_timeline_says_what_is_done_late_next_and_later(client):
    body, day = make_body(), timezone.localdate()
    for days, done in ((-30, True), (-2, False), (3, False), (3, False), (9, False)):
        Milestone.objects.create(
            initiative=body.change, on=day + timedelta(days), text={"en": f"In {days} days"}, is_done=done
        )
    assert [dated.place for dated in timeline_of(body.change, day)] == ["done", "late", "next", "next", "later"]
    seen = page(client, body, body.officer)
    assert "Later than planned" in seen


def impacts_of(body):
    version = make_framework(codes="A")
    profiles = {title: make_profile(version, {"A": 1}, title=title) for title in ("Clerk", "Manager")}
    for title, profile in profiles.items():
        RoleImpact.objects.create(initiative=body.change, profile=profile, text={"en": f"Changes for {title}."})
    return list(profiles.values())


def test_what_changes_for_me_begins_with_the_role_of_my_post(client):
    body = make_body()
    clerk, _manager = impacts_of(body)
    body.officer.appointments.get().post.post_roles.create(profile=clerk)
    assert "Changes for Clerk." in page(client, body, body.officer)
    assert "Changes for" not in page(client, body, body.head)


def test_the_role_i_choose_is_remembered_and_beats_that_of_my_post(client):
    body = make_body()
    clerk, manager = impacts_of(body)
    body.officer.appointments.get().post.post_roles.create(profile=clerk)
    assert "Changes for Manager." in page(client, body, body.officer, role=manager.pk)
    seen = page(client, body)
    assert "Changes for Manager." in seen and "Changes for Clerk." not in seen


def test_citizens_choose_a_role_and_get_no_session(client):
    body = make_body(is_public=True)
    _clerk, manager = impacts_of(body)
    assert "Changes for Manager." in page(client, body, role=manager.pk)
    assert "sessionid" not in client.cookies


def test_an_older_edition_of_my_role_counts_as_mine(client):
    body = make_body()
    clerk, _manager = impacts_of(body)
    newer = make_profile(make_framework(codes="A"), {"A": 1}, title="Clerk")
    type(newer).objects.filter(pk=newer.pk).update(lineage=clerk.lineage)
    body.officer.appointments.get().post.post_roles.create(profile=newer)
    assert "Changes for Clerk." in page(client, body, body.officer)


# --- What I can do now -----------------------------------------------------------------------------------------------
def test_confirming_twice_is_once_and_keeps_the_day_only(client):
    body = make_body()
    assert "I have read this" in page(client, body, body.officer)
    for _press in range(2):
        client.post(f"/changes/{body.change.slug}/read/")
    [row] = ReadConfirmation.objects.all()
    assert (row.person, row.on) == (body.officer, timezone.localdate())
    seen = page(client, body)
    assert "You have read this" in seen and "I have read this" not in seen


def test_what_has_ended_is_not_confirmed_any_more_and_asks_for_nothing(client):
    body = make_body(status=InitiativeStatus.ENDED)
    with pytest.raises(JourneyRefused):
        confirm_reading(initiative=body.change, by=body.officer)
    seen = page(client, body, body.officer)
    assert "This change has ended" in seen
    assert "I have read this" not in seen and 'name="text"' not in seen
    client.post(f"/changes/{body.change.slug}/read/")
    assert not ReadConfirmation.objects.exists()


def test_an_open_survey_is_offered_until_she_has_answered(client):
    body = make_body()
    wave = make_open(body.change, k=5)
    assert f'href="/surveys/{wave.pk}/"' in page(client, body, body.officer)
    body.officer.participations.update(done=True)
    seen = page(client, body)
    assert f'href="/surveys/{wave.pk}/"' not in seen and "You have answered the survey" in seen


def test_champions_stand_nearest_first_and_those_of_other_branches_not_at_all(client):
    body = make_body()
    make_champion(body, body.clerk, body.first)
    make_champion(body, body.officer, body.head)
    boss = make_champion(body, body.head, body.chief)
    type(boss).objects.filter(pk=boss.pk).update(unit=body.top)
    near = [champion.person for champion in _champions(client, body, body.first)]
    assert near == [body.clerk, body.officer, body.head]
    assert [champion.person for champion in _champions(client, body, body.head)] == [body.officer, body.head]


def _champions(client, body, who):
    client.force_login(who)
    return client.get(f"/changes/{body.change.slug}/").context["champions"]


def test_the_page_asks_as_many_queries_for_many_rows_as_for_few(client, count_queries):
    body, day = make_body(), timezone.localdate()
    client.force_login(body.lead)
    address = f"/changes/{body.change.slug}/"

    def more():
        impacts_of(body)
        ask(body.change, body.officer, f"Question {body.change.questions.count()}?")
        make_action(body.change, body.top, body.first, day)
        Milestone.objects.create(initiative=body.change, on=day, text={"en": "Something"})

    more()
    make_champion(body, body.officer, body.head)
    client.get(address)
    before = count_queries(lambda: client.get(address))
    for _row in range(4):
        more()
    make_champion(body, body.clerk, body.first)
    assert count_queries(lambda: client.get(address)) == before
    client.force_login(body.officer)
    client.get(address)
    assert count_queries(lambda: client.get(address)) <= 30


def test_the_list_asks_as_many_queries_for_many_changes_as_for_one(client, count_queries):
    body = make_body()
    client.force_login(body.officer)
    client.get("/changes/")
    before = count_queries(lambda: client.get("/changes/"))
    for number in range(3):
        type(body.change).objects.create(
            unit=body.top, slug=f"more{number}", title={"en": "More"}, short_name={"en": "More"}, summary={"en": "More."},
            why={"en": "So."}, status=InitiativeStatus.PUBLISHED, starts_on=timezone.localdate(),
        )  # fmt: skip
    assert count_queries(lambda: client.get("/changes/")) == before


def test_who_has_several_roles_reads_what_changes_in_each_until_she_chooses_one(client):
    body = make_body()
    clerk, manager = impacts_of(body)
    for profile in (clerk, manager):
        body.officer.appointments.get().post.post_roles.create(profile=profile)
    seen = page(client, body, body.officer)
    assert "Changes for Clerk." in seen and "Changes for Manager." in seen
    assert "Changes for Clerk." not in page(client, body, role=manager.pk)
    assert "Changes for Clerk." not in page(client, body)
    assert "Changes for Clerk." in page(client, body, role="")


def test_who_guards_a_survey_finds_on_the_page_what_waits_for_her(client):
    body = make_body()
    staff(body.office, 12, body.posts["head"])
    wave = draft(body.change, make_instrument(), at=timezone.now())
    approver = in_team(body.change, TeamRole.APPROVER)
    assert "A survey waits for your approval" in page(client, body, approver)
    approve_wave(wave=wave, by=approver, seen=digest_of(wave))
    assert "A survey waits for your approval" not in page(client, body, approver)
    assert "A survey waits for your approval" not in page(client, body, body.lead)


def test_a_change_that_has_not_begun_says_when_it_does(client):
    body = make_body()
    client.force_login(body.clerk)
    assert "Begins on" not in client.get("/changes/").content.decode()
    Initiative.objects.filter(pk=body.change.pk).update(starts_on=timezone.localdate() + timedelta(days=9))
    assert "Begins on" in client.get("/changes/").content.decode()
