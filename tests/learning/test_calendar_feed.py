"""The private calendar: an address shown once, what it holds, and that the same content gives the same bytes."""

from __future__ import annotations

import re
from datetime import date, timedelta
from hashlib import sha256

import pytest
from django.utils import timezone
from icalendar import Calendar
from wagtail.models import ModelLogEntry

from courses.models import CourseRun, SeatBooking
from learning.calendar_feed import feed_of, make_address, owner_of, seen_of, stop_address
from learning.enums import AssignmentKind, Decision
from learning.models import Assignment, ExtensionRequest, LearnerSettings
from learning.services import replan_many
from organisations.models import User
from tests.builders import make_course, make_framework, make_person, take_course

pytestmark = pytest.mark.django_db
YEARLY = {"every_months": 12, "opens_days_before": 60, "grace_days": 30, "anchor": "due"}


def today() -> date:
    return timezone.localdate()


def in_days(n: int) -> date:
    return today() + timedelta(days=n)


def asked(person: User, key: str, due_on: date, **fields) -> Assignment:
    row = Assignment.objects.create(person=person, kind=AssignmentKind.COURSE, course_key=key, due_on=due_on, **fields)
    replan_many(person_ids=[person.pk], reason="assignment")
    return row


def events(person: User, day: date | None = None) -> dict[str, dict]:
    """What another program reads, by UID without the host."""
    calendar = Calendar.from_ical(feed_of(person, day or today()))
    return {str(event["uid"]).split("@")[0]: event for event in calendar.walk("VEVENT")}


@pytest.fixture
def ana():
    return make_person("Ana Costa")


@pytest.fixture
def version():
    return make_framework()


@pytest.fixture
def privacy(version):
    return make_course(version, {"A": 2}, key="privacy")


@pytest.fixture
def token(ana):
    return make_address(person=ana, seen="", by=ana)


# What it holds


def test_a_due_date_is_a_whole_day_that_blocks_nothing(ana, privacy):
    assignment = asked(ana, "privacy", in_days(20))
    [(uid, event)] = events(ana).items()
    assert (uid, str(event["summary"])) == (f"due-{assignment.pk}", "Due: Privacy")
    assert (event["dtstart"].dt, str(event["transp"])) == (in_days(20), "TRANSPARENT")
    assert str(event["url"]) == "http://testserver/learn/path/"
    take_course(ana, privacy)
    assert events(ana) == {}


def test_an_extension_moves_the_same_event_and_counts_it_up(ana, privacy):
    assignment = asked(ana, "privacy", in_days(20))
    before = events(ana)[f"due-{assignment.pk}"]
    ExtensionRequest.objects.create(
        assignment=assignment, until=in_days(40), reason="x", decision=Decision.GRANTED, decided_at=timezone.now()
    )
    assignment.due_on = in_days(40)
    assignment.save()
    after = events(ana)[f"due-{assignment.pk}"]
    assert (before["sequence"], after["sequence"], after["dtstart"].dt) == (0, 1, in_days(40))
    assert after["dtstamp"].dt >= before["dtstamp"].dt


def test_what_comes_round_is_there_with_its_next_window(ana, privacy):
    assignment = asked(ana, "privacy", in_days(10), repeat=YEARLY)
    found = events(ana)
    assert set(found) == {f"due-{assignment.pk}-1", f"opens-{assignment.pk}-1", f"opens-{assignment.pk}-2"}
    assert found[f"opens-{assignment.pk}-1"]["dtstart"].dt == in_days(-50)
    take_course(ana, privacy)
    assert set(events(ana)) == {f"opens-{assignment.pk}-2"}


def test_a_booked_run_has_its_days_and_its_place(ana, privacy):
    run = CourseRun.objects.create(
        course=privacy, starts_on=in_days(5), ends_on=in_days(7), place="Room 4, Main; Street\r\nX-EVIL:1"
    )
    booking = SeatBooking.objects.create(run=run, person=ana)
    SeatBooking.objects.create(run=run, person=make_person())
    [(uid, event)] = events(ana).items()
    assert uid == f"run-{booking.pk}"
    assert (event["dtstart"].dt, event["dtend"].dt) == (in_days(5), in_days(8))
    assert (str(event["summary"]), str(event["status"]), str(event["transp"])) == ("Privacy", "CONFIRMED", "OPAQUE")
    assert "x-evil" not in event and str(event["location"]).startswith("Room 4, Main; Street")
    CourseRun.objects.filter(pk=run.pk).update(cancelled=True)
    assert str(events(ana)[uid]["status"]) == "CANCELLED"
    SeatBooking.objects.filter(pk=booking.pk).update(cancelled_at=timezone.now())
    assert events(ana) == {}


def test_a_run_of_one_day_and_one_long_over(ana, privacy):
    for start in (3, -200):
        run = CourseRun.objects.create(course=privacy, starts_on=in_days(start), ends_on=in_days(start))
        SeatBooking.objects.create(run=run, person=ana)
    [event] = events(ana).values()
    assert event["dtstart"].dt == in_days(3) and "dtend" not in event


def test_it_speaks_the_language_of_the_person(ana, version, privacy):
    make_course(version, {"A": 2}, key="privacy", language="es", title="Privacidad")
    ana.language = "es"
    ana.save()
    asked(ana, "privacy", in_days(20))
    [event] = events(ana).values()
    assert "Privacidad" in str(event["summary"])


def test_the_same_content_gives_the_same_bytes_on_another_day(ana, privacy):
    asked(ana, "privacy", in_days(20))
    run = CourseRun.objects.create(course=privacy, starts_on=in_days(5), ends_on=in_days(7))
    SeatBooking.objects.create(run=run, person=ana)
    assert feed_of(ana, today()) == feed_of(ana, in_days(1))


def test_lines_end_and_fold_as_the_standard_says(ana, version):
    make_course(version, {"A": 2}, key="long", title="Ñandú " * 30)
    asked(ana, "long", in_days(20))
    body = feed_of(ana, today())
    assert all(len(line) <= 75 for line in body.split(b"\r\n")) and b"\n" not in body.replace(b"\r\n", b"")


def test_many_dates_cost_as_many_queries_as_one(ana, version, privacy, count_queries):
    asked(ana, "privacy", in_days(10), repeat=YEARLY)
    few = count_queries(lambda: feed_of(ana, today()))
    for n in range(4):
        make_course(version, {"B": 2}, key=f"more-{n}")
        asked(ana, f"more-{n}", in_days(n), repeat=YEARLY)
    assert count_queries(lambda: feed_of(ana, today())) == few


# The address


def test_only_the_digest_of_the_address_is_kept(ana, token):
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    row = LearnerSettings.objects.get(person=ana)
    assert row.calendar_digest == sha256(token.encode()).hexdigest()
    assert owner_of(token) == ana and owner_of(row.calendar_digest) is None


def test_a_new_address_stops_the_old_one_and_switching_off_stops_it_too(client, ana, token):
    new = make_address(person=ana, seen=seen_of(LearnerSettings.objects.get(person=ana)), by=ana)
    assert [client.get(f"/calendar/{t}.ics").status_code for t in (token, new)] == [404, 200]
    for _twice in range(2):
        stop_address(person=ana, by=ana)
    assert client.get(f"/calendar/{new}.ics").status_code == 404
    actions = (
        ModelLogEntry.objects.filter(action__startswith="learning.").order_by("pk").values_list("action", flat=True)
    )
    assert list(actions) == ["learning.make_calendar", "learning.make_calendar", "learning.stop_calendar"]


def test_of_a_doubled_press_the_first_counts(ana, token):
    assert make_address(person=ana, seen="", by=ana) is None
    assert owner_of(token) == ana


def test_who_asks_again_is_told_that_nothing_has_changed(client, ana, token, privacy):
    assignment = asked(ana, "privacy", in_days(20))
    first = client.get(f"/calendar/{token}.ics")
    assert first["Content-Type"] == "text/calendar; charset=utf-8"
    assert first["Cache-Control"] == "private, no-cache"
    assert not first.cookies
    same = client.get(f"/calendar/{token}.ics", headers={"If-None-Match": first["ETag"]})
    assert (same.status_code, same.content) == (304, b"")
    Assignment.objects.filter(pk=assignment.pk).update(due_on=in_days(21))
    other = client.get(f"/calendar/{token}.ics", headers={"If-None-Match": first["ETag"]})
    assert (other.status_code, other["ETag"] == first["ETag"]) == (200, False)
    assert client.head(f"/calendar/{token}.ics").content == b""


@pytest.mark.parametrize("wrong", ["x" * 43, "x", "²" * 43, "%00" * 43, "x" * 5000, ".."])
def test_a_wrong_address_is_looked_for_and_not_found(client, ana, token, wrong, django_assert_num_queries):
    assert client.get(f"/calendar/{wrong}.ics").status_code == 404
    with django_assert_num_queries(1):
        assert owner_of(wrong) is None


def test_who_has_left_has_no_calendar(client, ana, token):
    User.objects.filter(pk=ana.pk).update(is_active=False)
    assert client.get(f"/calendar/{token}.ics").status_code == 404


# The pages


def test_the_address_is_shown_once(client, ana):
    client.force_login(ana)
    page = client.get("/learn/settings/")
    assert "Switched off" in page.content.decode()
    made = client.post("/learn/settings/", {"do": "calendar", "seen": page.context["seen"]})
    [address] = re.findall(r"http://testserver/calendar/[A-Za-z0-9_-]{43}\.ics", made.content.decode())
    assert "no-store" in made["Cache-Control"]
    assert client.get(address.removeprefix("http://testserver")).status_code == 200
    again = client.post("/learn/settings/", {"do": "calendar", "seen": page.context["seen"]}, follow=True)
    assert "/calendar/" not in again.content.decode()
    assert "shown only once" in again.content.decode()
    assert owner_of(address[-47:-4]) == ana
    client.post("/learn/settings/", {"do": "calendar_off"})
    assert owner_of(address[-47:-4]) is None


def test_reminders_are_switched_on_the_page_too(client, ana):
    client.force_login(ana)
    client.post("/learn/settings/", {"do": "reminders"})
    assert not LearnerSettings.objects.get(person=ana).reminds_of_recommended
    assert not client.get("/learn/settings/").context["form"].initial["recommended"]
    client.post("/learn/settings/", {"do": "reminders", "recommended": "on"})
    assert LearnerSettings.objects.get(person=ana).reminds_of_recommended
    assert client.post("/learn/settings/", {"do": "x"}).status_code == 422
