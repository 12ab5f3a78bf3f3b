"""Competencies and levels as a document says them, read once for many certificates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.conf import settings

from certificates.record import Ground, Level, Outcome, tidy
from competencies.case_packages import item_address
from competencies.models import Competency, FrameworkVersion, ProficiencyLevel


class Steps:
    """Where levels stand on their framework's own scale: the ranks of each version, those of rank 0 left out."""

    def __init__(self) -> None:
        self._ranks: dict[int, list[int]] = {}

    def learn(self, version_ids: Iterable[int]) -> None:
        """One query, none where all are known."""
        new = set(version_ids) - self._ranks.keys()
        if not new:
            return
        ranks = defaultdict(list)
        levels = ProficiencyLevel.objects.filter(version__in=new, rank__gt=0)
        for version_id, rank in levels.values_list("version", "rank"):
            ranks[version_id].append(rank)
        self._ranks |= {version_id: ranks[version_id] for version_id in new}

    def say(self, level: ProficiencyLevel, language: str) -> Level:
        ranks = self._ranks.get(level.version_id, [])
        return Level(
            rank=level.rank,
            label=tidy(level.label.localize(language)),
            step=sum(rank <= level.rank for rank in ranks),
            steps=len(ranks),
        )


def outcome_of(
    competency: Competency,
    level: ProficiencyLevel | None,
    wished: str,
    steps: Steps,
    grounds: tuple[Ground, ...] = (),
) -> Outcome:
    """A competency (with its framework selected) and a level of it in the wished language, if its framework speaks it."""
    version = competency.version
    language = _framework_language(version, wished)
    return Outcome(
        framework=tidy(version.framework.title.localize(language)),
        edition=tidy(version.edition),
        code=tidy(competency.code),
        title=tidy(competency.title.localize(language)),
        language=language,
        level=None if level is None else steps.say(level, language),
        uri=item_address(competency),
        grounds=grounds,
    )


def _framework_language(version: FrameworkVersion, wished: str) -> str:
    """The wished language if the framework speaks it, else the installation's, else the framework's first."""
    spoken = version.languages or [wished]
    return next((language for language in (wished, settings.LANGUAGE_CODE) if language in spoken), spoken[0])
