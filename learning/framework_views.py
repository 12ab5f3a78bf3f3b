"""The door through which an edition comes into force: what it does to people is read first."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from competencies import lifecycle
from competencies.lifecycle import NotPossible
from competencies.models import Competency, FrameworkVersion, RoleProfile
from competencies.perms import steward
from courses.models import CoursePage
from learning.framework_impact import ask_for_impact
from organisations.models import Job, User

NAMED_MOST = 50


@require_http_methods(["GET", "HEAD", "POST"])
def framework_publish(request: HttpRequest, pk: int) -> HttpResponse:
    """What publishing this draft does to roles, levels, paths and courses; then the button.

    The figures are measured by a job of the draft as it is; what is published is just that draft, or nothing.
    """
    me = steward(request)
    version = get_object_or_404(
        FrameworkVersion.objects.select_related("framework", "previous__framework", "extends__framework"), pk=pk
    )
    if not version.is_draft:
        if request.method == "POST":  # pressed twice
            return redirect("framework_version", pk=pk)
        raise Http404
    if lifecycle.needs_proposal(version):
        version = lifecycle.propose_crosswalk(version=version)
    if request.method == "POST":
        try:
            lifecycle.publish_version(version=version, by=me, seen=request.POST.get("state", ""))
        except NotPossible as error:
            messages.error(request, str(error))
            return redirect("framework_publish", pk=pk)
        messages.success(
            request, _("“%(version)s” is in force. Learning paths are being brought up to date.") % {"version": version}
        )
        return redirect("framework_version", pk=pk)
    objections = lifecycle.objections_to_publishing(version)
    job = None if objections else ask_for_impact(version=version, by=me, day=timezone.localdate())
    context: dict[str, Any] = {"version": version, "objections": objections, "job": job}
    if job is not None:
        context |= _report(job, me)
    template = "learning/partials/_impact.html" if request.htmx else "learning/framework_publish.html"  # type: ignore[attr-defined]
    return render(request, template, context)


def _report(job: Job, viewer: User) -> dict[str, Any]:
    """The job's figures with what they speak of looked up. People are named where the viewer may see them, else counted."""
    report = job.report
    if not report:
        return {"report": None}
    ids = [row[0] for row in report["rows"]]
    named = {
        person.pk: person
        for person in User.objects.visible_to(viewer).filter(pk__in=ids).only("pk", "name", "known_as", "email")
    }
    keys = {key for row in report["rows"] for key in (*row[3], *row[4])}
    titles = dict(CoursePage.objects.filter(key__in=keys).order_by("-pk").values_list("key", "title"))
    profiles = RoleProfile.objects.select_related("role").in_bulk([pk for pk, _n in report["roles_withdrawn"]])
    about = [pk for pk, _n in report["evidence_withdrawn"]] + [pk for _c, pks in report["courses"] for pk in pks]
    competencies = Competency.objects.in_bulk(about)
    courses = CoursePage.objects.in_bulk([pk for pk, _ids in report["courses"]])
    rows = [
        {
            "person": named[pk],
            "before": before,
            "after": after,
            "added": [titles.get(key, key) for key in added],
            "removed": [titles.get(key, key) for key in removed],
        }
        for pk, before, after, added, removed in report["rows"]
        if pk in named
    ]
    return {
        "report": report,
        "rows": rows[:NAMED_MOST],
        "unnamed": report["changed"] - len(rows[:NAMED_MOST]),
        "roles_withdrawn": [(profiles[pk], n) for pk, n in report["roles_withdrawn"] if pk in profiles],
        "evidence_withdrawn": [(competencies[pk], n) for pk, n in report["evidence_withdrawn"] if pk in competencies],
        "courses": [
            (courses[pk], [competencies[c] for c in pks if c in competencies])
            for pk, pks in report["courses"]
            if pk in courses
        ],
    }
