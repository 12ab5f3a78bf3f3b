"""Doors to panels and to results of quizzes."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from competencies import panel_rating, quizzes, selectors, services, wording
from competencies.assessors import can_decide
from competencies.contest_forms import AskPanelForm, QuizForm, RateForm
from competencies.models import Competency, Panel
from competencies.panels import FEWEST
from competencies.searching import clean_query
from competencies.withdrawn import competency_in_use, says_not_in_use
from organisations.ids import as_id
from organisations.models import User
from organisations.perms import signed_in


def _person_and_competency(request: HttpRequest, person_id: int, competency_id: int) -> tuple[User, User, Competency]:
    """Who asks, about whom, in what; 404 for people one may not see and competencies there are not."""
    me = signed_in(request)
    person = User.objects.filter(pk=person_id, is_active=True).first()
    if person is None or not (User.objects.visible_to(me).filter(pk=person_id).exists() or can_decide(me, person)):
        raise Http404
    competency = competency_in_use(competency_id)
    return me, person, competency


@says_not_in_use
def ask_panel(request: HttpRequest, person_id: int, competency_id: int) -> HttpResponse:
    """Whom to ask, what to look at, until when. Without script, "look for" comes back with what was chosen."""
    me, person, competency = _person_and_competency(request, person_id, competency_id)
    if not panel_rating.may_ask_panel(me, person):
        raise PermissionDenied(_("Only the person’s manager or HR officer asks a panel."))
    eligible = panel_rating.people_to_ask(me, person)
    query = clean_query(request.POST.get("q", ""))
    given = [pk for pk in map(as_id, request.POST.getlist("members")) if pk is not None]
    chosen = list(eligible.filter(pk__in=given))
    found = eligible.exclude(pk__in=[p.pk for p in chosen])
    if query:
        found = found.filter(Q(name__icontains=query) | Q(email__icontains=query))
    suggested = list(found[: panel_rating.SHOWN_TO_CHOOSE + 1])
    more = len(suggested) > panel_rating.SHOWN_TO_CHOOSE
    shown = [*chosen, *suggested[: panel_rating.SHOWN_TO_CHOOSE]]
    searching = request.method == "POST" and request.POST.get("do") == "search"
    if searching:
        initial = {name: request.POST.get(name, "") for name in ("q", "subject", "due_on", "token")}
        form = AskPanelForm(initial=initial | {"members": [p.pk for p in chosen]}, eligible=eligible, shown=shown)
    else:
        form = AskPanelForm(request.POST or None, eligible=eligible, shown=shown)
    if request.method == "POST" and not searching and form.is_valid():
        try:
            panel = panel_rating.ask_panel(
                person=person,
                competency=competency,
                members=form.cleaned_data["members"],
                due_on=form.cleaned_data["due_on"],
                subject=form.cleaned_data["subject"],
                token=form.cleaned_data["token"],
                by=me,
            )
        except panel_rating.PanelRefused as error:
            form.add_error("members", str(error))
        else:
            messages.success(
                request, _("Asked. You see here who has rated; the ratings show once the panel is closed.")
            )
            return redirect("panel", pk=panel.pk)
    explained = selectors.explained_level(person, competency)
    context = {
        "form": form,
        "person": person,
        "competency": competency,
        "explained": explained,
        "sentence": wording.level_sentence(explained.level, explained.required, explained.scale, own=False),
        "query": query if searching else "",
        "found": len(suggested),
        "more": more,
    }
    return render(request, "competencies/ask_panel.html", context, status=422 if form.errors else 200)


def panel(request: HttpRequest, pk: int) -> HttpResponse:
    """A member rates or declines; who asked follows it, closes it or calls it off: then its ratings stay unseen, as before it closes."""
    me = signed_in(request)
    row = get_object_or_404(panel_rating.panels_visible_to(me), pk=pk)
    ratings = list(row.ratings.select_related("assessor").order_by("assessor__name", "pk"))
    mine = next((rating for rating in ratings if rating.assessor_id == me.pk), None)
    leads = row.asked_by_id == me.pk or me.is_superuser
    asked_to_rate = mine is not None and mine.rated_at is None and mine.declined_at is None and row.closed_at is None
    do = request.POST.get("do", "rate") if request.method == "POST" else ""
    form = (
        RateForm(request.POST if do == "rate" else None, competency=row.competency, person=row.person)
        if asked_to_rate
        else None
    )
    if request.method == "POST" and do != "rate":
        return _act_on_panel(request, row, me, do)
    if request.method == "POST" and mine is None:
        messages.error(request, _("You are not on this panel."))
        return redirect("panel", pk=row.pk)
    if request.method == "POST" and form is None:
        messages.info(request, _("Nothing was written: you have answered already, or the panel is closed."))
        return redirect("panel", pk=row.pk)
    if form is not None and request.method == "POST" and form.is_valid():
        try:
            panel_rating.rate_on_panel(panel=row, by=me, rank=form.cleaned_data["rank"], note=form.cleaned_data["note"])
        except panel_rating.PanelRefused as error:
            form.add_error("rank", str(error))
        else:
            row.refresh_from_db(fields=["closed_at"])
            messages.success(
                request,
                _("Saved. Thank you: your rating counts once the panel is closed.")
                if row.closed_at is None
                else _("Saved. Thank you: yours was the last rating, and the panel is closed."),
            )
            return redirect("panel", pk=row.pk)
    rated = sum(rating.rated_at is not None for rating in ratings)
    scale = selectors.scales_of([row.competency.version_id])[row.competency.version_id]
    is_past = timezone.localdate() > row.due_on
    shows_ratings = row.closed_at is not None and not row.called_off
    context = {
        "panel": row,
        "competency": row.competency,
        "ratings": [
            {
                "rating": rating,
                "level": wording.level_words(rating.rank, scale) if shows_ratings and rating.rank is not None else "",
                "note": rating.note if shows_ratings and leads else "",
            }
            for rating in ratings
        ],
        "mine": mine,
        "my_level": wording.level_words(mine.rank, scale) if mine is not None and mine.rank is not None else "",
        "leads": leads,
        "form": form,
        "rated": rated,
        "total": len(ratings),
        "is_past": is_past,
        "can_close": leads and row.closed_at is None and is_past and rated >= FEWEST,
        "result": wording.level_words(row.evidence.rank, scale) if row.evidence is not None else "",
        "too_few": rated < FEWEST,
    }
    return render(request, "competencies/panel.html", context, status=422 if form is not None and form.errors else 200)


def _act_on_panel(request: HttpRequest, row: Panel, me: User, do: str) -> HttpResponse:
    try:
        if do == "decline":
            panel_rating.decline_panel(panel=row, by=me)
            messages.success(request, _("You have declined. Who asked sees that."))
        elif do == "close":
            panel_rating.close_panel(panel=row, by=me)
            messages.success(request, _("The panel is closed."))
        elif do == "call_off":
            panel_rating.call_off_panel(panel=row, by=me)
            messages.success(request, _("The panel is called off. Nothing was recorded."))
    except panel_rating.PanelRefused as error:
        messages.error(request, str(error))
    return redirect("panel", pk=row.pk)


@says_not_in_use
def record_quiz(request: HttpRequest, person_id: int, competency_id: int) -> HttpResponse:
    """A quiz at a level, passed or not: it attains nothing by itself and moves what is likely."""
    me, person, competency = _person_and_competency(request, person_id, competency_id)
    if not quizzes.may_record_quiz(me, person):
        raise PermissionDenied(_("Only the person’s manager or an assessor records a quiz."))
    visible = (
        User.objects.visible_to(me).filter(pk=person.pk).exists()
    )  # an assessor may serve people she does not lead
    back = reverse("level_of", args=[person.pk, competency.pk]) if visible else ""
    form = QuizForm(request.POST or None, competency=competency)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            quizzes.record_quiz(
                person=person,
                competency=competency,
                rank=data["rank"],
                passed=data["passed"],
                title=data["title"],
                on=data["on"],
                token=data["token"],
                by=me,
            )
        except services.EvidenceRefused as error:
            form.add_error("rank", str(error))
        else:
            messages.success(request, _("Saved: the quiz of %(name)s.") % {"name": person})
            return redirect(back or reverse("record_quiz", args=[person.pk, competency.pk]))
    explained = selectors.explained_level(person, competency)
    context = {
        "form": form,
        "person": person,
        "competency": competency,
        "back": back,
        "explained": explained,
        "sentence": wording.level_sentence(explained.level, explained.required, explained.scale, own=False),
    }
    return render(request, "competencies/record_quiz.html", context, status=422 if form.errors else 200)
