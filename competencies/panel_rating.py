"""Panels: a manager or HR officer asks a few people; each rates alone; together they are one piece of evidence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from i18nfield.strings import LazyI18nString
from wagtail.log_actions import log

from competencies import services
from competencies.assessors import DECIDE
from competencies.contest_mails import ASKED, CLOSED, tell_of_panel
from competencies.enums import EvidenceKind
from competencies.models import Competency, Panel, PanelRating
from competencies.panels import FEWEST, MOST, panel_rank
from organisations import perms
from organisations.models import User

# How far ahead a panel may be due: what somebody did half a year ago is hard to rate.
LONGEST = timedelta(days=180)
USUAL = timedelta(days=14)
# So many people are shown to choose from; with more, one looks for a name.
SHOWN_TO_CHOOSE = 12


class PanelRefused(ValueError):
    """A panel that cannot be asked for, or a rating that is not taken; the text is a sentence for the person who tried."""


# --- Asking ------------------------------------------------------------------------------------------------------
def may_ask_panel(user: User, person: User) -> bool:
    """The person's manager, her HR officers, administrators; never for oneself."""
    if user.pk == person.pk:
        return False
    return (
        user.is_superuser
        or perms.is_manager_of(user, person)
        or User.objects.in_hr_scope_of(user).filter(pk=person.pk).exists()
    )


def people_to_ask(asker: User, person: User) -> QuerySet[User]:
    """Whom one may put on a panel: active people the asker may see, and assessors; not the person."""
    assessors = Q(groups__permissions__codename=DECIDE) | Q(user_permissions__codename=DECIDE)
    visible = User.objects.visible_to(asker).values("pk")
    allowed = Q(pk__in=visible) | Q(pk__in=User.objects.filter(assessors).values("pk"))
    return User.objects.active().filter(allowed).exclude(pk=person.pk).order_by("name", "pk")


@transaction.atomic
def ask_panel(
    *,
    person: User,
    competency: Competency,
    members: Sequence[User],
    due_on: date,
    subject: str,
    token: str,
    by: User,
    at: datetime | None = None,
) -> Panel:
    """Ask two to five people to rate somebody in one competency; the same `token` is the same panel.

    Raises PanelRefused with a sentence for somebody who may not ask, the person herself or the same member twice, too few
    or too many, people the asker may not choose, a date that has passed or is far off, a competency not in use.
    """
    key = f"{by.pk}:{token}"
    known = Panel.objects.filter(token=key).first()
    if known is not None:
        return known
    moment = at or timezone.now()
    today = timezone.localdate(moment)
    if by.pk == person.pk:
        raise PanelRefused(_("You cannot ask a panel for yourself. Ask your manager or your HR unit."))
    if not may_ask_panel(by, person):
        raise PanelRefused(_("Only the person’s manager or HR officer asks a panel."))
    if not services.is_in_use(competency):
        raise PanelRefused(_("This competency is no longer in use: nothing new can be recorded for it."))
    _check_members(person, members, by)
    if due_on < today:
        raise PanelRefused(_("Choose today or a later day."))
    if due_on > today + LONGEST:
        raise PanelRefused(_("Choose a day within the next six months."))
    panel = Panel(
        person=person,
        competency=competency,
        asked_by=by,
        subject=subject.strip(),
        due_on=due_on,
        asked_at=moment,
        token=key,
    )
    try:
        with transaction.atomic():
            panel.save(force_insert=True)
    except IntegrityError:  # the other press was quicker
        return Panel.objects.get(token=key)
    PanelRating.objects.bulk_create(PanelRating(panel=panel, assessor=member) for member in members)
    log(
        instance=panel,
        title=f"Panel {panel.pk}",
        action="competencies.ask_panel",
        user=by,
        data={"person": person.pk, "competency": competency.pk, "members": [member.pk for member in members]},
    )
    for member in members:
        if member.pk != by.pk:
            tell_of_panel(panel, ASKED, member)
    return panel


def _check_members(person: User, members: Sequence[User], by: User) -> None:
    ids = [member.pk for member in members]
    if person.pk in ids:
        raise PanelRefused(_("%(name)s cannot rate herself or himself on the panel.") % {"name": person})
    if len(set(ids)) < len(ids):
        raise PanelRefused(_("Somebody is named twice. Each member rates once."))
    if not FEWEST <= len(ids) <= MOST:
        raise PanelRefused(
            _("Choose %(fewest)s to %(most)s people: one person alone is not a panel.")
            % {"fewest": FEWEST, "most": MOST}
        )
    if people_to_ask(by, person).filter(pk__in=ids).count() < len(ids):
        raise PanelRefused(_("One of these people cannot be asked. Choose others."))


# --- Rating ------------------------------------------------------------------------------------------------------
@transaction.atomic
def rate_on_panel(*, panel: Panel, by: User, rank: int, note: str = "", at: datetime | None = None) -> PanelRating:
    """What one member says; saying it twice leaves the first word. The last one closes the panel.

    Raises PanelRefused for somebody who is not on it or has declined, a panel that is closed, a level off the scale.
    """
    panel = _locked(panel)
    rating = _rating_of(panel, by)
    if rating.rated_at is not None:
        return rating
    _check_open(panel)
    if rating.declined_at is not None:
        raise PanelRefused(_("You have declined to rate."))
    try:
        services.check_rank(panel.competency, rank)
    except services.EvidenceRefused as error:
        raise PanelRefused(str(error)) from error
    moment = at or timezone.now()
    rating.rank, rating.note, rating.rated_at = rank, note.strip(), moment
    rating.save(update_fields=["rank", "note", "rated_at"])
    log(
        instance=panel,
        title=f"Panel {panel.pk}",
        action="competencies.rate_on_panel",
        user=by,
        data={"person": panel.person_id},
    )
    _close_when_complete(panel, at=moment)
    return rating


@transaction.atomic
def decline_panel(*, panel: Panel, by: User, at: datetime | None = None) -> PanelRating:
    """A member will not rate; twice is once. When fewer than two can still rate, the panel closes without a result."""
    panel = _locked(panel)
    rating = _rating_of(panel, by)
    if rating.declined_at is not None:
        return rating
    _check_open(panel)
    if rating.rated_at is not None:
        raise PanelRefused(_("You have rated already; your rating counts."))
    moment = at or timezone.now()
    rating.declined_at = moment
    rating.save(update_fields=["declined_at"])
    log(
        instance=panel,
        title=f"Panel {panel.pk}",
        action="competencies.decline_panel",
        user=by,
        data={"person": panel.person_id},
    )
    _close_when_complete(panel, at=moment)
    return rating


@transaction.atomic
def close_panel(*, panel: Panel, by: User, at: datetime | None = None) -> Panel:
    """Who asked closes the panel after its date with what has been said; twice is once.

    Raises PanelRefused for anybody else, before the day is over, or while fewer than two have rated.
    """
    panel = _locked(panel)
    if panel.closed_at is not None:
        return panel
    moment = at or timezone.now()
    _check_asker(panel, by)
    if timezone.localdate(moment) <= panel.due_on:
        raise PanelRefused(_("The members have until the date you gave. You can close the panel the day after."))
    if panel.ratings.filter(rated_at__isnull=False).count() < FEWEST:
        raise PanelRefused(_("Fewer than two have rated: one opinion is not a panel. Wait, or call it off."))
    _close(panel, by=by, at=moment)
    return panel


@transaction.atomic
def call_off_panel(*, panel: Panel, by: User, at: datetime | None = None) -> Panel:
    """Who asked no longer wants the panel: it closes without a result. Twice is once; a closed panel stays as it is."""
    panel = _locked(panel)
    if panel.closed_at is not None:
        return panel
    _check_asker(panel, by)
    panel.closed_at, panel.called_off = at or timezone.now(), True
    panel.save(update_fields=["closed_at", "called_off"])
    log(
        instance=panel,
        title=f"Panel {panel.pk}",
        action="competencies.call_off_panel",
        user=by,
        data={"person": panel.person_id},
    )
    return panel


def _close_when_complete(panel: Panel, *, at: datetime) -> None:
    """Close once everybody has rated or declined, or too few are left to come to two."""
    counts = panel.ratings.aggregate(
        rated=Count("pk", filter=Q(rated_at__isnull=False)),
        waiting=Count("pk", filter=Q(rated_at__isnull=True, declined_at__isnull=True)),
    )
    if not counts["waiting"] or counts["rated"] + counts["waiting"] < FEWEST:
        _close(panel, by=None, at=at)


def _close(panel: Panel, *, by: User | None, at: datetime) -> None:
    """One piece of evidence of all ratings; none where fewer than two rated or the competency is no longer in use.

    It is recorded for who asked, whoever rated last: another panel of hers takes the place of this one in the estimate.
    """
    rows = panel.ratings.filter(rank__isnull=False).order_by("pk")
    ranks = [int(rank) for rank in rows.values_list("rank", flat=True) if rank is not None]
    if len(ranks) >= FEWEST and services.is_in_use(panel.competency):
        [panel.evidence] = services.record_evidence(
            person=panel.person,
            findings=[services.Finding(panel.competency, panel_rank(ranks))],
            kind=EvidenceKind.PANEL,
            source_key=f"panel-result:{panel.pk}",
            by=panel.asked_by,
            occurred_on=timezone.localdate(at),
            assessed=True,
            source=panel_of(len(ranks)),
            at=at,
        )
    panel.closed_at = at
    panel.save(update_fields=["closed_at", "evidence"])
    log(
        instance=panel,
        title=f"Panel {panel.pk}",
        action="competencies.close_panel",
        user=by,
        data={"person": panel.person_id, "evidence": panel.evidence_id, "ratings": len(ranks)},
    )
    tell_of_panel(panel, CLOSED, panel.asked_by)


def panel_of(count: int) -> LazyI18nString:
    """ "Panel of 3", in every language of the product: it stays on record and is read in the reader's."""
    words = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            words[language] = ngettext("Panel of %(count)s", "Panel of %(count)s", count) % {"count": count}
    return LazyI18nString(words)


def _locked(panel: Panel) -> Panel:
    return (
        Panel.objects.select_for_update(of=("self",))
        .select_related("person", "competency__version", "asked_by")
        .get(pk=panel.pk)
    )


def _rating_of(panel: Panel, member: User) -> PanelRating:
    rating = panel.ratings.filter(assessor=member).first()
    if rating is None:
        raise PanelRefused(_("You are not on this panel."))
    return rating


def _check_open(panel: Panel) -> None:
    if panel.closed_at is not None:
        raise PanelRefused(_("This panel is closed. Thank you for being ready to rate."))


def _check_asker(panel: Panel, by: User) -> None:
    if panel.asked_by_id != by.pk and not by.is_superuser:
        raise PanelRefused(_("Only who asked for the panel closes it."))


# --- Reading -----------------------------------------------------------------------------------------------------
def panels_visible_to(user: User) -> QuerySet[Panel]:
    """Panels one was asked onto or asked for; all, as administrator. Not those about oneself: the result is enough."""
    mine = Exists(PanelRating.objects.filter(panel=OuterRef("pk"), assessor=user))
    rows = Panel.objects.select_related("person", "competency__version__framework", "asked_by", "evidence")
    return (
        rows.exclude(person=user) if user.is_superuser else rows.filter(Q(mine) | Q(asked_by=user)).exclude(person=user)
    )


def panels_under_way(asker: User, person: User, competency: Competency) -> QuerySet[Panel]:
    """What this asker still waits for about one person in one competency. One query."""
    return Panel.objects.filter(
        asked_by=asker, person=person, competency__lineage=competency.lineage, closed_at__isnull=True
    )


def panels_to_rate(user: User) -> QuerySet[PanelRating]:
    """What waits for a rating by this person, what is due first. One query."""
    return (
        PanelRating.objects.filter(
            assessor=user, rated_at__isnull=True, declined_at__isnull=True, panel__closed_at__isnull=True
        )
        .select_related("panel__person", "panel__competency")
        .order_by("panel__due_on", "panel_id")
    )
