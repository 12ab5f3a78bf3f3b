"""What those who guard the surveys of a change are waited for: approving, opening a key, reading comments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from organisations.models import User
from readiness.enums import CommentState, KeyKeeper, TeamRole, WaveState
from readiness.models import Initiative, TeamMember, Wave
from readiness.waves import approvals_of

GUARDING = (TeamRole.APPROVER, TeamRole.STEWARD, TeamRole.MODERATOR)


@dataclass(frozen=True)
class Task:
    """`kind`: approve, key or read; `n` comments to read."""

    kind: str
    wave: Wave
    n: int = 0


def surveys_to_guard(user: User, initiative: Initiative, now: datetime) -> Sequence[Task]:
    """One query for who guards nothing."""
    roles = set(TeamMember.objects.filter(initiative=initiative, person=user).values_list("role", flat=True))
    if roles.isdisjoint(GUARDING):
        return ()
    waiting = Count("comments", filter=Q(comments__state=CommentState.PENDING))
    waves = Wave.objects.filter(initiative=initiative).annotate(to_read=waiting).order_by("-opens_at", "-pk")
    found = []
    for wave in waves:
        approves = wave.state == WaveState.DRAFT and TeamRole.APPROVER in roles
        if approves and user.pk not in {approval.person_id for approval in approvals_of(wave)}:
            found.append(Task("approve", wave))
        if wave.key_keeper == KeyKeeper.PASSPHRASE and TeamRole.STEWARD in roles:
            missing = wave.state == WaveState.DRAFT and not wave.key_name
            due = wave.state == WaveState.OPEN and now >= wave.closes_at
            if missing or due:
                found.append(Task("key", wave))
        if TeamRole.MODERATOR in roles and wave.has_results and wave.to_read:
            found.append(Task("read", wave, wave.to_read))
    return found
