"""The likely level of docs/algorithms/likely.md: every published case, and what holds for any evidence."""

from __future__ import annotations

import json
import os
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from competencies.enums import EvidenceKind as Kind
from competencies.levels import EvidenceItem
from competencies.likely import PARAMETERS, Observation, contributions, estimate, estimate_many, observations_of

DATA = Path(os.environ.get("SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
EXPECTED = DATA / "psychometrics" / "expected.json"
TODAY = date(2026, 11, 26)
TOLERANCE = 1e-6


def cases():
    return json.loads(EXPECTED.read_text())["cases"]["competency_fusion"]["cases"] if EXPECTED.exists() else []


def seen(row) -> Observation:
    return Observation(
        kind=row["type"],
        value=row.get("value", row.get("level")),
        age_months=row["age_months"],
        se=row.get("se"),
        passed=row.get("passed", True),
    )


@pytest.mark.skipif(not EXPECTED.exists(), reason="the shared test data are not here (SHARED_DATA)")
def test_there_are_published_cases_to_compare_with():
    assert len(cases()) == 7


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["case"])
def test_a_published_case_is_met(case):
    likely, expected = estimate([seen(row) for row in case["evidence"]]), case["expected"]
    assert likely.mean == pytest.approx(expected["mean"], abs=TOLERANCE)
    assert likely.sd == pytest.approx(expected["sd"], abs=TOLERANCE)
    assert likely.at_least == pytest.approx(expected["p_at_least_level_1_to_5"], abs=TOLERANCE)
    assert likely.at_least[case["required"] - 1] == pytest.approx(expected["p_meets_required"], abs=TOLERANCE)
    assert likely.shortfall(case["required"]) == pytest.approx(expected["expected_shortfall"], abs=TOLERANCE)
    certain = max((level for level, p in enumerate(likely.at_least, start=1) if p >= 0.70), default=0)
    assert certain == expected["evidenced_level_at_070"]


def test_the_worked_value_of_the_design():
    likely = estimate(
        [
            Observation("self", 4, 2),
            Observation("manager", 3, 5),
            Observation("quiz", 3, 1),
            Observation("certificate", 2, 20),
        ]
    )
    assert (likely.mean, likely.sd) == pytest.approx((2.780541, 0.781317), abs=1e-6)
    assert likely.at_least[3] == pytest.approx(0.184438, abs=1e-6)
    assert likely.shortfall(4) == pytest.approx(0.799879, abs=1e-6)
    assert likely.level == 3


def test_an_estimate_alone_would_fail_somebody_with_an_assessed_certificate():
    likely = estimate([Observation("certificate", 4, 0), Observation("self", 4, 0), Observation("manager", 4, 0)])
    assert round(likely.at_least[3], 2) == 0.54


KINDS = st.sampled_from(sorted(PARAMETERS.kinds))


@st.composite
def observations(draw):
    kind = draw(KINDS)
    return Observation(
        kind=kind,
        value=float(draw(st.integers(0, 5))),
        age_months=draw(st.floats(0, 120)),
        se=draw(st.floats(0.2, 0.9)) if kind == "diagnostic" else None,
        passed=draw(st.booleans()) if kind == "quiz" else True,
    )


@given(st.lists(observations(), max_size=8), st.randoms())
def test_the_order_of_entry_does_not_matter(found, random):
    shuffled = list(found)
    random.shuffle(shuffled)
    assert estimate(shuffled) == estimate(found)


@given(st.lists(observations(), max_size=8), st.sampled_from([1, 4, 5, 6]))
def test_an_estimate_is_always_a_distribution_on_the_scale(found, ranks):
    likely = estimate(found, ranks=ranks)
    assert len(likely.at_least) == len(likely.shortfalls) == ranks
    assert all(0 <= p <= 1 + 1e-9 for p in likely.at_least)
    assert list(likely.at_least) == sorted(likely.at_least, reverse=True)
    assert list(likely.shortfalls) == sorted(likely.shortfalls)
    assert likely.sd > 0
    assert 0 <= likely.level <= ranks


@given(st.lists(observations(), min_size=1, max_size=5), st.lists(observations(), max_size=5))
def test_many_at_once_are_as_each_alone(first, second):
    both = estimate_many([first, second])
    for alone, together in zip((estimate(first), estimate(second)), both, strict=True):
        assert together.mean == pytest.approx(alone.mean, abs=1e-9)
        assert together.shortfalls == pytest.approx(alone.shortfalls, abs=1e-9)


def test_what_each_piece_contributes_is_the_mean_with_it_minus_the_mean_without_it():
    found = {7: Observation("self", 5, 0), 9: Observation("diagnostic", 1.8, 0, se=0.45)}
    moved = contributions(found)
    whole = estimate(found.values()).mean
    assert moved[7] == pytest.approx(whole - estimate([found[9]]).mean)
    assert moved[9] == pytest.approx(whole - estimate([found[7]]).mean)
    assert moved[9] < 0 < moved[7]


def test_a_scale_of_four_ranks_stretches_the_parameters():
    four, five = estimate([], ranks=4), estimate([], ranks=5)
    assert four.mean == pytest.approx(five.mean * 4 / 5)
    assert four.sd == pytest.approx(five.sd * 4 / 5)


def test_the_latest_of_each_kind_and_source_is_looked_at():
    def item(pk, kind, rank, days_ago, source="", assessed=False, passed=True):
        on = TODAY - timedelta(days=days_ago)
        return EvidenceItem(pk, kind, rank, assessed, on, passed=passed, source=source)

    found = observations_of(
        [
            item(1, Kind.SELF, 2, 60),
            item(2, Kind.SELF, 4, 30),
            item(3, Kind.MANAGER, 3, 20, "boss"),
            item(4, Kind.MANAGER, 2, 10, "next boss"),
            item(5, Kind.COURSE, 3, 5, "a", assessed=True),
            item(6, Kind.COURSE, 1, 5, "b"),
            item(7, Kind.PRIOR_LEARNING, 0, 5),
            item(8, Kind.QUIZ, 3, 5, passed=False),
            item(9, Kind.PANEL, 3, -1),
        ],
        as_of=TODAY,
    )
    assert list(found) == [2, 3, 4, 5, 6, 8]
    assert [found[pk].kind for pk in found] == ["self", "manager", "manager", "certificate", "completion", "quiz"]
    assert found[2].age_months == pytest.approx(30 / (365.25 / 12))
    assert not found[8].passed
