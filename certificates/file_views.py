"""Doors for a file: hand in a document or a badge, and read what can be said of it. No sign-in; nothing is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST

from certificates import codes, handing_in, rate
from certificates.checking import check_file
from certificates.enums import FileVerdict
from certificates.findings import Finding
from certificates.forms import FileForm, VerifyForm
from certificates.handing_in import HandedIn, InMemory
from certificates.views import least_of, private
from certificates.words import outcomes_heading

MEGABYTE = 1_000_000
AGAIN_AFTER_SECONDS = {429: rate.WINDOW_SECONDS, 503: 60}


class Refused(Exception):
    """No verdict; the text is the sentence for whoever handed the file in, `code` the same for programs."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code


def _found(take: Callable[[], HandedIn]) -> Finding:
    """Take the file in and judge it. Raises Refused."""
    try:
        handed = take()
        with rate.at_work():
            return check_file(handed.content, at=timezone.now(), status_list=handed.status_list)
    except handing_in.TooLarge:
        raise _too_large() from None
    except handing_in.NotSent:
        raise Refused(422, "no_file", _("Choose the file of the certificate or badge.")) from None
    except rate.Busy:
        sentence = _("Many files are being checked at this moment. Try again in a minute.")
        raise Refused(503, "busy", sentence) from None


def _too_large() -> Refused:
    limit = {"limit": handing_in.MAX_FILE_BYTES // MEGABYTE}
    sentence = _("The file is larger than %(limit)s MB. Certificates and badges are smaller: check the file.") % limit
    return Refused(413, "too_large", sentence)


def _before_reading(request: HttpRequest) -> InMemory:
    """Count it, and bound what is read. Raises Refused."""
    if not rate.may_hand_in(request):
        sentence = _(
            "Many files were handed in from your network. Files can be checked from here again within %(minutes)s minutes; "
            "codes can be checked at once."
        ) % {"minutes": rate.WINDOW_SECONDS // 60}
        raise Refused(429, "too_many_files", sentence)
    try:
        handing_in.refuse_endless(request)
    except handing_in.TooLarge:
        raise _too_large() from None
    handler = InMemory(request)
    request.upload_handlers = [handler]
    return handler


def _status(finding: Finding) -> int:
    return 422 if finding.state == FileVerdict.UNREADABLE else 200


@csrf_exempt  # reading the token reads the whole request: the sizes are bounded first, then the token is checked
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def verify_file(request: HttpRequest) -> HttpResponse:
    """What can be said of a file from the form on the page. Looked at without one, it shows the form."""
    if request.method != "POST":
        return private(render(request, "certificates/verify.html", {"form": VerifyForm(), "file_form": FileForm()}))
    try:
        handler = _before_reading(request)
    except Refused as refused:
        return _ask_again(request, refused)
    return _verify_file(request, handler)


@csrf_protect
def _verify_file(request: HttpRequest, handler: InMemory) -> HttpResponse:
    try:
        finding = _found(lambda: handing_in.from_form(request, handler))
    except Refused as refused:
        return _ask_again(request, refused)
    claim = finding.claim
    context = {
        "finding": finding,
        "judgement": finding.judgement,
        "claim": claim,
        "heading": outcomes_heading(claim) if claim else "",
        "code": codes.display(claim.code) if claim else "",
        "form": VerifyForm(),
        "file_form": FileForm(),
    }
    return private(render(request, "certificates/finding.html", context, status=_status(finding)))


def _ask_again(request: HttpRequest, refused: Refused) -> HttpResponse:
    context = {"form": VerifyForm(), "file_form": FileForm({}, {}, refusal=str(refused))}
    return _refusal(render(request, "certificates/verify.html", context, status=refused.status), refused)


def _refusal(response: HttpResponse, refused: Refused) -> HttpResponse:
    if refused.status in AGAIN_AFTER_SECONDS:
        response.headers["Retry-After"] = str(AGAIN_AFTER_SECONDS[refused.status])
    return private(response)


@csrf_exempt  # programs have no token. Nothing is changed and nobody is known by a cookie, so there is nothing to forge
@login_not_required
@require_POST
def verify_file_data(request: HttpRequest) -> HttpResponse:
    """The same answer for programs. The file is the body itself, or `file` of a form, beside it `status_list`."""
    by_form = request.content_type == "multipart/form-data"
    try:
        handler = _before_reading(request)
        finding = _found(
            lambda: handing_in.from_form(request, handler) if by_form else handing_in.from_body(request),
        )
    except Refused as refused:
        answer = {"error": refused.code, "sentence": str(refused)}
        return _refusal(JsonResponse(answer, status=refused.status), refused)
    return private(JsonResponse(_as_data(finding), status=_status(finding)))


def _as_data(finding: Finding) -> dict[str, Any]:
    """A finding in plain values; `claim` is there only where it may be believed, `said` is what a badge of others says."""
    judgement, said = finding.judgement, finding.said
    return {
        "verdict": finding.state.value,
        "form": finding.form,
        "since": judgement.on.isoformat() if judgement and judgement.on else None,
        "reason": (judgement.reason_class or None) if judgement else None,
        "serial": (judgement.serial or (judgement.claim.serial if judgement.claim else None)) if judgement else None,
        "issuer": {
            "id": finding.issuer.identifier or None,
            "name": finding.issuer.name or None,
            "known": finding.issuer.known,
            "ours": finding.issuer.ours,
        },
        "claim": least_of(finding.claim) if finding.claim else None,
        "said": {
            "title": said.title,
            "holder": said.holder,
            "issued_on": said.issued_on and said.issued_on.isoformat(),
            "valid_until": said.valid_until and said.valid_until.isoformat(),
        }
        if said
        else None,
        "covers_paper": finding.covers_paper,
        "checks": [
            {"check": step.check, "result": step.result.value, "code": step.code or None, "sentence": step.sentence}
            for step in finding.steps
        ],
        "cautions": [
            {"code": code, "sentence": sentence}
            for code, sentence in zip(finding.cautions, finding.caution_sentences, strict=True)
        ],
    }
