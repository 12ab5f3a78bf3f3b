"""What several ratings of one person say together. Pure.

Source: docs/algorithms/levels.md, "Panels"; tested in tests/competencies/test_panels.py.
"""

from __future__ import annotations

from collections.abc import Sequence

FEWEST, MOST = 2, 5


class TooFewRatings(ValueError):
    """One rating is one opinion: a panel is two or more."""


def panel_rank(ranks: Sequence[int]) -> int:
    """The lower median: the highest rank that more than half of the raters say is reached; of two, the lower one.

    So no single high rating lifts the result, and no single low one of three or more pulls it down. The order does not
    matter. Raises TooFewRatings for fewer than two.
    """
    if len(ranks) < FEWEST:
        raise TooFewRatings
    return sorted(ranks)[(len(ranks) - 1) // 2]
