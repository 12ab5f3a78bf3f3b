"""Doors to what went out of use while somebody had the page open: a sentence and a way on, and nothing is written."""

import pytest

from competencies.diagnosing import start_diagnostic
from competencies.enums import FrameworkStatus
from competencies.models import Claim, Diagnostic, Evidence, Panel
from tests.builders import competency, make_framework, make_person, make_post, make_profile, make_unit
from tests.competencies.banks import make_bank
from tests.competencies.editions import altered, load, publish, small_content

pytestmark = pytest.mark.django_db

MINE = ("/learn/competencies/{competency}/assess/", "/learn/competencies/{competency}/evidence/")
HERS = (
    "/people/{person}/competencies/{competency}/assess/",
    "/people/{person}/competencies/{competency}/panel/",
    "/people/{person}/competencies/{competency}/quiz/",
)
SENT = {
    "rank": "2",
    "token": "t",
    "note": "",
    "title": "Quiz",
    "passed": "yes",
    "on": "2026-01-05",
    "kind": "certificate",
}


@pytest.fixture
def first():
    return load(small_content())


@pytest.fixture
def boss():
    return make_person("Berta Boss")


@pytest.fixture
def ana(first, boss):
    person = make_person("Ana Costa")
    post = make_post(make_unit(), holder=boss)
    make_post(make_unit(), holder=person, reports_to=post, roles=[make_profile(first, {"A": 3, "C": 1})])
    return person


@pytest.fixture
def second(first, ana):
    """An edition follows: A goes on, C is gone."""
    return publish(load(altered(small_content(), C=None)), by=make_person(is_superuser=True))


def nothing_written() -> bool:
    return not any(model.objects.exists() for model in (Evidence, Claim, Panel, Diagnostic))


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("address", [*MINE, *HERS])
def test_what_was_withdrawn_says_so_and_leads_to_what_it_was(client, first, second, ana, boss, address, method):
    gone = competency(first, "C")
    client.force_login(ana if address in MINE else boss)
    response = getattr(client, method)(address.format(person=ana.pk, competency=gone.pk), SENT)
    page = response.content.decode()
    assert response.status_code == 422
    assert "“Telex” is not in use (any more): nothing new can be recorded for it." in page
    assert ("Nothing was written" in page) == (method == "post")
    assert f'href="/competencies/{gone.pk}/"' in page
    assert client.get(f"/competencies/{gone.pk}/").status_code == 200
    assert nothing_written()


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("address", [MINE[0], *HERS])
def test_an_edition_that_was_followed_leads_to_the_same_door_of_the_next(
    client, first, second, ana, boss, address, method
):
    client.force_login(ana if address in MINE else boss)
    here = address.format(person=ana.pk, competency=competency(first, "A").pk)
    onwards = address.format(person=ana.pk, competency=competency(second, "A").pk)
    response = getattr(client, method)(here, SENT)
    assert response.status_code == 422
    assert "“Counting” has a new edition" in response.content.decode()
    assert f'href="{onwards}"' in response.content.decode()
    assert client.get(onwards).status_code == 200
    assert nothing_written()


@pytest.mark.parametrize("address", [*MINE, *HERS, "/learn/competencies/{competency}/diagnostic/"])
def test_what_never_was_and_what_is_a_draft_is_no_page(client, ana, boss, address):
    draft = competency(make_framework(codes="Q", status=FrameworkStatus.DRAFT), "Q")
    client.force_login(ana if "learn" in address else boss)
    for pk in (draft.pk, 10**9, 10**30):
        where = address.format(person=ana.pk, competency=pk)
        assert client.get(where).status_code == 404
        assert client.post(where, SENT).status_code == 404


def test_a_diagnostic_of_what_was_withdrawn_is_not_begun_but_taken_to_its_end(client, first, ana):
    bank = make_bank(competency(first, "C"), items=12)
    bob = make_person("Bob Later")
    start_diagnostic(person=ana, bank=bank)
    publish(load(altered(small_content(), C=None)), by=make_person(is_superuser=True))
    door = f"/learn/competencies/{bank.competency_id}/diagnostic/"
    client.force_login(ana)
    assert "Go on where you stopped" in client.get(door).content.decode()
    client.force_login(bob)
    for response in (client.get(door), client.post(door)):
        assert response.status_code == 422
        assert "“Telex” is not in use (any more)" in response.content.decode()
    assert not Diagnostic.objects.filter(person=bob).exists()


def test_who_would_confirm_her_own_level_is_told_why_she_assesses_herself(client, first, ana):
    a = competency(first, "A")
    client.force_login(ana)
    response = client.post(f"/people/{ana.pk}/competencies/{a.pk}/assess/", SENT, follow=True)
    assert response.redirect_chain == [(f"/learn/competencies/{a.pk}/assess/", 302)]
    assert "You cannot confirm your own level as a manager." in response.content.decode()
    assert nothing_written()


def test_a_stranger_learns_nothing_of_a_person_from_what_was_withdrawn(client, first, second, ana):
    client.force_login(make_person("Stranger"))
    for address in HERS:
        assert client.get(address.format(person=ana.pk, competency=competency(first, "C").pk)).status_code == 404
