"""A certificate as issued: its record, its digest and its document are frozen."""

from __future__ import annotations

from datetime import date
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from courses.models import Enrolment
from organisations.models import User


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

    def without_document(self) -> CertificateQuerySet:
        return self.filter(document="")


class Certificate(models.Model):
    """`record` is what the certificate claims, in canonical form; `digest` its SHA-256.

    The holder and the enrolment may go; the certificate stays verifiable from its own record.
    """

    code = models.CharField(_("verification code"), max_length=10, unique=True)
    serial = models.CharField(_("serial number"), max_length=24, unique=True)
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="certificates", verbose_name=_("holder"))
    enrolment = models.OneToOneField(Enrolment, on_delete=models.SET_NULL, null=True, related_name="certificate", verbose_name=_("enrolment"))
    record = models.JSONField(_("record"))
    digest = models.CharField(_("digest"), max_length=64)
    document = models.FileField(_("document"), storage=private_storage, upload_to=document_path, blank=True)
    issued_on = models.DateField(_("issued"))
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = CertificateQuerySet.as_manager()

    class Meta:
        verbose_name = _("certificate")
        verbose_name_plural = _("certificates")
        ordering = ["-issued_on", "-pk"]

    def __str__(self) -> str:
        return self.serial

    def is_expired(self, as_of: date) -> bool:
        return self.valid_until is not None and as_of >= self.valid_until

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Only the document may still be added after issue, once."""
        if not self._state.adding and set(kwargs.get("update_fields") or ()) != {"document"}:
            raise ValueError("A certificate is frozen when it is issued.")
        super().save(*args, **kwargs)
