"""JSON from strangers: read once, strictly, within bounds, before anything else looks at it.

What two readers could understand differently is refused: names that occur twice, NaN, numbers no other program holds,
half of a surrogate pair, bytes that are not UTF-8.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
# A credential of ours has some 100 values. pyld compares every value of a property with every other one, so what is
# within these bounds may take seconds and what is not may take minutes.
MAX_VALUES = 4_000
MAX_OBJECTS = 1_000
MAX_ITEMS = 1_000
LARGEST_WHOLE = 2**53 - 1
# A string that never ends is one match to the end, so that the search stays linear.
_NESTING = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


class Unreadable(ValueError):
    """Not JSON we read; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_object(data: bytes) -> dict[str, Any]:
    """A JSON object of at most MAX_BYTES, MAX_DEPTH levels, MAX_VALUES values. Raises Unreadable."""
    if len(data) > MAX_BYTES:
        raise Unreadable("too_large")
    _refuse_depth(data)
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_once_each, parse_constant=_refuse_constant, parse_int=_whole
        )
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise Unreadable("not_json") from None
    if not isinstance(value, dict):
        raise Unreadable("not_an_object")
    check(value)
    return value


def check(value: Any) -> None:
    """The bounds again, for a value that came another way. Raises Unreadable."""
    values = objects = 0
    waiting = [(value, 1)]
    while waiting:
        part, depth = waiting.pop()
        values += 1
        if depth > MAX_DEPTH:
            raise Unreadable("too_deep")
        if isinstance(part, dict):
            objects += 1
            for name in part:
                _refuse_halves(name)
            waiting.extend((inner, depth + 1) for inner in part.values())
        elif isinstance(part, list):
            if len(part) > MAX_ITEMS:
                raise Unreadable("too_many_values")
            waiting.extend((inner, depth + 1) for inner in part)
        elif isinstance(part, str):
            _refuse_halves(part)
        elif isinstance(part, float):
            if not math.isfinite(part):
                raise Unreadable("number_too_large")
        elif isinstance(part, int) and abs(part) > LARGEST_WHOLE:
            raise Unreadable("number_too_large")
        if values > MAX_VALUES or objects > MAX_OBJECTS:
            raise Unreadable("too_many_values")


def _refuse_depth(data: bytes) -> None:
    """Before parsing: a parser that recurses would run out of stack first."""
    depth = 0
    for found in _NESTING.finditer(data):
        mark = found[0][:1]
        if mark in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise Unreadable("too_deep")
        elif mark in b"]}":
            depth -= 1


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Unreadable("name_twice")
    return members


def _refuse_constant(_name: str) -> Any:
    raise Unreadable("not_json")  # NaN, Infinity


def _whole(digits: str) -> int:
    if len(digits) > 17:
        raise Unreadable("number_too_large")
    return int(digits)


def _refuse_halves(text: str) -> None:
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise Unreadable("not_text") from None
