"""What is written about changes becomes news for the floors above, after commit."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from readiness.models import Initiative, Need
from readiness.signals import needs_changed


@receiver([post_save, post_delete], sender=Need)
def on_need(*, instance: Need, raw: bool = False, **kwargs: Any) -> None:
    if not raw:
        _tell(instance.initiative_id)


@receiver(post_save, sender=Initiative)
def on_initiative(*, instance: Initiative, raw: bool = False, **kwargs: Any) -> None:
    """Published, ended, or of another unit: what it needs concerns others now, or nobody."""
    if not raw:
        _tell(instance.pk)


def _tell(initiative_id: int) -> None:
    transaction.on_commit(partial(needs_changed.send, sender=Initiative, initiative_id=initiative_id))
