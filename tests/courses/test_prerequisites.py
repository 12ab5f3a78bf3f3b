"""The graph of prerequisites: a circle is found and named, and nothing else is called one."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.prerequisites import find_cycle


@pytest.mark.parametrize(
    ("edges", "cycle"),
    [
        ({}, []),
        ({"a": []}, []),
        ({"a": ["b"], "b": ["c"]}, []),
        ({"a": ["b", "c"], "b": ["d"], "c": ["d"]}, []),  # two ways to the same course
        ({"a": ["a"]}, ["a", "a"]),
        ({"a": ["b"], "b": ["a"]}, ["a", "b", "a"]),
        ({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}, ["a", "b", "c", "a"]),
        ({"x": ["a"], "a": ["b"], "b": ["a"]}, ["a", "b", "a"]),
    ],
)
def test_a_circle_is_named_in_the_order_needs(edges, cycle):
    found = find_cycle(edges)
    assert len(found) == len(cycle)
    assert set(found) == set(cycle)
    assert all(needed in edges[course] for course, needed in pairwise(found))
    assert not found or found[0] == found[-1]


keys = st.sampled_from("abcdefgh")


@given(st.dictionaries(keys, st.lists(keys)))
def test_a_circle_is_one_and_without_one_there_is_an_order(edges):
    cycle = find_cycle(edges)
    if cycle:
        assert cycle[0] == cycle[-1]
        assert len(set(cycle)) == len(cycle) - 1
        assert all(needed in edges[course] for course, needed in pairwise(cycle))
        return
    done: set[str] = set()
    waiting = set(edges)
    while waiting:
        ready = {key for key in waiting if all(other in done or other not in edges for other in edges[key])}
        assert ready
        done |= ready
        waiting -= ready


@given(st.dictionaries(keys, st.lists(keys)), st.randoms(use_true_random=False))
def test_the_same_circle_is_named_however_the_courses_are_listed(edges, chance):
    shuffled = list(edges.items())
    chance.shuffle(shuffled)
    assert find_cycle(dict(shuffled)) == find_cycle({key: others[::-1] for key, others in edges.items()})
