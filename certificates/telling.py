"""A finding in sentences: the one under the large word, and what to make of it."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from certificates.enums import FileVerdict
from certificates.findings import Finding
from certificates.words import date_in_words


def sentence(finding: Finding) -> str:
    """One sentence under the large word."""
    state, judgement = finding.state, finding.judgement
    if judgement is not None and judgement.on is not None:
        day = {"day": date_in_words(judgement.on)}
        if state == FileVerdict.REVOKED:
            return _("This certificate does not count since %(day)s.") % day
        if state == FileVerdict.SUPERSEDED:
            return _("Another certificate took its place on %(day)s.") % day
    if state == FileVerdict.VALID:
        if finding.issuer.ours:
            return _("This certificate is genuine and as we issued it.")
        return _("This badge is genuine, and we know its issuer.")
    if state == FileVerdict.EXPIRED:
        return _expired(finding)
    if state == FileVerdict.UNCONFIRMED:
        return _unconfirmed(finding)
    if state == FileVerdict.UNKNOWN and finding.issuer.ours:
        return _("It carries our signature, and our records do not have it.")
    return str(_SENTENCES[state])


def _expired(finding: Finding) -> str:
    if finding.claim is not None and finding.claim.last_valid_on is not None:
        day = {"day": date_in_words(finding.claim.last_valid_on)}
        return _("This certificate is genuine. It was valid up to and including %(day)s.") % day
    if finding.issuer.known:
        return _("This badge is genuine, and its time is over.")
    return _("Its time is over. Who issued it is not known here.")


def _unconfirmed(finding: Finding) -> str:
    if finding.first_gap == "paper":
        return _("The badge inside this PDF is genuine. Its pages are not covered by it and may say anything.")
    if finding.first_gap == "status" and finding.issuer.known:
        return _("Genuine when it was issued. Whether it was taken back since could not be looked up.")
    if finding.said is not None:
        return _("Nothing was changed since it was signed, but we do not know who signed it.")
    return _("Its signature could not be checked here.")


_SENTENCES: Final[dict[FileVerdict, Promise]] = {
    FileVerdict.REVOKED: gettext_lazy("Its issuer has taken it back."),
    FileVerdict.SUPERSEDED: gettext_lazy("Another certificate took its place."),
    FileVerdict.SUSPENDED: gettext_lazy("Its issuer has suspended it for now."),
    FileVerdict.NOT_YET_VALID: gettext_lazy("Its time has not begun."),
    FileVerdict.CHANGED: gettext_lazy("This is not what we issued."),
    FileVerdict.INVALID: gettext_lazy("This badge does not hold."),
    FileVerdict.UNKNOWN: gettext_lazy("We do not know this file."),
    FileVerdict.UNREADABLE: gettext_lazy("Nothing can be said of this file."),
}


def advice(finding: Finding) -> list[str]:
    """What to make of it and what to do, in at most two lines; the reasons stand beside it."""
    state = finding.state
    if state == FileVerdict.VALID:
        issuer = {"issuer": finding.claim.issuer if finding.claim else finding.issuer.name}
        if not finding.issuer.ours:
            return [
                _(
                    "%(issuer)s vouches for it. We know the keys of this issuer; for what it certifies it answers itself."
                )
                % issuer
            ]
        return [
            _("%(issuer)s vouches for it.") % issuer,
            _(
                "You see what was recorded on the day of issue. If the document you were shown says anything else, go by "
                "what stands here."
            ),
        ]
    if state == FileVerdict.UNCONFIRMED and finding.first_gap == "paper":
        return [_("Go by what stands here and not by the pages. Ask the holder for the document as it was issued.")]
    if state == FileVerdict.UNCONFIRMED and finding.said is not None and not finding.issuer.known:
        return [
            _(
                "This does not make it false, and not genuine either. Ask the issuer named in it, by an address that you "
                "know from elsewhere."
            )
        ]
    return [str(_ADVICE[state])]


_ADVICE: Final[dict[FileVerdict, Promise]] = {
    FileVerdict.EXPIRED: gettext_lazy(
        "It was earned, but it no longer counts. Ask for a newer one if you need proof for today."
    ),
    FileVerdict.SUPERSEDED: gettext_lazy(
        "What it says was corrected since. Ask the holder for the new one: it has a number and a code of its own."
    ),
    FileVerdict.REVOKED: gettext_lazy("Do not rely on it, whatever stands on it."),
    FileVerdict.SUSPENDED: gettext_lazy("Do not rely on it today. Ask its issuer whether it counts again."),
    FileVerdict.NOT_YET_VALID: gettext_lazy("It does not count today."),
    FileVerdict.CHANGED: gettext_lazy(
        "Do not rely on it. Type the code that stands on the certificate: then you see what we issued."
    ),
    FileVerdict.INVALID: gettext_lazy(
        "Do not rely on it. Ask the holder for the file as the issuer gave it, without opening and saving it in between."
    ),
    FileVerdict.UNCONFIRMED: gettext_lazy(
        "This does not make it false. Ask its issuer, by an address that you know from elsewhere."
    ),
    FileVerdict.UNKNOWN: gettext_lazy(
        "A document that was printed, scanned or saved anew can still be of a genuine certificate. Type the code that "
        "stands on it: then you see what we issued."
    ),
    FileVerdict.UNREADABLE: gettext_lazy(
        "Hand in the file as you were given it: a PDF of ours, or a badge as picture (PNG, SVG), JSON or token."
    ),
}
