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


class FileVerdict(models.TextChoices):
    """What a stranger is told of a file: the words of Verdict, and what only a file can be."""

    VALID = "valid", _("Valid")
    EXPIRED = "expired", _("Expired")
    SUPERSEDED = "superseded", _("Replaced")
    REVOKED = "revoked", _("Revoked")
    SUSPENDED = "suspended", _("Suspended")
    NOT_YET_VALID = "not_yet_valid", _("Not valid yet")
    CHANGED = "changed", _("Not valid")  # it names us, and is not what we issued
    INVALID = "invalid", _("Not valid")
    UNCONFIRMED = "unconfirmed", _("Not confirmed")  # nothing is wrong with it, and something could not be told
    UNKNOWN = "unknown", _("Unknown")
    UNREADABLE = "unreadable", _("Not readable")


class RevocationReason(models.TextChoices):
    """Why a certificate no longer counts, as anybody who checks it reads it; what lies behind it stays with the issuer."""

    ISSUED_IN_ERROR = "issued_in_error", _("It was issued in error")
    RESULT_CORRECTED = "result_corrected", _("The result it rests on was corrected")
    CONDUCT = "conduct", _("The result was obtained against the rules")
    HOLDER_ASKED = "holder_asked", _("The holder asked for it")


class Kind(models.TextChoices):
    """What a certificate is for."""

    COURSE = "course", _("A course passed")
    PATH = "path", _("A learning path completed")
    LEVEL = "level", _("A level shown in a competency")
    ROLE = "role", _("What a role requires, met")


class Design(models.TextChoices):
    """How the document is drawn."""

    FORMAL = "formal", _("Formal, to hang on a wall")
    PLAIN = "plain", _("Plain, to file")


class DefinitionStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    ACTIVE = "active", _("In force")
    RETIRED = "retired", _("No longer issued")


class CohortFileKind(models.TextChoices):
    ZIP = "zip", _("Certificates and credentials (ZIP)")
    PDF = "pdf", _("One PDF for printing")
    CSV = "csv", _("Codes (CSV)")


class CohortState(models.TextChoices):
    """As its page says it; it follows from the job and the files."""

    WORKING = "working", _("Under way")
    READY = "ready", _("Ready")
    STOPPED = "stopped", _("Stopped")
    EXPIRED = "expired", _("Files removed")
