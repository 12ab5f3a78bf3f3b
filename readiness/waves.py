"""Preparing and opening a survey: who is asked what, by whose word, and never too often."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.log_actions import log

from organisations.jobs import enqueue
from organisations.key_folder import LEAST_PASSPHRASE, KeyMissing, KeyTrouble, WrongPassphrase
from organisations.models import Unit, User
from readiness import keys
from readiness.content import content_of
from readiness.enums import (
    APPROVALS_NEEDED,
    INVITATION_PAUSE,
    INVITE_JOB,
    OPEN_JOB,
    KeyKeeper,
    TeamRole,
    WaveEventKind,
    WaveState,
)
from readiness.keystore import ShortPassphrase
from readiness.models import (
    Action,
    Initiative,
    Instrument,
    LanguageReview,
    LastInvitation,
    Participation,
    Wave,
    WaveApproval,
    WaveEligible,
    WaveEvent,
    WaveNode,
)
from readiness.perms import is_in_team, may_run
from readiness.questionnaire import NoLanguage, questionnaire_of
from readiness.signals import wave_opened
from readiness.tree import Asked, Audience, audience_of, words_of

BATCH = 2_000
# A survey of less than a day asks only those who happen to be at work.
LEAST_OPEN = timedelta(days=1)
MOST_OPEN = timedelta(days=60)


class WaveRefused(ValueError):
    """A survey that cannot be prepared, approved or opened; `reasons` are sentences for the person who tried."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


# --- Preparing -------------------------------------------------------------------------------------------------------
@transaction.atomic
def make_wave(
    *,
    initiative: Initiative,
    instrument: Instrument,
    kind: str,
    unit: Unit,
    opens_at: datetime,
    closes_at: datetime,
    by: User,
    k: int,
    cut_attribute: str = "",
    key_keeper: str = KeyKeeper.FILE,
) -> Wave:
    """Prepare a survey. One draft an initiative at a time: the same press twice gives the same draft."""
    initiative = Initiative.objects.select_for_update(of=("self",)).select_related("unit").get(pk=initiative.pk)
    _check_may_run(by, initiative)
    if not unit.path.startswith(initiative.unit.path):
        raise WaveRefused(_("Ask people of the initiative's own unit, or of units below it."))
    draft = Wave.objects.filter(initiative=initiative, state=WaveState.DRAFT).first()
    wave = draft or Wave(initiative=initiative, made_by=by)
    new = (instrument.pk, kind, unit.pk, opens_at, closes_at, k, cut_attribute, key_keeper)
    old = (
        wave.instrument_id, wave.kind, wave.unit_id, wave.opens_at, wave.closes_at, wave.k, wave.cut_attribute,
        wave.key_keeper,
    )  # fmt: skip
    if draft is not None and new == old:
        return draft
    wave.instrument, wave.kind, wave.unit, wave.opens_at, wave.closes_at = instrument, kind, unit, opens_at, closes_at
    wave.k, wave.cut_attribute, wave.key_keeper = k, cut_attribute, key_keeper
    wave.previous = last_result(initiative, instrument)
    try:
        wave.full_clean(exclude=["questionnaire", "summary", "public_key"])
    except ValidationError as error:
        raise WaveRefused(*error.messages) from error
    wave.save()
    if draft is None:
        note(wave, WaveEventKind.MADE, by)
    log(instance=initiative, action="readiness.make_wave", user=by, data={"wave": wave.pk})
    return wave


@transaction.atomic
def discard_wave(*, wave: Wave, by: User) -> None:
    """Throw away a survey that was never opened; its key too, where the data steward had made one."""
    locked = Wave.objects.select_for_update(of=("self",)).filter(pk=wave.pk).first()
    if locked is None:
        return
    _check_may_run(by, locked.initiative)
    if locked.state != WaveState.DRAFT:
        raise WaveRefused(_("This survey has been opened: it runs until it closes."))
    name = locked.key_name
    log(instance=locked.initiative, action="readiness.discard_wave", user=by, data={"wave": locked.pk})
    locked.delete()
    if name:
        transaction.on_commit(partial(keys.destroy_key, name))


def last_result(initiative: Initiative, instrument: Instrument | None = None) -> Wave | None:
    """The last survey of this initiative with results, of this questionnaire in any version if one is named."""
    waves = Wave.objects.with_results().filter(initiative=initiative)
    if instrument is not None:
        waves = waves.filter(instrument__slug=instrument.slug)
    return waves.order_by("-closes_at", "-pk").first()


def _check_may_run(by: User, initiative: Initiative) -> None:
    if not may_run(by, initiative):
        raise WaveRefused(_("Surveys are prepared by the change team, or by HR of the whole unit."))


# --- The key, where the data steward keeps it ------------------------------------------------------------------------
@transaction.atomic
def make_key(*, wave: Wave, by: User, passphrase: str) -> Wave:
    """The data steward makes the key pair; the private part is only ever opened by her passphrase. Once a survey."""
    wave = _draft(wave)
    if wave.key_keeper != KeyKeeper.PASSPHRASE:
        raise WaveRefused(_("The key of this survey is made when it opens."))
    if not is_in_team(by, wave.initiative, TeamRole.STEWARD):
        raise WaveRefused(_("Only the data steward of the initiative makes the key."))
    if wave.key_name:
        return wave
    _new_key(wave, passphrase)
    wave.save(update_fields=["key_name", "public_key"])
    return wave


def key_words(error: KeyTrouble) -> str:
    """What the store said, as a sentence for the person."""
    if isinstance(error, WrongPassphrase):
        return _("This passphrase does not open the key.")
    if isinstance(error, ShortPassphrase):
        return _("A passphrase has at least %(count)s characters.") % {"count": LEAST_PASSPHRASE}
    if isinstance(error, KeyMissing):
        return _("The key of this survey is not on this server. Without it no answer can be read.")
    return _("The key could not be stored or read. An administrator looks at the folder of survey keys.")


def _new_key(wave: Wave, passphrase: str | None = None) -> None:
    """Make a key pair in the store. Should the transaction fail, the key goes too: one nobody knows of would stay for ever."""
    name = uuid.uuid4().hex
    try:
        public = keys.create_key(name, passphrase)
    except KeyTrouble as error:
        raise WaveRefused(key_words(error)) from error
    wave.key_name, wave.public_key = name, public


# --- Approving -------------------------------------------------------------------------------------------------------
def digest_of(wave: Wave) -> str:
    """What an approver has seen: any change of it makes her approval void."""
    seen = {
        "instrument": wave.instrument_id,
        "content": content_of(wave.instrument),
        "names": [words_of(wave.initiative.short_name), words_of(wave.initiative.service_name)],
        "wave": [
            wave.kind, wave.unit_id, wave.opens_at.isoformat(), wave.closes_at.isoformat(), wave.k, wave.cut_attribute,
            wave.key_keeper,
        ],
    }  # fmt: skip
    return hashlib.sha256(json.dumps(seen, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@transaction.atomic
def approve_wave(*, wave: Wave, by: User, seen: str) -> WaveApproval:
    """One of two people says that it may open as it stands. `seen` is the digest of what stood on her page."""
    wave = _draft(wave)
    if not is_in_team(by, wave.initiative, TeamRole.APPROVER):
        raise WaveRefused(_("Only the survey approvers of the initiative approve it."))
    if seen != digest_of(wave):
        raise WaveRefused(_("The survey has been changed since you opened this page. Look at it again."))
    approval, created = WaveApproval.objects.get_or_create(wave=wave, person=by, defaults={"digest": seen})
    if created or approval.digest != seen:
        approval.digest, approval.on = seen, timezone.localdate()
        approval.save()
        note(wave, WaveEventKind.APPROVED, by)
        log(instance=wave.initiative, action="readiness.approve_wave", user=by, data={"wave": wave.pk})
    return approval


def approvals_of(wave: Wave) -> list[WaveApproval]:
    """Those that are about the survey as it stands now."""
    approvals = wave.approvals.filter(digest=digest_of(wave)).select_related("person").order_by("pk")
    team = set(wave.initiative.team.filter(role=TeamRole.APPROVER).values_list("person_id", flat=True))
    return [approval for approval in approvals if approval.person_id in team and approval.person.is_active]


# --- Opening ---------------------------------------------------------------------------------------------------------
def reviewed_languages(instrument: Instrument) -> list[str]:
    return list(LanguageReview.objects.filter(instrument=instrument).order_by("pk").values_list("language", flat=True))


def questions_of(wave: Wave) -> dict[str, Any]:
    """What people would be asked if it opened now; once open, what they are asked. Raises NoLanguage."""
    if wave.questionnaire:
        return dict(wave.questionnaire)
    name = words_of(wave.initiative.short_name)
    return questionnaire_of(
        content_of(wave.instrument),
        wave.kind,
        name,
        words_of(wave.initiative.service_name) or name,
        reviewed_languages(wave.instrument),
    )


def obstacles(wave: Wave, now: datetime, audience: Audience | None = None) -> list[str]:
    """What stands in the way of opening this survey now, in sentences; empty where nothing does."""
    initiative = wave.initiative
    found: list[str] = []
    if not initiative.is_published:
        found.append(_("The initiative is not published: people would be asked about what they cannot read."))
    if not wave.instrument.is_frozen:
        found.append(_("The questionnaire is still a draft."))
    if not reviewed_languages(wave.instrument):
        found.append(_("No language of the questionnaire has been reviewed."))
    missing = APPROVALS_NEEDED - len(approvals_of(wave))
    if missing > 0:
        found.append(ngettext("%(n)s approval is missing.", "%(n)s approvals are missing.", missing) % {"n": missing})
    if wave.key_keeper == KeyKeeper.PASSPHRASE and not wave.key_name:
        found.append(_("The data steward has not made the key yet."))
    open_for = wave.closes_at - max(now, wave.opens_at)
    if open_for < LEAST_OPEN:
        found.append(_("It would be open for less than a day. Choose a later end."))
    elif open_for > MOST_OPEN:
        found.append(_("It would be open for more than 60 days. Choose an earlier end."))
    found += _not_answered_yet(wave)
    found += _too_soon(wave, now)
    if audience is not None and audience.n < 2 * wave.k:
        found.append(
            _("Only %(n)s people would be asked. With groups of %(k)s nothing could be shown of fewer than %(least)s.")
            % {"n": audience.n, "k": wave.k, "least": 2 * wave.k}
        )
    return found


def _not_answered_yet(wave: Wave) -> list[str]:
    """People are asked again only when they have seen what came of the last time (promise P6)."""
    last = last_result(wave.initiative)
    if last is None:
        return []
    found = []
    if last.shared_on is None:
        found.append(_("The results of the last survey have not been shared with staff."))
    if not Action.objects.filter(wave=last).exists():
        found.append(
            _("The last survey was not answered with an action yet. Set one with an owner and a date: then ask again.")
        )
    return found


def _too_soon(wave: Wave, now: datetime) -> list[str]:
    """No other survey of the same people that is open or was opened within a fortnight."""
    path = wave.unit.path
    above = [path[:end] for end in range(Unit.steplen, len(path) + 1, Unit.steplen)]
    touching = (
        Wave.objects.exclude(pk=wave.pk)
        .exclude(state=WaveState.DRAFT)
        .filter(Q(unit__path__startswith=path) | Q(unit__path__in=above))
        .select_related("initiative")
    )
    found = []
    running = touching.filter(state__in=[WaveState.OPEN, WaveState.SEALED]).first()
    if running is not None:
        found.append(
            _("The survey “%(name)s” of the same people is open until %(day)s.")
            % {"name": running.initiative, "day": _day(running.closes_at)}
        )
    recent = touching.filter(events__kind=WaveEventKind.OPENED, events__on__gt=(now - INVITATION_PAUSE).date()).first()
    if recent is not None and running is None:
        opened = recent.events.filter(kind=WaveEventKind.OPENED).values_list("on", flat=True)[0]
        found.append(
            _(
                "The same people were last asked on %(day)s. Nobody is asked twice within a fortnight: wait until %(until)s."
            )
            % {
                "day": formats.date_format(opened, "DATE_FORMAT"),
                "until": formats.date_format(opened + INVITATION_PAUSE, "DATE_FORMAT"),
            }
        )
    return found


def _day(moment: datetime) -> str:
    return formats.date_format(timezone.localtime(moment), "DATE_FORMAT")


def ask_to_open(*, wave: Wave, by: User) -> None:
    """Open it in the background: copying a nation's organisation takes a while. Raises WaveRefused for what can be seen now."""
    _check_may_run(by, wave.initiative)
    if wave.state != WaveState.DRAFT:
        return
    now = timezone.now()
    found = obstacles(wave, now, audience_of(wave.unit, timezone.localdate(now), wave.cut_attribute))
    if wave.opens_at > now:
        found.append(_("It opens by itself on %(day)s.") % {"day": _day(wave.opens_at)})
    if found:
        raise WaveRefused(*found)
    enqueue(kind=OPEN_JOB, key=f"{wave.pk}:{digest_of(wave)[:16]}", payload={"wave": wave.pk}, by=by)


def open_wave(*, wave: Wave, by: User | None, at: datetime | None = None) -> Wave:
    """Open a survey: freeze its questions and the organisation, make its key, write down who is asked. Twice is once.

    `by` is None when the calendar opens it. Raises WaveRefused, and leaves no key behind then.
    """
    now = at or timezone.now()
    made: list[str] = []
    try:
        with transaction.atomic():
            return _open(wave, by, now, made)
    except BaseException:
        for name in made:
            keys.destroy_key(name)
        raise


def _open(wave: Wave, by: User | None, now: datetime, made: list[str]) -> Wave:
    # The unit's row is the gate: two surveys of the same people cannot open side by side.
    _lock_units(wave.unit)
    wave = (
        Wave.objects.select_for_update(of=("self",))
        .select_related("initiative__unit", "instrument", "unit", "previous")
        .get(pk=wave.pk)
    )
    if wave.state != WaveState.DRAFT:
        return wave
    if by is not None:
        _check_may_run(by, wave.initiative)
    day = timezone.localdate(now)
    audience = _not_asked_lately(audience_of(wave.unit, day, wave.cut_attribute), day)
    found = obstacles(wave, now, audience)
    if wave.opens_at > now:
        found.append(_("It opens by itself on %(day)s.") % {"day": _day(wave.opens_at)})
    if found:
        raise WaveRefused(*found)
    if not wave.key_name:
        _new_key(wave)
        made.append(wave.key_name)
    try:
        wave.questionnaire = questions_of(wave)
    except NoLanguage as error:
        raise WaveRefused(_("In no reviewed language are all texts of the questionnaire there.")) from error
    wave.state = WaveState.OPEN
    wave.previous = last_result(wave.initiative, wave.instrument)
    wave.save()
    _write_nodes(wave, audience)
    _write_people(wave, audience.people, day)
    note(wave, WaveEventKind.OPENED, by, on=day)
    log(instance=wave.initiative, action="readiness.open_wave", user=by, data={"wave": wave.pk, "people": audience.n})
    enqueue(kind=INVITE_JOB, key=str(wave.pk), payload={"wave": wave.pk}, by=by)
    transaction.on_commit(partial(wave_opened.send, sender=Wave, wave_id=wave.pk))
    return wave


def _lock_units(unit: Unit) -> None:
    """The topmost unit above stands for the whole branch."""
    list(Unit.objects.select_for_update(of=("self",)).filter(path=unit.path[: Unit.steplen]))


def _not_asked_lately(audience: Audience, day: date) -> Audience:
    """Without those who came from elsewhere and were asked there within the fortnight."""
    recent = set(LastInvitation.objects.filter(on__gt=day - INVITATION_PAUSE).values_list("person_id", flat=True))
    return audience.without(recent) if recent else audience


def _write_nodes(wave: Wave, audience: Audience) -> None:
    tree = audience.tree
    WaveNode.objects.bulk_create(
        [
            WaveNode(
                wave=wave, code=code, parent_code=tree.parent[code] or "", name=audience.names[code],
                depth=tree.depth[code], position=tree.position[code], last=tree.last[code],
                eligible=audience.eligible[code],
            )
            for code in tree.codes
        ],
        batch_size=BATCH,
    )  # fmt: skip
    heads = Counter((asked.node_code, asked.category) for asked in audience.people)
    WaveEligible.objects.bulk_create(
        [WaveEligible(wave=wave, node_code=code, category=cut, n=n) for (code, cut), n in sorted(heads.items())],
        batch_size=BATCH,
    )


def _write_people(wave: Wave, people: Sequence[Asked], day: date) -> None:
    for start in range(0, len(people), BATCH):
        some = people[start : start + BATCH]
        Participation.objects.bulk_create(
            Participation(wave=wave, person_id=a.person_id, node_code=a.node_code, category=a.category) for a in some
        )
        LastInvitation.objects.bulk_create(
            [LastInvitation(person_id=a.person_id, on=day) for a in some],
            update_conflicts=True,
            unique_fields=["person"],
            update_fields=["on"],
        )


def note(wave: Wave, kind: str, by: User | None = None, on: date | None = None) -> None:
    """Write down what happened for everybody to check: the role of who did it, never the name."""
    WaveEvent.objects.create(wave=wave, kind=kind, actor_role=_role_of(by, wave), on=on or timezone.localdate())


def _role_of(by: User | None, wave: Wave) -> str:
    if by is None:
        return "calendar"
    roles = wave.initiative.team.filter(person=by).order_by("pk").values_list("role", flat=True)
    return ", ".join(sorted(set(roles))) or "hr"


def _draft(wave: Wave) -> Wave:
    """The survey, locked. Raises WaveRefused once it has been opened."""
    locked = (
        Wave.objects.select_for_update(of=("self",))
        .select_related("initiative__unit", "instrument", "unit")
        .filter(pk=wave.pk)
        .first()
    )
    if locked is None:
        raise WaveRefused(_("This survey is no longer there."))
    if locked.state != WaveState.DRAFT:
        raise WaveRefused(_("This survey has been opened already."))
    return locked


def due_to_open(now: datetime) -> Iterable[Wave]:
    """Approved surveys whose day has come. Those that something stands in the way of wait, and their page says what for."""
    waves = Wave.objects.filter(state=WaveState.DRAFT, opens_at__lte=now, closes_at__gt=now)
    for wave in waves.select_related("initiative__unit", "instrument", "unit"):
        if not obstacles(wave, now):
            yield wave
