"""The desks: my learning, my team, HR."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from competencies.diagnosing import offers_for
from competencies.finding import agreement_of
from competencies.jobs import IMPORT_JOB
from competencies.selectors import published_roles, readable_profiles
from courses.selectors import in_language
from learning import extensions, hr, selectors, wishes, wording
from learning.assign_views import batch_rows
from learning.batches import batches_visible_to
from learning.enums import ASSIGN_JOB
from learning.forms import RosterFilter
from learning.role_card import RoleCard, render_role_card
from learning.role_path import role_card_of
from learning.roles import roles_of, withdrawn_roles
from organisations import jobs, perms
from organisations.models import Appointment, Job, User
from organisations.perms import signed_in

ROSTER_PAGE = 50
# A card bears the day; the next day's is another one.
CARD_KEPT_SECONDS = 24 * 60 * 60
# How many assignments the HR desk shows.
LATEST = 5


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
        "asked": extensions.asked_of(path.assignments, path.standing.as_of, wishes.declined_of(me, path.assignments)),
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
    drawn = cache.get_or_set(_key_of(card), lambda: render_role_card(card), CARD_KEPT_SECONDS)
    response = HttpResponse(drawn, content_type="application/pdf")
    name = slugify(str(profile)) or f"role-{profile.pk}"
    response["Content-Disposition"] = f'inline; filename="{name[:80]}.pdf"'
    return response


def _key_of(card: RoleCard) -> str:
    """By all that the card says: the role, its edition with what it asks for, the courses, the language and the day."""
    return f"role-card:{sha256(repr(card).encode()).hexdigest()}"


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
    context = {
        "desk": hr.desk_of(me),
        "soon_days": hr.SOON.days,
        "units": hr.unit_views(me),
        "gaps": hr.gaps_without_course(me),
        "mandates": hr.mandates_of(me),
        "batches": batch_rows(list(batches_visible_to(me).defer("whom")[:LATEST])),
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
    if "batch" in row.payload:
        return redirect("batch", pk=row.payload["batch"])
    assigned = held = []
    if row.kind == ASSIGN_JOB and "assigned" in row.report:
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
