"""Doors of cohorts: which course and whom, what it would do, how far it is, and the files to hand out."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import formats
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from i18nfield.strings import LazyI18nString

from certificates import cohorts
from certificates.cohort_files import CHANGED, LOST, REVOKED
from certificates.cohort_forms import CohortForm
from certificates.cohort_making import PARTS_A_FILE
from certificates.cohorts import How, NobodyMeant, Preview
from certificates.enums import CohortFileKind, CohortState
from certificates.models import Cohort, CohortFile
from certificates.writing import WRITE_BATCH
from learning import lists
from learning.list_forms import take_list
from organisations.ids import as_id, as_token
from organisations.perms import hr_officer

logger = logging.getLogger(__name__)

COHORTS_A_PAGE = 20
MOST_SHOWN = 50
STEP_WORDS = (gettext_lazy("Course and people"), gettext_lazy("Preview"), gettext_lazy("Certificates"))
# What a status is drawn with (templates/elements/status.html).
STATE_KINDS = {
    CohortState.WORKING: "info",
    CohortState.READY: "done",
    CohortState.STOPPED: "overdue",
    CohortState.EXPIRED: "neutral",
}
TYPES = {
    CohortFileKind.ZIP: "application/zip",
    CohortFileKind.PDF: "application/pdf",
    CohortFileKind.CSV: "text/csv; charset=utf-8",
}
LEFT_OUT = {
    REVOKED: gettext_lazy("Revoked: in no file, and in the list of codes as revoked."),
    CHANGED: gettext_lazy("The record was changed after it was issued: tell an administrator."),
    LOST: gettext_lazy("The document is not where it was stored: tell an administrator."),
}


# --- Asking --------------------------------------------------------------------------------------------------------
@csrf_exempt  # reading the token reads the whole request: the size of a file is bounded first, then the token is checked
@require_http_methods(["GET", "HEAD", "POST"])
def cohort_new(request: HttpRequest) -> HttpResponse:
    """Course and people, then what it would do, then a cohort: each a form that works without script."""
    hr_officer(request)
    bound = lists.BoundedList(request)
    if request.method == "POST":
        request.upload_handlers = [bound, *request.upload_handlers]
    return _cohort_new(request, bound)


@csrf_protect
def _cohort_new(request: HttpRequest, bound: lists.BoundedList) -> HttpResponse:
    me = hr_officer(request)
    if request.method != "POST":
        wanted = request.GET.get("course", "")[:100]
        return _show_form(request, CohortForm(officer=me, initial={"course": wanted}))
    data = request.POST.copy()
    do = data.get("do", "look")
    refusal = take_list(request, data, bound) if do == "look" and data.get("how") == How.LIST else ""
    form = CohortForm(data, officer=me)
    if refusal:
        form.add_error("file", refusal)
        form.errors.pop("emails", None)  # that nobody is named follows from it
    if do == "back":
        form.full_clean()
        return _show_form(request, CohortForm(officer=me, initial=_answers(data)))
    if not form.is_valid():
        return _show_form(request, form, status=422)
    ask, token = form.ask(), as_token(data.get("token", ""))
    if do == "issue" and token:
        try:
            return redirect("cohort", pk=cohorts.start_cohort(officer=me, ask=ask, token=token).pk)
        except NobodyMeant as sentence:
            form.add_error(None, str(sentence))
            return _show_form(request, form, status=422)
    seen = cohorts.look(me, ask)
    context = {
        "step_words": _steps(),
        "seen": seen,
        "course_title": dict(form.fields["course"].choices).get(ask.course_key, ""),  # type: ignore[attr-defined]
        "whom": _whom_asked(form),
        "note": ask.note,
        "carried": [(name, data[name]) for name in CohortForm.base_fields if name in data and name != "file"],
        "token": uuid4(),
        "absent": [(one.line, one.text, ABSENT[one.reason]) for one in seen.absent[:MOST_SHOWN]],
        "open": [(person.name, person.email) for person in seen.open[:MOST_SHOWN]],
        "more": max(len(seen.absent) - MOST_SHOWN, 0) + max(len(seen.open) - MOST_SHOWN, 0),
        "figures": _figures(seen, ask.how),
    }
    return render(request, "certificates/cohort_preview.html", context)


ABSENT = {
    "malformed": gettext_lazy("is no e-mail address"),
    "unknown": gettext_lazy("is nobody you serve"),
    "inactive": gettext_lazy("has left"),
}


def _figures(seen: Preview, how: How) -> list[tuple[int, str]]:
    found = [
        (seen.to_issue, ngettext("gets one now", "get one now", seen.to_issue)),
        (seen.already, ngettext("has theirs", "have theirs", seen.already)),
    ]
    if how == How.LIST:
        words = ngettext(
            "line of the list not found or not completed",
            "lines of the list not found or not completed",
            seen.left_out,
        )
        found.append((seen.left_out, words))
    return found


def _steps() -> list[str]:
    return [str(words) for words in STEP_WORDS]


def _answers(data: QueryDict) -> dict[str, str]:
    return {name: data.get(name, "") for name in CohortForm.base_fields if name in data and name != "file"}


def _show_form(request: HttpRequest, form: CohortForm, *, status: int = 200) -> HttpResponse:
    context = {
        "form": form.asked(),
        "step_words": _steps(),
        "list_name": str(form["list_name"].value() or "")[: lists.MAX_NAME],
    }
    return render(request, "certificates/cohort_new.html", context, status=status)


def _whom_asked(form: CohortForm) -> str:
    ask = form.ask()
    if ask.how == How.BETWEEN:
        return _between(ask.first, ask.last)
    if ask.how == How.UNIT:
        return _of_unit(str(form.cleaned_data["unit"].name))
    return _of_list(lists.count_of(ask.emails), ask.list_name)


def whom_words(cohort: Cohort) -> str:
    """Whom a cohort means, as it was asked."""
    said = cohort.whom
    if said["how"] == How.BETWEEN:
        return _between(date.fromisoformat(said["first"]), date.fromisoformat(said["last"]))
    if said["how"] == How.UNIT:
        return _of_unit(str(LazyI18nString(said["name"])))
    return _of_list(said["lines"], said["list_name"])


def _between(first: date | None, last: date | None) -> str:
    days = {"first": formats.date_format(first or date.min), "last": formats.date_format(last or date.min)}
    return _("Everybody who completed it from %(first)s to %(last)s") % days


def _of_unit(name: str) -> str:
    return _("The people of “%(unit)s” and of the units below it") % {"unit": name}


def _of_list(lines: int, name: str) -> str:
    words = ngettext("A list of %(count)s address", "A list of %(count)s addresses", lines) % {"count": lines}
    return _("%(list)s from “%(name)s”") % {"list": words, "name": name} if name else words


# --- Cohorts -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Row:
    """A cohort as lists and its page show it."""

    cohort: Cohort
    state: CohortState

    @property
    def kind(self) -> str:
        return STATE_KINDS[self.state]

    @property
    def title(self) -> str:
        return self.cohort.course.title if self.cohort.course is not None else str(self.cohort)

    @property
    def whom(self) -> str:
        return whom_words(self.cohort)

    @property
    def files(self) -> list[dict[str, Any]]:
        return [_file_row(self.cohort, file) for file in self.cohort.files.all()]


def _file_row(cohort: Cohort, file: CohortFile) -> dict[str, Any]:
    first = (file.number - 1) * PARTS_A_FILE * WRITE_BATCH + 1
    several = file.kind != CohortFileKind.CSV and cohort.count > PARTS_A_FILE * WRITE_BATCH
    return {
        "file": file,
        "words": file.get_kind_display(),
        "span": _("%(first)s to %(last)s")
        % {"first": first, "last": min(first + PARTS_A_FILE * WRITE_BATCH - 1, cohort.count)}
        if several
        else "",
    }


def _row(cohort: Cohort) -> Row:
    return Row(cohort, cohorts.state_of(cohort))


@require_safe
def cohort_list(request: HttpRequest) -> HttpResponse:
    """What was issued to whole cohorts, how far it is, and the files."""
    me = hr_officer(request)
    files = Prefetch("files", CohortFile.objects.order_by("kind", "number"))
    found = cohorts.cohorts_visible_to(me).prefetch_related(files)
    page = Paginator(found, COHORTS_A_PAGE).get_page(request.GET.get("page"))
    context = {"page_of_rows": page, "rows": [_row(cohort) for cohort in page], "sees_all": me.is_superuser}
    return render(request, "certificates/cohort_list.html", context)


def _cohort(request: HttpRequest, pk: int) -> Cohort:
    me = hr_officer(request)
    if as_id(pk) is None:
        raise Http404
    return get_object_or_404(cohorts.cohorts_visible_to(me), pk=pk)


@require_safe
def cohort(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is, and when it is done what there is to fetch. Asked every two seconds while it is under way."""
    row = _row(_cohort(request, pk))
    job, count = row.cohort.job, row.cohort.count
    done = job.done if job is not None else 0
    context = {
        "row": row,
        "cohort": row.cohort,
        "files": row.files,
        "issuing": done < count,
        # A quarter of the way is the certificates, the rest are the files.
        "done": done if done < count else (done - count) // 3,
        "left_out": [
            (LEFT_OUT[reason], serials) for reason, serials in row.cohort.left_out.items() if reason in LEFT_OUT
        ],
        "most_a_file": PARTS_A_FILE * WRITE_BATCH,
        "several": count > PARTS_A_FILE * WRITE_BATCH,
        "step_words": _steps(),
    }
    partial = request.htmx  # type: ignore[attr-defined]
    return render(request, "certificates/partials/_cohort.html" if partial else "certificates/cohort.html", context)


@require_POST
def cohort_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on, or make the files again. Pressing twice asks once."""
    found = _cohort(request, pk)
    cohorts.make_again(cohort=found, by=hr_officer(request))
    return redirect("cohort", pk=found.pk)


@require_safe
def cohort_file(request: HttpRequest, pk: int, file_pk: int) -> HttpResponseBase:
    found = _cohort(request, pk)
    if as_id(file_pk) is None:
        raise Http404
    file = get_object_or_404(found.files, pk=file_pk)
    try:
        content = file.file.open("rb")
    except FileNotFoundError:
        logger.error("file %s of cohort %s is not where it was stored", file, found.pk)
        messages.error(request, _("This file is not where it was stored: tell an administrator."))
        return redirect("cohort", pk=found.pk)
    title = slugify(str(found))[:60] or "certificates"
    several = f"-{file.number}" if found.count > PARTS_A_FILE * WRITE_BATCH and file.kind != CohortFileKind.CSV else ""
    name = f"{title}-{found.pk}{several}.{file.kind}"
    response = FileResponse(content, as_attachment=True, filename=name, content_type=TYPES[CohortFileKind(file.kind)])
    response.headers["Cache-Control"] = "private, no-store"
    return response
