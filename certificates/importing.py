"""A badge from elsewhere becomes evidence: checked here, then a claim that an assessor decides on.

What can be told at once is told at once: what is damaged, lapsed, revoked, ours, or handed in already is not taken. All
else is a person's word with a proof beside it, and goes the way of every certificate from elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from certificates import issuer, trusting
from certificates.badge_facts import BadgeFacts, digest_of, facts_of, names, text_of
from certificates.credentials import baking, verifying
from certificates.credentials import jwt as tokens
from certificates.credentials.reading import Unreadable, read_object
from certificates.credentials.verifying import Check, Form, KeyOf, Result, State, Verdict
from certificates.models import ImportedBadge
from competencies.claims import MAY_BE_TAKEN_UP, Asked, ClaimRefused, submit_claim
from competencies.documents import CREDENTIAL_JSON, CREDENTIAL_JWT
from competencies.enums import ClaimKind
from competencies.models import Claim, Competency
from competencies.selectors import competencies_asked
from competencies.services import lock_person
from organisations.models import User

MAX_BYTES = 10_000_000
# How long a badge that was checked waits for the person to say what it shows.
WAITS = timedelta(days=30)
MOST_WAITING = 20
MOST_MATCHED = 20


class Standing(StrEnum):
    """What is said of a badge in one word; the sentences are the page's (`STANDINGS` of import_words)."""

    GENUINE = "genuine"
    ISSUER_UNKNOWN = "issuer_unknown"
    UNCHECKED = "unchecked"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    NOT_GENUINE = "not_genuine"
    UNREADABLE = "unreadable"


TAKEN = frozenset({Standing.GENUINE, Standing.ISSUER_UNKNOWN, Standing.UNCHECKED})
_STATES = {
    State.VALID: Standing.GENUINE,
    State.EXPIRED: Standing.EXPIRED,
    State.NOT_YET_VALID: Standing.NOT_YET_VALID,
    State.REVOKED: Standing.REVOKED,
    State.SUSPENDED: Standing.SUSPENDED,
    State.INVALID: Standing.NOT_GENUINE,
    State.UNREADABLE: Standing.UNREADABLE,
}


class BadgeRefused(ValueError):
    """A badge that is not taken; the text is a sentence for the person. `standing` says what was found, if it was checked."""

    def __init__(self, sentence: str, standing: Standing | None = None) -> None:
        super().__init__(sentence)
        self.standing = standing


@dataclass(frozen=True)
class Suggestion:
    """A competency the badge may show. `matched` says that the badge itself names it."""

    competency: Competency
    matched: bool


# --- Checking ----------------------------------------------------------------------------------------------------
def _key_of() -> KeyOf:
    """The keys of issuers somebody here vouches for, and our own. Two queries."""
    ours, known = issuer.key_finder(), trusting.known_issuers()
    return lambda method: ours(method) or known.key_of(method)


def standing_of(verdict: Verdict) -> Standing:
    """The one word. What lapsed or was revoked is that also where the signature could not be checked."""
    if verdict.state is not State.UNCONFIRMED:
        return _STATES[verdict.state]
    for state in (State.REVOKED, State.EXPIRED, State.SUSPENDED, State.NOT_YET_VALID):
        if state.value in verdict.reasons:
            return _STATES[state]
    proof = verdict.of(Check.PROOF)
    if proof is None or proof.result is not Result.PASSED:
        return Standing.UNCHECKED
    return Standing.GENUINE if verdict.issuer_known else Standing.ISSUER_UNKNOWN


def is_ours(verdict: Verdict) -> bool:
    """Whether it says that it was issued here."""
    said = str((verdict.credential or {}).get("id", ""))
    named = verdict.issuer in (issuer.issuer_did(), settings.SITE_URL) or said.startswith(f"{settings.SITE_URL}/")
    return named or issuer.key_of(verdict.key) is not None


def check_badge(*, person: User, data: bytes, at: datetime | None = None) -> ImportedBadge:
    """Check what a person hands in and keep it for her to say what it shows. The same badge again is the same row.

    Raises BadgeRefused with a sentence for what is not taken; nothing of that is kept.
    """
    moment = at or timezone.now()
    if not data:
        raise BadgeRefused(_("The file is empty. Choose it again."))
    if len(data) > MAX_BYTES:
        raise BadgeRefused(_("The file is larger than 10 MB. A badge is much smaller: look for the right file."))
    verdict = verifying.verify(data, at=moment, key_of=_key_of())
    found = standing_of(verdict)
    if verdict.credential is not None and is_ours(verdict):
        raise BadgeRefused(_("This was issued here: it is yours without handing it in, under “My certificates”."))
    if found not in TAKEN or verdict.credential is None:
        raise BadgeRefused("", found)
    facts = facts_of(verdict.credential, zone=timezone.get_current_timezone())
    if not facts.title or facts.issued_on is None:
        raise BadgeRefused("", Standing.NOT_GENUINE)
    digest = digest_of(verdict.credential)
    said = {
        "standing": found.value,
        "form": verdict.form.value,
        "state": verdict.state.value,
        "issuer": facts.issuer_id,
        "issuer_known": verdict.issuer_known,
        "reasons": list(verdict.reasons),
        "cautions": list(verdict.cautions),
        "key": text_of(verdict.key, 500),
        "status_unknown": _status_unknown(verdict),
        "names": names(verdict.credential, name=person.name, emails=_addresses(person)).value,
        "named": facts.named,
        "checked_on": timezone.localdate(moment).isoformat(),
    }
    with transaction.atomic():
        lock_person(person)
        check_new(person, digest, facts.credential_id)
        ImportedBadge.objects.filter(claim=None, imported_at__lt=moment - WAITS).delete()
        waiting = ImportedBadge.objects.filter(person=person, claim=None)
        known = waiting.filter(digest=digest).first()
        if known is not None:
            known.verdict, known.imported_at = said, moment
            known.save(update_fields=["verdict", "imported_at"])
            return known
        for oldest in waiting[MOST_WAITING - 1 :]:
            oldest.delete()
        return ImportedBadge.objects.create(
            person=person,
            credential_id=facts.credential_id,
            digest=digest,
            content=carried(data, verdict.form),
            verdict=said,
            imported_at=moment,
        )


def _addresses(person: User) -> list[str]:
    """Addresses the person has shown to be hers."""
    return list(EmailAddress.objects.filter(user=person, verified=True).values_list("email", flat=True))


def _status_unknown(verdict: Verdict) -> bool:
    status = verdict.of(Check.STATUS)
    return status is not None and status.result is Result.UNDECIDED


def check_new(person: User, digest: str, credential_id: str) -> None:
    """Raise BadgeRefused where the badge became a claim already that waits or was accepted, hers or anybody's."""
    same = Q(digest=digest)
    if credential_id:
        same |= Q(person=person, credential_id=credential_id)
    standing = ImportedBadge.objects.filter(same, claim__isnull=False).exclude(claim__state__in=MAY_BE_TAKEN_UP)
    owners = set(standing.values_list("person_id", flat=True))
    if person.pk in owners:
        raise BadgeRefused(_("You have handed in this badge already: see “What is on record about me”."))
    if owners:
        raise BadgeRefused(
            _(
                "This badge counts for another account already. If it is yours, tell your HR unit: they can look into it."
            )
        )


def carried(data: bytes, form: Form) -> str:
    """The credential as text: of a picture, what is inside it."""
    if form is Form.PNG:
        text = baking.unbake_png(data)
    elif form is Form.SVG:
        text = baking.unbake_svg(data)
    else:
        text = data.decode("utf-8")
    return text.strip("\ufeff \t\r\n")


# --- What it says ------------------------------------------------------------------------------------------------
def facts(badge: ImportedBadge) -> BadgeFacts:
    """What a badge that was taken says."""
    return facts_of(_credential(badge.content), zone=timezone.get_current_timezone())


def _credential(content: str) -> dict[str, Any]:
    data = content.encode()
    if content.startswith("{"):
        try:
            return read_object(data)
        except Unreadable:
            return {}
    return tokens.credential_of(tokens.read_jwt(data))


def suggestions_for(person: User, said: BadgeFacts, *, as_of: date | None = None) -> Sequence[Suggestion]:
    """Competencies in force the badge may show: those it names first, then those the person's roles ask for."""
    asked, in_use = competencies_asked([person.pk], as_of or timezone.localdate())
    wanted = {pk for pk in asked.get(person.pk, ()) if pk in in_use}
    published = Competency.objects.published().select_related("version__framework")
    needed = published.filter(pk__in=wanted).order_by("version_id", "position", "code")
    codes = {a.code for a in said.alignments if a.code}
    addresses = {a.url for a in said.alignments if a.url}
    ends = {url.rstrip("/").rpartition("/")[2] for url in addresses} - {""}
    matched = []
    if codes or addresses:
        named = Q(code__in=codes) | Q(identifier__in=(addresses | ends | codes))
        rows = published.filter(named).order_by("version_id", "position", "code")[:MOST_MATCHED]
        matched = sorted(rows, key=lambda competency: competency.pk not in wanted)
    known = {competency.pk for competency in matched}
    return [
        *(Suggestion(competency, True) for competency in matched),
        *(Suggestion(competency, False) for competency in needed if competency.pk not in known),
    ]


# --- Handing it in -----------------------------------------------------------------------------------------------
@transaction.atomic
def claim_badge(
    *,
    badge: ImportedBadge,
    by: User,
    competency: Competency,
    rank: int,
    statement: str = "",
    at: datetime | None = None,
) -> Claim:
    """The badge becomes a claim with the credential as its document; twice is once.

    Raises BadgeRefused, ClaimRefused or DocumentRefused with a sentence; then nothing is kept.
    """
    lock_person(by)
    badge = ImportedBadge.objects.select_for_update(of=("self",)).get(pk=badge.pk)
    if badge.person_id != by.pk:
        raise BadgeRefused(_("Only who handed in a badge says what it shows."))
    if badge.claim_id is not None:
        return Claim.objects.get(pk=badge.claim_id)
    check_new(by, badge.digest, badge.credential_id)
    said = facts(badge)
    if said.issued_on is None:
        raise ClaimRefused(_("Give the date."))
    asked = Asked(
        competency=competency,
        kind=ClaimKind.CERTIFICATE,
        rank=rank,
        title=said.title,
        issuer=said.issuer or said.issuer_id or _("An issuer without a name"),
        issued_on=said.issued_on,
        valid_until=said.valid_until,
        statement=statement,
        files=[_file(badge)],
    )
    claim = submit_claim(person=by, asked=asked, token=f"badge-{badge.pk}", at=at)
    badge.claim = claim
    last = ImportedBadge.objects.filter(digest=badge.digest).aggregate(last=Max("turn"))["last"]
    badge.turn = (last or 0) + 1
    try:
        with transaction.atomic():
            badge.save(update_fields=["claim", "turn"])
    except IntegrityError as error:  # another account was a moment earlier
        raise BadgeRefused(_("This badge was handed in elsewhere a moment ago. Look again.")) from error
    log(instance=claim, action="certificates.import_badge", user=by, data={"badge": badge.pk, "digest": badge.digest})
    return claim


def _file(badge: ImportedBadge) -> UploadedFile:
    """The credential as a document of the claim: what was signed, not the picture round it, which proves nothing."""
    is_json = badge.content.startswith("{")
    kind = CREDENTIAL_JSON if is_json else CREDENTIAL_JWT
    name = "open-badge.json" if is_json else "open-badge.jwt"
    file = SimpleUploadedFile(name, badge.content.encode(), content_type=kind)
    file.inspected_as = kind  # type: ignore[attr-defined]  # looked at by `check_badge`
    return file
