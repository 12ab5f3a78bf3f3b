"""Answering a survey. Nothing a person types here is kept anywhere but in her encrypted envelope.

What others can see of a press - its status, its address, what is logged - is the same whatever she answers. That is why
the look before sending comes for everybody who has no script, also for those who left nothing out; with a script the
browser looks by itself, and there is one press.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods

from organisations.ids import LARGEST
from organisations.models import User
from organisations.perms import signed_in
from readiness.casting import CastRefused, cast
from readiness.enums import MAX_COMMENT, WaveState
from readiness.looking import start_node
from readiness.models import Participation, Wave
from readiness.notice import facts_of, record_of
from readiness.perms import initiatives_for
from readiness.survey_words import promise_in
from readiness.surveys import Form, form_of, keep_key, language_names, open_surveys_of, read_answers, self_check_of

SEND = "send"


@sensitive_variables()
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def survey(request: HttpRequest, pk: int) -> HttpResponse:
    """The questionnaire on one page; it works without script and is sent once."""
    me = signed_in(request)
    row = _row(me, pk)
    if row is None:
        return _not_asked(request, me, pk)
    wave = row.wave
    if row.done:
        return _answered(request, wave)
    now = timezone.now()
    if now < wave.opens_at:
        raise Http404
    if request.method == "POST":  # also after the end: what she typed comes back to her
        return _take(request, me, wave)
    if now >= wave.closes_at:
        return _over(request, wave)
    return _show(request, me, wave, request.GET.get("language"), {})


@sensitive_variables()
def _take(request: HttpRequest, me: User, wave: Wave) -> HttpResponse:
    """Answers that came in: into the envelope, or back to her on the page and nowhere else."""
    fields = {name: str(value) for name, value in request.POST.items()}
    language = fields.get("language")
    given = read_answers(wave.questionnaire, fields)
    if given.off_scale:
        refusal = _("An answer is not on the scale. Look at your answers again.")
    elif given.is_empty:
        refusal = _("You have not answered anything yet.")
    elif given.too_long:
        refusal = _("A comment has at most %(count)s characters.") % {"count": MAX_COMMENT}
    elif fields.get("do") != SEND:
        return _show(request, me, wave, language, fields, looks=True)
    else:
        try:
            cast(person=me, wave=wave, answers=given.answers, comments=given.comments)
        except CastRefused as refused:
            if refused.already:
                return _answered(request, wave, status=409)
            refusal = str(refused)
        else:
            return redirect("survey_sent", wave.pk)
    status = 409 if timezone.now() >= wave.closes_at else 422
    return _show(request, me, wave, language, fields, refusal=refusal, status=status)


@sensitive_variables()
def _show(
    request: HttpRequest,
    me: User,
    wave: Wave,
    language: str | None,
    fields: dict[str, str],
    *,
    looks: bool = False,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page, with what was filled in. `looks`: before sending, with what was left out."""
    form = form_of(wave.questionnaire, language or get_language() or "", fields)
    context: dict[str, Any] = {
        "wave": wave,
        "form": form,
        "facts": _facts(form),
        "promise": promise_in(form.language, wave.k),
        "languages": language_names(form.languages),
        "keep_key": keep_key(me, wave),
        "max_comment": MAX_COMMENT,
        "looks": looks,
        "refusal": refusal,
    }
    return render(request, "readiness/survey.html", context, status=status)


def _facts(form: Form) -> str:
    """How long it takes, and how much there is."""
    minutes, statements, questions = form.minutes, form.statements, len(form.questions)
    said = [
        ngettext("About %(n)s minute", "About %(n)s minutes", minutes) % {"n": minutes},
        ngettext("%(n)s statement", "%(n)s statements", statements) % {"n": statements},
    ]
    if questions:
        said.append(ngettext("%(n)s open question", "%(n)s open questions", questions) % {"n": questions})
    return " · ".join(said)


@never_cache
@require_GET
def survey_sent(request: HttpRequest, pk: int) -> HttpResponse:
    """Thank you, and what happens next. The same page whenever she comes back."""
    me = signed_in(request)
    row = _row(me, pk)
    if row is None:
        return _not_asked(request, me, pk)
    if not row.done:
        return redirect("survey", pk)
    return render(request, "readiness/survey_sent.html", {"wave": row.wave})


@require_GET
def survey_notice(request: HttpRequest, pk: int) -> HttpResponse:
    """What is done with answers, for whom, and how to complain: for everybody the change concerns."""
    wave = _readable(signed_in(request), pk)
    return render(request, "readiness/notice.html", {"wave": wave, "facts": facts_of(wave), "record": record_of(wave)})


@never_cache
@require_GET
def survey_self_check(request: HttpRequest, pk: int) -> HttpResponse:
    """The statements of the pulse for herself alone. The page has no form: there is nothing it could send."""
    wave = _readable(signed_in(request), pk)
    form = self_check_of(wave.questionnaire, request.GET.get("language") or get_language() or "")
    context = {"wave": wave, "form": form, "languages": language_names(form.languages)}
    return render(request, "readiness/survey_self_check.html", context)


# --- Who is it, and is it still open? --------------------------------------------------------------------------------
def _row(me: User, pk: int) -> Participation | None:
    """Her row in an open survey: there is none for who is not asked, and none once all answers have been opened."""
    if pk > LARGEST:  # Django asks the database for a foreign key of any size
        return None
    rows = Participation.objects.filter(wave_id=pk, person=me, wave__state=WaveState.OPEN)
    return rows.select_related("wave__initiative__unit").first()


def _not_asked(request: HttpRequest, me: User, pk: int) -> HttpResponse:
    """The link of an old invitation: who was asked is not known any more, so everybody the change concerns may follow it."""
    over = [WaveState.SEALED, WaveState.CLOSED, WaveState.DESTROYED]
    wave = _of_her_changes(me).filter(pk=pk, state__in=over).first()
    if wave is None:
        raise Http404
    if wave.has_results and request.method != "POST" and start_node(me, wave) is not None:
        return redirect("survey_results", pk)
    return _over(request, wave)


def _answered(request: HttpRequest, wave: Wave, status: int | None = None) -> HttpResponse:
    """That she has answered, and nothing else."""
    status = status or (409 if request.method == "POST" else 200)
    return render(request, "readiness/survey_answered.html", {"wave": wave}, status=status)


def _over(request: HttpRequest, wave: Wave) -> HttpResponse:
    context = {"wave": wave, "came_late": request.method == "POST"}
    return render(request, "readiness/survey_over.html", context, status=409 if request.method == "POST" else 410)


def _readable(me: User, pk: int) -> Wave:
    """A survey that was opened, for who is asked in it or may read about its change."""
    row = _row(me, pk)
    if row is not None:
        return row.wave
    wave = _of_her_changes(me).filter(pk=pk).first()
    if wave is None:
        raise Http404
    return wave


def _of_her_changes(me: User) -> QuerySet[Wave]:
    waves = Wave.objects.exclude(state=WaveState.DRAFT).select_related("initiative__unit")
    return waves.filter(initiative__in=initiatives_for(me).values("pk"))


@never_cache
@require_GET
def surveys_waiting(request: HttpRequest) -> HttpResponse:
    """What waits for my answers, fetched beside my desk: looking for it would hold the desk up."""
    waiting = open_surveys_of(signed_in(request), timezone.now())
    template = "_surveys_waiting.html" if getattr(request, "htmx", False) else "surveys_waiting.html"
    folder = "readiness/partials" if getattr(request, "htmx", False) else "readiness"
    return render(request, f"{folder}/{template}", {"surveys": waiting})
