"""The page where administrators say whose badges are taken as theirs."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from certificates import trusting
from certificates.forms import TrustForm
from certificates.models import TrustedIssuer
from organisations.models import User
from organisations.perms import signed_in


def _administrator(request: HttpRequest) -> User:
    me = signed_in(request)
    if not me.is_superuser:
        raise PermissionDenied
    return me


@require_http_methods(["GET", "HEAD", "POST"])
def trusted_issuers(request: HttpRequest) -> HttpResponse:
    """Who is trusted today, who was, and a form to add one."""
    me = _administrator(request)
    form = TrustForm(request.POST) if request.method == "POST" else TrustForm()
    if request.method == "POST" and form.is_valid():
        try:
            row = trusting.trust_issuer(by=me, **form.cleaned_data)
        except trusting.NotTrusted as refused:
            form.add_error("pasted", str(refused))
        else:
            messages.success(request, _("Badges of %(name)s are now taken as its own.") % {"name": row.name})
            return redirect("trusted_issuers")
    rows = list(TrustedIssuer.objects.select_related("added_by", "ended_by"))
    context = {
        "form": form,
        "in_force": [row for row in rows if row.ended_at is None],
        "ended": [row for row in rows if row.ended_at is not None],
    }
    return render(request, "certificates/trusted.html", context, status=422 if form.errors else 200)


@require_POST
def end_trust(request: HttpRequest, pk: int) -> HttpResponse:
    me = _administrator(request)
    row = trusting.end_trust(trusted=get_object_or_404(TrustedIssuer, pk=pk), by=me)
    messages.success(request, _("Badges of %(name)s are no longer taken as its own.") % {"name": row.name})
    return redirect("trusted_issuers")
