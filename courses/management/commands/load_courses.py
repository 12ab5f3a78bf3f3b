from typing import Any

from django.core.management.base import BaseCommand, CommandError

from courses.loading import CourseFileFault, load_courses


class Command(BaseCommand):
    help = "Load the starter courses; a course that is there already stays as it is."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            loaded = load_courses()
        except CourseFileFault as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{len(loaded.created)} courses loaded, {len(loaded.left)} were there already and stay as they are."
        )
