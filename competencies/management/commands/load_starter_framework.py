"""manage.py load_starter_framework: store the framework that ships with the platform, unless it is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from competencies import importers
from competencies.importers import CannotImport
from competencies.loading import edition_of, load_framework
from competencies.models import FrameworkVersion

STARTER_FRAMEWORK = Path(__file__).resolve().parents[2] / "data" / "starter-framework.json"


class Command(BaseCommand):
    help = "Load the starter framework that ships with the platform. Doing it again changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            content = importers.read(STARTER_FRAMEWORK, "platform")
        except CannotImport as error:
            raise CommandError("\n".join(map(str, error.faults))) from error
        names = {"framework": content.slug, "edition": edition_of(content)}
        there = FrameworkVersion.objects.filter(framework__slug=content.slug, edition=names["edition"]).first()
        if there and there.content_digest != content.digest:
            message = _(
                "Edition %(edition)s of “%(framework)s” is there with other content than the one that ships. "
                "It was left as it is."
            )
        elif load_framework(content=content).created:
            message = _("Loaded “%(framework)s”, edition %(edition)s.")
        else:
            message = _("“%(framework)s”, edition %(edition)s, is there already. Nothing was written.")
        self.stdout.write(message % names)
