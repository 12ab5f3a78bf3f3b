"""Links by which a holder shows a certificate to somebody, for a time."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from certificates.models.certificate import Certificate


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    def open(self, at: datetime) -> ShareLinkQuerySet:
        """Those that open something at a moment."""
        return self.filter(ended_at__isnull=True, expires_at__gt=at)


class ShareLink(models.Model):
    """The address is the key, and only its digest is kept. `number` is what the address is made from, together with a
    secret of the installation (sharing.token_of): the holder sees it again, whoever reads the database does not.
    """

    certificate = models.ForeignKey(
        Certificate, on_delete=models.PROTECT, related_name="share_links", verbose_name=_("certificate")
    )
    number = models.UUIDField()
    digest = models.CharField(max_length=64, unique=True)
    label = models.CharField(_("for whom"), max_length=80, blank=True)
    shows_grounds = models.BooleanField(_("shows what it rests on"), default=False)
    lets_download = models.BooleanField(_("lets download"), default=False)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(_("ends"))
    ended_at = models.DateTimeField(_("ended by the holder"), null=True, blank=True)
    opened = models.PositiveIntegerField(_("times opened"), default=0)

    objects = ShareLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("link to a certificate")
        verbose_name_plural = _("links to certificates")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="certificates_link_ends_after_it_begins"
            ),
        ]

    def __str__(self) -> str:
        return self.label or str(self.pk)

    def is_over(self, at: datetime) -> bool:
        return self.ended_at is not None or at >= self.expires_at
