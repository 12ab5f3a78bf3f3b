"""Curated paths: drafts are changed, versions published, people who have them planned anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from wagtail.models import ModelLogEntry

from competencies.enums import EvidenceKind
from courses.models import CoursePage
from learning import curated
from learning.asking import Ask, Whom
from learning.batches import CannotBeChanged, apply_batch, start_batch
from learning.curated import NotPossible
from learning.enums import AssignmentKind, BatchStatus
from learning.models import Assignment, AssignmentBatch, AssignmentRule, CuratedPath, CuratedVersion
from organisations.models import Job, Unit, User
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

pytestmark = pytest.mark.django_db


def make_draft(unit: Unit, by: User, *stages: Sequence[CoursePage], title: str = "Welcome") -> CuratedVersion:
    version = curated.make_path(unit=unit, title={"en": title}, summary={}, by=by)
    for number, courses in enumerate(stages, start=1):
        stage = curated.add_stage(version=version, title={"en": f"Stage {number}"}, by=by)
        curated.add_courses(version=version, stage_id=stage.pk, keys=[c.key for c in courses], by=by)
    return version


def publish(version: CuratedVersion, by: User) -> CuratedVersion:
    return curated.publish_version(version=version, by=by)


def have(path: CuratedPath, *people: User) -> None:
    for person in people:
        Assignment.objects.create(person=person, kind="path", curated_path=path)


def titles(version: CuratedVersion) -> list[str]:
    return [str(stage.title) for stage in version.stages.order_by("position")]


def keys(version: CuratedVersion) -> list[tuple[str, ...]]:
    return [stage.keys for stage in curated.stages_of([version.pk])[version.pk]]


@pytest.fixture
def unit(db: None) -> Unit:
    return make_unit("Ministry")


@pytest.fixture
def hr(unit: Unit) -> User:
    officer = make_person("Hanna")
    make_hr(officer, unit)
    return officer


@pytest.fixture
def four() -> list[CoursePage]:
    return [make_course(key=key, effort=minutes) for key, minutes in (("a", 60), ("b", 30), ("c", 20), ("d", 90))]


# --- Making a draft ----------------------------------------------------------------------------------------------
def test_a_path_gets_its_key_from_its_title_and_no_two_have_the_same(unit, hr):
    first = curated.make_path(
        unit=unit, title={"en": "Welcome aboard", "es": "Te damos la bienvenida"}, summary={}, by=hr
    )
    second = curated.make_path(unit=make_unit(), title={"en": "Welcome aboard!"}, summary={}, by=hr)
    strange = curated.make_path(unit=unit, title={"en": "欢迎"}, summary={}, by=hr)
    assert [v.path.key for v in (first, second, strange)] == ["welcome-aboard", "welcome-aboard-2", "path"]
    assert first.title.data == {"en": "Welcome aboard", "es": "Te damos la bienvenida"}


def test_a_title_that_is_taken_in_the_unit_is_refused_and_a_doubled_press_is_one_path(unit, hr):
    first = make_draft(unit, hr)
    assert curated.make_path(unit=unit, title={"en": "Welcome"}, summary={}, by=hr) == first
    with pytest.raises(NotPossible, match="has a path called “Welcome” already"):
        curated.make_path(unit=unit, title={"en": "WELCOME"}, summary={}, by=make_person())
    assert CuratedPath.objects.count() == 1


def test_stages_and_courses_are_ordered_and_every_order_twice_is_the_same_order(unit, hr, four):
    version = make_draft(unit, hr, four[:3], [], [])
    first, second, third = version.stages.order_by("position")
    for _press in range(2):
        curated.move_stage(version=version, stage_id=third.pk, to=1, by=hr)
        curated.move_course(version=version, stage_id=first.pk, key="c", to=1, by=hr)
        curated.remove_course(version=version, stage_id=first.pk, key="b", by=hr)
        curated.remove_stage(version=version, stage_id=second.pk, by=hr)
        assert titles(version) == ["Stage 3", "Stage 1"]
        assert keys(version) == [(), ("c", "a")]
    for far in (-5, 99):
        curated.move_stage(version=version, stage_id=third.pk, to=far, by=hr)
    assert titles(version) == ["Stage 1", "Stage 3"]


def test_a_doubled_press_adds_one_stage_and_each_course_once(unit, hr, four):
    version = make_draft(unit, hr)
    for _press in range(2):
        stage = curated.add_stage(version=version, title={"en": "Basics"}, by=hr)
        curated.add_courses(version=version, stage_id=stage.pk, keys=["a", "b", "a"], by=hr)
    assert keys(version) == [("a", "b")]


def test_a_course_has_one_place_in_a_version_and_must_be_offered(unit, hr, four):
    version = make_draft(unit, hr, four[:1], [])
    last = version.stages.last()
    with pytest.raises(NotPossible, match="“A” stands in “Stage 1” already"):
        curated.add_courses(version=version, stage_id=last.pk, keys=["b", "a"], by=hr)
    for nonsense in ("nowhere", "\x00", "²"):
        with pytest.raises(NotPossible, match="not offered any more"):
            curated.add_courses(version=version, stage_id=last.pk, keys=["b", nonsense], by=hr)
    assert keys(version) == [("a",), ()]


def test_a_path_has_a_largest_size(unit, hr, four, monkeypatch):
    monkeypatch.setattr(curated, "MOST_STAGES", 2)
    monkeypatch.setattr(curated, "MOST_COURSES", 2)
    version = make_draft(unit, hr, four[:2], [])
    with pytest.raises(NotPossible, match="2 stages at most"):
        curated.add_stage(version=version, title={"en": "More"}, by=hr)
    with pytest.raises(NotPossible, match="2 courses at most"):
        curated.add_courses(version=version, stage_id=version.stages.last().pk, keys=["c"], by=hr)


def test_a_choice_is_of_fewer_courses_than_there_are(unit, hr, four):
    version = make_draft(unit, hr, four[:2])
    stage = version.stages.get()
    for choose in (2, 3):
        with pytest.raises(NotPossible, match=r"has 2 courses\. Choose fewer"):
            curated.change_stage(version=version, stage_id=stage.pk, title={"en": "Stage 1"}, choose=choose, by=hr)
    for _press in range(2):
        curated.change_stage(version=version, stage_id=stage.pk, title={"en": "Choice"}, choose=1, by=hr)
    [[found]] = curated.stages_of([version.pk]).values()
    assert (str(found.title), found.choose, found.needed) == ("Choice", 1, 1)


def test_a_stage_of_another_path_is_out_of_reach(unit, hr, four):
    version, other = make_draft(unit, hr, four[:1]), make_draft(unit, hr, four[:1], title="Other")
    theirs = other.stages.get()
    curated.remove_stage(version=version, stage_id=theirs.pk, by=hr)
    with pytest.raises(NotPossible, match="no longer in the draft"):
        curated.add_courses(version=version, stage_id=theirs.pk, keys=["b"], by=hr)
    assert keys(other) == [("a",)]


# --- Publishing --------------------------------------------------------------------------------------------------
def objections(version: CuratedVersion) -> list[str]:
    stages = curated.stages_of([version.pk])[version.pk]
    return curated.objections_to_publishing(version, stages, curated.shown_courses(stages, "en"))


def test_what_is_left_to_do_is_said_in_sentences(unit, hr, four):
    assert objections(make_draft(unit, hr)) == ["The path has no stages yet. Add one, with at least one course."]
    version = make_draft(unit, hr, four, [], title="Second")
    stage = version.stages.first()
    curated.change_stage(version=version, stage_id=stage.pk, title={"en": "Choice"}, choose=3, by=hr)
    curated.remove_course(version=version, stage_id=stage.pk, key="a", by=hr)
    CoursePage.objects.get(key="d").unpublish()
    assert objections(version) == [
        "“Choice” lets people choose, and asks for all of its courses. Say that all are needed.",
        "“D” is not offered any more. Take it out of “Choice”.",
        "“Stage 2” has no courses. Add one, or remove the stage.",
    ]
    curated.remove_course(version=version, stage_id=stage.pk, key="b", by=hr)
    assert objections(version)[0] == "“Choice” asks for 3 courses and has only 2."
    with pytest.raises(NotPossible, match="“D” is not offered"):
        publish(version, hr)


def test_a_prerequisite_in_a_later_stage_is_refused_naming_both(unit, hr, four):
    needs_d = make_course(key="e", requires=[four[3]])
    last = make_course(key="f", requires=[needs_d])
    version = make_draft(unit, hr, [last], [four[3]])
    sentence = "“F” requires “D” first, which comes only later, in “Stage 2”."
    assert objections(version) == [sentence]
    with pytest.raises(NotPossible, match="“F” requires “D” first"):
        publish(version, hr)
    second = version.stages.last()
    curated.move_stage(version=version, stage_id=second.pk, to=1, by=hr)
    assert objections(version) == []


def test_publishing_supersedes_the_version_before_and_never_changes_it(unit, hr, four):
    first = publish(make_draft(unit, hr, four[:2]), hr)
    draft = curated.new_draft(path=first.path, by=hr)
    assert curated.new_draft(path=first.path, by=hr) == draft
    assert (draft.number, keys(draft)) == (2, [("a", "b")])
    curated.add_courses(version=draft, stage_id=draft.stages.get().pk, keys=["c"], by=hr)
    assert curated.published_stages([first.path_id])[first.path_id][0].keys == ("a", "b")
    second = publish(draft, hr)
    first.refresh_from_db()
    assert (first.status, second.status) == ("superseded", "published")
    assert curated.published_stages([first.path_id])[first.path_id][0].keys == ("a", "b", "c")
    for frozen in (first, second):
        with pytest.raises(NotPossible, match="is published and never changes"):
            curated.add_stage(version=frozen, title={"en": "More"}, by=hr)
    assert keys(first) == [("a", "b")]


def test_a_draft_that_says_the_same_is_not_published(unit, hr, four):
    first = publish(make_draft(unit, hr, four[:2]), hr)
    draft = curated.new_draft(path=first.path, by=hr)
    with pytest.raises(NotPossible, match="nothing to publish"):
        publish(draft, hr)


def test_what_is_published_is_what_was_read(unit, hr, four):
    version = make_draft(unit, hr, four[:1])
    read = curated.state_digest(version, curated.stages_of([version.pk])[version.pk])
    curated.add_courses(version=version, stage_id=version.stages.get().pk, keys=["b"], by=hr)
    with pytest.raises(NotPossible, match="has changed since you read"):
        curated.publish_version(version=version, by=hr, seen=read)
    version.refresh_from_db()
    assert version.status == "draft"


def test_publishing_twice_is_publishing_once(unit, hr, four):
    version = make_draft(unit, hr, four[:1])
    person = make_person()
    have(version.path, person)
    for _press in range(2):
        assert publish(version, hr).status == "published"
    assert ModelLogEntry.objects.filter(action="learning.curated_publish", user=hr).count() == 1
    job = Job.objects.get(kind=curated.CURATED_JOB)
    assert (job.created_by, job.state) == (hr, "done")
    assert job.report["people"] == 1


def test_only_those_who_have_the_path_are_planned_anew(unit, hr, four):
    version = make_draft(unit, hr, four[:1])
    having, exempt, ended = (make_person() for _n in range(3))
    have(version.path, having, exempt, ended)
    Assignment.objects.filter(person=exempt).update(exempted_at=timezone.now())
    Assignment.objects.filter(person=ended).update(ended_on=timezone.localdate())
    assert list(curated.people_having(version.path_id).values_list("person_id", flat=True)) == [having.pk]


def at_once(*acts: Callable[[], Any], refusals: tuple[type[Exception], ...] = (NotPossible,)) -> list[str]:
    """What came of acts done at the same time: "done", or the sentence."""
    start, outcomes = Barrier(len(acts)), []

    def run(act: Callable[[], Any]) -> None:
        start.wait()
        try:
            act()
            outcomes.append("done")
        except refusals as error:
            outcomes.append(str(error))
        finally:
            connection.close()

    threads = [Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@pytest.mark.django_db(transaction=True)
def test_two_officers_who_publish_at_once_publish_once():
    unit, one, other = make_unit(), make_person(), make_person()
    version = make_draft(unit, one, [make_course(key="a")])
    assert at_once(*(lambda by=by: publish(version, by) for by in (one, other))) == ["done", "done"]
    assert ModelLogEntry.objects.filter(action="learning.curated_publish").count() == 1
    assert Job.objects.filter(kind=curated.CURATED_JOB).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_once_begin_one_path_and_one_draft():
    unit, hr = make_unit(), make_person()
    a = make_course(key="a")
    assert at_once(*2 * [lambda: make_draft(unit, hr, [a])]) == ["done", "done"]
    path = CuratedPath.objects.get()
    assert keys(path.versions.get()) == [("a",)]
    publish(path.versions.get(), hr)
    assert at_once(*2 * [lambda: curated.new_draft(path=path, by=hr)]) == ["done", "done"]
    assert sorted(path.versions.values_list("number", "status")) == [(1, "published"), (2, "draft")]


@pytest.mark.django_db(transaction=True)
def test_who_changes_a_draft_while_it_is_published_changes_it_before_or_not_at_all():
    unit, hr = make_unit(), make_person()
    a, b = make_course(key="a"), make_course(key="b")
    version = make_draft(unit, hr, [a])
    stage = version.stages.get().pk
    outcomes = at_once(
        lambda: publish(version, hr),
        lambda: curated.add_courses(version=version, stage_id=stage, keys=[b.key], by=hr),
    )
    frozen = any("never changes" in words for words in outcomes)
    assert "done" in outcomes
    assert keys(version) == ([("a",)] if frozen else [("a", "b")])


# --- What it does ------------------------------------------------------------------------------------------------
def test_the_effect_leaves_out_what_people_have_passed_or_hold(unit, hr):
    version = make_framework(codes="A")
    old, new = make_course(key="old", effort=60), make_course(key="new", effort=45)
    make_course(version, {"A": 2}, key="held", effort=100)
    path = make_draft(unit, hr, [old]).path
    fresh, keen, able = make_person(), make_person(), make_person()
    have(path, fresh, keen, able)
    take_course(keen, new)
    give_evidence(able, competency(version, "A"), 3, EvidenceKind.PRIOR_LEARNING)
    draft = path.versions.get()
    stage = draft.stages.get().pk
    before = curated.stages_of([draft.pk])[draft.pk]
    curated.add_courses(version=draft, stage_id=stage, keys=["new", "held"], by=hr)
    curated.remove_course(version=draft, stage_id=stage, key="old", by=hr)
    after = curated.stages_of([draft.pk])[draft.pk]
    effect = curated.effect_of(path, before, after, curated.shown_courses([*before, *after], "en"))
    # new and held for old: 145 for 60 minutes; 100 for 60; 45 for 60.
    assert (effect.people, effect.reckoned, effect.longer, effect.shorter, effect.alike) == (3, 3, 2, 1, 0)
    assert (effect.middle_added, effect.most_added) == (40, 85)


def test_the_effect_is_reckoned_for_some_and_counted_for_all(unit, hr, four, monkeypatch):
    monkeypatch.setattr(curated, "MOST_RECKONED", 2)
    version = make_draft(unit, hr, four[:1])
    have(version.path, *(make_person() for _n in range(5)))
    after = curated.stages_of([version.pk])[version.pk]
    effect = curated.effect_of(version.path, (), after, curated.shown_courses(after, "en"))
    assert (effect.people, effect.reckoned, effect.longer) == (5, 2, 2)
    nobody = make_draft(unit, hr, four[:1], title="Nobody")
    effect = curated.effect_of(nobody.path, (), after, curated.shown_courses(after, "en"))
    assert (effect.people, effect.reckoned, effect.most_added) == (0, 0, 0)


# --- Discarding, putting away ------------------------------------------------------------------------------------
def test_a_draft_that_is_discarded_leaves_the_published_version(unit, hr, four):
    first = publish(make_draft(unit, hr, four[:1]), hr)
    draft = curated.new_draft(path=first.path, by=hr)
    for _press in range(2):
        assert curated.discard_draft(version=draft, by=hr)
    assert list(first.path.versions.all()) == [first]
    with pytest.raises(NotPossible, match="somebody has discarded it"):
        curated.add_stage(version=draft, title={"en": "More"}, by=hr)
    with pytest.raises(NotPossible, match="somebody has discarded it"):
        publish(draft, hr)


def test_a_path_that_was_never_published_goes_with_its_draft(unit, hr, four):
    version = make_draft(unit, hr, four[:1])
    for _press in range(2):
        assert not curated.discard_draft(version=version, by=hr)
    assert not CuratedPath.objects.exists()


def test_a_path_is_put_away_only_when_nobody_has_it_and_no_rule_gives_it(unit, hr, four):
    path = publish(make_draft(unit, hr, four[:1]), hr).path
    have(path, make_person(), make_person())
    with pytest.raises(NotPossible, match="2 people have this path"):
        curated.archive_path(path=path, by=hr)
    Assignment.objects.update(ended_on=timezone.localdate())
    rule = AssignmentRule.objects.create(
        title="All",
        unit=unit,
        kind="path",
        curated_path=path,
        on_leaving="keep",
        created_by=hr,
        started_at=timezone.now(),
    )
    with pytest.raises(NotPossible, match="1 rule gives"):
        curated.archive_path(path=path, by=hr)
    AssignmentRule.objects.filter(pk=rule.pk).update(stopped_at=timezone.now())
    for _press in range(2):
        path = curated.archive_path(path=path, by=hr)
    with pytest.raises(NotPossible, match="was put away"):
        curated.new_draft(path=path, by=hr)
    for _press in range(2):
        path = curated.restore_path(path=path, by=hr)
    assert path.archived_at is None
    for action in ("learning.curated_archive", "learning.curated_restore"):
        assert ModelLogEntry.objects.filter(action=action, user=hr).count() == 1


def dry_run_of(path: CuratedPath, officer: User, unit: Unit) -> AssignmentBatch:
    ask = Ask(AssignmentKind.PATH, Whom(unit_ids=(unit.pk,)), curated_path_id=path.pk)
    return start_batch(officer=officer, ask=ask, token="t")


def test_a_path_that_is_being_assigned_is_not_put_away(unit, hr, four):
    make_post(unit, holder=make_person())
    path = publish(make_draft(unit, hr, four[:1]), hr).path
    batch = dry_run_of(path, hr, unit)
    for status in (BatchStatus.APPLYING, BatchStatus.UNDOING):
        AssignmentBatch.objects.filter(pk=batch.pk).update(status=status)
        with pytest.raises(NotPossible, match="being assigned"):
            curated.archive_path(path=path, by=hr)
    AssignmentBatch.objects.filter(pk=batch.pk).update(status=BatchStatus.READY)
    curated.archive_path(path=path, by=hr)
    with pytest.raises(CannotBeChanged, match="was put away"):
        apply_batch(batch=batch, by=hr)
    assert not Assignment.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_put_away_and_assigned_at_once_a_path_is_one_of_the_two():
    unit, hr = make_unit(), make_person()
    make_post(unit, holder=make_person())
    make_hr(hr, unit)
    path = publish(make_draft(unit, hr, [make_course(key="a")]), hr).path
    batch = dry_run_of(path, hr, unit)
    outcomes = at_once(
        lambda: curated.archive_path(path=path, by=hr),
        lambda: apply_batch(batch=batch, by=hr),
        refusals=(NotPossible, CannotBeChanged),
    )
    path.refresh_from_db()
    assert outcomes.count("done") == 1
    assert Assignment.objects.current().filter(curated_path=path).exists() is (path.archived_at is None)


# --- Reading -----------------------------------------------------------------------------------------------------
def test_an_officer_works_with_paths_of_her_units_and_published_ones_of_the_units_above(unit, hr, four):
    below, beside = make_unit("Below", unit), make_unit("Beside")
    deep = make_person()
    make_hr(deep, below)
    above = publish(make_draft(unit, hr, four[:1]), hr).path
    make_draft(unit, hr, four[:1], title="Only a draft")
    own = make_draft(below, deep, four[:1]).path
    publish(make_draft(beside, hr, four[:1]), hr)
    assert [(path.pk, path.is_hers) for path in curated.paths_open_to(deep)] == [(above.pk, False), (own.pk, True)]
    assert list(curated.paths_edited_by(deep)) == [own]
    assert {path.pk for path in curated.paths_edited_by(hr)} >= {above.pk, own.pk}
    curated.restore_path(path=above, by=hr)
    curated.archive_path(path=above, by=hr)
    assert [path.pk for path in curated.paths_open_to(deep)] == [own.pk]


def test_how_far_people_are_is_the_middle_of_those_the_officer_serves(unit, hr, four):
    path = publish(make_draft(unit, hr, four), hr).path
    people = [make_person() for _n in range(4)]
    for person, done in zip(people, (0, 1, 3, 4), strict=True):
        make_post(unit if person != people[3] else make_unit(), holder=person)
        for course in four[:done]:
            take_course(person, course)
    have(path, *people)
    assert curated.spread_for(hr, [path.pk])[path.pk] == curated.Spread(3, 25)
    empty = publish(make_draft(unit, hr, four, title="Empty"), hr).path
    assert curated.spread_for(hr, [empty.pk]) == {empty.pk: curated.Spread(0, None)}


def test_reading_many_paths_asks_as_often_as_reading_one(unit, hr, four, count_queries):
    ids = []
    for number in range(4):
        path = publish(make_draft(unit, hr, four[:2], four[2:], title=f"Path {number}"), hr).path
        have(path, make_person())
        ids.append(path.pk)

    def read(path_ids: list[int]) -> int:
        return count_queries(lambda: (curated.published_stages(path_ids), curated.spread_for(hr, path_ids)))

    assert count_queries(lambda: curated.published_stages(ids)) == 2
    assert read(ids[:1]) == read(ids)
    assert curated.published_stages([]) == {}
    assert set(curated.published_stages([*ids, 0])) == set(ids)
