"""Which unit's result a person looks at, and whether she may."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db.models import Q
from django.utils.functional import cached_property

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


class Eyes:
    """What somebody may see of a survey. Who she is to it is found out once, however often it is asked."""

    def __init__(self, user: User, wave: Wave) -> None:
        self.user, self.wave = user, wave

    @cached_property
    def sees_all(self) -> bool:
        return may_see_all(self.user, self.wave.initiative)

    @cached_property
    def managed(self) -> list[WaveNode]:
        return managed_nodes(self.user, self.wave)

    @cached_property
    def own(self) -> WaveNode | None:
        return own_node(self.user, self.wave)

    def may_look_at(self, node: WaveNode) -> bool:
        """Own unit, and the one whose figures stand for it; units she leads and what is below; all, for who runs the change."""
        if self.sees_all:
            return True
        if self.own is not None and node.code in (self.own.code, self.own.shown_code):
            return True
        return self._is_led(node) or any(node.code == above.shown_code for above in self.managed)

    def start_node(self) -> WaveNode | None:
        """Where she begins: the whole for who may see it, else what she leads, else her own unit."""
        if self.sees_all:
            return self.wave.nodes.filter(parent_code="").first()
        return self.managed[0] if self.managed else self.own

    def leads(self, node: WaveNode) -> bool:
        """Whether what is done about this unit's figures is hers to decide."""
        return self.sees_all or self._is_led(node)

    def sub_nodes(self, node: WaveNode) -> Sequence[WaveNode]:
        """The units right below one, for who may see them."""
        if not self.leads(node):
            return []
        return list(self.wave.nodes.filter(parent_code=node.code).order_by("position"))

    def _is_led(self, node: WaveNode) -> bool:
        return any(above.position <= node.position <= above.last for above in self.managed)


def may_look_at(user: User, wave: Wave, node: WaveNode) -> bool:
    return Eyes(user, wave).may_look_at(node)


def start_node(user: User, wave: Wave) -> WaveNode | None:
    return Eyes(user, wave).start_node()


def waves_to_look_at(user: User) -> Q:
    """Closed surveys of the units above hers; which of them she may see is decided one by one."""
    unit = unit_of(user)
    if unit is None:
        return Q(pk__in=[])
    return Q(unit__path__in=[unit.path[:end] for end in range(Unit.steplen, len(unit.path) + 1, Unit.steplen)])
