"""Running surveys: preparing, approving, opening, keys, and reading comments."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from organisations.models import User
from organisations.perms import signed_in
from readiness import closing, moderating, waves
from readiness.enums import APPROVALS_NEEDED, CommentState, KeyKeeper, TeamRole, WaveState
from readiness.looking import start_node
from readiness.models import Comment, TeamMember, Wave
from readiness.moderating import CommentDecided
from readiness.notice import facts_of, people_asked
from readiness.perms import initiatives_for, is_in_team, may_run
from readiness.questionnaire import NoLanguage
from readiness.tree import audience_of
from readiness.wave_forms import CommentForm, PassphraseForm, WaveForm
from readiness.waves import WaveRefused

COMMENTS_A_PAGE = 20


def waves_seen_by(user: User) -> list[Wave]:
    """Surveys this person runs, guards, or may look at the results of; the newest first."""
    rows = (
        Wave.objects.filter(initiative__in=initiatives_for(user).values("pk"))
        .select_related("initiative__unit", "instrument", "unit")
        .order_by("-opens_at", "-pk")
    )
    found, runs = [], {}
    mine = set(TeamMember.objects.filter(person=user).values_list("initiative_id", flat=True))
    for wave in rows:
        if wave.initiative_id not in runs:
            runs[wave.initiative_id] = wave.initiative_id in mine or may_run(user, wave.initiative)
        if runs[wave.initiative_id] or (wave.has_results and start_node(user, wave) is not None):
            found.append(wave)
    return found


@require_GET
def surveys(request: HttpRequest) -> HttpResponse:
    """All surveys that concern me: results to look at, and for who works for a change what is to be done."""
    me = signed_in(request)
    found = waves_seen_by(me)
    runnable = [initiative for initiative in initiatives_for(me).select_related("unit") if may_run(me, initiative)]
    running = {wave.initiative_id for wave in found if wave.state == WaveState.DRAFT}
    return render(
        request,
        "readiness/waves.html",
        {
            "waves": [(wave, _works_for(me, wave)) for wave in found],
            "initiatives": [initiative for initiative in runnable if initiative.pk not in running],
        },
    )


def _works_for(user: User, wave: Wave) -> bool:
    return is_in_team(user, wave.initiative) or may_run(user, wave.initiative)


def _of_team(request: HttpRequest, pk: int) -> tuple[User, Wave]:
    """A survey for who runs or guards it; nobody else learns that there is one."""
    me = signed_in(request)
    wave = get_object_or_404(Wave.objects.select_related("initiative__unit", "instrument", "unit", "previous"), pk=pk)
    if not _works_for(me, wave):
        raise Http404
    return me, wave


@require_GET
def wave(request: HttpRequest, pk: int) -> HttpResponse:
    """One survey: what stands in its way, who has approved, how many have answered, what has happened."""
    me, wave = _of_team(request, pk)
    return render(request, "readiness/wave.html", _context(me, wave))


@require_GET
def wave_assessment(request: HttpRequest, pk: int) -> HttpResponse:
    """The impact assessment, filled in as far as the platform knows, to be completed on paper and signed."""
    _me, wave = _of_team(request, pk)
    context = {"wave": wave, "facts": facts_of(wave), "asked": people_asked(wave), "today": timezone.localdate()}
    return render(request, "readiness/assessment.html", context)


def _context(me: User, wave: Wave, **more: Any) -> dict[str, Any]:
    now = timezone.now()
    context: dict[str, Any] = {"wave": wave, "runs": may_run(me, wave.initiative), "now": now}
    if wave.state == WaveState.DRAFT:
        day = timezone.localdate(now)
        audience = audience_of(wave.unit, day, wave.cut_attribute)
        approvals = waves.approvals_of(wave)
        try:
            questions: dict[str, Any] | None = waves.questions_of(wave)
        except NoLanguage:
            questions = None
        context |= {
            "audience": audience.n,
            "obstacles": waves.obstacles(wave, now, audience),
            "approvals": approvals,
            "needed": APPROVALS_NEEDED,
            "may_approve": is_in_team(me, wave.initiative, TeamRole.APPROVER)
            and me.pk not in {a.person_id for a in approvals},
            "digest": waves.digest_of(wave),
            "questions": questions,
            "makes_key": wave.key_keeper == KeyKeeper.PASSPHRASE
            and not wave.key_name
            and is_in_team(me, wave.initiative, TeamRole.STEWARD),
        }
    elif wave.state == WaveState.OPEN:
        context |= {
            "root": wave.nodes.filter(parent_code="").first(),
            "nodes": list(wave.nodes.filter(response_pct__isnull=False, depth__lte=1).order_by("position")[:200]),
            "is_over": now >= wave.closes_at,
            "opens_key": wave.key_keeper == KeyKeeper.PASSPHRASE
            and now >= wave.closes_at
            and is_in_team(me, wave.initiative, TeamRole.STEWARD),
        }
    elif wave.has_results:
        context |= {
            "pending": moderating.pending(wave).count() if is_in_team(me, wave.initiative, TeamRole.MODERATOR) else 0,
            "withheld": moderating.withheld_by_reason(wave),
        }
    context["passphrase"] = PassphraseForm()
    context["events"] = list(wave.events.all())
    return context | more


@require_http_methods(["GET", "HEAD", "POST"])
def wave_new(request: HttpRequest, slug: str) -> HttpResponse:
    """Prepare a survey for an initiative, or change the one that is in preparation."""
    me = signed_in(request)
    initiative = get_object_or_404(initiatives_for(me).select_related("unit"), slug=slug)
    if not may_run(me, initiative):
        raise PermissionDenied(_("Surveys are prepared by the change team, or by HR of the whole unit."))
    draft = Wave.objects.filter(initiative=initiative, state=WaveState.DRAFT).first()
    form = WaveForm(request.POST if request.method == "POST" else None, initiative=initiative, wave=draft)
    if form.is_valid():
        data = form.cleaned_data
        try:
            made = waves.make_wave(
                initiative=initiative, instrument=data["instrument"], kind=data["kind"], unit=data["unit"],
                opens_at=form.opens_at, closes_at=form.closes_at, k=data["k"], cut_attribute=data["cut_attribute"],
                key_keeper=data["key_keeper"], by=me,
            )  # fmt: skip
        except WaveRefused as refused:
            for reason in refused.reasons:
                form.add_error(None, reason)
        else:
            messages.success(request, _("Saved. Two approvers look at it now; then it opens."))
            return redirect("wave", made.pk)
    context = {"form": form, "initiative": initiative, "draft": draft}
    return render(request, "readiness/wave_edit.html", context, status=422 if form.errors else 200)


@require_POST
def wave_approve(request: HttpRequest, pk: int) -> HttpResponse:
    me, wave = _of_team(request, pk)
    try:
        waves.approve_wave(wave=wave, by=me, seen=request.POST.get("seen", "")[:64])
        messages.success(request, _("Approved as it stands. Any change asks for your approval again."))
    except WaveRefused as refused:
        messages.error(request, str(refused))
    return redirect("wave", pk)


@require_POST
def wave_open(request: HttpRequest, pk: int) -> HttpResponse:
    me, wave = _of_team(request, pk)
    try:
        waves.ask_to_open(wave=wave, by=me)
        messages.success(request, _("The survey is being opened. Everybody gets an invitation by mail."))
    except WaveRefused as refused:
        for reason in refused.reasons:
            messages.error(request, reason)
    return redirect("wave", pk)


@require_POST
def wave_discard(request: HttpRequest, pk: int) -> HttpResponse:
    me, wave = _of_team(request, pk)
    try:
        waves.discard_wave(wave=wave, by=me)
        messages.success(request, _("Thrown away. Nobody has been asked."))
    except WaveRefused as refused:
        messages.error(request, str(refused))
        return redirect("wave", pk)
    return redirect("surveys")


@sensitive_post_parameters("passphrase")
@sensitive_variables()
@never_cache
@require_POST
def wave_key(request: HttpRequest, pk: int) -> HttpResponse:
    """The data steward makes the key before the survey opens, and opens it when its time is up."""
    me, wave = _of_team(request, pk)
    form = PassphraseForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Type the passphrase."))
        return redirect("wave", pk)
    try:
        if wave.state == WaveState.DRAFT:
            waves.make_key(wave=wave, by=me, passphrase=form.cleaned_data["passphrase"])
            messages.success(request, _("The key is made. Keep the passphrase safe: without it no answer can be read."))
        else:
            closing.release_key(wave=wave, by=me, passphrase=form.cleaned_data["passphrase"])
            messages.success(request, _("The key is open: the survey is being counted, then the key is destroyed."))
    except WaveRefused as refused:
        messages.error(request, str(refused))
    return redirect("wave", pk)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def wave_comments(request: HttpRequest, pk: int) -> HttpResponse:
    """A moderator reads what people wrote, one after the other."""
    me, wave = _of_team(request, pk)
    if not is_in_team(me, wave.initiative, TeamRole.MODERATOR):
        raise Http404
    form = None
    if request.method == "POST":
        comment = get_object_or_404(Comment, pk=_uuid(request.POST.get("comment", "")), wave=wave)
        form = CommentForm(request.POST)
        if form.is_valid():
            try:
                moderating.decide_comment(
                    comment=comment, state=form.cleaned_data["state"], text=form.cleaned_data["text"],
                    reason=form.cleaned_data["reason"], by=me,
                )  # fmt: skip
            except CommentDecided:
                messages.info(request, _("Another moderator has decided this comment already."))
            return redirect("wave_comments", pk)
    waiting = list(moderating.pending(wave)[:COMMENTS_A_PAGE])
    questions = {question["code"]: question["text"] for question in wave.questionnaire["questions"]}
    rows = []
    for comment in waiting:
        bound = form if form is not None and str(comment.pk) == request.POST.get("comment") else None
        rows.append(
            (
                comment,
                questions.get(comment.question, {}),
                bound or CommentForm(initial={"text": comment.text, "state": CommentState.SHOWN}),
            )
        )
    context = {"wave": wave, "rows": rows, "left": moderating.pending(wave).count()}
    return render(
        request, "readiness/wave_comments.html", context, status=422 if form is not None and form.errors else 200
    )


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise Http404 from None
