"""What a certificate says on paper, in the language that is switched on, in letters we have."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from certificates import codes
from certificates.pdf.typesetting import letters
from certificates.record import Claim, Level, Outcome
from certificates.words import date_in_words, duration_in_words, outcomes_heading
from organisations.paper import settable


@dataclass(frozen=True)
class Fact:
    label: str
    value: str


@dataclass(frozen=True)
class Shown:
    """A competency as it stands on the paper."""

    title: str
    language: str
    level: Level | None
    standing: str


@dataclass
class Wording:
    """Every text of the paper. `changed`: letters we lack were set in Latin ones."""

    claim: Claim
    changed: bool = False
    outcomes: list[Shown] = field(default_factory=list)

    def __post_init__(self) -> None:
        claim = self.claim
        self.holder = self.set(claim.holder)
        self.title = self.set(claim.title)
        self.issuer = self.set(claim.issuer)
        self.criteria = self.set(claim.criteria)
        self.signatories = [(self.set(one.name), self.set(one.title)) for one in claim.signatories]
        self.sentence = _sentence(claim)
        self.facts = _facts(claim)
        self.code = codes.display(claim.code)
        self.address = claim.url.split("://", 1)[-1].rstrip("/").rsplit("/", 1)[0]

    def set(self, text: str) -> str:
        fitting, changed = settable(" ".join(text.split()), letters())
        self.changed = self.changed or changed
        return fitting

    def show_outcomes(self, most: int) -> None:
        """Take up as many as there is room for; one place less where more are left over."""
        claim = self.claim
        taken = claim.outcomes if len(claim.outcomes) <= most else claim.outcomes[: most - 1]
        self.outcomes = [self._shown(outcome) for outcome in taken]

    def _shown(self, outcome: Outcome) -> Shown:
        level = outcome.level
        standing = ""
        if level is not None:
            standing = _("Level %(step)s of %(steps)s · %(label)s") % {
                "step": level.step,
                "steps": level.steps,
                "label": self.set(level.label),
            }
        return Shown(self.set(outcome.title), outcome.language, level, standing)

    @property
    def heading(self) -> str:
        """What the list of competencies is a list of."""
        claim = self.claim
        if claim.kind != "course" and not claim.assessed:
            return _("Competencies")
        return outcomes_heading(claim)

    @property
    def footnote(self) -> str:
        """Where the competencies are described, and how many more there are."""
        outcomes = self.claim.outcomes
        if not outcomes:
            return ""
        names = "; ".join(dict.fromkeys(self.set(f"{outcome.framework} {outcome.edition}") for outcome in outcomes))
        levels = any(outcome.level for outcome in outcomes)
        text = _("Levels as described in: %(frameworks)s.") if levels else _("As described in: %(frameworks)s.")
        text %= {"frameworks": names}
        more = len(outcomes) - len(self.outcomes)
        if more:
            text += " " + ngettext(
                "%(count)s more is listed where the certificate is checked.",
                "%(count)s more are listed where the certificate is checked.",
                more,
            ) % {"count": more}
        return text

    @property
    def number(self) -> str:
        text = _("No. %(serial)s") % {"serial": self.claim.serial}
        if self.claim.renews:
            text += " · " + _("renews No. %(serial)s") % {"serial": self.claim.renews}
        return text

    @property
    def note(self) -> str:
        """Why some letters are others than those of the name; empty where none are."""
        if not self.changed:
            return ""
        return _(
            "This document's typeface lacks some letters; they are set in Latin ones. "
            "The original is shown where the certificate is checked."
        )


def _sentence(claim: Claim) -> str:
    if claim.kind == "path":
        return _("has completed the learning path")
    if claim.kind == "level":
        return _("has shown the level")
    if claim.kind == "role":
        return _("meets what the role requires")
    if claim.assessed:
        return _("has completed the course and passed its final check")
    return _("has completed the course")


def _facts(claim: Claim) -> list[Fact]:
    label = {"level": _("Shown on"), "role": _("Met on")}.get(claim.kind, _("Completed on"))
    facts = [Fact(label, date_in_words(claim.completed_on)), Fact(_("Issued on"), date_in_words(claim.issued_on))]
    if claim.effort_minutes:
        facts.append(Fact(_("Learning time"), duration_in_words(claim.effort_minutes)))
    if claim.last_valid_on:
        facts.append(Fact(_("Valid up to and including"), date_in_words(claim.last_valid_on)))
    return facts
