"""Doors of links: holders make and end them, strangers open them without signing in."""

from __future__ import annotations

from typing import TypeVar

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from certificates import holder_views, pieces, rate, sharing
from certificates.forms import ShareForm
from certificates.models import Certificate, ShareLink
from certificates.pieces import Form
from certificates.sharing import NotShared
from certificates.verdicts import judge
from certificates.views import private, too_many, verdict_context
from organisations.perms import signed_in

R = TypeVar("R", bound=HttpResponseBase)

# What a link hands out: who is shown a certificate needs the paper and the proof, not five files.
OFFERED = (Form.PDF, Form.JSON)


@require_POST
def share(request: HttpRequest, serial: str) -> HttpResponse:
    """I make a link."""
    me = signed_in(request)
    certificate = get_object_or_404(Certificate.objects.of(me), serial=serial)
    form = ShareForm(request.POST)
    if form.is_valid():
        try:
            sharing.make_link(certificate=certificate, by=me, **form.cleaned_data)
        except NotShared as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The link is made: copy it below and send it yourself."))
            return redirect(reverse("certificate_page", args=[serial]) + "#messages")
    return holder_views.page_of(request, serial, form, status=422)


@require_POST
def end_link(request: HttpRequest, pk: int) -> HttpResponse:
    """I end a link of mine at once."""
    me = signed_in(request)
    link = get_object_or_404(ShareLink.objects.select_related("certificate"), pk=pk, certificate__holder=me)
    sharing.end_link(link=link, by=me)
    messages.success(request, _("The link has ended: it shows nothing any more."))
    return redirect(reverse("certificate_page", args=[link.certificate.serial]) + "#messages")


@login_not_required
@require_safe
def shared_certificate(request: HttpRequest, token: str) -> HttpResponse:
    """The verdict of the certificate behind a link, and what its holder lets be seen beside it."""
    link = _behind(request, token)
    if isinstance(link, HttpResponse):
        return link
    if request.method == "GET" and getattr(request.user, "pk", None) != link.certificate.holder_id:
        sharing.count_opening(link)
    judgement = judge(link.certificate, as_of=timezone.localdate())
    offered = []
    if judgement.claim is not None and link.lets_download:
        offered = [form for form in OFFERED if _is_there(link.certificate, form)]
    context = verdict_context(judgement, link.certificate.code) | {"link": link, "token": token, "offered": offered}
    return _closely(render(request, "certificates/shared.html", context))


@login_not_required
@require_safe
def shared_piece(request: HttpRequest, token: str, name: str) -> HttpResponseBase:
    """The PDF or the credential, where the holder lets it be fetched and it counts or did until it expired."""
    link = _behind(request, token)
    if isinstance(link, HttpResponse):
        return link
    certificate, form = link.certificate, Form(name)
    judgement = judge(certificate, as_of=timezone.localdate())
    if not link.lets_download or judgement.claim is None or form not in OFFERED or not _is_there(certificate, form):
        raise Http404("The link does not hand this out.")
    if form is Form.PDF:
        found = holder_views.document_of(certificate)
        if found is None:
            raise Http404("The document is missing.")
        return _closely(found)
    credential = pieces.credential_of(certificate)
    if credential is None:
        raise Http404("The credential is being made.")
    return _closely(pieces.as_attachment(pieces.piece(certificate, credential, form)))


def _is_there(certificate: Certificate, form: Form) -> bool:
    return bool(certificate.document) if form is Form.PDF else hasattr(certificate, "credential")


def _behind(request: HttpRequest, token: str) -> ShareLink | HttpResponse:
    """The link, while it shows something; else the page to answer with."""
    if rate.has_guessed_enough(request):
        return _closely(too_many(request))
    link = sharing.link_behind(token)
    if link is None:
        rate.note_unknown(request)
        return _closely(render(request, "certificates/link_unknown.html", status=404))
    if not sharing.opens(link, timezone.now()):
        return _closely(render(request, "certificates/link_ended.html", status=410))
    return link


def _closely(response: R) -> R:
    """Kept nowhere, found by no search engine, and the address, which is a key, told to no other site."""
    private(response)
    response.headers["Referrer-Policy"] = sharing.REFERRER
    return response
