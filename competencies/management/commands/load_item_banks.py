"""manage.py load_item_banks [FILE…]: store item banks and put them in use; without files, those that ship with the platform."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.translation import gettext as _

from competencies.banks import DATA, BankRefused, load_bank, read_bank
from competencies.importers import CannotImport
from competencies.importers.sources import gather
from competencies.models import Competency

SHOWN_FAULTS = 50


class Command(BaseCommand):
    help = "Load item banks of diagnostics and put them in use. All files or none; doing it again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="*", type=Path, help="item-bank/1 JSON files; without any, the shipped ones")
        parser.add_argument(
            "--present",
            action="store_true",
            help="leave out banks whose competency the published frameworks do not have (a ministry may have its own)",
        )
        parser.add_argument("--draft", action="store_true", help="store them as drafts: they are put in use in the CMS")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        paths = options["files"] or sorted(DATA.glob("*.json"))
        contents, faults = [], []
        for path in paths:
            try:
                contents += [(source.name, read_bank(source)) for source in gather(path)]
            except CannotImport as error:
                faults += [f"{path.name} {fault}" for fault in error.faults]
        if options["present"]:
            there = set(Competency.objects.published().values_list("version__framework__slug", "code"))
            contents = [
                (name, content) for name, content in contents if (content.framework, content.competency) in there
            ]
        lines = []
        for name, content in contents:
            try:
                loaded = load_bank(content=content, by=None, in_use=not options["draft"])
            except CannotImport as error:
                faults += [f"{name} {fault}" for fault in error.faults]
            except BankRefused as error:
                faults.append(f"{name}: {error}")
            else:
                sentence = (
                    _("%(bank)s: %(count)s questions loaded, %(status)s.")
                    if loaded.created
                    else _("%(bank)s is there already. Nothing was written.")
                )
                lines.append(
                    sentence
                    % {
                        "bank": loaded.bank,
                        "count": len(content.items),
                        "status": loaded.bank.get_status_display().lower(),
                    }
                )
        if faults:
            more = (
                [_("… and %(count)s more.") % {"count": len(faults) - SHOWN_FAULTS}]
                if len(faults) > SHOWN_FAULTS
                else []
            )
            raise CommandError("\n".join([*faults[:SHOWN_FAULTS], *more]))
        for line in lines if options["verbosity"] else ():
            self.stdout.write(line)
