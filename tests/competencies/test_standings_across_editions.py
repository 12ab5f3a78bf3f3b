"""Where people stand when editions follow each other, local frameworks add to them, and roles ask in degrees."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from competencies.alignments import align
from competencies.enums import EvidenceKind, LinkRelation, Necessity
from competencies.importers.content import (
    CompetencyContent,
    LevelContent,
    ProfileContent,
    RequirementContent,
    RoleContent,
)
from competencies.levels import disagreement
from competencies.lifecycle import publish_version, supposing_published
from competencies.models import Evidence, RoleAssignment
from competencies.selectors import (
    Supposing,
    explained_level,
    holders_of_version,
    profiles_by_person,
    standing_of,
    standings_of,
    successors_of,
)
from competencies.services import assign_role
from courses.selectors import offered_courses
from tests.builders import (
    competency,
    give_evidence,
    make_course,
    make_framework,
    make_person,
    make_post,
    make_profile,
    make_unit,
)
from tests.competencies.editions import (
    altered,
    competency_of,
    confirm_all,
    load,
    profile_of,
    publish,
    require,
    small_content,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def steward():
    return make_person("Steward")


@pytest.fixture
def first():
    return load(small_content())


@pytest.fixture
def ana():
    return make_person("Ana")


def give_role(person, version, code):
    assign_role(person=person, profile=profile_of(version, code), by=None, starts_on=timezone.localdate())


def next_edition(steward, edition="2", **changes):
    return publish(load(altered(small_content(), edition, **changes)), steward)


def lines(person) -> dict[str, tuple[int | None, int]]:
    """By title of the competency: what is required and what is held."""
    return {str(line.competency): (line.required.rank, line.level.rank) for line in standing_of(person).lines}


# --- Editions ----------------------------------------------------------------------------------------------------
def test_who_has_a_role_has_its_successor_and_her_evidence_counts_there(first, ana, steward):
    make_post(make_unit(), holder=ana, roles=[profile_of(first, "senior-clerk")])
    give_evidence(ana, competency_of(first, "A"), 3)
    content = require(
        altered(small_content(), A={"code": "A9", "title": {"en": "Counting well"}}),
        "senior-clerk",
        RequirementContent("A9", 4),
        RequirementContent("B", None),
    )
    second = publish(load(content), steward)
    assert [profile.pk for profile in standing_of(ana).profiles] == [profile_of(second, "senior-clerk").pk]
    assert lines(ana) == {"Counting well": (4, 3), "Asking": (None, 0)}
    explained = explained_level(ana, competency_of(second, "A9"))
    assert explained.via == {competency_of(first, "A").pk: competency_of(first, "A")}
    assert explained.required.rank == 4


def test_over_three_editions_and_back_in_sight(first, ana, steward):
    give_role(ana, first, "senior-clerk")
    give_evidence(ana, competency_of(first, "A"), 2)
    second = next_edition(steward, "2", A={"title": {"en": "Counting 2"}})
    give_evidence(ana, competency_of(second, "A"), 3)
    third = next_edition(steward, "3", A={"title": {"en": "Counting 3"}})
    assert lines(ana)["Counting 3"] == (3, 3)
    assert successors_of([profile_of(v, "senior-clerk").pk for v in (first, second, third)]) == {
        profile_of(v, "senior-clerk").pk: profile_of(third, "senior-clerk").pk for v in (first, second, third)
    }
    for version in (first, second, third):  # what was recorded is read in every edition
        assert explained_level(ana, competency_of(version, "A")).level.rank == 3


def test_who_has_the_role_in_two_editions_has_it_once(first, ana, steward):
    give_role(ana, first, "junior-clerk")
    second = next_edition(steward, B={"title": {"en": "Asking well"}})
    give_role(ana, second, "junior-clerk")
    assert profiles_by_person([ana.pk], timezone.localdate()) == {ana.pk: [profile_of(second, "junior-clerk").pk]}


def test_a_withdrawn_role_goes_on_in_terms_of_the_edition_in_force(first, ana, steward):
    give_role(ana, first, "junior-clerk")
    role = small_content().roles[0]
    content = replace(
        altered(small_content(), A={"code": "A9", "title": {"en": "Counting well"}}, C=None),
        roles=(
            replace(role, profiles=(ProfileContent("senior-clerk", {"en": "Senior"}),)),
            RoleContent("sailor", {"en": "Sailor"}, profiles=(ProfileContent("sailor", {"en": "Sailor"}),)),
        ),
    )
    second = publish(load(content), steward)
    assert [profile.pk for profile in standing_of(ana).profiles] == [profile_of(first, "junior-clerk").pk]
    assert lines(ana) == {"Counting well": (2, 0), "Telex": (1, 0)}
    course = make_course(second, {"A9": 2}, key="counting")
    assert dict(offered_courses()[course.key].outcomes).keys() & {g.competency_id for g in standing_of(ana).gaps}


def test_evidence_for_what_was_withdrawn_is_still_read(first, ana, steward):
    telex = competency_of(first, "C")
    give_evidence(ana, telex, 2)
    next_edition(steward, C=None)
    assert explained_level(ana, telex).level.rank == 2
    assert standing_of(ana).held == {telex.pk: 2}


def test_what_nobody_requires_counts_in_the_edition_in_force_as_well(first, ana, steward):
    give_evidence(ana, competency_of(first, "A"), 2)
    second = next_edition(steward, A={"title": {"en": "Counting well"}})
    assert standing_of(ana).held == {competency_of(first, "A").pk: 2, competency_of(second, "A").pk: 2}


def test_an_edition_with_fewer_levels_counts_what_both_call_the_same(first, ana, steward):
    give_role(ana, first, "senior-clerk")
    give_evidence(ana, competency_of(first, "A"), 4)
    content = altered(small_content(), A={"descriptors": ()})
    levels = (LevelContent(1, {"en": "Working"}), LevelContent(2, {"en": "Expert"}))
    content = replace(require(content, "senior-clerk", RequirementContent("A", 2)), levels=levels)
    content = require(content, "junior-clerk", RequirementContent("A", 1))
    publish(load(content), steward)
    assert lines(ana) == {"Counting": (2, 2)}


def test_the_least_that_a_level_shows_attains_it_and_says_nothing_against_anybody(first, ana, steward):
    """On a scale that calls nothing alike a manager's 4 shows 1; it is not a manager who says 1."""
    give_role(ana, first, "senior-clerk")
    a = competency_of(first, "A")
    for kind in (EvidenceKind.MANAGER, EvidenceKind.SELF, EvidenceKind.COURSE):
        give_evidence(ana, a, 4, kind, days_ago=5)
    failed = give_evidence(ana, a, 4, EvidenceKind.QUIZ, days_ago=4)
    Evidence._base_manager.filter(pk=failed.pk).update(passed=False)
    content = altered(small_content(), A={"descriptors": ()})
    levels = tuple(LevelContent(n, {"en": f"Grade {n}"}) for n in (1, 2, 3))
    content = replace(require(content, "senior-clerk", RequirementContent("A", 3)), levels=levels)
    second = publish(load(require(content, "junior-clerk", RequirementContent("A", 1))), steward)
    give_evidence(ana, competency_of(second, "A"), 3, days_ago=9)
    explained = explained_level(ana, competency_of(second, "A"))
    assert (explained.level.rank, explained.level.declared) == (3, None)
    taken = {j.item.kind: (j.item.rank, j.item.carried) for j in explained.level.judged}
    assert taken == {
        EvidenceKind.PRIOR_LEARNING: (3, False),
        EvidenceKind.MANAGER: (1, True),
        EvidenceKind.COURSE: (1, True),
    }
    assert disagreement(explained.level, as_of=timezone.localdate()) is None
    assert len(explained.contributions) == 1
    # Where it is all there is, it attains what it shows.
    Evidence._base_manager.filter(competency=competency_of(second, "A")).delete()
    assert explained_level(ana, competency_of(second, "A")).level.rank == 1


def test_supposing_is_what_publishing_brings(first, ana, steward):
    give_role(ana, first, "senior-clerk")
    give_evidence(ana, competency_of(first, "A"), 3)
    make_course(first, {"A": 4}, key="counting")
    content = altered(small_content(), A={"code": "A9", "title": {"en": "Counting well"}})
    draft = load(require(content, "senior-clerk", RequirementContent("A9", 4), RequirementContent("B", 2)))
    confirm_all(draft, steward)
    today = standing_of(ana)
    supposing = supposing_published(draft)
    supposed = standings_of([ana.pk], supposing=supposing)[ana.pk]
    offered = offered_courses(supposing)["counting"]
    assert standing_of(ana) == today
    assert standings_of([ana.pk], supposing=Supposing())[ana.pk] == today
    publish_version(version=draft, by=steward)
    real = standing_of(ana)
    assert (supposed.profiles, supposed.lines) == (real.profiles, real.lines)
    goal = competency_of(draft, "A9").pk
    assert dict(offered.outcomes)[goal] == dict(offered_courses()["counting"].outcomes)[goal] == 4


def test_the_two_ways_to_a_level_agree(first, ana, steward):
    house = make_framework("house", codes="H")
    for version, code, rank, days in ((first, "A", 2, 300), (first, "B", 4, 20)):
        give_evidence(ana, competency_of(version, code), rank, days_ago=days)
    second = next_edition(steward, A={"title": {"en": "Counting well"}})
    give_evidence(ana, competency(house, "H"), 5)
    align(
        origin=competency(house, "H"),
        target=competency_of(second, "A"),
        relation=LinkRelation.EXACT,
        by=steward,
        rank_map={5: 3},
    )
    give_role(ana, first, "senior-clerk")
    give_role(ana, second, "junior-clerk")
    for day in (timezone.localdate(), timezone.localdate() + timedelta(days=900)):
        for line in standing_of(ana, as_of=day).lines:
            assert explained_level(ana, line.competency, as_of=day).level == line.level
    assert lines(ana) == {"Counting well": (3, 3), "Asking": (None, 4), "Telex": (1, 0)}


# --- Courses -----------------------------------------------------------------------------------------------------
def test_a_course_of_the_edition_before_leads_to_the_one_in_force(first, steward):
    make_course(first, {"A": 3, "C": 1}, key="counting")
    second = next_edition(steward, A={"title": {"en": "Counting well"}}, C=None)
    course = offered_courses()["counting"]
    old, new, telex = (competency_of(first, "A").pk, competency_of(second, "A").pk, competency_of(first, "C").pk)
    assert dict(course.outcomes) == {old: 3, new: 3, telex: 1}
    assert course.ways == (((old, 3), (new, 3)), ((telex, 1),))
    assert course.is_held({new: 3, telex: 1})
    assert not course.is_held({new: 3})
    assert not course.is_held({old: 2, new: 2, telex: 1})


def test_a_course_leads_to_what_is_aligned_exactly(first, steward):
    house = make_framework("house", codes="AB")
    a, n = competency(house, "A"), competency_of(first, "A")
    make_course(house, {"A": 3, "B": 2}, key="counting")
    align(origin=a, target=n, relation=LinkRelation.EXACT, by=steward, rank_map={2: 1, 3: 2})
    align(origin=competency(house, "B"), target=competency_of(first, "B"), relation=LinkRelation.BROADER, by=steward)
    assert dict(offered_courses()["counting"].outcomes) == {a.pk: 3, competency(house, "B").pk: 2, n.pk: 2}


def test_a_level_that_shows_nothing_there_makes_nobody_hold_the_course(first, steward):
    house = make_framework("house", codes="A")
    make_course(house, {"A": 1}, key="counting")
    align(
        origin=competency(house, "A"),
        target=competency_of(first, "A"),
        relation=LinkRelation.EXACT,
        by=steward,
        rank_map={3: 2},
    )
    course = offered_courses()["counting"]
    assert course.outcomes == ((competency(house, "A").pk, 1),)
    assert not course.is_held({})


# --- Local frameworks --------------------------------------------------------------------------------------------
def local_content(**change):
    return small_content(
        "ours",
        areas=(),
        families=(),
        competencies=(CompetencyContent("L1", {"en": "Local law"}),),
        roles=(
            RoleContent(
                "registrar",
                {"en": "Registrar"},
                profiles=(
                    ProfileContent(
                        "registrar",
                        requirements=(RequirementContent("L1", 2), RequirementContent("A", 3)),
                        builds_on="junior-clerk",
                    ),
                ),
            ),
        ),
        links=(),
        extends=("national", "1"),
        **change,
    )


def test_a_local_role_asks_for_its_own_and_for_what_it_builds_on(first, ana):
    ours = load(local_content())
    give_role(ana, ours, "registrar")
    standing = standing_of(ana)
    assert [profile.pk for profile in standing.profiles] == [profile_of(ours, "registrar").pk]
    assert lines(ana) == {"Local law": (2, 0), "Counting": (3, 0), "Telex": (1, 0)}
    assert {line.required.profiles for line in standing.lines} == {(profile_of(ours, "registrar").pk,)}


def test_who_has_only_the_national_role_knows_nothing_of_the_local_one(first, ana):
    load(local_content())
    give_role(ana, first, "junior-clerk")
    assert lines(ana) == {"Counting": (2, 0), "Telex": (1, 0)}


def test_a_local_role_follows_the_national_edition(first, ana, steward):
    ours = load(local_content())
    give_role(ana, ours, "registrar")
    give_evidence(ana, competency_of(first, "A"), 2)
    content = altered(small_content(), A={"code": "A9", "title": {"en": "Counting well"}}, C=None)
    second = publish(load(require(content, "junior-clerk", RequirementContent("A9", 4))), steward)
    # One line for counting: what the local role asks of the old edition and its base of the new one is the same.
    assert lines(ana) == {"Local law": (2, 0), "Counting well": (4, 2)}
    assert holders_of_version(second, timezone.localdate()) == [ana.pk]


def test_a_draft_of_the_national_framework_supposes_the_same_for_local_roles(first, ana, steward):
    ours = load(local_content())
    give_role(ana, ours, "registrar")
    content = altered(small_content(), A={"code": "A9", "title": {"en": "Counting well"}}, C=None)
    draft = load(require(content, "junior-clerk", RequirementContent("A9", 4)))
    confirm_all(draft, steward)
    supposed = standings_of([ana.pk], supposing=supposing_published(draft))[ana.pk]
    publish_version(version=draft, by=steward)
    assert supposed.lines == standing_of(ana).lines


# --- Necessity ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("necessity", [Necessity.OPTIONAL, Necessity.UNCERTAIN])
def test_what_is_not_required_makes_no_gap(ana, necessity):
    version = load(
        require(
            small_content(),
            "senior-clerk",
            RequirementContent("A", 3),
            RequirementContent("B", 4, 5, necessity=necessity.value),
        )
    )
    give_role(ana, version, "senior-clerk")
    assert lines(ana) == {"Counting": (3, 0)}
    assert explained_level(ana, competency_of(version, "B")).required is None


def test_a_role_that_only_wishes_is_still_a_role(ana):
    version = load(require(small_content(), "senior-clerk", RequirementContent("A", 3, necessity="optional")))
    give_role(ana, version, "senior-clerk")
    standing = standing_of(ana)
    assert ([p.pk for p in standing.profiles], standing.total, standing.pct) == (
        [profile_of(version, "senior-clerk").pk],
        0,
        100,
    )


# --- Queries -----------------------------------------------------------------------------------------------------
def test_fifty_people_over_editions_extensions_and_alignments_take_as_many_queries_as_one(
    first, steward, count_queries
):
    ours = load(local_content())
    house = make_framework("house", codes="H")
    people = [make_person() for _ in range(50)]
    profiles = [profile_of(first, "senior-clerk"), profile_of(ours, "registrar"), make_profile(house, {})]
    for person in people:
        RoleAssignment.objects.bulk_create(
            RoleAssignment(person=person, profile=profile, starts_on=timezone.localdate()) for profile in profiles
        )
        give_evidence(person, competency_of(first, "A"), 2)
        give_evidence(person, competency(house, "H"), 3)
    draft_of = altered(small_content(), A={"code": "A9", "title": {"en": "Counting well"}})
    second = publish(load(draft_of), steward)
    align(origin=competency(house, "H"), target=competency_of(second, "A9"), relation=LinkRelation.EXACT, by=steward)
    ids = [person.pk for person in people]
    one = count_queries(lambda: standings_of(ids[:1]))
    assert count_queries(lambda: standings_of(ids)) == one <= 13
    assert all(standing.total == 4 for standing in standings_of(ids).values())


def test_the_offer_takes_as_many_queries_for_many_courses_as_for_few(first, steward, count_queries):
    make_course(first, {"A": 2}, key="one")
    next_edition(steward, A={"title": {"en": "Counting well"}})
    one = count_queries(offered_courses)
    for n in range(12):
        make_course(first, {"A": 2, "B": 3}, key=f"more-{n}")
    assert count_queries(offered_courses) == one
