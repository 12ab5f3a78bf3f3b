"""Files on their way in to be checked: bounded before they are read, held in memory, gone with the answer."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

from certificates.checking import MAX_FILE_BYTES, MAX_LIST_BYTES

FILE, STATUS_LIST = "file", "status_list"
_LIMITS: Final = {FILE: MAX_FILE_BYTES, STATUS_LIST: MAX_LIST_BYTES}
# A form has names and boundaries besides its files.
MAX_REQUEST_BYTES: Final = MAX_FILE_BYTES + MAX_LIST_BYTES + 20_000


class TooLarge(ValueError):
    """More than is read; nothing of it was kept."""


class NotSent(ValueError):
    """No file came in, or the request is none."""


@dataclass(frozen=True)
class HandedIn:
    """The bytes of the file, and of the status list that came with it, if any."""

    content: bytes
    status_list: bytes | None = None


class InMemory(FileUploadHandler):
    """Takes the place of Django's own handlers: at most the two files asked for, in memory, never on a disk."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.too_large = False
        self._seen: set[str] = set()
        self._taken = io.BytesIO()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.field_name not in _LIMITS or self.field_name in self._seen:
            raise SkipFile
        self._seen.add(self.field_name)
        self._taken = io.BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self._taken.tell() + len(raw_data) > _LIMITS[str(self.field_name)]:
            self.too_large = True
            self._taken = io.BytesIO()
            raise SkipFile
        self._taken.write(raw_data)

    def file_complete(self, file_size: int) -> InMemoryUploadedFile | None:
        if self.too_large:
            return None
        self._taken.seek(0)
        # What the file is called and says it is makes no difference here.
        return InMemoryUploadedFile(
            self._taken, self.field_name, self.file_name, "application/octet-stream", file_size, None
        )


def refuse_endless(request: HttpRequest) -> None:
    """Before anything is read. Raises TooLarge."""
    try:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        announced = 0
    if announced > MAX_REQUEST_BYTES:
        raise TooLarge


def from_form(request: HttpRequest, handler: InMemory) -> HandedIn:
    """What came in by a form. Raises TooLarge, NotSent."""
    try:
        files = request.FILES
    except (RequestDataTooBig, TooManyFilesSent, TooManyFieldsSent) as error:
        raise TooLarge from error
    except (MultiPartParserError, UnreadablePostError) as error:
        raise NotSent from error
    if handler.too_large:
        raise TooLarge
    if FILE not in files:
        raise NotSent
    return HandedIn(_bytes(files[FILE]), (STATUS_LIST in files and _bytes(files[STATUS_LIST])) or None)


def _bytes(file: Any) -> bytes:
    content: bytes = file.read()
    return content


def from_body(request: HttpRequest) -> HandedIn:
    """What came in as the body itself. Raises TooLarge, NotSent."""
    try:
        content = request.read(MAX_FILE_BYTES + 1)
    except UnreadablePostError as error:
        raise NotSent from error
    if len(content) > MAX_FILE_BYTES:
        raise TooLarge
    if not content:
        raise NotSent
    return HandedIn(content)
