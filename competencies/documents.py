"""Documents that people give as proof: looked at closely when they come in, kept privately, handed out to few."""

from __future__ import annotations

import hashlib
import logging
import re
import unicodedata
import warnings
import weakref
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from uuid import UUID

import filetype
from django import forms
from django.conf import settings
from django.core.files.storage import Storage
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_safe
from PIL import Image

from competencies import assessors
from competencies.enums import ClaimState, ContestState
from competencies.forms import FilesField, FilesInput
from competencies.models import Claim, Contest, EvidenceDocument
from competencies.services import lock_person
from organisations.models import User
from organisations.perms import signed_in

logger = logging.getLogger(__name__)

MEGABYTE = 1024 * 1024
MAX_BYTES = 10 * MEGABYTE
MAX_FILES = 3
MAX_NAME = 200
# A photograph of a certificate has ten to fifty million; a small file that unpacks to more is a trap.
MAX_PIXELS = 60_000_000
ENDINGS = {"application/pdf": ".pdf", "image/png": ".png", "image/jpeg": ".jpg"}
PICTURES = {"image/png": "PNG", "image/jpeg": "JPEG"}
# Signed credentials are texts. Nobody uploads them as documents; a floor above that has checked one hands it in.
CREDENTIAL_JSON, CREDENTIAL_JWT = "application/vc+ld+json", "application/jwt"
KEPT_ENDINGS = ENDINGS | {CREDENTIAL_JSON: ".json", CREDENTIAL_JWT: ".jwt"}
FOLDER = "evidence"
LOST_AFTER = timedelta(days=1)
# What was taken back was never decided on; it counts for so long, so that nobody fills the storage by taking back.
TAKEN_BACK_COUNTS_FOR = timedelta(days=30)

# A picture that is sent in steps has about ten; each costs as much to read as the whole picture.
MAX_SCANS, SCAN = 50, b"\xff\xda"


def _name_in_pdf(*names: str) -> re.Pattern[bytes]:
    """Finds names of a PDF, each letter as it is or written with an escape (#4A for J)."""
    words = ("".join(f"(?:{letter}|(?i:#{ord(letter):02x}))" for letter in name) for name in names)
    return re.compile(f"/(?=[#A-Z])(?:{'|'.join(words)})(?![A-Za-z0-9])".encode())


# What a PDF must not bring along, also not in packed objects.
LOCK = _name_in_pdf("Encrypt")
MORE_THAN_PAGES = _name_in_pdf("EmbeddedFile", "EmbeddedFiles", "JavaScript", "Launch", "RichMedia")
PACKED = _name_in_pdf("ObjStm")
MAX_PACKED = 1_000
MAX_UNPACKED = 8 * MEGABYTE
PDF_START, PDF_END = b"%PDF-", b"%%EOF"
ZIP_END, ZIP_TAIL = b"PK\x05\x06", 66_000
# Marks of a page that a browser would read; no picture or PDF begins with them.
HTML_MARKS = (b"<html", b"<script", b"<!doctype")
BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class DocumentRefused(ValueError):
    """A file that is not taken; the text is a sentence for the person who chose it."""


# --- Looking at a file -------------------------------------------------------------------------------------------
def clean_name(name: str) -> str:
    """What a document is called on screen: no folders, no invisible characters, at most 200 characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(
        c for c in last if unicodedata.category(c) not in {"Cc", "Cs", "Co", "Cn"} and c not in BIDI_CONTROLS
    )
    shown = " ".join(shown.split()).lstrip(".")
    if len(shown) > MAX_NAME:
        stem, dot, ending = shown.rpartition(".")
        keeps_ending = dot and len(ending) <= 5
        shown = f"{stem[: MAX_NAME - len(ending) - 1]}.{ending}" if keeps_ending else shown[:MAX_NAME]
    return shown


def name_for(name: str, content_type: str) -> str:
    """A clean name whose ending says what the file is, whatever it was called."""
    shown = clean_name(name) or str(_("document"))
    ending = KEPT_ENDINGS[content_type]
    endings = (".jpg", ".jpeg") if ending == ".jpg" else (ending,)
    return shown if shown.lower().endswith(endings) else f"{shown[: MAX_NAME - len(ending)]}{ending}"


def inspect(file: UploadedFile) -> str:
    """Say what a file is, by what it holds: its content type. Raises DocumentRefused with a sentence.

    The file remembers the answer for `store_documents`.
    """
    name = clean_name(file.name or "") or str(_("The file"))
    if not file.size:
        raise DocumentRefused(_("“%(name)s” is empty. Choose the file again.") % {"name": name})
    if file.size > MAX_BYTES:
        raise DocumentRefused(
            _("“%(name)s” is larger than %(limit)s MB. Save it smaller, or give fewer pages.")
            % {"name": name, "limit": MAX_BYTES // MEGABYTE}
        )
    file.seek(0)
    data = file.read()
    file.seek(0)
    kind = filetype.guess(data)
    content_type = kind.mime if kind else ""
    if content_type not in ENDINGS:
        raise DocumentRefused(
            _("“%(name)s” is not a PDF, PNG or JPEG. Save it as one of these, or take a picture of it.")
            % {"name": name}
        )
    if content_type in PICTURES:
        if content_type == "image/jpeg" and data.count(SCAN) > MAX_SCANS:
            raise _unpacks_to_too_much(name)
        _check_picture(name, file, PICTURES[content_type])
    else:
        _check_pdf(name, data)
    if _is_two_things(data, content_type):
        raise DocumentRefused(
            _("“%(name)s” hides another file within it. Save it anew, or take a picture of it.") % {"name": name}
        )
    file.inspected_as = content_type  # type: ignore[attr-defined]
    return content_type


def _unpacks_to_too_much(name: str) -> DocumentRefused:
    return DocumentRefused(
        _("“%(name)s” unpacks to far more than a document needs. Print it to a plain PDF.") % {"name": name}
    )


def _check_picture(name: str, file: UploadedFile, picture_format: str) -> None:
    damaged = _("“%(name)s” is damaged or cut off: it cannot be opened as a picture.") % {"name": name}
    too_large = _("“%(name)s” has more than %(limit)s million pixels. Save it smaller.") % {
        "name": name,
        "limit": MAX_PIXELS // 1_000_000,
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit below is lower
            with Image.open(file, formats=(picture_format,)) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise DocumentRefused(too_large)
                picture.verify()
            file.seek(0)
            if picture_format == "JPEG":  # verifying says nothing of a JPEG; an eighth of it is cheap to read
                with Image.open(file, formats=(picture_format,)) as picture:
                    picture.draft("RGB", (max(picture.width // 8, 1), max(picture.height // 8, 1)))
                    picture.load()
    except DocumentRefused:
        raise
    except Image.DecompressionBombError as error:
        raise DocumentRefused(too_large) from error
    except Exception as error:  # whatever a hostile picture makes its reader stumble over
        raise DocumentRefused(damaged) from error
    finally:
        file.seek(0)


def _check_pdf(name: str, data: bytes) -> None:
    if not data.startswith(PDF_START) or PDF_END not in data[-1024:]:
        raise _cannot_be_opened(name)
    locked = bool(LOCK.search(data))  # then what is packed cannot be read either
    parts = [data] if locked else [data, *_packed_objects(name, data)]
    if locked or any(LOCK.search(part) for part in parts[1:]):
        raise DocumentRefused(
            _("“%(name)s” is locked with a password or against copying. Save it without, or take a picture of it.")
            % {"name": name}
        )
    if any(MORE_THAN_PAGES.search(part) for part in parts):
        raise DocumentRefused(
            _("“%(name)s” holds more than pages (a program, or another file). Print it to a plain PDF.")
            % {"name": name}
        )


def _packed_objects(name: str, data: bytes) -> Iterator[bytes]:
    """The contents of packed object streams. Raises DocumentRefused when one cannot be unpacked to its end, for more than
    MAX_PACKED of them, and for more than MAX_UNPACKED together."""
    left, unread, view = MAX_UNPACKED, len(data), memoryview(data)
    count, found = 0, PACKED.search(data)
    while found and (start := data.find(b"stream", found.end())) >= 0:
        start += len(b"stream")
        body = start + (2 if data[start : start + 2] == b"\r\n" else 1)
        end = data.find(b"endstream", body)
        count, unread = count + 1, unread - (end - body)
        if end < 0 or unread < 0:  # cut off, or one within the other: nobody writes that
            raise _cannot_be_opened(name)
        if count > MAX_PACKED:
            raise _unpacks_to_too_much(name)
        unpacking = zlib.decompressobj()
        try:
            unpacked = unpacking.decompress(view[body:end], left)
        except zlib.error as error:  # packed in another way: what it holds stays unknown
            raise _cannot_be_opened(name) from error
        left -= len(unpacked)
        if left <= 0:
            raise _unpacks_to_too_much(name)
        if not unpacking.eof:
            raise _cannot_be_opened(name)
        yield unpacked
        found = PACKED.search(data, start)


def _cannot_be_opened(name: str) -> DocumentRefused:
    return DocumentRefused(_("“%(name)s” is damaged or cut off: it cannot be opened as a PDF.") % {"name": name})


def _is_two_things(data: bytes, content_type: str) -> bool:
    """Whether a second kind of file could be read out of this one: an archive at its end, a page or PDF at its start."""
    start = data[:1024].lower()
    if ZIP_END in data[-ZIP_TAIL:] or any(mark in start for mark in HTML_MARKS):
        return True
    return content_type in PICTURES and PDF_START.lower() in start


# --- The field of a form -----------------------------------------------------------------------------------------
class DocumentsField(FilesField):
    """Up to three documents, each looked at. Cleans to a list of files, empty where none is required and none given."""

    widget = FilesInput

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", gettext_lazy("Documents"))
        kwargs.setdefault(
            "help_text",
            gettext_lazy("Up to three files: PDF, PNG or JPEG, at most 10 MB each. A picture of the paper will do."),
        )
        super().__init__(**kwargs)
        self.widget.attrs.setdefault("accept", ",".join(ENDINGS))
        self.error_messages["required"] = kwargs.get("error_messages", {}).get(
            "required", gettext_lazy("Add the document that shows it.")
        )

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        files = data if isinstance(data, list) else [data] if data else []
        if not files and not self.required:
            return []
        if not files:
            raise forms.ValidationError(self.error_messages["required"], code="required")
        if len(files) > MAX_FILES:
            raise forms.ValidationError(
                _("At most %(limit)s documents. Put pages that belong together into one PDF.") % {"limit": MAX_FILES}
            )
        faults: list[str] = []
        try:
            check_twins(files)
        except DocumentRefused as error:
            faults.append(str(error))
        for file in files:
            try:
                inspect(file)
            except DocumentRefused as error:
                faults.append(str(error))
        if faults:
            raise forms.ValidationError(faults)
        return files


class TakesDocuments(forms.Form):
    """A form with `documents`. A browser keeps no files when a page comes back: then the field asks for them again."""

    def add_error(self, field: Any, error: Any) -> None:
        super().add_error(field, error)
        if self.files.getlist("documents"):
            again = _("Choose the documents again: they do not come back with the page.")
            self["documents"].help_text = f"{again} {self.fields['documents'].help_text}"


def digest_of(file: UploadedFile) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def check_twins(files: Sequence[UploadedFile]) -> None:
    """Raise DocumentRefused when the same file was chosen twice, under whatever names."""
    seen: dict[str, str] = {}
    for file in files:
        name, digest = clean_name(file.name or ""), digest_of(file)
        if digest in seen:
            raise DocumentRefused(
                _("“%(name)s” and “%(other)s” are the same file. Give it once.") % {"name": name, "other": seen[digest]}
            )
        seen[digest] = name


class BoundedDocuments(FileUploadHandler):
    """Stands before Django's own handlers: of a file that is too large no more is kept than shows that it is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.size = self.total = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.size = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        if self.size > MAX_BYTES or self.total > (MAX_FILES + 1) * MAX_BYTES:
            return None
        self.size += len(raw_data)
        self.total += len(raw_data)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def takes_documents(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For views with a DocumentsField: sizes are bounded before the request is read, then the hidden token is checked."""
    protected = csrf_protect(view)

    @csrf_exempt
    @wraps(view)
    def bounding(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST":
            request.upload_handlers = [BoundedDocuments(request), *request.upload_handlers]
        return protected(request, *args, **kwargs)

    return bounding


# --- Keeping them ------------------------------------------------------------------------------------------------
def private() -> Storage:
    """Where documents lie, as their field has it."""
    storage: Storage = EvidenceDocument._meta.get_field("file").storage
    return storage


class _Written:
    """A file on disk whose row is not committed. It hangs on the transaction: when that is rolled back, Django lets go of
    what was to happen on commit, and with it of this object; then the file goes. A worker that is killed in between
    leaves the file to `clear_lost_documents`."""

    def __init__(self, key: str) -> None:
        self._removal = weakref.finalize(self, _remove, key)
        self._removal.atexit = False

    def keep(self) -> None:
        self._removal.detach()


def _remove(key: str) -> None:
    try:
        private().delete(key)
    except OSError:
        logger.exception("a document that nobody keeps could not be removed")


def store_documents(*, owner: User, files: Sequence[UploadedFile]) -> list[EvidenceDocument]:
    """Keep files privately as documents of one person, inside the caller's transaction; rolled back, they are removed.

    Raises DocumentRefused with a sentence for a file that is not taken, and for more than is kept undecided; then none is
    kept.
    """
    if not files:
        return []
    if len(files) > MAX_FILES:
        raise DocumentRefused(_("At most %(limit)s documents.") % {"limit": MAX_FILES})
    check_twins(files)
    check_room(owner, files)
    types = [getattr(file, "inspected_as", "") or inspect(file) for file in files]
    with transaction.atomic():
        return [_store(owner, file, content_type) for file, content_type in zip(files, types, strict=True)]


def undecided_documents(owner: User, *, at: datetime) -> QuerySet[EvidenceDocument]:
    """A person's documents that wait for an answer, or that she took back lately. What was decided on is history."""
    waiting = Q(claims__state=ClaimState.SUBMITTED) | Q(contests__state=ContestState.OPEN)
    taken_back = Q(claims__state=ClaimState.TAKEN_BACK) | Q(contests__state=ContestState.TAKEN_BACK)
    lately = Q(uploaded_at__gt=at - TAKEN_BACK_COUNTS_FOR)
    found = EvidenceDocument.objects.filter(waiting | (taken_back & lately), owner=owner)
    return EvidenceDocument.objects.filter(pk__in=found.values("pk"))  # one of several claims is counted once


def check_room(owner: User, files: Sequence[UploadedFile]) -> None:
    """Raise DocumentRefused where a person would have more documents undecided than are kept. Inside a transaction."""
    lock_person(owner)
    most, most_mb = settings.UNDECIDED_DOCUMENTS_MAX, settings.UNDECIDED_DOCUMENTS_MAX_MB
    kept = undecided_documents(owner, at=timezone.now()).aggregate(count=Count("pk"), size=Sum("size"))
    size = (kept["size"] or 0) + sum(file.size or 0 for file in files)
    if kept["count"] + len(files) > most or size > most_mb * MEGABYTE:
        raise DocumentRefused(
            _(
                "At most %(count)s documents of yours (%(size)s MB together) are kept until somebody has decided on them; "
                "what you took back counts for %(days)s days. Wait for an answer, or give fewer."
            )
            % {"count": most, "size": most_mb, "days": TAKEN_BACK_COUNTS_FOR.days}
        )


def _store(owner: User, file: UploadedFile, content_type: str) -> EvidenceDocument:
    document = EvidenceDocument(
        owner=owner,
        name=name_for(file.name or "", content_type),
        content_type=content_type,
        size=file.size or 0,
        sha256=digest_of(file),
    )
    document.file.save("document", file, save=False)
    transaction.on_commit(_Written(str(document.file.name)).keep)
    document.save(force_insert=True)
    return document


def clear_lost_documents(now: datetime | None = None) -> int:
    """Remove files that a killed worker left behind without a row; returns how many."""
    before = (now or timezone.now()) - LOST_AFTER
    known = set(EvidenceDocument.objects.values_list("file", flat=True))
    cleared = 0
    for key in list(_keys(FOLDER)):
        if key not in known and private().get_modified_time(key) < before:
            private().delete(key)
            cleared += 1
    return cleared


def _keys(folder: str) -> Iterator[str]:
    try:
        folders, names = private().listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}/{name}" for name in names)
    for name in folders:
        yield from _keys(f"{folder}/{name}")


# --- Handing them out --------------------------------------------------------------------------------------------
def may_fetch(user: User, document: EvidenceDocument) -> bool:
    """The owner, administrators, and whoever may decide on a claim or a contest the document belongs to.

    What was taken back is its owner's alone again.
    """
    # Contests keep documents, so this module is read before theirs.
    from competencies.contests import may_decide_contest

    if document.owner_id == user.pk:
        return True
    contests = list(
        Contest.objects.filter(documents=document)
        .exclude(state=ContestState.TAKEN_BACK)
        .select_related("person", "evidence__stands_for", "previous")
    )
    if any(may_decide_contest(user, contest) for contest in contests):
        return True
    # An administrator looks after the files, but not after one with which somebody she leads contests.
    if user.is_superuser:
        return not contests
    return any(assessors.can_decide(user, claim.person) for claim in _claims_with(document))


def _claims_with(document: EvidenceDocument) -> Iterator[Claim]:
    claims = Claim.objects.filter(documents=document).exclude(state=ClaimState.TAKEN_BACK)
    yield from claims.select_related("person")


@require_safe
def evidence_document(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The document itself, to be saved and never shown as a page of ours; for everybody else there is none."""
    document = EvidenceDocument.objects.select_related("owner").filter(pk=pk).first()
    if document is None or not may_fetch(signed_in(request), document):
        raise Http404
    try:
        file = document.file.open("rb")
    except FileNotFoundError as error:
        logger.error("document %s is not where it was stored", document.pk)
        raise Http404 from error
    response = FileResponse(file, as_attachment=True, filename=document.name, content_type=document.content_type)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
