"""A certificate on paper, drawn from its record alone: tagged, archivable (PDF/A-3a), the same bytes each time.

`formal` and `plain` are the designs; `typesetting` sets letters of any script we have a face for, `tagging` writes what
a screen reader reads. Letters that no face has are written in Latin letters, and the document says so.
Speed, choices and limits: docs/decisions/0024-certificates-on-paper.md.
"""

from __future__ import annotations

import unicodedata

from django.conf import settings
from django.utils.translation import gettext as _

from certificates import codes
from certificates.pdf import formal, plain
from certificates.pdf.drawing import Desk, UnreadableLogo, read_logo
from certificates.pdf.palette import palette
from certificates.pdf.tagging import About, Attachment, Tagged
from certificates.pdf.wording import Wording
from certificates.record import Claim
from organisations.paper import sheet

__all__ = ["CREDENTIAL", "UnreadableLogo", "render_pdf"]

# The name under which a document carries its credential.
CREDENTIAL = "credential.json"
DESIGNS = {
    "formal": (formal.draw, (formal.WIDTH, formal.HEIGHT)),
    "plain": (plain.draw, (plain.WIDTH, plain.HEIGHT)),
}


def render_pdf(claim: Claim, *, logo: bytes | None = None, credential: bytes | None = None) -> bytes:
    """The document of a certificate, in the language of its claim, unsigned.

    `logo` is a PNG or JPEG, that of `claim.look.logo`; UnreadableLogo where it is neither. `credential` (JSON) is put
    inside as a file of its own, so that the paper carries its proof. A design we no longer know is drawn plain.
    """
    draw, size = DESIGNS.get(claim.look.design, DESIGNS["plain"])
    picture = read_logo(logo) if logo is not None else None
    # The day of issue, not of drawing: the same record gives the same bytes.
    with sheet(size=size, language=claim.language, dated=claim.issued_on) as paper:
        words = Wording(claim)
        page = Tagged(paper, _about(claim))
        draw(Desk(page, palette(claim.look.colour)), words, picture)
        attachment = None
        if credential is not None:
            described = _("The signed Open Badges credential of this certificate")
            attachment = Attachment(CREDENTIAL, "application/json", credential, described)
        return page.content(attachment)


def _about(claim: Claim) -> About:
    return About(
        title=_written(_("Certificate: %(course)s, %(name)s") % {"course": claim.title, "name": claim.holder}),
        author=_written(claim.issuer),
        subject=_written(
            _("Certificate %(serial)s, to be checked at %(url)s") % {"serial": claim.serial, "url": claim.url}
        ),
        keywords=_written(f"{claim.serial}, {codes.display(claim.code)}"),
        creator=settings.SITE_NAME,
        language=claim.language,
        dated=claim.issued_on,
    )


def _written(text: str) -> str:
    """Without what XML has no way to write: control characters, halves of characters, what is none."""
    return "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cs") and ord(c) & 0xFFFE != 0xFFFE)
