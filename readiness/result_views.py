"""Results on pages, as data, as a spreadsheet and on paper: all of them show what `results_for` returns."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from organisations.perms import signed_in
from readiness import initiatives, weekly
from readiness.enums import ActionStatus, WaveState
from readiness.initiatives import concerns_by_kind, reach_of
from readiness.key_posts import key_posts_over_time
from readiness.looking import Eyes
from readiness.models import Action, Wave, WaveNode
from readiness.outcome import outcome_of
from readiness.perms import initiatives_for, may_see_all
from readiness.result_papers import result_pdf, result_workbook
from readiness.results import NoResult, Result, map_of, results_for

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
UNITS_A_PAGE = 100


def _wave(pk: int) -> Wave:
    """A survey with results. One without is as good as none: nobody learns how it stands (promise P3)."""
    waves = Wave.objects.select_related("initiative__unit", "previous", "unit")
    return get_object_or_404(waves, pk=pk, state=WaveState.CLOSED)


def _looked_at(request: HttpRequest, pk: int, code: str = "") -> tuple[Eyes, Wave, WaveNode]:
    """The survey and the unit somebody may look at. What she may not see and what is not there are the same 404."""
    me = signed_in(request)
    if "\0" in code:  # no database has it, and one of them refuses to look
        raise Http404
    wave = _wave(pk)
    eyes = Eyes(me, wave)
    node = wave.nodes.filter(code=code).first() if code else eyes.start_node()
    if node is None or (code and not eyes.may_look_at(node)):
        raise Http404
    return eyes, wave, node


def _result(wave: Wave, node: WaveNode) -> Result:
    try:
        return results_for(wave, node)
    except NoResult:
        raise Http404 from None


@never_cache
@require_GET
def results(request: HttpRequest, pk: int, code: str = "") -> HttpResponse:
    """What people of a unit said, what is done about it, and for who leads what to talk about."""
    eyes, wave, node = _looked_at(request, pk, code)
    result = _result(wave, node)
    leads = eyes.leads(node)
    low = weekly.low_figures(result.figures)
    talk = weekly.to_talk_about(result.figures, wave.summary.get("weights", {}))
    helps = weekly.suggestions_for([figure.code for figure in low] + ([talk.code] if talk else []))
    actions = (
        Action.objects.filter(initiative=wave.initiative, unit__code__in=_line_of(wave, node))
        .select_related("owner", "unit")
        .order_by("status", "due_on")
    )
    return render(
        request,
        "readiness/results.html",
        {
            "wave": wave,
            "result": result,
            "node": node,
            "leads": leads,
            "shows_items": any(figure.items for figure in result.figures),
            "talk": talk if leads else None,
            "act_url": _act_url(wave, result, talk.code if talk else ""),
            "low": [(figure, helps.get(figure.code, []), _act_url(wave, result, figure.code)) for figure in low],
            "guides": helps.get(talk.code, []) if talk else [],
            "actions": list(actions),
            "today": timezone.localdate(),
            "units": eyes.sub_nodes(node),
        },
    )


def _act_url(wave: Wave, result: Result, block: str) -> str:
    asked = urlencode({"wave": wave.pk, "unit": result.shown.code, "block": block})
    return f"{reverse('action_new', args=[wave.initiative.slug])}?{asked}"


def _line_of(wave: Wave, node: WaveNode) -> QuerySet[WaveNode, str]:
    """Codes of the unit and those above it: what is done there is done for its people too."""
    above = wave.nodes.filter(position__lte=node.position, last__gte=node.position)
    return above.order_by().values_list("code", flat=True)


@never_cache
@require_GET
def results_data(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """The same as data."""
    _eyes, wave, node = _looked_at(request, pk, code)
    return JsonResponse(asdict(_result(wave, node)))


@never_cache
@require_GET
def results_sheet(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """The same as a spreadsheet, with the units below where the reader may see them."""
    eyes, wave, node = _looked_at(request, pk, code)
    result = _result(wave, node)
    units = eyes.sub_nodes(node)
    below = map_of(wave, [node, *units]) if units else None
    return _file(result_workbook(result, below), XLSX, _name(wave, node, "xlsx"))


@never_cache
@require_GET
def results_paper(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """The same on two pages of paper."""
    eyes, wave, node = _looked_at(request, pk, code)
    result = _result(wave, node)
    units = eyes.sub_nodes(node)
    actions = Action.objects.filter(initiative=wave.initiative, unit__code__in=_line_of(wave, node))
    paper = result_pdf(
        result,
        map_of(wave, [node, *units]) if units else None,
        list(actions.select_related("owner").order_by("due_on")),
    )
    return _file(paper, "application/pdf", _name(wave, node, "pdf"))


def _name(wave: Wave, node: WaveNode, ending: str) -> str:
    return f"{slugify(str(wave.initiative.title))[:40] or 'survey'}-{slugify(node.code)}-{timezone.localdate(wave.closes_at)}.{ending}"


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@never_cache
@require_GET
def results_map(request: HttpRequest, pk: int, code: str = "") -> HttpResponse:
    """Units against blocks: a unit with those right below it; each leads one level down."""
    eyes, wave, node = _looked_at(request, pk, code)
    units = eyes.sub_nodes(node)
    if not units and not eyes.leads(node):
        raise Http404
    page = Paginator(units, UNITS_A_PAGE).get_page(request.GET.get("page"))
    above = wave.nodes.filter(position__lt=node.position, last__gte=node.position).order_by("position")
    context: dict[str, Any] = {
        "wave": wave,
        "node": node,
        "units": page,
        "map": map_of(wave, [node, *page.object_list], node),
        "above": [unit for unit in above if eyes.may_look_at(unit)],
    }
    return render(request, "readiness/map.html", context)


@never_cache
@require_GET
def week(request: HttpRequest) -> HttpResponse:
    """The card of the week, also fetched by the team desk."""
    me = signed_in(request)
    weeks = weekly.weeks_of(me, timezone.localdate())
    template = "readiness/partials/_weeks.html" if getattr(request, "htmx", False) else "readiness/week.html"
    return render(request, template, {"weeks": weeks})


@never_cache
@require_GET
def outcome(request: HttpRequest, slug: str) -> HttpResponse:
    """What has come of the change, for who runs it: readiness over time, training beside it, and what cannot be claimed."""
    me = signed_in(request)
    initiative = get_object_or_404(initiatives_for(me).select_related("unit"), slug=slug)
    if not may_see_all(me, initiative):
        raise Http404
    day = timezone.localdate()
    found = outcome_of(initiative)
    # Before the first survey has closed there is nothing to set the posts of today beside.
    first_survey = found.surveys[0][0] if found is not None else None
    context = {
        "initiative": initiative,
        "outcome": found,
        "actions": Action.objects.filter(initiative=initiative).count(),
        "done": Action.objects.filter(initiative=initiative, status=ActionStatus.DONE).count(),
        "overdue": Action.objects.overdue(timezone.localdate()).filter(initiative=initiative).count(),
        "concerns": concerns_by_kind(initiative),
        "reach": reach_of(initiative),
        "posts": key_posts_over_time(initiative, me, first_survey, day),
        "impacts": initiatives.impacts_of(initiative),
    }
    return render(request, "readiness/outcome.html", context)
