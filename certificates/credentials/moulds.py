"""Canonical forms of many credentials that differ in holder and number only, without reading each as JSON-LD.

Most of the work of signing is finding out what a document says. Of a cohort that is the same for all but for a dozen
values, none of which changes what the others mean: a literal is a literal, and an absolute address of the same scheme an
address. So one is read with marks in their places, and the statements are filled in for each; numbering and sorting, which
depend on the values, are done for each. Where a document is not so, and for the first of each kind, it is read in full.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from certificates.credentials.canonical import Dataset, NotCanonical, canonical_form, dataset_of, form_of

_MARK = "mould-of-ours"
_KINDS_KEPT = 32
_ADDRESS = re.compile(r"(https?://|urn:uuid:)[A-Za-z0-9._~:/?#@!$&'()*+,;=%\[\]-]+")
# Where stands what differs; `*` is each of a list, None the place itself.
Tree = Mapping[str, Any]
_PLACES: Tree = {
    "id": None,
    "credentialSubject": {
        "id": None,
        "identifier": {"*": {"identityHash": None}},
        "licenseNumber": None,
        "achievement": {"resultDescription": {"*": {"id": None}}, "alignment": {"*": {"targetUrl": None}}},
        "result": {"*": {"resultDescription": None}},
    },
    "credentialStatus": {"id": None, "statusListIndex": None},
}


class _Unlike(Exception):
    """Not built as the credentials are that we issue."""


class Moulds:
    """One for each way of making many; not to be shared between threads."""

    def __init__(self) -> None:
        self._made: dict[str, _Mould | None] = {}

    def canonical_form(self, document: Mapping[str, Any]) -> str:
        """What canonical.canonical_form gives, and raises."""
        marks = _Marks()
        try:
            shape = marks.placed_in(document, _PLACES)
            kind = json.dumps(shape)
            if kind.count(_MARK) != marks.placed:
                raise _Unlike  # somebody writes as we do
        except (_Unlike, TypeError, ValueError):
            return canonical_form(document)
        if kind not in self._made:
            return self._first(document, kind, shape, marks)
        mould = self._made[kind]
        if mould is None or not mould.constants.isdisjoint(marks.of):
            return canonical_form(document)
        return form_of(mould.filled(marks))

    def _first(self, document: Mapping[str, Any], kind: str, shape: dict[str, Any], marks: _Marks) -> str:
        """Read it in full, and see whether a mould of it gives the same."""
        form = canonical_form(document)
        if len(self._made) >= _KINDS_KEPT:
            self._made.clear()
        try:
            mould = _Mould(dataset_of(shape))
            self._made[kind] = mould if form_of(mould.filled(marks)) == form else None
        except NotCanonical:
            self._made[kind] = None
        return form


class _Marks:
    """A mark for each value that differs, in the place of it. `placed` counts the places."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}
        self.placed = 0

    def placed_in(self, part: Any, places: Tree | None) -> Any:
        if places is None:
            return self._mark(part)
        if "*" in places:
            if not isinstance(part, list):
                raise _Unlike
            return [self.placed_in(one, places["*"]) for one in part]
        if not isinstance(part, dict):
            raise _Unlike
        return {name: self.placed_in(one, places[name]) if name in places else one for name, one in part.items()}

    def _mark(self, value: Any) -> str:
        if not isinstance(value, str) or not value:
            raise _Unlike
        self.placed += 1
        if value not in self.of:
            # Of its value's kind; a text has a space in it, so that it is never taken for an address.
            found = _ADDRESS.fullmatch(value)
            if found is None and ":" in value:
                raise _Unlike
            self.of[value] = f"{found.group(1) if found else 'a '}{_MARK}{len(self.of)}"
        return self.of[value]


class _Mould:
    """Statements with marks in them. `constants` is what stands there besides: a value that is one of them says more."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        parts = (part for statements in dataset.values() for statement in statements for part in statement.values())
        self.constants = {part["value"] for part in parts if _MARK not in part["value"]}

    def filled(self, marks: _Marks) -> Dataset:
        values = {mark: value for value, mark in marks.of.items()}
        return {
            graph: [
                {name: {**part, "value": values.get(part["value"], part["value"])} for name, part in statement.items()}
                for statement in statements
            ]
            for graph, statements in self._dataset.items()
        }
