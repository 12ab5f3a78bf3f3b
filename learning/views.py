"""The desks: my learning, my team, HR."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from competencies.diagnosing import offers_for
from competencies.finding import agreement_of
from competencies.jobs import IMPORT_JOB
from competencies.selectors import published_roles, readable_profiles
from courses.selectors import in_language
from learning import exceptions, extensions, hr, selectors, wording
from learning.assignment import apply_assignment, preview_assignment
from learning.enums import ASSIGN_JOB
from learning.forms import RosterFilter, WhatForm, WhenForm, WhomForm
from learning.role_card import render_role_card
from learning.role_path import role_card_of
from learning.roles import roles_of, withdrawn_roles
from organisations import jobs, perms
from organisations.ids import as_id, as_token
from organisations.models import Appointment, Job, User
from organisations.perms import signed_in

ROSTER_PAGE = 50


# --- Learner -----------------------------------------------------------------------------------------------------
@require_GET
def learn(request: HttpRequest) -> HttpResponse:
    """What do I do next, why, and how long does it take?"""
    me = signed_in(request)
    path = selectors.path_of(me)
    context = {
        "path": path,
        "posts": selectors.post_titles([me.pk], path.standing.as_of).get(me.pk, ""),
        "offers": offers_for(me, path.standing.lines, as_of=path.standing.as_of),
        "changes": selectors.fresh_changes(path)[:3],
        "asked": extensions.asked_of(me, path.standing.as_of),
        "refresh_due": path.standing.refresh_due,
        "near_roles": list(published_roles().exclude(key_post="")[:4]) if not path.standing.gaps else [],
        "may_agree": bool(path.standing.profiles and not path.standing.gaps) and agreement_of(me) is None,
    }
    return render(request, "learning/learn.html", context)


@login_not_required
@require_GET
def role_card(request: HttpRequest, pk: int) -> HttpResponse:
    """The card of a role to print: what it requires and the path to it, for everybody; of superseded ones too."""
    profile = get_object_or_404(readable_profiles(), pk=pk)
    card = role_card_of(profile, language=get_language() or settings.LANGUAGE_CODE, dated=timezone.localdate())
    response = HttpResponse(render_role_card(card), content_type="application/pdf")
    name = slugify(str(profile)) or f"role-{profile.pk}"
    response["Content-Disposition"] = f'inline; filename="{name[:80]}.pdf"'
    return response


# --- Manager -----------------------------------------------------------------------------------------------------
@require_GET
def team(request: HttpRequest) -> HttpResponse:
    """What should I do for my people this week?"""
    me = signed_in(request)
    view = selectors.team_of(me)
    if not view.members and not perms.is_manager(me):
        return render(request, "learning/team_empty.html", status=200)
    to_decide = extensions.count_to_decide(me, timezone.localdate())
    return render(request, "learning/team.html", {"team": view, "to_decide": to_decide})


@require_GET
def team_member(request: HttpRequest, person_id: int) -> HttpResponse:
    """One person as her manager, her HR officer or an administrator sees her: gaps, path, progress."""
    me = signed_in(request)
    person = get_object_or_404(User.objects.visible_to(me), pk=person_id)
    view = selectors.path_of(person)
    courses = [*(state.course for state in view.done), *(step.course for step in view.steps)]
    context = {
        "person": person,
        "path": view,
        "named": in_language(get_language() or "", courses),
        "posts": selectors.post_titles([person.pk], view.standing.as_of).get(person.pk, ""),
        "to_confirm": selectors.to_confirm(view.standing),
        "roles": roles_of(person, view.standing),
        "may_assign": perms.is_hr_of(me, person),
        "can_assess": person != me and (me.is_superuser or perms.is_manager_of(me, person)),
    }
    return render(request, "learning/team_member.html", context)


# --- HR ----------------------------------------------------------------------------------------------------------
def for_hr(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The HR desk is for people with an HR mandate, and administrators."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not perms.is_hr(signed_in(request)):
            raise PermissionDenied(_("The HR desk is for people who serve a unit as HR officers."))
        return view(request, *args, **kwargs)

    return guarded


@require_GET
@for_hr
def hr_desk(request: HttpRequest) -> HttpResponse:
    """Where are key posts open, what is under way, what is missing?"""
    me = signed_in(request)
    latest = list(Job.objects.visible_to(me).filter(kind=ASSIGN_JOB)[:5])
    asked = hr.asked_of(latest)
    context = {
        "desk": hr.desk_of(me),
        "soon_days": hr.SOON.days,
        "units": hr.unit_views(me),
        "gaps": hr.gaps_without_course(me),
        "exceptions": exceptions.count_for(me),
        "mandates": hr.mandates_of(me),
        "jobs": [(job, wording.asked_words(asked[job.pk])) for job in latest],
        "withdrawn": withdrawn_roles(me),
    }
    return render(request, "learning/hr.html", context)


@require_GET
@for_hr
def hr_people(request: HttpRequest) -> HttpResponse:
    """The roster: find people, see where they stand, tick those to assign something to."""
    me = signed_in(request)
    form = RosterFilter(request.GET or None, officer=me)
    people = hr.people_served(me).order_by("name", "pk")
    if form.is_valid():
        if form.cleaned_data["q"]:
            people = people.filter(
                Q(name__icontains=form.cleaned_data["q"]) | Q(email__icontains=form.cleaned_data["q"])
            )
        if form.cleaned_data["unit"]:
            unit = form.cleaned_data["unit"]
            holders = Appointment.objects.current().filter(post__unit__path__startswith=unit.path)
            people = people.filter(pk__in=holders.values("person_id"))
    page = Paginator(people, ROSTER_PAGE).get_page(request.GET.get("page"))
    members = selectors.members_of(list(page.object_list), timezone.localdate())
    query = request.GET.copy()
    query.pop("page", None)
    context = {"form": form, "page_of_people": page, "members": members, "query": query.urlencode()}
    return render(request, "learning/hr_people.html", context)


STEPS = ("what", "whom", "when", "preview")
STEP_WORDS = (gettext_lazy("What"), gettext_lazy("Whom"), gettext_lazy("When"), gettext_lazy("Preview"))
FORMS: dict[str, type] = {"what": WhatForm, "whom": WhomForm, "when": WhenForm}


@for_hr
def assign(request: HttpRequest) -> HttpResponse:
    """Four steps: what, whom, when, preview. Each is a form that works without script; nothing is written before the last.

    What was answered travels in the form itself; `go` names the step to show, `step` the one that was answered.
    """
    me = signed_in(request)
    data = request.POST if request.method == "POST" else request.GET
    forms = {name: form(data if data else None, officer=me) for name, form in FORMS.items()}
    answered = data.get("step", "")
    wanted = data.get("go", "what" if not answered else _following(answered))
    if wanted not in (*STEPS, "apply"):
        wanted = "what"
    last = "preview" if wanted == "apply" else wanted
    for name in STEPS[: STEPS.index(last)]:
        if not forms[name].is_valid():
            return _show_step(
                request, name, forms, invalid=answered in STEPS and STEPS.index(answered) >= STEPS.index(name)
            )
    if wanted in FORMS:
        return _show_step(request, wanted, forms, invalid=False)
    preview = preview_assignment(
        officer=me,
        profile=forms["what"].cleaned_data["profile"],
        whom=forms["whom"].whom(),
        due_on=forms["when"].cleaned_data["due_on"],
    )
    if wanted == "apply" and request.method == "POST":
        token = as_token(request.POST.get("token", ""))
        already = Job.objects.filter(key=f"{ASSIGN_JOB}:{me.pk}:{token}").first()
        if already is not None:
            return redirect("job", pk=already.pk)
        if request.POST.get("digest") == preview.digest and preview.gaining and token:
            return redirect("job", pk=apply_assignment(officer=me, preview=preview, token=token).pk)
        messages.warning(request, _("Something has changed since you looked. Nothing was written; please look again."))
    context = {
        "preview": preview,
        "token": uuid4(),
        "weekly_minutes": settings.WEEKLY_LEARNING_MINUTES,
        **_step_context("preview", data),
    }
    return render(request, "learning/assign.html", context)


def _step_context(step: str, data: Any) -> dict[str, Any]:
    return {
        "step": step,
        "step_number": STEPS.index(step) + 1,
        "step_words": [str(words) for words in STEP_WORDS],
        "carried": _carried(data, step),
    }


def _following(step: str) -> str:
    return STEPS[min(STEPS.index(step) + 1, len(STEPS) - 1)] if step in STEPS else "what"


def _carried(data: Any, step: str) -> list[tuple[str, str]]:
    """Answers of the other steps, to be carried along as hidden fields."""
    own = set(FORMS[step].base_fields) if step in FORMS else set()  # type: ignore[attr-defined]
    fields = {name for form in FORMS.values() for name in form.base_fields} - own  # type: ignore[attr-defined]
    return [(name, value) for name in sorted(fields) for value in data.getlist(name)]


def _show_step(request: HttpRequest, step: str, forms: dict[str, Any], *, invalid: bool) -> HttpResponse:
    me = signed_in(request)
    data = request.POST if request.method == "POST" else request.GET
    form = forms[step]
    if not invalid:
        # Show what was answered before, without complaining about what was not asked yet.
        initial: dict[str, Any] = {
            name: data.getlist(name) if name in {"units", "people"} else data.get(name)
            for name in form.base_fields
            if name in data
        }
        if step == "whom" and "emails" in data:
            initial["with_sub_units"] = "with_sub_units" in data
        form = FORMS[step](initial=initial, officer=me)
    chosen = []
    if step == "whom":
        ids = [pk for pk in map(as_id, data.getlist("people")) if pk is not None][:2000]
        chosen = list(hr.people_served(me).filter(pk__in=ids))
    context = {"form": form, "chosen": chosen, **_step_context(step, data)}
    return render(request, "learning/assign.html", context, status=422 if invalid and form.errors else 200)


@require_GET
def job_list(request: HttpRequest) -> HttpResponse:
    """The jobs a person asked for, the newest first."""
    page = Paginator(Job.objects.visible_to(signed_in(request)), 25).get_page(request.GET.get("page"))
    asked = hr.asked_of(page.object_list)
    rows = [
        (job, jobs.label_of(job), wording.asked_words(asked[job.pk]) if job.pk in asked else "")
        for job in page.object_list
    ]
    return render(request, "learning/job_list.html", {"page_of_jobs": page, "rows": rows})


@require_GET
def job(request: HttpRequest, pk: int) -> HttpResponse:
    """One job: how far it is, and when it is done, what came of each row."""
    row = get_object_or_404(Job.objects.visible_to(signed_in(request)), pk=pk)
    if row.kind == IMPORT_JOB:
        return redirect("framework_upload_result", pk=row.pk)
    assigned = held = []
    if row.kind == ASSIGN_JOB and row.report:
        names = User.objects.filter(pk__in=[*row.report["assigned"], *row.report["held"]][:2000]).in_bulk()
        assigned = [names[pk] for pk in row.report["assigned"] if pk in names]
        held = [names[pk] for pk in row.report["held"] if pk in names]
    template = "learning/partials/_job.html" if request.htmx else "learning/job.html"  # type: ignore[attr-defined]
    asked = hr.asked_of([row]).get(row.pk)
    context = {
        "job": row,
        "label": jobs.label_of(row),
        "asked": wording.asked_words(asked) if asked else "",
        "assigned": assigned,
        "held": held,
    }
    return render(request, template, context)
