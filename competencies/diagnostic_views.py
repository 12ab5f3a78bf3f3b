"""Doors to one's own diagnostics. Nobody else comes in: managers and HR see the level on its page, never an answer."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from competencies import diagnosing, selectors
from competencies.models import Competency, Diagnostic
from competencies.services import is_in_use
from competencies.views import courses_above
from competencies.withdrawn import NotInUse, readable_competency, says_not_in_use
from organisations.ids import as_id
from organisations.perms import signed_in

DONT_KNOW = "unknown"


@says_not_in_use
def diagnostic_start(request: HttpRequest, competency_id: int) -> HttpResponse:
    """What a diagnostic is, how long it takes, what it can do and who sees what; then it begins or goes on."""
    me = signed_in(request)
    competency = readable_competency(competency_id)
    begun = diagnosing.open_diagnostic(me, competency)
    if begun is None and not is_in_use(competency):
        raise NotInUse(competency)
    bank = begun.bank if begun is not None else diagnosing.bank_for(competency)
    if bank is None:
        raise Http404
    refused = ""
    if request.method == "POST":
        try:
            started = diagnosing.start_diagnostic(person=me, bank=bank)
        except diagnosing.DiagnosticRefused as error:
            refused = str(error)
        else:
            return redirect("diagnostic", pk=started.pk)
    about = diagnosing.about(me, bank, as_of=timezone.localdate())
    if not refused and begun is None:
        try:
            diagnosing.check_may_begin(me, bank, as_of=timezone.localdate())
            diagnosing.check_stock(about.stock)
        except diagnosing.DiagnosticRefused as error:
            refused = str(error)
    context = {
        "competency": competency,
        "begun": begun,
        "about": about,
        "refused": refused,
        "latest": diagnosing.latest_result(me, competency),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "competencies/diagnostic_start.html", context, status=status)


def diagnostic(request: HttpRequest, pk: int) -> HttpResponse:
    """One question a page. What is answered is saved at once; a reload shows the question that is open."""
    row = _own(request, pk)
    error = ""
    if request.method == "POST":
        position, given = as_id(request.POST.get("position", "")), request.POST.get("option", "")
        option = as_id(given)
        if not given:
            error = _("Choose an answer, or “I don’t know”.")
        elif position is None or (option is None and given != DONT_KNOW):
            error = _("Choose one of the answers to this question.")
        else:
            try:
                row = diagnosing.answer_question(diagnostic=row, position=position, option=option)
            except diagnosing.DiagnosticRefused as refused:
                messages.warning(request, str(refused))
            return redirect(_address(row))
    question = diagnosing.current_question(row)
    if question is None:
        return redirect("diagnostic_result", pk=row.pk)
    context = {"diagnostic": row, "question": question, "dont_know": DONT_KNOW, "error": error}
    return render(request, "competencies/diagnostic.html", context, status=422 if error else 200)


@require_POST
def diagnostic_stop(request: HttpRequest, pk: int) -> HttpResponse:
    row = diagnosing.stop_diagnostic(diagnostic=_own(request, pk))
    return redirect("diagnostic_result", pk=row.pk)


@require_GET
def diagnostic_result(request: HttpRequest, pk: int) -> HttpResponse:
    """The level and how sure it is, what it changed, and every question with the answer and why: not where it was stopped."""
    row = _own(request, pk)
    if row.finished_at is None:
        return redirect("diagnostic", pk=row.pk)
    result = diagnosing.result_of(row)
    competency = row.bank.competency
    standing = selectors.standing_of(row.person)
    in_force = competency
    if not competency.version.is_published:
        in_force = Competency.objects.select_related("version__framework").get(
            pk=selectors.competency_in_force(competency)
        )
    now = selectors.explained_level(row.person, in_force)
    context: dict[str, Any] = {
        "diagnostic": row,
        "result": result,
        "again_on": timezone.localdate(row.finished_at) + diagnosing.NOT_OFFERED_FOR,
        "competency": competency,
        "required": next(
            (line.required for line in standing.lines if line.competency.lineage == competency.lineage), None
        ),
        "courses": courses_above(in_force, now.level.rank),
    }
    return render(request, "competencies/diagnostic_result.html", context)


def _own(request: HttpRequest, pk: int) -> Diagnostic:
    return get_object_or_404(diagnosing.diagnostics_of(signed_in(request)).select_related("person"), pk=pk)


def _address(row: Diagnostic) -> str:
    return reverse("diagnostic_result" if row.finished_at is not None else "diagnostic", args=[row.pk])
