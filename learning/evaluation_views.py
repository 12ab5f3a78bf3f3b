"""The doors of evaluation: what is asked about a course, what came of it, and figures of services."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods

from courses.models import Enrolment
from courses.selectors import gains_of
from learning import evaluating
from learning.enums import EvaluationKind
from learning.evaluation_forms import FiguresForm, MeasureForm
from learning.evaluation_results import LEAST_PAIRS, MONTHS_COMPARED, answers_of, gain_of, outcomes_of
from learning.hr import people_served
from learning.models import EvaluationAsk, EvaluationRound, ServiceMeasure
from learning.service_figures import FiguresRefused, remove_measure, store_figures
from learning.titles import Titles, course_titles
from learning.wishes import reasons_declined
from organisations.ids import LARGEST
from organisations.models import User
from organisations.perms import hr_officer, is_editor, is_hr, is_manager, signed_in
from readiness.casting import CastRefused
from readiness.survey_words import promise_in
from readiness.surveys import form_of, language_names, read_answers
from readiness.weekly import suggestions_for


# --- Answering -------------------------------------------------------------------------------------------------------
@never_cache
@require_GET
def evaluation_waiting(request: HttpRequest) -> HttpResponse:
    """What waits for my answers about courses, fetched beside my desk."""
    rows = evaluating.waiting_for(signed_in(request), timezone.localdate())
    titles = course_titles(row.round.course_key for row in rows)
    context = {"asks": [(row, titles.get(row.round.course_key, row.round.course_key)) for row in rows]}
    template = (
        "learning/partials/_evaluation_waiting.html"
        if getattr(request, "htmx", False)
        else "learning/evaluation_waiting.html"
    )
    return render(request, template, context)


@sensitive_variables()
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def course_feedback(request: HttpRequest, key: str, kind: str) -> HttpResponse:
    """A few statements about a course on one page; sent once, kept in an envelope and nowhere else."""
    me = signed_in(request)
    day = timezone.localdate()
    if kind not in EvaluationKind.values:
        raise Http404
    ask = evaluating.ask_of(me, key, kind, day)
    if ask is None:
        # Who was asked is not known any more once a round is closed, so an old link says the same to everybody.
        return render(request, "learning/feedback_over.html", _course(key), status=410)
    if ask.done:
        return _answered(request, ask, status=409 if request.method == "POST" else 200)
    if request.method == "POST":
        return _take(request, me, ask)
    return _form(request, me, ask, request.GET.get("language"), {})


@sensitive_variables()
def _take(request: HttpRequest, me: User, ask: EvaluationAsk) -> HttpResponse:
    fields = {name: str(value) for name, value in request.POST.items()}
    given = read_answers(ask.round.questionnaire, fields)
    if given.off_scale:
        refusal = _("An answer is not on the scale. Look at your answers again.")
    else:
        try:
            evaluating.cast(ask=ask, answers=given.answers)
        except CastRefused as refused:
            if refused.already:
                return _answered(request, ask, status=409)
            refusal = str(refused)
        else:
            return redirect("course_feedback", ask.round.course_key, ask.round.kind)
    return _form(request, me, ask, fields.get("language"), fields, refusal=refusal, status=422)


@sensitive_variables()
def _form(
    request: HttpRequest,
    me: User,
    ask: EvaluationAsk,
    language: str | None,
    fields: dict[str, str],
    *,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    form = form_of(ask.round.questionnaire, language or get_language() or "", fields)
    is_team = ask.round.kind == EvaluationKind.TEAM
    context: dict[str, Any] = {
        **_course(ask.round.course_key),
        "ask": ask,
        "form": form,
        "promise": promise_in(form.language, ask.round.k),
        "languages": language_names(form.languages),
        "people": evaluating.people_meant(me, ask.round.course_key, timezone.localdate()) if is_team else [],
        "refusal": refusal,
    }
    return render(request, "learning/feedback.html", context, status=status)


def _answered(request: HttpRequest, ask: EvaluationAsk, status: int = 200) -> HttpResponse:
    context = {**_course(ask.round.course_key), "ask": ask}
    return render(request, "learning/feedback_sent.html", context, status=status)


def _course(key: str) -> dict[str, Any]:
    """The page of a course that is or was offered. Raises Http404 for a key that no course has."""
    page = Titles((), [key]).page(key)
    if page is None:
        raise Http404
    return {"course": page, "key": key}


# --- What came of it -------------------------------------------------------------------------------------------------
def sees_all(user: User) -> bool:
    """HR, managers and editors of courses see what came of every course; others of those they completed."""
    return is_hr(user) or is_manager(user) or is_editor(user)


@require_GET
def evaluation_list(request: HttpRequest) -> HttpResponse:
    """Courses about which there is something, each with its figures; seven queries, however many courses."""
    me = signed_in(request)
    if not sees_all(me):
        raise PermissionDenied(_("What came of courses is for HR, managers and those who write courses."))
    rounds: dict[str, list[EvaluationRound]] = defaultdict(list)
    for at in EvaluationRound.objects.defer("public_key"):
        rounds[at.course_key].append(at)
    measured = set(ServiceMeasure.objects.values_list("course_key", flat=True))
    keys = rounds.keys() | measured
    titles = course_titles(keys)
    rows = [
        (
            key,
            titles.get(key, key),
            [answers_of(rounds.get(key, ()), kind) for kind in EvaluationKind],
            key in measured,
        )
        for key in keys
    ]
    rows.sort(key=lambda row: (not any(answers.together for answers in row[2]), row[1].casefold()))
    return render(request, "learning/evaluation_list.html", {"rows": rows, "kinds": EvaluationKind})


@require_GET
def evaluation(request: HttpRequest, key: str) -> HttpResponse:
    """Four questions about a course and their answers: was it worth it, was something learned, is it used, what changed."""
    me = signed_in(request)
    context = _course(key)
    officer = is_hr(me)
    took = Enrolment.objects.completed().of(me).filter(course__key=key)
    if not (officer or sees_all(me) or took.exists()):
        raise PermissionDenied(_("What came of this course is for those who took it, managers, HR and its authors."))
    rounds = list(EvaluationRound.objects.filter(course_key=key).defer("public_key"))
    pairs = gains_of(key)
    found = {kind: answers_of(rounds, kind) for kind in EvaluationKind}
    helps = suggestions_for([kind for kind, answers in found.items() if answers.is_low])
    low = [answers for answers in found.values() if answers.is_low and helps.get(answers.kind)]
    weakest = min(low, key=lambda answers: answers.score, default=None)
    context |= {
        "weakest": weakest,
        "first_help": helps[weakest.kind][0] if weakest is not None else None,
        "parts": [(kind, answers, helps.get(kind, [])) for kind, answers in found.items()],
        "gain": gain_of(pairs),
        "pairs": len(pairs),
        "least_pairs": LEAST_PAIRS,
        "outcomes": outcomes_of(key, timezone.localdate()),
        "months_compared": MONTHS_COMPARED,
        "officer": officer,
        "declined": reasons_declined(key, people_served(me)) if officer else [],
    }
    return render(request, "learning/evaluation.html", context)


# --- Figures of services ---------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def measure_new(request: HttpRequest, key: str) -> HttpResponse:
    me = hr_officer(request)
    context = _course(key)
    form = MeasureForm(request.POST or None, instance=ServiceMeasure(course_key=key, made_by=me))
    if request.method == "POST" and form.is_valid():
        measure = form.save()
        messages.success(request, _("Now its figures, month by month."))
        return redirect("measure", measure.pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "learning/measure_new.html", {**context, "form": form}, status=status)


CHANGE, REMOVE = "change", "remove"


@require_http_methods(["GET", "HEAD", "POST"])
def measure(request: HttpRequest, pk: int) -> HttpResponse:
    """What a figure is, what is there, and the field to paste more."""
    me = hr_officer(request)
    if pk > LARGEST:
        raise Http404
    found = get_object_or_404(ServiceMeasure, pk=pk)
    key = found.course_key
    act = request.POST.get("do", "")
    if act == REMOVE:
        remove_measure(measure=found, by=me)
        messages.success(request, _("The figure is removed."))
        return redirect("evaluation", key)
    definition = MeasureForm(request.POST if act == CHANGE else None, instance=found)
    form = FiguresForm(request.POST if request.method == "POST" and act != CHANGE else None)
    status = 200
    if act == CHANGE:
        if definition.is_valid():
            definition.save()
            messages.success(request, _("Changed."))
            return redirect("measure", pk)
        status = 422
        found.refresh_from_db()
    elif request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                count = store_figures(measure=found, text=form.cleaned_data["text"], by=me)
            except FiguresRefused as refused:
                for fault in refused.faults:
                    form.add_error("text", fault)
            else:
                messages.success(request, _("%(count)s figures stored.") % {"count": count})
                return redirect("measure", found.pk)
    values = list(found.values.select_related("unit").order_by("unit__path", "month"))
    months = sorted({value.month for value in values})
    table: dict[Any, dict[Any, Any]] = defaultdict(dict)
    for value in values:
        table[value.unit][value.month] = value.value
    context = {
        **_course(found.course_key),
        "measure": found,
        "form": form,
        "definition": definition,
        "months": months,
        "rows": [(unit, [(month, by_month.get(month)) for month in months]) for unit, by_month in table.items()],
    }
    return render(request, "learning/measure.html", context, status=status)
