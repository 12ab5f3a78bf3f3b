"""manage.py calibrate_diagnostic BANK: estimate a bank's questions from the answers people gave."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from competencies.banks import calibration_of, save_calibration
from competencies.calibration import FEWEST_ANSWERS, WEAK_A
from competencies.management.commands.simulate_diagnostic import banks_named


class Command(BaseCommand):
    help = (
        "Estimate difficulty and discrimination from answers, of questions with enough of them. Shows; --save writes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("bank", help="competency code (the bank in use) or id of a bank")
        parser.add_argument("--save", action="store_true", help="write what was estimated")

    def handle(self, *args: Any, **options: Any) -> None:
        (bank,) = banks_named([options["bank"]])
        items, found = calibration_of(bank)
        self.stdout.write(f"{bank}: {int(found.answers.sum())} answers, {found.rounds} rounds")
        for row, item in enumerate(items):
            words = f"  {item.key:20} answers {found.answers[row]:5}  "
            if found.estimated[row]:
                words += (
                    f"b {item.difficulty:+.2f} → {found.b[row]:+.2f}  a {item.discrimination:.2f} → {found.a[row]:.2f}"
                )
                if found.a[row] < WEAK_A:
                    words += "  " + _("hardly tells people apart: read this question again")
            else:
                words += _("fewer than %(fewest)s: stays") % {"fewest": FEWEST_ANSWERS}
            self.stdout.write(words)
        if not found.converged:
            self.stdout.write(_("The estimates have not settled. Nothing was written."))
        elif options["save"]:
            count = save_calibration(bank=bank, items=items, found=found, by=None)
            self.stdout.write(_("%(count)s questions written.") % {"count": count})
        else:
            self.stdout.write(_("Nothing was written. To write it: --save"))
