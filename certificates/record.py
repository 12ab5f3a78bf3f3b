"""What a certificate claims, gathered once: the record, its canonical form and its digest.

The record is the certificate. The document on paper, the page where it is checked and (later) the credential
are made from it and from nothing else, so they go on saying the same when names, courses or frameworks change.
Source: docs/algorithms/certificates.md, whose worked example is tests/certificates/test_record.py.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

FORMAT = "digital-talent-certificate/1"


class UnreadableRecord(ValueError):
    """The record is not of a form we have ever written."""


@dataclass(frozen=True)
class Level:
    """`step` of `steps` is where the level stands on its framework's own scale, a level of rank 0 not counted."""

    rank: int
    label: str
    step: int
    steps: int


@dataclass(frozen=True)
class Outcome:
    """A competency and the level shown in it; no level where the framework has no levels.

    `language` is that of the titles: not every framework speaks the document's language.
    """

    framework: str
    edition: str
    code: str
    title: str
    language: str
    level: Level | None


@dataclass(frozen=True)
class Claim:
    """Everything a certificate says. `language` is that of the document's words, `course_language` the course's.

    `valid_until` is the first day on which it no longer counts, as everywhere in this house.
    """

    serial: str
    code: str
    url: str
    holder: str
    course: str
    course_key: str
    course_language: str
    course_revision: int | None
    outcomes: tuple[Outcome, ...]
    effort_minutes: int
    assessed: bool
    score_pct: int | None
    completed_on: date
    issued_on: date
    valid_until: date | None
    issuer: str
    language: str

    @property
    def last_valid_on(self) -> date | None:
        return self.valid_until - timedelta(days=1) if self.valid_until else None


def tidy(text: str) -> str:
    """One line of composed characters without control characters: the form in which texts enter a record."""
    line = " ".join(unicodedata.normalize("NFC", text).split())
    return "".join(c for c in line if unicodedata.category(c) not in ("Cc", "Cs"))


def record_of(claim: Claim) -> dict[str, Any]:
    """The claim as plain values: texts, whole numbers, true, false and null, dates as ISO 8601."""
    return {
        "format": FORMAT,
        "serial": claim.serial,
        "code": claim.code,
        "url": claim.url,
        "holder": {"name": claim.holder},
        "course": {
            "title": claim.course,
            "key": claim.course_key,
            "language": claim.course_language,
            "revision": claim.course_revision,
            "effort_minutes": claim.effort_minutes,
        },
        "outcomes": [
            {
                "framework": {"title": outcome.framework, "edition": outcome.edition},
                "competency": {"code": outcome.code, "title": outcome.title, "language": outcome.language},
                "level": outcome.level
                and {
                    "rank": outcome.level.rank,
                    "label": outcome.level.label,
                    "step": outcome.level.step,
                    "steps": outcome.level.steps,
                },
            }
            for outcome in claim.outcomes
        ],
        "result": {"assessed": claim.assessed, "score_pct": claim.score_pct},
        "completed_on": claim.completed_on.isoformat(),
        "issued_on": claim.issued_on.isoformat(),
        "valid_until": claim.valid_until and claim.valid_until.isoformat(),
        "issuer": {"name": claim.issuer},
        "language": claim.language,
    }


def claim_of(record: Any) -> Claim:
    """Read a record back. Raises UnreadableRecord when it is not one of ours."""
    try:
        if record["format"] != FORMAT:
            raise UnreadableRecord(record["format"])
        course, result = record["course"], record["result"]
        return Claim(
            serial=record["serial"],
            code=record["code"],
            url=record["url"],
            holder=record["holder"]["name"],
            course=course["title"],
            course_key=course["key"],
            course_language=course["language"],
            course_revision=course["revision"],
            outcomes=tuple(_outcome_of(outcome) for outcome in record["outcomes"]),
            effort_minutes=course["effort_minutes"],
            assessed=result["assessed"],
            score_pct=result["score_pct"],
            completed_on=date.fromisoformat(record["completed_on"]),
            issued_on=date.fromisoformat(record["issued_on"]),
            valid_until=date.fromisoformat(record["valid_until"]) if record["valid_until"] is not None else None,
            issuer=record["issuer"]["name"],
            language=record["language"],
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UnreadableRecord(str(error)) from error


def _outcome_of(outcome: Any) -> Outcome:
    framework, competency = outcome["framework"], outcome["competency"]
    return Outcome(
        framework=framework["title"],
        edition=framework["edition"],
        code=competency["code"],
        title=competency["title"],
        language=competency["language"],
        level=Level(**outcome["level"]) if outcome["level"] is not None else None,
    )


def canonical(record: Any) -> bytes:
    """The one way to write a record down: keys sorted, no spaces, UTF-8.

    For the values a record may hold this is also RFC 8785; fractions, which RFC 8785 writes in a way of its
    own, are refused with TypeError.
    """
    _refuse_fractions(record)
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _refuse_fractions(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError("A record holds whole numbers only.")
    if isinstance(value, dict):
        for part in value.values():
            _refuse_fractions(part)
    elif isinstance(value, list):
        for part in value:
            _refuse_fractions(part)


def digest_of(record: Any) -> str:
    """SHA-256 of the canonical form, in hexadecimal."""
    return hashlib.sha256(canonical(record)).hexdigest()
