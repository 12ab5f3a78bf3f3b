"""The change as a page people want to read, and what they do there: confirm, ask, worry aloud, help."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from organisations.ids import as_id
from organisations.models import Unit
from organisations.perms import is_manager_of, signed_in
from readiness import actions, initiatives
from readiness.enums import TeamRole
from readiness.initiatives import JourneyRefused
from readiness.journey_forms import AnswerForm, AskForm, ChampionForm, ConcernForm, DecideConcernForm
from readiness.models import Champion, Concern, Initiative, Participation, Question, ReadConfirmation, Wave
from readiness.perms import initiatives_for, may_run, unit_of, units_managed

QUESTIONS_A_PAGE = 20
ROLE_KEY = "change-role"


def _initiative(request: HttpRequest, slug: str) -> Initiative:
    return get_object_or_404(initiatives_for(request.user).select_related("unit"), slug=slug)


@login_not_required
@require_GET
def initiative_list(request: HttpRequest) -> HttpResponse:
    """Changes under way, and those that are over."""
    found = list(initiatives_for(request.user).select_related("unit"))
    return render(
        request,
        "readiness/initiatives.html",
        {"under_way": [i for i in found if i.status != "ended"], "ended": [i for i in found if i.status == "ended"]},
    )


@login_not_required
@require_GET
def initiative(request: HttpRequest, slug: str) -> HttpResponse:
    """Why, what it means for me, what I can do. Citizens see the change itself, and nobody's name."""
    found = _initiative(request, slug)
    context: dict[str, Any] = {
        "initiative": found,
        "milestones": list(found.milestones.order_by("on", "sort_order")),
        "today": timezone.localdate(),
        "impacts": initiatives.role_impacts_of(found),
        "is_staff_page": request.user.is_authenticated,
    }
    context["mine"] = _chosen_role(request, context["impacts"])
    if request.user.is_authenticated:
        context |= _for_staff(request, found)
    return render(request, "readiness/initiative.html", context)


def _for_staff(request: HttpRequest, found: Initiative) -> dict[str, Any]:
    me = signed_in(request)
    now, day = timezone.now(), timezone.localdate()
    unit = unit_of(me, day)
    questions = Question.objects.filter(initiative=found).select_related("asked_by", "answered_by")
    participation = (
        Participation.objects.filter(person=me, wave__initiative=found, wave__state="open", wave__closes_at__gt=now)
        .select_related("wave")
        .first()
    )
    return {
        "runs": may_run(me, found),
        "has_read": ReadConfirmation.objects.filter(initiative=found, person=me).exists(),
        "participation": participation,
        "last_result": Wave.objects.with_results().filter(initiative=found).order_by("-closes_at").first(),
        "questions": Paginator(questions, QUESTIONS_A_PAGE).get_page(request.GET.get("page")),
        "ask_form": AskForm(),
        "champions": initiatives.champions_near(found, unit),
        "team": list(
            found.team.filter(role__in=[TeamRole.SPONSOR, TeamRole.LEAD]).select_related("person").order_by("pk")
        ),
        "actions": list(actions.actions_of_line(found, unit)[:10]) if unit else [],
    }


def _chosen_role(request: HttpRequest, impacts: list[Any]) -> Any:
    """The role she has chosen here, else one that is hers; remembered for the next change."""
    wanted = as_id(request.GET.get("role", ""))
    by_profile = {impact.profile_id: impact for impact in impacts}
    if wanted in by_profile:
        if request.user.is_authenticated:
            request.session[ROLE_KEY] = wanted
        return by_profile[wanted]
    if not impacts or not request.user.is_authenticated:
        return None
    kept = request.session.get(ROLE_KEY)
    if kept in by_profile:
        return by_profile[kept]
    own = initiatives.own_profiles(signed_in(request), timezone.localdate())
    return next((impact for impact in impacts if impact.profile_id in own), None)


@require_POST
def initiative_read(request: HttpRequest, slug: str) -> HttpResponse:
    found = _initiative(request, slug)
    initiatives.confirm_reading(initiative=found, by=signed_in(request))
    messages.success(request, _("Noted. Is something unclear? Ask: everybody reads the answer."))
    return redirect("initiative", slug)


@require_POST
def question_ask(request: HttpRequest, slug: str) -> HttpResponse:
    me, found = signed_in(request), _initiative(request, slug)
    form = AskForm(request.POST)
    if form.is_valid():
        try:
            question = initiatives.ask_question(
                initiative=found, text=form.cleaned_data["text"], by=me, anonymously=form.cleaned_data["anonymously"],
                token=form.cleaned_data["token"] or uuid4(),
            )  # fmt: skip
        except JourneyRefused as refused:
            messages.error(request, str(refused))
        else:
            values = {"day": formats.date_format(question.due_on, "DATE_FORMAT")}
            messages.success(request, _("Your question stands below. It is answered by %(day)s.") % values)
    else:
        messages.error(request, _("Write your question."))
    return redirect(f"/changes/{slug}/#questions")


@require_http_methods(["GET", "HEAD", "POST"])
def question_answer(request: HttpRequest, pk: UUID) -> HttpResponse:
    me = signed_in(request)
    question = get_object_or_404(Question.objects.select_related("initiative__unit", "asked_by"), pk=pk)
    if not may_run(me, question.initiative):
        raise Http404
    form = AnswerForm(request.POST if request.method == "POST" else None, initial={"answer": question.answer})
    if form.is_valid():
        try:
            initiatives.answer_question(question=question, answer=form.cleaned_data["answer"], by=me)
        except JourneyRefused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("Answered, for everybody to read."))
            return redirect(f"/changes/{question.initiative.slug}/#questions")
    context = {"question": question, "form": form}
    return render(request, "readiness/question_answer.html", context, status=422 if form.errors else 200)


# --- Concerns and champions ------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def concerns(request: HttpRequest, slug: str) -> HttpResponse:
    """What people worry about, by unit and kind, and what became of it."""
    me, found = signed_in(request), _initiative(request, slug)
    units = _units_to_speak_for(me, found)
    rows = list(initiatives.concerns_for(me, found))
    if not units.exists() and not rows:
        raise Http404
    form = ConcernForm(request.POST if request.method == "POST" else None, units=units)
    if form.is_valid():
        data = form.cleaned_data
        try:
            made = initiatives.raise_concern(
                initiative=found, unit=data["unit"], kind=data["kind"], text=data["text"], by=me
            )
        except JourneyRefused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("Noted for %(unit)s.") % {"unit": made.unit})
            return redirect("concerns", slug)
    context = {
        "initiative": found,
        "concerns": rows,
        "form": form if units.exists() else None,
        "runs": may_run(me, found),
    }
    return render(request, "readiness/concerns.html", context, status=422 if form.errors else 200)


def _units_to_speak_for(user: Any, found: Initiative) -> Any:
    units = Unit.objects.filter(path__startswith=found.unit.path).order_by("path")
    if may_run(user, found):
        return units
    own = set(Champion.objects.agreed().filter(initiative=found, person=user).values_list("unit_id", flat=True))
    own |= {unit.pk for unit in units_managed(user)}
    return units.filter(pk__in=own)


@require_http_methods(["GET", "HEAD", "POST"])
def concern_decide(request: HttpRequest, pk: int) -> HttpResponse:
    me = signed_in(request)
    concern = get_object_or_404(Concern.objects.select_related("initiative__unit", "unit"), pk=pk)
    if not may_run(me, concern.initiative):
        raise Http404
    initial = {"decision": concern.decision, "answer": concern.answer}
    form = DecideConcernForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            initiatives.decide_concern(concern=concern, by=me, **form.cleaned_data)
        except JourneyRefused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("Decided."))
            return redirect("concerns", concern.initiative.slug)
    return render(
        request, "readiness/concern_decide.html", {"concern": concern, "form": form}, status=422 if form.errors else 200
    )


@require_http_methods(["GET", "HEAD", "POST"])
def champions(request: HttpRequest, slug: str) -> HttpResponse:
    """Who helps, how far that reaches, and for managers whose hours they are asked for."""
    me, found = signed_in(request), _initiative(request, slug)
    runs = may_run(me, found)
    rows = list(Champion.objects.filter(initiative=found).select_related("person", "unit"))
    asked = [row for row in rows if not row.manager_agreed and is_manager_of(me, row.person)]
    form = ChampionForm(request.POST if request.method == "POST" else None) if runs else None
    if request.method == "POST" and form is None:
        raise Http404
    if form is not None and form.is_valid():
        try:
            initiatives.propose_champion(
                initiative=found,
                person=form.cleaned_data["person"],
                hours_month=form.cleaned_data["hours_month"],
                by=me,
            )
        except JourneyRefused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("Proposed. The manager agrees to the hours."))
            return redirect("champions", slug)
    context = {
        "initiative": found,
        "champions": [row for row in rows if row.manager_agreed or runs],
        "asked": asked,
        "reach": initiatives.reach_of(found) if runs else None,
        "form": form,
    }
    return render(request, "readiness/champions.html", context, status=422 if form is not None and form.errors else 200)


@require_POST
def champion_decide(request: HttpRequest, pk: int) -> HttpResponse:
    me = signed_in(request)
    champion = get_object_or_404(Champion.objects.select_related("initiative", "person"), pk=pk)
    if not is_manager_of(me, champion.person):
        raise Http404
    slug, agreed = champion.initiative.slug, request.POST.get("agreed") == "yes"
    initiatives.decide_champion(champion=champion, agreed=agreed, by=me)
    messages.success(
        request, _("Agreed to the hours.") if agreed else _("Refused; the change team asks somebody else.")
    )
    return redirect("champions", slug)
