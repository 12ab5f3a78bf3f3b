"""The command where it has done its work: what it said, and what it does when asked again."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction

from organisations.demo import DEMO_ACCOUNTS, DEMO_PASSWORD
from organisations.models import Job, User
from tests.demo.conftest import AS_OF
from tests.demo.fingerprint import fingerprint

pytestmark = pytest.mark.usefixtures("said", "undone")


def seed(**options: object) -> str:
    out = StringIO()
    call_command("seed_demo", stdout=out, **options)
    return out.getvalue()


@pytest.fixture(scope="module")
def said(starter: None) -> Iterator[str]:
    with transaction.atomic():
        yield seed(people=30, as_of=AS_OF)
        transaction.set_rollback(True)


def test_it_says_what_it_made_and_who_can_sign_in(said):
    table, accounts = said.split("Demo accounts")
    rows = {line.rsplit(maxsplit=1)[0].strip(): line.rsplit(maxsplit=1)[1] for line in table.splitlines() if line}
    assert rows["people"] == str(User.objects.count()) == "30"
    assert rows["certificates"] == rows["courses completed"]
    assert DEMO_PASSWORD in accounts
    assert all(email in accounts for email in DEMO_ACCOUNTS)


def test_it_asks_for_no_jobs():
    noted = ["learning.assign", "learning.replan_change"]
    assert not Job.objects.exclude(kind__in=[*noted, "learning.replan_all"]).exists()
    assert not Job.objects.filter(kind__in=noted).exclude(state="done").exists()


def test_a_second_run_changes_nothing():
    before = fingerprint()
    assert seed(people=60, seed=2) == "The demo ministry is already there.\n"
    assert fingerprint() == before


def test_a_second_run_changes_nothing_where_others_have_joined():
    User.objects.create_user("somebody@example.org", name="Somebody")
    assert seed() == "The demo ministry is already there.\n"
