"""What becomes of a certificate after issue: revoked, replaced by one with a corrected name, or renewed. Nothing is rubbed out.

Each act is one transaction, asked for twice it is done once, stands in the audit log with its author and is told to the
holder by a mail of its own.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from certificates.applying import Bodies, Workplaces, criteria_in, in_language, local_day
from certificates.award_mails import tell_awarded
from certificates.codes import new_code
from certificates.criteria import months_after
from certificates.enums import RevocationReason
from certificates.life_mails import tell_replaced, tell_revoked
from certificates.models import Certificate, Definition, Revocation
from certificates.perms import may_look_after
from certificates.record import digest_of, record_of, tidy
from certificates.services import complete
from certificates.status_lists import note_change
from certificates.verdicts import RecordChanged, believed_claim
from certificates.writing import Draft, free_codes, next_serial, numbered, write_certificates
from organisations.models import User

MOST_NOTE = 500
MOST_NAME = 200


class LifeRefused(Exception):
    """What was asked of a certificate cannot be done; the text is a sentence for whoever asked. `field`: where."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


@transaction.atomic
def revoke(*, certificate: Certificate, reason: str, note: str, by: User, at: datetime | None = None) -> Revocation:
    """From now on it no longer counts. Revoked before, it stays revoked as it was.

    Raises LifeRefused without a reason or a note, for one that was replaced, and for who may not.
    """
    certificate = _locked(certificate, by)
    if certificate.revoked is not None:
        return certificate.revoked
    if reason not in RevocationReason.values:
        raise LifeRefused(_("Choose the reason that is shown to whoever checks the certificate."), "reason")
    note = " ".join(note.split())
    if not note:
        raise LifeRefused(_("Say what happened: the holder reads it, and so does whoever looks into it later."), "note")
    if len(note) > MOST_NOTE:
        raise LifeRefused(_("Say it in 500 characters at most."), "note")
    if certificate.newer is not None:
        raise LifeRefused(_("This certificate was replaced: revoke the one that took its place."))
    revocation = Revocation.objects.create(
        certificate=certificate, reason=reason, note=note, revoked_by=by, revoked_at=at or timezone.now()
    )
    note_change([certificate])
    log(instance=certificate, action="certificates.revoke", user=by, data={"reason": reason, "note": note})
    tell_revoked(certificate)
    return revocation


def reissue(*, certificate: Certificate, name: str, by: User, at: datetime | None = None) -> Certificate:
    """Issue it anew with the holder's name corrected: the same claim, another number and code. The old one says that it
    was replaced. Asked for twice with the same name, the one there is comes back.

    Raises LifeRefused for a name that is none or the same, for one that was revoked or replaced, for a record that was
    changed, and for who may not.
    """
    fresh = _write_anew(certificate, tidy(name), by, at or timezone.now())
    complete([fresh])
    return fresh


@transaction.atomic
def _write_anew(certificate: Certificate, name: str, by: User, at: datetime) -> Certificate:
    certificate = _locked(certificate, by)
    newer = certificate.newer
    if newer is not None:
        if newer.record["holder"]["name"] == name:
            return newer
        raise LifeRefused(_("This certificate was replaced already: correct the one that took its place."))
    if certificate.revoked is not None:
        raise LifeRefused(_("This certificate was revoked and is not issued anew."))
    if not name:
        raise LifeRefused(_("Write the name as it is to stand on the certificate."), "name")
    if len(name) > MOST_NAME:
        raise LifeRefused(_("Write the name in 200 characters at most."), "name")
    try:
        claim = believed_claim(certificate)
    except RecordChanged:
        raise LifeRefused(
            _("The record of this certificate was changed after it was issued: tell an administrator.")
        ) from None
    if claim.holder == name:
        raise LifeRefused(_("That is the name it has already."), "name")
    today = timezone.localtime(at, timezone.get_default_timezone()).date()
    if claim.valid_until is not None and claim.valid_until <= today:
        raise LifeRefused(_("It has expired: what is earned anew gets a certificate of its own."))
    [code] = free_codes(1, new_code)
    corrected = numbered(replace(claim, holder=name, issued_on=today), serial=next_serial(today), code=code)
    record = record_of(corrected)
    fresh = Certificate.objects.create(
        code=code, serial=corrected.serial, holder=certificate.holder, record=record, digest=digest_of(record),
        issued_on=today, valid_until=corrected.valid_until, supersedes=certificate,
        definition=certificate.definition, period=certificate.period,
    )  # fmt: skip
    note_change([certificate])
    log(instance=fresh, action="certificates.reissue", user=by, data={"takes_the_place_of": certificate.serial})
    tell_replaced(fresh)
    return fresh


def renew(*, certificate: Certificate, note: str, by: User, at: datetime | None = None) -> Certificate:
    """Renew it on HR's word, whatever was shown: another period by what its definition says today, with the same
    outcomes. It follows the old one without a gap, or begins today. Renewed before, the one there is comes back.

    Raises LifeRefused without a reason, for what has no end or was revoked or replaced, for a definition that is no
    longer in force, and for who may not.
    """
    fresh = _write_renewal(certificate, " ".join(note.split()), by, at or timezone.now())
    complete([fresh])
    return fresh


@transaction.atomic
def _write_renewal(certificate: Certificate, note: str, by: User, at: datetime) -> Certificate:
    certificate = _locked(certificate, by)
    renewed = Certificate.objects.filter(renews=certificate).first()
    if renewed is not None:
        return renewed
    if not note:
        raise LifeRefused(_("Say why it is renewed: whoever looks into it later reads it."), "why")
    if len(note) > MOST_NOTE:
        raise LifeRefused(_("Say it in 500 characters at most."), "why")
    if certificate.revoked is not None:
        raise LifeRefused(_("This certificate was revoked and is not renewed: it is earned again."))
    if certificate.newer is not None:
        raise LifeRefused(_("This certificate was replaced: renew the one that took its place."))
    if certificate.valid_until is None:
        raise LifeRefused(_("This certificate has no end, so there is nothing to renew."))
    definition = Definition.objects.active().whole().filter(pk=certificate.definition_id or 0).first()
    if definition is None:
        raise LifeRefused(_("The definition it was issued by is no longer in force."))
    try:
        claim = believed_claim(certificate)
    except RecordChanged:
        raise LifeRefused(
            _("The record of this certificate was changed after it was issued: tell an administrator.")
        ) from None
    today = local_day(at)
    workplaces = Workplaces()
    workplaces.learn([certificate.holder_id] if certificate.holder_id is not None else [])
    issuer = Bodies().of(definition, workplaces.on(certificate.holder_id or 0, today))
    title, title_language = in_language(definition.title, claim.language)
    period = Certificate.objects.filter(definition=definition, holder=certificate.holder).aggregate(n=Max("period"))[
        "n"
    ]
    claim = replace(
        claim,
        title=title,
        title_language=title_language,
        definition=definition.reference,
        criteria=criteria_in(definition, definition.kind, claim.language, assessed=claim.assessed),
        issuer=issuer.name,
        signatories=issuer.signatories,
        look=issuer.look(definition),
        issued_on=today,
        valid_until=months_after(max(today, certificate.valid_until), definition.validity_months),
        renews=certificate.serial,
    )
    draft = Draft(
        claim=claim, holder_id=certificate.holder_id or 0, definition_id=definition.pk, period=period + 1,
        renews_id=certificate.pk,
    )  # fmt: skip
    [fresh] = write_certificates([draft], by=by)
    log(instance=fresh, action="certificates.renew", user=by, data={"renews": certificate.serial, "why": note})
    tell_awarded(fresh)
    return fresh


def _locked(certificate: Certificate, by: User) -> Certificate:
    """The row as it is now, locked against a second press; LifeRefused for who may not look after it."""
    row = Certificate.objects.select_for_update(of=("self",)).select_related("holder").get(pk=certificate.pk)
    if not may_look_after(by, row):
        raise LifeRefused(_("This certificate is not in your care."))
    return row
