"""Whom a standing rule is about: docs/algorithms/conditions.md, its worked example, and what holds for any input."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learning.conditions import (
    MAX_CONDITIONS,
    MAX_DEPTH,
    AllOf,
    AnyOf,
    ConditionRefused,
    Facts,
    Fault,
    HasGrade,
    HasLanguage,
    HasManager,
    HasRole,
    HasTag,
    HoldsLevel,
    InUnit,
    Not,
    Row,
    Started,
    UnitsGone,
    from_rows,
    holds,
    mentions,
    must_be_in,
    push_nots,
    read_condition,
    read_rows,
    simplify,
    to_rows,
    with_paths,
    write_condition,
)

TODAY = date(2026, 11, 23)
ARCHITECT = "11111111-1111-4111-8111-111111111111"
ANALYST = "22222222-2222-4222-8222-222222222222"
RISK = "33333333-3333-4333-8333-333333333333"
LAW = "44444444-4444-4444-8444-444444444444"
MINISTRY, CLOUD, AUDIT = InUnit(1, "0001", True), InUnit(2, "00010002", True), InUnit(3, "0002", False)


# Any condition and any facts, from so few values that they meet

unhurried = settings(deadline=None)
lineages = st.sampled_from([ARCHITECT, ANALYST, RISK, LAW])
days = st.dates(TODAY - timedelta(days=5), TODAY + timedelta(days=5))
paths = st.sampled_from(["0001", "00010002", "000100020003", "0002"])
leaves = st.one_of(
    st.builds(InUnit, st.integers(1, 3), paths, st.booleans()),
    st.builds(HasRole, lineages),
    st.builds(HasGrade, st.sampled_from(["A1", "A2"])),
    st.builds(HasLanguage, st.sampled_from(["es", "es-mx", "en"])),
    st.builds(HasManager, st.integers(1, 3)),
    st.builds(HasTag, st.sampled_from(["cloud", "ملفات"])),
    st.builds(lambda d: Started(after=d), days),
    st.builds(lambda d: Started(before=d), days),
    st.builds(lambda n: Started(days_ago_at_least=n), st.integers(0, 6)),
    st.builds(lambda n: Started(days_ago_at_most=n), st.integers(0, 6)),
    st.builds(lambda c, n: HoldsLevel(c, at_least=n), lineages, st.integers(1, 4)),
    st.builds(lambda c, n: HoldsLevel(c, below=n), lineages, st.integers(1, 4)),
)


def grown(inner):
    parts = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.builds(AllOf, parts) | st.builds(AnyOf, parts) | st.builds(Not, inner)


def within_depth(condition) -> bool:
    return depth_of(condition) <= MAX_DEPTH


def depth_of(condition) -> int:
    if isinstance(condition, AllOf | AnyOf):
        return 1 + max(depth_of(part) for part in condition.parts)
    return 1 + depth_of(condition.part) if isinstance(condition, Not) else 1


conditions = st.recursive(leaves, grown, max_leaves=8).filter(within_depth)
people = st.builds(
    Facts,
    person_id=st.just(9),
    unit_paths=st.frozensets(paths, max_size=2),
    unit_ids=st.frozensets(st.integers(1, 3), max_size=2),
    roles=st.frozensets(lineages, max_size=2),
    grades=st.frozensets(st.sampled_from(["A1", "A2"])),
    language=st.sampled_from(["", "es", "es-MX", "en"]),
    started_on=st.none() | days,
    manager_ids=st.frozensets(st.integers(1, 3), max_size=2),
    tags=st.frozensets(st.sampled_from(["cloud", "ملفات"])),
    held=st.dictionaries(lineages, st.integers(0, 4)),
)
grouped_rows = st.lists(
    st.lists(st.builds(Row, leaves, st.booleans()), min_size=1, max_size=3).map(tuple), min_size=1, max_size=4
).map(tuple)


def fact(**known) -> Facts:
    return Facts(person_id=9, **known)


# The worked example of the documentation


def test_the_worked_example_of_the_documentation():
    data = {
        "all": [
            {"is": "unit", "unit": 2, "path": "00010002", "below": True},
            {"any": [{"is": "role", "role": ARCHITECT}, {"is": "level", "competency": RISK, "below": 3}]},
            {"not": {"is": "started", "days_ago_at_most": 30}},
        ]
    }
    rule = read_condition(data)
    ana = fact(unit_paths=frozenset({"000100020005"}), roles=frozenset({ARCHITECT}), started_on=date(2026, 9, 1))
    ben = fact(unit_paths=frozenset({"00010002"}), started_on=date(2026, 10, 23), held={RISK: 2})
    chloe = fact(unit_paths=frozenset({"00010002"}), started_on=date(2026, 10, 24), held={RISK: 2})
    dev = fact(unit_paths=frozenset({"00010002"}), started_on=date(2020, 1, 1), held={RISK: 3})
    eva = fact(unit_paths=frozenset({"00010003"}), roles=frozenset({ARCHITECT}), started_on=date(2020, 1, 1))
    assert [holds(rule, person, as_of=TODAY) for person in (ana, ben, chloe, dev, eva)] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert holds(rule, chloe, as_of=TODAY + timedelta(days=1))
    assert to_rows(rule) == (
        (Row(CLOUD),),
        (Row(HasRole(ARCHITECT)), Row(HoldsLevel(RISK, below=3))),
        (Row(Started(days_ago_at_most=30), negated=True),),
    )
    assert must_be_in(rule) == {CLOUD}


# What each condition means


@pytest.mark.parametrize(
    ("condition", "facts", "expected"),
    [
        (CLOUD, {"unit_paths": frozenset({"00010002"}), "unit_ids": frozenset({2})}, True),
        (CLOUD, {"unit_paths": frozenset({"000100020009"})}, True),
        (CLOUD, {"unit_paths": frozenset({"0001"}), "unit_ids": frozenset({1})}, False),
        (CLOUD, {"unit_paths": frozenset({"00010003", "00010002000A"})}, True),
        (AUDIT, {"unit_paths": frozenset({"00020001"}), "unit_ids": frozenset({4})}, False),
        (AUDIT, {"unit_paths": frozenset({"0002"}), "unit_ids": frozenset({3})}, True),
        (HasLanguage("es"), {"language": "es-MX"}, True),
        (HasLanguage("es-mx"), {"language": "es"}, False),
        (HasLanguage("es"), {"language": "est"}, False),
        (HasLanguage("es"), {"language": ""}, False),
        (Started(after=TODAY), {"started_on": TODAY}, True),
        (Started(before=TODAY), {"started_on": TODAY}, False),
        (Started(before=TODAY), {}, False),
        (Started(days_ago_at_least=0), {"started_on": TODAY + timedelta(days=1)}, False),
        (Started(days_ago_at_most=30), {"started_on": TODAY + timedelta(days=1)}, False),
        (Started(days_ago_at_least=30), {"started_on": TODAY - timedelta(days=30)}, True),
        (Started(days_ago_at_most=30), {"started_on": TODAY - timedelta(days=30)}, True),
        (Started(days_ago_at_most=30), {"started_on": TODAY - timedelta(days=31)}, False),
        (HoldsLevel(RISK, at_least=1), {"held": {RISK: 0}}, False),
        (HoldsLevel(RISK, below=1), {}, True),
        (HoldsLevel(RISK, at_least=3), {"held": {RISK: 3, LAW: 1}}, True),
        (HasTag("cloud"), {"tags": frozenset({"Cloud"})}, False),
        (HasManager(7), {"manager_ids": frozenset({7, 8})}, True),
        (HasGrade("A2"), {"grades": frozenset({"A1"})}, False),
    ],
)
def test_a_condition_means_what_it_says(condition, facts, expected):
    assert holds(condition, fact(**facts), as_of=TODAY) is expected
    assert holds(Not(condition), fact(**facts), as_of=TODAY) is not expected


@unhurried
@given(people, st.integers(1, 20), lineages)
def test_below_a_level_is_the_other_side_of_at_least(facts, rank, competency):
    assert holds(HoldsLevel(competency, below=rank), facts, as_of=TODAY) is not holds(
        HoldsLevel(competency, at_least=rank), facts, as_of=TODAY
    )


@unhurried
@given(people, days)
def test_whoever_has_a_first_day_started_before_a_day_or_after_it(facts, day):
    sides = [holds(Started(after=day), facts, as_of=TODAY), holds(Started(before=day), facts, as_of=TODAY)]
    assert sides.count(True) == (facts.started_on is not None)


# Writing and reading


@unhurried
@given(conditions)
def test_what_is_written_is_read_back_the_same(condition):
    assert read_condition(json.loads(json.dumps(write_condition(condition)))) == condition


@unhurried
@given(conditions, people)
def test_what_was_read_is_asked_of_anybody_and_answers(condition, facts):
    assert holds(read_condition(write_condition(condition)), facts, as_of=TODAY) in {True, False}


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("²") | st.just("a\x00"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["all", "any", "not", "is", "unit", "path", "below", "role", "after", "at_least", "tag"])
            | st.text(max_size=3),
            inner
            | st.sampled_from(["unit", "role", "grade", "language", "started", "manager", "tag", "level", "0001"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@unhurried
@given(junk)
def test_anything_else_is_refused_with_places_and_never_breaks(data):
    for read, write in ((read_condition, write_condition), (read_rows, lambda rows: None)):
        try:
            found = read(data)
        except ConditionRefused as refused:
            assert refused.faults
            assert all(fault.place.startswith("$") and fault.problem for fault in refused.faults)
        else:
            assert write is not write_condition or write(found) == data


def refused(data, read=read_condition) -> list[tuple[str, str]]:
    with pytest.raises(ConditionRefused) as told:
        read(data)
    return [(fault.place, fault.problem) for fault in told.value.faults]


UNIT = {"is": "unit", "unit": 1, "path": "0001", "below": True}


def test_all_faults_are_told_at_once_each_with_its_place():
    assert refused(
        {
            "all": [
                {"is": "tag", "tag": "cloud"},
                {"is": "unit", "unit": "1", "path": "0001", "below": True},
                {"any": []},
                {"not": {"is": "role", "role": "architect"}},
                {"is": "started", "after": "2026-02-30"},
            ]
        }
    ) == [
        ("$.all[1].unit", "not_whole"),
        ("$.all[2].any", "empty"),
        ("$.all[3].not.role", "not_a_lineage"),
        ("$.all[4].after", "not_a_date"),
    ]


@pytest.mark.parametrize(
    ("data", "place", "problem"),
    [
        (None, "$", "not_a_condition"),
        ([], "$", "not_a_condition"),
        ({}, "$", "not_a_condition"),
        ({"is": "shoe size"}, "$.is", "unknown"),
        ({"is": ["unit"]}, "$.is", "unknown"),
        ({"all": UNIT}, "$.all", "not_a_condition"),
        ({"all": [UNIT], "any": [UNIT]}, "$.any", "unknown"),
        ({"not": UNIT, "is": "unit"}, "$.is", "unknown"),
        (UNIT | {"unit": True}, "$.unit", "not_whole"),
        (UNIT | {"unit": 1.0}, "$.unit", "not_whole"),
        (UNIT | {"unit": 2**63}, "$.unit", "out_of_range"),
        (UNIT | {"unit": None}, "$.unit", "missing"),
        (UNIT | {"path": ""}, "$.path", "not_a_path"),
        (UNIT | {"path": "00010"}, "$.path", "not_a_path"),
        (UNIT | {"path": "000²"}, "$.path", "not_a_path"),
        (UNIT | {"path": "0001\n"}, "$.path", "not_a_path"),
        (UNIT | {"below": 1}, "$.below", "not_yes_or_no"),
        (UNIT | {"x\x00y": 1}, "$.x?y", "unknown"),
        ({"is": "role", "role": RISK.upper().replace("3", "A")}, "$.role", "not_a_lineage"),
        ({"is": "grade", "grade": ""}, "$.grade", "missing"),
        ({"is": "tag", "tag": "a\x00b"}, "$.tag", "not_text"),
        ({"is": "tag", "tag": "\ud800"}, "$.tag", "not_text"),
        ({"is": "tag", "tag": " a"}, "$.tag", "not_text"),
        ({"is": "tag", "tag": "a" * 101}, "$.tag", "too_long"),
        ({"is": "language", "language": "ES"}, "$.language", "not_a_language"),
        ({"is": "started"}, "$", "choose_one"),
        ({"is": "started", "after": "2026-01-01", "before": "2027-01-01"}, "$", "choose_one"),
        ({"is": "started", "after": "20260101"}, "$.after", "not_a_date"),
        ({"is": "started", "before": "２０２６-01-01"}, "$.before", "not_a_date"),
        ({"is": "started", "days_ago_at_most": -1}, "$.days_ago_at_most", "out_of_range"),
        ({"is": "started", "days_ago_at_least": 10**30}, "$.days_ago_at_least", "out_of_range"),
        ({"is": "level", "competency": RISK, "at_least": 0}, "$.at_least", "out_of_range"),
        ({"is": "level", "competency": RISK, "at_least": 21}, "$.at_least", "out_of_range"),
        ({"is": "level", "competency": RISK}, "$", "choose_one"),
        ({"is": "manager", "person": "²"}, "$.person", "not_whole"),
    ],
)
def test_what_is_no_condition_is_refused_at_its_place(data, place, problem):
    assert refused(data) == [(place, problem)]


def nested(times: int):
    data = UNIT
    for _ in range(times):
        data = {"not": data}
    return data


def test_a_condition_may_be_six_deep_and_no_deeper():
    read_condition(nested(MAX_DEPTH - 1))
    assert refused(nested(MAX_DEPTH)) == [("$" + ".not" * MAX_DEPTH, "too_deep")]
    assert refused(nested(50_000)) == [("$" + ".not" * MAX_DEPTH, "too_deep")]


def test_a_rule_may_have_a_hundred_conditions_and_no_more():
    read_condition({"all": [UNIT] * MAX_CONDITIONS})
    assert refused({"all": [UNIT] * (MAX_CONDITIONS + 1)}) == [("$.all", "too_many")]
    assert refused({"any": [{"all": [UNIT] * 60}, {"all": [UNIT] * 60}]}) == [("$", "too_many")]
    assert refused({"all": [{"any": []}] * MAX_CONDITIONS + [1]}) == [("$.all", "too_many")]


# What it names


def test_what_a_condition_names_is_known_for_lookups():
    named = mentions(
        AllOf((CLOUD, Not(AnyOf((HasRole(ARCHITECT), HasManager(7)))), HoldsLevel(RISK, below=2), Started(after=TODAY)))
    )
    assert (named.units, named.roles, named.people, named.competencies) == ({2}, {ARCHITECT}, {7}, {RISK})
    assert named.by_start
    assert not named.by_day
    assert mentions(Not(Started(days_ago_at_most=3))).by_day


@unhurried
@given(conditions, people, people)
def test_facts_that_are_not_mentioned_change_no_answer(condition, one, other):
    named = mentions(condition)
    mixed = Facts(
        person_id=other.person_id,
        unit_paths=one.unit_paths if named.units else other.unit_paths,
        unit_ids=one.unit_ids if named.units else other.unit_ids,
        roles=frozenset(r for r in lineage_values if r in (one.roles if r in named.roles else other.roles)),
        grades=one.grades if named.grades else other.grades,
        language=one.language if named.languages else other.language,
        started_on=one.started_on if named.by_start else other.started_on,
        manager_ids=(one.manager_ids & named.people) | (other.manager_ids - named.people),
        tags=(one.tags & named.tags) | (other.tags - named.tags),
        held={c: (one if c in named.competencies else other).held.get(c, 0) for c in lineage_values},
    )
    assert holds(condition, mixed, as_of=TODAY) is holds(condition, one, as_of=TODAY)


lineage_values = (ARCHITECT, ANALYST, RISK, LAW)


@unhurried
@given(conditions, people, st.integers(-9, 9))
def test_only_a_condition_on_days_ago_changes_with_the_day_alone(condition, facts, shift):
    if not mentions(condition).by_day:
        later = TODAY + timedelta(days=shift)
        assert holds(condition, facts, as_of=later) is holds(condition, facts, as_of=TODAY)


@unhurried
@given(conditions, people)
def test_nobody_outside_the_units_it_is_tied_to_meets_a_condition(condition, facts):
    units = must_be_in(condition)
    if units is not None and holds(condition, facts, as_of=TODAY):
        assert any(holds(unit, facts, as_of=TODAY) for unit in units)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (AllOf((MINISTRY, CLOUD, HasTag("a"))), {CLOUD}),
        (AnyOf((CLOUD, AUDIT)), {CLOUD, AUDIT}),
        (AllOf((AnyOf((CLOUD, AUDIT)), MINISTRY)), {MINISTRY}),
        (AnyOf((CLOUD, HasTag("a"))), None),
        (Not(CLOUD), None),
        (Not(AnyOf((Not(CLOUD), HasTag("a")))), {CLOUD}),
    ],
)
def test_a_sweep_is_told_the_fewest_units_to_look_in(condition, expected):
    assert must_be_in(condition) == expected


def test_a_unit_that_moved_is_found_where_it_stands_now():
    rule = AllOf((Not(AUDIT), CLOUD))
    moved = with_paths(rule, {2: "00020007", 3: "0002"})
    assert moved == AllOf((Not(AUDIT), InUnit(2, "00020007", True)))
    assert holds(moved, fact(unit_paths=frozenset({"00020007"}), unit_ids=frozenset({2})), as_of=TODAY)


def test_a_unit_that_is_gone_is_no_reason_to_include_everybody():
    with pytest.raises(UnitsGone) as told:
        with_paths(Not(AnyOf((CLOUD, MINISTRY))), {1: "0001"})
    assert told.value.unit_ids == {2}


# The same said otherwise


@unhurried
@given(conditions, people)
def test_fewer_words_say_the_same(condition, facts):
    short = simplify(condition)
    assert holds(short, facts, as_of=TODAY) is holds(condition, facts, as_of=TODAY)
    assert simplify(short) == short
    assert depth_of(short) <= depth_of(condition)


@unhurried
@given(conditions, people)
def test_nots_pushed_inward_say_the_same_and_stand_before_single_conditions_only(condition, facts):
    pushed = push_nots(condition)
    assert holds(pushed, facts, as_of=TODAY) is holds(condition, facts, as_of=TODAY)
    assert depth_of(pushed) <= depth_of(condition)

    def only_before_leaves(node) -> bool:
        if isinstance(node, AllOf | AnyOf):
            return all(map(only_before_leaves, node.parts))
        return not isinstance(node, Not) or not isinstance(node.part, AllOf | AnyOf | Not)

    assert only_before_leaves(pushed)


@unhurried
@given(conditions, conditions, people)
def test_de_morgan(one, other, facts):
    def true(condition) -> bool:
        return holds(condition, facts, as_of=TODAY)

    assert true(Not(AllOf((one, other)))) is true(AnyOf((Not(one), Not(other))))
    assert true(Not(AnyOf((one, other)))) is true(AllOf((Not(one), Not(other))))


def test_simplifying_takes_out_what_says_nothing():
    twice = AllOf((CLOUD, AllOf((CLOUD, Not(Not(AUDIT)))), AnyOf((AUDIT,))))
    assert simplify(twice) == AllOf((CLOUD, AUDIT))
    assert simplify(AllOf((CLOUD, CLOUD))) == CLOUD


# The form


@unhurried
@given(grouped_rows, people)
def test_a_form_comes_back_as_it_was_filled_in(groups, facts):
    condition = from_rows(groups)
    assert to_rows(condition) == groups
    assert read_condition(write_condition(condition)) == condition
    assert holds(condition, facts, as_of=TODAY) is all(
        any(holds(row.leaf, facts, as_of=TODAY) is not row.negated for row in group) for group in groups
    )


@unhurried
@given(conditions, people)
def test_what_the_form_can_show_means_the_same_there(condition, facts):
    groups = to_rows(condition)
    if groups is not None:
        assert holds(from_rows(groups), facts, as_of=TODAY) is holds(condition, facts, as_of=TODAY)


def test_what_is_not_of_that_shape_is_not_bent_into_it():
    assert to_rows(AnyOf((AllOf((CLOUD, AUDIT)), MINISTRY))) is None
    assert to_rows(Not(AnyOf((CLOUD, AUDIT)))) == ((Row(CLOUD, True),), (Row(AUDIT, True),))


@unhurried
@given(grouped_rows)
def test_rows_are_read_as_they_are_written(groups):
    def written(row: Row):
        leaf = write_condition(row.leaf)
        return {"not": leaf} if row.negated else leaf

    assert read_rows([[written(row) for row in group] for group in groups]) == groups


def test_the_faults_of_a_form_name_group_and_row():
    assert refused([[UNIT, {"not": UNIT | {"unit": 0}}], [], [{"all": [UNIT]}], "x"], read_rows) == [
        ("$[0][1].not.unit", "out_of_range"),
        ("$[1]", "empty"),
        ("$[2][0]", "not_a_row"),
        ("$[3]", "not_a_row"),
    ]
    assert refused([], read_rows) == [("$", "empty")]
    assert refused([[UNIT] * 60, [UNIT] * 60], read_rows) == [("$", "too_many")]


def test_a_form_with_an_empty_group_or_none_is_no_rule_for_everybody():
    for groups, place in (((), "$"), (((Row(CLOUD),), ()), "$[1]")):
        with pytest.raises(ConditionRefused) as told:
            from_rows(groups)
        assert told.value.faults == (Fault(place, "empty"),)
