"""Vocabulary of change initiatives and surveys, and the policy that goes with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, pgettext_lazy

OPEN_JOB: Final = "readiness.open_wave"
CLOSE_JOB: Final = "readiness.close_wave"
INVITE_JOB: Final = "readiness.invite"
REMIND_JOB: Final = "readiness.remind"
SHARE_JOB: Final = "readiness.share"

# Promise P1: k is 10 unless a wave asks for more or, in a small body, for less; sealing.LEAST_K is the floor.
DEFAULT_K: Final = 10
# Who writes a comment is more easily known than who ticks a box: never fewer than ten writers together.
LEAST_COMMENT_K: Final = 10
APPROVALS_NEEDED: Final = 2
MAX_REMINDERS: Final = 3
# Nobody is invited twice within a fortnight.
INVITATION_PAUSE: Final = timedelta(days=14)
MAX_COMMENT: Final = 1_500
SHEETS_KEPT_MONTHS: Final = 24
QUESTION_ANSWERED_WITHIN_WORKING_DAYS: Final = 5
MAX_OPEN_ACTIONS: Final = 3
# Below our own questionnaires and their results; a questionnaire of somebody else keeps its own words in every language.
OUR_ATTRIBUTION: Final = gettext_noop("Questions of the Digital Talent Platform, free for any use (CC0 1.0).")
# The languages questionnaires ship in, besides those of the installation.
QUESTION_LANGUAGES: Final = ("en", "es", "pt", "fr")
# The questionnaire that is put to people after courses (on the learning floor), never to whole units.
COURSE_EVALUATION: Final = "course-evaluation"
LEAST_STATEMENTS: Final = 2
MOST_STATEMENTS: Final = 60
# Three comments of full length and sixty answers fit into one ballot.
MOST_OPEN_QUESTIONS: Final = 3


class InitiativeStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    ENDED = "ended", _("Ended")


class TeamRole(models.TextChoices):
    """What somebody does for an initiative. Sponsor and lead run the change, approvers and the data steward guard the survey,
    the moderator reads comments before others do, who tells of it writes its page in the CMS.
    """

    SPONSOR = "sponsor", _("Sponsor")
    LEAD = "lead", _("Change lead")
    APPROVER = "approver", _("Survey approver")
    MODERATOR = "moderator", _("Comment moderator")
    STEWARD = "steward", _("Data steward")
    EDITOR = "editor", _("Tells of the change")


class InstrumentStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    READY = "ready", _("Ready for use")
    RETIRED = "retired", _("Retired")


INSTRUMENT_TRANSITIONS: Final = {
    InstrumentStatus.DRAFT: {InstrumentStatus.READY},
    InstrumentStatus.READY: {InstrumentStatus.RETIRED},
    InstrumentStatus.RETIRED: set(),
}


class BlockKind(models.TextChoices):
    """What a block of questions is for: readiness for a change, or the outcomes training is asked to move."""

    READINESS = "readiness", _("Readiness for the change")
    OUTCOME = "outcome", _("Outcome, asked once a year")
    TRAINING = "training", _("Training")


class WaveKind(models.TextChoices):
    BASELINE = "baseline", _("Baseline")
    PULSE = "pulse", _("Pulse")
    POST = "post", _("Final survey")


class WaveState(models.TextChoices):
    """`sealed`: results are laid down and the ballots are gone, the private key is about to be destroyed. No result yet."""

    DRAFT = "draft", _("In preparation")
    OPEN = "open", pgettext_lazy("state", "Open")
    SEALED = "sealed", _("Being closed")
    CLOSED = "closed", _("Closed")
    DESTROYED = "destroyed", _("Closed without result")


WAVE_TRANSITIONS: Final = {
    WaveState.DRAFT: {WaveState.OPEN},
    WaveState.OPEN: {WaveState.SEALED},
    WaveState.SEALED: {WaveState.CLOSED, WaveState.DESTROYED},
    WaveState.CLOSED: set(),
    WaveState.DESTROYED: set(),
}


class KeyKeeper(models.TextChoices):
    FILE = "file", _("A file on the server, outside the database and its backups")
    PASSPHRASE = "passphrase", _("A file that only the data steward's passphrase opens")


class CutAttribute(models.TextChoices):
    """The one attribute results may be shown by, for the whole body only; declared before the survey opens."""

    NONE = "", _("None")
    LEADS = "leads", _("Leads people or not")
    GRADE = "grade", _("Grade of the post")
    TENURE = "tenure", _("Years in the post")


class CommentState(models.TextChoices):
    PENDING = "pending", _("To be read")
    SHOWN = "shown", _("Shown")
    WITHHELD = "withheld", _("Withheld")


class WaveEventKind(models.TextChoices):
    MADE = "made", _("Prepared")
    APPROVED = "approved", _("Approved")
    OPENED = "opened", _("Opened")
    REMINDED = "reminded", _("Reminder sent")
    SEALED = "sealed", _("Ballots counted and deleted")
    KEY_DESTROYED = "key_destroyed", _("Key destroyed")
    CLOSED = "closed", _("Results shared")
    DESTROYED = "destroyed", _("Too few answers: everything deleted")


class ConcernKind(models.TextChoices):
    INFORMATION = "information", _("Missing information")
    ABILITY = "ability", _("Not yet able to")
    WORKLOAD = "workload", _("Workload")
    LOSS = "loss", _("Something is lost")
    TRUST = "trust", _("Trust")
    DISAGREEMENT = "disagreement", _("Disagreement with the change")


class ConcernDecision(models.TextChoices):
    OPEN = "", _("Not decided yet")
    ACCEPTED = "accepted", _("Accepted")
    PLAN_ADAPTED = "plan_adapted", _("Plan adapted")
    EXPLAINED = "explained", _("Explained why not")


class ActionStatus(models.TextChoices):
    OPEN = "open", _("Under way")
    DONE = "done", _("Done")
    DROPPED = "dropped", _("Dropped, with a reason")


class SuggestionKind(models.TextChoices):
    READ = "read", _("Read and talk")
    COURSE = "course", _("Course")
    WORKSHOP = "workshop", _("Workshop")
    GUIDE = "guide", _("Talk guide")
    CONSULTATION = "consultation", _("Consultation")
    PRACTICE = "practice", _("Practice")


class NudgeKind(models.TextChoices):
    READ_WHY = "read_why", _("Read why the change happens")
    ANSWER_SURVEY = "answer_survey", _("Answer the survey")
    SET_ACTION = "set_action", _("Set an action for your unit")
    ANSWER_QUESTION = "answer_question", _("Answer a question")


# What a change may ask of people (fields of Impact), and how much of it.
IMPACT_ASPECTS = ("role", "process", "tool", "skill", "workload", "identity")
IMPACT_STRENGTHS = ((0, _("not at all")), (1, _("a little")), (2, _("clearly")), (3, _("a great deal")))
