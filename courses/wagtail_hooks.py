from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import ProtectedError
from django.db.models.deletion import Collector
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin import messages
from wagtail.models import Page

from courses.models import Attempt, LessonProgress


@hooks.register("register_log_actions")
def log_actions(actions: Any) -> None:
    actions.register_action("courses.enrol", _("Start a course"), _("Course started"))
    actions.register_action("courses.book_seat", _("Book a seat"), _("Seat booked"))
    actions.register_action("courses.give_back_seat", _("Give a seat back"), _("Seat given back"))
    actions.register_action("courses.complete", _("Complete a course"), _("Course completed"))


@hooks.register("before_delete_page")
def keep_what_people_did(request: HttpRequest, page: Page) -> HttpResponse | None:
    """What people did in a lesson would go with it, and a course that others point to would end in an error."""
    if not _is_in_use(page):
        return None
    messages.error(
        request,
        _(
            "“%(page)s” cannot be deleted: people have worked in it, or a course or a learning path needs it. "
            "Unpublish it instead."
        )
        % {"page": page.get_admin_display_title()},
    )
    return redirect("wagtailadmin_explore", page.get_parent().pk)


@hooks.register("before_bulk_action")
def keep_what_people_did_in_many(
    request: HttpRequest, action_type: str, objects: Sequence[Any], action: Any
) -> HttpResponse | None:
    if action_type != "delete":
        return None
    refusals = (keep_what_people_did(request, page) for page in objects if isinstance(page, Page))
    return next((refusal for refusal in refusals if refusal), None)


def _is_in_use(page: Page) -> bool:
    if any(model.objects.filter(lesson__path__startswith=page.path).exists() for model in (LessonProgress, Attempt)):
        return True
    try:
        Collector(using="default").collect(Page.objects.filter(path__startswith=page.path))
    except ProtectedError:
        return True
    return False
