"""How many have answered so far: once a day, only for units of at least k people, in steps that say nothing of anybody."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from django.utils import timezone

from readiness.enums import WaveState
from readiness.models import Participation, Wave, WaveNode
from readiness.statistics.display import shown_response
from readiness.tree import people_below, tree_of

BATCH = 2_000


def count_daily(wave: Wave, now: datetime) -> None:
    """Once a day: who looks more often learns nothing more."""
    day = timezone.localdate(now)
    if Wave.objects.filter(pk=wave.pk).exclude(counted_on=day).update(counted_on=day):
        count_responses(wave)


def count_responses(wave: Wave) -> int:
    """Lay down the response of every unit that may be shown; returns of how many. Twice is once.

    The last value stays as it is when the survey closes: what is shown then comes from the classes.
    """
    if wave.state != WaveState.OPEN:
        return 0
    nodes = list(wave.nodes.order_by("position"))
    answered = Counter(Participation.objects.filter(wave=wave, done=True).values_list("node_code", flat=True))
    done = people_below(tree_of(nodes), answered.elements())
    changed = []
    for node in nodes:
        shown = shown_response(done[node.code], node.eligible, wave.k)
        if shown != node.response_pct:
            node.response_pct = shown
            changed.append(node)
    WaveNode.objects.bulk_create(
        changed, batch_size=BATCH, update_conflicts=True, unique_fields=["wave", "code"],
        update_fields=["response_pct"],
    )  # fmt: skip
    return sum(node.response_pct is not None for node in nodes)
