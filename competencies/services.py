"""Writes of the competencies floor: evidence is recorded and withdrawn, roles are assigned and ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from i18nfield.strings import LazyI18nString
from wagtail.log_actions import log

from competencies.enums import HELD_RANK, EvidenceKind
from competencies.models import Competency, Evidence, EvidenceWithdrawal, ProficiencyLevel, RoleAssignment, RoleProfile
from competencies.signals import evidence_changed
from organisations import perms
from organisations.models import User


class EvidenceRefused(ValueError):
    """Evidence that must not be recorded; the text is a sentence for the person who tried."""


@dataclass(frozen=True)
class Finding:
    """What is to be recorded about one competency. `rank` is of the framework's own scale (1 = held where it has none).

    `value` and `se` (in ranks) and `probabilities` (P(>= 1), P(>= 2), …) come with a diagnostic.
    """

    competency: Competency
    rank: int
    passed: bool = True
    value: float | None = None
    se: float | None = None
    probabilities: tuple[float, ...] | None = None


def lock_person(person: User) -> None:
    """One write of this kind about a person at a time, until the transaction ends.

    Not against rows that only point to her: whoever decides on a claim of hers meanwhile records evidence.
    """
    User.objects.select_for_update(of=("self",), no_key=True).only("pk").get(pk=person.pk)


def as_written(text: str) -> LazyI18nString:
    """A person's own words as the `source` of evidence, the same in every language and never read as anything but words."""
    return LazyI18nString({code: text for code, _name in settings.LANGUAGES})


def check_rank(competency: Competency, rank: int) -> None:
    """Raise EvidenceRefused unless `rank` is on the scale of the competency's framework."""
    ranks = set(ProficiencyLevel.objects.filter(version_id=competency.version_id).values_list("rank", flat=True))
    if rank not in (ranks or {0, HELD_RANK}):
        raise EvidenceRefused(
            _("Level %(rank)s is not on the scale of “%(competency)s”.") % {"rank": rank, "competency": competency}
        )


def is_in_use(competency: Competency) -> bool:
    """Whether new evidence can be recorded: it is published, or an edition of it that follows is."""
    if competency.version.is_published:
        return True
    in_force = Competency.objects.published().filter(lineage=competency.lineage)
    return not competency.version.is_draft and in_force.exists()


def check_in_use(competency: Competency) -> None:
    """Raise EvidenceRefused for a competency that is a draft or was withdrawn."""
    if not is_in_use(competency):
        raise EvidenceRefused(
            _("“%(competency)s” is not in use (any more): nothing new can be recorded for it.")
            % {"competency": competency}
        )


@transaction.atomic
def record_evidence(
    *,
    person: User,
    findings: Sequence[Finding],
    kind: EvidenceKind,
    source_key: str,
    by: User | None,
    occurred_on: date,
    assessed: bool = False,
    source: object = "",
    note: str = "",
    valid_until: date | None = None,
    at: datetime | None = None,
    corrects: Evidence | None = None,
) -> list[Evidence]:
    """Record findings about a person, one piece of evidence a competency.

    `source_key` names the event (a form's token, an enrolment): recording the same event again returns what is there.
    Raises EvidenceRefused with a sentence when a level is off the scale, the date lies in the future, the evidence has
    lapsed on arrival, the competency is withdrawn or a draft, or somebody rates herself as her own manager. Then nothing
    is written. What `corrects` another piece stands for it: it may have lapsed or be about a withdrawn competency, too.
    """
    moment = at or timezone.now()
    today = timezone.localdate(moment)
    if occurred_on > today:
        raise EvidenceRefused(_("Evidence cannot be dated in the future."))
    if corrects is None and valid_until is not None and occurred_on < valid_until <= today:
        raise EvidenceRefused(_("This has lapsed already; it would count for nothing."))
    if valid_until is not None and valid_until <= occurred_on:
        raise EvidenceRefused(_("The evidence would lapse before it is dated."))
    if kind == EvidenceKind.MANAGER and by == person:
        raise EvidenceRefused(_("You cannot confirm your own level as a manager."))
    for finding in findings:
        if corrects is None:
            check_in_use(finding.competency)
        # A diagnostic may show no level yet, also on a scale that begins at 1.
        if finding.rank or kind != EvidenceKind.DIAGNOSTIC:
            check_rank(finding.competency, finding.rank)
    recorded = []
    new = False
    for finding in findings:
        key = f"{source_key}:{finding.competency.pk}"
        piece, created = _get_or_create_evidence(
            key,
            Evidence(
                person=person,
                competency=finding.competency,
                kind=kind,
                rank=finding.rank,
                passed=finding.passed,
                value=finding.value,
                se=finding.se,
                probabilities=None if finding.probabilities is None else list(finding.probabilities),
                assessed=assessed,
                occurred_on=occurred_on,
                valid_until=valid_until,
                source=source,
                note=note,
                source_key=key,
                recorded_by=by,
                recorded_at=moment,
                stands_for=None if corrects is None else corrects.stands_for or corrects,
            ),
        )
        new = new or created
        recorded.append(piece)
        if created:
            log(
                instance=piece,
                action="competencies.record_evidence",
                user=by,
                data={"kind": kind, "rank": finding.rank, "person": person.pk},
            )
    if new:
        transaction.on_commit(
            partial(
                evidence_changed.send,
                sender=Evidence,
                person_id=person.pk,
                evidence_ids=[piece.pk for piece in recorded],
                key=f"evidence-{source_key}",
            )
        )
    return recorded


def _get_or_create_evidence(key: str, piece: Evidence) -> tuple[Evidence, bool]:
    found = Evidence.objects.filter(source_key=key).first()
    if found:
        return found, False
    try:
        with transaction.atomic():
            piece.save(force_insert=True)
    except IntegrityError:
        return Evidence.objects.get(source_key=key), False
    return piece, True


@transaction.atomic
def withdraw_evidence(
    *, evidence: Evidence, by: User | None, reason: str, at: datetime | None = None
) -> EvidenceWithdrawal:
    """The piece stays on record and no longer counts; an open contest of it ends. Withdrawing twice leaves one withdrawal."""
    from competencies.contests import end_overtaken_contest

    moment = at or timezone.now()
    Evidence.objects.select_for_update(of=("self",)).get(
        pk=evidence.pk
    )  # a contest of it is opened or decided elsewhere
    withdrawal, created = EvidenceWithdrawal.objects.get_or_create(
        evidence=evidence, defaults={"withdrawn_by": by, "reason": reason, "withdrawn_at": moment}
    )
    if created:
        end_overtaken_contest(evidence=evidence, reason=reason, at=moment)
        log(instance=evidence, action="competencies.withdraw_evidence", user=by, data={"person": evidence.person_id})
        transaction.on_commit(
            partial(
                evidence_changed.send,
                sender=Evidence,
                person_id=evidence.person_id,
                evidence_ids=[evidence.pk],
                key=f"withdrawal-{withdrawal.pk}",
            )
        )
    return withdrawal


def assess_myself(*, person: User, competency: Competency, rank: int, token: str, on: date | None = None) -> Evidence:
    """A self-assessment: the declared level, shown beside the attained one."""
    [piece] = record_evidence(
        person=person,
        findings=[Finding(competency, rank)],
        kind=EvidenceKind.SELF,
        source_key=f"self:{person.pk}:{token}",
        by=person,
        occurred_on=on or timezone.localdate(),
    )
    return piece


def assess_as_manager(
    *, person: User, competency: Competency, rank: int, note: str, token: str, by: User, on: date | None = None
) -> Evidence:
    """A manager rates somebody she leads. Raises EvidenceRefused for anybody else."""
    if by != person and not (by.is_superuser or perms.is_manager_of(by, person)):
        raise EvidenceRefused(_("You can only confirm levels of people you lead."))
    [piece] = record_evidence(
        person=person,
        findings=[Finding(competency, rank)],
        kind=EvidenceKind.MANAGER,
        source_key=f"manager:{by.pk}:{person.pk}:{token}",
        by=by,
        occurred_on=on or timezone.localdate(),
        assessed=True,
        note=note,
    )
    return piece


@transaction.atomic
def assign_role(*, person: User, profile: RoleProfile, by: User | None, starts_on: date) -> tuple[RoleAssignment, bool]:
    """Give a person a role; she has it once, however often it is assigned. Returns the assignment and whether it is new."""
    try:
        with transaction.atomic():
            assignment, created = RoleAssignment.objects.get_or_create(
                person=person, profile=profile, ends_on=None, defaults={"starts_on": starts_on, "assigned_by": by}
            )
    except IntegrityError:  # two officers at once
        assignment, created = RoleAssignment.objects.get(person=person, profile=profile, ends_on=None), False
    if created:
        log(
            instance=assignment,
            action="competencies.assign_role",
            user=by,
            data={"person": person.pk, "profile": profile.pk},
        )
    return assignment, created


@transaction.atomic
def end_role(*, assignment: RoleAssignment, by: User | None, ends_on: date) -> RoleAssignment:
    """End an assigned role; ending it twice leaves the first end, and an end that is still to come can be brought forward."""
    assignment = RoleAssignment.objects.select_for_update(of=("self",)).get(pk=assignment.pk)
    day = max(ends_on, assignment.starts_on)
    if assignment.ends_on is not None and assignment.ends_on <= day:
        return assignment
    assignment.ends_on = day
    assignment.save(update_fields=["ends_on"])
    log(instance=assignment, action="competencies.end_role", user=by, data={"ends_on": day.isoformat()})
    return assignment
