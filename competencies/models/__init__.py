from competencies.models.assessing import (
    Claim,
    Contest,
    EvidenceDocument,
    Panel,
    PanelRating,
    RefreshNotice,
    SharedDisagreement,
)
from competencies.models.campaign import AssessmentCampaign, CampaignInvitation, CampaignManagerMail
from competencies.models.diagnostic import (
    BankFacet,
    Diagnostic,
    DiagnosticAnswer,
    DiagnosticItem,
    ItemBank,
    ItemOption,
)
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
from competencies.models.rulebook import Rulebook, RulebookIsFrozen, RulebookStatus
from competencies.models.standing import FindableConsent, StandingCount
from competencies.models.succession import Alignment, CompetencySuccession, ProfileSuccession

__all__ = [
    "Alignment",
    "Area",
    "AssessmentCampaign",
    "BankFacet",
    "CampaignInvitation",
    "CampaignManagerMail",
    "Claim",
    "Competency",
    "CompetencyLink",
    "CompetencySuccession",
    "Contest",
    "Diagnostic",
    "DiagnosticAnswer",
    "DiagnosticItem",
    "Evidence",
    "EvidenceDocument",
    "EvidenceWithdrawal",
    "FindableConsent",
    "Framework",
    "FrameworkVersion",
    "ItemBank",
    "ItemOption",
    "LevelDescriptor",
    "Panel",
    "PanelRating",
    "PostRole",
    "ProficiencyLevel",
    "ProfileSuccession",
    "RefreshNotice",
    "Requirement",
    "Role",
    "RoleAssignment",
    "RoleFamily",
    "RoleProfile",
    "Rulebook",
    "RulebookIsFrozen",
    "RulebookStatus",
    "SharedDisagreement",
    "StandingCount",
    "VersionIsFrozen",
]
