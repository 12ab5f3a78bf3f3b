"""What people submit and assessors decide: documents, claims, contests, panels. Decided rows are history."""

from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from competencies.enums import ClaimKind, ClaimState, ContestState
from competencies.models.evidence import Evidence
from competencies.models.framework import Competency


def private_storage() -> Storage:
    return storages["private"]


def document_path(document: EvidenceDocument, filename: str) -> str:
    """The name people gave is kept in the row; on disk a document is called by its number."""
    return f"evidence/{document.pk.hex[:2]}/{document.pk.hex}"


class EvidenceDocument(models.Model):
    """A file somebody gave as proof. Only she, whoever decides on it and administrators may fetch it."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="evidence_documents", verbose_name=_("owner")
    )
    file = models.FileField(_("file"), storage=private_storage, upload_to=document_path, max_length=200)
    name = models.CharField(_("name"), max_length=200)
    content_type = models.CharField(_("type"), max_length=100)
    size = models.PositiveIntegerField(_("size in bytes"))
    sha256 = models.CharField(max_length=64)
    uploaded_at = models.DateTimeField(_("uploaded"), default=timezone.now)

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        ordering = ["uploaded_at", "pk"]

    def __str__(self) -> str:
        return self.name


class Claim(models.Model):
    """A person asks to have something recognised: a certificate from elsewhere, or prior learning. An assessor decides.

    `previous` is the refused claim this one takes up again. `token` makes a doubled press one claim.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="claims", verbose_name=_("person")
    )
    competency = models.ForeignKey(
        Competency, on_delete=models.PROTECT, related_name="claims", verbose_name=_("competency")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=ClaimKind.choices)
    rank = models.PositiveSmallIntegerField(_("level asked for"))
    title = models.CharField(_("title"), max_length=200)
    issuer = models.CharField(_("issued by"), max_length=200, blank=True)
    issued_on = models.DateField(_("date"))
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    statement = models.TextField(_("what it shows"), blank=True)
    documents = models.ManyToManyField(EvidenceDocument, blank=True, related_name="claims", verbose_name=_("documents"))
    state = models.CharField(_("state"), max_length=12, choices=ClaimState.choices, default=ClaimState.SUBMITTED)
    assessor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("assessor"),
    )
    due_on = models.DateField(_("to be answered by"))
    submitted_at = models.DateTimeField(_("submitted"), default=timezone.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    answer = models.TextField(_("answer"), blank=True)
    evidence = models.OneToOneField(
        Evidence, on_delete=models.PROTECT, null=True, blank=True, related_name="claim", verbose_name=_("evidence")
    )
    previous = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="resubmitted_as",
        verbose_name=_("takes up again"),
    )
    token = models.CharField(max_length=80, unique=True)

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        ordering = ["due_on", "pk"]
        indexes = [models.Index(fields=["state", "assessor"])]
        permissions = [("decide_claim", "Can decide on claims and contests of everybody")]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("issued_on")),
                name="competencies_claim_is_valid_after_its_date",
                violation_error_message=_("The certificate would lapse before it is dated."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=["submitted", "taken_back"])
                | Q(decided_at__isnull=False, decided_by__isnull=False),
                name="competencies_decided_claim_says_by_whom",
            ),
            models.CheckConstraint(
                condition=~Q(decided_by=F("person")),
                name="competencies_nobody_decides_her_own_claim",
                violation_error_message=_("Nobody decides on her own claim."),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Contest(models.Model):
    """A person says that a piece of evidence about her is wrong. A second assessor, not who recorded it, decides."""

    evidence = models.ForeignKey(
        Evidence, on_delete=models.PROTECT, related_name="contests", verbose_name=_("evidence")
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="contests", verbose_name=_("person")
    )
    reason = models.TextField(_("what is wrong"))
    wanted_rank = models.PositiveSmallIntegerField(_("level that would be right"), null=True, blank=True)
    documents = models.ManyToManyField(
        EvidenceDocument, blank=True, related_name="contests", verbose_name=_("documents")
    )
    state = models.CharField(_("state"), max_length=12, choices=ContestState.choices, default=ContestState.OPEN)
    assessor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("second assessor"),
    )
    due_on = models.DateField(_("to be answered by"))
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    answer = models.TextField(_("answer"), blank=True)
    correction = models.OneToOneField(
        Evidence,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="corrects_after",
        verbose_name=_("corrected evidence"),
    )
    previous = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="resubmitted_as",
        verbose_name=_("takes up again"),
    )
    token = models.CharField(max_length=80, unique=True)

    class Meta:
        verbose_name = _("contest")
        verbose_name_plural = _("contests")
        ordering = ["due_on", "pk"]
        indexes = [models.Index(fields=["state", "assessor"])]
        constraints = [
            models.UniqueConstraint(
                fields=["evidence"],
                condition=Q(state="open"),
                name="competencies_one_open_contest_per_evidence",
                violation_error_message=_("This piece is being looked at already."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "taken_back", "overtaken"])
                | Q(decided_at__isnull=False, decided_by__isnull=False),
                name="competencies_decided_contest_says_by_whom",
            ),
            models.CheckConstraint(
                condition=~Q(decided_by=F("person")),
                name="competencies_nobody_decides_her_own_contest",
                violation_error_message=_("Nobody decides on her own contest."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.evidence} · {self.get_state_display()}"

    @property
    def is_of_withdrawal(self) -> bool:
        """Whether the piece had been withdrawn when it was contested: then it is the withdrawal that is looked at."""
        withdrawal = getattr(self.evidence, "withdrawal", None)
        return withdrawal is not None and bool(withdrawal.withdrawn_at < self.opened_at)


class Panel(models.Model):
    """Two or more people rate somebody, each without seeing the others; together they are one piece of evidence."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="rating_panels", verbose_name=_("person")
    )
    competency = models.ForeignKey(
        Competency, on_delete=models.PROTECT, related_name="rating_panels", verbose_name=_("competency")
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("asked by")
    )
    subject = models.TextField(_("what to look at"), blank=True)
    due_on = models.DateField(_("rate by"))
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    called_off = models.BooleanField(_("called off"), default=False)
    evidence = models.OneToOneField(
        Evidence, on_delete=models.PROTECT, null=True, blank=True, related_name="panel", verbose_name=_("evidence")
    )
    token = models.CharField(max_length=80, unique=True)

    class Meta:
        verbose_name = _("panel")
        verbose_name_plural = _("panels")
        ordering = ["due_on", "pk"]

    def __str__(self) -> str:
        return f"{self.person} · {self.competency}"


class PanelRating(models.Model):
    """What one member of a panel says; `rank` is None until she has said it."""

    panel = models.ForeignKey(Panel, on_delete=models.PROTECT, related_name="ratings", verbose_name=_("panel"))
    assessor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="panel_ratings", verbose_name=_("assessor")
    )
    rank = models.PositiveSmallIntegerField(_("level"), null=True, blank=True)
    note = models.TextField(_("what shows it"), blank=True)
    rated_at = models.DateTimeField(_("rated"), null=True, blank=True)
    declined_at = models.DateTimeField(_("declined"), null=True, blank=True)

    class Meta:
        verbose_name = _("rating of a panel")
        verbose_name_plural = _("ratings of a panel")
        ordering = ["panel", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["panel", "assessor"], name="competencies_one_rating_per_member"),
            models.CheckConstraint(
                condition=Q(rank__isnull=True, rated_at__isnull=True) | Q(rank__isnull=False, rated_at__isnull=False),
                name="competencies_rating_has_its_time",
            ),
            models.CheckConstraint(
                condition=Q(rated_at__isnull=True) | Q(declined_at__isnull=True),
                name="competencies_who_declined_has_not_rated",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.panel} · {self.assessor}"


class RefreshNotice(models.Model):
    """The person was told that a level of hers lapses soon, and by which piece of evidence it is carried."""

    evidence = models.OneToOneField(
        Evidence, on_delete=models.PROTECT, related_name="refresh_notice", verbose_name=_("evidence")
    )
    lapses_on = models.DateField(_("lapses"))
    noticed_at = models.DateTimeField(_("told"), default=timezone.now)

    class Meta:
        verbose_name = _("notice of a refresh")
        verbose_name_plural = _("notices of a refresh")
        ordering = ["-noticed_at"]

    def __str__(self) -> str:
        return f"{self.evidence} · {self.lapses_on}"


class SharedDisagreement(models.Model):
    """The person agreed that her manager sees that this piece of evidence disagrees with her level."""

    evidence = models.OneToOneField(
        Evidence, on_delete=models.PROTECT, related_name="shared_disagreement", verbose_name=_("evidence")
    )
    shared_at = models.DateTimeField(_("shared"), default=timezone.now)

    class Meta:
        verbose_name = _("shared disagreement")
        verbose_name_plural = _("shared disagreements")
        ordering = ["-shared_at"]

    def __str__(self) -> str:
        return str(self.evidence)
