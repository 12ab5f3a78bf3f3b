from certificates.models.certificate import Certificate, CertificateQuerySet, Frozen, Revocation, SerialCounter

__all__ = ["Certificate", "CertificateQuerySet", "Frozen", "Revocation", "SerialCounter"]
