"""The change as a page people want to read, and what they do there: confirm, ask, worry aloud, help."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from organisations.ids import as_id
from organisations.models import Unit, User
from organisations.perms import signed_in
from readiness import actions, initiatives, nudging
from readiness.enums import InitiativeStatus
from readiness.guarding import surveys_to_guard
from readiness.initiatives import JourneyRefused
from readiness.journey_forms import AnswerForm, AskForm, ChampionForm, ConcernForm, DecideConcernForm, NudgesForm
from readiness.models import (
    Champion,
    Concern,
    Initiative,
    Nudge,
    Participation,
    Question,
    ReadConfirmation,
    RoleImpact,
    Wave,
)
from readiness.perms import RUNNING_ROLES, initiatives_for, may_run, unit_of, units_managed

QUESTIONS_A_PAGE = 20
ACTIONS_SHOWN = 6
ROLE_KEY = "change-role"
# Of a large organisation the change team chooses among the units near the top.
LEVELS_TO_CHOOSE = 2


def _initiative(request: HttpRequest, slug: str) -> Initiative:
    return get_object_or_404(initiatives_for(request.user).select_related("unit"), slug=slug)


def _of_staff(request: HttpRequest, slug: str) -> tuple[User, Initiative]:
    """Who asks and the change, where it is hers; Http404 for who reads it as a citizen."""
    me, found = signed_in(request), _initiative(request, slug)
    if not initiatives.is_concerned(me, found, unit_of(me)):
        raise Http404
    return me, found


# --- Reading ---------------------------------------------------------------------------------------------------------
@login_not_required
@require_GET
def initiative_list(request: HttpRequest) -> HttpResponse:
    """Changes under way, and those that are over."""
    found = list(initiatives_for(request.user).select_related("unit").order_by("-starts_on", "pk"))
    read = set()
    if request.user.is_authenticated:
        read = set(ReadConfirmation.objects.filter(person=request.user).values_list("initiative_id", flat=True))
    context = {
        "groups": [(status.label, [i for i in found if i.status == status]) for status in _AS_LISTED],
        "read": read,
        "nothing": not found,
        "today": timezone.localdate(),
    }
    return render(request, "readiness/initiatives.html", context)


_AS_LISTED = (InitiativeStatus.DRAFT, InitiativeStatus.PUBLISHED, InitiativeStatus.ENDED)


@login_not_required
@require_GET
def initiative(request: HttpRequest, slug: str) -> HttpResponse:
    """Why, what it means for me, what I can do. Citizens see the change itself, and nobody's name."""
    return _page(request, _initiative(request, slug))


def _page(request: HttpRequest, found: Initiative, ask_form: AskForm | None = None) -> HttpResponse:
    day = timezone.localdate()
    unit = unit_of(request.user, day)
    impacts = initiatives.role_impacts_of(found)
    context: dict[str, Any] = {
        "initiative": found,
        "timeline": initiatives.timeline_of(found, day),
        "needs": list(found.needs.select_related("competency", "level", "profile__role").order_by("by", "pk")),
        "today": day,
        "impacts": impacts,
        "mine": _chosen_roles(request, impacts),
        "is_staff_page": initiatives.is_concerned(request.user, found, unit),
        "is_under_way": found.status == InitiativeStatus.PUBLISHED,
    }
    if context["is_staff_page"]:
        context |= _for_staff(request, found, unit)
        context["ask_form"] = ask_form or AskForm()
        context["minutes"] = initiatives.reading_minutes(found, context["mine"])
    else:
        context["sponsor_posts"] = initiatives.posts_of_sponsors(found, day)
    return render(request, "readiness/initiative.html", context, status=422 if ask_form is not None else 200)


def _for_staff(request: HttpRequest, found: Initiative, unit: Unit | None) -> dict[str, Any]:
    me = signed_in(request)
    now, day = timezone.now(), timezone.localdate()
    questions = Question.objects.filter(initiative=found).select_related("asked_by", "answered_by")
    page = Paginator(questions, QUESTIONS_A_PAGE).get_page(request.GET.get("page"))
    participation = (
        Participation.objects.filter(person=me, wave__in=Wave.objects.answerable(now).filter(initiative=found))
        .select_related("wave")
        .order_by("wave__closes_at", "pk")
        .first()
    )
    shown = list(actions.actions_of_line(found, unit, day)[:ACTIONS_SHOWN]) if unit is not None else []
    return {
        "runs": may_run(me, found),
        "to_guard": surveys_to_guard(me, found, now),
        "has_read": ReadConfirmation.objects.filter(initiative=found, person=me).exists(),
        "participation": participation,
        "touched": initiatives.impact_for(found, unit),
        "last_result": Wave.objects.with_results().filter(initiative=found).order_by("-closes_at").first(),
        "questions": [(question, question.days_waiting(day), question.is_overdue(day)) for question in page],
        "page_of_questions": page,
        "waiting": initiatives.waiting_of(found, day),
        "champions": initiatives.champions_near(found, unit),
        "team": list(found.team.filter(role__in=RUNNING_ROLES).select_related("person").order_by("-role", "pk")),
        "actions": [(action, action.is_overdue(day)) for action in shown],
        "speaks": bool(_units_to_speak_for(me, found)[:1]),
    }


def _chosen_roles(request: HttpRequest, impacts: list[RoleImpact]) -> list[RoleImpact]:
    """The role she has chosen here, else all that are hers; the choice is remembered for the next change."""
    if "role" in request.GET and not request.GET["role"] and request.user.is_authenticated:
        request.session.pop(ROLE_KEY, None)
    wanted = as_id(request.GET.get("role", ""))
    by_profile = {impact.profile_id: impact for impact in impacts}
    if wanted in by_profile:
        # Nobody who only reads gets a session.
        if request.user.is_authenticated:
            request.session[ROLE_KEY] = wanted
        return [by_profile[wanted]]
    if not impacts or not request.user.is_authenticated:
        return []
    kept = request.session.get(ROLE_KEY)
    if kept in by_profile:
        return [by_profile[kept]]
    return initiatives.own_impacts(signed_in(request), impacts, timezone.localdate())


@require_POST
def initiative_read(request: HttpRequest, slug: str) -> HttpResponse:
    me, found = _of_staff(request, slug)
    try:
        initiatives.confirm_reading(initiative=found, by=me)
    except JourneyRefused as refused:
        messages.info(request, str(refused))
    else:
        messages.success(request, _("Noted. Is something unclear? Ask: everybody reads the answer."))
    return redirect("initiative", slug)


# --- Asking ----------------------------------------------------------------------------------------------------------
@require_POST
def question_ask(request: HttpRequest, slug: str) -> HttpResponse:
    me, found = _of_staff(request, slug)
    form = AskForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form)
    data = form.cleaned_data
    try:
        question = initiatives.ask_question(
            initiative=found, text=data["text"], by=me, anonymously=data["anonymously"], token=data["token"] or uuid4()
        )
    except JourneyRefused as refused:
        form.add_error(None, str(refused))
        return _page(request, found, form)
    values = {"day": formats.date_format(question.due_on, "DATE_FORMAT")}
    messages.success(request, _("Your question stands below. It is answered by %(day)s.") % values)
    return redirect(f"{reverse('initiative', args=[slug])}#messages")


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
            return redirect(f"{reverse('initiative', args=[question.initiative.slug])}#messages")
    day = timezone.localdate()
    context = {
        "question": question,
        "form": form,
        "days": question.days_waiting(day),
        "is_overdue": question.is_overdue(day),
    }
    return render(request, "readiness/question_answer.html", context, status=422 if form.errors else 200)


# --- Concerns --------------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def concerns(request: HttpRequest, slug: str) -> HttpResponse:
    """What people worry about, by kind, and what became of it."""
    me, found = _of_staff(request, slug)
    units = _units_to_speak_for(me, found)
    rows = list(initiatives.concerns_for(me, found))
    speaks = found.status == InitiativeStatus.PUBLISHED and units.exists()
    if not speaks and not rows and not may_run(me, found):
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
            if made.unit_id == data["unit"].pk:
                messages.success(request, _("Noted for %(unit)s.") % {"unit": made.unit})
            else:
                sentence = _("Fewer than ten people work in %(small)s: noted for %(unit)s instead.")
                messages.success(request, sentence % {"small": data["unit"], "unit": made.unit})
            return redirect("concerns", slug)
    context = {
        "initiative": found,
        "kinds": initiatives.by_kind(rows),
        "total": len(rows),
        "form": form if speaks else None,
        "runs": may_run(me, found),
    }
    return render(request, "readiness/concerns.html", context, status=422 if form.errors else 200)


def _units_to_speak_for(user: User, found: Initiative) -> QuerySet[Unit]:
    """Units whose concerns this person may tell: her own as champion, those she leads and right below, all for the team."""
    units = Unit.objects.filter(path__startswith=found.unit.path).order_by("path")
    if may_run(user, found):
        return units.filter(depth__lte=found.unit.depth + LEVELS_TO_CHOOSE)
    mine = Champion.objects.agreed().filter(initiative=found, person=user).values("unit_id")
    own = units.filter(pk__in=mine)
    for unit in units_managed(user):
        own |= units.filter(path__startswith=unit.path, depth__lte=max(unit.depth, found.unit.depth) + LEVELS_TO_CHOOSE)
    return own.distinct()


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


# --- Champions -------------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def champions(request: HttpRequest, slug: str) -> HttpResponse:
    """Who helps, how far that reaches, and for managers whose hours they are asked for."""
    me, found = _of_staff(request, slug)
    day = timezone.localdate()
    runs = may_run(me, found)
    if request.method == "POST" and not runs:
        raise Http404
    form = ChampionForm(request.POST if request.method == "POST" else None) if runs else None
    if form is not None and form.is_valid():
        try:
            initiatives.propose_champion(
                initiative=found,
                person=form.cleaned_data["person"],
                hours_month=form.cleaned_data["hours_month"],
                by=me,
            )
        except JourneyRefused as refused:
            form.add_error("person", str(refused))
        else:
            messages.success(request, _("Proposed. Her manager is asked for the hours by mail."))
            return redirect("champions", slug)
    rows = Champion.objects.filter(initiative=found).select_related("person", "unit")
    led = set(User.objects.led_by(me, day).filter(champion_of__initiative=found).values_list("pk", flat=True))
    context = {
        "initiative": found,
        "champions": [
            (row, runs or row.person_id == me.pk or row.person_id in led)
            for row in rows
            if row.manager_agreed or runs or row.person_id == me.pk
        ],
        "asked": initiatives.hours_to_decide(me, day, found),
        "reach": initiatives.reach_of(found) if runs else None,
        "form": form,
    }
    return render(request, "readiness/champions.html", context, status=422 if form is not None and form.errors else 200)


@require_POST
def champion_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Agree to the hours, or refuse them."""
    me = signed_in(request)
    champion = get_object_or_404(Champion.objects.select_related("initiative", "person"), pk=pk)
    if not initiatives.may_agree_to_hours(me, champion.person, timezone.localdate()):
        raise Http404
    said = request.POST.get("agreed")
    if said not in ("yes", "no"):
        messages.error(request, _("Agree to the hours or refuse them."))
        return redirect("champions", champion.initiative.slug)
    reason = request.POST.get("reason", "").replace("\0", "")
    initiatives.decide_champion(champion=champion, agreed=said == "yes", by=me, reason=reason)
    values = {"name": champion.person}
    messages.success(
        request,
        _("Agreed. %(name)s and the change team get a mail.") % values
        if said == "yes"
        else _("Refused. The change team gets a mail.") % values,
    )
    return redirect("week_of_change" if request.POST.get("from") == "week" else _changes_or(me, champion.initiative))


def _changes_or(user: User, found: Initiative) -> str:
    """The champions' page for who may read it; her manager may sit where the change does not reach."""
    if initiatives.is_concerned(user, found, unit_of(user)) and initiatives_for(user).filter(pk=found.pk).exists():
        return reverse("champions", args=[found.slug])
    return reverse("initiatives")


@require_POST
def champion_release(request: HttpRequest, pk: int) -> HttpResponse:
    """She helps no longer."""
    me = signed_in(request)
    champion = get_object_or_404(Champion.objects.select_related("initiative__unit", "person"), pk=pk)
    try:
        initiatives.release_champion(champion=champion, by=me)
    except JourneyRefused as refused:
        raise Http404 from refused
    messages.success(request, _("%(name)s is no longer a champion.") % {"name": champion.person})
    return redirect(_changes_or(me, champion.initiative))


# --- Reminders -------------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def change_nudges(request: HttpRequest) -> HttpResponse:
    """What I want to be reminded of, and when and where I will do it."""
    me = signed_in(request)
    kinds = nudging.kinds_for(me, timezone.localdate())
    nudges = {nudge.kind: nudge for nudge in Nudge.objects.filter(person=me)}
    form = NudgesForm(request.POST if request.method == "POST" else None, kinds=kinds, nudges=nudges)
    if form.is_valid():
        nudging.plan_nudges(person=me, wishes=form.wishes(), by=me)
        messages.success(request, _("Saved."))
        return redirect("change_nudges")
    return render(request, "readiness/nudges.html", {"form": form}, status=422 if form.errors else 200)
