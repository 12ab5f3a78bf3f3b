"""The pages of curated paths: as an officer composes one without script, and as a person sees it."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from competencies.enums import EvidenceKind
from courses.models import CoursePage
from courses.services import enrol
from learning import curated
from learning.models import Assignment, CuratedPath, CuratedVersion
from organisations.models import Unit, User
from tests.builders import (
    competency,
    give_evidence,
    make_course,
    make_framework,
    make_hr,
    make_person,
    make_post,
    make_unit,
    take_course,
)
from tests.learning.test_curated import have, keys, make_draft, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def unit(db: None) -> Unit:
    return make_unit("Ministry")


@pytest.fixture
def hr(unit: Unit) -> User:
    officer = make_person("Hanna")
    make_hr(officer, unit)
    return officer


@pytest.fixture
def desk(client: Client, hr: User) -> Client:
    client.force_login(hr)
    return client


@pytest.fixture
def four() -> list[CoursePage]:
    return [make_course(key=key, effort=minutes) for key, minutes in (("a", 60), ("b", 30), ("c", 20), ("d", 90))]


def words(response: Any) -> str:
    """What a page says, without its marks."""
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", unescape(text)).replace(" ,", ",").replace(" .", ".")


def test_a_path_is_composed_published_changed_and_published_again(desk, unit, hr, four):
    new = {"unit": unit.pk, "title_en": "Welcome", "title_es": "Bienvenida", "summary_en": "For new managers."}
    for _press in range(2):
        response = desk.post("/hr/paths/new/", new)
    path = CuratedPath.objects.get()
    draft_url = f"/hr/paths/{path.pk}/draft/"
    assert response["Location"] == draft_url
    assert "The path has no stages yet" in words(desk.get(draft_url))
    desk.post(draft_url, {"do": "add", "title_en": "Basics", "title_es": "Lo básico"})
    version = path.versions.get()
    stage = version.stages.get()
    stage_url = f"{draft_url}{stage.pk}/"
    assert "4 courses that are not in the path yet" in words(desk.get(stage_url))
    desk.post(stage_url, {"do": "add", "course": ["a", "b", "c"]})
    desk.post(stage_url, {"course": "c", "to": "1"})
    desk.post(stage_url, {"do": "change", "title_en": "Basics", "title_es": "Lo básico", "choose": "2"})
    assert "Choose 2 of 3 courses" in words(desk.get(draft_url))
    page = desk.get(f"/hr/paths/{path.pk}/publish/")
    assert "Nobody has this path yet" in words(page)
    assert "For somebody who begins with nothing: 50 min." in words(page)
    for _press in range(2):
        response = desk.post(f"/hr/paths/{path.pk}/publish/", {"state": page.context["state"]}, follow=True)
    assert response.redirect_chain == [(f"/hr/paths/{path.pk}/", 302)]
    assert f"/hr/assign/?kind=path&amp;curated_path={path.pk}" in response.content.decode()
    people = [make_person(), make_person()]
    have(path, *people)
    take_course(people[0], four[3])
    desk.post(f"{draft_url}begin/")
    second = path.versions.get(number=2)
    desk.post(draft_url, {"do": "add", "title_en": "More"})
    desk.post(f"{draft_url}{second.stages.last().pk}/", {"do": "add", "course": "d"})
    page = desk.get(f"/hr/paths/{path.pk}/publish/")
    said = words(page)
    assert "2 people have this path" in said
    assert "It adds 45 min for the person in the middle, 1 h 30 min at most" in said
    assert "New stage: “More”" in said and "New in “More”: “D”" in said
    desk.post(f"/hr/paths/{path.pk}/publish/", {"state": page.context["state"], "note": "Managers asked for it."})
    said = words(desk.get(f"/hr/paths/{path.pk}/"))
    assert "Version 2" in said and "Managers asked for it." in said and "Superseded" in said
    assert [v.status for v in path.versions.order_by("number")] == ["superseded", "published"]


def test_what_is_not_right_is_said_and_nothing_is_written(desk, unit, hr, four):
    version = make_draft(unit, hr, four[:2])
    draft_url = f"/hr/paths/{version.path_id}/draft/"
    stage_url = f"{draft_url}{version.stages.get().pk}/"
    before = curated.state_digest(version, curated.stages_of([version.pk])[version.pk])
    wrong = [
        ("/hr/paths/new/", {"unit": make_unit().pk, "title_en": "x"}, "This unit is not among those you serve."),
        (draft_url, {"do": "add", "title_en": ""}, "Write a title."),
        (draft_url, {"do": "words", "title_en": " "}, "Write a title."),
        (draft_url, {"do": "nonsense"}, "Press one of the buttons"),
        (draft_url, {"stage": "²", "to": "1"}, "no longer in the draft"),
        (stage_url, {"do": "add"}, "Tick at least one course"),
        (stage_url, {"do": "add", "course": "x\x00"}, "not offered any more"),
        (stage_url, {"do": "change", "title_en": "x", "choose": "²"}, "Write a whole number, or nothing."),
        (stage_url, {"do": "change", "title_en": "x", "choose": "0"}, "Write 1 or more"),
        (stage_url, {"do": "change", "title_en": "x", "choose": "9" * 30}, "does not have so many"),
        (stage_url, {"do": "change", "title_en": "x", "choose": "2"}, "has 2 courses. Choose fewer"),
        (stage_url, {"course": "nowhere", "to": "1"}, "no longer in the stage"),
        (f"/hr/paths/{version.path_id}/publish/", {"state": "old"}, "has changed since you read"),
    ]
    for url, data, sentence in wrong:
        response = desk.post(url, data)
        assert (response.status_code, sentence in words(response)) == (422, True), (url, data)
    version.refresh_from_db()
    assert version.status == "draft"
    assert curated.state_digest(version, curated.stages_of([version.pk])[version.pk]) == before


def test_a_title_that_a_colleague_has_used_is_said_beside_the_field(desk, unit, four):
    make_draft(unit, make_person(), four[:1])
    response = desk.post("/hr/paths/new/", {"unit": unit.pk, "title_en": "Welcome"})
    assert response.status_code == 422
    assert "has a path called “Welcome” already" in response.context["form"].errors["title_en"][0]


def test_courses_are_found_by_their_words_and_only_those_not_in_the_path(desk, unit, hr, four):
    make_course(key="risk", title="Governing risk")
    make_course(key="risk", title="Gobernar el riesgo", language="es")
    make_course(key="risk2", title="Risk in projects")
    version = make_draft(unit, hr, four[:1])
    url = f"/hr/paths/{version.path_id}/draft/{version.stages.get().pk}/"
    found = desk.get(f"{url}?q=risk").context["found"]
    # Which comes first is for the search of the database to say.
    assert sorted(line.title for line in found) == ["Governing risk", "Risk in projects"]
    desk.post(f"{url}?q=risk", {"do": "add", "course": "risk"})
    assert [line.key for line in desk.get(f"{url}?q=risk").context["found"]] == ["risk2"]
    assert "says these words" in words(desk.get(f"{url}?q=zebra"))


def test_paths_of_other_units_are_not_there_for_an_officer(client, unit, hr, four):
    path = publish(make_draft(unit, hr, four[:1]), hr).path
    curated.new_draft(path=path, by=hr)
    stranger, below = make_person(), make_person()
    make_hr(stranger, make_unit("Elsewhere"))
    make_hr(below, make_unit("Below", unit))
    for officer in (stranger, below):
        client.force_login(officer)
        for url in ("", "draft/", "publish/", f"draft/{path.versions.last().stages.get().pk}/"):
            assert client.get(f"/hr/paths/{path.pk}/{url}").status_code == 404
        for url in ("draft/begin/", "draft/discard/", "archive/", "publish/"):
            assert client.post(f"/hr/paths/{path.pk}/{url}").status_code == 404
    page = client.get("/hr/paths/").content.decode()  # the unit below may give it to its people
    assert f"/hr/assign/?kind=path&amp;curated_path={path.pk}" in page
    assert f'href="/hr/paths/{path.pk}/"' not in page
    client.force_login(stranger)
    assert not client.get("/hr/paths/").context["rows"]


def test_a_stage_of_another_path_is_not_found_under_this_one(desk, unit, hr, four):
    version, other = make_draft(unit, hr, four[:1]), make_draft(unit, hr, four[:1], title="Other")
    assert desk.get(f"/hr/paths/{version.path_id}/draft/{other.stages.get().pk}/").status_code == 404


def test_putting_away_is_refused_with_the_number_and_can_be_taken_back(desk, unit, hr, four):
    path = publish(make_draft(unit, hr, four[:1]), hr).path
    have(path, make_person())
    url = f"/hr/paths/{path.pk}/archive/"
    assert "1 person has this path" in words(desk.post(url, follow=True))
    Assignment.objects.update(ended_on=timezone.localdate())
    assert "This path was put away" in words(desk.post(url, follow=True))
    assert desk.get(f"/learn/curated/{path.key}/").status_code == 404
    desk.post(url, {"do": "restore"})
    assert desk.get(f"/learn/curated/{path.key}/").status_code == 200


def test_a_draft_is_discarded_from_its_page(desk, unit, hr, four):
    path = publish(make_draft(unit, hr, four[:1]), hr).path
    curated.new_draft(path=path, by=hr)
    for _press in range(2):
        assert desk.post(f"/hr/paths/{path.pk}/draft/discard/")["Location"] == f"/hr/paths/{path.pk}/"
    assert path.versions.count() == 1
    fresh = make_draft(unit, hr, title="Fresh")
    assert desk.post(f"/hr/paths/{fresh.path_id}/draft/discard/")["Location"] == "/hr/paths/"
    assert not CuratedVersion.objects.filter(pk=fresh.pk).exists()


def test_the_lists_ask_as_often_for_many_as_for_one(desk, unit, hr, four, count_queries):
    def grow(number: int) -> CuratedPath:
        path = publish(make_draft(unit, hr, four[:2], four[2:], title=f"Path {number}"), hr).path
        person = make_person()
        make_post(unit, holder=person)
        have(path, person)
        draft = curated.new_draft(path=path, by=hr)
        curated.remove_course(version=draft, stage_id=draft.stages.first().pk, key="a", by=hr)
        return path

    first = grow(0)
    pages = ["/hr/paths/", f"/hr/paths/{first.pk}/", f"/learn/curated/{first.key}/"]
    for url in pages:
        desk.get(url)
    before = [count_queries(lambda url=url: desk.get(url)) for url in pages]
    for number in range(1, 4):
        grow(number)
    for number in range(4):  # more versions and stages of the first
        draft = curated.new_draft(path=first, by=hr)
        stage = curated.add_stage(version=draft, title={"en": f"Stage {number}"}, by=hr)
        more = make_course(key=f"more-{number}")
        curated.add_courses(version=draft, stage_id=stage.pk, keys=[more.key], by=hr)
        publish(draft, hr)
    curated.new_draft(path=first, by=hr)
    assert [count_queries(lambda url=url: desk.get(url)) for url in pages] == before


# --- As a person sees it -----------------------------------------------------------------------------------------
def test_a_person_sees_what_counts_what_is_chosen_and_what_is_next(client, unit, hr, four):
    version = make_framework(codes="A")
    known = make_course(version, {"A": 2}, key="known", title="Known", effort=100)
    draft = make_draft(unit, hr, [four[0], known], four[1:])
    curated.change_stage(version=draft, stage_id=draft.stages.last().pk, title={"en": "Choice"}, choose=2, by=hr)
    path = publish(draft, hr).path
    person = make_person()
    have(path, person)
    Assignment.objects.update(due_on=timezone.localdate())
    give_evidence(person, competency(version, "A"), 3, EvidenceKind.PRIOR_LEARNING)
    enrol(person=person, course=four[2])
    client.force_login(person)
    response = client.get(f"/learn/curated/{path.key}/")
    said, seen = words(response), response.context["seen"]
    assert (seen.counted, seen.needed, seen.minutes_left) == (1, 4, 60 + 30 + 20)
    assert "counts already: you hold what it teaches" in said
    assert "1 of 4 courses" in said and "Choose 2 of 3 · 1 chosen · 0 done" in said
    assert "Due" in said
    assert seen.next_course.line.key == "a"
    take_course(person, four[0])
    take_course(person, four[1])
    assert client.get(f"/learn/curated/{path.key}/").context["seen"].next_course.line.key == "c"
    take_course(person, four[2])
    assert "You have all of this path" in words(client.get(f"/learn/curated/{path.key}/"))


def test_somebody_without_the_path_sees_it_too_without_a_date(client, unit, hr, four):
    path = publish(make_draft(unit, hr, four[:1]), hr).path
    client.force_login(make_person())
    response = client.get(f"/learn/curated/{path.key}/")
    assert response.context["seen"].assignment is None
    assert "Due" not in words(response)


def test_only_the_published_version_is_seen(client, unit, hr, four):
    draft = make_draft(unit, hr, four[:1])
    client.force_login(make_person())
    assert client.get(f"/learn/curated/{draft.path.key}/").status_code == 404
    publish(draft, hr)
    second = curated.new_draft(path=draft.path, by=hr)
    curated.add_courses(version=second, stage_id=second.stages.get().pk, keys=["b"], by=hr)
    assert client.get(f"/learn/curated/{draft.path.key}/").context["seen"].needed == 1
    publish(second, hr)
    assert client.get(f"/learn/curated/{draft.path.key}/").context["seen"].needed == 2
    assert keys(second) == [("a", "b")]


def test_a_course_that_is_gone_is_named_and_is_not_next(client, desk, unit, hr, four):
    path = publish(make_draft(unit, hr, four[:2]), hr).path
    CoursePage.objects.get(key="a").unpublish()
    seen = desk.get(f"/learn/curated/{path.key}/")
    assert "not offered at present" in words(seen)
    assert seen.context["seen"].next_course.line.key == "b"
    assert "Not offered any more" in words(desk.get(f"/hr/paths/{path.pk}/"))


def test_texts_are_read_in_the_language_of_the_reader(client, unit, hr, four):
    draft = make_draft(unit, hr, four[:1])
    curated.change_words(version=draft, title={"en": "Welcome", "es": "Bienvenida"}, summary={}, by=hr)
    path = publish(draft, hr).path
    client.force_login(make_person())
    for language, title in (("es", "Bienvenida"), ("en", "Welcome")):
        response = client.get(f"/learn/curated/{path.key}/", headers={"accept-language": language})
        assert response.context["seen"].version.title.localize(language) == title
        assert title in words(response)
