"""The certificate a paper is signed with: self-signed, or asked for from an authority. The private half stays in its store.

`sign` is a KeyStore's: ECDSA P-256 with SHA-256 of a message, 64 bytes r and s. Built with asn1crypto, because the
builders of `cryptography` want the private key itself.
Source: RFC 5280, RFC 2986, RFC 5758; ETSI EN 319 412 (what a seal's certificate says).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from hashlib import sha1, sha256

from asn1crypto import algos, core, csr, keys, x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certificates.credentials.keys import Kind, MalformedKey, PublicKey, as_der

Sign = Callable[[bytes], bytes]
_ALGORITHM = algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"})


def self_signed(
    key: PublicKey, *, sign: Sign, name: str, organisation: str, country: str, on: date, years: int = 10
) -> bytes:
    """A certificate (DER) for a P-256 key, signed by itself, from `on` for so many years.

    The same key and words give the same bytes where the store signs deterministically; the serial follows from the
    key. Raises MalformedKey for other kinds of keys, ValueError where `country` is not two capitals.
    """
    public = _public(key)
    subject = _subject(name, organisation, country)
    identifier = sha1(public["public_key"].native, usedforsecurity=False).digest()
    # Positive and of at most 20 bytes (RFC 5280, 4.1.2.2); another day or name is another certificate.
    seed = b"\0".join([key.raw, on.isoformat().encode(), subject.dump()])
    serial = int.from_bytes(sha256(seed).digest()[:16], "big") >> 1 or 1
    start = datetime(on.year, on.month, on.day, tzinfo=UTC)
    end = _years_later(on, years)
    body = x509.TbsCertificate(
        {
            "version": "v3",
            "serial_number": serial,
            "signature": _ALGORITHM,
            "issuer": subject,
            "validity": {
                "not_before": _time(start),
                "not_after": _time(datetime(end.year, end.month, end.day, 23, 59, 59, tzinfo=UTC)),
            },
            "subject": subject,
            "subject_public_key_info": public,
            "extensions": [
                _extension("basic_constraints", x509.BasicConstraints({"ca": False}), critical=True),
                _extension("key_usage", x509.KeyUsage({"digital_signature", "non_repudiation"}), critical=True),
                _extension("key_identifier", core.OctetString(identifier)),
                _extension("authority_key_identifier", x509.AuthorityKeyIdentifier({"key_identifier": identifier})),
            ],
        }
    )
    return bytes(
        x509.Certificate(
            {"tbs_certificate": body, "signature_algorithm": _ALGORITHM, "signature_value": _signed(body, sign)}
        ).dump()
    )


def signing_request(key: PublicKey, *, sign: Sign, name: str, organisation: str, country: str) -> bytes:
    """A request (PKCS #10, DER) with which an authority makes a certificate for a P-256 key. Raises as `self_signed`."""
    body = csr.CertificationRequestInfo(
        {
            "version": "v1",
            "subject": _subject(name, organisation, country),
            "subject_pk_info": _public(key),
            "attributes": [
                {
                    "type": "extension_request",
                    "values": [
                        [
                            _extension(
                                "key_usage", x509.KeyUsage({"digital_signature", "non_repudiation"}), critical=True
                            )
                        ]
                    ],
                }
            ],
        }
    )
    return bytes(
        csr.CertificationRequest(
            {
                "certification_request_info": body,
                "signature_algorithm": _ALGORITHM,
                "signature": _signed(body, sign),
            }
        ).dump()
    )


def _public(key: PublicKey) -> keys.PublicKeyInfo:
    if key.kind is not Kind.P256:
        raise MalformedKey("papers are signed with a P-256 key")
    try:
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key.raw)
    except ValueError as error:
        raise MalformedKey("the key is not a point of the curve") from error
    return keys.PublicKeyInfo.load(point.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _subject(name: str, organisation: str, country: str) -> x509.Name:
    if len(country) != 2 or not (country.isascii() and country.isalpha() and country.isupper()):
        raise ValueError("a country is two capital letters (ISO 3166-1)")
    return x509.Name.build({"country_name": country, "organization_name": organisation[:64], "common_name": name[:64]})


def _extension(kind: str, value: core.Asn1Value, *, critical: bool = False) -> x509.Extension:
    return x509.Extension({"extn_id": kind, "critical": critical, "extn_value": value})


def _time(moment: datetime) -> x509.Time:
    kind, value = ("utc_time", core.UTCTime) if moment.year < 2050 else ("general_time", core.GeneralizedTime)
    return x509.Time(name=kind, value=value(moment))


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return date(day.year + years, 2, 28)


def _signed(body: core.Sequence, sign: Sign) -> bytes:
    return as_der(sign(body.dump()))
