"""Doors that belong to no floor: health, language, one's own details, media, and the pages of things gone wrong."""

from posixpath import normpath

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import check_for_language
from django.utils.translation import gettext as _
from django.views import i18n, static
from django.views.decorators.http import require_POST

from config.forms import DetailsForm
from learning.enums import PlanReason
from learning.services import replan
from organisations.perms import signed_in

# Where Wagtail puts pictures: as uploaded, and as shown.
PICTURES = ("/images/", "/original_images/")


@login_not_required
def health(request: HttpRequest) -> HttpResponse:
    """For a load balancer: answers 200 when the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})


@login_not_required
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Django's own view (it checks `next`), and the choice is remembered: for mails, and for courses to come."""
    code = request.POST.get("language", "")
    if request.user.is_authenticated and check_for_language(code) and code in dict(settings.LANGUAGES):
        me = signed_in(request)
        if me.language != code:
            me.language = code
            me.save(update_fields=["language"])
            replan(person=me, reason=PlanReason.OFFER)  # courses not begun yet, in the other language
    return i18n.set_language(request)


def account_details(request: HttpRequest) -> HttpResponse:
    form = DetailsForm(request.POST or None, instance=signed_in(request))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your details are saved."))
        return redirect("account_details")
    return render(request, "account/details.html", {"form": form}, status=422 if form.errors else 200)


@login_not_required
def serve_media(request: HttpRequest, path: str) -> HttpResponse | FileResponse:
    """Uploaded pictures on a laptop; a proxy does this in production. An SVG opened by itself can run nothing.

    Documents have a door of their own, which asks who is there.
    """
    if not normpath(f"/{path}").startswith(PICTURES):
        raise Http404
    response = static.serve(request, path, document_root=str(settings.MEDIA_ROOT))
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return response


@login_not_required
def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "400.html", status=400)


@login_not_required
def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "403.html", {"reason": str(exception) if exception else ""}, status=403)


@login_not_required
def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "404.html", status=404)


@login_not_required
def server_error(request: HttpRequest) -> HttpResponse:
    """No template tag that could fail again: the page is plain HTML of its own."""
    return render(request, "500.html", status=500)
