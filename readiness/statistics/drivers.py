"""Which block goes along with an outcome the most: relative weights, that share out what is explained among the blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

LEAST_SHEETS, LEAST_SHEETS_EACH = 100, 20
MOST_VIF = 5.0


@dataclass(frozen=True)
class Drivers:
    """`weights` add up to `r2`, the share of the outcome's variance that the blocks explain; `betas` are standardised."""

    r2: float
    weights: tuple[float, ...]
    betas: tuple[float, ...]
    vif: tuple[float, ...]


def relative_weights(among: ArrayLike, with_outcome: ArrayLike) -> Drivers | None:
    """`among`: correlations of p blocks (p x p); `with_outcome`: of each with the outcome (p).

    None where blocks say the same (a singular matrix). Whether there are sheets enough, and blocks different enough, to
    show it is `may_be_shown`'s word. Source: Johnson 2000, with L = V sqrt(D) V' and b = L^-1 r: weights (L^2)(b^2).
    """
    matrix, r = np.asarray(among, dtype=float), np.asarray(with_outcome, dtype=float)
    if matrix.ndim != 2 or matrix.shape != (len(r), len(r)) or len(r) == 0:
        raise ValueError("p x p correlations and p with the outcome")
    values, vectors = np.linalg.eigh(matrix)
    if values.min() <= 1e-10:
        return None
    root = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    b = np.linalg.solve(root, r)
    weights = (root**2) @ (b**2)
    inverse = np.linalg.inv(matrix)
    return Drivers(
        float(weights.sum()),
        tuple(float(w) for w in weights),
        tuple(float(beta) for beta in inverse @ r),
        tuple(float(v) for v in np.diag(inverse)),
    )


def may_be_shown(drivers: Drivers, n: int) -> bool:
    """Whether there are sheets enough for so many blocks, and no block is nearly made of the others."""
    return n >= max(LEAST_SHEETS, LEAST_SHEETS_EACH * len(drivers.weights)) and max(drivers.vif) <= MOST_VIF
