"""The desk from which HR looks after certificates: find one, read what became of it, revoke it, correct its name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods
from wagtail.models import ModelLogEntry

from certificates import codes, issuer, life
from certificates.credentials.keys import Kind
from certificates.enums import DefinitionStatus
from certificates.forms import FindForm, ReissueForm, RenewForm, RevokeForm
from certificates.models import Certificate
from certificates.perms import definitions_open_to, looked_after_by
from certificates.selectors import why_of
from certificates.verdicts import judge
from organisations.ids import as_id
from organisations.perms import hr_officer

PAGE = 25


@require_GET
def certificate_desk(request: HttpRequest) -> HttpResponse:
    """Certificates of those one serves, the newest first; found by number, code or name."""
    me = hr_officer(request)
    form = FindForm(request.GET or None)
    wanted = form.cleaned_data["q"] if form.is_valid() else ""
    rows = _found(looked_after_by(me).with_life().select_related("holder"), wanted)
    definition = definitions_open_to(me).filter(pk=as_id(request.GET.get("definition", "")) or 0).first()
    if definition is not None:
        rows = rows.filter(definition=definition)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    day = timezone.localdate()
    context = {
        "nothing_signs": me.is_superuser and not issuer.has_key(Kind.ED25519),
        "form": form,
        "wanted": wanted,
        "definition": definition,
        "page_of_rows": page,
        "rows": [(row, judge(row, as_of=day)) for row in page],
    }
    return render(request, "certificates/desk.html", context)


def _found(rows: QuerySet[Certificate], wanted: str) -> QuerySet[Certificate]:
    if not wanted:
        return rows
    return rows.filter(Q(serial=wanted) | Q(code=codes.normalise(wanted)[:10]) | Q(holder__name__icontains=wanted))


@require_http_methods(["GET", "HEAD", "POST"])
def certificate_life(request: HttpRequest, serial: str) -> HttpResponse:
    """One certificate: what it says, what became of it, and what can be done with it."""
    me = hr_officer(request)
    rows = looked_after_by(me).with_life().select_related("holder", "supersedes", "revocation__revoked_by")
    rows = rows.select_related("definition", "renews", "renewed_by")
    certificate = get_object_or_404(rows, serial=serial)
    forms: dict[str, Any] = {
        "revoke_form": RevokeForm(),
        "renew_form": RenewForm(auto_id="renew_%s"),
        "reissue_form": ReissueForm(initial={"name": certificate.record.get("holder", {}).get("name", "")}),
    }
    status = 200
    if request.method == "POST":
        do = {"reissue": _reissue, "renew": _renew}.get(request.POST.get("do", ""), _revoke)
        done = do(request, certificate, forms)
        if done is not None:
            return done
        status = 422
    judgement = judge(certificate, as_of=timezone.localdate())
    log = ModelLogEntry.objects.for_instance(certificate).select_related("user").order_by("-timestamp", "-pk")
    context = {
        "certificate": certificate,
        "judgement": judgement,
        "record": certificate.record,
        "can_change": certificate.revoked is None and certificate.newer is None,
        "renewed_by": getattr(certificate, "renewed_by", None),
        "can_renew": _can_renew(certificate),
        "last_valid_on": certificate.valid_until and certificate.valid_until - timedelta(days=1),
        "why": why_of(certificate),
        "history": list(log),
        **forms,
    }
    return render(request, "certificates/life.html", context, status=status)


def _can_renew(certificate: Certificate) -> bool:
    definition = certificate.definition
    return (
        certificate.valid_until is not None
        and certificate.revoked is None
        and certificate.newer is None
        and getattr(certificate, "renewed_by", None) is None
        and definition is not None
        and definition.status == DefinitionStatus.ACTIVE
    )


def _renew(request: HttpRequest, certificate: Certificate, forms: dict[str, Any]) -> HttpResponse | None:
    forms["renew_form"] = form = RenewForm(request.POST, auto_id="renew_%s")
    if not form.is_valid():
        return None
    try:
        fresh = life.renew(certificate=certificate, by=hr_officer(request), note=form.cleaned_data["why"])
    except life.LifeRefused as refused:
        form.add_error(refused.field or None, str(refused))
        return None
    messages.success(request, _("Renewed. The holder is told."))
    return redirect("certificate_life", fresh.serial)


def _revoke(request: HttpRequest, certificate: Certificate, forms: dict[str, Any]) -> HttpResponse | None:
    forms["revoke_form"] = form = RevokeForm(request.POST)
    if not form.is_valid():
        return None
    try:
        life.revoke(certificate=certificate, by=hr_officer(request), **form.cleaned_data)
    except life.LifeRefused as refused:
        form.add_error(refused.field or None, str(refused))
        return None
    messages.success(request, _("Revoked. Whoever checks it sees that; the holder is told."))
    return redirect("certificate_life", certificate.serial)


def _reissue(request: HttpRequest, certificate: Certificate, forms: dict[str, Any]) -> HttpResponse | None:
    forms["reissue_form"] = form = ReissueForm(request.POST)
    if not form.is_valid():
        return None
    try:
        fresh = life.reissue(certificate=certificate, by=hr_officer(request), name=form.cleaned_data["name"])
    except life.LifeRefused as refused:
        form.add_error(refused.field or None, str(refused))
        return None
    messages.success(request, _("Issued anew with the corrected name. The holder is told."))
    return redirect("certificate_life", fresh.serial)
