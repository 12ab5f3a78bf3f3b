"""What a person sets for herself: reminders and her calendar; and what comes round for her."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from learning import calendar_feed, digests, recurring
from learning.models import LearnerSettings
from learning.personal_forms import RemindersForm
from organisations.perms import signed_in


@require_GET
def requirements(request: HttpRequest) -> HttpResponse:
    """What comes round for me: each requirement with its periods."""
    rounds = recurring.rounds_of(signed_in(request), timezone.localdate())
    return render(request, "learning/requirements.html", {"rounds": rounds})


@require_http_methods(["GET", "HEAD", "POST"])
def personal_settings(request: HttpRequest) -> HttpResponse:
    """Reminders, and the private address of the calendar. Each button says in `do` what it does."""
    me = signed_in(request)
    if request.method != "POST":
        return _settings_page(request)
    do = request.POST.get("do", "")
    if do == "reminders":
        form = RemindersForm(request.POST)
        if not form.is_valid():
            return _settings_page(request, form=form, status=422)
        digests.set_reminders(person=me, recommended=form.cleaned_data["recommended"], by=me)
        messages.success(request, _("Saved."))
    elif do == "calendar":
        token = calendar_feed.make_address(person=me, seen=request.POST.get("seen", ""), by=me)
        if token is not None:
            return _settings_page(request, address=settings.SITE_URL + reverse("calendar", args=[token]))
        messages.info(
            request,
            _("The address was changed a moment ago and is shown only once. Make a new one if you have not got it."),
        )
    elif do == "calendar_off":
        calendar_feed.stop_address(person=me, by=me)
        messages.success(request, _("The calendar is switched off; its address opens nothing any more."))
    else:
        messages.error(request, _("Choose one of the buttons below."))
        return _settings_page(request, status=422)
    return redirect("personal_settings")


def _settings_page(
    request: HttpRequest, *, form: RemindersForm | None = None, address: str = "", status: int = 200
) -> HttpResponse:
    row = LearnerSettings.objects.filter(person=signed_in(request)).first()
    recommended = row.reminds_of_recommended if row is not None else True
    context: dict[str, Any] = {
        "form": form or RemindersForm(initial={"recommended": recommended}),
        "address": address,
        "made_at": row.calendar_made_at if row is not None else None,
        "seen": calendar_feed.seen_of(row),
    }
    response = render(request, "learning/personal_settings.html", context, status=status)
    if address:
        response.headers["Cache-Control"] = "private, no-store"
    return response


@login_not_required
@csrf_exempt  # the link in the mail is the authority, and mail programs send a bare POST (RFC 8058)
@require_http_methods(["GET", "HEAD", "POST"])
def reminders_off(request: HttpRequest, token: str) -> HttpResponse:
    """Switch reminders of what is not mandatory off by the link in a mail. Looking at it changes nothing."""
    person = digests.person_behind(token)
    if person is not None and request.method == "POST":
        digests.set_reminders(person=person, recommended=False, by=None)
    context = {"is_known": person is not None, "is_done": person is not None and request.method == "POST"}
    response = render(request, "learning/reminders_off.html", context, status=200 if person is not None else 404)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return response


@login_not_required
@require_safe
def calendar(request: HttpRequest, token: str) -> HttpResponseBase:
    """The calendar behind a private address; 404 for any other, and for who has left."""
    person = calendar_feed.owner_of(token)
    if person is None:
        raise Http404("No calendar has this address.")
    body = calendar_feed.feed_of(person, timezone.localdate())
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    etag = quote_etag(sha256(body).hexdigest())
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Content-Disposition"] = 'inline; filename="learning.ics"'
    response.headers["Content-Language"] = person.language or settings.LANGUAGE_CODE
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return get_conditional_response(request, etag=etag, response=response) or response
