"""What a paper's signature is worth, judged offline: by whom, and whether a byte has changed since.

The bytes are judged, not the document they describe. A PDF can hold many revisions, hidden objects and traps for
readers; but where one signature covers every byte of the file except itself, and it is ours, the file is what we
signed, whatever is in it. So no PDF is parsed here: signatures are found by their byte ranges, and work is bounded by
the size of the file. pyHanko checks the CMS. Nothing is fetched: no OCSP, no CRL, no certificate.

`code_in` and `credential_in` read what our papers carry in the open, for finding the record; they prove nothing.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import new as new_hash

from asn1crypto import cms, x509
from pyhanko.sign.validation.generic_cms import validate_sig_integrity

from certificates import codes

LARGEST_PAPER = 10_000_000
LARGEST_CREDENTIAL = 1_000_000
LARGEST_CMS = 200_000
MOST_SIGNATURES = 16
_RANGE = re.compile(
    rb"/ByteRange\s{0,40}\[\s{0,40}(\d{1,10})\s{1,40}(\d{1,10})\s{1,40}(\d{1,10})\s{1,40}(\d{1,10})\s{0,80}\]"
)
_DATE = re.compile(rb"/M\s{0,9}\(([^()]{1,80})\)")
_MOMENT = re.compile(rb"D:(\d{14})(?:Z|([+-])(\d\d)'?(\d\d)?'?)?")
_OCTAL = re.compile(rb"\\([0-3][0-7]{2})")
_KEYWORDS = (
    re.compile(rb"<pdf:Keywords>([^<]{1,300})</pdf:Keywords>"),
    re.compile(rb"/Keywords\s{0,9}\(([^()\\]{1,300})\)"),
)
_FILE = re.compile(rb"/Type\s{0,9}/EmbeddedFile")
_FILE_HEAD = re.compile(rb"([^\x80-\xff]{0,500}?)>>\s{0,9}stream\r?\n")
_LENGTH = re.compile(rb"/Length\s{1,9}(\d{1,8})(?![\d\s]{0,12}R)")
_DIGESTS = frozenset({"sha256", "sha384", "sha512"})


class SignatureState(StrEnum):
    UNSIGNED = "unsigned"
    OURS = "ours"  # intact, by one of the trusted
    UNKNOWN = "unknown"  # intact, by somebody else
    CHANGED = "changed"  # signed, and not what was signed
    UNREADABLE = "unreadable"  # no PDF, cut off, or too large


@dataclass(frozen=True)
class PaperJudgement:
    """`signer` is the certificate (DER), `signed_at` the moment the signer states; both where a signature is intact."""

    state: SignatureState
    signer: bytes = b""
    signed_at: datetime | None = None

    @property
    def name(self) -> str:
        """The signer's common name as the certificate says: anybody can write anything in one that is not ours."""
        try:
            return str(x509.Certificate.load(self.signer).subject.native.get("common_name", "")) if self.signer else ""
        except Exception:  # whatever a stranger's certificate holds
            return ""


def judge_signatures(content: bytes, *, trusted: Iterable[bytes]) -> PaperJudgement:
    """Judge a file. `trusted` are our certificates (DER), expired ones too: they count as of the moment of signing.

    Never raises for what the bytes hold. A signature of ours with anything after it, be it another signature, means
    that the file was changed: ours allow nothing more.
    """
    if len(content) > LARGEST_PAPER or b"%PDF-" not in content[:1024]:
        return PaperJudgement(SignatureState.UNREADABLE)
    ours = frozenset(trusted)
    found = [match for _, match in zip(range(MOST_SIGNATURES + 1), _RANGE.finditer(content), strict=False)]
    if len(found) > MOST_SIGNATURES:
        return PaperJudgement(SignatureState.UNREADABLE)
    judged = [one for one in (_judge(content, match) for match in found) if one is not None]
    for one in judged:
        if one.whole and one.signer in ours and _in_time(one):
            return PaperJudgement(SignatureState.OURS, one.signer, one.at)
    if any(one.signer in ours and not one.whole for one in judged):
        return PaperJudgement(SignatureState.CHANGED)
    for one in judged:
        if one.whole:
            return PaperJudgement(SignatureState.UNKNOWN, one.signer, one.at)
    if found or b"/ByteRange" in content:
        return PaperJudgement(SignatureState.CHANGED)
    ended = content.rfind(b"%%EOF", -1024)
    if ended < 0 or b" obj" in content[ended:]:  # cut off, perhaps in the midst of a signed revision
        return PaperJudgement(SignatureState.UNREADABLE)
    return PaperJudgement(SignatureState.UNSIGNED)


@dataclass(frozen=True)
class _Intact:
    """A signature that holds for what it covers."""

    signer: bytes
    whole: bool
    at: datetime | None


def _judge(content: bytes, match: re.Match[bytes]) -> _Intact | None:
    """None where it does not hold, or is no signature."""
    start, before, after, rest = (int(number) for number in match.groups())
    if start != 0 or not match.end() <= len(content) or after + rest > len(content) or before >= after:
        return None
    gap = content[before:after]
    if len(gap) > 2 * LARGEST_CMS or gap[:1] != b"<" or gap[-1:] != b">":
        return None
    if not content[max(before - 40, 0) : before].rstrip().endswith(b"/Contents"):
        return None
    try:
        # bytes.fromhex forgives spaces between digits, so that they be none is asked of it here.
        packed = bytes.fromhex(gap[1:-1].decode("ascii"))
        if len(packed) * 2 != len(gap) - 2:
            return None
        signer = _signer(packed, content[:before], content[after : after + rest])
    except Exception:  # asn1crypto, pyHanko and cryptography each raise their own for what is malformed
        return None
    if signer is None:
        return None
    return _Intact(signer, after + rest == len(content), _moment(content, before, after))


def _signer(packed: bytes, *covered: bytes) -> bytes | None:
    """The certificate of the one signer of a CMS over these bytes; None where signature or digest are wrong."""
    size = _der_size(packed)
    if packed[size:].strip(b"\0"):
        return None
    info = cms.ContentInfo.load(packed[:size])
    if info["content_type"].native != "signed_data":
        return None
    data = info["content"]
    if len(data["signer_infos"]) != 1 or len(data["certificates"]) > 16:
        return None
    (signed,) = data["signer_infos"]
    algorithm = signed["digest_algorithm"]["algorithm"].native
    if algorithm not in _DIGESTS:
        return None
    certificate = next((one.chosen for one in data["certificates"] if _is_of(one, signed["sid"])), None)
    if certificate is None:
        return None
    digest = new_hash(algorithm)
    for part in covered:
        digest.update(part)
    intact, valid = validate_sig_integrity(signed, certificate, "data", digest.digest())
    return bytes(certificate.dump()) if intact and valid else None


def _is_of(choice: cms.CertificateChoices, sid: cms.SignerIdentifier) -> bool:
    if choice.name != "certificate":
        return False
    certificate = choice.chosen
    if sid.name == "issuer_and_serial_number":
        named = sid.chosen
        return bool(
            named["serial_number"].native == certificate.serial_number
            and named["issuer"].dump() == certificate.issuer.dump()
        )
    return bool(sid.native == certificate.key_identifier)


def _der_size(content: bytes) -> int:
    """How long the first DER value is, with its head. Raises IndexError or ValueError."""
    length = content[1]
    if length < 0x80:
        return 2 + length
    count = length & 0x7F
    if not 1 <= count <= 4:
        raise ValueError("a length of another form than DER's")
    return 2 + count + int.from_bytes(content[2 : 2 + count], "big")


def _moment(content: bytes, before: int, after: int) -> datetime | None:
    """When it was signed, as the signature's dictionary says, which the signature covers."""
    head, tail = content[max(before - 2000, 0) : before], content[after : after + 2000]
    around = head[max(head.rfind(b" obj"), 0) :] + b" " + tail.partition(b"endobj")[0]
    written = _DATE.search(around)
    if written is None:
        return None
    # pyHanko writes what is no letter or digit by its octal number.
    match = _MOMENT.match(_OCTAL.sub(lambda octal: bytes([int(octal[1], 8)]), written[1]))
    if match is None:
        return None
    digits, sign, hours, minutes = match.groups()
    try:
        moment = datetime.strptime(digits.decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        away = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        return moment - away if sign == b"+" else moment + away
    except (ValueError, OverflowError):
        return None


def _in_time(one: _Intact) -> bool:
    """Whether the certificate was valid at the moment of signing. A signature of ours always states one."""
    if one.at is None:
        return False
    try:
        validity = x509.Certificate.load(one.signer)["tbs_certificate"]["validity"]
        starts, ends = validity["not_before"].native, validity["not_after"].native
    except Exception:  # a certificate of ours that nobody can read counts for nothing
        return False
    return bool(starts <= one.at <= ends)


# --- What a paper carries ----------------------------------------------------------------------------------------
def code_in(content: bytes) -> str | None:
    """The code of a certificate in the paper's keywords, normalised; None where there is no well-formed one."""
    if len(content) > LARGEST_PAPER:
        return None
    found = None
    for pattern in _KEYWORDS:
        for match in pattern.finditer(content):
            for word in re.split(r"[,;\s]+", match[1].decode("ascii", "replace")):
                code = codes.normalise(word)
                if codes.is_wellformed(code):
                    found = code
        if found is not None:
            return found
    return None


def credential_in(content: bytes) -> bytes | None:
    """The credential our papers carry (at most 1 MB), the last one where there are several; None where there is none.

    Finds it as we write it; other programs that save a paper anew may write it otherwise.
    """
    if len(content) > LARGEST_PAPER:
        return None
    places = [match.end() for match in _FILE.finditer(content)][-MOST_SIGNATURES:]
    for place in reversed(places):
        head = _FILE_HEAD.match(content[place : place + 600])
        if head is None or b"application#2Fjson" not in head[1]:
            continue
        length = _LENGTH.search(head[1])
        if length is None:
            continue
        start = place + head.end()
        packed = content[start : start + int(length[1])]
        found = _unpacked(packed) if b"/FlateDecode" in head[1] else packed
        if found is not None and len(found) <= LARGEST_CREDENTIAL:
            return found
    return None


def _unpacked(packed: bytes) -> bytes | None:
    """Decompressed, but never more than a credential may have."""
    worker = zlib.decompressobj()
    try:
        found = worker.decompress(packed, LARGEST_CREDENTIAL + 1)
    except zlib.error:
        return None
    return found if worker.eof and len(found) <= LARGEST_CREDENTIAL else None
