from typing import Any

from django.core.management.base import BaseCommand, CommandError

from readiness.loading import QuestionnaireFault, load_instruments


class Command(BaseCommand):
    help = "Load the questionnaires that come with the platform; what is there already stays as it is."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            loaded = load_instruments()
        except QuestionnaireFault as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{len(loaded.created)} loaded, {len(loaded.left)} were there already and stay as they are.")
