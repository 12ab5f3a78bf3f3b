"""What conditions are asked of: the facts about people on one day, read for many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from uuid import UUID

from django.db.models import Q

from competencies.models import RoleAssignment
from competencies.selectors import attained_ranks
from learning.conditions import Facts, Mentions
from organisations.models import Appointment, PersonTag, User
from organisations.perms import managers_of

# As many ids as every database takes in one query, and as much evidence as is held in memory at a time.
FACTS_BATCH = 500


def facts_of(person_ids: Iterable[int], as_of: date, about: Mentions) -> dict[int, Facts]:
    """The facts of each person as far as a condition mentions them; what it does not mention is left empty.

    As many queries for one person as for FACTS_BATCH, and none for what is not mentioned.
    """
    return {facts.person_id: facts for facts in read_facts(person_ids, as_of, about)}


def read_facts(person_ids: Iterable[int], as_of: date, about: Mentions) -> Iterator[Facts]:
    """The same one by one, for more people than one wants to hold in memory; in the order of their ids."""
    ids = sorted(set(person_ids))
    # The way up leads past posts of people who were not asked about: it is read once, not with each batch.
    led = _managers(ids, as_of, about)
    for start in range(0, len(ids), FACTS_BATCH):
        yield from _batch(ids[start : start + FACTS_BATCH], as_of, about, led)


def _managers(ids: Sequence[int], as_of: date, about: Mentions) -> dict[int, frozenset[int]]:
    if not about.people or not ids:
        return {}
    return {pk: frozenset(found & about.people) for pk, found in managers_of(ids, as_of).items()}


def _batch(ids: Sequence[int], as_of: date, about: Mentions, led: dict[int, frozenset[int]]) -> Iterator[Facts]:
    paths: dict[int, set[str]] = defaultdict(set)
    units: dict[int, set[int]] = defaultdict(set)
    grades: dict[int, set[str]] = defaultdict(set)
    started: dict[int, date] = {}
    if about.units or about.grades or about.by_start:
        held = Appointment.objects.current(as_of).filter(person_id__in=ids).order_by()
        for person_id, starts_on, unit_id, path, grade in held.values_list(
            "person_id", "starts_on", "post__unit_id", "post__unit__path", "post__grade"
        ):
            paths[person_id].add(path)
            units[person_id].add(unit_id)
            if grade:
                grades[person_id].add(grade)
            # Of several posts the one she came to last, as for due dates.
            started[person_id] = max(starts_on, started.get(person_id, starts_on))
    roles = _roles(ids, as_of, about.roles) if about.roles else {}
    tags: dict[int, set[str]] = defaultdict(set)
    if about.tags:
        for person_id, name in PersonTag.objects.filter(person_id__in=ids, name__in=about.tags).values_list(
            "person_id", "name"
        ):
            tags[person_id].add(name)
    languages = (
        dict(User.objects.filter(pk__in=ids).order_by().values_list("pk", "language")) if about.languages else {}
    )
    ranks = attained_ranks(ids, map(UUID, about.competencies), as_of=as_of) if about.competencies else {}
    for pk in ids:
        yield Facts(
            person_id=pk,
            unit_paths=frozenset(paths.get(pk, ())),
            unit_ids=frozenset(units.get(pk, ())),
            roles=frozenset(roles.get(pk, ())),
            grades=frozenset(grades.get(pk, ())),
            language=languages.get(pk, ""),
            started_on=started.get(pk),
            manager_ids=led.get(pk, frozenset()),
            tags=frozenset(tags.get(pk, ())),
            held={str(lineage): rank for lineage, rank in ranks.get(pk, {}).items()},
        )


def _roles(ids: Sequence[int], as_of: date, lineages: frozenset[str]) -> dict[int, set[str]]:
    """Which of these roles each person has, by post or assignment, in whatever edition. One query."""
    wanted = [UUID(lineage) for lineage in lineages]
    found: dict[int, set[str]] = defaultdict(set)
    for person_id, lineage in holders_of_roles(wanted, as_of, Q(person_id__in=ids)):
        found[person_id].add(str(lineage))
    return found


def holders_of_roles(lineages: Sequence[UUID], as_of: date, whom: Q) -> Iterable[tuple[int, UUID]]:
    """Who among `whom` has a role of these lineages: (person id, lineage). One query."""
    by_post = (
        Appointment.objects.current(as_of)
        .filter(whom, post__post_roles__profile__lineage__in=lineages)
        .order_by()
        .values_list("person_id", "post__post_roles__profile__lineage")
    )
    assigned = (
        RoleAssignment.objects.current(as_of)
        .filter(whom, profile__lineage__in=lineages)
        .order_by()
        .values_list("person_id", "profile__lineage")
    )
    return by_post.union(assigned)
