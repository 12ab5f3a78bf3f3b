"""Standing rules: said, tried out, started, changed and stopped. Who meets them today: learning/rule_sweep.py."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from competencies.models import RoleProfile
from competencies.selectors import successors_of
from courses.models import CoursePage
from learning.asking import Ask, NotOffered, Thing, Whom, assignable_paths, read_repeat, thing_of, write_repeat
from learning.batches import apply_batch, can_apply, has_changes
from learning.conditions import Condition, ConditionRefused, UnitsGone, mentions, read_condition, write_condition
from learning.conditions import with_paths as where_units_stand
from learning.due_dates import NONE, DuePolicy, PolicyRefused, read_policy, write_policy
from learning.enums import AssignmentKind, BatchStatus, OnLeaving
from learning.models import Assignment, AssignmentBatch, AssignmentRule, CuratedPath
from learning.periods import Recurrence, RecurrenceRefused
from organisations.jobs import enqueue
from organisations.models import Job, Unit, User
from organisations.perms import units_served

TRY_RULE_JOB = "learning.try_rule"
SWEEP_RULE_JOB = "learning.sweep_rule"
CHECK_PEOPLE_JOB = "learning.check_rules"
STOP_RULE_JOB = "learning.stop_rule"

# A scope of so many people is looked through while the officer waits.
TRIED_HERE = 500


class RuleRefused(Exception):
    """What was asked of a rule is not possible. The message is a sentence for people, `field` what it is about."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class RuleStuck(Exception):
    """A rule names what is no longer there, so it does nothing until somebody says what it means now."""


@dataclass(frozen=True)
class Said:
    """What a rule says."""

    title: str
    unit: Unit
    condition: Condition
    kind: AssignmentKind
    on_leaving: OnLeaving
    profile: RoleProfile | None = None
    curated_path: CuratedPath | None = None
    course_key: str = ""
    mandatory: bool = True
    note: str = ""
    due_policy: DuePolicy = field(default_factory=DuePolicy)
    repeat: Recurrence | None = None

    def as_fields(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "unit": self.unit,
            "condition": write_condition(self.condition),
            "kind": self.kind,
            "profile": self.profile,
            "curated_path": self.curated_path,
            "course_key": self.course_key,
            "mandatory": self.mandatory,
            "note": self.note,
            "due_policy": write_policy(self.due_policy),
            "repeat": write_repeat(self.repeat),
            "on_leaving": self.on_leaving,
        }


def digest_of(rule: AssignmentRule) -> str:
    """Stands for everything a rule says but its title: what was tried out is what starts, or nothing does."""
    content = [
        rule.unit_id, rule.condition, str(rule.kind), rule.profile_id, rule.curated_path_id, rule.course_key,
        rule.mandatory, rule.note, rule.due_policy, rule.repeat, str(rule.on_leaving),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


# --- Reading ---------------------------------------------------------------------------------------------------------
def rules_visible_to(officer: User) -> QuerySet[AssignmentRule]:
    """Rules of units an officer serves; all of them, as administrator."""
    rules = AssignmentRule.objects.select_related(
        "unit", "profile__role__version__framework", "curated_path", "created_by"
    )
    return rules if officer.is_superuser else rules.filter(unit__in=units_served(officer).values("pk"))


def working_rules() -> QuerySet[AssignmentRule]:
    """Rules at work. Those that give roles come first: others may ask for a role."""
    return (
        AssignmentRule.objects.filter(started_at__isnull=False, stopped_at__isnull=True)
        .select_related("unit", "profile")
        .annotate(gives_no_role=~Q(kind=AssignmentKind.ROLE))
        .order_by("gives_no_role", "pk")
    )


def given_by(rule: AssignmentRule) -> QuerySet[Assignment]:
    """Assignments a rule keeps: given by it, not ended, and the role, where it is one, still held."""
    return open_ones(Assignment.objects.filter(rule=rule))


def open_ones(assignments: QuerySet[Assignment]) -> QuerySet[Assignment]:
    today = timezone.localdate()
    return assignments.filter(
        Q(role_assignment__isnull=True)
        | Q(role_assignment__ends_on__isnull=True)
        | Q(role_assignment__ends_on__gt=today),
        ended_on__isnull=True,
    )


def numbers_given(rules: list[AssignmentRule]) -> dict[int, int]:
    """How many people have it by each rule. One query."""
    rows = open_ones(Assignment.objects.filter(rule__in=rules)).order_by().values_list("rule_id")
    return dict(rows.annotate(Count("person_id", distinct=True)))


def ask_of(rule: AssignmentRule, person_ids: tuple[int, ...] = ()) -> Ask:
    """What a rule asks of these people, a role in the edition that counts today. Raises RuleStuck."""
    try:
        policy, repeat = read_policy(rule.due_policy or {"kind": NONE}), read_repeat(rule.repeat)
    except (PolicyRefused, RecurrenceRefused, TypeError) as error:
        raise RuleStuck(_("Its due date cannot be read any more. Change the rule.")) from error
    profile_id = rule.profile_id
    if profile_id is not None:
        profile_id = successors_of([profile_id]).get(profile_id, profile_id)
    return Ask(
        kind=AssignmentKind(rule.kind),
        whom=Whom(person_ids=person_ids, rule_id=rule.pk),
        profile_id=profile_id,
        curated_path_id=rule.curated_path_id,
        course_key=rule.course_key,
        mandatory=rule.mandatory,
        note=rule.note,
        due_policy=policy,
        repeat=repeat,
    )


def thing_given(rule: AssignmentRule) -> Thing:
    """What a rule gives, as it is in force. Raises RuleStuck where it is no longer offered."""
    try:
        return thing_of(ask_of(rule), None)
    except NotOffered as error:
        raise RuleStuck(_("What it gives is not offered any more. Change the rule, or stop it.")) from error


def condition_of(rule: AssignmentRule) -> Condition:
    """The condition with units where they stand today. Raises RuleStuck."""
    try:
        condition = read_condition(rule.condition)
        named = mentions(condition).units
        paths = dict(Unit.objects.filter(pk__in=named).values_list("pk", "path")) if named else {}
        return where_units_stand(condition, paths)
    except UnitsGone as error:
        raise RuleStuck(_("A unit it asks for is no longer there. Change the rule.")) from error
    except ConditionRefused as error:
        raise RuleStuck(_("Its conditions cannot be read any more. Change the rule.")) from error


def what_is_stuck(rule: AssignmentRule) -> str:
    """Why a rule does nothing, in a sentence; empty where nothing stands in its way."""
    return stuck_among([rule]).get(rule.pk, "")


def stuck_among(rules: Sequence[AssignmentRule]) -> dict[int, str]:
    """Which of these rules do nothing, by id, each with the reason. Five queries at the most, however many rules."""
    named: dict[int, frozenset[int]] = {}
    found: dict[int, str] = {}
    for rule in rules:
        try:
            named[rule.pk] = mentions(read_condition(rule.condition)).units
            read_policy(rule.due_policy or {"kind": NONE})
            read_repeat(rule.repeat)
        except ConditionRefused:
            found[rule.pk] = _("Its conditions cannot be read any more. Change the rule.")
        except (PolicyRefused, RecurrenceRefused, TypeError):
            found[rule.pk] = _("Its due date cannot be read any more. Change the rule.")
    units = frozenset().union(*named.values())
    there = set(Unit.objects.filter(pk__in=units).values_list("pk", flat=True)) if units else set()
    offered = _offered(rules)
    for rule in rules:
        if rule.pk in found:
            continue
        if not named[rule.pk] <= there:
            found[rule.pk] = _("A unit it asks for is no longer there. Change the rule.")
        elif rule.pk not in offered:
            found[rule.pk] = _("What it gives is not offered any more. Change the rule, or stop it.")
    return found


def _offered(rules: Sequence[AssignmentRule]) -> set[int]:
    """The rules among these whose role, path or course can be given today."""
    lineages = {rule.profile.lineage for rule in rules if rule.profile is not None}
    paths = {rule.curated_path_id for rule in rules if rule.curated_path_id is not None}
    keys = {rule.course_key for rule in rules if rule.course_key}
    roles = RoleProfile.objects.published().filter(lineage__in=lineages).values_list("lineage", flat=True)
    in_use = assignable_paths(None).filter(pk__in=paths).values_list("pk", flat=True)
    courses = CoursePage.objects.offered().filter(key__in=keys).values_list("key", flat=True)
    offered_roles, offered_paths = set(roles if lineages else ()), set(in_use if paths else ())
    offered_keys = set(courses if keys else ())
    return {
        rule.pk
        for rule in rules
        if (rule.profile is not None and rule.profile.lineage in offered_roles)
        or rule.curated_path_id in offered_paths
        or rule.course_key in offered_keys
    }


def newest_try(rule: AssignmentRule) -> AssignmentBatch | None:
    """The newest dry run of the rule as it reads now, made for an officer."""
    return (
        rule.batches.filter(created_by__isnull=False, token__contains=f":{_mark(rule)}")
        .select_related("job", "created_by")
        .order_by("-pk")
        .first()
    )


def _mark(rule: AssignmentRule) -> str:
    return f"rule-{rule.pk}-{digest_of(rule)}-"


# --- Saying and changing ---------------------------------------------------------------------------------------------
@transaction.atomic
def make_rule(*, said: Said, by: User) -> AssignmentRule:
    """Write a rule down. It does nothing before its dry run is confirmed; pressed twice, there is one."""
    User.objects.select_for_update(of=("self",)).get(pk=by.pk)  # two presses at once come one after the other
    _may_be_said(said, by)
    new = AssignmentRule(created_by=by, **said.as_fields())
    for waiting in AssignmentRule.objects.filter(
        created_by=by, title=said.title, unit=said.unit, started_at__isnull=True, stopped_at__isnull=True
    ):
        if digest_of(waiting) == digest_of(new):
            return waiting
    new.save()
    log(instance=new, action="learning.make_rule", user=by, data={"unit": said.unit.pk})
    return new


@transaction.atomic
def change_rule(*, rule: AssignmentRule, said: Said, by: User, seen: str) -> AssignmentRule:
    """Say a rule anew. Unless only its title changes, it does nothing until a new dry run is confirmed; what it has given
    stays until then. `seen` is the digest of what was changed. Raises RuleRefused.
    """
    rule = AssignmentRule.objects.select_for_update(of=("self",)).get(pk=rule.pk)
    before, fields, title = digest_of(rule), said.as_fields(), rule.title
    gave = _what(rule)
    for name, value in fields.items():
        setattr(rule, name, value)
    after = digest_of(rule)
    if after == before and rule.title == title:
        return rule
    if seen != before:
        raise RuleRefused(_("Somebody has changed this rule since you opened it. Look at it again, then change it."))
    if _what(rule) != gave and Assignment.objects.filter(rule=rule).exists():
        raise RuleRefused(
            _("This rule has given something already and goes on giving that. For something else make another rule."),
            "kind",
        )
    _may_be_said(said, by)
    if after != before:
        if rule.started_at is not None and rule.stopped_at is None:
            rule.stopped_at = timezone.now()
        rule.started_at = None
        _forget_tries(rule)
    rule.save()
    log(instance=rule, action="learning.change_rule", user=by, data={"before": before, "after": after})
    return rule


def _what(rule: AssignmentRule) -> tuple[object, ...]:
    """What a rule gives; of a role the lineage, because editions follow one another."""
    return rule.profile.lineage if rule.profile is not None else None, rule.curated_path_id, rule.course_key


def _forget_tries(rule: AssignmentRule) -> None:
    """Dry runs of what a rule said before can no longer be applied."""
    rule.batches.filter(
        created_by__isnull=False, status__in=(BatchStatus.COUNTING, BatchStatus.READY), applied_at__isnull=True
    ).update(status=BatchStatus.STALE)


def _may_be_said(said: Said, by: User) -> None:
    if not units_served(by).filter(pk=said.unit.pk).exists():
        raise RuleRefused(_("This unit is not among those you serve."), "unit")
    named = mentions(said.condition)
    if said.profile is not None and str(said.profile.lineage) in named.roles:
        raise RuleRefused(
            _("The rule asks for the very role that it gives, so it would undo itself. Ask for something else."),
            "profile",
        )
    try:
        thing_of(
            Ask(
                kind=said.kind,
                whom=Whom(),
                profile_id=said.profile.pk if said.profile else None,
                curated_path_id=said.curated_path.pk if said.curated_path else None,
                course_key=said.course_key,
            ),
            by,
        )
    except NotOffered as error:
        raise RuleRefused(str(error), "kind") from error


# --- Trying out, starting, stopping ----------------------------------------------------------------------------------
def try_rule(*, rule: AssignmentRule, by: User, token: str) -> Job:
    """Have the dry run made: what the rule would do today. The same press (`token`) makes one."""
    from learning.rule_sweep import people_in_scope

    here = people_in_scope(rule, timezone.localdate()).count() <= TRIED_HERE
    payload = {"rule": rule.pk, "officer": by.pk, "token": f"{_mark(rule)}{token}", "said": digest_of(rule)}
    return enqueue(kind=TRY_RULE_JOB, key=f"{by.pk}:{_mark(rule)}{token}", payload=payload, by=by, here=here)


def can_start(rule: AssignmentRule, tried: AssignmentBatch | None) -> bool:
    if rule.is_working or tried is None:
        return False
    return tried.status == BatchStatus.READY or (tried.status == BatchStatus.FAILED and can_apply(tried))


def start_rule(*, rule: AssignmentRule, batch: AssignmentBatch, by: User) -> AssignmentRule:
    """Confirm a dry run: it is applied, and once it is, the rule works. Raises RuleRefused, CannotBeChanged.

    A dry run in which nobody gains or loses anything is confirmed all the same: the rule waits for who joins.
    """
    with transaction.atomic():
        rule = AssignmentRule.objects.select_for_update(of=("self",)).get(pk=rule.pk)
        if rule.is_working:
            return rule
        if batch.rule_id != rule.pk or f":{_mark(rule)}" not in batch.token:
            raise RuleRefused(_("The rule reads differently now than in this dry run. Make a new one and look at it."))
        batch = AssignmentBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
        if batch.status == BatchStatus.READY and not has_changes(batch):
            batch.status, batch.applied_at = BatchStatus.APPLIED, timezone.now()
            batch.save(update_fields=["status", "applied_at"])
        else:
            batch = apply_batch(batch=batch, by=by)
        log(instance=rule, action="learning.start_rule", user=by, data={"batch": batch.pk})
    return settle_rule(rule)


def settle_rule(rule: AssignmentRule) -> AssignmentRule:
    """Let a rule work whose dry run has been applied since it was last said or stopped, and stop one whose beginning was
    taken back. Whoever looks after rules calls it first, so that it does not matter who applied the dry run."""
    with transaction.atomic():
        rule = AssignmentRule.objects.select_for_update(of=("self",)).get(pk=rule.pk)
        confirmed = (
            rule.batches.filter(created_by__isnull=False, applied_at__isnull=False, token__contains=f":{_mark(rule)}")
            .order_by("-applied_at", "-pk")
            .first()
        )
        if confirmed is None or confirmed.applied_at is None:
            return rule
        taken_back = confirmed.status in (BatchStatus.UNDOING, BatchStatus.UNDONE)
        if rule.is_working:
            if taken_back:
                _stop(rule, at=confirmed.undone_at or timezone.now(), by=confirmed.undone_by, why="undone")
        elif confirmed.status == BatchStatus.APPLIED and (
            rule.stopped_at is None or confirmed.applied_at > rule.stopped_at
        ):
            rule.started_at, rule.stopped_at = confirmed.applied_at, None
            rule.save(update_fields=["started_at", "stopped_at"])
    return rule


def settle_rules() -> None:
    """`settle_rule` for every rule that may need it."""
    waiting = Q(started_at__isnull=True) | Q(stopped_at__isnull=False)
    confirmed = Q(batches__status=BatchStatus.APPLIED, batches__created_by__isnull=False)
    undone = Q(batches__status__in=(BatchStatus.UNDOING, BatchStatus.UNDONE), batches__created_by__isnull=False)
    rules = AssignmentRule.objects.filter((waiting & confirmed) | (~waiting & undone)).distinct()
    for rule in rules.order_by("pk"):
        settle_rule(rule)


def stop_rule(*, rule: AssignmentRule, then: OnLeaving, by: User, at: datetime | None = None) -> AssignmentRule:
    """Stop a rule; `then` says what becomes of what it gave. Stopping it twice leaves the first stop."""
    with transaction.atomic():
        rule = AssignmentRule.objects.select_for_update(of=("self",)).get(pk=rule.pk)
        if not rule.is_working:
            return rule
        _stop(rule, at=at or timezone.now(), by=by, why=then)
        if then != OnLeaving.KEEP:
            payload = {"rule": rule.pk, "then": then, "stopped": rule.stopped_at.isoformat() if rule.stopped_at else ""}
            enqueue(kind=STOP_RULE_JOB, key=f"{rule.pk}:{payload['stopped']}", payload=payload, by=by)
    return rule


def _stop(rule: AssignmentRule, *, at: datetime, by: User | None, why: str) -> None:
    rule.stopped_at = at
    rule.save(update_fields=["stopped_at"])
    _forget_tries(rule)
    log(instance=rule, action="learning.stop_rule", user=by, data={"then": why})
