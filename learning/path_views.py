"""A person's own path: the steps with their reasons and dates, what she decides about it, and "what if"."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from competencies.diagnosing import offers_for
from competencies.models import FrameworkVersion
from courses.models import CoursePage
from courses.selectors import in_language
from learning import extensions, selectors, wishes
from learning.enums import WishKind
from learning.models import StepWish
from learning.path_forms import DeclineForm, PaceForm, WhatIfForm
from organisations.models import User
from organisations.perms import signed_in


@require_GET
def path(request: HttpRequest) -> HttpResponse:
    """The whole path: each step with what it closes, why it is there and when; how short the path is known to be."""
    return _path_page(request)


def _path_page(request: HttpRequest, pace_form: PaceForm | None = None, status: int = 200) -> HttpResponse:
    me = signed_in(request)
    view = selectors.path_of(me)
    plans = selectors.recent_changes(me, limit=20)
    changes = selectors.change_views(plans)
    day = view.standing.as_of
    pace = wishes.pace_of(me, day)
    timings = selectors.timetable(view, pace)
    ends = [timing.ends_on for timing in timings.values() if timing.ends_on is not None]
    context = {
        "path": view,
        "offers": offers_for(me, view.standing.lines, as_of=day),
        "history": [(plan, changes[plan.pk]) for plan in plans],
        "timings": timings,
        "done_by": max(ends, default=None),
        "late": sum(timing.is_late for timing in timings.values()),
        "away": bool(pace.away),
        "declined": _declined(me),
        "unavailable": _pages(view.plan.unavailable if view.plan else []),
        "planned_from": _planned_from(view),
        "asked": extensions.asked_of(view.assignments, day, wishes.declined_of(me, view.assignments)),
        "pace_form": pace_form or PaceForm(initial={"hours": hours_of(pace.weekly_minutes)}),
    }
    return render(request, "learning/path.html", context, status=status)


def hours_of(minutes: int) -> Decimal:
    """Minutes as hours for a form: 120 → 2, 90 → 1.5."""
    return (Decimal(minutes) / 60).quantize(Decimal("0.01")).normalize() + 0


def _declined(person: Any) -> list[tuple[StepWish, CoursePage]]:
    found = list(StepWish.objects.filter(person=person, kind=WishKind.DECLINED, withdrawn_at__isnull=True))
    pages = _pages([wish.course_key for wish in found])
    return [(wish, pages[wish.course_key]) for wish in found if wish.course_key in pages]


def _pages(keys: list[str]) -> dict[str, CoursePage]:
    """A page of each course, in the reader's language where there is one, offered or not."""
    if not keys:
        return {}
    language = get_language() or ""
    rows = CoursePage.objects.filter(key__in=keys).order_by("-live", "pk")
    found: dict[str, CoursePage] = {}
    for page in sorted(rows, key=lambda page: (not page.live, page.language != language)):
        found.setdefault(page.key, page)
    return found


def _planned_from(view: selectors.PathView) -> list[tuple[str, str]]:
    """Role and framework edition the plan in force was made from."""
    if view.plan is None or not view.plan.planned_from:
        return []
    rows = view.plan.planned_from
    profiles = {profile.pk: profile for profile in view.standing.profiles}
    # Most often the editions her requirements are from, which are here already.
    versions = {line.competency.version_id: line.competency.version for line in view.standing.lines}
    if missing := {row["version"] for row in rows} - versions.keys():
        versions |= FrameworkVersion.objects.select_related("framework").in_bulk(missing)
    return [
        (str(profiles[row["profile"]]), str(versions[row["version"]]))
        for row in rows
        if row["profile"] in profiles and row["version"] in versions
    ]


@require_POST
def pace(request: HttpRequest) -> HttpResponse:
    me = signed_in(request)
    form = PaceForm(request.POST)
    if not form.is_valid():
        return _path_page(request, form, status=422)
    wishes.set_pace(person=me, weekly_minutes=form.weekly_minutes, by=me)
    messages.success(request, _("Your path reckons with that from now on."))
    return redirect("path")


def _on_step(act: Callable[[HttpRequest, str], str]) -> Callable[[HttpRequest, str], HttpResponse]:
    @require_POST
    def view(request: HttpRequest, key: str) -> HttpResponse:
        try:
            messages.success(request, act(request, key))
        except wishes.WishRefused as refused:
            messages.error(request, str(refused))
        return redirect("path")

    return view


def _pin(request: HttpRequest, key: str) -> str:
    me = signed_in(request)
    wishes.pin_course(person=me, key=key, by=me)
    return _("Pinned: it stays on your path.")


def _unwish(request: HttpRequest, key: str) -> str:
    me = signed_in(request)
    wishes.withdraw_wish(person=me, key=key, by=me)
    return _("Taken back: your path is planned without that wish.")


pin_step = _on_step(_pin)
unwish_step = _on_step(_unwish)


@require_http_methods(["GET", "HEAD", "POST"])
def decline_step(request: HttpRequest, key: str) -> HttpResponse:
    """Decline a recommended course with a reason. What would change is shown before the button is pressed."""
    me = signed_in(request)
    page = _pages([key]).get(key)
    if page is None:
        raise Http404
    form = DeclineForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            wishes.decline_course(person=me, key=key, reason=form.cleaned_data["reason"], by=me)
        except wishes.WishRefused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("Declined: your path is planned without it."))
            return redirect("path")
    supposed = wishes.suppose(me, skipping=[key])
    stays = any(step.course.key == key and step.change != "removed" for step in supposed.steps)
    context = {
        "form": form,
        "course": page,
        "supposed": supposed,
        "needed_by": _needed_by(me, key) if stays else "",
        # What a role asks for is not taken away by declining a way there.
        "closes": supposed.left_open,
    }
    return render(request, "learning/path_decline.html", context, status=422 if form.errors else 200)


def _needed_by(person: User, key: str) -> str:
    """The first course on her path that needs this one, in quotation marks."""
    step = next((step for step in selectors.path_of(person).steps if step.course.key == key), None)
    return f"“{step.needed_by[0].title}”" if step is not None and step.needed_by else ""


@require_http_methods(["GET", "HEAD", "POST"])
def what_if(request: HttpRequest) -> HttpResponse:
    """Other hours, one role more, without some courses: the path as it would be. Only the hours are saved from here."""
    me = signed_in(request)
    view = selectors.path_of(me)
    named = in_language(get_language() or "", [step.course for step in view.steps])
    courses = [(step.course.key, named[step.course.pk].title) for step in view.steps if not step.is_mandatory]
    data = request.POST if request.method == "POST" else request.GET
    asked = bool({"hours", "role", "skip"} & set(data))
    form = WhatIfForm(
        data if asked else None,
        courses=courses,
        held={profile.pk for profile in view.standing.profiles},
        initial={"hours": hours_of(wishes.weekly_minutes_of(me))},
    )
    context: dict[str, Any] = {
        "form": form,
        "path": view,
        "supposed": None,
        "mandatory": len(view.steps) - len(courses),
    }
    if not asked:
        return render(request, "learning/path_what_if.html", context)
    if not form.is_valid():
        return render(request, "learning/path_what_if.html", context, status=422)
    if request.method == "POST" and form.weekly_minutes is not None:
        wishes.set_pace(person=me, weekly_minutes=form.weekly_minutes, by=me)
        messages.success(request, _("Your path reckons with that from now on."))
        return redirect("path")
    skipped = form.cleaned_data["skip"]
    context |= {
        "supposed": wishes.suppose(
            me, weekly_minutes=form.weekly_minutes, adding=form.cleaned_data["role"], skipping=skipped
        ),
        "role": form.cleaned_data["role"],
        "skipped": [(key, title) for key, title in courses if key in skipped],
        "saves_hours": form.weekly_minutes not in (None, wishes.weekly_minutes_of(me)),
    }
    return render(request, "learning/path_what_if.html", context)
