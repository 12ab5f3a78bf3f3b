"""Vocabulary of paths."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

# The kinds of the jobs that make a dry run, apply it and take it back.
DRY_RUN_JOB = "learning.dry_run"
ASSIGN_JOB = "learning.assign"
UNDO_JOB = "learning.undo"
# Whose day has come is asked about a course; what has run its time is counted.
ASK_ABOUT_COURSES_JOB = "learning.ask_about_courses"
CLOSE_EVALUATION_JOB = "learning.close_evaluation"


class PlanReason(models.TextChoices):
    """Why a plan was made."""

    FIRST = "first", _("First plan")
    EVIDENCE = "evidence", _("New evidence")
    ROLE = "role", _("A role was added or ended")
    OFFER = "offer", _("The course offer changed")
    FRAMEWORK = "framework", _("The framework changed")
    RULES = "rules", _("The rules of attainment changed")
    ASSIGNMENT = "assignment", _("Something was assigned to you, or its date changed")
    RULE = "rule", _("A rule asks for something, or no longer does")
    TAKEN_BACK = "taken_back", _("HR took an assignment back")
    EXTENDED = "extended", _("You were given more time")
    REDATED = "redated", _("HR set another date")
    EXEMPT = "exempt", _("HR exempted you from something")
    ASKED_AGAIN = "asked_again", _("HR took an exemption back")
    CURATED = "curated", _("A curated path changed")
    WISH = "wish", _("You chose so")
    PACE = "pace", _("Hours a week or leave changed")
    PERIOD = "period", _("A requirement came round again")
    CHANGE = "change", _("A change needs something by a day, or a survey of it closed")
    SWEEP = "sweep", _("Regular check")


class Proof(models.TextChoices):
    """What is known about how short a plan is."""

    OPTIMAL = "optimal", _("No shorter way closes these gaps")
    LIMIT = "limit", _("The time to look for a shorter way was up")
    GREEDY = "greedy", _("A sound way, not proven to be the shortest")


class AssignmentKind(models.TextChoices):
    ROLE = "role", _("Role")
    PATH = "path", _("Curated path")
    COURSE = "course", _("Course")


class EndReason(models.TextChoices):
    """Why an assignment is no longer in force."""

    ENDED = "ended", _("Ended by HR")
    UNDONE = "undone", _("Taken back")
    LEFT_RULE = "left_rule", _("No longer in the scope of its rule")


class BatchStatus(models.TextChoices):
    """A dry run and what became of it."""

    COUNTING = "counting", _("The dry run is being made")
    READY = "ready", _("Ready to be applied")
    STALE = "stale", _("The world has changed since")
    APPLYING = "applying", _("Being applied")
    APPLIED = "applied", _("Applied")
    UNDOING = "undoing", _("Being taken back")
    UNDONE = "undone", _("Taken back")
    FAILED = "failed", _("Stopped")


class RowOutcome(models.TextChoices):
    """What a batch does to one person."""

    GAINS = "gains", _("Gains it")
    HOLDS = "holds", _("Has it already")
    MOVES = "moves", _("The due date moves")
    BINDS = "binds", _("Becomes mandatory, with the date it has")
    LOSES = "loses", _("Loses it")
    CONFLICT = "conflict", _("Left as it is: a conflict")
    NOT_FOUND = "not_found", _("Could not be found")


class RowState(models.TextChoices):
    PLANNED = "planned", _("Planned")
    APPLIED = "applied", _("Done")
    ALREADY = "already", _("Somebody was faster")
    FAILED = "failed", _("Could not be done")
    RESTORED = "restored", _("Taken back")
    KEPT = "kept", _("Kept: changed by somebody since")


class OnLeaving(models.TextChoices):
    """What a rule does with an assignment when the person leaves its scope."""

    KEEP = "keep", _("Keep it, as if given by hand")
    END = "end", _("End it; what is begun may be finished")
    ARCHIVE = "archive", _("End it and put it away, begun or not")


class Existing(models.TextChoices):
    """What a batch does for those who have it already."""

    KEEP = "keep", _("Leave their date as it is")
    MOVE = "move", _("Give them this date too")


class CuratedStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    SUPERSEDED = "superseded", _("Superseded")


class WishKind(models.TextChoices):
    PINNED = "pinned", _("Pinned")
    DECLINED = "declined", _("Declined")


class Decision(models.TextChoices):
    GRANTED = "granted", _("Granted")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")


# How long a batch can be taken back.
UNDO_DAYS = 7


class EvaluationKind(models.TextChoices):
    """What is asked about a course, of whom and when; the value is the code of its block of statements."""

    REACTION = "reaction", _("Right after the course")
    USE = "use", _("Use at work, seen by learners")
    TEAM = "use_team", _("Use at work, seen by managers")


class RoundState(models.TextChoices):
    OPEN = "open", pgettext_lazy("state", "Open")
    SEALED = "sealed", _("Being closed")
    CLOSED = "closed", _("Closed")
    DESTROYED = "destroyed", _("Closed without result")
