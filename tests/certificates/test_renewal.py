"""What has an end is renewed as a new period, without a gap, once; and the holder is told in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from dateutil.relativedelta import relativedelta
from django.core import mail
from django.utils import timezone
from wagtail.models import ModelLogEntry

from certificates.award_mails import tell_of_ends
from certificates.awarding import award
from certificates.defining import change_definition, retire_definition, said_of
from certificates.enums import Kind, RevocationReason
from certificates.life import LifeRefused, reissue, renew, revoke
from certificates.models import Certificate
from certificates.record import claim_of
from certificates.services import issue_certificate, issue_certificates
from certificates.verdicts import judge
from tests.builders import competency, give_evidence, make_course, make_framework, make_person, make_post, make_unit
from tests.certificates.definitions import complete, define, house, make_curated, noon

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return make_person("Ada Admin", is_superuser=True)


def today(days_ago: int = 0) -> date:
    return timezone.localdate() - timedelta(days=days_ago)


def course_certificate(person, course, days_ago: int, number: int = 1) -> Certificate:
    return issue_certificate(enrolment=complete(person, course, days_ago=days_ago, number=number), at=noon(days_ago))


# --- Courses --------------------------------------------------------------------------------------------------------------
def test_taken_again_in_time_it_follows_the_old_one_and_no_day_is_lost(admin):
    course, person = make_course(), make_person()
    define(admin, Kind.COURSE, course=course, validity_months=12, renewal_months=3)
    first = course_certificate(person, course, 330)
    second = course_certificate(person, course, 10, number=2)
    assert first.valid_until == today(330) + relativedelta(months=12)
    assert second.valid_until == first.valid_until + relativedelta(months=12)
    assert (second.period, second.renews) == (2, first)
    assert claim_of(second.record).renews == first.serial
    # The old one stays valid until its own end.
    assert judge(first, as_of=first.valid_until - timedelta(days=1)).verdict == "valid"


def test_taken_again_after_the_end_it_begins_anew(admin):
    course, person = make_course(), make_person()
    define(admin, Kind.COURSE, course=course, validity_months=12)
    first = course_certificate(person, course, 800)
    second = course_certificate(person, course, 10, number=2)
    assert (second.period, second.renews) == (2, first)
    assert second.valid_until == today(10) + relativedelta(months=12)


def test_taken_again_too_early_it_is_a_certificate_of_its_own(admin):
    course, person = make_course(), make_person()
    define(admin, Kind.COURSE, course=course, validity_months=12, renewal_months=3)
    course_certificate(person, course, 100)
    second = course_certificate(person, course, 10, number=2)
    assert (second.period, second.renews) == (1, None)
    assert second.valid_until == today(10) + relativedelta(months=12)


def test_a_history_brought_in_at_once_is_renewed_as_it_was_lived(admin):
    course, person = make_course(), make_person()
    define(admin, Kind.COURSE, course=course, validity_months=12, renewal_months=3)
    enrolments = [complete(person, course, days_ago=days, number=n) for n, days in enumerate((900, 560, 220), start=1)]
    first, second, third = issue_certificates(enrolments=enrolments, documents=False)
    assert [c.period for c in (first, second, third)] == [1, 2, 3]
    assert (second.renews, third.renews) == (first, second)
    assert third.valid_until == first.valid_until + relativedelta(months=24)


# --- Levels and roles -----------------------------------------------------------------------------------------------------
@pytest.fixture
def level(admin):
    """A level that was certified eleven months ago, by a definition valid for twelve."""
    version = make_framework()
    a = competency(version, "A")
    _unit, hr, person = house()
    definition = define(
        admin, Kind.LEVEL, active=False, competency=a, level=version.levels.get(rank=2), validity_months=12,
        renewal_months=3,
    )  # fmt: skip
    give_evidence(person, a, 3, days_ago=400)
    type(definition).objects.update(status="active")
    assert award(definition=definition, at=noon(330), tell=False) == 1
    return definition, Certificate.objects.get(), a, person, hr


def test_the_same_evidence_renews_nothing_and_a_newer_piece_does(level):
    definition, first, a, person, _hr = level
    assert award(definition=definition, tell=False) == 0
    give_evidence(person, a, 2, days_ago=2)
    [second] = Certificate.objects.filter(period=2)
    assert second.renews == first
    assert second.valid_until == first.valid_until + relativedelta(months=12)
    assert claim_of(second.record).completed_on == today(2)
    assert claim_of(second.record).renews == first.serial
    assert award(definition=definition) == 0
    [letter] = mail.outbox
    assert "was renewed" in letter.subject


def test_before_its_window_nothing_is_renewed_and_then_the_night_does_it(level):
    definition, first, a, person, _hr = level
    give_evidence(person, a, 2, days_ago=300)
    opens_on = first.valid_until - relativedelta(months=3)
    assert award(definition=definition, at=noon((today() - opens_on).days + 1), tell=False) == 0
    # Giving the evidence was news of today, within the window.
    assert Certificate.objects.filter(period=2).count() == 1


def test_what_was_revoked_is_earned_anew_by_what_was_shown_since(level):
    definition, first, a, person, hr = level
    revoke(certificate=first, reason=RevocationReason.CONDUCT, note="Copied.", by=hr, at=noon(5))
    give_evidence(person, a, 2, days_ago=9)
    assert Certificate.objects.count() == 1
    give_evidence(person, a, 2, days_ago=1)
    [second] = Certificate.objects.filter(period=2)
    assert second.renews is None
    assert second.valid_until == today() + relativedelta(months=12)
    assert award(definition=definition) == 0


# --- Paths ----------------------------------------------------------------------------------------------------------------
def test_a_path_is_renewed_by_a_round_of_its_own():
    unit, hr, person = house()
    one, two = make_course(), make_course()
    path = make_curated(unit, hr, [one, two])
    path.versions.update(published_at=noon(500))
    for course in (one, two):
        complete(person, course, days_ago=340)
    definition = define(hr, Kind.PATH, active=False, path=path, unit=unit, validity_months=12, renewal_months=3)
    type(definition).objects.update(status="active")
    assert award(definition=definition, at=noon(330), tell=False) == 1
    complete(person, one, number=2, days_ago=200)
    assert award(definition=definition) == 0
    complete(person, two, number=2, days_ago=1)
    assert award(definition=definition) == 1
    first, second = Certificate.objects.order_by("pk")
    assert second.renews == first and claim_of(second.record).completed_on == today(1)


# --- By hand --------------------------------------------------------------------------------------------------------------
def test_hr_renews_by_hand_with_a_reason_and_what_the_definition_says_today(level):
    definition, first, _a, person, hr = level
    admin = make_person(is_superuser=True)
    said = replace(said_of(definition), title={"en": "Certified anew"}, validity_months=24)
    change_definition(definition=definition, said=said, by=admin)
    second = renew(certificate=first, note="On leave for a year.", by=hr)
    claim = claim_of(second.record)
    assert (second.period, second.renews, second.holder) == (2, first, person)
    assert second.valid_until == first.valid_until + relativedelta(months=24)
    assert (claim.title, claim.definition, claim.renews) == ("Certified anew", f"{definition.key}/2", first.serial)
    assert claim.outcomes == claim_of(first.record).outcomes
    assert second.document
    entry = ModelLogEntry.objects.get(action="certificates.renew")
    assert (entry.user, entry.data["why"]) == (hr, "On leave for a year.")
    assert renew(certificate=first, note="Pressed again.", by=hr) == second
    assert len(mail.outbox) == 1


def test_what_cannot_be_renewed_by_hand_is_said_in_a_sentence(level, admin):
    definition, first, _a, _person, hr = level
    for note in ("", "x" * 501):
        with pytest.raises(LifeRefused) as refused:
            renew(certificate=first, note=note, by=hr)
        assert refused.value.field == "why"
    with pytest.raises(LifeRefused, match="not in your care"):
        renew(certificate=first, note="Mine.", by=first.holder)
    anew = reissue(certificate=first, name="Ana Maria", by=hr)
    with pytest.raises(LifeRefused, match="replaced"):
        renew(certificate=first, note="Please.", by=hr)
    endless = course_certificate(make_person(), make_course(), 5)
    with pytest.raises(LifeRefused, match="no end"):
        renew(certificate=endless, note="Please.", by=admin)
    retire_definition(definition=definition, by=admin)
    with pytest.raises(LifeRefused, match="no longer in force"):
        renew(certificate=anew, note="Please.", by=hr)


def test_a_corrected_certificate_is_renewed_in_place_of_the_old_one(level):
    _definition, first, a, person, hr = level
    anew = reissue(certificate=first, name="Ana Maria", by=hr)
    give_evidence(person, a, 2, days_ago=9)
    assert Certificate.objects.get(period=2).renews == anew


# --- Told -----------------------------------------------------------------------------------------------------------------
def subjects() -> list[str]:
    return [letter.subject for letter in mail.outbox]


def test_the_holder_is_told_once_from_the_beginning_of_the_window_how_to_renew(level):
    _definition, first, _a, person, _hr = level
    opens_on = first.valid_until - relativedelta(months=3)
    assert tell_of_ends(day=opens_on - timedelta(days=1)) == 0
    assert tell_of_ends(day=opens_on) == 1
    assert tell_of_ends(day=opens_on) == tell_of_ends(day=opens_on + timedelta(days=9)) == 0
    [letter] = mail.outbox
    assert letter.to == [person.email]
    assert "ends on" in letter.subject and "at least one new piece of evidence" in letter.body


def test_the_holder_is_told_once_that_it_has_ended(level):
    _definition, first, _a, _person, _hr = level
    tell_of_ends(day=first.valid_until - timedelta(days=1))
    mail.outbox.clear()
    assert tell_of_ends(day=first.valid_until) == 1
    assert tell_of_ends(day=first.valid_until + timedelta(days=1)) == 0
    assert "has expired" in subjects()[0]


def test_nobody_is_told_of_what_was_renewed_revoked_or_ended_long_ago(level, admin):
    _definition, first, _a, _person, hr = level
    assert tell_of_ends(day=first.valid_until + timedelta(days=31)) == 0
    second = renew(certificate=first, note="On leave.", by=hr)
    mail.outbox.clear()
    assert tell_of_ends(day=first.valid_until) == 0
    revoke(certificate=second, reason=RevocationReason.CONDUCT, note="Copied.", by=hr)
    assert tell_of_ends(day=second.valid_until) == 0


def test_the_mail_of_a_course_leads_to_the_course_and_an_ended_definition_says_so(admin):
    course, person = make_course(), make_person()
    definition = define(admin, Kind.COURSE, course=course, validity_months=12)
    certificate = course_certificate(person, course, 330)
    tell_of_ends(day=today())
    assert "take the course again" in mail.outbox[-1].body and course.url in mail.outbox[-1].body
    retire_definition(definition=definition, by=admin)
    tell_of_ends(day=certificate.valid_until)
    assert "no longer issued" in mail.outbox[-1].body


def test_telling_costs_the_same_however_many_have_been_told(admin, django_assert_max_num_queries):
    course = make_course()
    define(admin, Kind.COURSE, course=course, validity_months=12)
    unit = make_unit()
    for _n in range(6):
        person = make_person()
        make_post(unit, holder=person)
        course_certificate(person, course, 330)
    assert tell_of_ends(day=today()) == 6
    with django_assert_max_num_queries(6):
        assert tell_of_ends(day=today()) == 0
