"""Two role profiles side by side: what both require, what only one does, and by how many levels they differ.

Competencies are the same when they are editions of one (a common lineage) or aligned exactly. The comparing itself is
pure; `comparison_of` reads what it needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from competencies.browsing import Asked, requirements_of
from competencies.enums import Necessity
from competencies.equivalence import same_labels, translate_rank
from competencies.models import RoleProfile
from competencies.searching import words_of
from competencies.selectors import Counterpart, Scale, counterparts_of, published_profiles, scales_of

MOST_OPTIONS = 600


@dataclass(frozen=True)
class Pair:
    """A competency both ask for. `difference`: how many levels more the second asks for; None where that cannot be said."""

    first: Asked
    second: Asked
    difference: int | None

    @property
    def across(self) -> bool:
        """Two competencies that are the same, rather than one."""
        return self.first.competency.pk != self.second.competency.pk


@dataclass(frozen=True)
class Comparison:
    shared: tuple[Pair, ...]
    only_first: tuple[Asked, ...]
    only_second: tuple[Asked, ...]

    @property
    def levelled(self) -> tuple[Pair, ...]:
        """What can stand beside each other level by level."""
        return tuple(p for p in self.shared if p.first.level is not None or p.second.level is not None)

    @property
    def plain(self) -> tuple[Pair, ...]:
        """What both ask for without stating a level."""
        return tuple(p for p in self.shared if p.first.level is None and p.second.level is None)


def compare(
    first: Sequence[Asked],
    second: Sequence[Asked],
    *,
    counterparts: Mapping[UUID, Sequence[Counterpart]],
    scales: Mapping[int, Scale],
) -> Comparison:
    """Pair what two profiles ask for; what differs most comes first, then in the order of the first.

    `counterparts`: for a lineage of the first, the lineages aligned exactly with it, and how their ranks translate
    into its own; `scales` by version id. Each competency is paired once.
    """
    left = {asked.competency.lineage: asked for asked in second}
    shared, only_first = [], []
    for asked in first:
        own = asked.competency.lineage
        stated: Mapping[int, int] | None = None
        other = left.pop(own, None)
        if other is None:
            partner = next((c for c in counterparts.get(own, ()) if c.lineage in left), None)
            if partner is not None:
                other, stated = left.pop(partner.lineage), partner.rank_map
        if other is None:
            only_first.append(asked)
        else:
            shared.append(Pair(asked, other, _difference(asked, other, stated, scales)))
    shared.sort(key=lambda pair: -abs(pair.difference or 0))
    return Comparison(tuple(shared), tuple(only_first), tuple(left.values()))


def _difference(
    first: Asked, second: Asked, stated: Mapping[int, int] | None, scales: Mapping[int, Scale]
) -> int | None:
    if first.rank is None or second.rank is None:
        return 0 if first.rank is second.rank else None
    here, there = first.competency.version, second.competency.version
    if here.pk == there.pk:
        return second.rank - first.rank
    source, target = scales[there.pk].words, scales[here.pk].words
    editions = here.framework_id == there.framework_id
    if not stated and not editions and not same_labels(source, target):
        return None  # two scales nobody has laid beside each other
    return translate_rank(second.rank, source=source, target=target, stated=stated, editions=editions) - first.rank


@dataclass(frozen=True)
class RolesBeside:
    first: RoleProfile
    second: RoleProfile
    comparison: Comparison
    scales: Mapping[int, Scale]
    courses: tuple[Any, ...]

    @property
    def can_be_compared(self) -> bool:
        """Within one framework always; across two only by what has been aligned."""
        return bool(self.comparison.shared) or self.first.role.version_id == self.second.role.version_id


def comparison_of(first: RoleProfile, second: RoleProfile) -> RolesBeside:
    """Two profiles beside each other: six queries, two more where one builds on another."""
    asked = requirements_of(
        [first, second], prefetch=("competency__course_outcomes__course", "competency__course_outcomes__level")
    )
    one, other = ([a for a in asked[profile.pk] if a.necessity != Necessity.UNCERTAIN] for profile in (first, second))
    counterparts = counterparts_of({a.competency.lineage for a in one})
    scales = scales_of({a.competency.version_id for a in (*one, *other)})
    return RolesBeside(
        first=first,
        second=second,
        comparison=compare(one, other, counterparts=counterparts, scales=scales),
        scales=scales,
        courses=tuple(_courses_of(one, _courses_of(other, None))),
    )


def _courses_of(asked: Iterable[Asked], among: Sequence[Any] | None) -> list[Any]:
    """Pages of courses that lead to something asked for at the level asked for; only those that are `among` others."""
    keys = None if among is None else {page.key for page in among}
    found: dict[int, Any] = {}
    for a in asked:
        for outcome in a.competency.course_outcomes.all():
            reaches = outcome.level is None or outcome.level.rank >= (a.rank or 1)
            if a.necessity == Necessity.REQUIRED and reaches and (keys is None or outcome.course.key in keys):
                found[outcome.course.pk] = outcome.course
    return list(found.values())


def options_for(query: str, *, chosen: Iterable[RoleProfile]) -> tuple[list[RoleProfile], bool]:
    """Profiles to choose from, those chosen always among them, and whether there are more than a list can hold."""
    rows = published_profiles().defer(
        "summary", "extra", "role__summary", "role__search_text", "role__extra", "role__version__extra",
        "role__version__description", "role__family__description",
    )  # fmt: skip
    for word in words_of(query):
        rows = rows.filter(role__search_text__contains=word)
    found = list(rows[: MOST_OPTIONS + 1])
    more = len(found) > MOST_OPTIONS
    found = found[:MOST_OPTIONS]
    missing = {profile.pk: profile for profile in chosen}
    for profile in found:
        missing.pop(profile.pk, None)
    return [*missing.values(), *found], more
