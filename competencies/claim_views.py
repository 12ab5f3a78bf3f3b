"""Doors to what is on record about me, to my claims, and to the desk of those who decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from competencies import assessors, claims, selectors, wording
from competencies.claim_forms import FORMS, DecisionForm
from competencies.claims import ClaimDecided, ClaimRefused
from competencies.documents import DocumentRefused, takes_documents
from competencies.enums import ClaimState
from competencies.models import Claim, Competency
from competencies.record import record_of
from competencies.withdrawing import may_withdraw_among
from competencies.withdrawn import competency_in_use, readable_competency, says_not_in_use
from organisations.ids import as_id
from organisations.models import User
from organisations.perms import signed_in


# --- The person --------------------------------------------------------------------------------------------------
@require_GET
def my_evidence(request: HttpRequest) -> HttpResponse:
    """What is on record about me, what each piece counts for, and what I asked to have recognised."""
    me = signed_in(request)
    record = [
        {
            "competency": recorded.competency,
            "pieces": [
                {
                    "piece": piece,
                    "row": piece.row,
                    "source": wording.source_words(piece.row),
                    "level": wording.level_words(piece.row.rank, piece.scale),
                    "verdict": wording.verdict_words(piece.judged) if piece.judged else "",
                }
                for piece in recorded.pieces
            ],
        }
        for recorded in record_of(me)
    ]
    asked = me.claims.select_related("competency").order_by("-submitted_at", "-pk")
    context = {"record": record, "claims": asked, "today": timezone.localdate()}
    return render(request, "competencies/my_evidence.html", context)


def _claimable(competency_id: int) -> Competency:
    """The competency as it is in force. Raises NotInUse for what was withdrawn, Http404 for drafts."""
    return competency_in_use(selectors.competency_in_force(readable_competency(competency_id)))


@require_http_methods(["GET", "HEAD", "POST"])
@takes_documents
@says_not_in_use
def add_evidence(request: HttpRequest, competency_id: int) -> HttpResponse:
    """Choose what to have recognised, then one form. `?previous=` takes an earlier claim up again."""
    me = signed_in(request)
    competency = _claimable(competency_id)
    previous = _previous(request, me)
    kind = previous.kind if previous is not None else request.GET.get("kind", "")
    context: dict[str, Any] = {
        "competency": competency,
        "previous": previous,
        "due_on": assessors.answer_due_on(timezone.localdate()),
        "working_days": assessors.WORKING_DAYS,
    }
    if kind not in FORMS:
        return render(
            request, "competencies/choose_evidence.html", context, status=422 if request.method == "POST" else 200
        )
    sent = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = FORMS[kind](*sent, competency=competency, previous=previous)
    if form.is_valid():
        try:
            claim = claims.submit_claim(
                person=me, asked=form.asked, token=str(form.cleaned_data["token"]), previous=previous
            )
        except DocumentRefused as error:
            form.add_error("documents", str(error))
        except ClaimRefused as error:
            add_refusal(form, error)
        else:
            messages.success(request, _("Submitted: “%(title)s”.") % {"title": claim.title})
            return redirect("my_claim", pk=claim.pk)
    context |= {"form": form, "kind": kind}
    return render(request, "competencies/add_evidence.html", context, status=422 if form.errors else 200)


def _previous(request: HttpRequest, me: User) -> Claim | None:
    pk = as_id(request.GET.get("previous", ""))
    return me.claims.prefetch_related("documents").filter(pk=pk).first() if pk is not None else None


def add_refusal(form: forms.Form, error: ClaimRefused) -> None:
    form.add_error(error.field if error.field in form.fields else None, str(error))


@require_GET
def my_claim(request: HttpRequest, pk: int) -> HttpResponse:
    """How a claim of mine stands: who answers by when, or what the answer is."""
    me = signed_in(request)
    claim = get_object_or_404(
        me.claims.select_related("competency__version", "assessor", "decided_by", "evidence", "previous"), pk=pk
    )
    scale = _scale(claim)
    context = {
        "claim": claim,
        "documents": list(claim.documents.all()),
        "asked_level": wording.level_words(claim.rank, scale),
        "accepted_level": wording.level_words(claim.evidence.rank, scale) if claim.evidence else "",
        "again": Claim.objects.filter(previous=claim).first(),
        "again_url": f"{reverse('add_evidence', args=[claim.competency_id])}?previous={claim.pk}"
        if claim.state in claims.MAY_BE_TAKEN_UP
        else "",
        "is_overdue": claim.state == ClaimState.SUBMITTED and claim.due_on < timezone.localdate(),
    }
    return render(request, "competencies/my_claim.html", context)


def _scale(claim: Claim) -> selectors.Scale:
    version = claim.competency.version_id
    return selectors.scales_of([version])[version]


@require_POST
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """I no longer ask for it."""
    me = signed_in(request)
    claim = get_object_or_404(me.claims, pk=pk)
    try:
        claims.take_back_claim(claim=claim, by=me)
    except ClaimRefused as error:
        messages.info(request, str(error))
    else:
        messages.success(request, _("Taken back: “%(title)s”.") % {"title": claim.title})
    return redirect("my_claim", pk=claim.pk)


# --- The assessor ------------------------------------------------------------------------------------------------
@require_GET
def assess_desk(request: HttpRequest) -> HttpResponse:
    """What do I decide next, and by when?"""
    me = signed_in(request)
    if not assessors.has_a_desk(me):
        raise PermissionDenied
    return render(request, "competencies/assess_desk.html", {"desk": assessors.waiting_for(me)})


def _to_assess(request: HttpRequest, pk: int) -> tuple[User, Claim]:
    """The assessor and the claim; for everybody else there is none, and for nobody one that was taken back."""
    me = signed_in(request)
    claim = get_object_or_404(
        Claim.objects.select_related(
            "person",
            "competency__version__framework",
            "competency__area",
            "assessor",
            "decided_by",
            "evidence",
            "previous",
        ),
        pk=pk,
    )
    if claim.state == ClaimState.TAKEN_BACK or not assessors.can_decide(me, claim.person):
        raise Http404
    return me, claim


@require_http_methods(["GET", "HEAD", "POST"])
def assess_claim(request: HttpRequest, pk: int) -> HttpResponse:
    """One claim: what is asked, what shows it, what is on record already, and the decision."""
    me, claim = _to_assess(request, pk)
    form = DecisionForm(request.POST if request.method == "POST" else None, claim=claim)
    if request.method == "POST":
        try:
            claims.check_open(claim)
            if form.is_valid():
                claims.decide_claim(
                    claim=claim, by=me, accept=form.accepts, rank=form.rank_given, answer=form.cleaned_data["answer"]
                )
                messages.success(request, _("Answered: %(name)s gets a mail.") % {"name": claim.person})
                return redirect("assess_desk")
        except ClaimDecided as error:
            messages.info(request, str(error))
            return redirect("assess_claim", pk=claim.pk)
        except ClaimRefused as error:
            add_refusal(form, error)
    explained = selectors.explained_level(claim.person, claim.competency)
    scale = explained.scale
    context = {
        "form": form,
        "claim": claim,
        "mine": claim.assessor_id == me.pk,
        "open": claim.state == ClaimState.SUBMITTED,
        "documents": list(claim.documents.all()),
        "asked_level": wording.level_words(claim.rank, scale),
        "accepted_level": wording.level_words(claim.evidence.rank, scale) if claim.evidence else "",
        "asked_text": next((d.text for d in form.descriptors if d.rank == claim.rank), ""),
        "explained": explained,
        "withdrawable": may_withdraw_among(me, claim.person, explained.rows.values()),
        "sentence": wording.level_sentence(explained.level, explained.required, scale, own=False),
        "judged": [
            {
                "row": explained.rows[j.item.id],
                "source": wording.source_words(explained.rows[j.item.id]),
                "level": wording.level_words(j.item.rank, scale),
                "verdict": wording.verdict_words(j),
            }
            for j in reversed(explained.level.judged)
        ],
        "is_overdue": claim.state == ClaimState.SUBMITTED and claim.due_on < timezone.localdate(),
    }
    return render(request, "competencies/assess_claim.html", context, status=422 if form.errors else 200)


@require_POST
def take_over(request: HttpRequest, pk: int) -> HttpResponse:
    """I answer this one instead."""
    me, claim = _to_assess(request, pk)
    try:
        claims.take_over_claim(claim=claim, by=me)
    except ClaimRefused as error:
        messages.info(request, str(error))
    else:
        messages.success(request, _("Taken over: you answer “%(title)s” now.") % {"title": claim.title})
    return redirect("assess_claim", pk=claim.pk)
