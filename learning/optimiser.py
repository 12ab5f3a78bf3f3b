"""The integer programme behind a path, solved in stages with HiGHS. Pure.

1. The greedy answer is an upper bound on the minutes, the linear relaxation a lower one.
2. A course whose reduced cost exceeds their difference is in no plan as short as the greedy one (or, negative, in all
   of them): it is fixed. What is left is solved as an integer programme, if the relaxation has fractions at all.
3. Among the shortest plans the one with the fewest changes is chosen, then by key; the minutes are a constraint then.

Docs: docs/algorithms/planning.md. The reason for HiGHS and for stages: docs/decisions/0018.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import highspy
import numpy as np

from learning.greedy import choose_greedily, without_redundant
from learning.path_terms import Model, ProofStatus

# Reduced costs and bounds are floating point; minutes are whole numbers.
TOLERANCE = 1e-4
# With so few courses left to choose among, the last tie is broken by powers of two: exactly lexicographic.
EXACT_TIES = 20


class NotSolved(RuntimeError):
    """The solver gave no answer; with this model that is a fault, never a property of the input."""


@dataclass(frozen=True)
class Chosen:
    """Columns, and how far their cost is proven: no feasible set costs less than `bound`."""

    columns: frozenset[int]
    bound: int
    status: ProofStatus


@dataclass(frozen=True)
class Extra:
    """More for a later stage: columns of their own (cost, upper bound) and rows (lower, upper, {column: factor})."""

    columns: tuple[float, ...] = ()
    rows: tuple[tuple[float, float, dict[int, float]], ...] = ()


def choose_least(model: Model, *, wanted: frozenset[int], time_limit_seconds: float) -> Chosen:
    """The cheapest columns that meet every cover; among them the fewest changes to `wanted`, then by column.

    Raises NotSolved if the solver fails other than by its time limit.
    """
    if not any(least > 0 for _columns, least in model.covers):
        return Chosen(frozenset(), 0, "optimal")
    until = time.perf_counter() + time_limit_seconds
    best = choose_greedily(model)
    if time_limit_seconds <= 0:
        return Chosen(best, 0, "greedy")
    solver = _Solver(model)
    relaxed = solver.relax(until)
    if relaxed is None:
        return Chosen(best, 0, "greedy")
    bound = max(0, math.ceil(relaxed.cost - TOLERANCE))
    if relaxed.is_whole and model.is_feasible(relaxed.columns):
        best = relaxed.columns
    elif model.cost(best) > bound:
        guided = choose_greedily(
            model, [cost * (1.0 - value) + 1e-3 for cost, value in zip(model.costs, relaxed.values, strict=True)]
        )
        best = min((best, guided), key=lambda columns: (model.cost(columns), sorted(columns)))
    if model.cost(best) > bound:
        solver.fix(relaxed, model.cost(best))
        found = solver.finish(best, until)
        if found.columns is not None and model.is_feasible(found.columns):
            columns = without_redundant(model, found.columns)
            from_solver = model.cost(columns) <= model.cost(best)
            best = columns if from_solver else best
        else:
            from_solver = False
        bound = min(max(bound, found.bound), model.cost(best))
        if not found.is_proven and bound < model.cost(best):
            return Chosen(best, bound, "limit" if from_solver else "greedy")
    least = model.cost(best)
    solver.fix(relaxed, least)
    return Chosen(solver.break_ties(best, least, wanted, until), least, "optimal")


@dataclass(frozen=True)
class _Relaxed:
    cost: float
    values: Sequence[float]
    reduced: Sequence[float]
    columns: frozenset[int]
    is_whole: bool


@dataclass(frozen=True)
class _Found:
    columns: frozenset[int] | None
    bound: int
    is_proven: bool


class _Solver:
    """One HiGHS object for all stages of one model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.size = len(model.costs)
        self.lower = np.zeros(self.size)
        self.upper = np.ones(self.size)
        self.highs = _quiet()
        self.highs.passModel(_programme(model))

    def relax(self, until: float) -> _Relaxed | None:
        """The linear relaxation, None when the time is over before it is solved."""
        status = self._run(until)
        if status == highspy.HighsModelStatus.kTimeLimit:
            return None
        if status != highspy.HighsModelStatus.kOptimal:
            raise NotSolved(str(status))
        solution = self.highs.getSolution()
        values = np.asarray(solution.col_value)
        return _Relaxed(
            self.highs.getInfo().objective_function_value,
            values.tolist(),
            list(solution.col_dual),
            _columns(values),
            bool(np.all(np.abs(values - np.round(values)) < 1e-6)),
        )

    def fix(self, relaxed: _Relaxed, most: int) -> None:
        """Fix columns that are the same in every solution that costs `most` or less."""
        slack = most - relaxed.cost + TOLERANCE
        reduced = np.asarray(relaxed.reduced)
        self.upper[reduced > slack] = 0.0
        self.lower[reduced < -slack] = 1.0

    def free(self) -> list[int]:
        return np.flatnonzero(self.lower < self.upper).tolist()

    def finish(self, start: frozenset[int], until: float) -> _Found:
        """The cheapest whole solution among what is not fixed."""
        self._make_whole(start)
        status = self._run(until)
        info = self.highs.getInfo()
        has_point = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        columns = _columns(np.asarray(self.highs.getSolution().col_value)) if has_point else None
        dual = info.mip_dual_bound
        bound = math.ceil(dual - TOLERANCE) if math.isfinite(dual) else 0
        if status == highspy.HighsModelStatus.kOptimal:
            return _Found(columns, bound, True)
        if status in (highspy.HighsModelStatus.kTimeLimit, highspy.HighsModelStatus.kInterrupt):
            return _Found(columns, bound, False)
        raise NotSolved(str(status))

    def break_ties(self, best: frozenset[int], least: int, wanted: frozenset[int], until: float) -> frozenset[int]:
        """Among the solutions that cost `least` the one with the fewest changes to `wanted`, then by column."""
        free = self.free()
        if not free:
            return best
        self._make_whole(best)
        # A change weighs more than all ties by column together; the sums stay far below 2**53.
        ties = [2**place for place in range(len(free))] if len(free) <= EXACT_TIES else list(range(1, len(free) + 1))
        change = sum(ties) + 1
        prices = np.zeros(self.size)
        for tie, column in zip(ties, free, strict=True):
            prices[column] = tie + (-change if column in wanted else change)
        everything = np.arange(self.size, dtype=np.int32)
        self.highs.changeColsCost(self.size, everything, prices)
        self.highs.addRow(-highspy.kHighsInf, float(least), self.size, everything, np.asarray(self.model.costs, float))
        status = self._run(until)
        if status == highspy.HighsModelStatus.kOptimal:
            columns = _columns(np.asarray(self.highs.getSolution().col_value))
            if self.model.is_feasible(columns) and self.model.cost(columns) == least:
                return columns
        return best

    def _make_whole(self, start: frozenset[int]) -> None:
        everything = np.arange(self.size, dtype=np.int32)
        self.highs.changeColsBounds(self.size, everything, self.lower, self.upper)
        self.highs.changeColsIntegrality(self.size, everything, np.full(self.size, highspy.HighsVarType.kInteger))
        values = np.zeros(self.size)
        values[sorted(start)] = 1.0
        self.highs.setSolution(self.size, everything, values)

    def _run(self, until: float) -> highspy.HighsModelStatus:
        left = until - time.perf_counter()
        if left <= 0:
            return highspy.HighsModelStatus.kTimeLimit
        self.highs.setOptionValue("time_limit", self.highs.getRunTime() + left)  # its clock goes on from run to run
        self.highs.run()
        return self.highs.getModelStatus()


def _quiet() -> highspy.Highs:
    solver = highspy.Highs()
    solver.silent()
    for option, value in (("threads", 1), ("random_seed", 0), ("mip_rel_gap", 0.0), ("mip_abs_gap", 0.0)):
        solver.setOptionValue(option, value)
    return solver


def _programme(model: Model) -> highspy.HighsLp:
    size, rows = len(model.costs), len(model.covers) + len(model.needs)
    index: list[int] = []
    value: list[float] = []
    start = [0]
    lower: list[float] = []
    for columns, least in model.covers:
        index.extend(columns)
        value.extend([1.0] * len(columns))
        start.append(len(index))
        lower.append(float(least))
    for after, before in model.needs:
        index.extend((before, after))
        value.extend((1.0, -1.0))
        start.append(len(index))
        lower.append(0.0)
    programme = highspy.HighsLp()
    programme.num_col_, programme.num_row_ = size, rows
    programme.col_cost_ = np.asarray(model.costs, float)
    programme.col_lower_, programme.col_upper_ = np.zeros(size), np.ones(size)
    programme.row_lower_, programme.row_upper_ = np.asarray(lower), np.full(rows, highspy.kHighsInf)
    programme.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    programme.a_matrix_.start_ = np.asarray(start, np.int32)
    programme.a_matrix_.index_ = np.asarray(index, np.int32)
    programme.a_matrix_.value_ = np.asarray(value)
    return programme


def _columns(values: Iterable[float]) -> frozenset[int]:
    return frozenset(column for column, value in enumerate(values) if value > 0.5)
