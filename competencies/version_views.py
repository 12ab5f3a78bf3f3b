"""Doors of stewards to the life of a version: its difference, its crosswalk, the next edition, an extension, alignments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from competencies import alignments, lifecycle, searching, wording
from competencies.desk import for_stewards
from competencies.differences import Changed, Difference, ProfileChange, ProfileKey, RequirementChange
from competencies.enums import CERTAIN_BASES, LinkRelation, SuccessionDecision
from competencies.forms import AlignForm, EditionForm, ExtensionForm
from competencies.importers.content import FrameworkContent, Text
from competencies.lifecycle import NotPossible
from competencies.loading import content_of
from competencies.models import (
    Alignment,
    Competency,
    CompetencySuccession,
    FrameworkVersion,
    ProfileSuccession,
    RoleProfile,
)
from competencies.perms import steward
from organisations.ids import as_id

PARTS_PAGE = 40
LINES_PAGE = 25
OPTIONS_MOST = 400
WITHDRAWN, LATER = "0", ""
PARTS = ("added", "withdrawn", "reworded", "roles")


def _version(pk: int) -> FrameworkVersion:
    return get_object_or_404(
        FrameworkVersion.objects.select_related("framework", "previous__framework", "extends__framework"), pk=pk
    )


def _draft(pk: int) -> FrameworkVersion:
    version = _version(pk)
    if not version.is_draft:
        raise Http404
    return version


def _in_reader_language(text: Text | None) -> str:
    if not text:
        return ""
    return text.get(get_language() or "") or next(iter(text.values()), "")


# --- The difference ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Titles:
    """Codes of both editions in words."""

    competencies: Mapping[str, str]
    profiles: Mapping[ProfileKey, str]

    @classmethod
    def of(cls, *contents: FrameworkContent) -> Titles:
        competencies: dict[str, str] = {}
        profiles: dict[ProfileKey, str] = {}
        for content in contents:
            competencies |= {c.code: _in_reader_language(c.title) for c in content.competencies}
            for role in content.roles:
                for profile in role.profiles:
                    title, grade = _in_reader_language(role.title), _in_reader_language(profile.grade)
                    profiles[role.code, profile.code] = f"{title}: {grade}" if grade else title
        return cls(competencies, profiles)


@require_GET
@for_stewards
def framework_difference(request: HttpRequest, pk: int) -> HttpResponse:
    """What the version changes against the edition before: added, withdrawn, reworded, levels moved."""
    version = _version(pk)
    if version.previous is None:
        raise Http404
    difference = lifecycle.difference_of(version)
    titles = Titles.of(content_of(version.previous), content_of(version))
    part = request.GET.get("part", "")
    if part not in PARTS:
        part = next((name for name in PARTS if _entries(difference, name)), PARTS[0])
    page = Paginator(_entries(difference, part), PARTS_PAGE).get_page(request.GET.get("page"))
    context = {
        "version": version,
        "difference": difference,
        "part": part,
        "parts": [
            (name, words, len(_entries(difference, name)))
            for name, words in (
                ("added", _("Added")),
                ("withdrawn", _("Withdrawn")),
                ("reworded", _("Reworded or moved")),
                ("roles", _("What roles require")),
            )
        ],
        "page_of_entries": page,
        "rows": [_row(entry, titles) for entry in page.object_list],
    }
    return render(request, "competencies/difference.html", context)


def _entries(difference: Difference, part: str) -> Sequence[Any]:
    match part:
        case "added":
            return difference.added
        case "withdrawn":
            return difference.withdrawn
        case "reworded":
            return difference.changed
        case _:
            added = [("added", key) for key in difference.profiles_added]
            withdrawn = [("withdrawn", key) for key in difference.profiles_withdrawn]
            return [*difference.profiles_changed, *added, *withdrawn]


def _row(entry: Any, titles: Titles) -> dict[str, Any]:
    if isinstance(entry, Changed):
        return {
            "title": titles.competencies[entry.new],
            "texts": [
                {"what": wording.rewording_words(r), "before": r.before, "after": r.after, "language": r.language}
                for r in entry.rewordings
            ],
            "moves": [wording.move_words(*move) for move in entry.moved],
        }
    if isinstance(entry, ProfileChange):
        return {
            "title": titles.profiles[entry.new],
            "texts": [
                {"what": wording.rewording_words(r), "before": r.before, "after": r.after, "language": r.language}
                for r in entry.rewordings
            ],
            "moves": [_requirement_words(change, titles) for change in entry.requirements],
        }
    if isinstance(entry, tuple):
        kind, key = entry
        words = _("This role is new.") if kind == "added" else _("This role is no longer there.")
        return {"title": titles.profiles[key], "texts": [], "moves": [words]}
    return {"title": titles.competencies[entry], "texts": [], "moves": [], "code": entry}


def _requirement_words(change: RequirementChange, titles: Titles) -> str:
    return wording.requirement_change_words(change, titles.competencies.get(change.competency, change.competency))


# --- The crosswalk -----------------------------------------------------------------------------------------------
Line = CompetencySuccession | ProfileSuccession


@require_http_methods(["GET", "HEAD", "POST"])
@for_stewards
def framework_crosswalk(request: HttpRequest, pk: int) -> HttpResponse:
    """What of the edition before is what in this one: sure lines in one press, the others one by one."""
    me = steward(request)
    version = _draft(pk)
    if request.method == "POST":
        return _act_on_crosswalk(request, version)
    if lifecycle.needs_proposal(version):
        version = lifecycle.propose_crosswalk(version=version)
    if version.previous is None:
        return redirect("framework_version", pk=version.pk)
    show_all = request.GET.get("show") == "all"
    lines = _lines(version, show_all=show_all)
    page = Paginator(lines, LINES_PAGE).get_page(request.GET.get("page"))
    query = searching.clean_query(request.GET.get("q", ""))
    free = _options(version, list(page.object_list), searching.words_of(query))
    longest, fitting = max(free.values(), key=lambda found: found[1])
    sure = sum(
        model.filter(decision=SuccessionDecision.PROPOSED, basis__in=CERTAIN_BASES).count()
        for model in (version.competency_successions, version.profile_successions)
    )
    total = version.competency_successions.count() + version.profile_successions.count()
    undecided = lifecycle.undecided_lines(version)
    context = {
        "me": me,
        "version": version,
        "sure": sure,
        "undecided": undecided,
        "decided": total - undecided,
        "total": total,
        "show_all": show_all,
        "page_of_lines": page,
        "query": query,
        "offered": len(longest),
        "fitting": fitting,
        "too_many": fitting > len(longest),
        "rows": [_line_row(line, free[type(line)][0]) for line in page.object_list],
    }
    return render(request, "competencies/crosswalk.html", context)


def _lines(version: FrameworkVersion, *, show_all: bool) -> list[Line]:
    """Lines to look at, competencies before roles: those that are not sure and not decided, or all."""
    found: list[Line] = []
    for lines in (
        version.competency_successions.select_related("old", "new").order_by("old__position", "pk"),
        version.profile_successions.select_related("old__role", "new__role").order_by(
            "old__role__position", "old__position", "pk"
        ),
    ):
        rows: QuerySet[Any] = lines
        if not show_all:
            rows = rows.filter(decision=SuccessionDecision.PROPOSED).exclude(basis__in=CERTAIN_BASES)
        found += list(rows)
    return found


Options = list[tuple[str, str]]


def _options(
    version: FrameworkVersion, lines: Sequence[Line], words: list[str]
) -> dict[type[Line], tuple[Options, int]]:
    """What a line may lead to beside its proposal: things of this edition that follow on nothing yet, and how many fit.

    Where there are more than a list can hold, words find each of them: the best match comes first.
    """
    free: dict[type[Line], tuple[Options, int]] = {CompetencySuccession: ([], 0), ProfileSuccession: ([], 0)}
    if any(isinstance(line, CompetencySuccession) for line in lines):
        taken = version.competency_successions.exclude(new=None).values("new")
        rows = version.competencies.exclude(pk__in=taken)
        if words:
            ids = searching.ranked_ids(rows, words)
            found = rows.in_bulk(ids[:OPTIONS_MOST])
            shown, count = [found[pk] for pk in ids[:OPTIONS_MOST] if pk in found], len(ids)
        else:
            shown, count = list(rows.order_by("position")[:OPTIONS_MOST]), rows.count()
        free[CompetencySuccession] = ([(str(row.pk), str(row)) for row in shown], count)
    if any(isinstance(line, ProfileSuccession) for line in lines):
        taken_profiles = version.profile_successions.exclude(new=None).values("new")
        profiles = (
            RoleProfile.objects.filter(role__version=version)
            .exclude(pk__in=taken_profiles)
            .select_related("role")
            .order_by("role__position", "position")
        )
        if words:
            roles = searching.ranked_ids(version.roles.all(), words)
            place = {pk: number for number, pk in enumerate(roles)}
            fitting = sorted((p for p in profiles if p.role_id in place), key=lambda p: place[p.role_id])
            named, count = fitting[:OPTIONS_MOST], len(fitting)
        else:
            named, count = list(profiles[:OPTIONS_MOST]), profiles.count()
        free[ProfileSuccession] = ([(str(row.pk), _profile_words(row)) for row in named], count)
    return free


def _profile_words(profile: RoleProfile) -> str:
    return f"{profile.role}: {profile.grade}" if str(profile.grade) else str(profile.role)


def _line_row(line: Line, options: Options) -> dict[str, Any]:
    """A line with its proposal beside it. What nobody has decided is decided by nobody's silence: it stands at "later"."""
    is_profile = isinstance(line, ProfileSuccession)
    words = _profile_words if is_profile else str
    choices = list(options)
    if line.new is not None:
        choices.insert(0, (str(line.new.pk), words(line.new)))
    proposed = str(line.new_id) if line.new_id is not None else WITHDRAWN
    decided = line.decision == SuccessionDecision.CONFIRMED
    name = f"{'p' if is_profile else 'c'}-{line.pk}"
    return {
        "name": name,
        "old": words(line.old),
        "is_role": is_profile,
        "description": "" if is_profile else str(line.old.description),
        "new_description": str(line.new.description) if isinstance(line.new, Competency) else "",
        "basis": line.get_basis_display(),
        "similarity": line.similarity,
        "choices": choices,
        "chosen": proposed if decided else LATER,
        "proposed": words(line.new) if line.new is not None else "",
        "take": "" if decided else f"{name}={proposed}",
        "decided": decided,
    }


def _act_on_crosswalk(request: HttpRequest, version: FrameworkVersion) -> HttpResponse:
    me = steward(request)
    # Where the reader was: the page, all lines or some, the words looked for.
    where = {name: request.GET[name] for name in ("show", "q", "page") if request.GET.get(name)}
    again = redirect(reverse("framework_crosswalk", args=[version.pk]) + (f"?{urlencode(where)}" if where else ""))
    try:
        if request.POST.get("do") == "sure":
            count = lifecycle.confirm_certain(version=version, by=me)
            messages.success(request, _("%(count)s lines are confirmed.") % {"count": count})
            return again
        decided = 0
        choices = {name: str(values[-1]) if values else LATER for name, values in request.POST.lists()}
        # One press takes the proposal of its line, as it was read, and keeps what is chosen beside it.
        taken, _equals, proposal = choices.pop("take", "").partition("=")
        for name, value in {**choices, **({taken: proposal} if taken else {})}.items():
            kind, _dash, number = name.partition("-")
            line, successor = as_id(number), as_id(value)  # LATER names none
            if kind not in ("c", "p") or line is None or successor is None:
                continue
            decided += _decide(version, kind, line, successor, me)
        messages.success(request, _("%(count)s lines are decided.") % {"count": decided})
    except NotPossible as error:
        messages.error(request, str(error))
    return again


def _decide(version: FrameworkVersion, kind: str, number: int, value: int, by: Any) -> int:
    """One line of the form; what has gone meanwhile is passed over, what stays as it is decided is not decided again."""
    lines: QuerySet[Any] = version.competency_successions if kind == "c" else version.profile_successions  # type: ignore[assignment]
    line = lines.filter(pk=number).first()
    if line is None:
        return 0
    successor: Any = None
    if value:
        things: QuerySet[Any] = (
            version.competencies.all() if kind == "c" else RoleProfile.objects.filter(role__version=version)
        )
        successor = things.filter(pk=value).first()
        if successor is None:
            raise NotPossible(_("What was chosen is not part of this draft any more. Please look again."))
    if line.decision == SuccessionDecision.CONFIRMED and line.new_id == (value or None):
        return 0
    lifecycle.decide_succession(line=line, successor=successor, by=by)
    return 1


# --- Drafts ------------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@for_stewards
def framework_next(request: HttpRequest, pk: int) -> HttpResponse:
    """A draft of the next edition, with everything this one holds."""
    version = _version(pk)
    if version.is_draft:
        raise Http404
    form = EditionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            draft = lifecycle.draft_next_edition(
                version=version, edition=form.cleaned_data["edition"], by=steward(request)
            )
        except NotPossible as error:
            form.add_error("edition", str(error))
        else:
            messages.success(request, _("The draft is there. Change what should be different, then publish it."))
            return redirect("framework_version", pk=draft.pk)
    context = {"version": version, "form": form}
    return render(request, "competencies/next_edition.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@for_stewards
def framework_extend(request: HttpRequest, pk: int) -> HttpResponse:
    """A framework of our own that adds to a published one; the published one is not touched."""
    version = _version(pk)
    if not version.is_published or version.extends_id is not None:
        raise Http404
    form = ExtensionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            draft = lifecycle.draft_extension(
                base=version,
                slug=data["slug"],
                title={get_language() or "en": data["title"]},
                publisher=data["publisher"],
                edition=data["edition"],
                by=steward(request),
            )
        except NotPossible as error:
            form.add_error("slug", str(error))
        else:
            messages.success(request, _("The extension is there as a draft. Add your competencies and roles to it."))
            return redirect("framework_version", pk=draft.pk)
    context = {"version": version, "form": form}
    return render(request, "competencies/extend.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@for_stewards
def framework_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a draft, after asking."""
    version = FrameworkVersion.objects.select_related("framework").filter(pk=pk).first()
    if version is None and request.method == "POST":  # pressed twice
        return redirect("framework_desk")
    if version is None or not version.is_draft:
        raise Http404
    if request.method == "POST":
        name = str(version)
        try:
            lifecycle.discard_draft(version=version, by=steward(request))
        except NotPossible as error:
            messages.error(request, str(error))
            return redirect("framework_version", pk=pk)
        messages.success(request, _("The draft “%(name)s” is gone.") % {"name": name})
        return redirect("framework_desk")
    return render(request, "competencies/discard.html", {"version": version})


# --- Alignments --------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@for_stewards
def competency_align(request: HttpRequest, pk: int) -> HttpResponse:
    """Say how a competency stands to one of another framework: look for it, choose it, say how."""
    me = steward(request)
    origin = get_object_or_404(Competency.objects.select_related("version__framework"), pk=pk)
    if origin.version.is_draft:
        raise Http404
    query = searching.clean_query(request.GET.get("q", ""))
    frameworks = list(
        FrameworkVersion.objects.published()
        .exclude(framework=origin.version.framework_id)
        .select_related("framework")
        .defer("extra", "description")
        .order_by("framework__slug")
    )
    within = next((v for v in frameworks if v.framework.slug == request.GET.get("framework", "")), None)
    page, candidates = _candidates(query, [within] if within else frameworks, request.GET.get("page"))
    form = AlignForm(request.POST if request.method == "POST" else None, origin=origin, candidates=candidates)
    if request.method == "POST" and form.is_valid():
        try:
            alignments.align(
                origin=origin,
                target=form.cleaned_data["target"],
                relation=LinkRelation(form.cleaned_data["relation"]),
                rank_map=form.cleaned_data["levels"],
                note=form.cleaned_data["note"],
                by=me,
            )
        except NotPossible as error:
            form.add_error("target", str(error))
        else:
            messages.success(request, _("The alignment is there."))
            return redirect("competency_detail", pk=origin.pk)
    context = {
        "competency": origin,
        "query": query,
        "frameworks": frameworks,
        "within": within,
        "page_of_candidates": page,
        "candidates": candidates,
        "form": form,
        "standing": list(_alignments_of(origin)),
    }
    return render(request, "competencies/align.html", context, status=422 if form.errors else 200)


def _candidates(
    query: str, within: Sequence[FrameworkVersion], number: str | None
) -> tuple[Page[int], list[Competency]]:
    """A page of the competencies that contain the words, the best match first: two queries, whatever is found."""
    words = searching.words_of(query)
    ids = searching.ranked_ids(Competency.objects.filter(version__in=within), words) if words else []
    page: Page[int] = Paginator(ids, LINES_PAGE).get_page(number)
    rows = (
        Competency.objects.select_related("version__framework")
        .defer("search_text", "extra", "version__extra")
        .in_bulk(list(page.object_list))
    )
    return page, [rows[pk] for pk in page.object_list if pk in rows]


def _alignments_of(competency: Competency) -> QuerySet[Alignment]:
    return (
        Alignment.objects.standing()
        .filter(origin__lineage=competency.lineage)
        .select_related("target__version__framework", "made_by")
        .order_by("target__version__framework__slug", "pk")
    )


@require_POST
@for_stewards
def alignment_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    alignment = get_object_or_404(Alignment.objects.select_related("origin"), pk=pk)
    alignments.withdraw_alignment(alignment=alignment, by=steward(request))
    messages.success(request, _("The alignment no longer counts. It stays on record."))
    return redirect("competency_align", pk=alignment.origin_id)
