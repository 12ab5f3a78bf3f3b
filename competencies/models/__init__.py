from competencies.models.evidence import Evidence, EvidenceWithdrawal
from competencies.models.framework import (
    Area,
    Competency,
    Framework,
    FrameworkVersion,
    LevelDescriptor,
    ProficiencyLevel,
)
from competencies.models.roles import PostRole, Requirement, Role, RoleAssignment, RoleFamily, RoleProfile

__all__ = [
    "Area",
    "Competency",
    "Evidence",
    "EvidenceWithdrawal",
    "Framework",
    "FrameworkVersion",
    "LevelDescriptor",
    "PostRole",
    "ProficiencyLevel",
    "Requirement",
    "Role",
    "RoleAssignment",
    "RoleFamily",
    "RoleProfile",
]
