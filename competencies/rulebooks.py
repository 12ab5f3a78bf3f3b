"""One versioned place for rules and parameters: how they are written down, read and checked. Pure.

`content` of an edition is plain JSON: what an owner may change and nothing else. The kinds of rules themselves (what is
capped, what leans on other evidence) belong to the product: docs/algorithms/levels.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from competencies.enums import MAX_RANK
from competencies.levels import RULES, AttainmentRule, RuleSet
from competencies.likely import PARAMETERS, Parameters, Passing, Rating

MAX_MONTHS = 240
# Without some weeks of notice nobody could refresh anything.
MIN_REFRESH_DAYS, MAX_REFRESH_DAYS = 30, 365
# Least and most of each number, by the last part of its place; those of the estimate for a scale of five ranks.
LIMITS: dict[str, tuple[float, float]] = {
    "refresh_days": (MIN_REFRESH_DAYS, MAX_REFRESH_DAYS),
    "months": (1, MAX_MONTHS),
    "cap": (0, MAX_RANK),
    "certainty": (0.5, 0.999),
    "prior_mean": (0, 5),
    "prior_sd": (0.1, 5),
    "unsure_sd": (0.1, 5),
    "half_life_months": (1, MAX_MONTHS),
    "bias": (-3, 3),
    "sd": (0.1, 10),
    "extra_sd": (0.05, 10),
    "s": (0.05, 10),
    "g": (0, 0.95),
}
WHOLE = frozenset({"refresh_days", "months", "cap"})


class RulesRefused(ValueError):
    """Content that cannot be rules; `place` names the number at fault (dotted), `problem` is a code for wording."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place, self.problem = place, problem


@dataclass(frozen=True)
class Book:
    """Rules and parameters of one edition."""

    rules: RuleSet
    parameters: Parameters

    @property
    def version(self) -> str:
        return self.rules.version


SHIPPED = Book(RULES, PARAMETERS)


def write_book(book: Book) -> dict[str, Any]:
    """What of a book is stored and may be changed."""
    return {
        "refresh_days": book.rules.refresh_days,
        "rules": {rule.code: _numbers(rule) for rule in book.rules.rules if _numbers(rule)},
        "parameters": {
            "prior_mean": book.parameters.prior_mean,
            "prior_sd": book.parameters.prior_sd,
            "unsure_sd": book.parameters.unsure_sd,
            "kinds": {name: _kind_numbers(kind) for name, kind in book.parameters.kinds.items()},
        },
    }


def read_book(content: Mapping[str, Any], *, version: str) -> Book:
    """The book that `content` writes down; what it does not name is as shipped. Raises RulesRefused."""
    _known(content, "", {"refresh_days", "rules", "parameters"})
    stated = _mapping(content.get("rules", {}), "rules")
    _known(stated, "rules.", {rule.code for rule in RULES.rules if _numbers(rule)})
    rules = tuple(_rule(rule, _mapping(stated.get(rule.code, {}), f"rules.{rule.code}")) for rule in RULES.rules)
    refresh = _whole(content.get("refresh_days", RULES.refresh_days), "refresh_days")
    return Book(RuleSet(version, rules, refresh), _parameters(_mapping(content.get("parameters", {}), "parameters")))


def read_kept(content: Mapping[str, Any], *, version: str) -> Book:
    """The book of an edition on record, where notice may be shorter than it may be written today: it is the least then."""
    days = content.get("refresh_days", MIN_REFRESH_DAYS)
    short = isinstance(days, int) and 0 <= days < MIN_REFRESH_DAYS
    return read_book({**content, "refresh_days": MIN_REFRESH_DAYS} if short else content, version=version)


@dataclass(frozen=True)
class NumberChanged:
    """One number of the rules that is another one in a later edition; `place` is dotted, as in RulesRefused."""

    place: str
    before: float
    after: float


def numbers_of(content: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """Every number that `content` names, by its dotted place, in the order it is written."""
    found: dict[str, float] = {}
    for name, value in content.items():
        if isinstance(value, Mapping):
            found |= numbers_of(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def with_numbers(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """The content that names these numbers: the way back from `numbers_of`."""
    content: dict[str, Any] = {}
    for place, value in numbers.items():
        *groups, name = place.split(".")
        inner = content
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[name] = value
    return content


def changed_numbers(before: Book, after: Book) -> tuple[NumberChanged, ...]:
    """What a later edition changes, in the order the rules are written down; two books name the same places."""
    old, new = numbers_of(write_book(before)), numbers_of(write_book(after))
    return tuple(NumberChanged(place, old[place], new[place]) for place in old if old[place] != new[place])


def limits_of(place: str) -> tuple[float, float]:
    """The least and the most that the number at a place may be."""
    return LIMITS[place.rpartition(".")[2]]


def is_whole(place: str) -> bool:
    return place.rpartition(".")[2] in WHOLE


def _numbers(rule: AttainmentRule) -> dict[str, Any]:
    named = {"months": rule.valid_months, "cap": rule.cap, "certainty": rule.certainty}
    return {name: value for name, value in named.items() if value is not None}


def _kind_numbers(kind: Rating | Passing) -> dict[str, Any]:
    if isinstance(kind, Passing):
        return {"half_life_months": kind.half_life_months, "s": kind.s, "g": kind.g}
    own = {"sd": kind.sd} if kind.sd is not None else {"extra_sd": kind.extra_sd}
    return {"half_life_months": kind.half_life_months, "bias": kind.bias, **own}


def _rule(rule: AttainmentRule, stated: Mapping[str, Any]) -> AttainmentRule:
    place = f"rules.{rule.code}"
    _known(stated, f"{place}.", set(_numbers(rule)))
    changed: dict[str, Any] = {}
    if "months" in stated:
        changed["valid_months"] = _whole(stated["months"], f"{place}.months")
    if "cap" in stated:
        changed["cap"] = _whole(stated["cap"], f"{place}.cap")
    if "certainty" in stated:
        changed["certainty"] = _number(stated["certainty"], f"{place}.certainty")
    return replace(rule, **changed)


def _parameters(stated: Mapping[str, Any]) -> Parameters:
    _known(stated, "parameters.", {"prior_mean", "prior_sd", "unsure_sd", "kinds"})
    kinds = _mapping(stated.get("kinds", {}), "parameters.kinds")
    _known(kinds, "parameters.kinds.", set(PARAMETERS.kinds))
    read: dict[str, Rating | Passing] = {}
    for name, shipped in PARAMETERS.kinds.items():
        place = f"parameters.kinds.{name}"
        own = _mapping(kinds.get(name, {}), place)
        _known(own, f"{place}.", set(_kind_numbers(shipped)))
        numbers: dict[str, Any] = {k: _number(v, f"{place}.{k}") for k, v in own.items()}
        read[name] = replace(shipped, **numbers)
    return Parameters(
        prior_mean=_number(stated.get("prior_mean", PARAMETERS.prior_mean), "parameters.prior_mean"),
        prior_sd=_number(stated.get("prior_sd", PARAMETERS.prior_sd), "parameters.prior_sd"),
        unsure_sd=_number(stated.get("unsure_sd", PARAMETERS.unsure_sd), "parameters.unsure_sd"),
        kinds=MappingProxyType(read),
    )


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise RulesRefused(place, "not_a_group")
    return value


def _known(stated: Mapping[str, Any], prefix: str, names: set[str]) -> None:
    for name in stated:
        if name not in names:
            raise RulesRefused(f"{prefix}{name}", "unknown")


def _number(value: Any, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RulesRefused(place, "not_a_number")
    least, most = limits_of(place)
    if not least <= value <= most:
        raise RulesRefused(place, "out_of_range")
    return float(value)


def _whole(value: Any, place: str) -> int:
    number = _number(value, place)
    if number != int(number):
        raise RulesRefused(place, "not_whole")
    return int(number)
