"""A whole campaign, day by day: who is invited, what counts, who is written to and how often."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from competencies import campaigns
from competencies.campaigns import (
    CampaignRefused,
    confirm_levels,
    end_campaign,
    extend_campaign,
    open_campaign,
    preview_campaign,
    run_campaign,
)
from competencies.enums import EvidenceKind, FrameworkStatus
from competencies.models import (
    AssessmentCampaign,
    CampaignInvitation,
    CampaignManagerMail,
    Evidence,
    FrameworkVersion,
    RoleAssignment,
    RoleProfile,
)
from competencies.services import EvidenceRefused, Finding, record_evidence
from competencies.tasks import ask_for_campaigns
from organisations.models import Appointment, Job, User
from tests.builders import (
    appoint,
    competency,
    make_framework,
    make_hr,
    make_person,
    make_post,
    make_profile,
    make_unit,
)

pytestmark = pytest.mark.django_db
_number = count(1)
# The campaigns of these tests are over by today: evidence must not be dated in the future.
FIRST = timezone.localdate() - timedelta(days=60)
LAST = FIRST + timedelta(days=28)


def at(day: date, hour: int = 8) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(hour)))


class Ministry:
    """A unit with a sub-unit, a manager, her people with a role of three competencies, and an HR officer."""

    def __init__(self) -> None:
        self.version = make_framework(codes="ABC")
        self.profile = make_profile(self.version, {"A": 3, "B": 2, "C": None}, title="Analyst")
        self.unit = make_unit("Ministry")
        self.below = make_unit("Registry", self.unit)
        self.elsewhere = make_unit("Another body")
        self.hr = make_person("Hanna HR")
        make_hr(self.hr, self.unit)
        self.boss = make_person("Berta Boss")
        self.chair = make_post(self.unit, holder=self.boss)

    def join(self, name: str = "", *, unit: Any = None, roles: Any = None, since: date | None = None, **fields) -> User:
        person = make_person(name, **fields)
        roles = [self.profile] if roles is None else roles
        post = make_post(unit or self.below, reports_to=self.chair, roles=roles)
        appoint(person, post, **({"starts_on": since} if since else {}))
        return person

    def leave(self, person: User, on: date) -> None:
        Appointment.objects.filter(person=person).update(ends_on=on)

    def open(self, **changes: Any) -> AssessmentCampaign:
        asked: dict[str, Any] = {
            "title": "Spring round", "unit": self.unit, "profile": None, "opens_on": FIRST, "closes_on": LAST,
            "asks_managers": True, "message": "", "token": f"t{next(_number)}", "by": self.hr, "at": at(FIRST, 7),
        }  # fmt: skip
        return open_campaign(**asked | changes)

    def say(self, person: User, codes: str, on: date, *, by: User | None = None, rank: int = 2) -> None:
        record_evidence(
            person=person,
            findings=[Finding(competency(self.version, code), rank) for code in codes],
            kind=EvidenceKind.MANAGER if by else EvidenceKind.SELF,
            source_key=f"said:{next(_number)}",
            by=by or person,
            occurred_on=on,
            at=at(on),
        )


@pytest.fixture
def ministry():
    return Ministry()


def letters() -> list[tuple[str, str]]:
    return [(m.to[0], m.subject) for m in mail.outbox]


def tally(campaign: AssessmentCampaign, day: date) -> tuple[int, int, int]:
    found = campaigns.tallies_of([campaign], day)[campaign.pk]
    assert campaigns.total_of(campaigns.units_of(campaign, day)) == found
    return found.invited, found.assessed, found.confirmed


# --- Through a whole campaign ------------------------------------------------------------------------------------
def test_a_campaign_from_its_first_day_to_its_last(ministry):
    ana, ben, cleo = ministry.join("Ana"), ministry.join("Ben"), ministry.join("Cleo")
    ministry.say(ana, "AB", FIRST - timedelta(days=30))  # recent enough: not asked again
    ministry.say(ben, "A", FIRST - timedelta(days=91))  # too old
    campaign = ministry.open()
    report = run_campaign(campaign=campaign, at=at(FIRST))
    assert report == {"invited": 3, "mailed": 3, "reminded": 0}
    assert letters() == [(p.email, "Please assess yourself: Spring round") for p in (ana, ben, cleo)]
    assert "in 1 competency of your role" in mail.outbox[0].body
    assert "in 3 competencies of your role" in mail.outbox[1].body
    assert tally(campaign, FIRST) == (3, 0, 0)

    ministry.say(ana, "C", FIRST + timedelta(days=1))
    campaigns.remind_managers(at=at(FIRST + timedelta(days=1)))
    mail.outbox.clear()
    dora = ministry.join("Dora", since=FIRST + timedelta(days=2))
    day = FIRST + timedelta(days=2)
    assert run_campaign(campaign=campaign, at=at(day)) == {"invited": 1, "mailed": 1, "reminded": 0}
    assert letters() == [(dora.email, "Please assess yourself: Spring round")]
    assert tally(campaign, day) == (4, 1, 0)

    mail.outbox.clear()
    assert campaigns.remind_managers(at=at(day)) == 1
    assert letters() == [(ministry.boss.email, "1 person waits for your word on levels")]
    assert "Ana" not in mail.outbox[0].body

    mail.outbox.clear()
    half = FIRST + timedelta(days=14)
    for n in range(3, 14):
        run_campaign(campaign=campaign, at=at(FIRST + timedelta(days=n)))
    assert letters() == []
    ministry.leave(cleo, half)
    assert run_campaign(campaign=campaign, at=at(half))["reminded"] == 2
    assert [to for to, _subject in letters()] == [ben.email, dora.email]
    assert tally(campaign, half) == (3, 1, 0)
    run_campaign(campaign=campaign, at=at(half, 20))  # once more on the same day
    assert len(mail.outbox) == 2

    ministry.say(ana, "ABC", half, by=ministry.boss)
    ministry.say(ben, "ABC", half)
    mail.outbox.clear()
    call = LAST - timedelta(days=3)
    assert run_campaign(campaign=campaign, at=at(call))["reminded"] == 1
    assert [to for to, _subject in letters()] == [dora.email]
    assert tally(campaign, call) == (3, 2, 1)

    mail.outbox.clear()
    for n in range(26, 40):
        run_campaign(campaign=campaign, at=at(FIRST + timedelta(days=n)))
    assert letters() == []
    assert tally(campaign, LAST + timedelta(days=9)) == (3, 2, 1)
    ministry.leave(ben, LAST + timedelta(days=5))  # after the end: the result stays
    assert tally(campaign, LAST + timedelta(days=9)) == (3, 2, 1)


def test_a_campaign_that_opens_later_invites_nobody_before(ministry):
    ministry.join("Ana")
    campaign = ministry.open(at=at(FIRST - timedelta(days=5)))
    assert not Job.objects.filter(kind=campaigns.CAMPAIGN_JOB).exists()
    assert run_campaign(campaign=campaign, at=at(FIRST - timedelta(days=1)))["invited"] == 0
    assert run_campaign(campaign=campaign, at=at(FIRST))["invited"] == 1


def test_a_campaign_that_opens_today_invites_at_once(ministry):
    ana = ministry.join("Ana")
    today = timezone.localdate()
    campaign = ministry.open(opens_on=today, closes_on=today + timedelta(days=20), at=None)
    assert letters() == [(ana.email, "Please assess yourself: Spring round")]
    campaign.refresh_from_db()
    assert campaign.invited_at is not None


def test_every_morning_running_campaigns_are_gone_through_once(ministry):
    today = timezone.localdate()
    ministry.join("Ana")
    campaign = ministry.open(opens_on=today, closes_on=today + timedelta(days=20), at=None)
    ben = ministry.join("Ben")
    ask_for_campaigns(at=at(today, 3))
    assert len(letters()) == 1, "nobody is written to in the night"
    for hour in (6, 7, 12):
        ask_for_campaigns(at=at(today, hour))
    assert [to for to, _subject in letters()][1:] == [ben.email]
    assert Job.objects.filter(kind=campaigns.CAMPAIGN_JOB, payload={"campaign": campaign.pk}).count() == 2
    assert Job.objects.filter(kind=campaigns.MANAGERS_JOB).count() == 1


def test_an_answer_is_counted_at_once(ministry):
    ana = ministry.join("Ana")
    today = timezone.localdate()
    campaign = ministry.open(opens_on=today, closes_on=today + timedelta(days=20), at=None)
    ministry.say(ana, "AB", today)
    row = campaign.invitations.get()
    assert (row.asked, row.assessed, row.confirmed) == (3, 2, 0)
    [task] = campaigns.tasks_of(ana, today)
    assert (task.campaign, task.left) == (campaign, 1)
    confirm_levels(
        person=ana, findings=[Finding(competency(ministry.version, "A"), 2)], note="", token="x", by=ministry.boss
    )
    row.refresh_from_db()
    assert (row.asked, row.assessed, row.confirmed) == (3, 2, 1)


# --- Who is asked for what ---------------------------------------------------------------------------------------
def test_people_without_a_role_and_of_other_bodies_are_not_invited(ministry):
    ana = ministry.join("Ana")
    ministry.join("Nobody", roles=[])
    ministry.join("Far", unit=ministry.elsewhere)
    ministry.join("Gone", is_active=False)
    campaign = ministry.open()
    run_campaign(campaign=campaign, at=at(FIRST))
    assert [row.person for row in campaign.invitations.all()] == [ana]


def test_a_campaign_for_one_role_asks_its_holders_for_just_that_role(ministry):
    other = make_profile(ministry.version, {"B": 2}, title="Writer")
    ana, ben = ministry.join("Ana"), ministry.join("Ben", roles=[ministry.profile, other])
    cleo = ministry.join("Cleo", roles=[])
    RoleAssignment.objects.create(person=cleo, profile=other, starts_on=FIRST - timedelta(days=9))
    campaign = ministry.open(profile=other)
    run_campaign(campaign=campaign, at=at(FIRST))
    assert dict(campaign.invitations.values_list("person", "asked")) == {ben.pk: 1, cleo.pk: 1}
    assert ana.pk not in campaign.invitations.values_list("person", flat=True)


def test_who_loses_the_role_or_leaves_is_no_longer_counted(ministry):
    ana, ben = ministry.join("Ana"), ministry.join("Ben", roles=[])
    given = RoleAssignment.objects.create(person=ben, profile=ministry.profile, starts_on=FIRST - timedelta(days=9))
    campaign = ministry.open()
    run_campaign(campaign=campaign, at=at(FIRST))
    assert tally(campaign, FIRST) == (2, 0, 0)
    RoleAssignment.objects.filter(pk=given.pk).update(ends_on=FIRST + timedelta(days=5))
    ministry.leave(ana, FIRST + timedelta(days=10))
    mail.outbox.clear()
    later = FIRST + timedelta(days=14)
    assert run_campaign(campaign=campaign, at=at(later)) == {"invited": 0, "mailed": 0, "reminded": 0}
    assert letters() == []
    assert tally(campaign, later) == (0, 0, 0)


def test_who_has_left_since_the_morning_is_left_out_without_waiting_for_the_next(ministry):
    ana, _ben = ministry.join("Ana"), ministry.join("Ben")
    campaign = ministry.open()
    run_campaign(campaign=campaign, at=at(FIRST))
    ministry.leave(ana, FIRST + timedelta(days=1))
    assert tally(campaign, FIRST + timedelta(days=1)) == (1, 0, 0)


def test_somebody_with_two_posts_in_the_unit_is_asked_once(ministry):
    ana = ministry.join("Ana")
    appoint(ana, make_post(ministry.unit, roles=[ministry.profile]))
    campaign = ministry.open()
    run_campaign(campaign=campaign, at=at(FIRST))
    assert campaign.invitations.count() == 1
    assert tally(campaign, FIRST) == (1, 0, 0)


def test_who_has_answered_everything_lately_gets_no_mail_and_counts(ministry):
    ana = ministry.join("Ana")
    ministry.say(ana, "ABC", FIRST - timedelta(days=3))
    campaign = ministry.open()
    run_campaign(campaign=campaign, at=at(FIRST))
    assert letters() == []
    assert tally(campaign, FIRST) == (1, 1, 0)


def next_edition(ministry: Ministry) -> tuple[FrameworkVersion, RoleProfile]:
    """The framework in a second edition with the same competencies and role, as publishing leaves it."""
    from competencies.lifecycle import confirm_certain, draft_next_edition, publish_version

    steward = make_person("Steward", is_superuser=True)
    draft = draft_next_edition(version=ministry.version, edition="2", by=steward)
    confirm_certain(version=draft, by=steward)
    publish_version(version=draft, by=steward)
    return draft, RoleProfile.objects.get(role__version=draft)


def test_a_role_of_an_earlier_edition_means_the_one_in_force(ministry):
    ana = ministry.join("Ana")
    ministry.say(ana, "A", FIRST - timedelta(days=5))  # for the earlier edition
    _draft, profile = next_edition(ministry)
    campaign = ministry.open(profile=ministry.profile)
    assert campaign.profile == profile
    run_campaign(campaign=campaign, at=at(FIRST))
    row = campaign.invitations.get()
    assert (row.person, row.asked, row.assessed) == (ana, 3, 1)


# --- Mails -------------------------------------------------------------------------------------------------------
def test_mails_speak_the_reader_s_language_and_lead_to_the_site(ministry, settings):
    ministry.join("Ana", language="es")
    campaign = ministry.open(message="Because <we> plan & learn.")
    run_campaign(campaign=campaign, at=at(FIRST))
    [letter] = mail.outbox
    assert f"{settings.SITE_URL}/learn/assess/" in letter.body
    assert "Because <we> plan & learn." in letter.body
    from django.utils import formats, translation

    with translation.override("es"):
        assert formats.date_format(LAST) in letter.body
        assert f" de {LAST.year}" in letter.body


def test_an_invitation_goes_out_once_even_when_the_worker_was_killed_before_it_did(ministry):
    ministry.join("Ana")
    campaign = ministry.open()
    campaigns.invite_people(campaign=campaign, at=at(FIRST))
    CampaignInvitation.objects.update(mailed_at=at(FIRST))  # killed between the mark and the mail
    run_campaign(campaign=campaign, at=at(FIRST, 9))
    assert letters() == []


def test_a_refused_address_does_not_keep_the_others_waiting(ministry, monkeypatch):
    from smtplib import SMTPRecipientsRefused

    from organisations import mails

    ana, ben = ministry.join("Ana"), ministry.join("Ben")
    send = mails.send

    def refusing(person, template, context):
        if person == ana:
            raise SMTPRecipientsRefused({person.email: (550, b"no such person")})
        return send(person, template, context)

    monkeypatch.setattr(mails, "send", refusing)
    campaign = ministry.open()
    run_campaign(campaign=campaign, at=at(FIRST))
    run_campaign(campaign=campaign, at=at(FIRST, 9))
    assert [to for to, _subject in letters()] == [ben.email]


def test_a_manager_is_written_to_once_a_week_whatever_the_number_of_campaigns(ministry):
    ana = ministry.join("Ana")
    ministry.say(ana, "ABC", FIRST - timedelta(days=3))
    for title in ("Spring round", "Second round"):
        run_campaign(campaign=ministry.open(title=title), at=at(FIRST))
    sent = [campaigns.remind_managers(at=at(FIRST + timedelta(days=n))) for n in range(15)]
    assert sent == [1, 0, 0, 0, 0, 0, 0] * 2 + [1]
    assert letters()[0] == (ministry.boss.email, "1 person waits for your word on levels")
    assert "Spring round: 1 person" in mail.outbox[0].body
    assert "Second round: 1 person" in mail.outbox[0].body
    assert campaigns.remind_managers(at=at(FIRST + timedelta(days=14))) == 0


def test_managers_are_left_alone_when_they_are_not_asked(ministry):
    ministry.say(ministry.join("Ana"), "ABC", FIRST - timedelta(days=3))
    run_campaign(campaign=ministry.open(asks_managers=False), at=at(FIRST))
    assert campaigns.remind_managers(at=at(FIRST)) == 0
    assert not CampaignManagerMail.objects.exists()


# --- Changing and ending -----------------------------------------------------------------------------------------
def test_an_ended_campaign_writes_to_nobody_and_keeps_its_result(ministry):
    ministry.join("Ana")
    campaign = ministry.open()
    run_campaign(campaign=campaign, at=at(FIRST))
    mail.outbox.clear()
    ended = end_campaign(campaign=campaign, by=ministry.hr, at=at(FIRST + timedelta(days=3)))
    again = end_campaign(campaign=campaign, by=ministry.hr, at=at(FIRST + timedelta(days=4)))
    assert again.ended_at == ended.ended_at == at(FIRST + timedelta(days=3))
    for n in range(4, 28):
        run_campaign(campaign=again, at=at(FIRST + timedelta(days=n)))
    assert letters() == []
    assert tally(again, LAST) == (1, 0, 0)


def test_the_last_day_moves_to_a_later_one_only(ministry):
    ministry.join("Ana")
    campaign = ministry.open()
    with pytest.raises(CampaignRefused, match="only be moved to a later one"):
        extend_campaign(campaign=campaign, closes_on=LAST - timedelta(days=1), by=ministry.hr, at=at(FIRST))
    later = LAST + timedelta(days=7)
    assert extend_campaign(campaign=campaign, closes_on=later, by=ministry.hr, at=at(FIRST)).closes_on == later
    with pytest.raises(CampaignRefused, match="is over"):
        extend_campaign(
            campaign=campaign, closes_on=later + timedelta(days=9), by=ministry.hr, at=at(later + timedelta(days=1))
        )


def test_an_officer_of_another_body_changes_nothing(ministry):
    ministry.join("Ana")
    campaign = ministry.open()
    stranger = make_person()
    make_hr(stranger, ministry.elsewhere)
    for change in (
        lambda: end_campaign(campaign=campaign, by=stranger, at=at(FIRST)),
        lambda: extend_campaign(campaign=campaign, closes_on=LAST + timedelta(days=1), by=stranger, at=at(FIRST)),
    ):
        with pytest.raises(CampaignRefused, match="not among those you serve"):
            change()
    campaign.refresh_from_db()
    assert (campaign.ended_at, campaign.closes_on) == (None, LAST)


# --- What is refused ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"closes_on": FIRST - timedelta(days=1)}, "closes_on", "before the first"),
        ({"opens_on": FIRST - timedelta(days=1)}, "opens_on", "first day is past"),
        ({"closes_on": FIRST + timedelta(days=400)}, "closes_on", "a year at most"),
        ({"opens_on": FIRST + timedelta(days=400), "closes_on": FIRST + timedelta(days=410)}, "opens_on", "within a year"),
        ({"title": "  \n "}, "title", "title"),
    ],
)  # fmt: skip
def test_what_cannot_be_opened_gets_a_sentence_and_writes_nothing(ministry, changes, field, sentence):
    ministry.join("Ana")
    with pytest.raises(CampaignRefused, match=sentence) as refused:
        ministry.open(**changes)
    assert refused.value.field == field
    assert not AssessmentCampaign.objects.exists()
    assert not Job.objects.filter(kind=campaigns.CAMPAIGN_JOB).exists()


def test_a_unit_one_does_not_serve_an_empty_one_and_one_without_roles_are_refused(ministry):
    with pytest.raises(CampaignRefused, match="not among those you serve"):
        ministry.open(unit=ministry.elsewhere)
    with pytest.raises(CampaignRefused, match="Nobody holds a post"):
        ministry.open(unit=make_unit("Empty", ministry.unit))
    ministry.join("Nobody", roles=[])
    with pytest.raises(CampaignRefused, match="Assign roles first"):
        ministry.open(unit=ministry.below)
    with pytest.raises(CampaignRefused, match="has the role “Analyst”"):
        ministry.open(unit=ministry.below, profile=ministry.profile)


def test_a_role_that_was_withdrawn_is_refused(ministry):
    ministry.join("Ana")
    gone = make_profile(make_framework(status=FrameworkStatus.SUPERSEDED), {"A": 1})
    with pytest.raises(CampaignRefused, match="no longer in use"):
        ministry.open(profile=gone)


def test_a_doubled_press_opens_one_campaign(ministry):
    ministry.join("Ana")
    assert ministry.open(token="same") == ministry.open(token="same", title="Another title")
    assert AssessmentCampaign.objects.count() == 1


def test_a_title_cannot_smuggle_lines_into_a_mail(ministry):
    ministry.join("Ana")
    campaign = ministry.open(title="Round\nBcc: everybody@example.org")
    run_campaign(campaign=campaign, at=at(FIRST))
    assert mail.outbox[0].subject == "Please assess yourself: Round Bcc: everybody@example.org"
    assert mail.outbox[0].recipients() == mail.outbox[0].to


def test_a_preview_says_whom_it_would_ask_and_writes_nothing(ministry):
    ministry.join("Ana"), ministry.join("Ben"), ministry.join("Nobody", roles=[])
    run_campaign(campaign=ministry.open(unit=ministry.below, at=at(FIRST)), at=at(FIRST))
    ministry.join("New")
    before = AssessmentCampaign.objects.count(), CampaignInvitation.objects.count()
    found = preview_campaign(
        unit=ministry.unit, profile=None, opens_on=FIRST, closes_on=LAST, by=ministry.hr, at=at(FIRST)
    )
    # The boss holds a post of the unit but has no role.
    assert (found.people, found.invited, found.without_role, found.elsewhere) == (5, 3, 2, 2)
    assert (AssessmentCampaign.objects.count(), CampaignInvitation.objects.count()) == before


# --- The manager's word ------------------------------------------------------------------------------------------
def test_a_manager_confirms_all_levels_of_a_person_or_none(ministry):
    ana = ministry.join("Ana")
    a, b = competency(ministry.version, "A"), competency(ministry.version, "B")
    with pytest.raises(EvidenceRefused):
        confirm_levels(person=ana, findings=[Finding(a, 2), Finding(b, 99)], note="", token="t", by=ministry.boss)
    assert not Evidence.objects.exists()
    for _press in range(2):
        confirm_levels(person=ana, findings=[Finding(a, 2), Finding(b, 3)], note="Seen", token="t", by=ministry.boss)
    assert sorted(Evidence.objects.values_list("competency", "rank", "kind", "note")) == [
        (a.pk, 2, "manager", "Seen"),
        (b.pk, 3, "manager", "Seen"),
    ]


def test_only_the_manager_confirms(ministry):
    ana = ministry.join("Ana")
    finding = [Finding(competency(ministry.version, "A"), 2)]
    for other in (ana, ministry.hr, ministry.join("Ben")):
        with pytest.raises(EvidenceRefused):
            confirm_levels(person=ana, findings=finding, note="", token="t", by=other)
    assert not Evidence.objects.exists()


# --- Scale -------------------------------------------------------------------------------------------------------
def test_counting_asks_as_many_queries_for_forty_people_as_for_four(ministry, count_queries):
    people = [ministry.join() for _n in range(40)]
    campaign = ministry.open()
    run_campaign(campaign=campaign, at=at(FIRST))
    ids = [person.pk for person in people]
    few = count_queries(lambda: campaigns.answers_of(campaign, ids[:4], FIRST))
    assert count_queries(lambda: campaigns.answers_of(campaign, ids, FIRST)) == few <= 9
    assert count_queries(lambda: campaigns.tallies_of([campaign], FIRST)) == 1
    assert count_queries(lambda: campaigns.units_of(campaign, FIRST)) == 2
    assert count_queries(lambda: campaigns.confirmations_of(ids, FIRST)) == 1
