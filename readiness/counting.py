"""Counting the ballots of a wave: from answers to everything that is kept. Pure: it takes ballots and a tree.

Whatever leaves here is about classes of at least k, or is of the whole body. docs/algorithms/sealing.md says why.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from readiness.ballot import Ballot
from readiness.cuts import shown_categories
from readiness.questionnaire import (
    block_codes,
    block_positions,
    item_codes,
    pulse_key,
    pulse_positions,
    question_codes,
)
from readiness.sealing import Sealed, Tree, seal
from readiness.statistics import drivers, reliability, scores
from readiness.statistics.agreement import icc
from readiness.statistics.display import PROVISIONAL_FROM
from readiness.totals import BlockTotals, known, totals_of

# The block whose variance the others are asked to explain: what people are ready to do.
OUTCOME_BLOCK = "commitment"
# Categories that may not be shown alone are one column, and their count is not said.
LEAST_COMMENT_WRITERS = 10


class Shuffler(Protocol):
    def shuffle(self, x: list[Any]) -> None: ...


class StrangeBallot(ValueError):
    """A ballot from a unit that is not in the survey. Says nothing of what it holds."""


@dataclass(frozen=True)
class PlacedComment:
    question: str
    node: str
    text: str
    place: int


@dataclass(frozen=True)
class Counted:
    """All that is kept of a wave. `sheets`: (class, answers in the order of the items), shuffled."""

    sealed: Sealed
    sheets: tuple[tuple[str, tuple[int, ...]], ...] = ()
    class_totals: Mapping[tuple[str, str], BlockTotals] = field(default_factory=dict)
    node_totals: Mapping[tuple[str, str], BlockTotals] = field(default_factory=dict)
    cut_totals: Mapping[tuple[str, str], BlockTotals] = field(default_factory=dict)
    comments: tuple[PlacedComment, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)


def count(ballots: Sequence[Ballot], tree: Tree, questionnaire: Mapping[str, Any], k: int, by: Shuffler) -> Counted:
    """Count the ballots of one wave.

    `by` shuffles in place with secure chance: sheets and comments must not stand in the order in which they came.
    Of fewer than k ballots nothing is left. Raises StrangeBallot.
    """
    if any(ballot.node not in tree.position for ballot in ballots):
        raise StrangeBallot
    sealed = seal(tree, Counter(ballot.node for ballot in ballots), k)
    if sealed.is_destroyed:
        return Counted(sealed)
    codes = item_codes(questionnaire)
    rows = [
        (sealed.class_of[ballot.node], ballot.category, tuple(ballot.answers.get(code, 0) for code in codes))
        for ballot in ballots
    ]
    by.shuffle(rows)
    class_totals, cut_totals = _totals(rows, questionnaire, k)
    return Counted(
        sealed,
        tuple((node, answers) for node, _category, answers in rows),
        class_totals,
        _of_nodes(sealed, class_totals),
        cut_totals,
        _placed(ballots, tree, questionnaire, k, by),
        _summary(rows, questionnaire, class_totals) | {"groups": _groups(class_totals, questionnaire)},
    )


Row = tuple[str, str, tuple[int, ...]]


def _totals(
    rows: Sequence[Row], questionnaire: Mapping[str, Any], k: int
) -> tuple[dict[tuple[str, str], BlockTotals], dict[tuple[str, str], BlockTotals]]:
    """By (class, block), and by (category, block) for the whole body."""
    matrix = np.array([answers for _node, _category, answers in rows], dtype=np.int8)
    members: dict[str, list[int]] = defaultdict(list)
    for at, (node, _category, _answers) in enumerate(rows):
        members[node].append(at)
    categories = np.array([category for _node, category, _answers in rows])
    by_class: dict[tuple[str, str], BlockTotals] = {}
    by_category: dict[tuple[str, str], BlockTotals] = {}
    pulse = pulse_positions(questionnaire)
    for block, where in block_positions(questionnaire).items():
        cells: Counter[tuple[str, str]] = Counter()
        of_category: dict[str, list[NDArray[np.float64]]] = defaultdict(list)
        for node, sheets in members.items():
            answers = matrix[sheets, where]
            values, counts = completed_rows(answers)
            if len(values) < k:
                continue
            by_class[node, block] = totals_of(values)
            if block in pulse:
                by_class[node, pulse_key(block)] = totals_of(values[:, pulse[block]])
            theirs = categories[sheets][counts]
            for category in set(theirs.tolist()):
                of = values[theirs == category]
                cells[node, category] += len(of)
                of_category[category].append(of)
        for category in shown_categories(cells, k):
            by_category[category, block] = totals_of(np.concatenate(of_category[category]))
    return by_class, by_category


def completed_rows(answers: NDArray[np.int8]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The completed sheets that count, and which of the rows they are."""
    values = known(answers)
    return scores.completed(values), scores.counting(values)


def _of_nodes(sealed: Sealed, by_class: Mapping[tuple[str, str], BlockTotals]) -> dict[tuple[str, str], BlockTotals]:
    """Of each unit with classes at it or below the sum of their totals, in one pass from the leaves up."""
    found: dict[str, dict[str, BlockTotals]] = defaultdict(dict)
    for (node, block), totals in by_class.items():
        found[node][block] = totals
    for code in reversed(sealed.tree.codes):
        above = sealed.tree.parent[code]
        if above is None or code not in found:
            continue
        for block, totals in found[code].items():
            known = found[above].get(block)
            found[above][block] = totals if known is None else known + totals
    return {(code, block): totals for code, blocks in found.items() for block, totals in blocks.items()}


def _groups(
    class_totals: Mapping[tuple[str, str], BlockTotals], questionnaire: Mapping[str, Any]
) -> dict[str, dict[str, float | None]]:
    """Of each block how much classes differ: what draws a small unit's figure to that of all. {} for a single class."""
    found: dict[str, dict[str, float | None]] = {}
    for block in block_codes(questionnaire):
        classes = [totals.means for (_node, code), totals in class_totals.items() if code == block]
        groups = icc(classes)
        if groups is not None:
            found[block] = {
                "grand": sum(totals.sum for totals in classes) / sum(totals.n for totals in classes),
                "tau2": groups.tau2,
                "ms_within": groups.ms_within,
                "icc1": groups.icc1_k0,
                "icc2": groups.icc2,
            }
    return found


def _placed(
    ballots: Sequence[Ballot], tree: Tree, questionnaire: Mapping[str, Any], k: int, by: Shuffler
) -> tuple[PlacedComment, ...]:
    """Comments where at least ten people of a unit wrote something to the question, in an order of their own."""
    found = []
    for question in question_codes(questionnaire):
        said = [(ballot.node, ballot.comments[question]) for ballot in ballots if ballot.comments.get(question)]
        sealed = seal(tree, Counter(node for node, _text in said), max(LEAST_COMMENT_WRITERS, k))
        if sealed.is_destroyed:
            continue
        placed = [(sealed.class_of[node], text) for node, text in said]
        by.shuffle(placed)
        found += [PlacedComment(question, node, text, place) for place, (node, text) in enumerate(placed)]
    return tuple(found)


def _summary(
    rows: Sequence[Row], questionnaire: Mapping[str, Any], class_totals: Mapping[tuple[str, str], BlockTotals]
) -> dict[str, Any]:
    """What is said of the questionnaire itself, for the whole body: how far it hangs together, what goes along with what.

    Of a block only sheets of classes with a figure for it take part, as in every other figure.
    """
    matrix = known([answers for _node, _category, answers in rows])
    positions = block_positions(questionnaire)
    trust: dict[str, dict[str, Any]] = {}
    means: dict[str, NDArray[np.float64]] = {}
    for block, where in positions.items():
        figured = np.array([(node, block) in class_totals for node, _category, _answers in rows])
        answers = np.where(figured[:, None], matrix[:, where], np.nan)
        whole = reliability.complete(answers)
        if len(whole) >= PROVISIONAL_FROM and whole.shape[1] > 1:
            covariance = np.atleast_2d(np.cov(whole, rowvar=False))
            trust[block] = {
                "n": len(whole),
                "alpha": _short(reliability.alpha(whole)),
                "omega": _short(reliability.omega(covariance)),
            }
        means[block] = scores.person_means(answers)
    weights, between = _weights(means, questionnaire)
    return {"reliability": trust, "weights": weights, "weights_between": between}


def _weights(
    means: Mapping[str, NDArray[np.float64]], questionnaire: Mapping[str, Any]
) -> tuple[dict[str, float], dict[str, list[float]]]:
    """Which share of what is explained of the commitment each block takes, and between which ends it lies if others of the
    body had answered; empty where it may not be said."""
    readiness = [block["code"] for block in questionnaire["blocks"] if block["kind"] == "readiness"]
    among = [code for code in readiness if code != OUTCOME_BLOCK]
    if OUTCOME_BLOCK not in readiness or len(among) < 2:
        return {}, {}
    table = np.column_stack([means[code] for code in [*among, OUTCOME_BLOCK]])
    table = table[~np.isnan(table).any(axis=1)]
    if len(table) < 2 or (table.std(axis=0) == 0).any():
        return {}, {}
    r = np.atleast_2d(np.corrcoef(table, rowvar=False))
    found = drivers.relative_weights(r[:-1, :-1], r[:-1, -1])
    if found is None or not found.shares or not drivers.may_be_shown(found, len(table)):
        return {}, {}
    weights = {code: round(share, 2) for code, share in zip(among, found.shares, strict=True)}
    # The sheets stand in an order of secure chance already; the same of them are drawn again whenever this is repeated.
    spread = drivers.bootstrap(table[:, :-1], table[:, -1], np.random.default_rng(len(table)))
    if spread is None:
        return weights, {}
    ends = zip(among, spread.shares, strict=True)
    return weights, {code: [round(low, 2), round(high, 2)] for code, (low, high) in ends}


def _short(value: float | None) -> float | None:
    return None if value is None else round(float(value), 2)
