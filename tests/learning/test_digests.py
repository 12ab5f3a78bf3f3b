"""Reminders: one mail a week with everything due, in the person's language, and a switch that a link in it presses."""

from __future__ import annotations

from datetime import date, timedelta
from smtplib import SMTPRecipientsRefused

import pytest
from django.core import signing
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.utils import timezone
from wagtail.models import ModelLogEntry

from learning import digests, tasks
from learning.digests import BATCH, DIGESTS_JOB, off_token, people_with_dates, send_digests, set_reminders
from learning.dues import dues_of
from learning.enums import AssignmentKind, Decision
from learning.models import Assignment, ExtensionRequest, LearnerSettings, LearningPeriod, ReminderDigest
from learning.services import replan_many
from organisations.jobs import run_job
from organisations.models import Job, Leave, User
from tests.builders import (
    competency,
    give_evidence,
    make_course,
    make_framework,
    make_person,
    make_profile,
    take_course,
)

pytestmark = pytest.mark.django_db
YEARLY = {"every_months": 12, "opens_days_before": 60, "grace_days": 30, "anchor": "due"}


def today() -> date:
    return timezone.localdate()


def in_days(n: int) -> date:
    return today() + timedelta(days=n)


def asked(person: User, key: str, due_on: date | None, **fields) -> Assignment:
    row = Assignment.objects.create(person=person, kind=AssignmentKind.COURSE, course_key=key, due_on=due_on, **fields)
    replan_many(person_ids=[person.pk], reason="assignment")
    return row


def remind(*people: User, day: date | None = None) -> dict:
    return send_digests(person_ids=[person.pk for person in people], day=day or today())


@pytest.fixture
def version():
    return make_framework()


@pytest.fixture
def privacy(version):
    return make_course(version, {"A": 2}, key="privacy")


@pytest.fixture
def ana():
    return make_person("Ana Costa")


# What is told


def test_one_mail_has_everything_that_is_due_the_most_urgent_first(ana, version, privacy, mailoutbox):
    make_course(version, {"B": 2}, key="law")
    make_course(version, {"C": 2}, key="far")
    asked(ana, "privacy", in_days(20))
    asked(ana, "law", in_days(-2), mandatory=False)
    asked(ana, "far", in_days(91))
    assert remind(ana)["told"] == 1
    [message] = mailoutbox
    assert (message.to, message.subject) == ([ana.email], "2 things you are asked to learn are due")
    assert message.body.index("“Law”, due since") < message.body.index("“Privacy”, by")
    assert "(recommended)" in message.body and "Far" not in message.body
    assert "http://testserver/learn/path/" in message.body


def test_a_single_thing_is_named_in_the_subject(ana, privacy, mailoutbox):
    asked(ana, "privacy", in_days(20))
    remind(ana)
    assert mailoutbox[0].subject.startswith("“Privacy” is due on ")


def test_a_title_cannot_end_the_subject_or_be_markup(ana, version, mailoutbox):
    make_course(version, {"A": 2}, key="law", title="Law & <b>order</b>")
    asked(ana, "law", in_days(20))
    remind(ana)
    assert "“Law & <b>order</b>” is due" in mailoutbox[0].subject


def test_the_mail_is_in_the_language_of_the_person(ana, version, privacy, mailoutbox):
    make_course(version, {"A": 2}, key="privacy", language="es", title="Privacidad")
    ana.language = "es"
    ana.save()
    asked(ana, "privacy", in_days(20))
    remind(ana)
    assert "Privacidad" in mailoutbox[0].subject


def test_within_a_week_nothing_more_is_sent_and_nothing_twice(ana, version, privacy, mailoutbox):
    make_course(version, {"B": 2}, key="law")
    asked(ana, "privacy", in_days(20))
    remind(ana)
    remind(ana)
    asked(ana, "law", in_days(6))
    remind(ana, day=in_days(6))
    assert len(mailoutbox) == 1
    remind(ana, day=in_days(7))
    assert len(mailoutbox) == 2
    assert "Law" in mailoutbox[1].body and "Privacy" not in mailoutbox[1].body  # told at 30, not yet at 7
    remind(ana, day=in_days(14))
    assert "Privacy" in mailoutbox[2].body


def test_what_is_done_is_not_told(ana, privacy, mailoutbox):
    asked(ana, "privacy", in_days(20))
    take_course(ana, privacy)
    remind(ana)
    assert not mailoutbox


def test_who_is_exempt_and_what_has_ended_is_not_told(ana, version, privacy, mailoutbox):
    make_course(version, {"B": 2}, key="law")
    asked(ana, "privacy", in_days(20), exempted_at=timezone.now())
    asked(ana, "law", in_days(20), ended_on=today())
    remind(ana)
    assert not mailoutbox


def test_a_role_is_told_until_it_is_met(ana, version, mailoutbox):
    from competencies.services import assign_role

    profile = make_profile(version, {"A": 2}, title="Data steward")
    held, _new = assign_role(person=ana, profile=profile, by=None, starts_on=today())
    Assignment.objects.create(role_assignment=held, due_on=in_days(5))
    remind(ana)
    assert mailoutbox[0].subject.startswith("“Data steward” is due on ")
    give_evidence(ana, competency(version, "A"), 2)
    assert dues_of([ana.pk], in_days(8)) == {}


def test_what_comes_round_is_told_for_the_period_that_is_open_and_again_for_the_next(ana, privacy, mailoutbox):
    assignment = asked(ana, "privacy", in_days(5), repeat=YEARLY)
    remind(ana)
    assert len(mailoutbox) == 1
    [due] = dues_of([ana.pk], today())[ana.pk]
    take_course(ana, privacy)
    assert dues_of([ana.pk], today()) == {}
    following = LearningPeriod.objects.get(assignment=assignment, number=2)
    [later] = dues_of([ana.pk], following.opens_on)[ana.pk]
    assert (later.due_on, later.key == due.key) == (following.due_on, False)
    remind(ana, day=following.opens_on)
    assert len(mailoutbox) == 2


def test_a_date_granted_later_is_another_thing_to_tell(ana, privacy, mailoutbox):
    assignment = asked(ana, "privacy", in_days(5))
    remind(ana)
    ExtensionRequest.objects.create(
        assignment=assignment, until=in_days(35), reason="x", decision=Decision.GRANTED, decided_at=timezone.now(),
        granted_until=in_days(35),
    )  # fmt: skip
    assignment.due_on = in_days(35)
    assignment.save()
    remind(ana, day=in_days(8))
    assert [message.subject.startswith("“Privacy” is due") for message in mailoutbox] == [True, True]


# Who is told


def test_who_has_left_or_is_on_leave_gets_none_until_she_is_back(ana, privacy, mailoutbox):
    asked(ana, "privacy", in_days(5))
    Leave.objects.create(person=ana, starts_on=in_days(-3), ends_on=in_days(2))
    gone = make_person(is_active=False)
    asked(gone, "privacy", in_days(5))
    for day in (today(), in_days(1)):
        remind(ana, gone, day=day)
    assert not mailoutbox and gone.pk not in people_with_dates(today())
    remind(ana, gone, day=in_days(2))
    assert [message.to for message in mailoutbox] == [[ana.email]]


def test_what_is_recommended_has_a_switch_and_what_is_mandatory_has_none(ana, version, privacy, mailoutbox):
    make_course(version, {"B": 2}, key="law")
    asked(ana, "law", in_days(5), mandatory=False)
    set_reminders(person=ana, recommended=False, by=ana)
    remind(ana)
    assert not mailoutbox
    asked(ana, "privacy", in_days(5))
    remind(ana)
    assert "Privacy" in mailoutbox[0].body and "Law" not in mailoutbox[0].body
    assert "/reminders/off/" not in mailoutbox[0].body and "List-Unsubscribe" not in mailoutbox[0].extra_headers


# Faults


def test_a_mail_the_server_fails_is_tried_again_the_next_day(ana, privacy, mailoutbox, monkeypatch):
    asked(ana, "privacy", in_days(5))

    def fail(self, messages):
        raise ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr(EmailBackend, "send_messages", fail)
        assert remind(ana) == {"people": 1, "told": 0, "failed": 1}
    assert not ReminderDigest.objects.exists()
    assert remind(ana, day=in_days(1))["told"] == 1


def test_an_address_that_is_refused_is_not_tried_every_day(ana, privacy, monkeypatch):
    asked(ana, "privacy", in_days(5))

    def refuse(self, messages):
        raise SMTPRecipientsRefused({})

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    remind(ana)
    assert ReminderDigest.objects.get().person == ana


def test_a_worker_killed_before_the_mail_sends_it_to_nobody_twice(ana, privacy, mailoutbox, monkeypatch):
    asked(ana, "privacy", in_days(5))

    class Killed(BaseException):
        pass

    def die(*args):
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(digests, "_send", die)
        with pytest.raises(Killed):
            remind(ana)
    remind(ana)
    assert not mailoutbox and ReminderDigest.objects.count() == 1


def test_the_clock_asks_once_a_day_and_not_at_night(ana, privacy, mailoutbox):
    asked(ana, "privacy", in_days(5))
    for hour in (5, 6, 7):
        tasks.ask_for_digests(at=timezone.localtime().replace(hour=hour))
        assert len(mailoutbox) == (hour > 5)
    job = Job.objects.get(kind=DIGESTS_JOB)
    assert (job.report["told"], run_job(job.pk)) == (1, None)


def test_a_thousand_people_cost_queries_by_the_batch(count_queries, mailoutbox):
    people = User.objects.bulk_create(
        User(email=f"many{n}@example.org", name=f"Person {n}", password="!") for n in range(1000)
    )
    rows = Assignment.objects.bulk_create(
        Assignment(person=person, kind="course", course_key="privacy", due_on=in_days(5), repeat=YEARLY)
        for person in people
    )
    LearningPeriod.objects.bulk_create(
        LearningPeriod(assignment=row, number=1, opens_on=today(), due_on=in_days(5), grace_until=in_days(9))
        for row in rows
    )
    ids = [person.pk for person in people]
    one_batch = count_queries(lambda: send_digests(person_ids=ids[:BATCH], day=today()))
    rest = count_queries(lambda: send_digests(person_ids=ids[BATCH:], day=today()))
    assert len(mailoutbox) == 1000
    assert rest == (1000 // BATCH - 1) * one_batch
    assert send_digests(person_ids=ids, day=today())["told"] == 0


# The link in the mail


@pytest.fixture
def link(ana, version, mailoutbox):
    make_course(version, {"B": 2}, key="law")
    asked(ana, "law", in_days(5), mandatory=False)
    remind(ana)
    [message] = mailoutbox
    header = message.extra_headers["List-Unsubscribe"]
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = header.removeprefix("<http://testserver").removesuffix(">")
    assert f"http://testserver{url}" in message.body
    return url


def is_reminded(person: User) -> bool:
    row = LearnerSettings.objects.filter(person=person).first()
    return row is None or row.reminds_of_recommended


def test_looking_at_the_link_changes_nothing_and_pressing_it_needs_no_sign_in(ana, link):
    client = Client(enforce_csrf_checks=True)
    page = client.get(link)
    assert (page.status_code, is_reminded(ana)) == (200, True)
    assert "no-store" in page["Cache-Control"]
    client.head(link)
    assert is_reminded(ana)
    done = client.post(link, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert (done.status_code, is_reminded(ana)) == (200, False)
    assert client.post(link).status_code == 200  # pressed again: the same
    [entry] = ModelLogEntry.objects.filter(action="learning.set_reminders")
    assert (entry.object_id, entry.user_id, entry.data) == (str(ana.pk), None, {"recommended": False})


@pytest.mark.parametrize(
    "spoil", [lambda t: t[:-1], lambda t: "x" + t, lambda t: t.replace(":", "."), lambda t: "x\x00²"]
)
def test_a_forged_link_switches_nothing_off(client, ana, link, spoil):
    token = link.split("/")[3]
    for press in (client.get, client.post):
        assert press(f"/reminders/off/{spoil(token)}/").status_code == 404
    assert is_reminded(ana)


def test_a_token_signed_for_something_else_is_no_token(client, ana):
    for token in (
        signing.dumps(ana.pk),
        signing.dumps(ana.pk, salt="django.core.signing"),
        signing.dumps("x", salt=digests.SALT),
    ):
        if token.split(":")[0] == off_token(ana).split(":")[0]:
            assert client.post(f"/reminders/off/{token}/").status_code == 404
    assert is_reminded(ana)


def test_a_link_older_than_a_year_is_over(client, ana, link, monkeypatch):
    monkeypatch.setattr(digests, "LINK_LASTS", timedelta(seconds=-1))
    assert client.post(link).status_code == 404
    assert is_reminded(ana)


def test_the_link_of_one_person_switches_nobody_else_off(client, ana, link):
    other = make_person()
    client.force_login(other)
    client.post(link)
    assert (is_reminded(ana), is_reminded(other)) == (False, True)


def test_the_link_of_somebody_who_has_left_opens_nothing(client, ana, link):
    User.objects.filter(pk=ana.pk).update(is_active=False)
    assert client.post(link).status_code == 404
