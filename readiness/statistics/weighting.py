"""Whom an answer speaks for, where some groups answered less than others: weights from the headcounts, never from answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from statistics import median

from readiness.statistics.inference import Totals

LEAST_CLASSES = 3
TRIM = 3.0
MOST_ROUNDS = 1000


def weights(classes: Sequence[tuple[int, int]]) -> list[float] | None:
    """How many people each answer of a class speaks for, from (headcount, answers) of each class.

    N/n, cut to between a third of the median and three times it: a class of which hardly anybody answered does not speak
    for all it stands for. None for fewer than three classes. Raises ValueError for more answers than people or none.
    Source: Kalton and Flores-Cervantes 2003.
    """
    if any(not 0 < n <= people for people, n in classes):
        raise ValueError("0 < answers <= people")
    if len(classes) < LEAST_CLASSES:
        return None
    raw = [people / n for people, n in classes]
    middle = median(raw)
    return [min(max(weight, middle / TRIM), middle * TRIM) for weight in raw]


def rake(
    cells: Mapping[tuple[str, ...], int], margins: Sequence[Mapping[str, float]], tolerance: float = 1e-10
) -> dict[tuple[str, ...], float] | None:
    """Weights of cells, so that the weighted answers have the headcounts of several attributes at once.

    `cells`: answers by a category of each attribute, in the order of `margins`, which hold the headcounts. Each attribute
    is made right in turn until all are (Deming and Stephan 1940). None where a category has people but no answers or
    answers but no people, the headcounts do not add up to the same number of people, or the turns do not settle.
    """
    answers = {cell: n for cell, n in cells.items() if n > 0}
    whole = [sum(margin.values()) for margin in margins]
    if not answers or not whole or any(abs(n - whole[0]) > tolerance * max(1.0, whole[0]) for n in whole):
        return None
    for at, margin in enumerate(margins):
        if {cell[at] for cell in answers} != {category for category, people in margin.items() if people > 0}:
            return None
    found = dict.fromkeys(answers, 1.0)
    for _round in range(MOST_ROUNDS):
        moved = 0.0
        for at, margin in enumerate(margins):
            sums: dict[str, float] = {}
            for cell, n in answers.items():
                sums[cell[at]] = sums.get(cell[at], 0.0) + n * found[cell]
            for cell in found:
                factor = margin[cell[at]] / sums[cell[at]]
                moved = max(moved, abs(factor - 1))
                found[cell] *= factor
        if moved < tolerance:
            return found
    return None


def effective_n(weighted: Sequence[tuple[float, int]]) -> float | None:
    """Of how many equally weighted answers these are worth, from (weight, answers). Kish 1965. None without answers."""
    total = sum(weight * n for weight, n in weighted)
    squares = sum(weight * weight * n for weight, n in weighted)
    return total * total / squares if squares else None


def stratified(strata: Sequence[tuple[int, Totals]]) -> tuple[float, float] | None:
    """Mean of everybody and its standard error, from (headcount, totals of the answers) of disjoint groups.

    None where a group has fewer than two answers. Source: Cochran 1977, chapter 5.
    """
    everybody = sum(people for people, _totals in strata)
    mean = variance = 0.0
    for people, totals in strata:
        if totals.variance is None or totals.mean is None:
            return None
        share = people / everybody
        mean += share * totals.mean
        variance += share * share * (1 - totals.n / people) * totals.variance / totals.n
    return (mean, sqrt(variance)) if strata else None


def poststratified(classes: Sequence[tuple[float, Totals]], population: int) -> tuple[float, float] | None:
    """Mean after weighting and its standard error, from (weight of an answer, totals of the answers) of disjoint classes.

    With weights N/n it is the mean of everybody asked. The groups were not drawn one by one, as in `stratified`, but
    fell out of who answered; what is left of the variance is that within classes. Where `weights` has cut a weight, the
    mean leans towards who answered, and the standard error does not know of it.
    None for a class with fewer than two answers. Raises ValueError for more answers than people.
    Sources: Holt and Smith 1979; Särndal, Swensson and Wretman 1992, chapter 7 (residuals from the class means).
    """
    n = sum(totals.n for _weight, totals in classes)
    if n > population:
        raise ValueError("more answers than people")
    spoken_for = sum(weight * totals.n for weight, totals in classes)
    mean = squares = 0.0
    for weight, totals in classes:
        if totals.variance is None:
            return None
        mean += weight * totals.sum / spoken_for
        squares += (weight / spoken_for) ** 2 * totals.variance * (totals.n - 1)
    return (mean, sqrt(n / (n - 1) * (1 - n / population) * squares)) if classes else None
