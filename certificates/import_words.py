"""What is said of a badge from elsewhere, in sentences: to who hands it in, and to who decides."""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from certificates.badge_facts import Names
from certificates.importing import Standing
from certificates.models import ImportedBadge

# The mark that goes with it, the word, and what it means.
STANDINGS: dict[Standing, tuple[str, str | Promise, str | Promise]] = {
    Standing.GENUINE: (
        "done", gettext_lazy("Genuine"), gettext_lazy("It is signed by an issuer this platform knows, and unchanged since."),
    ),
    Standing.ISSUER_UNKNOWN: (
        "info",
        gettext_lazy("Genuine, issuer not known here"),
        gettext_lazy("It is unchanged since it was signed, but this platform does not know who signed it."),
    ),
    Standing.UNCHECKED: (
        "info",
        gettext_lazy("Not checked"),
        gettext_lazy("It is well made, but the issuer’s key is not known here: the signature could not be checked."),
    ),
    Standing.EXPIRED: (
        "soon", gettext_lazy("Expired"), gettext_lazy("It no longer counts. Hand in a newer one if you have it."),
    ),
    Standing.NOT_YET_VALID: (
        "soon", gettext_lazy("Not valid yet"), gettext_lazy("It counts from a later day. Hand it in then."),
    ),
    Standing.REVOKED: (
        "overdue", gettext_lazy("Revoked"), gettext_lazy("Its issuer took it back. Ask the issuer why."),
    ),
    Standing.SUSPENDED: (
        "overdue", gettext_lazy("Suspended"), gettext_lazy("Its issuer has suspended it for now. Ask the issuer why."),
    ),
    Standing.NOT_GENUINE: (
        "overdue",
        gettext_lazy("Not genuine"),
        gettext_lazy("It was changed after it was signed, or is no Open Badge 3.0. Download it again from where you got it."),
    ),
    Standing.UNREADABLE: (
        "overdue",
        gettext_lazy("Not readable"),
        gettext_lazy("There is no badge in this file. Badges come as JSON, as JWT, or inside a PNG or SVG picture."),
    ),
}  # fmt: skip


def names_words(names: str, named: str) -> str:
    """Whether it names the person whose account it is, said of her."""
    if names == Names.BY_EMAIL:
        return _("It was given to the e-mail address of this account.")
    if names == Names.BY_NAME:
        return _("It names the person of this account.")
    if names == Names.SOMEBODY_ELSE:
        if named:
            return _("It names somebody else than this account does: %(name)s.") % {"name": named}
        return _("It was given to another name or e-mail address than this account has.")
    return _("It does not say whom it was given to in a way that can be compared.")


def words_of(badge: ImportedBadge) -> dict[str, Any]:
    """Mark, title and sentences of what was found when the badge was handed in."""
    found = badge.verdict
    mark, title, sentence = STANDINGS[Standing(found["standing"])]
    sentences = [str(sentence), names_words(found["names"], found["named"])]
    if found["status_unknown"]:
        sentences.append(_("Whether it was revoked since could not be looked up."))
    return {
        "mark": mark,
        "title": str(title),
        "sentences": sentences,
        "issuer_id": found["issuer"],
        "named_otherwise": found["names"] == Names.SOMEBODY_ELSE,
    }
