"""A curated path as values: progress, least time, order, differences."""

from __future__ import annotations

from itertools import count, permutations

import pytest
from i18nfield.strings import LazyI18nString

from learning.stages import Difference, Stage, differences, minutes_left, out_of_order, progress

_ids = count(1)


def stage(title: str, keys: str, choose: int | None = None) -> Stage:
    return Stage(next(_ids), 1, 1, LazyI18nString({"en": title}), choose, tuple(keys))


BASICS, CHOICE = stage("Basics", "ab"), stage("Choice", "cdefg", 2)
PATH = (BASICS, CHOICE)


@pytest.mark.parametrize(
    ("done", "counted", "pct"),
    [("", 0, 0), ("a", 1, 25), ("abc", 3, 75), ("cdefg", 2, 50), ("abcd", 4, 100), ("abcdefg", 4, 100), ("xyz", 0, 0)],
)
def test_of_a_choice_no_more_courses_count_than_are_needed(done, counted, pct):
    found = progress(PATH, set(done))
    assert (found.needed, found.counted, found.pct) == (4, counted, pct)
    assert found.is_complete == (pct == 100)


def test_a_hundred_percent_is_said_only_at_the_end():
    many = (stage("Many", "abcdefghijklmnopqrstuvwxyz" * 1), stage("More", "0123456789"))
    assert progress(many, set("abcdefghijklmnopqrstuvwxyz012345678")).pct == 97
    assert progress((), set()).pct == 0
    assert not progress((), set()).is_complete


def test_more_courses_never_lessen_progress():
    for order in permutations("acd"):
        shares = [progress(PATH, set(order[:n])).pct for n in range(4)]
        assert shares == sorted(shares)


def test_what_is_left_of_a_choice_is_the_shortest_of_what_is_missing():
    minutes = dict(zip("abcdefg", (60, 30, 50, 40, 10, 20, 90), strict=True))
    assert minutes_left(PATH, minutes) == 60 + 30 + 10 + 20
    assert minutes_left(PATH, minutes, "a") == 30 + 10 + 20
    assert minutes_left(PATH, minutes, "ag") == 30 + 10
    assert minutes_left(PATH, minutes, "abcd") == 0
    assert minutes_left(PATH, {"a": 60}) == 60


def test_a_prerequisite_in_a_later_stage_is_found_also_behind_a_course_that_is_not_in_the_path():
    assert out_of_order(PATH, {"c": {"a"}, "a": {"b"}}) == ()
    assert out_of_order(PATH, {"a": {"c"}}) == (("a", "c"),)
    assert out_of_order(PATH, {"b": {"x"}, "x": {"d"}}) == (("b", "d"),)
    assert out_of_order(PATH, {"a": {"b"}, "b": {"a"}}) == ()


def kinds(before: tuple[Stage, ...], after: tuple[Stage, ...]) -> list[tuple[str, str]]:
    return [(found.kind, found.key) for found in differences(before, after)]


def test_a_copy_differs_in_nothing():
    assert kinds(PATH, (stage("Basics", "ab"), stage("Choice", "cdefg", 2))) == []


def test_every_change_is_named_once():
    assert kinds(PATH, (stage("Basics", "abh"), stage("Choice", "cdefg", 3))) == [("added", "h"), ("choice", "")]
    assert kinds(PATH, (stage("Basics", "a"), stage("Choice", "bcdefg", 2))) == [("moved", "b")]
    assert kinds(PATH, (stage("Basics", "ba"), stage("Choice", "cdefg", 2))) == [("order", "")]
    assert kinds(PATH, (stage("Choice", "cdefg", 2), stage("Basics", "ab"))) == [("stages_moved", "")]
    assert kinds(PATH, (stage("First steps", "ab"), stage("Choice", "cdefg", 2))) == [("stage_renamed", "")]
    assert kinds(PATH, (stage("Basics", "ab"),)) == [("stage_removed", "")] + [("removed", key) for key in "cdefg"]
    assert kinds(PATH, (*PATH, stage("Last", "h"))) == [("stage_added", ""), ("added", "h")]


def test_a_course_that_moves_is_told_with_both_stages():
    after = (stage("Basics", "a"), stage("Choice", "bcdefg", 2))
    assert differences(PATH, after) == (Difference("moved", "b", before=BASICS, after=after[1]),)
