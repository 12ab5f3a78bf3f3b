"""Curated paths: what an HR unit puts together by hand, published in versions that never change.

Every write holds the row of the path, so that two officers go one after the other; what they may not do is said in a
sentence (`NotPossible`). What a path is as values, and what follows from it, is in learning/stages.py.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from statistics import median, median_low
from typing import TypeVar

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from i18nfield.strings import LazyI18nString
from wagtail.log_actions import log

from competencies.selectors import standings_of
from courses.models import CoursePage, Enrolment
from courses.selectors import OfferedCourse, offered_courses, passed_and_begun
from learning.enums import BatchStatus, CuratedStatus
from learning.hr import people_served
from learning.models import (
    Assignment,
    AssignmentBatch,
    AssignmentRule,
    CuratedItem,
    CuratedPath,
    CuratedStage,
    CuratedVersion,
)
from learning.stages import Stage, differences, minutes_left, out_of_order, progress
from organisations.jobs import enqueue
from organisations.models import Unit, User
from organisations.perms import hr_paths, units_served

__all__ = ["NotPossible", "Stage", "progress", "published_stages"]

CURATED_JOB = "learning.curated_published"
MOST_STAGES = 20
MOST_COURSES = 100
# What publishing does is reckoned for so many people at most, evenly taken; how many have the path is always exact.
MOST_RECKONED = 2000
CHUNK = 500
KEY_LENGTH = 80

Words = Mapping[str, str]
Row = TypeVar("Row")


class NotPossible(ValueError):
    """What was asked for cannot be done; its text is a sentence for the person who asked."""


# --- Reading -----------------------------------------------------------------------------------------------------
def published_stages(path_ids: Iterable[int]) -> dict[int, tuple[Stage, ...]]:
    """The stages of the published version by CuratedPath id, in order. Two queries, however many paths.

    A path without a published version is not among the keys; one that was put away is, for who has it still has it.
    """
    found: dict[int, list[Stage]] = defaultdict(list)
    for stage in _stages(Q(version__path_id__in=set(path_ids), version__status=CuratedStatus.PUBLISHED)):
        found[stage.path_id].append(stage)
    return {path_id: tuple(stages) for path_id, stages in found.items()}


def stages_of(version_ids: Iterable[int]) -> dict[int, tuple[Stage, ...]]:
    """The stages of versions, by CuratedVersion id, in order. Two queries, however many versions."""
    ids = set(version_ids)
    found: dict[int, list[Stage]] = {pk: [] for pk in ids}
    for stage in _stages(Q(version_id__in=ids)):
        found[stage.version_id].append(stage)
    return {version_id: tuple(stages) for version_id, stages in found.items()}


def _stages(which: Q) -> list[Stage]:
    rows = list(
        CuratedStage.objects.filter(which)
        .order_by("version_id", "position")
        .values_list("pk", "version__path_id", "version_id", "title", "choose")
    )
    keys: dict[int, list[str]] = defaultdict(list)
    items = CuratedItem.objects.filter(stage_id__in=[row[0] for row in rows]).order_by("stage_id", "position", "pk")
    for stage_id, key in items.values_list("stage_id", "course_key"):
        keys[stage_id].append(key)
    return [Stage(*row, tuple(keys[row[0]])) for row in rows]


def paths_edited_by(officer: User) -> QuerySet[CuratedPath]:
    """Paths of the units an officer serves: hers to change."""
    return CuratedPath.objects.filter(unit__in=units_served(officer).values("pk")).select_related("unit")


def paths_open_to(officer: User) -> QuerySet[CuratedPath]:
    """Paths an officer works with: those of the units she serves, and published ones of the units above.

    `is_hers` says which she may change. What was put away comes last.
    """
    served = Q(unit__in=units_served(officer).values("pk"))
    above = {path[:end] for path in hr_paths(officer) for end in range(Unit.steplen, len(path), Unit.steplen)}
    published = CuratedVersion.objects.filter(path=OuterRef("pk"), status=CuratedStatus.PUBLISHED)
    usable = Q(Exists(published), unit__path__in=above, archived_at__isnull=True)
    hers = Exists(units_served(officer).filter(pk=OuterRef("unit_id")).order_by())
    return (
        CuratedPath.objects.filter(served | usable)
        .annotate(is_hers=hers)
        .select_related("unit")
        .order_by(F("archived_at").asc(nulls_first=True), "unit__path", "key")
    )


def versions_in_work(path_ids: Sequence[int]) -> dict[int, tuple[CuratedVersion | None, CuratedVersion | None]]:
    """The published version and the draft of each path. One query."""
    found: dict[int, list[CuratedVersion | None]] = {pk: [None, None] for pk in path_ids}
    shown = [CuratedStatus.PUBLISHED, CuratedStatus.DRAFT]
    for version in CuratedVersion.objects.filter(path_id__in=path_ids, status__in=shown):
        found[version.path_id][shown.index(CuratedStatus(version.status))] = version
    return {pk: (pair[0], pair[1]) for pk, pair in found.items()}


@dataclass(frozen=True)
class Spread:
    """How many people have a path, and how far the one in the middle is (percent; None where nobody has it)."""

    people: int = 0
    median_pct: int | None = None


def spread_of(
    stages: Mapping[int, Sequence[Stage]], people: QuerySet[User], as_of: date | None = None
) -> dict[int, Spread]:
    """How far people are in the published versions: passed courses, of those that are needed. Two queries.

    `stages` by path id, as published_stages gives them; only `people` are looked at.
    """
    day = as_of or timezone.localdate()
    asked = Assignment.objects.asking(day).filter(curated_path_id__in=stages, person__in=people.order_by().values("pk"))
    having: dict[int, list[int]] = defaultdict(list)
    for path_id, person_id in asked.values_list("curated_path_id", "person_id"):
        having[path_id].append(person_id)
    keys = {key for parts in stages.values() for stage in parts for key in stage.keys}
    passed: dict[int, set[str]] = defaultdict(set)
    done = Enrolment.objects.completed().filter(course__key__in=keys, person__in=asked.order_by().values("person_id"))
    for person_id, key in done.values_list("person_id", "course__key"):
        passed[person_id].add(key)
    found = {}
    for path_id, parts in stages.items():
        shares = [progress(parts, passed[person_id]).pct for person_id in having[path_id]]
        found[path_id] = Spread(len(shares), median_low(shares) if shares else None)
    return found


@dataclass(frozen=True)
class CourseLine:
    """A course of a stage as it is shown. `page` is None where no page of it is left."""

    key: str
    page: CoursePage | None
    is_offered: bool

    @property
    def title(self) -> str:
        return self.page.title if self.page is not None else self.key


@dataclass(frozen=True)
class Shown:
    """Courses by key as a reader of a language sees them, with what is offered."""

    offered: Mapping[str, OfferedCourse]
    lines: Mapping[str, CourseLine]

    @cached_property
    def minutes(self) -> dict[str, int]:
        pages = ((key, line.page) for key, line in self.lines.items() if line.is_offered)
        return {key: page.effort_minutes for key, page in pages if page is not None}

    @property
    def needs(self) -> dict[str, frozenset[str]]:
        return {key: course.prerequisites for key, course in self.offered.items()}

    def title(self, key: str) -> str:
        return self.lines[key].title


def shown_courses(stages: Iterable[Stage], language: str, offered: Mapping[str, OfferedCourse] | None = None) -> Shown:
    """The courses of some stages. As many queries as offered_courses, and one for what is not offered any more."""
    offer = offered_courses() if offered is None else offered
    keys = list(dict.fromkeys(key for stage in stages for key in stage.keys))
    gone = [key for key in keys if key not in offer]
    pages = {page.key: page for page in CoursePage.objects.filter(key__in=gone).order_by("-pk")} if gone else {}
    lines = {
        key: CourseLine(key, offer[key].page_for(language), True)
        if key in offer
        else CourseLine(key, pages.get(key), False)
        for key in keys
    }
    return Shown(offer, lines)


# --- Making and changing a draft ---------------------------------------------------------------------------------
@transaction.atomic
def make_path(*, unit: Unit, title: Words, summary: Words, by: User) -> CuratedVersion:
    """Begin a path: its first draft, without stages. The same officer asking again gets the one she has begun.

    Raises NotPossible where the unit has a path of this title already.
    """
    Unit.objects.select_for_update(of=("self",)).get(pk=unit.pk)  # two presses, or two officers, one after the other
    wanted = _main(title).casefold()
    taken = CuratedVersion.objects.filter(path__unit=unit, path__archived_at__isnull=True).select_related("path")
    for version in taken.exclude(status=CuratedStatus.SUPERSEDED):
        if str(_main(version.title.data)).casefold() == wanted:
            if version.status == CuratedStatus.DRAFT and version.number == 1 and version.path.created_by_id == by.pk:
                return version
            raise NotPossible(
                _("%(unit)s has a path called “%(title)s” already. Change that one, or choose another title.")
                % {"unit": unit, "title": version.title}
            )
    path = _new_path(slugify(_main(title)), unit, by)
    version = CuratedVersion.objects.create(path=path, number=1, title=_stored(title), summary=_stored(summary))
    log(instance=path, action="learning.curated_make", user=by, data={"version": 1})
    return version


def _new_path(wanted: str, unit: Unit, by: User) -> CuratedPath:
    root = wanted[: KEY_LENGTH - 8].strip("-") or "path"
    taken = set(CuratedPath.objects.filter(key__startswith=root).values_list("key", flat=True))
    number = 1
    while True:
        key = root if number == 1 else f"{root}-{number}"
        if key not in taken:
            try:
                with transaction.atomic():
                    return CuratedPath.objects.create(key=key, unit=unit, created_by=by)
            except IntegrityError:  # another unit was faster with this key
                pass
        number += 1


def _stored(words: Words) -> LazyI18nString:
    return LazyI18nString({code: text for code, text in words.items() if text})


def _main(words: Words | str) -> str:
    """The text in the installation's language, else in any."""
    if isinstance(words, str):
        return words
    return words.get(settings.LANGUAGE_CODE) or next((text for text in words.values() if text), "")


def _hold(path_id: int) -> CuratedPath:
    """Lock a path until the transaction ends. Raises NotPossible where it was put away."""
    path = CuratedPath.objects.select_for_update(of=("self",)).get(pk=path_id)
    if path.archived_at is not None:
        raise NotPossible(_("This path was put away. Bring it back first."))
    return path


def _hold_draft(version: CuratedVersion) -> CuratedVersion:
    """Lock a draft with its path. Raises NotPossible where it is published meanwhile, or gone."""
    path = CuratedPath.objects.select_for_update(of=("self",)).filter(pk=version.path_id).first()
    found = CuratedVersion.objects.filter(pk=version.pk).first()
    if path is None or found is None:
        raise NotPossible(_("This draft is no longer there: somebody has discarded it."))
    if path.archived_at is not None:
        raise NotPossible(_("This path was put away. Bring it back first."))
    if found.status != CuratedStatus.DRAFT:
        raise NotPossible(
            _("Version %(number)s is published and never changes. Begin a new draft.") % {"number": found.number}
        )
    found.path = path
    return found


def _changed(version: CuratedVersion, by: User, what: str, **data: object) -> None:
    values = {"version": version.number, "what": what, **data}
    log(instance=version.path, action="learning.curated_change", user=by, data=values)


@transaction.atomic
def new_draft(*, path: CuratedPath, by: User) -> CuratedVersion:
    """The draft of the next version, a copy of the published one; the one there is, where there is one."""
    path = _hold(path.pk)
    published, draft = versions_in_work([path.pk])[path.pk]
    if draft is not None:
        return draft
    if published is None:
        raise NotPossible(_("There is no version to begin from. Make a new path."))
    number = published.number + 1
    draft = CuratedVersion.objects.create(path=path, number=number, title=published.title, summary=published.summary)
    stages = published.stages.prefetch_related("items").order_by("position")
    for position, stage in enumerate(stages, start=1):
        copy = CuratedStage.objects.create(version=draft, position=position, title=stage.title, choose=stage.choose)
        CuratedItem.objects.bulk_create(
            CuratedItem(stage=copy, position=place, course_key=item.course_key)
            for place, item in enumerate(stage.items.all(), start=1)
        )
    log(instance=path, action="learning.curated_draft", user=by, data={"version": number})
    return draft


@transaction.atomic
def discard_draft(*, version: CuratedVersion, by: User) -> bool:
    """Remove a draft. A path that was never published goes with it; returns whether the path is still there."""
    if not CuratedVersion.objects.filter(pk=version.pk).exists():  # pressed twice
        return CuratedPath.objects.filter(pk=version.path_id).exists()
    version = _hold_draft(version)
    path = version.path
    log(instance=path, action="learning.curated_discard", user=by, data={"version": version.number})
    version.delete()
    if path.versions.exists():
        return True
    path.delete()
    return False


@transaction.atomic
def change_words(*, version: CuratedVersion, title: Words, summary: Words, by: User) -> CuratedVersion:
    """Change what the draft is called and what it is for."""
    version = _hold_draft(version)
    new = (_stored(title), _stored(summary))
    if (version.title, version.summary) != new:
        version.title, version.summary = new
        version.save(update_fields=["title", "summary"])
        _changed(version, by, "words")
    return version


def _stage(version: CuratedVersion, stage_id: int) -> CuratedStage:
    stage = CuratedStage.objects.filter(version=version, pk=stage_id).first()
    if stage is None:
        raise NotPossible(_("This stage is no longer in the draft."))
    return stage


def _refuse_choice(choose: int | None, courses: int) -> None:
    if choose is not None and choose >= courses:
        raise NotPossible(
            ngettext(
                "This stage has %(count)s course, so there is nothing to choose. Add courses first, or ask for all of them.",
                "This stage has %(count)s courses. Choose fewer than that, or ask for all of them.",
                courses,
            )
            % {"count": courses}
            if courses
            else _("This stage has no courses yet. Add courses first; then say how many to choose.")
        )


@transaction.atomic
def add_stage(*, version: CuratedVersion, title: Words, by: User) -> CuratedStage:
    """Add a stage at the end; all of its courses are needed until `change_stage` says otherwise.

    The same title again is the same stage. Raises NotPossible beyond MOST_STAGES.
    """
    version = _hold_draft(version)
    stages = list(version.stages.order_by("position"))
    wanted = _stored(title)
    same = next((stage for stage in stages if stage.title == wanted), None)
    if same is not None:
        return same
    if len(stages) >= MOST_STAGES:
        raise NotPossible(_("A path has %(most)s stages at most.") % {"most": MOST_STAGES})
    position = stages[-1].position + 1 if stages else 1
    stage = CuratedStage.objects.create(version=version, position=position, title=wanted)
    _changed(version, by, "stage_added", stage=stage.pk)
    return stage


@transaction.atomic
def change_stage(*, version: CuratedVersion, stage_id: int, title: Words, choose: int | None, by: User) -> CuratedStage:
    """Rename a stage and say how many of its courses to choose (None: all). Raises NotPossible where there are not more."""
    version = _hold_draft(version)
    stage = _stage(version, stage_id)
    new = (_stored(title), choose)
    if (stage.title, stage.choose) == new:
        return stage
    if choose != stage.choose:
        _refuse_choice(choose, stage.items.count())
    if any(other.title == new[0] for other in version.stages.exclude(pk=stage.pk)):
        raise NotPossible(_("Another stage of this path has this title already."))
    stage.title, stage.choose = new
    stage.save(update_fields=["title", "choose"])
    _changed(version, by, "stage_changed", stage=stage.pk)
    return stage


@transaction.atomic
def remove_stage(*, version: CuratedVersion, stage_id: int, by: User) -> None:
    """Take a stage with its courses out of the draft."""
    version = _hold_draft(version)
    removed, _rows = CuratedStage.objects.filter(version=version, pk=stage_id).delete()
    if removed:
        _changed(version, by, "stage_removed", stage=stage_id)


@transaction.atomic
def move_stage(*, version: CuratedVersion, stage_id: int, to: int, by: User) -> None:
    """Put a stage at a place, counted from 1. Doing it twice leaves the same order."""
    version = _hold_draft(version)
    stage = _stage(version, stage_id)
    stages = list(version.stages.order_by("position"))
    order = _moved(stages, stage, to)
    if order == stages:
        return
    # Positions are unique in a version, so all of them step aside before they take their new places.
    free = stages[-1].position
    for offset in (free, 0):
        for place, row in enumerate(order, start=1):
            CuratedStage.objects.filter(pk=row.pk).update(position=offset + place)
    _changed(version, by, "stage_moved", stage=stage.pk, to=to)


def _moved(rows: Sequence[Row], row: Row, to: int) -> list[Row]:
    rest = [other for other in rows if other != row]
    place = min(max(to, 1), len(rows)) - 1
    return [*rest[:place], row, *rest[place:]]


@transaction.atomic
def add_courses(*, version: CuratedVersion, stage_id: int, keys: Sequence[str], by: User) -> int:
    """Add courses at the end of a stage; returns how many are new. One that is in the stage already stays where it is.

    Raises NotPossible for a course that is not offered or stands in another stage, and beyond MOST_COURSES.
    """
    version = _hold_draft(version)
    stage = _stage(version, stage_id)
    [stages] = stages_of([version.pk]).values()
    places = {key: part for part in stages for key in part.keys}
    wanted = [key for key in dict.fromkeys(keys) if key not in places or places[key].id != stage.pk]
    offered = set(CoursePage.objects.offered().values_list("key", flat=True))
    for key in wanted:
        if key not in offered:
            raise NotPossible(_("One of these courses is not offered any more. Look at the list again."))
        if key in places:
            raise NotPossible(
                _("“%(course)s” stands in “%(stage)s” already. A course has one place in a path.")
                % {"course": _title(key), "stage": places[key].title}
            )
    if len(places) + len(wanted) > MOST_COURSES:
        raise NotPossible(_("A path has %(most)s courses at most.") % {"most": MOST_COURSES})
    last = stage.items.order_by("-position").values_list("position", flat=True).first() or 0
    CuratedItem.objects.bulk_create(
        CuratedItem(stage=stage, position=place, course_key=key) for place, key in enumerate(wanted, start=last + 1)
    )
    if wanted:
        _changed(version, by, "courses_added", stage=stage.pk, courses=wanted)
    return len(wanted)


def _title(key: str) -> str:
    page = CoursePage.objects.filter(key=key).order_by("pk").only("title").first()
    return page.title if page is not None else key


@transaction.atomic
def remove_course(*, version: CuratedVersion, stage_id: int, key: str, by: User) -> None:
    """Take a course out of a stage. Whether what is left can still be chosen from is said when it is published."""
    version = _hold_draft(version)
    stage = _stage(version, stage_id)
    item = next((item for item in stage.items.all() if item.course_key == key), None)
    if item is not None:
        item.delete()
        _changed(version, by, "course_removed", stage=stage.pk, courses=[key])


@transaction.atomic
def move_course(*, version: CuratedVersion, stage_id: int, key: str, to: int, by: User) -> None:
    """Put a course at a place in its stage, counted from 1. Doing it twice leaves the same order."""
    version = _hold_draft(version)
    stage = _stage(version, stage_id)
    items = list(stage.items.order_by("position", "pk"))
    item = next((item for item in items if item.course_key == key), None)
    if item is None:
        raise NotPossible(_("This course is no longer in the stage."))
    order = _moved(items, item, to)
    if order != items:
        for place, row in enumerate(order, start=1):
            row.position = place
        CuratedItem.objects.bulk_update(order, ["position"])
        _changed(version, by, "course_moved", stage=stage.pk, courses=[key], to=to)


# --- Publishing --------------------------------------------------------------------------------------------------
def state_digest(version: CuratedVersion, stages: Sequence[Stage]) -> str:
    """What a draft says, in short: tells whether it is still the one that was read."""
    parts = [(stage.title.data, stage.choose, stage.keys) for stage in stages]
    return hashlib.sha256(repr((version.title.data, version.summary.data, parts)).encode()).hexdigest()


def objections_to_publishing(version: CuratedVersion, stages: Sequence[Stage], shown: Shown) -> list[str]:
    """What is left to do before a draft can be published, a sentence each; empty when it can be."""
    found = [] if stages else [_("The path has no stages yet. Add one, with at least one course.")]
    for stage in stages:
        if not stage.keys:
            found.append(_("“%(stage)s” has no courses. Add one, or remove the stage.") % {"stage": stage.title})
        elif stage.choose is not None and stage.choose > len(stage.keys):
            found.append(
                ngettext(
                    "“%(stage)s” asks for %(choose)s courses and has %(count)s.",
                    "“%(stage)s” asks for %(choose)s courses and has only %(count)s.",
                    len(stage.keys),
                )
                % {"stage": stage.title, "choose": stage.choose, "count": len(stage.keys)}
            )
        elif stage.choose == len(stage.keys):
            found.append(
                _("“%(stage)s” lets people choose, and asks for all of its courses. Say that all are needed.")
                % {"stage": stage.title}
            )
        found += [
            _("“%(course)s” is not offered any more. Take it out of “%(stage)s”.")
            % {"course": shown.title(key), "stage": stage.title}
            for key in stage.keys
            if key not in shown.offered
        ]
    stage_of = {key: stage for stage in stages for key in stage.keys}
    found += [
        _("“%(course)s” requires “%(prerequisite)s” first, which comes only later, in “%(stage)s”.")
        % {"course": shown.title(key), "prerequisite": shown.title(other), "stage": stage_of[other].title}
        for key, other in out_of_order(stages, shown.needs)
    ]
    return found


def is_changed(version: CuratedVersion, stages: Sequence[Stage]) -> bool:
    """Whether a draft says something else than the published version; of the first version, always."""
    published = CuratedVersion.objects.filter(path_id=version.path_id, status=CuratedStatus.PUBLISHED).first()
    if published is None:
        return True
    before = stages_of([published.pk])[published.pk]
    return (version.title, version.summary) != (published.title, published.summary) or bool(differences(before, stages))


@dataclass(frozen=True)
class Effect:
    """What publishing does to those who have the path, in minutes of their least way to its end.

    `people` have it; of these `reckoned` were looked at: for so many it gets longer, shorter, or stays as it is.
    """

    people: int
    reckoned: int
    longer: int
    shorter: int
    middle_added: int
    most_added: int

    @property
    def alike(self) -> int:
        return self.reckoned - self.longer - self.shorter


def people_having(path_id: int, as_of: date | None = None) -> QuerySet[Assignment]:
    return Assignment.objects.asking(as_of).filter(curated_path_id=path_id).order_by("person_id")


def effect_of(
    path: CuratedPath, before: Sequence[Stage], after: Sequence[Stage], shown: Shown, as_of: date | None = None
) -> Effect:
    """What it does to people when `after` follows on `before`. `shown` are the courses of both.

    What somebody has passed or holds already costs her nothing. A query for who they are and a few for each CHUNK of
    those reckoned, at most MOST_RECKONED.
    """
    day = as_of or timezone.localdate()
    ids = list(people_having(path.pk, day).values_list("person_id", flat=True))
    step = -(-len(ids) // MOST_RECKONED) or 1
    some = ids[::step]
    added = []
    for start in range(0, len(some), CHUNK):
        chunk = some[start : start + CHUNK]
        standings = standings_of(chunk, as_of=day)
        passed, _begun = passed_and_begun(chunk)
        for person_id in chunk:
            held = standings[person_id].held
            done = passed[person_id] | {
                key for key in shown.lines if key in shown.offered and shown.offered[key].is_held(held)
            }
            added.append(minutes_left(after, shown.minutes, done) - minutes_left(before, shown.minutes, done))
    return Effect(
        people=len(ids),
        reckoned=len(added),
        longer=sum(minutes > 0 for minutes in added),
        shorter=sum(minutes < 0 for minutes in added),
        middle_added=round(median(added)) if added else 0,
        most_added=max(added, default=0),
    )


@transaction.atomic
def publish_version(
    *, version: CuratedVersion, by: User, note: str = "", seen: str | None = None, at: datetime | None = None
) -> CuratedVersion:
    """Put a draft in force; the version before is superseded, and who has the path gets a new plan in the background.

    `seen` is the state that was read (`state_digest`), None where nobody has read. Publishing twice leaves the same
    state. Raises NotPossible with what is left to do, or when the draft is another one than was read.
    """
    path = CuratedPath.objects.select_for_update(of=("self",)).filter(pk=version.path_id).first()
    found = CuratedVersion.objects.filter(pk=version.pk).first()
    if path is None or found is None:
        raise NotPossible(_("This draft is no longer there: somebody has discarded it."))
    if found.status != CuratedStatus.DRAFT:
        return found
    _hold_draft(found)
    stages = stages_of([found.pk])[found.pk]
    if objections := objections_to_publishing(found, stages, shown_courses(stages, settings.LANGUAGE_CODE)):
        raise NotPossible(" ".join(objections))
    if seen is not None and seen != state_digest(found, stages):
        raise NotPossible(
            _("The draft has changed since you read what publishing does. Nothing was published; please read again.")
        )
    if not is_changed(found, stages):
        raise NotPossible(_("The draft says what the published version says. There is nothing to publish."))
    moment = at or timezone.now()
    CuratedVersion.objects.filter(path=path, status=CuratedStatus.PUBLISHED).update(status=CuratedStatus.SUPERSEDED)
    found.status, found.note = CuratedStatus.PUBLISHED, note
    found.published_at, found.published_by = moment, by
    found.save(update_fields=["status", "note", "published_at", "published_by"])
    log(instance=path, action="learning.curated_publish", user=by, data={"version": found.number})
    enqueue(kind=CURATED_JOB, key=str(found.pk), payload={"path": path.pk, "version": found.pk}, by=by)
    return found


# --- Putting away ------------------------------------------------------------------------------------------------
@transaction.atomic
def archive_path(*, path: CuratedPath, by: User, at: datetime | None = None) -> CuratedPath:
    """Put a path away: nobody can be given it any more. Raises NotPossible while people have it, or a rule gives it."""
    path = CuratedPath.objects.select_for_update(of=("self",)).get(pk=path.pk)
    if path.archived_at is not None:
        return path
    moment = at or timezone.now()
    people = Assignment.objects.current(timezone.localdate(moment)).filter(curated_path=path).count()
    if people:
        raise NotPossible(
            ngettext(
                "%(count)s person has this path. End that assignment first.",
                "%(count)s people have this path. End their assignments first.",
                people,
            )
            % {"count": people}
        )
    if AssignmentBatch.objects.filter(
        curated_path=path, status__in=(BatchStatus.APPLYING, BatchStatus.UNDOING)
    ).exists():
        raise NotPossible(_("This path is being assigned, or an assignment of it taken back. Wait until that is done."))
    rules = AssignmentRule.objects.filter(curated_path=path, started_at__isnull=False, stopped_at__isnull=True).count()
    if rules:
        raise NotPossible(
            ngettext(
                "%(count)s rule gives people this path. Stop it first.",
                "%(count)s rules give people this path. Stop them first.",
                rules,
            )
            % {"count": rules}
        )
    path.archived_at = moment
    path.save(update_fields=["archived_at"])
    log(instance=path, action="learning.curated_archive", user=by)
    return path


@transaction.atomic
def restore_path(*, path: CuratedPath, by: User) -> CuratedPath:
    """Bring back what was put away."""
    path = CuratedPath.objects.select_for_update(of=("self",)).get(pk=path.pk)
    if path.archived_at is not None:
        path.archived_at = None
        path.save(update_fields=["archived_at"])
        log(instance=path, action="learning.curated_restore", user=by)
    return path


def spread_for(officer: User, path_ids: Sequence[int], as_of: date | None = None) -> dict[int, Spread]:
    """How far the people an officer serves are in published paths."""
    return spread_of(published_stages(path_ids), people_served(officer, as_of), as_of)


# --- A path as a person sees it ----------------------------------------------------------------------------------
@dataclass(frozen=True)
class SeenCourse:
    """A course of a path for one person; `why` it counts: "passed", "held" (she holds what it teaches), "begun" or ""."""

    line: CourseLine
    why: str

    @property
    def state(self) -> str:
        return {"passed": "done", "held": "done", "begun": "current"}.get(self.why, "todo")


@dataclass(frozen=True)
class SeenStage:
    """A stage for one person. `chosen` are the courses she has or has begun."""

    stage: Stage
    courses: tuple[SeenCourse, ...]
    counted: int

    @property
    def needed(self) -> int:
        return self.stage.needed

    @property
    def chosen(self) -> int:
        return sum(course.state != "todo" for course in self.courses)

    @property
    def is_complete(self) -> bool:
        return self.counted == self.needed


@dataclass(frozen=True)
class SeenPath:
    """The published version of a path as one person sees it. `assignment` is hers, where she has the path."""

    version: CuratedVersion
    stages: tuple[SeenStage, ...]
    needed: int
    counted: int
    minutes_left: int
    assignment: Assignment | None

    @property
    def is_complete(self) -> bool:
        return bool(self.needed) and self.counted == self.needed

    @property
    def next_course(self) -> SeenCourse | None:
        """In the first stage that is not complete and can go on: what she has begun, else the first course."""
        for stage in self.stages:
            left = [c for c in stage.courses if c.state != "done" and c.line.is_offered]
            if left and not stage.is_complete:
                return next((c for c in left if c.state == "current"), left[0])
        return None


def seen_path(person: User, version: CuratedVersion, language: str, as_of: date | None = None) -> SeenPath:
    """How far a person is in a published version. As many queries for a long path as for a short one."""
    day = as_of or timezone.localdate()
    stages = stages_of([version.pk])[version.pk]
    shown = shown_courses(stages, language)
    passed, begun = passed_and_begun([person.pk])
    held = standings_of([person.pk], as_of=day)[person.pk].held
    holds = {key for key in shown.lines if key in shown.offered and shown.offered[key].is_held(held)}
    done = passed[person.pk] | holds

    def why(key: str) -> str:
        if key in passed[person.pk]:
            return "passed"
        return "held" if key in holds else "begun" if key in begun[person.pk] else ""

    far = progress(stages, done)
    return SeenPath(
        version=version,
        stages=tuple(
            SeenStage(part.stage, tuple(SeenCourse(shown.lines[k], why(k)) for k in part.stage.keys), part.counted)
            for part in far.stages
        ),
        needed=far.needed,
        counted=far.counted,
        minutes_left=minutes_left(stages, shown.minutes, done),
        assignment=Assignment.objects.asking(day).filter(person=person, curated_path_id=version.path_id).first(),
    )
