from certificates.models.certificate import Certificate, SerialCounter

__all__ = ["Certificate", "SerialCounter"]
