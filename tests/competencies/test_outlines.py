"""Standings in ranks alone say what standings say."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.utils import timezone

from competencies.enums import EvidenceKind, LinkRelation
from competencies.models import Alignment, RoleAssignment
from competencies.selectors import Outlines, standings_of
from tests.builders import competency, give_evidence, make_framework, make_person, make_profile

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("seed", range(6))
def test_an_outline_has_the_gaps_and_the_ranks_of_the_standing(seed):
    chance = random.Random(seed)
    one, other = make_framework(codes="ABCD"), make_framework(codes="AB", ranks=4)
    Alignment.objects.create(
        origin=competency(other, "A"), target=competency(one, "A"), relation=LinkRelation.EXACT,
        rank_map={str(rank): rank for rank in range(1, 5)},
    )  # fmt: skip
    profiles = [
        make_profile(one, {code: chance.randint(1, 5) for code in chance.sample("ABCD", 3)}),
        make_profile(one, {"A": 4, "D": None}),
        make_profile(other, {"A": 2, "B": 3}),
    ]
    people = [make_person() for _ in range(6)]
    boss = make_person()
    for person in people:
        for profile in chance.sample(profiles, chance.randint(0, 2)):
            RoleAssignment.objects.create(person=person, profile=profile, starts_on=timezone.localdate())
        for _ in range(chance.randint(0, 8)):
            version = chance.choice([one, one, other])
            kind = chance.choice(
                [EvidenceKind.COURSE, EvidenceKind.PRIOR_LEARNING, EvidenceKind.MANAGER, EvidenceKind.SELF]
            )
            give_evidence(
                person,
                competency(version, chance.choice("AB")),
                chance.randint(0, 4),
                kind,
                days_ago=chance.choice([0, 200, 400, 800, 1500]),
                by=person if kind == EvidenceKind.SELF else boss,
                assessed=chance.random() < 0.6,
            )
    ids = [person.pk for person in people]
    for adding in (None, profiles[0]):
        for day in (timezone.localdate(), timezone.localdate() + timedelta(days=300)):
            standings = standings_of(ids, as_of=day, adding=adding)
            reader = Outlines(day, adding=adding)
            # In two parts: what is kept from the first must not be wrong for the second.
            outlines = reader.of(ids[:2]) | reader.of(ids[2:])
            for pk in ids:
                gaps = sorted((g.competency_id, g.held, g.required.rank_needed) for g in standings[pk].gaps)
                assert list(outlines[pk].missing) == gaps
                asked = {line.competency.pk for line in standings[pk].lines}
                held = {key: rank for key, rank in standings[pk].held.items() if rank and key in asked}
                assert {key: rank for key, rank in outlines[pk].held.items() if rank and key in asked} == held


def test_outlines_ask_as_many_queries_for_thirty_people_as_for_three(count_queries):
    version = make_framework(codes="AB")
    profile = make_profile(version, {"A": 3, "B": 2})
    people = [make_person() for _ in range(30)]
    for person in people:
        RoleAssignment.objects.create(person=person, profile=profile, starts_on=timezone.localdate())
        give_evidence(person, competency(version, "A"), 2)
    ids = [person.pk for person in people]
    few = count_queries(lambda: Outlines(timezone.localdate()).of(ids[:3]))
    assert count_queries(lambda: Outlines(timezone.localdate()).of(ids)) == few
