"""Who may read about a change: those it concerns, those who work for it, and who leads a unit above."""

from __future__ import annotations

import pytest
from django.urls import reverse

from readiness.perms import initiatives_for
from tests.builders import make_person, make_post, make_unit
from tests.readiness.surveys import make_initiative, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def house():
    """A ministry whose head leads two directorates; the change is of one of them, and not for everybody."""
    ministry = make_unit("Ministry")
    one, two = make_unit("One", parent=ministry), make_unit("Two", parent=ministry)
    head, first, second = make_person("Head"), make_person("First"), make_person("Second")
    top = make_post(ministry, holder=head)
    at_one = make_post(one, holder=first, reports_to=top)
    at_two = make_post(two, holder=second, reports_to=top)
    people = [staff(one, 2, at_one), staff(two, 2, at_two)]
    return {"change": make_initiative(one), "head": head, "first": first, "second": second, "people": people}


def reads(person, house) -> bool:
    return initiatives_for(person).filter(pk=house["change"].pk).exists()


def test_who_works_there_reads_and_who_works_beside_does_not(house):
    assert reads(house["first"], house)
    assert reads(house["people"][0][0], house)
    assert not reads(house["second"], house)
    assert not reads(house["people"][1][0], house)


def test_who_leads_a_unit_above_reads_what_happens_below(client, house):
    assert reads(house["head"], house)
    client.force_login(house["head"])
    assert client.get(reverse("initiative", args=[house["change"].slug])).status_code == 200


def test_a_colleague_in_the_unit_above_who_leads_nobody_does_not(house):
    other = make_person()
    make_post(house["change"].unit.get_parent(), holder=other)
    assert not reads(other, house)
