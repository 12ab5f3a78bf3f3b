"""Doors of assignment: what, whom, when, the dry run to look at, and what was done with it."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import xlsxwriter
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS
from django.core.paginator import Paginator
from django.db.models import Max, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from competencies.spreadsheet import disarmed, marked
from learning import batch_words, batches, lists
from learning.asking import Ask, NotOffered, ask_of
from learning.assign_forms import FORMS, StepForm, answers_of, ask_in, plain_ids
from learning.batches import CannotBeChanged
from learning.dry_run import CHANGING
from learning.due_dates import FIXED
from learning.enums import UNDO_DAYS, AssignmentKind, BatchStatus, RowOutcome
from learning.hr import people_served
from learning.list_forms import take_list
from learning.models import AssignmentBatch, BatchRow
from organisations.ids import as_id, as_token
from organisations.models import User
from organisations.perms import hr_officer

STEPS = ("what", "whom", "when")
STEP_WORDS = (gettext_lazy("What"), gettext_lazy("Whom"), gettext_lazy("When"), gettext_lazy("Preview"))
ROWS_A_PAGE = 50
NAMED_STALE = 20
BATCHES_A_PAGE = 20
MOST_CHOSEN = 2_000
WORKING = {BatchStatus.COUNTING, BatchStatus.APPLYING, BatchStatus.UNDOING}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


# --- The three questions -------------------------------------------------------------------------------------------
@csrf_exempt  # reading the token reads the whole request: the size of a file is bounded first, then the token is checked
@require_http_methods(["GET", "HEAD", "POST"])
def assign(request: HttpRequest) -> HttpResponse:
    """What, whom, when: each a form that works without script. The last answer asks for the dry run."""
    hr_officer(request)
    bound = lists.BoundedList(request)
    if request.method == "POST":
        request.upload_handlers = [bound, *request.upload_handlers]
    return _assign(request, bound)


@csrf_protect
def _assign(request: HttpRequest, bound: lists.BoundedList) -> HttpResponse:
    """What was answered travels in the form itself; `go` names the step to show, `step` the one that was answered."""
    me = hr_officer(request)
    data = request.POST.copy() if request.method == "POST" else _asked_before(request, me)
    answered = data.get("step", "")
    refusal = take_list(request, data, bound) if answered == "whom" else ""
    wanted = data.get("go", _following(answered))
    if wanted not in (*STEPS, "preview"):
        wanted = "what"
    forms: dict[str, Any] = {}
    for name in STEPS if wanted == "preview" else STEPS[: STEPS.index(wanted)]:
        forms[name] = form = FORMS[name](data, officer=me)
        if name == "whom" and refusal:
            form.add_error("file", refusal)
            form.errors.pop(NON_FIELD_ERRORS, None)  # that nobody is named follows from it
        if not form.is_valid():
            complain = answered in STEPS and STEPS.index(answered) >= STEPS.index(name)
            return _show_step(request, name, data, complaining=form if complain else None)
    token = as_token(data.get("token", ""))
    if wanted in FORMS or request.method != "POST" or not token:
        return _show_step(request, wanted if wanted in FORMS else "when", data)
    what = forms["what"]
    ask = ask_in(what, forms["whom"], forms["when"])
    try:
        batch = batches.start_batch(officer=me, ask=ask, token=_token_of(token, ask))
    except NotOffered as sentence:
        what.add_error(what.asked[ask.kind.value][0], str(sentence))
        return _show_step(request, "what", data, complaining=what)
    _put_away(data.get("replaces", ""), batch, me)
    return redirect("batch", pk=batch.pk)


def _put_away(replaced: str, batch: AssignmentBatch, me: User) -> None:
    """What was asked otherwise now no longer waits for anybody to apply it; what came of something stays."""
    pk = as_id(replaced)
    old = AssignmentBatch.objects.filter(pk=pk, created_by=me).exclude(pk=batch.pk).first() if pk is not None else None
    if old is not None:
        with contextlib.suppress(CannotBeChanged):
            batches.discard_batch(batch=old)


def _token_of(token: str, ask: Ask) -> str:
    """Pressing twice asks once; going back, answering otherwise and pressing again asks for something else."""
    content = json.dumps(asdict(ask), default=str, sort_keys=True)
    return f"{token}:{hashlib.sha256(content.encode()).hexdigest()[:16]}"


def _following(step: str) -> str:
    return (*STEPS, "preview")[STEPS.index(step) + 1] if step in STEPS else "what"


def _asked_before(request: HttpRequest, me: User) -> QueryDict:
    """The answers in the address, or those of a batch (`batch`) to be changed; `realistic` brings the date that fits."""
    data = request.GET.copy()
    if "batch" not in data:
        return data
    pk = as_id(data["batch"])
    batch = batches.batches_visible_to(me).filter(pk=pk).first() if pk is not None else None
    if batch is None:
        raise Http404
    answers = answers_of(ask_of(batch))
    answers["replaces"] = str(batch.pk)
    answers["go"] = data.get("go", "when")
    if "realistic" in data and (day := _realistic_day(batch)) is not None:
        answers["due"], answers["due_on"] = FIXED, day.isoformat()
    return answers


def _realistic_day(batch: AssignmentBatch) -> Any:
    """The first date that is realistic for everybody whose date is not; never one that has passed meanwhile."""
    day = batches.rows_of(batch, reason="unrealistic").aggregate(day=Max("realistic_on"))["day"]
    return day if day is not None and day > timezone.localdate() else None


def _carried(data: QueryDict, step: str) -> list[tuple[str, str]]:
    """Answers of the other steps, to be carried along as hidden fields. A list gets a line for each entry."""
    others = {name for key, form in FORMS.items() if key != step for name in form.base_fields} - {"file"} | {"replaces"}
    return [
        (name, "\n".join(lists.lines_of(value)) if name == "emails" else value)
        for name in sorted(others)
        for value in data.getlist(name)
    ]


def _show_step(
    request: HttpRequest, step: str, data: QueryDict, *, complaining: StepForm | None = None
) -> HttpResponse:
    """Ask a question, with what was answered before; only a form that was answered wrongly complains."""
    me = hr_officer(request)
    form = complaining
    if form is None:
        kind = FORMS[step]
        initial: dict[str, Any] = {
            name: data.getlist(name) if name in kind.many else data.get(name)
            for name in kind.base_fields
            if name in data
        }
        if step == "whom" and "emails" in data:
            initial["with_sub_units"] = "with_sub_units" in data
        form = kind(initial=initial, officer=me)
    chosen = []
    if step == "whom":
        chosen = list(people_served(me).filter(pk__in=plain_ids(data.getlist("people"), MOST_CHOSEN)))
    context = {
        "form": form.ask(),
        "step": step,
        "step_number": STEPS.index(step) + 1,
        "step_words": [str(words) for words in STEP_WORDS],
        "carried": _carried(data, step),
        "chosen": chosen,
        "list_name": data.get("list_name", "")[: lists.MAX_NAME] if step == "whom" else "",
        "token": uuid4(),
        "repeats": step == "when" and bool(form["repeat_months"].value() or form["repeat_months"].errors),
        "rule_query": urlencode([(name, value) for name in FORMS["what"].base_fields for value in data.getlist(name)]),
    }
    return render(request, "learning/assign.html", context, status=200 if complaining is None else 422)


# --- Batches -------------------------------------------------------------------------------------------------------
def _batch(request: HttpRequest, pk: int) -> AssignmentBatch:
    """A batch of this officer, as it stands: one whose job has given up says so."""
    officer = hr_officer(request)
    if as_id(pk) is None:
        raise Http404
    return batches.settle(get_object_or_404(batches.batches_visible_to(officer), pk=pk))


@require_GET
def batch_list(request: HttpRequest) -> HttpResponse:
    """What was assigned by whom, what waits for a decision, and what can still be taken back?"""
    officer = hr_officer(request)
    found = batches.batches_visible_to(officer).defer("whom")
    page = Paginator(found, BATCHES_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "page_of_batches": page,
        "rows": batch_rows(list(page.object_list)),
        "sees_all": officer.is_superuser,
    }
    return render(request, "learning/batch_list.html", context)


def batch_rows(found: list[AssignmentBatch]) -> list[dict[str, Any]]:
    """Batches for a list: what was asked, numbers, state, and until when they can be taken back."""
    asked = batch_words.asked_of_batches(found)
    rows = []
    for batch in map(batches.settle, found):
        kind, words = batch_words.STATES[batch.status]
        until = batches.undo_until(batch)
        rows.append(
            {
                "batch": batch,
                "asked": asked[batch.pk],
                "figures": batch_words.figures_of(batch) if batch.counted_at else [],
                "state": (kind, str(words)),
                "undo_until": until
                if batch.status == BatchStatus.APPLIED and until and until > timezone.now()
                else None,
            }
        )
    return rows


@require_GET
def batch(request: HttpRequest, pk: int) -> HttpResponse:
    """The dry run to decide on, the work under way, or the report of what was done."""
    row = _batch(request, pk)
    show, rows = _rows(row, request.GET.get("show", ""))
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    gains = row.counts.get(RowOutcome.GAINS, 0)
    changing = sum(row.counts.get(outcome, 0) for outcome in CHANGING)
    is_ready = row.status == BatchStatus.READY
    asked = batch_words.asked_of_batches([row])[row.pk]
    context = {
        "batch": row,
        "asked": asked,
        "whom": batch_words.whom_words(row),
        "figures": batch_words.figures_of(row) if row.counted_at else [],
        "report": batch_words.report_of(row),
        "gains": gains,
        "changing": changing,
        "show": show,
        "page_of_rows": page,
        "rows": list(batch_words.row_views(page.object_list)),
        "is_working": row.status in WORKING,
        "is_reported": row.applied_at is not None or row.undone_at is not None,
        "can_apply": batches.can_apply(row),
        "undo_until": batches.undo_until(row) if batches.can_undo(row) else None,
        "undo_days": UNDO_DAYS,
        "unrealistic": row.counts.get("reasons", {}).get("unrealistic", 0),
        "others_late": row.counts.get("reasons", {}).get("others_late", 0),
        "realistic_day": _realistic_day(row) if is_ready else None,
        "served": {name: row.counts.get(name, 0) for name in ("required", "unserved", "half_served")},
        "stale_rows": _stale_rows(row),
        "stale_people": _stale_people(row),
        "weekly_minutes": settings.WEEKLY_LEARNING_MINUTES,
        "step_words": _step_links(row),
        "token": uuid4(),
        "heading": _heading(row, show),
        "change_whom": f"{reverse('assign')}?batch={row.pk}&go=whom",
        "change_when": f"{reverse('assign')}?batch={row.pk}&go=when",
        "shows": _shows(row),
    }
    partial = request.htmx  # type: ignore[attr-defined]
    return render(request, "learning/partials/_batch.html" if partial else "learning/batch.html", context)


def _step_links(batch: AssignmentBatch) -> list[Any]:
    """The steps, those behind with the way back to them. A rule's batch has none: the rule says what and whom."""
    address = reverse("assign")
    return [
        *(
            (str(words), f"{address}?batch={batch.pk}&go={step}")
            for step, words in zip(STEPS, STEP_WORDS, strict=False)
        ),
        str(STEP_WORDS[3]),
    ]


def _heading(batch: AssignmentBatch, show: str) -> str:
    """What the list shows, in words."""
    for figure in batch_words.report_of(batch) if batch.counted_at else []:
        if figure.show == show:
            return f"{figure.number} {figure.words}"
    for figure in batch_words.figures_of(batch) if batch.counted_at else []:
        if figure.show == show:
            said = f"{figure.number} {figure.words}"
            return said if batch.applied_at is None else _("The dry run said: %(what)s") % {"what": said}
    return str(batch_words.REASONS.get(show, "")) or _("All rows")


def _shows(batch: AssignmentBatch) -> list[tuple[str, str]]:
    """What the list can be narrowed to: what there is of outcomes, of things to look at, and of what became of rows."""
    counts = batch.counts
    found = [("all", _("All rows"), counts.get("rows", 0))]
    found += [(o.value, str(o.label), counts.get(o.value, 0)) for o in RowOutcome]
    found += [(r, str(words), counts.get("reasons", {}).get(r, 0)) for r, words in batch_words.REASONS.items()]
    found += [
        (state, str(words), counts.get("states", {}).get(state, 0))
        for state, (_kind, words) in batch_words.ROW_STATES.items()
    ]
    return [(show, f"{words[:1].upper()}{words[1:]} ({number})") for show, words, number in found if number]


def _stale_rows(batch: AssignmentBatch) -> int:
    changed = batch.counts.get("changed", {})
    return sum(changed.get(name, 0) for name in ("came", "went", "differ"))


def _stale_people(batch: AssignmentBatch) -> list[User]:
    """Who of those whose rows differ, by name; the first NAMED_STALE."""
    ids = batch.counts.get("changed", {}).get("people", [])
    return list(User.objects.filter(pk__in=ids).order_by("name", "pk")[:NAMED_STALE]) if ids else []


def _rows(batch: AssignmentBatch, show: str) -> tuple[str, QuerySet[BatchRow]]:
    """The rows that a figure counts, by outcome, reason or state; those who gain where it says nothing we know."""
    if show in RowOutcome.values:
        return show, batches.rows_of(batch, outcome=show)
    if show in batch_words.REASONS:
        return show, batches.rows_of(batch, reason=show)
    if show in batch_words.ROW_STATES:
        return show, batches.rows_of(batch).filter(state=show)
    if show == "all":
        return show, batches.rows_of(batch)
    if not batch.counts.get(RowOutcome.GAINS):
        return "all", batches.rows_of(batch)
    return RowOutcome.GAINS.value, batches.rows_of(batch, outcome=RowOutcome.GAINS)


@require_POST
def batch_apply(request: HttpRequest, pk: int) -> HttpResponse:
    return _act(request, pk, batches.apply_batch)


@require_http_methods(["GET", "HEAD", "POST"])
def batch_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Look at what would be taken back and what stays, then do it."""
    row = _batch(request, pk)
    if request.method == "POST":
        return _act(request, pk, batches.undo_batch)
    if not batches.can_undo(row):
        return redirect("batch", pk=row.pk)
    context = {
        "batch": row,
        "asked": batch_words.asked_of_batches([row])[row.pk],
        "undo_until": batches.undo_until(row),
        "states": {
            outcome: row.rows.filter(outcome=outcome, state="applied").count()
            for outcome in (one.value for one in CHANGING)
        },
    }
    return render(request, "learning/batch_undo.html", context)


@require_POST
def batch_again(request: HttpRequest, pk: int) -> HttpResponse:
    """The same ask once more, for a dry run of today. Pressing twice asks once."""
    row = _batch(request, pk)
    officer = hr_officer(request)
    if row.status in WORKING:
        return redirect("batch", pk=row.pk)
    if row.rule_id is not None:  # its dry run is made on the rule's page, so that applying it starts the rule
        return redirect("rule", pk=row.rule_id)
    try:
        token = f"again:{row.pk}:{as_token(request.POST.get('token', ''))}"
        return redirect("batch", pk=batches.start_again(batch=row, by=officer, token=token).pk)
    except NotOffered as sentence:
        messages.error(request, str(sentence))
        return redirect("batch", pk=row.pk)


@require_POST
def batch_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw a dry run away that nothing came of. Pressing twice is no mistake."""
    hr_officer(request)
    if as_id(pk) is not None and not AssignmentBatch.objects.filter(pk=pk).exists():
        return redirect("batch_list")
    row = _batch(request, pk)
    try:
        batches.discard_batch(batch=row)
    except CannotBeChanged as sentence:
        messages.warning(request, str(sentence))
        return redirect("batch", pk=row.pk)
    messages.success(request, _("The dry run is thrown away. Nothing was assigned."))
    return redirect("batch_list")


def _act(request: HttpRequest, pk: int, act: Any) -> HttpResponse:
    row = _batch(request, pk)
    try:
        act(batch=row, by=hr_officer(request))
    except CannotBeChanged as sentence:
        messages.warning(request, str(sentence))
    return redirect("batch", pk=row.pk)


# --- Downloads -------------------------------------------------------------------------------------------------------
def _table(batch: AssignmentBatch, show: str) -> Iterator[list[str | int]]:
    """Every row with its words, a heading first."""
    yield [
        _("Row in the list"), _("As written"), _("Name"), _("E-mail"), _("What happens"), _("To look at"),
        _("Due so far"), _("Due"), _("Realistic from"), _("Makes this date late"), _("Gaps"), _("Courses"), _("Minutes of learning"),
        _("Minutes added"), _("What became of it"),
    ]  # fmt: skip
    rows = _rows(batch, show or "all")[1]
    for view in batch_words.row_views(rows.iterator(chunk_size=2000)):
        row = view.row
        days = (day.isoformat() if day else "" for day in (row.due_before, row.due_on, row.realistic_on, row.late_on))
        yield [
            row.line or "", row.text, row.person.name if row.person else "", row.person.email if row.person else "",
            view.outcome, "; ".join(view.reasons), *days, row.gaps, row.steps, row.minutes, row.added_minutes,
            view.state[1] if view.state else "",
        ]  # fmt: skip


@require_GET
def batch_csv(request: HttpRequest, pk: int) -> HttpResponse:
    """The rows for a spreadsheet; texts that look like formulas are disarmed."""
    row = _batch(request, pk)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([disarmed(str(cell)) for cell in line] for line in _table(row, request.GET.get("show", "")))
    return _attachment(b"\xef\xbb\xbf" + text.getvalue().encode(), "text/csv; charset=utf-8", row, "csv")


@require_GET
def batch_xlsx(request: HttpRequest, pk: int) -> HttpResponse:
    row = _batch(request, pk)
    packed = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(packed, options)
    sheet = book.add_worksheet()
    bold = book.add_format({"bold": True})
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, 14, 18)
    for number, line in enumerate(_table(row, request.GET.get("show", ""))):
        for column, cell in enumerate(line):
            if isinstance(cell, int):
                sheet.write_number(number, column, cell)
            elif cell:
                sheet.write_string(number, column, marked(cell), bold if number == 0 else None)
    book.close()
    return _attachment(packed.getvalue(), XLSX, row, "xlsx")


def _attachment(content: bytes, kind: str, batch: AssignmentBatch, ending: str) -> HttpResponse:
    title = batch_words.asked_of_batches([batch])[batch.pk].title
    name = slugify(title)[:80] or AssignmentKind(batch.kind).value
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}-{batch.pk}.{ending}"'
    return response
