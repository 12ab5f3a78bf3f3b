"""Levels from arrays are the levels of the functions that explain themselves, for any evidence and any rules in range."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from competencies.enums import MAX_RANK
from competencies.enums import EvidenceKind as Kind
from competencies.levels import RULES, AttainmentRule, Attains, EvidenceItem, RuleSet, Verdict, attained_level
from competencies.likely import estimate, observations_of
from competencies.rulebooks import LIMITS, MAX_MONTHS, SHIPPED, read_book
from competencies.vectors import NEVER, UNDECLARED, attained_levels, likely_levels, pack

# A busy machine is no fault of the code.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
TODAY = date(2026, 11, 23)


@st.composite
def items(draw):
    occurred = TODAY - timedelta(days=draw(st.integers(-40, 4000)))
    lasts = draw(st.none() | st.integers(1, 4000))
    value = draw(st.none() | st.floats(0, 5))
    return EvidenceItem(
        id=draw(st.integers(1, 10_000)),
        kind=draw(st.sampled_from(list(Kind))),
        rank=draw(st.integers(0, 7)),
        assessed=draw(st.booleans()),
        occurred_on=occurred,
        valid_until=None if lasts is None else occurred + timedelta(days=lasts),
        passed=draw(st.sampled_from([True, True, True, False])),
        value=value,
        se=None if value is None else draw(st.floats(0.1, 2)),
        probabilities=draw(st.none() | st.lists(st.floats(0, 1), max_size=6).map(tuple)),
        source=draw(st.sampled_from(["", "by-1", "by-2"])),
    )


people = st.lists(st.lists(items(), max_size=6, unique_by=lambda item: item.id), min_size=1, max_size=4)


@st.composite
def books(draw):
    """Any content the rulebooks accept; not every number is named."""

    def some(options):
        return {name: draw(strategy) for name, strategy in options.items() if draw(st.booleans())}

    months = st.integers(1, MAX_MONTHS)
    of_rule = {"months": months, "cap": st.integers(0, MAX_RANK), "certainty": st.floats(0.5, 0.999)}
    rules = {}
    for rule in RULES.rules:
        has = {"months": rule.valid_months, "cap": rule.cap, "certainty": rule.certainty}
        own = some({name: of_rule[name] for name, value in has.items() if value is not None})
        if own:
            rules[rule.code] = own
    kinds = {}
    for name, kind in SHIPPED.parameters.kinds.items():
        own = some({
            field: st.floats(max(least, 0.05), most) if field != "bias" else st.floats(least, most)
            for field, (least, most) in LIMITS.items() if getattr(kind, field, None) is not None
            and not (field == "extra_sd" and kind.sd is not None)
        })  # fmt: skip
        if own:
            kinds[name] = own
    content = {
        "rules": rules,
        "refresh_days": draw(st.integers(*LIMITS["refresh_days"])),
        "parameters": {"kinds": kinds, **some({"prior_mean": st.floats(0, 5), "prior_sd": st.floats(0.1, 5)})},
    }
    return read_book(content, version="test")


def grouped(evidence):
    return pack((group, item) for group, found in enumerate(evidence) for item in found)


@unhurried
@given(people, books())
def test_attained_levels_of_many_are_those_of_each(evidence, book):
    found = attained_levels(grouped(evidence), groups=len(evidence), as_of=TODAY, rules=book.rules)
    due = found.refresh_due(as_of=TODAY, rules=book.rules)
    for group, own in enumerate(evidence):
        level = attained_level(own, as_of=TODAY, rules=book.rules)
        lapses = NEVER if level.lapses_on is None else level.lapses_on.toordinal()
        declared = UNDECLARED if level.declared is None else level.declared
        assert (found.rank[group], found.lapses[group], found.declared[group], due[group]) == (
            level.rank, lapses, declared, level.refresh_due,
        )  # fmt: skip


@unhurried
@given(people, books(), st.integers(1, 7))
def test_likely_levels_of_many_are_those_of_each(evidence, book, ranks):
    means, sds, at_least, shortfalls = likely_levels(
        grouped(evidence), groups=len(evidence), as_of=TODAY, ranks=ranks, parameters=book.parameters
    )
    for group, own in enumerate(evidence):
        seen = observations_of(own, as_of=TODAY).values()
        likely = estimate(seen, ranks=ranks, parameters=book.parameters)
        assert means[group] == pytest.approx(likely.mean, abs=1e-7)
        assert sds[group] == pytest.approx(likely.sd, abs=1e-6)
        assert at_least[group] == pytest.approx(likely.at_least, abs=1e-7)
        assert shortfalls[group] == pytest.approx(likely.shortfalls, abs=1e-7)


@unhurried
@given(people, st.randoms())
def test_the_order_of_the_rows_plays_no_part(evidence, random):
    pairs = [(group, item) for group, found in enumerate(evidence) for item in found]
    one = attained_levels(pack(pairs), groups=len(evidence), as_of=TODAY, rules=RULES)
    random.shuffle(pairs)
    other = attained_levels(pack(pairs), groups=len(evidence), as_of=TODAY, rules=RULES)
    assert np.array_equal(one.rank, other.rank)
    assert np.array_equal(one.lapses, other.lapses)


def test_rules_that_never_lapse_stay_without_a_day():
    rules = RuleSet("x", (AttainmentRule("all", frozenset({Kind.COURSE}), Attains.STATED, None),))
    course = EvidenceItem(1, Kind.COURSE, 3, True, TODAY)
    found = attained_levels(pack([(0, course)]), groups=2, as_of=TODAY, rules=rules)
    assert found.rank.tolist() == [3, 0]
    assert found.lapses.tolist() == [NEVER, NEVER]


def test_two_rules_that_lean_on_others_are_refused():
    manager = next(rule for rule in RULES.rules if rule.attains is Attains.CORROBORATED)
    rules = RuleSet("x", (manager, replace(manager, kinds=frozenset({Kind.PANEL}))))
    with pytest.raises(ValueError, match="corroborated"):
        attained_levels(pack([]), groups=1, as_of=TODAY, rules=rules)


def test_a_self_assessment_does_not_prop_up_what_leans_on_a_course():
    """Where a manager's word alone attains nothing, it falls with the course it leans on, not later."""
    book = read_book({"rules": {"manager": {"cap": 0, "months": 120}}}, version="x")
    course = EvidenceItem(1, Kind.COURSE, 1, True, date(2026, 1, 1), valid_until=date(2027, 1, 1))
    manager = EvidenceItem(2, Kind.MANAGER, 1, True, date(2026, 2, 1))
    own = EvidenceItem(3, Kind.SELF, 4, False, date(2026, 2, 1))
    level = attained_level([course, manager, own], as_of=TODAY, rules=book.rules)
    leaning = next(judged for judged in level.judged if judged.item is manager)
    assert leaning.verdict is not Verdict.LAPSED
    assert leaning.lapses_on == date(2027, 1, 1)
