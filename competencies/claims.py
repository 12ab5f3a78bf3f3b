"""A person asks to have a certificate from elsewhere or prior learning recognised; an assessor decides. Decided claims are
history: one that was not accepted is taken up again by a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from competencies.assessors import answer_due_on, can_decide, choose_assessor, open_claims, open_contests
from competencies.claim_mails import remind, tell_answer, tell_assessor
from competencies.documents import MAX_FILES, DocumentRefused, store_documents
from competencies.enums import ClaimKind, ClaimState, EvidenceKind
from competencies.levels import EvidenceItem, Verdict, attained_level
from competencies.models import Claim, Competency
from competencies.ruling import books_in_force
from competencies.services import (
    EvidenceRefused,
    Finding,
    as_written,
    check_in_use,
    check_rank,
    lock_person,
    record_evidence,
)
from organisations.models import User

# What was answered "no" or taken back may be asked again; what is open or accepted may not.
MAY_BE_TAKEN_UP = frozenset({ClaimState.REFUSED, ClaimState.TAKEN_BACK})


class ClaimRefused(EvidenceRefused):
    """A claim that cannot be submitted, decided or taken back; the text is a sentence for the person who tried.

    `field` names the part of the claim that is wrong, where one is.
    """

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class ClaimDecided(ClaimRefused):
    """Somebody has answered this claim already."""


@dataclass(frozen=True)
class Asked:
    """What a person asks for: a level in a competency, and what shows it."""

    competency: Competency
    kind: ClaimKind
    rank: int
    title: str
    issued_on: date
    issuer: str = ""
    valid_until: date | None = None
    statement: str = ""
    files: Sequence[UploadedFile] = field(default_factory=tuple)


# --- Submitting --------------------------------------------------------------------------------------------------
@transaction.atomic
def submit_claim(
    *, person: User, asked: Asked, token: str, previous: Claim | None = None, at: datetime | None = None
) -> Claim:
    """Ask to have something recognised; it goes to the assessor with the least to decide. The same `token` is one claim.

    `previous` is the claim of hers this one takes up again; its documents come along. Raises ClaimRefused for what could
    never be accepted, DocumentRefused for a file that is not taken; then nothing is kept.
    """
    key = f"{person.pk}:{token}"
    lock_person(person)  # a second window would not yet see what the first one asks for
    known = Claim.objects.filter(token=key).first()
    if known is not None:
        return known
    moment = at or timezone.now()
    today = timezone.localdate(moment)
    if previous is not None:
        previous = _taken_up(previous, person, asked.competency)
    kept = list(previous.documents.all()) if previous is not None else []
    check_asked(asked, on=today)
    if waits_already(person, asked):
        raise ClaimRefused(_("You have submitted this already; it waits for its answer."), "title")
    if not (asked.files or kept):
        if asked.kind == ClaimKind.CERTIFICATE:
            raise ClaimRefused(_("Add the certificate itself: a PDF, or a picture of the paper."), "documents")
        raise ClaimRefused(_("Add the document that shows it."), "documents")
    if len(kept) + len(asked.files) > 2 * MAX_FILES:
        raise DocumentRefused(_("With those you gave before these are too many documents."))
    claim = Claim(
        person=person,
        competency=asked.competency,
        kind=asked.kind,
        rank=asked.rank,
        title=" ".join(asked.title.split()),
        issuer=" ".join(asked.issuer.split()),
        issued_on=asked.issued_on,
        valid_until=asked.valid_until,
        statement=asked.statement.strip(),
        assessor=choose_assessor(person),
        due_on=answer_due_on(today),
        submitted_at=moment,
        previous=previous,
        token=key,
    )
    try:
        with transaction.atomic():
            claim.save(force_insert=True)
    except IntegrityError as error:  # the other press, or the other window, was a moment earlier
        known = Claim.objects.filter(token=key).first()
        if known is None:
            raise ClaimRefused(_("You have submitted this again already.")) from error
        return known
    claim.documents.set([*kept, *store_documents(owner=person, files=asked.files)])
    log(
        instance=claim,
        action="competencies.submit_claim",
        user=person,
        data={"kind": claim.kind, "rank": claim.rank, "competency": claim.competency_id},
    )
    tell_assessor(claim)
    return claim


def check_asked(asked: Asked, *, on: date) -> None:
    """Raise ClaimRefused for what no assessor could accept on the day `on`."""
    if asked.kind not in ClaimKind.values:
        raise ClaimRefused(_("Choose what you want to have recognised."))
    try:
        check_in_use(asked.competency)
        check_rank(asked.competency, asked.rank)
    except EvidenceRefused as error:
        raise ClaimRefused(str(error), "rank") from error
    if asked.rank < 1:
        raise ClaimRefused(_("Choose the level it shows."), "rank")
    if not asked.title.strip():
        raise ClaimRefused(_("Say what it is."), "title")
    if asked.kind == ClaimKind.CERTIFICATE and not asked.issuer.strip():
        raise ClaimRefused(_("Say who issued it."), "issuer")
    if asked.kind == ClaimKind.PRIOR_LEARNING and not asked.statement.strip():
        raise ClaimRefused(_("Say how it shows this level."), "statement")
    if asked.issued_on > on:
        raise ClaimRefused(_("This date lies in the future."), "issued_on")
    if asked.valid_until is not None and asked.valid_until <= asked.issued_on:
        raise ClaimRefused(_("The certificate would lapse before it is dated."), "valid_until")
    lapsed = lapsed_on(asked, on=on)
    if lapsed is not None:
        sentence = _("It lapsed on %(day)s and would no longer count. Give something newer.")
        raise ClaimRefused(
            sentence % {"day": formats.date_format(lapsed, "DATE_FORMAT")},
            "issued_on" if asked.valid_until is None else "valid_until",
        )


def waits_already(person: User, asked: Asked) -> bool:
    """Whether the person asks for the very same thing a second time, from another window say."""
    return Claim.objects.filter(
        person=person,
        competency__lineage=asked.competency.lineage,
        kind=asked.kind,
        title__iexact=" ".join(asked.title.split()),
        state=ClaimState.SUBMITTED,
    ).exists()


def lapsed_on(asked: Asked, *, on: date) -> date | None:
    """The day on which what is asked for lapsed, by its own date or by the rules of the framework; None if it counts."""
    if asked.valid_until is not None and asked.valid_until <= on:
        return asked.valid_until
    item = EvidenceItem(0, EvidenceKind(asked.kind), asked.rank, True, asked.issued_on, asked.valid_until)
    framework = asked.competency.version.framework_id
    [judged] = attained_level([item], as_of=on, rules=books_in_force([framework])[framework].rules).judged
    return judged.lapses_on if judged.verdict is Verdict.LAPSED else None


def _taken_up(claim: Claim, person: User, competency: Competency) -> Claim:
    claim = Claim.objects.select_for_update(of=("self",)).select_related("competency").get(pk=claim.pk)
    if claim.person_id != person.pk or claim.competency.lineage != competency.lineage:
        raise ClaimRefused(_("This belongs to another claim. Begin a new one."))
    if claim.state not in MAY_BE_TAKEN_UP:
        raise ClaimRefused(_("This claim need not be submitted again."))
    if Claim.objects.filter(previous=claim).exists():
        raise ClaimRefused(_("You have submitted this again already."))
    return claim


@transaction.atomic
def take_back_claim(*, claim: Claim, by: User) -> Claim:
    """The person no longer asks; twice is once. Raises ClaimDecided once it was answered."""
    claim = _locked(claim)
    if claim.person_id != by.pk:
        raise ClaimRefused(_("Only who submitted a claim takes it back."))
    if claim.state == ClaimState.TAKEN_BACK:
        return claim
    check_open(claim)
    claim.state = ClaimState.TAKEN_BACK
    claim.save(update_fields=["state"])
    log(instance=claim, action="competencies.take_back_claim", user=by)
    return claim


# --- Deciding ----------------------------------------------------------------------------------------------------
@transaction.atomic
def accept_claim(*, claim: Claim, by: User, rank: int, answer: str = "", at: datetime | None = None) -> Claim:
    """Recognise it at a level: it becomes evidence of the same kind. Less than was asked for needs a word why."""
    claim = _to_decide(claim, by)
    moment = at or timezone.now()
    if rank < 1:
        raise ClaimRefused(_("Choose the level it shows, or do not accept it."), "rank")
    if rank < claim.rank and not answer.strip():
        raise ClaimRefused(_("Say why it is less than was asked for: the person reads it."), "answer")
    asked = Asked(
        claim.competency, ClaimKind(claim.kind), rank, claim.title, claim.issued_on, valid_until=claim.valid_until
    )
    if lapsed_on(asked, on=timezone.localdate(moment)) is not None:
        raise ClaimRefused(_("This has lapsed meanwhile; it would count for nothing."), "decision")
    try:
        [piece] = record_evidence(
            person=claim.person,
            findings=[Finding(claim.competency, rank)],
            kind=EvidenceKind(claim.kind),
            source_key=f"claim:{claim.pk}",
            by=by,
            occurred_on=claim.issued_on,
            valid_until=claim.valid_until,
            assessed=True,
            source=as_written(" · ".join(filter(None, [claim.title, claim.issuer]))),
            at=moment,
        )
    except EvidenceRefused as error:
        raise ClaimRefused(str(error), "rank") from error
    claim.evidence = piece
    return _decided(claim, ClaimState.ACCEPTED, by, answer, moment)


@transaction.atomic
def refuse_claim(*, claim: Claim, by: User, answer: str, at: datetime | None = None) -> Claim:
    """Do not accept it, and say why."""
    claim = _to_decide(claim, by)
    if not answer.strip():
        raise ClaimRefused(_("Say why, and what would help: the person reads it."), "answer")
    return _decided(claim, ClaimState.REFUSED, by, answer, at or timezone.now())


def decide_claim(
    *, claim: Claim, by: User, accept: bool, rank: int | None = None, answer: str = "", at: datetime | None = None
) -> Claim:
    """Accept a claim at a level or do not accept it. Raises ClaimDecided for the second of two who decide at once."""
    if accept:
        return accept_claim(claim=claim, by=by, rank=rank or 0, answer=answer, at=at)
    return refuse_claim(claim=claim, by=by, answer=answer, at=at)


@transaction.atomic
def take_over_claim(*, claim: Claim, by: User) -> Claim:
    """Another assessor answers it from now on; twice is once."""
    claim = _to_decide(claim, by)
    if claim.assessor_id != by.pk:
        before, claim.assessor = claim.assessor_id, by
        claim.save(update_fields=["assessor"])
        log(instance=claim, action="competencies.take_over_claim", user=by, data={"before": before})
    return claim


def _locked(claim: Claim) -> Claim:
    return (
        Claim.objects.select_for_update(of=("self",))
        .select_related("person", "competency__version", "decided_by")
        .get(pk=claim.pk)
    )


def check_open(claim: Claim) -> None:
    """Raise ClaimDecided, with who decided and when, unless the claim waits for its answer."""
    if claim.state == ClaimState.TAKEN_BACK:
        raise ClaimDecided(_("The person has taken this back; nothing is left to decide."))
    if claim.decided_at is not None:
        day = formats.date_format(timezone.localtime(claim.decided_at), "DATE_FORMAT")
        values = {"name": claim.decided_by, "day": day}
        raise ClaimDecided(_("This is decided already, by %(name)s on %(day)s.") % values)


def _to_decide(claim: Claim, by: User) -> Claim:
    claim = _locked(claim)
    if not can_decide(by, claim.person):
        raise ClaimRefused(_("You cannot decide on this claim."))
    check_open(claim)
    return claim


def _decided(claim: Claim, state: ClaimState, by: User, answer: str, moment: datetime) -> Claim:
    claim.state, claim.decided_by, claim.decided_at, claim.answer = state, by, moment, answer.strip()
    claim.save(update_fields=["state", "decided_by", "decided_at", "answer", "evidence"])
    log(
        instance=claim,
        action="competencies.decide_claim",
        user=by,
        data={"state": state, "rank": claim.evidence.rank if claim.evidence else None},
    )
    tell_answer(claim)
    return claim


# --- Every night -------------------------------------------------------------------------------------------------
def hand_on() -> int:
    """Give claims that nobody has, or somebody who left or may no longer decide, to an assessor; returns how many."""
    handed = 0
    for claim in open_claims():
        if claim.assessor is not None and can_decide(claim.assessor, claim.person):
            continue
        assessor = choose_assessor(claim.person)
        if assessor is None:
            continue
        with transaction.atomic():
            unchanged = Claim.objects.filter(pk=claim.pk, state=ClaimState.SUBMITTED, assessor=claim.assessor_id)
            if unchanged.update(assessor=assessor):
                claim.assessor = assessor
                log(instance=claim, action="competencies.take_over_claim", data={"to": assessor.pk})
                tell_assessor(claim)
                handed += 1
    return handed


def remind_assessors(*, day: date) -> int:
    """Ask for one mail a week to each assessor who has claims or contests past their date; returns to how many."""
    late = User.objects.active().filter(
        Exists(open_claims().filter(assessor=OuterRef("pk"), due_on__lt=day))
        | Exists(open_contests().filter(assessor=OuterRef("pk"), due_on__lt=day))
    )
    for assessor in late:
        remind(assessor, day=day)
    return len(late)
