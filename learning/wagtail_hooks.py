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
    actions.register_action("learning.curated_make", _("Begin a curated path"), _("Curated path begun"))
    actions.register_action("learning.curated_draft", _("Draft a curated path"), _("Next version drafted"))
    actions.register_action("learning.curated_change", _("Change a curated path"), _("Draft changed"))
    actions.register_action("learning.curated_discard", _("Discard a draft"), _("Draft of a curated path discarded"))
    actions.register_action("learning.curated_publish", _("Publish a curated path"), _("Curated path published"))
    actions.register_action("learning.curated_archive", _("Put a curated path away"), _("Curated path put away"))
    actions.register_action("learning.curated_restore", _("Bring a curated path back"), _("Curated path brought back"))
    actions.register_action("learning.assign", _("Assign"), _("Assigned"))
    actions.register_action("learning.undo", _("Take an assignment back"), _("Assignment taken back"))
    actions.register_action("learning.make_rule", _("Make a rule"), _("Rule made"))
    actions.register_action("learning.change_rule", _("Change a rule"), _("Rule changed"))
    actions.register_action("learning.start_rule", _("Start a rule"), _("Rule started"))
    actions.register_action("learning.stop_rule", _("Stop a rule"), _("Rule stopped"))
    actions.register_action("learning.sweep_rule", _("Check a rule"), _("Rule checked: people joined or left"))
    actions.register_action("learning.hand_over", _("Keep by another rule"), _("Kept by another rule"))
    actions.register_action(
        "learning.set_reminders", _("Switch reminders on or off"), _("Reminders switched on or off")
    )
    actions.register_action("learning.make_calendar", _("Make a calendar address"), _("Calendar address made"))
    actions.register_action("learning.stop_calendar", _("Switch the calendar off"), _("Calendar switched off"))
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
    actions.register_action("learning.remove_figure", _("Remove a service figure"), _("Service figure removed"))
    actions.register_action("learning.store_figures", _("Store service figures"), _("Service figures stored"))
