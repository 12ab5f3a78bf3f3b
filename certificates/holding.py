"""What a person holds, and how each certificate stands today, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Exists, F, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from certificates.badge_picture import of_record, path_of
from certificates.codes import display
from certificates.enums import Verdict
from certificates.models import Certificate, CertificateQuerySet, Credential
from organisations.models import User

# Where nobody laid down from when a certificate may be renewed.
SOON_MONTHS = 3
MONTH_DAYS = 30


@dataclass(frozen=True)
class Held:
    """A certificate as its holder sees it. `word` says how it stands, `mark` is the state's (elements, `status`).

    `follower` is the serial of the one that took its place or renewed it.
    """

    certificate: Certificate
    word: str
    mark: str
    follower: str = ""

    @property
    def serial(self) -> str:
        return self.certificate.serial

    @property
    def title(self) -> str:
        return self.certificate.about["title"]

    @property
    def title_language(self) -> str:
        return self.certificate.about["language"]

    @property
    def display_code(self) -> str:
        return display(self.certificate.code)

    @property
    def badge_url(self) -> str:
        return path_of(*of_record(self.certificate.record), "svg")

    @property
    def last_valid_on(self) -> date | None:
        until = self.certificate.valid_until
        return until - timedelta(days=1) if until else None

    @property
    def has_document(self) -> bool:
        return bool(self.certificate.document)

    @property
    def has_credential(self) -> bool:
        return bool(self.certificate.has_credential)  # type: ignore[attr-defined]  # by `rows`

    @property
    def is_earlier(self) -> bool:
        """Another one stands for it today."""
        return bool(self.follower)

    @property
    def may_be_shared(self) -> bool:
        return self.certificate.revoked is None and self.certificate.newer is None


def rows(certificates: CertificateQuerySet) -> CertificateQuerySet:
    """With all that `held` looks at, in one query."""
    found: CertificateQuerySet = certificates.select_related("revocation", "superseded_by", "renewed_by").annotate(
        has_credential=Exists(Credential.objects.filter(certificate=OuterRef("pk"))),
        renewal_months=F("definition__renewal_months"),
    )
    return found


def held(certificate: Certificate, *, as_of: date) -> Held:
    """How a certificate stands; what is worst is said. Asks nothing where it was read by `rows`."""
    if certificate.revoked is not None:
        return Held(certificate, str(Verdict.REVOKED.label), "overdue")
    if certificate.newer is not None:
        return Held(certificate, str(Verdict.SUPERSEDED.label), "neutral", certificate.newer.serial)
    renewal: Certificate | None = getattr(certificate, "renewed_by", None)
    if renewal is not None:
        return Held(certificate, _("Renewed"), "neutral", renewal.serial)
    if certificate.is_expired(as_of):
        return Held(certificate, str(Verdict.EXPIRED.label), "soon")
    months = getattr(certificate, "renewal_months", None)
    soon = timedelta(days=MONTH_DAYS * (SOON_MONTHS if months is None else months))
    if certificate.valid_until is not None and certificate.valid_until - soon <= as_of:
        return Held(certificate, _("Valid, ends soon"), "soon")
    return Held(certificate, str(Verdict.VALID.label), "done")


def held_by(person: User, *, as_of: date | None = None) -> Sequence[Held]:
    """All of a person's certificates, the newest first. One query."""
    day = as_of or timezone.localdate()
    return [held(certificate, as_of=day) for certificate in rows(Certificate.objects.of(person))]
