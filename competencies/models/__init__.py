from competencies.models.evidence import Evidence, EvidenceWithdrawal
from competencies.models.framework import (
    Area,
    Competency,
    CompetencyLink,
    Framework,
    FrameworkVersion,
    LevelDescriptor,
    ProficiencyLevel,
    VersionIsFrozen,
)
from competencies.models.roles import PostRole, Requirement, Role, RoleAssignment, RoleFamily, RoleProfile
from competencies.models.succession import Alignment, CompetencySuccession, ProfileSuccession

__all__ = [
    "Alignment",
    "Area",
    "Competency",
    "CompetencyLink",
    "CompetencySuccession",
    "Evidence",
    "EvidenceWithdrawal",
    "Framework",
    "FrameworkVersion",
    "LevelDescriptor",
    "PostRole",
    "ProficiencyLevel",
    "ProfileSuccession",
    "Requirement",
    "Role",
    "RoleAssignment",
    "RoleFamily",
    "RoleProfile",
    "VersionIsFrozen",
]
