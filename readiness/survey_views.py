"""Answering a survey. Nothing a person types here is kept anywhere but in her encrypted envelope."""

from __future__ import annotations

from datetime import timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods

from organisations.models import User
from organisations.perms import signed_in
from readiness.casting import CastRefused, cast
from readiness.enums import MAX_COMMENT, WaveState
from readiness.looking import start_node
from readiness.models import Participation, Wave
from readiness.perms import initiatives_for
from readiness.surveys import form_of, language_names, read_answers


def _asked(request: HttpRequest, pk: int) -> tuple[User, Wave, Participation]:
    """A survey for somebody who is asked in it. For everybody else, and once it is over, there is none."""
    me = signed_in(request)
    row = (
        Participation.objects.filter(wave_id=pk, person=me, wave__state=WaveState.OPEN)
        .select_related("wave__initiative")
        .first()
    )
    if row is None:
        raise Http404
    return me, row.wave, row


@sensitive_post_parameters()
@sensitive_variables()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def survey(request: HttpRequest, pk: int) -> HttpResponse:
    """The questionnaire on one page; it works without script and is sent once."""
    closed = Wave.objects.with_results().filter(pk=pk).first()
    if closed is not None and start_node(signed_in(request), closed) is not None:
        return redirect("survey_results", pk)  # the link of an old invitation
    me, wave, row = _asked(request, pk)
    now = timezone.now()
    if row.done:
        return render(request, "readiness/survey_sent.html", {"wave": wave})
    if not wave.opens_at <= now < wave.closes_at:
        return render(request, "readiness/survey_over.html", {"wave": wave}, status=410)
    given = {name: str(value) for name, value in request.POST.items()} if request.method == "POST" else {}
    language = request.POST.get("language") or request.GET.get("language") or get_language() or ""
    refusal, status = "", 200
    if request.method == "POST" and "switch" not in given:
        answers, comments = read_answers(wave, given)
        left = form_of(wave, language, given).unanswered
        if left and answers and given.get("anyway") != "yes":
            status = 422
        else:
            try:
                cast(person=me, wave=wave, answers=answers, comments=comments, at=now)
                return redirect("survey_sent", pk)
            except CastRefused as refused:
                if refused.already:
                    return redirect("survey_sent", pk)
                refusal, status = str(refused), 422
    form = form_of(wave, given.get("switch") or language, given)
    context = {
        "wave": wave,
        "form": form,
        "languages": language_names(form.languages),
        "refusal": refusal,
        "asks_anyway": status == 422 and not refusal,
        "max_comment": MAX_COMMENT,
        "last_day": timezone.localdate(wave.closes_at - timedelta(seconds=1)),
    }
    return render(request, "readiness/survey.html", context, status=status)


@never_cache
@require_GET
def survey_sent(request: HttpRequest, pk: int) -> HttpResponse:
    """Thank you, and what happens next. The same page whenever she comes back."""
    _me, wave, row = _asked(request, pk)
    if not row.done:
        return redirect("survey", pk)
    return render(request, "readiness/survey_sent.html", {"wave": wave})


@require_GET
def survey_notice(request: HttpRequest, pk: int) -> HttpResponse:
    """What is done with answers, for whom, and how to complain: for everybody the change concerns."""
    me = signed_in(request)
    waves = Wave.objects.exclude(state=WaveState.DRAFT).filter(initiative__in=initiatives_for(me).values("pk"))
    wave = get_object_or_404(waves.select_related("initiative__unit"), pk=pk)
    return render(request, "readiness/notice.html", {"wave": wave})
