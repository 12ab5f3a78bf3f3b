"""Doors to frameworks, roles and levels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from competencies import browsing, comparing, rules_wording, searching, selectors, services, wording
from competencies.campaigns import left_to_assess
from competencies.disagreements import NotShared, disagreement_in, share_disagreement, unshare_disagreement
from competencies.enums import CompetencyKind, EvidenceKind, FrameworkStatus, Necessity
from competencies.forms import AssessForm, ManagerAssessForm
from competencies.level_page import Reader, note_of, page_of
from competencies.models import Competency, FrameworkVersion, RoleProfile
from competencies.perms import reads_banks
from competencies.withdrawn import competency_in_use, says_not_in_use
from organisations import perms
from organisations.ids import as_id
from organisations.models import User
from organisations.perms import signed_in

ROLES_A_PAGE = 60
# More than these fold by kind: a role of NICE has a hundred and fifty.
FEW_REQUIREMENTS = 25


@login_not_required
@require_GET
def framework_list(request: HttpRequest) -> HttpResponse:
    """All published frameworks and what each holds."""
    return render(request, "competencies/framework_list.html", {"frameworks": browsing.published_frameworks()})


@login_not_required
@require_GET
def framework_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """One framework in its edition in force, or an earlier one: areas with competencies, families with roles."""
    editions = browsing.editions_of(slug)
    if not editions:
        raise Http404
    chosen = request.GET.get("edition", "")
    version = next((v for v in editions if str(v.pk) == chosen), None) if chosen else editions[0]
    if version is None:
        raise Http404
    kind, area = request.GET.get("kind", ""), request.GET.get("area", "")
    filters = browsing.Filters(
        query=searching.clean_query(request.GET.get("q", "")),
        kind=kind if kind in CompetencyKind.values else "",
        area=int(area) if area.isascii() and area.isdecimal() and len(area) < 10 else None,
    )
    view = browsing.framework_view(editions, version, filters=filters, page=request.GET.get("page"))
    template = "competencies/partials/_entries.html" if request.htmx else "competencies/framework_detail.html"  # type: ignore[attr-defined]
    return render(request, template, {"view": view, "version": version})


@login_not_required
@require_GET
def framework_search(request: HttpRequest) -> HttpResponse:
    """Roles and competencies by their wording, in any language, across all frameworks."""
    results = searching.search(
        request.GET.get("q", ""),
        framework=request.GET.get("framework", ""),
        kind=request.GET.get("kind", ""),
        page=request.GET.get("page"),
    )
    template = "competencies/partials/_results.html" if request.htmx else "competencies/framework_search.html"  # type: ignore[attr-defined]
    return render(request, template, {"results": results, "kinds": CompetencyKind.choices})


@login_not_required
@require_GET
def competency_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What a competency is, who needs it, which courses lead to it. Superseded and withdrawn ones stay readable."""
    competency = get_object_or_404(browsing.readable_competencies(), pk=pk)
    view = browsing.competency_view(competency, roles_page=request.GET.get("roles"))
    version = competency.version
    framework_url = reverse("framework_detail", args=[version.framework.slug])
    context: dict[str, Any] = {
        "view": view,
        "competency": competency,
        "framework_url": framework_url if version.is_published else f"{framework_url}?edition={version.pk}",
        "explained": None,
    }
    if request.user.is_authenticated:
        explained = selectors.explained_level(signed_in(request), competency)
        required = explained.required
        context["explained"] = explained
        context["sentence"] = (
            wording.level_sentence(explained.level, required, explained.scale)
            if required or explained.level.judged
            else ""
        )
    return render(request, "competencies/competency_detail.html", context)


@login_not_required
@require_GET
def role_list(request: HttpRequest) -> HttpResponse:
    """All roles of one published framework, or one family of it; the ministry's own comes first."""
    versions = list(FrameworkVersion.objects.published().select_related("framework").order_by("pk"))
    chosen = request.GET.get("framework", "")
    version = next((v for v in versions if str(v.pk) == chosen), None)
    if version is None and (pk := as_id(chosen)):  # an earlier edition
        version = (
            FrameworkVersion.objects.filter(pk=pk, status=FrameworkStatus.SUPERSEDED)
            .select_related("framework")
            .first()
        )
    version = version or (versions[0] if versions else None)
    rows = selectors.roles_of(version)
    family = request.GET.get("family", "")
    if family.isascii() and family.isdecimal() and len(family) < 10:
        rows = rows.filter(family=int(family) or None)
    roles = Paginator(rows, ROLES_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "competencies/role_list.html", {"versions": versions, "version": version, "roles": roles})


@login_not_required
@require_GET
def role_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A role card: what the role requires, in words, and which courses lead there. Superseded ones stay readable."""
    profile = get_object_or_404(selectors.readable_profiles(), pk=pk)
    asked = browsing.requirements_of(
        [profile], prefetch=("competency__course_outcomes__course", "competency__course_outcomes__level")
    )[profile.pk]
    texts = browsing.descriptor_texts(asked)
    lines: list[dict[str, Any]] = [
        {"asked": a, "descriptor": texts.get(a.competency.pk, ""), "courses": _courses_for(a)} for a in asked
    ]
    by_necessity = {n: [line for line in lines if line["asked"].necessity == n] for n in Necessity.values}
    required = by_necessity[Necessity.REQUIRED]
    version = profile.role.version
    framework_url = reverse("framework_detail", args=[version.framework.slug])
    context = {
        "profile": profile,
        "in_force": profile if version.is_published else _profile_in_force(profile),
        "framework_url": framework_url if version.is_published else f"{framework_url}?edition={version.pk}",
        "scales": selectors.scales_of({a.competency.version_id for a in asked}),
        "grades": list(profile.role.profiles.order_by("position")),
        "lines": required,
        "groups": _by_kind(required),
        "optional": by_necessity[Necessity.OPTIONAL],
        "uncertain": by_necessity[Necessity.UNCERTAIN],
        "base": next((a.competency.version for a in asked if a.inherited), None),
        "compare_url": f"{reverse('role_compare')}?a={profile.pk}",
    }
    return render(request, "competencies/role_detail.html", context)


def _profile_in_force(profile: RoleProfile) -> RoleProfile | None:
    """The edition in force of a profile that was superseded; None where it was withdrawn."""
    return (
        RoleProfile.objects.published()
        .filter(lineage=profile.lineage)
        .select_related("role__version__framework")
        .order_by("pk")
        .first()
    )


def _by_kind(lines: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """A long list of requirements of several kinds reads by kind; a short one, or one of a kind, as it stands."""
    kinds = [k for k in CompetencyKind.values if any(line["asked"].competency.kind == k for line in lines)]
    if len(lines) <= FEW_REQUIREMENTS:
        return []
    return [(k, [line for line in lines if line["asked"].competency.kind == k]) for k in kinds]


def _courses_for(asked: browsing.Asked) -> list[Any]:
    outcomes = asked.competency.course_outcomes.all()
    return _courses(o.course for o in outcomes if o.level is None or o.level.rank >= (asked.rank or 1))


@login_not_required
@require_GET
def role_compare(request: HttpRequest) -> HttpResponse:
    """Two role profiles side by side, of whatever frameworks."""
    wanted = {name: request.GET.get(name, "") for name in ("a", "b")}
    ids = {name: int(text) for name, text in wanted.items() if text.isascii() and text.isdecimal() and len(text) < 10}
    found = selectors.readable_profiles().in_bulk(ids.values())
    first, second = found.get(ids.get("a", 0)), found.get(ids.get("b", 0))
    query = searching.clean_query(request.GET.get("q", ""))
    options, more = comparing.options_for(query, chosen=[p for p in (first, second) if p is not None])
    beside = comparing.comparison_of(first, second) if first and second and first != second else None
    context = {
        "first": first,
        "second": second,
        "query": query,
        "options": options,
        "more": more,
        "beside": beside,
        "courses": _courses(beside.courses) if beside else [],
    }
    return render(request, "competencies/role_compare.html", context)


def _courses(pages: Iterable[Any]) -> list[Any]:
    """One page a course: in the reader's language where there is one. Pages come from the floor above, by its own link."""
    reader = get_language()
    chosen: dict[str, Any] = {}
    for page in sorted((page for page in pages if page.live), key=lambda page: (page.language != reader, page.pk)):
        chosen.setdefault(page.key, page)
    return sorted(chosen.values(), key=lambda page: page.title)


def courses_above(competency: Competency, rank: int) -> list[Any]:
    """Courses that lead to more than `rank` in a competency, in whatever edition they name it."""
    outcomes = competency.course_outcomes.model.objects.filter(
        competency__lineage=competency.lineage, level__rank__gt=rank
    )
    return _courses(outcome.course for outcome in outcomes.select_related("course"))


def _visible_person(request: HttpRequest, person_id: int | None) -> User:
    me = signed_in(request)
    if person_id is None or person_id == me.pk:
        return me
    return get_object_or_404(User.objects.visible_to(me), pk=person_id)


@require_GET
def level_of(request: HttpRequest, competency_id: int, person_id: int | None = None) -> HttpResponse:
    """Why this level: what shows it, what would change it, what else is on record, and how sure all this is.

    A superseded edition leads to the one in force. What was withdrawn stays readable; nothing can change it any more.
    """
    me = signed_in(request)
    person = _visible_person(request, person_id)
    competency = get_object_or_404(browsing.readable_competencies(), pk=competency_id)
    now = selectors.competency_in_force(competency)
    if now != competency.pk:
        if person == me:
            return redirect("my_level", competency_id=now)
        return redirect("level_of", person_id=person.pk, competency_id=now)
    day = timezone.localdate()
    explained = selectors.explained_level(person, competency, as_of=day)
    leads = person != me and perms.is_manager_of(me, person)
    reader = Reader(own=person == me, person_id=person.pk, can_assess=leads or (person != me and me.is_superuser))
    # A diagnostic says nothing of who can read its answers.
    can_be_asked = competency.version.is_published and not reads_banks(person)
    reach = selectors.diagnostic_reach(competency) if can_be_asked else 0
    disagreeing = disagreement_in(explained, as_of=day) if reader.own or leads else None
    if disagreeing is not None and not (reader.own or disagreeing.shared):
        disagreeing = None  # the person decides whether her manager sees the note
    page = page_of(explained, reader, reach=reach)
    context = {
        "person": person,
        "own": reader.own,
        "can_assess": reader.can_assess,
        "competency": competency,
        "explained": explained,
        # Where it would change the level it is among the ways; otherwise it is offered for itself.
        "has_diagnostic": reach > 0 and not any(way.code == "diagnostic" for way in page["ways"] + page["nearer"]),
        "disagreeing": disagreeing,
        "note": note_of(explained, disagreeing, reader, diagnostic=reach > 0) if disagreeing is not None else None,
        "rules": rules_wording.book_words(explained.book),
        "rules_version": explained.book.version,
        **page,
    }
    return render(request, "competencies/level_of.html", context)


@require_POST
def disagreement_share(request: HttpRequest, competency_id: int) -> HttpResponse:
    """The person lets her manager see the note that evidence disagrees, or takes that back (`do` = "undo")."""
    me = signed_in(request)
    competency = get_object_or_404(Competency.objects.select_related("version__framework"), pk=competency_id)
    if request.POST.get("do") == "undo":
        unshare_disagreement(person=me, competency=competency, by=me)
        messages.success(request, _("Your manager no longer sees this note."))
    else:
        try:
            share_disagreement(person=me, competency=competency, by=me, as_of=timezone.localdate())
        except NotShared as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("Your manager can see this note now."))
    return redirect("my_level", competency_id=competency.pk)


def assess_next(request: HttpRequest) -> HttpResponse:
    """Leads to the first competency the person has to assess herself in; without one, back to the desk."""
    me = signed_in(request)
    waiting = _to_assess(me, selectors.standing_of(me))
    if not waiting:
        messages.info(request, _("You have assessed yourself in everything your roles need."))
        return redirect("learn")
    return redirect(f"{reverse('assess_myself', args=[waiting[0]])}?all=1")


def _to_assess(person: User, standing: selectors.Standing) -> list[int]:
    """What a campaign asks for again comes first, then what the person has never assessed herself in."""
    asked = left_to_assess(person, standing.as_of)
    lines = [line.competency.pk for line in standing.lines if line.competency.pk in asked]
    return lines + [line.competency.pk for line in standing.undeclared if line.competency.pk not in asked]


@says_not_in_use
def assess_myself(request: HttpRequest, competency_id: int) -> HttpResponse:
    """One competency a screen; with ?all=1 the next one follows until all are done."""
    me = signed_in(request)
    competency = competency_in_use(competency_id)
    standing = selectors.standing_of(me)
    in_a_row = request.GET.get("all") == "1"
    waiting = _to_assess(me, standing)
    following = (
        next((pk for pk in waiting[waiting.index(competency.pk) + 1 :]), None)
        if competency.pk in waiting
        else next(iter(waiting), None)
    )
    onwards = f"{reverse('assess_myself', args=[following])}?all=1" if in_a_row and following else reverse("learn")
    form = AssessForm(request.POST or None, competency=competency)
    if request.method == "POST" and form.is_valid():
        try:
            services.assess_myself(
                person=me, competency=competency, rank=form.cleaned_data["rank"], token=form.cleaned_data["token"]
            )
        except services.EvidenceRefused as error:
            form.add_error("rank", str(error))
        else:
            messages.success(request, _("Saved: “%(competency)s”.") % {"competency": competency})
            return redirect(onwards)
    line = standing.line(competency.pk)
    context = {
        "form": form,
        "competency": competency,
        "line": line,
        "done": standing.total - len(waiting),
        "total": standing.total,
        "in_a_row": in_a_row,
        "onwards": onwards,
    }
    return render(request, "competencies/assess_myself.html", context, status=422 if form.errors else 200)


@says_not_in_use
def assess_person(request: HttpRequest, person_id: int, competency_id: int) -> HttpResponse:
    """A manager rates somebody she leads; others may look (level_of) but not rate."""
    me = signed_in(request)
    person = get_object_or_404(User.objects.visible_to(me), pk=person_id)
    if person == me:
        messages.info(request, _("You cannot confirm your own level as a manager. Say here where you see yourself."))
        return redirect("assess_myself", competency_id=competency_id)
    if not (me.is_superuser or perms.is_manager_of(me, person)):
        raise PermissionDenied(_("Only the person’s manager confirms levels."))
    competency = competency_in_use(competency_id)
    form = ManagerAssessForm(request.POST or None, competency=competency, person=person)
    if request.method == "POST" and form.is_valid():
        try:
            services.assess_as_manager(
                person=person,
                competency=competency,
                rank=form.cleaned_data["rank"],
                note=form.cleaned_data["note"],
                token=form.cleaned_data["token"],
                by=me,
            )
        except services.EvidenceRefused as error:
            form.add_error("rank", str(error))
        else:
            messages.success(
                request,
                _("Saved: your assessment of %(name)s in “%(competency)s”.")
                % {"name": person, "competency": competency},
            )
            return redirect("team_member", person_id=person.pk)
    explained = selectors.explained_level(person, competency)
    context = {
        "form": form,
        "person": person,
        "competency": competency,
        "explained": explained,
        "sentence": wording.level_sentence(explained.level, explained.required, explained.scale, own=False),
        "rule": wording.rule_words(
            next(rule for rule in explained.book.rules.rules if EvidenceKind.MANAGER in rule.kinds)
        ),
    }
    return render(request, "competencies/assess_person.html", context, status=422 if form.errors else 200)
