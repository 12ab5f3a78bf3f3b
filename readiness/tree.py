"""The organisation as a survey finds it: units, and who is asked where. Read once, at opening."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings

from organisations.models import Appointment, Unit
from readiness.enums import CutAttribute
from readiness.models import WaveNode
from readiness.sealing import Node, Tree, plant

TENURE_YEARS = (2, 10)


@dataclass(frozen=True)
class Asked:
    """One person who is asked: directly in which unit, and her category of the declared attribute ("" for none)."""

    person_id: int
    node_code: str
    category: str = ""


@dataclass(frozen=True)
class Audience:
    """Everybody in a unit and below it, on one day. `eligible`: people at a unit and below, by its code."""

    tree: Tree
    names: Mapping[str, dict[str, str]]
    people: tuple[Asked, ...]
    eligible: Mapping[str, int]

    @property
    def n(self) -> int:
        return len(self.people)

    def without(self, person_ids: Collection[int]) -> Audience:
        """The same units, without these people."""
        people = tuple(asked for asked in self.people if asked.person_id not in person_ids)
        eligible = people_below(self.tree, (asked.node_code for asked in people))
        return Audience(self.tree, self.names, people, eligible)


def audience_of(unit: Unit, day: date, attribute: str = "") -> Audience:
    """Active people with a current appointment in the unit or below it, each once. Four queries, whatever the size.

    Who holds several posts is asked at the one she has held longest. Who is on leave all along is asked too: she may
    answer when she wants to be heard.
    """
    units = list(Unit.objects.filter(path__startswith=unit.path).order_by("path").values_list("path", "code", "name"))
    code_at = {path: code for path, code, _name in units}
    step = Unit.steplen
    nodes = [Node(code, code_at.get(path[:-step]) if path != unit.path else None) for path, code, _name in units]
    tree = plant(nodes)
    names = {code: words_of(name) for _path, code, name in units}
    held = (
        Appointment.objects.current(day)
        .filter(post__unit__path__startswith=unit.path, person__is_active=True)
        .order_by("starts_on", "post__unit__path", "pk")
        .values_list("person_id", "post__unit__path", "post_id", "post__grade", "starts_on")
    )
    category = CATEGORIES[attribute](day)
    found: dict[int, Asked] = {}
    for person_id, path, post_id, grade, starts_on in held.iterator(chunk_size=5_000):
        if person_id not in found:
            found[person_id] = Asked(person_id, code_at[path], category(post_id, grade, starts_on))
    eligible = people_below(tree, (asked.node_code for asked in found.values()))
    return Audience(tree, names, tuple(found.values()), eligible)


def people_below(tree: Tree, codes: Iterable[str]) -> dict[str, int]:
    """How many of these are at each unit and below it; every unit of the tree is there."""
    counts = dict.fromkeys(tree.codes, 0)
    for code in codes:
        counts[code] += 1
    for code in reversed(tree.codes):
        above = tree.parent[code]
        if above is not None:
            counts[above] += counts[code]
    return counts


def words_of(text: Any) -> dict[str, str]:
    """A text in several languages as {language: words}; a plain one counts for the language of the installation."""
    data = getattr(text, "data", text)
    if isinstance(data, dict):
        return {language: words for language, words in data.items() if words}
    return {settings.LANGUAGE_CODE: str(data)} if data else {}


def tree_of(nodes: Iterable[WaveNode]) -> Tree:
    """The tree a wave keeps, as it was at opening."""
    return plant(Node(node.code, node.parent_code or None) for node in nodes)


Category = Callable[[int, str, date], str]


def _by_nothing(day: date) -> Category:
    return lambda _post, _grade, _since: ""


def _by_grade(day: date) -> Category:
    return lambda _post, grade, _since: grade or "-"


def _by_leading(day: date) -> Category:
    leading = set(
        Appointment.objects.current(day)
        .filter(post__reports_to__isnull=False)
        .values_list("post__reports_to_id", flat=True)
    )
    return lambda post, _grade, _since: "leads" if post in leading else "leads_nobody"


def _by_tenure(day: date) -> Category:
    def category(_post: int, _grade: str, since: date) -> str:
        years = day.year - since.year - ((day.month, day.day) < (since.month, since.day))
        low, high = TENURE_YEARS
        return f"under_{low}" if years < low else f"under_{high}" if years < high else f"from_{high}"

    return category


CATEGORIES: Mapping[str, Callable[[date], Category]] = {
    CutAttribute.NONE: _by_nothing,
    CutAttribute.GRADE: _by_grade,
    CutAttribute.LEADS: _by_leading,
    CutAttribute.TENURE: _by_tenure,
}
