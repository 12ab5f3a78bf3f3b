"""What to say of a PDF: whether it is the very document we issued, and if not, what in it can be checked all the same.

1. The digest of the file is that of a document we stored: ours, judged by our records.
2. It carries a signature of ours and nothing was changed since: the code in it leads to our records.
3. A credential is embedded: that is judged, and nothing is said of the pages around it.
4. Else we did not issue it, or it was changed. What to do: type the code.
Source: docs/algorithms/credentials.md, "A file handed in".
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from typing import Any, Protocol, cast

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings
from django.utils import timezone

from certificates import issuer, selectors
from certificates.credentials.verifying import Result
from certificates.enums import FileVerdict
from certificates.findings import BY_RECORDS, Finding, Issuer, Step, records_step, unreadable
from certificates.models import Certificate, IssuerKey
from certificates.verdicts import judge

logger = logging.getLogger(__name__)

PDF = "pdf"
_MARK = b"%PDF-"


class PaperReader(Protocol):
    """What certificates.pdf.judging gives."""

    def judge_signatures(self, content: bytes, *, trusted: Iterable[bytes]) -> Any:
        """An object whose `state` is unsigned, ours or unknown (intact, by whom), changed or unreadable. `trusted` in DER."""
        ...

    def code_in(self, content: bytes) -> str | None: ...

    def credential_in(self, content: bytes) -> bytes | None: ...


def reader() -> PaperReader | None:
    """The module that reads signatures in PDF; None where this installation draws documents without them."""
    try:
        return cast(PaperReader, import_module("certificates.pdf.judging"))
    except ModuleNotFoundError:
        return None


def is_pdf(content: bytes) -> bool:
    return content.startswith(_MARK) or (
        _MARK in content[:1024]
        and content[:1] not in (b"{", b"<", b"\x89")  # readers of PDF allow for a little before it
    )


def check_paper(content: bytes, *, at: datetime, check_credential: Callable[[bytes], Finding]) -> Finding:
    """Judge a PDF. `check_credential` judges what is embedded. Never raises for what the bytes hold."""
    digest = hashlib.sha256(content).hexdigest()
    stored = Certificate.objects.with_life().filter(document_sha256=digest).first()
    if stored is not None:
        return _by_records(stored, Step("paper", Result.PASSED), at)
    found = reader()
    if found is None:
        return _not_ours("paper_not_ours")
    state, code, inner = _read(found, content, _our_certificates())
    if state == "unreadable":
        return unreadable(PDF, "paper_unreadable")
    if state == "changed":
        return _not_ours("paper_changed", FileVerdict.CHANGED)
    if state == "ours":
        if not code:
            return _not_ours("paper_code_missing", FileVerdict.CHANGED)
        return _by_records(selectors.certificate_by_code(code), Step("paper", Result.PASSED, "paper_signed"), at)
    if inner is None:
        return _not_ours("paper_signed_by_others" if state == "unknown" else "paper_not_ours")
    return _inside(check_credential(inner))


def _our_certificates() -> list[bytes]:
    """Those of our own keys, in DER; what stands above them in a chain has signed others too. One query."""
    rows = IssuerKey.objects.filter(withdrawn=False).exclude(chain="")
    return [x509.load_pem_x509_certificates(row.chain.encode())[0].public_bytes(Encoding.DER) for row in rows]


def _read(found: PaperReader, content: bytes, trusted: list[bytes]) -> tuple[str, str | None, bytes | None]:
    """The state of its signatures, the code in it and the credential in it. Readers of PDF fail in more ways than they
    say: the file is the stranger's and the page is ours, so whatever happens in there is "unreadable"."""
    try:
        state = str(found.judge_signatures(content, trusted=trusted).state)
        code = found.code_in(content) if state == "ours" else None
        inner = found.credential_in(content) if state in ("unsigned", "unknown") else None
    except Exception as error:
        logger.warning("a PDF that was handed in could not be read: %s", type(error).__name__)
        return "unreadable", None, None
    return state, code, inner


def _by_records(certificate: Certificate | None, paper: Step, at: datetime) -> Finding:
    judgement = judge(certificate, as_of=timezone.localdate(at))
    return Finding(
        BY_RECORDS[judgement.verdict][0],
        PDF,
        (paper, records_step(judgement)),
        Issuer(issuer.issuer_did(), settings.ISSUER_NAME, known=True, ours=True),
        judgement,
    )


def _inside(finding: Finding) -> Finding:
    """The badge inside a PDF that proves nothing of itself."""
    paper = Step("paper", Result.UNDECIDED, "paper_unsigned")
    return replace(finding.cautioned("paper_not_covered"), form=PDF, steps=(*finding.steps, paper), covers_paper=False)


def _not_ours(code: str, state: FileVerdict = FileVerdict.UNKNOWN) -> Finding:
    return Finding(state, PDF, (Step("paper", Result.FAILED, code),))
