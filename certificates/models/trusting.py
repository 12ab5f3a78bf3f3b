"""Whose badges we take as theirs: issuers elsewhere whose keys an administrator vouches for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from certificates.credentials.jwt import Jwk
from certificates.credentials.keys import PublicKey, public_key

LONGEST_IDENTIFIER = 500


class TrustedIssuerQuerySet(models.QuerySet["TrustedIssuer"]):
    def in_force(self) -> TrustedIssuerQuerySet:
        return self.filter(ended_at__isnull=True)


class TrustedIssuer(models.Model):
    """An issuer and its public keys, as pasted in and read by an administrator; nothing was fetched.

    `identifier` is what stands as issuer in its badges (did:web, did:key or an https address). `keys` has the name of
    each method and the key behind it: `{"did:web:x.example#k1": {"multibase": "z6Mk…"}}` or `{"…": {"jwk": {…}}}`.
    Rows are not changed but ended, and the issuer is listed anew: who vouched for what, and when, stays on record.
    """

    name = models.CharField(_("name"), max_length=200)
    identifier = models.CharField(_("identifier"), max_length=LONGEST_IDENTIFIER)
    keys = models.JSONField(_("public keys"))
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("added by")
    )
    added_at = models.DateTimeField(_("added"), default=timezone.now)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("ended by")
    )
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = TrustedIssuerQuerySet.as_manager()

    class Meta:
        verbose_name = _("trusted issuer")
        verbose_name_plural = _("trusted issuers")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["identifier"],
                condition=Q(ended_at__isnull=True),
                name="certificates_an_issuer_trusted_once",
                violation_error_message=_("This issuer is listed already. End that entry first."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def key_by_method(self) -> dict[str, PublicKey | Jwk]:
        """The keys under the names they sign with."""
        return {method: _read(described) for method, described in self.keys.items()}


def described(key: PublicKey | Jwk) -> dict[str, Any]:
    """A key as it stands in `TrustedIssuer.keys`."""
    return {"multibase": key.multibase} if isinstance(key, PublicKey) else {"jwk": dict(key)}


def _read(described: Mapping[str, Any]) -> PublicKey | Jwk:
    if "multibase" in described:
        return public_key(described["multibase"])
    jwk: Jwk = described["jwk"]
    return jwk
