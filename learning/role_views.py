"""The doors through which HR ends an assigned role or gives another one instead. What it does is read first."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from competencies.models import RoleAssignment
from competencies.services import end_role
from learning.forms import ReplaceForm
from learning.roles import effect_of_ending
from learning.services import replace_role
from organisations import perms
from organisations.models import User
from organisations.perms import signed_in


def _assignment(request: HttpRequest, person_id: int, pk: int) -> tuple[User, RoleAssignment]:
    """The assigned role of a person whose roles the reader looks after."""
    me = signed_in(request)
    person = get_object_or_404(User.objects.visible_to(me), pk=person_id)
    if not perms.is_hr_of(me, person):
        raise PermissionDenied(_("Roles are assigned and ended by the HR officers of the person’s unit."))
    rows = RoleAssignment.objects.filter(person=person).select_related(
        "person", "profile__role__version__framework", "assignment"
    )
    return me, get_object_or_404(rows, pk=pk)


def _is_over(assignment: RoleAssignment) -> bool:
    return assignment.ends_on is not None and assignment.ends_on <= timezone.localdate()


def _back(request: HttpRequest, assignment: RoleAssignment, sentence: str, *, done: bool) -> HttpResponse:
    (messages.success if done else messages.info)(
        request, sentence % {"name": assignment.person.name, "role": assignment.profile}
    )
    return redirect("team_member", person_id=assignment.person_id)


@require_http_methods(["GET", "HEAD", "POST"])
def role_end(request: HttpRequest, person_id: int, pk: int) -> HttpResponse:
    """What ending this role does; then the button. Pressed twice it ends once."""
    me, assignment = _assignment(request, person_id, pk)
    if _is_over(assignment):
        return _back(request, assignment, _("“%(role)s” of %(name)s has ended already."), done=False)
    if request.method == "POST":
        end_role(assignment=assignment, by=me, ends_on=timezone.localdate())
        return _back(request, assignment, _("“%(role)s” of %(name)s has ended. The path is up to date."), done=True)
    context = {"person": assignment.person, "assignment": assignment, "effect": effect_of_ending(assignment)}
    return render(request, "learning/role_end.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def role_replace(request: HttpRequest, person_id: int, pk: int) -> HttpResponse:
    """Which role instead; then what it does, and the button. Nothing is written before that; pressed twice it counts once."""
    me, assignment = _assignment(request, person_id, pk)
    if _is_over(assignment):
        return _back(request, assignment, _("“%(role)s” of %(name)s has ended already."), done=False)
    data = request.POST if request.method == "POST" else request.GET
    context: dict[str, Any] = {"person": assignment.person, "assignment": assignment, "effect": None}
    if request.method != "POST" and "profile" not in data:
        path, today = getattr(assignment, "assignment", None), timezone.localdate()
        due_on = path.due_on if path is not None and path.due_on and path.due_on > today else None
        context["form"] = ReplaceForm(assignment=assignment, initial={"due_on": due_on})
        return render(request, "learning/role_replace.html", context)
    form = ReplaceForm(data, assignment=assignment)
    context["form"] = form
    if not form.is_valid():
        return render(request, "learning/role_replace.html", context, status=422)
    profile, due_on = form.cleaned_data["profile"], form.cleaned_data["due_on"]
    if request.method == "POST":
        day = timezone.localdate()
        has, new = replace_role(assignment=assignment, profile=profile, due_on=due_on, by=me, day=day)
        if not new and has.pk == assignment.pk:  # another press ended it meanwhile, whatever it gave instead
            return _back(request, assignment, _("“%(role)s” of %(name)s has ended already."), done=False)
        messages.success(
            request,
            _("%(name)s has “%(new)s” instead of “%(old)s”. The path is up to date.")
            % {"name": assignment.person.name, "new": profile, "old": assignment.profile},
        )
        return redirect("team_member", person_id=assignment.person_id)
    context |= {
        "effect": effect_of_ending(assignment, instead=profile),
        "profile": profile,
        "due_on": due_on,
    }
    return render(request, "learning/role_replace.html", context)
