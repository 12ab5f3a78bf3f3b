"""Doors to the rules of attainment: everybody reads them, stewards write and publish the next edition."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from competencies import rulemaking, rules_wording, wording
from competencies.models import Competency, Framework, Rulebook
from competencies.perms import is_steward, steward
from competencies.rulebooks import Book
from competencies.rulemaking import RulesNotPossible
from competencies.rules_forms import RulesForm
from competencies.rules_impact import ask_for_rules_impact
from competencies.selectors import Scale, scales_of
from organisations.ids import as_id
from organisations.models import Job, User
from organisations.perms import signed_in

NAMED_MOST = 50


def _in_words(book: Book) -> dict[str, Any]:
    return {
        "sentences": rules_wording.book_words(book),
        "parameters": rules_wording.parameter_words(book.parameters),
    }


@require_GET
def rules(request: HttpRequest) -> HttpResponse:
    """The rules in force in words, with their editions; frameworks that have rules of their own beside them."""
    me = signed_in(request)
    in_force = rulemaking.rules_in_force()
    chosen = as_id(request.GET.get("framework", ""))
    shown = next((r for r in in_force if r.framework is not None and r.framework.pk == chosen), in_force[0])
    if chosen is not None and shown.framework is None:
        raise Http404
    context = {
        "shown": shown,
        "own": shown.framework is None or shown.row is not None,
        "in_force": in_force,
        "editions": [
            (edition, [rules_wording.change_words(change) for change in edition.changes])
            for edition in rulemaking.editions(shown.framework)
        ],
        "may_write": is_steward(me),
        **_in_words(shown.book),
    }
    return render(request, "competencies/rules.html", context)


@require_GET
def rulebook(request: HttpRequest, pk: int) -> HttpResponse:
    """One edition in words. A draft is read by stewards only."""
    me = signed_in(request)
    row = get_object_or_404(Rulebook.objects.select_related("framework", "published_by", "created_by"), pk=pk)
    may_write = is_steward(me)
    if row.is_draft and not may_write:
        raise Http404
    if row.is_draft:
        changes = rulemaking.changes_of_draft(row)
    else:
        changes = next(e.changes for e in rulemaking.editions(row.framework) if e.row == row)
    context = {
        "rulebook": row,
        "changes": [rules_wording.change_words(change) for change in changes],
        "may_write": may_write,
        **_in_words(rulemaking.book_written(row)),
    }
    return render(request, "competencies/rulebook.html", context)


@require_POST
def rules_draft(request: HttpRequest) -> HttpResponse:
    """Begin the next edition, of one framework's rules or of those for all; where a draft is there already, go to it."""
    me = steward(request)
    framework = None
    if request.POST.get("framework"):
        framework = get_object_or_404(Framework, pk=as_id(request.POST["framework"]) or 0)
    draft = rulemaking.draft_rules(framework=framework, by=me)
    return redirect("rules_edit", pk=draft.pk)


def _draft(pk: int) -> Rulebook:
    draft = get_object_or_404(Rulebook.objects.select_related("framework"), pk=pk)
    if not draft.is_draft:
        raise Http404
    return draft


@require_http_methods(["GET", "HEAD", "POST"])
def rules_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The numbers of a draft."""
    me = steward(request)
    draft = _draft(pk)
    form = RulesForm(request.POST or None, book=rulemaking.book_written(draft), initial={"note": draft.note})
    if request.method == "POST" and form.is_valid():
        try:
            rulemaking.change_rules(rulebook=draft, content=form.content, note=form.cleaned_data["note"], by=me)
        except RulesNotPossible as error:
            form.add_error(None, str(error))
        else:
            return redirect("rules_publish", pk=pk)
    context = {"rulebook": draft, "form": form}
    return render(request, "competencies/rules_edit.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def rules_publish(request: HttpRequest, pk: int) -> HttpResponse:
    """Whose level moves; then the button. What is published is just what was measured, or nothing."""
    me = steward(request)
    row = get_object_or_404(Rulebook.objects.select_related("framework"), pk=pk)
    if not row.is_draft:
        if request.method == "POST":  # pressed twice
            return redirect("rulebook", pk=pk)
        raise Http404
    if request.method == "POST":
        try:
            row = rulemaking.publish_rules(rulebook=row, by=me, seen=request.POST.get("state", ""))
        except RulesNotPossible as error:
            messages.error(request, str(error))
            return redirect("rules_publish", pk=pk)
        messages.success(request, _("The rules are in force. Levels and learning paths are being brought up to date."))
        return redirect("rulebook", pk=pk)
    objections = rulemaking.objections_to_rules(row)
    job = None if objections else ask_for_rules_impact(rulebook=row, by=me, day=timezone.localdate())
    context: dict[str, Any] = {
        "rulebook": row,
        "objections": objections,
        "job": job,
        "changes": [rules_wording.change_words(change) for change in rulemaking.changes_of_draft(row)],
    }
    if job is not None:
        context |= _report(job, me)
    template = (
        "competencies/partials/_rules_impact.html" if request.htmx else "competencies/rules_publish.html"  # type: ignore[attr-defined]
    )
    return render(request, template, context)


def _report(job: Job, viewer: User) -> dict[str, Any]:
    """The job's figures with what they speak of looked up. People are named where the viewer may see them, else counted."""
    report = job.report
    if not report:
        return {"report": None}
    named = {
        person.pk: person
        for person in User.objects.visible_to(viewer)
        .filter(pk__in=[row[0] for row in report["rows"]])
        .only("pk", "name", "known_as", "email")
    }
    ids = {step[0] for step in report["steps"]} | {move[0] for _pk, moves in report["rows"] for move in moves}
    competencies = Competency.objects.select_related("version__framework").in_bulk(ids)
    scales = scales_of({c.version_id for c in competencies.values()})

    def move(competency_id: int, before: int, after: int, rest: int) -> dict[str, Any]:
        competency = competencies[competency_id]
        scale: Scale = scales[competency.version_id]
        return {
            "competency": competency,
            "before": wording.level_words(before, scale),
            "after": wording.level_words(after, scale),
            "up": after > before,
            "rest": rest,
        }

    rows = [
        {"person": named[pk], "moves": [move(*one) for one in moves if one[0] in competencies]}
        for pk, moves in report["rows"]
        if pk in named
    ][:NAMED_MOST]
    return {
        "report": report,
        "steps": [move(*step) for step in report["steps"] if step[0] in competencies],
        "rows": rows,
        "unnamed": report["moved"] - len(rows),
    }


@require_POST
def rules_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw a draft away; pressed twice it is gone already."""
    me = steward(request)
    row = Rulebook.objects.filter(pk=pk).first()
    if row is not None:
        try:
            rulemaking.discard_rules(rulebook=row, by=me)
        except RulesNotPossible as error:
            messages.error(request, str(error))
            return redirect("rulebook", pk=pk)
        messages.success(request, _("The draft is gone. The rules in force are as they were."))
    return redirect("rules")
