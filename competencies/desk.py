"""Doors of stewards: the desk of frameworks, uploads, one version. And for everybody: downloads of what is published."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods

from competencies import case_packages, stewardship, uploads
from competencies.banks import bank_to_estimate
from competencies.enums import FrameworkStatus
from competencies.exporters import tables
from competencies.forms import UploadForm
from competencies.importers import FORMATS
from competencies.jobs import IMPORT_JOB
from competencies.loading import content_of
from competencies.management.commands.import_framework import LABELS
from competencies.models import FrameworkVersion, ItemBank
from competencies.perms import is_steward, steward
from organisations.jobs import enqueue
from organisations.models import Job, User

DEVIATIONS_PAGE = 100
KEPT_SECONDS = 24 * 3600
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def for_stewards(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        steward(request)
        return view(request, *args, **kwargs)

    return guarded


# --- Desk --------------------------------------------------------------------------------------------------------
@require_GET
@for_stewards
def framework_desk(request: HttpRequest) -> HttpResponse:
    """What is in force, what waits, what is under way - and what to do next."""
    desk = stewardship.desk()
    return render(request, "competencies/desk.html", {"desk": desk, "next": _next_step(desk)})


def _next_step(desk: stewardship.Desk) -> dict[str, str]:
    """What a steward does next and why; the most urgent first."""
    if desk.refused is not None:
        return {
            "title": _("Correct the files and upload them again"),
            "why": _("Your latest upload was refused: every fault is listed with its place."),
            "action": _("See the faults"),
            "url": reverse("framework_upload_result", args=[desk.refused.pk]),
        }
    if desk.drafts:
        draft = desk.drafts[0]
        return {
            "title": _("Look through the draft “%(version)s”") % {"version": draft},
            "why": _("Nobody sees a draft before it is published. Read it, correct its words, then publish it."),
            "action": _("Open the draft"),
            "url": reverse("framework_version", args=[draft.pk]),
        }
    if (bank := bank_to_estimate()) is not None:
        return {
            "title": _("Take the difficulties of “%(bank)s” from answers") % {"bank": bank},
            "why": _("Some of its questions have 200 answers or more. Levels become surer, and diagnostics shorter."),
            "action": _("See what to do"),
            "url": reverse(ItemBank.snippet_viewset.get_url_name("inspect"), args=[bank.pk]),
        }
    return {
        "title": _("Upload a framework") if not desk.in_force else _("Upload the next edition"),
        "why": _("It becomes a draft. Nothing changes for people before you publish it."),
        "action": _("Upload"),
        "url": reverse("framework_upload"),
    }


@require_GET
@for_stewards
def framework_version(request: HttpRequest, pk: int) -> HttpResponse:
    """One draft or version: what it holds, who loaded it, where to edit it, how to take it away."""
    version = get_object_or_404(stewardship.counted_versions(), pk=pk)
    held = stewardship.held_by(version)
    context = {
        "version": version,
        "held": held,
        "counts": [(LABELS[key], number) for key, number in held.counts.items() if number],
        "others": stewardship.other_editions(version),
        "downloads": [(words, reverse("framework_download", args=[version.framework.slug, version.pk, kind]))
                      for kind, words in _download_words()],
    }  # fmt: skip
    return render(request, "competencies/version.html", context)


# --- Uploads -----------------------------------------------------------------------------------------------------
@csrf_exempt  # reading the token reads the whole request: the sizes are bounded first, then the token is checked
@require_http_methods(["GET", "HEAD", "POST"])
@for_stewards
def framework_upload(request: HttpRequest) -> HttpResponse:
    bound = uploads.BoundedUpload(request)
    if request.method == "POST":
        request.upload_handlers = [bound, *request.upload_handlers]
    return _framework_upload(request, bound)


@csrf_protect
def _framework_upload(request: HttpRequest, bound: uploads.BoundedUpload) -> HttpResponse:
    """Take files in, ask for them to be loaded, and lead to what comes of it. Pressing twice asks once."""
    me = steward(request)
    if request.method != "POST":
        return render(request, "competencies/upload.html", {"form": UploadForm(), "formats": _formats()})
    form = UploadForm(request.POST, request.FILES, too_large=bound.too_large)
    if not form.is_valid():
        return render(request, "competencies/upload.html", {"form": form, "formats": _formats()}, status=422)
    return redirect("framework_upload_result", pk=_ask(form, me).pk)


def _formats() -> list[str]:
    return [str(reader.TITLE) for reader in FORMATS.values()]


def _ask(form: UploadForm, by: User) -> Job:
    key = f"{by.pk}:{form.cleaned_data['token']}"
    asked = Job.objects.filter(key=f"{IMPORT_JOB}:{key}").first()
    if asked is not None:
        return asked
    kept = uploads.keep(form.cleaned_data["upload"])
    payload = {"files": [file.as_payload() for file in kept], "edition": form.cleaned_data["edition"]}
    try:
        job = enqueue(kind=IMPORT_JOB, key=key, payload=payload, by=by)
    except BaseException:
        uploads.discard(kept)
        raise
    if job.payload != payload:  # the other press was a moment earlier
        uploads.discard(kept)
    return job


@require_GET
@for_stewards
def framework_upload_result(request: HttpRequest, pk: int) -> HttpResponse:
    """How far an upload is, and then what came of it: counts, every deviation, or every fault with its place."""
    job = get_object_or_404(stewardship.uploads_of_stewards(), pk=pk)
    version = FrameworkVersion.objects.select_related("framework").filter(pk=job.report.get("version")).first()
    told = job.report.get("faults", job.report.get("deviations", []))
    context = {
        "job": job,
        "names": [file["name"] for file in job.payload["files"]],
        "version": version,
        "created": job.report.get("created", False),
        "counts": [(LABELS.get(key, key), number) for key, number in job.report.get("counts", {}).items()],
        "refused": "faults" in job.report,
        "fault_count": job.report.get("fault_count", 0),
        "page_of_remarks": Paginator(told, DEVIATIONS_PAGE).get_page(request.GET.get("page")),
    }
    name = "partials/_upload_result" if request.htmx else "upload_result"  # type: ignore[attr-defined]
    return render(request, f"competencies/{name}.html", context)


# --- Downloads ---------------------------------------------------------------------------------------------------
@require_GET
@for_stewards
def framework_template(request: HttpRequest) -> HttpResponse:
    """The empty spreadsheet, in the language of the page."""
    language = get_language() or "en"
    name = slugify(_("framework template"))
    return _attachment(tables.empty_template(language), XLSX, f"{name}.xlsx")


def _download_words() -> list[tuple[str, str]]:
    return [("xlsx", _("Workbook (.xlsx)")), ("zip", _("CSV files (.zip)")), ("json", _("CASE 1.1 (.json)"))]


@login_not_required
@require_GET
def framework_download(request: HttpRequest, slug: str, pk: int, kind: str) -> HttpResponse:
    """A version to take away: what is or was published for everybody, drafts for stewards."""
    writer = WRITERS.get(kind)
    if writer is None:
        raise Http404
    version = get_object_or_404(
        FrameworkVersion.objects.select_related("framework", "extends__framework"), pk=pk, framework__slug=slug
    )
    if version.is_draft and not is_steward(request.user):
        raise Http404
    language = get_language() or "en"
    write, content_type = writer
    name = f"{slug}-{slugify(version.edition) or version.pk}.{'case.json' if kind == 'json' else kind}"
    return _attachment(_written(version, kind, language, write), content_type, name)


def _written(
    version: FrameworkVersion, kind: str, language: str, write: Callable[[FrameworkVersion, str], bytes]
) -> bytes:
    """What is published never changes: written once a day at most, however often it is asked for."""
    if version.status == FrameworkStatus.DRAFT or kind == "json":  # alignments come to CASE; it has its own cache
        return write(version, language)
    key = f"framework-download:{version.uuid}:{version.status}:{kind}:{language}"
    raw: bytes | None = cache.get(key)
    if raw is None:
        raw = write(version, language)
        cache.set(key, raw, KEPT_SECONDS)
    return raw


def _workbook(version: FrameworkVersion, language: str) -> bytes:
    return tables.workbook(content_of(version), version.edition, language)


def _csv_zip(version: FrameworkVersion, language: str) -> bytes:
    return tables.csv_zip(content_of(version), version.edition, language)


def _case_package(version: FrameworkVersion, language: str) -> bytes:
    return json.dumps(case_packages.package_of(version), ensure_ascii=False, indent=1).encode()


WRITERS: dict[str, tuple[Callable[[FrameworkVersion, str], bytes], str]] = {
    "xlsx": (_workbook, XLSX),
    "zip": (_csv_zip, "application/zip"),
    "json": (_case_package, "application/json"),
}


def _attachment(raw: bytes, content_type: str, name: str) -> HttpResponse:
    return HttpResponse(
        raw, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
