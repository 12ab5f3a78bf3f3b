"""Doors to contests: the person opens, follows and takes back; a second assessor decides."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from competencies import contests, selectors, wording
from competencies.assessors import answer_due_on, can_decide
from competencies.contest_forms import ContestForm, DecideContestForm, WithdrawForm
from competencies.documents import DocumentRefused, takes_documents
from competencies.enums import ContestState, EvidenceKind
from competencies.models import Contest, Evidence, EvidenceWithdrawal
from competencies.withdrawing import (
    WithdrawalRefused,
    may_withdraw_among,
    objection_to_withdrawing,
    withdraw_as_assessor,
)
from organisations.models import User
from organisations.perms import signed_in


def contest_rows() -> Any:
    return Contest.objects.select_related(
        "person",
        "assessor",
        "decided_by",
        "previous",
        "correction",
        "evidence__competency__version__framework",
        "evidence__recorded_by",
        "evidence__stands_for",
        "evidence__withdrawal__withdrawn_by",
    )


def piece_words(
    evidence: Evidence, scale: selectors.Scale, withdrawal: EvidenceWithdrawal | None = None
) -> dict[str, Any]:
    """What a page says of one piece of evidence; of its withdrawal where that is what the page is about."""
    return {
        "row": evidence,
        "source": wording.source_words(evidence),
        "level": wording.level_words(evidence.rank, scale),
        "withdrawal": withdrawal,
    }


@takes_documents
def contest_evidence(request: HttpRequest, evidence_id: int) -> HttpResponse:
    """The person says what is wrong with a piece about her; one that is being looked at leads to its contest."""
    me = signed_in(request)
    evidence = get_object_or_404(
        Evidence.objects.filter(person=me).select_related(
            "competency__version__framework", "recorded_by", "stands_for", "withdrawal__withdrawn_by"
        ),
        pk=evidence_id,
    )
    competency = evidence.competency
    now = selectors.competencies_in_force([competency.pk]).get(competency.pk, competency.pk)
    contest = Contest.objects.filter(evidence=evidence, state=ContestState.OPEN).first()
    if request.method != "POST" and contest is not None:
        return redirect("contest", pk=contest.pk)
    withdrawal = getattr(evidence, "withdrawal", None)
    latest = contests.contests_by_evidence([evidence.pk]).get(evidence.pk) if withdrawal is not None else None
    contestable = withdrawal is None or contests.is_withdrawal_contestable(evidence, latest)
    if request.method != "POST" and not contestable:
        messages.info(request, _("This piece was withdrawn; it no longer counts, so there is nothing to contest."))
        return redirect("my_level", competency_id=now)
    previous = contests.earlier_contest_of(evidence)
    form = ContestForm(
        request.POST or None,
        request.FILES or None,
        evidence=evidence,
        again=previous is not None,
        of_withdrawal=withdrawal is not None,
    )
    if request.method == "POST" and form.is_valid():
        try:
            contest = contests.open_contest(
                person=me,
                evidence=evidence,
                reason=form.cleaned_data["reason"],
                wanted_rank=form.cleaned_data["wanted_rank"],
                files=form.cleaned_data["documents"],
                token=form.cleaned_data["token"],
            )
        except contests.ContestRefused as error:
            form.add_error("reason", str(error))
        except DocumentRefused as error:
            form.add_error("documents", str(error))
        else:
            sent = _("Sent. The piece counts until there is an answer.")
            messages.success(
                request, sent if withdrawal is None else _("Sent. It stays withdrawn until there is an answer.")
            )
            return redirect("contest", pk=contest.pk)
    context = {
        "form": form,
        "piece": piece_words(evidence, selectors.scales_of([competency.version_id])[competency.version_id], withdrawal),
        "withdrawal": withdrawal,
        "competency": competency,
        "level_of": now,
        # What she says of herself she says anew; only what was entered wrongly is for somebody else to put right.
        "evidence_is_own_word": evidence.kind == EvidenceKind.SELF and withdrawal is None,
        "assess_url": reverse("assess_myself", args=[now]),
        "previous": previous,
        "due_on": answer_due_on(timezone.localdate()),
    }
    return render(request, "competencies/contest_evidence.html", context, status=422 if form.errors else 200)


def contest(request: HttpRequest, pk: int) -> HttpResponse:
    """Where a contest stands, for the person: when it is due, the answer, what it changed. POST takes it back."""
    me = signed_in(request)
    row = get_object_or_404(contest_rows().filter(person=me), pk=pk)
    if request.method == "POST":
        try:
            contests.take_back_contest(contest=row, by=me)
        except contests.ContestRefused as error:
            messages.error(request, str(error))
        else:
            kept = _("Taken back. The piece stands as it was.")
            messages.success(request, kept if not row.is_of_withdrawal else _("Taken back. The piece stays withdrawn."))
        return redirect("contest", pk=row.pk)
    return render(request, "competencies/contest.html", contest_context(row))


def contest_context(row: Contest) -> dict[str, Any]:
    """What both sides see of a contest."""
    competency = row.evidence.competency
    scale = selectors.scales_of([competency.version_id])[competency.version_id]
    moved = contests.level_change(row)
    of_withdrawal = row.is_of_withdrawal
    standing_piece = row.correction if row.state == ContestState.CORRECTED else row.evidence
    again = (
        row.state in {ContestState.KEPT, ContestState.CORRECTED}
        and standing_piece is not None
        and Evidence.objects.standing().filter(pk=standing_piece.pk).exists()
        and not Contest.objects.filter(previous=row).exclude(state=ContestState.TAKEN_BACK).exists()
    )
    return {
        "contest": row,
        "piece": piece_words(row.evidence, scale, row.evidence.withdrawal if of_withdrawal else None),
        "of_withdrawal": of_withdrawal,
        "competency": competency,
        "level_of": selectors.competencies_in_force([competency.pk]).get(competency.pk, competency.pk),
        "wanted": "" if row.wanted_rank is None else wording.level_words(row.wanted_rank, scale),
        "corrected": "" if row.correction is None else wording.level_words(row.correction.rank, scale),
        "documents": list(row.documents.all()),
        "moved": moved,
        "moved_words": wording.moved_words(moved) if moved else "",
        "is_overdue": row.state == ContestState.OPEN and row.due_on < timezone.localdate(),
        "again": standing_piece if again else None,
    }


def assess_contest(request: HttpRequest, pk: int) -> HttpResponse:
    """The second assessor looks at the piece, what else is on record and the reasons, and decides."""
    me = signed_in(request)
    row = get_object_or_404(contest_rows(), pk=pk)
    if row.state == ContestState.TAKEN_BACK or not contests.may_decide_contest(me, row):
        raise Http404
    form = DecideContestForm(request.POST or None, evidence=row.evidence, of_withdrawal=row.is_of_withdrawal)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            decided = contests.decide_contest(
                contest=row,
                by=me,
                decision=ContestState(data["decision"]),
                answer=data["answer"],
                rank=data["rank"],
                passed=data["passed"],
            )
        except contests.ContestRefused as error:
            form.add_error("rank" if data["decision"] == ContestState.CORRECTED else "decision", str(error))
        else:
            if decided.decided_by_id == me.pk:
                messages.success(request, _("Decided: %(name)s gets a mail with your answer.") % {"name": row.person})
                return redirect("assess_desk")
            messages.warning(
                request, _("This was no longer open; nothing of yours was written. Below is how it ended.")
            )
            return redirect("assess_contest", pk=row.pk)
    explained = selectors.explained_level(row.person, contests.in_force(row.evidence.competency))
    context = contest_context(row) | {
        "form": form,
        "explained": explained,
        "sentence": wording.level_sentence(explained.level, explained.required, explained.scale, own=False),
        "others": [
            piece_words(explained.rows[j.item.id], explained.scale) | {"verdict": wording.verdict_words(j)}
            for j in reversed(explained.level.judged)
            if j.item.id != row.evidence_id
        ],
        "withdrawable": may_withdraw_among(me, row.person, explained.rows.values()),
        "earlier": earlier_answers(row),
    }
    return render(request, "competencies/assess_contest.html", context, status=422 if form.errors else 200)


def earlier_answers(row: Contest) -> list[Contest]:
    """The contests this one takes up again, the latest first."""
    found = []
    before = row.previous
    while before is not None:
        found.append(before)
        before = before.previous
    return found


def withdraw_evidence(request: HttpRequest, evidence_id: int) -> HttpResponse:
    """An assessor or HR officer withdraws a piece that says too much, and says why; the person is told."""
    me = signed_in(request)
    evidence = get_object_or_404(
        Evidence.objects.select_related(
            "person", "competency__version__framework", "recorded_by", "stands_for", "withdrawal"
        ),
        pk=evidence_id,
    )
    person, competency = evidence.person, evidence.competency
    sees = User.objects.visible_to(me).filter(pk=person.pk).exists()  # an assessor may serve people she does not see
    if not (sees or can_decide(me, person)):
        raise Http404
    now = selectors.competency_in_force(competency)
    back = reverse("level_of", args=[person.pk, now]) if sees else reverse("assess_desk")
    if hasattr(evidence, "withdrawal"):
        messages.info(request, _("This piece was withdrawn already."))
        return redirect(back)
    objection = objection_to_withdrawing(me, evidence)
    if objection and not can_decide(me, person):
        raise PermissionDenied(objection)
    form = WithdrawForm(request.POST or None)
    if request.method == "POST" and not objection and form.is_valid():
        try:
            withdraw_as_assessor(evidence=evidence, by=me, reason=form.cleaned_data["reason"])
        except WithdrawalRefused as error:
            form.add_error("reason", str(error))
        else:
            messages.success(request, _("Withdrawn: %(name)s gets a mail with your reason.") % {"name": person})
            return redirect(back)
    scale = selectors.scales_of([competency.version_id])[competency.version_id]
    context = {
        "form": form,
        "person": person,
        "competency": competency,
        "piece": piece_words(evidence, scale),
        "objection": objection,
        "back": back,
    }
    wrong = request.method == "POST" and (objection or form.errors)
    return render(request, "competencies/withdraw_evidence.html", context, status=422 if wrong else 200)
