"""The likely level: a mean with its uncertainty, from everything on record. Pure; numpy and scipy, no Django.

It decides what to ask next and points at contradictions; it never attains a level (competencies.levels does).
`theta` is in ranks of the framework's own scale: level l holds theta in [l - 0.5, l + 0.5). Model, parameters and the
worked example: docs/algorithms/likely.md, tested in tests/competencies/test_likely.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import ndtr

from competencies.enums import EvidenceKind
from competencies.levels import EvidenceItem

Floats = NDArray[np.float64]

# The scale the parameters are stated for; other scales stretch them.
STATED_RANKS = 5
GRID_FROM, GRID_TO, GRID_POINTS = -3.0, 8.0, 221
DAYS_A_MONTH = 365.25 / 12
# A boundary between two levels that falls on a grid point counts as reached.
ON_THE_EDGE = 1e-9
# Rows of people × competencies computed at a time: 35 MB a table.
CHUNK = 20_000


@dataclass(frozen=True)
class Rating:
    """A kind that places somebody: log-likelihood -((value - bias - theta) / sd)^2 / 2.

    `sd` None: the observation brings its own standard error, `extra_sd` is added to it in quadrature.
    """

    half_life_months: float
    bias: float = 0.0
    sd: float | None = None
    extra_sd: float = 0.0


@dataclass(frozen=True)
class Passing:
    """A kind that is passed (or failed) at a level: P(pass) = g + (1 - g) Phi((theta - (level - 0.5)) / s)."""

    half_life_months: float
    s: float
    g: float
    counts_failure: bool = False


@dataclass(frozen=True)
class Parameters:
    """The numbers of the estimate, for a scale of five ranks. `kinds` are keyed by `observed_as`."""

    prior_mean: float = 1.5
    prior_sd: float = 1.25
    # Above this uncertainty a required competency is asked about (a diagnostic) before a course is taken.
    unsure_sd: float = 0.8
    kinds: Mapping[str, Rating | Passing] = field(
        default_factory=lambda: MappingProxyType(
            {
                "self": Rating(12, bias=0.4, sd=2.4),
                "manager": Rating(12, bias=0.2, sd=1.7),
                "panel": Rating(24, sd=1.2),
                "diagnostic": Rating(24, extra_sd=0.3),
                "quiz": Passing(18, s=1.0, g=0.10, counts_failure=True),
                "certificate": Passing(36, s=0.6, g=0.02),
                "completion": Passing(12, s=2.0, g=0.30),
                "prior_learning": Passing(36, s=1.0, g=0.05),
            }
        )
    )


PARAMETERS = Parameters()


@dataclass(frozen=True)
class Observation:
    """One piece of evidence as the estimate sees it. `value` in ranks; `se` only of a diagnostic; age in months."""

    kind: str
    value: float
    age_months: float
    se: float | None = None
    passed: bool = True

    @property
    def key(self) -> tuple[str, float, float | None, bool]:
        return (self.kind, self.value, self.se, self.passed)


@dataclass(frozen=True)
class Likely:
    """What is likely. `at_least[l - 1]` = P(theta >= l - 0.5); `shortfalls[l - 1]` = E[max(0, l - 0.5 - theta)], in ranks."""

    mean: float
    sd: float
    at_least: tuple[float, ...]
    shortfalls: tuple[float, ...]

    def shortfall(self, required: int) -> float:
        """How far, in ranks, the person is expected to be below the rank `required`; 0 for rank 0."""
        return self.shortfalls[min(required, len(self.shortfalls)) - 1] if required > 0 else 0.0

    @property
    def level(self) -> int:
        """The level that holds the mean, on the scale."""
        return max(0, min(len(self.at_least), int(np.floor(self.mean + 0.5))))


def observed_as(kind: EvidenceKind, assessed: bool) -> str:
    """Under which parameters a kind of evidence is read: a course or certificate without a check is a completion."""
    if kind in {EvidenceKind.COURSE, EvidenceKind.CERTIFICATE}:
        return "certificate" if assessed else "completion"
    return str(kind)


def observations_of(items: Iterable[EvidenceItem], *, as_of: date) -> dict[int, Observation]:
    """The items that the estimate looks at, by id: the latest of each kind and source, none of the future.

    What is carried over from another scale as the least it shows says nothing of where somebody is, nor does rank 0 of
    a course or certificate. The order of `items` does not matter.
    """
    latest: dict[tuple[str, str], EvidenceItem] = {}
    for item in sorted(items, key=lambda item: item.order):
        if item.occurred_on <= as_of and not item.carried:
            latest[observed_as(item.kind, item.assessed), item.source] = item
    found = {}
    for (kind, _source), item in latest.items():
        says_nothing = kind in {"certificate", "completion", "prior_learning"} and (not item.passed or not item.rank)
        if not says_nothing:
            found[item.id] = Observation(
                kind=kind,
                value=float(item.rank if item.value is None else item.value),
                age_months=(as_of - item.occurred_on).days / DAYS_A_MONTH,
                se=None if item.se is None else float(item.se),
                passed=item.passed,
            )
    return dict(sorted(found.items()))


def estimate(
    observations: Iterable[Observation], *, ranks: int = STATED_RANKS, parameters: Parameters = PARAMETERS
) -> Likely:
    """The likely level of one person in one competency of a scale with `ranks` ranks above 0."""
    [likely] = estimate_many([tuple(observations)], ranks=ranks, parameters=parameters)
    return likely


def estimate_many(
    groups: Sequence[Sequence[Observation]], *, ranks: int = STATED_RANKS, parameters: Parameters = PARAMETERS
) -> list[Likely]:
    """The same for many at once; all groups on one scale. The order within a group does not matter."""
    index: dict[tuple[str, float, float | None, bool], int] = {}
    rows, columns, weights = [], [], []
    for row, group in enumerate(groups):
        for seen in sorted(group, key=lambda o: (o.kind, o.value, o.se or 0.0, o.passed, o.age_months)):
            rows.append(row)
            columns.append(index.setdefault(seen.key, len(index)))
            weights.append(2.0 ** (-seen.age_months / parameters.kinds[seen.kind].half_life_months))
    table = likelihood_table(list(index), ranks=ranks, parameters=parameters)
    means, sds, at_least, shortfalls = fuse(
        np.asarray(rows, dtype=np.int64),
        np.asarray(columns, dtype=np.int64),
        np.asarray(weights, dtype=np.float64),
        table,
        groups=len(groups),
        ranks=ranks,
        parameters=parameters,
    )
    return [
        Likely(float(means[i]), float(sds[i]), tuple(at_least[i].tolist()), tuple(shortfalls[i].tolist()))
        for i in range(len(groups))
    ]


def contributions(
    observations: Mapping[int, Observation], *, ranks: int = STATED_RANKS, parameters: Parameters = PARAMETERS
) -> dict[int, float]:
    """What each observation moves the mean by, in ranks: the mean with it minus the mean without it."""
    everything = list(observations.items())
    groups = [[seen for _pk, seen in everything]]
    groups += [[seen for other, seen in everything if other != pk] for pk, _seen in everything]
    whole, *without = estimate_many(groups, ranks=ranks, parameters=parameters)
    return {pk: whole.mean - rest.mean for (pk, _seen), rest in zip(everything, without, strict=True)}


def grid(ranks: int) -> Floats:
    return np.linspace(GRID_FROM, GRID_TO, GRID_POINTS) * (ranks / STATED_RANKS)


def likelihood_table(
    keys: Sequence[tuple[str, float, float | None, bool]], *, ranks: int, parameters: Parameters
) -> Floats:
    """Log-likelihood of each distinct observation (see `Observation.key`) on the grid: len(keys) × 221."""
    theta, stretch = grid(ranks), ranks / STATED_RANKS
    table = np.zeros((len(keys), len(theta)))
    for row, (name, value, se, passed) in enumerate(keys):
        kind = parameters.kinds[name]
        if isinstance(kind, Rating):
            own = kind.sd * stretch if kind.sd is not None else 0.0
            variance = own**2 + (kind.extra_sd * stretch) ** 2 + (se or 0.0) ** 2
            table[row] = -0.5 * (value - kind.bias * stretch - theta) ** 2 / variance
        else:
            chance = kind.g + (1 - kind.g) * ndtr((theta - (value - 0.5)) / (kind.s * stretch))
            table[row] = np.log(chance) if passed else np.log1p(-np.minimum(chance, 1 - 1e-15))
    return table


def fuse(
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    weights: Floats,
    table: Floats,
    *,
    groups: int,
    ranks: int,
    parameters: Parameters = PARAMETERS,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Posteriors of `groups` people × competencies: means, sds, P(>= l) and shortfalls (groups × ranks).

    Observation i belongs to group `rows[i]`, has the likelihood `table[columns[i]]` and counts `weights[i]`.
    """
    theta, stretch = grid(ranks), ranks / STATED_RANKS
    prior = -0.5 * ((theta - parameters.prior_mean * stretch) / (parameters.prior_sd * stretch)) ** 2
    edges = np.arange(1, ranks + 1) - 0.5
    reached = (theta[:, None] >= edges[None, :] - ON_THE_EDGE).astype(np.float64)
    missing = np.maximum(0.0, edges[None, :] - theta[:, None])
    counted = csr_matrix((weights, (rows, columns)), shape=(groups, max(len(table), 1)))
    table = table if len(table) else np.zeros((1, len(theta)))
    means, sds = np.empty(groups), np.empty(groups)
    at_least, shortfalls = np.empty((groups, ranks)), np.empty((groups, ranks))
    for start in range(0, groups, CHUNK):
        part = slice(start, min(start + CHUNK, groups))
        posterior = np.asarray(counted[part] @ table) + prior
        posterior -= posterior.max(axis=1, keepdims=True)
        np.exp(posterior, out=posterior)
        posterior /= posterior.sum(axis=1, keepdims=True)
        means[part] = posterior @ theta
        sds[part] = np.sqrt(np.maximum(posterior @ theta**2 - means[part] ** 2, 0.0))
        at_least[part] = posterior @ reached
        shortfalls[part] = posterior @ missing
    return means, sds, at_least, shortfalls
