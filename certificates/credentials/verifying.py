"""What to say of a credential that somebody hands in: JSON, token, or a picture with one inside, ours or another's.

Nothing is fetched. A did:key brings its key along; every other key, and every status list, comes from the caller or is
missing. Valid is said only of what is signed by an issuer the caller knows, is in time, and whose status could be looked
up. Reasons are codes; the sentences are the page's.
Source: docs/algorithms/credentials.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from certificates.credentials import baking, contexts, proofs, status
from certificates.credentials import jwt as tokens
from certificates.credentials.canonical import NotCanonical, TooComplex, UndefinedTerm
from certificates.credentials.jwt import BadToken, BadTokenSignature, Jwk, Token, issuer_id, moment
from certificates.credentials.keys import Kind, MalformedKey, PublicKey, key_in_did_key, public_key
from certificates.credentials.reading import Unreadable, read_object

MAX_STATUS_ENTRIES = 4


class Form(StrEnum):
    """What was handed in."""

    JSON = "json"
    JWT = "jwt"
    PNG = "png"
    SVG = "svg"
    UNKNOWN = "unknown"


class State(StrEnum):
    """What is said of it, in one word."""

    VALID = "valid"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    UNCONFIRMED = "unconfirmed"  # nothing is wrong with it, but something could not be looked up
    INVALID = "invalid"
    UNREADABLE = "unreadable"


class Check(StrEnum):
    READING = "reading"
    CONTEXT = "context"
    SHAPE = "shape"
    PROOF = "proof"
    ISSUER = "issuer"
    DATES = "dates"
    STATUS = "status"


class Result(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Checked:
    """`code` says why, where it did not pass; `detail` is an address or a term of the document, or nothing."""

    check: Check
    result: Result
    code: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Verdict:
    """`credential` is what was read, also where it is not valid: never show it as if it were.

    `issuer_known` says that the caller vouched for the key. `cautions` are codes of what is unusual and no fault.
    """

    form: Form
    state: State
    checks: tuple[Checked, ...]
    credential: dict[str, Any] | None = None
    issuer: str = ""
    issuer_known: bool = False
    key: str = ""
    cautions: tuple[str, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """Codes of what did not pass, in the order of the checks."""
        return tuple(checked.code for checked in self.checks if checked.result is not Result.PASSED)

    def of(self, check: Check) -> Checked | None:
        return next((checked for checked in self.checks if checked.check is check), None)


KeyOf = Callable[[str], PublicKey | Jwk | None]
StatusList = Callable[[str], bytes | None]


def no_key(method: str) -> None:
    return None


def no_list(address: str) -> None:
    return None


def verify(data: bytes, *, at: datetime, key_of: KeyOf = no_key, status_list: StatusList = no_list) -> Verdict:
    """Judge whatever it is. Never raises for what the bytes hold, and never asks the network.

    `at` is aware. `key_of` gives the key of a verification method (`did:web:…#z6Mk…`, `https://…#…`, `did:key:…`) of an
    issuer the caller knows, and None of all others. `status_list` gives the bytes of a status list credential (JSON or
    token) for its address, and None where it has none.
    """
    form = form_of(data)
    try:
        text = _carried(data, form)
    except baking.BadImage as error:
        return _unreadable(form, error.code)
    if form is Form.UNKNOWN:
        return _unreadable(form, "not_recognised")
    case = _Case(at, key_of, status_list)
    try:
        if text.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            case.read_json(read_object(text.removeprefix(b"\xef\xbb\xbf")))
        else:
            case.read_token(tokens.read_jwt(text))
    except (Unreadable, BadToken) as error:
        if case.credential is None:
            return _unreadable(form, error.code)
        case.failed(Check.PROOF, error.code)
    if case.credential is not None and not case.any_failed(Check.CONTEXT):
        case.check_dates()
        case.check_status()
    return case.verdict(form)


def form_of(data: bytes) -> Form:
    """What the first bytes look like."""
    if baking.is_png(data):
        return Form.PNG
    if baking.is_svg(data):
        return Form.SVG
    start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"{"):
        return Form.JSON
    return Form.JWT if re.match(rb"[A-Za-z0-9_-]+(?:\.|$)", start) else Form.UNKNOWN


def _carried(data: bytes, form: Form) -> bytes:
    if form is Form.PNG:
        return baking.unbake_png(data).encode()
    if form is Form.SVG:
        return baking.unbake_svg(data).encode()
    return data


def _unreadable(form: Form, code: str) -> Verdict:
    return Verdict(form, State.UNREADABLE, (Checked(Check.READING, Result.FAILED, code),))


@dataclass
class _Case:
    """One credential on its way through the checks."""

    at: datetime
    key_of: KeyOf
    status_list: StatusList
    badge: bool = True  # else a status list
    credential: dict[str, Any] | None = None
    checks: list[Checked] = field(default_factory=list)
    cautions: list[str] = field(default_factory=list)
    issuer_known: bool = False
    key: str = ""
    canonical: str | None = None

    def passed(self, check: Check) -> None:
        self.checks.append(Checked(check, Result.PASSED))

    def failed(self, check: Check, code: str, detail: str = "") -> None:
        self.checks.append(Checked(check, Result.FAILED, code, detail[:300]))

    def undecided(self, check: Check, code: str, detail: str = "") -> None:
        self.checks.append(Checked(check, Result.UNDECIDED, code, detail[:300]))

    def any_failed(self, *which: Check) -> bool:
        return any(c.result is Result.FAILED and (not which or c.check in which) for c in self.checks)

    # --- reading ----------------------------------------------------------------------------------------------------

    def read_json(self, document: dict[str, Any]) -> None:
        self.credential = document
        self.passed(Check.READING)
        if not self._check_contexts(document):
            return
        self._check_shape(document)
        self._check_proofs(document)

    def read_token(self, token: Token) -> None:
        self.credential = tokens.credential_of(token)
        self.passed(Check.READING)
        if "@context" not in token.payload and "vc" in token.payload:
            self.cautions.append("older_token_form")
        if not self._check_contexts(self.credential):
            return
        self._check_shape(self.credential)
        self._check_token(token, self.credential)

    # --- contexts and shape -----------------------------------------------------------------------------------------

    def _check_contexts(self, document: Mapping[str, Any]) -> bool:
        """Every context is bundled and stands in its place: what the terms mean is then beyond dispute."""
        found = document.get("@context")
        if not isinstance(found, list) or not found:
            found = [found]
        for part in _parts(document):
            if "@context" not in part:
                continue
            for address in part["@context"] if isinstance(part["@context"], list) else [part["@context"]]:
                if not isinstance(address, str):
                    self.failed(Check.CONTEXT, "context_inline")
                    return False
                if address not in contexts.BUNDLED:
                    self.failed(Check.CONTEXT, "context_unknown", address)
                    return False
        if found[0] not in (contexts.CREDENTIALS_V2, contexts.CREDENTIALS_V1):
            self.failed(Check.CONTEXT, "context_missing")
            return False
        if self.badge and not any(
            address.startswith((contexts.OPEN_BADGES_ANY, contexts.CLR_ANY)) for address in found
        ):
            self.failed(Check.CONTEXT, "context_missing")
            return False
        if found[0] == contexts.CREDENTIALS_V1:
            self.cautions.append("older_data_model")
        elif self.badge and contexts.OPEN_BADGES not in found:
            self.cautions.append("older_context")
        self.passed(Check.CONTEXT)
        return True

    def _check_shape(self, document: Mapping[str, Any]) -> None:
        fault = _disguise(document) or (_badge_fault(document) if self.badge else _credential_fault(document))
        if fault:
            self.failed(Check.SHAPE, *fault)
            return
        self.passed(Check.SHAPE)
        if "ClrCredential" in _listed(document.get("type")):
            self.cautions.append("parts_not_checked")

    # --- proofs ------------------------------------------------------------------------------------------------------

    def _check_proofs(self, document: dict[str, Any]) -> None:
        try:
            found = proofs.proofs_of(document)
        except proofs.MalformedProof:
            self.failed(Check.PROOF, "proof_malformed")
            return
        if not found:
            self.failed(Check.PROOF, "no_proof")
            return
        known = [
            proof for proof in found if (_text(proof.get("type")), _text(proof.get("cryptosuite"))) in proofs.KNOWN
        ]
        if not known:
            self.undecided(Check.PROOF, "suite_unknown", str(found[0].get("cryptosuite") or found[0].get("type")))
            return
        if len(known) < len(found):
            self.cautions.append("other_proofs_not_checked")
        for proof in known:
            if not self._check_proof(document, proof):
                return
        self.passed(Check.PROOF)
        if any(proof.get("cryptosuite") != proofs.SUITE for proof in known):
            self.cautions.append("older_suite")

    def _check_proof(self, document: dict[str, Any], proof: dict[str, Any]) -> bool:
        method = proof.get("verificationMethod")
        if not isinstance(method, str):
            self.failed(Check.PROOF, "method_malformed")
            return False
        try:
            key = self._key(method)
        except _NoKey as error:
            self._keyless(error, method)
            return False
        if not isinstance(key, PublicKey) or key.kind is not Kind.ED25519:
            self.failed(Check.PROOF, "key_of_another_kind", method)
            return False
        try:
            signed = proofs.check_proof(document, proof, key, canonical=self.canonical)
        except proofs.BadSignature:
            self.failed(Check.PROOF, "signature")
        except proofs.MalformedProof:
            self.failed(Check.PROOF, "proof_malformed")
        except UndefinedTerm as error:
            self.failed(Check.PROOF, "term_undefined", error.term)
        except TooComplex:
            self.failed(Check.PROOF, "too_complex")
        except contexts.UnknownContext as error:
            self.failed(Check.CONTEXT, "context_unknown", error.address)
        except NotCanonical:
            self.failed(Check.PROOF, "not_json_ld")
        else:
            if "@context" not in proof:
                self.canonical = signed.document
            if _moved(document, signed.document):
                self.failed(Check.SHAPE, "claims_moved")
                return False
            if not self._proof_in_time(proof):
                return False
            self._bind(document, method)
            return True
        return False

    def _proof_in_time(self, proof: Mapping[str, Any]) -> bool:
        try:
            ends = moment(proof["expires"]) if "expires" in proof else None
            if "created" in proof:
                moment(proof["created"])
        except ValueError:
            self.failed(Check.PROOF, "proof_malformed")
            return False
        if ends is not None and self.at >= ends:
            self.failed(Check.PROOF, "proof_expired")
            return False
        return True

    def _check_token(self, token: Token, credential: dict[str, Any]) -> None:
        method = token.kid
        if method and ":" not in method:
            method = f"{issuer_id(credential)}#{method.lstrip('#')}"  # a name within the issuer's own
        vouched = True
        try:
            key = self._key(method or issuer_id(credential))
        except _NoKey as error:
            if token.jwk is None or error.code != "key_not_known":
                self._keyless(error, method)
                return
            key, vouched = token.jwk, False  # whoever made the token put it there
        if token.jwk is not None and not tokens.same_key(key, token.jwk):
            self.failed(Check.PROOF, "key_differs", method)
            return
        try:
            tokens.check(token, key)
        except BadTokenSignature:
            self.failed(Check.PROOF, "signature")
            return
        except BadToken as error:
            self.failed(Check.PROOF, error.code)
            return
        self.passed(Check.PROOF)
        if vouched:
            self._bind(credential, method or issuer_id(credential))
        else:
            self.undecided(Check.ISSUER, "key_not_known", method)

    def _keyless(self, error: _NoKey, method: str) -> None:
        if error.code == "key_not_known":
            self.undecided(Check.PROOF, error.code, method)
        else:
            self.failed(Check.PROOF, error.code, method)

    def _key(self, method: str) -> PublicKey | Jwk:
        """The key behind the name: the caller's, or the name itself. Raises _NoKey."""
        fragment = method.partition("#")[2]
        own: PublicKey | None = None
        try:
            if method.startswith("did:key:"):
                own = key_in_did_key(method)
            elif fragment.startswith("z6Mk"):
                own = public_key(fragment)
        except MalformedKey:
            raise _NoKey("key_malformed") from None
        if not re.fullmatch(r"(?:did:(?:key|web):|https?://)[^\s\"<>]+", method):
            raise _NoKey("method_unknown" if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", method) else "method_malformed")
        given = self.key_of(method)
        if given is not None:
            if own is not None and not tokens.same_key(own, given):
                raise _NoKey("key_differs")
            self.issuer_known = True
            self.key = method
            return given
        if method.startswith("did:key:") and own is not None:
            self.key = method
            return own
        raise _NoKey("key_not_known")

    def _bind(self, document: Mapping[str, Any], method: str) -> None:
        """Whether the key that signed is one of the issuer's, and whether anybody knows that issuer."""
        issuer, controller = issuer_id(document), method.partition("#")[0]
        if any(checked.check is Check.ISSUER for checked in self.checks):
            return
        if issuer != controller:
            if re.match(r"did:|https?:", issuer) or not issuer:
                self.failed(Check.ISSUER, "key_not_the_issuers", issuer)
                return
            self.cautions.append("issuer_without_key")  # a urn:uuid is nobody's in particular
        if self.issuer_known:
            self.passed(Check.ISSUER)
        else:
            self.undecided(Check.ISSUER, "issuer_not_known", issuer)

    # --- dates and status ----------------------------------------------------------------------------------------------

    def check_dates(self) -> None:
        document = self.credential or {}
        first = document.get("validFrom", document.get("issuanceDate"))
        ended = [document[name] for name in ("validUntil", "expirationDate") if name in document]
        last = ended[0] if ended else None
        try:
            starts, ends = moment(first), moment(last) if ended else None
        except ValueError:
            self.failed(Check.DATES, "date_malformed")
            return
        if ends is not None and ends < starts:
            self.failed(Check.DATES, "dates_reversed")
        elif self.at < starts:
            self.failed(Check.DATES, "not_yet_valid", str(first))
        elif ends is not None and self.at > ends:
            self.failed(Check.DATES, "expired", str(last))
        else:
            self.passed(Check.DATES)

    def check_status(self) -> None:
        document = self.credential or {}
        if "credentialStatus" not in document:
            self.passed(Check.STATUS)
            return
        entries = _listed(document["credentialStatus"])
        if not 0 < len(entries) <= MAX_STATUS_ENTRIES or not all(isinstance(entry, dict) for entry in entries):
            self.failed(Check.STATUS, "status_malformed")
            return
        # What is revoked is said first, then what could not be looked up.
        found = sorted((self._status(entry) for entry in entries), key=lambda c: list(_STATUS_ORDER).index(c.result))
        self.checks.append(found[0])

    def _status(self, entry: Mapping[str, Any]) -> Checked:
        purpose, address = entry.get("statusPurpose"), entry.get("statusListCredential")
        if entry.get("type") != "BitstringStatusListEntry":
            return Checked(Check.STATUS, Result.UNDECIDED, "status_kind_unknown", str(entry.get("type"))[:300])
        if not isinstance(address, str) or purpose not in ("revocation", "suspension"):
            return Checked(Check.STATUS, Result.UNDECIDED, "status_kind_unknown", str(purpose)[:300])
        content = self.status_list(address)
        if content is None:
            return Checked(Check.STATUS, Result.UNDECIDED, "status_not_checked", address[:300])
        other = _Case(self.at, self.key_of, no_list, badge=False)
        try:
            if content.lstrip().startswith(b"{"):
                other.read_json(read_object(content))
            else:
                other.read_token(tokens.read_jwt(content))
            other.check_dates()
            listed = other.credential or {}
            sound = other.checks and all(
                checked.result is Result.PASSED or checked.code == "issuer_not_known" for checked in other.checks
            )
            if not sound or issuer_id(listed) != issuer_id(self.credential or {}):
                return Checked(Check.STATUS, Result.UNDECIDED, "status_list_refused", address[:300])
            if status.is_status_set(entry, listed):
                code = "revoked" if purpose == "revocation" else "suspended"
                return Checked(Check.STATUS, Result.FAILED, code)
        except (Unreadable, BadToken, status.BadStatusList):
            return Checked(Check.STATUS, Result.UNDECIDED, "status_list_refused", address[:300])
        return Checked(Check.STATUS, Result.PASSED)

    # --- the word ------------------------------------------------------------------------------------------------------

    def verdict(self, form: Form) -> Verdict:
        return Verdict(
            form,
            self._state(),
            tuple(self.checks),
            self.credential,
            issuer_id(self.credential or {}),
            self.issuer_known and not self.any_failed(Check.PROOF, Check.ISSUER),
            self.key,
            tuple(dict.fromkeys(self.cautions)),
        )

    def _state(self) -> State:
        failed = {checked.code for checked in self.checks if checked.result is Result.FAILED}
        undecided = {checked.check for checked in self.checks if checked.result is Result.UNDECIDED}
        if failed - set(_PASSING):
            return State.INVALID
        if Check.PROOF in undecided:
            return State.UNCONFIRMED  # whoever wrote it could have written any date
        for code, state in _PASSING.items():
            if code in failed:
                return state
        return State.UNCONFIRMED if undecided else State.VALID


# A sound credential that does not count (now): the first that applies is what is said.
_PASSING = {
    "revoked": State.REVOKED,
    "expired": State.EXPIRED,
    "suspended": State.SUSPENDED,
    "not_yet_valid": State.NOT_YET_VALID,
}
_STATUS_ORDER = (Result.FAILED, Result.UNDECIDED, Result.PASSED)


class _NoKey(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _parts(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object in a document, the outermost first."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


_VALUE_OBJECT = {"@value", "@language", "@direction", "@type"}
_CREDENTIAL = "https://www.w3.org/2018/credentials#"
_OWN_CLAIMS = (
    "credentialStatus", "credentialSubject", "evidence", "expirationDate", "issuanceDate", "issuer", "validFrom", "validUntil",
)  # fmt: skip


def _disguise(document: Mapping[str, Any]) -> tuple[str, str] | None:
    """JSON-LD can say the same in other words, which the signature covers and a reader of plain names overlooks.

    A `validUntil` written as a full address, say, is signed and not found. So names are plain names here.
    """
    for part in _parts(document):
        for name in part:
            if name.startswith("@") and name != "@context" and not ("@value" in part and name in _VALUE_OBJECT):
                return "name_disguised", name
            if ":" in name:
                return "name_disguised", name
        if isinstance(part.get("id"), str) and part["id"].startswith("_:"):
            return "name_disguised", part["id"]
    return None


def _moved(document: Mapping[str, Any], canonical: str) -> bool:
    """Whether a claim about the credential stands somewhere else in the document than on top, where it is looked for.

    An object with the same id further in says things about the same thing, as far as the signature is concerned. So
    what is signed of each claim must be no more than what stands on top.
    """
    name = document.get("id")
    if not isinstance(name, str):
        return False
    starts = {f"<{name}> <{_CREDENTIAL}{claim}> ": claim for claim in _OWN_CLAIMS}
    signed = Counter(
        claim for line in canonical.splitlines() for start, claim in starts.items() if line.startswith(start)
    )
    return any(number > len(_listed(document.get(claim))) for claim, number in signed.items())


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s]+", value) is not None


def _credential_fault(document: Mapping[str, Any]) -> tuple[str, str] | None:
    """What every credential has: types, an issuer with an id, dates, one subject."""
    types = _listed(document.get("type"))
    if not all(isinstance(name, str) for name in types) or "VerifiableCredential" not in types:
        return "type_missing", "VerifiableCredential"
    if "id" in document and not _is_address(document["id"]):
        return "id_malformed", "id"
    if not _is_address(issuer_id(document)):
        return "issuer_missing", "issuer"
    for name in _OWN_CLAIMS:
        # null and an empty list say nothing in JSON-LD, and something to who asks whether the name is there.
        if name in document and document[name] in (None, []):
            return "claim_empty", name
    if "validFrom" not in document and "issuanceDate" not in document:
        return "date_missing", "validFrom"
    if isinstance(document.get("credentialSubject"), list) and len(document["credentialSubject"]) != 1:
        return "subject_malformed", "credentialSubject"
    if not isinstance(_subject(document), dict):
        return "subject_malformed", "credentialSubject"
    return None


def _subject(document: Mapping[str, Any]) -> Any:
    subjects = _listed(document.get("credentialSubject"))
    return subjects[0] if len(subjects) == 1 else None


def _is_profile(value: Any) -> bool:
    """Whether it is called a profile, where it is more than an address."""
    return not isinstance(value, dict) or "Profile" in _listed(value.get("type"))


def _badge_fault(document: Mapping[str, Any]) -> tuple[str, str] | None:
    """What an Open Badge has besides, and a Comprehensive Learner Record."""
    fault = _credential_fault(document)
    if fault:
        return fault
    types, subject = _listed(document["type"]), _subject(document)
    if "ClrCredential" in types:
        return None if "ClrSubject" in _listed(subject.get("type")) else ("subject_malformed", "ClrSubject")
    if not {"OpenBadgeCredential", "AchievementCredential"} & set(types):
        return "not_an_open_badge", ", ".join(types)[:300]
    if not _is_profile(document["issuer"]):
        return "profile_malformed", "issuer.type"
    if "AchievementSubject" not in _listed(subject.get("type")):
        return "subject_malformed", "credentialSubject.type"
    achievement = subject.get("achievement")
    if not isinstance(achievement, dict) or "Achievement" not in _listed(achievement.get("type")):
        return "achievement_missing", "credentialSubject.achievement"
    if not _is_address(achievement.get("id")):
        return "achievement_malformed", "achievement.id"
    for name in ("name", "description"):
        if not isinstance(achievement.get(name), str):
            return "achievement_malformed", f"achievement.{name}"
    if not isinstance(achievement.get("criteria"), dict):
        return "achievement_malformed", "achievement.criteria"
    for place, profile in (("source", subject.get("source")), ("creator", achievement.get("creator"))):
        if not _is_profile(profile):
            return "profile_malformed", f"{place}.type"
    for identifier in _listed(subject.get("identifier")):
        if not isinstance(identifier, dict) or identifier.get("type") != "IdentityObject":
            return "subject_malformed", "credentialSubject.identifier"
    for item in _listed(document.get("evidence")):
        if not isinstance(item, dict) or "Evidence" not in _listed(item.get("type")):
            return "evidence_malformed", "evidence"
    return None
