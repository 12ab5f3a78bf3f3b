"""The attainment rules of docs/algorithms/levels.md."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from competencies.enums import EvidenceKind as Kind
from competencies.levels import RULES, EvidenceItem, Verdict, attained_level, what_would_change

TODAY = date(2026, 11, 23)


def item(
    kind: Kind, rank: int, *, days_ago: int = 30, assessed: bool = True, valid_until: date | None = None, pk: int = 0
) -> EvidenceItem:
    return EvidenceItem(
        pk or abs(hash((kind, rank, days_ago))) % 10_000,
        kind,
        rank,
        assessed,
        TODAY - timedelta(days=days_ago),
        valid_until,
    )


@pytest.mark.parametrize(
    ("evidence", "rank"),
    [
        ([], 0),
        ([item(Kind.COURSE, 4)], 4),
        ([item(Kind.CERTIFICATE, 4)], 4),
        ([item(Kind.COURSE, 4, assessed=False)], 1),
        ([item(Kind.COURSE, 0, assessed=False)], 0),
        ([item(Kind.PRIOR_LEARNING, 5)], 5),
        ([item(Kind.PANEL, 3)], 3),
        ([item(Kind.DIAGNOSTIC, 5)], 3),
        ([item(Kind.MANAGER, 1)], 1),
        ([item(Kind.MANAGER, 5)], 2),
        ([item(Kind.MANAGER, 4), item(Kind.COURSE, 3)], 4),
        ([item(Kind.MANAGER, 5), item(Kind.COURSE, 3)], 4),
        ([item(Kind.MANAGER, 4), item(Kind.COURSE, 1)], 2),
        ([item(Kind.MANAGER, 4), item(Kind.COURSE, 2)], 3),
        ([item(Kind.MANAGER, 2), item(Kind.COURSE, 4)], 4),
        ([item(Kind.SELF, 5)], 0),
        ([item(Kind.SELF, 5), item(Kind.QUIZ, 4)], 0),
        ([item(Kind.MANAGER, 4), item(Kind.SELF, 4)], 2),
        ([item(Kind.MANAGER, 4, days_ago=40), item(Kind.MANAGER, 3)], 2),
    ],
)
def test_each_kind_of_evidence_attains_what_its_rule_says(evidence, rank):
    assert attained_level(evidence, as_of=TODAY).rank == rank


def test_an_assessed_certificate_closes_a_gap_at_once_and_a_self_assessment_never_does():
    assert attained_level([item(Kind.CERTIFICATE, 4, days_ago=0)], as_of=TODAY).rank == 4
    assert attained_level([item(Kind.SELF, rank) for rank in range(6)], as_of=TODAY).rank == 0


def test_the_declared_level_is_the_latest_self_assessment_and_stands_beside():
    level = attained_level(
        [item(Kind.SELF, 4, days_ago=90), item(Kind.SELF, 2, days_ago=3), item(Kind.COURSE, 3)], as_of=TODAY
    )
    assert (level.declared, level.rank) == (2, 3)


@pytest.mark.parametrize(
    ("kind", "assessed", "months_in_days"),
    [
        (Kind.COURSE, True, 1095),
        (Kind.COURSE, False, 730),
        (Kind.PANEL, True, 1095),
        (Kind.DIAGNOSTIC, True, 730),
        (Kind.MANAGER, True, 365),
    ],
)
def test_evidence_counts_until_the_day_before_it_lapses(kind, assessed, months_in_days):
    start = date(2023, 3, 1)
    evidence = [EvidenceItem(1, kind, 1, assessed, start)]
    lapses_on = attained_level(evidence, as_of=start).lapses_on
    assert abs((lapses_on - start).days - months_in_days) <= 1
    assert attained_level(evidence, as_of=lapses_on - timedelta(days=1)).rank == 1
    after = attained_level(evidence, as_of=lapses_on)
    assert after.rank == 0
    assert after.judged[0].verdict is Verdict.LAPSED


def test_its_own_expiry_overrules_the_months_of_the_rule():
    level = attained_level(
        [item(Kind.CERTIFICATE, 3, days_ago=10, valid_until=TODAY + timedelta(days=20))], as_of=TODAY
    )
    assert level.lapses_on == TODAY + timedelta(days=20)
    assert level.refresh_due


def test_after_a_lapse_the_next_valid_evidence_counts_and_history_keeps_the_old():
    evidence = [item(Kind.CERTIFICATE, 4, days_ago=400, valid_until=TODAY), item(Kind.COURSE, 2)]
    level = attained_level(evidence, as_of=TODAY)
    assert level.rank == 2
    assert {j.verdict for j in level.judged} == {Verdict.LAPSED, Verdict.ATTAINS}


def test_a_refresh_is_due_within_ninety_days_of_the_lapse_and_not_before():
    evidence = [item(Kind.CERTIFICATE, 4, days_ago=10, valid_until=TODAY + timedelta(days=91))]
    assert not attained_level(evidence, as_of=TODAY).refresh_due
    assert attained_level(evidence, as_of=TODAY + timedelta(days=1)).refresh_due


def test_evidence_dated_in_the_future_waits():
    level = attained_level([item(Kind.COURSE, 4, days_ago=-1)], as_of=TODAY)
    assert (level.rank, level.judged[0].verdict) == (0, Verdict.FUTURE)


def test_a_level_that_leans_on_other_evidence_falls_with_it():
    course = EvidenceItem(1, Kind.COURSE, 3, True, TODAY - timedelta(days=30), TODAY + timedelta(days=60))
    manager = EvidenceItem(2, Kind.MANAGER, 4, True, TODAY - timedelta(days=10))
    level = attained_level([course, manager], as_of=TODAY)
    assert (level.rank, level.basis.item.id, level.lapses_on) == (4, 2, TODAY + timedelta(days=60))
    assert attained_level([course, manager], as_of=level.lapses_on).rank == 2


def test_the_basis_is_what_holds_longest():
    short = EvidenceItem(1, Kind.COURSE, 3, True, TODAY, TODAY + timedelta(days=10))
    long = EvidenceItem(2, Kind.COURSE, 3, True, TODAY - timedelta(days=5))
    assert attained_level([short, long], as_of=TODAY).basis.item.id == 2


items = st.builds(
    EvidenceItem,
    id=st.integers(1, 10**6),
    kind=st.sampled_from(list(Kind)),
    rank=st.integers(0, 5),
    assessed=st.booleans(),
    occurred_on=st.dates(TODAY - timedelta(days=2000), TODAY + timedelta(days=30)),
    valid_until=st.none() | st.dates(TODAY - timedelta(days=100), TODAY + timedelta(days=900)),
)
bundles = st.lists(items, max_size=8, unique_by=lambda i: i.id)


@given(bundles, items)
def test_more_evidence_never_lowers_the_level(evidence, more):
    before = attained_level(evidence, as_of=TODAY).rank
    assert attained_level([*evidence, more], as_of=TODAY).rank >= before


@given(bundles, st.randoms())
def test_the_order_of_entry_does_not_matter(evidence, random):
    shuffled = list(evidence)
    random.shuffle(shuffled)
    assert attained_level(shuffled, as_of=TODAY) == attained_level(evidence, as_of=TODAY)


@given(bundles)
def test_every_piece_is_judged_and_just_one_carries_the_level(evidence):
    level = attained_level(evidence, as_of=TODAY)
    assert {j.item.id for j in level.judged} == {i.id for i in evidence}
    assert sum(j.verdict is Verdict.ATTAINS for j in level.judged) == (1 if level.rank else 0)
    assert all(j.attains <= level.rank for j in level.judged)


@given(bundles)
def test_the_level_holds_until_the_day_it_is_said_to_lapse(evidence):
    level = attained_level(evidence, as_of=TODAY)
    if level.lapses_on is not None:
        assert attained_level(evidence, as_of=level.lapses_on - timedelta(days=1)).rank >= level.rank


@given(bundles, st.integers(1, 5))
def test_each_remedy_would_really_attain_what_is_required(evidence, required):
    level = attained_level(evidence, as_of=TODAY)
    kinds = {
        "diagnostic": Kind.DIAGNOSTIC,
        "manager": Kind.MANAGER,
        "course": Kind.COURSE,
        "prior_learning": Kind.PRIOR_LEARNING,
        "panel": Kind.PANEL,
    }
    remedies = what_would_change(level, required=required)
    assert bool(remedies) == (level.rank < required)
    for remedy in remedies:
        new = EvidenceItem(10**7, kinds[remedy.code], remedy.rank, True, TODAY)
        assert attained_level([*evidence, new], as_of=TODAY).rank >= required


def test_the_rules_have_a_version_and_cover_every_kind():
    assert RULES.version == "1"
    for kind in Kind:
        for assessed in (True, False):
            assert RULES.rule_for(EvidenceItem(1, kind, 1, assessed, TODAY)) is not None
