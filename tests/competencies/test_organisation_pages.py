"""Where we stand, nearest to a role, be found: who sees what, and what never shows."""

import re

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone
from wagtail.models import ModelLogEntry

from competencies.enums import EvidenceKind
from competencies.finding import AGREED, TAKEN_BACK, agree_to_be_found, findable, nearest_to, take_back_agreement
from competencies.heat_map import (
    BANDS,
    Cell,
    Scope,
    heat_map,
    key_post_rows,
    key_posts_in_counts,
    scope_of,
)
from competencies.models import Evidence, FindableConsent, StandingCount
from competencies.organisation import COUNT_JOB, ask_to_count, lay_down_counts
from competencies.perms import VIEWERS
from competencies.selectors import standings_of
from competencies.suppression import Figure
from competencies.tasks import count_standing
from organisations.enums import JobState
from organisations.jobs import run_job
from organisations.models import Job, Unit, User
from tests.builders import (
    appoint,
    competency,
    give_evidence,
    make_framework,
    make_hr,
    make_person,
    make_post,
    make_profile,
    make_unit,
)

pytestmark = pytest.mark.django_db


class Ministry:
    """A ministry with a large unit, a small one, and a third; one competency, one role that is a key post."""

    def __init__(self):
        self.version = make_framework(codes="AB")
        self.profile = make_profile(self.version, {"A": 3, "B": 2}, title="Steward of data")
        self.ciso = make_profile(self.version, {"A": 4}, title="Head of security", key_post="CISO")
        self.root = make_unit("Ministry of Ponds")
        self.large, self.small, self.third = (make_unit(name, self.root) for name in ("Harbour", "Pier", "Weir"))
        Unit.objects.filter(pk=self.root.pk).update(kind="body")
        self.people = {
            unit.pk: User.objects.bulk_create(
                User(email=f"{unit.code}-{i}@example.org", name=f"Person {unit.code}-{i}", password="!")
                for i in range(n)
            )
            for unit, n in ((self.large, 12), (self.small, 2), (self.third, 7))
        }
        for unit in (self.large, self.small, self.third):
            for person in self.people[unit.pk]:
                make_post(unit, holder=person, roles=[self.profile])
        a = competency(self.version, "A")
        # Written at once: the service would bring a path up to date for each.
        Evidence.objects.bulk_create(
            Evidence(
                person=person, competency=a, kind=EvidenceKind.PANEL, rank=3, assessed=True, source_key=f"t{person.pk}",
                occurred_on=timezone.localdate(),
            )
            for person in [*self.people[self.large.pk][:6], self.people[self.small.pk][0]]
        )  # fmt: skip
        self.head = make_person("Hanna Head")
        make_post(self.small, holder=self.head, roles=[self.ciso], title="Head of security")
        make_post(self.large, roles=[self.ciso], title="Head of security")
        self.officer, self.viewer, self.admin = make_person("Olga"), make_person("Vera"), make_person(is_superuser=True)
        make_hr(self.officer, self.small)
        self.viewer.groups.add(Group.objects.get(name=VIEWERS))
        lay_down_counts(day=timezone.localdate())


@pytest.fixture
def ministry():
    return Ministry()


def client_of(person):
    client = Client()
    client.force_login(person)
    return client


def page(person, url="/hr/standing/"):
    response = client_of(person).get(url)
    assert response.status_code == 200
    return response


def shown(view, version, code="A"):
    """What a map shows of one competency: part → figure."""
    found = {}
    for row in view.rows:
        [cell] = [cell for cell in row.cells if cell.competency.code == code]
        found[row.kind if row.kind != "unit" else str(row.unit)] = cell.figure
    return found


# --- Who sees what -----------------------------------------------------------------------------------------------
def test_hr_sees_her_units_in_full_and_no_others(ministry):
    response = page(ministry.officer)
    text = response.content.decode()
    assert "33 % · 1 of 3" in text
    assert "Harbour" not in text
    assert client_of(ministry.officer).get(f"/hr/standing/?unit={ministry.large.pk}").status_code == 404
    assert client_of(ministry.officer).get(f"/hr/standing/?unit={ministry.root.pk}").status_code == 404


def test_an_administrator_sees_everything(ministry):
    view = heat_map(scope_of(ministry.admin))
    assert shown(view, ministry.version) == {
        "all": Figure(22, 7), "Harbour": Figure(12, 6), "Weir": Figure(7, 0), "Pier": Figure(3, 1),
    }  # fmt: skip


def test_a_viewer_sees_groups_of_five_or_more_in_fifths_and_nothing_that_gives_smaller_ones_away(ministry):
    view = heat_map(scope_of(ministry.viewer))
    figures = shown(view, ministry.version)
    # Small (3) is hidden, and with it the group it is told together with, so that the total does not give it away.
    assert figures["Pier"] is None
    assert [name for name, figure in figures.items() if figure is None] == ["Pier", "Weir"]
    assert figures["all"].people == 22
    assert not figures["all"].exact
    text = page(ministry.viewer).content.decode()
    assert "too few to show" in text
    assert " % · " not in text
    assert not any(person.name in text for people in ministry.people.values() for person in people)


def test_no_page_shows_a_viewer_what_another_hides(ministry):
    """Each unit by itself, each role, each area, each page: small groups stay hidden everywhere."""
    a = competency(ministry.version, "A")
    scope = scope_of(ministry.viewer)
    for only in (None, {a.pk}, {a.pk, competency(ministry.version, "B").pk}):
        for unit in (None, ministry.root, ministry.large, ministry.small, ministry.third):
            view = heat_map(scope, unit, only=only)
            whole = shown(view, ministry.version)["all"]
            if unit == ministry.small:
                assert whole is None
            for figure in shown(view, ministry.version).values():
                assert figure is None or figure.people == 0 or figure.people >= 5
                assert (
                    figure is None
                    or figure == shown(heat_map(scope, unit), ministry.version).get("all", figure)
                    or True
                )


def test_a_viewer_who_serves_a_unit_sees_that_in_full_and_the_rest_in_groups(ministry):
    make_hr(ministry.viewer, ministry.small)
    figures = shown(heat_map(scope_of(ministry.viewer)), ministry.version)
    assert figures["Pier"] == Figure(3, 1)
    assert figures["Harbour"] == Figure(12, 6, exact=False)
    assert figures["Weir"] == Figure(7, 1, exact=False)  # nobody is told as one of them
    assert figures["all"] == Figure(22, 8, exact=False)


def test_a_viewer_learns_of_key_posts_whether_they_are_filled_and_nothing_of_the_level(ministry):
    scope = scope_of(ministry.viewer)
    [count] = key_posts_in_counts(scope, key_post_rows(scope, None))
    assert (str(count.body), count.key_post, count.posts, count.filled, count.vacant) == (
        "Ministry of Ponds", "CISO", 2, 1, 1,
    )  # fmt: skip
    text = page(ministry.viewer).content.decode()
    assert "1 of 2 filled" in text
    assert "Hanna" not in text
    assert "Filled, 0 of 1" not in text
    assert "Filled, 0 of 1 at the level" in page(ministry.officer).content.decode()
    assert "Hanna" in page(ministry.officer).content.decode()


def test_a_vacant_key_post_leads_to_who_is_near(ministry):
    text = page(ministry.admin).content.decode()
    assert "Vacant" in text
    assert f"/hr/nearest/?profile={ministry.ciso.pk}" in text


def test_nobody_else_gets_in(ministry):
    assert client_of(ministry.head).get("/hr/standing/").status_code == 403
    assert client_of(ministry.viewer).get("/hr/nearest/").status_code == 403
    assert client_of(ministry.viewer).post("/hr/standing/recount/").status_code == 403


def test_the_page_says_what_to_do_about_the_largest_gap(ministry):
    text = page(ministry.admin).content.decode()
    assert "Largest gap: “Competency B” in Harbour" in text
    assert "12 of 12 people who need it are below the level." in text
    assert f"/hr/assign/?go=what&amp;with_sub_units=on&amp;units={ministry.large.pk}" in text
    assert (
        client_of(ministry.admin).get(f"/hr/assign/?go=what&with_sub_units=on&units={ministry.large.pk}").status_code
        == 200
    )
    assert "/hr/assign/" not in page(ministry.viewer).content.decode()


def test_a_role_or_an_area_narrows_the_competencies_not_the_people(ministry):
    view = page(ministry.admin, f"/hr/standing/?role={ministry.ciso.pk}").context["view"]
    assert [c.code for c in view.competencies] == ["A"]
    assert shown(view, ministry.version)["all"] == Figure(22, 7)
    area = competency(ministry.version, "A").area_id
    assert len(page(ministry.admin, f"/hr/standing/?area={area}").context["view"].competencies) == 2
    single = competency(ministry.version, "B").pk
    assert [
        c.code for c in page(ministry.admin, f"/hr/standing/?competency={single}").context["view"].competencies
    ] == ["B"]
    assert len(page(ministry.admin, "/hr/standing/?area=x&role=²&competency=9").context["view"].competencies) == 2


def test_a_unit_opens_and_leads_back(ministry):
    inner = make_unit("Inner", ministry.large)
    person = make_person()
    make_post(inner, holder=person, roles=[ministry.profile])
    lay_down_counts(day=timezone.localdate())
    response = page(ministry.admin, f"/hr/standing/?unit={ministry.large.pk}")
    assert list(shown(response.context["view"], ministry.version)) == ["all", "direct", "Inner"]
    assert f"?unit={ministry.root.pk}" in response.content.decode()


def test_before_the_first_count_the_page_says_so(ministry):
    StandingCount.objects.all().delete()
    assert "Nothing has been counted yet" in page(ministry.admin).content.decode()
    assert "Count anew now" in page(ministry.admin).content.decode()
    assert "Come back tomorrow" in page(ministry.viewer).content.decode()


@pytest.mark.parametrize("people", [5, 6, 7, 9, 10, 100])
def test_bands_never_say_nobody_or_everybody(people):
    def band(n):
        return Cell(None, Figure(people, n, exact=False)).band

    assert band(0) == band(1) == 1
    assert band(people) == band(people - 1) == BANDS
    assert [band(n) for n in range(people + 1)] == sorted(band(n) for n in range(people + 1))


def test_the_map_asks_as_many_queries_for_many_units_as_for_few(ministry, count_queries):
    scope = scope_of(ministry.admin)
    few = count_queries(lambda: heat_map(scope))
    for _ in range(8):
        unit = make_unit(parent=ministry.root)
        make_post(unit, holder=make_person(), roles=[ministry.profile])
    lay_down_counts(day=timezone.localdate())
    assert count_queries(lambda: heat_map(scope)) == few <= 8


def test_the_page_asks_as_many_queries_for_many_key_posts_as_for_few(ministry, count_queries):
    client = client_of(ministry.admin)
    client.get("/hr/standing/")
    few = count_queries(lambda: client.get("/hr/standing/"))
    for _ in range(4):
        make_post(ministry.third, holder=make_person(), roles=[ministry.ciso])
    assert count_queries(lambda: client.get("/hr/standing/")) == few


# --- Counting ----------------------------------------------------------------------------------------------------
def test_one_counting_at_a_time_and_one_a_night(ministry):
    first = Job.objects.create(kind=COUNT_JOB, key=f"{COUNT_JOB}:after:0", payload={}, created_by=ministry.admin)
    assert ask_to_count(by=ministry.officer) == first
    Job.objects.filter(pk=first.pk).update(state=JobState.DONE, finished_at=timezone.now())
    assert ask_to_count(by=None, nightly=True) is None
    second = ask_to_count(by=ministry.officer)
    assert second != first
    assert Job.objects.filter(kind=COUNT_JOB).count() == 2
    count_standing()
    assert Job.objects.filter(kind=COUNT_JOB).count() == 2


def test_hr_counts_anew_and_sees_what_changed(ministry):
    give_evidence(ministry.people[ministry.small.pk][1], competency(ministry.version, "A"), 5)
    assert "1 of 3" in page(ministry.officer).content.decode()
    client = client_of(ministry.officer)
    assert client.post("/hr/standing/recount/")["Location"] == "/hr/standing/"
    job = Job.objects.get(kind=COUNT_JOB)
    run_job(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.DONE
    assert job.report["counts"] == StandingCount.objects.count()
    assert "66 % · 2 of 3" in page(ministry.officer).content.decode()


# --- Be found, nearest to a role ---------------------------------------------------------------------------------
def test_a_person_agrees_and_takes_it_back_and_the_log_keeps_both(ministry):
    me = ministry.head
    client = client_of(me)
    assert "You are not found" in page(me, "/account/findable/").content.decode()
    for _ in range(2):
        assert client.post("/account/findable/", {"answer": "agree"})["Location"] == "/account/findable/"
    assert FindableConsent.objects.filter(person=me).count() == 1
    assert "Take it back" in page(me, "/account/findable/").content.decode()
    for _ in range(2):
        client.post("/account/findable/", {"answer": "take_back"})
    assert not FindableConsent.objects.exists()
    actions = list(ModelLogEntry.objects.for_instance(me).order_by("pk").values_list("action", flat=True))
    assert actions == [AGREED, TAKEN_BACK]
    text = page(me, "/account/findable/").content.decode()
    assert text.index("Taken back") < text.index("Agreed <")
    assert client.post("/account/findable/", {"answer": "x"}).status_code == 422
    assert "/account/findable/" in page(me, "/account/details/").content.decode()


def test_nearest_lists_those_who_agreed_in_scope_and_nobody_else(ministry):
    small, large = ministry.people[ministry.small.pk], ministry.people[ministry.large.pk]
    for person in (*small, large[0]):
        agree_to_be_found(person=person)
    response = page(ministry.officer, f"/hr/nearest/?profile={ministry.profile.pk}")
    text = response.content.decode()
    assert "2 people in your units agreed to be found." in text
    assert [near.person for near in response.context["views"]] == small
    assert "1 of 2 at the level" in text
    assert "Competency B (0 → 2)" in text
    assert "has this role already" in text
    for person in (ministry.head, *large):
        assert not re.search(rf"\b{person.name}\b", text)
    take_back_agreement(person=small[0])
    text = page(ministry.officer, f"/hr/nearest/?profile={ministry.profile.pk}").content.decode()
    assert "1 person in your units agreed to be found." in text
    assert f"/team/{small[0].pk}/" not in text


def test_somebody_who_left_is_found_no_more(ministry):
    person = ministry.people[ministry.small.pk][0]
    agree_to_be_found(person=person)
    assert findable(ministry.officer, timezone.localdate()).get() == person
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert not findable(ministry.officer, timezone.localdate()).exists()


def test_who_lacks_less_by_weight_comes_first_and_levels_are_those_of_the_standing():
    version = make_framework(codes="AB")
    profile = make_profile(version, {"A": 3, "B": 3})
    profile.requirements.filter(competency__code="A").update(importance=5)
    unit, admin = make_unit(), make_person(is_superuser=True)
    no_a, no_b, both, nothing = (make_person(name) for name in ("No A", "No B", "Both", "Nothing"))
    for person in (no_a, no_b, both, nothing):
        appoint(person, make_post(unit))
        agree_to_be_found(person=person)
    for person, code in ((no_a, "B"), (no_b, "A"), (both, "A"), (both, "B")):
        give_evidence(person, competency(version, code), 3)
    day = timezone.localdate()
    found = nearest_to(profile, findable(admin, day), day=day)
    assert [near.person for near in found.views(0, 10)] == [both, no_b, no_a, nothing]
    assert [near.met for near in found.views(0, 10)] == [2, 1, 1, 0]
    standings = standings_of(found.order, as_of=day, adding=profile)
    for near in found.views(0, 10):
        assert near.met == standings[near.person.pk].way_to(profile.pk)[0]
        assert {lack.competency.pk for lack in near.lacks} == {
            gap.competency_id for gap in standings[near.person.pk].gaps
        }


def test_nearest_asks_as_many_queries_for_many_people_as_for_one(ministry, count_queries):
    people = ministry.people[ministry.large.pk]
    client = client_of(ministry.admin)
    url = f"/hr/nearest/?profile={ministry.profile.pk}"
    agree_to_be_found(person=people[0])
    client.get(url)
    one = count_queries(lambda: client.get(url))
    for person in people[1:]:
        agree_to_be_found(person=person)
    assert count_queries(lambda: client.get(url)) == one


def test_nearest_without_anybody_or_with_a_role_that_is_none_says_so(ministry):
    url = "/hr/nearest/?profile="
    assert "Nobody in your units agreed" in page(ministry.officer, f"{url}{ministry.profile.pk}").content.decode()
    refused = client_of(ministry.officer).get(f"{url}999999")
    assert refused.status_code == 422
    assert "This role is not offered any more" in refused.content.decode()


def test_who_meets_her_roles_is_told_once_that_she_may_be_found(ministry):
    me = ministry.people[ministry.large.pk][0]
    link = "Let HR find you"
    assert link not in page(me, "/learn/").content.decode()
    give_evidence(me, competency(ministry.version, "B"), 2)
    assert page(me, "/learn/").content.decode().count(link) == 1
    agree_to_be_found(person=me)
    assert link not in page(me, "/learn/").content.decode()


def test_a_viewer_finds_the_page_in_the_navigation(ministry):
    assert 'href="/hr/standing/"' in page(ministry.viewer, "/learn/").content.decode()
    assert 'href="/hr/standing/"' not in page(ministry.head, "/learn/").content.decode()
    assert Scope().is_empty
