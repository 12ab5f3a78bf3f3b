"""The door of the exceptions: what does not go as asked in the units an officer serves, and what she does about it."""

from __future__ import annotations

from collections import Counter
from datetime import date

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from learning import exceptions as acts
from learning.exception_forms import AGAIN, EXEMPT, LEAVE, ActForm, ExceptionFilter, read_day
from learning.exceptions import ActRefused, Kind, Row
from learning.models import Assignment
from organisations.ids import as_id
from organisations.models import User
from organisations.perms import hr_officer

PAGE = 25


@require_http_methods(["GET", "HEAD", "POST"])
def exceptions(request: HttpRequest) -> HttpResponse:
    me = hr_officer(request)
    if request.method == "POST":
        return _act(request, me)
    return _list(request, me, ActForm())


@require_GET
def exceptions_count(request: HttpRequest) -> HttpResponse:
    """The number for the link on the HR desk, fetched beside the desk: working it out would hold the desk up."""
    count = acts.count_for(hr_officer(request))
    words = ngettext("%(n)s exception", "%(n)s exceptions", count) % {"n": count} if count else _("Exceptions")
    return HttpResponse(words)


def _list(request: HttpRequest, me: User, form: ActForm, status: int = 200) -> HttpResponse:
    day = timezone.localdate()
    chosen = ExceptionFilter(request.GET or None, officer=me)
    valid = chosen.is_valid()
    kind = Kind(chosen.cleaned_data["kind"]) if valid and chosen.cleaned_data["kind"] else None
    unit = chosen.cleaned_data["unit"] if valid else None
    worklist = acts.worklist_of(me, kind=kind, unit=unit, as_of=day)
    page = Paginator(worklist.rows, PAGE).get_page(request.GET.get("page"))
    ticks_all = request.method != "POST" and request.GET.get("tick") == "all"
    ticked = {pk for text in request.POST.getlist("rows") if (pk := as_id(text)) is not None}
    context = {
        "filter": chosen,
        "kind": kind,
        "kinds": Kind,
        "worklist": worklist,
        "page_of_rows": page,
        "rows": [
            (row, ticks_all or row.assignment.pk in ticked, _date_of(request, row, day)) for row in page.object_list
        ],
        "ticks_all": ticks_all,
        "tick_all_url": f"{reverse('exceptions')}?{_with(request.GET, tick='all')}",
        "form": form,
        "today": day,
    }
    return render(request, "learning/exceptions.html", context, status=status)


def _with(query: QueryDict, **changes: str) -> str:
    """The query of an address with these parameters, "" leaves one out."""
    data = query.copy()
    for name, value in changes.items():
        data.pop(name, None)
        if value:
            data[name] = value
    return data.urlencode()


def _date_of(request: HttpRequest, row: Row, day: date) -> date | None:
    """The date in the row: what was typed before, else what can be met."""
    return read_day(request.POST.get(f"due_{row.assignment.pk}", "")) or row.suggested


def _act(request: HttpRequest, me: User) -> HttpResponse:
    """Do the same with each of those ticked. Each has its own result; what cannot be done is said by name."""
    day = timezone.localdate()
    again = request.POST.get("do") == AGAIN
    form = ActForm(request.POST)
    wanted = [pk for text in request.POST.getlist("rows")[: 2 * PAGE] if (pk := as_id(text)) is not None]
    rows = acts.assignments_served(me, wanted, day) if wanted else []
    if not again and not form.is_valid():
        return _list(request, me, form, status=422)
    if not rows:
        if not again:
            form.add_error(None, _("Tick at least one row."))
            return _list(request, me, form, status=422)
        messages.info(request, _("Tick at least one row."))
    results: Counter[bool] = Counter()
    for assignment in rows:
        try:
            results[_done(request, me, form, assignment, again=again, day=day)] += 1
        except ActRefused as refused:
            messages.error(request, f"{assignment.person.name}: {refused}")
    if results[True]:
        messages.success(
            request, ngettext("Done for %(n)s person.", "Done for %(n)s.", results[True]) % {"n": results[True]}
        )
    if results[False]:
        messages.info(
            request,
            ngettext("%(n)s was so already.", "%(n)s were so already.", results[False]) % {"n": results[False]},
        )
    query = _with(request.GET, tick="")
    return redirect(reverse("exceptions") + (f"?{query}" if query else ""))


def _done(request: HttpRequest, me: User, form: ActForm, assignment: Assignment, *, again: bool, day: date) -> bool:
    if again:
        return acts.end_exemption(assignment=assignment, by=me, day=day)
    data = form.cleaned_data
    if data["do"] == EXEMPT:
        return acts.exempt(assignment=assignment, reason=data["reason"], by=me, day=day)
    if data["do"] == LEAVE:
        return acts.leave_as_it_is(assignment=assignment, until=data["until"], by=me, day=day)
    due_on = read_day(request.POST.get(f"due_{assignment.pk}", ""))
    if due_on is None:
        raise ActRefused(_("Choose a date in the row."))
    return acts.set_due_date(assignment=assignment, due_on=due_on, by=me, day=day)
