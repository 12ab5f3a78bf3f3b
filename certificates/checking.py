"""What to say of a file that somebody hands in: a document of ours, or a badge of ours or of others, in any form it has.

Nothing is kept, nothing is fetched. A file proves itself first: only what a key of ours has signed, or what is byte for
byte what we stored, is looked up in our records, so a file tells nobody which codes there are.
Source: docs/algorithms/credentials.md, "A file handed in".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from certificates import issuer, papers_check, selectors, trusting
from certificates.credentials import baking, jwt, verifying
from certificates.credentials.jwt import BadToken
from certificates.credentials.keys import PublicKey
from certificates.credentials.reading import Unreadable, read_object
from certificates.credentials.verifying import Check, Form, Result
from certificates.enums import FileVerdict
from certificates.findings import (
    BY_RECORDS,
    Finding,
    Issuer,
    Step,
    issuer_name_in,
    records_step,
    said_in,
    shown,
    step_of,
    unreadable,
)
from certificates.record import Claim
from certificates.trusting import Known
from certificates.verdicts import Judgement, judge

# Of pictures and documents; what is in them has narrower bounds of its own.
MAX_FILE_BYTES: Final = baking.MAX_IMAGE
# A status list as a token is a third longer than as JSON.
MAX_LIST_BYTES: Final = jwt.MAX_TOKEN
_CODE = re.compile(r"/verify/([^/]{1,40})/?")
# What a badge from elsewhere is called; what a key of ours signed is called after our records.
_STATES = {
    verifying.State.VALID: FileVerdict.VALID,
    verifying.State.EXPIRED: FileVerdict.EXPIRED,
    verifying.State.NOT_YET_VALID: FileVerdict.NOT_YET_VALID,
    verifying.State.REVOKED: FileVerdict.REVOKED,
    verifying.State.SUSPENDED: FileVerdict.SUSPENDED,
    verifying.State.UNCONFIRMED: FileVerdict.UNCONFIRMED,
    verifying.State.INVALID: FileVerdict.INVALID,
}


def check_file(content: bytes, *, at: datetime, status_list: bytes | None = None) -> Finding:
    """Judge a file of at most MAX_FILE_BYTES; `status_list` is a list of its issuer that came with it, if any.

    `at` is aware. Never raises for what the bytes hold. At most four queries, whatever it is.
    """
    if not content:
        return unreadable(Form.UNKNOWN, "empty")
    if len(content) > MAX_FILE_BYTES:
        return unreadable(Form.UNKNOWN, "too_large")
    handed = _HandedList(status_list)
    if papers_check.is_pdf(content):
        finding = papers_check.check_paper(
            content, at=at, check_credential=lambda inner: check_credential(inner, at=at, lists=handed)
        )
    else:
        finding = check_credential(content, at=at, lists=handed)
    return finding.cautioned(*handed.cautions)


class _HandedList:
    """A status list that came with the file: answers for its own address and no other."""

    def __init__(self, content: bytes | None) -> None:
        self._content = content
        self._address = _list_address(content) if content else ""
        self._used = False

    def at(self, address: str) -> bytes | None:
        if self._content is None or not self._address or address != self._address:
            return None
        self._used = True
        return self._content

    @property
    def cautions(self) -> tuple[str, ...]:
        if not self._content or self._used:
            return ()
        return ("list_not_used",) if self._address else ("list_unreadable",)


def _list_address(content: bytes) -> str:
    """The address a status list says it is of; verifying checks whether it is right. Empty where it cannot be read."""
    if len(content) > MAX_LIST_BYTES:
        return ""
    try:
        if content.lstrip().startswith(b"{"):
            said: Mapping[str, Any] = read_object(content)
        else:
            said = jwt.credential_of(jwt.read_jwt(content))
    except (Unreadable, BadToken):
        return ""
    found = said.get("id")
    return found if isinstance(found, str) else ""


def check_credential(content: bytes, *, at: datetime, lists: _HandedList) -> Finding:
    """A credential as JSON, token or picture: its own proof first, then our records for what is ours."""
    ours, known = issuer.key_finder(), trusting.known_issuers()
    verdict = verifying.verify(
        content, at=at, key_of=lambda method: ours(method) or known.key_of(method), status_list=lists.at
    )
    if verdict.state is verifying.State.UNREADABLE:
        return unreadable(verdict.form.value, verdict.reasons[0])
    if _is_signed_by(ours, verdict):
        return _of_ours(verdict, at)
    if _names_us(verdict):
        return _in_our_name(verdict)
    return _of_others(verdict, known)


def _is_signed_by(ours: Callable[[str], PublicKey | None], verdict: verifying.Verdict) -> bool:
    proof = verdict.of(Check.PROOF)
    return (
        verdict.issuer_known
        and verdict.state is not verifying.State.INVALID
        and proof is not None
        and proof.result is Result.PASSED
        and ours(verdict.key) is not None
    )


def _names_us(verdict: verifying.Verdict) -> bool:
    """Whether it claims to be ours: by its issuer, or by leading to our page."""
    name = (verdict.credential or {}).get("id")
    leads_here = isinstance(name, str) and name.lower().startswith(f"{settings.SITE_URL}/verify/".lower())
    return leads_here or verdict.issuer == issuer.issuer_did()


def _of_ours(verdict: verifying.Verdict, at: datetime) -> Finding:
    """Signed by us: whether it counts stands in our records, which know more, and sooner, than what was signed then."""
    credential = verdict.credential or {}
    judgement = judge(selectors.certificate_by_code(_code_in(credential)), as_of=timezone.localdate(at))
    steps = [step_of(checked) for checked in verdict.checks if checked.check is not Check.STATUS]
    told: Judgement | None = judgement
    step, state = records_step(judgement), BY_RECORDS[judgement.verdict][0]
    if judgement.claim is not None and _differs(credential, judgement.claim):
        # Signed with our key and not what we wrote down: somebody else had the key, or the record.
        step, state, told = Step("records", Result.FAILED, "records_differ"), FileVerdict.CHANGED, None
    elif state == FileVerdict.VALID and verdict.state in (verifying.State.EXPIRED, verifying.State.NOT_YET_VALID):
        state = _STATES[verdict.state]
    return Finding(
        state,
        verdict.form.value,
        (*steps, step),
        Issuer(verdict.issuer, settings.ISSUER_NAME, known=True, ours=True),
        told,
        cautions=verdict.cautions,
    )


def _code_in(credential: Mapping[str, Any]) -> str:
    """The code at the end of a credential's own address, whichever host we had when it was issued."""
    try:
        found = _CODE.search(urlsplit(str(credential.get("id"))).path)
    except ValueError:
        return ""
    return found[1] if found else ""


def _differs(credential: Mapping[str, Any], claim: Claim) -> bool:
    subject = credential.get("credentialSubject")
    number = subject.get("licenseNumber") if isinstance(subject, dict) else None
    said = said_in(credential)
    return (number, said.title, said.holder) != (claim.serial, shown(claim.title), shown(claim.holder))


def _in_our_name(verdict: verifying.Verdict) -> Finding:
    """It names us and no key of ours signed it. Our records are not asked: they would tell which codes there are."""
    steps = tuple(step_of(checked) for checked in verdict.checks if checked.check is not Check.STATUS)
    proof = verdict.of(Check.PROOF)
    if proof is None or proof.result is not Result.FAILED:
        steps = (*steps, Step("records", Result.FAILED, "not_by_our_key"))
    return Finding(FileVerdict.CHANGED, verdict.form.value, steps, Issuer(verdict.issuer))


def _of_others(verdict: verifying.Verdict, known: Known) -> Finding:
    credential = verdict.credential or {}
    name = known.names.get(verdict.key.partition("#")[0], "") if verdict.issuer_known else ""
    proof = verdict.of(Check.PROOF)
    sound = (
        proof is not None and proof.result is Result.PASSED and verdict.state is not verifying.State.INVALID
    )  # else what it says may be anybody's
    return Finding(
        _STATES[verdict.state],
        verdict.form.value,
        tuple(step_of(checked) for checked in verdict.checks),
        Issuer(shown(verdict.issuer), name or issuer_name_in(credential), known=bool(name)),
        said=said_in(credential) if sound else None,
        cautions=verdict.cautions,
    )
