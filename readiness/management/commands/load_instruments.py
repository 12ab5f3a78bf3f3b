"""manage.py load_instruments: store the questionnaires and suggestions that ship with the platform, unless they are there."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from readiness.loading import FileRefused, load_shipped


class Command(BaseCommand):
    help = "Load the questionnaires that ship, ready for use, and what helps where a block is low. Twice is once."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            loaded = load_shipped()
        except FileRefused as error:
            raise CommandError(str(error)) from error
        if not options["verbosity"]:
            return
        for name in loaded.created:
            self.stdout.write(_("%(questionnaire)s is loaded and ready for use.") % {"questionnaire": name})
        for name in loaded.left:
            self.stdout.write(_("%(questionnaire)s is there already. Nothing was written.") % {"questionnaire": name})
        if loaded.suggestions:
            self.stdout.write(_("%(count)s suggestions for low blocks are loaded.") % {"count": loaded.suggestions})
