"""What the desks and the course pages show of certificates: {% load certificates %}."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django import template
from django.utils import timezone

from certificates import codes, selectors, telling, words
from certificates.enums import FileVerdict, Verdict
from certificates.findings import Finding
from certificates.import_words import words_of
from certificates.models import ImportedBadge
from certificates.record import Level
from competencies.models import Claim as EvidenceClaim
from courses.models import Enrolment
from organisations.models import User

register = template.Library()


@register.simple_tag
def certificates_of(person: User) -> list[selectors.CertificateItem]:
    """{% certificates_of person as certs %}: each with title, issued_on, serial, code, ready and url. One query."""
    return selectors.certificates_of(person)


@register.simple_tag
def certificate_for(enrolment: Enrolment | None) -> selectors.Standing | None:
    """{% certificate_for enrolment as standing %}: the certificate (`item`, `ready`) or its job's state. One query."""
    return selectors.certificate_for(enrolment)


@register.simple_tag
def badge_found(claim: EvidenceClaim) -> dict[str, Any] | None:
    """{% badge_found claim as found %}: what was found in the badge from elsewhere a claim rests on; None without. One query."""
    badge = ImportedBadge.objects.filter(claim=claim).first()
    return words_of(badge) if badge is not None else None


@register.filter
def day_in_words(day: date) -> str:
    """ "3 March 2026", as on the document."""
    return words.date_in_words(day)


@register.filter
def local_day(moment: datetime) -> date:
    """The day of a moment where the installation is."""
    return timezone.localdate(moment)


@register.filter
def level_in_words(level: Level) -> str:
    """ "Level 4 of 5 · Leads others"."""
    return words.level_in_words(level)


@register.filter
def display_code(code: str) -> str:
    """ "ABCDE-FGHJK", as it stands on paper."""
    return codes.display(code)


@register.filter
def verdict_kind(verdict: str) -> str:
    """The mark that goes with a verdict in a list."""
    return {
        Verdict.VALID: "done", Verdict.EXPIRED: "soon", Verdict.SUPERSEDED: "neutral",
    }.get(Verdict(verdict), "overdue")  # fmt: skip


@register.simple_tag
def finding_sentence(finding: Finding) -> str:
    """The sentence under the large word."""
    return telling.sentence(finding)


@register.simple_tag
def finding_advice(finding: Finding) -> list[str]:
    """What to make of it, and what to do."""
    return telling.advice(finding)


@register.filter
def finding_mark(finding: Finding) -> str:
    """The mark that goes with the large word. Only what is valid looks valid."""
    return {
        FileVerdict.VALID: "valid",
        FileVerdict.EXPIRED: "expired",
        FileVerdict.SUPERSEDED: "expired",
        FileVerdict.NOT_YET_VALID: "expired",
        FileVerdict.SUSPENDED: "revoked",
        FileVerdict.REVOKED: "revoked",
        FileVerdict.CHANGED: "revoked",
        FileVerdict.INVALID: "revoked",
    }.get(finding.state, "unknown")
