"""Curated paths: what an HR unit puts together by hand, published in versions that never change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from i18nfield.strings import LazyI18nString

from learning.enums import CuratedStatus
from learning.models import CuratedItem, CuratedStage


# --- Reading -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Stage:
    """A part of a published curated path: all of its courses (`choose` None), or so many of them. `keys` in order."""

    id: int
    path_id: int
    version_id: int
    title: LazyI18nString
    choose: int | None
    keys: tuple[str, ...]

    @property
    def needed(self) -> int:
        """How many of its courses are to be taken."""
        return len(self.keys) if self.choose is None else self.choose


def published_stages(path_ids: Iterable[int]) -> dict[int, tuple[Stage, ...]]:
    """The stages of the published version by CuratedPath id, in order. Two queries, however many paths.

    A path without a published version is not among the keys; one that was put away is, for who has it still has it.
    """
    stages = list(
        CuratedStage.objects.filter(version__path_id__in=set(path_ids), version__status=CuratedStatus.PUBLISHED)
        .order_by("version__path_id", "position")
        .values_list("pk", "version__path_id", "version_id", "title", "choose")
    )
    keys: dict[int, list[str]] = defaultdict(list)
    items = CuratedItem.objects.filter(stage_id__in=[row[0] for row in stages]).order_by("stage_id", "position")
    for stage_id, key in items.values_list("stage_id", "course_key"):
        keys[stage_id].append(key)
    found: dict[int, list[Stage]] = defaultdict(list)
    for pk, path_id, version_id, title, choose in stages:
        found[path_id].append(Stage(pk, path_id, version_id, title, choose, tuple(keys[pk])))
    return {path_id: tuple(rows) for path_id, rows in found.items()}
