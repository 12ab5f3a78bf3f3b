"""No sum or difference of what is shown speaks of one to four people, and none says "nobody" or "everybody"."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from competencies.suppression import EMPTY, MINIMUM, NOBODY, Figure, publish

# A busy machine is no fault of the code.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NODES = st.lists(
    st.tuples(st.integers(0, 13), st.sampled_from([0, 0, 1, 2, 3, 4, 5, 6, 9, 30]), st.integers(0, 30)),
    min_size=1,
    max_size=12,
)


def as_tree(nodes):
    """Parents before children, each branch in one piece: a node hangs below one of those above the node before it."""
    parents = []
    for number, (up, _people, _at_level) in enumerate(nodes):
        above, spine = number - 1, [-1]
        while above >= 0:
            spine.append(above)
            above = parents[above]
        parents.append(spine[up % len(spine)])
    return parents, [people for _up, people, _at in nodes], [at % (people + 1) for _up, people, at in nodes]


def trees():
    return NODES.map(as_tree)


def branches(parents):
    below = [{node} for node in range(len(parents))]
    for node in reversed(range(len(parents))):
        if parents[node] >= 0:
            below[parents[node]] |= below[node]
    return below


def shown_sets(parents, published):
    """Every figure that is shown, as the set of nodes whose people it counts."""
    below = branches(parents)
    shown = [({node}, figure) for node, figure in enumerate(published.direct) if figure is not None]
    shown += [(below[node], figure) for node, figure in enumerate(published.total) if figure is not None]
    if published.whole is not None:
        shown.append((set(range(len(parents))), published.whole))
    return shown


@unhurried
@given(trees())
def test_a_figure_that_is_shown_counts_its_people_rightly(tree):
    parents, people, _at_level = tree
    for nodes, figure in shown_sets(parents, publish(*tree)):
        assert figure.people == sum(people[node] for node in nodes)
        assert figure.people == 0 or figure.people >= MINIMUM
        assert 0 <= figure.at_level <= figure.people


@unhurried
@given(trees())
def test_no_sum_or_difference_of_shown_figures_speaks_of_a_small_group(tree):
    """Any three shown figures, added or taken from each other, leave nobody or at least five people."""
    parents, people, _at_level = tree
    sets = [nodes for nodes, _figure in shown_sets(parents, publish(*tree))]
    rows = np.array([[node in nodes for node in range(len(parents))] for nodes in sets], dtype=int)
    rows = np.unique(rows.reshape(len(sets), len(parents)), axis=0)
    seats = np.array(people)
    for count in (1, 2, 3):
        for chosen in itertools.combinations(range(min(len(rows), 16)), count):
            for signs in itertools.product((1, -1), repeat=count):
                left = sum(sign * rows[row] for sign, row in zip(signs, chosen, strict=True))
                support = int(seats[np.asarray(left) != 0].sum())
                assert support == 0 or support >= MINIMUM, (chosen, signs)


@unhurried
@given(trees())
def test_nothing_that_is_linear_in_shown_figures_tells_the_groups_of_a_block_apart(tree):
    """All shown figures weigh the people of a block alike: so does everything that can be computed from them."""
    parents, people, _at_level = tree
    published = publish(*tree)
    for nodes, _figure in shown_sets(parents, published):
        for block in set(published.block_of) - {EMPTY}:
            cells = {node for node, own in enumerate(published.block_of) if own == block}
            assert not cells & nodes or cells <= nodes
            assert sum(people[cell] for cell in cells) >= MINIMUM or published.whole is None


@unhurried
@given(trees())
def test_what_is_shown_is_the_same_whether_nobody_of_a_block_is_at_the_level_or_one(tree):
    parents, people, at_level = tree
    published = publish(*tree)
    for block in set(published.block_of) - {EMPTY}:
        cells = [node for node, own in enumerate(published.block_of) if own == block]
        none, one = list(at_level), list(at_level)
        for cell in cells:
            none[cell] = one[cell] = 0
        one[cells[0]] = 1
        assert publish(parents, people, none) == publish(parents, people, one)
        all_, but_one = list(at_level), list(at_level)
        for cell in cells:
            all_[cell] = but_one[cell] = people[cell]
        but_one[cells[-1]] -= 1
        assert publish(parents, people, all_) == publish(parents, people, but_one)


@unhurried
@given(trees(), st.sets(st.integers(0, 13)))
def test_what_a_reader_knows_anyhow_protects_nobody(tree, known):
    """Her own units are exact and outside the blocks: taking them away from a total still leaves five people or none."""
    parents, people, at_level = tree
    known = {node for node in known if node < len(parents)}
    published = publish(*tree, known=known)
    below = branches(parents)
    for node in range(len(parents)):
        if node in known:
            assert published.direct[node] == Figure(people[node], at_level[node])
        figure = published.total[node]
        if figure is not None:
            rest = sum(people[cell] for cell in below[node] - known)
            assert rest == 0 or rest >= MINIMUM
            assert figure.exact == (rest == 0)


@unhurried
@given(trees())
def test_who_knows_everything_sees_everything(tree):
    parents, people, at_level = tree
    published = publish(*tree, known=range(len(parents)))
    assert None not in [*published.direct, *published.total, published.whole]
    assert published.whole == Figure(sum(people), sum(at_level))


@unhurried
@given(trees())
def test_the_whole_is_shown_wherever_there_are_enough_people(tree):
    whole = publish(*tree).whole
    assert (whole is not None) == (sum(tree[1]) == 0 or sum(tree[1]) >= MINIMUM)


def test_the_worked_example_of_the_page():
    """docs/algorithms/standing.md: a ministry (6 of its own) with three units of 9, 3 and 1."""
    published = publish([-1, 0, 0, 0], [6, 9, 3, 1], [6, 4, 2, 0])
    assert published.whole == published.total[0] == Figure(19, 12, exact=False)
    assert published.total[1] == Figure(9, 4, exact=False)
    assert [published.direct[0], published.total[2], published.total[3]] == [None, None, None]


def test_small_units_that_are_enough_together_hide_nothing_else():
    published = publish([-1, 0, 0, 0], [6, 9, 3, 2], [3, 4, 2, 0])
    assert published.direct[0] == Figure(6, 3, exact=False)
    assert published.total[1] == Figure(9, 4, exact=False)
    assert published.total[2] is published.total[3] is None


def test_a_drill_down_page_does_not_give_away_what_the_page_above_hides():
    """A branch of 12 stands beside a unit of 2; what takes the 2 in is one group of the branch, and its head is hidden."""
    parents, people = [-1, 0, 1, 1, 0], [0, 0, 5, 7, 2]
    published = publish(parents, people, [0, 0, 3, 3, 1])
    assert published.total[0] == published.whole == Figure(14, 7, exact=False)
    assert published.total[1] is None
    assert published.total[2] is None
    assert published.total[3] == Figure(7, 3, exact=False)
    assert published.total[4] is None


@pytest.mark.parametrize("people", [[0, 0], [4, 0], [2, 2]])
def test_an_organisation_that_is_too_small_shows_nothing_but_emptiness(people):
    published = publish([-1, 0], people, [0, 0])
    figures = [*published.direct, *published.total, published.whole]
    assert all(figure in (None, NOBODY) for figure in figures)
    assert (published.whole is None) == (sum(people) > 0)
