"""A wave: one survey from its preparation to its end, with what exists only while it is open.

Participation and Envelope have no page in the CMS, no API, no export; nothing of them outlives the wave.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from organisations.models import Unit
from readiness.enums import DEFAULT_K, CutAttribute, KeyKeeper, WaveEventKind, WaveKind, WaveState
from readiness.models.initiatives import Initiative
from readiness.models.instruments import Instrument
from readiness.sealing import LEAST_K


class WaveQuerySet(models.QuerySet["Wave"]):
    def open(self) -> WaveQuerySet:
        return self.filter(state=WaveState.OPEN)

    def answerable(self, now: datetime) -> WaveQuerySet:
        """Open, and the time is not yet up: who comes later is not heard."""
        return self.filter(state=WaveState.OPEN, opens_at__lte=now, closes_at__gt=now)

    def with_results(self) -> WaveQuerySet:
        return self.filter(state=WaveState.CLOSED)


class Wave(models.Model):
    """One survey of everybody in a unit and below it.

    `questionnaire` is what people were asked, frozen at opening: {"instrument": {slug, version, title, licence,
    attribution, minutes}, "languages": [...], "scale": [{value, text}], "blocks": [{code, kind, title, about, lead_in,
    items: [{code, text, pulse}]}], "questions": [{code, text}], "order": [item codes]}, every text {language: words},
    placeholders filled in. `order` is empty where the blocks are asked one after the other.
    """

    initiative = models.ForeignKey(
        Initiative, on_delete=models.PROTECT, related_name="waves", verbose_name=_("initiative")
    )
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, related_name="waves", verbose_name=_("questionnaire")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=WaveKind.choices)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="waves", verbose_name=_("asked are all in"))
    opens_at = models.DateTimeField(_("opens"))
    closes_at = models.DateTimeField(_("closes"))
    k = models.PositiveSmallIntegerField(
        _("smallest group"),
        default=DEFAULT_K,
        validators=[MinValueValidator(LEAST_K)],
        help_text=_("No figure is ever about fewer people than this."),
    )
    cut_attribute = models.CharField(
        _("also shown by"), max_length=8, blank=True, choices=[(c.value, c.label) for c in CutAttribute if c.value]
    )
    key_keeper = models.CharField(_("key"), max_length=10, choices=KeyKeeper.choices, default=KeyKeeper.FILE)
    state = models.CharField(_("state"), max_length=9, choices=WaveState.choices, default=WaveState.DRAFT)
    # The name of its key in the key store, made when it opens: the same wave restored from a backup has no key.
    key_name = models.CharField(max_length=64, blank=True)
    public_key = models.BinaryField(blank=True, default=bytes)
    questionnaire = models.JSONField(default=dict)
    previous = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="following",
        verbose_name=_("compared with"),
    )
    reminders = models.PositiveSmallIntegerField(_("reminders sent"), default=0)
    reminded_on = models.DateField(null=True, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    counted_on = models.DateField(null=True, blank=True)
    # Of the whole body, laid down at closing (`readiness.counting`): {"reliability": {block: {n, alpha, omega}}, "weights":
    # {block: share}, "groups": {block: {grand, tau2, ms_within, icc1, icc2}}}.
    summary = models.JSONField(default=dict)
    shared_on = models.DateField(_("results shared on"), null=True, blank=True)

    objects = WaveQuerySet.as_manager()

    class Meta:
        verbose_name = _("survey")
        verbose_name_plural = _("surveys")
        ordering = ["-opens_at", "-pk"]
        indexes = [models.Index(fields=["state", "closes_at"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(closes_at__gt=F("opens_at")),
                name="readiness_wave_closes_after_it_opens",
                violation_error_message=_("The survey closes after it opens."),
            ),
            models.CheckConstraint(
                condition=Q(k__gte=LEAST_K),
                name="readiness_wave_smallest_group",
                violation_error_message=_("A group has at least five people."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.initiative} · {self.get_kind_display()}"

    @property
    def last_day(self) -> date:
        """The last day on which answers are taken: a survey that closes at midnight is open all the day before."""
        return timezone.localdate(self.closes_at - timedelta(microseconds=1))

    @property
    def has_results(self) -> bool:
        return self.state == WaveState.CLOSED


class WaveApproval(models.Model):
    """One of two people says that this survey may open as it stands: `digest` is what she has seen."""

    wave = models.ForeignKey(Wave, on_delete=models.CASCADE, related_name="approvals")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)
    on = models.DateField(default=timezone.localdate)

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        constraints = [models.UniqueConstraint(fields=["wave", "person"], name="readiness_one_approval_per_person")]

    def __str__(self) -> str:
        return f"{self.wave} · {self.person}"


class WaveNode(models.Model):
    """A unit as it was at opening, in pre-order: everything at or below it has a `position` up to its `last`.

    `eligible`: people asked at it and below. Filled at closing: `shown_code`, the unit whose figures people here see
    ("" where nobody sees any); `sheets`, of how many sheets its own figure is (0: it has none); `counted_higher`,
    whether some answers from here are counted further up.
    """

    wave = models.ForeignKey(Wave, on_delete=models.CASCADE, related_name="nodes")
    code = models.CharField(max_length=40)
    parent_code = models.CharField(max_length=40, blank=True)
    name = models.JSONField(default=dict)
    depth = models.PositiveSmallIntegerField()
    position = models.PositiveIntegerField()
    last = models.PositiveIntegerField()
    eligible = models.PositiveIntegerField()
    # Answered so far, in steps of 5 points; none for fewer than k people, and none before the first daily count.
    response_pct = models.PositiveSmallIntegerField(null=True, blank=True)
    shown_code = models.CharField(max_length=40, blank=True)
    sheets = models.PositiveIntegerField(default=0)
    counted_higher = models.BooleanField(default=False)

    class Meta:
        ordering = ["wave", "position"]
        constraints = [
            models.UniqueConstraint(fields=["wave", "code"], name="readiness_one_node_per_code"),
            models.UniqueConstraint(fields=["wave", "position"], name="readiness_one_node_per_position"),
        ]
        indexes = [models.Index(fields=["wave", "parent_code"])]

    def __str__(self) -> str:
        return f"{self.wave_id} · {self.code}"


class WaveEligible(models.Model):
    """How many people were asked directly in a unit, by the category of the declared attribute."""

    wave = models.ForeignKey(Wave, on_delete=models.CASCADE, related_name="headcounts")
    node_code = models.CharField(max_length=40)
    category = models.CharField(max_length=40, blank=True)
    n = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["wave", "node_code", "category"], name="readiness_one_headcount_per_cell")
        ]

    def __str__(self) -> str:
        return f"{self.wave_id} · {self.node_code} · {self.category}"


class Participation(models.Model):
    """Who is asked and has answered: exists only while the survey is open, and says nothing of what was answered."""

    wave = models.ForeignKey(Wave, on_delete=models.CASCADE, related_name="participations")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="participations")
    node_code = models.CharField(max_length=40)
    category = models.CharField(max_length=40, blank=True)
    done = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["wave", "person"], name="readiness_one_participation")]
        indexes = [models.Index(fields=["wave", "done"])]

    def __str__(self) -> str:
        return f"{self.wave_id} · {self.person_id}"


class LastInvitation(models.Model):
    """When a person was last asked by any survey: nobody is asked twice within a fortnight. Not whether she answered."""

    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="last_invitation")
    on = models.DateField()

    class Meta:
        indexes = [models.Index(fields=["on"])]

    def __str__(self) -> str:
        return f"{self.person_id} · {self.on}"


class Envelope(models.Model):
    """An encrypted ballot of constant length. Exists only while the survey is open; only its private key opens it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    wave = models.ForeignKey(Wave, on_delete=models.CASCADE, related_name="envelopes")
    blob = models.BinaryField()

    def __str__(self) -> str:
        return "envelope"  # its id beside anything else would be a trace


class WaveEvent(models.Model):
    """What happened to a survey, for everybody to check. No name, no time of the day, nothing of any answer."""

    wave = models.ForeignKey(Wave, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=14, choices=WaveEventKind.choices)
    actor_role = models.CharField(max_length=40, blank=True)
    on = models.DateField(default=timezone.localdate)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.wave_id} · {self.kind}"
