"""The demo ministry, third floor: one change in its middle, with two surveys closed and a pulse open; and in the other
public body, whose people nobody has asked yet, one about to start with a survey to approve and to open. Everything goes
through the services; only the ballots are written in bulk, as so many people would have cast them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from uuid import UUID

from django.contrib.auth.models import Group

from competencies.demo import Starter
from competencies.enums import EvidenceKind
from competencies.models import Evidence
from organisations.demo import Member, Ministry, i18n, moment, stream, workday_from
from organisations.models import Appointment, Job, Unit
from readiness.ballot import Ballot, seal_ballot
from readiness.closing import close_wave
from readiness.demo_texts import ACTIONS, CONCERNS, FIRST, NEXT, QUESTIONS, WISHES, Texts
from readiness.enums import (
    COURSE_EVALUATION,
    DEFAULT_K,
    IMPACT_ASPECTS,
    CommentState,
    InitiativeStatus,
    TeamRole,
    WaveEventKind,
    WaveKind,
)
from readiness.loading import load_shipped
from readiness.models import (
    Action,
    Champion,
    Comment,
    Concern,
    Envelope,
    Impact,
    Initiative,
    Instrument,
    LanguageReview,
    Milestone,
    Need,
    Participation,
    Question,
    ReadConfirmation,
    RoleImpact,
    TeamMember,
    Wave,
)
from readiness.outcome import TRAINING
from readiness.perms import CHANGE_EDITORS
from readiness.questionnaire import items_of, question_codes
from readiness.rates import count_responses
from readiness.sealing import LEAST_K
from readiness.tree import audience_of
from readiness.waves import approve_wave, digest_of, make_wave, open_wave

BODY, OTHER_BODY = "MPS", "NRO"
LEAST_PEOPLE = 24
BASELINE_AGO, PULSE_AGO, OPEN_AGO = 150, 72, 4
# Units that practised together, a week after each other, from so many days ago on.
WORKSHOPS, WORKSHOP_AGO = ("MPS-RN", "MPS-RS", "MPS-CCC", "MPS-ADS-DID"), 125
WORKSHOP = ("Practice with the new case file, half a day", "Práctica con el nuevo expediente, media jornada")
OPEN_DAYS = 14
# Where blocks stand at the beginning, as means on the scale of 1 to 5, and how they move from survey to survey.
START = {
    "why": 3.1, "benefit": 3.4, "support": 3.0, "efficacy": 2.9, "commitment": 3.5, "involved": 2.6, "acceptance": 2.9,
    "citizen_focus": 3.9, "job_satisfaction": 3.6, "engagement": 3.7, "public_service": 4.2,
}  # fmt: skip
MOVES = {"why": 0.35, "benefit": 0.15, "support": 0.1, "involved": 0.25}
# What training does to those trained, and to what.
LEARNED = {"efficacy": 0.85}
ANSWER_PCT, UNSURE_PCT, WISH_PCT = 82, 4, 45


@dataclass(frozen=True)
class Changes:
    """What came of it."""

    initiatives: int = 0
    surveys: int = 0
    answers: int = 0
    actions: int = 0
    # Who was in a workshop: something new is on record about them.
    trained: tuple[int, ...] = ()


def write_changes(ministry: Ministry, starter: Starter) -> Changes:
    """Needs people, posts, roles and their evidence. A ministry too small for a survey has none."""
    body = Unit.objects.get(code=BODY)
    team = _team(ministry)
    working = [m for m in ministry.members if m.seats and m.body == BODY and m.left_on is None]
    if len(working) < LEAST_PEOPLE or team is None:
        return Changes()
    load_shipped()
    Group.objects.get(name=CHANGE_EDITORS).user_set.add(ministry.account("editor").user)
    instrument = Instrument.objects.get(slug="readiness-core")
    for asked in (instrument, Instrument.objects.get(slug=COURSE_EVALUATION)):
        LanguageReview.objects.get_or_create(
            instrument=asked, language="es",
            defaults={"reviewer": ministry.account("hr").user, "note": "Read by two people who work at the counter."},
        )  # fmt: skip
    first = _initiative(FIRST, body, ministry, team, InitiativeStatus.PUBLISHED, starter)
    other = _other_team(ministry)
    upcoming = _initiative(
        NEXT, Unit.objects.get(code=OTHER_BODY), ministry, other, InitiativeStatus.PUBLISHED, starter
    )
    trained = _workshops(ministry, starter, working)
    answers = _survey_history(ministry, first, instrument, team, working)
    _journey(ministry, first, team, working)
    prepared = _prepare_first_survey(ministry, upcoming, instrument, other)
    # The errands of surveys that are over: nobody here reads their mails.
    Job.objects.filter(kind__startswith="readiness.").delete()
    actions = Action.objects.filter(initiative__in=[first, upcoming]).count()
    return Changes(2, 3 + prepared, answers, actions, trained)


@dataclass(frozen=True)
class Team:
    sponsor: Member
    lead: Member
    approvers: tuple[Member, Member]
    moderator: Member
    steward: Member


def _team(ministry: Ministry) -> Team | None:
    """Whoever holds the posts that fit; None where one of them is vacant."""
    there: dict[str, Member] = {}
    for member in ministry.members:
        if member.seats and member.body == BODY:
            for seat in member.seats:
                there.setdefault(seat.kind, member)
    wanted = [there.get(kind) for kind in ("head", "change-head", "data-head", "cio")]
    if any(member is None for member in wanted):
        return None
    head, change, data, cio = (member for member in wanted if member is not None)
    return Team(head, change, (data, cio), ministry.account("hr"), data)


def _other_team(ministry: Ministry) -> Team:
    """Of the other body: led from the ministry, by somebody whose work rests on it, and approved by two who can say no."""
    there = [member for member in ministry.members if member.seats and member.body == OTHER_BODY]
    head = next(member for member in there if member.seat.place.code == OTHER_BODY and member.seat.kind == "head")
    officer = ministry.officers[OTHER_BODY]
    lead, approver = ministry.account("manager"), ministry.account("ciso")
    return Team(head, lead, (officer, approver), officer, officer)


def _initiative(
    texts: Texts, body: Unit, ministry: Ministry, team: Team, status: InitiativeStatus, starter: Starter
) -> Initiative:
    initiative = Initiative.objects.create(
        slug=texts.slug, unit=body, status=status, is_public=True,
        starts_on=ministry.ago(texts.began_ago) if texts.began_ago > 0 else workday_from(ministry.as_of + timedelta(days=-texts.began_ago)),
        updated_on=ministry.last_day, **{name: i18n(words) for name, words in texts.fields.items()},
    )  # fmt: skip
    for days, done, words in texts.milestones:
        on = ministry.as_of + timedelta(days=days)
        Milestone.objects.create(initiative=initiative, on=workday_from(on), is_done=done, text=i18n(words))
    for role, words in texts.impacts.items():
        RoleImpact.objects.create(initiative=initiative, profile=starter.profiles[role], text=i18n(words))
    for place, (strengths, words) in texts.touches.items():
        unit = Unit.objects.get(code=place)
        Impact.objects.create(
            initiative=initiative, unit=unit, mitigation=i18n(words), **dict(zip(IMPACT_ASPECTS, strengths, strict=True)),
            people=Appointment.objects.current().filter(post__unit__path__startswith=unit.path).values("person").distinct().count(),
        )  # fmt: skip
    for code, rank in texts.needs:
        competency = starter.competencies[code]
        level = competency.version.levels.get(rank=rank)
        Need.objects.create(
            initiative=initiative, competency=competency, level=level,
            by=workday_from(ministry.as_of + timedelta(days=60)),
        )  # fmt: skip
    roles = [
        (team.sponsor, TeamRole.SPONSOR), (team.lead, TeamRole.LEAD), (team.approvers[0], TeamRole.APPROVER),
        (team.approvers[1], TeamRole.APPROVER), (team.moderator, TeamRole.MODERATOR), (team.steward, TeamRole.STEWARD),
        (ministry.account("editor"), TeamRole.EDITOR),
    ]  # fmt: skip
    for member, role in roles:
        TeamMember.objects.create(initiative=initiative, person=member.user, role=role)
    return initiative


def _workshops(ministry: Ministry, starter: Starter, working: Sequence[Member]) -> tuple[int, ...]:
    """Some units practised the new file together between the first two surveys; the others will later."""
    officer = ministry.account("hr").user
    competency = starter.competencies["SC3"]
    rows = []
    for member in working:
        code = member.seat.place.code
        if code in WORKSHOPS and not member.account and member.known_from < ministry.ago(WORKSHOP_AGO):
            on = ministry.ago(WORKSHOP_AGO - 7 * WORKSHOPS.index(code))
            rows.append(
                Evidence(
                    person=member.user, competency=competency, kind=EvidenceKind.COURSE, rank=1, assessed=False,
                    occurred_on=on, source=i18n(WORKSHOP), source_key=f"demo:workshop:{member.user.pk}",
                    recorded_by=officer, recorded_at=moment(on, 16 * 60),
                )
            )  # fmt: skip
    Evidence.objects.bulk_create(rows, batch_size=500)
    return tuple(sorted(row.person_id for row in rows))


# --- Surveys ---------------------------------------------------------------------------------------------------------
def _survey_history(
    ministry: Ministry, initiative: Initiative, instrument: Instrument, team: Team, working: Sequence[Member]
) -> int:
    # In a small ministry groups of ten would leave most units without a figure of their own.
    k = DEFAULT_K if len(working) >= 300 else LEAST_K
    answers = 0
    for turn, (kind, ago) in enumerate(
        ((WaveKind.BASELINE, BASELINE_AGO), (WaveKind.PULSE, PULSE_AGO), (WaveKind.PULSE, OPEN_AGO))
    ):
        # As the form has it: from the beginning of a day to the end of one.
        at = moment(ministry.ago(ago), 0)
        wave = make_wave(
            initiative=initiative, instrument=instrument, kind=kind, unit=initiative.unit, opens_at=at,
            closes_at=at + timedelta(days=OPEN_DAYS), by=team.lead.user, k=k, cut_attribute="leads",
        )  # fmt: skip
        for approver in team.approvers:
            approve_wave(wave=wave, by=approver.user, seen=digest_of(wave))
        wave = open_wave(wave=wave, by=team.lead.user, at=at)
        _date_record(wave, ministry, ago)
        answers += _cast(ministry, wave, turn, stream(ministry.seed, "survey", turn))
        if ago != OPEN_AGO:
            wave = close_wave(wave=wave, at=wave.closes_at)
            _moderate(wave)
            _act(ministry, initiative, wave, team, turn)
        else:
            count_responses(wave)
    return answers


def _prepare_first_survey(ministry: Ministry, initiative: Initiative, instrument: Instrument, team: Team) -> int:
    """The baseline of a change about to start, from today on: one approval is there, the other is for a reader to give,
    who may open it then. None where too few work there for any figure to be shown.
    """
    people = audience_of(initiative.unit, ministry.as_of).n
    k = DEFAULT_K if people >= 300 else LEAST_K
    if people < 2 * k:
        return 0
    at = moment(ministry.as_of, 0)
    wave = make_wave(
        initiative=initiative, instrument=instrument, kind=WaveKind.BASELINE, unit=initiative.unit, opens_at=at,
        closes_at=at + timedelta(days=OPEN_DAYS), by=team.lead.user, k=k,
    )  # fmt: skip
    approval = approve_wave(wave=wave, by=team.approvers[0].user, seen=digest_of(wave))
    approval.on = ministry.last_day
    approval.save(update_fields=["on"])
    for kind, on in ((WaveEventKind.MADE, ministry.ago(4)), (WaveEventKind.APPROVED, ministry.last_day)):
        wave.events.filter(kind=kind).update(on=on)
    return 1


def _date_record(wave: Wave, ministry: Ministry, ago: int) -> None:
    """What came before the opening happened before it, and not on the day of seeding."""
    for kind, days in ((WaveEventKind.MADE, 10), (WaveEventKind.APPROVED, 6)):
        wave.events.filter(kind=kind).update(on=workday_from(ministry.ago(ago + days)))


def _cast(ministry: Ministry, wave: Wave, turn: int, chance: Random) -> int:
    """Ballots as people of each unit would cast them: units differ, people differ more, and training shows in one block."""
    trained = _trained(wave)
    rows = list(Participation.objects.filter(wave=wave).select_related("person").order_by("person__email"))
    members = {member.user.pk: member for member in ministry.members}
    moods: dict[str, float] = defaultdict(float)
    for row in rows:
        if row.node_code not in moods:
            moods[row.node_code] = stream(ministry.seed, "mood", row.node_code).gauss(0, 0.22)
    share = ANSWER_PCT if wave.kind == WaveKind.BASELINE else ANSWER_PCT - 12
    if turn == 2:
        share = 41  # it has only begun
    envelopes, done = [], []
    for row in rows:
        member = members.get(row.person_id)
        if member is None or chance.random() * 100 >= share:
            continue
        own = stream(ministry.seed, "person", row.person.email).gauss(0, 0.45)
        answers = {}
        for block, item in items_of(wave.questionnaire):
            mean = START[block] + moods[row.node_code] + own + MOVES.get(block, 0.0) * turn
            if row.person_id in trained and turn:
                mean += LEARNED.get(block, 0.0)
            value = 0 if chance.random() * 100 < UNSURE_PCT else round(chance.gauss(mean, 0.6))
            answers[item["code"]] = min(5, max(1, value)) if value else 0
        comments = {}
        if turn < 2 and chance.random() * 100 < WISH_PCT:
            code = question_codes(wave.questionnaire)[0]
            comments[code] = chance.choice(WISHES)[row.person.language == "es"]
        ballot = Ballot(row.node_code, row.category, answers, comments)
        envelopes.append(Envelope(wave=wave, blob=seal_ballot(ballot, bytes(wave.public_key))))
        done.append(row.pk)
    Envelope.objects.bulk_create(envelopes, batch_size=500)
    for start in range(0, len(done), 500):
        Participation.objects.filter(pk__in=done[start : start + 500]).update(done=True)
    return len(done)


def _trained(wave: Wave) -> set[int]:
    """People of units in which most had learned what the change needs by then."""
    lineages: set[UUID] = {
        need.competency.lineage for need in wave.initiative.needs.select_related("competency") if need.competency
    }
    learned = set(
        Evidence.objects.standing()
        .filter(competency__lineage__in=lineages, kind__in=TRAINING, occurred_on__lte=wave.opens_at.date())
        .values_list("person_id", flat=True)
    )
    people: dict[str, list[int]] = defaultdict(list)
    for person_id, code in Participation.objects.filter(wave=wave).values_list("person_id", "node_code"):
        people[code].append(person_id)
    found: set[int] = set()
    for ids in people.values():
        if sum(pk in learned for pk in ids) * 2 >= len(ids):
            found |= set(ids)
    return found


def _moderate(wave: Wave) -> None:
    """A moderator has read all but two comments."""
    ids = list(Comment.objects.filter(wave=wave).order_by("place").values_list("pk", flat=True))
    Comment.objects.filter(pk__in=ids[2:]).update(state=CommentState.SHOWN)


def _act(ministry: Ministry, initiative: Initiative, wave: Wave, team: Team, turn: int) -> None:
    units = {unit.code: unit for unit in Unit.objects.filter(path__startswith=initiative.unit.path)}
    owners = {"lead": team.lead, "sponsor": team.sponsor, "manager": ministry.account("manager")}
    made_on = workday_from(wave.closes_at.date() + timedelta(days=5))
    for action in ACTIONS[turn]:
        unit = units.get(action.unit)
        if unit is None:
            continue
        Action.objects.create(
            initiative=initiative, unit=unit, wave=wave, block=action.block, text=action.text,
            owner=owners[action.owner].user, due_on=workday_from(ministry.as_of + timedelta(days=action.due)),
            what_staff_will_notice=action.notice, status=action.status, outcome=action.outcome,
            made_by=team.lead.user, made_on=made_on,
            ended_on=workday_from(made_on + timedelta(days=20)) if action.outcome else None,
        )  # fmt: skip


# --- The journey -----------------------------------------------------------------------------------------------------
def _journey(ministry: Ministry, initiative: Initiative, team: Team, working: Sequence[Member]) -> None:
    chance = stream(ministry.seed, "journey")
    readers = [member for member in working if not member.account and chance.random() < 0.6]
    ReadConfirmation.objects.bulk_create(
        ReadConfirmation(initiative=initiative, person=member.user, on=ministry.ago(chance.randint(10, 140)))
        for member in readers
    )
    named = [member for member in working if not member.account]
    for text, signed, ago, answer in QUESTIONS:
        asked = ministry.ago(ago)
        Question.objects.create(
            id=UUID(int=chance.getrandbits(128), version=4), initiative=initiative, text=text,
            asked_by=chance.choice(named).user if signed else None, place=chance.randrange(2**31), asked_on=asked,
            due_on=workday_from(asked + timedelta(days=7)), answer=answer,
            answered_by=team.lead.user if answer else None,
            answered_on=workday_from(asked + timedelta(days=3)) if answer else None,
        )  # fmt: skip
    units = {unit.code: unit for unit in Unit.objects.filter(path__startswith=initiative.unit.path)}
    for code, kind, text, ago, decision, answer in CONCERNS:
        if code in units:
            Concern.objects.create(
                initiative=initiative, unit=units[code], kind=kind, text=text, raised_on=ministry.ago(ago),
                decision=decision, answer=answer, decided_on=ministry.ago(ago - 10) if decision else None,
            )  # fmt: skip
    helpers: dict[str, Member] = {}
    for member in sorted(named, key=lambda m: (-m.drive, m.number)):
        helpers.setdefault(member.seat.place.code, member)
    for member in list(helpers.values())[:6]:
        Champion.objects.create(
            initiative=initiative, person=member.user, unit=units[member.seat.place.code], hours_month=6,
            manager_agreed=True,
        )  # fmt: skip
