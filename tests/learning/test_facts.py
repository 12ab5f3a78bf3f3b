"""What is known of people on a day: by post, by assignment, through vacant posts, in whatever edition."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone

from competencies.enums import EvidenceKind
from competencies.models import RoleAssignment
from learning.conditions import (
    AllOf,
    HasGrade,
    HasLanguage,
    HasManager,
    HasRole,
    HasTag,
    HoldsLevel,
    InUnit,
    Mentions,
    Started,
    mentions,
)
from learning.facts import facts_of
from organisations.models import PersonTag, User
from tests.builders import (
    LONG_AGO,
    appoint,
    competency,
    give_evidence,
    make_framework,
    make_person,
    make_post,
    make_profile,
    make_unit,
    many_people,
)

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate()


def test_facts_tell_posts_roles_grades_tags_language_manager_start_and_level_of_a_day():
    version = make_framework(codes="AB")
    by_post, given = make_profile(version, {"A": 3}), make_profile(version, {"B": 1})
    unit = make_unit()
    boss, person = make_person(), make_person(language="es")
    chair = make_post(unit, holder=boss)
    vacant = make_post(unit, reports_to=chair)
    post = make_post(unit, holder=person, reports_to=vacant, roles=[by_post])
    post.grade = "A2"
    post.save()
    RoleAssignment.objects.create(person=person, profile=given, starts_on=TODAY)
    PersonTag.objects.create(person=person, name="new manager")
    a, b = competency(version, "A"), competency(version, "B")
    give_evidence(person, a, 2, EvidenceKind.MANAGER, by=boss)
    about = mentions(
        AllOf(
            (
                InUnit(unit.pk, unit.path, True),
                HasRole(str(by_post.lineage)),
                HasRole(str(given.lineage)),
                HasGrade("A2"),
                HasLanguage("es"),
                Started(days_ago_at_least=1),
                HasManager(boss.pk),
                HasTag("new manager"),
                HoldsLevel(str(a.lineage), at_least=2),
                HoldsLevel(str(b.lineage), at_least=2),
            )
        )
    )
    facts = facts_of([person.pk], TODAY, about)[person.pk]
    assert facts.unit_paths == {unit.path} and facts.unit_ids == {unit.pk}
    assert facts.roles == {str(by_post.lineage), str(given.lineage)}
    assert (facts.grades, facts.language, facts.started_on) == ({"A2"}, "es", LONG_AGO)
    assert facts.manager_ids == {boss.pk}
    assert facts.tags == {"new manager"}
    assert facts.held == {str(a.lineage): 2}


def test_of_several_posts_the_one_she_came_to_last_says_when_somebody_started():
    person, unit = make_person(), make_unit()
    appoint(person, make_post(unit), starts_on=date(2024, 3, 1))
    appoint(person, make_post(unit), starts_on=date(2025, 3, 1))
    appoint(person, make_post(unit), starts_on=date(2020, 1, 1), ends_on=date(2021, 1, 1))
    assert facts_of([person.pk], TODAY, Mentions(by_start=True))[person.pk].started_on == date(2025, 3, 1)


def test_what_has_ended_or_is_yet_to_come_is_no_fact_of_the_day():
    version = make_framework(codes="A")
    profile, person, unit = make_profile(version, {"A": 3}), make_person(), make_unit()
    appoint(person, make_post(unit, roles=[profile]), ends_on=TODAY)
    appoint(person, make_post(unit), starts_on=TODAY + timedelta(days=1))
    RoleAssignment.objects.create(person=person, profile=profile, starts_on=LONG_AGO, ends_on=TODAY)
    about = Mentions(units=frozenset({unit.pk}), roles=frozenset({str(profile.lineage)}), by_start=True)
    facts = facts_of([person.pk], TODAY, about)[person.pk]
    assert not facts.unit_ids and not facts.roles and facts.started_on is None


def test_a_level_that_lapsed_is_not_held():
    version = make_framework(codes="A")
    person, a = make_person(), competency(version, "A")
    give_evidence(person, a, 2, EvidenceKind.MANAGER, by=make_person())
    about = Mentions(competencies=frozenset({str(a.lineage)}))
    assert facts_of([person.pk], TODAY, about)[person.pk].held == {str(a.lineage): 2}
    assert facts_of([person.pk], TODAY + timedelta(days=365 * 30), about)[person.pk].held == {}


def test_what_is_not_mentioned_is_not_read(count_queries):
    people = [make_person().pk for _ in range(3)]
    assert count_queries(lambda: facts_of(people, TODAY, Mentions())) == 0
    assert count_queries(lambda: facts_of(people, TODAY, Mentions(tags=frozenset({"x"})))) == 1


def test_facts_of_200_people_take_as_many_queries_as_of_10(count_queries):
    version = make_framework(codes="A")
    profile, unit, a = make_profile(version, {"A": 3}), make_unit(), competency(version, "A")
    boss = make_person()
    chair = make_post(unit, holder=boss)
    people = many_people(200, unit, reports_to=chair, roles=[profile])
    PersonTag.objects.bulk_create(PersonTag(person_id=pk, name="x") for pk in people)
    for pk in (people[0], people[150]):
        give_evidence(User.objects.get(pk=pk), a, 2, EvidenceKind.MANAGER, by=boss)
    about = Mentions(
        units=frozenset({unit.pk}),
        roles=frozenset({str(profile.lineage)}),
        languages=frozenset({"es"}),
        people=frozenset({boss.pk}),
        tags=frozenset({"x"}),
        competencies=frozenset({str(a.lineage)}),
        by_start=True,
    )
    few = count_queries(lambda: facts_of(people[:10], TODAY, about))
    many = count_queries(lambda: facts_of(people, TODAY, about))
    assert few == many <= 14
