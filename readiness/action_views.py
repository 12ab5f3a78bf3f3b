"""Setting an action, ending it, and moving its date."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from organisations.ids import as_id
from organisations.models import Unit, User
from organisations.perms import signed_in
from readiness import actions
from readiness.actions import ActionRefused
from readiness.initiatives import is_concerned
from readiness.journey_forms import ActionForm, EndActionForm, MoveActionForm
from readiness.models import Action, Initiative, Wave
from readiness.perms import initiatives_for, may_run, unit_of, units_managed
from readiness.questionnaire import in_language
from readiness.weekly import suggestions_for

ACTIONS_A_PAGE = 30
OWNERS_SUGGESTED = 60
UNITS_TO_CHOOSE = 100


def _unit(request: HttpRequest, me: User, initiative: Initiative) -> Unit:
    """The unit the action is for: the one asked for, else the one she leads, else the whole."""
    code = request.POST.get("unit") or request.GET.get("unit", "")
    if "\0" in code:
        raise Http404
    if code:
        return get_object_or_404(Unit, code=code[:40])
    led = [unit for unit in units_managed(me) if unit.path.startswith(initiative.unit.path)]
    return led[0] if led else initiative.unit


@require_http_methods(["GET", "HEAD", "POST"])
def action_new(request: HttpRequest, slug: str) -> HttpResponse:
    """Agree on an action for a unit, with what others do in such a case beside it."""
    me = signed_in(request)
    day = timezone.localdate()
    initiative = get_object_or_404(initiatives_for(me).select_related("unit"), slug=slug)
    unit = _unit(request, me, initiative)
    if not actions.may_act(me, initiative, unit):
        raise Http404
    waves = Wave.objects.with_results().filter(initiative=initiative)
    wanted = as_id(request.POST.get("wave") or request.GET.get("wave", ""))
    wave = waves.filter(pk=wanted).first() if wanted else waves.order_by("-closes_at").first()
    block = (request.POST.get("block") or request.GET.get("block", ""))[:40]
    blocks = (
        {b["code"]: in_language(b["title"], request.LANGUAGE_CODE) for b in wave.questionnaire["blocks"]}
        if wave
        else {}
    )
    block = block if block in blocks else ""
    form = ActionForm(
        request.POST if request.method == "POST" else None,
        me=me,
        owners=list(actions.possible_owners(me, initiative, unit, day).order_by("name", "pk")[:OWNERS_SUGGESTED]),
    )
    if form.is_valid():
        data = form.cleaned_data
        try:
            actions.set_action(initiative=initiative, unit=unit, wave=wave, block=block, by=me, **data)
        except ActionRefused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        else:
            messages.success(request, _("Set. Staff of %(unit)s see it beside the results.") % {"unit": unit})
            return redirect("actions", slug)
    context = {
        "initiative": initiative, "unit": unit, "wave": wave, "of_block": block, "block_title": blocks.get(block, ""),
        "form": form, "helps": suggestions_for([block]).get(block, []) if block else [],
        "units": _units_to_choose(me, initiative, unit) if request.method != "POST" else [],
    }  # fmt: skip
    return render(request, "readiness/action_edit.html", context, status=422 if form.errors else 200)


def _units_to_choose(me: User, initiative: Initiative, unit: Unit) -> list[Unit]:
    """Other units she may set an action for: those she leads, for the team the whole, and what is right below either."""
    tops = [initiative.unit] if may_run(me, initiative) else units_managed(me)
    within = Q(pk=unit.pk)
    for top in tops:
        deepest = max(top.depth, initiative.unit.depth) + 1
        within |= Q(path__startswith=top.path, depth__lte=deepest)
    rows = Unit.objects.filter(within, path__startswith=initiative.unit.path).order_by("path")
    return list(rows[:UNITS_TO_CHOOSE])


@require_GET
def action_list(request: HttpRequest, slug: str) -> HttpResponse:
    """What is done: for staff in their line of units, for who leads also below, for the team everywhere."""
    me = signed_in(request)
    day = timezone.localdate()
    initiative = get_object_or_404(initiatives_for(me).select_related("unit"), slug=slug)
    rows = actions.actions_for(me, initiative, day)
    runs, led = may_run(me, initiative), units_managed(me, day)
    if not (runs or led or is_concerned(me, initiative, unit_of(me, day))) and not rows.exists():
        raise Http404
    page = Paginator(rows, ACTIONS_A_PAGE).get_page(request.GET.get("page"))
    moves = actions.moves_of(initiative, page.object_list)
    led_paths = tuple(top.path for top in led) or ("-",)
    shown = [
        (
            row,
            row.is_overdue(day),
            moves.get(row.pk),
            runs or row.owner_id == me.pk or row.unit.path.startswith(led_paths),
        )
        for row in page.object_list
    ]
    context = {
        "initiative": initiative,
        "actions": shown,
        "page_of_actions": page,
        # What she can do something about.
        "overdue": sum(is_overdue and may_end for _row, is_overdue, _moved, may_end in shown),
        "may_set": runs or any(_touch(top, initiative.unit) for top in led),
    }
    return render(request, "readiness/actions.html", context)


def _touch(one: Unit, other: Unit) -> bool:
    return one.path.startswith(other.path) or other.path.startswith(one.path)


@require_http_methods(["GET", "HEAD", "POST"])
def action(request: HttpRequest, pk: int) -> HttpResponse:
    """End one action, or move its date."""
    me = signed_in(request)
    day = timezone.localdate()
    found = get_object_or_404(Action.objects.select_related("initiative__unit", "unit", "owner"), pk=pk)
    leads = actions.may_act(me, found.initiative, found.unit)
    if not leads and found.owner_id != me.pk:
        raise Http404
    moves = request.method == "POST" and "move" in request.POST
    ends = request.method == "POST" and not moves
    end_form = EndActionForm(request.POST if ends else None)
    move_form = MoveActionForm(request.POST if moves else None, initial={"due_on": max(found.due_on, day)})
    form = move_form if moves else end_form
    if form.is_valid():
        try:
            if moves:
                actions.move_action(action=found, by=me, **form.cleaned_data)
            else:
                actions.end_action(action=found, by=me, **form.cleaned_data)
        except ActionRefused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        else:
            messages.success(request, _("Moved.") if moves else _("Ended, for staff to read."))
            # Who only does it may sit where the page of the change is not hers.
            known = initiatives_for(me).filter(pk=found.initiative_id).exists()
            return redirect("actions", found.initiative.slug) if known else redirect("action", pk)
    context = {
        "action": found,
        "is_overdue": found.is_overdue(day),
        "moved": actions.moves_of(found.initiative, [found]).get(found.pk),
        "end_form": end_form,
        "move_form": move_form,
        "leads": leads,
    }
    return render(request, "readiness/action.html", context, status=422 if form.errors else 200)
