"""A certificate as issued: its record, its digest and its document are frozen."""

from __future__ import annotations

from datetime import date
from pathlib import PurePosixPath
from typing import Any, NoReturn

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from certificates.enums import RevocationReason
from certificates.record import heading_of
from courses.models import Enrolment
from organisations.models import User


class Frozen(ValueError):
    """Somebody tried to change or remove what was issued."""

    def __init__(self) -> None:
        super().__init__("A certificate is frozen when it is issued: it is neither changed nor deleted.")


class WrittenOnce(models.Model):
    """Neither changed nor deleted; a queryset that bypasses `save` refuses for itself."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise Frozen
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise Frozen


def private_storage() -> Storage:
    return storages["private"]


def document_path(certificate: Certificate, filename: str) -> str:
    """certificates/2026/<serial>.pdf: by serial, so that writing it again writes the same file."""
    return str(PurePosixPath("certificates") / str(certificate.issued_on.year) / f"{certificate.serial}.pdf")


class SerialCounter(models.Model):
    """The last serial number given out in a year; locked while taking the next."""

    year = models.PositiveSmallIntegerField(primary_key=True)
    last = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("serial counter")

    def __str__(self) -> str:
        return f"{self.year}: {self.last}"


class CertificateQuerySet(models.QuerySet["Certificate"]):
    def of(self, person: User) -> CertificateQuerySet:
        return self.filter(holder=person)

    def standing(self) -> CertificateQuerySet:
        """Those that nothing took the place of: what a holder has today, expired and revoked ones with them."""
        return self.filter(superseded_by__isnull=True)

    def with_life(self) -> CertificateQuerySet:
        """With what became of each after issue, in the same query."""
        return self.select_related("revocation", "superseded_by")

    def visible_to(self, viewer: User) -> CertificateQuerySet:
        """Whose documents `viewer` may fetch: her own; all, as administrator."""
        return self if viewer.is_superuser else self.of(viewer)

    def without_document(self) -> CertificateQuerySet:
        return self.filter(document="")

    def without_document_digest(self) -> CertificateQuerySet:
        """Documents that were stored before digests of them were."""
        return self.exclude(document="").filter(document_sha256="")

    def without_credential(self) -> CertificateQuerySet:
        return self.filter(credential__isnull=True)

    def update(self, **fields: Any) -> int:
        """Only the document, with its digest, may still be added after issue, once."""
        if fields.keys() == {"document_sha256"}:
            return super(CertificateQuerySet, self.without_document_digest()).update(**fields)
        if "document" not in fields or fields.keys() - {"document", "document_sha256"}:
            raise Frozen
        return super(CertificateQuerySet, self.without_document()).update(**fields)

    def delete(self) -> NoReturn:
        raise Frozen


class Certificate(WrittenOnce):
    """`record` is what the certificate claims, in canonical form; `digest` its SHA-256.

    The holder and the enrolment may go; the certificate stays verifiable from its own record.
    The columns beside it (code, serial, dates) are there to be searched; what is said is read from the record.
    Only the document is added later, by `services.render_document`.
    """

    code = models.CharField(_("verification code"), max_length=10, unique=True)
    serial = models.CharField(_("serial number"), max_length=24, unique=True)
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="certificates",
        verbose_name=_("holder"),
    )
    enrolment = models.OneToOneField(
        Enrolment, on_delete=models.SET_NULL, null=True, related_name="certificate", verbose_name=_("enrolment")
    )
    record = models.JSONField(_("record"))
    digest = models.CharField(_("digest"), max_length=64)
    document = models.FileField(_("document"), storage=private_storage, upload_to=document_path, blank=True)
    # Of the stored file, in hexadecimal: whoever hands in the very document is answered from its row.
    document_sha256 = models.CharField(_("digest of the document"), max_length=64, blank=True, default="")
    issued_on = models.DateField(_("issued"))
    valid_until = models.DateField(
        _("valid until"), null=True, blank=True, help_text=_("The first day on which the certificate no longer counts.")
    )
    created_at = models.DateTimeField(default=timezone.now)
    # The one whose place it takes: the same claim, corrected. What was issued stays as it was.
    supersedes = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="superseded_by",
        verbose_name=_("takes the place of"),
    )

    # By which definition it was given; none for a course that nobody has laid down anything about.
    definition = models.ForeignKey(
        "certificates.Definition",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="certificates",
        verbose_name=_("definition"),
    )
    # A certificate with an end is renewed as a period of its own: 1, 2, 3 …
    period = models.PositiveSmallIntegerField(_("period"), default=1)
    renews = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="renewed_by", verbose_name=_("renews")
    )

    objects = CertificateQuerySet.as_manager()

    class Meta:
        verbose_name = _("certificate")
        verbose_name_plural = _("certificates")
        ordering = ["-issued_on", "-pk"]
        indexes = [
            # The sweep asks every few minutes for the handful without a document among a million with one.
            models.Index(fields=["id"], condition=Q(document=""), name="certificates_undocumented"),
            models.Index(fields=["document_sha256"], name="certificates_by_document"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("issued_on")),
                name="certificates_valid_after_issue",
                violation_error_message=_("A certificate must be valid on the day it is issued."),
            ),
            # An enrolment has one certificate by itself; what is given for anything else, one a period.
            models.UniqueConstraint(
                fields=["definition", "holder", "period"],
                condition=Q(enrolment__isnull=True, supersedes__isnull=True),
                name="certificates_one_per_period",
            ),
        ]

    def __str__(self) -> str:
        return self.serial

    @property
    def about(self) -> dict[str, str]:
        """`title` and `language` of what was certified."""
        return heading_of(self.record)

    @property
    def newer(self) -> Certificate | None:
        """The one that took its place."""
        return getattr(self, "superseded_by", None)

    @property
    def revoked(self) -> Revocation | None:
        return getattr(self, "revocation", None)

    def is_expired(self, as_of: date) -> bool:
        return self.valid_until is not None and as_of >= self.valid_until


class Revocation(WrittenOnce):
    """A certificate no longer counts from this moment on. Written once; nothing is rubbed out.

    Whoever checks the certificate reads the day and the class of the reason; the note is for the issuer and the holder.
    """

    certificate = models.OneToOneField(Certificate, on_delete=models.PROTECT, related_name="revocation")
    reason = models.CharField(_("reason"), max_length=20, choices=RevocationReason.choices)
    note = models.CharField(_("what happened"), max_length=500)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("revoked by")
    )
    revoked_at = models.DateTimeField(_("revoked"), default=timezone.now)

    class Meta:
        verbose_name = _("revocation")
        verbose_name_plural = _("revocations")
        ordering = ["-revoked_at"]

    def __str__(self) -> str:
        return f"{self.certificate} · {self.get_reason_display()}"
