"""Drawing a claim with what its record only names: the picture of the body that issued it."""

from __future__ import annotations

from certificates.models import Logo
from certificates.pdf import render_pdf
from certificates.record import Claim


def logo_of(claim: Claim) -> bytes | None:
    """The picture the record names by its digest; None where it names none. One query."""
    if not claim.look.logo:
        return None
    row = Logo.objects.filter(pk=claim.look.logo).values_list("content", flat=True).first()
    return None if row is None else bytes(row)


def draw(claim: Claim) -> bytes:
    """The document of a claim, as PDF."""
    return render_pdf(claim)
