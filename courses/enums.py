"""Vocabulary of courses."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class CourseFormat(models.TextChoices):
    SELF_PACED = "self_paced", _("In your own time")
    LIVE = "live", _("Live online")
    CLASSROOM = "classroom", _("In a classroom")
    BLENDED = "blended", _("In your own time, with meetings")


# These can only be taken in a run, with its dates and seats.
DATED_FORMATS = frozenset({CourseFormat.LIVE, CourseFormat.CLASSROOM, CourseFormat.BLENDED})
