from learning.models.assigning import (
    Assignment,
    AssignmentBatch,
    AssignmentRule,
    BatchRow,
    ExtensionRequest,
    LearningPeriod,
)
from learning.models.curated import CuratedItem, CuratedPath, CuratedStage, CuratedVersion
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
    "ExtensionRequest",
    "LearnerSettings",
    "LearningPeriod",
    "PathPlan",
    "PathStep",
    "ReminderDigest",
    "StepWish",
]
