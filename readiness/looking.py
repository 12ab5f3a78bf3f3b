"""Which unit's result a person looks at, and whether she may."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db.models import Q

from organisations.models import Unit, User
from readiness.models import Wave, WaveNode
from readiness.perms import may_see_all, unit_of, units_managed


def own_node(user: User, wave: Wave, day: date | None = None) -> WaveNode | None:
    """The unit of the survey she belongs to today: her own, or the nearest above it that was there at opening."""
    unit = unit_of(user, day)
    if unit is None or not unit.path.startswith(wave.unit.path):
        return None
    return _nearest(wave, unit)


def _nearest(wave: Wave, unit: Unit) -> WaveNode | None:
    paths = [unit.path[:end] for end in range(len(wave.unit.path), len(unit.path) + 1, Unit.steplen)]
    codes = Unit.objects.filter(path__in=paths).values("code")
    return wave.nodes.filter(code__in=codes).order_by("-depth").first()


def managed_nodes(user: User, wave: Wave, day: date | None = None) -> list[WaveNode]:
    """The topmost units of the survey she leads; each stands for everything below it. Who leads from above leads all."""
    found = []
    for unit in units_managed(user, day):
        if unit.path.startswith(wave.unit.path):
            node = wave.nodes.filter(code=unit.code).first()
        elif wave.unit.path.startswith(unit.path):
            node = wave.nodes.filter(parent_code="").first()
        else:
            node = None
        if node is not None:
            found.append(node)
    return found


def may_look_at(user: User, wave: Wave, node: WaveNode) -> bool:
    """Own unit, and the one whose figures stand for it; units she leads and what is below; all, for who runs the change."""
    if may_see_all(user, wave.initiative):
        return True
    mine = own_node(user, wave)
    if mine is not None and node.code in (mine.code, mine.shown_code):
        return True
    led = managed_nodes(user, wave)
    return any(above.position <= node.position <= above.last or node.code == above.shown_code for above in led)


def start_node(user: User, wave: Wave) -> WaveNode | None:
    """Where she begins: the whole for who may see it, else what she leads, else her own unit."""
    if may_see_all(user, wave.initiative):
        return wave.nodes.filter(parent_code="").first()
    led = managed_nodes(user, wave)
    return led[0] if led else own_node(user, wave)


def sub_nodes(user: User, wave: Wave, node: WaveNode) -> Sequence[WaveNode]:
    """The units right below one, for who may see them."""
    if not (may_see_all(user, wave.initiative) or _leads(user, wave, node)):
        return []
    return list(wave.nodes.filter(parent_code=node.code).order_by("position"))


def _leads(user: User, wave: Wave, node: WaveNode) -> bool:
    return any(above.position <= node.position <= above.last for above in managed_nodes(user, wave))


def waves_to_look_at(user: User) -> Q:
    """Closed surveys of the units above hers; which of them she may see is decided one by one."""
    unit = unit_of(user)
    if unit is None:
        return Q(pk__in=[])
    return Q(unit__path__in=[unit.path[:end] for end in range(Unit.steplen, len(unit.path) + 1, Unit.steplen)])
