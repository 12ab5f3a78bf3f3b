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
    actions.register_action("learning.move_due_date", _("Move a due date"), _("Due date moved by leave or events"))
    actions.register_action("learning.set_due_date", _("Set a due date"), _("Due date set"))
    actions.register_action("learning.ask_extension", _("Ask for more time"), _("Asked for more time"))
    actions.register_action(
        "learning.withdraw_extension", _("Withdraw a request"), _("Request for more time withdrawn")
    )
    actions.register_action("learning.grant_extension", _("Grant more time"), _("More time granted"))
    actions.register_action("learning.refuse_extension", _("Refuse more time"), _("More time refused"))
    actions.register_action("learning.exempt", _("Exempt"), _("Exempted"))
    actions.register_action("learning.end_exemption", _("End an exemption"), _("Exemption ended"))
    actions.register_action("learning.leave_exception", _("Leave as it is"), _("Left as it is for a while"))
