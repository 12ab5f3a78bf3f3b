"""The floor in the CMS: what its acts are called in the audit log."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail import hooks


@hooks.register("register_log_actions")
def log_actions(actions: Any) -> None:
    """Answering a survey is no act that is logged: nobody needs to know who did."""
    actions.register_action("readiness.make_wave", _("Prepare a survey"), _("Survey prepared"))
    actions.register_action("readiness.discard_wave", _("Throw a survey away"), _("Survey thrown away"))
    actions.register_action("readiness.approve_wave", _("Approve a survey"), _("Survey approved"))
    actions.register_action("readiness.open_wave", _("Open a survey"), _("Survey opened"))
    actions.register_action("readiness.release_key", _("Open the key of a survey"), _("Key of a survey opened"))
    actions.register_action("readiness.close_wave", _("Close a survey"), _("Survey closed"))
