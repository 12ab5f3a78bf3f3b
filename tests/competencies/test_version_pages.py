"""The doors of a version's life: difference, crosswalk, next edition, extension, discarding, alignments."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.auth.models import Group

from competencies.enums import FrameworkStatus, LinkRelation, SuccessionBasis, SuccessionDecision
from competencies.loading import content_of, load_framework
from competencies.models import Alignment, Framework, FrameworkVersion
from competencies.perms import STEWARDS
from tests.builders import competency, give_evidence, make_framework, make_person, make_profile

pytestmark = pytest.mark.django_db


@pytest.fixture
def steward(client):
    person = make_person("Stella Steward")
    person.groups.add(Group.objects.get(name=STEWARDS))
    client.force_login(person)
    return person


@pytest.fixture
def editions():
    """An edition in force and a draft: B is reworded and has another code, C is withdrawn, D is new, A rises to 3."""
    version = make_framework("sample", codes="ABC")
    make_profile(version, {"A": 2, "B": 1}, title="Officer")
    content = content_of(version)
    a, b, _c = content.competencies
    b2 = replace(b, code="B2", title={"en": "Competency B now", "es": "Competencia B ahora"}, description=b.description)
    d = replace(a, code="D", title={"en": "Zebra crossing"}, description={}, descriptors=())
    [role] = content.roles
    [profile] = role.profiles
    needs = tuple(
        replace(r, competency={"A": "A", "B": "B2"}[r.competency], level={"A": 3, "B": 1}[r.competency])
        for r in profile.requirements
    )
    roles = (replace(role, profiles=(replace(profile, requirements=needs),)),)
    draft = load_framework(content=replace(content, edition="2", competencies=(a, b2, d), roles=roles)).version
    return version, draft


def url(draft, what):
    return f"/frameworks/desk/{draft.pk}/{what}/"


def test_the_crosswalk_is_proposed_at_the_first_look_and_sure_lines_go_in_one_press(editions, steward, client):
    _version, draft = editions
    page = client.get(url(draft, "crosswalk"))
    assert (page.context["total"], page.context["sure"]) == (4, 2)
    basis = {line.old.code: line.basis for line in draft.competency_successions.all()}
    assert basis == {"A": SuccessionBasis.CODE, "B": SuccessionBasis.CLOSE, "C": SuccessionBasis.NONE}
    client.post(url(draft, "crosswalk"), {"do": "sure"})
    client.post(url(draft, "crosswalk"), {"do": "sure"})  # pressed twice
    assert client.get(url(draft, "crosswalk")).context["undecided"] == 2


def test_a_steward_decides_the_rest_line_by_line(editions, steward, client):
    _version, draft = editions
    client.get(url(draft, "crosswalk"))
    lines = {line.old.code: line for line in draft.competency_successions.all()}
    new = draft.competencies.get(code="D")
    client.post(url(draft, "crosswalk"), {f"c-{lines['B'].pk}": "0", f"c-{lines['C'].pk}": str(new.pk)})
    decided = {line.old.code: line for line in draft.competency_successions.all()}
    assert decided["B"].new is None
    assert decided["C"].new == new
    assert decided["C"].basis == SuccessionBasis.PERSON
    assert {decided[c].decision for c in "BC"} == {SuccessionDecision.CONFIRMED}
    assert decided["C"].decided_by == steward


def test_what_nobody_has_decided_stands_at_later_and_saving_decides_only_what_was_chosen(editions, steward, client):
    _version, draft = editions
    page = client.get(url(draft, "crosswalk"))
    assert {row["chosen"] for row in page.context["rows"]} == {""}
    html = page.content.decode()
    assert "Proposed: Competency B now" in html
    as_it_stands = {row["name"]: row["chosen"] for row in page.context["rows"]}
    client.post(url(draft, "crosswalk"), as_it_stands)
    assert client.get(url(draft, "crosswalk")).context["decided"] == 0


def test_one_press_takes_a_proposal_and_keeps_what_is_chosen_beside_it(editions, steward, client):
    _version, draft = editions
    rows = {row["old"]: row for row in client.get(url(draft, "crosswalk")).context["rows"]}
    lines = {line.old.code: line for line in draft.competency_successions.all()}
    new = draft.competencies.get(code="D")
    data = {rows["Competency B"]["name"]: "", f"c-{lines['C'].pk}": str(new.pk), "take": rows["Competency B"]["take"]}
    for _n in range(2):  # pressed twice
        response = client.post(f"{url(draft, 'crosswalk')}?show=all&page=1", data)
    assert response["Location"].endswith("?show=all&page=1")
    decided = {line.old.code: line for line in draft.competency_successions.filter(decision="confirmed")}
    assert {code: line.new.code for code, line in decided.items()} == {"B": "B2", "C": "D"}
    assert decided["B"].basis == SuccessionBasis.CLOSE


@pytest.mark.parametrize("take", ["", "=", "c-1", "c-=5", "x-1=2", "c-99999999=0", "p-" + "9" * 30 + "=1"])
def test_a_proposal_that_is_not_there_is_not_taken(editions, steward, client, take):
    _version, draft = editions
    client.get(url(draft, "crosswalk"))
    assert client.post(url(draft, "crosswalk"), {"take": take}).status_code == 302
    assert not draft.competency_successions.filter(decision="confirmed").exists()


def test_everything_of_a_large_edition_can_be_found_as_what_follows(editions, steward, client, monkeypatch):
    monkeypatch.setattr("competencies.version_views.OPTIONS_MOST", 2)
    version = make_framework(codes=["K1", "K2"])
    make_profile(version, {"K1": 1}, title="Clerk")
    content = content_of(version)
    first = content.competencies[0]
    many = tuple(replace(first, code=f"N{n}", title={"en": f"Wholly new {n}"}, descriptors=()) for n in range(9))
    draft = load_framework(content=replace(content, edition="2", competencies=(first, *many))).version
    page = client.get(url(draft, "crosswalk"))
    assert (page.context["offered"], page.context["fitting"]) == (2, 9)
    assert "offer 2 of 9" in page.content.decode()
    found = client.get(url(draft, "crosswalk"), {"q": "wholly 8"})
    [row] = [row for row in found.context["rows"] if row["old"] == "Competency K2"]
    assert [words for _value, words in row["choices"]] == ["Wholly new 8"]
    assert client.get(url(draft, "crosswalk"), {"q": "no such words"}).context["fitting"] == 0


@pytest.mark.parametrize("value", ["99999999", "9" * 30, "x", "-1"])
def test_a_choice_that_is_not_there_decides_nothing(editions, steward, client, value):
    _version, draft = editions
    client.get(url(draft, "crosswalk"))
    line = draft.competency_successions.get(old__code="C")
    assert client.post(url(draft, "crosswalk"), {f"c-{line.pk}": value, "c-9": "1", "c-x": "1"}).status_code == 302
    line.refresh_from_db()
    assert line.decision == SuccessionDecision.PROPOSED


def test_the_difference_names_what_is_added_withdrawn_reworded_and_moved(editions, steward, client):
    _version, draft = editions
    client.get(url(draft, "crosswalk"))
    page = client.get(url(draft, "difference"))
    assert {name: number for name, _words, number in page.context["parts"]} == {
        "added": 1, "withdrawn": 1, "reworded": 1, "roles": 1,
    }  # fmt: skip
    assert "Zebra crossing" in page.content.decode()
    roles = client.get(url(draft, "difference"), {"part": "roles"}).content.decode()
    assert "the level rises from 2 to 3" in roles
    reworded = client.get(url(draft, "difference"), {"part": "reworded"}).content.decode()
    assert "Competency B now" in reworded
    assert "Competencia B ahora" in reworded


def test_the_next_edition_begins_with_everything(editions, steward, client):
    version, _draft = editions
    response = client.post(url(version, "next"), {"edition": "3"})
    new = FrameworkVersion.objects.get(framework=version.framework, edition="3")
    assert response["Location"] == f"/frameworks/desk/{new.pk}/"
    assert content_of(new).digest == content_of(version).digest
    assert new.status == FrameworkStatus.DRAFT
    again = client.post(url(version, "next"), {"edition": "3"})
    assert again.status_code == 422
    assert "has an edition “3” already" in again.content.decode()


def test_an_extension_is_a_framework_of_its_own(editions, steward, client):
    version, _draft = editions
    before = content_of(version)
    data = {"title": "What we add", "slug": "we-add", "edition": "1", "publisher": "Us"}
    assert client.post(url(version, "extend"), data).status_code == 302
    draft = FrameworkVersion.objects.get(framework__slug="we-add")
    assert (draft.extends, draft.status) == (version, FrameworkStatus.DRAFT)
    assert content_of(version) == before
    assert client.post(url(version, "extend"), data).status_code == 422
    for slug in ("desk", "search", "no good"):
        assert client.post(url(version, "extend"), data | {"slug": slug}).status_code == 422


def test_a_draft_is_discarded_after_asking_and_only_a_draft(editions, steward, client):
    version, draft = editions
    assert "Discard the draft" in client.get(url(draft, "discard")).content.decode()
    assert client.post(url(draft, "discard"))["Location"] == "/frameworks/desk/"
    assert client.post(url(draft, "discard"))["Location"] == "/frameworks/desk/"  # pressed twice
    assert not FrameworkVersion.objects.filter(pk=draft.pk).exists()
    assert client.post(url(version, "discard")).status_code == 404
    assert Framework.objects.filter(pk=version.framework_id).exists()


def test_an_alignment_is_found_said_counted_and_withdrawn(steward, client):
    here, there = make_framework("here", codes="A"), make_framework("there", codes="B")
    origin, target = competency(here, "A"), competency(there, "B")
    found = client.get(f"/competencies/{origin.pk}/align/", {"q": "competencia b"})
    assert [c.pk for c in found.context["candidates"]] == [target.pk]
    data = {"target": target.pk, "relation": LinkRelation.EXACT, "note": "Compared word by word."}
    for _n in range(2):  # pressed twice
        response = client.post(f"/competencies/{origin.pk}/align/?q=competencia", data)
        assert response.status_code == 302
    alignment = Alignment.objects.get()
    ana = make_person()
    give_evidence(ana, origin, 3)
    client.force_login(ana)
    page = client.get(f"/learn/competencies/{target.pk}/").content.decode()
    assert "which is the same competency" in page
    client.force_login(steward)
    client.post(f"/competencies/alignments/{alignment.pk}/withdraw/")
    client.force_login(ana)
    assert "which is the same competency" not in client.get(f"/learn/competencies/{target.pk}/").content.decode()
    assert Alignment.objects.get().withdrawn_by == steward


def test_every_competency_can_be_found_to_be_aligned_the_best_match_first(steward, client, count_queries):
    origin = competency(make_framework("here", codes="A"), "A")
    early = make_framework("a-first", codes=[f"Y{n}" for n in range(30)])
    late = make_framework("z-last", codes=["Z"])
    type(origin).objects.filter(version=early).update(search_text="managing risk and more managing risk")
    best = competency(late, "Z")
    type(origin).objects.filter(pk=best.pk).update(title={"en": "Risk"}, search_text="risk")
    page = client.get(f"/competencies/{origin.pk}/align/", {"q": "risk"})
    assert page.context["candidates"][0] == best
    assert "31 competencies are found" in page.content.decode()
    seen = {c.pk for c in page.context["candidates"]}
    again = client.get(f"/competencies/{origin.pk}/align/", {"q": "risk", "page": "2"})
    seen |= {c.pk for c in again.context["candidates"]}
    assert len(seen) == 31
    within = client.get(f"/competencies/{origin.pk}/align/", {"q": "risk", "framework": "z-last"})
    assert within.context["candidates"] == [best]
    for nothing in ("here", "no-such", "\0"):  # its own framework is none to choose
        page = client.get(f"/competencies/{origin.pk}/align/", {"q": "risk", "framework": nothing, "page": "x"})
        assert len(page.context["candidates"]) == 25
    address = f"/competencies/{origin.pk}/align/"
    one = count_queries(lambda: client.get(address, {"q": "risk", "framework": "z-last"}))
    assert count_queries(lambda: client.get(address, {"q": "risk"})) == one


def test_an_alignment_within_one_framework_is_refused_with_a_sentence(steward, client):
    version = make_framework(codes="AB")
    data = {"target": competency(version, "B").pk, "relation": "exact"}
    page = client.post(f"/competencies/{competency(version, 'A').pk}/align/?q=x", data)
    assert page.status_code == 422
    assert "Both are of the same framework" in page.content.decode()


def test_crosswalk_and_difference_ask_as_many_queries_for_big_editions_as_for_small(steward, client, count_queries):
    counts = []
    for size in (3, 120):
        version = make_framework(codes=[f"K{n}" for n in range(size)], ranks=2)
        content = content_of(version)
        kept = content.competencies[: size - 1]
        draft = load_framework(content=replace(content, edition="2", competencies=kept)).version
        client.get(url(draft, "crosswalk"))
        counts.append(
            [
                count_queries(lambda: client.get(url(draft, "crosswalk"), {"show": "all"})),  # noqa: B023
                count_queries(lambda: client.get(url(draft, "difference"))),  # noqa: B023
            ]
        )
    assert counts[0] == counts[1]
