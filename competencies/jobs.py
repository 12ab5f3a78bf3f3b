"""Background work of frameworks. It may run twice and leaves the same state as once."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from competencies import case_packages, claims, contests, documents, importers, uploads
from competencies.case_packages import WRITE_JOB
from competencies.importers import CannotImport
from competencies.importers.content import shown
from competencies.loading import load_framework
from competencies.models import Rulebook
from competencies.organisation import COUNT_JOB, lay_down_counts
from competencies.refreshing import REFRESH_JOB, notify_refresh_due
from competencies.rules_impact import RULES_IMPACT_JOB, measure_rules_impact
from competencies.selectors import people_with_evidence
from organisations.enums import MAX_JOB_ATTEMPTS
from organisations.jobs import CannotBeDone, LeaseLost, Run, job_kind
from organisations.models import Job

IMPORT_JOB = "competencies.import_framework"
CLAIMS_JOB = "competencies.look_after_claims"
STEPS = 3  # unpack, read, store


@job_kind(COUNT_JOB, gettext_lazy("Count where the organisation stands"))
def count_everybody(run: Run) -> dict[str, Any]:
    """Counts of all units anew, as of the day it runs; the old ones stay until the new ones are there."""
    return {"counts": lay_down_counts(day=timezone.localdate(), progress=run.progress)}


@job_kind(WRITE_JOB, gettext_lazy("Lay published frameworks ready for other systems"))
def write_case_packages(run: Run) -> dict[str, Any]:
    """Packages of CASE that are not there yet, so that no visitor waits for one."""
    return {"built": case_packages.write_packages(run.progress)}


@job_kind(IMPORT_JOB, gettext_lazy("Load a framework"))
def import_framework(run: Run) -> dict[str, Any]:
    """Read an upload and store it as a draft, or say everything that is wrong with it.

    Payload: `files` (key in the private storage, name), `edition` or None. The files go when the job has ended.
    """
    kept = [uploads.Kept(**file) for file in run.payload["files"]]
    try:
        report = _read_and_load(run, kept)
    except LeaseLost:  # the one who took over still needs the files
        raise
    except CannotBeDone:
        uploads.discard(kept)
        raise
    except Exception:
        if run.job.attempts >= MAX_JOB_ATTEMPTS:
            uploads.discard(kept)
        raise
    uploads.discard(kept)
    uploads.clear_leftovers(_folders_of_open_jobs())
    return report


@job_kind(RULES_IMPACT_JOB, gettext_lazy("Measure whose level moves"))
def rules_impact(run: Run) -> dict[str, Any]:
    rulebook = Rulebook.objects.select_related("framework").filter(pk=run.payload["rulebook"]).first()
    if rulebook is None:
        raise CannotBeDone(_("The draft is no longer there."))
    return measure_rules_impact(rulebook, day=date.fromisoformat(run.payload["day"]), progress=run.progress)


@job_kind(REFRESH_JOB, gettext_lazy("Tell people whose level lapses soon"))
def refresh_notices(run: Run) -> dict[str, Any]:
    return notify_refresh_due(
        person_ids=people_with_evidence(), as_of=date.fromisoformat(run.payload["day"]), progress=run.progress
    )


def _read_and_load(run: Run, kept: list[uploads.Kept]) -> dict[str, Any]:
    try:
        run.progress(0, STEPS)
        with uploads.unpacked(kept) as folder:
            run.progress(1, STEPS)
            try:
                content = importers.read(folder)
            except CannotImport as error:
                return _refused(error, str(folder))
        run.progress(2, STEPS)
        loaded = load_framework(
            content=content, by=run.job.created_by, edition=run.payload["edition"] or None, publish=False
        )
    except CannotImport as error:
        return _refused(error)
    except FileNotFoundError as error:
        raise CannotBeDone(_("The files of this upload are no longer there. Upload them again.")) from error
    run.progress(3, STEPS)
    return {
        "version": loaded.version.pk,
        "created": loaded.created,
        "counts": dict(content.counts),
        "deviations": [[item.place, item.message] for item in content.deviations],
    }


def _refused(error: CannotImport, folder: str | None = None) -> dict[str, Any]:
    """Every fault with its place; what was said of our folder is said of the upload."""
    ours = None if folder is None else shown(folder, 200)
    faults = [[_("your upload") if fault.place == ours else fault.place, fault.message] for fault in error.faults]
    return {"faults": faults, "fault_count": error.count}


def _folders_of_open_jobs() -> set[str]:
    payloads = Job.objects.open().filter(kind=IMPORT_JOB).values_list("payload", flat=True)
    return {file["key"].rpartition("/")[0] for payload in payloads for file in payload["files"]}


@job_kind(CLAIMS_JOB, gettext_lazy("Look after claims"))
def look_after_claims(run: Run) -> dict[str, Any]:
    """Hand on claims and contests that nobody has, remind who is late, clear files that belong to nothing. Payload: `day`."""
    return {
        "handed_on": claims.hand_on() + contests.hand_on(),
        "reminded": claims.remind_assessors(day=date.fromisoformat(run.payload["day"])),
        "files_cleared": documents.clear_lost_documents(),
    }
