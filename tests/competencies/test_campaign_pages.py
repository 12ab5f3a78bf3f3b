"""The doors of campaigns: HR opens and follows, the person is led through, the manager confirms."""

from __future__ import annotations

import csv
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from competencies import campaigns
from competencies.enums import EvidenceKind
from competencies.models import AssessmentCampaign, CampaignInvitation, Evidence
from organisations.models import Appointment, User
from tests.builders import competency, give_evidence, make_hr, make_person
from tests.competencies.test_campaigns import Ministry

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()
LAST = TODAY + timedelta(days=20)


@pytest.fixture
def ministry():
    return Ministry()


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def opened(ministry: Ministry, **changes: Any) -> AssessmentCampaign:
    return ministry.open(**{"opens_on": TODAY, "closes_on": LAST, "at": None} | changes)


def data(ministry: Ministry, **changes: Any) -> dict[str, Any]:
    return {
        "title": "Spring round", "unit": ministry.unit.pk, "profile": "", "opens_on": TODAY.isoformat(),
        "closes_on": LAST.isoformat(), "asks_managers": "on", "message": "To plan courses.", "token": "t", "do": "preview",
    } | changes  # fmt: skip


def assess(ministry: Ministry, person: User, codes: str, rank: int = 3) -> None:
    for code in codes:
        give_evidence(person, competency(ministry.version, code), rank, EvidenceKind.SELF, by=person, assessed=False)


# --- Opening -----------------------------------------------------------------------------------------------------
def test_an_officer_sees_whom_it_reaches_changes_something_and_opens(ministry):
    ministry.join("Ana"), ministry.join("Nobody", roles=[])
    client = signed_in(ministry.hr)
    page = client.post("/hr/campaigns/new/", data(ministry)).content.decode()
    assert "1 person in “Ministry” is asked" in page
    assert "have no role to assess" in page
    assert not AssessmentCampaign.objects.exists()
    page = client.post("/hr/campaigns/new/", data(ministry, do="change")).content.decode()
    assert 'value="Spring round"' in page
    for _press in range(2):
        answer = client.post("/hr/campaigns/new/", data(ministry, do="open"))
        campaign = AssessmentCampaign.objects.get()
        assert answer.url == f"/hr/campaigns/{campaign.pk}/"
    assert (campaign.asks_managers, campaign.message, campaign.created_by) == (True, "To plan courses.", ministry.hr)
    assert len(mail.outbox) == 1
    assert "To plan courses." in mail.outbox[0].body


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"opens_on": (TODAY - timedelta(days=1)).isoformat()}, "The first day is past"),
        ({"closes_on": (TODAY - timedelta(days=1)).isoformat()}, "The last day lies before the first"),
        ({"closes_on": "soon"}, "Give a date, for example"),
        ({"closes_on": ""}, "Give the last day."),
        ({"opens_on": ""}, "Give the first day."),
        ({"title": ""}, "Give the campaign a title"),
        ({"unit": ""}, "Choose the unit"),
        ({"unit": "0"}, "not among those you serve"),
        ({"profile": "0"}, "no longer in use"),
    ],
)
def test_bad_input_gets_a_sentence_beside_the_field(ministry, changes, sentence):
    ministry.join("Ana")
    client = signed_in(ministry.hr)
    for do in ("preview", "open"):
        answer = client.post("/hr/campaigns/new/", data(ministry, do=do, **changes))
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
    assert not AssessmentCampaign.objects.exists()


def test_a_unit_of_somebody_else_is_refused_without_saying_more(ministry):
    ministry.join("Far", unit=ministry.elsewhere)
    answer = signed_in(ministry.hr).post("/hr/campaigns/new/", data(ministry, unit=ministry.elsewhere.pk, do="open"))
    assert answer.status_code == 422
    assert "not among those you serve" in answer.content.decode()
    assert not AssessmentCampaign.objects.exists()


# --- Following ---------------------------------------------------------------------------------------------------
def test_the_page_says_how_far_each_unit_is_and_who_is_missing(ministry):
    ana, ben = ministry.join("Ana"), ministry.join("Ben", unit=ministry.unit)
    campaign = opened(ministry)
    assess(ministry, ana, "ABC")
    assess(ministry, ben, "A")
    client = signed_in(ministry.hr)
    page = client.get(f"/hr/campaigns/{campaign.pk}/")
    words = page.content.decode()
    assert "1 of 2 people have assessed themselves" in words
    assert "0 of 2 people are confirmed" in words
    assert [(str(u.unit), u.tally.invited, u.tally.assessed) for u in page.context["units"]] == [
        ("Ministry", 1, 0),
        ("Registry", 1, 1),
    ]
    assert [p["row"].person for p in page.context["people"]] == [ben], "who is missing comes first"

    def shown(**query: str) -> list[str]:
        people = client.get(f"/hr/campaigns/{campaign.pk}/", query).context["people"]
        return [p["row"].person.name for p in people]

    assert shown(step="") == ["Ana", "Ben"]
    assert shown(step="assessed") == ["Ana"]
    assert shown(step="begun", unit=str(ministry.unit.pk)) == ["Ben"]
    assert shown(step="confirmed") == []
    assert shown(q="ana", step="") == ["Ana"]
    assert shown(unit=str(ministry.below.pk), step="") == ["Ana"]
    listed = client.get("/hr/campaigns/").content.decode()
    assert "1 of 2" in listed


def test_the_download_disarms_names_that_look_like_formulas(ministry):
    ministry.join("=HYPERLINK(1)", email="+cmd@example.org"), ministry.join("Ben")
    campaign = opened(ministry, title="=Round")
    answer = signed_in(ministry.hr).get(f"/hr/campaigns/{campaign.pk}/people.csv")
    rows = list(csv.reader(StringIO(b"".join(answer).decode())))
    assert answer["Content-Type"].startswith("text/csv")
    assert [row[:3] for row in rows[1:]] == [
        ["'=HYPERLINK(1)", "'+cmd@example.org", "Registry"],
        ["Ben", rows[2][1], "Registry"],
    ]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_the_last_day_is_moved_and_the_campaign_ended_on_its_page(ministry):
    ministry.join("Ana")
    campaign = opened(ministry)
    client, url = signed_in(ministry.hr), f"/hr/campaigns/{campaign.pk}/"
    earlier = client.post(url, {"closes_on": (LAST - timedelta(days=1)).isoformat()})
    assert earlier.status_code == 422
    assert "can only be moved to a later one" in earlier.content.decode()
    assert client.post(url, {"closes_on": (LAST + timedelta(days=1)).isoformat()}).status_code == 302
    for _press in range(2):
        assert client.post(f"{url}end/").status_code == 302
    campaign.refresh_from_db()
    assert campaign.closes_on == LAST + timedelta(days=1)
    assert campaign.ended_at is not None
    assert "Ended early" in client.get(url).content.decode()


def test_an_officer_of_another_body_finds_no_campaign(ministry):
    ministry.join("Ana")
    campaign = opened(ministry)
    stranger = make_person()
    make_hr(stranger, ministry.elsewhere)
    client = signed_in(stranger)
    assert "Spring round" not in client.get("/hr/campaigns/").content.decode()
    assert client.get(f"/hr/campaigns/{campaign.pk}/").status_code == 404
    assert client.get(f"/hr/campaigns/{campaign.pk}/people.csv").status_code == 404
    assert client.post(f"/hr/campaigns/{campaign.pk}/end/").status_code == 404
    officer_of_a_part = make_person()
    make_hr(officer_of_a_part, ministry.below)
    assert signed_in(officer_of_a_part).get(f"/hr/campaigns/{campaign.pk}/").status_code == 404


def test_the_pages_ask_as_many_queries_for_many_people_as_for_few(ministry, count_queries):
    ministry.join(), ministry.join(unit=ministry.unit)
    campaign = opened(ministry)
    client = signed_in(ministry.hr)
    addresses = ("/hr/campaigns/", f"/hr/campaigns/{campaign.pk}/", f"/hr/campaigns/{campaign.pk}/?step=&q=e")
    few = [count_queries(lambda a=a: client.get(a)) for a in addresses]
    for _n in range(30):
        ministry.join()
    campaigns.run_campaign(campaign=campaign)
    opened(ministry, title="Another", unit=ministry.below)
    many = [count_queries(lambda a=a: client.get(a)) for a in addresses]
    assert many == few
    assert max(many) <= 16


# --- What the person sees ----------------------------------------------------------------------------------------
def test_a_person_is_led_through_what_the_campaign_asks_for_also_what_she_said_long_ago(ministry):
    ana = ministry.join("Ana")
    for code in "ABC":
        give_evidence(
            ana, competency(ministry.version, code), 1, EvidenceKind.SELF, by=ana, assessed=False, days_ago=200
        )
    client = signed_in(ana)
    assert client.get("/learn/assess/").url == "/learn/"
    opened(ministry)
    page = client.get("/learn/").content.decode()
    assert "Assess yourself in 3 competencies by" in page
    assert "Spring round" in page
    url, seen = client.get("/learn/assess/").url, 0
    while url != "/learn/":
        token = client.get(url).content.decode().split('name="token" value="')[1].split('"')[0]
        url = client.post(url, {"rank": "2", "token": token}).url
        seen += 1
    assert seen == 3
    assert "Assess yourself in" not in client.get("/learn/").content.decode()
    row = CampaignInvitation.objects.get()
    assert (row.asked, row.assessed) == (3, 3)


# --- What the manager does ---------------------------------------------------------------------------------------
def token_of(page: str) -> str:
    return page.split('name="token" value="')[1].split('"')[0]


def test_a_manager_confirms_on_one_page_with_nothing_chosen_beforehand(ministry):
    ana, ben = ministry.join("Ana"), ministry.join("Ben")
    campaign = opened(ministry)
    for person in (ana, ben):
        assess(ministry, person, "ABC", 3)
    client = signed_in(ministry.boss)
    team = client.get("/team/").content.decode()
    assert "Confirm the levels of 2 people by" in team
    page = client.get(f"/team/confirm/{ana.pk}/").content.decode()
    assert "checked" not in page
    assert "Self-assessed: level 3" in page
    a = competency(ministry.version, "A")
    form = {f"declared-{competency(ministry.version, c).pk}": "3" for c in "ABC"}
    form |= {f"rank-{a.pk}": "1", "token": token_of(page), "note": "Seen in March"}
    first = client.post(f"/team/confirm/{ana.pk}/", form | {"do": "chosen"})
    assert first.status_code == 302
    assert list(Evidence.objects.filter(kind=EvidenceKind.MANAGER).values_list("competency", "rank")) == [(a.pk, 1)]
    page = client.get(f"/team/confirm/{ana.pk}/").content.decode()
    form |= {"token": token_of(page), "do": "all"}
    for _press in range(2):
        assert client.post(f"/team/confirm/{ana.pk}/", form).url == f"/team/confirm/{ben.pk}/"
    ranks = dict(Evidence.objects.filter(kind=EvidenceKind.MANAGER).values_list("competency__code", "rank"))
    assert ranks == {"A": 1, "B": 3, "C": 3}
    assert Evidence.objects.filter(kind=EvidenceKind.MANAGER).count() == 3
    row = campaign.invitations.get(person=ana)
    assert (row.asked, row.assessed, row.confirmed) == (3, 3, 3)
    assert "Confirm the levels of 1 person by" in client.get("/team/").content.decode()
    assert "Nothing of Ana’s waits for you" in client.get(f"/team/confirm/{ana.pk}/").content.decode()


def test_nothing_chosen_or_a_level_off_the_scale_gets_a_sentence_and_writes_nothing(ministry):
    ana = ministry.join("Ana")
    opened(ministry)
    assess(ministry, ana, "ABC")
    client = signed_in(ministry.boss)
    a = competency(ministry.version, "A").pk
    for form, sentence in (
        ({"token": "t", "do": "chosen"}, "Choose at least one level"),
        ({"token": "t", "do": "chosen", f"rank-{a}": "9"}, "Choose one of the levels shown"),
        ({"token": "", "do": "all"}, "This field is required"),
    ):
        answer = client.post(f"/team/confirm/{ana.pk}/", form)
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
    assert not Evidence.objects.filter(kind=EvidenceKind.MANAGER).exists()


def test_nobody_confirms_a_self_assessment_that_has_changed_since_she_looked(ministry):
    ana = ministry.join("Ana")
    opened(ministry)
    assess(ministry, ana, "ABC", 3)
    client = signed_in(ministry.boss)
    page = client.get(f"/team/confirm/{ana.pk}/").content.decode()
    assess(ministry, ana, "B", 5)
    form = {f"declared-{competency(ministry.version, c).pk}": "3" for c in "ABC"}
    answer = client.post(f"/team/confirm/{ana.pk}/", form | {"token": token_of(page), "do": "all"})
    assert answer.status_code == 422
    assert "since you looked" in answer.content.decode()
    assert not Evidence.objects.filter(kind=EvidenceKind.MANAGER).exists()


def test_only_the_manager_sees_the_page(ministry):
    ana, ben = ministry.join("Ana"), ministry.join("Ben")
    opened(ministry)
    assess(ministry, ana, "ABC")
    url = f"/team/confirm/{ana.pk}/"
    assert signed_in(ben).get(url).status_code == 404
    assert signed_in(ana).get(url).status_code == 403
    assert signed_in(ministry.hr).get(url).status_code == 403
    assert signed_in(ministry.hr).post(url, {"token": "t", "do": "all"}).status_code == 403
    assert not Evidence.objects.filter(kind=EvidenceKind.MANAGER).exists()


def test_confirming_costs_the_same_for_one_competency_as_for_three_when_looking(ministry, count_queries):
    ana = ministry.join("Ana")
    opened(ministry)
    assess(ministry, ana, "A")
    client = signed_in(ministry.boss)
    one = count_queries(lambda: client.get(f"/team/confirm/{ana.pk}/"))
    assess(ministry, ana, "BC")
    assert count_queries(lambda: client.get(f"/team/confirm/{ana.pk}/")) == one


def test_who_left_the_unit_is_not_shown_and_not_in_the_download(ministry):
    ana, _ben = ministry.join("Ana"), ministry.join("Ben")
    campaign = opened(ministry)
    Appointment.objects.filter(person=ana).update(ends_on=TODAY)
    client = signed_in(ministry.hr)
    assert [p["row"].person.name for p in client.get(f"/hr/campaigns/{campaign.pk}/").context["people"]] == ["Ben"]
    assert "Ana" not in b"".join(client.get(f"/hr/campaigns/{campaign.pk}/people.csv")).decode()
