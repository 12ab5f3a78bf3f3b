from learning.changes import Change, PlannedStep, compare_steps
from learning.planning import Closing

RISK, LAW = 1, 2


def step(key: str, *pks: int) -> PlannedStep:
    return PlannedStep(key, tuple(Closing(pk, 0, 3, 3) for pk in pks))


def compare(old, new, *, passed=(), offered=("a", "b", "c"), required=None, held=None):
    return compare_steps(
        old,
        new,
        passed=frozenset(passed),
        offered=frozenset(offered),
        required={RISK: 3, LAW: 2} if required is None else required,
        held=held or {},
    )


def test_the_same_path_changes_nothing():
    assert compare([step("a", RISK)], [step("a", RISK)]) == ()


def test_a_passed_course_left_because_it_was_passed():
    assert compare([step("a", RISK)], [], passed=["a"], held={RISK: 3}) == (Change("removed", "a", "passed", (RISK,)),)


def test_a_course_leaves_when_other_evidence_shows_what_it_leads_to():
    assert compare([step("a", RISK)], [], held={RISK: 3}) == (Change("removed", "a", "held", (RISK,)),)


def test_a_course_leaves_when_no_role_asks_for_it():
    assert compare([step("a", RISK)], [], required={LAW: 2}) == (Change("removed", "a", "not_required", (RISK,)),)


def test_a_course_leaves_when_it_is_no_longer_offered():
    assert compare([step("a", RISK)], [], offered=["b"]) == (Change("removed", "a", "not_offered", (RISK,)),)


def test_a_course_leaves_for_a_shorter_way_and_the_new_one_says_what_it_is_for():
    assert compare([step("a", RISK)], [step("b", RISK)]) == (
        Change("removed", "a", "shorter", (RISK,)),
        Change("added", "b", "gap", (RISK,)),
    )


def test_a_course_that_only_prepares_another_says_so():
    assert compare([], [step("c"), step("b", LAW)]) == (
        Change("added", "c", "prerequisite"),
        Change("added", "b", "gap", (LAW,)),
    )
