"""Vocabulary and policy of frameworks and evidence."""

from django.db import models
from django.utils.translation import gettext_lazy as _

# A framework without a scale (NICE, for one) knows only whether something is held.
HELD_RANK = 1
MAX_RANK = 20
DEFAULT_IMPORTANCE = 3


class FrameworkStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    SUPERSEDED = "superseded", _("Superseded")


class CompetencyKind(models.TextChoices):
    COMPETENCY = "competency", _("Competency")
    SKILL = "skill", _("Skill")
    KNOWLEDGE = "knowledge", _("Knowledge")
    TASK = "task", _("Task")
    TOOL = "tool", _("Technology")
    STATEMENT = "statement", _("Statement")
    OUTCOME = "outcome", _("Learning outcome")


class Necessity(models.TextChoices):
    """How a role asks for a competency. Only what is required makes a gap and drives a path."""

    REQUIRED = "required", _("Required")
    OPTIONAL = "optional", _("Optional")
    # The source publishes the figure and advises against using it (too few answers, too wide a spread).
    UNCERTAIN = "uncertain", _("Too uncertain to be used")


class LinkRelation(models.TextChoices):
    """How one competency stands to another, read "origin <relation> target"."""

    EXACT = "exact", _("is the same as")
    BROADER = "broader", _("is broader than")
    NARROWER = "narrower", _("is narrower than")
    RELATED = "related", _("is related to")
    PEER = "peer", _("stands beside")
    PART_OF = "part_of", _("is part of")
    PRECEDES = "precedes", _("comes before")
    REPLACED_BY = "replaced_by", _("is replaced by")
    EXEMPLAR = "exemplar", _("is shown by the example")
    SKILL_LEVEL = "skill_level", _("has the skill level")
    TRANSLATION = "translation", _("is a translation of")
    OTHER = "other", _("is linked to")


class EvidenceKind(models.TextChoices):
    SELF = "self", _("Self-assessment")
    MANAGER = "manager", _("Manager's assessment")
    PANEL = "panel", _("Panel of assessors")
    QUIZ = "quiz", _("Quiz")
    DIAGNOSTIC = "diagnostic", _("Diagnostic")
    COURSE = "course", _("Course")
    CERTIFICATE = "certificate", _("Certificate")
    PRIOR_LEARNING = "prior_learning", _("Prior learning")


# What a person may say of two frameworks; the rest is what frameworks say of themselves.
ALIGNMENT_CHOICES = [
    (relation.value, relation.label)
    for relation in (LinkRelation.EXACT, LinkRelation.BROADER, LinkRelation.NARROWER, LinkRelation.RELATED)
]


class SuccessionBasis(models.TextChoices):
    """Why a line of a crosswalk was proposed, the surest first."""

    IDENTIFIER = "identifier", _("Same identifier")
    CODE = "code", _("Same code")
    WORDING = "wording", _("Same wording")
    CLOSE = "close", _("Close wording")
    PERSON = "person", _("Chosen by a person")
    NONE = "none", _("Nothing like it")


# These need no second look; close wording does.
CERTAIN_BASES = frozenset({SuccessionBasis.IDENTIFIER, SuccessionBasis.CODE, SuccessionBasis.WORDING})


class SuccessionDecision(models.TextChoices):
    PROPOSED = "proposed", _("Proposed")
    CONFIRMED = "confirmed", _("Confirmed")


class ClaimKind(models.TextChoices):
    """What a person may ask to have recognised; the evidence it becomes is of the same kind."""

    CERTIFICATE = "certificate", _("Certificate from elsewhere")
    PRIOR_LEARNING = "prior_learning", _("Prior learning")


class ClaimState(models.TextChoices):
    SUBMITTED = "submitted", _("Waiting for an answer")
    ACCEPTED = "accepted", _("Accepted")
    REFUSED = "refused", _("Not accepted")
    TAKEN_BACK = "taken_back", _("Taken back")


class ContestState(models.TextChoices):
    OPEN = "open", _("Being looked at")
    KEPT = "kept", _("Stands as it was")
    CORRECTED = "corrected", _("Corrected")
    REMOVED = "removed", _("Withdrawn")
    # Somebody else withdrew the piece while the contest was open.
    OVERTAKEN = "overtaken", _("Withdrawn meanwhile")
    TAKEN_BACK = "taken_back", _("Taken back")


# What an assessor may decide.
DECIDED_CONTESTS = frozenset({ContestState.KEPT, ContestState.CORRECTED, ContestState.REMOVED})


class BankStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    IN_USE = "in_use", _("In use")
    RETIRED = "retired", _("Retired")


class DiagnosticEnd(models.TextChoices):
    """Why a diagnostic asked no more."""

    SURE = "sure", _("Sure enough")
    LENGTH = "length", _("Long enough")
    NO_ITEMS = "no_items", _("No more questions")
    STOPPED = "stopped", _("Stopped by the person")
    LEFT = "left", _("Left unfinished")
