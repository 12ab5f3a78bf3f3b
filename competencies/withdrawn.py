"""Doors to competencies that were in use when the page was opened: what became of them is said, not hidden.

What never was there, or is a draft still, stays "no such page".
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from competencies.browsing import readable_competencies
from competencies.models import Competency
from competencies.selectors import competency_in_force
from competencies.services import EvidenceRefused, check_in_use
from organisations.ids import as_id


class NotInUse(Exception):
    """Nothing new is recorded for this competency; `now` is the id of the one that followed it, where one did."""

    def __init__(self, competency: Competency) -> None:
        super().__init__(str(competency))
        self.competency = competency
        now = competency_in_force(competency)
        self.now = now if now != competency.pk else None

    @property
    def sentence(self) -> str:
        if self.now is not None:
            return _("“%(competency)s” has a new edition: nothing new can be recorded for this one.") % {
                "competency": self.competency
            }
        try:
            check_in_use(self.competency)
        except EvidenceRefused as error:
            return str(error)
        return ""  # published again between the two


def readable_competency(pk: int) -> Competency:
    """A competency of an edition in force or an earlier one. Raises Http404 for drafts and for what never was."""
    competency = readable_competencies().filter(pk=pk).first() if as_id(pk) is not None else None
    if competency is None:
        raise Http404
    return competency


def competency_in_use(pk: int) -> Competency:
    """A competency of an edition in force. Raises NotInUse for what was superseded or withdrawn, Http404 for the rest."""
    competency = readable_competency(pk)
    if not competency.version.is_published:
        raise NotInUse(competency)
    return competency


def says_not_in_use(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For doors with a `competency_id`: answers NotInUse with a page that says so and leads on."""

    @wraps(view)
    def saying(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except NotInUse as gone:
            return _answer(request, gone)

    return saying


def _answer(request: HttpRequest, gone: NotInUse) -> HttpResponse:
    match = request.resolver_match
    here = match.kwargs if match is not None else {}
    onwards = ""
    if gone.now is not None and match is not None and match.url_name:
        onwards = reverse(match.url_name, kwargs={**here, "competency_id": gone.now})
    context = {
        "competency": gone.competency,
        "sentence": gone.sentence,
        "onwards": onwards,
        "level_url": "" if "person_id" in here else reverse("my_level", args=[gone.competency.pk]),
    }
    return render(request, "competencies/not_in_use.html", context, status=422)
