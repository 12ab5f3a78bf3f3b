from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail import hooks


@hooks.register("register_log_actions")
def log_actions(actions: Any) -> None:
    actions.register_action("courses.enrol", _("Start a course"), _("Course started"))
    actions.register_action("courses.complete", _("Complete a course"), _("Course completed"))
