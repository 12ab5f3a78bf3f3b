"""Asking about a course: rounds open by themselves, people are asked when their day has come, answers go into envelopes.

Reaction is asked right after a course, use at work from 60 to 90 days later: of the learner, and of her manager once for
all of her people who took the course, never of one of them.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from courses.models import Enrolment
from learning.enums import EvaluationKind, RoundState
from learning.models import EvaluationAsk, EvaluationEnvelope, EvaluationRound
from organisations import perms
from organisations.models import User
from readiness import keys
from readiness.ballot import Ballot, seal_ballot
from readiness.casting import CastRefused
from readiness.content import content_of
from readiness.enums import COURSE_EVALUATION, DEFAULT_K
from readiness.models import Instrument
from readiness.questionnaire import NoLanguage, item_codes, questionnaire_of
from readiness.sealing import LEAST_K
from readiness.waves import reviewed_languages

REACTION_DAYS = 14
USE_FROM_DAYS, USE_TO_DAYS = 60, 90
# So many days after the last is asked all have had their time to answer.
DAYS_TO_ANSWER = {
    EvaluationKind.REACTION: REACTION_DAYS,
    EvaluationKind.USE: USE_TO_DAYS - USE_FROM_DAYS,
    EvaluationKind.TEAM: USE_TO_DAYS - USE_FROM_DAYS,
}
# Few managers have people in one course; of those there are, five are the fewest a figure may be about.
SMALLEST = {EvaluationKind.REACTION: DEFAULT_K, EvaluationKind.USE: DEFAULT_K, EvaluationKind.TEAM: LEAST_K}
# A round lasts as long as it takes, by what was usual, for twice the smallest group to come; a year at most.
MONTHS = (3, 6, 12)
# All answers of a round are of one place: they are never counted by unit.
PLACE = "course"
BATCH = 1_000


# --- Rounds ----------------------------------------------------------------------------------------------------------
def round_for(course_key: str, kind: EvaluationKind, day: date, months: int | None = None) -> EvaluationRound | None:
    """The round in which people are asked on a day, opened where there is none. None without a questionnaire to ask.

    `months`: how long a new one asks, where that is not to be found out. Two workers who open it at once get the same
    one; the key of the one that came second goes.
    """
    there = (
        EvaluationRound.objects.open()
        .filter(course_key=course_key, kind=kind, opened_on__lte=day, asks_until__gte=day)
        .order_by("opened_on")
        .first()
    )
    if there is not None:
        return there
    questionnaire = _questionnaire(kind)
    if questionnaire is None:
        return None
    asks_until = day + relativedelta(months=months or _months(course_key, kind, day)) - timedelta(days=1)
    name = uuid.uuid4().hex
    public = keys.create_key(name)
    try:
        with transaction.atomic():
            return EvaluationRound.objects.create(
                course_key=course_key,
                kind=kind,
                opened_on=day,
                asks_until=asks_until,
                closes_on=asks_until + timedelta(days=DAYS_TO_ANSWER[kind] + 1),
                k=SMALLEST[kind],
                key_name=name,
                public_key=public,
                questionnaire=questionnaire,
            )
    except IntegrityError:
        keys.destroy_key(name)
        return EvaluationRound.objects.open().filter(course_key=course_key, kind=kind, opened_on=day).first()


def _questionnaire(kind: EvaluationKind) -> dict | None:
    """The statements of this kind in the newest version that is ready, in its reviewed languages."""
    instrument = Instrument.objects.usable().filter(slug=COURSE_EVALUATION).order_by("-version").first()
    if instrument is None:
        return None
    content = content_of(instrument)
    blocks = [block for block in content["blocks"] if block["code"] == kind]
    try:
        # No open questions: what somebody writes about a course of twelve people tells who she is.
        return questionnaire_of(
            {**content, "blocks": blocks, "questions": []}, "", {}, {}, reviewed_languages(instrument)
        )
    except NoLanguage:
        return None


def _months(course_key: str, kind: EvaluationKind, day: date) -> int:
    """How long a round takes new people, by how many completed the course before: see MONTHS."""
    rows = Enrolment.objects.completed().filter(course__key=course_key)
    for months in MONTHS[:-1]:
        came = rows.filter(completed_at__date__gt=day - relativedelta(months=months), completed_at__date__lte=day)
        if came.count() >= 2 * SMALLEST[kind]:
            return months
    return MONTHS[-1]


# --- Who is asked ----------------------------------------------------------------------------------------------------
def ask_for_reaction(enrolment: Enrolment, day: date) -> None:
    """Ask somebody who has just completed a course whether it was worth it. Twice is once."""
    if enrolment.completed_at is not None:
        ends = timezone.localdate(enrolment.completed_at) + timedelta(days=REACTION_DAYS)
        if ends >= day:
            key = enrolment.course.key
            new = _not_asked(EvaluationKind.REACTION, key, {enrolment.person_id: ends})
            _ask(EvaluationKind.REACTION, key, new, day)


def ask_everybody(day: date, course_key: str = "") -> int:
    """Ask all whose day has come and who are not asked yet, about all courses or one; returns how many. Twice is once.

    A round closes when the last who came to it has had her time, so whoever is within hers and was asked still has her
    row: nobody is asked twice about one completion.
    """
    reaction = _new(EvaluationKind.REACTION, 0, REACTION_DAYS, day, course_key)
    use = _new(EvaluationKind.USE, USE_FROM_DAYS, USE_TO_DAYS, day, course_key)
    # All posts are read to find who leads whom: once, for the people of all courses.
    everybody = {person_id for ends in use.values() for person_id in ends}
    leads = perms.managers_of(everybody, day) if everybody else {}
    asked = 0
    for key, ends in use.items():
        # Before the learners: were this to stop in between, their managers would be found again with them.
        managers = _not_asked(EvaluationKind.TEAM, key, _managers(ends, leads, day))
        asked += _ask(EvaluationKind.TEAM, key, managers, day) + _ask(EvaluationKind.USE, key, ends, day)
    return asked + sum(_ask(EvaluationKind.REACTION, key, ends, day) for key, ends in reaction.items())


def _new(kind: EvaluationKind, first: int, last: int, day: date, course_key: str) -> dict[str, dict[int, date]]:
    """By course: who completed it between `first` and `last` days ago and is not asked in this way yet."""
    found = _completed(day - timedelta(days=last), day - timedelta(days=first), last, course_key)
    return {key: new for key, ends in found.items() if (new := _not_asked(kind, key, ends))}


def _completed(first: date, last: date, days: int, course_key: str) -> dict[str, dict[int, date]]:
    """By course: who completed it between two days, and until when she is asked. One query."""
    rows = (
        Enrolment.objects.completed()
        .filter(completed_at__date__gte=first, completed_at__date__lte=last, person__is_active=True)
        .order_by("completed_at")
        .values_list("course__key", "person_id", "completed_at")
    )
    if course_key:
        rows = rows.filter(course__key=course_key)
    found: dict[str, dict[int, date]] = defaultdict(dict)
    for key, person_id, moment in rows.iterator(chunk_size=10_000):
        found[key][person_id] = timezone.localdate(moment) + timedelta(days=days)
    return found


def _managers(ends: Mapping[int, date], leads: Mapping[int, set[int]], day: date) -> dict[int, date]:
    """Who leads these people, each until the last of hers is past her time."""
    found: dict[int, date] = {}
    for person_id, until in ends.items():
        for manager in leads.get(person_id, ()):
            found[manager] = max(found.get(manager, day), until)
    return found


def _not_asked(kind: EvaluationKind, course_key: str, ends: Mapping[int, date]) -> dict[int, date]:
    """Those of these people who stand in no open round of this kind yet. A query for each thousand."""
    there: set[int] = set()
    for ids in _parts(list(ends)):
        there |= set(
            EvaluationAsk.objects.filter(
                person__in=ids, round__course_key=course_key, round__kind=kind, round__state=RoundState.OPEN
            ).values_list("person_id", flat=True)
        )
    return {person_id: until for person_id, until in ends.items() if person_id not in there}


def _ask(kind: EvaluationKind, course_key: str, new: Mapping[int, date], day: date) -> int:
    """Write who is asked until when."""
    if not new:
        return 0
    at = round_for(course_key, kind, day)
    if at is None:
        return 0
    EvaluationAsk.objects.bulk_create(
        [EvaluationAsk(round=at, person_id=person_id, until=until) for person_id, until in new.items()],
        batch_size=BATCH,
        ignore_conflicts=True,
    )
    return len(new)


def _parts(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def waiting_for(person: User, day: date) -> list[EvaluationAsk]:
    """What stands on her desk: one line a course and kind, the soonest to end on top. One query."""
    rows = EvaluationAsk.objects.filter(
        person=person, done=False, until__gte=day, round__state=RoundState.OPEN, round__closes_on__gt=day
    )
    return list(rows.select_related("round").order_by("until", "pk"))


def ask_of(person: User, course_key: str, kind: str, day: date) -> EvaluationAsk | None:
    """Her row of this kind about a course while answers are taken: one to answer before one that is answered."""
    rows = EvaluationAsk.objects.filter(
        person=person,
        round__course_key=course_key,
        round__kind=kind,
        round__state=RoundState.OPEN,
        round__closes_on__gt=day,
    )
    return rows.select_related("round").order_by("done", "-round__opened_on").first()


def people_meant(manager: User, course_key: str, day: date) -> list[User]:
    """Those she leads who completed the course within the last 90 days: whom her statements are about, together."""
    since = day - timedelta(days=USE_TO_DAYS)
    took = Enrolment.objects.completed().filter(course__key=course_key, completed_at__date__gte=since)
    return list(User.objects.led_by(manager, day).filter(pk__in=took.values("person_id")).order_by("name", "pk"))


# --- Answers ---------------------------------------------------------------------------------------------------------
@sensitive_variables()
def cast(*, ask: EvaluationAsk, answers: Mapping[str, int], day: date | None = None) -> None:
    """Take the answers of one person: 1 to 5 by item code, 0 or left out for "don't know". Raises CastRefused."""
    today = day or timezone.localdate()
    with transaction.atomic():
        row = EvaluationAsk.objects.select_for_update(of=("self",)).filter(pk=ask.pk).first()
        if row is None:
            raise CastRefused(_("The time to answer is up. Your answers were not taken."))
        if row.done:
            raise CastRefused(_("You have answered already. Your answers cannot be changed."), already=True)
        # Read after the lock: who closes the round holds all these rows.
        at = EvaluationRound.objects.get(pk=row.round_id)
        given = {code: answers.get(code, 0) for code in item_codes(at.questionnaire)}
        if any(value not in range(6) for value in given.values()):
            raise CastRefused(_("An answer is not on the scale. Look at your answers again."))
        if not any(given.values()):
            raise CastRefused(_("You have not answered anything yet."))
        if at.state != RoundState.OPEN or today >= at.closes_on:
            raise CastRefused(_("The time to answer is up. Your answers were not taken."))
        blob = seal_ballot(Ballot(PLACE, "", given, {}), bytes(at.public_key))
        EvaluationEnvelope.objects.create(round=at, blob=blob)
        row.done = True
        row.save(update_fields=["done"])
