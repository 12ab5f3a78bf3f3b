from certificates.models.certificate import Certificate, Frozen, SerialCounter

__all__ = ["Certificate", "Frozen", "SerialCounter"]
