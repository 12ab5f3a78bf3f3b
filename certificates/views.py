"""Doors of certificates: anybody may check one by its code. What holders do with theirs is in holder_views."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_safe

from certificates import codes, rate, selectors
from certificates.enums import Verdict
from certificates.forms import FileForm, VerifyForm
from certificates.record import Claim, record_of
from certificates.verdicts import Judgement, judge
from certificates.words import outcomes_heading
from courses.models import Enrolment

R = TypeVar("R", bound=HttpResponseBase)

# What can stand in an address of its own; anything else is answered where it was typed.
_ADDRESSABLE = re.compile(r"[0-9A-Z]{1,40}")
STOP_POLLING = 286  # htmx: swap this in and ask no more


@login_not_required
@require_safe
def verify(request: HttpRequest) -> HttpResponse:
    """A field for the code. Sent off, it leads to the page of that certificate."""
    if "code" not in request.GET:
        return render(request, "certificates/verify.html", {"form": VerifyForm(), "file_form": FileForm()})
    form = VerifyForm(request.GET)
    if not form.is_valid():
        return render(request, "certificates/verify.html", {"form": form, "file_form": FileForm()}, status=422)
    code = codes.normalise(form.cleaned_data["code"])
    if _ADDRESSABLE.fullmatch(code):
        return redirect("verify_certificate", code=code)
    return _answer(request, form.cleaned_data["code"])


@login_not_required
@require_safe
def verify_certificate(request: HttpRequest, code: str) -> HttpResponse:
    """Valid, expired or not, and the least that proves it. The same page for codes that are unknown or none at all."""
    return _answer(request, code)


def _judged(request: HttpRequest, code: str) -> Judgement | None:
    """What is to be said of this code; None for a network that has guessed enough."""
    if rate.has_guessed_enough(request):
        return None
    judgement = judge(selectors.certificate_by_code(code), as_of=timezone.localdate())
    if judgement.verdict == Verdict.UNKNOWN:
        rate.note_unknown(request)
    return judgement


def _status(judgement: Judgement) -> int:
    return 404 if judgement.verdict == Verdict.UNKNOWN else 200


def _answer(request: HttpRequest, code: str) -> HttpResponse:
    judgement = _judged(request, code)
    if judgement is None:
        return too_many(request)
    context = verdict_context(judgement, code)
    return private(render(request, "certificates/verdict.html", context, status=_status(judgement)))


def too_many(request: HttpRequest) -> HttpResponse:
    """What a network is told that has guessed enough."""
    context = {"minutes": rate.WINDOW_SECONDS // 60}
    return private(render(request, "certificates/too_many.html", context, status=429))


def verdict_context(judgement: Judgement, code: str) -> dict[str, Any]:
    """What certificates/verdict.html speaks of."""
    claim = judgement.claim
    return {
        "verdict": judgement.verdict,
        "judgement": judgement,
        "claim": claim,
        "heading": outcomes_heading(claim) if claim else "",
        "code": codes.display(codes.normalise(code))[:60],
        "form": VerifyForm(initial={"code": code[:60]}),
    }


@login_not_required
@require_safe
def verify_data(request: HttpRequest, code: str) -> HttpResponse:
    """The same answer for programs: the verdict, since when and why where it does not count, and the least that proves it."""
    judgement = _judged(request, code)
    if judgement is None:
        return private(JsonResponse({"error": "too_many_unknown_codes"}, status=429))
    claim = judgement.claim
    found: dict[str, Any] = {
        "code": codes.normalise(code)[:60],
        "verdict": judgement.verdict.value,
        "since": judgement.on and judgement.on.isoformat(),
        "reason": judgement.reason_class or None,
        "serial": judgement.serial or (claim.serial if claim else None),
    }
    if claim is not None:
        found |= least_of(claim)
    return private(JsonResponse(found, status=_status(judgement)))


def least_of(claim: Claim) -> dict[str, Any]:
    """The least that proves a certificate, in plain values."""
    record = record_of(claim)
    found = {name: record[name] for name in ("holder", "outcomes", "issued_on", "valid_until", "issuer", "language")}
    # What shows an outcome is the holder's own business.
    found["outcomes"] = [_without(outcome, "grounds") for outcome in record["outcomes"]]
    found["award"] = {
        name: record["award"][name] for name in ("kind", "title", "language", "effort_minutes", "criteria")
    }
    found["assessed"] = claim.assessed
    return found


def _without(values: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}


def private(response: R) -> R:
    """Nobody's certificate stands in a search engine or a cache."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response.headers["Cache-Control"] = "no-store"
    return response


@require_GET
def certificate_state(request: HttpRequest, enrolment_id: int) -> HttpResponse:
    """How far the certificate of my course is. Asked every few seconds, it answers only when there is news."""
    enrolment = get_object_or_404(Enrolment.objects.of(request.user), pk=enrolment_id)  # type: ignore[arg-type]
    standing = selectors.certificate_for(enrolment)
    if standing is None:
        raise Http404("The course is not completed.")
    if not request.htmx:  # type: ignore[attr-defined]
        return render(request, "certificates/state.html", {"standing": standing, "enrolment": enrolment})
    if standing.under_way:
        return HttpResponse(status=204)
    return render(request, "certificates/partials/_state.html", {"standing": standing}, status=STOP_POLLING)
