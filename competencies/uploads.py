"""Files that a person uploads: bounded while they come in, kept privately until they are read, unpacked with care."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from django.core.files.storage import Storage, storages
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.utils import timezone
from django.utils.translation import gettext as _

from competencies.importers import CannotImport, Fault
from competencies.importers.content import Faults, refuse, shown
from competencies.importers.sources import MAX_FILE_BYTES, MAX_FOLDER_BYTES, MAX_FOLDER_FILES, ZIP_MAGIC

FOLDER = "framework-uploads"
KEPT_AT_MOST = timedelta(days=2)
CHUNK = 64 * 1024
# In bytes. Disks take 255 for a name.
LONGEST_NAME, LONGEST_ENDING = 200, 20
MEGABYTE = 1024 * 1024
# A small archive that unpacks to very much; texts of frameworks shrink to a tenth.
MAX_RATIO = 200
EMPTY_ZIP_MAGIC = b"PK\x05\x06"
CENTRAL_ENTRY = b"PK\x01\x02"
WORKBOOK_MARK = b"xl/work"
OPENDOCUMENT_MARK = b"application/vnd.oasis.opendocument"
BROKEN = (BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error, OSError, ValueError, RuntimeError)


class BoundedUpload(FileUploadHandler):
    """Stands before Django's own handlers and lets through what has a size we read; the rest is not even kept on disk."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.too_large: list[str] = []
        self.total = 0
        self.size = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.size = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.size += len(raw_data)
        self.total += len(raw_data)
        if self.size > MAX_FILE_BYTES or self.total > MAX_FOLDER_BYTES:
            self.too_large.append(shown(self.file_name, 100))
            self.total -= self.size
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


@dataclass(frozen=True)
class Kept:
    """A file of an upload: where it lies, and what its person calls it."""

    key: str
    name: str

    def as_payload(self) -> dict[str, str]:
        return {"key": self.key, "name": self.name}


def private() -> Storage:
    return storages["private"]


def keep(files: Sequence[UploadedFile]) -> list[Kept]:
    """Lay files down where only the platform reads them, under names of our own."""
    folder = f"{FOLDER}/{uuid4()}"
    kept: list[Kept] = []
    try:
        for number, file in enumerate(files, start=1):
            kept.append(Kept(private().save(f"{folder}/{number:03}", file), shown(file.name or str(number), 200)))
    except BaseException:
        discard(kept)
        raise
    return kept


def discard(kept: Sequence[Kept]) -> None:
    """Delete an upload's files and the folder they lay in. Doing it twice does no harm."""
    for file in kept:
        private().delete(file.key)
    for folder in {file.key.rpartition("/")[0] for file in kept}:
        private().delete(folder)


def clear_leftovers(open_folders: set[str]) -> int:
    """Delete what an interrupted upload left behind long ago; returns how many folders."""
    try:
        folders, _files = private().listdir(FOLDER)
    except FileNotFoundError:
        return 0
    cleared = 0
    for name in folders:
        folder = f"{FOLDER}/{name}"
        files = [f"{folder}/{file}" for file in private().listdir(folder)[1]]
        young = any(timezone.now() - private().get_modified_time(file) < KEPT_AT_MOST for file in files)
        if folder not in open_folders and files and not young:
            discard([Kept(file, "") for file in files])
            cleared += 1
    return cleared


@contextmanager
def unpacked(kept: Sequence[Kept]) -> Iterator[Path]:
    """A folder that holds the files of an upload, out of their zip where they came in one. Gone afterwards.

    Raises CannotImport for names that stand there twice and for a zip that is damaged, hostile or not alone, and
    FileNotFoundError when the files have been deleted.
    """
    with TemporaryDirectory(prefix="framework-") as place:
        folder = Path(place)
        names = [file_name(file.name) for file in kept]
        _refuse_twins(names)
        for file, name in zip(kept, names, strict=True):
            with private().open(file.key) as source, (folder / name).open("wb") as target:
                for chunk in source.chunks(CHUNK):
                    target.write(chunk)
        archives = [folder / name for name in names if _is_archive(folder / name)]
        if archives and len(kept) > 1:
            refuse(archives[0].name, _("A zip holds all files of an edition and comes alone. Upload either."))
        for archive in archives:
            _unpack(archive, folder)
            archive.unlink()
        yield folder


def file_name(name: str) -> str:
    """The last part of a name, never hidden, never leading anywhere, and as long as a disk takes it.

    File systems count bytes, not letters. What says of which kind the file is stays at its end.
    """
    last = name.replace("\\", "/").rpartition("/")[2].lstrip(".").replace("\0", "")
    stem, dot, ending = last.rpartition(".")
    if not stem or len(ending.encode(errors="ignore")) > LONGEST_ENDING:
        stem, dot, ending = last, "", ""
    ending = f"{dot}{ending}".encode(errors="ignore").decode()
    kept = stem.encode(errors="ignore")[: LONGEST_NAME - len(ending.encode())].decode(errors="ignore")
    return f"{kept}{ending}" if kept else f"file{ending}"


def _refuse_twins(names: Sequence[str]) -> None:
    faults = Faults()
    for name, times in Counter(name.casefold() for name in names).items():
        if times > 1:
            faults.add(shown(name, 100), _("Two files have this name. Give each a name of its own."))
    faults.raise_if_any()


def _is_archive(path: Path) -> bool:
    """Whether this is a zip of files; workbooks are zips too, and stay whole."""
    with path.open("rb") as file:
        start = file.read(CHUNK)
        if not start.startswith((ZIP_MAGIC, EMPTY_ZIP_MAGIC)):
            return False
        raw = start + file.read(MAX_FILE_BYTES)
    return WORKBOOK_MARK not in raw and OPENDOCUMENT_MARK not in start


def _unpack(path: Path, folder: Path) -> None:
    """Unpack the files of a zip side by side; folders within do not matter. Raises CannotImport."""
    raw = path.read_bytes()
    if raw.count(CENTRAL_ENTRY) > 3 * MAX_FOLDER_FILES:  # counted here because opening it makes an object of each
        refuse(path.name, _("The zip holds more than %(limit)s files. Pack one edition alone.") % _limits())
    try:
        with ZipFile(path) as archive:
            members = [member for member in archive.infolist() if _is_wanted(member)]
            _check(path.name, members, packed=len(raw))
            for member in members:
                with archive.open(member) as source, (folder / file_name(member.filename)).open("xb") as target:
                    _copy(path.name, member, source, target)
    except CannotImport:
        raise
    except BROKEN as error:
        message = _("The zip is damaged or cut off. Pack the files again, or upload them without a zip.")
        raise CannotImport([Fault(path.name, message)]) from error


def _limits() -> dict[str, int]:
    return {"limit": MAX_FOLDER_FILES, "file": MAX_FILE_BYTES // MEGABYTE, "all": MAX_FOLDER_BYTES // MEGABYTE}


def _is_wanted(member: ZipInfo) -> bool:
    """Not folders, and not what some systems pack beside the files."""
    steps = member.filename.replace("\\", "/").split("/")
    return not member.is_dir() and "__MACOSX" not in steps and not steps[-1].startswith(".")


def _check(archive: str, members: Sequence[ZipInfo], *, packed: int) -> None:
    if not members:
        refuse(archive, _("The zip holds no file. Pack the files of the edition."))
    if len(members) > MAX_FOLDER_FILES:
        refuse(archive, _("The zip holds more than %(limit)s files. Pack one edition alone.") % _limits())
    names = [file_name(member.filename) for member in members]
    _refuse_twins([*names, archive])
    total = sum(member.file_size for member in members)
    for member, name in zip(members, names, strict=True):
        place = f"{archive} · {shown(name, 100)}"
        if member.flag_bits & 0x1:
            refuse(place, _("The file is locked with a password. Pack it without one."))
        if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            refuse(place, _("The file is packed in a way that is not read here. Pack it as an ordinary zip."))
        if member.file_size > MAX_FILE_BYTES:
            refuse(place, _("The file is larger than %(file)s MB. A framework is smaller: check the file.") % _limits())
    if total > MAX_FOLDER_BYTES or total > MAX_RATIO * packed:
        refuse(archive, _("The zip unpacks to far more than a framework needs (at most %(all)s MB).") % _limits())


def _copy(archive: str, member: ZipInfo, source: Any, target: Any) -> None:
    """Copy what is there and not what the directory promises; a file that is longer than that is refused."""
    left = member.file_size
    while chunk := source.read(CHUNK):
        left -= len(chunk)
        if left < 0:
            refuse(archive, _("The zip is damaged or cut off. Pack the files again, or upload them without a zip."))
        target.write(chunk)
