"""Vocabulary of certificates."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Verdict(models.TextChoices):
    """What a stranger is told. Superseded and revoked join when certificates get a life after issue."""

    VALID = "valid", _("Valid")
    EXPIRED = "expired", _("Expired")
    CHANGED = "changed", _("Not valid")
    UNKNOWN = "unknown", _("Unknown")
