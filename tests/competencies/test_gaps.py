"""The worked example of docs/algorithms/gaps.md, and what must hold for every input."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from competencies.gaps import Gap, MixedFrameworks, Required, measure_gaps, merge_requirements

RISK, INCIDENT, LAW = 1, 2, 3


def need(
    competency_id: int, rank: int | None, importance: int = 5, framework_id: int = 1, profiles: tuple[int, ...] = ()
) -> Required:
    return Required(competency_id, framework_id, rank, importance, profiles)


@pytest.mark.parametrize(("held", "expected"), [({}, 4), ({RISK: 1}, 3), ({RISK: 4}, 0), ({RISK: 5}, 0)])
def test_a_gap_is_what_is_missing_and_never_negative(held, expected):
    assert sum(gap.size for gap in measure_gaps([need(RISK, 4)], held)) == expected


def test_a_requirement_without_a_level_is_met_by_any_level_from_one():
    assert [gap.size for gap in measure_gaps([need(LAW, None)], {})] == [1]
    assert measure_gaps([need(LAW, None)], {LAW: 0}) != ()
    assert measure_gaps([need(LAW, None)], {LAW: 1}) == ()


def test_the_worked_example_of_the_documentation():
    gaps = measure_gaps([need(RISK, 4, 5), need(INCIDENT, 4, 3), need(LAW, None, 2)], {RISK: 2, INCIDENT: 1})
    assert [(g.competency_id, g.size, g.priority) for g in gaps] == [
        (RISK, 2, Decimal(2)),
        (INCIDENT, 3, Decimal("1.8")),
        (LAW, 1, Decimal("0.4")),
    ]


def test_requirements_of_two_frameworks_are_not_weighed_against_each_other():
    with pytest.raises(MixedFrameworks):
        measure_gaps([need(RISK, 4), need(LAW, 2, framework_id=2)], {})


def test_of_two_roles_the_higher_level_and_importance_count_and_both_are_named():
    [merged] = merge_requirements([need(RISK, 2, 5, profiles=(7,)), need(RISK, 4, 1, profiles=(3,))])
    assert merged == need(RISK, 4, 5, profiles=(3, 7))


def test_a_stated_level_outranks_an_unstated_one():
    assert [r.rank for r in merge_requirements([need(RISK, None), need(RISK, 2)])] == [2]
    assert [r.rank for r in merge_requirements([need(RISK, None), need(RISK, None)])] == [None]


requirements = st.lists(
    st.builds(Required, st.integers(1, 8), st.just(1), st.none() | st.integers(1, 5), st.integers(1, 5)),
    max_size=8,
    unique_by=lambda r: r.competency_id,
)
holdings = st.dictionaries(st.integers(1, 8), st.integers(0, 5))


@given(requirements, holdings, st.integers(1, 8), st.integers(0, 5))
def test_more_evidence_never_widens_a_gap(required, held, competency_id, rank):
    more = held | {competency_id: max(rank, held.get(competency_id, 0))}
    before = {g.competency_id: g.size for g in measure_gaps(required, held)}
    after = {g.competency_id: g.size for g in measure_gaps(required, more)}
    assert all(size <= before.get(pk, 0) for pk, size in after.items())


@given(requirements, holdings, st.randoms())
def test_the_order_of_requirements_does_not_matter(required, held, random):
    shuffled = list(required)
    random.shuffle(shuffled)
    assert measure_gaps(shuffled, held) == measure_gaps(required, held)
    assert merge_requirements(shuffled) == merge_requirements(required)


@given(requirements, holdings)
def test_gaps_come_with_the_most_urgent_first(required, held):
    gaps = measure_gaps(required, held)
    assert list(gaps) == sorted(gaps, key=lambda g: (-g.priority, g.competency_id))
    assert all(isinstance(g, Gap) and g.size > 0 for g in gaps)
