"""What a newer edition changes, in its own terms: added, withdrawn, reworded, level moved. Pure.

Source and worked example: docs/algorithms/crosswalk.md, tested in tests/competencies/test_differences.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from competencies.importers.content import (
    CompetencyContent,
    FrameworkContent,
    ProfileContent,
    RequirementContent,
    RoleContent,
    Text,
)

ProfileKey = tuple[str, str]
"""(role code, profile code)"""


@dataclass(frozen=True)
class Rewording:
    """One text that reads otherwise: `what` is "title", "description", "example", "alternatives", "grade", "summary" or
    "descriptor" with its `rank`."""

    what: str
    language: str
    before: str
    after: str
    rank: int | None = None


@dataclass(frozen=True)
class Changed:
    """A competency that stays and reads otherwise, or stands elsewhere (`moved`: area, parent, kind, code)."""

    old: str
    new: str
    rewordings: tuple[Rewording, ...] = ()
    moved: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class RequirementChange:
    """`kind`: "added", "withdrawn", "raised", "lowered", "stated", "unstated", "importance", "necessity".

    `competency` is the code in the new edition, or in the old one where it is withdrawn.
    """

    kind: str
    competency: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class ProfileChange:
    old: ProfileKey
    new: ProfileKey
    rewordings: tuple[Rewording, ...] = ()
    requirements: tuple[RequirementChange, ...] = ()

    @property
    def moves_levels(self) -> bool:
        return any(change.kind not in ("importance",) for change in self.requirements)


@dataclass(frozen=True)
class Difference:
    """Everything that differs, in the order of the editions. Codes of `added` are the new edition's, of `withdrawn` the
    old one's; `scale` lists levels that came (None before), went (None after) or got another label."""

    added: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    changed: tuple[Changed, ...] = ()
    unchanged: int = 0
    profiles_added: tuple[ProfileKey, ...] = ()
    profiles_withdrawn: tuple[ProfileKey, ...] = ()
    profiles_changed: tuple[ProfileChange, ...] = ()
    profiles_unchanged: int = 0
    scale: tuple[tuple[int, Text | None, Text | None], ...] = field(default=())

    @property
    def is_empty(self) -> bool:
        return not (
            self.added
            or self.withdrawn
            or self.changed
            or self.profiles_added
            or self.profiles_withdrawn
            or self.profiles_changed
            or self.scale
        )


def compare(
    old: FrameworkContent,
    new: FrameworkContent,
    *,
    competencies: Mapping[str, str | None],
    profiles: Mapping[ProfileKey, ProfileKey | None],
) -> Difference:
    """What differs between two editions, given the crosswalk: old code → new code, None for what is withdrawn.

    What the crosswalk does not speak of is withdrawn (old) or added (new).
    """
    ours = {c.code: c for c in old.competencies}
    theirs = {c.code: c for c in new.competencies}
    changes = []
    for code, competency in ours.items():
        successor = competencies.get(code)
        if successor is not None:
            changes.append(_compare_competencies(competency, theirs[successor], competencies))
    followed = {successor for successor in competencies.values() if successor is not None}
    old_profiles, new_profiles = _profiles(old), _profiles(new)
    profile_changes = []
    for key, (role, profile) in old_profiles.items():
        to = profiles.get(key)
        if to is not None:
            profile_changes.append(_compare_profiles(key, role, profile, to, *new_profiles[to], competencies))
    followed_profiles = {to for to in profiles.values() if to is not None}
    return Difference(
        added=tuple(code for code in theirs if code not in followed),
        withdrawn=tuple(code for code in ours if competencies.get(code) is None),
        changed=tuple(change for change in changes if change.rewordings or change.moved),
        unchanged=sum(1 for change in changes if not change.rewordings and not change.moved),
        profiles_added=tuple(key for key in new_profiles if key not in followed_profiles),
        profiles_withdrawn=tuple(key for key in old_profiles if profiles.get(key) is None),
        profiles_changed=tuple(c for c in profile_changes if c.rewordings or c.requirements),
        profiles_unchanged=sum(1 for c in profile_changes if not c.rewordings and not c.requirements),
        scale=_compare_scales(old, new),
    )


def _profiles(content: FrameworkContent) -> dict[ProfileKey, tuple[RoleContent, ProfileContent]]:
    return {(role.code, profile.code): (role, profile) for role in content.roles for profile in role.profiles}


def _compare_competencies(
    old: CompetencyContent, new: CompetencyContent, competencies: Mapping[str, str | None]
) -> Changed:
    rewordings = [
        *_rewordings("title", old.title, new.title),
        *_rewordings("description", old.description, new.description),
        *_rewordings("example", old.example, new.example),
        *_rewordings("alternatives", old.alternatives, new.alternatives),
    ]
    before = {d.rank: d.text for d in old.descriptors}
    after = {d.rank: d.text for d in new.descriptors}
    for rank in sorted(before.keys() | after.keys()):
        rewordings += _rewordings("descriptor", before.get(rank, {}), after.get(rank, {}), rank)
    parent = None if old.parent is None else competencies.get(old.parent) or old.parent
    moved = [
        (what, str(was or ""), str(now or ""))
        for what, was, now in (
            ("code", old.code, new.code),
            ("kind", old.kind, new.kind),
            ("area", old.area, new.area),
            ("parent", parent, new.parent),
            ("rank", old.rank, new.rank),
        )
        if was != now
    ]
    return Changed(old.code, new.code, tuple(rewordings), tuple(moved))


def _rewordings(what: str, old: Text, new: Text, rank: int | None = None) -> Iterable[Rewording]:
    for language in sorted(old.keys() | new.keys()):
        before, after = old.get(language, ""), new.get(language, "")
        if before != after:
            yield Rewording(what, language, before, after, rank)


def _compare_profiles(
    key: ProfileKey,
    old_role: RoleContent,
    old: ProfileContent,
    new_key: ProfileKey,
    new_role: RoleContent,
    new: ProfileContent,
    competencies: Mapping[str, str | None],
) -> ProfileChange:
    rewordings = [
        *_rewordings("title", old_role.title, new_role.title),
        *_rewordings("grade", old.grade, new.grade),
        *_rewordings("summary", old.summary or old_role.summary, new.summary or new_role.summary),
    ]
    after = {r.competency: r for r in new.requirements}
    changes: list[RequirementChange] = []
    seen = set()
    for before in old.requirements:
        code = competencies.get(before.competency)
        # A code that is not this framework's own is of what it extends and stands for itself.
        if code is None and before.competency not in competencies:
            code = before.competency
        now = after.get(code) if code is not None else None
        if now is None:
            changes.append(RequirementChange("withdrawn", before.competency, _level(before)))
            continue
        seen.add(now.competency)
        changes += _compare_requirements(before, now)
    changes += [
        RequirementChange("added", r.competency, "", _level(r)) for r in new.requirements if r.competency not in seen
    ]
    return ProfileChange(key, new_key, tuple(rewordings), tuple(changes))


def _compare_requirements(old: RequirementContent, new: RequirementContent) -> Iterable[RequirementChange]:
    if old.level != new.level:
        if old.level is None:
            kind = "stated"
        elif new.level is None:
            kind = "unstated"
        else:
            kind = "raised" if new.level > old.level else "lowered"
        yield RequirementChange(kind, new.competency, _level(old), _level(new))
    if old.necessity != new.necessity:
        yield RequirementChange("necessity", new.competency, old.necessity, new.necessity)
    if old.importance != new.importance:
        yield RequirementChange("importance", new.competency, str(old.importance), str(new.importance))


def _level(requirement: RequirementContent) -> str:
    return "" if requirement.level is None else str(requirement.level)


def _compare_scales(old: FrameworkContent, new: FrameworkContent) -> tuple[tuple[int, Text | None, Text | None], ...]:
    before = {level.rank: level.label for level in old.levels}
    after = {level.rank: level.label for level in new.levels}
    return tuple(
        (rank, before.get(rank), after.get(rank))
        for rank in sorted(before.keys() | after.keys())
        if before.get(rank) != after.get(rank)
    )
