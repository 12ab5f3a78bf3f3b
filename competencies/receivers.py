"""News of this floor becomes work after commit."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from competencies.campaigns import COUNT_JOB, running
from competencies.models import CampaignInvitation
from competencies.signals import evidence_changed
from organisations.jobs import enqueue


@receiver(evidence_changed)
def count_in_campaigns(*, person_id: int, key: str, **kwargs: Any) -> None:
    """Who is asked by a campaign sees on the next page that her answer was counted."""
    asked = CampaignInvitation.objects.filter(person_id=person_id, campaign__in=running(timezone.localdate()))
    if asked.exists():
        enqueue(kind=COUNT_JOB, key=f"{person_id}:{key}", payload={"person": person_id}, here=True)
