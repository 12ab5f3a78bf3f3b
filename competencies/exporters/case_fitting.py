"""What of other people's CASE objects fits into CASE 1.1: each member of the kind it must be, or left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from competencies.case_words import CHILD_OF, RELATIONS, Object, key_of_node, normal

ASSOCIATION_WORDS = frozenset({*RELATIONS.values(), CHILD_OF})
EXTENDED = re.compile(r"ext:[A-Za-z0-9.|_-]+\Z")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)\Z")
Fit = Callable[[Any], Any]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _normal(value: Any) -> str | None:
    return normal(value) if isinstance(value, str) and value else None


def _uuid(value: Any) -> str | None:
    return value if is_uuid(value) else None


def is_uuid(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


def _date(value: Any) -> str | None:
    try:
        return value if date.fromisoformat(value).isoformat() == value else None
    except (TypeError, ValueError):
        return None


def _moment(value: Any) -> str | None:
    try:
        whole = isinstance(value, str) and MOMENT.match(value)
        return value if whole and datetime.fromisoformat(value.upper()) else None
    except ValueError:
        return None


def _integer(value: Any) -> int | None:
    return value if type(value) is int else None


def _figure(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _normals(value: Any) -> list[str] | None:
    whole = isinstance(value, list) and bool(value) and all(isinstance(text, str) for text in value)
    return [normal(text) for text in value] if whole else None


def _pointer(value: Any) -> Object | None:
    """A LinkURI: to a thing that is named by a UUID."""
    node = _node(value)
    return None if node is None or not is_uuid(node["identifier"]) else {n: node[n] for n in POINTER}


def _pointers(value: Any) -> list[Object] | None:
    fit = [_pointer(row) for row in value] if isinstance(value, list) else []
    return [row for row in fit if row is not None] or None


def _node(value: Any) -> Object | None:
    """A LinkGenURI: to anything."""
    key = key_of_node(value)
    if not key:
        return None
    identifier = normal(_text(value.get("identifier")) or key)
    node = {
        "title": normal(_text(value.get("title")) or identifier),
        "identifier": identifier,
        "uri": _text(value.get("uri")) or identifier,
    }
    kind = value.get("targetType")
    return node | ({"targetType": kind} if kind == "CASE" or (isinstance(kind, str) and EXTENDED.match(kind)) else {})


def _association_word(value: Any) -> str | None:
    """A word that CASE does not know becomes one that may be added to its own."""
    word = _text(value)
    if word is None or word in ASSOCIATION_WORDS or EXTENDED.match(word):
        return word
    known = {known.casefold(): known for known in ASSOCIATION_WORDS}.get(word.casefold())
    spelled = re.sub(r"[^A-Za-z0-9.|_-]+", "-", word.removeprefix("ext:")).strip("-")
    return known or (f"ext:{spelled}" if spelled else None)


def _rungs(value: Any) -> list[Object] | None:
    return _fitted_list(value, RUNG)


def _criteria(value: Any) -> list[Object] | None:
    return _fitted_list(value, CRITERION)


def _fitted_list(value: Any, members: Mapping[str, Fit]) -> list[Object] | None:
    rows = []
    for row in value if isinstance(value, list) else []:
        found = {
            name: fitting
            for name, fit in members.items()
            if isinstance(row, dict) and name in row and (fitting := fit(row[name])) is not None
        }
        if {"identifier", "uri", "lastChangeDateTime"} <= set(found):
            rows.append(found)
    return rows or None


POINTER = ("title", "identifier", "uri")
NAMED: dict[str, Fit] = {"identifier": _uuid, "uri": _text, "lastChangeDateTime": _moment}
DATES: dict[str, Fit] = {"statusStartDate": _date, "statusEndDate": _date}
# The members that are kept as the source has them; those that follow from the framework are left out.
DOCUMENT: dict[str, Fit] = DATES | {
    "frameworkType": _normal,
    "creator": _normal,
    "officialSourceURL": _text,
    "subject": _normals,
    "subjectURI": _pointers,
    "version": _normal,
    "licenseURI": _pointer,
    "notes": _text,
}
ITEM: dict[str, Fit] = DATES | {
    "uri": _text,
    "lastChangeDateTime": _moment,
    "CFItemType": _normal,
    "humanCodingScheme": _normal,
    "listEnumeration": _normal,
    "conceptKeywords": _normals,
    "conceptKeywordsURI": _pointer,
    "notes": _text,
    "subject": _normals,
    "subjectURI": _pointers,
    "language": _normal,
    "educationLevel": _normals,
    "CFItemTypeURI": _pointer,
    "licenseURI": _pointer,
}
ASSOCIATION: dict[str, Fit] = {
    "identifier": _uuid,
    "associationType": _association_word,
    "sequenceNumber": _integer,
    "uri": _text,
    "originNodeURI": _node,
    "destinationNodeURI": _node,
    "CFAssociationGroupingURI": _pointer,
    "lastChangeDateTime": _moment,
    "notes": _text,
}
TITLED: dict[str, Fit] = NAMED | {"title": _normal, "description": _text}
DEFINITION: dict[str, dict[str, Fit]] = {
    "CFConcepts": TITLED | {"keywords": _normal, "hierarchyCode": _normal},
    "CFSubjects": TITLED | {"hierarchyCode": _normal},
    "CFLicenses": TITLED | {"licenseText": _text},
    "CFItemTypes": TITLED | {"hierarchyCode": _normal, "typeCode": _normal},
    "CFAssociationGroupings": TITLED,
}
RUNG: dict[str, Fit] = NAMED | {
    "description": _text,
    "quality": _normal,
    "score": _figure,
    "feedback": _text,
    "position": _integer,
    "rubricCriterionId": _uuid,
}
CRITERION: dict[str, Fit] = NAMED | {
    "category": _normal,
    "description": _text,
    "CFItemURI": _pointer,
    "weight": _figure,
    "position": _integer,
    "rubricId": _uuid,
    "CFRubricCriterionLevels": _rungs,
}
RUBRIC: dict[str, Fit] = TITLED | {"CFRubricCriteria": _criteria}
