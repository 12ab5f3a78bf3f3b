"""The forms in which a certificate leaves the house beside the PDF: the credential, its token, and the two badges.

Media types: Open Badges 3.0 names application/vc+ld+json for a credential with its proof inside, RFC 7519
application/jwt for a token. What is fetched is what was issued, byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.http import HttpResponse

from certificates import badge_picture
from certificates.credentials.baking import bake_png, bake_svg
from certificates.models import Certificate, Credential


class Form(StrEnum):
    """The last part of the address."""

    PDF = "certificate.pdf"
    JSON = "credential.json"
    JWT = "credential.jwt"
    PNG = "badge.png"
    SVG = "badge.svg"


_TYPES = {
    Form.JSON: "application/vc+ld+json",
    Form.JWT: "application/jwt",
    Form.PNG: "image/png",
    Form.SVG: "image/svg+xml",
}


@dataclass(frozen=True)
class Piece:
    content: bytes
    media_type: str
    filename: str


def credential_of(certificate: Certificate) -> Credential | None:
    """What was signed; None while it is being made."""
    return Credential.objects.filter(certificate=certificate).first()


def piece(certificate: Certificate, credential: Credential, form: Form) -> Piece:
    """The credential as a file of this form; a badge carries the document."""
    stem, dot, ending = form.value.partition(".")
    return Piece(_content(certificate, credential, form), _TYPES[form], f"{stem}-{certificate.serial}{dot}{ending}")


def _content(certificate: Certificate, credential: Credential, form: Form) -> bytes:
    if form is Form.JSON:
        return credential.document.encode()
    if form is Form.JWT:
        return credential.token.encode()
    colour, kind = badge_picture.of_record(certificate.record)
    if form is Form.PNG:
        return bake_png(badge_picture.badge_png(colour, kind), credential.document)
    return bake_svg(badge_picture.badge_svg(colour, kind), credential.document)


def as_attachment(found: Piece) -> HttpResponse:
    """To be saved, never shown as a page of ours nor kept on the way."""
    response = HttpResponse(found.content, content_type=found.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{found.filename}"'
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
