"""Where the organisation stands, who is nearest to a role, and whether a person may be found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from competencies import finding, heat_map
from competencies.heat_map import Cell, HeatMap, Row, Scope
from competencies.models import Area, Competency, RoleProfile
from competencies.organisation import COUNT_JOB, ask_to_count
from competencies.selectors import published_profiles
from competencies.suppression import MINIMUM, NOBODY
from organisations import perms
from organisations.ids import as_id
from organisations.models import Job, User
from organisations.perms import signed_in

POSTS_A_PAGE = 25
PEOPLE_A_PAGE = 25
BAND_WORDS = {
    1: gettext_lazy("up to 20 %"),
    2: gettext_lazy("21 to 40 %"),
    3: gettext_lazy("41 to 60 %"),
    4: gettext_lazy("61 to 79 %"),
    5: gettext_lazy("80 % or more"),
}


class NarrowForm(forms.Form):
    """What of all competencies is looked at: those of a role, of an area, or a single one."""

    role = forms.ChoiceField(label=gettext_lazy("Role"), required=False)
    area = forms.ChoiceField(label=gettext_lazy("Area"), required=False)
    competency = forms.ChoiceField(label=gettext_lazy("Competency"), required=False)

    def __init__(
        self,
        *args: Any,
        profiles: Sequence[RoleProfile],
        areas: Sequence[Area],
        competencies: Sequence[Competency],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.profiles, self.areas = {str(p.pk): p for p in profiles}, {str(a.pk): a for a in areas}
        self.fields["role"].choices = [("", _("All roles")), *grouped_profiles(profiles)]  # type: ignore[attr-defined]
        framework_areas: dict[str, list[tuple[str, str]]] = {}
        for pk, area in self.areas.items():
            framework_areas.setdefault(str(area.version.framework), []).append((pk, str(area)))
        self.fields["area"].choices = [("", _("All areas")), *framework_areas.items()]  # type: ignore[attr-defined]
        single = [(str(c.pk), str(c)) for c in competencies]
        self.fields["competency"].choices = [("", _("All competencies")), *single]  # type: ignore[attr-defined]

    def competencies(self) -> set[int] | None:
        """Ids of the competencies chosen; None for all."""
        self.is_valid()  # a choice that is none leaves the field empty
        profile = self.profiles.get(self.cleaned_data.get("role", ""))
        area = self.areas.get(self.cleaned_data.get("area", ""))
        chosen = heat_map.asked_by_profile(profile) if profile is not None else None
        if area is not None:
            of_area = set(Competency.objects.filter(area=area).values_list("pk", flat=True))
            chosen = of_area if chosen is None else chosen & of_area
        single = as_id(self.cleaned_data.get("competency", ""))
        if single is not None:
            chosen = {single} if chosen is None else chosen & {single}
        return chosen


def grouped_profiles(profiles: Sequence[RoleProfile]) -> list[tuple[str, list[tuple[str, str]]]]:
    grouped: dict[str, list[tuple[str, str]]] = {}
    for profile in profiles:
        group = f"{profile.role.version.framework} · {profile.role.family or ''}".rstrip(" ·")
        label = f"{profile.role}: {profile}" if str(profile.grade) else str(profile)
        grouped.setdefault(group, []).append((str(profile.pk), label))
    return list(grouped.items())


# --- Where the organisation stands -------------------------------------------------------------------------------
def cell_words(cell: Cell) -> str:
    """A share as words: exact for who sees the people anyhow, a fifth for who sees groups only."""
    if cell.figure is None:
        return _("too few to show")
    if cell.is_empty:
        return _("nobody needs it")
    if cell.is_exact:
        return _("%(pct)s %% · %(met)s of %(people)s") % {
            "pct": cell.pct,
            "met": cell.figure.at_level,
            "people": cell.figure.people,
        }
    return _("%(share)s of %(people)s") % {
        "share": BAND_WORDS[cell.band],
        "people": cell.figure.people,
    }


def row_words(row: Row, view: HeatMap) -> str:
    if row.kind == "unit":
        return str(row.unit)
    if row.kind == "direct":
        return _("Directly here")
    return _("All of %(unit)s") % {"unit": view.unit} if view.unit else _("All you see")


def next_words(view: HeatMap) -> dict[str, str] | None:
    """What to do next about the largest gap that is shown."""
    if view.largest is None:
        return None
    row, cell = view.largest
    figure = cell.figure or NOBODY  # what lacks something is shown
    place = str(row.unit) if row.unit is not None else _("the organisation")
    if figure.exact:
        why = ngettext(
            "%(n)s of %(people)s people who need it is below the level.",
            "%(n)s of %(people)s people who need it are below the level.",
            figure.lacking,
        ) % {"n": figure.lacking, "people": figure.people}
    else:
        why = _("%(share)s of the %(people)s people who need it are at the level.") % {
            "share": str(BAND_WORDS[cell.band]).capitalize(),
            "people": figure.people,
        }
    return {
        "title": _("Largest gap: “%(competency)s” in %(unit)s") % {"competency": cell.competency, "unit": place},
        "why": why,
        "unit": str(row.unit.pk) if row.unit is not None else "",
        "competency": str(cell.competency.pk),
    }


def _scope(request: HttpRequest) -> tuple[User, Scope]:
    me = signed_in(request)
    scope = heat_map.scope_of(me)
    if scope.is_empty:
        raise PermissionDenied(_("This page is for people who serve a unit as HR officers, or look after the whole."))
    return me, scope


@require_GET
def standing(request: HttpRequest) -> HttpResponse:
    """Where is what missing, which key posts are open, and what to do about it?"""
    me, scope = _scope(request)
    unit = None
    if request.GET.get("unit"):
        pk = as_id(request.GET["unit"])
        unit = scope.units().filter(pk=pk).first() if pk is not None else None
        if unit is None:
            raise Http404
    form = NarrowForm(
        request.GET,
        profiles=list(published_profiles()),
        areas=list(heat_map.areas_counted()),
        competencies=list(heat_map.competencies_counted()),
    )
    page = as_id(request.GET.get("page", "1")) or 1
    view = heat_map.heat_map(scope, unit, only=form.competencies(), page=page)
    rows = heat_map.key_post_rows(scope, view.unit)
    posts = Paginator(heat_map.key_posts_in_full(scope, rows), POSTS_A_PAGE).get_page(request.GET.get("posts"))
    serves = view.largest is not None and view.largest[0].unit is not None and scope.serves(view.largest[0].unit.path)
    context = {
        "view": view,
        "rows": [(row, row_words(row, view), [(cell, cell_words(cell)) for cell in row.cells]) for row in view.rows],
        "form": form,
        "next": next_words(view),
        "can_assign": serves,
        "is_hr": perms.is_hr(me),
        "counting": Job.objects.filter(kind=COUNT_JOB).open().exists(),
        "minimum": MINIMUM,
        "posts": posts,
        "post_views": heat_map.key_post_views(list(posts.object_list)),
        "post_counts": heat_map.key_posts_in_counts(scope, rows),
        "pages": [{"number": n, "is_here": n == view.page} for n in range(1, view.pages + 1)],
    }
    return render(request, "competencies/standing.html", context)


@require_POST
def standing_recount(request: HttpRequest) -> HttpResponse:
    """Count anew, one counting at a time; for HR, who sees at once what she has changed."""
    me = signed_in(request)
    if not perms.is_hr(me):
        raise PermissionDenied(_("The HR desk is for people who serve a unit as HR officers."))
    ask_to_count(by=me)
    messages.success(request, _("Everybody is being counted anew. The new figures are here in about a minute."))
    return redirect("standing")


# --- Nearest to a role -------------------------------------------------------------------------------------------
class NearestForm(forms.Form):
    profile = forms.ChoiceField(
        label=gettext_lazy("Which role is to be filled?"),
        error_messages={
            "required": gettext_lazy("Choose a role."),
            "invalid_choice": gettext_lazy("This role is not offered any more. Choose another."),
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        profiles = list(published_profiles())
        self.profiles = {str(profile.pk): profile for profile in profiles}
        self.fields["profile"].choices = [("", _("Choose a role")), *grouped_profiles(profiles)]  # type: ignore[attr-defined]

    def clean_profile(self) -> RoleProfile:
        return self.profiles[self.cleaned_data["profile"]]


@require_GET
def nearest(request: HttpRequest) -> HttpResponse:
    """Who among those who agreed to be found lacks least for a role?"""
    me = signed_in(request)
    if not perms.is_hr(me):
        raise PermissionDenied(_("The HR desk is for people who serve a unit as HR officers."))
    day = timezone.localdate()
    form = NearestForm(request.GET if request.GET.get("profile") else None)
    people = finding.findable(me, day)
    context: dict[str, Any] = {"form": form, "page_of_people": None}
    if form.is_valid():
        found = finding.nearest_to(form.cleaned_data["profile"], people, day=day)
        page = Paginator(found.order, PEOPLE_A_PAGE).get_page(request.GET.get("page"))
        context |= {
            "profile": found.profile,
            "agreed": len(found),
            "asked": len(found.required),
            "page_of_people": page,
            "views": found.views(page.start_index() - 1 if len(found) else 0, page.end_index()),
        }
    else:
        context["agreed"] = people.count()
    return render(request, "competencies/nearest.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def findable(request: HttpRequest) -> HttpResponse:
    """May HR find me when a role is to be filled? I agree, or take it back, at any time."""
    me = signed_in(request)
    if request.method == "POST":
        answer = request.POST.get("answer")
        if answer == "agree":
            finding.agree_to_be_found(person=me)
            messages.success(request, _("You can be found now. You can take this back here at any time."))
            return redirect("findable")
        if answer == "take_back":
            finding.take_back_agreement(person=me)
            messages.success(request, _("You are not found any more."))
            return redirect("findable")
    context = {
        "agreement": finding.agreement_of(me),
        "entries": list(finding.agreements_logged(me)[:20]),
        "refused": request.method == "POST",
    }
    return render(request, "competencies/findable.html", context, status=422 if request.method == "POST" else 200)
