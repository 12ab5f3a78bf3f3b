"""What is kept of a closed wave. Nothing here points at a person, carries a time, or counts in the order of arrival."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from readiness.enums import CommentState
from readiness.models.waves import Wave, WaveNode
from readiness.statistics.inference import Totals
from readiness.totals import BlockTotals


class SheetClass(models.Model):
    """Sheets that are only ever counted together: n of them, at least k, of `eligible` people asked."""

    wave = models.ForeignKey(Wave, on_delete=models.CASCADE, related_name="classes")
    node_code = models.CharField(max_length=40)
    n = models.PositiveIntegerField()
    eligible = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["wave", "node_code"], name="readiness_one_class_per_node")]

    def __str__(self) -> str:
        return f"{self.wave_id} · {self.node_code}"


class Sheet(models.Model):
    """One answered questionnaire: answers in the order of the questionnaire's items, 0 for none. Kept for 24 months."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sheet_class = models.ForeignKey(SheetClass, on_delete=models.CASCADE, related_name="sheets")
    answers = models.JSONField()

    def __str__(self) -> str:
        return "sheet"


class StoredTotals(models.Model):
    """Additive totals of a block: of people's block means, and of each item [unfavourable, neutral, favourable]."""

    # The code of a block, or that of its pulse statements alone (`questionnaire.pulse_key`).
    block = models.CharField(max_length=50)
    n = models.PositiveIntegerField()
    sum = models.FloatField()
    sumsq = models.FloatField()
    items = models.JSONField()

    class Meta:
        abstract = True

    @property
    def totals(self) -> BlockTotals:
        return BlockTotals(Totals(self.n, self.sum, self.sumsq), tuple((a, b, c) for a, b, c in self.items))


class ClassBlock(StoredTotals):
    """Totals of a block in one class, where at least k of its sheets count."""

    sheet_class = models.ForeignKey(SheetClass, on_delete=models.CASCADE, related_name="blocks")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sheet_class", "block"], name="readiness_one_total_per_class")]

    def __str__(self) -> str:
        return f"{self.sheet_class_id} · {self.block}"


class NodeBlock(StoredTotals):
    """The sum over the classes at a unit and below it: laid down at closing, so that a page of any size reads one row."""

    node = models.ForeignKey(WaveNode, on_delete=models.CASCADE, related_name="blocks")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["node", "block"], name="readiness_one_total_per_node")]

    def __str__(self) -> str:
        return f"{self.node_id} · {self.block}"


class CutTotals(StoredTotals):
    """Totals of a block for one category of the declared attribute, for the whole body, after the test of cut margins."""

    wave = models.ForeignKey(Wave, on_delete=models.CASCADE, related_name="cuts")
    category = models.CharField(max_length=40)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["wave", "category", "block"], name="readiness_one_total_per_category")
        ]

    def __str__(self) -> str:
        return f"{self.wave_id} · {self.category} · {self.block}"


class Comment(models.Model):
    """An answer in words, without any link to its sheet. `place` is one random order, fixed at closing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    wave = models.ForeignKey(Wave, on_delete=models.CASCADE, related_name="comments")
    question = models.CharField(max_length=40)
    node_code = models.CharField(_("shown at"), max_length=40)
    text = models.TextField(_("text"))
    place = models.PositiveIntegerField()
    state = models.CharField(_("state"), max_length=8, choices=CommentState.choices, default=CommentState.PENDING)
    reason = models.CharField(_("why it is withheld"), max_length=300, blank=True)

    class Meta:
        ordering = ["question", "place"]
        constraints = [
            models.UniqueConstraint(fields=["wave", "question", "place"], name="readiness_one_comment_per_place")
        ]

    def __str__(self) -> str:
        return "comment"
