"""What to say of a PDF: whether it is the very document we issued, and if not, what in it can be checked all the same.

1. The digest of the file is that of a document we stored: ours, judged by our records.
2. It carries a signature of ours and nothing was changed since: the code in it leads to our records.
3. A credential is embedded: that is judged, and as nothing is said of the pages around it, never more than "not confirmed".
4. Else we did not issue it, or it was changed. What to do: type the code.
Source: docs/algorithms/credentials.md, "A file handed in".
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from certificates import issuer, selectors
from certificates.credentials.verifying import Result
from certificates.enums import FileVerdict
from certificates.findings import BY_RECORDS, Finding, Issuer, Step, records_step, unreadable
from certificates.models import Certificate, IssuerKey
from certificates.papers import certificates_in
from certificates.pdf.judging import SignatureState, code_in, credential_in, judge_signatures
from certificates.verdicts import judge

logger = logging.getLogger(__name__)

PDF = "pdf"
_MARK = b"%PDF-"


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
    state, code, inner = _read(content, _own_certificates())
    if state is SignatureState.UNREADABLE:
        return unreadable(PDF, "paper_unreadable")
    if state is SignatureState.CHANGED:
        return _not_ours("paper_changed", FileVerdict.CHANGED)
    if state is SignatureState.OURS:
        if not code:
            return _not_ours("paper_code_missing", FileVerdict.CHANGED)
        return _by_records(selectors.certificate_by_code(code), Step("paper", Result.PASSED, "paper_signed"), at)
    if inner is None:
        return _not_ours("paper_signed_by_others" if state is SignatureState.UNKNOWN else "paper_not_ours")
    return _inside(check_credential(inner))


def _own_certificates() -> list[bytes]:
    """Those our keys sign with, not those of the authorities above them. One query."""
    chains = (certificates_in(row.chain) for row in IssuerKey.objects.exclude(chain="") if not row.withdrawn)
    return [chain[0] for chain in chains if chain]


def _read(content: bytes, ours: list[bytes]) -> tuple[SignatureState, str | None, bytes | None]:
    """The state of its signatures, the code in it and the credential in it. Readers of PDF fail in more ways than they
    say: the file is the stranger's and the page is ours, so whatever happens in there is "unreadable"."""
    try:
        state = judge_signatures(content, trusted=ours).state
        code = code_in(content) if state is SignatureState.OURS else None
        loose = state in (SignatureState.UNSIGNED, SignatureState.UNKNOWN)
        inner = credential_in(content) if loose else None
    except Exception as error:
        logger.warning("a PDF that was handed in could not be read: %s", type(error).__name__)
        return SignatureState.UNREADABLE, None, None
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
    """The badge inside a PDF that proves nothing of itself. Never more than "not confirmed": a sound badge of something
    else, put inside a forged page, would else make the page look valid to who reads the large word only."""
    paper = Step("paper", Result.UNDECIDED, "paper_unsigned")
    state = FileVerdict.UNCONFIRMED if finding.state is FileVerdict.VALID else finding.state
    told = finding.cautioned("paper_not_covered")
    return replace(told, state=state, form=PDF, steps=(*finding.steps, paper), covers_paper=False)


def _not_ours(code: str, state: FileVerdict = FileVerdict.UNKNOWN) -> Finding:
    return Finding(state, PDF, (Step("paper", Result.FAILED, code),))
