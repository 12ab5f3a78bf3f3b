"""The jobs of standing rules. Each may run twice and leaves the same state as once."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from learning.asking import Ask, NotOffered, Whom
from learning.batches import apply_batch, has_changes, start_batch
from learning.enums import AssignmentKind, BatchStatus
from learning.models import AssignmentRule
from learning.rule_sweep import check_people, members_of, people_touched, sweep_rule
from learning.rules import (
    CHECK_PEOPLE_JOB,
    STOP_RULE_JOB,
    SWEEP_RULE_JOB,
    TRY_RULE_JOB,
    RuleStuck,
    ask_of,
    digest_of,
    given_by,
)
from organisations.jobs import CannotBeDone, Run, job_kind
from organisations.models import User


def _rule(run: Run) -> AssignmentRule:
    rule = AssignmentRule.objects.select_related("unit", "profile").filter(pk=run.payload["rule"]).first()
    if rule is None:
        raise CannotBeDone(_("The rule is no longer there."))
    return rule


@job_kind(TRY_RULE_JOB, gettext_lazy("Work out what a rule would do"))
def try_rule(run: Run) -> dict[str, Any]:
    rule, officer = _rule(run), User.objects.get(pk=run.payload["officer"])
    if digest_of(rule) != run.payload["said"]:
        raise CannotBeDone(_("The rule has been changed since. Make a new dry run."))
    try:
        members = members_of(rule, timezone.localdate(), progress=run.progress)
        leaving = [a for a in given_by(rule).select_related("person") if a.person_id not in members]
        batch = start_batch(
            officer=officer,
            ask=ask_of(rule, tuple(sorted(members))),
            token=run.payload["token"],
            losing=leaving,
        )
    except (RuleStuck, NotOffered) as error:
        raise CannotBeDone(str(error)) from error
    return {"batch": batch.pk}


@job_kind(SWEEP_RULE_JOB, gettext_lazy("Check a standing rule"))
def sweep(run: Run) -> dict[str, Any]:
    batch = sweep_rule(rule=_rule(run), day=timezone.localdate(), progress=run.progress)
    return {"batch": batch.pk if batch is not None else None}


@job_kind(CHECK_PEOPLE_JOB, gettext_lazy("Check people against the standing rules"))
def check(run: Run) -> dict[str, Any]:
    day = timezone.localdate()
    people = people_touched(run.payload["people"], run.payload["posts"], day)
    return {"people": len(people), "batches": check_people(people, day)}


@job_kind(STOP_RULE_JOB, gettext_lazy("End what a stopped rule gave"))
def end_what_it_gave(run: Run) -> dict[str, Any]:
    """As an assignment of the officer who stopped it: she can take it back like any other."""
    rule = _rule(run)
    if rule.is_working:  # it was started again meanwhile
        return {"batch": None}
    ask = ask_of(rule)
    ask = Ask(
        kind=AssignmentKind(rule.kind),
        whom=Whom(),
        profile_id=ask.profile_id,
        curated_path_id=rule.curated_path_id,
        course_key=rule.course_key,
        note=rule.title,
    )
    leaving = list(given_by(rule).select_related("person"))
    try:
        batch = start_batch(
            officer=run.job.created_by, ask=ask, token=f"stop-{run.job.pk}-{rule.pk}", losing=leaving, here=True
        )
    except NotOffered as error:
        raise CannotBeDone(str(error)) from error
    if batch.status == BatchStatus.READY and has_changes(batch):
        batch = apply_batch(batch=batch, by=run.job.created_by)
    return {"batch": batch.pk}
