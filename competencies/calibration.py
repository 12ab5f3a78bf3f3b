"""Discrimination and difficulty of questions from the answers people gave: marginal maximum likelihood. Pure; no Django.

The likelihood of the answers with ability N(0, 1) integrated out, at its highest (Bock and Lieberman, 1970; Bock and
Aitkin, 1981). What was not asked is missing; an adaptive diagnostic chooses by what was answered, so this does not bend
the estimates. Questions with too few answers stay as they are and still say where the others stand.
Method: docs/algorithms/diagnostic.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from competencies.diagnostic import Floats

# Wider than the diagnostic's own grid, which would cut off what very easy questions tell.
WIDE_GRID: Floats = np.linspace(-6.0, 6.0, 121)
LOG_PRIOR: Floats = -0.5 * WIDE_GRID**2 - np.log(np.exp(-0.5 * WIDE_GRID**2).sum())

FEWEST_ANSWERS = 200
A_FROM, A_TO = 0.05, 4.0
B_FROM, B_TO = -4.0, 4.0
# Below this a question hardly tells people apart: somebody should read it again.
WEAK_A = 0.35
MOST_ROUNDS = 1_000


@dataclass(frozen=True)
class Priors:
    """Weak beliefs that keep an estimate sensible: log a ~ N(0, log_a_sd^2), b ~ N(0, b_sd^2). Infinite: none."""

    log_a_sd: float = 0.5
    b_sd: float = 2.0


NO_PRIORS = Priors(log_a_sd=float("inf"), b_sd=float("inf"))


@dataclass(frozen=True)
class Calibration:
    """`a` and `b` of all items; `estimated` says which were estimated, `answers` from how many answers."""

    a: Floats
    b: Floats
    estimated: NDArray[np.bool_]
    answers: NDArray[np.int64]
    rounds: int
    converged: bool


def calibrate(
    right: Floats,
    a: Floats,
    b: Floats,
    *,
    fewest: int = FEWEST_ANSWERS,
    priors: Priors = Priors(),  # frozen
    same_slope: bool = False,
) -> Calibration:
    """Estimate items from `right`: people × items, 1 right, 0 wrong, nan not asked. `a` and `b`: what they count as now.

    `same_slope` gives all estimated items one discrimination (Rasch's model). Raises ValueError when shapes do not fit.
    """
    if right.ndim != 2 or right.shape[1:] != a.shape or a.shape != b.shape:
        raise ValueError("people × items, and a and b of every item")
    asked = ~np.isnan(right)
    answers = asked.sum(axis=0)
    estimated = answers >= fewest
    a, b = a.astype(np.float64).copy(), b.astype(np.float64).copy()
    if not estimated.any():
        return Calibration(a, b, estimated, answers, rounds=0, converged=True)
    got = np.where(asked, right, 0.0)
    missed = np.where(asked, 1.0 - right, 0.0)
    free = np.flatnonzero(estimated)
    slopes = np.zeros(len(free), dtype=np.int64) if same_slope else np.arange(len(free))
    count = int(slopes.max()) + 1

    def loss(x: Floats) -> tuple[float, Floats]:
        """Minus the marginal log-likelihood and the priors, with the slopes of both."""
        log_a, new_b = x[:count], x[count:]
        a[free], b[free] = np.exp(log_a)[slopes], new_b
        away = WIDE_GRID[None, :] - b[:, None]
        logit = a[:, None] * away
        table = got @ -np.logaddexp(0.0, -logit) + missed @ -np.logaddexp(0.0, logit) + LOG_PRIOR
        top = table.max(axis=1, keepdims=True)
        where = np.exp(table - top)
        total = where.sum(axis=1, keepdims=True)
        where /= total
        value = -float((top + np.log(total)).sum())
        value += 0.5 * float(((log_a / priors.log_a_sd) ** 2).sum() + ((new_b / priors.b_sd) ** 2).sum())
        # By Fisher's identity the slope is that of the answers expected at each point of the grid.
        rights, wrongs = got[:, free].T @ where, missed[:, free].T @ where
        surplus = (rights + wrongs) * expit(logit[free]) - rights
        by_log_a = np.bincount(slopes, weights=(surplus * logit[free]).sum(axis=1)) + log_a / priors.log_a_sd**2
        by_b = -surplus.sum(axis=1) * a[free] + new_b / priors.b_sd**2
        return value, np.concatenate([by_log_a, by_b])

    start = np.log(a[free]) if not same_slope else np.log(a[free]).mean(keepdims=True)
    found = minimize(
        loss,
        np.concatenate([start, b[free]]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(np.log(A_FROM), np.log(A_TO))] * count + [(B_FROM, B_TO)] * len(free),
        options={"maxiter": MOST_ROUNDS, "maxfun": 2 * MOST_ROUNDS, "ftol": 1e-11, "gtol": 1e-4},
    )
    loss(found.x)
    return Calibration(a, b, estimated, answers, rounds=int(found.nit), converged=bool(found.success))
