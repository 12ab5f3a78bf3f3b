"""Doors to curated paths: HR composes and publishes them, everybody sees where she is in one."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from courses.models import CourseOutcome, CoursePage
from courses.searching import find_courses
from learning import curated
from learning.curated import CourseLine, NotPossible, Shown
from learning.curated_forms import NewPathForm, NewStageForm, PathForm, PublishForm, StageForm
from learning.curated_words import changes_words
from learning.enums import CuratedStatus
from learning.models import CuratedPath, CuratedVersion
from learning.stages import Stage, differences, minutes_left
from organisations.ids import as_id
from organisations.models import User
from organisations.perms import hr_officer, signed_in

PATHS_A_PAGE = 20
COURSES_SHOWN = 30


def _language() -> str:
    return get_language() or settings.LANGUAGE_CODE


def _path(officer: User, pk: int) -> CuratedPath:
    return get_object_or_404(curated.paths_edited_by(officer), pk=pk)


def _draft(officer: User, pk: int) -> CuratedVersion:
    path = _path(officer, pk)
    version = get_object_or_404(CuratedVersion, path=path, status=CuratedStatus.DRAFT)
    version.path = path
    return version


def _pressed(request: HttpRequest) -> str:
    """Which button: one that moves something carries the place it leads to."""
    if request.method != "POST":
        return ""
    return "move" if "to" in request.POST else request.POST.get("do", "")


# --- The paths there are -----------------------------------------------------------------------------------------
@require_GET
def curated_list(request: HttpRequest) -> HttpResponse:
    """Which paths are there, who has them, and how far are people?"""
    me = hr_officer(request)
    page = Paginator(curated.paths_open_to(me), PATHS_A_PAGE).get_page(request.GET.get("page"))
    paths = list(page.object_list)
    ids = [path.pk for path in paths]
    versions, spread = curated.versions_in_work(ids), curated.spread_for(me, ids)
    rows = []
    for path in paths:
        published, draft = versions[path.pk]
        rows.append(
            {
                "path": path,
                "title": version.title if (version := published or draft) else path.key,
                "assign_url": _assign_url(path),
                "published": published,
                "draft": draft,
                "spread": spread.get(path.pk, curated.Spread()),
            }
        )
    return render(request, "learning/curated_list.html", {"rows": rows, "page_of_paths": page})


@require_http_methods(["GET", "HEAD", "POST"])
def curated_new(request: HttpRequest) -> HttpResponse:
    """Say what the path is called and for whom it is; its stages come next."""
    me = hr_officer(request)
    form = NewPathForm(request.POST or None, officer=me)
    if request.method == "POST" and form.is_valid():
        try:
            version = curated.make_path(
                unit=form.cleaned_data["unit"], title=form.words("title"), summary=form.words("summary"), by=me
            )
            return redirect("curated_draft", pk=version.path_id)
        except NotPossible as error:
            form.add_error(f"title_{settings.LANGUAGE_CODE}", str(error))
    return render(request, "learning/curated_new.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
def curated_path(request: HttpRequest, pk: int) -> HttpResponse:
    """The path as it is in force, the draft beside it, and what each version changed."""
    me = hr_officer(request)
    path = _path(me, pk)
    versions = list(path.versions.select_related("published_by").order_by("number"))
    stages = curated.stages_of(version.pk for version in versions)
    shown = curated.shown_courses([stage for parts in stages.values() for stage in parts], _language())
    history: list[dict[str, Any]] = []
    for before, version in zip([None, *versions], versions, strict=False):
        changes = (
            changes_words(before, version, differences(stages[before.pk], stages[version.pk]), shown) if before else []
        )
        history.append({"version": version, "changes": changes})
    published = next((v for v in versions if v.status == CuratedStatus.PUBLISHED), None)
    draft = next((row for row in history if row["version"].status == CuratedStatus.DRAFT), None)
    context = {
        "path": path,
        "published": published,
        "draft": draft,
        "title": (published or versions[-1]).title,
        "summary": (published or versions[-1]).summary,
        "parts": _parts(stages[published.pk], shown) if published else [],
        "minutes": minutes_left(stages[published.pk], shown.minutes) if published else 0,
        "spread": curated.spread_for(me, [path.pk]).get(path.pk, curated.Spread()),
        "history": [row for row in reversed(history) if row is not draft],
        "assign_url": _assign_url(path),
    }
    return render(request, "learning/curated_path.html", context)


def _assign_url(path: CuratedPath) -> str:
    return f"{reverse('assign')}?kind=path&curated_path={path.pk}"


def _parts(stages: tuple[Stage, ...], shown: Shown) -> list[dict[str, Any]]:
    """Stages for a template, each with its courses and the places next to it."""
    return [
        {
            "stage": stage,
            "courses": [shown.lines[key] for key in stage.keys],
            "before": number - 1,
            "after": number + 1 if number < len(stages) else 0,
        }
        for number, stage in enumerate(stages, start=1)
    ]


# --- The draft ---------------------------------------------------------------------------------------------------
@require_POST
def curated_start_draft(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin the next version, or go on with the one begun."""
    me = hr_officer(request)
    path = _path(me, pk)
    try:
        curated.new_draft(path=path, by=me)
    except NotPossible as error:
        messages.error(request, str(error))
        return redirect("curated_path", pk=pk)
    return redirect("curated_draft", pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
def curated_draft(request: HttpRequest, pk: int) -> HttpResponse:
    """The draft: its words, its stages in their order, and what it changes."""
    me = hr_officer(request)
    version = _draft(me, pk)
    wanted = _pressed(request)
    words = PathForm(
        request.POST if wanted == "words" else None,
        titles=version.title,
        summaries=version.summary,
        auto_id="path_%s",
    )
    added = NewStageForm(request.POST if wanted == "add" else None, auto_id="new_%s")
    refusal = ""
    if request.method == "POST":
        try:
            anchor = _change_draft(request, version, wanted, words, added, me)
        except NotPossible as error:
            anchor, refusal = None, str(error)
        if anchor is not None:
            return redirect(f"{reverse('curated_draft', args=[pk])}{anchor}")
    published = CuratedVersion.objects.filter(path=version.path, status=CuratedStatus.PUBLISHED).first()
    stages = curated.stages_of([version.pk, *([published.pk] if published else [])])
    shown = curated.shown_courses([stage for parts in stages.values() for stage in parts], _language())
    context = {
        "path": version.path,
        "version": version,
        "published": published,
        "parts": _parts(stages[version.pk], shown),
        "minutes": minutes_left(stages[version.pk], shown.minutes),
        "objections": curated.objections_to_publishing(version, stages[version.pk], shown),
        "changes": changes_words(published, version, differences(stages[published.pk], stages[version.pk]), shown)
        if published
        else [],
        "words_form": words,
        "stage_form": added,
        "refusal": refusal,
    }
    return render(request, "learning/curated_draft.html", context, status=422 if request.method == "POST" else 200)


def _change_draft(
    request: HttpRequest, version: CuratedVersion, wanted: str, words: PathForm, added: NewStageForm, me: User
) -> str | None:
    """Do what was pressed; where to look next, None where a form is not right. Raises NotPossible."""
    stage_id = as_id(request.POST.get("stage", "")) or 0
    match wanted:
        case "words":
            if not words.is_valid():
                return None
            curated.change_words(version=version, title=words.words("title"), summary=words.words("summary"), by=me)
            messages.success(request, _("Saved."))
            return ""
        case "add":
            if not added.is_valid():
                return None
            stage = curated.add_stage(version=version, title=added.words("title"), by=me)
            return f"#stage-{stage.pk}"
        case "move":
            curated.move_stage(version=version, stage_id=stage_id, to=as_id(request.POST.get("to", "")) or 1, by=me)
            return f"#stage-{stage_id}"
        case "remove":
            curated.remove_stage(version=version, stage_id=stage_id, by=me)
            return "#stages"
        case _:
            raise NotPossible(_("Press one of the buttons of this page."))


@require_http_methods(["GET", "HEAD", "POST"])
def curated_stage(request: HttpRequest, pk: int, stage_id: int) -> HttpResponse:
    """One stage of the draft: its title, how many of its courses to choose, and its courses from the catalogue."""
    me = hr_officer(request)
    version = _draft(me, pk)
    stages = curated.stages_of([version.pk])[version.pk]
    stage = next((stage for stage in stages if stage.id == stage_id), None)
    if stage is None:
        raise Http404
    wanted = _pressed(request)
    form = StageForm(request.POST if wanted == "change" else None, titles=stage.title, initial={"choose": stage.choose})
    query = request.GET.get("q", "")[:100].replace("\x00", "")
    refusal = ""
    if request.method == "POST":
        try:
            anchor = _change_stage(request, version, stage, wanted, form, me)
        except NotPossible as error:
            anchor, refusal = None, str(error)
        if anchor is not None:
            return redirect(f"{reverse('curated_stage', args=[pk, stage_id])}{anchor}")
    shown = curated.shown_courses(stages, _language())
    found, total = _to_add(query, stages, shown)
    context = {
        "path": version.path,
        "version": version,
        "stage": stage,
        "courses": [
            {"line": shown.lines[key], "before": n - 1, "after": n + 1 if n < len(stage.keys) else 0}
            for n, key in enumerate(stage.keys, start=1)
        ],
        "form": form,
        "query": query,
        "found": found,
        "total": total,
        "refusal": refusal,
    }
    return render(request, "learning/curated_stage.html", context, status=422 if request.method == "POST" else 200)


def _change_stage(
    request: HttpRequest, version: CuratedVersion, stage: Stage, wanted: str, form: StageForm, me: User
) -> str | None:
    """Do what was pressed; where to look next, None where the form is not right. Raises NotPossible."""
    key = request.POST.get("course", "")
    match wanted:
        case "change":
            if not form.is_valid():
                return None
            choose = form.cleaned_data["choose"]
            try:
                curated.change_stage(
                    version=version, stage_id=stage.id, title=form.words("title"), choose=choose, by=me
                )
            except NotPossible as error:
                form.add_error("choose" if choose != stage.choose else None, str(error))
                return None
            messages.success(request, _("Saved."))
            return ""
        case "add":
            keys = request.POST.getlist("course")
            if not keys:
                raise NotPossible(_("Tick at least one course to add."))
            curated.add_courses(version=version, stage_id=stage.id, keys=keys, by=me)
            return "#courses"
        case "move":
            to = as_id(request.POST.get("to", "")) or 1
            curated.move_course(version=version, stage_id=stage.id, key=key, to=to, by=me)
            return "#courses"
        case "remove":
            curated.remove_course(version=version, stage_id=stage.id, key=key, by=me)
            return "#courses"
        case _:
            raise NotPossible(_("Press one of the buttons of this page."))


def _to_add(query: str, stages: tuple[Stage, ...], shown: Shown) -> tuple[list[CourseLine], int]:
    """Courses of the catalogue that are not in the path yet: the first of them, and how many there are."""
    there = {key for stage in stages for key in stage.keys}
    if query:
        outcomes = Prefetch("outcomes", CourseOutcome.objects.select_related("competency"))
        pages = find_courses(CoursePage.objects.offered().prefetch_related(outcomes), query)
        keys = list(dict.fromkeys(page.key for page, _fit in pages))
    else:
        keys = sorted(shown.offered, key=lambda key: shown.offered[key].page_for(_language()).title.casefold())
    free = [key for key in keys if key not in there and key in shown.offered]
    lines = [CourseLine(key, shown.offered[key].page_for(_language()), True) for key in free[:COURSES_SHOWN]]
    return lines, len(free)


@require_http_methods(["GET", "HEAD", "POST"])
def curated_publish(request: HttpRequest, pk: int) -> HttpResponse:
    """What publishing does to those who have the path; then the button. What is published is what was read, or nothing."""
    me = hr_officer(request)
    path = _path(me, pk)
    version = path.versions.filter(status=CuratedStatus.DRAFT).first()
    if version is None:
        if request.method == "POST":  # pressed twice
            return redirect("curated_path", pk=pk)
        raise Http404
    form = PublishForm(request.POST or None)
    refusal = ""
    if request.method == "POST" and form.is_valid():
        try:
            curated.publish_version(
                version=version, by=me, note=form.cleaned_data["note"], seen=request.POST.get("state", "")
            )
        except NotPossible as error:
            refusal = str(error)
        else:
            messages.success(
                request,
                _("Version %(number)s is in force. The paths of those who have it are being brought up to date.")
                % {"number": version.number},
            )
            return redirect("curated_path", pk=pk)
    published = path.versions.filter(status=CuratedStatus.PUBLISHED).first()
    stages = curated.stages_of([version.pk, *([published.pk] if published else [])])
    before = stages[published.pk] if published else ()
    after = stages[version.pk]
    shown = curated.shown_courses([*before, *after], _language())
    objections = curated.objections_to_publishing(version, after, shown)
    changes = changes_words(published, version, differences(before, after), shown) if published else []
    if published and not changes and not objections:
        objections = [_("The draft says what the published version says. There is nothing to publish.")]
    context = {
        "path": path,
        "version": version,
        "published": published,
        "objections": objections,
        "changes": changes,
        "effect": None if objections else curated.effect_of(path, before, after, shown),
        "minutes": minutes_left(after, shown.minutes),
        "minutes_before": minutes_left(before, shown.minutes),
        "state": curated.state_digest(version, after),
        "form": form,
        "refusal": refusal,
    }
    wrong = request.method == "POST"
    return render(request, "learning/curated_publish.html", context, status=422 if wrong else 200)


@require_POST
def curated_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Discard the draft; a path that was never published goes with it."""
    me = hr_officer(request)
    path = _path(me, pk)
    version = path.versions.filter(status=CuratedStatus.DRAFT).first()
    if version is None:  # pressed twice
        return redirect("curated_path", pk=pk)
    try:
        is_left = curated.discard_draft(version=version, by=me)
    except NotPossible as error:
        messages.error(request, str(error))
        return redirect("curated_path", pk=pk)
    messages.success(request, _("The draft was discarded."))
    return redirect("curated_path", pk=pk) if is_left else redirect("curated_list")


@require_POST
def curated_archive(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the path away, or bring it back (`do`: restore)."""
    me = hr_officer(request)
    path = _path(me, pk)
    try:
        if request.POST.get("do") == "restore":
            curated.restore_path(path=path, by=me)
            messages.success(request, _("The path is back."))
        else:
            curated.archive_path(path=path, by=me)
            messages.success(request, _("The path was put away. You can bring it back at any time."))
    except NotPossible as error:
        messages.error(request, str(error))
    return redirect("curated_path", pk=pk)


# --- For everybody -----------------------------------------------------------------------------------------------
@require_GET
def curated_seen(request: HttpRequest, key: str) -> HttpResponse:
    """The path as a person sees it: what is done or counts already, what is next, what she can choose."""
    me = signed_in(request)
    version = get_object_or_404(
        CuratedVersion.objects.select_related("path__unit"),
        path__key=key,
        path__archived_at__isnull=True,
        status=CuratedStatus.PUBLISHED,
    )
    seen = curated.seen_path(me, version, _language())
    assignment = seen.assignment
    context = {
        "seen": seen,
        "is_overdue": assignment is not None
        and assignment.due_on is not None
        and not seen.is_complete
        and assignment.due_on < timezone.localdate(),
    }
    return render(request, "learning/curated_seen.html", context)
