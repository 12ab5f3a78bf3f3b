"""The integer programme behind a path, solved in stages with HiGHS. Pure.

1. The greedy answer is an upper bound on the minutes, the linear relaxation a lower one.
2. A course whose reduced cost exceeds their difference is in no plan as short as the greedy one (or, negative, in all
   of them): it is fixed. What is left is solved as an integer programme, if the relaxation has fractions at all.
3. Among the shortest plans the one with the fewest changes is chosen; the minutes are a constraint then. Where few
   courses are left to choose among, the last tie goes by key; else it is the solver's, which is the same every time:
   one thread, one seed, columns in the order of their keys.

Docs: docs/algorithms/planning.md. The reason for HiGHS and for stages: docs/decisions/0018.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
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
class Claim:
    """Something due by the date with this number: `least` of these columns are to be over by then."""

    date: int
    columns: tuple[int, ...]
    least: int


@dataclass(frozen=True)
class Dates:
    """The dates something is due by, ascending: what fits before each, and which column cannot be over by it.

    `minutes` are those of the columns in the units of `room`; a column of 0 takes no room.
    """

    room: tuple[int, ...]
    minutes: tuple[int, ...]
    claims: tuple[Claim, ...]
    impossible: frozenset[tuple[int, int]] = frozenset()  # (column, date)


def choose_in_time(
    model: Model, dates: Dates, *, fixed: frozenset[int], wanted: frozenset[int], most: int, time_limit_seconds: float
) -> InTime | None:
    """Of the sets that cost `most` or less the one with most claims in time, then with the fewest changes to `wanted`.

    Courses over by each date are nested sets closed under prerequisites whose minutes fit before it: then, and only
    then, an order exists that has them over in time. None if the time limit is hit before there is an answer.
    """
    size, count = len(model.costs), len(dates.room)
    over = {(c, d): size + c * count + d for c in range(size) for d in range(count)}
    claims = size + size * count
    total = claims + len(dates.claims)
    rows: list[tuple[float, dict[int, float]]] = []  # at least
    for columns, least in model.covers:
        rows.append((float(least), dict.fromkeys(columns, 1.0)))
    for after, before in model.needs:
        rows.append((0.0, {before: 1.0, after: -1.0}))
        rows += [(0.0, {over[before, d]: 1.0, over[after, d]: -1.0}) for d in range(count)]
    for (column, day), variable in over.items():
        later = over[column, day + 1] if day + 1 < count else column
        rows.append((0.0, {later: 1.0, variable: -1.0}))
    for day, room in enumerate(dates.room):
        rows.append((-float(room), {over[c, day]: -float(m) for c, m in enumerate(dates.minutes) if m}))
    for number, claim in enumerate(dates.claims):
        rows.append((0.0, {claims + number: -float(claim.least)} | {over[c, claim.date]: 1.0 for c in claim.columns}))
    rows.append((-float(most), {c: -float(cost) for c, cost in enumerate(model.costs) if c not in fixed}))
    lower, upper, prices = np.zeros(total), np.ones(total), np.zeros(total)
    lower[sorted(fixed)] = 1.0
    upper[[over[pair] for pair in dates.impossible]] = 0.0
    prices[:size] = [-1.0 if column in wanted else 1.0 for column in range(size)]
    prices[claims:] = -2.0 * (size + 1)
    solver = _quiet()
    programme = _assembled(prices, lower, upper, rows)
    programme.integrality_ = [highspy.HighsVarType.kInteger] * total
    solver.passModel(programme)
    solver.setOptionValue("time_limit", time_limit_seconds)
    solver.run()
    if solver.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return None
    values = solver.getSolution().col_value
    by = {c: min((d for d in range(count) if values[over[c, d]] > 0.5), default=count) for c in range(size)}
    return InTime(_columns(values[:size]), {c: d for c, d in by.items() if d < count})


@dataclass(frozen=True)
class InTime:
    """Columns, and by which date (its number) each of them is over, where it is by any."""

    columns: frozenset[int]
    over_by: Mapping[int, int]


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
        kept = frozenset(wanted) & frozenset(range(self.size))
        if self.model.is_feasible(kept) and self.model.cost(kept) == least:
            return kept  # not one change: no other plan has so few
        by_key = len(free) <= EXACT_TIES
        if not free or not (by_key or kept):
            return best
        self._make_whole(best)
        ties = [2**place if by_key else 0 for place in range(len(free))]
        change = sum(ties) + 1  # one change weighs more than all ties together; the sums stay far below 2**53
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
    rows = [(float(least), dict.fromkeys(columns, 1.0)) for columns, least in model.covers]
    rows += [(0.0, {before: 1.0, after: -1.0}) for after, before in model.needs]
    size = len(model.costs)
    return _assembled(np.asarray(model.costs, float), np.zeros(size), np.ones(size), rows)


def _assembled(
    prices: np.ndarray, lower: np.ndarray, upper: np.ndarray, rows: Sequence[tuple[float, dict[int, float]]]
) -> highspy.HighsLp:
    """A programme from rows that are at least something: (least, {column: factor})."""
    programme = highspy.HighsLp()
    programme.num_col_, programme.num_row_ = len(prices), len(rows)
    programme.col_cost_, programme.col_lower_, programme.col_upper_ = prices, lower, upper
    programme.row_lower_ = np.asarray([least for least, _factors in rows])
    programme.row_upper_ = np.full(len(rows), highspy.kHighsInf)
    programme.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    programme.a_matrix_.start_ = np.cumsum([0, *(len(factors) for _least, factors in rows)], dtype=np.int32)
    programme.a_matrix_.index_ = np.asarray([c for _least, factors in rows for c in factors], np.int32)
    programme.a_matrix_.value_ = np.asarray([f for _least, factors in rows for f in factors.values()], float)
    return programme


def _columns(values: Iterable[float]) -> frozenset[int]:
    return frozenset(column for column, value in enumerate(values) if value > 0.5)
