"""What reports of errors may carry."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

# Where people answer surveys (readiness.urls) and questions about courses (learning.urls).
ANSWERED = ("/surveys/", "/learn/evaluation/")


class ReporterFilter(SafeExceptionReporterFilter):
    """No report carries an answer to a survey, or to a question about a course.

    The views say so themselves, but something may break before a view is reached - the database, when the session is
    read. On a developer's own machine (DEBUG) Django would show everything: of surveys it does not.
    """

    def is_active(self, request: HttpRequest | None) -> bool:
        return super().is_active(request) or _is_survey(request)

    def get_post_parameters(self, request: HttpRequest | None) -> Any:
        if request is not None and _is_survey(request):
            request.sensitive_post_parameters = "__ALL__"  # type: ignore[attr-defined]
        return super().get_post_parameters(request)


def _is_survey(request: HttpRequest | None) -> bool:
    return getattr(request, "path_info", "").startswith(ANSWERED)
