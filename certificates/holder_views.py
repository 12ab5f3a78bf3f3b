"""Doors of those who hold certificates: the list, the page of one, and what is fetched of it."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.http import require_GET, require_safe

from certificates import badge_picture as pictures
from certificates import pieces, selectors
from certificates.forms import ShareForm
from certificates.holding import held, held_by, rows
from certificates.models import Certificate
from certificates.pieces import Form
from certificates.profile import cv_line, linkedin_address
from certificates.sharing import links_of
from certificates.verdicts import RecordChanged, believed_claim
from certificates.words import outcomes_heading
from organisations.perms import signed_in

logger = logging.getLogger(__name__)

A_YEAR = 31_536_000


@require_GET
def my_certificates(request: HttpRequest) -> HttpResponse:
    """What I hold, and what is being made."""
    me = signed_in(request)
    certificates = held_by(me)
    context = {
        "current": [row for row in certificates if not row.is_earlier],
        "earlier": [row for row in certificates if row.is_earlier],
        "to_come": selectors.certificates_to_come(me),
    }
    return render(request, "certificates/my_certificates.html", context)


@require_GET
def certificate_page(request: HttpRequest, serial: str) -> HttpResponse:
    """Everything about one certificate of mine."""
    return page_of(request, serial)


def page_of(request: HttpRequest, serial: str, form: ShareForm | None = None, status: int = 200) -> HttpResponse:
    """The page; with `form` as it was sent, where that could not be taken."""
    me = signed_in(request)
    certificate = get_object_or_404(rows(Certificate.objects.visible_to(me)), serial=serial)
    mine = certificate.holder_id == me.pk
    found = held(certificate, as_of=timezone.localdate())
    try:
        claim = believed_claim(certificate)
    except RecordChanged:
        claim = None
    links = links_of(certificate, at=timezone.now()) if mine else ()
    context: dict[str, Any] = {
        "held": found,
        "certificate": certificate,
        "claim": claim,
        "mine": mine,
        "standing": None if found.has_document else selectors.standing_of(certificate),
        "heading": outcomes_heading(claim) if claim else "",
        "open_links": [row for row in links if not row.is_over],
        "ended_links": [row for row in links if row.is_over],
        "form": form or ShareForm(),
    }
    if claim is not None:
        context |= {
            "linkedin": linkedin_address(claim),
            "cv": cv_line(claim, date_format(claim.issued_on, "YEAR_MONTH_FORMAT")),
        }
    response = render(request, "certificates/certificate.html", context, status=status)
    response.headers["Cache-Control"] = "private, no-store"  # the addresses of the links are keys
    return response


@require_safe
def certificate_document(request: HttpRequest, serial: str) -> HttpResponseBase:
    """The document itself; while it is being made, how far it is. Revoked or replaced, the holder fetches it all the same."""
    certificate = get_object_or_404(
        Certificate.objects.visible_to(signed_in(request)).select_related("enrolment"), serial=serial
    )
    if not certificate.document:
        standing = selectors.standing_of(certificate)
        return render(request, "certificates/state.html", {"standing": standing, "enrolment": certificate.enrolment})
    found = document_of(certificate)
    if found is None:
        return render(request, "certificates/document_lost.html", {"certificate": certificate}, status=404)
    return found


def document_of(certificate: Certificate) -> HttpResponseBase | None:
    """The PDF as it was stored; None where its file is gone, which is noted."""
    try:
        file = certificate.document.open("rb")
    except FileNotFoundError:
        logger.error("the document of certificate %s is not where it was stored", certificate.serial)
        return None
    name = f"certificate-{certificate.serial}.pdf"
    response = FileResponse(file, as_attachment=True, filename=name, content_type="application/pdf")
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_safe
def certificate_piece(request: HttpRequest, serial: str, name: str) -> HttpResponse:
    """The credential as a file, or a badge with it inside; a page that says so while it is being made (status 202)."""
    certificate = get_object_or_404(Certificate.objects.visible_to(signed_in(request)), serial=serial)
    credential = pieces.credential_of(certificate)
    if credential is None:
        return render(request, "certificates/credential_to_come.html", {"certificate": certificate}, status=202)
    return pieces.as_attachment(pieces.piece(certificate, credential, Form(name)))


@login_not_required
@require_safe
def badge_picture(request: HttpRequest, colour: str, kind: str, ending: str) -> HttpResponse:
    """The picture that credentials name. It never changes: another look would have another address."""
    if ending == "png":
        response = HttpResponse(pictures.badge_png(colour, kind), content_type="image/png")
    else:
        response = HttpResponse(pictures.badge_svg(colour, kind), content_type="image/svg+xml")
    response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
    response.headers["Access-Control-Allow-Origin"] = "*"  # wallets in a browser show it too
    return response
