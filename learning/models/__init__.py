from learning.models.assigning import (
    Assignment,
    AssignmentBatch,
    AssignmentRule,
    BatchRow,
    ExtensionRequest,
    LearningPeriod,
)
from learning.models.curated import CuratedItem, CuratedPath, CuratedStage, CuratedVersion
from learning.models.evaluating import (
    EvaluationAsk,
    EvaluationEnvelope,
    EvaluationRound,
    ServiceMeasure,
    ServiceValue,
)
from learning.models.paths import PathPlan, PathStep
from learning.models.personal import LearnerSettings, ReminderDigest, StepWish

__all__ = [
    "Assignment",
    "AssignmentBatch",
    "AssignmentRule",
    "BatchRow",
    "CuratedItem",
    "CuratedPath",
    "CuratedStage",
    "CuratedVersion",
    "EvaluationAsk",
    "EvaluationEnvelope",
    "EvaluationRound",
    "ExtensionRequest",
    "LearnerSettings",
    "LearningPeriod",
    "PathPlan",
    "PathStep",
    "ReminderDigest",
    "ServiceMeasure",
    "ServiceValue",
    "StepWish",
]
