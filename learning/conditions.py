"""Whom a standing rule is about: conditions with AND, OR and NOT, as written down, read, checked and asked. Pure.

A rule keeps its condition as a tree in JSON; what `read_condition` has let through can be asked of anybody and never
raises. What each condition means, how what is unknown counts, and the worked example:
docs/algorithms/conditions.md, tested in tests/learning/test_conditions.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeAlias

from competencies.enums import MAX_RANK

# Groups, "not" and the conditions in them, counted from the outermost; and single conditions in one rule.
MAX_DEPTH = 6
MAX_CONDITIONS = 100
MAX_ID = 2**63 - 1
# A century: nobody has been in a post for longer.
MAX_DAYS = 36_525
MAX_GRADE_LENGTH = 200
MAX_TAG_LENGTH = 100

_PATH = re.compile(r"(?:[0-9A-Z]{4}){1,63}")  # treebeard: four characters a step, so a prefix is a branch
_LINEAGE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{1,8})*")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class Facts:
    """What is known of a person on the day. Lineages as text; `held`: competency lineage to attained rank.

    `unit_paths` and `unit_ids` are of the units of her posts of that day, not of those above them; `started_on` is the
    first day in the post (None: she has none); `manager_ids` are whoever counts as her manager.
    """

    person_id: int
    unit_paths: frozenset[str] = frozenset()
    unit_ids: frozenset[int] = frozenset()
    roles: frozenset[str] = frozenset()
    grades: frozenset[str] = frozenset()
    language: str = ""
    started_on: date | None = None
    manager_ids: frozenset[int] = frozenset()
    tags: frozenset[str] = frozenset()
    held: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class InUnit:
    """Holds a post in the unit or, with `below`, in its branch of the tree. `path` is where the unit stood when this
    was written: `with_paths` brings it up to date."""

    unit: int
    path: str
    below: bool

    def holds(self, facts: Facts, as_of: date) -> bool:
        if self.below:
            return any(path.startswith(self.path) for path in facts.unit_paths)
        return self.unit in facts.unit_ids


@dataclass(frozen=True)
class HasRole:
    role: str

    def holds(self, facts: Facts, as_of: date) -> bool:
        return self.role in facts.roles


@dataclass(frozen=True)
class HasGrade:
    grade: str

    def holds(self, facts: Facts, as_of: date) -> bool:
        return self.grade in facts.grades


@dataclass(frozen=True)
class HasLanguage:
    """Reads mails and pages in this language; "es" includes "es-mx", not the other way round."""

    language: str

    def holds(self, facts: Facts, as_of: date) -> bool:
        language = facts.language.lower()
        return language == self.language or language.startswith(f"{self.language}-")


@dataclass(frozen=True)
class Started:
    """When she started in her post. One of: `after` (that day or later), `before` (earlier than that day), and days
    between the start and today. It holds for nobody whose start is unknown; the days hold for nobody who is yet to
    start."""

    after: date | None = None
    before: date | None = None
    days_ago_at_least: int | None = None
    days_ago_at_most: int | None = None

    def holds(self, facts: Facts, as_of: date) -> bool:
        started_on = facts.started_on
        if started_on is None:
            return False
        if self.after is not None:
            return started_on >= self.after
        if self.before is not None:
            return started_on < self.before
        days = (as_of - started_on).days
        if self.days_ago_at_least is not None:
            return days >= self.days_ago_at_least
        return self.days_ago_at_most is not None and 0 <= days <= self.days_ago_at_most


@dataclass(frozen=True)
class HasManager:
    person: int

    def holds(self, facts: Facts, as_of: date) -> bool:
        return self.person in facts.manager_ids


@dataclass(frozen=True)
class HasTag:
    tag: str

    def holds(self, facts: Facts, as_of: date) -> bool:
        return self.tag in facts.tags


@dataclass(frozen=True)
class HoldsLevel:
    """Holds a competency `at_least` at a rank, or `below` one. Nothing attained is rank 0."""

    competency: str
    at_least: int | None = None
    below: int | None = None

    def holds(self, facts: Facts, as_of: date) -> bool:
        rank = facts.held.get(self.competency, 0)
        if self.at_least is not None:
            return rank >= self.at_least
        return self.below is not None and rank < self.below


@dataclass(frozen=True)
class AllOf:
    parts: tuple[Condition, ...]

    def holds(self, facts: Facts, as_of: date) -> bool:
        return all(part.holds(facts, as_of) for part in self.parts)


@dataclass(frozen=True)
class AnyOf:
    parts: tuple[Condition, ...]

    def holds(self, facts: Facts, as_of: date) -> bool:
        return any(part.holds(facts, as_of) for part in self.parts)


@dataclass(frozen=True)
class Not:
    part: Condition

    def holds(self, facts: Facts, as_of: date) -> bool:
        return not self.part.holds(facts, as_of)


Leaf: TypeAlias = InUnit | HasRole | HasGrade | HasLanguage | Started | HasManager | HasTag | HoldsLevel
Condition: TypeAlias = AllOf | AnyOf | Not | Leaf


@dataclass(frozen=True)
class Row:
    """A line of the form: one condition, perhaps turned round."""

    leaf: Leaf
    negated: bool = False


@dataclass(frozen=True)
class Fault:
    """`place` as in "$.all[1].unit"; `problem` is a code for wording:

    "not_a_condition", "empty" (a group), "too_deep", "too_many", "unknown" (a name or kind), "missing",
    "choose_one" (of several names that exclude each other), "not_whole", "out_of_range", "not_text", "too_long",
    "not_a_date", "not_a_path", "not_a_lineage", "not_a_language", "not_yes_or_no", "not_a_row".
    """

    place: str
    problem: str


class ConditionRefused(ValueError):
    """Data that is no condition, with every fault found in it, in the order of the data."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.place}: {fault.problem}" for fault in self.faults))


class UnitsGone(LookupError):
    """A condition names units that are no longer there; whoever keeps the rule has to say what it means now."""

    def __init__(self, unit_ids: frozenset[int]) -> None:
        super().__init__(", ".join(str(pk) for pk in sorted(unit_ids)))
        self.unit_ids = unit_ids


def holds(condition: Condition, facts: Facts, *, as_of: date) -> bool:
    """Whether the condition is true of the person on the day."""
    return condition.holds(facts, as_of)


# Reading and writing


def read_condition(data: Any) -> Condition:
    """The condition that parsed JSON writes down. Raises ConditionRefused with all faults and their places.

    Too deep or too many stops the reading: then it is the only fault that is told.
    """
    _bounded(data)
    reader = _Reader()
    condition = reader.condition(data, "$")
    if condition is None or reader.faults:
        raise ConditionRefused(reader.faults)
    return condition


def read_rows(data: Any) -> tuple[tuple[Row, ...], ...]:
    """The groups of a form: a list of lists of single conditions, each as in a tree or in {"not": …}.

    Places read "$[group][row].unit", with ".not" between for what is turned round. Raises ConditionRefused.
    """
    if not isinstance(data, list) or not data:
        raise ConditionRefused([Fault("$", "empty" if data == [] else "not_a_row")])
    if sum(max(len(group), 1) if isinstance(group, list) else 1 for group in data) > MAX_CONDITIONS:
        raise ConditionRefused([Fault("$", "too_many")])
    reader = _Reader()
    groups = []
    for g, group in enumerate(data):
        if not isinstance(group, list) or not group:
            reader.fault(f"$[{g}]", "empty" if group == [] else "not_a_row")
            continue
        groups.append([reader.row(row, f"$[{g}][{r}]") for r, row in enumerate(group)])
    if reader.faults:
        raise ConditionRefused(reader.faults)
    return tuple(tuple(row for row in group if row is not None) for group in groups)


def write_condition(condition: Condition) -> dict[str, Any]:
    """The condition as JSON; `read_condition` reads the very same back."""
    match condition:
        case AllOf(parts):
            return {"all": [write_condition(part) for part in parts]}
        case AnyOf(parts):
            return {"any": [write_condition(part) for part in parts]}
        case Not(part):
            return {"not": write_condition(part)}
        case InUnit(unit, path, below):
            return {"is": "unit", "unit": unit, "path": path, "below": below}
        case HasRole(role):
            return {"is": "role", "role": role}
        case HasGrade(grade):
            return {"is": "grade", "grade": grade}
        case HasLanguage(language):
            return {"is": "language", "language": language}
        case Started(after, before, at_least, at_most):
            days = {"days_ago_at_least": at_least, "days_ago_at_most": at_most}
            dates = {"after": after, "before": before}
            stated = {name: day.isoformat() for name, day in dates.items() if day is not None}
            return {"is": "started", **stated, **{name: n for name, n in days.items() if n is not None}}
        case HasManager(person):
            return {"is": "manager", "person": person}
        case HasTag(tag):
            return {"is": "tag", "tag": tag}
        case HoldsLevel(competency, at_least, below_rank):
            ranks = {"at_least": at_least, "below": below_rank}
            return {
                "is": "level",
                "competency": competency,
                **{name: rank for name, rank in ranks.items() if rank is not None},
            }


def _bounded(data: Any) -> None:
    """Refuse what is too deep or too large before looking closer; what is no group, or an empty one, counts as one."""
    left = MAX_CONDITIONS
    waiting: list[tuple[Any, str, int]] = [(data, "$", 1)]
    while waiting:
        node, place, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise ConditionRefused([Fault(place, "too_deep")])
        inner: list[tuple[Any, str, int]] = []
        if isinstance(node, dict):
            for name in ("all", "any"):
                parts = node.get(name)
                if isinstance(parts, list):
                    if len(parts) > MAX_CONDITIONS:
                        raise ConditionRefused([Fault(f"{place}.{name}", "too_many")])
                    inner += [(part, f"{place}.{name}[{i}]", depth + 1) for i, part in enumerate(parts)]
            if "not" in node:
                inner.append((node["not"], f"{place}.not", depth + 1))
        if not inner:
            left -= 1
            if left < 0:
                raise ConditionRefused([Fault("$", "too_many")])
        waiting += reversed(inner)


class _Reader:
    """Reads and collects faults; what could not be read is None."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def fault(self, place: str, problem: str) -> None:
        self.faults.append(Fault(place, problem))

    def condition(self, data: Any, place: str) -> Condition | None:
        if not isinstance(data, dict):
            self.fault(place, "not_a_condition")
            return None
        for name, kind in (("all", AllOf), ("any", AnyOf)):
            if name in data:
                self._known(data, {name}, place)
                return self._group(kind, data[name], f"{place}.{name}")
        if "not" in data:
            self._known(data, {"not"}, place)
            part = self.condition(data["not"], f"{place}.not")
            return None if part is None else Not(part)
        return self.leaf(data, place)

    def row(self, data: Any, place: str) -> Row | None:
        negated = isinstance(data, dict) and "not" in data
        if negated:
            self._known(data, {"not"}, place)
            data, place = data["not"], f"{place}.not"
        if not isinstance(data, dict) or {"all", "any", "not"} & data.keys():
            self.fault(place, "not_a_row")
            return None
        leaf = self.leaf(data, place)
        return None if leaf is None else Row(leaf, negated)

    def leaf(self, data: dict[Any, Any], place: str) -> Leaf | None:
        kind = data.get("is")
        read = self._kinds().get(kind) if isinstance(kind, str) else None
        if read is None:
            self.fault(
                place if "is" not in data else f"{place}.is", "not_a_condition" if "is" not in data else "unknown"
            )
            return None
        before = len(self.faults)
        leaf = read(data, place)
        return leaf if len(self.faults) == before else None

    def _group(self, kind: type[AllOf] | type[AnyOf], parts: Any, place: str) -> Condition | None:
        if not isinstance(parts, list):
            self.fault(place, "not_a_condition")
            return None
        if not parts:
            # An empty "all" would be true of everybody: too easily done by accident.
            self.fault(place, "empty")
            return None
        read = [self.condition(part, f"{place}[{i}]") for i, part in enumerate(parts)]
        return kind(tuple(part for part in read if part is not None))

    def _kinds(self) -> dict[str, Callable[[dict[Any, Any], str], Leaf]]:
        return {
            "unit": self._unit,
            "role": lambda d, p: HasRole(self._lineage(d, "role", p, only={"is", "role"})),
            "grade": lambda d, p: HasGrade(self._text(d, "grade", p, MAX_GRADE_LENGTH)),
            "language": self._language,
            "started": self._started,
            "manager": self._manager,
            "tag": lambda d, p: HasTag(self._text(d, "tag", p, MAX_TAG_LENGTH)),
            "level": self._level,
        }

    def _unit(self, data: dict[Any, Any], place: str) -> Leaf:
        self._known(data, {"is", "unit", "path", "below"}, place)
        unit = self._whole(data, "unit", place, 1, MAX_ID)
        path = self._matching(data, "path", place, _PATH, "not_a_path")
        below = self._value(data, "below", place)
        if below is not None and not isinstance(below, bool):
            self.fault(f"{place}.below", "not_yes_or_no")
        return InUnit(unit, path, below is True)

    def _language(self, data: dict[Any, Any], place: str) -> Leaf:
        self._known(data, {"is", "language"}, place)
        return HasLanguage(self._matching(data, "language", place, _LANGUAGE, "not_a_language"))

    def _manager(self, data: dict[Any, Any], place: str) -> Leaf:
        self._known(data, {"is", "person"}, place)
        return HasManager(self._whole(data, "person", place, 1, MAX_ID))

    def _started(self, data: dict[Any, Any], place: str) -> Leaf:
        name = self._one_of(data, ("after", "before", "days_ago_at_least", "days_ago_at_most"), {"is"}, place)
        if name == "after":
            return Started(after=self._day(data, name, place))
        if name == "before":
            return Started(before=self._day(data, name, place))
        days = self._whole(data, name, place, 0, MAX_DAYS) if name else 0
        return Started(days_ago_at_least=days) if name == "days_ago_at_least" else Started(days_ago_at_most=days)

    def _level(self, data: dict[Any, Any], place: str) -> Leaf:
        competency = self._lineage(data, "competency", place)
        name = self._one_of(data, ("at_least", "below"), {"is", "competency"}, place)
        rank = self._whole(data, name, place, 1, MAX_RANK) if name else 1
        return HoldsLevel(competency, at_least=rank) if name == "at_least" else HoldsLevel(competency, below=rank)

    def _known(self, data: dict[Any, Any], names: set[str], place: str) -> None:
        for name in data:
            if name not in names:
                self.fault(f"{place}.{_shown(name)}", "unknown")

    def _one_of(self, data: dict[Any, Any], names: tuple[str, ...], others: set[str], place: str) -> str:
        self._known(data, {*names, *others}, place)
        stated = [name for name in names if name in data]
        if len(stated) != 1:
            self.fault(place, "choose_one")
            return ""
        return stated[0]

    def _value(self, data: dict[Any, Any], name: str, place: str) -> Any:
        value = data.get(name)
        if value is None:
            self.fault(f"{place}.{name}", "missing")
        return value

    def _whole(self, data: dict[Any, Any], name: str, place: str, least: int, most: int) -> int:
        value = self._value(data, name, place)
        if value is None:
            return least
        if isinstance(value, bool) or not isinstance(value, int):
            self.fault(f"{place}.{name}", "not_whole")
            return least
        if not least <= value <= most:
            self.fault(f"{place}.{name}", "out_of_range")
        return value

    def _text(self, data: dict[Any, Any], name: str, place: str, longest: int) -> str:
        self._known(data, {"is", name}, place)
        value = self._value(data, name, place)
        if value is None:
            return ""
        # No control characters and no halves of a character: neither can be stored, and nobody can see them.
        if (
            not isinstance(value, str)
            or value.strip() != value
            or any(unicodedata.category(character) in {"Cc", "Cs"} for character in value[: longest + 1])
        ):
            self.fault(f"{place}.{name}", "not_text")
            return ""
        if not value:
            self.fault(f"{place}.{name}", "missing")
        elif len(value) > longest:
            self.fault(f"{place}.{name}", "too_long")
        return value

    def _matching(self, data: dict[Any, Any], name: str, place: str, pattern: re.Pattern[str], problem: str) -> str:
        value = self._value(data, name, place)
        if value is None:
            return ""
        if not isinstance(value, str) or not pattern.fullmatch(value):
            self.fault(f"{place}.{name}", problem)
            return ""
        return value

    def _lineage(self, data: dict[Any, Any], name: str, place: str, only: set[str] | None = None) -> str:
        if only is not None:
            self._known(data, only, place)
        return self._matching(data, name, place, _LINEAGE, "not_a_lineage")

    def _day(self, data: dict[Any, Any], name: str, place: str) -> date:
        text = self._matching(data, name, place, _DAY, "not_a_date")
        try:
            return date.fromisoformat(text) if text else date.min
        except ValueError:
            self.fault(f"{place}.{name}", "not_a_date")
            return date.min


def _shown(name: Any) -> str:
    """A name somebody else made up, fit to be repeated."""
    return "".join(c if c.isprintable() else "?" for c in str(name)[:40])


# What a condition is about


@dataclass(frozen=True)
class Mentions:
    """What a condition names. `by_day`: time alone can make it true or false, so it has to be asked every day."""

    units: frozenset[int] = frozenset()
    roles: frozenset[str] = frozenset()
    grades: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    people: frozenset[int] = frozenset()
    tags: frozenset[str] = frozenset()
    competencies: frozenset[str] = frozenset()
    by_start: bool = False
    by_day: bool = False


def mentions(condition: Condition) -> Mentions:
    """Which units, roles, people and competencies are named: for lookups, and to know whose news matter to it.

    Facts that differ in nothing mentioned get the same answer.
    """
    leaves = tuple(_leaves(condition))
    started = [leaf for leaf in leaves if isinstance(leaf, Started)]
    return Mentions(
        units=frozenset(leaf.unit for leaf in leaves if isinstance(leaf, InUnit)),
        roles=frozenset(leaf.role for leaf in leaves if isinstance(leaf, HasRole)),
        grades=frozenset(leaf.grade for leaf in leaves if isinstance(leaf, HasGrade)),
        languages=frozenset(leaf.language for leaf in leaves if isinstance(leaf, HasLanguage)),
        people=frozenset(leaf.person for leaf in leaves if isinstance(leaf, HasManager)),
        tags=frozenset(leaf.tag for leaf in leaves if isinstance(leaf, HasTag)),
        competencies=frozenset(leaf.competency for leaf in leaves if isinstance(leaf, HoldsLevel)),
        by_start=bool(started),
        by_day=any(leaf.after is None and leaf.before is None for leaf in started),
    )


def must_be_in(condition: Condition) -> frozenset[InUnit] | None:
    """Units of which at least one has to hold for the condition to hold; None where it is not tied to units.

    A sweep need look at nobody else. Of several such sets the smallest, then the deepest in the tree.
    """
    return _must_be_in(push_nots(condition))


def _must_be_in(condition: Condition) -> frozenset[InUnit] | None:
    match condition:
        case InUnit():
            return frozenset({condition})
        case AllOf(parts):
            found = [units for units in map(_must_be_in, parts) if units is not None]
            return min(found, key=lambda units: (len(units), -min(len(u.path) for u in units)), default=None)
        case AnyOf(parts):
            each = [_must_be_in(part) for part in parts]
            return (
                frozenset(unit for units in each if units is not None for unit in units) if None not in each else None
            )
        case _:
            return None


def with_paths(condition: Condition, paths: Mapping[int, str]) -> Condition:
    """The condition with the units where they stand now: `paths` by unit id, for all of `mentions(…).units`.

    Branches move, and what they leave behind may be given to another unit: ask nobody before this was done.
    Raises UnitsGone for units without a path, because "not in a unit that is gone" would be true of everybody.
    """
    gone = mentions(condition).units - paths.keys()
    if gone:
        raise UnitsGone(gone)
    return _with_paths(condition, paths)


def _with_paths(condition: Condition, paths: Mapping[int, str]) -> Condition:
    match condition:
        case AllOf(parts) | AnyOf(parts):
            return replace(condition, parts=tuple(_with_paths(part, paths) for part in parts))
        case Not(part):
            return Not(_with_paths(part, paths))
        case InUnit(unit):
            return replace(condition, path=paths[unit])
        case _:
            return condition


def _leaves(condition: Condition) -> Iterator[Leaf]:
    match condition:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _leaves(part)
        case Not(part):
            yield from _leaves(part)
        case _:
            yield condition


# The same said otherwise


def simplify(condition: Condition) -> Condition:
    """The same with fewer words: no "not not", no group within its like, no group of one, nothing said twice."""
    match condition:
        case Not(part):
            inner = simplify(part)
            return inner.part if isinstance(inner, Not) else Not(inner)
        case AllOf(parts) | AnyOf(parts):
            kind = type(condition)
            flat: dict[Condition, None] = {}
            for part in map(simplify, parts):
                flat |= dict.fromkeys(part.parts if isinstance(part, kind) else (part,))
            return kind(tuple(flat)) if len(flat) > 1 else next(iter(flat))
        case _:
            return condition


def push_nots(condition: Condition) -> Condition:
    """The same with "not" only before single conditions (De Morgan); neither deeper nor with more conditions."""
    return _pushed(condition, turned=False)


def _pushed(condition: Condition, *, turned: bool) -> Condition:
    match condition:
        case Not(part):
            return _pushed(part, turned=not turned)
        case AllOf(parts) | AnyOf(parts):
            all_of = isinstance(condition, AllOf) is not turned
            pushed = tuple(_pushed(part, turned=turned) for part in parts)
            return AllOf(pushed) if all_of else AnyOf(pushed)
        case _:
            return Not(condition) if turned else condition


# The form: every group has to hold, in a group one row is enough


def from_rows(groups: Sequence[Sequence[Row]]) -> Condition:
    """The condition that a form's groups say. Raises ConditionRefused when a group, or all, is empty, or for too many."""
    faults = [Fault(f"$[{g}]", "empty") for g, group in enumerate(groups) if not group]
    if not groups:
        faults = [Fault("$", "empty")]
    elif sum(len(group) for group in groups) > MAX_CONDITIONS:
        faults = [Fault("$", "too_many")]
    if faults:
        raise ConditionRefused(faults)
    read = [tuple(Not(row.leaf) if row.negated else row.leaf for row in group) for group in groups]
    conditions: tuple[Condition, ...] = tuple(AnyOf(group) if len(group) > 1 else group[0] for group in read)
    return AllOf(conditions) if len(conditions) > 1 else conditions[0]


def to_rows(condition: Condition) -> tuple[tuple[Row, ...], ...] | None:
    """The groups that say the same, or None where the form cannot say it; the way back from `from_rows`."""
    groups = [_row_group(part) for part in _flat(AllOf, push_nots(condition))]
    return None if None in groups else tuple(group for group in groups if group is not None)


def _row_group(condition: Condition) -> tuple[Row, ...] | None:
    rows = []
    for part in _flat(AnyOf, condition):
        leaf = part.part if isinstance(part, Not) else part
        if isinstance(leaf, AllOf | AnyOf | Not):
            return None
        rows.append(Row(leaf, negated=isinstance(part, Not)))
    return tuple(rows)


def _flat(kind: type[AllOf] | type[AnyOf], condition: Condition) -> Iterator[Condition]:
    """The parts of a group and of the like groups within it; anything else is its own only part."""
    if isinstance(condition, AllOf | AnyOf) and (isinstance(condition, kind) or len(condition.parts) == 1):
        for part in condition.parts:
            yield from _flat(kind, part)
    else:
        yield condition
