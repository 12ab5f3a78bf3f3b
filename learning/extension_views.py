"""The doors of more time: a person asks and withdraws, her manager or HR decides."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from learning import extensions
from learning.enums import Decision
from learning.extension_forms import AskForm, DecideForm, suggested_until
from learning.extensions import ExtensionDecided, ExtensionRefused
from learning.models import Assignment, ExtensionRequest
from learning.room import rooms_of
from learning.titles import titles_of
from organisations.models import User
from organisations.perms import signed_in


# --- The person ------------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def ask_extension(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for a later date of what is asked of me, with what can be done at my pace beside it."""
    me = signed_in(request)
    day = timezone.localdate()
    assignment = get_object_or_404(
        Assignment.objects.current(day).filter(person=me).select_related(
            "role_assignment__profile__role", "curated_path"
        ),
        pk=pk,
    )  # fmt: skip
    waiting = ExtensionRequest.objects.filter(assignment=assignment, decision="").exists()
    try:
        extensions.check_can_be_extended(assignment, day)
        if waiting and request.method != "POST":
            raise ExtensionRefused(_("You have asked already. Wait for the answer, or withdraw your request first."))
    except ExtensionRefused as refused:
        messages.info(request, str(refused))
        return redirect("path")
    due_on = assignment.due_on
    if due_on is None:
        raise Http404
    room = rooms_of([me.pk], day)[me.pk]
    form = AskForm(request.POST if request.method == "POST" else None, initial={"until": suggested_until(room, due_on)})
    if form.is_valid():
        try:
            extensions.ask_extension(
                assignment=assignment, until=form.cleaned_data["until"], reason=form.cleaned_data["reason"], by=me
            )
        except ExtensionRefused as refused:
            form.add_error(refused.field or None, str(refused))
        else:
            messages.success(request, _("Asked. You get the answer by mail; until then your date stays as it is."))
            return redirect("path")
    deciders = extensions.deciders_of([me.pk], day)[me.pk]
    context = {
        "form": form,
        "assignment": assignment,
        "title": titles_of([assignment])[assignment.pk],
        "minutes": room.minutes_by(due_on),
        "realistic_on": room.realistic_from(due_on),
        "is_enough": room.is_enough(due_on),
        "is_over": due_on < day,
        "deciders": deciders,
    }
    return render(request, "learning/extension_ask.html", context, status=422 if form.errors else 200)


@require_POST
def withdraw_extension(request: HttpRequest, pk: int) -> HttpResponse:
    me = signed_in(request)
    asked = get_object_or_404(ExtensionRequest.objects.filter(assignment__person=me), pk=pk)
    try:
        extensions.withdraw_extension(request=asked, by=me)
        messages.success(request, _("Withdrawn: your date stays as it is."))
    except ExtensionRefused as refused:
        messages.info(request, str(refused))
    return redirect("path")


# --- Who decides -----------------------------------------------------------------------------------------------------
@require_GET
def team_extensions(request: HttpRequest) -> HttpResponse:
    """All requests that wait for me, each with its form."""
    me = signed_in(request)
    day = timezone.localdate()
    views = extensions.request_views(extensions.requests_for(me, day), day)
    return render(request, "learning/extensions.html", {"requests": [(view, DecideForm(view=view)) for view in views]})


@require_http_methods(["GET", "HEAD", "POST"])
def decide_extension(request: HttpRequest, pk: int) -> HttpResponse:
    """One request: what is left to learn, from when it can be done, and the decision."""
    me = signed_in(request)
    day = timezone.localdate()
    asked = get_object_or_404(
        ExtensionRequest.objects.filter(
            assignment__person__in=User.objects.visible_to(me).values("pk")
        ).select_related(
            "assignment__person", "assignment__role_assignment__profile__role", "assignment__curated_path", "decided_by"
        ),
        pk=pk,
    )  # fmt: skip
    if not extensions.may_decide(me, asked.assignment.person):
        raise Http404
    [view] = extensions.request_views([asked], day)
    form = DecideForm(request.POST if request.method == "POST" else None, view=view)
    if form.is_valid():
        try:
            messages.success(request, _decided(asked, form, me))
        except ExtensionDecided as refused:
            messages.info(request, str(refused))
            return redirect("team_extensions")
        except ExtensionRefused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        else:
            return redirect("team_extensions")
    context = {"view": view, "form": form, "is_open": not asked.decision}
    return render(request, "learning/extension_decide.html", context, status=422 if form.errors else 200)


def _decided(asked: ExtensionRequest, form: DecideForm, me: User) -> str:
    data = form.cleaned_data
    values = {"name": asked.assignment.person.name}
    if data["decision"] == Decision.REFUSED:
        extensions.refuse_extension(request=asked, by=me, answer=data["answer"])
        return _("Refused. %(name)s gets your answer by mail.") % values
    granted = extensions.grant_extension(request=asked, by=me, until=data["until"], answer=data["answer"])
    values["day"] = formats.date_format(granted.granted_until or data["until"], "DATE_FORMAT")
    return _("Granted: it is due on %(day)s now. %(name)s gets your answer by mail.") % values
