"""Counts of everybody are those of each person's standing, across editions and alignments."""

from collections import defaultdict
from datetime import timedelta
from random import Random
from uuid import uuid4

import pytest
from django.utils import timezone

from competencies import organisation
from competencies.alignments import align
from competencies.enums import EvidenceKind, LinkRelation
from competencies.models import (
    Evidence,
    EvidenceWithdrawal,
    RoleAssignment,
    Rulebook,
    RulebookStatus,
    StandingCount,
)
from competencies.organisation import count_standing, lay_down_counts
from competencies.selectors import standings_of
from organisations.models import Appointment, User
from tests.builders import (
    appoint,
    competency,
    give_evidence,
    make_framework,
    make_person,
    make_post,
    make_profile,
    make_unit,
)
from tests.competencies.editions import altered, competency_of, load, profile_of, publish, small_content

pytestmark = pytest.mark.django_db


def counted_one_by_one(day):
    """What the page says a count is: units of current posts × the lines of each person's standing."""
    units = defaultdict(set)
    for person, unit in (
        Appointment.objects.current(day).filter(person__is_active=True).values_list("person_id", "post__unit_id")
    ):
        units[person].add(unit)
    found = defaultdict(lambda: [0, 0])
    for person, standing in standings_of(sorted(units), as_of=day).items():
        for line in standing.lines:
            for unit in units[person]:
                found[unit, line.competency.pk][0] += 1
                found[unit, line.competency.pk][1] += line.is_met
    return {key: tuple(values) for key, values in found.items()}


def counted(day):
    return {(c.unit_id, c.competency_id): (c.people, c.at_level) for c in count_standing(day)}


@pytest.fixture(params=range(4))
def ministry(request):
    """A random small ministry: two editions of one framework, one aligned with it, one without levels, rules of its own."""
    random = Random(request.param)
    steward = make_person("Steward")
    first = load(small_content())
    house = make_framework("house", codes="HK", ranks=5)
    bare = make_framework("bare", codes="X", ranks=0)
    profiles = [
        profile_of(first, "junior-clerk"), profile_of(first, "senior-clerk"),
        make_profile(house, {"H": 3, "K": None}, title="Keeper"), make_profile(bare, {"X": None}),
        make_profile(house, {"H": 0}, title="Guest"),
    ]  # fmt: skip
    units = [make_unit(f"Unit {n}") for n in range(3)]
    units += [make_unit(parent=random.choice(units)) for _ in range(3)]
    people = [make_person() for _ in range(24)]
    for person in people:
        for unit in random.sample(units, random.choice([0, 1, 1, 2])):
            make_post(unit, holder=person, roles=random.sample(profiles, random.choice([0, 1, 1, 2])))
    appoint(people[0], make_post(units[0], roles=profiles[:1]), ends_on=timezone.localdate() - timedelta(days=5))

    def record(versions):
        """Written at once: the services would bring the paths of two dozen people up to date a hundred times."""
        day, pieces = timezone.localdate(), []
        for version in versions:
            ranks = list(version.levels.values_list("rank", flat=True)) or [0, 1]
            for what in version.competencies.all():
                for person in random.choices(people, k=14):
                    kind = random.choice(list(EvidenceKind))
                    spread = random.choice([None, [0.99, 0.9, 0.81, 0.3]]) if kind == EvidenceKind.DIAGNOSTIC else None
                    occurred = day - timedelta(days=random.choice([0, 100, 400, 800, 1200]))
                    pieces.append(
                        Evidence(
                            person=person,
                            competency=what,
                            kind=kind,
                            rank=random.choice(ranks),
                            passed=random.random() < 0.9,
                            assessed=random.random() < 0.7,
                            occurred_on=occurred,
                            valid_until=random.choice([None, None, occurred + timedelta(days=500)]),
                            value=None if spread is None else 2.6,
                            se=None if spread is None else 0.4,
                            probabilities=spread,
                            source_key=str(uuid4()),
                        )
                    )
        kept = Evidence.objects.bulk_create(pieces)
        EvidenceWithdrawal.objects.bulk_create(
            EvidenceWithdrawal(evidence=piece, reason="A slip.") for piece in random.sample(kept, 5)
        )

    record([first, house, bare])
    second = publish(
        load(altered(small_content(), A={"code": "A9", "title": {"en": "Counting well"}}, C=None)), steward
    )
    align(
        origin=competency(house, "H"), target=competency_of(second, "A9"), relation=LinkRelation.EXACT, by=steward,
        rank_map=random.choice([None, {2: 1, 3: 3, 5: 4}]),
    )  # fmt: skip
    align(origin=competency_of(second, "B"), target=competency(bare, "X"), relation=LinkRelation.EXACT, by=steward)
    record([second, house])
    for person in random.sample(people, 8):
        profile = random.choice([profile_of(second, "senior-clerk"), *profiles[2:]])
        RoleAssignment.objects.create(
            person=person, profile=profile, starts_on=timezone.localdate() - timedelta(days=500)
        )
    Rulebook.objects.create(
        framework=house.framework, number=2, status=RulebookStatus.PUBLISHED, note="Stricter.",
        content={"rules": {"manager": {"cap": 3}, "assessed": {"months": 12}, "diagnostic": {"certainty": 0.95}}},
    )  # fmt: skip
    User.objects.filter(pk=people[-1].pk).update(is_active=False)
    return people


def test_counts_of_everybody_are_those_of_each_standing(ministry):
    today = timezone.localdate()
    assert counted(today) == counted_one_by_one(today)
    assert any(0 < at_level < people for people, at_level in counted(today).values())


def test_counts_of_another_day_are_those_of_that_day(ministry):
    for days in (-450, 300):
        day = timezone.localdate() + timedelta(days=days)
        assert counted(day) == counted_one_by_one(day)


def test_how_many_people_are_read_at_a_time_changes_nothing(ministry, monkeypatch):
    today = timezone.localdate()
    whole = counted(today)
    monkeypatch.setattr(organisation, "PEOPLE_AT_A_TIME", 3)
    monkeypatch.setattr(organisation, "ROWS_AT_A_TIME", 2)
    assert counted(today) == whole


def test_an_organisation_without_posts_roles_or_evidence_has_no_counts():
    today = timezone.localdate()
    assert count_standing(today) == []
    make_post(make_unit(), holder=make_person())
    assert count_standing(today) == []
    profile = make_profile(make_framework(codes="A"), {"A": 3})
    make_post(make_unit(), holder=make_person(), roles=[profile])
    [count] = count_standing(today)
    assert (count.people, count.at_level) == (1, 0)


def test_counting_asks_as_many_queries_for_many_people_as_for_one(count_queries):
    version = make_framework(codes="AB")
    profile = make_profile(version, {"A": 3, "B": 2})

    def join(n):
        for _ in range(n):
            person = make_person()
            make_post(make_unit(), holder=person, roles=[profile])
            give_evidence(person, competency(version, "A"), 3)

    join(1)
    one = count_queries(lambda: count_standing(timezone.localdate()))
    join(9)
    assert count_queries(lambda: count_standing(timezone.localdate())) == one <= 16


def test_new_counts_take_the_place_of_the_old_ones():
    version = make_framework(codes="A")
    unit, person = make_unit(), make_person()
    post = make_post(unit, holder=person, roles=[make_profile(version, {"A": 3})])
    today = timezone.localdate()
    assert lay_down_counts(day=today) == 1
    give_evidence(person, competency(version, "A"), 3)
    assert lay_down_counts(day=today) == 1
    [row] = StandingCount.objects.all()
    assert (row.unit, row.people, row.at_level, row.as_of) == (unit, 1, 1, today)
    post.appointments.all().delete()
    assert lay_down_counts(day=today) == 0
    assert not StandingCount.objects.exists()
