"""What is to be said of a file somebody handed in: the one word, each step that led to it, and the least that proves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.utils import timezone

from certificates import check_words
from certificates.credentials.jwt import moment
from certificates.credentials.verifying import Checked, Result
from certificates.enums import FileVerdict, Verdict
from certificates.record import Claim, tidy
from certificates.verdicts import Judgement
from certificates.words import date_in_words

# Names in badges of others are as long as they like; what is longer than this is no name.
LONGEST_SHOWN = 300


@dataclass(frozen=True)
class Step:
    """One look at the file. `check` is a key of check_words.CHECKS, `code` one of REASONS, or of CAUTIONS where it passed."""

    check: str
    result: Result
    code: str = ""
    detail: str = ""

    @property
    def heading(self) -> str:
        return check_words.heading(self.check)

    @property
    def sentence(self) -> str:
        if self.result is Result.PASSED:
            return check_words.reason(self.code) if self.code else check_words.passed(self.check)
        detail = self.detail
        if self.code in ("expired", "not_yet_valid"):
            detail = day_in_words(detail)
        return check_words.reason(self.code, detail)


@dataclass(frozen=True)
class Issuer:
    """Who issued it. `name` is ours for those we know, else what the file says of itself, which anybody may write."""

    identifier: str = ""
    name: str = ""
    known: bool = False
    ours: bool = False


@dataclass(frozen=True)
class Said:
    """The least of what a badge from elsewhere says. Only of one whose signature fits."""

    title: str
    holder: str
    issued_on: date | None
    valid_until: date | None  # the last day, as it stands there


@dataclass(frozen=True)
class Finding:
    """`judgement` is that of our own records, for what is ours; `said` is for what is not.

    `form` is json, jwt, png, svg, pdf or unknown. `covers_paper` is False for a PDF of which only the badge inside was judged.
    """

    state: FileVerdict
    form: str
    steps: tuple[Step, ...] = ()
    issuer: Issuer = field(default_factory=Issuer)
    judgement: Judgement | None = None
    said: Said | None = None
    cautions: tuple[str, ...] = ()
    covers_paper: bool = True

    @property
    def claim(self) -> Claim | None:
        return self.judgement.claim if self.judgement else None

    @property
    def caution_sentences(self) -> list[str]:
        return [check_words.caution(code) for code in self.cautions]

    @property
    def troubles(self) -> list[Step]:
        """What did not pass, what failed before what could not be told."""
        return sorted(
            (step for step in self.steps if step.result is not Result.PASSED),
            key=lambda step: step.result is not Result.FAILED,
        )

    @property
    def first_gap(self) -> str:
        """The check that could not be decided first, or nothing."""
        return next((step.check for step in self.steps if step.result is Result.UNDECIDED), "")

    def cautioned(self, *codes: str) -> Finding:
        return replace(self, cautions=tuple(dict.fromkeys([*self.cautions, *codes])))


# How the verdicts of our own records are called when a file led to them, and the code of the step that says why.
BY_RECORDS = {
    Verdict.VALID: (FileVerdict.VALID, ""),
    Verdict.EXPIRED: (FileVerdict.EXPIRED, "records_expired"),
    Verdict.SUPERSEDED: (FileVerdict.SUPERSEDED, "records_superseded"),
    Verdict.REVOKED: (FileVerdict.REVOKED, "records_revoked"),
    Verdict.CHANGED: (FileVerdict.CHANGED, "records_changed"),
    Verdict.UNKNOWN: (FileVerdict.UNKNOWN, "records_unknown"),
}


def records_step(judgement: Judgement) -> Step:
    code = BY_RECORDS[judgement.verdict][1]
    return Step("records", Result.FAILED if code else Result.PASSED, code)


def unreadable(form: str, code: str) -> Finding:
    check = "paper" if code.startswith("paper") else "reading"
    return Finding(FileVerdict.UNREADABLE, form, (Step(check, Result.FAILED, code),))


def step_of(checked: Checked) -> Step:
    return Step(checked.check.value, checked.result, checked.code, shown(checked.detail))


def shown(text: Any) -> str:
    """One line of what a file says, for a person to read; nothing where it is no text."""
    return tidy(text)[:LONGEST_SHOWN] if isinstance(text, str) else ""


def said_in(credential: Mapping[str, Any]) -> Said:
    """The least that a badge from elsewhere says. Nothing in it is taken for what it should be."""
    subject = _first(credential.get("credentialSubject"))
    achievement = _first(subject.get("achievement"))
    return Said(
        title=shown(achievement.get("name")) or shown(credential.get("name")),
        holder=_holder(subject),
        issued_on=_day(credential.get("validFrom", credential.get("issuanceDate"))),
        valid_until=_day(credential.get("validUntil", credential.get("expirationDate"))),
    )


def issuer_name_in(credential: Mapping[str, Any]) -> str:
    issuer = credential.get("issuer")
    return shown(issuer.get("name")) if isinstance(issuer, dict) else ""


def _holder(subject: Mapping[str, Any]) -> str:
    """A name in clear, where there is one; hashed names and addresses are the holder's to disclose."""
    listed = subject.get("identifier")
    for entry in listed if isinstance(listed, list) else [listed]:
        if isinstance(entry, dict) and entry.get("hashed") is False and entry.get("identityType") == "name":
            return shown(entry.get("identityHash"))
    return shown(subject.get("name"))


def _first(value: Any) -> Mapping[str, Any]:
    found = value[0] if isinstance(value, list) and value else value
    return found if isinstance(found, dict) else {}


def _day(text: Any) -> date | None:
    """The day here of a moment in a badge."""
    try:
        return timezone.localdate(moment(text))
    except (ValueError, OverflowError):
        return None


def day_in_words(text: str) -> str:
    """ "3 March 2026" of a moment as it stands in a badge; the text itself where it is none."""
    day = _day(text)
    return date_in_words(day) if day else text
