"""Whether the items of a block hang together, so that their mean is a figure of one thing."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

Matrix = NDArray[np.float64]


def complete(matrix: ArrayLike) -> Matrix:
    """People x items without the people who left an item out (nan)."""
    values = np.asarray(matrix, dtype=float)
    if values.ndim != 2:
        raise ValueError("people x items")
    return np.asarray(values[~np.isnan(values).any(axis=1)])


def alpha(matrix: ArrayLike) -> float | None:
    """Cronbach 1951: J/(J-1) (1 - trace(C)/sum(C)) over complete cases; may be negative.

    None for fewer than two items or two people, or where the sum of the items never varies.
    """
    values = complete(matrix)
    if values.shape[0] < 2 or values.shape[1] < 2:
        return None
    return _alpha(np.cov(values, rowvar=False))


def alpha_standardised(matrix: ArrayLike) -> float | None:
    """The same from correlations; None, besides, where an item never varies."""
    found = _correlations(matrix)
    return None if found is None else _alpha(found)


def alpha_if_dropped(matrix: ArrayLike) -> list[float | None]:
    """Alpha without each item in turn."""
    values = complete(matrix)
    return [alpha(np.delete(values, item, axis=1)) for item in range(values.shape[1])]


def item_rest_r(matrix: ArrayLike) -> list[float | None]:
    """How each item goes along with the sum of the others; None where one of the two never varies."""
    values = complete(matrix)
    found: list[float | None] = []
    for item in range(values.shape[1]):
        rest = np.delete(values, item, axis=1).sum(axis=1)
        if values.shape[0] < 2 or values.shape[1] < 2 or values[:, item].std() == 0 or rest.std() == 0:
            found.append(None)
        else:
            found.append(float(np.corrcoef(values[:, item], rest)[0, 1]))
    return found


def feldt_interval(found: float, n: int, items: int) -> tuple[float, float] | None:
    """The 95 % interval of an alpha of n people and so many items. Feldt, Woodruff and Salih 1987."""
    if n < 2 or items < 2:
        return None
    df, both = n - 1, (n - 1) * (items - 1)
    low, high = (1 - (1 - found) * float(stats.f.ppf(q, df, both)) for q in (0.975, 0.025))
    return low, high


@dataclass(frozen=True)
class Factor:
    """What each item has of the one factor (`loadings`, in its own unit) and what it has alone (`unique`, a variance)."""

    loadings: tuple[float, ...]
    unique: tuple[float, ...]


def one_factor(covariance: ArrayLike) -> Factor | None:
    """One factor behind three items or more, by maximum likelihood with factor variance 1; three have a closed form.

    `covariance`: items x items. None where it is not identified, an item would be less than perfectly unlike itself
    (a unique variance below 0), or no answer is found. Source: Jöreskog 1967.
    """
    c = _square(covariance)
    if len(c) < 3 or (np.diag(c) <= 0).any():
        return None
    loadings = _three(c) if len(c) == 3 else _factor(c)
    if loadings is None:
        return None
    unique = np.diag(c) - loadings**2
    if (unique < 0).any():
        return None
    return Factor(tuple(map(float, loadings)), tuple(map(float, unique)))


def omega(covariance: ArrayLike) -> float | None:
    """McDonald 1999: the share of the sum's variance that comes from one factor, (sum L)^2 / ((sum L)^2 + sum U).

    Loadings L and unique variances U are those of `one_factor`; of two items, as Spearman and Brown have it. None where
    there is no such factor.
    """
    c = _square(covariance)
    if len(c) == 2 and (np.diag(c) > 0).all():
        r = c[0, 1] / sqrt(c[0, 0] * c[1, 1])
        return float(2 * r / (1 + r)) if r > -1 else None
    found = one_factor(c)
    if found is None:
        return None
    common = sum(found.loadings) ** 2
    return common / (common + sum(found.unique))


def _square(covariance: ArrayLike) -> Matrix:
    c = np.asarray(covariance, dtype=float)
    if c.ndim != 2 or c.shape[0] != c.shape[1]:
        raise ValueError("items x items")
    return c


def _alpha(c: Matrix) -> float | None:
    whole = float(c.sum())
    if whole <= 1e-12 * max(1.0, float(np.trace(c))):
        return None
    items = len(c)
    return items / (items - 1) * (1 - float(np.trace(c)) / whole)


def _correlations(matrix: ArrayLike) -> Matrix | None:
    values = complete(matrix)
    if values.shape[0] < 2 or values.shape[1] < 2 or (values.std(axis=0) == 0).any():
        return None
    return np.asarray(np.corrcoef(values, rowvar=False), dtype=np.float64)


def _three(c: Matrix) -> Matrix | None:
    ab, ac, bc = c[0, 1], c[0, 2], c[1, 2]
    if ab * ac * bc <= 0:
        return None
    found = np.sqrt([ab * ac / bc, ab * bc / ac, ac * bc / ab])
    signs = np.array([1.0, np.sign(ab), np.sign(ac)])
    return np.asarray(found * signs)


def _factor(c: Matrix) -> Matrix | None:
    """Loadings of one factor by maximum likelihood (Joereskog 1967): the uniquenesses are sought, on a log scale."""
    try:
        start = np.log(1 / np.diag(np.linalg.inv(c)))
    except np.linalg.LinAlgError:
        return None

    def loadings(logs: Matrix) -> Matrix:
        scale = np.exp(logs / 2)
        values, vectors = np.linalg.eigh(c / np.outer(scale, scale))
        return np.asarray(scale * vectors[:, -1] * sqrt(max(values[-1] - 1, 0.0)))

    def misfit(logs: Matrix) -> tuple[float, Matrix]:
        scale = np.exp(logs / 2)
        values = np.linalg.eigvalsh(c / np.outer(scale, scale))[:-1]
        if values.min() <= 0:
            return np.inf, np.zeros_like(logs)
        found = loadings(logs)
        slope = (found**2 + np.exp(logs) - np.diag(c)) / np.exp(logs)
        return float((values - np.log(values) - 1).sum()), slope

    best = optimize.minimize(misfit, start, jac=True, method="BFGS", options={"gtol": 1e-10, "maxiter": 500})
    # BFGS may stop for want of precision with nothing left to gain: the slope says whether it has arrived.
    if not np.isfinite(best.fun) or np.abs(best.jac).max() > 1e-6:
        return None
    found = loadings(best.x)
    return found if found.sum() >= 0 else -found
