from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from competencies.enums import EvidenceKind
from competencies.models import Evidence, EvidenceWithdrawal, RoleAssignment
from competencies.models.evidence import HistoryIsKept
from competencies.selectors import explained_level, standing_of, standings_of
from competencies.services import (
    EvidenceRefused,
    Finding,
    assess_as_manager,
    assess_myself,
    assign_role,
    end_role,
    record_evidence,
    withdraw_evidence,
)
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

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


@pytest.fixture
def version():
    return make_framework(codes="AB")


@pytest.fixture
def ana():
    return make_person("Ana")


def record(person, what, rank, **change):
    values = {"kind": EvidenceKind.PANEL, "source_key": "k", "by": None, "occurred_on": TODAY()} | change
    return record_evidence(person=person, findings=[Finding(what, rank)], **values)


@pytest.mark.parametrize(
    ("rank", "change", "sentence"),
    [
        (6, {}, "Level 6 is not on the scale of “Competency A”."),
        (-1, {}, "Level -1 is not on the scale"),
        (2, {"occurred_on": TODAY() + timedelta(days=1)}, "Evidence cannot be dated in the future."),
        (2, {"valid_until": TODAY()}, "The evidence would lapse before it is dated."),
    ],
)
def test_impossible_evidence_is_refused_with_a_sentence_and_nothing_is_written(version, ana, rank, change, sentence):
    with pytest.raises(EvidenceRefused, match=sentence.replace(".", r"\.")):
        record(ana, competency(version, "A"), rank, **change)
    assert not Evidence.objects.exists()


def test_one_wrong_finding_refuses_all_of_them(version, ana):
    findings = [Finding(competency(version, "A"), 2), Finding(competency(version, "B"), 9)]
    with pytest.raises(EvidenceRefused):
        record_evidence(
            person=ana, findings=findings, kind=EvidenceKind.PANEL, source_key="k", by=None, occurred_on=TODAY()
        )
    assert not Evidence.objects.exists()


def test_the_same_event_is_recorded_once(version, ana):
    first, again = (record(ana, competency(version, "A"), 2) for _ in range(2))
    assert [piece.pk for piece in first] == [piece.pk for piece in again]
    assert Evidence.objects.count() == 1


def test_nobody_confirms_her_own_level_as_a_manager(version, ana):
    with pytest.raises(EvidenceRefused, match="your own level"):
        assess_as_manager(person=ana, competency=competency(version, "A"), rank=2, note="", token="t", by=ana)


def test_a_manager_confirms_those_she_leads_and_nobody_else(version, ana):
    boss, stranger, unit = make_person(), make_person(), make_unit()
    make_post(unit, holder=ana, reports_to=make_post(unit, holder=boss))
    piece = assess_as_manager(
        person=ana, competency=competency(version, "A"), rank=2, note="Led the review.", token="t", by=boss
    )
    assert (piece.kind, piece.recorded_by, piece.note) == (EvidenceKind.MANAGER, boss, "Led the review.")
    with pytest.raises(EvidenceRefused, match="people you lead"):
        assess_as_manager(person=ana, competency=competency(version, "A"), rank=2, note="", token="t", by=stranger)


def test_evidence_is_neither_edited_nor_deleted(version, ana):
    piece = give_evidence(ana, competency(version, "A"), 2)
    piece.rank = 5
    for attempt in (piece.save, piece.delete, lambda: Evidence.objects.update(rank=5)):
        with pytest.raises(HistoryIsKept):
            attempt()
    assert Evidence.objects.get().rank == 2


def test_withdrawing_undoes_just_what_the_piece_did_and_stays_on_record(version, ana):
    give_evidence(ana, competency(version, "A"), 2)
    strong = give_evidence(ana, competency(version, "A"), 4)
    withdraw_evidence(evidence=strong, by=None, reason="Not hers.")
    withdraw_evidence(evidence=strong, by=None, reason="Again.")
    explained = explained_level(ana, competency(version, "A"))
    assert explained.level.rank == 2
    assert [(row.pk, row.withdrawal.reason) for row in explained.withdrawn] == [(strong.pk, "Not hers.")]
    assert EvidenceWithdrawal.objects.count() == 1


def test_a_framework_without_levels_knows_held_and_not_held(ana):
    bare = make_framework(codes="N", ranks=0)
    with pytest.raises(EvidenceRefused):
        record(ana, competency(bare, "N"), 2)
    record(ana, competency(bare, "N"), 1)
    assert explained_level(ana, competency(bare, "N")).level.rank == 1


def test_a_role_is_assigned_once_and_can_be_given_again_after_it_ended(version, ana):
    profile = make_profile(version, {"A": 2})
    assignment, created = assign_role(person=ana, profile=profile, by=None, starts_on=TODAY() - timedelta(days=5))
    assert assign_role(person=ana, profile=profile, by=None, starts_on=TODAY()) == (assignment, False)
    end_role(assignment=assignment, by=None, ends_on=TODAY())
    end_role(assignment=assignment, by=None, ends_on=TODAY() + timedelta(days=90))
    assert RoleAssignment.objects.get().ends_on == TODAY()
    assert assign_role(person=ana, profile=profile, by=None, starts_on=TODAY())[1] is created is True


def test_the_database_itself_refuses_a_second_open_assignment(version, ana):
    from django.db import IntegrityError

    profile = make_profile(version, {"A": 2})
    RoleAssignment.objects.create(person=ana, profile=profile, starts_on=TODAY())
    with pytest.raises(IntegrityError), transaction.atomic():
        RoleAssignment.objects.create(person=ana, profile=profile, starts_on=TODAY())


def test_two_presses_of_the_same_form_are_one_self_assessment(version, ana):
    for _ in range(2):
        assess_myself(person=ana, competency=competency(version, "A"), rank=3, token="same")
    assert Evidence.objects.count() == 1
    assess_myself(person=ana, competency=competency(version, "A"), rank=4, token="other")
    assert explained_level(ana, competency(version, "A")).level.declared == 4


def test_a_person_with_two_posts_has_the_roles_of_both(version, ana):
    one, two = make_profile(version, {"A": 2}), make_profile(version, {"A": 4, "B": None})
    unit = make_unit()
    make_post(unit, holder=ana, roles=[one])
    appoint(ana, make_post(unit, roles=[two]))
    standing = standing_of(ana)
    assert {p.pk for p in standing.profiles} == {one.pk, two.pk}
    assert {str(line.competency): line.required.rank for line in standing.lines} == {
        "Competency A": 4,
        "Competency B": None,
    }


def test_what_if_she_had_this_role_too(version, ana):
    profile = make_profile(version, {"A": 4})
    assert standing_of(ana).total == 0
    assert standings_of([ana.pk], adding=profile)[ana.pk].total == 1


def test_a_profile_that_requires_nothing_is_still_a_role(version, ana):
    profile = make_profile(version, {})
    make_post(make_unit(), holder=ana, roles=[profile])
    assert [p.pk for p in standing_of(ana).profiles] == [profile.pk]


def test_standings_ask_as_many_queries_for_fifty_people_as_for_one(version, count_queries):
    profile = make_profile(version, {"A": 4, "B": 2})
    ids = []
    for _ in range(50):
        person = make_person()
        RoleAssignment.objects.bulk_create([RoleAssignment(person=person, profile=profile, starts_on=TODAY())])
        ids.append(person.pk)
    one = count_queries(lambda: standings_of(ids[:1]))
    assert count_queries(lambda: standings_of(ids)) == one <= 6
