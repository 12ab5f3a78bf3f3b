"""What "why this level" shows, put together from an explained level: figures become words, remedies get their doors.

A remedy without a door in DOORS, or without one for this reader, is words alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from competencies import wording
from competencies.disagreements import Disagreeing
from competencies.enums import EvidenceKind
from competencies.levels import Attains, Judged, Remedy, awaits_manager, what_would_change
from competencies.models import Evidence
from competencies.selectors import Explained


@dataclass(frozen=True)
class Reader:
    """Who looks: the person herself, somebody who may rate her, or neither (HR, an administrator without a team)."""

    own: bool
    person_id: int
    can_assess: bool = False


@dataclass(frozen=True)
class Door:
    words: str
    url: str


@dataclass(frozen=True)
class Way:
    """Something that would change the level, in words, with the door to it where there is one.

    `note` says what to know about it: that it is asked for already, or whom to ask.
    """

    code: str
    words: str
    door: Door | None = None
    courses: tuple[Any, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Piece:
    """One piece of evidence as the page shows it."""

    judged: Judged
    row: Evidence
    source: str
    via: str
    says: str
    verdict: str
    moves: str


def _is_asked(explained: Explained) -> bool:
    """Whether the level stands on the manager's desk already: a gap in which the person sees herself further."""
    required = explained.required
    return required is not None and explained.level.rank < required.rank_needed and awaits_manager(explained.level)


def _ask_the_manager(explained: Explained, reader: Reader) -> Door | None:
    if reader.own and _is_asked(explained):
        return None
    if reader.own:
        return Door(
            _("Assess yourself, so that your manager is asked"),
            reverse("assess_myself", args=[explained.competency.pk]),
        )
    if reader.can_assess:
        return Door(
            _("Confirm or correct the level"),
            reverse("assess_person", args=[reader.person_id, explained.competency.pk]),
        )
    return None


def _take_the_diagnostic(explained: Explained, reader: Reader) -> Door | None:
    if not reader.own:
        return None
    return Door(_("Take the diagnostic"), reverse("diagnostic_start", args=[explained.competency.pk]))


def _add_evidence(explained: Explained, reader: Reader) -> Door | None:
    if not reader.own:
        return None
    return Door(_("Add evidence"), reverse("add_evidence", args=[explained.competency.pk]))


def _ask_a_panel(explained: Explained, reader: Reader) -> Door | None:
    if not reader.can_assess:
        return None
    return Door(_("Ask a panel"), reverse("ask_panel", args=[reader.person_id, explained.competency.pk]))


def _note(remedy: Remedy, explained: Explained, reader: Reader) -> str:
    if not reader.own:
        return ""
    if remedy.code == "manager" and _is_asked(explained):
        if not explained.scale.is_stated:
            return _("Your manager is asked already: you say that you hold it.")
        return _("Your manager is asked already: you see yourself at %(rank)s.") % {"rank": explained.level.declared}
    if remedy.code == "panel":
        return _("Ask your manager or your HR officer for one.")
    return ""


# Where a remedy leads, by its code.
DOORS: Mapping[str, Callable[[Explained, Reader], Door | None]] = {
    "diagnostic": _take_the_diagnostic,
    "manager": _ask_the_manager,
    "prior_learning": _add_evidence,
    "certificate": _add_evidence,
    "panel": _ask_a_panel,
}


def target_of(explained: Explained) -> int | None:
    """The rank worth reaching: the one required, or the next one where that is reached; None at the top of the scale."""
    required = explained.required
    if required is not None and explained.level.rank < required.rank_needed:
        return required.rank_needed
    return explained.level.rank + 1 if explained.level.rank < explained.scale.max_rank else None


def ways_to(explained: Explained, rank: int | None, reader: Reader, *, reach: int, courses: Sequence[Any]) -> list[Way]:
    """What would bring `rank`, the least effort first; `reach` is the highest rank a diagnostic can tell, 0 without one.

    Nothing changes a level in what is no longer in force: nothing new can be recorded for it.
    """
    if rank is None or not explained.competency.version.is_published:
        return []
    remedies = [
        remedy
        for remedy in what_would_change(explained.level, required=rank, rules=explained.book.rules)
        if remedy.code != "diagnostic" or rank <= reach
    ]
    return [_way(remedy, explained, reader, courses) for remedy in remedies]


def ways_nearer(explained: Explained, rank: int | None, reader: Reader, *, reach: int, but: Sequence[Way]) -> list[Way]:
    """What would bring less than `rank` and yet more than is shown now, where it is not among the ways to `rank`: a
    diagnostic or a manager's word, each at the highest level it would show."""
    if rank is None or not explained.competency.version.is_published:
        return []
    left = {"diagnostic", "manager"} - {way.code for way in but}
    found = []
    for lower in range(rank - 1, explained.level.rank, -1):
        for remedy in what_would_change(explained.level, required=lower, rules=explained.book.rules):
            if remedy.code not in left or (remedy.code == "diagnostic" and lower > reach):
                continue
            left.remove(remedy.code)
            found.append(_way(remedy, explained, reader, ()))
    return found


def _way(remedy: Remedy, explained: Explained, reader: Reader, courses: Sequence[Any]) -> Way:
    if remedy.code == "course" and not courses:  # none leads there: what shows as much comes from elsewhere
        remedy = Remedy("certificate", remedy.rank)
    [words] = wording.remedy_words([remedy], explained.scale, own=reader.own)
    door = DOORS[remedy.code](explained, reader) if remedy.code in DOORS else None
    taught = tuple(courses) if remedy.code == "course" else ()
    return Way(remedy.code, words, door, taught, _note(remedy, explained, reader))


def ways_to_refresh(explained: Explained, reader: Reader, *, reach: int, courses: Sequence[Any]) -> list[Way]:
    """The shortest ways to keep the level: a diagnostic where one shows it, then the shortest course to that level."""
    if not explained.competency.version.is_published:
        return []
    rank = explained.level.rank
    rule = next(rule for rule in explained.book.rules.rules if rule.code == "diagnostic")
    ways = []
    if 0 < rank <= reach and (rule.cap is None or rank <= rule.cap):
        ways.append(_way(Remedy("diagnostic", rank), explained, reader, ()))
    if courses:
        shortest = courses[0]
        ways.append(_way(Remedy("course", rank), explained, reader, [shortest]))
    return ways or [_way(Remedy("prior_learning", rank), explained, reader, ())]


@dataclass(frozen=True)
class Leading:
    """A course and the rank it leads to; None where the framework has no levels."""

    course: Any
    rank: int | None

    def reaches(self, rank: int) -> bool:
        return self.rank is None or self.rank >= rank


def courses_of(explained: Explained) -> list[Leading]:
    """Live courses that lead to the competency, one page a course, in the reader's language where there is one; the
    shortest first. One query. Pages come from the floor above, by its own link."""
    reader = get_language()
    chosen: dict[str, Leading] = {}
    outcomes = explained.competency.course_outcomes.select_related("course", "level")
    for outcome in sorted(outcomes, key=lambda o: (o.course.language != reader, o.course_id)):
        if outcome.course.live:
            rank = outcome.level.rank if outcome.level is not None else None
            chosen.setdefault(outcome.course.key, Leading(outcome.course, rank))
    return sorted(chosen.values(), key=lambda found: (found.course.effort_minutes, found.course.title))


@dataclass(frozen=True)
class Note:
    """That evidence disagrees, in words, and what settles it."""

    source: str
    says: str
    holds: str
    ways: tuple[Way, ...]


def note_of(explained: Explained, disagreeing: Disagreeing, reader: Reader, *, diagnostic: bool) -> Note:
    """A manager whose own word is what disagrees is not the one who settles it: then a panel is. What is no longer in
    force nobody settles."""
    ways = []
    in_force = explained.competency.version.is_published
    if in_force and diagnostic:
        ways.append(
            Way("diagnostic", _("A diagnostic says where you stand today.") if reader.own else _("A diagnostic."))
        )
    if in_force and (disagreeing.evidence.kind == EvidenceKind.MANAGER or not (reader.own or reader.can_assess)):
        ways.append(Way("panel", _("A panel of two or more assessors looks at it.")))
    elif in_force:
        asked = DOORS["manager"](explained, reader)
        words = _("Your manager says what she sees today.") if reader.own else _("You say what you see today.")
        ways.append(Way("manager", words, asked))
    return Note(
        source=wording.source_words(disagreeing.evidence),
        says=wording.level_words(disagreeing.says, explained.scale),
        holds=wording.level_words(explained.level.rank, explained.scale),
        ways=tuple(ways),
    )


def pieces_of(explained: Explained) -> list[Piece]:
    """Everything on record, the newest first."""
    found = []
    for judged in reversed(explained.level.judged):
        item, row = judged.item, explained.rows[judged.item.id]
        said = wording.level_words(item.rank, explained.scale)
        found.append(
            Piece(
                judged=judged,
                row=row,
                source=wording.source_words(row),
                via=wording.via_words(explained.via[item.via]) if item.via is not None else "",
                says=said if item.passed else _("not passed at %(level)s") % {"level": said},
                verdict=wording.verdict_words(judged),
                moves=wording.contribution_words(explained.contributions.get(item.id)),
            )
        )
    return found


def leaned_on(explained: Explained) -> list[str]:
    """What else the level needs where a manager's word goes one further than it could alone."""
    basis = explained.level.basis
    if basis is None or basis.rule is None or basis.rule.attains is not Attains.CORROBORATED:
        return []
    if basis.attains <= (basis.rule.cap or 0):
        return []
    props = [
        j
        for j in explained.level.judged
        if j.rule is not basis.rule and j.attains >= max(1, basis.attains - 1) and j is not basis
    ]
    return [wording.source_words(explained.rows[j.item.id]) for j in props]


def change_sentence(explained: Explained, ways: Sequence[Way]) -> str:
    """What would change the level, in one sentence for the first glance: the way of least effort."""
    required = explained.required
    if required is None or explained.level.rank >= required.rank_needed:
        return ""
    if not ways:
        return ""
    if len(ways) == 1:
        return _("What would change it: %(way)s") % {"way": ways[0].words}
    return _("What would change it, the least effort first: %(way)s Other ways are below.") % {"way": ways[0].words}


def page_of(explained: Explained, reader: Reader, *, reach: int) -> dict[str, Any]:
    """The context of the page, without what needs the database beyond the courses."""
    level, required = explained.level, explained.required
    target = target_of(explained)
    offered = courses_of(explained)

    def leading_to(rank: int) -> list[Any]:
        return [found.course for found in offered if found.reaches(rank)]

    ways = ways_to(explained, target, reader, reach=reach, courses=leading_to(target or 0))
    pieces = pieces_of(explained)
    basis = next((piece for piece in pieces if level.basis is not None and piece.judged is level.basis), None)
    return {
        "explained": explained,
        "sentence": wording.level_sentence(level, required, explained.scale, own=reader.own),
        "change_sentence": change_sentence(explained, ways),
        "is_short": required is not None and level.rank < required.rank_needed,
        "target": target,
        "ways": ways,
        "nearer": ways_nearer(explained, target, reader, reach=reach, but=ways),
        "basis": basis,
        "leaned_on": leaned_on(explained) if basis else [],
        "rule": wording.rule_words(level.basis.rule) if level.basis is not None and level.basis.rule else "",
        "pieces": [piece for piece in pieces if piece is not basis],
        "withdrawn": [
            {
                "row": row,
                "source": wording.source_words(row),
                "says": wording.level_words(row.rank, explained.scales[row.competency.version_id]),
            }
            for row in explained.withdrawn
        ],
        "refresh_ways": ways_to_refresh(explained, reader, reach=reach, courses=leading_to(level.rank))
        if level.refresh_due
        else [],
        "likely": wording.likely_words(
            explained.likely, explained.scale, required=required.rank if required is not None else None
        ),
        "sureness": wording.sureness_words(
            explained.likely, unsure_sd=explained.book.parameters.unsure_sd, pieces=len(explained.contributions)
        ),
    }
