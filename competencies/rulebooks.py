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
MAX_REFRESH_DAYS = 365
# Least and most of each number of the estimate, for a scale of five ranks.
LIMITS: dict[str, tuple[float, float]] = {
    "half_life_months": (1, MAX_MONTHS),
    "bias": (-3, 3),
    "sd": (0.1, 10),
    "extra_sd": (0, 10),
    "s": (0.05, 10),
    "g": (0, 0.95),
}


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
    refresh = _whole(content.get("refresh_days", RULES.refresh_days), "refresh_days", 0, MAX_REFRESH_DAYS)
    return Book(RuleSet(version, rules, refresh), _parameters(_mapping(content.get("parameters", {}), "parameters")))


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
        changed["valid_months"] = _whole(stated["months"], f"{place}.months", 1, MAX_MONTHS)
    if "cap" in stated:
        changed["cap"] = _whole(stated["cap"], f"{place}.cap", 0, MAX_RANK)
    if "certainty" in stated:
        changed["certainty"] = _number(stated["certainty"], f"{place}.certainty", 0.5, 0.999)
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
        numbers: dict[str, Any] = {k: _number(v, f"{place}.{k}", *LIMITS[k]) for k, v in own.items()}
        read[name] = replace(shipped, **numbers)
    return Parameters(
        prior_mean=_number(stated.get("prior_mean", PARAMETERS.prior_mean), "parameters.prior_mean", 0, 5),
        prior_sd=_number(stated.get("prior_sd", PARAMETERS.prior_sd), "parameters.prior_sd", 0.1, 5),
        unsure_sd=_number(stated.get("unsure_sd", PARAMETERS.unsure_sd), "parameters.unsure_sd", 0.1, 5),
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


def _number(value: Any, place: str, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RulesRefused(place, "not_a_number")
    if not least <= value <= most:
        raise RulesRefused(place, "out_of_range")
    return float(value)


def _whole(value: Any, place: str, least: int, most: int) -> int:
    number = _number(value, place, least, most)
    if number != int(number):
        raise RulesRefused(place, "not_whole")
    return int(number)
