"""What the audit log calls the acts of this floor."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail import hooks


@hooks.register("register_log_actions")
def log_actions(actions: Any) -> None:
    actions.register_action("learning.make_wish", _("Pin or decline a course"), _("Course pinned or declined"))
    actions.register_action("learning.withdraw_wish", _("Take a wish back"), _("Wish taken back"))
    actions.register_action("learning.set_pace", _("Set the hours a week"), _("Hours a week set"))
    actions.register_action(
        "learning.set_reminders", _("Switch reminders on or off"), _("Reminders switched on or off")
    )
    actions.register_action("learning.make_calendar", _("Make a calendar address"), _("Calendar address made"))
    actions.register_action("learning.stop_calendar", _("Switch the calendar off"), _("Calendar switched off"))
