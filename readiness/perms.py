"""Who may see and do what in a change: staff, managers, champions, the change team, HR."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from organisations.models import Appointment, Post, Unit, User
from organisations.perms import hr_paths
from readiness.enums import TeamRole
from readiness.models import Champion, Initiative, TeamMember

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from readiness.models.initiatives import InitiativeQuerySet

# Who tells of changes and writes questionnaires in the CMS.
CHANGE_EDITORS = "Change editors"
RUNNING_ROLES = frozenset({TeamRole.SPONSOR, TeamRole.LEAD})


def is_in_team(user: User | AnonymousUser, initiative: Initiative, *roles: TeamRole) -> bool:
    """Whether this person does one of these things for the initiative; any of them where none is named. One query."""
    if not user.is_authenticated or not user.is_active:
        return False
    rows = TeamMember.objects.filter(initiative=initiative, person=user)
    return (rows.filter(role__in=roles) if roles else rows).exists()


def serves_unit(user: User | AnonymousUser, unit: Unit) -> bool:
    """Whether an HR officer serves all of this unit, or the user administers the platform."""
    if not user.is_authenticated or not user.is_active:
        return False
    return user.is_superuser or any(unit.path.startswith(path) for path in hr_paths(user))


def may_run(user: User | AnonymousUser, initiative: Initiative) -> bool:
    """Prepare surveys, answer questions, decide concerns: sponsor and lead, HR of the whole unit, an administrator."""
    return serves_unit(user, initiative.unit) or is_in_team(user, initiative, *RUNNING_ROLES)


def may_see_all(user: User | AnonymousUser, initiative: Initiative) -> bool:
    """The results of all units of the initiative."""
    return may_run(user, initiative)


def may_write_in(user: User | AnonymousUser, unit: Unit) -> bool:
    """Whether an editor of changes tells of those of this unit: she serves it as HR, or works in it or above it."""
    if serves_unit(user, unit):
        return True
    own = unit_of(user)
    return own is not None and unit.path.startswith(own.path)


def may_edit(user: User | AnonymousUser, initiative: Initiative) -> bool:
    """Whether an editor of changes may write in this one: one of a unit she writes for, or one whose team she is in."""
    return may_write_in(user, initiative.unit) or is_in_team(user, initiative)


def edited_by(user: User | AnonymousUser) -> InitiativeQuerySet:
    """The initiatives of `may_edit`."""
    if not user.is_authenticated or not user.is_active:
        return Initiative.objects.none()
    if user.is_superuser:
        return Initiative.objects.all()
    found = Q(pk__in=TeamMember.objects.filter(person=user).values("initiative_id"))
    own = unit_of(user)
    for path in [*hr_paths(user), *([own.path] if own is not None else [])]:
        found |= Q(unit__path__startswith=path)
    return Initiative.objects.filter(found)


def unit_of(person: User | AnonymousUser, day: date | None = None) -> Unit | None:
    """Her unit: that of her longest running current appointment, of two begun on a day the one higher in the tree."""
    if not person.is_authenticated:
        return None
    held = (
        Appointment.objects.current(day)
        .filter(person=person)
        .select_related("post__unit")
        .order_by("starts_on", "post__unit__path", "pk")
        .first()
    )
    return held.post.unit if held else None


def units_managed(user: User | AnonymousUser, day: date | None = None) -> list[Unit]:
    """The topmost units whose people this person leads: each stands for everything below it.

    A unit is hers where every post of it that reports out of the unit reports to her or to somebody she leads, so that
    who leads two people of a large unit does not become its manager.
    """
    as_of = day or timezone.localdate()
    if not user.is_authenticated or not user.is_active:
        return []
    own = set(Appointment.objects.current(as_of).filter(person=user).values_list("post_id", flat=True))
    if not own:
        return []
    led = own | _posts_below(own, as_of)
    found: list[Unit] = []
    units = Unit.objects.filter(Q(posts__in=led)).distinct().order_by("path")
    heads = _heads_of({unit.pk for unit in units}, as_of)
    for unit in units:
        if any(unit.path.startswith(above.path) for above in found):
            continue
        # The heads of a unit are the posts in it that report to nobody in it.
        if heads.get(unit.pk) and heads[unit.pk] <= led:
            found.append(unit)
    return found


def _posts_below(own: set[int], as_of: date) -> set[int]:
    """Posts that report to one of these, and through vacant ones those below; filled or not."""
    found: set[int] = set()
    frontier = own
    while frontier:
        held = Exists(Appointment.objects.current(as_of).filter(post=OuterRef("pk")))
        below = Post.objects.existing(as_of).filter(reports_to__in=frontier).exclude(pk__in=found | own)
        rows = list(below.annotate(held=held).values_list("pk", "held"))
        found |= {pk for pk, _held in rows}
        frontier = {pk for pk, is_held in rows if not is_held}
    return found


def _heads_of(unit_ids: set[int], as_of: date) -> dict[int, set[int]]:
    """Posts of each unit that report to no post of the same unit."""
    heads: dict[int, set[int]] = {}
    rows = Post.objects.existing(as_of).filter(unit_id__in=unit_ids).values_list("pk", "unit_id", "reports_to__unit_id")
    for pk, unit_id, above in rows:
        if above != unit_id:
            heads.setdefault(unit_id, set()).add(pk)
    return heads


def manages_unit(user: User | AnonymousUser, unit: Unit, day: date | None = None) -> bool:
    """Whether she leads this unit or one above it."""
    return any(unit.path.startswith(above.path) for above in units_managed(user, day))


def champions_unit(user: User | AnonymousUser, initiative: Initiative, unit: Unit) -> bool:
    """Whether she is a champion, with hours agreed, of exactly this unit."""
    if not user.is_authenticated or not user.is_active:
        return False
    return Champion.objects.agreed().filter(initiative=initiative, person=user, unit=unit).exists()


def initiatives_for(user: User | AnonymousUser) -> InitiativeQuerySet:
    """What this person may read: changes of her unit and those above it, those for everybody, those she works for."""
    published = Initiative.objects.published()
    if not user.is_authenticated:
        return published.filter(is_public=True)
    if user.is_superuser:
        return Initiative.objects.all()
    teams = Initiative.objects.filter(pk__in=TeamMember.objects.filter(person=user).values("initiative_id"))
    served = Q(pk__in=[])
    for path in hr_paths(user):
        served |= Q(unit__path__startswith=path)
    unit = unit_of(user)
    concerned = Q(pk__in=[])
    if unit is not None:
        steps = range(unit.steplen, len(unit.path) + 1, unit.steplen)
        concerned = Q(unit__path__in=[unit.path[:end] for end in steps])
        # Who leads a unit above may read what happens below; who leads nothing is not asked for long.
        closed = published.filter(is_public=False).exclude(concerned)
        if closed.exists():
            for led in units_managed(user):
                concerned |= Q(unit__path__startswith=led.path)
    readable = published.filter(Q(is_public=True) | concerned)
    return Initiative.objects.filter(Q(pk__in=readable.values("pk")) | Q(pk__in=teams.values("pk")) | served).distinct()
