"""Assessment campaigns: HR asks a unit to assess itself, managers confirm, everybody sees how far it is.

Whom a campaign asks follows the appointments: who joins the unit while it is open is invited the next morning, who
leaves it is no longer counted. Mails are few: an invitation, two reminders at most to whom something is left, and to a
manager one mail a week at most.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Case, Count, DateField, Exists, F, OuterRef, Q, QuerySet, Sum, Value, When
from django.db.models.functions import TruncDate
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from competencies.campaign_progress import (
    COUNTS_FOR,
    MANAGER_PAUSE,
    MOST_REMINDERS,
    Answers,
    Step,
    Word,
    gather_answers,
    is_reminder_due,
)
from competencies.enums import EvidenceKind
from competencies.models import (
    AssessmentCampaign,
    CampaignInvitation,
    CampaignManagerMail,
    Competency,
    Evidence,
    RoleProfile,
)
from competencies.selectors import Line, competencies_asked, counterparts_of, standing_of, successors_of
from competencies.services import EvidenceRefused, Finding, record_evidence
from organisations import mails, perms
from organisations.jobs import enqueue
from organisations.models import Appointment, Unit, User

logger = logging.getLogger(__name__)

CAMPAIGN_JOB = "competencies.campaign"
COUNT_JOB = "competencies.count_campaign"
MANAGERS_JOB = "competencies.remind_managers"
BATCH = 1000
LONGEST = timedelta(days=366)

Progress = Callable[[int, int], None]


class CampaignRefused(ValueError):
    """A campaign that cannot be opened or changed so; the text is for who tried, `field` is where it belongs."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


# --- One campaign on one day -------------------------------------------------------------------------------------
def last_day_of(campaign: AssessmentCampaign) -> date:
    """The last day on which answers count: the day it was ended, if that came first."""
    if campaign.ended_at is None:
        return campaign.closes_on
    return min(campaign.closes_on, timezone.localdate(campaign.ended_at))


def is_over(campaign: AssessmentCampaign, day: date) -> bool:
    return campaign.ended_at is not None or day > campaign.closes_on


def is_running(campaign: AssessmentCampaign, day: date) -> bool:
    return campaign.opens_on <= day and not is_over(campaign, day)


def running(day: date) -> QuerySet[AssessmentCampaign]:
    return AssessmentCampaign.objects.filter(opens_on__lte=day, closes_on__gte=day, ended_at__isnull=True)


def campaigns_visible_to(officer: User) -> QuerySet[AssessmentCampaign]:
    """Campaigns of the units an HR officer serves, the newest first."""
    return (
        AssessmentCampaign.objects.filter(unit__in=perms.units_served(officer).order_by().values("pk"))
        .select_related("unit", "profile__role", "created_by")
        .order_by("-opens_on", "-pk")
    )


def people_of(unit: Unit, day: date) -> QuerySet[User]:
    """Active people who hold a post in the unit or below it."""
    holders = Appointment.objects.current(day).filter(post__unit__path__startswith=unit.path)
    return User.objects.active().filter(pk__in=holders.values("person_id"))


def profile_in_force(profile: RoleProfile) -> int:
    return successors_of([profile.pk])[profile.pk]


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


def answers_of(campaign: AssessmentCampaign, person_ids: Sequence[int], day: date) -> dict[int, Answers]:
    """What the campaign asks each of these people for and what they answered; who left is asked for nothing.

    An assessment of another edition, or of a competency that is the same by a steward's word, counts. As many queries
    for one person as for a batch of them.
    """
    here = set(people_of(campaign.unit, day).filter(pk__in=person_ids).values_list("pk", flat=True))
    present = [pk for pk in person_ids if pk in here]
    found = {pk: Answers() for pk in person_ids}
    if not present:
        return found
    only = None if campaign.profile is None else profile_in_force(campaign.profile)
    asked, competencies = competencies_asked(present, day, only=only)
    meant = _meant_by(competencies)
    words: dict[int, list[Word]] = defaultdict(list)
    # Most of what is on record is older than what counts; it stays in the database.
    lately = Q(kind=EvidenceKind.SELF, occurred_on__gte=campaign.opens_on - COUNTS_FOR) | Q(
        kind=EvidenceKind.MANAGER, occurred_on__gte=campaign.opens_on
    )
    rows = Evidence.objects.standing().filter(lately, person_id__in=present, occurred_on__lte=day).order_by()
    for person_id, kind, competency_id, on in rows.values_list("person_id", "kind", "competency_id", "occurred_on"):
        for pk in meant.get(competency_id, ()):
            words[person_id].append(Word(pk, kind == EvidenceKind.MANAGER, on))
    last = last_day_of(campaign)
    for pk in present:
        found[pk] = gather_answers(asked.get(pk, frozenset()), words[pk], opens_on=campaign.opens_on, last_day=last)
    return found


def _meant_by(competencies: Mapping[int, Competency]) -> dict[int, list[int]]:
    """Id of a competency, in whatever edition → the competencies asked for that an assessment of it speaks of."""
    meant: dict[UUID, list[int]] = defaultdict(list)
    counterparts = counterparts_of(c.lineage for c in competencies.values())
    for pk, competency in competencies.items():
        meant[competency.lineage].append(pk)
        for counterpart in counterparts.get(competency.lineage, ()):
            meant[counterpart.lineage].append(pk)
    rows = Competency.objects.filter(lineage__in=meant).values_list("pk", "lineage")
    return {pk: meant[lineage] for pk, lineage in rows}


def _units_of_people(campaign: AssessmentCampaign, person_ids: Sequence[int], day: date) -> dict[int, int]:
    """The unit each belongs to in the campaign's branch: that of the post she has held longest. One query."""
    rows = Appointment.objects.current(day).filter(
        person_id__in=person_ids, post__unit__path__startswith=campaign.unit.path
    )
    found: dict[int, int] = {}
    for person_id, unit_id in rows.order_by("starts_on", "pk").values_list("person_id", "post__unit_id"):
        found.setdefault(person_id, unit_id)
    return found


# --- Opening, changing, ending -----------------------------------------------------------------------------------
@dataclass(frozen=True)
class Preview:
    """What opening would do. `elsewhere`: how many of the invited are asked by another campaign that is not over."""

    unit: Unit
    profile: RoleProfile | None
    people: int
    invited: int
    elsewhere: int

    @property
    def without_role(self) -> int:
        return self.people - self.invited


def preview_campaign(
    *, unit: Unit, profile: RoleProfile | None, opens_on: date, closes_on: date, by: User, at: datetime | None = None
) -> Preview:
    """Count whom a campaign would ask. Raises CampaignRefused where it could not be opened; writes nothing."""
    day = timezone.localdate(at or timezone.now())
    chosen = _checked(unit=unit, profile=profile, opens_on=opens_on, closes_on=closes_on, by=by, day=day)
    ids = list(people_of(unit, day).order_by("pk").values_list("pk", flat=True))
    if not ids:
        raise CampaignRefused(
            _("Nobody holds a post in “%(unit)s” or below it. Choose another unit.") % {"unit": unit}, "unit"
        )
    only = chosen.pk if chosen is not None else None
    invited: list[int] = []
    elsewhere = 0
    for batch in _batches(ids):
        asked, _competencies = competencies_asked(batch, day, only=only)
        asked_ids = [pk for pk in batch if asked.get(pk)]
        invited += asked_ids
        elsewhere += (
            CampaignInvitation.objects.filter(
                person_id__in=asked_ids,
                asked__gt=0,
                campaign__closes_on__gte=max(day, opens_on),
                campaign__opens_on__lte=closes_on,
                campaign__ended_at__isnull=True,
            )
            .values("person_id")
            .distinct()
            .count()
        )
    if not invited:
        raise CampaignRefused(_nobody_sentence(unit, chosen), "unit")
    return Preview(unit, chosen, len(ids), len(invited), elsewhere)


def _nobody_sentence(unit: Unit, profile: RoleProfile | None) -> str:
    if profile is not None:
        return _("Nobody in “%(unit)s” has the role “%(role)s”, or it requires nothing yet.") % {
            "unit": unit,
            "role": profile,
        }
    return _("Nobody in “%(unit)s” has a role yet, so there is nothing to assess. Assign roles first.") % {"unit": unit}


def _checked(
    *, unit: Unit, profile: RoleProfile | None, opens_on: date, closes_on: date, by: User, day: date
) -> RoleProfile | None:
    """The profile in force. Raises CampaignRefused for what must not be opened."""
    if not perms.units_served(by).filter(pk=unit.pk).exists():
        raise CampaignRefused(_("This unit is not among those you serve."), "unit")
    if opens_on < day:
        raise CampaignRefused(_("The first day is past. Choose today or later."), "opens_on")
    if closes_on < opens_on:
        raise CampaignRefused(_("The last day lies before the first."), "closes_on")
    if closes_on - opens_on > LONGEST:
        raise CampaignRefused(_("A campaign lasts a year at most. Choose an earlier last day."), "closes_on")
    if opens_on - day > LONGEST:
        raise CampaignRefused(_("Choose a first day within a year."), "opens_on")
    if profile is None:
        return None
    in_force = RoleProfile.objects.published().select_related("role").filter(pk=profile_in_force(profile)).first()
    if in_force is None:
        raise CampaignRefused(_("This role is no longer in use. Choose another."), "profile")
    return in_force


@transaction.atomic
def open_campaign(
    *,
    title: str,
    unit: Unit,
    profile: RoleProfile | None,
    opens_on: date,
    closes_on: date,
    asks_managers: bool,
    message: str,
    token: str,
    by: User,
    at: datetime | None = None,
) -> AssessmentCampaign:
    """Open a campaign; people are invited on its first day, at once when that is today. The same press opens one.

    Raises CampaignRefused with a sentence; then nothing is written.
    """
    moment = at or timezone.now()
    key = f"{by.pk}:{token}"
    already = AssessmentCampaign.objects.filter(token=key).first()
    if already is not None:
        return already
    name = " ".join(title.split())
    if not name:
        raise CampaignRefused(_("Give the campaign a title."), "title")
    preview = preview_campaign(unit=unit, profile=profile, opens_on=opens_on, closes_on=closes_on, by=by, at=moment)
    campaign = AssessmentCampaign(
        title=name,
        unit=unit,
        profile=preview.profile,
        message=message.strip(),
        opens_on=opens_on,
        closes_on=closes_on,
        asks_managers=asks_managers,
        created_by=by,
        created_at=moment,
        token=key,
    )
    try:
        with transaction.atomic():
            campaign.save(force_insert=True)
    except IntegrityError:  # the same press, twice at once
        return AssessmentCampaign.objects.get(token=key)
    log(
        instance=campaign,
        action="competencies.open_campaign",
        user=by,
        data={"unit": unit.pk, "opens_on": opens_on.isoformat(), "closes_on": closes_on.isoformat()},
    )
    if is_running(campaign, timezone.localdate(moment)):
        enqueue(kind=CAMPAIGN_JOB, key=f"{campaign.pk}:open", payload={"campaign": campaign.pk}, by=by)
    return campaign


@transaction.atomic
def extend_campaign(
    *, campaign: AssessmentCampaign, closes_on: date, by: User, at: datetime | None = None
) -> AssessmentCampaign:
    """Give people more time: a later last day. Raises CampaignRefused for an earlier one, or when it is over."""
    day = timezone.localdate(at or timezone.now())
    campaign = AssessmentCampaign.objects.select_for_update(of=("self",)).select_related("unit").get(pk=campaign.pk)
    _check_scope(campaign, by)
    if is_over(campaign, day):
        raise CampaignRefused(_("This campaign is over. Open a new one."), "closes_on")
    if closes_on == campaign.closes_on:
        return campaign
    if closes_on < campaign.closes_on:
        raise CampaignRefused(
            _("People were told %(day)s. The last day can only be moved to a later one.")
            % {"day": formats.date_format(campaign.closes_on)},
            "closes_on",
        )
    if closes_on - campaign.opens_on > LONGEST:
        raise CampaignRefused(_("A campaign lasts a year at most. Choose an earlier last day."), "closes_on")
    before = campaign.closes_on
    campaign.closes_on = closes_on
    campaign.save(update_fields=["closes_on"])
    log(
        instance=campaign,
        action="competencies.extend_campaign",
        user=by,
        data={"before": before.isoformat(), "closes_on": closes_on.isoformat()},
    )
    return campaign


@transaction.atomic
def end_campaign(*, campaign: AssessmentCampaign, by: User, at: datetime | None = None) -> AssessmentCampaign:
    """End a campaign before its last day; nobody is reminded any more. Ending it twice leaves the first end."""
    moment = at or timezone.now()
    campaign = AssessmentCampaign.objects.select_for_update(of=("self",)).select_related("unit").get(pk=campaign.pk)
    _check_scope(campaign, by)
    if is_over(campaign, timezone.localdate(moment)):
        return campaign
    campaign.ended_at = moment
    campaign.save(update_fields=["ended_at"])
    log(instance=campaign, action="competencies.end_campaign", user=by)
    return campaign


def _check_scope(campaign: AssessmentCampaign, by: User) -> None:
    if not perms.units_served(by).filter(pk=campaign.unit_id).exists():
        raise CampaignRefused(_("This unit is not among those you serve."))


# --- What the calendar does --------------------------------------------------------------------------------------
def run_campaign(
    *, campaign: AssessmentCampaign, at: datetime | None = None, progress: Progress | None = None
) -> dict[str, int]:
    """A day of a campaign: count, invite who came, send what is to be sent. Twice does what once does."""
    moment = at or timezone.now()
    if not is_running(campaign, timezone.localdate(moment)):
        return {"invited": 0, "mailed": 0, "reminded": 0}
    count_again(campaign=campaign, at=moment, progress=progress)
    invited = invite_people(campaign=campaign, at=moment, progress=progress)
    mailed = mail_invitations(campaign=campaign, at=moment, progress=progress)
    reminded = remind_people(campaign=campaign, at=moment, progress=progress)
    return {"invited": invited, "mailed": mailed, "reminded": reminded}


def invite_people(*, campaign: AssessmentCampaign, at: datetime, progress: Progress | None = None) -> int:
    """Invite everybody the campaign asks who is not invited yet, in batches. Returns how many are new."""
    day = timezone.localdate(at)
    here = people_of(campaign.unit, day).exclude(campaign_invitations__campaign=campaign)
    ids = list(here.order_by("pk").values_list("pk", flat=True))
    invited = 0
    for done, batch in enumerate(_batches(ids), start=1):
        answers = answers_of(campaign, batch, day)
        units = _units_of_people(campaign, batch, day)
        rows = [
            CampaignInvitation(
                campaign=campaign, person_id=pk, unit_id=units.get(pk), invited_at=at, **_as_fields(answers[pk])
            )
            for pk in batch
            if answers[pk].asked
        ]
        CampaignInvitation.objects.bulk_create(rows, ignore_conflicts=True)
        invited += len(rows)
        if progress is not None:
            progress(min(done * BATCH, len(ids)), len(ids))
    AssessmentCampaign.objects.filter(pk=campaign.pk, invited_at__isnull=True).update(invited_at=at)
    return invited


def _as_fields(answers: Answers) -> dict[str, int]:
    return dict(zip(("asked", "assessed", "confirmed"), answers.counts, strict=True))


def count_again(
    *,
    campaign: AssessmentCampaign,
    at: datetime,
    person_ids: Sequence[int] | None = None,
    progress: Progress | None = None,
) -> None:
    """Lay down anew how far people are: all who are invited, or some of them. Writes only what changed."""
    day = timezone.localdate(at)
    wanted = campaign.invitations.order_by("person_id")
    if person_ids is not None:
        wanted = wanted.filter(person_id__in=person_ids)
    ids = list(wanted.values_list("person_id", flat=True))
    for done, batch in enumerate(_batches(ids), start=1):
        answers = answers_of(campaign, batch, day)
        units = _units_of_people(campaign, batch, day)
        changed = []
        for row in campaign.invitations.filter(person_id__in=batch):
            # Who has left keeps the unit she belonged to.
            fresh = (*answers[row.person_id].counts, units.get(row.person_id, row.unit_id))
            if fresh != (row.asked, row.assessed, row.confirmed, row.unit_id):
                row.asked, row.assessed, row.confirmed, row.unit_id = fresh
                changed.append(row)
        if changed:
            fields = ["asked", "assessed", "confirmed", "unit"]
            CampaignInvitation.objects.bulk_update(changed, fields, batch_size=200)
        if progress is not None:
            progress(min(done * BATCH, len(ids)), len(ids))


def count_person(*, person_id: int, at: datetime) -> None:
    """Something about a person has changed: count her again in the campaigns that ask her now."""
    for campaign in campaigns_asking(person_id, timezone.localdate(at)):
        count_again(campaign=campaign, at=at, person_ids=[person_id])


def campaigns_asking(person_id: int, day: date) -> list[AssessmentCampaign]:
    return list(running(day).filter(invitations__person_id=person_id).select_related("unit", "profile").order_by("pk"))


def _send_once(invitation: CampaignInvitation, template: str, context: dict[str, object], claimed: bool) -> bool:
    """Send to one person who was claimed by an update just before. A refused address does not stop the others."""
    if not claimed:
        return False
    try:
        return mails.send(invitation.person, template, context)
    except SMTPRecipientsRefused:
        logger.warning("the address of person %s was refused", invitation.person_id)
        return False


def _context(invitation: CampaignInvitation, campaign: AssessmentCampaign) -> dict[str, object]:
    return {"campaign": campaign, "left": invitation.asked - invitation.assessed}


def mail_invitations(*, campaign: AssessmentCampaign, at: datetime, progress: Progress | None = None) -> int:
    """One mail to each person who is invited and has something to do, whoever asks for it and however often."""
    waiting = campaign.invitations.filter(mailed_at__isnull=True, assessed__lt=F("asked"))
    ids = list(waiting.order_by("pk").values_list("pk", flat=True))
    sent = 0
    for done, batch in enumerate(_batches(ids)):
        for n, row in enumerate(waiting.filter(pk__in=batch).select_related("person"), start=done * BATCH):
            unsent = CampaignInvitation.objects.filter(pk=row.pk, mailed_at__isnull=True)
            claimed = bool(unsent.update(mailed_at=at))
            sent += _send_once(row, "competencies/mails/campaign_invitation", _context(row, campaign), claimed)
            if progress is not None:
                progress(n, len(ids))
    return sent


def remind_people(*, campaign: AssessmentCampaign, at: datetime, progress: Progress | None = None) -> int:
    """Remind those to whom something is left, on the few days there are for it."""
    day = timezone.localdate(at)
    rows = campaign.invitations.filter(
        assessed__lt=F("asked"), mailed_at__isnull=False, reminders__lt=MOST_REMINDERS
    ).select_related("person")
    due = [
        row
        for row in rows
        if row.mailed_at is not None
        and is_reminder_due(
            opens_on=campaign.opens_on,
            closes_on=campaign.closes_on,
            invited_on=timezone.localdate(row.mailed_at),
            reminded_on=row.reminded_on,
            reminders=row.reminders,
            on=day,
        )
    ]
    sent = 0
    for n, row in enumerate(due):
        unsent = CampaignInvitation.objects.filter(pk=row.pk, reminders=row.reminders)
        claimed = bool(unsent.update(reminders=row.reminders + 1, reminded_on=day))
        sent += _send_once(row, "competencies/mails/campaign_reminder", _context(row, campaign), claimed)
        if progress is not None:
            progress(n, len(due))
    return sent


def waiting_for_managers(day: date) -> QuerySet[CampaignInvitation]:
    """Who has assessed herself in all that is asked and waits for her manager's word, in campaigns that run."""
    return (
        CampaignInvitation.objects.filter(campaign__in=running(day).filter(asks_managers=True), person__is_active=True)
        .filter(asked__gt=0, assessed=F("asked"), confirmed__lt=F("assessed"))
        .select_related("campaign")
        .order_by("campaign__closes_on", "campaign_id", "pk")
    )


@dataclass(frozen=True)
class Waiting:
    """How many people of a manager wait for her word in one campaign."""

    campaign: AssessmentCampaign
    person_ids: tuple[int, ...]

    @property
    def people(self) -> int:
        return len(self.person_ids)


def _by_campaign(rows: Sequence[CampaignInvitation]) -> list[Waiting]:
    found: dict[int, list[CampaignInvitation]] = defaultdict(list)
    for row in rows:
        found[row.campaign_id].append(row)
    return [Waiting(group[0].campaign, tuple(row.person_id for row in group)) for group in found.values()]


def confirmations_of(person_ids: Sequence[int], day: date) -> list[Waiting]:
    """Of these people, those who wait for their manager's word, by campaign. One query."""
    return _by_campaign(list(waiting_for_managers(day).filter(person_id__in=person_ids)))


def remind_managers(*, at: datetime, progress: Progress | None = None) -> int:
    """Tell managers how many of their people wait for their word: one mail in MANAGER_PAUSE at the most."""
    day = timezone.localdate(at)
    rows = list(waiting_for_managers(day))
    leads = perms.managers_of({row.person_id for row in rows}, day)
    mine: dict[int, list[CampaignInvitation]] = defaultdict(list)
    for row in rows:
        for manager_id in sorted(leads[row.person_id]):
            mine[manager_id].append(row)
    told = set(CampaignManagerMail.objects.filter(sent_on__gt=day - MANAGER_PAUSE).values_list("manager_id", flat=True))
    managers = User.objects.active().in_bulk(mine.keys() - told)
    sent = 0
    for n, (manager_id, manager) in enumerate(sorted(managers.items())):
        waiting = _by_campaign(mine[manager_id])
        _mail, claimed = CampaignManagerMail.objects.get_or_create(manager=manager, sent_on=day)
        if claimed:
            people = len({row.person_id for row in mine[manager_id]})
            try:
                sent += mails.send(
                    manager, "competencies/mails/campaign_manager", {"waiting": waiting, "people": people}
                )
            except SMTPRecipientsRefused:
                logger.warning("the address of person %s was refused", manager_id)
        if progress is not None:
            progress(n, len(managers))
    return sent


# --- What the person does ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Task:
    """What a campaign still asks a person for."""

    campaign: AssessmentCampaign
    left: int


def tasks_of(person: User, day: date) -> list[Task]:
    """What running campaigns still ask a person for, what ends first first. One query."""
    rows = (
        CampaignInvitation.objects.filter(person=person, campaign__in=running(day), assessed__lt=F("asked"))
        .select_related("campaign")
        .order_by("campaign__closes_on", "campaign_id")
    )
    return [Task(row.campaign, row.asked - row.assessed) for row in rows]


def left_to_assess(person: User, day: date) -> frozenset[int]:
    """Ids of the competencies that running campaigns still ask a person to assess herself in. One query where none does."""
    left: frozenset[int] = frozenset()
    for campaign in campaigns_asking(person.pk, day):
        left |= answers_of(campaign, [person.pk], day)[person.pk].left_to_assess
    return left


# --- What the manager does ---------------------------------------------------------------------------------------
@dataclass(frozen=True)
class ToConfirm:
    """What a person waits to have confirmed: the lines of her standing, and the day by which."""

    lines: tuple[Line, ...]
    closes_on: date | None


def to_confirm(person: User, day: date) -> ToConfirm:
    """What the person has assessed herself in for a running campaign, and her manager has not yet confirmed."""
    wanted: frozenset[int] = frozenset()
    closes: list[date] = []
    for campaign in campaigns_asking(person.pk, day):
        if campaign.asks_managers:
            left = answers_of(campaign, [person.pk], day)[person.pk].left_to_confirm
            wanted |= left
            closes += [campaign.closes_on] if left else []
    if not wanted:
        return ToConfirm((), None)
    lines = tuple(line for line in standing_of(person, as_of=day).lines if line.competency.pk in wanted)
    return ToConfirm(lines, min(closes))


def _confirmation_key(person: User, by: User, token: str) -> str:
    return f"manager:{by.pk}:{person.pk}:{token}"


def is_confirmed(*, person: User, by: User, token: str) -> bool:
    """Whether this very press was taken already."""
    key = _confirmation_key(person, by, token)
    return bool(token) and Evidence.objects.filter(person=person, source_key__startswith=f"{key}:").exists()


@transaction.atomic
def confirm_levels(
    *, person: User, findings: Sequence[Finding], note: str, token: str, by: User, at: datetime | None = None
) -> list[Evidence]:
    """A manager's word on several levels at once: all of them are recorded or none. The same press counts once.

    Raises EvidenceRefused for anybody but the person's manager, and for a level off its scale.
    """
    moment = at or timezone.now()
    day = timezone.localdate(moment)
    if by != person and not (by.is_superuser or perms.is_manager_of(by, person, day)):
        raise EvidenceRefused(_("You can only confirm levels of people you lead."))
    if not findings:
        raise EvidenceRefused(_("Choose at least one level, or confirm all as self-assessed."))
    if is_confirmed(person=person, by=by, token=token):
        prefix = f"{_confirmation_key(person, by, token)}:"
        return list(Evidence.objects.filter(person=person, source_key__startswith=prefix))
    return record_evidence(
        person=person,
        findings=findings,
        kind=EvidenceKind.MANAGER,
        source_key=_confirmation_key(person, by, token),
        by=by,
        occurred_on=day,
        assessed=True,
        note=note,
        at=moment,
    )


# --- How far it is: sums are made by the database ----------------------------------------------------------------
def _asked_people(day: date) -> QuerySet[CampaignInvitation]:
    """Invitations of people who are asked for something and are still in the campaign's unit: on the day, or when a
    campaign was over, on its last day."""
    return (
        CampaignInvitation.objects.filter(asked__gt=0)
        .annotate(
            counted_on=Case(
                When(campaign__ended_at__isnull=False, then=TruncDate("campaign__ended_at")),
                When(campaign__closes_on__lt=day, then=F("campaign__closes_on")),
                default=Value(day),
                output_field=DateField(),
            )
        )
        .filter(
            Exists(
                Appointment.objects.filter(
                    Q(ends_on__isnull=True) | Q(ends_on__gt=OuterRef("counted_on")),
                    Q(post__ends_on__isnull=True) | Q(post__ends_on__gt=OuterRef("counted_on")),
                    person=OuterRef("person"),
                    starts_on__lte=OuterRef("counted_on"),
                    post__unit__path__startswith=OuterRef("campaign__unit__path"),
                )
            )
        )
        .exclude(person__is_active=False, counted_on=day)
    )


STEP_FILTERS = {
    Step.NOT_BEGUN: Q(assessed=0),
    Step.BEGUN: Q(assessed__gt=0, assessed__lt=F("asked")),
    Step.ASSESSED: Q(assessed=F("asked"), confirmed__lt=F("assessed")),
    Step.CONFIRMED: Q(assessed=F("asked"), confirmed=F("assessed")),
}
SUMS = {
    "invited": Count("pk"),
    "assessed_all": Count("pk", filter=Q(assessed=F("asked"))),
    "confirmed_all": Count("pk", filter=STEP_FILTERS[Step.CONFIRMED]),
    "reminders_sent": Sum("reminders", default=0),
}


@dataclass(frozen=True)
class Tally:
    """People of a campaign: asked, done with assessing themselves, and confirmed in all of it."""

    invited: int = 0
    assessed: int = 0
    confirmed: int = 0
    reminders: int = 0

    @property
    def missing(self) -> int:
        return self.invited - self.assessed


def _tally(row: Any) -> Tally:
    return Tally(row["invited"], row["assessed_all"], row["confirmed_all"], row["reminders_sent"])


def tallies_of(campaigns: Sequence[AssessmentCampaign], day: date) -> dict[int, Tally]:
    """How far each of these campaigns is. One query."""
    rows = _asked_people(day).filter(campaign__in=campaigns).order_by().values("campaign_id").annotate(**SUMS)
    found = {row["campaign_id"]: _tally(row) for row in rows}
    return {campaign.pk: found.get(campaign.pk, Tally()) for campaign in campaigns}


def people_asked(campaign: AssessmentCampaign, day: date) -> QuerySet[CampaignInvitation]:
    """Who is asked and still there, or was there on the last day of a campaign that is over."""
    on = min(day, last_day_of(campaign))
    here = Appointment.objects.current(on).filter(post__unit__path__startswith=campaign.unit.path)
    rows = campaign.invitations.filter(asked__gt=0, person__in=here.values("person_id"))
    return rows if is_over(campaign, day) else rows.filter(person__is_active=True)


@dataclass(frozen=True)
class UnitTally:
    unit: Unit
    tally: Tally


def units_of(campaign: AssessmentCampaign, day: date) -> list[UnitTally]:
    """How far each unit is, in tree order. Two queries."""
    by_unit = people_asked(campaign, day).order_by().values("unit_id").annotate(**SUMS)
    rows = {row["unit_id"]: _tally(row) for row in by_unit}
    return [UnitTally(unit, rows[unit.pk]) for unit in Unit.objects.filter(pk__in=rows).order_by("path")]


def total_of(units: Sequence[UnitTally]) -> Tally:
    return Tally(
        sum(u.tally.invited for u in units),
        sum(u.tally.assessed for u in units),
        sum(u.tally.confirmed for u in units),
        sum(u.tally.reminders for u in units),
    )
