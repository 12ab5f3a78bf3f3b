"""What the database refuses and with which sentence; who signs in under which address."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import RequestFactory

from organisations.models import Appointment, HrMandate, Job, Post, Unit, User
from organisations.models.people import display_name
from tests.builders import LONG_AGO, PASSWORD, appoint, make_hr, make_person, make_post, make_unit

pytestmark = pytest.mark.django_db
LATER = LONG_AGO + timedelta(days=30)


@pytest.fixture
def unit():
    return make_unit("Ministry")


@pytest.fixture
def post(unit):
    return make_post(unit)


def sentences(instance) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        instance.full_clean()
    return caught.value.messages


def refuse(act) -> None:
    """The rule holds below the forms too."""
    with pytest.raises(IntegrityError), transaction.atomic():
        act()


# --- Constraints and their sentences -----------------------------------------------------------------------------
@pytest.mark.parametrize("ends_on", [LONG_AGO, LONG_AGO - timedelta(days=1)])
def test_a_post_cannot_end_before_it_starts(unit, ends_on):
    post = Post(unit=unit, code="x", title={"en": "Officer"}, starts_on=LONG_AGO, ends_on=ends_on)
    assert sentences(post) == ["A post cannot end before it starts."]
    refuse(post.save)


def test_a_post_cannot_report_to_itself(post):
    post.reports_to = post
    assert sentences(post) == ["A post cannot report to itself."]
    refuse(post.save)


def test_two_posts_cannot_have_the_same_code(unit, post):
    twin = Post(unit=unit, code=post.code, title={"en": "Twin"}, starts_on=LONG_AGO)
    assert sentences(twin) == ["Another post has this code already."]
    refuse(twin.save)


def test_two_units_cannot_have_the_same_code(unit):
    twin = Unit(name={"en": "Twin"}, code=unit.code, path="9999", depth=1)
    assert sentences(twin) == ["Another unit has this code already."]
    refuse(lambda: Unit.add_root(name={"en": "Twin"}, code=unit.code))


@pytest.mark.parametrize("ends_on", [LONG_AGO, LONG_AGO - timedelta(days=1)])
def test_an_appointment_cannot_end_before_it_starts(post, ends_on):
    appointment = Appointment(person=make_person(), post=post, starts_on=LONG_AGO, ends_on=ends_on)
    assert sentences(appointment) == ["An appointment cannot end before it starts."]
    refuse(appointment.save)


def test_a_post_has_one_open_holder(post):
    first = appoint(make_person(), post)
    second = Appointment(person=make_person(), post=post, starts_on=LATER)
    assert sentences(second) == ["Somebody holds this post already. End that appointment first."]
    refuse(second.save)
    first.ends_on = LATER
    first.save()
    second.full_clean()
    second.save()
    assert post.appointments.count() == 2


def test_an_officer_serves_a_unit_once(unit):
    officer = make_person()
    make_hr(officer, unit)
    twin = HrMandate(officer=officer, unit=unit)
    assert sentences(twin) == ["This person already serves this unit as HR officer."]
    refuse(twin.save)


def test_a_job_key_is_there_once():
    Job.objects.create(kind="k", key="same")
    refuse(lambda: Job.objects.create(kind="k", key="same"))


@pytest.mark.parametrize("thing", ["person", "post", "unit"])
def test_what_history_hangs_on_cannot_be_deleted(thing):
    unit = make_unit()
    post = make_post(unit, holder=make_person("Holder"))
    target = {"person": User.objects.get(name="Holder"), "post": post, "unit": Unit.objects.get(pk=unit.pk)}[thing]
    with pytest.raises(IntegrityError), transaction.atomic():
        target.delete()


# --- Who holds what today ----------------------------------------------------------------------------------------
def test_current_appointments_end_with_their_post(post):
    appoint(make_person(), post)
    Post.objects.filter(pk=post.pk).update(ends_on=LATER)
    assert Appointment.objects.current(LATER - timedelta(days=1)).exists()
    assert not Appointment.objects.current(LATER).exists()


def test_a_post_exists_from_its_first_day_until_the_day_before_its_end(post):
    Post.objects.filter(pk=post.pk).update(ends_on=LATER)
    days = (LONG_AGO - timedelta(days=1), LONG_AGO, LATER - timedelta(days=1), LATER)
    assert [Post.objects.existing(day).exists() for day in days] == [False, True, True, False]


# --- People ------------------------------------------------------------------------------------------------------
def test_a_new_account_keeps_its_address_in_small_letters():
    person = User.objects.create_user("Ana.QUISPE@Ministry.EXAMPLE", PASSWORD, name="Ana Quispe")
    assert person.email == "ana.quispe@ministry.example"
    assert person.check_password(PASSWORD)
    assert person.has_usable_password()


def test_nobody_is_without_an_address():
    with pytest.raises(ValueError, match=r"^A person needs an e-mail address\.$"):
        User.objects.create_user("", name="Nobody")


def test_a_person_without_password_cannot_sign_in():
    assert not User.objects.create_user("a@example.org", name="Ana").has_usable_password()


@pytest.mark.parametrize("address", ["ana@example.org", "ANA@EXAMPLE.ORG", "Ana@Example.org"])
def test_an_address_opens_one_account_however_it_is_written(address):
    make_person("Ana", email="ana@example.org")
    assert User.objects.get_by_natural_key(address).name == "Ana"
    request = RequestFactory().post("/account/login/")
    assert authenticate(request, username=address, password=PASSWORD).name == "Ana"
    assert authenticate(request, email=address, password=PASSWORD).name == "Ana"


@pytest.mark.parametrize("address", ["ana@example.org", "ANA@example.org"])
def test_there_is_one_account_per_address_however_it_is_written(address):
    make_person("Ana", email="ana@example.org")
    twin = User(email=address, name="Twin", password="x")
    assert set(sentences(twin)) == {"There is already an account with this e-mail address."}
    refuse(lambda: User.objects.create(email=address, name="Twin"))
    refuse(lambda: User.objects.create_user(address, name="Twin"))


def test_a_form_that_names_the_address_says_the_sentence_once_and_cleans_the_case():
    person = User(email="NEW@Example.Org", name="New", password="x")
    person.full_clean()
    assert person.email == "new@example.org"


def test_an_inactive_account_opens_nothing_but_stays_on_record():
    person = make_person("Ana", email="ana@example.org", is_active=False)
    request = RequestFactory().post("/account/login/")
    assert authenticate(request, username="ana@example.org", password=PASSWORD) is None
    assert person not in User.objects.active()
    assert person in User.objects.visible_to(person)


def test_superusers_are_made_with_all_rights():
    admin = User.objects.create_superuser("admin@example.org", PASSWORD, name="Admin")
    assert admin.is_superuser
    assert admin.is_staff


@pytest.mark.parametrize(
    ("name", "known_as", "full", "short"),
    [
        ("Ana Quispe", "", "Ana Quispe", "Ana"),
        ("Ana Quispe", "Anita", "Ana Quispe", "Anita"),
        ("Suharto", "", "Suharto", "Suharto"),
        ("", "", "", ""),
    ],
)
def test_a_person_is_greeted_as_she_is_known(name, known_as, full, short):
    person = User(email="ana@example.org", name=name, known_as=known_as)
    assert (person.get_full_name(), person.get_short_name()) == (full, short)
    assert display_name(person) == str(person) == (name or "ana@example.org")


def test_things_call_themselves_by_their_names(unit):
    person = make_person("Ana Quispe")
    make_post(unit, title="Registrar", holder=person)
    assert str(Appointment.objects.get()) == "Ana Quispe · Registrar"
    make_hr(person, unit)
    assert str(HrMandate.objects.get()) == "Ana Quispe · Ministry"


# --- Jobs as people see them -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("state", "done", "total", "pct", "is_open"),
    [
        ("queued", 0, 0, 0, True),
        ("running", 1, 3, 33, True),
        ("running", 3, 3, 100, True),
        ("done", 0, 0, 100, False),
        ("failed", 1, 2, 50, False),
    ],
)
def test_a_job_says_how_far_it_is(state, done, total, pct, is_open):
    job = Job.objects.create(kind="k", key="x", state=state, done=done, total=total)
    assert (job.pct, job.is_open) == (pct, is_open)
    assert Job.objects.open().exists() is is_open


def test_jobs_are_seen_by_who_asked_for_them_and_by_administrators():
    asker, other, admin = make_person(), make_person(), make_person(is_superuser=True)
    job = Job.objects.create(kind="k", key="x", created_by=asker)
    Job.objects.create(kind="k", key="y")
    assert list(Job.objects.visible_to(asker)) == [job]
    assert not Job.objects.visible_to(other).exists()
    assert Job.objects.visible_to(admin).count() == 2


def test_today_is_the_day_of_the_installations_time_zone(settings, monkeypatch, post):
    """At 23:30 in Lima it is tomorrow in UTC: an appointment that begins tomorrow has not begun."""
    from datetime import UTC, datetime

    from django.utils import timezone

    appoint(make_person(), post, starts_on=date(2026, 3, 4))
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 3, 4, 4, 30, tzinfo=UTC))
    with timezone.override("America/Lima"):
        assert not Appointment.objects.current().exists()
    assert Appointment.objects.current().exists()
