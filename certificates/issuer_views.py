"""What programs of strangers fetch to check our credentials without asking about anybody: our keys, and the status lists."""

from __future__ import annotations

import hashlib
import json

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.cache import patch_cache_control
from django.views.decorators.http import condition, require_safe

from certificates import issuer, status_lists
from certificates.models import StatusList
from organisations.key_folder import KeyTrouble

KEYS_MAX_AGE_SECONDS = 3600


@login_not_required
@require_safe
def did(request: HttpRequest) -> HttpResponse:
    """Our did:web document. A key that is made today is known to a cache within the hour."""
    response = HttpResponse(json.dumps(issuer.did_document()), content_type="application/did+json")
    return _for_everybody(response, KEYS_MAX_AGE_SECONDS)


@login_not_required
@require_safe
def status_list(request: HttpRequest, number: int) -> HttpResponse:
    """A status list, signed: with an ETag, for who asks again and again."""
    found = get_object_or_404(StatusList, pk=number) if number <= 2**31 - 1 else None
    if found is None:
        raise Http404
    try:
        content = status_lists.signed_list(found).encode()
    except KeyTrouble:
        return _for_everybody(JsonResponse({"error": "no_key"}, status=503), 0)

    @condition(etag_func=lambda _request: f'"{hashlib.sha256(content).hexdigest()[:32]}"')
    def answer(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(content, content_type="application/vc+ld+json")

    return _for_everybody(answer(request), status_lists.MAX_AGE_SECONDS)


def _for_everybody(response: HttpResponse, seconds: int) -> HttpResponse:
    """Verifiers in a browser come from other hosts; what they read here is public and about nobody."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    if seconds:
        patch_cache_control(response, public=True, max_age=seconds)
    else:
        response.headers["Cache-Control"] = "no-store"
    return response
