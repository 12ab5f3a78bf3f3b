"""manage.py simulate_diagnostic [BANK…]: what banks do with invented people, before real ones take them."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from competencies.banks import theory_of
from competencies.enums import BankStatus
from competencies.models import ItemBank
from competencies.simulation import CHECKED_PEOPLE, PEOPLE, Report, simulate


class Command(BaseCommand):
    help = "Send invented people through item banks and say how often their level is right and how long it takes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("banks", nargs="*", help="competency codes or ids of banks; without any, all banks in use")
        parser.add_argument("--people", type=int, help=f"how many; {PEOPLE} unless told, {CHECKED_PEOPLE} with --check")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--even", action="store_true", help="as many people of each level, not as N(0, 1) has them")
        parser.add_argument(
            "--guessing", type=float, default=0.0, help="chance of a right answer for who knows nothing, e.g. 0.25"
        )
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--check", action="store_true", help="end with 1 when a bank misses what it must reach")

    def handle(self, *args: Any, **options: Any) -> None:
        people = options["people"] or (CHECKED_PEOPLE if options["check"] else PEOPLE)
        if people < 1 or not 0 <= options["guessing"] < 1:
            raise CommandError(_("Give at least one person, and a chance between 0 and 1."))
        banks = list(banks_named(options["banks"]))
        if not banks:
            raise CommandError(_("There is no bank in use. Load one: manage.py load_item_banks"))
        reports = {}
        for bank in banks:
            try:
                reports[bank] = simulate(
                    theory_of(bank),
                    people=people,
                    seed=options["seed"],
                    even=options["even"],
                    guessing=options["guessing"],
                )
            except ValueError as error:
                raise CommandError(f"{bank}: {error}") from error
        if options["json"]:
            self.stdout.write(
                json.dumps({f"{b.competency.code}/{b.edition}": r.as_dict() for b, r in reports.items()}, indent=2)
            )
        else:
            for bank, report in reports.items():
                self.stdout.write("\n".join([str(bank), *lines_of(report), ""]))
        missed = [
            f"{bank}: {', '.join(report.shortfalls())}" for bank, report in reports.items() if report.shortfalls()
        ]
        if options["check"] and missed:
            raise CommandError(_("Not good enough: %(missed)s") % {"missed": "; ".join(missed)})


def banks_named(names: list[str]) -> list[ItemBank]:
    """Banks by id, or those in use by the code of their competency. Raises CommandError for a name without a bank."""
    banks = ItemBank.objects.select_related("competency").order_by("competency__code")
    if not names:
        return list(banks.filter(status=BankStatus.IN_USE))
    found = []
    for name in names:
        chosen = (
            banks.filter(pk=int(name))
            if name.isdecimal()
            else banks.filter(status=BankStatus.IN_USE, competency__code__iexact=name)
        )
        if not chosen:
            raise CommandError(_("There is no bank “%(name)s”.") % {"name": name})
        found += list(chosen)
    return found


def lines_of(report: Report) -> list[str]:
    lines = [
        f"  people                {report.people} (seed {report.seed})",
        f"  level exact           {report.exact_pct:.1f} %",
        f"  level within one      {report.within_one_pct:.2f} %",
        f"  attained above true   {report.told_more_pct:.1f} %",
        f"  questions             median {report.median_items:g}, mean {report.mean_items:.1f}",
        f"  standard error        {report.mean_se:.3f}",
        f"  most exposed question {report.most_exposed_pct:.0f} % of people",
    ]
    for level in report.by_level:
        lines.append(
            f"  true level {level.level}: {level.people:6d} people, exact {level.exact_pct:5.1f} %, "
            f"within one {level.within_one_pct:6.2f} %, questions {level.mean_items:.1f}"
        )
    return lines
