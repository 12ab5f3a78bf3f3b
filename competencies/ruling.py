"""Which rules are in force for which framework."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db.models import Q

from competencies.models import Rulebook, RulebookStatus
from competencies.rulebooks import SHIPPED, Book, read_kept


def books_in_force(
    framework_ids: Iterable[int], *, supposing: Mapping[int | None, Book] | None = None
) -> dict[int, Book]:
    """The rules of each framework: its own, else those for all, else what the product ships with. One query.

    `supposing`: books as if they were in force, by framework; None stands for those of all frameworks.
    """
    wanted = set(framework_ids)
    rows = Rulebook.objects.filter(Q(framework__in=wanted) | Q(framework__isnull=True), status=RulebookStatus.PUBLISHED)
    found = {row.framework_id: read_kept(row.content, version=str(row.number)) for row in rows} | dict(supposing or {})
    general = found.get(None, SHIPPED)
    return {pk: found.get(pk, general) for pk in wanted}


def book_of(framework_id: int) -> Book:
    return books_in_force([framework_id])[framework_id]
