"""What a certificate claims, gathered once: the record, its canonical form and its digest.

The record is the certificate. The document on paper, the page where it is checked and the credential are made from it
and from nothing else, so they go on saying the same when names, courses or frameworks change.
Source: docs/algorithms/certificates.md, whose worked example is tests/certificates/test_record.py.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

FORMAT = "digital-talent-certificate/2"
# Written until certificates could be for more than courses: read for ever, written no more.
FIRST_FORMAT = "digital-talent-certificate/1"


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
class Ground:
    """What shows an outcome, in the document's words: "Course passed", "Governing cyber risk", 3 March 2026.

    The holder reads it; whoever checks the certificate by its code does not.
    """

    kind: str
    title: str
    on: date


@dataclass(frozen=True)
class Outcome:
    """A competency and the level shown in it; no level where the framework has no levels.

    `language` is that of the titles: not every framework speaks the document's language. `uri` is the competency's
    CASE address, empty where it has none.
    """

    framework: str
    edition: str
    code: str
    title: str
    language: str
    level: Level | None
    uri: str = ""
    grounds: tuple[Ground, ...] = ()


@dataclass(frozen=True)
class Signatory:
    """Who puts a name under it, and as what."""

    name: str
    title: str


@dataclass(frozen=True)
class Look:
    """How the document is drawn, so that the same record gives the same bytes years later.

    `design` is one of enums.Design, `colour` is #RRGGBB, `logo` the SHA-256 of the picture (models.Logo), or empty.
    """

    design: str = "formal"
    colour: str = "#0B5A75"
    logo: str = ""


@dataclass(frozen=True)
class Claim:
    """Everything a certificate says. `language` is that of the document's words, `title_language` the title's.

    `kind` is one of enums.Kind: what was completed, shown or met. `key` and `revision` name it and its version in our
    own terms, `definition` the definition it was issued by, if any. `criteria` says what it took.
    `valid_until` is the first day on which it no longer counts, as everywhere in this house. `renews` is the serial of
    the certificate whose time it follows.
    """

    serial: str
    code: str
    url: str
    holder: str
    title: str
    key: str
    title_language: str
    revision: int | None
    outcomes: tuple[Outcome, ...]
    effort_minutes: int
    assessed: bool
    score_pct: int | None
    completed_on: date
    issued_on: date
    valid_until: date | None
    issuer: str
    language: str
    kind: str = "course"
    definition: str = ""
    criteria: str = ""
    signatories: tuple[Signatory, ...] = ()
    look: Look = Look()
    renews: str = ""

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
        "award": {
            "kind": claim.kind,
            "title": claim.title,
            "key": claim.key,
            "language": claim.title_language,
            "revision": claim.revision,
            "effort_minutes": claim.effort_minutes,
            "definition": claim.definition,
            "criteria": claim.criteria,
        },
        "outcomes": [_outcome_record(outcome) for outcome in claim.outcomes],
        "result": {"assessed": claim.assessed, "score_pct": claim.score_pct},
        "completed_on": claim.completed_on.isoformat(),
        "issued_on": claim.issued_on.isoformat(),
        "valid_until": claim.valid_until and claim.valid_until.isoformat(),
        "renews": claim.renews,
        "issuer": {
            "name": claim.issuer,
            "signatories": [{"name": signatory.name, "title": signatory.title} for signatory in claim.signatories],
        },
        "look": {"design": claim.look.design, "colour": claim.look.colour, "logo": claim.look.logo},
        "language": claim.language,
    }


def _outcome_record(outcome: Outcome) -> dict[str, Any]:
    level = outcome.level
    return {
        "framework": {"title": outcome.framework, "edition": outcome.edition},
        "competency": {
            "code": outcome.code,
            "title": outcome.title,
            "language": outcome.language,
            "uri": outcome.uri,
        },
        "level": level and {"rank": level.rank, "label": level.label, "step": level.step, "steps": level.steps},
        "grounds": [
            {"kind": ground.kind, "title": ground.title, "on": ground.on.isoformat()} for ground in outcome.grounds
        ],
    }


def claim_of(record: Any) -> Claim:
    """Read a record back, of either format. Raises UnreadableRecord when it is not one of ours."""
    try:
        if record["format"] == FIRST_FORMAT:
            return _first_claim_of(record)
        if record["format"] != FORMAT:
            raise UnreadableRecord(record["format"])
        award, issuer, look = record["award"], record["issuer"], record["look"]
        return Claim(
            **_common(record),
            title=award["title"],
            key=award["key"],
            title_language=award["language"],
            revision=award["revision"],
            effort_minutes=award["effort_minutes"],
            kind=award["kind"],
            definition=award["definition"],
            criteria=award["criteria"],
            outcomes=tuple(_outcome_of(outcome) for outcome in record["outcomes"]),
            issuer=issuer["name"],
            signatories=tuple(Signatory(s["name"], s["title"]) for s in issuer["signatories"]),
            look=Look(look["design"], look["colour"], look["logo"]),
            renews=record["renews"],
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UnreadableRecord(str(error)) from error


def _first_claim_of(record: Any) -> Claim:
    course = record["course"]
    return Claim(
        **_common(record),
        title=course["title"],
        key=course["key"],
        title_language=course["language"],
        revision=course["revision"],
        effort_minutes=course["effort_minutes"],
        outcomes=tuple(_first_outcome_of(outcome) for outcome in record["outcomes"]),
        issuer=record["issuer"]["name"],
    )


def _common(record: Any) -> dict[str, Any]:
    return {
        "serial": record["serial"],
        "code": record["code"],
        "url": record["url"],
        "holder": record["holder"]["name"],
        "assessed": record["result"]["assessed"],
        "score_pct": record["result"]["score_pct"],
        "completed_on": date.fromisoformat(record["completed_on"]),
        "issued_on": date.fromisoformat(record["issued_on"]),
        "valid_until": date.fromisoformat(record["valid_until"]) if record["valid_until"] is not None else None,
        "language": record["language"],
    }


def _first_outcome_of(outcome: Any) -> Outcome:
    framework, competency = outcome["framework"], outcome["competency"]
    return Outcome(
        framework=framework["title"],
        edition=framework["edition"],
        code=competency["code"],
        title=competency["title"],
        language=competency["language"],
        level=Level(**outcome["level"]) if outcome["level"] is not None else None,
    )


def _outcome_of(outcome: Any) -> Outcome:
    return replace(
        _first_outcome_of(outcome),
        uri=outcome["competency"]["uri"],
        grounds=tuple(Ground(g["kind"], g["title"], date.fromisoformat(g["on"])) for g in outcome["grounds"]),
    )


def heading_of(record: Any) -> dict[str, str]:
    """`title` and `language` of what was certified, of a record of either format, for lists that show many.

    Raises nothing for what we never wrote: both are empty then.
    """
    about = record.get("award") or record.get("course") if isinstance(record, dict) else None
    about = about if isinstance(about, dict) else {}
    return {"title": str(about.get("title", "")), "language": str(about.get("language", ""))}


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
