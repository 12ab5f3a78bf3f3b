"""Keeping standing rules true: who meets a rule today, who has it by the rule, and what is to be given or taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from wagtail.log_actions import log

from learning.asking import in_parts
from learning.batches import apply_batch, can_apply, has_changes, start_batch
from learning.conditions import (
    Condition,
    ConditionRefused,
    Facts,
    InUnit,
    Mentions,
    UnitsGone,
    holds,
    mentions,
    must_be_in,
    read_condition,
    with_paths,
)
from learning.dry_run import read_facts as read_what_people_have
from learning.enums import BatchStatus
from learning.facts import FACTS_BATCH, facts_of, read_facts
from learning.models import Assignment, AssignmentBatch, AssignmentRule
from learning.rules import (
    RuleStuck,
    ask_of,
    condition_of,
    given_by,
    open_ones,
    settle_rule,
    thing_given,
    working_rules,
)
from organisations.models import Appointment, Post, Unit, User

Progress = Callable[[int, int], None]


# --- Who meets a rule ------------------------------------------------------------------------------------------------
def people_in_scope(rule: AssignmentRule, day: date, must: Iterable[InUnit] | None = None) -> QuerySet[User]:
    """Active people of the rule's unit and below; of these units alone where the condition is tied to some."""
    path = Unit.objects.values_list("path", flat=True).get(pk=rule.unit_id)
    people = User.objects.active().filter(pk__in=_in_units(day, Q(post__unit__path__startswith=path)))
    if must is not None:
        within = Q(pk__in=[])
        for unit in must:
            within |= Q(post__unit__path__startswith=unit.path) if unit.below else Q(post__unit=unit.unit)
        people = people.filter(pk__in=_in_units(day, within))
    return people.order_by("pk")


def _in_units(day: date, within: Q) -> QuerySet[Appointment, Any]:
    return Appointment.objects.current(day).filter(within).order_by().values("person_id")


def members_of(
    rule: AssignmentRule, day: date, only: Iterable[int] | None = None, progress: Progress | None = None
) -> set[int]:
    """Ids of the people who meet the rule on that day; of `only` these where given. Raises RuleStuck.

    Reads people in batches: what is read grows with them, the queries with the batches.
    """
    condition = condition_of(rule)
    scope = people_in_scope(rule, day, must_be_in(condition))
    if only is None:
        ids = list(scope.values_list("pk", flat=True))
    else:
        ids = [
            pk for some in in_parts(sorted(set(only))) for pk in scope.filter(pk__in=some).values_list("pk", flat=True)
        ]
    about = mentions(condition)
    found = set()
    for n, facts in enumerate(read_facts(ids, day, about), start=1):
        if holds(condition, facts, as_of=day):
            found.add(facts.person_id)
        if progress is not None and n % FACTS_BATCH == 0:
            progress(n, len(ids) + 1)  # the last step is what comes of it
    return found


@dataclass(frozen=True)
class Differences:
    """What a rule has to do: people who meet it and have it in no way, and assignments of people who meet it no longer."""

    gaining: tuple[int, ...] = ()
    leaving: tuple[Assignment, ...] = ()

    @property
    def people(self) -> set[int]:
        return {*self.gaining, *(assignment.person_id for assignment in self.leaving)}

    def __bool__(self) -> bool:
        return bool(self.gaining or self.leaving)


def differences(
    rule: AssignmentRule, day: date, only: Iterable[int] | None = None, progress: Progress | None = None
) -> Differences:
    """Members today against those who have it. What somebody has by hand, or by another rule, is left alone.

    Raises RuleStuck.
    """
    ask, thing = ask_of(rule), thing_given(rule)
    only = None if only is None else set(only)
    members = members_of(rule, day, only, progress)
    given = given_by(rule).select_related("person").order_by("person__name", "pk")
    if only is not None:
        given = given.filter(person_id__in=only)
    by_rule = list(given)
    leaving = tuple(assignment for assignment in by_rule if assignment.person_id not in members)
    lacking = sorted(members - {assignment.person_id for assignment in by_rule})
    gaining: list[int] = []
    for some in in_parts(lacking):
        known = read_what_people_have(some, ask, thing, day, None)
        gaining += [pk for pk in some if pk not in known.had and pk not in known.under_way]
    return Differences(tuple(gaining), leaving)


# --- A sweep ---------------------------------------------------------------------------------------------------------
def sweep_rule(
    *, rule: AssignmentRule, day: date, only: Iterable[int] | None = None, progress: Progress | None = None
) -> AssignmentBatch | None:
    """Give it to those who meet the rule and have it not, and do with the others what the rule says.

    The row of the rule is the lock under which a batch is made; what a batch under way is doing already, another one
    leaves alone. So two sweeps at once, and one after a killed one, leave everybody with one assignment. Returns the
    batch; None where nothing is to be done.
    """
    rule = settle_rule(rule)
    _go_on(rule)
    batch = None
    try:
        found = differences(rule, day, only, progress) if rule.is_working else Differences()
    except RuleStuck:
        return None
    with transaction.atomic():
        rule = AssignmentRule.objects.select_for_update(of=("self",)).select_related("unit").get(pk=rule.pk)
        if not rule.is_working:
            return None
        if found:
            try:
                found = differences(rule, day, found.people)  # under the lock, for those alone
            except RuleStuck:
                return None
            batch = _make_batch(rule, found, day)
        if only is None:
            rule.swept_at = timezone.now()
            rule.save(update_fields=["swept_at"])
    return _apply(batch) if batch is not None else None


def _make_batch(rule: AssignmentRule, found: Differences, day: date) -> AssignmentBatch | None:
    people, assignments = _under_way(rule)
    gaining = tuple(pk for pk in found.gaining if pk not in people)
    leaving = [assignment for assignment in found.leaving if assignment.pk not in assignments]
    leaving = _hand_over(rule, leaving, day)
    if not (gaining or leaving):
        return None
    batch = start_batch(
        officer=None, ask=ask_of(rule, gaining), token=f"sweep-{rule.pk}-{uuid4()}", losing=leaving, here=True
    )
    log(
        instance=rule,
        action="learning.sweep_rule",
        data={"batch": batch.pk, "gaining": len(gaining), "leaving": len(leaving)},
    )
    return batch


def _sweeps_of(rule: AssignmentRule) -> QuerySet[AssignmentBatch]:
    return rule.batches.filter(created_by__isnull=True).select_related("job").order_by("pk")


def _under_way(rule: AssignmentRule) -> tuple[set[int], set[int]]:
    """People and assignments that sweeps of this rule are about to deal with."""
    people: set[int] = set()
    assignments: set[int] = set()
    open_statuses = (BatchStatus.COUNTING, BatchStatus.READY, BatchStatus.APPLYING)
    for batch in _sweeps_of(rule).filter(status__in=open_statuses):
        if batch.status == BatchStatus.READY or (batch.job is not None and batch.job.is_open):
            people.update(batch.whom.get("people", ()))
            assignments.update(batch.whom.get("losing", ()))
    return people, assignments


def _go_on(rule: AssignmentRule) -> None:
    """Take up what a killed worker left of earlier sweeps."""
    for batch in _sweeps_of(rule).filter(status__in=(BatchStatus.READY, BatchStatus.APPLYING, BatchStatus.FAILED)):
        if batch.status == BatchStatus.APPLYING and batch.job is not None and batch.job.is_open:
            continue
        if rule.is_working:
            _apply(batch)


def _apply(batch: AssignmentBatch) -> AssignmentBatch | None:
    batch.refresh_from_db()
    if batch.status == BatchStatus.READY and not has_changes(batch):
        batch.delete()  # between the look and the dry run somebody was faster: nothing is left to tell
        return None
    if batch.status == BatchStatus.APPLYING or can_apply(batch):
        return apply_batch(batch=batch, by=None)
    return batch


def _hand_over(rule: AssignmentRule, leaving: list[Assignment], day: date) -> list[Assignment]:
    """Who leaves this rule and meets another one that gives the same keeps it by that one. Returns the others."""
    for other in working_rules().exclude(pk=rule.pk).filter(kind=rule.kind):
        if not leaving:
            break
        if not _gives_the_same(rule, other):
            continue
        try:
            taken = members_of(other, day, [assignment.person_id for assignment in leaving])
        except RuleStuck:
            continue
        kept = [assignment.pk for assignment in leaving if assignment.person_id in taken]
        if kept:
            for some in in_parts(kept):
                Assignment.objects.filter(pk__in=some, rule=rule).update(rule=other)
            log(instance=other, action="learning.hand_over", data={"from": rule.pk, "assignments": kept[:500]})
        leaving = [assignment for assignment in leaving if assignment.person_id not in taken]
    return leaving


def _gives_the_same(rule: AssignmentRule, other: AssignmentRule) -> bool:
    if rule.profile is not None and other.profile is not None:
        return rule.profile.lineage == other.profile.lineage
    return (rule.curated_path_id, rule.course_key) == (other.curated_path_id, other.course_key)


# --- News about people -----------------------------------------------------------------------------------------------
def check_people(person_ids: Iterable[int], day: date) -> int:
    """Look at these people against all working rules; returns how many batches came of it.

    Facts are read once for all rules; a rule is gone into only where somebody's state may differ from it.
    """
    ids = sorted(set(person_ids))
    rules = _readable(list(working_rules()))
    if not (ids and rules):
        return 0
    about = _together(mentions(condition) for _rule, condition in rules)
    made = 0
    for some in in_parts(ids):
        facts = facts_of(some, day, about)
        paths = _paths_of(some, day)
        given = _given(some)
        for rule, condition in rules:
            differing = [
                pk
                for pk in some
                if _meets(rule, condition, facts[pk], paths.get(pk, ()), day) is not ((rule.pk, pk) in given)
            ]
            if differing and sweep_rule(rule=rule, day=day, only=differing) is not None:
                made += 1
    return made


def _readable(rules: list[AssignmentRule]) -> list[tuple[AssignmentRule, Condition]]:
    """Rules with their conditions, units where they stand today; those that are stuck are left out. One query."""
    read = []
    for rule in rules:
        try:
            read.append((rule, read_condition(rule.condition)))
        except ConditionRefused:
            continue
    named = {unit for _rule, condition in read for unit in mentions(condition).units}
    paths = dict(Unit.objects.filter(pk__in=named).values_list("pk", "path")) if named else {}
    found = []
    for rule, condition in read:
        try:
            found.append((rule, with_paths(condition, paths)))
        except UnitsGone:
            continue
    return found


def _together(all_mentions: Iterable[Mentions]) -> Mentions:
    found = list(all_mentions)
    return Mentions(
        units=frozenset().union(*(m.units for m in found)),
        roles=frozenset().union(*(m.roles for m in found)),
        grades=frozenset().union(*(m.grades for m in found)),
        languages=frozenset().union(*(m.languages for m in found)),
        people=frozenset().union(*(m.people for m in found)),
        tags=frozenset().union(*(m.tags for m in found)),
        competencies=frozenset().union(*(m.competencies for m in found)),
        by_start=any(m.by_start for m in found),
        by_day=any(m.by_day for m in found),
    )


def _paths_of(ids: Iterable[int], day: date) -> dict[int, list[str]]:
    """Where each active person has her posts, as paths in the tree."""
    found: dict[int, list[str]] = {}
    held = Appointment.objects.current(day).filter(person_id__in=list(ids), person__is_active=True).order_by()
    for person_id, path in held.values_list("person_id", "post__unit__path"):
        found.setdefault(person_id, []).append(path)
    return found


def _given(ids: Iterable[int]) -> set[tuple[int, int]]:
    rows = open_ones(Assignment.objects.filter(person_id__in=list(ids), rule__isnull=False)).order_by()
    return {(rule_id, person_id) for rule_id, person_id in rows.values_list("rule_id", "person_id") if rule_id}


def _meets(rule: AssignmentRule, condition: Condition, facts: Facts, paths: Iterable[str], day: date) -> bool:
    return any(path.startswith(rule.unit.path) for path in paths) and holds(condition, facts, as_of=day)


def people_touched(person_ids: Iterable[int], post_ids: Iterable[int], day: date) -> set[int]:
    """These people, the holders of these posts, and those who report to them: their manager may be another one now.

    The way down goes past vacant posts to the first that somebody holds; one query for each row of them.
    """
    found, seen = set(person_ids), set()
    frontier, first = set(post_ids), True
    while frontier:
        held = dict.fromkeys(frontier, False)
        holders = (
            Appointment.objects.current(day).filter(post_id__in=list(frontier)).values_list("post_id", "person_id")
        )
        for post_id, person_id in holders:
            found.add(person_id)
            held[post_id] = True
        seen |= frontier
        above = [pk for pk, is_held in held.items() if first or not is_held]
        frontier = set(Post.objects.filter(reports_to__in=above).values_list("pk", flat=True)) - seen
        first = False
    return found
