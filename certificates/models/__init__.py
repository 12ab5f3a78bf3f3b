from certificates.models.certificate import Certificate, Frozen, Revocation, SerialCounter

__all__ = ["Certificate", "Frozen", "Revocation", "SerialCounter"]
