"""What the job of a cohort does: certificates part by part, then the files. Killed anywhere it goes on where it was.

A part is noted as done when its certificates, credentials and documents are there; a file has a row when it is complete.
Nobody gets two, because an enrolment has one certificate; no number is lost, because numbers are given in the transaction
that writes the rows.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Final

from django.conf import settings
from django.core.files import File
from django.db import IntegrityError, transaction
from django.utils import timezone

from certificates import cohort_files, services
from certificates.enums import CohortFileKind, Kind
from certificates.models import Certificate, Cohort, CohortFile, CohortPart
from certificates.models.certificate import private_storage
from certificates.verdicts import RecordChanged
from certificates.writing import batches
from organisations.enums import OPEN_JOB_STATES
from organisations.models import User

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
Issuer = Callable[[Sequence[int]], list[Certificate]]

# Ten parts of 500: as many certificates stand in one ZIP, and in one PDF.
PARTS_A_FILE: Final = 10
# Signed and drawn between two signs of life.
COMPLETE_BATCH: Final = 100
# Serial numbers that are named as being in no file, of each reason.
MOST_NAMED: Final = 20


def _course(cohort: Cohort, by: User | None) -> Issuer:
    catalogue = services.Catalogue()
    # Dated when it was asked, whenever an interrupted job comes to its end.
    return lambda ids: services.issue_records(ids, at=cohort.asked_at, by=by, catalogue=catalogue)


# What a part's members are, and how their records are written: some at a time, with a few queries.
ISSUERS: Mapping[str, Callable[[Cohort, User | None], Issuer]] = {Kind.COURSE: _course}


def carry_out(cohort: Cohort, by: User | None, progress: Progress) -> dict[str, Any]:
    """Issue what is missing, then make the files that are missing; returns the job's report."""
    steps = _Steps(cohort.count, progress)
    _issue(cohort, by, steps)
    _make_files(cohort, steps)
    with transaction.atomic():
        Cohort.objects.filter(pk=cohort.pk, files_made_at__isnull=True).update(files_made_at=timezone.now())
    sweep_folder(cohort)
    progress(steps.total, steps.total)
    return {"cohort": cohort.pk, "certificates": cohort.count, "files": cohort.files.count()}


class _Steps:
    """Progress over four ways through the people: the certificates, the CSV, the ZIPs, the PDFs."""

    def __init__(self, count: int, progress: Progress) -> None:
        self.count, self.total, self.done, self._progress = count, 4 * count, 0, progress

    def on(self, more: int) -> None:
        self.done += more
        # Only the very end is the end.
        self._progress(min(self.done, self.total - 1), self.total)


# --- Certificates ----------------------------------------------------------------------------------------------------
def _issue(cohort: Cohort, by: User | None, steps: _Steps) -> None:
    issue = ISSUERS[cohort.kind](cohort, by)
    last = 0
    while (part := cohort.parts.filter(number__gt=last).order_by("number").first()) is not None:
        last = part.number
        if part.certificates is not None:
            steps.on(len(part.members))
            continue
        certificates = issue(part.members)
        for some in batches(certificates, COMPLETE_BATCH):
            _complete(some)
            steps.on(len(some))
        CohortPart.objects.filter(pk=part.pk).update(certificates=[c.pk for c in certificates])
        steps.on(len(part.members) - len(certificates))


def _complete(certificates: list[Certificate]) -> None:
    """Credential and document; one whose record was changed keeps no other waiting, and gets neither."""
    try:
        services.complete(certificates)
    except RecordChanged:
        for certificate in certificates:
            try:
                services.complete([certificate])
            except RecordChanged:
                logger.error("certificate %s is not as it was issued: nothing is signed or drawn", certificate.serial)


# --- Files -----------------------------------------------------------------------------------------------------------
def _make_files(cohort: Cohort, steps: _Steps) -> None:
    last = cohort.parts.count()
    _make_file(cohort, CohortFileKind.CSV, 1, range(1, last + 1), steps, cohort_files.write_csv)
    for kind, write in ((CohortFileKind.ZIP, cohort_files.write_zip), (CohortFileKind.PDF, cohort_files.write_pdf)):
        for number, first in enumerate(range(1, last + 1, PARTS_A_FILE), start=1):
            numbers = range(first, min(first + PARTS_A_FILE, last + 1))
            _make_file(cohort, kind, number, numbers, steps, write)


def _make_file(
    cohort: Cohort,
    kind: CohortFileKind,
    number: int,
    numbers: range,
    steps: _Steps,
    write: Callable[[Iterator[cohort_files.Entry], BinaryIO], cohort_files.Written],
) -> None:
    """Written to a draft that has no name and so is gone with its process, then stored, then there."""
    if cohort.files.filter(kind=kind, number=number).exists():
        steps.on(sum(map(len, cohort.parts.filter(number__in=numbers).values_list("members", flat=True))))
        return
    with tempfile.TemporaryFile() as draft:
        written = write(_entries(cohort, numbers, steps), draft)
        if not written.count and kind is not CohortFileKind.CSV:
            # Of nothing that counts there is nothing to hand out; the list says why.
            with transaction.atomic():
                _note_left_out(cohort, written)
            return
        made = CohortFile(cohort=cohort, kind=kind, number=number, count=written.count, size_bytes=draft.tell())
        draft.seek(0)
        steps.on(0)
        made.file.save(kind.value, File(draft), save=False)
    try:
        with transaction.atomic():
            made.save()
            _note_left_out(cohort, written)
    except IntegrityError:  # who was quicker has made the same
        made.file.storage.delete(str(made.file.name))


def _entries(cohort: Cohort, numbers: range, steps: _Steps) -> Iterator[cohort_files.Entry]:
    """The certificates of some parts as they stand today, a part at a time."""
    today = timezone.localdate()
    for number in numbers:
        part = cohort.parts.get(number=number)
        yield from cohort_files.entries_of(part.certificates or [], as_of=today)
        steps.on(len(part.members))


def _note_left_out(cohort: Cohort, written: cohort_files.Written) -> None:
    if not written.left_out:
        return
    row = Cohort.objects.select_for_update(of=("self",)).get(pk=cohort.pk)
    for reason, serials in written.left_out.items():
        known = row.left_out.get(reason, [])
        row.left_out[reason] = sorted({*known, *serials})[:MOST_NAMED]
    row.save(update_fields=["left_out"])


# --- Removing --------------------------------------------------------------------------------------------------------
def remove_old_files(*, now: datetime) -> int:
    """Files that were kept for their days are removed; returns how many. They can be made again on demand."""
    limit = now - timedelta(days=settings.COHORT_FILES_DAYS)
    removed = 0
    old = Cohort.objects.filter(files__made_at__lt=limit).exclude(job__state__in=OPEN_JOB_STATES)
    for pk in sorted(set(old.order_by().values_list("pk", flat=True))):
        with transaction.atomic():
            cohort = Cohort.objects.select_for_update(of=("self",)).select_related("job").get(pk=pk)
            if cohort.job is not None and cohort.job.is_open:  # asked for again meanwhile
                continue
            removed += cohort.files.all().delete()[0]
            cohort.files_made_at = None
            cohort.left_out = {}
            cohort.save(update_fields=["files_made_at", "left_out"])
        sweep_folder(cohort)
    return removed


def sweep_folder(cohort: Cohort) -> int:
    """Remove what no row points to: the files of a killed attempt, or of rows that are gone. Returns how many."""
    storage, folder = private_storage(), PurePosixPath("certificates") / "cohorts" / str(cohort.pk)
    try:
        names = storage.listdir(str(folder))[1]
    except FileNotFoundError:
        return 0
    kept = set(CohortFile.objects.filter(cohort=cohort).values_list("file", flat=True))
    gone = [str(folder / name) for name in names if str(folder / name) not in kept]
    for name in gone:
        storage.delete(name)
    return len(gone)
