"""What publishing an edition does is measured before, promised to the reader, and then just that happens."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from competencies.enums import FrameworkStatus
from competencies.lifecycle import confirm_certain, decide_succession, propose_crosswalk, publish_version
from competencies.loading import content_of, load_framework
from competencies.models import FrameworkVersion, PostRole, RoleProfile, VersionIsFrozen
from competencies.perms import STEWARDS
from competencies.selectors import standing_of
from learning.enums import PlanReason
from learning.framework_impact import IMPACT_JOB, measure_impact
from learning.models import PathPlan
from learning.selectors import path_of
from learning.services import assign_batch, replan
from organisations.models import Job
from tests.builders import (
    competency,
    give_evidence,
    make_course,
    make_framework,
    make_hr,
    make_person,
    make_post,
    make_profile,
    make_unit,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def steward(client):
    person = make_person("Stella Steward")
    person.groups.add(Group.objects.get(name=STEWARDS))
    client.force_login(person)
    return person


@pytest.fixture
def house():
    """A role that needs A at 2 and B at 1, two people who have it, courses for A up to 3 and for B."""
    version = make_framework("house", codes="ABC")
    profile = make_profile(version, {"A": 2, "B": 1}, title="Officer of data")
    unit = make_unit()
    ana, bo = make_person("Ana"), make_person("Bo")
    for person in (ana, bo):
        make_post(unit, holder=person, roles=[profile])
    make_course(version, {"A": 2}, key="a-two", effort=60)
    make_course(version, {"A": 3}, key="a-three", effort=100)
    make_course(version, {"B": 1}, key="b-one", effort=30)
    give_evidence(ana, competency(version, "A"), 2)
    for person in (ana, bo):
        replan(person=person, reason=PlanReason.ROLE)
    return {"version": version, "profile": profile, "ana": ana, "bo": bo, "unit": unit}


def next_edition(version, steward, **changes):
    """A draft whose role asks for A at 3 and no longer for B, which is withdrawn."""
    content = content_of(version)
    [role] = content.roles
    [profile] = role.profiles
    first = next(r for r in profile.requirements if r.competency == "A")
    roles = (replace(role, profiles=(replace(profile, requirements=(replace(first, level=3),)),)),)
    competencies = tuple(c for c in content.competencies if c.code != "B")
    draft = load_framework(content=replace(content, edition="2", roles=roles, competencies=competencies)).version
    draft = propose_crosswalk(version=draft)
    confirm_certain(version=draft, by=steward)
    for line in draft.competency_successions.filter(new=None):
        decide_succession(line=line, successor=None, by=steward)
    return draft


def figures(draft):
    return measure_impact(draft, day=timezone.localdate(), progress=lambda done, total: None)


def test_the_report_says_who_is_affected_and_how(house, steward):
    report = figures(next_edition(house["version"], steward))
    assert (report["people"], report["changed"]) == (2, 2)
    assert (report["paths_changed"], report["more_missing"], report["less_missing"]) == (2, 0, 0)
    by_person = {row[0]: row for row in report["rows"]}
    # Ana held A at 2: one of two requirements before, none of one afterwards; her path gets the longer course.
    assert by_person[house["ana"].pk][1:] == [[1, 2, 1, 30, 1], [0, 1, 1, 100, 1], ["a-three"], ["b-one"]]
    assert by_person[house["bo"].pk][1:] == [[0, 2, 2, 90, 3], [0, 1, 1, 100, 3], ["a-three"], ["a-two", "b-one"]]
    assert (report["minutes_before"], report["minutes_after"]) == (120, 200)


def test_what_was_measured_is_what_happens(house, steward):
    draft = next_edition(house["version"], steward)
    report = figures(draft)
    publish_version(version=draft, by=steward, seen=report["state"])
    for row in report["rows"]:
        person = house["ana"] if row[0] == house["ana"].pk else house["bo"]
        standing = standing_of(person)
        plan = path_of(person).plan
        assert plan.reason == PlanReason.FRAMEWORK
        assert [standing.met, standing.total, plan.steps.count(), plan.effort_minutes] == row[2][:4]
    house["version"].refresh_from_db()
    assert house["version"].status == FrameworkStatus.SUPERSEDED
    assert PostRole.objects.filter(profile=house["profile"]).count() == 2  # nothing was moved


def test_measuring_writes_nothing(house, steward):
    draft = next_edition(house["version"], steward)
    before = list(PathPlan.objects.values_list("pk", flat=True))
    standing = standing_of(house["ana"])
    figures(draft)
    assert list(PathPlan.objects.values_list("pk", flat=True)) == before
    assert standing_of(house["ana"]) == standing


def test_withdrawn_competencies_name_the_people_and_courses_they_touch(house, steward):
    b = competency(house["version"], "B")
    give_evidence(house["bo"], b, 1)
    report = figures(next_edition(house["version"], steward))
    assert report["evidence_withdrawn"] == [[b.pk, 1]]
    [[_course, ids]] = report["courses"]
    assert ids == [b.pk]
    assert report["roles_withdrawn"] == []


def test_a_withdrawn_role_goes_on_counting_and_is_named(client, house, steward):
    version = house["version"]
    content = content_of(version)
    draft = propose_crosswalk(version=load_framework(content=replace(content, edition="2", roles=())).version)
    confirm_certain(version=draft, by=steward)
    for line in draft.profile_successions.filter(new=None):
        decide_succession(line=line, successor=None, by=steward)
    report = figures(draft)
    assert report["roles_withdrawn"] == [[house["profile"].pk, 2]]
    page = client.get(f"/frameworks/desk/{draft.pk}/publish/").content.decode()
    assert "They go on counting as they are until HR ends or replaces them on the person’s page." in page
    publish_version(version=draft, by=steward)
    assert standing_of(house["ana"]).total == 2


def test_measuring_asks_as_many_queries_for_many_people_as_for_few(house, steward, count_queries):
    draft = next_edition(house["version"], steward)
    few = count_queries(lambda: figures(draft))
    for _n in range(12):
        make_post(house["unit"], holder=make_person(), roles=[house["profile"]])
    assert count_queries(lambda: figures(draft)) == few


# --- The page ----------------------------------------------------------------------------------------------------
def publish_url(draft):
    return f"/frameworks/desk/{draft.pk}/publish/"


def test_a_steward_reads_what_it_does_and_publishes_just_that(house, steward, client):
    make_hr(steward, house["unit"])  # she may see these people
    draft = next_edition(house["version"], steward)
    page = client.get(publish_url(draft))
    text = page.content.decode()
    assert "Ana" in text
    assert "Bo" in text
    assert "0 of 1" in text
    state = page.context["report"]["state"]
    response = client.post(publish_url(draft), {"state": state})
    assert response["Location"] == f"/frameworks/desk/{draft.pk}/"
    draft.refresh_from_db()
    assert draft.status == FrameworkStatus.PUBLISHED
    assert client.post(publish_url(draft), {"state": state}).status_code == 302  # pressed twice
    assert FrameworkVersion.objects.published().filter(framework=draft.framework).count() == 1


def test_people_the_steward_may_not_see_are_counted_and_not_named(house, steward, client):
    draft = next_edition(house["version"], steward)
    page = client.get(publish_url(draft))
    assert "Ana" not in page.content.decode()
    assert page.context["unnamed"] == 2


def test_a_draft_that_has_changed_since_is_not_published(house, steward, client):
    draft = next_edition(house["version"], steward)
    state = client.get(publish_url(draft)).context["report"]["state"]
    changed = draft.competencies.get(code="C")
    changed.title = {"en": "Something else"}
    changed.save()
    page = client.post(publish_url(draft), {"state": state}, follow=True)
    assert "The draft has changed since you read" in page.content.decode()
    draft.refresh_from_db()
    assert draft.status == FrameworkStatus.DRAFT


def test_what_is_left_to_do_is_said_and_there_is_no_button(house, steward, client):
    content = content_of(house["version"])
    draft = load_framework(content=replace(content, edition="2", competencies=content.competencies[:2])).version
    page = client.get(publish_url(draft))
    assert page.context["job"] is None
    assert "lines of the crosswalk are not decided yet" in page.content.decode()
    assert not Job.objects.filter(kind=IMPACT_JOB).exists()


def test_reading_twice_asks_for_one_job(house, steward, client):
    draft = next_edition(house["version"], steward)
    for _n in range(2):
        client.get(publish_url(draft))
    assert Job.objects.filter(kind=IMPACT_JOB).count() == 1


def test_the_page_asks_as_many_queries_for_many_people_as_for_few(house, steward, client, count_queries):
    make_hr(steward, house["unit"])
    draft = next_edition(house["version"], steward)
    client.get(publish_url(draft))
    few = count_queries(lambda: client.get(publish_url(draft)))
    for _n in range(12):
        make_post(house["unit"], holder=make_person(), roles=[house["profile"]])
    Job.objects.filter(kind=IMPACT_JOB).delete()
    client.get(publish_url(draft))
    assert count_queries(lambda: client.get(publish_url(draft))) == few


def test_who_has_a_role_from_an_earlier_edition_is_not_given_it_twice(house, steward):
    ana, profile = house["ana"], house["profile"]
    assign = {"person_ids": [ana.pk], "due_on": None, "by": None, "job": None, "at": timezone.now()}
    assert assign_batch(profile=profile, **assign) == {ana.pk: "assigned"}
    draft = next_edition(house["version"], steward)
    publish_version(version=draft, by=steward, at=timezone.now())
    successor = RoleProfile.objects.get(role__version=draft)
    assert assign_batch(profile=successor, **assign) == {ana.pk: "held"}


def test_a_published_edition_cannot_be_deleted(house):
    with pytest.raises(VersionIsFrozen):
        house["version"].delete()
