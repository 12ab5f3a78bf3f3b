"""What a stranger needs to check what we signed: public keys, credentials as issued, lists of what was revoked.

The private halves are elsewhere (credentials.keys.KeyStore): everything here may be lost in the open.
"""

from __future__ import annotations

from datetime import date

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from certificates.credentials.keys import Kind, PublicKey, PublishedKey, public_key
from certificates.credentials.status import LEAST_BITS
from certificates.models.certificate import Certificate, WrittenOnce


class IssuerKey(models.Model):
    """The public half of a key we sign or signed with. It stays when the key store is lost: what it signed goes on verifying.

    `chain` are its X.509 certificates in PEM, the key's own first; documents are signed with them.
    """

    key_id = models.CharField(_("name"), max_length=64, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=[(kind.value, kind.value) for kind in Kind])
    public = models.CharField(_("public key"), max_length=120, unique=True)
    chain = models.TextField(_("certificates of the key"), blank=True, default="")
    created_on = models.DateField(_("signs from"))
    retired_on = models.DateField(_("signs no more from"), null=True, blank=True)
    withdrawn = models.BooleanField(_("in other hands"), default=False)

    class Meta:
        verbose_name = _("key of the issuer")
        verbose_name_plural = _("keys of the issuer")
        ordering = ["created_on", "key_id"]

    def __str__(self) -> str:
        return self.key_id

    @property
    def key(self) -> PublicKey:
        return public_key(self.public)

    @property
    def published(self) -> PublishedKey:
        return PublishedKey(self.key_id, self.key, self.created_on, self.retired_on, self.withdrawn)

    def signs_on(self, day: date) -> bool:
        return self.published.signs_on(day)


class StatusList(models.Model):
    """A Bitstring Status List: which of its places are revoked follows from the certificates that have them.

    `issuer` and `address` are what its credentials name, so they stay when the platform moves to another address.
    `used` places have been dealt, in an order that follows from `seed` and tells nothing of when. `changes` counts what was
    revoked or replaced, in the transaction that did it; `content` is the list as last signed, when `signed_changes` were
    counted: a count, not a time, because who counts before somebody else commits would look newer than what it holds.
    """

    issuer = models.CharField(_("issuer"), max_length=300)
    address = models.CharField(_("address of the issuer"), max_length=300)
    seed = models.CharField(max_length=64)
    size = models.PositiveIntegerField(_("places"), default=LEAST_BITS)
    used = models.PositiveIntegerField(_("places dealt"), default=0)
    content = models.TextField(_("as last signed"), blank=True, default="")
    made_at = models.DateTimeField(_("last signed"), null=True, blank=True)
    changes = models.PositiveIntegerField(default=0)
    signed_changes = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("status list")
        verbose_name_plural = _("status lists")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(used__lte=F("size")), name="certificates_no_more_places_than_there_are"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Credential(WrittenOnce):
    """The certificate as an Open Badges 3.0 credential, as issued: `document` with its proof, `token` the same as VC-JWT."""

    certificate = models.OneToOneField(
        Certificate,
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="credential",
        verbose_name=_("certificate"),
    )
    document = models.TextField(_("credential"))
    token = models.TextField(_("token"))
    status_list = models.ForeignKey(StatusList, on_delete=models.PROTECT, related_name="credentials")
    place = models.PositiveIntegerField(_("place in the list"))
    key = models.ForeignKey(IssuerKey, on_delete=models.PROTECT, related_name="+", verbose_name=_("signed with"))
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")
        indexes = [
            # Which places are revoked is read from this alone: the rows beside it hold whole credentials.
            models.Index(fields=["status_list", "certificate", "place"], name="certificates_places"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["status_list", "place"], name="certificates_one_credential_per_place"),
        ]

    def __str__(self) -> str:
        return str(self.certificate_id)
