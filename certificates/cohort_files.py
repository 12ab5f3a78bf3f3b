"""The files of a cohort: a ZIP of documents and credentials, one PDF for printing, the codes as CSV.

Each is written as its certificates come by; what is in memory is one document, and the index of the file.
"""

from __future__ import annotations

import csv
import io
import logging
import unicodedata
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from typing import BinaryIO, Final

from django.utils.translation import gettext as _

from certificates import codes
from certificates.enums import Verdict
from certificates.models import Certificate
from certificates.pdf.merging import merge_pdfs
from certificates.record import Claim
from certificates.verdicts import Judgement, judge
from competencies.spreadsheet import disarmed

logger = logging.getLogger(__name__)

BOM: Final = "\ufeff"
# Signs that no file system of a reader takes, and those that steer text unseen.
_REFUSED: Final = frozenset('/\\:*?"<>|')
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
MOST_OF_A_NAME: Final = 80
# Why a certificate is in no file; its line in the CSV says so too.
REVOKED, CHANGED, LOST = "revoked", "changed", "lost"


@dataclass(frozen=True)
class Entry:
    """A certificate as it stands on a day. `claim` is there only where it may be believed and counts, or did until it expired."""

    certificate: Certificate
    judgement: Judgement

    @property
    def claim(self) -> Claim | None:
        return self.judgement.claim

    @property
    def credential(self) -> str:
        """As it was issued; empty where there is none (yet)."""
        found = getattr(self.certificate, "credential", None)
        return found.document if found is not None else ""

    def document(self) -> bytes | None:
        if not self.certificate.document:
            return None
        try:
            with self.certificate.document.open("rb") as file:
                content: bytes = file.read()
                return content
        except FileNotFoundError:
            logger.error("the document of certificate %s is not where it was stored", self.certificate.serial)
            return None


@dataclass
class Written:
    """How many certificates a file holds, and the serial numbers of those it does not, by reason."""

    count: int = 0
    left_out: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def entries_of(ids: Sequence[int], *, as_of: date) -> Iterator[Entry]:
    """These certificates in their order; what was replaced gives its place to what stands there today. One query, and one
    more for each correction of a correction."""
    rows = Certificate.objects.with_life().select_related("credential").defer("credential__token")
    found = rows.filter(pk__in=ids).in_bulk()
    latest = dict(found)
    while replaced := {pk: c.newer.pk for pk, c in latest.items() if c.newer is not None}:
        newer = rows.filter(pk__in=replaced.values()).in_bulk()
        latest |= {pk: newer[after] for pk, after in replaced.items()}
    for pk in ids:
        if pk in latest:
            yield Entry(latest[pk], judge(latest[pk], as_of=as_of))


# --- One ZIP -----------------------------------------------------------------------------------------------------------
def write_zip(entries: Iterable[Entry], out: BinaryIO) -> Written:
    """`<serial> <holder>.pdf`, and beside it the credential as .json. Stored, for documents are packed already."""
    written = Written()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, allowZip64=True) as packed:
        for entry, claim, content in _documents(entries, written):
            stem, day = stem_of(claim), claim.issued_on
            at = (max(day.year, 1980), day.month, day.day, 0, 0, 0)
            packed.writestr(_info(f"{stem}.pdf", at), content)
            if entry.credential:
                packed.writestr(_info(f"{stem}.json", at), entry.credential)
    return written


def _info(name: str, at: tuple[int, int, int, int, int, int]) -> zipfile.ZipInfo:
    # Dated when it was issued: the same certificates give the same bytes.
    info = zipfile.ZipInfo(name, date_time=at)
    info.external_attr = 0o600 << 16
    return info


def stem_of(claim: Claim) -> str:
    """`2026-000123 Ana Quispe`: begins with the serial number, so no two are alike, and is a name on every system."""
    seen = (c for c in unicodedata.normalize("NFC", claim.holder) if unicodedata.category(c) not in _UNSEEN)
    name = " ".join("".join(" " if c in _REFUSED else c for c in seen).split())
    # File systems count bytes, 255 of them; a letter may take four.
    name = name[:MOST_OF_A_NAME].encode()[: 2 * MOST_OF_A_NAME].decode(errors="ignore").strip(" .")
    return f"{claim.serial} {name}" if name else claim.serial


# --- One PDF -----------------------------------------------------------------------------------------------------------
def write_pdf(entries: Iterable[Entry], out: BinaryIO) -> Written:
    """All documents one after the other, to be printed. What is in it is a copy; the signed document is the single one."""
    written = Written()
    documents = (content for _entry, _claim, content in _documents(entries, written))
    first = next(documents, None)
    if first is not None:
        merge_pdfs(chain([first], documents), out)
    return written


def _documents(entries: Iterable[Entry], written: Written) -> Iterator[tuple[Entry, Claim, bytes]]:
    """Those that count, with their documents; the others are noted."""
    for entry in entries:
        if (reason := _why_not(entry)) or entry.claim is None:
            written.left_out[reason].append(entry.certificate.serial)
            continue
        content = entry.document()
        if content is None:
            written.left_out[LOST].append(entry.certificate.serial)
            continue
        written.count += 1
        yield entry, entry.claim, content


def _why_not(entry: Entry) -> str:
    if entry.judgement.verdict == Verdict.REVOKED:
        return REVOKED
    return "" if entry.claim is not None else CHANGED


# --- The codes ---------------------------------------------------------------------------------------------------------
def write_csv(entries: Iterable[Entry], out: BinaryIO) -> Written:
    """A line for each certificate; texts that look like formulas are disarmed. UTF-8 with the mark spreadsheets look for."""
    written = Written()
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    text.write(BOM)
    writer = csv.writer(text, lineterminator="\r\n")
    heading = [
        _("Number"),
        _("Code"),
        _("Holder"),
        _("For"),
        _("Issued"),
        _("Valid until"),
        _("Checked at"),
        _("State"),
    ]
    writer.writerow(heading)
    for entry in entries:
        writer.writerow([disarmed(cell) for cell in _line(entry)])
        written.count += 1
        if reason := _why_not(entry):
            written.left_out[reason].append(entry.certificate.serial)
    text.flush()
    text.detach()
    return written


def _line(entry: Entry) -> list[str]:
    certificate, claim = entry.certificate, entry.claim
    state = str(entry.judgement.verdict.label)
    if claim is None:  # what does not count proves nothing, and says nothing of anybody
        return [
            certificate.serial,
            codes.display(certificate.code),
            "",
            "",
            certificate.issued_on.isoformat(),
            "",
            "",
            state,
        ]
    return [
        claim.serial,
        codes.display(claim.code),
        claim.holder,
        claim.title,
        claim.issued_on.isoformat(),
        claim.last_valid_on.isoformat() if claim.last_valid_on else "",
        claim.url,
        state,
    ]
