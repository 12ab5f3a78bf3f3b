"""Who may see and do what in a change: staff, managers, champions, the change team, HR."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from organisations.models import Appointment, HrMandate, Post, Unit, User
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
    if not user.is_authenticated or not user.is_active:
        return False
    if user.is_superuser:
        return True
    # Both in one query: every page of a change asks it.
    serves = HrMandate.objects.filter(officer=OuterRef("pk"), unit__path__in=_line_of([initiative.unit.path]))
    runs = TeamMember.objects.filter(initiative=initiative, person=OuterRef("pk"), role__in=RUNNING_ROLES)
    return User.objects.filter(Exists(serves) | Exists(runs), pk=user.pk).exists()


def may_see_all(user: User | AnonymousUser, initiative: Initiative) -> bool:
    """The results of all units of the initiative."""
    return may_run(user, initiative)


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


def initiatives_for(user: User | AnonymousUser, led: Sequence[Unit] | None = None) -> InitiativeQuerySet:
    """What this person may read: changes of the units she works in or leads and of those above them, of what is below the
    units she leads, those for everybody, those she works for. `led`: what `units_managed` says, where it is known.
    """
    published = Initiative.objects.published()
    if not user.is_authenticated:
        return published.filter(is_public=True)
    if user.is_superuser:
        return Initiative.objects.all()
    places, leads = _places_of(user)
    # Which units she leads takes some queries: they are asked only where that opens a change to her.
    if led is None and leads and published.filter(is_public=False).exclude(unit__path__in=_line_of(places)).exists():
        led = units_managed(user)
    tops = [unit.path for unit in led or ()]
    readable = Q(is_public=True) | Q(unit__path__in=_line_of(places + tops))
    for path in tops:
        readable |= Q(unit__path__startswith=path)
    own = initiatives_worked_for(user)
    return Initiative.objects.filter(Q(pk__in=published.filter(readable).values("pk")) | own).distinct()


def _line_of(paths: Iterable[str]) -> set[str]:
    """These paths and those of all units above."""
    return {path[:end] for path in paths for end in range(Unit.steplen, len(path) + 1, Unit.steplen)}


def initiatives_to_write(user: User | AnonymousUser) -> InitiativeQuerySet:
    """What somebody whom the CMS lets change initiatives may change there: those of units she serves as HR officer and
    those she works for; an administrator all of them.
    """
    if not user.is_authenticated or not user.is_active:
        return Initiative.objects.none()
    if user.is_superuser:
        return Initiative.objects.all()
    return Initiative.objects.filter(initiatives_worked_for(user)).distinct()


def initiatives_worked_for(user: User) -> Q:
    """Changes in whose team she is, and those of units she serves as HR officer, drafts too. One query."""
    found = Q(pk__in=TeamMember.objects.filter(person=user).values("initiative_id"))
    for path in hr_paths(user):
        found |= Q(unit__path__startswith=path)
    return found


def _places_of(user: User) -> tuple[list[str], bool]:
    """Paths of the units she works in, and whether she may lead others, or what is below hers. One query."""
    led = Exists(Post.objects.filter(reports_to=OuterRef("post")))
    rows = Appointment.objects.current().filter(person=user).annotate(has_reports=led)
    places: list[str] = []
    leads = False
    for path, children, unit_id, above_id, has_reports in rows.values_list(
        "post__unit__path", "post__unit__numchild", "post__unit_id", "post__reports_to__unit_id", "has_reports"
    ):
        places.append(path)
        # A unit with units below it may be hers though nobody reports to her, where hers is the only post of it.
        leads = leads or has_reports or (children > 0 and above_id != unit_id)
    return places, leads
