from readiness.models.initiatives import Champion, Initiative, Milestone, Need, ReadConfirmation, RoleImpact, TeamMember
from readiness.models.instruments import Block, Instrument, Item, LanguageReview, OpenQuestion
from readiness.models.journey import Action, Concern, Impact, Nudge, Question, Suggestion
from readiness.models.results import ClassBlock, Comment, CutTotals, NodeBlock, Sheet, SheetClass
from readiness.models.waves import (
    Envelope,
    LastInvitation,
    Participation,
    Wave,
    WaveApproval,
    WaveEligible,
    WaveEvent,
    WaveNode,
)

__all__ = [
    "Action",
    "Block",
    "Champion",
    "ClassBlock",
    "Comment",
    "Concern",
    "CutTotals",
    "Envelope",
    "Impact",
    "Initiative",
    "Instrument",
    "Item",
    "LanguageReview",
    "LastInvitation",
    "Milestone",
    "Need",
    "NodeBlock",
    "Nudge",
    "OpenQuestion",
    "Participation",
    "Question",
    "ReadConfirmation",
    "RoleImpact",
    "Sheet",
    "SheetClass",
    "Suggestion",
    "TeamMember",
    "Wave",
    "WaveApproval",
    "WaveEligible",
    "WaveEvent",
    "WaveNode",
]
