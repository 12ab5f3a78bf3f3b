"""Vocabulary of certificates."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Verdict(models.TextChoices):
    """What a stranger is told."""

    VALID = "valid", _("Valid")
    EXPIRED = "expired", _("Expired")
    SUPERSEDED = "superseded", _("Replaced")
    REVOKED = "revoked", _("Revoked")
    CHANGED = "changed", _("Not valid")
    UNKNOWN = "unknown", _("Unknown")


class RevocationReason(models.TextChoices):
    """Why a certificate no longer counts, as anybody who checks it reads it; what lies behind it stays with the issuer."""

    ISSUED_IN_ERROR = "issued_in_error", _("It was issued in error")
    RESULT_CORRECTED = "result_corrected", _("The result it rests on was corrected")
    CONDUCT = "conduct", _("The result was obtained against the rules")
    HOLDER_ASKED = "holder_asked", _("The holder asked for it")
