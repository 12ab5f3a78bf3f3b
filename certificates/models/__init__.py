from certificates.models.certificate import Certificate, CertificateQuerySet, Frozen, Revocation, SerialCounter
from certificates.models.cohort import Cohort, CohortFile, CohortPart, CohortQuerySet
from certificates.models.defining import Definition, DefinitionQuerySet, IssuingBody, Logo, Signatory
from certificates.models.signing import Credential, IssuerKey, StatusList

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
    "IssuerKey",
    "IssuingBody",
    "Logo",
    "Revocation",
    "SerialCounter",
    "Signatory",
    "StatusList",
]
