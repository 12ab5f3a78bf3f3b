"""Figures of services as they are typed or pasted: one line a unit and month, all of them or none."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from learning.models import ServiceMeasure, ServiceValue
from organisations.models import Unit, User
from organisations.perms import units_served

MAX_LINES = 5_000
NAMED = 20
MONTH = re.compile(r"(\d{4})-(\d{1,2})(?:-\d{1,2})?")
LARGEST = Decimal("99999999999")


class FiguresRefused(ValueError):
    """Lines that cannot be taken; `faults` are sentences, each naming its line."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(" ".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Line:
    unit_code: str
    month: date
    value: Decimal


def read_figures(text: str) -> list[Line]:
    """Lines "unit; month; value", separated by semicolons, tabs or commas; a first line of headings is passed over.

    Raises FiguresRefused with every fault.
    """
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        raise FiguresRefused([_("At most %(count)s lines at a time.") % {"count": MAX_LINES}])
    separator = next((mark for mark in "\t;," if any(mark in line for line in lines)), ";")
    found: dict[tuple[str, date], Line] = {}
    faults = []
    for number, row in enumerate(csv.reader(io.StringIO(text), delimiter=separator), start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        line, fault = _line(cells, comma_is_decimal=separator != ",")
        if line is None:
            if number > 1 or found or not _is_heading(cells):
                faults.append(_("Line %(number)s: %(fault)s") % {"number": number, "fault": fault})
        elif (line.unit_code, line.month) in found:
            faults.append(_("Line %(number)s: this unit has a figure for that month further up.") % {"number": number})
        else:
            found[line.unit_code, line.month] = line
    if faults:
        raise FiguresRefused(_shortened(faults))
    return list(found.values())


def _is_heading(cells: list[str]) -> bool:
    return len(cells) == 3 and not any(char.isdigit() for char in cells[1] + cells[2])


def _line(cells: list[str], *, comma_is_decimal: bool) -> tuple[Line | None, str]:
    if len(cells) != 3:
        return None, _("three columns are needed: unit, month and figure.")
    code, month, figure = cells
    at = MONTH.fullmatch(month)
    if at is None or not 1 <= int(at[2]) <= 12 or not 1900 <= int(at[1]) <= 2200:
        return None, _("write the month as 2026-09.")
    try:
        value = Decimal(figure.replace(",", ".") if comma_is_decimal else figure)
    except InvalidOperation:
        return None, _("the figure is no number.")
    if not value.is_finite() or abs(value) > LARGEST:
        return None, _("the figure is no number.")
    return Line(code, date(int(at[1]), int(at[2]), 1), round(value, 3)), ""


def _shortened(faults: list[str]) -> list[str]:
    left = len(faults) - NAMED
    return [*faults[:NAMED], _("And %(count)s more.") % {"count": left}] if left > 0 else faults


@transaction.atomic
def store_figures(*, measure: ServiceMeasure, text: str, by: User) -> int:
    """Store all lines, over what is there for the same unit and month; returns how many. Raises FiguresRefused.

    An officer writes figures of the units she serves, and of no other.
    """
    lines = read_figures(text)
    if not lines:
        raise FiguresRefused([_("There is no line with a figure yet.")])
    units = _units(by, {line.unit_code for line in lines})
    if missing := sorted({line.unit_code for line in lines} - units.keys()):
        raise FiguresRefused(
            _shortened([_("“%(code)s” is no unit that you serve.") % {"code": code[:60]} for code in missing])
        )
    ServiceValue.objects.bulk_create(
        [
            ServiceValue(measure=measure, unit=units[line.unit_code], month=line.month, value=line.value)
            for line in lines
        ],
        update_conflicts=True,
        unique_fields=["measure", "unit", "month"],
        update_fields=["value"],
        batch_size=500,
    )
    log(instance=measure, action="learning.store_figures", user=by, data={"lines": len(lines)})
    return len(lines)


def _units(by: User, codes: set[str]) -> Mapping[str, Unit]:
    return {unit.code: unit for unit in units_served(by).filter(code__in=codes)}


@transaction.atomic
def remove_measure(*, measure: ServiceMeasure, by: User) -> None:
    """Take a figure away with all its months: one that was typed beside the wrong course, or is counted no more."""
    log(
        instance=measure, action="learning.remove_figure", user=by,
        data={"course": measure.course_key, "values": measure.values.count()},
    )  # fmt: skip
    measure.delete()
