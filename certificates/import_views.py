"""Doors for a badge from elsewhere: hand it in, read what was found, say what it shows."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from certificates import importing
from certificates.import_forms import BadgeForm, CompetencyForm, ShowsForm
from certificates.import_words import STANDINGS, words_of
from certificates.importing import BadgeRefused
from certificates.models import ImportedBadge
from competencies import assessors
from competencies.claims import ClaimRefused
from competencies.documents import DocumentRefused, takes_documents
from competencies.withdrawn import competency_in_use, says_not_in_use
from organisations.ids import as_id
from organisations.perms import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
@takes_documents
def import_badge(request: HttpRequest) -> HttpResponse:
    """I hand in a badge; it is checked at once."""
    me = signed_in(request)
    form = BadgeForm(request.POST, request.FILES) if request.method == "POST" else BadgeForm()
    context: dict[str, Any] = {"form": form, "working_days": assessors.WORKING_DAYS}
    if form.is_valid():
        try:
            badge = importing.check_badge(person=me, data=form.cleaned_data["badge"].read(importing.MAX_BYTES + 1))
        except BadgeRefused as error:
            if error.standing is None:
                form.add_error("badge", str(error))
            else:
                mark, title, sentence = STANDINGS[error.standing]
                form.add_error("badge", _("Choose another file."))
                context["refused"] = {"mark": mark, "title": title, "sentence": sentence}
        else:
            return redirect("imported_badge", pk=badge.pk)
    return render(request, "certificates/import_badge.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@says_not_in_use
def imported_badge(request: HttpRequest, pk: int) -> HttpResponse:
    """What was found, and what it shows: first the competency, then the level. Sent off, it is a claim."""
    me = signed_in(request)
    badge = get_object_or_404(ImportedBadge.objects.filter(person=me), pk=pk)
    if badge.claim_id is not None:
        return redirect("my_claim", pk=badge.claim_id)
    said = importing.facts(badge)
    context: dict[str, Any] = {
        "badge": badge,
        "said": said,
        "found": words_of(badge),
        "due_on": assessors.answer_due_on(timezone.localdate()),
    }
    chosen = request.GET.get("competency", "")
    if request.method == "POST" or as_id(chosen) is not None:
        competency = competency_in_use(as_id(chosen) or 0)
        form = ShowsForm(request.POST if request.method == "POST" else None, competency=competency)
        context |= {"form": form, "competency": competency}
        if form.is_valid():
            try:
                claim = importing.claim_badge(
                    badge=badge,
                    by=me,
                    competency=competency,
                    rank=form.rank_given,
                    statement=form.cleaned_data["statement"],
                )
            except (BadgeRefused, ClaimRefused, DocumentRefused) as error:
                form.add_error(
                    "rank" if getattr(error, "field", "") == "rank" and "rank" in form.fields else None, str(error)
                )
            else:
                messages.success(request, _("Submitted: “%(title)s”.") % {"title": claim.title})
                return redirect("my_claim", pk=claim.pk)
        return render(request, "certificates/imported_badge.html", context, status=422 if form.errors else 200)
    suggestions = importing.suggestions_for(me, said)
    choice = CompetencyForm(request.GET if "competency" in request.GET else None, suggestions=suggestions)
    context |= {"choice": choice, "some": bool(suggestions)}
    return render(request, "certificates/imported_badge.html", context, status=422 if choice.errors else 200)
