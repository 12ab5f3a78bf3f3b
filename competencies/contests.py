"""A person says that a piece of evidence about her is wrong; a second assessor decides. While it is open, the piece counts.

A piece is never changed: a correction withdraws it and records another one of the same kind that stands for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from competencies import services
from competencies.assessors import answer_due_on, can_decide, choose_assessor, makers_of
from competencies.contest_mails import ANSWERED, ASKED, RECORDED, tell_of_contest
from competencies.documents import store_documents
from competencies.enums import DECIDED_CONTESTS, ContestState, EvidenceKind
from competencies.models import Competency, Contest, Evidence
from competencies.selectors import Moved, competencies_in_force, level_shown_by
from organisations import perms
from organisations.models import User

MAX_TEXT = 4000


class ContestRefused(ValueError):
    """A contest that cannot be opened, decided or taken back; the text is a sentence for the person who tried."""


# --- Opening and taking back -------------------------------------------------------------------------------------
@transaction.atomic
def open_contest(
    *,
    person: User,
    evidence: Evidence,
    reason: str,
    token: str,
    wanted_rank: int | None = None,
    files: Sequence[UploadedFile] = (),
    at: datetime | None = None,
) -> Contest:
    """Contest a standing piece of evidence about oneself; it goes to somebody who has not judged it yet.

    Where an earlier contest left this piece standing, the new one takes it up again. The same `token` is the same contest.
    A piece that somebody else withdrew can be contested once: then the withdrawal is looked at. Raises ContestRefused for
    a piece about somebody else, any other that was withdrawn, one that is being looked at, a level off the scale or an
    empty reason; DocumentRefused for a file that is not taken.
    """
    key = f"{person.pk}:{token}"
    piece = (
        Evidence.objects.select_for_update(of=("self",)).select_related("competency", "withdrawal").get(pk=evidence.pk)
    )
    known = Contest.objects.filter(token=key).first()
    if known is not None:
        return known
    if piece.person_id != person.pk:
        raise ContestRefused(_("You can only contest what is on record about you."))
    if hasattr(piece, "withdrawal") and not _may_contest_withdrawal(piece):
        raise ContestRefused(_("This piece was withdrawn; it no longer counts, so there is nothing to contest."))
    if not reason.strip():
        raise ContestRefused(_("Say what is wrong."))
    if wanted_rank is not None:
        _check_rank(piece.competency, wanted_rank)
    moment = at or timezone.now()
    previous = earlier_contest_of(piece)
    contest = Contest(
        evidence=piece,
        person=person,
        reason=reason.strip(),
        wanted_rank=wanted_rank,
        assessor=_second_assessor(person, piece, previous),
        due_on=answer_due_on(timezone.localdate(moment)),
        opened_at=moment,
        previous=previous,
        token=key,
    )
    try:
        with transaction.atomic():
            contest.save(force_insert=True)
    except IntegrityError as error:
        raise ContestRefused(_("This piece is being looked at already.")) from error
    contest.documents.set(store_documents(owner=person, files=files))
    log(
        instance=contest,
        title=f"Contest {contest.pk}",
        action="competencies.open_contest",
        user=person,
        data={"evidence": piece.pk},
    )
    if contest.assessor is not None:
        tell_of_contest(contest, ASKED, contest.assessor)
    return contest


def is_withdrawal_contestable(piece: Evidence, latest: Contest | None) -> bool:
    """Whether the person may contest that this piece was withdrawn: by neither her nor who made it, and not decided on.

    `latest` is the contest that `contests_by_evidence` has for the piece.
    """
    withdrawal = getattr(piece, "withdrawal", None)
    makers = (None, piece.person_id, piece.recorded_by_id)
    if withdrawal is None or withdrawal.withdrawn_by_id in makers:
        return False
    return latest is None or (latest.decided_at is not None and latest.decided_at < withdrawal.withdrawn_at)


def _may_contest_withdrawal(piece: Evidence) -> bool:
    latest = contests_by_evidence([piece.pk]).get(piece.pk)
    if latest is not None and latest.state == ContestState.OPEN:
        raise ContestRefused(_("This piece is being looked at already."))
    return is_withdrawal_contestable(piece, latest)


def earlier_contest_of(piece: Evidence) -> Contest | None:
    """The contest that a new one of this piece takes up again: it left the piece standing, or brought it.

    One that took such a contest up and was taken back stands in its place. None for a piece nobody decided on.
    """
    taken_up = Q(evidence=piece, state=ContestState.TAKEN_BACK, previous__isnull=False)
    decided = Q(evidence=piece, state=ContestState.KEPT) | Q(correction=piece, state=ContestState.CORRECTED)
    return (
        Contest.objects.filter(decided | taken_up, resubmitted_as__isnull=True).order_by("-decided_at", "-pk").first()
    )


def _second_assessor(person: User, piece: Evidence, previous: Contest | None) -> User | None:
    """Somebody who has neither made the piece nor decided on it before; an earlier decider where there is nobody else.

    Never a manager of the person: she was promised that hers does not read what she writes.
    """
    never = makers_of(piece) | _who_withdrew(piece) | perms.managers_of([person.pk], timezone.localdate())[person.pk]
    deciders = _deciders_before(previous)
    return choose_assessor(person, besides=never | deciders) or choose_assessor(person, besides=never)


def _who_withdrew(piece: Evidence) -> set[int]:
    withdrawal = getattr(piece, "withdrawal", None)
    return set() if withdrawal is None or withdrawal.withdrawn_by_id is None else {withdrawal.withdrawn_by_id}


def _deciders_before(contest: Contest | None) -> set[int]:
    deciders = set()
    while contest is not None:
        deciders |= {contest.decided_by_id} if contest.decided_by_id is not None else set()
        contest = contest.previous
    return deciders


@transaction.atomic
def take_back_contest(*, contest: Contest, by: User, at: datetime | None = None) -> Contest:
    """The person no longer contests the piece; twice is once. Raises ContestRefused once it was answered."""
    contest = _locked(contest)
    if contest.person_id != by.pk:
        raise ContestRefused(_("Only who contests a piece can take that back."))
    if contest.state == ContestState.TAKEN_BACK:
        return contest
    if contest.state != ContestState.OPEN:
        raise ContestRefused(_("This has been answered already: read the answer below."))
    contest.state = ContestState.TAKEN_BACK
    contest.decided_at = at or timezone.now()
    contest.save(update_fields=["state", "decided_at"])
    log(
        instance=contest,
        title=f"Contest {contest.pk}",
        action="competencies.take_back_contest",
        user=by,
        data={"evidence": contest.evidence_id},
    )
    return contest


# --- Deciding ----------------------------------------------------------------------------------------------------
def may_decide_contest(user: User, contest: Contest) -> bool:
    """Assessors, the person's HR officers and administrators, but nobody who made the piece, nor the person or her managers.

    Who decided on it before leaves it to the other assessor it was given to now.
    """
    given_to_another = contest.previous_id is not None and contest.assessor_id not in (None, user.pk)
    besides = _deciders_before(contest.previous) if given_to_another else set()
    if perms.is_manager_of(user, contest.person):
        return False
    if contest.is_of_withdrawal:
        besides |= _who_withdrew(contest.evidence)
    return can_decide(user, contest.person, besides=besides | makers_of(contest.evidence))


@transaction.atomic
def decide_contest(
    *,
    contest: Contest,
    by: User,
    decision: ContestState,
    answer: str,
    rank: int | None = None,
    passed: bool | None = None,
    at: datetime | None = None,
) -> Contest:
    """The second assessor's word: the piece stands (KEPT), is corrected to `rank` (CORRECTED) or withdrawn (REMOVED).

    Where the withdrawal is contested it counts again at `rank`, also the one it had (CORRECTED), or stays withdrawn (REMOVED).

    A contest that is no longer open is returned as it is: of two assessors at once, the first decides. `passed` is for
    pieces that can have been failed (a quiz); None leaves it as it was. Raises ContestRefused with a sentence for somebody
    who may not decide, a missing answer, a level off the scale or the one that is on record already.
    """
    contest = _locked(contest)
    if contest.state != ContestState.OPEN:
        return contest
    if not may_decide_contest(by, contest):
        raise ContestRefused(_("Somebody else decides on this: not the person herself, and nobody who made the piece."))
    if decision not in DECIDED_CONTESTS:
        raise ContestRefused(_("Say whether it stands, is corrected or is withdrawn."))
    if contest.is_of_withdrawal and decision == ContestState.KEPT:
        raise ContestRefused(_("It is withdrawn. Say whether it counts again or stays withdrawn."))
    if not answer.strip():
        raise ContestRefused(_("Write the answer: the person reads it."))
    moment = at or timezone.now()
    piece = contest.evidence
    if decision == ContestState.CORRECTED:
        contest.correction = _correct(contest, by=by, rank=rank, passed=passed, at=moment)
    contest.state = decision
    contest.decided_by = by
    contest.decided_at = moment
    contest.answer = answer.strip()
    contest.save(update_fields=["state", "decided_by", "decided_at", "answer", "correction"])
    log(
        instance=contest,
        title=f"Contest {contest.pk}",
        action="competencies.decide_contest",
        user=by,
        data={"evidence": piece.pk, "decision": str(decision), "rank": rank},
    )
    if decision != ContestState.KEPT:
        services.withdraw_evidence(evidence=piece, by=by, reason=_why_withdrawn(contest), at=moment)
    tell_of_contest(contest, ANSWERED, contest.person)
    if piece.recorded_by is not None and piece.recorded_by_id != contest.person_id and not contest.is_of_withdrawal:
        tell_of_contest(contest, RECORDED, piece.recorded_by)
    return contest


def _why_withdrawn(contest: Contest) -> str:
    """What the record says of it, in the person's language: the answer itself is for her and stays on her contest."""
    with translation.override(contest.person.language or settings.LANGUAGE_CODE):
        if contest.state == ContestState.CORRECTED:
            return _("Corrected after a contest.")
        return _("Withdrawn after a contest.")


def _correct(contest: Contest, *, by: User, rank: int | None, passed: bool | None, at: datetime) -> Evidence:
    """Another piece of the same kind, date, validity and source, with the level that is right."""
    piece = contest.evidence
    if rank is None:
        raise ContestRefused(_("Say which level is right."))
    _check_rank(piece.competency, rank)
    right = piece.passed if passed is None or piece.kind != EvidenceKind.QUIZ else passed
    as_it_was = (rank, right) == (piece.rank, piece.passed)
    if as_it_was and not contest.is_of_withdrawal:
        raise ContestRefused(_("This is what is on record already. Choose another level, or say that it stands."))
    # What a diagnostic measured gives way to the level that is right, as surely as the diagnostic could have said it.
    measured = piece.value is not None
    value = piece.value if as_it_was else float(rank)
    try:
        [correction] = services.record_evidence(
            person=contest.person,
            findings=[
                services.Finding(
                    piece.competency,
                    rank,
                    passed=right,
                    value=value if measured else None,
                    se=piece.se if measured else None,
                    probabilities=tuple(piece.probabilities) if as_it_was and piece.probabilities else None,
                )
            ],
            kind=EvidenceKind(piece.kind),
            source_key=f"correction:{contest.pk}",
            by=by,
            occurred_on=piece.occurred_on,
            assessed=piece.assessed,
            source=piece.source,
            valid_until=piece.valid_until,
            at=at,
            corrects=piece,
        )
    except services.EvidenceRefused as error:
        raise ContestRefused(str(error)) from error
    return correction


def hand_on() -> int:
    """Give contests that nobody has, or somebody who may not decide (any more), to an assessor; returns how many."""
    waiting = Contest.objects.filter(state=ContestState.OPEN).select_related(
        "person", "assessor", "previous", "evidence__stands_for", "evidence__withdrawal"
    )
    handed = 0
    for row in waiting:
        if row.assessor is not None and may_decide_contest(row.assessor, row):
            continue
        with transaction.atomic():
            contest = _locked(row)
            assessor = _second_assessor(contest.person, contest.evidence, contest.previous)
            if contest.state != ContestState.OPEN or assessor is None or contest.assessor_id != row.assessor_id:
                continue
            contest.assessor = assessor
            contest.save(update_fields=["assessor"])
            log(
                instance=contest,
                title=f"Contest {contest.pk}",
                action="competencies.hand_on_contest",
                data={"to": assessor.pk},
            )
            tell_of_contest(contest, ASKED, assessor)
            handed += 1
    return handed


def end_overtaken_contest(*, evidence: Evidence, reason: str, at: datetime) -> None:
    """Somebody withdrew the piece: a contest of it that is still open ends with that answer. Within the caller's transaction."""
    for contest in Contest.objects.select_for_update(of=("self",)).filter(evidence=evidence, state=ContestState.OPEN):
        contest.state = ContestState.OVERTAKEN
        contest.decided_at = at
        contest.answer = reason
        contest.save(update_fields=["state", "decided_at", "answer"])
        log(
            instance=contest,
            title=f"Contest {contest.pk}",
            action="competencies.end_contest",
            user=None,
            data={"evidence": evidence.pk},
        )
        tell_of_contest(contest, ANSWERED, contest.person)


def _locked(contest: Contest) -> Contest:
    """The contest as it is now, and nobody else's turn until the transaction ends: the piece first, as everywhere."""
    Evidence.objects.select_for_update(of=("self",)).get(pk=contest.evidence_id)
    return (
        Contest.objects.select_for_update(of=("self",))
        .select_related(
            "person",
            "evidence__competency",
            "evidence__recorded_by",
            "evidence__stands_for",
            "evidence__withdrawal",
        )
        .get(pk=contest.pk)
    )


def _check_rank(competency: Competency, rank: int) -> None:
    try:
        services.check_rank(competency, rank)
    except services.EvidenceRefused as error:
        raise ContestRefused(str(error)) from error


# --- Reading -----------------------------------------------------------------------------------------------------
def contests_by_evidence(evidence_ids: Collection[int]) -> dict[int, Contest]:
    """For each piece the contest that says where it stands: the open one, else the latest decided one. One query."""
    rows = Contest.objects.filter(Q(evidence__in=evidence_ids) | Q(correction__in=evidence_ids)).exclude(
        state__in=[ContestState.TAKEN_BACK, ContestState.OVERTAKEN]
    )
    found: dict[int, Contest] = {}
    for contest in sorted(rows, key=lambda c: (c.state == ContestState.OPEN, c.opened_at, c.pk)):
        for pk in (contest.evidence_id, contest.correction_id):
            if pk in evidence_ids and pk is not None:
                found[pk] = contest
    return found


def contests_of(person: User) -> dict[int, Contest]:
    """The same for everything about one person. Two queries."""
    pieces = Contest.objects.filter(person=person).values_list("evidence_id", "correction_id")
    return contests_by_evidence({pk for pair in pieces for pk in pair if pk is not None})


def in_force(competency: Competency) -> Competency:
    """The competency as the edition in force has it; itself where it has no successor."""
    now = competencies_in_force([competency.pk]).get(competency.pk)
    return competency if now is None else Competency.objects.select_related("version__framework").get(pk=now)


def level_change(contest: Contest) -> Moved | None:
    """What the decision did to the level, on that day and with what was on record then; None while there is none."""
    if contest.decided_at is None or contest.state == ContestState.TAKEN_BACK:
        return None
    moment = contest.decided_at
    competency = in_force(contest.evidence.competency)
    rows = list(
        Evidence.objects.filter(person=contest.person_id, recorded_at__lte=moment)
        .select_related("withdrawal", "stands_for", "competency__version")
        .order_by("pk")
    )
    day = timezone.localdate(moment)
    before, scale = level_shown_by(_standing(rows, moment, just_before=True), competency, as_of=day)
    after, _scale = level_shown_by(_standing(rows, moment), competency, as_of=day)
    return Moved(competency, scale, before, after)


def _standing(rows: Iterable[Evidence], moment: datetime, *, just_before: bool = False) -> list[Evidence]:
    """What stood at a moment, with what happened in it or (`just_before`) without."""
    found = []
    for row in rows:
        withdrawal = getattr(row, "withdrawal", None)
        if just_before:
            stood = row.recorded_at < moment and (withdrawal is None or withdrawal.withdrawn_at >= moment)
        else:
            stood = withdrawal is None or withdrawal.withdrawn_at > moment
        if stood:
            found.append(row)
    return found
