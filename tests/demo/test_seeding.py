"""What the command refuses, in a sentence and with nothing written; and that equal asks give equal ministries."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from certificates.demo import seed_ministry
from competencies.models import FrameworkVersion
from courses.models import CoursePage, Enrolment
from organisations.demo import demo_accounts_present
from organisations.models import Post, Unit, User
from tests.demo.fingerprint import fingerprint

pytestmark = pytest.mark.usefixtures("undone")


def seed(**options: object) -> str:
    out = StringIO()
    call_command("seed_demo", stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def nothing_written() -> Iterator[None]:
    yield
    assert not Post.objects.exists()
    assert not Enrolment.objects.exists()


def seeded_fingerprint(people: int, number: int, as_of: date) -> dict[str, list[str]]:
    with transaction.atomic():
        assert seed_ministry(people=people, seed=number, as_of=as_of)
        found = fingerprint()
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize(("people", "number", "as_of"), [(30, 1, date(2025, 8, 17)), (41, 8, date(2024, 2, 29))])
def test_the_same_asked_for_twice_is_the_same_ministry(people, number, as_of):
    first, second = (seeded_fingerprint(people, number, as_of) for _time in range(2))
    for table, lines in first.items():
        assert second[table] == lines, table
        assert lines, table


def test_it_keeps_away_from_people_of_others(nothing_written):
    User.objects.create_user("somebody@example.org", name="Somebody")
    with pytest.raises(CommandError, match="There are people here already"):
        seed()


def test_it_keeps_away_from_units_of_others(nothing_written):
    Unit.add_root(name="Ministry of Health", code="MOH")
    with pytest.raises(CommandError, match="There are units here already"):
        seed()


def test_it_asks_for_the_starter_framework(nothing_written):
    FrameworkVersion.objects.update(status="draft")
    with pytest.raises(CommandError, match="load_starter_framework"):
        seed()


def test_it_asks_for_the_starter_courses(nothing_written):
    CoursePage.objects.update(live=False)
    with pytest.raises(CommandError, match="load_courses"):
        seed()


@pytest.mark.parametrize("people", [29, 0, -1, 100_001])
def test_it_makes_neither_hamlets_nor_empires(people, nothing_written):
    with pytest.raises(CommandError, match="from 30 to 100000"):
        seed(people=people)


@pytest.mark.parametrize("as_of", [date(1999, 12, 31), "tomorrow"])
def test_it_is_made_for_a_day_that_has_come(as_of, nothing_written):
    if as_of == "tomorrow":  # asked for now: midnight may have passed since the tests were collected
        as_of = timezone.localdate() + timedelta(days=1)
    with pytest.raises(CommandError, match="--as-of takes a day from 2000-01-01 to today"):
        seed(as_of=as_of)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--people=many", "“many” is not a whole number"),
        ("--seed=x", "“x” is not a whole number"),
        ("--as-of=31/12/2025", "is not a day written as YYYY-MM-DD"),
    ],
)
def test_what_cannot_be_read_is_named(option, said, nothing_written):
    with pytest.raises(CommandError, match=said):
        call_command("seed_demo", option)


def test_production_makes_no_accounts_it_would_not_start_with(settings, nothing_written):
    settings.REFUSE_DEMO_ACCOUNTS = True
    with pytest.raises(CommandError, match="refuse to start with demo accounts"):
        seed()


def test_no_accounts_are_present_before():
    assert demo_accounts_present() == []
