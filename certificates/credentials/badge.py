"""From a certificate's record to an Open Badges 3.0 credential.

A pure function: the same record, issuer, words and place in the status list give the same credential. What a person
reads in it comes with `Words`, in the language of the document; everything else comes from the record.
Source: Open Badges 3.0 data model; docs/algorithms/credentials.md, whose worked example is tests/certificates/credentials/test_badge.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from certificates.credentials.contexts import CREDENTIALS_V2, OPEN_BADGES
from certificates.credentials.status import stamp
from certificates.record import Claim, Outcome


@dataclass(frozen=True)
class IssuerProfile:
    """Who vouches, as the world finds them. `did` is a did:web or did:key; the name comes from the record."""

    did: str
    url: str = ""
    email: str = ""
    description: str = ""
    image_url: str = ""


@dataclass(frozen=True)
class Words:
    """Texts in the language of the document: what it is, what it took, and what the levels are called."""

    description: str
    criteria: str
    level_heading: str  # e.g. "Level in Cyber risk governance" with %(competency)s filled per outcome


@dataclass(frozen=True)
class EvidenceItem:
    """What the holder has shown. No address where it is not public."""

    name: str
    narrative: str = ""
    genre: str = ""
    url: str = ""


@dataclass(frozen=True)
class Picture:
    """The badge's image: an https address or a data: URL, and what it shows."""

    url: str
    caption: str


def achievement_credential(
    claim: Claim,
    *,
    issuer: IssuerProfile,
    words: Words,
    zone: tzinfo,
    competency_urls: Mapping[tuple[str, str, str], str] | None = None,
    status: Mapping[str, Any] | None = None,
    evidence: Sequence[EvidenceItem] = (),
    picture: Picture | None = None,
    level_labels: Mapping[tuple[str, str, str], Sequence[str]] | None = None,
    achievement_url: str = "",
    subject_id: str = "",
) -> dict[str, Any]:
    """The unsigned credential of a certificate.

    `zone` is where the record's dates are days. An outcome's own address (a CASE URI) stands where it has one, else what
    `competency_urls` has for (framework title, edition, code); one without any points at the certificate itself. `status` is
    status.entry(…). `level_labels` has all labels of a scale, lowest first. `subject_id` is the holder's own DID, if any;
    else the holder has an identifier that is used in this credential and nowhere else.
    The score is not in it: it is shown to nobody.
    """
    urls, labels = competency_urls or {}, level_labels or {}
    credential: dict[str, Any] = {
        "@context": [CREDENTIALS_V2, OPEN_BADGES],
        "id": claim.url,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": claim.title,
        "issuer": _issuer(claim, issuer),
        "validFrom": _start_of(claim.issued_on, zone),
    }
    if claim.valid_until is not None:
        # The record names the first day on which it no longer counts, the credential the last second in which it does.
        credential["validUntil"] = _start_of(claim.valid_until, zone, less=timedelta(seconds=1))
    credential["awardedDate"] = _start_of(claim.completed_on, zone)
    credential["credentialSubject"] = _subject(claim, words, urls, labels, picture, achievement_url, subject_id)
    if evidence:
        credential["evidence"] = [_evidence(item) for item in evidence]
    if status is not None:
        credential["credentialStatus"] = dict(status)
    return credential


# Terms of Open Badges 3.0 for what a certificate is for.
_ACHIEVEMENT = {"level": "Competency", "path": "LearningProgram", "role": "Certification"}


def _issuer(claim: Claim, issuer: IssuerProfile) -> dict[str, Any]:
    profile: dict[str, Any] = {"id": issuer.did, "type": ["Profile"], "name": claim.issuer}
    profile |= _present(url=issuer.url, email=issuer.email, description=issuer.description)
    if issuer.image_url:
        profile["image"] = {"id": issuer.image_url, "type": "Image"}
    return profile


def _subject(
    claim: Claim,
    words: Words,
    urls: Mapping[tuple[str, str, str], str],
    labels: Mapping[tuple[str, str, str], Sequence[str]],
    picture: Picture | None,
    achievement_url: str,
    subject_id: str,
) -> dict[str, Any]:
    achievement: dict[str, Any] = {
        "id": achievement_url or _urn(claim.url, "achievement"),
        "type": ["Achievement"],
        "achievementType": _ACHIEVEMENT.get(claim.kind, "Certificate") if claim.assessed else "CertificateOfCompletion",
        "name": claim.title,
        "description": words.description,
        "criteria": {"narrative": words.criteria},
        "inLanguage": claim.language,
    }
    if claim.revision is not None:
        achievement["version"] = str(claim.revision)
    if picture is not None:
        achievement["image"] = {"id": picture.url, "type": "Image", "caption": picture.caption}
    alignments = [_alignment(claim, outcome, urls) for outcome in claim.outcomes]
    if alignments:
        achievement["alignment"] = alignments
    described, results = _results(claim, words, labels)
    if described:
        achievement["resultDescription"] = described
    subject: dict[str, Any] = {
        "id": subject_id or _urn(claim.url, "holder"),
        "type": ["AchievementSubject"],
        "identifier": [
            {"type": "IdentityObject", "hashed": False, "identityHash": claim.holder, "identityType": "name"}
        ],
        "licenseNumber": claim.serial,
        "achievement": achievement,
    }
    if results:
        subject["result"] = results
    return subject


def _alignment(claim: Claim, outcome: Outcome, urls: Mapping[tuple[str, str, str], str]) -> dict[str, Any]:
    address = outcome.uri or urls.get(_key(outcome))
    return {
        "type": ["Alignment"],
        "targetName": outcome.title,
        "targetUrl": address or f"{claim.url}#{_fragment(outcome.code)}",
        "targetCode": outcome.code,
        "targetFramework": f"{outcome.framework} {outcome.edition}".strip(),
        "targetType": "CFItem" if address else "ceasn:Competency",
    }


def _results(
    claim: Claim, words: Words, labels: Mapping[tuple[str, str, str], Sequence[str]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What can be reached, and what was: a level of each outcome that has one."""
    described, results = [], []
    for number, outcome in enumerate(claim.outcomes, start=1):
        if outcome.level is None:
            continue
        name = _urn(claim.url, f"result-{number}")
        description: dict[str, Any] = {
            "id": name,
            "type": ["ResultDescription"],
            "name": words.level_heading % {"competency": outcome.title},
            "resultType": "PerformanceLevel",
        }
        if labels.get(_key(outcome)):
            description["allowedValue"] = list(labels[_key(outcome)])
        described.append(description)
        results.append({"type": ["Result"], "resultDescription": name, "value": outcome.level.label})
    return described, results


def _evidence(item: EvidenceItem) -> dict[str, Any]:
    return {
        **_present(id=item.url),
        "type": ["Evidence"],
        "name": item.name,
        **_present(narrative=item.narrative, genre=item.genre),
    }


def _key(outcome: Outcome) -> tuple[str, str, str]:
    return outcome.framework, outcome.edition, outcome.code


def _fragment(code: str) -> str:
    return quote(code, safe="-._~")


def _urn(url: str, part: str) -> str:
    """An identifier that follows from the certificate and that nobody can follow to another one."""
    return f"urn:uuid:{uuid5(NAMESPACE_URL, f'{url}#{part}')}"


def _present(**members: str) -> dict[str, str]:
    return {name: value for name, value in members.items() if value}


def _start_of(day: date, zone: tzinfo, *, less: timedelta = timedelta(0)) -> str:
    return stamp(datetime.combine(day, time(0), zone).astimezone(UTC) - less)
