from certificates.models.certificate import Certificate, CertificateQuerySet, Frozen, Revocation, SerialCounter
from certificates.models.cohort import Cohort, CohortFile, CohortPart, CohortQuerySet
from certificates.models.defining import Definition, DefinitionQuerySet, IssuingBody, Logo, Signatory
from certificates.models.importing import ImportedBadge
from certificates.models.sharing import ShareLink, ShareLinkQuerySet
from certificates.models.signing import Credential, IssuerKey, StatusList
from certificates.models.trusting import TrustedIssuer, TrustedIssuerQuerySet

__all__ = [
    "Certificate",
    "CertificateQuerySet",
    "Cohort",
    "CohortFile",
    "CohortPart",
    "CohortQuerySet",
    "Credential",
    "Definition",
    "DefinitionQuerySet",
    "Frozen",
    "ImportedBadge",
    "IssuerKey",
    "IssuingBody",
    "Logo",
    "Revocation",
    "SerialCounter",
    "ShareLink",
    "ShareLinkQuerySet",
    "Signatory",
    "StatusList",
    "TrustedIssuer",
    "TrustedIssuerQuerySet",
]
