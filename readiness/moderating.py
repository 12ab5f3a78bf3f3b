"""Comments are read by a moderator before anybody sees them: shortened where they single somebody out, or withheld."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Count, QuerySet
from wagtail.log_actions import log

from organisations.models import User
from readiness.enums import CommentState
from readiness.models import Comment, Wave


class CommentDecided(ValueError):
    """Another moderator was faster."""


def pending(wave: Wave) -> QuerySet[Comment]:
    """What waits to be read, in the random order of the count."""
    return Comment.objects.filter(wave=wave, state=CommentState.PENDING).order_by("question", "place")


@transaction.atomic
def decide_comment(*, comment: Comment, state: str, text: str, reason: str, by: User) -> Comment:
    """Show or withhold a comment; what it said before is not kept. Raises CommentDecided for one that was decided."""
    comment = Comment.objects.select_for_update(of=("self",)).select_related("wave__initiative").get(pk=comment.pk)
    if comment.state != CommentState.PENDING:
        raise CommentDecided
    comment.state = state
    comment.text = text.strip() if state == CommentState.SHOWN else ""
    comment.reason = reason.strip() if state == CommentState.WITHHELD else ""
    comment.save(update_fields=["state", "text", "reason"])
    # Which comment it was stays out of the log: its number beside a time would be a trace.
    log(
        instance=comment.wave.initiative,
        action="readiness.moderate_comment",
        user=by,
        data={"wave": comment.wave_id, "state": state},
    )
    return comment


def withheld_by_reason(wave: Wave) -> list[tuple[str, int]]:
    """How many comments were withheld, and why: published with the result."""
    rows = Comment.objects.filter(wave=wave, state=CommentState.WITHHELD).values_list("reason")
    return list(rows.annotate(n=Count("pk")).order_by("-n", "reason"))
