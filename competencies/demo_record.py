"""The demo ministry: what waits for an answer, what was found out by a diagnostic, and a campaign that runs.

All of it comes from the services themselves, dated back; only the mails they ask for are not sent: nobody here reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from random import Random

from django.core.files.uploadedfile import SimpleUploadedFile
from reportlab.pdfgen.canvas import Canvas

from competencies.campaigns import invite_people, open_campaign
from competencies.claims import Asked, decide_claim, submit_claim
from competencies.contests import open_contest
from competencies.demo import Starter
from competencies.diagnosing import answer_question, bank_for, current_question, start_diagnostic
from competencies.enums import ClaimKind, EvidenceKind
from competencies.models import DiagnosticItem, Evidence, FindableConsent
from organisations.demo import Member, Ministry, moment, stream, workday_from
from organisations.enums import JobState
from organisations.models import Job

# How many of a hundred agree to be found when a role is to be filled.
AGREE_PCT = 18


@dataclass(frozen=True)
class Record:
    """What came of it. `changed`: ids of the people of whom something new is on record."""

    claims: int
    contests: int
    changed: frozenset[int]
    invited: int
    findable: int


def write_record(ministry: Ministry, starter: Starter) -> Record:
    """Needs people, posts, roles and their history; without item banks there are no diagnostics."""
    before = set(Job.objects.values_list("pk", flat=True))
    team = [m for m in ministry.team_of(ministry.account("manager")) if not m.account and m.seats]
    record = Record(
        claims=_claims(ministry, starter),
        contests=_contest(ministry, team),
        changed=frozenset({ministry.account("learner").user.pk, *_diagnostics(ministry, starter, team)}),
        invited=_campaign(ministry),
        findable=_agreements(ministry),
    )
    Job.objects.exclude(pk__in=before).filter(state=JobState.QUEUED, kind__startswith="competencies.").delete()
    return record


def _claims(ministry: Ministry, starter: Starter) -> int:
    """The demo learner's certificate from elsewhere was accepted; her prior learning waits for HR."""
    learner, officer = ministry.account("learner").user, ministry.account("hr").user
    accepted_at, waiting_at = moment(ministry.ago(41), 9 * 60), moment(ministry.ago(4), 15 * 60)
    issued_on = ministry.ago(200)
    asked = Asked(
        competency=starter.competencies["SC3"],
        kind=ClaimKind.CERTIFICATE,
        rank=2,
        title="Accessible public websites: practitioner",
        issuer="National School of Public Administration",
        issued_on=issued_on,
        valid_until=issued_on + timedelta(days=1095),
        statement="A course of two days with an assessed audit of a real form.",
        files=[_paper("certificate.pdf", "Certificate of achievement", "Accessible public websites: practitioner")],
    )
    claim = submit_claim(person=learner, asked=asked, token="demo-certificate", at=accepted_at)
    decide_claim(
        claim=claim,
        by=officer,
        accept=True,
        rank=2,
        answer="The certificate is genuine and says what was assessed.",
        at=moment(ministry.ago(37), 10 * 60),
    )
    asked = Asked(
        competency=starter.competencies["SC2"],
        kind=ClaimKind.PRIOR_LEARNING,
        rank=3,
        title="Redesign of the birth registration form",
        issued_on=ministry.ago(320),
        statement=(
            "I led the redesign with three registrars: interviews with 24 parents, two rounds of testing, from 41 fields "
            "to 17. The report and the before and after figures are attached."
        ),
        files=[_paper("report.pdf", "Redesign of the birth registration form", "From 41 fields to 17: what we tested")],
    )
    submit_claim(person=learner, asked=asked, token="demo-prior-learning", at=waiting_at)
    return 2


def _paper(name: str, title: str, line: str) -> SimpleUploadedFile:
    file = BytesIO()
    page = Canvas(file, invariant=1)
    page.setTitle(title)
    page.setFont("Helvetica", 20)
    page.drawString(72, 740, title)
    page.setFont("Helvetica", 12)
    page.drawString(72, 710, line)
    page.showPage()
    page.save()
    return SimpleUploadedFile(name, file.getvalue(), content_type="application/pdf")


def _contest(ministry: Ministry, team: Sequence[Member]) -> int:
    """Somebody of the manager's team says that a rating of his is too low."""
    ids = [member.user.pk for member in team]
    rated = (
        Evidence.objects.standing()
        .filter(person_id__in=ids, kind=EvidenceKind.MANAGER, rank__range=(1, 3))
        .select_related("person", "competency")
        .order_by("-occurred_on", "pk")
        .first()
    )
    if rated is None:
        return 0
    open_contest(
        person=rated.person,
        evidence=rated,
        wanted_rank=rated.rank + 1,
        reason="Since spring I have done this alone, also in the two weeks when the team lead was away. Please look at the notes of June.",
        token="demo-contest",
        at=moment(ministry.ago(6), 11 * 60),
    )
    return 1


def _diagnostics(ministry: Ministry, starter: Starter, team: Sequence[Member]) -> list[int]:
    """Two of the manager's team have taken a diagnostic; they answer as people of their drive would."""
    taken = []
    for number, (member, code) in enumerate(zip([m for m in team if m.drive > 0.3], ("TD3", "PC1"), strict=False)):
        bank = bank_for(starter.competencies[code])
        if bank is None:
            continue
        chance = stream(ministry.seed, "diagnostic", member.number)
        at = moment(ministry.ago(18 + 5 * number), 14 * 60)
        diagnostic = start_diagnostic(person=member.user, bank=bank, at=at, seed=chance.getrandbits(62))
        while (question := current_question(diagnostic)) is not None:
            option = _answer(question.item, theta=4 * member.drive - 2, chance=chance)
            diagnostic = answer_question(diagnostic=diagnostic, position=question.position, option=option, at=at)
        taken.append(member.user.pk)
    return taken


def _answer(item: DiagnosticItem, *, theta: float, chance: Random) -> int | None:
    """Right as often as somebody of that ability would be; otherwise a wrong answer, or none."""
    options = list(item.options.all())
    right = chance.random() < 1 / (1 + 2.718281828 ** (item.difficulty - theta))
    if not right and chance.random() < 0.2:
        return None
    return chance.choice([option.pk for option in options if option.correct == right])


def _campaign(ministry: Ministry) -> int:
    """HR asked the manager's unit two weeks ago; it runs for ten more days."""
    officer, unit = ministry.account("hr").user, ministry.account("manager").seat.post.unit
    opened = ministry.ago(14)
    at = moment(opened, 9 * 60)
    campaign = open_campaign(
        title="Where do we stand before the new service portal?",
        unit=unit,
        profile=None,
        opens_on=opened,
        closes_on=workday_from(ministry.as_of + timedelta(days=10)),
        asks_managers=True,
        message="In January the portal changes how we work. Half a minute a competency tells us what to learn first.",
        token="demo-campaign",
        by=officer,
        at=at,
    )
    invited = invite_people(campaign=campaign, at=at)
    campaign.invitations.update(mailed_at=at)
    return invited


def _agreements(ministry: Ministry) -> int:
    chance = stream(ministry.seed, "findable")
    at = moment(ministry.ago(60), 12 * 60)
    there = [m for m in ministry.members if m.seats and not m.account and chance.randrange(100) < AGREE_PCT]
    FindableConsent.objects.bulk_create(FindableConsent(person=m.user, agreed_at=at) for m in there)
    return len(there)
